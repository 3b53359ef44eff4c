/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: counters per port, which show for nearly every bind() that there is no conflict.
 * Otherwise all connections are scanned; this only happens to sockets that want a port which
 * connections have on another address, or without SO_REUSEADDR, and adds no cost to opening and
 * closing connections.
 */
#include "tcp/lports.h"

#include <errno.h>
#include <string.h>

#include <rte_malloc.h>

#include "tcp/tcp.h"

uint64_t lports_footprint(void)
{
	return (UINT16_MAX + 1) * sizeof(struct lport);
}

int lports_init(struct lports *p, int socket_id)
{
	p->of = rte_zmalloc_socket("pc_lports", lports_footprint(), RTE_CACHE_LINE_SIZE, socket_id);
	return p->of != NULL ? 0 : -ENOMEM;
}

void lports_fini(struct lports *p)
{
	rte_free(p->of);
	p->of = NULL;
}

/* ---- all connections -------------------------------------------------------------------------- */

struct walk {
	uint32_t tcb, tw; /* the next to look at */
};

/* Returns the next one, its TCB_REUSE* in *flags, or NULL: no more. */
static const struct tcp_flow *next_connection(const struct tcp *tcp, struct walk *w,
                                              uint32_t *flags)
{
	while (w->tcb <= tcp->free_tcbs.touched) {
		const struct tcb *t = tcp_tcb(tcp, w->tcb++);

		if (!(t->flags & TCB_IN_TABLE))
			continue;
		*flags = t->flags & (TCB_REUSEADDR | TCB_REUSEPORT);
		return &t->flow;
	}
	while (w->tw != 0) {
		const struct tw_entry *e = &tcp->tw.entry[w->tw];

		w->tw = e->next;
		if (!e->used)
			continue;
		*flags = timewait_flags(e);
		return &e->flow;
	}
	return NULL;
}

static struct walk begin_walk(const struct tcp *tcp)
{
	return (struct walk){.tcb = 1, .tw = tcp->tw.head};
}

/* Says whether a connection has the address, or one of those that LADDR_NONE stands for. */
static bool flow_overlaps(const struct tcp_flow *f, uint16_t laddr, uint8_t families)
{
	return laddr != LADDR_NONE ? f->laddr == laddr
	                           : (binding_family(&f->raddr) & families) != 0;
}

bool lports_conflict(const struct tcp *tcp, uint16_t laddr, uint16_t port, uint32_t flags)
{
	const struct lport *p = &tcp->lports.of[port];
	const uint8_t families = bindings_families(flags);
	struct walk w = begin_walk(tcp);
	const struct tcp_flow *f;
	uint32_t theirs;

	if (p->all == 0 || (p->firm == 0 && (flags & TCB_REUSEADDR)))
		return false;
	for (uint32_t left = p->all; left > 0 && (f = next_connection(tcp, &w, &theirs)) != NULL;) {
		if (f->lport != port)
			continue;
		left--;
		if (flow_overlaps(f, laddr, families) && !(theirs & flags))
			return true;
	}
	return false;
}

void lports_taken(const struct tcp *tcp, uint16_t laddr, uint32_t flags,
                  uint64_t taken[LPORTS_WORDS])
{
	const uint8_t families = bindings_families(flags);
	struct walk w = begin_walk(tcp);
	const struct tcp_flow *f;
	uint32_t theirs;

	memset(taken, 0, LPORTS_WORDS * sizeof(*taken));
	while ((f = next_connection(tcp, &w, &theirs)) != NULL)
		if (flow_overlaps(f, laddr, families))
			taken[f->lport / 64] |= UINT64_C(1) << f->lport % 64;
}

unsigned lports_validate(const struct tcp *tcp)
{
	struct walk w = begin_walk(tcp);
	const struct tcp_flow *f;
	uint32_t flags;
	unsigned bad = 0;

	while ((f = next_connection(tcp, &w, &flags)) != NULL) {
		const struct lport *p = &tcp->lports.of[f->lport];

		bad += p->all == 0 || p->firm > p->all;
		bad += !(flags & TCB_REUSEADDR) && p->firm == 0;
	}
	return bad;
}
