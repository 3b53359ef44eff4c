/* SPDX-License-Identifier: BSD-2-Clause */
/* Filters of multicast sources as a whole (RFC 3678 sections 4.2 and 5.2): IP_MSFILTER, MCAST_MSFILTER; and IP_MULTICAST_IF. */
#include "live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define GROUP   "239.1.2.3"
#define MANY    11 /* one more than IPv4 takes */
#define IF_ONLY 1

/* room for the largest of either struct, and more than that */
struct request {
	_Alignas(8) char bytes[GROUP_FILTER_SIZE(MANY + 2)];
	socklen_t len;
};

static in_addr_t source(unsigned i)
{
	return htonl(0x0a010100 + i);
}

static struct in_addr near_addr(const struct live *l)
{
	return bed_addr(&l->bed, NEAR, 0).sin_addr;
}

static struct request msf(const struct live *l, const char *group, uint32_t mode, uint32_t n)
{
	const struct ip_msfilter head = {.imsf_multiaddr.s_addr = inet_addr(group),
	                                 .imsf_interface = near_addr(l),
	                                 .imsf_fmode = mode,
	                                 .imsf_numsrc = n};
	struct request r = {.len = (socklen_t)IP_MSFILTER_SIZE((size_t)n)};

	memcpy(r.bytes, &head, IP_MSFILTER_SIZE(0));
	for (unsigned i = 0; i < n && i < MANY + 2; i++) {
		const in_addr_t from = source(i);

		memcpy(r.bytes + IP_MSFILTER_SIZE(i), &from, sizeof(from));
	}
	return r;
}

static void put(void *at, int family, const char *addr, unsigned i)
{
	struct sockaddr_in in = {.sin_family = (sa_family_t)family};
	struct sockaddr_in6 in6 = {.sin6_family = (sa_family_t)family};

	if (family == AF_INET6) {
		inet_pton(family, addr, &in6.sin6_addr);
		in6.sin6_addr.s6_addr[15] = (uint8_t)(in6.sin6_addr.s6_addr[15] + i);
		memcpy(at, &in6, sizeof(in6));
	} else {
		in.sin_addr.s_addr = htonl(ntohl(inet_addr(addr)) + i);
		memcpy(at, &in, sizeof(in));
	}
}

static struct request gf(int family, const char *group, uint32_t mode, uint32_t n)
{
	struct group_filter head = {.gf_interface = IF_ONLY, .gf_fmode = mode, .gf_numsrc = n};
	struct request r = {.len = (socklen_t)GROUP_FILTER_SIZE((size_t)n)};

	put(&head.gf_group, family, group, 0);
	memcpy(r.bytes, &head, GROUP_FILTER_SIZE(0));
	for (unsigned i = 0; i < n && i < MANY + 2; i++)
		put(r.bytes + GROUP_FILTER_SIZE(i), family,
		    family == AF_INET6 ? "2001:db8::1" : "10.1.1.0", i);
	return r;
}

static void set(struct live *l, int fd, int level, int name, const struct request *r)
{
	live_log(l, "set", l->c->setsockopt(fd, level, name, r->bytes, r->len));
}

/* logs what is told in a struct ip_msfilter with room for some sources */
static void tell_msf(struct live *l, int fd, const char *group, uint32_t room)
{
	struct request r = msf(l, group, 77, room);
	struct ip_msfilter head;
	int rc;

	memset(r.bytes + IP_MSFILTER_SIZE(0), 0, sizeof(r.bytes) - IP_MSFILTER_SIZE(0));
	rc = l->c->getsockopt(fd, IPPROTO_IP, IP_MSFILTER, r.bytes, &r.len);
	live_log(l, "get", rc);
	memcpy(&head, r.bytes, IP_MSFILTER_SIZE(0));
	bed_log(&l->bed, "%u of mode %u (%u):", head.imsf_numsrc, head.imsf_fmode, r.len);
	for (unsigned i = 0; i < room; i++) {
		struct in_addr from;

		memcpy(&from, r.bytes + IP_MSFILTER_SIZE(i), sizeof(from));
		bed_log(&l->bed, " %08x", ntohl(from.s_addr));
	}
	bed_log(&l->bed, "\n");
}

