/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_WIRE_H
#define LOAD_WIRE_H

/*
 * The layout of frames: templates of what is sent, with precomputed sums of the constant parts, and
 * checks of what is received.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include <percore/addr.h>

#include "stream.h"

#define WIRE_OPTIONS 12 /* NOP NOP timestamp */

struct wire_head {
	struct rte_ether_hdr eth;
	struct rte_ipv4_hdr ip;
	struct rte_tcp_hdr tcp;
	uint8_t options[WIRE_OPTIONS];
} __attribute__((packed, aligned(2)));

struct wire_head6 {
	struct rte_ether_hdr eth;
	struct rte_ipv6_hdr ip;
	struct rte_tcp_hdr tcp;
	uint8_t options[WIRE_OPTIONS];
} __attribute__((packed, aligned(2)));

#define WIRE_IP  sizeof(struct rte_ether_hdr)
#define WIRE_TCP (WIRE_IP + sizeof(struct rte_ipv4_hdr))
#define WIRE_LEN (WIRE_TCP + sizeof(struct rte_tcp_hdr)) /* without options */

#define WIRE6_TCP (WIRE_IP + sizeof(struct rte_ipv6_hdr))
#define WIRE6_LEN (WIRE6_TCP + sizeof(struct rte_tcp_hdr))

struct wire {
	bool ip6;
	union {
		struct wire_head head; /* of every segment except a SYN */
		struct wire_head6 head6;
	};
	uint32_t ip_sum, tcp_sum; /* of the template's constant words */
	uint32_t tcp_at, len;     /* where TCP's header begins; length of all headers */
	bool timestamps;
	struct pc_addr server_addr, first_addr;
	uint32_t server, first; /* their last 32 bits, host byte order */
	uint16_t port, first_port;
	uint32_t time; /* our timestamp */
	struct rte_ether_addr mac, peer_mac;
	bool resolved;
};

/** A segment received. */
struct segment {
	uint32_t seq, ack, wnd, len;
	uint8_t flags;
	uint8_t options; /* bytes of options */
	const struct rte_tcp_hdr *tcp;
	const uint8_t *data;
};

/**
 * wire_option returns the option after the one at before (NULL: the first): kind, length, value.
 * NULL if there is none, or if it is truncated (RFC 9293 3.1).
 */
static inline const uint8_t *wire_option(const struct segment *s, const uint8_t *before)
{
	const uint8_t *p = (const uint8_t *)(s->tcp + 1), *end = p + s->options;

	if (before != NULL)
		p = before + before[1];
	while (p < end && *p == 1)
		p++;
	return end - p < 2 || *p == 0 || p[1] < 2 || p[1] > end - p ? NULL : p;
}

/** wire_sum sums 16-bit words in memory order. */
static inline uint64_t wire_sum(const void *data, uint32_t len)
{
	const uint8_t *p = data;
	uint64_t sum = 0, more = 0, word;
	uint32_t w;
	uint16_t h;

	for (; len >= 8; p += 8, len -= 8) {
		__builtin_memcpy(&word, p, 8);
		sum += word & UINT32_MAX;
		more += word >> 32;
	}
	sum += more;
	if (len >= 4) {
		__builtin_memcpy(&w, p, 4);
		sum += w;
		p += 4;
		len -= 4;
	}
	if (len >= 2) {
		__builtin_memcpy(&h, p, 2);
		sum += h;
		p += 2;
		len -= 2;
	}
	return len > 0 ? sum + *p : sum;
}

/** wire_sum_words sums the two halves of a word. */
static inline uint32_t wire_sum_words(uint32_t w)
{
	return (w & 0xffff) + (w >> 16);
}

/** wire_join puts each frame into one mbuf: some ports, such as newer versions of net_memif, deliver
 * the pieces that the peer has sent. One that is too long for that stays as it is. */
static inline void wire_join(struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		if (unlikely(pkts[k]->nb_segs > 1))
			(void)rte_pktmbuf_linearize(pkts[k]);
}

/** wire_init makes the templates, once the addresses are known or have changed. */
void wire_init(struct wire *w, uint16_t window);

/** wire_ip6_init makes an IPv6 header from our first address to the server; its length is 0. */
void wire_ip6_init(const struct wire *w, struct rte_ipv6_hdr *ip, uint8_t proto);

/* IPv6 addresses in DPDK's headers are arrays before 24.11, and structs since: hence the void *. */

/** wire_set_low writes the last 32 bits of an IPv6 address. */
static inline void wire_set_low(void *address, uint32_t low_be)
{
	__builtin_memcpy((uint8_t *)address + 12, &low_be, sizeof(low_be));
}

/** wire_low returns the last 32 bits of an IPv6 address, host byte order. */
static inline uint32_t wire_low(const void *address)
{
	uint32_t low;

	__builtin_memcpy(&low, (const uint8_t *)address + 12, sizeof(low));
	return rte_be_to_cpu_32(low);
}

/** wire_is_own6 says whether an address has the same first 96 bits as ours. */
static inline bool wire_is_own6(const struct wire *w, const void *address)
{
	return __builtin_memcmp(address, w->first_addr.b, 12) == 0;
}

/** wire_ip_ok says whether the IPv4 header's checksum is right. */
bool wire_ip_ok(const struct rte_ipv4_hdr *ip);

/** wire_l4_ok says whether the checksum of len bytes of TCP or UDP after ip is right. */
bool wire_l4_ok(const struct rte_ipv4_hdr *ip, const void *l4, uint32_t len);

/** wire_l4_sum computes that checksum, as it goes into the header. */
uint16_t wire_l4_sum(const struct rte_ipv4_hdr *ip, const void *l4, uint32_t len);

/** wire_l4_ok6 says whether the checksum of len bytes of TCP, UDP or ICMPv6 after ip is right. */
bool wire_l4_ok6(const struct rte_ipv6_hdr *ip, const void *l4, uint32_t len);

/** wire_l4_sum6 computes that checksum, as it goes into the header. */
uint16_t wire_l4_sum6(const struct rte_ipv6_hdr *ip, const void *l4, uint32_t len);

/** wire_parse reads a segment of len bytes. Returns false if it is malformed. */
static inline bool wire_parse(struct segment *s, const struct rte_tcp_hdr *tcp, uint32_t len)
{
	uint32_t head = (uint32_t)(tcp->data_off >> 4) * 4;

	if (unlikely(len < sizeof(*tcp) || head < sizeof(*tcp) || head > len))
		return false;
	s->seq = rte_be_to_cpu_32(tcp->sent_seq);
	s->ack = rte_be_to_cpu_32(tcp->recv_ack);
	s->wnd = rte_be_to_cpu_16(tcp->rx_win);
	s->flags = tcp->tcp_flags;
	s->len = len - head;
	s->options = (uint8_t)(head - sizeof(*tcp));
	s->tcp = tcp;
	s->data = (const uint8_t *)tcp + head;
	return true;
}

#endif
