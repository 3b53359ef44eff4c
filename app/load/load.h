/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

/*
 * percore-load: one load generator, on one port.
 *
 * A mode is made of up to three exchangeable parts: its engine implements the protocol on the wire
 * (TCP, UDP, bare frames), its talk the application protocol on a connection, its plan decides when
 * connections are opened, used and closed.  All of them work on struct load; the caller passes the
 * time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/run.h>

#include "answer.h"
#include "client.h"
#include "hist.h"
#include "load_config.h"
#include "out.h"
#include "sizes.h"
#include "stream.h"
#include "wire.h"

#define LOAD_BURST     64
#define LOAD_DIRECT    16384u /* requests in flight up to which no turns are taken */
#define LOAD_OWED      4096u
#define LOAD_MSS_LEAST 64u /* in place of a peer's smaller MSS, with which nothing could be sent */
#define LOAD_SECOND_NS UINT64_C(1000000000)

struct load;
struct reader;
struct receiver;
struct sender;
struct ranges_pool;

/** The implementation of a protocol on the wire. */
struct engine {
	/** Makes its state. Returns 0, or -1 with a line in why. */
	int (*init)(struct load *l, char *why, size_t why_len);
	/** Handles a received burst and frees every mbuf. */
	void (*input)(struct load *l, struct rte_mbuf **pkts, unsigned n);
	/** Runs when no frame has arrived; may be NULL. */
	void (*quiet)(struct load *l);
	/** Does what has become due in another elapsed_ns; may be NULL. */
	void (*timers)(struct load *l, uint64_t elapsed_ns);
	/** Says whether all answers have arrived, after the last request; may be NULL. */
	bool (*settled)(struct load *l);
	/** Counts what is still missing after the wait as faults; may be NULL. */
	void (*judge)(struct load *l);
	/** Frees what init has made, except engine_state itself; may be NULL. */
	void (*fini)(struct load *l);
	/** Whether it resolves the neighbour before anything else. */
	bool resolves;
	/** How many frames it receives at once, at most; 0: LOAD_BURST. */
	uint16_t burst;
};

/** An application protocol over TCP. */
struct talk {
	const char *name;
	bool learns; /* the very first answer is the example for all others */
	/** Makes the stream that clients send. Returns 0, or -1 with a line in why. */
	int (*init)(struct load *l, char *why, size_t why_len);
	/** A connection is established; una, nxt and rcv are set. */
	void (*opened)(struct load *l, struct client *c);
	/** Verifies len bytes received in order, and returns how many answers they complete. */
	uint32_t (*receive)(struct load *l, struct client *c, const uint8_t *data, uint32_t len);
	/** Verifies len bytes received out of order, ahead bytes after rcv. This and skip may
	 * be NULL if out-of-order data is not kept. */
	void (*peek)(struct load *l, struct client *c, uint32_t ahead, const uint8_t *data,
	             uint32_t len);
	/** Skips len bytes that have been verified, and returns how many answers they complete. */
	uint32_t (*skip)(struct load *l, struct client *c, uint32_t len);
	/** One turn while the first answer is being learnt; may be NULL. */
	void (*learning)(struct load *l);
	/** Sends what may be sent, at least one segment if force. Returns whether it sent. */
	bool (*send)(struct load *l, struct client *c, uint32_t i, bool force);
};

/** When connections are opened, used and closed. */
struct plan {
	/** Begins with open connections: the whole table is opened before the run. */
	bool opens_first;
	/** One turn of the warm-up and of the run. */
	void (*step)(struct load *l);
	/** n answers have arrived on c. Returns whether it sent something. */
	bool (*answered)(struct load *l, struct client *c, uint32_t i, uint32_t n);
	/** Says whether the work is done, for runs without a fixed length; may be NULL. */
	bool (*ended)(struct load *l);
};

/** A mode of the program. */
struct mode {
	const char *name, *summary;
	const struct engine *engine;
	const struct talk *talk; /* TCP; with --http, http's */
	const struct plan *plan;
	uint16_t port;    /* of the server, if none is given */
	bool bounded;     /* ends by itself */
	uint8_t scale;    /* window scaling that it offers unless told otherwise */
	const char *unit; /* what is counted per second */
};

enum phase {
	PHASE_RESOLVE, /* wait for the link and the neighbour's address */
	PHASE_LEARN,   /* get one answer as an example */
	PHASE_OPEN,    /* open connections */
	PHASE_WARM,    /* load, not measured */
	PHASE_RUN,     /* load, measured */
	PHASE_SETTLE,  /* wait for what is in flight */
	PHASE_CHECK,   /* send one request on every connection */
	PHASE_CLOSE,   /* close them */
	PHASE_LINGER,  /* let the last frames arrive */
	PHASE_DONE,
};

/** What is counted; the report takes differences. */
struct counts {
	uint64_t rx_frames, rx_bytes, tx_frames;
	uint64_t answers, opened, closed;
	uint64_t payload_in, payload_acked;
	uint64_t slow_answers,
	    slow_in;      /* of slow readers, which answers and payload_in do not include */
	uint64_t overrun; /* requests of an open loop that were never sent: too far behind */
	uint64_t flood_sent, flood_refused, flood_back; /* flood.h */
};

/** Errors, and losses that were recovered from. */
struct faults {
	/* each of these makes the run a failure */
	uint64_t wrong, checksum, reset, refused, dead, timed_out, stuck, lost, unsolicited_fin,
	    beyond;
	/* these do not */
	uint64_t retransmitted, syn_retransmitted, out_of_order, duplicate, stray, probes,
	    half_open, alarms, unkept;
};

