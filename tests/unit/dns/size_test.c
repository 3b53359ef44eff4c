/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers that do not fit. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "text.h"
#include "unit/unit.h"
#include "zonefile.h"

#define LONG "a-label-that-is-as-long-as-fifty-bytes-or-some-more"

static struct zones *zones;
static struct answer_config config = {.udp_max = 1232};
static struct counts counts;
static char text[TEXT_MAX], zone_text[1 << 20];
static uint8_t out[ANSWER_MAX];
static size_t len;

/* many: 60 addresses. deep: a delegation to 40 servers in it, with glue. wide: one to 20 servers beside it. mx: 20
 * exchanges with addresses. huge: 4000 addresses. chain: aliases. */
static void make_zone(void)
{
	size_t n = 0;
	char why[ZONEFILE_WHY];
	struct zone *z;

#define ADD(...) n += (size_t)snprintf(zone_text + n, sizeof(zone_text) - n, __VA_ARGS__)
	ADD("$TTL 60\n@ SOA ns1 h 1 1 1 1 1\n@ NS ns1\n");
	for (int i = 1; i <= 60; i++)
		ADD("many A 192.0.2.%d\n", i);
	for (int i = 1; i <= 40; i++)
		ADD("deep NS ns%d.deep\nns%d.deep A 192.0.2.%d\n", i, i, i);
	for (int i = 1; i <= 20; i++)
		ADD("wide NS ns%d\nns%d A 192.0.2.%d\nns%d AAAA 2001:db8::%d\nmx MX %d ns%d\n", i,
		    i, i, i, i, i, i);
	for (int i = 0; i < 4000; i++)
		ADD("huge A 10.0.%d.%d\n", i / 250, i % 250);
	for (int i = 0; i < 30; i++)
		ADD("c%d CNAME c%d\n", i, i + 1);
	for (int i = 0; i < 1200; i++)
		ADD("t1 A 10.0.%d.%d\n", i / 250, i % 250);
	ADD("srv SRV 1 1 1 t1\nsrv SRV 2 1 1 t2\nt2 A 10.0.0.1\nt2 A 10.0.0.2\nt2 A 10.0.0.3\n");
	for (int i = 0; i < 10; i++)
		ADD("%d-%s CNAME %d-%s\n", i, LONG, i + 1, LONG);
	for (int i = 1; i <= 200; i++)
		ADD("far NS a-rather-long-name-of-a-server-%d.somewhere.else.entirely.test.\n", i);
	z = zonefile_parse("example", zone_text, n, why);
	if (z == NULL)
		printf("%s\n", why);
	CU_ASSERT_FATAL(z != NULL);
	zones = zones_make(&z, 1);
	CU_ASSERT_FATAL(zones != NULL);
	zone_release(z);
}

static const char *ask(const char *name, uint16_t type, uint16_t size, bool tcp)
{
	const struct ask a = {name, type, .udp_size = size};
	uint8_t message[512];
	const struct answer_from from = {.tcp = tcp};
	struct answer answer = {.out = out};

	len = answer_make(&config, zones, &from, message, ask_write(&a, message), &answer, &counts);
	return text_of(out, len, text);
}

static unsigned lines(const char *begin)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, begin)) != NULL; p++)
		n++;
	return n;
}

/* RFC 1035 section 4.2.1, RFC 6891 section 6.2.3 to 6.2.5 */
static void limits(void)
{
	for (unsigned size = 0; size <= 4200; size += 7) {
		const unsigned limit = size < 512 ? 512 : size > 1232 ? 1232 : size;

		(void)ask("many.example", 1, (uint16_t)size, false);
		CU_ASSERT(text[0] != '!' && len <= limit);
		/* header, question, 60 records of 16 bytes, OPT */
		if (12 + 18 + 60 * 16 + (size > 0 ? 11 : 0) <= limit) {
			CU_ASSERT(lines("\nan ") == 60 && strncmp(text, "NOERROR aa\n", 11) == 0);
		} else {
			CU_ASSERT(lines("\nan ") == 0 && strncmp(text, "NOERROR aa tc\n", 14) == 0);
		}
		CU_ASSERT(lines("\nopt ") == (size > 0));
	}
	/* to the byte */
	(void)ask("many.example", 1, 12 + 18 + 60 * 16 + 11, false);
	CU_ASSERT(lines("\nan ") == 60 && len == 12 + 18 + 60 * 16 + 11);
	(void)ask("many.example", 1, 12 + 18 + 60 * 16 + 10, false);
	CU_ASSERT(lines("\nan ") == 0 && strstr(text, " tc\n") != NULL);
	(void)ask("many.example", 1, 0, true);
	CU_ASSERT(lines("\nan ") == 60);
	config.udp_max = 512;
	(void)ask("many.example", 1, 4096, false);
	CU_ASSERT(strstr(text, " tc\n") != NULL && strstr(text, "\nopt 512\n") != NULL);
	config.udp_max = 1232;
	CU_ASSERT(counts.dns_truncated > 0);
}

