/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core_distance CPU CPU: how long a cache line takes from one CPU to the other and back, in ns: the
 * best of many rounds. Two CPUs of a virtual machine may share a cache or be far apart, and may be
 * moved while it runs, so a measurement between two CPUs says little without this number.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS   300
#define TRIPS    200
#define LIMIT_NS 2000000000

struct shared {
	_Alignas(128) atomic_uint there;
	_Alignas(128) atomic_uint back;
	_Alignas(128) atomic_bool end;
	int cpu;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static void *answer(void *arg)
{
	struct shared *s = arg;
	unsigned seen = 0, n;

	(void)pin(s->cpu);
	while (!atomic_load_explicit(&s->end, memory_order_relaxed)) {
		n = atomic_load_explicit(&s->there, memory_order_acquire);
		if (n == seen)
			continue;
		seen = n;
		atomic_store_explicit(&s->back, n, memory_order_release);
	}
	return NULL;
}

/* One round trip. Returns false if there is no response. */
static int trip(struct shared *s, unsigned n, uint64_t limit)
{
	unsigned spins = 0;

	atomic_store_explicit(&s->there, n, memory_order_release);
	while (atomic_load_explicit(&s->back, memory_order_acquire) != n)
		if (++spins % 1000000 == 0 && now_ns() > limit)
			return 0;
	return 1;
}

int main(int argc, char **argv)
{
	static struct shared s;
	uint64_t begin, limit = now_ns() + LIMIT_NS, best = UINT64_MAX, ns;
	pthread_t thread;
	unsigned n = 0;

	s.cpu = argc == 3 ? atoi(argv[2]) : 1;
	if (argc != 3 || pin(atoi(argv[1])) != 0 ||
	    pthread_create(&thread, NULL, answer, &s) != 0) {
		fprintf(stderr, "usage: core_distance CPU CPU\n");
		return 2;
	}
	for (int r = 0; r < ROUNDS && now_ns() < limit; r++) {
		int good = 1;

		begin = now_ns();
		for (int i = 0; i < TRIPS && good; i++)
			good = trip(&s, ++n, limit);
		ns = (now_ns() - begin) / TRIPS;
		if (good && ns < best)
			best = ns;
	}
	atomic_store(&s.end, true);
	pthread_join(thread, NULL);
	printf("%lld\n", best == UINT64_MAX ? -1LL : (long long)best);
	return 0;
}
