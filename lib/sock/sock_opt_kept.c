/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket options that are stored and read back, as a table: what Linux accepts and reports.
 *
 * Programs set them for the kernel's sake, or to probe for them, and fail without them. TCP's are
 * in the set of rarely used settings (struct tcp_tuning), so that an accepted socket inherits its
 * listener's.
 */
#include "sock/sock_opt_kept.h"

#include <string.h>

#include <asm/socket.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include "sock/sock_opt.h"

/* missing from older systems' headers; Linux's values */
#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif
#ifndef SO_BUSY_POLL_BUDGET
#define SO_BUSY_POLL_BUDGET 70
#endif
#ifndef SO_RCVPRIORITY
#define SO_RCVPRIORITY 82
#endif
#ifndef IP_RECVERR_RFC4884
#define IP_RECVERR_RFC4884 26
#endif
#ifndef IPV6_RECVERR_RFC4884
#define IPV6_RECVERR_RFC4884 31
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IPV6_ADDR_PREFERENCES
#define IPV6_ADDR_PREFERENCES 72
#endif
#ifndef IPV6_2292HOPLIMIT
#define IPV6_2292HOPLIMIT 8
#endif
#ifndef IPV6_ROUTER_ALERT_ISOLATE
#define IPV6_ROUTER_ALERT_ISOLATE 30
#endif
#ifndef IPV6_FLOWINFO_SEND
#define IPV6_FLOWINFO_SEND 33
#endif
#ifndef IPV6_RECVFRAGSIZE
#define IPV6_RECVFRAGSIZE 77
#endif
#ifndef SO_TXREHASH
#define SO_TXREHASH 74
#endif
#ifndef TCP_TX_DELAY
#define TCP_TX_DELAY 37
#endif
#ifndef TCP_IS_MPTCP
#define TCP_IS_MPTCP 43
#endif
#ifndef IPV6_FLOWINFO
#define IPV6_FLOWINFO 11
#endif

/* SOF_TIMESTAMPING_OPT_ID_TCP, missing likewise */
#define STAMPS_ID_TCP (1u << 16)

enum kind {
	TRUTH,   /* any value: 0 or 1 */
	STRICT,  /* 0 or 1; others are refused */
	REHASH,  /* as STRICT, but -1: the default */
	ONCE,    /* as TRUTH, but cannot be turned off again */
	NOTHING, /* accepted, but reads as 0; if most is 1, others are refused */
	UNTOLD,  /* 0 to most; cannot be read */
	FIXED,   /* read-only */
	REFUSED, /* likewise, but as a value that is wrong */
	NUMBER,  /* any value */
	COUNT,   /* 0 to most */
	STAMPS,  /* SOF_TIMESTAMPING_*, up to most */
	LOWAT,   /* 1 or more; 0: 1, negative: as much as possible */
	SMALL,   /* 0 to most, stored in a byte */
	LINGER2, /* TCP_LINGER2: seconds, up to most; 0: the default, negative: -1 */
	PREFERS, /* RFC 5014: bits in three groups, each with a default */
	PORTS,   /* two ports, the first in the low half, the last in the high; 0: none */
};

struct kept_option {
	int level, name;
	uint8_t of, kind;
	uint16_t at; /* offset in struct kept, or bit */
	/* the default; the difference from it is stored, or for truths whether there is one */
	int32_t base;
	int32_t most;
};

#define AT(member) offsetof(struct kept, member)

