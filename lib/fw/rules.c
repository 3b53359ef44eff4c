/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a line is cut into words, its words make a draft with lists, and each combination of the lists becomes an entry.
 * What is wrong is told with the word, as far as one is to blame.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fw/draft.h"

#define RATE_MAX 1000000000

int fw_fail(const struct reader *d, const char *format, ...)
{
	const int n = snprintf(d->why, d->why_len, "%s:%u: ", d->name, d->line);
	va_list args;

	va_start(args, format);
	if (n > 0 && (size_t)n < d->why_len)
		vsnprintf(d->why + n, d->why_len - (size_t)n, format, args);
	va_end(args);
	return -EINVAL;
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool is_next(struct reader *d, const char *word)
{
	if (d->at == d->n || strcmp(d->word[d->at], word) != 0)
		return false;
	d->at++;
	return true;
}

/* the next word, or that it is missing behind what */
static char *need(struct reader *d, const char *what, const char *example)
{
	if (d->at < d->n)
		return d->word[d->at++];
	(void)fw_fail(d, "something is missing behind \"%s\", as %s", what, example);
	return NULL;
}

static bool is_number(const char *text, unsigned long max, unsigned long *v)
{
	char *end;

	if (*text < '0' || *text > '9' || strlen(text) > 10)
		return false;
	*v = strtoul(text, &end, 10);
	return *end == '\0' && *v <= max;
}

struct name {
	const char *name;
	uint16_t value, proto; /* of ICMP types: IPPROTO_ICMP or IPPROTO_ICMPV6 */
};

static const struct name protos[] = {{"tcp", IPPROTO_TCP, 0},      {"udp", IPPROTO_UDP, 0},
                                     {"icmp", IPPROTO_ICMP, 0},    {"igmp", IPPROTO_IGMP, 0},
                                     {"icmp6", IPPROTO_ICMPV6, 0}, {"gre", IPPROTO_GRE, 0},
                                     {"esp", IPPROTO_ESP, 0},      {"ipv6-icmp", IPPROTO_ICMPV6, 0},
                                     {"ah", IPPROTO_AH, 0},        {"sctp", IPPROTO_SCTP, 0}};

static const struct name types[] = {
    {"echo-reply", 0, IPPROTO_ICMP},         {"unreachable", 3, IPPROTO_ICMP},
    {"redirect", 5, IPPROTO_ICMP},           {"echo-request", 8, IPPROTO_ICMP},
    {"time-exceeded", 11, IPPROTO_ICMP},     {"parameter-problem", 12, IPPROTO_ICMP},
    {"unreachable", 1, IPPROTO_ICMPV6},      {"packet-too-big", 2, IPPROTO_ICMPV6},
    {"time-exceeded", 3, IPPROTO_ICMPV6},    {"parameter-problem", 4, IPPROTO_ICMPV6},
    {"echo-request", 128, IPPROTO_ICMPV6},   {"echo-reply", 129, IPPROTO_ICMPV6},
    {"listener-query", 130, IPPROTO_ICMPV6}, {"listener-report", 131, IPPROTO_ICMPV6}};

static const struct name states[] = {{"new", FW_NEW, 0},
                                     {"established", FW_ESTABLISHED, 0},
                                     {"related", FW_RELATED, 0},
                                     {"invalid", FW_INVALID, 0}};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The value of a name in a table, or of a number up to max; -1: it is neither. */
static int value_of(const struct name *table, size_t n, const char *text, unsigned long max,
                    uint16_t proto)
{
	unsigned long v;

	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, text) == 0 && table[i].proto == proto)
			return table[i].value;
	return is_number(text, max, &v) ? (int)v : -1;
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* Calls add for each item of a list that commas separate. */
static int read_list(struct reader *d, struct draft *f, char *list, const char *what,
                     int (*add)(struct reader *d, struct draft *f, unsigned i, const char *item))
{
	unsigned n = 0;
	char *item;

	while ((item = strsep(&list, ",")) != NULL) {
		int rc;

		if (n == LIST)
			return fw_fail(d, "more than %d items behind \"%s\"", LIST, what);
		if (*item == '\0')
			return fw_fail(d, "an item is missing in the list behind \"%s\"", what);
		rc = add(d, f, n++, item);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int read_prefix(const struct reader *d, const char *text, struct pc_prefix *p)
{
	if (pc_prefix_parse(text, p) != 0)
		return fw_fail(d, "\"%s\" is no address, as 192.0.2.0/24 is", text);
	return 0;
}

static int add_src(struct reader *d, struct draft *f, unsigned i, const char *item)
{
	f->nb_src = i + 1;
	return read_prefix(d, item, &f->src[i]);
}

static int add_dst(struct reader *d, struct draft *f, unsigned i, const char *item)
{
	f->nb_dst = i + 1;
	return read_prefix(d, item, &f->dst[i]);
}

static int read_range(const struct reader *d, const char *text, struct fw_range *r)
{
	char first[8];
	const char *dash = strchr(text, '-');
	const size_t n = dash != NULL ? (size_t)(dash - text) : strlen(text);
	unsigned long a, b;

	snprintf(first, sizeof(first), "%.*s", (int)(n < sizeof(first) ? n : 7), text);
	if (n >= sizeof(first) || !is_number(first, UINT16_MAX, &a) ||
	    !is_number(dash != NULL ? dash + 1 : text, UINT16_MAX, &b) || a > b)
		return fw_fail(d, "\"%s\" is no port, as 80 is, or 8000-8080", text);
	*r = (struct fw_range){(uint16_t)a, (uint16_t)b};
	return 0;
}

static int add_sport(struct reader *d, struct draft *f, unsigned i, const char *item)
{
	f->nb_sport = i + 1;
	return read_range(d, item, &f->sport[i]);
}

static int add_dport(struct reader *d, struct draft *f, unsigned i, const char *item)
{
	f->nb_dport = i + 1;
	return read_range(d, item, &f->dport[i]);
}

static int add_proto(struct reader *d, struct draft *f, unsigned i, const char *item)
{
	const int v = value_of(protos, COUNT(protos), item, 255, 0);

	if (v < 0)
		return fw_fail(d, "\"%s\" is no protocol, as tcp, udp, icmp and icmp6 are", item);
	f->proto[i] = (uint16_t)v;
	f->nb_protos = i + 1;
	return 0;
}

static int add_type(struct reader *d, struct draft *f, unsigned i, const char *item)
{
	const int v = value_of(types, COUNT(types), item, 255, f->proto[0]);

	if (v < 0)
		return fw_fail(d, "\"%s\" is no type of ICMP, as echo-request is", item);
	f->icmp_type[i] = (uint16_t)v;
	f->nb_types = i + 1;
	return 0;
}

static int add_state(struct reader *d, struct draft *f, unsigned i, const char *item)
{
	const int v = value_of(states, COUNT(states), item, 0, 0);

	(void)i;
	if (v <= 0)
		return fw_fail(
		    d, "\"%s\" is no state; there are new, established, related, invalid", item);
	f->states |= (unsigned)v;
	return 0;
}

/* ---- the words of a rule --------------------------------------------------------------------- */

/* "ADDR,... port A-B,...", or one of the two */
static int read_end(struct reader *d, struct draft *f, bool src)
{
	const char *what = src ? "from" : "to";
	char *word;
	int rc = 0;

	if ((src ? f->nb_src + f->nb_sport : f->nb_dst + f->nb_dport) != 0)
		return fw_fail(d, "there is a second \"%s\"", what);
	if (d->at == d->n || strcmp(d->word[d->at], "port") != 0) {
		word = need(d, what, "192.0.2.0/24, any, or port 80");
		if (word == NULL)
			return -EINVAL;
		if (strcmp(word, "any") != 0)
			rc = read_list(d, f, word, what, src ? add_src : add_dst);
	}
	if (rc != 0 || !is_next(d, "port"))
		return rc;
	word = need(d, "port", "80 or 8000-8080");
	return word == NULL ? -EINVAL : read_list(d, f, word, "port", src ? add_sport : add_dport);
}

static int read_proto(struct reader *d, struct draft *f)
{
	char *word = need(d, "proto", "tcp");

	if (f->nb_protos != 0)
		return fw_fail(d, "there is a second \"proto\"");
	return word == NULL ? -EINVAL : read_list(d, f, word, "proto", add_proto);
}

static int read_types(struct reader *d, struct draft *f)
{
	char *word = need(d, "icmp-type", "echo-request");

	if (f->nb_types != 0)
		return fw_fail(d, "there is a second \"icmp-type\"");
	if (f->nb_protos != 1 || (f->proto[0] != IPPROTO_ICMP && f->proto[0] != IPPROTO_ICMPV6))
		return fw_fail(d,
		               "\"icmp-type\" needs \"proto icmp\" or \"proto icmp6\" before it");
	return word == NULL ? -EINVAL : read_list(d, f, word, "icmp-type", add_type);
}

static int read_states(struct reader *d, struct draft *f)
{
	char *word = need(d, "state", "new or established,related");

	if (f->states != 0)
		return fw_fail(d, "there is a second \"state\"");
	return word == NULL ? -EINVAL : read_list(d, f, word, "state", add_state);
}

static int read_netif(struct reader *d, struct draft *f)
{
	const char *word = need(d, "on", "0, the number of a port");
	unsigned long v;

	if (word == NULL)
		return -EINVAL;
	if (f->netif >= 0)
		return fw_fail(d, "there is a second \"on\"");
	if (!is_number(word, 254, &v))
		return fw_fail(d, "\"%s\" is no number of a port, as 0 is", word);
	f->netif = (int)v;
	return 0;
}

static int read_burst(struct reader *d, struct draft *f)
{
	const char *word = need(d, "burst", "20");
	unsigned long v;

	if (word == NULL)
		return -EINVAL;
	if (!is_number(word, RATE_MAX, &v) || v == 0)
		return fw_fail(d, "\"%s\" is no number of packets from 1 to %d", word, RATE_MAX);
	f->rule.burst = (uint32_t)v;
	return 0;
}

static int read_limit(struct reader *d, struct draft *f)
{
	char *word = need(d, "limit", "100/s"), *slash;
	unsigned long v;

	if (word == NULL)
		return -EINVAL;
	if (f->rule.rate != 0)
		return fw_fail(d, "there is a second \"limit\"");
	if (f->rule.action == FW_DROP)
		return fw_fail(
		    d, "\"limit\" says how many are passed or rejected; drop has no use for it");
	slash = strchr(word, '/');
	if (slash == NULL || strcmp(slash, "/s") != 0)
		return fw_fail(d, "\"%s\" is no rate, as 100/s is", word);
	*slash = '\0';
	if (!is_number(word, RATE_MAX, &v) || v == 0)
		return fw_fail(d, "\"%s\" is no rate from 1/s to %d/s", word, RATE_MAX);
	f->rule.rate = (uint32_t)v;
	f->rule.burst = v / 10 > 5 ? (uint32_t)v / 10 : 5;
	return is_next(d, "burst") ? read_burst(d, f) : 0;
}

static int read_word(struct reader *d, struct draft *f)
{
	if (is_next(d, "from"))
		return read_end(d, f, true);
	if (is_next(d, "to"))
		return read_end(d, f, false);
	if (is_next(d, "proto"))
		return read_proto(d, f);
	if (is_next(d, "icmp-type"))
		return read_types(d, f);
	if (is_next(d, "state"))
		return read_states(d, f);
	if (is_next(d, "on"))
		return read_netif(d, f);
	if (is_next(d, "limit"))
		return read_limit(d, f);
	if (is_next(d, "inet"))
		f->families &= FW_IP4;
	else if (is_next(d, "inet6"))
		f->families &= FW_IP6;
	else if (is_next(d, "log"))
		f->rule.log = true;
	else
		return fw_fail(d, "\"%s\" is not understood here", d->word[d->at]);
	return 0;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static int read_action(struct reader *d)
{
	static const char *const names[] = {"pass", "drop", "reject"};

	for (int i = 0; i < 3; i++)
		if (is_next(d, names[i]))
			return i;
	return d->at == d->n ? fw_fail(d, "pass, drop or reject is missing")
	                     : fw_fail(d, "\"%s\" is none of pass, drop, reject", d->word[d->at]);
}

static int read_dir(struct reader *d)
{
	if (is_next(d, "in"))
		return FW_IN;
	if (is_next(d, "out"))
		return FW_OUT;
	return d->at == d->n ? fw_fail(d, "\"in\" or \"out\" is missing")
	                     : fw_fail(d, "\"%s\" is neither in nor out", d->word[d->at]);
}

static int read_default(struct reader *d, struct fw_rule *defaults, const char *text)
{
	const int dir = read_dir(d), action = dir < 0 ? dir : read_action(d);
	struct fw_rule *rule;

	if (action < 0)
		return action;
	rule = &defaults[dir];
	if (rule->line != 0)
		return fw_fail(d, "there is a second default, the first is in line %u", rule->line);
	rule->text = text;
	rule->line = d->line;
	rule->action = (uint8_t)action;
	rule->log = is_next(d, "log");
	if (action != FW_PASS || rule->log)
		d->r->counts[dir] = true;
	return d->at == d->n ? 0 : fw_fail(d, "\"%s\" is not understood here", d->word[d->at]);
}

static int check(const struct reader *d, const struct draft *f)
{
	for (unsigned i = 0; i < (f->nb_protos > 0 ? f->nb_protos : 1); i++)
		if (f->nb_sport + f->nb_dport > 0 &&
		    (f->nb_protos == 0 ||
		     (f->proto[i] != IPPROTO_TCP && f->proto[i] != IPPROTO_UDP)))
			return fw_fail(d, "\"port\" needs \"proto tcp\" or \"proto udp\"");
	return 0;
}

static int read_rule(struct reader *d, struct draft *f, const char *text)
{
	const int action = read_action(d), dir = action < 0 ? action : read_dir(d);
	int rc = 0;

	if (dir < 0)
		return dir;
	memset(f, 0, sizeof(*f));
	f->families = FW_IP4 | FW_IP6;
	f->netif = -1;
	f->rule = (struct fw_rule){
	    .text = text, .line = d->line, .action = (uint8_t)action, .dir = (uint8_t)dir};
	while (rc == 0 && d->at < d->n)
		rc = read_word(d, f);
	if (rc == 0)
		rc = check(d, f);
	if (f->states != 0)
		d->r->uses_states = true;
	else
		f->states = FW_STATES;
	if (rc == 0)
		rc = fw_expand(d, f);
	return rc == 0 ? fw_add_rule(d, &f->rule) : rc;
}

/* Cuts a line, of which text becomes what is shown. Returns 0 or -EINVAL. */
static int cut(struct reader *d, char *line, char *text)
{
	char *word;

	line[strcspn(line, "#")] = '\0';
	d->n = d->at = 0;
	*text = '\0';
	while ((word = strsep(&line, " \t\r")) != NULL) {
		if (*word == '\0')
			continue;
		if (d->n == WORDS)
			return fw_fail(d, "the line has more than %d words", WORDS);
		d->word[d->n++] = word;
		if (d->n > 1)
			*text++ = ' ';
		text = stpcpy(text, word);
	}
	return 0;
}

static int read_lines(struct reader *d, char *text, struct fw_rule *defaults, struct draft *f)
{
	char *shown = d->r->text, *line;
	int rc = 0;

	while (rc == 0 && (line = strsep(&text, "\n")) != NULL) {
		d->line++;
		rc = cut(d, line, shown);
		if (rc != 0 || d->n == 0)
			continue;
		rc = is_next(d, "default") ? read_default(d, defaults, shown)
		                           : read_rule(d, f, shown);
		shown += strlen(shown) + 1;
	}
	return rc;
}

static int read_all(struct reader *d, char *text, size_t len)
{
	struct fw_rule defaults[2] = {{.text = "default in pass", .dir = FW_IN},
	                              {.text = "default out pass", .dir = FW_OUT}};
	struct draft *f = malloc(sizeof(*f));
	int rc;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
		text += 3;
		len -= 3;
	}
	/* what is shown is no longer than what was read */
	d->r->text = malloc(len + 2);
	if (f == NULL || d->r->text == NULL)
		rc = -ENOMEM;
	else if (memchr(text, '\0', len) != NULL)
		rc = fw_fail(d, "this is no text");
	else
		rc = read_lines(d, text, defaults, f);
	free(f);
	for (int i = 0; rc == 0 && i < 2; i++) {
		const bool counts = d->r->counts[i];

		rc = fw_add_rule(d, &defaults[i]);
		d->r->counts[i] = counts;
	}
	return rc;
}

int fw_rules_read(struct fw_rules *r, const char *name, const char *text, size_t len, uint32_t max,
                  char *why, size_t why_len)
{
	struct reader d = {.r = r, .name = name, .why = why, .why_len = why_len};
	char *copy = malloc(len + 1);
	int rc = -ENOMEM;

	*r = (struct fw_rules){.max = max};
	if (copy != NULL) {
		memcpy(copy, text, len);
		copy[len] = '\0';
		rc = read_all(&d, copy, len);
	}
	free(copy);
	if (rc == -ENOMEM)
		snprintf(why, why_len, "%s: no memory for the rules", name);
	if (rc != 0)
		fw_rules_free(r);
	return rc;
}

void fw_rules_free(struct fw_rules *r)
{
	free(r->rule);
	free(r->entry);
	free(r->text);
	*r = (struct fw_rules){0};
}
