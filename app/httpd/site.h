/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_SITE_H
#define HTTPD_SITE_H

/*
 * The document root as it is now.
 *
 * A plain thread scans the root periodically.  If something has changed, it makes a new table of
 * files and publishes it; lcores adopt it in their next turn, without a lock.  The old table is
 * freed once every lcore is known to have left it, a file once no response needs it.
 */

#include <stddef.h>
#include <stdint.h>

#include "../shared/published.h"
#include "files.h"

struct site;

/**
 * site_open loads the files and, unless rescan_ms is 0, starts the thread. config is copied, but
 * not the string root. Returns NULL with a one-line error message in why.
 */
struct site *site_open(const struct files_config *config, uint64_t rescan_ms, char *why,
                       size_t why_len);

/** site_attach makes the calling lcore a reader. Returns NULL if there are too many. */
struct published_reader *site_attach(struct site *site);

/**
 * site_enter returns the table to use until the reader's next site_enter or site_leave. Call it at
 * the beginning of a turn, when nothing from an earlier table is in use except files that are held.
 */
const struct files *site_enter(struct site *site, struct published_reader *reader);

/** site_leave releases the reader. */
void site_leave(struct published_reader *reader);

/** site_files returns the current table, for reports at start. */
const struct files *site_files(const struct site *site);

/** site_close ends the thread and frees everything; no reader may be left. NULL is allowed. */
void site_close(struct site *site);

#endif
