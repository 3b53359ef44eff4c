/* SPDX-License-Identifier: BSD-2-Clause */

/* DHCP servers, good and bad; see leases.h. */

#include "leases.h"

#include <string.h>

#include <rte_common.h>

#define NETWORK 0xc0000200u /* 192.0.2.0 */

/* How an answer is spoilt; the client must ignore it. */
enum spoilt {
	SOUND,
	OTHER_XID,
	OTHER_MAC,
	OTHER_CLIENT_ID, /* RFC 6842 section 3 */
	CUT,
	OTHER_COOKIE,
	A_REQUEST, /* op */
	NO_LEASE,
	NO_SERVER,
	ZERO_LEASE,
	SPOILT_MAX
};

static uint32_t host_be(uint8_t last)
{
	return htonl(NETWORK | last);
}

/* ---- terms ----------------------------------------------------------------------------------- */

static uint32_t draw_lease(struct bed *b, const struct servers *ss)
{
	static const uint32_t odd[] = {1,  2,   5,   30,         59,         60,
	                               61, 119, 121, 0x7fffffff, 0xfffffffe, UINT32_MAX};

	if (bed_chance(b, 20))
		return odd[bed_draw(b, 0, RTE_DIM(odd) - 1)];
	return (uint32_t)bed_draw(b, ss->scale_s / 2 + 1, ss->scale_s);
}

/* T1 and T2: mostly left out or in order, sometimes not */
static void draw_times(struct bed *b, struct terms *t)
{
	const uint32_t most = t->lease_s;

	t->has_t1 = bed_chance(b, 40);
	t->has_t2 = bed_chance(b, 40);
	t->t2_s = (uint32_t)bed_draw(b, 0, most);
	t->t1_s = (uint32_t)bed_draw(b, 0, t->t2_s);
	if (bed_chance(b, 15))
		t->t1_s = (uint32_t)bed_draw(b, 0, UINT32_MAX);
	if (bed_chance(b, 15))
		t->t2_s = (uint32_t)bed_draw(b, 0, UINT32_MAX);
	if (bed_chance(b, 5))
		t->t1_s = 0;
	if (bed_chance(b, 5))
		t->t2_s = 0;
}

static void draw_terms(struct bed *b, const struct servers *ss, struct terms *t)
{
	*t = (struct terms){.lease_s = draw_lease(b, ss), .len = 24};
	draw_times(b, t);
	if (bed_chance(b, 80))
		t->router_be = host_be((uint8_t)bed_draw(b, 250, 254));
	t->nb_dns = (uint8_t)bed_draw(b, 0, 3);
	for (unsigned i = 0; i < t->nb_dns; i++)
		t->dns_be[i] = host_be((uint8_t)(240 + i * 3 + bed_draw(b, 0, 2)));
}

static void draw_server(struct bed *b, struct servers *ss, struct server *s)
{
	s->first = (uint8_t)bed_draw(b, 10, 100);
	s->n = (uint8_t)bed_draw(b, 1, 40);
	s->refuses = bed_chance(b, 20) ? (unsigned)bed_draw(b, 1, 60) : 0;
	draw_terms(b, ss, &s->t);
}

void servers_plan(struct bed *b, struct servers *ss)
{
	ss->n = (unsigned)bed_draw(b, 1, SERVERS);
	ss->loss = bed_chance(b, 50) ? (unsigned)bed_draw(b, 0, 40) : 0;
	ss->spoilt = bed_chance(b, 50) ? (unsigned)bed_draw(b, 0, 40) : 0;
	ss->doubled = bed_chance(b, 30) ? 20 : 0;
	ss->late_ns = bed_chance(b, 30) ? bed_draw(b, 1, 12) * SECOND : 20 * MS;
	ss->scale_s = (uint32_t)bed_draw(b, 1, bed_chance(b, 50) ? 1000 : 200000);
	for (unsigned i = 0; i < ss->n; i++) {
		ss->s[i].id_be = host_be((uint8_t)(200 + i));
		ss->s[i].alive = true;
		draw_server(b, ss, &ss->s[i]);
	}
}

void servers_event(struct bed *b, struct servers *ss)
{
	struct server *s = &ss->s[bed_draw(b, 0, ss->n - 1)];

	switch (bed_draw(b, 0, 5)) {
	case 0:
		s->alive = !s->alive;
		break;
	case 1: /* restarts, and remembers nothing */
		draw_server(b, ss, s);
		s->client_be = 0;
		break;
	case 2:
		draw_terms(b, ss, &s->t);
		break;
	default:
		s->alive = true;
		break;
	}
	bed_log(b, "server %u: %s, lease %u, T1 %d %u, T2 %d %u", (unsigned)(s - ss->s),
	        s->alive ? "alive" : "dead", s->t.lease_s, s->t.has_t1, s->t.t1_s, s->t.has_t2,
	        s->t.t2_s);
}

/* ---- messages -------------------------------------------------------------------------------- */

