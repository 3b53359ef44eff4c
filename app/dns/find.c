/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookups: RFC 1034 section 4.3.2 step by step, with the wildcards of RFC 4592 and the DNAMEs of
 * RFC 6672.
 *
 * A name is at most two steps away from what answers for it: a name that exists records whether
 * something above hides it; for one that does not exist, its closest existing ancestor does, and
 * which wildcard applies.
 */
#include <string.h>

#include "task.h"

#define TOLD_MAX 32 /* names of an answer whose addresses are added without being asked for */

/* What is known about the name in q.name. */
struct place {
	const struct zone *zone;
	const struct name *name; /* the longest suffix of it that exists */
	unsigned label;          /* the label where that begins; 0: it is the whole name */
	uint16_t off;            /* where the whole name is in the message */
};

static struct out_owner at_offset(uint16_t off)
{
	return (struct out_owner){NULL, off};
}

static void put_answer(struct task *t, const struct rrset *set, uint16_t off)
{
	if (out_rrset(&t->o, set, at_offset(off)))
		t->answers = (uint16_t)(t->answers + set->nb);
	else
		t->truncated = true;
}

/* RFC 2308 section 2: the SOA says how long a negative answer may be cached. */
static void put_soa(struct task *t, const struct zone *z)
{
	t->subject = z->apex->hash;
	if (out_rrset(&t->o, &z->negative, (struct out_owner){z->apex, 0}))
		t->authority++;
	else
		t->truncated = true;
}

/* ---- following ------------------------------------------------------------------------------- */

/* The length of the name at the last time that an alias at n was followed; 0: never. */
static uint8_t last_followed(const struct task *t, const struct name *n)
{
	for (unsigned i = t->nb_steps; i-- > 0;)
		if (t->step[i] == n)
			return t->step_len[i];
	return 0;
}

/* Notes that an alias at n is followed. Returns false if that makes a loop, or the chain too long.
 * A DNAME may apply again to a name made from its target, as long as names get shorter. */
static bool note_step(struct task *t, const struct name *n)
{
	const uint8_t last = last_followed(t, n);

	if (t->nb_steps == TASK_STEPS || (last != 0 && t->q.name.len >= last))
		return false;
	if (t->nb_steps == 0)
		t->subject = n->hash;
	t->step_len[t->nb_steps] = t->q.name.len;
	t->step[t->nb_steps++] = n;
	return true;
}

/* Continues with the target at offset off of the message. Returns whether there is more to look
 * up. */
static bool go_on(struct task *t, struct place *p, const uint8_t *target, uint32_t off)
{
	if (off == 0) {
		t->truncated = true;
		return false;
	}
	t->answers++;
	p->off = (uint16_t)off;
	return off <= DNS_POINTER_MAX && dname_read(&t->q.name, target, DNS_NAME_MAX) > 0;
}

static bool follow_cname(struct task *t, struct place *p, const struct name *from,
                         const struct rrset *cname)
{
	const struct rr *rr = cname->rr;

	if (!note_step(t, from))
		return false;
	return go_on(t, p, rr->rdata, out_alias(&t->o, cname, p->off));
}

/* Writes the CNAME that a DNAME implies (RFC 6672 section 3.1); target is in wire format. Returns
 * the target's offset, or 0 if it does not fit. */
static uint32_t put_synthesized(struct task *t, const struct place *p, const struct rrset *dname,
                                uint32_t kept, const uint8_t *target)
{
	const struct rr *rr = dname->rr;
	uint8_t *len = out_header(&t->o, DNS_CNAME, dname->ttl, at_offset(p->off));
	const uint32_t begin = t->o.len;

	if (len == NULL || t->o.limit - t->o.len < kept)
		return 0;
	memcpy(t->o.p + t->o.len, target, kept);
	t->o.len += kept;
	if (out_name(&t->o, rr->name[0], rr->rdata) == 0)
		return 0;
	dns_put16(len, t->o.len - begin);
	return begin;
}

/* Follows a DNAME above the name: its owner at the end of the name is replaced by its target. */
static bool follow_dname(struct task *t, struct place *p, const struct name *from)
{
	const struct rrset *dname = name_rrset(from, DNS_DNAME);
	const struct dname *n = &t->q.name;
	const uint32_t kept = (uint32_t)n->len - from->len;
	const struct rr *rr = dname->rr;
	const bool is_told = last_followed(t, from) != 0;
	uint8_t target[2 * DNS_NAME_MAX];

	t->aa = true;
	if (!note_step(t, from))
		return false;
	if (!is_told && !out_rrset(&t->o, dname, (struct out_owner){from, 0})) {
		t->truncated = true;
		return false;
	}
	t->answers = (uint16_t)(t->answers + !is_told);
	if (kept + rr->len > DNS_NAME_MAX) {
		t->rcode = DNS_YXDOMAIN;
		return false;
	}
	memcpy(target, n->lower, kept);
	memcpy(target + kept, rr->rdata, rr->len);
	/* a query for CNAME has its answer */
	return go_on(t, p, target, put_synthesized(t, p, dname, kept, target)) &&
	       t->q.type != DNS_CNAME && t->q.type != DNS_ANY;
}

/* ---- the steps ------------------------------------------------------------------------------- */

static void refer(struct task *t, const struct name *cut)
{
	const struct rrset *ns = name_rrset(cut, DNS_NS);

	t->aa = t->answers > 0; /* CNAMEs before a referral in a chain are from our zones */
	t->subject = cut->hash;
	if (!out_rrset(&t->o, ns, (struct out_owner){cut, 0})) {
		t->truncated = true;
		return;
	}
	t->authority = (uint16_t)(t->authority + ns->nb);
	t->told = ns;
	t->cut = cut;
	t->referral = true;
}

