/* SPDX-License-Identifier: BSD-2-Clause */
/* Checksums that are left to whoever sends: each kind of packet, and what cannot be finished. */

#include "frame.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "bed.h"

#define TEXT 11
#define PAD  5 /* behind the packet, no part of it */

#define ASKS_IP RTE_MBUF_F_TX_IP_CKSUM
#define ASKS_L4 (tcp_of(r) ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM)
#define ARRIVED RTE_MBUF_F_RX_L4_CKSUM_NONE

enum { IP = 1, L4 = 2, RX = 4 };

static const struct row {
	const char *name;
	unsigned family; /* 4 or 6, others: something else */
	uint8_t proto;   /* 6, 17, others */
	bool tag;
	uint8_t more;   /* bytes of options, or of an extension header */
	unsigned asks;  /* IP, L4, RX */
	unsigned done;  /* IP, L4 */
	int longer;     /* than it is, it says that it is */
	unsigned split; /* bytes of the second mbuf, 0: there is none */
} rows[] = {
    {"UDP", 4, 17, false, 0, L4, L4, 0, 0},
    {"UDP, the header alone", 4, 17, false, 0, IP, IP, 0, 0},
    {"UDP, both", 4, 17, false, 0, IP | L4, IP | L4, 0, 0},
    {"TCP", 4, 6, false, 0, L4, L4, 0, 0},
    {"TCP, both, with a tag", 4, 6, true, 0, IP | L4, IP | L4, 0, 0},
    {"UDP that was received so, with a tag", 4, 17, true, 0, RX, L4, 0, 0},
    {"TCP that was received so, with options of IP", 4, 6, false, 8, RX | IP, IP | L4, 0, 0},
    {"UDP over IPv6", 6, 17, false, 0, L4, L4, 0, 0},
    {"TCP over IPv6 with a tag", 6, 6, true, 0, RX, L4, 0, 0},
    {"UDP over IPv6 behind an extension header", 6, 17, false, 8, L4, L4, 0, 0},
    {"IPv6 has no sum of its own", 6, 17, false, 0, IP, 0, 0, 0},
    {"another protocol", 4, 47, false, 0, IP | L4, IP, 0, 0},
    {"no packet of IP", 0, 17, false, 0, IP | L4, 0, 0, 0},
    {"not whole", 4, 17, false, 0, IP | L4, IP, 100, 0},
    {"not whole by a byte", 4, 6, false, 0, L4, 0, PAD + 1, 0},
    {"whole, with what seemed to be padding", 4, 6, false, 0, L4, L4, PAD, 0},
    {"no room for its header", 4, 17, false, 0, L4, 0, -(8 + TEXT), 0},
    {"IPv6 that is not whole", 6, 6, false, 0, L4, 0, 100, 0},
    {"in two mbufs", 4, 6, false, 0, IP | L4, IP | L4, 0, TEXT + PAD},
    {"IPv6 in two mbufs", 6, 17, true, 0, L4, L4, 0, TEXT + PAD - 3},
    {"the field of the sum in the second", 4, 17, false, 0, IP | L4, IP, 0, TEXT + PAD + 2},
    {"a half of it", 4, 17, false, 0, L4, 0, 0, TEXT + PAD + 1},
};

static bool tcp_of(const struct row *r)
{
	return r->proto == 6;
}

static unsigned l2_of(const struct row *r)
{
	return r->tag ? 18 : 14;
}

static unsigned l3_of(const struct row *r)
{
	return (r->family == 6 ? 40u : 20u) + r->more;
}

static void put_ip(const struct row *r, uint8_t *ip, unsigned len)
{
	struct rte_ipv4_hdr *h4 = (void *)ip;
	struct rte_ipv6_hdr *h6 = (void *)ip;

	memset(ip, 0, l3_of(r));
	if (r->family == 6) {
		h6->vtc_flow = rte_cpu_to_be_32(UINT32_C(6) << 28);
		h6->payload_len = rte_cpu_to_be_16((uint16_t)(r->more + len));
		h6->proto = r->more > 0 ? 0 : r->proto;
		memset(&h6->src_addr, 0x20, 16);
		memset(&h6->dst_addr, 0x21, 16);
		if (r->more > 0) { /* hop-by-hop options, of padding */
			ip[40] = r->proto;
			ip[42] = 1;
			ip[43] = 4;
		}
		return;
	}
	*h4 = (struct rte_ipv4_hdr){.version_ihl = (uint8_t)(0x45 + r->more / 4),
	                            .next_proto_id = r->proto,
	                            .time_to_live = 9,
	                            .src_addr = rte_cpu_to_be_32(0xc0000201),
	                            .dst_addr = rte_cpu_to_be_32(0xc0000202)};
	h4->total_length = rte_cpu_to_be_16((uint16_t)(l3_of(r) + len));
	h4->hdr_checksum = 0x1111;
}

