/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_NAME_H
#define BASE_NAME_H

/*
 * Domain names as options of DHCPv6 and of router advertisements carry them: labels, not compressed
 * (RFC 1035 section 3.1, RFC 8415 section 10).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>

#define NAME_MAX_LEN 253 /* characters of a name as text, its final dot left out */

/**
 * name_read reads a name of at most len bytes as text, which ends with a NUL and may be empty (the root). Returns how many
 * bytes it takes; 0 when it is cut short, too long, or has other characters than letters, digits, '-' and '_'.
 */
size_t name_read(const uint8_t *p, size_t len, char name[NAME_MAX_LEN + 1]);

/** name_server_is_good says whether an IPv6 address can be a name server's: that of one host, another one. */
static inline bool name_server_is_good(const struct pc_addr *a)
{
	return !pc_addr_is_any(a) && !pc_addr_is_multicast(a) && !pc_addr_is_loopback(a) &&
	       !pc_addr_is_ip4(a);
}

#endif
