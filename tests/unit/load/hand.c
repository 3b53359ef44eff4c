/* SPDX-License-Identifier: BSD-2-Clause */
#include "hand.h"

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <string.h>

#include <rte_byteorder.h>

#include "../../support/eal.h"

#define OPTIONS_MAX 40u

static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};

/* A segment's options: those of a SYN-ACK, or timestamp and SACK. Returns their length. */
static uint32_t put_options(struct hand *h, uint8_t *p, const struct range *blocks, uint32_t n,
                            bool syn)
{
	const uint8_t *begin = p;
	uint32_t word;

	if (syn) {
		memcpy(p,
		       (const uint8_t[]){2, 4, (uint8_t)(h->mss >> 8), (uint8_t)h->mss, 1, 1, 4, 2},
		       8);
		p += 8;
	}
	if (h->b->config.timestamps != 0) {
		memcpy(p, (const uint8_t[]){1, 1, 8, 10}, 4);
		word = htonl(h->time);
		memcpy(p + 4, &word, 4);
		memset(p + 8, 0, 4);
		p += 12;
	}
	if (n > 0) {
		memcpy(p, (const uint8_t[]){1, 1, 5, (uint8_t)(8 * n + 2)}, 4);
		p += 4;
	}
	for (; n > 0; n--, blocks++, p += 8) {
		word = htonl(blocks->from + h->irs + 1);
		memcpy(p, &word, 4);
		word = htonl(blocks->to + h->irs + 1);
		memcpy(p + 4, &word, 4);
	}
	return (uint32_t)(p - begin);
}

/* Moves the second half of a frame into an mbuf of its own. */
static void divide(struct rte_mbuf *m)
{
	struct rte_mbuf *second = rte_pktmbuf_alloc(bed_pool());
	const uint16_t len = m->data_len / 2;

	memcpy(rte_pktmbuf_append(second, len),
	       rte_pktmbuf_mtod_offset(m, const char *, m->data_len - len), len);
	rte_pktmbuf_trim(m, len);
	CU_ASSERT_EQUAL_FATAL(rte_pktmbuf_chain(m, second), 0);
}

static void push(struct hand *h, uint32_t seq, uint8_t flags, const uint8_t *options,
                 uint32_t options_len, const uint8_t *data, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed_pool());
	struct wire_head *head = rte_pktmbuf_mtod(m, struct wire_head *);
	uint32_t tcp_len = (uint32_t)sizeof(head->tcp) + options_len + len;

	memset(head, 0, sizeof(*head));
	memcpy(&head->eth.src_addr, mac[0], 6);
	memcpy(&head->eth.dst_addr, mac[1], 6);
	head->eth.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	head->ip.version_ihl = RTE_IPV4_VHL_DEF;
	head->ip.time_to_live = 64;
	head->ip.next_proto_id = IPPROTO_TCP;
	head->ip.src_addr = htonl(BED_SERVER);
	head->ip.dst_addr = htonl(BED_CLIENT);
	head->ip.total_length = htons((uint16_t)(sizeof(head->ip) + tcp_len));
	head->ip.hdr_checksum = rte_ipv4_cksum(&head->ip);
	head->tcp.src_port = htons(h->b->config.mode->port);
	head->tcp.dst_port = htons(h->port);
	head->tcp.sent_seq = htonl(seq);
	head->tcp.recv_ack = htonl(h->irs + 1 + h->acked);
	head->tcp.data_off = (uint8_t)((sizeof(head->tcp) + options_len) / 4 << 4);
	head->tcp.tcp_flags = flags;
	head->tcp.rx_win = htons(h->window);
	memcpy(head->options, options, options_len);
	memcpy(head->options + options_len, data, len);
	head->tcp.cksum = wire_l4_sum(&head->ip, &head->tcp, tcp_len);
	m->data_len = (uint16_t)(WIRE_TCP + tcp_len);
	m->pkt_len = m->data_len;
	if (h->in_two)
		divide(m);
	CU_ASSERT_EQUAL_FATAL(h->b->ends[0]->ops->tx_burst(h->b->ends[0], &m, 1, h->b->now), 1);
}