static const struct kept_option options[] = {
    {SOL_SOCKET, SO_PRIORITY, OF_ALL, NUMBER, AT(priority), 0, 0},
    {SOL_SOCKET, SO_MARK, OF_ALL, NUMBER, AT(mark), 0, 0},
    {SOL_SOCKET, SO_BUSY_POLL, OF_ALL, COUNT, AT(busy_poll), 0, INT32_MAX},
    {SOL_SOCKET, SO_INCOMING_CPU, OF_ALL, NUMBER, AT(cpu), -1, 0},
    {SOL_SOCKET, SO_RCVLOWAT, OF_ALL, LOWAT, AT(rcvlowat), 1, 0},
    {SOL_SOCKET, SO_TIMESTAMPING_OLD, OF_ALL, STAMPS, AT(timestamping), 0, (1 << 19) - 1},
    {SOL_SOCKET, SO_SNDLOWAT, OF_ALL, FIXED, 0, 1, 0},
    {SOL_SOCKET, SO_INCOMING_NAPI_ID, OF_ALL, FIXED, 0, 0, 0},
    {SOL_SOCKET, SO_BSDCOMPAT, OF_ALL, NOTHING, 0, 0, INT32_MAX},
    {SOL_SOCKET, SO_DONTROUTE, OF_ALL, TRUTH, 0, 0, 0},
    {SOL_SOCKET, SO_DEBUG, OF_ALL, TRUTH, 1, 0, 0},
    {SOL_SOCKET, SO_WIFI_STATUS, OF_ALL, TRUTH, 2, 0, 0},
    {SOL_SOCKET, SO_NOFCS, OF_ALL, TRUTH, 3, 0, 0},
    {SOL_SOCKET, SO_SELECT_ERR_QUEUE, OF_ALL, TRUTH, 4, 0, 0},
    {SOL_SOCKET, SO_PREFER_BUSY_POLL, OF_ALL, TRUTH, 5, 0, 0},
    {SOL_SOCKET, SO_BUSY_POLL_BUDGET, OF_ALL, UNTOLD, 0, 0, UINT16_MAX},
    {SOL_SOCKET, SO_LOCK_FILTER, OF_ALL, ONCE, 6, 0, 0},
    {SOL_SOCKET, SO_NO_CHECK, OF_TCP, TRUTH, 7, 0, 0},
    {SOL_SOCKET, SO_RXQ_OVFL, OF_TCP, TRUTH, 8, 0, 0},
    {SOL_SOCKET, SO_TIMESTAMP, OF_TCP, TRUTH, 9, 0, 0},
    {SOL_SOCKET, SO_TIMESTAMPNS, OF_TCP, TRUTH, 10, 0, 0},
    {IPPROTO_IP, IP_RECVERR, OF_TCP, TRUTH, 11, 0, 0},
    {IPPROTO_IP, IP_PKTINFO, OF_TCP, TRUTH, 12, 0, 0},
    {IPPROTO_IP, IP_RECVTOS, OF_TCP, TRUTH, 13, 0, 0},
    {IPPROTO_IP, IP_RECVTTL, OF_TCP, TRUTH, 14, 0, 0},
    {IPPROTO_IP, IP_RECVOPTS, OF_ALL, TRUTH, 15, 0, 0},
    {IPPROTO_IP, IP_RETOPTS, OF_ALL, TRUTH, 16, 0, 0},
    {IPPROTO_IP, IP_PASSSEC, OF_ALL, TRUTH, 17, 0, 0},
    {IPPROTO_IP, IP_TRANSPARENT, OF_ALL, TRUTH, 18, 0, 0},
    {IPPROTO_IP, IP_FREEBIND, OF_ALL, TRUTH, 19, 0, 0},
    {IPPROTO_IP, IP_RECVORIGDSTADDR, OF_TCP, TRUTH, 20, 0, 0},
    {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, OF_ALL, TRUTH, 21, 0, 0},
    {IPPROTO_IP, IP_MULTICAST_LOOP, OF_TCP, TRUTH, 22, 1, 0},
    {IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, OF_TCP, STRICT, 23, 0, 0},
    {SOL_SOCKET, SO_ZEROCOPY, OF_TCP, STRICT, 26, 0, 0},
    {IPPROTO_TCP, TCP_INQ, OF_TCP, STRICT, 27, 0, 0},
    {SOL_SOCKET, SO_RCVMARK, OF_ALL, TRUTH, 28, 0, 0},
    {SOL_SOCKET, SO_RCVPRIORITY, OF_ALL, TRUTH, 29, 0, 0},
    {SOL_SOCKET, SO_BUF_LOCK, OF_ALL, SMALL, 0, 0, 3},
    {SOL_SOCKET, SO_BPF_EXTENSIONS, OF_ALL, FIXED, 0, 64, 0},
    {IPPROTO_IP, IP_MTU_DISCOVER, OF_TCP, SMALL, 1, IP_PMTUDISC_WANT, IP_PMTUDISC_OMIT},
    {IPPROTO_IP, IP_MINTTL, OF_ALL, SMALL, KEPT_MINTTL, 0, 255},
    {IPPROTO_IP, IP_NODEFRAG, OF_ALL, FIXED, 0, 0, 0},
    {IPPROTO_IP, IP_CHECKSUM, OF_ALL, TRUTH, 30, 0, 0},
    {IPPROTO_IP, IP_RECVERR_RFC4884, OF_ALL, STRICT, 31, 0, 0},
    {IPPROTO_IP, IP_MULTICAST_TTL, OF_TCP, REFUSED, 0, 1, 0},
    {IPPROTO_IP, IP_MULTICAST_ALL, OF_TCP, STRICT, 32, 1, 0},
    {IPPROTO_IP, IP_LOCAL_PORT_RANGE, OF_ALL, PORTS, 0, 0, 0},
    {IPPROTO_TCP, TCP_LINGER2, OF_TCP, LINGER2, 3, 60, 120},
    {IPPROTO_TCP, TCP_THIN_DUPACK, OF_TCP, NOTHING, 0, 0, 1},
    {IPPROTO_IPV6, IPV6_2292PKTINFO, OF_ALL, TRUTH, 33, 0, 0},
    {IPPROTO_IPV6, IPV6_2292HOPOPTS, OF_ALL, TRUTH, 34, 0, 0},
    {IPPROTO_IPV6, IPV6_2292DSTOPTS, OF_ALL, TRUTH, 35, 0, 0},
    {IPPROTO_IPV6, IPV6_2292RTHDR, OF_ALL, TRUTH, 36, 0, 0},
    {IPPROTO_IPV6, IPV6_2292HOPLIMIT, OF_ALL, TRUTH, 37, 0, 0},
    {IPPROTO_IPV6, IPV6_FLOWINFO, OF_ALL, TRUTH, 38, 0, 0},
    {IPPROTO_IPV6, IPV6_MULTICAST_IF, OF_TCP, FIXED, 0, 0, 0},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, OF_TCP, FIXED, 0, 1, 0},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, OF_TCP, STRICT, 39, 1, 0},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, OF_TCP, SMALL, 4, IP_PMTUDISC_WANT, IP_PMTUDISC_OMIT},
    {IPPROTO_IPV6, IPV6_RECVERR, OF_TCP, TRUTH, 40, 0, 0},
    {IPPROTO_IPV6, IPV6_MULTICAST_ALL, OF_TCP, TRUTH, 41, 1, 0},
    {IPPROTO_IPV6, IPV6_RECVERR_RFC4884, OF_ALL, STRICT, 42, 0, 0},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, OF_TCP, TRUTH, 43, 0, 0},
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT, OF_TCP, TRUTH, 44, 0, 0},
    {IPPROTO_IPV6, IPV6_RECVTCLASS, OF_TCP, TRUTH, 45, 0, 0},
    {IPPROTO_IPV6, IPV6_RECVHOPOPTS, OF_ALL, TRUTH, 46, 0, 0},
    {IPPROTO_IPV6, IPV6_RECVRTHDR, OF_ALL, TRUTH, 47, 0, 0},
    {IPPROTO_IPV6, IPV6_RECVDSTOPTS, OF_ALL, TRUTH, 48, 0, 0},
    {IPPROTO_IPV6, IPV6_RECVPATHMTU, OF_ALL, TRUTH, 49, 0, 0},
    {IPPROTO_IPV6, IPV6_DONTFRAG, OF_ALL, TRUTH, 50, 0, 0},
    {IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, OF_ALL, TRUTH, 51, 1, 0},
    {IPPROTO_IPV6, IPV6_ORIGDSTADDR, OF_TCP, TRUTH, 52, 0, 0},
    {IPPROTO_IP, IP_ROUTER_ALERT, OF_ALL, FIXED, 0, 0, 0},
    {IPPROTO_IP, IP_RECVFRAGSIZE, OF_TCP, REFUSED, 0, 0, 0},
    {IPPROTO_IP, IP_RECVFRAGSIZE, OF_OTHERS, TRUTH, 53, 0, 0},
    {IPPROTO_IPV6, IPV6_FLOWINFO_SEND, OF_ALL, TRUTH, 54, 0, 0},
    {IPPROTO_IPV6, IPV6_ROUTER_ALERT_ISOLATE, OF_ALL, TRUTH, 55, 0, 0},
    {IPPROTO_IPV6, IPV6_RECVFRAGSIZE, OF_ALL, TRUTH, 56, 0, 0},
    {IPPROTO_IPV6, IPV6_MINHOPCOUNT, OF_ALL, SMALL, KEPT_MINHOPS, 0, 255},
    {IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, OF_ALL, PREFERS, 7, 0, 0},
    {IPPROTO_IPV6, IPV6_TRANSPARENT, OF_ALL, TRUTH, 18, 0, 0},
    {IPPROTO_IPV6, IPV6_FREEBIND, OF_ALL, TRUTH, 19, 0, 0},
    {SOL_SOCKET, SO_OOBINLINE, OF_TCP, TRUTH, 58, 1, 0},
    {IPPROTO_UDP, UDP_NO_CHECK6_TX, OF_OTHERS, TRUTH, 24, 0, 0},
    {IPPROTO_UDP, UDP_NO_CHECK6_RX, OF_OTHERS, TRUTH, 25, 0, 0},
    {SOL_SOCKET, SO_KEEPALIVE, OF_OTHERS, TRUTH, 57, 0, 0},
    {SOL_SOCKET, SO_OOBINLINE, OF_OTHERS, TRUTH, 58, 0, 0},
    {SOL_SOCKET, SO_TXREHASH, OF_TCP, REHASH, 59, 1, 0},
    {SOL_SOCKET, SO_TIMESTAMP_NEW, OF_TCP, TRUTH, 60, 0, 0},
    {SOL_SOCKET, SO_TIMESTAMPNS_NEW, OF_TCP, TRUTH, 61, 0, 0},
    {IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, OF_TCP, STRICT, 62, 0, 0},
    {IPPROTO_TCP, TCP_SAVE_SYN, OF_TCP, SMALL, 6, 0, 2},
    {IPPROTO_TCP, TCP_TX_DELAY, OF_TCP, COUNT, AT(tx_delay), 0, (1 << 28) - 1},
    {IPPROTO_TCP, TCP_IS_MPTCP, OF_TCP, FIXED, 0, 0, 0},
};

