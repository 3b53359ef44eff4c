/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: one connection over many bad paths, in search of stalls. Each seed draws settings of the
 * stacks, a path (rate, round trip, queue, losses in either direction, lost acknowledgements,
 * reordering, duplicates, jitter, failures for a while, delays for a while), buffers, and what the
 * applications do: a stream, or questions and answers. The longest time in which a reader got
 * nothing, although its peer had something to send, must be explained by what the path does.
 *
 * `paths FIRST LAST` runs some seeds, `paths SEED SEED FILE` one with a capture. Time is virtual.
 */

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <rte_common.h>
#include <rte_mempool.h>

#include <percore/percore.h>

#include "draw.h"
#include "eal.h"
#include "stack_on.h"

#define US       UINT64_C(1000)
#define MS       (1000 * US)
#define SECOND   (1000 * MS)
#define BEGIN_NS SECOND
#define ENDLESS  (UINT64_C(1) << 60)
#define FRAMES   12000 /* full ones of a run, roughly */
#define OVERHEAD 66    /* headers of a frame */
#define NEVER    UINT64_MAX

enum { CLIENT, SERVER };

/* clang-format off */
/* what a seed draws; times in us unless named otherwise, losses in millionths */
#define PARTS(X) \
	X(congestion) X(sack) X(rack) X(tlp) X(timestamps) X(scaling) X(frto) X(ecn) X(pacing) \
	X(delack_ms) X(quick_acks) X(mss) X(kbps) X(rtt) X(queue) X(loss) X(back_loss) X(ack_loss) \
	X(reorder) X(reorder_by) X(duplicate) X(jitter) X(mark_after) X(failures) X(failure_ms) \
	X(failure_way) X(delays) X(delay_ms) X(rcvbuf) X(sndbuf) X(asks) X(question) X(answer)
/* clang-format on */

struct path {
#define X(name) uint64_t name;
	PARTS(X)
#undef X
};

struct stream {
	uint64_t target, sent, rcvd;   /* bytes: to be written so far; written; read */
	uint64_t moved_at, longest_ns; /* when the reader last got something; the longest wait */
};

struct run {
	struct path path;
	uint64_t seed, random, now, end;
	struct pc_stack *st[2];
	struct pc_port *port[2], *fault[2];
	struct pc_fault_config normal[2];
	bool failing, delaying;
	int lfd, fd[2];
	struct stream out[2];
	int error;
};

