/* SPDX-License-Identifier: BSD-2-Clause */
#include "net.h"

#include <stdlib.h>

#include <rte_mbuf.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "base/mbuf.h"
#include "ip/ip4_plain.h"
#include "ip/ip6_plain.h"
#include "ip/route.h"

const uint8_t net_peer_mac[6] = {2, 0, 0, 0, 0, 0x99};
const uint8_t net_broadcast_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct icmp_error net_error;

static struct rte_mempool *net_pool;

static uint16_t port_tx(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct net_port *p = (struct net_port *)port;

	(void)now_ns;
	if (p->refuses)
		return 0;
	for (uint16_t i = 0; i < n; i++) {
		CU_ASSERT_FATAL(p->nb_sent < NET_SENT_MAX);
		p->sent[p->nb_sent++] = pkts[i];
	}
	return n;
}

static const struct pc_port_ops port_ops = {.tx_burst = port_tx};

static void port_init(struct net_port *p, uint8_t last)
{
	p->port.ops = &port_ops;
	p->port.info.mac[0] = 2;
	p->port.info.mac[5] = last;
	p->port.info.mtu = 1500;
	p->port.info.link_up = true;
}

void net_init(struct net *net)
{
	memset(net, 0, sizeof(*net));
	net->pool = net_pool;
	net->ctx.pool = net_pool;
	pc_stack_config_init(&net->ctx.cfg);
	net->ctx.cfg.socket_id = -1;
	rng_seed(&net->ctx.rng, 1);
	ctx_set_time(&net->ctx, UINT64_C(5000000000));
	port_init(&net->port[0], 1);
	port_init(&net->port[1], 2);
}

static struct pc_prefix prefix(uint32_t addr_be, uint8_t len)
{
	return (struct pc_prefix){.addr = pc_addr_ip4(addr_be), .len = (uint8_t)(96 + len)};
}

void net_open(struct net *net)
{
	const struct pc_prefix us = prefix(NET_US, 24), too = prefix(NET_US_TOO, 24);
	const struct pc_prefix all = prefix(0, 0);
	const struct pc_addr gateway = pc_addr_ip4(NET_GATEWAY);
	struct frame f;

	CU_ASSERT_EQUAL_FATAL(ip_init(&net->ip, &net->ctx), 0);
	CU_ASSERT_EQUAL(ip_add_port(&net->ip, &net->port[0].port), 0);
	CU_ASSERT_EQUAL(ip_add_port(&net->ip, &net->port[1].port), 1);
	CU_ASSERT_EQUAL(ip_add_addr(&net->ip, 0, &us), 0);
	CU_ASSERT_EQUAL(ip_add_addr(&net->ip, 1, &too), 0);
	CU_ASSERT_EQUAL(ip_add_route(&net->ip, &all, &gateway), 0);
	net_advance(net, 10);
	CU_ASSERT(net_next(net, 0, &f) && net_next(net, 1, &f) && net_idle(net));
	memset(&net->ctx.counters, 0, sizeof(net->ctx.counters));
}

void net_forget_routes(struct net *net)
{
	for (uint32_t i = 0; i < net->ip.routes.max; i++)
		if (net->ip.routes.route[i].used)
			route_del(&net->ip, i);
}

void net_close(struct net *net)
{
	CU_ASSERT_EQUAL(ip_validate(&net->ip), 0);
	ip_fini(&net->ip);
	for (unsigned i = 0; i < 2; i++)
		for (uint32_t n = net->port[i].nb_seen; n < net->port[i].nb_sent; n++)
			rte_pktmbuf_free(net->port[i].sent[n]);
	ctx_free_done(&net->ctx);
	CU_ASSERT_EQUAL(eal_in_use(net->pool), 0);
}

void net_advance(struct net *net, uint64_t ms)
{
	while (ms > 0) {
		const uint64_t step = ms < 10 ? ms : 10;

		ctx_set_time(&net->ctx, net->ctx.now_ns + step * 1000000);
		ip_poll(&net->ip);
		ms -= step;
	}
	netifs_flush(&net->ip.ifs);
}

static struct rte_mbuf *make_mbuf(struct net *net, const uint8_t *bytes, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(net->pool);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), bytes, len);
	return m;
}

struct rte_mbuf *net_mbuf(struct net *net, const void *bytes, uint32_t len, uint16_t first,
                          uint16_t rest)
{
	uint32_t n = first != 0 && first < len ? first : len;
	struct rte_mbuf *m = make_mbuf(net, bytes, n);

	for (uint32_t off = n; off < len; off += n) {
		n = RTE_MIN(len - off, (uint32_t)rest);
		rte_pktmbuf_chain(m, make_mbuf(net, (const uint8_t *)bytes + off, n));
	}
	return m;
}

