/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP output.
 *
 * Over IPv4 a datagram that fits the path has DF set, so that the path MTU is learnt (RFC 8085
 * section 3.2), and a larger one is sent in fragments; on a path with the lowest MTU that is
 * believed, none has DF. IP_MTU_DISCOVER changes this as on Linux. A socket keeps the path to its
 * last destination, except that a path chosen for one datagram only is forgotten at once.
 */

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "base/mbuf.h"
#include "ip/ip_fast.h"
#include "udp/guard.h"
#include "udp/table.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

/* the largest payloads of the two families, in bytes */
#define UDP_MAX4 (IP4_TOTAL_MAX - IP4_HDR_LEN - UDP_HDR_LEN)
#define UDP_MAX6 (IP6_PAYLOAD_MAX - UDP_HDR_LEN)

uint16_t udp_group_laddr(const struct udp *udp, const struct udp_sock *s, uint16_t laddr,
                         const struct pc_addr *dst)
{
	const uint8_t netif = pc_addr_is_ip4(dst) ? s->out_netif : s->out_netif6;

	if (laddr != LADDR_NONE || netif == 0 || !pc_addr_is_multicast(dst))
		return laddr;
	if (pc_addr_is_ip4(dst) && s->out_laddr != 0 &&
	    netifs_is_usable(&udp->ip->ifs, (uint16_t)(s->out_laddr - 1)))
		return (uint16_t)(s->out_laddr - 1);
	return ip_source(udp->ip, netif - 1, dst);
}

int udp_path_find(struct udp *udp, const struct pc_addr *dst, uint16_t laddr, uint32_t ports,
                  struct ip_path *path)
{
	const int rc = ip_path_find_flow(udp->ip, dst, laddr, ports, path);

	if (rc == 0 && pc_addr_is_ip4(dst))
		path->mtu = ip_pmtu(udp->ip, dst, path->mtu);
	return rc;
}

/* IPV6_MTU limits the size of packets. */
static uint16_t limit_mtu(const struct udp_sock *s, const struct pc_addr *dst, uint16_t mtu)
{
	return s->mtu6 != 0 && s->mtu6 < mtu && !pc_addr_is_ip4(dst) ? s->mtu6 : mtu;
}

/* The interface of IP_MULTICAST_IF counts even if the source is an address of another one, which
 * bind() or connect() has given the socket. */
static void use_group_netif(const struct udp *udp, struct udp_sock *s, const struct pc_addr *dst)
{
	const uint8_t netif = pc_addr_is_ip4(dst) ? s->out_netif : s->out_netif6;

	if (netif == 0)
		return;
	s->path.netif = (uint8_t)(netif - 1);
	s->path.mtu = ip_link_mtu(udp->ip, s->path.netif, dst);
}

int udp_search_path(struct udp *udp, struct udp_sock *s, const struct pc_addr *dst, uint16_t port,
                    uint16_t laddr)
{
	int rc;

	udp_forget_path(s);
	if (s->netif != 0 && laddr == LADDR_NONE)
		laddr = ip_source(udp->ip, s->netif - 1, dst);
	if (s->netif != 0 && laddr == LADDR_NONE && pc_addr_is_broadcast(dst)) {
		/* a host without an address broadcasts to obtain one (RFC 1122 section 3.2.1.3) */
		s->path = (struct ip_path){.netif = (uint8_t)(s->netif - 1),
		                           .laddr = LADDR_NONE,
		                           .mtu = udp->ip->ifs.netif[s->netif - 1].port->info.mtu,
		                           .broadcast = true};
		return 0;
	}
	rc = udp_path_find(udp, dst, laddr, port != 0 ? (uint32_t)s->local.port << 16 | port : 0,
	                   &s->path);
	if (rc == 0 && s->netif != 0 && s->path.netif != s->netif - 1)
		rc = -ENETUNREACH; /* not the interface of SO_BINDTOIFINDEX */
	if (rc == 0 && s->netif == 0 && s->path.multicast && laddr == s->laddr)
		use_group_netif(udp, s, dst);
	if (rc == 0) {
		s->path.mtu = limit_mtu(s, dst, s->path.mtu);
		s->path_dst = *dst;
		s->path_port = port;
	}
	return rc;
}

