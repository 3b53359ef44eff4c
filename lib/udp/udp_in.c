/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP input: which socket is a datagram for, and does it have room?
 */

#include <assert.h>
#include <errno.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "base/mbuf.h"
#include "udp/member.h"
#include "udp/table.h"
#include "wire/cksum.h"
#include "wire/udp.h"

/* A datagram on its way to a socket. */
struct udp_in {
	struct pc_endpoint src, dst;
	uint32_t len; /* bytes of payload */
	uint8_t netif;
};

/* ---- lookup ---------------------------------------------------------------------------------- */

static uint32_t first_connected(const struct udp *udp, const struct pc_endpoint *local,
                                const struct pc_endpoint *remote)
{
	return udp->nb_connected > 0 ? *udp_peer_chain(udp, remote, local->port) : 0;
}

/* netif: the receiving interface; UDP_ANY_NETIF: unknown */
static inline bool is_connected(const struct udp_sock *s, const struct pc_endpoint *local,
                                const struct pc_endpoint *remote, int netif)
{
	return s->local.port == local->port && s->remote.port == remote->port &&
	       pc_addr_equal(&s->remote.addr, &remote->addr) &&
	       pc_addr_equal(&s->local.addr, &local->addr) &&
	       likely(s->netif == 0 || netif == UDP_ANY_NETIF || s->netif - 1 == netif);
}

struct udp_sock *udp_find_connected(const struct udp *udp, const struct pc_endpoint *local,
                                    const struct pc_endpoint *remote, int netif)
{
	struct udp_sock *s;

	for (uint32_t id = first_connected(udp, local, remote); id != 0; id = s->next) {
		s = &udp->sock[id - 1];
		if (is_connected(s, local, remote, netif))
			return s;
	}
	return NULL;
}

/* How well a socket without a peer matches: 0 not at all; the more it was bound to, the better, as
 * on Linux: the address counts most, then the interface, then the family. */
enum { FITS = 1, FITS_FAMILY = 1, FITS_NETIF = 2, FITS_ADDR = 4 };

static inline int score(const struct udp_sock *s, const struct udp_in *d)
{
	const struct pc_endpoint *dst = &d->dst;
	int fit = FITS + (s->netif != 0 ? FITS_NETIF : 0) + (s->ip6 ? 0 : FITS_FAMILY);

	if (s->local.port != dst->port || unlikely(s->netif != 0 && s->netif - 1 != d->netif))
		return 0;
	if (pc_addr_is_any(&s->local.addr))
		return udp_speaks(s, &dst->addr) ? fit : 0;
	return pc_addr_equal(&s->local.addr, &dst->addr) ? fit + FITS_ADDR : 0;
}

/* Picks one socket of an SO_REUSEPORT group, all of which match equally, by the sender. */
static struct udp_sock *choose(const struct udp *udp, const struct udp_in *d, int best, uint32_t n)
{
	const uint64_t v[3] = {d->src.addr.q[0], d->src.addr.q[1],
	                       (uint64_t)d->src.port << 16 | d->dst.port};
	uint32_t nth = (uint32_t)(((hash24(&udp->key, v) >> 32) * n) >> 32);
	struct udp_sock *s = NULL;

	for (uint32_t id = udp->by_port[d->dst.port & udp->mask]; id != 0; id = s->next) {
		s = &udp->sock[id - 1];
		if (s->reuseport && score(s, d) == best && nth-- == 0)
			return s;
	}
	return NULL;
}

/* The socket of a chain that matches best. */
static __rte_noinline struct udp_sock *find_best(const struct udp *udp, const struct udp_in *d,
                                                 uint32_t id)
{
	struct udp_sock *s, *found = NULL;
	uint32_t group = 0;
	int best = 0, fit;

	for (; id != 0; id = s->next) {
		s = &udp->sock[id - 1];
		fit = score(s, d);
		if (fit > best) {
			best = fit;
			found = s;
			group = 0;
		}
		group += fit != 0 && fit == best && s->reuseport;
	}
	return group > 1 && found->reuseport ? choose(udp, d, best, group) : found;
}

