/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_KEPT_H
#define BASE_KEPT_H

/*
 * Socket options that a socket keeps and tells, and that nothing in the stack goes by, but for rcvlowat; the calls
 * that move bytes go by two more.
 * Zeroed: what Linux begins with.
 */

#include <stdbool.h>
#include <stdint.h>

/* bits of truths that the calls go by */
enum {
	KEPT_ZEROCOPY = 1u << 26, /* SO_ZEROCOPY: MSG_ZEROCOPY is answered in the error queue */
	KEPT_INQ = 1u << 27,      /* TCP_INQ: recvmsg tells what is left */
};

struct kept {
	uint32_t
	    truths; /* of options that are on or off: a bit each, set when it is not the default */
	int32_t priority;     /* SO_PRIORITY */
	int32_t mark;         /* SO_MARK */
	int32_t busy_poll;    /* SO_BUSY_POLL, us */
	int32_t cpu;          /* SO_INCOMING_CPU + 1 */
	uint32_t rcvlowat;    /* SO_RCVLOWAT - 1, bytes */
	int32_t timestamping; /* SO_TIMESTAMPING */
};

/** kept_equal says whether two sockets have the same. */
static inline bool kept_equal(const struct kept *a, const struct kept *b)
{
	return a->truths == b->truths && a->priority == b->priority && a->mark == b->mark &&
	       a->busy_poll == b->busy_poll && a->cpu == b->cpu && a->rcvlowat == b->rcvlowat &&
	       a->timestamping == b->timestamping;
}

#endif