static const struct kept_option *find(const struct sock_ref *ref, int level, int name)
{
	for (size_t i = 0; i < RTE_DIM(options); i++)
		if (options[i].level == level && options[i].name == name &&
		    sock_option_is_of(ref, level, options[i].of))
			return &options[i];
	return NULL;
}

static const struct kept *kept_of(const struct sockets *s, const struct sock_ref *ref)
{
	return ref->tcp != NULL ? &tcp_tuning(s->tcp, ref->tcp)->kept : &ref->udp->kept;
}

static bool is_truth(const struct kept_option *o)
{
	return o->kind == TRUTH || o->kind == STRICT || o->kind == ONCE || o->kind == REHASH;
}

/* Linux's RFC 5014 values; those of cryptographic addresses are accepted but not reported */
enum {
	PREFER_TMP = 1,
	PREFER_PUBLIC = 2,
	PREFER_COA = 4,
	PREFER_CGA = 8,
	PREFER_PUBTMP_DEFAULT = 0x100,
	PREFER_HOME = 0x400,
	PREFER_NONCGA = 0x800,
};

static int read_preferences(uint8_t kept)
{
	const int pubtmp = kept & (PREFER_TMP | PREFER_PUBLIC), home = kept & PREFER_COA;

	return (pubtmp != 0 ? pubtmp : PREFER_PUBTMP_DEFAULT) | (home != 0 ? home : PREFER_HOME);
}

