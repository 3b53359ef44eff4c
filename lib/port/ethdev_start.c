/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: sets a device up for run-to-completion: the requested number of queue pairs, RSS over
 * all of them, and every offload that saves the stack work.
 *
 * RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE is never enabled: it requires that each mbuf has one reference,
 * but TCP keeps another until the segment is acknowledged.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <rte_alarm.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "ethdev.h"
#include "memif.h"
#include "reader.h"

#define ETHDEV_DESCRIPTORS 1024
/* The usual length of RSS keys, from Microsoft's definition; some devices say 0 and mean this. */
#define ETHDEV_KEY_LEN 40

/* net_af_packet: bytes of a frame of its ring by default; those before a packet, of the kernel (80,
 * with TPACKET_V2) and of an inner tag; and what makes a block of the ring whole pages */
#define RING_FRAME        2048
#define RING_HEADERS      (80u + 4u)
#define RING_ALIGN        16u
#define RING_BLOCK_FRAMES 256u

#define ETHDEV_RSS_TYPES                                                                       \
	(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |             \
	 RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_IPV6 |    \
	 RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP | \
	 RTE_ETH_RSS_NONFRAG_IPV6_OTHER)
#define ETHDEV_RX_OFFLOADS                                              \
	(RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | \
	 RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_RSS_HASH)
#define ETHDEV_TX_OFFLOADS                                              \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
	 RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO |    \
	 RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
#define ETHDEV_TX_VLAN (RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_QINQ_INSERT)

/* A device being started. */
struct setup {
	uint16_t id;
	const struct pc_ethdev_config *config;
	struct rte_eth_dev_info dev;
	struct rte_eth_conf conf;
	uint16_t nb_queues, nb_rxd, nb_txd;
	uint8_t key[PC_RSS_KEY_MAX];
	char *why;
	size_t why_len;
};

/* Writes a line for the user and returns rc. */
__rte_format_printf(3, 4) static int refuse(const struct setup *s, int rc, const char *format, ...)
{
	va_list args;

	if (s->why == NULL || s->why_len == 0)
		return rc;
	va_start(args, format);
	vsnprintf(s->why, s->why_len, format, args);
	va_end(args);
	return rc;
}

void ethdev_rss_key(uint8_t *key, uint8_t len)
{
	/* a period of 16 bits makes the hash the same for both directions of a flow (Woo and Park,
	 * "Scalable TCP session monitoring with symmetric receive-side scaling", 2012) */
	for (unsigned i = 0; i < len; i++)
		key[i] = i % 2 == 0 ? 0x6d : 0x5a;
}

static int setup_check_queues(const struct setup *s)
{
	uint16_t rx = s->dev.max_rx_queues, tx = s->dev.max_tx_queues, max = rx < tx ? rx : tx;

	if (s->config->pools == NULL || s->config->pools[0] == NULL)
		return refuse(s, -EINVAL, "no mbuf pool was given for its receive queues");
	if (s->nb_queues > max)
		return refuse(s, -EINVAL, "it has %u queue pair%s, but %u are needed", max,
		              max == 1 ? "" : "s", s->nb_queues);
	return 0;
}

static int setup_rss(struct setup *s)
{
	struct rte_eth_rss_conf *rss = &s->conf.rx_adv_conf.rss_conf;

	if (s->nb_queues == 1 || (s->dev.flow_type_rss_offloads & ETHDEV_RSS_TYPES) == 0)
		return 0;
	rss->rss_key_len = s->dev.hash_key_size != 0 ? s->dev.hash_key_size : ETHDEV_KEY_LEN;
	if (rss->rss_key_len > sizeof(s->key))
		return refuse(s, -EINVAL,
		              "its RSS key has %u bytes, but percore supports at most %zu",
		              rss->rss_key_len, sizeof(s->key));
	ethdev_rss_key(s->key, rss->rss_key_len);
	rss->rss_key = s->key;
	rss->rss_hf = s->dev.flow_type_rss_offloads & ETHDEV_RSS_TYPES;
	s->conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	return 0;
}

/* Returns the largest MTU that DPDK allows, from the driver's MTU or frame length limit. */
static uint16_t mtu_limit(const struct rte_eth_dev_info *dev)
{
	const bool both = dev->max_mtu != UINT16_MAX && dev->max_rx_pktlen > dev->max_mtu;
	const uint32_t overhead =
	    both ? dev->max_rx_pktlen - dev->max_mtu : RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

	if (dev->max_rx_pktlen < overhead)
		return dev->max_mtu;
	return (uint16_t)RTE_MIN(dev->max_rx_pktlen - overhead, (uint32_t)dev->max_mtu);
}

