/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_STACK_H
#define PERCORE_STACK_H

/*
 * A stack: all TCP/IP state of one lcore, which shares nothing with other lcores.
 *
 *   pc_stack_config_init(&config);             limits and settings
 *   st = pc_stack_create(&config, pool);       all memory is taken here
 *   pc_stack_add_port(st, port);               then pc_stack_add_addr, pc_stack_add_route
 *   for (;;) {
 *       pc_stack_poll(st, now_ns);             receive, timers
 *       ...                                    the application's work
 *       pc_stack_flush(st, now_ns);            transmit
 *   }
 *   pc_stack_destroy(st);
 *
 * now_ns is the time in nanoseconds of a monotonic clock, real or virtual.  If it runs backwards, the stack's time
 * continues from where it was (counted as clock_backwards).
 *
 * Only one thread at a time may make calls on a stack; other threads use percore/control.h.  A process, also a
 * single thread, may have any number of stacks.  EAL must be initialised before pc_stack_create (--no-huge
 * --no-pci is enough).
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

/** Memory of a stack in bytes, without mbufs, which belong to the owner of the pool. */
struct pc_stack_footprint {
	uint64_t connections; /**< TCBs, their sockets, timers and TCP_INFO counters */
	uint64_t flow_table;
	uint64_t half_open;
	uint64_t time_wait;
	uint64_t events; /**< epoll sets */
	uint64_t other;  /**< neighbours, routes, listeners, UDP sockets, the stack itself */
	uint64_t total;
	uint64_t
	    per_idle_connection; /**< of one connection, everything included; an average over many */
};

/** pc_stack_get_footprint computes how much memory pc_stack_create would take. */
void pc_stack_get_footprint(const struct pc_stack_config *config, struct pc_stack_footprint *fp);

/**
 * pc_stack_create makes a stack; config is copied. The stack allocates mbufs for transmission from pool, whose data
 * room must hold an MTU-sized frame plus RTE_PKTMBUF_HEADROOM; the pool stays the caller's and must outlive
 * the stack. After this call the stack takes no memory from the system.
 *
 * Returns NULL with errno EINVAL (a value out of its limits, or a pool with too little room),
 * ENOMEM, EEXIST (another library holds the mbuf field that percore needs), or EIO (no seed was
 * given and the kernel has no randomness).
 */
struct pc_stack *pc_stack_create(const struct pc_stack_config *config, struct rte_mempool *pool);

/**
 * pc_stack_destroy drops every connection without sending anything, and frees the stack and every mbuf that it
 * holds. The caller closes the ports. NULL is allowed.
 */
void pc_stack_destroy(struct pc_stack *st);

/** Maxima of a stack: ports, and addresses; one that has gone counts for an hour, and for as long as a socket or connection names it.
 * The limit of routes is ip.routes. */
#define PC_MAX_PORTS 16
#define PC_MAX_ADDRS 64

/**
 * pc_stack_add_port attaches a port; it must live as long as the stack. Returns its index, counted
 * from 0, or -1 with errno ENOSPC.
 */
int pc_stack_add_port(struct pc_stack *st, struct pc_port *port);

/**
 * pc_stack_add_addr adds an address and its connected route to a port.
 *
 * IPv4: a gratuitous ARP announces the address at the next poll; with arp.probes conflict detection comes first
 * (RFC 5227). IPv6: duplicate address detection comes first (RFC 4862, ip6.dad), and the address is usable if nobody
 * answers within arp.retry_ms; the first one also gives the port a link-local address.
 *
 * Returns 0, or -1 with errno EINVAL (no such port, not a unicast address, or IPv6 on a port whose MTU is below
 * 1280), EEXIST or ENOSPC.
 */
int pc_stack_add_addr(struct pc_stack *st, int port, const struct pc_prefix *addr);

