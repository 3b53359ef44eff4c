/* SPDX-License-Identifier: BSD-2-Clause */
/* Name servers and search lists; see names.h. An expired entry makes room for a new one. */
#include "ip/names.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static unsigned find_server(const struct names *n, const struct pc_addr *addr)
{
	unsigned i = 0;

	while (i < n->servers.n && !pc_addr_equal(&n->server[i].addr, addr))
		i++;
	return i;
}

static unsigned find_domain(const struct names *n, const char *name)
{
	unsigned i = 0;

	while (i < n->domains.n && strcasecmp(n->domain[i], name) != 0)
		i++;
	return i;
}

/* Notes that the entry at i, which never expires, has been added once more, or removed once. Returns
 * whether others hold it still. */
static bool is_held(struct name_times *t, unsigned i, uint64_t until_ns)
{
	t->holders[i] = (uint16_t)(t->holders[i] + (until_ns == UINT64_MAX ? 1 : -1));
	return t->holders[i] != 0;
}

/* Keeps the entry found at i, or a new one if there was none (i == n), until until_ns. Returns its
 * index, or -ENOSPC. */
static int take_place(struct name_times *t, unsigned i, uint64_t until_ns, uint64_t now_ns)
{
	if (i < t->n && t->until_ns[i] == UINT64_MAX && is_held(t, i, until_ns))
		return (int)i;
	if (i == t->n)
		for (i = 0; i < t->n && t->until_ns[i] > now_ns;)
			i++;
	if (i == NAMES_MAX)
		return -ENOSPC;
	t->n = i < t->n ? t->n : i + 1;
	t->until_ns[i] = until_ns;
	t->holders[i] = until_ns == UINT64_MAX;
	return (int)i;
}

/* Says whether a router may advertise the entry found at i, or a new one (i == n). */
static bool may_learn(const struct name_times *t, unsigned i, uint64_t now_ns)
{
	unsigned learnt = 0;

	if (i < t->n && t->until_ns[i] > now_ns)
		return t->until_ns[i] != UINT64_MAX;
	for (i = 0; i < t->n; i++)
		learnt += t->until_ns[i] != UINT64_MAX && t->until_ns[i] > now_ns;
	return learnt < NAMES_LEARNT;
}

int names_add_server(struct names *n, const struct pc_addr *addr, uint8_t netif, uint64_t until_ns,
                     uint64_t now_ns)
{
	const int at = take_place(&n->servers, find_server(n, addr), until_ns, now_ns);

	if (at < 0)
		return at;
	if (until_ns > now_ns)
		n->server[at] = (struct name_server){.addr = *addr, .netif = netif};
	return 0;
}

int names_add_domain(struct names *n, const char *name, uint64_t until_ns, uint64_t now_ns)
{
	int at;

	if (name[0] == '\0' || strlen(name) > NAME_MAX_LEN)
		return -EINVAL;
	at = take_place(&n->domains, find_domain(n, name), until_ns, now_ns);
	if (at < 0)
		return at;
	if (until_ns > now_ns)
		strcpy(n->domain[at], name);
	return 0;
}

bool names_may_learn_server(const struct names *n, const struct pc_addr *addr, uint64_t now_ns)
{
	return may_learn(&n->servers, find_server(n, addr), now_ns);
}

bool names_may_learn_domain(const struct names *n, const char *name, uint64_t now_ns)
{
	return may_learn(&n->domains, find_domain(n, name), now_ns);
}
