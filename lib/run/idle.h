/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_IDLE_H
#define RUN_IDLE_H

/*
 * Idling: what an lcore does when frames stop arriving.  It polls for another number of turns,
 * because more may be on their way; then it pauses, or sleeps a little longer each time, never past
 * a deadline of its stack.  If all its queues have interrupts (rxwait.h), it sleeps until one
 * arrives.
 */

#include <percore/host.h>

#include "rxwait.h"
#include "settings.h"

struct idle {
	enum run_idle mode;
	uint32_t turns;             /* without a frame before it backs off */
	uint32_t empty;             /* turns without a frame so far */
	uint64_t max_ns;            /* longest sleep */
	uint64_t sleep_ns;          /* next sleep */
	struct pc_service *service; /* whose clients may end a sleep; NULL: none */
	struct rx_wait rx;          /* open in RUN_IDLE_INTERRUPT */
	/* when there is something to do that the stack knows nothing of, ns; NULL: never */
	uint64_t (*deadline)(const void *arg);
	const void *deadline_arg;
};

/** idle_wants_interrupts says whether queues of a driver are to be set up so that they can interrupt. */
bool idle_wants_interrupts(uint64_t setting, const char *driver);

/** idle_choose returns the mode of an lcore with these ports, given what the settings say. */
enum run_idle idle_choose(uint64_t setting, struct pc_port *const *ports, unsigned n);

/** idle_interrupts has an lcore in RUN_IDLE_INTERRUPT wait for its queue of n devices; where one of them cannot
 * interrupt, it sleeps between polls instead. It does not look at anything sooner than its deadlines say if is_patient,
 * else as often as between polls. */
void idle_interrupts(struct idle *idle, const uint16_t *ids, unsigned n, uint16_t queue,
                     bool is_patient);

/** idle_choose_us returns the longest sleep between polls of an lcore, one of nb_lcores, with these ports. */
uint64_t idle_choose_us(uint64_t setting, struct pc_port *const *ports, unsigned n,
                        unsigned nb_lcores);

/** idle_init begins, on the lcore that is to idle: it backs off after some turns without a frame. */
void idle_init(struct idle *idle, enum run_idle mode, uint64_t turns, uint64_t max_us);

/** idle_init_driven is idle_init for a thread that drives its stack in calls that wait, with these ports. It sleeps in the end,
 * if the settings do not say that it polls on: at once if every port is one of the kernel's and they say nothing. */
void idle_init_driven(struct idle *idle, uint64_t setting, struct pc_port *const *ports, unsigned n,
                      uint64_t turns, uint64_t max_us);

/** idle_polls_on says, after a turn in which nothing came, whether another is due before a sleep. */
bool idle_polls_on(struct idle *idle);

/** idle_until sleeps for at most ns, and as idle_turn would: until a deadline of the stack, a client, a signal. */
void idle_until(struct idle *idle, const struct pc_stack *st, uint64_t now_ns, uint64_t ns);

/** idle_turn is told how many frames a turn has received; it returns when the next may begin. st may be NULL: there is
 * no stack. */
void idle_turn(struct idle *idle, unsigned frames, const struct pc_stack *st, uint64_t now_ns);

#endif
