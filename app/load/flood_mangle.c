/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a table of changes, each to one part of the segment.  A few of them are applied, and
 * then the checksums are corrected, so that the error reaches the code that it is meant for.
 * Numbers are changed slightly, or to just outside the allowed range, because random ones would
 * fail the first comparison.
 */
#include "flood_mangle.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

#include "wire.h"

#define CHANGES_MAX 4u

/* A segment that is changed. */
struct mangled {
	uint8_t *frame;
	uint32_t len;
	uint64_t *random;
};

static uint32_t draw_below(const struct mangled *m, uint32_t n)
{
	uint64_t x = *m->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*m->random = x;
	return (uint32_t)((x >> 32) * n >> 32);
}

static struct rte_ipv4_hdr *ip_of(const struct mangled *m)
{
	return (struct rte_ipv4_hdr *)(m->frame + WIRE_IP);
}

static struct rte_tcp_hdr *tcp_of(const struct mangled *m)
{
	return (struct rte_tcp_hdr *)(m->frame + WIRE_TCP);
}

static void fill_random(const struct mangled *m, uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		p[i] = (uint8_t)draw_below(m, 256);
}

static uint32_t nearly(const struct mangled *m)
{
	static const uint32_t by[] = {1,
	                              2,
	                              8,
	                              1460,
	                              65535,
	                              65536,
	                              1u << 20,
	                              1u << 30,
	                              1u << 31,
	                              UINT32_MAX,
	                              UINT32_MAX - 1459};

	return by[draw_below(m, sizeof(by) / sizeof(by[0]))] + draw_below(m, 2);
}

static void change_seq(struct mangled *m)
{
	struct rte_tcp_hdr *tcp = tcp_of(m);

	tcp->sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + nearly(m));
}

static void change_ack(struct mangled *m)
{
	struct rte_tcp_hdr *tcp = tcp_of(m);

	tcp->recv_ack = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->recv_ack) + nearly(m));
}

static void change_flags(struct mangled *m)
{
	tcp_of(m)->tcp_flags ^= (uint8_t)(1u << draw_below(m, 8));
}

static void change_window(struct mangled *m)
{
	tcp_of(m)->rx_win = (uint16_t)(draw_below(m, 2) != 0 ? draw_below(m, 65536) : 0);
}

static void change_urgent(struct mangled *m)
{
	tcp_of(m)->tcp_flags |= RTE_TCP_URG_FLAG;
	tcp_of(m)->tcp_urp = (uint16_t)draw_below(m, 65536);
}

/* Inserts options of known kinds, with right, nearly right or wrong lengths, before the data. */
static void add_options(struct mangled *m)
{
	static const uint8_t kinds[] = {0, 1, 2, 3, 4, 5, 8, 19, 28, 30, 34, 253};
	const uint32_t had = (tcp_of(m)->data_off >> 4) * 4u - (uint32_t)sizeof(struct rte_tcp_hdr);
	const uint32_t n = 4 * (1 + draw_below(m, 10));
	uint8_t *at = m->frame + WIRE_LEN;

	if (had > m->len - WIRE_LEN || n < had)
		return;
	memmove(at + n, at + had, m->len - WIRE_LEN - had);
	fill_random(m, at, n);
	for (uint32_t i = 0; i + 1 < n; i += 2 + draw_below(m, 10)) {
		at[i] = kinds[draw_below(m, sizeof(kinds))];
		at[i + 1] = (uint8_t)draw_below(m, 12);
	}
	tcp_of(m)->data_off = (uint8_t)((sizeof(struct rte_tcp_hdr) + n) / 4 << 4);
	m->len += n - had;
}

static void change_offset(struct mangled *m)
{
	tcp_of(m)->data_off = (uint8_t)draw_below(m, 256);
}

static void change_data(struct mangled *m)
{
	uint8_t *data = m->frame + WIRE_LEN;

	for (uint32_t i = draw_below(m, 8); i > 0 && m->len > WIRE_LEN; i--)
		data[draw_below(m, (uint32_t)(m->len - WIRE_LEN))] = (uint8_t)draw_below(m, 256);
}

static void add_data(struct mangled *m)
{
	const uint32_t n = draw_below(m, 200);

	fill_random(m, m->frame + m->len, n);
	m->len += n;
}

static void cut(struct mangled *m)
{
	m->len = (uint32_t)(WIRE_LEN + draw_below(m, (uint32_t)(m->len - WIRE_LEN + 1)));
}

/* TOS, identification, fragments, TTL */
static void change_ip(struct mangled *m)
{
	static const uint8_t at[] = {1, 4, 6, 7, 8};

	m->frame[WIRE_IP + at[draw_below(m, sizeof(at))]] ^= (uint8_t)(1u << draw_below(m, 8));
}

static void (*const changes[])(struct mangled *m) = {
    change_seq,    change_ack,  change_flags, change_window, change_urgent, add_options,
    change_offset, change_data, add_data,     cut,           change_ip,
};

static void seal(const struct mangled *m)
{
	struct rte_ipv4_hdr *ip = ip_of(m);
	struct rte_tcp_hdr *tcp = tcp_of(m);
	const uint32_t len = (uint32_t)(m->len - WIRE_TCP);

	ip->total_length = rte_cpu_to_be_16((uint16_t)(m->len - WIRE_IP));
	tcp->cksum = 0;
	tcp->cksum = wire_l4_sum(ip, tcp, len);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~stream_fold(wire_sum(ip, sizeof(*ip)));
}

uint32_t flood_mangle(uint8_t *frame, uint32_t len, uint64_t *random)
{
	struct mangled m = {.frame = frame, .len = len, .random = random};

	for (uint32_t n = draw_below(&m, CHANGES_MAX + 1); n > 0; n--)
		changes[draw_below(&m, sizeof(changes) / sizeof(changes[0]))](&m);
	seal(&m);
	if (draw_below(&m, 32) == 0) /* a wrong length */
		ip_of(&m)->total_length = (uint16_t)draw_below(&m, 65536);
	return m.len;
}
