/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw sockets.
 *
 * Overview: they form one chain, since there are few; struct ip counts them, so that a packet costs
 * only one check when there are none.
 *
 * Ownership: a socket gets copies; the packet itself is processed as usual.
 */

#include "udp/raw.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/if_packet.h>
#include <rte_mbuf.h>

#include "udp/guard.h"
#include "udp/member.h"
#include "udp/table.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

int udp_open_raw(struct udp *udp, bool ip6, uint8_t proto)
{
	const int index = udp_open(udp);
	struct udp_sock *s;

	if (index < 0)
		return index;
	s = &udp->sock[index];
	s->kind = UDP_RAW;
	s->ip6 = s->v6only = ip6;
	s->proto = proto;
	s->header_included = proto == IPPROTO_RAW && !ip6;
	s->next = udp->raw;
	udp->raw = (uint32_t)index + 1;
	udp->ip->nb_raw++;
	return index;
}

static void unlink_sock(struct udp *udp, uint32_t *link, const struct udp_sock *s)
{
	while (*link != (uint32_t)(s - udp->sock) + 1)
		link = &udp->sock[*link - 1].next;
	*link = s->next;
}

void udp_close_raw(struct udp *udp, struct udp_sock *s)
{
	if (s->filter != 0)
		udp_set_filter(udp, s, NULL, 0);
	if (s->kind == UDP_RAW) {
		unlink_sock(udp, &udp->raw, s);
		udp->ip->nb_raw--;
	} else if (s->kind == UDP_PACKET) {
		unlink_sock(udp, &udp->packet, s);
		udp_untap(udp);
	}
}

static void forget_name(struct udp_sock *s)
{
	s->laddr = LADDR_NONE;
	s->local.addr = (struct pc_addr){0};
}

int udp_bind_raw(struct udp *udp, struct udp_sock *s, const struct pc_addr *addr)
{
	const bool any =
	    pc_addr_is_any(addr) || (pc_addr_is_ip4(addr) && pc_addr_get_ip4(addr) == 0);
	uint16_t laddr = LADDR_NONE;

	if (!pc_addr_is_any(&s->remote.addr)) /* as on Linux */
		return -EINVAL;
	if (!any && udp_find_name(udp, addr, &laddr) != 0)
		return -EADDRNOTAVAIL;
	s->laddr = laddr;
	s->local.addr = any ? (struct pc_addr){0} : *addr;
	s->addr_fixed = !any;
	udp_forget_path(s);
	return 0;
}

int udp_connect_raw(struct udp *udp, struct udp_sock *s, const struct pc_addr *to, uint16_t laddr)
{
	int rc;

	if (to == NULL) {
		s->remote = (struct pc_endpoint){0};
		if (!s->addr_fixed)
			forget_name(s);
		udp_forget_path(s);
		return 0;
	}
	if (pc_addr_is_ip4(to) == s->ip6)
		return -ENETUNREACH;
	laddr = s->addr_fixed ? s->laddr : laddr;
	rc = udp_search_path(udp, s, to, 0, udp_group_laddr(udp, s, laddr, to));
	if (rc != 0)
		return rc;
	if (s->path.laddr == LADDR_NONE)
		return -ENETUNREACH;
	if (s->path.broadcast && !s->broadcast)
		return -EACCES;
	if (!s->addr_fixed) {
		s->local.addr = *ip_laddr(udp->ip, s->path.laddr);
		s->laddr = s->path.laddr;
	}
	s->remote = (struct pc_endpoint){.addr = *to};
	return 0;
}

/* ---- input ----------------------------------------------------------------------------------- */

/* as packet sockets tell it */
static uint8_t raw_type_of(const struct ip_pkt *p)
{
	if (pc_addr_is_multicast(&p->dst))
		return PACKET_MULTICAST;
	return p->group ? PACKET_BROADCAST : PACKET_HOST;
}

/* ICMP_FILTER, ICMP6_FILTER: a set bit blocks a type */
static bool is_filtered(const struct udp_sock *s, const uint8_t *l4)
{
	if (s->proto == IPPROTO_ICMP && !s->ip6)
		return l4[0] < 32 && (s->icmp_filter[0] >> l4[0] & 1) != 0;
	if (s->proto == IPPROTO_ICMPV6 && s->ip6)
		return (s->icmp_filter[l4[0] >> 5] >> (l4[0] & 31) & 1) != 0;
	return false;
}

