/* SPDX-License-Identifier: BSD-2-Clause */
#include "bed.h"

#include <rte_ether.h>

struct bed bed;

static uint16_t rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct bed_port *p = (struct bed_port *)port;

	(void)now_ns;
	n = (uint16_t)RTE_MIN((unsigned)n, p->nb_in);
	memcpy(pkts, p->in, n * sizeof(*pkts));
	p->nb_in -= n;
	memmove(p->in, p->in + n, p->nb_in * sizeof(*pkts));
	return n;
}

static uint16_t tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct bed_port *p = (struct bed_port *)port;

	(void)now_ns;
	n = (uint16_t)RTE_MIN((unsigned)n, p->room);
	memcpy(p->out + p->nb_out, pkts, n * sizeof(*pkts));
	p->nb_out += n;
	p->room -= n;
	return n;
}

static const struct pc_port_ops ops = {.rx_burst = rx_burst, .tx_burst = tx_burst};

void bed_begin(void)
{
	switch_config_init(&bed.config);
	bed.now = BED_SECOND;
	for (unsigned i = 0; i < BED_PORTS; i++) {
		struct bed_port *p = &bed.port[i];

		memset(p, 0, sizeof(*p));
		p->port.ops = &ops;
		p->port.info.link_up = true;
		p->port.info.mtu = 1500;
		p->port.info.socket_id = -1;
		p->room = BED_QUEUE;
		snprintf(p->port.info.name, sizeof(p->port.info.name), "bed%u", i);
	}
}

void bed_make(void)
{
	struct pc_port *ports[BED_PORTS];
	char why[200] = "";

	for (unsigned i = 0; i < BED_PORTS; i++)
		ports[i] = &bed.port[i].port;
	bed.s = vswitch_create(&bed.config, ports, BED_PORTS, bed.pool, why, sizeof(why));
	if (bed.s == NULL)
		fprintf(stderr, "%s\n", why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bed.s);
}

uint64_t bed_count(unsigned port, enum count c)
{
	return vswitch_counts(bed.s, port)->value[c];
}

static void check_ends(unsigned port)
{
	static const enum count ends[] = {
#define END(name, sentence) COUNT_##name,
	    SWITCH_ENDS(END)
#undef END
	};
	uint64_t sum = 0;

	for (size_t i = 0; i < ROWS(ends); i++)
		sum += bed_count(port, ends[i]);
	CU_ASSERT_EQUAL(sum, bed_count(port, COUNT_rx_frames));
}

void bed_end(void)
{
	(void)bed_outs();
	for (unsigned i = 0; i < BED_PORTS; i++)
		check_ends(i);
	CU_ASSERT_TRUE(fdb_validate(vswitch_fdb(bed.s)));
	vswitch_destroy(bed.s);
	bed.s = NULL;
	CU_ASSERT_EQUAL(eal_in_use(bed.pool), 0);
	CU_ASSERT_EQUAL(eal_freed_twice(bed.pool), 0);
}

static void write_mac(uint8_t *p, unsigned station)
{
	if (station == 0) {
		memset(p, 0xff, 6);
		return;
	}
	p[0] = station >= 0x100 && station < 0x200 ? 3 : 2;
	p[1] = 0;
	p[2] = (uint8_t)(station >> 24);
	p[3] = (uint8_t)(station >> 16);
	p[4] = (uint8_t)(station >> 8);
	p[5] = (uint8_t)station;
}

uint64_t bed_key(unsigned station, uint16_t vlan)
{
	uint8_t mac[8] = {0};

	write_mac(mac, station);
	return fdb_key(mac, vlan);
}

struct rte_mbuf *bed_frame(unsigned dst, unsigned src, int tci, unsigned len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);
	uint8_t *p, *type;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	memset(p, 0x5a, len);
	write_mac(p, dst);
	write_mac(p + 6, src);
	type = p + 12;
	if (tci >= 0) {
		type[0] = 0x81;
		type[1] = 0;
		type[2] = (uint8_t)(tci >> 8);
		type[3] = (uint8_t)tci;
		type += 4;
	}
	type[0] = 0x88;
	type[1] = 0xb5; /* for experiments */
	return m;
}

void bed_put(unsigned port, struct rte_mbuf *m)
{
	struct bed_port *p = &bed.port[port];

	CU_ASSERT_FATAL(p->nb_in < BED_QUEUE);
	p->in[p->nb_in++] = m;
}

void bed_turn(void)
{
	vswitch_turn(bed.s, bed.now);
}

void bed_receive(unsigned port, struct rte_mbuf *m)
{
	bed_put(port, m);
	bed_turn();
}

void bed_send(unsigned port, unsigned dst, unsigned src)
{
	bed_receive(port, bed_frame(dst, src, -1, 64));
}

const char *bed_outs(void)
{
	static char text[BED_PORTS + 1];

	for (unsigned i = 0; i < BED_PORTS; i++) {
		struct bed_port *p = &bed.port[i];

		text[i] = (char)('0' + RTE_MIN(p->nb_out, 9u));
		rte_pktmbuf_free_bulk(p->out, p->nb_out);
		p->nb_out = 0;
	}
	return text;
}

int bed_tag(const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

	return p[12] == 0x81 && p[13] == 0 ? p[14] << 8 | p[15] : -1;
}

int bed_run(const char *name, const struct unit_case *cases, size_t n)
{
	eal_start();
	bed.pool = eal_pool("switch", BED_MBUFS);
	return unit_run(name, cases, n);
}
