/* SPDX-License-Identifier: BSD-2-Clause */

/* Whom the resolver asks, and for which names. */

#include <string.h>

#include <percore/resolve.h>

#include "frame6.h"
#include "wt.h"

#define LOCAL  "fd00::1"
#define GLOBAL "fd00::53"
#define LINK   "fe80::53"

static const uint8_t server_mac[6] = {2, 0, 0, 0, 0, 0x53};

static struct {
	bool called;
	int status;
	unsigned n;
	struct pc_addr first;
} answer;

static void on_answer(void *arg, int status, const struct pc_endpoint *addrs, unsigned n)
{
	(void)arg;
	answer.called = true;
	answer.status = status;
	answer.n = n;
	if (n > 0)
		answer.first = addrs[0].addr;
}

static struct pc_resolver *start_resolver(struct wt *w)
{
	const struct pc_prefix us = {.addr = addr6(LOCAL), .len = 64};
	struct pc_resolver *r;

	w->cold = true;
	w->cfg.ip6_dad = 0;
	wt_start(w);
	OK(pc_stack_add_addr(w->st, 0, &us));
	wt_pass(w, 2000);
	wt_drop(w);
	memset(&answer, 0, sizeof(answer));
	r = pc_resolver_create(w->st);
	CHECK(r != NULL);
	return r;
}

static void ask(struct wt *w, struct pc_resolver *r, const char *name)
{
	const struct addrinfo hints = {.ai_family = AF_INET6};

	answer.called = false;
	EQ(pc_getaddrinfo(r, name, NULL, &hints, on_answer, NULL), 0);
}

/* The server answers the solicitation for its address. */
static void advertise(struct wt *w, const struct info6 *ns)
{
	struct ends6 e = {.dst = ns->ends.src};
	uint8_t body[28] = {[0] = 0x60, [20] = 2, [21] = 1};
	struct frame f;

	memcpy(&e.src, ns->l4 + 8, 16);
	memcpy(e.src_mac, server_mac, 6);
	memcpy(e.dst_mac, ns->ends.src_mac, 6);
	memcpy(body + 4, &e.src, 16);
	memcpy(body + 22, server_mac, 6);
	frame6_icmp(&f, &e, 255, 136, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
}

/* The next question, in the form in which it is on the wire; neighbours answer. Returns false when none comes. */
static bool next_question(struct wt *w, struct pc_resolver *r, struct info6 *q)
{
	for (unsigned i = 0; i < 10; i++) {
		const struct frame *f;

		pc_resolver_turn(r, 0);
		f = wt_next_frame(w, 100);
		if (f == NULL || frame6_read(f, q) != NULL)
			return false;
		if (q->proto == IPPROTO_UDP && q->l4[2] == 0 && q->l4[3] == 53)
			return true;
		if (q->proto == IPPROTO_ICMPV6 && q->l4[0] == 135)
			advertise(w, q);
	}
	return false;
}

static bool asks_for(const struct info6 *q, const char *labels)
{
	return q->l4_len > 20 + strlen(labels) &&
	       memcmp(q->l4 + 20, labels, strlen(labels) + 1) == 0;
}

/* The server says that the name has the address fd00::77; or that there is none. */
static void reply(struct wt *w, struct pc_resolver *r, const struct info6 *q, bool found)
{
	static const uint8_t record[12] = {0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16};
	const struct pc_addr addr = addr6("fd00::77");
	struct ends6 e = {.src = q->ends.dst, .dst = q->ends.src};
	uint32_t n = 12 + (uint32_t)strlen((const char *)q->l4 + 20) + 5;
	uint8_t d[300];
	struct frame f;

	memcpy(e.src_mac, server_mac, 6);
	memcpy(e.dst_mac, q->ends.src_mac, 6);
	memcpy(d, q->l4 + 8, n);
	d[2] = 0x81;
	d[3] = found ? 0x80 : 0x83;
	memset(d + 6, 0, 6);
	if (found) {
		d[7] = 1;
		memcpy(d + n, record, sizeof(record));
		memcpy(d + n + sizeof(record), addr.b, 16);
		n += (uint32_t)sizeof(record) + 16;
	}
	frame6_udp(&f, &e, 53, (uint16_t)(q->l4[0] << 8 | q->l4[1]), d, (uint16_t)n);
	wt_inject_frame(w, &f);
	pc_resolver_turn(r, 0);
}

static void searched(struct wt *w)
{
	const struct pc_addr server = addr6(GLOBAL);
	struct pc_resolver *r = start_resolver(w);
	struct info6 q;

	OK(pc_stack_add_dns(w->st, &server));
	OK(pc_stack_add_search(w->st, "one.example"));
	OK(pc_stack_add_search(w->st, "two.example"));
	ask(w, r, "host");
	CHECK(next_question(w, r, &q));
	CHECK(pc_addr_equal(&q.ends.dst, &server));
	CHECK(asks_for(&q, "\4host\3one\7example"));
	reply(w, r, &q, false);
	CHECK(next_question(w, r, &q));
	CHECK(asks_for(&q, "\4host\3two\7example"));
	reply(w, r, &q, true);
	CHECK(answer.called && answer.status == 0 && answer.n == 1);
	/* another list, with the next question; and a name with a dot is asked for as it is */
	OK(pc_stack_del_search(w->st, "one.example"));
	ask(w, r, "host");
	CHECK(next_question(w, r, &q));
	CHECK(asks_for(&q, "\4host\3two\7example"));
	reply(w, r, &q, true);
	ask(w, r, "a.b");
	CHECK(next_question(w, r, &q));
	CHECK(asks_for(&q, "\1a\1b"));
	reply(w, r, &q, true);
	CHECK(answer.called && answer.status == 0);
	pc_resolver_destroy(r);
	wt_drop(w);
}

static void link_local(struct wt *w)
{
	struct ends6 e = {
	    .dst_mac = {0x33, 0x33, 0, 0, 0, 1}, .src = addr6("fe80::fe"), .dst = addr6("ff02::1")};
	const struct pc_addr server = addr6(LINK);
	uint8_t body[12 + 8 + 16] = {[12] = 25, [13] = 3, [19] = 200};
	struct pc_resolver *r = start_resolver(w);
	struct info6 q;
	struct frame f;

	memcpy(e.src_mac, server_mac, 6);
	memcpy(body + 20, server.b, 16);
	frame6_icmp(&f, &e, 255, 134, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	ask(w, r, "a.b.");
	CHECK(next_question(w, r, &q));
	CHECK(pc_addr_equal(&q.ends.dst, &server));
	CHECK(pc_addr_is_link_local(&q.ends.src));
	reply(w, r, &q, true);
	CHECK(answer.called && answer.status == 0 && answer.n == 1);
	CHECK(pc_addr_equal(&answer.first, &(struct pc_addr){.b = {0xfd, [15] = 0x77}}));
	pc_resolver_destroy(r);
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"RFC 8106 5.2: names are looked for in the domains that were told", searched},
    {"RFC 8106 5.1: a link-local name server is asked on its link", link_local},
};

WT_MAIN("resolve")
