/* SPDX-License-Identifier: BSD-2-Clause */

/* Addresses, routes and neighbours that come and go while a stack runs (percore/control.h), and what connections make
 * of it. */

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>

#include <percore/control.h>

#include "frame6.h"
#include "neigh/nd.h"
#include "stack/stack.h"
#include "wt.h"

#define OTHER "192.0.2.9"
#define FAR   "198.51.100.7"
#define NET   "198.51.100.0/24"

static const uint8_t mac1[6] = {2, 0, 0, 0, 0, 0x11}, mac2[6] = {2, 0, 0, 0, 0, 0x12};

static struct pc_prefix prefix(const char *text)
{
	struct pc_prefix p;

	if (pc_prefix_parse(text, &p) != 0)
		abort();
	return p;
}

static struct pc_addr addr(const char *text)
{
	struct pc_addr a;

	if (pc_addr_parse(text, &a) != 0)
		abort();
	return a;
}

static struct pc_route route(const char *dest, const char *gateway)
{
	return (struct pc_route){.dest = prefix(dest), .gateway = addr(gateway), .port = -1};
}

/* A stack that knows two gateways by their MAC addresses. */
static void start(struct wt *w)
{
	const struct pc_addr one = addr("192.0.2.251"), two = addr("192.0.2.252");

	wt_start(w);
	wt_settle(w);
	wt_drop(w);
	OK(pc_stack_set_neigh(w->st, 0, &one, mac1));
	OK(pc_stack_set_neigh(w->st, 0, &two, mac2));
}

/* Says whether an address of ours answers an echo request of somebody behind the peer's MAC address. */
static bool answers_to(struct wt *w, const char *to, const char *from)
{
	struct frame_ends e = wt_ends(w);
	const struct frame *f;
	struct frame_info i;
	struct frame q;

	e.src_be = inet_addr(from);
	e.dst_be = inet_addr(to);
	frame_icmp(&q, &e, 8, 0, (uint8_t[4]){1, 2, 3, 4}, "x", 1);
	wt_inject_frame(w, &q);
	f = wt_next_frame(w, 0);
	return f != NULL && frame_read(f, &i) == NULL && i.proto == 1 && i.icmp_type == 0 &&
	       i.ends.src_be == e.dst_be;
}

static bool answers(struct wt *w, const char *to)
{
	return answers_to(w, to, WT_PEER);
}

/* Sends a datagram; returns 0, or the errno. *mac, if not NULL, is where it went. */
static int send_to(struct wt *w, const char *to, uint8_t mac[6])
{
	const struct sockaddr_in a = wt_addr(to, 9);
	const int fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	const ssize_t n = pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&a, sizeof(a));
	const int error = n < 0 ? errno : 0;

	wt_settle(w);
	if (mac != NULL && probe_sent(w->probe) != NULL)
		memcpy(mac, probe_sent(w->probe)->b, 6);
	wt_drop(w);
	OK(pc_close(w->st, fd));
	return error;
}

static bool goes_by(struct wt *w, const char *to, const uint8_t want[6])
{
	uint8_t mac[6] = {0};

	return send_to(w, to, mac) == 0 && memcmp(mac, want, 6) == 0;
}

/* ---- addresses ------------------------------------------------------------------------------- */

static void addresses(struct wt *w)
{
	const struct pc_prefix p = prefix(OTHER "/24");
	struct pc_stack_addr list[4];

	start(w);
	CHECK(!answers(w, OTHER));
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_settle(w);
	wt_drop(w);
	CHECK(answers(w, OTHER));
	EQ(pc_stack_get_addrs(w->st, list, 4), 2);
	CHECK(pc_addr_equal(&list[1].addr.addr, &p.addr) && list[1].ready && list[1].port == 0);
	OK(pc_stack_del_addr(w->st, 0, &p));
	CHECK(!answers(w, OTHER));
	ERR(pc_stack_del_addr(w->st, 0, &p), EADDRNOTAVAIL);
	CHECK(answers(w, WT_LOCAL)); /* the other one of the network works both ways as before */
	EQ(send_to(w, WT_PEER, NULL), 0);
	for (unsigned i = 0; i < 100; i++) { /* the same address takes the same place */
		OK(pc_stack_add_addr(w->st, 0, &p));
		OK(pc_stack_del_addr(w->st, 0, &p));
	}
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_settle(w);
	wt_drop(w);
	CHECK(answers(w, OTHER));
	EQ(pc_stack_validate(w->st, NULL), 0);
}

static void last_address(struct wt *w)
{
	const struct pc_prefix p = prefix(WT_LOCAL "/24");
	const struct pc_route r = route("0.0.0.0/0", "192.0.2.251");

	start(w);
	OK(pc_route_add(w->st, &r));
	CHECK(goes_by(w, FAR, mac1));
	OK(pc_stack_del_addr(w->st, 0, &p));
	EQ(send_to(w, WT_PEER, NULL), ENETUNREACH);
	EQ(send_to(w, FAR, NULL), ENETUNREACH); /* its gateway cannot be reached any more */
	OK(pc_stack_add_addr(w->st, 0, &p));
	EQ(send_to(w, WT_PEER, NULL), 0);
	EQ(send_to(w, FAR, NULL), ENETUNREACH);
	EQ(pc_stack_validate(w->st, NULL), 0);
}

static struct ends6 ends6(const char *to)
{
	struct ends6 e = {.src_mac = PEER_MAC, .dst_mac = PROBE_MAC};

	e.src = addr("fd00::2");
	e.dst = addr(to);
	return e;
}

