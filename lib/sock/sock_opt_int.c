/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket options whose value is an int, as a table: level, name, how to get, how to set.  A row
 * without a setter is read-only (ENOPROTOOPT on a set, as on Linux).
 */
#include "sock/sock_opt.h"

#include "base/seq.h"
#include "tcp/cc.h"
#include "tcp/fastopen.h"
#include "tcp/rtt.h"
#include "tcp/tcp_conn.h"
#include "tcp/window.h"

#ifndef IP_PROTOCOL
#define IP_PROTOCOL 52
#endif

/* most for SO_SNDBUF and SO_RCVBUF; as on Linux, a negative value is a large one */
#define BUFFER_MOST (UINT32_C(1) << 29)

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
	if (ref->tcp != NULL)
		return SOCK_STREAM;
	if (ref->udp->kind == UDP_PACKET)
		return ref->udp->cooked ? SOCK_DGRAM : SOCK_RAW;
	return ref->udp->kind == UDP_RAW ? SOCK_RAW : SOCK_DGRAM;
}

static int get_domain(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	if (ref->udp != NULL && ref->udp->kind == UDP_PACKET)
		return AF_PACKET;
	return sock_is_ip6(ref) ? AF_INET6 : AF_INET;
}

static int get_protocol(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	if (ref->tcp != NULL)
		return IPPROTO_TCP;
	if (ref->udp->kind == UDP_PACKET)
		return __builtin_bswap16(ref->udp->ethertype);
	return ref->udp->kind == UDP_RAW ? ref->udp->proto : IPPROTO_UDP;
}

/* IP_PROTOCOL: as on Linux, what the network knows the socket by: its port, or a raw one's
 * protocol */
static int get_number(struct sockets *s, const struct sock_ref *ref)
{
	if (ref->tcp != NULL)
		return tcp_local(s->tcp, ref->tcp).port;
	return ref->udp->kind == UDP_RAW ? ref->udp->proto : ref->udp->local.port;
}

static int get_header_included(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return ref->udp != NULL && ref->udp->header_included;
}

static int get_acceptconn(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return ref->tcp != NULL && ref->tcp->state == TCP_S_LISTEN;
}

static int get_reuseaddr(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return ref->udp != NULL ? ref->udp->reuse : sock_has_flag(ref, TCB_REUSEADDR);
}

static int set_reuseaddr(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (ref->udp != NULL)
		ref->udp->reuse = value != 0;
	else
		tcp_set_reuse(s->tcp, ref->tcp, value != 0);
	return 0;
}

static int get_reuseport(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return ref->udp != NULL ? ref->udp->reuseport : sock_has_flag(ref, TCB_REUSEPORT);
}

static int set_reuseport(struct sockets *s, const struct sock_ref *ref, int value)
{
	(void)s;
	if (ref->udp != NULL)
		ref->udp->reuseport = value != 0;
	return sock_set_flag(ref, TCB_REUSEPORT, value);
}

static int get_keepalive(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return sock_has_flag(ref, TCB_KEEPALIVE);
}

static int set_keepalive(struct sockets *s, const struct sock_ref *ref, int value)
{
	const bool was_on = sock_has_flag(ref, TCB_KEEPALIVE);

	sock_set_flag(ref, TCB_KEEPALIVE, value);
	if (ref->tcp != NULL && was_on != (value != 0))
		tcp_keepalive_start(s->tcp, ref->tcp);
	return 0;
}

static int get_broadcast(struct sockets *s, const struct sock_ref *ref)
{
	return ref->udp != NULL ? ref->udp->broadcast
	                        : (int)tcp_tuning(s->tcp, ref->tcp)->broadcast;
}

static int get_sndbuf(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return (int)(ref->tcp != NULL ? ref->tcp->snd_max : ref->udp->snd_max);
}

/* As on Linux, a sender that was refused learns that the new setting has made room. */
static void tell_room(struct sockets *s, struct tcb *t)
{
	const uint32_t waits = TCB_NOSPACE | TCB_CONNECTED;

	if ((t->flags & waits) == waits)
		(void)tcp_tell_space(s->tcp, t);
}

