/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages that are malformed, each in a place of its own size, so that a sanitizer sees what is read behind it. */
#include <stdio.h>
#include <string.h>

#include "query.h"
#include "unit/unit.h"

static struct query q;

static enum query_verdict judge(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum query_verdict v;

	memcpy(copy, bytes, len);
	v = query_read(&q, copy, len);
	free(copy);
	return v;
}

#define JUDGE(text) judge(text, sizeof(text) - 1)

#define HDR(qd, an, ns, ar) "\x12\x34\x01\x00\0" qd "\0" an "\0" ns "\0" ar
#define QUESTION            "\3www\7example\0\0\1\0\1"
#define ONE                 HDR("\1", "\0", "\0", "\0")
#define WITH(ar)            HDR("\1", "\0", "\0", ar) QUESTION
#define OPT                 "\0\0\x29\x10\0\0\0\x80\0\0\0"

static void whole(void)
{
	CU_ASSERT(JUDGE(ONE QUESTION) == QUERY_OK);
	CU_ASSERT(q.type == 1 && q.class == 1 && q.question_len == 17 && !q.edns);
	CU_ASSERT(q.name.labels == 2 && q.name.len == 13 && q.name.at[1] == 4);
	CU_ASSERT(JUDGE(WITH("\1") OPT) == QUERY_OK);
	CU_ASSERT(q.edns && q.dnssec_ok && q.udp_size == 4096 && !q.nsid);
	CU_ASSERT(JUDGE(ONE "\0\0\2\0\1") == QUERY_OK); /* the root */
	CU_ASSERT(q.name.labels == 0 && q.name.len == 1);
}

/* RFC 6891 section 6.1.2, RFC 5001 */
static void options(void)
{
	CU_ASSERT(JUDGE(WITH("\1") "\0\0\x29\x10\0\0\0\0\0\0\x9\0\xa\0\1\xff\0\3\0\0") == QUERY_OK);
	CU_ASSERT(q.edns && q.nsid && !q.dnssec_ok);
	/* an option longer than the record, or with half a header */
	CU_ASSERT(JUDGE(WITH("\1") "\0\0\x29\x10\0\0\0\0\0\0\x5\0\3\0\2\0") == QUERY_FORMERR);
	CU_ASSERT(!q.edns);
	CU_ASSERT(JUDGE(WITH("\1") "\0\0\x29\x10\0\0\0\0\0\0\x3\0\3\0") == QUERY_FORMERR);
	/* of another version the options may be anything */
	CU_ASSERT(JUDGE(WITH("\1") "\0\0\x29\x10\0\0\1\0\0\0\x3\0\3\0") == QUERY_BADVERS);
	CU_ASSERT(q.edns);
}

#define COOKIE(n) "\0\0\x29\x10\0\0\0\0\0\0" n

/* RFC 7873 sections 4, 5.2 and 5.4 */
static void cookies(void)
{
	CU_ASSERT(JUDGE(WITH("\1") COOKIE("\xc\0\xa\0\x8"
	                                  "12345678")) == QUERY_OK);
	CU_ASSERT(q.cookie_len == 8 && !q.cookie_wrong);
	CU_ASSERT(JUDGE(WITH("\1") COOKIE("\xb\0\xa\0\x7"
	                                  "1234567")) == QUERY_OK);
	CU_ASSERT(q.cookie_len == 0 && q.cookie_wrong);
	CU_ASSERT(JUDGE(WITH("\1") COOKIE("\4\0\xa\0\0")) == QUERY_OK && q.cookie_wrong);
	/* the first counts */
	CU_ASSERT(JUDGE(WITH("\1") COOKIE("\x17\0\xa\0\x8"
	                                  "12345678"
	                                  "\0\xa\0\x7"
	                                  "1234567")) == QUERY_OK);
	CU_ASSERT(q.cookie_len == 8 && !q.cookie_wrong);
	CU_ASSERT(JUDGE(WITH("\1") COOKIE("\x17\0\xa\0\x7"
	                                  "1234567"
	                                  "\0\xa\0\x8"
	                                  "12345678")) == QUERY_OK);
	CU_ASSERT(q.cookie_len == 0 && q.cookie_wrong);
	/* without a question */
	CU_ASSERT(JUDGE(HDR("\0", "\0", "\0", "\1") COOKIE("\xc\0\xa\0\x8"
	                                                   "12345678")) == QUERY_COOKIE);
	CU_ASSERT(q.cookie_len == 8 && q.question_len == 0 && q.edns);
	CU_ASSERT(JUDGE(HDR("\0", "\0", "\0", "\1") COOKIE("\xb\0\xa\0\x7"
	                                                   "1234567")) == QUERY_FORMERR);
	CU_ASSERT(JUDGE(HDR("\0", "\0", "\0", "\1") OPT) == QUERY_FORMERR);
	/* of another version it may be anything */
	CU_ASSERT(JUDGE(HDR("\0", "\0", "\0", "\1") "\0\0\x29\x10\0\0\1\0\0\0\3\0\xa\0") ==
	          QUERY_BADVERS);
}

