/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Overview: a search for defects in neighbour discovery and ARP. Neighbours of both families answer,
 * late or not at all, change their MAC addresses, ask for us, and say what nobody has asked for, with
 * all flags; a socket sends to them. Beside the neighbour table is the state machine of RFC 4861
 * section 7.3.3 and appendix C, which ARP follows here, too, written from the text; arp.confirm is
 * off, as in the RFC. It says where each frame must go, and when which question must be asked.
 * `neighbours FIRST LAST` runs seeds, `neighbours SEED` one, and says what happens.
 *
 * Meant to differ: the flag S counts only in answer to a question of ours (docs/rfc.md, 4861-7.2);
 * after three questions to a neighbour alone three go to all (RFC 7048); who does not answer is not
 * asked again for RetransTimer.
 */

#include <string.h>

#include <arpa/inet.h>
#include <rte_common.h>

#include "config_bed.h"
#include "frame6.h"

#define NEIGHBOURS 8 /* the first half of IPv6 */
#define RETRANS    SECOND
#define DELAY      (5 * SECOND)
#define REACHABLE  (30 * SECOND)
#define ASKS       3
#define SLACK      MS
#define EDGE       (4 * MS)
#define SENT       32
#define EVENTS     1500

enum state { NONE, INCOMPLETE, REACHED, STALE, DELAYED, PROBE, FAILED };

static const char *const states[] = {"NONE",    "INCOMPLETE", "REACHABLE", "STALE",
                                     "DELAYED", "PROBE",      "FAILED"};

/** A neighbour, and what the stack must know of it. */
struct neighbour {
	/* itself */
	bool answers;
	uint8_t mac, number;
	uint64_t late_ns; /* the longest time to an answer */
	/* its entry */
	enum state state;
	uint8_t known;     /* its MAC address */
	unsigned asked;    /* without an answer */
	uint64_t asked_ns; /* the last time */
	uint64_t least_ns; /* REACHED: when that ends at the earliest and at the latest */
	uint64_t most_ns;
	uint64_t sent_ns[SENT]; /* data since */
	unsigned nb_sent;
	uint32_t next, heard; /* the number of the next datagram, and of the last heard */
	unsigned held;
};

/** What a neighbour says. */
struct word {
	uint8_t neighbour, mac;
	bool asks; /* for us: NS, or a request; else NA, or a reply */
	bool solicited, override, has_mac;
};

struct model {
	struct neighbour n[NEIGHBOURS];
	struct word word[256];
	unsigned nb_words, events;
	uint64_t event_ns;
	int fd[2];
	bool answer_due; /* we are asked, and must answer at once */
	struct word question;
	struct neighbour *sends_to; /* data is sent in this turn */
};

static struct model m;

static bool is_ip6(unsigned i)
{
	return i < NEIGHBOURS / 2;
}

static struct pc_addr addr_of(unsigned i)
{
	struct pc_addr a = addr6("fd00::10");

	if (!is_ip6(i))
		return pc_addr_ip4(htonl(0xc0000210 + i));
	a.b[15] = (uint8_t)(a.b[15] + i);
	return a;
}

static void write_mac(uint8_t *p, uint8_t mac)
{
	memcpy(p, (uint8_t[]){2, 0, 0, 0, 7, mac}, 6);
}

/* ---- the state machine ----------------------------------------------------------------------- */

static void enter(struct bed *b, struct neighbour *n, enum state state)
{
	if (n->state != state)
		bed_log(b, "neighbour %u -> %s", n->number, states[state]);
	n->state = state;
	if (state != PROBE && state != INCOMPLETE)
		n->asked = 0;
	n->nb_sent = 0;
	if (state != REACHED)
		return;
	n->least_ns = b->now + (is_ip6(n->number) ? REACHABLE / 2 : REACHABLE);
	n->most_ns = b->now + (is_ip6(n->number) ? REACHABLE * 3 / 2 : REACHABLE);
}

/* Its MAC address is known: what was held goes out, and a stale neighbour is then delayed. */
static void learn(struct bed *b, struct neighbour *n, uint8_t mac, bool proof)
{
	n->known = mac;
	enter(b, n, proof ? REACHED : STALE);
	if (n->held != 0 && !proof)
		enter(b, n, DELAYED);
	if (n->held != 0)
		n->sent_ns[n->nb_sent++] = b->now;
}

