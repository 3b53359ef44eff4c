/* SPDX-License-Identifier: BSD-2-Clause */

/* What routers tell: advertisements, addresses of their prefixes, redirects, path MTUs. */

#include <errno.h>
#include <string.h>

#include <percore/control.h>

#include "frame6.h"
#include "stack/stack.h"
#include "wt.h"

#define LOCAL  "fd00::1"
#define ROUTER "fe80::fe"
#define SECOND "fe80::fd"
#define FAR    "2001:db8:ffff::1"
#define SLAAC  "2001:db8::ff:fe00:1" /* of 02:00:00:00:00:01 */

static const char router_mac[] = "\2\0\0\0\0\xfe", second_mac[] = "\2\0\0\0\0\xfd";

/* A stack that has an address, and makes itself more if slaac; its announcements are over. */
static void start6(struct wt *w, bool slaac)
{
	struct pc_prefix us = {.addr = addr6(LOCAL), .len = 64};

	w->cold = true;
	w->cfg.ip6_dad = 0;
	wt_start(w);
	OK(pc_stack_add_addr(w->st, 0, &us));
	if (slaac)
		OK(pc_stack_add_slaac(w->st, 0));
	wt_pass(w, 2000);
	wt_drop(w);
}

static struct ends6 ends(const char *src, const char *mac)
{
	struct ends6 e = {.dst_mac = {0x33, 0x33, 0, 0, 0, 1}, .src = addr6(src)};

	e.dst = addr6("ff02::1");
	memcpy(e.src_mac, mac, 6);
	return e;
}

/* What a router says. */
struct ra {
	const char *src, *mac;
	uint16_t lifetime;
	uint8_t hops, preference; /* the two bits of RFC 4191 */
	uint32_t reachable_ms, retrans_ms;
	uint32_t mtu;
	const char *prefix;
	uint8_t len, flags;
	uint32_t valid, preferred;
};

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void advertise(struct wt *w, const struct ra *r)
{
	const struct ends6 e = ends(r->src != NULL ? r->src : ROUTER, r->mac ? r->mac : router_mac);
	uint8_t body[80] = {r->hops, (uint8_t)(r->preference << 3), (uint8_t)(r->lifetime >> 8),
	                    (uint8_t)r->lifetime};
	uint16_t n = 12;
	struct frame f;

	put32(body + 4, r->reachable_ms);
	put32(body + 8, r->retrans_ms);
	body[n] = body[n + 1] = 1; /* its MAC address */
	memcpy(body + n + 2, e.src_mac, 6);
	n += 8;
	if (r->mtu != 0) {
		body[n] = 5;
		body[n + 1] = 1;
		put32(body + n + 4, r->mtu);
		n += 8;
	}
	if (r->prefix != NULL) {
		const struct pc_addr a = addr6(r->prefix);

		body[n] = 3;
		body[n + 1] = 4;
		body[n + 2] = r->len;
		body[n + 3] = r->flags;
		put32(body + n + 4, r->valid);
		put32(body + n + 8, r->preferred);
		memcpy(body + n + 16, a.b, 16);
		n += 32;
	}
	frame6_icmp(&f, &e, 255, 134, 0, body, n);
	wt_inject_frame(w, &f);
}

#define ADVERTISE(...) advertise(w, &(struct ra){__VA_ARGS__})

static int sock(struct wt *w)
{
	const int fd = pc_socket(w->st, AF_INET6, SOCK_DGRAM, 0);

	OK(fd);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &(int){IPV6_PMTUDISC_DO}, 4));
	return fd;
}

static struct sockaddr_in6 sin6(const char *ip, uint16_t port)
{
	const struct pc_addr a = addr6(ip);
	struct sockaddr_in6 s = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	memcpy(&s.sin6_addr, a.b, 16);
	return s;
}

static bool can_reach(struct wt *w, const char *ip)
{
	const struct sockaddr_in6 to = sin6(ip, 9);
	const int fd = sock(w);
	const bool can = pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)) == 0;

	OK(pc_close(w->st, fd));
	return can;
}

/* Sends a datagram, from any address of ours if that is NULL, and returns the frame that goes out, whatever it is. */
static struct info6 talk_as(struct wt *w, const char *us, const char *ip)
{
	static struct frame last;
	const struct sockaddr_in6 to = sin6(ip, 9);
	const int fd = sock(w);
	const struct frame *f;
	struct info6 i;

	if (us != NULL) {
		const struct sockaddr_in6 from = sin6(us, 0);

		OK(pc_bind(w->st, fd, (const struct sockaddr *)&from, sizeof(from)));
	}
	OK(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_close(w->st, fd));
	wt_settle(w);
	f = wt_next_frame(w, 0);
	if (f == NULL)
		wt_fail(w, WT_HERE, "nothing was sent to %s", ip);
	last = *f;
	CHECK(frame6_read(&last, &i) == NULL);
	return i;
}

static struct info6 talk(struct wt *w, const char *ip)
{
	return talk_as(w, NULL, ip);
}

/* Whether what we send there goes to that MAC address. */
static bool goes_by(struct wt *w, const char *ip, const char *mac)
{
	return memcmp(talk(w, ip).ends.dst_mac, mac, 6) == 0;
}

static bool has_address(struct wt *w, const char *ip)
{
	const struct sockaddr_in6 a = sin6(ip, 0);
	const int fd = sock(w);
	const bool has = pc_bind(w->st, fd, (const struct sockaddr *)&a, sizeof(a)) == 0;

	OK(pc_close(w->st, fd));
	return has;
}

/* RFC 4861 section 6.3.7, RFC 7559 section 2: questions from the link-local address, the second after 4 s, then twice as long each
 * time up to an hour, give or take a tenth */
static void solicitations(struct wt *w)
{
	struct pc_prefix us = {.addr = addr6(LOCAL), .len = 64};
	double wait_ms = 0, asked_ms = 0;
	unsigned n = 0;
	struct info6 i;

	w->cold = true;
	w->cfg.ip6_dad = 1;
	wt_start(w);
	OK(pc_stack_add_addr(w->st, 0, &us));
	for (const struct frame *f; n < 15 && (f = wt_next_frame(w, 4000000)) != NULL;) {
		const double now_ms = (double)w->now / 1e6, passed_ms = now_ms - asked_ms;

		if (f->b[12] != 0x86 || frame6_read(f, &i) != NULL || i.l4[0] != 133)
			continue;
		EQ(i.hops, 255);
		CHECK(memcmp(i.ends.dst.b, addr6("ff02::2").b, 16) == 0);
		CHECK(memcmp(i.ends.src.b, addr6("fe80::ff:fe00:1").b, 16) == 0);
		CHECK(i.l4[8] == 1 && memcmp(i.l4 + 10, PROBE_MAC, 6) == 0);
		if (n == 1)
			IN(passed_ms, 3590, 4410);
		else if (n > 1)
			IN(passed_ms, (wait_ms < 1700000 ? 1.9 * wait_ms : 3240000) - 10,
			   (wait_ms < 1700000 ? 2.1 * wait_ms : 3960000) + 10);
		wait_ms = passed_ms;
		asked_ms = now_ms;
		n++;
	}
	EQ(n, 15);
}

