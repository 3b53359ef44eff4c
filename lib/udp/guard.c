/* SPDX-License-Identifier: BSD-2-Clause */
#include "udp/guard.h"

#include <errno.h>
#include <netinet/in.h>

#include "fw/fw.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/wire.h"

#define TCP_FLAGS 13 /* RFC 9293 section 3.1: their offset in the header */

bool udp_is_peer(const struct udp *udp, const struct pc_endpoint *local,
                 const struct pc_endpoint *remote)
{
	return udp_find_connected(udp, local, remote, UDP_ANY_NETIF) != NULL;
}

/* Applies the firewall's rules to a packet on s->path. Returns 0 or -EPERM. */
static int judge(struct udp *udp, const struct udp_sock *s, struct fw_packet *k,
                 struct fw_state *name)
{
	if (s->path.netif == NETIF_LO)
		return 0;
	k->state = FW_NEW;
	k->netif = s->path.netif;
	name->remote = *k->dst;
	name->laddr = s->path.laddr;
	name->proto = k->proto;
	if (s->path.broadcast || s->path.multicast) { /* any host may answer, to any address */
		name->remote = (struct pc_addr){0};
		name->laddr = FW_ANY_LADDR;
	}
	if (fw_judge_pair(&udp->ip->fw, udp->ctx, FW_OUT, k, name, false) == FW_PASS)
		return 0;
	ctx_count(udp->ctx, PC_TX_FIREWALL);
	return -EPERM;
}

int udp_guard_datagram(struct udp *udp, const struct udp_sock *s, const struct pc_endpoint *dst,
                       uint32_t len)
{
	const struct pc_addr src = udp_source(udp, s);
	struct fw_packet k = {.src = &src,
	                      .dst = &dst->addr,
	                      .sport = s->local.port,
	                      .dport = dst->port,
	                      .proto = IPPROTO_UDP,
	                      .len = len + 8};
	struct fw_state name = {.lport = k.sport, .rport = k.dport};

	return judge(udp, s, &k, &name);
}

/* The flags of a segment; 0 if it is cut short. */
static uint8_t flags_of(const struct rte_mbuf *m, uint32_t off)
{
	uint8_t copy;
	const uint8_t *flags = rte_pktmbuf_read(m, off + TCP_FLAGS, 1, &copy);

	return flags != NULL ? *flags : 0;
}

int udp_guard_raw(struct udp *udp, const struct udp_sock *s, const struct rte_mbuf *m,
                  const struct pc_addr *dst)
{
	const uint8_t *h = rte_pktmbuf_mtod(m, const uint8_t *);
	/* what is in a program's own header counts, wherever the packet is sent */
	const bool own = s->header_included;
	const uint32_t off = own ? (h[0] & 0xfu) * 4 : 0;
	const struct pc_addr from = own ? pc_addr_ip4(wire_get32_be(h + 12)) : udp_source(udp, s);
	const struct pc_addr to = own ? pc_addr_ip4(wire_get32_be(h + 16)) : *dst;
	struct fw_packet k = {
	    .src = &from, .dst = &to, .proto = own ? h[9] : s->proto, .len = m->pkt_len - off};
	struct fw_state name = {0};
	uint8_t copy[8];
	const uint8_t *l4 = rte_pktmbuf_read(m, off, 8, copy);

	if (l4 == NULL)
		return judge(udp, s, &k, &name);
	if (k.proto == IPPROTO_TCP || k.proto == IPPROTO_UDP) {
		k.sport = name.lport = wire_get16(l4);
		k.dport = name.rport = wire_get16(l4 + 2);
		if (k.proto == IPPROTO_TCP)
			k.flags = flags_of(m, off);
	} else if (k.proto == IPPROTO_ICMP || k.proto == IPPROTO_ICMPV6) {
		k.icmp_type = l4[0];
		k.icmp_code = l4[1];
		name.lport = wire_get16(l4 + 4);
		name.rport = k.icmp_type == ICMP4_ECHO_REPLY || k.icmp_type == ICMP6_ECHO_REPLY
		                 ? FW_ASKED_BY_THEM
		                 : FW_ASKED_BY_US;
	}
	return judge(udp, s, &k, &name);
}
