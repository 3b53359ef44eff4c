/* SPDX-License-Identifier: BSD-2-Clause */
/* The send queue against a model of its bytes, whatever is done to its segments. */

#include "tcp/sndbuf.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include <rte_mbuf.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "fixture.h"
#include "wire/cksum.h"

#define MAX_MSS 1400

static struct tcp_queues q;
static uint32_t una, nxt, end; /* of the model: the queue holds [una,end), [una,nxt) was sent */

static void begin(uint32_t seq)
{
	q = (struct tcp_queues){0};
	una = nxt = end = seq;
	prepare();
}

static void done(void)
{
	pktq_free(&q.snd);
	ctx_free_done(&net.ctx);
	CU_ASSERT_EQUAL(eal_in_use(net.pool), 0);
}

static void read_at(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint8_t *to)
{
	const void *p = rte_pktmbuf_read(m, off, len, to);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	if (p != to)
		memcpy(to, p, len);
}

static bool is_segment(struct rte_mbuf *m, uint32_t seq)
{
	static uint8_t bytes[65536];
	const struct pkt *note = pkt_of(m);

	rte_mbuf_sanity_check(m, 1);
	if (note->tx.seq != seq || note->tx.len == 0 || m->pkt_len < note->tx.len)
		return false;
	read_at(m, m->pkt_len - note->tx.len, note->tx.len, bytes);
	if ((note->tx.flags & SEG_SUMMED) &&
	    note->tx.cookie != cksum_fold_be(cksum_add(0, bytes, note->tx.len)))
		return false;
	return is_payload(bytes, seq, note->tx.len);
}

/* whether the queue is what the model says, from the first byte to the last */
static bool matches(void)
{
	struct rte_mbuf *last = NULL;
	uint32_t seq = una;

	for (struct rte_mbuf *m = q.snd.head; m != NULL; m = pkt_of(m)->next) {
		if (!is_segment(m, seq))
			return false;
		if ((m == q.snd_next) != (seq == nxt && nxt != end))
			return false;
		seq += pkt_of(m)->tx.len;
		last = m;
	}
	return seq == end && (q.snd.head == NULL || q.snd.tail == last);
}

static uint32_t append(uint32_t len, uint32_t max, uint16_t mss, unsigned parts)
{
	uint8_t *bytes = malloc(len + 1);
	struct iovec iov[4];
	uint32_t n, at = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	payload(bytes, end, len);
	for (unsigned i = 0; i < parts; i++) {
		const uint32_t part = i + 1 == parts ? len - at : len / parts;

		iov[i] = (struct iovec){.iov_base = bytes + at, .iov_len = part};
		at += part;
	}
	n = sndbuf_append(&net.ctx, &q, end, iov, (int)parts, max, mss, true);
	free(bytes);
	end += n;
	return n;
}

static void test_append(void)
{
	begin(100);
	CU_ASSERT_EQUAL(append(10, 10, 1000, 1), 10);
	CU_ASSERT_PTR_EQUAL(q.snd.head, q.snd.tail);
	CU_ASSERT_EQUAL(append(990, 990, 1000, 3), 990); /* into the same segment */
	CU_ASSERT_PTR_EQUAL(q.snd.head, q.snd.tail);
	CU_ASSERT_EQUAL(append(1, 1, 1000, 1), 1);
	CU_ASSERT_PTR_EQUAL(pkt_of(q.snd.head)->next, q.snd.tail);
	CU_ASSERT_EQUAL(append(5000, 2500, 1000, 2), 2500); /* no more than max */
	CU_ASSERT_EQUAL(end - una, 3501);
	CU_ASSERT(matches());
	CU_ASSERT_EQUAL(pkt_of(q.snd.tail)->tx.len, 501);
	CU_ASSERT(pkt_of(q.snd.tail)->tx.flags & SEG_PUSH);
	CU_ASSERT(pkt_of(q.snd.head)->tx.flags & SEG_INLINE);
	done();
}

static void test_append_nothing(void)
{
	begin(0);
	CU_ASSERT_EQUAL(append(0, 0, 1000, 1), 0);
	CU_ASSERT_EQUAL(append(100, 0, 1000, 1), 0);
	CU_ASSERT_PTR_NULL(q.snd.head);
	done();
}

static void append_mbuf(uint32_t len, uint32_t part, uint16_t mss)
{
	struct rte_mbuf *m = payload_mbuf(end, len, part);

	CU_ASSERT_EQUAL_FATAL(sndbuf_append_mbuf(&net.ctx, &q, end, m, mss), 0);
	end += len;
}

