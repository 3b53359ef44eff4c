/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_WINDOW_H
#define TCP_WINDOW_H

/*
 * The advertised receive window (RFC 9293 section 3.8.6.2.2).
 *
 * Its right edge moves by a segment or half the buffer, and never back; it may move a little more
 * to be a multiple of what the field can express (RFC 7323 section 2.3), as long as the buffer has
 * room for that.  So while the buffer is not that much larger than what is left of the window
 * advertised before, nothing needs to be computed: an echo of 64 bytes spends 10 instructions here,
 * and 51 every eighth time.
 */

#include "tcp/tcp.h"

/** tcp_rcv_room returns how many bytes the connection's receive buffer may hold now, unread ones
 * included: no promise that the mbufs cannot keep. */
uint32_t tcp_rcv_room(const struct tcp *tcp, const struct tcb *t);

/* The parts of the two functions below for a window that may have grown. */
uint16_t tcp_window_look(const struct tcp *tcp, struct tcb *t);
bool tcp_window_has_grown(const struct tcp *tcp, const struct tcb *t);

/** tcp_window_most returns an upper bound of the connection's windows. */
static inline uint32_t tcp_window_most(const struct tcb *t)
{
	return RTE_MIN(t->rcv_max, (uint32_t)UINT16_MAX << t->rcv_wscale);
}

/*
 * The window field for the window advertised before.  If it were always rounded up, small segments
 * would move the right edge as fast as they arrive, and the buffer would have no limit.  Rounded
 * down, the edge seems to move back by less than a unit of the scale; rcv_adv stays, and what was
 * promised is still taken (RFC 7323 section 2.4).
 */
static inline uint32_t tcp_window_field(const struct tcb *t, uint32_t told)
{
	uint32_t up = (told + (1u << t->rcv_wscale) - 1) >> t->rcv_wscale;

	return t->rcv_bytes + ((uint64_t)up << t->rcv_wscale) <= t->rcv_max ? up
	                                                                    : told >> t->rcv_wscale;
}

/** tcp_window returns the window field to send now, and moves rcv_adv accordingly. */
static inline uint16_t tcp_window(const struct tcp *tcp, struct tcb *t)
{
	uint32_t told = t->rcv_adv - t->rcv_nxt, step = t->rcv_mss, field;

	if (tcp_window_most(t) >= told + step || t->rcv_max < 2 * step || t->tuning != 0)
		return tcp_window_look(tcp, t);
	field = tcp_window_field(t, told);
	t->rcv_adv = t->rcv_nxt + RTE_MAX(told, field << t->rcv_wscale);
	return (uint16_t)field;
}

/** tcp_has_window_update says whether reading has opened the window enough to advertise it. */
static inline bool tcp_has_window_update(const struct tcp *tcp, const struct tcb *t)
{
	uint32_t told = t->rcv_adv - t->rcv_nxt, most = tcp_window_most(t);

	/* otherwise there is too little to gain, whatever else limits the window */
	return told <= most - most / 4 && tcp_window_has_grown(tcp, t);
}

#endif
