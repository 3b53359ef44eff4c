/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_CONFIG_H
#define PERCORE_CONFIG_H

/*
 * The settings of a stack, documented in docs/configuration.md.
 *
 *   struct pc_stack_config config;
 *
 *   pc_stack_config_init(&config);                      the defaults
 *   config.stack_max_connections = 100000;              "stack.max_connections" in a config file
 *
 * PC_STACK_KEYS(X) expands X(section, name, default, min, max, unit, sentence) for each key.  The
 * struct, its defaults and limits, the parser of config files, --help and config/percore-*.ini are
 * all made from this list.  A value is an unsigned 64-bit integer; booleans are 0 or 1.  Some keys
 * are "auto" when they are 0: their value is computed as the sentence says.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
#define PC_STACK_KEYS(X) \
X(stack, max_connections, 0, 0, 100000000, "connections", \
  "TCP connections per lcore, in all states except half-open and TIME-WAIT; 0: as many as a third of the memory holds, at most 1048576") \
X(stack, max_listeners, 64, 1, 4096, "sockets", "listening TCP sockets per lcore") \
X(stack, max_udp_sockets, 64, 0, 65536, "sockets", "UDP sockets per lcore") \
X(stack, max_epolls, 2, 1, 64, "sets", "epoll sets per lcore; each has room for every socket") \
X(stack, mbufs, 0, 0, 16000000, "mbufs", \
  "packet buffers per lcore, of 2176 bytes each; 0: max_connections + 8191, at most six tenths of the memory, within [8191,65535]") \
X(stack, seed, 0, 0, UINT64_MAX, "number", \
  "secret for ISNs, port selection and hash tables; 0: from the kernel's random source") \
X(stack, rx_burst, 32, 1, 64, "frames", \
  "frames received from a port in one turn of the loop, at most; after 512 frames in bursts that were all full twice as many, if that is at most 64") \
X(stack, busy_answers, 8, 1, 64, "answers", "answers for every rx_burst frames to sources without a connection (SYN cookies, RSTs, pings) under overload; 64: no limit") \
X(arp, entries, 1024, 16, 1000000, "neighbours", "neighbour table entries per lcore, of both families") \
X(arp, hold, 48, 1, 64, "frames", \
  "frames held per neighbour while it is being resolved, enough for a datagram of 64 KB in fragments; 3 while mbufs are scarce") \
X(arp, reachable_ms, 30000, 1000, 86400000, "ms", "time for which a neighbour's answer is valid before it is probed again; of IPv6 varied by up to a half (RFC 4861 6.3.2)") \
X(arp, stale_ms, 600000, 1000, 86400000, "ms", "time after which an unused neighbour is forgotten") \
X(arp, retry_ms, 1000, 100, 60000, "ms", "time between two requests to the same neighbour") \
X(arp, retries, 3, 1, 20, "requests", "unanswered requests before a neighbour counts as unreachable") \
X(arp, probes, 0, 0, 10, "probes", \
  "ARP probes for a new IPv4 address before it is used (address conflict detection, RFC 5227), one to two seconds apart; 0: it is used at once, announced and defended") \
X(arp, confirm, 1, 0, 1, "boolean", \
  "before accepting another MAC address for a reachable neighbour, probe its old one; 0: accept the new one at once, as in RFC 4861") \
X(ip, ttl, 64, 1, 255, "hops", "time to live of packets sent, and the hop limit of IPv6 unless a router advertises one") \
X(ip, rp_filter, 0, 0, 1, "boolean", \
  "reverse path filter for both families: drop packets whose source is not routed through the interface on which they arrived (RFC 3704)") \
X(ip, multipath_hash, 1, 0, 1, "number", \
  "hash that selects among equal routes: 0: addresses; 1: addresses and ports (as Linux's fib_multipath_hash_policy)") \
X(ip, options, 0, 0, 1, "boolean", \
  "accept IPv4 packets with options that RFC 7126 advises to drop, such as record route and timestamp; source routes are never accepted") \
X(ip, fragments, 2048, 0, 1000000, "mbufs", \
  "mbufs per lcore that fragments of both families may hold until their datagrams are complete, at most a quarter of them for one source; 0: fragments are dropped") \
X(ip, fragments_each, 256, 2, 8192, "fragments", "fragments of one datagram, at most") \
X(ip, datagrams, 256, 4, 65536, "datagrams", "datagrams per lcore that may be in reassembly at once; a new one evicts the oldest") \
X(ip, reassembly_ms, 30000, 1000, 120000, "ms", "time in which an IPv4 datagram must be complete (RFC 1122 3.3.2)") \
X(ip6, reassembly_ms, 60000, 1000, 120000, "ms", "time in which an IPv6 datagram must be complete (RFC 8200 4.5)") \
X(ip6, dad, 1, 0, 10, "solicitations", \
  "duplicate address detection (RFC 4862): solicitations for a new IPv6 address before it is used, arp.retry_ms apart; 0: none") \
X(ip6, accept_ra, 1, 0, 1, "boolean", \
  "accept router advertisements (default routers, prefixes, MTU, hop limit) and redirects, on ports with IPv6") \
X(ip6, secret, 0, 0, UINT64_MAX, "number", \
  "secret of autoconfigured addresses (RFC 7217), the same on every lcore and after a restart; 0: addresses are derived from the MAC address") \
X(ip, routes, 1024, 16, 4000000, "routes", "routes of both families per lcore, in addition to those from router advertisements and redirects") \
X(ip, deny_entries, 1024, 0, 1000000, "prefixes", "denied networks, at most (net.deny)") \
X(firewall, max_rules, 16384, 1, 1000000, "rules", "firewall rules, at most; a rule counts once for each combination of its lists") \
X(firewall, max_addrs, 262144, 0, 16777216, "addresses", "addresses and networks in all firewall tables, at most") \
X(firewall, sources, 16384, 64, 16777216, "sources", \
  "sources per lcore whose packets are counted, for rules with a limit per source; the one that has used least of its limit is evicted first") \
X(firewall, learnt, 16384, 64, 16777216, "sources", \
  "sources per lcore that firewall rules put into tables (add, overload); the one that expires soonest is evicted first") \
X(firewall, states, 16384, 64, 16777216, "entries", \
  "datagram and echo states per lcore, for rules with a state; those that others began are evicted first") \
X(firewall, state_ms, 60000, 100, 86400000, "ms", "lifetime of such a state after its last packet") \
X(firewall, log_rate, 10, 0, 100000, "packets/s", "packets logged by firewall rules per second and lcore, at most; 0: none") \
X(icmp, error_rate, 100, 0, 1000000, "messages/s", "ICMP errors sent per second, at most; 0: none") \
X(icmp, echo, 1, 0, 1, "boolean", "answer ICMP echo requests") \
X(exception, rate, 100000, 0, 1000000000, "frames/s", \
  "frames handed to the kernel per second, port and lcore, at most (exception.iface); 0: no limit") \
X(udp, rcvbuf, 212992, 2048, 1073741824, "bytes", "default SO_RCVBUF of a UDP socket") \
X(tcp, rcvbuf, 524288, 4096, 1073741824, "bytes", \
  "default SO_RCVBUF: the initial limit of the receive window; auto-tuning raises it with what is read in a round trip, unless the application sets it") \
X(tcp, rcvbuf_min, 4096, 1024, 1073741824, "bytes", "receive window that a connection keeps when mbufs are scarce") \
X(tcp, rcvbuf_max, 6291456, 4096, 1073741824, "bytes", \
  "limit of receive window auto-tuning (never beyond an eighth of the free mbufs); it determines the window scale; not above tcp.rcvbuf: no auto-tuning") \
X(tcp, sndbuf, 524288, 4096, 1073741824, "bytes", \
  "default SO_SNDBUF: bytes queued for sending, unacknowledged ones included; auto-tuning raises it to twice the congestion window, unless the application sets it") \
X(tcp, sndbuf_min, 4096, 1024, 1073741824, "bytes", "what a send buffer may hold when mbufs are scarce") \
X(tcp, sndbuf_max, 4194304, 4096, 1073741824, "bytes", \
  "limit of send buffer auto-tuning (never beyond an eighth of the free mbufs); not above tcp.sndbuf: no auto-tuning") \
X(tcp, notsent_lowat, 0, 0, 4294967295, "bytes", \
  "default TCP_NOTSENT_LOWAT: a socket with more unsent bytes is not writable; 0: no limit") \
X(tcp, stash_from, 1024, 0, 4294967295, "connections", \
  "number of an lcore's connections with data queued or in flight above which a lone segment of up to 128 bytes is kept as a copy, not in an mbuf, until it is acknowledged") \
X(tcp, backlog, 65535, 1, 1048576, "connections", "upper limit of listen()'s backlog") \
X(tcp, syn_cache, 16384, 16, 16000000, "entries", "half-open connections per lcore") \
X(tcp, source_connections, 0, 0, 1000000, "connections", \
  "connections that listeners accept per lcore from one source, an IPv4 address, an IPv6 /64 or a link-local address; 0: no limit") \
X(tcp, source_half_open, 0, 0, 1000000, "connections", \
  "half-open connections per lcore of one source; further SYNs are answered with SYN cookies, or dropped if those are off; 0: no limit") \
X(tcp, abort_on_overflow, 0, 0, 1, "boolean", \
  "reset a client that finds the accept queue full, instead of letting it retry") \
X(tcp, auth_keys, 1024, 0, 65535, "keys", \
  "keys for signed segments (TCP_MD5SIG, TCP_AO_ADD_KEY) per lcore: of sockets, of accepted connections, and of TIME-WAIT") \
X(tcp, ao_unmatched, 0, 0, 1, "boolean", \
  "accept segments with a TCP-AO signature from peers for which there is no key, as if they had none (RFC 5925 7.3); 0: drop them, as Linux does") \
X(tcp, syn_cookies, 1, 0, 2, "mode", \
  "SYN cookies (RFC 4987 3.6): 0: never; 1: while the SYN cache is full; 2: always, for tests") \
X(tcp, time_wait, 0, 0, 100000000, "entries", "TIME-WAIT entries per lcore; 0: as max_connections, within [4096,262144]") \
X(tcp, nagle, 1, 0, 1, "boolean", "Nagle's algorithm (RFC 9293 3.7.4) unless TCP_NODELAY is set") \
X(tcp, minshall, 1, 0, 1, "boolean", \
  "Minshall's variant of Nagle (RFC 9293 A.3), as on Linux: a partial segment waits only while another partial one is unacknowledged; 0: while any data is unacknowledged") \
X(tcp, timestamps, 1, 0, 1, "boolean", "offer and accept timestamps (RFC 7323)") \
X(tcp, window_scaling, 1, 0, 1, "boolean", "offer and accept window scaling (RFC 7323)") \
X(tcp, sack, 1, 0, 1, "boolean", "offer and accept selective acknowledgements (RFC 2018)") \
X(tcp, rack, 1, 0, 1, "boolean", "detect losses by time (RACK, RFC 8985); 0: by counting SACKed segments (RFC 6675)") \
X(tcp, tlp, 1, 0, 1, "boolean", "send tail loss probes (RFC 8985 section 7); needs tcp.rack") \
X(tcp, frto, 1, 0, 1, "boolean", "detect spurious time-outs of connections without timestamps (F-RTO, RFC 5682)") \
X(tcp, congestion, 1, 0, 3, "reno, cubic, dctcp, bbr", \
  "congestion control of new sockets, by name or number: 0: reno (RFC 5681, RFC 6582); 1: cubic (RFC 9438); 2: dctcp (RFC 8257); 3: bbr (draft-ietf-ccwg-bbr)") \
X(tcp, bbr_flows, 0, 0, 16000000, "connections", \
  "connections per lcore that may use bbr at once; further ones use cubic; 0: all if tcp.congestion is 3, else 256") \
X(tcp, pacing, 0, 0, 1, "boolean", \
  "pace every connection: spread what cwnd allows over the round trip; 0: only if the algorithm or SO_MAX_PACING_RATE requires it") \
X(tcp, hystart, 1, 0, 1, "boolean", "leave the initial slow start before packets are lost (HyStart++, RFC 9406)") \
X(tcp, ecn, 2, 0, 5, "mode", \
  "explicit congestion notification, as Linux's tcp_ecn: 0: off; 1: request and accept ECN (RFC 3168); 2: accept ECN; 3: request and accept Accurate ECN (RFC 9768); 4: accept Accurate ECN, request ECN; 5: accept Accurate ECN") \
X(tcp, ecn_plus, 0, 0, 1, "boolean", \
  "ECN++ (draft-ietf-tcpm-generalized-ecn): SYN-ACKs, FINs, probes, resets and retransmissions are ECN-capable too, with Accurate ECN also acknowledgements") \
X(tcp, tso, 1, 0, 1, "boolean", "TCP segmentation offload where the port has it") \
X(tcp, gro, 1, 0, 1, "boolean", "receive coalescing: consecutive segments of a burst are processed as one") \
X(tcp, initial_window, 10, 1, 64, "segments", "initial congestion window (RFC 6928)") \
X(tcp, quick_acks, 16, 0, 127, "segments", \
  "first acknowledgements of a connection that are not delayed; each response of the application halves the remaining number, as the next ACK can be piggybacked") \
X(tcp, dsack, 1, 0, 1, "boolean", "report duplicates (DSACK, RFC 2883); needs tcp.sack") \
X(tcp, delack_ms, 40, 0, 499, "ms", "longest delay of an acknowledgement, which TCP_DELACK_MAX_US can shorten; 0: acknowledge at the end of each turn") \
X(tcp, rto_initial_ms, 1000, 10, 60000, "ms", "retransmission time-out before the first RTT sample (RFC 6298 2.1)") \
X(tcp, rto_min_ms, 200, 1, 60000, "ms", "default TCP_RTO_MIN_US: the smallest retransmission time-out (RFC 6298 2.4 says 1 s; 200 ms is what Linux and FreeBSD use)") \
X(tcp, rto_max_ms, 120000, 1000, 600000, "ms", "default TCP_RTO_MAX_MS: the largest retransmission time-out (RFC 6298 2.5)") \
X(tcp, syn_retries, 6, 1, 20, "segments", "retransmissions of a SYN before connect() fails with ETIMEDOUT") \
X(tcp, synack_retries, 5, 1, 20, "segments", "retransmissions of a SYN-ACK before a half-open connection is dropped") \
X(tcp, retries, 15, 3, 100, "segments", "retransmissions of data before a connection ends with ETIMEDOUT (R2)") \
X(tcp, orphan_retries, 8, 1, 100, "segments", "the same once the application has closed") \
X(tcp, msl_ms, 30000, 10, 240000, "ms", "maximum segment lifetime; TIME-WAIT lasts twice that") \
X(tcp, fin_wait2_ms, 60000, 100, 3600000, "ms", "lifetime of a connection that the application has closed and its peer has not (FIN-WAIT-2)") \
X(tcp, keepalive, 0, 0, 1, "boolean", "SO_KEEPALIVE of new sockets") \
X(tcp, keepalive_idle_ms, 7200000, 1000, 86400000, "ms", "idle time before the first keep-alive probe") \
X(tcp, keepalive_interval_ms, 75000, 1000, 86400000, "ms", "time between keep-alive probes") \
X(tcp, keepalive_probes, 9, 1, 127, "segments", "unanswered keep-alive probes before a connection ends") \
X(tcp, stalled_ms, 10000, 0, 86400000, "ms", \
  "reset a connection whose peer keeps its window closed for this long while mbufs are scarce, or acknowledges nothing while others are refused for lack of mbufs or connections; 0: never") \
X(tcp, give_way_ms, 0, 0, 86400000, "ms", \
  "at stack.max_connections, idle time after which an accepted connection without pending data may be reset for a new one, beginning with the source that has most connections; 0: never; default in percore-httpd, percore-echo and percore-dns: 1000") \
X(tcp, challenge_acks, 1000, 1, 1000000, "segments/s", "challenge ACKs per second, at most (RFC 5961 section 7)") \
X(tcp, fastopen, 1, 0, 519, "bits", \
  "TCP Fast Open (RFC 7413), as Linux's sysctl, a sum of: 1: connect, for sockets that request it; 2: listen, for sockets that request it; 4: connect without a cookie; 512: listen without one") \
X(tcp, fastopen_key, 0, 0, UINT64_MAX, "number", \
  "secret for Fast Open cookies, which must be the same on all servers of an address; 0: random, one per lcore") \
X(tcp, destinations, 1024, 16, 1048576, "entries", \
  "destinations per lcore whose path MTU and Fast Open cookie are cached") \
X(tcp, mtu_probing, 1, 0, 2, "mode", \
  "find the path MTU without ICMP (RFC 4821): 0: never; 1: when full segments are lost; 2: always, beginning with tcp.base_mss") \
X(tcp, base_mss, 1024, 536, 8960, "bytes", "segment size to fall back to when full segments are lost") \
X(tcp, port_first, 32768, 1024, 65535, "port", "first ephemeral port") \
X(tcp, port_last, 60999, 1024, 65535, "port", "last ephemeral port")
/* clang-format on */

