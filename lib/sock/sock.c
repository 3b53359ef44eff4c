/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors, and the calls that make, name and end sockets. */

#include "sock/sock.h"

#include <string.h>

#include <percore/epoll.h>

#include "sock/sock_raw.h"
#include "tcp/fastopen.h"

void sockets_layout(struct sockets *s, const struct pc_stack_config *cfg)
{
	s->first_udp = 1 + (uint32_t)cfg->stack_max_epolls;
	s->first_tcp = s->first_udp + (uint32_t)cfg->stack_max_udp_sockets;
	s->end =
	    s->first_tcp + (uint32_t)(cfg->stack_max_connections + cfg->stack_max_listeners) + 1;
}

uint32_t pc_fd_limit(const struct pc_stack *st)
{
	return ((const struct sockets *)(const void *)st)->end;
}

struct pollable *sock_pollable(struct sockets *s, uint32_t fd)
{
	struct udp_sock *u;

	if (fd > s->first_tcp && fd < s->end)
		return &tcp_tcb(s->tcp, fd - s->first_tcp)->poll;
	if (fd < s->first_udp || fd > s->first_tcp)
		return NULL;
	u = udp_sock_slot(s->udp, fd - s->first_udp);
	return u != NULL ? &u->poll : NULL;
}

static int open_tcp(struct sockets *s, int protocol, bool ip6)
{
	struct tcb *t;

	if (protocol != 0 && protocol != IPPROTO_TCP)
		return -EPROTONOSUPPORT;
	t = tcp_socket(s->tcp);
	if (t == NULL)
		return -ENFILE;
	t->flags |= ip6 ? (uint32_t)TCB_IP6 : 0;
	return (int)(s->first_tcp + tcp_index(s->tcp, t));
}

static int open_udp(struct sockets *s, int protocol, bool ip6)
{
	int index;

	if (protocol != 0 && protocol != IPPROTO_UDP)
		return -EPROTONOSUPPORT;
	index = udp_open(s->udp);
	if (index < 0)
		return index;
	udp_sock(s->udp, (uint32_t)index)->ip6 = ip6;
	udp_sock(s->udp, (uint32_t)index)->group_all = !ip6; /* as on Linux */
	return (int)s->first_udp + index;
}

