/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UDP_CBPF_H
#define UDP_CBPF_H

/*
 * Classic BPF (bpf(4), SO_ATTACH_FILTER): a filter of at most CBPF_MAX instructions, checked once
 * and then run on packets.  Jumps only go forward, so a filter terminates.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/filter.h>

#define CBPF_MAX 256

/** What a filter can ask about a packet besides its bytes (SKF_AD_OFF). */
struct cbpf_facts {
	uint16_t l3_off;   /* of the IP header, from the start of the frame (SKF_NET_OFF) */
	uint16_t protocol; /* EtherType (SKF_AD_PROTOCOL) */
	uint8_t type;      /* PACKET_HOST and the like (SKF_AD_PKTTYPE) */
	uint8_t netif;     /* SKF_AD_IFINDEX is one more */
};

struct rte_mbuf;

struct cbpf {
	uint16_t n; /* 0: no filter, every packet passes in full */
	struct sock_filter insn[CBPF_MAX];
};

/** cbpf_check says whether n instructions form a valid filter: known instructions, jumps within it,
 * scratch memory within bounds, no division by a constant 0, no question that cannot be answered, and
 * a return at the end. */
bool cbpf_check(const struct sock_filter *insn, uint32_t n);

/**
 * cbpf_run runs a filter on the data at off in m, which begins with its Ethernet header. Returns how
 * many bytes to keep, 0: none, so drop the packet; UINT32_MAX without a filter. A load beyond the
 * packet rejects it.
 */
uint32_t cbpf_run(const struct cbpf *f, const struct rte_mbuf *m, uint32_t off,
                  const struct cbpf_facts *facts);

#endif
