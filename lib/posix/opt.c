/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket options: a few are handled by the client, the rest by the stack. */
#include "posix/client.h"
#include "posix/reader.h"
#include "posix/sock.h"
#include "posix/user.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/time.h>

#include <percore/tcp_ao.h>

#define LINGER_MAX 1000000000

/* ---- time-outs -------------------------------------------------------------------------------- */

static uint64_t *timeout_of(struct chan_sock *s, int level, int name)
{
	if (level != SOL_SOCKET)
		return NULL;
	/* the two of each are the same where time_t has 64 bits */
	if (name == SO_RCVTIMEO || name == SO_RCVTIMEO_NEW)
		return &s->rcv_timeout_ns;
	return name == SO_SNDTIMEO || name == SO_SNDTIMEO_NEW ? &s->snd_timeout_ns : NULL;
}

static int set_timeout(uint64_t *ns, const void *value, socklen_t len)
{
	struct timeval tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, value, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0) /* Linux: time out at once; here after the shortest time */
		at_store(ns, 1);
	else
		at_store(ns, tv.tv_sec > INT32_MAX
		                 ? 0
		                 : (uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000);
	return 0;
}

static int copy_value(const void *from, size_t size, void *value, socklen_t *len)
{
	*len = *len < size ? *len : (socklen_t)size;
	memcpy(value, from, *len);
	return 0;
}

static int get_timeout(const uint64_t *ns, void *value, socklen_t *len)
{
	uint64_t t = at_load(ns);
	struct timeval tv = {.tv_sec = (time_t)(t / 1000000000),
	                     .tv_usec = (suseconds_t)(t % 1000000000 / 1000)};

	return copy_value(&tv, sizeof(tv), value, len);
}

/* ---- SO_RCVLOWAT, SO_PEEK_OFF ----------------------------------------------------------------- */

/* The options of reading from the fifo, which do not concern the stack. */
static bool is_about_reading(int level, int name)
{
	return level == SOL_SOCKET && (name == SO_RCVLOWAT || name == SO_PEEK_OFF);
}

/* As on Linux, a stream's SO_RCVLOWAT is at most half of the buffer: here, of the fifo. */
static uint32_t lowat_most(uint32_t sock)
{
	return chan_sock(client.chan, sock)->type == CHAN_STREAM
	           ? chan_rx(client.chan, sock).size / 2
	           : (uint32_t)INT32_MAX;
}

static int set_reading(uint32_t sock, int name, const void *value, socklen_t len)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t lowat = lowat_most(sock);
	int n;

	if (len < sizeof(n))
		return -EINVAL;
	memcpy(&n, value, sizeof(n));
	if (n >= 0 && (uint32_t)n < lowat)
		lowat = n == 0 ? 1 : (uint32_t)n;
	if (name == SO_PEEK_OFF)
		at_store(&s->peek_off, (uint32_t)n + 1);
	else
		at_store(&s->rcvlowat, lowat - 1);
	return 0;
}

static int get_reading(const struct chan_sock *s, int name)
{
	return (int)(name == SO_PEEK_OFF ? at_load(&s->peek_off) - 1 : at_load(&s->rcvlowat) + 1);
}

/* ---- what Linux doubles ----------------------------------------------------------------------- */

/* socket(7): "the kernel doubles this value [...] when it is set using setsockopt(2), and this
 * doubled value is returned by getsockopt(2)". The client records that it was set; a connection
 * inherits that from its listener. */
static uint32_t doubled_bit(int level, int name)
{
	if (level != SOL_SOCKET)
		return 0;
	switch (name) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		return CHAN_SNDBUF_SET;
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		return CHAN_RCVBUF_SET;
	default:
		return 0;
	}
}

static bool is_doubled(const struct chan_sock *s, int level, int name)
{
	return (at_load(&s->buffers_set) & doubled_bit(level, name)) != 0;
}

static void double_it(void *value, socklen_t len)
{
	int n;

	if (len < sizeof(n))
		return;
	memcpy(&n, value, sizeof(n));
	n *= 2;
	memcpy(value, &n, sizeof(n));
}

/* ---- the rest --------------------------------------------------------------------------------- */

