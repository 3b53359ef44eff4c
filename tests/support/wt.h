/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_WT_H
#define SUPPORT_WT_H

/*
 * The language of wire tests: one stack, one virtual clock, segments written by hand.
 *
 * Three words: INJECT(segment) makes the stack receive it and complete its turn; EXPECT(segment)
 * checks that exactly this segment was sent, at once (EXPECT_AT: after so many ms of virtual time);
 * NOTHING(ms) checks that nothing is sent for that long. In between, the test calls the socket API
 * of w->st. An unexpected segment from the stack fails the case at its end.
 *
 * Sequence numbers are relative: seq of injected segments and ack of expected ones count from the
 * peer's ISN, the other two from the stack's, so a SYN has number 0 and the first byte 1. Payload
 * bytes are a function of their number, so they need not be written down, and are compared in both
 * directions. Every frame's lengths, checksums, addresses and padding are verified.
 *
 * A case is a function of `struct wt *w`; a failure prints the place, what was expected and what
 * was sent, and ends the case. wt_<state>() bring a connection into a state of RFC 9293 section
 * 3.3.2.
 */

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <percore/epoll.h>
#include <percore/socket.h>
#include <percore/stack.h>

#include "frame.h"
#include "probe.h"
#include "sign.h"
#include "totals.h"
#include "wt_ip6.h"

/* flags, as in tcpdump */
#define S  TCP_SYN
#define SA (TCP_SYN | TCP_ACK)
#define A  TCP_ACK
#define PA (TCP_PSH | TCP_ACK)
#define FA (TCP_FIN | TCP_ACK)
#define R  TCP_RST
#define RA (TCP_RST | TCP_ACK)

/* .ecn (RFC 3168 section 5) */
#define ECT1 1
#define ECT0 2
#define CE   3

#define ZERO_WND (-1)
#define NO_TS    1 /* .ts: without the option although it was negotiated */
#define TS       2 /* .ts: with the option and the given values */

#define NO_ACCECN 0x80 /* .accecn of an expected segment: without the option */

/** A segment; omitted members have their natural value. */
struct seg {
	uint8_t flags;
	uint32_t seq, ack; /* relative */
	uint32_t len;      /* payload bytes */
	int32_t wnd;       /* as on the wire; 0: the peer's usual one, or any that is not 0 */
	uint16_t urg;
	uint16_t mss; /* 0: no such option */
	uint8_t ws;   /* shift + 1; 0: no such option */
	bool sackok;
	uint8_t ts; /* 0: as negotiated; NO_TS; TS */
	uint32_t tsval, tsecr;
	uint8_t nb_sack;
	struct {
		uint32_t start, end; /* relative, like ack */
	} sack[4];
	const void *raw; /* injected options verbatim, raw_len bytes */
	uint8_t raw_len;
	uint8_t fo;         /* Fast Open: length of the cookie + 1, 0: no such option */
	const void *cookie; /* expected, NULL: any */
	bool any_psh, any_wnd, any_sack; /* expected: not compared */
	bool bad_cksum;                  /* injected with a wrong TCP checksum */
	uint8_t ecn;                     /* the two bits of the IP header, see ECT0 and CE */
	bool ae;                         /* the ninth flag (RFC 9768) */
	/* the AccECN option (enum tcp_accecn); expected: 0: not compared, NO_ACCECN: none */
	uint8_t accecn;
	uint32_t e0b, ceb, e1b;
	const char *md5;        /* the password that signs it (RFC 2385) */
	const struct wt_ao *ao; /* the key that signs it (RFC 5925) */
	const void *data;       /* injected payload that replaces the pattern */
	uint32_t at;            /* with data: unused; else pattern offset + 1, 0: by seq */
};

/** What the peer offers in its SYN, and its usual window. */
struct peer {
	uint16_t mss; /* 0: no option */
	uint8_t ws;   /* shift + 1; 0: no option */
	bool ts, sackok;
	uint16_t wnd;
	uint8_t ttl; /* of the packets that it, or a router, sends; 0: 64 */
};

