/* SPDX-License-Identifier: BSD-2-Clause */

/* The keys of TCP-AO (RFC 5925): which one signs, how they change, and what Linux's calls say of them. */

#include <percore/inspect.h>

#include "ao.h"

/* segments by the first key that ask for the second, and by the second that ask for the first */
static const struct wt_ao in_asks2 = {KEY, .id = 50, .rnext = 101};
static const struct wt_ao out_asks2 = {KEY, .id = 100, .rnext = 51};
static const struct wt_ao out2_asks1 = {NEW, .id = 101, .rnext = 50};
static const struct wt_ao in2_asks1 = {NEW, .id = 51, .rnext = 100};

static void listen_both(struct wt *w)
{
	listen_keyed(w);
	OK(add_key(w, w->lfd, NEW, 101, 51));
}

/* ---- algorithms ------------------------------------------------------------------------------- */

static void open_by(struct wt *w, const char *alg, struct wt_ao key)
{
	struct tcp_ao_add k = key_for(WT_PEER, 32, key.key, 100, 50);
	struct wt_ao from = key, to = key;

	strcpy((char *)k.alg_name, alg);
	k.maclen = key.mac_len;
	k.keyflags = key.omit ? TCP_AO_KEYF_EXCLUDE_OPT : 0;
	from.id = to.rnext = 50;
	from.rnext = to.id = 100;
	OK(set(w, w->lfd, TCP_AO_ADD_KEY, &k, sizeof(k)));
	INJECT(.flags = S, .mss = MSS, .ts = TS, .tsval = 1, .ao = &from);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ts = TS, .tsecr = 1, .ao = &to);
	w->flow.ts_on = true;
	INJECT(.flags = A, .seq = 1, .ack = 1, .ao = &from);
	wt_accept(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 777, .ao = &from);
	wt_read(w, 777);
	EXPECT_IN(0, 100, .flags = A, .seq = 1, .ack = 778, .ao = &to);
	wt_send(w, 999);
	EXPECT(.flags = PA, .seq = 1, .ack = 778, .len = 999, .ao = &to);
	INJECT(.flags = A, .seq = 778, .ack = 1000, .ao = &from);
	EQ(wt_info(w).tcpi_unacked, 0);
	OK(del_key(w, w->lfd, WT_PEER, 32, 100, 50));
	wt_flow(w);
}

static void algorithms(struct wt *w)
{
	static const char long_key[] =
	    "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz+-*/.,;:";

	wt_listen(w, 8);
	open_by(w, "hmac(sha1)", (struct wt_ao){"k", .alg = WT_AO_SHA1});
	open_by(w, "hmac(sha1)", (struct wt_ao){long_key, .alg = WT_AO_SHA1, .mac_len = 4});
	open_by(w, "hmac(sha256)", (struct wt_ao){"k", .alg = WT_AO_SHA256});
	open_by(w, "hmac(sha256)", (struct wt_ao){long_key, .alg = WT_AO_SHA256, .mac_len = 16});
	open_by(w, "cmac(aes128)", (struct wt_ao){"k", .alg = WT_AO_CMAC});
	open_by(w, "cmac(aes128)", (struct wt_ao){"sixteen bytes 16", .alg = WT_AO_CMAC});
	open_by(w, "cmac(aes)", (struct wt_ao){"sixteen bytes 16", .alg = WT_AO_CMAC});
	open_by(w, "cmac(aes128)", (struct wt_ao){long_key, .alg = WT_AO_CMAC, .mac_len = 15});
}

static void options_left_out(struct wt *w)
{
	wt_listen(w, 8);
	open_by(w, "hmac(sha1)", (struct wt_ao){KEY, .alg = WT_AO_SHA1, .omit = true});
	open_by(w, "hmac(sha256)", (struct wt_ao){KEY, .alg = WT_AO_SHA256, .omit = true});
	open_by(w, "cmac(aes128)", (struct wt_ao){KEY, .alg = WT_AO_CMAC, .omit = true});
}

/* ---- rotation --------------------------------------------------------------------------------- */

