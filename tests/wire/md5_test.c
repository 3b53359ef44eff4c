/* SPDX-License-Identifier: BSD-2-Clause */

/* Signed segments (TCP-MD5, RFC 2385): what goes out with a signature, and what is dropped for want of a good one. */

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include "frame6.h"
#include "wt.h"

#define MSS 1460
#define KEY "correct horse"
#define NEW "battery staple"

/* ---- keys ------------------------------------------------------------------------------------- */

static struct tcp_md5sig key_for(const char *peer, const char *password)
{
	struct tcp_md5sig k = {.tcpm_keylen = (uint16_t)strlen(password)};
	const struct pc_addr peer6 = addr6_of4(inet_addr(peer));
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};

	memcpy(k.tcpm_key, password, strlen(password));
	in.sin_addr.s_addr = inet_addr(peer);
	memcpy(&in6.sin6_addr, &peer6, 16);
	if (wt_ip6)
		memcpy(&k.tcpm_addr, &in6, sizeof(in6));
	else
		memcpy(&k.tcpm_addr, &in, sizeof(in));
	return k;
}

static int set(struct wt *w, int fd, int name, const struct tcp_md5sig *k)
{
	return pc_setsockopt(w->st, fd, IPPROTO_TCP, name, k, sizeof(*k));
}

static int set_key(struct wt *w, int fd, const char *password)
{
	const struct tcp_md5sig k = key_for(WT_PEER, password);

	return set(w, fd, TCP_MD5SIG, &k);
}

/* bits of an IPv4 prefix */
static int set_prefix(struct wt *w, int fd, const char *peer, unsigned bits, const char *password)
{
	struct tcp_md5sig k = key_for(peer, password);

	k.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
	k.tcpm_prefixlen = (uint8_t)(wt_ip6 ? 96 + bits : bits);
	return set(w, fd, TCP_MD5SIG_EXT, &k);
}

/* ---- states ----------------------------------------------------------------------------------- */

static void listen_keyed(struct wt *w)
{
	wt_listen(w, 8);
	OK(set_key(w, w->lfd, KEY));
}

/* from SYN to accept(); the peer offers nothing but its MSS */
static void open_with(struct wt *w, const char *password)
{
	const uint16_t mss = w->mtu != 0 ? (uint16_t)(w->mtu - 40) : MSS;

	INJECT(.flags = S, .mss = MSS, .md5 = password);
	EXPECT(.flags = SA, .ack = 1, .mss = mss, .md5 = password);
	INJECT(.flags = A, .seq = 1, .ack = 1, .md5 = password);
	wt_accept(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
}

static void established(struct wt *w)
{
	listen_keyed(w);
	open_with(w, KEY);
}

static void connect_keyed(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);

	w->cfg.tcp_window_scaling = 0;
	wt_start(w);
	w->flow.lport = 0;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(w->flow.fd);
	OK(set_key(w, w->flow.fd, KEY));
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
}

/* ---- what is signed --------------------------------------------------------------------------- */

static void passive(struct wt *w)
{
	established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100, .md5 = KEY);
	wt_read(w, 100);
	EXPECT_IN(0, 100, .flags = A, .seq = 1, .ack = 101, .md5 = KEY);
	wt_send(w, 300);
	EXPECT(.flags = PA, .seq = 1, .ack = 101, .len = 300, .md5 = KEY);
	INJECT(.flags = A, .seq = 101, .ack = 301, .md5 = KEY);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 301, .ack = 101, .md5 = KEY);
	INJECT(.flags = FA, .seq = 101, .ack = 302, .md5 = KEY);
	EXPECT(.flags = A, .seq = 302, .ack = 102, .md5 = KEY);
}

