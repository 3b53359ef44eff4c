/* SPDX-License-Identifier: BSD-2-Clause */
/* Random frames on random ports, against a switch that is written as plainly as possible. */
#include "base/dice.h"
#include "bed.h"

#define RUNS     150
#define STEPS    300
#define STATIONS 64
#define LEN_MAX  1600
#define COPIES   12
#define AGE      (300 * BED_SECOND)

struct plain_frame {
	unsigned len;
	uint8_t b[LEN_MAX];
};

/** What must come out of a port, in any order. */
struct expected {
	unsigned n;
	struct plain_frame frame[COPIES];
};

static struct station {
	uint8_t mac[6];
	unsigned vlan, port;
	uint64_t seen;
} station[STATIONS];
static unsigned nb_stations;
static struct expected expected[BED_PORTS];
static struct dice dice;

static unsigned below(unsigned n)
{
	return dice_below(&dice, n);
}

static const struct port_config *config_of(unsigned port)
{
	return &bed.config.port[port];
}

static const struct pc_port_info *info_of(unsigned port)
{
	return &bed.port[port].port.info;
}

static bool is_mirror(unsigned port)
{
	for (unsigned i = 0; i < BED_PORTS; i++)
		if (config_of(i)->mirror == port)
			return true;
	return false;
}

/* ---- the plain switch ------------------------------------------------------------------------ */

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static unsigned count_tags(const struct plain_frame *f)
{
	unsigned n = 0;

	while (n < 2 && (get16(f->b + 12 + 4 * n) == 0x8100 || get16(f->b + 12 + 4 * n) == 0x88a8))
		n++;
	return n;
}

static bool fits(const struct plain_frame *f, unsigned port)
{
	return f->len - 14 - 4 * count_tags(f) <= info_of(port)->mtu;
}

static void expect(unsigned port, const struct plain_frame *f)
{
	struct expected *e = &expected[port];

	CU_ASSERT_FATAL(e->n < COPIES);
	e->frame[e->n++] = *f;
}

static void reflect(unsigned port, const struct plain_frame *f)
{
	const unsigned to = config_of(port)->mirror;

	if (to != NO_PORT && info_of(to)->link_up && fits(f, to))
		expect(to, f);
}

/* Sends a frame of a VLAN with its tag, an old or a new one, or without it. */
static void leave_by(unsigned port, const struct plain_frame *f, unsigned vlan)
{
	const bool tagged = get16(f->b + 12) == 0x8100;
	struct plain_frame out = *f;
	unsigned tci = tagged ? (get16(f->b + 14) & 0xf000) | vlan : vlan;

	if (tagged) {
		out.len -= 4;
		memmove(out.b + 12, out.b + 16, out.len - 12);
	}
	if (vlan != config_of(port)->native) {
		memmove(out.b + 16, out.b + 12, out.len - 12);
		out.len += 4;
		memcpy(out.b + 12, (uint8_t[4]){0x81, 0, (uint8_t)(tci >> 8), (uint8_t)tci}, 4);
	}
	if (!fits(&out, port))
		return;
	reflect(port, &out);
	expect(port, &out);
}

static struct station *place_of(const uint8_t *mac, unsigned vlan)
{
	for (unsigned i = 0; i < nb_stations; i++)
		if (memcmp(station[i].mac, mac, 6) == 0 && station[i].vlan == vlan)
			return &station[i];
	return NULL;
}

static const struct station *find(const uint8_t *mac, unsigned vlan)
{
	const struct station *s = place_of(mac, vlan);

	return s != NULL && bed.now - s->seen < AGE ? s : NULL;
}

static void forget(unsigned port)
{
	for (unsigned i = nb_stations; i > 0; i--)
		if (station[i - 1].port == port)
			station[i - 1] = station[--nb_stations];
}

static void learn(const uint8_t *mac, unsigned vlan, unsigned port)
{
	struct station *s = place_of(mac, vlan);

	if (s == NULL) {
		CU_ASSERT_FATAL(nb_stations < STATIONS);
		s = &station[nb_stations++];
	}
	*s = (struct station){.vlan = vlan, .port = port, .seen = bed.now};
	memcpy(s->mac, mac, 6);
}

static bool is_member(unsigned port, unsigned vlan)
{
	return !is_mirror(port) && port_config_has(config_of(port), vlan);
}

/* The VLAN of a frame; -1: it is dropped. */
static int vlan_of(unsigned in, const struct plain_frame *f)
{
	const unsigned vlan = get16(f->b + 12) == 0x8100 ? get16(f->b + 14) & 0xfff : 0;

	if (vlan != 0)
		return is_member(in, vlan) ? (int)vlan : -1;
	return config_of(in)->mode == PORT_TRUNK && config_of(in)->native == 0
	           ? -1
	           : config_of(in)->native;
}

static void enter(unsigned in, const struct plain_frame *f)
{
	const int vlan = vlan_of(in, f);
	const struct station *to;

	reflect(in, f);
	if (is_mirror(in) || !fits(f, in) || vlan < 0 || (f->b[6] & 1) != 0)
		return;
	learn(f->b + 6, (unsigned)vlan, in);
	to = (f->b[0] & 1) != 0 ? NULL : find(f->b, (unsigned)vlan);
	for (unsigned p = 0; p < BED_PORTS; p++)
		if (p != in && info_of(p)->link_up && is_member(p, (unsigned)vlan) &&
		    (to == NULL || to->port == p))
			leave_by(p, f, (unsigned)vlan);
}

