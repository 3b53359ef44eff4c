/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: the life of a generator: phase after phase, turn after turn.
 *
 * Life-cycle: resolve the neighbour, learn what an answer looks like, open the connections, warm
 * up, run, check every connection with one request, close.  A mode skips the phases that it does
 * not need.  The report shows the difference between the counts at the beginning and end of the
 * run.
 *
 * Invariant: phases only move forward, and each ends after a bounded time.
 */
#include "load.h"

#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arp.h"
#include "cpu.h"
#include "early.h"
#include "flood.h"
#include "nd.h"
#include "parties.h"
#include "report.h"
#include "tcp.h"

#define STALL_NS      UINT64_C(20000)
#define TIMERS_NS     UINT64_C(50000)
#define ARP_NS        UINT64_C(100000000)
#define LEARN_NS      (5 * LOAD_SECOND_NS)
#define OPEN_NS       (30 * LOAD_SECOND_NS)
#define OPEN_EACH_NS  UINT64_C(50000) /* 20,000 a second at least */
#define SETTLE_NS     (4 * LOAD_SECOND_NS)
#define CHECK_NS      (60 * LOAD_SECOND_NS)
#define QUIET_NS      (2 * LOAD_SECOND_NS)
#define CLOSE_NS      (5 * LOAD_SECOND_NS)
#define CLOSE_EACH_NS UINT64_C(20000)
#define LINGER_NS     UINT64_C(50000000)
#define PHASE_BURST   64u

const struct mode modes[] = {
    {"echo", "requests that are echoed", &engine_tcp, &talk_echo, &plan_steady, 7, true, 15,
     "answers"},
    {"http", "GET requests over persistent connections", &engine_tcp, &talk_http, &plan_steady, 80,
     true, 15, "answers"},
    {"ask", "requests of --ask over persistent connections, for servers of other protocols",
     &engine_tcp, &talk_ask, &plan_steady, 0, true, 15, "answers"},
    {"connrate", "connections that are opened, send one request and are closed", &engine_tcp,
     &talk_echo, &plan_connrate, 7, true, 15, "connections"},
    {"hold", "many open connections, of which a few send requests", &engine_tcp, &talk_echo,
     &plan_hold, 7, true, 15, "answers"},
    {"bulk-in", "streams to the server, which discards them", &engine_tcp, &talk_sink, &plan_bulk,
     9, true, 7, "bytes"},
    {"bulk-out", "streams from the server, byte n being n mod 256", &engine_tcp, &talk_source,
     &plan_bulk, 19, true, 7, "bytes"},
    {"udp", "datagrams that are echoed", &engine_udp, NULL, &plan_udp, 7, true, 15, "answers"},
    {"tx", "numbered bare frames, without a server", &engine_tx, NULL, &plan_tx, 0, true, 15,
     "frames"},
    {"rx", "receives the frames of tx and counts those that are missing", &engine_rx, NULL, NULL, 0,
     true, 15, "frames"},
    {"ping", "bare frames that the other end sends back (pong, or testpmd's macswap)", &engine_ping,
     NULL, &plan_ping, 0, true, 15, "frames"},
    {"replay", "the frames of a pcap file, with their original spacing", &engine_replay, NULL,
     &plan_replay, 0, true, 15, "frames"},
    {"pong", "sends bare frames back until it is stopped", &engine_pong, NULL, NULL, 0, false, 15,
     "frames"},
    {"null", "answers TCP segments like an echo server, without state: the limit of the test bed",
     &engine_null, NULL, NULL, 0, false, 15, "frames"},
    {0},
};

