/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lcores share no cache line that is written while they work.
 *
 * Two of them are made as a program makes them, each with a pool, a wire and the stacks at both ends; then
 * connections echo on one, and every byte of memory that could have changed is compared with what it was:
 * all that DPDK's heap has given away, and the variables of percore itself.  A line that changed belongs to
 * what was made for the one that worked.  It is the addresses that are looked at, so one thread does.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "pair.h"

#define LINE   64
#define BLOCKS 4096
#define TURNS  400

/* A piece of memory that the heap has given away, its header included, and who asked for it. */
struct block {
	const char *at;
	size_t len;
	int owner; /* index of a worker; -1: nobody of them */
};

struct blocks {
	unsigned n;
	struct block block[BLOCKS];
};

/* where the linker puts the variables of this program, percore among it */
extern char __data_start[], _end[];

/* ---- what memory there is -------------------------------------------------------------------- */

static bool knows(const struct blocks *b, const char *at)
{
	for (unsigned i = 0; i < b->n; i++)
		if (b->block[i].at == at)
			return true;
	return false;
}

/* Adds what the heap has given away and is not known yet. The only way to ask it is what it prints. */
static void read_heap(struct blocks *b, int owner)
{
	char *text = NULL, *line, *rest = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct block found = {.owner = owner};
	char state[16] = "";

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	rte_malloc_dump_heaps(f);
	fclose(f);
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		void *at;

		if (sscanf(line, "Malloc element at %p (%15[A-Z])", &at, state) == 2)
			found.at = at;
		else if (strcmp(state, "BUSY") == 0 && sscanf(line, " len: %zx", &found.len) == 1 &&
		         !knows(b, found.at)) {
			CU_ASSERT_FATAL(b->n < BLOCKS);
			b->block[b->n++] = found;
		}
	}
	free(text);
}

static void check_alignment(const struct blocks *b)
{
	for (unsigned i = 1; i < b->n; i++)
		CU_ASSERT((uintptr_t)b->block[i].at % LINE == 0 && b->block[i].len % LINE == 0);
}

/* ---- what has changed ------------------------------------------------------------------------ */

static char *copy_all(const struct blocks *b)
{
	size_t total = 0, done = 0;
	char *copy;

	for (unsigned i = 0; i < b->n; i++)
		total += b->block[i].len;
	copy = malloc(total);
	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	for (unsigned i = 0; i < b->n; done += b->block[i++].len)
		memcpy(copy + done, b->block[i].at, b->block[i].len);
	return copy;
}

/* Counts the lines that are not as they were: those of a worker, and those of anybody else. */
static void count_changes(const struct blocks *b, const char *before, int worker, unsigned *own,
                          unsigned *others)
{
	size_t done = 0;

	*own = *others = 0;
	for (unsigned i = 0; i < b->n; done += b->block[i++].len) {
		const struct block *p = &b->block[i];

		for (size_t at = 0; at < p->len; at += LINE)
			if (memcmp(before + done + at, p->at + at,
			           RTE_MIN(p->len - at, (size_t)LINE)) != 0)
				(*(p->owner == worker ? own : others))++;
	}
}

static void work_alone(struct pair *w, int index, const struct blocks *all)
{
	char *before = copy_all(all);
	unsigned own, others;
	uint64_t echoes = w->echoes;

	for (int i = 0; i < TURNS; i++)
		pair_turn(w);
	count_changes(all, before, index, &own, &others);
	CU_ASSERT(w->echoes - echoes > TURNS);
	CU_ASSERT(own > 100);
	CU_ASSERT_EQUAL(others, 0);
	free(before);
}

static void test_lines(void)
{
	struct pair w[2] = {{.now_ns = MS}, {.now_ns = MS}};
	struct blocks *all = calloc(1, sizeof(*all));

	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	all->block[all->n++] =
	    (struct block){.at = __data_start, .len = (size_t)(_end - __data_start), .owner = -1};
	read_heap(all, -1);
	pair_make(&w[0], "lines0");
	read_heap(all, 0);
	pair_make(&w[1], "lines1");
	read_heap(all, 1);
	check_alignment(all);
	for (int i = 0; i < 20; i++) {
		pair_turn(&w[0]);
		pair_turn(&w[1]);
	}
	work_alone(&w[0], 0, all);
	work_alone(&w[1], 1, all);
	pair_close(&w[0]);
	pair_close(&w[1]);
	free(all);
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"lcores write to no line that another one uses", test_lines},
	};

	return box_program("stack/lines", cases, sizeof(cases) / sizeof(cases[0]));
}
