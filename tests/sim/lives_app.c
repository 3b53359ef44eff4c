/* SPDX-License-Identifier: BSD-2-Clause */
#include "lives.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <rte_common.h>

/*
 * Overview: the ends of connections. Each sends a stream that begins with its id and reads the
 * other's, from which it learns who its peer is; from what the peer has done follows what this end
 * may be told: how many bytes, their end, an error, and when.
 */

#define BURST 16 /* calls of one end in one turn */

static struct pc_stack *stack_of(struct life *l, const struct end *e)
{
	return l->host[e->host].st;
}

static bool is_open(const struct end *e)
{
	return e->fd > 0;
}

static uint8_t byte_of(const struct end *e, uint64_t n)
{
	const uint32_t x = (uint32_t)n * 2654435761u + e->id * 40503u;

	return n < 4 ? (uint8_t)(e->id >> 8 * n) : (uint8_t)(x >> 24 ^ x >> 13 ^ n);
}

static struct end *other_of(const struct end *e)
{
	return e->peer != NULL ? e->peer : e->guess;
}

static bool wants(const struct life *l, const struct end *e)
{
	return !e->ended && l->now >= e->read_at && e->rcvd < e->reads_till;
}

/* ---- what may happen ------------------------------------------------------------------------- */

/* RFC 4987 section 3.6, RFC 7413 section 6.1: an old segment may open a connection once more, and a
 * handshake may fail unnoticed. */
static bool has_oddities(const struct life *l)
{
	uint64_t n = 0;

	for (int h = 0; h < HOSTS; h++) {
		const struct pc_stack *st = l->host[h].st;
		const uint64_t *c = st != NULL ? pc_stack_counters(st)->value : NULL;

		n += l->host[h].cookies;
		if (c != NULL)
			n += c[PC_TCP_COOKIES_SENT] + c[PC_TCP_FASTOPEN_PASSIVE];
	}
	return n != 0;
}

static bool had_trouble(const struct life *l, enum trouble_kind kind, const struct end *e)
{
	for (unsigned i = 0; i < l->nb_troubles; i++) {
		const struct trouble *t = &l->trouble[i];

		if (t->kind == kind && t->begun && t->at + t->lasts + SECOND >= e->started_at)
			return true;
	}
	return false;
}

/* ns without an answer from which on an end may be told that it timed out */
static uint64_t silence(const struct life *l, const struct end *e)
{
	const struct pc_stack_config *c = &l->host[e->host].cfg;
	uint64_t least = 0, rto = 200 * MS;
	const uint64_t syn = 127 * SECOND; /* of six retransmissions of a SYN */

	for (uint64_t i = 0; i <= c->tcp_retries; i++) {
		least += rto;
		rto = RTE_MIN(2 * rto, c->tcp_rto_max_ms * MS);
	}
	if (e->user_timeout != 0)
		least = RTE_MIN(least, e->user_timeout);
	if (e->keepalive != 0)
		least = RTE_MIN(least, 3 * e->keepalive);
	return RTE_MIN(least, syn);
}

static uint64_t badness(const struct life *l, const struct end *e)
{
	const struct end *p = other_of(e);

	return l->bad_ns - e->start_bad + (p != NULL ? p->paused_ns : 0);
}

/* a closed end whose stack may have given up, perhaps with a reset that was lost */
static bool is_given_up(const struct life *l, const struct end *e)
{
	return e->closed && 4 * badness(l, e) >= silence(l, e);
}

static bool may_time_out(const struct life *l, const struct end *e)
{
	const struct end *p = other_of(e);

	/* RFC 5925 section 7.7, RFC 2385: who has no keys any more cannot send a reset that counts */
	if ((l->md5 || l->ao) && (p == NULL || p->closed))
		return true;

	if (l->tiny || l->loss + l->ack_loss / 4 + l->corrupt > 30000)
		return true;
	if (p == NULL && (e->cross || has_oddities(l)))
		return true;
	/* a single probe that is lost is enough */
	if (e->keepalive != 0 && e->user_timeout != 0 && e->user_timeout <= 2 * e->keepalive &&
	    l->loss + l->ack_loss + l->corrupt > 0)
		return true;
	return 4 * badness(l, e) >= silence(l, e);
}

static bool may_be_reset(const struct life *l, const struct end *e)
{
	const struct end *p = other_of(e);

	if (had_trouble(l, REBOOT, e) || l->tiny || had_trouble(l, HUNGER, e))
		return true;
	if (p == NULL)
		return has_oddities(l) || had_trouble(l, DEAF, e) || e->passive || e->cross ||
		       l->host[!e->host].cfg.tcp_abort_on_overflow;
	return p->dead || p->error != 0 || (p->closed && !p->ended) || p->aborted || p->unread ||
	       is_given_up(l, p);
}

