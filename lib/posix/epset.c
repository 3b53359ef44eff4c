/* SPDX-License-Identifier: BSD-2-Clause */
/* The items of epoll sets. */
#include "posix/epset.h"
#include "posix/sock.h"
#include "posix/wait.h"

#include <stdlib.h>

#define ALWAYS  ((uint32_t)(EPOLLERR | EPOLLHUP))
#define PRIVATE ((uint32_t)(EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE))
#define EXCLUSIVELY                                                                    \
	((uint32_t)(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | \
	            EPOLLEXCLUSIVE))

/* ---- the ready list --------------------------------------------------------------------------- */

static void add_ready(struct item *i)
{
	struct item *head = &i->set->ready;

	if (i->is_ready)
		return;
	i->is_ready = true;
	i->ready_next = head;
	i->ready_prev = head->ready_prev;
	head->ready_prev->ready_next = i;
	head->ready_prev = i;
	i->set->nb_ready++;
}

static void remove_ready(struct item *i)
{
	if (!i->is_ready)
		return;
	i->is_ready = false;
	i->ready_prev->ready_next = i->ready_next;
	i->ready_next->ready_prev = i->ready_prev;
	i->set->nb_ready--;
}

static uint32_t ask_item(const struct item *i)
{
	uint32_t want = i->want.events;

	if ((want & ~PRIVATE) == 0) /* a one-shot item that has fired */
		return 0;
	return sock_ready(i->sock, want & EPOLLOUT) & want;
}

/* ---- life ------------------------------------------------------------------------------------- */

/* Makes the kernel's instance report when the queue has something and, once, that the host went. */
static void join_kernel(const struct epset *set, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = EPSET_QUEUE},
	                   control = {.events = EPOLLRDHUP | EPOLLET, .data.u64 = EPSET_CONTROL};

	if (set->queue.fd >= 0)
		(void)sys(epoll_ctl, fd, EPOLL_CTL_ADD, set->queue.fd, &e);
	(void)sys(epoll_ctl, fd, EPOLL_CTL_ADD, client.control, &control);
}

struct epset *epset_new(int fd)
{
	struct epset *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	pthread_mutex_init(&set->lock, NULL);
	set->ready.ready_next = set->ready.ready_prev = &set->ready;
	queue_open(&set->queue);
	join_kernel(set, fd);
	return set;
}

static struct item **bucket_of(struct epset *set, uint32_t sock)
{
	return &set->bucket[sock % EPSET_BUCKETS];
}

static struct item *find(struct epset *set, const struct file *f, int fd)
{
	struct item *i = *bucket_of(set, f->sock);

	while (i != NULL && (i->file != f || i->fd != fd))
		i = i->next_in_bucket;
	return i;
}

/* Subscribes the queue to a socket as its items require: exclusively, if they all want that. */
static void watch_item(struct epset *set, uint32_t sock)
{
	bool any = false, alone = true;

	for (const struct item *i = *bucket_of(set, sock); i != NULL; i = i->next_in_bucket) {
		if (i->sock != sock)
			continue;
		any = true;
		alone = alone && (i->want.events & EPOLLEXCLUSIVE) && (i->want.events & EPOLLIN);
	}
	if (any)
		queue_watch(&set->queue, sock, alone);
	else
		queue_unwatch(&set->queue, sock);
}

/* Removes an item from its set, whose lock is held. */
static void unlink_from_set(struct item *i)
{
	struct item **at = i->is_set ? &i->set->nested_items : bucket_of(i->set, i->sock);

	while (*at != i)
		at = &(*at)->next_in_bucket;
	*at = i->next_in_bucket;
	remove_ready(i);
	if (!i->is_set)
		watch_item(i->set, i->sock);
}

static void unlink_from_file(struct item *i)
{
	struct item **at = &i->file->items;

	while (*at != i)
		at = &(*at)->next_of_file;
	*at = i->next_of_file;
}

/* Removes and frees an item; client.sets is held. */
static void remove_item(struct item *i)
{
	struct epset *set = i->set;

	pthread_mutex_lock(&set->lock);
	unlink_from_set(i);
	pthread_mutex_unlock(&set->lock);
	unlink_from_file(i);
	free(i);
}

void epoll_forget(struct file *f)
{
	section_begin(SECTION_SETS);
	while (f->items != NULL)
		remove_item(f->items);
	section_end(SECTION_SETS);
}

void epset_free(struct epset *set)
{
	section_begin(SECTION_SETS);
	for (uint32_t b = 0; b < EPSET_BUCKETS; b++)
		while (set->bucket[b] != NULL)
			remove_item(set->bucket[b]);
	while (set->nested_items != NULL)
		remove_item(set->nested_items);
	section_end(SECTION_SETS);
	queue_close(&set->queue);
	pthread_mutex_destroy(&set->lock);
	free(set);
}

