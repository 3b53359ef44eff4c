/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answers of percore-dns. The first byte says how the message arrives; the rest is the message.
 * The answer, if there is one, must be complete and of an allowed length: every name, length and
 * count in it is checked by separate code.
 */
#include <string.h>

#include "answer.h"
#include "fuzz.h"
#include "text.h"
#include "zonefile.h"

static const char zone_text[] =
    "$TTL 3600\n"
    "@ SOA ns1 hostmaster 5 7200 3600 1209600 300\n"
    "@ NS ns1\n@ NS ns2\n@ MX 10 mail\n@ TXT \"text\"\n"
    "ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1\nns2 A 192.0.2.2\n"
    "mail A 192.0.2.3\nwww CNAME web\nweb A 192.0.2.4\nweb A 192.0.2.5\n"
    "l1 CNAME l2\nl2 CNAME l1\n*.w CNAME a.w\n"
    "sub NS ns.sub\nsub NS ns1\nsub NS ns.other.test.\nns.sub A 192.0.2.10\n"
    "sub DS 1 13 2 "
    "0102030405060708091011121314151617181920212223242526272829303132\n"
    "*.wild A 192.0.2.20\n*.wild MX 10 mail\na.b.c A 192.0.2.30\n"
    "_sip._tcp SRV 0 5 5060 mail\n"
    "old DNAME new\nx.new A 192.0.2.40\n"
    "d DNAME d.d.d\ne DNAME e.e\n";

static struct zones *zones;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char big[65536];
	char why[ZONEFILE_WHY];
	struct zone *z;
	size_t n = sizeof(zone_text) - 1;

	(void)argc, (void)argv;
	memcpy(big, zone_text, n);
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(big + n, sizeof(big) - n,
		                      "big A 192.0.2.%d\nn NS n%d.n\nn%d.n A 192.0.2.%d\n", i, i, i,
		                      i);
	z = zonefile_parse("example", big, n, why);
	fuzz_check(z != NULL);
	zones = zones_make(&z, 1);
	fuzz_check(zones != NULL);
	zones->cookies.n = 1;
	zone_release(z);
	return 0;
}

/* Checks what must hold for any answer. */
static void judge(const uint8_t *query, size_t query_len, const uint8_t *out, size_t len,
                  size_t limit)
{
	static char text[TEXT_MAX];
	const char *t = text_of(out, len, text);

	if (t[0] == '!')
		fprintf(stderr, "%s", t);
	fuzz_check(t[0] != '!' && len >= 12 && len <= limit);
	fuzz_check(query_len >= 12 && memcmp(query, out, 2) == 0);
	/* the opcode and RD are the query's; RA, AD, CD are 0 */
	fuzz_check((out[2] & 0x79) == (query[2] & 0x79) && (out[3] & 0xf0) == 0);
	/* the question, if there is one, is an exact copy of the query's */
	if (out[5] == 1)
		fuzz_check(len > 16 && query_len > 16 && out[12] == query[12]);
	/* a truncated answer contains no records */
	if (out[2] & 2)
		fuzz_check(memcmp(out + 6, "\0\0\0\0\0", 5) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[ANSWER_MAX];
	struct counts counts = {0}, again = {0};
	struct answer_config config = {.udp_max = 1232};
	struct answer a = {.out = out};
	struct answer_from from = {.client = {.addr = {192, 0, 2, 1}, .addr_len = 4}};
	uint8_t *query, how;
	size_t len;

	if (size < 1)
		return 0;
	how = data[0];
	config.udp_max = how & 2 ? 512 : 1232;
	config.identity = how & 4 ? "fuzz" : NULL;
	config.version = how & 8 ? "1" : NULL;
	query = malloc(size); /* exactly as long, so that a sanitizer detects reads past the end */
	fuzz_check(query != NULL);
	memcpy(query, data + 1, size - 1);
	query = realloc(query, size > 1 ? size - 1 : 1);
	fuzz_check(query != NULL);
	from.tcp = how & 1;
	len = answer_make(&config, zones, &from, query, size - 1, &a, &counts);
	if (len > 0)
		judge(query, size - 1, out, len, how & 1 ? ANSWER_MAX : config.udp_max);
	/* a TCP connection makes an answer again if there was no room for it */
	if (len > 0 && (how & 1)) {
		static uint8_t twice[ANSWER_MAX];
		struct answer b = {.out = twice};

		fuzz_check(answer_make(&config, zones, &from, query, size - 1, &b, &again) == len);
		fuzz_check(memcmp(out, twice, len) == 0 &&
		           memcmp(&counts, &again, sizeof(counts)) == 0);
	}
	if (len > 0 && !(how & 1)) {
		answer_cut(&a);
		fuzz_check(a.len <= len);
		judge(query, size - 1, out, a.len, config.udp_max);
	}
	free(query);
	return 0;
}
