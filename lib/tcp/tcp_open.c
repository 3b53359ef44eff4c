/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets before they are connections: socket, bind, listen, accept, connect. */

#include <errno.h>
#include <sys/socket.h>

#include "base/toeplitz.h"
#include "tcp/auth.h"
#include "tcp/fastopen.h"
#include "tcp/gtsm.h"
#include "tcp/guard.h"
#include "tcp/rtt.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_segment.h"
#include "tcp/tcp_timer.h"

struct tcb *tcp_socket(struct tcp *tcp)
{
	struct tcb *t = tcb_alloc(tcp);

	if (t != NULL)
		t->flags |= TCB_OPEN;
	return t;
}

/* Ephemeral ports, beginning with a random one. */
struct ports {
	uint16_t first, last, next;
	uint32_t left;
};

static struct ports ports_of(struct tcp *tcp, const struct tcb *t)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;
	struct ports p = {.first = (uint16_t)cfg->tcp_port_first,
	                  .last = (uint16_t)cfg->tcp_port_last};

	kept_ports(&tcp_tuning(tcp, t)->kept, &p.first, &p.last);
	p.left = (uint32_t)(p.last - p.first + 1);
	p.next = (uint16_t)(p.first + rng_below(&tcp->ctx->rng, p.left));
	return p;
}

/* Returns the next port, or 0: there are no more. */
static uint16_t next_port(struct ports *p)
{
	const uint16_t port = p->next;

	if (p->left == 0)
		return 0;
	p->left--;
	p->next = (uint16_t)(port == p->last ? p->first : port + 1u);
	return port;
}

/* Returns a port that no socket is bound to and no connection uses, not even with SO_REUSEADDR;
 * failing that, one that connections use on other addresses; or 0. */
static uint16_t free_bind_port(struct tcp *tcp, const struct tcb *t, uint16_t laddr)
{
	const uint32_t families = t->flags & (TCB_IP6 | TCB_V6ONLY);
	struct ports ports = ports_of(tcp, t), again = ports;
	uint64_t taken[LPORTS_WORDS];
	uint16_t port;

	while ((port = next_port(&ports)) != 0)
		if (lports_is_free(&tcp->lports, port) &&
		    !bindings_conflict(tcp, laddr, port, families, 0))
			return port;
	lports_taken(tcp, laddr, families, taken);
	while ((port = next_port(&again)) != 0)
		if (!(taken[port / 64] >> port % 64 & 1) &&
		    !bindings_conflict(tcp, laddr, port, families, 0))
			return port;
	return 0;
}

/* Is a name taken so that a socket with these flags may not have it? except: its own binding. */
static bool is_taken(const struct tcp *tcp, uint16_t laddr, uint16_t port, uint32_t flags,
                     uint32_t except)
{
	return bindings_conflict(tcp, laddr, port, flags, except) ||
	       lports_conflict(tcp, laddr, port, flags);
}

/* Binds a socket to a name; port 0: to a free port. */
static int take_name(struct tcp *tcp, struct tcb *t, uint16_t laddr, uint16_t port)
{
	const bool fixed = port != 0;
	uint32_t binding;

	if (!fixed)
		port = free_bind_port(tcp, t, laddr);
	if (port == 0 || is_taken(tcp, laddr, port, t->flags, 0))
		return -EADDRINUSE;
	if (t->flags & TCB_BOUND)
		bindings_del(&tcp->bind, t->binding);
	t->flags &= ~(uint32_t)TCB_BOUND;
	binding =
	    bindings_add(&tcp->bind, tcp_index(tcp, t), laddr, port, bindings_families(t->flags));
	if (binding == 0)
		return -ENOBUFS;
	tcp->bind.binding[binding].fixed = fixed;
	t->binding = (uint16_t)binding;
	t->flags |= TCB_BOUND;
	t->flow.laddr = laddr;
	t->flow.lport = port;
	return 0;
}

/* IP_BIND_ADDRESS_NO_PORT */
static bool has_no_port(const struct tcp *tcp, const struct tcb *t)
{
	return (tcp_tuning(tcp, t)->kept.truths & KEPT_NO_PORT) != 0;
}

