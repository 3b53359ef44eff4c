/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of the control socket: parses commands, and writes lists. */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 32

struct words {
	unsigned n, at;
	char *word[WORDS];
	char *why;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static int fail(struct words *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(w->why, w->len, format, args);
	va_end(args);
	return -1;
}

/* ---- words ----------------------------------------------------------------------------------- */

static const char *next(struct words *w)
{
	return w->at < w->n ? w->word[w->at++] : NULL;
}

/* Takes the next word if it is the given one. */
static bool is_next(struct words *w, const char *word)
{
	if (w->at == w->n || strcmp(w->word[w->at], word) != 0)
		return false;
	w->at++;
	return true;
}

static int read_number(struct words *w, const char *what, uint64_t max, uint64_t *v)
{
	const char *text = next(w);
	char *end;

	if (text == NULL)
		return fail(w, "missing number after \"%s\"", what);
	errno = 0;
	*v = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || *v > max)
		return fail(w, "%s: \"%s\" is not a number from 0 to %" PRIu64, what, text, max);
	return 0;
}

static int read_addr(struct words *w, struct pc_addr *a)
{
	const char *text = next(w);

	if (text == NULL)
		return fail(w, "missing address (example: 192.0.2.1)");
	return pc_addr_parse(text, a) == 0 ? 0
	                                   : fail(w, "\"%s\" is not an IPv4 or IPv6 address", text);
}

static int read_prefix(struct words *w, struct pc_prefix *p)
{
	const char *text = next(w);

	if (text == NULL)
		return fail(w, "missing network (example: 192.0.2.0/24)");
	return pc_prefix_parse(text, p) == 0
	           ? 0
	           : fail(w, "\"%s\" is not a network (example: 192.0.2.0/24)", text);
}

static int read_mac(struct words *w, uint8_t mac[6])
{
	const char *text = next(w);
	int n = 0;

	/* sscanf() takes signs, too */
	if (text != NULL && strspn(text, "0123456789abcdefABCDEF:") == strlen(text) &&
	    sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
	           &mac[3], &mac[4], &mac[5], &n) == 6 &&
	    text[n] == '\0')
		return 0;
	return fail(w, "\"%s\" is not a MAC address (example: 02:00:00:00:00:01)",
	            text != NULL ? text : "");
}

/* ---- commands -------------------------------------------------------------------------------- */

/* "via ADDR", "port N", "metric N", "mtu N", "weight N" in any order, as far as allowed permits. */
enum { VIA = 1, PORT = 2, METRIC = 4, MTU = 8, WEIGHT = 16 };

static int read_option(struct words *w, struct pc_change *c, unsigned allowed)
{
	uint64_t v;

	if ((allowed & VIA) && is_next(w, "via"))
		return read_addr(w, &c->addr);
	if ((allowed & PORT) && is_next(w, "port")) {
		if (read_number(w, "port", PC_MAX_PORTS - 1, &v) != 0)
			return -1;
		c->port = (int32_t)v;
	} else if ((allowed & METRIC) && is_next(w, "metric")) {
		if (read_number(w, "metric", UINT32_MAX, &v) != 0)
			return -1;
		c->metric = (uint32_t)v;
	} else if ((allowed & MTU) && is_next(w, "mtu")) {
		if (read_number(w, "mtu", UINT16_MAX, &v) != 0)
			return -1;
		c->mtu = (uint16_t)v;
	} else if ((allowed & WEIGHT) && is_next(w, "weight")) {
		if (read_number(w, "weight", UINT16_MAX, &v) != 0)
			return -1;
		c->weight = (uint16_t)v;
	} else {
		return fail(w, "unexpected \"%s\"", next(w));
	}
	return 0;
}

static int read_options(struct words *w, struct pc_change *c, unsigned allowed)
{
	while (w->at < w->n)
		if (read_option(w, c, allowed) != 0)
			return -1;
	return 0;
}

static int read_route(struct words *w, struct pc_change *c)
{
	const bool all = is_next(w, "default");
	const unsigned options =
	    c->kind == PC_CHANGE_DEL_ROUTE ? VIA | PORT : VIA | PORT | METRIC | MTU | WEIGHT;

	c->port = -1;
	if ((!all && read_prefix(w, &c->prefix) != 0) || read_options(w, c, options) != 0)
		return -1;
	if (all && pc_addr_is_any(&c->addr))
		return fail(
		    w, "\"default\" requires \"via GATEWAY\", which determines the address family");
	if (c->kind != PC_CHANGE_DEL_ROUTE && pc_addr_is_any(&c->addr) && c->port < 0)
		return fail(w, "missing \"via GATEWAY\" or \"port N\"");
	return 0;
}

