/* SPDX-License-Identifier: BSD-2-Clause */
#include "suite.h"

#include "../../support/eal.h"
#include "link.h"

#include <rte_mbuf.h>

#define MS 1000000ull

static struct rte_mempool *pool;
static struct options options;
static struct pc_port *outer[2]; /* what the two hosts hold of the wires */
static struct link link_;
static char why[200];

static int parse(const char *text)
{
	static char copy[300];
	char *argv[32], *save;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	return options_parse(&options, argc, argv, why, sizeof(why));
}

static void units_are_understood(void)
{
	CU_ASSERT_EQUAL_FATAL(parse("--delay 5ms --jitter 20us --rate 20M --queue 0.1s --loss 1 "
	                            "--burst 0.05% --mtu 1400 --seed 7 --mbufs 1023"),
	                      0);
	CU_ASSERT_EQUAL(options.mbufs, 1023);
	for (int d = 0; d < BOTH; d++) {
		CU_ASSERT_EQUAL(options.dir[d].delay_ns, 5 * MS);
		CU_ASSERT_EQUAL(options.dir[d].jitter_ns, 20000);
		CU_ASSERT_EQUAL(options.dir[d].rate_bps, 20000000);
		CU_ASSERT_EQUAL(options.dir[d].backlog_ns, 100 * MS);
		CU_ASSERT_EQUAL(options.dir[d].rx_loss_ppm, 10000);
		CU_ASSERT_EQUAL(options.dir[d].burst_ppm, 500);
		CU_ASSERT_EQUAL(options.dir[d].mtu, 1400);
		CU_ASSERT_FALSE(options.dir[d].mtu_icmp);
		CU_ASSERT_EQUAL(options.dir[d].seed, 7);
	}
}

static void directions_can_differ(void)
{
	CU_ASSERT_EQUAL_FATAL(parse("--delay 1ms --ab --loss 2 --ba --mtu-icmp 1280 --delay 3ms"),
	                      0);
	CU_ASSERT_EQUAL(options.dir[AB].delay_ns, MS);
	CU_ASSERT_EQUAL(options.dir[AB].rx_loss_ppm, 20000);
	CU_ASSERT_EQUAL(options.dir[AB].mtu, 0);
	CU_ASSERT_EQUAL(options.dir[BA].delay_ns, 3 * MS);
	CU_ASSERT_EQUAL(options.dir[BA].rx_loss_ppm, 0);
	CU_ASSERT_EQUAL(options.dir[BA].mtu, 1280);
	CU_ASSERT_TRUE(options.dir[BA].mtu_icmp);
}

/* A long fat link holds more frames than a short one: as many as it is given mbufs for. */
static void what_is_in_flight_is_bounded_by_the_mbufs(void)
{
	CU_ASSERT_EQUAL_FATAL(parse("--mbufs 50000 --ab --delay 300ms"), 0);
	CU_ASSERT_EQUAL(options.dir[AB].queue, 50000);
	CU_ASSERT_EQUAL(options.dir[BA].queue, 50000);
	CU_ASSERT_EQUAL_FATAL(parse("--delay 300ms"), 0);
	CU_ASSERT_EQUAL(options.dir[AB].queue, 16384);
}

static void mistakes_are_told(void)
{
	static const char *const wrong[] = {
	    "--nonsense 1",   "--loss",
	    "--loss x",       "--loss 101",
	    "--loss -1",      "--delay 5",
	    "--delay 5m",     "extra",
	    "--rate 5mbit",   "--mtu 70000",
	    "--seed",         "--delay nan",
	    "--burst-loss 0", "--burst-loss 0.00001%",
	    "--burst-end 0",  "--reorder-delay 0us",
	    "--mtu 10",       "--mtu-icmp 0",
	    "--mtu 1400.5",   "--rate 0",
	    "--rate 20",      "--rate inf",
	    "--alike 0",      "--mbufs 100",
	    "--seed 1.5",     "--seed 4294967296",
	    "--queue 5ms",    "--loss 1 --burst-end 5",
	};

	for (size_t i = 0; i < ROWS(wrong); i++) {
		why[0] = '\0';
		CHECK_ROW(parse(wrong[i]) == -1 && why[0] != '\0', wrong[i]);
	}
	CU_ASSERT_EQUAL(parse("--loss 1 --delay"), -1);
	CU_ASSERT_STRING_EQUAL(why, "--delay requires a value; see --help");
	CU_ASSERT_EQUAL(parse("--mtu 10"), -1);
	CU_ASSERT_STRING_EQUAL(why, "--mtu: \"10\" is not a whole number from 68 to 65535");
	CU_ASSERT_EQUAL(parse("--rate 20"), -1);
	CU_ASSERT_STRING_EQUAL(why, "--rate: \"20\" is not a rate from 1k to 1000G (example: 20M)");
	CU_ASSERT_EQUAL(parse("--delay 61s"), -1);
	CU_ASSERT_STRING_EQUAL(why, "--delay: \"61s\" is not a time of at most 60s (example: 5ms)");
	CU_ASSERT_EQUAL(parse("--burst 1 --burst-end 0"), -1);
	CU_ASSERT_STRING_EQUAL(why, "--burst-end: \"0\" is not a percentage of more than 0 and at "
	                            "most 100 (example: 0.5)");
	CU_ASSERT_EQUAL(parse("--ab --queue 5ms"), -1);
	CU_ASSERT_STRING_EQUAL(why, "--queue has no effect without --rate");
	CU_ASSERT_EQUAL(parse("--queue 5ms --ab --rate 1k"), 0);
	CU_ASSERT_EQUAL(parse("--help"), 0);
	CU_ASSERT_TRUE(options.help);
	CU_ASSERT_EQUAL(parse(""), 0);
	CU_ASSERT_FALSE(options.help);
}