static bool is_bound(const struct tcp *tcp, const struct tcb *t)
{
	return (t->flags & TCB_BOUND) && !tcp->bind.binding[t->binding].lapsed;
}

/* The address that a socket was bound to by bind(). */
static uint16_t bound_laddr(const struct tcp *tcp, const struct tcb *t)
{
	if (t->flags & TCB_BOUND)
		return tcp->bind.binding[t->binding].laddr;
	return tcp_tuning(tcp, t)->bound != 0 ? (uint16_t)(tcp_tuning(tcp, t)->bound - 1)
	                                      : LADDR_NONE;
}

/* Sets the address without a port, which connect() chooses depending on the peer. */
static int take_address(struct tcp *tcp, struct tcb *t, uint16_t laddr)
{
	struct tcp_tuning want = *tcp_tuning(tcp, t);
	int err;

	want.bound = laddr == LADDR_NONE ? 0 : (uint16_t)(laddr + 1);
	err = tcp_tune(tcp, t, &want);
	if (err == 0)
		t->flow.laddr = laddr;
	return err;
}

int tcp_bind(struct tcp *tcp, struct tcb *t, const struct pc_endpoint *local)
{
	const bool has_name = t->state != TCP_S_CLOSED || is_bound(tcp, t);
	uint16_t laddr = LADDR_NONE;

	if (has_name && (t->flags & TCB_IP6)) /* as on Linux, for IPv4 the address counts first */
		return -EINVAL;
	if (!pc_addr_is_any(&local->addr)) {
		laddr = netifs_find(&tcp->ip->ifs, &local->addr);
		if (laddr == LADDR_NONE || !netifs_is_usable(&tcp->ip->ifs, laddr))
			return -EADDRNOTAVAIL;
	}
	if (has_name)
		return -EINVAL;
	if (local->port == 0 && has_no_port(tcp, t))
		return take_address(tcp, t, laddr);
	return take_name(tcp, t, laddr, local->port);
}

void tcp_set_reuse(struct tcp *tcp, struct tcb *t, bool on)
{
	const bool counts = t->flags & TCB_IN_TABLE;

	if (counts)
		lports_del(&tcp->lports, t->flow.lport, t->flags);
	t->flags = on ? t->flags | TCB_REUSEADDR : t->flags & ~(uint32_t)TCB_REUSEADDR;
	if (counts)
		lports_add(&tcp->lports, t->flow.lport, t->flags);
}

void tcp_forget_attempt(const struct tcp *tcp, struct tcb *t)
{
	if (t->flow.lport == 0)
		return;
	tcp_dissolve(tcp, t);
	if (!is_bound(tcp, t))
		t->flow.lport = 0;
}

void tcp_dissolve(const struct tcp *tcp, struct tcb *t)
{
	t->flow.laddr = bound_laddr(tcp, t);
}

int tcp_listen(struct tcp *tcp, struct tcb *t, int backlog)
{
	/* as on Linux, a negative backlog means the maximum */
	const uint32_t most =
	    (uint32_t)RTE_MIN((uint64_t)(uint32_t)backlog, (uint64_t)tcp->ctx->cfg.tcp_backlog);
	struct binding *l;
	int err;

	if (t->state == TCP_S_LISTEN) {
		tcp->bind.binding[t->binding].backlog = most;
		return 0;
	}
	if (t->state != TCP_S_CLOSED || (t->flags & TCB_CONNECTED))
		return -EINVAL;
	if (tcp->bind.listeners >= tcp->ctx->cfg.stack_max_listeners)
		return -ENOBUFS;
	if (!is_bound(tcp, t) && (err = take_name(tcp, t, bound_laddr(tcp, t), 0)) != 0)
		return err;
	l = &tcp->bind.binding[t->binding];
	l->listening = true;
	/* with SO_REUSEADDR two sockets may share a name, but only one of them may listen */
	if (is_taken(tcp, l->laddr, l->port, t->flags, t->binding)) {
		l->listening = false;
		return -EADDRINUSE;
	}
	tcp->bind.listeners++;
	l->backlog = most;
	t->state = TCP_S_LISTEN;
	return 0;
}

struct tcb *tcp_accept(struct tcp *tcp, struct tcb *listener)
{
	struct tcb *t = listener_pop(tcp, listener->binding);

