/* SPDX-License-Identifier: BSD-2-Clause */
/* SYN cookies: what is put in comes out, for long enough, and nothing else does. */

#include "tcp/syncookie.h"

#include "../unit.h"
#include "base/seq.h"

#define UNIT (UINT64_C(1) << 36)

static const struct pc_sip_key key = {{UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)}};
static const struct pc_sip_key other_key = {
    {UINT64_C(0x0123456789abcdee), UINT64_C(0xfedcba9876543210)}};
static const uint64_t made = 1000 * UNIT + 12345;

static struct tcp_flow flow_of(uint16_t rport)
{
	return (struct tcp_flow){
	    .raddr = pc_addr_ip4(0xc0000202), .laddr = 1, .lport = 80, .rport = rport};
}

static bool read_back(uint64_t when, uint32_t iss, uint8_t opt, uint32_t tsecr, struct syncookie *c)
{
	struct tcp_flow flow = flow_of(40000);

	return syncookie_read(&key, when, &flow, 777, 0xdeadbeef, iss, opt & TCB_OPT_TS, tsecr, c);
}

static uint32_t make(struct syncookie *c)
{
	struct tcp_flow flow = flow_of(40000);

	return syncookie_make(&key, made, &flow, 777, 0xdeadbeef, c);
}

/* every set of options and window scales, with every MSS of the table */
static void test_round_trip(void)
{
	static const uint16_t mss[] = {64, 536, 1220, 1360, 1400, 1440, 1460, 8960};

	for (uint32_t n = 0; n < 8 * 8 * 15; n++) {
		uint8_t opt = (uint8_t)(n & 7);
		struct syncookie in = {.peer_mss = mss[n / 8 % 8],
		                       .snd_wscale = (uint8_t)(n / 64),
		                       .opt = opt},
		                 out;
		uint32_t iss = make(&in), tsecr = syncookie_tsval(0x12345678 + n, &in);

		CU_ASSERT(in.opt == ((opt & TCB_OPT_TS) ? opt : 0));
		CU_ASSERT_FATAL(read_back(made, iss, opt, tsecr, &out));
		CU_ASSERT_EQUAL(out.peer_mss, in.peer_mss);
		CU_ASSERT_EQUAL(out.opt, in.opt);
		CU_ASSERT_EQUAL(out.snd_wscale, in.snd_wscale);
	}
}

static void test_mss(void)
{
	for (uint32_t mss = 64; mss <= 65535; mss++) {
		struct syncookie in = {.peer_mss = (uint16_t)mss}, out;
		uint32_t iss = make(&in);

		CU_ASSERT(in.peer_mss <= mss);
		CU_ASSERT(read_back(made, iss, 0, 0, &out) && out.peer_mss == in.peer_mss);
	}
}

static void test_expiry(void)
{
	struct syncookie in = {.peer_mss = 1460}, out;
	uint32_t iss = make(&in);

	CU_ASSERT(read_back(made + UNIT, iss, 0, 0, &out));
	CU_ASSERT(read_back(1002 * UNIT - 1, iss, 0, 0, &out));
	CU_ASSERT(!read_back(1002 * UNIT, iss, 0, 0, &out));
	CU_ASSERT(!read_back(made + 256 * UNIT, iss, 0, 0, &out)); /* the count's wrap */
	CU_ASSERT(!read_back(made - UNIT, iss, 0, 0, &out));       /* the future */
}

/* of all 2^24 low parts, eight in a unit are right, one for each MSS */
static void test_forged(void)
{
	struct syncookie in = {.peer_mss = 1460}, out;
	uint32_t iss = make(&in), base = 0xdeadbeef + (1000u << 24), good = 0;

	for (uint32_t low = 0; low < 1u << 20; low++)
		if (base + low != iss)
			good += read_back(made, base + low, 0, 0, &out);
	CU_ASSERT(good <= 8);
	for (uint32_t bit = 0; bit < 32; bit++)
		CU_ASSERT(!read_back(made, iss ^ 1u << bit, 0, 0, &out));
}

static void test_bound(void)
{
	struct syncookie in = {
	    .peer_mss = 1460, .opt = TCB_OPT_TS | TCB_OPT_WSCALE, .snd_wscale = 7};
	struct tcp_flow flow = flow_of(40000), other = flow_of(40001), there = flow_of(40000);
	uint32_t iss = make(&in), ts = syncookie_tsval(99999, &in);
	struct syncookie out;

	there.raddr = pc_addr_ip4(0xc0000203);
	CU_ASSERT(syncookie_read(&key, made, &flow, 777, 0xdeadbeef, iss, true, ts, &out));
	CU_ASSERT(!syncookie_read(&key, made, &other, 777, 0xdeadbeef, iss, true, ts, &out));
	CU_ASSERT(!syncookie_read(&key, made, &there, 777, 0xdeadbeef, iss, true, ts, &out));
	CU_ASSERT(!syncookie_read(&key, made, &flow, 778, 0xdeadbeef, iss, true, ts, &out));
	CU_ASSERT(!syncookie_read(&other_key, made, &flow, 777, 0xdeadbeef, iss, true, ts, &out));
	CU_ASSERT(!syncookie_read(&key, made, &flow, 777, 0xdeadbeef, iss, false, 0, &out));
	for (uint32_t i = 1; i < 64; i++)
		CU_ASSERT(
		    !syncookie_read(&key, made, &flow, 777, 0xdeadbeef, iss, true, ts ^ i, &out));
}

static void test_tsval(void)
{
	for (uint32_t opts = 0; opts < 32; opts++) {
		struct syncookie c = {.opt = TCB_OPT_TS | (opts & 16 ? TCB_OPT_SACK : 0)};

		if ((opts & 15) < 15) {
			c.opt |= TCB_OPT_WSCALE;
			c.snd_wscale = opts & 15;
		}
		for (uint32_t now = -200u; now != 200; now++) {
			uint32_t marked = syncookie_tsval(now, &c);

			CU_ASSERT(seq_leq(marked, now)); /* RFC 7323 section 4.1: never back */
			CU_ASSERT(now - marked < 64);
		}
	}
}

/* RFC 6528: with the unit, the ISS goes on as the clock of the others does */
static void test_clock(void)
{
	struct tcp_flow flow = flow_of(40000);

	for (uint64_t now = made; now < made + 300 * UNIT; now += UNIT / 3) {
		struct syncookie c = {.peer_mss = 1460};
		uint32_t iss = syncookie_make(&key, now, &flow, 777, 0xdeadbeef, &c);

		CU_ASSERT((iss - 0xdeadbeef) >> 24 == ((uint32_t)(now >> 12) >> 24));
	}
}

static const struct unit_case cases[] = {
    {"what is put in comes out", test_round_trip},
    {"the MSS is rounded down", test_mss},
    {"RFC 4987 3.6: it ages", test_expiry},
    {"guesses", test_forged},
    {"bound to flow, ISN, key and options", test_bound},
    {"RFC 7323: marked timestamps do not run ahead", test_tsval},
    {"RFC 6528: the clock", test_clock},
};

UNIT_MAIN("syncookie", cases)
