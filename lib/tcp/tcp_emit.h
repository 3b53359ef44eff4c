/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_EMIT_H
#define TCP_TCP_EMIT_H

/* The fast path for sending: a segment whose only options are timestamps, to a known next hop. */

#include "ip/ip_fast.h"
#include "tcp/tcp.h"
#include "tcp/tcp_conn.h"

/** tcp_emit_note records that a segment with len bytes of data is sent, which acknowledges
 * everything. */
static inline void tcp_emit_note(struct tcb *t, uint32_t len)
{
	t->last_ack_sent = t->rcv_nxt;
	if (len > 0) /* the application answers, so data can carry acknowledgements */
		t->quick = t->quick >> 1 & 0x3f;
	t->flags &= ~(uint32_t)(TCB_ACK_LATER | TCB_WINDOW_UPDATE);
	t->timers &= (uint8_t)~TCB_T_ACK;
}

/* The families and the two header lengths are compiled separately, which saves 30 instructions. */
static __rte_always_inline void tcp_emit_as(struct tcp *tcp, struct tcb *t, const struct neigh *n,
                                            struct rte_mbuf *m, uint32_t seq, uint8_t flags,
                                            uint16_t wnd, uint8_t ecn, const struct pkt *note,
                                            const bool ip4, const bool has_ts)
{
	const struct pc_addr *src = ip_laddr(tcp->ip, t->flow.laddr);
	const uint8_t tos = (uint8_t)(t->tos | ecn);
	const bool summed = note != NULL && (note->tx.flags & SEG_SUMMED);
	const uint16_t hdr = tcp_plain_len(has_ts);
	uint8_t *l4 = ip_fast_prepend(m, ip4 ? IP_FAST_HDR_LEN : IP_FAST_HDR_LEN6, hdr);
	uint64_t sum = tcp_write_plain(
	    l4, (struct tcp_plain){.sport = t->flow.lport,
	                           .dport = t->flow.rport,
	                           .seq = seq,
	                           .ack = t->rcv_nxt,
	                           .flags = flags,
	                           .wnd = wnd,
	                           .has_ts = has_ts,
	                           .tsval = has_ts ? tcp_tsval(tcp, t->ts_offset) : 0,
	                           .tsecr = has_ts ? t->ts_recent : 0});

	if (summed)
		sum = cksum_add64(sum, (uint16_t)note->tx.cookie);
	t->flags &= ~(uint32_t)TCB_ACK_NOW;
	ctx_count(tcp->ctx, PC_TCP_TX);
	if (ip4)
		ip_fast_output(tcp->ip, n, m, l4, hdr, sum, summed,
		               (struct ip_fast_hdr){.src_be = src->w[3],
		                                    .dst_be = t->flow.raddr.w[3],
		                                    .id_and_flags = IP4_FRAG_DF,
		                                    .proto = IPPROTO_TCP,
		                                    .ttl = t->ttl,
		                                    .tos = tos});
	else
		ip_fast_output6(tcp->ip, n, m, l4, hdr, sum, summed, src, &t->flow.raddr, t->ttl,
		                tos);
}

/* The IPv6 part of tcp_emit_plain. */
void tcp_emit_plain6(struct tcp *tcp, struct tcb *t, const struct neigh *n, struct rte_mbuf *m,
                     uint32_t seq, uint8_t flags, uint16_t wnd, uint8_t ecn,
                     const struct pkt *note);

/** tcp_emit_plain puts the headers in front of m's payload, whose sum note (NULL: none) may have,
 * and sends it; it takes ownership of m. */
static __rte_always_inline void tcp_emit_plain(struct tcp *tcp, struct tcb *t,
                                               const struct neigh *n, struct rte_mbuf *m,
                                               uint32_t seq, uint8_t flags, uint16_t wnd,
                                               uint8_t ecn, const struct pkt *note)
{
	if (unlikely(!pc_addr_is_ip4(&t->flow.raddr)))
		tcp_emit_plain6(tcp, t, n, m, seq, flags, wnd, ecn, note);
	else if (t->opt & TCB_OPT_TS)
		tcp_emit_as(tcp, t, n, m, seq, flags, wnd, ecn, note, true, true);
	else
		tcp_emit_as(tcp, t, n, m, seq, flags, wnd, ecn, note, true, false);
}

#endif
