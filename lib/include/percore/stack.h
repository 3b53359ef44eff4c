/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_STACK_H
#define PERCORE_STACK_H

/*
 * A stack: all the TCP/IP state of one lcore, which shares nothing with other lcores.
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
 * now_ns is the time of a monotonic clock, real or virtual, in nanoseconds.  If it is set back, the
 * stack's time continues from where it was (counter clock_backwards).
 *
 * Only one thread at a time may make calls on a stack; other threads post them (percore/control.h).
 * A process, or even a single thread, may have any number of stacks.  EAL must be initialised
 * before pc_stack_create (--no-huge --no-pci is enough).
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

/** The memory of a stack, in bytes, without mbufs, which belong to the owner of the pool. */
struct pc_stack_footprint {
	uint64_t connections; /**< TCBs, their sockets, timers and TCP_INFO counters */
	uint64_t flow_table;
	uint64_t half_open;
	uint64_t time_wait;
	uint64_t events; /**< epoll sets */
	uint64_t other;  /**< neighbours, routes, listeners, UDP sockets, the stack itself */
	uint64_t total;
	uint64_t per_idle_connection; /**< average of a connection without queued data */
};

/** pc_stack_get_footprint computes how much memory pc_stack_create would take; it takes none. */
void pc_stack_get_footprint(const struct pc_stack_config *config, struct pc_stack_footprint *fp);

/**
 * pc_stack_create makes a stack; config is copied. The stack allocates the mbufs that it sends from
 * pool, whose data room must be at least RTE_PKTMBUF_HEADROOM plus 1514 bytes, a frame with an MTU
 * of 1500. The pool stays the caller's and must outlive the stack. After this call the stack takes
 * no memory from the system.
 *
 * Returns NULL with errno EINVAL (pc_stack_config_check fails, or the mbufs are too small), ENOMEM,
 * EEXIST (another library holds the mbuf field that percore needs), or EIO (stack.seed is 0 and the
 * kernel has no random numbers).
 */
struct pc_stack *pc_stack_create(const struct pc_stack_config *config, struct rte_mempool *pool);

/**
 * pc_stack_destroy drops every connection without sending anything, and frees the stack and every
 * mbuf that it holds. The ports stay the caller's to close. NULL is allowed.
 */
void pc_stack_destroy(struct pc_stack *st);

/**
 * Limits of a stack. An address that was removed counts for another hour, and for as long as a
 * socket or connection uses it. The limit of routes is ip.routes.
 */
#define PC_MAX_PORTS 16
#define PC_MAX_ADDRS 64

/**
 * pc_stack_add_port attaches a port, which stays the caller's and must outlive the stack. Returns
 * its index, counted from 0, or -1 with errno ENOSPC (PC_MAX_PORTS).
 */
int pc_stack_add_port(struct pc_stack *st, struct pc_port *port);

/**
 * pc_stack_add_addr adds an address and its connected route to a port.
 *
 * IPv4: a gratuitous ARP announces the address at the next poll; with arp.probes, conflict
 * detection (RFC 5227) comes first. IPv6: duplicate address detection (RFC 4862, ip6.dad) comes
 * first, and the address is usable if nobody answers within arp.retry_ms of the last solicitation;
 * the first IPv6 address also gives the port a link-local address.
 *
 * Returns 0, or -1 with errno EINVAL (no such port, no address that a host can have in that
 * network, or IPv6 on a port whose MTU is below 1280), EEXIST (a port of the stack has it) or
 * ENOSPC (PC_MAX_ADDRS, or ip.routes).
 */
int pc_stack_add_addr(struct pc_stack *st, int port, const struct pc_prefix *addr);

/**
 * pc_stack_set_exception gives a port an exception path to the kernel, or removes it (kernel NULL).
 *
 * Received frames for which the stack has no socket, protocol or address are not answered, but sent
 * to kernel, a port that leads to the kernel's stack (a TAP), at most exception.rate frames per
 * second. Frames received from kernel are sent by the port unchanged. With link, ARP replies,
 * neighbour discovery and IGMP go there as well; if several stacks share a device, set link for one
 * of them. kernel stays the caller's and must outlive the stack.
 *
 * Returns 0, or -1 with errno EINVAL (no such port).
 */
int pc_stack_set_exception(struct pc_stack *st, int port, struct pc_port *kernel, bool link);

/**
 * pc_stack_add_slaac enables stateless address autoconfiguration on a port (RFC 4862): a link-local
 * address, and one for each prefix that a router advertises, in addition to those of
 * pc_stack_add_addr. They come and go while the stack runs. Returns 0, or -1 with errno EINVAL (no
 * such port, or an MTU below 1280) or ENOSPC.
 */
