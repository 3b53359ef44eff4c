/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket operations on a connection: send, receive, readiness. */

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include <rte_memcpy.h>

#include "tcp/fastopen.h"
#include "tcp/pressure.h"
#include "tcp/rcvbuf.h"
#include "tcp/sndbuf.h"
#include "tcp/stash.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_output.h"
#include "tcp/urgent.h"
#include "tcp/window.h"

int tcp_take_error(struct tcb *t)
{
	int error = t->error;

	t->error = 0;
	return error;
}

/* may bytes be queued? 0, or a negative errno */
static int check_send(struct tcb *t)
{
	int error;

	if (unlikely(t->error != 0)) {
		error = tcp_take_error(t);
		return -error;
	}
	if (tcb_is_opening(t)) {
		t->flags |= TCB_NOSPACE;
		return -EAGAIN;
	}
	if ((t->flags & TCB_WR_SHUT) ||
	    (t->state != TCP_S_ESTABLISHED && t->state != TCP_S_CLOSE_WAIT &&
	     t->state != TCP_S_SYN_RECEIVED))
		return -EPIPE;
	return 0;
}

static int no_space(struct tcp *tcp, struct tcb *t, bool starved)
{
	t->flags |= TCB_NOSPACE;
	if (starved) {
		/* no acknowledgement will wake it: the flush checks it again */
		t->flags &= ~(uint32_t)TCB_CONNECTING;
		t->flags |= TCB_STARVED;
		tcp_work(tcp, t);
	}
	return -EAGAIN;
}

static size_t iov_bytes(const struct iovec *iov, int n)
{
	size_t total = 0;

	for (int i = 0; i < n; i++)
		total += iov[i].iov_len;
	return total;
}

static uint32_t end_seq(const struct tcb *t)
{
	return t->snd_una + t->snd_bytes;
}

static __rte_noinline ssize_t send_bytes(struct tcp *tcp, struct tcb *t, const struct iovec *iov,
                                         int iovcnt, int flags)
{
	int err = check_send(t);
	size_t given = iov_bytes(iov, iovcnt), want;
	struct tcp_queues *q;
	uint32_t n, limit, room, lowat;

	if (unlikely(err == -EAGAIN) && fastopen_is_deferred(t))
		return fastopen_send(tcp, t, iov, iovcnt);
	if (err != 0)
		return err;
	if (given == 0)
		return 0;
	limit = tcp_snd_limit(tcp, t);
	if (t->snd_bytes >= limit)
		return no_space(tcp, t, t->snd_bytes == 0);
	if (unlikely(tcb_is_stashed(t)) && !stash_open_for_more(tcp, t))
		return no_space(tcp, t, true);
	q = tcp->ctx->mbufs_low && !tcp_may_send_one(tcp, t) ? NULL : tcb_attach_queues(tcp, t);
	if (q == NULL)
		return no_space(tcp, t, true);
	room = limit - t->snd_bytes;
	lowat = tcp_notsent_lowat(tcp, t);
	if (unlikely(lowat != 0)) {
		uint32_t unsent = tcp_unsent(t);

		if (unsent >= lowat)
			return no_space(tcp, t, false);
		room = RTE_MIN(room, RTE_MAX(lowat - unsent, (uint32_t)t->mss));
	}
	want = RTE_MIN(given, (size_t)room);
	n = sndbuf_append(tcp->ctx, q, end_seq(t), iov, iovcnt, (uint32_t)want, t->mss,
	                  !tcp_port_has(tcp, t, PC_PORT_TX_TCP_CKSUM));
	if (n == 0) {
		tcb_detach_queues(tcp, t);
		return no_space(tcp, t, true);
	}
	t->snd_bytes += n;
	t->flags = flags & MSG_MORE ? t->flags | TCB_MORE : t->flags & ~(uint32_t)TCB_MORE;
	if (n < given) /* as on Linux, a short write is a promise of EPOLLOUT (epoll(7)) */
		t->flags |= TCB_NOSPACE;
	else if (unlikely(flags & MSG_EOR))
		pkt_of(q->snd.tail)->tx.flags |= SEG_EOR;
	tcp_work(tcp, t);
	return (ssize_t)n;
}

/* an answer: nothing else is queued, and it fits one segment */
static inline bool is_answer(const struct tcp *tcp, const struct tcb *t, uint64_t len)
{
	return t->state == TCP_S_ESTABLISHED && (t->flags & TCB_WR_SHUT) == 0 && t->error == 0 &&
	       t->snd_bytes == 0 && len - 1 < t->mss && t->queues != 0 && !tcp_queues(tcp, t)->idle;
}