/* ---- epoll_ctl -------------------------------------------------------------------------------- */

static void mark_seen(struct item *i)
{
	const struct chan_sock *s = chan_sock(client.chan, i->sock);

	i->seen_in = at_load(&s->ev_in);
	i->seen_out = at_load(&s->ev_out);
	i->seen_state = at_load(&s->ev_state);
}

/* Puts an item that is ready now into the list, and wakes the threads that sleep on the set. */
static void look_at_item(struct item *i)
{
	mark_seen(i);
	if (ask_item(i) == 0)
		return;
	add_ready(i);
	if (i->set->nested || i->set->queue.index == CHAN_NONE ||
	    at_load_sc(&chan_queue(client.chan, i->set->queue.index)->armed) != 0)
		queue_signal(&i->set->queue);
}

/* Starts an item whose events have been set. The lcore reports each departing datagram only on
 * request. */
static void begin(struct item *i)
{
	const uint32_t out = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

	if ((i->want.events & EPOLLET) && (i->want.events & out))
		at_store(&chan_sock(client.chan, i->sock)->edges, 1);
	look_at_item(i);
}

static struct item *new_item(struct epset *set, int fd, struct file *f,
                             const struct epoll_event *event)
{
	struct item *i = calloc(1, sizeof(*i));

	if (i == NULL)
		return NULL;
	i->set = set;
	i->fd = fd;
	i->file = f;
	i->sock = f->sock;
	i->want = *event;
	i->want.events |= ALWAYS;
	i->next_of_file = f->items;
	f->items = i;
	return i;
}

static int add(struct epset *set, int fd, struct file *f, const struct epoll_event *event)
{
	struct item *i;

	i = new_item(set, fd, f, event);
	if (i == NULL)
		return -ENOMEM;
	i->next_in_bucket = *bucket_of(set, f->sock);
	*bucket_of(set, f->sock) = i;
	watch_item(set, i->sock);
	begin(i);
	return 0;
}

static int modify(struct item *i, const struct epoll_event *event)
{
	if (i->want.events & EPOLLEXCLUSIVE)
		return -EINVAL;
	i->want = *event;
	i->want.events |= ALWAYS;
	begin(i);
	return 0;
}

int epset_ctl(struct epset *set, int op, int fd, struct file *f, const struct epoll_event *event)
{
	struct item *i;
	int rc = 0;

	if (op != EPOLL_CTL_ADD && op != EPOLL_CTL_MOD && op != EPOLL_CTL_DEL)
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && (event->events & EPOLLEXCLUSIVE) &&
	    (op == EPOLL_CTL_MOD || (event->events & ~EXCLUSIVELY)))
		return -EINVAL;
	section_begin(SECTION_SETS);
	pthread_mutex_lock(&set->lock);
	i = find(set, f, fd);
	if (op == EPOLL_CTL_ADD)
		rc = i != NULL ? -EEXIST : add(set, fd, f, event);
	else if (i == NULL)
		rc = -ENOENT;
	else if (op == EPOLL_CTL_MOD)
		rc = modify(i, event);
	else
		unlink_from_set(i);
	pthread_mutex_unlock(&set->lock);
	if (rc == 0 && op == EPOLL_CTL_DEL) {
		unlink_from_file(i);
		free(i);
	}
	section_end(SECTION_SETS);
	return rc;
}

/* A fork, which waits for the section, shares either socket as a whole. */
bool file_move(struct file *f, uint32_t to)
{
	const uint32_t from = f->sock;
	bool moves;

	section_begin(SECTION_SETS);
	moves = !sock_is_shared(chan_sock(client.chan, from));
	if (moves)
		at_store(&f->sock, to);
	for (struct item *i = f->items; moves && i != NULL; i = i->next_of_file) {
		struct epset *set = i->set;

		if (i->sock != from || i->is_set)
			continue;
		pthread_mutex_lock(&set->lock);
		unlink_from_set(i);
		i->sock = to;
		i->next_in_bucket = *bucket_of(set, to);
		*bucket_of(set, to) = i;
		watch_item(set, to);
		look_at_item(i);
		pthread_mutex_unlock(&set->lock);
	}
	section_end(SECTION_SETS);
	return moves;
}

/* ---- sets in sets ----------------------------------------------------------------------------- */