static int read_address(struct words *w, struct pc_change *c)
{
	return read_prefix(w, &c->prefix) != 0 ? -1 : read_options(w, c, PORT);
}

static int read_neigh(struct words *w, struct pc_change *c)
{
	if (read_addr(w, &c->addr) != 0)
		return -1;
	if (c->kind == PC_CHANGE_SET_NEIGH && !is_next(w, "mac"))
		return fail(w,
		            "missing \"mac\" and a MAC address (example: mac 02:00:00:00:00:01)");
	if (c->kind == PC_CHANGE_SET_NEIGH && read_mac(w, c->mac) != 0)
		return -1;
	return read_options(w, c, PORT);
}

static int read_deny(struct words *w, struct pc_change *c)
{
	return read_prefix(w, &c->prefix) != 0 ? -1 : read_options(w, c, 0);
}

static int read_mtu(struct words *w, struct pc_change *c)
{
	uint64_t v;

	if (read_number(w, "mtu", UINT16_MAX, &v) != 0)
		return -1;
	c->mtu = (uint16_t)v;
	return read_options(w, c, PORT);
}

static const struct {
	const char *object, *verb;
	uint16_t kind;
	int (*read)(struct words *w, struct pc_change *c);
} commands[] = {
    {"route", "add", PC_CHANGE_ADD_ROUTE, read_route},
    {"route", "del", PC_CHANGE_DEL_ROUTE, read_route},
    {"route", "replace", PC_CHANGE_REPLACE_ROUTE, read_route},
    {"addr", "add", PC_CHANGE_ADD_ADDR, read_address},
    {"addr", "del", PC_CHANGE_DEL_ADDR, read_address},
    {"neigh", "set", PC_CHANGE_SET_NEIGH, read_neigh},
    {"neigh", "del", PC_CHANGE_DEL_NEIGH, read_neigh},
    {"deny", "add", PC_CHANGE_DENY, read_deny},
    {"deny", "del", PC_CHANGE_ALLOW, read_deny},
    {"mtu", "set", PC_CHANGE_SET_MTU, read_mtu},
};

/* ---- commands that show something ------------------------------------------------------------ */

/* indexed by the states of TCP_INFO, with the names that ss uses */
static const char *const states[] = {"",           "established", "syn-sent",  "syn-recv",
                                     "fin-wait-1", "fin-wait-2",  "time-wait", "unconn",
                                     "close-wait", "last-ack",    "listen",    "closing"};

#define STATES (sizeof(states) / sizeof(states[0]))

static int read_state(struct words *w, struct pc_socket_match *m)
{
	const char *text = next(w);

	for (unsigned i = 1; text != NULL && i < STATES; i++)
		if (strcmp(text, states[i]) == 0) {
			m->states |= 1u << i;
			return 0;
		}
	return fail(w, "\"%s\" is not a TCP state (example: established, listen or time-wait)",
	            text != NULL ? text : "");
}

static int read_sockets(struct words *w, struct ctl_command *c)
{
	struct pc_socket_match *m = &c->match;
	uint64_t v;
	int rc = 0;

	while (rc == 0 && w->at < w->n) {
		if (is_next(w, "tcp")) {
			m->proto = IPPROTO_TCP;
		} else if (is_next(w, "udp")) {
			m->proto = IPPROTO_UDP;
		} else if (is_next(w, "state")) {
			rc = read_state(w, m);
		} else if (is_next(w, "port")) {
			rc = read_number(w, "port", UINT16_MAX, &v);
			m->port = rc == 0 ? (uint16_t)v : 0;
		} else if (is_next(w, "peer")) {
			m->has_peer = true;
			rc = read_prefix(w, &m->peer);
		} else {
			rc = fail(w, "unexpected \"%s\"", next(w));
		}
	}
	return rc;
}

static int read_all(struct words *w, struct ctl_command *c)
{
	c->all = is_next(w, "all");
	return w->at == w->n ? 0 : fail(w, "unexpected \"%s\"", next(w));
}

static int read_nothing(struct words *w, struct ctl_command *c)
{
	(void)c;
	return w->at == w->n ? 0 : fail(w, "unexpected \"%s\"", next(w));
}

/* A filter arrives as its instructions, two hex digits per byte; the socket that it is attached to
 * validates it. The client compiles the expression, as names in it may need a lookup. */
