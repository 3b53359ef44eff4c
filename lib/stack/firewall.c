/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: whether a packet belongs to earlier traffic is looked up where that is stored: in TCP's
 * table, the connected sockets, and the pairs of lib/fw.  Then the rules are applied.
 *
 * Not checked: packets from loopback, neighbour discovery, fragments before reassembly, TCP, and
 * malformed or damaged packets, which have drop counters of their own.
 */
#include "stack/firewall.h"

#include <errno.h>
#include <netinet/in.h>

#include "tcp/guard.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/nd.h"

/* bytes of an ICMP error that are read: the quoted headers, and 8 bytes after them */
#define QUOTE_READ 512

/* bytes of a UDP or ICMP header that rules need */
#define L4_READ 8

/** A packet to check. */
struct judged {
	struct fw_packet k;
	struct fw_state name;
	bool paired; /* name is that of its pair */
	bool known;
};

static void describe_udp(const struct pc_stack *st, const uint8_t *l4, const struct ip_pkt *p,
                         struct judged *j)
{
	const struct pc_endpoint local = {.addr = p->dst, .port = wire_get16(l4 + 2)};
	const struct pc_endpoint remote = {.addr = p->src, .port = wire_get16(l4)};

	j->k.sport = remote.port;
	j->k.dport = local.port;
	j->name.lport = local.port;
	j->name.rport = remote.port;
	j->known = udp_is_peer(st->udp, &local, &remote);
}

/* ---- ICMP ------------------------------------------------------------------------------------ */

/* Reads the packet that an error quotes, which we may have sent, as the name of its pair. */
static bool read_quote(const struct rte_mbuf *m, const struct ip_pkt *p, struct fw_state *name,
                       uint32_t *after)
{
	const uint32_t off = p->l4_off + (uint32_t)ICMP4_HDR_LEN;
	const uint32_t len = RTE_MIN(p->l4_len - ICMP4_HDR_LEN, (uint32_t)QUOTE_READ);
	uint8_t copy[QUOTE_READ];
	const uint8_t *bytes = rte_pktmbuf_read(m, off, len, copy);
	struct icmp4_quote q4;
	struct icmp6_quote q6;

	if (bytes == NULL || len == 0)
		return false;
	if (p->proto == IPPROTO_ICMP) {
		if (icmp4_parse_quote(bytes, len, &q4) < 0 ||
		    q4.ip.src_be != pc_addr_get_ip4(&p->dst) || q4.ip.frag_off != 0)
			return false;
		*name = (struct fw_state){.remote = pc_addr_ip4(q4.ip.dst_be),
		                          .lport = q4.sport,
		                          .rport = q4.dport,
		                          .proto = q4.ip.proto};
		*after = q4.seq;
	} else {
		if (icmp6_parse_quote(bytes, len, &q6) < 0 || !pc_addr_equal(&q6.ip.src, &p->dst))
			return false;
		*name = (struct fw_state){
		    .remote = q6.ip.dst, .lport = q6.sport, .rport = q6.dport, .proto = q6.proto};
		*after = q6.seq;
	}
	name->laddr = p->laddr;
	return true;
}

/* Says whether an error is about an echo request of ours, or about our reply to one that has passed.
 * The type is in the first word of what it quotes, the identifier in the second, after. */
static bool is_about_echo(const struct pc_stack *st, struct fw_state *name, uint32_t after)
{
	const uint8_t type = (uint8_t)(name->lport >> 8);
	const bool replied =
	    type == (name->proto == IPPROTO_ICMP ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY);

	name->lport = (uint16_t)(after >> 16);
	name->rport = replied ? FW_ASKED_BY_THEM : FW_ASKED_BY_US;
	return replied ? fw_was_asked(&st->ip.fw, &st->ctx, name)
	               : fw_has_asked(&st->ip.fw, &st->ctx, name);
}

/* Says whether an error is about a packet that we have sent. */
static bool is_related(const struct pc_stack *st, const struct rte_mbuf *m, const struct ip_pkt *p)
{
	struct pc_endpoint local = {.addr = p->dst}, remote;
	struct fw_state name;
	uint32_t after;

	if (p->group || !read_quote(m, p, &name, &after))
		return false;
	local.port = name.lport;
	remote = (struct pc_endpoint){.addr = name.remote, .port = name.rport};
	switch (name.proto) {
	case IPPROTO_TCP:
		return tcp_guard_knows(st->tcp, p->laddr, local.port, &remote);
	case IPPROTO_UDP:
		return udp_is_peer(st->udp, &local, &remote) ||
		       fw_has_asked(&st->ip.fw, &st->ctx, &name);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return is_about_echo(st, &name, after);
	default:
		name.lport = name.rport = 0;
		return fw_has_asked(&st->ip.fw, &st->ctx, &name);
	}
}