/* ... that is one for others, too: one with a lifetime of 0 may be followed by another (section 6.3.7) */
static void solicitations_go_on(struct wt *w)
{
	unsigned n = 0;
	struct info6 i;

	start6(w, false);
	ADVERTISE(.lifetime = 0);
	for (const struct frame *f; (f = wt_next_frame(w, 20000)) != NULL;) {
		if (f->b[12] != 0x86 || frame6_read(f, &i) != NULL || i.l4[0] != 133)
			continue;
		if (++n == 1)
			ADVERTISE(.lifetime = 1800);
	}
	EQ(n, 1); /* the first was sent before all this */
}

/* Says that a neighbour's address has not changed, and whether he is a router still. */
static void speak_as(struct wt *w, const char *ip, uint8_t flags)
{
	struct ends6 e = ends(ip, router_mac);
	uint8_t body[20] = {flags};
	struct frame f;

	memcpy(body + 4, e.src.b, 16);
	frame6_icmp(&f, &e, 255, 136, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
}

/* RFC 4861 section 7.2.5: "must remove that router from the Default Router List" */
static void no_router_any_more(struct wt *w)
{
	start6(w, false);
	ADVERTISE(.lifetime = 1800);
	speak_as(w, ROUTER, 0xa0);
	CHECK(can_reach(w, FAR));
	speak_as(w, SECOND, 0x20); /* somebody else */
	CHECK(can_reach(w, FAR));
	speak_as(w, ROUTER, 0x20);
	CHECK(!can_reach(w, FAR));
}

/* RFC 4861 section 7.2.5: an answer without the Override flag that names another link-layer address changes nothing but
 * REACHABLE into STALE, so it is no word on whether the neighbour is a router either */
static void router_by_another(struct wt *w)
{
	struct ends6 e = ends(ROUTER, second_mac);
	uint8_t body[28] = {0}; /* neither router nor override */
	struct frame f;

	start6(w, false);
	ADVERTISE(.lifetime = 1800);
	memcpy(body + 4, e.src.b, 16);
	body[20] = 2;
	body[21] = 1;
	memcpy(body + 22, second_mac, 6);
	frame6_icmp(&f, &e, 255, 136, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	CHECK(can_reach(w, FAR));
	CHECK(goes_by(w, FAR, router_mac));
	wt_drop(w);
}

static void default_router(struct wt *w)
{
	struct info6 i;

	start6(w, false);
	CHECK(!can_reach(w, FAR));
	ADVERTISE(.lifetime = 30, .hops = 33);
	CHECK(can_reach(w, FAR));
	i = talk(w, FAR);
	CHECK(memcmp(i.ends.dst_mac, router_mac, 6) == 0);
	EQ(i.hops, 33);
	wt_pass(w, 29000);
	wt_drop(w);
	CHECK(can_reach(w, FAR));
	ADVERTISE(.lifetime = 30);
	EQ(talk(w, FAR).hops, 33); /* 0 says nothing */
	wt_pass(w, 29000);
	wt_drop(w);
	CHECK(can_reach(w, FAR));
	wt_pass(w, 1100);
	CHECK(!can_reach(w, FAR));
	ADVERTISE(.lifetime = 30);
	CHECK(can_reach(w, FAR));
	ADVERTISE(.lifetime = 0); /* it is one no more */
	CHECK(!can_reach(w, FAR));
	ADVERTISE(.src = "2001:db8::9", .lifetime = 30); /* section 6.1.2 */
	CHECK(!can_reach(w, FAR));
	EQ(wt_count(w, PC_DROP_ND_MALFORMED), 1);
	wt_drop(w);
}

/* An advertisement may be as long as the MTU of the link. */
static void long_advertisement(struct wt *w)
{
	const struct ends6 e = ends(ROUTER, router_mac);
	uint8_t body[1456] = {[2] = 30 >> 8, [3] = 30};
	struct frame f;

	start6(w, false);
	for (unsigned at = 12; at < sizeof(body) - 4; at += 40) { /* options that nobody knows */
		body[at] = 200;
		body[at + 1] = 5;
	}
	frame6_icmp(&f, &e, 255, 134, 0, body, 12 + 40 * 36);
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_ND_MALFORMED), 0);
	CHECK(can_reach(w, FAR));
}

/* When somebody is asked for next, in ms from now; it must be to one, or to many. -1: not within ms. */
static double next_solicit(struct wt *w, const char *ip, double ms, bool to_one)
{
	const struct pc_addr target = addr6(ip);
	const uint64_t begin = w->now;

	for (double t = 0; t < ms; t += 10) {
		for (const struct frame *f; (f = wt_next_frame(w, 0)) != NULL;) {
			struct info6 i;

			if (f->b[12] != 0x86 || frame6_read(f, &i) != NULL || i.l4[0] != 135 ||
			    memcmp(i.l4 + 8, target.b, 16) != 0)
				continue;
			EQ(!pc_addr_is_multicast(&i.ends.dst), to_one);
			return (double)(w->now - begin) / 1e6;
		}
		wt_pass(w, 10);
	}
	return -1;
}

static void send_to(struct wt *w, const char *ip)
{
	const struct sockaddr_in6 to = sin6(ip, 9);
	const int fd = sock(w);

	OK(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_close(w->st, fd));
	wt_settle(w);
}

