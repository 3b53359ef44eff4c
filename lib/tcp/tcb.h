/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCB_H
#define TCP_TCB_H

/*
 * The transmission control block.
 *
 * An idle connection takes three cache lines.  An in-order segment touches the first two; the third
 * holds timers and limits.  State that is needed only while bytes are queued or in flight (buffers,
 * scoreboard, recovery) is in struct tcp_queues, which comes from a pool of its own with the first
 * byte and returns to it with the last.
 *
 * Names are those of RFC 9293 section 3.3.1: snd_una is SND.UNA and so on.  All sequence numbers
 * are in host byte order.
 */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

#include "base/pkt.h"
#include "event/event.h"
#include "ip/ip.h"
#include "tcp/pace.h"
#include "tcp/prr.h"
#include "tcp/rack.h"
#include "tcp/rcvtune.h"
#include "timer/wheel.h"

/** The states of RFC 9293 section 3.3.2; values are those of Linux's tcp_info.tcpi_state. */
enum tcp_state {
	TCP_S_FREE = 0,
	TCP_S_ESTABLISHED = 1,
	TCP_S_SYN_SENT = 2,
	TCP_S_SYN_RECEIVED = 3,
	TCP_S_FIN_WAIT_1 = 4,
	TCP_S_FIN_WAIT_2 = 5,
	TCP_S_TIME_WAIT = 6,
	TCP_S_CLOSED = 7,
	TCP_S_CLOSE_WAIT = 8,
	TCP_S_LAST_ACK = 9,
	TCP_S_LISTEN = 10,
	TCP_S_CLOSING = 11,
};

/** The two ends of a connection; all zero: none. Ports are in host byte order. */
struct tcp_flow {
	struct pc_addr raddr;
	uint16_t laddr; /* index of our address */
	uint16_t lport, rport;
	uint16_t zero;
};

static_assert(sizeof(struct tcp_flow) == 24, "hashed as three words");

/** tcp_flow_ports returns the ports of outgoing segments, as ip_path_find_flow takes them. */
static inline uint32_t tcp_flow_ports(const struct tcp_flow *f)
{
	return (uint32_t)f->lport << 16 | f->rport;
}

/* tcb.opt: what was negotiated */
enum {
	TCB_OPT_TS = 1 << 0,
	TCB_OPT_SACK = 1 << 1,
	TCB_OPT_WSCALE = 1 << 2,
	TCB_OPT_ECN = 1 << 3,
	/* the SYN had the option of RFC 7413: ours, or the peer's with a valid cookie */
	TCB_OPT_FASTOPEN = 1 << 4,
	TCB_OPT_SYN_DATA = 1 << 5, /* it may carry data: SND.UNA begins after the SYN */
	TCB_OPT_COUNTED = 1 << 6,  /* counted for its source (sources.h) */
	TCB_OPT_ACCECN = 1 << 7,   /* marks are counted, not echoed (accecn.h) */
};

/* tcb.flags */
enum {
	/* socket */
	TCB_OPEN = 1 << 0,  /* the application has a descriptor */
	TCB_BOUND = 1 << 1, /* has a struct binding */
	TCB_NODELAY = 1 << 2,
	TCB_CORK = 1 << 3,
	TCB_QUICKACK = 1 << 4,
	TCB_KEEPALIVE = 1 << 5,
	TCB_LINGER = 1 << 6,   /* SO_LINGER on */
	TCB_LINGER_0 = 1 << 7, /* ... with a time of 0: close() resets */
	TCB_REUSEADDR = 1 << 8,
	TCB_REUSEPORT = 1 << 9,
	TCB_PENDING = 1 << 10, /* in an accept queue */
	TCB_NOSPACE = 1 << 11, /* a send was refused: notify when there is room */
	TCB_RD_SHUT = 1 << 12, /* shutdown(SHUT_RD), or closed */
	TCB_WR_SHUT = 1 << 13, /* shutdown(SHUT_WR), or closed: FIN is queued */
	/* protocol */
	TCB_FIN_SENT = 1 << 14,
	TCB_FIN_RCVD = 1 << 15,      /* the peer's FIN has been taken: end of stream */
	TCB_ACK_NOW = 1 << 16,       /* an ACK is due at the end of this turn */
	TCB_ACK_LATER = 1 << 17,     /* an ACK is due when the delay is over */
	TCB_WORK = 1 << 18,          /* on the work list */
	TCB_MORE = 1 << 19,          /* the last send had MSG_MORE */
	TCB_PUSH = 1 << 20,          /* override: small segments are sent now */
	TCB_SNDBUF_SET = 1 << 21,    /* SO_SNDBUF: the buffer does not tune itself */
	TCB_IN_TABLE = 1 << 22,      /* in the flow table */
	TCB_CONNECTED = 1 << 23,     /* has been established */
	TCB_STARVED = 1 << 24,       /* waiting for mbufs, not for the peer */
	TCB_CONNECTING = 1 << 26,    /* connect() has not yet reported its outcome */
	TCB_V6ONLY = 1 << 27,        /* IPV6_V6ONLY */
	TCB_WINDOW_UPDATE = 1 << 25, /* the application has read: an update may be due */
	TCB_ECE = 1 << 28,           /* marked packets arrived: echo that; or accecn.h */
	TCB_CWR = 1 << 29,           /* cwnd was reduced: say so on the next new data */
	TCB_IP6 = 1 << 30,           /* created as AF_INET6 */
	TCB_RCVBUF_SET = 1u << 31,   /* SO_RCVBUF: the buffer does not tune itself */
};

