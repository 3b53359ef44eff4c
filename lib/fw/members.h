/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_MEMBERS_H
#define FW_MEMBERS_H

/*
 * The tables that contain an address or a port, all of them by one search.
 *
 * Overview: the networks of all tables divide each family's addresses into intervals; all addresses
 * of an interval are in the same tables.  There are at most twice as many intervals as networks,
 * plus one.  The first addresses of the intervals are sorted; for IPv4, an index by the highest
 * bits says where to begin, so few steps are left.  Ports are divided in the same way.
 *
 * It never changes: changed tables get a new one.  Any number of lcores may read it.
 */

#include "fw/tables.h"

/** An IPv6 address as a number. */
typedef unsigned __int128 fw_addr6;

struct fw_members {
	/* by the highest bits: the interval of the first such address; one more entry: the last
	 * interval */
	uint32_t *index;
	uint32_t *start4; /* the first is 0; likewise for start6 */
	uint64_t *in4;    /* a bit for each table */
	fw_addr6 *start6;
	uint64_t *in6;
	uint16_t *start_port; /* NULL: no table has ports */
	uint64_t *in_port;
	uint32_t n4, n6, nb_ports;
	unsigned shift; /* from an IPv4 address to its highest bits */
};

/** fw_members_create builds it from tables that are settled; NULL without memory. */
struct fw_members *fw_members_create(const struct fw_tables *t, int socket_id);
void fw_members_free(struct fw_members *m);

/** fw_members_of returns the tables that an address is in, as bits. */
uint64_t fw_members_of(const struct fw_members *m, const struct pc_addr *a);

/** fw_members_of_port does so for a port in host byte order. */
uint64_t fw_members_of_port(const struct fw_members *m, uint16_t port);

#endif