static void answer(struct wt *w, const char *ip)
{
	struct ends6 e = ends(ip, second_mac);
	uint8_t body[28] = {0x60}; /* solicited, override */
	struct frame f;

	memcpy(e.dst_mac, PROBE_MAC, 6);
	e.dst = addr6(LOCAL);
	memcpy(body + 4, e.src.b, 16);
	body[20] = 2;
	body[21] = 1;
	memcpy(body + 22, second_mac, 6);
	frame6_icmp(&f, &e, 255, 136, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	wt_drop(w);
}

/* Retrans Timer: between questions. Reachable Time: 0.5 to 1.5 of it an answer counts. */
static void times(struct wt *w)
{
	start6(w, false);
	ADVERTISE(.retrans_ms = 3000, .reachable_ms = 10000);
	send_to(w, "fd00::7");
	CHECK(next_solicit(w, "fd00::7", 100, false) >= 0);
	IN(next_solicit(w, "fd00::7", 4000, false), 2900, 3100);
	answer(w, "fd00::7");
	wt_pass(w, 4900);
	send_to(w, "fd00::7");
	CHECK(next_solicit(w, "fd00::7", 10200, true) < 0); /* it was reachable still */
	send_to(w, "fd00::7");
	/* DELAY_FIRST_PROBE_TIME; without a router's word 30 s would not be over */
	IN(next_solicit(w, "fd00::7", 5500, true), 4900, 5200);
	ADVERTISE(.retrans_ms = 0, .reachable_ms = 0); /* nothing is said: as before */
	send_to(w, "fd00::8");
	CHECK(next_solicit(w, "fd00::8", 100, false) >= 0);
	IN(next_solicit(w, "fd00::8", 4000, false), 2900, 3100);
	answer(w, "fd00::8");
	wt_pass(w, 4900);
	send_to(w, "fd00::8");
	CHECK(next_solicit(w, "fd00::8", 6000, true) < 0);
	ADVERTISE(.retrans_ms = 60001); /* more than can be meant */
	send_to(w, "fd00::a");
	CHECK(next_solicit(w, "fd00::a", 100, false) >= 0);
	IN(next_solicit(w, "fd00::a", 4000, false), 2900, 3100);
	ADVERTISE(.retrans_ms = 1, .reachable_ms = 3600001); /* bounded */
	send_to(w, "fd00::9");
	CHECK(next_solicit(w, "fd00::9", 50, false) >= 0);
	IN(next_solicit(w, "fd00::9", 1000, false), 90, 110);
	answer(w, "fd00::9");
	wt_pass(w, 16000);
	send_to(w, "fd00::9");
	IN(next_solicit(w, "fd00::9", 5500, true), 4900, 5200);
	ADVERTISE(.reachable_ms = 1);
	send_to(w, "fd00::b");
	CHECK(next_solicit(w, "fd00::b", 50, false) >= 0);
	answer(w, "fd00::b");
	wt_pass(w, 400);
	send_to(w, "fd00::b");
	CHECK(next_solicit(w, "fd00::b", 6000, true) < 0);
	wt_pass(w, 10000);
	wt_drop(w);
}

/* RFC 4861 section 6.3.2: ReachableTime is between half of the base and one and a half of it, and each time another one. */
static void reachable_times(struct wt *w)
{
	double least = 1e9, most = 0, ms;

	start6(w, false);
	send_to(w, "fd00::7");
	CHECK(next_solicit(w, "fd00::7", 100, false) >= 0);
	for (unsigned i = 0; i < 10; i++) {
		answer(w, "fd00::7");
		ms = 0;
		do { /* DELAY_FIRST_PROBE_TIME begins with the first packet behind it */
			const double asked = next_solicit(w, "fd00::7", 1000, true);

			ms += asked >= 0 ? asked : 1000;
			if (asked >= 0)
				break;
			send_to(w, "fd00::7");
		} while (ms < 100000);
		IN(ms, 15000 + 5000, 45000 + 1000 + 5000 + 1);
		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	CHECK(most - least > 2000);
	wt_drop(w);
}

static void preferences(struct wt *w)
{
	start6(w, false);
	ADVERTISE(.lifetime = 1800);
	ADVERTISE(.src = SECOND, .mac = second_mac, .lifetime = 1800, .preference = 1); /* high */
	CHECK(goes_by(w, FAR, second_mac));
	ADVERTISE(.src = SECOND, .mac = second_mac, .lifetime = 1800, .preference = 3); /* low */
	CHECK(goes_by(w, FAR, router_mac));
	for (unsigned n = 0; n < 20; n++) { /* bounded */
		char text[32];

		snprintf(text, sizeof(text), "fe80::%u", 100 + n);
		ADVERTISE(.src = text, .mac = second_mac, .lifetime = 1800, .preference = 1);
	}
	ADVERTISE(.src = "fe80::100", .lifetime = 0);
	ADVERTISE(.src = "fe80::101", .lifetime = 0);
	CHECK(goes_by(w, FAR, router_mac));
	wt_drop(w);
}

/* What is sent to FAR every half a second goes by the router with that MAC address soon. */
static void comes_to_go_by(struct wt *w, const char *mac)
{
	bool found = false;

	for (unsigned n = 0; n < 40 && !found; n++) {
		wt_pass(w, 500);
		wt_drop(w);
		found = goes_by(w, FAR, mac);
	}
	CHECK(found);
	wt_drop(w);
}

/* RFC 4861 section 7.3.3: a router that does not answer gives way to one that may */
static void dead_router(struct wt *w)
{
	start6(w, false);
	ADVERTISE(.lifetime = 9000, .preference = 1);
	ADVERTISE(.src = SECOND, .mac = second_mac, .lifetime = 9000);
	CHECK(goes_by(w, FAR, router_mac));
	comes_to_go_by(w, second_mac);
}

static void link_mtu(struct wt *w)
{
	const struct sockaddr_in6 to = sin6("fd00::2", 9);
	char buf[1453] = {0};
	int fd;

	start6(w, false);
	fd = sock(w);
	ADVERTISE(.mtu = 1279);
	ADVERTISE(.mtu = 1501);
	OK(pc_sendto(w->st, fd, buf, 1452, 0, (const struct sockaddr *)&to, sizeof(to)));
	ERR(pc_sendto(w->st, fd, buf, 1453, 0, (const struct sockaddr *)&to, sizeof(to)), EMSGSIZE);
	OK(pc_stack_set_mtu(w->st, 0, 1300)); /* of IPv4, as DHCP does */
	ADVERTISE(.mtu = 1400);
	ERR(pc_sendto(w->st, fd, buf, 1353, 0, (const struct sockaddr *)&to, sizeof(to)), EMSGSIZE);
	OK(pc_sendto(w->st, fd, buf, 1352, 0, (const struct sockaddr *)&to, sizeof(to)));
	wt_drop(w);
	wt_pass(w, 5000);
	wt_drop(w);
}

/* The MSS that the next segment tells, which is the first of its options. */
static unsigned mss_told(struct wt *w)
{
	const struct frame *f;
	struct info6 i;

	wt_settle(w);
	f = wt_next_frame(w, 0);
	if (f == NULL)
		wt_fail(w, WT_HERE, "no SYN was sent");
	CHECK(frame6_read(f, &i) == NULL);
	CHECK(i.proto == IPPROTO_TCP && (i.l4[13] & S) && i.l4[20] == 2 && i.l4[21] == 4);
	return (unsigned)i.l4[22] << 8 | i.l4[23];
}

static unsigned mss_of_syn(struct wt *w)
{
	const struct sockaddr_in6 to = sin6(FAR, 80);
	const int fd = pc_socket(w->st, AF_INET6, SOCK_STREAM, 0);
	unsigned mss;

	OK(fd);
	ERR(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	mss = mss_told(w);
	OK(pc_close(w->st, fd));
	return mss;
}

static unsigned mss_of_syn_ack(struct wt *w)
{
	uint8_t syn[20] = {0x9c, 0x40, 0, 80, [12] = 0x50, S, 0xff, 0xff};
	const struct sockaddr_in6 at = sin6("::", 80);
	struct ends6 e = ends(FAR, router_mac);
	struct frame f;
	unsigned mss;
	uint16_t sum;
	int fd;

	fd = pc_socket(w->st, AF_INET6, SOCK_STREAM, 0);
	OK(fd);
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&at, sizeof(at)));
	OK(pc_listen(w->st, fd, 1));
	e.dst = addr6(LOCAL);
	memcpy(e.dst_mac, PROBE_MAC, 6);
	sum = frame_fold(frame_sum(syn, 20, frame6_sum(&e.src, &e.dst, IPPROTO_TCP, 20)));
	syn[16] = (uint8_t)(sum >> 8);
	syn[17] = (uint8_t)sum;
	frame6_raw(&f, &e, IPPROTO_TCP, 64, syn, 20);
	wt_inject_frame(w, &f);
	mss = mss_told(w);
	OK(pc_close(w->st, fd));
	return mss;
}

/* What routers say of the link counts for what comes, too; what is said of IPv4 (pc_stack_set_mtu) does not. */
static void mss_of_link(struct wt *w)
{
	start6(w, false);
	ADVERTISE(.lifetime = 9000);
	EQ(mss_of_syn(w), 1440);
	EQ(mss_of_syn_ack(w), 1440);
	OK(pc_stack_set_mtu(w->st, 0, 1300));
	EQ(mss_of_syn(w), 1440);
	EQ(mss_of_syn_ack(w), 1440);
	ADVERTISE(.lifetime = 9000, .mtu = 1400);
	EQ(mss_of_syn(w), 1340);
	EQ(mss_of_syn_ack(w), 1340);
}

/* DHCP may tell of an MTU that is too small for IPv6, which does not follow it: an interface can begin to speak IPv6 later, too. */
static void small_mtu4(struct wt *w)
{
	struct pc_prefix us = {.addr = addr6(LOCAL), .len = 64};

	w->cfg.ip6_dad = 0;
	wt_start(w);
	OK(pc_stack_set_mtu(w->st, 0, 1000));
	OK(pc_stack_add_addr(w->st, 0, &us));
	wt_pass(w, 5000);
	wt_drop(w);
	CHECK(has_address(w, LOCAL));
	EQ(w->st->ip.ifs.netif[0].mtu6, 1500);
}

static void on_link(struct wt *w)
{
	struct info6 i;

	start6(w, false);
	ADVERTISE(.lifetime = 1800, .prefix = "2001:db8::", .len = 64, .flags = 0x80, .valid = 60,
	          .preferred = 60);
	i = talk(w, "2001:db8::9"); /* asked for itself, not sent by way of the router */
	EQ(i.l4[0], 135);
	CHECK(!has_address(w, SLAAC)); /* nobody has asked for addresses */
	wt_pass(w, 61000);
	wt_drop(w);
	CHECK(goes_by(w, "2001:db8::9", router_mac));
	ADVERTISE(.lifetime = 1800, .prefix = "2001:db8::", .len = 64, .flags = 0x80, .valid = 60);
	ADVERTISE(.lifetime = 1800, .prefix = "2001:db8::", .len = 64, .flags = 0x80);
	CHECK(goes_by(w, "2001:db8::8", router_mac));
	ADVERTISE(.prefix = "fe80::", .len = 64, .flags = 0x80, .valid = 0); /* ignored */
	wt_drop(w);
	ADVERTISE(.lifetime = 1800, .prefix = "2001:db8:7::", .len = 64, .flags = 0x40,
	          .valid = 60);
	ADVERTISE(.lifetime = 1800, .prefix = "2001:db8:7::", .len = 129, .flags = 0x80,
	          .valid = 60);
	ADVERTISE(.lifetime = 1800, .prefix = "::", .len = 2, .flags = 0x80, .valid = 60);
	CHECK(goes_by(w, "2001:db8:7::8", router_mac));
	wt_drop(w);
}

/* RFC 4291 section 2.5.5.2: the mapped form of an address is the way in which programs name one of IPv4. A router that tells of
 * a prefix of it says nothing of where hosts of IPv4 are. */
static void mapped_prefix(struct wt *w)
{
	const struct sockaddr_in to = wt_addr("198.51.100.7", 9);
	unsigned routes;
	int fd;

	start6(w, true);
	routes = pc_route_list(w->st, NULL, 0);
	for (uint8_t len = 96; len <= 128; len = (uint8_t)(len + 8))
		ADVERTISE(.prefix = "::ffff:198.51.100.0", .len = len, .flags = 0xc0, .valid = 9000,
		          .preferred = 9000);
	EQ(pc_route_list(w->st, NULL, 0), routes);
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	OK(fd);
	ERR(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), ENETUNREACH);
	OK(pc_close(w->st, fd));
	wt_drop(w);
}