static void describe_icmp(const struct pc_stack *st, const struct rte_mbuf *m, const uint8_t *l4,
                          const struct ip_pkt *p, struct judged *j)
{
	const bool ip4 = p->proto == IPPROTO_ICMP;
	const uint8_t type = l4[0];

	j->k.icmp_type = type;
	j->k.icmp_code = l4[1];
	j->name.lport = wire_get16(l4 + 4);
	if (ip4 ? icmp4_is_error(type) : icmp6_is_error(type)) {
		j->paired = false;
		j->k.state = st->ip.fw.set->rules.uses_states && is_related(st, m, p) ? FW_RELATED
		                                                                      : FW_INVALID;
	} else if (type == (ip4 ? ICMP4_ECHO : ICMP6_ECHO)) {
		j->name.rport = FW_ASKED_BY_THEM;
	} else if (type == (ip4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY)) {
		j->name.rport = FW_ASKED_BY_US;
		j->k.state = FW_INVALID; /* unless it answers a request of ours */
	} else {
		j->paired = false;
	}
}

/* Neighbour discovery is accepted from any sender. */
static bool is_discovery_type(const struct ip_pkt *p, const uint8_t *l4)
{
	return p->proto == IPPROTO_ICMPV6 && p->l4_len > 0 && l4[0] >= ND_RS &&
	       l4[0] <= ND_REDIRECT;
}

/* ---- judgement ------------------------------------------------------------------------------- */

static bool has_ports_or_type(int verdict)
{
	return verdict == NEXT_UDP || verdict == NEXT_ICMP4 || verdict == NEXT_ICMP6;
}

/* Says whether a packet with ports or a type is whole and undamaged. Its IP header being valid does
 * not mean that its ports are those that its sender wrote. */
static bool is_legible(const struct rte_mbuf *m, const struct ip_pkt *p, int verdict)
{
	return p->l4_len >= L4_READ &&
	       (verdict == NEXT_UDP ? udp_is_intact(m, p) : icmp_is_intact(m, p));
}

/* Describes a packet. Returns whether the rules apply to it. */
static bool describe(const struct pc_stack *st, const struct rte_mbuf *m, const struct ip_pkt *p,
                     int verdict, struct judged *j)
{
	const uint8_t *l4 = rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off);

	*j = (struct judged){
	    .k = {.src = &p->src,
	          .dst = &p->dst,
	          .proto = p->proto,
	          .state = FW_NEW,
	          .netif = p->netif,
	          .len = p->l4_len},
	    .name = {.remote = p->src, .laddr = p->laddr, .proto = p->proto},
	    .paired = !p->group,
	};
	if (!has_ports_or_type(verdict))
		return true;
	if (is_discovery_type(p, l4) || !is_legible(m, p, verdict)) /* dropped as what it is */
		return false;
	if (verdict == NEXT_UDP)
		describe_udp(st, l4, p, j);
	else
		describe_icmp(st, m, l4, p, j);
	return true;
}

/* Says whether rules apply, which implies that IP has filled in *p. */
static bool is_judged(int verdict)
{
	switch (verdict) {
	case NEXT_UDP:
	case NEXT_ICMP4:
	case NEXT_ICMP6:
	case NEXT_IGMP:
	case PC_DROP_IP4_PROTOCOL:
	case PC_DROP_IP6_PROTOCOL:
		return true;
	default:
		return false;
	}
}

static void reject(struct pc_stack *st, const struct rte_mbuf *m, const struct ip_pkt *p)
{
	ctx_count(&st->ctx, PC_FIREWALL_REJECTED);
	if (p->proto == IPPROTO_UDP)
		icmp_port_unreachable(&st->ip, m, p);
	else
		icmp_prohibited(&st->ip, m, p);
}

/* Says whether a packet came from loopback, or is a copy of one that we sent to a group, which
 * seems to come from the group's interface: no other host may have our address. */
static bool is_own(const struct pc_stack *st, const struct ip_pkt *p)
{
	return p->netif == NETIF_LO || (p->group && netifs_has(&st->ip.ifs, &p->src));
}

int firewall_input(struct pc_stack *st, const struct rte_mbuf *m, struct ip_pkt *p, int verdict)
{
	enum fw_action action;
	struct judged j;

	if (!is_judged(verdict) || is_own(st, p) || !describe(st, m, p, verdict, &j))
		return verdict;
	if (verdict == NEXT_UDP) /* found right by is_legible */
		p->l4_good = true;
	/* a packet to a group has no pair, but may answer one of ours to a group, as in DHCP */
	if (p->group && verdict == NEXT_UDP && fw_has_asked(&st->ip.fw, &st->ctx, &j.name))
		j.k.state = FW_ESTABLISHED;
	action = j.paired ? fw_judge_pair(&st->ip.fw, &st->ctx, FW_IN, &j.k, &j.name, j.known)
	                  : fw_judge(&st->ip.fw, &st->ctx, FW_IN, &j.k);
	if (action == FW_PASS)
		return verdict;
	if (action == FW_REJECT)
		reject(st, m, p);
	return PC_DROP_FIREWALL;
}

bool firewall_shows(const struct pc_stack *st, const struct rte_mbuf *m, const struct ip_pkt *p,
                    int verdict)
{
	if (!st->ip.fw.set->rules.counts[FW_IN])
		return true;
	if (verdict == NEXT_TCP)
		return tcp_guard_shows(st->tcp, m, p);
	return !has_ports_or_type(verdict) || is_own(st, p) || is_legible(m, p, verdict);
}

int pc_stack_set_firewall(struct pc_stack *st, struct pc_firewall *fw, unsigned slot)
{
	return stack_fail(fw_use(&st->ip.fw, fw, slot));
}
