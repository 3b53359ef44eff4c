/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_ICMP_H
#define IP_ICMP_H

/* Inside lib/ip: what ICMP and ICMPv6 have in common. */

#include "ip/ip.h"

/** icmp_take_token says whether the rate limit allows another error, and takes a token if so. */
bool icmp_take_token(struct ip *ip);

/**
 * icmp4_error (RFC 1122 section 3.2.2) and icmp6_error (RFC 4443 section 2.4) answer a packet with
 * an error if it may be answered; rest is the message's second word, such as the pointer of a
 * parameter problem.
 */
void icmp4_error(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p, uint8_t type,
                 uint8_t code, uint32_t rest);
void icmp6_error(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p, uint8_t type,
                 uint8_t code, uint32_t rest);

/** icmp_may_tell says whether the sender of a packet that has not been judged yet may be sent an
 * error about it: not if the source is denied, nor if the firewall's rules would drop the packet,
 * as far as its headers show. */
bool icmp_may_tell(const struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p);

#endif
