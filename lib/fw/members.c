/* SPDX-License-Identifier: BSD-2-Clause */
#include "fw/members.h"

#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>

#define INDEX_BITS_MAX 16

/* ---- stretches ------------------------------------------------------------------------------- */

/** A network as a range of numbers, with the tables that contain it. */
struct range {
	fw_addr6 first, last;
	uint64_t in;
};

/** The intervals of a family. */
struct cut {
	uint32_t n;
	fw_addr6 *start;
	uint64_t *in;
};

static fw_addr6 addr_number(const struct pc_addr *a)
{
	return (fw_addr6)rte_be_to_cpu_64(a->q[0]) << 64 | rte_be_to_cpu_64(a->q[1]);
}

static bool is_ip4(const struct pc_prefix *p)
{
	return p->len >= 96 && pc_addr_is_ip4(&p->addr);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	/* a network comes before those that it contains */
	return x->last > y->last ? -1 : x->last < y->last;
}

/* The networks of a family, sorted and without duplicates. Returns how many. */
static uint32_t list_ranges(const struct fw_tables *t, bool ip4, struct range *list)
{
	uint32_t n = 0, kept = 0;

	for (unsigned i = 0; i < t->n; i++) {
		for (uint32_t k = 0; k < t->table[i].n; k++) {
			const struct pc_prefix *p = &t->table[i].prefix[k];
			const fw_addr6 whole = addr_number(&p->addr);
			const fw_addr6 first = ip4 ? (uint32_t)whole : whole;
			const fw_addr6 host = p->len == 128 ? 0
			                      : p->len == 0 ? ~(fw_addr6)0
			                                    : ((fw_addr6)1 << (128 - p->len)) - 1;

			if (is_ip4(p) == ip4)
				list[n++] = (struct range){first, first | host, UINT64_C(1) << i};
		}
	}
	qsort(list, n, sizeof(*list), compare_ranges);
	for (uint32_t i = 1; i < n; i++)
		if (compare_ranges(&list[kept], &list[i]) == 0)
			list[kept].in |= list[i].in;
		else
			list[++kept] = list[i];
	return n == 0 ? 0 : kept + 1;
}

/* Begins an interval at an address; its addresses are in these tables. */
static void begin(struct cut *c, fw_addr6 at, uint64_t in)
{
	if (c->n > 0 && c->start[c->n - 1] == at)
		c->n--;
	if (c->n > 0 && c->in[c->n - 1] == in)
		return;
	c->start[c->n] = at;
	c->in[c->n++] = in;
}

/* Closes the networks that end before an address, the inner ones first. */
static unsigned end(struct cut *c, const struct range *open, unsigned depth, fw_addr6 before)
{
	while (depth > 0 && open[depth - 1].last < before) {
		depth--;
		begin(c, open[depth].last + 1, depth > 0 ? open[depth - 1].in : 0);
	}
	return depth;
}

/* Two networks are either nested or disjoint, so those that contain an address form a stack, with
 * at most one of each length. */
static void cut(struct cut *c, const struct range *list, uint32_t n, fw_addr6 last)
{
	struct range open[129];
	unsigned depth = 0;

	begin(c, 0, 0);
	for (uint32_t i = 0; i < n; i++) {
		depth = end(c, open, depth, list[i].first);
		open[depth] = list[i];
		if (depth > 0)
			open[depth].in |= open[depth - 1].in;
		begin(c, list[i].first, open[depth].in);
		depth++;
	}
	/* nothing follows a network that ends with the last address */
	(void)end(c, open, depth, last);
}

/* Makes the intervals of a family. Returns false without memory. */
static bool make_cut(struct cut *c, const struct fw_tables *t, bool ip4)
{
	uint32_t all = 0, n;
	struct range *list;

	for (unsigned i = 0; i < t->n; i++)
		all += t->table[i].n;
	list = malloc((all + 1ul) * sizeof(*list));
	c->n = 0;
	c->start = NULL;
	c->in = NULL;
	if (list != NULL) {
		n = list_ranges(t, ip4, list);
		c->start = malloc((2ul * n + 1) * sizeof(*c->start));
		c->in = malloc((2ul * n + 1) * sizeof(*c->in));
		if (c->start != NULL && c->in != NULL)
			cut(c, list, n, ip4 ? UINT32_MAX : ~(fw_addr6)0);
	}
	free(list);
	return c->n > 0;
}

/* ---- what lcores read ------------------------------------------------------------------------ */

static void *take_memory(size_t n, size_t each, int socket_id)
{
	return rte_malloc_socket("pc_fw", n * each, RTE_CACHE_LINE_SIZE, socket_id);
}

/* Makes the index, from the highest bits of an address to its interval; it has about as many
 * entries as there are intervals. */
static bool make_index(struct fw_members *m, int socket_id)
{
	const unsigned bits = RTE_MIN(rte_log2_u32(m->n4), (unsigned)INDEX_BITS_MAX);
	const size_t n = (size_t)1 << bits;
	uint32_t at = 0;

	m->shift = 32 - bits;
	m->index = take_memory(n + 1, sizeof(m->index[0]), socket_id);
	if (m->index == NULL)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		while (at + 1 < m->n4 && m->start4[at + 1] <= i << m->shift)
			at++;
		m->index[i] = at;
	}
	m->index[n] = m->n4 - 1;
	return true;
}

