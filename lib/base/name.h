/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_NAME_H
#define BASE_NAME_H

/*
 * Domain names as options encode them: labels (RFC 1035 section 3.1), uncompressed in DHCPv6 and
 * router advertisements (RFC 8415 section 10), compressed in DHCP (RFC 3397).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>

#define NAME_MAX_LEN 253 /* characters of a name as text, without the final dot */

/**
 * name_read converts an encoded name of at most len bytes to text, which ends with a NUL and may be
 * empty (the root). Returns how many bytes the encoded name takes; 0 if it is truncated, too long,
 * or contains characters other than letters, digits, '-' and '_'.
 */
size_t name_read(const uint8_t *p, size_t len, char name[NAME_MAX_LEN + 1]);

/**
 * name_read_at does the same for the name at an offset in a list of len bytes; it may end in a
 * pointer to an earlier place in the list (RFC 1035 section 4.1.4). Returns how many bytes it takes
 * there, including the pointer; 0 as for name_read, and if a pointer does not point backwards.
 */
size_t name_read_at(const uint8_t *list, size_t len, size_t at, char name[NAME_MAX_LEN + 1]);

/** name_is_text says whether len characters are a domain name as text, or several with spaces
 * between them: letters, digits, '-' and '_', in labels of at most 63. */
bool name_is_text(const uint8_t *p, size_t len);

/** name_server_is_good says whether an IPv6 address can be a name server's: that of a single host
 * other than this one. */
static inline bool name_server_is_good(const struct pc_addr *a)
{
	return !pc_addr_is_any(a) && !pc_addr_is_multicast(a) && !pc_addr_is_loopback(a) &&
	       !pc_addr_is_ip4(a);
}

#endif
