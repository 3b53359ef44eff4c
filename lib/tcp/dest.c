/* SPDX-License-Identifier: BSD-2-Clause */
/* What is remembered about destinations; see dest.h. */

#include "tcp/dest.h"

#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>

#define WAYS 4

static uint32_t nb_sets(uint32_t n)
{
	return rte_align32pow2((n + WAYS - 1) / WAYS);
}

uint64_t dests_footprint(uint32_t n)
{
	return (uint64_t)nb_sets(n) * WAYS * sizeof(struct dest);
}

int dests_init(struct dests *d, uint32_t n, struct pc_sip_key key, int socket_id)
{
	*d = (struct dests){.sets = nb_sets(n), .key = key};
	d->entry =
	    rte_zmalloc_socket("pc_dest", dests_footprint(n), RTE_CACHE_LINE_SIZE, socket_id);
	return d->entry != NULL ? 0 : -ENOMEM;
}

void dests_fini(struct dests *d)
{
	rte_free(d->entry);
	d->entry = NULL;
}

static struct dest *set_of(const struct dests *d, const struct pc_addr *addr)
{
	uint64_t hash = pc_siphash24(&d->key, addr, sizeof(*addr));

	return &d->entry[((uint32_t)hash & (d->sets - 1)) * WAYS];
}

struct dest *dest_find(struct dests *d, const struct pc_addr *addr, uint32_t now_s)
{
	struct dest *e;

	if (!d->any)
		return NULL;
	e = set_of(d, addr);
	for (unsigned i = 0; i < WAYS; i++, e++) {
		if (memcmp(&e->addr, addr, sizeof(*addr)) != 0)
			continue;
		e->used_s = now_s;
		return e;
	}
	return NULL;
}

struct dest *dest_make(struct dests *d, const struct pc_addr *addr, uint32_t now_s)
{
	static const struct pc_addr none;
	struct dest *e = dest_find(d, addr, now_s), *set = set_of(d, addr);

	if (e != NULL)
		return e;
	e = set;
	for (unsigned i = 0; i < WAYS; i++) {
		if (memcmp(&set[i].addr, &none, sizeof(none)) == 0) {
			e = &set[i];
			break;
		}
		if (now_s - set[i].used_s > now_s - e->used_s)
			e = &set[i];
	}
	*e = (struct dest){.addr = *addr, .used_s = now_s};
	d->any = true;
	return e;
}

uint16_t dest_path_mtu(struct dests *d, const struct pc_addr *addr, uint32_t now_s)
{
	struct dest *e = dest_find(d, addr, now_s);

	if (e == NULL || e->path_mtu == 0)
		return 0;
	if (now_s - e->mtu_s >= DEST_MTU_S)
		e->path_mtu = 0;
	return e->path_mtu;
}
