/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#include <rte_mbuf.h>

#include "../unit.h"

/* mbufs for new data, which the stack counts anew from time to time */
#define SPARE (1u << 16)

struct net net;
struct tcp *tcp;
struct events ev;
struct frame_info got;

static struct frame frame;
static uint16_t next_pport;

void prepare(void)
{
	struct pc_stack_config *cfg = &net.ctx.cfg;

	net_init(&net);
	cfg->stack_max_connections = 64;
	cfg->stack_max_listeners = 8;
	cfg->stack_mbufs = 8191;
	cfg->tcp_syn_cache = 16;
	cfg->tcp_time_wait = 16;
	cfg->tcp_quick_acks = 0;
	cfg->arp_reachable_ms = cfg->arp_stale_ms = 86400000;
	net.ctx.mbufs_spare = SPARE;
	next_pport = 4000;
}

void start_with(void)
{
	net_open(&net);
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	net_resolve(&net, 0, NET_GATEWAY, net_peer_mac);
	CU_ASSERT_EQUAL_FATAL(events_init(&ev, 2, 256, -1), 0);
	tcp = tcp_create(&net.ctx, &net.ip, &ev, TCP_FIRST_FD);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tcp);
}

void start(void)
{
	prepare();
	start_with();
}

void finish(void)
{
	CU_ASSERT(clean());
	tcp_destroy(tcp);
	tcp = NULL;
	events_fini(&ev);
	net_close(&net);
}

bool clean(void)
{
	return tcp_validate(tcp, stderr) == 0;
}

uint64_t count(enum pc_counter c)
{
	return net_count(&net, c);
}

/* the bytes repeat after PERIOD; twice as many are written down, and compared at once: one by one it took most of a
 * test's time under a sanitizer */
#define PERIOD 65536u

static const uint8_t *payload_at(uint32_t seq)
{
	static uint8_t bytes[2 * PERIOD];

	if (bytes[1] != byte_at(1))
		for (uint32_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = byte_at(i);
	return bytes + seq % PERIOD;
}

void payload(void *to, uint32_t seq, uint32_t len)
{
	for (uint32_t done = 0, n; done < len; done += n) {
		n = RTE_MIN(len - done, PERIOD);
		memcpy((uint8_t *)to + done, payload_at(seq + done), n);
	}
}

bool is_payload(const void *p, uint32_t seq, uint32_t len)
{
	for (uint32_t done = 0, n; done < len; done += n) {
		n = RTE_MIN(len - done, PERIOD);
		if (memcmp((const uint8_t *)p + done, payload_at(seq + done), n) != 0)
			return false;
	}
	return true;
}

struct rte_mbuf *payload_mbuf(uint32_t seq, uint32_t len, uint32_t part)
{
	struct rte_mbuf *head = NULL;

	for (uint32_t done = 0, n; done < len || head == NULL; done += n) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(net.pool);

		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		n = RTE_MIN(len - done, part != 0 ? part : (uint32_t)rte_pktmbuf_tailroom(m));
		payload(rte_pktmbuf_append(m, (uint16_t)n), seq + done, n);
		if (head == NULL)
			head = m;
		else
			CU_ASSERT_EQUAL(rte_pktmbuf_chain(head, m), 0);
	}
	return head;
}

