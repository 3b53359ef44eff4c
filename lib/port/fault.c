/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a bad network in front of a good port.  Received frames are taken from the inner port
 * as soon as they arrive, suffer their faults, and wait in a heap until they are due; frames to
 * send are lost or passed on at once.  Time is the caller's, and randomness comes from one seed:
 * the same frames at the same times suffer the same faults.
 *
 * Order: frames leave by (due, serial).  Delay, jitter and rate keep the order, as a wire does; a
 * reordered frame is delayed by reorder_delay_ns and later frames do not wait for it.
 *
 * Invariants: n <= room.  When tx_kept is set, the first frame of the next tx_burst is the one
 * that inner refused, and its fate has already been drawn.
 */
#include <errno.h>
#include <percore/port.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "base/dice.h"
#include "base/port_info.h"
#include "frame.h"
#include "toobig.h"

#define FAULT_QUEUE         1024
#define FAULT_REORDER_DELAY 1000000
#define FAULT_BURST         32
#define FAULT_BURST_END     200000
#define FAULT_ACK_LEN       92 /* IPv6, TCP with 32 bytes of options */

struct held {
	uint64_t due_ns;
	uint64_t serial;
	struct rte_mbuf *m;
};

struct fault {
	struct pc_port port;
	struct pc_port *inner;
	struct pc_fault_config cfg;
	struct pc_fault_stats stats;
	struct dice dice;
	uint64_t serial;
	uint64_t free_ns; /* when the wire of rate_bps will be free */
	uint64_t last_ns; /* due time of the last frame in order */
	bool tx_kept;
	bool in_burst; /* of losses */
	uint32_t n, room;
	struct held heap[];
};

static bool held_before(const struct held *a, const struct held *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->serial < b->serial;
}

static void heap_push(struct fault *f, struct held h)
{
	uint32_t i = f->n++, parent;

	for (; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (!held_before(&h, &f->heap[parent]))
			break;
		f->heap[i] = f->heap[parent];
	}
	f->heap[i] = h;
}

static struct rte_mbuf *heap_pop(struct fault *f)
{
	struct rte_mbuf *m = f->heap[0].m;
	struct held last = f->heap[--f->n];
	uint32_t i = 0, child;

	for (; (child = 2 * i + 1) < f->n; i = child) {
		if (child + 1 < f->n && held_before(&f->heap[child + 1], &f->heap[child]))
			child++;
		if (!held_before(&f->heap[child], &last))
			break;
		f->heap[i] = f->heap[child];
	}
	f->heap[i] = last;
	return m;
}

/* Holds a frame until due_ns. */
static void fault_hold(struct fault *f, struct rte_mbuf *m, uint64_t due_ns)
{
	if (f->n == RTE_MIN(f->room, f->cfg.queue)) {
		f->stats.overflowed++;
		rte_pktmbuf_free(m);
		return;
	}
	heap_push(f, (struct held){.due_ns = due_ns, .serial = f->serial++, .m = m});
}

/* Returns when a frame that arrives now is due, after the wire and the delay. */
static uint64_t fault_due(struct fault *f, const struct rte_mbuf *m, uint64_t now_ns)
{
	const struct pc_fault_config *c = &f->cfg;
	uint64_t due = now_ns;

	if (c->rate_bps != 0) {
		f->free_ns = RTE_MAX(f->free_ns, now_ns) +
		             rte_pktmbuf_pkt_len(m) * UINT64_C(8000000000) / c->rate_bps;
		due = f->free_ns;
	}
	due += c->delay_ns;
	if (c->jitter_ns != 0)
		due += dice_next(&f->dice) % c->jitter_ns;
	if (dice_chance(&f->dice, c->reorder_ppm)) {
		f->stats.reordered++;
		return due + c->reorder_delay_ns;
	}
	f->last_ns = RTE_MAX(f->last_ns, due);
	return f->last_ns;
}

