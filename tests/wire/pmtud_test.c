/* SPDX-License-Identifier: BSD-2-Clause */

/* The path MTU: what ICMP says, and where it is silent (RFC 1191, RFC 4821, RFC 8899). */

#include <arpa/inet.h>
#include <stdio.h>

#include <rte_mbuf.h>

#include <percore/control.h>

#include "frame6.h"
#include "wt.h"

#define MSS 1460
#define BASE \
	(wt_ip6 ? 1220u : 1024u) /* tcp.base_mss, or what IPv6 has at least (RFC 8200 section 5) */

/* a path that takes segments of up to limit bytes: acknowledges what comes in order until it stops, and what the peer
 * has from start to end; returns the length of the largest segment that came through, and in *acked up to where */
static uint32_t through_to(struct wt *w, uint32_t limit, uint32_t *acked, double ms, uint32_t start,
                           uint32_t end)
{
	const struct frame_info *i;
	uint32_t largest = 0;

	while ((i = wt_next(w, ms)) != NULL) {
		uint32_t seq = i->seg.seq - w->flow.iss, len = i->seg.len;

		if (len > limit)
			continue;
		if (seq > *acked) { /* a hole: a duplicate ACK */
			INJECT(.flags = A, .seq = 1, .ack = *acked);
			continue;
		}
		largest = len > largest ? len : largest;
		if (seq + len > *acked)
			*acked = seq + len;
		if (*acked >= start && *acked < end)
			*acked = end;
		INJECT(.flags = A, .seq = 1, .ack = *acked);
	}
	return largest;
}

static uint32_t through(struct wt *w, uint32_t limit, uint32_t *acked, double ms)
{
	return through_to(w, limit, acked, ms, 0, 0);
}

/* RFC 4821 7.7: "full-stop timeout": full segments vanish, and nobody says why */
static void black_hole(struct wt *w)
{
	uint32_t acked = 1;

	wt_established(w);
	wt_send(w, 4 * MSS);
	EQ(through(w, 1250, &acked, 5000), BASE);
	EQ(acked, 1 + 4 * MSS);
	EQ(wt_count(w, PC_TCP_BLACK_HOLES), 1);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 3);
	EQ(wt_info(w).tcpi_snd_mss, BASE);
}

static void narrower_still(struct wt *w)
{
	uint32_t acked = 1;

	w->may_fragment = true;
	wt_established(w);
	wt_send(w, 2 * MSS);
	EQ(through(w, 600, &acked, 20000), 552 - 40);
	EQ(acked, 1 + 2 * MSS);
	EQ(wt_count(w, PC_TCP_BLACK_HOLES), 2);
}

/* small segments would pass a narrow path: their loss says nothing about it */
static void small_segments(struct wt *w)
{
	uint32_t acked = 1;

	wt_established(w);
	wt_send(w, 500);
	for (unsigned i = 0; i < 6; i++)
		CHECK(wt_next(w, 20000) != NULL);
	EQ(wt_count(w, PC_TCP_BLACK_HOLES), 0);
	EQ(wt_info(w).tcpi_snd_mss, MSS);
	EQ(through(w, MSS, &acked, 60000), 500);
}

static void switched_off(struct wt *w)
{
	w->cfg.tcp_mtu_probing = 0;
	wt_established(w);
	wt_send(w, MSS);
	for (unsigned i = 0; i < 7; i++) {
		const struct frame_info *f = wt_next(w, 60000);

		CHECK(f != NULL);
		EQ(f->seg.len, MSS);
	}
	EQ(wt_count(w, PC_TCP_BLACK_HOLES), 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
}

/* an outage is no narrow path: when it is over, a probe finds the old size at once */
static void outage(struct wt *w)
{
	uint32_t acked = 1;

	w->cfg.tcp_frto = 0; /* through() keeps nothing that comes early, new data neither */
	wt_established(w);
	wt_send(w, 4 * MSS);
	wt_pass(w, 3000);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_BLACK_HOLES), 1);
	for (unsigned i = 0; i < 8 && wt_count(w, PC_TCP_MTU_RAISED) == 0; i++) {
		wt_send(w, 30 * MSS);
		through(w, MSS, &acked, 10000);
	}
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	EQ(wt_count(w, PC_TCP_MTU_RAISED), 1);
	EQ(wt_info(w).tcpi_snd_mss, MSS);
}

