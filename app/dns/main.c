/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * percore-dns: an authoritative name server.
 *
 * Data flows one way.  Zone files become compiled zones (zonefile.c, zone.c, zone_compile.c), a
 * table of them is what an lcore sees (zones.c, store.c), and a message with that table gives a
 * response (query.c, answer.c, find.c, out.c).  Around that there is server.c, with udp.c and
 * conn.c, on each lcore.
 */

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <percore/run.h>

#include "../shared/map_guard.h"
#include "server.h"

#define LCORES_MAX 128

struct program {
	struct dns_config dns;
	struct server_config server;
	const char *cookies_path; /* NULL: a secret is made at start */
	unsigned nb_servers;      /* started so far; atomic */
	struct lcore_counts {
		_Alignas(64) struct counts counts;
	} lcores[LCORES_MAX];
};

static int set_zone(void *app, const char *text, char *why, size_t why_len)
{
	return store_add_file(((struct program *)app)->server.store, text, why, why_len);
}

static int set_zones(void *app, const char *text, char *why, size_t why_len)
{
	return store_add_dir(((struct program *)app)->server.store, text, why, why_len);
}

static int set_text(const char **to, const char *text, char *why, size_t why_len)
{
	if (text[0] == '\0' || strlen(text) > ANSWER_TEXT_MAX) {
		snprintf(why, why_len, "expected a text of 1 to %d characters", ANSWER_TEXT_MAX);
		return -1;
	}
	*to = text;
	return 0;
}

static int set_identity(void *app, const char *text, char *why, size_t why_len)
{
	return set_text(&((struct program *)app)->server.answer.identity, text, why, why_len);
}

static int set_version(void *app, const char *text, char *why, size_t why_len)
{
	return set_text(&((struct program *)app)->server.answer.version, text, why, why_len);
}

static int set_cookies(void *app, const char *text, char *why, size_t why_len)
{
	(void)why, (void)why_len;
	((struct program *)app)->cookies_path = text;
	return 0;
}

static int add_exempt(void *app, const char *text, char *why, size_t why_len)
{
	struct rrl_config *c = &((struct program *)app)->server.rrl;

	if (c->nb_exempt == RRL_EXEMPT) {
		snprintf(why, why_len, "too many networks (at most %d)", RRL_EXEMPT);
		return -1;
	}
	if (pc_prefix_parse(text, &c->exempt[c->nb_exempt]) != 0) {
		snprintf(why, why_len, "\"%s\" is not a network (example: 192.0.2.0/24)", text);
		return -1;
	}
	c->nb_exempt++;
	return 0;
}

static const struct pc_run_option options[] = {
    {.name = "zone",
     .argument = "NAME=FILE",
     .set = set_zone,
     .help = "serve the zone NAME from a zone file (RFC 1035); may be repeated"},
    {.name = "zones",
     .argument = "DIR",
     .set = set_zones,
     .help = "serve the zone NAME from each file DIR/NAME.zone; may be repeated"},
    {.name = "listen",
     .argument = "PORT",
     .key = "dns.listen",
     .help = "answer on this UDP and TCP port of every address (default 53)"},
    {.name = "identity",
     .argument = "TEXT",
     .set = set_identity,
     .help = "answer NSID, id.server and hostname.bind with TEXT (default: not answered)"},
    {.name = "tell-version",
     .argument = "TEXT",
     .set = set_version,
     .help = "answer version.bind and version.server with TEXT (default: not answered)"},
    {.name = "cookie-secrets",
     .argument = "FILE",
     .set = set_cookies,
     .help = "secrets of DNS cookies, a line of 32 hexadecimal digits each: the first makes "
             "cookies, all are accepted (default: a random one)"},
    {.name = "rrl-exempt",
     .argument = "NETWORK",
     .set = add_exempt,
     .help = "no response rate limiting for NETWORK; may be repeated"},
    {0},
};

