/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_CONFIG_H
#define DNS_CONFIG_H

/* The keys of section [dns]: X(name, default, min, max, unit, sentence). */

#include <stdint.h>

/* clang-format off */
#define DNS_KEYS(X) \
X(listen, 53, 1, 65535, "port", "UDP and TCP port, on every address") \
X(udp_max, 1232, 512, 4096, "bytes", \
  "longest answer over UDP, for clients that accept that much (EDNS); longer ones are truncated, so that the client retries over TCP") \
X(idle_ms, 10000, 100, 3600000, "ms", "time that a TCP connection may neither send a complete query nor read any of its answers") \
X(backlog, 4096, 1, 1048576, "connections", "backlog of listen(): connections that wait to be accepted, per lcore") \
X(cookies, 1, 0, 1, "boolean", "DNS cookies (RFC 7873, RFC 9018); a client with a valid one is not rate-limited") \
X(rrl_rate, 0, 0, 1000000, "answers/s", \
  "UDP responses of one kind for one name to one client network, per lcore, with a burst of one second; 0: no limit") \
X(rrl_slip, 2, 0, 100, "answers", \
  "of the responses beyond dns.rrl_rate one in this many is sent with TC or BADCOOKIE, the others are dropped; 0: all are dropped") \
X(rrl_entries, 65536, 64, 16777216, "entries", "size of the response rate limiting table, per lcore, 16 bytes each") \
X(rrl_ip4_len, 24, 1, 32, "bits", "prefix length of a client network for dns.rrl_rate, IPv4") \
X(rrl_ip6_len, 56, 1, 128, "bits", "prefix length of a client network for dns.rrl_rate, IPv6")
/* clang-format on */

struct dns_config {
#define DNS_KEY_MEMBER(name, def, min, max, unit, sentence) uint64_t name;
	DNS_KEYS(DNS_KEY_MEMBER)
#undef DNS_KEY_MEMBER
};

#endif