static void tell_gf(struct live *l, int fd, int family, const char *group, uint32_t room)
{
	struct request r = gf(family, group, 77, room);
	struct group_filter head;
	int rc;

	memset(r.bytes + GROUP_FILTER_SIZE(0), 0, sizeof(r.bytes) - GROUP_FILTER_SIZE(0));
	rc = l->c->getsockopt(fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP, MCAST_MSFILTER,
	                      r.bytes, &r.len);
	live_log(l, "get", rc);
	memcpy(&head, r.bytes, GROUP_FILTER_SIZE(0));
	bed_log(&l->bed, "%u of mode %u (%u):", head.gf_numsrc, head.gf_fmode, r.len);
	for (unsigned i = 0; i < room; i++) {
		struct sockaddr_in6 from; /* whose address lies behind an IPv4 one's */
		char text[INET6_ADDRSTRLEN] = "";
		const void *addr = family == AF_INET6 ? (const void *)&from.sin6_addr
		                                      : (const void *)&from.sin6_flowinfo;

		memcpy(&from, r.bytes + GROUP_FILTER_SIZE(i), sizeof(from));
		inet_ntop(family, addr, text, sizeof(text));
		bed_log(&l->bed, " %u/%s", from.sin6_family, text);
	}
	bed_log(&l->bed, "\n");
}

static void join(struct live *l, int fd, int family, const char *group)
{
	struct group_req req = {.gr_interface = IF_ONLY};

	put(&req.gr_group, family, group, 0);
	live_log(l, "join",
	         l->c->setsockopt(fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
	                          MCAST_JOIN_GROUP, &req, sizeof(req)));
}

/* One source more or less, by a call of its own. */
static void one(struct live *l, int fd, int name, unsigned i)
{
	const struct ip_mreq_source m = {.imr_multiaddr.s_addr = inet_addr(GROUP),
	                                 .imr_interface = near_addr(l),
	                                 .imr_sourceaddr.s_addr = source(i)};

	live_log(l, "one", l->c->setsockopt(fd, IPPROTO_IP, name, &m, sizeof(m)));
}

/* setipv4sourcefilter() and getipv4sourcefilter() */
static void whole(struct live *l)
{
	static const struct {
		uint32_t mode, n;
	} steps[] = {{MCAST_EXCLUDE, 0}, {MCAST_EXCLUDE, 3},  {MCAST_INCLUDE, 2},
	             {MCAST_INCLUDE, 1}, {MCAST_EXCLUDE, 10}, {MCAST_EXCLUDE, 11},
	             {MCAST_INCLUDE, 0}, {MCAST_EXCLUDE, 0}};
	const int fd = l->c->socket(AF_INET, SOCK_DGRAM, 0);
	struct request r = msf(l, GROUP, MCAST_EXCLUDE, 1);

	set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
	tell_msf(l, fd, GROUP, 2);
	join(l, fd, AF_INET, GROUP);
	tell_msf(l, fd, GROUP, 2);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		r = msf(l, GROUP, steps[i].mode, steps[i].n);
		set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
		for (uint32_t room = 0; room <= MANY; room += room < 2 ? 2 : 3)
			tell_msf(l, fd, GROUP, room);
	}
	l->c->close(fd);
}