/* RFC 9471 section 3.1: a referral without the glue that it needs is truncated */
static void glue(void)
{
	for (unsigned size = 512; size <= 4096; size += 13) {
		config.udp_max = 4096;
		(void)ask("x.deep.example", 1, (uint16_t)size, false);
		CU_ASSERT(text[0] != '!' && len <= size);
		if (strstr(text, " tc\n") != NULL) {
			CU_ASSERT(lines("\nns ") == 0 && lines("\nar ") == 0);
		} else {
			CU_ASSERT(lines("\nns ") == 40 && lines("\nar ") == 40);
		}
	}
	CU_ASSERT(lines("\nns ") == 40);
	(void)ask("x.deep.example", 1, 512, false);
	CU_ASSERT(lines("\nns ") == 0);
	config.udp_max = 1232;
}

/* RFC 2181 section 9: what is added unasked may be left out without TC */
static void unasked(void)
{
	bool some = false, all = false;

	config.udp_max = 4096;
	for (unsigned size = 512; size <= 2048; size += 11) {
		(void)ask("mx.example", 15, (uint16_t)size, false);
		CU_ASSERT(text[0] != '!' && len <= size && strstr(text, " tc\n") == NULL);
		CU_ASSERT(lines("\nan ") == 20);
		some = some || lines("\nar ") < 40;
		all = all || lines("\nar ") == 40;
		(void)ask("x.wide.example", 1, (uint16_t)size, false);
		CU_ASSERT(text[0] != '!' && len <= size && strstr(text, " tc\n") == NULL);
		CU_ASSERT(lines("\nns ") == 20);
	}
	CU_ASSERT(some && all);
	config.udp_max = 1232;
}

/* RFC 1035 section 4.1.4: pointers reach 16383, names beyond are written */
static void far(void)
{
	(void)ask("huge.example", 1, 0, true);
	CU_ASSERT(text[0] != '!' && lines("\nan ") == 4000);
	(void)ask("far.example", 2, 0, true);
	CU_ASSERT(text[0] != '!' && lines("\nns ") == 200);
	(void)ask("x.deep.example", 1, 0, true);
	CU_ASSERT(text[0] != '!' && lines("\nar ") == 40);
	/* the owner of the last three is beyond what a pointer reaches */
	(void)ask("srv.example", 33, 0, true);
	CU_ASSERT(text[0] != '!' && lines("\nar ") == 1203 && lines("\nar t2.example. 60 A ") == 3);
}

/* an end is put to chains */
static void chains(void)
{
	(void)ask("c0.example", 1, 0, true);
	CU_ASSERT(text[0] != '!' && lines("\nan ") == 16 && strncmp(text, "NOERROR aa\n", 11) == 0);
	/* to the last byte of the SOA that is behind it */
	for (unsigned size = 512; size <= 1232; size++) {
		(void)ask("0-" LONG ".example", 1, (uint16_t)size, false);
		CU_ASSERT(text[0] != '!' && len <= size);
		CU_ASSERT(lines("\nan ") == (strstr(text, " tc\n") != NULL ? 0 : 10));
	}
	CU_ASSERT(lines("\nan ") == 10);
	(void)ask("c20.example", 1, 0, true);
	CU_ASSERT(text[0] != '!' && lines("\nan ") == 10 &&
	          strncmp(text, "NXDOMAIN aa\n", 12) == 0);
}

static void end_zone(void)
{
	zones_free(zones);
}

static const struct unit_case cases[] = {
    {"a zone is read", make_zone}, {"limits", limits}, {"glue", glue},
    {"unasked", unasked},          {"far", far},       {"chains", chains},
    {"freed", end_zone},
};

UNIT_MAIN("dns sizes", cases)