int pc_stack_add_slaac(struct pc_stack *st, int port);

/**
 * pc_stack_del_addr removes an address and the routes that need it; the prefix length is ignored.
 * Connections from it have no route until it is added again. Returns 0, or -1 with errno
 * EADDRNOTAVAIL (the port does not have it) or EBUSY (it is the port's link-local address).
 */
int pc_stack_del_addr(struct pc_stack *st, int port, const struct pc_prefix *addr);

/**
 * pc_stack_set_mtu limits the IPv4 packets that a port sends to mtu bytes. 0, or more than the
 * port's own MTU, removes the limit. Returns 0, or -1 with errno EINVAL (no such port, or below
 * 576).
 */
int pc_stack_set_mtu(struct pc_stack *st, int port, uint16_t mtu);

/**
 * pc_stack_add_dns adds the address of a name server to the list that resolvers use;
 * pc_stack_del_dns removes it; a server that was added several times, for example by the DHCP clients
 * of two ports, has to be removed as often. Both return 0, or -1 with errno ENOSPC (8 are known).
 */
int pc_stack_add_dns(struct pc_stack *st, const struct pc_addr *server);
int pc_stack_del_dns(struct pc_stack *st, const struct pc_addr *server);

/**
 * pc_stack_add_port_dns is pc_stack_add_dns for a server on a port's network: a link-local address
 * is queried on that port. Returns 0, or -1 with errno ENOSPC or EINVAL (no such port).
 */
int pc_stack_add_port_dns(struct pc_stack *st, int port, const struct pc_addr *server);

/**
 * pc_stack_get_dns writes at most n of the name servers that are known from DHCP, router
 * advertisements (RFC 8106) and pc_stack_add_dns. Returns how many there are, which may be more
 * than n.
 */
unsigned pc_stack_get_dns(const struct pc_stack *st, struct pc_addr *servers, unsigned n);

/**
 * pc_stack_dns_scope returns the scope (sin6_scope_id: the port's index + 1) of a link-local name
 * server that was learnt from a router or DHCPv6, or added by pc_stack_add_port_dns; 0 for all
 * others.
 */
uint32_t pc_stack_dns_scope(const struct pc_stack *st, const struct pc_addr *server);

/**
 * pc_stack_sort sorts the n addresses of a host, in place, into the order in which they should be
 * tried (RFC 6724 section 6), by the addresses and routes that the stack has now: those without a
 * route come last. Only the first 64 are sorted.
 */
void pc_stack_sort(struct pc_stack *st, struct pc_endpoint *addrs, unsigned n);

#define PC_DOMAIN_MAX 253 /**< characters of a domain name, without a final dot */

/**
 * pc_stack_add_search adds a domain to the search list of resolvers; pc_stack_del_search removes
 * it, or undoes one of several additions. Both return 0, or -1 with errno ENOSPC (8 are known) or
 * EINVAL (empty, or longer than PC_DOMAIN_MAX).
 */
int pc_stack_add_search(struct pc_stack *st, const char *domain);
int pc_stack_del_search(struct pc_stack *st, const char *domain);

/**
 * pc_stack_get_search writes at most n domains of the search list, NUL-terminated: those of DHCP
 * (RFC 2132 section 3.17, RFC 3397, RFC 3646 section 4), of router advertisements (RFC 8106 section
 * 5.2) and of pc_stack_add_search. Returns how many there are, which may be more than n.
 */
unsigned pc_stack_get_search(const struct pc_stack *st, char (*domains)[PC_DOMAIN_MAX + 1],
                             unsigned n);

/**
 * pc_stack_add_route adds a route to dest via a gateway. A prefix of length 0 is the default route
 * of the gateway's family (0.0.0.0/0 has 96 bits in mapped form). There can be one such route per
 * network and port; pc_route_add (percore/control.h) takes several, with metrics and MTUs. Returns
 * 0, or -1 with the errnos of pc_route_add.
 */
int pc_stack_add_route(struct pc_stack *st, const struct pc_prefix *dest,
                       const struct pc_addr *gateway);

/**
 * pc_stack_deny drops all IP packets from a network of either family (counter drop_denied), before
 * any transport protocol sees them. Existing connections with it end during the next turns, each of
 * which checks 256 TCBs; nothing is sent to their peers, and their sockets get ECONNABORTED. ARP
 * and neighbour discovery are not affected. Address bits beyond the prefix length are ignored.
 * Returns 0, or -1 with errno EINVAL (a length above 128), EEXIST, or ENOSPC (ip.deny_entries).
 */