/*
 * The keys that cannot change while a stack runs: they are applied when it is created, most of them
 * as sizes of tables.  All others can change (pc_stack_set).
 */
#define PC_STACK_FIXED_KEYS(X)     \
	X(stack, max_connections)  \
	X(stack, max_listeners)    \
	X(stack, max_udp_sockets)  \
	X(stack, max_epolls)       \
	X(stack, mbufs)            \
	X(stack, seed)             \
	X(arp, entries)            \
	X(arp, hold)               \
	X(ip, deny_entries)        \
	X(ip, datagrams)           \
	X(ip, routes)              \
	X(firewall, max_rules)     \
	X(firewall, max_addrs)     \
	X(firewall, sources)       \
	X(firewall, learnt)        \
	X(firewall, states)        \
	X(tcp, source_connections) \
	X(tcp, source_half_open)   \
	X(tcp, give_way_ms)        \
	X(tcp, auth_keys)          \
	X(tcp, syn_cache)          \
	X(tcp, destinations)       \
	X(tcp, fastopen_key)       \
	X(tcp, time_wait)          \
	X(tcp, bbr_flows)

/** Every setting of a stack. Initialise it with pc_stack_config_init, then change members. */
struct pc_stack_config {
#define PC_KEY_MEMBER(section, name, def, min, max, unit, sentence) uint64_t section##_##name;
	PC_STACK_KEYS(PC_KEY_MEMBER)
#undef PC_KEY_MEMBER
	/** A name for log lines and statistics, NUL-terminated. */
	char name[32];
	/** NUMA node that the memory is allocated on; -1: any. */
	int socket_id;
};