/* sends until a probe leaves, acknowledging all before; returns its length */
static uint32_t until_probe(struct wt *w, uint32_t *acked)
{
	const struct frame_info *i;

	for (unsigned n = 0; n < 20; n++) {
		wt_send(w, 20 * MSS);
		while ((i = wt_next(w, 50)) != NULL) {
			if (i->seg.len > BASE)
				return i->seg.len;
			*acked = i->seg.seq - w->flow.iss + i->seg.len;
			INJECT(.flags = A, .seq = 1, .ack = *acked);
		}
	}
	return 0;
}

/* the next segment of what is sent for the first time, from seq on */
static const struct frame_info *beyond(struct wt *w, uint32_t seq)
{
	const struct frame_info *i;

	do
		i = wt_next(w, 0);
	while (i != NULL && i->seg.seq - w->flow.iss < seq);
	return i;
}

/* reports by SACK the four segments from seq on, beside a block (end 0: none); returns where they end */
static uint32_t sack_four(struct wt *w, uint32_t acked, uint32_t seq, uint32_t start, uint32_t end)
{
	uint32_t to = seq;

	for (unsigned n = 0; n < 4; n++) {
		const struct frame_info *i = beyond(w, to);

		CHECK(i != NULL);
		to = i->seg.seq - w->flow.iss + i->seg.len;
		INJECT(.flags = A, .seq = 1, .ack = acked, .nb_sack = end != 0 ? 2 : 1,
		       .sack = {{seq, to}, {start, end}});
	}
	return to;
}

/* a probe is lost, and nothing else; returns how far what followed it has arrived */
static uint32_t lose_probe(struct wt *w, uint32_t *acked)
{
	w->peer.sackok = true;
	w->cfg.tcp_mtu_probing = 2;
	wt_established(w);
	EQ(until_probe(w, acked), MSS); /* the largest that may fit is tried first */
	return sack_four(w, *acked, *acked + MSS, 0, 0);
}

/* a probe that is lost alone is no congestion (RFC 4821 7.5), and the next is smaller */
static void probe_lost(struct wt *w)
{
	uint32_t acked = 1, edge = lose_probe(w, &acked), second;

	EQ(wt_count(w, PC_TCP_MTU_PROBES_LOST), 1);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 0);
	EQ(wt_info(w).tcpi_snd_ssthresh, INT32_MAX);
	EQ(wt_info(w).tcpi_snd_mss, BASE);
	through_to(w, 1250, &acked, 100, acked + MSS, edge);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 0);
	second = until_probe(w, &acked);
	IN(second, BASE + 1, MSS - 100);
	wt_drop(w);
}

/* ... but what is lost later is, whether the probe's data has come by then or not */
static void lost_beside_the_repair(struct wt *w)
{
	uint32_t acked = 1, edge = lose_probe(w, &acked);
	const struct frame_info *i = beyond(w, edge);

	CHECK(i != NULL);
	sack_four(w, acked, i->seg.seq - w->flow.iss + i->seg.len, acked + MSS, edge);
	EQ(wt_count(w, PC_TCP_MTU_PROBES_LOST), 1);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	wt_drop(w);
}

static void lost_after_the_repair(struct wt *w)
{
	const uint32_t all = 1 + MSS + 4 * BASE;

	w->peer.sackok = true;
	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	wt_send(w, all - 1);
	sack_four(w, 1, 1 + MSS, 0, 0);
	EQ(wt_count(w, PC_TCP_MTU_PROBES_LOST), 1);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = all);
	EQ(wt_info(w).tcpi_unacked, 0);
	wt_send(w, 4 * BASE); /* too few for another probe */
	wt_send(w, BASE);
	sack_four(w, all, all + BASE, 0, 0);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	wt_drop(w);
}

/* RFC 4821 7.6.4: among other losses a probe's says nothing.  Those are congestion, what it carried arrives in smaller segments
 * and is no proof, and a probe of the same size follows when all is well. */
