/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a line is cut into words, its words make a draft with lists, and each combination of
 * the lists becomes an entry. An error names the offending word, if there is one.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fw/draft.h"

#define RATE_MAX 1000000000
#define DAYS_MAX 365 /* of a timeout */

/* of a burst: added to a clock, its nanoseconds must fit into 64 bits */
#define YEARS_MAX   100
#define BURST_S_MAX (YEARS_MAX * UINT64_C(31557600))

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

bool fw_is_next(struct reader *d, const char *word)
{
	if (d->at == d->n || strcmp(d->word[d->at], word) != 0)
		return false;
	d->at++;
	return true;
}

char *fw_need(struct reader *d, const char *what, const char *example)
{
	if (d->at < d->n)
		return d->word[d->at++];
	(void)fw_fail(d, "missing argument after \"%s\" (example: %s)", what, example);
	return NULL;
}

/* ---- the words of a rule --------------------------------------------------------------------- */

/** Units of time in limits and timeouts. */
static const struct unit {
	char name;
	uint32_t seconds;
} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};

/* NULL: there is no such unit */
static const struct unit *find_unit(char name)
{
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].name == name)
			return &units[i];
	return NULL;
}

static int read_burst(struct reader *d, struct fw_limit *l)
{
	const char *word = fw_need(d, "burst", "20");
	unsigned long v;

	if (word == NULL)
		return -EINVAL;
	if (!fw_is_number(word, RATE_MAX, &v) || v == 0)
		return fw_fail(d, "\"%s\" is not a number of packets from 1 to %d", word, RATE_MAX);
	l->burst = (uint32_t)v;
	return v <= BURST_S_MAX * UINT64_C(1000000000) / fw_limit_gap_ns(l)
	           ? 0
	           : fw_fail(d, "\"burst\" %s exceeds what the limit admits in %d years", word,
	                     YEARS_MAX);
}

/* "100/s" */
static int read_rate(struct reader *d, struct fw_limit *l)
{
	char *word = fw_need(d, "limit", "100/s"), *slash;
	const struct unit *unit;
	unsigned long v;

	if (word == NULL)
		return -EINVAL;
	slash = strchr(word, '/');
	unit = slash != NULL && slash[1] != '\0' && slash[2] == '\0' ? find_unit(slash[1]) : NULL;
	if (unit == NULL)
		return fw_fail(d, "\"%s\" is not a rate (example: 100/s, 3/m, 20/h or 50/d)", word);
	*slash = '\0';
	if (!fw_is_number(word, RATE_MAX, &v) || v == 0)
		return fw_fail(d, "\"%s/%c\" is not a rate from 1/%c to %d/%c", word, unit->name,
		               unit->name, RATE_MAX, unit->name);
	*l = (struct fw_limit){.packets = (uint32_t)v,
	                       .seconds = unit->seconds,
	                       .burst = v / 10 > 5 ? (uint32_t)v / 10 : 5};
	return 0;
}

/* Takes "per source", for packets that come in. Returns 1, 0 if there is no "per", or the result of
 * fw_fail. */
static int read_per(struct reader *d, const struct draft *f)
{
	const char *word;

	if (!fw_is_next(d, "per"))
		return 0;
	word = fw_need(d, "per", "source");
	if (word == NULL)
		return -EINVAL;
	if (strcmp(word, "source") != 0)
		return fw_fail(d, "expected \"source\" after \"per\", not \"%s\"", word);
	return f->rule.dir == FW_IN ? 1
	                            : fw_fail(d, "\"per source\" is valid only in \"in\" rules");
}

/* "handshakes" after "per source": for TCP only clients that have answered count, as anyone can
 * forge a SYN */
static int read_handshakes(struct reader *d, struct draft *f)
{
	if (!fw_is_next(d, "handshakes"))
		return 0;
	if (f->rule.action != FW_PASS || f->nb_protos != 1 || f->proto[0].first != IPPROTO_TCP ||
	    f->proto[0].last != IPPROTO_TCP)
		return fw_fail(d, "\"handshakes\" requires \"pass\" and a preceding \"proto tcp\"");
	f->rule.handshakes = d->r->uses_handshakes = true;
	return 0;
}

static int read_limit(struct reader *d, struct draft *f)
{
	struct fw_limit *limit = &f->rule.limit, read;
	int rc = read_rate(d, &read), per;

	if (rc != 0)
		return rc;
	if (f->rule.action == FW_DROP)
		return fw_fail(d, "\"limit\" is valid only with \"pass\" or \"reject\"");
	per = read_per(d, f);
	if (per < 0)
		return per;
	if (per > 0) {
		limit = &f->rule.source_limit;
		d->r->uses_sources = true;
	}
	if (limit->packets != 0)
		return fw_fail(d, "duplicate \"limit\"%s", per > 0 ? " \"per source\"" : "");
	*limit = read;
	rc = per > 0 ? read_handshakes(d, f) : 0;
	return rc == 0 && fw_is_next(d, "burst") ? read_burst(d, limit) : rc;
}

