/* SPDX-License-Identifier: BSD-2-Clause */

/* Configures a stack by DHCPv6: addresses, name servers, search list; see percore/dhcp6.h. */

#include <errno.h>
#include <string.h>

#include "dhcp/client6.h"
#include "dhcp/search.h"

static bool are_same_names(const struct pc_dhcp6_info *a, const struct pc_dhcp6_info *b)
{
	return a->nb_dns == b->nb_dns &&
	       memcmp(a->dns, b->dns, a->nb_dns * sizeof(a->dns[0])) == 0 &&
	       strcmp(a->search, b->search) == 0;
}

void lease6_apply_names(struct pc_stack *st, int port, const struct pc_dhcp6_info *old,
                        const struct pc_dhcp6_info *info)
{
	if (old != NULL && info != NULL && are_same_names(old, info))
		return;
	for (unsigned i = 0; old != NULL && i < old->nb_dns; i++)
		pc_stack_del_dns(st, &old->dns[i]);
	if (old != NULL)
		search_each(st, old->search, pc_stack_del_search);
	for (unsigned i = 0; info != NULL && i < info->nb_dns; i++)
		pc_stack_add_port_dns(st, port, &info->dns[i]);
	if (info != NULL)
		search_each(st, info->search, pc_stack_add_search);
}

int pc_dhcp6_apply(struct pc_stack *st, int port, const struct pc_dhcp6_info *old,
                   const struct pc_dhcp6_info *info)
{
	int rc = 0;

	lease6_apply_names(st, port, old, info);
	for (unsigned i = 0; old != NULL && i < old->nb_addrs; i++)
		if (info == NULL || !pc_dhcp6_has(info, &old->addr[i].addr))
			ip_end_lease(&st->ip, port, &old->addr[i].addr);
	for (unsigned i = 0; info != NULL && i < info->nb_addrs; i++) {
		const struct pc_dhcp6_addr *a = &info->addr[i];
		const int place = ip_lease_addr(&st->ip, port,
		                                &(struct ip_lease){.addr = a->addr,
		                                                   .preferred_ns = a->preferred_ns,
		                                                   .valid_ns = a->valid_ns,
		                                                   .tried = true});

		if (place < 0)
			rc = place;
	}
	return rc < 0 ? stack_fail(rc) : 0;
}