static void test_append_mbuf(void)
{
	begin(50);
	append_mbuf(1000, 0, 1000); /* as it is */
	CU_ASSERT(pkt_of(q.snd.tail)->tx.flags & SEG_INLINE);
	append_mbuf(1000, 100, 1000); /* a chain */
	CU_ASSERT_FALSE(pkt_of(q.snd.tail)->tx.flags & SEG_INLINE);
	append_mbuf(1001, 0, 1000); /* cut in two */
	CU_ASSERT_EQUAL(pkt_of(q.snd.tail)->tx.len, 1);
	append_mbuf(10000, 333, 1000);
	CU_ASSERT(pkt_of(q.snd.tail)->tx.flags & SEG_PUSH);
	CU_ASSERT(matches());
	CU_ASSERT_EQUAL(append(10, 10, 1000, 1), 10); /* not into the chain of somebody else */
	CU_ASSERT_EQUAL(pkt_of(q.snd.tail)->tx.len, 10);
	CU_ASSERT(matches());
	done();
}

/* what others hold too, or has no room for headers, is sent by reference */
static void test_append_shared(void)
{
	struct rte_mbuf *m;

	begin(0);
	m = payload_mbuf(0, 500, 0);
	rte_mbuf_refcnt_set(m, 2);
	CU_ASSERT_EQUAL(sndbuf_append_mbuf(&net.ctx, &q, 0, m, 1000), 0);
	CU_ASSERT_FALSE(pkt_of(m)->tx.flags & SEG_INLINE);
	m = rte_pktmbuf_alloc(net.pool);
	m->data_off = SNDBUF_HEADROOM - 1;
	payload(rte_pktmbuf_append(m, 300), 500, 300);
	CU_ASSERT_EQUAL(sndbuf_append_mbuf(&net.ctx, &q, 500, m, 1000), 0);
	CU_ASSERT_FALSE(pkt_of(m)->tx.flags & SEG_INLINE);
	end = 800;
	CU_ASSERT(matches());
	rte_pktmbuf_free(q.snd.head); /* the other holder */
	done();
}

