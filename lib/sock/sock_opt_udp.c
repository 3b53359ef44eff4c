/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket options of datagram sockets: a table of where each is in struct udp_sock, and its values.
 *
 * The values of IPv4 and IPv6 are separate, as on Linux; an AF_INET6 socket has both.
 */
#include "sock/sock_opt.h"
#include "sock/sock_udp.h"

#include <string.h>

#include <netinet/udp.h>

enum kind {
	TELL,    /* a bit of tell */
	TRUTH,   /* a bool */
	STRICT,  /* a bool, set only by 0 and 1 */
	BYTE,    /* uint8_t; 0 is the default, and -1 selects it */
	SHORT,   /* uint16_t */
	SIGNED,  /* int16_t; -1 is the default */
	MTU,     /* mtu6; reads as the path's MTU */
	COMPUTE, /* read-only, and not stored */
};

struct udp_option {
	int level, name;
	enum kind kind;
	uint16_t at; /* offset, or bit */
	int16_t least;
	uint16_t most;
};

#define AT(member) offsetof(struct udp_sock, member)

static const struct udp_option options[] = {
    {SOL_SOCKET, SO_TIMESTAMP, TELL, UDP_TELL_TIME, 0, 1},
    {SOL_SOCKET, SO_TIMESTAMPNS, TELL, UDP_TELL_TIME_NS, 0, 1},
    {SOL_SOCKET, SO_RXQ_OVFL, TELL, UDP_TELL_DROPS, 0, 1},
    {SOL_SOCKET, SO_NO_CHECK, TRUTH, AT(no_checksum), 0, 1},
    {SOL_SOCKET, SO_BINDTOIFINDEX, BYTE, AT(netif), 0, PC_MAX_PORTS},
    {IPPROTO_IP, IP_MULTICAST_ALL, STRICT, AT(group_all), 0, 1},
    {IPPROTO_IP, IP_MULTICAST_LOOP, TRUTH, AT(group_loop), 0, 1},
    {IPPROTO_IPV6, IPV6_MULTICAST_ALL, TRUTH, AT(group_all6), 0, 1},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, STRICT, AT(group_loop6), 0, 1},
    {IPPROTO_IP, IP_TTL, BYTE, AT(ttl), 1, 255},
    {IPPROTO_IP, IP_TOS, BYTE, AT(tos), 0, 255},
    {IPPROTO_IP, IP_MULTICAST_TTL, SIGNED, AT(group_ttl), -1, 255},
    {IPPROTO_IP, IP_MTU_DISCOVER, BYTE, AT(discover), 0, IP_PMTUDISC_OMIT},
    {IPPROTO_IP, IP_MTU, COMPUTE, 0, 0, 0},
    {IPPROTO_IP, IP_PKTINFO, TELL, UDP_TELL_PKTINFO, 0, 1},
    {IPPROTO_IP, IP_RECVTTL, TELL, UDP_TELL_TTL, 0, 1},
    {IPPROTO_IP, IP_RECVTOS, TELL, UDP_TELL_TOS, 0, 1},
    {IPPROTO_IP, IP_RECVORIGDSTADDR, TELL, UDP_TELL_DST, 0, 1},
    {IPPROTO_IP, IP_RECVERR, TRUTH, AT(report), 0, 1},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, BYTE, AT(hops), 1, 255},
    {IPPROTO_IPV6, IPV6_TCLASS, BYTE, AT(tclass), 0, 255},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, SIGNED, AT(group_hops), -1, 255},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, BYTE, AT(discover6), 0, IP_PMTUDISC_OMIT},
    {IPPROTO_IPV6, IPV6_MTU, MTU, AT(mtu6), 0, 0},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, TELL, UDP_TELL_PKTINFO6, 0, 1},
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT, TELL, UDP_TELL_HOPS, 0, 1},
    {IPPROTO_IPV6, IPV6_RECVTCLASS, TELL, UDP_TELL_TCLASS, 0, 1},
    {IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, TELL, UDP_TELL_DST6, 0, 1},
    {IPPROTO_IPV6, IPV6_RECVERR, TRUTH, AT(report6), 0, 1},
    {IPPROTO_UDP, UDP_CORK, TRUTH, AT(cork), 0, 1},
    {IPPROTO_UDP, UDP_SEGMENT, SHORT, AT(segment), 0, UINT16_MAX},
    {IPPROTO_UDP, UDP_GRO, TRUTH, AT(gro), 0, 1},
};

static const struct udp_option *find(const struct udp_sock *u, int level, int name)
{
	if (level == IPPROTO_IPV6 && !u->ip6)
		return NULL;
	for (size_t i = 0; i < RTE_DIM(options); i++)
		if (options[i].level == level && options[i].name == name)
			return &options[i];
	return NULL;
}

