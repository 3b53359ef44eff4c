/* SPDX-License-Identifier: BSD-2-Clause */
/* The ready list: each descriptor at most once, also when its number is used again. */

#include "event/event.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_malloc.h>

#include "../../support/eal.h"
#include "../unit.h"

#define NB_SETS 3
#define NB      100

static struct events ev;

static void start(void)
{
	CU_ASSERT_EQUAL_FATAL(events_init(&ev, NB_SETS, NB, -1), 0);
}

static struct pollable member(uint8_t set, uint32_t interest)
{
	return (struct pollable){.set = set, .interest = interest};
}

/* takes one descriptor out of a set as epoll does; 0: none */
static uint32_t pop(uint32_t set, struct pollable *p)
{
	uint32_t fd;

	if (!event_pop(&ev, set, &fd))
		return 0;
	p->flags &= (uint16_t)~POLLABLE_QUEUED;
	return fd;
}

static void test_once(void)
{
	struct pollable p = member(1, EPOLLIN);
	uint32_t fd;

	start();
	for (int i = 0; i < 1000; i++)
		event_push(&ev, &p, 7);
	CU_ASSERT_EQUAL(event_count(&ev, 0), 1);
	CU_ASSERT_EQUAL(pop(0, &p), 7);
	CU_ASSERT_FALSE(event_pop(&ev, 0, &fd));
	event_push(&ev, &p, 7);
	CU_ASSERT_EQUAL(pop(0, &p), 7);
	events_fini(&ev);
}

static void test_order(void)
{
	struct pollable p[5];

	start();
	for (uint32_t i = 0; i < 5; i++) {
		p[i] = member(2, EPOLLIN);
		event_push(&ev, &p[i], 10 + i);
	}
	event_push(&ev, &p[2], 12);
	CU_ASSERT_EQUAL(event_count(&ev, 1), 5);
	CU_ASSERT_EQUAL(event_count(&ev, 0), 0);
	for (uint32_t i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(pop(1, &p[i]), 10 + i);
	events_fini(&ev);
}

/* room for every descriptor at once, in each set, round after round across the ring's end */
static void test_full(void)
{
	static struct pollable p[NB];
	bool ok = true;

	start();
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < NB; i++) {
			p[i].set = (uint8_t)(1 + round % NB_SETS);
			event_push(&ev, &p[i], i + 1);
		}
		ok &= event_count(&ev, round % NB_SETS) == NB;
		for (uint32_t i = 0; i < NB; i++)
			ok &= pop(round % NB_SETS, &p[i]) == i + 1;
	}
	CU_ASSERT(ok);
	events_fini(&ev);
}

/* rings of the sizes where a power of two is just, or just not, enough */
static void test_sizes(void)
{
	for (uint32_t n = 1; n < 70; n++) {
		CU_ASSERT_EQUAL_FATAL(events_init(&ev, 1, n, -1), 0);
		for (uint32_t i = 0; i < n; i++) {
			struct pollable p = member(1, EPOLLIN);

			event_push(&ev, &p, i);
		}
		CU_ASSERT_EQUAL(event_count(&ev, 0), n);
		events_fini(&ev);
	}
}

/* the flag outlives the socket: a new one with the same number counts as queued until it is popped */
static void test_sticky(void)
{
	struct pollable p = member(1, EPOLLIN);

	start();
	event_push(&ev, &p, 9);
	p = pollable_renewed(&p); /* closed, and opened again */
	p.set = 2;
	p.interest = EPOLLIN;
	event_notify(&ev, &p, 9, EPOLLIN);
	CU_ASSERT_EQUAL(event_count(&ev, 0), 1);
	CU_ASSERT_EQUAL(event_count(&ev, 1), 0);
	CU_ASSERT_EQUAL(pop(0, &p), 9);
	event_notify(&ev, &p, 9, EPOLLIN);
	CU_ASSERT_EQUAL(pop(1, &p), 9);
	events_fini(&ev);
}

static void test_notify(void)
{
	struct pollable none = member(0, EPOLLIN), p = member(1, EPOLLIN | EPOLLET);

	start();
	event_notify(&ev, &none, 3, EPOLLIN | EPOLLERR);
	event_notify(&ev, &p, 4, EPOLLOUT);
	CU_ASSERT_EQUAL(event_count(&ev, 0), 0);
	event_notify(&ev, &p, 4, EPOLLIN);
	CU_ASSERT_EQUAL(pop(0, &p), 4);
	event_notify(&ev, &p, 4, EPOLLHUP); /* always of interest */
	CU_ASSERT_EQUAL(pop(0, &p), 4);
	event_notify(&ev, &p, 4, EPOLLERR);
	CU_ASSERT_EQUAL(pop(0, &p), 4);
	p.flags |= POLLABLE_SPENT;
	event_notify(&ev, &p, 4, EPOLLIN | EPOLLERR);
	CU_ASSERT_EQUAL(event_count(&ev, 0), 0);
	p.flags = 0;
	event_notify(&ev, &p, 4, EPOLLIN);
	CU_ASSERT_EQUAL(event_count(&ev, 0), 1);
	events_fini(&ev);
}

/* against a model: what is pushed and not popped, in order */
static void test_model(void)
{
	static struct pollable p[NB];
	static uint32_t fifo[100000];
	uint32_t head = 0, tail = 0;
	unsigned seed = 7;
	bool ok = true;

	memset(p, 0, sizeof(p));
	start();
	for (int i = 0; i < 90000; i++) {
		uint32_t fd = (uint32_t)rand_r(&seed) % NB, got;

		if (rand_r(&seed) % 3 != 0) {
			p[fd].set = 1;
			if (!(p[fd].flags & POLLABLE_QUEUED))
				fifo[tail++] = fd;
			event_push(&ev, &p[fd], fd);
		} else if (head == tail) {
			ok &= !event_pop(&ev, 0, &got);
		} else {
			ok &= event_pop(&ev, 0, &got) && got == fifo[head++];
			p[got].flags = 0;
		}
		ok &= event_count(&ev, 0) == tail - head;
	}
	CU_ASSERT(ok);
	events_fini(&ev);
}

static size_t allocated(void)
{
	struct rte_malloc_socket_stats stats;

	CU_ASSERT_EQUAL_FATAL(rte_malloc_get_socket_stats(0, &stats), 0);
	return stats.heap_allocsz_bytes;
}

/* all or nothing, and no more than the footprint but for the allocator's own headers */
static void test_memory(void)
{
	const size_t before = allocated();
	size_t taken;

	start();
	taken = allocated() - before;
	CU_ASSERT(taken >= events_footprint(NB_SETS, NB));
	CU_ASSERT(taken <= events_footprint(NB_SETS, NB) + (NB_SETS + 1) * 256);
	events_fini(&ev);
	CU_ASSERT_EQUAL(allocated(), before);
	CU_ASSERT_EQUAL(events_init(&ev, 60, 1u << 24, -1), -ENOMEM);
	CU_ASSERT_EQUAL(allocated(), before);
	events_fini(&ev); /* again, which does no harm */
}

static const struct unit_case cases[] = {
    {"a descriptor is queued at most once", test_once},
    {"first come, first told", test_order},
    {"a ring has room for every descriptor", test_full},
    {"a ring of any size has room", test_sizes},
    {"QUEUED outlives the socket", test_sticky},
    {"notify asks for interest, and whether it is asleep", test_notify},
    {"random pushes and pops against a model", test_model},
    {"memory: the footprint, all or nothing", test_memory},
};

int main(void)
{
	eal_start();
	return unit_run("event", cases, sizeof(cases) / sizeof(cases[0]));
}