/* On a real wire the FCS would detect damage to the Ethernet header and to ARP: this is to test the
 * checksums of IP and the transports. Returns the offset of what may be damaged; 0: nothing. */
static uint32_t fault_fragile(const struct rte_mbuf *m)
{
	uint16_t type;
	const uint32_t at = frame_payload(m, &type);

	return at < rte_pktmbuf_data_len(m) && at != 0 && type != RTE_ETHER_TYPE_ARP ? at : 0;
}

/* Returns the frame for writing: itself, or a copy if it is shared; NULL: no mbuf. */
static struct rte_mbuf *fault_own(struct fault *f, struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	if (!frame_is_shared(m))
		return m;
	copy = frame_copy(m, f->cfg.pool);
	if (copy != NULL)
		rte_pktmbuf_free(m);
	return copy;
}

/* Flips a bit. Returns the frame, or a damaged copy if it is shared. */
static struct rte_mbuf *fault_corrupt(struct fault *f, struct rte_mbuf *m)
{
	const uint32_t at = fault_fragile(m);
	struct rte_mbuf *own;
	uint32_t bit;

	if (at == 0)
		return m;
	own = fault_own(f, m);
	if (own == NULL)
		return m;
	m = own;
	bit = dice_below(&f->dice, 8u * (rte_pktmbuf_data_len(m) - at));
	*rte_pktmbuf_mtod_offset(m, uint8_t *, at + bit / 8) ^= (uint8_t)(1u << bit % 8);
	/* the device has verified the undamaged bytes */
	m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
	f->stats.corrupted++;
	return m;
}

/* Returns the IP header of a packet, of which at least len bytes are there, if the frame has this
 * type, or else NULL. */
static uint8_t *fault_header(const struct rte_mbuf *m, uint16_t type, size_t len)
{
	uint16_t is;
	const uint32_t at = frame_payload(m, &is);

	return at != 0 && is == type && at + len <= rte_pktmbuf_data_len(m)
	           ? rte_pktmbuf_mtod_offset(m, uint8_t *, at)
	           : NULL;
}

static uint8_t *fault_ip4(const struct rte_mbuf *m)
{
	return fault_header(m, RTE_ETHER_TYPE_IPV4, sizeof(struct rte_ipv4_hdr));
}

static uint8_t *fault_ip6(const struct rte_mbuf *m)
{
	return fault_header(m, RTE_ETHER_TYPE_IPV6, sizeof(struct rte_ipv6_hdr));
}

/* Says whether a packet may be marked: ECT(0) or ECT(1) in the last two bits of the type of
 * service, or of the traffic class. */
static bool fault_may_mark(const struct rte_mbuf *m)
{
	const uint8_t *ip4 = fault_ip4(m), *ip6 = fault_ip6(m);
	unsigned ecn = 0;

	if (ip4 != NULL)
		ecn = ip4[1] & 3u;
	else if (ip6 != NULL)
		ecn = ip6[1] >> 4 & 3u;
	return ecn == 1 || ecn == 2;
}

static void fault_mark4(struct rte_ipv4_hdr *ip)
{
	/* RFC 1624: HC' = ~(~HC + ~m + m') */
	uint32_t sum =
	    (uint16_t)~rte_be_to_cpu_16(ip->hdr_checksum) + (3u - (ip->type_of_service & 3));

	sum = (sum & 0xffff) + (sum >> 16);
	ip->hdr_checksum = rte_cpu_to_be_16((uint16_t)~sum);
	ip->type_of_service |= 3;
}

/* Marks a packet that may be marked (CE), as a congested router does. Returns it, or a copy. */
static struct rte_mbuf *fault_mark(struct fault *f, struct rte_mbuf *m)
{
	struct rte_mbuf *own = fault_own(f, m);
	uint8_t *ip4, *ip6;

	if (own == NULL)
		return m;
	ip4 = fault_ip4(own);
	ip6 = fault_ip6(own);
	if (ip4 != NULL)
		fault_mark4((struct rte_ipv4_hdr *)ip4);
	else if (ip6 != NULL)
		ip6[1] |= 0x30;
	f->stats.marked++;
	return own;
}

