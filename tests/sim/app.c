/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <errno.h>
#include <string.h>

#include <arpa/inet.h>
#include <rte_mbuf.h>

/*
 * Overview: the applications. Both ends of a connection write a stream of known bytes, read the
 * other's and compare it, each with chunk sizes, pauses and calls drawn at random. An end that has
 * read and written everything closes. A few connections are aborted half-way instead.
 */

uint8_t sim_byte(uint32_t conn, int dir, uint32_t n)
{
	uint32_t x = n * 2654435761u + conn * 40503u + (uint32_t)dir * 97u;

	return (uint8_t)(x >> 16 ^ x >> 24 ^ n);
}

static uint32_t some_total(struct sim *s)
{
	switch (sim_rnd(s, 0, 9)) {
	case 0:
		return 0;
	case 1:
	case 2:
		return (uint32_t)sim_rnd(s, 1, 100);
	case 3:
	case 4:
	case 5:
	case 6:
		return (uint32_t)sim_rnd(s, 100, 10000);
	default:
		return (uint32_t)sim_rnd(s, 10000, sim_chance(s, 5) ? 400000 : 40000);
	}
}

static uint32_t some_chunk(struct sim *s, uint32_t total)
{
	uint64_t small = total > 20000 ? total / 100 : 1; /* limits the number of steps */

	return (uint32_t)(sim_chance(s, 20) ? sim_rnd(s, small, RTE_MAX(small, 300u))
	                                    : sim_rnd(s, 300, 65536));
}

static void plan_end(struct sim *s, struct end *e, uint32_t reads, uint32_t writes)
{
	e->edge = sim_chance(s, 50);
	e->read_max = some_chunk(s, reads);
	e->write_max = some_chunk(s, writes);
	e->read_pause_ms = sim_chance(s, 25) ? (uint32_t)sim_rnd(s, 1, 400) : 0;
	e->write_pause_ms = sim_chance(s, 25) ? (uint32_t)sim_rnd(s, 1, 400) : 0;
	if (e->read_max < 300) /* reading in small pieces is slow enough */
		e->read_pause_ms %= 4;
	if (e->write_max < 300)
		e->write_pause_ms %= 4;
}

void app_plan(struct sim *s)
{
	s->nb_conns = (unsigned)sim_rnd(s, 1, sim_chance(s, 5) ? SIM_CONNS : 3);
	for (unsigned i = 0; i < s->nb_conns; i++) {
		struct conn *c = &s->conn[i];

		c->id = i;
		c->client = s->node[SECOND].exists && sim_chance(s, 50) ? SECOND : CLIENT;
		c->start_at = s->now + sim_rnd(s, 0, 2000) * 1000000;
		c->abort_at = UINT64_MAX;
		for (int side = 0; side < 2; side++)
			c->out[side].total = some_total(s);
		for (int side = 0; side < 2; side++)
			plan_end(s, &c->end[side], c->out[!side].total, c->out[side].total);
		if (sim_chance(s, 5)) {
			c->abort_at = c->start_at + sim_rnd(s, 0, 3000) * 1000000;
			c->abort_by = (int)sim_rnd(s, 0, 1);
		}
	}
}

static bool watch(struct sim *s, int side, struct conn *c)
{
	struct end *e = &c->end[side];
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP, .data.u32 = c->id};
	struct node *node = sim_node(s, c, side);

	if (e->edge)
		ev.events |= EPOLLET;
	if (pc_epoll_ctl(node->st, node->ep, EPOLL_CTL_ADD, e->fd, &ev) != 0)
		return sim_fail(s, "connection %u: EPOLL_CTL_ADD: %s", c->id, strerror(errno));
	return true;
}

/* Fast Open: the first bytes are sent with the SYN, if a cookie is known; otherwise the client asks
 * for one, or this is an ordinary connect(). Returns whether the attempt has begun. */
