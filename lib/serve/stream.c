/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves the bytes of a connection between its fifos and the stack. */
#include "serve/service.h"

#include <errno.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

/* Nothing more will arrive: end of stream, or an error for the client to take. */
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

/* Asks for a kick when there is room. Returns whether there is some already. */
static bool want_stream_room(struct chan_sock *c, const struct fifo *rx)
{
	at_store_sc(&c->rx_want, 1);
	return at_load_sc(&rx->pos->tail) + rx->size != at_peek(&rx->pos->head);
}

/* ---- urgent bytes -------------------------------------------------------------------------------
 * The stack's sockets keep them in line (SO_OOBINLINE), so that every byte goes through the fifo;
 * the client decides what is out of band as it reads.  It is given the byte as soon as the stack
 * has it, which may be long before the fifo has room for it, and its position once all data before
 * it is in the fifo. */

/* As on Linux, a new mark replaces one that has not been reached, whose byte becomes ordinary data;
 * but a reader that is right in front of it skips it. */
static void replace_mark(struct chan_sock *c, const struct fifo *rx)
{
	const uint64_t tail = at_load(&rx->pos->tail), end = at_peek(&c->rx_hole_end);
	const uint64_t mark = at_peek(&c->rx_mark), at = tail < end ? end : tail;

	if (mark == at + 1 && at < at_peek(&rx->pos->head) &&
	    !(at_load(&c->tells) & CHAN_TELL_INLINE)) {
		if (at == tail)
			at_store(&c->rx_hole, tail);
		at_store(&c->rx_hole_end, mark);
	}
	at_store(&c->rx_mark, 0);
}

static void set_inline(struct pc_service *s, int fd, int on)
{
	(void)pc_setsockopt(s->st, fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
}

unsigned stream_urgent(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	const struct fifo rx = chan_rx(s->chan, sock);
	const uint32_t before = at_load(&c->urgent);
	const int fd = service_sock(s, sock)->fd;
	uint8_t byte;
	ssize_t n;

	set_inline(s, fd, 0);
	n = pc_recv(s->st, fd, &byte, 1, MSG_OOB);
	set_inline(s, fd, 1);
	if (n != 1)
		return 0;
	replace_mark(c, &rx);
	at_store(&c->urgent,
	         ((before & ~(CHAN_URGENT_ONE - 1)) + CHAN_URGENT_ONE) | CHAN_URGENT_HERE | byte);
	return NEWS_STATE;
}

/* If all data before a mark is in the fifo, the byte that follows is the urgent one. */
static void note_mark(struct pc_service *s, uint32_t sock, const struct fifo *rx)
{
	int at = 0;

	if (pc_ioctl(s->st, service_sock(s, sock)->fd, SIOCATMARK, &at) == 0 && at)
		at_store(&chan_sock(s->chan, sock)->rx_mark, at_peek(&rx->pos->head) + 1);
}

static ssize_t receive_into(struct pc_service *s, int fd, const struct iovec *v, int pieces)
{
	return pieces == 1 ? pc_recv(s->st, fd, v[0].iov_base, v[0].iov_len, 0)
	                   : pc_readv(s->st, fd, v, pieces);
}

/* Neither data nor an end. */
static bool has_nothing(uint32_t mask)
{
	return (mask & (EPOLLIN | EPOLLPRI | STREAM_ENDS)) == 0;
}

unsigned stream_receive(struct pc_service *s, uint32_t sock, uint32_t mask)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	struct fifo rx = chan_rx(s->chan, sock);
	int fd = service_sock(s, sock)->fd;
	unsigned news = 0;
	struct iovec v[2];

	if (has_nothing(mask) || (at_peek(&c->flags) & CHAN_RX_END))
		return 0;
	for (;;) {
		int pieces = fifo_space(&rx, 0, UINT32_MAX, v);
		ssize_t n;

		if (pieces == 0) {
			if (fifo_pending(&rx) > rx.size || !want_stream_room(c, &rx))
				return news;
			continue;
		}
		if (mask & EPOLLPRI)
			note_mark(s, sock, &rx);
		n = receive_into(s, fd, v, pieces);
		if (n == 0) /* as on Linux, what comes after SHUT_RD can still be read */
			return at_peek(&c->flags) & CHAN_RX_SHUT ? news : news | end_receive(c, 0);
		if (n < 0)
			return errno == EAGAIN ? news : news | end_receive(c, errno);
		fifo_publish(&rx, (uint32_t)n);
		news = NEWS_IN;
		/* that was all the data, and neither an end nor a mark follows */
		if ((size_t)n < v[0].iov_len && has_nothing(mask & ~(uint32_t)EPOLLIN))
			return news;
	}
}

/* Notifies a client that waits for room when a third of the fifo is free, as on Linux. */
static unsigned tell_room(struct chan_sock *c, const struct fifo *tx)
{
	if (fifo_used(tx) > tx->size / 3 * 2 || at_load_sc(&c->tx_want) == 0)
		return 0;
	(void)at_swap(&c->tx_want, 0);
	return NEWS_OUT;
}

/* Drops what can no longer be sent. */
static unsigned end_transmit(struct chan_sock *c, const struct fifo *tx)
{
	at_store(&c->flags, at_peek(&c->flags) | CHAN_TX_SHUT);
	fifo_consume(tx, (uint32_t)fifo_used(tx));
	return NEWS_STATE;
}

/* The bytes to send in one call: all there are, except that an urgent byte is sent on its own,
 * since the stack may take only part of a longer write, and the data before it is sent with
 * MSG_MORE. */
static int next_bytes(const struct chan_sock *c, const struct fifo *tx, struct iovec v[2],
                      int *flags)
{
	const int pieces = fifo_data(tx, 0, UINT32_MAX, v);
	/* the client writes it before it publishes the bytes */
	const uint64_t ahead = at_load(&c->tx_urgent) - at_peek(&tx->pos->tail);
	const bool is_mark = ahead == 1, has_mark = ahead > 1 && ahead <= tx->size;

	*flags = MSG_NOSIGNAL | (is_mark ? MSG_OOB : 0);
	if (has_mark || (!is_mark && at_load(&c->tx_more) == at_load(&tx->pos->head)))
		*flags |= MSG_MORE;
	if (pieces == 0 || !(is_mark || has_mark))
		return pieces;
	return fifo_data(tx, 0, is_mark ? 1 : (uint32_t)ahead - 1, v);
}

unsigned stream_transmit(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	struct service_sock *own = service_sock(s, sock);
	struct fifo tx = chan_tx(s->chan, sock);
	unsigned news = 0;
	struct iovec v[2];
	int pieces, flags;

	while ((pieces = next_bytes(c, &tx, v, &flags)) > 0) {
		struct msghdr m = {.msg_iov = v, .msg_iovlen = (size_t)pieces};
		ssize_t n = pc_sendmsg(s->st, own->fd, &m, flags);

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