#define PREFIX .prefix = "2001:db8::", .len = 64, .flags = 0xc0

/* RFC 4862 section 5.5.3 */
static void autoconf(struct wt *w)
{
	start6(w, true);
	ADVERTISE(PREFIX, .valid = 100, .preferred = 101); /* b: nonsense */
	ADVERTISE(.prefix = "2001:db8::", .len = 63, .flags = 0xc0, .valid = 9999);
	CHECK(!has_address(w, SLAAC));
	ADVERTISE(.lifetime = 1800, PREFIX, .valid = 9000, .preferred = 50);
	CHECK(has_address(w, SLAAC));
	wt_drop(w);
	CHECK(memcmp(talk(w, FAR).ends.src.b, addr6(SLAAC).b, 16) == 0);
	wt_pass(w, 51000); /* deprecated: others are better, but it is there */
	wt_drop(w);
	ADVERTISE(.lifetime = 1800); /* here I am still */
	CHECK(memcmp(talk(w, FAR).ends.src.b, addr6(LOCAL).b, 16) == 0);
	CHECK(has_address(w, SLAAC));
	ADVERTISE(.lifetime = 1800, PREFIX, .valid = 9000, .preferred = 9000); /* preferred again */
	CHECK(memcmp(talk(w, FAR).ends.src.b, addr6(SLAAC).b, 16) == 0);
	ADVERTISE(PREFIX, .valid = 1, .preferred = 1); /* e: not sooner than in two hours */
	wt_pass(w, 7190000);
	CHECK(has_address(w, SLAAC));
	wt_pass(w, 11000);
	CHECK(!has_address(w, SLAAC));
	wt_drop(w);
	ADVERTISE(PREFIX, .valid = 9000, .preferred = 9000);
	CHECK(has_address(w, SLAAC)); /* back again */
	wt_drop(w);
}

/* section 5.5.3 (e): longer is believed, shorter down to two hours */
static void lifetimes(struct wt *w)
{
	start6(w, true);
	ADVERTISE(.lifetime = 9000, .prefix = "2001:db8::", .len = 64, .flags = 0x80, .valid = 9000,
	          .preferred = 9000);
	CHECK(!has_address(w, SLAAC)); /* not for addresses */
	wt_drop(w);
	ADVERTISE(PREFIX, .valid = 0);
	EQ(wt_drop(w), 0);
	ADVERTISE(PREFIX, .valid = 9000, .preferred = 9000);
	ADVERTISE(PREFIX, .valid = 8000, .preferred = 8000);
	wt_pass(w, 7990000);
	CHECK(has_address(w, SLAAC));
	wt_pass(w, 20000);
	CHECK(!has_address(w, SLAAC));
	ADVERTISE(PREFIX, .valid = 3600, .preferred = 3600);
	wt_pass(w, 3000000);
	ADVERTISE(PREFIX, .valid = 100, .preferred = 100); /* 600 s are left */
	wt_pass(w, 590000);
	CHECK(has_address(w, SLAAC));
	wt_pass(w, 20000);
	CHECK(!has_address(w, SLAAC));
	ADVERTISE(PREFIX, .valid = 600, .preferred = 600);
	ADVERTISE(PREFIX, .valid = 3600, .preferred = 3600);
	wt_pass(w, 700000);
	CHECK(has_address(w, SLAAC));
	wt_drop(w);
}

/* RFC 7217: with a secret it is another one, the same for a prefix each time */
static void stable(struct wt *w)
{
	struct pc_addr first, second;

	w->cfg.ip6_secret = 77;
	start6(w, true);
	ADVERTISE(.lifetime = 1800, PREFIX, .valid = 9000, .preferred = 9000);
	CHECK(!has_address(w, SLAAC));
	wt_drop(w);
	first = talk(w, FAR).ends.src;
	CHECK(first.b[0] == 0x20 && first.b[3] == 0xb8);
	ADVERTISE(.lifetime = 1800, PREFIX, .valid = 9000, .preferred = 9000);
	wt_drop(w);
	second = talk(w, FAR).ends.src;
	CHECK(pc_addr_equal(&first, &second));
	wt_drop(w);
}