/* The path to dst; the last datagram's is kept. Returns 0 or -errno. */
static inline int find_path(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *dst)
{
	if (likely(pc_addr_equal(&s->path_dst, &dst->addr) &&
	           neigh_is_valid(udp->ip->neigh, s->path.neigh) &&
	           (!s->path.shared || s->path_port == dst->port)))
		return 0;
	return udp_search_path(udp, s, &dst->addr, dst->port,
	                       udp_group_laddr(udp, s, s->laddr, &dst->addr));
}

int udp_peer_mtu(struct udp *udp, struct udp_sock *s)
{
	if (s->remote.port == 0 || find_path(udp, s, &s->remote) != 0)
		return -ENOTCONN;
	return s->path.mtu;
}

/* Gives a socket its port, which may affect the choice of path; laddr: as used to find the path. */
static __rte_noinline int bind_any(struct udp *udp, struct udp_sock *s,
                                   const struct pc_endpoint *dst, uint16_t laddr)
{
	const int rc = udp_bind_any(udp, s, dst, &s->path);

	if (rc != 0 || !s->path.shared)
		return rc;
	return udp_search_path(udp, s, &dst->addr, dst->port, laddr);
}

static int take_error(struct udp_sock *s)
{
	const int error = s->error;

	s->error = 0;
	return -error;
}

int udp_judge_size(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *dst,
                   uint32_t total)
{
	const uint8_t mode = pc_addr_is_ip4(&dst->addr) ? s->discover : s->discover6;
	const uint16_t mtu =
	    limit_mtu(s, &dst->addr, ip_link_mtu(udp->ip, s->path.netif, &dst->addr));

	if (mode == IP_PMTUDISC_WANT || mode == IP_PMTUDISC_DONT)
		return 0; /* in fragments */
	if (mode == IP_PMTUDISC_OMIT || (mode != IP_PMTUDISC_DO && total <= mtu)) {
		s->path.mtu = mtu; /* whatever path MTU has been reported */
		return 0;
	}
	udp_report_local(udp, s, dst);
	return -EMSGSIZE;
}

/* The checks that do not depend on the path. Returns 0 or -errno. */
static int check(struct udp_sock *s, const struct pc_endpoint *dst, uint32_t len)
{
	if (unlikely(s->wr_shut))
		return -EPIPE;
	if (unlikely(s->error != 0))
		return take_error(s);
	if (unlikely(dst->port == 0))
		return -EINVAL;
	if (unlikely(len > (pc_addr_is_ip4(&dst->addr) ? UDP_MAX4 : UDP_MAX6)))
		return -EMSGSIZE;
	return likely(udp_speaks(s, &dst->addr)) ? 0 : -ENETUNREACH;
}

/* Checks that s can send len bytes to dst, and prepares for it. Returns 0 or -errno. */
static inline int prepare_datagram(struct udp *udp, struct udp_sock *s,
                                   const struct pc_endpoint *dst, uint32_t len,
                                   const struct udp_ctl *ctl)
{
	const uint32_t total = len + (uint32_t)UDP_HDR_LEN + ip_hdr_len(&dst->addr);
	int rc = check(s, dst, len);

	if (unlikely(rc != 0))
		return rc;
	if (ctl != NULL && ctl->laddr != LADDR_NONE)
		rc = udp_search_path(udp, s, &dst->addr, dst->port, ctl->laddr);
	else
		rc = find_path(udp, s, dst);
	if (unlikely(rc != 0))
		return rc;
	if (unlikely(s->path.broadcast && !s->broadcast))
		return -EACCES;
	if (unlikely(total > s->path.mtu) && (rc = udp_judge_size(udp, s, dst, total)) != 0)
		return rc;
	if (likely(s->bound))
		return 0;
	return bind_any(udp, s, dst,
	                ctl != NULL && ctl->laddr != LADDR_NONE
	                    ? ctl->laddr
	                    : udp_group_laddr(udp, s, s->laddr, &dst->addr));
}

/* Fills in the fields of the IP header; groups have a time to live of their own, -1: IP's
 * default. */
static inline struct ip_send describe(const struct udp *udp, const struct udp_sock *s,
                                      const struct pc_addr *dst, uint32_t len,
                                      const struct udp_ctl *ctl)
{
	const uint32_t total = len + (uint32_t)UDP_HDR_LEN + ip_hdr_len(dst);
	const bool ip4 = pc_addr_is_ip4(dst);
	struct ip_send send = {.src = udp_source(udp, s),
	                       .dst = *dst,
	                       .proto = IPPROTO_UDP,
	                       .ttl = ip4 ? s->ttl : s->hops,
	                       .tos = ip4 ? s->tos : s->tclass,
	                       .df = ip4 && udp_wants_df(s, total)};

	if (unlikely(s->path.multicast)) {
		const int16_t ttl = ip4 ? s->group_ttl : s->group_hops;

		send.ttl = ttl < 0 ? 0 : (uint8_t)ttl;
	}
	if (ctl != NULL && ctl->ttl >= 0)
		send.ttl = (uint8_t)ctl->ttl;
	if (ctl != NULL && ctl->tos >= 0)
		send.tos = (uint8_t)ctl->tos;
	return send;
}

