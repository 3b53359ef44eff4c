/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of multicast source filters (RFC 3678 sections 4.2 and 5.2). The C library's make their
 * system calls directly; ours set and get the corresponding options.
 */
#include <netinet/in.h>
#include <string.h>

#include "names.h"
#include "real.h"

#define SOURCES 11 /* one more than the stack accepts, so that it reports too many */

/* A struct group_filter and a struct ip_msfilter with room for that many sources. */
struct group_room {
	struct group_filter head;
	struct sockaddr_storage more[SOURCES - 1];
};

struct msf_room {
	struct ip_msfilter head;
	struct in_addr more[SOURCES - 1];
};

static uint32_t at_most(uint32_t n)
{
	return n < SOURCES ? n : SOURCES;
}

/* Fills in the group. Returns the level, that of the group's family as in the C library, or -1. */
static int begin_group(struct group_room *r, uint32_t interface, const struct sockaddr *group,
                       socklen_t len)
{
	memset(r, 0, sizeof(*r));
	r->head.gf_interface = interface;
	if (len < sizeof(group->sa_family) || len > sizeof(r->head.gf_group)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(&r->head.gf_group, group, len);
	switch (r->head.gf_group.ss_family) {
	case AF_INET:
		return IPPROTO_IP;
	case AF_INET6:
		return IPPROTO_IPV6;
	default:
		errno = EINVAL;
		return -1;
	}
}

NAME(int, setsourcefilter,
     (int fd, uint32_t interface, const struct sockaddr *group, socklen_t len, uint32_t mode,
      uint32_t n, const struct sockaddr_storage *source))
{
	struct group_room r;
	int level;

	if (is_kernels(fd))
		return real_setsourcefilter(fd, interface, group, len, mode, n, source);
	level = begin_group(&r, interface, group, len);
	if (level < 0)
		return -1;
	r.head.gf_fmode = mode;
	r.head.gf_numsrc = n;
	if (n > 0)
		memcpy((char *)&r + GROUP_FILTER_SIZE(0), source, at_most(n) * sizeof(*source));
	return pcx_setsockopt(fd, level, MCAST_MSFILTER, &r,
	                      (socklen_t)GROUP_FILTER_SIZE(at_most(n)));
}

NAME(int, getsourcefilter,
     (int fd, uint32_t interface, const struct sockaddr *group, socklen_t len, uint32_t *mode,
      uint32_t *n, struct sockaddr_storage *source))
{
	struct group_room r;
	socklen_t size = (socklen_t)GROUP_FILTER_SIZE(SOURCES);
	uint32_t told;
	int level;

	if (is_kernels(fd))
		return real_getsourcefilter(fd, interface, group, len, mode, n, source);
	level = begin_group(&r, interface, group, len);
	if (level < 0)
		return -1;
	r.head.gf_numsrc = at_most(*n);
	if (pcx_getsockopt(fd, level, MCAST_MSFILTER, &r, &size) != 0)
		return -1;
	told = *n < r.head.gf_numsrc ? *n : r.head.gf_numsrc;
	*mode = r.head.gf_fmode;
	*n = r.head.gf_numsrc;
	if (told > 0)
		memcpy(source, (const char *)&r + GROUP_FILTER_SIZE(0),
		       at_most(told) * sizeof(*source));
	return 0;
}

NAME(int, setipv4sourcefilter,
     (int fd, struct in_addr interface, struct in_addr group, uint32_t mode, uint32_t n,
      const struct in_addr *source))
{
	struct msf_room r = {.head = {.imsf_multiaddr = group,
	                              .imsf_interface = interface,
	                              .imsf_fmode = mode,
	                              .imsf_numsrc = n}};

	if (is_kernels(fd))
		return real_setipv4sourcefilter(fd, interface, group, mode, n, source);
	if (n > 0)
		memcpy((char *)&r + IP_MSFILTER_SIZE(0), source, at_most(n) * sizeof(*source));
	return pcx_setsockopt(fd, IPPROTO_IP, IP_MSFILTER, &r,
	                      (socklen_t)IP_MSFILTER_SIZE(at_most(n)));
}

NAME(int, getipv4sourcefilter,
     (int fd, struct in_addr interface, struct in_addr group, uint32_t *mode, uint32_t *n,
      struct in_addr *source))
{
	struct msf_room r = {.head = {.imsf_multiaddr = group, .imsf_interface = interface}};
	socklen_t size = (socklen_t)IP_MSFILTER_SIZE(SOURCES);
	uint32_t told;

	if (is_kernels(fd))
		return real_getipv4sourcefilter(fd, interface, group, mode, n, source);
	r.head.imsf_numsrc = at_most(*n);
	if (pcx_getsockopt(fd, IPPROTO_IP, IP_MSFILTER, &r, &size) != 0)
		return -1;
	told = *n < r.head.imsf_numsrc ? *n : r.head.imsf_numsrc;
	*mode = r.head.imsf_fmode;
	*n = r.head.imsf_numsrc;
	if (told > 0)
		memcpy(source, (const char *)&r + IP_MSFILTER_SIZE(0),
		       at_most(told) * sizeof(*source));
	return 0;
}