/* and what calls that add and take one source make of such a filter */
static void with_single(struct live *l)
{
	const int fd = l->c->socket(AF_INET, SOCK_DGRAM, 0);
	struct request r = msf(l, GROUP, MCAST_EXCLUDE, 4);

	join(l, fd, AF_INET, GROUP);
	set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
	one(l, fd, IP_UNBLOCK_SOURCE, 1);
	tell_msf(l, fd, GROUP, 5);
	one(l, fd, IP_BLOCK_SOURCE, 1);
	one(l, fd, IP_BLOCK_SOURCE, 1);
	one(l, fd, IP_ADD_SOURCE_MEMBERSHIP, 7);
	tell_msf(l, fd, GROUP, 5);
	r = msf(l, GROUP, MCAST_INCLUDE, 2);
	set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
	one(l, fd, IP_ADD_SOURCE_MEMBERSHIP, 7);
	one(l, fd, IP_DROP_SOURCE_MEMBERSHIP, 0);
	tell_msf(l, fd, GROUP, 5);
	one(l, fd, IP_DROP_SOURCE_MEMBERSHIP, 7);
	one(l, fd, IP_DROP_SOURCE_MEMBERSHIP, 1);
	tell_msf(l, fd, GROUP, 5);
	/* the first one makes the membership */
	one(l, fd, IP_ADD_SOURCE_MEMBERSHIP, 3);
	tell_msf(l, fd, GROUP, 5);
	tell_gf(l, fd, AF_INET, GROUP, 2);
	l->c->close(fd);
}

/* setsourcefilter() and getsourcefilter(), of both families */
static void by_group(struct live *l)
{
	static const struct {
		uint32_t mode, n;
	} steps[] = {{MCAST_EXCLUDE, 0},  {MCAST_INCLUDE, 1}, {MCAST_EXCLUDE, 3},
	             {MCAST_INCLUDE, 10}, {MCAST_INCLUDE, 0}, {MCAST_INCLUDE, 2}};

	live_ip6(l);
	for (int i = 0; i < 3; i++) {
		const int family = i == 0 ? AF_INET : AF_INET6,
		          spoken = i == 1 ? AF_INET6 : AF_INET,
		          level = spoken == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
		          fd = l->c->socket(family, SOCK_DGRAM, 0);
		const char *group = spoken == AF_INET6 ? "ff05::1:3" : GROUP;

		tell_gf(l, fd, spoken, group, 2);
		join(l, fd, spoken, group);
		for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
			struct request r = gf(spoken, group, steps[k].mode, steps[k].n);

			set(l, fd, level, MCAST_MSFILTER, &r);
			for (uint32_t room = 0; room <= 10; room += room < 2 ? 1 : 4)
				tell_gf(l, fd, spoken, group, room);
		}
		l->c->close(fd);
	}
}

/* lengths, numbers of sources that they do not fit, modes, and what is no group */
static void wrong_msf(struct live *l)
{
	static const uint32_t numbers[] = {0, 1, 9, 10, 11, 0x3ffffffb, 0x3ffffffc, UINT32_MAX};
	const int fd = l->c->socket(AF_INET, SOCK_DGRAM, 0);
	struct request r = msf(l, GROUP, MCAST_EXCLUDE, 1);

	join(l, fd, AF_INET, GROUP);
	for (socklen_t len = 0; len <= 24; len++) {
		r.len = len;
		set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		for (int less = 0; less < 2; less++) {
			r = msf(l, GROUP, MCAST_EXCLUDE, numbers[i] <= MANY ? numbers[i] : MANY);
			memcpy(r.bytes + offsetof(struct ip_msfilter, imsf_numsrc), &numbers[i], 4);
			r.len -= (socklen_t)less;
			set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
		}
	}
	for (uint32_t mode = 0; mode < 4; mode++) {
		r = msf(l, GROUP, mode, 1);
		set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
	}
	r = msf(l, "10.0.0.1", MCAST_EXCLUDE, 1);
	set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
	tell_msf(l, fd, "10.0.0.1", 1);
	r = msf(l, "239.9.9.9", MCAST_INCLUDE, 0);
	set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
	tell_msf(l, fd, "239.9.9.9", 1);
	r = msf(l, GROUP, MCAST_INCLUDE, 1);
	memcpy(r.bytes + offsetof(struct ip_msfilter, imsf_interface), "\xc0\x00\x02\x09", 4);
	set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
	live_log(l, "get", l->c->getsockopt(fd, IPPROTO_IP, IP_MSFILTER, r.bytes, &r.len));
	for (r.len = 0; r.len < IP_MSFILTER_SIZE(0); r.len += 5)
		live_log(l, "get", l->c->getsockopt(fd, IPPROTO_IP, IP_MSFILTER, r.bytes, &r.len));
	r.len = sizeof(r.bytes);
	live_log(l, "get", l->c->getsockopt(fd, IPPROTO_IP, IP_MSFILTER, NULL, &r.len));
	live_log(l, "set", l->c->setsockopt(fd, IPPROTO_IP, IP_MSFILTER, NULL, 16));
	l->c->close(fd);
}

