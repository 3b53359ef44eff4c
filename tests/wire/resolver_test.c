/* SPDX-License-Identifier: BSD-2-Clause */

/* What the resolver says: of names that need no question, and of a name server's answers. */

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <percore/resolve.h>

#include "wt.h"

#define SERVER WT_PEER
#define OTHER  "192.0.2.3"

static struct {
	unsigned calls;
	int status;
	unsigned n;
	struct pc_endpoint addr[32];
} answer;

static void on_answer(void *arg, int status, const struct pc_endpoint *addrs, unsigned n)
{
	(void)arg;
	answer.calls++;
	answer.status = status;
	answer.n = n;
	memcpy(answer.addr, addrs, n * sizeof(addrs[0]));
}

static struct pc_addr addr(const char *text)
{
	struct pc_addr a = {0};

	pc_addr_parse(text, &a);
	return a;
}

static bool is(unsigned i, const char *text, uint16_t port)
{
	const struct pc_addr a = addr(text);

	return i < answer.n && pc_addr_equal(&answer.addr[i].addr, &a) &&
	       answer.addr[i].port == port;
}

static int lookup(struct pc_resolver *r, const char *node, const char *service, int family,
                  int flags)
{
	const struct addrinfo hints = {.ai_family = family, .ai_flags = flags};

	memset(&answer, 0, sizeof(answer));
	return pc_getaddrinfo(r, node, service, &hints, on_answer, NULL);
}

static struct pc_resolver *start_resolver(struct wt *w)
{
	const struct pc_addr server = addr(SERVER);
	struct pc_resolver *r;

	wt_start(w);
	OK(pc_stack_add_dns(w->st, &server));
	r = pc_resolver_create(w->st);
	CHECK(r != NULL);
	return r;
}

/* ---- without a question ---------------------------------------------------------------------- */

static void numbers(struct wt *w)
{
	struct pc_resolver *r = start_resolver(w);

	EQ(lookup(r, "192.0.2.7", "80", AF_UNSPEC, 0), 0);
	CHECK(answer.calls == 1 && answer.status == 0 && answer.n == 1 && is(0, "192.0.2.7", 80));
	EQ(lookup(r, "192.0.2.7", NULL, AF_INET, AI_NUMERICHOST), 0);
	CHECK(answer.calls == 1 && answer.n == 1 && is(0, "192.0.2.7", 0));
	EQ(lookup(r, "fd00::7", "65535", AF_UNSPEC, AI_NUMERICHOST), 0);
	CHECK(answer.calls == 1 && answer.n == 1 && is(0, "fd00::7", 65535));
	EQ(lookup(r, "fd00::7", "0", AF_INET6, 0), 0);
	CHECK(answer.calls == 1 && answer.n == 1 && is(0, "fd00::7", 0));
	EQ(pc_getaddrinfo(r, "192.0.2.8", NULL, NULL, on_answer, NULL), 0);
	CHECK(is(0, "192.0.2.8", 0));
	EQ(lookup(r, "192.0.2.7", NULL, AF_INET6, 0), EAI_NONAME);
	EQ(lookup(r, "fd00::7", NULL, AF_INET, 0), EAI_NONAME);
	EQ(lookup(r, "host", NULL, AF_UNSPEC, AI_NUMERICHOST), EAI_NONAME);
	EQ(lookup(r, "localhost", NULL, AF_UNSPEC, AI_NUMERICHOST), EAI_NONAME);
	EQ(lookup(r, NULL, "80", AF_UNSPEC, 0), EAI_NONAME);
	EQ(lookup(r, "", "80", AF_UNSPEC, 0), EAI_NONAME);
	EQ(lookup(r, "192.0.2.7", NULL, AF_UNIX, 0), EAI_FAMILY);
	EQ(answer.calls, 0);
	EQ(lookup(r, "a..b", NULL, AF_INET, 0), 0);
	CHECK(answer.calls == 1 && answer.status == EAI_NONAME);
	pc_resolver_turn(r, 0);
	NOTHING(1000);
	pc_resolver_destroy(r);
}

static void services(struct wt *w)
{
	static const char *const wrong[] = {"http", "",    "65536", "80x",
	                                    "-1",   " 80", "+80",   "99999999999999999999"};
	struct pc_resolver *r = start_resolver(w);

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		EQ(lookup(r, "192.0.2.7", wrong[i], AF_UNSPEC, 0), EAI_SERVICE);
	EQ(answer.calls, 0);
	pc_resolver_destroy(r);
	pc_resolver_destroy(NULL);
}