static int nest(struct epset *outer, int ep, int fd, struct file *inner,
                const struct epoll_event *event)
{
	static uint64_t last; /* under client.sets */
	struct item *i = new_item(outer, fd, inner, event);
	struct epoll_event e = {.events = event->events};
	int rc = 0;

	if (i == NULL)
		return -ENOMEM;
	i->is_set = true;
	i->tag = e.data.u64 = EPSET_NESTED | (++last & ~EPSET_NESTED_MASK);
	pthread_mutex_lock(&outer->lock);
	i->next_in_bucket = outer->nested_items;
	outer->nested_items = i;
	at_store(&outer->has_had_sets, true);
	pthread_mutex_unlock(&outer->lock);
	if (sys(epoll_ctl, ep, EPOLL_CTL_ADD, fd, &e) != 0)
		rc = -errno;
	if (rc != 0)
		remove_item(i);
	else
		(void)epset_ready(inner->set);
	return rc;
}

int epset_nest(struct epset *outer, int ep, int op, int fd, struct file *inner,
               const struct epoll_event *event)
{
	struct epoll_event e = {.events = op != EPOLL_CTL_DEL ? event->events : 0};
	struct item *i;
	int rc = 0;

	section_begin(SECTION_SETS);
	for (i = inner->items; i != NULL; i = i->next_of_file)
		if (i->set == outer && i->fd == fd)
			break;
	if (i != NULL)
		e.data.u64 = i->tag;
	if (op == EPOLL_CTL_ADD && i == NULL)
		rc = nest(outer, ep, fd, inner, event);
	else if (sys(epoll_ctl, ep, op, fd, &e) != 0)
		rc = -errno;
	else if (op == EPOLL_CTL_MOD && i != NULL)
		i->want = *event;
	else if (op == EPOLL_CTL_DEL && i != NULL)
		remove_item(i);
	section_end(SECTION_SETS);
	return rc;
}

/* ---- waiting ---------------------------------------------------------------------------------- */

/* Whether an event that an item is interested in has happened since the last check. */
static bool concerns(struct item *i)
{
	const struct chan_sock *s = chan_sock(client.chan, i->sock);
	const uint32_t in = EPOLLIN | EPOLLRDNORM | EPOLLRDBAND | EPOLLPRI;
	const uint32_t out = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	bool any = (i->seen_in != at_load(&s->ev_in) && (i->want.events & in)) ||
	           (i->seen_out != at_load(&s->ev_out) && (i->want.events & out)) ||
	           i->seen_state != at_load(&s->ev_state);

	mark_seen(i);
	return any;
}

/* Takes all events from the queue; without a queue, checks all items. */
static void take_events(struct epset *set)
{
	uint32_t sock;

	while (queue_pop(&set->queue, &sock))
		for (struct item *i = *bucket_of(set, sock); i != NULL; i = i->next_in_bucket)
			if (i->sock == sock && concerns(i))
				add_ready(i);
	if (set->queue.index != CHAN_NONE && !client_is_down())
		return;
	for (uint32_t b = 0; b < EPSET_BUCKETS; b++)
		for (struct item *i = set->bucket[b]; i != NULL; i = i->next_in_bucket)
			if (concerns(i) || (client_is_down() && !set->told_down))
				add_ready(i);
	set->told_down = client_is_down();
}

int epset_collect(struct epset *set, struct epoll_event *events, int max)
{
	int n = 0;

	pthread_mutex_lock(&set->lock);
	take_events(set);
	for (uint32_t left = set->nb_ready; left > 0 && n < max; left--) {
		struct item *i = set->ready.ready_next;
		uint32_t mask = ask_item(i);

		remove_ready(i);
		if (mask == 0)
			continue;
		events[n].events = mask;
		events[n++].data = i->want.data;
		if (i->want.events & EPOLLONESHOT)
			i->want.events &= PRIVATE;
		else if (!(i->want.events & EPOLLET))
			add_ready(i);
	}
	pthread_mutex_unlock(&set->lock);
	return n;
}

/* Whether any item has something to report; items without leave the list. */
static bool any_ready(struct epset *set)
{
	take_events(set);
	while (set->nb_ready > 0) {
		if (ask_item(set->ready.ready_next) != 0)
			return true;
		remove_ready(set->ready.ready_next);
	}
	return false;
}

void epset_hand_over(struct epset *set)
{
	bool any;

	queue_arm(&set->queue, CHAN_ARMED);
	pthread_mutex_lock(&set->lock);
	any = any_ready(set);
	pthread_mutex_unlock(&set->lock);
	if (any)
		queue_signal(&set->queue);
}

/* Refreshes the sets in this one: one may have been served since it signalled, and then its kernel
 * descriptor must no longer be readable. The inner set exists: an item is removed under the lock of
 * its set, which is held. */
static void settle_nested(const struct epset *set)
{
	for (const struct item *i = set->nested_items; i != NULL; i = i->next_in_bucket)
		(void)epset_ready(i->file->set);
}