static bool answers6(struct wt *w, const char *to)
{
	const struct ends6 e = ends6(to);
	bool yes = false;
	struct frame f;
	struct info6 i;

	frame6_icmp(&f, &e, 64, 128, 0, (uint8_t[4]){1, 2, 3, 4}, 4);
	wt_inject_frame(w, &f);
	for (const struct frame *s; (s = wt_next_frame(w, 1)) != NULL;)
		yes |= frame6_read(s, &i) == NULL && i.proto == 58 && s->b[54] == 129;
	return yes;
}

static void addresses6(struct wt *w)
{
	const struct ends6 e = ends6("fd00::1");
	const struct pc_prefix p = prefix("fd00::9/64"), first = prefix("fd00::1/64");
	struct pc_prefix link_local = {.len = 64};
	struct pc_stack_addr list[4];

	wt_start6(w, &e);
	wt_drop(w);
	CHECK(answers6(w, "fd00::1") && !answers6(w, "fd00::9"));
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_pass(w, 1);
	CHECK(answers6(w, "fd00::9"));
	OK(pc_stack_del_addr(w->st, 0, &p));
	CHECK(!answers6(w, "fd00::9") && answers6(w, "fd00::1"));
	for (unsigned i = 0; i < 100; i++) {
		OK(pc_stack_add_addr(w->st, 0, &p));
		wt_pass(w, 1);
		OK(pc_stack_del_addr(w->st, 0, &p));
	}
	OK(pc_stack_del_addr(w->st, 0, &first));
	CHECK(!answers6(w, "fd00::1"));
	OK(pc_stack_add_addr(w->st, 0, &first));
	wt_pass(w, 1);
	CHECK(answers6(w, "fd00::1"));
	EQ(pc_stack_get_addrs(w->st, list, 4), 3);
	for (unsigned i = 0; i < 3; i++)
		if (pc_addr_is_link_local(&list[i].addr.addr))
			link_local.addr = list[i].addr.addr;
	ERR(pc_stack_del_addr(w->st, 0, &link_local), EBUSY);
	wt_drop(w);
	EQ(pc_stack_validate(w->st, NULL), 0);
}

/* A connection whose address goes is silent; it goes on when the address is back. */
static void connection_and_address(struct wt *w)
{
	const struct pc_prefix p = prefix(WT_LOCAL "/24");
	struct sockaddr_in us;
	socklen_t len = sizeof(us);

	wt_established(w);
	OK(pc_stack_del_addr(w->st, 0, &p));
	wt_send(w, 100);
	NOTHING(150);
	OK(pc_getsockname(w->st, w->flow.fd, (struct sockaddr *)&us, &len)); /* as on Linux */
	EQ(us.sin_addr.s_addr, inet_addr(WT_LOCAL));
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_settle(w);
	while (wt_next_frame(w, 0) != NULL) /* the address is announced */
		;
	EXPECT_IN(0, 2000, .flags = PA, .seq = 1, .ack = 1, .len = 100);
	INJECT(.flags = A, .seq = 1, .ack = 101);
	NOTHING(1000);
}

/* ---- routes ---------------------------------------------------------------------------------- */

static void routes(struct wt *w)
{
	struct pc_route one = route(NET, "192.0.2.251"), two = route(NET, "192.0.2.252");
	const struct pc_route any = route(NET, "::"), connected = route("192.0.2.0/24", "::");
	const struct pc_route nowhere = route(NET, "203.0.113.1");
	struct pc_route_info list[4];

	start(w);
	EQ(send_to(w, FAR, NULL), ENETUNREACH);
	OK(pc_route_add(w->st, &one));
	ERR(pc_route_add(w->st, &one), EEXIST);
	CHECK(goes_by(w, FAR, mac1));
	two.metric = 5;
	OK(pc_route_add(w->st, &two)); /* a second way there, which is worse */
	CHECK(goes_by(w, FAR, mac1));
	EQ(pc_route_list(w->st, list, 4), 3);
	CHECK(list[0].connected + list[1].connected + list[2].connected == 1);
	OK(pc_route_del(w->st, &one));
	ERR(pc_route_del(w->st, &one), ESRCH);
	CHECK(goes_by(w, FAR, mac2));
	OK(pc_route_replace(w->st, &one));
	ERR(pc_route_del(w->st, &two), ESRCH);
	CHECK(goes_by(w, FAR, mac1));
	ERR(pc_route_replace(w->st, &nowhere), ENETUNREACH);
	CHECK(goes_by(w, FAR, mac1)); /* the old one is still there */
	OK(pc_route_add(w->st, &two));
	OK(pc_route_del(w->st, &any)); /* all of them */
	EQ(send_to(w, FAR, NULL), ENETUNREACH);
	ERR(pc_route_del(w->st, &connected), ESRCH);
	ERR(pc_stack_change(w->st, &(struct pc_change){.kind = 99}), EINVAL);
	EQ(pc_stack_validate(w->st, NULL), 0);
}

/* A network on the link itself, and a gateway there (RFC 3442). */
static void on_link(struct wt *w)
{
	struct pc_route net = {.dest = prefix("203.0.113.1/32"), .port = 0};
	const struct pc_route by = route(NET, "203.0.113.1");
	const struct pc_addr gateway = addr("203.0.113.1");

	start(w);
	ERR(pc_route_add(w->st, &by), ENETUNREACH);
	net.port = 1;
	ERR(pc_route_add(w->st, &net), ENETUNREACH);
	net.port = 0;
	OK(pc_route_add(w->st, &net));
	OK(pc_route_add(w->st, &by));
	OK(pc_stack_set_neigh(w->st, 0, &gateway, mac2));
	CHECK(goes_by(w, FAR, mac2));
}

