/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/txq.h"

#include "common.h"

/* A port that takes as many frames as it is told to, and notes their numbers. */
struct stub {
	struct pc_port port;
	uint16_t room;
	uint32_t calls, n;
	uint32_t seen[2048];
};

static uint16_t stub_tx(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct stub *s = (struct stub *)port;
	uint16_t i;

	(void)now_ns;
	s->calls++;
	for (i = 0; i < n && s->room > 0; i++, s->room--) {
		s->seen[s->n++] = frame_number(pkts[i]);
		rte_pktmbuf_free(pkts[i]);
	}
	return i;
}

static const struct pc_port_ops stub_ops = {.tx_burst = stub_tx};
static struct rte_mempool *pool;
static struct stub stub;
static struct ctx ctx;
static struct txq q;

static void begin(uint16_t room)
{
	memset(&stub, 0, sizeof(stub));
	memset(&ctx, 0, sizeof(ctx));
	memset(&q, 0, sizeof(q));
	stub.port.ops = &stub_ops;
	stub.room = room;
	q.port = &stub.port;
}

static void put(uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		txq_put(&q, &ctx, make_frame(pool, first + i, 60));
}

static void frames_wait_for_the_flush(void)
{
	begin(1000);
	put(0, 3);
	CU_ASSERT_EQUAL(stub.calls, 0);
	txq_flush(&q, &ctx);
	CU_ASSERT_EQUAL(stub.n, 3);
	CU_ASSERT_EQUAL(q.n, 0);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_TX_FRAMES], 3);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_TX_BYTES], 180);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static void a_full_burst_goes_at_once(void)
{
	begin(1000);
	put(0, TXQ_BURST);
	CU_ASSERT_EQUAL(stub.n, TXQ_BURST);
	CU_ASSERT_EQUAL(stub.calls, 1);
}

static void what_is_refused_stays_in_order(void)
{
	begin(2);
	put(0, 5);
	txq_flush(&q, &ctx);
	CU_ASSERT_EQUAL(q.n, 3);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_TX_FRAMES], 2);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_TX_BYTES], 120);
	stub.room = 1000;
	put(5, 2);
	txq_flush(&q, &ctx);
	CU_ASSERT_EQUAL(stub.n, 7);
	for (uint32_t i = 0; i < stub.n; i++)
		CU_ASSERT_EQUAL(stub.seen[i], i);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_TX_BYTES], 420);
}

static void a_full_queue_drops_the_newest_by_name(void)
{
	begin(0);
	put(0, TXQ_SIZE + 10);
	CU_ASSERT_EQUAL(q.n, TXQ_SIZE);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_TX_RING_FULL], 10);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_TX_FRAMES], 0);
	stub.room = 2000;
	txq_flush(&q, &ctx);
	CU_ASSERT_EQUAL(stub.n, TXQ_SIZE);
	for (uint32_t i = 0; i < stub.n; i++)
		CU_ASSERT_EQUAL(stub.seen[i], i);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static void a_port_that_refuses_is_not_asked_for_every_frame(void)
{
	begin(0);
	put(0, TXQ_SIZE);
	CU_ASSERT_EQUAL(stub.calls, TXQ_SIZE / TXQ_BURST);
	txq_free(&q);
}

/* the mbufs that are left are for what is received */
static void little_waits_in_the_last_mbufs(void)
{
	begin(2);
	ctx.mbufs_low = true;
	ctx.mbufs_last = 1;
	put(0, 5);
	txq_flush(&q, &ctx);
	CU_ASSERT_EQUAL(q.n, 3);
	ctx.mbufs_last = 0;
	ctx.now_ns += 5000000;
	txq_flush(&q, &ctx);
	CU_ASSERT_EQUAL(q.n, 3);
	ctx.now_ns += 5000000;
	txq_flush(&q, &ctx);
	CU_ASSERT_EQUAL(q.n, 0);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_TX_FRAMES], 2);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_TX_RING_FULL], 3);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static void free_gives_every_frame_back(void)
{
	begin(0);
	put(0, 100);
	txq_free(&q);
	CU_ASSERT_EQUAL(q.n, 0);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static const struct unit_case cases[] = {
    {"frames wait for the flush", frames_wait_for_the_flush},
    {"a full burst goes at once", a_full_burst_goes_at_once},
    {"what is refused stays, in order", what_is_refused_stays_in_order},
    {"a full queue drops the newest by name", a_full_queue_drops_the_newest_by_name},
    {"a port that refuses is not asked for every frame",
     a_port_that_refuses_is_not_asked_for_every_frame},
    {"little waits in the last mbufs", little_waits_in_the_last_mbufs},
    {"free gives every frame back", free_gives_every_frame_back},
};

int main(void)
{
	eal_start();
	pool = eal_pool("txq", 2047);
	return unit_run("port/txq", cases, sizeof(cases) / sizeof(cases[0]));
}
