/* SPDX-License-Identifier: BSD-2-Clause */
/* The receive side: any segments of a stream, in any order and cut in any way, give the stream. */

#include "tcp/rcvbuf.h"

#include <stdlib.h>

#include <rte_mbuf.h>

#include "../unit.h"
#include "base/seq.h"
#include "fixture.h"

static struct tcb tcb;
static struct tcp_queues q;
static struct rcvbuf_range dup;

static void begin(uint32_t seq)
{
	tcb = (struct tcb){.rcv_nxt = seq};
	q = (struct tcp_queues){0};
	prepare();
}

static void end(void)
{
	struct pktq early = {.head = q.ooo, .tail = q.ooo};

	pktq_free(&q.rcv);
	pktq_free(&early);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(net.pool), 0);
}

static unsigned segs_of(const struct rte_mbuf *m)
{
	unsigned n = 0;

	for (; m != NULL; m = m->next)
		n++;
	return n;
}

/* whether a packet is whole and holds len bytes of the stream from seq on */
static bool holds(struct rte_mbuf *m, uint32_t seq, uint32_t len)
{
	static uint8_t bytes[65536];
	const void *p = rte_pktmbuf_read(m, 0, len, bytes);
	uint32_t sum = 0;

	for (const struct rte_mbuf *s = m; s != NULL; s = s->next)
		sum += s->data_len;
	return m->pkt_len == len && sum == len && segs_of(m) == m->nb_segs && p != NULL &&
	       is_payload(p, seq, len);
}

static void test_trim_front(void)
{
	begin(0);
	for (uint32_t part = 1; part < 40; part += 6) {
		for (uint32_t n = 0; n <= 100; n++) {
			struct rte_mbuf *m = payload_mbuf(5, 100, part);

			pkt_of(m)->rx.seq = 77;
			m = mbuf_trim_front(m, n);
			CU_ASSERT(holds(m, 5 + n, 100 - n));
			CU_ASSERT_EQUAL(pkt_of(m)->rx.seq, 77);
			rte_pktmbuf_free(m);
		}
	}
	end();
}

static void test_trim_back(void)
{
	begin(0);
	for (uint32_t part = 1; part < 40; part += 6) {
		for (uint32_t n = 0; n < 100; n++) {
			struct rte_mbuf *m = payload_mbuf(5, 100, part);

			mbuf_trim_back(m, n);
			CU_ASSERT(holds(m, 5, 100 - n));
			rte_pktmbuf_free(m);
		}
	}
	end();
}

static int insert(uint32_t seq, uint32_t len)
{
	struct rte_mbuf *m = payload_mbuf(seq, len, 0);
	int verdict = rcvbuf_insert(&q, m, 0, seq, &dup);

	if (verdict != VERDICT_DONE)
		rte_pktmbuf_free(m);
	return verdict;
}

/* the early packets as start, end, start, end, ... */
static bool early_are(const uint32_t *edges, unsigned n)
{
	struct rte_mbuf *m = q.ooo;
	unsigned i = 0;

	for (; m != NULL && i + 1 < n; m = pkt_of(m)->next, i += 2)
		if (!holds(m, edges[i], edges[i + 1] - edges[i]) || pkt_of(m)->rx.seq != edges[i] ||
		    pkt_of(m)->rx.len != m->pkt_len)
			return false;
	return m == NULL && i == n && q.ooo_segs == n / 2;
}

