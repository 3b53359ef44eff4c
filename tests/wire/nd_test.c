/* SPDX-License-Identifier: BSD-2-Clause */

/* Neighbour discovery, our own addresses, and groups, as the link sees them. */

#include <time.h>

#include <linux/errqueue.h>

#include "frame6.h"
#include "stack/stack.h"
#include "wt.h"

#define LOCAL          "fd00::1"
#define PEER           "fd00::2"
#define LL             "fe80::ff:fe00:1" /* of 02:00:00:00:00:01 */
#define PEER_GROUP_MAC "\x33\x33\xff\0\0\2"

static struct frame last;

static void start6(struct wt *w, unsigned dad)
{
	struct pc_prefix us = {.addr = addr6(LOCAL), .len = 64};

	w->cfg.ip6_dad = dad;
	w->cfg.ip6_accept_ra = 0; /* wire/ra asks routers */
	w->cold = true;
	wt_start(w);
	wt_settle(w);
	wt_drop(w);
	OK(pc_stack_add_addr(w->st, 0, &us));
	wt_settle(w);
}

/* Ready, and everything that was said on the way forgotten. */
static void ready(struct wt *w)
{
	start6(w, 0);
	wt_pass(w, 2000);
	wt_drop(w);
}

static struct ends6 ends(void)
{
	return (struct ends6){
	    .src_mac = PEER_MAC, .dst_mac = PROBE_MAC, .src = addr6(PEER), .dst = addr6(LOCAL)};
}

/* The next message sent within ms, or a proto of 0. */
static struct info6 next6(struct wt *w, double ms)
{
	const struct frame *f = wt_next_frame(w, ms);
	struct info6 i = {0};
	const char *wrong;

	if (f == NULL)
		return i;
	last = *f;
	wrong = frame6_read(&last, &i);
	if (wrong != NULL)
		wt_fail(w, WT_HERE, "malformed frame: %s", wrong);
	return i;
}

/* A solicitation (135) or an advertisement (136) for target; lla: its option with this MAC address. */
static void put_nd(struct frame *f, const struct ends6 *e, uint8_t type, uint8_t flags,
                   const char *target, const char *lla)
{
	const struct pc_addr t = addr6(target);
	uint8_t body[28] = {flags};

	memcpy(body + 4, t.b, 16);
	body[20] = type == 135 ? 1 : 2;
	body[21] = 1;
	if (lla != NULL)
		memcpy(body + 22, lla, 6);
	frame6_icmp(f, e, 255, type, 0, body, lla != NULL ? 28 : 20);
}

/* ... and one that comes in */
static void hear_nd(struct wt *w, const struct ends6 *e, uint8_t type, uint8_t flags,
                    const char *target, const char *lla)
{
	struct frame f;

	put_nd(&f, e, type, flags, target, lla);
	wt_inject_frame(w, &f);
}

/* Sends a datagram to the peer. */
static void talk(struct wt *w)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	static int fd;

	memcpy(&to.sin6_addr, addr6(PEER).b, 16);
	fd = pc_socket(w->st, AF_INET6, SOCK_DGRAM, 0);
	OK(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_close(w->st, fd));
	wt_settle(w);
}

/* Says whether the next frame sent is a datagram to this MAC address. */
static bool goes_to(struct wt *w, const char *mac)
{
	const struct info6 i = next6(w, 0);

	return i.proto == 17 && memcmp(i.ends.dst_mac, mac, 6) == 0;
}

/* The next packet, within so many milliseconds, asks a MAC address who the peer is. */
static bool asks(struct wt *w, double ms, const char *mac)
{
	const struct info6 i = next6(w, ms);

	return i.l4[0] == 135 && memcmp(i.ends.dst_mac, mac, 6) == 0;
}

/* RFC 4862 section 5.4: first the groups, then the question, then, after a second, use */
static void duplicate_detection(struct wt *w)
{
	struct ends6 e = ends();
	struct info6 i;
	unsigned reports = 0, probes = 0, adverts = 0;

	start6(w, 1);
	hear_nd(w, &e, 135, 0, LOCAL, PEER_MAC); /* not ours yet: section 5.4.3 */
	EQ(wt_count(w, PC_DROP_IP6_NOT_OURS), 1);
	EQ(wt_count(w, PC_DROP_ND_NOT_OURS), 0);
	while ((i = next6(w, 3000)).proto != 0) {
		if (i.l4[0] == 143) {
			CHECK(probes > 0 || reports == 0);
			reports++;
		} else if (i.l4[0] == 135) {
			CHECK(pc_addr_is_any(&i.ends.src) && i.hops == 255);
			CHECK(pc_addr_equal(
			    &i.ends.dst,
			    &(struct pc_addr){.b = {0xff, 2, [11] = 1, [12] = 0xff, [15] = 1,
			                            [14] = i.l4[22], [13] = i.l4[21]}}));
			EQ(i.l4[24], 14); /* RFC 7527: a nonce, and no link-layer address */
			EQ(i.l4_len, 32);
			probes++;
		} else {
			EQ(i.l4[0], 136);
			CHECK((i.l4[4] & 0x40) == 0);
			adverts++;
		}
	}
	EQ(probes, 2); /* for fd00::1 and the link-local address */
	EQ(adverts, 2);
	EQ(reports, 4); /* both are in one group; RFC 3590: again once there is a source */
	hear_nd(w, &e, 135, 0, LOCAL, PEER_MAC);
	EQ(next6(w, 0).l4[0], 136);
}