static bool may_fail(const struct life *l, const struct end *e, int error)
{
	switch (error) {
	case ECONNRESET:
	case EPIPE:
		return may_be_reset(l, e);
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return may_time_out(l, e);
	case ECONNREFUSED:
		return e->cross || had_trouble(l, DEAF, e) || had_trouble(l, REBOOT, e) ||
		       l->host[!e->host].cfg.tcp_abort_on_overflow;
	case ENOBUFS: /* of a connection that has held mbufs too long */
		return l->tiny || had_trouble(l, HUNGER, e);
	default:
		return false;
	}
}

static void close_end(struct life *l, struct end *e)
{
	int unread = 0;

	(void)pc_ioctl(stack_of(l, e), e->fd, SIOCINQ, &unread);
	e->unread = unread > 0;
	if (pc_close(stack_of(l, e), e->fd) != 0)
		life_fail(l, "end %u: pc_close: %s", e->id, strerror(errno));
	e->fd = 0;
	e->closed = true;
}

static void broken(struct life *l, struct end *e, int error, const char *call)
{
	uint8_t buf[100];

	e->error = error;
	if (!may_fail(l, e, error))
		life_fail(l, "end %u: %s: %s", e->id, call, strerror(error));
	/* what has arrived before can be read after pc_send has reported a reset, as on Linux */
	if (strcmp(call, "pc_recv") == 0 && pc_recv(stack_of(l, e), e->fd, buf, sizeof(buf), 0) > 0)
		life_fail(l, "end %u reads on after %s", e->id, strerror(error));
	close_end(l, e);
}

/* ---- beginning ------------------------------------------------------------------------------- */

