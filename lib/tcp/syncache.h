/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_SYNCACHE_H
#define TCP_SYNCACHE_H

/*
 * The SYN cache: connections in SYN-RECEIVED, one cache line each (RFC 4987 section 3.4).
 *
 * An entry waits in the queue of its retry: all entries of a queue have the same time-out, so each
 * queue is in order of expiry and needs no timer wheel.  If TCP_RTO_MAX_MS makes one listener's
 * time-out shorter than another's, its entries wait for those before them, but never longer than
 * without it.  A full cache answers with SYN cookies (RFC 4987 section 3.6), so that a flood of
 * SYNs cannot keep new clients out; with cookies switched off, and for a SYN that reopens a
 * connection in TIME-WAIT, it replaces its oldest entry.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/config.h>

#include "base/freelist.h"
#include "base/rng.h"
#include "ip/ip.h"
#include "tcp/tcb.h"
#include "wire/tcp.h"

struct tcp;
struct tcp_rx;
struct syncookie;
struct ip_pkt;

/* values of tcp.syn_cookies */
enum {
	SYN_COOKIES_OFF,
	SYN_COOKIES_PRESSURE,
	SYN_COOKIES_ALWAYS,
};

#define SYN_QUEUES 8 /* retries beyond share the last queue's time-out */
#define LOST_MOST  3

struct syn_entry {
	struct tcp_flow flow;
	uint32_t iss, irs;
	uint32_t ts_recent;
	uint32_t next, prev; /* in its queue; index, 0: none */
	uint32_t expiry;     /* tick */
	uint32_t sent_us;    /* when the SYN-ACK was first sent */
	uint16_t peer_mss;
	uint16_t wnd;     /* of the SYN, not scaled */
	uint16_t binding; /* the listener */
	uint8_t snd_wscale : 4, rcv_wscale : 4;
	uint8_t opt;          /* TCB_OPT_* */
	uint8_t retries;      /* time-outs so far */
	uint8_t keyid, rnext; /* with TCP-AO: of what we send (auth_note_ids) */
	uint8_t lost : 2;     /* SYN-ACKs that went unanswered, at most LOST_MOST */
	uint8_t
	    acked : 1; /* answered, but TCP_DEFER_ACCEPT waits for data; sent_us is the RTT then */
	uint8_t ecn : 2;   /* the ECN bits of the SYN */
	uint8_t asked : 2; /* what the SYNs have asked for (tcp_ecn_asked) */
	uint8_t
	    again : 1; /* the SYN came again and was answered again: which answer arrived is not known */
};

static_assert(sizeof(struct syn_entry) == 64, "half-open connections take one cache line");

struct syncache {
	struct syn_entry *entry; /* 1 .. n */
	uint32_t n, used;
	struct freelist free; /* by syn_entry.next */
	struct {
		uint32_t head, tail;
	} queue[SYN_QUEUES];
	struct pc_sip_key cookie_key;
	uint32_t cookie_unit; /* when the last cookie was sent (syncookie_unit), if has_cookies */
	bool has_cookies;
	uint32_t polled; /* the tick up to which all due entries were handled, if has_polled */
	bool has_polled;
};

/** syncache_init makes an empty cache of n entries; key: for its cookies. Returns 0 or -ENOMEM. */
int syncache_init(struct syncache *sc, uint32_t n, struct pc_sip_key key, int socket_id);
void syncache_fini(struct syncache *sc);

/** syncache_read fills in an entry with what a SYN to a listener says, and how to answer it. Returns
 * tcp_secret of its flow. */
uint64_t syncache_read(struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx,
                       struct syn_entry *e);

/** syncache_read_cookie recreates an entry from a segment to a listener that returns a cookie.
 * Returns whether the cookie is valid. */
bool syncache_read_cookie(struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx,
                          struct syn_entry *e);

/** A SYN that is being answered. */
struct syn_asked {
	const struct tcp_rx *rx;
	uint64_t secret;                /* of its flow (tcp_secret) */
	const struct syncookie *cookie; /* part of which is in our timestamp, or NULL */
};

/** syncache_answer sends the SYN-ACK of an entry; asked: NULL for a retransmission. */
void syncache_answer(struct tcp *tcp, const struct syn_entry *e, const struct syn_asked *asked);

/** syncache_promote makes a connection from an entry, with what it inherits from its listener; its
 * state is still CLOSED, and it has no owner. NULL: no TCB, no room for keys, or no route. */
struct tcb *syncache_promote(struct tcp *tcp, const struct syn_entry *e);

/**
 * syncache_open answers a SYN to a listener. tw: the entry in TIME-WAIT that the connection
 * replaces, if it is admitted, and beyond whose sequence numbers its ISS must be (timewait.h); 0:
 * none. Verdict: always a drop, as the SYN itself is no longer needed.
 */
int syncache_open(struct tcp *tcp, uint32_t binding, const struct tcp_rx *rx, uint32_t tw);

/**
 * syncache_input handles a segment to a half-open connection. When it completes the handshake, *t is
 * the new connection, the segment goes on to it, and the verdict is VERDICT_DONE; else a drop.
 */
int syncache_input(struct tcp *tcp, const struct ip_pkt *p, struct tcp_rx *rx, uint32_t index,
                   struct tcb **t);

/** syncache_may_be_cookie says whether any cookie that was sent may still be valid; if not, none is
 * checked. */
bool syncache_may_be_cookie(const struct tcp *tcp);

/**
 * syncache_input_cookie handles a segment with ACK to a listener: if it returns a valid cookie, it
 * acts as syncache_input; else it sends RST (RFC 9293 section 3.10.7.2), unless more data may
 * follow that shows a cookie, and the verdict is a drop.
 */
int syncache_input_cookie(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx,
                          uint32_t binding, struct tcb **t);

/**
 * syncache_timeouts returns the number of time-outs of a SYN-ACK until this many seconds have
 * passed, at most 255; syncache_seconds returns how many seconds have passed after n of them.
 */
uint32_t syncache_timeouts(const struct pc_stack_config *cfg, uint32_t seconds);
uint32_t syncache_seconds(const struct pc_stack_config *cfg, uint32_t n);

/** syncache_remove removes an entry. */
void syncache_remove(struct tcp *tcp, uint32_t index);

/** syncache_drop_listener removes all entries of a listener that is being closed. */
void syncache_drop_listener(struct tcp *tcp, uint32_t binding);

/** syncache_is_still says that syncache_poll has already handled this tick: entries added since are
 * due later. */
static inline bool syncache_is_still(const struct syncache *sc, uint32_t tick)
{
	return sc->has_polled && sc->polled == tick;
}

/** syncache_poll retransmits SYN-ACKs and removes entries that went unanswered. */
void syncache_poll(struct tcp *tcp);

/** syncache_next sets *tick to the next expiry. Returns false if there is none. */
bool syncache_next(const struct syncache *sc, uint32_t *tick);

unsigned syncache_validate(const struct tcp *tcp);

#endif
