/* SPDX-License-Identifier: BSD-2-Clause */
/* Closing sockets that have lost their last holder, and cleaning up after dead processes. */
#include "serve/service.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#define SWEEP_NS  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define LOOK_AT   64 /* sockets per turn */

bool service_is_held(struct pc_service *s, uint32_t sock)
{
	const struct chan_sock *c = chan_sock(s->chan, sock);
	uint64_t any = at_load_sc(&c->holders[0]) & CHAN_QUEUED;

	if (service_sock(s, sock)->from == CHAN_NONE)
		any = 0; /* it was never in an accept queue, whatever a client has written */

	for (uint32_t w = 0; w < CHAN_PROC_WORDS; w++)
		any |= at_load_sc(&c->holders[w]) & at_load(&s->host->live[w]);
	return any != 0;
}

void service_drop(struct pc_service *s, uint32_t sock)
{
	const struct linger l = {.l_onoff = 1};
	int fd = service_sock(s, sock)->fd;

	if (chan_sock(s->chan, sock)->type == CHAN_STREAM)
		(void)pc_setsockopt(s->st, fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	(void)pc_close(s->st, fd);
	service_release(s, sock);
}

/* As on Linux, closing a listener resets the connections that have not been accepted. */
static void drop_unaccepted(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	uint32_t n, *words = chan_accept_words(s->chan, sock, &n), one;

	for (uint32_t i = 0; i < n && word_pop(&c->accepted, words, n, &one); i++)
		if (service_owns(s, one) && service_sock(s, one)->from == sock &&
		    at_and(&chan_sock(s->chan, one)->holders[0], ~CHAN_QUEUED) == CHAN_QUEUED)
			service_drop(s, one);
}

void service_renew(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	struct service_sock *own = service_sock(s, sock);
	struct fifo tx = chan_tx(s->chan, sock);

	if (c->state == CHAN_LISTEN) {
		drop_unaccepted(s, sock);
		memset(&c->accepted, 0, sizeof(c->accepted));
	} else {
		fifo_consume(&tx, (uint32_t)fifo_used(&tx));
	}
	own->shutting = false;
	at_store(&c->local.len, 0);
	at_store(&c->peer.len, 0);
	at_store(&c->rx_mark, 0);
	at_store(&c->urgent, 0);
	at_store(&c->tx_more, 0);
	at_store(&c->tx_urgent, 0);
	at_store(&c->connecting, 0);
	at_store(&c->flags, CHAN_HUP | (own->bound ? (uint32_t)CHAN_BOUND : 0));
	at_store(&c->state, CHAN_IDLE);
}

/* A socket's last bytes wait for room in the stack; service_give_way checks their progress. */
static void begin_closing(struct pc_service *s, struct service_sock *own)
{
	if (own->closing)
		return;
	own->closing = true;
	own->moved_ns = s->now_ns;
	s->nb_closing++;
}

/* How far the peer has acknowledged what was written. What the stack accepts is no measure of
 * progress: it accepts more only when a good part of the send buffer is free, and when mbufs run
 * short the buffer can become smaller than its contents. */
static uint64_t acknowledged(struct pc_service *s, uint32_t sock)
{
	const struct fifo tx = chan_tx(s->chan, sock);
	int left = 0;

	(void)pc_ioctl(s->st, service_sock(s, sock)->fd, SIOCOUTQ, &left);
	return at_load(&tx.pos->tail) - (uint32_t)left;
}

static void note_move(struct pc_service *s, uint32_t sock)
{
	struct service_sock *own = service_sock(s, sock);
	const uint64_t to = acknowledged(s, sock);

	if (own->moved_to == to)
		return;
	own->moved_to = to;
	own->moved_ns = s->now_ns;
}

void service_close(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	struct service_sock *own = service_sock(s, sock);
	struct fifo rx = chan_rx(s->chan, sock), tx = chan_tx(s->chan, sock);
	bool reset = at_load(&c->linger) && at_load(&c->linger_s) == 0;

	if (c->state == CHAN_LISTEN) {
		drop_unaccepted(s, sock);
	} else if (c->type == CHAN_STREAM && c->state == CHAN_CONNECTED) {
		/* RFC 2525 section 2.17: unread data makes it a reset, sent after what was
		 * written */
		if (reset || (!own->closing && at_load(&rx.pos->head) != at_load(&rx.pos->tail))) {
			(void)stream_transmit(s, sock);
			service_drop(s, sock);
			return;
		}
		begin_closing(s, own);
		(void)stream_transmit(s, sock);
		note_move(s, sock);
		if (fifo_used(&tx) > 0 && fifo_used(&tx) <= tx.size &&
		    !(at_peek(&c->flags) & CHAN_HUP))
			return; /* an event follows when the stack has room */
	} else if (c->type == CHAN_DGRAM) {
		(void)dgram_transmit(s, sock);
	}
	(void)pc_close(s->st, own->fd);
	service_release(s, sock);
}

/* On Linux, a peer that stops reading ties up memory, but no descriptor of a program that has
 * closed the connection; here it would tie up a socket of the service. */
void service_give_way(struct pc_service *s)
{
	const uint64_t patience = pc_stack_get_config(s->st)->tcp_stalled_ms * NS_PER_MS;

	for (unsigned n = 0; n < LOOK_AT && s->free == CHAN_NONE && patience != 0; n++) {
		const uint32_t sock = s->first + s->hand++ % s->chan->socks_per_lcore;
		const struct service_sock *own = service_sock(s, sock);

		if (!own->closing || s->now_ns - own->moved_ns < patience)
			continue;
		note_move(s, sock);
		if (s->now_ns - own->moved_ns >= patience)
			service_drop(s, sock);
	}
}

/* ---- dead processes -------------------------------------------------------------------------- */

static void queues_of(const struct pc_host *h, uint32_t proc, uint64_t mask[CHAN_SUB_WORDS])
{
	for (uint32_t q = 0; q < CHAN_QUEUES; q++)
		if (at_load(&h->queue_owner[q]) == proc)
			mask[q / 64] |= UINT64_C(1) << (q % 64);
}

void service_bury(struct pc_service *s, uint32_t proc)
{
	struct chan *c = s->chan;
	uint64_t queues[CHAN_SUB_WORDS] = {0}, bit = UINT64_C(1) << (proc % 64);
	uint32_t value;

	queues_of(s->host, proc, queues);
	/* its posts are discarded; every socket that it held or kicked is looked at below, since
	 * its last act may have been to close one, or to write to one that others hold */
	for (uint32_t i = 0; i < c->post_cells; i++)
		if (!post_pop(chan_post(c, proc, s->lcore), c->post_cells, &s->post_tail[proc],
		              &value))
			break;
	post_init(chan_post(c, proc, s->lcore), c->post_cells);
	s->post_tail[proc] = 0;
	for (uint32_t i = s->first; i < s->first + c->socks_per_lcore; i++) {
		struct chan_sock *k = chan_sock(c, i);
		bool kicked;

		if (!service_owns(s, i))
			continue;
		kicked = at_swap(&k->kicked, 0) != 0;
		for (uint32_t w = 0; w < CHAN_SUB_WORDS; w++)
			(void)at_and(&k->subs[w], ~queues[w]),
			    (void)at_and(&k->lone[w], ~queues[w]);
		lock_break(&k->rx_lock, proc);
		lock_break(&k->tx_lock, proc);
		if ((at_and(&k->holders[proc / 64], ~bit) & bit) != 0 || kicked)
			service_look(s, i);
	}
	s->sweep_ns = 1; /* sweep in the next turn */
}

/* ---- connections lost from an accept queue --------------------------------------------------- */

static void mark_queued(struct pc_service *s, uint32_t listener)
{
	struct chan_sock *c = chan_sock(s->chan, listener);
	uint32_t n, *words = chan_accept_words(s->chan, listener, &n);
	uint64_t at = at_load(&c->accepted.tail), end = at_load(&c->accepted.head);

	for (; at != end && end - at <= n; at++) {
		uint32_t one = at_peek(&words[at & (n - 1)]);

		if (service_owns(s, one) && service_sock(s, one)->from == listener)
			service_sock(s, one)->in_queue = true;
	}
}

/* Returns whether a socket has become suspect, so that another sweep is needed. */
static bool sweep_one(struct pc_service *s, uint32_t sock)
{
	struct service_sock *own = service_sock(s, sock);
	struct chan_sock *c = chan_sock(s->chan, sock);
	uint64_t expected = CHAN_QUEUED;

	if (own->in_queue || at_load(&c->holders[0]) != CHAN_QUEUED) {
		own->suspect = false;
		if (!service_is_held(s, sock))
			/* its last holder has entered a process that does not exist */
			service_look(s, sock);
		return false;
	}
	if (own->suspect && at_cas(&c->holders[0], &expected, 0)) {
		service_drop(s, sock);
		return false;
	}
	own->suspect = true;
	return true;
}

/*
 * A process may die between taking a connection from an accept queue and holding it.  Such a
 * connection has the queue's hold, but is in no queue.  One found so in two sweeps, a second apart,
 * is dropped.
 */
void service_sweep(struct pc_service *s, uint64_t now_ns)
{
	const uint32_t end = s->first + s->chan->socks_per_lcore;
	bool again = false;

	if (now_ns < s->sweep_ns)
		return;
	for (uint32_t i = s->first; i < end; i++)
		service_sock(s, i)->in_queue = false;
	for (uint32_t i = s->first; i < end; i++)
		if (service_owns(s, i) && chan_sock(s->chan, i)->state == CHAN_LISTEN)
			mark_queued(s, i);
	for (uint32_t i = s->first; i < end; i++)
		if (service_owns(s, i) && sweep_one(s, i))
			again = true;
	s->sweep_ns = again ? now_ns + SWEEP_NS : 0;
}