static int read_program(struct words *w, struct ctl_capture_args *a)
{
	const char *text = next(w);
	const size_t digits = text != NULL ? strlen(text) : 0, each = 2 * sizeof(a->insn[0]);
	uint8_t *at = (uint8_t *)a->insn;

	if (digits == 0 || digits % each != 0 || digits / each > CTL_PROGRAM_MAX ||
	    strspn(text, "0123456789abcdef") != digits)
		return fail(w, "invalid filter program");
	for (size_t i = 0; i < digits; i += 2)
		(void)sscanf(text + i, "%2hhx", at++);
	a->nb_insn = (uint16_t)(digits / each);
	return 0;
}

static int read_capture(struct words *w, struct ctl_command *c)
{
	struct ctl_capture_args *a = &c->capture;
	uint64_t v;
	int rc = 0;

	a->port = -1;
	a->snaplen = CTL_SNAPLEN_MAX;
	while (rc == 0 && w->at < w->n) {
		if (is_next(w, "count")) {
			rc = read_number(w, "count", UINT64_MAX, &a->count);
		} else if (is_next(w, "snaplen")) {
			rc = read_number(w, "snaplen", CTL_SNAPLEN_MAX, &v);
			a->snaplen = rc == 0 && v > 0 ? (uint32_t)v : CTL_SNAPLEN_MAX;
		} else if (is_next(w, "port")) {
			rc = read_number(w, "port", PC_MAX_PORTS - 1, &v);
			a->port = rc == 0 ? (int32_t)v : -1;
		} else if (is_next(w, "program")) {
			rc = read_program(w, a);
		} else {
			rc = fail(w, "unexpected \"%s\"", next(w));
		}
	}
	return rc;
}

/* the name of the file, as the user wrote it */
static int read_load(struct words *w, struct ctl_command *c)
{
	const char *name = next(w);

	if (name == NULL)
		return fail(w, "missing file name");
	snprintf(c->name, sizeof(c->name), "%s", name);
	return read_nothing(w, c);
}

/* "table NAME add|delete|replace FILE", "table NAME show", "table show" */
static int read_table(struct words *w, struct ctl_command *c)
{
	static const char *const verbs[] = {"add", "delete", "replace"};
	const char *name = next(w), *verb = next(w);

	if (name == NULL || (strcmp(name, "show") == 0 && verb == NULL)) {
		c->verb = CTL_SHOW_TABLES;
		return 0;
	}
	if (strlen(name) >= sizeof(c->table))
		return fail(w, "table name \"%s\" is too long", name);
	strcpy(c->table, name);
	c->verb = CTL_SHOW_TABLE;
	if (verb == NULL || strcmp(verb, "show") == 0)
		return read_nothing(w, c);
	c->verb = CTL_CHANGE_TABLE;
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verb, verbs[i]) == 0) {
			c->table_verb = (enum pc_firewall_verb)i;
			return read_load(w, c);
		}
	return fail(w, "\"%s\" is not \"add\", \"delete\", \"replace\" or \"show\"", verb);
}

static const struct {
	const char *verb;
	enum ctl_verb does;
	int (*read)(struct words *w, struct ctl_command *c);
} firewall[] = {
    {"check", CTL_CHECK_FIREWALL, read_load},
    {"load", CTL_LOAD_FIREWALL, read_load},
    {"flush", CTL_FLUSH_FIREWALL, read_nothing},
    {"table", CTL_CHANGE_TABLE, read_table},
};

static const struct {
	const char *object;
	enum ctl_verb verb;
	int (*read)(struct words *w, struct ctl_command *c);
} lists[] = {
    {"route", CTL_SHOW_ROUTES, read_nothing},   {"addr", CTL_SHOW_ADDRS, read_nothing},
    {"usage", CTL_SHOW_USAGE, read_nothing},    {"neigh", CTL_SHOW_NEIGHS, read_nothing},
    {"deny", CTL_SHOW_DENIED, read_nothing},    {"counters", CTL_SHOW_COUNTERS, read_all},
    {"socket", CTL_SHOW_SOCKETS, read_sockets}, {"firewall", CTL_SHOW_FIREWALL, read_nothing},
    {"port", CTL_SHOW_PORTS, read_all},         {"lcore", CTL_SHOW_LCORES, read_nothing},
};