/* "10m": seconds, minutes, hours or days */
static int read_time(struct reader *d, uint32_t *seconds)
{
	char *word = fw_need(d, "timeout", "10m");
	const size_t len = word != NULL ? strlen(word) : 0;
	const struct unit *unit = len > 0 ? find_unit(word[len - 1]) : NULL;
	unsigned long v, max;

	if (word == NULL)
		return -EINVAL;
	if (unit == NULL)
		return fw_fail(d, "\"%s\" is not a time (example: 30s, 10m, 2h or 1d)", word);
	max = DAYS_MAX * 86400ul / unit->seconds;
	word[len - 1] = '\0';
	if (!fw_is_number(word, max, &v) || v == 0)
		return fw_fail(d, "\"%s%c\" is not a time from 1%c to %lu%c", word, unit->name,
		               unit->name, max, unit->name);
	*seconds = (uint32_t)(v * unit->seconds);
	return 0;
}

/* "<abusers> timeout 10m", after the keyword that says which sources are added to the table */
static int read_fill(struct reader *d, struct draft *f, uint8_t fills)
{
	const char *what = fills == FW_ADDS ? "add" : "overload";
	const char *item = fw_need(d, what, "<abusers> timeout 10m");
	int table;

	if (item == NULL)
		return -EINVAL;
	if (f->rule.fills != FW_FILLS_NOTHING)
		return fw_fail(d, "more than one \"add\" or \"overload\"");
	if (f->rule.dir != FW_IN)
		return fw_fail(d, "\"%s\" is valid only in \"in\" rules", what);
	if (fills == FW_OVERLOADS && f->rule.source_limit.packets == 0)
		return fw_fail(d,
		               "\"overload\" requires a preceding \"limit\" with \"per source\"");
	table = fw_find_table(d, item, false);
	if (table < 0)
		return table;
	if (!fw_is_next(d, "timeout"))
		return fw_fail(d, "missing \"timeout\" after \"%s\"", item);
	f->rule.fills = fills;
	f->rule.table = (uint8_t)table;
	d->r->fills |= UINT64_C(1) << table;
	return read_time(d, &f->rule.timeout_s);
}

/* "overload <abusers> timeout 10m", optionally with "flush" */
static int read_overload(struct reader *d, struct draft *f)
{
	const int rc = read_fill(d, f, FW_OVERLOADS);

	if (rc != 0 || !fw_is_next(d, "flush"))
		return rc;
	if (!f->rule.handshakes)
		return fw_fail(d, "\"flush\" requires a \"limit\" with \"per source handshakes\"");
	f->rule.flushes = d->r->uses_flushes = true;
	return 0;
}

