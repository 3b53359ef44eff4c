/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: one queue pair of a started device.  A frame to be sent goes through up to two steps,
 * each only if the device needs it:
 *
 * - substitution: a device that passes mbufs by reference within this process (net_ring) gets a
 *   private copy of a frame that its sender keeps (TCP does, until it is acknowledged); a device
 *   that cannot send chains gets a copy in one segment.  A frame too long for that is freed and
 *   counted as tx_refused;
 * - preparation: a device with checksum offloads checks the frames first.  For a frame that it
 *   refuses, we compute the checksums; if it still refuses the frame, it would never send it, so
 *   the frame is freed and counted as tx_refused, or it would block the queue for ever.  A device
 *   that refuses to cut a frame into segments is given no more to cut; TCP sends the segments
 *   singly.
 *
 * Some received frames whose checksums the device calls good are verified: all at first, then one
 * burst in 1024.  An offload that is wrong is withdrawn.
 *
 * A bond exchanges LACP frames with its peer when its queues are used, which must be at least every
 * 100 ms.
 *
 * A device whose peer may unmap its memory (net_memif) has burst functions of its own, which mark
 * when they access it.
 *
 * Ownership: the device's queues must not be used by anyone else; the device stays running when the
 * port is closed.
 */
#include "ethdev.h"

#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "frame.h"
#include "memif.h"
#include "reader.h"
#include "verify.h"

#define ETHDEV_CHECKED  64   /* frames that are verified at first */
#define ETHDEV_SELDOM   1024 /* after that, one burst in so many is verified */
#define ETHDEV_CHUNK    64
#define ETHDEV_SPEAK_NS UINT64_C(50000000)

#define ETHDEV_TX_CKSUM (PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_UDP_CKSUM)

struct ethdev_port {
	struct pc_port port;
	uint16_t id, queue;
	bool by_reference; /* the receiver gets the mbufs themselves, not copies */
	bool linear;       /* no chains */
	bool prepare;
	struct rte_mempool *pool;
	uint32_t unchecked;   /* bursts until the next that is verified */
	uint32_t checked;     /* frames verified so far, up to ETHDEV_CHECKED */
	uint64_t spoke_ns;    /* when a bond could last send LACP frames: bond_ops only */
	struct reader reader; /* of memory that a peer may unmap: shared_ops only */
};

/* Verifies what the device says about checksums. */
static __rte_noinline void check_burst(struct ethdev_port *p, struct rte_mbuf *const *pkts,
                                       uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		const uint32_t wrong = verify_frame(pkts[i]) & p->port.info.offloads;

		p->port.info.offloads &= ~wrong;
		p->port.info.rx_untrue += wrong != 0;
	}
	p->checked = RTE_MIN(p->checked + n, (uint32_t)ETHDEV_CHECKED);
	p->unchecked = p->checked < ETHDEV_CHECKED ? 0 : ETHDEV_SELDOM;
}

static uint16_t ethdev_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                                uint64_t now_ns)
{
	struct ethdev_port *p = (struct ethdev_port *)port;

	(void)now_ns;
	n = rte_eth_rx_burst(p->id, p->queue, pkts, n);
	if (n == 0)
		return 0;
	if (unlikely(p->unchecked == 0))
		check_burst(p, pkts, n);
	else
		p->unchecked--;
	return n;
}

/* Sends the frames that the device accepts; a refused frame is fixed once, or else freed. Returns
 * how many of pkts were sent or freed. */
static uint16_t send_prepared(struct ethdev_port *p, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t done = 0, good, sent;

	while (done < n) {
		good = rte_eth_tx_prepare(p->id, p->queue, pkts + done, (uint16_t)(n - done));
		sent = good > 0 ? rte_eth_tx_burst(p->id, p->queue, pkts + done, good) : 0;
		done = (uint16_t)(done + sent);
		if (sent < good || done == n)
			break;
		if (frame_wants_cut(pkts[done])) {
			/* TCP retransmits its data, segment by segment */
			p->port.info.offloads &= ~(uint32_t)PC_PORT_TX_TSO;
		} else if (frame_wants_cksum(pkts[done])) {
			frame_finish_cksum(pkts[done]);
			continue;
		}
		rte_pktmbuf_free(pkts[done++]);
		p->port.info.tx_refused++;
	}
	return done;
}

static uint16_t send_frames(struct ethdev_port *p, struct rte_mbuf **pkts, uint16_t n)
{
	return p->prepare ? send_prepared(p, pkts, n) : rte_eth_tx_burst(p->id, p->queue, pkts, n);
}

static bool must_substitute(const struct ethdev_port *p, const struct rte_mbuf *m)
{
	return (p->linear && m->nb_segs > 1) || (p->by_reference && frame_is_shared(m));
}

/* Says whether a frame is too long to be copied into an mbuf. */
static bool never_fits(const struct ethdev_port *p, const struct rte_mbuf *m)
{
	return m->pkt_len + RTE_PKTMBUF_HEADROOM > rte_pktmbuf_data_room_size(p->pool);
}