static inline struct udp_sock *find_sock(const struct udp *udp, const struct udp_in *d)
{
	struct udp_sock *s;
	uint32_t id;

	if (udp->nb_connected > 0 &&
	    (s = udp_find_connected(udp, &d->dst, &d->src, d->netif)) != NULL)
		return s;
	id = udp->by_port[d->dst.port & udp->mask];
	if (id == 0)
		return NULL;
	s = &udp->sock[id - 1];
	if (likely(s->next == 0)) /* there is no other candidate */
		return score(s, d) != 0 ? s : NULL;
	return find_best(udp, d, id);
}

struct udp_sock *udp_find(const struct udp *udp, const struct pc_endpoint *src,
                          const struct pc_endpoint *dst)
{
	const uint16_t laddr = netifs_find(&udp->ip->ifs, &dst->addr);
	const struct udp_in d = {.src = *src,
	                         .dst = *dst,
	                         .netif = laddr != LADDR_NONE ? udp->ip->ifs.addr[laddr].netif
	                                                      : (uint8_t)0};

	return find_sock(udp, &d);
}

/* ---- delivery -------------------------------------------------------------------------------- */

static uint32_t mbufs_of(uint32_t len)
{
	return 1 + len / (uint32_t)RTE_MBUF_DEFAULT_DATAROOM;
}

int udp_refuse(const struct udp *udp, struct udp_sock *s, uint32_t len)
{
	const bool is_empty = s->rcv.head == NULL;
	bool refuse;

	if (unlikely(udp->ctx->mbufs_low))
		refuse = !is_empty || !ctx_may_keep(udp->ctx, mbufs_of(len));
	else /* an empty queue accepts any datagram */
		refuse = !is_empty && s->rcv_bytes + len + UDP_OVERHEAD > s->rcv_max;
	if (likely(!refuse))
		return VERDICT_DONE;
	s->drops++;
	return PC_DROP_UDP_RCVBUF;
}

static bool refuse_copy(const struct udp *udp, struct udp_sock *s, uint32_t len)
{
	if (udp_refuse(udp, s, len) == VERDICT_DONE)
		return false;
	if (udp->ctx->mbufs_low)
		ctx_count(udp->ctx, PC_RX_COPY_NO_MBUF);
	return true;
}

bool udp_may_copy(const struct udp *udp, struct udp_sock *s, uint32_t len)
{
	struct ctx *ctx = udp->ctx;

	if (refuse_copy(udp, s, len))
		return false;
	if (ctx->mbufs_low) /* they have been counted */
		return true;
	if (ctx->mbufs_spare >= mbufs_of(len)) {
		ctx->mbufs_spare -= mbufs_of(len);
		return true;
	}
	ctx->mbufs_low = true;
	return !refuse_copy(udp, s, len);
}

/* Records when a datagram arrived, if its socket wants to know, in two words of the note that
 * datagrams do not use. */
static void note_time(struct udp *udp, const struct udp_sock *s, struct pkt *note)
{
	const bool asked = s->tell & UDP_TELL_ANY_TIME;
	const uint64_t ns = unlikely(asked) ? ctx_time_of_day(udp->ctx) : 0;

	note->rx.seq = (uint32_t)ns;
	note->rx.cookie = (uint32_t)(ns >> 32);
}

/* Queues a datagram for which there is room, keeping the headers in front of it. */
static inline void queue(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m,
                         const struct ip_pkt *p, uint32_t len)
{
	const uint32_t index = (uint32_t)(s - udp->sock);
	struct pkt *note = pkt_of(m);

	mbuf_trim(m, (uint32_t)p->l4_off + UDP_HDR_LEN + len);
	note->rx.l3_off = (uint16_t)(m->data_off + p->l3_off);
	note->rx.len = len;
	note->rx.netif = p->netif;
	note_time(udp, s, note);
	rte_pktmbuf_adj(m, (uint16_t)(p->l4_off + UDP_HDR_LEN));
	pktq_push(&s->rcv, m);
	s->rcv_bytes += len + UDP_OVERHEAD;
	ctx_count(udp->ctx, PC_UDP_RX);
	event_notify(udp->ev, &s->poll, udp->first_fd + index, EPOLLIN);
}

