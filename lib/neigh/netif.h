/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NEIGH_NETIF_H
#define NEIGH_NETIF_H

/*
 * Interfaces: a port, the frames waiting for it, and our addresses.
 *
 * An address keeps its index for as long as anything may refer to it: sockets and connections do so
 * with 16 bits, and an address that was removed may be added again.  There are few: a lookup walks
 * an array of their last four bytes, sixteen to a cache line.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#include "base/ctx.h"
#include "port/loop.h"
#include "port/txq.h"

#define LADDR_NONE UINT16_MAX

/* The loopback interface and its two addresses, 127.0.0.1 and ::1, always exist, and
 * are not counted. */
#define NETIF_LO  PC_MAX_PORTS
#define LADDR_LO4 PC_MAX_ADDRS
#define LADDR_LO6 (PC_MAX_ADDRS + 1)

struct netif {
	struct pc_port *port;
	uint16_t
	    link_local;   /* index of its link-local address; LADDR_NONE: it does not speak IPv6 */
	uint16_t mtu_max; /* bytes of the largest packet that the port takes */
	uint16_t mtu6;    /* bytes of the largest IPv6 packet; a router may lower it */
	uint8_t hops;     /* hop limit advertised by a router; 0: none */
	bool up;          /* the link's state when last checked */
	bool slaac;       /* addresses are made from advertised prefixes */
	bool ra_other;    /* a router says to use DHCPv6 for other settings */
	bool ra_managed;  /* and for addresses */
	uint8_t ups;      /* how often its link has come up, modulo 256 */
	uint8_t moves;    /* the port's link_moves when last checked */
	bool solicits;    /* routers are solicited until one advertises itself */
	uint32_t solicit_ms;               /* the last interval; 0: none solicited yet */
	uint64_t solicit_ns;               /* when the next solicitation is due */
	uint32_t reachable_ms, retrans_ms; /* advertised for IPv6 neighbours; 0: not */
	/* until then a querier of an older version counts as present */
	uint64_t mld_v1_ns, igmp_v1_ns, igmp_v2_ns;
	struct txq txq;
};

/** What an address of ours can be used for. */
enum laddr_state {
	LADDR_READY,
	LADDR_DEPRECATED, /* still ours, but not for new connections (RFC 4862 section 5.5.4) */
	LADDR_TENTATIVE,  /* not yet known to be unique (RFC 4862 section 5.4, RFC 5227) */
	LADDR_DUPLICATE,  /* another host has it */
	LADDR_SILENT,     /* its interface does not speak IPv6 for now (RFC 4862 section 5.4.5) */
	LADDR_EXPIRED,    /* its lifetime has expired */
};

#define LADDR_PROBES 10 /* the maximum of ip6.dad */

/** An address of ours. */
struct laddr {
	struct pc_addr addr;
	uint8_t prefix_len; /* in mapped form: 96 + n for an IPv4 /n */
	uint8_t netif;
	uint8_t state;      /* enum laddr_state */
	uint8_t probes;     /* TENTATIVE: probes still to be sent; IPv4, READY: announcements */
	bool autoconf;      /* made from a router's prefix */
	bool leased;        /* by DHCPv6; stays set when the address is removed */
	bool tried;         /* already probed elsewhere: no probes before its first use */
	bool doubted;       /* IPv6: in use, and probed again because its link has come up */
	bool vacant;        /* this slot is free for another address */
	struct pc_addr was; /* the address that was removed from this slot */
	uint8_t nonce[LADDR_PROBES][6]; /* of the probes sent, by how many were to follow */
	uint64_t conflict_ns;           /* when a conflict was last defended; 0: never */
	uint64_t due_ns;                /* when something is due; UINT64_MAX: never */
	uint64_t preferred_ns,
	    valid_ns; /* ends of its lifetimes, or when it was removed; UINT64_MAX: never */
};

/** A multicast group that an interface listens to. */
struct group {
	struct pc_addr addr;
	uint8_t netif;
	uint8_t reports; /* still to be sent */
	uint16_t refs;   /* 0: this slot is free, or its group has been left */
	uint64_t due_ns; /* of the next report; UINT64_MAX: none */
};

/* Groups that sockets may fill, and a place for the solicited-node group of each address of ours. */
#define NETIFS_GROUPS_ASKED 256
#define NETIFS_GROUPS       (NETIFS_GROUPS_ASKED + PC_MAX_ADDRS)

struct netifs {
	struct ctx *ctx;
	uint16_t n, nb_addrs;
	uint16_t nb_announced;               /* this many addresses have been announced */
	uint32_t last_be[PC_MAX_ADDRS];      /* the last four bytes of each address */
	uint32_t broadcast_be[PC_MAX_ADDRS]; /* directed broadcast of its network; 0: none */
	struct laddr addr[PC_MAX_ADDRS + 2];
	struct netif netif[PC_MAX_PORTS + 1];
	struct loop loop;   /* the port of NETIF_LO */
	uint16_t nb_groups; /* slots of group[] that have been used */
	uint64_t due_ns;    /* the earliest of the times in addr and group, or earlier */
	struct group group[NETIFS_GROUPS];
};

/** netifs_init makes an empty set of interfaces. */
void netifs_init(struct netifs *ifs, struct ctx *ctx);

/** netifs_add_port makes a port an interface. Returns its index or -ENOSPC. */
int netifs_add_port(struct netifs *ifs, struct pc_port *port);