/* Unlike one of ICMP, a message of ICMPv6 with a wrong checksum reaches no socket, as on Linux. */
static bool is_corrupt(const struct udp_sock *s, const struct rte_mbuf *m, const struct ip_pkt *p)
{
	uint64_t sum;

	if (s->proto != IPPROTO_ICMPV6 || !s->ip6)
		return false;
	sum = cksum_pseudo(&p->src, &p->dst, IPPROTO_ICMPV6, p->l4_len);
	return !cksum_is_good(cksum_add_mbuf(sum, m, p->l4_off, p->l4_len));
}

static bool raw_sock_wants(const struct udp *udp, const struct udp_sock *s,
                           const struct rte_mbuf *m, const struct ip_pkt *p)
{
	if (s->proto != p->proto || s->ip6 == pc_addr_is_ip4(&p->dst) || p->l4_len == 0)
		return false;
	if (s->netif != 0 && s->netif - 1 != p->netif)
		return false;
	if (!pc_addr_is_any(&s->local.addr) && !pc_addr_equal(&s->local.addr, &p->dst))
		return false;
	if (!pc_addr_is_any(&s->remote.addr) && !pc_addr_equal(&s->remote.addr, &p->src))
		return false;
	if (pc_addr_is_multicast(&p->dst) && !udp_hears(udp, s, p->netif, &p->src, &p->dst))
		return false;
	return !is_filtered(s, rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off)) &&
	       !is_corrupt(s, m, p);
}

static bool deliver_raw(struct udp *udp, struct udp_sock *s, const struct rte_mbuf *m,
                        const struct ip_pkt *p)
{
	const uint16_t skip = s->ip6 ? p->l4_off : p->l3_off;
	const struct cbpf_facts facts = {.l3_off = p->l3_off,
	                                 .protocol = s->ip6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4,
	                                 .type = raw_type_of(p),
	                                 .netif = p->netif};
	const uint32_t len =
	    RTE_MIN(udp_filter(udp, s, m, skip, &facts), (uint32_t)p->l4_off + p->l4_len - skip);
	struct rte_mbuf *copy;

	if (len == 0 || !udp_may_copy(udp, s, len))
		return false;
	copy = rte_pktmbuf_copy(m, udp->ctx->pool, 0, skip + len);
	if (copy == NULL) {
		ctx_count(udp->ctx, PC_RX_COPY_NO_MBUF);
		return false;
	}
	udp_queue(udp, s, copy, p->l3_off, skip, p->netif, 0);
	ctx_count(udp->ctx, PC_RAW_RX);
	return true;
}

bool udp_raw_input(struct udp *udp, const struct rte_mbuf *m, const struct ip_pkt *p)
{
	bool taken = false;

	for (uint32_t id = udp->raw; id != 0; id = udp->sock[id - 1].next)
		if (raw_sock_wants(udp, &udp->sock[id - 1], m, p))
			taken |= deliver_raw(udp, &udp->sock[id - 1], m, p);
	return taken;
}

/* ---- output ---------------------------------------------------------------------------------- */

/* Fills in what the caller's own header leaves to us (raw(7)). Returns 0 or -EINVAL. */
static int complete_header(const struct udp *udp, const struct udp_sock *s, struct rte_mbuf *m,
                           const struct pc_addr *to)
{
	uint8_t *h = rte_pktmbuf_mtod(m, uint8_t *);
	struct ip_send send;
	struct pc_addr src;
	uint16_t hdr_len;

	if (m->data_len < IP4_HDR_LEN || h[0] >> 4 != 4)
		return -EINVAL;
	hdr_len = (uint16_t)((h[0] & 0xf) * 4);
	if (hdr_len < IP4_HDR_LEN || hdr_len > m->data_len)
		return -EINVAL;
	wire_put16(h + 2, (uint16_t)m->pkt_len);
	src = pc_addr_ip4(wire_get32_be(h + 12));
	if (pc_addr_get_ip4(&src) == 0)
		src = udp_source(udp, s);
	wire_put32_be(h + 12, pc_addr_get_ip4(&src));
	if (wire_get16_be(h + 4) == 0) {
		send = (struct ip_send){.src = src, .dst = *to, .proto = h[9]};
		wire_put16(h + 4, (uint16_t)ip_make_id(udp->ip, &send));
	}
	wire_put16(h + IP4_CKSUM_OFF, 0);
	wire_put16_be(h + IP4_CKSUM_OFF, cksum_finish_be(cksum_add(0, h, hdr_len)));
	return 0;
}

