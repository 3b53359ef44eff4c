/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIM_SIM_H
#define SIM_SIM_H

/*
 * A simulation: two stacks in one thread, a bad network between them, virtual time.
 *
 * Everything follows from one seed: the network's faults, the settings of both stacks, what each
 * application writes and reads and when.  The same seed gives the same run, frame for frame.  A run is
 * good when every byte of every stream arrived once and in order, every connection ended, and nothing
 * is left: no mbuf, no TCB, no timer.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/percore.h>

#define SIM_CONNS 24 /* at most, in one run */

enum { CLIENT, SERVER };

struct rte_mempool;

/** One direction of a connection, as its sender and its receiver know it. */
struct stream {
	uint32_t total; /* bytes to be sent */
	uint32_t sent, rcvd;
	bool shut, ended; /* the sender has said that this was all; the receiver has seen it */
};

/** One end of a connection: an application with its habits. */
struct end {
	int fd;                  /* 0: none (yet, or any more) */
	bool edge;               /* EPOLLET */
	bool readable, writable; /* told by epoll and not refused since */
	bool closed;
	uint64_t read_at, write_at; /* a slow application does nothing before */
	uint32_t read_max, write_max;
	uint32_t read_pause_ms, write_pause_ms;
};

struct conn {
	uint32_t id;
	uint16_t port; /* the client's */
	uint64_t start_at;
	struct end end[2];
	struct stream out[2]; /* out[CLIENT] is what the client sends */
	uint64_t abort_at;    /* UINT64_MAX: never */
	int abort_by;
	bool started, aborted;
};

struct sim {
	uint64_t seed, now, rng;
	struct pc_stack *st[2];
	struct pc_port *port[2];
	struct rte_mempool *pool;    /* of the network and the applications */
	struct rte_mempool *tiny[2]; /* pools that a stack runs out of */
	struct rte_mempool *stack_pool[2];
	bool clean;              /* the network does nothing but delay */
	unsigned validate_every; /* steps */
	struct pc_stack_config cfg[2];
	struct pc_fault_config fault[2];
	int ep[2], lfd;
	unsigned nb_conns;
	struct conn conn[SIM_CONNS];
	uint64_t steps, frames, bytes;
	bool progress; /* an application did something in this step */
	bool verbose;
	char wrong[300]; /* the first thing that went wrong; empty: nothing yet */
};

/** sim_rnd returns a number in [lo,hi] of the run's own generator. */
uint64_t sim_rnd(struct sim *s, uint64_t lo, uint64_t hi);

/** sim_chance is true in percent of a hundred cases. */
bool sim_chance(struct sim *s, unsigned percent);

/** sim_fail notes what went wrong; only the first is kept. Returns false. */
bool sim_fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** sim_byte is byte n of a stream. */
uint8_t sim_byte(uint32_t conn, int dir, uint32_t n);

/** app_plan draws the connections of a run. */
void app_plan(struct sim *s);

/** app_turn lets the applications of one side do what they can at s->now. */
void app_turn(struct sim *s, int side);

/** app_next returns when an application wants to do something by itself; UINT64_MAX: never. */
uint64_t app_next(const struct sim *s);

/** app_is_done says whether every connection has come to its end at both ends. */
bool app_is_done(const struct sim *s);

/** sim_run runs one seed with the pools of *s; pcap is a file for the frames that the client sees, or
 * NULL. Returns whether all went well; else s->wrong says what did not. */
bool sim_run(struct sim *s, uint64_t seed, const char *pcap);

#endif
