/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOCK_SOCK_H
#define SOCK_SOCK_H

/*
 * The socket layer: descriptors, and the public calls on them.
 *
 * A descriptor is computed, not looked up: the epoll sets come first, then the UDP sockets, then
 * the TCBs, each in pool order.  So a descriptor is in use exactly when its pool element is, takes
 * no memory, and cannot be allocated twice.  0 is never a descriptor.
 */

#include <errno.h>
#include <stdbool.h>

#include <percore/socket.h>

#include "base/ctx.h"
#include "event/event.h"
#include "ip/ip.h"
#include "tcp/tcp.h"
#include "udp/udp.h"

/** The part of a stack that the calls need; struct pc_stack begins with it. */
struct sockets {
	struct ctx *ctx;
	struct ip *ip;
	struct events *ev;
	struct udp *udp;
	struct tcp *tcp;
	uint32_t first_udp; /* descriptor of UDP socket 0 */
	uint32_t first_tcp; /* descriptor of TCB 0, which does not exist */
	uint32_t end;       /* the largest descriptor + 1 */
};

/** An open socket; exactly one of the two is set. */
struct sock_ref {
	struct tcb *tcp;
	struct udp_sock *udp;
	uint32_t index; /* of its pool */
};

/** sockets_layout computes the descriptor ranges from the settings. */
void sockets_layout(struct sockets *s, const struct pc_stack_config *cfg);

static inline struct sockets *sockets_of(struct pc_stack *st)
{
	return (struct sockets *)(void *)st;
}

/** sock_find looks up an open socket. Returns false if fd is not one. */
static inline bool sock_find(struct sockets *s, int fd, struct sock_ref *ref)
{
	uint32_t n = (uint32_t)fd;

	*ref = (struct sock_ref){0};
	if (n > s->first_tcp && n < s->end) {
		ref->index = n - s->first_tcp;
		ref->tcp = tcp_tcb(s->tcp, ref->index);
		return ref->tcp->state != TCP_S_FREE && (ref->tcp->flags & TCB_OPEN);
	}
	if (n >= s->first_udp && n <= s->first_tcp) {
		ref->index = n - s->first_udp;
		ref->udp = udp_sock(s->udp, ref->index);
		return ref->udp != NULL;
	}
	return false;
}

/** sock_find_tcb is the fast lookup of an open TCP socket. Returns NULL if fd is not one. */
static inline struct tcb *sock_find_tcb(struct sockets *s, int fd)
{
	uint32_t n = (uint32_t)fd;
	struct tcb *t;

	if (unlikely(n <= s->first_tcp || n >= s->end))
		return NULL;
	t = tcp_tcb(s->tcp, n - s->first_tcp);
	return likely(t->flags & TCB_OPEN) && t->state != TCP_S_FREE ? t : NULL;
}

/** sock_pollable returns the epoll membership of a descriptor's pool element, open or not, or NULL
 * for a descriptor that no socket can have. */
struct pollable *sock_pollable(struct sockets *s, uint32_t fd);

/** sock_mask returns what is ready on an open socket. */
static inline uint32_t sock_mask(const struct sockets *s, const struct sock_ref *ref)
{
	return ref->tcp != NULL ? tcp_mask(s->tcp, ref->tcp) : udp_mask(ref->udp);
}

/** sock_check_connect checks that a socket's state allows a connection attempt. Returns 0 or a
 * negative errno. */
int sock_check_connect(struct tcb *t);

/** sock_is_ip6 says whether a socket was created as AF_INET6. */
static inline bool sock_is_ip6(const struct sock_ref *ref)
{
	return ref->tcp != NULL ? (ref->tcp->flags & TCB_IP6) != 0 : ref->udp->ip6;
}

/** sock_is_v6only says whether a socket does not handle IPv4 at all. */
static inline bool sock_is_v6only(const struct sock_ref *ref)
{
	return ref->tcp != NULL ? (ref->tcp->flags & TCB_V6ONLY) != 0 : ref->udp->v6only;
}

/** What an address is for; Linux's errors depend on it. */
enum sock_use { SOCK_BIND, SOCK_CONNECT, SOCK_SEND };

/** An address passed to a call. */
struct sock_addr {
	struct pc_endpoint e;
	uint16_t laddr; /* link-local with a scope: our address on that link; else LADDR_NONE */
};

/** sock_read_addr reads an address for a socket, checking family, length and scope as Linux does.
 * Returns 0 or a negative errno. */
int sock_read_addr(const struct sockets *s, const struct sock_ref *ref, enum sock_use use,
                   const struct sockaddr *sa, socklen_t len, struct sock_addr *a);

/** sock_write_addr writes an address in the form of a socket's family, with the interface as scope
 * if it is link-local; at most *len bytes, and sets *len to the full size. */
void sock_write_addr(bool ip6, const struct pc_endpoint *e, uint8_t netif, struct sockaddr *sa,
                     socklen_t *len);

/** sock_fail sets errno from a negative errno and returns -1; it returns other values unchanged. */
static inline ssize_t sock_fail(ssize_t result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

#endif