int pc_socket(struct pc_stack *st, int domain, int type, int protocol)
{
	struct sockets *s = sockets_of(st);
	const bool ip6 = domain == AF_INET6;

	if (domain != AF_INET && domain != AF_INET6 && domain != AF_PACKET)
		return (int)sock_fail(-EAFNOSUPPORT);
	if (domain == AF_PACKET)
		return (int)sock_fail(
		    sock_raw_open(s, domain, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol));
	switch (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) {
	case SOCK_STREAM:
		return (int)sock_fail(open_tcp(s, protocol, ip6));
	case SOCK_DGRAM:
		return (int)sock_fail(open_udp(s, protocol, ip6));
	case SOCK_RAW:
		return (int)sock_fail(sock_raw_open(s, domain, SOCK_RAW, protocol));
	case SOCK_RDM:
	case SOCK_SEQPACKET:
	case SOCK_DCCP:
	case SOCK_PACKET:
		return (int)sock_fail(-ESOCKTNOSUPPORT);
	default:
		return (int)sock_fail(-EINVAL);
	}
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* checks the family of an address for a socket: 0 or a negative errno */
static int check_family(const struct sock_ref *ref, enum sock_use use, sa_family_t family,
                        socklen_t len)
{
	const bool mixes = ref->udp != NULL && use != SOCK_BIND; /* AF_INET to an AF_INET6 socket */

	if (!sock_is_ip6(ref)) {
		if (len < sizeof(struct sockaddr_in))
			return -EINVAL;
		if (family == AF_UNSPEC && use != SOCK_CONNECT) /* Linux treats it as AF_INET */
			return 0;
		return family == AF_INET ? 0 : -EAFNOSUPPORT;
	}
	if (family == AF_INET && mixes) {
		if (len < sizeof(struct sockaddr_in))
			return -EINVAL;
		if (!sock_is_v6only(ref))
			return 0;
		return use == SOCK_SEND ? -ENETUNREACH : -EAFNOSUPPORT;
	}
	if (len < offsetof(struct sockaddr_in6, sin6_scope_id))
		return -EINVAL;
	if (family != AF_INET6)
		return use == SOCK_SEND ? -EINVAL : -EAFNOSUPPORT;
	return 0;
}

/* RFC 4007: a link-local address needs its link; a scope is an interface's number + 1 */
static int read_scope(const struct sockets *s, const struct sock_ref *ref, enum sock_use use,
                      const struct sockaddr *sa, socklen_t len, struct sock_addr *a)
{
	const struct netifs *ifs = &s->ip->ifs;
	const uint16_t laddr = ref->tcp != NULL ? ref->tcp->flow.laddr : ref->udp->laddr;
	uint32_t scope = 0;

	if (len >= sizeof(struct sockaddr_in6))
		memcpy(&scope, (const char *)sa + offsetof(struct sockaddr_in6, sin6_scope_id),
		       sizeof(scope));
	if (scope == 0) /* a bound address may imply it */
		return use != SOCK_BIND && laddr != LADDR_NONE &&
		               pc_addr_is_link_local(ip_laddr(s->ip, laddr))
		           ? 0
		           : -EINVAL;
	if (scope > ifs->n || ifs->netif[scope - 1].link_local == LADDR_NONE)
		return use == SOCK_BIND ? -ENODEV : -EINVAL;
	if (laddr != LADDR_NONE && ifs->addr[laddr].netif != scope - 1)
		return -EINVAL;
	if (laddr == LADDR_NONE)
		a->laddr = ifs->netif[scope - 1].link_local;
	return 0;
}

/* Says whether a socket's own address is one of IPv4. */
static bool speaks_ip4(const struct sockets *s, const struct sock_ref *ref)
{
	const uint16_t laddr = ref->tcp != NULL ? ref->tcp->flow.laddr : ref->udp->laddr;

	return laddr != LADDR_NONE && pc_addr_is_ip4(ip_laddr(s->ip, laddr));
}

/* As on Linux, the unspecified address as a destination means this host. */
static struct pc_addr this_host(const struct sockets *s, const struct sock_ref *ref,
                                const struct pc_addr *any)
{
	const uint16_t laddr = ref->tcp != NULL ? ref->tcp->flow.laddr : ref->udp->laddr;

	if (pc_addr_is_ip4(any))
		return *ip_laddr(s->ip, speaks_ip4(s, ref) ? laddr : LADDR_LO4);
	return *ip_laddr(s->ip, speaks_ip4(s, ref) ? LADDR_LO4 : LADDR_LO6);
}

int sock_read_addr(const struct sockets *s, const struct sock_ref *ref, enum sock_use use,
                   const struct sockaddr *sa, socklen_t len, struct sock_addr *a)
{
	int err = sa == NULL || len < sizeof(sa->sa_family)
	              ? -EINVAL
	              : check_family(ref, use, sa->sa_family, len);

	struct sockaddr_in in;

	a->laddr = LADDR_NONE;
	if (err == 0 && sa->sa_family == AF_UNSPEC) {
		memcpy(&in, sa, sizeof(in));
		if (use == SOCK_BIND && in.sin_addr.s_addr != INADDR_ANY) /* only this one */
			return -EAFNOSUPPORT;
		in.sin_family = AF_INET;
		sa = (const struct sockaddr *)&in;
	}
	if (err == 0)
		err = pc_endpoint_from_sockaddr(&a->e, sa, len);
	if (err != 0)
		return err;
	if (sock_is_v6only(ref) && pc_addr_is_ip4(&a->e.addr))
		return use == SOCK_BIND ? -EINVAL : -ENETUNREACH;
	if (use != SOCK_BIND && pc_addr_is_any(&a->e.addr))
		a->e.addr = this_host(s, ref, &a->e.addr);
	if (use != SOCK_BIND && !pc_addr_is_ip4(&a->e.addr) && speaks_ip4(s, ref))
		return -EAFNOSUPPORT;
	if (sa->sa_family == AF_INET6 && pc_addr_is_link_local(&a->e.addr))
		return read_scope(s, ref, use, sa, len, a);
	return 0;
}

void sock_write_addr(bool ip6, const struct pc_endpoint *e, uint8_t netif, struct sockaddr *sa,
                     socklen_t *len)
{
	struct sockaddr_in6 in6;
	socklen_t full = sizeof(in6);

	if (sa == NULL || !ip6 || !pc_addr_is_link_local(&e->addr)) {
		pc_endpoint_to_sockaddr(e, ip6 ? AF_INET6 : AF_UNSPEC, sa, len);
		return;
	}
	pc_endpoint_to_sockaddr(e, AF_INET6, (struct sockaddr *)&in6, &full);
	in6.sin6_scope_id = netif + 1u;
	memcpy(sa, &in6, RTE_MIN(*len, full));
	*len = full;
}

/* A socket with an address of IPv6 has nothing more to do with IPv4; as on Linux, IPV6_V6ONLY says so. */
static void leave_ip4(const struct sock_ref *ref)
{
	if (ref->tcp != NULL)
		ref->tcp->flags |= TCB_V6ONLY;
	else
		ref->udp->v6only = true;
}

int pc_bind(struct pc_stack *st, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockets *s = sockets_of(st);
	struct sock_addr a;
	struct sock_ref ref;
	int err;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (!sock_is_plain(&ref))
		return (int)sock_fail(sock_raw_bind(s, &ref, addr, len));
	err = sock_read_addr(s, &ref, SOCK_BIND, addr, len, &a);
	if (err == 0)
		err = ref.tcp != NULL ? tcp_bind(s->tcp, ref.tcp, &a.e)
		                      : udp_bind(s->udp, ref.index, &a.e);
	if (err == 0 && !pc_addr_is_any(&a.e.addr) && !pc_addr_is_ip4(&a.e.addr))
		leave_ip4(&ref);
	return (int)sock_fail(err);
}

int pc_listen(struct pc_stack *st, int fd, int backlog)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (ref.tcp == NULL)
		return (int)sock_fail(-EOPNOTSUPP);
	return (int)sock_fail(tcp_listen(s->tcp, ref.tcp, backlog));
}