static bool begin(struct sim *s, struct conn *c, const struct sockaddr_in *to)
{
	struct pc_stack *st = s->node[c->client].st;
	uint8_t buf[1200];
	uint32_t len =
	    (uint32_t)sim_rnd(s, 0, RTE_MIN(c->out[CLIENT].total, (uint32_t)sizeof(buf)));
	ssize_t n;

	if (s->node[c->client].cfg.tcp_fastopen == 0 || sim_chance(s, 20))
		return pc_connect(st, c->end[CLIENT].fd, (const struct sockaddr *)to,
		                  sizeof(*to)) != 0 &&
		       errno == EINPROGRESS;
	for (uint32_t i = 0; i < len; i++)
		buf[i] = sim_byte(c->id, CLIENT, i);
	n = pc_sendto(st, c->end[CLIENT].fd, buf, len, MSG_FASTOPEN, (const struct sockaddr *)to,
	              sizeof(*to));
	if (n > 0)
		c->early = c->out[CLIENT].sent = (uint32_t)n;
	return n > 0 || (n < 0 && errno == EINPROGRESS);
}

static void start(struct sim *s, struct conn *c)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)}, me;
	socklen_t len = sizeof(me);
	struct end *e = &c->end[CLIENT];
	struct pc_stack *st = s->node[c->client].st;

	to.sin_addr.s_addr = inet_addr(c->client == CLIENT ? "10.0.0.2" : "10.0.1.2");
	c->started = true;
	e->fd = pc_socket(st, AF_INET, SOCK_STREAM, 0);
	if (e->fd < 0) {
		sim_fail(s, "connection %u: pc_socket: %s", c->id, strerror(errno));
		return;
	}
	if (!begin(s, c, &to))
		sim_fail(s, "connection %u: pc_connect: %s", c->id, strerror(errno));
	pc_getsockname(st, e->fd, (struct sockaddr *)&me, &len);
	c->port = ntohs(me.sin_port);
	if (sim_chance(s, 30))
		pc_setsockopt(st, e->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	watch(s, CLIENT, c);
}

/* RFC 4987 section 3.6: the SYN-ACK of a cookie is not retransmitted, and the cookie expires. If
 * the ACK that completes the handshake is lost, and the next segment to arrive is not the first
 * one, or is late, it is refused; and if an old one arrives again, it reopens a connection that was
 * over: the price of cookies. */
static bool has_cookies(const struct sim *s)
{
	const struct pc_stack *server = s->node[SERVER].st;

	return server != NULL && pc_stack_counters(server)->value[PC_TCP_COOKIES_SENT] > 0;
}

/* RFC 7413 section 6.1: if a SYN with data is duplicated, and arrives again after its connection
 * has ended, it opens another one, and the data is delivered twice: the price of Fast Open. */
static bool has_fast_opens(const struct sim *s)
{
	const struct pc_stack *server = s->node[SERVER].st;

	return server != NULL && pc_stack_counters(server)->value[PC_TCP_FASTOPEN_PASSIVE] > 0;
}

/* Returns the connection that a client has opened from a port and that the server has not accepted
 * yet; ports may be reused. NULL: it has been aborted meanwhile, or there is none. */
static struct conn *find_opened(struct sim *s, int client, uint16_t port)
{
	bool aborted = false;

	for (unsigned i = 0; i < s->nb_conns; i++) {
		struct conn *c = &s->conn[i];

		if (!c->started || c->client != client || c->port != port)
			continue;
		if (c->end[SERVER].fd == 0 && !c->end[SERVER].closed)
			return c;
		aborted |= c->aborted;
	}
	if (!aborted && !has_cookies(s) && !has_fast_opens(s))
		sim_fail(s, "accepted what nobody opened, port %u", port);
	return NULL;
}

static void accept_all(struct sim *s)
{
	struct pc_stack *st = s->node[SERVER].st;
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int fd;

	while ((fd = pc_accept(st, s->lfd, (struct sockaddr *)&from, &len)) > 0) {
		int client = from.sin_addr.s_addr == inet_addr("10.0.0.1") ? CLIENT : SECOND;
		struct conn *c = find_opened(s, client, ntohs(from.sin_port));

		if (c == NULL) {
			pc_close(st, fd);
			continue;
		}
		c->end[SERVER].fd = fd;
		s->progress = true;
		watch(s, SERVER, c);
	}
}

/* ---- writing ---- */

