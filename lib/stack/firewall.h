/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STACK_FIREWALL_H
#define STACK_FIREWALL_H

/* Checks received packets against the firewall's rules, except for TCP (tcp/guard.h). */

#include "stack/stack.h"

/** firewall_input applies the rules to a packet for which IP has returned verdict, and answers if
 * it is rejected. Requires fw_is_on. Returns the same verdict, or PC_DROP_FIREWALL. m stays the
 * caller's; p->l4_good is set once the checksum of a datagram is found right. */
int firewall_input(struct pc_stack *st, const struct rte_mbuf *m, struct ip_pkt *p, int verdict);

/** firewall_shows says whether raw sockets may see a packet for which firewall_input has returned
 * verdict: not a segment that the rules keep from TCP, nor a packet that the rules could not
 * read. Requires fw_is_on. */
bool firewall_shows(const struct pc_stack *st, const struct rte_mbuf *m, const struct ip_pkt *p,
                    int verdict);

#endif
