/* SPDX-License-Identifier: BSD-2-Clause */

/* Multicast groups of both families, as the link sees them. The socket options that ask for them have tests
 * of their own; here the layer below is asked. */

#include "frame6.h"
#include "stack/stack.h"
#include "wt.h"

#define GROUP "239.1.2.3"

static uint32_t ip4(const char *text)
{
	return wt_addr(text, 0).sin_addr.s_addr;
}

static struct pc_addr group4(const char *text)
{
	return pc_addr_ip4(ip4(text));
}

/* The next IGMP message sent within ms: header, router alert, checksum are looked at. NULL: none. */
static const uint8_t *next_igmp(struct wt *w, double ms, const char *dst)
{
	const struct frame *f = wt_next_frame(w, ms);
	const uint8_t *ip;
	uint32_t dst_be;

	if (f == NULL)
		return NULL;
	ip = f->b + 14;
	dst_be = ip4(dst);
	EQ(ip[0], 0x46); /* RFC 3376 section 4: TTL 1, a router alert, internetwork control */
	EQ(ip[1], 0xc0);
	EQ(ip[8], 1);
	EQ(ip[9], 2);
	CHECK(memcmp(ip + 20, "\x94\x04\0\0", 4) == 0);
	EQ(frame_fold(frame_sum(ip, 24, 0)), 0);
	EQ(frame_fold(frame_sum(ip + 24, (size_t)(ip[2] << 8 | ip[3]) - 24, 0)), 0);
	CHECK(memcmp(ip + 12, &(uint32_t){ip4(WT_LOCAL)}, 4) == 0);
	CHECK(memcmp(ip + 16, &dst_be, 4) == 0);
	CHECK(f->b[0] == 1 && f->b[2] == 0x5e && f->b[3] == (ip[17] & 0x7f) &&
	      memcmp(f->b + 4, ip + 18, 2) == 0);
	return ip + 24;
}

static void expect_record(struct wt *w, double ms, uint8_t kind, const char *group)
{
	const uint8_t *p = next_igmp(w, ms, "224.0.0.22");
	const uint32_t group_be = ip4(group);

	if (p == NULL)
		wt_fail(w, WT_HERE, "no report on %s", group);
	EQ(p[0], 0x22);
	EQ(p[7], 1);
	EQ(p[8], kind);
	CHECK(memcmp(p + 12, &group_be, 4) == 0);
}

/* A message of len bytes from the router of the link; to NULL: to all hosts. */
static void put(struct frame *f, const struct wt *w, const char *to, const uint8_t *msg,
                uint16_t len)
{
	struct frame_ends e = wt_ends(w);
	uint16_t sum;

	e.dst_be = ip4(to != NULL ? to : "224.0.0.1");
	memcpy(e.dst_mac, "\x01\0\x5e\0\0\1", 6);
	frame_icmp(f, &e, 0, 0, (const uint8_t[4]){0}, msg, (uint16_t)(len - 8));
	memcpy(f->b + 34, msg, len);
	f->b[22] = 1;
	f->b[23] = 2;
	frame_fix_ip4(f);
	f->b[36] = f->b[37] = 0;
	sum = frame_fold(frame_sum(f->b + 34, len, 0));
	f->b[36] = (uint8_t)(sum >> 8);
	f->b[37] = (uint8_t)sum;
}

static void query(struct wt *w, uint8_t code, const char *group, uint16_t len)
{
	uint8_t msg[12] = {0x11, code};
	struct frame f;

	if (group != NULL)
		memcpy(msg + 4, &(uint32_t){ip4(group)}, 4);
	put(&f, w, group, msg, len);
	wt_inject_frame(w, &f);
}

static void join(struct wt *w, const char *group)
{
	const struct pc_addr g = group4(group);

	wt_start(w);
	wt_pass(w, 2000);
	wt_drop(w);
	EQ(ip_group_join(&w->st->ip, 0, &g), 0);
	wt_settle(w);
}

static void join_and_leave(struct wt *w)
{
	const struct pc_addr g = group4(GROUP);

	join(w, GROUP);
	expect_record(w, 0, 4, GROUP);
	expect_record(w, 1001, 4, GROUP); /* the Robustness Variable is 2 */
	NOTHING(5000);
	EQ(ip_group_join(&w->st->ip, 0, &g),
	   0); /* by somebody else here: nothing new for the link */
	EQ(ip_group_leave(&w->st->ip, 0, &g), 0);
	NOTHING(2000);
	EQ(ip_group_leave(&w->st->ip, 0, &g), 0);
	wt_settle(w);
	expect_record(w, 0, 3, GROUP);
	EQ(ip_group_leave(&w->st->ip, 0, &g), -EADDRNOTAVAIL);
	expect_record(w, 1001, 3, GROUP);
	NOTHING(5000);
	EQ(ip_group_join(&w->st->ip, 1, &g), -EINVAL);
	EQ(ip_group_join(&w->st->ip, 0, ip_laddr(&w->st->ip, 0)), -EINVAL);
}

