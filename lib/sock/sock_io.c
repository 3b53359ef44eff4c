/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that move bytes. */

#include <string.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>
#include <rte_mbuf.h>

#include "sock/ancillary.h"
#include "sock/sock.h"
#include "sock/sock_udp.h"
#include "tcp/account.h"
#include "tcp/fastopen.h"
#include "tcp/urgent.h"

#define IOV_LIMIT 1024

static bool has_kept(const struct sockets *s, const struct tcb *t, uint32_t bit)
{
	return (tcp_tuning(s->tcp, t)->kept.truths & bit) != 0;
}

/* MSG_OOB: the last byte accepted becomes urgent (RFC 9293 MUST-62) */
static ssize_t send_tcp(struct sockets *s, struct tcb *t, const struct iovec *iov, int n, int flags)
{
	ssize_t sent = tcp_send(s->tcp, t, iov, n, flags);

	if (sent > 0 && (flags & MSG_OOB))
		urgent_send(s->tcp, t);
	/* the bytes were copied, as Linux does where it must; report the buffer as free */
	if (sent > 0 && (flags & MSG_ZEROCOPY) && has_kept(s, t, KEPT_ZEROCOPY)) {
		account_of(s->tcp, t)->copies++;
		event_notify(s->ev, &t->poll, s->first_tcp + tcp_index(s->tcp, t), EPOLLERR);
	}
	return sent;
}

/* the error queue of a stream: one message for all calls since the last message */
static ssize_t recv_report(struct sockets *s, const struct sock_ref *ref, struct msghdr *msg)
{
	struct tcp_account *a = account_of(s->tcp, ref->tcp);
	struct ancillary out;

	if (!tcp_has_report(s->tcp, ref->tcp))
		return -EAGAIN;
	out = ancillary_begin(msg);
	ancillary_put_copied(&out, sock_is_ip6(ref), a->copies_told, a->copies - 1);
	a->copies_told = a->copies;
	msg->msg_flags |= MSG_ERRQUEUE;
	msg->msg_namelen = 0;
	return 0;
}

/* TCP_INQ: bytes left to read; 1 at the end of the stream */
static void put_inq(const struct sockets *s, const struct tcb *t, struct msghdr *msg)
{
	struct ancillary out = ancillary_begin(msg);
	int left = (int)t->rcv_bytes;

	if (!has_kept(s, t, KEPT_INQ))
		return;
	if (left == 0 && (t->flags & TCB_FIN_RCVD))
		left = 1;
	ancillary_put(&out, IPPROTO_TCP, TCP_CM_INQ, &left, sizeof(left));
}

/* MSG_OOB: the urgent byte, if it is out of band */
static ssize_t recv_urgent(struct sockets *s, struct tcb *t, struct msghdr *msg, int flags)
{
	const int byte = urgent_take(s->tcp, t, flags & MSG_PEEK);
	size_t i = 0;

	if (byte < 0)
		return byte == -ESHUTDOWN ? 0 : byte;
	while (i < msg->msg_iovlen && msg->msg_iov[i].iov_len == 0)
		i++;
	if (i == msg->msg_iovlen) {
		msg->msg_flags |= MSG_OOB | MSG_TRUNC;
		return 0;
	}
	if (!(flags & MSG_TRUNC))
		*(uint8_t *)msg->msg_iov[i].iov_base = (uint8_t)byte;
	msg->msg_flags |= MSG_OOB;
	return 1;
}

/* MSG_TRUNC: drops what would be read instead of copying it; with MSG_PEEK only counts it */
static ssize_t recv_nowhere(struct sockets *s, struct tcb *t, size_t len, bool peek)
{
	const uint32_t hole = urgent_hole(s->tcp, t);
	uint32_t n = RTE_MIN(t->rcv_bytes - hole, urgent_before(s->tcp, t));

	n = (uint32_t)RTE_MIN(len, (size_t)n);
	if (n == 0)
		return tcp_recv(s->tcp, t, NULL, 0, peek);
	if (!peek)
		(void)tcp_discard(s->tcp, t, hole + n);
	return n;
}

static ssize_t recv_tcp(struct sockets *s, struct tcb *t, struct msghdr *msg, int flags)
{
	if (flags & MSG_OOB)
		return recv_urgent(s, t, msg, flags);
	if (flags & MSG_TRUNC)
		return recv_nowhere(s, t, sock_iov_bytes(msg), flags & MSG_PEEK);
	return tcp_recv(s->tcp, t, msg->msg_iov, (int)msg->msg_iovlen, flags & MSG_PEEK);
}

