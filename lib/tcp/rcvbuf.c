/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receive side.
 *
 * Packets in q->rcv hold exactly the bytes that the application has not read, rx.len of them at the
 * end of the packet.  Packets in q->ooo are sorted by sequence number, do not overlap, and lie
 * beyond RCV.NXT.  Adjacent segments are chained there, up to RUN_MBUFS: a whole window may follow
 * one hole, and the list, which is searched for every out-of-order segment and every SACK, must
 * stay short.
 */
#include "tcp/rcvbuf.h"

#include <string.h>

#include "base/seq.h"
#include "base/verdict.h"

/* Segments up to this size are copied into the free space of the mbuf before.  When much is unread,
 * larger ones are copied too: a reader that is behind can afford that, and a peer must not be able
 * to take up eight times the memory of what it sends by choosing the size of its segments. */
#define COALESCE_MAX     256
#define COALESCE_BACKLOG 1024
#define BACKLOG_BYTES    32768

#define RUN_MBUFS 16
#define RUN_MIN   536 /* bytes; smaller ones are not chained (CVE-2018-5390) */

struct rte_mbuf *mbuf_trim_front_chain(struct rte_mbuf *m, uint32_t n)
{
	uint32_t total = m->pkt_len - n;
	uint16_t segs = m->nb_segs;
	struct pkt note = *pkt_of(m);

	while (n >= m->data_len && m->next != NULL) {
		struct rte_mbuf *next = m->next;

		n -= m->data_len;
		rte_pktmbuf_free_seg(m);
		m = next;
		segs--;
	}
	m->data_off = (uint16_t)(m->data_off + n);
	m->data_len = (uint16_t)(m->data_len - n);
	m->pkt_len = total;
	m->nb_segs = segs;
	*pkt_of(m) = note;
	return m;
}

static inline bool coalesce(struct rte_mbuf *tail, struct rte_mbuf *m, uint32_t max)
{
	if (tail == NULL || m->pkt_len > max || m->nb_segs != 1 || tail->nb_segs != 1 ||
	    !RTE_MBUF_DIRECT(tail) || rte_mbuf_refcnt_read(tail) != 1 ||
	    rte_pktmbuf_tailroom(tail) < m->data_len)
		return false;
	memcpy(rte_pktmbuf_append(tail, m->data_len), rte_pktmbuf_mtod(m, char *), m->data_len);
	pkt_of(tail)->rx.len += m->data_len;
	rte_pktmbuf_free(m);
	return true;
}

static inline void push(struct tcb *t, struct tcp_queues *q, struct rte_mbuf *m)
{
	uint32_t len = m->pkt_len;

	t->rcv_nxt += len;
	t->rcv_bytes += len;
	if (len <= COALESCE_BACKLOG &&
	    coalesce(q->rcv.tail, m,
	             t->rcv_bytes > BACKLOG_BYTES ? COALESCE_BACKLOG : COALESCE_MAX))
		return;
	pkt_of(m)->rx.len = len;
	pktq_push(&q->rcv, m);
}

void rcvbuf_push(struct tcb *t, struct tcp_queues *q, struct rte_mbuf *m)
{
	push(t, q, m);
}

void rcvbuf_push_run(struct tcb *t, struct tcp_queues *q, struct rte_mbuf *m)
{
	struct rte_mbuf *next;

	for (; m != NULL; m = next) {
		next = m->next;
		m->next = NULL;
		m->nb_segs = 1;
		m->pkt_len = m->data_len;
		push(t, q, m);
	}
}

static uint32_t end_of(struct rte_mbuf *m)
{
	return pkt_of(m)->rx.seq + pkt_of(m)->rx.len;
}

void mbuf_trim_back(struct rte_mbuf *m, uint32_t n)
{
	uint32_t keep = m->pkt_len - n, total = keep;
	struct rte_mbuf *s = m;

	m->nb_segs = 1;
	for (; keep > s->data_len; s = s->next, m->nb_segs++)
		keep -= s->data_len;
	s->data_len = (uint16_t)keep;
	rte_pktmbuf_free(s->next);
	s->next = NULL;
	m->pkt_len = total;
}

/* records a duplicate range, unless there is one already */
static void note_again(struct rcvbuf_range *dup, uint32_t start, uint32_t end)
{
	if (dup->start == dup->end)
		*dup = (struct rcvbuf_range){start, end};
}

/* appends m, whose bytes follow those of to; returns whether it could */
static bool extend(struct rte_mbuf *to, struct rte_mbuf *m)
{
	uint32_t len = m->pkt_len;

	if (coalesce(to, m, COALESCE_MAX))
		return true;
	if (len < RUN_MIN || to->nb_segs + m->nb_segs > RUN_MBUFS || rte_pktmbuf_chain(to, m) != 0)
		return false;
	pkt_of(to)->rx.len += len;
	return true;
}

/* counts the runs that SACK blocks have to name: an arrival after the one before it belongs to the
 * same run */
static void note_run(struct tcp_queues *q, struct rte_mbuf *before, uint32_t seq)
{
	const bool goes_on =
	    before != NULL && end_of(before) == seq && pkt_of(before)->rx.cookie == q->ooo_serial;

	if ((q->ooo_runs == 0 || !goes_on) && q->ooo_runs < 7)
		q->ooo_runs++;
}