static bool fill_members4(struct fw_members *m, const struct cut *c, int socket_id)
{
	m->n4 = c->n;
	m->start4 = take_memory(c->n, sizeof(m->start4[0]), socket_id);
	m->in4 = take_memory(c->n, sizeof(m->in4[0]), socket_id);
	if (m->start4 == NULL || m->in4 == NULL)
		return false;
	for (uint32_t i = 0; i < c->n; i++)
		m->start4[i] = (uint32_t)c->start[i];
	memcpy(m->in4, c->in, c->n * sizeof(m->in4[0]));
	return make_index(m, socket_id);
}

static bool fill_members6(struct fw_members *m, const struct cut *c, int socket_id)
{
	m->n6 = c->n;
	m->start6 = take_memory(c->n, sizeof(m->start6[0]), socket_id);
	m->in6 = take_memory(c->n, sizeof(m->in6[0]), socket_id);
	if (m->start6 == NULL || m->in6 == NULL)
		return false;
	memcpy(m->start6, c->start, c->n * sizeof(m->start6[0]));
	memcpy(m->in6, c->in, c->n * sizeof(m->in6[0]));
	return true;
}

/* Makes the array of the tables of each port; the caller frees it. NULL without memory. */
static uint64_t *list_ports(const struct fw_tables *t)
{
	uint64_t *in = calloc(UINT16_MAX + 1, sizeof(*in));

	for (unsigned i = 0; in != NULL && i < t->n; i++)
		for (uint32_t p = 0; t->table[i].ports != NULL && p <= UINT16_MAX; p++)
			in[p] |= (t->table[i].ports[p / 64] >> p % 64 & 1) << i;
	return in;
}

/* Says whether an interval of ports begins here. */
static bool is_start(const uint64_t *in, uint32_t port)
{
	return port == 0 || in[port] != in[port - 1];
}

static bool fill_ports(struct fw_members *m, const uint64_t *in, int socket_id)
{
	uint32_t n = 0;

	for (uint32_t p = 0; p <= UINT16_MAX; p++)
		n += is_start(in, p);
	m->start_port = take_memory(n, sizeof(m->start_port[0]), socket_id);
	m->in_port = take_memory(n, sizeof(m->in_port[0]), socket_id);
	if (m->start_port == NULL || m->in_port == NULL)
		return false;
	for (uint32_t p = 0; p <= UINT16_MAX; p++)
		if (is_start(in, p)) {
			m->start_port[m->nb_ports] = (uint16_t)p;
			m->in_port[m->nb_ports++] = in[p];
		}
	return true;
}

/* Makes the intervals of ports, if any table has ports. Returns false without memory. */
static bool make_ports(struct fw_members *m, const struct fw_tables *t, int socket_id)
{
	bool any = false, ok;
	uint64_t *in;

	for (unsigned i = 0; i < t->n; i++)
		any |= t->table[i].ports != NULL;
	if (!any)
		return true;
	in = list_ports(t);
	ok = in != NULL && fill_ports(m, in, socket_id);
	free(in);
	return ok;
}

struct fw_members *fw_members_create(const struct fw_tables *t, int socket_id)
{
	struct fw_members *m = calloc(1, sizeof(*m));
	bool ok = m != NULL;
	struct cut c;

	for (unsigned ip4 = 0; ok && ip4 < 2; ip4++) {
		ok = make_cut(&c, t, ip4 != 0) &&
		     (ip4 ? fill_members4(m, &c, socket_id) : fill_members6(m, &c, socket_id));
		free(c.start);
		free(c.in);
	}
	if (ok && make_ports(m, t, socket_id))
		return m;
	fw_members_free(m);
	return NULL;
}

void fw_members_free(struct fw_members *m)
{
	if (m == NULL)
		return;
	rte_free(m->index);
	rte_free(m->start4);
	rte_free(m->in4);
	rte_free(m->start6);
	rte_free(m->in6);
	rte_free(m->start_port);
	rte_free(m->in_port);
	free(m);
}

/* ---- search ---------------------------------------------------------------------------------- */

/* Each step halves what is left, without a branch that depends on the address. */
static uint64_t find4(const struct fw_members *m, uint32_t a)
{
	const uint64_t top = (uint64_t)a >> m->shift;
	const uint32_t first = m->index[top];
	const uint32_t *start = &m->start4[first];

	for (uint32_t n = m->index[top + 1] - first + 1; n > 1; n -= n / 2)
		start += start[n / 2] <= a ? n / 2 : 0;
	return m->in4[start - m->start4];
}

static uint64_t find6(const struct fw_members *m, fw_addr6 a)
{
	const fw_addr6 *start = m->start6;

	for (uint32_t n = m->n6; n > 1; n -= n / 2) {
		/* the two that the next step may look at */
		rte_prefetch0(&start[n / 4]);
		rte_prefetch0(&start[n / 2 + n / 4]);
		start += start[n / 2] <= a ? n / 2 : 0;
	}
	return m->in6[start - m->start6];
}

uint64_t fw_members_of(const struct fw_members *m, const struct pc_addr *a)
{
	return pc_addr_is_ip4(a) ? find4(m, rte_be_to_cpu_32(pc_addr_get_ip4(a)))
	                         : find6(m, addr_number(a));
}

uint64_t fw_members_of_port(const struct fw_members *m, uint16_t port)
{
	const uint16_t *start = m->start_port;

	for (uint32_t n = m->nb_ports; n > 1; n -= n / 2)
		start += start[n / 2] <= port ? n / 2 : 0;
	return m->in_port[start - m->start_port];
}
