/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/gtsm.h"

#include "tcp/listener.h"

/* the least TTL for packets from remote; 0: any */
static uint8_t least_ttl(const struct tcp *tcp, const struct tcb *t, const struct pc_addr *remote)
{
	const struct kept *k = &tcp_tuning(tcp, t)->kept;

	return k->small[pc_addr_is_ip4(remote) ? KEPT_MINTTL : KEPT_MINHOPS];
}

void gtsm_tune(struct tcp *tcp, struct tcb *t)
{
	const struct kept *k = &tcp_tuning(tcp, t)->kept;

	t->near = k->small[KEPT_MINTTL] != 0 || k->small[KEPT_MINHOPS] != 0;
	if (!t->near)
		return;
	tcp->near = true;
	tcp->ip->bare_ttl = UINT8_MAX;
}

/* The socket that a segment is for, a connection or a listener; NULL: none. An entry in TIME-WAIT
 * has no socket, except for a SYN, which may reopen it: then it is the listener. */
static const struct tcb *socket_of(const struct tcp *tcp, flow_ref ref, const struct tcp_rx *rx)
{
	const uint32_t index = flow_ref_index(ref);
	uint32_t binding;

	if (flow_ref_kind(ref) == FLOW_TCB)
		return tcp_tcb(tcp, index);
	if (flow_ref_kind(ref) == FLOW_SYN)
		return tcp_listener(tcp, tcp->syn.entry[index].binding);
	if (flow_ref_kind(ref) == FLOW_TW && !(rx->seg.flags & TCP_SYN))
		return NULL;
	binding = tcp_listener_for(tcp, rx, rx->flow.lport);
	return binding != 0 ? tcp_listener(tcp, binding) : NULL;
}

int gtsm_check(const struct tcp *tcp, flow_ref ref, const struct ip_pkt *p, const struct tcp_rx *rx)
{
	const struct tcb *t = socket_of(tcp, ref, rx);

	return t == NULL || likely(!t->near) || p->ttl >= least_ttl(tcp, t, &p->src)
	           ? VERDICT_DONE
	           : PC_DROP_TCP_MIN_TTL;
}

bool gtsm_ignores(struct tcp *tcp, const struct tcb *t, const struct icmp_error *e)
{
	if (likely(!t->near) || e->ttl >= least_ttl(tcp, t, &e->remote))
		return false;
	ctx_count(tcp->ctx, PC_TCP_MIN_TTL_ICMPS);
	return true;
}
