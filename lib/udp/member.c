/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multicast group memberships of sockets.
 *
 * Overview: a pool of memberships, and a chain of them for each socket. The rules about sources are
 * Linux's.
 * Invariants: each membership in a chain holds one ip_group_join.
 */

#include "udp/member.h"

#include <errno.h>
#include <string.h>

#include "udp/table.h"

#define MEMBERS_MAX 512

uint32_t udp_nb_members(uint32_t nb_socks)
{
	return RTE_MIN(2 * nb_socks + UDP_MEMBERS_PER_SOCK, (uint32_t)MEMBERS_MAX);
}

/* The link to a membership of a socket, or to the end of its chain. */
static uint32_t *find_group(const struct udp *udp, struct udp_sock *s, int netif,
                            const struct pc_addr *group)
{
	uint32_t *link = &s->members;

	while (*link != 0) {
		struct udp_member *m = &udp->member[*link - 1];

		if (m->netif == netif && pc_addr_equal(&m->group, group))
			break;
		link = &m->next;
	}
	return link;
}

static unsigned count(const struct udp *udp, const struct udp_sock *s)
{
	unsigned n = 0;

	for (uint32_t id = s->members; id != 0; id = udp->member[id - 1].next)
		n++;
	return n;
}

int udp_join(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group)
{
	const uint32_t id = udp->free_member;
	struct udp_member *m;
	int rc;

	if (!pc_addr_is_multicast(group))
		return -EINVAL;
	if (netif < 0)
		netif = ip_group_netif(udp->ip, group);
	if (netif < 0 || netif >= udp->ip->ifs.n)
		return -ENODEV;
	if (*find_group(udp, s, netif, group) != 0)
		return -EADDRINUSE;
	if (id == 0 || count(udp, s) >= UDP_MEMBERS_PER_SOCK)
		return -ENOBUFS;
	rc = ip_group_join(udp->ip, netif, group);
	if (rc != 0)
		return rc;
	m = &udp->member[id - 1];
	udp->free_member = m->next;
	*m = (struct udp_member){.group = *group, .netif = (uint8_t)netif, .next = s->members};
	s->members = id;
	return 0;
}

static void leave(struct udp *udp, uint32_t *link)
{
	const uint32_t id = *link;
	struct udp_member *m = &udp->member[id - 1];

	*link = m->next;
	ip_group_leave(udp->ip, m->netif, &m->group);
	m->next = udp->free_member;
	udp->free_member = id;
}

int udp_leave(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group)
{
	uint32_t *link;

	if (!pc_addr_is_multicast(group) && !pc_addr_is_ip4(group)) /* as on Linux */
		return -EINVAL;
	if (netif < 0)
		netif = ip_group_netif(udp->ip, group);
	link = find_group(udp, s, netif, group);
	if (*link == 0)
		return -EADDRNOTAVAIL;
	leave(udp, link);
	return 0;
}

void udp_leave_all(struct udp *udp, struct udp_sock *s)
{
	while (s->members != 0)
		leave(udp, &s->members);
}

const struct udp_member *udp_member_of(const struct udp *udp, const struct udp_sock *s, int netif,
                                       const struct pc_addr *group)
{
	for (uint32_t id = s->members; id != 0; id = udp->member[id - 1].next) {
		const struct udp_member *m = &udp->member[id - 1];

		if (m->netif == netif && pc_addr_equal(&m->group, group))
			return m;
	}
	return NULL;
}

static bool has_source(const struct udp_member *m, const struct pc_addr *source, uint8_t *at)
{
	for (*at = 0; *at < m->nb_sources; ++*at)
		if (pc_addr_equal(&m->source[*at], source))
			return true;
	return false;
}

int udp_add_source(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group,
                   const struct pc_addr *source, bool include)
{
	struct udp_member *m;
	uint32_t id;
	uint8_t at;
	int rc;

	if (include && (rc = udp_join(udp, s, netif, group)) != 0 && rc != -EADDRINUSE)
		return rc;
	if (netif < 0)
		netif = ip_group_netif(udp->ip, group);
	id = *find_group(udp, s, netif, group);
	if (id == 0)
		return -EINVAL;
	m = &udp->member[id - 1];
	if (m->nb_sources > 0 && m->include != include)
		return -EINVAL;
	if (has_source(m, source, &at))
		return -EADDRNOTAVAIL;
	if (m->nb_sources == UDP_SOURCES)
		return -ENOBUFS;
	m->include = include;
	m->source[m->nb_sources++] = *source;
	return 0;
}

int udp_drop_source(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group,
                    const struct pc_addr *source, bool include)
{
	struct udp_member *m;
	uint32_t *link;
	uint8_t at;

	if (netif < 0)
		netif = ip_group_netif(udp->ip, group);
	link = find_group(udp, s, netif, group);
	if (*link == 0)
		return -EINVAL;
	m = &udp->member[*link - 1];
	if (m->nb_sources > 0 && m->include != include)
		return -EINVAL;
	if (!has_source(m, source, &at))
		return -EADDRNOTAVAIL;
	m->nb_sources--;
	memmove(&m->source[at], &m->source[at + 1], (m->nb_sources - at) * sizeof(m->source[0]));
	if (include && m->nb_sources == 0)
		leave(udp, link);
	return 0;
}

int udp_set_sources(struct udp *udp, struct udp_sock *s, int netif, const struct pc_addr *group,
                    bool include, const struct pc_addr *source, uint32_t n)
{
	struct udp_member *m;
	uint32_t id;

	if (include && n == 0)
		return udp_leave(udp, s, netif, group);
	id = *find_group(udp, s, netif, group);
	if (id == 0)
		return -EINVAL;
	if (n > UDP_SOURCES)
		return -ENOBUFS;
	m = &udp->member[id - 1];
	m->include = include;
	m->nb_sources = (uint8_t)n;
	memcpy(m->source, source, n * sizeof(*source));
	return 0;
}

bool udp_hears(const struct udp *udp, const struct udp_sock *s, uint8_t netif,
               const struct pc_addr *src, const struct pc_addr *group)
{
	const struct udp_member *m = udp_member_of(udp, s, netif, group);
	uint8_t at;

	if (m != NULL)
		return has_source(m, src, &at) == m->include;
	return pc_addr_is_ip4(group) ? s->group_all : s->group_all6;
}