/** One connection as the test sees it. */
struct flow {
	uint32_t peer_be;      /* IPv4 address of the peer */
	uint16_t lport, pport; /* the stack's and the peer's */
	uint32_t iss, irs;     /* the stack's ISN and the peer's */
	bool iss_known;
	bool ts_on, ws_on;     /* as negotiated by the two SYNs seen */
	bool ts_sent, ws_sent; /* offered by the stack's SYN */
	uint8_t ws;            /* the stack's shift */
	uint16_t mss;          /* the stack's option */
	uint32_t tsval;        /* the stack's last one */
	bool tsval_known;
	uint8_t cookie_len, cookie[TCP_COOKIE_MAX]; /* of the stack's last Fast Open option */
	uint32_t edge;                              /* right edge of the stack's window, relative */
	uint32_t sent, rcvd; /* bytes that the test's application has written and read */
	int fd;
};

struct wt {
	struct pc_stack_config cfg;
	struct peer peer;
	struct flow flow;
	struct pc_stack *st;
	struct probe *probe;
	struct rte_mempool *pool, *probe_pool;
	uint64_t now, mark; /* virtual time; when the last word ended */
	int lfd, ep;
	uint16_t mtu, next_pport; /* mtu: for IPv4 packets */
	uint32_t offloads;
	uint16_t rx_split;
	bool may_fragment; /* TCP segments may be sent without DF */
	bool cold;         /* set before the first word: no known peer, and no turn yet */
	bool trace;
	uint32_t in_use, probe_in_use;
	uint32_t settled; /* times that wt_settle was called */
	jmp_buf fail;
};

/** A case: its name quotes the clause that it tests. */
struct wt_case {
	const char *name;
	void (*run)(struct wt *w);
};

/* for this many steps, a case is validated after each of them, then after every 16th */
#define WT_ALL_VALIDATED 256

#define WT_LOCAL "192.0.2.1"
#define WT_PEER  "192.0.2.2"
#define WT_PORT  80
#define WT_MSS   1460

/** A test program. Its mbufs are created at each start, so most have few. */
struct wt_program {
	const char *name;
	const struct wt_case *cases;
	unsigned n;     /* of cases */
	uint32_t mbufs; /* of the stack; 0: 2047 */
};

#define WT_MANY_MBUFS 8191 /* for suites that fill buffers and windows */

/**
 * wt_main runs the cases as a CUnit suite and returns the exit status. Arguments: --case TEXT (only
 * cases whose names contain it), --trace (print every frame), --offloads (the port computes
 * checksums and accepts chains), --tso (the port also segments), --chains (the port receives
 * chains), --ip6 (wt_ip6.h; cases with IPv4 in their names are left out), --stash (isolated small
 * segments are kept as copies, tcp.stash_from).
 */
int wt_main(int argc, char **argv, const struct wt_program *program);

/**
 * WT_MAIN defines main for a table named cases: WT_MAIN("name"), or with further members of struct
 * wt_program after the name.
 */
#define WT_MAIN(...)                                                                       \
	int main(int argc, char **argv)                                                    \
	{                                                                                  \
		return wt_main(argc, argv,                                                 \
		               &(struct wt_program){.cases = cases,                        \
		                                    .n = sizeof(cases) / sizeof(cases[0]), \
		                                    .name = __VA_ARGS__});                 \
	}

#define WT_HERE __FILE__, __LINE__

/* ---- the three words ---- */
#define INJECT(...)            wt_inject(w, &(struct seg){__VA_ARGS__})
#define QUEUE(...)             wt_queue(w, &(struct seg){__VA_ARGS__})
#define EXPECT(...)            wt_expect(w, WT_HERE, 0, 0, &(struct seg){__VA_ARGS__})
#define EXPECT_AT(ms, ...)     wt_expect(w, WT_HERE, ms, (ms) + 1, &(struct seg){__VA_ARGS__})
#define EXPECT_IN(lo, hi, ...) wt_expect(w, WT_HERE, lo, hi, &(struct seg){__VA_ARGS__})
#define NOTHING(ms)            wt_nothing(w, WT_HERE, ms)

