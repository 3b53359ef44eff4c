/* SPDX-License-Identifier: BSD-2-Clause */
/* Options about groups: memberships (RFC 3493 section 5.2, RFC 3678) and the interface to send by. */
#include "sock/sock_udp.h"

#include <string.h>

#include "udp/member.h"

#define NETIF_ANY (-1)

/* What an option says, whatever its struct. */
struct request {
	struct pc_addr group, source;
	int netif; /* index; NETIF_ANY: not said */
};

enum verb { JOIN, LEAVE, HEAR, UNHEAR, BLOCK, UNBLOCK };

static int netif_of_index(const struct sockets *s, uint32_t ifindex, int *netif)
{
	if (ifindex > s->ip->ifs.n)
		return -ENODEV;
	*netif = (int)ifindex - 1;
	return 0;
}

/* the interface of an address of ours */
static int netif_of_addr(const struct sockets *s, uint32_t addr_be, int *netif)
{
	const struct pc_addr addr = pc_addr_ip4(addr_be);
	const uint16_t laddr = netifs_find(&s->ip->ifs, &addr);

	*netif = NETIF_ANY;
	if (addr_be == 0)
		return 0;
	if (laddr == LADDR_NONE)
		return -ENODEV;
	*netif = s->ip->ifs.addr[laddr].netif;
	return 0;
}

/* struct ip_mreqn, or its first half, struct ip_mreq */
static int read_mreq(const struct sockets *s, const void *value, socklen_t len, struct request *r)
{
	struct ip_mreqn mreq = {0};

	if (len < sizeof(struct ip_mreq))
		return -EINVAL;
	memcpy(&mreq, value, RTE_MIN(len, sizeof(mreq)));
	r->group = pc_addr_ip4(mreq.imr_multiaddr.s_addr);
	if (len >= sizeof(mreq) && mreq.imr_ifindex != 0)
		return netif_of_index(s, (uint32_t)mreq.imr_ifindex, &r->netif);
	return netif_of_addr(s, mreq.imr_address.s_addr, &r->netif);
}

static int read_mreq_source(const struct sockets *s, const void *value, socklen_t len,
                            struct request *r)
{
	struct ip_mreq_source mreq;

	if (len < sizeof(mreq))
		return -EINVAL;
	memcpy(&mreq, value, sizeof(mreq));
	r->group = pc_addr_ip4(mreq.imr_multiaddr.s_addr);
	r->source = pc_addr_ip4(mreq.imr_sourceaddr.s_addr);
	return netif_of_addr(s, mreq.imr_interface.s_addr, &r->netif);
}

static int read_mreq6(const struct sockets *s, const void *value, socklen_t len, struct request *r)
{
	struct ipv6_mreq mreq;

	if (len < sizeof(mreq))
		return -EINVAL;
	memcpy(&mreq, value, sizeof(mreq));
	memcpy(r->group.b, &mreq.ipv6mr_multiaddr, sizeof(r->group.b));
	return netif_of_index(s, mreq.ipv6mr_interface, &r->netif);
}

static int read_sockaddr(int level, const struct sockaddr_storage *sa, struct pc_addr *addr)
{
	struct pc_endpoint e;
	int err = pc_endpoint_from_sockaddr(&e, (const struct sockaddr *)sa, sizeof(*sa));

	if (err != 0)
		return err;
	*addr = e.addr;
	return pc_addr_is_ip4(addr) == (level == IPPROTO_IP) ? 0 : -EADDRNOTAVAIL;
}

/* struct group_req, or the larger struct group_source_req */
static int read_group_req(const struct sockets *s, int level, const void *value, socklen_t len,
                          bool source, struct request *r)
{
	struct group_source_req req = {0};
	int err;

	if (len < (source ? sizeof(req) : sizeof(struct group_req)))
		return -EINVAL;
	memcpy(&req, value, source ? sizeof(req) : sizeof(struct group_req));
	err = netif_of_index(s, req.gsr_interface, &r->netif);
	if (err == 0)
		err = read_sockaddr(level, &req.gsr_group, &r->group);
	if (err == 0 && source)
		err = read_sockaddr(level, &req.gsr_source, &r->source);
	return err;
}

static int act(struct sockets *s, struct udp_sock *u, enum verb verb, const struct request *r)
{
	switch (verb) {
	case JOIN:
		return udp_join(s->udp, u, r->netif, &r->group);
	case LEAVE:
		return udp_leave(s->udp, u, r->netif, &r->group);
	case HEAR:
		return udp_add_source(s->udp, u, r->netif, &r->group, &r->source, true);
	case UNHEAR:
		return udp_drop_source(s->udp, u, r->netif, &r->group, &r->source, true);
	case BLOCK:
		return udp_add_source(s->udp, u, r->netif, &r->group, &r->source, false);
	default:
		return udp_drop_source(s->udp, u, r->netif, &r->group, &r->source, false);
	}
}

