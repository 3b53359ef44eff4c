/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_ASK_H
#define LOAD_ASK_H

/* Custom requests, for servers of any protocol that answer each of them with the same bytes. */

#include <stddef.h>
#include <stdint.h>

#define ASK_MAX 4096u /* bytes of a request */

struct ask {
	uint32_t len;
	uint8_t bytes[ASK_MAX];
};

/**
 * ask_parse reads a request: text in which \r, \n, \t, \0, \\ and \xHH (two digits) stand for one
 * byte each. Its length must be a power of two, like that of all requests (stream.h).
 * Returns 0, or -1 with a line in why.
 */
int ask_parse(struct ask *a, const char *text, char *why, size_t why_len);

#endif
