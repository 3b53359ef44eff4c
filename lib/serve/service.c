/* SPDX-License-Identifier: BSD-2-Clause */
/* A service's creation, its turn, its sleep, and its notifications. */
#include "serve/service.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define EVENTS     64
#define POSTS      64 /* of one process per turn */
#define STACK_NEWS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET)

struct pc_service *pc_host_add(struct pc_host *h, unsigned index, struct pc_stack *st)
{
	uint32_t n = h->chan->socks_per_lcore;
	struct pc_service *s;

	if (index >= h->chan->nb_lcores || h->service[index] != NULL) {
		errno = index >= h->chan->nb_lcores ? EINVAL : EEXIST;
		return NULL;
	}
	s = calloc(1, sizeof(*s) + n * sizeof(s->sock[0]));
	if (s == NULL)
		return NULL;
	s->chan = h->chan;
	s->host = h;
	s->st = st;
	s->lcore = index;
	s->first = index * n;
	s->epoll = pc_epoll_create(st);
	if (s->epoll < 0) {
		free(s);
		return NULL;
	}
	s->free = s->short_first = s->short_last = CHAN_NONE;
	for (uint32_t i = n; i-- > 0;) {
		s->sock[i].next = s->free;
		s->free = s->first + i;
	}
	h->service[index] = s;
	return s;
}