/* the peer asks us to sign by the other key, and then back */
static void peer_asks(struct wt *w)
{
	listen_both(w);
	open_with(w, &in, &out);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &in_asks2);
	wt_read(w, 10);
	EXPECT_IN(0, 100, .flags = A, .seq = 1, .ack = 11, .ao = &out2_asks1);
	EQ(get_info(w, w->flow.fd).current_key, 101);
	EQ(get_info(w, w->flow.fd).rnext, 50);
	/* what asks, but is signed badly, is not followed; neither is what asks for no key of ours */
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 10, .ao = &in_new);
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 10,
	       .ao = &(struct wt_ao){KEY, .id = 50, .rnext = 77});
	EQ(get_info(w, w->flow.fd).current_key, 101);
	wt_read(w, 10);
	EXPECT_IN(0, 100, .flags = A, .seq = 1, .ack = 21, .ao = &out2_asks1);
	INJECT(.flags = PA, .seq = 21, .ack = 1, .len = 10, .ao = &in2_asks1);
	wt_read(w, 10);
	EXPECT_IN(0, 100, .flags = A, .seq = 1, .ack = 31, .ao = &out);
}

/* we ask, the peer follows, and the old key goes */
static void we_ask(struct wt *w)
{
	struct tcp_ao_info_opt info = {.set_rnext = 1, .rnext = 51};
	struct tcp_ao_del d = {.prefix = bits_of(32), .sndid = 100, .rcvid = 50};

	listen_keyed(w);
	open_with(w, &in, &out);
	OK(add_key(w, w->flow.fd, NEW, 101, 51));
	OK(set_info(w, w->flow.fd, &info));
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &out_asks2);
	INJECT(.flags = A, .seq = 1, .ack = 11, .ao = &in2);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 11, .ack = 1, .len = 10, .ao = &out2);
	/* what was signed before is good as long as the key is there */
	INJECT(.flags = A, .seq = 1, .ack = 21, .ao = &in_asks2);
	EQ(wt_info(w).tcpi_unacked, 0);
	put_peer(&d.addr, WT_PEER);
	OK(set(w, w->flow.fd, TCP_AO_DEL_KEY, &d, sizeof(d)));
	INJECT(.flags = PA, .seq = 1, .ack = 21, .len = 10, .ao = &in);
	EQ(wt_count(w, PC_DROP_TCP_AO_KEY_NOT_FOUND), 1);
	EQ(get_info(w, w->flow.fd).pkt_key_not_found, 1);
}

/* at once, by TCP_AO_ADD_KEY; a longer digest makes segments shorter */
static void at_once(struct wt *w)
{
	static const struct wt_ao to = {NEW, .mac_len = 16, .id = 101, .rnext = 51};
	struct tcp_ao_add k = key_for(WT_PEER, 32, NEW, 101, 51);

	established(w);
	EQ(wt_info(w).tcpi_snd_mss, 1444);
	k.maclen = 16;
	k.set_current = k.set_rnext = 1;
	OK(set(w, w->flow.fd, TCP_AO_ADD_KEY, &k, sizeof(k)));
	EQ(wt_info(w).tcpi_snd_mss, 1440);
	wt_send(w, 1500);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1440, .any_psh = true, .ao = &to);
	EXPECT(.flags = PA, .seq = 1441, .ack = 1, .len = 60, .ao = &to);
}

/* The SYN says which key the answer is signed by; its own key is the one that we go on to ask for, as on Linux: nobody here has said that
 * the peer is to sign by another. */
static void syn_asks(struct wt *w)
{
	listen_both(w);
	INJECT(.flags = S, .mss = MSS, .ao = &in_asks2);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ao = &out2_asks1);
	EXPECT_IN(990, 1010, .flags = SA, .ack = 1, .mss = MSS, .ao = &out2_asks1);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ao = &in_asks2);
	wt_accept(w);
	EQ(get_info(w, w->flow.fd).current_key, 101);
	EQ(get_info(w, w->flow.fd).rnext, 50);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &out2_asks1);
}

static void attempt_chooses(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);
	const struct tcp_ao_info_opt info = {
	    .set_current = 1, .current_key = 101, .set_rnext = 1, .rnext = 50};

	w->cfg.tcp_timestamps = 0;
	socket_keyed(w);
	OK(add_key(w, w->flow.fd, NEW, 101, 51));
	OK(set_info(w, w->flow.fd, &info));
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
	EXPECT(.flags = S, .mss = MSS, .sackok = true, .ao = &out2_asks1);
	INJECT(.flags = SA, .ack = 1, .mss = MSS, .ao = &in_asks2);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .ao = &out2_asks1);
}

