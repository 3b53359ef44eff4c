/* SPDX-License-Identifier: BSD-2-Clause */
#include "nd.h"

#include <string.h>

#include <rte_byteorder.h>

#define SOLICIT       135
#define ADVERTISE     136
#define HOPS          255 /* RFC 4861 7.1: it has not been forwarded */
#define OPTION_SOURCE 1
#define OPTION_TARGET 2
#define SOLICITED     RTE_BE32(3u << 29) /* S and O */

struct nd_frame {
	struct rte_ether_hdr eth;
	struct rte_ipv6_hdr ip;
	uint8_t type, code;
	uint16_t cksum;
	uint32_t flags;
	uint8_t target[16];
	uint8_t option, units; /* of 8 bytes */
	struct rte_ether_addr mac;
} __attribute__((packed, aligned(2)));

#define ND_LEN \
	(sizeof(struct nd_frame) - sizeof(struct rte_ether_hdr) - sizeof(struct rte_ipv6_hdr))
#define ND_SHORT (ND_LEN - 8) /* without the option */

/* Fills in the fields common to solicitation and advertisement; the addresses are already set. */
static void finish_nd(struct nd_frame *f, uint8_t type, uint8_t option,
                      const struct rte_ether_addr *mac)
{
	f->eth.src_addr = *mac;
	f->ip.payload_len = rte_cpu_to_be_16(ND_LEN);
	f->ip.hop_limits = HOPS;
	f->type = type;
	f->code = 0;
	f->option = option;
	f->units = 1;
	f->mac = *mac;
	f->cksum = 0;
	f->cksum = wire_l4_sum6(&f->ip, &f->type, ND_LEN);
}

void load_nd_ask(struct load *l)
{
	struct rte_mbuf *m = out_mbuf(&l->out);
	uint8_t group[16] = {0xff, 2, [11] = 1, [12] = 0xff};
	struct nd_frame *f;

	if (m == NULL)
		return;
	f = rte_pktmbuf_mtod(m, struct nd_frame *);
	memset(f, 0, sizeof(*f));
	wire_ip6_init(&l->wire, &f->ip, IPPROTO_ICMPV6);
	memcpy(f->target, l->next_hop.b, sizeof(f->target));
	/* the solicited-node multicast address (RFC 4291 2.7.1), and its MAC (RFC 2464 7) */
	memcpy(group + 13, f->target + 13, 3);
	memcpy(&f->ip.dst_addr, group, sizeof(group));
	memset(&f->eth.dst_addr, 0x33, 2);
	memcpy(f->eth.dst_addr.addr_bytes + 2, group + 12, 4);
	f->eth.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV6);
	finish_nd(f, SOLICIT, OPTION_SOURCE, &l->wire.mac);
	out_push(&l->out, m, sizeof(*f));
}

bool load_nd_answer(struct rte_ether_hdr *eth, uint32_t len, const struct rte_ether_addr *mac)
{
	struct nd_frame *f = (struct nd_frame *)eth;

	/* do not answer duplicate address detection, from ::, for addresses that are not ours */
	if (len < sizeof(*f) || f->type != SOLICIT || f->ip.hop_limits != HOPS ||
	    f->option != OPTION_SOURCE)
		return false;
	f->eth.dst_addr = f->mac;
	memcpy(&f->ip.dst_addr, &f->ip.src_addr, sizeof(f->ip.dst_addr));
	memcpy(&f->ip.src_addr, f->target, sizeof(f->ip.src_addr));
	f->flags = SOLICITED;
	finish_nd(f, ADVERTISE, OPTION_TARGET, mac);
	return true;
}

static void take_advertisement(struct load *l, const struct nd_frame *f, uint32_t len)
{
	if (l->wire.resolved || memcmp(f->target, l->next_hop.b, sizeof(f->target)) != 0)
		return;
	/* without the option, its address is the frame's source */
	l->wire.peer_mac =
	    len >= sizeof(*f) && f->option == OPTION_TARGET ? f->mac : f->eth.src_addr;
	l->wire.resolved = true;
	wire_init(&l->wire, (uint16_t)l->config->receive_window);
}

static void take_solicitation(struct load *l, const struct nd_frame *f, uint32_t len)
{
	struct rte_mbuf *m;

	if (!wire_is_own6(&l->wire, f->target) ||
	    wire_low(f->target) - l->wire.first >= l->nb_sources || len < sizeof(*f))
		return;
	m = out_mbuf(&l->out);
	if (m == NULL)
		return;
	memcpy(rte_pktmbuf_mtod(m, void *), f, sizeof(*f));
	if (load_nd_answer(rte_pktmbuf_mtod(m, struct rte_ether_hdr *), len, &l->wire.mac))
		out_push(&l->out, m, sizeof(*f));
	else
		out_recycle(&l->out, m);
}

bool load_nd_input(struct load *l, const struct rte_mbuf *m)
{
	const struct nd_frame *f = rte_pktmbuf_mtod(m, const struct nd_frame *);
	uint32_t head = sizeof(f->eth) + sizeof(f->ip), len = m->data_len, icmp;

	if (len < head || f->eth.ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV6) ||
	    f->ip.proto != IPPROTO_ICMPV6)
		return false;
	icmp = rte_be_to_cpu_16(f->ip.payload_len);
	if (icmp < ND_SHORT || head + icmp > len || f->ip.hop_limits != HOPS || !l->wire.ip6 ||
	    !wire_l4_ok6(&f->ip, &f->type, icmp))
		return true;
	if (f->type == ADVERTISE)
		take_advertisement(l, f, head + icmp);
	else if (f->type == SOLICIT)
		take_solicitation(l, f, head + icmp);
	return true;
}