/** netifs_add_addr gives an interface an address. Returns the address's index, -EEXIST or
 * -ENOSPC. */
int netifs_add_addr(struct netifs *ifs, uint8_t netif, const struct pc_prefix *addr);

/** netifs_del_addr removes an address; its slot is kept for it, since connections may refer to
 * it. */
void netifs_del_addr(struct netifs *ifs, uint16_t laddr);

/** netifs_vacate frees the slot of a removed address, to which nothing refers any more,
 * for another address. */
void netifs_vacate(struct netifs *ifs, uint16_t laddr);

/** netifs_find_loopback returns the index of 127.0.0.1 or ::1, LADDR_NONE for others. */
static inline uint16_t netifs_find_loopback(const struct pc_addr *addr)
{
	if (addr->q[0] != 0)
		return LADDR_NONE;
	if (addr->w[2] == 0)
		return addr->w[3] == __builtin_bswap32(1) ? LADDR_LO6 : LADDR_NONE;
	return addr->w[3] == __builtin_bswap32(0x7f000001) && pc_addr_is_ip4(addr) ? LADDR_LO4
	                                                                           : LADDR_NONE;
}

/** netifs_find returns the index of one of our addresses, or LADDR_NONE. */
static inline uint16_t netifs_find(const struct netifs *ifs, const struct pc_addr *addr)
{
	for (uint16_t i = 0; i < ifs->nb_addrs; i++)
		if (ifs->last_be[i] == addr->w[3] && pc_addr_equal(addr, &ifs->addr[i].addr))
			return i;
	return netifs_find_loopback(addr);
}

/** netifs_is_usable says whether packets may be sent from and received at an address of ours. */
static inline bool netifs_is_usable(const struct netifs *ifs, uint16_t laddr)
{
	return ifs->addr[laddr].state <= LADDR_DEPRECATED;
}

/** netifs_has says whether an address is one of ours; a duplicate of another host's is not. */
static inline bool netifs_has(const struct netifs *ifs, const struct pc_addr *addr)
{
	const uint16_t laddr = netifs_find(ifs, addr);

	return laddr != LADDR_NONE && ifs->addr[laddr].state < LADDR_DUPLICATE;
}

/** netifs_speaks_ip6 says whether an interface speaks IPv6: it has a link-local address, which is
 * not a duplicate. */
static inline bool netifs_speaks_ip6(const struct netifs *ifs, uint8_t netif)
{
	const uint16_t laddr = ifs->netif[netif].link_local;

	return laddr != LADDR_NONE && ifs->addr[laddr].state != LADDR_DUPLICATE;
}

/** netifs_is_member says whether an interface listens to a group. */
bool netifs_is_member(const struct netifs *ifs, uint8_t netif, const struct pc_addr *group);

/** netifs_retrans_ms returns the interval between IPv6 solicitations on an
 * interface (RetransTimer). */
static inline uint64_t netifs_retrans_ms(const struct netifs *ifs, uint8_t netif)
{
	const uint32_t told = ifs->netif[netif].retrans_ms;

	return told != 0 ? told : ifs->ctx->cfg.arp_retry_ms;
}

/** netifs_due records when something is next due. */
static inline void netifs_due(struct netifs *ifs, uint64_t ns)
{
	if (ns < ifs->due_ns)
		ifs->due_ns = ns;
}

/** netifs_find_first returns the first IPv4 address of an interface, or LADDR_NONE. */
uint16_t netifs_find_first(const struct netifs *ifs, uint8_t netif);

/** netifs_find_link returns the address of an interface whose network holds addr, or LADDR_NONE; of
 * several, the one with the longest prefix. */
uint16_t netifs_find_link(const struct netifs *ifs, uint8_t netif, const struct pc_addr *addr);

/** netifs_find_source does the same among addresses that packets may be sent from. */
uint16_t netifs_find_source(const struct netifs *ifs, uint8_t netif, const struct pc_addr *addr);

/** netifs_is_broadcast says whether addr is 255.255.255.255 or the directed broadcast of a network
 * of ours on that interface. */
static inline bool netifs_is_broadcast(const struct netifs *ifs, uint8_t netif,
                                       const struct pc_addr *addr)
{
	const uint32_t last_be = addr->w[3];

	if (last_be == UINT32_MAX)
		return pc_addr_is_ip4(addr);
	for (uint16_t i = 0; i < ifs->nb_addrs; i++)
		if (ifs->broadcast_be[i] == last_be && ifs->addr[i].netif == netif)
			return last_be != 0 && pc_addr_is_ip4(addr);
	return false;
}

/** netifs_owns_mac says whether a MAC address is that of one of our ports. */
bool netifs_owns_mac(const struct netifs *ifs, const uint8_t mac[6]);

/** netifs_flush hands every waiting frame to its port. */
static inline void netifs_flush(struct netifs *ifs)
{
	for (struct netif *nif = ifs->netif, *end = nif + ifs->n; nif < end; nif++)
		if (nif->txq.n != 0)
			txq_flush(&nif->txq, ifs->ctx);
	if (unlikely(ifs->netif[NETIF_LO].txq.n != 0))
		txq_flush(&ifs->netif[NETIF_LO].txq, ifs->ctx);
}

/** netifs_free drops every waiting frame. */
void netifs_free(struct netifs *ifs);

#endif