/* Somebody advertises an address. */
static void claim(struct wt *w, const struct pc_addr *target)
{
	struct ends6 e = ends("fe80::2", second_mac);
	uint8_t body[20] = {0x20};
	struct frame f;

	memcpy(body + 4, target->b, 16);
	frame6_icmp(&f, &e, 255, 136, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
}

/* RFC 7217 section 6: instead of an address that somebody has there is another. When the link comes up again nobody may have
 * the first one any more: the prefix then has two, for as long as it is told of. */
static void stable_again(struct wt *w)
{
	const struct laddr *first, *second;

	w->cold = true;
	w->cfg.ip6_secret = 77;
	wt_start(w);
	OK(pc_stack_add_slaac(w->st, 0));
	wt_pass(w, 5000);
	ADVERTISE(PREFIX, .valid = 9000, .preferred = 9000);
	first = &w->st->ip.ifs.addr[w->st->ip.ifs.nb_addrs - 1];
	claim(w, &first->addr);
	EQ(first->state, LADDR_DUPLICATE);
	ADVERTISE(PREFIX, .valid = 9000, .preferred = 9000);
	second = &w->st->ip.ifs.addr[w->st->ip.ifs.nb_addrs - 1];
	CHECK(second != first);
	wt_pass(w, 5000);
	EQ(second->state, LADDR_READY);
	probe_port(w->probe)->info.link_up = false;
	wt_pass(w, 10);
	probe_port(w->probe)->info.link_up = true;
	wt_pass(w, 8000000);
	EQ(first->state, LADDR_READY);
	ADVERTISE(PREFIX, .valid = 9000, .preferred = 9000);
	wt_pass(w, 2000000);
	EQ(first->state, LADDR_READY);
	EQ(second->state, LADDR_READY);
	wt_pass(w, 7100000);
	wt_drop(w);
	EQ(first->state, LADDR_EXPIRED);
	EQ(second->state, LADDR_EXPIRED);
}

/* "An invalid address MUST NOT be used", not even while it is probed again because the link came up. */
static void over_while_probed(struct wt *w)
{
	w->cold = true;
	wt_start(w);
	OK(pc_stack_add_slaac(w->st, 0));
	wt_pass(w, 5000);
	ADVERTISE(PREFIX, .retrans_ms = 5000, .valid = 60, .preferred = 60);
	wt_pass(w, 58000);
	CHECK(has_address(w, SLAAC));
	probe_port(w->probe)->info.link_up = false;
	wt_pass(w, 10);
	probe_port(w->probe)->info.link_up = true;
	wt_pass(w, 1900);
	CHECK(has_address(w, SLAAC));
	wt_pass(w, 100);
	CHECK(!has_address(w, SLAAC));
	wt_drop(w);
}

static void bounded(struct wt *w)
{
	struct pc_prefix p = {.len = 64};

	start6(w, true);
	for (unsigned n = 0; n < 100; n++) {
		char text[32];

		snprintf(text, sizeof(text), "2001:db8:%u::", n);
		ADVERTISE(.prefix = text, .len = 64, .flags = 0xc0, .valid = 9000,
		          .preferred = 9000);
	}
	wt_drop(w);
	for (unsigned n = 0; n < 30; n++) { /* there is room for what is set */
		p.addr = addr6("fd00:1::1");
		p.addr.b[7] = (uint8_t)n;
		OK(pc_stack_add_addr(w->st, 0, &p));
	}
	wt_settle(w);
	wt_pass(w, 2000);
	wt_drop(w);
}

static int bound(struct wt *w, int type, const char *ip)
{
	const struct sockaddr_in6 a = sin6(ip, 80);
	const int fd = pc_socket(w->st, AF_INET6, type, 0);

	OK(fd);
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&a, sizeof(a)));
	if (type == SOCK_STREAM)
		OK(pc_listen(w->st, fd, 1));
	return fd;
}

/* One with an address whose port comes with a peer. */
static int bound_without_port(struct wt *w, const char *ip)
{
	const struct sockaddr_in6 a = sin6(ip, 0);
	const int fd = pc_socket(w->st, AF_INET6, SOCK_STREAM, 0), one = 1;

	OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)));
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&a, sizeof(a)));
	return fd;
}

/* The network has another prefix each day: the place of an address is kept for an hour, and for as long as a socket names it. */
static void renumbering(struct wt *w)
{
	const unsigned kept = 3;
	struct sockaddr_in6 name;
	socklen_t len = sizeof(name);
	int fd[3] = {-1, -1, -1};
	char text[64];

	start6(w, true);
	for (unsigned n = 0; n < 100; n++) {
		snprintf(text, sizeof(text), "2001:db8:0:%x::", n);
		ADVERTISE(.prefix = text, .len = 64, .flags = 0xc0, .valid = 10, .preferred = 5);
		snprintf(text, sizeof(text), "2001:db8:0:%x::ff:fe00:1", n);
		CHECK(has_address(w, text));
		if (n < kept)
			fd[n] = n == 2 ? bound_without_port(w, text)
			               : bound(w, n == 0 ? SOCK_STREAM : SOCK_DGRAM, text);
		wt_pass(w, 11000);
		CHECK(!has_address(w, text));
		wt_pass(w, 1800000);
		wt_drop(w);
	}
	for (unsigned n = 0; n < kept; n++) { /* back again, to the sockets that wait for it */
		snprintf(text, sizeof(text), "2001:db8:0:%x::", n);
		ADVERTISE(.prefix = text, .len = 64, .flags = 0xc0, .valid = 90, .preferred = 50);
		snprintf(text, sizeof(text), "2001:db8:0:%x::ff:fe00:1", n);
		CHECK(has_address(w, text));
		OK(pc_getsockname(w->st, fd[n], (struct sockaddr *)&name, &len));
		CHECK(memcmp(&name.sin6_addr, addr6(text).b, 16) == 0);
	}
	EQ(pc_stack_validate(w->st, NULL), 0);
	for (unsigned n = 0; n < kept; n++)
		OK(pc_close(w->st, fd[n]));
	wt_drop(w);
}

/* One that a person has taken away comes back with the next advertisement. */
static void taken_away(struct wt *w)
{
	const struct pc_prefix p = {.addr = addr6(SLAAC), .len = 64};

	start6(w, true);
	ADVERTISE(PREFIX, .valid = 9000, .preferred = 9000);
	CHECK(has_address(w, SLAAC));
	OK(pc_stack_del_addr(w->st, 0, &p));
	CHECK(!has_address(w, SLAAC));
	ADVERTISE(PREFIX, .valid = 9000, .preferred = 9000);
	CHECK(has_address(w, SLAAC));
	wt_drop(w);
}

static void switched_off(struct wt *w)
{
	w->cfg.ip6_accept_ra = 0;
	start6(w, true);
	ADVERTISE(.lifetime = 1800, PREFIX, .valid = 9000, .preferred = 9000, .mtu = 1280);
	CHECK(!can_reach(w, FAR) && !has_address(w, SLAAC));
	EQ(wt_count(w, PC_DROP_ND_ROUTER), 1);
}

/* ---- redirects --------------------------------------------------------------------------------- */

/* A redirect about a packet from us. */
static void redirect_us(struct wt *w, const char *us, const char *src, const char *target,
                        const char *dest, const char *mac)
{
	struct ends6 e = ends(src, router_mac);
	const struct pc_addr t = addr6(target), d = addr6(dest);
	uint8_t body[44] = {0};
	struct frame f;

	e.dst = addr6(us);
	memcpy(e.dst_mac, PROBE_MAC, 6);
	memcpy(body + 4, t.b, 16);
	memcpy(body + 20, d.b, 16);
	body[36] = 2;
	body[37] = 1;
	memcpy(body + 38, mac, 6);
	frame6_icmp(&f, &e, 255, 137, 0, body, 44);
	wt_inject_frame(w, &f);
}