/* what has changed once more is told as it is now, and nothing of before */
static void join_again(struct wt *w)
{
	const struct pc_addr g = group4(GROUP);

	join(w, GROUP);
	wt_pass(w, 2000);
	wt_drop(w);
	EQ(ip_group_leave(&w->st->ip, 0, &g), 0);
	wt_settle(w);
	expect_record(w, 0, 3, GROUP);
	query(w, 0, NULL, 12); /* it is listened to no more */
	EQ(ip_group_join(&w->st->ip, 0, &g), 0);
	wt_settle(w);
	expect_record(w, 0, 4, GROUP);
	expect_record(w, 1001, 4, GROUP);
	NOTHING(5000);
}

/* places of groups that are being left are there for others */
static void left_give_way(struct wt *w)
{
	char text[32];

	wt_start(w);
	for (int round = 0; round < 2; round++) {
		for (int n = 0; n < 256; n++) {
			struct pc_addr g;

			snprintf(text, sizeof(text), "239.%d.0.%d", round, n);
			g = group4(text);
			EQ(ip_group_join(&w->st->ip, 0, &g), 0);
			if (n >= 100)
				EQ(ip_group_leave(&w->st->ip, 0, &g), 0);
		}
	}
	wt_pass(w, 2000);
	wt_drop(w);
}

static void queries(struct wt *w)
{
	join(w, GROUP);
	wt_pass(w, 2000);
	wt_drop(w);
	query(w, 10, NULL, 12); /* a general one, to be answered within a second */
	expect_record(w, 1001, 2, GROUP);
	query(w, 10, "239.9.9.9", 12); /* about a group of others: not even for us */
	NOTHING(2000);
	EQ(wt_count(w, PC_DROP_IP4_NOT_OURS), 1);
	query(w, 10, GROUP, 12);
	expect_record(w, 1001, 2, GROUP);
	/* 0x8f: (0x10 | 15) << 3 tenths of a second */
	query(w, 0x8f, NULL, 12);
	expect_record(w, 24801, 2, GROUP);
}

/* a query about a group of ours is not one about the others; what others report, who may speak for themselves only, is
 * no reason to be silent (RFC 3376 section 5); nobody is told of the group of all hosts */
static void one_of_two(struct wt *w)
{
	static const char *const both[] = {GROUP, "239.1.2.4"};
	const struct pc_addr all = group4("224.0.0.1"), second = group4(both[1]);
	const uint32_t group_be = ip4(GROUP);
	uint8_t msg[8] = {0x16};
	struct frame f;

	join(w, GROUP);
	EQ(ip_group_join(&w->st->ip, 0, &second), 0);
	wt_pass(w, 2000);
	wt_drop(w);
	EQ(ip_group_join(&w->st->ip, 0, &all), 0);
	NOTHING(2000);
	for (unsigned i = 0; i < 2; i++) {
		query(w, 10, both[i], 12);
		expect_record(w, 1001, 2, both[i]);
		NOTHING(2000);
	}
	query(w, 100, GROUP, 12);
	memcpy(msg + 4, &group_be, 4);
	put(&f, w, GROUP, msg, 8);
	wt_inject_frame(w, &f);
	expect_record(w, 10001, 2, GROUP);
	EQ(ip_group_leave(&w->st->ip, 0, &all), 0);
	NOTHING(1000);
}

/* Queries that want to be answered at once, as nobody does who is honest: each of them would be answered by a report for every
 * group. */
static void hurried_queries(struct wt *w)
{
	const struct pc_addr second = group4("239.1.2.4");
	unsigned n = 0;

	join(w, GROUP);
	EQ(ip_group_join(&w->st->ip, 0, &second), 0);
	wt_pass(w, 3000);
	wt_drop(w);
	for (unsigned ms = 0; ms < 1000; ms++) {
		query(w, 0, NULL, 12);
		wt_pass(w, 1);
		n += wt_drop(w);
	}
	IN(n, 2 * 1000 / 21, 2 * 1000 / 8);
}

static void older_queriers(struct wt *w)
{
	const struct pc_addr g = group4(GROUP);
	const uint32_t g_be = ip4(GROUP);
	const uint8_t *p;
	struct frame f;
	uint8_t msg[8] = {0x16};

	join(w, GROUP);
	wt_pass(w, 2000);
	wt_drop(w);
	query(w, 10, NULL, 8);
	p = next_igmp(w, 1001, GROUP); /* version 2: sent to the group itself */
	CHECK(p != NULL && p[0] == 0x16 && memcmp(p + 4, &g_be, 4) == 0);
	query(w, 100, NULL, 8);
	memcpy(msg + 4, &g_be, 4);
	put(&f, w, GROUP, msg, 8);
	wt_inject_frame(w, &f); /* RFC 2236 section 3: another has said it */
	NOTHING(11000);
	EQ(ip_group_leave(&w->st->ip, 0, &g), 0);
	wt_settle(w);
	p = next_igmp(w, 0, "224.0.0.2");
	CHECK(p != NULL && p[0] == 0x17);
	query(w, 0, NULL, 8); /* version 1 */
	EQ(ip_group_join(&w->st->ip, 0, &g), 0);
	wt_settle(w);
	p = next_igmp(w, 0, GROUP);
	CHECK(p != NULL && p[0] == 0x12);
	wt_pass(w, 11000);
	wt_drop(w);
	EQ(ip_group_leave(&w->st->ip, 0, &g), 0);
	NOTHING(1000);
	wt_pass(w, 261000); /* RFC 3376 section 8.12: the older querier has gone */
	join(w, GROUP);
	expect_record(w, 0, 4, GROUP);
}

