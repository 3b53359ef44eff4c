/* SPDX-License-Identifier: BSD-2-Clause */
/* Replay: files of all kinds, and frames that leave when they are due, under a clock that the test invents. */
#include "replay.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "unit/unit.h"

#define ETHERNET 1
#define RAW_IP   101
#define MS       UINT64_C(1000000)
#define DAY_S    1000000000u
#define MAC      "\x02\x00\x00\x00\x00\x09"

static char path[] = "/tmp/percore-replay-XXXXXX";
static char why[200];

/** What a file says of a frame; its bytes are its number. */
struct entry {
	uint64_t at_ns;
	uint32_t kept, len;
};

static void put32(FILE *f, uint32_t v)
{
	CU_ASSERT_EQUAL_FATAL(fwrite(&v, sizeof(v), 1, f), 1);
}

/* Writes a pcap file with nanoseconds, or microseconds. */
static void write_file(uint32_t link, bool ns, const struct entry *e, unsigned n)
{
	FILE *f = fopen(path, "wb");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	put32(f, ns ? 0xa1b23c4d : 0xa1b2c3d4);
	put32(f, 2 | 4 << 16);
	put32(f, 0);
	put32(f, 0);
	put32(f, 65535);
	put32(f, link);
	for (unsigned i = 0; i < n; i++) {
		put32(f, DAY_S + (uint32_t)(e[i].at_ns / LOAD_SECOND_NS));
		put32(f, (uint32_t)(e[i].at_ns % LOAD_SECOND_NS / (ns ? 1 : 1000)));
		put32(f, e[i].kept);
		put32(f, e[i].len);
		for (uint32_t k = 0; k < e[i].kept; k++)
			fputc((int)(i + k), f);
	}
	fclose(f);
}

/* ---- reading ----------------------------------------------------------------------------------- */

