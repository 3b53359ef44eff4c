/* SPDX-License-Identifier: BSD-2-Clause */

/* A DHCP server; see dhcp_peer.h. */

#include "dhcp_peer.h"

struct pc_dhcp *client;
uint32_t xid;

void start(struct wt *w)
{
	struct pc_prefix us;

	wt_start(w);
	wt_settle(w);
	wt_drop(w);
	OK(pc_prefix_parse(WT_LOCAL "/24", &us));
	OK(pc_stack_del_addr(w->st, 0, &us));
	probe_answer_arp(w->probe, false);
	client = pc_dhcp_create(w->st, 0, "wire");
	CHECK(client != NULL);
}

void finish(struct wt *w)
{
	struct pc_stack_usage u;

	pc_dhcp_destroy(client);
	wt_settle(w);
	while (wt_next_frame(w, 0) != NULL)
		;
	pc_stack_get_usage(w->st, &u);
	EQ(u.udp_sockets, 0);
	EQ(pc_stack_get_dns(w->st, NULL, 0), 0);
	EQ(pc_stack_get_search(w->st, NULL, 0), 0);
	EQ(pc_stack_get_addrs(w->st, NULL, 0), 0);
	EQ(pc_route_list(w->st, NULL, 0), 0);
	EQ(probe_port(w->probe)->info.mtu, 1500);
}

void turn(struct wt *w)
{
	wt_settle(w);
	pc_dhcp_turn(client, w->now);
	wt_settle(w);
	CHECK(pc_dhcp_next_deadline(client) > w->now);
}

const struct frame *sent(struct wt *w, double ms, double step)
{
	uint64_t due = 0;
	static struct frame f;

	for (double t = 0, pass; t <= ms; t += pass) {
		turn(w);
		if (probe_sent(w->probe) != NULL) {
			f = *probe_sent(w->probe);
			probe_take(w->probe);
			CHECK(due <= w->now || is_arp(&f)); /* the stack announces, too */
			return &f;
		}
		due = pc_dhcp_next_deadline(client);
		pass = (double)(due - w->now) / 1e6 + 0.001;
		pass = pass < step ? pass : step;
		wt_pass(w, pass);
	}
	return NULL;
}

bool is_arp(const struct frame *f)
{
	return f->b[12] == 8 && f->b[13] == 6;
}

uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static void read_option(struct query *q, const uint8_t *o)
{
	if (*o == 53)
		q->type = o[2];
	else if (*o == 50)
		q->requested = get32(o + 2);
	else if (*o == 54)
		q->server = get32(o + 2);
	else if (*o == 61)
		q->has_id = o[1] == 7 && o[2] == 1 && memcmp(o + 3, PROBE_MAC, 6) == 0;
	else if (*o == 12 && o[1] < sizeof(q->host))
		memcpy(q->host, o + 2, o[1]);
}

struct query read_query(struct wt *w, const struct frame *f)
{
	const uint8_t *d = f->b + 42;
	struct query q = {.src = get32(f->b + 26), .dst = get32(f->b + 30)};
	struct frame_info i;

	CHECK(frame_read(f, &i) == NULL);
	CHECK(i.proto == 17 && i.sport == 68 && i.dport == 67 && i.payload_len >= 300);
	CHECK(d[0] == 1 && d[1] == 1 && d[2] == 6 && get32(d + 236) == htonl(0x63825363));
	CHECK(memcmp(d + 28, PROBE_MAC, 6) == 0);
	q.xid = ntohl(get32(d + 4));
	q.secs = (uint16_t)(d[8] << 8 | d[9]);
	q.broadcast = d[10] & 0x80;
	q.ciaddr = get32(d + 12);
	for (const uint8_t *o = d + 240; *o != 255; o += 2 + o[1])
		read_option(&q, o);
	xid = q.xid;
	return q;
}

struct query expect(struct wt *w, double ms, uint8_t type)
{
	const struct frame *f = sent(w, ms, ms > 10000000 ? 5000 : ms > 10000 ? 500 : 20);
	struct query q;

	if (f == NULL)
		wt_fail(w, WT_HERE, "no message of type %u within %g ms", type, ms);
	if (is_arp(f))
		wt_fail(w, WT_HERE, "ARP instead of a message of type %u", type);
	q = read_query(w, f);
	EQ(q.type, type);
	CHECK(q.has_id);
	CHECK(strcmp(q.host, type == DISCOVER || type == REQUEST ? "wire" : "") == 0);
	return q;
}

uint8_t *put(uint8_t *p, uint8_t code, uint8_t len, const void *data)
{
	p[0] = code;
	p[1] = len;
	memcpy(p + 2, data, len);
	return p + 2 + len;
}

