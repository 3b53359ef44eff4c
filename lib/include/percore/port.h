/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_PORT_H
#define PERCORE_PORT_H

/*
 * Ports: sources and sinks of frames.
 *
 * A port is an RX/TX queue pair behind a table of functions (struct pc_port_ops), used by one lcore
 * only.  There are
 *   ethdev   a queue pair of a DPDK device (pc_ethdev_start, pc_port_ethdev)
 *   VLANs    one port as several (pc_trunk_create, pc_trunk_port)
 *   wire     two ends in one process, in memory (pc_port_wire)
 *   layers   fault injection (pc_port_fault) and pcap files (pc_port_pcap); a layer wraps another
 *            port and owns it, so closing the outermost closes all
 * and a program may add its own.
 *
 * Frames are rte_mbufs of whole Ethernet frames without FCS.  Time is an argument, in nanoseconds
 * of a monotonic clock, real or virtual; a port never reads a clock.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rte_mbuf;
struct rte_mempool;
struct pc_port;

#define PC_PORT_NAME_MAX 64
#define PC_RSS_KEY_MAX   64
#define PC_RSS_RETA_MAX  512

/**
 * Offloads of a port, done by the device or its peer; what is not offloaded is done in software.
 */
enum pc_port_offload {
	PC_PORT_TX_IP4_CKSUM = 1u << 0, /**< fills in the IPv4 header checksum */
	PC_PORT_TX_TCP_CKSUM = 1u << 1, /**< fills in the TCP checksum, given the pseudo header's */
	PC_PORT_TX_UDP_CKSUM = 1u << 2, /**< fills in the UDP checksum, given the pseudo header's */
	/** cuts large TCP segments to m->tso_segsz; also fills in checksums and sends chains */
	PC_PORT_TX_TSO = 1u << 3,
	PC_PORT_TX_MULTI_SEGS = 1u << 4, /**< sends chained mbufs; else they are linearised */
	PC_PORT_RX_IP4_CKSUM = 1u << 5,  /**< RTE_MBUF_F_RX_IP_CKSUM_* is valid */
	PC_PORT_RX_L4_CKSUM = 1u << 6,   /**< RTE_MBUF_F_RX_L4_CKSUM_* is valid */
	PC_PORT_RX_RSS_HASH = 1u << 7,   /**< m->hash.rss is the Toeplitz hash of the flow */
	PC_PORT_TX_VLAN = 1u << 8,       /**< RTE_MBUF_F_TX_VLAN: inserts the tag m->vlan_tci */
	/** RTE_MBUF_F_TX_QINQ: also inserts the 802.1ad tag m->vlan_tci_outer in front of it */
	PC_PORT_TX_QINQ = 1u << 9,
	PC_PORT_RX_VLAN = 1u << 10, /**< strips tags: RTE_MBUF_F_RX_VLAN_STRIPPED is valid */
};

/** How a device distributes flows over its queues (receive side scaling). */
struct pc_port_rss {
	uint16_t nb_queues; /**< 1: no distribution, the other members are unused */
	uint16_t reta_size; /**< entries of reta; a power of two */
	uint8_t key_len;    /**< bytes of key */
	bool ports;         /**< TCP and UDP ports are hashed, not only addresses */
	uint8_t key[PC_RSS_KEY_MAX];
	uint16_t reta[PC_RSS_RETA_MAX]; /**< queue for each value of hash % reta_size */
};

/** Properties of a port; constant, except for mtu, offloads, link_up, link_moves and the counts. */
struct pc_port_info {
	char name[PC_PORT_NAME_MAX];
	char driver[PC_PORT_NAME_MAX];
	uint8_t mac[6];
	uint16_t mtu;      /**< bytes of the largest IP packet */
	uint16_t queue;    /**< index of the device's queue pair that this port is */
	uint32_t offloads; /**< enum pc_port_offload; those that turn out not to work are removed */
	uint16_t tx_chain; /**< maximum number of mbufs in a frame; 0: unknown */
	int socket_id;     /**< NUMA node; -1: unknown */
	bool link_up;      /**< as of creation; wires update it, and pc_run does for devices */
	/** counts, modulo 256, how often another member of a bond has taken over; the stack then
	 * announces its addresses there */
	uint8_t link_moves;
	uint64_t tx_refused; /**< frames freed unsent because the device can never send them */
	uint64_t rx_lost;    /**< frames lost on the way from one queue, or VLAN, to another */
	/** frames for which the device was wrong: a bad checksum reported as good, or the wrong RSS
	 * queue; that offload is no longer used */
	uint64_t rx_untrue;
	struct pc_port_rss rss;
};

