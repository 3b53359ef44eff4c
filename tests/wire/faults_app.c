/* SPDX-License-Identifier: BSD-2-Clause */
/* The applications of wire/faults: both write what the plan says and read what the other writes. */

#include "faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <rte_mbuf.h>

uint8_t pattern(uint32_t n)
{
	return (uint8_t)(n * 31 + (n >> 8) * 7 + 3);
}

static bool reads(const struct world *w, int side)
{
	return side == w->plan->subject || w->now >= BEGIN + w->plan->pause_ms * (SECOND / 1000);
}

static void finish(struct world *w, int side, struct end *e)
{
	if (pc_close(w->st[side], e->fd) != 0)
		wrong(w, "close: %s", strerror(errno));
	e->fd = 0;
	e->closed = true;
	w->progress = true;
}

static void receive(struct world *w, int side, struct end *e)
{
	uint8_t buf[4000];
	ssize_t n;

	while (e->readable && !e->ended) {
		n = pc_recv(w->st[side], e->fd, buf, sizeof(buf), 0);
		if (n < 0 && errno == EAGAIN) {
			e->readable = false;
		} else if (n < 0) {
			wrong(w, "recv: %s", strerror(errno));
			return;
		} else {
			w->progress = true;
			e->ended = n == 0;
		}
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != pattern(e->rcvd + (uint32_t)i)) {
				wrong(w, "byte %u is wrong", e->rcvd + (uint32_t)i);
				return;
			}
		e->rcvd += n > 0 ? (uint32_t)n : 0;
	}
}

/* a chain of up to two mbufs of the subject's own pool; NULL: that fails, too */
static struct rte_mbuf *chain_of(uint32_t from, uint32_t len)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(subject_pool), *tail;
	uint32_t first = len > 1000 ? 1000 : len;
	uint8_t *p;

	if (head == NULL)
		return NULL;
	p = (uint8_t *)rte_pktmbuf_append(head, (uint16_t)first);
	for (uint32_t i = 0; i < first; i++)
		p[i] = pattern(from + i);
	if (first == len)
		return head;
	tail = rte_pktmbuf_alloc(subject_pool);
	if (tail == NULL) {
		rte_pktmbuf_free(head);
		return NULL;
	}
	p = (uint8_t *)rte_pktmbuf_append(tail, (uint16_t)(len - first));
	for (uint32_t i = first; i < len; i++)
		p[i - first] = pattern(from + i);
	rte_pktmbuf_chain(head, tail);
	return head;
}

static ssize_t send_some(struct world *w, int side, struct end *e, uint32_t len)
{
	uint8_t buf[3000];
	struct rte_mbuf *m;

	if (side == w->plan->subject && w->plan->zero_copy) {
		len = RTE_MIN(len, 2500u);
		m = chain_of(e->sent, len);
		if (m == NULL) {
			errno = 0; /* it tries again in the next turn */
			return -1;
		}
		if (pc_send_mbuf(w->st[side], e->fd, m, NULL) == 0)
			return len;
		rte_pktmbuf_free(m);
		return -1;
	}
	len = RTE_MIN(len, (uint32_t)sizeof(buf));
	for (uint32_t i = 0; i < len; i++)
		buf[i] = pattern(e->sent + i);
	return pc_send(w->st[side], e->fd, buf, len, 0);
}

static void transmit(struct world *w, int side, struct end *e)
{
	while (e->writable && e->sent < w->plan->bytes[side]) {
		ssize_t n = send_some(w, side, e, w->plan->bytes[side] - e->sent);

		if (n < 0 && errno == 0)
			return;
		if (n < 0 && errno == EAGAIN) {
			e->writable = false;
			return;
		}
		if (n < 0) {
			wrong(w, "send: %s", strerror(errno));
			return;
		}
		e->sent += (uint32_t)n;
		w->progress = true;
	}
	if (e->sent == w->plan->bytes[side] && e->writable && !e->shut) {
		pc_shutdown(w->st[side], e->fd, SHUT_WR);
		e->shut = true;
		w->progress = true;
	}
}

static void connect_one(struct world *w, uint32_t i)
{
	struct end *e = &w->end[CLIENT][i];
	struct sockaddr_storage a;
	socklen_t len = address(w, SERVER, 80, &a);
	ssize_t rc;

	e->fd = pc_socket(w->st[CLIENT], a.ss_family, SOCK_STREAM, 0);
	if (e->fd < 0) {
		if (!is_failing() && errno != ENFILE)
			wrong(w, "socket: %s", strerror(errno));
		e->fd = 0; /* in the next turn, then */
		return;
	}
	if (w->plan->rcvbuf != 0 && w->plan->subject == SERVER)
		pc_setsockopt(w->st[CLIENT], e->fd, SOL_SOCKET, SO_RCVBUF, &w->plan->rcvbuf,
		              sizeof(int));
	watch(w, CLIENT, e->fd, i);
	if (w->plan->fast_open) {
		uint8_t hello[1] = {pattern(0)};

		rc = pc_sendto(w->st[CLIENT], e->fd, hello, 1, MSG_FASTOPEN, (struct sockaddr *)&a,
		               len);
		if (rc > 0)
			e->sent = (uint32_t)rc;
	} else {
		rc = pc_connect(w->st[CLIENT], e->fd, (struct sockaddr *)&a, len);
	}
	if (rc < 0 &&
	    errno == EADDRNOTAVAIL) { /* it has stood still: its address is not checked yet */
		pc_close(w->st[CLIENT], e->fd);
		e->fd = 0;
		return;
	}
	if (rc < 0 && errno != EINPROGRESS) {
		wrong(w, "connect: %s", strerror(errno));
		return;
	}
	w->progress = true;
}

static void accept_all(struct world *w)
{
	int fd;

	while ((fd = pc_accept(w->st[SERVER], w->lfd, NULL, NULL)) >= 0) {
		if (w->accepted == w->plan->conns) {
			wrong(w, "a connection too many");
			return;
		}
		w->end[SERVER][w->accepted].fd = fd;
		watch(w, SERVER, fd, w->accepted++);
		w->progress = true;
	}
}

static void take_events(struct world *w, int side)
{
	struct epoll_event ev[8];
	int n;

	while ((n = pc_epoll_wait(w->st[side], w->ep[side], ev, 8)) > 0)
		for (int i = 0; i < n; i++) {
			struct end *e = &w->end[side][ev[i].data.u32 % CONNS];

			if (ev[i].data.u32 == CONNS) {
				accept_all(w);
				continue;
			}
			e->readable |= (ev[i].events & ~(uint32_t)EPOLLOUT) != 0;
			e->writable |= (ev[i].events & EPOLLOUT) != 0;
		}
}

static bool may_connect(const struct world *w, uint32_t i)
{
	if (!w->listens)
		return false;
	if (w->plan->ip6 && w->now < BEGIN + 10 * SECOND) /* its own address may not be used yet */
		return false;
	/* with Fast Open the first one fetches the cookie */
	return i == 0 || !w->plan->fast_open || w->end[CLIENT][0].closed;
}

void app_turn(struct world *w, int side)
{
	take_events(w, side);
	for (uint32_t i = 0; i < w->plan->conns; i++) {
		struct end *e = &w->end[side][i];

		if (side == CLIENT && e->fd == 0 && !e->closed && may_connect(w, i))
			connect_one(w, i);
		if (e->fd == 0 || e->closed)
			continue;
		if (reads(w, side))
			receive(w, side, e);
		transmit(w, side, e);
		if (e->shut && e->ended)
			finish(w, side, e);
	}
}
