/* SPDX-License-Identifier: BSD-2-Clause */
#include "fw/fw.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#define SECOND_NS UINT64_C(1000000000)
#define LOG_SLOTS 512 /* log entries that wait to be taken, plus one */

/* Each stack has this long to look at all of its connections for those of a source to be ended. */
#define FLUSH_NS (30 * SECOND_NS)
/* sources per stack whose connections can be ended at a time; beyond that, the oldest are
 * forgotten */
#define FLUSHED 1024

/* ---- sets ------------------------------------------------------------------------------------ */

static int init_counts(struct fw_slot *s, const struct fw_rules *r, int socket_id)
{
	s->count =
	    rte_zmalloc_socket("pc_fw", r->n * sizeof(*s->count), RTE_CACHE_LINE_SIZE, socket_id);
	if (s->count == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->n; i++) {
		const struct fw_rule *rule = &r->rule[i];
		struct fw_count *c = &s->count[i];

		c->line = rule->line;
		c->limit = i;
		c->action = rule->action;
		c->more = (rule->log ? FW_LOGS : 0) | (rule->fills == FW_ADDS ? FW_FILLS : 0) |
		          (fw_rule_is_limited(rule) ? FW_IS_LIMITED : 0) |
		          (rule->handshakes ? FW_COUNTS_HANDSHAKES : 0);
		if (rule->limit.packets != 0) {
			c->gap_ns = fw_limit_gap_ns(&rule->limit);
			c->burst_ns = c->gap_ns * (rule->limit.burst - 1);
		}
		if (rule->source_limit.packets != 0) {
			c->source_gap_ns = fw_limit_gap_ns(&rule->source_limit);
			c->source_burst = rule->source_limit.burst;
		}
	}
	return 0;
}

