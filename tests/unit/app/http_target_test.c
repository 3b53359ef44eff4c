/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_target.h"

#include <stdlib.h>

#include "suite.h"

static void hosts(void)
{
	static const struct {
		const char *host;
		bool valid;
	} rows[] = {
	    {"a", true},
	    {"example.org", true},
	    {"example.org:", true},
	    {"a:1", true},
	    {"a:65535", true},
	    {"192.0.2.1:80", true},
	    {"[::1]", true},
	    {"[2001:db8::1]:8080", true},
	    {"a_b-c~d", true},
	    {"a%20b", true},
	    {"xn--bcher-kva.ch", true},
	    {"[v1.a:b]", true},
	    {"", false},
	    {":80", false},
	    {"a b", false},
	    {"a/b", false},
	    {"a?b", false},
	    {"a#b", false},
	    {"u@a", false},
	    {"a:b", false},
	    {"a:80:80", false},
	    {"a:123456", false},
	    {"a:-1", false},
	    {"[::1", false},
	    {"::1", false},
	    {"[]", false},
	    {"[::1]a", false},
	    {"[a%20]", false},
	    {"a%2", false},
	    {"a%zz", false},
	    {"a%z0", false},
	    {"a\\b", false},
	    {"\xc3\xa9", false},
	    {"a,b;c=d", true},
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW(http_host_valid(rows[i].host, strlen(rows[i].host)) == rows[i].valid,
		          rows[i].host);
	/* what follows is not looked at */
	CU_ASSERT(!http_host_valid("a%20", 3));
}

static bool is(const char *p, size_t len, const char *wanted)
{
	if (wanted == NULL)
		return p == NULL;
	return p != NULL && len == strlen(wanted) && memcmp(p, wanted, len) == 0;
}

static void targets(void)
{
	static const struct {
		const char *target, *path, *query; /* path NULL: 400 */
	} rows[] = {
	    {"/", "/", NULL},
	    {"/a/b", "/a/b", NULL},
	    {"/a?b", "/a", "b"},
	    {"/?", "/", ""},
	    {"/a?b?c", "/a", "b?c"},
	    {"http://h", "/", NULL},
	    {"http://h/", "/", NULL},
	    {"HTTP://h:80/a?b", "/a", "b"},
	    {"https://[::1]/a", "/a", NULL},
	    {"http://h?q", "/", "q"},
	    {"//h/a", "//h/a", NULL}, /* origin-form: a path with an empty segment */
	    {"", NULL, NULL},
	    {"*", NULL, NULL},
	    {"a", NULL, NULL},
	    {"?a", NULL, NULL},
	    {"http:", NULL, NULL},
	    {"http:/a", NULL, NULL},
	    {"http:///a", NULL, NULL},
	    {"http://u@h/", NULL, NULL},
	    {"http://h:x/", NULL, NULL},
	    {"ftp://h/", NULL, NULL},
	    {"h:80", NULL, NULL},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct http_target t;
		int status = http_target_split(rows[i].target, strlen(rows[i].target), &t);

		CHECK_ROW(status == (rows[i].path == NULL ? 400 : 0), rows[i].target);
		if (status != 0)
			continue;
		CHECK_ROW(is(t.path, t.path_len, rows[i].path), rows[i].target);
		CHECK_ROW(is(t.query, t.query_len, rows[i].query), rows[i].target);
	}
}

static int normalise(const char *path, char *result)
{
	const size_t len = strlen(path);
	char *copy = malloc(len + 1), *buf = malloc(len + 1);
	const char *out;
	size_t n;
	int status;

	memcpy(copy, path, len);
	copy[len] = '0'; /* of nobody's concern */
	status = http_path_normalise(copy, len, buf, &out, &n);
	if (status == 0) {
		memcpy(result, out, n);
		result[n] = '\0';
	}
	free(copy);
	free(buf);
	return status;
}

static void paths(void)
{
	static const struct {
		const char *path, *normal;
		int status;
	} rows[] = {
	    {"/", "/", 0},
	    {"/a/b.html", "/a/b.html", 0},
	    {"/a/b/", "/a/b/", 0},
	    {"/a%20b", "/a b", 0},
	    {"/%61%62", "/ab", 0},
	    {"/%C3%a9", "/\xc3\xa9", 0},
	    {"/%2541", "/%41", 0}, /* decoded once */
	    {"/%252e%252e/x", "/%2e%2e/x", 0},
	    /* RFC 3986 section 5.2.4 */
	    {"/a/b/c/./../../g", "/a/g", 0},
	    {"/.", "/", 0},
	    {"/..", "/", 0},
	    {"/./", "/", 0},
	    {"/../", "/", 0},
	    {"/a/.", "/a/", 0},
	    {"/a/..", "/", 0},
	    {"/a/../", "/", 0},
	    {"/a/b/..", "/a/", 0},
	    {"/a/./b", "/a/b", 0},
	    {"/.a", "/.a", 0},
	    {"/..a", "/..a", 0},
	    {"/...", "/...", 0},
	    {"/a.", "/a.", 0},
	    {"/a..", "/a..", 0},
	    {"/a/...//b", "/a/.../b", 0},
	    /* never above the root */
	    {"/../../../etc/passwd", "/etc/passwd", 0},
	    {"/a/../../../../etc/passwd", "/etc/passwd", 0},
	    {"/%2e%2e/%2E%2e/etc/passwd", "/etc/passwd", 0},
	    {"/.%2e/etc", "/etc", 0},
	    {"/a/%2e%2e/%2e%2e/b", "/b", 0},
	    {"/..//..//../etc", "/etc", 0},
	    {"/....//....//etc", "/..../..../etc", 0},
	    {"/..;/etc", "/..;/etc", 0},
	    {"/..\\..\\etc", "/..\\..\\etc", 0},
	    {"/%5c..%5c..", "/\\..\\..", 0},
	    {"/%c0%ae%c0%ae/etc", "/\xc0\xae\xc0\xae/etc", 0}, /* overlong: no dots */
	    /* empty segments */
	    {"//", "/", 0},
	    {"//a", "/a", 0},
	    {"/a//b", "/a/b", 0},
	    {"/a///", "/a/", 0},
	    {"/a//../b", "/a/b", 0},
	    /* refused */
	    {"/%00", NULL, 400},
	    {"/a%00.html", NULL, 400},
	    {"/%0a", NULL, 400},
	    {"/%7f", NULL, 400},
	    {"/%", NULL, 400},
	    {"/%2", NULL, 400},
	    {"/%zz", NULL, 400},
	    {"/%2%65", NULL, 400},
	    {"/%u002e", NULL, 400},
	    {"/..%2f..%2fetc/passwd", NULL, 404},
	    {"/a%2Fb", NULL, 404},
	};
	char result[128];

	for (size_t i = 0; i < ROWS(rows); i++) {
		CHECK_ROW(normalise(rows[i].path, result) == rows[i].status, rows[i].path);
		if (rows[i].status == 0)
			CHECK_ROW(strcmp(result, rows[i].normal) == 0, rows[i].path);
	}
}

/* What comes out of anything begins with '/' and has no segment that leads anywhere but down. */
static void random_paths(void)
{
	static const char *const parts[] = {"/", ".", "..", "%2e", "%2E%2e", "a", "%41", "//"};
	char path[256], result[256];

	srand(1);
	for (int round = 0; round < 20000; round++) {
		strcpy(path, "/");
		for (int i = rand() % 12; i > 0; i--)
			strcat(path, parts[rand() % 8]);
		CU_ASSERT_FATAL(normalise(path, result) == 0);
		CHECK_ROW(result[0] == '/', path);
		CHECK_ROW(strstr(result, "//") == NULL, path);
		strcat(result, "/");
		CHECK_ROW(strstr(result, "/../") == NULL && strstr(result, "/./") == NULL, path);
	}
}

static const struct unit_case cases[] = {
    {"hosts", hosts},
    {"targets", targets},
    {"paths", paths},
    {"random paths", random_paths},
};

UNIT_MAIN("app/http_target", cases)