/* AF_UNSPEC, which dissolves an association in connect(), makes no sense here */
static bool has_no_family(const struct msghdr *msg)
{
	return msg->msg_namelen >= sizeof(sa_family_t) &&
	       ((const struct sockaddr *)msg->msg_name)->sa_family == AF_UNSPEC;
}

/* MSG_FASTOPEN (RFC 7413 appendix A.1): connect() and send() in one */
static ssize_t send_fastopen(struct sockets *s, const struct sock_ref *ref,
                             const struct msghdr *msg)
{
	struct tcb *t = ref->tcp;
	struct sock_addr to;
	int err = sock_check_connect(t);

	if (fastopen_is_deferred(t)) /* connect() has named the peer */
		return tcp_send(s->tcp, t, msg->msg_iov, (int)msg->msg_iovlen, 0);
	if (err == 0 && msg->msg_name == NULL)
		err = -EINVAL;
	else if (err == 0 && has_no_family(msg))
		err = -EOPNOTSUPP;
	if (err == 0)
		tcp_forget_attempt(s->tcp, t);
	if (err == 0)
		err = sock_read_addr(s, ref, SOCK_CONNECT, msg->msg_name, msg->msg_namelen, &to);
	if (err != 0)
		return err;
	if (to.laddr != LADDR_NONE)
		t->flow.laddr = to.laddr;
	return tcp_send_fastopen(s->tcp, t, &to.e, msg->msg_iov, (int)msg->msg_iovlen);
}

static ssize_t recv_any(struct sockets *s, const struct sock_ref *ref, struct msghdr *msg,
                        int flags)
{
	ssize_t n;

	msg->msg_flags = 0;
	if (ref->udp != NULL)
		return sock_udp_recv(s, ref, msg, flags);
	if (flags & MSG_ERRQUEUE)
		return recv_report(s, ref, msg);
	msg->msg_namelen = 0; /* as Linux: a stream's sender is its peer */
	n = recv_tcp(s, ref->tcp, msg, flags);
	if (n >= 0)
		put_inq(s, ref->tcp, msg);
	return n;
}

ssize_t pc_recvmsg(struct pc_stack *st, int fd, struct msghdr *msg, int flags)
{
	const socklen_t name_room = msg->msg_namelen;
	const size_t control_room = msg->msg_controllen;
	const int flags_before = msg->msg_flags;
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;
	ssize_t n;

	if (!sock_find(s, fd, &ref))
		return sock_fail(-EBADF);
	if (msg->msg_iovlen > IOV_LIMIT)
		return sock_fail(-EMSGSIZE);
	n = recv_any(s, &ref, msg, flags);
	if (n < 0) { /* as on Linux, the caller can retry with the same msg */
		msg->msg_namelen = name_room;
		msg->msg_controllen = control_room;
		msg->msg_flags = flags_before;
	}
	return sock_fail(n);
}

ssize_t pc_sendmsg(struct pc_stack *st, int fd, const struct msghdr *msg, int flags)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return sock_fail(-EBADF);
	if (msg->msg_iovlen > IOV_LIMIT)
		return sock_fail(-EMSGSIZE);
	if (ref.udp != NULL)
		return sock_fail(flags & MSG_OOB ? -EOPNOTSUPP
		                                 : sock_udp_send(s, &ref, msg, flags));
	if (flags & MSG_FASTOPEN)
		return sock_fail(flags & MSG_OOB ? -EOPNOTSUPP : send_fastopen(s, &ref, msg));
	return sock_fail(send_tcp(s, ref.tcp, msg->msg_iov, (int)msg->msg_iovlen, flags));
}

int pc_recvmmsg(struct pc_stack *st, int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
	unsigned done = 0;

	for (; done < n; done++) {
		ssize_t len = pc_recvmsg(st, fd, &msgs[done].msg_hdr, flags & ~MSG_WAITFORONE);

		if (len < 0)
			break;
		msgs[done].msg_len = (unsigned)len;
	}
	return done > 0 || n == 0 ? (int)done : -1;
}

int pc_sendmmsg(struct pc_stack *st, int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
	unsigned done = 0;

	n = RTE_MIN(n, (unsigned)IOV_LIMIT);
	for (; done < n; done++) {
		ssize_t len = pc_sendmsg(st, fd, &msgs[done].msg_hdr, flags);

		if (len < 0)
			break;
		msgs[done].msg_len = (unsigned)len;
	}
	return done > 0 || n == 0 ? (int)done : -1;
}