/* The options of groups and their sources that both levels have (RFC 3678 section 5.1). */
static bool is_of_any_family(int level, int name)
{
	return (level == IPPROTO_IP || level == IPPROTO_IPV6) && name >= MCAST_JOIN_GROUP &&
	       name <= MCAST_LEAVE_SOURCE_GROUP;
}

/* Whether each call adds to what is there: groups and their sources. */
static bool is_one_of_many(int level, int name)
{
	return (level == IPPROTO_IP && name >= IP_ADD_MEMBERSHIP &&
	        name <= IP_DROP_SOURCE_MEMBERSHIP) ||
	       (level == IPPROTO_IPV6 && (name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP)) ||
	       is_of_any_family(level, name);
}

/* What is recorded of a struct group_source_req, which begins like a struct group_req. */
struct group_record {
	uint32_t index;
	uint8_t group[16], source[16];
};

static_assert(sizeof(struct group_record) <= sizeof(((struct chan_option *)NULL)->value),
              "it fits");

/* Copies the address between a record and the options' form; an IPv4 one is 4 bytes long. */
static void pack_addr(int level, uint8_t *to, const struct sockaddr_storage *from)
{
	const size_t at = level == IPPROTO_IP ? offsetof(struct sockaddr_in, sin_addr)
	                                      : offsetof(struct sockaddr_in6, sin6_addr);

	memcpy(to, (const char *)from + at, level == IPPROTO_IP ? 4 : 16);
}

static void unpack_addr(int level, struct sockaddr_storage *to, const uint8_t *from)
{
	const size_t at = level == IPPROTO_IP ? offsetof(struct sockaddr_in, sin_addr)
	                                      : offsetof(struct sockaddr_in6, sin6_addr);

	to->ss_family = level == IPPROTO_IP ? AF_INET : AF_INET6;
	memcpy((char *)to + at, from, level == IPPROTO_IP ? 4 : 16);
}

/* Copies an option's value into its record. Returns false if it does not fit. */
static bool pack(struct chan_option *o, const void *value, socklen_t len)
{
	struct group_source_req r = {0};
	struct group_record g = {0};

	if (is_of_any_family(o->level, o->name)) {
		memcpy(&r, value, len < sizeof(r) ? len : sizeof(r));
		g.index = r.gsr_interface;
		pack_addr(o->level, g.group, &r.gsr_group);
		pack_addr(o->level, g.source, &r.gsr_source);
		value = &g;
		len = sizeof(g);
	}
	if (len > sizeof(o->value))
		return false;
	o->len = len;
	if (len > 0)
		memcpy(o->value, value, len);
	return true;
}

const void *sock_option_value(const struct chan_option *o, struct group_source_req *room,
                              socklen_t *len)
{
	struct group_record g;

	*len = o->len;
	if (!is_of_any_family(o->level, o->name))
		return o->value;
	memcpy(&g, o->value, sizeof(g));
	*room = (struct group_source_req){.gsr_interface = g.index};
	unpack_addr(o->level, &room->gsr_group, g.group);
	unpack_addr(o->level, &room->gsr_source, g.source);
	*len = sizeof(*room);
	return room;
}

/* All sources of a group; a request for them names the group. */
static bool is_filter(int level, int name)
{
	return (level == IPPROTO_IP && (name == IP_MSFILTER || name == MCAST_MSFILTER)) ||
	       (level == IPPROTO_IPV6 && name == MCAST_MSFILTER);
}

/* Records an option, for making a socket with the same options on another lcore or in the kernel.
 * Groups joined by a bound socket are passed to its parts and not recorded: there is no limit to
 * them. */
static void remember(struct chan_sock *s, int level, int name, const void *value, socklen_t len)
{
	const bool adds = is_one_of_many(level, name);
	uint32_t n = at_load(&s->nb_options), i = adds ? n : 0;
	struct chan_option o = {.level = level, .name = name};

	if (is_filter(level, name)) /* too long to record */
		return;
	if (adds && (at_load(&s->flags) & CHAN_BOUND))
		return;
	while (i < n && i < CHAN_OPTIONS &&
	       (s->option[i].level != level || s->option[i].name != name))
		i++;
	if (i >= CHAN_OPTIONS || !pack(&o, value, len))
		return;
	s->option[i] = o;
	if (i == n)
		at_store(&s->nb_options, n + 1);
}

