/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_BATCH_H
#define HTTPD_BATCH_H

/*
 * The responses to pipelined requests, gathered so that one call sends them.
 *
 * A batch belongs to one connection while one piece of its input is processed.  It points into
 * files and into its own space; only text that exists nowhere else is copied.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "answer.h"
#include "http_parse.h"
#include "reply.h"

#define BATCH_MAX       32
#define BATCH_BIG_BYTES 65536 /**< a batch of this many bytes is sent before it grows */
#define BATCH_SPACE     98304 /**< more than reply_space() of the longest target */

/**
 * One response, or several identical ones to identical requests, with what is needed to resume if
 * only a part could be sent.
 */
struct batch_entry {
	const struct file *file; /**< its body; NULL when the body is part of the head */
	uint64_t off;            /**< of the body in the file */
	uint64_t head_len;       /**< bytes before the body */
	uint64_t begin, end;     /**< offsets in the bytes of the batch */
	uint64_t body_len;       /**< for the log */
	size_t input_end;        /**< where the next request begins in the input */
	uint32_t times;          /**< how many responses it stands for */
	uint32_t request_len;    /**< bytes of each of their requests; valid if times > 1 */
	const char *request;     /**< the request's header, for the log; the spans refer to it */
	struct http_span line, referer, agent;
	uint16_t status;
	uint8_t first_iov, nb_iov;
	bool close; /**< the connection ends after it */
};

struct batch {
	unsigned n, nb_iov;
	unsigned responses; /**< the sum of times over all entries */
	size_t space_used;
	struct batch_entry entries[BATCH_MAX];
	struct iovec iov[BATCH_MAX * REPLY_IOV_MAX];
	char space[BATCH_SPACE];
};

/** batch_add appends the response to the request whose header is at p. There must be room. */
struct batch_entry *batch_add(struct batch *b, const struct reply_stamp *stamp,
                              const struct answer *a, enum reply_keep keep,
                              const struct http_request *r, const char *p);

#define BATCH_READY_MAX   2048
#define BATCH_READY_BYTES 32768

/**
 * A response in one piece, to be sent over and over; zeroed: none.
 *
 * With 16 pipelined requests for a file of 512 bytes, a request then costs 1262 instructions
 * instead of 1722, TCP included; and 669 since consecutive identical requests share one buffer.
 */
struct batch_ready {
	uint32_t len;             /**< of the response; 0: none */
	uint32_t copies;          /**< how many copies of it are in bytes, back to back */
	int64_t now;              /**< the second for which its Date is right */
	struct batch_entry entry; /**< its entry as the first of a batch */
	char bytes[BATCH_READY_BYTES];
};

/**
 * batch_gather copies the batch's only response, whose Date is now, into ready if it is short. No
 * batch may still refer to the contents of ready.
 */
void batch_gather(const struct batch *b, struct batch_ready *ready, int64_t now);

/** batch_repeat_max returns how many times batch_repeat can append the response at once. */
static inline uint32_t batch_repeat_max(const struct batch_ready *ready)
{
	return BATCH_READY_BYTES / ready->len;
}

/**
 * batch_repeat appends the ready response once for each of times identical requests; the header of
 * the first is at p. There must be room.
 */
struct batch_entry *batch_repeat(struct batch *b, struct batch_ready *ready, const char *p,
                                 uint32_t times);

/** batch_bytes returns how many bytes the batch holds. */
static inline uint64_t batch_bytes(const struct batch *b)
{
	return b->n > 0 ? b->entries[b->n - 1].end : 0;
}

/** batch_has_room says whether a response to any further request fits. */
static inline bool batch_has_room(const struct batch *b, size_t target_bytes)
{
	return b->n < BATCH_MAX && b->space_used + 768 + 4 * target_bytes <= BATCH_SPACE &&
	       batch_bytes(b) < BATCH_BIG_BYTES;
}

/** batch_mapping returns the mapped file that the last response sends from, or NULL. */
static inline const struct file *batch_mapping(const struct batch *b)
{
	const struct file *f = b->n > 0 ? b->entries[b->n - 1].file : NULL;

	return f != NULL && f->mapped_bytes > 0 ? f : NULL;
}

/**
 * batch_find returns how many responses are complete once sent bytes are out. Unless all are, *next
 * becomes the first incomplete one.
 */
unsigned batch_find(const struct batch *b, uint64_t sent, struct batch_entry *next);

/**
 * batch_copy_head copies to out, which has room for cap bytes, what remains of an entry's head once
 * sent bytes of the batch are out. Returns how many bytes it copied, or -1 if they do not fit.
 */
int batch_copy_head(const struct batch *b, const struct batch_entry *e, uint64_t sent, char *out,
                    size_t cap);

static inline void batch_reset(struct batch *b)
{
	b->n = b->nb_iov = b->responses = 0;
	b->space_used = 0;
}

#endif