static void active(struct wt *w)
{
	connect_keyed(w);
	/* no timestamps beside a signature, as on Linux */
	EXPECT(.flags = S, .mss = MSS, .sackok = true, .ts = NO_TS, .md5 = KEY);
	INJECT(.flags = SA, .ack = 1, .mss = MSS, .sackok = true, .md5 = KEY);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .md5 = KEY);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .md5 = KEY);
	INJECT(.flags = FA, .seq = 1, .ack = 11, .md5 = KEY);
	EXPECT(.flags = A, .seq = 11, .ack = 2, .md5 = KEY);
}

static void again(struct wt *w)
{
	established(w);
	wt_send(w, 200);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 200, .md5 = KEY);
	/* a loss probe, then a time-out */
	EXPECT_IN(1, 3000, .flags = PA, .seq = 1, .ack = 1, .len = 200, .md5 = KEY);
	EXPECT_IN(1, 6000, .flags = PA, .seq = 1, .ack = 1, .len = 200, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 201, .md5 = KEY);
}

/* RFC 4821: a probe of the path's MTU has room for the option, too */
static void mtu_probe(struct wt *w)
{
	const uint32_t most = MSS - 20;
	const struct frame_info *i;
	uint32_t largest = 0;

	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 30;
	established(w);
	wt_send(w, 20 * MSS);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	while ((i = wt_next(w, 0)) != NULL)
		largest = i->seg.len > largest ? i->seg.len : largest;
	EQ(largest, most);
}

static void syn_ack_again(struct wt *w)
{
	listen_keyed(w);
	INJECT(.flags = S, .mss = MSS, .md5 = KEY);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .md5 = KEY);
	EXPECT_IN(990, 1010, .flags = SA, .ack = 1, .mss = MSS, .md5 = KEY);
	/* one that is not acceptable is answered in the same way */
	INJECT(.flags = A, .seq = 70000, .ack = 1, .md5 = KEY);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .md5 = KEY);
	INJECT(.flags = R, .seq = 1, .md5 = KEY);
	EQ(wt_count(w, PC_DROP_TCP_RST), 1);
}

static void window_probe(struct wt *w)
{
	established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND, .md5 = KEY);
	wt_send(w, 5);
	EXPECT_IN(150, 3000, .flags = A, .seq = 1, .ack = 1, .len = 1, .any_psh = true, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 2, .md5 = KEY);
	EXPECT(.flags = PA, .seq = 2, .ack = 1, .len = 4, .md5 = KEY);
}

static void keep_alive(struct wt *w)
{
	established(w);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPIDLE, 2);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	EXPECT_IN(1990, 2010, .flags = A, .seq = 0, .ack = 1, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 1, .md5 = KEY);
}

static void abort_signed(struct wt *w)
{
	const struct linger l = {.l_onoff = 1};

	established(w);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = RA, .seq = 1, .ack = 1, .md5 = KEY);
}

static void time_wait(struct wt *w)
{
	established(w);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1, .md5 = KEY);
	INJECT(.flags = FA, .seq = 1, .ack = 2, .md5 = KEY);
	EXPECT(.flags = A, .seq = 2, .ack = 2, .md5 = KEY);
	/* the listener's key may change: the connection's was a copy */
	OK(set_key(w, w->lfd, NEW));
	INJECT(.flags = FA, .seq = 1, .ack = 2, .md5 = KEY);
	EXPECT(.flags = A, .seq = 2, .ack = 2, .md5 = KEY);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_MD5_NOT_FOUND), 1);
	INJECT(.flags = FA, .seq = 1, .ack = 2, .md5 = NEW);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_MD5_FAILURE), 1);
	/* who begins anew does so with the key that holds now */
	INJECT(.flags = S, .seq = 100000, .mss = MSS, .md5 = KEY);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_MD5_FAILURE), 2);
	INJECT(.flags = S, .seq = 100000, .mss = MSS, .md5 = NEW);
	w->flow.iss_known = false;
	w->flow.edge = 0;
	EXPECT(.flags = SA, .ack = 100001, .mss = MSS, .md5 = NEW);
}