/* tcb.timers: which deadlines are set */
enum {
	TCB_T_LOSS = 1 << 0, /* retransmission or a probe (enum tcp_loss_timer) */
	TCB_T_ACK = 1 << 1,  /* delayed acknowledgement */
	TCB_T_LIFE = 1 << 2, /* keep-alive, or the end of an orphan in FIN-WAIT-2 */
	TCB_T_PACE = 1 << 3, /* the next pacing quantum; the deadline is tcp_queues.pace_tick */
	TCB_T_TURN = 1 << 4, /* no deadline: a keep-alive has been given its turn */
};

struct tcb {
	/* line 0: identity and sequence spaces */
	struct tcp_flow flow;
	uint8_t state;
	uint8_t opt;
	uint8_t snd_wscale : 4, rcv_wscale : 4;
	uint8_t probes; /* unanswered keep-alives or window probes */
	uint32_t flags;
	uint32_t snd_una, snd_nxt;
	uint32_t snd_wnd;
	uint32_t snd_wl1; /* in SYN-SENT: errno of the last ICMP error, 0: none */
	uint32_t rcv_nxt;
	uint32_t rcv_adv;       /* right edge of the window advertised */
	uint32_t ts_recent;     /* in SYN-SENT: our own first timestamp */
	uint32_t last_ack_sent; /* RFC 7323: Last.ACK.sent */

	/* line 1: used by socket calls and output */
	uint32_t queues;      /* index of struct tcp_queues, 0: none; or TCB_STASHED and a slot */
	uint32_t link;        /* next in the work list, or in the free list */
	uint32_t snd_bytes;   /* in the send queue: unsent or unacknowledged */
	uint32_t rcv_bytes;   /* in order, not yet read */
	struct pollable poll; /* before accept(): data is the next in the accept queue */
	uint32_t cwnd, ssthresh;
	uint16_t mss;     /* payload bytes of a full segment, less options */
	uint16_t rcv_mss; /* largest segment seen from the peer */
	uint8_t netif, ttl, tos;
	uint8_t error; /* errno that SO_ERROR and the next call report */
	struct neigh_ref neigh;
	/* RFC 6298. While srtt_us is 0 there is no sample, and rttvar_us is when the first SYN was
	 * sent (0: none was), or the only SYN-ACK (0: there were several). */
	uint32_t srtt_us, rttvar_us;

