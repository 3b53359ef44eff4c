/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From records to RRsets.
 *
 * Overview: the records are sorted by owner and type; each run is an RRset. Then it is determined
 * for every name what hides it and what its wildcard is, beginning with the names nearest to the
 * apex.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone_build.h"

/* For a whole RRset, so that header, question and OPT also fit into a message. */
#define RRSET_MAX (DNS_MESSAGE_MAX - 1024)

struct layout layout_of(uint16_t type)
{
	switch (type) {
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
		return (struct layout){0, 1, true};
	case DNS_MX:
		return (struct layout){2, 1, true};
	case DNS_SOA:
		return (struct layout){0, 2, true};
	case DNS_DNAME: /* RFC 6672 section 2.5 */
		return (struct layout){0, 1, false};
	case DNS_SRV: /* RFC 2782 */
		return (struct layout){6, 1, false};
	default:
		return (struct layout){0, 0, false};
	}
}

/* ---- order ----------------------------------------------------------------------------------- */

/* By owner and type, and then in the order in which they were added. */
static int compare(const void *x, const void *y)
{
	const struct draft *a = x, *b = y;

	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

/* Where the names in the data of a record end; the data before and after them is compared as it
 * is. */
static size_t names_end(const struct draft *d, const struct layout *l)
{
	size_t at = l->head;

	for (unsigned i = 0; i < l->nb_names; i++) {
		while (at < d->len && d->rdata[at] != 0)
			at += 1u + d->rdata[at];
		at++;
	}
	return at < d->len ? at : d->len;
}

static uint8_t lower(uint8_t c)
{
	return (uint8_t)(c + ((uint8_t)(c - 'A') < 26 ? 'a' - 'A' : 0));
}

/* By data, ignoring case in names (RFC 4343). Both are of one type. */
static int compare_rdata(const struct draft *a, const struct draft *b)
{
	const struct layout l = layout_of(a->type);
	const size_t end = names_end(a, &l), n = a->len < b->len ? a->len : b->len;

	for (size_t i = 0; i < n; i++) {
		/* length bytes of labels are less than 'A' */
		const bool in_name = i >= l.head && i < end;
		const uint8_t x = in_name ? lower(a->rdata[i]) : a->rdata[i];
		const uint8_t y = in_name ? lower(b->rdata[i]) : b->rdata[i];

		if (x != y)
			return x < y ? -1 : 1;
	}
	return a->len != b->len ? (a->len < b->len ? -1 : 1) : 0;
}

static int compare_data(const void *x, const void *y)
{
	const struct draft *a = *(const struct draft *const *)x,
	                   *b = *(const struct draft *const *)y;
	const int c = compare_rdata(a, b);

	if (c != 0)
		return c;
	return a->order < b->order ? -1 : 1;
}

/* Removes duplicate records (RFC 2181 section 5), and restores the order in which they were added.
 * Returns how many are left, or 0 without memory. */
static size_t drop_doubles(struct draft *d, size_t n)
{
	struct draft **sorted;
	size_t left = 0;

	if (n == 1)
		return 1;
	sorted = malloc(n * sizeof(struct draft *));
	if (sorted == NULL)
		return 0;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &d[i];
	qsort(sorted, n, sizeof(struct draft *), compare_data);
	for (size_t i = 1; i < n; i++)
		if (compare_rdata(sorted[i], sorted[i - 1]) == 0)
			sorted[i]->owner = NULL;
	free(sorted);
	for (size_t i = 0; i < n; i++)
		if (d[i].owner != NULL)
			d[left++] = d[i];
	return left;
}

/* ---- RRsets ---------------------------------------------------------------------------------- */

/* Finds the names in the data of a record. */
static int make_rr(struct zone_builder *b, const struct draft *d, struct rr *rr)
{
	const struct layout l = layout_of(d->type);
	size_t at = l.head;

	*rr = (struct rr){d->rdata, d->len, l.head, l.nb_names, {NULL, NULL}};
	for (unsigned i = 0; i < l.nb_names; i++) {
		struct dname n;
		const int len = at <= d->len ? dname_read(&n, d->rdata + at, d->len - at) : -1;

		if (len < 0)
			return -1;
		rr->name[i] = build_intern(b, &n, d->rdata + at);
		if (rr->name[i] == NULL)
			return -1;
		at += (size_t)len;
	}
	return d->len - at == (d->type == DNS_SOA ? 20u : 0u) ? 0 : -1;
}

static const struct rr *make_rrs(struct zone_builder *b, const struct draft *d, size_t n)
{
	struct rr *rr = arena_take(&b->memory, n * sizeof(*rr));

	for (size_t i = 0; rr != NULL && i < n; i++)
		if (make_rr(b, &d[i], &rr[i]) != 0)
			return NULL;
	return rr;
}

/* The records as they are in an answer, with a pointer to the question as owner. */
static uint8_t *make_bytes(struct zone_builder *b, const struct draft *d, size_t n,
                           const struct rrset *set, size_t len)
{
	uint8_t *bytes = arena_take(&b->memory, len), *p = bytes;

	for (size_t i = 0; bytes != NULL && i < n; i++) {
		p = dns_put16(p, DNS_POINTER | DNS_HDR_LEN);
		p = dns_put16(p, set->type);
		p = dns_put16(p, DNS_IN);
		p = dns_put32(p, set->ttl);
		p = dns_put16(p, d[i].len);
		memcpy(p, d[i].rdata, d[i].len);
		p += d[i].len;
	}
	return bytes;
}

static int make_rrset(struct zone_builder *b, struct draft *d, size_t n, struct rrset *set,
                      char *why, size_t why_len)
{
	const struct name *owner = d->owner;
	const struct layout l = layout_of(d->type);
	size_t len = 0;

	n = drop_doubles(d, n);
	*set = (struct rrset){.type = d->type, .nb = (uint16_t)n, .ttl = d->ttl};
	for (size_t i = 0; i < n; i++) {
		len += 2u + DNS_RR_LEN + d[i].len;
		if (d[i].ttl < set->ttl) /* RFC 2181 section 5.2: they must not differ */
			set->ttl = d[i].ttl;
	}
	if (len > RRSET_MAX)
		return build_fail(why, why_len, owner,
		                  "has more records of one type than fit in a message");
	if (set->ttl > INT32_MAX) /* RFC 2181 section 8 */
		set->ttl = 0;
	set->len = (uint32_t)len;
	if (l.nb_names > 0)
		set->rr = make_rrs(b, d, n);
	if (!l.compress)
		set->bytes = make_bytes(b, d, n, set, len);
	if (n == 0 || (l.nb_names > 0 && set->rr == NULL) || (!l.compress && set->bytes == NULL))
		return build_fail(why, why_len, owner,
		                  "has an invalid record, or memory is exhausted");
	b->zone->nb_records += n;
	return 0;
}

static int check_name(const struct zone_builder *b, const struct name *n, char *why, size_t why_len)
{
	const struct rrset *cname = name_rrset(n, DNS_CNAME), *dname = name_rrset(n, DNS_DNAME);
	const struct rrset *soa = name_rrset(n, DNS_SOA);

	if (cname != NULL && (n->nb_rrsets > 1 || cname->nb > 1)) /* RFC 2181 section 10.1 */
		return build_fail(why, why_len, n, "has a CNAME and other records");
	if (dname != NULL && dname->nb > 1) /* RFC 6672 section 2.4 */
		return build_fail(why, why_len, n, "has more than one DNAME");
	if (dname != NULL && n != b->zone->apex && name_rrset(n, DNS_NS) != NULL) /* section 2.3 */
		return build_fail(why, why_len, n, "has a DNAME and is delegated by NS");
	if (soa != NULL && n != b->zone->apex)
		return build_fail(why, why_len, n, "has an SOA but is not the zone apex");
	if (soa != NULL && soa->nb > 1)
		return build_fail(why, why_len, n, "has more than one SOA");
	return 0;
}

/* Makes the RRsets of the owner of the first of n drafts. Returns how many drafts those are, or 0
 * with a line in why. */
static size_t make_rrsets(struct zone_builder *b, struct draft *d, size_t n, char *why,
                          size_t why_len)
{
	struct name *owner = d->owner;
	struct rrset *sets;
	size_t all = 0, types = 0;

	for (; all < n && d[all].owner == owner; all++)
		types += all == 0 || d[all].type != d[all - 1].type;
	sets = arena_take(&b->memory, types * sizeof(*sets));
	if (sets == NULL) {
		snprintf(why, why_len, "out of memory");
		return 0;
	}
	owner->rrsets = sets;
	for (size_t i = 0; i < all;) {
		size_t end = i;

		while (end < all && d[end].type == d[i].type)
			end++;
		if (make_rrset(b, d + i, end - i, &sets[owner->nb_rrsets], why, why_len) != 0)
			return 0;
		owner->nb_rrsets++;
		i = end;
	}
	return check_name(b, owner, why, why_len) == 0 ? all : 0;
}

/* ---- the tree -------------------------------------------------------------------------------- */

static struct name *writable(const struct name *n)
{
	return (struct name *)(uintptr_t)n;
}

static bool is_wild(const struct name *n)
{
	return n->lower[0] == 1 && n->lower[1] == '*';
}

/* Makes a name, and all between it and the apex, exist. */
static void make_exist(const struct zone *z, struct name *n)
{
	for (; !n->exists; n = writable(n->parent)) {
		n->exists = true;
		if (n == z->apex)
			return;
		if (is_wild(n))
			writable(n->parent)->wild = n;
	}
}

/* RFC 1034 section 4.3.2, RFC 6672 section 3.2: our authority ends at a delegation, or below a
 * DNAME. A wildcard does not delegate (RFC 4592 section 4.2). */
static void find_over(const struct zone *z, struct name *n)
{
	const struct name *up = n->parent;

	if (n == z->apex)
		return;
	if (up->over != NULL)
		n->over = up->over;
	else if (name_rrset(up, DNS_DNAME) != NULL)
		n->over = up;
	else if (name_rrset(n, DNS_NS) != NULL && !is_wild(n))
		n->over = n;
}

static int compare_depth(const void *x, const void *y)
{
	const struct name *a = *(const struct name *const *)x, *b = *(const struct name *const *)y;

	/* an ancestor is shorter */
	return a->len != b->len ? (a->len < b->len ? -1 : 1) : 0;
}

static int make_tree(struct zone_builder *b)
{
	const struct zone *z = b->zone;
	struct name **all = malloc((z->nb_names + 1) * sizeof(struct name *));
	size_t n = 0;

	if (all == NULL)
		return -1;
	for (size_t i = 0; i < b->nb_drafts; i++)
		if (b->drafts[i].owner != NULL)
			make_exist(z, b->drafts[i].owner);
	for (uint64_t i = 0; i <= z->mask; i++)
		if (z->slots[i].name != NULL && z->slots[i].name->exists)
			all[n++] = writable(z->slots[i].name);
	qsort(all, n, sizeof(struct name *), compare_depth);
	for (size_t i = 0; i < n; i++)
		find_over(z, all[i]);
	free(all);
	return 0;
}

static int finish_apex(struct zone *z, char *why, size_t why_len)
{
	const struct rrset *soa = name_rrset(z->apex, DNS_SOA);
	const uint8_t *tail;
	uint32_t minimum;

	if (soa == NULL)
		return build_fail(why, why_len, z->apex, "has no SOA");
	if (name_rrset(z->apex, DNS_NS) == NULL)
		return build_fail(why, why_len, z->apex, "has no NS");
	tail = soa->rr->rdata + soa->rr->len - 20;
	minimum = dns_get32(tail + 16);
	z->serial = dns_get32(tail);
	z->negative = *soa;
	if (minimum < soa->ttl)
		z->negative.ttl = minimum;
	return 0;
}

int build_rrsets(struct zone_builder *b, char *why, size_t why_len)
{
	if (b->nb_drafts == 0)
		return build_fail(why, why_len, b->zone->apex, "has no records");
	qsort(b->drafts, b->nb_drafts, sizeof(b->drafts[0]), compare);
	for (size_t i = 0, n; i < b->nb_drafts; i += n) {
		n = make_rrsets(b, b->drafts + i, b->nb_drafts - i, why, why_len);
		if (n == 0)
			return -1;
	}
	if (make_tree(b) != 0) {
		snprintf(why, why_len, "out of memory");
		return -1;
	}
	return finish_apex(b->zone, why, why_len);
}
