/* SPDX-License-Identifier: BSD-2-Clause */
/* Bindings: who may have a name, and who gets a connection. */

#include <rte_common.h>

#include "../unit.h"
#include "base/hash.h"
#include "fixture.h"

/* a socket with these flags that has a name; state LISTEN if it listens */
static uint32_t named(uint16_t laddr, uint16_t port, uint32_t flags, bool listening)
{
	struct tcb *t = tcp_socket(tcp);
	uint32_t index;

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	index = bindings_add(&tcp->bind, tcp_index(tcp, t), laddr, port, BINDING_IP4);
	CU_ASSERT_NOT_EQUAL_FATAL(index, 0);
	t->flags |= flags | TCB_BOUND;
	t->binding = (uint16_t)index;
	t->flow.laddr = laddr;
	t->flow.lport = port;
	if (listening) {
		tcp->bind.binding[index].listening = true;
		tcp->bind.listeners++;
		t->state = TCP_S_LISTEN;
	}
	return index;
}

static void close_named(uint32_t index)
{
	tcp_close(tcp, tcp_tcb(tcp, tcp->bind.binding[index].tcb));
}

#define RA TCB_REUSEADDR
#define RP TCB_REUSEPORT

static const struct {
	uint32_t old_flags;
	bool listens;
	uint32_t new_flags;
	bool conflict;
} conflicts[] = {
    {0, false, 0, true},
    {0, true, 0, true},
    {RA, false, 0, true},
    {0, false, RA, true},
    {RA, false, RA, false},
    {RA, true, RA, true},
    {RP, false, 0, true},
    {0, false, RP, true},
    {RP, false, RP, false},
    {RP, true, RP, false},
    {RA, false, RP, true},
    {RP, true, RA, true},
    {RA | RP, true, RA, true},
    {RA | RP, false, RA, false},
    {RA | RP, true, RP, false},
    {RA, true, RA | RP, true},
    {RA | RP, true, RA | RP, false},
};

/* every row, on the same address and on overlapping ones; never on different addresses or ports */
static void test_conflicts(void)
{
	static const uint16_t overlap[][2] = {
	    {0, 0}, {LADDR_NONE, 0}, {0, LADDR_NONE}, {LADDR_NONE, LADDR_NONE}};

	start();
	for (size_t i = 0; i < RTE_DIM(conflicts); i++) {
		const uint32_t flags = conflicts[i].new_flags;

		for (size_t k = 0; k < RTE_DIM(overlap); k++) {
			const uint16_t old = overlap[k][0], new = overlap[k][1];
			uint32_t b = named(old, 80, conflicts[i].old_flags, conflicts[i].listens);

			CU_ASSERT_EQUAL(bindings_conflict(tcp, new, 80, flags, 0),
			                conflicts[i].conflict);
			CU_ASSERT_FALSE(bindings_conflict(tcp, new, 80, flags, b));
			CU_ASSERT_FALSE(bindings_conflict(tcp, new, 81, flags, 0));
			/* of the same chain, yet another port */
			CU_ASSERT_FALSE(
			    bindings_conflict(tcp, new, 80 + BINDING_BUCKETS, flags, 0));
			close_named(b);
		}
		close_named(named(0, 80, conflicts[i].old_flags, conflicts[i].listens));
	}
	named(0, 80, 0, true);
	CU_ASSERT_FALSE(bindings_conflict(tcp, 1, 80, 0, 0));
	finish();
}

static void test_exact_first(void)
{
	uint32_t any, exact, other;

	start();
	any = named(LADDR_NONE, 80, 0, true);
	CU_ASSERT_EQUAL(bindings_listener(&tcp->bind, BINDING_IP4, 0, 80, 1), any);
	exact = named(0, 80, 0, true);
	other = named(1, 80, 0, false);
	for (uint32_t hash = 0; hash < 100; hash++) {
		CU_ASSERT_EQUAL(bindings_listener(&tcp->bind, BINDING_IP4, 0, 80, hash), exact);
		CU_ASSERT_EQUAL(bindings_listener(&tcp->bind, BINDING_IP4, 1, 80, hash), any);
	}
	CU_ASSERT_EQUAL(bindings_listener(&tcp->bind, BINDING_IP4, 0, 81, 0), 0);
	CU_ASSERT_EQUAL(bindings_listener(&tcp->bind, BINDING_IP4, 0, 80 + BINDING_BUCKETS, 0), 0);
	close_named(any);
	CU_ASSERT_EQUAL(bindings_listener(&tcp->bind, BINDING_IP4, 1, 80, 0),
	                0);                   /* bound is not listening */
	any = named(LADDR_NONE, 80, 0, true); /* the order of binding does not matter */
	CU_ASSERT_EQUAL(bindings_listener(&tcp->bind, BINDING_IP4, 0, 80, 5), exact);
	close_named(exact);
	CU_ASSERT_EQUAL(bindings_listener(&tcp->bind, BINDING_IP4, 0, 80, 5), any);
	close_named(other);
	finish();
}

