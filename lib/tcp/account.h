/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_ACCOUNT_H
#define TCP_ACCOUNT_H

/*
 * The history of a connection for TCP_INFO (RFC 4898): segments, bytes, times.
 *
 * Nothing in the protocol needs it, so it is not part of the TCB: the first 65,535 sockets of a
 * stack have an account each.  The others share account 0, which all of them write to and nothing
 * reads, so that counting needs no check.  The first cache line has the counters that each segment
 * updates.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "tcp/tcp.h"

#define ACCOUNTS_MAX 65535

/* tcp_account.busy_us is carried over to the second line when it reaches this */
#define ACCOUNT_BUSY_US 1000000000

/** What a sender spends its time on; in the order of struct tcp_account.spent_us. */
enum account_chrono {
	ACCOUNT_BUSY,   /* data is queued or in flight */
	ACCOUNT_RWND,   /* ... and the peer's window holds the rest back */
	ACCOUNT_SNDBUF, /* ... all of it is sent, and the send buffer refused more */
	ACCOUNT_IDLE,
};

struct tcp_account {
	uint64_t bytes_acked;    /* as SND.UNA moves: including SYN (active open) and FIN */
	uint64_t bytes_received; /* as RCV.NXT moves: including FIN */
	uint64_t bytes_sent;     /* of data, including retransmissions */
	uint32_t segs_in, segs_out;
	uint32_t data_segs_in, data_segs_out; /* with data */
	uint32_t rate_bytes, rate_us;         /* of the sample for tcpi_delivery_rate */
	union {
		uint32_t chrono_us; /* when the current chrono began */
		uint32_t busy_us;   /* of ACCOUNT_IDLE: busy time not yet in spent_us */
	};
	uint8_t chrono : 2;       /* what time is being spent on; enum account_chrono */
	uint8_t rate_limited : 1; /* in that sample the application had no more to send */
	uint8_t reordering;       /* the most segments by which one was late, at most 255 */
	union {
		uint16_t reord_seen; /* ACKs that showed late segments, at most 65535 */
		uint16_t next;       /* while in the free list, and in account 0 */
	};
	uint32_t delivered;  /* segments, including SYN */
	uint32_t min_rtt_us; /* smallest recent round trip, while there are no queues; 0: none */

	uint64_t bytes_retrans;
	uint64_t spent_us[ACCOUNT_IDLE];
	uint32_t dsacks;       /* reports of duplicate segments */
	uint32_t ooo;          /* segments received out of order */
	uint32_t retrans;      /* segments retransmitted, including SYN and FIN */
	uint32_t mark_us;      /* when the measurement of the rate began */
	uint32_t mark;         /* bytes_acked then, modulo 2^32 */
	uint32_t delivered_ce; /* segments for which the peer reported congestion (ECE) */
	uint32_t copies;       /* calls with MSG_ZEROCOPY */
	uint32_t copies_told;  /* of them, reported in the error queue */
} __attribute__((aligned(64)));

static_assert(sizeof(struct tcp_account) == 128, "two cache lines");
static_assert(offsetof(struct tcp_account, bytes_retrans) == 64, "line 0");

/** accounts_footprint returns the bytes that the accounts of n sockets take. */
uint64_t accounts_footprint(uint32_t n);

/** accounts_init allocates them; accounts_fini frees them. Returns 0 or -ENOMEM. */
int accounts_init(struct accounts *a, uint32_t n, int socket_id);
void accounts_fini(struct accounts *a);

/** account_open gives a socket an account if one is left; account_close takes it back. */
void account_open(struct tcp *tcp, struct tcb *t);
void account_close(struct tcp *tcp, struct tcb *t);

/** account_renew resets an account, except the counts for the error queue. */
void account_renew(const struct tcp *tcp, const struct tcb *t);

/** account_of returns where to count for a connection. */
static inline struct tcp_account *account_of(const struct tcp *tcp, const struct tcb *t)
{
	return &tcp->accounts.account[t->account];
}

/** account_in counts segs received segments with len bytes of data in all; either each of them has
 * data, or none. */
static inline void account_in(struct tcp_account *a, uint32_t len, uint32_t segs)
{
	a->segs_in += segs;
	a->data_segs_in += len > 0 ? segs : 0;
}

/** account_text counts a segment that is sent with len bytes of data, account_again that this is a
 * retransmission. */
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

/** account_turn says what the sender spends its time on from now on. */
void account_turn(const struct tcp *tcp, const struct tcb *t, enum account_chrono what);

/** account_rate records a delivery rate, unless it is lower than the last because of the
 * application. */
void account_rate(struct tcp_account *a, uint32_t bytes, uint32_t us, bool limited);

/** account_late notes that a segment was segs segments late (RFC 8985 section 6.2: reordering). */
void account_late(const struct tcp *tcp, const struct tcb *t, uint8_t segs);

/** account_busy adds the busy_us of ACCOUNT_IDLE to spent_us. */
void account_busy(struct tcp_account *a);

/** account_all_acked counts the acknowledgement of all data in flight, after rtt_us (0: not known).
 * Data that was sent at once has not started the clock, so its round trip is added as busy time. */
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

/** account_acked counts acknowledged bytes, and measures the delivery rate once per round trip. */
void account_acked(const struct tcp *tcp, const struct tcb *t, uint32_t bytes);

#endif