static void duplicate_found(struct wt *w)
{
	struct ends6 e = ends();
	unsigned left = 0;
	struct info6 i;

	/* somebody advertises it */
	start6(w, 1);
	wt_drop(w);
	e.dst = addr6("ff02::1");
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	e.src = addr6("fe80::2");
	hear_nd(w, &e, 136, 0x20, LOCAL, PEER_MAC);
	EQ(wt_count(w, PC_ND_DUPLICATES), 1);
	EQ(wt_count(w, PC_DROP_ND_CONFLICT), 1);
	/* somebody else asks for the other one */
	e.dst = addr6("ff02::1:ff00:1");
	memcpy(e.dst_mac, "\x33\x33\xff\0\0\1", 6);
	e.src = addr6("::");
	hear_nd(w, &e, 135, 0, LL, NULL);
	EQ(wt_count(w, PC_ND_DUPLICATES), 2);
	while ((i = next6(w, 5000)).proto != 0) {
		CHECK(i.l4[0] != 136);
		left += i.l4[0] == 143 && i.l4[8] == 3;
	}
	EQ(left, 0); /* IPv6 is off */
}

/* One that is not the link-local one: nobody listens to its group any more, and the others are used. */
static void duplicate_alone(struct wt *w)
{
	const struct pc_prefix p = {.addr = addr6("fd00::77"), .len = 64};
	struct ends6 e = ends();
	unsigned left = 0;
	struct info6 i;

	start6(w, 1);
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_settle(w);
	wt_drop(w);
	e.dst = addr6("ff02::1");
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	e.src = addr6("fe80::2");
	hear_nd(w, &e, 136, 0x20, "fd00::77", PEER_MAC);
	EQ(wt_count(w, PC_ND_DUPLICATES), 1);
	while ((i = next6(w, 5000)).proto != 0)
		left += i.l4[0] == 143 && i.l4[8] == 3;
	EQ(left, 2); /* RFC 3810 section 6.1: said twice */
	e = ends();
	hear_nd(w, &e, 135, 0, LOCAL, PEER_MAC);
	EQ(next6(w, 0).l4[0], 136);
}

/* Whoever has the address advertises it from there (RFC 4861 section 7.2.4), as Linux does. */
static void duplicate_speaks(struct wt *w)
{
	const struct pc_prefix p = {.addr = addr6("fd00::77"), .len = 64};
	struct ends6 e = ends();
	struct frame f;

	start6(w, 1);
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_settle(w);
	e.dst = addr6("ff02::1");
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	e.src = addr6("fd00::77");
	memcpy(e.src_mac, PROBE_MAC, 6); /* a loop */
	hear_nd(w, &e, 136, 0x20, "fd00::77", PROBE_MAC);
	EQ(wt_count(w, PC_DROP_IP6_SOURCE), 1);
	memcpy(e.src_mac, PEER_MAC, 6);
	frame6_icmp(&f, &e, 255, 128, 0, "\0\1\0\1", 4); /* anything else */
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_IP6_SOURCE), 2);
	put_nd(&f, &e, 136, 0x20, "fd00::77", PEER_MAC);
	f.b[14 + 7] = 254; /* of another network */
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_IP6_SOURCE), 3);
	EQ(wt_count(w, PC_ND_DUPLICATES), 0);
	hear_nd(w, &e, 136, 0x20, "fd00::77", PEER_MAC);
	EQ(wt_count(w, PC_ND_DUPLICATES), 1);
	EQ(wt_count(w, PC_DROP_ND_CONFLICT), 1);
	wt_pass(w, 5000); /* the other address is in use by then: it is not taken away */
	wt_drop(w);
	e.src = addr6(LOCAL);
	hear_nd(w, &e, 136, 0x20, LOCAL, PEER_MAC);
	EQ(wt_count(w, PC_DROP_IP6_SOURCE), 4);
	EQ(wt_count(w, PC_ND_DUPLICATES), 1);
}

static bool answers_echo(struct wt *w, const char *to)
{
	struct ends6 e = ends();
	struct frame f;

	e.dst = addr6(to);
	if (pc_addr_is_multicast(&e.dst))
		memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	frame6_icmp(&f, &e, 64, 128, 0, (uint8_t[4]){1, 2, 3, 4}, 4);
	wt_inject_frame(w, &f);
	return probe_sent(w->probe) != NULL && next6(w, 0).l4[0] == 129;
}