	if (t != NULL) {
		t->flags |= TCB_OPEN;
		/* RFC 7413: in SYN-RECEIVED it still counts for the listener */
		if (t->state != TCP_S_SYN_RECEIVED)
			t->binding = 0;
	}
	return t;
}

/* RFC 6056 section 3.3.1; on a device with several queues, a port whose answers arrive on ours */
static int choose_port(struct tcp *tcp, struct tcb *t)
{
	const struct pc_port_info *info = &ip_port(tcp->ip, t->netif)->info;
	struct pc_endpoint here = {.addr = *ip_laddr(tcp->ip, t->flow.laddr)};
	struct pc_endpoint there = {.addr = t->flow.raddr, .port = t->flow.rport};
	struct ports ports = ports_of(tcp, t);
	uint16_t port;

	while ((port = next_port(&ports)) != 0) {
		here.port = t->flow.lport = port;
		if (toeplitz_queue(&info->rss, &there, &here) != info->queue)
			continue;
		if (bindings_conflict(tcp, t->flow.laddr, port, 0, 0))
			continue;
		if (tcp_table_find(&tcp->table, tcp_table_hash(&tcp->table, &t->flow), &t->flow) ==
		    0)
			return 0;
	}
	t->flow.lport = 0;
	return -EADDRNOTAVAIL;
}

/* Chooses a port if there is none; otherwise the flow must be free, or that of an entry in
 * TIME-WAIT that may be replaced: *tw, 0: none. */
static int find_flow(struct tcp *tcp, struct tcb *t, uint32_t *tw)
{
	flow_ref ref;

	*tw = 0;
	if (t->flow.lport == 0)
		return choose_port(tcp, t);
	ref = tcp_table_find(&tcp->table, tcp_table_hash(&tcp->table, &t->flow), &t->flow);
	if (ref == 0)
		return 0;
	*tw = flow_ref_index(ref);
	return flow_ref_kind(ref) == FLOW_TW && timewait_may_give_up(tcp, *tw) ? 0 : -EADDRNOTAVAIL;
}

/* Claims the flow if the firewall allows it. *tw: the entry in TIME-WAIT to replace, 0: none. */
static int claim(struct tcp *tcp, struct tcb *t, uint32_t *tw)
{
	const uint16_t lport = t->flow.lport;
	int err = find_flow(tcp, t, tw);

	if (fw_is_on(&tcp->ip->fw) && err == 0) {
		err = tcp_guard_connect(tcp, t);
		t->flow.lport = err == 0 ? t->flow.lport : lport;
	}
	return err;
}

/* an active open except for sending the SYN */
static int begin_connection(struct tcp *tcp, struct tcb *t, const struct pc_endpoint *remote)
{
	const uint16_t laddr = t->flow.laddr;
	uint64_t secret;
	uint32_t tw = 0;
	int err, way;

	if (remote->port == 0)
		return -ECONNREFUSED;
	if (pc_addr_is_multicast(&remote->addr)) /* RFC 9293 MUST-46 */
		return -ENETUNREACH;
	if (!(bindings_families(t->flags) & binding_family(&remote->addr)))
		return -ENETUNREACH;
	way = tcb_set_path(tcp, t, &remote->addr, t->flow.laddr,
	                   (uint32_t)t->flow.lport << 16 | remote->port);
	if (way < 0)
		return way;
	t->flow.raddr = remote->addr;
	t->flow.rport = remote->port;
	err = netifs_is_broadcast(&tcp->ip->ifs, t->netif, &remote->addr)
	          ? -ENETUNREACH
	          : auth_may_connect(tcp, t);
	if (err == 0)
		err = claim(tcp, t, &tw);
	if (err != 0) {
		t->flow.laddr = laddr; /* the next peer may need another */
		t->flow.raddr = (struct pc_addr){0};
		t->flow.rport = 0;
		t->path_mtu = 0;
		return err;
	}
	auth_connect(tcp, t);
	if (way > 0) /* now that both ends are known */
		(void)tcb_set_path(tcp, t, &remote->addr, t->flow.laddr, tcp_flow_ports(&t->flow));
	secret = tcp_secret(tcp, &t->flow);
	t->ts_offset = (uint32_t)(secret >> 32);
	t->snd_una = tcp_isn(tcp, secret);
	if (tw != 0)
		t->snd_una = timewait_replace(tcp, tw, t->snd_una);
	t->snd_nxt = t->snd_una + 1;
	t->snd_wl1 = 0;
	t->rcv_wscale = tcp->ctx->cfg.tcp_window_scaling ? tcb_rcv_scale(tcp, t) & 0xfu : 0u;
	t->rttvar_us = 0;
	t->retries = 0;
	t->syn_lost = 0;
	t->opt = 0;
	t->error = 0;
	t->state = TCP_S_SYN_SENT;
	t->flags |= TCB_CONNECTING;
	t->flags &= ~(uint32_t)(TCB_RD_SHUT | TCB_WR_SHUT | TCB_FIN_SENT | TCB_FIN_RCVD);
	tcb_enter(tcp, t);
	return 0;
}

