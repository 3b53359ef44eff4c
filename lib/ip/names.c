/* SPDX-License-Identifier: BSD-2-Clause */
/* Name servers and search lists; see names.h.  An entry whose time is over makes room for another. */
#include "ip/names.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static unsigned find_server(const struct names *n, const struct pc_addr *addr)
{
	unsigned i = 0;

	while (i < n->nb_servers && !pc_addr_equal(&n->server[i].addr, addr))
		i++;
	return i;
}

static unsigned find_domain(const struct names *n, const char *name)
{
	unsigned i = 0;

	while (i < n->nb_domains && strcasecmp(n->domain[i].name, name) != 0)
		i++;
	return i;
}

int names_add_server(struct names *n, const struct pc_addr *addr, uint8_t netif, uint64_t until_ns,
                     uint64_t now_ns)
{
	unsigned i = find_server(n, addr), over = 0;

	if (i == n->nb_servers) {
		while (over < n->nb_servers && n->server[over].until_ns > now_ns)
			over++;
		i = over;
	}
	if (i == NAMES_SERVERS)
		return -ENOSPC;
	n->server[i] = (struct name_server){.addr = *addr, .until_ns = until_ns, .netif = netif};
	if (i == n->nb_servers)
		n->nb_servers++;
	return 0;
}

int names_add_domain(struct names *n, const char *name, uint64_t until_ns, uint64_t now_ns)
{
	unsigned i = find_domain(n, name), over = 0;

	if (name[0] == '\0' || strlen(name) > NAME_MAX_LEN)
		return -EINVAL;
	if (i == n->nb_domains) {
		while (over < n->nb_domains && n->domain[over].until_ns > now_ns)
			over++;
		i = over;
	}
	if (i == NAMES_DOMAINS)
		return -ENOSPC;
	strcpy(n->domain[i].name, name);
	n->domain[i].until_ns = until_ns;
	if (i == n->nb_domains)
		n->nb_domains++;
	return 0;
}

bool names_may_learn_server(const struct names *n, const struct pc_addr *addr, uint64_t now_ns)
{
	const unsigned known = find_server(n, addr);
	unsigned learnt = 0;

	if (known < n->nb_servers && n->server[known].until_ns > now_ns)
		return n->server[known].until_ns != UINT64_MAX;
	for (unsigned i = 0; i < n->nb_servers; i++)
		learnt += n->server[i].until_ns != UINT64_MAX && n->server[i].until_ns > now_ns;
	return learnt < NAMES_LEARNT;
}

bool names_may_learn_domain(const struct names *n, const char *name, uint64_t now_ns)
{
	const unsigned known = find_domain(n, name);
	unsigned learnt = 0;

	if (known < n->nb_domains && n->domain[known].until_ns > now_ns)
		return n->domain[known].until_ns != UINT64_MAX;
	for (unsigned i = 0; i < n->nb_domains; i++)
		learnt += n->domain[i].until_ns != UINT64_MAX && n->domain[i].until_ns > now_ns;
	return learnt < NAMES_LEARNT;
}