/* Sends up to ETHDEV_CHUNK frames, with copies in place of those that the device must not get. */
static uint16_t send_substituted(struct ethdev_port *p, struct rte_mbuf **pkts, uint16_t n)
{
	struct rte_mbuf *out[ETHDEV_CHUNK];
	uint16_t ready, sent;

	for (ready = 0; ready < n; ready++) {
		out[ready] = pkts[ready];
		if (must_substitute(p, pkts[ready])) {
			out[ready] = frame_copy(pkts[ready], p->pool);
			if (out[ready] == NULL)
				break;
		}
	}
	if (unlikely(ready == 0 && never_fits(p, pkts[0]))) {
		rte_pktmbuf_free(pkts[0]);
		p->port.info.tx_refused++;
		return 1;
	}
	sent = send_frames(p, out, ready);
	for (uint16_t i = 0; i < ready; i++)
		if (out[i] != pkts[i])
			rte_pktmbuf_free(i < sent ? pkts[i] : out[i]);
	return sent;
}

static uint16_t ethdev_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                                uint64_t now_ns)
{
	struct ethdev_port *p = (struct ethdev_port *)port;
	uint16_t done = 0, chunk, sent;

	(void)now_ns;
	if (!p->by_reference && !p->linear)
		return send_frames(p, pkts, n);
	while (done < n) {
		chunk = (uint16_t)RTE_MIN(n - done, ETHDEV_CHUNK);
		sent = send_substituted(p, pkts + done, chunk);
		done = (uint16_t)(done + sent);
		if (sent < chunk)
			break;
	}
	return done;
}

static void ethdev_close(struct pc_port *port)
{
	rte_free(port);
}

static const struct pc_port_ops ethdev_ops = {
    .rx_burst = ethdev_rx_burst,
    .tx_burst = ethdev_tx_burst,
    .close = ethdev_close,
};

static uint16_t shared_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                                uint64_t now_ns)
{
	struct ethdev_port *p = (struct ethdev_port *)port;

	n = reader_enter(&p->reader) ? ethdev_rx_burst(port, pkts, n, now_ns) : 0;
	reader_leave(&p->reader);
	return n;
}

static uint16_t shared_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                                uint64_t now_ns)
{
	struct ethdev_port *p = (struct ethdev_port *)port;

	n = reader_enter(&p->reader) ? ethdev_tx_burst(port, pkts, n, now_ns) : 0;
	reader_leave(&p->reader);
	return n;
}

static void shared_close(struct pc_port *port)
{
	reader_remove(&((struct ethdev_port *)port)->reader);
	ethdev_close(port);
}

static const struct pc_port_ops shared_ops = {
    .rx_burst = shared_rx_burst,
    .tx_burst = shared_tx_burst,
    .close = shared_close,
};

static uint16_t bond_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                              uint64_t now_ns)
{
	struct ethdev_port *p = (struct ethdev_port *)port;
	struct rte_mbuf *none[1];

	if (now_ns - p->spoke_ns >= ETHDEV_SPEAK_NS) {
		p->spoke_ns = now_ns;
		(void)rte_eth_tx_burst(p->id, p->queue, none, 0);
	}
	return ethdev_rx_burst(port, pkts, n, now_ns);
}

static uint64_t bond_next_deadline(const struct pc_port *port)
{
	return ((const struct ethdev_port *)port)->spoke_ns + ETHDEV_SPEAK_NS;
}

static const struct pc_port_ops bond_ops = {
    .rx_burst = bond_rx_burst,
    .tx_burst = ethdev_tx_burst,
    .next_deadline = bond_next_deadline,
    .close = ethdev_close,
};

/* Chooses the functions of a port: readers cost nothing if the driver cannot be made to wait for
 * them. */
static const struct pc_port_ops *choose_ops(struct ethdev_port *p)
{
	if (strcmp(p->port.info.driver, "net_bonding") == 0)
		return &bond_ops;
	if (!memif_is_driver(p->port.info.driver) || memif_guard() != 0)
		return &ethdev_ops;
	reader_add(&p->reader, p->id);
	return &shared_ops;
}

/* Makes the port of an existing device. Returns NULL with errno. */
static struct ethdev_port *ethdev_alloc(uint16_t port_id, uint16_t queue)
{
	struct ethdev_port *p;
	int rc;

	p = rte_zmalloc_socket("pc_ethdev", sizeof(*p), RTE_CACHE_LINE_SIZE,
	                       rte_eth_dev_socket_id(port_id));
	if (p == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	rc = ethdev_read_info(port_id, queue, &p->port.info);
	if (rc != 0) {
		rte_free(p);
		errno = -rc;
		return NULL;
	}
	return p;
}

struct pc_port *pc_port_ethdev(uint16_t port_id, uint16_t queue, struct rte_mempool *pool)
{
	struct ethdev_port *p;

	if (pool == NULL || !rte_eth_dev_is_valid_port(port_id)) {
		errno = pool == NULL ? EINVAL : ENODEV;
		return NULL;
	}
	p = ethdev_alloc(port_id, queue);
	if (p == NULL)
		return NULL;
	p->id = port_id;
	p->queue = queue;
	p->port.ops = choose_ops(p);
	p->pool = pool;
	p->by_reference = strcmp(p->port.info.driver, "net_ring") == 0;
	p->linear = (p->port.info.offloads & PC_PORT_TX_MULTI_SEGS) == 0;
	p->prepare = (p->port.info.offloads & ETHDEV_TX_CKSUM) != 0;
	return &p->port;
}
