/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_ACCESS_LOG_H
#define HTTPD_ACCESS_LOG_H

/*
 * The access log, off the data path.
 *
 * An lcore fills in a record and puts it into its own ring; a plain thread takes the records out,
 * formats them as lines and writes the file.  If the thread cannot keep up, records are lost and
 * counted; an lcore never waits.  If the file has been renamed or removed (log rotation), the
 * thread opens it again within a second.
 */

#include <stddef.h>
#include <stdint.h>

#include "access_format.h"

struct access_log;
struct access_ring;

/**
 * access_log_open opens the file for appending and starts the thread. Returns NULL with a one-line
 * error message in why.
 */
struct access_log *access_log_open(const char *path, char *why, size_t why_len);

/**
 * access_log_attach makes a ring of n records for the calling lcore. Returns NULL if memory is
 * short.
 */
struct access_ring *access_log_attach(struct access_log *log, uint32_t n);

/** access_ring_get returns a record to fill in, or NULL if none is free (which is counted). */
struct access_record *access_ring_get(struct access_ring *ring);

/** access_ring_put hands a filled record to the thread. */
void access_ring_put(struct access_ring *ring, struct access_record *record);

/**
 * access_log_close writes what is left, ends the thread and frees everything; no lcore may use its
 * ring any more. Returns how many records were lost. NULL is allowed.
 */
uint64_t access_log_close(struct access_log *log);

#endif
