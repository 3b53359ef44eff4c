/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * More connections than mbufs, and a port that receives into the stack's own pool, as devices do: were all of
 * it given to what clients send, no acknowledgement could come in that gives it back.  And a port that takes less
 * than there is to send.
 */
#include <rte_mbuf.h>

#include "fixture.h"

#define NB_DRY  511
#define CLIENTS 700
#define ISS     1000
#define LEN     64

static struct box b;
static struct rte_mempool *dry, *ample;

static struct client {
	uint32_t seq,
	    ack; /* next of ours; next of theirs, which is acknowledged with what comes next */
	uint32_t answered;
	uint16_t wnd;
} client[CLIENTS];

static const uint8_t payload[LEN];

static void inject(unsigned i, uint8_t flags, uint32_t len)
{
	const struct frame_ends e = box_ends();
	const struct tcp_seg s = {.sport = (uint16_t)(5000 + i),
	                          .dport = 80,
	                          .flags = flags,
	                          .seq = client[i].seq,
	                          .ack = client[i].ack,
	                          .wnd = client[i].wnd,
	                          .len = len};
	struct frame f;

	frame_tcp(&f, &e, &s, payload, NULL, 0);
	probe_inject(b.probe, &f);
}

/* takes in what was sent, in order */
static void listen_to(void)
{
	const struct frame *f;

	for (; (f = probe_sent(b.probe)) != NULL; probe_take(b.probe)) {
		struct frame_info info;
		struct client *c;

		CU_ASSERT_PTR_NULL_FATAL(frame_read(f, &info));
		if (info.proto != IPPROTO_TCP)
			continue;
		c = &client[info.seg.dport - 5000];
		if (info.seg.flags & TCP_SYN)
			c->ack = info.seg.seq + 1;
		else if (info.seg.seq == c->ack && info.seg.len > 0)
			c->ack += info.seg.len, c->answered += info.seg.len;
	}
}

/* sends back what has come, in the mbufs in which it came */
static void echo(int epfd, int listener)
{
	struct epoll_event ev[64], in = {.events = EPOLLIN};
	int n = pc_epoll_wait(b.st, epfd, ev, 64);

	for (int i = 0; i < n; i++) {
		struct rte_mbuf *m;
		int fd = ev[i].data.fd;

		if (fd == listener) {
			while ((in.data.fd = pc_accept(b.st, listener, NULL, NULL)) >= 0)
				pc_epoll_ctl(b.st, epfd, EPOLL_CTL_ADD, in.data.fd, &in);
			continue;
		}
		while (pc_recv_mbuf(b.st, fd, &m, NULL) > 0)
			if (pc_send_mbuf(b.st, fd, m, NULL) != 0)
				rte_pktmbuf_free(m);
	}
}

static void turns(int epfd, int listener)
{
	do {
		box_turn(&b, 0);
		echo(epfd, listener);
		box_turn(&b, 1);
		listen_to();
	} while (probe_pending(b.probe) > 0 && eal_in_use(b.st->ctx.pool) < b.st->ctx.pool->size);
}

static int serve(void)
{
	const struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(80)};
	int fd = pc_socket(b.st, AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL_FATAL(pc_bind(b.st, fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	CU_ASSERT_EQUAL_FATAL(pc_listen(b.st, fd, CLIENTS), 0);
	return fd;
}

static void begin(struct rte_mempool *of, int *epfd, int *listener)
{
	const struct pc_prefix us = {.addr = pc_addr_ip4(US), .len = 96 + 24};
	const struct probe_config probe = {.pool = of};
	struct epoll_event in = {.events = EPOLLIN};

	box_init(&b);
	b.cfg.stack_max_connections = CLIENTS + 8;
	b.cfg.tcp_syn_cache = CLIENTS;
	b.cfg.stack_mbufs = of->size;
	b.st = pc_stack_create(&b.cfg, of);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.st);
	b.probe = probe_open(&probe);
	CU_ASSERT_EQUAL(pc_stack_add_port(b.st, probe_port(b.probe)), 0);
	CU_ASSERT_EQUAL(pc_stack_add_addr(b.st, 0, &us), 0);
	*listener = in.data.fd = serve();
	*epfd = pc_epoll_create(b.st);
	CU_ASSERT_EQUAL(pc_epoll_ctl(b.st, *epfd, EPOLL_CTL_ADD, *listener, &in), 0);
	for (unsigned i = 0; i < CLIENTS; i++)
		client[i] = (struct client){.seq = ISS, .wnd = 60000};
}

static void connect_all(int epfd, int listener)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		inject(i, TCP_SYN, 0);
		turns(epfd, listener);
		client[i].seq++;
		inject(i, TCP_ACK, 0);
		turns(epfd, listener);
	}
	CU_ASSERT_EQUAL(box_count(&b, PC_TCP_OPENED_PASSIVE), CLIENTS);
}

