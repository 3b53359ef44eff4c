/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: sources say where zones are; list_sources turns them into a list of zone files, and
 * load_all makes a table of those. publish replaces the current table, which is then retired.
 *
 * Ownership: tables are made and freed by one thread at a time: first the one that starts, then the
 * one that reloads, then the one that ends the program. Lcores only read them.
 */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAUSE_NS 5000000
#define PAUSES   300 /* of a reload that waits for readers; tables still in use are freed later */
#define SUFFIX   ".zone"

/* NAME=FILE, or a directory without a name. */
struct source {
	char *name, *path;
};

struct retired {
	struct zones *zones;
	uint64_t generation; /* the one that replaced it */
	struct retired *next;
};

struct store {
	struct published zones;
	struct source *sources;
	size_t nb_sources;
	struct retired *retired;
	struct cookie_secrets cookies;
	const char *cookies_path; /* NULL: no file */
};

static int fail(char *why, size_t why_len, const char *what)
{
	snprintf(why, why_len, "%s", what);
	return -1;
}

/* ---- sources --------------------------------------------------------------------------------- */

static int add(struct source **list, size_t *n, const char *name, size_t name_len, const char *path)
{
	struct source *more = realloc(*list, (*n + 1) * sizeof(*more));
	struct source s = {name != NULL ? strndup(name, name_len) : NULL, strdup(path)};

	if (more != NULL)
		*list = more;
	if (more == NULL || s.path == NULL || (name != NULL && s.name == NULL)) {
		free(s.name);
		free(s.path);
		return -1;
	}
	more[(*n)++] = s;
	return 0;
}

static void free_sources(struct source *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].name);
		free(list[i].path);
	}
	free(list);
}

struct store *store_create(void)
{
	struct store *s = aligned_alloc(64, sizeof(*s));

	if (s == NULL)
		return NULL;
	memset(s, 0, sizeof(*s));
	published_begin(&s->zones, NULL);
	return s;
}

int store_add_file(struct store *s, const char *text, char *why, size_t why_len)
{
	const char *path = strchr(text, '=');

	if (path == NULL || path == text || path[1] == '\0') {
		snprintf(why, why_len,
		         "\"%s\" is not NAME=FILE (example: example.com=example.com.zone)", text);
		return -1;
	}
	if (add(&s->sources, &s->nb_sources, text, (size_t)(path - text), path + 1) != 0)
		return fail(why, why_len, "out of memory");
	return 0;
}

int store_add_dir(struct store *s, const char *path, char *why, size_t why_len)
{
	return add(&s->sources, &s->nb_sources, NULL, 0, path) == 0
	           ? 0
	           : fail(why, why_len, "out of memory");
}

int store_use_cookies(struct store *s, const char *path, char *why, size_t why_len)
{
	s->cookies_path = path;
	return path != NULL ? cookie_read(&s->cookies, path, why, why_len)
	                    : cookie_random(&s->cookies, why, why_len);
}

static int fail_dir(char *why, size_t why_len, const char *path)
{
	snprintf(why, why_len, "%s: %s", path, strerror(errno));
	return -1;
}

static int list_dir(const char *path, struct source **list, size_t *n, char *why, size_t why_len)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char file[4096];
	int rc = 0;

	if (d == NULL)
		return fail_dir(why, why_len, path);
	for (errno = 0; rc == 0 && (e = readdir(d)) != NULL; errno = 0) {
		const size_t len = strlen(e->d_name), end = strlen(SUFFIX);

		if (len <= end || strcmp(e->d_name + len - end, SUFFIX) != 0 || e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		if (add(list, n, e->d_name, len - end, file) != 0)
			rc = fail(why, why_len, "out of memory");
	}
	if (rc == 0 && errno != 0) /* a partial listing does not mean that zones are gone */
		rc = fail_dir(why, why_len, path);
	closedir(d);
	return rc;
}

/* Lists all zone files that exist now. */
static int list_sources(const struct store *s, struct source **list, size_t *n, char *why,
                        size_t why_len)
{
	int rc = 0;

	*list = NULL;
	*n = 0;
	for (size_t i = 0; i < s->nb_sources && rc == 0; i++) {
		const struct source *from = &s->sources[i];

		if (from->name == NULL)
			rc = list_dir(from->path, list, n, why, why_len);
		else if (add(list, n, from->name, strlen(from->name), from->path) != 0)
			rc = fail(why, why_len, "out of memory");
	}
	return rc;
}

/* ---- loading --------------------------------------------------------------------------------- */

/* The zone served under a name so far; NULL: none. */
static struct zone *find_old(const struct zones *old, const char *name)
{
	uint8_t wire[DNS_NAME_MAX];
	struct dname n;
	unsigned apex;
	const struct zone *z;

	if (old == NULL || zonefile_name(name, wire) != 0 || dname_read(&n, wire, sizeof(wire)) < 0)
		return NULL;
	z = zones_find(old, &n, 0, &apex);
	return z != NULL && apex == 0 ? (struct zone *)(uintptr_t)z : NULL;
}