/* Returns VERDICT_DONE or a drop. */
static int deliver_datagram(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m,
                            const struct ip_pkt *p, uint32_t len)
{
	const int verdict = udp_refuse(udp, s, len);

	if (likely(verdict == VERDICT_DONE))
		queue(udp, s, m, p, len);
	return verdict;
}

void udp_queue(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m, uint16_t l3_off,
               uint16_t skip, uint8_t netif, uint8_t flags)
{
	struct pkt *note = pkt_of(m);

	note->rx.l3_off = (uint16_t)(m->data_off + l3_off);
	rte_pktmbuf_adj(m, skip);
	note->rx.len = m->pkt_len;
	note->rx.flags = flags;
	note->rx.netif = netif;
	note_time(udp, s, note);
	pktq_push(&s->rcv, m);
	s->rcv_bytes += note->rx.len + UDP_OVERHEAD;
	event_notify(udp->ev, &s->poll, udp->first_fd + (uint32_t)(s - udp->sock), EPOLLIN);
}

/* Delivers a copy. Returns whether the socket accepted it. */
static bool deliver_copy(struct udp *udp, struct udp_sock *s, const struct rte_mbuf *m,
                         const struct ip_pkt *p, uint32_t len)
{
	struct rte_mbuf *copy;

	if (!udp_may_copy(udp, s, len))
		return false;
	copy = rte_pktmbuf_copy(m, udp->ctx->pool, 0, UINT32_MAX);
	if (copy == NULL) {
		ctx_count(udp->ctx, PC_RX_COPY_NO_MBUF);
		return false;
	}
	queue(udp, s, copy, p, len);
	return true;
}

static bool hears_group(const struct udp *udp, const struct udp_sock *s, const struct ip_pkt *p,
                        const struct udp_in *d)
{
	if (s->remote.port != 0 ? !is_connected(s, &d->dst, &d->src, d->netif) : score(s, d) == 0)
		return false;
	return !pc_addr_is_multicast(&p->dst) || udp_hears(udp, s, p->netif, &p->src, &p->dst);
}

/* Delivers copies to all sockets in a chain, from id on, that receive a group, except the last one,
 * which becomes *last. Returns whether any was accepted. */
static bool deliver_chain(struct udp *udp, const struct rte_mbuf *m, const struct ip_pkt *p,
                          const struct udp_in *d, uint32_t id, struct udp_sock **last)
{
	bool delivered = false;
	struct udp_sock *s;

	for (; id != 0; id = s->next) {
		s = &udp->sock[id - 1];
		if (!hears_group(udp, s, p, d))
			continue;
		if (*last != NULL)
			delivered |= deliver_copy(udp, *last, m, p, d->len);
		*last = s;
	}
	return delivered;
}

/* Delivers a datagram to a group: a copy to each socket that receives it, and m itself to the
 * last. */
static int deliver_group(struct udp *udp, struct rte_mbuf *m, const struct ip_pkt *p,
                         const struct udp_in *d)
{
	struct udp_sock *last = NULL;
	bool delivered = deliver_chain(udp, m, p, d, first_connected(udp, &d->dst, &d->src), &last);
	int verdict;

	delivered |= deliver_chain(udp, m, p, d, udp->by_port[d->dst.port & udp->mask], &last);
	if (last == NULL)
		return PC_DROP_UDP_NO_SOCKET;
	verdict = deliver_datagram(udp, last, m, p, d->len);
	if (verdict != VERDICT_DONE && delivered) {
		rte_pktmbuf_free(m);
		return VERDICT_DONE;
	}
	return verdict;
}

static inline bool checksum_is_good(const struct rte_mbuf *m, const struct ip_pkt *p,
                                    const struct udp_hdr *h)
{
	uint64_t sum;

	if (h->cksum_be == 0) /* RFC 768: no checksum, which IPv6 forbids (RFC 8200 section 8.1) */
		return pc_addr_is_ip4(&p->src);
	if (p->l4_good)
		return true;
	sum = cksum_pseudo(&p->src, &p->dst, p->proto, h->len);
	if (likely(m->nb_segs == 1 && h->len < CKSUM_SHORT))
		return cksum_is_good(cksum_add_short(
		    sum, rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off), h->len));
	return cksum_is_good(cksum_add_mbuf(sum, m, p->l4_off, h->len));
}