/**
 * pc_stack_set_exception gives a port an exception path to the kernel, or removes it (kernel NULL).
 *
 * Received frames for which the stack has no socket, no protocol or no address are not answered, but sent to kernel, a
 * port that leads to the kernel's stack (a TAP); at most exception.rate frames a second. Frames received from
 * kernel are sent by the port unchanged. With link set, ARP replies, neighbour discovery and IGMP go there as
 * well; if several stacks share a device, set link for one of them. kernel must outlive the stack.
 *
 * Returns 0, or -1 with errno EINVAL (no such port).
 */
int pc_stack_set_exception(struct pc_stack *st, int port, struct pc_port *kernel, bool link);

/**
 * pc_stack_add_slaac enables stateless address autoconfiguration on a port (RFC 4862): a link-local address, and one
 * for each prefix that a router advertises, beside those of pc_stack_add_addr. They come and go while the stack
 * runs. Returns 0, or -1 with errno EINVAL or ENOSPC.
 */
int pc_stack_add_slaac(struct pc_stack *st, int port);

/**
 * pc_stack_del_addr removes an address and the routes that need it. Connections from it have no route until it is
 * added again. Returns 0, or -1 with errno EADDRNOTAVAIL (the port does not have it) or EBUSY (a port's link-local
 * address).
 */
int pc_stack_del_addr(struct pc_stack *st, int port, const struct pc_prefix *addr);

/** pc_stack_set_mtu limits the IPv4 packets of a port to mtu bytes, from 576 to the port's own MTU; 0 removes the
 * limit. Returns 0, or -1 with errno EINVAL. */
int pc_stack_set_mtu(struct pc_stack *st, int port, uint16_t mtu);

/** pc_stack_add_dns adds the address of a name server to the list that resolvers use; pc_stack_del_dns removes it.
 * errno ENOSPC. */
int pc_stack_add_dns(struct pc_stack *st, const struct pc_addr *server);
int pc_stack_del_dns(struct pc_stack *st, const struct pc_addr *server);

/** pc_stack_add_port_dns is pc_stack_add_dns for a server learnt from a port's network: a link-local address is
 * queried on that port. errno as there, and EINVAL (no such port). */
int pc_stack_add_port_dns(struct pc_stack *st, int port, const struct pc_addr *server);

/**
 * pc_stack_get_dns writes at most n of the name servers that are known from DHCP, router advertisements (RFC 8106)
 * and pc_stack_add_dns. Returns how many there are.
 */
unsigned pc_stack_get_dns(const struct pc_stack *st, struct pc_addr *servers, unsigned n);

/** pc_stack_dns_scope returns the scope (sin6_scope_id) of a link-local name server that was learnt from a router or
 * DHCPv6; 0 for all others. */
uint32_t pc_stack_dns_scope(const struct pc_stack *st, const struct pc_addr *server);

/**
 * pc_stack_sort puts the addresses of a host into the order in which they are best tried (RFC 6724 section 6), by the
 * addresses and routes that the stack has now: those that it has no way to come last. Of more than 64, it sorts the first.
 */
void pc_stack_sort(struct pc_stack *st, struct pc_endpoint *addrs, unsigned n);

#define PC_DOMAIN_MAX 253 /**< characters of a domain's name, without a final dot */

/** pc_stack_add_search adds a domain to the search list of resolvers; pc_stack_del_search removes it. errno ENOSPC,
 * EINVAL (empty or too long). */
int pc_stack_add_search(struct pc_stack *st, const char *domain);
int pc_stack_del_search(struct pc_stack *st, const char *domain);

/**
 * pc_stack_get_search writes at most n domains of the search list: those of DHCP (RFC 2132 section 3.17, RFC 3646
 * section 4), of router advertisements (RFC 8106 section 5.2) and of pc_stack_add_search, in that order. Returns how
 * many there are.
 */
unsigned pc_stack_get_search(const struct pc_stack *st, char (*domains)[PC_DOMAIN_MAX + 1],
                             unsigned n);

/**
 * pc_stack_add_route adds a route to dest by a gateway, which must be on a connected network. A prefix of length 0 is
 * the default route (0.0.0.0/0 is 96 bits long in mapped form). There is one such route per network and port;
 * pc_route_add (percore/control.h) takes several, with metrics and MTUs. Returns 0, or -1 with errno EINVAL,
 * ENETUNREACH, EEXIST or ENOSPC.
 */
