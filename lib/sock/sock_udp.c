/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams between sockets and the application's buffers. */
#include "sock/sock_udp.h"

#include <string.h>

#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <rte_mbuf.h>

#include "sock/ancillary.h"
#include "sock/sock_raw.h"

#define PAYLOAD_MAX  65527 /* over IPv6; udp_out.c knows that of IPv4 */
#define SEGMENTS_MAX 128   /* per UDP_SEGMENT call, as on Linux since 6.9 */
#define HELD_PARTS   80    /* mbufs for the largest payload, at 1024 bytes or more each */

/* ---- receiving ------------------------------------------------------------------------------- */

/* Copies a datagram into the buffers after their first skip bytes. Returns how many fitted. */
static size_t copy_out(const struct rte_mbuf *m, const struct msghdr *msg, size_t skip)
{
	uint32_t off = 0;

	for (size_t i = 0; i < msg->msg_iovlen && off < m->pkt_len; i++) {
		const struct iovec *v = &msg->msg_iov[i];
		const size_t used = RTE_MIN(skip, v->iov_len);
		const uint32_t n = (uint32_t)RTE_MIN(v->iov_len - used, (size_t)(m->pkt_len - off));
		char *to = (char *)v->iov_base + used;
		const void *p = n > 0 ? rte_pktmbuf_read(m, off, n, to) : NULL;

		if (n > 0 && p != to)
			memcpy(to, p, n);
		off += n;
		skip -= used;
	}
	return off;
}

/* UDP_GRO: says whether a datagram belongs to the same flow as the first, and has the same TOS. */
static bool can_follow(const struct udp_sock *u, const struct rte_mbuf *m,
                       const struct udp_info *first)
{
	struct udp_info info;

	udp_read_info(u, m, &info);
	return info.src.port == first->src.port && info.dst.port == first->dst.port &&
	       info.tos == first->tos && pc_addr_equal(&info.src.addr, &first->src.addr) &&
	       pc_addr_equal(&info.dst.addr, &first->dst.addr);
}

/* UDP_GRO: takes the datagrams queued after one of n bytes that belong to the same batch: all of
 * the same size, except that the last may be smaller. Returns the total number of bytes. */
static size_t take_more(struct sockets *s, const struct sock_ref *ref, struct msghdr *msg,
                        struct ancillary *a, const struct udp_info *info, size_t n)
{
	const size_t room = RTE_MIN(sock_iov_bytes(msg), (size_t)UINT16_MAX);
	const int size = (int)n;
	size_t total = n;

	while (n == (size_t)size) {
		struct rte_mbuf *m = udp_recv(s->udp, ref->index, NULL, true);

		if (m == NULL || m->pkt_len == 0 || m->pkt_len > n || m->pkt_len > room - total ||
		    !can_follow(ref->udp, m, info))
			break;
		udp_recv(s->udp, ref->index, NULL, false);
		n = copy_out(m, msg, total);
		total += n;
		rte_pktmbuf_free(m);
	}
	if (total != (size_t)size)
		ancillary_put(a, IPPROTO_UDP, UDP_GRO, &size, sizeof(size));
	return total;
}

/* MSG_ERRQUEUE: an error, with the payload that it quotes and where that was sent. As on Linux,
 * MSG_TRUNC does not make it return the length of a payload that is cut. */
static ssize_t recv_report(struct sockets *s, const struct sock_ref *ref, struct msghdr *msg,
                           struct ancillary *a)
{
	struct udp_report r;
	struct rte_mbuf *m = udp_take_report(s->udp, ref->index, &r);
	ssize_t n;

	if (m == NULL)
		return -EAGAIN;
	n = (ssize_t)copy_out(m, msg, 0);
	if ((size_t)n < m->pkt_len)
		msg->msg_flags |= MSG_TRUNC;
	msg->msg_flags |= MSG_ERRQUEUE;
	if (msg->msg_name != NULL)
		sock_write_addr(ref->udp->ip6, &r.to, r.netif, msg->msg_name, &msg->msg_namelen);
	ancillary_put_report(a, s, ref, &r);
	rte_pktmbuf_free(m);
	return n;
}

