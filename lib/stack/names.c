/* SPDX-License-Identifier: BSD-2-Clause */
/* What a stack knows of name service; see percore/stack.h and ip/names.h. */
#include <errno.h>
#include <string.h>

#include "stack/stack.h"

static int add_server(struct pc_stack *st, const struct pc_addr *server, uint64_t until_ns)
{
	int rc = names_add_server(&st->ip.names, server, NAMES_ANYPORT, until_ns, st->ctx.now_ns);

	if (rc == 0)
		return 0;
	errno = -rc;
	return -1;
}

static int add_domain(struct pc_stack *st, const char *domain, uint64_t until_ns)
{
	int rc = names_add_domain(&st->ip.names, domain, until_ns, st->ctx.now_ns);

	if (rc == 0)
		return 0;
	errno = -rc;
	return -1;
}

int pc_stack_add_dns(struct pc_stack *st, const struct pc_addr *server)
{
	return add_server(st, server, UINT64_MAX);
}

int pc_stack_del_dns(struct pc_stack *st, const struct pc_addr *server)
{
	return add_server(st, server, 0);
}

unsigned pc_stack_get_dns(const struct pc_stack *st, struct pc_addr *servers, unsigned n)
{
	const struct names *names = &st->ip.names;
	unsigned found = 0;

	for (unsigned i = 0; i < names->nb_servers; i++) {
		if (names->server[i].until_ns <= st->ctx.now_ns)
			continue;
		if (found < n)
			servers[found] = names->server[i].addr;
		found++;
	}
	return found;
}

uint32_t pc_stack_dns_scope(const struct pc_stack *st, const struct pc_addr *server)
{
	const struct names *names = &st->ip.names;

	for (unsigned i = 0; i < names->nb_servers && pc_addr_is_link_local(server); i++)
		if (pc_addr_equal(&names->server[i].addr, server) &&
		    names->server[i].netif != NAMES_ANYPORT)
			return names->server[i].netif + 1u;
	return 0;
}

int pc_stack_add_search(struct pc_stack *st, const char *domain)
{
	return add_domain(st, domain, UINT64_MAX);
}

int pc_stack_del_search(struct pc_stack *st, const char *domain)
{
	return add_domain(st, domain, 0);
}

unsigned pc_stack_get_search(const struct pc_stack *st, char (*domains)[PC_DOMAIN_MAX + 1],
                             unsigned n)
{
	const struct names *names = &st->ip.names;
	unsigned found = 0;

	for (unsigned i = 0; i < names->nb_domains; i++) {
		if (names->domain[i].until_ns <= st->ctx.now_ns)
			continue;
		if (found < n)
			strcpy(domains[found], names->domain[i].name);
		found++;
	}
	return found;
}