static const struct {
	int name;
	enum verb verb;
} by_mreq[] =
    {
        {IP_ADD_MEMBERSHIP, JOIN},        {IP_DROP_MEMBERSHIP, LEAVE},
        {IP_ADD_SOURCE_MEMBERSHIP, HEAR}, {IP_DROP_SOURCE_MEMBERSHIP, UNHEAR},
        {IP_BLOCK_SOURCE, BLOCK},         {IP_UNBLOCK_SOURCE, UNBLOCK},
},
  by_group_req[] = {
      {MCAST_JOIN_GROUP, JOIN},        {MCAST_LEAVE_GROUP, LEAVE},
      {MCAST_JOIN_SOURCE_GROUP, HEAR}, {MCAST_LEAVE_SOURCE_GROUP, UNHEAR},
      {MCAST_BLOCK_SOURCE, BLOCK},     {MCAST_UNBLOCK_SOURCE, UNBLOCK},
};

/* IP_MULTICAST_IF: an address of ours, which is the source of what is sent, too, or the number of an interface */
static int set_interface4(const struct sockets *s, struct udp_sock *u, const void *value,
                          socklen_t len)
{
	struct ip_mreqn m = {0};
	struct pc_addr addr;
	int netif, err;

	if (len < sizeof(m.imr_address))
		return -EINVAL;
	if (len >= sizeof(m))
		memcpy(&m, value, sizeof(m));
	else if (len >= sizeof(struct ip_mreq))
		memcpy(&m, value, sizeof(struct ip_mreq));
	else
		memcpy(&m.imr_address, value, sizeof(m.imr_address));
	addr = pc_addr_ip4(m.imr_address.s_addr);
	err = m.imr_ifindex != 0 ? netif_of_index(s, (uint32_t)m.imr_ifindex, &netif)
	                         : netif_of_addr(s, m.imr_address.s_addr, &netif);
	if (err != 0)
		return -EADDRNOTAVAIL;
	u->out_netif = (uint8_t)(netif + 1);
	u->out_laddr = (uint16_t)(netifs_find(&s->ip->ifs, &addr) + 1); /* LADDR_NONE: 0 */
	udp_forget_path(u);
	return 0;
}

static int set_interface6(const struct sockets *s, struct udp_sock *u, const void *value,
                          socklen_t len)
{
	int ifindex, netif;

	if (len < sizeof(ifindex))
		return -EINVAL;
	memcpy(&ifindex, value, sizeof(ifindex));
	if (ifindex < 0 || netif_of_index(s, (uint32_t)ifindex, &netif) != 0)
		return -ENODEV;
	u->out_netif6 = (uint8_t)ifindex;
	udp_forget_path(u);
	return 0;
}

int sock_group_set(struct sockets *s, const struct sock_ref *ref, int level, int name,
                   const void *value, socklen_t len)
{
	struct udp_sock *u = ref->udp;
	struct request r = {.netif = NETIF_ANY};
	int err;

	if (level != IPPROTO_IP && (level != IPPROTO_IPV6 || !u->ip6))
		return -ENOPROTOOPT;
	if (level == IPPROTO_IP && name == IP_MULTICAST_IF)
		return set_interface4(s, u, value, len);
	if (level == IPPROTO_IPV6 && name == IPV6_MULTICAST_IF)
		return set_interface6(s, u, value, len);
	if (level == IPPROTO_IPV6 && (name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP)) {
		err = read_mreq6(s, value, len, &r);
		return err != 0 ? err : act(s, u, name == IPV6_JOIN_GROUP ? JOIN : LEAVE, &r);
	}
	for (unsigned i = 0; level == IPPROTO_IP && i < RTE_DIM(by_mreq); i++) {
		if (by_mreq[i].name != name)
			continue;
		err = by_mreq[i].verb <= LEAVE ? read_mreq(s, value, len, &r)
		                               : read_mreq_source(s, value, len, &r);
		return err != 0 ? err : act(s, u, by_mreq[i].verb, &r);
	}
	for (unsigned i = 0; i < RTE_DIM(by_group_req); i++) {
		if (by_group_req[i].name != name)
			continue;
		err = read_group_req(s, level, value, len, by_group_req[i].verb > LEAVE, &r);
		return err != 0 ? err : act(s, u, by_group_req[i].verb, &r);
	}
	return -ENOPROTOOPT;
}

int sock_group_get(const struct sockets *s, const struct sock_ref *ref, int level, int name,
                   int *value)
{
	const struct udp_sock *u = ref->udp;

	*value = 0;
	if (level == IPPROTO_IPV6 && name == IPV6_MULTICAST_IF && u->ip6) {
		*value = u->out_netif6;
		return 0;
	}
	if (level != IPPROTO_IP || name != IP_MULTICAST_IF)
		return -ENOPROTOOPT;
	if (u->out_laddr != 0)
		*value = (int)pc_addr_get_ip4(ip_laddr_name(s->ip, (uint16_t)(u->out_laddr - 1)));
	return 0;
}
