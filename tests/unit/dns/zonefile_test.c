/* SPDX-License-Identifier: BSD-2-Clause */
/* Zone files that are none, and what is said of them; and a large one. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shared/map_guard.h"
#include "unit/unit.h"
#include "zonefile.h"

#define HEAD "$TTL 60\n@ SOA ns h 1 1 1 1 1\n@ NS ns\n"

static char why[ZONEFILE_WHY];

static struct zone *parse(const char *text)
{
	why[0] = '\0';
	return zonefile_parse("example", text, strlen(text), why);
}

/* A zone file, and what the line about it says. */
static const struct {
	const char *text, *says;
} wrong[] = {
    {"", "has no records"},
    {"@ 60 A 192.0.2.1\n", "example. has no SOA"},
    {"@ 60 SOA ns h 1 1 1 1 1\n", "example. has no NS"},
    {HEAD "www A 192.0.2.1.1\n", "zone:4: "},
    {HEAD "\n\nwww A\n", "zone:6: "},
    {HEAD "www NOTHING 1\n", "zone:4: "},
    {HEAD "www.other.test. A 192.0.2.1\n", "zone:4: www.other.test. is outside the zone"},
    {HEAD "xexample. A 192.0.2.1\n", "xexample. is outside the zone"},
    {HEAD "test. A 192.0.2.1\n", "test. is outside the zone"},
    {HEAD "www CH A 192.0.2.1\n", "zone:4: "},
    {HEAD "www CNAME a\nwww A 192.0.2.1\n", "www.example. has a CNAME and other records"},
    {HEAD "www CNAME a\nwww CNAME b\n", "www.example. has a CNAME and other records"},
    {HEAD "old DNAME a\nold DNAME b\n", "old.example. has more than one DNAME"},
    {HEAD "old DNAME a\nold NS b\n", "old.example. has a DNAME and is delegated by NS"},
    {HEAD "www SOA ns h 1 1 1 1 1\n", "www.example. has an SOA"},
    {HEAD "@ SOA ns h 2 1 1 1 1\n", "example. has more than one SOA"},
    {HEAD "www RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA\n", "DNSSEC"},
    {HEAD "www NSEC x.example. A\n", "DNSSEC"},
    {HEAD "www TYPE255 \\# 0\n", "valid in queries only"},
    {HEAD "www TYPE41 \\# 0\n", "not allowed in zones"},
    /* RFC 3597 section 5: known types in that form, whose length is wrong */
    {HEAD "www TYPE1 \\# 3 c00002\n", "www.example. has a record with data of the wrong length"},
    {HEAD "www TYPE28 \\# 4 c0000201\n", "data of the wrong length"},
    {HEAD "www TYPE16 \\# 3 056162\n", "data of the wrong length"},
    {HEAD "www TYPE15 \\# 4 000a00ff\n", "has an invalid record"},
    {HEAD "www TYPE5 \\# 2 0000\n", "has an invalid record"},
    {HEAD "www TYPE33 \\# 3 000000\n", "has an invalid record"},
    {HEAD "$GENERATE 1-9 h$ A 192.0.2.$\n", "zone:4: "},
    {HEAD "$INCLUDE /nowhere/at/all\n", "zone:4: /nowhere/at/all: No such file"},
    {HEAD "$ORIGIN relative\n", "zone:4: "}, /* the library wants a final dot */
};

static void refused(void)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct zone *z = parse(wrong[i].text);

		if (z != NULL || strstr(why, wrong[i].says) == NULL)
			printf("%s: %s\n", wrong[i].says, why);
		CU_ASSERT(z == NULL && strstr(why, wrong[i].says) != NULL);
	}
	CU_ASSERT(zonefile_load("example", "/nowhere/at/all", why) == NULL);
	CU_ASSERT(strstr(why, "/nowhere/at/all") != NULL);
}