const struct chan_option *sock_option(uint32_t sock, uint32_t n)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);

	return n < at_load(&s->nb_options) && n < CHAN_OPTIONS ? &s->option[n] : NULL;
}

static void remember_linger(struct chan_sock *s, const void *value)
{
	struct linger l;

	memcpy(&l, value, sizeof(l));
	if (l.l_onoff != 0) /* Linux: otherwise the time stays as it was */
		at_store(&s->linger_s, l.l_linger < 0 || l.l_linger > LINGER_MAX
		                           ? LINGER_MAX
		                           : (uint32_t)l.l_linger);
	at_store(&s->linger, l.l_onoff != 0);
}

static void remember_cork(struct chan_sock *s, const void *value)
{
	int on;

	memcpy(&on, value, sizeof(on));
	if (on)
		at_or(&s->cork, CHAN_CORK_ON);
	else
		at_and(&s->cork, ~(CHAN_CORK_ON | CHAN_CORK_HELD));
}

static int64_t set_option(uint32_t sock, int level, int name, const void *value, socklen_t len)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	uint64_t *timeout = timeout_of(s, level, name);
	int64_t rc;

	if (timeout != NULL)
		return set_timeout(timeout, value, len);
	if (is_about_reading(level, name))
		return set_reading(sock, name, value, len);
	if (told_is_option(s, level, name))
		return told_set(s, level, name, value, len);
	rc = call_sock(sock, CHAN_OP_SETSOCKOPT, level, name, value,
	               len < CHAN_CALL_DATA ? len : CHAN_CALL_DATA);
	if (rc != 0)
		return rc;
	if (level == SOL_SOCKET && name == SO_LINGER)
		remember_linger(s, value);
	if (level == IPPROTO_UDP && name == UDP_CORK)
		remember_cork(s, value);
	if (doubled_bit(level, name) != 0)
		at_or(&s->buffers_set, doubled_bit(level, name));
	if (option_is_key(level, name)) /* too long to record; see sock_copy_keys */
		at_store(&s->keys, 1);
	else
		remember(s, level, name, value, len);
	for (uint32_t i = 1; i < sock_parts(s); i++) {
		rc = call_sock(s->part[i], CHAN_OP_SETSOCKOPT, level, name, value, len);
		if (rc == -ENOMEM &&
		    option_is_key(level, name)) /* a part without the key would accept anything */
			return rc;
	}
	return 0;
}

static bool is_level(const struct chan_sock *s, int level)
{
	switch (level) {
	case SOL_SOCKET:
	case IPPROTO_IP:
	case IPPROTO_IPV6:
		return true;
	case IPPROTO_TCP:
		return s->type == CHAN_STREAM;
	case IPPROTO_UDP:
		return s->type == CHAN_DGRAM;
	default:
		return false;
	}
}

/* What the kernel checks in a value before it looks at the option. */
static int judge_value(const struct chan_sock *s, int level, const void *value, socklen_t len)
{
	const bool is_int = level != IPPROTO_IP && level != IPPROTO_IPV6;

	if ((int)len < 0)
		return -EINVAL;
	if (user_in(value, len < CHAN_CALL_DATA ? len : CHAN_CALL_DATA) == 0)
		return 0;
	if (!is_level(s, level))
		return -ENOPROTOOPT;
	return is_int && len < sizeof(int) ? -EINVAL : -EFAULT;
}

int pcx_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	struct file *f = file_socket(fd);
	int64_t rc;

	if (f == NULL)
		return (int)sys(setsockopt, fd, level, name, value, len);
	rc = judge_value(chan_sock(client.chan, f->sock), level, value, len);
	if (rc == 0)
		rc = set_option(f->sock, level, name, value, len);
	file_put(f);
	return (int)fail(rc);
}

/* The properties that a socket was created with. Returns -1 for other options. */
static int what_it_is(const struct chan_sock *s, int level, int name)
{
	if (level != SOL_SOCKET)
		return -1;
	switch (name) {
	case SO_TYPE:
		return s->type == CHAN_STREAM ? SOCK_STREAM : SOCK_DGRAM;
	case SO_DOMAIN:
		return s->ip6 ? AF_INET6 : AF_INET;
	case SO_PROTOCOL:
		return (int)s->protocol;
	default:
		return -1;
	}
}

