/* SPDX-License-Identifier: BSD-2-Clause */

/* The limits of time-outs and of delayed acknowledgements that a socket has of its own: TCP_RTO_MAX_MS, TCP_RTO_MIN_US,
 * TCP_DELACK_MAX_US. */

#include "wt.h"

static int get(struct wt *w, int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	OK(pc_getsockopt(w->st, fd, IPPROTO_TCP, name, &value, &len));
	EQ(len, sizeof(value));
	return value;
}

static int set(struct wt *w, int fd, int name, int value)
{
	return pc_setsockopt(w->st, fd, IPPROTO_TCP, name, &value, sizeof(value));
}

static int so_error(struct wt *w)
{
	int e = -1;
	socklen_t len = sizeof(e);

	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_ERROR, &e, &len));
	return e;
}

/* a connection whose round trip takes a millisecond, measured at the handshake and on n segments */
static void with_rtt(struct wt *w, unsigned n)
{
	wt_established_after(w, 1);
	for (unsigned i = 0; i < n; i++) {
		wt_send(w, 10);
		EXPECT(.flags = PA, .seq = 1 + 10 * i, .ack = 1, .len = 10);
		wt_pass(w, 1);
		INJECT(.flags = A, .seq = 1, .ack = 11 + 10 * i);
	}
}

/* ---- values ---------------------------------------------------------------------------------- */

static void values(struct wt *w)
{
	static const struct {
		int name, least, most;
	} of[] = {{TCP_RTO_MAX_MS, 1000, 120000},
	          {TCP_RTO_MIN_US, 1, 200000},
	          {TCP_DELACK_MAX_US, 1, 200000}};
	int fd;

	wt_start(w);
	fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	EQ(get(w, fd, TCP_RTO_MAX_MS), 120000);
	EQ(get(w, fd, TCP_RTO_MIN_US), 200000);
	EQ(get(w, fd, TCP_DELACK_MAX_US), 40000);
	for (unsigned i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		OK(set(w, fd, of[i].name, of[i].most));
		EQ(get(w, fd, of[i].name), of[i].most);
		OK(set(w, fd, of[i].name, of[i].least));
		EQ(get(w, fd, of[i].name), of[i].least);
		ERR(set(w, fd, of[i].name, of[i].least - 1), EINVAL);
		ERR(set(w, fd, of[i].name, of[i].most + 1), EINVAL);
		ERR(set(w, fd, of[i].name, -1), EINVAL);
		ERR(pc_setsockopt(w->st, fd, IPPROTO_TCP, of[i].name, &of[i].least, 2), EINVAL);
		EQ(get(w, fd, of[i].name), of[i].least);
	}
	OK(pc_close(w->st, fd));
	fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0); /* another has nothing of it */
	EQ(get(w, fd, TCP_RTO_MAX_MS), 120000);
	EQ(get(w, fd, TCP_RTO_MIN_US), 200000);
	EQ(get(w, fd, TCP_DELACK_MAX_US), 40000);
	OK(pc_close(w->st, fd));
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	ERR(set(w, fd, TCP_RTO_MAX_MS, 1000), ENOPROTOOPT);
	OK(pc_close(w->st, fd));
}

/* what is configured is what is told, and holds for all that have nothing of their own */
static void configured(struct wt *w)
{
	char why[100];
	int fd;

	w->cfg.tcp_rto_max_ms = 5000;
	w->cfg.tcp_rto_min_ms = 300;
	w->cfg.tcp_delack_ms = 60;
	wt_start(w);
	fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	EQ(get(w, fd, TCP_RTO_MAX_MS), 5000);
	EQ(get(w, fd, TCP_RTO_MIN_US), 300000);
	EQ(get(w, fd, TCP_DELACK_MAX_US), 60000);
	OK(set(w, fd, TCP_RTO_MIN_US, 2000));
	EQ(pc_stack_set(w->st, "tcp.rto_min_ms", "400", why, sizeof(why)), 0);
	EQ(pc_stack_set(w->st, "tcp.rto_max_ms", "6000", why, sizeof(why)), 0);
	EQ(get(w, fd, TCP_RTO_MIN_US), 2000);
	EQ(get(w, fd, TCP_RTO_MAX_MS), 6000);
	OK(pc_close(w->st, fd));
}

