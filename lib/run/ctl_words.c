/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of the control socket: parses them. */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WORDS    32
#define DAYS_MAX 365

struct words {
	unsigned n, at;
	unsigned given;    /* options that have been read, as bits */
	const char *again; /* one that is given a second time */
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

/* Takes the next word if it is the given option, and has not been before. */
static bool is_option(struct words *w, const char *word, unsigned bit)
{
	if (!is_next(w, word))
		return false;
	if (w->given & bit) {
		w->at--;
		w->again = word;
		return false;
	}
	w->given |= bit;
	return true;
}

static int refuse_next(struct words *w)
{
	const char *word = next(w);

	return w->again != NULL ? fail(w, "duplicate \"%s\"", word)
	                        : fail(w, "unexpected \"%s\"", word);
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

	if ((allowed & VIA) && is_option(w, "via", VIA))
		return read_addr(w, &c->addr);
	if ((allowed & PORT) && is_option(w, "port", PORT)) {
		if (read_number(w, "port", PC_MAX_PORTS - 1, &v) != 0)
			return -1;
		c->port = (int32_t)v;
	} else if ((allowed & METRIC) && is_option(w, "metric", METRIC)) {
		if (read_number(w, "metric", UINT32_MAX, &v) != 0)
			return -1;
		c->metric = (uint32_t)v;
	} else if ((allowed & MTU) && is_option(w, "mtu", MTU)) {
		if (read_number(w, "mtu", UINT16_MAX, &v) != 0)
			return -1;
		c->mtu = (uint16_t)v;
	} else if ((allowed & WEIGHT) && is_option(w, "weight", WEIGHT)) {
		if (read_number(w, "weight", UINT16_MAX, &v) != 0)
			return -1;
		if (v == 0)
			return fail(w, "weight: 0 is not a number from 1 to 256");
		c->weight = (uint16_t)v;
	} else {
		return refuse_next(w);
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
	const struct pc_prefix *p = &c->prefix;

	if (read_prefix(w, &c->prefix) != 0)
		return -1;
	if (c->kind == PC_CHANGE_ADD_ADDR && p->len == (pc_addr_is_ip4(&p->addr) ? 96 : 0))
		return fail(w, "with a prefix length of 0 every address would be on the link");
	return read_options(w, c, PORT);
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

static int read_state(struct words *w, struct pc_socket_match *m)
{
	const char *text = next(w);

	for (unsigned i = 1; text != NULL && i < CTL_STATES; i++)
		if (strcmp(text, ctl_states[i]) == 0) {
			m->states |= 1u << i;
			return 0;
		}
	return text == NULL
	           ? fail(w, "missing TCP state after \"state\" (example: established)")
	           : fail(w,
	                  "\"%s\" is not a TCP state (example: established, listen or time-wait)",
	                  text);
}

/* "tcp", "udp", "raw" or "packet". Returns whether the next word was one. */
static bool is_kind(struct words *w, struct pc_socket_match *m)
{
	if (is_next(w, "tcp"))
		m->proto = IPPROTO_TCP;
	else if (is_next(w, "udp"))
		m->proto = IPPROTO_UDP;
	else if (is_next(w, "raw"))
		m->kind = PC_SOCKET_RAW;
	else if (is_next(w, "packet"))
		m->kind = PC_SOCKET_PACKET;
	else
		return false;
	return true;
}

static int read_sockets(struct words *w, struct ctl_command *c)
{
	struct pc_socket_match *m = &c->match;
	uint64_t v;
	int rc = 0;

	while (rc == 0 && w->at < w->n) {
		const bool has_kind = m->proto != 0 || m->kind != 0;

		if (is_kind(w, m)) {
			rc = has_kind ? fail(w, "only one of \"tcp\", \"udp\", \"raw\" and "
			                        "\"packet\" can be given")
			              : 0;
		} else if (is_next(w, "state")) {
			rc = read_state(w, m);
		} else if (is_option(w, "port", PORT)) {
			rc = read_number(w, "port", UINT16_MAX, &v);
			m->port = rc == 0 ? (uint16_t)v : 0;
		} else if (is_option(w, "peer", VIA)) {
			m->has_peer = true;
			rc = read_prefix(w, &m->peer);
		} else {
			rc = refuse_next(w);
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
		if (is_option(w, "count", 1)) {
			rc = read_number(w, "count", UINT64_MAX, &a->count);
		} else if (is_option(w, "snaplen", 2)) {
			rc = read_number(w, "snaplen", CTL_SNAPLEN_MAX, &v);
			a->snaplen = rc == 0 && v > 0 ? (uint32_t)v : CTL_SNAPLEN_MAX;
		} else if (is_option(w, "port", 4)) {
			rc = read_number(w, "port", PC_MAX_PORTS - 1, &v);
			a->port = rc == 0 ? (int32_t)v : -1;
		} else if (is_next(w, "program")) {
			rc = read_program(w, a);
		} else {
			rc = refuse_next(w);
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

/* "10m": seconds, minutes, hours or days, as in rules */
static int read_time(struct words *w, uint32_t *seconds)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	const char *text = next(w);
	char *end = NULL;
	unsigned long v;

	if (text == NULL)
		return fail(w, "missing time after \"for\" (example: 10m)");
	v = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
	for (unsigned i = 0; end != NULL && i < sizeof(units) / sizeof(units[0]); i++)
		if (end[0] == units[i].unit && end[1] == '\0' && v > 0 &&
		    v <= DAYS_MAX * 86400ul / units[i].seconds) {
			*seconds = (uint32_t)(v * units[i].seconds);
			return 0;
		}
	return fail(w, "\"%s\" is not a time (example: 30s, 10m, 2h or 1d; at most %dd)", text,
	            DAYS_MAX);
}

/* "FILE [for TIME]" */
static int read_addition(struct words *w, struct ctl_command *c)
{
	const char *name = next(w);

	if (name == NULL)
		return fail(w, "missing file name");
	snprintf(c->name, sizeof(c->name), "%s", name);
	if (is_next(w, "for") && read_time(w, &c->for_s) != 0)
		return -1;
	return read_nothing(w, c);
}

/* "ADDRESS", or a network or port */
static int read_test(struct words *w, struct ctl_command *c)
{
	const char *what = next(w);

	if (what == NULL)
		return fail(w, "missing address or port after \"test\"");
	c->verb = CTL_TEST_TABLE;
	snprintf(c->name, sizeof(c->name), "%s", what);
	return read_nothing(w, c);
}

/* "table NAME add FILE [for TIME]", "table NAME delete|replace FILE", "table NAME show",
 * "table NAME test ADDRESS", "table show" */
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
	if (strcmp(verb, "test") == 0)
		return read_test(w, c);
	c->verb = CTL_CHANGE_TABLE;
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verb, verbs[i]) == 0) {
			c->table_verb = (enum pc_firewall_verb)i;
			return i == PC_FIREWALL_ADD ? read_addition(w, c) : read_load(w, c);
		}
	return fail(w, "\"%s\" is not \"add\", \"delete\", \"replace\", \"test\" or \"show\"",
	            verb);
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
    {"route", CTL_SHOW_ROUTES, read_nothing},    {"addr", CTL_SHOW_ADDRS, read_nothing},
    {"usage", CTL_SHOW_USAGE, read_nothing},     {"neigh", CTL_SHOW_NEIGHS, read_nothing},
    {"deny", CTL_SHOW_DENIED, read_nothing},     {"counters", CTL_SHOW_COUNTERS, read_all},
    {"socket", CTL_SHOW_SOCKETS, read_sockets},  {"firewall", CTL_SHOW_FIREWALL, read_nothing},
    {"port", CTL_SHOW_PORTS, read_all},          {"lcore", CTL_SHOW_LCORES, read_nothing},
    {"metrics", CTL_SHOW_METRICS, read_nothing},
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
