/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket options, as tables: level, name, how to get, how to set.  A row without a setter is
 * read-only (ENOPROTOOPT on a set, as on Linux).
 */

#include <string.h>

#include "base/seq.h"
#include "sock/sock.h"
#include "sock/tcp_info.h"
#include "tcp/cc.h"
#include "tcp/tcp_conn.h"

/* ---- integers -------------------------------------------------------------------------------- */

struct option {
	int level, name;
	int (*get)(struct sockets *s, const struct sock_ref *ref);
	int (*set)(struct sockets *s, const struct sock_ref *ref, int value);
};

static int set_flag(const struct sock_ref *ref, uint32_t flag, int on)
{
	if (ref->tcp == NULL)
		return 0;
	if (on)
		ref->tcp->flags |= flag;
	else
		ref->tcp->flags &= ~flag;
	return 0;
}

static int has_flag(const struct sock_ref *ref, uint32_t flag)
{
	return ref->tcp != NULL && (ref->tcp->flags & flag) != 0;
}

static int get_error(struct sockets *s, const struct sock_ref *ref)
{
	int error;

	(void)s;
	if (ref->tcp != NULL)
		return tcp_take_error(ref->tcp);
	error = ref->udp->error;
	ref->udp->error = 0;
	return error;
}

static int get_type(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return ref->tcp != NULL ? SOCK_STREAM : SOCK_DGRAM;
}

static int get_domain(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	(void)ref;
	return AF_INET;
}

static int get_protocol(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return ref->tcp != NULL ? IPPROTO_TCP : IPPROTO_UDP;
}

static int get_acceptconn(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return ref->tcp != NULL && ref->tcp->state == TCP_S_LISTEN;
}

static int get_reuseaddr(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return ref->udp != NULL ? ref->udp->reuse : has_flag(ref, TCB_REUSEADDR);
}

static int set_reuseaddr(struct sockets *s, const struct sock_ref *ref, int value)
{
	(void)s;
	if (ref->udp != NULL)
		ref->udp->reuse = value != 0;
	return set_flag(ref, TCB_REUSEADDR, value);
}

static int get_reuseport(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return ref->udp != NULL ? ref->udp->reuseport : has_flag(ref, TCB_REUSEPORT);
}

static int set_reuseport(struct sockets *s, const struct sock_ref *ref, int value)
{
	(void)s;
	if (ref->udp != NULL)
		ref->udp->reuseport = value != 0;
	return set_flag(ref, TCB_REUSEPORT, value);
}

static int get_keepalive(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return has_flag(ref, TCB_KEEPALIVE);
}

static int set_keepalive(struct sockets *s, const struct sock_ref *ref, int value)
{
	set_flag(ref, TCB_KEEPALIVE, value);
	if (ref->tcp != NULL)
		tcp_keepalive_start(s->tcp, ref->tcp);
	return 0;
}

static int get_broadcast(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return ref->udp != NULL ? ref->udp->broadcast : has_flag(ref, TCB_BROADCAST);
}

static int set_broadcast(struct sockets *s, const struct sock_ref *ref, int value)
{
	(void)s;
	if (ref->udp != NULL)
		ref->udp->broadcast = value != 0;
	return set_flag(ref, TCB_BROADCAST, value);
}

static int get_sndbuf(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return (int)(ref->tcp != NULL ? ref->tcp->snd_max : ref->udp->snd_max);
}

static int set_sndbuf(struct sockets *s, const struct sock_ref *ref, int value)
{
	uint32_t bytes = (uint32_t)RTE_MIN(RTE_MAX(value, 4096), 1 << 30);

	(void)s;
	*(ref->tcp != NULL ? &ref->tcp->snd_max : &ref->udp->snd_max) = bytes;
	return 0;
}

static int get_rcvbuf(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return (int)(ref->tcp != NULL ? ref->tcp->rcv_max : ref->udp->rcv_max);
}

static int set_rcvbuf(struct sockets *s, const struct sock_ref *ref, int value)
{
	uint32_t bytes = (uint32_t)RTE_MIN(RTE_MAX(value, 2048), 1 << 30);

	*(ref->tcp != NULL ? &ref->tcp->rcv_max : &ref->udp->rcv_max) = bytes;
	if (ref->tcp != NULL) {
		ref->tcp->flags |= TCB_WINDOW_UPDATE;
		tcp_work(s->tcp, ref->tcp);
	}
	return 0;
}

static int get_ttl(struct sockets *s, const struct sock_ref *ref)
{
	uint8_t ttl = ref->tcp != NULL ? ref->tcp->ttl : ref->udp->ttl;

	return ttl != 0 ? ttl : (int)s->ctx->cfg.ip_ttl;
}

