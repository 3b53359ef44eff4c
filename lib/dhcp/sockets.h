/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DHCP_SOCKETS_H
#define DHCP_SOCKETS_H

/*
 * The sockets of the DHCP client: one for messages and, while an address is being probed, one for
 * ARP.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP_SERVER_PORT 67

struct pc_stack;

/** messages_open opens a socket for the messages of a port's client. Returns it, or -1 with
 * errno. */
int messages_open(struct pc_stack *st, int port);

/** messages_send sends a message to servers at an address. src_be is our address, to which the
 * socket is not bound; 0: none. */
void messages_send(struct pc_stack *st, int fd, uint32_t src_be, uint32_t dst_be, const void *data,
                   size_t len);

/* ---- is an address free? ---- */

/** The address that is probed, and by whom. */
struct trial {
	int fd, port;
	uint8_t mac[6];
	uint32_t addr_be;
};

/** trial_open opens a socket that receives the ARP packets of a port. Returns it, or -1 if that
 * fails. */
int trial_open(struct pc_stack *st, int port);

/** trial_send asks whether another host has the address, which the stack does not have yet (RFC
 * 5227 section 2.1.1). */
void trial_send(struct pc_stack *st, const struct trial *p);

/** trial_is_answered reads what was received, and says whether another host claims the address, or
 * probes it as we do. */
bool trial_is_answered(struct pc_stack *st, const struct trial *p);

#endif
