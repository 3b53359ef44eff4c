/* SPDX-License-Identifier: BSD-2-Clause */
#include "access_format.h"

#include "suite.h"

static void fill(struct access_record *r, const char *line, const char *referer, const char *agent)
{
	*r = (struct access_record){.time = 784111777, .status = 200, .bytes = 12};
	pc_addr_parse("192.0.2.7", &r->addr);
	r->line_len = (uint16_t)strlen(line);
	r->referer_len = (uint16_t)strlen(referer);
	r->agent_len = (uint16_t)strlen(agent);
	snprintf(r->text, sizeof(r->text), "%s%s%s", line, referer, agent);
}

static void lines(void)
{
	static const struct {
		const char *line, *referer, *agent, *wanted;
	} rows[] = {
	    {"GET / HTTP/1.1", "http://a/", "curl/8",
	     "192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] \"GET / HTTP/1.1\" 200 12 \"http://a/\" "
	     "\"curl/8\"\n"},
	    {"", "", "", "192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] \"-\" 200 12 \"-\" \"-\"\n"},
	    {"GET /\" HTTP/1.1", "\\", "a\tb\xc3",
	     "192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] \"GET /\\x22 HTTP/1.1\" 200 12 "
	     "\"\\x5c\" \"a\\x09b\\xc3\"\n"},
	};
	static char out[ACCESS_LINE_MAX];
	struct access_record r;

	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t n;

		fill(&r, rows[i].line, rows[i].referer, rows[i].agent);
		n = access_format(&r, out);
		CHECK_ROW(n == strlen(rows[i].wanted) && memcmp(out, rows[i].wanted, n) == 0,
		          rows[i].wanted);
	}
}

static void longest(void)
{
	static struct access_record r;
	static char out[ACCESS_LINE_MAX];

	r.time = INT64_C(253402300799);
	r.bytes = UINT64_MAX;
	r.status = UINT16_MAX;
	memset(&r.addr, 0xab, sizeof(r.addr));
	r.line_len = r.referer_len = r.agent_len = ACCESS_TEXT_MAX / 3;
	memset(r.text, '"', sizeof(r.text));
	CU_ASSERT(access_format(&r, out) <= sizeof(out));
}

static const struct unit_case cases[] = {{"lines", lines}, {"the longest line", longest}};

UNIT_MAIN("app/access_format", cases)
