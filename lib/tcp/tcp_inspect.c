/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The current state of TCP; see tcp_inspect.h.
 *
 * Half-open connections and those in TIME-WAIT have no TCB, so less is known about them.
 */
#include "tcp/tcp_inspect.h"

#include <netinet/in.h>

#include "tcp/auth.h"

static uint32_t ms_since(const struct tcp *tcp, uint32_t tick)
{
	return (uint32_t)(((uint64_t)(tcp->ctx->tick - tick) << TICK_SHIFT) / 1000000);
}

static struct pc_addr local_addr(const struct tcp *tcp, uint16_t laddr, bool ip6)
{
	if (laddr != LADDR_NONE)
		return *ip_laddr_name(tcp->ip, laddr);
	return ip6 ? (struct pc_addr){0} : pc_addr_ip4(0);
}

static void name(const struct tcp *tcp, const struct tcp_flow *f, bool ip6,
                 struct pc_socket_info *info)
{
	info->local.addr = local_addr(tcp, f->laddr, ip6);
	info->local.port = f->lport;
	info->remote.addr = f->rport != 0 ? f->raddr : local_addr(tcp, LADDR_NONE, ip6);
	info->remote.port = f->rport;
	info->family = ip6 ? AF_INET6 : AF_INET;
}

/* ---- with a TCB ------------------------------------------------------------------------------ */

static void tell_binding(const struct tcp *tcp, const struct tcb *t, struct pc_socket_info *info)
{
	const struct binding *b = &tcp->bind.binding[t->binding];

	info->local.addr = local_addr(tcp, b->laddr, t->flags & TCB_IP6);
	info->local.port = b->port;
	if (t->state == TCP_S_LISTEN) {
		info->rcv_queue = b->accept_n;
		info->snd_queue = b->backlog;
	}
}

static bool tell_tcb(const struct tcp *tcp, uint32_t place, struct pc_socket_info *info)
{
	const struct tcb *t = tcp_tcb(tcp, place);
	const bool is_flow = t->flow.rport != 0;

	if (t->state == TCP_S_FREE)
		return false;
	*info = (struct pc_socket_info){
	    .fd = t->flags & TCB_OPEN ? (int32_t)(tcp->first_fd + place) : -1,
	    .proto = IPPROTO_TCP,
	    .state = t->state,
	    .retries = t->retries,
	    .rcv_queue = t->rcv_bytes,
	    .snd_queue = t->snd_bytes,
	};
	name(tcp, &t->flow, t->flags & TCB_IP6, info);
	info->signature = auth_signs(tcp, flow_ref_make(FLOW_TCB, place));
	if (!is_flow && t->binding != 0)
		tell_binding(tcp, t, info);
	if (is_flow) {
		info->srtt_us = t->srtt_us;
		info->cwnd = t->cwnd;
		info->mss = t->mss;
		info->idle_ms = ms_since(tcp, t->rcv_tick);
	}
	return true;
}

/* ---- without a TCB --------------------------------------------------------------------------- */

static bool tell_syn(const struct tcp *tcp, uint32_t place, struct pc_socket_info *info)
{
	const struct syn_entry *e = &tcp->syn.entry[place];

	if (e->flow.rport == 0)
		return false;
	*info = (struct pc_socket_info){
	    .fd = -1, .proto = IPPROTO_TCP, .state = TCP_S_SYN_RECEIVED, .retries = e->retries};
	name(tcp, &e->flow, !pc_addr_is_ip4(&e->flow.raddr), info);
	info->mss = e->peer_mss;
	info->signature = auth_signs(tcp, flow_ref_make(FLOW_SYN, place));
	return true;
}

static bool tell_time_wait(const struct tcp *tcp, uint32_t place, struct pc_socket_info *info)
{
	const struct tw_entry *e = &tcp->tw.entry[place];

	if (!e->used)
		return false;
	*info = (struct pc_socket_info){.fd = -1, .proto = IPPROTO_TCP, .state = TCP_S_TIME_WAIT};
	name(tcp, &e->flow, !pc_addr_is_ip4(&e->flow.raddr), info);
	info->signature = auth_signs(tcp, flow_ref_make(FLOW_TW, place));
	return true;
}

uint32_t tcp_inspect_places(const struct tcp *tcp, enum flow_kind kind, uint32_t *used)
{
	switch (kind) {
	case FLOW_TCB:
		*used = tcp->tcbs_used;
		return tcp->free_tcbs.touched;
	case FLOW_SYN:
		*used = tcp->syn.used;
		return tcp->syn.free.touched;
	case FLOW_TW:
		*used = tcp->tw.used;
		return tcp->tw.free.touched;
	default:
		*used = 0;
		return 0;
	}
}

bool tcp_inspect(const struct tcp *tcp, enum flow_kind kind, uint32_t place,
                 struct pc_socket_info *info)
{
	switch (kind) {
	case FLOW_TCB:
		return tell_tcb(tcp, place, info);
	case FLOW_SYN:
		return tell_syn(tcp, place, info);
	case FLOW_TW:
		return tell_time_wait(tcp, place, info);
	default:
		return false;
	}
}

void tcp_mark_laddrs(const struct tcp *tcp, bool used[PC_MAX_ADDRS])
{
	for (unsigned i = 0; i < PC_MAX_ADDRS; i++)
		used[i] |= tcp->table.named[i] != 0;
	for (uint32_t i = 1; i <= tcp->bind.n; i++) {
		const struct binding *b = &tcp->bind.binding[i];

		if (b->tcb != 0 && b->laddr < PC_MAX_ADDRS)
			used[b->laddr] = true;
	}
	for (uint32_t i = 0; i < TCP_TUNINGS; i++) {
		const struct tcp_tuning *tune = &tcp->tuning[i];

		if (tune->refs > 0 && tune->bound >= 1 && tune->bound <= PC_MAX_ADDRS)
			used[tune->bound - 1] = true;
	}
}
