/* SPDX-License-Identifier: BSD-2-Clause */

/* A router and DHCPv6 servers; see dhcp6_peer.h. */

#include "dhcp6_peer.h"

#include <arpa/inet.h>

#include <percore/control.h>

#define FAR "2001:db8:1::1"

struct pc_dhcp6 *client;
struct heard last;

void start(struct wt *w, enum pc_dhcp6_mode mode, bool slaac, bool dad)
{
	struct pc_prefix us = {.addr = addr6(LOCAL), .len = 64};

	w->cold = true;
	w->cfg.ip6_dad = dad;
	wt_start(w);
	OK(pc_stack_add_addr(w->st, 0, &us));
	if (slaac)
		OK(pc_stack_add_slaac(w->st, 0));
	wt_pass(w, 12000); /* nobody answers the solicitations */
	wt_drop(w);
	client = pc_dhcp6_create(w->st, 0, mode);
	CHECK(client != NULL);
}

void again(struct wt *w, enum pc_dhcp6_mode mode)
{
	pc_dhcp6_destroy(client);
	wt_settle(w);
	wt_drop(w);
	client = pc_dhcp6_create(w->st, 0, mode);
	CHECK(client != NULL);
}

void finish(struct wt *w)
{
	struct pc_stack_usage u;

	pc_dhcp6_destroy(client);
	wt_settle(w);
	wt_drop(w);
	pc_stack_get_usage(w->st, &u);
	EQ(u.udp_sockets, 0);
	EQ(pc_stack_get_dns(w->st, NULL, 0), 0);
	EQ(pc_stack_get_addrs(w->st, NULL, 0), 3); /* IPv4, the link-local one, and LOCAL */
}

static struct ends6 ends(const char *src, const char *dst)
{
	struct ends6 e = {.src = addr6(src), .dst = addr6(dst)};

	memcpy(e.src_mac, "\2\0\0\0\0\x67", 6);
	memcpy(e.dst_mac, strcmp(dst, "ff02::1") == 0 ? "\x33\x33\0\0\0\1" : PROBE_MAC, 6);
	return e;
}

void advertise(struct wt *w, uint8_t flags)
{
	const struct ends6 e = ends("fe80::fe", "ff02::1");
	const uint8_t body[12] = {64, flags, 1800 >> 8, 1800 & 0xff};
	struct frame f;

	frame6_icmp(&f, &e, 255, 134, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	wt_settle(w);
}

void claim(struct wt *w, const char *addr)
{
	const struct ends6 e = ends("fe80::99", "ff02::1");
	const struct pc_addr target = addr6(addr);
	uint8_t body[28] = {0x20, [20] = 2, 1, 2, 0, 0, 0, 0, 0x99};
	struct frame f;

	memcpy(body + 4, target.b, 16);
	frame6_icmp(&f, &e, 255, 136, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	pc_dhcp6_turn(client, w->now);
	wt_settle(w);
}

/* ---- hearing --------------------------------------------------------------------------------- */

static void read_ia(struct wt *w, struct heard *q, const uint8_t *p, unsigned len)
{
	q->has_ia = true;
	CHECK(len >= 12 && (len - 12) % 28 == 0);
	memcpy(q->iaid, p, 4);
	for (unsigned n = 12; n < len; n += 28) {
		CHECK(q->nb_addrs < 8);
		CHECK(memcmp(p + n, "\0\5\0\x18", 4) == 0);
		CHECK(memcmp(p + n + 20, "\0\0\0\0\0\0\0\0", 8) == 0); /* lifetimes */
		memcpy(q->addr[q->nb_addrs++].b, p + n + 4, 16);
	}
}

static void read_wishes(struct heard *q, const uint8_t *p, unsigned len)
{
	static const uint8_t options[] = {23, 24, 32, 82, 83};

	for (unsigned n = 0; n < len; n += 2)
		for (unsigned o = 0; o < 5; o++)
			q->wants |= (unsigned)(p[n + 1] == options[o]) << o;
}

static struct heard read_query(struct wt *w, const struct frame *f)
{
	static const char to[] = {'\xff', 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2};
	struct heard q = {.at_ns = w->now};
	const uint8_t *p, *end;
	struct info6 i;

	CHECK(frame6_read(f, &i) == NULL);
	CHECK(i.proto == 17 && i.hops == 1 && pc_addr_is_link_local(&i.ends.src));
	CHECK(i.l4[0] == 2 && i.l4[1] == 546 % 256 && i.l4[2] == 2 && i.l4[3] == 547 % 256);
	CHECK(memcmp(i.ends.dst.b, to, 16) == 0);
	p = i.l4 + 8;
	end = i.l4 + i.l4_len;
	q.type = p[0];
	q.src = i.ends.src;
	memcpy(q.xid, p + 1, 3);
	for (p += 4; p < end; p += 4 + (p[2] << 8 | p[3])) {
		const unsigned len = (unsigned)(p[2] << 8 | p[3]);

		if (p[1] == 1)
			memcpy(q.duid, p + 4, 10);
		else if (p[1] == 2)
			q.server = (char)p[3 + len];
		else if (p[1] == 3)
			read_ia(w, &q, p + 4, len);
		else if (p[1] == 6)
			read_wishes(&q, p + 4, len);
		else if (p[1] == 8)
			q.elapsed = (uint16_t)(p[4] << 8 | p[5]);
		else
			CHECK(p[1] == 14 && len == 0);
		q.has_server |= p[1] == 2;
		q.rapid |= p[1] == 14;
	}
	CHECK(p == end);
	return q;
}

bool hear(struct wt *w, double ms, double step)
{
	uint64_t due = 0;

	for (double t = 0, pass; t <= ms; t += pass) {
		pc_dhcp6_turn(client, w->now);
		CHECK(pc_dhcp6_next_deadline(client) > w->now);
		wt_settle(w);
		for (const struct frame *f; (f = probe_sent(w->probe)) != NULL;
		     probe_take(w->probe))
			if (f->b[12] == 0x86 && f->b[20] == 17) {
				last = read_query(w, f);
				probe_take(w->probe);
				CHECK(due <= w->now);
				return true;
			}
		due = pc_dhcp6_next_deadline(client);
		pass = due > w->now ? (double)(due - w->now) / 1e6 + 0.001 : step;
		pass = pass < step ? pass : step;
		wt_pass(w, pass);
	}
	return false;
}

/* ---- telling --------------------------------------------------------------------------------- */

static uint8_t *put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v & 0xffff);
}