ssize_t pc_recvfrom(struct pc_stack *st, int fd, void *buf, size_t len, int flags,
                    struct sockaddr *addr, socklen_t *addrlen)
{
	struct iovec iov = {.iov_base = buf, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_name = addr};
	ssize_t n;

	msg.msg_namelen = addr != NULL && addrlen != NULL ? *addrlen : 0;
	n = pc_recvmsg(st, fd, &msg, flags);
	if (n >= 0 && addr != NULL && addrlen != NULL)
		*addrlen = msg.msg_namelen;
	return n;
}

ssize_t pc_sendto(struct pc_stack *st, int fd, const void *buf, size_t len, int flags,
                  const struct sockaddr *addr, socklen_t addrlen)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_name = (void *)(uintptr_t)addr,
	                     .msg_namelen = addrlen};

	return pc_sendmsg(st, fd, &msg, flags);
}

ssize_t pc_recv(struct pc_stack *st, int fd, void *buf, size_t len, int flags)
{
	struct iovec iov = {.iov_base = buf, .iov_len = len};
	struct sockets *s = sockets_of(st);
	struct tcb *t = sock_find_tcb(s, fd);

	if (likely(t != NULL && (flags & (MSG_TRUNC | MSG_OOB | MSG_ERRQUEUE)) == 0))
		return sock_fail(tcp_recv(s->tcp, t, &iov, 1, flags & MSG_PEEK));
	return pc_recvfrom(st, fd, buf, len, flags, NULL, NULL);
}

ssize_t pc_send(struct pc_stack *st, int fd, const void *buf, size_t len, int flags)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = len};
	struct sockets *s = sockets_of(st);
	struct tcb *t = sock_find_tcb(s, fd);

	if (likely(t != NULL && (flags & (MSG_OOB | MSG_FASTOPEN | MSG_ZEROCOPY)) == 0))
		return sock_fail(tcp_send(s->tcp, t, &iov, 1, flags));
	return pc_sendto(st, fd, buf, len, flags, NULL, 0);
}

/* the vector calls check the descriptor, then the count, then whether there is anything to do */
static ssize_t check_vector(struct pc_stack *st, int fd, const struct iovec *iov, int iovcnt)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov};
	struct sock_ref ref;

	if (!sock_find(sockets_of(st), fd, &ref))
		return sock_fail(-EBADF);
	if (iovcnt < 0 || iovcnt > IOV_LIMIT)
		return sock_fail(-EINVAL);
	msg.msg_iovlen = (size_t)iovcnt;
	return sock_iov_bytes(&msg) > 0;
}

ssize_t pc_readv(struct pc_stack *st, int fd, const struct iovec *iov, int iovcnt)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov,
	                     .msg_iovlen = (size_t)iovcnt};
	ssize_t go = check_vector(st, fd, iov, iovcnt);

	return go > 0 ? pc_recvmsg(st, fd, &msg, 0) : go;
}

ssize_t pc_writev(struct pc_stack *st, int fd, const struct iovec *iov, int iovcnt)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov,
	                     .msg_iovlen = (size_t)iovcnt};
	struct sockets *s = sockets_of(st);
	struct tcb *t = sock_find_tcb(s, fd);
	ssize_t go;

	if (likely(t != NULL && iovcnt > 0 && iovcnt <= IOV_LIMIT && iov[0].iov_len > 0))
		return sock_fail(tcp_send(s->tcp, t, iov, iovcnt, 0));
	go = check_vector(st, fd, iov, iovcnt);
	return go > 0 ? pc_sendmsg(st, fd, &msg, 0) : go;
}

/* Other kinds of sockets, kept out of the fast path. */
static __rte_noinline int recv_mbuf_udp(struct sockets *s, int fd, struct rte_mbuf **m,
                                        struct pc_endpoint *from)
{
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	*m = NULL;
	if (ref.udp->error != 0) {
		int error = ref.udp->error;

		ref.udp->error = 0;
		return (int)sock_fail(-error);
	}
	if (ref.udp->kind == UDP_PACKET && from != NULL)
		*from = (struct pc_endpoint){0};
	*m = udp_recv(s->udp, ref.index, ref.udp->kind == UDP_PACKET ? NULL : from, false);
	return *m != NULL ? 1 : ref.udp->rd_shut ? 0 : (int)sock_fail(-EAGAIN);
}