static void time_wait_ends(struct wt *w)
{
	w->cfg.tcp_msl_ms = 100;
	time_wait(w);
	wt_pass(w, 300);
	wt_drop(w);
}

/* ---- resets of what is not there -------------------------------------------------------------- */

static void reset_by_listener(struct wt *w)
{
	listen_keyed(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .md5 = KEY);
	EXPECT(.flags = R, .seq = 1, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	NOTHING(100);
	INJECT(.flags = A, .seq = 1, .ack = 1, .md5 = NEW);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_MD5_NOT_FOUND), 1);
	EQ(wt_count(w, PC_DROP_TCP_MD5_FAILURE), 1);
}

/* Linux: "active side is lost. Try to find listening socket through source port" */
static void reset_by_port_of_peer(struct wt *w)
{
	listen_keyed(w);
	wt_flow(w);
	w->flow.lport = 40000;
	w->flow.pport = WT_PORT;
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 19, .md5 = KEY);
	EXPECT(.flags = R, .seq = 1, .md5 = KEY);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 19, .md5 = NEW);
	NOTHING(100);
	w->flow.pport = WT_PORT + 1;
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 19, .md5 = KEY);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_MD5_UNEXPECTED), 1);
	/* what nobody has signed is reset as ever */
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 19);
	EXPECT(.flags = R, .seq = 1);
}

static void syn_sent_reset(struct wt *w)
{
	connect_keyed(w);
	wt_drop(w);
	INJECT(.flags = RA, .ack = 1);
	INJECT(.flags = SA, .ack = 1, .mss = MSS);
	NOTHING(100);
	EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
	INJECT(.flags = SA, .ack = 77, .mss = MSS, .md5 = KEY);
	EXPECT(.flags = R, .seq = 77, .md5 = KEY);
	INJECT(.flags = RA, .ack = 1, .md5 = KEY);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), ECONNREFUSED);
}

/* ---- what is dropped -------------------------------------------------------------------------- */

/* "the receiver silently drops a segment that fails the comparison, with no response" */
static void dropped(struct wt *w)
{
	established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .md5 = NEW);
	INJECT(.flags = R, .seq = 1);
	INJECT(.flags = S, .seq = 1);
	INJECT(.flags = PA, .seq = 90000, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	NOTHING(1000);
	EQ(wt_count(w, PC_DROP_TCP_MD5_NOT_FOUND), 5);
	EQ(wt_count(w, PC_DROP_TCP_MD5_FAILURE), 1);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 11, .md5 = KEY);
}

static void dropped_syn(struct wt *w)
{
	listen_keyed(w);
	INJECT(.flags = S, .mss = MSS);
	INJECT(.flags = S, .mss = MSS, .md5 = NEW);
	NOTHING(3000);
	EQ(wt_count(w, PC_DROP_TCP_MD5_NOT_FOUND), 1);
	EQ(wt_count(w, PC_DROP_TCP_MD5_FAILURE), 1);
	/* and the last segment of a handshake */
	INJECT(.flags = S, .mss = MSS, .md5 = KEY);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	INJECT(.flags = R, .seq = 1, .md5 = NEW);
	INJECT(.flags = A, .seq = 1, .ack = 1, .md5 = KEY);
	wt_accept(w);
}

static void unexpected(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .md5 = KEY);
	NOTHING(1000);
	EQ(wt_count(w, PC_DROP_TCP_MD5_UNEXPECTED), 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_read(w, 10);
	EXPECT_IN(0, 100, .flags = A, .seq = 1, .ack = 11);
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .md5 = KEY);
	NOTHING(3000);
	EQ(wt_count(w, PC_DROP_TCP_MD5_UNEXPECTED), 2);
}

/* of several that are right one is enough to doubt */
static void malformed(struct wt *w)
{
	static const uint8_t twice[40] = {1, 1, 19, 18, [20] = 19, 18, [38] = 1, 1};
	static const uint8_t shorter[20] = {19, 10, [10] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .raw = twice, .raw_len = 40);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .raw = shorter, .raw_len = 20);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_MD5_FAILURE), 2);
}

