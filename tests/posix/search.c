/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: a search for differences between the kernel's socket calls and percore's. Each seed draws steps: calls with
 * right and wrong arguments on a few sockets of both families and kinds, which talk to each other over loopback, and
 * which are in sets of epoll. Both sides make them, and every result must be the same.
 *
 * What a step does follows from the seed and its number alone, so that steps can be left out: of a seed that fails, those
 * that do not matter are.
 *
 * `search FIRST LAST` runs some seeds. Times are real, so a difference is looked at again, as in live.c.
 */

#include "search.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "eal.h"

#define STEPS       48
#define TRIES       3
#define FIRST_PORT  2000
#define PORT_BLOCKS 4900 /* of PORTS, below those that a kernel chooses */

static struct rte_mempool *pool;
static unsigned runs; /* each has ports of its own */

static void begin_world(struct world *w, struct live *l)
{
	*w = (struct world){.l = l, .base = (uint16_t)(FIRST_PORT + runs % PORT_BLOCKS * PORTS)};
	for (unsigned i = 0; i < SLOTS; i++)
		w->fd[i] = -1;
	for (int i = 0; i < OTHERS; i++)
		w->other[i] = search_number(w, eventfd(0, EFD_NONBLOCK), FIRST_NUMBER + SLOTS + i);
	for (int i = 0; i < SETS; i++)
		w->ep[i] =
		    search_number(w, l->c->epoll_create1(0), FIRST_NUMBER + SLOTS + OTHERS + i);
}

static void end_world(struct world *w)
{
	const struct linger now = {.l_onoff = 1};

	for (unsigned i = 0; i < SLOTS; i++)
		if (w->fd[i] >= 0) {
			w->l->c->setsockopt(w->fd[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
			w->l->c->close(w->fd[i]);
		}
	for (int i = 0; i < OTHERS; i++)
		w->l->c->close(w->other[i]);
	for (int i = 0; i < SETS; i++)
		w->l->c->close(w->ep[i]);
}

static void run_one(struct live *l, uint64_t seed, const bool *with)
{
	struct world w;

	signal(SIGPIPE, SIG_IGN);
	begin_world(&w, l);
	for (unsigned i = 0; i < STEPS; i++)
		if (with[i])
			search_step(&w, seed, i);
	end_world(&w);
}

/* Looks for the first line that differs, whose step is returned; prints the logs up to it. */
static unsigned find_difference(const struct bed *k, const struct bed *p, bool print)
{
	const char *a = k->log, *b = p->log;
	unsigned step = 0;

	while (*a != '\0' && *b != '\0') {
		const int la = (int)strcspn(a, "\n"), lb = (int)strcspn(b, "\n");

		if (*a == '#')
			step = (unsigned)strtoul(a + 1, NULL, 10);
		if (la != lb || strncmp(a, b, (size_t)la) != 0) {
			if (print)
				printf("! kernel:  %.*s\n! percore: %.*s\n", la, a, lb, b);
			return step;
		}
		if (print)
			printf("  %.*s\n", la, a);
		a += la + (a[la] == '\n');
		b += lb + (b[lb] == '\n');
	}
	return step;
}

/* Whether the results are the same; if not, *step is the first step whose results are not. */
static bool run_both(uint64_t seed, const bool *with, bool print, unsigned *step)
{
	struct live k, p;
	bool same;

	runs++;
	live_kernel(&k);
	run_one(&k, seed, with);
	bed_log(&k.bed, ".\n");
	live_percore(&p, pool);
	run_one(&p, seed, with);
	bed_log(&p.bed, ".\n");
	same = k.bed.log_len == p.bed.log_len && memcmp(k.bed.log, p.bed.log, k.bed.log_len) == 0;
	if (!same)
		*step = find_difference(&k.bed, &p.bed, print);
	live_end(&k);
	live_end(&p);
	return same;
}

/* Whether a difference persists; then steps that come after it are left out. */
static bool differs(uint64_t seed, bool *with)
{
	unsigned step = 0;

	for (int i = 0; i < TRIES; i++)
		if (run_both(seed, with, false, &step))
			return false;
	while (++step < STEPS)
		with[step] = false;
	return true;
}

/* Leaves out what the difference does not need: halves first, then single steps. */
static void shrink(uint64_t seed, bool *with)
{
	for (unsigned size = STEPS / 2; size > 0; size /= 2)
		for (unsigned i = 0; i < STEPS; i += size) {
			bool less[STEPS], any = false;

			memcpy(less, with, sizeof(less));
			for (unsigned k = i; k < i + size && k < STEPS; k++) {
				any |= less[k];
				less[k] = false;
			}
			if (any && differs(seed, less))
				memcpy(with, less, sizeof(less));
		}
}

static bool run_seed(uint64_t seed)
{
	bool with[STEPS];
	unsigned step;
	const uint32_t in_use = eal_in_use(pool);

	memset(with, true, sizeof(with));
	if (differs(seed, with)) {
		shrink(seed, with);
		printf("seed %lu:\n", (unsigned long)seed);
		(void)run_both(seed, with, true, &step);
		fflush(stdout);
		return false;
	}
	if (eal_in_use(pool) != in_use) {
		printf("seed %lu: mbufs are missing\n", (unsigned long)seed);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	uint64_t first = 1, last = 60;
	unsigned failed = 0;

	if (argc != 1 && argc != 3) {
		fprintf(stderr, "usage: search [FIRST LAST]\n");
		return 2;
	}
	if (argc == 3) {
		first = strtoull(argv[1], NULL, 10);
		last = strtoull(argv[2], NULL, 10);
	}
	bed_own_network();
	eal_start();
	pool = eal_pool("search", 8191);
	for (uint64_t seed = first; seed <= last; seed++)
		failed += !run_seed(seed);
	printf("%lu seeds, %u failed\n", (unsigned long)(last - first + 1), failed);
	return failed != 0;
}