static int set_ttl(struct sockets *s, const struct sock_ref *ref, int value)
{
	(void)s;
	if (value != -1 && (value < 1 || value > 255))
		return -EINVAL;
	*(ref->tcp != NULL ? &ref->tcp->ttl : &ref->udp->ttl) = value == -1 ? 0 : (uint8_t)value;
	return 0;
}

static int get_tos(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return ref->tcp != NULL ? ref->tcp->tos : ref->udp->tos;
}

static int set_tos(struct sockets *s, const struct sock_ref *ref, int value)
{
	(void)s;
	/* the two ECN bits belong to TCP */
	if (ref->tcp != NULL)
		ref->tcp->tos = (uint8_t)(value & ~3);
	else
		ref->udp->tos = (uint8_t)value;
	return 0;
}

static int get_nodelay(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return has_flag(ref, TCB_NODELAY);
}

static int set_nodelay(struct sockets *s, const struct sock_ref *ref, int value)
{
	set_flag(ref, TCB_NODELAY, value);
	tcp_work(s->tcp, ref->tcp); /* what Nagle held back may go */
	return 0;
}

static int get_cork(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return has_flag(ref, TCB_CORK);
}

static int set_cork(struct sockets *s, const struct sock_ref *ref, int value)
{
	set_flag(ref, TCB_CORK, value);
	if (!value) {
		ref->tcp->flags &= ~(uint32_t)TCB_MORE;
		ref->tcp->flags |= TCB_PUSH;
		tcp_work(s->tcp, ref->tcp);
	}
	return 0;
}

static int get_quickack(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return has_flag(ref, TCB_QUICKACK);
}

static int set_quickack(struct sockets *s, const struct sock_ref *ref, int value)
{
	set_flag(ref, TCB_QUICKACK, value);
	tcp_work(s->tcp, ref->tcp);
	return 0;
}

static int get_maxseg(struct sockets *s, const struct sock_ref *ref)
{
	uint32_t wanted = tcp_tuning(s->tcp, ref->tcp)->maxseg;

	if (ref->tcp->mss != 0)
		return ref->tcp->mss;
	return wanted != 0 ? (int)wanted : MSS_DEFAULT;
}

/* ---- what is shared by sockets with the same values ------------------------------------------ */

static int tune(struct sockets *s, const struct sock_ref *ref, size_t member, uint32_t value)
{
	struct tcp_tuning want = *tcp_tuning(s->tcp, ref->tcp);
	int err;

	*(uint32_t *)(void *)((char *)&want + member) = value;
	err = tcp_tune(s->tcp, ref->tcp, &want);
	if (err == 0)
		tcp_keepalive_start(s->tcp, ref->tcp);
	return err;
}

static int set_maxseg(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value != 0 && (value < MSS_MIN || value > 32767))
		return -EINVAL;
	return tune(s, ref, offsetof(struct tcp_tuning, maxseg), (uint32_t)value);
}

static int get_keepidle(struct sockets *s, const struct sock_ref *ref)
{
	return (int)(tcp_tuning(s->tcp, ref->tcp)->keepidle_ms / 1000);
}

static int set_keepidle(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value < 1 || value > 32767)
		return -EINVAL;
	return tune(s, ref, offsetof(struct tcp_tuning, keepidle_ms), (uint32_t)value * 1000);
}

static int get_keepintvl(struct sockets *s, const struct sock_ref *ref)
{
	return (int)(tcp_tuning(s->tcp, ref->tcp)->keepintvl_ms / 1000);
}

static int set_keepintvl(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value < 1 || value > 32767)
		return -EINVAL;
	return tune(s, ref, offsetof(struct tcp_tuning, keepintvl_ms), (uint32_t)value * 1000);
}

static int get_keepcnt(struct sockets *s, const struct sock_ref *ref)
{
	return (int)tcp_tuning(s->tcp, ref->tcp)->keepcnt;
}

static int set_keepcnt(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value < 1 || value > 127)
		return -EINVAL;
	return tune(s, ref, offsetof(struct tcp_tuning, keepcnt), (uint32_t)value);
}

static int get_user_timeout(struct sockets *s, const struct sock_ref *ref)
{
	return (int)tcp_tuning(s->tcp, ref->tcp)->user_timeout_ms;
}

static int set_user_timeout(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value < 0)
		return -EINVAL;
	return tune(s, ref, offsetof(struct tcp_tuning, user_timeout_ms), (uint32_t)value);
}