static void probe_lost_among_others(struct wt *w)
{
	uint32_t acked = 1, from;
	const struct frame_info *i;

	w->peer.sackok = true;
	w->cfg.tcp_mtu_probing = 2;
	wt_established(w);
	EQ(until_probe(w, &acked), MSS);
	CHECK((i = wt_next(w, 0)) != NULL);
	from = i->seg.seq - w->flow.iss + i->seg.len;
	from = sack_four(w, acked, from, 0, 0);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	CHECK(wt_info(w).tcpi_snd_ssthresh < INT32_MAX);
	EQ(wt_count(w, PC_TCP_MTU_PROBES_LOST), 0);
	wt_pass(w, 1);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = from);
	EQ(wt_count(w, PC_TCP_MTU_RAISED), 0);
	EQ(wt_info(w).tcpi_snd_mss, BASE);
	acked = from;
	through(w, 1250, &acked, 10);
	EQ(until_probe(w, &acked), MSS);
	wt_drop(w);
}

/* ... also once the others are repaired, and it alone is left to be */
static void probe_lost_behind_another(struct wt *w)
{
	const uint32_t probe = 1 + BASE, behind = probe + MSS;

	w->peer.sackok = true;
	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	wt_send(w, BASE); /* too few for a probe */
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = BASE);
	wt_send(w, 20 * MSS);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{behind, behind + BASE}});
	EXPECT_IN(0, 200, .flags = A, .any_psh = true, .seq = 1, .ack = 1, .len = BASE);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	NOTHING(0);
	INJECT(.flags = A, .seq = 1, .ack = probe, .nb_sack = 1, .sack = {{behind, behind + BASE}});
	EQ(wt_count(w, PC_TCP_MTU_PROBES_LOST), 0);
	EXPECT(.flags = A, .any_psh = true, .seq = probe, .ack = 1, .len = BASE);
	wt_drop(w);
}

/* a router says how large a probe may be: what it carried is sent again at once, and the next is smaller */
static void probe_too_big(struct wt *w)
{
	uint32_t acked = 1, second;

	w->cfg.tcp_mtu_probing = 2;
	wt_established(w);
	EQ(until_probe(w, &acked), MSS);
	wt_drop(w);
	wt_too_big(w, 1300, acked);
	CHECK(wt_count(w, PC_TCP_RETRANSMITS) > 0);
	EQ(wt_info(w).tcpi_snd_mss, BASE);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 0);
	through(w, 1260, &acked, 100);
	second = until_probe(w, &acked);
	IN(second, BASE + 1, 1260);
	wt_drop(w);
}

/* nothing larger than the peer takes is tried */
static void peer_is_narrow(struct wt *w)
{
	uint32_t acked = 1;

	w->peer.mss = 1300;
	w->cfg.tcp_mtu_probing = 2;
	wt_established(w);
	EQ(until_probe(w, &acked), 1300);
	wt_drop(w);
}

/* of IPv4 packets, from now on */
static void limit_route(struct wt *w, uint16_t mtu)
{
	const in_addr_t peer = inet_addr(WT_PEER);
	const struct pc_route r = {.dest = {wt_ip6 ? addr6_of4(peer) : pc_addr_ip4(peer), 128},
	                           .mtu = (uint16_t)(wt_ip6 ? mtu + 20 : mtu)};

	OK(pc_route_add(w->st, &r));
}

/* ... nor than the route may carry */
static void route_is_narrow(struct wt *w)
{
	uint32_t acked = 1;

	w->cfg.tcp_mtu_probing = 2;
	wt_start(w);
	limit_route(w, 1300);
	wt_established(w);
	EQ(until_probe(w, &acked), 1260);
	wt_drop(w);
}

/* ... by now */
static void route_becomes_narrow(struct wt *w)
{
	uint32_t acked = 1;

	w->cfg.tcp_mtu_probing = 2;
	wt_established(w);
	limit_route(w, 1300);
	EQ(until_probe(w, &acked), 1260);
	wt_drop(w);
}

/* RFC 1191 6.5 wants the segments again at once, and no slow start for them */
static void too_big_in_flight(struct wt *w)
{
	uint32_t cwnd;

	wt_established(w);
	cwnd = wt_info(w).tcpi_snd_cwnd;
	wt_send(w, 3 * MSS);
	EQ(wt_drop(w), 3);
	wt_too_big(w, 1300, 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1260, .any_psh = true);
	EXPECT(.flags = A, .seq = 1261, .ack = 1, .len = 200, .any_psh = true);
	EXPECT(.flags = A, .seq = 1461, .ack = 1, .len = 1260, .any_psh = true);
	EXPECT(.flags = A, .seq = 2721, .ack = 1, .len = 200, .any_psh = true);
	EXPECT(.flags = A, .seq = 2921, .ack = 1, .len = 1260, .any_psh = true);
	EXPECT(.flags = PA, .seq = 4181, .ack = 1, .len = 200);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	CHECK(wt_info(w).tcpi_snd_cwnd >= cwnd);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 3 * MSS);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* Less than 552 bytes are not believed.  Where a router takes less all the same it has to cut what is sent, as Linux lets it; but no
 * probe, which is to show what the path takes (RFC 4821 section 2). */
