/* SPDX-License-Identifier: BSD-2-Clause */
/* The properties of a started device, asked of the device itself, since others may have started
 * it. */
/* for rte_eth_dev_conf_get: declared experimental in 22.11, unchanged since 21.11, stable later */
#define ALLOW_EXPERIMENTAL_API

#include <errno.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#include "ethdev.h"

/* Entries of the RSS table assumed for devices that do not reveal theirs. */
#define ETHDEV_RETA_ASSUMED 128
#define ETHDEV_KEY_ASSUMED  40

#define ETHDEV_RSS_PORTS (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP)

struct offload_map {
	uint64_t eth;
	uint32_t pc;
};

static uint32_t map_offloads(uint64_t have, const struct offload_map *map, unsigned n)
{
	uint32_t offloads = 0;

	for (unsigned i = 0; i < n; i++)
		if ((have & map[i].eth) == map[i].eth)
			offloads |= map[i].pc;
	return offloads;
}

/* Returns the offloads enabled for the device or for the queue. */
static uint32_t read_offloads(uint16_t id, uint16_t queue)
{
	static const struct offload_map rx_map[] = {
	    {RTE_ETH_RX_OFFLOAD_IPV4_CKSUM, PC_PORT_RX_IP4_CKSUM},
	    {RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM, PC_PORT_RX_L4_CKSUM},
	    {RTE_ETH_RX_OFFLOAD_RSS_HASH, PC_PORT_RX_RSS_HASH},
	    {RTE_ETH_RX_OFFLOAD_VLAN_STRIP, PC_PORT_RX_VLAN},
	};
	static const struct offload_map tx_map[] = {
	    {RTE_ETH_TX_OFFLOAD_IPV4_CKSUM, PC_PORT_TX_IP4_CKSUM},
	    {RTE_ETH_TX_OFFLOAD_TCP_CKSUM, PC_PORT_TX_TCP_CKSUM},
	    {RTE_ETH_TX_OFFLOAD_UDP_CKSUM, PC_PORT_TX_UDP_CKSUM},
	    {RTE_ETH_TX_OFFLOAD_MULTI_SEGS, PC_PORT_TX_MULTI_SEGS},
	    {RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
	         RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
	     PC_PORT_TX_TSO},
	    {RTE_ETH_TX_OFFLOAD_VLAN_INSERT, PC_PORT_TX_VLAN},
	    {RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_QINQ_INSERT, PC_PORT_TX_QINQ},
	};
	struct rte_eth_conf conf = {0};
	struct rte_eth_rxq_info rxq = {0};
	struct rte_eth_txq_info txq = {0};

	/* if the device does not tell, assume none */
	if (rte_eth_dev_conf_get(id, &conf) != 0)
		memset(&conf, 0, sizeof(conf));
	if (rte_eth_rx_queue_info_get(id, queue, &rxq) != 0)
		memset(&rxq, 0, sizeof(rxq));
	if (rte_eth_tx_queue_info_get(id, queue, &txq) != 0)
		memset(&txq, 0, sizeof(txq));
	return map_offloads(conf.rxmode.offloads | rxq.conf.offloads, rx_map, RTE_DIM(rx_map)) |
	       map_offloads(conf.txmode.offloads | txq.conf.offloads, tx_map, RTE_DIM(tx_map));
}

/* Says whether a driver inserts tags in software, with a DPDK function that fails on mbufs that TCP
 * keeps until they are acknowledged, so that they are dropped; a bond may have such members. */
static bool inserts_in_software(const char *driver)
{
	static const char *const names[] = {"net_af_packet", "net_virtio", "net_virtio_user",
	                                    "net_vhost", "net_bonding"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(driver, names[i]) == 0)
			return true;
	return false;
}

uint32_t ethdev_trusted(const char *driver, uint32_t offloads)
{
	if (inserts_in_software(driver))
		offloads &= ~(uint32_t)(PC_PORT_TX_VLAN | PC_PORT_TX_QINQ);
	/* This driver computes in software, too. Since DPDK 23.11 it takes the headers off an mbuf
	 * whose checksums it computes, even if others have references to it, such as a queue for
	 * retransmission. And of the two forms of zero, TCP sends 0x0000 (RFC 9293 MUST-2, RFC 1624),
	 * but this driver 0xffff, as only UDP does. */
	if (strcmp(driver, "net_tap") == 0)
		offloads &= ~(uint32_t)(PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM |
		                        PC_PORT_TX_UDP_CKSUM | PC_PORT_TX_TSO);
	/* QEMU's device (7.2) corrupts large segments if the peer does not accept them, and cannot
	 * be told from VMware's: what arrives has good checksums but wrong bytes */
	if (strcmp(driver, "net_vmxnet3") == 0)
		offloads &= ~(uint32_t)PC_PORT_TX_TSO;
	return offloads;
}