static ssize_t recv_datagram(struct sockets *s, const struct sock_ref *ref, struct msghdr *msg,
                             int flags, struct ancillary *a)
{
	struct rte_mbuf *m = udp_recv(s->udp, ref->index, NULL, flags & MSG_PEEK);
	struct udp_info info;
	size_t n;

	if (m == NULL && ref->udp->rd_shut)
		msg->msg_namelen = 0; /* no sender: end of file, not an empty datagram */
	if (m == NULL)
		return ref->udp->rd_shut ? 0 : -EAGAIN;
	if (ref->udp->kind != UDP_PACKET)
		udp_read_info(ref->udp, m, &info);
	n = copy_out(m, msg, 0);
	if (n < m->pkt_len)
		msg->msg_flags |= MSG_TRUNC;
	if (msg->msg_name != NULL && ref->udp->kind == UDP_PACKET)
		sock_raw_write_ll(ref, m, msg);
	else if (msg->msg_name != NULL)
		sock_write_addr(sock_is_ip6(ref), &info.src, info.netif, msg->msg_name,
		                &msg->msg_namelen);
	if (ref->udp->tell != 0 && ref->udp->kind == UDP_PACKET)
		ancillary_put_arrival(a, s, ref, udp_arrival_ns(m));
	else if (ref->udp->tell != 0)
		ancillary_put_info(a, s, ref, &info);
	if (ref->udp->gro && n > 0 && n == m->pkt_len && !(flags & MSG_PEEK))
		n = take_more(s, ref, msg, a, &info, n);
	if (flags & MSG_TRUNC)
		n = RTE_MAX(n, (size_t)m->pkt_len);
	if (!(flags & MSG_PEEK))
		rte_pktmbuf_free(m);
	return (ssize_t)n;
}