/* RFC 6761 section 6.3: names below localhost are this host, whoever runs the name servers; others that look like it are not. */
static void localhost(struct wt *w)
{
	static const char *const here[] = {"a.localhost", "A.b.LocalHost.", "localhost."};
	static const char *const there[] = {"alocalhost.", "localhost.example."};
	struct pc_resolver *r = start_resolver(w);

	for (unsigned i = 0; i < 3; i++) {
		EQ(lookup(r, here[i], "7", AF_INET, 0), 0);
		CHECK(answer.calls == 1 && answer.n == 1 && is(0, "127.0.0.1", 7));
		EQ(lookup(r, here[i], NULL, AF_INET6, 0), 0);
		CHECK(answer.calls == 1 && answer.n == 1 && is(0, "::1", 0));
		EQ(lookup(r, here[i], NULL, AF_UNSPEC, 0), 0);
		CHECK(answer.calls == 1 && answer.n == 2 && is(0, "::1", 0));
	}
	for (unsigned i = 0; i < 2; i++) {
		EQ(lookup(r, there[i], NULL, AF_INET, 0), 0);
		EQ(answer.calls, 0);
	}
	pc_resolver_turn(r, 0);
	wt_pass(w, 10);
	wt_drop(w);
	pc_resolver_destroy(r);
	wt_settle(w);
	wt_drop(w);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* The next question of the resolver: a datagram to port 53. Returns false when there is none. */
static bool next(struct wt *w, struct pc_resolver *r, struct frame_info *q)
{
	const struct frame *f;

	pc_resolver_turn(r, 0);
	f = wt_next_frame(w, 10);
	return f != NULL && frame_read(f, q) == NULL && q->proto == IPPROTO_UDP && q->dport == 53;
}

static uint32_t question_len(const uint8_t *message)
{
	return 12 + (uint32_t)strlen((const char *)message + 12) + 5;
}

/* Writes an answer to a question: a response code, or n addresses 192.0.2.100 and so on. Returns its length. */
static uint32_t write_answer(uint8_t *d, const uint8_t *question, uint8_t flags, uint8_t rcode,
                             unsigned n)
{
	static const uint8_t a[16] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 100};
	uint32_t len = question_len(question);

	memcpy(d, question, len);
	d[2] = (uint8_t)(0x81 | flags);
	d[3] = (uint8_t)(0x80 | rcode);
	memset(d + 6, 0, 6);
	d[7] = (uint8_t)n;
	for (unsigned i = 0; i < n; i++, len += sizeof(a)) {
		memcpy(d + len, a, sizeof(a));
		d[len + 15] = (uint8_t)(d[len + 15] + i);
	}
	return len;
}

static struct frame_ends back(const struct frame_info *q)
{
	struct frame_ends e = {.src_be = q->ends.dst_be, .dst_be = q->ends.src_be};

	memcpy(e.src_mac, q->ends.dst_mac, 6);
	memcpy(e.dst_mac, q->ends.src_mac, 6);
	return e;
}

static void respond_as(struct wt *w, struct pc_resolver *r, const struct frame_info *q,
                       uint8_t flags, uint8_t rcode, unsigned n)
{
	const struct frame_ends e = back(q);
	uint8_t d[1000];
	struct frame f;

	frame_udp(&f, &e, 53, q->sport, d, (uint16_t)write_answer(d, q->payload, flags, rcode, n));
	wt_inject_frame(w, &f);
	pc_resolver_turn(r, 0);
}

static void respond(struct wt *w, struct pc_resolver *r, const struct frame_info *q, uint8_t rcode,
                    unsigned n)
{
	respond_as(w, r, q, 0, rcode, n);
}

static void addresses(struct wt *w)
{
	struct pc_resolver *r = start_resolver(w);
	struct frame_info q;

	EQ(lookup(r, "a.example.", "443", AF_INET, 0), 0);
	CHECK(next(w, r, &q));
	EQ(q.ends.dst_be, inet_addr(SERVER));
	EQ(answer.calls, 0);
	respond(w, r, &q, 0, 3);
	CHECK(answer.calls == 1 && answer.status == 0 && answer.n == 3);
	CHECK(is(0, "192.0.2.100", 443) && is(1, "192.0.2.101", 443) && is(2, "192.0.2.102", 443));
	pc_resolver_destroy(r);
	EQ(answer.calls, 1);
}