static void send_packet(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m,
                        const struct pc_addr *to, const struct udp_ctl *ctl)
{
	struct ip_send send = {.src = udp_source(udp, s),
	                       .dst = *to,
	                       .proto = s->proto,
	                       .ttl = s->ip6 ? s->hops : s->ttl,
	                       .tos = s->ip6 ? s->tclass : s->tos,
	                       .df = !s->ip6 && udp_wants_df(s, m->pkt_len + ip_hdr_len(to))};
	const int16_t group_ttl = s->ip6 ? s->group_hops : s->group_ttl;

	if (s->path.multicast)
		send.ttl = group_ttl < 0 ? 0 : (uint8_t)group_ttl;
	if (ctl->ttl >= 0)
		send.ttl = (uint8_t)ctl->ttl;
	if (ctl->tos >= 0)
		send.tos = (uint8_t)ctl->tos;
	if (s->ip6 && s->proto == IPPROTO_ICMPV6 && m->data_len >= ICMP6_HDR_LEN) {
		wire_put16(rte_pktmbuf_mtod_offset(m, uint8_t *, ICMP6_CKSUM_OFF), 0);
		ip_l4_checksum(udp->ip, &s->path, &send, m, ICMP6_HDR_LEN, ICMP6_CKSUM_OFF);
	}
	ip_output(udp->ip, &s->path, &send, m);
}

/* Checks that s can send a packet of total bytes to an address, and prepares for it. Returns
 * 0 or -errno. */
static int prepare_raw(struct udp *udp, struct udp_sock *s, const struct pc_addr *to,
                       uint32_t total, const struct udp_ctl *ctl)
{
	const struct pc_endpoint dst = {.addr = *to};
	const uint16_t laddr =
	    ctl->laddr != LADDR_NONE ? ctl->laddr : udp_group_laddr(udp, s, s->laddr, to);
	const int rc = udp_search_path(udp, s, to, 0, laddr);

	if (rc != 0)
		return rc;
	if (s->path.broadcast && !s->broadcast)
		return -EACCES;
	if (total > (s->ip6 ? IP6_PAYLOAD_MAX + IP6_HDR_LEN : IP4_TOTAL_MAX))
		return -EMSGSIZE;
	if (total <= s->path.mtu)
		return 0;
	return s->header_included ? -EMSGSIZE : udp_judge_size(udp, s, &dst, total);
}

int udp_send_raw(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m, const struct pc_addr *to,
                 const struct udp_ctl *ctl)
{
	const uint32_t header = s->header_included ? 0 : ip_hdr_len(to);
	int rc;

	if (pc_addr_is_ip4(to) == s->ip6 || pc_addr_is_any(to))
		return s->ip6 || pc_addr_is_any(to) ? -EDESTADDRREQ : -ENETUNREACH;
	rc = prepare_raw(udp, s, to, m->pkt_len + header, ctl);
	if (rc == 0 && s->header_included)
		rc = complete_header(udp, s, m, to);
	if (fw_is_on(&udp->ip->fw) && rc == 0)
		rc = udp_guard_raw(udp, s, m, to);
	if (rc != 0)
		return rc;
	m->ol_flags = 0;
	ctx_count(udp->ctx, PC_RAW_TX);
	if (s->header_included)
		ip4_output_header(udp->ip, &s->path, m, to);
	else
		send_packet(udp, s, m, to, ctl);
	return 0;
}

/* ---- filters --------------------------------------------------------------------------------- */

int udp_set_filter(struct udp *udp, struct udp_sock *s, const struct sock_filter *insn, uint32_t n)
{
	uint8_t place = s->filter;

	if (n == 0) {
		if (place != 0)
			udp->filter[place - 1].n = 0;
		s->filter = 0;
		return 0;
	}
	if (!cbpf_check(insn, n))
		return -EINVAL;
	for (uint8_t i = 0; place == 0 && i < UDP_FILTERS; i++)
		if (udp->filter[i].n == 0)
			place = (uint8_t)(i + 1);
	if (place == 0)
		return -ENOMEM;
	udp->filter[place - 1].n = (uint16_t)n;
	memcpy(udp->filter[place - 1].insn, insn, n * sizeof(*insn));
	s->filter = place;
	return 0;
}

uint32_t udp_filter(const struct udp *udp, const struct udp_sock *s, const struct rte_mbuf *m,
                    uint32_t off, const struct cbpf_facts *facts)
{
	return s->filter != 0 ? cbpf_run(&udp->filter[s->filter - 1], m, off, facts) : UINT32_MAX;
}