int pc_accept(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct sockets *s = sockets_of(st);
	struct pc_endpoint peer;
	struct sock_ref ref;
	struct tcb *t;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (ref.tcp == NULL)
		return (int)sock_fail(-EOPNOTSUPP);
	if (ref.tcp->state != TCP_S_LISTEN)
		return (int)sock_fail(-EINVAL);
	t = tcp_accept(s->tcp, ref.tcp);
	if (t == NULL)
		return (int)sock_fail(-EAGAIN);
	if (addr != NULL) {
		peer = tcp_remote(t);
		sock_write_addr(sock_is_ip6(&ref), &peer, t->netif, addr, len);
	}
	return (int)(s->first_tcp + tcp_index(s->tcp, t));
}

/* reports once that an attempt is over: its error or, if that was read already, ECONNABORTED */
static int end_of_attempt(struct tcb *t)
{
	int error = tcp_take_error(t);

	t->flags &= ~(uint32_t)TCB_CONNECTING;
	return error != 0 ? -error : -ECONNABORTED;
}

int sock_check_connect(struct tcb *t)
{
	switch (t->state) {
	case TCP_S_CLOSED:
		if (t->flags & TCB_CONNECTED)
			return -EISCONN;
		return t->flags & TCB_CONNECTING ? end_of_attempt(t) : 0;
	case TCP_S_SYN_SENT: /* TCP_FASTOPEN_CONNECT: as on Linux, what waits for data is a connection */
		return fastopen_is_deferred(t) ? -EISCONN : -EALREADY;
	case TCP_S_SYN_RECEIVED:
		return -EALREADY;
	default:
		return -EISCONN;
	}
}

static int connect_tcp(struct sockets *s, const struct sock_ref *ref, const struct sockaddr *addr,
                       socklen_t len)
{
	struct tcb *t = ref->tcp;
	int err = sock_check_connect(t);
	struct sock_addr a;

	if (err == 0)
		tcp_forget_attempt(s->tcp, t);
	if (err == 0)
		err = sock_read_addr(s, ref, SOCK_CONNECT, addr, len, &a);
	if (err != 0)
		return err;
	if (a.laddr != LADDR_NONE)
		t->flow.laddr = a.laddr;
	err = tcp_connect(s->tcp, t, &a.e);
	if (err < 0 && a.laddr != LADDR_NONE)
		t->flow.laddr = LADDR_NONE;
	if (err != 0) /* above 0: it waits for the first send (TCP_FASTOPEN_CONNECT) */
		return err < 0 ? err : 0;
	return -EINPROGRESS;
}

