/* SPDX-License-Identifier: BSD-2-Clause */
#include "link.h"

#include <errno.h>
#include <inttypes.h>

#include <rte_mbuf.h>

/* Overview: frames received by a port get their faults in the layer around it, and are then sent by
 * the other port. Frames that it does not accept are lost, as on a link that is too slow. */

#define LINK_BURST 32

int link_make(struct link *l, const struct options *o, unsigned index, struct pc_port *ports[2],
              struct rte_mempool *pool)
{
	*l = (struct link){0};
	for (int d = 0; d < 2; d++) {
		struct pc_fault_config f = o->dir[d];

		f.pool = pool;
		f.seed = o->dir[d].seed * 1000 + 2 * (uint64_t)(index / o->alike) + (unsigned)d;
		l->end[d] = pc_port_fault(ports[d], &f);
		if (l->end[d] != NULL)
			continue;
		for (int i = d; i < 2; i++)
			pc_port_close(ports[i]);
		link_close(l);
		return -1;
	}
	return 0;
}

static unsigned carry(struct link *l, int from, uint64_t now_ns)
{
	struct pc_port *in = l->end[from], *out = l->end[!from];
	struct rte_mbuf *m[LINK_BURST];
	uint16_t n = in->ops->rx_burst(in, m, LINK_BURST, now_ns);
	uint16_t sent = n == 0 ? 0 : out->ops->tx_burst(out, m, n, now_ns);

	l->refused[!from] += (uint64_t)(n - sent);
	if (sent < n)
		rte_pktmbuf_free_bulk(m + sent, (unsigned)(n - sent));
	return n;
}

unsigned link_turn(struct link *l, uint64_t now_ns)
{
	return carry(l, 0, now_ns) + carry(l, 1, now_ns);
}

uint64_t link_next(const struct link *l)
{
	uint64_t a = l->end[0]->ops->next_deadline(l->end[0]);
	uint64_t b = l->end[1]->ops->next_deadline(l->end[1]);

	return a < b ? a : b;
}

void link_report(const struct link *l, unsigned index, FILE *out)
{
	for (int d = 0; d < 2; d++) {
		struct pc_fault_stats s;

		pc_port_fault_stats(l->end[d], &s);
		fprintf(out,
		        "link %u %s: %" PRIu64 " frames, %" PRIu64 " lost (%" PRIu64
		        " in bursts, %" PRIu64 " acks), %" PRIu64 " overflowed, %" PRIu64
		        " too big, %" PRIu64 " reordered, %" PRIu64 " duplicated, %" PRIu64
		        " corrupted, %" PRIu64 " marked, %" PRIu64 " refused\n",
		        index, d == 0 ? "ab" : "ba", s.rx, s.rx_lost, s.burst_lost, s.ack_lost,
		        s.overflowed, s.too_big, s.reordered, s.duplicated, s.corrupted, s.marked,
		        l->refused[!d]);
	}
}

void link_close(struct link *l)
{
	for (int d = 0; d < 2; d++)
		pc_port_close(l->end[d]);
	*l = (struct link){0};
}