static void inherited(struct wt *w)
{
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_RTO_MAX_MS, 5000));
	OK(set(w, w->lfd, TCP_RTO_MIN_US, 12000));
	OK(set(w, w->lfd, TCP_DELACK_MAX_US, 8000));
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(get(w, w->flow.fd, TCP_RTO_MAX_MS), 5000);
	EQ(get(w, w->flow.fd, TCP_RTO_MIN_US), 12000);
	EQ(get(w, w->flow.fd, TCP_DELACK_MAX_US), 8000);
	OK(set(w, w->flow.fd, TCP_RTO_MAX_MS, 6000)); /* from now on its own */
	EQ(get(w, w->lfd, TCP_RTO_MAX_MS), 5000);
}

/* ---- the ceiling ----------------------------------------------------------------------------- */

static void backs_off(struct wt *w, double rto, double most, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		EXPECT_IN(rto, rto * 1.01 + 2, .flags = PA, .seq = 201, .ack = 1, .len = 10);
		rto = 2 * rto < most ? 2 * rto : most;
	}
}

static void ceiling(struct wt *w)
{
	with_rtt(w, 20);
	wt_opt(w, IPPROTO_TCP, TCP_RTO_MAX_MS, 1000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 201, .ack = 1, .len = 10);
	backs_off(w, 200, 1000, 12);
	INJECT(.flags = A, .seq = 1, .ack = 211);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

static void ceiling_above_the_configured(struct wt *w)
{
	w->cfg.tcp_rto_max_ms = 1000;
	with_rtt(w, 20);
	wt_opt(w, IPPROTO_TCP, TCP_RTO_MAX_MS, 3000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 201, .ack = 1, .len = 10);
	backs_off(w, 200, 3000, 7);
}

/* a time-out that was measured before is no longer from then on, with and without queues (--stash) */
static void ceiling_of_what_was_measured(struct wt *w)
{
	wt_established_after(w, 900);
	IN(wt_info(w).tcpi_rto, 2690000, 2720000);
	wt_opt(w, IPPROTO_TCP, TCP_RTO_MAX_MS, 1500);
	EQ(wt_info(w).tcpi_rto, 1500000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(1500, 1502, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(1500, 1502, .flags = PA, .seq = 1, .ack = 1, .len = 10);
}

/* ... and measured after it */
static void ceiling_of_a_sample(struct wt *w)
{
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_RTO_MAX_MS, 1500));
	wt_established_after(w, 900);
	EQ(wt_info(w).tcpi_rto, 1500000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(1500, 1502, .flags = PA, .seq = 1, .ack = 1, .len = 10);
}

/* Linux: probes of a closed window obey it, too */
static void ceiling_of_probes(struct wt *w)
{
	with_rtt(w, 20);
	wt_opt(w, IPPROTO_TCP, TCP_RTO_MAX_MS, 1000);
	INJECT(.flags = A, .seq = 1, .ack = 201, .wnd = ZERO_WND);
	wt_send(w, 10);
	NOTHING(190);
	wt_pass(w, 500); /* 200 and 400 ms */
	CHECK(wt_drop(w) > 0);
	INJECT(.flags = A, .seq = 1, .ack = 201, .wnd = ZERO_WND);
	wt_pass(w, 2000);
	wt_drop(w);
	for (unsigned i = 0; i < 20; i++) {
		CHECK(wt_next(w, 1010) != NULL);
		INJECT(.flags = A, .seq = 1, .ack = 201, .wnd = ZERO_WND);
	}
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

/* R2 counts repetitions, so it comes sooner; with the user's time-out that counts, as ever */
static void ceiling_and_r2(struct wt *w)
{
	w->cfg.tcp_retries = 5;
	with_rtt(w, 20);
	wt_opt(w, IPPROTO_TCP, TCP_RTO_MAX_MS, 1000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 201, .ack = 1, .len = 10);
	backs_off(w, 200, 1000, 5);
	NOTHING(980);
	EQ(so_error(w), 0);
	wt_pass(w, 50);
	wt_drop(w);
	EQ(so_error(w), ETIMEDOUT);
}

static void ceiling_and_user_timeout(struct wt *w)
{
	w->cfg.tcp_retries = 5;
	with_rtt(w, 20);
	wt_opt(w, IPPROTO_TCP, TCP_RTO_MAX_MS, 1000);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 10000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 201, .ack = 1, .len = 10);
	backs_off(w, 200, 1000, 11); /* the last 9.4 s after the first */
	NOTHING(750);                /* 10 s after the first */
	EQ(so_error(w), 0);
	wt_pass(w, 100);
	wt_drop(w);
	EQ(so_error(w), ETIMEDOUT);
}

static void ceiling_of_syns(struct wt *w)
{
	const struct sockaddr_in a = wt_addr(WT_PEER, 7);

	w->cfg.tcp_rto_initial_ms = 3000;
	wt_start(w);
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	wt_opt(w, IPPROTO_TCP, TCP_RTO_MAX_MS, 1000);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&a, sizeof(a)), EINPROGRESS);
	wt_pass(w, 4500);
	EQ(wt_drop(w), 5);
}