ssize_t sock_udp_recv(struct sockets *s, const struct sock_ref *ref, struct msghdr *msg, int flags)
{
	struct ancillary a = ancillary_begin(msg);

	if ((flags & MSG_OOB) && ref->udp->kind != UDP_DATAGRAM) /* as Linux: else ignored */
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return recv_report(s, ref, msg, &a);
	if (ref->udp->error != 0) {
		int error = ref->udp->error;

		ref->udp->error = 0;
		return -error;
	}
	return recv_datagram(s, ref, msg, flags, &a);
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Where in a message's buffers the next byte to be sent is. */
struct cursor {
	const struct iovec *iov;
	size_t off;
};

/* Appends left bytes to a chain. Returns false if mbufs run out. */
static bool append(struct ctx *ctx, struct rte_mbuf *head, const char *p, size_t left)
{
	struct rte_mbuf *tail = rte_pktmbuf_lastseg(head), *more;

	while (left > 0) {
		uint16_t n = (uint16_t)RTE_MIN(left, (size_t)rte_pktmbuf_tailroom(tail));

		if (n == 0) {
			more = ctx_mbuf(ctx);
			if (more == NULL)
				return false;
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
	return true;
}

/* Makes an mbuf, or a chain with headroom in the first, of the next len bytes. */
static struct rte_mbuf *gather(struct ctx *ctx, struct cursor *c, size_t len)
{
	struct rte_mbuf *head = ctx_mbuf(ctx);

	while (head != NULL && len > 0) {
		size_t n = RTE_MIN(len, c->iov->iov_len - c->off);

		if (n > 0 && !append(ctx, head, (const char *)c->iov->iov_base + c->off, n)) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		len -= n;
		c->off += n;
		if (c->off == c->iov->iov_len && len > 0)
			*c = (struct cursor){.iov = c->iov + 1};
	}
	return head;
}

static ssize_t send_one(struct sockets *s, uint32_t index, struct cursor *c, size_t len,
                        const struct pc_endpoint *to, const struct udp_ctl *ctl)
{
	struct rte_mbuf *m = gather(s->ctx, c, len);
	int err;

	if (m == NULL)
		return -ENOBUFS;
	err =
	    ctl != NULL ? udp_send_ctl(s->udp, index, m, to, ctl) : udp_send(s->udp, index, m, to);
	if (err == 0)
		return (ssize_t)len;
	rte_pktmbuf_free(m);
	return err;
}

/* UDP_SEGMENT: one call sends many datagrams of one size, none of which may be fragmented. If
 * sending fails after the first, the rest is lost, as if on the way. */
static ssize_t send_segments(struct sockets *s, uint32_t index, struct cursor *c, size_t len,
                             const struct pc_endpoint *to, const struct udp_ctl *ctl)
{
	const size_t size = (size_t)ctl->segment;
	const int max = udp_payload_max(s->udp, index, to, ctl);
	ssize_t rc;

	if (max < 0)
		return max;
	if (RTE_MIN(size, len) > (size_t)max)
		return -EMSGSIZE;
	if (len > size * SEGMENTS_MAX || udp_sock(s->udp, index)->no_checksum)
		return -EINVAL;
	for (size_t sent = 0; sent < len; sent += RTE_MIN(size, len - sent)) {
		rc = send_one(s, index, c, RTE_MIN(size, len - sent), to, ctl);
		if (rc < 0)
			return sent == 0 ? rc : (ssize_t)len;
	}
	return (ssize_t)len;
}

/* ---- a datagram of several calls (MSG_MORE, UDP_CORK) ---------------------------------------- */

/* What the first call specified; stored ahead of the payload in the held mbufs. */
struct held {
	struct pc_endpoint to;
	struct udp_ctl ctl;
};

static ssize_t push_segments(struct sockets *s, uint32_t index, const struct rte_mbuf *m,
                             const struct held *h)
{
	struct iovec v[HELD_PARTS];
	struct cursor c = {.iov = v};
	int n = 0;

	for (const struct rte_mbuf *part = m; part != NULL && n < HELD_PARTS; part = part->next)
		v[n++] = (struct iovec){rte_pktmbuf_mtod(part, void *), part->data_len};
	return send_segments(s, index, &c, m->pkt_len, &h->to, &h->ctl);
}

int sock_udp_push(struct sockets *s, const struct sock_ref *ref)
{
	struct rte_mbuf *m = ref->udp->held;
	struct held h;
	int err;

	if (m == NULL)
		return 0;
	ref->udp->held = NULL;
	memcpy(&h, rte_pktmbuf_mtod(m, const void *), sizeof(h));
	rte_pktmbuf_adj(m, sizeof(h));
	if (h.ctl.segment != 0 && m->pkt_len > (uint32_t)h.ctl.segment) {
		err = (int)RTE_MIN(push_segments(s, ref->index, m, &h), 0);
		rte_pktmbuf_free(m);
		return err;
	}
	err = udp_send_ctl(s->udp, ref->index, m, &h.to, &h.ctl);
	if (err != 0)
		rte_pktmbuf_free(m);
	return err;
}

/* Adds len bytes to what is held, if the whole can be sent in one datagram, or cut by
 * UDP_SEGMENT. */
static int add_held(struct sockets *s, const struct sock_ref *ref, const struct iovec *iov,
                    size_t len)
{
	struct rte_mbuf *m = ref->udp->held;
	uint32_t bytes = m->pkt_len - (uint32_t)sizeof(struct held) + (uint32_t)len;
	struct held h;
	int err;

	memcpy(&h, rte_pktmbuf_mtod(m, const void *), sizeof(h));
	if (h.ctl.segment != 0 && bytes <= PAYLOAD_MAX)
		bytes = RTE_MIN(bytes, (uint32_t)h.ctl.segment);
	err = udp_try(s->udp, ref->index, bytes, &h.to, &h.ctl);
	for (; err == 0 && len > 0; iov++) {
		const size_t n = RTE_MIN(len, iov->iov_len);

		err = append(s->ctx, m, iov->iov_base, n) ? 0 : -ENOBUFS;
		len -= n;
	}
	return err;
}

/* A call while data is held. As on Linux, it ignores address and ancillary data, and a failure
 * drops the whole datagram. */
static ssize_t send_more(struct sockets *s, const struct sock_ref *ref, const struct msghdr *msg,
                         size_t len, bool more)
{
	int err = add_held(s, ref, msg->msg_iov, len);

	if (err != 0) {
		rte_pktmbuf_free(ref->udp->held);
		ref->udp->held = NULL;
	} else if (!more) {
		err = sock_udp_push(s, ref);
	}
	return err != 0 ? err : (ssize_t)len;
}

static ssize_t send_first(struct sockets *s, const struct sock_ref *ref, const struct msghdr *msg,
                          size_t len, const struct held *h)
{
	struct rte_mbuf *m;

	if (h->to.port == 0)
		return -EDESTADDRREQ;
	m = ctx_mbuf(s->ctx);
	if (m == NULL)
		return -ENOBUFS;
	ref->udp->held = m;
	if (append(s->ctx, m, (const char *)h, sizeof(*h)))
		return send_more(s, ref, msg, len, true);
	rte_pktmbuf_free(m);
	ref->udp->held = NULL;
	return -ENOBUFS;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Raw and packet sockets: sock_raw_send reads the destination, whose form depends on the kind. */
static ssize_t send_raw(struct sockets *s, const struct sock_ref *ref, const struct msghdr *msg,
                        size_t len)
{
	struct pc_endpoint to = ref->udp->remote;
	struct cursor c = {.iov = msg->msg_iov};
	struct udp_ctl ctl = UDP_CTL_NONE;
	struct rte_mbuf *m;
	int err = 0;

	if (msg->msg_control != NULL && msg->msg_controllen > 0) {
		if (msg->msg_name != NULL && ref->udp->kind != UDP_PACKET)
			err = pc_endpoint_from_sockaddr(&to, msg->msg_name, msg->msg_namelen);
		if (err == 0)
			err = ancillary_read(s, ref, msg, &to.addr, &ctl);
		if (err != 0)
			return err;
	}
	m = gather(s->ctx, &c, len);
	if (m == NULL)
		return -ENOBUFS;
	err = sock_raw_send(s, ref, m, msg->msg_name, msg->msg_namelen, &ctl);
	if (err == 0)
		return (ssize_t)len;
	rte_pktmbuf_free(m);
	return err;
}

/* As on Linux, AF_UNSPEC counts as no address for an AF_INET6 socket. */
static bool is_for_peer(const struct sock_ref *ref, const struct msghdr *msg)
{
	const struct sockaddr *sa = msg->msg_name;

	return ref->udp->ip6 && msg->msg_namelen >= sizeof(sa->sa_family) &&
	       sa->sa_family == AF_UNSPEC;
}

ssize_t sock_udp_send(struct sockets *s, const struct sock_ref *ref, const struct msghdr *msg,
                      int flags)
{
	const size_t len = sock_iov_bytes(msg);
	const bool more = (flags & MSG_MORE) || ref->udp->cork;
	struct cursor c = {.iov = msg->msg_iov};
	struct udp_ctl ctl = UDP_CTL_NONE;
	const struct pc_endpoint *dst = NULL;
	struct sock_addr to;
	int err;

	if (len > PAYLOAD_MAX)
		return -EMSGSIZE;
	if (unlikely(ref->udp->kind != UDP_DATAGRAM))
		return send_raw(s, ref, msg, len);
	if (unlikely(ref->udp->held != NULL))
		return send_more(s, ref, msg, len, more);
	if (msg->msg_name != NULL && !is_for_peer(ref, msg)) {
		err = sock_read_addr(s, ref, SOCK_SEND, msg->msg_name, msg->msg_namelen, &to);
		if (err != 0)
			return err;
		dst = &to.e;
		if (ref->udp->laddr == LADDR_NONE)
			ctl.laddr = to.laddr;
	}
	ctl.segment = ref->udp->segment;
	if (msg->msg_control != NULL && msg->msg_controllen > 0) {
		err = ancillary_read(s, ref, msg, dst != NULL ? &dst->addr : &ref->udp->remote.addr,
		                     &ctl);
		if (err != 0)
			return err;
	} else if (likely(ctl.laddr == LADDR_NONE && ctl.segment == 0 && !more)) {
		return send_one(s, ref->index, &c, len, dst, NULL);
	}
	if (unlikely(more))
		return send_first(
		    s, ref, msg, len,
		    &(struct held){.to = dst != NULL ? *dst : ref->udp->remote, .ctl = ctl});
	if (ctl.segment != 0 && len > 0)
		return send_segments(s, ref->index, &c, len, dst, &ctl);
	return send_one(s, ref->index, &c, len, dst, &ctl);
}
