/* SPDX-License-Identifier: BSD-2-Clause */
#include "out.h"

#include <string.h>

void out_begin(struct out *o, uint8_t *p, uint32_t limit)
{
	o->p = p;
	o->len = 0;
	o->limit = limit;
	o->nb_known = 0;
	o->question = NULL;
}

void out_question(struct out *o, const struct name *name, unsigned off)
{
	o->question = name;
	o->question_off = (uint16_t)off;
}

static bool has_room(const struct out *o, size_t n)
{
	return o->limit - o->len >= n;
}

/* ---- names ----------------------------------------------------------------------------------- */

static void learn(struct out *o, const struct name *name, uint32_t off)
{
	if (o->nb_known < OUT_KNOWN && off <= DNS_POINTER_MAX)
		o->known[o->nb_known++] = (struct out_known){name, (uint16_t)off};
}

/* Remembers the question's name and its ancestors, once there is something to compress. */
static void learn_question(struct out *o)
{
	uint32_t off = o->question_off;

	for (const struct name *n = o->question; n != NULL && n->parent != NULL; n = n->parent) {
		learn(o, n, off);
		off += 1u + n->lower[0];
	}
	o->question = NULL;
}

static uint32_t find_known(const struct out *o, const struct name *name)
{
	for (uint32_t i = 0; i < o->nb_known; i++)
		if (o->known[i].name == name)
			return o->known[i].off;
	return 0;
}

uint32_t out_name(struct out *o, const struct name *name, const uint8_t *spelled)
{
	const struct name *end = name;
	const uint32_t begin = o->len;
	uint32_t off = 0, full;

	if (o->question != NULL)
		learn_question(o);
	while (end->parent != NULL && (off = find_known(o, end)) == 0)
		end = end->parent;
	full = (uint32_t)name->len - end->len;
	if (!has_room(o, full + 2))
		return 0;
	memcpy(o->p + o->len, spelled, full);
	o->len += full;
	if (off != 0)
		o->len += (uint32_t)(dns_put16(o->p + o->len, DNS_POINTER | off) - (o->p + o->len));
	else
		o->p[o->len++] = 0;
	for (const struct name *n = name; n != end; n = n->parent)
		learn(o, n, begin + name->len - n->len);
	return full == 0 && off != 0 ? off : begin;
}

/* ---- records --------------------------------------------------------------------------------- */

static bool put_owner(struct out *o, struct out_owner owner)
{
	if (owner.off == 0)
		return out_name(o, owner.name, owner.name->spelled) != 0;
	if (!has_room(o, 2))
		return false;
	dns_put16(o->p + o->len, DNS_POINTER | owner.off);
	o->len += 2;
	return true;
}

uint8_t *out_header(struct out *o, uint16_t type, uint32_t ttl, struct out_owner owner)
{
	uint8_t *p;

	if (!put_owner(o, owner) || !has_room(o, DNS_RR_LEN))
		return NULL;
	p = dns_put16(o->p + o->len, type);
	p = dns_put16(p, DNS_IN);
	p = dns_put32(p, ttl);
	o->len += DNS_RR_LEN;
	return p;
}

/* Writes a record, compressing the names in its data. Returns whether it fits. */
static bool put_rr(struct out *o, const struct rrset *set, const struct rr *rr,
                   struct out_owner owner)
{
	uint8_t *len = out_header(o, set->type, set->ttl, owner);
	const uint32_t begin = o->len;
	uint32_t at = rr->head;

	if (len == NULL || !has_room(o, rr->head))
		return false;
	memcpy(o->p + o->len, rr->rdata, rr->head);
	o->len += rr->head;
	for (unsigned i = 0; i < rr->nb_names; i++) {
		if (out_name(o, rr->name[i], rr->rdata + at) == 0)
			return false;
		at += rr->name[i]->len;
	}
	if (!has_room(o, rr->len - at))
		return false;
	memcpy(o->p + o->len, rr->rdata + at, rr->len - at);
	o->len += rr->len - at;
	dns_put16(len, o->len - begin);
	return true;
}

static bool put_compressed(struct out *o, const struct rrset *set, struct out_owner owner)
{
	for (unsigned i = 0; i < set->nb; i++)
		if (!put_rr(o, set, &set->rr[i], owner))
			return false;
	return true;
}

/* Adjusts ready-made records to an owner that is elsewhere than in the question. */
static void move_owner(uint8_t *p, unsigned n, unsigned off)
{
	for (; n > 0; n--) {
		dns_put16(p, DNS_POINTER | off);
		p += 2u + DNS_RR_LEN + dns_get16(p + 2 + DNS_RR_LEN - 2);
	}
}

static bool put_ready(struct out *o, const struct rrset *set, uint16_t off)
{
	if (!has_room(o, set->len))
		return false;
	memcpy(o->p + o->len, set->bytes, set->len);
	if (off != DNS_HDR_LEN)
		move_owner(o->p + o->len, set->nb, off);
	o->len += set->len;
	return true;
}

static bool put_named(struct out *o, const struct rrset *set, const struct name *name)
{
	const uint8_t *from = set->bytes;

	for (unsigned i = 0; i < set->nb; i++) {
		const uint32_t n = (uint32_t)DNS_RR_LEN + dns_get16(from + DNS_RR_LEN);

		if (out_name(o, name, name->spelled) == 0 || !has_room(o, n))
			return false;
		memcpy(o->p + o->len, from + 2, n);
		o->len += n;
		from += 2 + n;
	}
	return true;
}

bool out_rrset(struct out *o, const struct rrset *set, struct out_owner owner)
{
	const uint32_t len = o->len, nb_known = o->nb_known;
	bool fits;

	if (set->bytes == NULL)
		fits = put_compressed(o, set, owner);
	else if (owner.off != 0)
		fits = put_ready(o, set, owner.off);
	else
		fits = put_named(o, set, owner.name);
	if (!fits) {
		o->len = len;
		o->nb_known = nb_known; /* so that nothing points to what was removed */
	}
	return fits;
}

uint32_t out_alias(struct out *o, const struct rrset *set, uint16_t owner_off)
{
	const struct rr *rr = set->rr;
	uint8_t *len = out_header(o, DNS_CNAME, set->ttl, (struct out_owner){NULL, owner_off});
	const uint32_t begin = o->len;
	uint32_t off;

	if (len == NULL)
		return 0;
	off = out_name(o, rr->name[0], rr->rdata);
	dns_put16(len, o->len - begin);
	return off;
}
