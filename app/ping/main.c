/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-ping: ping(8) from a stack of percore.
 *
 * It runs on one lcore. The program ends by the signal that Ctrl-C would send, which it sends itself.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <percore/run.h>

#include "name.h"
#include "ping.h"

struct config {
	struct ping_plan plan;
	char name[256];
	struct pc_addr to;
	bool has_to;
	struct ping *ping;
	struct name *asked; /* while the address is not known yet */
	bool begun;
	int status;
};

static const struct pc_config_key keys[] = {
    {"ping", "count", "requests", "requests to send; 0: until it is stopped", 0, 0, UINT64_MAX,
     offsetof(struct config, plan.count)},
    {"ping", "interval", "ms", "time between two requests", 1000, 1, 3600000,
     offsetof(struct config, plan.interval_ms)},
    {"ping", "timeout", "ms", "how long the last answers are waited for", 2000, 1, 3600000,
     offsetof(struct config, plan.timeout_ms)},
    {"ping", "size", "bytes", "payload of a request", 56, 0, PING_SIZE_MAX,
     offsetof(struct config, plan.size)},
    {"ping", "ttl", "hops", "time to live, or hop limit; 0: the default", 0, 0, 255,
     offsetof(struct config, plan.ttl)},
    {"ping", "quiet", "boolean", "print the summary only", 0, 0, 1,
     offsetof(struct config, plan.quiet)},
};

static int set_to(void *app, const char *text, char *why, size_t len)
{
	struct config *c = app;

	const char *percent = strchr(text, '%');
	char addr[PC_ADDR_STRLEN], *end;
	unsigned long port;

	snprintf(c->name, sizeof(c->name), "%s", text);
	if (percent == NULL) {
		c->has_to = pc_addr_parse(text, &c->to) == 0;
		return 0;
	}
	/* RFC 4007 section 11: the zone of a link-local address; ours are the ports */
	snprintf(addr, sizeof(addr), "%.*s", (int)(percent - text), text);
	port = strtoul(percent + 1, &end, 10);
	c->has_to = pc_addr_parse(addr, &c->to) == 0;
	c->plan.port = (uint32_t)port;
	if (c->has_to && percent[1] != '\0' && *end == '\0' && port < PC_MAX_PORTS &&
	    pc_addr_is_link_local(&c->to))
		return 0;
	snprintf(why, len, "\"%s\" is no link-local address with a port, as fe80::1%%0", text);
	return -1;
}

static int set_quiet(void *app, const char *text, char *why, size_t len)
{
	(void)text;
	(void)why;
	(void)len;
	((struct config *)app)->plan.quiet = 1;
	return 0;
}

static const struct pc_run_option options[] = {
    {.name = "to",
     .argument = "HOST",
     .set = set_to,
     .help = "who is asked: an address of either family (a link-local one with %PORT), or a name"},
    {.name = "count", .argument = "N", .key = "ping.count", .help = "stop after N requests"},
    {.name = "interval",
     .argument = "MS",
     .key = "ping.interval",
     .help = "time between two (1000)"},
    {.name = "size", .argument = "BYTES", .key = "ping.size", .help = "payload of each (56)"},
    {.name = "ttl", .argument = "HOPS", .key = "ping.ttl", .help = "time to live, or hop limit"},
    {.name = "timeout",
     .argument = "MS",
     .key = "ping.timeout",
     .help = "wait for the last (2000)"},
    {.name = "quiet", .set = set_quiet, .help = "print the summary only"},
    {0},
};

static int check(void *app, char *why, size_t len)
{
	if (((struct config *)app)->name[0] != '\0')
		return 0;
	snprintf(why, len, "whom to ask is missing: --to HOST");
	return -1;
}

static int begin(struct config *c, struct pc_stack *st)
{
	char text[PC_ADDR_STRLEN];

	if (ping_start(c->ping, st, &c->plan, &c->to) != 0)
		return -1;
	c->begun = true;
	pc_addr_format(&c->to, text);
	if (pc_addr_is_ip4(&c->to))
		printf("PING %s (%s) %u(%u) bytes of data.\n", c->name, text,
		       (unsigned)c->plan.size, (unsigned)c->plan.size + 28);
	else
		printf("PING %s(%s) %u data bytes\n", c->name, text, (unsigned)c->plan.size);
	fflush(stdout);
	return 0;
}

static int start(void *app, struct pc_stack *st, void **worker, char *why, size_t len)
{
	struct config *c = app;

	*worker = c;
	if (c->ping != NULL) {
		snprintf(why, len, "percore-ping runs on one lcore (EAL option -l)");
		return -1;
	}
	c->ping = calloc(1, sizeof(*c->ping));
	if (c->ping != NULL && c->has_to && begin(c, st) == 0)
		return 0;
	if (c->ping != NULL && !c->has_to && (c->asked = name_ask(st, c->name)) != NULL)
		return 0;
	snprintf(why, len, c->has_to ? "no socket: %s" : "names cannot be resolved: %s",
	         strerror(errno));
	return -1;
}

/* Waits for the address. */
static void turn_name(struct config *c, struct pc_stack *st, uint64_t now_ns)
{
	const char *why = "";
	const int rc = name_turn(c->asked, now_ns, &c->to, &why);

	if (rc == 0 || (rc > 0 && begin(c, st) == 0))
		return;
	fprintf(stderr, "percore-ping: %s: %s\n", c->name, rc < 0 ? why : strerror(errno));
	c->status = 2;
	raise(SIGINT);
}

static void turn(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	struct config *c = worker;

	if (c->status == 2)
		return;
	if (!c->begun)
		turn_name(c, st, now_ns);
	else if (!ping_turn(c->ping, now_ns))
		raise(SIGINT);
}

static void finish(void *worker, struct pc_stack *st)
{
	struct config *c = worker;

	(void)st;
	if (c->begun)
		c->status = ping_report(c->ping, c->name);
	name_free(c->asked);
	free(c->ping);
}

int main(int argc, char **argv)
{
	struct config config = {.plan = {.interval_ms = 1000, .timeout_ms = 2000, .size = 56},
	                        .status = 1};
	const struct pc_run_app app = {
	    .name = "percore-ping",
	    .summary = "asks a host for echoes, as ping(8) does",
	    .example = "--addr 10.0.0.1/24 --to 10.0.0.2 --count 3",
	    .options = options,
	    .keys = keys,
	    .nb_keys = sizeof(keys) / sizeof(keys[0]),
	    .config = &config,
	    .check = check,
	    .start = start,
	    .turn = turn,
	    .finish = finish,
	};
	const int rc = pc_run(argc, argv, &app, &config);

	return rc != 0 ? rc : config.status;
}
