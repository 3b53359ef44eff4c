/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: EAL's command line: what the user gave, and what a newcomer would have added had he
 * known. An option that the user gives is never overridden. --in-memory cannot be combined with
 * --no-huge; --no-shconf has the same effect there.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "eal.h"
#include "memory.h"

#define MIB            (UINT64_C(1) << 20)
#define EAL_DEFAULT_MB UINT64_C(512)
#define EAL_OWN_BYTES  (16 * MIB)

/* The user's part of the command line. */
struct given {
	int n;
	char **argv;
};

static bool is_option(const char *arg, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(arg, name, n) != 0)
		return false;
	/* "--name" and "--name=value"; "-m" and "-m512" */
	return arg[1] != '-' || arg[n] == '\0' || arg[n] == '=';
}

static bool has(const struct given *g, const char *name)
{
	for (int i = 0; i < g->n; i++)
		if (is_option(g->argv[i], name))
			return true;
	return false;
}

/* Counts the lcores of "-l 0,2-5" and the like, "--lcores (0-9)@0" included. Never 0. */
static unsigned count_lcores(const char *list)
{
	unsigned n = 0, first;
	char *end;

	while (*list != '\0') {
		if (*list == '@') { /* CPUs follow */
			list += strcspn(list, list[1] == '(' ? ")" : ",");
			continue;
		}
		if (*list < '0' || *list > '9') {
			list++;
			continue;
		}
		first = (unsigned)strtoul(list, &end, 10);
		list = end;
		n++;
		if (*list == '-') {
			n += (unsigned)strtoul(list + 1, &end, 10) - first;
			list = end;
		}
	}
	return n > 0 && n < 1024 ? n : 1;
}

static unsigned lcores_given(const struct given *g)
{
	static const char *const names[] = {"-l", "--lcores"};

	for (int i = 0; i < g->n; i++)
		for (unsigned k = 0; k < 2; k++) {
			size_t len = strlen(names[k]);

			if (!is_option(g->argv[i], names[k]))
				continue;
			if (g->argv[i][len] != '\0')
				return count_lcores(g->argv[i] + len);
			return i + 1 < g->n ? count_lcores(g->argv[i + 1]) : 1;
		}
	return 1;
}

/* EAL takes char **, as main does, but does not write to the strings. */
static char *as_arg(const char *arg)
{
	return (char *)(uintptr_t)arg;
}

static void add(struct eal_args *args, const char *arg)
{
	if (args->argc < EAL_ARGS_MAX)
		args->argv[args->argc++] = as_arg(arg);
}

static bool has_lcores(const struct given *g)
{
	return has(g, "-l") || has(g, "-c") || has(g, "--lcores");
}

/* Chooses how much ordinary memory EAL gets: 512 MB, or more if the settings need it. */
static int size_memory(struct settings *s, const struct given *g, const struct eal_machine *machine,
                       uint64_t *mb)
{
	unsigned lcores = has_lcores(g) ? lcores_given(g) : 1;
	uint64_t need = memory_wanted(s) * lcores / MIB * 5 / 4 + 64;
	uint64_t have = machine->available_bytes / MIB, most = have / 10 * 9;

	*mb = need > EAL_DEFAULT_MB ? need : EAL_DEFAULT_MB;
	if (*mb <= most)
		return 0;
	*mb = most;
	if (need <= most)
		return 0;
	return settings_fail(s,
	                     "the settings need %" PRIu64 " MB of memory, but only %" PRIu64
	                     " MB are available: lower stack.max_connections or stack.mbufs",
	                     need, have);
}

/* Explains why ordinary memory is used although the user did not ask for it. */
static void note_no_huge(struct eal *eal, uint64_t free_bytes)
{
	if (free_bytes == 0)
		snprintf(eal->notice, sizeof(eal->notice),
		         "no free hugepages: running in ordinary memory (scripts/hugepages sets "
		         "some up)");
	else
		snprintf(eal->notice, sizeof(eal->notice),
		         "only %" PRIu64 " MB of free hugepages: running in ordinary memory "
		         "(scripts/hugepages sets more up)",
		         free_bytes / MIB);
}

static int add_memory(struct settings *s, const struct given *g, const struct eal_machine *machine,
                      struct eal_args *args, struct eal *eal)
{
	bool sized = has(g, "-m") || has(g, "--socket-mem");
	unsigned lcores = has_lcores(g) ? lcores_given(g) : 1;
	uint64_t mb, least = memory_least(s) * lcores / 4 * 5 + EAL_OWN_BYTES;