/* RFC 768: over IPv4 a sender may omit the checksum. */
static void leave_checksum_out(struct rte_mbuf *m)
{
	m->ol_flags &= ~(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6 |
	                 RTE_MBUF_F_TX_IP_CKSUM);
	m->l4_len = UDP_HDR_LEN;
}

/* Says whether a datagram can take the fast path, if its next hop is known. */
static inline bool is_plain(const struct udp_sock *s, const struct rte_mbuf *m,
                            const struct pc_addr *dst, const struct udp_ctl *ctl)
{
	return ctl == NULL && pc_addr_is_ip4(dst) && !s->path.multicast && !s->path.broadcast &&
	       !s->no_checksum && m->pkt_len + UDP_HDR_LEN + IP4_HDR_LEN <= s->path.mtu;
}

static __rte_noinline uint32_t make_id(const struct udp *udp, const struct udp_sock *s,
                                       const struct pc_addr *dst)
{
	const struct ip_send send = {.src = udp_source(udp, s), .dst = *dst, .proto = IPPROTO_UDP};

	return ip_make_id(udp->ip, &send);
}

/* The fast path, to a known next hop: saves 170 instructions for an echo of 64 bytes. */
static void send_plain(struct udp *udp, const struct udp_sock *s, const struct neigh *n,
                       struct rte_mbuf *m, const struct pc_endpoint *dst)
{
	uint8_t *l4 = ip_fast_prepend(m, IP_FAST_HDR_LEN, UDP_HDR_LEN);
	const uint32_t len = m->pkt_len - IP_FAST_HDR_LEN;
	const uint32_t w0 = __builtin_bswap32((uint32_t)s->local.port << 16 | dst->port);
	const uint32_t w1 = __builtin_bswap32(len << 16);
	const bool df = udp_wants_df(s, 0);
	const uint32_t id = likely(df) ? (uint32_t)IP4_FRAG_DF : make_id(udp, s, &dst->addr) << 16;

	wire_put32_be(l4, w0);
	wire_put32_be(l4 + 4, w1);
	mbuf_clear_offload(m);
	ctx_count(udp->ctx, PC_UDP_TX);
	ip_fast_output(udp->ip, n, m, l4, UDP_HDR_LEN, (uint64_t)w0 + w1, false,
	               (struct ip_fast_hdr){.src_be = ip_laddr(udp->ip, s->path.laddr)->w[3],
	                                    .dst_be = dst->addr.w[3],
	                                    .id_and_flags = id,
	                                    .proto = IPPROTO_UDP,
	                                    .ttl = s->ttl,
	                                    .tos = s->tos});
}

/* Says whether this host receives its own broadcasts, or its datagrams to a group: the latter
 * unless IP_MULTICAST_LOOP is off. */
static bool is_heard_here(const struct udp *udp, const struct udp_sock *s,
                          const struct pc_addr *dst)
{
	if (s->path.broadcast) /* a host without an address does not receive its own */
		return s->path.laddr != LADDR_NONE;
	return (pc_addr_is_ip4(dst) ? s->group_loop : s->group_loop6) &&
	       netifs_is_member(&udp->ip->ifs, s->path.netif, dst);
}

/* Datagrams to a group that we listen to, and broadcasts, are looped back to us (RFC 1112 section
 * 6.1). m begins with the UDP header, without its checksum. */
static __rte_noinline void loop_group(struct udp *udp, const struct udp_sock *s,
                                      const struct rte_mbuf *m, const struct ip_send *send)
{
	struct ip_path path;
	struct rte_mbuf *copy;

	if (!is_heard_here(udp, s, &send->dst) ||
	    ip_path_loop(udp->ip, &send->dst, s->path.laddr, &path) != 0)
		return;
	copy = rte_pktmbuf_copy(m, udp->ctx->pool, 0, UINT32_MAX);
	if (copy == NULL) {
		ctx_count(udp->ctx, PC_RX_COPY_NO_MBUF);
		return;
	}
	ip_l4_checksum(udp->ip, &path, send, copy, UDP_HDR_LEN, UDP_CKSUM_OFF);
	ip_output(udp->ip, &path, send, copy);
}

