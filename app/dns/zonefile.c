/* SPDX-License-Identifier: BSD-2-Clause */
#include "zonefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libzscanner/scanner.h>

#include "../shared/map_guard.h"

#define TTL_DEFAULT 3600 /* for a file without $TTL (RFC 2308 section 4) */
/* given by the library to records without a TTL before $TTL; nobody writes this number, which
 * means 0 (RFC 2181 section 8) */
#define TTL_OMITTED UINT32_C(0x9e3779b9)
#define INCLUDE_MAX 16 /* how deep $INCLUDE may nest */

struct reading {
	struct zone_builder *builder;
	char *why;
	bool failed;
	unsigned depth; /* number of files that include the current one */
	uint32_t ttl;   /* the last one stated */
};

static const char *file_of(const zs_scanner_t *s)
{
	return s->file.name != NULL ? s->file.name : "zone";
}

static void fail_scan(zs_scanner_t *s, const char *what)
{
	struct reading *r = s->process.data;

	if (!r->failed)
		snprintf(r->why, ZONEFILE_WHY, "%s:%llu: %s", file_of(s),
		         (unsigned long long)s->line_counter, what);
	r->failed = true;
	s->state = ZS_STATE_STOP;
}

static void take_record(zs_scanner_t *s)
{
	struct reading *r = s->process.data;
	/* RFC 1035 section 5.1: an omitted TTL is the last one stated */
	const uint32_t ttl = s->r_ttl != TTL_OMITTED ? s->r_ttl : r->ttl;
	const struct record record = {
	    .owner = s->r_owner,
	    .type = s->r_type,
	    .class = s->r_class,
	    .ttl = ttl,
	    .rdata = s->r_data,
	    .len = (uint16_t)s->r_data_length,
	};
	char what[ZONEFILE_WHY / 2];

	r->ttl = ttl;
	if (zone_add(r->builder, &record, what, sizeof(what)) != 0)
		fail_scan(s, what);
}

int zonefile_name(const char *text, uint8_t wire[DNS_NAME_MAX])
{
	zs_scanner_t *s = malloc(sizeof(*s));
	char line[DNAME_TEXT + 32];
	int rc = -1;

	if (s == NULL)
		return -1;
	/* parsed by the library's own rules, as the owner of a record */
	if (strlen(text) > 0 && strlen(text) < DNAME_TEXT &&
	    strpbrk(text, " \t\n;()$@\"") == NULL && zs_init(s, ".", DNS_IN, 1) == 0) {
		snprintf(line, sizeof(line), "%s A 192.0.2.1\n", text);
		if (zs_set_input_string(s, line, strlen(line)) == 0 && zs_parse_record(s) == 0 &&
		    s->state == ZS_STATE_DATA && s->r_type == DNS_A) {
			memcpy(wire, s->r_owner, s->r_owner_length);
			rc = 0;
		}
		zs_deinit(s);
	}
	free(s);
	return rc;
}

/* Opening a pipe would block until its other end is opened, and so delay all other files. Returns 0
 * or an errno. */
static int check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno;
	return S_ISREG(st.st_mode) ? 0 : S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
}

/* Gives the scanner the file or, if path is NULL, the text. Returns false with the error in
 * *what. */
static bool set_input(zs_scanner_t *s, const char *path, const char *text, size_t len,
                      const char **what)
{
	int error = path != NULL ? check_file(path) : 0;

	*what = error == EINVAL ? "not a regular file" : strerror(error);
	if (error != 0)
		return false;
	errno = 0;
	if ((path != NULL ? zs_set_input_file(s, path) : zs_set_input_string(s, text, len)) == 0)
		return true;
	/* the library only says that it could not be opened */
	error = errno;
	*what = error != 0 ? strerror(error) : zs_strerror(s->error.code);
	return false;
}

static void read_file(zs_scanner_t *s);

/* RFC 1035 section 5.1: $INCLUDE. The library itself would follow a file that includes itself until
 * memory runs out. */
static void include(zs_scanner_t *s)
{
	struct reading *r = s->process.data;
	char what[ZONEFILE_WHY / 2];
	const char *wrong;
	zs_scanner_t *inner;

	if (r->depth == INCLUDE_MAX) {
		snprintf(what, sizeof(what),
		         "%.200s: $INCLUDE nested too deeply (at most %d files)",
		         s->include_filename, INCLUDE_MAX);
		fail_scan(s, what);
		return;
	}
	inner = malloc(sizeof(*inner));
	/* the library leaves the origin in s->buffer, as text */
	if (inner == NULL ||
	    zs_init(inner, (const char *)s->buffer, s->default_class, s->default_ttl) != 0) {
		fail_scan(s, inner == NULL ? "out of memory" : zs_strerror(inner->error.code));
		free(inner);
		return;
	}
	inner->process.data = r;
	r->depth++;
	if (set_input(inner, s->include_filename, NULL, 0, &wrong)) {
		read_file(inner);
	} else {
		snprintf(what, sizeof(what), "%.200s: %s", s->include_filename, wrong);
		fail_scan(s, what);
	}
	r->depth--;
	zs_deinit(inner);
	free(inner);
}