/* IP_MTU, IPV6_MTU: the MTU of the path to the peer. */
static int get_mtu(const struct sockets *s, struct udp_sock *u, bool ip6)
{
	const int mtu =
	    pc_addr_is_ip4(&u->remote.addr) == ip6 ? -ENOTCONN : udp_peer_mtu(s->udp, u);

	if (mtu > 0 && ip6 && u->mtu6 != 0)
		return ip_link_mtu(s->ip, u->path.netif, &u->remote.addr);
	return mtu;
}

static int default_of(const struct sockets *s, const struct udp_option *o)
{
	if (o->name == IP_TTL && o->level == IPPROTO_IP)
		return (int)s->ctx->cfg.ip_ttl;
	if (o->name == IPV6_UNICAST_HOPS && o->level == IPPROTO_IPV6)
		return (int)s->ctx->cfg.ip_ttl;
	return 0;
}

int sock_udp_get(const struct sockets *s, const struct sock_ref *ref, int level, int name,
                 int *value)
{
	const struct udp_option *o = find(ref->udp, level, name);
	const char *at = (const char *)ref->udp;
	int16_t number;
	uint16_t wide;

	if (o == NULL)
		return -ENOPROTOOPT;
	at += o->at;
	switch (o->kind) {
	case TELL:
		*value = (ref->udp->tell & o->at) != 0;
		return 0;
	case TRUTH:
	case STRICT:
		*value = *(const bool *)at;
		return 0;
	case BYTE:
		*value = *(const uint8_t *)at;
		if (*value == 0)
			*value = default_of(s, o);
		return 0;
	case SHORT:
		memcpy(&wide, at, sizeof(wide));
		*value = wide;
		return 0;
	case SIGNED:
		memcpy(&number, at, sizeof(number));
		*value = number < 0 ? 1 : number;
		return 0;
	default:
		*value = get_mtu(s, ref->udp, level == IPPROTO_IPV6);
		return *value < 0 ? *value : 0;
	}
}

static void store(struct udp_sock *u, const struct udp_option *o, int value)
{
	char *at = (char *)u + o->at;
	const int16_t number = (int16_t)value;
	const uint16_t wide = (uint16_t)value;

	switch (o->kind) {
	case TELL:
		u->tell = (uint16_t)(value ? u->tell | o->at : u->tell & ~o->at);
		break;
	case TRUTH:
	case STRICT:
		*(bool *)at = value != 0;
		break;
	case BYTE:
		*(uint8_t *)at = value < 0 ? 0 : (uint8_t)value;
		break;
	case SHORT:
		memcpy(at, &wide, sizeof(wide));
		break;
	case MTU: /* a value above any MTU means no limit */
		u->mtu6 = value > UINT16_MAX ? 0 : wide;
		break;
	default:
		memcpy(at, &number, sizeof(number));
		break;
	}
}

/* Says whether a value may be set; -1 selects the default where there is one. */
static bool is_allowed(const struct udp_option *o, int value)
{
	const bool has_default = o->kind == BYTE && o->most == 255 && o->name != IP_TOS;

	if (o->kind == TELL || o->kind == TRUTH)
		return true;
	if (o->kind == MTU)
		return sock_is_mtu6(value);
	return (value >= o->least && value <= (int)o->most) || (value == -1 && has_default);
}

/* Says whether an option affects the path of datagrams, or their size limit. */
static bool changes_path(const struct udp_option *o)
{
	return o->kind == MTU || (o->kind == BYTE && (o->at == AT(netif) || o->at == AT(discover) ||
	                                              o->at == AT(discover6)));
}

int sock_udp_set(struct sockets *s, const struct sock_ref *ref, int level, int name, int value)
{
	const struct udp_option *o = find(ref->udp, level, name);

	if (o == NULL || o->kind == COMPUTE)
		return -ENOPROTOOPT;
	if (o->at == AT(netif) && o->kind == BYTE && value > s->ip->ifs.n)
		return -ENODEV;
	if (o->level == IPPROTO_IP && o->name == IP_TOS)
		value &= 0xff; /* as Linux does */
	if (!is_allowed(o, value))
		return -EINVAL;
	store(ref->udp, o, value);
	if (o->kind == TRUTH && o->at == AT(cork) && !value)
		(void)sock_udp_push(s, ref); /* as on Linux, errors are not reported */
	if (o->kind == TRUTH && (o->at == AT(report) || o->at == AT(report6)) && !value)
		udp_drop_reports(ref->udp);
	if (changes_path(o))
		udp_forget_path(ref->udp);
	/* only one of the two is on, and as on Linux either turns off both */
	if (o->kind == TELL && o->at == UDP_TELL_TIME)
		ref->udp->tell &= (uint16_t)~UDP_TELL_TIME_NS;
	if (o->kind == TELL && o->at == UDP_TELL_TIME_NS)
		ref->udp->tell &= (uint16_t)~UDP_TELL_TIME;
	return 0;
}