static int read_command(struct words *w, struct ctl_command *c)
{
	const char *object = next(w), *verb;

	if (object == NULL)
		return fail(w, "missing command");
	if (strcmp(object, "capture") == 0) {
		c->verb = CTL_CAPTURE;
		return read_capture(w, c);
	}
	verb = next(w);
	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(object, lists[i].object) == 0 &&
		    (verb == NULL || strcmp(verb, "show") == 0)) {
			c->verb = lists[i].verb;
			return lists[i].read(w, c);
		}
	for (unsigned i = 0; verb != NULL && i < sizeof(firewall) / sizeof(firewall[0]); i++)
		if (strcmp(object, "firewall") == 0 && strcmp(verb, firewall[i].verb) == 0) {
			c->verb = firewall[i].does;
			return firewall[i].read(w, c);
		}
	for (unsigned i = 0; verb != NULL && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(object, commands[i].object) == 0 &&
		    strcmp(verb, commands[i].verb) == 0) {
			c->verb = CTL_CHANGE;
			c->change.kind = commands[i].kind;
			return commands[i].read(w, &c->change);
		}
	return fail(w, "unknown command \"%s%s%s\"; see percore-ctl --help", object,
	            verb != NULL ? " " : "", verb != NULL ? verb : "");
}

int ctl_parse(const char *text, struct ctl_command *c, char *why, size_t len)
{
	struct words w = {.why = why, .len = len};
	char buf[CTL_COMMAND_MAX], *rest = buf, *word;

	memset(c, 0, sizeof(*c));
	if (snprintf(buf, sizeof(buf), "%s", text) >= (int)sizeof(buf))
		return fail(&w, "command is too long");
	while ((word = strsep(&rest, " \t\r\n")) != NULL) {
		if (*word == '\0')
			continue;
		if (w.n == WORDS)
			return fail(&w, "command has too many words");
		w.word[w.n++] = word;
	}
	c->is_json = is_next(&w, "json");
	if (read_command(&w, c) != 0)
		return -1;
	return c->is_json && c->verb < CTL_SHOW_ROUTES
	           ? fail(&w, "only commands that show a list have an answer in JSON")
	           : 0;
}

/* ---- lists ----------------------------------------------------------------------------------- */

void ctl_print_routes(struct rows *o, const struct pc_route_info *list, unsigned n)
{
	char dest[PC_PREFIX_STRLEN], gateway[PC_ADDR_STRLEN];

	for (unsigned i = 0; i < n; i++) {
		const struct pc_route *r = &list[i].route;
		const bool is_direct = pc_addr_is_any(&r->gateway);

		row_begin(o);
		row_text(o, "network", "", pc_prefix_format(&r->dest, dest));
		row_text(o, "via", " via ",
		         is_direct ? NULL : pc_addr_format(&r->gateway, gateway));
		row_number(o, "port", " port ", (unsigned)r->port);
		row_number(o, "metric", r->metric != 0 ? " metric " : NULL, r->metric);
		row_optional(o, "mtu", " mtu ", r->mtu != 0, r->mtu);
		row_number(o, "weight", r->weight > 1 ? " weight " : NULL,
		           r->weight > 1 ? r->weight : 1);
		row_flag(o, "connected", " connected", list[i].connected);
		row_flag(o, "learnt", " learnt", list[i].learnt);
		row_flag(o, "down", " down", list[i].down);
		row_end(o);
	}
}

void ctl_print_addrs(struct rows *o, const struct pc_stack_addr *list, unsigned n)
{
	char addr[PC_PREFIX_STRLEN];

	for (unsigned i = 0; i < n; i++) {
		row_begin(o);
		row_text(o, "address", "", pc_prefix_format(&list[i].addr, addr));
		row_number(o, "port", " port ", (unsigned)list[i].port);
		row_flag(o, "autoconf", " autoconf", list[i].autoconf);
		row_flag(o, "not_ready", " not-ready", !list[i].ready);
		row_end(o);
	}
}

void ctl_print_denied(struct rows *o, const struct pc_prefix *list, unsigned n)
{
	char prefix[PC_PREFIX_STRLEN];

	for (unsigned i = 0; i < n; i++) {
		row_begin(o);
		row_text(o, "network", "", pc_prefix_format(&list[i], prefix));
		row_end(o);
	}
}

