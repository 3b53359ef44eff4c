/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses tables, in the rules or in files of their own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fw/draft.h"

#define BLANKS " \t\r"
#define ITEM   64 /* longest item that is looked at, and a NUL */

/* ---- items ----------------------------------------------------------------------------------- */

static int read_port(struct reader *d, struct fw_table *t, const char *word)
{
	struct fw_range r;
	const int rc = fw_read_port(d, word, &r);

	if (rc == 0)
		fw_table_put_ports(t, r.first, r.last);
	return rc;
}

static int read_addr(struct reader *d, struct fw_table *t, const char *word)
{
	struct fw_tables *all = &d->r->tables;
	struct pc_prefix p;
	int rc = pc_prefix_parse(word, &p);

	if (rc != 0 && d->is_foreign)
		return fw_fail(d, "an entry is not an address or network (example: 192.0.2.0/24)");
	if (rc != 0)
		return fw_fail(d, "\"%s\" is not an address or network (example: 192.0.2.0/24)",
		               word);
	rc = fw_table_append(t, &p, all->max - (all->total - t->n));
	if (rc == 0)
		all->total++;
	if (rc == -ENOSPC)
		(void)fw_fail(d, "too many addresses in tables (firewall.max_addrs: %u)", all->max);
	return rc;
}

/* Adds an item to a table. */
static int add_item(struct reader *d, struct fw_table *t, const char *text, size_t len)
{
	char word[ITEM];

	/* an item that is truncated is too long to be valid */
	snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word) - 1),
	         text);
	return t->ports != NULL ? read_port(d, t, word) : read_addr(d, t, word);
}

/* The next word of a line, and its length. Blanks and commas separate words; a brace is a word.
 * NULL: none left. */
static const char *next_word(const char **line, size_t *len)
{
	const char *word = *line + strspn(*line, BLANKS ",");

	*len = *word == '{' || *word == '}' ? 1 : strcspn(word, BLANKS ",{}");
	*line = word + *len;
	return *len > 0 ? word : NULL;
}

int fw_read_items(struct reader *d, struct fw_table *t, const char *text, size_t len)
{
	char *copy = malloc(len + 1), *rest = copy, *line;
	const char *word, *at;
	size_t n;
	int rc = copy != NULL ? 0 : -ENOMEM;

	if (copy != NULL) {
		memcpy(copy, text, len);
		copy[len] = '\0';
		if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
			rest += 3;
		if (memchr(text, '\0', len) != NULL)
			rc = fw_fail(d, "NUL byte in a text file");
	}
	for (d->line = 1; rc == 0 && (line = strsep(&rest, "\n")) != NULL; d->line++) {
		line[strcspn(line, "#")] = '\0';
		at = line;
		while (rc == 0 && (word = next_word(&at, &n)) != NULL)
			rc = add_item(d, t, word, n);
	}
	free(copy);
	return rc;
}

char *fw_read_file(struct reader *d, const char *path, size_t *len)
{
	const struct pc_firewall_args *a = d->args;
	char why[256] = "files cannot be read here", *text = NULL;

	if (a->read_file != NULL)
		text = a->read_file(a->read_arg, path, len, why, sizeof(why));
	if (text == NULL)
		(void)fw_fail(d, "%s", why);
	return text;
}

static int read_file(struct reader *d, struct fw_table *t, const char *path)
{
	const char *name = d->name;
	const unsigned line = d->line;
	char *text;
	size_t len;
	int rc;

	if (path[0] != '/')
		return fw_fail(d, "\"%s\" is not an absolute path (example: /etc/percore.table)",
		               path);
	text = fw_read_file(d, path, &len);
	if (text == NULL)
		return -EINVAL;
	d->name = path;
	d->is_foreign = true;
	rc = fw_read_items(d, t, text, len);
	d->name = name;
	d->line = line;
	d->is_foreign = false;
	free(text);
	return rc;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Reads the items of a line, up to a "}". */
static int read_inside(struct reader *d, const char *line)
{
	const char *word;
	size_t len;
	int rc = 0;

	while (rc == 0 && (word = next_word(&line, &len)) != NULL) {
		if (*word == '}') {
			d->open = NULL;
			word = next_word(&line, &len);
			return word == NULL ? 0 : fw_fail(d, "unexpected \"%.*s\"", (int)len, word);
		}
		rc =
		    *word == '{' ? fw_fail(d, "unexpected \"{\"") : add_item(d, d->open, word, len);
	}
	return rc;
}

/* Reads the name of a new table, which "ports", "file" or "{" may follow. */
static int read_name(struct reader *d, const char **line, struct fw_table **t)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len;
	const char *name = next_word(line, &len);

	if (name == NULL)
		return fw_fail(d, "missing table name");
	if (len >= FW_TABLE_NAME || strspn(name, letters) < len)
		return fw_fail(d,
		               "\"%.*s\" is not a table name (up to %d letters, digits, \"-\", "
		               "\"_\" and \".\")",
		               (int)(len < 100 ? len : 100), name, FW_TABLE_NAME - 1);
	*t = fw_tables_find(&d->r->tables, name, len);
	if (*t != NULL)
		return fw_fail(d, "duplicate table \"%s\" (first on line %u)", (*t)->name,
		               (*t)->line);
	*t = fw_tables_add(&d->r->tables, name, len, d->line);
	return *t != NULL ? 0
	                  : fw_fail(d, "too many tables and negated lists (at most %d)", FW_TABLES);
}

static int read_path(struct reader *d, const char **line, struct fw_table *t)
{
	const char *at = *line + strspn(*line, BLANKS);
	const size_t len = strcspn(at, BLANKS);
	char path[4096];

	*line = at + len;
	if (len == 0)
		return fw_fail(d, "missing path after \"file\" (example: /etc/percore.table)");
	if (len >= sizeof(path))
		return fw_fail(d, "file name is too long");
	memcpy(path, at, len);
	path[len] = '\0';
	return read_file(d, t, path);
}

/* Takes "ports", if it comes next: the table is one of ports. Returns 0 or -ENOMEM. */
static int read_kind(const char **line, struct fw_table *t)
{
	const char *after = *line;
	size_t len;
	const char *word = next_word(&after, &len);

	if (word == NULL || len != 5 || memcmp(word, "ports", len) != 0)
		return 0;
	*line = after;
	return fw_table_of_ports(t);
}

static int read_header(struct reader *d, const char *line)
{
	struct fw_table *t = NULL;
	size_t len;
	const char *word;
	int rc = read_name(d, &line, &t);

	if (rc == 0)
		rc = read_kind(&line, t);

	while (rc == 0 && (word = next_word(&line, &len)) != NULL) {
		t->is_filled = true;
		if (*word == '{') {
			d->open = t;
			return read_inside(d, line);
		}
		rc = len == 4 && memcmp(word, "file", len) == 0
		         ? read_path(d, &line, t)
		         : fw_fail(d, "\"%.*s\" is neither \"{\" nor \"file\"", (int)len, word);
	}
	return rc;
}

int fw_read_table(struct reader *d, char *line)
{
	line[strcspn(line, "#")] = '\0';
	return d->open != NULL ? read_inside(d, line)
	                       : read_header(d, line + strspn(line, BLANKS) + strlen("table"));
}
