/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: reads a config file: rte_cfgfile parses, every entry is set by settings_set.  The parser
 * does not keep line numbers, so they are looked for only when there is a mistake to report.
 */
#include <ctype.h>
#include <errno.h>
#include <rte_cfgfile.h>
#include <stdlib.h>
#include <string.h>

#include "quiet.h"
#include "settings.h"

#define FILE_SECTIONS 64

/* An entry or, without name, a section to look for. */
struct wanted {
	const char *section, *name;
};

/* Says whether a line opens the section, or sets the name. */
static bool line_is(const char *line, const char *word, bool section)
{
	size_t n = strlen(word);

	line += strspn(line, " \t");
	if (section && *line++ != '[')
		return false;
	line += strspn(line, " \t");
	if (strncmp(line, word, n) != 0)
		return false;
	line += n;
	line += strspn(line, " \t");
	return *line == (section ? ']' : '=');
}

/* Returns the number of the line of an entry or section, counted from 1; 0: not found. */
static unsigned find_line(const char *path, const struct wanted *w)
{
	FILE *f = fopen(path, "r");
	unsigned n = 0, found = 0;
	bool inside = false;
	char line[1024];

	if (f == NULL)
		return 0;
	while (found == 0 && fgets(line, sizeof(line), f) != NULL) {
		n++;
		if (line[strspn(line, " \t")] == '[')
			inside = line_is(line, w->section, true);
		if (inside && (w->name == NULL || line_is(line, w->name, false)))
			found = n;
	}
	fclose(f);
	return found;
}

/* Puts "path:line" in front of a line that begins with "path". */
static int add_line_number(struct settings *s, const char *path, const struct wanted *w)
{
	unsigned line = find_line(path, w);
	size_t n = strlen(path);
	char why[SETTINGS_WHY];

	if (line == 0 || strncmp(s->why, path, n) != 0)
		return -1;
	memcpy(why, s->why, sizeof(why));
	snprintf(s->why, sizeof(s->why), "%s:%u%s", path, line, why + n);
	return -1;
}

static int load_section(struct settings *s, struct rte_cfgfile *cfg, const char *path, int index,
                        char *name)
{
	int n = rte_cfgfile_section_num_entries_by_index(cfg, name, index);
	struct rte_cfgfile_entry *entries;
	int rc = 0;

	if (n <= 0)
		return 0;
	entries = calloc((size_t)n, sizeof(*entries));
	if (entries == NULL)
		return settings_fail(s, "%s: no memory to read it", path);
	n = rte_cfgfile_section_entries_by_index(cfg, index, name, entries, n);
	for (int i = 0; i < n && rc == 0; i++) {
		const struct wanted w = {name, entries[i].name};

		rc = settings_set(s, path, name, entries[i].name, entries[i].value);
		if (rc != 0)
			add_line_number(s, path, &w);
	}
	free(entries);
	return rc;
}

/* A section that nobody knows is a mistake even if it is empty. */
static int check_section(struct settings *s, const char *path, const char *name)
{
	const struct wanted w = {name, NULL};
	size_t n;
	const struct text_key *text = settings_text_keys(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(text[i].section, name) == 0)
			return 0;
	for (unsigned t = 0; t < SETTINGS_TABLES; t++)
		for (size_t i = 0; i < s->tables[t].n; i++)
			if (strcmp(s->tables[t].keys[i].section, name) == 0)
				return 0;
	settings_set(s, path, name, "", ""); /* says what there is */
	return add_line_number(s, path, &w);
}

static int load_sections(struct settings *s, struct rte_cfgfile *cfg, const char *path)
{
	int n = rte_cfgfile_num_sections(cfg, NULL, 0);
	char name[CFG_NAME_LEN];

	if (n > FILE_SECTIONS)
		return settings_fail(s, "%s: more than %d sections", path, FILE_SECTIONS);
	for (int i = 0; i < n; i++) {
		if (rte_cfgfile_section_num_entries_by_index(cfg, name, i) < 0)
			continue;
		if (check_section(s, path, name) != 0 || load_section(s, cfg, path, i, name) != 0)
			return -1;
	}
	return 0;
}

/* What rte_cfgfile has to say goes to its log: "...: Error line 3 - ...". */
static int fail_syntax(struct settings *s, const char *path, const char *log)
{
	const char *at = strstr(log, "line ");

	if (at != NULL && isdigit((unsigned char)at[5]))
		return settings_fail(
		    s, "%s:%d: neither [section] nor key = value of at most 255 characters", path,
		    atoi(at + 5));
	return settings_fail(s, "%s: not a config file: [section] and key = value lines are", path);
}

int settings_load(struct settings *s, const char *path)
{
	const struct rte_cfgfile_parameters params = {.comment_character = '#'};
	struct rte_cfgfile *cfg;
	char log[QUIET_LINE];
	struct quiet quiet;
	FILE *f = fopen(path, "r");
	int rc;

	if (f == NULL)
		return settings_fail(s, "cannot read config file %s: %s", path, strerror(errno));
	fclose(f);
	quiet_begin(&quiet);
	cfg = rte_cfgfile_load_with_params(path, CFG_FLAG_EMPTY_VALUES, &params);
	quiet_end(&quiet, log);
	if (cfg == NULL)
		return fail_syntax(s, path, log);
	rc = load_sections(s, cfg, path);
	rte_cfgfile_close(cfg);
	return rc;
}
