/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHAN_FIFO_H
#define CHAN_FIFO_H

/*
 * A byte fifo in shared memory with one producer and one consumer.
 *
 * Overview: head and tail are positions in the stream, which only grow; the offset of position p is
 * (p - base) modulo the size.  A producer that finds the fifo empty moves base to head, so that the
 * next bytes go to the beginning of the memory again: a request-response connection touches one
 * page instead of all of them.  base cannot move while the consumer reads, because the fifo is not
 * empty then.
 *
 * Ownership: the producer writes head and base, the consumer tail.  Neither side trusts what the
 * other writes: fifo_used exceeds the size if a position has been corrupted, and the service checks
 * for that.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "chan/atomic.h"

struct chan_fifo {
	uint64_t head; /* producer's: bytes written so far */
	uint64_t base; /* producer's: the position at offset 0 */
	uint64_t pad[6];
	uint64_t tail; /* consumer's: bytes read so far */
	uint64_t pad2[7];
};

/** A fifo with its memory of size bytes, a power of two. */
struct fifo {
	struct chan_fifo *pos;
	uint8_t *bytes;
	uint32_t size;
};

/** fifo_used returns the number of bytes to read. For the consumer. */
static inline uint64_t fifo_used(const struct fifo *f)
{
	return at_load(&f->pos->head) - at_peek(&f->pos->tail);
}

/** fifo_pending returns the number of bytes that the consumer has not read. For the producer. */
static inline uint64_t fifo_pending(const struct fifo *f)
{
	return at_peek(&f->pos->head) - at_load(&f->pos->tail);
}

/** fifo_room returns the number of bytes that the producer may write; 0 if a position is
 * corrupted. */
static inline uint32_t fifo_room(const struct fifo *f)
{
	uint64_t used = fifo_pending(f);

	return used > f->size ? 0 : f->size - (uint32_t)used;
}

/* the two pieces of [from, from + n) in memory */
static inline int fifo_pieces(const struct fifo *f, uint64_t from, uint32_t n, struct iovec v[2])
{
	uint32_t at = (uint32_t)(from - at_peek(&f->pos->base)) & (f->size - 1);
	uint32_t first = n < f->size - at ? n : f->size - at;

	v[0].iov_base = f->bytes + at;
	v[0].iov_len = first;
	v[1].iov_base = f->bytes;
	v[1].iov_len = n - first;
	return n > first ? 2 : 1;
}

/** fifo_space gives the producer the free space as at most two pieces of memory, max bytes at most,
 * after skip bytes that it has written but not published. Returns the number of pieces; 0: no
 * room. */
static inline int fifo_space(const struct fifo *f, uint32_t skip, uint32_t max, struct iovec v[2])
{
	uint64_t head = at_peek(&f->pos->head);
	uint32_t room = fifo_room(f);

	if (room <= skip)
		return 0;
	if (room == f->size && skip == 0)
		at_put(&f->pos->base, head);
	room -= skip;
	return fifo_pieces(f, head + skip, room < max ? room : max, v);
}

/** fifo_publish makes n written bytes visible to the consumer. */
static inline void fifo_publish(const struct fifo *f, uint32_t n)
{
	at_store(&f->pos->head, at_peek(&f->pos->head) + n);
}

/** fifo_data gives the consumer the bytes after the first skip ones, max at most, as pieces of
 * memory. Returns the number of pieces; 0: no bytes. */
static inline int fifo_data(const struct fifo *f, uint32_t skip, uint32_t max, struct iovec v[2])
{
	uint64_t used = fifo_used(f);
	uint32_t n;

	if (used <= skip || used > f->size)
		return 0;
	n = (uint32_t)used - skip;
	return fifo_pieces(f, at_peek(&f->pos->tail) + skip, n < max ? n : max, v);
}

/** fifo_consume returns the space of n bytes that were read to the producer. */
static inline void fifo_consume(const struct fifo *f, uint32_t n)
{
	at_store_sc(&f->pos->tail, at_peek(&f->pos->tail) + n);
}

/** fifo_write copies up to n bytes after skip unpublished ones. Returns how many there was room
 * for. */
static inline uint32_t fifo_write(const struct fifo *f, uint32_t skip, const void *from, uint32_t n)
{
	struct iovec v[2];
	int pieces = n > 0 ? fifo_space(f, skip, n, v) : 0;
	uint32_t done = 0;

	for (int i = 0; i < pieces; i++) {
		memcpy(v[i].iov_base, (const uint8_t *)from + done, v[i].iov_len);
		done += (uint32_t)v[i].iov_len;
	}
	return done;
}

/** fifo_read copies up to n bytes after skip without consuming them. Returns how many. */
static inline uint32_t fifo_read(const struct fifo *f, uint32_t skip, void *to, uint32_t n)
{
	struct iovec v[2];
	int pieces = n > 0 ? fifo_data(f, skip, n, v) : 0;
	uint32_t done = 0;

	for (int i = 0; i < pieces; i++) {
		memcpy((uint8_t *)to + done, v[i].iov_base, v[i].iov_len);
		done += (uint32_t)v[i].iov_len;
	}
	return done;
}

#endif