/* each is looked at by itself */
static void not_merged(struct wt *w)
{
	established(w);
	QUEUE(.flags = A, .seq = 1, .ack = 1, .len = 1000, .md5 = KEY);
	QUEUE(.flags = A, .seq = 1001, .ack = 1, .len = 1000, .md5 = NEW);
	INJECT(.flags = PA, .seq = 2001, .ack = 1, .len = 1000, .md5 = KEY);
	wt_read(w, 1000);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1001, .ack = 1, .len = 1000, .md5 = KEY);
	wt_read(w, 2000);
	wt_drop(w);
	EQ(wt_count(w, PC_DROP_TCP_MD5_FAILURE), 1);
}

/* ---- room for options ------------------------------------------------------------------------- */

/* Linux: "We can't fit any SACK blocks in a packet with MD5 + TS options" */
static void sack_not_timestamps(struct wt *w)
{
	listen_keyed(w);
	INJECT(.flags = S, .mss = MSS, .sackok = true, .ts = TS, .tsval = 1, .md5 = KEY);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .sackok = true, .ts = NO_TS, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ts = NO_TS, .md5 = KEY);
	wt_accept(w);
	/* two blocks find room beside a signature */
	for (uint32_t i = 1; i <= 2; i++)
		INJECT(.flags = PA, .seq = i * 200, .ack = 1, .len = 100, .ts = NO_TS, .md5 = KEY);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{200, 300}}, .md5 = KEY);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2, .sack = {{400, 500}, {200, 300}},
	       .md5 = KEY);
	INJECT(.flags = PA, .seq = 600, .ack = 1, .len = 100, .ts = NO_TS, .md5 = KEY);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2, .sack = {{600, 700}, {400, 500}},
	       .md5 = KEY);
}

static void timestamps_alone(struct wt *w)
{
	listen_keyed(w);
	INJECT(.flags = S, .mss = MSS, .ts = TS, .tsval = 1, .md5 = KEY);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ts = TS, .tsecr = 1, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsval = 2, .tsecr = w->flow.tsval,
	       .md5 = KEY);
	wt_accept(w);
	w->flow.ts_on = true;
	wt_send(w, 3000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1428, .any_psh = true, .md5 = KEY);
	EXPECT(.flags = A, .seq = 1429, .ack = 1, .len = 1428, .any_psh = true, .md5 = KEY);
	wt_drop(w);
}

static void full_segments(struct wt *w)
{
	established(w);
	wt_send(w, 3000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1440, .any_psh = true, .md5 = KEY);
	EXPECT(.flags = A, .seq = 1441, .ack = 1, .len = 1440, .any_psh = true, .md5 = KEY);
	EXPECT(.flags = PA, .seq = 2881, .ack = 1, .len = 120, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 3001, .md5 = KEY);
}

static void no_fast_open(struct wt *w)
{
	int limit = 4;

	w->cfg.tcp_fastopen |= 0x203; /* not even where no cookie is needed */
	listen_keyed(w);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, sizeof(limit)));
	INJECT(.flags = S, .mss = MSS, .fo = 1, .md5 = KEY);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .md5 = KEY);
	INJECT(.flags = R, .seq = 1, .md5 = KEY);
	/* a cookie that others have got opens nothing */
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .fo = 9, .cookie = "whatever", .len = 10, .md5 = KEY);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .md5 = KEY);
}

static void no_fast_connect(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);

	w->cfg.tcp_fastopen = 5; /* data without a cookie */
	w->cfg.tcp_window_scaling = 0;
	wt_start(w);
	w->flow.lport = 0;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(set_key(w, w->flow.fd, KEY));
	ERR(pc_sendto(w->st, w->flow.fd, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)&to,
	              sizeof(to)),
	    EINPROGRESS);
	wt_settle(w);
	EXPECT(.flags = S, .mss = MSS, .sackok = true, .ts = NO_TS, .md5 = KEY);
}

