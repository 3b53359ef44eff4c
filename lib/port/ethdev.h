/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_ETHDEV_H
#define PORT_ETHDEV_H

/*
 * Shared by the halves of the ethdev port: starting a device, and using one of its queue pairs.
 */

#include <percore/port.h>

struct rte_eth_dev_info;

/** ethdev_rss_key writes the first len bytes of the RSS key that percore gives to devices. */
void ethdev_rss_key(uint8_t *key, uint8_t len);

/** ethdev_read_info describes a queue pair of a started device. Returns 0 or -ENODEV. */
int ethdev_read_info(uint16_t port_id, uint16_t queue, struct pc_port_info *info);

/** ethdev_is_own_tap says whether a device is a separate TAP, not one that mirrors another interface
 * ("remote="). The MAC address that its driver knows is that of the kernel's end; the port's has
 * another last bit, as two stations with one address confuse ARP. */
bool ethdev_is_own_tap(const struct rte_eth_dev_info *dev);

/** ethdev_trusted returns which of a driver's offloads (enum pc_port_offload) work as announced. */
uint32_t ethdev_trusted(const char *driver, uint32_t offloads);

/** ethdev_restart stops and restarts a net_memif device, which makes a client look for its server;
 * meanwhile its ports receive and send nothing. Do not call it on an lcore that uses them: the
 * driver may sleep. Returns 0 or a negative errno; then the ports stay down until another try. */
int ethdev_restart(uint16_t port_id);

#endif