static int init_log(struct fw_slot *s, const struct fw_rules *r, int socket_id)
{
	bool any = false;

	for (uint32_t i = 0; i < r->n; i++)
		any |= r->rule[i].log;
	if (!any)
		return 0;
	s->log = rte_zmalloc_socket(
	    "pc_fw", (size_t)rte_ring_get_memsize_elem(sizeof(struct pc_firewall_log), LOG_SLOTS),
	    RTE_CACHE_LINE_SIZE, socket_id);
	if (s->log == NULL)
		return -ENOMEM;
	return rte_ring_init(s->log, "pc_fw", LOG_SLOTS, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static int init_slot(struct fw_slot *s, const struct pc_firewall *fw,
                     const struct pc_firewall_args *args, unsigned i)
{
	const struct hash_key key = {{args->seed[0] + i, args->seed[1]}};
	int rc = init_counts(s, &fw->rules, args->socket_id);

	if (rc == 0)
		rc = init_log(s, &fw->rules, args->socket_id);
	if (rc == 0 && fw->rules.uses_states)
		rc = fw_states_init(&s->states, args->states, key, args->socket_id);
	if (rc == 0 && fw->rules.uses_sources)
		rc = fw_rates_init(&s->rates, args->sources, key, args->socket_id);
	return rc;
}

/* Makes room for the sources that rules add to tables, and those whose connections they end. */
static int init_learnt(struct pc_firewall *fw, const struct pc_firewall_args *args)
{
	const struct hash_key key = {{args->seed[1], args->seed[0]}};
	int rc = 0;

	if (fw->rules.fills != 0)
		rc = fw_learnt_init(&fw->learnt, args->slots, args->learnt, key, args->socket_id);
	fw->learnt.tables = fw->rules.fills;
	if (rc == 0 && fw->rules.uses_flushes)
		rc = fw_learnt_init(&fw->flushed, args->slots, FLUSHED, key, args->socket_id);
	return rc;
}

static int make_firewall(struct pc_firewall *fw, const struct pc_firewall_args *args)
{
	int rc = fw_match_init(&fw->match, &fw->rules, args->socket_id);

	fw->socket_id = args->socket_id;
	fw->read_file = args->read_file;
	fw->read_arg = args->read_arg;
	if (rc == 0 && fw->rules.tables.n > 0) {
		fw->members = fw_members_create(&fw->rules.tables, args->socket_id);
		rc = fw->members != NULL ? 0 : -ENOMEM;
	}
	if (rc == 0)
		rc = init_learnt(fw, args);
	if (rc != 0)
		return rc;
	fw->slot = rte_zmalloc_socket("pc_fw", args->slots * sizeof(*fw->slot), RTE_CACHE_LINE_SIZE,
	                              args->socket_id);
	if (fw->slot == NULL)
		return -ENOMEM;
	fw->nb_slots = args->slots;
	fw->nb_limits = fw->rules.n;
	for (unsigned i = 0; rc == 0 && i < args->slots; i++)
		rc = init_slot(&fw->slot[i], fw, args, i);
	return rc;
}

struct pc_firewall *pc_firewall_create(const struct pc_firewall_args *args, char *why, size_t len)
{
	struct pc_firewall *fw = calloc(1, sizeof(*fw));
	int rc = -ENOMEM;

	if (fw == NULL)
		snprintf(why, len, "%s: not enough memory for the rules", args->name);
	else
		rc = fw_rules_read(&fw->rules, args, why, len);
	if (rc != 0) {
		free(fw);
		errno = -rc;
		return NULL;
	}
	rc = make_firewall(fw, args);
	if (rc == 0)
		return fw;
	snprintf(why, len, "%s: not enough memory for %u rules", args->name, fw->rules.nb_entries);
	pc_firewall_free(fw);
	errno = -rc;
	return NULL;
}

void pc_firewall_free(struct pc_firewall *fw)
{
	if (fw == NULL)
		return;
	for (unsigned i = 0; i < fw->nb_slots; i++) {
		rte_free(fw->slot[i].count);
		rte_free(fw->slot[i].log);
		fw_states_fini(&fw->slot[i].states);
		fw_rates_fini(&fw->slot[i].rates);
	}
	rte_free(fw->slot);
	fw_match_fini(&fw->match);
	fw_members_free(fw->members);
	fw_members_free(fw->replaced);
	fw_learnt_fini(&fw->learnt);
	fw_learnt_fini(&fw->flushed);
	fw_rules_free(&fw->rules);
	free(fw->kept);
	free(fw);
}

/* Takes over how much of their limits is used, for rules that are also in the new set. */
static void take_limits(const struct fw *fw, const struct pc_firewall *set, struct fw_slot *next)
{
	const struct fw_rates rates = next->rates;

	if (set->kept_of != fw->set || fw->slot == next)
		return;
	for (uint32_t i = 0; i < set->nb_kept; i++)
		if (set->kept[i].before < fw->set->rules.n)
			next->count[set->kept[i].rule].next_ns =
			    fw->slot->count[set->kept[i].before].next_ns;
	if (rates.place != NULL && fw->slot->rates.place != NULL) {
		next->rates = fw->slot->rates;
		fw->slot->rates = rates;
	}
}

int fw_use(struct fw *fw, struct pc_firewall *set, unsigned slot)
{
	struct fw_slot *next;

	if (set == NULL) {
		*fw = (struct fw){0};
		return 0;
	}
	if (slot >= set->nb_slots)
		return -EINVAL;
	next = &set->slot[slot];
	if (fw->set != NULL && fw->slot != next && fw->slot->states.place != NULL &&
	    next->states.place != NULL) {
		const struct fw_states states = next->states;

		/* what was asked for under the old rules may be answered under the new ones */
		next->states = fw->slot->states;
		fw->slot->states = states;
	}
	if (fw->set != NULL)
		take_limits(fw, set, next);
	*fw = (struct fw){.set = set,
	                  .where = {.members = set->members,
	                            .learnt = set->learnt.place != NULL ? &set->learnt : NULL},
	                  .slot = next};
	return 0;
}

/* ---- judgement ------------------------------------------------------------------------------- */

/* Says whether a rate has room for a packet: *next_ns, which each packet moves ahead, may be ahead
 * of the clock by at most burst_ns. */
static bool has_room(uint64_t *next_ns, uint64_t now_ns, uint64_t burst_ns)
{
	if (*next_ns < now_ns)
		*next_ns = now_ns;
	return *next_ns - now_ns <= burst_ns;
}

/* Takes a packet's share of a rate, gap_ns. Returns whether there was room. */
static bool take_token(uint64_t *next_ns, uint64_t now_ns, uint64_t gap_ns, uint64_t burst_ns)
{
	if (!has_room(next_ns, now_ns, burst_ns))
		return false;
	*next_ns += gap_ns;
	return true;
}

static void note(struct fw_slot *slot, struct ctx *ctx, enum fw_dir dir, const struct fw_packet *p,
                 uint32_t line, enum fw_action action)
{
	const uint64_t rate = ctx->cfg.firewall_log_rate;
	const struct pc_firewall_log l = {
	    .at_ns = ctx->now_ns,
	    .src = {.addr = *p->src, .port = p->sport},
	    .dst = {.addr = *p->dst, .port = p->dport},
	    .len = p->len,
	    .line = line,
	    .proto = p->proto,
	    .icmp_type = p->icmp_type,
	    .icmp_code = p->icmp_code,
	    .flags = p->flags,
	    .port = p->netif,
	    .action = (uint8_t)action,
	    .out = dir == FW_OUT,
	};

	/* a burst of one second's worth is allowed */
	if (rate == 0 || slot->log == NULL ||
	    !take_token(&slot->log_ns, ctx->now_ns, SECOND_NS / rate,
	                SECOND_NS - SECOND_NS / rate) ||
	    rte_ring_sp_enqueue_elem(slot->log, (void *)(uintptr_t)&l, sizeof(l)) != 0)
		ctx_count(ctx, PC_FIREWALL_UNLOGGED);
	else
		ctx_count(ctx, PC_FIREWALL_LOGGED);
}

/* The counters of the rule that decides about a packet; NULL: everything passes in this
 * direction. */
static struct fw_count *find_count(const struct fw *fw, const struct ctx *ctx, enum fw_dir dir,
                                   const struct fw_packet *p)
{
	const struct fw_rules *r = &fw->set->rules;
	uint32_t found;

	if (!r->counts[dir])
		return NULL;
	found = fw_match_find(&fw->set->match, &fw->where, ctx->now_ns, dir, p);
	return &fw->slot->count[found != 0 ? found - 1 : r->n - 2 + (uint32_t)dir];
}

enum fw_action fw_peek(const struct fw *fw, const struct ctx *ctx, enum fw_dir dir,
                       const struct fw_packet *p)
{
	const struct fw_count *c = find_count(fw, ctx, dir, p);

	return c != NULL ? c->action : FW_PASS;
}

/* Adds the source of a packet to the table of its rule. */
static void fill(struct fw *fw, struct ctx *ctx, const struct fw_rule *r, const struct fw_packet *p)
{
	const unsigned slot = (unsigned)(fw->slot - fw->set->slot);
	const unsigned did = fw_learnt_put(&fw->set->learnt, slot, r->table, p->src,
	                                   ctx->now_ns + r->timeout_s * SECOND_NS, ctx->now_ns);

	if (did & FW_LEARNT_NEW)
		ctx_count(ctx, PC_FIREWALL_LEARNT);
	if (did & FW_LEARNT_FORGOTTEN)
		ctx_count(ctx, PC_FIREWALL_LEARNT_FORGOTTEN);
}

/* Tells all stacks to end the connections of a packet's source, unless they have been told
 * already. */
static void flush(struct fw *fw, const struct ctx *ctx, const struct fw_packet *p)
{
	const unsigned did = fw_learnt_put(&fw->set->flushed, (unsigned)(fw->slot - fw->set->slot),
	                                   0, p->src, ctx->now_ns + FLUSH_NS, ctx->now_ns);

	if (did & FW_LEARNT_NEW)
		(void)__atomic_add_fetch(&fw->set->flushes, 1, __ATOMIC_RELEASE);
}

bool fw_is_flushed(const struct fw *fw, const struct ctx *ctx, const struct pc_addr *a)
{
	return fw_is_on(fw) && fw->set->flushed.place != NULL &&
	       fw_learnt_of(&fw->set->flushed, a, ctx->now_ns) != 0;
}

/* How much the source of a packet has used of a rule's limit. */
static uint64_t *rate_of(struct fw *fw, struct ctx *ctx, const struct fw_count *c,
                         const struct fw_packet *p)
{
	bool is_forgotten;
	uint64_t *next_ns =
	    fw_rates_get(&fw->slot->rates, c->limit, c->source_gap_ns * c->source_burst, p->src,
	                 ctx->now_ns, &is_forgotten);

	if (is_forgotten)
		ctx_count(ctx, PC_FIREWALL_SOURCES_FORGOTTEN);
	return next_ns;
}

static uint64_t source_burst_ns(const struct fw_count *c)
{
	return c->source_gap_ns * (c->source_burst - 1);
}

/* Does what the rule says with a source that exceeds its limit. */
static void overload(struct fw *fw, struct ctx *ctx, const struct fw_count *c,
                     const struct fw_packet *p)
{
	const struct fw_rule *r = &fw->set->rules.rule[c - fw->slot->count];

	ctx_count(ctx, PC_FIREWALL_SOURCE_LIMITED);
	if (r->fills == FW_OVERLOADS)
		fill(fw, ctx, r, p);
	if (r->flushes)
		flush(fw, ctx, p);
}

/* Whether a packet is within the limits of its rule. That of its source comes first, so that the
 * excess of one source does not use up the limit shared by all. */
static bool is_within(struct fw *fw, struct ctx *ctx, struct fw_count *c, const struct fw_packet *p)
{
	if (c->source_gap_ns != 0 && (c->more & FW_COUNTS_HANDSHAKES) == 0 &&
	    !take_token(rate_of(fw, ctx, c, p), ctx->now_ns, c->source_gap_ns,
	                source_burst_ns(c))) {
		overload(fw, ctx, c, p);
		return false;
	}
	if (c->gap_ns != 0 && !take_token(&c->next_ns, ctx->now_ns, c->gap_ns, c->burst_ns)) {
		ctx_count(ctx, PC_FIREWALL_LIMITED);
		return false;
	}
	return true;
}

/* Applies the rest of a rule: limits, tables, logging. Returns what becomes of the packet. */
static __rte_noinline enum fw_action do_more(struct fw *fw, struct ctx *ctx, struct fw_count *c,
                                             enum fw_dir dir, const struct fw_packet *p)
{
	enum fw_action action = c->action;

	if ((c->more & FW_IS_LIMITED) != 0 && !p->unlimited && !is_within(fw, ctx, c, p))
		action = FW_DROP;
	if ((c->more & FW_FILLS) != 0)
		fill(fw, ctx, &fw->set->rules.rule[c - fw->slot->count], p);
	if ((c->more & FW_LOGS) != 0)
		note(fw->slot, ctx, dir, p, c->line, action);
	return action;
}

enum fw_action fw_judge(struct fw *fw, struct ctx *ctx, enum fw_dir dir, const struct fw_packet *p)
{
	struct fw_count *c = find_count(fw, ctx, dir, p);

	if (c == NULL)
		return FW_PASS;
	/* other threads read them at any time */
	__atomic_store_n(&c->packets, c->packets + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&c->bytes, c->bytes + p->len, __ATOMIC_RELAXED);
	return unlikely(c->more != 0) ? do_more(fw, ctx, c, dir, p) : c->action;
}

bool fw_admits_handshake(struct fw *fw, struct ctx *ctx, const struct fw_packet *syn,
                         struct fw_share *share)
{
	const struct fw_count *c = find_count(fw, ctx, FW_IN, syn);

	*share = (struct fw_share){0};
	if (c == NULL)
		return true;
	if (c->action != FW_PASS)
		return false;
	if ((c->more & FW_COUNTS_HANDSHAKES) == 0)
		return true;
	*share = (struct fw_share){rate_of(fw, ctx, c, syn), c->source_gap_ns};
	if (has_room(share->next_ns, ctx->now_ns, source_burst_ns(c)))
		return true;
	overload(fw, ctx, c, syn);
	if ((c->more & FW_LOGS) != 0)
		note(fw->slot, ctx, FW_IN, syn, c->line, FW_DROP);
	return false;
}

/* whether a packet of a pair has passed in this direction */
static bool has_passed(const struct fw_states *t, const struct fw_state *name, uint64_t now_ns,
                       enum fw_dir dir)
{
	const struct fw_state *e = fw_states_find(t, name, now_ns);

	return e != NULL && (e->seen & 1 << dir) != 0;
}

/* whether a packet may be the answer to one that was sent to a group */
static bool answers_group(const struct fw_states *t, const struct fw_state *name, uint64_t now_ns)
{
	struct fw_state group = *name;

	group.remote = (struct pc_addr){0};
	group.laddr = FW_ANY_LADDR;
	return has_passed(t, &group, now_ns, FW_OUT);
}

bool fw_has_asked(const struct fw *fw, const struct ctx *ctx, const struct fw_state *name)
{
	const struct fw_states *t = &fw->slot->states;

	return t->place != NULL &&
	       (has_passed(t, name, ctx->now_ns, FW_OUT) || answers_group(t, name, ctx->now_ns));
}

bool fw_was_asked(const struct fw *fw, const struct ctx *ctx, const struct fw_state *name)
{
	const struct fw_states *t = &fw->slot->states;

	return t->place != NULL && has_passed(t, name, ctx->now_ns, FW_IN);
}

enum fw_action fw_judge_pair(struct fw *fw, struct ctx *ctx, enum fw_dir dir, struct fw_packet *p,
                             const struct fw_state *name, bool known)
{
	struct fw_states *t = &fw->slot->states;
	enum fw_action action;

	if (t->place == NULL)
		return fw_judge(fw, ctx, dir, p);
	if (known || (dir == FW_IN ? fw_has_asked(fw, ctx, name) : fw_was_asked(fw, ctx, name)))
		p->state = FW_ESTABLISHED;
	action = fw_judge(fw, ctx, dir, p);
	if (action == FW_PASS && fw_states_note(t, name, dir, ctx->now_ns,
	                                        ctx->now_ns + ctx->cfg.firewall_state_ms * 1000000))
		ctx_count(ctx, PC_FIREWALL_STATES_FORGOTTEN);
	return action;
}

/* ---- what is shown --------------------------------------------------------------------------- */

bool pc_firewall_get_rule(const struct pc_firewall *fw, unsigned i, struct pc_firewall_rule *r)
{
	if (i >= fw->rules.n)
		return false;
	*r = (struct pc_firewall_rule){.text = fw->rules.rule[i].text,
	                               .line = fw->rules.rule[i].line};
	for (unsigned s = 0; s < fw->nb_slots; s++) {
		const struct fw_count *c = &fw->slot[s].count[i];

		r->packets += __atomic_load_n(&c->packets, __ATOMIC_RELAXED);
		r->bytes += __atomic_load_n(&c->bytes, __ATOMIC_RELAXED);
	}
	return true;
}

bool pc_firewall_logs(const struct pc_firewall *fw)
{
	return fw->nb_slots > 0 && fw->slot[0].log != NULL;
}

unsigned pc_firewall_take_log(struct pc_firewall *fw, unsigned slot, struct pc_firewall_log *list,
                              unsigned n)
{
	unsigned taken = 0;

	if (slot >= fw->nb_slots || fw->slot[slot].log == NULL)
		return 0;
	while (taken < n &&
	       rte_ring_sc_dequeue_elem(fw->slot[slot].log, &list[taken], sizeof(list[0])) == 0)
		taken++;
	return taken;
}

static const char *name_of(uint8_t proto, char buf[8])
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmp6";
	default:
		snprintf(buf, 8, "%u", proto);
		return buf;
	}
}