static inline int send_datagram(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m,
                                const struct pc_endpoint *to, const struct udp_ctl *ctl)
{
	const struct pc_endpoint *dst = to != NULL ? to : &s->remote;
	const struct neigh *n;
	struct udp_hdr h;
	struct ip_send send;
	uint8_t *p;
	int rc;

	if (to == NULL && s->remote.port == 0)
		return -EDESTADDRREQ;
	rc = prepare_datagram(udp, s, dst, m->pkt_len, ctl);
	if (fw_is_on(&udp->ip->fw) && rc == 0)
		rc = udp_guard_datagram(udp, s, dst, m->pkt_len);
	if (unlikely(rc != 0))
		return rc;
	n = is_plain(s, m, &dst->addr, ctl) ? neigh_ready(udp->ip->neigh, s->path.neigh) : NULL;
	if (likely(n != NULL)) {
		send_plain(udp, s, n, m, dst);
		return 0;
	}
	h = (struct udp_hdr){.sport = s->local.port,
	                     .dport = dst->port,
	                     .len = (uint16_t)(m->pkt_len + UDP_HDR_LEN)};
	send = describe(udp, s, &dst->addr, m->pkt_len, ctl);
	p = (uint8_t *)rte_pktmbuf_prepend(m, UDP_HDR_LEN);
	assert(p != NULL);
	udp_write(p, &h);
	m->ol_flags &= ~RTE_MBUF_F_TX_TCP_SEG;
	if (unlikely(s->path.multicast || s->path.broadcast))
		loop_group(udp, s, m, &send);
	if (unlikely(s->no_checksum) && pc_addr_is_ip4(&dst->addr))
		leave_checksum_out(m);
	else
		ip_l4_checksum(udp->ip, &s->path, &send, m, UDP_HDR_LEN, UDP_CKSUM_OFF);
	ctx_count(udp->ctx, PC_UDP_TX);
	if (unlikely(s->path.multicast && send.ttl == 0 &&
	             (pc_addr_is_ip4(&dst->addr) ? s->group_ttl : s->group_hops) == 0))
		rte_pktmbuf_free(m); /* it must not leave this host */
	else
		ip_output(udp->ip, &s->path, &send, m);
	return 0;
}

int udp_send(struct udp *udp, uint32_t index, struct rte_mbuf *m, const struct pc_endpoint *to)
{
	return send_datagram(udp, &udp->sock[index], m, to, NULL);
}

int udp_send_ctl(struct udp *udp, uint32_t index, struct rte_mbuf *m, const struct pc_endpoint *to,
                 const struct udp_ctl *ctl)
{
	struct udp_sock *s = &udp->sock[index];
	int rc;

	rc = send_datagram(udp, s, m, to, ctl);
	if (ctl->laddr != LADDR_NONE)
		udp_forget_path(s);
	return rc;
}

int udp_try(struct udp *udp, uint32_t index, uint32_t len, const struct pc_endpoint *to,
            const struct udp_ctl *ctl)
{
	struct udp_sock *s = &udp->sock[index];
	int rc;

	if (to == NULL && s->remote.port == 0)
		return -EDESTADDRREQ;
	rc = prepare_datagram(udp, s, to != NULL ? to : &s->remote, len, ctl);
	if (ctl->laddr != LADDR_NONE)
		udp_forget_path(s);
	return rc;
}

int udp_payload_max(struct udp *udp, uint32_t index, const struct pc_endpoint *to,
                    const struct udp_ctl *ctl)
{
	struct udp_sock *s = &udp->sock[index];
	const struct pc_endpoint *dst = to != NULL ? to : &s->remote;
	int rc;

	if (dst->port == 0)
		return -EDESTADDRREQ;
	if (!udp_speaks(s, &dst->addr))
		return -ENETUNREACH;
	rc = udp_search_path(
	    udp, s, &dst->addr, dst->port,
	    ctl->laddr != LADDR_NONE ? ctl->laddr : udp_group_laddr(udp, s, s->laddr, &dst->addr));
	if (rc != 0)
		return rc;
	rc = s->path.mtu - (int)ip_hdr_len(&dst->addr) - UDP_HDR_LEN;
	if (ctl->laddr != LADDR_NONE)
		udp_forget_path(s);
	return rc;
}
