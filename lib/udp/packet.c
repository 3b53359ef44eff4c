/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet sockets, and the taps in front of the ports that feed them.
 *
 * Overview: when the first packet socket is opened, each interface's port is replaced by a tap, a
 * port that passes everything on to the real one and shows it to the sockets; when the last one is
 * closed, the real ports are restored.  So packet sockets cost nothing to a stack without them.
 *
 * Ownership: the taps are ours, the ports behind them are not; sockets get copies.
 */

#include "udp/raw.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <rte_mbuf.h>

#include "base/port_info.h"
#include "udp/table.h"
#include "wire/eth.h"

#define OF_PACKET_SOCKET 0xfffe /* as the port of an mbuf: no port */

/* ---- what the sockets see -------------------------------------------------------------------- */

static uint8_t type_of(const struct udp_tap *t, const uint8_t *eth)
{
	static const uint8_t all[ETH_ADDR_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (eth_equal(eth, all))
		return PACKET_BROADCAST;
	if (eth_is_group(eth))
		return PACKET_MULTICAST;
	return eth_equal(eth, t->port.info.mac) ? PACKET_HOST : PACKET_OTHERHOST;
}

static bool packet_sock_wants(const struct udp_sock *s, uint8_t netif, uint16_t ethertype,
                              uint8_t type)
{
	if (s->netif != 0 && s->netif - 1 != netif)
		return false;
	/* as on Linux, only sockets for all EtherTypes see what is sent */
	return s->ethertype == ETH_P_ALL || (s->ethertype == ethertype && type != PACKET_OUTGOING);
}

static void deliver_packet(struct udp *udp, struct udp_sock *s, const struct rte_mbuf *m,
                           const struct cbpf_facts *facts)
{
	const uint16_t skip = s->cooked ? ETH_HDR_LEN : 0;
	const uint32_t len = RTE_MIN(udp_filter(udp, s, m, skip, facts), m->pkt_len - skip);
	struct rte_mbuf *copy;

	if (len == 0 || !udp_may_copy(udp, s, len))
		return;
	copy = rte_pktmbuf_copy(m, udp->ctx->pool, 0, skip + len);
	if (copy == NULL) {
		ctx_count(udp->ctx, PC_RX_COPY_NO_MBUF);
		return;
	}
	udp_queue(udp, s, copy, 0, skip, facts->netif, facts->type);
	ctx_count(udp->ctx, PC_RAW_RX);
}

/* Shows a frame to the sockets; sender: the one that has sent it, index + 1, which does not see it, as on
 * Linux. */
static void show(struct udp_tap *t, const struct rte_mbuf *m, bool outgoing, uint32_t sender)
{
	struct udp *udp = t->udp;
	const uint8_t *eth = rte_pktmbuf_mtod(m, const uint8_t *);
	struct cbpf_facts facts = {.l3_off = ETH_HDR_LEN, .netif = t->netif};

	if (m->data_len < ETH_HDR_LEN)
		return;
	facts.protocol = udp_protocol_of(eth);
	facts.type = outgoing ? PACKET_OUTGOING : type_of(t, eth);
	for (uint32_t id = udp->packet; id != 0; id = udp->sock[id - 1].next)
		if (id != sender &&
		    packet_sock_wants(&udp->sock[id - 1], t->netif, facts.protocol, facts.type))
			deliver_packet(udp, &udp->sock[id - 1], m, &facts);
}

/* ---- the port -------------------------------------------------------------------------------- */

static struct udp_tap *tap_of(struct pc_port *port)
{
	return (struct udp_tap *)(void *)port;
}

static uint16_t tap_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                             uint64_t now_ns)
{
	struct udp_tap *t = tap_of(port);

	n = t->inner->ops->rx_burst(t->inner, pkts, n, now_ns);
	for (uint16_t i = 0; i < n; i++)
		show(t, pkts[i], false, 0);
	port_info_follow(&t->port.info, &t->inner->info);
	return n;
}

/* Says whether any socket sees what is sent by an interface. */
static bool is_watched(const struct udp *udp, uint8_t netif)
{
	for (uint32_t id = udp->packet; id != 0; id = udp->sock[id - 1].next)
		if (packet_sock_wants(&udp->sock[id - 1], netif, 0, PACKET_OUTGOING))
			return true;
	return false;
}

/* A frame of a packet socket says so until it is sent: nobody else reads these fields of it. */
static void mark_sender(struct rte_mbuf *m, uint32_t id)
{
	m->port = OF_PACKET_SOCKET;
	m->hash.usr = id;
}

static uint32_t sender_of(const struct rte_mbuf *m)
{
	return m->port == OF_PACKET_SOCKET ? m->hash.usr : 0;
}

/* Shows a copy of a frame that has been sent; NULL: there was no mbuf for it. */
static void show_sent(struct udp_tap *t, const struct rte_mbuf *copy, uint32_t sender)
{
	if (copy != NULL)
		show(t, copy, true, sender);
	else
		ctx_count(t->udp->ctx, PC_RX_COPY_NO_MBUF);
}

/* Once the port has accepted a frame we may not read it, so each is copied before it is sent, one
 * at a time; the copy is shown only if the port accepts the frame. */
