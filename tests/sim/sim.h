/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIM_SIM_H
#define SIM_SIM_H

/*
 * A simulation: two or three stacks in one thread, bad networks between them, virtual time.
 *
 * Everything follows from one seed: the networks' faults, the settings of the stacks, what each
 * application writes and reads and when, which machine stops or dies, and what an attacker sends.
 * The same seed gives the same run, frame for frame. A run passes if every byte of every stream
 * arrived once and in order, every connection ended, and nothing is left: no mbuf, no TCB, no
 * timer.
 *
 * The parts: plan.c draws the random choices, node.c creates and boots machines, trouble.c makes
 * things happen to them, attack.c is a layer that sends what an off-path attacker could send, app.c
 * has the applications, world.c is the clock and the verdict.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/percore.h>

#define SIM_CONNS    24 /* maximum in one run */
#define SIM_TROUBLES 8

/* Nodes; the first two are also the two sides of a connection. */
enum { CLIENT, SERVER, SECOND, SIM_NODES };

/* Links: of the client and of the second client, both to the server. */
enum { SIM_LINKS = 2 };

struct rte_mempool;

/** One direction of a connection, as seen by its sender and its receiver. */
struct stream {
	uint32_t total; /* bytes to send */
	uint32_t sent, rcvd;
	bool shut, ended; /* the sender has shut it down; the receiver has seen the end */
};

/** One end of a connection: an application and its behaviour. */
struct end {
	int fd;                  /* 0: none yet, or closed */
	bool edge;               /* EPOLLET */
	bool readable, writable; /* reported by epoll, and no EAGAIN since */
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
	uint32_t early;       /* bytes that were sent with the client's SYN (Fast Open) */
	uint64_t abort_at;    /* UINT64_MAX: never */
	int abort_by;
	bool started;
	bool aborted; /* by an application or the death of a machine: it may end with an error */
};

/** A machine. */
struct node {
	bool exists;
	struct pc_stack *st;
	struct pc_stack_config cfg;
	struct rte_mempool *pool, *tiny; /* the pool in use; a small one that runs out */
	int ep;
	uint64_t ahead;      /* of the other machines' clocks */
	uint64_t still_till; /* until then it is stopped, or (without a stack) dead */
	unsigned boots;
};

/** A wire with faults; end 0 is the client's. */
struct net {
	struct pc_port *port[2];   /* as the stacks see it */
	struct pc_port *faulty[2]; /* the fault layers */
	struct pc_fault_config fault[2];
	struct pc_fault_config later[2]; /* the faults after the weather has changed */
};

/** Something that happens once to a machine or a network. */
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
	bool clean;              /* the network only delays, and nothing happens to machines */
	bool attacked;           /* forged frames are sent */
	unsigned validate_every; /* in steps */
	int lfd;                 /* the server's listener */
	bool closing;            /* the listener has been closed */
	int backlog;
	unsigned nb_troubles;
	struct trouble trouble[SIM_TROUBLES];
	unsigned nb_conns;
	struct conn conn[SIM_CONNS];
	void **eaten; /* mbufs taken away by HUNGER */
	unsigned nb_eaten;
	struct rte_mempool *eaten_from;
	uint64_t steps, frames, bytes, forged;
	bool progress; /* an application did something in this step */
	bool verbose;
	char wrong[300]; /* the first error; empty: none */
};

/** sim_rnd draws a number in [lo,hi] from the run's own generator. */
uint64_t sim_rnd(struct sim *s, uint64_t lo, uint64_t hi);

/** sim_chance returns true with a probability of percent. */
bool sim_chance(struct sim *s, unsigned percent);

/** sim_fail records an error; only the first is kept. Returns false. */
bool sim_fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** sim_byte returns byte n of a stream. */
uint8_t sim_byte(uint32_t conn, int dir, uint32_t n);

/** sim_node returns the machine of one side of a connection. */
static inline struct node *sim_node(struct sim *s, const struct conn *c, int side)
{
	return &s->node[side == CLIENT ? c->client : SERVER];
}

/* ---- plan.c ---- */

/** plan_run draws the kind of run, the machines' settings and the networks. */
void plan_run(struct sim *s);

/** plan_troubles draws what will happen from now on. */
void plan_troubles(struct sim *s);

/* ---- node.c ---- */

/** node_open creates the networks and starts all machines; pcap is a file for the frames that the
 * client sees, or NULL. */
bool node_open(struct sim *s, const char *pcap);

/** node_close destroys everything and checks for leaked mbufs. */
void node_close(struct sim *s);

/** node_die destroys a machine's stack with all its state. */
void node_die(struct sim *s, int n);

/** node_boot starts or restarts a machine. */
bool node_boot(struct sim *s, int n);

/** node_is_up says whether a machine is running now. */
static inline bool node_is_up(const struct sim *s, int n)
{
	return s->node[n].exists && s->node[n].st != NULL && s->now >= s->node[n].still_till;
}

/* ---- trouble.c ---- */

/** trouble_turn makes happen what is due at s->now. */
void trouble_turn(struct sim *s);

/** trouble_next returns when something happens next; UINT64_MAX: never. */
uint64_t trouble_next(const struct sim *s);

/* ---- attack.c ---- */

/**
 * attack_layer wraps a port: it adds forged frames to those received, which must have no effect.
 * Returns NULL if there is no memory.
 */
struct pc_port *attack_layer(struct sim *s, struct pc_port *inner);

/* ---- app.c ---- */

/** app_plan draws the connections of a run. */
void app_plan(struct sim *s);

/** app_turn runs the applications of a machine as far as possible at s->now. */
void app_turn(struct sim *s, int n);

/** app_died records that the applications of a machine have died. */
void app_died(struct sim *s, int n);

/** app_next returns when an application will act by itself; UINT64_MAX: never. */
uint64_t app_next(const struct sim *s);

/** app_is_done says whether every connection has ended at both ends. */
bool app_is_done(const struct sim *s);

/* ---- world.c ---- */

/** sim_run runs one seed with the pools of *s; pcap is a file for the frames that the client sees,
 * or NULL. Returns whether the run passed; if not, s->wrong says why. */
bool sim_run(struct sim *s, uint64_t seed, const char *pcap);

#endif