/* Nothing of IPv6 goes out or comes in, whatever is asked for: not by datagrams, groups or new addresses. */
static void check_silent(struct wt *w)
{
	const struct pc_addr group = addr6("ff05::1234");
	const struct pc_prefix more = {.addr = addr6("fd00::5"), .len = 64};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	const int fd = pc_socket(w->st, AF_INET6, SOCK_DGRAM, 0);

	CHECK(wt_next_frame(w, 10000) == NULL);
	CHECK(!answers_echo(w, LOCAL) && !answers_echo(w, LL) && !answers_echo(w, "ff02::1"));
	EQ(wt_count(w, PC_DROP_IP6_NOT_OURS), 3);
	memcpy(&to.sin6_addr, addr6(PEER).b, 16);
	ERR(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)),
	    EADDRNOTAVAIL);
	memcpy(&to.sin6_addr, addr6("fe80::2").b, 16);
	to.sin6_scope_id = 1;
	ERR(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)),
	    EADDRNOTAVAIL);
	OK(pc_close(w->st, fd));
	EQ(ip_group_join(&w->st->ip, 0, &group), 0);
	OK(pc_stack_add_addr(w->st, 0, &more));
	CHECK(wt_next_frame(w, 10000) == NULL);
	EQ(wt_count(w, PC_ND_DUPLICATES), 1);
}

/* Somebody has the link-local address, which is made of the MAC address, and so perhaps that: IPv6 is off on this port, until
 * its link has been away, behind which somebody else may be then. */
static void disabled(struct wt *w)
{
	struct ends6 e = ends();
	const struct frame *f;
	unsigned questions = 0, adverts = 0;

	start6(w, 1);
	wt_drop(w);
	e.dst = addr6("ff02::1");
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	e.src = addr6("fe80::2");
	hear_nd(w, &e, 136, 0x20, LL, PEER_MAC);
	EQ(wt_count(w, PC_DROP_ND_CONFLICT), 1);
	check_silent(w);
	probe_port(w->probe)->info.link_up = false;
	wt_pass(w, 10);
	probe_port(w->probe)->info.link_up = true;
	while ((f = wt_next_frame(w, 5000)) != NULL) {
		questions += f->b[20] == 58 && f->b[54] == 135;
		adverts += f->b[20] == 58 && f->b[54] == 136;
	}
	EQ(questions, 3);
	EQ(adverts, 3);
	e = ends();
	hear_nd(w, &e, 135, 0, LOCAL, PEER_MAC);
	EQ(next6(w, 0).l4[0], 136);
	CHECK(answers_echo(w, LOCAL) && answers_echo(w, "fd00::5"));
	EQ(pc_stack_validate(w->st, NULL), 0);
}

/* ... also when it was in use, and the link has come up again */
static void disabled_in_use(struct wt *w)
{
	struct ends6 e = ends();

	start6(w, 1);
	wt_pass(w, 5000);
	wt_drop(w);
	hear_nd(w, &e, 135, 0, LOCAL, PEER_MAC);
	EQ(next6(w, 0).l4[0], 136);
	CHECK(answers_echo(w, LOCAL));
	probe_port(w->probe)->info.link_up = false;
	wt_pass(w, 10);
	probe_port(w->probe)->info.link_up = true;
	wt_pass(w, 10);
	wt_drop(w);
	e.dst = addr6("ff02::1");
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	e.src = addr6("fe80::2");
	hear_nd(w, &e, 136, 0x20, LL, PEER_MAC);
	check_silent(w);
}

/* RFC 4862 5.4: nothing comes from an address that is asked for, not even to a neighbour that only it reaches */
static void tentative_source(struct wt *w)
{
	struct sockaddr_in6 to = {
	    .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_scope_id = 1};
	int fd;

	start6(w, 1);
	memcpy(&to.sin6_addr, addr6("fe80::2").b, 16);
	fd = pc_socket(w->st, AF_INET6, SOCK_DGRAM, 0);
	ERR(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)),
	    EADDRNOTAVAIL);
	wt_pass(w, 3000);
	OK(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_close(w->st, fd));
	wt_settle(w);
	wt_drop(w);
}

/* RFC 4862 5.4.3: who has an address is told nothing by us as long as we only want ours; who wants it, too, and asks with
 * a nonce of his own (RFC 7527 4.2), takes it away */
static void wanted_twice(struct wt *w)
{
	struct ends6 e = ends();
	uint8_t body[28] = {[20] = 14, [21] = 1, [22] = 0xaa, [27] = 0x55};
	struct frame f;
	struct info6 i;

	start6(w, 1);
	wt_drop(w);
	e.dst = addr6("ff02::1:ff00:1");
	memcpy(e.dst_mac, "\x33\x33\xff\0\0\1", 6);
	hear_nd(w, &e, 135, 0, LOCAL, PEER_MAC);
	EQ(wt_count(w, PC_DROP_ND_NOT_OURS), 1);
	EQ(wt_count(w, PC_ND_DUPLICATES), 0);
	e.src = addr6("::");
	memcpy(body + 4, addr6(LOCAL).b, 16);
	frame6_icmp(&f, &e, 255, 135, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_ND_LOOP), 0);
	EQ(wt_count(w, PC_ND_DUPLICATES), 1);
	while ((i = next6(w, 5000)).proto != 0)
		CHECK(i.l4[0] != 136 || memcmp(i.l4 + 8, addr6(LOCAL).b, 16) != 0);
	e.src = addr6(PEER);             /* it is not ours */
	e.dst = addr6("ff02::1:ff00:1"); /* which is the group of the other one still */
	hear_nd(w, &e, 135, 0, LOCAL, PEER_MAC);
	EQ(wt_count(w, PC_DROP_ND_NOT_OURS), 2);
}

