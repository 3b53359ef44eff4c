/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_REPLY_H
#define HTTPD_REPLY_H

/* Turns an answer into the bytes to send, as buffers for one gathering send. */

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "answer.h"

/** What a response says about the connection. */
enum reply_keep {
	REPLY_KEEP,    /**< HTTP/1.1: nothing; it persists by default */
	REPLY_KEEP_10, /**< HTTP/1.0: Connection: keep-alive */
	REPLY_CLOSE,
	REPLY_KEEP_MAX
};

/** The first lines of a 200, made once per second: status line, Server, Date, Connection. */
struct reply_stamp {
	int64_t now;
	uint16_t len[REPLY_KEEP_MAX];
	char text[REPLY_KEEP_MAX][128];
};

/** reply_stamp_set makes the lines anew if now, in seconds since 1970, has changed. */
void reply_stamp_set(struct reply_stamp *s, int64_t now);

#define REPLY_IOV_MAX 3

/** reply_space returns how many bytes of space reply_build needs for an answer, at most. */
static inline size_t reply_space(const struct answer *a)
{
	return 768 + (a->status == 301 ? 3 * a->path_len + a->query_len : 0);
}

/**
 * reply_build builds the response for an answer: the buffers in iov, text that exists nowhere yet
 * in space, of which it uses *used bytes. All must live until the bytes are sent. If a part of a
 * file is sent (status 200 or 206, a->file, a->len > 0 and not a->no_body), it is the last buffer.
 * Returns the number of buffers.
 */
unsigned reply_build(const struct reply_stamp *s, const struct answer *a, enum reply_keep keep,
                     char *space, size_t *used, struct iovec iov[REPLY_IOV_MAX]);

/** reply_has_file says whether the last buffer of the response is a part of a file. */
static inline int reply_has_file(const struct answer *a)
{
	return a->file != NULL && (a->status == 200 || a->status == 206) && a->len > 0 &&
	       !a->no_body;
}

/** reply_body_len returns the length of the body that is sent. */
uint64_t reply_body_len(const struct answer *a);

#endif