/* TCP_INFO of a listener: adds the connections that wait on the other lcores. */
static void add_waiting(const struct chan_sock *s, void *value, socklen_t len)
{
	const size_t size = offsetof(struct tcp_info, tcpi_sacked);
	struct tcp_info sum, one;

	if (len < size)
		return;
	memcpy(&sum, value, size);
	for (uint32_t i = 1; i < sock_parts(s); i++) {
		struct call c = {.op = CHAN_OP_GETSOCKOPT,
		                 .sock = s->part[i],
		                 .a = IPPROTO_TCP,
		                 .b = TCP_INFO,
		                 .out = &one,
		                 .out_len = sizeof(one)};

		if (call_lcore(chan_sock(client.chan, s->part[i])->lcore, &c) == 0)
			sum.tcpi_unacked += one.tcpi_unacked;
	}
	memcpy(value, &sum, size);
}

static int64_t get_option(uint32_t sock, int level, int name, void *value, socklen_t *len)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	struct call c = {.op = CHAN_OP_GETSOCKOPT,
	                 .sock = sock,
	                 .a = level,
	                 .b = name,
	                 .out = value,
	                 .out_len = *len};
	const uint64_t *timeout = timeout_of(s, level, name);
	const int what = what_it_is(s, level, name);
	int64_t rc;

	if (what >= 0)
		return copy_value(&what, sizeof(what), value, len);
	if (timeout != NULL)
		return get_timeout(timeout, value, len);
	if (level == SOL_SOCKET && name == SO_ERROR) {
		int error = client_is_down() ? ENETDOWN : -take_error(sock);

		return copy_value(&error, sizeof(error), value, len);
	}
	if (level == SOL_SOCKET && name == SO_COOKIE)
		return *len < sizeof(s->cookie)
		           ? -EINVAL
		           : copy_value(&s->cookie, sizeof(s->cookie), value, len);
	if (told_is_option(s, level, name)) {
		int on = told_get(s, level, name);

		return copy_value(&on, sizeof(on), value, len);
	}
	if (is_about_reading(level, name)) {
		int n = get_reading(s, name);

		return copy_value(&n, sizeof(n), value, len);
	}
	if (level == SOL_SOCKET && name == SO_LINGER) {
		struct linger l = {.l_onoff = (int)at_load(&s->linger),
		                   .l_linger = (int)at_load(&s->linger_s)};

		return copy_value(&l, sizeof(l), value, len);
	}
	if (is_filter(level, name)) {
		c.in = value;
		c.in_len = *len;
	}
	rc = call_lcore(s->lcore, &c);
	if (rc == 0)
		*len = c.out_len;
	if (rc == 0 && level == IPPROTO_TCP && name == TCP_INFO &&
	    at_load(&s->state) == CHAN_LISTEN)
		add_waiting(s, value, *len);
	if (rc == 0 && is_doubled(s, level, name))
		double_it(value, *len);
	return rc;
}

int pcx_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	struct file *f = file_socket(fd);
	_Alignas(8) uint8_t room[CHAN_CALL_DATA];
	socklen_t n;
	int64_t rc;

	if (f == NULL)
		return (int)sys(getsockopt, fd, level, name, value, len);
	rc = user_out(len, sizeof(*len));
	if (rc == 0 && level == IPPROTO_TCP && name == TCP_AO_GET_KEYS && (int)*len > 0 &&
	    chan_sock(client.chan, f->sock)->type == CHAN_STREAM) {
		rc = sock_get_ao_keys(f->sock, value, len);
		file_put(f);
		return (int)fail(rc);
	}
	if (rc == 0 && (int)*len < 0)
		rc = is_level(chan_sock(client.chan, f->sock), level) ? -EINVAL : -EOPNOTSUPP;
	n = rc != 0 ? 0 : *len < sizeof(room) ? *len : (socklen_t)sizeof(room);
	if (rc == 0 && is_filter(level, name)) {
		rc = user_in(value, n);
		if (rc == 0)
			memcpy(room, value, n);
	}
	if (rc == 0)
		rc = get_option(f->sock, level, name, room, &n);
	if (rc == 0)
		rc = user_out(value, n);
	if (rc == 0 && n > 0)
		memcpy(value, room, n);
	if (rc == 0)
		*len = n;
	file_put(f);
	return (int)fail(rc);
}
