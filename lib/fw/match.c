/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a packet becomes a key of bytes in network order, which librte_acl walks four at a
 * time; as it requires, the first field has one byte and the others fill whole words. A set of
 * states is a bit mask: all bits that are not in the set must be 0 in a key, which has exactly one
 * bit set.
 *
 * Tables are not part of a key: each bit that some rule asks for could double the size of the trie.
 */
#include "fw/match.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_acl.h>
#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_malloc.h>

/* The words of a key after its addresses. The code of ICMP, which has no ports, is in the place of
 * the source port, as a field of its own would need another word. */
struct tail {
	uint16_t sport_be, dport_be;
	uint8_t state, icmp_type, netif, flags;
};

struct key4 {
	uint8_t proto, zero[3];
	uint32_t src_be, dst_be;
	struct tail tail;
};

struct key6 {
	uint8_t proto, zero[3];
	struct pc_addr src, dst;
	struct tail tail;
};

#define FIELDS_TAIL 6
#define FIELDS4     (1 + 2 + FIELDS_TAIL)
#define FIELDS6     (1 + 8 + FIELDS_TAIL)

RTE_ACL_RULE_DEF(rule4, FIELDS4);
RTE_ACL_RULE_DEF(rule6, FIELDS6);

/* ---- the fields ------------------------------------------------------------------------------ */

static void describe(struct rte_acl_config *c, uint8_t type, uint8_t size, uint8_t word,
                     size_t offset)
{
	const uint8_t i = (uint8_t)c->num_fields++;

	c->defs[i] = (struct rte_acl_field_def){.type = type,
	                                        .size = size,
	                                        .field_index = i,
	                                        .input_index = word,
	                                        .offset = (uint32_t)offset};
}

static void describe_tail(struct rte_acl_config *c, uint8_t word, size_t offset)
{
	describe(c, RTE_ACL_FIELD_TYPE_RANGE, 2, word, offset + offsetof(struct tail, sport_be));
	describe(c, RTE_ACL_FIELD_TYPE_RANGE, 2, word, offset + offsetof(struct tail, dport_be));
	describe(c, RTE_ACL_FIELD_TYPE_BITMASK, 1, (uint8_t)(word + 1),
	         offset + offsetof(struct tail, state));
	describe(c, RTE_ACL_FIELD_TYPE_RANGE, 1, (uint8_t)(word + 1),
	         offset + offsetof(struct tail, icmp_type));
	describe(c, RTE_ACL_FIELD_TYPE_RANGE, 1, (uint8_t)(word + 1),
	         offset + offsetof(struct tail, netif));
	describe(c, RTE_ACL_FIELD_TYPE_BITMASK, 1, (uint8_t)(word + 1),
	         offset + offsetof(struct tail, flags));
}

static void describe4(struct rte_acl_config *c)
{
	describe(c, RTE_ACL_FIELD_TYPE_RANGE, 1, 0, offsetof(struct key4, proto));
	describe(c, RTE_ACL_FIELD_TYPE_MASK, 4, 1, offsetof(struct key4, src_be));
	describe(c, RTE_ACL_FIELD_TYPE_MASK, 4, 2, offsetof(struct key4, dst_be));
	describe_tail(c, 3, offsetof(struct key4, tail));
}

static void describe6(struct rte_acl_config *c)
{
	describe(c, RTE_ACL_FIELD_TYPE_RANGE, 1, 0, offsetof(struct key6, proto));
	for (uint8_t w = 0; w < 8; w++)
		describe(c, RTE_ACL_FIELD_TYPE_MASK, 4, (uint8_t)(1 + w),
		         offsetof(struct key6, src) + 4 * w);
	describe_tail(c, 9, offsetof(struct key6, tail));
}

/* ---- entries to rules of librte_acl ---------------------------------------------------------- */

static struct rte_acl_field acl_field_of(struct fw_span s)
{
	return (struct rte_acl_field){.value.u8 = s.first, .mask_range.u8 = s.last};
}

static struct rte_acl_field bits_of(uint8_t value, uint8_t mask)
{
	return (struct rte_acl_field){.value.u8 = value, .mask_range.u8 = mask};
}

/* the n-th word of an address whose first len bits matter */
static struct rte_acl_field word_of(const struct pc_addr *a, unsigned n, unsigned len)
{
	const unsigned bits = len > 32 * n ? RTE_MIN(len - 32 * n, 32u) : 0;
	const uint32_t mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);

	return (struct rte_acl_field){.value.u32 = rte_be_to_cpu_32(a->w[n]) & mask,
	                              .mask_range.u32 = bits};
}

static struct rte_acl_field range_of(const struct fw_range *r)
{
	return (struct rte_acl_field){.value.u16 = r->first, .mask_range.u16 = r->last};
}

static void fill_tail(struct rte_acl_field *f, const struct fw_entry *e)
{
	f[0] = range_of(&e->sport);
	f[1] = range_of(&e->dport);
	f[2] = bits_of(0, (uint8_t)(FW_STATES & ~e->states));
	f[3] = acl_field_of(e->icmp_type);
	f[4] = acl_field_of(e->netif);
	f[5] = bits_of(e->flags, e->flags_mask);
}

