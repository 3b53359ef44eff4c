/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_SWITCH_BED_H
#define UNIT_SWITCH_BED_H

/* A switch on ports that a test fills and empties by hand. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../../support/eal.h"
#include "config.h"
#include "forward.h"
#include "unit/app/suite.h"
#include "unit/unit.h"

#define BED_PORTS  4
#define BED_QUEUE  2048
#define BED_MBUFS  4095
#define BED_SECOND UINT64_C(1000000000)

/** A port: what it is to receive, and what it has been given to send. */
struct bed_port {
	struct pc_port port;
	unsigned nb_in, nb_out;
	unsigned room; /* frames that it takes before it is full */
	struct rte_mbuf *in[BED_QUEUE], *out[BED_QUEUE];
};

struct bed {
	struct rte_mempool *pool;
	struct switch_config config;
	struct vswitch *s;
	struct bed_port port[BED_PORTS];
	uint64_t now;
};

extern struct bed bed;

/** bed_begin makes the settings' defaults; bed_make the switch of them. */
void bed_begin(void);
void bed_make(void);

/** bed_end takes all down: every frame has been counted once, and no mbuf is missing. */
void bed_end(void);

/**
 * bed_frame makes a frame of len bytes between two stations, numbers of which 0 is broadcast, 0x100 upwards groups. tci: the tag;
 * -1: none.
 */
struct rte_mbuf *bed_frame(unsigned dst, unsigned src, int tci, unsigned len);

/** bed_receive has a port receive a frame, and turns the switch once. */
void bed_receive(unsigned port, struct rte_mbuf *m);

/** bed_put only puts it where it will be received. */
void bed_put(unsigned port, struct rte_mbuf *m);

/** bed_send is bed_receive of a frame of 64 bytes without a tag. */
void bed_send(unsigned port, unsigned dst, unsigned src);

/** bed_turn turns the switch. */
void bed_turn(void);

/** bed_outs tells how many frames each port has been given since the last call, as digits: "0110". They are freed. */
const char *bed_outs(void);

/** bed_tag returns the TCI of a frame; -1: it has no tag. */
int bed_tag(const struct rte_mbuf *m);

/** bed_count returns a counter of a port. */
uint64_t bed_count(unsigned port, enum count c);

/** bed_key is the key of a station. */
uint64_t bed_key(unsigned station, uint16_t vlan);

/** bed_run starts EAL, makes the pool and runs the cases. */
int bed_run(const char *name, const struct unit_case *cases, size_t n);

#endif