/* Skips a byte order mark, which some editors put at the start of a file, invisibly. */
static void skip_mark(zs_scanner_t *s)
{
	if (s->input.end - s->input.current >= 3 &&
	    memcmp(s->input.current, "\xef\xbb\xbf", 3) == 0)
		s->input.current += 3;
}

static void add_records(zs_scanner_t *s)
{
	const struct reading *r = s->process.data;

	skip_mark(s);
	while (!r->failed && s->state != ZS_STATE_EOF) {
		if (zs_parse_record(s) != 0 || s->state == ZS_STATE_ERROR)
			fail_scan(s, zs_strerror(s->error.code));
		else if (s->state == ZS_STATE_DATA)
			take_record(s);
		else if (s->state == ZS_STATE_INCLUDE)
			include(s);
	}
}

static void fail_changed(zs_scanner_t *s)
{
	struct reading *r = s->process.data;

	snprintf(r->why, ZONEFILE_WHY, "%s: file changed while it was being read", file_of(s));
	r->failed = true;
}

/* Reads a file and all that it includes. If it changes meanwhile, that is reported instead of other
 * errors. */
static void read_file(zs_scanner_t *s)
{
	struct stat before = {0}, after = {0};
	/* the library closes its own descriptor at the end */
	const int fd = s->file.descriptor >= 0 ? dup(s->file.descriptor) : -1;

	if (fd >= 0)
		(void)fstat(fd, &before);
	add_records(s);
	if (fd >= 0) {
		(void)fstat(fd, &after);
		(void)close(fd);
	}
	if (before.st_size != after.st_size || before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
	    before.st_mtim.tv_nsec != after.st_mtim.tv_nsec)
		fail_changed(s);
}

/* Where the library maps files is not known here, so all reads of this thread are guarded. */
static void parse(zs_scanner_t *s)
{
	map_guard_begin(NULL, SIZE_MAX);
	read_file(s);
	if (map_guard_end())
		fail_changed(s);
}

/* Reads from the file or, if path is NULL, from the text. */
static struct zone *read_zone(zs_scanner_t *s, const char *origin, const char *path,
                              const char *text, size_t len, char why[ZONEFILE_WHY])
{
	char dotted[DNAME_TEXT + 2], what[ZONEFILE_WHY / 2];
	struct reading r = {.why = why, .ttl = TTL_DEFAULT};
	uint8_t apex[DNS_NAME_MAX];
	const char *wrong;
	struct zone *z;

	snprintf(why, ZONEFILE_WHY, "\"%.200s\" is not a zone name (example: example.com)", origin);
	if (zonefile_name(origin, apex) != 0)
		return NULL;
	snprintf(dotted, sizeof(dotted), "%s%s", origin,
	         origin[strlen(origin) - 1] == '.' ? "" : ".");
	if (zs_init(s, dotted, DNS_IN, TTL_OMITTED) != 0)
		return NULL;
	if (!set_input(s, path, text, len, &wrong)) {
		snprintf(why, ZONEFILE_WHY, "%s: %s", path != NULL ? path : "zone", wrong);
		zs_deinit(s);
		return NULL;
	}
	snprintf(why, ZONEFILE_WHY, "out of memory");
	r.builder = zone_begin(apex);
	s->process.data = &r;
	if (r.builder != NULL)
		parse(s);
	zs_deinit(s);
	if (r.builder == NULL)
		return NULL;
	if (r.failed) {
		zone_cancel(r.builder);
		return NULL;
	}
	z = zone_end(r.builder, what, sizeof(what));
	if (z == NULL)
		snprintf(why, ZONEFILE_WHY, "%s: %s", path != NULL ? path : "zone", what);
	return z;
}

static struct zone *with_scanner(const char *origin, const char *path, const char *text, size_t len,
                                 char why[ZONEFILE_WHY])
{
	zs_scanner_t *s = malloc(sizeof(*s)); /* half a megabyte */
	struct zone *z = NULL;

	snprintf(why, ZONEFILE_WHY, "out of memory");
	if (s != NULL)
		z = read_zone(s, origin, path, text, len, why);
	free(s);
	return z;
}

struct zone *zonefile_load(const char *origin, const char *path, char why[ZONEFILE_WHY])
{
	return with_scanner(origin, path, NULL, 0, why);
}

struct zone *zonefile_parse(const char *origin, const char *text, size_t len,
                            char why[ZONEFILE_WHY])
{
	return with_scanner(origin, NULL, text, len, why);
}