/* What is over by now. */
static void follow_time(struct bed *b, struct neighbour *n)
{
	const unsigned most = n->state == PROBE ? 2 * ASKS : ASKS;

	if ((n->state == PROBE || n->state == INCOMPLETE) && n->asked >= most &&
	    b->now > n->asked_ns + RETRANS + SLACK / 2) {
		n->held = 0;
		n->heard = n->next;
		n->asked_ns += RETRANS;
		enter(b, n, FAILED);
	}
	if (n->state == FAILED && b->now > n->asked_ns + RETRANS + SLACK / 2)
		enter(b, n, NONE);
}

/* RFC 4861 section 7.2.5 */
static void on_answer(struct bed *b, struct neighbour *n, const struct word *w)
{
	const bool same = !w->has_mac || w->mac == n->known;
	const bool proof =
	    w->solicited && (n->state == PROBE || n->state == INCOMPLETE || n->state == FAILED);

	if (n->state == NONE)
		return;
	if (n->state == INCOMPLETE || n->state == FAILED) {
		if (w->has_mac)
			learn(b, n, w->mac, proof);
		return;
	}
	if (!same && !w->override) {
		/* once its time may be over and data was sent, it may be DELAYED, and stay so */
		if (n->state == REACHED && (b->now < n->least_ns || n->nb_sent == 0))
			enter(b, n, STALE);
		return;
	}
	if (proof || !same)
		learn(b, n, same ? n->known : w->mac, proof);
}

/* RFC 4861 section 7.2.3, RFC 826 */
static void on_question(struct bed *b, struct neighbour *n, const struct word *w)
{
	m.answer_due = true;
	m.question = *w;
	if (w->has_mac && (n->state <= INCOMPLETE || n->state == FAILED || w->mac != n->known))
		learn(b, n, w->mac, false);
}

static void arrived(struct bed *b, unsigned tag)
{
	const struct word *w = &m.word[tag % RTE_DIM(m.word)];
	struct neighbour *n = &m.n[w->neighbour];

	follow_time(b, n);
	bed_log(b, "neighbour %u (%s) %s, mac %d %u, S %d O %d", w->neighbour, states[n->state],
	        w->asks ? "asks" : "says", w->has_mac, w->mac, w->solicited, w->override);
	if (w->asks)
		on_question(b, n, w);
	else
		on_answer(b, n, w);
}

/* ---- what neighbours say --------------------------------------------------------------------- */

static void make_nd(struct frame *f, const struct word *w, const struct ends6 *e)
{
	uint8_t body[28] = {0};
	const struct pc_addr about = w->asks ? addr6("fd00::1") : e->src;

	if (!w->asks)
		body[0] = (uint8_t)(w->solicited << 6 | w->override << 5);
	memcpy(body + 4, about.b, 16);
	body[20] = w->asks ? 1 : 2;
	body[21] = 1;
	write_mac(body + 22, w->mac);
	frame6_icmp(f, e, 255, w->asks ? 135 : 136, 0, body, w->has_mac ? 28 : 20);
}

/* Says whether a question is repeated, or given up, about then: what happens first is open. */
static bool is_edge(const struct neighbour *n, uint64_t ns)
{
	const uint64_t since = (ns - n->asked_ns + EDGE) % RETRANS;

	return n->asked_ns != 0 && ns - n->asked_ns > RETRANS / 2 && since < 2 * EDGE;
}

/* An answer is for us alone; what nobody has asked for is for all. */
static void say(struct bed *b, const struct word *w, uint64_t delay_ns)
{
	const bool to_us = w->asks || w->solicited;
	struct ends6 e = {.dst_mac = {0x33, 0x33, 0, 0, 0, 1}, .src = addr_of(w->neighbour)};
	struct frame_ends e4 = {.dst_mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	                        .src_be = pc_addr_get_ip4(&e.src)};
	struct frame f;

	e.dst = addr6(to_us ? "fd00::1" : "ff02::1");
	e4.dst_be = to_us ? htonl(0xc0000201) : e4.src_be;
	write_mac(e.src_mac, w->mac);
	write_mac(e4.src_mac, w->mac);
	if (to_us) {
		memcpy(e.dst_mac, PROBE_MAC, 6);
		memcpy(e4.dst_mac, PROBE_MAC, 6);
	}
	if (is_ip6(w->neighbour))
		make_nd(&f, w, &e);
	else
		frame_arp(&f, &e4, w->solicited ? 2 : 1, NULL);
	if (is_edge(&m.n[w->neighbour], b->now + delay_ns))
		delay_ns += 2 * EDGE;
	m.word[m.nb_words % RTE_DIM(m.word)] = *w;
	bed_say(b, &f, delay_ns, m.nb_words++);
}

