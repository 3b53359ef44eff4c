/* SPDX-License-Identifier: BSD-2-Clause */
#include "fw/rates.h"

#include <errno.h>
#include <float.h>

#include <rte_common.h>
#include <rte_malloc.h>

int fw_rates_init(struct fw_rates *t, uint32_t n, struct hash_key key, int socket_id)
{
	const uint32_t buckets = rte_align32pow2(RTE_MAX(n, (uint32_t)FW_RATE_WAYS) / FW_RATE_WAYS);

	*t = (struct fw_rates){.key = key, .mask = buckets - 1};
	t->place = rte_zmalloc_socket("pc_fw", (size_t)buckets * FW_RATE_WAYS * sizeof(*t->place),
	                              RTE_CACHE_LINE_SIZE, socket_id);
	return t->place != NULL ? 0 : -ENOMEM;
}

void fw_rates_fini(struct fw_rates *t)
{
	rte_free(t->place);
	*t = (struct fw_rates){0};
}

/* The fraction of its limit that a source has used. */
static float used(const struct fw_rate *e, uint64_t now_ns)
{
	return e->next_ns > now_ns ? (float)(e->next_ns - now_ns) * e->per_limit : 0;
}

uint64_t *fw_rates_get(struct fw_rates *t, uint32_t rule, uint64_t limit_ns,
                       const struct pc_addr *source, uint64_t now_ns, bool *is_forgotten)
{
	const struct fw_source s = fw_source_of(source);
	const uint32_t whose = rule << 1 | s.is_link_local;
	const uint64_t v[3] = {s.name, whose, 0};
	struct fw_rate *e = &t->place[(size_t)(hash24(&t->key, v) & t->mask) * FW_RATE_WAYS];
	struct fw_rate *least = e;
	float least_used = FLT_MAX;

	*is_forgotten = false;
	for (unsigned i = 0; i < FW_RATE_WAYS; i++, e++) {
		const float part = used(e, now_ns);

		if (e->source == s.name && e->whose == whose)
			return &e->next_ns;
		if (part < least_used) {
			least = e;
			least_used = part;
		}
	}
	*is_forgotten = least->next_ns > now_ns;
	*least =
	    (struct fw_rate){.source = s.name, .whose = whose, .per_limit = 1.0f / (float)limit_ns};
	return &least->next_ns;
}
