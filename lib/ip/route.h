/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_ROUTE_H
#define IP_ROUTE_H

/* The part of the routes that ip.c alone uses. */

#include "ip/ip.h"

/** route_add_connected adds the route to the network of an address of ours; there must be room. */
void route_add_connected(struct ip *ip, uint16_t laddr);

#endif