/* RFC 7527: our own question, come back by a loop, is no duplicate */
static void loop(struct wt *w)
{
	struct info6 i;
	struct frame f;

	start6(w, 1);
	do {
		i = next6(w, 1500);
		CHECK(i.proto == 58);
	} while (i.l4[0] != 135);
	f = last;
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_ND_LOOP), 1);
	EQ(wt_count(w, PC_ND_DUPLICATES), 0);
	wt_pass(w, 3000);
	wt_drop(w);
}

/* The next question, which is about target unless that is NULL. */
static struct info6 question(struct wt *w, const uint8_t *target)
{
	struct info6 i;

	do {
		i = next6(w, 1500);
		CHECK(i.proto == 58);
	} while (i.l4[0] != 135 || (target != NULL && memcmp(i.l4 + 8, target, 16) != 0));
	return i;
}

/* ... nor is an earlier one of several, each of which has a nonce of its own (RFC 7527 4.2), when the loop is a long one */
static void long_loop(struct wt *w)
{
	struct frame f[2];
	struct ends6 e;
	uint8_t body[28];

	start6(w, 3);
	e = question(w, NULL).ends;
	for (unsigned n = 0; n < 2; n++) {
		f[n] = last;
		memcpy(body, last.b + 14 + 40 + 4, sizeof(body));
		CHECK(memcmp(question(w, body + 4).l4 + 26, body + 22, 6) != 0);
	}
	for (unsigned n = 0; n < 2; n++)
		wt_inject_frame(w, &f[n]);
	EQ(wt_count(w, PC_DROP_ND_LOOP), 2);
	EQ(wt_count(w, PC_ND_DUPLICATES), 0);
	body[27] ^= 1; /* of somebody else */
	frame6_icmp(&f[0], &e, 255, 135, 0, body, sizeof(body));
	wt_inject_frame(w, &f[0]);
	EQ(wt_count(w, PC_ND_DUPLICATES), 1);
	wt_pass(w, 5000);
	wt_drop(w);
}

static void validity(struct wt *w)
{
	struct ends6 e = ends();
	uint8_t body[36] = {0};
	struct frame f;

	ready(w);
	put_nd(&f, &e, 135, 0, LOCAL, PEER_MAC);
	f.b[21] = 254; /* the hop limit is not covered by the checksum */
	wt_inject_frame(w, &f);
	put_nd(&f, &e, 135, 0, LOCAL, PEER_MAC);
	frame6_insert(&f, 44, (uint8_t[8]){0}, 8); /* RFC 6980: in an atomic fragment */
	wt_inject_frame(w, &f);
	put_nd(&f, &e, 135, 0, LOCAL, PEER_MAC);
	frame6_icmp(&f, &e, 255, 135, 1, f.b + 58, 28); /* code */
	wt_inject_frame(w, &f);
	hear_nd(w, &e, 135, 0, "ff02::1", PEER_MAC);   /* target is a group */
	hear_nd(w, &e, 135, 0, LOCAL, "\1\0\0\0\0\0"); /* group MAC */
	for (uint16_t n = 0; n < 20; n++) { /* too short; with 20 bytes there are no options */
		frame6_icmp(&f, &e, 255, 135, 0, "\0\0\0\0\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", n);
		wt_inject_frame(w, &f);
	}
	put_nd(&f, &e, 135, 0, LOCAL, PEER_MAC);
	memcpy(body, f.b + 58, 28);
	body[21] = 2; /* a MAC address of 14 bytes */
	frame6_icmp(&f, &e, 255, 135, 0, body, 36);
	wt_inject_frame(w, &f);
	put_nd(&f, &e, 135, 0, LOCAL, PEER_MAC);
	f.b[54 + 25] = 0; /* an option of length 0 */
	f.b[54 + 3] = (uint8_t)(f.b[54 + 3] + 1);
	wt_inject_frame(w, &f);
	e.src = addr6("::");
	hear_nd(w, &e, 135, 0, LOCAL, NULL); /* from nobody, but not to the group */
	e.dst = addr6("ff02::1");            /* ... or to another */
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	hear_nd(w, &e, 135, 0, LOCAL, NULL);
	e.dst = addr6("ff02::1:ff00:1"); /* ... or with a MAC address */
	memcpy(e.dst_mac, "\x33\x33\xff\0\0\1", 6);
	hear_nd(w, &e, 135, 0, LOCAL, PEER_MAC);
	e = ends();
	hear_nd(w, &e, 136, 0x60, "ff02::1", PEER_MAC); /* as in solicitations */
	hear_nd(w, &e, 136, 0x60, PEER, "\1\0\0\0\0\0");
	e.dst = addr6("ff02::1");
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	hear_nd(w, &e, 136, 0x60, PEER, PEER_MAC); /* solicited, to everybody */
	CHECK(wt_next_frame(w, 100) == NULL);
	EQ(wt_count(w, PC_DROP_ND_MALFORMED) + wt_count(w, PC_DROP_ICMP_SHORT), 33);
}