/* Loads one zone, or keeps the old one. Returns NULL with a line in why if there is neither. */
static struct zone *load_one(const struct source *from, const struct zones *old, FILE *out,
                             FILE *err, char why[ZONEFILE_WHY])
{
	struct zone *was = find_old(old, from->name);
	struct zone *z = zonefile_load(from->name, from->path, why);

	if (z == NULL && was != NULL) {
		fprintf(err, "percore-dns: %s: keeping serial %u: %s\n", from->name, was->serial,
		        why);
		return zone_hold(was);
	}
	if (z != NULL && out != NULL)
		fprintf(out, "zone %s: %zu records, serial %u\n", from->name, z->nb_records,
		        z->serial);
	return z;
}

/* Makes a table from the files. At start (old is NULL) it fails if a file cannot be read, with a
 * line in why; later that is reported, and the file skipped. */
static struct zones *load_all(const struct source *list, size_t n, const struct zones *old,
                              FILE *out, FILE *err, char *why, size_t why_len)
{
	struct zones *table = zones_begin(n);
	char line[ZONEFILE_WHY];
	bool ok = table != NULL;

	snprintf(why, why_len, "not enough memory for the zones");
	for (size_t i = 0; ok && i < n; i++) {
		struct zone *z = load_one(&list[i], old, out, err, line);
		const bool added = z != NULL && zones_add(table, z);

		if (z != NULL && !added)
			snprintf(line, sizeof(line), "%.200s: duplicate zone", list[i].path);
		if (z != NULL)
			zone_release(z);
		if (added)
			continue;
		if (old != NULL)
			fprintf(err, "percore-dns: %s\n", line);
		else
			snprintf(why, why_len, "%s", line);
		ok = old != NULL;
	}
	if (ok)
		return table;
	zones_free(table);
	return NULL;
}

static struct zones *load(struct store *s, const struct zones *old, FILE *out, FILE *err, char *why,
                          size_t why_len)
{
	struct source *list;
	struct zones *table = NULL;
	size_t n;

	if (list_sources(s, &list, &n, why, why_len) == 0)
		table = load_all(list, n, old, out, err, why, why_len);
	free_sources(list, n);
	return table;
}

int store_load(struct store *s, char *why, size_t why_len)
{
	struct zones *table = load(s, NULL, NULL, NULL, why, why_len);
	uint64_t generation;

	if (table == NULL)
		return -1;
	table->cookies = s->cookies;
	(void)published_replace(&s->zones, table, &generation);
	return 0;
}

/* ---- replacing ------------------------------------------------------------------------------- */

/* Frees retired tables without readers. Returns whether none is left. */
static bool collect(struct store *s)
{
	struct retired **link = &s->retired, *r;

	while ((r = *link) != NULL) {
		if (!published_is_left(&s->zones, r->generation)) {
			link = &r->next;
			continue;
		}
		*link = r->next;
		zones_free(r->zones);
		free(r);
	}
	return s->retired == NULL;
}

static void publish(struct store *s, struct zones *table, struct retired *r)
{
	const struct timespec pause = {0, PAUSE_NS};

	table->number = store_zones(s)->number + 1;
	table->cookies = s->cookies;
	r->zones = (struct zones *)(uintptr_t)published_replace(&s->zones, table, &r->generation);
	r->next = s->retired;
	s->retired = r;
	for (int i = 0; i < PAUSES && !collect(s); i++)
		nanosleep(&pause, NULL);
}

void store_reload(struct store *s, FILE *out, FILE *err)
{
	struct retired *r = calloc(1, sizeof(*r));
	struct zones *table = NULL;
	char why[ZONEFILE_WHY] = "out of memory";

	if (r != NULL)
		table = load(s, store_zones(s), out, err, why, sizeof(why));
	if (table == NULL) {
		fprintf(err, "percore-dns: keeping all zones unchanged: %s\n", why);
		free(r);
		return;
	}
	if (s->cookies_path != NULL &&
	    cookie_read(&s->cookies, s->cookies_path, why, sizeof(why)) != 0)
		fprintf(err, "percore-dns: keeping the current cookie secrets: %s\n", why);
	publish(s, table, r);
	fprintf(out, "percore-dns: serving %zu zones\n", table->nb);
	fflush(out);
}

/* ---- readers --------------------------------------------------------------------------------- */

struct published_reader *store_attach(struct store *s)
{
	return published_attach(&s->zones);
}

const struct zones *store_enter(struct store *s, struct published_reader *reader)
{
	return published_enter(&s->zones, reader);
}

void store_leave(struct published_reader *reader)
{
	published_leave(reader);
}

const struct zones *store_zones(const struct store *s)
{
	return published_get(&s->zones);
}

void store_free(struct store *s)
{
	if (s == NULL)
		return;
	(void)collect(s);
	zones_free((struct zones *)(uintptr_t)store_zones(s));
	free_sources(s->sources, s->nb_sources);
	published_end(&s->zones);
	free(s);
}