void ctl_print_neighs(struct rows *o, const struct pc_neigh_info *list, unsigned n)
{
	static const char *const names[] = {"none",      "incomplete", "failed", "stale",
	                                    "reachable", "delay",      "probe"};
	static const uint8_t none[6]; /* it has not answered yet */
	char addr[PC_ADDR_STRLEN], mac[18];

	for (unsigned i = 0; i < n; i++) {
		const struct pc_neigh_info *e = &list[i];
		const bool known = memcmp(e->mac, none, sizeof(none)) != 0;

		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", e->mac[0], e->mac[1],
		         e->mac[2], e->mac[3], e->mac[4], e->mac[5]);
		row_begin(o);
		row_text(o, "address", "", pc_addr_format(&e->addr, addr));
		row_text(o, "mac", " mac ", known ? mac : NULL);
		row_number(o, "port", " port ", (unsigned)e->port);
		row_text(o, "state", " ", names[e->state]);
		row_flag(o, "fixed", " fixed", e->fixed);
		row_number(o, "held", e->held > 0 ? " held " : NULL, e->held);
		row_end(o);
	}
}

/* In JSON address and port are two fields, for scripts. */
static void print_endpoint(struct rows *o, const char *key, const char *port_key,
                           const struct pc_endpoint *e)
{
	char both[PC_ENDPOINT_STRLEN], addr[PC_ADDR_STRLEN];

	row_text_wide(o, NULL, " ", 21, pc_endpoint_format(e, both));
	row_text(o, key, NULL, pc_addr_format(&e->addr, addr));
	row_number(o, port_key, NULL, e->port);
}

static void print_socket(struct rows *o, const struct pc_socket_info *s, unsigned lcore)
{
	static const char *const signatures[] = {
	    [PC_SIGNED_NOT] = NULL, [PC_SIGNED_MD5] = "md5", [PC_SIGNED_AO] = "ao"};
	const bool sends = s->cwnd != 0 && s->mss != 0;

	row_begin(o);
	row_text(o, "protocol", "", s->proto == IPPROTO_TCP ? "tcp" : "udp");
	row_text_wide(o, "state", " ", -11, states[s->state < STATES ? s->state : 0]);
	row_number_wide(o, "rcv_queue", " ", 6, s->rcv_queue);
	row_number_wide(o, "snd_queue", " ", 6, s->snd_queue);
	print_endpoint(o, "local", "local_port", &s->local);
	print_endpoint(o, "remote", "remote_port", &s->remote);
	row_number(o, "lcore", " lcore ", lcore);
	row_optional(o, "fd", " fd ", s->fd >= 0, (uint32_t)s->fd);
	row_thousandths(o, "rtt_us", " rtt ", " ms", s->srtt_us != 0, s->srtt_us);
	row_optional(o, "cwnd", " cwnd ", sends, sends ? s->cwnd / s->mss : 0);
	row_optional(o, "mss", " mss ", sends, s->mss);
	row_thousandths(o, "idle_ms", " idle ", " s", sends, s->idle_ms);
	row_number(o, "retries", s->retries != 0 ? " retries " : NULL, s->retries);
	row_text(o, "signature", " ", signatures[s->signature]);
	row_end(o);
}

void ctl_print_sockets(struct rows *o, const struct pc_socket_info *list, unsigned n,
                       unsigned lcore)
{
	for (unsigned i = 0; i < n; i++)
		print_socket(o, &list[i], lcore);
}

static void print_use(struct rows *o, const char *name, uint32_t used, uint32_t limit)
{
	row_begin(o);
	row_text(o, "name", "", name);
	row_number(o, "used", " ", used);
	row_number(o, "limit", " of ", limit);
	row_end(o);
}

void ctl_print_usage(struct rows *o, const struct pc_stack_usage *u)
{
	print_use(o, "connections", u->connections, u->connections_max);
	print_use(o, "half-open", u->half_open, u->half_open_max);
	print_use(o, "time-wait", u->time_wait, u->time_wait_max);
	print_use(o, "neighbours", u->neighbours, u->neighbours_max);
	print_use(o, "udp-sockets", u->udp_sockets, u->udp_sockets_max);
	print_use(o, "listeners", u->listeners, u->listeners_max);
}

void ctl_print_counter(struct rows *o, const char *name, uint64_t value)
{
	row_begin(o);
	row_text(o, "name", "", name);
	row_number(o, "value", " ", value);
	row_end(o);
}

void ctl_print_counters(struct rows *o, const struct pc_counters *c, bool all)
{
	for (int i = PC_DROP_NONE + 1; i < PC_COUNTER_MAX; i++)
		if (all || c->value[i] != 0)
			ctl_print_counter(o, pc_counter_name((enum pc_counter)i), c->value[i]);
}
