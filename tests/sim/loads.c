/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: odd loads over one bottleneck: many connections with random message sizes, slow readers,
 * readers that open their windows by crumbs, bursts after idle times, streams in both directions,
 * losses, reordering, both families, few mbufs. For each load the goodput, its fairness, how long
 * messages took, and the longest stall: the time in which a reader that waited for data got none
 * although its sender had some. Each load has limits for these.
 *
 * Everything follows from the seed; time is virtual. `loads NAME [SEED [LAST]]` prints one load, and
 * what the sender's TCP_INFO says in each stall of more than a second.
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

#include "device.h"
#include "draw.h"
#include "eal.h"
#include "stack_on.h"
#include "totals.h"

#define MS       UINT64_C(1000000)
#define SECOND   (1000 * MS)
#define BEGIN_NS SECOND
#define CONNS    200 /* maximum */
#define PORT     5000
#define ENDLESS  (UINT64_C(1) << 60)
#define CHUNK    65536
#define PERIOD   251
#define TIMES    65536
#define NEVER    UINT64_MAX

enum { CLIENT, SERVER };

/* What a connection does; a load names one letter for each, in turn. */
enum kind {
	UPLOAD = 'u',     /* the client sends without end */
	DOWNLOAD = 'd',   /* the server does */
	BOTH = 'b',       /* both do */
	MESSAGES = 'm',   /* requests and answers of random sizes, and short pauses */
	QUERIES = 'q',    /* small ones, of a segment at most */
	SLOW = 's',       /* the server sends without end to a slow reader */
	CRUMBS = 'c',     /* ... that has a small buffer, and reads a few bytes at a time */
	IDLE = 'i',       /* the client sends bursts after seconds of idleness */
	HUNG = 'h',       /* the client sends without end to a server that never reads */
	HUNG_SMALL = 'H', /* ... 100 bytes */
};

struct load {
	const char *name, *kinds;
	unsigned conns, seconds;
	bool ip6;
	uint32_t mbit, rtt_ms, queue_ms, loss_ppm, reorder_ppm, reorder_us, jitter_us;
	uint32_t mbufs; /* of each stack; 0: plenty */
	/* limits */
	uint32_t least_mbit, least_jain, most_stall_ms, most_wait_ms;
};

/* one direction of a connection */
struct stream {
	uint64_t target, sent, rcvd; /* bytes: to be written so far; written; read */
	uint64_t moved_at;           /* when the reader last got any, or had nothing to wait for */
	uint64_t read_at, write_at;  /* nothing before */
	bool told;                   /* of its stall */
};

struct conn {
	char kind;
	int fd[2];
	bool readable[2], writable[2];
	uint64_t start_at;
	uint64_t asked_at; /* when the request under way began; 0: none is */
	bool answered;     /* ... and has arrived */
	struct stream out[2];
};

struct run {
	const struct load *load;
	uint64_t now, random, steps;
	struct pc_stack *st[2];
	struct pc_port *port[2];
	int ep[2], lfd;
	unsigned n;
	struct conn conn[CONNS];
	uint32_t wait_us[TIMES]; /* of messages */
	unsigned nb_waits;
	uint64_t stall_ns;
	unsigned stalls; /* of a second and more */
	bool verbose, wrong;
};

static uint8_t pattern[CHUNK + PERIOD];

