/* SPDX-License-Identifier: BSD-2-Clause */
/* Zones that are read again. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store.h"
#include "unit/unit.h"

static char dir[] = "/tmp/percore-dns-XXXXXX", why[ZONEFILE_WHY], said[4096], told[4096];

static bool disk_fails;

/* In the place of the C library's: a disk, or a server of files, that fails while a directory is listed. */
struct dirent *readdir(DIR *d)
{
	struct dirent *(*real)(DIR *) = NULL;

	if (disk_fails) {
		errno = EIO;
		return NULL;
	}
	*(void **)(void *)&real = dlsym(RTLD_NEXT, "readdir64");
	return real(d);
}

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_zone(const char *name, unsigned serial, const char *more)
{
	FILE *f = fopen(path_of(name), "w");

	CU_ASSERT_FATAL(f != NULL);
	fprintf(f, "$TTL 60\n@ SOA ns h %u 1 1 1 1\n@ NS ns\n%s", serial, more);
	fclose(f);
}

static unsigned serial_of(const struct zones *z, const char *name)
{
	uint8_t wire[DNS_NAME_MAX];
	struct dname n;
	unsigned apex;
	const struct zone *zone;

	CU_ASSERT_FATAL(zonefile_name(name, wire) == 0 && dname_read(&n, wire, sizeof(wire)) > 0);
	zone = zones_find(z, &n, 0, &apex);
	return zone != NULL && apex == 0 ? zone->serial : 0;
}

/* What the store says on its two files goes to said and told. */
static void reload(struct store *s)
{
	FILE *out, *err;

	memset(said, 0, sizeof(said));
	memset(told, 0, sizeof(told));
	out = fmemopen(said, sizeof(said), "w");
	err = fmemopen(told, sizeof(told), "w");
	store_reload(s, out, err);
	fclose(out);
	fclose(err);
}

static void reloads(void)
{
	struct store *s = store_create();
	struct published_reader *reader;
	const struct zones *z;
	uint32_t number;
	char text[512];

	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	write_zone("a.zone", 1, "");
	write_zone("b.zone", 1, "");
	write_zone("other", 9, "");
	snprintf(text, sizeof(text), "given.test=%s", path_of("other"));
	CU_ASSERT(store_add_dir(s, dir, why, sizeof(why)) == 0);
	CU_ASSERT(store_add_file(s, text, why, sizeof(why)) == 0);
	CU_ASSERT_FATAL(store_load(s, why, sizeof(why)) == 0);
	reader = store_attach(s);
	CU_ASSERT_FATAL(reader != NULL);
	z = store_enter(s, reader);
	CU_ASSERT(z->nb == 3 && serial_of(z, "a") == 1 && serial_of(z, "b") == 1);
	CU_ASSERT(serial_of(z, "given.test") == 9 && serial_of(z, "other") == 0);
	number = z->number;

	/* one is new, one is wrong, one is gone */
	write_zone("a.zone", 2, "");
	write_zone("b.zone", 2, "www A nothing\n");
	write_zone("c.zone", 3, "");
	remove(path_of("other"));
	reload(s);
	/* the reader has not turned: what it has is still there */
	CU_ASSERT(serial_of(z, "a") == 1);
	z = store_enter(s, reader);
	CU_ASSERT(z->nb == 4 && z->number == number + 1);
	CU_ASSERT(serial_of(z, "a") == 2 && serial_of(z, "b") == 1 && serial_of(z, "c") == 3);
	CU_ASSERT(serial_of(z, "given.test") == 9);
	CU_ASSERT(strstr(told, "b: keeping serial 1: ") != NULL);
	CU_ASSERT(strstr(told, "b.zone:4: ") != NULL);
	CU_ASSERT(strstr(told, "given.test: keeping serial 9: ") != NULL);
	CU_ASSERT(strstr(said, "zone a: 2 records, serial 2\n") != NULL);
	CU_ASSERT(strstr(said, "serving 4 zones\n") != NULL);

	/* a file that is no zone and never was, and a zone that is gone from the directory */
	write_zone("d.zone", 1, "www A nothing\n");
	remove(path_of("c.zone"));
	write_zone("b.zone", 4, "");
	reload(s);
	z = store_enter(s, reader);
	CU_ASSERT(z->nb == 3 && serial_of(z, "c") == 0 && serial_of(z, "d") == 0 &&
	          serial_of(z, "b") == 4);
	CU_ASSERT(strstr(told, "d.zone:4: ") != NULL);

	/* a directory that cannot be listed to its end: nothing is gone */
	disk_fails = true;
	reload(s);
	disk_fails = false;
	z = store_enter(s, reader);
	CU_ASSERT(z->nb == 3 && serial_of(z, "a") == 2 && serial_of(z, "b") == 4);
	CU_ASSERT(strstr(told, "keeping all zones unchanged: ") != NULL);
	CU_ASSERT(strstr(told, strerror(EIO)) != NULL);

	/* nobody waits for readers that have gone */
	store_leave(reader);
	reload(s);
	store_free(s);
	remove(path_of("a.zone"));
	remove(path_of("b.zone"));
	remove(path_of("d.zone"));
}

static void refused(void)
{
	struct store *s = store_create();
	char text[512];

	CU_ASSERT(store_add_file(s, "example", why, sizeof(why)) != 0);
	CU_ASSERT(store_add_file(s, "=file", why, sizeof(why)) != 0);
	CU_ASSERT(store_add_file(s, "example=", why, sizeof(why)) != 0);
	CU_ASSERT(strstr(why, "is not NAME=FILE") != NULL);
	write_zone("x", 1, "");
	snprintf(text, sizeof(text), "Example=%s", path_of("x"));
	CU_ASSERT(store_add_file(s, text, why, sizeof(why)) == 0);
	CU_ASSERT(store_load(s, why, sizeof(why)) == 0);
	store_free(s);
	s = store_create();
	CU_ASSERT(store_add_file(s, text, why, sizeof(why)) == 0);
	text[0] = 'e';
	CU_ASSERT(store_add_file(s, text, why, sizeof(why)) == 0);
	CU_ASSERT(store_load(s, why, sizeof(why)) != 0 && strstr(why, "duplicate zone") != NULL);
	store_free(s);
	s = store_create();
	CU_ASSERT(store_add_dir(s, "/nowhere/at/all", why, sizeof(why)) == 0);
	CU_ASSERT(store_load(s, why, sizeof(why)) != 0 && strstr(why, "/nowhere/at/all: ") != NULL);
	store_free(s);
	remove(path_of("x"));
	remove(dir);
}

static const struct unit_case cases[] = {{"reloads", reloads}, {"refused", refused}};

UNIT_MAIN("dns store", cases)
