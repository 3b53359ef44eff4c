/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_VERIFY_H
#define PORT_VERIFY_H

/* Whether what a device says of received frames is true. */

#include <stdint.h>

struct rte_mbuf;

/** verify_frame computes the checksums of a received frame that its device calls good. Returns the offloads (enum
 * pc_port_offload) that do not do what they announce: 0, if they are good, or nothing was said of them. */
uint32_t verify_frame(const struct rte_mbuf *m);

#endif