/* The segments of a connection take the new way at once, and its data arrive. */
static void connection_and_route(struct wt *w)
{
	const struct pc_route peer = route(NET, "192.0.2.253"), one = route(NET, "192.0.2.251"),
	                      two = route(NET, "192.0.2.252");
	const struct frame *f;
	struct frame_info i;

	start(w);
	OK(pc_route_add(w->st, &peer));
	w->flow.peer_be = inet_addr(FAR);
	wt_established(w);
	for (uint32_t n = 0; n < 6; n++) {
		OK(pc_route_replace(w->st, n % 2 == 0 ? &one : &two));
		wt_send(w, 100);
		f = probe_sent(w->probe);
		CHECK(f != NULL && memcmp(f->b, n % 2 == 0 ? mac1 : mac2, 6) == 0);
		CHECK(frame_read(f, &i) == NULL && i.payload_len == 100);
		EQ(i.seg.seq - w->flow.iss, 1 + 100 * n);
		probe_take(w->probe);
		INJECT(.flags = A, .seq = 1, .ack = 101 + 100 * n);
	}
	CHECK(probe_sent(w->probe) == NULL);
}

/* A route with an MTU: what is cut from then on fits. */
static void route_mtu(struct wt *w)
{
	struct pc_route r = route(NET, "192.0.2.253");

	start(w);
	OK(pc_route_add(w->st, &r));
	w->flow.peer_be = inet_addr(FAR);
	wt_established(w);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1461);
	r.mtu = 1000;
	OK(pc_route_replace(w->st, &r));
	wt_send(w, 100); /* which looks for its way */
	EXPECT(.flags = PA, .seq = 1461, .ack = 1, .len = 100);
	INJECT(.flags = A, .seq = 1, .ack = 1561);
	wt_send(w, 1460);
	EXPECT(.flags = A, .seq = 1561, .ack = 1, .len = 960);
	INJECT(.flags = A, .seq = 1, .ack = 2521);
	EXPECT(.flags = PA, .seq = 2521, .ack = 1, .len = 500);
	INJECT(.flags = A, .seq = 1, .ack = 3021);
	r.mtu = 551;
	ERR(pc_route_replace(w->st, &r), EINVAL);
}

/* A route that is lost for a while ends no search for the MTU of the path by it. */
static void route_lost(struct wt *w)
{
	const struct pc_route r = route(NET, "192.0.2.253");
	const struct frame_info *i;
	uint32_t acked = 11, largest = 0;

	w->cfg.tcp_mtu_probing = 2; /* each connection begins with less than fits, and searches */
	start(w);
	OK(pc_route_add(w->st, &r));
	w->flow.peer_be = inet_addr(FAR);
	wt_established(w);
	OK(pc_route_del(w->st, &r));
	wt_send(w, 10);
	wt_drop(w);
	OK(pc_route_add(w->st, &r));
	INJECT(.flags = A, .seq = 1, .ack = 11);
	for (unsigned n = 0; n < 5; n++) {
		wt_send(w, 20 * 1460);
		while ((i = wt_next(w, 0)) != NULL) {
			acked += i->seg.len;
			largest = i->seg.len > largest ? i->seg.len : largest;
			INJECT(.flags = A, .seq = 1, .ack = acked);
		}
	}
	EQ(largest, 1460);
}

/* RFC 1122 3.3.1.4: a gateway that does not answer is left, and used again when it does. */
static void dead_gateway(struct wt *w)
{
	const struct pc_route one = route(NET, "192.0.2.253");
	struct pc_route two = route(NET, "192.0.2.252");
	struct pc_route_info list[4];
	const struct frame *f;
	struct frame_ends e;
	struct frame r;

	start(w);
	two.metric = 1;
	OK(pc_route_add(w->st, &one));
	OK(pc_route_add(w->st, &two));
	probe_answer_arp(w->probe, false);
	send_to(w, FAR, NULL);
	wt_pass(w, 3500);
	wt_drop(w);
	EQ(wt_count(w, PC_GATEWAYS_DOWN), 1);
	CHECK(goes_by(w, FAR, mac2));
	wt_pass(w, 5000); /* the neighbour's own failure is forgotten, but not the gateway's */
	wt_drop(w);
	CHECK(goes_by(w, FAR, mac2));
	EQ(pc_route_list(w->st, list, 4), 3);
	EQ(list[0].down + list[1].down + list[2].down, 1);
	f = wt_next_frame(w, 10000); /* it is asked again */
	CHECK(f != NULL && f->b[13] == 6 && f->b[41] == 253);
	e = wt_ends(w);
	e.src_be = inet_addr("192.0.2.253");
	memcpy(e.src_mac, mac1, 6);
	frame_arp(&r, &e, 2, e.dst_mac);
	wt_inject_frame(w, &r);
	wt_pass(w, 1100);
	wt_drop(w);
	CHECK(goes_by(w, FAR, mac1));
	wt_pass(w, 20000);
	wt_drop(w);
	EQ(pc_stack_validate(w->st, NULL), 0);
}

/* One that dies while its last answer still counts is found out by those whose segments by way of it are not answered (RFC 9293
 * MUST-20 (b), RFC 1122 3.3.1.4). After R1 it has 5 s to carry something, and is asked then; the neighbour table alone would
 * begin with that after 30 s. */
static void gateway_dies(struct wt *w)
{
	const struct pc_route one = route(NET, "192.0.2.253");
	struct pc_route two = route(NET, "192.0.2.252");

	start(w);
	two.metric = 1;
	OK(pc_route_add(w->st, &one));
	OK(pc_route_add(w->st, &two));
	send_to(w, FAR, NULL); /* asks for it */
	CHECK(goes_by(w, FAR, (const uint8_t *)PEER_MAC));
	w->flow.peer_be = inet_addr(FAR);
}