static void cookies(struct wt *w)
{
	w->cfg.tcp_syn_cookies = 2;
	established(w);
	EQ(wt_count(w, PC_TCP_COOKIES_ACCEPTED), 1);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	EQ(wt_count(w, PC_DROP_TCP_MD5_NOT_FOUND), 1);
}

/* ---- changes while connected ------------------------------------------------------------------ */

static void key_changed(struct wt *w)
{
	established(w);
	OK(set_key(w, w->flow.fd, NEW));
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .md5 = NEW);
	INJECT(.flags = A, .seq = 1, .ack = 11, .md5 = KEY);
	EQ(wt_count(w, PC_DROP_TCP_MD5_FAILURE), 1);
	INJECT(.flags = A, .seq = 1, .ack = 11, .md5 = NEW);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void key_removed(struct wt *w)
{
	established(w);
	OK(set_key(w, w->flow.fd, ""));
	ERR(set_key(w, w->flow.fd, ""), ENOENT);
	wt_send(w, 2000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1461, .ack = 1, .len = 540);
	INJECT(.flags = A, .seq = 1, .ack = 2001, .md5 = KEY);
	EQ(wt_count(w, PC_DROP_TCP_MD5_UNEXPECTED), 1);
	INJECT(.flags = A, .seq = 1, .ack = 2001);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* what was sent without one comes again with it, in smaller segments */
static void key_added(struct wt *w)
{
	wt_established(w);
	wt_send(w, 2 * MSS);
	wt_drop(w);
	OK(set_key(w, w->flow.fd, KEY));
	INJECT(.flags = A, .seq = 1, .ack = 1 + 2 * MSS);
	EQ(wt_count(w, PC_DROP_TCP_MD5_NOT_FOUND), 1);
	EXPECT_IN(1, 3000, .flags = A, .seq = 1, .ack = 1, .len = 1440, .any_psh = true,
	          .md5 = KEY);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 2 * MSS, .md5 = KEY);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void inherited(struct wt *w)
{
	established(w);
	OK(set_key(w, w->lfd, ""));
	OK(pc_close(w->st, w->lfd));
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 11, .md5 = KEY);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* ---- whose key -------------------------------------------------------------------------------- */

static void longest_prefix(struct wt *w)
{
	wt_listen(w, 8);
	OK(set_prefix(w, w->lfd, "192.0.2.0", 24, KEY));
	OK(set_prefix(w, w->lfd, "192.0.0.0", 16, NEW));
	open_with(w, KEY);
	OK(set_prefix(w, w->lfd, "192.0.2.0", 30, NEW));
	wt_flow(w);
	open_with(w, NEW);
	OK(set_prefix(w, w->lfd, "192.0.2.0", 30, ""));
	ERR(set_prefix(w, w->lfd, "192.0.2.0", 30, ""), ENOENT);
	wt_flow(w);
	open_with(w, KEY);
	/* others are none of its concern */
	OK(set_prefix(w, w->lfd, "192.0.2.0", 24, ""));
	OK(set_prefix(w, w->lfd, "192.0.0.0", 16, ""));
	OK(set_prefix(w, w->lfd, "198.51.100.0", 24, KEY));
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

/* of a socket that speaks both families */
static void mapped(struct wt *w)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(WT_PORT)};
	struct tcp_md5sig k = {.tcpm_keylen = sizeof(KEY) - 1};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	wt_start(w);
	w->lfd = pc_socket(w->st, AF_INET6, SOCK_STREAM, 0);
	OK(pc_bind(w->st, w->lfd, (const struct sockaddr *)&any, sizeof(any)));
	OK(pc_listen(w->st, w->lfd, 8));
	memcpy(k.tcpm_key, KEY, sizeof(KEY) - 1);
	/* all of IPv6, which IPv4 is none of */
	k.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
	memcpy(&k.tcpm_addr, &in6, sizeof(in6));
	OK(set(w, w->lfd, TCP_MD5SIG_EXT, &k));
	INJECT(.flags = S, .mss = MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = R, .seq = 1);
	/* 192.0.2.0/24 in the mapped form */
	in6.sin6_addr.s6_addr32[2] = htonl(0xffff);
	in6.sin6_addr.s6_addr32[3] = inet_addr("192.0.2.0");
	k.tcpm_prefixlen = 33;
	memcpy(&k.tcpm_addr, &in6, sizeof(in6));
	ERR(set(w, w->lfd, TCP_MD5SIG_EXT, &k), EINVAL);
	k.tcpm_prefixlen = 24;
	OK(set(w, w->lfd, TCP_MD5SIG_EXT, &k));
	wt_flow(w);
	open_with(w, KEY);
}