int pc_recv_mbuf(struct pc_stack *st, int fd, struct rte_mbuf **m, struct pc_endpoint *from)
{
	struct sockets *s = sockets_of(st);
	struct tcb *t = sock_find_tcb(s, fd);

	if (unlikely(t == NULL))
		return recv_mbuf_udp(s, fd, m, from);
	if (from != NULL)
		*from = tcp_remote(t);
	*m = NULL;
	return (int)sock_fail(tcp_recv_mbufs(s->tcp, t, m, 1));
}

static __rte_noinline int recv_mbufs_udp(struct sockets *s, int fd, struct rte_mbuf **m, unsigned n)
{
	unsigned i = 0;
	int rc = 1;

	while (i < n && (rc = recv_mbuf_udp(s, fd, &m[i], NULL)) == 1)
		i++;
	return i > 0 ? (int)i : rc;
}

int pc_recv_mbufs(struct pc_stack *st, int fd, struct rte_mbuf **m, unsigned n)
{
	struct sockets *s = sockets_of(st);
	struct tcb *t = sock_find_tcb(s, fd);

	if (unlikely(t == NULL))
		return recv_mbufs_udp(s, fd, m, n);
	return (int)sock_fail(tcp_recv_mbufs(s->tcp, t, m, n));
}

static __rte_noinline int send_mbuf_udp(struct sockets *s, int fd, struct rte_mbuf *m,
                                        const struct pc_endpoint *to)
{
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (ref.udp->kind != UDP_DATAGRAM)
		return (int)sock_fail(-EOPNOTSUPP);
	return (int)sock_fail(udp_send(s->udp, ref.index, m, to));
}

int pc_send_mbuf(struct pc_stack *st, int fd, struct rte_mbuf *m, const struct pc_endpoint *to)
{
	struct sockets *s = sockets_of(st);
	struct tcb *t = sock_find_tcb(s, fd);

	if (unlikely(t == NULL))
		return send_mbuf_udp(s, fd, m, to);
	return (int)sock_fail(tcp_send_mbuf(s->tcp, t, m));
}

/* As on Linux, a FIN counts as a byte: when it is queued, it is there to be sent and acknowledged. */
static int unacknowledged(const struct tcb *t)
{
	const bool fin =
	    t->state == TCP_S_FIN_WAIT_1 || t->state == TCP_S_CLOSING || t->state == TCP_S_LAST_ACK;

	return (int)t->snd_bytes + fin;
}

static int unsent(const struct tcb *t)
{
	const bool fin = unacknowledged(t) > (int)t->snd_bytes && !(t->flags & TCB_FIN_SENT);

	return (int)tcp_unsent(t) + fin;
}

int pc_ioctl(struct pc_stack *st, int fd, unsigned long request, void *arg)
{
	struct sockets *s = sockets_of(st);
	const struct rte_mbuf *m;
	struct pc_endpoint from;
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	switch (request) {
	case FIONBIO:
		return 0;
	case SIOCINQ:
		if (ref.tcp != NULL && ref.tcp->state == TCP_S_LISTEN)
			return (int)sock_fail(-EINVAL);
		m = ref.udp != NULL ? udp_recv(s->udp, ref.index, &from, true) : NULL;
		*(int *)arg = ref.tcp != NULL ? (int)urgent_inq(s->tcp, ref.tcp)
		              : m             ? (int)m->pkt_len
		                              : 0;
		return 0;
	case SIOCOUTQ:
		if (ref.tcp != NULL && ref.tcp->state == TCP_S_LISTEN)
			return (int)sock_fail(-EINVAL);
		*(int *)arg = ref.tcp != NULL ? unacknowledged(ref.tcp) : 0;
		return 0;
	case SIOCATMARK:
		if (ref.tcp == NULL)
			return (int)sock_fail(-ENOTTY);
		*(int *)arg = urgent_at_mark(s->tcp, ref.tcp);
		return 0;
	case SIOCOUTQNSD:
		if (ref.tcp == NULL || ref.tcp->state == TCP_S_LISTEN)
			return (int)sock_fail(ref.tcp == NULL ? -ENOTTY : -EINVAL);
		*(int *)arg = unsent(ref.tcp);
		return 0;
	default:
		return (int)sock_fail(-ENOTTY);
	}
}
