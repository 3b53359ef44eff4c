/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/idle.h"

#include <arpa/inet.h>
#include <percore/percore.h>

#include "../../support/eal.h"
#include "../../support/stack_on.h"
#include "common.h"
#include "run/clock.h"

static struct pc_port tap = {.info.driver = "net_tap"}, memif = {.info.driver = "net_memif"};
static struct pc_stack *st;

static void the_kernels_devices_sleep(void)
{
	struct pc_port *taps[] = {&tap, &tap}, *mixed[] = {&tap, &memif};

	CU_ASSERT_EQUAL(idle_choose(RUN_IDLE_AUTO, taps, 2), RUN_IDLE_INTERRUPT);
	CU_ASSERT_EQUAL(idle_choose(RUN_IDLE_AUTO, mixed, 2), RUN_IDLE_PAUSE);
	CU_ASSERT_EQUAL(idle_choose(RUN_IDLE_SPIN, taps, 2), RUN_IDLE_SPIN);
	CU_ASSERT(idle_wants_interrupts(RUN_IDLE_AUTO, "net_tap"));
	CU_ASSERT(!idle_wants_interrupts(RUN_IDLE_AUTO, "net_ixgbe"));
	CU_ASSERT(idle_wants_interrupts(RUN_IDLE_INTERRUPT, "net_ixgbe"));
	CU_ASSERT(!idle_wants_interrupts(RUN_IDLE_SLEEP, "net_tap"));
	CU_ASSERT_EQUAL(idle_choose_us(0, taps, 2, 1), 1000);
	CU_ASSERT_EQUAL(idle_choose_us(0, taps, 2, 2), 100);
	CU_ASSERT_EQUAL(idle_choose_us(0, mixed, 2, 1), 100);
	CU_ASSERT_EQUAL(idle_choose_us(5, taps, 2, 1), 5);
}

static uint64_t time_at(struct idle *idle, unsigned frames, uint64_t now)
{
	uint64_t begin = clock_time_of_day();

	idle_turn(idle, frames, st, now);
	return clock_time_of_day() - begin;
}

static uint64_t time_of(struct idle *idle, unsigned frames)
{
	return time_at(idle, frames, 0);
}

static void it_sleeps_only_after_empty_turns(void)
{
	struct idle idle;

	idle_init(&idle, RUN_IDLE_SLEEP, 3, 2000);
	for (int i = 0; i < 3; i++)
		idle_turn(&idle, 0, st, 0);
	CU_ASSERT_EQUAL(idle.empty, 3);
	CU_ASSERT(time_of(&idle, 0) >= 10000);
	CU_ASSERT(time_of(&idle, 0) >= 20000);
	for (int i = 0; i < 20; i++)
		idle_turn(&idle, 0, st, 0);
	CU_ASSERT(time_of(&idle, 0) >= 2000000); /* it has grown, but not beyond the limit */
	CU_ASSERT_EQUAL(idle.sleep_ns, 2000000);
	idle_turn(&idle, 1, st, 0);
	CU_ASSERT_EQUAL(idle.empty, 0);
	CU_ASSERT_EQUAL(idle.sleep_ns, 10000);
}

static unsigned polls_before_a_sleep(struct idle *idle)
{
	unsigned n = 0;

	while (n < 100 && idle_polls_on(idle))
		n++;
	return n;
}