/* a key is for what its listener serves, whatever port the peer has */
static void of_another_listener(struct wt *w)
{
	const struct sockaddr_in other = wt_addr("0.0.0.0", WT_PORT + 1);
	int fd;

	listen_keyed(w);
	fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&other, sizeof(other)));
	OK(pc_listen(w->st, fd, 8));
	w->flow.lport = WT_PORT + 1;
	w->flow.pport = WT_PORT;
	INJECT(.flags = S, .mss = MSS, .md5 = KEY);
	NOTHING(3000);
	EQ(wt_count(w, PC_DROP_TCP_MD5_UNEXPECTED), 1);
}

static void errors(struct wt *w)
{
	struct tcp_md5sig k = key_for(WT_PEER, KEY);
	socklen_t len = sizeof(k);
	int fd;

	wt_listen(w, 8);
	ERR(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_MD5SIG, &k, sizeof(k) - 1), EINVAL);
	ERR(pc_getsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_MD5SIG, &k, &len), ENOPROTOOPT);
	k.tcpm_addr.ss_family = wt_ip6 ? AF_INET : AF_INET6;
	ERR(set(w, w->lfd, TCP_MD5SIG, &k), EINVAL);
	k = key_for(WT_PEER, KEY);
	k.tcpm_keylen = 81;
	ERR(set(w, w->lfd, TCP_MD5SIG, &k), EINVAL);
	k.tcpm_keylen = 80;
	OK(set(w, w->lfd, TCP_MD5SIG, &k));
	k.tcpm_keylen = 0;
	OK(set(w, w->lfd, TCP_MD5SIG, &k));
	ERR(set(w, w->lfd, TCP_MD5SIG, &k), ENOENT);
	k = key_for(WT_PEER, KEY);
	k.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
	k.tcpm_prefixlen = wt_ip6 ? 129 : 33;
	OK(set(w, w->lfd, TCP_MD5SIG, &k)); /* which does not look at it */
	ERR(set(w, w->lfd, TCP_MD5SIG_EXT, &k), EINVAL);
	k.tcpm_prefixlen = wt_ip6 ? 128 : 32;
	k.tcpm_keylen = 0;
	OK(set(w, w->lfd, TCP_MD5SIG_EXT, &k)); /* the same peers */
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	ERR(set(w, fd, TCP_MD5SIG, &k), ENOPROTOOPT);
}

static void told(struct wt *w)
{
	const struct tcp_md5sig k = key_for(WT_PEER, KEY);
	struct tcp_md5sig got;

	established(w);
	OK(pc_get_md5sig(w->st, w->flow.fd, 0, &got));
	EQ(memcmp(&got.tcpm_addr, &k.tcpm_addr, sizeof(k.tcpm_addr)), 0);
	EQ(got.tcpm_keylen, strlen(KEY));
	EQ(memcmp(got.tcpm_key, KEY, strlen(KEY)), 0);
	EQ(got.tcpm_prefixlen, wt_ip6 ? 128 : 32);
	ERR(pc_get_md5sig(w->st, w->flow.fd, 1, &got), ENOENT);
	ERR(pc_get_md5sig(w->st, 12345, 0, &got), EBADF);
}

