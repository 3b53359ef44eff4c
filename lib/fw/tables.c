/* SPDX-License-Identifier: BSD-2-Clause */
#include "fw/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fw_table *fw_tables_find(struct fw_tables *t, const char *name, size_t len)
{
	for (unsigned i = 0; len > 0 && i < t->n; i++)
		if (strlen(t->table[i].name) == len && memcmp(t->table[i].name, name, len) == 0)
			return &t->table[i];
	return NULL;
}

struct fw_table *fw_tables_add(struct fw_tables *t, const char *name, size_t len, unsigned line)
{
	struct fw_table *table;

	if (t->n == FW_TABLES)
		return NULL;
	table = &t->table[t->n++];
	*table = (struct fw_table){.line = line};
	memcpy(table->name, name, len);
	return table;
}

static int compare_tables(const void *a, const void *b)
{
	const struct pc_prefix *p = a, *q = b;
	const int rc = memcmp(&p->addr, &q->addr, sizeof(p->addr));

	return rc != 0 ? rc : p->len - q->len;
}

/* whether a table has exactly the networks of a list */
static bool has_just(const struct fw_table *t, const struct fw_table *list)
{
	if (t->n != list->n)
		return false;
	for (uint32_t i = 0; i < t->n; i++)
		if (compare_tables(&t->prefix[i], &list->prefix[i]) != 0)
			return false;
	return true;
}

struct fw_table *fw_tables_negate(struct fw_tables *t, struct pc_prefix *list, unsigned n, int *rc)
{
	struct fw_table made = {0}, *table;

	*rc = 0;
	for (unsigned i = 0; *rc == 0 && i < n; i++)
		*rc = fw_table_append(&made, &list[i], n);
	fw_table_settle(&made);
	for (unsigned i = 0; *rc == 0 && i < t->n; i++)
		if (t->table[i].name[0] == '\0' && has_just(&t->table[i], &made)) {
			free(made.prefix);
			return &t->table[i];
		}
	table = *rc == 0 && t->total + made.n <= t->max ? fw_tables_add(t, "", 0, 0) : NULL;
	if (table == NULL) {
		*rc = *rc != 0 ? *rc : -ENOSPC;
		free(made.prefix);
		return NULL;
	}
	*table = made;
	t->total += made.n;
	return table;
}

void fw_table_fini(struct fw_table *t)
{
	free(t->prefix);
	free(t->ports);
	free(t->end_ns);
	t->prefix = NULL;
	t->end_ns = NULL;
	t->ports = NULL;
}

void fw_tables_free(struct fw_tables *t)
{
	for (unsigned i = 0; i < t->n; i++)
		fw_table_fini(&t->table[i]);
	*t = (struct fw_tables){0};
}

/* a network with its host bits cleared */
static struct pc_prefix network_of(const struct pc_prefix *p)
{
	struct pc_prefix net = *p;

	for (unsigned i = p->len / 8u; i < 16; i++)
		net.addr.b[i] &= (uint8_t)(i == p->len / 8u ? 0xff00 >> p->len % 8u : 0);
	return net;
}

