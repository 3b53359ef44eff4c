/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets how many answers. */
#include <string.h>

#include "rrl.h"
#include "unit/unit.h"

#define SECOND UINT64_C(1000000000)

static struct rrl_config config;
static struct rrl *rrl;
static uint64_t now;

static void begin(uint64_t rate, uint64_t slip, uint64_t entries)
{
	config = (struct rrl_config){.rate = rate,
	                             .slip = slip,
	                             .entries = entries,
	                             .len4 = 24,
	                             .len6 = 56,
	                             .key = {.k = {1, 2}}};
	now = 100 * SECOND;
	rrl = rrl_create(&config);
	CU_ASSERT_FATAL(rrl != NULL);
}

static enum rrl_verdict judge(const char *to, enum answer_kind kind, uint64_t subject)
{
	const struct answer a = {.len = 100, .kind = kind, .subject = subject};
	struct pc_addr addr;

	CU_ASSERT_FATAL(pc_addr_parse(to, &addr) == 0);
	return rrl_judge(rrl, &addr, &a, now);
}

/* How many of n answers are sent. */
static unsigned sent(const char *to, enum answer_kind kind, uint64_t subject, unsigned n)
{
	unsigned s = 0;

	while (n-- > 0)
		s += judge(to, kind, subject) == RRL_SEND;
	return s;
}

static void a_second_s_worth(void)
{
	begin(10, 0, 1000);
	CU_ASSERT(sent("192.0.2.1", ANSWER_DATA, 7, 100) == 10);
	now += SECOND / 10;
	CU_ASSERT(sent("192.0.2.1", ANSWER_DATA, 7, 100) == 1);
	now += SECOND / 2;
	CU_ASSERT(sent("192.0.2.1", ANSWER_DATA, 7, 100) == 5);
	now += 1000 * SECOND;
	CU_ASSERT(sent("192.0.2.1", ANSWER_DATA, 7, 100) == 10);
	rrl_free(rrl);
}

/* networks, kinds and names are apart, errors of any name together */
static void what_is_alike(void)
{
	begin(10, 0, 1000);
	CU_ASSERT(sent("192.0.2.1", ANSWER_DATA, 7, 8) == 8);
	CU_ASSERT(sent("192.0.2.255", ANSWER_DATA, 7, 8) == 2);
	CU_ASSERT(sent("192.0.3.1", ANSWER_DATA, 7, 20) == 10);
	CU_ASSERT(sent("192.0.2.1", ANSWER_DATA, 8, 20) == 10);
	CU_ASSERT(sent("192.0.2.1", ANSWER_NODATA, 7, 20) == 10);
	CU_ASSERT(sent("192.0.2.1", ANSWER_NXDOMAIN, 7, 20) == 10);
	CU_ASSERT(sent("192.0.2.1", ANSWER_REFERRAL, 7, 20) == 10);
	CU_ASSERT(sent("192.0.2.1", ANSWER_ERROR, 7, 8) == 8);
	CU_ASSERT(sent("192.0.2.1", ANSWER_ERROR, 8, 8) == 2);
	CU_ASSERT(sent("2001:db8:0:0ff::1", ANSWER_DATA, 7, 8) == 8);
	CU_ASSERT(sent("2001:db8::2", ANSWER_DATA, 7, 8) == 2);
	CU_ASSERT(sent("2001:db8:0:100::1", ANSWER_DATA, 7, 20) == 10);
	rrl_free(rrl);
	begin(10, 0, 1000);
	config.len4 = 21;
	config.len6 = 128;
	CU_ASSERT(sent("192.0.7.1", ANSWER_DATA, 7, 8) == 8);
	CU_ASSERT(sent("192.0.0.1", ANSWER_DATA, 7, 8) == 2);
	CU_ASSERT(sent("192.0.8.1", ANSWER_DATA, 7, 8) == 8);
	CU_ASSERT(sent("2001:db8::1", ANSWER_DATA, 7, 8) == 8);
	CU_ASSERT(sent("2001:db8::2", ANSWER_DATA, 7, 8) == 8);
	rrl_free(rrl);
}

static void slips(void)
{
	for (uint64_t slip = 0; slip <= 3; slip++) {
		unsigned n = 0;

		begin(1, slip, 1000);
		CU_ASSERT(judge("192.0.2.1", ANSWER_DATA, 7) == RRL_SEND);
		for (int i = 0; i < 60; i++)
			n += judge("192.0.2.1", ANSWER_DATA, 7) == RRL_SLIP;
		CU_ASSERT(n == (slip == 0 ? 0 : 60 / slip));
		rrl_free(rrl);
	}
}

static void exempt(void)
{
	begin(1, 2, 1000);
	CU_ASSERT(pc_prefix_parse("192.0.2.0/28", &config.exempt[config.nb_exempt++]) == 0);
	CU_ASSERT(pc_prefix_parse("2001:db8::/32", &config.exempt[config.nb_exempt++]) == 0);
	CU_ASSERT(sent("192.0.2.1", ANSWER_DATA, 7, 100) == 100);
	CU_ASSERT(sent("2001:db8::1", ANSWER_DATA, 7, 100) == 100);
	/* what they had leaves nothing for their neighbours, who are in the same network */
	CU_ASSERT(sent("192.0.2.17", ANSWER_DATA, 7, 100) == 0);
	CU_ASSERT(sent("2001:db9::1", ANSWER_DATA, 7, 100) == 1);
	rrl_free(rrl);
}

/* a flood of networks takes no memory, and who is far above the rate stays limited */
static void a_full_table(void)
{
	char to[32];
	unsigned passed = 0;

	begin(10, 0, 64);
	for (unsigned round = 0; round < 200; round++) {
		passed += sent("192.0.2.1", ANSWER_DATA, 7, 20);
		for (unsigned i = 0; i < 100; i++) {
			snprintf(to, sizeof(to), "10.%u.%u.1", round, i);
			(void)judge(to, ANSWER_DATA, 7);
		}
	}
	CU_ASSERT(passed < 4 * 10);
	rrl_free(rrl);
}

/* the fastest rate that there may be */
static void rates(void)
{
	begin(1000000, 0, 64);
	CU_ASSERT(sent("192.0.2.1", ANSWER_DATA, 7, 1100000) == 1000000);
	now += 1000;
	CU_ASSERT(sent("192.0.2.1", ANSWER_DATA, 7, 10) == 1);
	rrl_free(rrl);
	rrl_free(NULL);
}

static const struct unit_case cases[] = {
    {"a second's worth", a_second_s_worth},
    {"what is alike", what_is_alike},
    {"slips", slips},
    {"exempt", exempt},
    {"a full table", a_full_table},
    {"rates", rates},
};

UNIT_MAIN("dns response rate limiting", cases)
