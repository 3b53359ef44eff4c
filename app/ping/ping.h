/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PING_PING_H
#define PING_PING_H

/* One run of echo requests to one host, of either family. */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>
#include <percore/stack.h>

#define PING_SIZE_MAX 65507
#define PING_SEQS     65536

/** What to send; times in milliseconds. */
struct ping_plan {
	uint64_t count; /* 0: unlimited */
	uint64_t interval_ms, timeout_ms, size, ttl, quiet;
	int pmtudisc;  /* IP_PMTUDISC_*; -1: the default */
	uint32_t port; /* the link of a link-local address */
};

/** The results. */
struct ping_stats {
	uint64_t sent, received, duplicates, errors;
	uint64_t first_ns, last_ns; /* times of the first request and the last event */
	uint64_t min_ns, max_ns, sum_ns;
	double sum_square; /* of ns */
};

struct ping {
	struct pc_stack *st;
	const struct ping_plan *plan;
	struct pc_addr to;
	int fd;
	uint16_t id;
	uint64_t begin_ns; /* time of the first attempt to send */
	uint64_t next_ns;  /* when the next request is due */
	struct ping_stats stats;
	uint64_t sent_ns[PING_SEQS];     /* when each request was sent */
	uint8_t answered[PING_SEQS / 8]; /* which have been answered */
	uint8_t data[PING_SIZE_MAX + 128];
};

/** ping_start opens the socket. Returns 0 or -1 with errno. */
int ping_start(struct ping *p, struct pc_stack *st, const struct ping_plan *plan,
               const struct pc_addr *to);

/** ping_turn processes answers and sends what is due. Returns false when the run is over. */
bool ping_turn(struct ping *p, uint64_t now_ns);

/** ping_report prints the summary as ping(8) does. Returns its exit status: 0 if there was any
 * answer. */
int ping_report(const struct ping *p, const char *name);

#endif