static int get_syncnt(struct sockets *s, const struct sock_ref *ref)
{
	uint32_t n = tcp_tuning(s->tcp, ref->tcp)->syncnt;

	return n != 0 ? (int)n : (int)s->tcp->ctx->cfg.tcp_syn_retries;
}

static int set_syncnt(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value < 1 || value > 127)
		return -EINVAL;
	return tune(s, ref, offsetof(struct tcp_tuning, syncnt), (uint32_t)value);
}

/* as on Linux kept in time-outs of the SYN-ACK, so that what is read is what it comes to */
static int get_defer_accept(struct sockets *s, const struct sock_ref *ref)
{
	return (int)syncache_seconds(&s->tcp->ctx->cfg, tcp_tuning(s->tcp, ref->tcp)->defer);
}

static int set_defer_accept(struct sockets *s, const struct sock_ref *ref, int value)
{
	uint32_t n = syncache_timeouts(&s->tcp->ctx->cfg, (uint32_t)RTE_MAX(value, 0));

	return tune(s, ref, offsetof(struct tcp_tuning, defer), n);
}

static int get_window_clamp(struct sockets *s, const struct sock_ref *ref)
{
	return (int)tcp_tuning(s->tcp, ref->tcp)->window_clamp;
}

static int set_window_clamp(struct sockets *s, const struct sock_ref *ref, int value)
{
	const int least = 1152; /* Linux's, half of its smallest buffer */

	if (value == 0 && ref->tcp->state != TCP_S_CLOSED)
		return -EINVAL;
	value = value == 0 ? 0 : RTE_MAX(value, least);
	return tune(s, ref, offsetof(struct tcp_tuning, window_clamp), (uint32_t)value);
}

static const struct option options[] = {
    {SOL_SOCKET, SO_ERROR, get_error, NULL},
    {SOL_SOCKET, SO_TYPE, get_type, NULL},
    {SOL_SOCKET, SO_DOMAIN, get_domain, NULL},
    {SOL_SOCKET, SO_PROTOCOL, get_protocol, NULL},
    {SOL_SOCKET, SO_ACCEPTCONN, get_acceptconn, NULL},
    {SOL_SOCKET, SO_REUSEADDR, get_reuseaddr, set_reuseaddr},
    {SOL_SOCKET, SO_REUSEPORT, get_reuseport, set_reuseport},
    {SOL_SOCKET, SO_KEEPALIVE, get_keepalive, set_keepalive},
    {SOL_SOCKET, SO_BROADCAST, get_broadcast, set_broadcast},
    {SOL_SOCKET, SO_SNDBUF, get_sndbuf, set_sndbuf},
    {SOL_SOCKET, SO_RCVBUF, get_rcvbuf, set_rcvbuf},
    {IPPROTO_IP, IP_TTL, get_ttl, set_ttl},
    {IPPROTO_IP, IP_TOS, get_tos, set_tos},
    {IPPROTO_TCP, TCP_NODELAY, get_nodelay, set_nodelay},
    {IPPROTO_TCP, TCP_CORK, get_cork, set_cork},
    {IPPROTO_TCP, TCP_QUICKACK, get_quickack, set_quickack},
    {IPPROTO_TCP, TCP_MAXSEG, get_maxseg, set_maxseg},
    {IPPROTO_TCP, TCP_KEEPIDLE, get_keepidle, set_keepidle},
    {IPPROTO_TCP, TCP_KEEPINTVL, get_keepintvl, set_keepintvl},
    {IPPROTO_TCP, TCP_KEEPCNT, get_keepcnt, set_keepcnt},
    {IPPROTO_TCP, TCP_SYNCNT, get_syncnt, set_syncnt},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT, get_defer_accept, set_defer_accept},
    {IPPROTO_TCP, TCP_WINDOW_CLAMP, get_window_clamp, set_window_clamp},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, get_user_timeout, set_user_timeout},
};

static const struct option *find_option(const struct sock_ref *ref, int level, int name)
{
	if (level == IPPROTO_TCP && ref->tcp == NULL)
		return NULL;
	for (size_t i = 0; i < RTE_DIM(options); i++)
		if (options[i].level == level && options[i].name == name)
			return &options[i];
	return NULL;
}

/* ---- structs --------------------------------------------------------------------------------- */

static int set_linger(const struct sock_ref *ref, const struct linger *l)
{
	set_flag(ref, TCB_LINGER, l->l_onoff);
	return set_flag(ref, TCB_LINGER_0, l->l_onoff && l->l_linger == 0);
}

