/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mailbox: calls that other threads want a stack's thread to make.
 *
 * Overview: an rte_ring with many producers and one consumer, whose elements are the calls
 * themselves.  The stack makes the waiting calls at the beginning of a turn, so nothing changes in
 * the middle of one.  A poster gets a ticket, and finds the result by it in an array that later
 * results overwrite.
 *
 * Ownership: everything belongs to the stack, in its own memory; a poster has only a ticket, so
 * that when it gives up waiting, it leaves nothing behind that the stack could write to.
 *
 * Invariants: the array has as many places as the ring, so that no two pending results share a
 * place; a place's ticket is 0 while its result is being written.
 */
#include "stack/mail.h"

#include <errno.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#define SLOTS (PC_POSTS + 1) /* one of an rte_ring always stays empty */

struct letter {
	uint64_t ticket;
	int (*call)(struct pc_stack *st, const void *data);
	uint64_t data[PC_POST_MAX / 8];
};

struct result {
	uint64_t ticket; /* atomic */
	int value;       /* atomic */
};

struct mail {
	uint64_t tickets; /* the last that was issued; atomic */
	struct result result[SLOTS];
	struct rte_ring ring; /* must be last: its elements follow it */
};

static_assert(sizeof(struct letter) % 4 == 0, "elements of an rte_ring are whole words");

static size_t ring_bytes(void)
{
	return (size_t)rte_ring_get_memsize_elem(sizeof(struct letter), SLOTS);
}

uint64_t mail_footprint(void)
{
	return offsetof(struct mail, ring) + ring_bytes();
}

struct mail *mail_create(int socket_id)
{
	struct mail *mail =
	    rte_zmalloc_socket("pc_mail", mail_footprint(), RTE_CACHE_LINE_SIZE, socket_id);

	if (mail != NULL)
		rte_ring_init(&mail->ring, "pc_mail", SLOTS, RING_F_SC_DEQ);
	return mail;
}

void mail_free(struct mail *mail)
{
	rte_free(mail);
}

bool mail_is_there(const struct mail *mail)
{
	return rte_ring_empty(&mail->ring) == 0;
}

static struct result *place_of(struct mail *mail, uint64_t ticket)
{
	return &mail->result[ticket % SLOTS];
}

/* Readers that see the new ticket also see the value; those that saw the old ticket before they
 * read the value see that it has changed. */
static void put_result(struct mail *mail, uint64_t ticket, int value)
{
	struct result *r = place_of(mail, ticket);

	if (r->ticket > ticket) /* a whole round of later posts has overtaken this one */
		return;
	__atomic_store_n(&r->ticket, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&r->value, value, __ATOMIC_RELAXED);
	__atomic_store_n(&r->ticket, ticket, __ATOMIC_RELEASE);
}

void mail_take(struct mail *mail, struct pc_stack *st)
{
	struct letter l;

	/* no more than fit: a call that posts itself again must not keep the stack here */
	for (unsigned i = 0; i < PC_POSTS; i++) {
		if (rte_ring_sc_dequeue_elem(&mail->ring, &l, sizeof(l)) != 0)
			return;
		put_result(mail, l.ticket, l.call(st, l.data));
	}
}

uint64_t mail_post(struct mail *mail, int (*call)(struct pc_stack *st, const void *data),
                   const void *data, size_t len)
{
	struct letter l = {.call = call};

	if (len > PC_POST_MAX) {
		errno = EINVAL;
		return 0;
	}
	if (len > 0)
		memcpy(l.data, data, len);
	/* no ticket may be wasted, or two pending results could share a place */
	if (rte_ring_full(&mail->ring)) {
		errno = EAGAIN;
		return 0;
	}
	l.ticket = __atomic_add_fetch(&mail->tickets, 1, __ATOMIC_RELAXED);
	if (rte_ring_mp_enqueue_elem(&mail->ring, &l, sizeof(l)) == 0)
		return l.ticket;
	errno = EAGAIN;
	return 0;
}

bool mail_posted(const struct mail *mail, uint64_t ticket, int *result)
{
	const struct result *r = &mail->result[ticket % SLOTS];
	const uint64_t first = __atomic_load_n(&r->ticket, __ATOMIC_ACQUIRE);
	int value;

	if (first < ticket)
		return false;
	value = __atomic_load_n(&r->value, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	*result = __atomic_load_n(&r->ticket, __ATOMIC_RELAXED) == ticket ? value : -ESTALE;
	return true;
}
