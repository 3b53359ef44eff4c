/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-load: generates load, and measures the responses.
 *
 * It runs on percore's ports without a stack of its own (pc_run_frames): load.c has the phases,
 * tcp.c, udp.c and raw.c the protocols on the wire, talk.c the application protocols, plan.c when
 * requests are sent.  The last line that it prints is the result as JSON.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

#include "ask.h"
#include "flood.h"
#include "load.h"
#include "report.h"

struct program {
	struct load_config config;
	struct load *load;
	struct sizes sizes;
	struct ask ask;
};

static int set_mode(void *app, const char *text, char *why, size_t why_len)
{
	struct load_config *c = &((struct program *)app)->config;
	size_t n;

	c->mode = mode_find(text);
	if (c->mode != NULL)
		return 0;
	n = (size_t)snprintf(why, why_len, "unknown mode \"%s\"; known:", text);
	for (const struct mode *m = modes; m->name != NULL && n < why_len; m++)
		n += (size_t)snprintf(why + n, why_len - n, " %s", m->name);
	return -1;
}

static int set_server(void *app, const char *text, char *why, size_t why_len)
{
	struct pc_addr a;

	if (pc_addr_parse(text, &a) != 0 || pc_addr_is_any(&a) || pc_addr_is_multicast(&a)) {
		snprintf(why, why_len,
		         "\"%s\" is not an IPv4 or IPv6 unicast address (example: 192.0.2.2)",
		         text);
		return -1;
	}
	((struct program *)app)->config.server = a;
	return 0;
}

static int set_mac(void *app, const char *text, char *why, size_t why_len)
{
	struct rte_ether_addr mac;

	if (rte_ether_unformat_addr(text, &mac) != 0 || rte_is_zero_ether_addr(&mac)) {
		snprintf(why, why_len, "\"%s\" is not a MAC address (example: 02:00:00:00:00:01)",
		         text);
		return -1;
	}
	memcpy(((struct program *)app)->config.mac, &mac, sizeof(mac));
	return 0;
}

static int set_path(void *app, const char *text, char *why, size_t why_len)
{
	if (text[0] != '/' || strpbrk(text, " \r\n") != NULL) {
		snprintf(why, why_len, "\"%s\" is not an absolute path (example: /index.html)",
		         text);
		return -1;
	}
	((struct program *)app)->config.path = text;
	return 0;
}

static int set_file(void *app, const char *text, char *why, size_t why_len)
{
	(void)why;
	(void)why_len;
	((struct program *)app)->config.file = text;
	return 0;
}

static int set_ask(void *app, const char *text, char *why, size_t why_len)
{
	struct program *p = app;

	p->config.ask = &p->ask;
	return ask_parse(&p->ask, text, why, why_len);
}

static int set_flood(void *app, const char *text, char *why, size_t why_len)
{
	size_t n;

	((struct program *)app)->config.flood = text;
	if (flood_is_kind(text))
		return 0;
	n = (size_t)snprintf(why, why_len, "unknown flood \"%s\"; known:", text);
	if (n < why_len)
		flood_names(why + n, why_len - n);
	return -1;
}

static int set_sizes(void *app, const char *text, char *why, size_t why_len)
{
	struct program *p = app;

	p->config.sizes = &p->sizes;
	return sizes_parse(&p->sizes, text, why, why_len);
}

static int set_label(void *app, const char *text, char *why, size_t why_len)
{
	(void)why;
	(void)why_len;
	((struct program *)app)->config.label = text;
	return 0;
}

/* Reads a number of seconds, fractions allowed. */
static int read_seconds(const char *text, uint64_t *ms, char *why, size_t why_len)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end != '\0' || !(s >= 0 && s <= 86400)) {
		snprintf(why, why_len, "\"%s\" is not a number of seconds from 0 to 86400", text);
		return -1;
	}
	*ms = (uint64_t)(s * 1000);
	return 0;
}

