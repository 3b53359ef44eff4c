/* SPDX-License-Identifier: BSD-2-Clause */
#include "idle.h"

#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_common.h>
#include <rte_pause.h>

#define IDLE_FIRST_NS 10000
#define IDLE_US       100
#define IDLE_WOKEN_US 1000
#define IDLE_PAUSES   8
/* longest sleep, since no device interrupts for some work, such as a call posted to the stack */
#define IDLE_INTERRUPT_US 20000

/* Devices of the kernel: polling them is a system call, and the peer may need this CPU. */
static bool is_kernel_driver(const char *driver)
{
	static const char *const names[] = {"net_tap",  "net_af_packet",   "net_af_xdp",
	                                    "net_pcap", "net_virtio_user", "net_tun"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(driver, names[i]) == 0)
			return true;
	return false;
}

bool idle_wants_interrupts(uint64_t setting, const char *driver)
{
	return setting == RUN_IDLE_INTERRUPT ||
	       (setting == RUN_IDLE_AUTO && is_kernel_driver(driver));
}

enum run_idle idle_choose(uint64_t setting, struct pc_port *const *ports, unsigned n)
{
	if (setting != RUN_IDLE_AUTO)
		return (enum run_idle)setting;
	for (unsigned i = 0; i < n; i++)
		if (!is_kernel_driver(ports[i]->info.driver))
			return RUN_IDLE_PAUSE;
	return RUN_IDLE_INTERRUPT;
}

/*
 * net_tap makes the kernel send a signal when frames arrive, and a signal ends a sleep. It is sent
 * to the process, so it is certain to wake an lcore only if there is just one; and it may arrive
 * between the last poll and the sleep, so the sleep stays bounded.
 */
uint64_t idle_choose_us(uint64_t setting, struct pc_port *const *ports, unsigned n,
                        unsigned nb_lcores)
{
	if (setting != 0)
		return setting;
	for (unsigned i = 0; i < n; i++)
		if (strcmp(ports[i]->info.driver, "net_tap") != 0)
			return IDLE_US;
	return nb_lcores == 1 ? IDLE_WOKEN_US : IDLE_US;
}

void idle_init(struct idle *idle, enum run_idle mode, uint64_t turns, uint64_t max_us)
{
	*idle = (struct idle){
	    .mode = mode,
	    .turns = (uint32_t)turns,
	    .max_ns = max_us * 1000,
	    .sleep_ns = IDLE_FIRST_NS,
	};
	/* by default, the kernel may extend a sleep by 50 us */
	if (mode == RUN_IDLE_SLEEP || mode == RUN_IDLE_INTERRUPT)
		(void)prctl(PR_SET_TIMERSLACK, 1000);
}

void idle_init_driven(struct idle *idle, uint64_t setting, struct pc_port *const *ports, unsigned n,
                      uint64_t turns, uint64_t max_us)
{
	enum run_idle mode = idle_choose(setting, ports, n);

	if (setting == RUN_IDLE_AUTO && mode == RUN_IDLE_INTERRUPT)
		turns = 0;
	if (setting == RUN_IDLE_AUTO || mode == RUN_IDLE_INTERRUPT)
		mode = RUN_IDLE_SLEEP;
	idle_init(idle, mode, turns, max_us);
}

bool idle_polls_on(struct idle *idle)
{
	if (idle->mode == RUN_IDLE_SPIN)
		return true;
	if (idle->empty < idle->turns) {
		idle->empty++;
		return true;
	}
	if (idle->mode != RUN_IDLE_PAUSE)
		return false;
	for (int i = 0; i < IDLE_PAUSES; i++)
		rte_pause();
	return true;
}

void idle_interrupts(struct idle *idle, const uint16_t *ids, unsigned n, uint16_t queue,
                     bool is_patient)
{
	if (idle->mode != RUN_IDLE_INTERRUPT)
		return;
	if (!rx_wait_open(&idle->rx, ids, n, queue))
		idle->mode = RUN_IDLE_SLEEP;
	else if (is_patient)
		idle->max_ns = IDLE_INTERRUPT_US * UINT64_C(1000);
}

static uint64_t next_deadline(const struct idle *idle, const struct pc_stack *st)
{
	const uint64_t of_stack = st != NULL ? pc_stack_next_deadline(st) : UINT64_MAX;

	if (idle->deadline == NULL)
		return of_stack;
	return RTE_MIN(of_stack, idle->deadline(idle->deadline_arg));
}

static void sleep_for(const struct idle *idle, uint64_t ns)
{
	struct timespec ts = {.tv_nsec = (long)ns};

	if (idle->service == NULL) {
		(void)nanosleep(&ts, NULL); /* a signal may end it early */
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	pc_service_sleep(idle->service,
	                 (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec + ns);
}

void idle_until(struct idle *idle, const struct pc_stack *st, uint64_t now_ns, uint64_t ns)
{
	uint64_t deadline = next_deadline(idle, st);

	if (deadline <= now_ns)
		return;
	if (deadline - now_ns < ns)
		ns = deadline - now_ns;
	sleep_for(idle, ns < idle->sleep_ns ? ns : idle->sleep_ns);
	idle->sleep_ns = 2 * idle->sleep_ns < idle->max_ns ? 2 * idle->sleep_ns : idle->max_ns;
}

/* The first turn without frames arms the queues; the next one, after they have been polled once
 * more, sleeps. */
static void wait_for_frames(struct idle *idle, const struct pc_stack *st, uint64_t now_ns)
{
	const uint64_t deadline = next_deadline(idle, st);

	if (!idle->rx.armed)
		rx_wait_arm(&idle->rx);
	else if (deadline > now_ns)
		rx_wait_sleep(&idle->rx, RTE_MIN(deadline - now_ns, idle->max_ns));
}

void idle_turn(struct idle *idle, unsigned frames, const struct pc_stack *st, uint64_t now_ns)
{
	if (frames > 0) {
		idle->empty = 0;
		rx_wait_disarm(&idle->rx);
		idle->sleep_ns = IDLE_FIRST_NS < idle->max_ns ? IDLE_FIRST_NS : idle->max_ns;
		return;
	}
	if (idle->mode == RUN_IDLE_SPIN || idle->empty++ < idle->turns)
		return;
	idle->empty = idle->turns; /* do not let it overflow */
	if (idle->mode == RUN_IDLE_SLEEP)
		idle_until(idle, st, now_ns, UINT64_MAX);
	else if (idle->mode == RUN_IDLE_INTERRUPT)
		wait_for_frames(idle, st, now_ns);
	else
		for (int i = 0; i < IDLE_PAUSES; i++)
			rte_pause();
}