/* Says whether a datagram over IPv4 goes to this MAC address. */
static bool goes_to4(struct wt *w, const char *mac)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, 9);
	const int fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	const struct frame *f;

	OK(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_close(w->st, fd));
	wt_settle(w);
	while ((f = wt_next_frame(w, 0)) != NULL) {
		last = *f;
		if (last.b[13] == 0 && last.b[23] == 17)
			return memcmp(last.b, mac, 6) == 0;
	}
	return false;
}

/* RFC 4291 section 2.5.5.2: the mapped form of an address names one of IPv4, which is ARP's business: nobody is told of ours, one
 * that is asked for is not lost, and the neighbours of IPv4 stay where they are. */
static void mapped(struct wt *w)
{
	static const char other[] = "\2\0\0\0\0\x77";
	struct pc_prefix p = {.len = 120};
	struct ends6 e = ends();

	w->cfg.arp_confirm = 0;
	w->cfg.arp_probes = 3;
	start6(w, 0);
	wt_pass(w, 20000);
	wt_drop(w);
	hear_nd(w, &e, 135, 0, "::ffff:" WT_LOCAL, PEER_MAC);
	CHECK(wt_next_frame(w, 0) == NULL);
	CHECK(goes_to4(w, PEER_MAC));
	hear_nd(w, &e, 136, 0x60, "::ffff:" WT_PEER, other);
	CHECK(goes_to4(w, PEER_MAC));
	p.addr = addr6("::ffff:192.0.2.9");
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_pass(w, 1500);
	hear_nd(w, &e, 136, 0x20, "::ffff:192.0.2.9", other);
	e.src = addr6("::");
	e.dst = addr6("ff02::1:ff00:209");
	memcpy(e.dst_mac, "\x33\x33\xff\0\0\1", 6);
	hear_nd(w, &e, 135, 0, "::ffff:192.0.2.9", NULL);
	EQ(wt_count(w, PC_ARP_DUPLICATES), 0);
	wt_pass(w, 20000);
	wt_drop(w);
}

/* RFC 4861 section 7.2.4 */
static void answers(struct wt *w)
{
	struct ends6 e = ends();
	struct info6 i;

	ready(w);
	e.dst = addr6("ff02::1:ff00:1");
	memcpy(e.dst_mac, "\x33\x33\xff\0\0\1", 6);
	hear_nd(w, &e, 135, 0, LOCAL, PEER_MAC);
	i = next6(w, 0);
	EQ(i.l4[0], 136);
	EQ(i.l4[4], 0x60); /* solicited and override, no router */
	EQ(i.hops, 255);
	CHECK(memcmp(i.l4 + 8, addr6(LOCAL).b, 16) == 0);
	CHECK(i.l4[24] == 2 && i.l4[25] == 1 && memcmp(i.l4 + 26, PROBE_MAC, 6) == 0);
	CHECK(memcmp(i.ends.dst_mac, PEER_MAC, 6) == 0);
	CHECK(pc_addr_equal(&i.ends.dst, &e.src));
	hear_nd(w, &e, 135, 0, "fd00::ff00:1", PEER_MAC); /* the same group, but not ours */
	EQ(wt_count(w, PC_DROP_ND_NOT_OURS), 1);
	e.src = addr6("::"); /* somebody wants to have our address */
	hear_nd(w, &e, 135, 0, LOCAL, NULL);
	i = next6(w, 0);
	EQ(i.l4[0], 136);
	EQ(i.l4[4], 0x20);
	CHECK(memcmp(i.ends.dst_mac, "\x33\x33\0\0\0\1", 6) == 0);
	talk(w); /* the asker is known now */
	CHECK(goes_to(w, PEER_MAC));
}

static void resolution(struct wt *w)
{
	struct ends6 e = ends();
	unsigned n = 0;
	struct info6 i;

	ready(w);
	talk(w);
	i = next6(w, 0);
	EQ(i.l4[0], 135);
	CHECK(memcmp(i.ends.dst_mac, PEER_GROUP_MAC, 6) == 0);
	CHECK(memcmp(i.ends.dst.b, addr6("ff02::1:ff00:2").b, 16) == 0);
	CHECK(memcmp(i.ends.src.b, addr6(LOCAL).b, 16) == 0);
	CHECK(i.l4[24] == 1 && memcmp(i.l4 + 26, PROBE_MAC, 6) == 0);
	CHECK(wt_next_frame(w, 500) == NULL);
	hear_nd(w, &e, 136, 0x60, PEER, NULL); /* without an address it says nothing */
	EQ(wt_count(w, PC_DROP_ND_UNASKED), 1);
	hear_nd(w, &e, 136, 0x60, PEER, PEER_MAC);
	CHECK(goes_to(w, PEER_MAC));                     /* what was held */
	hear_nd(w, &e, 136, 0x60, "fd00::77", PEER_MAC); /* nobody asked */
	EQ(wt_count(w, PC_DROP_ND_UNASKED), 2);
	/* in use after arp.reachable_ms: asked again, by unicast, then given up */
	wt_pass(w, 31000);
	talk(w);
	CHECK(goes_to(w, PEER_MAC));
	while ((i = next6(w, 6000)).proto == 58 && i.l4[0] == 135) {
		CHECK(memcmp(i.ends.dst_mac, n < 3 ? PEER_MAC : PEER_GROUP_MAC, 6) == 0);
		n++;
	}
	IN(n, 3, 6);
}

