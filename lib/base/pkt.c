/* SPDX-License-Identifier: BSD-2-Clause */

/* Reserves struct pkt among the dynamic fields of an mbuf; see pkt.h. */

#include "base/pkt.h"

#include <errno.h>
#include <rte_errno.h>
#include <rte_mbuf_dyn.h>
#include <stdalign.h>

int pkt_register(void)
{
	static const struct rte_mbuf_dynfield field = {
	    .name = "percore_dynfield_pkt",
	    .size = sizeof(struct pkt),
	    .align = alignof(struct pkt),
	};

	/* DPDK accepts a repeated registration with the same name, size and offset */
	if (rte_mbuf_dynfield_register_offset(&field, PKT_OFFSET) != PKT_OFFSET)
		return -EEXIST;
	return 0;
}

void pktq_free(struct pktq *q)
{
	struct rte_mbuf *m;

	while ((m = pktq_pop(q)) != NULL)
		rte_pktmbuf_free(m);
}