void hand_send(struct hand *h, uint32_t at, uint32_t len, uint8_t flags, bool spoilt)
{
	uint8_t options[OPTIONS_MAX], data[2048];
	uint32_t options_len = put_options(h, options, NULL, 0, false);

	for (uint32_t k = 0; k < len; k++)
		data[k] = (uint8_t)(at + k);
	if (spoilt)
		data[len - 1] ^= 1;
	push(h, h->iss + 1 + at, flags, options, options_len, data, len);
}

void hand_ack(struct hand *h, const struct range *blocks, uint32_t n)
{
	uint8_t options[OPTIONS_MAX];

	push(h, h->iss + 1, RTE_TCP_ACK_FLAG, options, put_options(h, options, blocks, n, false),
	     options, 0);
}

static void read_option(const struct hand *h, struct heard *heard, const uint8_t *p)
{
	uint32_t words[2];

	heard->permits_sack |= p[0] == 4;
	if (p[0] == 8) {
		memcpy(words, p + 6, 4);
		heard->echoed = ntohl(words[0]);
	}
	for (uint32_t at = 2; p[0] == 5 && at < p[1]; at += 8) {
		memcpy(words, p + at, 8);
		heard->blocks[heard->nb_blocks].from = ntohl(words[0]) - h->iss - 1;
		heard->blocks[heard->nb_blocks++].to = ntohl(words[1]) - h->iss - 1;
	}
}

/* Takes a frame of the generator apart, after a look whether its checksums are right. */
static void read_frame(const struct hand *h, struct heard *heard, const struct rte_mbuf *m)
{
	const struct wire_head *head = rte_pktmbuf_mtod(m, const struct wire_head *);
	uint32_t len = ntohs(head->ip.total_length) - (uint32_t)sizeof(head->ip);
	struct segment s = {0};

	memset(heard, 0, sizeof(*heard));
	CU_ASSERT_FATAL(m->data_len == WIRE_TCP + len && wire_parse(&s, &head->tcp, len));
	CU_ASSERT(wire_ip_ok(&head->ip) && wire_l4_ok(&head->ip, &head->tcp, len));
	heard->seq = s.seq - h->irs - 1;
	heard->ack = s.ack - h->iss - 1;
	heard->len = s.len;
	heard->flags = s.flags;
	for (const uint8_t *p = head->options; p < head->options + s.options;
	     p += *p == 1 ? 1 : p[1])
		if (*p != 1)
			read_option(h, heard, p);
}

unsigned hand_hear(struct hand *h, unsigned turns, struct heard heard[HAND_HEARD])
{
	struct rte_mbuf *pkts[HAND_HEARD];
	unsigned n = 0, got;

	for (; turns > 0; turns--) {
		h->b->now += BED_STEP_NS;
		load_turn(h->b->load, h->b->now);
		got = h->b->ends[0]->ops->rx_burst(h->b->ends[0], pkts, (uint16_t)(HAND_HEARD - n),
		                                   h->b->now);
		for (unsigned k = 0; k < got; k++) {
			read_frame(h, &heard[n++], pkts[k]);
			rte_pktmbuf_free(pkts[k]);
		}
	}
	return n;
}

void hand_open(struct hand *h, struct bed *b, struct heard *syn)
{
	hand_open_mss(h, b, syn, HAND_MSS);
}

void hand_open_mss(struct hand *h, struct bed *b, struct heard *syn, uint16_t mss)
{
	struct heard heard[HAND_HEARD];
	uint8_t options[OPTIONS_MAX];

	memset(h, 0, sizeof(*h));
	h->b = b;
	h->port = (uint16_t)b->config.first_port;
	h->window = 40000;
	h->mss = mss;
	h->iss = UINT32_C(0) - 5000; /* it wraps soon */
	b->config.conns = 1;
	b->config.run_ms = 100000;
	memcpy(b->config.mac, mac[0], 6);
	bed_start_hand(b);
	CU_ASSERT_EQUAL_FATAL(hand_hear(h, 3, heard), 1);
	CU_ASSERT_EQUAL(heard[0].flags, RTE_TCP_SYN_FLAG);
	*syn = heard[0];
	h->irs = heard[0].seq + 1;
	push(h, h->iss, RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG, options,
	     put_options(h, options, NULL, 0, true), options, 0);
	CU_ASSERT_FATAL(hand_hear(h, 1, heard) >= 1);
	CU_ASSERT_EQUAL(heard[0].flags, RTE_TCP_ACK_FLAG);
	CU_ASSERT_EQUAL(b->load->established, 1);
}
