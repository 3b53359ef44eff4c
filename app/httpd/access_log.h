/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_ACCESS_LOG_H
#define HTTPD_ACCESS_LOG_H

/*
 * The access log, off the data path.
 *
 * Each lcore puts filled-in records into a ring of its own; a plain thread takes them out, formats
 * them and writes the file.  If the thread cannot keep up, records are dropped and counted; an
 * lcore never waits.  If the file has been renamed or removed (log rotation), the thread reopens it
 * by name within a second.
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
 * access_log_attach makes a ring of n records for the calling lcore. Returns NULL if there is not
 * enough memory.
 */
struct access_ring *access_log_attach(struct access_log *log, uint32_t n);

/**
 * access_ring_get returns a record to fill in; if none is free, it counts a loss and returns NULL.
 */
struct access_record *access_ring_get(struct access_ring *ring);

/** access_ring_put hands a filled record to the thread. */
void access_ring_put(struct access_ring *ring, struct access_record *record);

/**
 * access_log_close writes the remaining records, stops the thread and frees everything; no lcore
 * may use its ring any more. Returns how many records were lost. NULL is allowed.
 */
uint64_t access_log_close(struct access_log *log);

#endif