/* the limits of the send queue leave room for one segment of len bytes */
static inline bool has_room_for_one(const struct tcp *tcp, const struct tcb *t, uint64_t len)
{
	return tcp->ctx->mbufs_spare >= tcp->ctx->mbufs_small + MBUFS_SHARE && len <= t->snd_max;
}

ssize_t tcp_send(struct tcp *tcp, struct tcb *t, const struct iovec *iov, int iovcnt, int flags)
{
	const size_t len = iovcnt == 1 ? iov->iov_len : 0;

	if (unlikely((flags & (MSG_MORE | MSG_EOR)) != 0 || !is_answer(tcp, t, len) ||
	             !has_room_for_one(tcp, t, len) ||
	             !sndbuf_append_answer(tcp->ctx, tcp_queues(tcp, t), t->snd_una, iov->iov_base,
	                                   (uint16_t)len,
	                                   !tcp_port_has(tcp, t, PC_PORT_TX_TCP_CKSUM))))
		return send_bytes(tcp, t, iov, iovcnt, flags);
	t->snd_bytes = (uint32_t)len;
	t->flags &= ~(uint32_t)TCB_MORE;
	tcp_work(tcp, t);
	return (ssize_t)len;
}

static __rte_noinline int send_any_mbuf(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m)
{
	int err = check_send(t);
	uint32_t len = m->pkt_len, lowat;
	struct tcp_queues *q;

	if (unlikely(err == -EAGAIN) && fastopen_is_deferred(t))
		fastopen_request(tcp, t); /* a chain is not copied into a SYN */
	if (err != 0)
		return err;
	if (len == 0) {
		rte_pktmbuf_free(m);
		return 0;
	}
	if (t->snd_bytes > 0 && t->snd_bytes + len > tcp_snd_limit(tcp, t))
		return no_space(tcp, t, false);
	lowat = tcp_notsent_lowat(tcp, t);
	if (lowat != 0 && tcp_unsent(t) >= lowat)
		return no_space(tcp, t, false);
	if (unlikely(tcb_is_stashed(t)) && !stash_open(tcp, t))
		return no_space(tcp, t, true);
	q = tcb_attach_queues(tcp, t);
	if (q == NULL)
		return no_space(tcp, t, true);
	err = sndbuf_append_mbuf(tcp->ctx, q, end_seq(t), m, t->mss);
	if (err != 0) {
		tcb_detach_queues(tcp, t);
		return no_space(tcp, t, true);
	}
	t->snd_bytes += len;
	t->flags &= ~(uint32_t)TCB_MORE;
	tcp_work(tcp, t);
	return 0;
}

int tcp_send_mbuf(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m)
{
	if (unlikely(!is_answer(tcp, t, m->pkt_len))) /* a chain that fits is taken as it is */
		return send_any_mbuf(tcp, t, m);
	t->snd_bytes = m->pkt_len;
	t->flags &= ~(uint32_t)TCB_MORE;
	sndbuf_append_one(tcp_queues(tcp, t), t->snd_una, m);
	tcp_work(tcp, t);
	return 0;
}

/* the result of a read when nothing is queued */
static __rte_noinline int nothing_to_read(struct tcb *t)
{
	int error;

	if (t->error != 0) {
		error = tcp_take_error(t);
		return -error;
	}
	if (t->state == TCP_S_LISTEN)
		return -ENOTCONN;
	if (t->flags & (TCB_FIN_RCVD | TCB_RD_SHUT))
		return 0;
	return t->state == TCP_S_CLOSED ? -ENOTCONN : -EAGAIN;
}

/* the application has read: the window may open */
static void after_read(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q = tcp_queues(tcp, t);

	if (q->tuned)
		rcvtune_read(tcp, t, q);
	urgent_read(t, q);
	if (tcp_has_window_update(tcp, t) && t->state != TCP_S_CLOSED && !(t->flags & TCB_FIN_RCVD))
		t->flags |= TCB_WINDOW_UPDATE;
	/* the flush also releases empty queues, but not before: an answer may still need them */
	if ((t->flags & TCB_WINDOW_UPDATE) || t->rcv_bytes == 0)
		tcp_work(tcp, t);
}

/* copies up to len bytes of the packet's unread end, from skip on */
static uint32_t copy_out(struct rte_mbuf *m, uint32_t skip, char *to, uint32_t len)
{
	uint32_t off = m->pkt_len - pkt_of(m)->rx.len + skip, done = 0;

	for (struct rte_mbuf *s = m; s != NULL && done < len; s = s->next) {
		uint32_t n;

		if (off >= s->data_len) {
			off -= s->data_len;
			continue;
		}
		n = RTE_MIN(s->data_len - off, len - done);
		rte_memcpy(to + done, rte_pktmbuf_mtod_offset(s, char *, off), n);
		done += n;
		off = 0;
	}
	return done;
}