static void names(void)
{
	uint8_t wire[DNS_NAME_MAX];

	CU_ASSERT(zonefile_name("example.com", wire) == 0 &&
	          memcmp(wire, "\7example\3com", 13) == 0);
	CU_ASSERT(zonefile_name("example.com.", wire) == 0 &&
	          memcmp(wire, "\7example\3com", 13) == 0);
	CU_ASSERT(zonefile_name(".", wire) == 0 && wire[0] == 0);
	CU_ASSERT(zonefile_name("", wire) != 0 && zonefile_name("a..b", wire) != 0);
	CU_ASSERT(zonefile_name("a b", wire) != 0 && zonefile_name("a\nb", wire) != 0);
	CU_ASSERT(zonefile_name("@", wire) != 0 && zonefile_name("$TTL", wire) != 0);
	CU_ASSERT(zonefile_parse("a..b", HEAD, strlen(HEAD), why) == NULL);
	CU_ASSERT(strstr(why, "\"a..b\" is not a zone name") != NULL);
}

/* name is short, and plain letters and digits; zonefile_name would take half a megabyte for each */
static const struct name *find(const struct zone *z, const char *name)
{
	uint8_t wire[DNS_NAME_MAX];
	size_t at = 0;
	struct dname n;

	for (const char *label = name; *label != '\0';) {
		const size_t len = strcspn(label, ".");

		wire[at++] = (uint8_t)len;
		memcpy(wire + at, label, len);
		at += len;
		label += len + (label[len] == '.');
	}
	wire[at++] = 0;
	CU_ASSERT_FATAL(dname_read(&n, wire, at) == (int)at);
	return zone_find(z, &n, 0);
}

/* RFC 2181 section 5 and 8, RFC 2308 section 4 */
static void times(void)
{
	struct zone *z =
	    parse("@ SOA ns h 1 1 1 1 30\n@ NS ns\nwww 50 A 192.0.2.1\nwww 40 A 192.0.2.2\n"
	          "www 60 A 192.0.2.1\nmax 4294967295 A 192.0.2.1\nbig 2147483648 A 192.0.2.1\n");

	CU_ASSERT_FATAL(z != NULL);
	CU_ASSERT(name_rrset(z->apex, DNS_NS)->ttl == 3600 && z->negative.ttl == 30 &&
	          name_rrset(z->apex, DNS_SOA)->ttl == 3600);
	CU_ASSERT(name_rrset(find(z, "www.example"), DNS_A)->ttl == 40);
	CU_ASSERT(name_rrset(find(z, "www.example"), DNS_A)->nb == 2);
	CU_ASSERT(name_rrset(find(z, "big.example"), DNS_A)->ttl == 0);
	CU_ASSERT(name_rrset(find(z, "max.example"), DNS_A)->ttl == 0);
	CU_ASSERT(z->serial == 1 && z->nb_records == 6);
	zone_release(z);
	/* RFC 1035 section 5.1, RFC 2308 section 4: what is omitted is what was last stated, up to $TTL */
	z = parse(
	    "@ SOA ns h 1 1 1 1 30\n@ 50 NS ns\nns A 192.0.2.1\na 70 A 192.0.2.1\nb A 192.0.2.1\n"
	    "$TTL 90\nc A 192.0.2.1\nd 20 A 192.0.2.1\ne A 192.0.2.1\n");
	CU_ASSERT_FATAL(z != NULL);
	CU_ASSERT(name_rrset(z->apex, DNS_SOA)->ttl == 3600);
	CU_ASSERT(name_rrset(z->apex, DNS_NS)->ttl == 50);
	CU_ASSERT(name_rrset(find(z, "ns.example"), DNS_A)->ttl == 50);
	CU_ASSERT(name_rrset(find(z, "b.example"), DNS_A)->ttl == 70);
	CU_ASSERT(name_rrset(find(z, "c.example"), DNS_A)->ttl == 90);
	CU_ASSERT(name_rrset(find(z, "e.example"), DNS_A)->ttl == 90);
	zone_release(z);
}

