/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_IP_H
#define IP_IP_H

/*
 * The network layer: validation of input, routes and headers for output.
 *
 * Above this header, code does not need to know the family of a packet.  Input leaves the frame as
 * it arrived, starting with its Ethernet header, and says in struct ip_pkt where the transport
 * header is; output takes a packet that begins with its transport header and prepends the rest.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <percore/control.h>
#include <percore/stack.h>

#include "base/ctx.h"
#include "base/hash.h"
#include "base/verdict.h"
#include "fw/fw.h"
#include "ip/deny.h"
#include "ip/names.h"
#include "neigh/neigh.h"
#include "neigh/netif.h"

/* Headroom that a transport must leave in front of its own header: Ethernet with two VLAN tags and
 * IPv6. */
#define IP_HEADROOM (14 + 8 + 40)

/** A route. */
struct route {
	struct pc_prefix dest;
	struct pc_addr gateway; /* any: on-link */
	uint64_t until_ns;      /* UINT64_MAX: for ever */
	uint32_t metric;        /* the lowest wins */
	uint32_t next;          /* in its chain or the free list, index + 1; 0: the last */
	uint16_t laddr;         /* IPv4: source address for packets that have none yet */
	uint16_t mtu;           /* 0: the link's */
	uint16_t by;            /* index of the gateway; GATEWAY_NONE: on-link */
	uint16_t weight;        /* share of flows among equal routes, 1 to ROUTE_WEIGHT_MAX */
	uint8_t netif;
	uint8_t learnt;    /* ROUTE_*: its origin */
	int8_t preference; /* of a router: 1 high, 0, -1 low (RFC 4191) */
	bool used;
};

enum {
	ROUTE_SET,      /* configured, or the network of an address */
	ROUTE_PREFIX,   /* an on-link prefix from a router advertisement */
	ROUTE_ROUTER,   /* a default router, from its own advertisement */
	ROUTE_REDIRECT, /* a host route, from a redirect */
};

#define ROUTES_LEARNT 96 /* slots for routes learnt from the network; ra.c takes no more */
#define ROUTES_EQUAL  16 /* routes to one network that share its traffic */

#define ROUTE_WEIGHT_MAX 256 /* as on Linux */

/** The prefix lengths in use in one family. */
struct route_lengths {
	uint8_t n, len[129];  /* the lengths in use, longest first */
	uint32_t routes[129]; /* with each length */
};

/** All routes (route.c). */
struct routes {
	uint32_t n, max, mask;
	uint32_t end;                    /* slots from here on are free */
	uint32_t free[2];                /* configured and learnt: index + 1 */
	struct route_lengths lengths[2]; /* of IPv4, of IPv6 */
	struct hash_key key;
	uint32_t *bucket;    /* the first of a chain: index + 1 */
	struct route *route; /* learnt ones use the first ROUTES_LEARNT slots */
};

#define GATEWAYS     128
#define GATEWAY_NONE UINT16_MAX

/** A next hop of routes (gateway.c). */
struct gateway {
	struct pc_addr addr;
	uint64_t probe_ns; /* if down: when it is probed again */
	uint32_t refs;     /* routes through it; 0: this slot is free */
	uint8_t netif;
	bool down; /* it did not answer, and has not been heard from since */
};

struct gateways {
	uint16_t n;
	uint32_t failures; /* failures of neighbours processed so far */
	uint64_t due_ns;
	struct gateway place[GATEWAYS];
};

/** A prefix, and a router that advertises it (origin.c). */
struct origin {
	struct pc_prefix prefix;
	struct pc_addr router;
	uint64_t until_ns; /* 0: over */
	uint8_t netif;
};

/** A path whose MTU is smaller than the link's. */
struct pmtu {
	struct pc_addr dst;
	uint64_t until_ns;
	uint16_t mtu;
};

/** The path to a destination; may be kept while ip_path_is_good. */
struct ip_path {
	struct neigh_ref neigh;
	uint16_t laddr;
	uint16_t mtu;
	uint8_t netif;
	bool broadcast, multicast;
	bool shared; /* chosen by flow; others to the same address may differ */
};

