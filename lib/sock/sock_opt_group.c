/* SPDX-License-Identifier: BSD-2-Clause */
/* Multicast options: memberships (RFC 3493 section 5.2, RFC 3678) and the outgoing interface. */
#include "sock/sock_udp.h"

#include <string.h>

#include "udp/member.h"

#define NETIF_ANY (-1)

/* What an option requests, whatever its struct. */
struct request {
	struct pc_addr group, source;
	int netif; /* index; NETIF_ANY: not specified */
};

enum verb { JOIN, LEAVE, HEAR, UNHEAR, BLOCK, UNBLOCK };

static int netif_of_index(const struct sockets *s, uint32_t ifindex, int *netif)
{
	if (ifindex > s->ip->ifs.n)
		return -ENODEV;
	*netif = (int)ifindex - 1;
	return 0;
}

/* finds the interface of one of our addresses */
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

/* Reads an address of a level's family. Returns whether it is of that family. */
static bool read_addr(int level, const void *sa, struct pc_addr *addr)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memcpy(&in, sa, sizeof(in));
	memcpy(&in6, sa, sizeof(in6));
	if (level == IPPROTO_IP)
		*addr = pc_addr_ip4(in.sin_addr.s_addr);
	else
		memcpy(addr->b, &in6.sin6_addr, sizeof(addr->b));
	return in.sin_family == (level == IPPROTO_IP ? AF_INET : AF_INET6);
}

/* struct group_req, or the larger struct group_source_req */
static int read_group_req(const struct sockets *s, int level, const void *value, socklen_t len,
                          bool source, struct request *r)
{
	struct group_source_req req = {0};
	bool fits;

	if (len < (source ? sizeof(req) : sizeof(struct group_req)))
		return -EINVAL;
	memcpy(&req, value, source ? sizeof(req) : sizeof(struct group_req));
	fits = read_addr(level, &req.gsr_group, &r->group);
	if (source)
		fits = read_addr(level, &req.gsr_source, &r->source) && fits;
	if (!fits)
		return !source && level == IPPROTO_IP ? -EINVAL : -EADDRNOTAVAIL;
	return netif_of_index(s, req.gsr_interface, &r->netif);
}