static void read_key(uint16_t id, const struct rte_eth_dev_info *dev, struct pc_port_rss *rss)
{
	struct rte_eth_rss_conf conf = {.rss_key = rss->key, .rss_key_len = dev->hash_key_size};

	if (dev->hash_key_size > 0 && dev->hash_key_size <= PC_RSS_KEY_MAX &&
	    rte_eth_dev_rss_hash_conf_get(id, &conf) == 0 && conf.rss_hf != 0) {
		rss->key_len = dev->hash_key_size;
		rss->ports = (conf.rss_hf & ETHDEV_RSS_PORTS) != 0;
		return;
	}
	rss->key_len = ETHDEV_KEY_ASSUMED;
	rss->ports = (dev->flow_type_rss_offloads & ETHDEV_RSS_PORTS) != 0 ||
	             dev->flow_type_rss_offloads == 0;
	ethdev_rss_key(rss->key, rss->key_len);
}

static void read_reta(uint16_t id, const struct rte_eth_dev_info *dev, struct pc_port_rss *rss)
{
	struct rte_eth_rss_reta_entry64 group[PC_RSS_RETA_MAX / RTE_ETH_RETA_GROUP_SIZE];
	uint16_t size = dev->reta_size;
	bool known = false;

	if (size > 0 && size <= PC_RSS_RETA_MAX && rte_is_power_of_2(size)) {
		memset(group, 0, sizeof(group));
		for (unsigned i = 0; i < RTE_DIM(group); i++)
			group[i].mask = UINT64_MAX;
		known = rte_eth_dev_rss_reta_query(id, group, size) == 0;
	}
	rss->reta_size = known ? size : ETHDEV_RETA_ASSUMED;
	for (uint16_t i = 0; i < rss->reta_size; i++) {
		rss->reta[i] = (uint16_t)(i % rss->nb_queues);
		if (known)
			rss->reta[i] =
			    group[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
	}
}

bool ethdev_is_own_tap(const struct rte_eth_dev_info *dev)
{
	const struct rte_devargs *args = rte_dev_devargs(dev->device);

	return strcmp(dev->driver_name, "net_tap") == 0 &&
	       (args == NULL || args->args == NULL || strstr(args->args, "remote=") == NULL);
}

/* Makes a locally administered MAC address from a device's name (FNV-1a). */
static void make_mac(const char *name, uint8_t mac[6])
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	mac[0] = 0x02;
	mac[1] = 0;
	memcpy(mac + 2, &h, sizeof(h));
}

static void read_mac(uint16_t id, const struct rte_eth_dev_info *dev, struct pc_port_info *info)
{
	struct rte_ether_addr addr = {0};

	(void)rte_eth_macaddr_get(id, &addr);
	memcpy(info->mac, addr.addr_bytes, sizeof(info->mac));
	/* net_ring has no MAC address, and hosts ignore ARP from a station without one */
	if (rte_is_zero_ether_addr(&addr))
		make_mac(info->name, info->mac);
	else if (ethdev_is_own_tap(dev))
		info->mac[5] ^= 1;
}

int ethdev_read_info(uint16_t id, uint16_t queue, struct pc_port_info *info)
{
	struct rte_eth_dev_info dev;
	struct rte_eth_link link = {0};

	if (!rte_eth_dev_is_valid_port(id) || rte_eth_dev_info_get(id, &dev) != 0)
		return -ENODEV;
	if (queue >= dev.nb_rx_queues || queue >= dev.nb_tx_queues)
		return -EINVAL;
	(void)rte_eth_dev_get_name_by_port(id, info->name);
	snprintf(info->driver, sizeof(info->driver), "%s", dev.driver_name);
	read_mac(id, &dev, info);
	if (rte_eth_dev_get_mtu(id, &info->mtu) != 0)
		info->mtu = RTE_ETHER_MTU;
	info->queue = queue;
	info->offloads = ethdev_trusted(dev.driver_name, read_offloads(id, queue));
	info->tx_chain = dev.tx_desc_lim.nb_seg_max;
	info->socket_id = rte_eth_dev_socket_id(id);
	info->link_up = rte_eth_link_get_nowait(id, &link) == 0 && link.link_status != 0;
	info->rss.nb_queues = dev.nb_rx_queues;
	if (info->rss.nb_queues > 1) {
		read_key(id, &dev, &info->rss);
		read_reta(id, &dev, &info->rss);
	} else {
		info->offloads &= ~(uint32_t)PC_PORT_RX_RSS_HASH;
	}
	return 0;
}