static void consume(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, uint32_t n)
{
	t->rcv_bytes -= n;
	while (n > 0) {
		struct rte_mbuf *m = q->rcv.head;
		uint32_t take = RTE_MIN(n, pkt_of(m)->rx.len);

		n -= take;
		pkt_of(m)->rx.len -= take;
		if (pkt_of(m)->rx.len == 0) {
			pktq_pop(&q->rcv);
			ctx_free(tcp->ctx, m);
		}
	}
}

/* copies queued bytes to iov and leaves them queued */
static inline uint32_t copy_queue(struct rte_mbuf *m, uint32_t skip, const struct iovec *iov,
                                  int iovcnt, uint32_t max)
{
	uint32_t total = 0;

	for (int i = 0; i < iovcnt; i++) {
		size_t at = 0;

		while (at < iov[i].iov_len && m != NULL) {
			uint32_t left = pkt_of(m)->rx.len - skip;
			uint32_t n = (uint32_t)RTE_MIN((size_t)left, iov[i].iov_len - at);

			n = RTE_MIN(n, max - total);
			if (n == 0)
				return total;
			copy_out(m, skip, (char *)iov[i].iov_base + at, n);
			at += n;
			total += n;
			skip += n;
			if (n == left) {
				m = pkt_of(m)->next;
				skip = 0;
			}
		}
	}
	return total;
}

/* One packet in one piece is queued, and there is room for it: a single copy is enough. */
static inline bool takes_all(const struct tcb *t, const struct tcp_queues *q,
                             const struct iovec *iov, int iovcnt)
{
	const struct rte_mbuf *m = q->rcv.head;

	return iovcnt > 0 && t->rcv_bytes <= iov->iov_len && m == q->rcv.tail && m->nb_segs == 1 &&
	       !q->rcv_urgent;
}

static ssize_t take_all_bytes(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, void *to)
{
	const uint32_t n = t->rcv_bytes;
	struct rte_mbuf *m = q->rcv.head;

	rte_memcpy(to, rte_pktmbuf_mtod_offset(m, char *, m->pkt_len - n), n);
	q->rcv = (struct pktq){0};
	t->rcv_bytes = 0;
	ctx_free(tcp->ctx, m);
	after_read(tcp, t);
	return (ssize_t)n;
}

/* a read with an urgent mark ahead: it stops before the mark, and skips an out-of-band byte */
static __rte_noinline ssize_t recv_urgent(struct tcp *tcp, struct tcb *t, const struct iovec *iov,
                                          int iovcnt, bool peek)
{
	struct tcp_queues *q = tcp_queues(tcp, t);
	uint32_t hole = urgent_hole(tcp, t), n;
	struct rte_mbuf *m = q->rcv.head;

	if (hole != 0 && !peek)
		return tcp_discard(tcp, t, 1), tcp_recv(tcp, t, iov, iovcnt, false);
	if (hole == t->rcv_bytes)
		return nothing_to_read(t);
	if (hole != 0 && pkt_of(m)->rx.len == 1)
		m = pkt_of(m)->next, hole = 0;
	n = copy_queue(m, hole, iov, iovcnt, urgent_readable(t, q));
	if (!peek && n > 0)
		(void)tcp_discard(tcp, t, n);
	return (ssize_t)n;
}

ssize_t tcp_recv(struct tcp *tcp, struct tcb *t, const struct iovec *iov, int iovcnt, bool peek)
{
	struct tcp_queues *q;
	uint32_t n;

	if (t->rcv_bytes == 0)
		return nothing_to_read(t);
	q = tcp_queues(tcp, t);
	if (likely(!peek && takes_all(t, q, iov, iovcnt)))
		return take_all_bytes(tcp, t, q, iov->iov_base);
	if (unlikely(q->rcv_urgent))
		return recv_urgent(tcp, t, iov, iovcnt, peek);
	n = copy_queue(q->rcv.head, 0, iov, iovcnt, UINT32_MAX);
	if (!peek && n > 0) {
		consume(tcp, t, q, n);
		after_read(tcp, t);
	}
	return (ssize_t)n;
}

ssize_t tcp_discard(struct tcp *tcp, struct tcb *t, uint32_t n)
{
	if (n == 0)
		return 0;
	consume(tcp, t, tcp_queues(tcp, t), n);
	after_read(tcp, t);
	return (ssize_t)n;
}

int tcp_recv_mbufs(struct tcp *tcp, struct tcb *t, struct rte_mbuf **out, unsigned n)
{
	struct tcp_queues *q;
	unsigned i = 0;

	if (t->rcv_bytes == 0)
		return nothing_to_read(t);
	q = tcp_queues(tcp, t);
	for (; i < n && q->rcv.head != NULL; i++) {
		struct rte_mbuf *m = pktq_pop(&q->rcv);
		const uint32_t len = pkt_of(m)->rx.len;

		t->rcv_bytes -= len;
		out[i] = likely(m->pkt_len == len) ? m : mbuf_trim_front(m, m->pkt_len - len);
	}
	after_read(tcp, t);
	return (int)i;
}