int pc_stack_deny(struct pc_stack *st, const struct pc_prefix *prefix);

/**
 * pc_stack_allow undoes pc_stack_deny for exactly this prefix. Returns 0, or -1 with errno ENOENT
 * (it is not denied).
 */
int pc_stack_allow(struct pc_stack *st, const struct pc_prefix *prefix);

/**
 * pc_stack_deny_all replaces the whole list of denied networks with n prefixes, which are copied;
 * prefixes may be NULL if n is 0. Returns 0, or -1 with errno EINVAL or ENOSPC as pc_stack_deny;
 * then nothing has changed.
 */
int pc_stack_deny_all(struct pc_stack *st, const struct pc_prefix *prefixes, unsigned n);

/**
 * pc_stack_poll is the receiving half of a turn: it applies posted changes, receives a burst from
 * each port, processes it, and fires the timers that are due at now_ns. Answers to frames do not wait
 * for that: a call that has received some leaves the timers to the next one, but not twice in a row.
 * What this produces is sent by pc_stack_flush, or else by the next poll. Returns the number of
 * frames received.
 */
unsigned pc_stack_poll(struct pc_stack *st, uint64_t now_ns);

/**
 * pc_stack_flush is the sending half of a turn: it sends the data that the application has queued,
 * and pending acknowledgements, in one burst per port. Call it after the application's work.
 */
void pc_stack_flush(struct pc_stack *st, uint64_t now_ns);

/**
 * pc_stack_next_deadline returns the time, as now_ns, by which pc_stack_poll must be called even if
 * no frame arrives (the next timer), or UINT64_MAX if there is none: a loop may sleep until then.
 * It has a resolution of 65.536 us; with very many timers it may be early, never late.
 */
uint64_t pc_stack_next_deadline(const struct pc_stack *st);

/**
 * pc_stack_set changes a setting of a running stack: key is a "section.key" of PC_STACK_KEYS, value
 * is as in a config file (pc_config_key_parse). It affects new sockets (buffers, Nagle,
 * keep-alive), new handshakes, and timers that are armed afterwards; what was negotiated stays.
 *
 * Returns 0, or -1 with a one-line error message in why (if not NULL) and errno ENOENT (there is no
 * such key), EINVAL (not a value, outside the limits, or inconsistent with another setting), EPERM
 * (the key is one of PC_STACK_FIXED_KEYS: pc_stack_config_is_live), or ENOMEM; then nothing has
 * changed.
 */
int pc_stack_set(struct pc_stack *st, const char *key, const char *value, char *why,
                 size_t why_len);

/**
 * pc_stack_get writes the current value of a setting as a decimal number, NUL-terminated; an "auto"
 * one as pc_stack_config_fit computed it. Returns 0, or -1 with errno ENOENT (there is no such key)
 * or ENOSPC (len is too small; 21 bytes are always enough).
 */
int pc_stack_get(const struct pc_stack *st, const char *key, char *value, size_t len);

/**
 * pc_stack_reconfigure is pc_stack_set for all keys at once, so that the order in which limits
 * change does not matter. Keys that cannot change must have their current values. name and
 * socket_id are ignored. Returns 0, or -1 with errno EINVAL, EPERM or ENOMEM and a one-line error
 * message in why (if not NULL); then nothing has changed.
 */
int pc_stack_reconfigure(struct pc_stack *st, const struct pc_stack_config *config, char *why,
                         size_t why_len);

/**
 * pc_stack_get_config returns the current settings, "auto" ones as pc_stack_config_fit computed
 * them; valid as long as the stack.
 */
const struct pc_stack_config *pc_stack_get_config(const struct pc_stack *st);

/** How many of each are in use, and the limits. */
struct pc_stack_usage {
	uint32_t connections, connections_max;
	uint32_t half_open, half_open_max;
	uint32_t time_wait, time_wait_max;
	uint32_t neighbours, neighbours_max;
	uint32_t udp_sockets, udp_sockets_max;
	uint32_t listeners, listeners_max;
};

/** pc_stack_get_usage writes what is in use now. */
void pc_stack_get_usage(const struct pc_stack *st, struct pc_stack_usage *usage);

/** pc_stack_counters returns the stack's counters (percore/stats.h), valid as long as the stack. */
const struct pc_counters *pc_stack_counters(const struct pc_stack *st);

/**
 * pc_stack_validate checks every invariant of every structure; it is slow and meant for tests and
 * simulations. Returns the number of violations, which it reports on f (if not NULL), or 0.
 */
unsigned pc_stack_validate(const struct pc_stack *st, FILE *f);

#ifdef __cplusplus
}
#endif
#endif
