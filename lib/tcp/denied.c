/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: packets from denied sources are dropped at once, but their connections would stay until
 * they time out.  So all TCBs are scanned once, some in each turn, as a million would take too long
 * for one turn.  Nothing is sent to denied sources, not even RST; half-open connections and
 * TIME-WAIT end by themselves.
 *
 * Connections with sources that a firewall rule flushes end in the same way.  An attacker with many
 * addresses can trigger flushes at will, so a new scan for them starts only when the last is
 * complete, and no sooner than FLUSH_NS, plus FLUSH_NS for each million TCBs, after it began: this
 * bounds the TCBs looked at per second.
 */
#include "tcp/denied.h"

#include <errno.h>

#include "fw/fw.h"
#include "ip/deny.h"
#include "tcp/tcp_conn.h"

#define DENIED_LOOK_AT 256 /* TCBs per turn */
#define FLUSH_NS       UINT64_C(1000000000)
#define MILLION        1000000

void denied_begin(struct tcp *tcp)
{
	tcp->denied_left = tcp->free_tcbs.touched;
}

void denied_begin_flush(struct tcp *tcp)
{
	if (tcp->denied_left > 0 || tcp->ctx->now_ns < tcp->flush_ns)
		return;
	fw_knows_flush(&tcp->ip->fw);
	tcp->flush_ns =
	    tcp->ctx->now_ns + FLUSH_NS * (1 + (uint64_t)tcp->free_tcbs.touched / MILLION);
	denied_begin(tcp);
}

uint32_t denied_wait_ticks(const struct tcp *tcp)
{
	const uint64_t now_ns = tcp->ctx->now_ns;

	return tcp->flush_ns > now_ns ? ticks_from_ms((tcp->flush_ns - now_ns) / 1000000) : 0;
}

/* The counter for ending a connection with this address, or PC_COUNTER_MAX: it does not end. */
static enum pc_counter why_ended(const struct tcp *tcp, const struct pc_addr *a)
{
	if (deny_has(&tcp->ip->deny, a))
		return PC_TCP_DENIED_ENDED;
	return fw_is_flushed(&tcp->ip->fw, tcp->ctx, a) ? PC_FIREWALL_FLUSHED : PC_COUNTER_MAX;
}

void denied_sweep(struct tcp *tcp)
{
	for (unsigned n = 0; n < DENIED_LOOK_AT && tcp->denied_left > 0; n++) {
		struct tcb *t = tcp_tcb(tcp, tcp->denied_left--);
		enum pc_counter why;

		if (!(t->flags & TCB_IN_TABLE))
			continue;
		why = why_ended(tcp, &t->flow.raddr);
		if (why == PC_COUNTER_MAX)
			continue;
		ctx_count(tcp->ctx, (int)why);
		tcb_done(tcp, t, ECONNABORTED);
	}
}
