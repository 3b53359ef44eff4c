/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that move bytes. */

#include <string.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>
#include <rte_mbuf.h>

#include "sock/sock.h"

#define IOV_LIMIT 1024

/* ---- UDP: between datagrams and buffers ------------------------------------------------------ */

static ssize_t udp_copy_out(const struct rte_mbuf *m, const struct iovec *iov, int iovcnt)
{
	uint32_t off = 0;

	for (int i = 0; i < iovcnt && off < m->pkt_len; i++) {
		uint32_t n = (uint32_t)RTE_MIN(iov[i].iov_len, (size_t)(m->pkt_len - off));
		const void *p = n > 0 ? rte_pktmbuf_read(m, off, n, iov[i].iov_base) : NULL;

		if (n > 0 && p != iov[i].iov_base)
			memcpy(iov[i].iov_base, p, n);
		off += n;
	}
	return off;
}

static ssize_t recv_udp(struct sockets *s, const struct sock_ref *ref, struct msghdr *msg,
                        int flags)
{
	struct pc_endpoint from;
	struct rte_mbuf *m;
	ssize_t n;

	if (ref->udp->error != 0) {
		int error = ref->udp->error;

		ref->udp->error = 0;
		return -error;
	}
	m = udp_recv(s->udp, ref->index, &from, flags & MSG_PEEK);
	if (m == NULL)
		return ref->udp->rd_shut ? 0 : -EAGAIN;
	n = udp_copy_out(m, msg->msg_iov, (int)msg->msg_iovlen);
	if ((uint32_t)n < m->pkt_len)
		msg->msg_flags |= MSG_TRUNC;
	if (flags & MSG_TRUNC)
		n = (ssize_t)m->pkt_len;
	if (msg->msg_name != NULL)
		sock_write_addr(sock_is_ip6(ref), &from, pkt_of(m)->rx.netif, msg->msg_name,
		                &msg->msg_namelen);
	if (!(flags & MSG_PEEK))
		rte_pktmbuf_free(m);
	return n;
}

/* a payload mbuf, or a chain of them, with headroom in the first */
static struct rte_mbuf *gather(struct ctx *ctx, const struct iovec *iov, size_t iovcnt)
{
	struct rte_mbuf *head = ctx_mbuf(ctx), *tail = head;

	for (size_t i = 0; head != NULL && i < iovcnt; i++) {
		const char *p = iov[i].iov_base;
		size_t left = iov[i].iov_len;

		while (left > 0) {
			uint16_t n = (uint16_t)RTE_MIN(left, (size_t)rte_pktmbuf_tailroom(tail));

			if (n == 0) {
				struct rte_mbuf *more = ctx_mbuf(ctx);

				if (more == NULL) {
					rte_pktmbuf_free(head);
					return NULL;
				}
				tail->next = more;
				head->nb_segs++;
				tail = more;
				continue;
			}
			memcpy(rte_pktmbuf_mtod_offset(tail, char *, tail->data_len), p, n);
			tail->data_len = (uint16_t)(tail->data_len + n);
			head->pkt_len += n;
			p += n;
			left -= n;
		}
	}
	return head;
}

static size_t iov_bytes(const struct msghdr *msg)
{
	size_t total = 0;

	for (size_t i = 0; i < msg->msg_iovlen; i++)
		total += msg->msg_iov[i].iov_len;
	return total;
}

static ssize_t send_udp(struct sockets *s, const struct sock_ref *ref, const struct msghdr *msg)
{
	const bool named = msg->msg_name != NULL;
	size_t len = iov_bytes(msg);
	struct sock_addr to;
	struct rte_mbuf *m;
	int err;

	if (len > 65507)
		return -EMSGSIZE;
	if (named) {
		err = sock_read_addr(s, ref, SOCK_SEND, msg->msg_name, msg->msg_namelen, &to);
		if (err != 0)
			return err;
	}
	m = gather(s->ctx, msg->msg_iov, msg->msg_iovlen);
	if (m == NULL)
		return -ENOBUFS;
	err = named ? udp_send_by(s->udp, ref->index, m, &to.e, to.laddr)
	            : udp_send(s->udp, ref->index, m, NULL);
	if (err != 0) {
		rte_pktmbuf_free(m);
		return err;
	}
	return (ssize_t)len;
}

/* ---- both ------------------------------------------------------------------------------------ */