static void die(const char *what)
{
	fprintf(stderr, "paths: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- what a seed draws ----------------------------------------------------------------------- */

static uint64_t rnd(struct run *r, uint64_t low, uint64_t high)
{
	return draw_from(&r->random, low, high);
}

static bool chance(struct run *r, unsigned percent)
{
	return rnd(r, 0, 99) < percent;
}

/* from low to high, with all orders of magnitude about equally likely */
static uint64_t some(struct run *r, uint64_t low, uint64_t high)
{
	uint64_t top = low;

	for (uint64_t n = rnd(r, 0, 64u - (unsigned)__builtin_clzll(high / low)); n > 0; n--)
		top *= 2;
	return rnd(r, low, RTE_MIN(top, high));
}

static void draw_stacks(struct run *r)
{
	struct path *p = &r->path;

	p->congestion = rnd(r, 0, 3);
	p->sack = chance(r, 70);
	p->rack = chance(r, 85);
	p->tlp = chance(r, 85);
	p->timestamps = chance(r, 70);
	p->scaling = chance(r, 85);
	p->frto = chance(r, 85);
	p->ecn = p->congestion == 2 ? 1 : chance(r, 40) ? rnd(r, 0, 5) : 2;
	p->pacing = chance(r, 10);
	p->delack_ms = chance(r, 80) ? 40 : rnd(r, 0, 200);
	p->quick_acks = chance(r, 80) ? 16 : 0;
	p->mss = chance(r, 70) ? 1460 : some(r, 88, 1460);
	if (chance(r, 20))
		p->rcvbuf = some(r, 8192, 1000000);
	if (chance(r, 20))
		p->sndbuf = some(r, 8192, 1000000);
}

static void draw_path(struct run *r)
{
	struct path *p = &r->path;

	p->kbps = some(r, 200, 100000);
	p->rtt = some(r, 100, 500000);
	p->queue = RTE_MAX(p->kbps * p->rtt / 8000 / (p->mss + OVERHEAD) * rnd(r, 20, 200) / 100,
	                   some(r, 8, 64));
	if (chance(r, 35))
		p->loss = some(r, 100, 20000);
	if (chance(r, 15))
		p->back_loss = some(r, 100, 20000);
	if (chance(r, 15))
		p->ack_loss = some(r, 1000, 200000);
	if (chance(r, 20)) {
		p->reorder = some(r, 500, 200000);
		p->reorder_by = 20 + p->rtt * rnd(r, 1, 60) / 100;
	}
	if (chance(r, 10))
		p->duplicate = some(r, 500, 100000);
	if (chance(r, 15))
		p->jitter = some(r, 10, 50000);
	if (chance(r, 40))
		p->mark_after = rnd(r, 3, p->queue);
	if (chance(r, 20)) {
		p->failures = rnd(r, 1, 3);
		p->failure_ms = some(r, 50, 8000);
		p->failure_way = rnd(r, 0, 2);
	}
	if (chance(r, 15)) {
		p->delays = rnd(r, 1, 3);
		p->delay_ms = some(r, 200, 3000);
	}
}

static void draw(struct run *r)
{
	struct path *p = &r->path;

	draw_stacks(r);
	draw_path(r);
	if (chance(r, 30)) {
		p->asks = 1;
		p->question = some(r, 1, 50000);
		p->answer = some(r, 1, 50000);
	}
}

static void print(const struct run *r)
{
#define X(name)                \
	if (r->path.name != 0) \
		printf(" " #name " %llu", (unsigned long long)r->path.name);
	PARTS(X)
#undef X
	printf("\n");
}

/* ns that a full frame takes */
static uint64_t frame_ns(const struct path *p)
{
	return (p->mss + OVERHEAD) * 8 * MS / p->kbps;
}

/* a full queue, and the way there and back */
static uint64_t round_trip_ns(const struct path *p)
{
	return p->rtt * US + (p->queue + 2) * frame_ns(p) + 2 * p->jitter * US + p->delack_ms * MS;
}

/* the failures and delays, each followed by twice its time and three seconds */
static uint64_t every_ns(uint64_t ms)
{
	return 3 * ms * MS + 3 * SECOND;
}

static uint64_t duration_ns(const struct path *p)
{
	const uint64_t most = 60 * SECOND;

	return RTE_MIN(most, RTE_MAX(FRAMES * frame_ns(p), 20 * round_trip_ns(p))) +
	       p->failures * every_ns(p->failure_ms) + p->delays * every_ns(p->delay_ms);
}

/* The longest wait that needs no further explanation: a time-out may have been doubled until it is
 * as long as what caused it, and may be needed again as often as packets are lost. */
static uint64_t longest_ns(const struct path *p)
{
	const uint64_t lost = p->loss + p->back_loss + p->ack_loss / 4;
	const uint64_t rto = 6 * (round_trip_ns(p) + 250 * MS);
	uint64_t most = SECOND + rto + rto * lost / 10000;

	if (p->failures != 0)
		most += 3 * p->failure_ms * MS;
	if (p->delays != 0)
		most += 3 * p->delay_ms * MS;
	return most;
}

/* ---- the world ------------------------------------------------------------------------------- */

static struct pc_fault_config faults(const struct run *r, int side, struct rte_mempool *pool)
{
	const struct path *p = &r->path;
	struct pc_fault_config f = {.seed = r->seed * 2 + (uint64_t)side,
	                            .pool = pool,
	                            .queue = 65536,
	                            .delay_ns = p->rtt * US / 2,
	                            .jitter_ns = p->jitter * US,
	                            .rate_bps = p->kbps * 1000,
	                            .backlog_ns = p->queue * frame_ns(p)};

	if (side == CLIENT) {
		f.rx_loss_ppm = (uint32_t)p->back_loss;
		f.ack_loss_ppm = (uint32_t)p->ack_loss;
		return f;
	}
	f.rx_loss_ppm = (uint32_t)p->loss;
	f.reorder_ppm = (uint32_t)p->reorder;
	f.reorder_delay_ns = p->reorder_by * US;
	f.duplicate_ppm = (uint32_t)p->duplicate;
	f.mark_ns = p->mark_after * frame_ns(p);
	return f;
}

static void open_side(struct run *r, int side, struct pc_port *wire, struct rte_mempool *pool,
                      const char *capture)
{
	const struct path *p = &r->path;
	struct pc_stack_config cfg;

	r->normal[side] = faults(r, side, pool);
	r->fault[side] = r->port[side] = pc_port_fault(wire, &r->normal[side]);
	if (capture != NULL && side == CLIENT)
		r->port[side] = pc_port_pcap(r->port[side], capture);
	if (r->port[side] == NULL)
		die("port");
	pc_stack_config_init(&cfg);
	cfg.stack_seed = r->seed * 2 + (uint64_t)side + 1;
	cfg.stack_max_connections = 4;
	cfg.stack_max_listeners = cfg.stack_max_udp_sockets = 2;
	cfg.stack_mbufs = pool->size;
	cfg.arp_entries = cfg.tcp_syn_cache = cfg.tcp_time_wait = 16;
	cfg.tcp_congestion = p->congestion;
	cfg.tcp_sack = p->sack;
	cfg.tcp_rack = p->rack;
	cfg.tcp_tlp = p->tlp;
	cfg.tcp_timestamps = p->timestamps;
	cfg.tcp_window_scaling = p->scaling;
	cfg.tcp_frto = p->frto;
	cfg.tcp_ecn = p->ecn;
	cfg.tcp_pacing = p->pacing;
	cfg.tcp_delack_ms = p->delack_ms;
	cfg.tcp_quick_acks = p->quick_acks;
	cfg.tcp_mtu_probing = 0; /* a failure of the path would look like a smaller MTU */
	r->st[side] =
	    stack_on(&cfg, pool, r->port[side], side == CLIENT ? "10.0.0.1/24" : "10.0.0.2/24");
}

static void set_options(const struct run *r, int side, int fd)
{
	const int mss = (int)r->path.mss, rcv = (int)r->path.rcvbuf, snd = (int)r->path.sndbuf;

	pc_setsockopt(r->st[side], fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss));
	if (rcv != 0)
		pc_setsockopt(r->st[side], fd, SOL_SOCKET, SO_RCVBUF, &rcv, sizeof(rcv));
	if (snd != 0)
		pc_setsockopt(r->st[side], fd, SOL_SOCKET, SO_SNDBUF, &snd, sizeof(snd));
}

static void open_connection(struct run *r)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(80)};

	r->lfd = pc_socket(r->st[SERVER], AF_INET, SOCK_STREAM, 0);
	r->fd[CLIENT] = pc_socket(r->st[CLIENT], AF_INET, SOCK_STREAM, 0);
	set_options(r, SERVER, r->lfd);
	set_options(r, CLIENT, r->fd[CLIENT]);
	if (pc_bind(r->st[SERVER], r->lfd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    pc_listen(r->st[SERVER], r->lfd, 1) != 0)
		die("listen");
	a.sin_addr.s_addr = inet_addr("10.0.0.2");
	pc_connect(r->st[CLIENT], r->fd[CLIENT], (struct sockaddr *)&a, sizeof(a));
	if (!r->path.asks)
		r->out[CLIENT].target = ENDLESS;
}

/* is one of n times of ms under way? */
static bool is_within(const struct run *r, uint64_t n, uint64_t ms)
{
	const uint64_t since = r->now - BEGIN_NS;

	return since / every_ns(ms) < n && since % every_ns(ms) >= SECOND &&
	       since % every_ns(ms) < SECOND + ms * MS;
}

static void change_path(struct run *r)
{
	const struct path *p = &r->path;
	const bool failing = is_within(r, p->failures, p->failure_ms);
	const bool delaying = is_within(r, p->delays, p->delay_ms);

	if (failing == r->failing && delaying == r->delaying)
		return;
	r->failing = failing;
	r->delaying = delaying;
	for (int side = 0; side < 2; side++) {
		struct pc_fault_config f = r->normal[side];

		if (failing && p->failure_way != (uint64_t)side)
			f.rx_loss_ppm = 1000000;
		if (delaying && side == SERVER)
			f.delay_ns += p->delay_ms * MS;
		pc_port_fault_set(r->fault[side], &f);
	}
}

/* ---- the applications ------------------------------------------------------------------------ */

static bool has_failed(struct run *r)
{
	if (errno != EAGAIN && errno != ENOTCONN)
		r->error = errno;
	return r->error != 0;
}

static void note_wait(struct stream *o, uint64_t now)
{
	o->longest_ns = RTE_MAX(o->longest_ns, now - o->moved_at);
	o->moved_at = now;
}

static bool write_some(struct run *r, int side)
{
	static const uint8_t zeros[65536];
	struct stream *o = &r->out[side];
	bool any = false;

	while (o->sent < o->target) {
		const size_t len = (size_t)RTE_MIN(o->target - o->sent, sizeof(zeros));
		ssize_t n = pc_send(r->st[side], r->fd[side], zeros, len, MSG_NOSIGNAL);

		if (n <= 0) {
			(void)(n < 0 && has_failed(r));
			break;
		}
		if (o->sent == o->rcvd)
			o->moved_at = r->now;
		o->sent += (uint64_t)n;
		any = true;
	}
	return any;
}

static bool read_some(struct run *r, int side)
{
	static uint8_t buf[65536];
	struct stream *o = &r->out[!side];
	bool any = false;
	ssize_t n;

	while ((n = pc_recv(r->st[side], r->fd[side], buf, sizeof(buf), 0)) > 0) {
		o->rcvd += (uint64_t)n;
		note_wait(o, r->now);
		any = true;
	}
	(void)(n < 0 && has_failed(r));
	return any;
}

/* whoever has read everything asks or answers */
static void talk(struct run *r)
{
	struct stream *ask = &r->out[CLIENT], *answer = &r->out[SERVER];

	if (!r->path.asks || ask->rcvd != ask->target || answer->rcvd != answer->target)
		return;
	if (ask->target / r->path.question == answer->target / r->path.answer)
		ask->target += r->path.question;
	else
		answer->target += r->path.answer;
}

static bool apps(struct run *r)
{
	bool any = false;

	if (r->fd[SERVER] <= 0)
		r->fd[SERVER] = pc_accept(r->st[SERVER], r->lfd, NULL, NULL);
	if (r->fd[SERVER] <= 0)
		return false;
	for (int side = 0; side < 2; side++) {
		any = read_some(r, side) || any;
		talk(r);
		any = write_some(r, side) || any;
	}
	return any;
}

/* ---- a run ----------------------------------------------------------------------------------- */

static uint64_t next_event(const struct run *r)
{
	/* where the path changes, in steps that are short enough */
	uint64_t next = r->path.failures + r->path.delays != 0 ? r->now + 20 * MS : NEVER;

	for (int side = 0; side < 2; side++) {
		next = RTE_MIN(next, pc_stack_next_deadline(r->st[side]));
		next = RTE_MIN(next, r->port[side]->ops->next_deadline(r->port[side]));
	}
	return next;
}

static uint64_t frames_sent(const struct run *r)
{
	return pc_stack_counters(r->st[0])->value[PC_TX_FRAMES] +
	       pc_stack_counters(r->st[1])->value[PC_TX_FRAMES];
}

static void run(struct run *r)
{
	while (r->now < r->end && r->error == 0) {
		const uint64_t sent = frames_sent(r);
		unsigned frames = 0;
		bool did;

		change_path(r);
		for (int side = 0; side < 2; side++)
			frames += pc_stack_poll(r->st[side], r->now);
		did = apps(r);
		for (int side = 0; side < 2; side++)
			pc_stack_flush(r->st[side], r->now);
		/* frames that were sent are in the wire until the other side polls */
		if (frames == 0 && !did && frames_sent(r) == sent)
			r->now = RTE_MAX(next_event(r), r->now + US);
	}
	for (int side = 0; side < 2; side++)
		if (r->fd[SERVER] <= 0 || r->out[side].sent != r->out[side].rcvd)
			note_wait(&r->out[side], r->now);
}

static bool judge(const struct run *r)
{
	const uint64_t longest = RTE_MAX(r->out[CLIENT].longest_ns, r->out[SERVER].longest_ns);
	const uint64_t most = longest_ns(&r->path);

	if (r->error == 0 && longest <= most)
		return true;
	printf("seed %llu: %s, waited %llu ms of at most %llu; read %llu and %llu of %llu s;",
	       (unsigned long long)r->seed, r->error != 0 ? strerror(r->error) : "a stall",
	       (unsigned long long)(longest / MS), (unsigned long long)(most / MS),
	       (unsigned long long)r->out[CLIENT].rcvd, (unsigned long long)r->out[SERVER].rcvd,
	       (unsigned long long)((r->end - BEGIN_NS) / SECOND));
	print(r);
	return false;
}

static bool run_seed(uint64_t seed, struct rte_mempool *pool, const char *capture)
{
	struct pc_wire_config wc = {.pool = pool, .capacity = 16384};
	struct run r = {
	    .seed = seed, .random = seed * UINT64_C(0x9e3779b97f4a7c15), .now = BEGIN_NS};
	struct pc_port *wire[2];
	bool ok;

	for (int i = 0; i < 4; i++)
		rnd(&r, 0, 1);
	draw(&r);
	r.end = BEGIN_NS + duration_ns(&r.path);
	if (pc_port_wire(&wc, wire) != 0)
		die("wire");
	for (int side = 0; side < 2; side++)
		open_side(&r, side, wire[side], pool, capture);
	r.out[CLIENT].moved_at = r.out[SERVER].moved_at = r.now;
	open_connection(&r);
	run(&r);
	ok = judge(&r);
	for (int side = 0; side < 2; side++) {
		pc_stack_destroy(r.st[side]);
		pc_port_close(r.port[side]);
	}
	return ok;
}

/* FIRST LAST [FILE] */
int main(int argc, char **argv)
{
	const uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	const uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 10) : first;
	struct rte_mempool *pool;
	unsigned bad = 0;

	eal_start();
	pool = eal_pool("paths", 65535);
	for (uint64_t seed = first; seed <= last; seed++)
		bad += !run_seed(seed, pool, argc > 3 ? argv[3] : NULL);
	printf("%llu paths, %u bad\n", (unsigned long long)(last - first + 1), bad);
	return bad != 0;
}
