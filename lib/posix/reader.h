/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_READER_H
#define POSIX_READER_H

/* What the reader of a socket gets or needs beside its bytes. */

#include "posix/client.h"

/* ---- notifications (told.c) ------------------------------------------------------------------- */

/** told_is_option says whether an option of the socket is one of those below, which told_set sets (0
 * or -EINVAL) and told_get returns. */
bool told_is_option(const struct chan_sock *s, int level, int name);
int told_set(struct chan_sock *s, int level, int name, const void *value, socklen_t len);
int told_get(const struct chan_sock *s, int level, int name);

/** told_left adds the number of unread bytes to a message, if TCP_INQ is set. room: the size of
 * m->msg_control. */
void told_left(uint32_t sock, struct msghdr *m, size_t room);

/** told_copied records a call with MSG_ZEROCOPY, if SO_ZEROCOPY is set. told_waits says whether one
 * has not been reported yet, and told_errors reports them (MSG_ERRQUEUE): 0 or -EAGAIN. */
void told_copied(uint32_t sock);
bool told_waits(const struct chan_sock *s);
ssize_t told_errors(uint32_t sock, struct msghdr *m, size_t room);

/* ---- SO_PEEK_OFF ------------------------------------------------------------------------------ */

/** peek_offset returns how many bytes a call with MSG_PEEK skips (SO_PEEK_OFF). peek_forward and
 * peek_back move that offset, if there is one, by what was peeked at, or read. */
static inline uint32_t peek_offset(const struct chan_sock *s, int flags)
{
	const uint32_t off = at_load(&s->peek_off) - 1;

	return (flags & MSG_PEEK) && off <= INT32_MAX ? off : 0;
}

static inline void peek_forward(struct chan_sock *s, size_t n)
{
	const uint32_t off = at_load(&s->peek_off) - 1;

	if (off <= INT32_MAX)
		at_store(&s->peek_off, off + (uint32_t)n + 1);
}

static inline void peek_back(struct chan_sock *s, size_t n)
{
	const uint32_t off = at_load(&s->peek_off) - 1;

	if (off <= INT32_MAX)
		at_store(&s->peek_off, off > n ? off - (uint32_t)n + 1 : 1);
}

/* ---- urgent bytes (oob.c) --------------------------------------------------------------------- */

/** What a reader needs to know about an urgent byte. */
struct oob_view {
	bool at_mark;  /* the urgent byte comes next */
	uint32_t hole; /* bytes to pass over first, with the urgent byte if it is out of band */
	size_t most;   /* bytes that may be read before the next oob_look */
};

/** oob_look returns the view skip bytes after the next one to read. */
struct oob_view oob_look(const struct chan_sock *s, uint32_t skip);

/** oob_bytes returns how many of the given number of bytes in the fifo come before one that reads
 * pass over. */
uint64_t oob_bytes(const struct chan_sock *s, uint64_t bytes);

/** oob_passed forgets the urgent byte if the reader is past it. */
void oob_passed(struct chan_sock *s);

/** oob_is_told says whether the urgent byte makes EPOLLPRI ready. */
bool oob_is_told(const struct chan_sock *s);

/** oob_take is recv() with MSG_OOB. Returns 1, 0 at the end of the stream or if the buffer is
 * empty, or -errno. */
ssize_t oob_take(struct chan_sock *s, const struct iovec *v, size_t n, int flags);

#endif