/* RFC 6891 section 6.1.1: one, of the root, in the additional section */
static void places_of_opt(void)
{
	CU_ASSERT(JUDGE(WITH("\2") OPT OPT) == QUERY_FORMERR);
	CU_ASSERT(JUDGE(WITH("\1") "\1a" OPT) == QUERY_FORMERR);
	CU_ASSERT(JUDGE(HDR("\1", "\1", "\0", "\0") QUESTION OPT) == QUERY_FORMERR);
	CU_ASSERT(JUDGE(HDR("\1", "\0", "\1", "\0") QUESTION OPT) == QUERY_FORMERR);
}

static void cut_off(void)
{
	static const char message[] = WITH("\1") OPT;

	for (size_t n = 0; n < sizeof(message) - 1; n++)
		CU_ASSERT(judge(message, n) == (n < 12 ? QUERY_DROP : QUERY_FORMERR));
	CU_ASSERT(JUDGE(WITH("\1") OPT "x") == QUERY_FORMERR); /* something behind it */
	CU_ASSERT(JUDGE(ONE QUESTION "\0") == QUERY_FORMERR);
}

static void counts(void)
{
	CU_ASSERT(JUDGE(HDR("\0", "\0", "\0", "\0")) == QUERY_FORMERR);
	CU_ASSERT(q.question_len == 0);
	CU_ASSERT(JUDGE(HDR("\0", "\0", "\0", "\0") QUESTION) == QUERY_FORMERR);
	CU_ASSERT(JUDGE(HDR("\2", "\0", "\0", "\0") QUESTION QUESTION) == QUERY_FORMERR);
	CU_ASSERT(JUDGE(WITH("\2") OPT) == QUERY_FORMERR);
	CU_ASSERT(q.question_len == 17);
	/* other records are passed over, also such as end in a pointer */
	CU_ASSERT(JUDGE(WITH("\2") "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4" OPT) == QUERY_OK);
	CU_ASSERT(q.edns);
	CU_ASSERT(JUDGE(WITH("\1") "\xc0") == QUERY_FORMERR);
}

/* RFC 1035 section 3.1, 4.1.4: 63 bytes of a label, 255 of a name, and a question has nothing to point to */
static void names(void)
{
	uint8_t m[600] = "\x12\x34\0\0\0\1\0\0\0\0\0\0";
	size_t n = 12;

	CU_ASSERT(JUDGE(ONE "\xc0\x0c\0\1\0\1") == QUERY_FORMERR);
	CU_ASSERT(JUDGE(ONE "\3www\xc0\x04\0\1\0\1") == QUERY_FORMERR);
	CU_ASSERT(JUDGE(ONE "\x40www\0\0\1\0\1") == QUERY_FORMERR);
	for (unsigned label = 63; label <= 64; label++) {
		m[12] = (uint8_t)label;
		memset(m + 13, 'a', label);
		memcpy(m + 13 + label, "\0\0\1\0\1", 5);
		CU_ASSERT(judge(m, 18 + label) == (label == 63 ? QUERY_OK : QUERY_FORMERR));
	}
	for (int i = 0; i < 127; i++, n += 2)
		memcpy(m + n, "\1a", 2);
	memcpy(m + n, "\0\0\1\0\1", 5);
	CU_ASSERT(judge(m, n + 5) == QUERY_OK && q.name.len == 255 && q.name.labels == 127);
	memcpy(m + n - 2, "\2aa\0\0\1\0\1", 9);
	CU_ASSERT(judge(m, n + 6) == QUERY_FORMERR);
	memcpy(m + n - 2, "\1a\1a\0\0\1\0\1", 10);
	CU_ASSERT(judge(m, n + 7) == QUERY_FORMERR);
}

