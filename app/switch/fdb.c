/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: an rte_hash of keys, and an array with the data of each, indexed by the slot that
 * rte_hash gives a key.
 *
 * Life cycle: an entry that is too old, or whose station was heard at a port with no room for it,
 * is treated as gone at once (fdb_port, fdb_learn); fdb_age removes it when its walk reaches it,
 * within FDB_WALK_NS.
 *
 * Invariants: an entry is used if and only if its key is in the hash; learnt[p] is the number of
 * entries of port p that are not static and have not left. Slots stay valid while nothing is
 * removed.
 *
 * The hash is Jenkins' with a secret: with a CRC, an attacker who chooses MAC addresses can find
 * some that collide whatever the secret is. Buckets that overflow are chained (EXT_TABLE), so that
 * the table holds as many entries as it is made for.
 */
#include "fdb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_jhash.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#define FDB_PORTS   256
#define FDB_WALK_NS UINT64_C(4000000000) /* to walk the whole table */
#define FDB_STEP_NS UINT64_C(10000000)

struct entry {
	uint64_t seen_ns;
	uint8_t port;
	bool used, is_static;
	bool has_left; /* moved to a port that has no room to learn it */
};

struct fdb {
	struct rte_hash *hash;
	struct entry *entry;
	struct fdb_config config;
	uint32_t n, left; /* entries in use; those of them that have left */
	uint32_t hand;    /* position of fdb_age's walk */
	uint64_t walked_ns;
	uint32_t learnt[FDB_PORTS];
};

static uint32_t hash_key(const void *key, uint32_t len, uint32_t seed)
{
	uint32_t word[2];

	(void)len;
	memcpy(word, key, sizeof(word));
	return rte_jhash_2words(word[0], word[1], seed);
}

static int compare_keys(const void *a, const void *b, size_t len)
{
	uint64_t x, y;

	(void)len;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x != y;
}

void fdb_key_mac(uint64_t key, uint8_t mac[6])
{
	for (unsigned i = 0; i < 6; i++)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		mac[i] = (uint8_t)(key >> 8 * i);
#else
		mac[i] = (uint8_t)(key >> 8 * (5 - i));
#endif
}

struct fdb *fdb_create(const struct fdb_config *config)
{
	struct fdb *f =
	    rte_zmalloc_socket("fdb", sizeof(*f), RTE_CACHE_LINE_SIZE, config->socket_id);
	char name[RTE_HASH_NAMESIZE];
	const struct rte_hash_parameters params = {
	    .name = name,
	    .entries = config->entries,
	    .key_len = sizeof(uint64_t),
	    .hash_func = hash_key,
	    .hash_func_init_val = config->seed,
	    .socket_id = config->socket_id,
	    .extra_flag = RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};

	if (f == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	f->config = *config;
	snprintf(name, sizeof(name), "fdb_%p", (void *)f);
	f->hash = rte_hash_create(&params);
	f->entry = rte_calloc_socket("fdb", config->entries, sizeof(*f->entry), RTE_CACHE_LINE_SIZE,
	                             config->socket_id);
	if (f->hash == NULL || f->entry == NULL) {
		errno = f->hash == NULL ? rte_errno : ENOMEM;
		fdb_destroy(f);
		return NULL;
	}
	rte_hash_set_cmp_func(f->hash, compare_keys);
	return f;
}

void fdb_destroy(struct fdb *f)
{
	if (f == NULL)
		return;
	rte_hash_free(f->hash);
	rte_free(f->entry);
	rte_free(f);
}

void fdb_find(const struct fdb *f, const uint64_t *keys, unsigned n, int32_t *slot)
{
	const void *key[FDB_BURST];

	for (unsigned i = 0; i < n; i++)
		key[i] = &keys[i];
	if (n > 0)
		(void)rte_hash_lookup_bulk(f->hash, key, n, slot);
}

static bool is_old(const struct fdb *f, const struct entry *e, uint64_t now_ns)
{
	return e->has_left ||
	       (!e->is_static && f->config.age_ns != 0 && now_ns - e->seen_ns >= f->config.age_ns);
}

int fdb_port(const struct fdb *f, int32_t slot, uint64_t now_ns)
{
	const struct entry *e = &f->entry[slot < 0 ? 0 : slot];

	return slot < 0 || is_old(f, e, now_ns) ? FDB_NONE : e->port;
}

/* Adds a key. Returns its entry, or NULL if the table is full. */
static struct entry *put(struct fdb *f, uint64_t key, uint8_t port)
{
	const int32_t slot = f->n < f->config.entries ? rte_hash_add_key(f->hash, &key) : -ENOSPC;

	if (slot < 0)
		return NULL;
	f->entry[slot] = (struct entry){.port = port, .used = true};
	f->n++;
	return &f->entry[slot];
}

static enum fdb_learnt learn_new(struct fdb *f, uint64_t key, uint8_t port, uint64_t now_ns)
{
	struct entry *e;