/* ---- whose key -------------------------------------------------------------------------------- */

static void inherited(struct wt *w)
{
	established(w);
	OK(del_key(w, w->lfd, WT_PEER, 32, 100, 50));
	OK(pc_close(w->st, w->lfd));
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &out);
	INJECT(.flags = A, .seq = 1, .ack = 11, .ao = &in);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void prefixes(struct wt *w)
{
	const struct tcp_ao_add net = key_for("192.0.2.0", 24, KEY, 100, 50);
	const struct tcp_ao_add other = key_for("198.51.100.0", 24, NEW, 100, 50);

	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_AO_ADD_KEY, &other, sizeof(other)));
	/* others are none of its concern */
	INJECT(.flags = S, .mss = MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	ERR(set_info(w, w->flow.fd, &(struct tcp_ao_info_opt){0}), EISCONN);
	ERR(add_key(w, w->flow.fd, KEY, 100, 50), EISCONN);
	OK(set(w, w->lfd, TCP_AO_ADD_KEY, &net, sizeof(net)));
	wt_flow(w);
	open_with(w, &in, &out);
	ERR(set(w, w->flow.fd, TCP_AO_ADD_KEY, &other, sizeof(other)), EINVAL);
}

static void attempts(struct wt *w)
{
	const struct tcp_ao_add other = key_for("198.51.100.0", 24, NEW, 101, 51);
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);
	const struct tcp_ao_getsockopt q = {.get_all = 1};
	struct tcp_ao_getsockopt got;

	socket_keyed(w);
	OK(set(w, w->flow.fd, TCP_AO_ADD_KEY, &other, sizeof(other)));
	EQ(pc_get_ao_key(w->st, w->flow.fd, &q, 0, &got), 2);
	OK(del_key(w, w->flow.fd, WT_PEER, 32, 100, 50));
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EKEYREJECTED);
	OK(add_key(w, w->flow.fd, KEY, 100, 50));
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
	EXPECT(.flags = S, .mss = MSS, .sackok = true, .ts = TS, .ao = &out);
	/* the key of the other is gone */
	EQ(pc_get_ao_key(w->st, w->flow.fd, &q, 9, &got), 1);
}

static int bound_connect(struct wt *w, int fd, const char *peer)
{
	const struct sockaddr_in here = wt_addr(WT_LOCAL, 5555), to = wt_addr(peer, w->flow.pport);
	const int one = 1;

	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	(void)pc_bind(w->st, fd, (const struct sockaddr *)&here, sizeof(here));
	return pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to));
}

/* what ends before its SYN leaves the socket as it was: here another has the ports */
static void attempt_fails(struct wt *w)
{
	const struct tcp_ao_add other = key_for("192.0.2.3", 32, NEW, 101, 51);
	const struct tcp_ao_getsockopt q = {.get_all = 1};
	struct tcp_ao_getsockopt got;
	int first;

	socket_keyed(w);
	OK(set(w, w->flow.fd, TCP_AO_ADD_KEY, &other, sizeof(other)));
	first = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(first);
	ERR(bound_connect(w, first, WT_PEER), EINPROGRESS);
	ERR(bound_connect(w, w->flow.fd, WT_PEER), EADDRNOTAVAIL);
	EQ(pc_get_ao_key(w->st, w->flow.fd, &q, 9, &got), 2);
	wt_settle(w);
	wt_drop(w);
	w->flow.peer_be = inet_addr("192.0.2.3");
	w->flow.tsval_known = w->flow.iss_known = false;
	ERR(bound_connect(w, w->flow.fd, "192.0.2.3"), EINPROGRESS);
	EQ(pc_get_ao_key(w->st, w->flow.fd, &q, 9, &got), 1);
	wt_settle(w);
	wt_drop(w);
}