static void die(const char *what)
{
	fprintf(stderr, "loads: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t rnd(struct run *r, uint64_t low, uint64_t high)
{
	return draw_from(&r->random, low, high);
}

/* from 1 to 2^bits, with all orders of magnitude equally likely */
static uint64_t some_size(struct run *r, unsigned bits)
{
	return rnd(r, 1, UINT64_C(1) << rnd(r, 0, bits));
}

/* ---- the world ------------------------------------------------------------------------------- */

static const char *address(const struct load *l, int side)
{
	static const char *const of[2][2] = {{"10.0.0.1/24", "10.0.0.2/24"},
	                                     {"2001:db8::1/64", "2001:db8::2/64"}};

	return of[l->ip6][side];
}

static void open_side(struct run *r, int side, struct pc_port *wire, struct rte_mempool *all,
                      struct rte_mempool *own)
{
	const struct load *l = r->load;
	const struct pc_fault_config f = {.seed = r->random + (uint64_t)side,
	                                  .pool = all,
	                                  .queue = 65536,
	                                  .delay_ns = l->rtt_ms * MS / 2,
	                                  .jitter_ns = l->jitter_us * UINT64_C(1000),
	                                  .rate_bps = l->mbit * UINT64_C(1000000),
	                                  .backlog_ns = l->queue_ms * MS,
	                                  .rx_loss_ppm = l->loss_ppm,
	                                  .reorder_ppm = l->reorder_ppm,
	                                  .reorder_delay_ns = l->reorder_us * UINT64_C(1000)};
	struct pc_stack_config cfg;

	pc_stack_config_init(&cfg);
	cfg.stack_seed = f.seed + 1;
	cfg.stack_max_connections = CONNS + 8;
	cfg.stack_max_listeners = cfg.stack_max_udp_sockets = 2;
	cfg.stack_mbufs = own->size;
	cfg.arp_entries = 16;
	cfg.tcp_syn_cache = cfg.tcp_time_wait = CONNS;
	cfg.ip6_dad = 0;
	r->port[side] = pc_port_fault(wire, &f);
	if (r->port[side] == NULL)
		die("port");
	if (own != all)
		r->port[side] = device_on(r->port[side], own);
	r->st[side] = stack_on(&cfg, own, r->port[side], address(l, side));
	r->ep[side] = pc_epoll_create(r->st[side]);
}

static socklen_t server_address(const struct load *l, struct sockaddr_storage *to)
{
	struct sockaddr_in *a4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (l->ip6) {
		a6->sin6_family = AF_INET6;
		a6->sin6_port = htons(PORT);
		inet_pton(AF_INET6, "2001:db8::2", &a6->sin6_addr);
		return sizeof(*a6);
	}
	a4->sin_family = AF_INET;
	a4->sin_port = htons(PORT);
	a4->sin_addr.s_addr = inet_addr("10.0.0.2");
	return sizeof(*a4);
}

static void watch(struct run *r, int side, int fd, uint32_t id)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = id};

	if (pc_epoll_ctl(r->st[side], r->ep[side], EPOLL_CTL_ADD, fd, &ev) != 0)
		die("epoll");
}

static void listen_at(struct run *r)
{
	struct sockaddr_storage to;
	const socklen_t len = server_address(r->load, &to);

	r->lfd = pc_socket(r->st[SERVER], to.ss_family, SOCK_STREAM, 0);
	if (pc_bind(r->st[SERVER], r->lfd, (struct sockaddr *)&to, len) != 0 ||
	    pc_listen(r->st[SERVER], r->lfd, CONNS) != 0)
		die("listen");
}

