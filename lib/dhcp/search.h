/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DHCP_SEARCH_H
#define DHCP_SEARCH_H

/* Search lists as leases contain them: domains in one string, separated by spaces. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/stack.h>

#define SEARCH_SIZE 256 /* size of such a string; domains that do not fit are left out */

/*
 * search_read appends the names of an option to a list. The option is of DHCPv6 (RFC 3646 section
 * 4) or, with pointers, of DHCP (RFC 3397), where a name may end with a pointer to an earlier one.
 * Returns false if a name is invalid.
 */
bool search_read(const uint8_t *p, size_t len, bool pointers, char search[SEARCH_SIZE]);

/** search_each adds each of the domains to a stack, or removes it: give is pc_stack_add_search or
 * pc_stack_del_search. */
void search_each(struct pc_stack *st, const char search[SEARCH_SIZE],
                 int (*give)(struct pc_stack *, const char *));

#endif