/** A recently found path: answering a SYN needs it twice, and many SYNs come from one network. */
struct path_memo {
	struct pc_addr dst;
	struct ip_path path; /* neigh.generation 0: none */
};

#define ORIGINS      32
#define PATH_MEMOS   64
#define LARGE_ECHOES 8
#define PMTU_ENTRIES 256
#define PMTU_WAYS    4

struct frags;

struct ip {
	struct ctx *ctx;
	struct netifs ifs;
	struct neigh_table *neigh;
	uint64_t error_ns;         /* when error_tokens was last refilled */
	uint32_t error_tokens;     /* of the ICMP error rate limit */
	struct hash_key label_key; /* for IPv6 flow labels only, which anyone can see */
	struct hash_key table_key; /* of routes and path MTUs */
	struct pc_sip_key id_key;  /* of identifications */
	uint32_t id_count[256];
	struct frags *frags; /* incomplete datagrams */
	uint16_t nb_raw;     /* raw sockets, which get copies of packets */
	uint8_t bare_ttl;    /* of resets and ICMP errors, which no socket sends; 0: the default */
	uint64_t due_ns;     /* when ra_poll and ip_pmtu_poll are next due, or earlier */
	uint32_t polled;     /* the tick of the last poll, if has_polled */
	bool has_polled;
	struct routes routes;
	struct gateways gateways;
	struct path_memo memo[PATH_MEMOS]; /* by the last byte of the address */
	struct pmtu pmtu[PMTU_ENTRIES];
	struct deny deny;
	struct fw fw;
	struct names names;
	uint16_t nb_origins;
	struct origin origin[ORIGINS];
	/* who was sent the latest echo replies that a path may be too narrow for (icmp6.c) */
	struct pc_addr large_echo[LARGE_ECHOES];
	uint8_t next_echo; /* the place for the next one */
	uint32_t leasing;  /* interfaces that DHCP asks for an address; bit n: netif n */
	/* marks our addresses that sockets and connections refer to; NULL: there are none */
	void (*mark)(void *arg, bool used[PC_MAX_ADDRS]);
	void *mark_arg;
	uint64_t vacate_ns; /* when address slots may next be checked */
};

static_assert(PC_MAX_PORTS <= 32, "leasing has a bit for each");

/** ip_set_leasing says whether DHCP asks for an address of an interface: if so, its server's messages
 * are received whatever address they are sent to (RFC 2131 section 4.1). */
static inline void ip_set_leasing(struct ip *ip, uint8_t netif, bool on)
{
	ip->leasing = (ip->leasing & ~(1u << netif)) | (uint32_t)on << netif;
}

/** A received packet whose network header has been validated. */
struct ip_pkt {
	struct pc_addr src, dst;
	uint16_t l3_off;   /* of the IP header, from the start of the frame */
	uint16_t l4_off;   /* of the transport header; at least min(l4_len, 60) bytes contiguous */
	uint32_t l4_len;   /* bytes of transport header and payload; the frame is trimmed to them */
	uint16_t laddr;    /* dst as an address of ours; LADDR_NONE for a group */
	uint16_t proto_at; /* IPv6: offset of the field that holds proto, from the IP header */
	uint8_t netif;
	uint8_t proto;
	uint8_t ttl;
	uint8_t tos;
	bool group;      /* sent to a broadcast address or a group */
	bool l4_good;    /* the port, or the firewall, has verified the transport checksum */
	bool fragmented; /* IPv6: it had a fragment header, though it is whole */
	bool alert;      /* IPv6: it has a router alert for MLD */
};

/** What a transport says about a packet it sends. */
struct ip_send {
	struct pc_addr src, dst;
	uint8_t proto;
	uint8_t ttl; /* 0: the default */
	uint8_t tos;
	bool df;     /* not to be fragmented by us or (IPv4) by routers (RFC 1191): most of TCP */
	bool summed; /* payload_sum is valid */
	uint16_t payload_sum; /* of the data after the transport header (cksum_fold_be) */
};