int tcp_connect(struct tcp *tcp, struct tcb *t, const struct pc_endpoint *remote)
{
	int err = begin_connection(tcp, t, remote);

	if (err != 0)
		return err;
	if (unlikely(tcp_tuning(tcp, t)->fastopen_connect)) {
		if (fastopen_defer(tcp, t)) {
			t->flags &= ~(uint32_t)TCB_CONNECTING;
			return 1;
		}
		fastopen_request(tcp, t);
		return 0;
	}
	tcp_send_syn(tcp, t, NULL);
	tcp_timer_set(tcp, t, TCB_T_LOSS, tcp_rto_ticks(tcp, t));
	return 0;
}

ssize_t tcp_send_fastopen(struct tcp *tcp, struct tcb *t, const struct pc_endpoint *remote,
                          const struct iovec *iov, int iovcnt)
{
	int err;

	if (!(tcp->ctx->cfg.tcp_fastopen & FASTOPEN_CLIENT))
		return -EOPNOTSUPP;
	err = begin_connection(tcp, t, remote);
	return err != 0 ? err : fastopen_send(tcp, t, iov, iovcnt);
}

static bool is_same_tuning(const struct tcp_tuning *a, const struct tcp_tuning *b)
{
	return a->keepidle_ms == b->keepidle_ms && a->keepintvl_ms == b->keepintvl_ms &&
	       a->keepcnt == b->keepcnt && a->user_timeout_ms == b->user_timeout_ms &&
	       a->maxseg == b->maxseg && a->syncnt == b->syncnt && a->defer == b->defer &&
	       a->window_clamp == b->window_clamp && a->fastopen == b->fastopen &&
	       a->fastopen_connect == b->fastopen_connect && a->notsent_lowat == b->notsent_lowat &&
	       a->max_pacing_rate == b->max_pacing_rate && a->broadcast == b->broadcast &&
	       a->rto_min_us == b->rto_min_us && a->rto_max_us == b->rto_max_us &&
	       a->delack_max_us == b->delack_max_us && a->bound == b->bound &&
	       kept_equal(&a->kept, &b->kept);
}

/* the set with these values, or a free one; set 0 is the default and never freed */
static int find_tuning(const struct tcp *tcp, const struct tcp_tuning *want)
{
	int unused = -1;

	for (int i = 0; i < TCP_TUNINGS; i++) {
		bool used = i == 0 || tcp->tuning[i].refs > 0;

		if (used && is_same_tuning(&tcp->tuning[i], want))
			return i;
		if (!used && unused < 0)
			unused = i;
	}
	return unused;
}

int tcp_tune(struct tcp *tcp, struct tcb *t, const struct tcp_tuning *want)
{
	int i = find_tuning(tcp, want);
	uint32_t refs;

	if (i < 0)
		return -ENOBUFS;
	refs = tcp->tuning[i].refs + 1;
	if (i != 0) {
		tcp->tuning[i] = *want;
		tcp->tuning[i].refs = refs;
	}
	if (t->tuning != 0)
		tcp->tuning[t->tuning].refs--;
	t->tuning = (uint8_t)i;
	gtsm_tune(tcp, t);
	t->rto_us = RTE_MIN(t->rto_us, rtt_max_us(tcp, t));
	return 0;
}
