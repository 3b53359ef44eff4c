/* SPDX-License-Identifier: BSD-2-Clause */
/* The receive window to advertise when it may exceed what is left of the one advertised before. */

#include "tcp/window.h"

uint32_t tcp_rcv_room(const struct tcp *tcp, const struct tcb *t)
{
	uint32_t share = tcp_share(tcp, t->rcv_mss);
	uint32_t least = (uint32_t)RTE_MAX((uint64_t)t->rcv_mss, tcp->ctx->cfg.tcp_rcvbuf_min);

	return RTE_MIN(t->rcv_max, RTE_MAX(share, least));
}

/* what may arrive beside what is unread, where room bytes may be held in all */
static uint32_t rcv_space(const struct tcp *tcp, const struct tcb *t, uint32_t room)
{
	uint32_t space = t->rcv_bytes < room ? room - t->rcv_bytes : 0;

	return RTE_MIN(RTE_MIN(space, tcp_rcv_limit(tcp, t)),
	               (uint32_t)UINT16_MAX << t->rcv_wscale);
}

uint16_t tcp_window_look(const struct tcp *tcp, struct tcb *t)
{
	uint32_t told = t->rcv_adv - t->rcv_nxt, space = tcp_window_most(t), field;
	uint32_t step = RTE_MIN((uint32_t)t->rcv_mss, tcp_rcv_limit(tcp, t) / 2);

	/* the free space matters only if it can exceed the advertised window by that much */
	if (space >= told + step)
		space = rcv_space(tcp, t, tcp_rcv_room(tcp, t));
	/* RFC 9293 3.8.6.2.2: the right edge moves by a segment or half the buffer, never back */
	if (space < told + step)
		field = tcp_window_field(t, told);
	else
		field = space >> t->rcv_wscale;
	field = RTE_MIN(field, (uint32_t)UINT16_MAX);
	t->rcv_adv = t->rcv_nxt + RTE_MAX(told, field << t->rcv_wscale);
	return (uint16_t)field;
}

bool tcp_window_has_grown(const struct tcp *tcp, const struct tcb *t)
{
	uint32_t told = t->rcv_adv - t->rcv_nxt, room = tcp_rcv_room(tcp, t);
	/* 3.8.6.2.2: "min( Fr * RCV.BUFF, Eff.snd.MSS )", of the buffer as it is now */
	uint32_t limit = RTE_MIN(RTE_MIN(room, tcp_rcv_limit(tcp, t)), tcp_window_most(t));
	uint32_t space, gain;

	if (told > limit - limit / 4) /* too little to gain */
		return false;
	space = rcv_space(tcp, t, room);
	gain = space > told ? space - told : 0;
	if (2 * gain >= limit)
		return true;
	return gain >= 2u * t->rcv_mss && (gain >= limit / 4 || told <= limit / 8);
}