/* ---- the pool --------------------------------------------------------------------------------- */

static void pool_is_empty(struct wt *w)
{
	w->cfg.tcp_auth_keys = 2;
	listen_keyed(w);
	open_with(w, KEY);
	OK(set_key(w, w->lfd, NEW)); /* instead of the other */
	OK(set_key(w, w->lfd, KEY));
	ERR(set_prefix(w, w->lfd, "192.0.2.0", 24, KEY), ENOMEM);
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .md5 = KEY);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 1, .md5 = KEY);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	EQ(wt_count(w, PC_DROP_TCP_NO_TCB), 1);
}

/* it is no lack of places: nobody has to give way */
static void pool_is_empty_but_not_full(struct wt *w)
{
	struct flow closed;

	w->cfg.tcp_auth_keys = 2;
	listen_keyed(w);
	open_with(w, KEY);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 2, .md5 = KEY);
	NOTHING(2000);
	closed = wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .md5 = KEY);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 1, .md5 = KEY);
	EQ(wt_count(w, PC_DROP_TCP_NO_TCB), 1);
	NOTHING(500);
	EQ(wt_count(w, PC_TCP_GAVE_WAY), 0);
	w->flow = closed;
	INJECT(.flags = FA, .seq = 1, .ack = 2, .md5 = KEY);
	EXPECT(.flags = A, .seq = 2, .ack = 2, .md5 = KEY);
}

/* a full pool leaves TIME-WAIT out, and what is closed gives its key back */
static void pool_of_time_wait(struct wt *w)
{
	w->cfg.tcp_auth_keys = 4;
	listen_keyed(w);
	for (int i = 0; i < 5; i++) {
		open_with(w, KEY);
		OK(pc_close(w->st, w->flow.fd));
		wt_settle(w);
		EXPECT(.flags = FA, .seq = 1, .ack = 1, .md5 = KEY);
		INJECT(.flags = FA, .seq = 1, .ack = 2, .md5 = KEY);
		EXPECT(.flags = A, .seq = 2, .ack = 2, .md5 = KEY);
		wt_flow(w);
	}
	EQ(wt_count(w, PC_TCP_TIME_WAIT_EVICTED), 3);
}

/* ---- the path --------------------------------------------------------------------------------- */

static void keeps_to_mtu(struct wt *w)
{
	w->cfg.tcp_mtu_probing = 0;
	w->mtu = 1000;
	established(w);
	wt_send(w, 2000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 940, .any_psh = true, .md5 = KEY);
	EXPECT(.flags = A, .seq = 941, .ack = 1, .len = 940, .any_psh = true, .md5 = KEY);
	EXPECT(.flags = PA, .seq = 1881, .ack = 1, .len = 120, .md5 = KEY);
	INJECT(.flags = A, .seq = 1, .ack = 2001, .md5 = KEY);
}

static void narrower(struct wt *w)
{
	const struct frame_ends e = wt_ends(w), back = {.src_be = e.dst_be, .dst_be = e.src_be};
	struct tcp_seg t = {.sport = WT_PORT, .flags = A};
	struct frame quoted, f;

	established(w);
	wt_send(w, 2880);
	wt_drop(w);
	t.dport = w->flow.pport;
	t.seq = w->flow.iss + 1;
	frame_tcp(&quoted, &back, &t, NULL, NULL, 0);
	frame_icmp(&f, &e, 3, 4, (uint8_t[4]){0, 0, 1300 >> 8, 1300 & 255}, quoted.b + 14, 28);
	wt_inject_frame(w, &f);
	EXPECT_IN(0, 3000, .flags = A, .seq = 1, .ack = 1, .len = 1240, .any_psh = true,
	          .md5 = KEY);
	wt_drop(w);
}

