/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_STACK_PAIR_H
#define UNIT_STACK_PAIR_H

/* Two stacks at the ends of a wire, made as a program makes them: connections of one echo what the other sends. */

#include "fixture.h"

#define PAIR_CONNS 16
#define PAIR_SIZE  1400 /* of a message at most */

struct pair_end {
	struct pc_port *port;
	struct pc_stack *st;
	int epoll, listener;
};

struct pair {
	/* to be set before pair_make */
	uint64_t now_ns;
	uint16_t size; /* bytes of a message; 0: 5 */
	/* what comes between the server and its end of the wire; NULL: nothing */
	struct pc_port *(*wrap)(struct pc_port *port);
	/* told of what the server has received, and is about to send back; may be NULL */
	void (*received)(const struct rte_mbuf *m);

	struct rte_mempool *pool;
	struct pair_end server, client;
	uint64_t
	    echoes; /* that the client has got; each message begins with its number if it has eight bytes */
};

/** pair_make makes both stacks, with a pool of that name, and has the client connect. */
void pair_make(struct pair *w, const char *name);

/** pair_turn takes a turn of both, a tenth of a millisecond later. */
void pair_turn(struct pair *w);

/** pair_close frees everything. */
void pair_close(struct pair *w);

#endif
