/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_LOAD_BED_H
#define UNIT_LOAD_BED_H

/*
 * A generator and a server on the two ends of a wire in memory, under a clock that the test invents.
 * The server is a percore stack with percore-echo's services and a small HTTP server, or a generator in
 * a mode of its own.
 */
#include "load.h"
#include "services.h"

#define BED_SERVER  0x0a000001u
#define BED_CLIENT  0x0a000100u
#define BED_CLIENT6 "2001:db8::1:0/64"
#define BED_STEP_NS 20000u
#define BED_BODY    1000

/* one frame in a hundred is lost, each way */
#define BED_LOSSY(n)                                                    \
	{                                                               \
		.seed = (n), .rx_loss_ppm = 10000, .tx_loss_ppm = 10000 \
	}

struct bed {
	uint64_t now;
	struct load_config config, other_config;
	struct pc_port *ends[2]; /* of the server and the client */
	struct server *sv;       /* NULL: other */
	struct load *load, *other;
	int listener, http_epoll;
	uint32_t spoil;                /* a byte of every so many HTTP answers is wrong; 0: never */
	uint64_t stall_from, stall_to; /* the server does nothing */
	uint64_t mute_from, mute_to;   /* its stack does what it has to, its programs do nothing */
	uint64_t answered;
};

/** bed_begin sets the defaults of a mode; change config, then call bed_start. */
void bed_begin(struct bed *b, const char *mode);

/** bed_ip6 has the load go over IPv6; the server has addresses of both families. */
void bed_ip6(struct bed *b);

/** bed_start makes both ends. faults may be NULL. */
void bed_start(struct bed *b, const struct pc_fault_config *faults);

/** bed_start_other has a generator of that mode in the place of the server. */
void bed_start_other(struct bed *b, const char *mode, const struct pc_fault_config *faults);

/** bed_start_hand has nobody in the place of the server: the test itself. */
void bed_start_hand(struct bed *b);

/** bed_pool returns the mempool of all frames. */
struct rte_mempool *bed_pool(void);

/** bed_run turns until the generator has done, at most so many seconds. */
void bed_run(struct bed *b, double seconds);

/** bed_until turns until the generator is in that phase, at most a minute. */
void bed_until(struct bed *b, enum phase phase);

/** bed_for turns for so many ms, or until the generator has done. */
void bed_for(struct bed *b, uint64_t ms);

/** bed_linger goes on after the end until the server has no connection left, for at most so many seconds: it may have to repeat
 * what was lost before it hears that nobody is there. */
void bed_linger(struct bed *b, double seconds);

/** bed_connections returns how many connections the server has. */
uint32_t bed_connections(const struct bed *b);

/** bed_answers returns how many answers came in the time that is measured. */
uint64_t bed_answers(const struct bed *b);

/** bed_check checks that the run had no fault, else it prints the report; bed_check_over also that the server has nothing left. */
void bed_check(const struct bed *b);
void bed_check_over(const struct bed *b);

/** bed_whole is a whole run without faults of the network: bed_start, bed_run, bed_check_over. */
void bed_whole(struct bed *b, double seconds);

/** bed_end takes everything down and looks whether an mbuf is missing. */
void bed_end(struct bed *b);

#endif