static void expect_other_gateway(struct wt *w, uint64_t within_ms)
{
	const uint64_t begun = w->now;
	const struct frame *f;

	do {
		f = wt_next_frame(w, 60000);
		CHECK(f != NULL);
	} while (memcmp(f->b, mac2, 6) != 0);
	CHECK(w->now - begun < within_ms * 1000000);
	EQ(wt_count(w, PC_GATEWAYS_DOWN), 1);
}

static void dead_gateway_of_connection(struct wt *w)
{
	gateway_dies(w);
	wt_established(w);
	probe_answer_arp(w->probe, false);
	wt_send(w, 100);
	expect_other_gateway(w, 28000);
	INJECT(.flags = A, .seq = 1, .ack = 101);
}

/* ---- neighbours ------------------------------------------------------------------------------ */

static void neighbours(struct wt *w)
{
	const struct pc_addr peer = addr(WT_PEER), ours = addr(WT_LOCAL), group = addr("224.0.0.1");
	struct frame_ends e;
	struct frame f;

	start(w);
	OK(pc_stack_set_neigh(w->st, 0, &peer, mac1));
	CHECK(goes_by(w, WT_PEER, mac1));
	e = wt_ends(w); /* somebody says otherwise */
	frame_arp(&f, &e, 1, NULL);
	wt_inject_frame(w, &f);
	wt_drop(w);
	wt_pass(w, 2000000);
	CHECK(goes_by(w, WT_PEER, mac1));
	EQ(wt_drop(w), 0);
	OK(pc_stack_del_neigh(w->st, 0, &peer));
	CHECK(!goes_by(w, WT_PEER, mac1));
	OK(pc_stack_set_neigh(w->st, 0, &peer, mac2));
	OK(pc_stack_del_neigh(w->st, 0, &peer));
	ERR(pc_stack_del_neigh(w->st, 0, &peer), ENOENT);
	ERR(pc_stack_set_neigh(w->st, 0, &ours, mac1), EINVAL);
	ERR(pc_stack_set_neigh(w->st, 0, &group, mac1), EINVAL);
	ERR(pc_stack_set_neigh(w->st, 1, &peer, mac1), EINVAL);
	ERR(pc_stack_set_neigh(w->st, 0, &peer, (const uint8_t[6]){1}), EINVAL);
	EQ(pc_stack_validate(w->st, NULL), 0);
}

/* ---- from other threads ---------------------------------------------------------------------- */

#define THREADS 4
#define CHANGES 60

struct poster {
	struct pc_stack *st;
	unsigned number;
	uint64_t ticket[CHANGES];
};

/* Each posts routes of its own. */
static void *post(void *arg)
{
	struct poster *p = arg;

	for (unsigned i = 0; i < CHANGES; i++) {
		const struct pc_change add = {
		    .kind = PC_CHANGE_ADD_ROUTE,
		    .prefix = {.addr =
		                   pc_addr_ip4(htonl(0xcb000000 + (p->number << 16) + (i << 8))),
		               .len = 120},
		    .addr = addr("192.0.2.251"),
		    .port = -1};

		p->ticket[i] = pc_stack_post_change(p->st, &add);
	}
	return NULL;
}