/* Says whether a driver carries larger frames than DPDK 22.11 lets it announce: net_af_packet, up
 * to its framesz; net_memif, in as many buffers as needed. */
static bool carries_more(const struct rte_eth_dev_info *dev)
{
	return strcmp(dev->driver_name, "net_af_packet") == 0 ||
	       strcmp(dev->driver_name, "net_memif") == 0;
}

/* Returns the largest packet that a frame of net_af_packet's ring has room for: what is longer would
 * be cut off on reception, and not be sent. */
static uint32_t ring_room(const struct rte_eth_dev_info *dev)
{
	const struct rte_devargs *args = rte_dev_devargs(dev->device);
	const char *size =
	    args != NULL && args->args != NULL ? strstr(args->args, "framesz=") : NULL;
	const uint32_t frame =
	    size != NULL ? (uint32_t)strtoul(strchr(size, '=') + 1, NULL, 0) : RING_FRAME;

	return frame > RING_HEADERS ? frame - RING_HEADERS : 0;
}

static int check_ring(const struct setup *s, uint16_t mtu)
{
	const uint32_t frame = RTE_ALIGN_CEIL(mtu + RING_HEADERS, RING_ALIGN);

	if (strcmp(s->dev.driver_name, "net_af_packet") != 0 || mtu <= ring_room(&s->dev))
		return 0;
	return refuse(s, -EINVAL,
	              "its ring has no room for an MTU of %u bytes: add framesz=%u,blocksz=%u to "
	              "its --vdev, and set the MTU of its interface",
	              mtu, frame, RING_BLOCK_FRAMES * frame);
}

static int setup_mtu(struct setup *s)
{
	const uint16_t limit = mtu_limit(&s->dev);
	uint32_t room = rte_pktmbuf_data_room_size(s->config->pools[0]) - RTE_PKTMBUF_HEADROOM;
	uint16_t mtu = s->config->mtu;

	if (mtu == 0 && rte_eth_dev_get_mtu(s->id, &mtu) != 0)
		mtu = RTE_ETHER_MTU;
	if (s->config->mtu != 0 &&
	    (mtu < s->dev.min_mtu || (mtu > limit && !carries_more(&s->dev))))
		return refuse(s, -EINVAL, "its MTU must be %u to %u bytes, not %u", s->dev.min_mtu,
		              limit, mtu);
	if (s->config->mtu != 0 && mtu <= limit)
		s->conf.rxmode.mtu = mtu;
	if (check_ring(s, mtu) != 0)
		return -EINVAL;
	if (mtu > limit && carries_more(&s->dev))
		return 0; /* memif makes chains; net_af_packet itself checks that mbufs hold frames */
	if ((uint32_t)(mtu + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN) <= room)
		return 0;
	if ((s->dev.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) == 0)
		return refuse(s, -EINVAL, "frames of its MTU of %u bytes do not fit in mbufs of %u",
		              mtu, room);
	s->conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	return 0;
}

/* Tags are stripped one by one: of two, the device strips the outer, of whichever type. */
static void setup_vlan(struct setup *s)
{
	if (!s->config->vlans)
		return;
	s->conf.rxmode.offloads |= s->dev.rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
	s->conf.txmode.offloads |= s->dev.tx_offload_capa & ETHDEV_TX_VLAN;
	/* the outer of two tags is of 802.1ad, which not every device can insert */
	if ((s->conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_QINQ_INSERT) != 0 &&
	    rte_eth_dev_set_vlan_ether_type(s->id, RTE_ETH_VLAN_TYPE_OUTER, RTE_ETHER_TYPE_QINQ) !=
	        0)
		s->conf.txmode.offloads &= ~RTE_ETH_TX_OFFLOAD_QINQ_INSERT;
}