struct rte_mbuf *net_payload(struct net *net, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(net->pool);
	uint8_t *p;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)len);
	for (uint32_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i % 251);
	return m;
}

static bool same_packet(const struct ip_pkt *a, const struct ip_pkt *b)
{
	return pc_addr_equal(&a->src, &b->src) && pc_addr_equal(&a->dst, &b->dst) &&
	       a->l3_off == b->l3_off && a->l4_off == b->l4_off && a->l4_len == b->l4_len &&
	       a->laddr == b->laddr && a->netif == b->netif && a->proto == b->proto &&
	       a->ttl == b->ttl && a->tos == b->tos && a->group == b->group &&
	       a->l4_good == b->l4_good;
}

/* The same over IPv6. */
static void compare6(struct net *net, uint8_t netif, struct rte_mbuf *m)
{
	struct ip_pkt plain, p;

	if (ip6_plain_input(&net->ip, m, netif, &plain) == IP6_NOT_PLAIN)
		return;
	CU_ASSERT_EQUAL(eth_input(&net->ip, m, netif), NEXT_IP6);
	CU_ASSERT_EQUAL(ip6_input(&net->ip, m, netif, &p), NEXT_TCP);
	CU_ASSERT(same_packet(&plain, &p) && plain.proto_at == p.proto_at && !plain.fragmented);
}

/* What the short way takes the thorough one takes too, and says the same of it. */
static int input(struct net *net, uint8_t netif, struct rte_mbuf *m, struct ip_pkt *p)
{
	struct ip_pkt plain = {.laddr = LADDR_NONE};
	const int shortly = ip4_plain_input(&net->ip, m, netif, &plain);
	int verdict;

	compare6(net, netif, m);
	verdict = eth_input(&net->ip, m, netif);
	if (shortly != IP4_NOT_PLAIN) {
		CU_ASSERT_EQUAL_FATAL(verdict, NEXT_IP4);
		verdict = ip4_input(&net->ip, m, netif, p);
		CU_ASSERT_EQUAL(verdict, shortly);
		CU_ASSERT(same_packet(&plain, p));
		return verdict == NEXT_ICMP4 ? icmp4_input(&net->ip, m, p, &net_error) : verdict;
	}

	if (verdict == NEXT_ARP)
		verdict = arp_input(net->ip.neigh, m, netif);
	else if (verdict == NEXT_IP4)
		verdict = ip4_input(&net->ip, m, netif, p);
	if (verdict == NEXT_ICMP4)
		verdict = icmp4_input(&net->ip, m, p, &net_error);
	return verdict;
}

int net_input_mbuf(struct net *net, uint8_t netif, struct rte_mbuf *m, struct ip_pkt *p,
                   struct rte_mbuf **keep)
{
	struct ip_pkt scratch;
	const int verdict = input(net, netif, m, p != NULL ? p : &scratch);

	if (keep != NULL)
		*keep = NULL;
	if (verdict != VERDICT_DONE && keep != NULL)
		*keep = m;
	else if (verdict != VERDICT_DONE)
		rte_pktmbuf_free(m);
	netifs_flush(&net->ip.ifs);
	return verdict;
}

/* An mbuf over memory of exactly the frame's size, so that ASan sees every byte read beyond it. */
struct tight {
	struct rte_mbuf_ext_shared_info info;
	uint8_t bytes[];
};

static void tight_free(void *bytes, void *opaque)
{
	(void)bytes;
	free(opaque);
}

static struct rte_mbuf *tight_mbuf(struct net *net, const uint8_t *bytes, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(net->pool);
	struct tight *t = malloc(sizeof(*t) + len);

	CU_ASSERT_FATAL(m != NULL && t != NULL);
	t->info = (struct rte_mbuf_ext_shared_info){.free_cb = tight_free, .fcb_opaque = t};
	rte_mbuf_ext_refcnt_set(&t->info, 1);
	rte_pktmbuf_attach_extbuf(m, t->bytes, RTE_BAD_IOVA, len, &t->info);
	memcpy(rte_pktmbuf_append(m, len), bytes, len);
	return m;
}

int net_input(struct net *net, uint8_t netif, const struct frame *f, struct ip_pkt *p,
              struct rte_mbuf **keep)
{
	return net_input_mbuf(net, netif, tight_mbuf(net, f->b, f->len), p, keep);
}

