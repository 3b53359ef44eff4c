/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing is allocated while packets are worked on.
 *
 * The calls by which a process gets memory are this program's own here, for libc, DPDK and percore alike, and are counted:
 * malloc and its relatives, mmap, munmap, sbrk. After a warm-up two stacks exchange echoes, and connections come and go; then
 * the count must be what it was, and as much taken of DPDK's heap.
 *
 *   PERCORE_RUNS=5000000 unit_stack_allocs     that many turns, of 32 and more frames each
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pair.h"

#define WARM 2000
#define RUNS 4000

static uint64_t calls;

/* ---- what gives memory ----------------------------------------------------------------------- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

void *malloc(size_t size)
{
	calls++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	calls++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	calls++;
	return __libc_realloc(p, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	calls++;
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
	calls++;
	*p = __libc_memalign(alignment, size);
	return *p != NULL ? 0 : 12;
}

void free(void *p)
{
	calls++;
	__libc_free(p);
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	static void *(*real)(void *, size_t, int, int, int, off_t);

	calls++;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "mmap");
	return real(at, len, prot, flags, fd, offset);
}

int munmap(void *at, size_t len)
{
	static int (*real)(void *, size_t);

	calls++;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "munmap");
	return real(at, len);
}

void *sbrk(intptr_t more)
{
	static void *(*real)(intptr_t);

	calls++;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "sbrk");
	return real(more);
}

/* ---- the exchange ---------------------------------------------------------------------------- */

/* A connection more, which is greeted and closed. */
static void come_and_go(struct pair *p)
{
	struct sockaddr_in sin = {
	    .sin_family = AF_INET, .sin_port = htons(7), .sin_addr.s_addr = US};
	char greeting[8];
	const int fd = pc_socket(p->client.st, AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_FATAL(fd >= 0);
	(void)pc_connect(p->client.st, fd, (struct sockaddr *)&sin, sizeof(sin));
	for (int i = 0; i < 4; i++)
		pair_turn(p);
	CU_ASSERT_EQUAL(pc_recv(p->client.st, fd, greeting, sizeof(greeting), 0), 5);
	(void)pc_close(p->client.st, fd);
}

static void work(struct pair *p, uint64_t turns)
{
	for (uint64_t i = 0; i < turns; i++) {
		pair_turn(p);
		if (i % 100 == 0)
			come_and_go(p);
	}
}

static uint64_t frames(const struct pair *p)
{
	return pc_stack_counters(p->server.st)->value[PC_RX_FRAMES] +
	       pc_stack_counters(p->client.st)->value[PC_RX_FRAMES];
}

static void test_allocations(void)
{
	const char *runs = getenv("PERCORE_RUNS");
	struct pair p = {.now_ns = MS};
	uint64_t before, heap, seen;

	pair_make(&p, "allocs");
	CU_ASSERT(calls > 0); /* they are ours */
	work(&p, WARM);
	seen = frames(&p);
	heap = box_allocated();
	before = calls;
	work(&p, runs != NULL ? strtoull(runs, NULL, 10) : RUNS);
	before = calls - before;
	CU_ASSERT_EQUAL(before, 0);
	CU_ASSERT_EQUAL(box_allocated(), heap);
	seen = frames(&p) - seen;
	CU_ASSERT(seen > 30 * RUNS || runs != NULL);
	printf("%" PRIu64 " calls for memory in %" PRIu64 " frames\n", before, seen);
	pair_close(&p);
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"nothing is allocated while frames are worked on", test_allocations},
	};

	return box_program("stack/allocs", cases, sizeof(cases) / sizeof(cases[0]));
}
