/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NEIGH_NETIF_H
#define NEIGH_NETIF_H

/*
 * Interfaces: a port, the frames that wait for it, and our addresses.
 *
 * An address keeps its index for as long as anybody may refer to it: sockets and connections do so
 * with 16 bits, and an address that was removed may come back.  There are few: a search walks an
 * array of their last four bytes, of which a cache line holds sixteen.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#include "base/ctx.h"
#include "port/loop.h"
#include "port/txq.h"

#define LADDR_NONE UINT16_MAX

/* The loopback interface and its two addresses, 127.0.0.1 and ::1, are always there, beyond those that are counted. */
#define NETIF_LO  PC_MAX_PORTS
#define LADDR_LO4 PC_MAX_ADDRS
#define LADDR_LO6 (PC_MAX_ADDRS + 1)

struct netif {
	struct pc_port *port;
	uint16_t
	    link_local;   /* index of its link-local address; LADDR_NONE: it does not speak IPv6 */
	uint16_t mtu_max; /* bytes of the largest packet that the port takes */
	uint16_t mtu6;    /* bytes of the largest IPv6 packet; a router may tell a lower one */
	uint8_t hops;     /* hop limit that a router told; 0: none did */
	bool up;          /* its link, when that was last looked at */
	bool slaac;       /* addresses are made of the prefixes that routers tell */
	bool ra_other;    /* a router tells to ask by DHCPv6 for what it does not tell itself */
	bool ra_managed;  /* and for addresses */
	uint8_t ups;      /* how often its link has come up, modulo 256 */
	uint8_t moves;    /* the port's link_moves, when that was last looked at */
	bool solicits;    /* routers are asked for until one is heard of */
	uint32_t solicit_ms; /* the last wait for one; 0: none has been asked for yet */
	uint64_t solicit_ns; /* when the next one is due */
	uint32_t reachable_ms, retrans_ms; /* of IPv6 neighbours, that a router told; 0: none did */
	/* until then a querier of an older version counts as present */
	uint64_t mld_v1_ns, igmp_v1_ns, igmp_v2_ns;
	struct txq txq;
};

/** What an address of ours is good for. */
enum laddr_state {
	LADDR_READY,
	LADDR_DEPRECATED, /* still ours, but not for new connections (RFC 4862 section 5.5.4) */
	LADDR_TENTATIVE, /* nobody knows yet whether somebody else has it (RFC 4862 section 5.4, RFC 5227) */
	LADDR_DUPLICATE, /* somebody else has it */
	LADDR_SILENT,    /* its interface does not speak IPv6 for now (RFC 4862 section 5.4.5) */
	LADDR_EXPIRED,   /* its lifetime is over */
};

#define LADDR_PROBES 10 /* the most of ip6.dad */

/** An address of ours. */
struct laddr {
	struct pc_addr addr;
	uint8_t prefix_len; /* in mapped form: 96 + n for an IPv4 /n */
	uint8_t netif;
	uint8_t state;      /* enum laddr_state */
	uint8_t probes;     /* TENTATIVE: questions still to be asked; IPv4, READY: announcements */
	bool autoconf;      /* made of a router's prefix */
	bool leased;        /* by DHCPv6; stays set when it is taken back */
	bool tried;         /* somebody else has asked for it: no question before its first use */
	bool doubted;       /* IPv6: in use, and asked for again, as its link has come up */
	bool vacant;        /* this place is nobody's */
	struct pc_addr was; /* of a place whose address was taken back: that address */
	uint8_t nonce[LADDR_PROBES]
	             [6];     /* of the questions under way, by how many were to come behind */
	uint64_t conflict_ns; /* when a conflict was last defended; 0: never */
	uint64_t due_ns;      /* when something is to be done; UINT64_MAX: never */
	uint64_t preferred_ns,
	    valid_ns; /* ends of its lifetimes, or when it was taken back; UINT64_MAX: never */
};

/** A multicast group that an interface listens to. */
struct group {
	struct pc_addr addr;
	uint8_t netif;
	uint8_t reports; /* still to be sent */
	uint16_t refs;   /* 0: this place is free, or its group has been left */
	uint64_t due_ns; /* of the next report; UINT64_MAX: none */
};

#define NETIFS_GROUPS 256

struct netifs {
	struct ctx *ctx;
	uint16_t n, nb_addrs;
	uint16_t nb_announced;               /* the first so many addresses have been announced */
	uint32_t last_be[PC_MAX_ADDRS];      /* the last four bytes of each address */
	uint32_t broadcast_be[PC_MAX_ADDRS]; /* directed broadcast of its network; 0: none */
	struct laddr addr[PC_MAX_ADDRS + 2];
	struct netif netif[PC_MAX_PORTS + 1];
	struct loop loop;   /* the port of NETIF_LO */
	uint16_t nb_groups; /* places of group[] that have been used */
	uint64_t due_ns;    /* the earliest of the times in addr and group, or earlier */
	struct group group[NETIFS_GROUPS];
};

/** netifs_init makes the empty set of interfaces. */
void netifs_init(struct netifs *ifs, struct ctx *ctx);

/** netifs_add_port makes an interface of a port. Returns its index or -ENOSPC. */
int netifs_add_port(struct netifs *ifs, struct pc_port *port);

/** netifs_add_addr gives an interface an address. Returns the address's index, -EEXIST or -ENOSPC. */
int netifs_add_addr(struct netifs *ifs, uint8_t netif, const struct pc_prefix *addr);

/** netifs_del_addr takes an address back; its place is kept for it, since connections may know it. */
void netifs_del_addr(struct netifs *ifs, uint16_t laddr);

/** netifs_vacate gives the place of an address that has gone, and that nobody refers to any more, to whichever comes next. */
void netifs_vacate(struct netifs *ifs, uint16_t laddr);

/** netifs_find_loopback returns the index of 127.0.0.1 and ::1, LADDR_NONE for others. */
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

/** netifs_is_usable says whether packets may come to and go from an address of ours. */
static inline bool netifs_is_usable(const struct netifs *ifs, uint16_t laddr)
{
	return ifs->addr[laddr].state <= LADDR_DEPRECATED;
}

/** netifs_has says whether an address is one of ours; one that turned out to be somebody else's is not. */
static inline bool netifs_has(const struct netifs *ifs, const struct pc_addr *addr)
{
	const uint16_t laddr = netifs_find(ifs, addr);

	return laddr != LADDR_NONE && ifs->addr[laddr].state < LADDR_DUPLICATE;
}

/** netifs_speaks_ip6 says whether an interface speaks IPv6: it has a link-local address, and that is not somebody else's. */
static inline bool netifs_speaks_ip6(const struct netifs *ifs, uint8_t netif)
{
	const uint16_t laddr = ifs->netif[netif].link_local;

	return laddr != LADDR_NONE && ifs->addr[laddr].state != LADDR_DUPLICATE;
}

/** netifs_is_member says whether an interface listens to a group. */
bool netifs_is_member(const struct netifs *ifs, uint8_t netif, const struct pc_addr *group);

/** netifs_retrans_ms returns how far apart questions about an IPv6 address are on an interface (RetransTimer). */
static inline uint64_t netifs_retrans_ms(const struct netifs *ifs, uint8_t netif)
{
	const uint32_t told = ifs->netif[netif].retrans_ms;

	return told != 0 ? told : ifs->ctx->cfg.arp_retry_ms;
}

/** netifs_due notes that something is to be done at a time. */
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

/** netifs_find_source does so among those that packets may come from. */
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
void netifs_flush(struct netifs *ifs);

/** netifs_free drops every waiting frame. */
void netifs_free(struct netifs *ifs);

#endif
