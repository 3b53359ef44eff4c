/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams between the fifos and the stack. In a fifo, each is a struct chan_dgram, its payload
 * and its ancillary data.
 */
#include "serve/service.h"

#include <errno.h>
#include <string.h>

/* A program that has chosen SO_RCVBUF does not find more than about so much, whatever the size of
 * the fifo: some want no old datagrams. */
static bool has_dgram_room(const struct service_sock *own, const struct fifo *rx)
{
	return fifo_room(rx) >= CHAN_DGRAM_MAX &&
	       (own->rx_most == 0 || fifo_pending(rx) < own->rx_most);
}

static bool want_dgram_room(struct chan_sock *c, const struct service_sock *own,
                            const struct fifo *rx)
{
	at_store_sc(&c->rx_want, 1);
	return has_dgram_room(own, rx);
}

void dgram_note_rcvbuf(struct pc_service *s, uint32_t sock)
{
	struct service_sock *own = service_sock(s, sock);
	socklen_t len = sizeof(int);
	int bytes;

	/* the stack's own queue holds the rest */
	if (pc_getsockopt(s->st, own->fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len) == 0)
		own->rx_most = (uint32_t)bytes / 2;
}

/* Receives a datagram into the fifo's free memory. Returns whether there was one. */
static bool receive_one(struct pc_service *s, int fd, const struct fifo *rx)
{
	struct chan_dgram d = {.len = 0};
	_Alignas(struct cmsghdr) uint8_t control[CHAN_CONTROL_MAX];
	struct iovec v[2];
	struct msghdr m = {.msg_iov = v,
	                   .msg_name = d.addr.sa,
	                   .msg_namelen = sizeof(d.addr.sa),
	                   .msg_control = control,
	                   .msg_controllen = sizeof(control)};
	ssize_t n;

	(void)fifo_write(rx, 0, &d, sizeof(d));
	m.msg_iovlen = (size_t)fifo_space(rx, sizeof(d), CHAN_PAYLOAD_MAX, v);
	n = pc_recvmsg(s->st, fd, &m, 0);
	/* no name: end of file after shutdown(); datagrams before and after it are still read */
	if (n < 0 || m.msg_namelen == 0)
		return false;
	d.len = (uint32_t)n;
	d.addr.len = m.msg_namelen;
	d.control_len = (uint16_t)m.msg_controllen;
	(void)fifo_write(rx, 0, &d, sizeof(d));
	if (d.control_len > 0)
		(void)fifo_write(rx, (uint32_t)sizeof(d) + chan_round(d.len), control,
		                 d.control_len);
	fifo_publish(rx, chan_dgram_bytes(d.len, d.control_len));
	return true;
}

unsigned dgram_receive(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	const struct service_sock *own = service_sock(s, sock);
	struct fifo rx = chan_rx(s->chan, sock);
	unsigned news = 0;

	for (;;) {
		if (!has_dgram_room(own, &rx)) {
			if (fifo_pending(&rx) > rx.size || !want_dgram_room(c, own, &rx))
				return news;
		} else if (receive_one(s, own->fd, &rx)) {
			news = NEWS_IN;
		} else {
			return news;
		}
	}
}

/* Sends the first datagram of the left bytes in the fifo. Returns its size there; 0: malformed. */
static uint32_t transmit_one(struct pc_service *s, uint32_t sock, const struct fifo *tx,
                             uint64_t left)
{
	struct service_sock *own = service_sock(s, sock);
	_Alignas(struct cmsghdr) uint8_t control[CHAN_CONTROL_MAX];
	struct chan_dgram d;
	struct iovec v[2];
	struct msghdr m = {.msg_iov = v};

	if (left > tx->size || fifo_read(tx, 0, &d, sizeof(d)) < sizeof(d))
		return 0;
	if (d.len > CHAN_PAYLOAD_MAX || d.control_len > sizeof(control) ||
	    d.addr.len > sizeof(d.addr.sa) || chan_dgram_bytes(d.len, d.control_len) > left)
		return 0;
	if (d.len > 0)
		m.msg_iovlen = (size_t)fifo_data(tx, sizeof(d), d.len, v);
	if (d.addr.len > 0) {
		m.msg_name = d.addr.sa;
		m.msg_namelen = d.addr.len;
	}
	if (d.control_len > 0) {
		m.msg_control = control;
		m.msg_controllen =
		    fifo_read(tx, (uint32_t)sizeof(d) + chan_round(d.len), control, d.control_len);
	}
	own->dgram_error =
	    pc_sendmsg(s->st, own->fd, &m, MSG_NOSIGNAL | (d.more ? MSG_MORE : 0)) < 0 ? errno : 0;
	return chan_dgram_bytes(d.len, d.control_len);
}

/* As on Linux, a sent datagram makes an edge, since its room is free again; a program may wait for
 * that before it sends the next. */
static bool wants_edges(struct pc_service *s, uint32_t sock)
{
	return at_load(&chan_sock(s->chan, service_sock(s, sock)->primary)->edges) != 0;
}

unsigned dgram_transmit(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	struct fifo tx = chan_tx(s->chan, sock);
	uint64_t left = fifo_used(&tx); /* read once: data added meanwhile has its own kick */
	const bool any = left > 0;

	while (left > 0) {
		uint32_t n = transmit_one(s, sock, &tx, left);

		/* malformed: discard everything */
		fifo_consume(&tx, n > 0 ? n : (uint32_t)left);
		if (n == 0)
			break;
		left -= n;
	}
	if (at_load_sc(&c->tx_want) == 0)
		return any && wants_edges(s, sock) ? NEWS_OUT : 0;
	(void)at_swap(&c->tx_want, 0);
	return NEWS_OUT;
}