static void end(const struct rte_mempool *of)
{
	CU_ASSERT_EQUAL(pc_stack_validate(b.st, stderr), 0);
	pc_stack_destroy(b.st);
	pc_port_close(probe_port(b.probe));
	CU_ASSERT_EQUAL(eal_in_use(of), 0);
}

static void test_requests_of_all(void)
{
	int epfd, listener;
	unsigned left = CLIENTS;

	begin(dry, &epfd, &listener);
	connect_all(epfd, listener);
	/* each asks, and no answer is acknowledged before all have asked */
	for (unsigned i = 0; i < CLIENTS; i++)
		inject(i, TCP_ACK | TCP_PSH, LEN);
	turns(epfd, listener);
	CU_ASSERT_EQUAL_FATAL(probe_pending(b.probe), 0);
	CU_ASSERT(eal_in_use(dry) <= NB_DRY - 8);
	CU_ASSERT(box_count(&b, PC_DROP_TCP_MEMORY) > 0);
	for (unsigned round = 0; left > 0 && round < 8; round++) {
		left = 0;
		for (unsigned i = 0; i < CLIENTS; i++) {
			client[i].seq = ISS + 1 + (client[i].answered >= LEN ? LEN : 0);
			left += client[i].answered < LEN;
			inject(i, TCP_ACK, client[i].answered < LEN ? LEN : 0);
		}
		turns(epfd, listener);
	}
	CU_ASSERT_EQUAL(left, 0);
	end(dry);
}

/* asks and takes the answer, which acknowledges the one before */
static bool ask(unsigned i, int epfd, int listener)
{
	uint32_t answered = client[i].answered;

	inject(i, TCP_ACK | TCP_PSH, LEN);
	turns(epfd, listener);
	client[i].seq += client[i].answered - answered;
	return client[i].answered == answered + LEN;
}

/* those who ask again and again and never read cannot take what those live on who do read */
static void test_readers_that_never_read(void)
{
	int epfd, listener;

	begin(dry, &epfd, &listener);
	connect_all(epfd, listener);
	/* all but the first have had an answer, which has filled their buffers, and ask for more */
	for (unsigned i = 1; i < CLIENTS; i++) {
		CU_ASSERT(ask(i, epfd, listener));
		client[i].wnd = 0;
		inject(i, TCP_ACK, 0);
		turns(epfd, listener);
	}
	for (unsigned round = 0; round < 4; round++)
		for (unsigned i = 1; i < CLIENTS; i++) {
			inject(i, TCP_ACK | TCP_PSH, LEN);
			turns(epfd, listener);
		}
	CU_ASSERT(box_count(&b, PC_DROP_TCP_MEMORY) > 0);
	for (unsigned k = 0; k < 100; k++)
		CU_ASSERT(ask(0, epfd, listener));
	/* nor do the probes of their windows */
	for (unsigned k = 0; k < 300; k++)
		box_turn(&b, 10), listen_to();
	CU_ASSERT(box_count(&b, PC_TCP_PROBES) > 100);
	CU_ASSERT_EQUAL(box_count(&b, PC_TCP_KEEPALIVES), 0);
	for (unsigned k = 0; k < 100; k++)
		CU_ASSERT(ask(0, epfd, listener));
	CU_ASSERT_EQUAL(box_count(&b, PC_TCP_STALLED_RESET), 0);
	CU_ASSERT(eal_in_use(dry) <= NB_DRY - 8);
	end(dry);
}

