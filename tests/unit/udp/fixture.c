/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <rte_mbuf.h>

#include "../unit.h"

struct net net;
struct udp *udp;
struct events ev;

void start_with(void)
{
	net.ctx.mbufs_spare = net.pool->size;
	net_open(&net);
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	net_resolve(&net, 0, NET_GATEWAY, net_peer_mac);
	CU_ASSERT_EQUAL_FATAL(events_init(&ev, 1, 256, -1), 0);
	udp = udp_create(&net.ctx, &net.ip, &ev, UDP_FIRST_FD);
	CU_ASSERT_PTR_NOT_NULL_FATAL(udp);
}

void start(void)
{
	net_init(&net);
	start_with();
}

void finish(void)
{
	CU_ASSERT_EQUAL(udp_validate(udp), 0);
	udp_destroy(udp);
	events_fini(&ev);
	net_close(&net);
}

struct pc_endpoint endpoint(uint32_t addr_be, uint16_t port)
{
	struct pc_endpoint e = {.port = port};

	if (addr_be != 0)
		e.addr = pc_addr_ip4(addr_be);
	return e;
}

uint32_t bound(uint32_t addr_be, uint16_t port)
{
	const struct pc_endpoint local = endpoint(addr_be, port);
	const int index = udp_open(udp);

	CU_ASSERT_FATAL(index >= 0);
	CU_ASSERT_EQUAL(udp_bind(udp, (uint32_t)index, &local), 0);
	return (uint32_t)index;
}

void watch(uint32_t index)
{
	udp_sock(udp, index)->poll =
	    (struct pollable){.set = 1, .interest = EPOLLIN | EPOLLOUT | EPOLLET};
}

bool told(uint32_t index)
{
	uint32_t fd;

	if (!event_pop(&ev, 0, &fd) || fd != UDP_FIRST_FD + index)
		return false;
	udp_sock(udp, index)->poll.flags &= (uint16_t)~POLLABLE_QUEUED;
	return true;
}

static int input(const struct frame *f)
{
	struct rte_mbuf *m;
	struct ip_pkt p;
	int verdict = net_input(&net, 0, f, &p, &m);

	if (verdict == NEXT_UDP)
		verdict = udp_input(udp, m, &p);
	if (verdict != VERDICT_DONE)
		rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(udp_validate(udp), 0);
	return verdict;
}

int receive(uint32_t src_be, uint16_t sport, uint32_t dst_be, uint16_t dport, uint16_t len)
{
	const struct frame_ends e = net_ends(src_be, dst_be);
	uint8_t payload[1472];
	struct frame f;

	for (unsigned i = 0; i < len; i++)
		payload[i] = (uint8_t)(i + len);
	frame_udp(&f, &e, sport, dport, payload, len);
	return input(&f);
}

bool got(uint32_t index, uint32_t src_be, uint16_t sport, uint32_t len)
{
	struct pc_endpoint from;
	struct rte_mbuf *m = udp_recv(udp, index, &from, false);
	bool same;

	if (m == NULL)
		return false;
	same = m->pkt_len == len && from.port == sport && pc_addr_get_ip4(&from.addr) == src_be;
	for (uint32_t i = 0; i < len && same; i++)
		same = *rte_pktmbuf_mtod_offset(m, uint8_t *, i) == (uint8_t)(i + len);
	rte_pktmbuf_free(m);
	return same;
}

bool empty(uint32_t index)
{
	return udp_recv(udp, index, NULL, true) == NULL && udp_sock(udp, index)->rcv_bytes == 0;
}