static void narrower_than_believed(struct wt *w)
{
	const struct frame_info *i;
	uint32_t largest = 0;

	w->may_fragment = true;
	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	wt_send(w, MSS);
	i = wt_next(w, 0);
	CHECK(i != NULL && i->df && i->seg.len == MSS);
	wt_too_big(w, 296, 1);
	for (unsigned n = 0; n < 3; n++) {
		i = wt_next(w, 0);
		CHECK(i != NULL && !i->df);
		IN(i->seg.len, MSS - 2 * 512, 512);
	}
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
	EQ(wt_info(w).tcpi_snd_mss, 512);
	wt_pass(w, 601000);
	wt_send(w, 10 * MSS);
	while ((i = wt_next(w, 0)) != NULL) {
		CHECK(i->df == (i->seg.len > 512));
		largest = i->seg.len > largest ? i->seg.len : largest;
	}
	EQ(largest, MSS);
}

/* ... nor, once the path is wider, is anything else */
static void narrow_no_more(struct wt *w)
{
	uint32_t acked = 1 + MSS;

	w->may_fragment = true;
	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	wt_send(w, MSS);
	wt_drop(w);
	wt_too_big(w, 296, 1);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = acked);
	wt_pass(w, 601000);
	wt_send(w, 10 * MSS);
	EQ(through(w, MSS, &acked, 1000), MSS);
	EQ(wt_info(w).tcpi_snd_mss, MSS);
	w->may_fragment = false;
	wt_send(w, 3 * MSS);
	EQ(through(w, MSS, &acked, 1000), MSS);
}

/* the next connection need not find it out again; after ten minutes it does (RFC 1191 6.3) */
static void remembered(struct wt *w)
{
	wt_established(w);
	wt_send(w, MSS);
	wt_drop(w);
	wt_too_big(w, 1300, 1);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
	wt_flow(w);
	wt_established(w);
	EQ(wt_info(w).tcpi_snd_mss, 1260);
	wt_pass(w, 601000);
	wt_flow(w);
	wt_established(w);
	EQ(wt_info(w).tcpi_snd_mss, MSS);
}

/* what is known of a path is believed though it is less than what a search begins with */
static void below_base(struct wt *w)
{
	w->cfg.tcp_mtu_probing = 2;
	wt_established(w);
	wt_send(w, BASE);
	wt_drop(w);
	wt_too_big(w, 600, 1);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + BASE);
	EQ(wt_info(w).tcpi_snd_mss, 560);
	wt_flow(w);
	wt_established(w);
	EQ(wt_info(w).tcpi_snd_mss, 560);
}

/* probes end near what the path takes, and rest then for ten minutes */
static void converges(struct wt *w)
{
	uint32_t acked = 1, probes;

	w->cfg.tcp_mtu_probing = 2;
	wt_established(w);
	for (unsigned i = 0; i < 40; i++) {
		wt_send(w, 40 * MSS);
		through(w, 1300, &acked, 3000);
	}
	IN(wt_info(w).tcpi_snd_mss, 1300 - 8, 1300);
	probes = (uint32_t)wt_count(w, PC_TCP_MTU_PROBES);
	IN(probes, 3, 16);
	for (unsigned i = 0; i < 10; i++) {
		wt_send(w, 40 * MSS);
		through(w, 1300, &acked, 1000);
	}
	EQ(wt_count(w, PC_TCP_MTU_PROBES), probes);
}

/* sends n bytes and acknowledges all, whatever is under way; returns how many probes went out */
static uint64_t probes_of(struct wt *w, uint32_t n, uint32_t *acked)
{
	const uint64_t before = wt_count(w, PC_TCP_MTU_PROBES);

	wt_send(w, n);
	through(w, MSS, acked, 50);
	return wt_count(w, PC_TCP_MTU_PROBES) - before;
}