static uint8_t *put(uint8_t *p, unsigned code, unsigned len, const void *data)
{
	p = put16(put16(p, code), len);
	if (len > 0)
		memcpy(p, data, len);
	return p + len;
}

static uint8_t *put_status(uint8_t *p, uint16_t status)
{
	return status != 0 ? put16(put16(put16(p, 13), 2), status) : p;
}

static uint8_t *put_ia(uint8_t *p, const struct told *t)
{
	uint8_t *const len = p + 2;

	p = put(p, 3, 4, last.iaid);
	p[-1] ^= t->other_ia;
	p = put32(put32(p, t->t1), t->t2);
	for (unsigned i = 0; i < t->n; i++) {
		const struct told_addr *x = &t->addr[i];
		const struct pc_addr a = addr6(x->addr);

		p = put(p, 5, 16, a.b);
		put16(p - 18, x->status != 0 ? 30 : 24);
		p = put_status(put32(put32(p, x->preferred), x->valid), x->status);
	}
	p = put_status(p, t->ia_status);
	put16(len, (unsigned)(p - len - 2));
	return p;
}

uint16_t build(uint8_t *d, const struct told *t)
{
	uint8_t server[10] = {0, 3, 0, 1, 2,
	                      0, 0, 0, 0, (uint8_t)(t->server != 0 ? t->server : 'a')};
	uint8_t *p = d + 4;

	d[0] = t->type;
	memcpy(d + 1, last.xid, 3);
	p = put(p, 1, 10, last.duid);
	p = put(p, 2, 10, server);
	if (t->preference != 0)
		p = put(p, 7, 1, &t->preference);
	if (t->rapid)
		p = put(p, 14, 0, NULL);
	p = put_status(p, t->status);
	if (t->sol_max_rt != 0)
		p = put32(put16(put16(p, 82), 4), t->sol_max_rt);
	if (t->dns != NULL) {
		const struct pc_addr a = addr6(t->dns);

		p = put(p, 23, 16, a.b);
	}
	if (!t->no_ia)
		p = put_ia(p, t);
	return (uint16_t)(p - d);
}

void say(struct wt *w, const uint8_t *d, uint16_t len)
{
	struct ends6 e = ends(SERVER, SERVER);
	struct frame f;

	e.dst = last.src;
	frame6_udp(&f, &e, 547, 546, d, len);
	wt_inject_frame(w, &f);
	pc_dhcp6_turn(client, w->now);
	wt_settle(w);
}

void tell(struct wt *w, const struct told *t)
{
	uint8_t d[1000];

	say(w, d, build(d, t));
}

void lease(struct wt *w, const struct told *t)
{
	struct told offer = *t;

	HEAR(SOLICIT, 6000);
	offer.type = ADVERTISE;
	offer.preference = 255;
	tell(w, &offer);
	HEAR(REQUEST, 0);
	offer.type = REPLY;
	offer.preference = 0;
	tell(w, &offer);
}

/* ---- looking --------------------------------------------------------------------------------- */

bool has(struct wt *w, const char *addr)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	const struct pc_addr b = addr6(addr);
	const int fd = pc_socket(w->st, AF_INET6, SOCK_DGRAM, 0);
	bool good;

	memcpy(&a.sin6_addr, b.b, 16);
	good = pc_bind(w->st, fd, (const struct sockaddr *)&a, sizeof(a)) == 0;
	OK(pc_close(w->st, fd));
	return good;
}

bool knows(const char *addr)
{
	const struct pc_addr a = addr6(addr);
	struct pc_dhcp6_info i = {0};

	pc_dhcp6_get_info(client, &i);
	return pc_dhcp6_has(&i, &a);
}

uint8_t source(struct wt *w)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	const struct pc_addr b = addr6(FAR);
	const int fd = pc_socket(w->st, AF_INET6, SOCK_DGRAM, 0);
	socklen_t len = sizeof(a);

	memcpy(&a.sin6_addr, b.b, 16);
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&a, sizeof(a)));
	OK(pc_getsockname(w->st, fd, (struct sockaddr *)&a, &len));
	OK(pc_close(w->st, fd));
	return a.sin6_addr.s6_addr[15];
}