static uint16_t tap_tx_watched(struct udp_tap *t, struct rte_mbuf **pkts, uint16_t n,
                               uint64_t now_ns)
{
	uint16_t i;

	for (i = 0; i < n; i++) {
		struct rte_mbuf *copy = rte_pktmbuf_copy(pkts[i], t->udp->ctx->pool, 0, UINT32_MAX);
		const uint32_t sender = sender_of(pkts[i]);
		const bool sent = t->inner->ops->tx_burst(t->inner, &pkts[i], 1, now_ns) == 1;

		if (sent)
			show_sent(t, copy, sender);
		rte_pktmbuf_free(copy);
		if (!sent)
			break;
	}
	return i;
}

static uint16_t tap_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                             uint64_t now_ns)
{
	struct udp_tap *t = tap_of(port);

	n = is_watched(t->udp, t->netif) ? tap_tx_watched(t, pkts, n, now_ns)
	                                 : t->inner->ops->tx_burst(t->inner, pkts, n, now_ns);
	port_info_follow(&t->port.info, &t->inner->info);
	return n;
}

static uint64_t tap_next_deadline(const struct pc_port *port)
{
	const struct pc_port *inner = ((const struct udp_tap *)(const void *)port)->inner;

	return inner->ops->next_deadline != NULL ? inner->ops->next_deadline(inner) : UINT64_MAX;
}

/* Our packet sockets have seen the fragments, and those of the other lcore see the whole packet. */
static bool tap_pass(struct pc_port *port, uint16_t queue, struct rte_mbuf *m)
{
	struct pc_port *inner = tap_of(port)->inner;

	return inner->ops->pass != NULL && inner->ops->pass(inner, queue, m);
}

static void tap_close(struct pc_port *port)
{
	(void)port;
}

static const struct pc_port_ops tap_ops = {
    .rx_burst = tap_rx_burst,
    .tx_burst = tap_tx_burst,
    .next_deadline = tap_next_deadline,
    .pass = tap_pass,
    .close = tap_close,
};

static void set_port(struct netif *nif, struct pc_port *port)
{
	nif->port = port;
	nif->txq.port = port;
}

static void put_taps(struct udp *udp)
{
	for (uint8_t i = 0; i < udp->ip->ifs.n; i++) {
		struct netif *nif = &udp->ip->ifs.netif[i];
		struct udp_tap *t = &udp->tap[i];

		if (nif->port == &t->port)
			continue;
		*t = (struct udp_tap){.port = {.ops = &tap_ops, .info = nif->port->info},
		                      .inner = nif->port,
		                      .udp = udp,
		                      .netif = i};
		set_port(nif, &t->port);
	}
}

void udp_untap(struct udp *udp)
{
	if (udp->packet != 0)
		return;
	for (uint8_t i = 0; i < udp->ip->ifs.n; i++)
		if (udp->ip->ifs.netif[i].port == &udp->tap[i].port) {
			/* pc_stack_set_mtu may have changed it meanwhile */
			udp->tap[i].inner->info.mtu = udp->tap[i].port.info.mtu;
			set_port(&udp->ip->ifs.netif[i], udp->tap[i].inner);
		}
}

/* ---- the sockets ----------------------------------------------------------------------------- */

int udp_open_packet(struct udp *udp, bool cooked, uint16_t ethertype)
{
	const int index = udp_open(udp);
	struct udp_sock *s;

	if (index < 0)
		return index;
	s = &udp->sock[index];
	s->kind = UDP_PACKET;
	s->cooked = cooked;
	s->ethertype = ethertype;
	s->next = udp->packet;
	udp->packet = (uint32_t)index + 1;
	put_taps(udp);
	return index;
}

int udp_bind_packet(struct udp *udp, struct udp_sock *s, int netif, uint16_t ethertype)
{
	if (netif < -1 || netif >= udp->ip->ifs.n)
		return -ENODEV;
	s->netif = (uint8_t)(netif + 1);
	if (ethertype != 0)
		s->ethertype = ethertype;
	return 0;
}

int udp_send_packet(struct udp *udp, struct udp_sock *s, struct rte_mbuf *m, int netif,
                    const uint8_t *mac, uint16_t ethertype)
{
	struct netif *nif;
	uint8_t *eth;

	if (netif < 0 && s->netif != 0)
		netif = s->netif - 1;
	if (netif < 0 || netif >= udp->ip->ifs.n)
		return -ENXIO;
	nif = &udp->ip->ifs.netif[netif];
	if (m->pkt_len > (uint32_t)nif->port->info.mtu + (s->cooked ? 0 : ETH_HDR_LEN))
		return -EMSGSIZE;
	if (s->cooked) {
		if (mac == NULL)
			return -EDESTADDRREQ;
		eth = (uint8_t *)rte_pktmbuf_prepend(m, ETH_HDR_LEN);
		assert(eth != NULL);
		memcpy(eth, mac, ETH_ADDR_LEN);
		memcpy(eth + ETH_ADDR_LEN, nif->port->info.mac, ETH_ADDR_LEN);
		wire_put16(eth + 12, ethertype);
	} else if (m->pkt_len < ETH_HDR_LEN) {
		return -EINVAL;
	}
	m->ol_flags = 0;
	mark_sender(m, (uint32_t)(s - udp->sock) + 1);
	ctx_count(udp->ctx, PC_RAW_TX);
	txq_put(&nif->txq, udp->ctx, m);
	return 0;
}
