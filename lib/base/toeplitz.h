/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_TOEPLITZ_H
#define BASE_TOEPLITZ_H

/* A software version of the hash by which NICs distribute flows over queues (RSS). */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>
#include <percore/port.h>

/**
 * toeplitz_hash computes the RSS hash of a received packet with source src and destination dst;
 * ports (in host byte order) are hashed too if with_ports. IPv4 addresses are hashed as 4 bytes.
 */
uint32_t toeplitz_hash(const struct pc_port_rss *rss, const struct pc_endpoint *src,
                       const struct pc_endpoint *dst, bool with_ports);

/** toeplitz_queue returns the queue on which that packet arrives; 0 if there is only one. */
uint16_t toeplitz_queue(const struct pc_port_rss *rss, const struct pc_endpoint *src,
                        const struct pc_endpoint *dst);

#endif