/* Carries out a request that was read with result err (0: valid). */
static int act(struct sockets *s, struct udp_sock *u, enum verb verb, const struct request *r,
               int err)
{
	if (err != 0) /* as on Linux, there is no membership on an unknown interface */
		return err == -ENODEV && verb == LEAVE ? -EADDRNOTAVAIL : err;
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

/* IP_MULTICAST_IF: an address of ours, which also becomes the source, or an interface number */
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

/* ---- filters: all sources of a membership (RFC 3678 sections 4.2 and 5.2) -------------------- */

/* What IP_MSFILTER and MCAST_MSFILTER request, whatever the struct. */
struct filter {
	struct request about; /* without a source */
	int no_netif;         /* 0, or the error if there is no such interface */
	uint32_t mode, n;
	struct pc_addr source[UDP_SOURCES];
};

static bool is_filter(int level, int name)
{
	return (level == IPPROTO_IP && (name == IP_MSFILTER || name == MCAST_MSFILTER)) ||
	       (level == IPPROTO_IPV6 && name == MCAST_MSFILTER);
}

/* As on Linux, the number of sources is checked before the length. */
static int judge_length(uint32_t n, size_t needed, socklen_t len)
{
	if (n > UDP_SOURCES)
		return -ENOBUFS;
	return len < needed ? -EINVAL : 0;
}

/* struct ip_msfilter, where the interface is one of our addresses */
static int read_msfilter(const struct sockets *s, const void *value, socklen_t len,
                         struct filter *f)
{
	struct ip_msfilter head;
	uint32_t addr_be;
	int err;

	if (len < IP_MSFILTER_SIZE(0))
		return -EINVAL;
	memcpy(&head, value, IP_MSFILTER_SIZE(0));
	f->mode = head.imsf_fmode;
	f->n = head.imsf_numsrc;
	err = judge_length(f->n, IP_MSFILTER_SIZE((size_t)f->n), len);
	for (uint32_t i = 0; err == 0 && i < f->n; i++) {
		memcpy(&addr_be, (const char *)value + IP_MSFILTER_SIZE(i), sizeof(addr_be));
		f->source[i] = pc_addr_ip4(addr_be);
	}
	f->about.group = pc_addr_ip4(head.imsf_multiaddr.s_addr);
	f->no_netif = netif_of_addr(s, head.imsf_interface.s_addr, &f->about.netif);
	return err;
}

/* struct group_filter, where it is a number */
static int read_group_filter(const struct sockets *s, int level, const void *value, socklen_t len,
                             struct filter *f)
{
	struct group_filter head;
	int err;

	if (len < GROUP_FILTER_SIZE(0))
		return -EINVAL;
	memcpy(&head, value, GROUP_FILTER_SIZE(0));
	f->mode = head.gf_fmode;
	f->n = head.gf_numsrc;
	err = judge_length(f->n, GROUP_FILTER_SIZE((size_t)f->n), len);
	/* Linux checks the family only for IPv4 */
	if (err == 0 && !read_addr(level, &head.gf_group, &f->about.group) && level == IPPROTO_IP)
		err = -EADDRNOTAVAIL;
	for (uint32_t i = 0; err == 0 && i < f->n; i++)
		if (!read_addr(level, (const char *)value + GROUP_FILTER_SIZE(i), &f->source[i]) &&
		    level == IPPROTO_IP)
			err = -EADDRNOTAVAIL;
	f->no_netif = netif_of_index(s, head.gf_interface, &f->about.netif);
	return err;
}

/* Chooses the interface for a group, if none was specified. */
static int choose_netif(const struct sockets *s, const struct pc_addr *group, int *netif)
{
	if (*netif == NETIF_ANY)
		*netif = ip_group_netif(s->ip, group);
	return *netif < 0 ? -ENODEV : 0;
}

static int set_filter(struct sockets *s, struct udp_sock *u, int level, int name, const void *value,
                      socklen_t len)
{
	struct filter f = {.about.netif = NETIF_ANY};
	int err = name == MCAST_MSFILTER ? read_group_filter(s, level, value, len, &f)
	                                 : read_msfilter(s, value, len, &f);

	if (err != 0)
		return err;
	if (!pc_addr_is_multicast(&f.about.group) ||
	    (f.mode != MCAST_INCLUDE && f.mode != MCAST_EXCLUDE))
		return -EINVAL;
	err = f.no_netif;
	if (err == 0 && level == IPPROTO_IP) /* for IPv6, Linux does not choose one */
		err = choose_netif(s, &f.about.group, &f.about.netif);
	if (err != 0)
		return err;
	return udp_set_sources(s->udp, u, f.about.netif, &f.about.group, f.mode == MCAST_INCLUDE,
	                       f.source, f.n);
}

/* Finds the membership that a struct ip_msfilter names. */
static int find_msfilter(const struct sockets *s, const struct udp_sock *u,
                         const struct ip_msfilter *head, const struct udp_member **m)
{
	const struct pc_addr group = pc_addr_ip4(head->imsf_multiaddr.s_addr);
	int netif, err;

	if (!pc_addr_is_multicast(&group))
		return -EINVAL;
	err = netif_of_addr(s, head->imsf_interface.s_addr, &netif);
	if (err == 0)
		err = choose_netif(s, &group, &netif);
	if (err != 0)
		return err;
	*m = udp_member_of(s->udp, u, netif, &group);
	return *m != NULL ? 0 : -EADDRNOTAVAIL;
}

/* How many sources to report: as many as the caller has room for. */
static uint32_t told_sources(const struct udp_member *m, uint32_t room, size_t fit)
{
	return (uint32_t)RTE_MIN(RTE_MIN((size_t)room, fit), (size_t)m->nb_sources);
}

static int tell_msfilter(const struct sockets *s, const struct udp_sock *u, void *value,
                         socklen_t *len)
{
	struct ip_msfilter head;
	const struct udp_member *m;
	uint32_t n;
	int err;

	if (*len < IP_MSFILTER_SIZE(0))
		return -EINVAL;
	memcpy(&head, value, IP_MSFILTER_SIZE(0));
	err = find_msfilter(s, u, &head, &m);
	if (err != 0)
		return err;
	n = told_sources(m, head.imsf_numsrc,
	                 (*len - IP_MSFILTER_SIZE(0)) / sizeof(struct in_addr));
	head.imsf_fmode = m->include ? MCAST_INCLUDE : MCAST_EXCLUDE;
	head.imsf_numsrc = m->nb_sources;
	memcpy(value, &head, IP_MSFILTER_SIZE(0));
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t addr_be = pc_addr_get_ip4(&m->source[i]);

		memcpy((char *)value + IP_MSFILTER_SIZE(i), &addr_be, sizeof(addr_be));
	}
	*len = (socklen_t)IP_MSFILTER_SIZE(n);
	return 0;
}