/* RFC 4861 section 7.2.2: a packet that was kept for a neighbour that does not answer */
static void unreached(struct wt *w)
{
	const struct sockaddr_in6 to = {
	    .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = {{{0xfd, [15] = 2}}}};
	struct sock_extended_err ee;
	const int on = 1;
	int fd;

	ready(w);
	OK(fd = pc_socket(w->st, AF_INET6, SOCK_DGRAM, 0));
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)));
	OK(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)));
	wt_pass(w, 3500);
	ee = wt_error(w, fd);
	EQ(ee.ee_errno, EHOSTUNREACH);
	EQ(ee.ee_origin, SO_EE_ORIGIN_ICMP6);
	CHECK(ee.ee_type == 1 && ee.ee_code == 3);
	OK(pc_close(w->st, fd));
	wt_drop(w);
}

/* RFC 4861 section 7.2.5: who may change a known address */
static void override(struct wt *w)
{
	static const char other[] = "\2\0\0\0\0\x77";
	struct ends6 e = ends();

	w->cfg.arp_confirm = 0;
	ready(w);
	talk(w);
	CHECK(next6(w, 0).l4[0] == 135);
	hear_nd(w, &e, 136, 0x60, PEER, PEER_MAC);
	CHECK(goes_to(w, PEER_MAC));
	hear_nd(w, &e, 136, 0x00, PEER, other); /* no override: the first one counts */
	talk(w);
	CHECK(goes_to(w, PEER_MAC));
	hear_nd(w, &e, 136, 0x20, PEER, other);
	talk(w);
	CHECK(goes_to(w, other));
	wt_pass(w, 5100); /* asked, as it was not solicited */
	CHECK(next6(w, 0).l4[0] == 135);
	hear_nd(w, &e, 136, 0x60, PEER, other);
	CHECK(wt_next_frame(w, 20000) == NULL);
	EQ(wt_count(w, PC_TX_UNRESOLVED), 0);
}

/* The neighbour has been reached where it is: somebody who says that it is elsewhere is believed when it does not answer there. */
static void forged(struct wt *w)
{
	static const char other[] = "\2\0\0\0\0\x77";
	struct ends6 e = ends();

	ready(w);
	talk(w);
	CHECK(next6(w, 0).l4[0] == 135);
	hear_nd(w, &e, 136, 0x60, PEER, PEER_MAC);
	CHECK(goes_to(w, PEER_MAC));
	for (unsigned n = 0; n < 100; n++) {
		hear_nd(w, &e, 136, n % 2 ? 0x60 : 0x20, PEER, other);
	}
	CHECK(asks(w, 0, PEER_MAC)); /* one question, to where it was */
	talk(w);
	CHECK(goes_to(w, PEER_MAC));
	EQ(wt_count(w, PC_NEIGH_DOUBTED), 100);
	hear_nd(w, &e, 136, 0x60, PEER, PEER_MAC);
	wt_pass(w, 500);
	hear_nd(w, &e, 136, 0x20, PEER, other); /* too early for another question */
	CHECK(wt_next_frame(w, 3000) == NULL);
	/* it does not answer any more: asked twice there, then everybody is, and who answers is believed */
	hear_nd(w, &e, 136, 0x20, PEER, other);
	for (unsigned n = 0; n < 3; n++) {
		CHECK(asks(w, 1100, n < 2 ? PEER_MAC : PEER_GROUP_MAC));
		hear_nd(w, &e, 136, 0x20, PEER, "\2\0\0\0\0\x78"); /* that nobody asked for */
	}
	hear_nd(w, &e, 136, 0x60, PEER, other);
	talk(w);
	CHECK(goes_to(w, other));
	EQ(wt_count(w, PC_TX_UNRESOLVED), 0);
}

/* Two say to be a neighbour that nobody has reached yet: everybody is asked as soon as something is sent. */
static void disputed(struct wt *w)
{
	static const char other[] = "\2\0\0\0\0\x77";
	struct ends6 e = ends();

	ready(w);
	hear_nd(w, &e, 135, 0, LOCAL, PEER_MAC);
	CHECK(next6(w, 0).l4[0] == 136);
	hear_nd(w, &e, 135, 0, LOCAL, other);
	CHECK(next6(w, 0).l4[0] == 136);
	talk(w);
	CHECK(asks(w, 0, PEER_GROUP_MAC));
	CHECK(goes_to(w, other));
	for (unsigned n = 0; n < 100; n++) {
		hear_nd(w, &e, 136, 0x20, PEER, n % 2 ? PEER_MAC : other);
		talk(w);
		CHECK(goes_to(w, other));
	}
	hear_nd(w, &e, 136, 0x60, PEER, PEER_MAC);
	talk(w);
	CHECK(goes_to(w, PEER_MAC));
	CHECK(wt_next_frame(w, 20000) == NULL);
}