	eal->no_huge = has(g, "--no-huge");
	eal->fixed_size = has(g, "--legacy-mem");
	if (!eal->no_huge && !sized && !has(g, "--huge-dir") && machine->free_huge_bytes < least) {
		eal->no_huge = true;
		note_no_huge(eal, machine->free_huge_bytes);
		add(args, "--no-huge");
	}
	if (!eal->no_huge || sized)
		return 0;
	if (size_memory(s, g, machine, &mb) != 0)
		return -1;
	snprintf(args->text[0], sizeof(args->text[0]), "%" PRIu64, mb);
	add(args, "-m");
	add(args, args->text[0]);
	return 0;
}

/* Leaves no files, unless the user wants other processes to find them. --file-prefix alone keeps
 * processes apart, so it does not count. */
static void add_files(const struct given *g, struct eal_args *args, const struct eal *eal)
{
	static const char *const shared[] = {"--proc-type",     "--huge-dir",  "--huge-unlink",
	                                     "--no-shconf",     "--in-memory", "--legacy-mem",
	                                     "--create-uio-dev"};

	for (unsigned i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if (has(g, shared[i]))
			return;
	add(args, eal->no_huge ? "--no-shconf" : "--in-memory");
}

bool eal_knows(const char *word)
{
	/* those of DPDK 22.11 */
	static const char *const names[] = {
	    "allow",
	    "base-virtaddr",
	    "block",
	    "create-uio-dev",
	    "file-prefix",
	    "force-max-simd-bitwidth",
	    "help",
	    "huge-dir",
	    "huge-unlink",
	    "huge-worker-stack",
	    "in-memory",
	    "iova-mode",
	    "lcores",
	    "legacy-mem",
	    "log-level",
	    "main-lcore",
	    "match-allocations",
	    "mbuf-pool-ops-name",
	    "no-hpet",
	    "no-huge",
	    "no-pci",
	    "no-shconf",
	    "no-telemetry",
	    "proc-type",
	    "single-file-segments",
	    "socket-limit",
	    "socket-mem",
	    "syslog",
	    "telemetry",
	    "trace",
	    "trace-bufsz",
	    "trace-dir",
	    "trace-mode",
	    "vdev",
	    "vfio-intr",
	    "vfio-vf-token",
	    "vmware-tsc-map",
	};
	const size_t n = strcspn(word, "=") - 2;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(word + 2, names[i], n) == 0)
			return true;
	return false;
}

void eal_look(struct eal_machine *machine)
{
	cpu_set_t cpus;

	machine->free_huge_bytes = memory_free_huge(-1);
	machine->available_bytes = memory_available();
	machine->first_cpu = 0;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
		return;
	while (machine->first_cpu < CPU_SETSIZE - 1 &&
	       !CPU_ISSET((size_t)machine->first_cpu, &cpus))
		machine->first_cpu++;
}

int eal_join(struct settings *s, int n, char **argv, char *joined[EAL_ARGS_MAX + 1])
{
	char *rest = NULL, *word;
	int k = 0;

	memcpy(s->eal_words, s->eal, sizeof(s->eal));
	joined[k++] = argv[0];
	for (word = strtok_r(s->eal_words, " \t", &rest); word != NULL && k < EAL_ARGS_MAX;
	     word = strtok_r(NULL, " \t", &rest))
		joined[k++] = word;
	if (word != NULL || n > EAL_ARGS_MAX - k)
		return settings_fail(s, "too many EAL options (at most %d)", EAL_ARGS_MAX - 16);
	for (int i = 1; i <= n; i++)
		joined[k++] = argv[i];
	joined[k] = NULL;
	return k - 1;
}

int eal_make_args(struct settings *s, int nb_eal, char **argv, const struct eal_machine *machine,
                  struct eal_args *args, struct eal *eal)
{
	const struct given g = {nb_eal, argv + 1};

	memset(args, 0, sizeof(*args));
	memset(eal, 0, sizeof(*eal));
	if (nb_eal > EAL_ARGS_MAX - 16)
		return settings_fail(s, "too many EAL options (at most %d)", EAL_ARGS_MAX - 16);
	add(args, argv[0]);
	for (int i = 0; i < g.n; i++)
		add(args, g.argv[i]);
	if (add_memory(s, &g, machine, args, eal) != 0)
		return -1;
	for (int i = 1; i < args->argc; i++)
		if (eal->no_huge && strcmp(args->argv[i], "--in-memory") == 0)
			args->argv[i] = as_arg("--no-shconf");
	add_files(&g, args, eal);
	if (!has_lcores(&g)) {
		snprintf(args->text[1], sizeof(args->text[1]), "%d", machine->first_cpu);
		add(args, "-l");
		add(args, args->text[1]);
	}
	if (!has(&g, "--telemetry") && !has(&g, "--no-telemetry"))
		add(args, "--no-telemetry");
	if (has(&g, "--vdev") && !has(&g, "-a") && !has(&g, "--allow") && !has(&g, "-b") &&
	    !has(&g, "--block") && !has(&g, "--no-pci"))
		add(args, "--no-pci");
	return 0;
}