/** An ICMP error about a packet of ours, passed to its transport. */
struct icmp_error {
	struct pc_addr local, remote;     /* of the packet that we sent */
	uint16_t local_port, remote_port; /* host byte order */
	uint16_t laddr;
	uint8_t proto;
	uint8_t type, code;
	uint8_t ttl, tos;        /* of the message */
	uint32_t seq;            /* TCP: the sequence number quoted */
	uint32_t mtu;            /* of "fragmentation needed"; 0: not given */
	int error;               /* the errno for it, e.g. ECONNREFUSED */
	bool hard;               /* RFC 1122 4.2.3.9: ends a connection attempt */
	bool no_route;           /* RFC 6069: no route, which is not congestion */
	struct pc_addr offender; /* who sent it */
	uint16_t
	    quote_off; /* in the mbuf: of what is quoted after 8 bytes of our transport header */
	uint32_t quote_len; /* bytes of that data */
};

/** ip_footprint returns the bytes that ip_init takes. */
uint64_t ip_footprint(const struct pc_stack_config *cfg);

/** ip_init sets up the layer, without interfaces. Returns 0 or -ENOMEM. */
int ip_init(struct ip *ip, struct ctx *ctx);

/** ip_fini frees everything it holds; ports remain the caller's. */
void ip_fini(struct ip *ip);

/** ip_add_slaac lets an interface configure its own addresses from its routers' prefixes. Returns
 * 0, -EINVAL or -ENOSPC. */
int ip_add_slaac(struct ip *ip, int port);

/**
 * ip_vacate frees the slots of addresses that were removed an hour ago and are no longer referred
 * to, at most once a minute; ip_take_place is netifs_add_addr, but calls it when there is no free
 * slot.
 */
void ip_vacate(struct ip *ip);
int ip_take_place(struct ip *ip, uint8_t netif, const struct pc_prefix *addr);

/* pc_stack_add_*, with the errnos of percore/stack.h as negative returns */
int ip_add_port(struct ip *ip, struct pc_port *port);
int ip_add_addr(struct ip *ip, int port, const struct pc_prefix *addr);

/** ip_add_tried is ip_add_addr for an address that has already been probed on the link: it is
 * ready at once. */
int ip_add_tried(struct ip *ip, int port, const struct pc_prefix *addr);
int ip_del_addr(struct ip *ip, int port, const struct pc_prefix *addr);

/** An address leased by DHCPv6, which says nothing about its network (RFC 5942 section 4). */
struct ip_lease {
	struct pc_addr addr;
	uint64_t preferred_ns, valid_ns; /* ends of its lifetimes; UINT64_MAX: never */
	bool tried; /* it has already been probed on the link: it is ready at once */
};

/** ip_lease_addr gives an interface a leased address, or a leased address new lifetimes. Returns
 * the address's index, or -EINVAL, -EEXIST (it is ours by other means) or -ENOSPC. ip_end_lease
 * removes it, if it is there. */
int ip_lease_addr(struct ip *ip, int port, const struct ip_lease *l);
void ip_end_lease(struct ip *ip, int port, const struct pc_addr *addr);

int ip_add_route(struct ip *ip, const struct pc_prefix *dest, const struct pc_addr *gateway);

/* pc_route_*, likewise */
int ip_route_add(struct ip *ip, const struct pc_route *want);
int ip_route_del(struct ip *ip, const struct pc_route *want);
int ip_route_replace(struct ip *ip, const struct pc_route *want);
unsigned ip_route_list(const struct ip *ip, struct pc_route_info *list, unsigned n);

/** eth_input examines a frame's Ethernet header. Verdict: NEXT_ARP, NEXT_IP4, NEXT_IP6 or a
 * drop. */
int eth_input(const struct ip *ip, struct rte_mbuf *m, uint8_t netif);

/**
 * ip4_input validates a frame's IPv4 packet (RFC 1122 section 3.2.1) and fills in *p. The frame is
 * trimmed to the packet. Verdict: NEXT_TCP, NEXT_UDP, NEXT_ICMP4, NEXT_IGMP, NEXT_FRAGMENT or a
 * drop.
 */
