/* SPDX-License-Identifier: BSD-2-Clause */
#include "fw/states.h"

#include <errno.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "fw/rules.h"

int fw_states_init(struct fw_states *t, uint32_t n, struct hash_key key, int socket_id)
{
	const uint32_t buckets = rte_align32pow2(RTE_MAX(n, (uint32_t)FW_WAYS) / FW_WAYS);

	*t = (struct fw_states){.key = key, .mask = buckets - 1};
	t->place = rte_zmalloc_socket("pc_fw", (size_t)buckets * FW_WAYS * sizeof(*t->place),
	                              RTE_CACHE_LINE_SIZE, socket_id);
	return t->place != NULL ? 0 : -ENOMEM;
}

void fw_states_fini(struct fw_states *t)
{
	rte_free(t->place);
	*t = (struct fw_states){0};
}

static struct fw_state *state_bucket_of(const struct fw_states *t, const struct fw_state *name)
{
	const uint64_t v[3] = {name->remote.q[0], name->remote.q[1],
	                       (uint64_t)name->lport << 48 | (uint64_t)name->rport << 32 |
	                           (uint64_t)name->laddr << 16 | name->proto};

	return &t->place[(size_t)(hash24(&t->key, v) & t->mask) * FW_WAYS];
}

static bool is_same_state(const struct fw_state *a, const struct fw_state *b)
{
	return a->proto == b->proto && a->lport == b->lport && a->rport == b->rport &&
	       a->laddr == b->laddr && pc_addr_equal(&a->remote, &b->remote);
}

struct fw_state *fw_states_find(const struct fw_states *t, const struct fw_state *name,
                                uint64_t now_ns)
{
	struct fw_state *e = state_bucket_of(t, name);

	for (unsigned i = 0; i < FW_WAYS; i++, e++)
		if (is_same_state(e, name))
			return e->until_ns > now_ns ? e : NULL;
	return NULL;
}

/* rank for eviction: free or expired places first, then pairs that others began, oldest first */
static uint64_t worth(const struct fw_state *e, uint64_t now_ns)
{
	if (e->proto == 0 || e->until_ns <= now_ns)
		return 0;
	return (e->seen & FW_BEGUN ? UINT64_C(1) << 63 : 0) + e->until_ns / 2;
}

/* the new value of seen when a packet passes in a direction */
static uint8_t see(uint8_t before, unsigned dir)
{
	return (uint8_t)(before | 1 << dir | (before == 0 && dir == FW_OUT ? FW_BEGUN : 0));
}

bool fw_states_note(struct fw_states *t, const struct fw_state *name, unsigned dir, uint64_t now_ns,
                    uint64_t until_ns)
{
	struct fw_state *e = state_bucket_of(t, name), *least = e;
	bool is_forgotten;

	for (unsigned i = 0; i < FW_WAYS; i++, e++) {
		if (is_same_state(e, name)) {
			e->seen = see(e->until_ns > now_ns ? e->seen : 0, dir);
			e->until_ns = until_ns;
			return false;
		}
		if (worth(e, now_ns) < worth(least, now_ns))
			least = e;
	}
	if (dir == FW_IN && worth(least, now_ns) >> 63 != 0)
		return true;
	is_forgotten = worth(least, now_ns) != 0;
	*least = *name;
	least->seen = see(0, dir);
	least->until_ns = until_ns;
	return is_forgotten;
}