/** CPU time of a process, and its time waiting for a CPU, in nanoseconds. */
struct cpu_share {
	uint64_t run, wait;
};

/** Periods in which the generator itself did not run, as far as it can tell. */
struct stalls {
	uint64_t n, sum_ns, max_ns;
};

struct load {
	/* every frame */
	uint64_t now;   /* ns */
	uint32_t stamp; /* now in units of 64 ns */
	uint32_t tick;  /* ran_ns in units of CLIENT_TICK_NS, modulo 64 */
	bool asking;    /* requests may be sent */
	bool turns;     /* an answer does not cause the next request: connections take turns */
	bool timing;    /* record latencies: of requests sent in the run, up to the last answer */
	bool measuring;
	const struct talk *talk;
	const struct plan *plan;
	struct client *clients;
	uint32_t nb_clients, port_bits;
	uint32_t request; /* bytes of a request, if all are alike */
	uint32_t window;  /* bytes of requests that may be in flight on a connection, likewise */
	const struct sizes *sizes;  /* NULL: all requests are alike */
	uint32_t nb_slow, nb_busy;  /* parties.h */
	struct reader *readers;     /* nb_slow of them */
	struct receiver *receivers; /* one for each connection, where they are needed (early.h) */
	struct sender *senders;     /* likewise (mend.h) */
	struct ranges_pool *pool;   /* of both */
	bool sack;                  /* the server permits it */
	uint32_t own_mss, peer_mss, peer_scale, own_scale;
	uint32_t scale;                    /* window scale to offer; 15: none */
	uint32_t owed[LOAD_OWED], nb_owed; /* connections that owe an acknowledgement */
	struct wire wire;
	struct counts n;
	struct faults faults;

	/* the rest */
	const struct load_config *config;
	const struct mode *mode;
	enum phase phase;
	uint64_t phase_since, run_from, run_to, opened_after_ns, began;
	uint64_t timers_at, progress_at, arp_at, answered_at;
	uint64_t progress_from; /* when at_progress was taken */
	/* time for which the generator has run; frames are not received during its stalls */
	uint64_t ran_ns;
	uint64_t answer_unit_ns; /* load.answer_ms is answer_units of these; 0: never give up */
	uint32_t answer_units;
	struct counts at_run, at_end, at_progress;
	struct cpu_share own[2], server[2];
	struct stalls stalls;
	uint32_t pending, established, peak, active;
	struct pc_addr next_hop;
	uint32_t nb_sources;
	uint32_t scan; /* the connection that the timers check next */
	uint32_t next_open, next_ask;
	uint32_t slow_scan, slow_next;
	uint64_t paced, opened_paced, asked, period_ns;
	uint64_t pace_from;
	uint64_t random;
	uint64_t asked_once; /* in PHASE_CHECK */
	bool learnt;         /* an answer is known, if talk->learns */
	bool failed;
	char why[160];
	void *engine_state;
	struct flood *flood; /* NULL: none */
	struct answer answer;
	uint64_t learning_at; /* when the latest bytes of the first answer arrived */
	struct hist latency;
	struct stream stream;
	struct out out;
};

/** load_create makes a generator on a port. Returns NULL with a line in why. */
struct load *load_create(const struct load_config *config, const struct pc_run_ports *ports,
                         uint64_t now_ns, char *why, size_t why_len);

/** load_turn does one turn. Returns false once all is done. */
bool load_turn(struct load *l, uint64_t now_ns);

/** load_count brings the counts up to date. */
void load_count(struct load *l);

/** load_stop ends the run early; what has been measured is still reported. */
void load_stop(struct load *l);

/** load_destroy frees it. */
void load_destroy(struct load *l);

/** load_fail records why the run cannot go on, and ends it. */
void load_fail(struct load *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** plan_due returns how many requests of an open loop have been due by now. */
uint64_t plan_due(const struct load *l);

/** plan_due_ns returns when request k of an open loop is due. */
uint64_t plan_due_ns(const struct load *l, uint64_t k);

/**
 * plan_note_unsent records, after the run, the latencies of requests of an open loop that were due
 * on a connection during the run but will not be sent any more: their wait until now, without which
 * the longest latencies would be missing.
 */
void plan_note_unsent(struct load *l, struct client *c);

/** plan_resume starts a connection that replaces one that timed out. */
void plan_resume(struct load *l, struct client *c, uint32_t i);

/** load_random returns a number in [0,n). */
static inline uint32_t load_random(struct load *l, uint32_t n)
{
	l->random = l->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((l->random >> 32) * n >> 32);
}

/** load_has_fault says whether something went wrong. */
bool load_has_fault(const struct load *l);

/** modes lists all modes; the last entry has no name. */
extern const struct mode modes[];

/** mode_find returns the mode of that name, or NULL. */
const struct mode *mode_find(const char *name);

/** load_ignore frees received frames: the input of engines that expect none. */
void load_ignore(struct load *l, struct rte_mbuf **pkts, unsigned n);

/** load_no_answer is the callback answered of plans without connections. */
bool load_no_answer(struct load *l, struct client *c, uint32_t i, uint32_t n);

extern const struct engine engine_tcp, engine_udp, engine_tx, engine_rx, engine_ping, engine_pong,
    engine_replay, engine_null;
extern const struct talk talk_echo, talk_http, talk_ask, talk_sink, talk_source;
extern const struct plan plan_steady, plan_connrate, plan_hold, plan_bulk, plan_udp, plan_tx,
    plan_ping, plan_replay;

#endif