/* Says whether at most one of each group is set. */
static bool is_clear(int value)
{
	const int groups[] = {PREFER_TMP | PREFER_PUBLIC | PREFER_PUBTMP_DEFAULT,
	                      PREFER_COA | PREFER_HOME, PREFER_CGA | PREFER_NONCGA};

	for (size_t i = 0; i < RTE_DIM(groups); i++)
		if (__builtin_popcount((unsigned)(value & groups[i])) > 1)
			return false;
	return true;
}

static int read_kept(const struct kept *k, const struct kept_option *o)
{
	int32_t number;

	if (is_truth(o))
		return ((k->truths >> o->at & 1) != 0) != (o->base != 0);
	if (o->kind == FIXED || o->kind == REFUSED || o->kind == NOTHING)
		return o->base;
	if (o->kind == PORTS)
		return (int)((uint32_t)k->port_last << 16 | k->port_first);
	if (o->kind == SMALL)
		return (uint8_t)(k->small[o->at] + o->base);
	if (o->kind == PREFERS)
		return read_preferences(k->small[o->at]);
	if (o->kind == LINGER2)
		return (int8_t)(k->small[o->at] + o->base);
	memcpy(&number, (const char *)k + o->at, sizeof(number));
	return (int)((uint32_t)number + (uint32_t)o->base);
}

