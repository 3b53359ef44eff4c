/* SPDX-License-Identifier: BSD-2-Clause */

/* Leases that are remembered over a restart. */

#include "run/recall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit.h"

static char dir[] = "/tmp/recall_test.XXXXXX", path[64], next[64];

static const uint8_t mac[6] = {2, 0, 0, 0, 0xab, 1}, other[6] = {2, 0, 0, 0, 0, 2};

static void begin(void)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/leases", dir);
	snprintf(next, sizeof(next), "%s/leases.new", dir);
}

static void end(void)
{
	unlink(path);
	CU_ASSERT_NOT_EQUAL(access(next, F_OK), 0); /* nothing is left */
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_FATAL(f != NULL);
	fputs(text, f);
	fclose(f);
}

static struct recall_lease lease(unsigned port, const char *addr, int64_t until_s)
{
	struct recall_lease l = {.port = port, .until_s = until_s};

	memcpy(l.mac, mac, 6);
	CU_ASSERT_EQUAL(pc_addr_parse(addr, &l.addr), 0);
	return l;
}

static void test_round_trip(void)
{
	struct recall r = {0}, s;
	struct recall_lease a = lease(0, "192.0.2.100", 1700000000),
	                    b = lease(PC_MAX_PORTS - 1, "10.255.255.254", INT64_MAX);
	struct stat st;

	begin();
	CU_ASSERT_EQUAL(recall_read(path, &s), 0); /* no file, no lines */
	CU_ASSERT_EQUAL(s.n, 0);
	recall_set(&r, &b);
	recall_set(&r, &b);
	recall_set(&r, &a);
	CU_ASSERT_EQUAL(r.n, 2);
	umask(0);
	CU_ASSERT_EQUAL(recall_write(path, &r), 0);
	CU_ASSERT_EQUAL(recall_write(path, &r), 0);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(recall_read(path, &s), 0);
	CU_ASSERT_EQUAL(s.n, 2);
	CU_ASSERT_FATAL(recall_find(&s, 0, mac) != NULL);
	CU_ASSERT(pc_addr_equal(&recall_find(&s, 0, mac)->addr, &a.addr));
	CU_ASSERT_EQUAL(recall_find(&s, 0, mac)->until_s, 1700000000);
	CU_ASSERT_PTR_NULL(recall_find(&s, 0, other)); /* another device */
	CU_ASSERT_PTR_NULL(recall_find(&s, 1, mac));
	CU_ASSERT_EQUAL(recall_find(&s, PC_MAX_PORTS - 1, mac)->until_s, INT64_MAX);
	end();
}

static void test_bad_lines(void)
{
	struct recall r;

	begin();
	put("\n0\n0 02:00:00:00:ab:01\n0 02:00:00:00:ab:01 192.0.2.1\n0 02:00:00:00:ab:01 "
	    "192.0.2.256 5\n"
	    "0 02:00:00:00:ab:01 192.0.2.1 5 6\n999999 02:00:00:00:ab:01 192.0.2.1 5\n-1 "
	    "02:00:00:00:ab:01 1.2.3.4 5\n"
	    "0 02:00:00:00:ab:01 ::1 5\n1 02:00:00:00:ab:01 192.0.2.7 5");
	CU_ASSERT_EQUAL(recall_read(path, &r), 0);
	CU_ASSERT_EQUAL(r.n, 1);
	CU_ASSERT_EQUAL(r.lease[0].port, 1);
	end();
}

/* What lies in the way: of a writer that has ended in the middle, or put there by others. */
static void test_in_the_way(void)
{
	struct recall r = {.n = 1, .lease = {lease(0, "192.0.2.1", 5)}}, s;
	char victim[80], elsewhere[80];

	begin();
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	CU_ASSERT_EQUAL(symlink(victim, next), 0);
	CU_ASSERT_EQUAL(recall_write(path, &r), 0);
	CU_ASSERT_NOT_EQUAL(access(victim, F_OK), 0);
	CU_ASSERT_EQUAL(recall_read(path, &s), 0);
	CU_ASSERT_EQUAL(s.n, 1);
	unlink(path);
	CU_ASSERT_EQUAL(symlink(dir, path), 0);
	CU_ASSERT_EQUAL(recall_read(path, &s), -1);
	unlink(path);
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(recall_read(path, &s), -1);
	snprintf(elsewhere, sizeof(elsewhere), "%s/none/leases", dir);
	CU_ASSERT_EQUAL(recall_write(elsewhere, &r), -1);
	CU_ASSERT_EQUAL(errno, ENOENT);
	end();
}

static const struct unit_case cases[] = {
    {"what is written is read", test_round_trip},
    {"lines that are none", test_bad_lines},
    {"what lies in the way", test_in_the_way},
};

UNIT_MAIN("run/recall", cases)