/* RFC 6298 5.7 asks for 3 s, the socket for less */
static void ceiling_after_lost_syn_acks(struct wt *w)
{
	w->peer.ts = false;
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_RTO_MAX_MS, 1500));
	wt_syn_received(w);
	EXPECT_IN(999, 1002, .flags = SA, .ack = 1, .mss = 1460);
	for (unsigned i = 0; i < 3; i++) /* 2, 4 and 8 s without it */
		EXPECT_IN(1499, 1502, .flags = SA, .ack = 1, .mss = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(1499, 1502, .flags = PA, .seq = 1, .ack = 1, .len = 10);
}

/* SYN-ACKs of another listener, which are not due, are never later for it, nor are these later than they would be */
static void ceilings_of_two_listeners(struct wt *w)
{
	const struct sockaddr_in a = wt_addr("0.0.0.0", WT_PORT + 1);
	struct flow first;
	int fd;

	wt_listen(w, 8);
	fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&a, sizeof(a)));
	OK(pc_listen(w->st, fd, 8));
	OK(set(w, fd, TCP_RTO_MAX_MS, 1000));
	wt_syn_received(w);
	EXPECT_IN(999, 1002, .flags = SA, .ack = 1, .mss = 1460);
	first = wt_flow(w);
	w->flow.lport = WT_PORT + 1;
	INJECT(.flags = S, .mss = WT_MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	EXPECT_IN(999, 1002, .flags = SA, .ack = 1, .mss = 1460);
	w->flow = first;
	EXPECT_IN(998, 1002, .flags = SA, .ack = 1,
	          .mss = 1460); /* 2 s, and the other's at the same time */
	wt_drop(w);
	OK(pc_close(w->st, fd));
}

/* ---- the floor ------------------------------------------------------------------------------- */

static void floor_of_its_own(struct wt *w)
{
	with_rtt(w, 40);
	wt_opt(w, IPPROTO_TCP, TCP_RTO_MIN_US, 5000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 401, .ack = 1, .len = 10);
	wt_pass(w, 1);
	INJECT(.flags = A, .seq = 1, .ack = 411); /* it counts from the next sample on */
	IN(wt_info(w).tcpi_rto, 6000, 6200);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 411, .ack = 1, .len = 10);
	EXPECT_IN(6, 6.4, .flags = PA, .seq = 411, .ack = 1, .len = 10);
	EXPECT_IN(12, 12.6, .flags = PA, .seq = 411, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 421);
}

/* never less than a round trip and the clock's granularity, whatever the socket asks for */
static void floor_of_the_clock(struct wt *w)
{
	with_rtt(w, 40);
	wt_opt(w, IPPROTO_TCP, TCP_RTO_MIN_US, 1);
	for (unsigned i = 0; i < 40; i++) {
		wt_send(w, 10);
		EXPECT(.flags = PA, .seq = 401 + 10 * i, .ack = 1, .len = 10);
		wt_pass(w, 1);
		INJECT(.flags = A, .seq = 1, .ack = 411 + 10 * i);
	}
	IN(wt_info(w).tcpi_rto, 1060, 1200);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 801, .ack = 1, .len = 10);
	EXPECT_IN(1.06, 1.4, .flags = PA, .seq = 801, .ack = 1, .len = 10);
}

