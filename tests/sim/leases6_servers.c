/* SPDX-License-Identifier: BSD-2-Clause */

/* DHCPv6 servers, good and bad; see leases6.h. */

#include "leases6.h"

#include <string.h>

#include <rte_common.h>

struct pc_addr servers6_addr(unsigned i)
{
	struct pc_addr a = addr6("2001:db8::100");

	a.b[15] = (uint8_t)(i + 1);
	return a;
}

void servers6_draw(struct bed *b, const struct servers6 *ss, struct server *s)
{
	static const uint32_t odd[] = {1, 9, 11, 19, 21, 0xfffffffe, FOREVER};

	s->valid_s = (uint32_t)bed_draw(b, 20, ss->scale_s);
	if (bed_chance(b, 15))
		s->valid_s = odd[bed_draw(b, 0, RTE_DIM(odd) - 1)];
	s->preferred_s = (uint32_t)bed_draw(b, bed_chance(b, 10) ? 0 : s->valid_s / 2, s->valid_s);
	s->t2_s = (uint32_t)bed_draw(b, 1, s->preferred_s == 0 ? 1 : s->preferred_s);
	s->t1_s = (uint32_t)bed_draw(b, 1, s->t2_s);
	if (bed_chance(b, 30))
		s->t1_s = s->t2_s = 0;
	if (bed_chance(b, 10))
		s->t1_s = (uint32_t)bed_draw(b, 0, UINT32_MAX);
	if (bed_chance(b, 10))
		s->t2_s = (uint32_t)bed_draw(b, 0, UINT32_MAX);
	s->preference = bed_chance(b, 20) ? 255 : (uint8_t)bed_draw(b, 0, 2);
	s->refuses = bed_chance(b, 20) ? (unsigned)bed_draw(b, 1, 50) : 0;
	s->leased = 0;
}

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

static uint8_t *put_status(uint8_t *p, uint16_t status)
{
	return status == SUCCESS ? p : put16(put16(put16(p, 13), 2), status);
}

static uint8_t *put_ia(uint8_t *p, const struct answer *a)
{
	uint8_t *const at = p;

	p = put32(put32(put32(p + 4, a->iaid), a->t1_s), a->t2_s);
	for (unsigned i = 0; i < 32; i++) {
		if ((a->addrs >> i & 1) == 0)
			continue;
		p = put16(put16(p, 5), 24);
		memcpy(p, servers6_addr(i).b, 16);
		p = put32(put32(p + 16, a->preferred_s), a->valid_s);
	}
	p = put_status(p, a->ia_status);
	put16(put16(at, 3), (unsigned)(p - at - 4));
	return p;
}

static void say(struct bed *b, struct servers6 *ss, struct answer *a)
{
	const unsigned how = bed_chance(b, ss->spoilt) ? (unsigned)bed_draw(b, 1, 4) : 0;
	struct ends6 e = {.src_mac = {2, 0, 0, 0, 0, 0x67}, .dst_mac = PROBE_MAC};
	uint8_t d[600] = {a->type}, *p = d + 4;
	struct frame f;

	a->valid = how == 0;
	put32(d, (uint32_t)a->type << 24 | ((a->xid + (how == 1)) & 0xffffff));
	memcpy(p, "\0\1\0\xa\0\3\0\1" PROBE_MAC, 14);
	p[13] = (uint8_t)(p[13] + (how == 2)); /* of another client */
	p += 14;
	if (how != 3) {
		memcpy(p, "\0\2\0\4\0\4\0", 7);
		p[7] = a->server;
		p += 8;
	}
	memcpy(p, "\0\7\0\1", 4);
	p[4] = a->preference;
	p = put_status(p + 5, a->status);
	if (a->iaid != 0)
		p = put_ia(p, a);
	if (how == 4) /* an option that goes beyond the end */
		p = put16(put16(p, 23), 16);
	e.src = addr6("fe80::67");
	e.dst = addr6("fe80::ff:fe00:1");
	frame6_udp(&f, &e, 547, 546, d, (uint16_t)(p - d));
	for (unsigned copies = bed_chance(b, 5) ? 2 : 1; copies > 0; copies--) {
		ss->answer[ss->nb_answers % ANSWERS] = *a;
		if (!bed_chance(b, ss->loss))
			bed_say(b, &f, bed_draw(b, 1, ss->late_ns), ss->nb_answers);
		ss->nb_answers++;
	}
}

/* The addresses that a server would lease. */
static uint32_t pick(struct bed *b, unsigned number)
{
	uint32_t bits = 0;

	for (uint64_t k = bed_draw(b, 1, 3); k > 0; k--)
		bits |= UINT32_C(1) << (number * ADDRS + bed_draw(b, 0, ADDRS - 1));
	return bits;
}

static void serve(struct bed *b, struct servers6 *ss, unsigned number, const struct said *q)
{
	struct server *s = &ss->s[number];
	struct answer a = {.type = q->type == SOLICIT ? ADVERTISE : REPLY,
	                   .server = (uint8_t)(number + 1),
	                   .preference = s->preference,
	                   .xid = q->xid,
	                   .iaid = q->iaid,
	                   .t1_s = s->t1_s,
	                   .t2_s = s->t2_s,
	                   .preferred_s = s->preferred_s,
	                   .valid_s = s->valid_s};
	const bool refuses = bed_chance(b, s->refuses);

	if (q->type == CONFIRM) {
		a.iaid = 0;
		a.status = bed_chance(b, 20) ? NOT_ON_LINK : SUCCESS;
	} else if (q->type == SOLICIT || q->type == REQUEST) {
		if (s->leased == 0)
			s->leased = pick(b, number);
		a.addrs = s->leased;
		if (refuses) {
			a.addrs = 0;
			*(bed_chance(b, 50) ? &a.status : &a.ia_status) =
			    (uint16_t)bed_draw(b, UNSPEC_FAIL, NO_ADDRS);
		}
	} else if (q->type == RENEW || q->type == REBIND) {
		a.addrs = q->addrs & s->leased;
		if (a.addrs == 0 && q->type == REBIND)
			return;
		if (a.addrs == 0 || refuses) {
			a.addrs = 0;
			a.ia_status = NO_BINDING;
		}
		if (a.addrs != 0 && bed_chance(b, 5))
			a.valid_s = a.preferred_s = 0; /* it takes them away */
	} else {
		s->leased = 0;
		return;
	}
	say(b, ss, &a);
}

void servers6_hear(struct bed *b, struct servers6 *ss, const struct said *q)
{
	for (unsigned i = 0; i < ss->n && bed_is_up(b); i++)
		if (ss->s[i].alive && !bed_chance(b, ss->loss) &&
		    (q->server == 0 || q->server == i + 1))
			serve(b, ss, i, q);
}
