/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_STACK_H
#define PERCORE_STACK_H

/*
 * A stack: everything one lcore needs to speak TCP/IP, and nothing that another lcore touches.
 *
 * Life: pc_stack_config_init, pc_stack_create, pc_stack_add_port, pc_stack_add_addr,
 * pc_stack_add_route; then turn after turn pc_stack_poll, the application's work, pc_stack_flush;
 * at the end pc_stack_destroy.  Time comes in as now_ns, nanoseconds of a monotonic clock that may
 * as well be invented.  Should it run backwards, the stack's own time goes on from where it was
 * (counted as clock_backwards).  All calls on a stack are made by one thread at a time.  Any number of
 * stacks may live in a process, also in one thread.
 *
 * EAL must be initialised before pc_stack_create (--no-huge --no-pci will do).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <percore/addr.h>
#include <percore/config.h>
#include <percore/port.h>
#include <percore/stats.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pc_stack;

/** Bytes that a stack takes, by what takes them; mbufs belong to whoever makes the pool. */
struct pc_stack_footprint {
	uint64_t
	    connections; /**< TCBs, with their sockets and timers, and what TCP_INFO tells of them */
	uint64_t flow_table;
	uint64_t half_open;
	uint64_t time_wait;
	uint64_t events; /**< epoll sets */
	uint64_t other;  /**< neighbours, routes, listeners, UDP sockets, the stack itself */
	uint64_t total;
	uint64_t
	    per_idle_connection; /**< cost of a connection, everything included; of many, on average */
};

/** pc_stack_get_footprint computes what pc_stack_create would take, without taking it. */
void pc_stack_get_footprint(const struct pc_stack_config *config, struct pc_stack_footprint *fp);

/**
 * pc_stack_create makes a stack; config is copied. pool is where the stack takes mbufs for what it
 * sends; its data room must hold an MTU-sized frame plus RTE_PKTMBUF_HEADROOM, it stays the
 * caller's and must outlive the stack. After this call the stack takes no memory from the system.
 *
 * Returns NULL with errno EINVAL (a value out of its limits, or a pool with too little room),
 * ENOMEM, EEXIST (another library holds the mbuf field that percore needs), or EIO (no seed was
 * given and the kernel has no randomness).
 */
struct pc_stack *pc_stack_create(const struct pc_stack_config *config, struct rte_mempool *pool);

/**
 * pc_stack_destroy ends every connection without a word to the peers, frees every mbuf that the
 * stack holds, and the stack. Ports are the caller's to close. NULL is allowed.
 */
void pc_stack_destroy(struct pc_stack *st);

/** Most ports, and most different addresses in its life, that a stack can have; routes: ip.routes. */
#define PC_MAX_PORTS 16
#define PC_MAX_ADDRS 64

/**
 * pc_stack_add_port attaches a port; it must live as long as the stack. Returns its index, counted
 * from 0, or -1 with errno ENOSPC.
 */
int pc_stack_add_port(struct pc_stack *st, struct pc_port *port);

/**
 * pc_stack_add_addr gives port an address and its connected route. An IPv4 address is announced by a
 * gratuitous ARP at the next poll, or, with arp.probes, first asked for (RFC 5227). An IPv6 address is first asked for on the link (RFC 4862, ip6.dad)
 * and may be used when nobody has answered within arp.retry_ms; with the first one the port gets a
 * link-local address too. Returns 0, or -1 with errno EINVAL (port, not a unicast address, or IPv6 on a
 * port whose MTU is below 1280), EEXIST or ENOSPC.
 */
int pc_stack_add_addr(struct pc_stack *st, int port, const struct pc_prefix *addr);

/**
 * pc_stack_set_exception gives a port an exception path: what is for nobody here of the frames that it receives, be it for want of
 * a socket, of a protocol or of an address, is not answered but sent to kernel, a port which leads to the
 * kernel's stack (a TAP), and what comes from there is sent by the port as it is. ARP replies, neighbour discovery
 * and IGMP go there, too, if link is set: where several stacks share a device, one has it set. At most
 * exception.rate frames a second go there. kernel must live as long as the stack; NULL: no
 * exception path any more. Returns 0, or -1 with errno EINVAL (no such port).
 */