/* Linux: a name of at most 15 bytes, with or without its end; ENOENT for one that nobody has */
static int set_congestion(struct sockets *s, struct tcb *t, const char *name, socklen_t len)
{
	int index;

	if (len < 1)
		return -EINVAL;
	index = cc_find(name, strnlen(name, RTE_MIN((size_t)len, CC_NAME_MAX - 1u)));
	if (index < 0)
		return -ENOENT;
	cc_use(t, tcp_queues(s->tcp, t), (unsigned)index);
	return 0;
}

/* Linux: 32 bits, or 64 where there is room for them; all ones: unlimited */
static int set_max_pacing_rate(struct sockets *s, struct tcb *t, const void *value, socklen_t len)
{
	struct tcp_tuning want = *tcp_tuning(s->tcp, t);
	uint64_t rate = UINT64_MAX;
	uint32_t narrow;

	if (len < sizeof(narrow))
		return -EINVAL;
	if (len >= sizeof(rate)) {
		memcpy(&rate, value, sizeof(rate));
	} else {
		memcpy(&narrow, value, sizeof(narrow));
		if (narrow != UINT32_MAX)
			rate = narrow;
	}
	/* 0 would stop the connection for good: as slow as can be, as on Linux */
	want.max_pacing_rate = rate == UINT64_MAX ? 0 : RTE_MAX(rate, UINT64_C(1));
	return tcp_tune(s->tcp, t, &want);
}

static int copy_result(const void *from, size_t size, void *value, socklen_t *len)
{
	size_t n = RTE_MIN((size_t)*len, size);

	memcpy(value, from, n);
	*len = (socklen_t)n;
	return 0;
}

static int get_max_pacing_rate(struct sockets *s, const struct tcb *t, void *value, socklen_t *len)
{
	uint64_t rate = tcp_tuning(s->tcp, t)->max_pacing_rate;
	uint32_t narrow;

	if (rate == 0)
		rate = UINT64_MAX;
	narrow = (uint32_t)RTE_MIN(rate, (uint64_t)UINT32_MAX);
	return *len < sizeof(rate) ? copy_result(&narrow, sizeof(narrow), value, len)
	                           : copy_result(&rate, sizeof(rate), value, len);
}

int pc_getsockopt(struct pc_stack *st, int fd, int level, int name, void *value, socklen_t *len)
{
	struct sockets *s = sockets_of(st);
	const struct option *o;
	struct sock_ref ref;
	int number;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if ((int)*len < 0)
		return (int)sock_fail(-EINVAL);
	if (level == SOL_SOCKET && name == SO_LINGER) {
		struct linger l = {.l_onoff = has_flag(&ref, TCB_LINGER)};

		return copy_result(&l, sizeof(l), value, len);
	}
	if (level == IPPROTO_TCP && name == TCP_INFO && ref.tcp != NULL) {
		struct tcp_info info;

		tcp_info_fill(s->tcp, ref.tcp, &info);
		return copy_result(&info, sizeof(info), value, len);
	}
	if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE && ref.tcp != NULL)
		return get_max_pacing_rate(s, ref.tcp, value, len);
	if (level == IPPROTO_TCP && ref.udp != NULL)
		return (int)sock_fail(-EOPNOTSUPP);
	if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
		char congestion[CC_NAME_MAX] = "";

		strcpy(congestion, cc_of(ref.tcp)->name);
		return copy_result(congestion, sizeof(congestion), value, len);
	}
	o = find_option(&ref, level, name);
	if (o == NULL)
		return (int)sock_fail(-ENOPROTOOPT);
	number = o->get(s, &ref);
	return copy_result(&number, sizeof(number), value, len);
}

int pc_setsockopt(struct pc_stack *st, int fd, int level, int name, const void *value,
                  socklen_t len)
{
	struct sockets *s = sockets_of(st);
	const struct option *o;
	struct sock_ref ref;
	int number;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (level == SOL_SOCKET && name == SO_LINGER) {
		if (len < sizeof(struct linger))
			return (int)sock_fail(-EINVAL);
		return set_linger(&ref, value);
	}
	if (level == SOL_SOCKET && name == SO_MAX_PACING_RATE && ref.tcp != NULL)
		return (int)sock_fail(set_max_pacing_rate(s, ref.tcp, value, len));
	if (level == IPPROTO_TCP && name == TCP_CONGESTION && ref.tcp != NULL)
		return (int)sock_fail(set_congestion(s, ref.tcp, value, len));
	o = find_option(&ref, level, name);
	if (o == NULL || o->set == NULL)
		return (int)sock_fail(-ENOPROTOOPT);
	if (len < sizeof(number))
		return (int)sock_fail(-EINVAL);
	memcpy(&number, value, sizeof(number));
	return (int)sock_fail(o->set(s, &ref, number));
}