static const struct pc_config_key keys[] = {
#define DNS_KEY(name, def, min, max, unit, sentence) \
	{"dns", #name, unit, sentence, def, min, max, offsetof(struct dns_config, name)},
    DNS_KEYS(DNS_KEY)
#undef DNS_KEY
};

static const struct dns_config defaults = {
#define DNS_KEY(name, def, min, max, unit, sentence) .name = def,
    DNS_KEYS(DNS_KEY)
#undef DNS_KEY
};

static int prepare_limits(struct program *p, char *why, size_t why_len)
{
	struct rrl_config *c = &p->server.rrl;

	c->rate = p->dns.rrl_rate;
	c->slip = p->dns.rrl_slip;
	c->entries = p->dns.rrl_entries;
	c->len4 = (uint8_t)p->dns.rrl_ip4_len;
	c->len6 = (uint8_t)p->dns.rrl_ip6_len;
	if (getrandom(&c->key, sizeof(c->key), 0) != sizeof(c->key)) {
		snprintf(why, why_len, "cannot get random numbers");
		return -1;
	}
	return p->dns.cookies == 0
	           ? 0
	           : store_use_cookies(p->server.store, p->cookies_path, why, why_len);
}

static int check(void *app, char *why, size_t why_len)
{
	struct program *p = app;
	const struct zones *z;
	size_t records = 0, bytes = 0;

	p->server.answer.udp_max = (uint16_t)p->dns.udp_max;
	if (prepare_limits(p, why, why_len) != 0 || store_load(p->server.store, why, why_len) != 0)
		return -1;
	z = store_zones(p->server.store);
	if (z->nb == 0) {
		snprintf(why, why_len, "missing zone: give --zone NAME=FILE or --zones DIR");
		return -1;
	}
	for (size_t i = 0; i < z->nb; i++) {
		records += z->zone[i]->nb_records;
		bytes += z->zone[i]->bytes;
	}
	printf("zones: %zu, %zu records, %zu bytes\n", z->nb, records, bytes);
	return 0;
}

static int start(void *app, struct pc_stack *st, void **worker, char *why, size_t why_len)
{
	struct program *p = app;
	const unsigned i = __atomic_fetch_add(&p->nb_servers, 1, __ATOMIC_RELAXED);

	if (i >= LCORES_MAX) {
		snprintf(why, why_len, "too many lcores (at most %d)", LCORES_MAX);
		return -1;
	}
	*worker = server_start(st, &p->server, &p->lcores[i].counts, why, why_len);
	return *worker != NULL ? 0 : -1;
}

static void turn(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	(void)st;
	server_turn(worker, now_ns);
}

static uint64_t next_deadline(void *worker, struct pc_stack *st)
{
	(void)st;
	return server_next_deadline(worker);
}

static void drain(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	(void)st;
	server_drain(worker, now_ns);
}

static bool drained(void *worker, struct pc_stack *st)
{
	struct pc_stack_usage usage;

	(void)worker;
	pc_stack_get_usage(st, &usage);
	return usage.connections == 0;
}

static void end_worker(void *worker, struct pc_stack *st)
{
	(void)st;
	server_finish(worker);
}

static void reload(void *app, FILE *out, FILE *err)
{
	store_reload(((struct program *)app)->server.store, out, err);
}

/* Tells the sums over all lcores. */
static void tell_counters(void *app, pc_run_count *count, void *arg)
{
	static const struct {
		size_t offset;
		const char *name, *sentence;
	} lines[] = {
#define DNS_COUNT_LINE(name, sentence) {offsetof(struct counts, name), #name, sentence},
	    DNS_COUNTS(DNS_COUNT_LINE)
#undef DNS_COUNT_LINE
	};
	const struct program *p = app;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		uint64_t sum = 0;

		for (unsigned l = 0; l < LCORES_MAX; l++)
			sum +=
			    *(const uint64_t *)(const void *)((const char *)&p->lcores[l].counts +
			                                      lines[i].offset);
		count(arg, lines[i].name, lines[i].sentence, sum);
	}
}

/* When the limit of connections is reached, idle ones give way to new ones. */
static void set_defaults(struct pc_stack_config *config)
{
	config->tcp_give_way_ms = 1000;
}

/* Sets the key of names before the first zone is read. If there are no random numbers, the start
 * fails later, with a message. */
static void hide_hash(void)
{
	uint64_t key[2];

	if (getrandom(key, sizeof(key), 0) == sizeof(key))
		dname_set_key(key);
}

int main(int argc, char **argv)
{
	static struct program program;
	const struct pc_run_app app = {
	    .name = "percore-dns",
	    .summary = "an authoritative name server, over UDP and TCP",
	    .example = "--addr 10.0.0.1/24 --zone example.com=example.com.zone",
	    .options = options,
	    .keys = keys,
	    .nb_keys = sizeof(keys) / sizeof(keys[0]),
	    .config = &program.dns,
	    .defaults = set_defaults,
	    .check = check,
	    .start = start,
	    .turn = turn,
	    .next_deadline = next_deadline,
	    .drain = drain,
	    .drained = drained,
	    .finish = end_worker,
	    .reload = reload,
	    .counters = tell_counters,
	};
	int status;

	program.dns = defaults;
	program.server.dns = &program.dns;
	program.server.store = store_create();
	hide_hash();
	(void)map_guard_install(); /* otherwise a file truncated while it is read would kill us */
	if (program.server.store == NULL) {
		fprintf(stderr, "percore-dns: out of memory\n");
		return 2;
	}
	status = pc_run(argc, argv, &app, &program);
	store_free(program.server.store);
	return status;
}