static int read_word(struct reader *d, struct draft *f)
{
	if (fw_is_next(d, "from"))
		return fw_read_end(d, f, 0);
	if (fw_is_next(d, "to"))
		return fw_read_end(d, f, 1);
	if (fw_is_next(d, "proto"))
		return fw_read_protos(d, f);
	if (fw_is_next(d, "icmp-type"))
		return fw_read_types(d, f);
	if (fw_is_next(d, "flags"))
		return fw_read_flags(d, f);
	if (fw_is_next(d, "state"))
		return fw_read_states(d, f);
	if (fw_is_next(d, "on"))
		return fw_read_netifs(d, f);
	if (fw_is_next(d, "limit"))
		return read_limit(d, f);
	if (fw_is_next(d, "add"))
		return read_fill(d, f, FW_ADDS);
	if (fw_is_next(d, "overload"))
		return read_overload(d, f);
	if (fw_is_next(d, "inet"))
		f->families &= FW_IP4;
	else if (fw_is_next(d, "inet6"))
		f->families &= FW_IP6;
	else if (fw_is_next(d, "log"))
		f->rule.log = true;
	else
		return fw_fail(d, "unexpected \"%s\"", d->word[d->at]);
	return 0;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static int read_action(struct reader *d)
{
	static const char *const names[] = {"pass", "drop", "reject"};

	for (int i = 0; i < 3; i++)
		if (fw_is_next(d, names[i]))
			return i;
	return d->at == d->n
	           ? fw_fail(d, "missing \"pass\", \"drop\" or \"reject\"")
	           : fw_fail(d, "\"%s\" is not \"pass\", \"drop\" or \"reject\"", d->word[d->at]);
}

static int read_dir(struct reader *d)
{
	if (fw_is_next(d, "in"))
		return FW_IN;
	if (fw_is_next(d, "out"))
		return FW_OUT;
	return d->at == d->n ? fw_fail(d, "missing \"in\" or \"out\"")
	                     : fw_fail(d, "\"%s\" is not \"in\" or \"out\"", d->word[d->at]);
}

static int read_default(struct reader *d, struct fw_rule *defaults, const char *text)
{
	const int dir = read_dir(d), action = dir < 0 ? dir : read_action(d);
	struct fw_rule *rule;

	if (action < 0)
		return action;
	rule = &defaults[dir];
	if (rule->line != 0)
		return fw_fail(d, "duplicate \"default\" (first on line %u)", rule->line);
	rule->text = text;
	rule->line = d->line;
	rule->action = (uint8_t)action;
	rule->log = fw_is_next(d, "log");
	if (action != FW_PASS || rule->log)
		d->r->counts[dir] = true;
	return d->at == d->n ? 0 : fw_fail(d, "unexpected \"%s\"", d->word[d->at]);
}

static int check(const struct reader *d, const struct draft *f)
{
	const bool has_ports = fw_has_ports(&f->end[0]) || fw_has_ports(&f->end[1]);

	if (has_ports && f->nb_protos == 0)
		return fw_fail(d, "\"port\" requires \"proto tcp\" or \"proto udp\"");
	for (unsigned i = 0; has_ports && i < f->nb_protos; i++)
		if (f->proto[i].first != f->proto[i].last ||
		    (f->proto[i].first != IPPROTO_TCP && f->proto[i].first != IPPROTO_UDP))
			return fw_fail(d, "\"port\" requires \"proto tcp\" or \"proto udp\"");
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

/* Cuts a line into words, and builds in text what is shown for it. Returns 0 or -EINVAL. */
static int cut_line(struct reader *d, char *line, char *text)
{
	char *word;

	line[strcspn(line, "#")] = '\0';
	d->n = d->at = 0;
	*text = '\0';
	while ((word = strsep(&line, " \t\r")) != NULL) {
		if (*word == '\0')
			continue;
		if (d->n == WORDS)
			return fw_fail(d, "line has more than %d words", WORDS);
		d->word[d->n++] = word;
		if (d->n > 1)
			*text++ = ' ';
		text = stpcpy(text, word);
	}
	return 0;
}

/* Reads a line that is neither empty nor part of a table; it has been cut into words, and shown is
 * its text. */
static int read_words(struct reader *d, struct fw_rule *defaults, struct draft *f,
                      const char *shown)
{
	return fw_is_next(d, "default") ? read_default(d, defaults, shown) : read_rule(d, f, shown);
}

static bool is_of_table(const struct reader *d, const char *line)
{
	line += strspn(line, " \t\r");
	return d->open != NULL ||
	       (strncmp(line, "table", 5) == 0 && strchr(" \t\r#", line[5]) != NULL);
}

static int read_lines(struct reader *d, char *text, struct fw_rule *defaults, struct draft *f)
{
	char *shown = d->r->text, *line;
	int rc = 0;

	while (rc == 0 && (line = strsep(&text, "\n")) != NULL) {
		d->line++;
		if (is_of_table(d, line)) {
			rc = fw_read_table(d, line);
			continue;
		}
		rc = cut_line(d, line, shown);
		if (rc != 0 || d->n == 0)
			continue;
		rc = read_words(d, defaults, f, shown);
		shown += strlen(shown) + 1;
	}
	if (rc == 0 && d->open != NULL)
		rc = fw_fail(d, "missing \"}\" of the table on line %u", d->open->line);
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
	/* the text shown is no longer than the one read */
	d->r->text = malloc(len + 2);
	if (f == NULL || d->r->text == NULL)
		rc = -ENOMEM;
	else if (memchr(text, '\0', len) != NULL)
		rc = fw_fail(d, "NUL byte in a text file");
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

int fw_rules_read(struct fw_rules *r, const struct pc_firewall_args *args, char *why,
                  size_t why_len)
{
	struct reader d = {
	    .args = args, .r = r, .name = args->name, .why = why, .why_len = why_len};
	char *copy = malloc(args->len + 1);
	int rc = -ENOMEM;

	*r =
	    (struct fw_rules){.max = args->max_rules, .nb_conds = 1, .tables.max = args->max_addrs};
	if (copy != NULL) {
		memcpy(copy, args->text, args->len);
		copy[args->len] = '\0';
		rc = read_all(&d, copy, args->len);
	}
	free(copy);
	free(d.services);
	if (rc == -ENOMEM)
		snprintf(why, why_len, "%s: not enough memory for the rules", args->name);
	r->tables.total = 0;
	for (unsigned i = 0; rc == 0 && i < r->tables.n; i++) {
		fw_table_settle(&r->tables.table[i]);
		r->tables.total += r->tables.table[i].n;
	}
	if (rc != 0)
		fw_rules_free(r);
	return rc;
}

void fw_rules_free(struct fw_rules *r)
{
	free(r->rule);
	free(r->entry);
	free(r->text);
	free(r->cond);
	fw_tables_free(&r->tables);
	*r = (struct fw_rules){0};
}
