/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of a connection, between its fifos and the stack. */
#include "serve/service.h"

#include <errno.h>

/* Nothing more will come: the end, or an error that the client takes. */
static unsigned end_receive(struct chan_sock *c, int error)
{
	uint32_t flags = at_peek(&c->flags);

	if (error != 0) {
		at_store_sc(&c->error, error);
		flags |= CHAN_TX_SHUT | CHAN_HUP;
	}
	at_store(&c->flags, flags | CHAN_RX_END);
	return NEWS_IN | NEWS_STATE;
}

/* Asks for a kick when there is room. Returns whether there is some by now. */
static bool want_room(struct chan_sock *c, const struct fifo *rx)
{
	at_store_sc(&c->rx_want, 1);
	return at_load_sc(&rx->pos->tail) + rx->size != at_peek(&rx->pos->head);
}

unsigned stream_receive(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	struct fifo rx = chan_rx(s->chan, sock);
	int fd = service_sock(s, sock)->fd;
	unsigned news = 0;
	struct iovec v[2];

	if (at_peek(&c->flags) & CHAN_RX_END)
		return 0;
	for (;;) {
		int pieces = fifo_space(&rx, 0, UINT32_MAX, v);
		ssize_t n;

		if (pieces == 0) {
			if (fifo_pending(&rx) > rx.size || !want_room(c, &rx))
				return news;
			continue;
		}
		n = pc_readv(s->st, fd, v, pieces);
		if (n == 0)
			return news | end_receive(c, 0);
		if (n < 0)
			return errno == EAGAIN ? news : news | end_receive(c, errno);
		fifo_publish(&rx, (uint32_t)n);
		news = NEWS_IN;
	}
}

/* Room was made: the client that waits for it hears of it when a third is free, as on Linux. */
static unsigned tell_room(struct chan_sock *c, const struct fifo *tx)
{
	if (fifo_used(tx) > tx->size / 3 * 2 || at_load_sc(&c->tx_want) == 0)
		return 0;
	(void)at_swap(&c->tx_want, 0);
	return NEWS_OUT;
}

/* What can no longer be sent is dropped. */
static unsigned end_transmit(struct chan_sock *c, const struct fifo *tx)
{
	at_store(&c->flags, at_peek(&c->flags) | CHAN_TX_SHUT);
	fifo_consume(tx, (uint32_t)fifo_used(tx));
	return NEWS_STATE;
}

unsigned stream_transmit(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	struct service_sock *own = service_sock(s, sock);
	struct fifo tx = chan_tx(s->chan, sock);
	unsigned news = 0;
	struct iovec v[2];
	int pieces;

	while ((pieces = fifo_data(&tx, 0, UINT32_MAX, v)) > 0) {
		struct msghdr m = {.msg_iov = v, .msg_iovlen = (size_t)pieces};
		bool more = at_load(&c->tx_more) == at_load(&tx.pos->head);
		ssize_t n = pc_sendmsg(s->st, own->fd, &m, MSG_NOSIGNAL | (more ? MSG_MORE : 0));

		if (n < 0 && errno != EAGAIN && errno != ENOBUFS)
			news |= end_transmit(c, &tx);
		if (n <= 0)
			break;
		fifo_consume(&tx, (uint32_t)n);
	}
	if (pieces == 0 && own->shutting) {
		own->shutting = false;
		(void)pc_shutdown(s->st, own->fd, SHUT_WR);
	}
	return news | tell_room(c, &tx);
}