/* ... below which all others are, too */
static void floor_below_the_configured(struct wt *w)
{
	w->cfg.tcp_rto_min_ms = 1000;
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_RTO_MIN_US, 200000));
	with_rtt(w, 20);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 201, .ack = 1, .len = 10);
	backs_off(w, 200, 120000, 4);
}

/* it is what a tail loss probe waits for the peer's delay (RFC 8985 section 7.2), too, as on Linux */
static void floor_of_loss_probes(struct wt *w)
{
	w->peer.sackok = true;
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_RTO_MIN_US, 50000));
	wt_established_after(w, 100);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(250, 251, .flags = PA, .seq = 1, .ack = 1,
	          .len = 10); /* the time-out is 300 ms */
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
}

/* ---- delayed acknowledgements ---------------------------------------------------------------- */

static void delay(struct wt *w, uint32_t seq, double lo, double hi)
{
	INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 10);
	EXPECT_IN(lo, hi, .flags = A, .seq = 1, .ack = seq + 10);
}

static void delayed_acks(struct wt *w)
{
	w->cfg.tcp_quick_acks = 0;
	wt_established(w);
	delay(w, 1, 40, 40.2);
	wt_opt(w, IPPROTO_TCP, TCP_DELACK_MAX_US, 10000);
	EQ(wt_info(w).tcpi_ato, 10000);
	delay(w, 11, 10, 10.2);
	wt_opt(w, IPPROTO_TCP, TCP_DELACK_MAX_US, 1); /* a tick, and the one that has begun */
	delay(w, 21, 0.06, 0.14);
	wt_opt(w, IPPROTO_TCP, TCP_DELACK_MAX_US, 200000); /* a limit, which makes nothing longer */
	EQ(get(w, w->flow.fd, TCP_DELACK_MAX_US), 200000);
	EQ(wt_info(w).tcpi_ato, 40000);
	delay(w, 31, 40, 40.2);
	wt_read(w, 40);
}

static void delayed_acks_at_once(struct wt *w)
{
	w->cfg.tcp_quick_acks = 0;
	w->cfg.tcp_delack_ms = 0;
	wt_established(w);
	EQ(get(w, w->flow.fd, TCP_DELACK_MAX_US), 0);
	wt_opt(w, IPPROTO_TCP, TCP_DELACK_MAX_US, 10000);
	delay(w, 1, 0, 0.01);
	wt_read(w, 10);
}

static const struct wt_case cases[] = {
    {"TCP_RTO_MAX_MS, TCP_RTO_MIN_US, TCP_DELACK_MAX_US: values", values},
    {"... are what is configured, until they are set", configured},
    {"... are inherited from the listener", inherited},
    {"RFC 6298 2.5: TCP_RTO_MAX_MS is a ceiling", ceiling},
    {"RFC 6298 2.5: ... also above the configured one", ceiling_above_the_configured},
    {"RFC 6298 2.5: ... of what was measured before", ceiling_of_what_was_measured},
    {"RFC 6298 2.5: ... of what is measured", ceiling_of_a_sample},
    {"RFC 6298 2.5: ... of probes of a closed window", ceiling_of_probes},
    {"RFC 9293 3.8.3: ... R2 comes sooner", ceiling_and_r2},
    {"RFC 9293 MUST-21: ... the user time-out does not", ceiling_and_user_timeout},
    {"RFC 6298 2.5: ... of SYNs", ceiling_of_syns},
    {"RFC 6298 2.5: ... of SYN-ACKs, and after lost ones", ceiling_after_lost_syn_acks},
    {"RFC 6298 2.5: ... of two listeners", ceilings_of_two_listeners},
    {"RFC 6298 2.4: TCP_RTO_MIN_US is a floor", floor_of_its_own},
    {"RFC 6298 2.3: ... beneath which is the clock's granularity", floor_of_the_clock},
    {"RFC 6298 2.4: ... below the configured one", floor_below_the_configured},
    {"RFC 8985 7.2: ... of tail loss probes", floor_of_loss_probes},
    {"RFC 9293 3.8.6.3: TCP_DELACK_MAX_US", delayed_acks},
    {"RFC 9293 3.8.6.3: ... where nothing is delayed", delayed_acks_at_once},
};

WT_MAIN("rto")
