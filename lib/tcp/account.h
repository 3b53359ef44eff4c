/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_ACCOUNT_H
#define TCP_ACCOUNT_H

/*
 * The history of a connection for TCP_INFO (RFC 4898): segments, bytes, times.
 *
 * Nothing in the protocol needs it, so it is not part of the TCB: the first 65,535 sockets of a
 * stack have an account each.  The others share account 0, which everybody may write to and nobody
 * reads, so that counting needs no check.  The first cache line is what a segment counts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "tcp/tcp.h"

#define ACCOUNTS_MAX 65535

/* so much of tcp_account.busy_us is carried over to the second line */
#define ACCOUNT_BUSY_US 1000000000

/** What a sender's time is spent on; the order is that of struct tcp_account.spent_us. */
enum account_chrono {
	ACCOUNT_BUSY,   /* something is queued or under way */
	ACCOUNT_RWND,   /* ... and the peer's window is what keeps the rest */
	ACCOUNT_SNDBUF, /* ... all of it is sent, and the application was refused more */
	ACCOUNT_IDLE,
};

struct tcp_account {
	uint64_t bytes_acked;    /* as SND.UNA moves: SYN of an active open and FIN included */
	uint64_t bytes_received; /* as RCV.NXT moves: FIN included */
	uint64_t bytes_sent;     /* of text, what is sent again included */
	uint32_t segs_in, segs_out;
	uint32_t data_segs_in, data_segs_out; /* with text */
	uint32_t rate_bytes, rate_us;         /* the delivery that tcpi_delivery_rate is of */
	union {
		uint32_t chrono_us; /* since when */
		uint32_t busy_us;   /* of ACCOUNT_IDLE: what was busy and is not in spent_us yet */
	};
	uint8_t chrono : 2;       /* ... the time is spent on what; enum account_chrono */
	uint8_t rate_limited : 1; /* the application had no more to send */
	uint8_t reordering;       /* most segments that one was late by, at most 255 */
	union {
		uint16_t reord_seen; /* acknowledgements that told of late ones, at most 65535 */
		uint16_t next;       /* in the free list, and of account 0 */
	};
	uint32_t delivered;  /* segments; SYN included */
	uint32_t min_rtt_us; /* smallest round trip of late, when there are no queues; 0: none */

	uint64_t bytes_retrans;
	uint64_t spent_us[ACCOUNT_IDLE];
	uint32_t dsacks;       /* reports of segments that came twice */
	uint32_t ooo;          /* segments received out of order */
	uint32_t retrans;      /* segments sent again, SYN and FIN included */
	uint32_t mark_us;      /* since when the rate is being measured */
	uint32_t mark;         /* bytes_acked then, modulo 2^32 */
	uint32_t delivered_ce; /* segments of which the peer has told congestion (ECE) */
	uint32_t copies;       /* calls with MSG_ZEROCOPY */
	uint32_t copies_told;  /* of them told in the error queue */
} __attribute__((aligned(64)));

static_assert(sizeof(struct tcp_account) == 128, "two cache lines");
static_assert(offsetof(struct tcp_account, bytes_retrans) == 64, "line 0");

/** accounts_footprint returns the bytes that the accounts of n sockets take. */
uint64_t accounts_footprint(uint32_t n);

/** accounts_init makes them; accounts_fini frees them. Returns 0 or -ENOMEM. */
int accounts_init(struct accounts *a, uint32_t n, int socket_id);
void accounts_fini(struct accounts *a);

/** account_open gives a socket an account if one is left; account_close takes it back. */
void account_open(struct tcp *tcp, struct tcb *t);
void account_close(struct tcp *tcp, struct tcb *t);

/** account_renew begins anew, but for what the queue of errors tells. */
void account_renew(const struct tcp *tcp, const struct tcb *t);

/** account_of returns where to count for a connection. */
static inline struct tcp_account *account_of(const struct tcp *tcp, const struct tcb *t)
{
	return &tcp->accounts.account[t->account];
}

/** account_in counts segs segments that came, with len bytes of text, each with some or none of them. */
static inline void account_in(struct tcp_account *a, uint32_t len, uint32_t segs)
{
	a->segs_in += segs;
	a->data_segs_in += len > 0 ? segs : 0;
}

/** account_text counts a segment with len bytes of text that goes out, account_again that it did before. */
static inline void account_text(struct tcp_account *a, uint32_t len)
{
	a->data_segs_out++;
	a->bytes_sent += len;
}

static inline void account_again(struct tcp_account *a, uint32_t len)
{
	a->retrans++;
	a->bytes_retrans += len;
}

/** account_turn ends what the sender's time was spent on, and begins something else. */
void account_turn(const struct tcp *tcp, const struct tcb *t, enum account_chrono what);

/** account_rate takes a rate of delivery, unless it is less than what was seen and the application is why. */
void account_rate(struct tcp_account *a, uint32_t bytes, uint32_t us, bool limited);

/** account_late takes note that a segment was so many segments late (RFC 8985 section 6.2: reordering). */
void account_late(const struct tcp *tcp, const struct tcb *t, uint8_t segs);

/** account_busy carries the busy_us of ACCOUNT_IDLE over to spent_us. */
void account_busy(struct tcp_account *a);

/** account_all_acked counts the acknowledgement of all that was under way, after rtt_us (0: not known). What
 * has gone out at once is busy for its round trip: nobody has begun to count that. */
static inline void account_all_acked(const struct tcp *tcp, const struct tcb *t,
                                     struct tcp_account *a, uint32_t bytes, uint32_t rtt_us)
{
	a->bytes_acked += bytes;
	if (unlikely(bytes > a->rate_bytes))
		account_rate(a, bytes, rtt_us, true);
	if (unlikely(a->chrono != ACCOUNT_IDLE))
		account_turn(tcp, t, t->snd_bytes == 0 ? ACCOUNT_IDLE : ACCOUNT_BUSY);
	else if (unlikely((a->busy_us += rtt_us) >= ACCOUNT_BUSY_US))
		account_busy(a);
}

/** account_acked counts the bytes that were acknowledged, and measures what a round trip brings. */
void account_acked(const struct tcp *tcp, const struct tcb *t, uint32_t bytes);

#endif