/* SO_REUSEPORT: every listener gets its share, and a flow always the same one */
static void test_spread(void)
{
	enum { MOST = 8, FLOWS = 40000 };

	for (unsigned n = 1; n <= MOST; n++) {
		uint32_t hits[64] = {0}, index[MOST];
		const struct hash_key key = {{1, 2}};

		start();
		for (unsigned i = 0; i < n; i++)
			index[i] = named(i % 2 ? LADDR_NONE : 0, 80, RP, false);
		for (unsigned i = 0; i < n; i++) { /* exact and any do not mix */
			tcp->bind.binding[index[i]].laddr = 0;
			tcp->bind.binding[index[i]].listening = true;
			tcp_tcb(tcp, tcp->bind.binding[index[i]].tcb)->state = TCP_S_LISTEN;
			tcp->bind.listeners++;
		}
		for (uint64_t f = 0; f < FLOWS; f++) {
			const uint64_t v[3] = {f, 0, 7};
			const uint32_t hash = (uint32_t)hash24(&key, v);
			const uint32_t l = bindings_listener(&tcp->bind, BINDING_IP4, 0, 80, hash);

			CU_ASSERT_EQUAL_FATAL(
			    l, bindings_listener(&tcp->bind, BINDING_IP4, 0, 80, hash));
			hits[l]++;
		}
		for (unsigned i = 0; i < n; i++)
			CU_ASSERT(hits[index[i]] > FLOWS / n * 8 / 10 &&
			          hits[index[i]] < FLOWS / n * 12 / 10);
		finish();
	}
}

static void test_pool(void)
{
	struct bindings b;
	uint32_t last = 0;

	CU_ASSERT_EQUAL_FATAL(bindings_init(&b, 3, -1), 0);
	for (uint32_t i = 1; i <= 3; i++)
		CU_ASSERT((last = bindings_add(&b, i, 0, (uint16_t)(80 + (i & 1) * BINDING_BUCKETS),
		                               BINDING_IP4)) != 0);
	CU_ASSERT_EQUAL(bindings_add(&b, 4, 0, 80, BINDING_IP4), 0);
	for (uint32_t i = 1; i <= 3; i++)
		b.binding[i].listening = true;
	b.listeners = 3;
	CU_ASSERT_NOT_EQUAL(bindings_listener(&b, BINDING_IP4, 0, 80, 0), 0);
	bindings_del(&b, 2); /* from the middle of a chain, the front, the end */
	bindings_del(&b, 3);
	CU_ASSERT_EQUAL(b.listeners, 1);
	CU_ASSERT_EQUAL(bindings_listener(&b, BINDING_IP4, 0, 80, 0), 0);
	bindings_del(&b, 1);
	CU_ASSERT_EQUAL(b.listeners, 0);
	for (unsigned i = 0; i < BINDING_BUCKETS; i++)
		CU_ASSERT_EQUAL(b.chain[i], 0);
	for (uint32_t i = 1; i <= 3; i++)
		CU_ASSERT_NOT_EQUAL(bindings_add(&b, i, 0, 80, BINDING_IP4), 0);
	bindings_fini(&b);
	(void)last;
}

static void test_queue(void)
{
	struct tcb *t[3], *l;
	uint32_t b;

	start();
	l = listener(80, 1);
	b = l->binding;
	CU_ASSERT_PTR_NULL(listener_pop(tcp, b));
	for (int i = 0; i < 3; i++) {
		t[i] = conn(0);
		t[i]->flags &= ~(uint32_t)TCB_OPEN;
		t[i]->poll = (struct pollable){0};
	}
	listener_push(tcp, b, t[0]);
	CU_ASSERT_FALSE(listener_is_full(&tcp->bind.binding[b]));
	listener_push(tcp, b, t[1]);
	CU_ASSERT(
	    listener_is_full(&tcp->bind.binding[b])); /* one more than the backlog, as Linux */
	CU_ASSERT_PTR_EQUAL(listener_pop(tcp, b), t[0]);
	listener_push(tcp, b, t[2]);
	CU_ASSERT(t[2]->flags & TCB_PENDING);
	CU_ASSERT_PTR_EQUAL(listener_pop(tcp, b), t[1]);
	CU_ASSERT_PTR_EQUAL(listener_pop(tcp, b), t[2]);
	CU_ASSERT_PTR_NULL(listener_pop(tcp, b));
	CU_ASSERT_FALSE(t[2]->flags & TCB_PENDING);
	for (int i = 0; i < 3; i++)
		tcb_abort(tcp, t[i], 0);
	finish();
}

static const struct unit_case cases[] = {
    {"who may have a name", test_conflicts},
    {"an exact address goes before any", test_exact_first},
    {"SO_REUSEPORT shares evenly", test_spread},
    {"bindings come and go", test_pool},
    {"the accept queue", test_queue},
};

TCP_UNIT_MAIN("listener")
