/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_IDLE_H
#define RUN_IDLE_H

/*
 * Idling: what an lcore does when frames stop arriving.  It polls for some more turns, because
 * frames may be on their way; then it pauses between polls, or sleeps a little longer each time,
 * never past a deadline of its stack.  If all its queues have interrupts (rxwait.h), it sleeps
 * until an interrupt arrives.
 */

#include <percore/host.h>

#include "rxwait.h"
#include "settings.h"

struct idle {
	enum run_idle mode;
	uint32_t turns;             /* without a frame before backing off */
	uint32_t empty;             /* turns without a frame so far */
	uint64_t max_ns;            /* longest sleep */
	uint64_t sleep_ns;          /* next sleep */
	struct pc_service *service; /* its clients may end a sleep; NULL: none */
	struct rx_wait rx;          /* open in RUN_IDLE_INTERRUPT */
	/* returns the next deadline that the stack does not know of, ns; NULL: none */
	uint64_t (*deadline)(const void *arg);
	const void *deadline_arg;
};

/** idle_wants_interrupts says whether to set up a driver's queues so that they can interrupt. */
bool idle_wants_interrupts(uint64_t setting, const char *driver);

/** idle_choose returns the mode of an lcore with these ports and this setting. */
enum run_idle idle_choose(uint64_t setting, struct pc_port *const *ports, unsigned n);

/** idle_interrupts makes an lcore in RUN_IDLE_INTERRUPT wait for its queue of n devices; if one of
 * them cannot interrupt, the lcore sleeps between polls instead. If is_patient, it sleeps for up
 * to 20 ms unless a deadline is earlier, else no longer than between polls. */
void idle_interrupts(struct idle *idle, const uint16_t *ids, unsigned n, uint16_t queue,
                     bool is_patient);

/** idle_choose_us returns the longest sleep between polls of one of nb_lcores lcores with these
 * ports. */
uint64_t idle_choose_us(uint64_t setting, struct pc_port *const *ports, unsigned n,
                        unsigned nb_lcores);

/** idle_init begins, on the lcore that is to idle; it backs off after turns without a frame. */
void idle_init(struct idle *idle, enum run_idle mode, uint64_t turns, uint64_t max_us);

/** idle_init_driven is idle_init for a thread that drives its stack within blocking calls, with
 * these ports. Unless the settings make it poll for ever, it sleeps in the end: at once if all
 * ports are the kernel's and the mode is the default. */
void idle_init_driven(struct idle *idle, uint64_t setting, struct pc_port *const *ports, unsigned n,
                      uint64_t turns, uint64_t max_us);

/** idle_polls_on says, after a turn without frames, whether to poll again before a sleep. */
bool idle_polls_on(struct idle *idle);

/** idle_until sleeps for at most ns, and like idle_turn until a deadline of the stack, a client or
 * a signal. */
void idle_until(struct idle *idle, const struct pc_stack *st, uint64_t now_ns, uint64_t ns);

/** idle_turn is called after a turn that has received so many frames; it returns when the next may
 * begin. st may be NULL: there is no stack. */
void idle_turn(struct idle *idle, unsigned frames, const struct pc_stack *st, uint64_t now_ns);

#endif