struct tcb *conn(uint8_t opt)
{
	const struct pc_addr peer = pc_addr_ip4(NET_PEER);
	struct tcb *t = tcp_socket(tcp);

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	t->flow.raddr = peer;
	t->flow.lport = LPORT;
	t->flow.rport = next_pport++;
	t->opt = opt;
	t->peer_mss = MSS;
	t->snd_una = t->snd_nxt = ISS;
	t->snd_wl1 = IRS;
	t->snd_wnd = t->snd_max_wnd = 65535;
	t->rcv_nxt = t->last_ack_sent = IRS;
	t->rcv_adv = IRS + 65535;
	CU_ASSERT_EQUAL(tcb_set_path(tcp, t, &peer, LADDR_NONE, 0), 0);
	tcb_enter(tcp, t);
	tcb_establish(tcp, t);
	t->poll =
	    (struct pollable){.set = 1, .interest = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
	return t;
}

struct tcb *listener(uint16_t port, int backlog)
{
	const struct pc_endpoint any = {.addr = pc_addr_ip4(0), .port = port};
	struct tcb *t = tcp_socket(tcp);

	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT_EQUAL(tcp_bind(tcp, t, &any), 0);
	CU_ASSERT_EQUAL(tcp_listen(tcp, t, backlog), 0);
	t->poll = (struct pollable){.set = 1, .interest = EPOLLIN | EPOLLET};
	return t;
}

int receive_mbuf(uint16_t pport, uint16_t lport, struct tcp_seg s, uint16_t first, uint16_t rest)
{
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	static uint8_t bytes[2048];
	struct tcp_pending seg = {0};
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;
	int verdict;

	s.sport = pport;
	s.dport = lport;
	payload(bytes, s.seq, s.len);
	frame_tcp(&f, &e, &s, bytes, NULL, 0);
	verdict = net_input_mbuf(&net, 0, net_mbuf(&net, f.b, f.len, first, rest), &p, &m);
	CU_ASSERT_EQUAL_FATAL(verdict, NEXT_TCP);
	verdict = tcp_rx_parse(tcp, m, &p, &seg.rx, TCP_RX_ANY);
	if (verdict == VERDICT_DONE) {
		tcp_rx_prefetch(tcp, &seg, 1);
		verdict = tcp_input(tcp, m, &p, &seg.rx);
	}
	if (verdict != VERDICT_DONE)
		rte_pktmbuf_free(m);
	netifs_flush(&net.ip.ifs);
	return verdict;
}

int receive(uint16_t pport, uint16_t lport, struct tcp_seg s)
{
	return receive_mbuf(pport, lport, s, 0, 0);
}

int input(struct tcb *t, struct tcp_seg s)
{
	net.ctx.turn++;
	return receive(t->flow.rport, t->flow.lport, s);
}

int input_data(struct tcb *t, uint32_t seq, uint32_t len)
{
	return input(
	    t, SEG(.flags = TCP_ACK, .seq = seq, .ack = t->snd_nxt, .len = len, .wnd = 65535));
}

int input_ack(struct tcb *t, uint32_t ack)
{
	return input(t, SEG(.flags = TCP_ACK, .seq = t->rcv_nxt, .ack = ack, .wnd = 65535));
}

void turn(void)
{
	net.ctx.mbufs_spare = SPARE;
	tcp_flush(tcp);
	netifs_flush(&net.ip.ifs);
}

void pass(uint64_t ms)
{
	for (; ms > 0; ms--) {
		ctx_set_time(&net.ctx, net.ctx.now_ns + 1000000);
		tcp_poll(tcp);
		ip_poll(&net.ip);
		turn();
	}
}

bool next_segment(void)
{
	for (;;) {
		struct net_port *p = &net.port[0];
		const char *wrong;

		if (!net_next(&net, 0, &frame)) {
			p->nb_seen = p->nb_sent = 0;
			return false;
		}
		if (frame.b[12] == 8 && frame.b[13] == 6)
			continue;
		wrong = frame_read(&frame, &got);
		if (wrong != NULL)
			fprintf(stderr, "a bad frame was sent: %s\n", wrong);
		CU_ASSERT_PTR_NULL(wrong);
		return true;
	}
}

bool sent(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	const struct tcp_seg *s = &got.seg;

	if (!next_segment()) {
		fprintf(stderr, "expected flags %02x seq %u ack %u len %u, got nothing\n", flags,
		        seq, ack, len);
		return false;
	}
	if (s->flags == flags && s->seq == seq && s->ack == ack && s->len == len &&
	    is_payload(got.payload, seq, len))
		return true;
	fprintf(stderr, "expected flags %02x seq %u ack %u len %u, got %02x %u %u %u\n", flags, seq,
	        ack, len, s->flags, s->seq, s->ack, s->len);
	return false;
}

bool silent(void)
{
	if (!next_segment())
		return true;
	fprintf(stderr, "expected nothing, got flags %02x seq %u ack %u len %u\n", got.seg.flags,
	        got.seg.seq, got.seg.ack, got.seg.len);
	return false;
}

void forget(void)
{
	while (next_segment())
		;
}

ssize_t write_bytes(struct tcb *t, uint32_t len)
{
	uint8_t *bytes = malloc(len);
	const struct iovec iov = {.iov_base = bytes, .iov_len = len};
	ssize_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	payload(bytes, t->snd_una + t->snd_bytes, len);
	n = tcp_send(tcp, t, &iov, 1, 0);
	free(bytes);
	return n;
}

ssize_t read_bytes(struct tcb *t, uint32_t seq, uint32_t len)
{
	uint8_t *bytes = malloc(len);
	const struct iovec iov = {.iov_base = bytes, .iov_len = len};
	ssize_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	n = tcp_recv(tcp, t, &iov, 1, false);
	CU_ASSERT(n <= 0 || is_payload(bytes, seq, (uint32_t)n));
	free(bytes);
	return n;
}

bool told(struct tcb *t)
{
	bool found = false;
	uint32_t fd;

	while (event_pop(&ev, 0, &fd)) {
		tcp_tcb(tcp, fd - TCP_FIRST_FD)->poll.flags &= (uint16_t)~POLLABLE_QUEUED;
		found |= fd - TCP_FIRST_FD == tcp_index(tcp, t);
	}
	return found;
}
