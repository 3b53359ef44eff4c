/* SPDX-License-Identifier: BSD-2-Clause */
#include "wt.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/tcp.h>
#include <time.h>

#include <rte_mbuf.h>

/* Overview: the test's application, and how to reach each state of TCP. */

struct sockaddr_in wt_addr(const char *ip, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	a.sin_addr.s_addr = inet_addr(ip);
	return a;
}

ssize_t wt_write(struct wt *w, uint32_t len, int flags)
{
	static uint8_t buf[1 << 20];
	ssize_t n;

	for (uint32_t i = 0; i < len && i < sizeof(buf); i++)
		buf[i] = wt_pattern(0, w->flow.sent + i);
	n = pc_send(w->st, w->flow.fd, buf, len, flags);
	if (n > 0)
		w->flow.sent += (uint32_t)n;
	return n;
}

void wt_send(struct wt *w, uint32_t len)
{
	EQ(wt_write(w, len, 0), len);
	wt_settle(w);
	w->mark = w->now;
}

void wt_read(struct wt *w, uint32_t len)
{
	static uint8_t buf[1 << 16];
	ssize_t n;

	for (uint32_t got = 0; got < len; got += (uint32_t)n) {
		uint32_t want = len - got < sizeof(buf) ? len - got : (uint32_t)sizeof(buf);

		n = pc_recv(w->st, w->flow.fd, buf, want, 0);
		if (n <= 0)
			wt_fail(w, WT_HERE, "read %u of %u bytes, then pc_recv returned %zd (%s)",
			        got, len, n, n < 0 ? strerror(errno) : "end of stream");
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != wt_pattern(1, w->flow.rcvd + (uint32_t)i))
				wt_fail(w, WT_HERE, "byte %u of the stream is %02x, not %02x",
				        w->flow.rcvd + (uint32_t)i, buf[i],
				        wt_pattern(1, w->flow.rcvd + (uint32_t)i));
		w->flow.rcvd += (uint32_t)n;
	}
	wt_settle(w);
	w->mark = w->now;
}

void wt_accept(struct wt *w)
{
	w->flow.fd = pc_accept(w->st, w->lfd, NULL, NULL);
	OK(w->flow.fd);
}

void wt_opt(struct wt *w, int level, int name, int value)
{
	OK(pc_setsockopt(w->st, w->flow.fd, level, name, &value, sizeof(value)));
}

struct sock_extended_err wt_error(struct wt *w, int fd)
{
	char items[256];
	struct msghdr m = {.msg_control = items, .msg_controllen = sizeof(items)};
	struct sock_extended_err ee;

	EQ(pc_recvmsg(w->st, fd, &m, MSG_ERRQUEUE), 0);
	memcpy(&ee, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(ee));
	return ee;
}

struct tcp_info wt_info(struct wt *w)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	OK(pc_getsockopt(w->st, w->flow.fd, IPPROTO_TCP, TCP_INFO, &info, &len));
	return info;
}

struct totals wt_totals(struct wt *w)
{
	char raw[TOTALS_ROOM];
	socklen_t len = sizeof(raw);

	OK(pc_getsockopt(w->st, w->flow.fd, IPPROTO_TCP, TCP_INFO, raw, &len));
	return totals_read(raw, len);
}

ssize_t wt_send_fast(struct wt *w, uint32_t len)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);
	uint8_t buf[3000];
	ssize_t n;

	w->flow.lport = 0;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(w->flow.fd);
	for (uint32_t i = 0; i < len; i++)
		buf[i] = wt_pattern(0, i);
	n = pc_sendto(w->st, w->flow.fd, buf, len, MSG_FASTOPEN, (const struct sockaddr *)&to,
	              sizeof(to));
	if (n > 0)
		w->flow.sent = (uint32_t)n;
	return n;
}

static struct {
	struct rte_mbuf *m[WT_MANY_MBUFS];
	unsigned n;
} taken;

/* Runs the stack until it has checked its pool, which it does not do in every turn. */
static void let_count(struct wt *w)
{
	for (unsigned i = 0; i < 100; i++)
		pc_stack_poll(w->st, w->now);
}

void wt_take_mbufs(struct wt *w, uint32_t left)
{
	wt_start(w);
	for (taken.n = 0; rte_mempool_avail_count(w->pool) > left; taken.n++)
		taken.m[taken.n] = rte_pktmbuf_alloc(w->pool);
	let_count(w);
}