int rcvbuf_insert(struct tcp_queues *q, struct rte_mbuf *m, uint32_t off, uint32_t seq,
                  struct rcvbuf_range *dup)
{
	struct rte_mbuf **at = &q->ooo, *before = NULL;
	uint32_t end = seq + m->pkt_len - off, have = 0;

	*dup = (struct rcvbuf_range){0};
	if (q->ooo_segs >= RCVBUF_OOO_MAX)
		return PC_DROP_TCP_OOO_FULL;
	for (; *at != NULL && seq_leq(end_of(*at), seq); at = &pkt_of(*at)->next)
		before = *at;
	/* its front was received before, perhaps in several packets */
	for (; *at != NULL && seq_leq(pkt_of(*at)->rx.seq, seq + have); at = &pkt_of(*at)->next) {
		before = *at;
		have = end_of(*at) - seq;
		if (have < end - seq)
			continue;
		note_again(dup, seq, end);
		pkt_of(*at)->rx.cookie = ++q->ooo_serial; /* RFC 2883 4: report its block next */
		return PC_DROP_TCP_DUPLICATE;
	}
	note_again(dup, seq, seq + have);
	m = mbuf_trim_front(m, off + have);
	seq += have;
	while (*at != NULL && seq_leq(end_of(*at), end)) { /* m covers these */
		struct rte_mbuf *old = *at;

		note_again(dup, pkt_of(old)->rx.seq, end_of(old));
		*at = pkt_of(old)->next;
		rte_pktmbuf_free(old);
		q->ooo_segs--;
	}
	if (*at != NULL && seq_lt(pkt_of(*at)->rx.seq, end)) {
		note_again(dup, pkt_of(*at)->rx.seq, end);
		mbuf_trim_back(m, end - pkt_of(*at)->rx.seq);
	}
	note_run(q, before, seq);
	q->ooo_serial++;
	if (before != NULL && end_of(before) == seq && extend(before, m)) {
		pkt_of(before)->rx.cookie = q->ooo_serial;
		return VERDICT_DONE;
	}
	pkt_of(m)->rx.seq = seq;
	pkt_of(m)->rx.len = m->pkt_len;
	pkt_of(m)->rx.cookie = q->ooo_serial;
	pkt_of(m)->next = *at;
	*at = m;
	q->ooo_segs++;
	return VERDICT_DONE;
}

struct rcvbuf_range rcvbuf_again(const struct tcb *t, const struct tcp_queues *q)
{
	struct rcvbuf_range dup = {0};

	for (struct rte_mbuf *m = q->ooo; m != NULL; m = pkt_of(m)->next) {
		uint32_t seq = pkt_of(m)->rx.seq;

		if (seq_geq(seq, t->rcv_nxt) || (m != q->ooo && seq != dup.end))
			break;
		if (m == q->ooo)
			dup.start = seq;
		dup.end = seq_min(end_of(m), t->rcv_nxt);
	}
	return dup;
}

void rcvbuf_join(struct tcb *t, struct tcp_queues *q)
{
	while (q->ooo != NULL && seq_leq(pkt_of(q->ooo)->rx.seq, t->rcv_nxt)) {
		struct rte_mbuf *m = q->ooo;
		uint32_t have = t->rcv_nxt - pkt_of(m)->rx.seq;

		q->ooo = pkt_of(m)->next;
		q->ooo_segs--;
		if (have >= m->pkt_len)
			rte_pktmbuf_free(m);
		else
			rcvbuf_push(t, q, have > 0 ? mbuf_trim_front(m, have) : m);
	}
}

struct run {
	uint32_t start, end, serial;
};

/* the run of adjacent packets that begins with m; returns the packet after it */
static struct rte_mbuf *run_of(struct rte_mbuf *m, struct run *r)
{
	*r = (struct run){.start = pkt_of(m)->rx.seq, .serial = pkt_of(m)->rx.cookie};
	do {
		r->end = end_of(m);
		if (seq_gt(pkt_of(m)->rx.cookie, r->serial))
			r->serial = pkt_of(m)->rx.cookie;
		m = pkt_of(m)->next;
	} while (m != NULL && pkt_of(m)->rx.seq == r->end);
	return m;
}

void rcvbuf_sack(struct tcp_queues *q, struct tcp_seg *s)
{
	const unsigned max = (s->has & TCP_HAS_TS) ? 3 : TCP_SACK_BLOCKS;
	struct run runs[TCP_SACK_BLOCKS], r;
	unsigned n = 0;

	for (struct rte_mbuf *m = q->ooo; m != NULL;) {
		unsigned i;

		m = run_of(m, &r);
		/* most recent first (RFC 2018 section 4) */
		for (i = n < max ? n++ : max; i > 0 && seq_lt(runs[i - 1].serial, r.serial); i--)
			if (i < max)
				runs[i] = runs[i - 1];
		if (i < max)
			runs[i] = r;
	}
	for (unsigned i = 0; i < n; i++) {
		s->sack[i].start = runs[i].start;
		s->sack[i].end = runs[i].end;
	}
	s->nb_sack = (uint8_t)n;
	q->ooo_runs = 0;
	if (n > 0)
		s->has |= TCP_HAS_SACK;
}