static ssize_t write_mbuf(struct sim *s, int side, struct conn *c, uint32_t len)
{
	struct stream *o = &c->out[side];
	struct rte_mbuf *head = NULL, *m;
	uint32_t done = 0;

	if (len > 6000)
		len = 6000;
	/* the application must not take all mbufs */
	if (rte_mempool_avail_count(s->pool) < s->pool->size / 2) {
		c->end[side].write_at = s->now + 1000000;
		return 0;
	}
	while (done < len) {
		uint32_t n = (uint32_t)sim_rnd(s, 1, 1800);

		m = rte_pktmbuf_alloc(s->pool);
		if (m == NULL)
			break;
		if (sim_chance(s, 50)) /* with and without headroom */
			m->data_off = (uint16_t)sim_rnd(s, 0, 128);
		n = RTE_MIN(n, RTE_MIN(len - done, (uint32_t)rte_pktmbuf_tailroom(m)));
		for (uint32_t i = 0; i < n; i++)
			*rte_pktmbuf_mtod_offset(m, uint8_t *, i) =
			    sim_byte(c->id, side, o->sent + done + i);
		m->data_len = (uint16_t)n;
		m->pkt_len = n;
		done += n;
		if (head == NULL)
			head = m;
		else
			rte_pktmbuf_chain(head, m);
		if (sim_chance(s, 50))
			break;
	}
	if (head == NULL) {
		errno = EAGAIN;
		return -1;
	}
	if (pc_send_mbuf(sim_node(s, c, side)->st, c->end[side].fd, head, NULL) == 0)
		return done;
	rte_pktmbuf_free(head);
	return -1;
}

static ssize_t write_some(struct sim *s, int side, struct conn *c)
{
	static uint8_t buf[65536];
	struct stream *o = &c->out[side];
	struct end *e = &c->end[side];
	uint32_t len = (uint32_t)sim_rnd(s, 1, e->write_max), cut;
	struct iovec v[3];
	struct msghdr msg = {.msg_iov = v, .msg_iovlen = 3};
	int flags = sim_chance(s, 10) ? MSG_MORE : 0;

	if (len > o->total - o->sent)
		len = o->total - o->sent;
	if (sim_chance(s, 25))
		return write_mbuf(s, side, c, len);
	for (uint32_t i = 0; i < len; i++)
		buf[i] = sim_byte(c->id, side, o->sent + i);
	cut = (uint32_t)sim_rnd(s, 0, len);
	v[0] = (struct iovec){buf, cut / 2};
	v[1] = (struct iovec){buf + cut / 2, cut - cut / 2};
	v[2] = (struct iovec){buf + cut, len - cut};
	switch (sim_rnd(s, 0, 3)) {
	case 0:
		return pc_writev(sim_node(s, c, side)->st, e->fd, v, 3);
	case 1:
		return pc_sendmsg(sim_node(s, c, side)->st, e->fd, &msg, flags);
	default:
		return pc_send(sim_node(s, c, side)->st, e->fd, buf, len, flags);
	}
}

static bool cookie_failed(struct sim *s, int side, struct conn *c)
{
	if (side != CLIENT || errno != ECONNRESET || !has_cookies(s))
		return false;
	c->aborted = true;
	return true;
}

/* A client gives up if the server is down, or behind a bad network, for longer than SYNs are
 * retransmitted. */
static bool gave_up(struct sim *s, int side, struct conn *c)
{
	const bool silent = errno == ETIMEDOUT || errno == EHOSTUNREACH; /* not even to ARP */

	if (side != CLIENT || !silent || s->clean || c->out[CLIENT].sent > c->early ||
	    c->end[SERVER].fd != 0)
		return false;
	c->aborted = true;
	return true;
}

static void broken(struct sim *s, int side, struct conn *c, const char *call)
{
	struct end *e = &c->end[side];

	if (!c->aborted && !gave_up(s, side, c) && !cookie_failed(s, side, c))
		sim_fail(s, "connection %u, %s: %s: %s", c->id,
		         side == CLIENT ? "client" : "server", call, strerror(errno));
	pc_close(sim_node(s, c, side)->st, e->fd);
	e->fd = 0;
	e->closed = true;
	s->progress = true;
}