int fw_table_append(struct fw_table *t, const struct pc_prefix *p, uint32_t max)
{
	if (t->n >= max)
		return -ENOSPC;
	if (t->n == t->room) {
		const uint32_t room = t->room * 2 + 16;
		struct pc_prefix *more = realloc(t->prefix, room * sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		t->prefix = more;
		t->room = room;
	}
	t->prefix[t->n++] = network_of(p);
	return 0;
}

void fw_table_settle(struct fw_table *t)
{
	uint32_t n = 0;

	if (t->n == 0)
		return;
	qsort(t->prefix, t->n, sizeof(t->prefix[0]), compare_tables);
	for (uint32_t i = 1; i < t->n; i++)
		if (compare_tables(&t->prefix[n], &t->prefix[i]) != 0)
			t->prefix[++n] = t->prefix[i];
	t->n = n + 1;
}

/* ---- ports ----------------------------------------------------------------------------------- */

int fw_table_of_ports(struct fw_table *t)
{
	t->ports = calloc(FW_PORT_WORDS, sizeof(t->ports[0]));
	return t->ports != NULL ? 0 : -ENOMEM;
}

void fw_table_put_ports(struct fw_table *t, uint16_t first, uint16_t last)
{
	for (uint32_t port = first; port <= last; port++)
		t->ports[port / 64] |= UINT64_C(1) << port % 64;
}

static int merge_ports(const struct fw_table *t, const struct fw_table *more, bool is_less,
                       struct fw_table *next)
{
	if (fw_table_of_ports(next) != 0)
		return -ENOMEM;
	for (unsigned i = 0; i < FW_PORT_WORDS; i++) {
		const uint64_t before = t->ports != NULL ? t->ports[i] : 0;

		next->ports[i] = is_less ? before & ~more->ports[i] : before | more->ports[i];
	}
	return 0;
}

/* ---- both kinds ------------------------------------------------------------------------------ */

uint32_t fw_table_size(const struct fw_table *t)
{
	uint32_t n = 0;

	for (unsigned i = 0; t->ports != NULL && i < FW_PORT_WORDS; i++)
		n += (uint32_t)__builtin_popcountll(t->ports[i]);
	return t->ports != NULL ? n : t->n;
}

/* The index of the first network that does not sort before p. */
static uint32_t index_of(const struct fw_table *t, const struct pc_prefix *p)
{
	uint32_t first = 0, n = t->n;

	while (n > 0) {
		const uint32_t half = n / 2;

		if (compare_tables(&t->prefix[first + half], p) < 0) {
			first += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return first;
}

bool fw_table_meets(const struct fw_table *t, const struct pc_prefix *p)
{
	const bool ip4 = p->len >= 96 && pc_addr_is_ip4(&p->addr);
	uint32_t i;

	/* networks that contain p: at most one of each length */
	for (unsigned len = ip4 ? 96 : 0; len <= p->len; len++) {
		const struct pc_prefix wider =
		    network_of(&(struct pc_prefix){.addr = p->addr, .len = (uint8_t)len});

		i = index_of(t, &wider);
		if (i < t->n && compare_tables(&t->prefix[i], &wider) == 0)
			return true;
	}
	/* networks inside p are contiguous */
	i = index_of(t, p);
	return i < t->n && pc_prefix_contains(p, &t->prefix[i].addr);
}

int fw_table_limit(struct fw_table *t, uint64_t end_ns)
{
	t->end_ns = malloc((t->n + 1ul) * sizeof(t->end_ns[0]));
	for (uint32_t i = 0; t->end_ns != NULL && i < t->n; i++)
		t->end_ns[i] = end_ns;
	return t->end_ns != NULL ? 0 : -ENOMEM;
}

static uint64_t end_at(const struct fw_table *t, uint32_t i)
{
	return t->end_ns != NULL ? t->end_ns[i] : 0;
}

/* Makes room for n networks. Returns 0 or -ENOMEM. */
static int make_room(struct fw_table *t, uint32_t n, bool is_limited)
{
	t->n = 0;
	t->room = n;
	t->prefix = malloc((n + 1ul) * sizeof(t->prefix[0]));
	t->end_ns = is_limited ? malloc((n + 1ul) * sizeof(t->end_ns[0])) : NULL;
	return t->prefix != NULL && (t->end_ns != NULL || !is_limited) ? 0 : -ENOMEM;
}

static void put_network(struct fw_table *t, const struct pc_prefix *p, uint64_t end_ns)
{
	if (t->end_ns != NULL)
		t->end_ns[t->n] = end_ns;
	t->prefix[t->n++] = *p;
}

int fw_table_merge(const struct fw_table *t, const struct fw_table *more, bool is_less,
                   struct fw_table *next)
{
	uint32_t i = 0, k = 0;

	*next = *t;
	next->n = 0;
	next->prefix = NULL;
	next->end_ns = NULL;
	if (more->ports != NULL)
		return merge_ports(t, more, is_less, next);
	if (make_room(next, t->n + (is_less ? 0 : more->n),
	              t->end_ns != NULL || more->end_ns != NULL) != 0)
		return -ENOMEM;
	while (i < t->n || k < more->n) {
		const int order = i == t->n     ? 1
		                  : k < more->n ? compare_tables(&t->prefix[i], &more->prefix[k])
		                                : -1;

		if (order < 0)
			put_network(next, &t->prefix[i], end_at(t, i));
		else if (order == 0 && !is_less)
			put_network(next, &t->prefix[i], end_at(t, i) != 0 ? end_at(more, k) : 0);
		else if (order > 0 && !is_less)
			put_network(next, &more->prefix[k], end_at(more, k));
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

int fw_table_expired(const struct fw_table *t, uint64_t now_ns, struct fw_table *over,
                     uint64_t *next_ns)
{
	int rc = 0;

	*over = (struct fw_table){0};
	for (uint32_t i = 0; rc == 0 && t->end_ns != NULL && i < t->n; i++) {
		if (t->end_ns[i] == 0)
			continue;
		if (t->end_ns[i] <= now_ns)
			rc = fw_table_append(over, &t->prefix[i], t->n);
		else if (t->end_ns[i] < *next_ns)
			*next_ns = t->end_ns[i];
	}
	return rc;
}