/** A key of a configuration, for parsers and help texts. */
struct pc_config_key {
	const char *section, *name, *unit, *sentence;
	uint64_t def, min, max;
	size_t offset; /**< of its uint64_t in the struct, in bytes */
};

/** pc_stack_config_init sets every member to its default; the name is empty, socket_id is -1. */
void pc_stack_config_init(struct pc_stack_config *config);

/**
 * pc_stack_config_keys returns the table of all keys, which is static, and sets *n to its length.
 */
const struct pc_config_key *pc_stack_config_keys(size_t *n);

/** pc_stack_config_find returns the key with the name "section.key", or NULL. */
const struct pc_config_key *pc_stack_config_find(const char *name);

/**
 * pc_stack_config_is_live says whether a key of that table can change while a stack runs
 * (pc_stack_set).
 */
bool pc_stack_config_is_live(const struct pc_config_key *key);

/**
 * pc_config_key_parse parses the value of a key of any table: an unsigned integer, decimal or as in
 * C hexadecimal (0x1f) or octal (017); for a boolean also yes, no, on, off, true, false; for a key
 * whose unit lists the names of its values ("reno, cubic, ...") also such a name. Case is ignored.
 * Returns 0 with *value set; or -EINVAL (not a value, or outside the key's limits) with an error
 * message in why (if not NULL), and *value is unchanged.
 */
int pc_config_key_parse(const struct pc_config_key *key, const char *text, uint64_t *value,
                        char *why, size_t why_len);

/**
 * pc_stack_config_check checks that every value is within its limits and that they are consistent
 * with each other. Returns 0, or -EINVAL with an error message in why (if not NULL).
 */
int pc_stack_config_check(const struct pc_stack_config *config, char *why, size_t why_len);

/**
 * pc_stack_config_fit computes stack.max_connections, stack.mbufs and tcp.time_wait where they are
 * 0 ("auto"), so that the stack and its mbufs fit into the given bytes of memory. With bytes 0,
 * what follows from max_connections is not limited by memory. pc_stack_create does the same, with
 * 256 MiB, for those that are still 0.
 */
void pc_stack_config_fit(struct pc_stack_config *config, uint64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