static void redirect(struct wt *w, const char *src, const char *target, const char *dest,
                     const char *mac)
{
	redirect_us(w, LOCAL, src, target, dest, mac);
}

static void redirects(struct wt *w)
{
	start6(w, false);
	ADVERTISE(.lifetime = 9000);
	CHECK(goes_by(w, FAR, router_mac));
	redirect(w, SECOND, SECOND, FAR, second_mac); /* not the router that it is sent to */
	EQ(wt_count(w, PC_DROP_ND_ROUTER), 1);
	redirect(w, ROUTER, "fd00::9", FAR, second_mac); /* neither a router nor the host itself */
	redirect(w, ROUTER, SECOND, "ff02::9", second_mac);
	EQ(wt_count(w, PC_DROP_ND_MALFORMED), 2);
	CHECK(goes_by(w, FAR, router_mac));
	redirect(w, ROUTER, SECOND, FAR, second_mac);
	CHECK(goes_by(w, FAR, second_mac));
	CHECK(goes_by(w, "2001:db8:ffff::2", router_mac));
	redirect(w, SECOND, FAR, FAR, "\2\0\0\0\0\x11"); /* it is on the link itself */
	EQ(talk(w, FAR).l4[0], 135); /* its network is not ours: it is asked for */
	wt_pass(w, 610000);          /* not for ever */
	wt_drop(w);
	ADVERTISE(.lifetime = 9000);
	CHECK(goes_by(w, FAR, router_mac));
	for (unsigned n = 0; n < 300; n++) { /* bounded */
		char text[40];

		snprintf(text, sizeof(text), "2001:db8:fffe::%u", n);
		redirect(w, ROUTER, SECOND, text, second_mac);
	}
	wt_drop(w);
	CHECK(goes_by(w, "2001:db8:fffe::299", router_mac));
	wt_drop(w);
}

/* RFC 4861 sections 6.3.5 and 7.2.5: what goes by one who is no router any more is looked up anew, whoever has redirected it */
static void redirect_to_no_router(struct wt *w)
{
	start6(w, false);
	ADVERTISE(.lifetime = 9000);
	redirect(w, ROUTER, SECOND, FAR, second_mac);
	CHECK(goes_by(w, FAR, second_mac));
	wt_drop(w);
	speak_as(w, SECOND, 0x20); /* no router */
	CHECK(goes_by(w, FAR, router_mac));
	ADVERTISE(.src = SECOND, .mac = second_mac, .lifetime = 60, .preference = 3);
	redirect(w, ROUTER, SECOND, FAR, second_mac);
	redirect(w, ROUTER, SECOND, "2001:db8:ffff::2", second_mac);
	CHECK(goes_by(w, FAR, second_mac));
	ADVERTISE(.src = SECOND, .mac = second_mac, .lifetime = 0);
	CHECK(goes_by(w, FAR, router_mac));
	CHECK(goes_by(w, "2001:db8:ffff::2", router_mac));
	ADVERTISE(.src = SECOND, .mac = second_mac, .lifetime = 60, .preference = 3);
	redirect(w, ROUTER, SECOND, FAR, second_mac);
	CHECK(goes_by(w, FAR, second_mac));
	wt_pass(w, 61000); /* its time as a router is over */
	wt_drop(w);
	ADVERTISE(.lifetime = 9000);
	CHECK(goes_by(w, FAR, router_mac));
	wt_drop(w);
}

/* RFC 4861 section 7.3.3: "subsequent traffic to that neighbor invokes the next-hop determination procedure again" */
static void redirect_to_dead_router(struct wt *w)
{
	start6(w, false);
	ADVERTISE(.lifetime = 9000);
	redirect(w, ROUTER, SECOND, FAR, second_mac);
	CHECK(goes_by(w, FAR, second_mac));
	comes_to_go_by(w, router_mac);
}

/* ---- two providers, each with a router and a prefix ---------------------------------------------- */

#define OTHER  "2001:db8:1::ff:fe00:1"
#define NEARER "2001:db8:1:ffff::1" /* to OTHER than to SLAAC */

static void tell_both(struct wt *w, uint8_t preference_of_second)
{
	ADVERTISE(.lifetime = 1800, PREFIX, .valid = 9000, .preferred = 9000);
	ADVERTISE(.src = SECOND, .mac = second_mac, .lifetime = 1800,
	          .preference = preference_of_second, .prefix = "2001:db8:1::", .len = 64,
	          .flags = 0xc0, .valid = 9000, .preferred = 9000);
	wt_drop(w);
}

/* What we send, from that address or any, goes from that one to that MAC address. */
static void goes(struct wt *w, const char *us, const char *to, const char *from, const char *mac)
{
	const struct info6 i = talk_as(w, us, to);

	CHECK(memcmp(i.ends.src.b, addr6(from).b, 16) == 0);
	CHECK(memcmp(i.ends.dst_mac, mac, 6) == 0);
}

/* "Prefer addresses in a prefix advertised by the next-hop"; the next hop of a given address advertises its prefix. */
static void two_providers(struct wt *w)
{
	start6(w, true);
	tell_both(w, 0);
	goes(w, NULL, NEARER, SLAAC, router_mac);
	goes(w, SLAAC, NEARER, SLAAC, router_mac);
	goes(w, OTHER, NEARER, OTHER, second_mac);
	goes(w, LOCAL, FAR, LOCAL, router_mac); /* of nobody's prefix */
	tell_both(w, 1);                        /* the second router is preferred */
	goes(w, NULL, FAR, OTHER, second_mac);
	goes(w, LOCAL, FAR, LOCAL, second_mac);
	goes(w, SLAAC, FAR, SLAAC, router_mac);
	tell_both(w, 0);
	ADVERTISE(.lifetime = 1800, PREFIX, .valid = 9000); /* the first has no network any more */
	goes(w, NULL, NEARER, OTHER, second_mac);           /* rule 3 comes before 5.5 */
	tell_both(w, 1);
	ADVERTISE(.src = SECOND, .mac = second_mac, .lifetime = 0); /* the prefix has none left */
	goes(w, OTHER, FAR, OTHER, router_mac);
	goes(w, NULL, NEARER, SLAAC, router_mac);
	EQ(pc_stack_validate(w->st, NULL), 0);
}

/* The word of either router on a prefix, which may change. */
static void one_prefix_of_two_routers(struct wt *w)
{
	start6(w, true);
	tell_both(w, 0);
	ADVERTISE(.lifetime = 1800, .prefix = "2001:db8:1::", .len = 64, .flags = 0, .valid = 60);
	goes(w, NULL, NEARER, OTHER, router_mac); /* rule 8: both are of its prefixes */
	goes(w, OTHER, FAR, OTHER, router_mac);
	ADVERTISE(.lifetime = 1800, .prefix = "2001:db8:1::", .len = 64, .flags = 0, .valid = 0);
	goes(w, NULL, NEARER, SLAAC, router_mac);
	goes(w, OTHER, FAR, OTHER, second_mac);
	ADVERTISE(.lifetime = 1800, .prefix = "2001:db8:1::", .len = 64, .flags = 0, .valid = 60);
	goes(w, OTHER, FAR, OTHER, router_mac);
	wt_pass(w, 61000);
	wt_drop(w);
	tell_both(w, 1);
	tell_both(w, 0);
	wt_pass(w, 2000); /* both have been heard, though they had not answered */
	wt_drop(w);
	goes(w, NULL, NEARER, SLAAC, router_mac);
	goes(w, OTHER, FAR, OTHER, second_mac);
}