struct writer {
	uint8_t d[600];
	uint8_t *p;
	bool splits; /* options of four bytes in two pieces (RFC 3396) */
};

static void put_option(struct writer *w, uint8_t code, const void *data, uint8_t len)
{
	const uint8_t *from = data;
	const uint8_t half = w->splits && len >= 4 ? len / 2 : len;

	for (uint8_t done = 0, n = half; done < len; done = (uint8_t)(done + n), n = len - done) {
		*w->p++ = code;
		*w->p++ = n;
		memcpy(w->p, from + done, n);
		w->p += n;
	}
}

static void put_number(struct writer *w, uint8_t code, uint32_t v)
{
	const uint32_t v_be = htonl(v);

	put_option(w, code, &v_be, 4);
}

static void put_terms(struct writer *w, const struct answer *a)
{
	const struct terms *t = &a->t;

	if (a->has_lease)
		put_number(w, 51, t->lease_s);
	if (t->has_t1)
		put_number(w, 58, t->t1_s);
	if (t->has_t2)
		put_number(w, 59, t->t2_s);
	put_number(w, 1, UINT32_MAX << (32 - t->len));
	if (t->router_be != 0)
		put_option(w, 3, &t->router_be, 4);
	if (t->nb_dns != 0)
		put_option(w, 6, t->dns_be, (uint8_t)(4 * t->nb_dns));
}

/* Writes the options; with overload, those of the terms are where the boot file's name is. */
static void put_options(struct bed *b, struct writer *w, const struct answer *a, enum spoilt how)
{
	const uint8_t type = a->type, file = 1, id[7] = {1, 2, 0, 0, 0, 0, (uint8_t)(how + 7)};
	const bool overloads = a->type != NAK && bed_chance(b, 15);
	uint8_t *end;

	w->splits = bed_chance(b, 15);
	put_option(w, 53, &type, 1);
	if (a->has_server)
		put_option(w, 54, &a->server_be, 4);
	if (how == OTHER_CLIENT_ID)
		put_option(w, 61, id, sizeof(id));
	else if (bed_chance(b, 50))
		put_option(w, 61, "\1" PROBE_MAC, 7);
	if (bed_chance(b, 20))
		w->p += 3; /* padding */
	if (overloads) {
		put_option(w, 52, &file, 1);
		end = w->p;
		w->p = w->d + 108;
		put_terms(w, a);
		*w->p = 255;
		w->p = end;
	} else if (a->type != NAK) {
		put_terms(w, a);
	}
	if (how == CUT) { /* the last option says that it goes on */
		memcpy(w->p, "\x2b\x09\1\2\3", 5);
		w->p += 5;
		return;
	}
	*w->p++ = 255;
}

static void write_answer(struct bed *b, struct writer *w, const struct answer *a, enum spoilt how)
{
	const uint32_t xid_be = htonl(a->xid);

	memset(w, 0, sizeof(*w));
	memcpy(w->d, "\2\1\6", 3);
	w->d[0] = how == A_REQUEST ? 1 : 2;
	memcpy(w->d + 4, &xid_be, 4);
	if (a->type != NAK)
		memcpy(w->d + 16, &a->yiaddr_be, 4);
	memcpy(w->d + 28, PROBE_MAC, 6);
	w->d[33] = (uint8_t)(w->d[33] + (how == OTHER_MAC));
	memcpy(w->d + 236, how == OTHER_COOKIE ? "\x63\x82\x53\x64" : "\x63\x82\x53\x63", 4);
	w->p = w->d + 240;
	put_options(b, w, a, how);
}

static enum spoilt draw_spoilt(struct bed *b, const struct servers *ss, const struct answer *a)
{
	enum spoilt how;

	if (!bed_chance(b, ss->spoilt))
		return SOUND;
	how = (enum spoilt)bed_draw(b, SOUND + 1, SPOILT_MAX - 1);
	if (a->type == NAK && how >= NO_LEASE)
		return SOUND;
	return how;
}

static void answer(struct bed *b, struct servers *ss, const struct said *q, struct answer *a)
{
	const enum spoilt how = draw_spoilt(b, ss, a);
	struct frame_ends e = {.src_mac = PEER_MAC,
	                       .dst_mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	                       .src_be = a->server_be,
	                       .dst_be = UINT32_MAX};
	struct writer w;
	struct frame f;

	a->xid = q->xid + (how == OTHER_XID);
	a->valid = how == SOUND || how >= NO_LEASE;
	a->has_server = how != NO_SERVER;
	a->has_lease = a->type != NAK && how != NO_LEASE;
	if (how == ZERO_LEASE)
		a->t.lease_s = 0;
	if (q->ciaddr_be != 0) {
		memcpy(e.dst_mac, PROBE_MAC, 6);
		e.dst_be = q->ciaddr_be;
	}
	write_answer(b, &w, a, how);
	frame_udp(&f, &e, 67, 68, w.d, (uint16_t)(w.p - w.d));
	for (unsigned copies = bed_chance(b, ss->doubled) ? 2 : 1; copies > 0; copies--) {
		ss->answer[ss->nb_answers % ANSWERS] = *a;
		if (!bed_chance(b, ss->loss))
			bed_say(b, &f, bed_draw(b, 1, ss->late_ns), TAG_FIRST + ss->nb_answers);
		ss->nb_answers++;
	}
}