static void write_turn(struct sim *s, int side, struct conn *c)
{
	struct stream *o = &c->out[side];
	struct end *e = &c->end[side];

	while (e->fd > 0 && e->writable && o->sent < o->total && s->now >= e->write_at) {
		ssize_t n = write_some(s, side, c);

		if (n > 0) {
			o->sent += (uint32_t)n;
			s->progress = true;
			if (e->write_pause_ms != 0)
				e->write_at = s->now + sim_rnd(s, 0, e->write_pause_ms) * 1000000;
		} else if (n == 0) {
			break; /* postponed */
		} else if (n < 0 && errno == EAGAIN) {
			e->writable = false;
		} else {
			broken(s, side, c, "writing");
			return;
		}
		if (o->sent > o->total)
			sim_fail(s, "connection %u: more written than asked", c->id);
	}
	if (e->fd > 0 && e->writable && o->sent == o->total && !o->shut) {
		o->shut = true;
		s->progress = true;
		if (!c->out[!side].ended &&
		    pc_shutdown(sim_node(s, c, side)->st, e->fd, SHUT_WR) != 0)
			broken(s, side, c, "pc_shutdown");
	}
}

/* ---- reading ---- */

static bool compare(struct sim *s, int side, struct conn *c, const uint8_t *p, uint32_t n,
                    uint32_t from)
{
	for (uint32_t i = 0; i < n; i++)
		if (p[i] != sim_byte(c->id, !side, from + i))
			return sim_fail(s, "connection %u, to %s: byte %u of %u is %02x, not %02x",
			                c->id, side == CLIENT ? "client" : "server", from + i,
			                c->out[!side].total, p[i],
			                sim_byte(c->id, !side, from + i));
	return true;
}

static ssize_t read_mbuf(struct sim *s, int side, struct conn *c)
{
	struct rte_mbuf *m;
	struct stream *in = &c->out[!side];
	int r = pc_recv_mbuf(sim_node(s, c, side)->st, c->end[side].fd, &m, NULL);
	uint32_t done = 0;

	if (r <= 0)
		return r;
	for (struct rte_mbuf *seg = m; seg != NULL; seg = seg->next) {
		compare(s, side, c, rte_pktmbuf_mtod(seg, uint8_t *), seg->data_len,
		        in->rcvd + done);
		done += seg->data_len;
	}
	if (done == 0 || done != m->pkt_len)
		sim_fail(s, "connection %u: mbuf of %u bytes holds %u", c->id, m->pkt_len, done);
	rte_pktmbuf_free(m);
	in->rcvd += done;
	return done;
}

static ssize_t read_some(struct sim *s, int side, struct conn *c)
{
	static uint8_t buf[65536];
	struct stream *in = &c->out[!side];
	struct end *e = &c->end[side];
	uint32_t len = (uint32_t)sim_rnd(s, 1, e->read_max), cut = (uint32_t)sim_rnd(s, 0, len);
	struct iovec v[2] = {{buf, cut}, {buf + cut, len - cut}};
	ssize_t n;

	switch (sim_rnd(s, 0, 4)) {
	case 0:
		return read_mbuf(s, side, c);
	case 1:
		n = pc_readv(sim_node(s, c, side)->st, e->fd, v, 2);
		break;
	case 2:
		n = pc_recv(sim_node(s, c, side)->st, e->fd, buf, len, MSG_PEEK);
		if (n <= 0)
			break;
		compare(s, side, c, buf, (uint32_t)n, in->rcvd);
		memset(buf, 0, (size_t)n);
		/* fall through */
	default:
		n = pc_recv(sim_node(s, c, side)->st, e->fd, buf, len, 0);
	}
	if (n > 0) {
		compare(s, side, c, buf, (uint32_t)n, in->rcvd);
		in->rcvd += (uint32_t)n;
	}
	return n;
}

static void read_turn(struct sim *s, int side, struct conn *c)
{
	struct stream *in = &c->out[!side];
	struct end *e = &c->end[side];

	while (e->fd > 0 && e->readable && !in->ended && s->now >= e->read_at) {
		ssize_t n = read_some(s, side, c);

		if (n > 0) {
			s->progress = true;
			s->bytes += (uint64_t)n;
			if (e->read_pause_ms != 0)
				e->read_at = s->now + sim_rnd(s, 0, e->read_pause_ms) * 1000000;
		} else if (n == 0) {
			in->ended = true;
			s->progress = true;
			if (in->rcvd != in->total && !c->aborted)
				sim_fail(s, "connection %u: the stream ended after %u of %u bytes",
				         c->id, in->rcvd, in->total);
		} else if (errno == EAGAIN) {
			e->readable = false;
		} else {
			broken(s, side, c, "reading");
			return;
		}
		if (in->rcvd > in->total) {
			sim_fail(s, "connection %u: more read than was sent", c->id);
			return;
		}
	}
}