int pc_stack_add_route(struct pc_stack *st, const struct pc_prefix *dest,
                       const struct pc_addr *gateway);

/**
 * pc_stack_deny drops all IP packets from a network, of either family (drop_denied), before any transport sees them.
 * Existing connections with it end within some turns, without a word to the peer; their sockets get ECONNABORTED.
 * ARP and neighbour discovery are not affected. It may be called at any time. Address bits beyond the prefix length
 * are ignored. Returns 0, or -1 with errno EINVAL (a length beyond 128), EEXIST, or ENOSPC (ip.deny_entries).
 */
int pc_stack_deny(struct pc_stack *st, const struct pc_prefix *prefix);

/** pc_stack_allow undoes pc_stack_deny for exactly this prefix. Returns 0, or -1 with errno ENOENT. */
int pc_stack_allow(struct pc_stack *st, const struct pc_prefix *prefix);

/**
 * pc_stack_deny_all replaces the whole list of denied networks by n prefixes, which are copied; prefixes may be NULL if
 * n is 0. Returns 0, or -1 with errno EINVAL or ENOSPC; then nothing has changed.
 */
int pc_stack_deny_all(struct pc_stack *st, const struct pc_prefix *prefixes, unsigned n);

/**
 * pc_stack_poll is the receiving half of a turn: it receives a burst from each port, processes it, and fires the
 * timers that are due at now_ns. What that generates is sent by pc_stack_flush, or by the next poll. Returns the
 * number of frames received.
 */
unsigned pc_stack_poll(struct pc_stack *st, uint64_t now_ns);

/**
 * pc_stack_flush is the sending half of a turn: it sends the data that the application has queued and pending
 * acknowledgements, in one burst per port. Call it after the application's work.
 */
void pc_stack_flush(struct pc_stack *st, uint64_t now_ns);

/**
 * pc_stack_next_deadline returns the time by which pc_stack_poll must be called even if no frame arrives (the next
 * timer), or UINT64_MAX: a loop may sleep until then. It is exact to 65.536 us; with very many timers it may be
 * early, never late.
 */
uint64_t pc_stack_next_deadline(const struct pc_stack *st);

/**
 * pc_stack_set changes a setting of a running stack: key is "section.key" of PC_STACK_KEYS, value as in a
 * config file (a whole number; yes and no for booleans). It affects new sockets (buffers, Nagle, keep-alive), new
 * handshakes and timers that are armed afterwards; what was negotiated stays.
 *
 * Returns 0, or -1 with one line for a person in why (if not NULL) and errno ENOENT (there is no such key),
 * EINVAL (no number, outside the limits, or at odds with another setting), or EPERM (the key is one of
 * PC_STACK_FIXED_KEYS: pc_stack_config_is_live).
 */
int pc_stack_set(struct pc_stack *st, const char *key, const char *value, char *why,
                 size_t why_len);

/**
 * pc_stack_get writes the current value of a setting as text with its final NUL; an "auto" one as
 * it was computed. Returns 0, or -1 with errno ENOENT, or ENOSPC (len is too short; 21 bytes
 * are always enough).
 */
int pc_stack_get(const struct pc_stack *st, const char *key, char *value, size_t len);

/**
 * pc_stack_reconfigure is pc_stack_set for all keys at once, so that the order in which limits change does not
 * matter. Keys that cannot change must have their current value. name and socket_id are ignored. Returns 0, or -1
 * with errno EINVAL or EPERM and a line in why; then nothing has changed.
 */
int pc_stack_reconfigure(struct pc_stack *st, const struct pc_stack_config *config, char *why,
                         size_t why_len);

/** pc_stack_get_config returns the current settings, "auto" ones as they were computed. */
const struct pc_stack_config *pc_stack_get_config(const struct pc_stack *st);

/** What is in use, and the limits. */
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