int pc_stack_set_exception(struct pc_stack *st, int port, struct pc_port *kernel, bool link);

/**
 * pc_stack_add_slaac gives port a link-local IPv6 address and lets it make itself one of each prefix that
 * a router tells (RFC 4862), besides what pc_stack_add_addr says. They come and go while the stack runs.
 * Returns 0, or -1 with errno EINVAL or ENOSPC.
 */
int pc_stack_add_slaac(struct pc_stack *st, int port);

/**
 * pc_stack_del_addr takes an address back, with the routes that need it; connections from it find no way any
 * more, until it is added again. errno: EADDRNOTAVAIL (the port does not have it), EBUSY (a port's link-local
 * address).
 */
int pc_stack_del_addr(struct pc_stack *st, int port, const struct pc_prefix *addr);

/** pc_stack_set_mtu limits the IPv4 packets of a port to mtu bytes, at least 576 and at most what it can; 0
 * undoes that. errno EINVAL. */
int pc_stack_set_mtu(struct pc_stack *st, int port, uint16_t mtu);

/** pc_stack_add_dns notes the address of a name server, pc_stack_del_dns forgets it. errno ENOSPC. */
int pc_stack_add_dns(struct pc_stack *st, const struct pc_addr *server);
int pc_stack_del_dns(struct pc_stack *st, const struct pc_addr *server);

/** pc_stack_add_port_dns is pc_stack_add_dns for a server that a port's network has told of: if its address is
 * link-local, it is asked on that port. errno as there, and EINVAL (no such port). */
int pc_stack_add_port_dns(struct pc_stack *st, int port, const struct pc_addr *server);

/**
 * pc_stack_get_dns tells the name servers that DHCP, router advertisements (RFC 8106) and
 * pc_stack_add_dns have told of: at most n are written. Returns how many there are.
 */
unsigned pc_stack_get_dns(const struct pc_stack *st, struct pc_addr *servers, unsigned n);

/** pc_stack_dns_scope returns the scope (sin6_scope_id) in which a link-local name server is, which a router or DHCPv6
 * has told of; 0 for all others. */
uint32_t pc_stack_dns_scope(const struct pc_stack *st, const struct pc_addr *server);

#define PC_DOMAIN_MAX 253 /**< characters of a domain's name, without a final dot */

/** pc_stack_add_search notes a domain in which names are to be looked for, pc_stack_del_search forgets it. errno ENOSPC,
 * EINVAL (empty or too long). */
int pc_stack_add_search(struct pc_stack *st, const char *domain);
int pc_stack_del_search(struct pc_stack *st, const char *domain);

/**
 * pc_stack_get_search tells the domains that DHCP (RFC 2132 section 3.17, RFC 3646 section 4), router advertisements
 * (RFC 8106 section 5.2) and pc_stack_add_search have told of, in that order: at most n are written. Returns how
 * many there are.
 */
unsigned pc_stack_get_search(const struct pc_stack *st, char (*domains)[PC_DOMAIN_MAX + 1],
                             unsigned n);

/**
 * pc_stack_add_route sends dest by way of gateway, which must be on a connected network; a prefix
 * of length 0 (of either family: 0.0.0.0/0 is 96 bits long in mapped form) is the default route. There is one
 * such route per network and port; pc_route_add (percore/control.h) takes several, with metrics and MTUs, and
 * says how they change. Returns 0, or -1 with errno EINVAL, ENETUNREACH, EEXIST or ENOSPC.
 */
int pc_stack_add_route(struct pc_stack *st, const struct pc_prefix *dest,
                       const struct pc_addr *gateway);

/**
 * pc_stack_deny lets the stack listen to nobody in a prefix any more, whatever its family: IP packets
 * from there are dropped (drop_denied) before any transport sees them, and connections with it end
 * without a word, within some turns, their sockets with ECONNABORTED. ARP and neighbour discovery are heard
 * as before. Any time is good for it; an empty list costs nothing. The address's bits beyond the length are
 * not looked at. Returns 0, or -1 with errno EINVAL (a length beyond 128), EEXIST, or ENOSPC
 * (ip.deny_entries).
 */
int pc_stack_deny(struct pc_stack *st, const struct pc_prefix *prefix);