static void fill4(struct rte_acl_field *f, const struct fw_entry *e)
{
	f[0] = acl_field_of(e->proto);
	/* the length is that of the IPv4-mapped form */
	f[1] = word_of(&e->src.addr, 3, e->src.len);
	f[2] = word_of(&e->dst.addr, 3, e->dst.len);
	fill_tail(f + 3, e);
}

static void fill6(struct rte_acl_field *f, const struct fw_entry *e)
{
	f[0] = acl_field_of(e->proto);
	for (unsigned w = 0; w < 4; w++) {
		f[1 + w] = word_of(&e->src.addr, w, e->src.len);
		f[5 + w] = word_of(&e->dst.addr, w, e->dst.len);
	}
	fill_tail(f + 9, e);
}

static int add(struct rte_acl_ctx *acl, const struct fw_entry *e, bool ip4)
{
	const struct rte_acl_rule_data data = {.category_mask = 1,
	                                       .priority = RTE_ACL_MAX_PRIORITY - (int32_t)e->rule,
	                                       .userdata = e->rule + 1};
	struct rule4 r4 = {.data = data};
	struct rule6 r6 = {.data = data};

	if (ip4) {
		fill4(r4.field, e);
		return rte_acl_add_rules(acl, (const struct rte_acl_rule *)&r4, 1);
	}
	fill6(r6.field, e);
	return rte_acl_add_rules(acl, (const struct rte_acl_rule *)&r6, 1);
}

/* ---- tries ----------------------------------------------------------------------------------- */

/** Which entries go into a trie. */
struct choice {
	unsigned cond, dir, v6;
};

static bool is_of(const struct fw_rules *r, const struct fw_entry *e, struct choice c)
{
	return e->cond == c.cond && r->rule[e->rule].dir == c.dir &&
	       (e->families & (c.v6 ? FW_IP6 : FW_IP4)) != 0;
}

static int build(struct rte_acl_ctx *acl, const struct fw_rules *r, struct choice choice)
{
	struct rte_acl_config c = {.num_categories = 1};
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < r->nb_entries; i++)
		if (is_of(r, &r->entry[i], choice))
			rc = add(acl, &r->entry[i], !choice.v6);
	if (rc != 0)
		return rc;
	if (choice.v6)
		describe6(&c);
	else
		describe4(&c);
	rc = rte_acl_build(acl, &c);
	return rc == -ERANGE ? -ENOSPC : rc;
}

static int make_trie(struct rte_acl_ctx **acl, const struct fw_rules *r, struct choice c,
                     int socket_id)
{
	struct rte_acl_param param = {
	    .socket_id = socket_id,
	    .rule_size = RTE_ACL_RULE_SZ(c.v6 ? FIELDS6 : FIELDS4),
	};
	char name[RTE_ACL_NAMESIZE];

	for (uint32_t i = 0; i < r->nb_entries; i++)
		param.max_rule_num += is_of(r, &r->entry[i], c);
	if (param.max_rule_num == 0)
		return 0;
	/* the name is unique while the trie exists: given a name in use, DPDK returns the existing
	 * trie */
	snprintf(name, sizeof(name), "pc_fw_%p", (void *)acl);
	param.name = name;
	*acl = rte_acl_create(&param);
	return *acl != NULL ? build(*acl, r, c) : -ENOMEM;
}

static int make_tries(struct fw_tries *t, const struct fw_rules *r, unsigned cond, int socket_id)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < 4; i++)
		rc = make_trie(&t->acl[i / 2][i % 2], r, (struct choice){cond, i / 2, i % 2},
		               socket_id);
	return rc;
}