/* RFC 6583: a scan fills nothing but our own questions, and those are bounded */
static void bounded(struct wt *w)
{
	struct pc_stack_usage usage;
	struct ends6 e = ends();

	ready(w);
	for (unsigned n = 0; n < 500; n++) {
		e.src.b[14] = (uint8_t)(n >> 8);
		e.src.b[13] = (uint8_t)n;
		hear_nd(w, &e, 136, 0x60, PEER, PEER_MAC); /* nobody asked for these */
		hear_nd(w, &e, 135, 0, LOCAL, PEER_MAC);
	}
	pc_stack_get_usage(w->st, &usage);
	EQ(usage.neighbours, usage.neighbours_max);
	wt_drop(w);
}

/* ---- groups ------------------------------------------------------------------------------------ */

/* Expects a report on a group. */
static void expect_report(struct wt *w, double ms, uint8_t kind, const char *group)
{
	struct info6 i = next6(w, ms);

	if (i.proto == 0)
		wt_fail(w, WT_HERE, "no report on %s", group);
	EQ(i.l4[0], 143);
	CHECK(i.alert && i.hops == 1);
	CHECK(memcmp(i.ends.dst.b, addr6("ff02::16").b, 16) == 0);
	EQ(i.l4[7], 1);
	EQ(i.l4[8], kind);
	CHECK(memcmp(i.l4 + 12, addr6(group).b, 16) == 0);
}

/* A query of MLD, behind a hop-by-hop header with this option (RFC 2711 section 2.1) and padding. */
static void query(struct wt *w, const struct ends6 *e, const uint8_t *body, uint16_t len,
                  const char option[4])
{
	uint8_t hop[8] = {0, 0, [6] = 1};
	struct frame f;

	memcpy(hop + 2, option, 4);
	frame6_icmp(&f, e, 1, 130, 0, body, len);
	frame6_insert(&f, 0, hop, sizeof(hop));
	wt_inject_frame(w, &f);
}

#define ALERT "\5\2\0\0"

static void listeners(struct wt *w)
{
	struct ends6 e = ends();
	struct info6 i;
	uint8_t body[24] = {0};
	struct frame f;

	start6(w, 1);
	/* joined before anything else is said, and again within a second (RFC 3810 section 6.1) */
	expect_report(w, 0, 4, "ff02::1:ff00:1");
	do {
		i = next6(w, 1500);
		CHECK(i.proto == 58);
	} while (i.l4[0] != 143);
	EQ(i.l4[8], 4);
	wt_pass(w, 4000);
	wt_drop(w);
	e.src = addr6("fe80::2");
	e.dst = addr6("ff02::1");
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	body[0] = 1000 >> 8;
	body[1] = (uint8_t)1000;
	query(w, &e, body, 24, ALERT); /* a general query, to be answered within 1 s */
	expect_report(w, 1001, 2, "ff02::1:ff00:1");
	memcpy(body + 4, addr6("ff02::1:ff00:99").b, 16);
	query(w, &e, body, 24, ALERT); /* about a group of others */
	CHECK(wt_next_frame(w, 2000) == NULL);
	memset(body + 4, 0, 16);
	frame6_icmp(&f, &e, 2, 130, 0, body, 24); /* from beyond the link */
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_ND_MALFORMED), 1);
	frame6_icmp(&f, &e, 1, 130, 0, body, 24); /* RFC 3810 section 6.2: no router alert */
	wt_inject_frame(w, &f);
	query(w, &e, body, 24, "\5\2\0\1"); /* one for RSVP */
	query(w, &e, body, 24, "\1\2\0\0"); /* padding */
	EQ(wt_count(w, PC_DROP_ND_MALFORMED), 4);
	frame6_icmp(&f, &e, 2, 130, 0, body,
	            24); /* with an alert, but from beyond the link, by its hops or its source */
	frame6_insert(&f, 0, "\0\0" ALERT "\1\0", 8);
	wt_inject_frame(w, &f);
	frame6_icmp(&f, &e, 1, 130, 0, body, 24); /* an alert that routers do not see */
	frame6_insert(&f, 60, "\0\0" ALERT "\1\0", 8);
	wt_inject_frame(w, &f);
	query(w, &e, body, 22, ALERT); /* neither version's length */
	e.src = addr6(PEER);
	query(w, &e, body, 24, ALERT);
	e.src = addr6("fe80::2");
	EQ(wt_count(w, PC_DROP_ND_MALFORMED) + wt_count(w, PC_DROP_ICMP_SHORT), 8);
	CHECK(wt_next_frame(w, 2000) == NULL);
	query(w, &e, body, 20, ALERT); /* RFC 3810 section 8: an older querier */
	i = next6(w, 1001);
	EQ(i.l4[0], 131);
	CHECK(memcmp(i.ends.dst.b, addr6("ff02::1:ff00:1").b, 16) == 0 && i.alert);
}

