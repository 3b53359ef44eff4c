/* SPDX-License-Identifier: BSD-2-Clause */

/* Sockets that hear nothing from afar: the Generalized TTL Security Mechanism (RFC 5082), IP_MINTTL and IPV6_MINHOPCOUNT. */

#include "wt.h"

#define NEAR 255
#define AFAR 254

static uint64_t dropped(const struct wt *w)
{
	return wt_count(w, PC_DROP_TCP_MIN_TTL);
}

/* the option of the family that the peer has, or of the other one */
static void limit_by(struct wt *w, int fd, bool ip6, int least)
{
	if (ip6)
		OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &least, sizeof(least)));
	else
		OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_MINTTL, &least, sizeof(least)));
}

static void limit(struct wt *w, int fd, int least)
{
	limit_by(w, fd, wt_ip6, least);
}

static void listen_near(struct wt *w)
{
	wt_listen(w, 8);
	limit(w, w->lfd, NEAR);
	w->peer.ttl = NEAR;
}

/* a connection of a listener with the limit */
static void accepted(struct wt *w)
{
	listen_near(w);
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

/* one that has been opened while there was no limit */
static void limited_later(struct wt *w)
{
	wt_established(w);
	limit(w, w->flow.fd, NEAR);
	w->peer.ttl = NEAR;
}

static void listener(struct wt *w)
{
	listen_near(w);
	w->peer.ttl = AFAR;
	INJECT(.flags = S, .mss = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	NOTHING(3000);
	EQ(dropped(w), 2);
	w->peer.ttl = NEAR;
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
}

static void half_open(struct wt *w)
{
	listen_near(w);
	wt_syn_received(w);
	w->peer.ttl = AFAR;
	INJECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = R, .seq = 1);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	EQ(dropped(w), 2);
	w->peer.ttl = NEAR;
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

static void cookies(struct wt *w)
{
	w->cfg.tcp_syn_cookies = 2; /* always */
	listen_near(w);
	wt_syn_received(w);
	w->peer.ttl = AFAR;
	INJECT(.flags = A, .seq = 1, .ack = 1);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	w->peer.ttl = NEAR;
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	w->peer.ttl = AFAR;
	INJECT(.flags = R, .seq = 1);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EQ(dropped(w), 2);
}

/* What comes from afar is as if it had never come: neither taken, nor answered, nor a sign of life. */
static void hears_nothing(struct wt *w)
{
	w->peer.ttl = AFAR;
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	INJECT(.flags = R, .seq = 1);
	INJECT(.flags = S, .seq = 5, .mss = 1460);
	INJECT(.flags = A, .seq = 70000, .ack = 1);
	INJECT(.flags = FA, .seq = 1, .ack = 1);
	NOTHING(1000);
	EQ(dropped(w), 5);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
	w->peer.ttl = NEAR;
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	EXPECT_IN(0, 100, .flags = A, .seq = 1, .ack = 101);
	INJECT(.flags = R, .seq = 101);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), ECONNRESET);
}

static void of_a_listener(struct wt *w)
{
	accepted(w);
	hears_nothing(w);
}

static void of_its_own(struct wt *w)
{
	limited_later(w);
	hears_nothing(w);
}

static void taken_back(struct wt *w)
{
	limited_later(w);
	limit(w, w->flow.fd, 0);
	w->peer.ttl = 1;
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	EQ(dropped(w), 0);
}