static void start(struct run *r, struct conn *c)
{
	struct sockaddr_storage to;
	const socklen_t len = server_address(r->load, &to);
	int fd = c->fd[CLIENT] = pc_socket(r->st[CLIENT], to.ss_family, SOCK_STREAM, 0);

	if (c->kind == CRUMBS)
		pc_setsockopt(r->st[CLIENT], fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
	if (pc_connect(r->st[CLIENT], fd, (struct sockaddr *)&to, len) != -1 ||
	    errno != EINPROGRESS)
		die("connect");
	watch(r, CLIENT, fd, (uint32_t)(c - r->conn));
}

static void plan(struct run *r)
{
	const char *kinds = r->load->kinds;

	r->n = r->load->conns;
	for (unsigned i = 0; i < r->n; i++) {
		struct conn *c = &r->conn[i];

		c->kind = kinds[i % strlen(kinds)];
		c->start_at = BEGIN_NS + rnd(r, 0, 500) * MS;
		if (strchr("ubh", c->kind) != NULL)
			c->out[CLIENT].target = ENDLESS;
		if (strchr("dbsc", c->kind) != NULL)
			c->out[SERVER].target = ENDLESS;
		if (c->kind == HUNG_SMALL)
			c->out[CLIENT].target = 100;
	}
}

/* ---- applications ---------------------------------------------------------------------------- */

/* which connection has just been accepted: the one whose client has the peer's port */
static struct conn *find(struct run *r, int fd)
{
	struct sockaddr_in6 peer, mine;
	socklen_t len = sizeof(peer);

	pc_getpeername(r->st[SERVER], fd, (struct sockaddr *)&peer, &len);
	for (unsigned i = 0; i < r->n; i++) {
		len = sizeof(mine);
		if (r->conn[i].fd[CLIENT] > 0 && r->conn[i].fd[SERVER] == 0 &&
		    pc_getsockname(r->st[CLIENT], r->conn[i].fd[CLIENT], (struct sockaddr *)&mine,
		                   &len) == 0 &&
		    mine.sin6_port == peer.sin6_port)
			return &r->conn[i];
	}
	die("a connection that nobody has opened");
	return NULL;
}

static bool accept_all(struct run *r)
{
	bool any = false;
	int fd;

	while ((fd = pc_accept(r->st[SERVER], r->lfd, NULL, NULL)) >= 0) {
		struct conn *c = find(r, fd);

		c->fd[SERVER] = fd;
		c->out[CLIENT].moved_at = c->out[SERVER].moved_at = r->now;
		watch(r, SERVER, fd, (uint32_t)(c - r->conn));
		any = true;
	}
	return any;
}

static void take_events(struct run *r, int side)
{
	struct epoll_event ev[64];
	int got;

	do {
		got = pc_epoll_wait(r->st[side], r->ep[side], ev, 64);
		for (int i = 0; i < got; i++) {
			struct conn *c = &r->conn[ev[i].data.u32];

			if (ev[i].events & (EPOLLERR | EPOLLHUP)) {
				errno = ECONNRESET;
				die("a connection has failed");
			}
			c->readable[side] |= (ev[i].events & EPOLLIN) != 0;
			c->writable[side] |= (ev[i].events & EPOLLOUT) != 0;
		}
	} while (got == 64);
}

static bool write_some(struct run *r, struct conn *c, int side)
{
	struct stream *o = &c->out[side];
	bool any = false;

	while (c->writable[side] && o->sent < o->target && r->now >= o->write_at) {
		const size_t len = (size_t)RTE_MIN(o->target - o->sent, (uint64_t)CHUNK);
		ssize_t n = pc_send(r->st[side], c->fd[side], pattern + o->sent % PERIOD, len,
		                    MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			die("send");
		if (n <= 0) {
			c->writable[side] = false;
			break;
		}
		o->sent += (uint64_t)n;
		any = true;
	}
	return any;
}

/* how much is read at once, and how long the reader then pauses */
static size_t appetite(struct run *r, const struct conn *c, uint64_t *pause_ns)
{
	*pause_ns = 0;
	if (c->kind == SLOW) {
		*pause_ns = rnd(r, 1, 100) * MS;
		return (size_t)rnd(r, 1, 4000);
	}
	if (c->kind == CRUMBS) {
		*pause_ns = rnd(r, 1, 20) * MS;
		return (size_t)rnd(r, 1, 200);
	}
	return CHUNK;
}

static bool read_some(struct run *r, struct conn *c, int side)
{
	static uint8_t buf[CHUNK];
	struct stream *in = &c->out[!side];
	bool any = false;

	if (side == SERVER && (c->kind == HUNG || c->kind == HUNG_SMALL))
		return false;
	while (c->readable[side] && r->now >= in->read_at) {
		uint64_t pause_ns;
		const size_t want = appetite(r, c, &pause_ns);
		ssize_t n = pc_recv(r->st[side], c->fd[side], buf, want, 0);

		if (n < 0 && errno != EAGAIN)
			die("recv");
		if (n <= 0) {
			c->readable[side] = false;
			break;
		}
		if (memcmp(buf, pattern + in->rcvd % PERIOD, (size_t)n) != 0)
			die("wrong bytes");
		in->rcvd += (uint64_t)n;
		in->moved_at = r->now;
		in->told = false;
		in->read_at = pause_ns != 0 ? r->now + pause_ns : 0;
		any = true;
	}
	return any;
}

/* requests, answers and bursts; returns whether there is something new to write */
static bool think(struct run *r, struct conn *c)
{
	struct stream *ask = &c->out[CLIENT], *answer = &c->out[SERVER];
	const unsigned bits = c->kind == QUERIES ? 10 : 17;
	const bool arrived = ask->rcvd == ask->target;

	if (c->kind == IDLE && arrived) {
		ask->target += 10000 + some_size(r, 19);
		ask->write_at = r->now + rnd(r, 200, 5000) * MS;
		return true;
	}
	if (c->kind != MESSAGES && c->kind != QUERIES)
		return false;
	if (c->asked_at == 0) {
		c->asked_at = ask->write_at = r->now + rnd(r, 0, 300) * MS;
		ask->target += some_size(r, bits);
		return true;
	}
	if (!arrived || answer->rcvd != answer->target)
		return false;
	if (!c->answered) {
		c->answered = true;
		answer->target += some_size(r, bits);
		return true;
	}
	if (r->nb_waits < TIMES)
		r->wait_us[r->nb_waits++] = (uint32_t)((r->now - c->asked_at) / 1000);
	c->asked_at = 0;
	c->answered = false;
	return true;
}

/* ---- stalls ---------------------------------------------------------------------------------- */

static void tell(const struct run *r, const struct conn *c, int side)
{
	const struct stream *o = &c->out[side];
	uint8_t info[TOTALS_ROOM];
	socklen_t len = sizeof(info);
	struct tcp_info i;
	struct totals t;

	pc_getsockopt(r->st[side], c->fd[side], IPPROTO_TCP, TCP_INFO, info, &len);
	memcpy(&i, info, sizeof(i));
	t = totals_read(info, len);
	printf("  %.3f s: %u%c from %s: sent %llu read %llu; unacked %u sacked %u lost %u "
	       "retransmits %u backoff %u rto %u rtt %u cwnd %u wnd %u notsent %u probes %u\n",
	       (double)(r->now - BEGIN_NS) / 1e9, (unsigned)(c - r->conn), c->kind,
	       side == CLIENT ? "client" : "server", (unsigned long long)o->sent,
	       (unsigned long long)o->rcvd, i.tcpi_unacked, i.tcpi_sacked, i.tcpi_lost,
	       i.tcpi_retransmits, i.tcpi_backoff, i.tcpi_rto / 1000, i.tcpi_rtt / 1000,
	       i.tcpi_snd_cwnd, t.snd_wnd, t.notsent, i.tcpi_probes);
}

static void look_for_stall(struct run *r, struct conn *c, int side)
{
	struct stream *o = &c->out[side];

	if (c->fd[SERVER] <= 0)
		return;
	if (o->rcvd == o->target || r->now < o->write_at ||
	    (side == CLIENT && (c->kind == HUNG || c->kind == HUNG_SMALL))) {
		o->moved_at = r->now;
		return;
	}
	r->stall_ns = RTE_MAX(r->stall_ns, r->now - o->moved_at);
	if (o->told || r->now - o->moved_at < SECOND)
		return;
	o->told = true;
	r->stalls++;
	if (r->verbose)
		tell(r, c, side);
}

/* ---- a run ----------------------------------------------------------------------------------- */

static uint64_t frames_sent(const struct run *r)
{
	return pc_stack_counters(r->st[0])->value[PC_TX_FRAMES] +
	       pc_stack_counters(r->st[1])->value[PC_TX_FRAMES];
}

static bool apps(struct run *r)
{
	bool any = accept_all(r);

	for (int side = 0; side < 2; side++)
		take_events(r, side);
	for (unsigned i = 0; i < r->n; i++) {
		struct conn *c = &r->conn[i];

		if (c->fd[CLIENT] == 0 && r->now >= c->start_at)
			start(r, c), any = true;
		if (c->fd[SERVER] == 0)
			continue;
		for (int side = 0; side < 2; side++)
			any = read_some(r, c, side) || any;
		any = think(r, c) || any;
		for (int side = 0; side < 2; side++)
			any = write_some(r, c, side) || any;
	}
	return any;
}

static uint64_t next_event(const struct run *r)
{
	uint64_t next = NEVER;

	for (int side = 0; side < 2; side++) {
		next = RTE_MIN(next, pc_stack_next_deadline(r->st[side]));
		next = RTE_MIN(next, r->port[side]->ops->next_deadline(r->port[side]));
	}
	for (unsigned i = 0; i < r->n; i++) {
		const struct conn *c = &r->conn[i];

		if (c->fd[CLIENT] == 0)
			next = RTE_MIN(next, c->start_at);
		for (int side = 0; side < 2; side++) {
			const struct stream *o = &c->out[side];

			if (o->write_at > r->now)
				next = RTE_MIN(next, o->write_at);
			if (o->read_at > r->now && c->readable[!side])
				next = RTE_MIN(next, o->read_at);
		}
	}
	return next;
}

static void step(struct run *r)
{
	const uint64_t sent = frames_sent(r);
	unsigned frames = 0;
	bool did;

	for (int side = 0; side < 2; side++)
		frames += pc_stack_poll(r->st[side], r->now);
	did = apps(r);
	for (int side = 0; side < 2; side++)
		pc_stack_flush(r->st[side], r->now);
	if (frames != 0 || did || frames_sent(r) != sent)
		return;
	for (unsigned i = 0; i < r->n; i++)
		for (int side = 0; side < 2; side++)
			look_for_stall(r, &r->conn[i], side);
	r->now = RTE_MAX(next_event(r), r->now + 10000);
	if (++r->steps % 4096 == 0)
		for (int side = 0; side < 2; side++)
			if (pc_stack_validate(r->st[side], stderr) != 0)
				die("a structure is broken");
}

/* ---- the result ------------------------------------------------------------------------------ */

static int by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Jain's index of those who send without end to a reader that reads, in thousandths */
static uint32_t jain(const struct run *r)
{
	double sum = 0, squares = 0, n = 0;

	for (unsigned i = 0; i < r->n; i++)
		for (int side = 0; side < 2; side++) {
			const double x = (double)r->conn[i].out[side].rcvd;

			if (strchr("udb", r->conn[i].kind) == NULL ||
			    r->conn[i].out[side].target != ENDLESS)
				continue;
			sum += x;
			squares += x * x;
			n++;
		}
	return squares == 0 ? 1000 : (uint32_t)(1000 * sum * sum / (n * squares));
}

static bool is_beyond(const char *what, uint64_t low, uint64_t high)
{
	if (low <= high)
		return false;
	printf("  %s: %llu and %llu\n", what, (unsigned long long)low, (unsigned long long)high);
	return true;
}

static uint64_t counted(const struct run *r, int counter)
{
	return pc_stack_counters(r->st[0])->value[counter] +
	       pc_stack_counters(r->st[1])->value[counter];
}

static bool judge(struct run *r)
{
	const struct load *l = r->load;
	const uint32_t fair = jain(r);
	uint64_t bytes = 0, mbit, stall_ms = r->stall_ns / MS;
	uint32_t most_ms = 0, p50_ms = 0, p99_ms = 0;
	bool bad;

	for (unsigned i = 0; i < r->n; i++) {
		const struct conn *c = &r->conn[i];

		bytes += c->out[0].rcvd + c->out[1].rcvd;
		if (c->asked_at != 0 && c->asked_at < r->now && r->nb_waits < TIMES) /* not over */
			r->wait_us[r->nb_waits++] = (uint32_t)((r->now - c->asked_at) / 1000);
	}
	mbit = bytes * 8 / l->seconds / 1000000;
	if (r->nb_waits > 0) {
		qsort(r->wait_us, r->nb_waits, sizeof(r->wait_us[0]), by_size);
		p50_ms = r->wait_us[r->nb_waits / 2] / 1000;
		p99_ms = r->wait_us[r->nb_waits * 99ul / 100] / 1000;
		most_ms = r->wait_us[r->nb_waits - 1] / 1000;
	}
	printf("%-12s %4llu Mbit/s, Jain 0.%03u, stall %llu ms (%u of a second), %u messages: p50 "
	       "%u p99 %u most %u ms; retransmits %llu timeouts %llu undone %llu memory %llu\n",
	       l->name, (unsigned long long)mbit, fair, (unsigned long long)stall_ms, r->stalls,
	       r->nb_waits, p50_ms, p99_ms, most_ms,
	       (unsigned long long)counted(r, PC_TCP_RETRANSMITS),
	       (unsigned long long)counted(r, PC_TCP_TIMEOUTS),
	       (unsigned long long)counted(r, PC_TCP_UNDONE),
	       (unsigned long long)counted(r, PC_DROP_TCP_MEMORY));
	bad = is_beyond("at least so many Mbit/s", l->least_mbit, mbit);
	bad = is_beyond("Jain's index, at least", l->least_jain, fair) || bad;
	bad = (l->most_stall_ms != 0 &&
	       is_beyond("ms without data, at most", stall_ms, l->most_stall_ms)) ||
	      bad;
	return !(l->most_wait_ms != 0 &&
	         is_beyond("ms of a message, at most", most_ms, l->most_wait_ms)) &&
	       !bad;
}

static bool run_load(const struct load *l, uint64_t seed, bool verbose, struct rte_mempool *all)
{
	static struct rte_mempool *few[2];
	static struct run r;
	struct pc_wire_config wc = {.pool = all, .capacity = 16384};
	struct pc_port *wire[2];
	bool ok;

	r = (struct run){.load = l, .now = BEGIN_NS, .random = seed, .verbose = verbose};
	for (int i = 0; i < 2 && l->mbufs != 0; i++)
		few[i] = eal_pool(i == CLIENT ? "client" : "server", l->mbufs);
	for (unsigned i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i % PERIOD);
	if (pc_port_wire(&wc, wire) != 0)
		die("wire");
	for (int side = 0; side < 2; side++)
		open_side(&r, side, wire[side], all, l->mbufs != 0 ? few[side] : all);
	listen_at(&r);
	plan(&r);
	while (r.now < BEGIN_NS + l->seconds * SECOND)
		step(&r);
	ok = judge(&r);
	for (int side = 0; side < 2; side++) {
		pc_stack_destroy(r.st[side]);
		pc_port_close(r.port[side]);
	}
	for (int i = 0; i < 2 && l->mbufs != 0; i++) {
		if (eal_in_use(few[i]) != 0)
			die("mbufs are left");
		rte_mempool_free(few[i]);
	}
	if (eal_in_use(all) != 0)
		die("mbufs are left");
	return ok;
}

static const struct load loads[] = {
    /* many of each kind, over a clean path with a short queue, and over bad ones */
    {"mixed", "mmqqudsci", 200, 10, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 20,
     .least_mbit = 80, .least_jain = 850, .most_stall_ms = 2500, .most_wait_ms = 4000},
    {"mixed-loss", "mmqqudsci", 200, 10, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 20,
     .loss_ppm = 10000, .least_mbit = 80, .least_jain = 850, .most_stall_ms = 2500,
     .most_wait_ms = 5000},
    {"mixed6-loss", "mmqqudsci", 200, 10, true, .mbit = 100, .rtt_ms = 20, .queue_ms = 20,
     .loss_ppm = 10000, .least_mbit = 80, .least_jain = 850, .most_stall_ms = 2500,
     .most_wait_ms = 5000},
    {"late", "mmqqudsci", 60, 10, true, .mbit = 100, .rtt_ms = 20, .queue_ms = 50,
     .reorder_ppm = 20000, .reorder_us = 8000, .jitter_us = 2000, .least_mbit = 80,
     .least_jain = 600, .most_stall_ms = 2500, .most_wait_ms = 4000},
    /* one kind each */
    {"fair", "u", 32, 20, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 20, .least_mbit = 90,
     .least_jain = 900, .most_stall_ms = 2500},
    {"both", "b", 8, 10, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 40, .least_mbit = 150,
     .least_jain = 600, .most_stall_ms = 1500},
    {"both-loss", "b", 8, 10, true, .mbit = 100, .rtt_ms = 20, .queue_ms = 40, .loss_ppm = 10000,
     .least_mbit = 80, .least_jain = 600, .most_stall_ms = 1500},
    {"queries", "q", 100, 10, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 20, .loss_ppm = 10000,
     .most_stall_ms = 2500, .most_wait_ms = 4000},
    {"lan-queries", "q", 100, 10, false, .mbit = 1000, .rtt_ms = 0, .queue_ms = 20,
     .loss_ppm = 10000, .most_stall_ms = 2500, .most_wait_ms = 4000},
    {"bursts", "i", 20, 40, false, .mbit = 100, .rtt_ms = 50, .queue_ms = 20, .least_mbit = 1,
     .most_stall_ms = 1500},
    {"bursts-loss", "i", 20, 40, true, .mbit = 100, .rtt_ms = 50, .queue_ms = 20, .loss_ppm = 10000,
     .least_mbit = 1, .most_stall_ms = 2500},
    {"crumbs", "c", 50, 10, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 20, .least_mbit = 2,
     .most_stall_ms = 1500},
    {"crumbs-loss", "c", 50, 10, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 20,
     .loss_ppm = 10000, .least_mbit = 2, .most_stall_ms = 2500},
    {"slow", "s", 50, 10, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 20, .least_mbit = 10,
     .most_stall_ms = 1500},
    {"slow-loss", "s", 50, 10, true, .mbit = 100, .rtt_ms = 20, .queue_ms = 20, .loss_ppm = 10000,
     .least_mbit = 10, .most_stall_ms = 2500},
    /* few mbufs, and applications that do not read */
    {"few", "mmqqudsci", 200, 10, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 20, .mbufs = 2047,
     .least_mbit = 80, .least_jain = 850, .most_stall_ms = 2500, .most_wait_ms = 4000},
    {"few-loss", "mmqqudsci", 200, 10, true, .mbit = 100, .rtt_ms = 20, .queue_ms = 20,
     .loss_ppm = 10000, .mbufs = 2047, .least_mbit = 80, .least_jain = 850, .most_stall_ms = 2500,
     .most_wait_ms = 5000},
    {"few-both", "b", 200, 10, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 20, .mbufs = 1023,
     .least_mbit = 80, .least_jain = 850, .most_stall_ms = 2500},
    {"hung", "hhhmm", 100, 10, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 20, .mbufs = 2047,
     .most_wait_ms = 4000},
    {"hung-small", "HHHHHHHm", 200, 10, false, .mbit = 100, .rtt_ms = 20, .queue_ms = 20,
     .mbufs = 511, .most_wait_ms = 4000},
};

/* [NAME [SEED [LAST]]] */
int main(int argc, char **argv)
{
	const uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	const uint64_t last = argc > 3 ? strtoull(argv[3], NULL, 10) : first;
	struct rte_mempool *all;
	unsigned bad = 0;

	eal_start();
	all = eal_pool("loads", 131071);
	for (size_t i = 0; i < RTE_DIM(loads); i++)
		for (uint64_t seed = first; seed <= last; seed++)
			if (argc < 2 || strcmp(argv[1], "all") == 0 ||
			    strcmp(argv[1], loads[i].name) == 0)
				bad += !run_load(&loads[i], seed * UINT64_C(0x9e3779b97f4a7c15),
				                 argc > 1, all);
	printf("%u loads beyond their limits\n", bad);
	return bad != 0;
}
