/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_RA_H
#define IP_RA_H

/* Inside lib/ip: router advertisements and redirects (RFC 4861 sections 6.3 and 8.3,
 * RFC 4862 section 5.5). */

#include "ip/ip.h"
#include "neigh/nd.h"

/** ra_start begins to solicit routers on an interface, once its link-local address is ready. */
void ra_start(struct ip *ip, uint8_t netif);

/** ra_input handles a router advertisement. Verdict: PC_DROP_ND_DONE if it was used,
 * otherwise the reason. */
int ra_input(struct ip *ip, const struct nd_in *in);

/** ra_redirect handles a redirect, likewise. */
int ra_redirect(struct ip *ip, const struct nd_in *in);

/** ra_no_router notes that a neighbour says it is not a router (RFC 4861 section 7.2.5). */
void ra_no_router(struct ip *ip, uint8_t netif, const struct pc_addr *addr);

/** ra_poll sends the solicitations and expires the routes due at ctx->now_ns. */
void ra_poll(struct ip *ip);

#endif
