/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_FAULTS_H
#define WIRE_FAULTS_H

/*
 * Two stacks on a wire in memory, one of which, the subject, suffers faults.
 *
 *   faults_world.c  the stacks, their ports and pools, and what fails
 *   faults_app.c    the applications, which act on edge-triggered events alone
 *   faults_time.c   time
 *   faults_main.c   which faults each scenario gets
 *   faults_test.c   the scenarios
 *   faults_posix_test.c   the same for a subject whose application makes calls that block (percore/posix.h)
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <rte_mempool.h>

#include <percore/percore.h>

#include "base/ctx.h"
#include "unit/unit.h"

#define CONNS      12
#define SECOND     UINT64_C(1000000000)
#define MBUFS      1023
#define BEGIN      (10000 * SECOND)
#define TURN_NS    5000000
#define STALL_NS   (60 * SECOND)
#define DROUGHT_NS (3 * SECOND)

enum { CLIENT, SERVER };

struct world;

struct plan {
	const char *name;
	int subject; /* whose pool fails */
	uint32_t conns, bytes[2];
	void (*configure)(struct pc_stack_config *cfg);
	uint32_t loss_ppm, reorder_ppm;
	uint16_t mtu;      /* of the path; who sends more is told by ICMP */
	uint32_t pause_ms; /* the other side of the subject reads nothing for so long */
	uint32_t rcvbuf;   /* of the other side */
	bool ip6, zero_copy, fast_open, reset;
	bool stray;                       /* the other side asks for what is not there */
	void (*program)(struct world *w); /* of the subject, if it makes calls of percore/posix.h */
};

struct end {
	int fd;
	uint32_t sent, rcvd;
	bool readable, writable, shut, ended, closed;
};

struct world {
	const struct plan *plan;
	uint64_t now;
	struct pc_stack *st[2];
	struct pc_port *port[2];
	struct pc_service
	    *service; /* NULL, or the subject's, whose application has calls of percore/posix.h */
	int ep[2], lfd;
	bool listens; /* somebody does, so that clients may begin */
	unsigned accepted;
	struct end end[2][CONNS];
	bool progress;
	unsigned steps;
	uint64_t heal_ns; /* when a drought ends; 0: it has not begun */
	char wrong[200];
};

/*
 * What fails: mbufs (failpool.h), what the TCP of the subject takes from its own pools, or from a turn on
 * for some time: the port takes nothing, the link is down, or goes down and up, the receive ring has room for two
 * frames, the lcore stands still, its clock is set back or forth, its application takes a third of a second in each turn.
 */
enum kind {
	MBUF,
	TCB,
	QUEUES,
	TX_FULL,
	LINK_DOWN,
	LINK_FLAPS,
	RX_FULL,
	STALL,
	BACK,
	FORTH,
	SLOW,
	KINDS
};

struct fault {
	enum kind kind;
	uint64_t first, n; /* number first and n - 1 after it, from 1; FOREVER: for some time */
};

#define FOREVER UINT64_MAX

extern struct rte_mempool *subject_pool, *other_pool, *wire_pool;

/** The counts of the pools in the stack, at which the linker lets us in (--wrap). */
struct inside {
	const struct ctx *subject;
	struct fault fault;
	uint64_t taken[KINDS];
};

extern struct inside inside;

/** is_failing says whether the fault has begun and goes on; suffers, whether it is of this kind, too. */
bool is_failing(void);
bool suffers(enum kind kind);

/** wrong notes the first thing that went wrong. */
void wrong(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** address makes the address of a side, and returns its length. */
socklen_t address(const struct world *w, int side, uint16_t port, struct sockaddr_storage *to);

/** watch has a descriptor's events told under a number. */
void watch(struct world *w, int side, int fd, uint32_t number);

/** open_world makes the stacks of a plan, with a listener; close_world ends them, and counts mbufs. */
void open_world(struct world *w, const struct plan *plan);
void close_world(struct world *w);

/** step gives both sides a turn. Returns whether anything happened. */
bool step(struct world *w);

/** pass lets time pass until somebody has something to do, not beyond most. */
void pass(struct world *w, uint64_t most);

/** settle lets all that was closed come to its end, after which nothing may be left: TIME-WAIT, an orphan's patience. */
void settle(struct world *w);

/** kind_name names what fails. */
const char *kind_name(enum kind kind);

/** pattern returns byte number n of what an application sends. */
uint8_t pattern(uint32_t n);

/** app_turn lets the applications of a side act. */
void app_turn(struct world *w, int side);

/** Scenarios, and how one is run with faults number first to first + n - 1 of a kind, from 1; n 0: none. Returns how many there could
 * be. */
struct faults_suite {
	const char *name;
	const struct plan *plans;
	unsigned nb_plans;
	uint64_t (*run)(const struct plan *plan, enum kind kind, uint64_t first, uint64_t n);
	bool (*fits)(const struct plan *plan,
	             enum kind kind); /* NULL: every kind fits every plan */
	struct unit_case last;        /* one more case; run NULL: none */
};

/** faults_main runs a suite, with --runs N so many faults of each kind of a scenario, and those scenarios alone whose names contain
 * what follows. Returns the exit status. */
int faults_main(const struct faults_suite *s, int argc, char **argv);

#endif