/* RFC 5925 section 2.2: never both */
static void no_md5(struct wt *w)
{
	struct tcp_md5sig md5 = {.tcpm_keylen = 4, .tcpm_key = "1234"};
	struct tcp_ao_info_opt info = {.ao_required = 1};

	wt_listen(w, 8);
	put_peer((struct sockaddr_storage *)&md5.tcpm_addr, WT_PEER);
	OK(set(w, w->lfd, TCP_MD5SIG, &md5, sizeof(md5)));
	ERR(add_key(w, w->lfd, KEY, 100, 50), EKEYREJECTED);
	ERR(set_info(w, w->lfd, &info), EKEYREJECTED);
	md5.tcpm_keylen = 0;
	OK(set(w, w->lfd, TCP_MD5SIG, &md5, sizeof(md5)));
	OK(add_key(w, w->lfd, KEY, 100, 50));
	md5.tcpm_keylen = 4;
	ERR(set(w, w->lfd, TCP_MD5SIG, &md5, sizeof(md5)), EKEYREJECTED);
	/* of another peer each may be */
	put_peer((struct sockaddr_storage *)&md5.tcpm_addr, "192.0.2.3");
	OK(set(w, w->lfd, TCP_MD5SIG, &md5, sizeof(md5)));
	/* and one of the whole network is none for a peer with TCP-AO */
	md5.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
	md5.tcpm_prefixlen = wt_ip6 ? 120 : 24;
	put_peer((struct sockaddr_storage *)&md5.tcpm_addr, "192.0.2.0");
	OK(set(w, w->lfd, TCP_MD5SIG_EXT, &md5, sizeof(md5)));
	INJECT(.flags = S, .mss = MSS, .md5 = "1234");
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_MD5_UNEXPECTED), 1);
	open_with(w, &in, &out);
}

/* ---- errnos ----------------------------------------------------------------------------------- */

/* returns a good one again */
static struct tcp_ao_add refused(struct wt *w, struct tcp_ao_add k, int err,
                                 const struct tcp_ao_add *good)
{
	ERR(set(w, w->lfd, TCP_AO_ADD_KEY, &k, sizeof(k)), err);
	return *good;
}

static void errors_of_add(struct wt *w)
{
	const struct tcp_ao_add good = key_for(WT_PEER, 32, KEY, 100, 50);
	struct tcp_ao_add k = good;
	int fd;

	wt_listen(w, 8);
	ERR(set(w, w->lfd, TCP_AO_ADD_KEY, &k, sizeof(k) - 1), EINVAL);
	k.keylen = 81;
	k = refused(w, k, EINVAL, &good);
	k.reserved = 1;
	k = refused(w, k, EINVAL, &good);
	k.reserved2 = 1;
	k = refused(w, k, EINVAL, &good);
	k.addr.ss_family = wt_ip6 ? AF_INET : AF_INET6;
	k = refused(w, k, EINVAL, &good);
	k.prefix = (uint8_t)(bits_of(32) + 1);
	k = refused(w, k, EINVAL, &good);
	k.prefix = bits_of(24); /* of an address that is longer */
	k = refused(w, k, EINVAL, &good);
	k.prefix = 0;
	k = refused(w, k, EINVAL, &good);
	((struct sockaddr_in *)(void *)&k.addr)->sin_port = 1;
	k = refused(w, k, EINVAL, &good);
	k.keyflags = 4;
	k = refused(w, k, EINVAL, &good);
	k.ifindex = 1;
	k = refused(w, k, EINVAL, &good);
	k.keyflags = TCP_AO_KEYF_IFINDEX, k.ifindex = 1;
	k = refused(w, k, EINVAL, &good);
	k.set_current = 1; /* a listener has none */
	k = refused(w, k, EINVAL, &good);
	k.set_rnext = 1;
	k = refused(w, k, EINVAL, &good);
	strcpy((char *)k.alg_name, "hmac(md4)");
	k = refused(w, k, ENOENT, &good);
	strcpy((char *)k.alg_name, "cmac(aes)"); /* of 16 bytes only */
	k = refused(w, k, EINVAL, &good);
	k.maclen = 17;
	k = refused(w, k, EMSGSIZE, &good);
	OK(set(w, w->lfd, TCP_AO_ADD_KEY, &k, sizeof(k)));
	k = refused(w, k, EEXIST, &good);
	k.sndid = 101;
	k = refused(w, k, EEXIST, &good);
	k.rcvid = 51;
	k = refused(w, k, EEXIST, &good);
	k = key_for("192.0.2.0", 24, KEY, 100, 51); /* the peer is one of these, too */
	k = refused(w, k, EEXIST, &good);
	k = key_for("198.51.100.0", 24, KEY, 100, 50);
	OK(set(w, w->lfd, TCP_AO_ADD_KEY, &k, sizeof(k)));
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	ERR(set(w, fd, TCP_AO_ADD_KEY, &k, sizeof(k)), ENOPROTOOPT);
	ERR(pc_getsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_AO_ADD_KEY, &k, &(socklen_t){sizeof(k)}),
	    ENOPROTOOPT);
}