static ssize_t recv_tcp(struct sockets *s, struct tcb *t, struct msghdr *msg, int flags)
{
	if (flags & MSG_OOB)
		return -EINVAL;
	if (flags & MSG_TRUNC) { /* TCP: dropped instead of copied */
		size_t n = RTE_MIN(iov_bytes(msg), (size_t)t->rcv_bytes);

		return n > 0 ? tcp_discard(s->tcp, t, (uint32_t)n)
		             : tcp_recv(s->tcp, t, msg->msg_iov, 0, false);
	}
	return tcp_recv(s->tcp, t, msg->msg_iov, (int)msg->msg_iovlen, flags & MSG_PEEK);
}

ssize_t pc_recvmsg(struct pc_stack *st, int fd, struct msghdr *msg, int flags)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return sock_fail(-EBADF);
	if (msg->msg_iovlen > IOV_LIMIT)
		return sock_fail(-EMSGSIZE);
	msg->msg_flags = 0;
	msg->msg_controllen = 0;
	if (ref.udp != NULL)
		return sock_fail(recv_udp(s, &ref, msg, flags));
	msg->msg_namelen = 0; /* as Linux: a stream's sender is its peer */
	return sock_fail(recv_tcp(s, ref.tcp, msg, flags));
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
		return sock_fail(send_udp(s, &ref, msg));
	if (flags & MSG_OOB)
		return sock_fail(-EOPNOTSUPP);
	return sock_fail(
	    tcp_send(s->tcp, ref.tcp, msg->msg_iov, (int)msg->msg_iovlen, flags & MSG_MORE));
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

	if (likely(t != NULL && (flags & (MSG_TRUNC | MSG_OOB)) == 0))
		return sock_fail(tcp_recv(s->tcp, t, &iov, 1, flags & MSG_PEEK));
	return pc_recvfrom(st, fd, buf, len, flags, NULL, NULL);
}

ssize_t pc_send(struct pc_stack *st, int fd, const void *buf, size_t len, int flags)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = len};
	struct sockets *s = sockets_of(st);
	struct tcb *t = sock_find_tcb(s, fd);

	if (likely(t != NULL && (flags & MSG_OOB) == 0))
		return sock_fail(tcp_send(s->tcp, t, &iov, 1, flags & MSG_MORE));
	return pc_sendto(st, fd, buf, len, flags, NULL, 0);
}

/* the vector calls look at the descriptor, then the count, then whether there is anything to do */
static ssize_t check_vector(struct pc_stack *st, int fd, const struct iovec *iov, int iovcnt)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov};
	struct sock_ref ref;

	if (!sock_find(sockets_of(st), fd, &ref))
		return sock_fail(-EBADF);
	if (iovcnt < 0 || iovcnt > IOV_LIMIT)
		return sock_fail(-EINVAL);
	msg.msg_iovlen = (size_t)iovcnt;
	return iov_bytes(&msg) > 0 || ref.udp != NULL;
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
	ssize_t go = check_vector(st, fd, iov, iovcnt);

	return go > 0 ? pc_sendmsg(st, fd, &msg, 0) : go;
}

int pc_recv_mbuf(struct pc_stack *st, int fd, struct rte_mbuf **m, struct pc_endpoint *from)
{
	struct sockets *s = sockets_of(st);
	struct pc_endpoint peer;
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (ref.tcp != NULL) {
		if (from != NULL)
			*from = tcp_remote(ref.tcp);
		return (int)sock_fail(tcp_recv_mbuf(s->tcp, ref.tcp, m));
	}
	*m = NULL;
	if (ref.udp->error != 0) {
		int error = ref.udp->error;

		ref.udp->error = 0;
		return (int)sock_fail(-error);
	}
	*m = udp_recv(s->udp, ref.index, from != NULL ? from : &peer, false);
	return *m != NULL ? 1 : ref.udp->rd_shut ? 0 : (int)sock_fail(-EAGAIN);
}

int pc_send_mbuf(struct pc_stack *st, int fd, struct rte_mbuf *m, const struct pc_endpoint *to)
{
	struct sockets *s = sockets_of(st);
	struct sock_ref ref;

	if (!sock_find(s, fd, &ref))
		return (int)sock_fail(-EBADF);
	if (ref.tcp != NULL)
		return (int)sock_fail(tcp_send_mbuf(s->tcp, ref.tcp, m));
	return (int)sock_fail(udp_send(s->udp, ref.index, m, to));
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
		*(int *)arg = ref.tcp != NULL ? (int)ref.tcp->rcv_bytes : m ? (int)m->pkt_len : 0;
		return 0;
	case SIOCOUTQ:
		if (ref.tcp != NULL && ref.tcp->state == TCP_S_LISTEN)
			return (int)sock_fail(-EINVAL);
		*(int *)arg = ref.tcp != NULL ? (int)ref.tcp->snd_bytes : 0;
		return 0;
	default:
		return (int)sock_fail(-ENOTTY);
	}
}