static int setup_configure(struct setup *s)
{
	int rc;

	if (!s->config->no_offloads) {
		s->conf.rxmode.offloads |= s->dev.rx_offload_capa & ETHDEV_RX_OFFLOADS;
		s->conf.txmode.offloads |= s->dev.tx_offload_capa & ETHDEV_TX_OFFLOADS;
		setup_vlan(s);
	} else if (s->config->chains) {
		s->conf.txmode.offloads |= s->dev.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	}
	/* virtio's other end filters tags in any case; this makes rte_eth_dev_vlan_filter work */
	if (strcmp(s->dev.driver_name, "net_virtio") == 0)
		s->conf.rxmode.offloads |= s->dev.rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	/* a TAP would need a pool of its own for TSO; and untrusted offloads are not enabled */
	if ((ethdev_trusted(s->dev.driver_name, PC_PORT_TX_TSO) & PC_PORT_TX_TSO) == 0)
		s->conf.txmode.offloads &= ~RTE_ETH_TX_OFFLOAD_TCP_TSO;
	if ((ethdev_trusted(s->dev.driver_name, PC_PORT_TX_VLAN) & PC_PORT_TX_VLAN) == 0)
		s->conf.txmode.offloads &= ~ETHDEV_TX_VLAN;
	/* without RSS there is no hash to report */
	if (s->conf.rxmode.mq_mode != RTE_ETH_MQ_RX_RSS)
		s->conf.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_RSS_HASH;
	s->conf.intr_conf.rxq = s->config->rx_interrupts;
	rc = rte_eth_dev_configure(s->id, s->nb_queues, s->nb_queues, &s->conf);
	if (rc != 0 && s->config->rx_interrupts) {
		s->conf.intr_conf.rxq = 0;
		rc = rte_eth_dev_configure(s->id, s->nb_queues, s->nb_queues, &s->conf);
	}
	if (rc != 0)
		return refuse(s, rc, "it rejected its configuration: %s", strerror(-rc));
	s->nb_rxd = s->config->nb_rxd != 0 ? s->config->nb_rxd : ETHDEV_DESCRIPTORS;
	s->nb_txd = s->config->nb_txd != 0 ? s->config->nb_txd : ETHDEV_DESCRIPTORS;
	rc = rte_eth_dev_adjust_nb_rx_tx_desc(s->id, &s->nb_rxd, &s->nb_txd);
	if (rc != 0)
		return refuse(s, rc, "its queues do not support %u and %u descriptors", s->nb_rxd,
		              s->nb_txd);
	return 0;
}

/* How else a device gets a MAC address whose driver cannot change it. */
static const char *mac_otherwise(const char *driver)
{
	if (strcmp(driver, "net_af_xdp") == 0 || strcmp(driver, "net_af_packet") == 0)
		return "; give its interface another: ip link set NAME address MAC";
	return memif_is_driver(driver) ? "; give it one by mac=MAC in --vdev" : "";
}

/* net_af_packet would change the address of the kernel's interface, and could not restore it at the
 * end, because privileges have been dropped. */
static int set_mac(const struct setup *s, struct rte_ether_addr *addr)
{
	if (strcmp(s->dev.driver_name, "net_af_packet") == 0)
		return -ENOTSUP;
	return rte_eth_dev_default_mac_addr_set(s->id, addr);
}

static int setup_mac(const struct setup *s)
{
	struct rte_ether_addr addr;
	int rc;

	if (s->config->mac == NULL)
		return 0;
	memcpy(addr.addr_bytes, s->config->mac, sizeof(addr.addr_bytes));
	if (ethdev_is_own_tap(&s->dev))
		addr.addr_bytes[5] ^= 1;
	rc = set_mac(s, &addr);
	if (rc == -ENOTSUP)
		return refuse(s, rc, "its driver cannot change its MAC address%s",
		              mac_otherwise(s->dev.driver_name));
	if (rc != 0)
		return refuse(s, rc, "its MAC address cannot be changed: %s", strerror(-rc));
	return 0;
}

static int setup_queues(struct setup *s)
{
	struct rte_eth_rxconf rxconf = s->dev.default_rxconf;
	struct rte_eth_txconf txconf = s->dev.default_txconf;
	unsigned node = (unsigned)rte_eth_dev_socket_id(s->id);
	int rc;

	rxconf.offloads = s->conf.rxmode.offloads;
	txconf.offloads = s->conf.txmode.offloads;
	for (uint16_t q = 0; q < s->nb_queues; q++) {
		if (s->config->pools[q] == NULL)
			return refuse(s, -EINVAL, "no mbuf pool was given for receive queue %u", q);
		rc =
		    rte_eth_rx_queue_setup(s->id, q, s->nb_rxd, node, &rxconf, s->config->pools[q]);
		if (rc != 0)
			return refuse(s, rc, "it rejected receive queue %u with %u descriptors: %s",
			              q, s->nb_rxd, strerror(-rc));
		rc = rte_eth_tx_queue_setup(s->id, q, s->nb_txd, node, &txconf);
		if (rc != 0)
			return refuse(s, rc,
			              "it rejected transmit queue %u with %u descriptors: %s", q,
			              s->nb_txd, strerror(-rc));
	}
	return 0;
}