/* longer ones, of headers to come, may be, if they say no more */
static void longer_struct(struct wt *w)
{
	struct {
		struct tcp_ao_add k;
		uint64_t more;
	} x = {.k = key_for(WT_PEER, 32, KEY, 100, 50), .more = 1};

	wt_listen(w, 8);
	ERR(set(w, w->lfd, TCP_AO_ADD_KEY, &x, sizeof(x)), E2BIG);
	x.more = 0;
	OK(set(w, w->lfd, TCP_AO_ADD_KEY, &x, sizeof(x)));
}

static void errors_of_del(struct wt *w)
{
	struct tcp_ao_del d = {.prefix = bits_of(32), .sndid = 100, .rcvid = 50};

	put_peer(&d.addr, WT_PEER);
	wt_listen(w, 8);
	ERR(set(w, w->lfd, TCP_AO_DEL_KEY, &d, sizeof(d)), ENOENT);
	OK(add_key(w, w->lfd, KEY, 100, 50));
	open_with(w, &in, &out);
	ERR(set(w, w->flow.fd, TCP_AO_DEL_KEY, &d, sizeof(d)), EBUSY);
	ERR(set(w, w->flow.fd, TCP_AO_DEL_KEY, &d, sizeof(d) - 1), EINVAL);
	ERR(del_key(w, w->flow.fd, WT_PEER, 32, 100, 51), ENOENT);
	ERR(del_key(w, w->flow.fd, "192.0.2.0", 24, 100, 50), ENOENT);
	d.del_async = 1;
	ERR(set(w, w->flow.fd, TCP_AO_DEL_KEY, &d, sizeof(d)), EINVAL);
	OK(set(w, w->lfd, TCP_AO_DEL_KEY, &d, sizeof(d)));
	d.del_async = 0;
	d.set_current = 1, d.current_key = 77;
	ERR(set(w, w->flow.fd, TCP_AO_DEL_KEY, &d, sizeof(d)), ENOENT);
	ERR(set(w, w->lfd, TCP_AO_DEL_KEY, &d, sizeof(d)), EINVAL);
	/* another one takes its place in the same call */
	OK(add_key(w, w->flow.fd, NEW, 101, 51));
	d.current_key = 101, d.set_rnext = 1, d.rnext = 51;
	OK(set(w, w->flow.fd, TCP_AO_DEL_KEY, &d, sizeof(d)));
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &out2);
}

static void errors_of_info(struct wt *w)
{
	struct tcp_ao_info_opt info = {.reserved = 1};
	socklen_t len = sizeof(info);

	wt_listen(w, 8);
	ERR(pc_getsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_AO_INFO, &info, &len), ENOENT);
	ERR(set_info(w, w->lfd, &info), EINVAL);
	ERR(set(w, w->lfd, TCP_AO_INFO, &info, sizeof(info) - 1), EINVAL);
	info = (struct tcp_ao_info_opt){.set_current = 1, .current_key = 100};
	ERR(set_info(w, w->lfd, &info), EINVAL);
	OK(add_key(w, w->lfd, KEY, 100, 50));
	open_with(w, &in, &out);
	info.current_key = 77;
	ERR(set_info(w, w->flow.fd, &info), ENOENT);
	info = (struct tcp_ao_info_opt){.set_rnext = 1, .rnext = 77};
	ERR(set_info(w, w->flow.fd, &info), ENOENT);
	info = (struct tcp_ao_info_opt){.set_counters = 1, .pkt_good = 7, .pkt_bad = 8};
	OK(set_info(w, w->flow.fd, &info));
	EQ(get_info(w, w->flow.fd).pkt_good, 7);
	EQ(get_info(w, w->flow.fd).pkt_bad, 8);
	len = 4;
	OK(pc_getsockopt(w->st, w->flow.fd, IPPROTO_TCP, TCP_AO_INFO, &info, &len));
	EQ(len, 4);
}