int ip4_input(struct ip *ip, struct rte_mbuf *m, uint8_t netif, struct ip_pkt *p);

/**
 * ip6_input does the same for IPv6 (RFC 8200), extension headers included; a problem with one of
 * them is reported to the sender. Verdict: NEXT_TCP, NEXT_UDP, NEXT_ICMP6, NEXT_FRAGMENT or a drop.
 */
int ip6_input(struct ip *ip, struct rte_mbuf *m, uint8_t netif, struct ip_pkt *p);

/**
 * ip_reassemble adds a packet for which one of these has returned NEXT_FRAGMENT. Verdict: done, it
 * waits for the others; a drop; or, when its datagram is complete, NEXT_TCP and the like, with *m
 * and *p describing that datagram.
 */
int ip_reassemble(struct ip *ip, struct rte_mbuf **m, struct ip_pkt *p);

/**
 * icmp4_input handles an ICMP message: echo requests are answered in place; errors about packets of
 * ours fill in *error. Verdict: done, NEXT_ERROR or a drop.
 */
int icmp4_input(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p,
                struct icmp_error *error);

/**
 * icmp6_input does the same for ICMPv6, and hands neighbour discovery and multicast listener
 * queries to lib/neigh.
 */
int icmp6_input(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p,
                struct icmp_error *error);

/** icmp_is_intact says whether an ICMP message of either family has a valid checksum. */
bool icmp_is_intact(const struct rte_mbuf *m, const struct ip_pkt *p);

/** igmp_input handles IGMP messages from routers and other hosts (RFC 3376). Verdict: a drop. */
int igmp_input(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p);

/** ip_take_unreached describes a packet of a transport that was dropped because its neighbour did not
 * answer, as an ICMP error about it would (RFC 4861 section 7.2.2, RFC 1122 section 2.4). Returns
 * false when there is none. */
bool ip_take_unreached(struct ip *ip, struct icmp_error *error);

/**
 * icmp_port_unreachable answers a received packet for which there is no socket (RFC 1122 section
 * 3.2.2.1), within the rate limit and never for a packet to a group, an error or a fragment. m
 * remains the caller's.
 */
void icmp_port_unreachable(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p);

/** icmp_prohibited does the same for a packet rejected by the firewall's rules. */
void icmp_prohibited(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p);

/** icmp_protocol_unreachable does the same for a packet dropped because of its protocol. */
void icmp_protocol_unreachable(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p);

/**
 * ip_path_find finds the path to dst. laddr, a bound address, restricts it to that address's
 * interface (the strong host model of RFC 1122 section 3.3.4.2); with LADDR_NONE the route says
 * which address to use. path may be outdated or uninitialised and is untouched on failure. An
 * address of ours is reached by NETIF_LO. Returns 0, -ENETUNREACH (no route) or -EADDRNOTAVAIL
 * (there is a route, but not through laddr's interface).
 */
int ip_path_find(struct ip *ip, const struct pc_addr *dst, uint16_t laddr, struct ip_path *path);

/** ip_path_find_flow does the same for packets with ports, which also take part in the choice among
 * equal routes (ip.multipath_hash). ports: source port times 65536 plus destination port, as in the
 * packets sent; 0 if there are none. */
int ip_path_find_flow(struct ip *ip, const struct pc_addr *dst, uint16_t laddr, uint32_t ports,
                      struct ip_path *path);

/** ip_way_mtu returns the MTU of the path to dst as given by the link and the route, ignoring any
 * path MTU learnt; 0: there is no path. */
uint16_t ip_way_mtu(struct ip *ip, const struct pc_addr *dst, uint16_t laddr, uint32_t ports);

/** ip_path_loop makes a path for a packet back to ourselves, whatever its destination is, for
 * copies of packets sent to groups. laddr is its source. Returns 0 or -EADDRNOTAVAIL. */
int ip_path_loop(struct ip *ip, const struct pc_addr *dst, uint16_t laddr, struct ip_path *path);