static void by_mail(struct wt *w)
{
	struct poster p[THREADS];
	pthread_t thread[THREADS];
	int rc;

	start(w);
	for (unsigned i = 0; i < THREADS; i++) {
		p[i] = (struct poster){.st = w->st, .number = i};
		EQ(pthread_create(&thread[i], NULL, post, &p[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		EQ(pthread_join(thread[i], NULL), 0);
	CHECK(!pc_stack_posted(w->st, p[0].ticket[0], &rc));
	EQ(send_to(w, "203.0.1.1", NULL),
	   ENETUNREACH); /* nothing happens in the midst of a turn ... */
	wt_settle(w);
	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned k = 0; k < CHANGES; k++)
			CHECK(pc_stack_posted(w->st, p[i].ticket[k], &rc) && rc == 0);
	CHECK(goes_by(w, "203.3.59.1", mac1)); /* ... but at the beginning of the next */
	EQ(wt_count(w, PC_CHANGES), THREADS * CHANGES);
	EQ(pc_stack_validate(w->st, NULL), 0);
}

static int note(struct pc_stack *st, const void *data)
{
	(void)st;
	++**(unsigned *const *)data;
	return -7;
}

static void mail_limits(struct wt *w)
{
	const struct pc_change nonsense = {.kind = PC_CHANGE_DEL_ADDR,
	                                   .prefix = prefix(OTHER "/24")};
	unsigned calls = 0, *p = &calls;
	uint64_t first, ticket;
	int rc = 1;

	start(w);
	first = pc_stack_post_change(w->st, &nonsense);
	CHECK(first != 0 && pc_stack_next_deadline(w->st) <= w->now);
	wt_settle(w);
	CHECK(pc_stack_posted(w->st, first, &rc) && rc == -EADDRNOTAVAIL);
	EQ(wt_count(w, PC_CHANGES_REFUSED), 1);
	for (unsigned i = 0; i < PC_POSTS; i++)
		CHECK((ticket = pc_stack_post(w->st, note, &p, sizeof(p))) != 0);
	errno = 0;
	CHECK(pc_stack_post(w->st, note, &p, sizeof(p)) == 0 && errno == EAGAIN);
	CHECK(pc_stack_post(w->st, note, &p, PC_POST_MAX + 1) == 0 && errno == EINVAL);
	wt_settle(w);
	EQ(calls, PC_POSTS);
	CHECK(pc_stack_posted(w->st, ticket, &rc) && rc == -7);
	for (unsigned i = 0; i < 2 * PC_POSTS; i++) {
		CHECK(pc_stack_post(w->st, note, &p, sizeof(p)) != 0);
		wt_settle(w);
	}
	CHECK(pc_stack_posted(w->st, first, &rc) && rc == -ESTALE); /* asked too late */
}

/* ---- RFC 5227 -------------------------------------------------------------------------------- */

static bool is_from(const struct frame *f, uint32_t sender_be, uint32_t target_be)
{
	return f != NULL && f->b[12] == 8 && f->b[13] == 6 && f->b[21] == 1 &&
	       memcmp(f->b + 28, &sender_be, 4) == 0 && memcmp(f->b + 38, &target_be, 4) == 0;
}

/* A stack that asks, nobody answers, and the peer is known. */
static void start_asking(struct wt *w)
{
	const struct pc_addr peer = addr(WT_PEER);

	w->cfg.arp_probes = 3;
	w->cold = true;
	wt_start(w);
	probe_answer_arp(w->probe, false);
	wt_pass(w, 20000); /* the first address is asked for, too */
	wt_drop(w);
	OK(pc_stack_set_neigh(w->st, 0, &peer, (const uint8_t *)PEER_MAC));
}

static void probing(struct wt *w)
{
	const struct pc_prefix p = prefix(OTHER "/24");
	const uint32_t us = inet_addr(OTHER);
	uint64_t last;

	start_asking(w);
	CHECK(answers(w, WT_LOCAL));
	OK(pc_stack_add_addr(w->st, 0, &p));
	CHECK(!answers(w, OTHER));
	last = w->now;
	for (unsigned i = 0; i < 3; i++) {
		CHECK(is_from(wt_next_frame(w, 2010), 0, us));
		IN((w->now - last) / 1000000, i == 0 ? 0 : 995, i == 0 ? 1010 : 2010);
		CHECK(!answers(w, OTHER));
		last = w->now;
	}
	for (unsigned i = 0; i < 2; i++) { /* it is announced */
		CHECK(is_from(wt_next_frame(w, 2020), us, us));
		IN((w->now - last) / 1000000, 1995, 2010);
		last = w->now;
	}
	CHECK(wt_next_frame(w, 60000) == NULL);
	CHECK(answers(w, OTHER));
	EQ(pc_stack_validate(w->st, NULL), 0);
}

/* how 0: somebody has it; 1: somebody wants it too, at the same time */
static void conflict(struct wt *w, const struct pc_prefix *p, unsigned how)
{
	const struct pc_addr other = addr(OTHER);
	struct frame_ends e = wt_ends(w);
	struct frame f;

	OK(pc_stack_add_addr(w->st, 0, p));
	wt_pass(w, 1500);
	e.src_be = how == 0 ? inet_addr(OTHER) : 0;
	e.dst_be = inet_addr(OTHER);
	frame_arp(&f, &e, how == 0 ? 2 : 1, how == 0 ? e.dst_mac : NULL);
	wt_inject_frame(w, &f);
	wt_pass(w, 20000);
	wt_drop(w);
	CHECK(!answers(w, OTHER));
	EQ(wt_count(w, PC_ARP_DUPLICATES), how + 1);
	OK(pc_stack_set_neigh(w->st, 0, &other, e.src_mac));
	CHECK(answers_to(w, WT_LOCAL, OTHER)); /* who has it is heard */
	OK(pc_stack_del_addr(w->st, 0, p));
}

static void conflicts(struct wt *w)
{
	const struct pc_prefix p = prefix(OTHER "/24");
	struct frame_ends e;
	struct frame f;

	start_asking(w);
	conflict(w, &p, 0);
	conflict(w, &p, 1);
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_pass(w, 1500);
	e = wt_ends(w); /* our own question, which a loop has brought back */
	memcpy(e.src_mac, PROBE_MAC, 6);
	e.src_be = 0;
	e.dst_be = inet_addr(OTHER);
	frame_arp(&f, &e, 1, NULL);
	wt_inject_frame(w, &f);
	wt_pass(w, 20000);
	wt_drop(w);
	CHECK(answers(w, OTHER));
	EQ(pc_stack_validate(w->st, NULL), 0);
}

/* The source address of a datagram that a socket which is bound to none sends; 0: it cannot. */
static uint32_t source_to(struct wt *w, const char *to)
{
	const struct sockaddr_in a = wt_addr(to, 9);
	const int fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	uint32_t src_be = 0;

	OK(fd);
	if (pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&a, sizeof(a)) == 1) {
		wt_settle(w);
		CHECK(probe_sent(w->probe) != NULL && probe_sent(w->probe)->b[23] == 17);
		memcpy(&src_be, probe_sent(w->probe)->b + 26, 4);
	}
	wt_drop(w);
	OK(pc_close(w->st, fd));
	return src_be;
}

/* Nothing comes from an address that is asked for, or that somebody has, nor what goes to a group; then from another one on the
 * network, as soon as there is one. */
static void unready_sources(struct wt *w)
{
	static const char *const to[] = {WT_PEER, FAR, "224.1.2.3"};
	const struct pc_addr gateway = addr("192.0.2.251");
	const struct pc_route all = route("0.0.0.0/0", "192.0.2.251");
	const struct pc_prefix p = prefix(OTHER "/24");
	struct frame_ends e = wt_ends(w);
	struct frame f;

	start_asking(w);
	OK(pc_stack_set_neigh(w->st, 0, &gateway, mac1));
	OK(pc_route_add(w->st, &all));
	for (unsigned i = 0; i < 3; i++)
		EQ(source_to(w, to[i]), inet_addr(WT_LOCAL));
	probe_port(w->probe)->info.link_up = false;
	wt_pass(w, 10);
	probe_port(w->probe)->info.link_up = true;
	wt_pass(w, 10);
	for (unsigned i = 0; i < 3; i++)
		EQ(source_to(w, to[i]), 0);
	e.src_be = e.dst_be;
	frame_arp(&f, &e, 2, e.dst_mac);
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_ARP_DUPLICATES), 1);
	for (unsigned i = 0; i < 3; i++)
		EQ(source_to(w, to[i]), 0);
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_pass(w, 20000);
	wt_drop(w);
	for (unsigned i = 0; i < 3; i++)
		EQ(source_to(w, to[i]), inet_addr(OTHER));
}