/** The functions of a port. */
struct pc_port_ops {
	/** Receives up to n frames into pkts; the caller then owns them. Returns how many. Never
	 * blocks. */
	uint16_t (*rx_burst)(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
	                     uint64_t now_ns);
	/** Sends the first frames of n and takes ownership of them. Returns how many; the rest
	 * stays the caller's. */
	uint16_t (*tx_burst)(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
	                     uint64_t now_ns);
	/** Returns the time, as now_ns, at which frames become ready without arriving (they are
	 * delayed); UINT64_MAX: never. May be NULL. */
	uint64_t (*next_deadline)(const struct pc_port *port);
	/** Frees the port and all frames it holds. */
	void (*close)(struct pc_port *port);
	/** Passes a received frame to the port of another queue of the device, which receives it as
	 * if it had arrived there; it may be lost on the way (rx_lost). Returns true and takes
	 * ownership of the frame, or false if it cannot pass it. May be NULL. */
	bool (*pass)(struct pc_port *port, uint16_t queue, struct rte_mbuf *m);
};

/** A port. An implementation embeds it as the first member of its own struct. */
struct pc_port {
	const struct pc_port_ops *ops;
	struct pc_port_info info;
};

/**
 * pc_port_close frees a port and the port that it wraps; no stack may still use it. NULL is
 * allowed.
 */
void pc_port_close(struct pc_port *port);

/* ---- ethdev: any DPDK device ---------------------------------------------------------------- */

/** Configuration of a device. Zero means the default for every member. */
struct pc_ethdev_config {
	uint16_t nb_queues; /**< RX/TX queue pairs; default 1 */
	uint16_t nb_rxd;    /**< descriptors per RX queue; default 1024 (adjusted to the device) */
	uint16_t nb_txd;    /**< descriptors per TX queue; default 1024 */
	/** bytes of the largest IP packet; default: the device's own. net_af_packet and net_memif
	 * carry larger frames than they can announce: info.mtu of pc_port_ethdev is then still what
	 * they announce, and the caller sets it. */
	uint16_t mtu;
	bool no_offloads;   /**< do everything in software */
	bool chains;        /**< with no_offloads: still send chained mbufs, if the device can */
	bool promiscuous;   /**< also receive frames for other MAC addresses */
	const uint8_t *mac; /**< six bytes, which info.mac will be; default: the device's own */
	/** strip and insert VLAN tags if the device can; each queue's port must then get a trunk */
	bool vlans;
	/** enable RX queue interrupts (rte_eth_dev_rx_intr_enable) if the device has them */
	bool rx_interrupts;
	/** array of nb_queues pools, one for the mbufs of each RX queue; they stay the caller's */
	struct rte_mempool *const *pools;
};

/**
 * pc_ethdev_start configures and starts a stopped device: queues, RSS over all of them, and every
 * checksum and segmentation offload that it announces.
 *
 * Returns 0; -ENODEV (no such device); -EINVAL (more queues than the device has, no pool for one of
 * them, or an MTU that the device or the mbufs do not take); -ENOTSUP (a MAC address, and a driver
 * that cannot change its own); or another negative errno of the driver. On failure why (if not NULL,
 * why_len bytes) gets a one-line error message.
 */
int pc_ethdev_start(uint16_t port_id, const struct pc_ethdev_config *config, char *why,
                    size_t why_len);

/**
 * pc_port_ethdev makes a port from a queue pair of a started device, no matter who started it.
 *
 * pool is for copies that the port must make (of shared frames, and of chains if the device cannot
 * send them); it stays the caller's. Closing the port leaves the device running. info.mac is the
 * device's, except for a device without one (net_ring), where it is derived from the name, and for
 * a TAP, whose MAC address belongs to the kernel's end: there the last bit differs.
 *
 * Returns NULL with errno ENODEV, EINVAL (no such queue, or no pool) or ENOMEM.
 */
struct pc_port *pc_port_ethdev(uint16_t port_id, uint16_t queue, struct rte_mempool *pool);

/** pc_ethdev_stop stops and closes a device. Close its ports first, free its pools afterwards. */
void pc_ethdev_stop(uint16_t port_id);

/* ---- VLANs: one port as several ------------------------------------------------------------- */

/** Maximum number of ports of a trunk. */
#define PC_TRUNK_MEMBERS 16

struct pc_trunk;

/**
 * pc_trunk_create makes a trunk from a port and takes ownership of the port. Returns NULL with
 * errno ENOMEM; then inner stays the caller's.
 */
struct pc_trunk *pc_trunk_create(struct pc_port *inner);

/**
 * pc_trunk_port makes the port of a VLAN. outer is the VLAN ID (IEEE 802.1Q), 1 to 4094; inner, if
 * not 0, is that of a second tag behind it (QinQ; outer is then sent as 802.1ad). outer 0 is the
 * port for untagged and priority-tagged frames, and for frames of VLANs that have no port, whose
 * tags are kept.
 *
 * All ports of a trunk are for one lcore. Make at least one: closing the last one frees the trunk
 * and closes the port below. Frames that no port takes, and those that arrive while 512 wait for
 * their port, are lost and counted (info.rx_lost).
 *
 * Returns NULL with errno EINVAL (a VLAN ID), EEXIST, or ENOSPC (PC_TRUNK_MEMBERS ports, closed
 * ones included).
 */
struct pc_port *pc_trunk_port(struct pc_trunk *trunk, uint16_t outer, uint16_t inner);

/* ---- memory: two ends of a wire in one process ----------------------------------------------- */