/* The same of names that are passed over. */
static void other_names(void)
{
	static const char question[] = "\0\0\1\0\1", rest[] = "\0\0\1\0\1\0\0\0\0\0\0";
	uint8_t m[600] = "\x12\x34\0\0\0\1\0\0\0\0\0\1";

	memcpy(m + 12, question, 5);
	for (size_t labels = 126; labels <= 128; labels++) {
		for (size_t i = 0; i < labels; i++)
			memcpy(m + 17 + 2 * i, "\1a", 2);
		memcpy(m + 17 + 2 * labels, rest, 11);
		CU_ASSERT(judge(m, 17 + 2 * labels + 11) ==
		          (labels <= 127 ? QUERY_OK : QUERY_FORMERR));
	}
}

static void others(void)
{
	CU_ASSERT(JUDGE("\x12\x34\x81\0\0\1\0\0\0\0\0\0" QUESTION) == QUERY_DROP); /* a response */
	CU_ASSERT(JUDGE("\x12\x34\x28\0\0\1\0\0\0\0\0\0" QUESTION) == QUERY_NOTIMP);
	CU_ASSERT(q.question_len == 17);
	CU_ASSERT(JUDGE("\x12\x34\x28\0\0\0\0\0\0\0\0\0") == QUERY_NOTIMP);
	CU_ASSERT(q.question_len == 0);
}

/* RFC 4343 section 3: letters of ASCII and nothing else */
static void lower_case(void)
{
	uint8_t wire[66] = {63};
	struct dname n, m;

	for (unsigned base = 0; base < 256; base += 63) {
		for (unsigned i = 0; i < 63; i++)
			wire[1 + i] = (uint8_t)(base + i);
		CU_ASSERT(dname_read(&n, wire, sizeof(wire)) == 65);
		for (unsigned i = 0; i < 63; i++) {
			const unsigned c = (base + i) & 255;

			CU_ASSERT(n.lower[1 + i] == (c >= 'A' && c <= 'Z' ? c + 32 : c));
		}
	}
	/* what ends alike has the same hash from there on, and what does not has not */
	CU_ASSERT(dname_read(&n, (const uint8_t *)"\3WWW\7example", 13) == 13);
	CU_ASSERT(dname_read(&m, (const uint8_t *)"\4mail\7EXAMPLE", 14) == 14);
	CU_ASSERT(n.hash[1] == m.hash[1] && n.hash[2] == m.hash[2] && n.hash[0] != m.hash[0]);
	CU_ASSERT(dname_read(&m, (const uint8_t *)"\3wwx\7example", 13) == 13 &&
	          n.hash[0] != m.hash[0]);
}

/* Names that had one hash when each word of eight bytes was multiplied by a number and its upper half added to the lower: a
 * change of the highest bit of a word, and of what becomes of it in the next. A zone of thousands of them could be written. */
static void names_of_one_hash(void)
{
	static const unsigned word[] = {0, 2, 4};
	uint8_t wire[66] = {63};
	struct dname n[8];

	for (unsigned i = 0; i < 8; i++) {
		memset(wire + 1, 'x', 63);
		for (unsigned k = 0; k < 3; k++)
			if (i >> k & 1) {
				wire[8 * word[k] + 7] ^= 0x80;
				wire[8 * word[k] + 11] ^= 0x80;
				wire[8 * word[k] + 15] ^= 0x80;
			}
		CU_ASSERT(dname_read(&n[i], wire, sizeof(wire)) == 65);
		for (unsigned k = 0; k < i; k++)
			CU_ASSERT(n[i].hash[0] != n[k].hash[0]);
	}
	/* and the key matters */
	dname_set_key((const uint64_t[2]){1234567, 7654321});
	CU_ASSERT(dname_read(&n[0], wire, sizeof(wire)) == 65 && n[0].hash[0] != n[7].hash[0]);
}

static const struct unit_case cases[] = {
    {"whole", whole},
    {"options", options},
    {"cookies", cookies},
    {"places of OPT", places_of_opt},
    {"cut off", cut_off},
    {"counts", counts},
    {"names", names},
    {"other names", other_names},
    {"others", others},
    {"lower case", lower_case},
    {"names of one hash", names_of_one_hash},
};

UNIT_MAIN("dns queries", cases)
