/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of a zone: an open hash table, at most half full.
 */
#include "zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone_build.h"

#define SLOTS_MIN 64

/* ---- the table ------------------------------------------------------------------------------- */

static bool is_named(const struct name *n, const struct dname *d, unsigned i)
{
	return n->len == d->len - d->at[i] && memcmp(n->lower, d->lower + d->at[i], n->len) == 0;
}

static struct zone_slot *find_slot(const struct zone *z, const struct dname *n, unsigned i)
{
	uint64_t at = n->hash[i] & z->mask;

	while (z->slots[at].name != NULL &&
	       (z->slots[at].hash != n->hash[i] || !is_named(z->slots[at].name, n, i)))
		at = (at + 1) & z->mask;
	return &z->slots[at];
}

const struct name *zone_find(const struct zone *z, const struct dname *n, unsigned i)
{
	return find_slot(z, n, i)->name;
}

static int grow(struct zone *z)
{
	const uint64_t n = (z->mask + 1) * 2;
	struct zone_slot *slots = calloc(n, sizeof(*slots));

	if (slots == NULL)
		return -1;
	for (uint64_t i = 0; i <= z->mask; i++) {
		uint64_t at = z->slots[i].hash & (n - 1);

		if (z->slots[i].name == NULL)
			continue;
		while (slots[at].name != NULL)
			at = (at + 1) & (n - 1);
		slots[at] = z->slots[i];
	}
	free(z->slots);
	z->slots = slots;
	z->mask = n - 1;
	return 0;
}

static struct name *make_name(struct zone_builder *b, const struct dname *n, unsigned label,
                              const uint8_t *spelled)
{
	const uint8_t *lower = n->lower + n->at[label];
	const uint8_t len = (uint8_t)(n->len - n->at[label]);
	struct name *name = arena_take(&b->memory, sizeof(*name));
	uint8_t *copy = arena_copy(&b->memory, lower, len);

	if (name == NULL || copy == NULL)
		return NULL;
	*name = (struct name){.lower = copy, .spelled = copy, .len = len, .hash = n->hash[label]};
	if (memcmp(lower, spelled, len) != 0) {
		name->spelled = arena_copy(&b->memory, spelled, len);
		if (name->spelled == NULL)
			return NULL;
	}
	return name;
}

struct name *build_intern(struct zone_builder *b, const struct dname *n, const uint8_t *spelled)
{
	struct zone *z = b->zone;
	const struct name *parent = NULL;
	struct name *name = NULL;

	/* from the root down, so that each name finds its parent */
	for (unsigned i = n->labels + 1u; i-- > 0; parent = name) {
		struct zone_slot *slot;

		if (z->nb_names * 2 > z->mask && grow(z) != 0)
			return NULL;
		slot = find_slot(z, n, i);
		name = (struct name *)(uintptr_t)slot->name;
		if (name != NULL)
			continue;
		name = make_name(b, n, i, spelled + n->at[i]);
		if (name == NULL)
			return NULL;
		name->parent = parent;
		*slot = (struct zone_slot){name, name->hash};
		z->nb_names++;
	}
	return name;
}

/* ---- records --------------------------------------------------------------------------------- */

int build_fail(char *why, size_t why_len, const struct name *n, const char *what)
{
	char text[DNAME_TEXT];

	snprintf(why, why_len, "%s %s", dname_format(n->spelled, text, sizeof(text)), what);
	return -1;
}

static int no_memory(char *why, size_t why_len)
{
	snprintf(why, why_len, "out of memory");
	return -1;
}

struct zone_builder *zone_begin(const uint8_t *apex)
{
	struct zone_builder *b = calloc(1, sizeof(*b));
	struct dname n;

	if (b == NULL)
		return NULL;
	b->zone = calloc(1, sizeof(*b->zone));
	if (b->zone != NULL) {
		b->zone->slots = calloc(SLOTS_MIN, sizeof(*b->zone->slots));
		b->zone->mask = SLOTS_MIN - 1;
		b->zone->refs = 1;
	}
	if (b->zone != NULL && b->zone->slots != NULL && dname_read(&n, apex, DNS_NAME_MAX) > 0)
		b->zone->apex = build_intern(b, &n, apex);
	if (b->zone == NULL || b->zone->apex == NULL) {
		zone_cancel(b);
		return NULL;
	}
	return b;
}

