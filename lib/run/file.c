/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: reads a config file line by line: "[section]", "key = value", blank lines, and
 * comments, which begin with # or ; at the start of a line or after white space.
 *
 * rte_cfgfile would read the same files, but it skips lines without '=', silently truncates long
 * values, and has no line numbers for messages.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings.h"

#define FILE_LINE    1024
#define FILE_SECTION 64

/* A position in a file, and the section that it is in. */
struct reader {
	struct settings *s;
	const char *path;
	unsigned line;
	char section[FILE_SECTION];
	char origin[PATH_MAX + 16]; /* "path:line" */
};

static void cut_comment(char *line)
{
	for (char *c = line; *c != '\0'; c++)
		if ((*c == '#' || *c == ';') && (c == line || c[-1] == ' ' || c[-1] == '\t')) {
			*c = '\0';
			return;
		}
}

/* Returns text without leading and trailing white space; writes into it. */
static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " \t\r\n");
	n = strlen(text);
	while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
		text[--n] = '\0';
	return text;
}

static bool is_section(const struct settings *s, const char *section)
{
	size_t n;
	const struct text_key *text = settings_text_keys(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(text[i].section, section) == 0)
			return true;
	for (unsigned t = 0; t < SETTINGS_TABLES; t++)
		for (size_t i = 0; i < s->tables[t].n; i++)
			if (strcmp(s->tables[t].keys[i].section, section) == 0)
				return true;
	return false;
}

static int read_section(struct reader *r, char *text)
{
	size_t n = strlen(text);
	char *name;

	if (n < 2 || text[n - 1] != ']')
		return settings_fail(
		    r->s, "%s: missing \"]\" at the end of a section (example: [tcp])", r->origin);
	text[n - 1] = '\0';
	name = trim(text + 1);
	/* an unknown section is a mistake even if it is empty; settings_set says which there are */
	if (strlen(name) >= sizeof(r->section) || !is_section(r->s, name))
		return settings_set(r->s, r->origin, name, "", "");
	snprintf(r->section, sizeof(r->section), "%s", name);
	return 0;
}

static int read_line(struct reader *r, char *line)
{
	char *text, *equals;

	cut_comment(line);
	text = trim(line);
	if (*text == '\0')
		return 0;
	if (*text == '[')
		return read_section(r, text);
	equals = strchr(text, '=');
	if (equals == NULL)
		return settings_fail(r->s,
		                     "%s: \"%.40s\" is neither \"[section]\" nor \"key = value\"",
		                     r->origin, text);
	if (r->section[0] == '\0')
		return settings_fail(r->s, "%s: \"%.40s\" precedes the first [section]", r->origin,
		                     text);
	*equals = '\0';
	return settings_set(r->s, r->origin, r->section, trim(text), trim(equals + 1));
}

/* Says whether a line has a NUL before the one that fgets appends; the rest of the buffer is
 * blanks. */
static bool has_nul(const char *line, size_t size)
{
	return (const char *)memrchr(line, '\0', size) != line + strlen(line);
}

/* Editors on other systems begin a file with an invisible byte order mark. */
static char *behind_mark(char *line)
{
	return strncmp(line, "\xef\xbb\xbf", 3) == 0 ? line + 3 : line;
}

static int read_lines(struct reader *r, FILE *f)
{
	char line[FILE_LINE];
	int rc = 0;

	while (rc == 0 && fgets(memset(line, ' ', sizeof(line)), sizeof(line), f) != NULL) {
		r->line++;
		snprintf(r->origin, sizeof(r->origin), "%s:%u", r->path, r->line);
		if (has_nul(line, sizeof(line)))
			return settings_fail(r->s, "%s: NUL byte in a text file", r->origin);
		if (strchr(line, '\n') == NULL && !feof(f))
			return settings_fail(r->s, "%s: line is longer than %d characters",
			                     r->origin, FILE_LINE - 2);
		rc = read_line(r, r->line == 1 ? behind_mark(line) : line);
	}
	if (rc == 0 && ferror(f))
		return settings_fail(r->s, "cannot read config file %s: %s", r->path,
		                     strerror(errno));
	return rc;
}

/* whoever may write the settings may do whatever the program may */
static int check_mode(struct settings *s, const char *path, FILE *f)
{
	struct stat st;

	if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	if (st.st_mode & S_IWOTH)
		return settings_fail(s, "config file %s is writable by everyone; run: chmod o-w %s",
		                     path, path);
	if (geteuid() == 0 && st.st_uid != 0)
		return settings_fail(
		    s, "config file %s belongs to user %u, not root; run: chown root %s", path,
		    (unsigned)st.st_uid, path);
	return 0;
}

int settings_load(struct settings *s, const char *path)
{
	struct reader r = {.s = s, .path = path};
	FILE *f = fopen(path, "r");
	int rc;

	if (f == NULL)
		return settings_fail(s, "cannot read config file %s: %s", path, strerror(errno));
	rc = check_mode(s, path, f);
	if (rc == 0)
		rc = read_lines(&r, f);
	fclose(f);
	return rc;
}