bool udp_is_intact(const struct rte_mbuf *m, const struct ip_pkt *p)
{
	struct udp_hdr h;

	return udp_parse(rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off), p->l4_len, &h) >
	           0 &&
	       checksum_is_good(m, p, &h);
}

int udp_input(struct udp *udp, struct rte_mbuf *m, const struct ip_pkt *p)
{
	struct udp_sock *s;
	struct udp_hdr h;
	struct udp_in d;

	if (udp_parse(rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off), p->l4_len, &h) < 0)
		return PC_DROP_UDP_SHORT;
	if (!checksum_is_good(m, p, &h))
		return PC_DROP_UDP_CHECKSUM;
	d = (struct udp_in){
	    .src = {.addr = p->src, .port = h.sport},
	    .dst = {.addr = p->dst, .port = h.dport},
	    .len = h.len - (uint32_t)UDP_HDR_LEN,
	    .netif = p->netif,
	};
	if (p->group)
		return deliver_group(udp, m, p, &d);
	s = find_sock(udp, &d);
	return s != NULL ? deliver_datagram(udp, s, m, p, d.len) : PC_DROP_UDP_NO_SOCKET;
}

/* ---- reading --------------------------------------------------------------------------------- */

static const uint8_t *ip_header(const struct rte_mbuf *m)
{
	return (const uint8_t *)m->buf_addr + pkt_of_const(m)->rx.l3_off;
}

/* The ports of a datagram; packets of raw sockets have none. */
static uint16_t read_port(const struct udp_sock *s, const struct rte_mbuf *m, uint32_t off)
{
	if (s->kind != UDP_DATAGRAM)
		return 0;
	return wire_get16(rte_pktmbuf_mtod(m, const uint8_t *) - UDP_HDR_LEN + off);
}

static void read_sender(const struct udp_sock *s, const struct rte_mbuf *m,
                        struct pc_endpoint *from)
{
	const uint8_t *ip = ip_header(m);

	if (ip[0] >> 4 == 4)
		from->addr = pc_addr_ip4(wire_get32_be(ip + 12));
	else
		memcpy(from->addr.b, ip + 8, sizeof(from->addr.b));
	from->port = read_port(s, m, 0);
}

uint64_t udp_arrival_ns(const struct rte_mbuf *m)
{
	const struct pkt *note = pkt_of_const(m);

	return (uint64_t)note->rx.cookie << 32 | note->rx.seq;
}

void udp_read_info(const struct udp_sock *s, const struct rte_mbuf *m, struct udp_info *info)
{
	const struct pkt *note = pkt_of_const(m);
	const uint8_t *ip = ip_header(m);

	read_sender(s, m, &info->src);
	info->dst.port = read_port(s, m, 2);
	info->at_ns = udp_arrival_ns(m);
	info->netif = note->rx.netif;
	if (ip[0] >> 4 == 4) {
		info->dst.addr = pc_addr_ip4(wire_get32_be(ip + 16));
		info->tos = ip[1];
		info->ttl = ip[8];
	} else {
		memcpy(info->dst.addr.b, ip + 24, sizeof(info->dst.addr.b));
		info->tos = (uint8_t)(wire_get16(ip) >> 4);
		info->ttl = ip[7];
	}
}

struct rte_mbuf *udp_recv(struct udp *udp, uint32_t index, struct pc_endpoint *from, bool peek)
{
	struct udp_sock *s = &udp->sock[index];
	struct rte_mbuf *m = s->rcv.head;

	if (m == NULL)
		return NULL;
	if (from != NULL)
		read_sender(s, m, from);
	if (!peek) {
		pktq_pop(&s->rcv);
		s->rcv_bytes -= pkt_of(m)->rx.len + UDP_OVERHEAD;
	}
	return m;
}

uint32_t udp_mask(const struct udp_sock *s)
{
	uint32_t mask = EPOLLOUT;

	if (s->rcv.head != NULL || s->rd_shut)
		mask |= EPOLLIN;
	if (s->rd_shut)
		mask |= EPOLLRDHUP;
	if (s->rd_shut && s->wr_shut)
		mask |= EPOLLHUP;
	if (s->error != 0 || s->reports.head != NULL)
		mask |= EPOLLERR;
	return mask;
}
