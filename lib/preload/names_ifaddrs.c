/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of getifaddrs(), and of if_nametoindex() for the interfaces in its list.
 *
 * Servers that bind to each address of the machine (named) learn them here. The stack's addresses,
 * which belong to no kernel interface, are put in front of the kernel's, on interfaces percore0 and
 * so on, one per port.
 */
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"
#include "names.h"
#include "one_core.h"
#include "real.h"

#define MOST   64
#define PREFIX "percore" /* and the port's number: the name of an interface */

/** A list given to the program that begins with our entries. */
struct found {
	struct found *next;
	struct ifaddrs *of_libc; /* the C library's list, which follows them */
	struct entry {
		struct ifaddrs ifa;
		struct sockaddr_storage addr, mask, broadcast;
		char name[IFNAMSIZ];
	} entry[];
};

static struct {
	pthread_mutex_t lock;
	struct found *first;
} lists = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void fill(struct sockaddr_storage *to, bool ip6, const void *bytes)
{
	if (ip6) {
		struct sockaddr_in6 *a = (struct sockaddr_in6 *)to;

		a->sin6_family = AF_INET6;
		memcpy(&a->sin6_addr, bytes, sizeof(a->sin6_addr));
	} else {
		struct sockaddr_in *a = (struct sockaddr_in *)to;

		a->sin_family = AF_INET;
		memcpy(&a->sin_addr, bytes, sizeof(a->sin_addr));
	}
}

/* RFC 4007: a link-local address cannot be bound without its link, which is the port's number + 1. */
static void add_scope(struct entry *e, const struct pcx_local *l)
{
	struct sockaddr_in6 *a = (struct sockaddr_in6 *)&e->addr;

	if (IN6_IS_ADDR_LINKLOCAL(&a->sin6_addr))
		a->sin6_scope_id = l->port + 1u;
}

static void add_broadcast(struct entry *e, const struct pcx_local *l, const uint8_t *mask)
{
	uint8_t bytes[4];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(l->addr[i] | ~mask[i]);
	fill(&e->broadcast, false, bytes);
	e->ifa.ifa_broadaddr = (struct sockaddr *)&e->broadcast;
}

static void make_entry(struct entry *e, const struct pcx_local *l, struct ifaddrs *next)
{
	uint8_t mask[16] = {0};

	for (unsigned bit = 0; bit < l->prefix && bit < 128; bit++)
		mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	fill(&e->addr, l->family == AF_INET6, l->addr);
	fill(&e->mask, l->family == AF_INET6, mask);
	(void)snprintf(e->name, sizeof(e->name), PREFIX "%u", l->port);
	e->ifa = (struct ifaddrs){.ifa_next = next,
	                          .ifa_name = e->name,
	                          .ifa_flags = IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST,
	                          .ifa_addr = (struct sockaddr *)&e->addr,
	                          .ifa_netmask = (struct sockaddr *)&e->mask};
	if (l->family == AF_INET6)
		add_scope(e, l);
	else if (l->prefix < 31)
		add_broadcast(e, l, mask);
}

/* Puts our entries in front. If there is no memory, the list stays as it is. */
static void prepend(struct ifaddrs **list)
{
	struct pcx_local local[MOST];
	const int told = pcx_locals(local, MOST);
	const unsigned n = told > 0 ? (unsigned)told : 0;
	struct found *f = n > 0 ? calloc(1, sizeof(*f) + n * sizeof(f->entry[0])) : NULL;

	if (f == NULL)
		return;
	f->of_libc = *list;
	for (unsigned i = n; i-- > 0;) {
		make_entry(&f->entry[i], &local[i], *list);
		*list = &f->entry[i].ifa;
	}
	pthread_mutex_lock(&lists.lock);
	f->next = lists.first;
	lists.first = f;
	pthread_mutex_unlock(&lists.lock);
}

NAME(int, getifaddrs, (struct ifaddrs * *list))
{
	static int (*next)(struct ifaddrs **);
	int rc;

	if (next == NULL)
		*(void **)&next = real_find("getifaddrs");
	rc = next(list);
	if (rc == 0 && !one_core_is_stacks() && choose_attach())
		prepend(list);
	return rc;
}

static struct found *take_list(struct ifaddrs *list)
{
	struct found **link, *f;

	pthread_mutex_lock(&lists.lock);
	for (link = &lists.first; *link != NULL && &(*link)->entry[0].ifa != list;
	     link = &(*link)->next)
		continue;
	f = *link;
	if (f != NULL)
		*link = f->next;
	pthread_mutex_unlock(&lists.lock);
	return f;
}

NAME(void, freeifaddrs, (struct ifaddrs * list))
{
	static void (*next)(struct ifaddrs *);
	struct found *f = take_list(list);

	if (next == NULL)
		*(void **)&next = real_find("freeifaddrs");
	next(f != NULL ? f->of_libc : list);
	free(f);
}

/* Returns the number of a port that has an address, by its name in the list, or -1. */
static int port_of(const char *name)
{
	struct pcx_local local[MOST];
	char ours[IFNAMSIZ];
	int n;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || one_core_is_stacks() || !choose_attach())
		return -1;
	n = pcx_locals(local, MOST);
	for (int i = 0; i < n; i++) {
		(void)snprintf(ours, sizeof(ours), PREFIX "%u", local[i].port);
		if (strcmp(name, ours) == 0)
			return local[i].port;
	}
	return -1;
}

/* Numbers of interfaces go to percore's sockets, which count them from 1 for port 0. */
NAME(unsigned, if_nametoindex, (const char *name))
{
	static unsigned (*next)(const char *);
	const int port = port_of(name);

	if (next == NULL)
		*(void **)&next = real_find("if_nametoindex");
	return port >= 0 ? (unsigned)port + 1 : next(name);
}
