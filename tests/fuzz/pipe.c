/* SPDX-License-Identifier: BSD-2-Clause */
#include "pipe.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include "frame.h"
#include "fuzz.h"
#include "wire/wire.h"

/*
 * Overview: what an end sends is copied flat into the queue of the other, so that stacks with one pool
 * each cannot tell it from a NIC.  No offloads: every byte that the attacker sees is final.
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

/* where the checksum of a protocol is, counted from its header; 0: it has none */
static unsigned cksum_at(uint8_t proto)
{
	return proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 : proto == IPPROTO_ICMP ? 2 : 0;
}

void pipe_fix(uint8_t *frame, uint16_t len)
{
	uint8_t *ip = frame + 14, *l4;
	unsigned hdr, total, at;
	uint32_t sum = 0;

	if (len < 34 || wire_get16(frame + 12) != 0x0800)
		return;
	hdr = (ip[0] & 15) * 4u;
	total = wire_get16(ip + 2);
	if (hdr < 20 || hdr > len - 14u || total < hdr || total > len - 14u)
		return;
	wire_put16(ip + 10, 0);
	wire_put16(ip + 10, frame_fold(frame_sum(ip, hdr, 0)));
	l4 = ip + hdr;
	at = cksum_at(ip[9]);
	if (at == 0 || total - hdr < at + 2)
		return;
	wire_put16(l4 + at, 0);
	if (ip[9] != IPPROTO_ICMP)
		sum = frame_l4_sum(wire_get32_be(ip + 12), wire_get32_be(ip + 16), ip[9],
		                   (uint16_t)(total - hdr));
	wire_put16(l4 + at, frame_fold(frame_sum(l4, total - hdr, sum)));
}