static void opening(struct wt *w)
{
	wt_syn_sent(w);
	limit(w, w->flow.fd, NEAR);
	w->peer.ttl = AFAR;
	INJECT(.flags = RA, .ack = 1);
	INJECT(.flags = SA, .ack = 1, .mss = 1460);
	NOTHING(500);
	EQ(dropped(w), 2);
	w->peer.ttl = NEAR;
	INJECT(.flags = SA, .ack = 1, .mss = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
}

/* The other family's limit, and those of other sockets, do not count. */
static void others(struct wt *w)
{
	wt_established(w);
	if (wt_ip6) /* whose sockets have both */
		limit_by(w, w->flow.fd, false, NEAR);
	limit(w, w->lfd, NEAR);
	w->peer.ttl = AFAR;
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	EXPECT_IN(0, 100, .flags = A, .seq = 1, .ack = 101);
	wt_flow(w);
	w->flow.lport = WT_PORT + 1; /* nobody listens */
	INJECT(.flags = S, .mss = 1460);
	wt_drop(w);
	EQ(wt_count(w, PC_DROP_TCP_CLOSED), 1);
	EQ(dropped(w), 0);
}

static void time_wait(struct wt *w)
{
	wt_time_wait(w);
	OK(pc_close(w->st, w->flow.fd));
	limit(w, w->lfd, NEAR);
	wt_pass(w, 1000);
	w->flow.irs += 100000;
	w->peer.ttl = AFAR;
	INJECT(.flags = S, .mss = 1460);
	NOTHING(100);
	EQ(dropped(w), 1);
	w->flow.iss_known = false;
	w->flow.edge = 0;
	w->peer.ttl = NEAR;
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
}

/* RFC 5082 6.1: "mandates setting and verifying TTL=255 of those [ICMP errors] as well" */
static void icmp(struct wt *w)
{
	limited_later(w);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460);
	w->peer.ttl = AFAR;
	wt_too_big(w, 1300, 1);
	NOTHING(100);
	EQ(wt_count(w, PC_TCP_MIN_TTL_ICMPS), 1);
	w->peer.ttl = NEAR;
	wt_too_big(w, 1300, 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1260, .any_psh = true);
	EQ(wt_count(w, PC_TCP_MIN_TTL_ICMPS), 1);
	wt_drop(w);
}

/* the TTL of the next segment sent, which has these flags */
static uint8_t ttl_of_next(struct wt *w, uint8_t flags)
{
	const struct frame_info *i = wt_next(w, 100);

	CHECK(i != NULL);
	EQ(i->seg.flags, flags);
	return i->ttl;
}

/* What is half open has the TTL of the socket that it comes from, as the peer may hear nothing from afar, too. */
static void answers_of_listener(struct wt *w)
{
	wt_listen(w, 8);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_IP, IP_TTL, &(int){77}, sizeof(int)));
	INJECT(.flags = S, .mss = 1460);
	EQ(ttl_of_next(w, S | A), 77);
	INJECT(.flags = A, .seq = 70000, .ack = 1); /* RFC 9293 3.10.7.4: not in the window */
	EQ(ttl_of_next(w, A), 77);
}

static void port_unreachable(struct wt *w, uint8_t ttl)
{
	const struct frame_ends e = wt_ends(w);
	const struct frame *sent;
	struct frame f;

	frame_udp(&f, &e, 5000, 9, "x", 1);
	wt_inject_frame(w, &f);
	sent = wt_next_frame(w, 0);
	CHECK(sent != NULL);
	EQ(sent->b[14 + 9], IPPROTO_ICMP);
	EQ(sent->b[14 + 8], ttl);
}

/* What no socket sends: nobody from afar can have sent it, either, once there is a socket that hears nothing from there. */
static void answers_of_none(struct wt *w)
{
	static const uint8_t ttl[] = {64, 255};

	wt_time_wait(w);
	OK(pc_close(w->st, w->flow.fd));
	for (unsigned i = 0; i < 2; i++) {
		const struct flow was = w->flow;

		INJECT(.flags = FA, .seq = 1, .ack = 2);
		EQ(ttl_of_next(w, A), ttl[i]);
		wt_flow(w);
		w->flow.lport = WT_PORT + 1; /* nobody listens */
		INJECT(.flags = S, .mss = 1460);
		EQ(ttl_of_next(w, R | A), ttl[i]);
		w->flow = was;
		if (!wt_ip6)
			port_unreachable(w, ttl[i]);
		limit(w, w->lfd, NEAR);
	}
}

static const struct wt_case cases[] = {
    {"RFC 5082 3: a listener hears nobody from afar", listener},
    {"RFC 5082 3: nor does what is half open", half_open},
    {"RFC 5082 3: nor do SYN cookies come back from afar", cookies},
    {"RFC 5082 3: an accepted connection has its listener's limit", of_a_listener},
    {"RFC 5082 3: a connection gets a limit", of_its_own},
    {"RFC 5082 3: a connection that is opened", opening},
    {"RFC 5082 3: a SYN from afar does not begin anew what is in TIME-WAIT", time_wait},
    {"RFC 5082 6.1: ICMP errors from afar are ignored", icmp},
    {"RFC 5082 3: what is half open answers with its listener's TTL", answers_of_listener},
    {"RFC 5082 3: what belongs to no socket is sent with 255", answers_of_none},
    {"a limit of 0 is none", taken_back},
    {"limits of the other family and of other sockets", others},
};
WT_MAIN("gtsm")
