/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-ping: ping(8) from a stack of percore.
 *
 * It runs on one lcore. A name is resolved once there is a source address, which may have to be
 * leased first. To end, the program raises SIGINT, as Ctrl-C does.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <percore/control.h>
#include <percore/run.h>

#include "name.h"
#include "ping.h"

/* how long to wait for an address, and then for the name servers that come with it */
#define ADDRESS_NS UINT64_C(30000000000)
#define SERVERS_NS UINT64_C(3000000000)

struct config {
	struct ping_plan plan;
	char name[256];
	struct pc_addr to;
	bool has_to;
	struct ping *ping;
	struct name *asked; /* while the name is being resolved */
	bool begun;
	bool fixed;                  /* there was an address at the start */
	uint64_t begin_ns, ready_ns; /* time of the first turn; when there was an address */
	int status;
};

static const struct pc_config_key keys[] = {
    {"ping", "count", "requests", "requests to send; 0: until interrupted", 0, 0, UINT64_MAX,
     offsetof(struct config, plan.count)},
    {"ping", "interval", "ms", "time between two requests", 1000, 1, 3600000,
     offsetof(struct config, plan.interval_ms)},
    {"ping", "timeout", "ms", "time to wait for the last replies", 2000, 1, 3600000,
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
	/* RFC 4007 section 11: the zone of a link-local address; we use port numbers */
	snprintf(addr, sizeof(addr), "%.*s", (int)(percent - text), text);
	port = strtoul(percent + 1, &end, 10);
	c->has_to = pc_addr_parse(addr, &c->to) == 0;
	c->plan.port = (uint32_t)port;
	if (c->has_to && percent[1] != '\0' && *end == '\0' && port < PC_MAX_PORTS &&
	    pc_addr_is_link_local(&c->to))
		return 0;
	snprintf(why, len, "\"%s\" is not a link-local address with a port (example: fe80::1%%0)",
	         text);
	return -1;
}

/* Takes a mode of IP_MTU_DISCOVER; the values are the same for IPv6. */
static int set_pmtudisc(void *app, const char *text, char *why, size_t len)
{
	static const char *const modes[] = {"dont", "want", "do", "probe"};

	for (int i = 0; i < 4; i++)
		if (strcmp(text, modes[i]) == 0) {
			((struct config *)app)->plan.pmtudisc = i;
			return 0;
		}
	snprintf(why, len, "\"%s\" is not \"do\", \"want\", \"dont\" or \"probe\"", text);
	return -1;
}

/* Reads seconds with a fraction, like ping(8), as milliseconds. */
static int read_seconds(const char *text, uint64_t *ms, char *why, size_t len)
{
	char *end;
	const double s = strtod(text, &end);

	if (end != text && *end == '\0' && s >= 0.001 && s <= 3600) {
		*ms = (uint64_t)(s * 1000 + 0.5);
		return 0;
	}
	snprintf(why, len, "\"%s\" is not a number of seconds from 0.001 to 3600", text);
	return -1;
}

static const struct pc_run_option options[] = {
    {.name = "to",
     .argument = "HOST",
     .set = set_to,
     .help = "destination: an address of either family (a link-local one with %PORT), or a name"},
    {.name = "count",
     .argument = "N",
     .key = "ping.count",
     .help = "stop after N requests",
     .letter = 'c'},
    {.name = "interval",
     .argument = "MS",
     .key = "ping.interval",
     .help = "interval between requests, in milliseconds (default 1000)"},
    {.name = "every",
     .argument = "SECONDS",
     .key = "ping.interval",
     .read = read_seconds,
     .help = "the same in seconds, with a fraction",
     .letter = 'i'},
    {.name = "size",
     .argument = "BYTES",
     .key = "ping.size",
     .help = "payload size (default 56)",
     .letter = 's'},
    {.name = "ttl",
     .argument = "HOPS",
     .key = "ping.ttl",
     .help = "time to live, or hop limit",
     .letter = 't'},
    {.name = "timeout",
     .argument = "MS",
     .key = "ping.timeout",
     .help = "time to wait for the last reply (default 2000)"},
    {.name = "wait",
     .argument = "SECONDS",
     .key = "ping.timeout",
     .read = read_seconds,
     .help = "the same in seconds, with a fraction",
     .letter = 'W'},
    {.name = "pmtudisc",
     .argument = "MODE",
     .set = set_pmtudisc,
     .help = "packets larger than the path MTU: do (an error), want (fragmented, once the path MTU "
             "is known), dont (fragmented), probe (sent as they are)",
     .letter = 'M'},
    {.name = "quiet", .key = "ping.quiet", .help = "print the summary only", .letter = 'q'},
    {0},
};

static int check(void *app, char *why, size_t len)
{
	if (((struct config *)app)->name[0] != '\0')
		return 0;
	snprintf(why, len, "missing destination (--to HOST)");
	return -1;
}

/* Says whether the stack has an address that is not link-local; ready: one that can be used
 * already. */
static bool has_address(const struct pc_stack *st, bool ready)
{
	struct pc_stack_addr list[PC_MAX_ADDRS];
	const unsigned n = pc_stack_get_addrs(st, list, PC_MAX_ADDRS);

	for (unsigned i = 0; i < n && i < PC_MAX_ADDRS; i++)
		if (!pc_addr_is_link_local(&list[i].addr.addr) && (list[i].ready || !ready))
			return true;
	return false;
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
	c->status = 1; /* until there has been an answer */
	c->ping = calloc(1, sizeof(*c->ping));
	c->fixed = has_address(st, false);
	if (c->ping != NULL && (!c->has_to || begin(c, st) == 0))
		return 0;
	if (errno == ENODEV)
		snprintf(why, len, "--to %s: there is no port %u", c->name, c->plan.port);
	else
		snprintf(why, len, "cannot open a socket: %s", strerror(errno));
	return -1;
}

/* ---- a name ---------------------------------------------------------------------------------- */

/* Says whether a name can be resolved: there is an address to ask from and, if that was leased or
 * made, time for its name servers to be known. */
static bool may_ask(struct config *c, const struct pc_stack *st, uint64_t now_ns)
{
	if (c->begin_ns == 0)
		c->begin_ns = now_ns;
	if (now_ns >= c->begin_ns + ADDRESS_NS)
		return true; /* no address: the resolver says what is missing */
	if (!has_address(st, true))
		return false;
	if (c->ready_ns == 0)
		c->ready_ns = now_ns;
	return c->fixed || pc_stack_get_dns(st, NULL, 0) > 0 || now_ns >= c->ready_ns + SERVERS_NS;
}

static void give_up(struct config *c, const char *why)
{
	fprintf(stderr, "percore-ping: %s: %s\n", c->name, why);
	c->status = 2;
	raise(SIGINT);
}

/* Resolves the name. */
static void turn_name(struct config *c, struct pc_stack *st, uint64_t now_ns)
{
	const char *why = "";
	int rc;

	if (c->asked == NULL && !may_ask(c, st, now_ns))
		return;
	if (c->asked == NULL && (c->asked = name_ask(st, c->name)) == NULL) {
		give_up(c, "cannot resolve names");
		return;
	}
	rc = name_turn(c->asked, now_ns, &c->to, &why);
	if (rc < 0)
		give_up(c, why);
	else if (rc > 0 && begin(c, st) != 0)
		give_up(c, strerror(errno));
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
	struct config config = {
	    .plan = {.interval_ms = 1000, .timeout_ms = 2000, .size = 56, .pmtudisc = -1}};
	const struct pc_run_app app = {
	    .name = "percore-ping",
	    .summary = "sends ICMP echo requests to a host, like ping(8)",
	    .example = "--addr 10.0.0.1/24 --to 10.0.0.2 --count 3",
	    .options = options,
	    .keys = keys,
	    .nb_keys = sizeof(keys) / sizeof(keys[0]),
	    .config = &config,
	    .one_lcore = true,
	    .check = check,
	    .start = start,
	    .turn = turn,
	    .finish = finish,
	};
	const int rc = pc_run(argc, argv, &app, &config);

	return rc != 0 ? rc : config.status;
}