/* The sum of the pseudo-header, not complemented, and what the whole comes to, by hand. */
static uint16_t sum_of(const struct row *r, const uint8_t *ip, const uint8_t *l4, unsigned len,
                       unsigned summed)
{
	const unsigned addrs = r->family == 6 ? 8 : 12, n = r->family == 6 ? 32 : 8;
	uint32_t sum = r->proto + len;

	for (unsigned i = 0; i < n; i += 2)
		sum += (uint32_t)(ip[addrs + i] << 8 | ip[addrs + i + 1]);
	for (unsigned i = 0; i < summed; i++)
		sum += (uint32_t)(i % 2 == 0 ? l4[i] << 8 : l4[i]);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The frame of a row as it comes, or as it is to be: with what is asked for done. */
static struct rte_mbuf *make(const struct row *r, bool done)
{
	const unsigned hdr = tcp_of(r) ? 20 : 8, l2 = l2_of(r), l3 = l3_of(r);
	const unsigned field = tcp_of(r) ? 16 : 6;
	const unsigned len = (unsigned)((int)(hdr + TEXT) + r->longer);
	struct rte_mbuf *m = bed_frame(2, 1, r->tag ? 10 : -1, l2 + l3 + hdr + TEXT + PAD);
	uint8_t *b = rte_pktmbuf_mtod(m, uint8_t *), *ip = b + l2, *l4 = ip + l3;
	uint16_t sum;

	b[l2 - 2] = r->family == 6 ? 0x86 : r->family == 4 ? 0x08 : 0x88;
	b[l2 - 1] = r->family == 6 ? 0xdd : r->family == 4 ? 0x00 : 0xb5;
	put_ip(r, ip, len);
	for (unsigned i = 0; i < hdr + TEXT + PAD; i++)
		l4[i] = (uint8_t)(i * 29 + 7);
	if (tcp_of(r))
		l4[12] = 0x50;
	else
		l4[5] = 8 + TEXT, l4[4] = 0;
	sum = sum_of(r, ip, l4, len, 0);
	l4[field] = (uint8_t)(sum >> 8);
	l4[field + 1] = (uint8_t)sum;
	if (done && (r->done & L4) != 0) {
		l4[field] = l4[field + 1] = 0;
		sum = (uint16_t)~sum_of(r, ip, l4, len, len);
		l4[field] = (uint8_t)(sum >> 8);
		l4[field + 1] = (uint8_t)sum;
	}
	if (done && (r->done & IP) != 0) {
		struct rte_ipv4_hdr *h4 = (void *)ip;

		h4->hdr_checksum = 0;
		h4->hdr_checksum = rte_ipv4_cksum(h4);
	}
	m->ol_flags |= ((r->asks & IP) != 0 ? ASKS_IP : 0) | ((r->asks & L4) != 0 ? ASKS_L4 : 0) |
	               ((r->asks & RX) != 0 ? ARRIVED : 0);
	return m;
}

/* Moves the last n bytes of a frame to an mbuf of their own. */
static void split(struct rte_mbuf *m, unsigned n)
{
	struct rte_mbuf *rest = rte_pktmbuf_alloc(bed.pool);
	char *to = rte_pktmbuf_append(rest, (uint16_t)n);

	memcpy(to, rte_pktmbuf_mtod_offset(m, char *, m->data_len - n), n);
	rte_pktmbuf_trim(m, (uint16_t)n);
	CU_ASSERT_EQUAL(rte_pktmbuf_chain(m, rest), 0);
}

static bool same(const struct rte_mbuf *m, const struct rte_mbuf *want)
{
	char buf[200];

	return m->pkt_len == want->pkt_len &&
	       memcmp(rte_pktmbuf_read(m, 0, m->pkt_len, buf), rte_pktmbuf_mtod(want, const char *),
	              m->pkt_len) == 0;
}

static void sums_are_finished(void)
{
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct rte_mbuf *m = make(&rows[i], false), *want = make(&rows[i], true), *out;
		enum count why = 0;

		if (rows[i].split > 0)
			split(m, rows[i].split);
		CHECK_ROW(frame_asks(m), rows[i].name);
		out = frame_mend(m, bed.pool, &why);
		CHECK_ROW(out == m, rows[i].name);
		CHECK_ROW(same(out, want), rows[i].name);
		rte_pktmbuf_free(out);
		rte_pktmbuf_free(want);
	}
}

