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

/** messages_open opens a socket for the messages of a port's client. Returns it, or -1 with errno. */
int messages_open(struct pc_stack *st, int port);

/** messages_send sends a message to servers at an address, from an address of ours which the socket does not know, or 0: from none. */
void messages_send(struct pc_stack *st, int fd, uint32_t src_be, uint32_t dst_be, const void *data,
                   size_t len);

/* ---- is an address free? ---- */

/** What is asked for, and by whom. */
struct trial {
	int fd, port;
	uint8_t mac[6];
	uint32_t addr_be;
};

/** trial_open opens a socket that hears the ARP packets of a port. Returns it, or -1 when there is none to be had. */
int trial_open(struct pc_stack *st, int port);

/** trial_send asks whether somebody has the address, which the stack does not have yet (RFC 5227 section 2.1.1). */
void trial_send(struct pc_stack *st, const struct trial *p);

/** trial_is_answered reads what has been heard, and says whether somebody else claims the address, or tries it as we do. */
bool trial_is_answered(struct pc_stack *st, const struct trial *p);

#endif