static void begin(const char *text)
{
	const struct pc_wire_config wire = {.pool = pool, .capacity = 8};
	struct pc_port *inner[2];

	CU_ASSERT_EQUAL_FATAL(parse(text), 0);
	for (int i = 0; i < 2; i++) {
		struct pc_port *e[2];

		CU_ASSERT_EQUAL_FATAL(pc_port_wire(&wire, e), 0);
		outer[i] = e[0];
		inner[i] = e[1];
	}
	CU_ASSERT_EQUAL_FATAL(link_make(&link_, &options, 0, inner, pool), 0);
}

static void end(void)
{
	link_close(&link_);
	pc_port_close(outer[0]);
	pc_port_close(outer[1]);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static bool put(int side, uint8_t number)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	memset(rte_pktmbuf_append(m, 60), number, 60);
	if (outer[side]->ops->tx_burst(outer[side], &m, 1, 0) == 1)
		return true;
	rte_pktmbuf_free(m);
	return false;
}

/* The number of the next frame that comes out there, or -1. */
static int take(int side, uint64_t now)
{
	struct rte_mbuf *m;
	int n;

	if (outer[side]->ops->rx_burst(outer[side], &m, 1, now) == 0)
		return -1;
	n = *rte_pktmbuf_mtod(m, uint8_t *);
	rte_pktmbuf_free(m);
	return n;
}

static void frames_cross_with_their_delays(void)
{
	begin("--ab --delay 10ms --ba --delay 2ms");
	put(0, 1);
	put(1, 2);
	CU_ASSERT_EQUAL(link_turn(&link_, 0), 0);
	CU_ASSERT_EQUAL(link_next(&link_), 2 * MS);
	CU_ASSERT_EQUAL(link_turn(&link_, 2 * MS), 1);
	CU_ASSERT_EQUAL(take(0, 2 * MS), 2);
	CU_ASSERT_EQUAL(take(1, 2 * MS), -1);
	CU_ASSERT_EQUAL(link_turn(&link_, 10 * MS), 1);
	CU_ASSERT_EQUAL(take(1, 10 * MS), 1);
	CU_ASSERT_EQUAL(link_next(&link_), UINT64_MAX);
	put(0, 3); /* on its way when the link is closed */
	link_turn(&link_, 11 * MS);
	end();
}

static void what_a_port_refuses_is_counted(void)
{
	char text[400] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	begin("--delay 1ms");
	for (uint8_t i = 0; i < 8; i++)
		put(0, i);
	link_turn(&link_, 0);
	for (uint8_t i = 0; i < 4; i++)
		put(0, i);
	link_turn(&link_, 0);
	CU_ASSERT_EQUAL(link_turn(&link_, MS), 12);
	CU_ASSERT_EQUAL(link_.refused[1], 4);
	link_report(&link_, 3, out);
	fclose(out);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "link 3 ab: 12 frames, 0 lost"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "4 refused\nlink 3 ba: 0 frames"));
	while (take(1, MS) >= 0)
		;
	end();
}

/* Which of 200 frames cross link number index. */
static void lose(unsigned index, bool *crossed)
{
	struct pc_port *inner[2];
	const struct pc_wire_config wire = {.pool = pool};

	CU_ASSERT_EQUAL_FATAL(parse("--loss 20 --seed 5"), 0);
	for (int i = 0; i < 2; i++) {
		struct pc_port *e[2];

		CU_ASSERT_EQUAL_FATAL(pc_port_wire(&wire, e), 0);
		outer[i] = e[0];
		inner[i] = e[1];
	}
	CU_ASSERT_EQUAL_FATAL(link_make(&link_, &options, index, inner, pool), 0);
	for (uint8_t i = 0; i < 200; i++) {
		put(0, i);
		link_turn(&link_, 0);
		crossed[i] = take(1, 0) == i;
	}
	end();
}

static void chances_follow_from_seed_and_index(void)
{
	bool a[200], b[200], c[200];

	lose(0, a);
	lose(0, b);
	lose(1, c);
	CU_ASSERT_EQUAL(memcmp(a, b, sizeof(a)), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(a, c, sizeof(a)), 0);
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"units are understood", units_are_understood},
	    {"directions can differ", directions_can_differ},
	    {"--mbufs bounds what is in flight", what_is_in_flight_is_bounded_by_the_mbufs},
	    {"mistakes are told", mistakes_are_told},
	    {"frames cross with their delays", frames_cross_with_their_delays},
	    {"what a port refuses is counted", what_a_port_refuses_is_counted},
	    {"chances follow from seed and index", chances_follow_from_seed_and_index},
	};

	eal_start();
	pool = eal_pool("link", 511);
	return unit_run("app/link", cases, ROWS(cases));
}
