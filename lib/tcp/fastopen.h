/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_FASTOPEN_H
#define TCP_FASTOPEN_H

/*
 * TCP Fast Open (RFC 7413): data in the SYN, for a client that has already shown that its address
 * is not spoofed.
 *
 *   server: a SYN asks for a cookie, which the SYN-ACK carries; a SYN with a valid one opens a
 *           connection at once, in SYN-RECEIVED, whose data is read and answered before the
 *           handshake ends
 *   client: cookies are remembered per destination (dest.h); connect() with TCP_FASTOPEN_CONNECT
 *           waits for the first bytes, send() with MSG_FASTOPEN has them
 *
 * The sequence numbers of such a connection begin after the SYN: SND.UNA is ISS + 1 from the start
 * (TCB_OPT_SYN_DATA), so that the data is queued as always.
 */

#include "tcp/tcp.h"

/* bits of tcp.fastopen, as Linux's sysctl net.ipv4.tcp_fastopen */
enum {
	FASTOPEN_CLIENT = 0x1,
	FASTOPEN_SERVER = 0x2,
	FASTOPEN_CLIENT_NO_COOKIE = 0x4,
	FASTOPEN_SERVER_NO_COOKIE = 0x200,
};

/** The option of a SYN or SYN-ACK; len 0: asks for a cookie. */
struct fastopen_cookie {
	uint8_t len;
	uint8_t bytes[DEST_COOKIE_MAX];
};

/* ---- server ---------------------------------------------------------------------------------- */

/** fastopen_init generates the key of a new stack's cookies, or derives it from
 * tcp.fastopen_key. */
void fastopen_init(struct tcp *tcp);

/** fastopen_set_keys sets the key for new cookies, and a backup key that older ones may have been
 * made with; 16 bytes each, backup may be NULL. */
void fastopen_set_keys(struct tcp *tcp, const void *key, const void *backup);

/* The part of fastopen_accept for a SYN with the option, or with data. */
struct tcb *fastopen_examine(struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx);

/**
 * fastopen_accept opens a connection for a SYN to a listener if the cookie is valid and there is
 * room. The connection is in SYN-RECEIVED and waits to be accepted; its SYN-ACK is still to be sent
 * (fastopen_answer), after the SYN's data has been taken. NULL: use the ordinary handshake.
 */
static inline struct tcb *fastopen_accept(struct tcp *tcp, uint32_t binding,
                                          const struct tcp_rx *rx)
{
	if (likely(!(rx->seg.has & TCP_HAS_FASTOPEN) && rx->seg.len == 0))
		return NULL;
	return fastopen_examine(tcp, binding, rx);
}

/** fastopen_answer sends the SYN-ACK of such a connection, which acknowledges the data that was
 * taken. */
void fastopen_answer(struct tcp *tcp, struct tcb *t, const struct tcp_rx *rx);

/** fastopen_offer puts a cookie into the SYN-ACK s if the SYN asked for one, or had an invalid
 * one. */
void fastopen_offer(struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx, struct tcp_seg *s);

/** fastopen_opened completes the handshake of a connection in SYN-RECEIVED after an acceptable
 * ACK. */
void fastopen_opened(struct tcp *tcp, struct tcb *t);

/** fastopen_leave stops counting a connection in SYN-RECEIVED against its listener's limit. */
void fastopen_leave(struct tcp *tcp, struct tcb *t);

/** fastopen_was_reset keeps counting a connection that is reset in SYN-RECEIVED for a while. */
void fastopen_was_reset(struct tcp *tcp, const struct tcb *t);

/** fastopen_forget_listener detaches such connections from a listener that is being closed. */
void fastopen_forget_listener(struct tcp *tcp, uint32_t binding);

/* ---- client ---------------------------------------------------------------------------------- */

/** fastopen_defer says whether connect() should wait for data: this was requested, and there is a
 * cookie. */
bool fastopen_defer(struct tcp *tcp, struct tcb *t);

/** fastopen_is_deferred says whether connect() has returned without having sent anything. */
static inline bool fastopen_is_deferred(const struct tcb *t)
{
	return t->state == TCP_S_SYN_SENT && !(t->timers & TCB_T_LOSS);
}

/**
 * fastopen_send sends the SYN of a connection in SYN-SENT, with as many of the bytes as fit if
 * there is a cookie. Returns how many, or -EINPROGRESS if the SYN was sent without data.
 */
ssize_t fastopen_send(struct tcp *tcp, struct tcb *t, const struct iovec *iov, int iovcnt);

/** fastopen_request sends a SYN that asks for a cookie. */
void fastopen_request(struct tcp *tcp, struct tcb *t);

/** fastopen_synack remembers what a SYN-ACK says: a cookie, and whether the data was taken. */
void fastopen_synack(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

/** fastopen_settle lets the SYN-ACK acknowledge the SYN's data; the rest is sent again. */
void fastopen_settle(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

/** fastopen_lost notes that a SYN with the option was not answered in time. */
void fastopen_lost(struct tcp *tcp, const struct tcb *t);

/** fastopen_error notes that such a SYN was answered by an ICMP error. */
void fastopen_error(struct tcp *tcp, const struct tcb *t);

#endif