void wt_give_mbufs(struct wt *w)
{
	while (taken.n > 0)
		rte_pktmbuf_free(taken.m[--taken.n]);
	let_count(w);
	wt_settle(w);
	w->mark = w->now;
}

short wt_events(struct wt *w, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};

	OK(pc_poll(w->st, &p, 1));
	return p.revents;
}

uint64_t wt_count(const struct wt *w, enum pc_counter c)
{
	return pc_stack_counters(w->st)->value[c];
}

struct flow wt_flow(struct wt *w)
{
	struct flow old = w->flow;

	w->flow = (struct flow){.peer_be = inet_addr(WT_PEER),
	                        .lport = WT_PORT,
	                        .pport = w->next_pport++,
	                        .irs = UINT32_MAX - 700 + 7919u * w->next_pport % 350,
	                        .iss = 0x12345678,
	                        .fd = -1};
	return old;
}

void wt_flow_from(struct wt *w, const char *peer)
{
	struct frame_ends e;
	struct frame f;

	wt_flow(w);
	w->flow.peer_be = inet_addr(peer);
	e = wt_ends(w);
	memset(e.dst_mac, 0xff, 6);
	frame_arp(&f, &e, 1, NULL);
	wt_inject_frame(w, &f);
}

/* ---- states ---- */

void wt_listen(struct wt *w, int backlog)
{
	const struct sockaddr_in any = wt_addr("0.0.0.0", WT_PORT);
	int one = 1;

	wt_start(w);
	w->lfd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(w->lfd);
	OK(pc_setsockopt(w->st, w->lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	OK(pc_bind(w->st, w->lfd, (const struct sockaddr *)&any, sizeof(any)));
	OK(pc_listen(w->st, w->lfd, backlog));
}

static void inject_syn(struct wt *w, uint8_t flags, uint32_t ack)
{
	INJECT(.flags = flags, .ack = ack, .mss = w->peer.mss, .ws = w->peer.ws,
	       .sackok = w->peer.sackok, .ts = w->peer.ts ? TS : NO_TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12345, .tsecr = w->flow.tsval);
}

static const struct tcp_seg *next_with(struct wt *w, uint8_t flags)
{
	const struct frame_info *i = wt_next(w, 0);

	if (i == NULL)
		wt_fail(w, WT_HERE, "nothing was sent while a state is being reached");
	if ((i->seg.flags & ~TCP_PSH) != flags)
		wt_fail(w, WT_HERE, "flags are %02x, not %02x while a state is being reached",
		        i->seg.flags, flags);
	return &i->seg;
}

void wt_connecting(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);

	wt_start(w);
	w->flow.lport = 0;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(w->flow.fd);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
}

void wt_syn_sent(struct wt *w)
{
	wt_connecting(w);
	next_with(w, S);
}

void wt_syn_received(struct wt *w)
{
	if (w->lfd == 0)
		wt_listen(w, 8);
	inject_syn(w, S, 0);
	EQ(next_with(w, SA)->ack, w->flow.irs + 1);
}

void wt_established(struct wt *w)
{
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

void wt_established_after(struct wt *w, double rtt_ms)
{
	wt_syn_received(w);
	wt_pass(w, rtt_ms);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

void wt_established_active(struct wt *w)
{
	wt_syn_sent(w);
	inject_syn(w, SA, 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
}

void wt_fin_wait_1(struct wt *w)
{
	wt_established(w);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
}

void wt_fin_wait_2(struct wt *w)
{
	wt_fin_wait_1(w);
	INJECT(.flags = A, .seq = 1, .ack = 2);
}

void wt_closing(struct wt *w)
{
	wt_fin_wait_1(w);
	INJECT(.flags = FA, .seq = 1, .ack = 1);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
}

void wt_time_wait(struct wt *w)
{
	wt_fin_wait_2(w);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
}

void wt_time_wait_active(struct wt *w)
{
	wt_established_active(w);
	wt_opt(w, SOL_SOCKET, SO_REUSEADDR, 1);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	OK(pc_close(w->st, w->flow.fd));
}

void wt_close_wait(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = FA, .seq = 1, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 2);
}

void wt_last_ack(struct wt *w)
{
	wt_close_wait(w);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 2);
}