static void path_probe(struct wt *w)
{
	const struct frame_info *i;
	uint32_t largest = 0;

	w->cfg.tcp_mtu_probing = 2;
	established(w);
	for (unsigned n = 0; n < 20 && wt_count(w, PC_TCP_MTU_PROBES) == 0; n++) {
		wt_send(w, 20 * MSS);
		while ((i = wt_next(w, 50)) != NULL) {
			const uint32_t end = i->seg.seq - w->flow.iss + i->seg.len;

			largest = i->seg.len > largest ? i->seg.len : largest;
			INJECT(.flags = A, .seq = 1, .ack = end, .md5 = KEY);
		}
	}
	EQ(largest, MSS - 20);
}

static const struct wt_case cases[] = {
    {"RFC 2385 2.0: an accepted connection signs all that it sends", passive},
    {"RFC 2385 2.0: a connection that is opened signs all that it sends", active},
    {"RFC 2385 2.0: what is sent again is signed", again},
    {"RFC 4821 7.3: a probe of the MTU has room for the signature", mtu_probe},
    {"RFC 2385 2.0: SYN-ACKs and what a half-open connection answers are signed", syn_ack_again},
    {"RFC 2385 2.0: probes of a closed window are signed", window_probe},
    {"RFC 2385 2.0: keep-alives are signed", keep_alive},
    {"RFC 2385 2.0: resets are signed", abort_signed},
    {"RFC 2385 2.0: what TIME-WAIT answers is signed", time_wait},
    {"a key of TIME-WAIT goes with it", time_wait_ends},
    {"RFC 2385 4.1: a listener resets what belongs to nothing by its key", reset_by_listener},
    {"RFC 2385 4.1: what the peer believes in is reset by its listener's key",
     reset_by_port_of_peer},
    {"RFC 2385 4.1: only a signed reset or SYN-ACK answers a signed SYN", syn_sent_reset},
    {"RFC 2385 2.0: what is not signed so is dropped without an answer", dropped},
    {"RFC 2385 2.0: so is a SYN, and what would complete a handshake", dropped_syn},
    {"a signature that nobody has asked for is dropped, as on Linux", unexpected},
    {"two signatures, or one of another length, are wrong", malformed},
    {"receive coalescing leaves signed segments apart", not_merged},
    {"RFC 2385 4.3: SACK rather than timestamps, as on Linux", sack_not_timestamps},
    {"RFC 2385 4.3: timestamps where there is no SACK", timestamps_alone},
    {"RFC 2385 4.3: segments leave room for the option", full_segments},
    {"no Fast Open beside signatures", no_fast_open},
    {"MSG_FASTOPEN beside a signature only connects", no_fast_connect},
    {"RFC 4987 3.6: a SYN cookie is signed, and taken by its key", cookies},
    {"a connection's key is changed", key_changed},
    {"a connection's key is taken away", key_removed},
    {"a connection gets a key", key_added},
    {"what a listener has accepted keeps its key", inherited},
    {"TCP_MD5SIG_EXT: of several prefixes the longest counts", longest_prefix},
    {"TCP_MD5SIG_EXT: IPv4 in the mapped form, and IPv6, which does not mean it", mapped},
    {"a listener's key is for its port alone", of_another_listener},
    {"TCP_MD5SIG: errnos are Linux's", errors},
    {"pc_get_md5sig tells a socket's keys", told},
    {"tcp.auth_keys: who finds no place for his key is not connected", pool_is_empty},
    {"tcp.auth_keys: ... but does not drive others away", pool_is_empty_but_not_full},
    {"tcp.auth_keys: TIME-WAIT gets half of them", pool_of_time_wait},
    {"RFC 9293 MUST-16: over IPv4 segments with the option fit the MTU", keeps_to_mtu},
    {"RFC 1191: so they do when the path becomes narrower", narrower},
    {"RFC 4821 7.5: so do probes of the path", path_probe},
};
WT_MAIN("md5")
