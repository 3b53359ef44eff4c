/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Embedding: a program that brings its own ports, made of two rte_rings, and drives two stacks on them
 * by hand, in one thread, with a clock that it invents.  net_ring hands mbufs on by reference, so
 * what one stack keeps for retransmission must not be what the other one writes into.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <percore/percore.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include "../../support/stack_on.h"
#include "common.h"

#define BYTES (4 << 20)

static struct rte_mempool *pool;

struct end {
	struct pc_stack *st;
	struct pc_port *port;
	int id;
};

static void open_end(struct end *e, const char *name, struct rte_ring *in, struct rte_ring *out,
                     const char *addr, bool ours)
{
	struct rte_mempool *pools[] = {pool};
	const struct pc_ethdev_config config = {.nb_rxd = 64, .nb_txd = 64, .pools = pools};
	struct rte_eth_conf conf = {0};
	struct pc_stack_config sc;

	e->id = rte_eth_from_rings(name, &in, 1, &out, 1, 0);
	CU_ASSERT_FATAL(e->id >= 0);
	if (ours) { /* started by percore, or as a program would that knows nothing of it */
		CU_ASSERT_FATAL(pc_ethdev_start((uint16_t)e->id, &config, NULL, 0) == 0);
	} else {
		CU_ASSERT_FATAL(rte_eth_dev_configure((uint16_t)e->id, 1, 1, &conf) == 0);
		CU_ASSERT_FATAL(rte_eth_rx_queue_setup((uint16_t)e->id, 0, 64, 0, NULL, pool) == 0);
		CU_ASSERT_FATAL(rte_eth_tx_queue_setup((uint16_t)e->id, 0, 64, 0, NULL) == 0);
		CU_ASSERT_FATAL(rte_eth_dev_start((uint16_t)e->id) == 0);
	}
	pc_stack_config_init(&sc);
	sc.stack_max_connections = 64;
	e->port = pc_port_ethdev((uint16_t)e->id, 0, pool);
	CU_ASSERT_FATAL(e->port != NULL);
	e->st = stack_on(&sc, pool, e->port, addr);
}

static void close_end(struct end *e)
{
	pc_stack_destroy(e->st);
	pc_port_close(e->port);
	pc_ethdev_stop((uint16_t)e->id);
}

/* A turn of both stacks; the clock jumps 10 us. */
static void turn(struct end *a, struct end *b, uint64_t *now)
{
	*now += 10000;
	pc_stack_poll(a->st, *now);
	pc_stack_poll(b->st, *now);
	pc_stack_flush(a->st, *now);
	pc_stack_flush(b->st, *now);
}

static int open_socket(struct pc_stack *st, struct sockaddr_in *sin, uint32_t addr)
{
	*sin = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(addr)};
	return pc_socket(st, AF_INET, SOCK_STREAM, 0);
}

/* Takes what has arrived, without copying it. Returns the bytes so far. */
static uint64_t receive(struct pc_stack *st, int fd, uint64_t got)
{
	struct rte_mbuf *m;

	while (pc_recv_mbuf(st, fd, &m, NULL) == 1) {
		for (struct rte_mbuf *s = m; s != NULL; s = s->next)
			for (uint16_t i = 0; i < s->data_len; i++, got++)
				if (rte_pktmbuf_mtod(s, uint8_t *)[i] != (uint8_t)(got % 251)) {
					CU_FAIL_FATAL("the stream is damaged");
				}
		/* it is ours, and nobody else's */
		memset(rte_pktmbuf_mtod(m, uint8_t *), 0xee, m->data_len);
		rte_pktmbuf_free(m);
	}
	return got;
}

static void a_stream_between_two_stacks(bool ours)
{
	struct rte_ring *ab = rte_ring_create("ab", 256, 0, 0),
	                *ba = rte_ring_create("ba", 256, 0, 0);
	uint64_t now = 1, sent = 0, got = 0;
	struct sockaddr_in sin;
	struct end a, b;
	static uint8_t data[251 * 64];
	int listener, client, server = -1;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i % 251);
	open_end(&a, ours ? "a1" : "a2", ba, ab, "10.0.0.1/24", ours);
	open_end(&b, ours ? "b1" : "b2", ab, ba, "10.0.0.2/24", ours);
	listener = open_socket(b.st, &sin, 0x0a000002);
	CU_ASSERT_EQUAL(pc_bind(b.st, listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	CU_ASSERT_EQUAL(pc_listen(b.st, listener, 5), 0);
	client = open_socket(a.st, &sin, 0x0a000002);
	CU_ASSERT_EQUAL(pc_connect(a.st, client, (struct sockaddr *)&sin, sizeof(sin)), -1);
	CU_ASSERT_EQUAL(errno, EINPROGRESS);
	for (int i = 0; i < 200000 && got < BYTES; i++) {
		if (server < 0)
			server = pc_accept(b.st, listener, NULL, NULL);
		while (server > 0 && sent < BYTES) {
			ssize_t n = pc_send(a.st, client, data + sent % 251,
			                    RTE_MIN(sizeof(data) - 251, BYTES - sent), 0);

			if (n < 0)
				break;
			sent += (uint64_t)n;
		}
		turn(&a, &b, &now);
		if (server > 0)
			got = receive(b.st, server, got);
	}
	CU_ASSERT_EQUAL(got, BYTES);
	close_end(&a);
	close_end(&b);
	for (void *m; rte_ring_dequeue(ab, &m) == 0 || rte_ring_dequeue(ba, &m) == 0;)
		rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
	rte_ring_free(ab);
	rte_ring_free(ba);
}

static void on_devices_that_percore_starts(void)
{
	a_stream_between_two_stacks(true);
}

static void on_devices_that_others_have_started(void)
{
	a_stream_between_two_stacks(false);
}

static const struct unit_case cases[] = {
    {"a stream on devices that percore starts", on_devices_that_percore_starts},
    {"a stream on devices that others have started", on_devices_that_others_have_started},
};

int main(void)
{
	eal_start();
	pool = eal_pool("embed", 8191);
	return unit_run("port/embed", cases, sizeof(cases) / sizeof(cases[0]));
}
