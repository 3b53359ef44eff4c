/* SPDX-License-Identifier: BSD-2-Clause */
#define WT_IP6_C
#include "wt_ip6.h"

#include "frame6.h"

bool wt_ip6;

int wt_socket(struct pc_stack *st, int domain, int type, int protocol)
{
	return pc_socket(st, domain == AF_INET && wt_ip6 ? AF_INET6 : domain, type, protocol);
}

/* Makes the IPv6 address for an IPv4 one, if that is complete. Returns the new length. */
static socklen_t to6(const struct sockaddr *sa, socklen_t len, struct sockaddr_in6 *in6)
{
	struct sockaddr_in in;
	struct pc_addr a;

	if (!wt_ip6 || sa == NULL || len < sizeof(in) || sa->sa_family != AF_INET)
		return 0;
	memcpy(&in, sa, sizeof(in));
	*in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = in.sin_port};
	a = addr6_of4(in.sin_addr.s_addr);
	if (in.sin_addr.s_addr != INADDR_ANY)
		memcpy(&in6->sin6_addr, a.b, 16);
	return sizeof(*in6);
}

static void to4(const struct sockaddr_in6 *in6, struct sockaddr *sa, socklen_t *len)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = in6->sin6_port};

	memcpy(&in.sin_addr, in6->sin6_addr.s6_addr + 12, 4);
	memcpy(sa, &in, *len < sizeof(in) ? *len : sizeof(in));
	*len = sizeof(in);
}

int wt_bind(struct pc_stack *st, int fd, const struct sockaddr *sa, socklen_t len)
{
	struct sockaddr_in6 in6;
	const socklen_t n = to6(sa, len, &in6);

	return n != 0 ? pc_bind(st, fd, (struct sockaddr *)&in6, n) : pc_bind(st, fd, sa, len);
}

int wt_connect(struct pc_stack *st, int fd, const struct sockaddr *sa, socklen_t len)
{
	struct sockaddr_in6 in6;
	const socklen_t n = to6(sa, len, &in6);

	return n != 0 ? pc_connect(st, fd, (struct sockaddr *)&in6, n)
	              : pc_connect(st, fd, sa, len);
}

ssize_t wt_sendto(struct pc_stack *st, int fd, const void *p, size_t n, int flags,
                  const struct sockaddr *sa, socklen_t len)
{
	struct sockaddr_in6 in6;
	const socklen_t n6 = to6(sa, len, &in6);

	return n6 != 0 ? pc_sendto(st, fd, p, n, flags, (struct sockaddr *)&in6, n6)
	               : pc_sendto(st, fd, p, n, flags, sa, len);
}

/* Makes a call that fills in an address. */
static int fill(int (*call)(struct pc_stack *, int, struct sockaddr *, socklen_t *),
                struct pc_stack *st, int fd, struct sockaddr *sa, socklen_t *len)
{
	struct sockaddr_in6 in6;
	socklen_t n = sizeof(in6);
	int rc;

	if (!wt_ip6 || sa == NULL)
		return call(st, fd, sa, len);
	rc = call(st, fd, (struct sockaddr *)&in6, &n);
	if (rc >= 0)
		to4(&in6, sa, len);
	return rc;
}

int wt_accept_from(struct pc_stack *st, int fd, struct sockaddr *sa, socklen_t *len)
{
	return fill(pc_accept, st, fd, sa, len);
}

int wt_getsockname(struct pc_stack *st, int fd, struct sockaddr *sa, socklen_t *len)
{
	return fill(pc_getsockname, st, fd, sa, len);
}

int wt_getpeername(struct pc_stack *st, int fd, struct sockaddr *sa, socklen_t *len)
{
	return fill(pc_getpeername, st, fd, sa, len);
}

int wt_recv_mbuf(struct pc_stack *st, int fd, struct rte_mbuf **m, struct pc_endpoint *from)
{
	const int rc = pc_recv_mbuf(st, fd, m, from);

	if (wt_ip6 && rc == 1 && from != NULL)
		from->addr = pc_addr_ip4(from->addr.w[3]);
	return rc;
}