/* The questions for a name's addresses of both families; only the one for those of IPv6 is answered yet, and the other one is kept. */
static struct frame_info answer_ip6_first(struct wt *w, struct pc_resolver *r, uint8_t kept[512])
{
	static const uint8_t aaaa[28] = {0xc0, 12, 0,  28,   0, 1,   0,    0,       0,
	                                 60,   0,  16, 0x20, 1, 0xd, 0xb8, [27] = 7};
	struct frame_info q, q4 = {0};

	for (unsigned i = 0; i < 2; i++) {
		struct frame_ends e;
		uint8_t d[512];
		uint32_t len;
		struct frame f;

		CHECK(next(w, r, &q));
		e = back(&q);
		if (q.payload[question_len(q.payload) - 3] == 1) {
			q4 = q;
			q4.payload = memcpy(kept, q.payload, q.payload_len);
			continue;
		}
		len = write_answer(d, q.payload, 0, 0, 0);
		d[7] = 1;
		memcpy(d + len, aaaa, sizeof(aaaa));
		frame_udp(&f, &e, 53, q.sport, d, (uint16_t)(len + sizeof(aaaa)));
		wt_inject_frame(w, &f);
	}
	pc_resolver_turn(r, 0);
	return q4;
}

/* This host does not speak IPv6; then it does. */
static void order(struct wt *w)
{
	const struct pc_prefix us = {.addr = addr("2001:db8::1"), .len = 64};
	struct pc_resolver *r;
	struct frame_info q4;
	uint8_t kept[512];

	w->cfg.ip6_dad = 0;
	w->cfg.ip6_accept_ra = 0;
	r = start_resolver(w);
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		EQ(lookup(r, "a.example.", "443", AF_UNSPEC, 0), 0);
		q4 = answer_ip6_first(w, r, kept);
		EQ(answer.calls, 0);
		respond(w, r, &q4, 0, 2);
		CHECK(answer.calls == 1 && answer.status == 0 && answer.n == 3);
		CHECK(is(ip6, "192.0.2.100", 443) && is(ip6 + 1, "192.0.2.101", 443));
		CHECK(is(ip6 ? 0 : 2, "2001:db8::7", 443));
		if (!ip6)
			OK(pc_stack_add_addr(w->st, 0, &us));
		wt_pass(w, 3000);
		wt_drop(w);
	}
	pc_resolver_destroy(r);
}

static void failures(struct wt *w)
{
	static const struct {
		uint8_t rcode;
		int status;
	} rows[] = {{0, EAI_NODATA}, {3, EAI_NONAME}, {2, EAI_AGAIN}, {1, EAI_FAIL}};
	struct pc_resolver *r = start_resolver(w);

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame_info q;
		unsigned asked = 0;

		EQ(lookup(r, "a.example.", NULL, AF_INET, 0), 0);
		for (; answer.calls == 0 && asked < 10 && next(w, r, &q); asked++)
			respond(w, r, &q, rows[i].rcode, 0);
		CHECK(asked > 0);
		CHECK(answer.calls == 1);
		EQ(answer.status, rows[i].status);
		EQ(answer.n, 0);
	}
	pc_resolver_destroy(r);
}

/* an answer that nobody is to hear of any more, and one that never comes */
static void ends_early(struct wt *w)
{
	struct pc_resolver *r = start_resolver(w);
	struct frame_info q;

	EQ(lookup(r, "a.example.", NULL, AF_INET, 0), 0);
	CHECK(next(w, r, &q));
	pc_resolver_destroy(r);
	CHECK(answer.calls == 1 && answer.status == EAI_AGAIN && answer.n == 0);
	wt_settle(w);
	wt_drop(w);
}

static void hear_other(struct wt *w)
{
	const struct frame_ends e = {.src_mac = {2, 0, 0, 0, 0, 3},
	                             .dst_mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	                             .src_be = inet_addr(OTHER),
	                             .dst_be = inet_addr(WT_LOCAL)};
	struct frame f;

	frame_arp(&f, &e, 1, NULL);
	wt_inject_frame(w, &f);
	wt_drop(w);
}

