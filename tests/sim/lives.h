/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIM_LIVES_H
#define SIM_LIVES_H

/*
 * Whole lives of connections: two machines, of which either connects to the other, over both
 * families, while things happen to them and to the path. Everything follows from the seed.
 *
 * The parts: lives_plan.c draws, lives_app.c has the ends of connections and what they may be told,
 * lives_net.c has machines, path and troubles, lives.c is the clock and the verdict.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/percore.h>

#define US       UINT64_C(1000)
#define MS       (1000 * US)
#define SECOND   (1000 * MS)
#define NEVER    UINT64_MAX
#define ENDS     96 /* of connections, in one life */
#define TROUBLES 6
#define HOSTS    2

struct rte_mempool;

/** How an end behaves when it has sent everything. */
enum ending {
	POLITE, /* it shuts down, reads to the end, and closes */
	LAST,   /* it waits for the peer's end first */
	EAGER,  /* it closes at once, whatever may be unread or may still come */
	ENDINGS
};

/** One end of a connection. Its stream begins with its id, and all bytes follow from that. */
struct end {
	uint32_t id; /* 1, 2, ... */
	int host, fd;
	int family;           /* of the addresses on the wire */
	bool passive, cross;  /* accepted; connects to one that connects to it */
	uint16_t port, bound; /* its own port, in host order; the one that it asks for, or 0 */
	uint64_t start_at, started_at;
	/* what it does */
	enum ending ending;
	uint64_t total, credit; /* bytes; it sends no more than credit beyond what it has read */
	bool echo;              /* total is what it reads */
	uint32_t write_max, read_max;
	uint64_t write_pause, read_pause; /* ns */
	uint64_t reads_till;              /* bytes after which it stops to read */
	uint64_t abort_at, quit_at, resize_at;
	uint64_t patience;
	uint64_t user_timeout, keepalive; /* ns after which a silent peer is given up; 0: not set */
	bool fastopen;
	/* what has happened */
	uint64_t sent, rcvd, write_at, read_at, moved_at, writes, reads;
	uint8_t head[4];
	struct end *peer, *guess; /* who sends what it reads; who may be its peer */
	bool started, shut, ended, closed, dead, aborted, unread;
	int error;
	uint64_t queued, credit_used, stall_at; /* SIOCOUTQ; calls then; the last progress */
	uint64_t paused_ns;                     /* in which it did not want to read */
	uint64_t bad_then, paused_then;         /* at the last progress */
	uint64_t start_bad;
};

enum trouble_kind {
	BLACKOUT,  /* the path carries nothing, in one direction or both */
	FREEZE,    /* a machine does nothing */
	REBOOT,    /* a machine is off, and then has a new stack */
	JUMP,      /* a machine's clock jumps ahead */
	HUNGER,    /* a machine's mbufs are gone */
	WEATHER,   /* losses, duplicates, corruption */
	NARROW,    /* the path's MTU is smaller, with ICMP or without */
	ADDRESS,   /* a machine loses an address */
	NEIGHBOUR, /* a machine forgets its neighbours */
	LINK,      /* a machine's link is down */
	LIMIT,     /* a machine's own MTU for IPv4 is smaller */
	DEAF,      /* a machine has no listeners */
	TROUBLE_KINDS
};

struct trouble {
	uint64_t at, lasts, value;
	enum trouble_kind kind;
	int host, way; /* way: 0 and 1 towards that host, 2 both */
	bool begun, over;
};

struct host {
	struct pc_stack *st;
	struct pc_stack_config cfg;
	struct pc_port *port, *fault;
	struct pc_fault_config normal;
	struct rte_mempool *pool;
	uint64_t ahead, still_till;
	int lfd[2], ufd[2]; /* of IPv4 and IPv6 */
	unsigned boots;
	uint64_t frames;  /* sent by earlier stacks */
	uint64_t cookies; /* and Fast Opens */
};

struct life {
	uint64_t seed, random, now, bad_ns, began;
	struct host host[HOSTS];
	struct rte_mempool *pool, *small[HOSTS];
	uint64_t rtt, kbps, queue, jitter, loss, ack_loss, reorder, duplicate, corrupt, burst;
	bool icmp, md5, ao, tiny, mark, closing;
	uint32_t offloads;
	uint64_t datagrams; /* ns between two; 0: none */
	uint64_t next_datagram, told, heard;
	unsigned nb_planned, nb_ends, nb_troubles, accepted;
	struct end end[ENDS];
	struct trouble trouble[TROUBLES];
	void **eaten;
	unsigned nb_eaten;
	struct rte_mempool *eaten_from;
	uint64_t bytes, calls, steps;
	char wrong[300];
};

/** life_fail records an error; only the first is kept. Returns false. */
bool life_fail(struct life *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** rnd draws a number from low to high. */
uint64_t rnd(struct life *l, uint64_t low, uint64_t high);

/** chance returns true with a probability of percent. */
bool chance(struct life *l, unsigned percent);

/** some draws from low to high, with all orders of magnitude about equally likely. */
uint64_t some(struct life *l, uint64_t low, uint64_t high);

/** host_is_up says whether a machine runs. */
static inline bool host_is_up(const struct life *l, int h)
{
	return l->host[h].st != NULL && l->now >= l->host[h].still_till;
}

/* lives_plan.c */
void plan_life(struct life *l);
void plan_end(struct life *l, struct end *e);
void plan_print(const struct life *l);

/* lives_net.c */
void net_open(struct life *l, const char *capture);
void net_boot(struct life *l, int h);
void net_close(struct life *l);
void net_stop(struct life *l);
void net_set_keys(struct life *l, int h, int family, int fd);
void net_turn(struct life *l);
uint64_t net_next(const struct life *l);
bool net_is_bad(const struct life *l);
uint64_t net_frames(const struct life *l);
struct sockaddr_storage net_address(int h, int family, uint16_t port);
socklen_t net_address_len(int family);

/* lives_app.c */
bool app_turn(struct life *l, int h);
void app_died(struct life *l, int h);
uint64_t app_next(const struct life *l);
void app_advance(struct life *l, uint64_t ns);
bool app_is_over(const struct life *l);
void app_judge(struct life *l);

#endif