static void test_read(void)
{
	const struct entry e[] = {{500, 60, 60}, {1500, 100, 100}, {1200, 60, 60}, {9000, 20, 64}};
	struct replay r = {0};

	write_file(ETHERNET, true, e, 4);
	CU_ASSERT_EQUAL_FATAL(replay_read(&r, path, 1514, why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(r.nb_frames, 4);
	CU_ASSERT_EQUAL(r.nb_bytes, 240);
	CU_ASSERT_EQUAL(r.frames[0].at_ns, 0);
	CU_ASSERT_EQUAL(r.frames[1].at_ns, 1000);
	CU_ASSERT_EQUAL(r.frames[2].at_ns, 1000); /* its clock went back */
	CU_ASSERT_EQUAL(r.frames[3].at_ns, 8500);
	CU_ASSERT_EQUAL(r.frames[3].len, 64);
	CU_ASSERT_EQUAL(r.nb_cut, 1);
	CU_ASSERT_EQUAL(r.bytes[r.frames[1].off + 3], 4);
	CU_ASSERT_EQUAL(r.period_ns, 8500 + 8500 / 3);
	replay_fini(&r);
}

/* one with microseconds has the same times as far as it can */
static void test_microseconds(void)
{
	const struct entry e[] = {{1000, 60, 60}, {999999000, 60, 60}, {1000002000, 60, 60}};
	struct replay r = {0};

	write_file(ETHERNET, false, e, 3);
	CU_ASSERT_EQUAL_FATAL(replay_read(&r, path, 1514, why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(r.frames[1].at_ns, 999998000);
	CU_ASSERT_EQUAL(r.frames[2].at_ns, 1000001000);
	replay_fini(&r);
}

static void expect_refused(const char *text)
{
	struct replay r = {0};

	CU_ASSERT_EQUAL(replay_read(&r, path, 1514, why, sizeof(why)), -1);
	CU_ASSERT_STRING_EQUAL(why, text);
	replay_fini(&r);
}

static void test_refused(void)
{
	const struct entry good = {0, 60, 60}, tall[] = {{0, 60, 60}, {1, 1515, 1515}},
	                   small = {0, 13, 13};

	write_file(ETHERNET, true, NULL, 0);
	expect_refused("no frames in the file");
	write_file(RAW_IP, true, &good, 1);
	expect_refused("the frames are not Ethernet: RAW");
	write_file(ETHERNET, true, tall, 2);
	expect_refused("frame 2 has 1515 bytes; only 14 to 1514 can be sent (port.mtu)");
	write_file(ETHERNET, true, &small, 1);
	expect_refused("frame 1 has 13 bytes; only 14 to 1514 can be sent");
	write_file(ETHERNET, true, &good, 1);
	CU_ASSERT_EQUAL(truncate(path, 24 + 16 + 30), 0);
	expect_refused("truncated dump file; tried to read 60 captured bytes, only got 30");
	CU_ASSERT_EQUAL(truncate(path, 0), 0);
	expect_refused("truncated dump file; tried to read 4 file header bytes, only got 0");
}

/* ---- when --------------------------------------------------------------------------------------- */

static void test_due(void)
{
	struct replay_frame frames[] = {{.at_ns = 0}, {.at_ns = 1000}, {.at_ns = 5000}};
	const struct replay r = {.frames = frames, .nb_frames = 3, .period_ns = 7500};
	struct load_config c = {.speed = 100};

	CU_ASSERT_EQUAL(replay_due(&r, &c, 2), 5000);
	CU_ASSERT_EQUAL(replay_due(&r, &c, 3), 7500);
	CU_ASSERT_EQUAL(replay_due(&r, &c, 7), 16000);
	c.speed = 200;
	CU_ASSERT_EQUAL(replay_due(&r, &c, 7), 8000);
	c.speed = 50;
	CU_ASSERT_EQUAL(replay_due(&r, &c, 1), 2000);
	c.speed = 0;
	CU_ASSERT_EQUAL(replay_due(&r, &c, 7), 0);
	c.rate = 1000;
	CU_ASSERT_EQUAL(replay_due(&r, &c, 7), 7 * MS);
}

/* ---- sending ------------------------------------------------------------------------------------- */

static struct bed b;

static const struct entry some[] = {
    {0, 60, 60}, {3 * MS, 1514, 1514}, {3 * MS, 64, 64}, {4 * MS, 30, 200}};

static void begin(void)
{
	write_file(ETHERNET, true, some, 4);
	bed_begin(&b, "replay");
	b.config.file = path;
}

static void check_frame(const struct rte_mbuf *m, unsigned i, bool to_peer)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint32_t from = to_peer ? 2 * RTE_ETHER_ADDR_LEN : 0;
	bool same = true;

	CU_ASSERT_EQUAL(m->pkt_len, some[i].len);
	for (uint32_t k = from; k < some[i].len; k++)
		same = same && p[k] == (k < some[i].kept ? (uint8_t)(i + k) : 0);
	CU_ASSERT(same);
	if (to_peer)
		CU_ASSERT_EQUAL(memcmp(p, MAC, RTE_ETHER_ADDR_LEN), 0);
}

/* Runs to the end, and looks at what comes out of the wire and when: each frame in the turn in which it is due, which
 * replay_due tells. */
static void run(bool to_peer, unsigned turns)
{
	const uint64_t all = 4 * b.config.loops;
	struct rte_mbuf *m[64];
	uint64_t from = 0, n = 0;

	bed_start_other(&b, "rx", NULL);
	for (unsigned t = 0; t < turns && load_turn(b.load, b.now); t++) {
		const struct replay *r = b.load->engine_state;
		const uint16_t got = b.ends[0]->ops->rx_burst(b.ends[0], m, 64, b.now);

		from = from != 0 ? from : r->from;
		for (uint16_t i = 0; i < got; i++, n++) {
			const uint64_t due = from + replay_due(r, &b.config, n);

			CU_ASSERT(due <= b.now && b.now - due < BED_STEP_NS);
			check_frame(m[i], (unsigned)(n % 4), to_peer);
			rte_pktmbuf_free(m[i]);
		}
		b.now += BED_STEP_NS;
	}
	CU_ASSERT_EQUAL(n, all);
	CU_ASSERT_EQUAL(b.load->phase, PHASE_DONE);
	CU_ASSERT_EQUAL(b.load->at_end.answers, all);
	CU_ASSERT_EQUAL(b.load->latency.n, all);
	CU_ASSERT(!load_has_fault(b.load));
	bed_end(&b);
}

static void test_as_captured(void)
{
	begin();
	run(false, 10000);
}

static void test_loops(void)
{
	begin();
	b.config.loops = 3;
	b.config.speed = 400;
	run(false, 10000);
}

static void test_rate(void)
{
	begin();
	b.config.rate = 100;
	run(false, 10000);
}

static void test_to_peer(void)
{
	begin();
	memcpy(b.config.mac, MAC, sizeof(b.config.mac));
	run(true, 10000);
}

static const struct unit_case cases[] = {
    {"a file of nanoseconds", test_read},
    {"a file of microseconds", test_microseconds},
    {"files that are refused", test_refused},
    {"when frames are due", test_due},
    {"as they were captured", test_as_captured},
    {"several times, and faster", test_loops},
    {"at a rate", test_rate},
    {"to one address", test_to_peer},
};

int main(void)
{
	const int fd = mkstemp(path);
	int rc;

	if (fd < 0)
		return EXIT_FAILURE;
	close(fd);
	rc = unit_run("replay", cases, RTE_DIM(cases));
	unlink(path);
	return rc;
}