static int set_sndbuf(struct sockets *s, const struct sock_ref *ref, int value)
{
	uint32_t bytes = RTE_MIN(RTE_MAX((uint32_t)value, 4096u), BUFFER_MOST);

	*(ref->tcp != NULL ? &ref->tcp->snd_max : &ref->udp->snd_max) = bytes;
	if (ref->tcp != NULL)
		tell_room(s, ref->tcp);
	return sock_set_flag(ref, TCB_SNDBUF_SET, 1); /* as on Linux, ends auto-tuning */
}

static int get_rcvbuf(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return (int)(ref->tcp != NULL ? ref->tcp->rcv_max : ref->udp->rcv_max);
}

static int set_rcvbuf(struct sockets *s, const struct sock_ref *ref, int value)
{
	uint32_t bytes = RTE_MIN(RTE_MAX((uint32_t)value, 2048u), BUFFER_MOST);

	*(ref->tcp != NULL ? &ref->tcp->rcv_max : &ref->udp->rcv_max) = bytes;
	if (ref->tcp != NULL) {
		ref->tcp->flags |= TCB_WINDOW_UPDATE | TCB_RCVBUF_SET;
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

static int get_v6only(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return sock_is_v6only(ref);
}

static int set_v6only(struct sockets *s, const struct sock_ref *ref, int value)
{
	const struct tcb *t = ref->tcp;

	(void)s;
	/* as on Linux, a connection that is over has no port unless bind() gave it one */
	if (t != NULL ? t->state != TCP_S_CLOSED || (t->flags & TCB_BOUND) : ref->udp->bound)
		return -EINVAL;
	if (ref->udp != NULL)
		ref->udp->v6only = value != 0;
	return sock_set_flag(ref, TCB_V6ONLY, value);
}

static int set_tclass(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value < -1 || value > 255)
		return -EINVAL;
	return set_tos(s, ref, value == -1 ? 0 : value);
}

static int get_mtu(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	if (ref->tcp != NULL ? ref->tcp->path_mtu == 0 : ref->udp->path.mtu == 0)
		return -ENOTCONN;
	return ref->tcp != NULL ? ref->tcp->path_mtu : ref->udp->path.mtu;
}

/* For TCP, as on Linux, without effect: its segments are never fragmented. */
static int set_mtu6(struct sockets *s, const struct sock_ref *ref, int value)
{
	(void)s, (void)ref;
	return sock_is_mtu6(value) ? 0 : -EINVAL;
}

static int get_nodelay(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return sock_has_flag(ref, TCB_NODELAY);
}

static int set_nodelay(struct sockets *s, const struct sock_ref *ref, int value)
{
	sock_set_flag(ref, TCB_NODELAY, value);
	/* "setting this option forces an explicit flush of pending output, even if TCP_CORK is
	 * currently set" (tcp(7)) */
	if (value && tcp_unsent(ref->tcp) > 0)
		ref->tcp->flags |= TCB_PUSH;
	tcp_work(s->tcp, ref->tcp); /* what Nagle held back may be sent */
	return 0;
}

static int get_cork(struct sockets *s, const struct sock_ref *ref)
{
	(void)s;
	return sock_has_flag(ref, TCB_CORK);
}

static int set_cork(struct sockets *s, const struct sock_ref *ref, int value)
{
	sock_set_flag(ref, TCB_CORK, value);
	if (!value) {
		ref->tcp->flags &= ~(uint32_t)TCB_MORE;
		if (tcp_unsent(ref->tcp) > 0)
			ref->tcp->flags |= TCB_PUSH;
		tcp_work(s->tcp, ref->tcp);
	}
	return 0;
}

static int get_quickack(struct sockets *s, const struct sock_ref *ref)
{
	/* by default, a connection that only receives acknowledges at once: 1, as on Linux */
	return !(tcp_tuning(s->tcp, ref->tcp)->kept.truths & KEPT_NO_QUICKACK);
}

static int set_quickack(struct sockets *s, const struct sock_ref *ref, int value)
{
	struct tcp_tuning want = *tcp_tuning(s->tcp, ref->tcp);
	int err;

	want.kept.truths &= ~KEPT_NO_QUICKACK;
	want.kept.truths |= value ? 0 : KEPT_NO_QUICKACK;
	err = tcp_tune(s->tcp, ref->tcp, &want);
	if (err != 0)
		return err;
	sock_set_flag(ref, TCB_QUICKACK, value);
	if (!value) /* not even the first ones are quick then */
		ref->tcp->quick = 0;
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

/* ---- settings shared by sockets with equal values -------------------------------------------- */

static int tune(struct sockets *s, const struct sock_ref *ref, size_t member, uint32_t value)
{
	struct tcp_tuning want = *tcp_tuning(s->tcp, ref->tcp);

	*(uint32_t *)(void *)((char *)&want + member) = value;
	return tcp_tune(s->tcp, ref->tcp, &want);
}

/* without effect on TCP, but stored */
static int set_broadcast(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (ref->tcp != NULL)
		return tune(s, ref, offsetof(struct tcp_tuning, broadcast), value != 0);
	ref->udp->broadcast = value != 0;
	return 0;
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
	int err;

	if (value < 1 || value > 32767)
		return -EINVAL;
	err = tune(s, ref, offsetof(struct tcp_tuning, keepidle_ms), (uint32_t)value * 1000);
	if (err == 0)
		tcp_keepalive_adjust(s->tcp, ref->tcp);
	return err;
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

/* as on Linux, stored as a number of SYN-ACK timeouts, so that reading returns the rounded time */
static int get_defer_accept(struct sockets *s, const struct sock_ref *ref)
{
	return (int)syncache_seconds(&s->tcp->ctx->cfg, tcp_tuning(s->tcp, ref->tcp)->defer);
}

static int set_defer_accept(struct sockets *s, const struct sock_ref *ref, int value)
{
	uint32_t n = syncache_timeouts(&s->tcp->ctx->cfg, (uint32_t)RTE_MAX(value, 0));

	return tune(s, ref, offsetof(struct tcp_tuning, defer), n);
}

/* of a connection that has none, as on Linux the most that its buffer lets it advertise */
static int get_window_clamp(struct sockets *s, const struct sock_ref *ref)
{
	const struct tcb *t = ref->tcp;
	const uint32_t clamp = tcp_tuning(s->tcp, t)->window_clamp;

	if (clamp != 0 || t->state == TCP_S_CLOSED || t->state == TCP_S_LISTEN)
		return (int)clamp;
	return (int)tcp_window_most(t);
}

static int set_window_clamp(struct sockets *s, const struct sock_ref *ref, int value)
{
	const int least = 1152; /* Linux's, half of its smallest buffer */

	if (value == 0 && ref->tcp->state != TCP_S_CLOSED)
		return -EINVAL;
	value = value == 0 ? 0 : RTE_MAX(value, least);
	return tune(s, ref, offsetof(struct tcp_tuning, window_clamp), (uint32_t)value);
}

static int get_fastopen(struct sockets *s, const struct sock_ref *ref)
{
	return (int)tcp_tuning(s->tcp, ref->tcp)->fastopen;
}

static int set_fastopen(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value < 0 || (ref->tcp->state != TCP_S_CLOSED && ref->tcp->state != TCP_S_LISTEN))
		return -EINVAL;
	return tune(s, ref, offsetof(struct tcp_tuning, fastopen), (uint32_t)value);
}

static int get_fastopen_connect(struct sockets *s, const struct sock_ref *ref)
{
	return (int)tcp_tuning(s->tcp, ref->tcp)->fastopen_connect;
}

static int set_fastopen_connect(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value < 0 || value > 1 || ref->tcp->state != TCP_S_CLOSED)
		return -EINVAL;
	if (!(s->ctx->cfg.tcp_fastopen & FASTOPEN_CLIENT))
		return -EOPNOTSUPP;
	return tune(s, ref, offsetof(struct tcp_tuning, fastopen_connect), (uint32_t)value);
}

static int get_notsent_lowat(struct sockets *s, const struct sock_ref *ref)
{
	return (int)tcp_tuning(s->tcp, ref->tcp)->notsent_lowat;
}

static int set_notsent_lowat(struct sockets *s, const struct sock_ref *ref, int value)
{
	int err = tune(s, ref, offsetof(struct tcp_tuning, notsent_lowat), (uint32_t)value);

	tell_room(s, ref->tcp);
	return err;
}

/* Linux refuses the same values of the next three, and those below two jiffies. It rounds up to
 * jiffies; percore rounds each deadline to a tick. */
#define DELAY_MOST_US 200000

static int get_rto_max(struct sockets *s, const struct sock_ref *ref)
{
	return (int)(rtt_max_us(s->tcp, ref->tcp) / 1000);
}

static int set_rto_max(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value < 1000 || value > 120000)
		return -EINVAL;
	return tune(s, ref, offsetof(struct tcp_tuning, rto_max_us), (uint32_t)value * 1000);
}