static void grant(struct bed *b, struct servers *ss, struct server *s, const struct said *q,
                  uint8_t type, uint32_t addr_be)
{
	struct answer a = {.type = type, .yiaddr_be = addr_be, .server_be = s->id_be, .t = s->t};

	if (type == NAK)
		a.yiaddr_be = 0;
	answer(b, ss, q, &a);
}

static bool leases(const struct server *s, uint32_t addr_be)
{
	const uint32_t addr = ntohl(addr_be);

	return addr - NETWORK >= s->first && addr - NETWORK < (uint32_t)s->first + s->n;
}

static void hear_discover(struct bed *b, struct servers *ss, struct server *s, const struct said *q)
{
	if (s->client_be == 0 || !leases(s, s->client_be))
		s->client_be = host_be((uint8_t)bed_draw(b, s->first, s->first + s->n - 1u));
	grant(b, ss, s, q, OFFER, s->client_be);
}

static void hear_request(struct bed *b, struct servers *ss, struct server *s, const struct said *q)
{
	const uint32_t addr_be = q->ciaddr_be != 0 ? q->ciaddr_be : q->requested_be;

	if (q->server_be != 0 && q->server_be != s->id_be)
		return; /* another one was chosen */
	if (s->client_be == addr_be && leases(s, addr_be) && !bed_chance(b, s->refuses))
		grant(b, ss, s, q, ACK, addr_be);
	else if (s->client_be != 0 || q->server_be != 0 || bed_chance(b, 20))
		grant(b, ss, s, q, NAK, 0); /* else it has no record, and is silent (4.3.2) */
}

void servers_hear(struct bed *b, struct servers *ss, const struct said *q)
{
	if (!bed_is_up(b))
		return;
	for (unsigned i = 0; i < ss->n; i++) {
		struct server *s = &ss->s[i];

		if (!s->alive || bed_chance(b, ss->loss / 2) ||
		    (q->dst_be != UINT32_MAX && q->dst_be != s->id_be))
			continue;
		if (q->type == DISCOVER)
			hear_discover(b, ss, s, q);
		else if (q->type == REQUEST)
			hear_request(b, ss, s, q);
		else if (q->server_be == s->id_be) /* DECLINE, RELEASE */
			s->client_be = 0;
	}
}

const char *servers_name(uint8_t type)
{
	static const char *const names[] = {"?",       "DISCOVER", "OFFER", "REQUEST",
	                                    "DECLINE", "ACK",      "NAK",   "RELEASE"};

	return names[type & 7];
}

static void read_option(struct said *q, const uint8_t *o)
{
	if (*o == 53)
		q->type = o[2];
	else if (*o == 50)
		memcpy(&q->requested_be, o + 2, 4);
	else if (*o == 54)
		memcpy(&q->server_be, o + 2, 4);
}

bool servers_read(struct bed *b, const struct frame *f, struct said *q)
{
	struct frame_info i;
	const uint8_t *d, *end;
	const char *wrong = frame_read(f, &i);

	*q = (struct said){0};
	if (wrong != NULL) {
		bed_fail(b, "%s", wrong);
		return false;
	}
	if (i.proto != 17 || i.dport != 67)
		return false;
	d = i.payload;
	end = d + i.payload_len;
	q->src_be = i.ends.src_be;
	q->dst_be = i.ends.dst_be;
	q->xid = (uint32_t)d[4] << 24 | (uint32_t)d[5] << 16 | (uint32_t)d[6] << 8 | d[7];
	q->secs = (uint16_t)(d[8] << 8 | d[9]);
	q->broadcast = d[10] >> 7;
	memcpy(&q->ciaddr_be, d + 12, 4);
	for (const uint8_t *o = d + 240; o < end && *o != 255; o += *o == 0 ? 1 : 2 + o[1])
		read_option(q, o);
	if (i.payload_len < 300)
		bed_fail(b, "a message of %u bytes", i.payload_len);
	return true;
}

/* Another host has the address, or wants it, too. */
void servers_claim(struct bed *b, uint32_t addr_be)
{
	struct frame_ends e = {.src_mac = {2, 0, 0, 0, 0, 0x66},
	                       .dst_mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	                       .src_be = addr_be,
	                       .dst_be = addr_be};
	struct frame f;

	if (bed_chance(b, 30))
		e.src_be = 0;
	frame_arp(&f, &e, e.src_be != 0 && bed_chance(b, 50) ? 2 : 1, NULL);
	bed_say(b, &f, bed_draw(b, 1, 150 * MS), TAG_CLAIM);
}