/* Says whether the network is congested for a frame that arrives now. */
static bool fault_is_congested(struct fault *f, uint64_t now_ns)
{
	if (f->cfg.mark_ppm != 0 && dice_chance(&f->dice, f->cfg.mark_ppm))
		return true;
	return f->cfg.mark_ns != 0 && f->free_ns > now_ns + f->cfg.mark_ns;
}

/* Says whether a frame is lost in a burst of losses, which may begin with it. */
static bool fault_burst_loses(struct fault *f)
{
	bool lost;

	if (!f->in_burst && !dice_chance(&f->dice, f->cfg.burst_ppm))
		return false;
	lost = dice_chance(&f->dice, f->cfg.burst_loss_ppm);
	f->in_burst = !dice_chance(&f->dice, f->cfg.burst_end_ppm);
	f->stats.burst_lost += lost;
	return lost;
}

static bool fault_is_ack(const struct rte_mbuf *m)
{
	const uint32_t at = fault_fragile(m);

	return at != 0 && rte_pktmbuf_pkt_len(m) - at <= FAULT_ACK_LEN;
}

/* Says whether a frame is lost at random. */
static bool fault_loses(struct fault *f, const struct rte_mbuf *m)
{
	if (dice_chance(&f->dice, f->cfg.rx_loss_ppm) || fault_burst_loses(f)) {
		f->stats.rx_lost++;
		return true;
	}
	if (f->cfg.ack_loss_ppm == 0 || !fault_is_ack(m) ||
	    !dice_chance(&f->dice, f->cfg.ack_loss_ppm))
		return false;
	f->stats.rx_lost++;
	f->stats.ack_lost++;
	return true;
}

/* Drops a packet that is too large for the path; its sender may get an ICMP error. */
static void fault_too_big(struct fault *f, struct rte_mbuf *m, uint64_t now_ns)
{
	struct rte_mbuf *answer = NULL;

	f->stats.too_big++;
	if (f->cfg.mtu_icmp)
		answer = toobig_answer(m, f->cfg.mtu, f->cfg.pool);
	if (answer != NULL && f->inner->ops->tx_burst(f->inner, &answer, 1, now_ns) == 0)
		rte_pktmbuf_free(answer);
	rte_pktmbuf_free(m);
}

/* Says whether the queue in front of the wire of rate_bps is full. */
static bool fault_backlog_is_full(struct fault *f, uint64_t now_ns)
{
	if (f->cfg.backlog_ns == 0 || f->free_ns <= now_ns + f->cfg.backlog_ns)
		return false;
	f->stats.overflowed++;
	return true;
}

/* Applies random faults to a frame from the inner port. */
static void fault_receive(struct fault *f, struct rte_mbuf *m, uint64_t now_ns)
{
	struct rte_mbuf *copy;
	uint64_t due;

	f->stats.rx++;
	if (f->cfg.mtu != 0 && toobig_packet(m, f->cfg.mtu)) {
		fault_too_big(f, m, now_ns);
		return;
	}
	if (fault_loses(f, m) || fault_backlog_is_full(f, now_ns)) {
		rte_pktmbuf_free(m);
		return;
	}
	if (dice_chance(&f->dice, f->cfg.corrupt_ppm))
		m = fault_corrupt(f, m);
	if (fault_is_congested(f, now_ns) && fault_may_mark(m))
		m = fault_mark(f, m);
	due = fault_due(f, m, now_ns);
	copy = dice_chance(&f->dice, f->cfg.duplicate_ppm) ? frame_copy(m, f->cfg.pool) : NULL;
	fault_hold(f, m, due);
	if (copy != NULL) {
		f->stats.duplicated++;
		fault_hold(f, copy, due);
	}
}

