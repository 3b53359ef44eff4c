/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bindings and listeners.
 *
 * A binding is in the hash chain of its port.  The accept queue is a list of TCBs linked by
 * poll.data, which has no other use until there is a descriptor.
 */
#include "tcp/listener.h"

#include <errno.h>

#include <rte_malloc.h>

#include "tcp/tcp.h"

uint64_t bindings_footprint(uint32_t n)
{
	return (uint64_t)(n + 1) * sizeof(struct binding);
}

int bindings_init(struct bindings *b, uint32_t n, int socket_id)
{
	*b = (struct bindings){.n = n, .free.n = n};
	b->binding = rte_zmalloc_socket("pc_bind", bindings_footprint(n), 0, socket_id);
	return b->binding != NULL ? 0 : -ENOMEM;
}

void bindings_fini(struct bindings *b)
{
	rte_free(b->binding);
	b->binding = NULL;
}

uint8_t bindings_families(uint32_t flags)
{
	if (!(flags & TCB_IP6))
		return BINDING_IP4;
	return (flags & TCB_V6ONLY) ? BINDING_IP6 : BINDING_IP4 | BINDING_IP6;
}

uint32_t bindings_add(struct bindings *b, uint32_t tcb, uint16_t laddr, uint16_t port,
                      uint8_t families)
{
	uint16_t *chain = &b->chain[port % BINDING_BUCKETS];
	uint32_t index = freelist_next(&b->free);
	struct binding *l = &b->binding[index];

	if (index == 0)
		return 0;
	freelist_take(&b->free, l->next);
	*l = (struct binding){
	    .tcb = tcb, .laddr = laddr, .port = port, .families = families, .next = *chain};
	*chain = (uint16_t)index;
	return index;
}

void bindings_del(struct bindings *b, uint32_t index)
{
	struct binding *l = &b->binding[index];
	uint16_t *chain = &b->chain[l->port % BINDING_BUCKETS];

	if (*chain == index) {
		*chain = (uint16_t)l->next;
	} else {
		uint32_t i = *chain;

		while (b->binding[i].next != index)
			i = b->binding[i].next;
		b->binding[i].next = l->next;
	}
	if (l->listening)
		b->listeners--;
	*l = (struct binding){.next = freelist_give(&b->free, index)};
}

/* Says whether a name has an address in common with a binding. A socket that has connected since
 * then has the address of its connection. */
static bool binding_overlaps(const struct tcp *tcp, const struct binding *l, uint16_t laddr,
                             uint8_t families)
{
	const uint16_t theirs = tcp_tcb(tcp, l->tcb)->flow.laddr;

	if (laddr != LADDR_NONE && theirs != LADDR_NONE)
		return laddr == theirs;
	if (laddr != LADDR_NONE)
		families = binding_family(ip_laddr_name(tcp->ip, laddr));
	if (theirs != LADDR_NONE)
		return (binding_family(ip_laddr_name(tcp->ip, theirs)) & families) != 0;
	return (l->families & families) != 0;
}

/* Linux's rule: the same port on overlapping addresses needs SO_REUSEPORT on both, or SO_REUSEADDR on
 * both while neither listens */
bool bindings_conflict(const struct tcp *tcp, uint16_t laddr, uint16_t port, uint32_t flags,
                       uint32_t except)
{
	const struct bindings *b = &tcp->bind;

	for (uint32_t i = b->chain[port % BINDING_BUCKETS]; i != 0; i = b->binding[i].next) {
		const struct binding *l = &b->binding[i];
		const uint32_t both = tcp_tcb(tcp, l->tcb)->flags & flags;

		if (i == except || l->port != port || l->lapsed ||
		    !binding_overlaps(tcp, l, laddr, bindings_families(flags)))
			continue;
		if (!(both & TCB_REUSEPORT) && !((both & TCB_REUSEADDR) && !l->listening))
			return true;
	}
	return false;
}

/* does the nth of n listeners win over those before it? The flow alone decides, and each listener
 * has the same chance */
static bool wins(uint32_t hash, uint32_t n)
{
	uint32_t x = (hash ^ n * 0x9e3779b1u) * 0x85ebca6bu;

	x = (x ^ x >> 15) * 0xc2b2ae35u;
	return (uint64_t)(x ^ x >> 16) * n >> 32 == 0;
}

/* How well a listener fits, 0: not at all. Being bound to the address counts for more than having
 * only that family. */
static unsigned fit(const struct binding *l, uint8_t family, uint16_t laddr, uint16_t port)
{
	const unsigned alone = l->families == family;

	if (!l->listening || l->port != port)
		return 0;
	if (l->laddr == laddr)
		return 3 + alone;
	return l->laddr == LADDR_NONE && (l->families & family) ? 1 + alone : 0;
}

uint32_t bindings_listener(const struct bindings *b, uint8_t family, uint16_t laddr, uint16_t port,
                           uint32_t hash)
{
	uint32_t best = 0, same = 0;
	unsigned best_fit = 1;

	for (uint32_t i = b->chain[port % BINDING_BUCKETS]; i != 0; i = b->binding[i].next) {
		const unsigned f = fit(&b->binding[i], family, laddr, port);

		if (f < best_fit)
			continue;
		same = f > best_fit ? 1 : same + 1;
		best_fit = f;
		if (same == 1 || wins(hash, same))
			best = i;
	}
	return best;
}

void listener_push(struct tcp *tcp, uint32_t binding, struct tcb *t)
{
	struct binding *l = &tcp->bind.binding[binding];
	uint32_t index = tcp_index(tcp, t);

	t->poll.data = 0;
	t->flags |= TCB_PENDING;
	if (l->accept_head == 0)
		l->accept_head = index;
	else
		tcp_tcb(tcp, l->accept_tail)->poll.data = index;
	l->accept_tail = index;
	l->accept_n++;
}

struct tcb *listener_pop(struct tcp *tcp, uint32_t binding)
{
	struct binding *l = &tcp->bind.binding[binding];
	struct tcb *t;

	if (l->accept_head == 0)
		return NULL;
	t = tcp_tcb(tcp, l->accept_head);
	l->accept_head = (uint32_t)t->poll.data;
	l->accept_n--;
	t->flags &= ~(uint32_t)TCB_PENDING;
	t->poll.data = 0;
	return t;
}