bool tcp_is_readable_tuned(const struct tcp *tcp, const struct tcb *t)
{
	const uint32_t hole = urgent_hole(tcp, t);
	const uint32_t least = tcp_tuning(tcp, t)->kept.rcvlowat + 1 + hole;
	uint32_t most;

	/* as on Linux while memory is short: no more is taken until this is read */
	if ((unlikely(tcp->ctx->mbufs_low) && t->rcv_bytes > hole) || pressure_is_full(tcp, t))
		return true;
	/* nor does more than this arrive */
	most = RTE_MAX(tcp_rcv_room(tcp, t), t->rcv_bytes + t->rcv_adv - t->rcv_nxt);
	return t->rcv_bytes >= least || t->rcv_bytes >= RTE_MAX(most / 2, 1u);
}

/* connect() has succeeded, which EPOLLOUT reports to its caller without waiting for mbufs. If data
 * then cannot be sent, that call says so and waits for room. */
static bool has_news(const struct tcb *t)
{
	return (t->flags & TCB_CONNECTING) && t->snd_bytes == 0;
}

/* Is there room to write? If not, the caller will be notified when there is, as with Linux's poll:
 * by the ACK that makes room or, if mbufs are missing and nothing is in flight, by the flush. */
static bool has_room(struct tcp *tcp, struct tcb *t)
{
	if (!(t->flags & TCB_STARVED) && (tcp_is_writable(tcp, t) || has_news(t)))
		return true;
	no_space(tcp, t, t->snd_bytes == 0 && (t->flags & TCB_CONNECTED));
	return false;
}

/* has_room, with less to do: an empty queue takes something unless mbufs are very few */
static inline bool takes_more(struct tcp *tcp, struct tcb *t)
{
	return likely(t->snd_bytes == 0 && !(t->flags & TCB_STARVED) &&
	              tcp->ctx->mbufs_spare >= 8) ||
	       has_room(tcp, t);
}

/* tcp_mask for unusual sockets */
static __rte_noinline uint32_t mask_of_any(struct tcp *tcp, struct tcb *t)
{
	bool rd_shut = t->flags & (TCB_RD_SHUT | TCB_FIN_RCVD), wr_shut = t->flags & TCB_WR_SHUT;
	uint32_t mask = 0;

	if (t->state == TCP_S_LISTEN)
		return tcp->bind.binding[t->binding].accept_n > 0 ? EPOLLIN | EPOLLRDNORM : 0;
	if ((rd_shut && wr_shut) || t->state == TCP_S_CLOSED)
		mask |= EPOLLHUP;
	if (rd_shut)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (!tcb_is_opening(t)) {
		if (tcp_is_readable(tcp, t))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (wr_shut || takes_more(tcp, t))
			mask |= EPOLLOUT | EPOLLWRNORM;
	}
	if (unlikely(fastopen_is_deferred(t))) /* it waits for data to send */
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (unlikely(t->queues != 0 && urgent_is_ahead(tcp, t)) && urgent_is_told(tcp, t))
		mask |= EPOLLPRI;
	if (t->error != 0 || (t->tuning != 0 && tcp_has_report(tcp, t)))
		mask |= EPOLLERR;
	return mask;
}

uint32_t tcp_mask(struct tcp *tcp, struct tcb *t)
{
	const uint32_t special = TCB_RD_SHUT | TCB_FIN_RCVD | TCB_WR_SHUT | TCB_STARVED;
	uint32_t mask = 0;

	if (unlikely(t->state != TCP_S_ESTABLISHED || (t->flags & special) || t->error != 0))
		return mask_of_any(tcp, t);
	if (tcp_is_readable(tcp, t))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (takes_more(tcp, t))
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (unlikely(t->queues != 0 && urgent_is_ahead(tcp, t)) && urgent_is_told(tcp, t))
		mask |= EPOLLPRI;
	if (unlikely(t->tuning != 0) && tcp_has_report(tcp, t))
		mask |= EPOLLERR;
	return mask;
}

struct pc_endpoint tcp_local(const struct tcp *tcp, const struct tcb *t)
{
	struct pc_endpoint e = {.addr = pc_addr_ip4(0), .port = t->flow.lport};

	if (t->flow.laddr != LADDR_NONE)
		e.addr = *ip_laddr_name(tcp->ip, t->flow.laddr);
	return e;
}

struct pc_endpoint tcp_remote(const struct tcb *t)
{
	return (struct pc_endpoint){.addr = t->flow.raddr, .port = t->flow.rport};
}