/* Answers with the data of a name, or of the wildcard that stands in for it. Returns whether there
 * is a CNAME to follow. */
static bool take_data(struct task *t, struct place *p, const struct name *n)
{
	const struct rrset *set;

	if (t->q.type == DNS_ANY) /* RFC 8482 section 4.1: one RRset is enough */
		set = n->rrsets;
	else
		set = name_rrset(n, t->q.type);
	if (set != NULL) {
		if (t->nb_steps == 0)
			t->subject = n->hash;
		put_answer(t, set, p->off);
		t->told = set;
		return false;
	}
	set = name_rrset(n, DNS_CNAME);
	if (set != NULL)
		return follow_cname(t, p, n, set);
	put_soa(t, p->zone);
	t->nodata = true;
	return false;
}

/* Finds the zone and the name. For DS that is the parent zone, if we have it (RFC 4035 section
 * 3.1.4.1). Returns false if there is no zone. */
static bool locate(const struct task *t, struct place *p)
{
	const struct dname *n = &t->q.name;
	const struct zone *above;
	unsigned apex, other;

	p->zone = zones_find(t->zones, n, 0, &apex);
	if (p->zone == NULL)
		return false;
	if (t->q.type == DNS_DS && apex == 0 && n->labels > 0) {
		above = zones_find(t->zones, n, 1, &other);
		if (above != NULL)
			p->zone = above;
	}
	for (p->label = 0;; p->label++) {
		p->name = zone_find(p->zone, n, p->label);
		if (p->name != NULL && p->name->exists)
			return true;
	}
}

static bool name_is_cut(const struct name *n)
{
	return n->over == n;
}

/* Handles one name of a chain. Returns whether there is another. */
static bool take_step(struct task *t, struct place *p)
{
	const struct name *n = p->name;

	out_question(&t->o, t->nb_steps == 0 ? n : NULL, p->off + t->q.name.at[p->label]);
	if (n->over != NULL && !name_is_cut(n->over))
		return follow_dname(t, p, n->over);
	if (n->over != NULL && (n->over != n || t->q.type != DNS_DS || p->label > 0)) {
		refer(t, n->over);
		return false;
	}
	t->aa = true;
	if (p->label == 0)
		return take_data(t, p, n);
	if (name_rrset(n, DNS_DNAME) != NULL)
		return follow_dname(t, p, n);
	if (n->wild != NULL)
		return take_data(t, p, n->wild);
	t->rcode = DNS_NXDOMAIN; /* for the last name of a chain (RFC 6604) */
	put_soa(t, p->zone);
	return false;
}

/* ---- the additional section ------------------------------------------------------------------ */

/* Adds the addresses of a name, taken from itself or its wildcard. Returns whether all fit. */
static bool add_addresses(struct task *t, const struct name *n, const struct name *from)
{
	static const uint16_t types[] = {DNS_A, DNS_AAAA};

	for (unsigned i = 0; i < 2; i++) {
		const struct rrset *set = name_rrset(from, types[i]);

		if (set == NULL)
			continue;
		if (!out_rrset(&t->o, set, (struct out_owner){n, 0}))
			return false;
		t->additional = (uint16_t)(t->additional + set->nb);
	}
	return true;
}

static bool is_told_before(const struct rrset *set, unsigned i)
{
	for (unsigned j = 0; j < i; j++)
		if (set->rr[j].name[0] == set->rr[i].name[0])
			return true;
	return false;
}

/* Returns what has the addresses of a name in the zone's data: the name itself, or the wildcard
 * that stands in for it; NULL: not ours to answer. For name servers glue counts, too: a resolver
 * that asks for them could not find them otherwise (RFC 9609 section 4.1). */
static const struct name *find_source(const struct name *n, bool glue)
{
	const struct name *up = n;

	if (n->exists)
		return n->over == NULL || (glue && name_is_cut(n->over)) ? n : NULL;
	while (up != NULL && !up->exists)
		up = up->parent;
	return up != NULL && up->over == NULL && name_rrset(up, DNS_DNAME) == NULL ? up->wild
	                                                                           : NULL;
}

/* RFC 9471: glue for servers inside the delegated zone must be in the referral; other glue is
 * optional, like addresses with other answers. */
static void tell_glue(struct task *t)
{
	for (unsigned i = 0; i < t->told->nb; i++) {
		const struct name *n = t->told->rr[i].name[0];

		if (name_is_below(n, t->cut) && !add_addresses(t, n, n)) {
			t->truncated = true;
			return;
		}
	}
	for (unsigned i = 0; i < t->told->nb && i < TOLD_MAX; i++) {
		const struct name *n = t->told->rr[i].name[0], *from = find_source(n, true);

		if (from != NULL && !name_is_below(n, t->cut))
			(void)add_addresses(t, n, from);
	}
}

static void tell(struct task *t)
{
	const struct rrset *set = t->told;

	if (set->rr == NULL || (set->type != DNS_NS && set->type != DNS_MX && set->type != DNS_SRV))
		return;
	for (unsigned i = 0; i < set->nb && i < TOLD_MAX; i++) {
		const struct name *n = set->rr[i].name[0];
		const struct name *from = find_source(n, set->type == DNS_NS);

		if (from != NULL && !is_told_before(set, i) && !add_addresses(t, n, from))
			return;
	}
}

/* ---- all ------------------------------------------------------------------------------------- */

void find_all(struct task *t)
{
	struct place p = {.off = DNS_HDR_LEN};

	if (!locate(t, &p)) {
		t->rcode = DNS_REFUSED;
		return;
	}
	while (take_step(t, &p))
		if (!locate(t, &p))
			break; /* the chain leads out of our zones */
	if (t->told == NULL || t->truncated)
		return;
	if (t->cut != NULL)
		tell_glue(t);
	else
		tell(t);
}