uint32_t service_adopt(struct pc_service *s, int fd, uint32_t type, bool ip6)
{
	struct epoll_event e = {.events = STACK_NEWS};
	uint32_t sock = s->free, kicked;
	struct service_sock *own;
	struct chan_sock *c;

	if (sock == CHAN_NONE)
		return CHAN_NONE;
	e.data.u32 = sock;
	if (pc_epoll_ctl(s->st, s->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		return CHAN_NONE;
	own = service_sock(s, sock);
	s->free = own->next;
	s->nb_used++;
	*own = (struct service_sock){.fd = fd, .from = CHAN_NONE, .primary = sock};
	c = chan_sock(s->chan, sock);
	/* a post or an event of its predecessor may still be in flight: those marks stay */
	kicked = at_load(&c->kicked);
	for (size_t i = 0; i < sizeof(*c) / 8; i++)
		if (i < offsetof(struct chan_sock, queued) / 8 ||
		    i >= (offsetof(struct chan_sock, queued) + sizeof(c->queued)) / 8)
			at_put((uint64_t *)(void *)c + i, 0);
	at_put(&c->kicked, kicked);
	c->type = type;
	c->ip6 = ip6;
	c->lcore = s->lcore;
	c->cookie = (uint64_t)s->lcore << 48 | ++s->made;
	return sock;
}

void service_release(struct pc_service *s, uint32_t sock)
{
	service_leave_short(s, sock);
	if (service_sock(s, sock)->closing)
		s->nb_closing--;
	at_store(&chan_sock(s->chan, sock)->type, CHAN_FREE);
	*service_sock(s, sock) = (struct service_sock){.next = s->free};
	s->free = sock;
	s->nb_used--;
}

static void take_post(struct pc_service *s, uint32_t proc, uint32_t value)
{
	if (value & CHAN_POST_CALL) {
		if ((value & ~CHAN_POST_CALL) < CHAN_CALLS)
			service_call(s, proc, value & ~CHAN_POST_CALL);
	} else if (value < s->chan->nb_socks && chan_sock(s->chan, value)->lcore == s->lcore) {
		(void)at_swap(&chan_sock(s->chan, value)->kicked, 0);
		if (service_owns(s, value))
			service_look(s, value);
	}
}

static unsigned serve_proc(struct pc_service *s, uint32_t p)
{
	struct chan *c = s->chan;
	struct pc_host *h = s->host;
	uint32_t value;
	unsigned n = 0;

	if (at_load_sc(&h->slot[p]) == CHAN_PROC_DYING) {
		if (s->buried[p] == at_load(&h->deaths[p]))
			return 0;
		service_bury(s, p);
		s->buried[p] = at_load(&h->deaths[p]);
		at_add(&h->buried[p], 1);
		return 1;
	}
	while (n < POSTS &&
	       post_pop(chan_post(c, p, s->lcore), c->post_cells, &s->post_tail[p], &value)) {
		take_post(s, p, value);
		n++;
	}
	return n;
}

unsigned pc_service_turn(struct pc_service *s, uint64_t now_ns)
{
	struct epoll_event ev[EVENTS];
	unsigned done = 0;
	int n;

	s->now_ns = now_ns;
	for (uint32_t w = 0; w < CHAN_PROC_WORDS; w++)
		for (uint64_t left = at_load(&s->host->live[w]); left != 0; left &= left - 1)
			done += serve_proc(s, w * 64 + (uint32_t)__builtin_ctzll(left));
	n = pc_epoll_wait(s->st, s->epoll, ev, EVENTS);
	for (int i = 0; i < n; i++)
		if (service_owns(s, ev[i].data.u32))
			service_look(s, ev[i].data.u32);
	if (s->sweep_ns != 0)
		service_sweep(s, now_ns);
	if (s->free == CHAN_NONE && s->nb_closing > 0)
		service_give_way(s);
	service_look_short(s);
	return done + (unsigned)(n > 0 ? n : 0);
}

/* the last check before sleeping */
static bool has_posts(struct pc_service *s)
{
	struct chan *c = s->chan;

	for (uint32_t w = 0; w < CHAN_PROC_WORDS; w++) {
		for (uint64_t left = at_load_sc(&s->host->live[w]); left != 0; left &= left - 1) {
			uint32_t p = w * 64 + (uint32_t)__builtin_ctzll(left);

			if (post_waiting(chan_post(c, p, s->lcore), c->post_cells, s->post_tail[p]))
				return true;
			if (at_load_sc(&s->host->slot[p]) == CHAN_PROC_DYING &&
			    s->buried[p] != at_load(&s->host->deaths[p]))
				return true;
		}
	}
	return false;
}

void pc_service_sleep(struct pc_service *s, uint64_t deadline_ns)
{
	struct chan_lcore *l = &s->chan->head->lcore[s->lcore];
	uint32_t seen = at_load_sc(&l->seq);

	at_store_sc(&l->armed, 1);
	if (!has_posts(s) && at_swap(&s->woken, 0) == 0)
		(void)futex_wait(&l->seq, seen, deadline_ns);
	at_store_sc(&l->armed, 0);
	at_store(&s->woken, 0); /* anything that arrives now is handled before the next sleep */
}

void pc_service_wake(struct pc_service *s)
{
	at_store_sc(&s->woken, 1);
	chan_wake_lcore(s->chan, s->lcore);
}

bool pc_service_is_used(const struct pc_service *s)
{
	return s->nb_used > 0;
}

/* Adds a socket to an event queue. Returns whether that has woken a waiter. */
static bool tell_queue(struct pc_service *s, uint32_t sock, uint32_t q)
{
	struct chan *c = s->chan;
	struct chan_sock *p = chan_sock(c, sock);
	struct chan_queue *queue = chan_queue(c, q);
	const uint64_t bit = UINT64_C(1) << (q % 64);
	uint32_t *words, armed;
	struct word_ring *r = chan_events(c, q, s->lcore, &words);

	if ((at_or(&p->queued[q / 64], bit) & bit) == 0 &&
	    !word_push(r, words, c->queue_words, sock))
		(void)at_and(&p->queued[q / 64], ~bit);
	armed = at_load_sc(&queue->armed);
	if (armed != CHAN_ALWAYS && !(armed == CHAN_ARMED && at_cas(&queue->armed, &armed, 0)))
		return false;
	host_wake(s->host, q);
	return armed == CHAN_ARMED;
}

/* EPOLLEXCLUSIVE, as on Linux: notifies the sets in turn; for input, up to the first with a
 * sleeping waiter. */
static void tell_one(struct pc_service *s, uint32_t sock, unsigned news)
{
	const struct chan_sock *p = chan_sock(s->chan, sock);

	for (uint32_t w = 0; w < CHAN_SUB_WORDS; w++)
		for (uint64_t left = at_load_sc(&p->subs[w]) & at_load(&p->lone[w]); left != 0;
		     left &= left - 1)
			if (tell_queue(s, sock, w * 64 + (uint32_t)__builtin_ctzll(left)) &&
			    news == NEWS_IN)
				return;
}

void service_notify(struct pc_service *s, uint32_t sock, unsigned news)
{
	struct chan *c = s->chan;
	const uint32_t to = service_sock(s, sock)->primary;
	struct chan_sock *p;

	if (news == 0)
		return;
	p = chan_sock(c, to);
	if (news & NEWS_IN)
		at_add(&p->ev_in, 1);
	if (news & NEWS_OUT)
		at_add(&p->ev_out, 1);
	if (news & NEWS_STATE)
		at_add(&p->ev_state, 1);
	at_add(&p->seq, 1);
	if (at_load_sc(&p->armed) != 0 && at_swap(&p->armed, 0) != 0)
		futex_wake(&p->seq, INT_MAX);
	for (uint32_t w = 0; w < CHAN_SUB_WORDS; w++)
		for (uint64_t left = at_load_sc(&p->subs[w]) & ~at_load(&p->lone[w]); left != 0;
		     left &= left - 1)
			(void)tell_queue(s, to, w * 64 + (uint32_t)__builtin_ctzll(left));
	tell_one(s, to, news);
}