/**
 * ip_path_is_good says whether a path is still valid. Paths to groups always are; they are not
 * worth keeping. The others become invalid when routes change or neighbours are forgotten.
 */
static inline bool ip_path_is_good(const struct ip *ip, const struct ip_path *path)
{
	return path->broadcast || path->multicast || neigh_is_valid(ip->neigh, path->neigh);
}

/** ip_due records when routers, routes or path MTUs next need attention. */
static inline void ip_due(struct ip *ip, uint64_t ns)
{
	if (ns < ip->due_ns)
		ip->due_ns = ns;
}

/** ip_laddr returns one of our addresses by its index. */
static inline const struct pc_addr *ip_laddr(const struct ip *ip, uint16_t laddr)
{
	return &ip->ifs.addr[laddr].addr;
}

/** ip_laddr_name is ip_laddr, but also for an address that has been removed: sockets and
 * connections that refer to it still have it as their name. */
static inline const struct pc_addr *ip_laddr_name(const struct ip *ip, uint16_t laddr)
{
	const struct laddr *la = &ip->ifs.addr[laddr];

	return pc_addr_is_any(&la->addr) ? &la->was : &la->addr;
}

/** ip_hdr_len returns the length of the IP header of packets to an address. */
static inline uint32_t ip_hdr_len(const struct pc_addr *dst)
{
	return pc_addr_is_ip4(dst) ? 20 : 40;
}

/** ip_port returns the port of an interface. */
static inline struct pc_port *ip_port(const struct ip *ip, uint8_t netif)
{
	return ip->ifs.netif[netif].port;
}

/** ip_l4_is_good says whether a port with these offloads has verified a packet's
 * transport checksum. */
static inline bool ip_l4_is_good(uint32_t offloads, uint64_t ol_flags)
{
	const uint64_t said = ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	return (offloads & PC_PORT_RX_L4_CKSUM) != 0 &&
	       (said == RTE_MBUF_F_RX_L4_CKSUM_GOOD || said == RTE_MBUF_F_RX_L4_CKSUM_NONE);
}

/**
 * ip_l4_checksum completes the transport checksum of m, which begins with a transport header of
 * l4_hdr_len bytes whose checksum field, at cksum_off, is 0. The port does it if it can for
 * s->proto; otherwise it is computed here, without reading again a payload whose sum is known.
 * Chains are allowed.
 */
void ip_l4_checksum(const struct ip *ip, const struct ip_path *path, const struct ip_send *s,
                    struct rte_mbuf *m, uint16_t l4_hdr_len, uint16_t cksum_off);

/**
 * ip_output sends a packet that begins with its finished transport header; it owns m. A packet
 * larger than the path's MTU is sent in fragments or, with s->df, dropped and counted, unless the
 * port segments it (RTE_MBUF_F_TX_TCP_SEG). An outdated path does no harm, but costs a lookup.
 */
void ip_output(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
               struct rte_mbuf *m);

/** ip_make_id returns an identification for a packet that may be fragmented (RFC 7739 section
 * 5.3). */
uint32_t ip_make_id(struct ip *ip, const struct ip_send *s);

/** ip4_output_header sends a packet to dst that begins with its finished IPv4 header; it owns m. */
void ip4_output_header(struct ip *ip, const struct ip_path *path, struct rte_mbuf *m,
                       const struct pc_addr *dst);

/**
 * ip6_label returns the flow label of packets: a keyed hash of addresses, protocol and ports
 * (RFC 6437 section 3). It is the same for all packets of a flow, so that routers can balance load
 * by it, and outsiders cannot compute it. ports_be: the first four bytes of the transport header,
 * or 0.
 */
static inline uint32_t ip6_label(const struct ip *ip, const struct pc_addr *src,
                                 const struct pc_addr *dst, uint8_t proto, uint32_t ports_be)
{
	const uint64_t v[3] = {src->q[0] ^ dst->q[0], src->q[1] ^ dst->q[1] << 1 ^ dst->q[1] >> 63,
	                       (uint64_t)proto << 32 | ports_be};

	return (uint32_t)hash24(&ip->label_key, v) & 0xfffff;
}

