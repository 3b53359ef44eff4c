/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket options that have no effect here, as a table: what Linux reports for them on a socket that
 * has never used them, and how it refuses them.
 */
#include <string.h>

#include <asm/socket.h>
#include <netinet/tcp.h>

#include "sock/sock_opt.h"

/* missing from older systems' headers; Linux's values */
enum {
	P_SO_NETNS_COOKIE = 71,
	P_SO_RESERVE_MEM = 73,
	P_SO_TXREHASH = 74,
	P_SO_PASSPIDFD = 76,
	P_SO_PEERPIDFD = 77,
	P_SO_PASSRIGHTS = 83,
	P_TCP_SAVED_SYN = 28,
	P_UDP_ENCAP = 100,
};

enum {
	AS_NONE = 1, /* accepted if the value is 0 */
	EMPTY = 2,   /* accepted if there is no value */
};

struct plain {
	int level, name;
	uint8_t of, len; /* len: of the reported value, all zeros */
	uint8_t takes;   /* AS_NONE, EMPTY, or both */
	int16_t get;     /* 0, or the error of a get */
	int16_t set;     /* 0, or the error for other values */
};

#define NOT       (-ENOPROTOOPT)
#define NOT_HERE  (-EOPNOTSUPP)
#define NO_GROUPS OF_TCP, 0, 0, NOT

static const struct plain options[] = {
    {SOL_SOCKET, SO_PASSCRED, OF_ALL, 0, 0, NOT_HERE, NOT_HERE},
    {SOL_SOCKET, SO_PASSSEC, OF_ALL, 0, 0, NOT_HERE, NOT_HERE},
    {SOL_SOCKET, P_SO_PASSPIDFD, OF_ALL, 0, 0, NOT_HERE, NOT_HERE},
    {SOL_SOCKET, P_SO_PASSRIGHTS, OF_ALL, 0, 0, NOT_HERE, NOT_HERE},
    {SOL_SOCKET, SO_ATTACH_FILTER, OF_ALL, 0, 0, 0, NOT}, /* SO_GET_FILTER */
    {SOL_SOCKET, SO_DETACH_FILTER, OF_ALL, 0, 0, NOT, -ENOENT},
    {SOL_SOCKET, SO_CNX_ADVICE, OF_ALL, 0, 0, NOT, 0},
    {SOL_SOCKET, SO_PEERGROUPS, OF_ALL, 0, 0, -ENODATA, NOT},
    {SOL_SOCKET, SO_TXTIME, OF_ALL, 8, 0, 0, -EINVAL},
    {SOL_SOCKET, P_SO_RESERVE_MEM, OF_ALL, 4, 0, 0, NOT_HERE},
    {SOL_SOCKET, P_SO_TXREHASH, OF_OTHERS, 0, 0, NOT_HERE, NOT_HERE},
    {SOL_SOCKET, P_SO_PEERPIDFD, OF_ALL, 0, 0, -ENODATA, NOT},
    {IPPROTO_IP, IP_IPSEC_POLICY, OF_ALL, 0, 0, NOT, NOT_HERE},
    {IPPROTO_IP, IP_UNICAST_IF, OF_ALL, 4, AS_NONE, 0, -EADDRNOTAVAIL},
    {IPPROTO_IP, IP_MULTICAST_IF, OF_TCP, 4, 0, 0, -EINVAL},
    {IPPROTO_IP, IP_ADD_MEMBERSHIP, NO_GROUPS, -EPROTO},
    {IPPROTO_IP, IP_DROP_MEMBERSHIP, NO_GROUPS, -EPROTO},
    {IPPROTO_IP, IP_UNBLOCK_SOURCE, NO_GROUPS, -EINVAL},
    {IPPROTO_IP, IP_BLOCK_SOURCE, NO_GROUPS, -EINVAL},
    {IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, NO_GROUPS, -EINVAL},
    {IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP, NO_GROUPS, -EINVAL},
    {IPPROTO_IP, IP_MSFILTER, OF_TCP, 0, 0, -EINVAL, -EINVAL},
    {IPPROTO_IP, MCAST_JOIN_GROUP, NO_GROUPS, -EINVAL},
    {IPPROTO_IP, MCAST_BLOCK_SOURCE, NO_GROUPS, -EINVAL},
    {IPPROTO_IP, MCAST_UNBLOCK_SOURCE, NO_GROUPS, -EINVAL},
    {IPPROTO_IP, MCAST_LEAVE_GROUP, NO_GROUPS, -EINVAL},
    {IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, NO_GROUPS, -EINVAL},
    {IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, NO_GROUPS, -EINVAL},
    {IPPROTO_IP, MCAST_MSFILTER, OF_TCP, 0, 0, -EINVAL, -EINVAL},
    {IPPROTO_TCP, TCP_TIMESTAMP, OF_TCP, 0, 0, NOT, -EPERM},
    {IPPROTO_TCP, TCP_CC_INFO, OF_TCP, 0, 0, 0, NOT},
    {IPPROTO_TCP, P_TCP_SAVED_SYN, OF_TCP, 0, 0, 0, NOT},
    {IPPROTO_UDP, P_UDP_ENCAP, OF_OTHERS, 4, AS_NONE, 0, NOT},
    {IPPROTO_IPV6, IPV6_2292PKTOPTIONS, OF_TCP, 0, 0, 0, 0},
    {IPPROTO_IPV6, IPV6_2292PKTOPTIONS, OF_OTHERS, 0, 0, NOT, 0},
    {IPPROTO_IPV6, IPV6_JOIN_GROUP, NO_GROUPS, -EINVAL},
    {IPPROTO_IPV6, IPV6_LEAVE_GROUP, NO_GROUPS, -EINVAL},
    {IPPROTO_IPV6, IPV6_IPSEC_POLICY, OF_ALL, 0, 0, NOT, NOT_HERE},
    {IPPROTO_IPV6, MCAST_JOIN_GROUP, NO_GROUPS, -EINVAL},
    {IPPROTO_IPV6, MCAST_BLOCK_SOURCE, NO_GROUPS, -EINVAL},
    {IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE, NO_GROUPS, -EINVAL},
    {IPPROTO_IPV6, MCAST_LEAVE_GROUP, NO_GROUPS, -EINVAL},
    {IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, NO_GROUPS, -EINVAL},
    {IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, NO_GROUPS, -EINVAL},
    {IPPROTO_IPV6, MCAST_MSFILTER, OF_TCP, 0, 0, -EINVAL, -EINVAL},
    {IPPROTO_IPV6, IPV6_HOPOPTS, OF_ALL, 0, EMPTY, 0, -EINVAL},
    {IPPROTO_IPV6, IPV6_RTHDRDSTOPTS, OF_ALL, 0, EMPTY, 0, -EINVAL},
    {IPPROTO_IPV6, IPV6_RTHDR, OF_ALL, 0, EMPTY, 0, -EINVAL},
    {IPPROTO_IPV6, IPV6_DSTOPTS, OF_ALL, 0, EMPTY, 0, -EINVAL},
    {IPPROTO_IPV6, IPV6_UNICAST_IF, OF_ALL, 4, AS_NONE, 0, -EADDRNOTAVAIL},
};