	/* line 2: timers and limits */
	struct timer timer; /* armed for the earliest deadline, or earlier */
	uint32_t t_loss;    /* ticks, as the next two */
	union {
		uint32_t t_ack;
		uint32_t sent_us; /* while stashed (stash.h): when */
	};
	uint32_t t_life;
	uint32_t rto_us;      /* without back-off */
	uint32_t ts_offset;   /* of our timestamps (RFC 7323 section 5.4) */
	uint32_t snd_max_wnd; /* MAX.SND.WND */
	uint32_t rcv_max;     /* SO_RCVBUF, or as tuned by rcvtune.h */
	uint32_t snd_max;     /* SO_SNDBUF, or as grown by tcp_snd_grow */
	uint32_t rcv_tick;    /* when the peer was last heard from */
	uint8_t retries;      /* of the oldest segment: number of back-offs */
	uint8_t timers;       /* which deadlines count */
	uint8_t cc;           /* index of the congestion control */
	uint8_t syn_lost : 1; /* when opening: cwnd starts at one segment (RFC 6928) */
	uint8_t quick : 7;    /* this many more acknowledgements are not delayed */
	uint16_t peer_mss;    /* as the peer announced it */
	uint16_t binding;     /* of the socket, or of its listener; 0: none */
	union {
		struct {
			uint8_t tuning; /* index of struct tcp_tuning */
			union {
				struct {
					bool auth : 1;   /* the socket has keys (auth.h) */
					bool near : 1;   /* it limits hops to the peer (gtsm.h) */
					bool narrow : 1; /* a path MTU of PMTU_MIN4 */
				};
				uint8_t checked; /* 0: none, the fast path may take segments */
			};
		};
		uint16_t rare; /* 0: neither */
	};
	uint16_t path_mtu;
	uint16_t ts_recent_at; /* ctx.era when ts_recent was set; without timestamps: when all was
	                          acknowledged (tcp_loss_stop) */
	uint16_t account;      /* index of struct tcp_account */
};

static_assert(sizeof(struct tcb) == 192, "an idle connection takes three cache lines");
static_assert(offsetof(struct tcb, queues) == 64, "line 0");
static_assert(offsetof(struct tcb, timer) == 128, "line 1");

/* bit of tcb.queues: the others are the index of a slot (stash.h) */
#define TCB_STASHED (UINT32_C(1) << 31)

/* pkt.tx.flags of a segment in the send queue */
enum {
	SEG_INLINE = 1 << 0, /* headers go into the mbuf's own headroom */
	SEG_SACKED = 1 << 1,
	SEG_LOST = 1 << 2, /* deemed lost; with SEG_RESENT: and retransmitted */
	SEG_RESENT = 1 << 3,
	SEG_PUSH = 1 << 4,   /* the last one that a call queued */
	SEG_SUMMED = 1 << 5, /* tx.cookie is the sum of the payload, folded */
	SEG_EOR = 1 << 6,    /* ends a record (MSG_EOR): no more is added to it */
};

/** What a SACK block says has arrived: [start,end). */
struct sack_block {
	uint32_t start, end;
};

#define SACK_KNOWN 3 /* as many blocks as fit beside timestamps */