uint16_t build(uint8_t *d, uint8_t type, uint32_t lease_s, const uint8_t *more, size_t n)
{
	const uint32_t server = inet_addr(SERVER), addr = inet_addr(LEASED),
	               mask = inet_addr("255.255.255.0");
	const uint32_t lease = htonl(lease_s), router = inet_addr("192.0.2.254"), x = htonl(xid);
	uint8_t *o = d + 240;

	memset(d, 0, 600);
	memcpy(d, "\2\1\6", 3);
	memcpy(d + 4, &x, 4);
	if (type != NAK)
		memcpy(d + 16, &addr, 4);
	memcpy(d + 28, PROBE_MAC, 6);
	memcpy(d + 236, "\x63\x82\x53\x63", 4);
	o = put(o, 53, 1, &type);
	o = put(o, 54, 4, &server);
	if (type != NAK) {
		o = put(o, 51, 4, &lease);
		o = put(o, 1, 4, &mask);
		o = put(o, 3, 4, &router);
		o = put(o, 6, 4, &server);
	}
	if (n > 0)
		memcpy(o, more, n);
	o += n;
	*o++ = 255;
	return (uint16_t)(o - d);
}

void inject(struct wt *w, const char *to, const uint8_t *d, uint16_t len)
{
	const bool all = strcmp(to, ALL) == 0;
	struct frame_ends e = {
	    .src_mac = PEER_MAC, .src_be = inet_addr(SERVER), .dst_be = inet_addr(to)};
	struct frame f;

	memcpy(e.dst_mac, all ? "\xff\xff\xff\xff\xff\xff" : PROBE_MAC, 6);
	frame_udp(&f, &e, 67, 68, d, len);
	wt_inject_frame(w, &f);
}

void reply(struct wt *w, uint8_t type, uint32_t lease_s)
{
	uint8_t d[600];

	inject(w, ALL, d, build(d, type, lease_s, NULL, 0));
}

void ignored(struct wt *w, const uint8_t *d, uint16_t len)
{
	inject(w, ALL, d, len);
	turn(w); /* at once: a full receive buffer would ignore them, too */
	CHECK(probe_sent(w->probe) == NULL);
}

void claim(struct wt *w, uint16_t op, const char *sender, const char *target, bool own)
{
	struct frame_ends e = {
	    .dst_mac = PROBE_MAC, .src_be = inet_addr(sender), .dst_be = inet_addr(target)};
	struct frame f;

	memcpy(e.src_mac, own ? PROBE_MAC : PEER_MAC, 6);
	frame_arp(&f, &e, op, op == 2 ? (const uint8_t *)PROBE_MAC : NULL);
	wt_inject_frame(w, &f);
}

void expect_probes(struct wt *w)
{
	for (unsigned i = 0; i < 4; i++) {
		const struct frame *f = sent(w, 1000, 20);

		CHECK(f != NULL && is_arp(f));
		EQ(get32(f->b + 38), inet_addr(LEASED));
		EQ(get32(f->b + 28), i < 3 ? 0 : inet_addr(LEASED));
	}
}

void become_bound(struct wt *w, uint32_t lease_s)
{
	expect(w, 1000, DISCOVER);
	reply(w, OFFER, lease_s);
	expect(w, 100, REQUEST);
	reply(w, ACK, lease_s);
	expect_probes(w);
}

struct pc_dhcp_lease lease_of(struct wt *w)
{
	struct pc_dhcp_lease l;

	CHECK(pc_dhcp_get_lease(client, &l) != 0);
	return l;
}

bool has_lease(void)
{
	return pc_dhcp_get_lease(client, &(struct pc_dhcp_lease){0}) != 0;
}

bool answers_ping(struct wt *w)
{
	struct frame_ends e = {.src_mac = PEER_MAC,
	                       .dst_mac = PROBE_MAC,
	                       .src_be = inet_addr(WT_PEER),
	                       .dst_be = inet_addr(LEASED)};
	bool answers = false;
	struct frame f;

	probe_answer_arp(w->probe, true);
	frame_icmp(&f, &e, 8, 0, (uint8_t[4]){0, 1, 0, 1}, "ping", 4);
	wt_inject_frame(w, &f);
	for (const struct frame *s; (s = wt_next_frame(w, 50)) != NULL;)
		answers |= s->b[23] == 1 && s->b[34] == 0;
	probe_answer_arp(w->probe, false);
	return answers;
}

bool has_route(struct wt *w, const char *dest, const char *gateway, uint32_t metric)
{
	struct pc_route_info list[8];
	const unsigned n = pc_route_list(w->st, list, 8);
	struct pc_addr by = {0};
	struct pc_prefix p;
	bool found = false;

	pc_prefix_parse(dest, &p);
	if (gateway != NULL)
		pc_addr_parse(gateway, &by);
	for (unsigned i = 0; i < n; i++)
		found |= list[i].route.dest.len == p.len && list[i].route.metric == metric &&
		         pc_addr_equal(&list[i].route.dest.addr, &p.addr) &&
		         pc_addr_equal(&list[i].route.gateway, &by);
	return found;
}

void flap(struct wt *w)
{
	probe_port(w->probe)->info.link_up = false;
	wt_pass(w, 10);
	turn(w);
	probe_port(w->probe)->info.link_up = true;
	wt_pass(w, 10);
	wt_settle(w);
	wt_drop(w);
}
