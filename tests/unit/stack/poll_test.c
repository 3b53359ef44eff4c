/* SPDX-License-Identifier: BSD-2-Clause */
/* One turn: poll receives and fires timers, flush sends, and the next deadline is never late. */

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "fixture.h"

static struct box b;

static struct sockaddr_in addr_of(uint32_t be, uint16_t port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {be}};
}

static int connecting(struct pc_stack *st, uint32_t to, uint16_t port)
{
	const struct sockaddr_in a = addr_of(to, port);
	int fd = pc_socket(st, AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL(pc_connect(st, fd, (const struct sockaddr *)&a, sizeof(a)), -1);
	CU_ASSERT_EQUAL(errno, EINPROGRESS);
	return fd;
}

static void forget(void)
{
	while (probe_sent(b.probe) != NULL)
		probe_take(b.probe);
}

static void test_no_deadline(void)
{
	box_init(&b);
	box_open(&b);
	box_turn(&b, 1);
	box_turn(&b, 1);
	CU_ASSERT_EQUAL(pc_stack_next_deadline(b.st), UINT64_MAX);
	box_close(&b);
}

/* what is to be sent makes the deadline now, until the flush */
static void test_work_is_due(void)
{
	box_init(&b);
	box_open(&b);
	probe_limit_tx(b.probe, 0);
	box_turn(&b, 1);
	connecting(b.st, PEER, 80);
	CU_ASSERT_EQUAL(pc_stack_next_deadline(b.st), b.now);
	probe_limit_tx(b.probe, 32);
	box_turn(&b, 0);
	CU_ASSERT(pc_stack_next_deadline(b.st) > b.now || probe_pending(b.probe) > 0);
	forget();
	box_close(&b);
}

/* Two boxes live the same life; one is polled each ms, the other only at its deadlines.  They must
 * send the same frames at the same times, but for the steps of the clock. */
static unsigned life(bool by_deadline, uint64_t *times, unsigned max)
{
	const struct sockaddr_in to = addr_of(PEER, 9);
	uint64_t end;
	unsigned n = 0;
	int udp;

	box_init(&b);
	b.cfg.tcp_syn_retries = 4;
	b.cfg.tcp_timestamps = 0;
	box_open(&b);
	probe_answer_arp(b.probe, false);
	box_turn(&b, 1);
	probe_answer_arp(b.probe, true);
	forget();
	connecting(b.st, PEER, 80);
	udp = pc_socket(b.st, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_EQUAL(pc_sendto(b.st, udp, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)),
	                1);
	for (end = b.now + 60000 * MS; b.now < end;) {
		const uint64_t next = pc_stack_next_deadline(b.st);

		if (by_deadline && probe_pending(b.probe) == 0)
			b.now = next > b.now + 1 ? RTE_MIN(next, end) : b.now + 1;
		else
			b.now += by_deadline ? 1 : MS / 8;
		box_turn(&b, 0);
		for (; probe_sent(b.probe) != NULL; probe_take(b.probe))
			if (n < max)
				times[n++] = b.now;
	}
	box_close(&b);
	return n;
}

static void test_deadlines(void)
{
	static uint64_t a[64], c[64];
	const unsigned n = life(false, a, 64), m = life(true, c, 64);

	CU_ASSERT_EQUAL(n, m);
	CU_ASSERT(n >= 6); /* a datagram, and a SYN with its repetitions */
	for (unsigned i = 0; i < n && i < m; i++)
		CU_ASSERT(a[i] < c[i] + MS && c[i] < a[i] + MS);
}

/* the deadline is exact to a tick and never early: nothing happens before it */
static void test_not_early(void)
{
	box_init(&b);
	box_open(&b);
	box_turn(&b, 1);
	connecting(b.st, PEER, 80);
	for (int i = 0; i < 3; i++)
		box_turn(&b, 1);
	forget();
	for (int i = 0; i < 4; i++) {
		const uint64_t next = pc_stack_next_deadline(b.st);

		CU_ASSERT_FATAL(next > b.now && next != UINT64_MAX);
		b.now = next - 1;
		box_turn(&b, 0);
		CU_ASSERT_PTR_NULL(probe_sent(b.probe));
		b.now = next;
		box_turn(&b, 0);
		CU_ASSERT_PTR_NOT_NULL(probe_sent(b.probe));
		forget();
	}
	box_close(&b);
}

/* a first time anywhere in 64 bits, and before it calls that have no time yet */
static void test_any_epoch(void)
{
	static const uint64_t starts[] = {0,
	                                  1,
	                                  UINT64_C(1) << 47,
	                                  UINT64_C(0xffff00000000),
	                                  UINT64_C(1) << 63,
	                                  UINT64_MAX - 600000000000u};

	for (size_t i = 0; i < RTE_DIM(starts); i++) {
		unsigned syns = 0;

		box_init(&b);
		box_open(&b);
		connecting(b.st, PEER, 80);
		b.now = starts[i];
		for (int ms = 0; ms < 900; ms++) {
			box_turn(&b, 1);
			for (; probe_sent(b.probe) != NULL; probe_take(b.probe))
				syns++;
		}
		CU_ASSERT_EQUAL(syns, 1);
		box_turn(&b, 200);
		CU_ASSERT_PTR_NOT_NULL(probe_sent(b.probe));
		forget();
		box_close(&b);
	}
}

/* a clock that is set back does not stop time */
static void test_backwards(void)
{
	box_init(&b);
	box_open(&b);
	box_turn(&b, 100);
	connecting(b.st, PEER, 80);
	box_turn(&b, 1);
	pc_stack_poll(b.st, b.now - 50 * MS);
	CU_ASSERT_EQUAL(b.st->ctx.now_ns, b.now);
	CU_ASSERT_EQUAL(b.st->ctx.counters.value[PC_CLOCK_BACKWARDS], 1);
	/* it goes on from there; the caller is told of deadlines by its own clock */
	pc_stack_poll(b.st, b.now - 40 * MS);
	CU_ASSERT_EQUAL(b.st->ctx.now_ns, b.now + 10 * MS);
	CU_ASSERT_EQUAL(b.st->ctx.counters.value[PC_CLOCK_BACKWARDS], 1);
	CU_ASSERT(pc_stack_next_deadline(b.st) >= b.now - 40 * MS);
	CU_ASSERT(pc_stack_next_deadline(b.st) < b.now - 40 * MS + 1000 * MS);
	box_turn(&b, 1);
	forget();
	box_close(&b);
}

/* poll sends what the last turn's caller did not flush */
static void test_poll_flushes(void)
{
	unsigned n = 0;

	box_init(&b);
	box_open(&b);
	box_turn(&b, 1);
	connecting(b.st, PEER, 80);
	for (int i = 0; i < 4; i++)
		pc_stack_poll(b.st, b.now += MS);
	pc_stack_flush(b.st, b.now);
	for (; probe_sent(b.probe) != NULL; probe_take(b.probe))
		n++;
	CU_ASSERT_EQUAL(n, 1);
	box_close(&b);
}

/* A turn with a frame; returns whether it has sent anything. */
static bool sends_after_frame(void)
{
	const struct frame f = {.len = 60}; /* of no known type */

	probe_inject(b.probe, &f);
	box_turn(&b, 0);
	return probe_sent(b.probe) != NULL;
}

/* answers to frames do not wait for timers, nor timers for more than a turn */
static void test_timers_wait(void)
{
	box_init(&b);
	box_open(&b);
	box_turn(&b, 1);
	connecting(b.st, PEER, 80);
	box_turn(&b, 1);
	box_turn(&b, 1);
	forget();
	b.now += 1100 * MS; /* the SYN is to be sent again (RFC 6298 section 2.1) */
	CU_ASSERT_FALSE(sends_after_frame());
	CU_ASSERT(pc_stack_next_deadline(b.st) <= b.now);
	CU_ASSERT(sends_after_frame());
	forget();
	box_close(&b);
}

/* ---- two stacks in one thread ---------------------------------------------------------------- */

static void test_two_stacks(void)
{
	const uint64_t before = box_allocated();
	const struct sockaddr_in a = addr_of(US, 80);
	const struct pc_wire_config wire = {.pool = pool};
	struct pc_port *ends[2];
	struct pc_stack *st[2];
	uint64_t now = 5 * MS;
	int listener, client, server = -1;
	char buf[100] = {0};

	box_init(&b);
	CU_ASSERT_EQUAL_FATAL(pc_port_wire(&wire, ends), 0);
	for (int i = 0; i < 2; i++)
		st[i] = stack_on(&b.cfg, pool, ends[i], i == 0 ? "192.0.2.1/24" : "192.0.2.2/24");
	listener = pc_socket(st[0], AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(pc_bind(st[0], listener, (const struct sockaddr *)&a, sizeof(a)), 0);
	CU_ASSERT_EQUAL(pc_listen(st[0], listener, 5), 0);
	client = connecting(st[1], US, 80);
	for (int i = 0; i < 40; i++, now += MS) {
		for (int k = 0; k < 2; k++) {
			pc_stack_poll(st[k], now);
			pc_stack_flush(st[k], now);
		}
		if (server < 0)
			server = pc_accept(st[0], listener, NULL, NULL);
		if (i == 20)
			CU_ASSERT_EQUAL(pc_send(st[1], client, "hello", 5, 0), 5);
	}
	CU_ASSERT(server > 0);
	CU_ASSERT_EQUAL(pc_recv(st[0], server, buf, sizeof(buf), 0), 5);
	CU_ASSERT_STRING_EQUAL(buf, "hello");
	/* what one does is not counted by the other */
	CU_ASSERT_EQUAL(pc_stack_counters(st[0])->value[PC_TCP_OPENED_PASSIVE], 1);
	CU_ASSERT_EQUAL(pc_stack_counters(st[1])->value[PC_TCP_OPENED_PASSIVE], 0);
	CU_ASSERT_EQUAL(pc_stack_counters(st[1])->value[PC_TCP_OPENED_ACTIVE], 1);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(pc_stack_validate(st[i], stderr), 0);
		pc_stack_destroy(st[i]);
	}
	pc_port_close(ends[0]);
	pc_port_close(ends[1]);
	CU_ASSERT_EQUAL(eal_in_use(pool), b.in_use);
	CU_ASSERT_EQUAL(box_allocated(), before);
}

/* what was taken for new data and has come back counts again before it makes buffers small */
static void test_spare_mbufs(void)
{
	struct ctx *ctx;
	uint32_t counted;

	box_init(&b);
	box_open(&b);
	ctx = &b.st->ctx;
	box_turn(&b, 1);
	counted = ctx->mbufs_spare;
	CU_ASSERT_FATAL(counted > ctx->mbufs_small);
	ctx->mbufs_spare = ctx->mbufs_small;
	box_turn(&b, 1);
	CU_ASSERT_EQUAL(ctx->mbufs_spare, counted);
	box_close(&b);
}

static const struct unit_case cases[] = {
    {"nothing to do: no deadline", test_no_deadline},
    {"what is to be sent is due now", test_work_is_due},
    {"a life by deadlines is the life by ms", test_deadlines},
    {"nothing happens before the deadline", test_not_early},
    {"a clock may begin anywhere", test_any_epoch},
    {"a clock that runs backwards", test_backwards},
    {"poll sends what was not flushed", test_poll_flushes},
    {"timers wait for one turn", test_timers_wait},
    {"two stacks in one thread", test_two_stacks},
    {"mbufs that have come back", test_spare_mbufs},
};

int main(void)
{
	return box_program("poll", cases, RTE_DIM(cases));
}