/* Something that nobody has asked for. */
static void speak(struct bed *b, struct neighbour *n)
{
	struct word w = {.neighbour = n->number, .asks = bed_chance(b, 40), .has_mac = true};

	if (bed_chance(b, 30))
		n->mac = (uint8_t)bed_draw(b, 1, 250);
	w.mac = n->mac;
	w.override = !is_ip6(n->number) || bed_chance(b, 50);
	if (is_ip6(n->number) && !w.asks) {
		w.has_mac = bed_chance(b, 80);
		w.solicited = bed_chance(b, 30);
	}
	say(b, &w, bed_draw(b, 1, MS));
}

/* ---- what the stack says --------------------------------------------------------------------- */

static void answer(struct bed *b, struct neighbour *n, bool alone)
{
	struct word w = {.neighbour = n->number,
	                 .mac = n->mac,
	                 .solicited = true,
	                 .override = !is_ip6(n->number) || bed_chance(b, 90),
	                 .has_mac = !is_ip6(n->number) || !alone || bed_chance(b, 50)};

	if (n->answers)
		say(b, &w, bed_draw(b, 1, n->late_ns));
}

static bool was_sent_at(const struct neighbour *n, uint64_t ns)
{
	for (unsigned i = 0; i < n->nb_sent && i < SENT; i++)
		if (n->sent_ns[i] <= ns && n->sent_ns[i] + SLACK >= ns)
			return true;
	return n->nb_sent > SENT;
}

/* The stack asks for a neighbour; mac: of the frame, 0: all. */
static void on_asked(struct bed *b, struct neighbour *n, uint8_t mac)
{
	const uint64_t gap = b->now - n->asked_ns;

	follow_time(b, n);
	bed_log(b, "asks for neighbour %u (%s), %u", n->number, states[n->state], mac);
	switch (n->state) {
	case REACHED: /* it has become stale, and data was sent five seconds ago */
	case DELAYED:
		if (!was_sent_at(n, b->now - DELAY) ||
		    (n->state == REACHED && b->now - DELAY < n->least_ns))
			bed_fail(b, "neighbour %u is probed too early or too late", n->number);
		enter(b, n, PROBE);
		break;
	case PROBE:
	case INCOMPLETE:
		if (n->asked != 0 && (gap < RETRANS || gap > RETRANS + SLACK))
			bed_fail(b, "neighbour %u is asked again after %.6f s", n->number,
			         bed_seconds(gap));
		break;
	default:
		bed_fail(b, "neighbour %u is asked for in %s", n->number, states[n->state]);
	}
	if (mac != (n->state == PROBE && n->asked < ASKS ? n->known : 0))
		bed_fail(b, "neighbour %u is asked at %u", n->number, mac);
	n->asked++;
	n->asked_ns = b->now;
	answer(b, n, mac != 0);
}

static uint8_t mac_of(const struct frame *f)
{
	uint8_t mac[6];

	write_mac(mac, f->b[5]);
	return memcmp(f->b, mac, 6) == 0 ? f->b[5] : 0;
}

static int find(const struct pc_addr *a)
{
	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		const struct pc_addr own = addr_of(i);

		if (pc_addr_equal(&own, a))
			return (int)i;
	}
	return -1;
}

static void on_data(struct bed *b, const struct frame *f, struct neighbour *n, const uint8_t *data)
{
	const uint32_t number =
	    (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];

	if (n->state == NONE || n->state == INCOMPLETE || n->state == FAILED)
		bed_fail(b, "data for neighbour %u in %s", n->number, states[n->state]);
	if (mac_of(f) != n->known)
		bed_fail(b, "data for neighbour %u to %u, not %u", n->number, mac_of(f), n->known);
	if (number != n->heard + 1)
		bed_fail(b, "datagram %u of neighbour %u after %u", number, n->number, n->heard);
	n->heard = number;
	n->held = 0;
}