/* ---- links ----------------------------------------------------------------------------------- */

static void link_up(struct wt *w)
{
	const uint32_t us = inet_addr(WT_LOCAL);
	struct pc_port *port;
	const struct frame *f;

	start(w);
	EQ(send_to(w, WT_PEER, NULL), 0);
	port = probe_port(w->probe);
	port->info.link_up = false;
	wt_pass(w, 10);
	CHECK(wt_next_frame(w, 100) == NULL);
	probe_answer_arp(w->probe, false);
	port->info.link_up = true;
	CHECK(is_from(wt_next_frame(w, 10), us, us)); /* whoever is there now hears of us */
	EQ(wt_count(w, PC_LINKS_UP), 1);
	CHECK(wt_next_frame(w, 100) == NULL);
	CHECK(
	    answers(w, WT_LOCAL)); /* what was known is used, but asked again within five seconds */
	f = wt_next_frame(w, 5100);
	CHECK(f != NULL && f->b[13] == 6 && f->b[21] == 1 && memcmp(f->b, PEER_MAC, 6) == 0);
	wt_pass(w, 10000);
	wt_drop(w);
}

static void link_up6(struct wt *w)
{
	const struct ends6 e = ends6("fd00::1");
	unsigned adverts = 0, reports = 0, solicits = 0;
	struct pc_port *port;

	wt_start6(w, &e);
	wt_pass(w, 20000);
	wt_drop(w);
	port = probe_port(w->probe);
	port->info.link_up = false;
	wt_pass(w, 10);
	port->info.link_up = true;
	for (const struct frame *f; (f = wt_next_frame(w, 5000)) != NULL;) {
		adverts += f->b[20] == 58 && f->b[54] == 136;
		solicits += f->b[20] == 58 && f->b[54] == 133;
		reports += f->b[20] == 0 && f->b[62] == 143;
	}
	EQ(adverts, 2); /* of it and the link-local one */
	CHECK(solicits > 0 && reports > 0);
}

/* Frames of the kinds that tell or ask of our addresses over IPv6, within ms of each other. */
struct told {
	unsigned adverts, questions, reports;
};

static struct told hear6(struct wt *w, unsigned ms)
{
	struct told t = {0};

	for (const struct frame *f; (f = wt_next_frame(w, ms)) != NULL;) {
		t.adverts += f->b[20] == 58 && f->b[54] == 136;
		t.questions += f->b[20] == 58 && f->b[54] == 135;
		t.reports += f->b[20] == 0 && f->b[62] == 143;
	}
	return t;
}

static void flap(struct wt *w)
{
	struct pc_port *port = probe_port(w->probe);

	port->info.link_up = false;
	wt_pass(w, 10);
	port->info.link_up = true;
	wt_pass(w, 1);
}

/* Our addresses are not used, and asked for, after a link has come up; somebody on the new link has one of them. */
static void link_up_asks(struct wt *w)
{
	const uint32_t us = inet_addr(WT_LOCAL);
	struct frame_ends e = wt_ends(w);
	struct pc_port *port;
	struct frame f;

	start_asking(w);
	port = probe_port(w->probe);
	for (unsigned taken = 0; taken < 2; taken++) {
		CHECK(answers(w, WT_LOCAL));
		port->info.link_up = false;
		wt_pass(w, 10);
		CHECK(answers(w, WT_LOCAL)); /* as far as anybody knows */
		port->info.link_up = true;
		for (unsigned i = 0; i < 3 - 2 * taken; i++) {
			CHECK(is_from(wt_next_frame(w, 2010), 0, us));
			CHECK(!answers(w, WT_LOCAL));
		}
		if (taken) {
			e.src_be = us;
			e.dst_be = us;
			frame_arp(&f, &e, 2, e.dst_mac);
			wt_inject_frame(w, &f);
		} else {
			CHECK(is_from(wt_next_frame(w, 2020), us, us)); /* announced */
			CHECK(is_from(wt_next_frame(w, 2020), us, us));
		}
	}
	wt_pass(w, 20000);
	wt_drop(w);
	CHECK(!answers(w, WT_LOCAL));
	EQ(wt_count(w, PC_ARP_DUPLICATES), 1);
	EQ(pc_stack_validate(w->st, NULL), 0);
	flap(w); /* away from whoever has it */
	CHECK(is_from(wt_next_frame(w, 2010), 0, us));
	CHECK(!answers(w, WT_LOCAL));
	wt_pass(w, 20000);
	wt_drop(w);
	CHECK(answers(w, WT_LOCAL));
	EQ(wt_count(w, PC_ARP_DUPLICATES), 1);
}