static const struct plain *find(const struct sock_ref *ref, int level, int name)
{
	for (size_t i = 0; i < RTE_DIM(options); i++)
		if (options[i].level == level && options[i].name == name &&
		    sock_option_is_of(ref, level, options[i].of))
			return &options[i];
	return NULL;
}

static int tell(const void *from, size_t size, void *value, socklen_t *len)
{
	*len = (socklen_t)RTE_MIN((size_t)*len, size);
	memcpy(value, from, *len);
	return 0;
}

int sock_plain_get(const struct sock_ref *ref, int level, int name, void *value, socklen_t *len)
{
	/* struct ucred: process 0, no user and no group */
	static const int nobody[3] = {0, -1, -1};
	static const uint64_t zero, one_namespace = 1;
	const struct plain *o = find(ref, level, name);

	if (level == SOL_SOCKET && name == SO_PEERCRED)
		return tell(nobody, sizeof(nobody), value, len);
	if (level == SOL_SOCKET && name == P_SO_NETNS_COOKIE)
		return *len == sizeof(one_namespace)
		           ? tell(&one_namespace, sizeof(one_namespace), value, len)
		           : -EINVAL;
	if (o == NULL)
		return -ENOPROTOOPT;
	if (level == IPPROTO_IP && (o->takes & AS_NONE) && *len < sizeof(int))
		*len = RTE_MIN(*len, 1u); /* as on Linux, a byte if there is no room for an int */
	return o->get != 0 ? o->get : tell(&zero, o->len, value, len);
}

int sock_plain_set(const struct sock_ref *ref, int level, int name, const void *value,
                   socklen_t len)
{
	const struct plain *o = find(ref, level, name);
	int number;

	if (o == NULL)
		return -ENOPROTOOPT;
	if ((o->takes & EMPTY) && len == 0)
		return 0;
	if ((o->takes & AS_NONE) && len < sizeof(number))
		return -EINVAL;
	if (o->takes & AS_NONE) {
		memcpy(&number, value, sizeof(number));
		if (number == 0)
			return 0;
	}
	return o->set;
}
