/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP on the way out.
 *
 * Datagrams may be fragmented by routers (no DF): there is no table of path MTUs that would let a
 * sender of large ones find a size that fits.  Here they are not fragmented yet.
 */

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "udp/table.h"
#include "wire/ip4.h"
#include "wire/udp.h"

/* The way to dst; that of the last datagram is kept. Returns 0 or -errno. */
static int find_path(struct udp *udp, struct udp_sock *s, const struct pc_addr *dst)
{
	int rc;

	if (likely(pc_addr_equal(&s->path_dst, dst) &&
	           neigh_is_valid(udp->ip->neigh, s->path.neigh)))
		return 0;
	udp_forget_path(s);
	rc = ip_path_find(udp->ip, dst, s->laddr, &s->path);
	if (rc == 0)
		s->path_dst = *dst;
	return rc;
}

static int take_error(struct udp_sock *s)
{
	const int error = s->error;

	s->error = 0;
	return -error;
}

/* Says whether, and prepares that, s can send len bytes to dst. Returns 0 or -errno. */
static int prepare(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *dst, uint32_t len)
{
	int rc;

	if (unlikely(s->wr_shut))
		return -EPIPE;
	if (unlikely(s->error != 0))
		return take_error(s);
	if (unlikely(dst->port == 0))
		return -EINVAL;
	if (unlikely(len > IP4_TOTAL_MAX - IP4_HDR_LEN - UDP_HDR_LEN))
		return -EMSGSIZE;
	if (unlikely(!udp_speaks(s, &dst->addr)))
		return -ENETUNREACH;
	rc = find_path(udp, s, &dst->addr);
	if (unlikely(rc != 0))
		return rc;
	if (unlikely(s->path.broadcast && !s->broadcast))
		return -EACCES;
	if (unlikely(len + UDP_HDR_LEN + ip_hdr_len(&dst->addr) > s->path.mtu))
		return -EMSGSIZE;
	return likely(s->bound) ? 0 : udp_bind_any(udp, s);
}

int udp_send(struct udp *udp, uint32_t index, struct rte_mbuf *m, const struct pc_endpoint *to)
{
	struct udp_sock *s = &udp->sock[index];
	const struct pc_endpoint *dst = to != NULL ? to : &s->remote;
	struct udp_hdr h;
	struct ip_send send;
	uint8_t *p;
	int rc;

	if (to == NULL && s->remote.port == 0)
		return s->wr_shut ? -EPIPE : -EDESTADDRREQ;
	rc = prepare(udp, s, dst, m->pkt_len);
	if (unlikely(rc != 0))
		return rc;
	h = (struct udp_hdr){.sport = s->local.port,
	                     .dport = dst->port,
	                     .len = (uint16_t)(m->pkt_len + UDP_HDR_LEN)};
	send = (struct ip_send){.src = *ip_laddr(udp->ip, s->path.laddr),
	                        .dst = dst->addr,
	                        .proto = IPPROTO_UDP,
	                        .ttl = s->ttl,
	                        .tos = s->tos};
	p = (uint8_t *)rte_pktmbuf_prepend(m, UDP_HDR_LEN);
	assert(p != NULL);
	udp_write(p, &h);
	m->ol_flags &= ~RTE_MBUF_F_TX_TCP_SEG;
	ip_l4_checksum(udp->ip, &s->path, &send, m, UDP_HDR_LEN, UDP_CKSUM_OFF);
	ctx_count(udp->ctx, PC_UDP_TX);
	ip_output(udp->ip, &s->path, &send, m);
	return 0;
}

int udp_send_by(struct udp *udp, uint32_t index, struct rte_mbuf *m, const struct pc_endpoint *to,
                uint16_t laddr)
{
	struct udp_sock *s = &udp->sock[index];
	const bool chosen = laddr != LADDR_NONE && s->laddr == LADDR_NONE;
	int rc;

	if (!chosen)
		return udp_send(udp, index, m, to);
	if (s->path.laddr != laddr)
		udp_forget_path(s);
	s->laddr = laddr;
	rc = udp_send(udp, index, m, to);
	s->laddr = LADDR_NONE;
	return rc;
}