static uint16_t fault_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                               uint64_t now_ns)
{
	struct fault *f = (struct fault *)port;
	struct rte_mbuf *in[FAULT_BURST];
	uint32_t left = f->room;
	uint16_t got, out = 0;

	do {
		got = f->inner->ops->rx_burst(f->inner, in, FAULT_BURST, now_ns);
		for (uint16_t i = 0; i < got; i++)
			fault_receive(f, in[i], now_ns);
		left -= RTE_MIN(left, got);
	} while (got == FAULT_BURST && left > 0);
	while (out < n && f->n > 0 && f->heap[0].due_ns <= now_ns)
		pkts[out++] = heap_pop(f);
	port_info_follow(&port->info, &f->inner->info);
	return out;
}

static uint16_t fault_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                               uint64_t now_ns)
{
	struct fault *f = (struct fault *)port;
	uint16_t i;

	for (i = 0; i < n; i++) {
		if (!f->tx_kept && dice_chance(&f->dice, f->cfg.tx_loss_ppm)) {
			rte_pktmbuf_free(pkts[i]);
			f->stats.tx_lost++;
		} else {
			f->tx_kept = true;
			if (f->inner->ops->tx_burst(f->inner, &pkts[i], 1, now_ns) == 0)
				break;
			f->tx_kept = false;
		}
		f->stats.tx++;
	}
	return i;
}

static uint64_t fault_next_deadline(const struct pc_port *port)
{
	const struct fault *f = (const struct fault *)port;
	const struct pc_port *inner = f->inner;
	uint64_t next = UINT64_MAX;

	if (inner->ops->next_deadline != NULL)
		next = inner->ops->next_deadline(inner);
	return f->n > 0 ? RTE_MIN(next, f->heap[0].due_ns) : next;
}

static void fault_close(struct pc_port *port)
{
	struct fault *f = (struct fault *)port;

	while (f->n > 0)
		rte_pktmbuf_free(heap_pop(f));
	pc_port_close(f->inner);
	rte_free(f);
}

static const struct pc_port_ops fault_ops = {
    .rx_burst = fault_rx_burst,
    .tx_burst = fault_tx_burst,
    .next_deadline = fault_next_deadline,
    .close = fault_close,
};

static void fault_configure(struct fault *f, const struct pc_fault_config *config)
{
	f->cfg = *config;
	if (f->cfg.reorder_delay_ns == 0)
		f->cfg.reorder_delay_ns = FAULT_REORDER_DELAY;
	if (f->cfg.queue == 0)
		f->cfg.queue = FAULT_QUEUE;
	if (f->cfg.burst_end_ppm == 0)
		f->cfg.burst_end_ppm = FAULT_BURST_END;
	if (f->cfg.burst_loss_ppm == 0)
		f->cfg.burst_loss_ppm = 1000000;
}

struct pc_port *pc_port_fault(struct pc_port *inner, const struct pc_fault_config *config)
{
	uint32_t room = config->queue != 0 ? config->queue : FAULT_QUEUE;
	struct fault *f;

	if (inner == NULL || config->pool == NULL) {
		errno = EINVAL;
		return NULL;
	}
	f = rte_zmalloc("pc_fault", sizeof(*f) + room * sizeof(f->heap[0]), 0);
	if (f == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	f->port.ops = &fault_ops;
	f->port.info = inner->info;
	/* faults are for frames as they are on the wire */
	f->port.info.offloads &= ~(uint32_t)PC_PORT_TX_TSO;
	f->inner = inner;
	f->room = room;
	fault_configure(f, config);
	dice_seed(&f->dice, config->seed);
	return &f->port;
}

void pc_port_fault_set(struct pc_port *port, const struct pc_fault_config *config)
{
	struct fault *f = (struct fault *)port;
	struct rte_mempool *pool = f->cfg.pool;

	if (config->seed != f->cfg.seed)
		dice_seed(&f->dice, config->seed);
	fault_configure(f, config);
	f->cfg.pool = pool;
}

void pc_port_fault_stats(const struct pc_port *port, struct pc_fault_stats *stats)
{
	*stats = ((const struct fault *)port)->stats;
}