static struct rte_mempool *tiny_pool(unsigned n)
{
	struct rte_mempool *pool =
	    rte_pktmbuf_pool_create("tiny", n, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	return pool;
}

/* mbufs run out half-way: a copy says how far it came, a chain stays the caller's */
static void test_no_mbufs(void)
{
	struct rte_mempool *pool = tiny_pool(7);
	struct rte_mbuf *m;

	begin(0);
	net.ctx.pool = pool;
	CU_ASSERT_EQUAL(append(10000, 10000, 1000, 1), 7000);
	CU_ASSERT(matches());
	CU_ASSERT_EQUAL(count(PC_TX_NO_MBUF), 1);
	m = payload_mbuf(end, 2500, 0);
	CU_ASSERT_EQUAL(sndbuf_append_mbuf(&net.ctx, &q, end, m, 1000), -ENOBUFS);
	CU_ASSERT(matches());
	rte_pktmbuf_free(m);
	CU_ASSERT_PTR_NULL(sndbuf_split(&net.ctx, &q.snd, NULL, q.snd.head, 5));
	CU_ASSERT_PTR_NULL(sndbuf_wrap(&net.ctx, q.snd.head, 0, 10));
	CU_ASSERT(matches());
	pktq_free(&q.snd);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
	rte_mempool_free(pool);
	q = (struct tcp_queues){0};
	done();
}

/* the first mbuf of a packet is there, one of its references is not */
static void test_wrap_no_mbufs(void)
{
	struct rte_mempool *pool = tiny_pool(3);
	struct rte_mbuf *m;

	begin(0);
	m = payload_mbuf(0, 1000, 100);
	net.ctx.pool = pool;
	CU_ASSERT_PTR_NULL(sndbuf_wrap(&net.ctx, m, 0, 1000));
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
	rte_pktmbuf_free(m);
	rte_mempool_free(pool);
	done();
}

static void test_wrap(void)
{
	static uint8_t bytes[3000];

	begin(0);
	for (uint32_t part = 1; part < 2000; part = part * 3 + 7) {
		struct rte_mbuf *m = payload_mbuf(9, 600, part), *w;

		for (uint32_t off = 0; off < 600; off += 37) {
			for (uint32_t len = 1; off + len <= 600; len += 101) {
				w = sndbuf_wrap(&net.ctx, m, off, len);
				CU_ASSERT_PTR_NOT_NULL_FATAL(w);
				rte_mbuf_sanity_check(w, 1);
				CU_ASSERT_EQUAL(w->pkt_len, len);
				CU_ASSERT_EQUAL(w->data_len, 0);
				CU_ASSERT(rte_pktmbuf_headroom(w) >= SNDBUF_HEADROOM);
				read_at(w, 0, len, bytes);
				CU_ASSERT(is_payload(bytes, 9 + off, len));
				rte_pktmbuf_free(w);
			}
		}
		CU_ASSERT_EQUAL(m->pkt_len, 600);
		rte_pktmbuf_free(m);
	}
	done();
}

static void test_split(void)
{
	struct rte_mbuf *f;

	begin(0);
	append(3000, 3000, 1000, 1);
	q.snd_next = NULL; /* all sent */
	nxt = end;
	pkt_of(pkt_of(q.snd.head)->next)->tx.sends = 3;
	f = sndbuf_split(&net.ctx, &q.snd, NULL, pkt_of(q.snd.head)->next, 400);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(pkt_of(f)->tx.sends, 3);
	CU_ASSERT_EQUAL(pkt_of(f)->tx.len, 400);
	CU_ASSERT(matches());
	f = sndbuf_split(&net.ctx, &q.snd, NULL, q.snd.tail, 999);
	CU_ASSERT_FALSE(pkt_of(f)->tx.flags & SEG_PUSH); /* the rest keeps it */
	CU_ASSERT(pkt_of(q.snd.tail)->tx.flags & SEG_PUSH);
	CU_ASSERT(matches());
	done();
}

/* what is split is not what is kept for acknowledgements */
static void test_split_low(void)
{
	begin(0);
	append(3000, 3000, 1000, 1);
	net.ctx.mbufs_spare = 1;
	net.ctx.mbufs_last = 2;
	CU_ASSERT_PTR_NOT_NULL(sndbuf_split(&net.ctx, &q.snd, NULL, q.snd.tail, 10));
	CU_ASSERT_EQUAL(net.ctx.mbufs_spare, 0);
	CU_ASSERT_PTR_NULL(sndbuf_split(&net.ctx, &q.snd, NULL, q.snd.tail, 10));
	CU_ASSERT(net.ctx.mbufs_low);
	for (uint32_t len = 20; len > 0; len -= 10) {
		q.snd_next = sndbuf_split(&net.ctx, &q.snd, NULL, q.snd.head, len);
		CU_ASSERT_PTR_NOT_NULL_FATAL(q.snd_next);
	}
	CU_ASSERT_EQUAL(net.ctx.mbufs_last, 0);
	CU_ASSERT_PTR_NULL(sndbuf_split(&net.ctx, &q.snd, NULL, q.snd.head, 5));
	CU_ASSERT(matches());
	done();
}

static void test_unsplit(void)
{
	begin(0);
	append(500, 500, 1000, 1);
	q.snd_next = sndbuf_split(&net.ctx, &q.snd, NULL, q.snd.head, 1);
	CU_ASSERT(matches());
	CU_ASSERT(sndbuf_unsplit(&q.snd));
	q.snd_next = q.snd.head;
	CU_ASSERT(matches());
	CU_ASSERT_EQUAL(pkt_of(q.snd.head)->tx.len, 500);
	CU_ASSERT_FALSE(sndbuf_unsplit(&q.snd)); /* nothing after it */
	append(1000, 1000, 500, 1);
	CU_ASSERT_FALSE(sndbuf_unsplit(&q.snd)); /* the next was never one with it */
	CU_ASSERT(matches());
	done();
}

static void test_merge(void)
{
	begin(0);
	for (int i = 0; i < 5; i++)
		append_mbuf(300, 0, 1000);
	sndbuf_merge(&q.snd, q.snd.head, 1000);
	CU_ASSERT_EQUAL(pkt_of(q.snd.head)->tx.len, 1000);
	CU_ASSERT(matches());
	sndbuf_merge(&q.snd, pkt_of(q.snd.head)->next, 1000);
	CU_ASSERT_EQUAL(pkt_of(q.snd.tail)->tx.len, 500);
	CU_ASSERT_PTR_EQUAL(pkt_of(q.snd.head)->next, q.snd.tail);
	CU_ASSERT(matches());
	append_mbuf(300, 30, 1000); /* a chain is not merged */
	sndbuf_merge(&q.snd, pkt_of(q.snd.head)->next, 1000);
	CU_ASSERT_EQUAL(pkt_of(q.snd.tail)->tx.len, 300);
	CU_ASSERT(matches());
	done();
}

/* ---- against a model ------------------------------------------------------------------------- */

/* what stands in front of the payload after a transmission: headers */
static void send_one(unsigned *seed)
{
	struct rte_mbuf *m = q.snd_next;

	if (m == NULL)
		return;
	if (rand_r(seed) % 2)
		sndbuf_merge(&q.snd, m, MAX_MSS);
	if (pkt_of(m)->tx.len > 1 && rand_r(seed) % 4 == 0) {
		m = sndbuf_split(&net.ctx, &q.snd, NULL, m,
		                 1 + (uint32_t)rand_r(seed) % (pkt_of(m)->tx.len - 1u));
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		q.snd_next = m;
	}
	if (pkt_of(m)->tx.flags & SEG_INLINE) {
		const uint32_t off = m->pkt_len - pkt_of(m)->tx.len;

		if (off > 0)
			rte_pktmbuf_adj(m, (uint16_t)off);
		memset(rte_pktmbuf_prepend(m, 54), 0xee, 54);
	}
	pkt_of(m)->tx.sends = 1;
	nxt += pkt_of(m)->tx.len;
	q.snd_next = pkt_of(m)->next;
}

static void acknowledge(uint32_t n)
{
	una += n;
	while (n > 0) {
		struct pkt *note = pkt_of(q.snd.head);
		const uint32_t part = RTE_MIN(n, (uint32_t)note->tx.len);

		n -= part;
		note->tx.seq += part;
		note->tx.len = (uint16_t)(note->tx.len - part);
		note->tx.flags &= (uint8_t)~SEG_SUMMED;
		if (note->tx.len == 0)
			rte_pktmbuf_free(pktq_pop(&q.snd));
	}
}

static void split_sent(unsigned *seed)
{
	struct rte_mbuf *m = q.snd.head;
	int skip = rand_r(seed) % 5;

	for (; m != NULL && skip > 0; skip--)
		m = pkt_of(m)->next;
	if (m != NULL && m != q.snd_next && pkt_of(m)->tx.len > 1)
		sndbuf_split(&net.ctx, &q.snd, NULL, m,
		             1 + (uint32_t)rand_r(seed) % (pkt_of(m)->tx.len - 1u));
}

static void probe_window(void)
{
	struct rte_mbuf *m = q.snd_next;

	if (m == NULL || m != q.snd.head || pkt_of(m)->tx.len == 1)
		return;
	q.snd_next = sndbuf_split(&net.ctx, &q.snd, NULL, m, 1);
	CU_ASSERT(matches());
	if (sndbuf_unsplit(&q.snd))
		q.snd_next = q.snd.head;
}

static void step(unsigned *seed)
{
	const uint32_t len = 1 + (uint32_t)rand_r(seed) % 3000;

	switch (rand_r(seed) % 8) {
	case 0:
	case 1:
		if (end - una < 60000)
			append(len, len, (uint16_t)(1000 + rand_r(seed) % 400), 1 + len % 4);
		break;
	case 2:
		if (end - una < 60000)
			append_mbuf(len, rand_r(seed) % 2 ? 0 : 50 + len % 700, MAX_MSS);
		break;
	case 3:
	case 4:
	case 5:
		send_one(seed);
		break;
	case 6:
		if (nxt != una)
			acknowledge(1 + (uint32_t)rand_r(seed) % (nxt - una));
		break;
	default:
		if (rand_r(seed) % 2)
			split_sent(seed);
		else
			probe_window();
	}
}

static void test_random(void)
{
	for (unsigned seed = 1; seed <= 20; seed++) {
		unsigned state = seed;
		bool ok = true;

		begin(seed * 0x7654321u);
		for (int i = 0; ok && i < 3000; i++) {
			step(&state);
			ok = matches();
		}
		CU_ASSERT(ok);
		acknowledge(nxt - una);
		CU_ASSERT(matches());
		done();
	}
}

static const struct unit_case cases[] = {
    {"append fills segments", test_append},
    {"append of nothing", test_append_nothing},
    {"append of mbufs and chains", test_append_mbuf},
    {"append of what others hold", test_append_shared},
    {"mbufs run out", test_no_mbufs},
    {"mbufs run out in a chain of references", test_wrap_no_mbufs},
    {"wrap any part of any chain", test_wrap},
    {"split keeps the history", test_split},
    {"split while mbufs are low", test_split_low},
    {"unsplit undoes it", test_unsplit},
    {"merge of small segments", test_merge},
    {"random steps against a model", test_random},
};

TCP_UNIT_MAIN("sndbuf")