/* Whoever leased an address has asked for it, on the link that was there then. */
static void link_up_leased(struct wt *w)
{
	const struct pc_prefix p = prefix(OTHER "/24");
	struct frame_ends e = wt_ends(w);
	struct frame f;

	start_asking(w);
	EQ(ip_add_tried(&w->st->ip, 0, &p), 0);
	wt_pass(w, 5000);
	wt_drop(w);
	CHECK(answers(w, OTHER));
	flap(w);
	e.src_be = e.dst_be = inet_addr(OTHER);
	frame_arp(&f, &e, 2, e.dst_mac);
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_ARP_DUPLICATES), 1);
	wt_pass(w, 20000);
	wt_drop(w);
	CHECK(!answers(w, OTHER));
	flap(w);
	wt_drop(w);
	CHECK(!answers(w, OTHER));
	wt_pass(w, 20000);
	wt_drop(w);
	CHECK(answers(w, OTHER));
}

/* an address of IPv6 that has been asked for twice, and nothing more is said of it */
static void start_settled6(struct wt *w)
{
	const struct pc_prefix p = prefix("fd00::1/64");

	w->cfg.ip6_dad = 2;
	start(w);
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_pass(w, 20000);
	wt_drop(w);
}

static void link_up_asks6(struct wt *w)
{
	struct pc_port *port;
	struct told t;

	start_settled6(w);
	port = probe_port(w->probe);
	port->info.link_up = false;
	wt_pass(w, 10);
	port->info.link_up = true;
	wt_pass(w, 500);
	port->info.link_up = false; /* and once more, in the middle of it */
	wt_pass(w, 10);
	port->info.link_up = true;
	t = hear6(w, 5000);
	EQ(t.adverts, 2); /* when it is ready: of it and the link-local one */
	IN(t.questions, 4 + 2,
	   20); /* two of each, of which one was asked in vain; routers' are others */
	CHECK(t.reports > 0);
	EQ(wt_count(w, PC_ND_DUPLICATES), 0);
	EQ(pc_stack_validate(w->st, NULL), 0);
}

/* Says whether fd00::1 answers somebody who has told where he is. */
static bool lives6(struct wt *w)
{
	const struct ends6 e = ends6("fd00::1");
	struct frame f;

	frame6_solicit(&f, &e);
	wt_inject_frame(w, &f);
	return answers6(w, "fd00::1");
}

/* What it carries goes on while nobody says that it is his. */
static void link_up_keeps6(struct wt *w)
{
	struct told t;

	start_settled6(w);
	CHECK(lives6(w));
	flap(w);
	for (unsigned i = 0; i < 5; i++) {
		CHECK(lives6(w));
		wt_pass(w, 500);
	}
	wt_drop(w);
	flap(w);
	for (uint16_t i = 0; i < 2 * w->st->ip.ifs.nb_addrs; i++) {
		dad_judge(w->st->ip.neigh,
		          i % w->st->ip.ifs.nb_addrs); /* as router advertisements do */
		wt_pass(w, 100);
	}
	t = hear6(w, 0);
	EQ(t.questions, 2); /* the first of each address: what is told of it hurries nothing */
	CHECK(lives6(w));
	EQ(pc_stack_validate(w->st, NULL), 0);
}

/* Somebody advertises fd00::1, with this MAC address. */
static void claim6(struct wt *w, const uint8_t mac[6])
{
	struct ends6 e = ends6("ff02::1");
	uint8_t body[28] = {[0] = 0x20, [20] = 2, [21] = 1};
	struct frame f;

	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	memcpy(body + 4, addr6("fd00::1").b, 16);
	memcpy(body + 22, mac, 6);
	frame6_icmp(&f, &e, 255, 136, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
}

static void link_up_loses6(struct wt *w)
{
	start_settled6(w);
	claim6(w, mac1); /* too late: nobody asks */
	EQ(wt_count(w, PC_DROP_ND_CONFLICT), 1);
	CHECK(lives6(w));
	flap(w);
	claim6(w, mac1);
	EQ(wt_count(w, PC_ND_DUPLICATES), 1);
	CHECK(!lives6(w));
	wt_pass(w, 20000);
	wt_drop(w);
	CHECK(!lives6(w));
	flap(w); /* whoever has it is behind this link, too */
	claim6(w, mac1);
	EQ(wt_count(w, PC_ND_DUPLICATES), 2);
	wt_pass(w, 5000);
	CHECK(!lives6(w));
	flap(w); /* and is not */
	wt_pass(w, 5000);
	CHECK(lives6(w));
	EQ(wt_count(w, PC_ND_DUPLICATES), 2);
	EQ(pc_stack_validate(w->st, NULL), 0);
}

/* Behind the link is a loop: the questions come back, and what is advertised. */
static void link_up_loops6(struct wt *w)
{
	const struct frame *f;
	unsigned questions = 0;
	struct frame q;

	start_settled6(w);
	flap(w);
	for (unsigned i = 0; i < 100 && (f = wt_next_frame(w, 1500)) != NULL; i++) {
		q = *f;
		questions += q.b[20] == 58 && q.b[54] == 135;
		wt_inject_frame(w, &q);
	}
	EQ(questions, 4); /* two of each address */
	CHECK(wt_count(w, PC_DROP_IP6_SOURCE) > 0);
	EQ(wt_count(w, PC_DROP_ND_LOOP), questions);
	EQ(wt_count(w, PC_ND_DUPLICATES), 0);
	EQ(wt_count(w, PC_DROP_ND_CONFLICT), 0);
	CHECK(lives6(w));
}

/* Another member of a bond takes over: who is behind it hears of us, and nothing is asked. */
static void link_moves(struct wt *w)
{
	const uint32_t us = inet_addr(WT_LOCAL);
	struct pc_port *port;

	start(w);
	probe_answer_arp(w->probe, false);
	port = probe_port(w->probe);
	port->info.link_moves++;
	CHECK(is_from(wt_next_frame(w, 10), us, us));
	EQ(wt_count(w, PC_LINKS_MOVED), 1);
	EQ(wt_count(w, PC_LINKS_UP), 0);
	CHECK(wt_next_frame(w, 100) == NULL);
	port->info.link_up = false;
	wt_pass(w, 10);
	port->info.link_moves++; /* of a link that is down nobody hears */
	CHECK(wt_next_frame(w, 100) == NULL);
}

static void link_moves6(struct wt *w)
{
	struct told t;

	start_settled6(w);
	probe_port(w->probe)->info.link_moves++;
	t = hear6(w, 1000);
	EQ(t.adverts, 2);
	EQ(t.questions, 0);
	CHECK(t.reports > 0);
}

/* ---- reverse path (RFC 3704) ------------------------------------------------------------------ */

static void reverse_path(struct wt *w)
{
	const struct pc_route far = route(NET, "192.0.2.251");
	struct frame_ends e;
	struct frame f;

	w->cfg.ip_rp_filter = 1;
	start(w);
	CHECK(answers(w, WT_LOCAL));
	e = wt_ends(w);
	e.src_be = inet_addr(FAR);
	frame_icmp(&f, &e, 8, 0, (uint8_t[4]){1, 2, 3, 4}, "x", 1);
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_IP_REVERSE_PATH), 1);
	CHECK(wt_next_frame(w, 0) == NULL);
	OK(pc_route_add(w->st, &far));
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_IP_REVERSE_PATH), 1);
	CHECK(wt_next_frame(w, 0) != NULL);
}

