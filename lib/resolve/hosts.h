/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESOLVE_HOSTS_H
#define RESOLVE_HOSTS_H

/* The table of /etc/hosts (hosts(5)). */

#include <stddef.h>

#include <percore/addr.h>

struct host {
	struct pc_addr addr;
	const char *name;
};

struct hosts {
	char *text; /* the file's contents, which the names point into */
	struct host *host;
	size_t n;
};

/** hosts_parse builds the table from text, which it takes over and modifies. Returns 0 or
 * -ENOMEM. */
int hosts_parse(struct hosts *h, char *text);

/** hosts_read does the same with a file; a missing file counts as empty. Returns 0 or -ENOMEM. */
int hosts_read(struct hosts *h, const char *path);

/** hosts_find writes up to n addresses of a name, in one family or both (AF_UNSPEC). Returns how
 * many. */
unsigned hosts_find(const struct hosts *h, const char *name, int family, struct pc_addr *addr,
                    unsigned n);

/** hosts_free frees the table. */
void hosts_free(struct hosts *h);

#endif
