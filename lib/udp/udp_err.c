/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP errors for UDP and raw sockets.
 *
 * Overview: a connected socket sees hard errors as SO_ERROR.  With IP_RECVERR a socket, connected
 * or not, sees every error, and its error queue has the details: who sent it, about which
 * destination, quoting which part of our payload.
 *
 * Ownership: the reports in a queue are ours until udp_take_report hands them out.  A report is an
 * mbuf that begins with struct udp_report; the queue holds at most REPORTS_MAX of them, and further
 * ones are dropped, as forged errors could fill it.
 */

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include "udp/table.h"

#define REPORTS_MAX 64
#define QUOTE_MAX   1184 /* of an IPv6 error of 1,280 bytes (RFC 4443 2.4); an IPv4 one has 520 */

static bool wants_reports(const struct udp_sock *s, const struct pc_addr *remote)
{
	return pc_addr_is_ip4(remote) ? s->report : s->report6;
}

/* Queues a report that quotes len bytes at off in m. */
static void report(struct udp *udp, struct udp_sock *s, const struct udp_report *r,
                   const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	struct udp_report told = *r;
	const void *from;
	struct rte_mbuf *q;
	char *to;

	if (s->nb_reports >= REPORTS_MAX || udp->ctx->mbufs_low)
		return;
	q = ctx_mbuf(udp->ctx);
	if (q == NULL)
		return;
	len = RTE_MIN(len, (uint32_t)QUOTE_MAX);
	to = rte_pktmbuf_append(q, (uint16_t)(sizeof(*r) + len));
	told.at_ns = ctx_time_of_day(udp->ctx);
	memcpy(to, &told, sizeof(told));
	to += sizeof(told);
	from = len > 0 ? rte_pktmbuf_read(m, off, len, to) : to;
	if (from == NULL)
		rte_pktmbuf_trim(q, (uint16_t)len);
	else if (from != to)
		memcpy(to, from, len);
	pktq_push(&s->reports, q);
	s->nb_reports++;
}

void udp_report_local(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *to)
{
	const struct udp_report r = {
	    .to = *to, .error = EMSGSIZE, .info = s->path.mtu, .netif = s->path.netif};

	if (!wants_reports(s, &to->addr))
		return;
	report(udp, s, &r, NULL, 0, 0);
	event_notify(udp->ev, &s->poll, udp->first_fd + (uint32_t)(s - udp->sock), EPOLLERR);
}

/* Says whether a socket's mode of path MTU discovery ignores such errors. */
static bool ignores_mtu(const struct udp_sock *s, const struct pc_addr *remote)
{
	const uint8_t mode = pc_addr_is_ip4(remote) ? s->discover : s->discover6;

	return mode == IP_PMTUDISC_INTERFACE || mode == IP_PMTUDISC_OMIT;
}

/* RFC 8201, RFC 1191: the path is narrower than assumed. Returns whether to report it
 * to the socket. */
static bool on_too_big(struct udp *udp, struct udp_sock *s, const struct icmp_error *e)
{
	const uint8_t mode = pc_addr_is_ip4(&e->remote) ? s->discover : s->discover6;

	if (ignores_mtu(s, &e->remote))
		return false;
	ip_pmtu_learn(udp->ip, &e->remote, e->mtu);
	udp_forget_path(s);
	return mode != IP_PMTUDISC_DONT;
}

/* What the error queue has about an error; port: the destination's. */
static struct udp_report make_report(const struct udp *udp, const struct icmp_error *e,
                                     uint16_t port)
{
	return (struct udp_report){
	    .to = {.addr = e->remote, .port = port},
	    .offender = e->offender,
	    .info = e->error == EMSGSIZE ? e->mtu : 0,
	    .error = e->error,
	    .type = e->type,
	    .code = e->code,
	    .dst = e->local,
	    .ttl = e->ttl,
	    .tos = e->tos,
	    .netif = e->laddr != LADDR_NONE ? udp->ip->ifs.addr[e->laddr].netif : (uint8_t)0};
}

void udp_error(struct udp *udp, const struct icmp_error *e, const struct rte_mbuf *m)
{
	const struct pc_endpoint local = {.addr = e->local, .port = e->local_port};
	const struct pc_endpoint remote = {.addr = e->remote, .port = e->remote_port};
	const struct udp_report r = make_report(udp, e, e->remote_port);
	struct udp_sock *s = udp_find_connected(udp, &local, &remote, UDP_ANY_NETIF);
	const bool connected = s != NULL;
	bool hard = e->hard;

	if (s == NULL) /* about a packet that this socket may have sent */
		s = udp_find(udp, &remote, &local);
	if (s == NULL)
		return;
	if (e->error == EMSGSIZE) {
		hard = on_too_big(udp, s, e);
		if (!hard)
			return;
	}
	if (wants_reports(s, &remote.addr))
		report(udp, s, &r, m, e->quote_off, e->quote_len);
	else if (!hard || !connected)
		return;
	s->error = e->error;
	event_notify(udp->ev, &s->poll, udp->first_fd + (uint32_t)(s - udp->sock), EPOLLERR);
}

/* Says whether a raw socket can have sent the packet that an error is about. */
static bool may_have_sent(const struct udp_sock *s, const struct icmp_error *e)
{
	return s->proto == e->proto && s->ip6 != pc_addr_is_ip4(&e->remote) &&
	       (pc_addr_is_any(&s->local.addr) || pc_addr_equal(&s->local.addr, &e->local)) &&
	       (pc_addr_is_any(&s->remote.addr) || pc_addr_equal(&s->remote.addr, &e->remote));
}

void udp_raw_error(struct udp *udp, const struct icmp_error *e, const struct rte_mbuf *m)
{
	const struct udp_report r = make_report(udp, e, 0);

	for (uint32_t id = udp->raw; id != 0; id = udp->sock[id - 1].next) {
		struct udp_sock *s = &udp->sock[id - 1];
		bool hard = e->hard;

		if (!may_have_sent(s, e))
			continue;
		if (e->error == EMSGSIZE) {
			hard = on_too_big(udp, s, e);
			if (!hard)
				continue;
		}
		if (wants_reports(s, &e->remote)) /* its payload begins behind the IP header */
			report(udp, s, &r, m, e->quote_off - 8u, e->quote_len + 8);
		else if (!hard || pc_addr_is_any(&s->remote.addr))
			continue;
		s->error = e->error;
		event_notify(udp->ev, &s->poll, udp->first_fd + id - 1, EPOLLERR);
	}
}

struct rte_mbuf *udp_take_report(struct udp *udp, uint32_t index, struct udp_report *r)
{
	struct udp_sock *s = &udp->sock[index];
	struct rte_mbuf *m = pktq_pop(&s->reports);
	struct udp_report next = {0};

	if (m == NULL)
		return NULL;
	s->nb_reports--;
	memcpy(r, rte_pktmbuf_mtod(m, const void *), sizeof(*r));
	rte_pktmbuf_adj(m, sizeof(*r));
	if (s->reports.head != NULL)
		memcpy(&next, rte_pktmbuf_mtod(s->reports.head, const void *), sizeof(next));
	if (udp_is_icmp(&next))
		s->error = next.error;
	else if (udp_is_icmp(r))
		s->error = 0;
	return m;
}

void udp_drop_reports(struct udp_sock *s)
{
	pktq_free(&s->reports);
	s->nb_reports = 0;
}
