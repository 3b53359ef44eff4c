/* SPDX-License-Identifier: BSD-2-Clause */
#include "pipe.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include "frame6.h"
#include "fuzz.h"
#include "wire/wire.h"

/*
 * Overview: what one end sends is copied, linear, into the queue of the other, so that stacks with
 * a pool each cannot tell it from a NIC. There are no offloads: every byte that the attacker sees
 * is final.
 */

static uint16_t rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct pipe_end *e = (struct pipe_end *)port;
	uint16_t got = (uint16_t)(n < e->n ? n : e->n);

	(void)now_ns;
	memcpy(pkts, e->q, got * sizeof(pkts[0]));
	e->n -= got;
	memmove(e->q, e->q + got, e->n * sizeof(e->q[0]));
	return got;
}

static void carry(struct pipe_end *to, const struct rte_mbuf *m)
{
	uint8_t flat[PIPE_FRAME_MAX];
	const uint8_t *p;

	fuzz_check(m->pkt_len <= sizeof(flat));
	p = rte_pktmbuf_read(m, 0, m->pkt_len, flat);
	fuzz_check(p != NULL);
	to->last_len = (uint16_t)m->pkt_len;
	memcpy(to->last, p, m->pkt_len);
	if (to->drop > 0)
		to->drop--;
	else
		pipe_inject(to, to->last, to->last_len);
}

static uint16_t tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct pipe_end *e = (struct pipe_end *)port;

	(void)now_ns;
	for (uint16_t i = 0; i < n; i++) {
		carry(e->peer, pkts[i]);
		rte_pktmbuf_free(pkts[i]);
	}
	return n;
}

static void close_end(struct pc_port *port)
{
	(void)port;
}

static const struct pc_port_ops pipe_ops = {
    .rx_burst = rx_burst, .tx_burst = tx_burst, .close = close_end};

void pipe_open(struct pipe_end ends[2], struct rte_mempool *pool)
{
	memset(ends, 0, 2 * sizeof(ends[0]));
	for (int i = 0; i < 2; i++) {
		struct pc_port_info *info = &ends[i].port.info;

		ends[i].port.ops = &pipe_ops;
		ends[i].peer = &ends[!i];
		ends[i].pool = pool;
		memcpy(info->mac, "\x02\0\0\0\0", 5);
		info->mac[5] = (uint8_t)(1 + i);
		strcpy(info->name, i == 0 ? "pipe0" : "pipe1");
		strcpy(info->driver, "pipe");
		info->mtu = PIPE_FRAME_MAX - 14;
		info->socket_id = -1;
		info->link_up = true;
		info->rss.nb_queues = 1;
	}
}

void pipe_close(struct pipe_end ends[2])
{
	for (int i = 0; i < 2; i++) {
		for (unsigned k = 0; k < ends[i].n; k++)
			rte_pktmbuf_free(ends[i].q[k]);
		ends[i].n = 0;
	}
}

void pipe_inject(struct pipe_end *to, const uint8_t *frame, uint16_t len)
{
	struct rte_mbuf *m = to->n == PIPE_QUEUE ? NULL : rte_pktmbuf_alloc(to->pool);

	if (m == NULL)
		return;
	memcpy(rte_pktmbuf_append(m, len), frame, len);
	to->q[to->n++] = m;
}

/* the offset of a protocol's checksum in its header; 0: it has none */
static unsigned cksum_at(uint8_t proto)
{
	return proto == IPPROTO_TCP                               ? 16
	       : proto == IPPROTO_UDP                             ? 6
	       : proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 ? 2
	                                                          : 0;
}

/* sum: of the pseudo-header, except for ICMP, which has none in IPv4 */
static void fix_l4(uint8_t *l4, unsigned len, uint8_t proto, uint32_t sum)
{
	const unsigned at = cksum_at(proto);

	if (at == 0 || len < at + 2)
		return;
	wire_put16(l4 + at, 0);
	wire_put16(l4 + at, frame_fold(frame_sum(l4, len, sum)));
}

static void fix4(uint8_t *ip, unsigned len)
{
	const unsigned hdr = (ip[0] & 15) * 4u, total = wire_get16(ip + 2);
	uint32_t sum = 0;

	if (hdr < 20 || hdr > len || total < hdr || total > len)
		return;
	wire_put16(ip + 10, 0);
	wire_put16(ip + 10, frame_fold(frame_sum(ip, hdr, 0)));
	if (ip[9] != IPPROTO_ICMP)
		sum = frame_l4_sum(wire_get32_be(ip + 12), wire_get32_be(ip + 16), ip[9],
		                   (uint16_t)(total - hdr));
	fix_l4(ip + hdr, total - hdr, ip[9], sum);
}

static void fix6(uint8_t *ip, unsigned len)
{
	const unsigned payload = wire_get16(ip + 4);
	struct pc_addr src, dst;

	if (payload > len - 40)
		return;
	memcpy(src.b, ip + 8, sizeof(src.b));
	memcpy(dst.b, ip + 24, sizeof(dst.b));
	fix_l4(ip + 40, payload, ip[6], frame6_sum(&src, &dst, ip[6], payload));
}

void pipe_fix(uint8_t *frame, uint16_t len)
{
	const uint16_t type = len < 34 ? 0 : wire_get16(frame + 12);

	if (type == 0x0800)
		fix4(frame + 14, len - 14u);
	else if (type == 0x86dd && len >= 54)
		fix6(frame + 14, len - 14u);
}