/* servers that change are those of the next question, and none that is under way is lost; an unchanged list changes nothing */
static void other_servers(struct wt *w)
{
	const struct pc_addr first = addr(SERVER), second = addr(OTHER);
	struct pc_resolver *r = start_resolver(w);
	struct frame_info q, q2;
	uint8_t kept[100];

	hear_other(w);
	EQ(lookup(r, "a.example.", NULL, AF_INET, 0), 0);
	CHECK(next(w, r, &q));
	memcpy(kept, q.payload, q.payload_len);
	OK(pc_stack_add_dns(w->st, &second));
	OK(pc_stack_del_dns(w->st, &first));
	EQ(lookup(r, "b.example.", NULL, AF_INET, 0), 0);
	CHECK(next(w, r, &q2));
	EQ(q2.ends.dst_be, inet_addr(OTHER));
	respond(w, r, &q2, 0, 1);
	EQ(answer.calls, 1);
	q.payload = kept;
	respond(w, r, &q, 0, 2);
	CHECK(answer.calls == 2 && answer.n == 2);
	for (unsigned i = 0; i < 2; i++) {
		EQ(lookup(r, "c.example.", NULL, AF_INET, 0), 0);
		CHECK(next(w, r, &q));
		EQ(q.ends.dst_be, inet_addr(OTHER));
		respond(w, r, &q, 0, 1);
		EQ(answer.calls, 1);
	}
	OK(pc_stack_del_dns(w->st, &second)); /* without any, the last are kept */
	EQ(lookup(r, "d.example.", NULL, AF_INET, 0), 0);
	CHECK(next(w, r, &q));
	EQ(q.ends.dst_be, inet_addr(OTHER));
	respond(w, r, &q, 0, 1);
	EQ(answer.calls, 1);
	pc_resolver_destroy(r);
}

/* A question is always under way, as in a proxy: what the network tells applies all the same, if not at once when it tells
 * something new while questions to the servers before the last are under way. */
static void never_idle(struct wt *w)
{
	const struct pc_addr first = addr(SERVER), second = addr(OTHER);
	struct pc_resolver *r = start_resolver(w);
	struct frame_info q[4];
	uint8_t kept[100];

	hear_other(w);
	EQ(lookup(r, "a.example.", NULL, AF_INET, 0), 0);
	CHECK(next(w, r, &q[0]));
	memcpy(kept, q[0].payload, q[0].payload_len);
	q[0].payload = kept;
	OK(pc_stack_add_dns(w->st, &second));
	OK(pc_stack_del_dns(w->st, &first));
	for (unsigned i = 1; i < 3; i++) {
		EQ(lookup(r, "b.example.", NULL, AF_INET, 0), 0);
		CHECK(next(w, r, &q[i]));
		EQ(q[i].ends.dst_be, inet_addr(OTHER));
		if (i == 1) {
			OK(pc_stack_add_dns(w->st, &first));
			OK(pc_stack_del_dns(w->st, &second));
		}
	}
	respond(w, r, &q[0], 0, 1);
	EQ(answer.calls, 1);
	EQ(lookup(r, "c.example.", NULL, AF_INET, 0), 0);
	CHECK(next(w, r, &q[3]));
	EQ(q[3].ends.dst_be, inet_addr(SERVER));
	respond(w, r, &q[3], 0, 1);
	EQ(answer.calls, 1);
	pc_resolver_destroy(r);
	EQ(answer.calls, 3);
	wt_settle(w);
	wt_drop(w);
}

/* the second server is asked when the first fails */
static void second_server(struct wt *w)
{
	const struct pc_addr second = addr(OTHER);
	struct pc_resolver *r = start_resolver(w);
	struct frame_info q;

	hear_other(w);
	OK(pc_stack_add_dns(w->st, &second));
	EQ(lookup(r, "a.example.", NULL, AF_INET, 0), 0);
	CHECK(next(w, r, &q));
	EQ(q.ends.dst_be, inet_addr(SERVER));
	respond(w, r, &q, 2, 0);
	CHECK(next(w, r, &q));
	EQ(q.ends.dst_be, inet_addr(OTHER));
	respond(w, r, &q, 0, 1);
	CHECK(answer.calls == 1 && answer.status == 0 && answer.n == 1);
	pc_resolver_destroy(r);
}