/* Writes ", flags SA", with the letters of rules. */
static void format_flags(uint8_t flags, char buf[24])
{
	static const char letters[] = "FSRPAUEW"; /* by bit; RFC 9293 3.1 */
	char *at = stpcpy(buf, flags != 0 ? ", flags " : ", no flags");

	for (unsigned i = 0; i < 8; i++)
		if ((flags >> i & 1) != 0)
			*at++ = letters[i];
	*at = '\0';
}

char *pc_firewall_format_log(const struct pc_firewall_log *l, char *buf, size_t len)
{
	static const char *const actions[] = {"pass", "drop", "reject"};
	char src[PC_ENDPOINT_STRLEN], dst[PC_ENDPOINT_STRLEN], proto[8];
	char type[32] = "", flags[24] = "";

	if (l->proto == IPPROTO_ICMP || l->proto == IPPROTO_ICMPV6)
		snprintf(type, sizeof(type), " type %u code %u", l->icmp_type, l->icmp_code);
	if (l->proto == IPPROTO_TCP)
		format_flags(l->flags, flags);
	if (l->proto == IPPROTO_TCP || l->proto == IPPROTO_UDP) {
		pc_endpoint_format(&l->src, src);
		pc_endpoint_format(&l->dst, dst);
	} else {
		pc_addr_format(&l->src.addr, src);
		pc_addr_format(&l->dst.addr, dst);
	}
	snprintf(buf, len, "%s %s by line %u, port %u: %s%s %s > %s, %u bytes%s",
	         actions[l->action <= FW_REJECT ? l->action : FW_DROP], l->out ? "out" : "in",
	         l->line, l->port, name_of(l->proto, proto), type, src, dst, l->len, flags);
	return buf;
}