/* a switch that asks for groups itself has no address to do so from (RFC 4541 section 2.1.1); nothing else comes from none */
static void asked_by_nobody(struct wt *w)
{
	const uint32_t group_be = ip4(GROUP);
	struct frame_ends e = wt_ends(w);
	uint8_t msg[12] = {0x11, 10};
	struct frame f;

	join(w, GROUP);
	wt_pass(w, 2000);
	wt_drop(w);
	put(&f, w, NULL, msg, 12);
	memset(f.b + 26, 0, 4);
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
	expect_record(w, 1001, 2, GROUP);
	memcpy(msg + 4, &group_be, 4);
	put(&f, w, GROUP, msg, 12);
	memset(f.b + 26, 0, 4);
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
	expect_record(w, 1001, 2, GROUP);
	e.dst_be = group_be;
	e.src_be = 0;
	memcpy(e.dst_mac, "\x01\0\x5e\1\2\3", 6);
	frame_udp(&f, &e, 9, 5000, "x", 1);
	wt_inject_frame(w, &f);
	e = wt_ends(w);
	put(&f, w, WT_LOCAL, msg, 12);
	memset(f.b + 26, 0, 4);
	memcpy(f.b, e.dst_mac, 6);
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_IP4_SOURCE), 2);
	NOTHING(2000);
}

static void validity(struct wt *w)
{
	uint8_t msg[12] = {0x11, 10};
	struct frame f;

	join(w, GROUP);
	wt_pass(w, 2000);
	wt_drop(w);
	put(&f, w, NULL, msg, 12);
	f.b[36] ^= 1;
	wt_inject_frame(w, &f); /* a wrong checksum */
	put(&f, w, NULL, msg, 10);
	wt_inject_frame(w, &f); /* a length that no version has */
	put(&f, w, NULL, msg, 12);
	f.b[22] = 64;
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f); /* from beyond the link */
	put(&f, w, GROUP, msg, 12);
	wt_inject_frame(w, &f); /* a general query to one group */
	EQ(wt_count(w, PC_DROP_IGMP_MALFORMED), 4);
	msg[0] = 0x17;
	put(&f, w, NULL, msg, 8);
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_IGMP_IGNORED), 1);
	NOTHING(5000);
}

/* What is sent to a group comes in while somebody listens to it, and only then. */
static void reception(struct wt *w)
{
	const struct pc_addr g = group4(GROUP);
	struct sockaddr_in any = wt_addr("0.0.0.0", 5000);
	struct frame_ends e = wt_ends(w);
	struct frame f;
	char byte;
	int fd;

	join(w, GROUP);
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&any, sizeof(any)));
	e.dst_be = ip4(GROUP);
	memcpy(e.dst_mac, "\x01\0\x5e\1\2\3", 6);
	frame_udp(&f, &e, 9, 5000, "x", 1);
	wt_inject_frame(w, &f);
	EQ(pc_recv(w->st, fd, &byte, 1, 0), 1);
	EQ(ip_group_leave(&w->st->ip, 0, &g), 0);
	wt_inject_frame(w, &f);
	ERR(pc_recv(w->st, fd, &byte, 1, 0), EAGAIN);
	EQ(wt_count(w, PC_DROP_IP4_NOT_OURS), 1);
	OK(pc_close(w->st, fd));
	wt_settle(w);
	wt_drop(w);
}

static void bounded(struct wt *w)
{
	char text[32];
	int n = 0, rc = 0;

	wt_start(w);
	for (; n < 1000 && rc == 0; n++) {
		struct pc_addr g;

		snprintf(text, sizeof(text), "239.0.%d.%d", n / 256, n % 256);
		g = group4(text);
		rc = ip_group_join(&w->st->ip, 0, &g);
	}
	EQ(rc, -ENOBUFS);
	CHECK(n > 200);
	wt_pass(w, 2000);
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"RFC 3376 5.1: joining and leaving is reported", join_and_leave},
    {"RFC 3376 5.1: joining what has just been left", join_again},
    {"RFC 3376 5.1: what is left keeps no place", left_give_way},
    {"RFC 3376 5.2: queries are answered in time", queries},
    {"RFC 3376 5.2: one group of two", one_of_two},
    {"RFC 3376 5.2: queries in a hurry", hurried_queries},
    {"RFC 3376 7.2.1, RFC 2236: older queriers", older_queriers},
    {"RFC 4541 2.1.1: queries of who has no address", asked_by_nobody},
    {"RFC 3376 9.1: what is invalid is dropped", validity},
    {"RFC 1112 7.2: what is sent to a group comes in while it is listened to", reception},
    {"groups are bounded", bounded},
};

WT_MAIN("group")