/** pc_stack_allow takes back what pc_stack_deny did, prefix by prefix; -1 with errno ENOENT. */
int pc_stack_allow(struct pc_stack *st, const struct pc_prefix *prefix);

/**
 * pc_stack_deny_all makes these n prefixes, which are copied, the whole list; prefixes may be NULL if n is
 * 0. Returns 0, or -1 with errno EINVAL or ENOSPC; then nothing has changed.
 */
int pc_stack_deny_all(struct pc_stack *st, const struct pc_prefix *prefixes, unsigned n);

/**
 * pc_stack_poll is the receiving half of a turn: it takes a burst from each port, runs it through
 * the layers, and fires the timers that are due at now_ns. What it has to send is sent by
 * pc_stack_flush, or by the next poll. Returns the number of frames received.
 */
unsigned pc_stack_poll(struct pc_stack *st, uint64_t now_ns);

/**
 * pc_stack_flush is the sending half of a turn: it sends the acknowledgements that no answer of the
 * application has carried, and hands everything to the ports. Call it after the application's work.
 */
void pc_stack_flush(struct pc_stack *st, uint64_t now_ns);

/**
 * pc_stack_next_deadline returns the time by which pc_stack_poll wants to be called even if no
 * frame arrives; UINT64_MAX when there is none. It is exact to 65.536 us; with
 * very many timers it may be early, never late.
 */
uint64_t pc_stack_next_deadline(const struct pc_stack *st);

/**
 * pc_stack_set changes a setting of a running stack: key is "section.key" of PC_STACK_KEYS, value as in a
 * config file (a whole number; yes and no for booleans). It holds from then on for whatever asks for it:
 * new sockets have new defaults (buffers, Nagle, keep-alive), handshakes offer and accept what is switched
 * on, timers that are armed anew take the new time; what was negotiated stays.
 *
 * Returns 0, or -1 with one line for a person in why (if not NULL) and errno ENOENT (there is no such key),
 * EINVAL (no number, outside the limits, or at odds with another setting), or EPERM (the key is one of
 * PC_STACK_FIXED_KEYS: pc_stack_config_is_live).
 */
int pc_stack_set(struct pc_stack *st, const char *key, const char *value, char *why,
                 size_t why_len);

/**
 * pc_stack_get writes the setting in force into value, as text with its final NUL; an "auto" one is
 * replaced by what was computed. Returns 0, or -1 with errno ENOENT, or ENOSPC (len is too short; 21 bytes
 * are always enough).
 */
int pc_stack_get(const struct pc_stack *st, const char *key, char *value, size_t len);

/**
 * pc_stack_reconfigure does what pc_stack_set does for all keys at once, so that the order in which limits
 * move does not matter: what differs from the settings in force changes. Keys that cannot change must not
 * differ. name and socket_id are not looked at. Returns 0, or -1 with errno EINVAL or EPERM and a line in
 * why; then nothing has changed.
 */
int pc_stack_reconfigure(struct pc_stack *st, const struct pc_stack_config *config, char *why,
                         size_t why_len);

/** pc_stack_get_config returns the settings in force, "auto" ones replaced. */
const struct pc_stack_config *pc_stack_get_config(const struct pc_stack *st);

/** How full a stack is. */
struct pc_stack_usage {
	uint32_t connections, connections_max;
	uint32_t half_open, half_open_max;
	uint32_t time_wait, time_wait_max;
	uint32_t neighbours, neighbours_max;
	uint32_t udp_sockets, udp_sockets_max;
	uint32_t listeners, listeners_max;
};

/** pc_stack_get_usage counts what is in use. */
void pc_stack_get_usage(const struct pc_stack *st, struct pc_stack_usage *usage);

/** pc_stack_counters returns the stack's counters, to be read by pc_counter_*; never NULL. */
const struct pc_counters *pc_stack_counters(const struct pc_stack *st);

/**
 * pc_stack_validate checks every invariant of every structure; it is slow and meant for tests and
 * simulations. Returns 0, or the number of violations, each reported on f (if not NULL) in a line.
 */
unsigned pc_stack_validate(const struct pc_stack *st, FILE *f);

#ifdef __cplusplus
}
#endif
#endif
