/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LINK_OPTIONS_H
#define LINK_OPTIONS_H

/* The command line of percore-link: what the two directions of each link do to frames. */

#include <stdbool.h>
#include <stddef.h>

#include <percore/port.h>

/** Directions of a link: from its first port to its second, and back. */
enum direction { AB, BA, BOTH };

struct options {
	struct pc_fault_config dir[BOTH];
	uint32_t mbufs; /* of each link */
	uint32_t alike; /* consecutive links with the same faults, at least 1 */
	bool help, version;
};

/** options_parse reads argv[0] to argv[argc - 1]. Returns 0, or -1 with one line in why. */
int options_parse(struct options *o, int argc, char **argv, char *why, size_t why_len);

/** options_are_ours says whether a word is an option of percore-link and not of EAL. */
bool options_are_ours(const char *name);

/** options_usage is the text of --help. */
extern const char options_usage[];

#endif