/* ---- reading ---------------------------------------------------------------------------------- */

static void told(struct wt *w)
{
	const struct tcp_ao_add want = key_for(WT_PEER, 32, KEY, 100, 50);
	struct tcp_ao_getsockopt got[3] = {{.nkeys = 3, .get_all = 1}};
	socklen_t len = sizeof(got[0]);
	struct tcp_ao_info_opt info;

	listen_both(w);
	open_with(w, &in, &out);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ao = &in);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &in_new);
	OK(pc_getsockopt(w->st, w->flow.fd, IPPROTO_TCP, TCP_AO_GET_KEYS, got, &len));
	EQ(got[0].nkeys, 2);
	EQ(len, sizeof(got[0]));
	EQ(got[2].addr.ss_family, 0);
	got[0] = (struct tcp_ao_getsockopt){.nkeys = 1, .is_current = 1};
	OK(pc_getsockopt(w->st, w->flow.fd, IPPROTO_TCP, TCP_AO_GET_KEYS, got, &len));
	EQ(got[0].nkeys, 1);
	EQ(memcmp(&got[0].addr, &want.addr, sizeof(want.addr)), 0);
	CHECK(got[0].is_current && got[0].is_rnext &&
	      strcmp((const char *)got[0].alg_name, "hmac(sha1)") == 0);
	CHECK(got[0].sndid == 100 && got[0].rcvid == 50 && got[0].maclen == 12);
	EQ(got[0].prefix, want.prefix);
	EQ(got[0].keylen, strlen(KEY));
	EQ(memcmp(got[0].key, KEY, strlen(KEY)), 0);
	EQ(got[0].pkt_good, 1);
	EQ(got[0].pkt_bad, 1);
	info = get_info(w, w->flow.fd);
	CHECK(info.set_current && info.current_key == 100 && info.set_rnext && info.rnext == 50);
	EQ(info.pkt_good, 1);
	EQ(info.pkt_bad, 1);
	/* by peer and KeyIDs */
	got[0] = (struct tcp_ao_getsockopt){.nkeys = 1, .sndid = 101, .rcvid = 51};
	got[0].addr = want.addr;
	got[0].prefix = want.prefix;
	OK(pc_getsockopt(w->st, w->flow.fd, IPPROTO_TCP, TCP_AO_GET_KEYS, got, &len));
	EQ(got[0].nkeys, 1);
	CHECK(got[0].sndid == 101 && !got[0].is_current);
}

static void errors_of_get(struct wt *w)
{
	struct tcp_ao_getsockopt q = {.nkeys = 1, .get_all = 1}, got;
	socklen_t len = sizeof(got);

	wt_listen(w, 8);
#define ASK()                        \
	(got = q, len = sizeof(got), \
	 pc_getsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_AO_GET_KEYS, &got, &len))
	ERR(ASK(), ENOENT);
	OK(add_key(w, w->lfd, KEY, 100, 50));
	OK(ASK());
	q.is_current = 1;
	ERR(ASK(), EINVAL);
	q = (struct tcp_ao_getsockopt){.get_all = 1, .prefix = 1};
	ERR(ASK(), EINVAL);
	q = (struct tcp_ao_getsockopt){.get_all = 1, .pkt_good = 1};
	ERR(ASK(), EINVAL);
	q = (struct tcp_ao_getsockopt){.nkeys = 1};
	ERR(ASK(), EAFNOSUPPORT);
	put_peer(&q.addr, WT_PEER);
	q.prefix = bits_of(24);
	ERR(ASK(), EINVAL);
	len = 0;
	ERR(pc_getsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_AO_GET_KEYS, &got, &len), EINVAL);
	/* nobody has asked for any: how many there are is told */
	q = (struct tcp_ao_getsockopt){.get_all = 1};
	OK(ASK());
	EQ(got.nkeys, 1);
	EQ(got.addr.ss_family, 0);
	ERR(pc_get_ao_key(w->st, 12345, &q, 0, &got), EBADF);
#undef ASK
}