/* three segments follow a probe, so that duplicates tell its loss (RFC 4821 7.4) */
static void enough_follows(struct wt *w)
{
	const uint32_t need = MSS + 3 * BASE;
	uint32_t acked = 1;

	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	EQ(probes_of(w, need - 1, &acked), 0);
	EQ(probes_of(w, need, &acked), 1);
	EQ(wt_info(w).tcpi_snd_mss, MSS);
}

/* ... and the window takes all of them */
static void window_takes_them(struct wt *w)
{
	const uint32_t need = MSS + 3 * BASE;

	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 30;
	w->peer.wnd = (uint16_t)(need - 1);
	wt_established(w);
	wt_send(w, 2 * need);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 0);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4 * BASE, .wnd = (int32_t)need);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	wt_drop(w);
}

/* a probe is for when all is well (RFC 4821 7.4), not beside what may be lost */
static void beside_losses(struct wt *w, bool sack)
{
	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 40;
	w->peer.sackok = sack;
	wt_established(w);
	wt_send(w, 3 * BASE);
	EQ(wt_drop(w), 3);
	if (sack)
		INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1,
		       .sack = {{1 + BASE, 1 + 2 * BASE}});
	else
		INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_send(w, 10 * BASE);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 0);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 13 * BASE);
	wt_send(w, 10 * BASE);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	wt_drop(w);
}

static void not_beside_sacked(struct wt *w)
{
	beside_losses(w, true);
}

static void not_beside_duplicates(struct wt *w)
{
	beside_losses(w, false);
}

/* a time-out: it may have been the probe, and no other is sent for a while */
static void probe_times_out(struct wt *w)
{
	uint32_t acked = 1;

	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	EQ(until_probe(w, &acked), MSS);
	wt_pass(w, 250);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 1);
	for (unsigned i = 0; i < 40; i++)
		probes_of(w, 20 * MSS, &acked);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	EQ(wt_count(w, PC_TCP_MTU_RAISED), 0);
	EQ(wt_info(w).tcpi_snd_mss, BASE);
	wt_pass(w, 601000);
	EQ(probes_of(w, 20 * MSS, &acked), 1);
	EQ(wt_info(w).tcpi_snd_mss, MSS);
}

/* a router that says that what it has dropped would have fitted */
static void no_smaller_than_the_probe(struct wt *w)
{
	uint32_t acked = 1;

	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	EQ(until_probe(w, &acked), MSS);
	wt_drop(w);
	wt_too_big(w, 1500, acked);
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 0);
	through(w, MSS, &acked, 10);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 20 * MSS);
	EQ(wt_count(w, PC_TCP_MTU_RAISED), 1);
	wt_drop(w);
}

/* segments below tcp.base_mss vanish for other reasons first */
static void below_base_later(struct wt *w)
{
	w->may_fragment = true;
	wt_established(w);
	wt_send(w, 800);
	for (unsigned i = 0; i < 6; i++)
		CHECK(wt_next(w, 20000) != NULL);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 5);
	EQ(wt_count(w, PC_TCP_BLACK_HOLES), 0);
	CHECK(wt_next(w, 20000) != NULL);
	EQ(wt_count(w, PC_TCP_BLACK_HOLES), 1);
	wt_pass(w, 100);
	wt_drop(w);
}

/* a probe has room for what stands before its payload */
static void with_timestamps(struct wt *w)
{
	const struct frame_info *i;

	w->peer.ts = true;
	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	wt_send(w, 20 * MSS);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	CHECK((i = wt_next(w, 0)) != NULL);
	EQ(i->seg.seq - w->flow.iss, 1);
	EQ(i->seg.len, MSS - 12);
	wt_drop(w);
}

static void with_maxseg(struct wt *w)
{
	uint32_t acked = 1;

	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 30;
	wt_listen(w, 8);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_MAXSEG, &(int){1300}, sizeof(int)));
	wt_established(w);
	EQ(until_probe(w, &acked), 1300);
	wt_drop(w);
}

/* without probing nothing larger is tried, however long ago a router has spoken */
static void switched_off_for_good(struct wt *w)
{
	uint32_t acked = 1 + 3 * MSS;

	w->cfg.tcp_mtu_probing = 0;
	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	wt_send(w, 3 * MSS);
	wt_drop(w);
	wt_too_big(w, 1300, 1);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = acked);
	wt_pass(w, 601000);
	EQ(probes_of(w, 20 * MSS, &acked), 0);
	EQ(wt_info(w).tcpi_snd_mss, 1260);
}