static int grow_drafts(struct zone_builder *b)
{
	const size_t n = b->max_drafts > 0 ? 2 * b->max_drafts : 64;
	struct draft *more = realloc(b->drafts, n * sizeof(*more));

	if (more == NULL)
		return -1;
	b->drafts = more;
	b->max_drafts = n;
	return 0;
}

/* RFC 3597 section 5 lets data be written as bytes, which the library does not check.
 * zone_compile.c checks names in it. */
static bool is_whole(const struct record *r)
{
	size_t at = 0;

	switch (r->type) {
	case DNS_A:
		return r->len == 4;
	case DNS_AAAA:
		return r->len == 16;
	case DNS_TXT: /* strings of at most 255 bytes, each after its length */
		while (at < r->len)
			at += 1u + r->rdata[at];
		return at == r->len;
	default:
		return true;
	}
}

/* Finds what we could only serve in a misleading way. Returns NULL if there is nothing. */
static const char *find_unserved(const struct record *r)
{
	switch (r->type) {
	case DNS_RRSIG:
	case DNS_NSEC:
	case DNS_NSEC3:
	case DNS_NSEC3PARAM:
		return "has records of a signed zone, which percore-dns does not serve (DNSSEC)";
	case DNS_OPT:
	case 0:
		return "has a record of a type that is not allowed in zones";
	default:
		break;
	}
	if (!is_whole(r))
		return "has a record with data of the wrong length";
	if (r->type >= 128 && r->type <= 255)
		return "has a record of a type that is valid in queries only";
	return r->class == DNS_IN ? NULL : "has a record of a class other than IN";
}

int zone_add(struct zone_builder *b, const struct record *r, char *why, size_t why_len)
{
	const struct layout l = layout_of(r->type);
	const char *unserved = find_unserved(r);
	struct dname n;
	struct draft *d;

	if (dname_read(&n, r->owner, DNS_NAME_MAX) < 0) {
		snprintf(why, why_len, "an owner is not a domain name");
		return -1;
	}
	if (b->nb_drafts == b->max_drafts && grow_drafts(b) != 0)
		return no_memory(why, why_len);
	d = &b->drafts[b->nb_drafts];
	*d = (struct draft){.ttl = r->ttl, .type = r->type, .len = r->len};
	d->order = (uint32_t)b->nb_drafts;
	d->owner = build_intern(b, &n, r->owner);
	d->rdata = arena_copy(l.nb_names > 0 ? &b->memory : &b->scratch, r->rdata, r->len);
	if (d->owner == NULL || d->rdata == NULL)
		return no_memory(why, why_len);
	if (unserved != NULL)
		return build_fail(why, why_len, d->owner, unserved);
	if (!name_is_below(d->owner, b->zone->apex))
		return build_fail(why, why_len, d->owner, "is outside the zone");
	b->nb_drafts++;
	return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int keep_memory(struct zone_builder *b)
{
	struct zone *z = b->zone;

	z->memory = malloc(sizeof(*z->memory));
	if (z->memory == NULL)
		return -1;
	*z->memory = b->memory;
	z->bytes = b->memory.total + (z->mask + 1) * sizeof(*z->slots);
	b->memory = (struct arena){0};
	b->zone = NULL;
	return 0;
}

struct zone *zone_end(struct zone_builder *b, char *why, size_t why_len)
{
	struct zone *z = b->zone;

	if (build_rrsets(b, why, why_len) != 0) {
		z = NULL;
	} else if (keep_memory(b) != 0) {
		(void)no_memory(why, why_len);
		z = NULL;
	}
	zone_cancel(b);
	return z;
}

void zone_cancel(struct zone_builder *b)
{
	arena_free(&b->memory);
	arena_free(&b->scratch);
	free(b->drafts);
	if (b->zone != NULL)
		free(b->zone->slots);
	free(b->zone);
	free(b);
}

struct zone *zone_hold(struct zone *z)
{
	z->refs++;
	return z;
}

void zone_release(struct zone *z)
{
	if (--z->refs > 0)
		return;
	arena_free(z->memory);
	free(z->memory);
	free(z->slots);
	free(z);
}
