/* SPDX-License-Identifier: BSD-2-Clause */
/* A stack's name servers and search domains; see percore/stack.h and ip/names.h. */
#include <errno.h>
#include <string.h>

#include "stack/stack.h"

int pc_stack_add_dns(struct pc_stack *st, const struct pc_addr *server)
{
	return stack_fail(
	    names_add_server(&st->ip.names, server, NAMES_ANYPORT, UINT64_MAX, st->ctx.now_ns));
}

int pc_stack_add_port_dns(struct pc_stack *st, int port, const struct pc_addr *server)
{
	if (port < 0 || port >= st->ip.ifs.n)
		return stack_fail(-EINVAL);
	return stack_fail(
	    names_add_server(&st->ip.names, server, (uint8_t)port, UINT64_MAX, st->ctx.now_ns));
}

int pc_stack_del_dns(struct pc_stack *st, const struct pc_addr *server)
{
	return stack_fail(
	    names_add_server(&st->ip.names, server, NAMES_ANYPORT, 0, st->ctx.now_ns));
}

unsigned pc_stack_get_dns(const struct pc_stack *st, struct pc_addr *servers, unsigned n)
{
	const struct names *names = &st->ip.names;
	unsigned found = 0;

	for (unsigned i = 0; i < names->servers.n; i++) {
		if (names->servers.until_ns[i] <= st->ctx.now_ns)
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

	for (unsigned i = 0; i < names->servers.n && pc_addr_is_link_local(server); i++)
		if (pc_addr_equal(&names->server[i].addr, server) &&
		    names->server[i].netif != NAMES_ANYPORT)
			return names->server[i].netif + 1u;
	return 0;
}

void pc_stack_sort(struct pc_stack *st, struct pc_endpoint *addrs, unsigned n)
{
	ip_sort(&st->ip, addrs, n);
}

int pc_stack_add_search(struct pc_stack *st, const char *domain)
{
	return stack_fail(names_add_domain(&st->ip.names, domain, UINT64_MAX, st->ctx.now_ns));
}

int pc_stack_del_search(struct pc_stack *st, const char *domain)
{
	return stack_fail(names_add_domain(&st->ip.names, domain, 0, st->ctx.now_ns));
}

unsigned pc_stack_get_search(const struct pc_stack *st, char (*domains)[PC_DOMAIN_MAX + 1],
                             unsigned n)
{
	const struct names *names = &st->ip.names;
	unsigned found = 0;

	for (unsigned i = 0; i < names->domains.n; i++) {
		if (names->domains.until_ns[i] <= st->ctx.now_ns)
			continue;
		if (found < n)
			strcpy(domains[found], names->domain[i]);
		found++;
	}
	return found;
}