/* after ten minutes it looks whether the path is wider by now */
static void looks_again(struct wt *w)
{
	uint32_t acked = 1;

	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	for (unsigned i = 0; i < 40; i++) {
		wt_send(w, 40 * MSS);
		through(w, 1300, &acked, 3000);
	}
	IN(wt_info(w).tcpi_snd_mss, 1300 - 8, 1300);
	wt_pass(w, 601000);
	for (unsigned i = 0; i < 4; i++)
		probes_of(w, 20 * MSS, &acked);
	EQ(wt_info(w).tcpi_snd_mss, MSS);
}

static void always(struct wt *w)
{
	uint32_t acked = 1;

	w->cfg.tcp_mtu_probing = 2;
	wt_established(w);
	EQ(wt_info(w).tcpi_snd_mss, BASE);
	for (unsigned i = 0; i < 5 && wt_count(w, PC_TCP_MTU_RAISED) == 0; i++) {
		wt_send(w, 20 * MSS);
		through(w, MSS, &acked, 1000);
	}
	EQ(wt_info(w).tcpi_snd_mss, MSS);
	wt_pass(w, 601000); /* there is nothing larger to look for */
	EQ(probes_of(w, 20 * MSS, &acked), 0);
}

/* what a probe has found is good for the next connection */
static void found_is_remembered(struct wt *w)
{
	uint32_t acked = 1 + MSS, found;

	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	wt_send(w, MSS);
	wt_drop(w);
	wt_too_big(w, 1300, 1);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = acked);
	wt_pass(w, 601000);
	for (unsigned i = 0; i < 40; i++) {
		wt_send(w, 40 * MSS);
		through(w, 1400, &acked, 3000);
	}
	found = wt_info(w).tcpi_snd_mss;
	IN(found, 1400 - 8, 1400);
	wt_flow(w);
	wt_established(w);
	EQ(wt_info(w).tcpi_snd_mss, found);
}

/* "the timestamp is set to the current time" whenever it decreases (RFC 1191 6.3) */
static void remembered_anew(struct wt *w)
{
	wt_established(w);
	wt_send(w, MSS);
	wt_drop(w);
	wt_too_big(w, 1400, 1);
	wt_drop(w);
	wt_pass(w, 100);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
	wt_pass(w, 400000);
	wt_send(w, 1360);
	wt_drop(w);
	wt_too_big(w, 1300, 1 + MSS);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS + 1360);
	wt_pass(w, 400000);
	wt_flow(w);
	wt_established(w);
	EQ(wt_info(w).tcpi_snd_mss, 1260);
}

/* RFC 1191 6.5 where two routers have something to say: what is sent again for the first is too large for the second */
static void two_routers(struct wt *w)
{
	uint32_t cwnd;

	wt_established(w);
	cwnd = wt_info(w).tcpi_snd_cwnd;
	wt_send(w, 2 * MSS);
	EQ(wt_drop(w), 2);
	wt_too_big(w, 1400, 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1360, .any_psh = true);
	EXPECT(.flags = A, .seq = 1361, .ack = 1, .len = 100, .any_psh = true);
	EXPECT(.flags = A, .seq = 1461, .ack = 1, .len = 1360, .any_psh = true);
	EXPECT(.flags = PA, .seq = 2821, .ack = 1, .len = 100);
	wt_too_big(w, 1300, 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1260, .any_psh = true);
	EXPECT(.flags = A, .seq = 1261, .ack = 1, .len = 100, .any_psh = true);
	EXPECT(.flags = A, .seq = 1461, .ack = 1, .len = 1260, .any_psh = true);
	EXPECT(.flags = A, .seq = 2721, .ack = 1, .len = 100, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1261);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 0);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	CHECK(wt_info(w).tcpi_snd_cwnd >= cwnd);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 2 * MSS);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* ... and with more than cwnd lets go at once: acknowledgements of a part are no sign of congestion either */
static void more_than_at_once(struct wt *w)
{
	uint32_t acked = 1;

	wt_established(w);
	wt_send(w, 10 * MSS);
	EQ(wt_drop(w), 10);
	wt_too_big(w, 1300, 1);
	for (unsigned i = 0; i < 12; i++)
		INJECT(.flags = A, .seq = 1, .ack = acked += 1000);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 0);
	EQ(wt_info(w).tcpi_snd_ssthresh, INT32_MAX);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* 7.4: "It has no outstanding probes or losses": a recovery that is going on may find more of them */
