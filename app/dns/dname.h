/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_DNAME_H
#define DNS_DNAME_H

/*
 * A name as it is looked up: in lower case (RFC 4343), with the position of each label and a hash
 * of the name that begins there.
 */

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

struct dname {
	uint8_t len;                       /**< bytes, the root's included */
	uint8_t labels;                    /**< without the root's */
	uint8_t at[DNS_LABELS_MAX + 1];    /**< where label i begins; at[labels]: the root */
	uint64_t hash[DNS_LABELS_MAX + 1]; /**< of the name that begins at label i */
	uint8_t
	    lower[DNS_NAME_MAX + 8]; /**< wire format; what is behind the name is read, not used */
};

/** dname_set_key sets the key of the hash, which is to be random, before the first name is read. Without it the key is known. */
void dname_set_key(const uint64_t k[2]);

/**
 * dname_read reads a name in wire format, without pointers, of which at most left bytes may be looked at.
 * Returns its bytes, or -1: it is cut off, longer than 255 bytes, or has a label of more than 63.
 */
int dname_read(struct dname *n, const uint8_t *wire, size_t left);

/** dname_format writes a name in wire format as text with its final dot, what is not printable as \\DDD, cut off if need
 * be; text has room for size bytes. Returns text. */
char *dname_format(const uint8_t *wire, char *text, size_t size);

#define DNAME_TEXT 1024 /**< bytes of the longest text */

#endif