/* Does what a device with these offloads does, on the bytes of a frame. */
static void offload(const struct rte_mbuf *m, struct frame *f)
{
	const uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
	uint8_t *l3 = f->b + m->l2_len, *field;
	const uint16_t l4_off = (uint16_t)(m->l2_len + m->l3_len);
	uint16_t sum_be;

	if ((m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0) {
		CU_ASSERT(m->l2_len == 14 && m->l3_len == 20);
		CU_ASSERT((m->ol_flags & RTE_MBUF_F_TX_IPV4) != 0);
		CU_ASSERT(l3[10] == 0 && l3[11] == 0);
		frame_fix_ip4(f);
	}
	if (l4 == 0)
		return;
	CU_ASSERT((m->ol_flags & RTE_MBUF_F_TX_IPV4) != 0 && l4_off == 34);
	field = f->b + l4_off + (l4 == RTE_MBUF_F_TX_TCP_CKSUM ? 16 : 6);
	/* the pseudo header's sum is in the field already */
	sum_be = frame_fold(frame_sum(f->b + l4_off, (size_t)(f->len - l4_off), 0));
	if (l4 == RTE_MBUF_F_TX_UDP_CKSUM && sum_be == 0)
		sum_be = UINT16_MAX;
	field[0] = (uint8_t)(sum_be >> 8);
	field[1] = (uint8_t)sum_be;
}

bool net_next(struct net *net, uint8_t netif, struct frame *f)
{
	struct net_port *p = &net->port[netif];
	const void *bytes;
	struct rte_mbuf *m;

	netifs_flush(&net->ip.ifs);
	if (p->nb_seen == p->nb_sent)
		return false;
	m = p->sent[p->nb_seen++];
	memset(f, 0, sizeof(*f));
	CU_ASSERT_FATAL(m->pkt_len <= FRAME_MAX);
	rte_mbuf_sanity_check(m, 1);
	f->len = (uint16_t)m->pkt_len;
	bytes = rte_pktmbuf_read(m, 0, m->pkt_len, f->b);
	if (bytes != f->b)
		memcpy(f->b, bytes, f->len);
	offload(m, f);
	rte_pktmbuf_free(m);
	return true;
}

bool net_idle(struct net *net)
{
	netifs_flush(&net->ip.ifs);
	return net->port[0].nb_seen == net->port[0].nb_sent &&
	       net->port[1].nb_seen == net->port[1].nb_sent;
}

struct frame_ends net_ends(uint32_t src_be, uint32_t dst_be)
{
	struct frame_ends e = {.dst_mac = {2, 0, 0, 0, 0, 1}, .src_be = src_be, .dst_be = dst_be};

	memcpy(e.src_mac, net_peer_mac, 6);
	return e;
}

struct neigh_ref net_neighbour(struct net *net, uint8_t netif, uint32_t addr_be)
{
	const struct pc_addr addr = pc_addr_ip4(addr_be);

	return neigh_lookup(net->ip.neigh, netif, &addr);
}

void net_send(struct net *net, uint8_t netif, uint32_t addr_be, uint32_t len)
{
	neigh_output(net->ip.neigh, net_neighbour(net, netif, addr_be), net_payload(net, len));
}

void net_resolve(struct net *net, uint8_t netif, uint32_t addr_be, const uint8_t *mac)
{
	struct frame_ends e = {.src_be = addr_be,
	                       .dst_be = pc_addr_get_ip4(ip_laddr(&net->ip, netif))};
	struct frame f;

	memcpy(e.src_mac, mac, 6);
	memcpy(e.dst_mac, net->port[netif].port.info.mac, 6);
	net_send(net, netif, addr_be, 40);
	CU_ASSERT(net_next(net, netif, &f));
	frame_arp(&f, &e, 2, e.dst_mac);
	CU_ASSERT_EQUAL(net_input(net, netif, &f, NULL, NULL), VERDICT_DONE);
	CU_ASSERT(net_next(net, netif, &f) && net_idle(net));
	memset(&net->ctx.counters, 0, sizeof(net->ctx.counters));
}

uint64_t net_count(const struct net *net, enum pc_counter c)
{
	return net->ctx.counters.value[c];
}

static struct rte_mbuf *taken[8192];
static unsigned nb_taken;

void net_exhaust(struct net *net)
{
	ctx_free_done(&net->ctx);
	while (nb_taken < 8192 && (taken[nb_taken] = rte_pktmbuf_alloc(net->pool)) != NULL)
		nb_taken++;
}

void net_relent(void)
{
	while (nb_taken > 0)
		rte_pktmbuf_free(taken[--nb_taken]);
}

struct pc_addr net_addr(uint32_t addr_be)
{
	return pc_addr_ip4(addr_be);
}

int net_program(const char *name, const struct unit_case *cases, size_t n)
{
	eal_start();
	if (pkt_register() != 0)
		return EXIT_FAILURE;
	net_pool = eal_pool("net", 2047);
	return unit_run(name, cases, n);
}