static void not_in_recovery(struct wt *w)
{
	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 40;
	w->peer.sackok = true;
	wt_established(w);
	for (unsigned i = 0; i < 12; i++)
		wt_send(w, 3 * BASE); /* too few for a probe, each time */
	EQ(wt_drop(w), 36);
	wt_pass(w, 1);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1 + BASE, 1 + 5 * BASE}});
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	wt_pass(w, 1);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 5 * BASE);
	wt_send(w, 10 * BASE);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 0);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 36 * BASE);
	wt_pass(w, 1);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 46 * BASE);
	wt_send(w, 10 * BASE);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	wt_drop(w);
}

/* the loss of one of few segments would cost too much */
static void few_segments(struct wt *w)
{
	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 10;
	wt_established(w);
	wt_send(w, 20 * BASE);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 0);
	EQ(wt_drop(w), 10);
	INJECT(.flags = A, .seq = 1, .ack = 1 + BASE);
	EQ(wt_info(w).tcpi_snd_cwnd, 11);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	wt_drop(w);
}

/* a probe keeps to cwnd, like all that is sent */
static void within_cwnd(struct wt *w)
{
	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 11;
	wt_established(w);
	for (unsigned i = 0; i < 5; i++)
		wt_send(w, 2 * BASE);
	wt_send(w, 10 * BASE); /* of cwnd there is left one segment, which is less than a probe */
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 0);
	EQ(wt_drop(w), 11);
	INJECT(.flags = A, .seq = 1, .ack = 1 + BASE);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	wt_drop(w);
}

/* records are not put together, for a probe neither */
static void not_of_records(struct wt *w)
{
	const struct frame_info *i;
	unsigned records = 0;

	w->cfg.tcp_mtu_probing = 2;
	w->cfg.tcp_initial_window = 30;
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	for (unsigned n = 0; n < 12; n++)
		EQ(wt_write(w, 500, MSG_EOR), 500);
	wt_settle(w);
	for (; (i = wt_next(w, 0)) != NULL; records++)
		EQ(i->seg.len, 500);
	EQ(records, 12);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 0);
}

/* what vanishes though it is not larger than tcp.base_mss is halved */
static void halves(struct wt *w)
{
	uint32_t acked = 1;

	w->cfg.tcp_base_mss = 1300;
	wt_established(w);
	wt_send(w, 2 * MSS);
	EQ(through(w, 700, &acked, 20000), 1340 / 2 - 40);
	EQ(acked, 1 + 2 * MSS);
	EQ(wt_count(w, PC_TCP_BLACK_HOLES), 2);
}

/* ... of a connection that was still looking for more: when the outage is over it looks as far as before */
static void outage_of_search(struct wt *w)
{
	uint32_t acked = 1;

	w->may_fragment = true;
	w->cfg.tcp_frto = 0;
	w->cfg.tcp_mtu_probing = 2;
	wt_established(w);
	wt_send(w, 2 * BASE);
	wt_pass(w, 20000);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_BLACK_HOLES), 1);
	through(w, MSS, &acked, 30000);
	for (unsigned i = 0; i < 20 && wt_count(w, PC_TCP_MTU_RAISED) == 0; i++) {
		wt_send(w, 30 * MSS);
		through(w, MSS, &acked, 10);
	}
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	EQ(wt_info(w).tcpi_snd_mss, MSS);
}

/* A probe for which there is no mbuf is not under way: that its text arrives in smaller segments says nothing about the path. What is
 * sent are mbufs without headroom, each of which takes another one for the headers. */