/* $ORIGIN, and a name of the zone in other letters */
static void origins(void)
{
	struct zone *z = parse(
	    HEAD "$ORIGIN sub.EXAMPLE.\nwww A 192.0.2.1\n$ORIGIN b.sub.example.\na A 192.0.2.2\n");

	CU_ASSERT_FATAL(z != NULL);
	CU_ASSERT(find(z, "www.sub.example") != NULL);
	CU_ASSERT(find(z, "a.b.sub.example") != NULL && find(z, "a.b.example") == NULL);
	/* empty, and yet there */
	CU_ASSERT(find(z, "b.sub.example")->exists && find(z, "b.sub.example")->nb_rrsets == 0);
	/* named in data, and not there */
	CU_ASSERT(find(z, "ns.example") != NULL && !find(z, "ns.example")->exists);
	zone_release(z);
}

/* RFC 2181 section 5, RFC 4343: a record that is there twice, in other letters; numbers beside names have no letters */
static void doubles(void)
{
	struct zone *z = parse(HEAD "@ NS NS\nwww CNAME a.Example.\nwww CNAME A\n"
	                            "mx MX 97 m\nmx MX 65 M\nmx MX 97 M\ntext TXT a\ntext TXT A\n");

	CU_ASSERT_FATAL(z != NULL);
	CU_ASSERT(name_rrset(z->apex, DNS_NS)->nb == 1);
	CU_ASSERT(name_rrset(find(z, "www.example"), DNS_CNAME)->nb == 1);
	CU_ASSERT(name_rrset(find(z, "mx.example"), DNS_MX)->nb == 2);
	CU_ASSERT(name_rrset(find(z, "text.example"), DNS_TXT)->nb == 2);
	zone_release(z);
}

/* What other systems put in front of text, and the end of a file that is not one of a line. */
static void marks(void)
{
	struct zone *z = parse("\xef\xbb\xbf" HEAD "www A 192.0.2.1");

	CU_ASSERT_FATAL(z != NULL);
	CU_ASSERT(z->nb_records == 3 && find(z, "www.example") != NULL);
	zone_release(z);
}

/* RFC 1035 section 5.1: $INCLUDE, relative to the file that includes */
static void includes(void)
{
	char dir[] = "/tmp/percore-dns-XXXXXX", path[64], other[64];
	struct zone *z;
	FILE *f;

	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/zone", dir);
	snprintf(other, sizeof(other), "%s/more", dir);
	f = fopen(path, "w");
	fprintf(f, HEAD "$INCLUDE more inc.example.\nlast A 192.0.2.3\n");
	fclose(f);
	f = fopen(other, "w");
	fprintf(f, "www A 192.0.2.1\n");
	fclose(f);
	z = zonefile_load("example.", path, why);
	CU_ASSERT_FATAL(z != NULL);
	CU_ASSERT(find(z, "www.inc.example") != NULL && find(z, "last.example") != NULL);
	zone_release(z);
	f = fopen(other, "w");
	fprintf(f, "www A 192.0.2.1\nwww A nothing\n");
	fclose(f);
	CU_ASSERT(zonefile_load("example.", path, why) == NULL);
	CU_ASSERT(strstr(why, "more:2: ") != NULL);
	/* one that includes what includes it, a pipe */
	f = fopen(other, "w");
	fprintf(f, "$INCLUDE zone\n");
	fclose(f);
	CU_ASSERT(zonefile_load("example.", path, why) == NULL);
	CU_ASSERT(strstr(why, "nested too deeply") != NULL);
	remove(other);
	CU_ASSERT_FATAL(mkfifo(other, 0600) == 0);
	alarm(10);
	CU_ASSERT(zonefile_load("example.", path, why) == NULL);
	alarm(0);
	CU_ASSERT(strstr(why, "/zone:4: ") != NULL &&
	          strstr(why, "/more: not a regular file") != NULL);
	remove(path);
	remove(other);
	remove(dir);
}