static struct sockaddr_storage sockaddr_of(int level, const struct pc_addr *addr)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (level == IPPROTO_IP) {
		in.sin_addr.s_addr = pc_addr_get_ip4(addr);
		memcpy(&ss, &in, sizeof(in));
	} else {
		memcpy(&in6.sin6_addr, addr->b, sizeof(addr->b));
		memcpy(&ss, &in6, sizeof(in6));
	}
	return ss;
}

static int tell_group_filter(const struct sockets *s, const struct udp_sock *u, int level,
                             void *value, socklen_t *len)
{
	struct group_filter head;
	const struct udp_member *m = NULL;
	struct pc_addr group;
	uint32_t n;
	int netif;

	if (*len < GROUP_FILTER_SIZE(0))
		return -EINVAL;
	memcpy(&head, value, GROUP_FILTER_SIZE(0));
	if (!read_addr(level, &head.gf_group, &group))
		return level == IPPROTO_IP ? -EINVAL : -EADDRNOTAVAIL;
	if (!pc_addr_is_multicast(&group))
		return -EINVAL;
	if (netif_of_index(s, head.gf_interface, &netif) == 0)
		m = udp_member_of(s->udp, u, netif, &group);
	if (m == NULL)
		return -EADDRNOTAVAIL;
	n = told_sources(m, head.gf_numsrc,
	                 (*len - GROUP_FILTER_SIZE(0)) / sizeof(struct sockaddr_storage));
	head.gf_fmode = m->include ? MCAST_INCLUDE : MCAST_EXCLUDE;
	head.gf_numsrc = m->nb_sources;
	memcpy(value, &head, GROUP_FILTER_SIZE(0));
	for (uint32_t i = 0; i < n; i++) {
		const struct sockaddr_storage ss = sockaddr_of(level, &m->source[i]);

		memcpy((char *)value + GROUP_FILTER_SIZE(i), &ss, sizeof(ss));
	}
	*len = (socklen_t)GROUP_FILTER_SIZE(n);
	return 0;
}

int sock_group_get_filter(const struct sockets *s, const struct sock_ref *ref, int level, int name,
                          void *value, socklen_t *len)
{
	if (ref->udp == NULL || !is_filter(level, name))
		return -ENOPROTOOPT;
	return name == MCAST_MSFILTER ? tell_group_filter(s, ref->udp, level, value, len)
	                              : tell_msfilter(s, ref->udp, value, len);
}

/* ---- the calls ------------------------------------------------------------------------------- */

int sock_group_set(struct sockets *s, const struct sock_ref *ref, int level, int name,
                   const void *value, socklen_t len)
{
	struct udp_sock *u = ref->udp;
	struct request r = {.netif = NETIF_ANY};
	int err;

	if (level != IPPROTO_IP && (level != IPPROTO_IPV6 || !u->ip6))
		return -ENOPROTOOPT;
	if (is_filter(level, name))
		return set_filter(s, u, level, name, value, len);
	if (level == IPPROTO_IP && name == IP_MULTICAST_IF)
		return set_interface4(s, u, value, len);
	if (level == IPPROTO_IPV6 && name == IPV6_MULTICAST_IF)
		return set_interface6(s, u, value, len);
	if (level == IPPROTO_IPV6 && (name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP)) {
		err = read_mreq6(s, value, len, &r);
		return act(s, u, name == IPV6_JOIN_GROUP ? JOIN : LEAVE, &r, err);
	}
	for (unsigned i = 0; level == IPPROTO_IP && i < RTE_DIM(by_mreq); i++) {
		if (by_mreq[i].name != name)
			continue;
		err = by_mreq[i].verb <= LEAVE ? read_mreq(s, value, len, &r)
		                               : read_mreq_source(s, value, len, &r);
		return act(s, u, by_mreq[i].verb, &r, err);
	}
	for (unsigned i = 0; i < RTE_DIM(by_group_req); i++) {
		if (by_group_req[i].name != name)
			continue;
		err = read_group_req(s, level, value, len, by_group_req[i].verb > LEAVE, &r);
		return act(s, u, by_group_req[i].verb, &r, err);
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
