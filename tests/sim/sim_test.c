/* SPDX-License-Identifier: BSD-2-Clause */

/* The simulation's command line: runs many seeds, or one again. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_mbuf.h>

#include "eal.h"
#include "sim.h"

#define POOL 16383

static void usage(const char *program)
{
	fprintf(stderr,
	        "usage: %s [--seeds N] [--first S]     run N seeds (500), beginning with S (1)\n"
	        "       %s --seed S [--pcap FILE]      run one seed and say more\n",
	        program, program);
	exit(2);
}

/* A pool without a cache: a cache's contents, and so when mbufs run out, depend on earlier runs. */
static struct rte_mempool *pool(const char *name, unsigned n)
{
	struct rte_mempool *p =
	    rte_pktmbuf_pool_create(name, n, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);

	if (p == NULL) {
		fprintf(stderr, "no mbuf pool %s: %s\n", name, rte_strerror(rte_errno));
		exit(1);
	}
	return p;
}

static uint64_t number(const char *program, const char *text)
{
	char *end;
	uint64_t n = text != NULL ? strtoull(text, &end, 0) : 0;

	if (text == NULL || *text == '\0' || *end != '\0')
		usage(program);
	return n;
}

int main(int argc, char **argv)
{
	static struct sim sim;
	uint64_t first = 1, n = 500, failed = 0, frames = 0, bytes = 0;
	const char *pcap = NULL;

	for (int i = 1; i < argc; i += 2) {
		if (strcmp(argv[i], "--seeds") == 0)
			n = number(argv[0], argv[i + 1]);
		else if (strcmp(argv[i], "--first") == 0)
			first = number(argv[0], argv[i + 1]);
		else if (strcmp(argv[i], "--seed") == 0)
			first = number(argv[0], argv[i + 1]), n = 1, sim.verbose = true;
		else if (strcmp(argv[i], "--pcap") == 0)
			pcap = argv[i + 1];
		else
			usage(argv[0]);
	}
	eal_start();
	sim.pool = pool("sim", POOL);
	sim.eaten = calloc(POOL, sizeof(*sim.eaten));
	sim.tiny[CLIENT] = pool("tiny of the client", 255);
	sim.tiny[SERVER] = pool("tiny of the server", 255);
	sim.tiny[SECOND] = pool("tiny of the second", 255);
	for (uint64_t seed = first; seed < first + n && failed < 10; seed++) {
		if (!sim_run(&sim, seed, pcap)) {
			fprintf(stderr, "FAILED: %s; again: %s --seed %llu --pcap FILE\n",
			        sim.wrong, argv[0], (unsigned long long)seed);
			failed++;
		}
		frames += sim.frames;
		bytes += sim.bytes;
	}
	printf("%llu seeds, %llu failed; %llu frames, %llu bytes compared\n", (unsigned long long)n,
	       (unsigned long long)failed, (unsigned long long)frames, (unsigned long long)bytes);
	free(sim.eaten);
	return failed != 0;
}