/* ---- random frames and settings -------------------------------------------------------------- */

static unsigned make_tag(uint8_t *p)
{
	static const uint16_t vlans[] = {0, 0, 10, 10, 20, 20, 30, 4094, 4095};
	const unsigned tci = below(8) << 13 | below(2) << 12 | vlans[below(ROWS(vlans))];

	memcpy(p, (uint8_t[4]){0x81, 0, (uint8_t)(tci >> 8), (uint8_t)tci}, 4);
	if (below(4) == 0)
		memcpy(p, (uint8_t[2]){0x88, 0xa8}, 2);
	return 4;
}

static void make_frame(struct plain_frame *f)
{
	static const uint8_t groups[2][6] = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	                                     {0x33, 0x33, 0, 0, 0, 1}};
	const unsigned to = below(5);
	unsigned at = 12;

	f->len = below(3) == 0 ? 1480 + below(50) : 60 + below(20);
	for (unsigned i = 0; i < f->len; i++)
		f->b[i] = (uint8_t)(i + f->len);
	/* never from a station to itself: both are looked up before it is learnt */
	memcpy(f->b, (uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)to}, 6);
	memcpy(f->b + 6, (uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)((to + 1 + below(4)) % 5)}, 6);
	if (below(5) == 0)
		memcpy(f->b, groups[below(2)], 6);
	if (below(40) == 0)
		memcpy(f->b + 6, groups[below(2)], 6);
	for (unsigned n = below(4); n > 0; n--)
		at += make_tag(f->b + at);
	memcpy(f->b + at, (uint8_t[2]){0x88, 0xb5}, 2);
}

static void make_port(unsigned port)
{
	static const unsigned vlans[] = {10, 20, 30, 4094};
	struct port_config *c = &bed.config.port[port];

	c->mode = (enum port_mode)below(3);
	if (c->mode == PORT_ACCESS || (c->mode == PORT_TRUNK && below(2) == 0))
		c->native = (uint16_t)vlans[below(ROWS(vlans))];
	for (unsigned i = 0; c->mode == PORT_TRUNK && i < ROWS(vlans); i++)
		if (below(2) == 0)
			c->vlans[vlans[i] / 64] |= UINT64_C(1) << vlans[i] % 64;
	bed.port[port].port.info.mtu = (uint16_t)(below(3) == 0 ? 1490 : 1500);
}

static void make_switch(unsigned seed)
{
	dice_seed(&dice, seed);
	bed_begin();
	for (unsigned i = 0; i < BED_PORTS; i++)
		make_port(i);
	for (unsigned i = 0; i < BED_PORTS - 1 && below(2) == 0; i++)
		bed.config.port[i].mirror = BED_PORTS - 1;
	bed_make();
	nb_stations = 0;
}

/* ---- comparison ------------------------------------------------------------------------------ */

static bool is_same(const struct rte_mbuf *m, const struct plain_frame *f)
{
	uint8_t copy[LEN_MAX];

	return rte_pktmbuf_pkt_len(m) == f->len &&
	       memcmp(rte_pktmbuf_read(m, 0, f->len, copy), f->b, f->len) == 0;
}

/* Says whether exactly what is expected has come out of a port. */
static bool came_out(unsigned port)
{
	const struct bed_port *p = &bed.port[port];
	struct expected *e = &expected[port];

	if (p->nb_out != e->n)
		return false;
	for (unsigned i = 0; i < p->nb_out; i++) {
		unsigned k = 0;

		while (k < e->n && !is_same(p->out[i], &e->frame[k]))
			k++;
		if (k == e->n)
			return false;
		e->frame[k] = e->frame[--e->n];
	}
	return true;
}

static struct rte_mbuf *mbuf_of(const struct plain_frame *f)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	memcpy(rte_pktmbuf_append(m, (uint16_t)f->len), f->b, f->len);
	return m;
}

static void step(unsigned seed, unsigned n)
{
	static struct plain_frame f;
	const unsigned in = below(BED_PORTS), port = below(BED_PORTS);

	bed.now += below(20) == 0 ? below(400) * BED_SECOND : 1000000;
	if (below(20) == 0) {
		bed.port[port].port.info.link_up = !info_of(port)->link_up;
		if (!info_of(port)->link_up)
			forget(port);
	}
	make_frame(&f);
	memset(expected, 0, sizeof(expected));
	if (info_of(in)->link_up) {
		enter(in, &f);
		bed_put(in, mbuf_of(&f));
	}
	bed_turn();
	for (unsigned i = 0; i < BED_PORTS; i++)
		if (!came_out(i)) {
			printf("seed %u, step %u, from %u to %u\n", seed, n, in, i);
			CU_FAIL("something else came out");
		}
	for (unsigned i = 0; i < BED_PORTS; i++)
		bed.port[i].room = BED_QUEUE;
	(void)bed_outs();
}

static void frames_go_where_a_plain_switch_sends_them(void)
{
	for (unsigned seed = 0; seed < RUNS; seed++) {
		make_switch(seed);
		for (unsigned n = 0; n < STEPS; n++)
			step(seed, n);
		bed_end();
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"IEEE 802.1Q 8.6: frames go where a plain switch sends them",
	     frames_go_where_a_plain_switch_sends_them},
	};

	return bed_run("switch/random", cases, ROWS(cases));
}