static void a_thread_that_drives_polls_on_for_a_while(void)
{
	static const struct {
		enum run_idle setting;
		struct pc_port *port;
		enum run_idle mode;
		unsigned polls;
	} rows[] = {
	    {RUN_IDLE_AUTO, &memif, RUN_IDLE_SLEEP, 3},
	    {RUN_IDLE_AUTO, &tap, RUN_IDLE_SLEEP, 0},
	    {RUN_IDLE_SLEEP, &tap, RUN_IDLE_SLEEP, 3},
	    {RUN_IDLE_INTERRUPT, &tap, RUN_IDLE_SLEEP, 3},
	    {RUN_IDLE_PAUSE, &memif, RUN_IDLE_PAUSE, 100},
	    {RUN_IDLE_SPIN, &tap, RUN_IDLE_SPIN, 100},
	};
	struct idle idle;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pc_port *port = rows[i].port;

		idle_init_driven(&idle, rows[i].setting, &port, 1, 3, 500);
		CU_ASSERT_EQUAL(idle.mode, rows[i].mode);
		CU_ASSERT_EQUAL(polls_before_a_sleep(&idle), rows[i].polls);
		/* and not again before something has come */
		CU_ASSERT_EQUAL(polls_before_a_sleep(&idle), rows[i].polls < 100 ? 0 : 100);
		idle_turn(&idle, 1, st, 0);
		CU_ASSERT_EQUAL(polls_before_a_sleep(&idle), rows[i].polls);
	}
}

static void it_does_not_sleep_past_a_deadline(void)
{
	const struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x0a000002)};
	int fd = pc_socket(st, AF_INET, SOCK_STREAM, 0);
	uint64_t next;
	struct idle idle;

	/* a connection that waits for its answer has a timer */
	pc_stack_poll(st, 0);
	CU_ASSERT_EQUAL(pc_connect(st, fd, (const struct sockaddr *)&to, sizeof(to)), -1);
	pc_stack_flush(st, 0);
	next = pc_stack_next_deadline(st);
	CU_ASSERT_FATAL(next > 5000000 && next != UINT64_MAX);
	idle_init(&idle, RUN_IDLE_SLEEP, 1, 100000);
	idle.empty = 1;
	idle.sleep_ns = 100000000;
	CU_ASSERT(time_at(&idle, 0, next - 5000000) < 60000000);
	CU_ASSERT(time_at(&idle, 0, next + 1) < 60000000);
	pc_close(st, fd);
}

static void without_interrupts_it_polls(void)
{
	const uint16_t none = RTE_MAX_ETHPORTS - 1;
	struct idle idle;

	idle_init(&idle, RUN_IDLE_INTERRUPT, 1, 500);
	idle_interrupts(&idle, &none, 1, 0, true);
	CU_ASSERT_EQUAL(idle.mode, RUN_IDLE_SLEEP);
	CU_ASSERT_EQUAL(idle.max_ns, 500000);
	rx_wait_close(&idle.rx);
}

/* No deadline, and ten minutes to sleep: it is the bell that ends it. */
static void a_bell_ends_a_sleep(void)
{
	struct idle idle;

	idle_init(&idle, RUN_IDLE_INTERRUPT, 1, 500);
	idle_interrupts(&idle, NULL, 0, 0, false);
	CU_ASSERT_EQUAL(idle.max_ns, 500000); /* nobody says when the program has something to do */
	CU_ASSERT_EQUAL_FATAL(idle.mode, RUN_IDLE_INTERRUPT);
	idle.max_ns = UINT64_C(600000000000);
	rx_wait_ring(&idle.rx); /* nobody sleeps: nothing happens */
	idle_turn(&idle, 0, st, 0);
	CU_ASSERT(!idle.rx.armed);
	idle_turn(&idle, 0, st, 0);
	CU_ASSERT(idle.rx.armed); /* and now its rings are looked at once more */
	rx_wait_ring(&idle.rx);
	rx_wait_ring(&idle.rx);
	idle_turn(&idle, 0, st, 0);
	CU_ASSERT(!idle.rx.armed);
	CU_ASSERT_EQUAL(idle.rx.hollow, 1);
	idle_turn(&idle, 0, st, 0);
	idle_turn(&idle, 1, st, 0);
	CU_ASSERT(!idle.rx.armed); /* frames came: polling again */
	CU_ASSERT_EQUAL(idle.rx.hollow, 0);
	idle.max_ns = 1000;
	for (unsigned i = 0; i < 3; i++)
		idle_turn(&idle, 0, st, 0);
	CU_ASSERT(idle.rx.armed); /* it was only the time that ended a sleep */
	rx_wait_close(&idle.rx);
	CU_ASSERT(!idle.rx.is_open);
	rx_wait_close(&idle.rx);
}

