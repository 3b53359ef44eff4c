/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cost of a frame in percore-switch.
 *
 * Overview: a switch on four in-memory ports. A port writes the two MAC addresses of each frame
 * that it delivers, of stations chosen at random, into mbufs that stay warm in the cache, like
 * those of a NIC; transmitted frames are free for the next burst. The same bursts are also passed
 * straight from port to port, without the switch: the difference is the cost of the switch. Medians
 * over many rounds.
 *
 * usage: switch_bench [EAL options] -- [STATIONS] [BURST] [flood]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_mbuf.h>

#include "config.h"
#include "forward.h"

#define PORTS  4
#define STOCK  512
#define BURST  32
#define TURNS  200
#define ROUNDS 201
#define LEN    60

struct memory_port {
	struct pc_port port;
	unsigned index, n;
	struct rte_mbuf *stock[PORTS * STOCK];
};

static struct bench {
	struct rte_mempool *pool;
	struct memory_port port[PORTS];
	unsigned stations, burst;
	bool flood;
	uint32_t state;
	uint64_t frames;
} b;

static unsigned pick(unsigned n)
{
	b.state = b.state * 1664525 + 1013904223;
	return (unsigned)((uint64_t)b.state * n >> 32);
}

/* Station i is behind port i % PORTS. */
static void write_mac(uint8_t *p, unsigned i)
{
	const uint8_t mac[6] = {
	    2, 0, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

	memcpy(p, mac, sizeof(mac));
}

static unsigned station_of(unsigned port)
{
	return pick(b.stations / PORTS) * PORTS + port;
}

static void write_frame(unsigned from, struct rte_mbuf *m)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	const unsigned to = (from + 1 + pick(PORTS - 1)) % PORTS;

	if (b.flood)
		memset(p, 0xff, 6);
	else
		write_mac(p, station_of(to));
	write_mac(p + 6, station_of(from));
	p[12] = 0x08;
	p[13] = 0x00;
}

static uint16_t rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct memory_port *p = (struct memory_port *)port;

	(void)now_ns;
	n = (uint16_t)RTE_MIN(RTE_MIN(n, b.burst), p->n);
	for (unsigned i = 0; i < n; i++) {
		pkts[i] = p->stock[--p->n];
		pkts[i]->port = (uint16_t)p->index;
		write_frame(p->index, pkts[i]);
	}
	b.frames += n;
	return n;
}

/* Returns a frame to its source, once the last reference has been sent. */
static uint16_t tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	(void)port;
	(void)now_ns;
	for (unsigned i = 0; i < n; i++) {
		struct memory_port *home = &b.port[pkts[i]->port];

		if (rte_mbuf_refcnt_read(pkts[i]) > 1)
			(void)rte_mbuf_refcnt_update(pkts[i], -1);
		else
			home->stock[home->n++] = pkts[i];
	}
	return n;
}

static const struct pc_port_ops ops = {.rx_burst = rx_burst, .tx_burst = tx_burst};

static void make_ports(void)
{
	for (unsigned i = 0; i < PORTS; i++) {
		struct memory_port *p = &b.port[i];

		p->index = i;
		p->port.ops = &ops;
		p->port.info.link_up = true;
		p->port.info.mtu = 1500;
		p->port.info.socket_id = -1;
		for (; p->n < STOCK; p->n++) {
			p->stock[p->n] = rte_pktmbuf_alloc(b.pool);
			if (p->stock[p->n] == NULL ||
			    rte_pktmbuf_append(p->stock[p->n], LEN) == NULL)
				exit(2);
		}
	}
}

static struct vswitch *make_switch(void)
{
	static struct switch_config config;
	struct pc_port *ports[PORTS];
	struct vswitch *s;
	char why[200];

	switch_config_init(&config);
	config.entries = RTE_MAX(b.stations * 2u, 8192u);
	config.seed = 1;
	for (unsigned i = 0; i < PORTS; i++)
		ports[i] = &b.port[i].port;
	s = vswitch_create(&config, ports, PORTS, b.pool, why, sizeof(why));
	if (s == NULL) {
		fprintf(stderr, "switch_bench: %s\n", why);
		exit(2);
	}
	return s;
}

/* Measures the ports without a switch in between. */
static void pass_by(void)
{
	struct rte_mbuf *pkts[BURST];

	for (unsigned p = 0; p < PORTS; p++) {
		const uint16_t n = rx_burst(&b.port[p].port, pkts, BURST, 0);

		for (unsigned i = 0; b.flood && i < n; i++)
			(void)rte_mbuf_refcnt_update(pkts[i], PORTS - 2);
		for (unsigned i = 0; i < (b.flood ? PORTS - 1 : 1); i++)
			(void)tx_burst(&b.port[p].port, pkts, n, 0);
	}
}

static int compare(const void *x, const void *y)
{
	const double a = *(const double *)x, c = *(const double *)y;

	return (a > c) - (a < c);
}

/* Cycles per frame, the median of the rounds. */
static double measure(struct vswitch *s)
{
	static double each[ROUNDS];
	uint64_t now = 1;

	for (unsigned r = 0; r < ROUNDS; r++) {
		const uint64_t before = b.frames, begin = rte_rdtsc();

		for (unsigned t = 0; t < TURNS; t++, now += 1000)
			if (s != NULL)
				(void)vswitch_turn(s, now);
			else
				pass_by();
		each[r] = (double)(rte_rdtsc() - begin) / (double)(b.frames - before);
	}
	qsort(each, ROUNDS, sizeof(each[0]), compare);
	return each[ROUNDS / 2];
}

int main(int argc, char **argv)
{
	const int used = rte_eal_init(argc, argv);
	struct vswitch *s;
	double with, without;

	if (used < 0)
		return 2;
	argc -= used;
	argv += used;
	b.stations = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10;
	b.stations = (b.stations + PORTS - 1) / PORTS * PORTS;
	b.burst = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : BURST;
	b.flood = argc > 3;
	b.pool = rte_pktmbuf_pool_create("bench", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
	if (b.pool == NULL)
		return 2;
	make_ports();
	s = make_switch();
	(void)measure(s); /* until the switch knows all stations */
	with = measure(s);
	without = measure(NULL);
	printf("%u stations, bursts of %u: %.1f cycles per %s frame (%.1f with the ports), %.1f "
	       "ns; %" PRIu32 " known\n",
	       b.stations, b.burst, with - without, b.flood ? "flooded" : "forwarded", with,
	       (with - without) * 1e9 / (double)rte_get_tsc_hz(), fdb_count(vswitch_fdb(s)));
	vswitch_destroy(s);
	return 0;
}