/* A pipe has no end to wait for. */
static void no_files(void)
{
	char dir[] = "/tmp/percore-dns-XXXXXX", path[64];

	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/zone", dir);
	CU_ASSERT_FATAL(mkfifo(path, 0600) == 0);
	alarm(10);
	CU_ASSERT(zonefile_load("example.", path, why) == NULL);
	alarm(0);
	CU_ASSERT(strstr(why, "zone: not a regular file") != NULL);
	CU_ASSERT(zonefile_load("example.", dir, why) == NULL);
	CU_ASSERT(strstr(why, "Is a directory") != NULL);
	remove(path);
	remove(dir);
}

#define CHANGING_LINES 200000 /* reading them takes tens of milliseconds */

/* Somebody who does not replace a zone file, but writes to it, while it is read. */
static void *shorten(void *path)
{
	nanosleep(&(struct timespec){0, 3000000}, NULL);
	CU_ASSERT(truncate(path, 8192) == 0);
	return NULL;
}

static void *lengthen(void *path)
{
	const int fd = open(path, O_WRONLY | O_APPEND);

	nanosleep(&(struct timespec){0, 3000000}, NULL);
	CU_ASSERT(fd >= 0 && write(fd, "more A 192.0.2.1\n", 17) == 17);
	close(fd);
	return NULL;
}

/* Has somebody change a file of a zone while it is read. Returns whether that was noticed; on a busy machine the change may
 * come before or afterwards. */
static bool is_noticed(const char *path, void *(*change)(void *))
{
	FILE *f = fopen(path, "w");
	struct zone *z;
	pthread_t thread;

	CU_ASSERT_FATAL(f != NULL);
	fprintf(f, HEAD);
	for (int k = 0; k < CHANGING_LINES; k++)
		fprintf(f, "; a line of a comment that is as long as records are, number %d\n", k);
	fclose(f);
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, change, (void *)(uintptr_t)path) == 0);
	z = zonefile_load("example", path, why);
	pthread_join(thread, NULL);
	if (z != NULL) {
		zone_release(z);
		return false;
	}
	CU_ASSERT(strstr(why, "changed while it was being read") != NULL);
	return true;
}

static void changing_files(void)
{
	static void *(*const change[])(void *) = {shorten, lengthen};
	char path[] = "/tmp/percore-dns-XXXXXX";
	const int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0 && map_guard_install() == 0);
	close(fd);
	for (unsigned i = 0; i < 2; i++) {
		bool noticed = false;

		for (unsigned try = 0; try < 20 && !noticed; try++)
			noticed = is_noticed(path, change[i]);
		CU_ASSERT(noticed);
	}
	remove(path);
}

/* An RRset larger than a message, and 20,000 names. */
static void large(void)
{
	char *text = malloc(1 << 20);
	size_t n = (size_t)sprintf(text, HEAD);
	char name[64];
	struct zone *z;

	for (int i = 0; i < 6000; i++)
		n += (size_t)sprintf(text + n, "www A 10.0.%d.%d\n", i / 250, i % 250);
	CU_ASSERT(parse(text) == NULL && strstr(why, "www.example. has more records") != NULL);
	n = (size_t)sprintf(text, HEAD);
	for (int i = 0; i < 20000; i++)
		n += (size_t)sprintf(text + n, "h%d.d%d A 10.0.%d.%d\n", i, i % 100, i / 250,
		                     i % 250);
	z = parse(text);
	CU_ASSERT_FATAL(z != NULL && z->nb_records == 20002);
	for (int i = 0; i < 20000; i++) {
		const struct name *found;

		snprintf(name, sizeof(name), "h%d.d%d.example", i, i % 100);
		found = find(z, name);
		CU_ASSERT(found != NULL && found->exists && found->nb_rrsets == 1);
	}
	CU_ASSERT(find(z, "h1.d0.example") == NULL);
	zone_release(z);
	free(text);
}

static const struct unit_case cases[] = {
    {"refused", refused},   {"names", names},
    {"times", times},       {"origins", origins},
    {"doubles", doubles},   {"marks", marks},
    {"includes", includes}, {"a zone file that is no file", no_files},
    {"large", large},       {"changing files", changing_files},
};

UNIT_MAIN("zone files", cases)
