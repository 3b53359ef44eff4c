/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_CONFIG_H
#define DNS_CONFIG_H

/* The keys of section [dns]: X(name, default, min, max, unit, sentence). */

#include <stdint.h>

/* clang-format off */
#define DNS_KEYS(X) \
X(listen, 53, 1, 65535, "port", "UDP and TCP port, on every address") \
X(udp_max, 1232, 512, 4096, "bytes", \
  "longest answer over UDP, for clients that take as much (EDNS); a longer one is to be asked for over TCP") \
X(idle_ms, 10000, 100, 3600000, "ms", "time that a TCP connection may be without a whole query") \
X(backlog, 4096, 1, 1048576, "connections", "accepted by the stack before the program takes them, per lcore")
/* clang-format on */

struct dns_config {
#define DNS_KEY_MEMBER(name, def, min, max, unit, sentence) uint64_t name;
	DNS_KEYS(DNS_KEY_MEMBER)
#undef DNS_KEY_MEMBER
};

#endif