#define EARLY(...)                                 \
	early_are((const uint32_t[]){__VA_ARGS__}, \
	          sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void test_insert(void)
{
	begin(0);
	CU_ASSERT_EQUAL(insert(100, 50), VERDICT_DONE);
	CU_ASSERT_EQUAL(insert(300, 50), VERDICT_DONE);
	CU_ASSERT_EQUAL(insert(200, 50), VERDICT_DONE);
	CU_ASSERT(EARLY(100, 150, 200, 250, 300, 350));
	CU_ASSERT_EQUAL(insert(100, 50), PC_DROP_TCP_DUPLICATE);
	CU_ASSERT_EQUAL(insert(110, 10), PC_DROP_TCP_DUPLICATE);
	CU_ASSERT_EQUAL(insert(140, 20), VERDICT_DONE); /* its front is there */
	CU_ASSERT(EARLY(100, 160, 200, 250, 300, 350));
	CU_ASSERT_EQUAL(insert(190, 20), VERDICT_DONE); /* its back is there */
	CU_ASSERT(EARLY(100, 160, 190, 200, 200, 250, 300, 350));
	CU_ASSERT_EQUAL(insert(240, 200), VERDICT_DONE); /* covers one, joins another */
	CU_ASSERT(EARLY(100, 160, 190, 200, 200, 440));
	CU_ASSERT_EQUAL(insert(90, 400), VERDICT_DONE); /* covers all */
	CU_ASSERT(EARLY(90, 490));
	end();
}

/* covered by two neighbours together, though by neither alone */
static void test_covered_by_two(void)
{
	begin(0);
	CU_ASSERT_EQUAL(insert(100, 300), VERDICT_DONE);
	CU_ASSERT_EQUAL(insert(400, 300), VERDICT_DONE);
	CU_ASSERT_EQUAL(insert(200, 400), PC_DROP_TCP_DUPLICATE);
	CU_ASSERT_EQUAL(insert(200, 500), PC_DROP_TCP_DUPLICATE);
	CU_ASSERT(EARLY(100, 400, 400, 700));
	CU_ASSERT_EQUAL(insert(200, 600), VERDICT_DONE);
	CU_ASSERT(EARLY(100, 400, 400, 800));
	end();
}

/* full segments that follow upon each other are few packets, whole ones when the gap is filled */
static void test_run(void)
{
	begin(0);
	for (uint32_t i = 1; i <= 40; i++)
		CU_ASSERT_EQUAL(insert(i * 600, 600), VERDICT_DONE);
	CU_ASSERT(EARLY(600, 10200, 10200, 19800, 19800, 24600));
	CU_ASSERT_EQUAL(insert(9000, 1200), PC_DROP_TCP_DUPLICATE);
	CU_ASSERT_EQUAL(insert(24000, 1200), VERDICT_DONE);
	rcvbuf_push(&tcb, &q, payload_mbuf(0, 600, 0));
	CU_ASSERT_EQUAL(rcvbuf_again(&tcb, &q).end, 0);
	rcvbuf_join(&tcb, &q);
	CU_ASSERT_EQUAL(tcb.rcv_nxt, 25200);
	CU_ASSERT_EQUAL(q.ooo_segs, 0);
	end();
}

/* what fills a gap covers what came early: the first range of that, over several packets */
static void test_again(void)
{
	begin(0);
	insert(100, 300);
	insert(400, 300);
	insert(800, 300);
	rcvbuf_push(&tcb, &q, payload_mbuf(0, 500, 0));
	CU_ASSERT_EQUAL(rcvbuf_again(&tcb, &q).start, 100);
	CU_ASSERT_EQUAL(rcvbuf_again(&tcb, &q).end, 500);
	rcvbuf_push(&tcb, &q, payload_mbuf(500, 500, 0));
	CU_ASSERT_EQUAL(rcvbuf_again(&tcb, &q).end, 700);
	rcvbuf_join(&tcb, &q);
	CU_ASSERT_EQUAL(tcb.rcv_nxt, 1100);
	end();
}

/* what is refused is untouched: the caller counts and frees the mbuf that it knows */
static void test_refused_is_whole(void)
{
	struct rte_mbuf *m;

	begin(0);
	insert(100, 50);
	insert(150, 50);
	m = payload_mbuf(80, 100, 20);
	CU_ASSERT_EQUAL(rcvbuf_insert(&q, m, 20, 100, &dup), PC_DROP_TCP_DUPLICATE);
	CU_ASSERT(holds(m, 80, 100));
	rte_pktmbuf_free(m);
	end();
}

static void test_offset(void)
{
	begin(0);
	CU_ASSERT_EQUAL(rcvbuf_insert(&q, payload_mbuf(60, 90, 40), 40, 100, &dup), VERDICT_DONE);
	CU_ASSERT(EARLY(100, 150));
	end();
}

static void test_limit(void)
{
	begin(0);
	for (uint32_t i = 0; i < RCVBUF_OOO_MAX; i++)
		CU_ASSERT_EQUAL(insert(10 + 2 * i, 1), VERDICT_DONE);
	CU_ASSERT_EQUAL(insert(5, 1), PC_DROP_TCP_OOO_FULL);
	CU_ASSERT_EQUAL(q.ooo_segs, RCVBUF_OOO_MAX);
	end();
}

static void test_coalesce(void)
{
	uint32_t seq = 10;
	unsigned n = 0;

	begin(10);
	for (int i = 0; i < 1500; i++, seq++)
		rcvbuf_push(&tcb, &q, payload_mbuf(seq, 1, 0));
	CU_ASSERT_EQUAL(tcb.rcv_bytes, 1500);
	CU_ASSERT_EQUAL(tcb.rcv_nxt, 1510);
	for (struct rte_mbuf *m = q.rcv.head; m != NULL; m = pkt_of(m)->next)
		n++;
	CU_ASSERT_EQUAL(n, 1);
	CU_ASSERT(holds(q.rcv.head, 10, 1500));
	CU_ASSERT_EQUAL(pkt_of(q.rcv.head)->rx.len, 1500);
	end();
}

/* a peer with much unread takes no mbuf for each of its segments, however it cuts them */
static void test_coalesce_backlog(void)
{
	uint32_t seq = 0;
	unsigned n = 0;

	begin(0);
	for (int i = 0; i < 400; i++, seq += 300)
		rcvbuf_push(&tcb, &q, payload_mbuf(seq, 300, 0));
	CU_ASSERT_EQUAL(tcb.rcv_bytes, 120000);
	seq = 0;
	for (struct rte_mbuf *m = q.rcv.head; m != NULL; m = pkt_of(m)->next, n++) {
		CU_ASSERT(holds(m, seq, m->pkt_len));
		seq += m->pkt_len;
	}
	CU_ASSERT_EQUAL(seq, 120000);
	CU_ASSERT(n <= 32768 / 300 + 1 + (120000 - 32768) / 1500 + 1);
	end();
}

/* the last mbuf is left alone while somebody else holds it too, and when it is a chain */
static void test_no_coalesce(void)
{
	struct rte_mbuf *m;

	begin(0);
	m = payload_mbuf(0, 10, 0);
	rcvbuf_push(&tcb, &q, m);
	rte_mbuf_refcnt_set(m, 2);
	rcvbuf_push(&tcb, &q, payload_mbuf(10, 10, 0));
	CU_ASSERT_PTR_NOT_EQUAL(q.rcv.head, q.rcv.tail);
	rte_mbuf_refcnt_set(m, 1);
	rcvbuf_push(&tcb, &q, payload_mbuf(20, 300, 100));
	m = q.rcv.tail;
	rcvbuf_push(&tcb, &q, payload_mbuf(320, 10, 0));
	CU_ASSERT_PTR_NOT_EQUAL(m, q.rcv.tail);
	rcvbuf_push(&tcb, &q, payload_mbuf(330, 257, 0)); /* too long to be worth copying */
	CU_ASSERT_EQUAL(pkt_of(q.rcv.tail)->rx.len, 257);
	end();
}

static bool sack_is(uint8_t has, const uint32_t *edges, unsigned n)
{
	struct tcp_seg s = {.has = has};

	rcvbuf_sack(&q, &s);
	if (s.nb_sack != n / 2 || !!(s.has & TCP_HAS_SACK) != (n > 0))
		return false;
	for (unsigned i = 0; i < n; i += 2)
		if (s.sack[i / 2].start != edges[i] || s.sack[i / 2].end != edges[i + 1])
			return false;
	return true;
}

#define SACK(has, ...)                                \
	sack_is(has, (const uint32_t[]){__VA_ARGS__}, \
	        sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* RFC 2018 section 4: the most recent first, then those told most recently */
static void test_sack(void)
{
	begin(0);
	CU_ASSERT(sack_is(0, NULL, 0));
	insert(100, 50);
	CU_ASSERT(SACK(0, 100, 150));
	insert(300, 50);
	CU_ASSERT(SACK(0, 300, 350, 100, 150));
	insert(200, 50);
	CU_ASSERT(SACK(0, 200, 250, 300, 350, 100, 150));
	insert(150, 10); /* lengthens the first block, which is the newest now */
	CU_ASSERT(SACK(0, 100, 160, 200, 250, 300, 350));
	insert(500, 10);
	insert(600, 10);
	CU_ASSERT(SACK(0, 600, 610, 500, 510, 100, 160, 200, 250));
	CU_ASSERT(SACK(TCP_HAS_TS, 600, 610, 500, 510, 100, 160));
	insert(250, 50); /* joins two */
	CU_ASSERT(SACK(0, 200, 350, 600, 610, 500, 510, 100, 160));
	end();
}

/* ---- against a model ------------------------------------------------------------------------- */

#define STREAM 60000

static uint8_t seen[STREAM];
static uint32_t first;

static void mark(uint32_t seq, uint32_t len)
{
	memset(seen + (seq - first), 1, len);
}

static bool has_all(uint32_t seq, uint32_t len)
{
	return memchr(seen + (seq - first), 0, len) == NULL;
}

/* as tcp_input does it; a packet may have headers in front */
static int arrive(uint32_t seq, uint32_t len, uint32_t part)
{
	const uint32_t off = part % 3 * 18;
	struct rte_mbuf *m = payload_mbuf(seq - off, len + off, part);
	uint32_t late = tcb.rcv_nxt - seq;
	int verdict = VERDICT_DONE;

	if (seq_gt(seq, tcb.rcv_nxt)) {
		verdict = rcvbuf_insert(&q, m, off, seq, &dup);
	} else if (late >= len) {
		verdict = PC_DROP_TCP_DUPLICATE;
	} else {
		rcvbuf_push(&tcb, &q, mbuf_trim_front(m, off + late));
		rcvbuf_join(&tcb, &q);
	}
	if (verdict != VERDICT_DONE)
		rte_pktmbuf_free(m);
	return verdict;
}

static bool early_matches(void)
{
	uint32_t at = tcb.rcv_nxt, n = 0;

	for (struct rte_mbuf *m = q.ooo; m != NULL; m = pkt_of(m)->next, n++) {
		const uint32_t seq = pkt_of(m)->rx.seq, len = pkt_of(m)->rx.len;

		if (len == 0 || seq_lt(seq, at) || !holds(m, seq, len) || !has_all(seq, len))
			return false;
		if (memchr(seen + (at - first), 1, seq - at) != NULL)
			return false;
		at = seq + len;
	}
	return n == q.ooo_segs && memchr(seen + (at - first), 1, STREAM - (at - first)) == NULL;
}

static bool stream_is_whole(void)
{
	uint32_t at = first;

	for (struct rte_mbuf *m = q.rcv.head; m != NULL; m = pkt_of(m)->next) {
		if (!holds(m, at, pkt_of(m)->rx.len))
			return false;
		at += pkt_of(m)->rx.len;
	}
	return at - first == STREAM;
}

static void run_random(unsigned seed)
{
	bool ok = true;
	int n = 0;

	first = seed * 0x1234567u - 20000; /* somewhere, also across the wrap */
	begin(first);
	memset(seen, 0, sizeof(seen));
	for (; tcb.rcv_nxt - first < STREAM && n < 20000; n++) {
		uint32_t done = tcb.rcv_nxt - first;
		uint32_t from =
		    rand_r(&seed) % 8 == 0 ? done : done + (uint32_t)rand_r(&seed) % 9000;
		uint32_t len = 1 + (uint32_t)rand_r(&seed) % (rand_r(&seed) % 2 ? 100 : 3000);
		uint32_t part = rand_r(&seed) % 2 ? 0 : 36 + (uint32_t)rand_r(&seed) % 900;
		bool news;
		int verdict;

		from = from > 500 && rand_r(&seed) % 10 == 0 ? from - 500 : from;
		from = RTE_MIN(from, STREAM - 1u);
		len = RTE_MIN(len, STREAM - from);
		news = !has_all(first + from, len);
		verdict = arrive(first + from, len, part);
		mark(first + from, len);
		ok &= verdict == (news ? VERDICT_DONE : PC_DROP_TCP_DUPLICATE);
		ok &= early_matches();
		if (!ok)
			break;
	}
	CU_ASSERT(ok);
	CU_ASSERT_EQUAL(tcb.rcv_bytes, STREAM);
	CU_ASSERT_PTR_NULL(q.ooo);
	CU_ASSERT(stream_is_whole());
	end();
}

static void test_random(void)
{
	for (unsigned seed = 1; seed <= 40; seed++)
		run_random(seed);
}

static const struct unit_case cases[] = {
    {"trim in front, chains of any cut", test_trim_front},
    {"trim behind, chains of any cut", test_trim_back},
    {"early packets are sorted, overlaps trimmed", test_insert},
    {"a packet that two others cover is a duplicate", test_covered_by_two},
    {"full segments behind a gap", test_run},
    {"RFC 2883 4: what came early comes again", test_again},
    {"a packet that is refused stays whole", test_refused_is_whole},
    {"payload behind headers", test_offset},
    {"early packets are limited", test_limit},
    {"tiny segments share an mbuf", test_coalesce},
    {"and those of a long backlog", test_coalesce_backlog},
    {"but not one that others hold", test_no_coalesce},
    {"SACK blocks by recency", test_sack},
    {"random segments against a model", test_random},
};

TCP_UNIT_MAIN("rcvbuf")