static void reverse_path6(struct wt *w)
{
	struct ends6 e = ends6("fd00::1");
	struct frame f;

	w->cfg.ip_rp_filter = 1;
	wt_start6(w, &e);
	wt_drop(w);
	CHECK(answers6(w, "fd00::1"));
	e.src = addr("2001:db8::7");
	frame6_icmp(&f, &e, 64, 128, 0, (uint8_t[4]){1, 2, 3, 4}, 4);
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_IP_REVERSE_PATH), 1);
	CHECK(wt_next_frame(w, 0) == NULL);
}

/* ---- hints of reachability (RFC 4861 7.3.1) --------------------------------------------------- */

/* A connection on which data arrive is proof enough; without it the neighbour is asked. */
static void hints(struct wt *w)
{
	wt_established(w);
	probe_answer_arp(w->probe, false);
	for (uint32_t i = 0; i < 30; i++) { /* 90 s, three times arp.reachable_ms */
		wt_send(w, 100);
		EXPECT(.flags = PA, .seq = 1 + 100 * i, .ack = 1, .len = 100);
		INJECT(.flags = A, .seq = 1, .ack = 101 + 100 * i);
		NOTHING(3000);
	}
	wt_pass(w, 31000);
	wt_send(w, 100); /* without an answer */
	EXPECT(.flags = PA, .seq = 3001, .ack = 1, .len = 100);
	for (const struct frame *f; (f = wt_next_frame(w, 6000)) != NULL;)
		if (f->b[12] == 8 && f->b[13] == 6)
			return;
	wt_fail(w, WT_HERE, "nobody was asked");
}

static const struct wt_case cases[] = {
    {"addresses come and go", addresses},
    {"RFC 4862: addresses of IPv6 come and go", addresses6},
    {"with its last address a network goes, and the routes by it", last_address},
    {"an address that comes back finds its connections", connection_and_address},
    {"routes come and go, with metrics", routes},
    {"RFC 3442: a network on the link, a gateway in it", on_link},
    {"a route changes under a connection", connection_and_route},
    {"a route has an MTU", route_mtu},
    {"RFC 4821 7.3: a route that is lost for a while ends no search", route_lost},
    {"RFC 1122 3.3.1.4: a gateway that does not answer", dead_gateway},
    {"RFC 9293 MUST-20: R1 has a gateway asked", dead_gateway_of_connection},
    {"neighbours are set", neighbours},
    {"RFC 5227 2.1.1: an address is asked for before it is used", probing},
    {"RFC 5227 2.1.1: an address that somebody has or wants", conflicts},
    {"RFC 5227 2.1.1: nothing comes from such an address", unready_sources},
    {"RFC 5227 2.3: a link comes up", link_up},
    {"RFC 4861 7.2.6: a link comes up", link_up6},
    {"RFC 5227 2.1: a link comes up, and addresses are asked for", link_up_asks},
    {"RFC 5227 2.1: ... those, too, that were asked for before they were leased", link_up_leased},
    {"RFC 4862 5.4: a link comes up, and addresses are asked for", link_up_asks6},
    {"RFC 4429: ... and used meanwhile", link_up_keeps6},
    {"RFC 4862 5.4.5: ... and lost to whoever has one", link_up_loses6},
    {"RFC 7527 4: ... and kept where a loop brings back what is said", link_up_loops6},
    {"RFC 5227 2.3: a member of a bond takes over", link_moves},
    {"RFC 4861 7.2.6: a member of a bond takes over", link_moves6},
    {"RFC 3704 2.2: a source without a way back", reverse_path},
    {"RFC 3704 2.2: the same over IPv6", reverse_path6},
    {"RFC 4861 7.3.1: what arrives is proof that a neighbour is there", hints},
    {"several threads ask for changes", by_mail},
    {"the mailbox is full, results are kept for a while", mail_limits},
};

WT_MAIN("change")