/* ---- the turn ---- */

static void end_turn(struct sim *s, int side, struct conn *c)
{
	struct end *e = &c->end[side];

	if (e->fd <= 0)
		return;
	if (c->abort_by == side && s->now >= c->abort_at) {
		struct linger l = {.l_onoff = 1, .l_linger = 0};

		c->aborted = true;
		pc_setsockopt(sim_node(s, c, side)->st, e->fd, SOL_SOCKET, SO_LINGER, &l,
		              sizeof(l));
		broken(s, side, c, "abort");
		return;
	}
	read_turn(s, side, c);
	write_turn(s, side, c);
	if (e->fd > 0 && c->out[side].shut && c->out[!side].ended) {
		if (pc_close(sim_node(s, c, side)->st, e->fd) != 0)
			sim_fail(s, "connection %u: pc_close: %s", c->id, strerror(errno));
		e->fd = 0;
		e->closed = true;
		s->progress = true;
	}
}

static void take_events(struct sim *s, int n)
{
	struct node *node = &s->node[n];
	struct epoll_event ev[8];
	int got, rounds = 0;

	do {
		got = pc_epoll_wait(node->st, node->ep, ev, 8);
		for (int i = 0; i < got; i++) {
			struct end *e;

			if (ev[i].data.u32 == UINT32_MAX) {
				accept_all(s);
				continue;
			}
			e = &s->conn[ev[i].data.u32].end[n == SERVER];
			if (ev[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
				e->readable = true;
			if (ev[i].events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
				e->writable = true;
		}
	} while (got == 8 && ++rounds < 8);
}

void app_turn(struct sim *s, int n)
{
	take_events(s, n);
	for (unsigned i = 0; i < s->nb_conns; i++) {
		struct conn *c = &s->conn[i];

		if (n == c->client && !c->started && s->now >= c->start_at) {
			start(s, c);
			s->progress = true;
		}
		/* if the client gave up before the connection was accepted, there is no server
		 * side */
		if (c->aborted && c->end[CLIENT].closed && c->end[SERVER].fd == 0)
			c->end[SERVER].closed = true;
		if (n == SERVER || n == c->client)
			end_turn(s, n == SERVER, c);
	}
}

void app_died(struct sim *s, int n)
{
	for (unsigned i = 0; i < s->nb_conns; i++) {
		struct conn *c = &s->conn[i];
		struct end *e = &c->end[n == SERVER];

		if (!c->started || (n != SERVER && n != c->client))
			continue;
		c->aborted = true; /* including those that were half open, or not yet accepted */
		if (e->fd <= 0)
			continue;
		e->fd = 0;
		e->closed = true;
	}
}

uint64_t app_next(const struct sim *s)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < s->nb_conns; i++) {
		const struct conn *c = &s->conn[i];

		/* a machine that is down is not due */
		if (!c->started && node_is_up(s, c->client))
			next = RTE_MIN(next, c->start_at);
		for (int side = 0; side < 2; side++) {
			const struct end *e = &c->end[side];

			if (e->fd <= 0 || !node_is_up(s, side == CLIENT ? c->client : SERVER))
				continue;
			if (c->abort_by == side && c->abort_at > s->now)
				next = RTE_MIN(next, c->abort_at);
			if (e->readable && e->read_at > s->now)
				next = RTE_MIN(next, e->read_at);
			if (e->writable && e->write_at > s->now)
				next = RTE_MIN(next, e->write_at);
		}
	}
	return next;
}

bool app_is_done(const struct sim *s)
{
	for (unsigned i = 0; i < s->nb_conns; i++)
		if (!s->conn[i].started || !s->conn[i].end[CLIENT].closed ||
		    !s->conn[i].end[SERVER].closed)
			return false;
	return true;
}