/* Distributes the hash values evenly. A device that does not allow it keeps its own
 * distribution. */
static void setup_reta(const struct setup *s)
{
	struct rte_eth_rss_reta_entry64 group[PC_RSS_RETA_MAX / RTE_ETH_RETA_GROUP_SIZE];

	if (s->conf.rxmode.mq_mode != RTE_ETH_MQ_RX_RSS || s->dev.reta_size == 0 ||
	    s->dev.reta_size > PC_RSS_RETA_MAX)
		return;
	for (uint16_t i = 0; i < PC_RSS_RETA_MAX; i++) {
		group[i / RTE_ETH_RETA_GROUP_SIZE].mask = UINT64_MAX;
		group[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] =
		    i % s->nb_queues;
	}
	(void)rte_eth_dev_rss_reta_update(s->id, group, s->dev.reta_size);
}

static int setup_start(const struct setup *s)
{
	int rc = rte_eth_dev_start(s->id);

	if (rc != 0 && memif_is_driver(s->dev.driver_name))
		return refuse(s, rc, "no server at its other end yet; start the server first");
	if (rc != 0)
		return refuse(s, rc, "it failed to start: %s", strerror(-rc));
	setup_reta(s);
	/* not an error: many virtual devices lack this mode, and receive everything anyway */
	if (s->config->promiscuous)
		(void)rte_eth_promiscuous_enable(s->id);
	else
		(void)rte_eth_promiscuous_disable(s->id);
	/* the set of groups changes with each address and socket, so the stack filters itself */
	(void)rte_eth_allmulticast_enable(s->id);
	return 0;
}

int pc_ethdev_start(uint16_t port_id, const struct pc_ethdev_config *config, char *why,
                    size_t why_len)
{
	struct setup s = {.id = port_id, .config = config, .why = why, .why_len = why_len};
	int rc;

	s.nb_queues = config->nb_queues != 0 ? config->nb_queues : 1;
	if (!rte_eth_dev_is_valid_port(port_id))
		return refuse(&s, -ENODEV, "no such device");
	rc = rte_eth_dev_info_get(port_id, &s.dev);
	if (rc != 0)
		return refuse(&s, rc, "cannot get its device information: %s", strerror(-rc));
	if ((rc = setup_check_queues(&s)) != 0 || (rc = setup_rss(&s)) != 0 ||
	    (rc = setup_mtu(&s)) != 0 || (rc = setup_configure(&s)) != 0 ||
	    (rc = setup_mac(&s)) != 0 || (rc = setup_queues(&s)) != 0)
		return rc;
	return setup_start(&s);
}

/* A device to be stopped by another thread. */
struct ending {
	uint16_t port_id;
	sem_t done;
};

/* Whether a device may be closed: not a bond, which would take its members apart, in which net_tap
 * crashes (DPDK 24.11). */
static bool may_be_closed(uint16_t port_id)
{
	struct rte_eth_dev_info dev;

	return rte_eth_dev_info_get(port_id, &dev) != 0 ||
	       strcmp(dev.driver_name, "net_bonding") != 0;
}

static void end(uint16_t port_id)
{
	(void)rte_eth_dev_stop(port_id);
	if (may_be_closed(port_id))
		(void)rte_eth_dev_close(port_id);
}

static void end_and_tell(void *arg)
{
	struct ending *e = arg;

	end(e->port_id);
	(void)sem_post(&e->done);
}

/* net_memif handles its peer's events in EAL's interrupt thread, without locking, so it must be
 * stopped in that thread. Returns whether it was. */
static bool end_elsewhere(uint16_t port_id)
{
	struct ending e = {.port_id = port_id};
	bool done;

	(void)sem_init(&e.done, 0, 0);
	done = rte_eal_alarm_set(1, end_and_tell, &e) == 0;
	while (done && sem_wait(&e.done) != 0)
		continue;
	(void)sem_destroy(&e.done);
	return done;
}

void pc_ethdev_stop(uint16_t port_id)
{
	struct rte_eth_dev_info dev;

	if (!rte_eth_dev_is_valid_port(port_id))
		return;
	if (rte_eth_dev_info_get(port_id, &dev) != 0 || !memif_is_driver(dev.driver_name) ||
	    !end_elsewhere(port_id))
		end(port_id);
}

int ethdev_restart(uint16_t port_id)
{
	int rc;

	readers_shut(port_id);
	rc = rte_eth_dev_stop(port_id);
	if (rc == 0)
		rc = rte_eth_dev_start(port_id);
	if (rc == 0)
		readers_open(port_id);
	return rc;
}