static uint64_t in_the_past(const void *arg)
{
	return *(const uint64_t *)arg;
}

/* What the program has to do ends a sleep, or keeps it from beginning. */
static void a_program_has_deadlines(void)
{
	const uint64_t past = 1;
	struct idle idle;

	idle_init(&idle, RUN_IDLE_INTERRUPT, 1, 500);
	idle_interrupts(&idle, NULL, 0, 0, true);
	CU_ASSERT(idle.max_ns > 500000);
	idle.max_ns = UINT64_C(600000000000);
	idle.deadline = in_the_past;
	idle.deadline_arg = &past;
	for (unsigned i = 0; i < 4; i++)
		idle_turn(&idle, 0, st, 2); /* ten minutes, if it slept */
	CU_ASSERT(idle.rx.armed);
	idle_turn(&idle, 0, st, 0); /* a nanosecond */
	rx_wait_close(&idle.rx);
}

/* A program of frames has no stack, and so none that has something to do later. */
static void there_may_be_no_stack(void)
{
	struct idle idle;

	idle_init(&idle, RUN_IDLE_SLEEP, 1, 2000);
	for (int i = 0; i < 10; i++)
		idle_turn(&idle, 0, NULL, 0);
	CU_ASSERT_EQUAL(idle.sleep_ns, 2000000);
	idle_turn(&idle, 1, NULL, 0);
	CU_ASSERT_EQUAL(idle.empty, 0);
}

/* A device that interrupts for nothing costs no core. */
static void hollow_interrupts_are_not_believed(void)
{
	struct rx_wait w;

	CU_ASSERT_FATAL(rx_wait_open(&w, NULL, 0, 0));
	for (unsigned i = 0; i < 65; i++) {
		rx_wait_arm(&w);
		rx_wait_ring(&w);
		rx_wait_sleep(&w, UINT64_C(600000000000));
	}
	CU_ASSERT_EQUAL(w.hollow, 65);
	rx_wait_arm(&w);
	rx_wait_sleep(&w, UINT64_C(600000000000)); /* a millisecond */
	CU_ASSERT_EQUAL(w.hollow, 0);
	CU_ASSERT(w.armed);
	rx_wait_close(&w);
}

static const struct unit_case cases[] = {
    {"the kernel's devices sleep", the_kernels_devices_sleep},
    {"it sleeps only after empty turns", it_sleeps_only_after_empty_turns},
    {"a thread that drives polls on for a while", a_thread_that_drives_polls_on_for_a_while},
    {"it does not sleep past a deadline", it_does_not_sleep_past_a_deadline},
    {"without interrupts it polls", without_interrupts_it_polls},
    {"a bell ends a sleep", a_bell_ends_a_sleep},
    {"there may be no stack", there_may_be_no_stack},
    {"a program has deadlines", a_program_has_deadlines},
    {"hollow interrupts are not believed", hollow_interrupts_are_not_believed},
};

int main(void)
{
	struct pc_wire_config wire = {0};
	struct pc_stack_config config;
	struct pc_port *ends[2];
	struct rte_mempool *pool;
	int rc;

	eal_start();
	wire.pool = pool = eal_pool("idle", 1023);
	pc_stack_config_init(&config);
	config.stack_max_connections = 16;
	if (pc_port_wire(&wire, ends) != 0)
		return 1;
	st = stack_on(&config, pool, ends[0], "10.0.0.1/24");
	/* the address is announced first */
	pc_stack_poll(st, 0);
	pc_stack_flush(st, 0);
	rc = unit_run("run/idle", cases, sizeof(cases) / sizeof(cases[0]));
	pc_stack_destroy(st);
	pc_port_close(ends[0]);
	pc_port_close(ends[1]);
	return rc;
}