static const struct pc_run_option options[] = {
    {.name = "mode",
     .argument = "MODE",
     .set = set_mode,
     .help = "echo: requests that are echoed (default); http: GET over persistent connections; "
             "ask: requests of --ask over persistent connections; connrate: connections that are "
             "opened, send one request and are closed; hold: many open connections with requests "
             "on random ones; bulk-in, bulk-out: streams to and from the server; udp: datagrams "
             "that are echoed; tx, rx, ping, pong: numbered bare frames, without a server; replay: "
             "the frames of --file; null: a stateless server, to find the limit of the test bed"},
    {.name = "server", .argument = "IP", .set = set_server, .help = "address of the server"},
    {.name = "port", .argument = "PORT", .key = "load.port", .help = "its port"},
    {.name = "mac",
     .argument = "MAC",
     .set = set_mac,
     .help = "destination MAC address (default: resolved by ARP; modes tx and ping: broadcast)"},
    {.name = "conns", .argument = "N", .key = "load.conns", .help = "connections"},
    {.name = "size",
     .argument = "BYTES",
     .key = "load.size",
     .help = "size of a message or a bare frame"},
    {.name = "sizes",
     .argument = "LIST",
     .set = set_sizes,
     .help =
         "messages of random length instead: LOW-HIGH, or lengths or ranges with weights, as in "
         "64:80,200-1400:15,16384:5"},
    {.name = "busy",
     .argument = "N",
     .key = "load.busy",
     .help = "number of connections that send requests, the others are idle (default: all)"},
    {.name = "slow",
     .argument = "N",
     .key = "load.slow",
     .help = "number of connections that request much and read slowly (load.slow_rate); only the "
             "others are measured"},
    {.name = "burst",
     .argument = "N",
     .key = "load.burst",
     .help = "with --rate: number of requests that are due at the same time, every N/rate seconds"},
    {.name = "depth",
     .argument = "N",
     .key = "load.depth",
     .help = "outstanding requests on each connection"},
    {.name = "rate",
     .argument = "N",
     .key = "load.rate",
     .help = "open loop: requests, connections or frames per second, whatever comes back; "
             "latencies count from when each was due (default: a closed loop)"},
    {.name = "seconds",
     .argument = "S",
     .key = "load.run_ms",
     .read = read_seconds,
     .help = "length of the run (default 3)"},
    {.name = "warm",
     .argument = "S",
     .key = "load.warm_ms",
     .read = read_seconds,
     .help = "warm-up before the run, not measured (default 0.5)"},
    {.name = "path",
     .argument = "PATH",
     .set = set_path,
     .help = "path of HTTP requests (default /)"},
    {.name = "file",
     .argument = "FILE",
     .set = set_file,
     .help = "mode replay: pcap or pcapng file, sent with its original spacing (load.speed, "
             "load.loops) or at --rate; with --mac to that address"},
    {.name = "ask",
     .argument = "TEXT",
     .set = set_ask,
     .help = "mode ask: the request; \\r \\n \\t \\0 \\\\ \\xHH stand for bytes, its length must "
             "be a power of two"},
    {.name = "http",
     .argument = "0|1",
     .key = "load.http",
     .help = "modes connrate and hold: HTTP requests instead of echoes"},
    {.name = "flood",
     .argument = "KIND",
     .set = set_flood,
     .help = "send attack traffic beside the load (load.flood_rate): syn, ack, data, zero-window, "
             "...; an unknown name prints all kinds"},
    {.name = "label", .argument = "TEXT", .set = set_label, .help = "label in the result"},
    {0},
};