static void write_kept(struct kept *k, const struct kept_option *o, int value)
{
	const uint64_t bit = is_truth(o) ? UINT64_C(1) << o->at : 0;
	const uint32_t number = (uint32_t)value - (uint32_t)o->base;

	if (o->kind == NOTHING || o->kind == UNTOLD)
		return;
	if (o->kind == SMALL || o->kind == LINGER2 || o->kind == PREFERS)
		k->small[o->at] = (uint8_t)number;
	else if (o->kind == PORTS)
		k->port_first = (uint16_t)value, k->port_last = (uint16_t)((uint32_t)value >> 16);
	else if (!is_truth(o))
		memcpy((char *)k + o->at, &number, sizeof(number));
	else if ((value != 0) != (o->base != 0))
		k->truths |= bit;
	else
		k->truths &= ~bit;
}

static bool is_range(uint32_t value)
{
	const uint32_t first = value & UINT16_MAX, last = value >> 16;

	return first == 0 || last == 0 || first <= last;
}

/* Linux's rules about SO_TIMESTAMPING. Identifiers of a stream count its bytes, so that it must
 * have begun; a clock is one of the interface that the socket is bound to. */
static int judge_stamps(const struct sockets *s, const struct sock_ref *ref, unsigned flags)
{
	const unsigned before = (unsigned)kept_of(s, ref)->timestamping;
	const bool early = ref->tcp != NULL &&
	                   (ref->tcp->state == TCP_S_CLOSED || ref->tcp->state == TCP_S_LISTEN);

	if ((flags & STAMPS_ID_TCP) && !(flags & SOF_TIMESTAMPING_OPT_ID))
		return -EINVAL;
	if ((flags & ~before & SOF_TIMESTAMPING_OPT_ID) && early)
		return -EINVAL;
	if ((flags & SOF_TIMESTAMPING_OPT_STATS) && !(flags & SOF_TIMESTAMPING_OPT_TSONLY))
		return -EINVAL;
	return flags & SOF_TIMESTAMPING_BIND_PHC ? -EOPNOTSUPP : 0;
}

/* SO_RCVLOWAT: as on Linux, of a stream at most what its buffer is sure to hold, half of the
 * largest one */
