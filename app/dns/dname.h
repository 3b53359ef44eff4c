/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_DNAME_H
#define DNS_DNAME_H

/*
 * A name in the form used for lookups: in lower case (RFC 4343), with the position of each label
 * and a hash of the name that begins there.
 */

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

struct dname {
	uint8_t len;                       /**< bytes, including the root's */
	uint8_t labels;                    /**< not counting the root's */
	uint8_t at[DNS_LABELS_MAX + 1];    /**< where label i begins; at[labels]: the root */
	uint64_t hash[DNS_LABELS_MAX + 1]; /**< of the name that begins at label i */
	uint8_t
	    lower[DNS_NAME_MAX + 8]; /**< wire format; bytes after the name are read but not used */
};

/** dname_set_key sets the key of the hash, which should be random, before the first name is read.
 * Otherwise a known key is used. */
void dname_set_key(const uint64_t k[2]);

/*
 * dname_read reads a name in wire format, without pointers, from at most left bytes. Returns its
 * length, or -1: it is truncated, longer than 255 bytes, or has a label of more than 63.
 */
int dname_read(struct dname *n, const uint8_t *wire, size_t left);

/** dname_format writes a name in wire format as text with its final dot, unprintable characters as
 * \\DDD, truncated to size bytes if necessary. Returns text. */
char *dname_format(const uint8_t *wire, char *text, size_t size);

#define DNAME_TEXT 1024 /**< bytes of the longest text */

#endif
