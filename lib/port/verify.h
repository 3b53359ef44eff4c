/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_VERIFY_H
#define PORT_VERIFY_H

/* Verifies what a device says about received frames, and does in software what it left out. */

#include <stdint.h>

struct rte_mbuf;

/** verify_frame checks the checksums of a received frame that its device calls good. Returns the
 * offloads (enum pc_port_offload) that do not work as announced; 0 if the checksums are good, or
 * the device has said nothing about them. */
uint32_t verify_frame(const struct rte_mbuf *m);

/** verify_complete writes the TCP or UDP checksum into a received frame that its device says is
 * good but has none yet (RTE_MBUF_F_RX_L4_CKSUM_NONE), as do frames over virtio from the same
 * machine. Call it before passing a frame to a receiver that verifies checksums. The frame must
 * not be shared. */
void verify_complete(struct rte_mbuf *m);

#endif