/* each question has a socket of its own, and gives it back */
static void many_questions(struct wt *w)
{
	struct pc_resolver *r = start_resolver(w);
	struct frame_info q;

	for (unsigned i = 0; i < 40; i++) {
		EQ(lookup(r, "a.example.", NULL, AF_INET, 0), 0);
		CHECK(next(w, r, &q));
		respond(w, r, &q, 0, 1);
		CHECK(answer.calls == 1 && answer.n == 1);
	}
	pc_resolver_destroy(r);
}

static bool asks(const struct frame_info *q, const char *labels)
{
	return memcmp(q->payload + 12, labels, strlen(labels) + 1) == 0;
}

/* a search list that changes is for the next question; none is given up for it */
static void other_domains(struct wt *w)
{
	struct pc_resolver *r = start_resolver(w);
	struct frame_info q, first;
	uint8_t kept[100];

	OK(pc_stack_add_search(w->st, "one.example"));
	EQ(lookup(r, "a", NULL, AF_INET, 0), 0);
	CHECK(next(w, r, &first) && asks(&first, "\1a\3one\7example"));
	memcpy(kept, first.payload, first.payload_len);
	OK(pc_stack_del_search(w->st, "one.example"));
	OK(pc_stack_add_search(w->st, "two.example"));
	EQ(pc_getaddrinfo(r, "b", NULL, NULL, on_answer, NULL), 0);
	EQ(answer.calls, 0);
	CHECK(next(w, r, &q) && asks(&q, "\1b\3two\7example"));
	wt_drop(w);
	first.payload = kept;
	respond(w, r, &first, 0, 1);
	CHECK(answer.calls == 1 && answer.status == 0);
	pc_resolver_destroy(r); /* that of b */
	EQ(answer.calls, 2);
	r = pc_resolver_create(w->st);
	CHECK(r != NULL);
	EQ(lookup(r, "c", NULL, AF_INET, 0), 0);
	CHECK(next(w, r, &q) && asks(&q, "\1c\3two\7example"));
	respond(w, r, &q, 0, 1);
	OK(pc_stack_del_search(w->st, "two.example"));
	OK(pc_stack_add_search(w->st, "six.example"));
	EQ(lookup(r, "d", NULL, AF_INET, 0), 0);
	CHECK(next(w, r, &q) && asks(&q, "\1d\3six\7example"));
	respond(w, r, &q, 0, 1);
	EQ(answer.calls, 1);
	pc_resolver_destroy(r);
	wt_settle(w);
	wt_drop(w);
}

/* The next question comes from the callback of one, when the search list has just changed. */
struct asker {
	struct wt *w;
	struct pc_resolver *r;
};

static void on_first_answer(void *arg, int status, const struct pc_endpoint *addrs, unsigned n)
{
	const struct asker *a = arg;

	on_answer(NULL, status, addrs, n);
	(void)pc_stack_add_search(a->w->st, "two.example");
	(void)pc_getaddrinfo(a->r, "b", NULL, NULL, on_answer, NULL);
}

static void asked_by_callback(struct wt *w)
{
	struct asker a = {w, start_resolver(w)};
	const struct addrinfo hints = {.ai_family = AF_INET};
	struct frame_info q;

	memset(&answer, 0, sizeof(answer));
	EQ(pc_getaddrinfo(a.r, "a.example.", NULL, &hints, on_first_answer, &a), 0);
	CHECK(next(w, a.r, &q));
	respond(w, a.r, &q, 0, 1);
	EQ(answer.calls, 1);
	CHECK(next(w, a.r, &q) && asks(&q, "\1b\3two\7example"));
	wt_drop(w);
	pc_resolver_destroy(a.r);
	EQ(answer.calls, 2);
	wt_settle(w);
	wt_drop(w);
}

/* nobody listens at the server: it is not waited for */
static void refused(struct wt *w)
{
	struct pc_resolver *r = start_resolver(w);
	unsigned asked = 0;
	struct frame_info q;

	EQ(lookup(r, "a.example.", NULL, AF_INET, 0), 0);
	for (; answer.calls == 0 && asked < 10 && next(w, r, &q); asked++) {
		const struct frame_ends e = back(&q);
		struct frame f;

		frame_icmp(&f, &e, 3, 3, (const uint8_t[4]){0}, q.payload - 28, 28);
		wt_inject_frame(w, &f);
		pc_resolver_turn(r, 0);
	}
	CHECK(asked > 0);
	CHECK(answer.calls == 1 && answer.status == EAI_AGAIN);
	pc_resolver_destroy(r);
}