static int connect_udp(struct sockets *s, const struct sock_ref *ref, const struct sockaddr *addr,
                       socklen_t len)
{
	struct sock_addr a;
	int err = sock_read_addr(s, ref, SOCK_CONNECT, addr, len, &a);

	return err != 0 ? err : udp_connect(s->udp, ref->index, &a.e, a.laddr);
}

int pc_connect(struct pc_stack *st, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (len < sizeof(addr->sa_family))
		return (int)sock_fail(-EINVAL);
	if (ref.tcp != NULL && addr->sa_family == AF_UNSPEC) {
		tcp_disconnect(s->tcp, ref.tcp);
		return 0;
	}
	if (ref.tcp != NULL)
		return (int)sock_fail(connect_tcp(s, &ref, addr, len));
	if (ref.udp->kind != UDP_DATAGRAM)
		return (int)sock_fail(sock_raw_connect(s, &ref, addr, len));
	if (addr->sa_family == AF_UNSPEC)
		return (int)sock_fail(udp_connect(s->udp, ref.index, NULL, LADDR_NONE));
	return (int)sock_fail(connect_udp(s, &ref, addr, len));
}

/* As on Linux, shutting down a socket without a peer fails, yet takes effect and wakes those that
 * wait for datagrams. */
static int shutdown_udp(struct sockets *s, struct udp_sock *u, uint32_t index, int how)
{
	if (u->kind == UDP_PACKET)
		return -EOPNOTSUPP;
	u->rd_shut |= how != SHUT_WR;
	u->wr_shut |= how != SHUT_RD;
	event_notify(s->ev, &u->poll, s->first_udp + index, udp_mask(u));
	return udp_is_connected(u) ? 0 : -ENOTCONN;
}

int pc_shutdown(struct pc_stack *st, int fd, int how)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return (int)sock_fail(-EINVAL);
	if (ref.udp != NULL)
		return (int)sock_fail(shutdown_udp(s, ref.udp, ref.index, how));
	return (int)sock_fail(tcp_shutdown(s->tcp, ref.tcp, how));
}

int pc_close(struct pc_stack *st, int fd)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;

	if (fd >= 1 && (uint32_t)fd < s->first_udp)
		return pc_epoll_close(st, fd);
	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (ref.tcp != NULL)
		tcp_close(s->tcp, ref.tcp);
	else
		udp_close(s->udp, ref.index);
	return 0;
}

/* the interface of a socket's own address */
static uint8_t netif_of(const struct sockets *s, const struct sock_ref *ref)
{
	const uint16_t laddr = ref->tcp != NULL ? ref->tcp->flow.laddr : ref->udp->laddr;

	return laddr != LADDR_NONE ? s->ip->ifs.addr[laddr].netif : 0;
}

int pc_getsockname(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct sockets *s = sockets_of(st);
	struct pc_endpoint e;
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (ref.udp != NULL && ref.udp->kind == UDP_PACKET) {
		sock_raw_getsockname(s, &ref, addr, len);
		return 0;
	}
	e = ref.tcp != NULL ? tcp_local(s->tcp, ref.tcp) : ref.udp->local;
	if (pc_addr_is_any(&e.addr))
		e.addr = sock_is_ip6(&ref) ? (struct pc_addr){0} : pc_addr_ip4(0);
	sock_write_addr(sock_is_ip6(&ref), &e, netif_of(s, &ref), addr, len);
	return 0;
}

static bool has_peer(const struct tcb *t)
{
	return t->state != TCP_S_CLOSED && t->state != TCP_S_LISTEN && t->state != TCP_S_SYN_SENT;
}

int pc_getpeername(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct sockets *s = sockets_of(st);
	struct pc_endpoint e;
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (ref.tcp != NULL ? !has_peer(ref.tcp) : !udp_is_connected(ref.udp))
		return (int)sock_fail(-ENOTCONN);
	e = ref.tcp != NULL ? tcp_remote(ref.tcp) : ref.udp->remote;
	sock_write_addr(sock_is_ip6(&ref), &e, netif_of(s, &ref), addr, len);
	return 0;
}
