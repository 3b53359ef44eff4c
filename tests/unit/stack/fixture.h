/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_STACK_FIXTURE_H
#define UNIT_STACK_FIXTURE_H

/* A stack on a probe: frames by hand on one side, the public calls on the other. */

#include <percore/epoll.h>
#include <percore/socket.h>
#include <percore/stack.h>

#include "../../support/eal.h"
#include "../../support/frame.h"
#include "../../support/probe.h"
#include "../../support/stack_on.h"
#include "../unit.h"
#include "stack/stack.h"

#define US      0x010200c0u /* 192.0.2.1, in network byte order */
#define PEER    0x020200c0u /* 192.0.2.2 */
#define MS      UINT64_C(1000000)
#define NB_POOL 4095

extern struct rte_mempool *pool, *probe_pool;

struct box {
	struct pc_stack_config cfg;
	struct pc_stack *st;
	struct probe *probe;
	uint64_t now;
	uint32_t in_use; /* mbufs before */
};

/** box_init prepares small settings, which may be changed before box_open. */
void box_init(struct box *b);
void box_open(struct box *b);

/** box_open_on does what box_open does, on a probe of one's own, with the mbufs of probe_pool. */
void box_open_on(struct box *b, const struct probe_config *probe);

/** box_close validates, ends the stack and checks that no mbuf is missing. */
void box_close(struct box *b);

/** box_turn takes a whole turn, ms later. */
void box_turn(struct box *b, uint64_t ms);

/** box_serve makes an IPv4 socket of a port, which listens if it is one of TCP. */
int box_serve(const struct box *b, int type, uint16_t port);

/** box_ends are the two ends of a packet from the peer to us. */
struct frame_ends box_ends(void);

/** box_count reads a counter. */
uint64_t box_count(const struct box *b, enum pc_counter c);

/** box_drops adds up the drops: every counter that comes before TX_NO_MBUF. */
uint64_t box_drops(const struct box *b);

/** box_allocated returns the bytes that are taken of DPDK's heap. */
uint64_t box_allocated(void);

/** box_program starts EAL and runs the cases. */
int box_program(const char *name, const struct unit_case *cases, size_t n);

#endif
