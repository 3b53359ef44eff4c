/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists of a rule, multiplied out. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "fw/draft.h"

int fw_add_rule(struct reader *d, const struct fw_rule *rule)
{
	struct fw_rules *r = d->r;

	if (r->n + 2 >= d->room) {
		const uint32_t room = d->room * 2 + 64;
		struct fw_rule *more = realloc(r->rule, room * sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		r->rule = more;
		d->room = room;
	}
	r->rule[r->n++] = *rule;
	r->counts[rule->dir] = true;
	return 0;
}

static int add_entry(struct reader *d, const struct fw_entry *e)
{
	struct fw_rules *r = d->r;

	if (r->nb_entries == r->max) {
		(void)fw_fail(d, "more than %u rules (firewall.max_rules), lists multiplied out",
		              r->max);
		return -ENOSPC;
	}
	if ((r->nb_entries & (r->nb_entries - 1)) == 0) {
		const uint32_t room = r->nb_entries == 0 ? 1 : 2 * r->nb_entries;
		struct fw_entry *more = realloc(r->entry, room * sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		r->entry = more;
	}
	r->entry[r->nb_entries++] = *e;
	return 0;
}

static unsigned family_of(const struct pc_prefix *p)
{
	return pc_addr_is_ip4(&p->addr) ? FW_IP4 : FW_IP6;
}

/* the families of an entry with these two ends and this protocol; 0: there is no such packet */
static unsigned families_of(const struct draft *f, const struct pc_prefix *src,
                            const struct pc_prefix *dst, int proto)
{
	unsigned families = f->families;

	if (src != NULL)
		families &= family_of(src);
	if (dst != NULL)
		families &= family_of(dst);
	if (proto == IPPROTO_ICMP || proto == IPPROTO_IGMP)
		families &= FW_IP4;
	if (proto == IPPROTO_ICMPV6)
		families &= FW_IP6;
	return families;
}

/* the entries of two ends and a protocol: their ports and types */
static int expand_ports(struct reader *d, const struct draft *f, struct fw_entry e)
{
	const unsigned nb_sport = f->nb_sport > 0 ? f->nb_sport : 1;
	const unsigned nb_dport = f->nb_dport > 0 ? f->nb_dport : 1;
	const unsigned nb_types = f->nb_types > 0 ? f->nb_types : 1;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < nb_sport * nb_dport * nb_types; i++) {
		const unsigned s = i % nb_sport, t = i / nb_sport % nb_dport;

		e.sport = f->nb_sport > 0 ? f->sport[s] : (struct fw_range){0, UINT16_MAX};
		e.dport = f->nb_dport > 0 ? f->dport[t] : (struct fw_range){0, UINT16_MAX};
		e.icmp_type = f->nb_types > 0 ? (int16_t)f->icmp_type[i / nb_sport / nb_dport] : -1;
		rc = add_entry(d, &e);
	}
	return rc;
}

int fw_expand(struct reader *d, const struct draft *f)
{
	const unsigned nb_src = f->nb_src > 0 ? f->nb_src : 1;
	const unsigned nb_dst = f->nb_dst > 0 ? f->nb_dst : 1;
	const unsigned nb_protos = f->nb_protos > 0 ? f->nb_protos : 1;
	const uint32_t before = d->r->nb_entries;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < nb_src * nb_dst * nb_protos; i++) {
		const struct pc_prefix *src = f->nb_src > 0 ? &f->src[i % nb_src] : NULL;
		const struct pc_prefix *dst = f->nb_dst > 0 ? &f->dst[i / nb_src % nb_dst] : NULL;
		const int proto = f->nb_protos > 0 ? f->proto[i / nb_src / nb_dst] : -1;
		struct fw_entry e = {.rule = d->r->n,
		                     .families = (uint8_t)families_of(f, src, dst, proto),
		                     .states = (uint8_t)f->states,
		                     .proto = (int16_t)proto,
		                     .netif = (int16_t)f->netif};

		if (src != NULL)
			e.src = *src;
		if (dst != NULL)
			e.dst = *dst;
		if (e.families != 0)
			rc = expand_ports(d, f, e);
	}
	if (rc == 0 && d->r->nb_entries == before)
		rc = fw_fail(d,
		             "no packet fits: the addresses and the protocol are of two families");
	return rc;
}
