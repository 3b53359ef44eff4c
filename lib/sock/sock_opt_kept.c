/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket options that are kept and read back, as a table: what Linux takes, and what it tells.
 *
 * Programs set them for the kernel's sake, or to find out whether they are there, and do not do without. Those of
 * TCP are in the set of rarely used settings (struct tcp_tuning), so that an accepted socket has its listener's.
 */
#include "sock/sock_opt_kept.h"

#include <string.h>

#include <asm/socket.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

/* which sockets have it */
enum { OF_TCP = 1, OF_OTHERS = 2, OF_ALL = 3 };

enum kind {
	TRUTH,   /* any value: 0 or 1 */
	STRICT,  /* 0 or 1, others are refused */
	ONCE,    /* as TRUTH, but never off again */
	NOTHING, /* taken, and told to be 0 */
	FIXED,   /* only read */
	NUMBER,  /* any value */
	COUNT,   /* 0 or more */
	BITS,    /* as many as most says */
	LOWAT,   /* 1 or more; 0 means 1, and less than 0 all that there can be */
};

struct kept_option {
	int level, name;
	uint8_t of, kind;
	uint16_t at; /* offset in struct kept, or bit */
	int32_t
	    base; /* the default; what is stored is the difference, or for truths whether there is one */
	int32_t most;
};

#define AT(member) offsetof(struct kept, member)

static const struct kept_option options[] = {
    {SOL_SOCKET, SO_PRIORITY, OF_ALL, NUMBER, AT(priority), 0, 0},
    {SOL_SOCKET, SO_MARK, OF_ALL, NUMBER, AT(mark), 0, 0},
    {SOL_SOCKET, SO_BUSY_POLL, OF_ALL, COUNT, AT(busy_poll), 0, 0},
    {SOL_SOCKET, SO_INCOMING_CPU, OF_ALL, NUMBER, AT(cpu), -1, 0},
    {SOL_SOCKET, SO_RCVLOWAT, OF_ALL, LOWAT, AT(rcvlowat), 1, 0},
    {SOL_SOCKET, SO_TIMESTAMPING_OLD, OF_TCP, BITS, AT(timestamping), 0, 0xffff},
    {SOL_SOCKET, SO_SNDLOWAT, OF_ALL, FIXED, 0, 1, 0},
    {SOL_SOCKET, SO_INCOMING_NAPI_ID, OF_ALL, FIXED, 0, 0, 0},
    {SOL_SOCKET, SO_BSDCOMPAT, OF_ALL, NOTHING, 0, 0, 0},
    {SOL_SOCKET, SO_DONTROUTE, OF_ALL, TRUTH, 0, 0, 0},
    {SOL_SOCKET, SO_DEBUG, OF_ALL, TRUTH, 1, 0, 0},
    {SOL_SOCKET, SO_WIFI_STATUS, OF_ALL, TRUTH, 2, 0, 0},
    {SOL_SOCKET, SO_NOFCS, OF_ALL, TRUTH, 3, 0, 0},
    {SOL_SOCKET, SO_SELECT_ERR_QUEUE, OF_ALL, TRUTH, 4, 0, 0},
    {SOL_SOCKET, SO_PREFER_BUSY_POLL, OF_ALL, TRUTH, 5, 0, 0},
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
    {IPPROTO_UDP, UDP_NO_CHECK6_TX, OF_OTHERS, TRUTH, 24, 0, 0},
    {IPPROTO_UDP, UDP_NO_CHECK6_RX, OF_OTHERS, TRUTH, 25, 0, 0},
};

static const struct kept_option *find(const struct sock_ref *ref, int level, int name)
{
	const unsigned of = ref->tcp != NULL ? OF_TCP : OF_OTHERS;

	for (size_t i = 0; i < RTE_DIM(options); i++)
		if (options[i].level == level && options[i].name == name && (options[i].of & of))
			return &options[i];
	return NULL;
}

static const struct kept *kept_of(const struct sockets *s, const struct sock_ref *ref)
{
	return ref->tcp != NULL ? &tcp_tuning(s->tcp, ref->tcp)->kept : &ref->udp->kept;
}

static bool is_truth(const struct kept_option *o)
{
	return o->kind == TRUTH || o->kind == STRICT || o->kind == ONCE;
}

static int read_kept(const struct kept *k, const struct kept_option *o)
{
	int32_t number;

	if (is_truth(o))
		return ((k->truths >> o->at & 1) != 0) != (o->base != 0);
	if (o->kind == FIXED || o->kind == NOTHING)
		return o->base;
	memcpy(&number, (const char *)k + o->at, sizeof(number));
	return (int)((uint32_t)number + (uint32_t)o->base);
}

static void write_kept(struct kept *k, const struct kept_option *o, int value)
{
	const uint32_t bit = is_truth(o) ? 1u << o->at : 0;
	const uint32_t number = (uint32_t)value - (uint32_t)o->base;

	if (o->kind == NOTHING)
		return;
	if (!is_truth(o))
		memcpy((char *)k + o->at, &number, sizeof(number));
	else if ((value != 0) != (o->base != 0))
		k->truths |= bit;
	else
		k->truths &= ~bit;
}

/* 0 and the value as it is kept, or why it is refused */
static int judge(const struct sockets *s, const struct sock_ref *ref, const struct kept_option *o,
                 int *value)
{
	switch (o->kind) {
	case STRICT: /* without an account nobody could be told of copies */
		if (o->name == SO_ZEROCOPY && ref->tcp->account == 0)
			return -ENOBUFS;
		return *value == 0 || *value == 1 ? 0 : -EINVAL;
	case ONCE:
		return *value == 0 && read_kept(kept_of(s, ref), o) ? -EPERM : 0;
	case COUNT:
		return *value >= 0 ? 0 : -EINVAL;
	case BITS:
		return *value >= 0 && *value <= o->most ? 0 : -EINVAL;
	case LOWAT:
		*value = *value < 0 ? INT32_MAX : *value == 0 ? 1 : *value;
		return 0;
	default:
		return 0;
	}
}

int sock_kept_get(const struct sockets *s, const struct sock_ref *ref, int level, int name,
                  int *value)
{
	const struct kept_option *o = find(ref, level, name);

	if (o == NULL)
		return -ENOPROTOOPT;
	*value = read_kept(kept_of(s, ref), o);
	return 0;
}

bool sock_kept_has(const struct sock_ref *ref, int level, int name)
{
	const struct kept_option *o = find(ref, level, name);

	return o != NULL && o->kind != FIXED;
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
		return 0;
	}
	want = *tcp_tuning(s->tcp, ref->tcp);
	write_kept(&want.kept, o, value);
	err = tcp_tune(s->tcp, ref->tcp, &want);
	if (err == 0 && o->kind == LOWAT)
		tcp_notify_readable(s->tcp, ref->tcp);
	return err;
}