static void free_tries(struct fw_tries *t)
{
	for (unsigned i = 0; i < 4; i++)
		rte_acl_free(t->acl[i / 2][i % 2]);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static void describe_group(struct fw_match *m, const struct fw_rules *r, unsigned cond)
{
	struct fw_group *g = &m->group[cond - 1];

	g->cond = r->cond[cond];
	g->first[FW_IN] = g->first[FW_OUT] = UINT32_MAX;
	for (uint32_t i = r->nb_entries; i-- > 0;)
		if (r->entry[i].cond == cond)
			g->first[r->rule[r->entry[i].rule].dir] = r->entry[i].rule;
	for (unsigned dir = 0; dir < 2; dir++)
		for (unsigned i = 0; g->first[dir] != UINT32_MAX && i < FW_ASKS; i++)
			m->asked[dir][i] |= g->cond.ask[i].mask;
}

static int make_groups(struct fw_match *m, const struct fw_rules *r, int socket_id)
{
	int rc = 0;

	if (r->nb_conds == 1)
		return 0;
	m->group = rte_zmalloc_socket("pc_fw", (r->nb_conds - 1) * sizeof(*m->group),
	                              RTE_CACHE_LINE_SIZE, socket_id);
	if (m->group == NULL)
		return -ENOMEM;
	m->nb_groups = r->nb_conds - 1;
	for (unsigned i = 1; rc == 0 && i < r->nb_conds; i++) {
		describe_group(m, r, i);
		rc = make_tries(&m->group[i - 1].tries, r, i, socket_id);
	}
	return rc;
}

int fw_match_init(struct fw_match *m, const struct fw_rules *r, int socket_id)
{
	int rc;

	*m = (struct fw_match){0};
	rc = make_tries(&m->tries, r, 0, socket_id);
	if (rc == 0)
		rc = make_groups(m, r, socket_id);
	if (rc != 0)
		fw_match_fini(m);
	return rc;
}

void fw_match_fini(struct fw_match *m)
{
	free_tries(&m->tries);
	for (unsigned i = 0; i < m->nb_groups; i++)
		free_tries(&m->group[i].tries);
	rte_free(m->group);
	*m = (struct fw_match){0};
}

/* ---- search ---------------------------------------------------------------------------------- */

static struct tail tail_of(const struct fw_packet *p)
{
	return (struct tail){.sport_be = rte_cpu_to_be_16(p->sport | p->icmp_code),
	                     .dport_be = rte_cpu_to_be_16(p->dport),
	                     .state = p->state,
	                     .icmp_type = p->icmp_type,
	                     .netif = p->netif,
	                     .flags = p->flags};
}

static uint32_t classify(const struct rte_acl_ctx *acl, const void *key)
{
	const uint8_t *data = key;
	uint32_t found = 0;

	/* it cannot fail: the arguments are valid */
	(void)rte_acl_classify(acl, &data, &found, 1, 1);
	return found;
}

static __rte_always_inline uint32_t find_rule(const struct fw_tries *t, enum fw_dir dir,
                                              const struct fw_packet *p)
{
	const bool ip4 = pc_addr_is_ip4(p->dst);
	const struct rte_acl_ctx *acl = t->acl[dir][!ip4];

	if (acl == NULL)
		return 0;
	if (ip4) {
		const struct key4 key = {.proto = p->proto,
		                         .src_be = p->src->w[3],
		                         .dst_be = p->dst->w[3],
		                         .tail = tail_of(p)};

		return classify(acl, &key);
	}
	return classify(
	    acl,
	    &(struct key6){.proto = p->proto, .src = *p->src, .dst = *p->dst, .tail = tail_of(p)});
}

/* The tables that an address is in, if any of these is asked for. */
static uint64_t tables_of(const struct fw_where *where, uint64_t asked, const struct pc_addr *a,
                          uint64_t now_ns)
{
	uint64_t in;

	if (asked == 0)
		return 0;
	in = fw_members_of(where->members, a);
	if (where->learnt != NULL && (asked & where->learnt->tables) != 0)
		in |= fw_learnt_of(where->learnt, a, now_ns);
	return in;
}

static uint64_t tables_of_port(const struct fw_where *where, uint64_t asked, uint16_t port)
{
	return asked != 0 ? fw_members_of_port(where->members, port) : 0;
}

static bool is_met(const struct fw_cond *c, const uint64_t in[FW_ASKS])
{
	uint64_t wrong = 0;

	for (unsigned i = 0; i < FW_ASKS; i++)
		wrong |= (in[i] & c->ask[i].mask) ^ c->ask[i].value;
	return wrong == 0;
}

/* The first rule in the groups whose conditions a packet meets, if it comes before the one
 * found. */
static __rte_noinline uint32_t find_more(const struct fw_match *m, const struct fw_where *where,
                                         uint64_t now_ns, enum fw_dir dir,
                                         const struct fw_packet *p, uint32_t found)
{
	const uint64_t *asked = m->asked[dir];
	const uint64_t in[FW_ASKS] = {
	    [FW_SRC] = tables_of(where, asked[FW_SRC], p->src, now_ns),
	    [FW_DST] = tables_of(where, asked[FW_DST], p->dst, now_ns),
	    [FW_SPORT] = tables_of_port(where, asked[FW_SPORT], p->sport),
	    [FW_DPORT] = tables_of_port(where, asked[FW_DPORT], p->dport),
	};

	for (unsigned i = 0; i < m->nb_groups; i++) {
		const struct fw_group *g = &m->group[i];
		uint32_t other;

		/* found is an index plus 1; if it is 0, found - 1 wraps and is greater than any
		 * index */
		if (!is_met(&g->cond, in) || g->first[dir] >= found - 1)
			continue;
		other = find_rule(&g->tries, dir, p);
		if (other != 0 && other - 1 < found - 1)
			found = other;
	}
	return found;
}

uint32_t fw_match_find(const struct fw_match *m, const struct fw_where *where, uint64_t now_ns,
                       enum fw_dir dir, const struct fw_packet *p)
{
	const uint32_t found = find_rule(&m->tries, dir, p);

	return unlikely(m->group != NULL) ? find_more(m, where, now_ns, dir, p, found) : found;
}