/* A path in use goes by another router when the time of the prefix is over, though the first one stays a router. */
static void prefix_of_router_ends(struct wt *w)
{
	const struct sockaddr_in6 from = sin6(OTHER, 0), to = sin6(FAR, 9);
	int fd;

	start6(w, true);
	tell_both(w, 0);
	ADVERTISE(.lifetime = 1800, .prefix = "2001:db8:1::", .len = 64, .flags = 0, .valid = 3);
	wt_drop(w);
	fd = sock(w);
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&from, sizeof(from)));
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)));
	for (unsigned i = 0; i < 2; i++) {
		struct frame f;
		struct info6 got;

		OK(pc_send(w->st, fd, "x", 1, 0));
		wt_settle(w);
		f = *wt_next_frame(w, 0);
		CHECK(frame6_read(&f, &got) == NULL);
		CHECK(memcmp(got.ends.dst_mac, i == 0 ? router_mac : second_mac, 6) == 0);
		wt_pass(w, 3100);
		wt_drop(w);
	}
	OK(pc_close(w->st, fd));
	wt_drop(w);
}

/* The router of a prefix does not answer: better another one than none. */
static void dead_provider(struct wt *w)
{
	bool found = false;

	start6(w, true);
	tell_both(w, 0);
	goes(w, OTHER, FAR, OTHER, second_mac);
	for (unsigned n = 0; n < 40 && !found; n++) {
		wt_pass(w, 500);
		wt_drop(w);
		found = memcmp(talk_as(w, OTHER, FAR).ends.dst_mac, router_mac, 6) == 0;
	}
	CHECK(found);
	wt_drop(w);
}

/* Each router may redirect what goes by it. */
static void redirect_of_provider(struct wt *w)
{
	static const char third_mac[] = "\2\0\0\0\0\xfc";

	start6(w, true);
	tell_both(w, 0);
	redirect_us(w, SLAAC, SECOND, "fe80::fc", FAR, third_mac);
	EQ(wt_count(w, PC_DROP_ND_ROUTER), 1);
	goes(w, OTHER, FAR, OTHER, second_mac);
	redirect_us(w, OTHER, SECOND, "fe80::fc", FAR, third_mac);
	EQ(wt_count(w, PC_DROP_ND_ROUTER), 1);
	goes(w, OTHER, FAR, OTHER, third_mac);
	wt_drop(w);
}

/* Prefixes are noted up to a limit, and make room for others when they expire. */
static void many_prefixes(struct wt *w)
{
	start6(w, true);
	for (unsigned n = 0; n < 100; n++) {
		char text[32];

		snprintf(text, sizeof(text), "2001:db8:7:%u::", n);
		ADVERTISE(.lifetime = 1800, .prefix = text, .len = 64, .flags = 0, .valid = 8000);
	}
	tell_both(w, 0);
	CHECK(has_address(w, SLAAC) && has_address(w, OTHER));
	goes(w, NULL, NEARER, OTHER, router_mac);
	wt_pass(w, 8001000);
	wt_drop(w);
	tell_both(w, 0);
	goes(w, NULL, NEARER, SLAAC, router_mac);
	goes(w, OTHER, NEARER, OTHER, second_mac);
}

/* ---- path MTU (RFC 8201) ------------------------------------------------------------------------ */

static void too_big(struct wt *w, uint32_t mtu, const struct info6 *about)
{
	struct ends6 e = ends(ROUTER, router_mac);
	uint8_t body[52] = {0};
	struct frame f;

	e.src = addr6("2001:db8:ffff::fe");
	e.dst = about->ends.src;
	memcpy(e.dst_mac, PROBE_MAC, 6);
	put32(body, mtu);
	memcpy(body + 4, about->l4 - 40, 48);
	frame6_icmp(&f, &e, 64, 2, 0, body, 52);
	wt_inject_frame(w, &f);
}

static void path_mtu(struct wt *w)
{
	const struct sockaddr_in6 to = sin6(FAR, 9), other = sin6("2001:db8:ffff::2", 9);
	const struct sockaddr *sa = (const struct sockaddr *)&to;
	struct frame copy;
	struct info6 i;
	char buf[1452] = {0};
	int fd, val;
	socklen_t len = sizeof(val);

	start6(w, false);
	ADVERTISE(.lifetime = 9000);
	fd = sock(w);
	OK(pc_sendto(w->st, fd, buf, 1452, 0, sa, sizeof(to)));
	wt_settle(w);
	copy = *wt_next_frame(w, 0);
	CHECK(frame6_read(&copy, &i) == NULL);
	too_big(w, 1400, &i);
	ERR(pc_sendto(w->st, fd, buf, 1353, 0, sa, sizeof(to)), EMSGSIZE);
	OK(pc_sendto(w->st, fd, buf, 1352, 0, sa, sizeof(to)));
	OK(pc_sendto(w->st, fd, buf, 1452, 0, (const struct sockaddr *)&other, sizeof(other)));
	too_big(w, 1279, &i); /* section 4: never below 1280 */
	OK(pc_sendto(w->st, fd, buf, 1352, 0, sa, sizeof(to)));
	too_big(w, 1450, &i); /* nor up */
	ERR(pc_sendto(w->st, fd, buf, 1353, 0, sa, sizeof(to)), EMSGSIZE);
	wt_drop(w);
	OK(pc_close(w->st, fd));
	too_big(w, 1300, &i); /* about a socket that is gone: nobody has sent it */
	fd = sock(w);
	OK(pc_connect(w->st, fd, sa, sizeof(to))); /* others know it too */
	OK(pc_getsockopt(w->st, fd, IPPROTO_IPV6, IPV6_MTU, &val, &len));
	EQ(val, 1400);
	OK(pc_close(w->st, fd));
	wt_pass(w, 601000); /* for ten minutes */
	wt_drop(w);
	fd = sock(w);
	OK(pc_sendto(w->st, fd, buf, 1452, 0, sa, sizeof(to)));
	wt_settle(w);
	wt_drop(w);
}

/* A router tells of n name servers, fd00::53 and the following, for so long. */
static void tell_servers(struct wt *w, uint8_t first, uint8_t n, uint32_t seconds)
{
	const struct ends6 e = ends(ROUTER, router_mac);
	uint8_t body[300] = {[12] = 25, [13] = (uint8_t)(1 + 2 * n)};
	struct frame f;

	put32(body + 16, seconds);
	for (uint8_t i = 0; i < n; i++) {
		struct pc_addr a = addr6("fd00::53");

		a.b[15] = (uint8_t)(first + i);
		memcpy(body + 20 + 16 * i, a.b, 16);
	}
	frame6_icmp(&f, &e, 255, 134, 0, body, (uint16_t)(20 + 16 * n));
	wt_inject_frame(w, &f);
}

static void name_servers(struct wt *w)
{
	const struct pc_addr set = addr6("fd00::1:53");
	struct pc_addr list[8];

	start6(w, false);
	OK(pc_stack_add_dns(w->st, &set));
	tell_servers(w, 0x53, 2, 600);
	EQ(pc_stack_get_dns(w->st, list, 8), 3);
	CHECK(pc_addr_equal(&list[1], &(struct pc_addr){.b = {0xfd, [15] = 0x53}}));
	tell_servers(w, 0x53, 1, 1800); /* told again, for longer */
	wt_pass(w, 700000);
	EQ(pc_stack_get_dns(w->st, list, 8), 2);
	tell_servers(w, 0x53, 1, 0); /* taken back */
	EQ(pc_stack_get_dns(w->st, list, 8), 1);
	CHECK(pc_addr_equal(&list[0], &set));
	tell_servers(w, 0x60, 4, UINT32_MAX);
	tell_servers(w, 0x70, 6, UINT32_MAX); /* too many */
	EQ(pc_stack_get_dns(w->st, list, 8), 5);
	tell_servers(w, 0x60, 4, 0);
	EQ(pc_stack_get_dns(w->st, list, 8), 1);
	wt_drop(w);
}