/**
 * ip6_source chooses the source address for packets to dst from those of an interface (RFC 6724
 * section 5); hop: the router that they go to, NULL: none, or it is not known. Returns LADDR_NONE
 * when none is ready.
 */
uint16_t ip6_source(const struct ip *ip, uint8_t netif, const struct pc_addr *dst,
                    const struct pc_addr *hop);

/** ip_source chooses the source address for packets to dst, of either family, from those of an
 * interface, by the route through it. Without a route, and for groups and broadcasts, it is for IPv4
 * the interface's first. Returns LADDR_NONE when none is ready. */
uint16_t ip_source(const struct ip *ip, uint8_t netif, const struct pc_addr *dst);

/** ip_sort sorts a host's addresses into the order in which to try them (RFC 6724 section 6); only
 * the first IP_SORTED_MAX are considered. */
#define IP_SORTED_MAX 64
void ip_sort(struct ip *ip, struct pc_endpoint *to, unsigned n);

/**
 * ip_pmtu_learn records that packets to dst may have at most mtu bytes; transports call it for an
 * error that they have found to be about a packet of theirs. A value that is not smaller, or for
 * IPv6 below 1280, changes nothing; for IPv4 a value that is below IP_PMTU4_MIN, or not given (0),
 * is raised to it. ip_path_find applies the value to IPv6 paths only: senders of IPv4 datagrams
 * call ip_pmtu.
 */
void ip_pmtu_learn(struct ip *ip, const struct pc_addr *dst, uint32_t mtu);

/** The lowest IPv4 path MTU that is believed, as on Linux; narrower paths get it too,
 * and routers fragment. */
#define IP_PMTU4_MIN 552

/** ip_link_mtu returns the size of the largest packet to dst that an interface sends
 * unfragmented. */
static inline uint16_t ip_link_mtu(const struct ip *ip, uint8_t netif, const struct pc_addr *dst)
{
	return pc_addr_is_ip4(dst) ? ip_port(ip, netif)->info.mtu : ip->ifs.netif[netif].mtu6;
}

/** ip_pmtu_poll expires old path MTUs, and then invalidates all paths. */
void ip_pmtu_poll(struct ip *ip);

/** ip_pmtu returns the MTU of the path to dst over a link whose own MTU is mtu. */
uint16_t ip_pmtu(struct ip *ip, const struct pc_addr *dst, uint16_t mtu);

/**
 * ip_group_join lets an interface listen to a multicast group of either family, and tells the
 * link's routers and switches by IGMP or MLD; each join needs a matching leave. Returns 0, -EINVAL
 * (no such interface, or not a group), -ENODEV (an IPv6 group on an interface without IPv6) or
 * -ENOBUFS (too many groups).
 */
int ip_group_join(struct ip *ip, int netif, const struct pc_addr *group);

/** ip_group_leave undoes one ip_group_join. Returns 0 or -EADDRNOTAVAIL. */
int ip_group_leave(struct ip *ip, int netif, const struct pc_addr *group);

/** ip_group_netif chooses the interface for a group when none was named: the one that packets to
 * the group would be sent by. Returns its index or -ENODEV. */
int ip_group_netif(struct ip *ip, const struct pc_addr *group);

/** ip_relieve frees mbufs when they are scarce: incomplete datagrams may keep a sixteenth
 * of the pool. */
void ip_relieve(struct ip *ip);

/** ip_fragments_held returns how many mbufs are held by incomplete datagrams. */
uint32_t ip_fragments_held(const struct ip *ip);

/** ip_fragments_waiting returns how many fragments those datagrams hold. */
uint32_t ip_fragments_waiting(const struct ip *ip);

/** ip_validate checks the invariants. Returns the number of violations. */
unsigned ip_validate(const struct ip *ip);

/** ip_poll fires the layer's timers and announces new addresses. */
void ip_poll(struct ip *ip);

/** ip_next tells the tick of the next timer. Returns false when there is none. */
bool ip_next(const struct ip *ip, uint32_t *tick);

#endif
