/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIM_SIM_H
#define SIM_SIM_H

/*
 * A simulation: two or three stacks in one thread, bad networks between them, virtual time.
 *
 * Everything follows from one seed: the networks' faults, the settings of the stacks, what each
 * application writes and reads and when, which machine stops or dies, and what an attacker sends.  The same
 * seed gives the same run, frame for frame.  A run is good when every byte of every stream arrived once and in
 * order, every connection ended, and nothing is left: no mbuf, no TCB, no timer.
 *
 * The parts: plan.c draws, node.c makes and boots machines, trouble.c lets things happen to them,
 * attack.c is a layer that sends what an attacker off the path could, app.c are the applications, world.c
 * is time.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/percore.h>

#define SIM_CONNS    24 /* at most, in one run */
#define SIM_TROUBLES 8

/* Nodes; the first two are also the two sides of a connection. */
enum { CLIENT, SERVER, SECOND, SIM_NODES };

/* Links: of the client and of the second client, both to the server. */
enum { SIM_LINKS = 2 };

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
	int client;    /* node */
	uint16_t port; /* the client's */
	uint64_t start_at;
	struct end end[2];
	struct stream out[2]; /* out[CLIENT] is what the client sends */
	uint32_t early;       /* bytes that went with the client's SYN (Fast Open) */
	uint64_t abort_at;    /* UINT64_MAX: never */
	int abort_by;
	bool started;
	bool aborted; /* by an application or by the death of a machine: it may end with an error */
};

/** A machine. */
struct node {
	bool exists;
	struct pc_stack *st;
	struct pc_stack_config cfg;
	struct rte_mempool *pool, *tiny; /* what it uses; one that it runs out of */
	int ep;
	uint64_t ahead;      /* of the others' clock */
	uint64_t still_till; /* it does nothing before: it is stopped, or (without a stack) dead */
	unsigned boots;
};

/** A wire with its faults; end 0 is the client's. */
struct net {
	struct pc_port *port[2];   /* as the stacks see it */
	struct pc_port *faulty[2]; /* the fault layers */
	struct pc_fault_config fault[2];
	struct pc_fault_config later[2]; /* after the weather has changed */
};

/** What happens to a machine or a network, once. */
enum trouble_kind { STOP, REBOOT, JUMP, HUNGER, WEATHER, BLACKOUT, TROUBLE_KINDS };

struct trouble {
	uint64_t at, lasts;
	enum trouble_kind kind;
	int node, net;
	bool begun, over;
};

struct sim {
	uint64_t seed, now, rng;
	struct node node[SIM_NODES];
	struct net net[SIM_LINKS];
	struct rte_mempool *pool; /* of the networks, the applications, and most machines */
	struct rte_mempool *tiny[SIM_NODES];
	bool clean;              /* the network does nothing but delay, and nothing happens */
	bool attacked;           /* frames are forged */
	unsigned validate_every; /* steps */
	int lfd;                 /* the server's listener */
	bool closing;            /* there is none any more */
	int backlog;
	unsigned nb_troubles;
	struct trouble trouble[SIM_TROUBLES];
	unsigned nb_conns;
	struct conn conn[SIM_CONNS];
	void **eaten; /* mbufs that hunger has taken away */
	unsigned nb_eaten;
	struct rte_mempool *eaten_from;
	uint64_t steps, frames, bytes, forged;
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

/** sim_node is the machine of one side of a connection. */
static inline struct node *sim_node(struct sim *s, const struct conn *c, int side)
{
	return &s->node[side == CLIENT ? c->client : SERVER];
}

/* ---- plan.c ---- */

/** plan_run draws what kind of run it is, the machines' settings and the networks. */
void plan_run(struct sim *s);

/** plan_troubles draws what will happen, from now on. */
void plan_troubles(struct sim *s);

/* ---- node.c ---- */

/** node_open makes the networks and starts all machines; pcap is a file for what the client sees. */
bool node_open(struct sim *s, const char *pcap);

/** node_close ends all of it and looks for mbufs that are left. */
void node_close(struct sim *s);

/** node_die takes a machine's stack away with all it knew. */
void node_die(struct sim *s, int n);

/** node_boot starts a machine (again). */
bool node_boot(struct sim *s, int n);

/** node_is_up says whether a machine does anything now. */
static inline bool node_is_up(const struct sim *s, int n)
{
	return s->node[n].exists && s->node[n].st != NULL && s->now >= s->node[n].still_till;
}

/* ---- trouble.c ---- */

/** trouble_turn lets happen what is due at s->now. */
void trouble_turn(struct sim *s);

/** trouble_next returns when something happens next; UINT64_MAX: nothing will. */
uint64_t trouble_next(const struct sim *s);

/* ---- attack.c ---- */

/**
 * attack_layer wraps a port: among the frames that it receives there will be forged ones, at which
 * nobody must take offence. Returns NULL without memory.
 */
struct pc_port *attack_layer(struct sim *s, struct pc_port *inner);

/* ---- app.c ---- */

/** app_plan draws the connections of a run. */
void app_plan(struct sim *s);

/** app_turn lets the applications of a machine do what they can at s->now. */
void app_turn(struct sim *s, int n);

/** app_died is told that the applications of a machine are no more. */
void app_died(struct sim *s, int n);

/** app_next returns when an application wants to do something by itself; UINT64_MAX: never. */
uint64_t app_next(const struct sim *s);

/** app_is_done says whether every connection has come to its end at both ends. */
bool app_is_done(const struct sim *s);

/* ---- world.c ---- */

/** sim_run runs one seed with the pools of *s; pcap is a file for the frames that the client sees, or
 * NULL. Returns whether all went well; else s->wrong says what did not. */
bool sim_run(struct sim *s, uint64_t seed, const char *pcap);

#endif