/** wt_mss_default is the segment size of a peer that announces none (RFC 9293 MUST-15). */
static inline uint16_t wt_mss_default(void)
{
	return wt_ip6 ? 1220 : 536;
}

/** wt_start makes the stack from w->cfg; the words do so if there is none yet. */
void wt_start(struct wt *w);

struct ends6;

/**
 * wt_start6 also gives it the IPv6 address e->dst in a /64, with ip6.dad = 0, and introduces e->src
 * to it.
 */
void wt_start6(struct wt *w, const struct ends6 *e);

/**
 * wt_inject receives a segment and ends the turn. wt_queue leaves it for the burst of the next one.
 */
void wt_inject(struct wt *w, const struct seg *s);
void wt_queue(struct wt *w, const struct seg *s);

/** wt_inject_frame receives any frame; wt_queue_frame leaves it for the burst of the next. */
void wt_inject_frame(struct wt *w, const struct frame *f);
void wt_queue_frame(struct wt *w, const struct frame *f);

/**
 * wt_expect waits until hi ms after the last word for a segment, which must not be sent before lo
 * ms.
 */
void wt_expect(struct wt *w, const char *file, int line, double lo, double hi, const struct seg *s);

/** wt_nothing lets ms pass and fails if anything is sent. */
void wt_nothing(struct wt *w, const char *file, int line, double ms);

/** wt_next returns the next TCP segment sent within ms, parsed, with absolute numbers; or NULL. */
const struct frame_info *wt_next(struct wt *w, double ms);

/** wt_sent_len returns the payload length of the next segment sent, which stays there. */
uint32_t wt_sent_len(struct wt *w);

/** wt_next_frame returns the next frame of any kind sent within ms, or NULL. */
const struct frame *wt_next_frame(struct wt *w, double ms);

/** wt_pass advances virtual time by ms; frames sent meanwhile are kept. */
void wt_pass(struct wt *w, double ms);

/** wt_drop discards all frames sent so far; returns how many. */
unsigned wt_drop(struct wt *w);

/** wt_settle ends a turn now: the application's output is sent, injected frames are received. */
void wt_settle(struct wt *w);

/** wt_ends returns the addresses of a frame from the peer to the stack. */
struct frame_ends wt_ends(const struct wt *w);

/**
 * wt_icmp_about injects a router's "destination unreachable" with a code, about the segment sent at
 * seq; mtu is the next hop's, for codes that carry one. wt_too_big sends "fragmentation needed".
 */
void wt_icmp_about(struct wt *w, uint8_t code, uint16_t mtu, uint32_t seq);
void wt_too_big(struct wt *w, uint16_t mtu, uint32_t seq);

/** wt_flow starts another connection, from an unused port; returns the old one. */
struct flow wt_flow(struct wt *w);

/** wt_flow_from is wt_flow with a peer of the given IPv4 address, whose MAC address the stack
 * knows. */
void wt_flow_from(struct wt *w, const char *peer);

/* ---- the application ---- */

/** wt_addr makes a socket address. */
struct sockaddr_in wt_addr(const char *ip, uint16_t port);

/** wt_send writes len pattern bytes to the flow's socket and ends the turn; all must be
 * accepted. */
void wt_send(struct wt *w, uint32_t len);

/** wt_write is wt_send with flags and without ending the turn; returns the result of pc_send. */
ssize_t wt_write(struct wt *w, uint32_t len, int flags);

/** wt_read reads exactly len bytes from the flow's socket, checks them, and ends the turn. */
void wt_read(struct wt *w, uint32_t len);

/** wt_accept accepts into the flow; fails the case if there is no connection. */
void wt_accept(struct wt *w);

/** wt_opt sets an int option of the flow's socket. */
void wt_opt(struct wt *w, int level, int name, int value);

struct sock_extended_err; /* linux/errqueue.h */

