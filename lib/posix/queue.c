/* SPDX-License-Identifier: BSD-2-Clause */
/* Event queues of this process, and requests to the host. */
#include "posix/epset.h"

#include "chan/control.h"

int64_t control_ask(uint32_t op, uint32_t arg, int *fd)
{
	const struct control_request r = {.op = op, .arg = arg};
	struct control_answer a;
	sigset_t all, old;
	int rc;

	/* a signal handler may fork, and send a request of its own */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	pthread_mutex_lock(&client.control_lock);
	rc = control_send(client.control, &r, sizeof(r), -1);
	/* a host that refuses us has sent the reason, and reads no more */
	if ((rc == 0 || rc == -EPIPE) && fd != NULL)
		rc = control_recv(client.control, &a, sizeof(a), fd);
	pthread_mutex_unlock(&client.control_lock);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0 || fd == NULL)
		return rc;
	return a.error != 0 ? -a.error : (int64_t)a.value;
}

static inline uint64_t bit_of(const struct queue *q)
{
	return UINT64_C(1) << (q->index % 64);
}

void queue_open(struct queue *q)
{
	int64_t index = client_is_down() ? -ENETDOWN : control_ask(CONTROL_QUEUE, 0, &q->fd);
	uint32_t sock;

	q->index = CHAN_NONE;
	if (index < 0 || index >= CHAN_QUEUES) {
		q->fd = -1;
		return;
	}
	if (q->fd < 0) { /* this process has no descriptor left for the pipe */
		(void)control_ask(CONTROL_QUEUE_FREE, (uint32_t)index, NULL);
		return;
	}
	q->index = (uint32_t)index;
	q->fd = fd_hide(q->fd);
	/* drop events meant for its previous owner */
	while (queue_pop(q, &sock))
		continue;
	queue_clear(q);
}

void queue_close(struct queue *q)
{
	if (q->index == CHAN_NONE)
		return;
	fd_close_hidden(q->fd);
	if (!client_is_down())
		(void)control_ask(CONTROL_QUEUE_FREE, q->index, NULL);
	q->index = CHAN_NONE;
	q->fd = -1;
}

bool queue_pop(const struct queue *q, uint32_t *sock)
{
	struct chan *c = client.chan;

	if (q->index == CHAN_NONE)
		return false;
	for (uint32_t l = 0; l < c->nb_lcores; l++) {
		uint32_t *words;
		struct word_ring *r = chan_events(c, q->index, l, &words);

		if (!word_pop(r, words, c->queue_words, sock) || *sock >= c->nb_socks)
			continue;
		(void)at_and(&chan_sock(c, *sock)->queued[q->index / 64], ~bit_of(q));
		return true;
	}
	return false;
}

void queue_signal(const struct queue *q)
{
	if (q->fd >= 0)
		(void)!sys(write, q->fd, "", 1);
}

void queue_arm(const struct queue *q, uint32_t how)
{
	struct chan_queue *c;
	uint32_t found = 0;

	if (q->index == CHAN_NONE)
		return;
	c = chan_queue(client.chan, q->index);
	if (how == CHAN_ALWAYS)
		at_store_sc(&c->armed, CHAN_ALWAYS);
	else
		(void)at_cas(&c->armed, &found, how);
}

void queue_disarm(const struct queue *q)
{
	uint32_t found = CHAN_ARMED;

	if (q->index != CHAN_NONE)
		(void)at_cas(&chan_queue(client.chan, q->index)->armed, &found, 0);
}

void queue_clear(const struct queue *q)
{
	char bytes[256];

	while (q->fd >= 0 && sys(read, q->fd, bytes, sizeof(bytes)) == (long)sizeof(bytes))
		continue;
}

void queue_watch(const struct queue *q, uint32_t sock, bool alone)
{
	struct chan_sock *s = chan_sock(client.chan, sock);

	if (q->index == CHAN_NONE)
		return;
	if (alone)
		(void)at_or(&s->lone[q->index / 64], bit_of(q));
	else
		(void)at_and(&s->lone[q->index / 64], ~bit_of(q));
	if (at_load(&s->subs[q->index / 64]) & bit_of(q))
		return;
	/* left set if a previous owner died between the two steps of queue_pop */
	(void)at_and(&s->queued[q->index / 64], ~bit_of(q));
	(void)at_or(&s->subs[q->index / 64], bit_of(q));
}

void queue_unwatch(const struct queue *q, uint32_t sock)
{
	struct chan_sock *s = chan_sock(client.chan, sock);

	if (q->index == CHAN_NONE)
		return;
	(void)at_and(&s->subs[q->index / 64], ~bit_of(q));
	(void)at_and(&s->lone[q->index / 64], ~bit_of(q));
}

void queues_wake(void)
{
	for (uint32_t fd = 0; fd < client.end_fds; fd++) {
		struct file *f = file_get((int)fd);

		if (f != NULL && f->kind == PCX_EPOLL)
			queue_signal(&f->set->queue);
		if (f != NULL)
			file_put(f);
	}
	poll_queues_wake();
}