/* a port that takes nothing for a while, as one whose peer is slow: what is to be sent waits, and nothing is lost */
static void test_answers_for_a_port_that_is_busy(void)
{
	int epfd, listener;
	unsigned answered = 0;

	begin(ample, &epfd, &listener);
	connect_all(epfd, listener);
	probe_limit_tx(b.probe, 0);
	for (unsigned i = 0; i < CLIENTS; i++)
		inject(i, TCP_ACK | TCP_PSH, LEN);
	turns(epfd, listener);
	probe_limit_tx(b.probe, 64);
	for (unsigned i = 0; i < 2 * CLIENTS / 64; i++)
		turns(epfd, listener);
	for (unsigned i = 0; i < CLIENTS; i++)
		answered += client[i].answered == LEN;
	CU_ASSERT_EQUAL(answered, CLIENTS);
	CU_ASSERT_EQUAL(box_count(&b, PC_TX_RING_FULL), 0);
	CU_ASSERT_EQUAL(box_count(&b, PC_TCP_RETRANSMITS), 0);
	end(ample);
}

#define PORTS 8

/* many ports that receive what nobody reads: the mbufs that are left are counted often enough */
static void test_many_ports(void)
{
	static struct probe *probe[PORTS];
	const struct probe_config config = {.pool = ample};
	int fd;

	box_init(&b);
	b.cfg.stack_mbufs = ample->size;
	b.st = pc_stack_create(&b.cfg, ample);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.st);
	for (uint8_t i = 0; i < PORTS; i++) { /* 192.0.2.1, 192.0.3.1 and so on */
		const struct pc_prefix us = {.addr = pc_addr_ip4(US + ((uint32_t)i << 16)),
		                             .len = 96 + 24};

		probe[i] = probe_open(&config);
		CU_ASSERT_EQUAL(pc_stack_add_port(b.st, probe_port(probe[i])), i);
		CU_ASSERT_EQUAL(pc_stack_add_addr(b.st, i, &us), 0);
	}
	fd = box_serve(&b, SOCK_DGRAM, 53);
	CU_ASSERT_EQUAL(
	    pc_setsockopt(b.st, fd, SOL_SOCKET, SO_RCVBUF, &(int){1 << 29}, sizeof(int)), 0);
	for (unsigned turn = 0; turn < 40; turn++) {
		for (unsigned i = 0; i < PORTS; i++) {
			struct frame_ends e = box_ends();
			struct frame f;

			e.src_be += i << 16;
			e.dst_be += i << 16;
			frame_udp(&f, &e, 1000, 53, payload, LEN);
			while (probe_pending(probe[i]) < 32)
				probe_inject(probe[i], &f);
		}
		box_turn(&b, 0);
	}
	CU_ASSERT(box_count(&b, PC_UDP_RX) > ample->size / 2);
	CU_ASSERT(box_count(&b, PC_DROP_UDP_RCVBUF) > 0);
	CU_ASSERT(rte_mempool_avail_count(ample) >= mbufs_kept(ample->size) * 3 / 4);
	pc_stack_destroy(b.st);
	for (unsigned i = 0; i < PORTS; i++)
		pc_port_close(probe_port(probe[i]));
	CU_ASSERT_EQUAL(eal_in_use(ample), 0);
}

int main(void)
{
	static const struct unit_case cases[] = {
	    {"requests of more connections than there are mbufs", test_requests_of_all},
	    {"readers that never read", test_readers_that_never_read},
	    {"answers for a port that is busy", test_answers_for_a_port_that_is_busy},
	    {"many ports", test_many_ports},
	};

	eal_start();
	pool = dry = eal_pool("dry", NB_DRY);
	ample = eal_pool("ample", 4095);
	if (pkt_register() != 0)
		return EXIT_FAILURE;
	return unit_run("stack exhaust", cases, sizeof(cases) / sizeof(cases[0]));
}
