/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_EAL_H
#define RUN_EAL_H

/*
 * Starts EAL with the user's options, and with sensible defaults for the rest.  Each failure is
 * reported in one line.
 */

#include "clock.h"
#include "settings.h"

struct eal {
	struct clock_mark begun;
	bool no_huge;     /* runs in ordinary memory, of a fixed size */
	bool fixed_size;  /* allocates hugepages only at the start */
	char notice[256]; /* a notice for the user; empty: none */
};

/**
 * eal_begin starts EAL with run.eal, given[1] to given[nb_given] and defaults: one lcore, hugepages
 * if any are free and else ordinary memory, no files, no telemetry. Returns 0, or -1 with a line in
 * s->why.
 */
int eal_begin(struct settings *s, int nb_given, char **given, struct eal *eal);

/** eal_wants_help says whether EAL is asked for its options; it prints them and exits. */
bool eal_wants_help(int nb_eal, char **argv);

/** eal_knows says whether a word that begins with "--" is an option of EAL or an abbreviation of
 * one, with or without "=VALUE". */
bool eal_knows(const char *word);

/** eal_end ends EAL and removes the empty directories it leaves. */
void eal_end(void);

/** The arguments that eal_begin passes to EAL; public for tests. */
#define EAL_ARGS_MAX 128
struct eal_args {
	int argc;
	char *argv[EAL_ARGS_MAX + 1];
	char text[4][64]; /* storage for added arguments */
};

/** The machine's resources that matter for EAL's arguments. */
struct eal_machine {
	uint64_t free_huge_bytes;
	uint64_t available_bytes; /* of ordinary memory */
	int first_cpu;
};

/** eal_join puts the options of run.eal before argv[1] to argv[n]; their text is stored in s.
 * Returns how many there are in all, or -1 with a line in s->why. */
int eal_join(struct settings *s, int n, char **argv, char *joined[EAL_ARGS_MAX + 1]);

/** eal_look fills in this machine's resources. */
void eal_look(struct eal_machine *machine);

/** eal_make_args puts EAL's command line together. Returns 0, or -1 with a line in s->why. */
int eal_make_args(struct settings *s, int nb_eal, char **argv, const struct eal_machine *machine,
                  struct eal_args *args, struct eal *eal);

#endif