/** A wire in memory. Zero means the default for every member. */
struct pc_wire_config {
	uint8_t mac[2][6];        /**< of each end; default 02:00:00:00:00:01 and :02 */
	uint16_t mtu;             /**< bytes of the largest IP packet; default 1500 */
	uint16_t capacity;        /**< frames each way before tx_burst refuses; default 4096 */
	uint32_t offloads;        /**< that both ends have, done in software; default none */
	struct rte_mempool *pool; /**< for copies of frames that the sender keeps; required */
};

/**
 * pc_port_wire makes a wire: what is sent into ends[0] is received from ends[1], and vice versa.
 * Each end is closed separately; both are for one thread. The pool stays the caller's. Returns 0,
 * -EINVAL (no pool, or offloads that a wire does not have) or -ENOMEM.
 */
int pc_port_wire(const struct pc_wire_config *config, struct pc_port *ends[2]);

/* ---- layers ---------------------------------------------------------------------------------- */

/** Faults to inject. Probabilities are in parts per million of the frames. */
struct pc_fault_config {
	uint64_t seed;          /**< the same seed, frames and times give the same faults */
	uint32_t rx_loss_ppm;   /**< received frames that are lost */
	uint32_t tx_loss_ppm;   /**< sent frames that are lost */
	uint32_t duplicate_ppm; /**< received frames that are duplicated */
	uint32_t reorder_ppm;   /**< received frames that are delayed by reorder_delay_ns */
	/** received frames in which a bit after the Ethernet header and VLAN tags is flipped; ARP,
	 * which has no checksum, is spared */
	uint32_t corrupt_ppm;
	uint32_t mark_ppm; /**< received ECN-capable packets that are marked CE (RFC 3168) */
	/** also mark those that would wait longer for the wire of rate_bps; 0: none */
	uint64_t mark_ns;
	uint64_t delay_ns;  /**< added to every received frame */
	uint64_t jitter_ns; /**< uniform in [0,jitter_ns), added to delay_ns; order is kept */
	uint64_t reorder_delay_ns; /**< extra delay of a reordered frame; default 1 ms */
	uint64_t rate_bps;         /**< bits per second of received frames; 0: unlimited */
	uint32_t queue;            /**< frames held at most; more are dropped; default 1024 */
	struct rte_mempool *pool;  /**< for duplicates and copies; required; stays the caller's */
	/** frames that would wait longer for the wire of rate_bps are dropped, as at a bottleneck
	 * with a short queue; 0: none */
	uint64_t backlog_ns;
	/* bursts of losses (Gilbert-Elliott): in a burst, burst_loss_ppm of the frames are lost */
	uint32_t burst_ppm;      /**< received frames that begin a burst; 0: none */
	uint32_t burst_end_ppm;  /**< frames of a burst that end it; default 200000 */
	uint32_t burst_loss_ppm; /**< received frames of a burst that are lost; default all */
	/** received IP packets of at most 92 bytes, such as pure acknowledgements, that are lost in
	 * addition */
	uint32_t ack_loss_ppm;
	/** bytes of the largest IP packet that is received; larger ones are lost; 0: unlimited */
	uint16_t mtu;
	/** report these to their senders by ICMP (RFC 1191, RFC 4443), from the destination
	 * address */
	bool mtu_icmp;
};

/** What a fault port has done so far, in frames. */
struct pc_fault_stats {
	uint64_t rx, tx, rx_lost, tx_lost, duplicated, reordered, corrupted, overflowed, marked;
	uint64_t burst_lost, ack_lost, too_big;
};

/**
 * pc_port_fault wraps inner and takes ownership of it; config is copied. Returns NULL with errno
 * EINVAL (no inner port, or no pool) or ENOMEM; then inner stays the caller's.
 */
struct pc_port *pc_port_fault(struct pc_port *inner, const struct pc_fault_config *config);

/**
 * pc_port_fault_set replaces the configuration; frames already held keep their times. The random
 * sequence continues unless the seed changes. The pool stays as it was, and queue is limited to
 * what pc_port_fault was given.
 */
void pc_port_fault_set(struct pc_port *port, const struct pc_fault_config *config);

/** pc_port_fault_stats writes the counts of a fault port. */
void pc_port_fault_stats(const struct pc_port *port, struct pc_fault_stats *stats);

/**
 * pc_port_pcap wraps inner, takes ownership of it, and writes every frame of both directions to a
 * pcap file, with nanosecond timestamps of the clock that drives the stack. The checksum,
 * segmentation and VLAN offloads of inner for sending are hidden, so that the file shows what goes
 * over the wire. Returns NULL with errno ENOMEM, EIO or that of fopen(); then inner stays the
 * caller's.
 */
struct pc_port *pc_port_pcap(struct pc_port *inner, const char *path);

/**
 * pc_port_pcap_flush writes to the file what a pcap port has buffered, as closing the port does.
 * Returns 0, or the negative errno of the first write that has failed since the port was made
 * (-ENOSPC): then frames are missing from the file.
 */
int pc_port_pcap_flush(struct pc_port *port);

#ifdef __cplusplus
}
#endif
#endif