static void wrong_number(struct live *l, int fd, int level, struct request r, uint32_t n)
{
	memcpy(r.bytes + offsetof(struct group_filter, gf_numsrc), &n, sizeof(n));
	set(l, fd, level, MCAST_MSFILTER, &r);
	r.len--;
	set(l, fd, level, MCAST_MSFILTER, &r);
}

/* an interface and families that do not fit */
static void wrong_parts(struct live *l, int fd, int family)
{
	const int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
	          other = family == AF_INET6 ? AF_INET : AF_INET6;
	const char *group = family == AF_INET6 ? "ff05::1:3" : GROUP;
	const uint32_t none = 99;
	struct request r = gf(family, group, MCAST_EXCLUDE, 1);

	memcpy(r.bytes, &none, sizeof(none));
	set(l, fd, level, MCAST_MSFILTER, &r);
	live_log(l, "get", l->c->getsockopt(fd, level, MCAST_MSFILTER, r.bytes, &r.len));
	r = gf(other, other == AF_INET6 ? "ff05::1:3" : GROUP, MCAST_EXCLUDE, 1);
	set(l, fd, level, MCAST_MSFILTER, &r);
	live_log(l, "get", l->c->getsockopt(fd, level, MCAST_MSFILTER, r.bytes, &r.len));
	r = gf(family, group, MCAST_EXCLUDE, 1);
	put(r.bytes + GROUP_FILTER_SIZE(0), other, other == AF_INET6 ? "2001:db8::9" : "10.1.1.9",
	    0);
	set(l, fd, level, MCAST_MSFILTER, &r);
	live_log(l, "get", l->c->getsockopt(fd, level, MCAST_MSFILTER, r.bytes, &r.len));
	r = gf(family, family == AF_INET6 ? "2001:db8::3" : "10.0.0.1", MCAST_EXCLUDE, 1);
	set(l, fd, level, MCAST_MSFILTER, &r);
	live_log(l, "get", l->c->getsockopt(fd, level, MCAST_MSFILTER, r.bytes, &r.len));
	r = gf(family, group, 7, 1);
	set(l, fd, level, MCAST_MSFILTER, &r);
}

static void wrong_group(struct live *l)
{
	live_ip6(l);
	for (int i = 0; i < 2; i++) {
		const int family = i == 0 ? AF_INET : AF_INET6,
		          level = i == 0 ? IPPROTO_IP : IPPROTO_IPV6,
		          fd = l->c->socket(family, SOCK_DGRAM, 0);
		const char *group = i == 0 ? GROUP : "ff05::1:3";
		struct request r = gf(family, group, MCAST_EXCLUDE, 1);

		set(l, fd, level, MCAST_MSFILTER, &r);
		join(l, fd, family, group);
		for (socklen_t len = 0; len <= GROUP_FILTER_SIZE(1) + 8; len += 8) {
			r.len = len;
			set(l, fd, level, MCAST_MSFILTER, &r);
		}
		for (uint32_t n = 0; n <= 10; n += 5)
			wrong_number(l, fd, level, gf(family, group, MCAST_EXCLUDE, n), n);
		r = gf(family, group, MCAST_EXCLUDE, MANY);
		wrong_number(l, fd, level, r, i == 0 ? MANY : 65);
		wrong_number(l, fd, level, r, 0x1ffffff);
		wrong_number(l, fd, level, r, UINT32_MAX);
		wrong_parts(l, fd, family);
		r = gf(family, group, MCAST_EXCLUDE, 1);
		for (r.len = 0; r.len < GROUP_FILTER_SIZE(0); r.len += 9)
			live_log(l, "get",
			         l->c->getsockopt(fd, level, MCAST_MSFILTER, r.bytes, &r.len));
		live_log(l, "get", l->c->getsockopt(fd, level, MCAST_MSFILTER, NULL, &r.len));
		live_log(l, "set", l->c->setsockopt(fd, level, MCAST_MSFILTER, NULL, r.len));
		l->c->close(fd);
	}
}