static void on_reply(struct bed *b, const struct frame *f, int to, bool solicited)
{
	if (!m.answer_due || to != m.question.neighbour || mac_of(f) != m.question.mac ||
	    !solicited)
		bed_fail(b, "an answer that nobody has asked for");
	m.answer_due = false;
}

static void hear6(struct bed *b, const struct frame *f)
{
	struct info6 i;
	struct pc_addr target;
	int n;

	if (frame6_read(f, &i) != NULL) {
		bed_fail(b, "a malformed frame");
		return;
	}
	n = find(&i.ends.dst);
	if (i.proto == 17 && n >= 0)
		on_data(b, f, &m.n[n], i.l4 + 8);
	if (i.proto != 58 || (i.l4[0] != 135 && i.l4[0] != 136))
		return;
	memcpy(target.b, i.l4 + 8, 16);
	if (i.l4[0] == 135 && find(&target) >= 0)
		on_asked(b, &m.n[find(&target)], mac_of(f));
	else if (i.l4[0] == 136 && n >= 0)
		on_reply(b, f, n, (i.l4[4] & 0x40) != 0);
}

static void hear4(struct bed *b, const struct frame *f)
{
	const bool arp = f->b[13] == 6;
	struct pc_addr to;
	uint32_t to_be;
	int n;

	memcpy(&to_be, f->b + (arp ? 38 : 30), 4);
	to = pc_addr_ip4(to_be);
	n = find(&to);
	if (n < 0)
		return;
	if (!arp)
		on_data(b, f, &m.n[n], f->b + 42);
	else if (f->b[21] == 1)
		on_asked(b, &m.n[n], mac_of(f));
	else
		on_reply(b, f, n, true);
}

static void hear(struct bed *b, const struct frame *f)
{
	if (f->b[12] == 0x86)
		hear6(b, f);
	else
		hear4(b, f);
}

/* ---- the world ------------------------------------------------------------------------------- */

static void send_to(struct bed *b, struct neighbour *n)
{
	const struct pc_endpoint e = {.addr = addr_of(n->number), .port = htons(9)};
	const int family = is_ip6(n->number) ? AF_INET6 : AF_INET;
	const uint32_t number_be = htonl(++n->next);
	struct sockaddr_storage a = {0};
	socklen_t len = sizeof(a);

	bed_log(b, "data for neighbour %u (%s)", n->number, states[n->state]);
	if (n->state == NONE) {
		enter(b, n, INCOMPLETE);
		n->asked = 0;
	}
	if (n->state == STALE)
		enter(b, n, DELAYED);
	if (n->state == INCOMPLETE)
		n->held++;
	if (n->state == FAILED)
		n->heard = n->next;
	else if (n->state != INCOMPLETE && (n->state != REACHED || b->now >= n->least_ns) &&
	         n->nb_sent <= SENT)
		n->sent_ns[n->nb_sent++ % SENT] = b->now;
	pc_endpoint_to_sockaddr(&e, family, (struct sockaddr *)&a, &len);
	if (pc_sendto(b->st, m.fd[family == AF_INET], &number_be, 4, 0, (struct sockaddr *)&a,
	              len) < 0)
		bed_fail(b, "a datagram for neighbour %u is refused", n->number);
}

static void due(struct bed *b)
{
	struct neighbour *n;

	for (unsigned i = 0; i < NEIGHBOURS; i++)
		follow_time(b, &m.n[i]);
	if (b->now < m.event_ns)
		return;
	n = &m.n[bed_draw(b, 0, NEIGHBOURS - 1)];
	m.event_ns = b->now + bed_draw(b, 1, bed_chance(b, 80) ? 500 * MS : 20 * SECOND);
	m.events++;
	switch (bed_draw(b, 0, 9)) {
	case 0:
		speak(b, n);
		break;
	case 1:
		n->answers = bed_chance(b, 70);
		break;
	case 2:
		if (bed_chance(b, 20))
			n->mac = (uint8_t)bed_draw(b, 1, 250);
		break;
	default:
		m.sends_to = n;
	}
}