/** State of a connection only while something is queued, in flight or worth remembering. */
struct tcp_queues {
	/* lines 0 and 1: all that a segment touches in the usual case */
	/* one segment each, in order; the first SND.NXT - SND.UNA bytes have been sent */
	struct pktq snd;
	struct rte_mbuf *snd_next; /* the first one never sent; NULL: all were */
	struct pktq rcv;           /* in order, for the application */
	struct rte_mbuf *ooo;      /* out of order; sorted, without overlaps */
	uint32_t sacked_bytes, lost_bytes;
	uint32_t dup_bytes; /* without SACK: what duplicate ACKs say has left the network */
	uint32_t undo_cwnd; /* cwnd before recovery; 0: nothing to undo */
	union {
		struct {
			uint8_t dupacks;
			uint8_t recovery; /* enum tcp_recovery */
			bool fin_early;
			bool tlp_out; /* a loss probe is in flight */
			bool snd_urgent;
			uint8_t rcv_urgent; /* enum urgent_state */
			bool pace_waits;    /* pacing holds queued data back */
			uint8_t urgent_byte;
		};
		uint64_t trouble; /* 0: none of these */
	};
	uint8_t dup_turns : 2; /* turns in which duplicate ACKs arrived, at most DUP_THRESH */
	uint8_t dup_turn : 6;  /* the last such turn, modulo 2^6 */
	uint8_t loss_timer;    /* enum tcp_loss_timer: what TCB_T_LOSS means */
	uint16_t dup_us;       /* when the first arrived, modulo 2^16 */
	bool keep : 1;         /* worth keeping while nothing is queued */
	bool idle : 1;         /* nothing is queued; only kept */
	bool tuned : 1;        /* the peer sends in bulk: tune counts */
	uint8_t reverted : 5;  /* RFC 6069: back-offs reverted, while retries > 0 */
	uint8_t soft_error;    /* errno of an ICMP error while retries > 0, 0: none */
	uint16_t ooo_segs;
	struct {
		uint16_t high, probe; /* MTUs: may fit; of the probe in flight; 0: none */
		uint32_t end;         /* of the probe, or of the data whose loss is forgiven */
		uint32_t forgiven;    /* bytes lost because of their segments' size */
		uint32_t tick;        /* no probe before this */
	} pmtu;
	/* SND.NXT - SND.UNA when it last could send; 0 when all is acknowledged */
	uint32_t flight_out;
	union {
		uint32_t snd_up;    /* if snd_urgent: the byte after the urgent data */
		uint32_t small_end; /* otherwise: end of the last small segment (nagle.h) */
	};
	struct rack rack;
	struct rcvtune tune;
	uint32_t pace_tick; /* deadline of TCB_T_PACE */
	struct pace pace;
	/* the rest */
	uint16_t sacked_segs; /* in snd, SEG_SACKED */
	uint8_t frto;         /* enum frto_step */
	bool reduced : 1;     /* ECN: no further reduction before reduced_end */
	bool tlp_again : 1;   /* the loss probe was a retransmission */
	bool undo_cc : 1;     /* the recovery to undo made congestion control reduce */
	uint8_t ooo_runs : 3; /* runs of ooo that arrivals since the last SACK belong to, up to 7 */
	uint32_t resent_bytes;
	uint32_t recover;      /* RFC 6582: SND.NXT when recovery began; with SACK then: ended */
	uint32_t ooo_serial;   /* of the latest arrival, for the order of SACK blocks */
	uint32_t fin_seq;      /* of an out-of-order FIN, if fin_early */
	uint32_t cc_bytes;     /* acknowledged since cwnd last grew */
	uint32_t stalled_tick; /* start of the stall, while retries > 0 */
	uint32_t tlp_end;      /* SND.NXT when the probe was sent */
	uint32_t reduced_end;  /* SND.NXT when cwnd was reduced */
	uint32_t undo_ssthresh;
	uint32_t undo_tsval; /* our timestamp at the first retransmission */
	uint32_t undo_segs;  /* retransmissions not reported as duplicates */
	uint32_t cwnd_used;  /* most bytes in flight since cwnd_tick; 0: cwnd was fully used */
	uint32_t cwnd_tick;  /* RFC 2861: when cwnd was last fully used, or reduced as it was not */
	uint32_t lost_total; /* bytes ever marked lost, modulo 2^32 */
	uint32_t lost_us;    /* when the last of them was sent */
	struct prr prr;
	uint32_t rcv_up; /* if rcv_urgent: the last urgent byte announced */
	uint32_t owner;  /* TCB */
	union {
		struct {
			/* while idle: neighbours in the idle list; indices, 0: none */
			uint32_t older, newer;
		};
		struct {
			uint32_t most;     /* otherwise: most bytes in flight until ... */
			uint32_t most_end; /* ... this is acknowledged */
		};
	};
	union {
		uint32_t sack_vain; /* segments recently searched in vain (scoreboard.h) */
		/* without SACK: by how much SND.UNA moved last; 0: not in this recovery */
		uint32_t ack_step;
	};
	uint64_t cc_state[8];                     /* of the congestion control */
	struct sack_block sack_known[SACK_KNOWN]; /* the last blocks received; empty: none */
	struct rte_mbuf *sack_at; /* the segment SACKed last; NULL: no longer queued */
} __attribute__((aligned(64)));

static_assert(sizeof(struct tcp_queues) <= 384, "six cache lines of a busy connection");
static_assert(offsetof(struct tcp_queues, rack.sent_us) <= 128, "lines 0 and 1");

/** What the deadline TCB_T_LOSS is for. */
enum tcp_loss_timer {
	TCP_LT_RTO,     /* retransmission, or the probe of a closed window */
	TCP_LT_PROBE,   /* tail loss probe (RFC 8985 section 7) */
	TCP_LT_REORDER, /* look for losses again (RACK, or duplicate ACKs) */
};

enum tcp_recovery {
	TCP_R_OPEN,     /* no loss known */
	TCP_R_RECOVERY, /* fast recovery, until recover is acknowledged */
	TCP_R_LOSS,     /* after a time-out, until recover is acknowledged */
};

#endif