/* A router tells of domains, len bytes as they stand in the option, for so long. */
static void tell_domains(struct wt *w, const char *names, uint8_t len, uint32_t seconds)
{
	const struct ends6 e = ends(ROUTER, router_mac);
	uint8_t body[300] = {[12] = 31, [13] = (uint8_t)(1 + (len + 7) / 8)};
	struct frame f;

	put32(body + 16, seconds);
	memcpy(body + 20, names, len);
	frame6_icmp(&f, &e, 255, 134, 0, body, (uint16_t)(12 + 8 * body[13]));
	wt_inject_frame(w, &f);
}

#define DOMAINS(names) names, sizeof(names) - 1

static void search_list(struct wt *w)
{
	char list[8][PC_DOMAIN_MAX + 1];

	start6(w, false);
	OK(pc_stack_add_search(w->st, "set.example"));
	tell_domains(w, DOMAINS("\7example\3org\0\1a\2b2\0"), 600);
	EQ(pc_stack_get_search(w->st, list, 8), 3);
	CHECK(strcmp(list[0], "set.example") == 0);
	CHECK(strcmp(list[1], "example.org") == 0);
	CHECK(strcmp(list[2], "a.b2") == 0);
	tell_domains(w, DOMAINS("\1A\2B2\0"), 1800);     /* told again, for longer */
	tell_domains(w, DOMAINS("\3set\7example\0"), 0); /* what was set stays */
	wt_pass(w, 700000);
	EQ(pc_stack_get_search(w->st, list, 8), 2);
	CHECK(strcmp(list[1], "A.B2") == 0);
	tell_domains(w, DOMAINS("\1a\2b2\0"), 0); /* taken back */
	EQ(pc_stack_get_search(w->st, list, 8), 1);
	tell_domains(w, DOMAINS("\1c\0\1d\0\1e\0\1f\0\1g\0\1h\0"), UINT32_MAX); /* too many */
	EQ(pc_stack_get_search(w->st, list, 8), 5);
	OK(pc_stack_del_search(w->st, "SET.example"));
	EQ(pc_stack_get_search(w->st, list, 8), 4);
	wt_drop(w);
}

/* names that are cut short, compressed, or no names: what stands before them is taken, nothing behind */
static void bad_search_list(struct wt *w)
{
	char list[8][PC_DOMAIN_MAX + 1];

	start6(w, false);
	tell_domains(w, DOMAINS("\1a\0\5ab\0\0\0\0"), 600);
	EQ(pc_stack_get_search(w->st, list, 8), 1);
	tell_domains(w, DOMAINS("\300\014\0\0\0\0\0\0"), 600);
	tell_domains(w, DOMAINS("\4a b;\0\0\0"), 600);
	tell_domains(w, DOMAINS("\7abcdefg"), 600);
	tell_domains(w, "", 0, 600);
	EQ(pc_stack_get_search(w->st, list, 8), 1);
	CHECK(strcmp(list[0], "a") == 0);
	EQ(pc_stack_add_search(w->st, ""), -1);
	EQ(errno, EINVAL);
	wt_drop(w);
}

static void link_local_server(struct wt *w)
{
	const struct ends6 e = ends(ROUTER, router_mac);
	uint8_t body[12 + 8 + 16] = {[12] = 25, [13] = 3, [19] = 200};
	struct pc_addr list[2], server = addr6("fe80::53");
	struct frame f;

	start6(w, false);
	memcpy(body + 20, server.b, 16);
	frame6_icmp(&f, &e, 255, 134, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	EQ(pc_stack_get_dns(w->st, list, 2), 1);
	EQ(pc_stack_dns_scope(w->st, &list[0]), 1);
	server = addr6("fd00::53");
	EQ(pc_stack_dns_scope(w->st, &server), 0);
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"RFC 4861 6.3.7, RFC 7559 2: routers are asked, less and less often", solicitations},
    {"RFC 4861 6.3.7: ... until one is a default router", solicitations_go_on},
    {"RFC 4861 7.2.5: a neighbour that is no router any more", no_router_any_more},
    {"RFC 4861 7.2.5: ... not by an answer that may not override", router_by_another},
    {"RFC 4861 6.3.4: default router and hop limit", default_router},
    {"RFC 4861 6.2.3: an advertisement that fills the MTU", long_advertisement},
    {"RFC 4861 6.3.2: reachable times differ", reachable_times},
    {"RFC 4861 6.3.4: reachable time and retransmission timer", times},
    {"RFC 4191 3: preferences of routers", preferences},
    {"RFC 4861 7.3.3: a dead router gives way", dead_router},
    {"RFC 4861 6.3.4: MTU of the link", link_mtu},
    {"RFC 8200 5: an MTU that is told for IPv4 alone", small_mtu4},
    {"RFC 9293 SHLD-6: the MSS offered follows the MTU of the link", mss_of_link},
    {"RFC 4861 6.3.4: prefixes on the link", on_link},
    {"RFC 4861 6.3.4, RFC 4291 2.5.5.2: a prefix that would be a network of IPv4", mapped_prefix},
    {"RFC 4862 5.5.3: addresses of prefixes, and their lifetimes", autoconf},
    {"RFC 4862 5.5.3 e: longer lifetimes, and shorter ones", lifetimes},
    {"RFC 4862 5.5.4: a lifetime that ends while the link comes up", over_while_probed},
    {"RFC 4862 5.5.4: networks that change each day", renumbering},
    {"RFC 4862 5.5.3 d: an address that was taken away, and is told again", taken_away},
    {"RFC 7217 5: stable addresses", stable},
    {"RFC 7217 6: stable addresses, and one that is free again", stable_again},
    {"RFC 6104: a rogue router fills nothing", bounded},
    {"ip6.accept_ra off", switched_off},
    {"RFC 4861 8.1, 8.3: redirects", redirects},
    {"RFC 4861 6.3.5, 7.2.5: a redirect to who is no router any more", redirect_to_no_router},
    {"RFC 4861 7.3.3: a redirect to a router that does not answer", redirect_to_dead_router},
    {"RFC 6724 5 rule 5.5, RFC 8028 3: two providers", two_providers},
    {"RFC 8028 3: a prefix that two routers advertise", one_prefix_of_two_routers},
    {"RFC 8028 3: ... until one does no more", prefix_of_router_ends},
    {"RFC 8028 3: the router of a prefix does not answer", dead_provider},
    {"RFC 4861 8.1, RFC 8028 3: a redirect by the router of a prefix", redirect_of_provider},
    {"RFC 8028 3: a rogue router fills nothing", many_prefixes},
    {"RFC 8201 4: path MTU of datagrams", path_mtu},
    {"RFC 8106 5.1: name servers, as long as they are told", name_servers},
    {"RFC 8106 5.1: a link-local name server is one of its link", link_local_server},
    {"RFC 8106 5.2: domains to search, as long as they are told", search_list},
    {"RFC 8106 5.2: what is no list of domains", bad_search_list},
};

WT_MAIN("ra")