bool epset_ready(struct epset *set)
{
	bool any, news = false;

	pthread_mutex_lock(&set->lock);
	settle_nested(set);
	if (!set->nested) {
		set->nested = news = true;
		queue_arm(&set->queue, CHAN_ALWAYS);
	}
	any = any_ready(set);
	if (!any) {
		queue_clear(&set->queue);
		any = news = any_ready(set);
	}
	/* make its kernel descriptor readable too; once, or an outer set would see another edge */
	if (any && news)
		queue_signal(&set->queue);
	pthread_mutex_unlock(&set->lock);
	return any;
}

/* Whether a nested set has nothing to report: it may have been served since it signalled. Its
 * kernel descriptors are checked too. */
static bool is_idle_set(const struct item *i)
{
	struct pollfd p = {.fd = i->fd, .events = POLLIN};

	return !epset_ready(i->file->set) && sys(poll, &p, 1, 0) <= 0;
}

/* Puts the caller's data into the event of a nested set. Returns whether to report the event. */
static bool translate(const struct epset *set, struct epoll_event *event)
{
	const struct item *i;
	bool any;

	section_begin(SECTION_SETS);
	i = set->nested_items;
	while (i != NULL && i->tag != event->data.u64)
		i = i->next_in_bucket;
	any = i != NULL && !is_idle_set(i);
	if (any)
		event->data = i->want.data;
	section_end(SECTION_SETS);
	return any;
}

/* Handles a signal from the pipe. It is drained under the lock: otherwise a byte could be lost that
 * must stay because the set has just been nested. */
static void hear(struct epset *set)
{
	bool nested;

	pthread_mutex_lock(&set->lock);
	nested = set->nested;
	if (!nested)
		queue_clear(&set->queue);
	pthread_mutex_unlock(&set->lock);
	if (nested)
		(void)epset_ready(set); /* stays readable if there is an event */
}

int epset_filter(struct epset *set, struct epoll_event *events, int n)
{
	int left = 0;

	for (int k = 0; k < n; k++) {
		if (events[k].data.u64 == EPSET_QUEUE) {
			hear(set);
		} else if (events[k].data.u64 == EPSET_CONTROL) {
			client_check();
		} else if ((events[k].data.u64 & EPSET_NESTED_MASK) != EPSET_NESTED ||
		           !at_load(&set->has_had_sets) || translate(set, &events[k])) {
			events[left++] = events[k];
		}
	}
	return left;
}

/* ---- after a fork ----------------------------------------------------------------------------- */

static void take_instance(int from, int to)
{
	const int cloexec = sys_fcntl(to, F_GETFD, 0) & FD_CLOEXEC ? O_CLOEXEC : 0;

	(void)sys(dup3, from, to, cloexec);
}

/* Replaces a kernel instance that contains nothing but our descriptors and other sets by a new
 * one. */
static void unshare_instance(struct epset *set, int fd)
{
	uint32_t sets = 0;
	int fresh;

	set->own_fd = -1;
	for (const struct item *i = set->nested_items; i != NULL; i = i->next_in_bucket)
		sets++;
	if (at_load(&set->kernel_items) > sets)
		return;
	fresh = (int)sys(epoll_create1, EPOLL_CLOEXEC);
	if (fresh < 0)
		return;
	take_instance(fresh, fd);
	(void)sys_close(fresh);
	set->own_fd = fd;
}

void epset_forked(struct epset *set, int fd)
{
	pthread_mutex_init(&set->lock, NULL);
	set->sleepers = 0;
	/* a thread of the parent may have been changing the list; all items enter it again below */
	set->ready.ready_next = set->ready.ready_prev = &set->ready;
	set->nb_ready = 0;
	unshare_instance(set, fd);
	fd_close_hidden(set->queue.fd);
	queue_open(&set->queue);
	join_kernel(set, fd);
	for (uint32_t b = 0; b < EPSET_BUCKETS; b++)
		for (struct item *i = set->bucket[b]; i != NULL; i = i->next_in_bucket) {
			watch_item(set, i->sock);
			i->is_ready = false;
			add_ready(i);
		}
}

void epset_forked_twin(const struct epset *set, int fd)
{
	if (set->own_fd >= 0)
		take_instance(set->own_fd, fd);
}

void epset_forked_nest(struct epset *set, int fd)
{
	/* if both instances are still shared with the parent, it is there already */
	for (const struct item *i = set->nested_items; i != NULL; i = i->next_in_bucket) {
		struct epoll_event e = {.events = i->want.events & ~ALWAYS, .data.u64 = i->tag};

		(void)sys(epoll_ctl, fd, EPOLL_CTL_ADD, i->fd, &e);
	}
	if (set->nested) {
		set->nested = false;
		(void)epset_ready(set);
	}
}