	if (f->learnt[port] >= f->config.port_entries)
		return FDB_LIMIT;
	e = put(f, key, port);
	if (e == NULL)
		return FDB_FULL;
	e->seen_ns = now_ns;
	f->learnt[port]++;
	return FDB_NEW;
}

static void leave(struct fdb *f, struct entry *e)
{
	if (e->has_left)
		return;
	e->has_left = true;
	f->left++;
	f->learnt[e->port]--;
}

static enum fdb_learnt move(struct fdb *f, struct entry *e, uint8_t port, uint64_t now_ns)
{
	const bool old = is_old(f, e, now_ns);

	leave(f, e);
	if (e->port != port && f->learnt[port] >= f->config.port_entries)
		return FDB_LIMIT;
	f->learnt[port]++;
	f->left--;
	e->port = port;
	e->seen_ns = now_ns;
	e->has_left = false;
	return old ? FDB_NEW : FDB_MOVED;
}

enum fdb_learnt fdb_learn(struct fdb *f, uint64_t key, int32_t slot, uint8_t port, uint64_t now_ns)
{
	struct entry *e;

	/* an earlier frame of the same burst may have added it */
	if (unlikely(slot < 0))
		slot = rte_hash_lookup(f->hash, &key);
	if (slot < 0)
		return learn_new(f, key, port, now_ns);
	e = &f->entry[slot];
	if (unlikely(e->is_static))
		return e->port == port ? FDB_KNOWN : FDB_STATIC;
	if (unlikely(e->port != port || is_old(f, e, now_ns)))
		return move(f, e, port, now_ns);
	e->seen_ns = now_ns;
	return FDB_KNOWN;
}

int fdb_add_static(struct fdb *f, uint64_t key, uint8_t port)
{
	struct entry *e;

	if (rte_hash_lookup(f->hash, &key) >= 0) {
		errno = EEXIST;
		return -1;
	}
	e = put(f, key, port);
	if (e == NULL) {
		errno = ENOSPC;
		return -1;
	}
	e->is_static = true;
	return 0;
}

static void take_out(struct fdb *f, uint32_t slot)
{
	struct entry *e = &f->entry[slot];
	void *key;

	if (rte_hash_get_key_with_position(f->hash, (int32_t)slot, &key) == 0)
		(void)rte_hash_del_key(f->hash, key);
	leave(f, e);
	f->left--;
	f->n--;
	e->used = false;
}

void fdb_age(struct fdb *f, uint64_t now_ns)
{
	const uint64_t passed = now_ns - f->walked_ns;
	uint64_t n;

	if (passed < FDB_STEP_NS)
		return;
	f->walked_ns = now_ns;
	n = passed >= FDB_WALK_NS ? f->config.entries
	                          : f->config.entries * passed / FDB_WALK_NS + 1;
	for (; n > 0; n--) {
		f->hand = f->hand + 1 < f->config.entries ? f->hand + 1 : 0;
		if (f->entry[f->hand].used && is_old(f, &f->entry[f->hand], now_ns))
			take_out(f, f->hand);
	}
}

uint32_t fdb_flush(struct fdb *f, uint8_t port)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->config.entries && f->learnt[port] > 0; i++) {
		const struct entry *e = &f->entry[i];

		if (!e->used || e->is_static || e->has_left || e->port != port)
			continue;
		take_out(f, i);
		n++;
	}
	return n;
}

uint32_t fdb_count(const struct fdb *f)
{
	return f->n - f->left;
}

uint32_t fdb_count_port(const struct fdb *f, uint8_t port)
{
	return f->learnt[port];
}

bool fdb_next(const struct fdb *f, uint32_t *at, struct fdb_station *s)
{
	void *key;

	for (; *at < f->config.entries; (*at)++) {
		const struct entry *e = &f->entry[*at];

		if (!e->used || e->has_left ||
		    rte_hash_get_key_with_position(f->hash, (int32_t)*at, &key) != 0)
			continue;
		*s = (struct fdb_station){
		    .seen_ns = e->seen_ns, .port = e->port, .is_static = e->is_static};
		memcpy(&s->key, key, sizeof(s->key));
		(*at)++;
		return true;
	}
	return false;
}

bool fdb_validate(const struct fdb *f)
{
	uint32_t learnt[FDB_PORTS] = {0}, n = 0, left = 0;

	for (uint32_t i = 0; i < f->config.entries; i++) {
		const struct entry *e = &f->entry[i];
		void *key = NULL;

		if (!e->used)
			continue;
		n++;
		left += e->has_left;
		learnt[e->port] += !e->is_static && !e->has_left;
		if (rte_hash_get_key_with_position(f->hash, (int32_t)i, &key) != 0 ||
		    rte_hash_lookup(f->hash, key) != (int32_t)i)
			return false;
	}
	return n == f->n && left == f->left && rte_hash_count(f->hash) == (int32_t)n &&
	       memcmp(learnt, f->learnt, sizeof(learnt)) == 0;
}
