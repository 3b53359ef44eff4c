/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STACK_FIREWALL_H
#define STACK_FIREWALL_H

/* Checks received packets against the firewall's rules, except for TCP (tcp/guard.h). */

#include "stack/stack.h"

/** firewall_input judges a packet of which IP has said verdict, and answers what is rejected. fw_is_on. Verdict: the same, or
 * PC_DROP_FIREWALL. m stays the caller's. */
int firewall_input(struct pc_stack *st, const struct rte_mbuf *m, const struct ip_pkt *p,
                   int verdict);

/** firewall_shows says whether raw sockets may see a packet of which firewall_input has said verdict: no segment that TCP will
 * not be shown, and nothing that is too short for the rules to read. fw_is_on. */
bool firewall_shows(const struct pc_stack *st, const struct rte_mbuf *m, const struct ip_pkt *p,
                    int verdict);

#endif