/* no group of the host itself, nor the one of all, is told of (RFC 3810 section 6); an older querier hears of who leaves */
static void told_groups(struct wt *w)
{
	const struct pc_addr group = addr6("ff05::1234"), host = addr6("ff01::5"),
	                     all = addr6("ff02::1");
	struct ends6 e = ends();
	uint8_t body[20] = {1000 >> 8, (uint8_t)1000};
	struct info6 i;

	ready(w);
	EQ(ip_group_join(&w->st->ip, 0, &host), 0);
	EQ(ip_group_join(&w->st->ip, 0, &all), 0);
	CHECK(wt_next_frame(w, 2000) == NULL);
	EQ(ip_group_join(&w->st->ip, 0, &group), 0);
	wt_settle(w);
	expect_report(w, 0, 4, "ff05::1234");
	expect_report(w, 1001, 4, "ff05::1234");
	e.src = addr6("fe80::2");
	e.dst = all;
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	query(w, &e, body, 20, ALERT);
	wt_pass(w, 1100);
	EQ(wt_drop(w), 2);
	EQ(ip_group_leave(&w->st->ip, 0, &group), 0);
	wt_settle(w);
	i = next6(w, 0);
	EQ(i.l4[0], 132);
	CHECK(pc_addr_equal(&i.ends.dst, &(struct pc_addr){.b = {0xff, 2, [15] = 2}}));
}

/* Routers ignore a report from nobody, so a group that was joined before there was an address is told of again. */
static void sourceless_reports(struct wt *w)
{
	const struct pc_addr group = addr6("ff05::1234"), ll = addr6(LL);
	unsigned without = 0, with = 0;
	struct info6 i;

	start6(w, 1);
	EQ(ip_group_join(&w->st->ip, 0, &group), 0);
	wt_settle(w);
	while ((i = next6(w, 3000)).proto != 0) {
		if (i.l4[0] != 143 || memcmp(i.l4 + 12, group.b, 16) != 0)
			continue;
		EQ(i.l4[8], 4);
		without += pc_addr_is_any(&i.ends.src);
		with += pc_addr_equal(&i.ends.src, &ll);
	}
	EQ(without, 2);
	EQ(with, 2);
}

/* However many groups sockets listen to: an address of ours has the one in which it is looked for (RFC 4861 section 7.2.1). */
static void room_for_own(struct wt *w)
{
	struct pc_prefix p = {.addr = addr6("fd00::abc:def1"), .len = 64};
	struct ends6 e = ends();
	struct pc_addr g = addr6("::ffff:239.0.0.0");
	unsigned n = 0;
	struct info6 i;

	ready(w);
	for (int rc = 0; rc == 0 && n < 1000; n++) {
		g.b[14] = (uint8_t)(n >> 8);
		g.b[15] = (uint8_t)n;
		rc = ip_group_join(&w->st->ip, 0, &g);
	}
	IN(n, 250, 999);
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_pass(w, 2000);
	wt_drop(w);
	e.dst = addr6("ff02::1:ffbc:def1");
	memcpy(e.dst_mac, "\x33\x33\xff\xbc\xde\xf1", 6);
	hear_nd(w, &e, 135, 0, "fd00::abc:def1", PEER_MAC);
	i = next6(w, 0);
	CHECK(i.proto == 58 && i.l4[0] == 136);
	OK(pc_stack_del_addr(w->st, 0, &p));
	wt_pass(w, 2000);
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"RFC 4862 5.4: duplicate address detection", duplicate_detection},
    {"RFC 4862 5.4.4: ... whose advertisement comes from it", duplicate_speaks},
    {"RFC 4862 5.4.5: an address that somebody has is not used", duplicate_found},
    {"RFC 4862 5.4.5: ... and what it has asked for is left", duplicate_alone},
    {"RFC 4862 5.4.5: whose link-local address somebody has does not speak IPv6", disabled},
    {"RFC 4862 5.4.5: ... nor if that was in use", disabled_in_use},
    {"RFC 4862 5.4: nothing comes from an address that is asked for", tentative_source},
    {"RFC 4862 5.4.3: an address that somebody else wants", wanted_twice},
    {"RFC 7527 4: a looped question is no duplicate", loop},
    {"RFC 7527 4.2: nor is an earlier one of several", long_loop},
    {"RFC 4861 7.1: what is invalid is dropped", validity},
    {"RFC 4861 7.1, RFC 4291 2.5.5.2: what is said of addresses of IPv4", mapped},
    {"RFC 4861 7.2.4: solicitations are answered", answers},
    {"RFC 4861 7.2.2, 7.3: a packet is kept, neighbours are asked again", resolution},
    {"RFC 4861 7.2.2: a neighbour that does not answer", unreached},
    {"RFC 4861 7.2.5: override", override},
    {"a forged advertisement", forged},
    {"two say to be a neighbour", disputed},
    {"RFC 6583 7: the neighbour cache is bounded", bounded},
    {"RFC 3810 5: multicast listener reports", listeners},
    {"RFC 3810 6, RFC 2710 4: what is told of, and how", told_groups},
    {"RFC 3590 4: reports without a source are sent again with one", sourceless_reports},
    {"RFC 4861 7.2.1: the groups of our addresses have room besides those of sockets",
     room_for_own},
};

WT_MAIN("nd")