/* ... nor for ever, by the system's clock, when it is silent */
static void silent(struct wt *w)
{
	struct pc_resolver *r;
	unsigned asked = 0;
	struct frame_info q;

	/* the latter two are for newer versions of c-ares, in seconds */
	setenv("RES_OPTIONS", "retrans:20 retry:2 timeout:1 attempts:2", 1);
	r = start_resolver(w);
	unsetenv("RES_OPTIONS");
	EQ(lookup(r, "a.example.", NULL, AF_INET, 0), 0);
	for (unsigned i = 0; answer.calls == 0 && i < 2000; i++) {
		asked += next(w, r, &q);
		usleep(5000);
		pc_resolver_turn(r, w->now); /* looks every 50 ms */
	}
	CHECK(answer.calls == 1 && answer.status == EAI_AGAIN);
	EQ(asked, 2);
	pc_resolver_destroy(r);
}

/* ---- over TCP -------------------------------------------------------------------------------- */

static void send_tcp(struct wt *w, const struct frame_info *to, uint8_t flags, const void *data,
                     uint32_t len)
{
	const struct frame_ends e = back(to);
	const struct tcp_seg s = {.sport = 53,
	                          .dport = to->seg.sport,
	                          .seq = to->seg.flags & TCP_SYN ? 1000 : 1001,
	                          .ack = to->seg.seq + to->seg.len + !!(to->seg.flags & TCP_SYN),
	                          .flags = flags,
	                          .wnd = 60000,
	                          .len = len};
	struct frame f;

	frame_tcp(&f, &e, &s, data, NULL, 0);
	wt_inject_frame(w, &f);
}

/* RFC 7766 section 5: an answer that was cut is asked for by TCP; this one has more addresses than are told of */
static void truncated(struct wt *w)
{
	struct pc_resolver *r = start_resolver(w);
	struct frame_info q, syn, text;
	uint8_t d[1002];
	uint32_t len;

	EQ(lookup(r, "a.example.", "53", AF_INET, 0), 0);
	CHECK(next(w, r, &q));
	respond_as(w, r, &q, 2, 0, 0);
	EQ(answer.calls, 0);
	wt_settle(w);
	CHECK(frame_read(wt_next_frame(w, 0), &syn) == NULL && syn.proto == IPPROTO_TCP);
	EQ(syn.seg.flags, S);
	EQ(syn.seg.dport, 53);
	send_tcp(w, &syn, SA, NULL, 0);
	do {
		pc_resolver_turn(r, 0);
		wt_settle(w);
		CHECK(frame_read(wt_next_frame(w, 0), &text) == NULL);
	} while (text.seg.len == 0);
	len = write_answer(d + 2, text.payload + 2, 0, 0, 40);
	d[0] = (uint8_t)(len >> 8);
	d[1] = (uint8_t)len;
	send_tcp(w, &text, PA, d, len + 2);
	pc_resolver_turn(r, 0); /* the length, then the rest */
	pc_resolver_turn(r, 0);
	CHECK(answer.calls == 1 && answer.status == 0 && answer.n == 32);
	CHECK(is(0, "192.0.2.100", 53) && is(31, "192.0.2.131", 53));
	pc_resolver_destroy(r);
	wt_settle(w);
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"getaddrinfo(3): addresses, and what is wrong", numbers},
    {"getaddrinfo(3): ports", services},
    {"RFC 6761 6.3: localhost", localhost},
    {"addresses in their order, with the port", addresses},
    {"RFC 6724 6: addresses that there is no way to come last", order},
    {"what failures are called", failures},
    {"the resolver ends before the answer", ends_early},
    {"servers that change", other_servers},
    {"RFC 8106 5.1: servers that change while questions are always under way", never_idle},
    {"the second server is asked after the first", second_server},
    {"sockets are given back", many_questions},
    {"domains that change", other_domains},
    {"domains that change, and a question from a callback", asked_by_callback},
    {"a server that nobody runs", refused},
    {"a server that is silent", silent},
    {"RFC 7766 5: a truncated answer", truncated},
};

WT_MAIN("resolver")
