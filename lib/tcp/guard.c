/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/guard.h"

#include <errno.h>
#include <netinet/in.h>

#include "tcp/syncache.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_table.h"

/* A segment that belongs to no connection, as rules see it: a SYN is new, a segment that may return
 * a SYN cookie stands for the SYN that was answered with it, and any other is invalid, as is a SYN
 * with FIN or RST, which begins nothing. */
static struct fw_packet fw_packet_of(const struct tcp *tcp, const struct ip_pkt *p, uint16_t sport,
                                     uint16_t dport, uint8_t flags)
{
	const bool returns =
	    (flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK && syncache_may_be_cookie(tcp);
	const bool begins = returns || (flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_SYN;

	return (struct fw_packet){
	    .src = &p->src,
	    .dst = &p->dst,
	    .sport = sport,
	    .dport = dport,
	    .proto = IPPROTO_TCP,
	    .state = begins ? FW_NEW : FW_INVALID,
	    .netif = p->netif,
	    .flags = returns ? TCP_SYN : flags,
	    .len = p->l4_len,
	    .unlimited = (flags & TCP_SYN) == 0,
	};
}

int tcp_guard_input(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx)
{
	const struct fw_packet k =
	    fw_packet_of(tcp, p, rx->seg.sport, rx->seg.dport, rx->seg.flags);
	enum fw_action action;

	if (p->netif == NETIF_LO)
		return VERDICT_DONE;
	action = fw_judge(&tcp->ip->fw, tcp->ctx, FW_IN, &k);
	if (action == FW_PASS)
		return VERDICT_DONE;
	if (action == FW_REJECT) {
		ctx_count(tcp->ctx, PC_FIREWALL_REJECTED);
		tcp_reply_rst(tcp, p, rx);
	}
	return PC_DROP_FIREWALL;
}

bool tcp_guard_admits(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx,
                      struct fw_share *share)
{
	struct fw_packet syn;

	*share = (struct fw_share){0};
	if (!fw_counts_handshakes(&tcp->ip->fw) || p->netif == NETIF_LO)
		return true;
	syn = fw_packet_of(tcp, p, rx->seg.sport, rx->seg.dport, TCP_SYN);
	return fw_admits_handshake(&tcp->ip->fw, tcp->ctx, &syn, share);
}

bool tcp_guard_shows(const struct tcp *tcp, const struct rte_mbuf *m, const struct ip_pkt *p)
{
	const uint8_t *l4 = rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off);
	struct pc_endpoint remote = {.addr = p->src};
	struct fw_packet k;

	if (p->netif == NETIF_LO)
		return true;
	if (p->l4_len < TCP_HDR_LEN) /* too short to have ports */
		return false;
	remote.port = wire_get16(l4);
	k = fw_packet_of(tcp, p, remote.port, wire_get16(l4 + 2), l4[13]);
	return tcp_guard_knows(tcp, p->laddr, k.dport, &remote) ||
	       fw_peek(&tcp->ip->fw, tcp->ctx, FW_IN, &k) == FW_PASS;
}

int tcp_guard_connect(struct tcp *tcp, const struct tcb *t)
{
	const struct fw_packet k = {
	    .src = ip_laddr(tcp->ip, t->flow.laddr),
	    .dst = &t->flow.raddr,
	    .sport = t->flow.lport,
	    .dport = t->flow.rport,
	    .proto = IPPROTO_TCP,
	    .state = FW_NEW,
	    .netif = t->netif,
	    .flags = TCP_SYN,
	};

	if (t->netif == NETIF_LO || fw_judge(&tcp->ip->fw, tcp->ctx, FW_OUT, &k) == FW_PASS)
		return 0;
	ctx_count(tcp->ctx, PC_TX_FIREWALL);
	return -EPERM;
}

bool tcp_guard_knows(const struct tcp *tcp, uint16_t laddr, uint16_t lport,
                     const struct pc_endpoint *remote)
{
	struct tcp_flow flow;
	const uint64_t hash =
	    tcp_table_name(&tcp->table, &flow, &remote->addr, laddr, lport, remote->port);

	return tcp_table_find(&tcp->table, hash, &flow) != 0;
}
