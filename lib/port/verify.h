/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_VERIFY_H
#define PORT_VERIFY_H

/* Verifies what a device says about received frames, and does in software what it did not do. */

#include <stdint.h>

struct rte_mbuf;

/** verify_frame computes the checksums of a received frame that its device calls good. Returns the offloads (enum
 * pc_port_offload) that do not do what they announce: 0, if they are good, or nothing was said of them. */
uint32_t verify_frame(const struct rte_mbuf *m);

/** verify_complete writes the checksum of TCP or UDP into a received frame that is good but has none yet, as its device says
 * (RTE_MBUF_F_RX_L4_CKSUM_NONE): so come, over virtio, frames of the machine itself. Whoever hands one on to somebody who looks at checksums
 * calls it. The frame is the caller's alone. */
void verify_complete(struct rte_mbuf *m);

#endif