/* The program sends in its turn, when the stack knows the time. */
static void client(struct bed *b)
{
	struct neighbour *n = m.sends_to;

	m.sends_to = NULL;
	if (n != NULL && n->held < 40 && !is_edge(n, b->now))
		send_to(b, n);
}

/* What must have been asked or answered by now. */
static void check(struct bed *b)
{
	if (m.answer_due)
		bed_fail(b, "neighbour %u is not answered", m.question.neighbour);
	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		struct neighbour *n = &m.n[i];
		const unsigned most = n->state == PROBE ? 2 * ASKS : ASKS;

		if ((n->state == INCOMPLETE && n->asked == 0) ||
		    ((n->state == INCOMPLETE || n->state == PROBE) && n->asked < most &&
		     b->now > n->asked_ns + RETRANS + SLACK))
			bed_fail(b, "neighbour %u is not asked again in %s", i, states[n->state]);
		if (n->state == REACHED && n->nb_sent > 0 && n->nb_sent < SENT &&
		    n->sent_ns[n->nb_sent - 1] > n->most_ns + SLACK &&
		    b->now > n->sent_ns[n->nb_sent - 1] + DELAY + SLACK)
			bed_fail(b, "neighbour %u is still believed", i);
		if (n->state == DELAYED && b->now > n->sent_ns[0] + DELAY + SLACK)
			bed_fail(b, "neighbour %u is not probed", i);
		if (n->state > INCOMPLETE && n->state != FAILED && n->heard != n->next)
			bed_fail(b, "datagram %u for neighbour %u is not sent", n->next, i);
	}
}

static uint64_t next(struct bed *b)
{
	uint64_t ns = m.event_ns;

	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		const struct neighbour *n = &m.n[i];
		const uint64_t asked = n->asked_ns + RETRANS + 2 * SLACK;

		if ((n->state == PROBE || n->state == INCOMPLETE || n->state == FAILED) &&
		    asked > b->now)
			ns = RTE_MIN(ns, asked);
		if (n->state == DELAYED && n->sent_ns[0] + DELAY + 2 * SLACK > b->now)
			ns = RTE_MIN(ns, n->sent_ns[0] + DELAY + 2 * SLACK);
	}
	return ns;
}

static void add_addr(struct bed *b, const char *text)
{
	struct pc_prefix p;

	if (pc_prefix_parse(text, &p) != 0 || pc_stack_add_addr(b->st, 0, &p) != 0)
		bed_fail(b, "no address %s", text);
}

static bool run(uint64_t seed, struct rte_mempool *pool)
{
	static const struct bed_model model = {.name = "neighbours",
	                                       .hear = hear,
	                                       .arrived = arrived,
	                                       .client = client,
	                                       .due = due,
	                                       .check = check,
	                                       .next = next};
	struct bed b;

	bed_begin(&b, &model, seed, pool);
	memset(&m, 0, sizeof(m));
	b.cfg.ip6_dad = 0;
	b.cfg.ip6_accept_ra = 0;
	b.cfg.arp_confirm = 0;
	b.cfg.arp_stale_ms = 86400000;
	bed_open(&b);
	add_addr(&b, "fd00::1/64");
	add_addr(&b, "192.0.2.1/24");
	m.fd[0] = pc_socket(b.st, AF_INET6, SOCK_DGRAM, 0);
	m.fd[1] = pc_socket(b.st, AF_INET, SOCK_DGRAM, 0);
	for (unsigned i = 0; i < NEIGHBOURS; i++)
		m.n[i] = (struct neighbour){.answers = bed_chance(&b, 80),
		                            .number = (uint8_t)i,
		                            .mac = (uint8_t)(1 + i),
		                            .late_ns = bed_chance(&b, 70) ? MS : 3 * SECOND};
	m.event_ns = b.now + 5 * SECOND;
	while (m.events < EVENTS && !b.failed)
		bed_run(&b, m.event_ns + 1);
	pc_close(b.st, m.fd[0]);
	pc_close(b.st, m.fd[1]);
	return bed_close(&b);
}

int main(int argc, char **argv)
{
	return bed_main(argc, argv, 300, run);
}