static void probe_without_mbuf(struct wt *w)
{
	w->cfg.tcp_initial_window = 20;
	w->cfg.tcp_stalled_ms = 0;
	w->cfg.tcp_sndbuf = 100000;
	wt_established(w);
	for (unsigned i = 0; i < 30; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
		uint8_t *p;

		CHECK(m != NULL);
		m->data_off = 0;
		p = (uint8_t *)rte_pktmbuf_append(m, MSS);
		for (uint32_t k = 0; k < MSS; k++)
			p[k] = wt_pattern(0, i * MSS + k);
		OK(pc_send_mbuf(w->st, w->flow.fd, m, NULL));
	}
	wt_settle(w);
	CHECK(wt_drop(w) > 0);
	wt_too_big(w, BASE + 40, 1);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 20 * MSS, .wnd = ZERO_WND);
	wt_pass(w, 610000); /* after ten minutes the path may have become wider */
	wt_drop(w);
	wt_take_mbufs(w, 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 20 * MSS);
	NOTHING(1);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 0);
	wt_give_mbufs(w);
	EXPECT(.flags = A, .seq = 1 + 20 * MSS, .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_MTU_PROBES), 1);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 21 * MSS);
	EQ(wt_count(w, PC_TCP_MTU_RAISED), 1);
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"RFC 4821 7.7: full segments vanish, smaller ones do not", black_hole},
    {"RFC 4821 7.7: a path that is narrower still (IPv4)", narrower_still},
    {"RFC 4821 7.7: small segments say nothing about the path", small_segments},
    {"tcp.mtu_probing = 0", switched_off},
    {"RFC 4821 7.3: after an outage the old size is found again", outage},
    {"RFC 4821 7.5: a probe that is lost alone is no congestion", probe_lost},
    {"RFC 4821 7.6.4: ... but what is lost with it is, and then the probe says nothing",
     probe_lost_among_others},
    {"RFC 4821 7.6.4: a probe that is lost behind another segment says nothing",
     probe_lost_behind_another},
    {"RFC 4821 7.5: ... and what is lost before it is repaired", lost_beside_the_repair},
    {"RFC 4821 7.5: ... or after", lost_after_the_repair},
    {"RFC 4821 7.6.2: a router answers a probe", probe_too_big},
    {"RFC 4821 7.2: no probe is larger than the peer's MSS", peer_is_narrow},
    {"RFC 4821 7.2: ... nor than its route may carry", route_is_narrow},
    {"RFC 4821 7.2: ... and that may change", route_becomes_narrow},
    {"RFC 1191 3: less than the floor is let be cut (IPv4)", narrower_than_believed},
    {"RFC 1191 3: ... as long as that is all that fits (IPv4)", narrow_no_more},
    {"RFC 1191 6.5: what was too big is sent again at once, cwnd stays", too_big_in_flight},
    {"RFC 1191 6.3: a path MTU is remembered for ten minutes", remembered},
    {"tcp.mtu_probing = 2: beginning with tcp.base_mss", always},
    {"tcp.mtu_probing = 2: ... or with less, if the path is known (IPv4)", below_base},
    {"RFC 4821 7.3: the search ends near what fits", converges},
    {"RFC 4821 7.4: a probe when enough follows", enough_follows},
    {"RFC 4821 7.4: ... when the window takes it", window_takes_them},
    {"RFC 4821 7.4: ... when nothing was SACKed", not_beside_sacked},
    {"RFC 4821 7.4: ... when there were no duplicates", not_beside_duplicates},
    {"RFC 4821 7.6: a probe that ends in a time-out", probe_times_out},
    {"RFC 5927 7: an MTU that the probe does not exceed", no_smaller_than_the_probe},
    {"RFC 4821 7.7: segments below tcp.base_mss vanish (IPv4)", below_base_later},
    {"RFC 4821 7.3: a probe with timestamps", with_timestamps},
    {"RFC 4821 7.3: no probe is larger than TCP_MAXSEG", with_maxseg},
    {"tcp.mtu_probing = 0: also after ten minutes", switched_off_for_good},
    {"RFC 4821 7.3: after ten minutes the search begins anew", looks_again},
    {"RFC 4821 5.2: what a probe has found is remembered", found_is_remembered},
    {"RFC 1191 6.3: ... for ten minutes from the last change on", remembered_anew},
    {"RFC 1191 6.5: two routers, the second of which takes less", two_routers},
    {"RFC 1191 6.5: acknowledgements of a part", more_than_at_once},
    {"RFC 4821 7.3: a probe for which there is no mbuf (IPv4)", probe_without_mbuf},
    {"RFC 4821 7.4: no probe in recovery", not_in_recovery},
    {"RFC 4821 7.4: ... nor when cwnd is small", few_segments},
    {"RFC 4821 7.4: ... nor beyond cwnd", within_cwnd},
    {"MSG_EOR: ... nor of several records", not_of_records},
    {"RFC 4821 7.7: halves below tcp.base_mss (IPv4)", halves},
    {"RFC 4821 7.7: an outage during the search (IPv4)", outage_of_search},
};

WT_MAIN("pmtud", .mbufs = WT_MANY_MBUFS)