static void set_options(struct life *l, struct end *e)
{
	struct pc_stack *st = stack_of(l, e);
	const int timeout = (int)(e->user_timeout / MS), idle = (int)(e->keepalive / SECOND);

	if (timeout != 0)
		pc_setsockopt(st, e->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(int));
	if (idle != 0) {
		pc_setsockopt(st, e->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(int));
		pc_setsockopt(st, e->fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof(int));
		pc_setsockopt(st, e->fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){3}, sizeof(int));
		pc_setsockopt(st, e->fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	}
	if (chance(l, 30))
		pc_setsockopt(st, e->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (chance(l, 10)) {
		const int size = (int)some(l, 2000, 200000);

		pc_setsockopt(st, e->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(int));
	}
}

static void fill(const struct end *e, uint8_t *buf, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		buf[i] = byte_of(e, e->sent + i);
}

static bool connect_end(struct life *l, struct end *e)
{
	const struct sockaddr_storage to =
	    net_address(!e->host, e->family, e->cross ? e->bound : 80);
	const struct sockaddr *a = (const struct sockaddr *)&to;
	const socklen_t len = net_address_len(e->family);
	uint8_t buf[2000];
	uint64_t first = RTE_MIN(e->total, rnd(l, 0, sizeof(buf)));
	ssize_t n;

	if (!e->fastopen || e->cross || e->echo)
		return pc_connect(stack_of(l, e), e->fd, a, len) == 0 || errno == EINPROGRESS;
	first = RTE_MIN(first, e->credit);
	fill(e, buf, first);
	n = pc_sendto(stack_of(l, e), e->fd, buf, first, MSG_FASTOPEN, a, len);
	if (n > 0)
		e->sent = (uint64_t)n;
	return n >= 0 || errno == EINPROGRESS;
}

static bool bind_end(struct life *l, struct end *e)
{
	struct sockaddr_storage me = net_address(e->host, e->family, e->bound);

	if (e->bound == 0)
		return true;
	pc_setsockopt(stack_of(l, e), e->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	return pc_bind(stack_of(l, e), e->fd, (struct sockaddr *)&me, net_address_len(e->family)) ==
	       0;
}

static void begin_end(struct life *l, struct end *e)
{
	e->started = true;
	e->started_at = e->moved_at = e->read_at = e->write_at = l->now;
	e->start_bad = e->bad_then = l->bad_ns;
	plan_end(l, e);
}

static void start(struct life *l, struct end *e)
{
	union {
		struct sockaddr_in6 in6;
		struct sockaddr_in in;
	} me;
	socklen_t len = sizeof(me);

	begin_end(l, e);
	e->fd = pc_socket(stack_of(l, e), e->family, SOCK_STREAM, 0);
	if (e->fd < 0) {
		life_fail(l, "end %u: pc_socket: %s", e->id, strerror(errno));
		return;
	}
	net_set_keys(l, e->host, e->family, e->fd);
	set_options(l, e);
	if (!bind_end(l, e) || !connect_end(l, e)) {
		const int error = errno;

		if (error != EADDRINUSE && error != EADDRNOTAVAIL && error != ENETUNREACH)
			life_fail(l, "end %u: no start: %s", e->id, strerror(error));
		if (error == ENETUNREACH && !had_trouble(l, ADDRESS, e) &&
		    !had_trouble(l, REBOOT, e) && l->now > l->began + 5 * SECOND)
			life_fail(l, "end %u: no route", e->id);
		close_end(l, e);
		e->aborted = true;
		return;
	}
	pc_getsockname(stack_of(l, e), e->fd, (struct sockaddr *)&me, &len);
	e->port = ntohs(e->family == AF_INET ? me.in.sin_port : me.in6.sin6_port);
}

static struct end *find_guess(struct life *l, const struct end *e)
{
	struct end *best = NULL;

	for (unsigned i = 0; i < l->nb_planned; i++) {
		struct end *o = &l->end[i];

		if (o->started && o->host != e->host && o->family == e->family &&
		    o->port == e->port && o->guess == NULL &&
		    (best == NULL || o->started_at > best->started_at))
			best = o;
	}
	return best;
}

static bool accept_all(struct life *l, int h, int family)
{
	union {
		struct sockaddr_in6 in6;
		struct sockaddr_in in;
	} from;
	const int lfd = l->host[h].lfd[family == AF_INET6];
	socklen_t len = sizeof(from);
	bool any = false;
	int fd;

	while (lfd > 0 &&
	       (fd = pc_accept(l->host[h].st, lfd, (struct sockaddr *)&from, &len)) > 0) {
		struct end *e = &l->end[l->nb_ends];

		if (l->nb_ends == ENDS) {
			pc_close(l->host[h].st, fd);
			continue;
		}
		l->nb_ends++;
		*e = (struct end){.id = l->nb_ends, .host = h, .family = family, .fd = fd};
		e->passive = true;
		e->port = ntohs(family == AF_INET ? from.in.sin_port : from.in6.sin6_port);
		begin_end(l, e);
		set_options(l, e);
		e->guess = find_guess(l, e);
		if (e->guess != NULL)
			e->guess->guess = e;
		any = true;
	}
	return any;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool meet(struct life *l, struct end *e)
{
	uint32_t id;
	struct end *p;

	memcpy(&id, e->head, 4);
	p = id >= 1 && id <= l->nb_ends ? &l->end[id - 1] : NULL;
	if (p == NULL || p->host == e->host || p->family != e->family)
		return life_fail(l, "end %u reads what end %u has sent", e->id, id);
	if (p->peer != NULL && p->peer != e)
		return life_fail(l, "end %u and end %u both talk to end %u", e->id, p->peer->id,
		                 id);
	for (unsigned i = 0; i < l->nb_ends; i++)
		if (l->end[i].peer == p && !has_oddities(l))
			return life_fail(l, "end %u and end %u both hear end %u", e->id, i + 1, id);
	e->peer = p;
	return true;
}

static bool compare(struct life *l, struct end *e, const uint8_t *buf, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++) {
		const uint64_t n = e->rcvd + i;

		if (n < 4)
			e->head[n] = buf[i];
		if (n == 3 && !meet(l, e))
			return false;
		if (n >= 4 && buf[i] != byte_of(e->peer, n))
			return life_fail(l, "end %u reads a wrong byte %llu", e->id,
			                 (unsigned long long)n);
	}
	e->rcvd += len;
	l->bytes += len;
	if (e->peer != NULL && e->rcvd > e->peer->sent)
		return life_fail(l, "end %u reads more than was sent", e->id);
	return true;
}

static void read_end(struct life *l, struct end *e)
{
	const struct end *p = e->peer;
	uint8_t byte;

	e->ended = true;
	if (p != NULL && e->rcvd != p->sent)
		life_fail(l, "end %u reads the end after %llu bytes of %llu", e->id,
		          (unsigned long long)e->rcvd, (unsigned long long)p->sent);
	if (p != NULL && !p->shut && (!p->closed || p->aborted || p->unread))
		life_fail(l, "end %u reads an end that nobody has sent", e->id);
	if (pc_recv(stack_of(l, e), e->fd, &byte, 1, 0) > 0)
		life_fail(l, "end %u reads on after the end", e->id);
}

static bool read_some(struct life *l, struct end *e)
{
	static uint8_t buf[65536];
	bool any = false;

	for (int i = 0; i < BURST && is_open(e) && wants(l, e); i++) {
		const uint64_t len = RTE_MIN(rnd(l, 1, e->read_max), e->reads_till - e->rcvd);
		const ssize_t n = pc_recv(stack_of(l, e), e->fd, buf, len, 0);

		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
			break;
		any = true;
		e->reads++;
		l->calls++;
		if (n < 0)
			broken(l, e, errno, "pc_recv");
		else if (n == 0)
			read_end(l, e);
		else if (!compare(l, e, buf, (uint64_t)n))
			break;
		if (e->read_pause != 0)
			e->read_at = l->now + rnd(l, 0, e->read_pause);
	}
	return any;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* how many bytes it sends in all, as far as it knows now */
static uint64_t target_of(const struct end *e)
{
	const uint64_t all = e->echo ? e->rcvd : e->total;

	return e->ended || e->echo ? all : RTE_MIN(all, e->credit + e->rcvd);
}

static bool has_sent_all(const struct end *e)
{
	return e->echo ? e->ended && e->sent == e->rcvd : e->sent == e->total;
}

static bool write_some(struct life *l, struct end *e)
{
	static uint8_t buf[65536];
	bool any = false;

	for (int i = 0; i < BURST && is_open(e) && !e->shut && l->now >= e->write_at; i++) {
		const uint64_t left = target_of(e) - RTE_MIN(e->sent, target_of(e));
		const uint64_t len = RTE_MIN(rnd(l, 1, e->write_max), left);
		ssize_t n;

		if (left == 0)
			break;
		fill(e, buf, len);
		n = pc_send(stack_of(l, e), e->fd, buf, len, 0);
		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
			break;
		any = true;
		e->writes++;
		l->calls++;
		if (n < 0)
			broken(l, e, errno, "pc_send");
		else
			e->sent += (uint64_t)n;
		if (e->write_pause != 0)
			e->write_at = l->now + rnd(l, 0, e->write_pause);
	}
	return any;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void abort_end(struct life *l, struct end *e)
{
	const struct linger now = {.l_onoff = 1};

	pc_setsockopt(stack_of(l, e), e->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	e->aborted = true;
	close_end(l, e);
}

static void resize(struct life *l, struct end *e)
{
	const int size = (int)some(l, 1000, 300000);
	const uint64_t which = rnd(l, 0, 2);

	e->resize_at = chance(l, 50) ? NEVER : l->now + some(l, MS, 30 * SECOND);
	if (which == 0)
		pc_setsockopt(stack_of(l, e), e->fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &size,
		              sizeof(size));
	else
		pc_setsockopt(stack_of(l, e), e->fd, SOL_SOCKET, which == 1 ? SO_RCVBUF : SO_SNDBUF,
		              &size, sizeof(size));
}

static bool shut_end(struct life *l, struct end *e)
{
	if (pc_shutdown(stack_of(l, e), e->fd, SHUT_WR) == 0)
		return e->shut = true;
	if (errno != ENOTCONN)
		life_fail(l, "end %u: pc_shutdown: %s", e->id, strerror(errno));
	return false;
}

/* closing, or shutting down, in SYN-SENT would abort (RFC 9293 section 3.10.4) */
static bool is_connected(struct life *l, const struct end *e)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return pc_getsockopt(stack_of(l, e), e->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	       info.tcpi_state != TCP_SYN_SENT && info.tcpi_state != TCP_CLOSE;
}

static bool end_some(struct life *l, struct end *e)
{
	if (l->now >= e->abort_at) {
		abort_end(l, e);
		return true;
	}
	if (l->now >= e->quit_at || l->now >= e->moved_at + e->patience) {
		close_end(l, e);
		return true;
	}
	if (l->now >= e->resize_at)
		resize(l, e);
	if (!has_sent_all(e) || e->shut > e->ended || !is_connected(l, e))
		return false;
	if (e->ending == EAGER || e->ended) {
		close_end(l, e);
		return true;
	}
	return e->ending == POLITE && shut_end(l, e);
}

bool app_turn(struct life *l, int h)
{
	bool any = accept_all(l, h, AF_INET);

	any = accept_all(l, h, AF_INET6) || any;
	for (unsigned i = 0; i < l->nb_ends && l->wrong[0] == '\0'; i++) {
		struct end *e = &l->end[i];

		if (e->host != h)
			continue;
		if (!e->started && l->now >= e->start_at) {
			start(l, e);
			any = true;
		}
		any = (is_open(e) && read_some(l, e)) || any;
		any = (is_open(e) && write_some(l, e)) || any;
		any = (is_open(e) && end_some(l, e)) || any;
	}
	return any;
}

void app_died(struct life *l, int h)
{
	for (unsigned i = 0; i < l->nb_ends; i++) {
		struct end *e = &l->end[i];

		if (e->host != h || !e->started)
			continue;
		e->dead = true;
		e->fd = 0;
	}
}

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t later(uint64_t at, uint64_t now)
{
	return at > now ? at : NEVER;
}

uint64_t app_next(const struct life *l)
{
	uint64_t next = NEVER;

	for (unsigned i = 0; i < l->nb_ends; i++) {
		const struct end *e = &l->end[i];

		if (!e->started && host_is_up(l, e->host))
			next = RTE_MIN(next, e->start_at);
		if (!is_open(e) || !host_is_up(l, e->host))
			continue;
		next = RTE_MIN(next, later(e->read_at, l->now));
		next = RTE_MIN(next, later(e->write_at, l->now));
		next = RTE_MIN(next, RTE_MIN(e->abort_at, e->quit_at));
		next = RTE_MIN(next, RTE_MIN(e->resize_at, e->moved_at + e->patience));
	}
	return next;
}

bool app_is_over(const struct life *l)
{
	for (unsigned i = 0; i < l->nb_ends; i++)
		if (!l->end[i].started || is_open(&l->end[i]))
			return false;
	return true;
}

/* ---- stalls ---------------------------------------------------------------------------------- */

static uint64_t longest(const struct life *l, const struct end *e)
{
	const struct end *p = other_of(e);
	const uint64_t trip = l->rtt + 2 * l->jitter + 2 * l->host[0].normal.backlog_ns + 600 * MS;
	const uint64_t lost = l->loss + l->ack_loss / 4 + l->corrupt;
	uint64_t most = 4 * SECOND + 8 * trip + 8 * trip * lost / 10000;

	most += most * l->nb_planned / 4 + (l->tiny ? 120 * SECOND : 0);
	most += 4 * (l->bad_ns - e->bad_then) + 4 * e->paused_ns;
	return most + (p != NULL ? 4 * p->paused_ns : 0) - 4 * e->paused_then;
}

/* has the peer sent something that this end has not read, but wants to? */
static bool is_waiting(const struct life *l, const struct end *e)
{
	const struct end *p = other_of(e);

	if (p == NULL || p->dead || p->aborted || p->unread || p->error != 0 || is_given_up(l, p) ||
	    !wants(l, e))
		return false;
	return e->rcvd < p->sent || p->shut || (p->closed && p->ended);
}

static void look(struct life *l, struct end *e)
{
	const struct end *p = other_of(e);
	int queued = 0;

	(void)pc_ioctl(stack_of(l, e), e->fd, SIOCOUTQ, &queued);
	if ((uint64_t)queued != e->queued || e->writes + e->reads != e->credit_used) {
		e->queued = (uint64_t)queued;
		e->credit_used = e->writes + e->reads;
		e->moved_at = l->now;
		e->stall_at = l->now;
		e->bad_then = l->bad_ns;
		e->paused_then = e->paused_ns + (p != NULL ? p->paused_ns : 0);
	}
	if (queued == 0 && !is_waiting(l, e))
		e->stall_at = l->now;
	if (l->now > e->stall_at + longest(l, e))
		life_fail(l, "end %u stalls for %llu ms of at most %llu, %d queued", e->id,
		          (unsigned long long)((l->now - e->stall_at) / MS),
		          (unsigned long long)(longest(l, e) / MS), queued);
}

void app_advance(struct life *l, uint64_t ns)
{
	if (net_is_bad(l))
		l->bad_ns += ns;
	for (unsigned i = 0; i < l->nb_ends; i++) {
		struct end *e = &l->end[i];

		if (is_open(e) && !wants(l, e) && !e->ended)
			e->paused_ns += ns;
		if (is_open(e) && host_is_up(l, e->host))
			look(l, e);
	}
}

/* ---- afterwards ------------------------------------------------------------------------------ */

/* what a polite end has sent must have been read by a polite one */
void app_judge(struct life *l)
{
	for (unsigned i = 0; i < l->nb_ends; i++) {
		const struct end *e = &l->end[i], *p = e->peer;

		if (p == NULL || p->peer != e || e->dead || p->dead)
			continue;
		if (e->ended && p->ended && (e->rcvd != p->sent || p->rcvd != e->sent))
			life_fail(l, "ends %u and %u have not read everything", e->id, p->id);
	}
}