static const struct pc_config_key keys[] = {
#define LOAD_KEY(section, name, def, min, max, unit, sentence) \
	{#section, #name, unit, sentence, def, min, max, offsetof(struct load_config, name)},
    LOAD_KEYS(LOAD_KEY)
#undef LOAD_KEY
};

/* Says whether a mode has an open loop. */
static bool has_rate(const struct mode *m)
{
	return m->plan != &plan_hold && m->plan != &plan_bulk && m->engine != &engine_rx &&
	       m->engine != &engine_pong && m->engine != &engine_null;
}

/* Rejects options that the mode does not support, or that exclude each other. */
static int check_parties(const struct load_config *c, char *why, size_t why_len)
{
	bool steady = c->mode->plan == &plan_steady, out = c->mode->talk == &talk_source;
	const char *bad = NULL;

	if (c->depth > 1 && !steady && c->mode->engine != &engine_udp)
		bad = "--depth is valid only with modes echo, http, ask and udp";
	else if (c->rate > 0 && !has_rate(c->mode))
		bad = "--rate is not valid with modes hold (there it is load.sample), bulk-in, "
		      "bulk-out, rx, pong and null";
	else if (strcmp(c->path, "/") != 0 && c->mode->talk != &talk_http && c->http == 0)
		bad = "--path is valid only with HTTP: mode http, or load.http";
	else if (c->http != 0 && c->mode->plan != &plan_connrate && c->mode->plan != &plan_hold)
		bad = "load.http is valid only with modes connrate and hold; there is also a mode "
		      "http";
	else if (c->close != 0 && c->mode->plan != &plan_connrate)
		bad = "load.close is valid only with mode connrate";
	else if (c->busy > 0 && !steady)
		bad = "--busy is valid only with modes echo, http and ask";
	else if (c->slow > 0 && !steady && !out)
		bad = "--slow is valid only with modes echo, http, ask and bulk-out";
	else if (c->slow >= c->conns)
		bad = "--slow leaves no connection of --conns to be measured";
	else if (c->busy > c->conns - c->slow)
		bad = "--busy exceeds the number of connections (--conns minus --slow)";
	else if (c->skew > 0 && c->mode->plan != &plan_hold)
		bad = "load.skew is valid only with mode hold";
	else if (c->burst > 1 &&
	         (c->rate == 0 || c->mode->engine == &engine_tx || c->mode->engine == &engine_ping))
		bad = "--burst requires a --rate of requests, connections or datagrams";
	else if (c->burst > 1 && steady &&
	         (c->busy > 0 ? c->busy : c->conns - c->slow) % c->burst != 0)
		bad = "the number of connections that send requests must be a multiple of --burst";
	else if (c->sizes != NULL && c->mode->talk != &talk_echo && c->mode->engine != &engine_udp)
		bad = "--sizes is valid only with echoes: modes echo, connrate, hold and udp";
	else if (c->sizes != NULL && c->http != 0)
		bad = "--sizes is valid only with echoes, not with load.http";
	else if (c->sizes != NULL && (uint64_t)c->sizes->max * c->depth > UINT32_MAX / 4)
		bad = "--sizes times --depth exceeds what a connection can have in flight";
	if (bad == NULL)
		return 0;
	snprintf(why, why_len, "%s", bad);
	return -1;
}

static int check_args(void *app, char *why, size_t why_len)
{
	const struct load_config *c = &((struct program *)app)->config;

	if (c->rate > 0 && c->depth > 1) {
		snprintf(why, why_len,
		         "an open loop (--rate) has one outstanding request per connection: omit "
		         "--depth");
		return -1;
	}
	if (check_parties(c, why, why_len) != 0)
		return -1;
	if (c->mode->talk == &talk_ask && (c->ask == NULL || c->port == 0)) {
		snprintf(why, why_len, "mode ask requires --ask and --port");
		return -1;
	}
	if ((c->mode->engine == &engine_replay) != (c->file != NULL)) {
		snprintf(why, why_len, "%s",
		         c->file == NULL ? "mode replay requires --file"
		                         : "--file is valid only with mode replay");
		return -1;
	}
	if (c->mode->talk != &talk_ask && c->ask != NULL) {
		snprintf(why, why_len, "--ask is valid only with mode ask");
		return -1;
	}
	if (c->flood != NULL && c->mode->engine != &engine_tcp) {
		snprintf(why, why_len, "--flood requires a mode that uses TCP, not mode %s",
		         c->mode->name);
		return -1;
	}
	if (c->flood != NULL && !pc_addr_is_ip4(&c->server)) {
		snprintf(why, why_len, "--flood requires an IPv4 --server");
		return -1;
	}
	return 0;
}

/* Drops frames on purpose, to test how both ends recover. */
static int add_loss(const struct load_config *c, const struct pc_run_ports *ports,
                    struct pc_port **port)
{
	const struct pc_fault_config faults = {
	    .seed = c->seed,
	    .rx_loss_ppm = (uint32_t)(c->loss_in_ppm > 0 ? c->loss_in_ppm : c->loss_ppm),
	    .tx_loss_ppm = (uint32_t)(c->loss_out_ppm > 0 ? c->loss_out_ppm : c->loss_ppm),
	    .pool = ports->pool,
	};

	*port = ports->ports[0];
	if ((c->loss_ppm | c->loss_in_ppm | c->loss_out_ppm) == 0)
		return 0;
	*port = pc_port_fault(*port, &faults);
	return *port != NULL ? 0 : -1;
}

static int start(void *app, const struct pc_run_ports *ports, uint64_t now_ns, void **worker,
                 char *why, size_t why_len)
{
	struct program *p = app;
	struct pc_run_ports mine = *ports;
	struct pc_port *port;

	if (add_loss(&p->config, ports, &port) != 0) {
		snprintf(why, why_len, "cannot set up packet loss: %s", strerror(errno));
		return -1;
	}
	mine.ports = &port;
	mine.nb_ports = 1;
	p->sizes.seed = (uint32_t)p->config.seed;
	p->load = load_create(&p->config, &mine, now_ns, why, why_len);
	*worker = p->load;
	return p->load != NULL ? 0 : -1;
}

static bool turn(void *worker, uint64_t now_ns)
{
	return load_turn(worker, now_ns);
}

static void drain(void *worker, uint64_t now_ns)
{
	(void)now_ns;
	load_stop(worker);
}

static void report(void *worker, uint64_t now_ns, bool asked, FILE *f)
{
	(void)now_ns;
	(void)asked;
	load_count(worker);
	report_state(worker, f);
}

static int finish_run(void *worker, uint64_t now_ns)
{
	struct load *l = worker;
	int rc = load_has_fault(l) ? -1 : 0;

	(void)now_ns;
	report_summary(l, stdout);
	if (l->failed)
		fprintf(stderr, "percore-load: %s\n", l->why);
	report_json(l, stdout);
	if (ferror(stdout)) {
		fprintf(stderr, "percore-load: cannot write the result: %s\n", strerror(errno));
		rc = -1;
	}
	load_destroy(l);
	return rc;
}

static const struct pc_run_frames frames = {
    .start = start,
    .turn = turn,
    .report = report,
    .drain = drain,
    .finish = finish_run,
};

int main(int argc, char **argv)
{
	static const struct load_config defaults = {
#define LOAD_DEFAULT(section, name, def, min, max, unit, sentence) .name = def,
	    LOAD_KEYS(LOAD_DEFAULT)
#undef LOAD_DEFAULT
	};
	struct program program = {.config = defaults};
	const struct pc_run_app app = {
	    .name = "percore-load",
	    .summary = "load generator that verifies every answer; the last line of its output is "
	               "the result as JSON, and the status is 1 if an answer was wrong or missing",
	    .example = "--addr 10.0.0.1/24 --server 10.0.0.2 --mode echo",
	    .options = options,
	    .keys = keys,
	    .nb_keys = sizeof(keys) / sizeof(keys[0]),
	    .config = &program.config,
	    .one_lcore = true,
	    .check = check_args,
	    .frames = &frames,
	};

	program.config.mode = mode_find("echo");
	program.config.path = "/";
	program.config.label = "";
	return pc_run(argc, argv, &app, &program);
}