/** wt_error reads the next report of a socket's error queue, without the data that it quotes; fails the case if there is none. */
struct sock_extended_err wt_error(struct wt *w, int fd);

/** wt_info reads TCP_INFO of the flow's socket. */
struct tcp_info wt_info(struct wt *w);

/** wt_totals reads the remaining members (totals.h). */
struct totals wt_totals(struct wt *w);

/** wt_send_fast opens a connection with len bytes of data, in the SYN if a cookie is known
 * (RFC 7413). Returns the result of sendto(). */
ssize_t wt_send_fast(struct wt *w, uint32_t len);

/**
 * wt_take_mbufs takes the stack's free mbufs until left remain, and lets the stack notice;
 * wt_give_mbufs gives them back.
 */
void wt_take_mbufs(struct wt *w, uint32_t left);
void wt_give_mbufs(struct wt *w);

/** wt_events returns what pc_poll reports for a descriptor. */
short wt_events(struct wt *w, int fd);

/** wt_count returns a counter. */
uint64_t wt_count(const struct wt *w, enum pc_counter c);

/** wt_pattern is byte n of the stream out of the stack (dir 0) or into it (dir 1). */
uint8_t wt_pattern(int dir, uint32_t n);

/* ---- one function for each state (RFC 9293 section 3.3.2) ---- */
void wt_listen(struct wt *w, int backlog);
/** wt_connecting calls connect() and leaves its SYN unread; wt_syn_sent reads it. */
void wt_connecting(struct wt *w);
void wt_syn_sent(struct wt *w);
void wt_syn_received(struct wt *w);
void wt_established(struct wt *w);        /* passive */
void wt_established_active(struct wt *w); /* active */
/** wt_established_after is wt_established with a round trip time of rtt_ms. */
void wt_established_after(struct wt *w, double rtt_ms);
void wt_fin_wait_1(struct wt *w);
void wt_fin_wait_2(struct wt *w);
void wt_closing(struct wt *w);
void wt_time_wait(struct wt *w);
void wt_time_wait_active(struct wt *w); /* that of an active connection that the application
                                           has closed; it had SO_REUSEADDR */
void wt_close_wait(struct wt *w);
void wt_last_ack(struct wt *w);

/* ---- checks ---- */
#define CHECK(cond)                                                 \
	do {                                                        \
		if (!(cond))                                        \
			wt_fail(w, WT_HERE, "not true: %s", #cond); \
	} while (0)
#define EQ(a, b)                                                                              \
	do {                                                                                  \
		long long eq_a = (long long)(a), eq_b = (long long)(b);                       \
		if (eq_a != eq_b)                                                             \
			wt_fail(w, WT_HERE, "%s is %lld, not %s = %lld", #a, eq_a, #b, eq_b); \
	} while (0)
#define IN(a, lo, hi)                                                                   \
	do {                                                                            \
		long long in_a = (long long)(a);                                        \
		if (in_a < (long long)(lo) || in_a > (long long)(hi))                   \
			wt_fail(w, WT_HERE, "%s is %lld, not in [%lld,%lld]", #a, in_a, \
			        (long long)(lo), (long long)(hi));                      \
	} while (0)
/* the call must return -1 with that errno */
#define ERR(call, err)                                                                             \
	do {                                                                                       \
		errno = 0;                                                                         \
		long long err_r = (long long)(call);                                               \
		int err_e = errno;                                                                 \
		if (err_r != -1 || err_e != (err))                                                 \
			wt_fail(w, WT_HERE, "%s returned %lld with errno %d (%s), not -1 with %s", \
			        #call, err_r, err_e, strerror(err_e), #err);                       \
	} while (0)
#define OK(call)                                                                      \
	do {                                                                          \
		long long ok_r = (long long)(call);                                   \
		if (ok_r < 0)                                                         \
			wt_fail(w, WT_HERE, "%s failed: %s", #call, strerror(errno)); \
	} while (0)

/** wt_fail prints the place and the message, and ends the case. */
void wt_fail(struct wt *w, const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

#endif
