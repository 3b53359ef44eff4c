/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOCK_SOCK_H
#define SOCK_SOCK_H

/*
 * The socket layer: descriptors, and the public calls on them.
 *
 * A descriptor is computed, not looked up: the epoll sets come first, then the UDP sockets, then
 * the TCBs, each in the order of its pool.  So a descriptor is in use exactly if its pool element
 * is, costs no memory, and cannot be given out twice.  0 is never a descriptor.
 */

#include <errno.h>
#include <stdbool.h>

#include <percore/socket.h>

#include "base/ctx.h"
#include "event/event.h"
#include "ip/ip.h"
#include "tcp/tcp.h"
#include "udp/udp.h"

/** What the calls need of a stack; struct pc_stack begins with it. */
struct sockets {
	struct ctx *ctx;
	struct ip *ip;
	struct events *ev;
	struct udp *udp;
	struct tcp *tcp;
	uint32_t first_udp; /* descriptor of UDP socket 0 */
	uint32_t first_tcp; /* descriptor of TCB 0, which does not exist */
	uint32_t end;       /* one more than the largest descriptor */
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

/** sock_find looks an open socket up. Returns false when fd is none. */
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

/** sock_find_tcb is the fast way to an open TCP socket, or NULL. */
static inline struct tcb *sock_find_tcb(struct sockets *s, int fd)
{
	uint32_t n = (uint32_t)fd;
	struct tcb *t;

	if (unlikely(n <= s->first_tcp || n >= s->end))
		return NULL;
	t = tcp_tcb(s->tcp, n - s->first_tcp);
	return likely(t->flags & TCB_OPEN) && t->state != TCP_S_FREE ? t : NULL;
}

/** sock_pollable returns the membership of a descriptor's pool element, open or not; NULL for a
 * descriptor that no socket can have. */
struct pollable *sock_pollable(struct sockets *s, uint32_t fd);

/** sock_mask returns what is ready on an open socket. */
static inline uint32_t sock_mask(const struct sockets *s, const struct sock_ref *ref)
{
	return ref->tcp != NULL ? tcp_mask(s->tcp, ref->tcp) : udp_mask(ref->udp);
}

/** sock_check_connect says whether the state of a socket allows a connection attempt: 0, or why not. */
int sock_check_connect(struct tcb *t);

/** sock_is_ip6 says whether a socket was made as AF_INET6. */
static inline bool sock_is_ip6(const struct sock_ref *ref)
{
	return ref->tcp != NULL ? (ref->tcp->flags & TCB_IP6) != 0 : ref->udp->ip6;
}

/** sock_is_v6only says whether a socket has nothing to do with IPv4. */
static inline bool sock_is_v6only(const struct sock_ref *ref)
{
	return ref->tcp != NULL ? (ref->tcp->flags & TCB_V6ONLY) != 0 : ref->udp->v6only;
}

/** What an address is for: Linux's errors differ. */
enum sock_use { SOCK_BIND, SOCK_CONNECT, SOCK_SEND };

/** An address that a call was given. */
struct sock_addr {
	struct pc_endpoint e;
	uint16_t laddr; /* of a link-local one with a scope: our address there; else LADDR_NONE */
};

/** sock_read_addr reads an address for a socket, judging family, length and scope as Linux does.
 * Returns 0 or a negative errno. */
int sock_read_addr(const struct sockets *s, const struct sock_ref *ref, enum sock_use use,
                   const struct sockaddr *sa, socklen_t len, struct sock_addr *a);

/** sock_write_addr writes an address as a socket's family wants it, with the scope of an interface if
 * it is a link-local one; at most *len bytes, and *len becomes the full size. */
void sock_write_addr(bool ip6, const struct pc_endpoint *e, uint8_t netif, struct sockaddr *sa,
                     socklen_t *len);

/** sock_fail sets errno from a negative errno and returns -1; other values pass. */
static inline ssize_t sock_fail(ssize_t result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

#endif