static int get_rto_min(struct sockets *s, const struct sock_ref *ref)
{
	return (int)rtt_min_us(s->tcp, ref->tcp);
}

static int set_rto_min(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value < 1 || value > DELAY_MOST_US)
		return -EINVAL;
	return tune(s, ref, offsetof(struct tcp_tuning, rto_min_us), (uint32_t)value);
}

static int get_delack_max(struct sockets *s, const struct sock_ref *ref)
{
	return (int)tcp_own(tcp_tuning(s->tcp, ref->tcp)->delack_max_us,
	                    (uint32_t)s->tcp->ctx->cfg.tcp_delack_ms * 1000);
}

static int set_delack_max(struct sockets *s, const struct sock_ref *ref, int value)
{
	if (value < 1 || value > DELAY_MOST_US)
		return -EINVAL;
	return tune(s, ref, offsetof(struct tcp_tuning, delack_max_us), (uint32_t)value);
}

static const struct sock_option options[] = {
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
    {IPPROTO_IP, IP_MTU, get_mtu, NULL},
    {IPPROTO_IP, IP_PROTOCOL, get_number, NULL},
    {IPPROTO_IP, IP_HDRINCL, get_header_included, NULL}, /* sock_raw.c sets it */
    {IPPROTO_IPV6, IPV6_V6ONLY, get_v6only, set_v6only},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, get_ttl, set_ttl},
    {IPPROTO_IPV6, IPV6_TCLASS, get_tos, set_tclass},
    {IPPROTO_IPV6, IPV6_MTU, get_mtu, set_mtu6},
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
    {IPPROTO_TCP, TCP_FASTOPEN, get_fastopen, set_fastopen},
    {IPPROTO_TCP, TCP_FASTOPEN_CONNECT, get_fastopen_connect, set_fastopen_connect},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, get_notsent_lowat, set_notsent_lowat},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, get_user_timeout, set_user_timeout},
    {IPPROTO_TCP, TCP_RTO_MAX_MS, get_rto_max, set_rto_max},
    {IPPROTO_TCP, TCP_RTO_MIN_US, get_rto_min, set_rto_min},
    {IPPROTO_TCP, TCP_DELACK_MAX_US, get_delack_max, set_delack_max},
};

const struct sock_option *sock_option_find(const struct sock_ref *ref, int level, int name)
{
	if ((level == IPPROTO_TCP && ref->tcp == NULL) ||
	    (level == IPPROTO_IPV6 && !sock_is_ip6(ref)))
		return NULL;
	for (size_t i = 0; i < RTE_DIM(options); i++)
		if (options[i].level == level && options[i].name == name)
			return &options[i];
	return NULL;
}
