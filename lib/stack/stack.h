/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STACK_STACK_H
#define STACK_STACK_H

/* struct pc_stack: everything that one lcore owns, in the order in which a packet meets it. */

#include <errno.h>
#include <stddef.h>

#include <percore/stack.h>

#include "base/ctx.h"
#include "event/event.h"
#include "ip/ip.h"
#include "sock/sock.h"
#include "stack/exception.h"
#include "stack/mail.h"
#include "tcp/tcp.h"
#include "udp/udp.h"

struct pc_stack {
	struct sockets sockets; /* state of the socket calls; must be first, see sockets_of */
	struct ctx ctx;
	struct ip ip; /* ports, neighbours, addresses, routes */
	struct udp *udp;
	struct tcp *tcp;
	struct events events;
	struct mail *mail;                        /* calls posted by other threads */
	struct strangers strangers[PC_MAX_PORTS]; /* for each port */
	struct exception *exception; /* of the port whose burst is being processed; NULL: none */
	bool timers_wait;            /* the last turn has left them to the next one */
	uint32_t nb_exceptions;
	struct exception exceptions[PC_MAX_PORTS];
};

/** stack_fail converts a result to its public form: a negative errno to -1 and errno. */
static inline int stack_fail(int result)
{
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

static_assert(offsetof(struct pc_stack, sockets) == 0, "sockets_of relies on it");

/** stack_rx takes one burst from an interface through all layers. Returns the frames received. */
unsigned stack_rx(struct pc_stack *st, uint8_t netif);

/** stack_tell_error passes an ICMP error to the transport whose packet it is about. m: the message;
 * NULL: there is none, and e quotes nothing. */
void stack_tell_error(struct pc_stack *st, const struct icmp_error *e, const struct rte_mbuf *m);

#endif
