/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors, and the calls that make, name and end sockets. */

#include "sock/sock.h"

#include <percore/epoll.h>

void sockets_layout(struct sockets *s, const struct pc_stack_config *cfg)
{
	s->first_udp = 1 + (uint32_t)cfg->stack_max_epolls;
	s->first_tcp = s->first_udp + (uint32_t)cfg->stack_max_udp_sockets;
	s->end =
	    s->first_tcp + (uint32_t)(cfg->stack_max_connections + cfg->stack_max_listeners) + 1;
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

static int open_tcp(struct sockets *s, int protocol)
{
	struct tcb *t;

	if (protocol != 0 && protocol != IPPROTO_TCP)
		return -EPROTONOSUPPORT;
	t = tcp_socket(s->tcp);
	return t != NULL ? (int)(s->first_tcp + tcp_index(s->tcp, t)) : -ENFILE;
}

static int open_udp(struct sockets *s, int protocol)
{
	int index;

	if (protocol != 0 && protocol != IPPROTO_UDP)
		return -EPROTONOSUPPORT;
	index = udp_open(s->udp);
	return index >= 0 ? (int)s->first_udp + index : index;
}

int pc_socket(struct pc_stack *st, int domain, int type, int protocol)
{
	struct sockets *s = sockets_of(st);

	if (domain != AF_INET)
		return (int)sock_fail(-EAFNOSUPPORT);
	switch (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) {
	case SOCK_STREAM:
		return (int)sock_fail(open_tcp(s, protocol));
	case SOCK_DGRAM:
		return (int)sock_fail(open_udp(s, protocol));
	case SOCK_RAW:
	case SOCK_RDM:
	case SOCK_SEQPACKET:
	case SOCK_DCCP:
	case SOCK_PACKET:
		return (int)sock_fail(-ESOCKTNOSUPPORT);
	default:
		return (int)sock_fail(-EINVAL);
	}
}

int pc_bind(struct pc_stack *st, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockets *s = sockets_of(st);
	struct pc_endpoint e;
	struct sock_ref ref;
	int err;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	err = pc_endpoint_from_sockaddr(&e, addr, len);
	if (err == 0 && !pc_addr_is_ip4(&e.addr))
		err = -EAFNOSUPPORT;
	if (err == 0)
		err = ref.tcp != NULL ? tcp_bind(s->tcp, ref.tcp, &e)
		                      : udp_bind(s->udp, ref.index, &e);
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
		pc_endpoint_to_sockaddr(&peer, AF_UNSPEC, addr, len);
	}
	return (int)(s->first_tcp + tcp_index(s->tcp, t));
}

/* an attempt that is over tells so once, by its error or, if that was read already, as aborted */
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
	case TCP_S_SYN_SENT:
	case TCP_S_SYN_RECEIVED:
		return -EALREADY;
	default:
		return -EISCONN;
	}
}

static int connect_tcp(struct sockets *s, struct tcb *t, const struct sockaddr *addr, socklen_t len)
{
	int err = sock_check_connect(t);
	struct pc_endpoint e;

	if (err == 0)
		err = pc_endpoint_from_sockaddr(&e, addr, len);
	if (err == 0 && !pc_addr_is_ip4(&e.addr))
		err = -EAFNOSUPPORT;
	if (err == 0)
		err = tcp_connect(s->tcp, t, &e);
	if (err != 0)
		return err < 0 ? err : 0;
	return -EINPROGRESS;
}

int pc_connect(struct pc_stack *st, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockets *s = sockets_of(st);
	struct pc_endpoint e;
	struct sock_ref ref;
	int err;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (len < sizeof(addr->sa_family))
		return (int)sock_fail(-EINVAL);
	if (ref.udp != NULL && addr->sa_family == AF_UNSPEC)
		return (int)sock_fail(udp_connect(s->udp, ref.index, NULL));
	if (ref.tcp != NULL)
		return (int)sock_fail(connect_tcp(s, ref.tcp, addr, len));
	err = pc_endpoint_from_sockaddr(&e, addr, len);
	if (err == 0 && !pc_addr_is_ip4(&e.addr))
		err = -EAFNOSUPPORT;
	if (err == 0)
		err = udp_connect(s->udp, ref.index, &e);
	return (int)sock_fail(err);
}

static int shutdown_udp(struct sockets *s, struct udp_sock *u, uint32_t index, int how)
{
	if (u->remote.port == 0)
		return -ENOTCONN;
	u->rd_shut |= how != SHUT_WR;
	u->wr_shut |= how != SHUT_RD;
	event_notify(s->ev, &u->poll, s->first_udp + index, udp_mask(u));
	return 0;
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

int pc_getsockname(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct sockets *s = sockets_of(st);
	struct pc_endpoint e;
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	e = ref.tcp != NULL ? tcp_local(s->tcp, ref.tcp) : ref.udp->local;
	if (pc_addr_is_any(&e.addr))
		e.addr = pc_addr_ip4(0);
	pc_endpoint_to_sockaddr(&e, AF_UNSPEC, addr, len);
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
	if (ref.tcp != NULL ? !has_peer(ref.tcp) : ref.udp->remote.port == 0)
		return (int)sock_fail(-ENOTCONN);
	e = ref.tcp != NULL ? tcp_remote(ref.tcp) : ref.udp->remote;
	pc_endpoint_to_sockaddr(&e, AF_UNSPEC, addr, len);
	return 0;
}