/* Sends a byte from the far side to the group, and logs whether the near side hears it. */
static void say(struct live *l, int fd, int far, const struct sockaddr_in *to)
{
	char c;

	live_log(l, "said",
	         l->bed.call->sendto(&l->bed, FAR, far, "x", 1, 0, (const struct sockaddr *)to,
	                             sizeof(*to)));
	live_sleep(20);
	live_log(l, "heard", l->c->recv(fd, &c, 1, MSG_DONTWAIT));
}

/* Whose datagrams are delivered. */
static void heard(struct live *l)
{
	struct sockaddr_in a = {.sin_family = AF_INET}, far_addr = bed_addr(&l->bed, FAR, 0);
	const int fd = l->c->socket(AF_INET, SOCK_DGRAM, 0),
	          far = l->bed.call->socket(&l->bed, FAR, AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(a);
	struct request r;

	live_log(l, "bind", l->c->bind(fd, (struct sockaddr *)&a, len));
	(void)l->c->getsockname(fd, (struct sockaddr *)&a, &len);
	a.sin_addr.s_addr = inet_addr(GROUP);
	live_log(l, "bind",
	         l->bed.call->bind(&l->bed, FAR, far, (struct sockaddr *)&far_addr, len));
	live_log(l, "out",
	         l->bed.call->setsockopt(&l->bed, FAR, far, IPPROTO_IP, IP_MULTICAST_IF,
	                                 &far_addr.sin_addr, sizeof(far_addr.sin_addr)));
	join(l, fd, AF_INET, GROUP);
	say(l, fd, far, &a);
	for (uint32_t mode = MCAST_EXCLUDE; mode <= MCAST_INCLUDE; mode++) {
		for (int with = 0; with < 2; with++) {
			r = msf(l, GROUP, mode, 3);
			if (with)
				memcpy(r.bytes + IP_MSFILTER_SIZE(2), &far_addr.sin_addr, 4);
			set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
			say(l, fd, far, &a);
		}
	}
	r = msf(l, GROUP, MCAST_EXCLUDE, 0);
	set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
	say(l, fd, far, &a);
	r = msf(l, GROUP, MCAST_INCLUDE, 0);
	set(l, fd, IPPROTO_IP, IP_MSFILTER, &r);
	say(l, fd, far, &a);
	l->c->close(fd);
	l->bed.call->close(&l->bed, FAR, far);
}

/* ---- one at a time ------------------------------------------------------------------------------ */

enum { RIGHT, NO_INTERFACE, GROUP_FAMILY, SOURCE_FAMILY, NO_FAMILY, NO_GROUP, SHORT, MISTAKES };

/* A struct group_source_req, of which a struct group_req is the beginning, with a mistake. */
static struct group_source_req mistaken(int family, int mistake, unsigned from)
{
	const int other = family == AF_INET6 ? AF_INET : AF_INET6;
	const char *groups[] = {GROUP, "ff05::1:3"}, *sources[] = {"10.1.1.0", "2001:db8::1"};
	const int group = mistake == GROUP_FAMILY ? other : family,
	          source_family = mistake == SOURCE_FAMILY ? other : family;
	struct group_source_req r = {.gsr_interface = mistake == NO_INTERFACE ? 99 : IF_ONLY};

	put(&r.gsr_group, group, (mistake == NO_GROUP ? sources : groups)[group == AF_INET6], 0);
	put(&r.gsr_source, source_family, sources[source_family == AF_INET6], from);
	if (mistake == NO_FAMILY)
		r.gsr_group.ss_family = AF_UNIX;
	return r;
}

static void act(struct live *l, int fd, int family, int name, int mistake, unsigned from)
{
	const struct group_source_req r = mistaken(family, mistake, from);
	const socklen_t len = name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP
	                          ? sizeof(struct group_req)
	                          : sizeof(r);
	const int rc = l->c->setsockopt(fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP, name,
	                                &r, len - (mistake == SHORT));

	bed_log(&l->bed, "family %d, name %d, mistake %d, source %u", family == AF_INET6, name,
	        mistake, from);
	live_log(l, "", rc);
}

/* Every call with every mistake, on a socket that has not joined, that has, and that hears one source only. */
static void singles(struct live *l)
{
	static const int names[] = {MCAST_BLOCK_SOURCE,       MCAST_UNBLOCK_SOURCE,
	                            MCAST_LEAVE_SOURCE_GROUP, MCAST_LEAVE_GROUP,
	                            MCAST_JOIN_GROUP,         MCAST_JOIN_SOURCE_GROUP};

	live_ip6(l);
	for (int k = 0; k < 6; k++) {
		const int family = k % 2 ? AF_INET6 : AF_INET,
		          fd = l->c->socket(family, SOCK_DGRAM, 0);

		if (k / 2 == 1)
			act(l, fd, family, MCAST_JOIN_GROUP, RIGHT, 0);
		if (k / 2 == 2)
			act(l, fd, family, MCAST_JOIN_SOURCE_GROUP, RIGHT, 0);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			for (int mistake = MISTAKES - 1; mistake > RIGHT; mistake--)
				act(l, fd, family, names[i], mistake, 1);
		act(l, fd, family, MCAST_BLOCK_SOURCE, RIGHT, 2);
		act(l, fd, family, MCAST_BLOCK_SOURCE, RIGHT, 2);
		act(l, fd, family, MCAST_UNBLOCK_SOURCE, RIGHT, 3);
		tell_gf(l, fd, family, family == AF_INET6 ? "ff05::1:3" : GROUP, 4);
		act(l, fd, family, MCAST_JOIN_SOURCE_GROUP, RIGHT, 4);
		act(l, fd, family, MCAST_LEAVE_SOURCE_GROUP, RIGHT, 5);
		tell_gf(l, fd, family, family == AF_INET6 ? "ff05::1:3" : GROUP, 4);
		act(l, fd, family, MCAST_LEAVE_GROUP, RIGHT, 0);
		act(l, fd, family, MCAST_LEAVE_GROUP, RIGHT, 0);
		l->c->close(fd);
	}
}

/* IP_MULTICAST_IF: the address that was given is told, which need not be */
static void interface(struct live *l)
{
	const struct in_addr near = near_addr(l), other = {.s_addr = inet_addr("192.0.2.9")};
	const struct ip_mreqn steps[] = {{.imr_address = near},
	                                 {.imr_ifindex = IF_ONLY},
	                                 {.imr_ifindex = IF_ONLY, .imr_address = near},
	                                 {.imr_ifindex = 99},
	                                 {.imr_address = other},
	                                 {.imr_ifindex = 0}};
	const int fd = l->c->socket(AF_INET, SOCK_DGRAM, 0);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		for (socklen_t len = 0; len <= sizeof(steps[0]) + 1; len++) {
			char value[sizeof(steps[0]) + 1] = "";
			struct in_addr got = {.s_addr = 1};
			socklen_t got_len = sizeof(got);

			memcpy(value, len >= 8 ? &steps[i] : (const void *)&steps[i].imr_address,
			       len >= 8 ? sizeof(steps[i]) : sizeof(got));
			live_log(l, "set",
			         l->c->setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, value, len));
			live_log(l, "get",
			         l->c->getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &got, &got_len));
			bed_log(&l->bed, "%u: %s\n", got_len,
			        got.s_addr == near.s_addr ? "near"
			        : got.s_addr == 0         ? "any"
			                                  : "?");
		}
	l->c->close(fd);
}

static const struct live_case cases[] = {
    {"RFC 3678 4.2: set and told", whole},
    {"single sources of a filter", with_single},
    {"RFC 3678 5.2: of both families", by_group},
    {"wrong IP_MSFILTER", wrong_msf},
    {"wrong MCAST_MSFILTER", wrong_group},
    {"single sources, with mistakes", singles},
    {"who is heard", heard},
    {"IP_MULTICAST_IF", interface},
};

LIVE_MAIN("posix/filter", cases)