static int limit_lowat(const struct sockets *s, const struct sock_ref *ref, int value)
{
	const uint32_t wanted = value < 0 ? INT32_MAX : (uint32_t)RTE_MAX(value, 1);

	if (ref->tcp == NULL)
		return (int)wanted;
	return (int)RTE_MIN(wanted, ref->tcp->flags & TCB_RCVBUF_SET
	                                ? ref->tcp->rcv_max
	                                : (uint32_t)s->ctx->cfg.tcp_rcvbuf_max / 2);
}

/* Checks a value and converts it to the stored form. Returns 0 or a negative errno. */
static int judge(const struct sockets *s, const struct sock_ref *ref, const struct kept_option *o,
                 int *value)
{
	switch (o->kind) {
	case REFUSED:
		return -EINVAL;
	case STRICT: /* without an account, copies could not be reported */
		if (o->name == SO_ZEROCOPY && ref->tcp->account == 0)
			return -ENOBUFS;
		return *value == 0 || *value == 1 ? 0 : -EINVAL;
	case REHASH:
		if (*value == -1)
			*value = o->base;
		return *value == 0 || *value == 1 ? 0 : -EINVAL;
	case ONCE:
		return *value == 0 && read_kept(kept_of(s, ref), o) ? -EPERM : 0;
	case LINGER2:
		*value = *value == 0 ? o->base : *value < 0 ? -1 : RTE_MIN(*value, o->most);
		return 0;
	case NOTHING:
		return o->most == 1 && *value != 0 && *value != 1 ? -EINVAL : 0;
	case PORTS:
		return is_range((uint32_t)*value) ? 0 : -EINVAL;
	case PREFERS:
		if (!is_clear(*value))
			return -EINVAL;
		*value &= PREFER_TMP | PREFER_PUBLIC | PREFER_COA;
		return 0;
	case COUNT:
	case UNTOLD:
	case SMALL:
		return *value >= 0 && *value <= o->most ? 0 : -EINVAL;
	case STAMPS:
		return *value >= 0 && *value <= o->most ? judge_stamps(s, ref, (unsigned)*value)
		                                        : -EINVAL;
	case LOWAT:
		*value = limit_lowat(s, ref, *value);
		return 0;
	default:
		return 0;
	}
}

int sock_kept_get(const struct sockets *s, const struct sock_ref *ref, int level, int name,
                  int *value)
{
	const struct kept_option *o = find(ref, level, name);

	if (o == NULL || o->kind == UNTOLD)
		return -ENOPROTOOPT;
	*value = read_kept(kept_of(s, ref), o);
	return 0;
}

bool sock_kept_has(const struct sock_ref *ref, int level, int name)
{
	const struct kept_option *o = find(ref, level, name);

	return o != NULL && o->kind != FIXED;
}

/* Arrivals get software timestamps, which are reported if both flags are set. */
static void tell_stamps(struct udp_sock *u, unsigned flags)
{
	const unsigned both = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

	if ((flags & both) == both)
		u->tell |= UDP_TELL_STAMPS;
	else
		u->tell &= (uint16_t)~UDP_TELL_STAMPS;
}

int sock_kept_set(struct sockets *s, const struct sock_ref *ref, int level, int name, int value)
{
	const struct kept_option *o = find(ref, level, name);
	struct tcp_tuning want;
	int err;

	if (o == NULL || o->kind == FIXED)
		return -ENOPROTOOPT;
	err = judge(s, ref, o, &value);
	if (err != 0)
		return err;
	if (ref->tcp == NULL) {
		write_kept(&ref->udp->kept, o, value);
		if (o->kind == STAMPS)
			tell_stamps(ref->udp, (unsigned)value);
		return 0;
	}
	want = *tcp_tuning(s->tcp, ref->tcp);
	write_kept(&want.kept, o, value);
	err = tcp_tune(s->tcp, ref->tcp, &want);
	if (err == 0 && o->kind == LOWAT)
		tcp_notify_readable(s->tcp, ref->tcp);
	return err;
}
