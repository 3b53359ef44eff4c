/* SPDX-License-Identifier: BSD-2-Clause */

/* A stack alone on a link with a model; see config_bed.h. */

#include "config_bed.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_mempool.h>

#include "draw.h"
#include "eal.h"

#define MBUFS     1023
#define RESTLESS  100000 /* turns at one time that are too many */
#define VALIDATED 64     /* turns between two validations of all structures */

static bool verbose;

double bed_seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

uint64_t bed_draw(struct bed *b, uint64_t low, uint64_t high)
{
	return draw_from(&b->random, low, high);
}

bool bed_chance(struct bed *b, unsigned percent)
{
	return bed_draw(b, 1, 100) <= percent;
}

static void print(const struct bed *b, const char *format, va_list args)
{
	fprintf(stderr, "%s: seed %" PRIu64 ": %.6f s: ", b->model->name, b->seed,
	        bed_seconds(b->now));
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void bed_fail(struct bed *b, const char *format, ...)
{
	va_list args;

	if (b->failed)
		return;
	b->failed = true;
	va_start(args, format);
	print(b, format, args);
	va_end(args);
	for (unsigned i = 0; verbose && i < PC_COUNTER_MAX; i++)
		if (pc_stack_counters(b->st)->value[i] != 0)
			bed_log(b, "%s %" PRIu64, pc_counter_name(i),
			        pc_stack_counters(b->st)->value[i]);
}

void bed_log(struct bed *b, const char *format, ...)
{
	va_list args;

	if (!verbose)
		return;
	va_start(args, format);
	print(b, format, args);
	va_end(args);
}

/* ---- life ------------------------------------------------------------------------------------ */

void bed_begin(struct bed *b, const struct bed_model *model, uint64_t seed,
               struct rte_mempool *pool)
{
	*b = (struct bed){.model = model,
	                  .seed = seed,
	                  .random = seed * UINT64_C(0x9e3779b97f4a7c15),
	                  .pool = pool};
	for (unsigned i = 0; i < 8; i++)
		(void)bed_draw(b, 0, 1);
	b->now = bed_draw(b, 1, 1000) * SECOND + bed_draw(b, 0, SECOND);
	pc_stack_config_init(&b->cfg);
	b->cfg.stack_mbufs = pool->size;
	b->cfg.stack_seed = seed;
}

void bed_open(struct bed *b)
{
	char why[200] = "";

	b->probe = probe_open(&(struct probe_config){.pool = b->pool});
	probe_answer_arp(b->probe, false);
	if (pc_stack_config_check(&b->cfg, why, sizeof(why)) == 0)
		b->st = pc_stack_create(&b->cfg, b->pool);
	if (b->st == NULL || pc_stack_add_port(b->st, probe_port(b->probe)) != 0) {
		fprintf(stderr, "%s: no stack: %s\n", b->model->name, why);
		exit(1);
	}
}

bool bed_close(struct bed *b)
{
	const uint32_t in_use = eal_in_use(b->pool);

	(void)in_use;
	pc_stack_destroy(b->st);
	pc_port_close(probe_port(b->probe));
	free(b->post);
	if (eal_in_use(b->pool) != 0 || eal_freed_twice(b->pool) != 0)
		bed_fail(b, "%u mbufs are left, %u were freed twice", eal_in_use(b->pool),
		         eal_freed_twice(b->pool));
	return !b->failed;
}

/* ---- the link -------------------------------------------------------------------------------- */

void bed_say(struct bed *b, const struct frame *f, uint64_t delay_ns, unsigned tag)
{
	if (b->nb_posts == b->posts_size) {
		b->posts_size = b->posts_size * 2 + 16;
		b->post = realloc(b->post, b->posts_size * sizeof(*b->post));
		if (b->post == NULL)
			abort();
	}
	b->post[b->nb_posts++] = (struct bed_post){.at_ns = b->now + delay_ns, .tag = tag, .f = *f};
}

bool bed_is_up(const struct bed *b)
{
	return probe_port(b->probe)->info.link_up;
}

void bed_link(struct bed *b, bool up)
{
	bed_log(b, "the link is %s", up ? "up" : "down");
	probe_port(b->probe)->info.link_up = up;
	b->nb_posts = 0;
}

/* The next frame to arrive, of those at the same time the first said; nb_posts: none. */
static unsigned first_post(const struct bed *b)
{
	unsigned first = 0;

	for (unsigned i = 1; i < b->nb_posts; i++)
		if (b->post[i].at_ns < b->post[first].at_ns)
			first = i;
	return first;
}

/* One frame at a time, so that the model sees what each one causes. */
static bool deliver(struct bed *b)
{
	const unsigned i = first_post(b);
	unsigned tag;

	if (b->nb_posts == 0 || b->post[i].at_ns > b->now)
		return false;
	tag = b->post[i].tag;
	probe_inject(b->probe, &b->post[i].f);
	b->nb_posts--;
	for (unsigned k = i; k < b->nb_posts; k++)
		b->post[k] = b->post[k + 1];
	if (b->model->arrived != NULL)
		b->model->arrived(b, tag);
	return true;
}

static bool listen_to_all(struct bed *b)
{
	const struct frame *f;
	struct frame copy;
	bool any = false;

	while ((f = probe_sent(b->probe)) != NULL) {
		copy = *f;
		probe_take(b->probe);
		b->frames++;
		b->model->hear(b, &copy);
		any = true;
	}
	if (probe_wrong(b->probe) != NULL)
		bed_fail(b, "%s", probe_wrong(b->probe));
	return any;
}

/* ---- time ------------------------------------------------------------------------------------ */

static bool step(struct bed *b)
{
	bool did = deliver(b);

	did = pc_stack_poll(b->st, b->now) != 0 || did;
	if (b->model->client != NULL)
		b->model->client(b);
	pc_stack_flush(b->st, b->now);
	return listen_to_all(b) || did || probe_pending(b->probe) != 0;
}

void bed_turn(struct bed *b)
{
	unsigned turns = 0;

	if (b->model->due != NULL)
		b->model->due(b);
	while (step(b) && !b->failed)
		if (++turns == RESTLESS)
			bed_fail(b, "the stack never comes to rest");
	if (b->model->check != NULL && !b->failed)
		b->model->check(b);
	if (bed_draw(b, 1, VALIDATED) == 1 && pc_stack_validate(b->st, stderr) != 0)
		bed_fail(b, "a structure is broken");
}

static uint64_t next_event(struct bed *b)
{
	uint64_t ns = pc_stack_next_deadline(b->st);

	if (b->nb_posts != 0)
		ns = RTE_MIN(ns, b->post[first_post(b)].at_ns);
	if (b->model->client_next != NULL)
		ns = RTE_MIN(ns, b->model->client_next(b));
	return RTE_MIN(ns, b->model->next(b));
}

void bed_run(struct bed *b, uint64_t end_ns)
{
	while (!b->failed) {
		uint64_t next;

		bed_turn(b);
		if (b->most_frames != 0 && b->frames >= b->most_frames) {
			b->most_frames = 0;
			return;
		}
		next = RTE_MAX(next_event(b), b->now + 10 * US);
		if (next >= end_ns)
			break;
		b->now = next;
	}
	b->now = RTE_MAX(b->now, end_ns);
	if (!b->failed)
		bed_turn(b);
}

int bed_main(int argc, char **argv, uint64_t last,
             bool (*run)(uint64_t seed, struct rte_mempool *pool))
{
	uint64_t first = 1;
	unsigned failed = 0;
	struct rte_mempool *pool;

	if (argc > 1)
		first = last = strtoull(argv[1], NULL, 10);
	verbose = argc == 2;
	if (argc > 2)
		last = strtoull(argv[2], NULL, 10);
	eal_start();
	pool = eal_pool("bed", MBUFS);
	for (uint64_t seed = first; seed <= last; seed++)
		failed += !run(seed, pool);
	printf("%" PRIu64 " seeds, %u failed\n", last - first + 1, failed);
	return failed != 0;
}