const struct mode *mode_find(const char *name)
{
	for (const struct mode *m = modes; m->name != NULL; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

void load_fail(struct load *l, const char *format, ...)
{
	va_list args;

	if (l->failed)
		return;
	va_start(args, format);
	vsnprintf(l->why, sizeof(l->why), format, args);
	va_end(args);
	l->failed = true;
	l->phase = PHASE_DONE;
}

bool load_has_fault(const struct load *l)
{
	const struct faults *f = &l->faults;

	return l->failed ||
	       (f->wrong | f->checksum | f->reset | f->refused | f->dead | f->timed_out | f->stuck |
	        f->lost | f->unsolicited_fin | f->beyond) != 0;
}

/* ---- phases ----------------------------------------------------------------------------------- */

void load_count(struct load *l)
{
	const struct flood_counts flood = flood_count(l->flood);

	l->n.tx_frames = l->out.frames;
	l->n.flood_sent = flood.sent;
	l->n.flood_refused = flood.refused;
	l->n.flood_back = flood.back;
}

static void take_counts(struct load *l, struct counts *n, unsigned end)
{
	load_count(l);
	*n = l->n;
	cpu_read(0, &l->own[end]);
	if (l->config->watch != 0)
		cpu_read((int)l->config->watch, &l->server[end]);
}

static void end_run(struct load *l)
{
	if (l->run_from == 0 || l->run_to != 0)
		return;
	l->run_to = l->now;
	take_counts(l, &l->at_end, 1);
}

static void enter(struct load *l, enum phase phase)
{
	l->phase = phase;
	l->phase_since = l->now;
	l->asking = phase == PHASE_WARM || phase == PHASE_RUN;
	l->measuring = phase == PHASE_RUN;
	l->timing = phase == PHASE_RUN || phase == PHASE_SETTLE;
	switch (phase) {
	case PHASE_WARM:
		l->pace_from = l->now;
		l->next_ask = l->slow_next = 0;
		break;
	case PHASE_RUN:
		take_counts(l, &l->at_run, 0);
		l->run_from = l->now;
		break;
	case PHASE_SETTLE:
	case PHASE_CHECK:
	case PHASE_CLOSE:
		end_run(l);
		l->next_ask =
		    phase == PHASE_CHECK ? l->nb_slow : 0; /* slow readers are not checked */
		break;
	default:
		break;
	}
}

static bool expired(const struct load *l, uint64_t ns)
{
	return l->now - l->phase_since >= ns;
}

static void resolve(struct load *l)
{
	if (l->wire.resolved || !l->mode->engine->resolves) {
		wire_init(&l->wire, (uint16_t)l->config->receive_window);
		l->began = l->now;
		if (l->talk != NULL && l->talk->learns)
			enter(l, PHASE_LEARN);
		else
			enter(l, l->plan != NULL && l->plan->opens_first ? PHASE_OPEN : PHASE_WARM);
		return;
	}
	if (expired(l, l->config->wait_ms * 1000000))
		load_fail(l,
		          "no answer for the server's address (%s): is it up, and on this network?",
		          l->wire.ip6 ? "neighbour discovery" : "ARP");
	if (l->now < l->arp_at)
		return;
	if (l->wire.ip6)
		load_nd_ask(l);
	else
		load_arp_ask(l);
	l->arp_at = l->now + ARP_NS;
}

/* Sends one request on the first connection; that is then reset, so that all begin alike. */
static void learn(struct load *l)
{
	struct client *c = &l->clients[0];
	char why[100];

	if (c->state == CLIENT_CLOSED && !l->learnt) {
		client_open(l, 0);
	} else if (l->learnt) {
		if (!client_is_gone(c))
			client_reset(l, c, 0);
		c->state = CLIENT_CLOSED;
		l->n.answers = l->n.opened = l->n.closed = 0;
		l->at_progress = l->n; /* of which none may be more */
		l->nb_slow = (uint32_t)l->config->slow;
		if (early_start(l, why, sizeof(why)) != 0)
			load_fail(l, "%s", why);
		else
			enter(l, l->plan->opens_first ? PHASE_OPEN : PHASE_WARM);
	} else if (c->state == CLIENT_DEAD ||
	           expired(l, RTE_MAX(LEARN_NS, l->config->answer_ms * 1000000))) {
		load_fail(l, "the server did not answer the first request");
	} else if (l->talk->learning != NULL) {
		l->talk->learning(l);
	}
}

static void open_all(struct load *l)
{
	const struct load_config *config = l->config;
	uint64_t elapsed = l->now - l->phase_since, allowed = UINT64_MAX;
	uint64_t patience = OPEN_NS + config->conns * OPEN_EACH_NS;

	if (config->open_rate > 0) {
		allowed =
		    (uint64_t)((unsigned __int128)elapsed * config->open_rate / LOAD_SECOND_NS);
		patience += config->conns * LOAD_SECOND_NS / config->open_rate;
	}
	for (uint32_t k = 0;
	     k < PHASE_BURST && l->next_open < config->conns && l->next_open < allowed &&
	     l->pending < config->open_window && out_backlog(&l->out) < OUT_HIGH;
	     k++)
		client_open(l, l->next_open++);
	if (l->next_open == config->conns && l->pending == 0) {
		l->opened_after_ns = elapsed;
		enter(l, PHASE_WARM);
	} else if (expired(l, patience)) {
		load_fail(l, "of %llu connections, only %u could be opened",
		          (unsigned long long)config->conns, l->established);
	}
}

static void step_load(struct load *l)
{
	if (l->plan != NULL)
		l->plan->step(l);
}

static void warm(struct load *l)
{
	/* each frame of a file is sent once */
	const uint64_t ms = l->mode->engine == &engine_replay ? 0 : l->config->warm_ms;

	step_load(l);
	if (expired(l, ms * 1000000))
		enter(l, PHASE_RUN);
}

static void run(struct load *l)
{
	step_load(l);
	if (l->plan != NULL && l->plan->ended != NULL
	        ? l->plan->ended(l)
	        : l->mode->bounded && expired(l, l->config->run_ms * 1000000))
		enter(l, PHASE_SETTLE);
}

/* Waits for the last answers. */
static void settle(struct load *l)
{
	const struct engine *engine = l->mode->engine;

	if (engine->settled != NULL && !engine->settled(l)) {
		if (!expired(l, SETTLE_NS))
			return;
		engine->judge(l);
	}
	if (l->config->check_all != 0 && l->talk != NULL && l->plan->opens_first &&
	    l->plan != &plan_bulk)
		enter(l, PHASE_CHECK);
	else
		enter(l, PHASE_CLOSE);
}

/* Sends one request on every connection; if one still waits for an answer, after that. */
static void check_load(struct load *l)
{
	const struct client *c;

	while (l->next_ask < l->config->conns && out_backlog(&l->out) < OUT_HIGH) {
		c = &l->clients[l->next_ask];
		if (c->state == CLIENT_OPEN && client_waits(c))
			break;
		l->asked_once += client_ask(l, l->next_ask++);
		l->answered_at = l->now;
	}
	if (expired(l, CHECK_NS) || l->now - l->answered_at > QUIET_NS / 4) {
		client_judge(l);
		enter(l, PHASE_CLOSE);
	}
}

static void close_all(struct load *l)
{
	uint32_t n = l->clients != NULL && l->talk != NULL ? l->nb_clients : 0;
	uint64_t patience;

	if (l->config->end == 2)
		n = 0;
	for (uint32_t k = 0;
	     k < PHASE_BURST && l->next_ask < n && out_backlog(&l->out) < OUT_BURST_MAX;
	     k++, l->next_ask++) {
		struct client *c = &l->clients[l->next_ask];

		bool fin = l->config->end == 0 && l->plan != &plan_bulk && !is_slow(l, l->next_ask);

		if (c->state == CLIENT_OPEN && fin)
			client_close(l, c, l->next_ask);
		else if (!client_is_gone(c) && (l->config->end == 1 || !fin))
			client_reset(l, c, l->next_ask);
	}
	patience = CLOSE_NS + n * CLOSE_EACH_NS;
	if ((l->next_ask >= n && (n == 0 || l->active == 0) && out_backlog(&l->out) == 0) ||
	    expired(l, patience)) {
		l->faults.stuck += n > 0 ? l->active : 0;
		enter(l, PHASE_LINGER);
	}
}

/* Lets the last acknowledgements arrive: an in-memory link is gone once either end leaves. */
static void linger(struct load *l)
{
	if (expired(l, LINGER_NS))
		l->phase = PHASE_DONE;
}

static void step_phase(struct load *l)
{
	static void (*const steps[])(struct load * l) = {
	    [PHASE_RESOLVE] = resolve,  [PHASE_LEARN] = learn,     [PHASE_OPEN] = open_all,
	    [PHASE_WARM] = warm,        [PHASE_RUN] = run,         [PHASE_SETTLE] = settle,
	    [PHASE_CHECK] = check_load, [PHASE_CLOSE] = close_all, [PHASE_LINGER] = linger,
	    [PHASE_DONE] = linger,
	};

	steps[l->phase](l);
}

/* ---- turns ------------------------------------------------------------------------------------ */

/* A turn that takes this long was interrupted: stalls of this machine must not be attributed to the
 * server. */
static void note_stall(struct load *l, uint64_t gap_ns)
{
	l->stalls.n++;
	l->stalls.sum_ns += gap_ns;
	l->stalls.max_ns = gap_ns > l->stalls.max_ns ? gap_ns : l->stalls.max_ns;
}

static void set_time(struct load *l, uint64_t now_ns)
{
	if (unlikely(l->measuring && now_ns - l->now > STALL_NS))
		note_stall(l, now_ns - l->now);
	l->now = now_ns;
	l->stamp = (uint32_t)(now_ns >> 6);
}

/* Whether a line can be written without blocking: a pipe may be full and not be read. */
static bool is_read(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

static void timers(struct load *l)
{
	uint64_t elapsed = l->now - l->timers_at;

	if (elapsed < TIMERS_NS)
		return;
	l->timers_at = l->now;
	l->ran_ns += RTE_MIN(elapsed, CLIENT_TICK_NS);
	l->tick = (uint32_t)(l->ran_ns / CLIENT_TICK_NS) % CLIENT_TICKS;
	l->wire.time = (uint32_t)(l->now / 1000000);
	if (l->mode->engine->timers != NULL && l->phase > PHASE_RESOLVE)
		l->mode->engine->timers(l, elapsed);
	if (l->config->progress != 0 && l->now >= l->progress_at) {
		load_count(l);
		if (is_read(STDERR_FILENO))
			report_progress(l, stderr);
		l->at_progress = l->n;
		l->progress_from = l->now;
		l->progress_at = l->now + LOAD_SECOND_NS;
	}
}

bool load_turn(struct load *l, uint64_t now_ns)
{
	struct pc_port *port = l->out.port;
	const uint16_t burst = l->mode->engine->burst;
	struct rte_mbuf *pkts[LOAD_BURST];
	unsigned n = 0;

	set_time(l, now_ns);
	if (likely(out_backlog(&l->out) < OUT_FULL))
		n = port->ops->rx_burst(port, pkts, burst != 0 ? burst : LOAD_BURST, now_ns);
	wire_join(pkts, n);
	if (unlikely(l->flood != NULL))
		n = flood_input(l->flood, l, pkts, n);
	if (n > 0) {
		l->n.rx_frames += n;
		for (unsigned k = 0; k < n; k++)
			l->n.rx_bytes += pkts[k]->pkt_len;
		l->mode->engine->input(l, pkts, n);
	} else if (l->mode->engine->quiet != NULL) {
		l->mode->engine->quiet(l);
	}
	step_phase(l);
	out_flush(&l->out, now_ns);
	if (unlikely(l->flood != NULL) && (l->phase == PHASE_WARM || l->phase == PHASE_RUN))
		flood_turn(l->flood, l);
	timers(l);
	return l->phase != PHASE_DONE;
}

void load_stop(struct load *l)
{
	if (l->phase < PHASE_OPEN)
		l->phase = PHASE_DONE;
	else if (l->phase < PHASE_SETTLE)
		enter(l, PHASE_SETTLE);
}

/* ---- making ----------------------------------------------------------------------------------- */

/* Sets the next hop on the way to the server. Returns 0, or -1 with a line in why. */
static int set_next_hop(struct load *l, const struct pc_run_ports *ports, char *why, size_t why_len)
{
	l->next_hop = l->config->server;
	if (pc_prefix_contains(ports->addr, &l->config->server))
		return 0;
	if (ports->gateway == NULL ||
	    pc_addr_is_ip4(ports->gateway) != pc_addr_is_ip4(&l->config->server)) {
		snprintf(why, why_len,
		         "--server is not on the network of --addr; give a --gateway");
		return -1;
	}
	l->next_hop = *ports->gateway;
	return 0;
}

/* The longest segment, over IPv4, whose frame the port takes and an mbuf holds. */
static uint32_t most_mss(const struct load *l)
{
	uint32_t room = rte_pktmbuf_data_room_size(l->out.pool) - RTE_PKTMBUF_HEADROOM;

	room = RTE_MIN(room - (uint32_t)sizeof(struct rte_ether_hdr), l->out.port->info.mtu);
	return room - (uint32_t)(WIRE_LEN - WIRE_IP);
}

/* Says whether an address of an IPv4 network is its own or its broadcast address, and so no host's. */
static bool is_no_host(const struct pc_prefix *net, const struct pc_addr *a)
{
	const uint32_t mask = net->len >= 96 && net->len < 127 ? UINT32_MAX >> (net->len - 96) : 0;
	const uint32_t host = rte_be_to_cpu_32(a->w[3]) & mask;

	return mask != 0 && pc_addr_is_ip4(a) && pc_prefix_contains(net, a) &&
	       (host == 0 || host == mask);
}

static int set_addresses(struct load *l, const struct pc_run_ports *ports, char *why,
                         size_t why_len)
{
	const struct load_config *config = l->config;
	struct wire *w = &l->wire;

	memcpy(&w->mac, ports->ports[0]->info.mac, sizeof(w->mac));
	memcpy(&w->peer_mac, config->mac, sizeof(w->peer_mac));
	w->resolved = !rte_is_zero_ether_addr(&w->peer_mac);
	w->server_addr = config->server;
	w->server = rte_be_to_cpu_32(config->server.w[3]);
	w->port = (uint16_t)(config->port != 0 ? config->port : l->mode->port);
	w->first_port = (uint16_t)config->first_port;
	l->own_mss = RTE_MIN((uint32_t)config->mss, most_mss(l));
	if (!l->mode->engine->resolves)
		return 0;
	if (ports->addr == NULL || pc_addr_is_any(&config->server)) {
		snprintf(why, why_len, "mode %s requires --addr (the first address) and --server",
		         l->mode->name);
		return -1;
	}
	w->first_addr = ports->addr->addr;
	w->first = rte_be_to_cpu_32(w->first_addr.w[3]);
	w->ip6 = !pc_addr_is_ip4(&config->server);
	if (w->ip6 == pc_addr_is_ip4(&w->first_addr)) {
		snprintf(why, why_len,
		         "--server and the first --addr are of different address families");
		return -1;
	}
	if (is_no_host(ports->addr, &ports->addr->addr) ||
	    is_no_host(ports->addr, &config->server)) {
		snprintf(why, why_len,
		         "--addr and --server must be addresses of hosts in the network of --addr");
		return -1;
	}
	if (w->ip6)
		l->own_mss -= (uint32_t)(sizeof(struct rte_ipv6_hdr) - sizeof(struct rte_ipv4_hdr));
	return set_next_hop(l, ports, why, why_len);
}

static void set_defaults(struct load *l, const struct load_config *config)
{
	const uint64_t answer_ns = config->answer_ms * 1000000;

	l->config = config;
	l->mode = config->mode;
	l->plan = l->mode->plan;
	l->talk = l->mode->talk;
	if (l->talk == &talk_echo && config->http != 0)
		l->talk = &talk_http;
	l->nb_busy = (uint32_t)(config->busy > 0 ? config->busy : config->conns - config->slow);
	/* the first answer is learnt quickly */
	l->nb_slow = l->talk != NULL && l->talk->learns ? 0 : (uint32_t)config->slow;
	if (l->plan == &plan_steady && config->rate > 0)
		l->period_ns =
		    (uint64_t)((unsigned __int128)l->nb_busy * LOAD_SECOND_NS / config->rate);
	l->turns = l->plan == &plan_steady && config->rate == 0 &&
	           (uint64_t)l->nb_busy * config->depth > LOAD_DIRECT;
	l->scale = config->scale == 15 ? l->mode->scale : (uint32_t)config->scale;
	l->random = config->seed;
	l->answer_unit_ns = RTE_MAX(answer_ns / CLIENT_TICKS * 2, CLIENT_TICK_NS);
	l->answer_units = (uint32_t)((answer_ns + l->answer_unit_ns - 1) / l->answer_unit_ns);
}

/* Checks that the last source address still has all its ports, and that none is the server's. */
static int check_sources(struct load *l, char *why, size_t why_len)
{
	uint32_t ports = 1u << l->port_bits;

	l->nb_sources = l->nb_clients > 0 ? ((l->nb_clients - 1) >> l->port_bits) + 1 : 1;
	if (l->nb_clients > 0 && l->config->first_port + RTE_MIN(ports, l->nb_clients) > 65536) {
		snprintf(why, why_len, "load.first_port leaves fewer than %u ports", ports);
		return -1;
	}
	if (l->mode->engine->resolves && l->wire.server - l->wire.first < l->nb_sources &&
	    memcmp(&l->wire.server_addr, &l->wire.first_addr, 12) == 0) {
		snprintf(why, why_len, "--server is our own address: %u address%s from --addr on",
		         l->nb_sources, l->nb_sources == 1 ? "" : "es");
		return -1;
	}
	return 0;
}

struct load *load_create(const struct load_config *config, const struct pc_run_ports *ports,
                         uint64_t now_ns, char *why, size_t why_len)
{
	struct load *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	set_defaults(l, config);
	l->out.port = ports->ports[0];
	l->out.pool = ports->pool;
	l->out.overflows = config->overflow != 0;
	set_time(l, now_ns);
	l->timers_at = l->phase_since = l->began = l->progress_from = now_ns;
	l->progress_at = now_ns + LOAD_SECOND_NS;
	if (set_addresses(l, ports, why, why_len) == 0 &&
	    l->mode->engine->init(l, why, why_len) == 0 && check_sources(l, why, why_len) == 0) {
		l->flood = flood_create(l);
		return l;
	}
	load_destroy(l);
	return NULL;
}

void load_destroy(struct load *l)
{
	if (l->clients != NULL)
		client_free(l);
	out_fini(&l->out);
	answer_fini(&l->answer);
	if (l->mode->engine->fini != NULL)
		l->mode->engine->fini(l);
	free(l->engine_state);
	free(l->readers);
	free(l->receivers);
	free(l->senders);
	free(l->pool);
	free(l->flood);
	free(l);
}