static void inspected(struct wt *w)
{
	struct pc_socket_walk walk = {0};
	struct pc_socket_match match = {.proto = IPPROTO_TCP};
	struct pc_socket_info list[8];
	unsigned n = 0, by_ao = 0;

	established(w);
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .ao = &in);
	wt_drop(w);
	while (!walk.done) {
		n = pc_stack_walk_sockets(w->st, &walk, &match, list, 8);
		for (unsigned i = 0; i < n; i++)
			by_ao += list[i].signature == PC_SIGNED_AO;
	}
	EQ(by_ao, 3); /* the listener, what it has accepted, and what is half-open */
}

/* ---- the pool --------------------------------------------------------------------------------- */

static void pool_is_empty(struct wt *w)
{
	w->cfg.tcp_auth_keys = 3;
	listen_keyed(w);
	OK(add_key(w, w->lfd, NEW, 101, 51));
	ERR(add_key(w, w->lfd, NEW, 102, 52), ENOMEM);
	INJECT(.flags = S, .mss = MSS, .ao = &in);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ao = &out);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ao = &in);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	EQ(wt_count(w, PC_DROP_TCP_NO_TCB), 1);
}

/* what is to know about a socket that has no key goes with the key that found no place */
static void pool_of_one(struct wt *w)
{
	const struct tcp_ao_info_opt info = {0};

	w->cfg.tcp_auth_keys = 1;
	wt_listen(w, 8);
	ERR(add_key(w, w->lfd, KEY, 100, 50), ENOMEM);
	OK(set_info(w, w->lfd, &info));
	ERR(add_key(w, w->lfd, KEY, 100, 50), ENOMEM);
}

static void pool_of_time_wait(struct wt *w)
{
	w->cfg.tcp_auth_keys = 8;
	listen_keyed(w);
	for (int i = 0; i < 5; i++) {
		open_with(w, &in, &out);
		OK(pc_close(w->st, w->flow.fd));
		wt_settle(w);
		EXPECT(.flags = FA, .seq = 1, .ack = 1, .ao = &out);
		INJECT(.flags = FA, .seq = 1, .ack = 2, .ao = &in);
		EXPECT(.flags = A, .seq = 2, .ack = 2, .ao = &out);
		wt_flow(w);
	}
	EQ(wt_count(w, PC_TCP_TIME_WAIT_EVICTED), 3);
}

static const struct wt_case cases[] = {
    {"RFC 5926 3: each algorithm, with keys and digests of several lengths", algorithms},
    {"RFC 5925 3.1: options are not signed if the key says so", options_left_out},
    {"RFC 5925 6.1: the RNextKeyID of the peer is followed", peer_asks},
    {"RFC 5925 6.1: the peer is asked for another key, and the old one goes", we_ask},
    {"RFC 5925 6.1: a key that is used at once", at_once},
    {"RFC 5925 7.4: a SYN says which key its answer is signed by", syn_asks},
    {"RFC 5925 7.4: an attempt is signed by the key that the application has chosen",
     attempt_chooses},
    {"what a listener has accepted keeps its keys", inherited},
    {"RFC 5925 3.1: keys for a network, and connections that have none for good", prefixes},
    {"RFC 5925 7.4: keys for the peer are used, and without any there is no attempt", attempts},
    {"TCP_AO_ADD_KEY: a connect() that fails takes no keys away", attempt_fails},
    {"RFC 5925 2.2: no TCP-MD5 for the same peer", no_md5},
    {"TCP_AO_ADD_KEY: errnos are Linux's", errors_of_add},
    {"TCP_AO_ADD_KEY: a longer struct", longer_struct},
    {"TCP_AO_DEL_KEY: errnos are Linux's", errors_of_del},
    {"TCP_AO_INFO: errnos are Linux's", errors_of_info},
    {"TCP_AO_GET_KEYS and TCP_AO_INFO tell what is used", told},
    {"TCP_AO_GET_KEYS: errnos are Linux's", errors_of_get},
    {"pc_stack_walk_sockets tells what is signed", inspected},
    {"tcp.auth_keys: who finds no place for his keys is not connected", pool_is_empty},
    {"tcp.auth_keys: a key that finds no place leaves nothing behind", pool_of_one},
    {"tcp.auth_keys: TIME-WAIT gets half of them", pool_of_time_wait},
};
WT_MAIN("ao_keys")