/* RFC 768 is about UDP: a sum of TCP may be 0 (RFC 1624 section 3). */
static void a_sum_of_tcp_may_be_zero(void)
{
	const struct row *r = &rows[3];
	struct rte_mbuf *m = make(r, false), *good = make(r, true);
	uint8_t *l4 = rte_pktmbuf_mtod_offset(m, uint8_t *, 34);
	enum count why = 0;
	uint16_t sum, word;

	/* what the sum lacks to ones is put into a word of what is summed */
	memcpy(&sum, rte_pktmbuf_mtod_offset(good, uint8_t *, 34 + 16), 2);
	memcpy(&word, l4 + 20, 2);
	word = rte_raw_cksum((uint16_t[]){word, sum}, 4);
	memcpy(l4 + 20, &word, 2);
	m = frame_mend(m, bed.pool, &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	l4 = rte_pktmbuf_mtod_offset(m, uint8_t *, 34);
	CU_ASSERT(l4[16] == 0 && l4[17] == 0);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(good);
}

/* A header that says that it is longer than the mbuf is left alone, and nothing behind the mbuf is read. */
static void a_header_must_be_there(void)
{
	const struct row *r = &rows[2];
	struct rte_mbuf *m = make(r, false), *was;
	enum count why = 0;

	rte_pktmbuf_mtod(m, uint8_t *)[14] = 0x4f;
	was = rte_pktmbuf_copy(m, bed.pool, 0, UINT32_MAX);
	m = frame_mend(m, bed.pool, &why);
	CU_ASSERT(same(m, was));
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(was);
}

/* Whose bytes they are is no remark of a device. */
static void ownership_is_not_forgotten(void)
{
	struct rte_mbuf *m = make(&rows[2], false), *clone = rte_pktmbuf_clone(m, bed.pool);

	frame_forget_flags(clone);
	CU_ASSERT_EQUAL(clone->ol_flags, RTE_MBUF_F_INDIRECT);
	frame_forget_flags(m);
	CU_ASSERT_EQUAL(m->ol_flags, 0);
	rte_pktmbuf_free(clone);
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(eal_in_use(bed.pool), 0);
}

/* What somebody else holds is not written in. */
static void what_is_shared_is_copied(void)
{
	const struct row *r = &rows[2];
	struct rte_mbuf *m = make(r, false), *was = make(r, false), *want = make(r, true), *out;
	enum count why = 0;

	frame_share(m, 1);
	out = frame_mend(m, bed.pool, &why);
	CU_ASSERT_PTR_NOT_EQUAL(out, m);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 1);
	CU_ASSERT(same(out, want) && same(m, was));
	rte_pktmbuf_free(out);
	out = rte_pktmbuf_clone(m, bed.pool); /* refers to the bytes of another */
	rte_pktmbuf_free(m);
	out = frame_mend(out, bed.pool, &why);
	CU_ASSERT(RTE_MBUF_DIRECT(out) && same(out, want));
	rte_pktmbuf_free(out);
	rte_pktmbuf_free(was);
	rte_pktmbuf_free(want);
}

static void without_mbufs_it_is_dropped(void)
{
	static struct rte_mbuf *all[BED_MBUFS];
	struct rte_mbuf *m = make(&rows[2], false);
	enum count why = 0;
	unsigned n = 0;

	frame_share(m, 1);
	while (n < BED_MBUFS && (all[n] = rte_pktmbuf_alloc(bed.pool)) != NULL)
		n++;
	CU_ASSERT_PTR_NULL(frame_mend(m, bed.pool, &why));
	CU_ASSERT_EQUAL(why, COUNT_drop_no_mbuf);
	CU_ASSERT_EQUAL(rte_mbuf_refcnt_read(m), 1);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free_bulk(all, n);
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"sums are finished", sums_are_finished},
	    {"a sum of TCP may be zero", a_sum_of_tcp_may_be_zero},
	    {"a header must be there", a_header_must_be_there},
	    {"ownership is not forgotten", ownership_is_not_forgotten},
	    {"what is shared is copied", what_is_shared_is_copied},
	    {"without mbufs it is dropped", without_mbufs_it_is_dropped},
	};

	return bed_run("unit/switch/frame", cases, ROWS(cases));
}
