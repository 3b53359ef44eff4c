/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP of one stack: creation, destruction, and its part of each turn.
 *
 * The work list holds, once each (TCB_WORK), the connections to which something happened in this
 * turn.  The flush sends for each of them what is due, data first, so that one segment carries both
 * data and acknowledgement; a connection that runs out of mbufs stays on the list.
 */
#include "tcp/tcp.h"

#include <rte_malloc.h>
#include <rte_mempool.h>

#include "base/seq.h"
#include "tcp/accecn.h"
#include "tcp/account.h"
#include "tcp/auth.h"
#include "tcp/cc.h"
#include "tcp/denied.h"
#include "tcp/fastopen.h"
#include "tcp/pressure.h"
#include "tcp/stash.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_plain.h"
#include "tcp/tcp_segment.h"
#include "tcp/tcp_timer.h"
#include "tcp/window.h"

/* bindings reserved at least for sockets that are bound but do not listen */
#define EXTRA_BINDINGS 4096
/* places in the timer wheel's line: enough for three million connections a second that begin to
 * wait for an acknowledgement */
#define LINE_MOST (UINT32_C(1) << 19)

static uint32_t nb_tcbs(const struct pc_stack_config *cfg)
{
	return (uint32_t)(cfg->stack_max_connections + cfg->stack_max_listeners);
}

/* queues in use hold at least one mbuf each, so there need not be more of them than mbufs */
static uint32_t nb_queues(const struct pc_stack_config *cfg)
{
	return (uint32_t)RTE_MIN((uint64_t)nb_tcbs(cfg), RTE_MAX(cfg->stack_mbufs, 1024u));
}

/* a place for each connection that may be in the wheel's line at the same time */
static uint32_t nb_places(const struct pc_stack_config *cfg)
{
	return rte_align32pow2(RTE_MIN(nb_tcbs(cfg), LINE_MOST));
}

/* one per connection that can send at once, if BBR is the default */
static uint32_t nb_slots(const struct pc_stack_config *cfg)
{
	if (cfg->tcp_bbr_flows != 0)
		return (uint32_t)cfg->tcp_bbr_flows;
	return cfg->tcp_congestion == CC_BBR ? nb_queues(cfg) : RTE_MIN(256u, nb_queues(cfg));
}

static uint64_t nb_flows(const struct pc_stack_config *cfg)
{
	return nb_tcbs(cfg) + cfg->tcp_syn_cache + cfg->tcp_time_wait;
}

static uint32_t nb_bindings(const struct pc_stack_config *cfg)
{
	uint64_t others = RTE_MAX(cfg->stack_max_connections, (uint64_t)EXTRA_BINDINGS);

	/* an index has 16 bits, as a port has */
	return (uint32_t)RTE_MIN(cfg->stack_max_listeners + others, (uint64_t)UINT16_MAX);
}

static bool counts_connections(const struct pc_stack_config *cfg)
{
	return cfg->tcp_source_connections != 0 || cfg->tcp_give_way_ms != 0;
}

uint64_t tcp_footprint(const struct pc_stack_config *cfg, struct pc_stack_footprint *fp)
{
	fp->connections = (uint64_t)(nb_tcbs(cfg) + 1) * sizeof(struct tcb) +
	                  accecn_footprint(cfg, nb_tcbs(cfg)) + accounts_footprint(nb_tcbs(cfg));
	fp->flow_table = tcp_table_footprint(nb_flows(cfg));
	fp->half_open = (cfg->tcp_syn_cache + 1) * sizeof(struct syn_entry);
	fp->time_wait = timewait_footprint(cfg->tcp_time_wait);
	return sizeof(struct tcp) + bindings_footprint(nb_bindings(cfg)) + lports_footprint() +
	       dests_footprint((uint32_t)cfg->tcp_destinations) +
	       (uint64_t)(nb_queues(cfg) + 1) * sizeof(struct tcp_queues) +
	       (uint64_t)nb_places(cfg) * sizeof(struct wheel_place) +
	       stash_footprint(nb_queues(cfg)) + auth_footprint((uint32_t)cfg->tcp_auth_keys) +
	       cc_slots_footprint(nb_slots(cfg)) +
	       sources_footprint(cfg->stack_max_connections, counts_connections(cfg)) +
	       sources_footprint(cfg->tcp_syn_cache, cfg->tcp_source_half_open != 0);
}

/* Three quarters of the least time-out: data acknowledged sooner needs no timer any more, and the
 * deadline of what a busy connection has sent meanwhile is far enough off for the line again. */
static int make_wheel(struct tcp *tcp, const struct pc_stack_config *cfg)
{
	const uint32_t n = nb_places(cfg);

	tcp->line = rte_malloc_socket("pc_line", n * sizeof(*tcp->line), RTE_CACHE_LINE_SIZE,
	                              cfg->socket_id);
	if (tcp->line == NULL)
		return -1;
	wheel_init(&tcp->wheel, &tcp->tcb[0].timer, sizeof(struct tcb), tcp->ctx->tick);
	wheel_set_line(&tcp->wheel, tcp->line, n,
	               RTE_MAX(1u, ticks_from_us((uint32_t)cfg->tcp_rto_min_ms * 750)));
	return 0;
}

static int make_tcbs(struct tcp *tcp, const struct pc_stack_config *cfg)
{
	tcp->nb_tcbs = nb_tcbs(cfg);
	tcp->nb_queues = nb_queues(cfg);
	tcp->tcb = rte_zmalloc_socket("pc_tcb", (size_t)(tcp->nb_tcbs + 1) * sizeof(*tcp->tcb),
	                              RTE_CACHE_LINE_SIZE, cfg->socket_id);
	tcp->queues =
	    rte_zmalloc_socket("pc_queues", (size_t)(tcp->nb_queues + 1) * sizeof(*tcp->queues),
	                       RTE_CACHE_LINE_SIZE, cfg->socket_id);
	if (tcp->tcb == NULL || tcp->queues == NULL ||
	    stash_init(&tcp->stash, tcp->nb_queues, cfg->socket_id) != 0)
		return -1;
	tcp->free_tcbs.n = tcp->nb_tcbs;
	tcp->free_queues.n = tcp->nb_queues;
	return make_wheel(tcp, cfg);
}

static int make_sources(struct tcp *tcp, const struct pc_stack_config *cfg)
{
	const uint64_t limit = cfg->tcp_source_half_open;
	const bool counts = counts_connections(cfg);

	if (!counts && limit == 0)
		return 0;
	if (sources_init(&tcp->connections, cfg->stack_max_connections, counts,
	                 cfg->tcp_source_connections, rng_key(&tcp->ctx->rng), cfg->socket_id) != 0)
		return -1;
	return sources_init(&tcp->half_open, cfg->tcp_syn_cache, limit != 0, limit,
	                    rng_key(&tcp->ctx->rng), cfg->socket_id);
}

static int make_tables(struct tcp *tcp, const struct pc_stack_config *cfg)
{
	struct pc_sip_key seed = rng_key(&tcp->ctx->rng);
	struct hash_key key = {{seed.k[0], seed.k[1]}};

	if (tcp_table_init(&tcp->table, nb_flows(cfg), key, cfg->socket_id) != 0 ||
	    syncache_init(&tcp->syn, (uint32_t)cfg->tcp_syn_cache, rng_key(&tcp->ctx->rng),
	                  cfg->socket_id) != 0 ||
	    timewait_init(&tcp->tw, (uint32_t)cfg->tcp_time_wait, cfg->socket_id) != 0 ||
	    bindings_init(&tcp->bind, nb_bindings(cfg), cfg->socket_id) != 0 ||
	    lports_init(&tcp->lports, cfg->socket_id) != 0 ||
	    dests_init(&tcp->dests, (uint32_t)cfg->tcp_destinations, rng_key(&tcp->ctx->rng),
	               cfg->socket_id) != 0 ||
	    cc_slots_init(&tcp->slots, nb_slots(cfg), cfg->socket_id) != 0 ||
	    auth_init(&tcp->auth, (uint32_t)cfg->tcp_auth_keys, cfg->socket_id) != 0 ||
	    accounts_init(&tcp->accounts, nb_tcbs(cfg), cfg->socket_id) != 0)
		return -1;
	tcp->known.key = (struct hash_key){{seed.k[1], seed.k[0]}};
	tcp_table_kind(&tcp->table, FLOW_TCB, tcp->tcb, sizeof(struct tcb));
	tcp_table_kind(&tcp->table, FLOW_SYN, tcp->syn.entry, sizeof(struct syn_entry));
	tcp_table_kind(&tcp->table, FLOW_TW, tcp->tw.entry, sizeof(struct tw_entry));
	return 0;
}

int tcp_configure(struct tcp *tcp)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;

	/* as with sysctls, the new values apply to every socket without its own */
	tcp->tuning[0] =
	    (struct tcp_tuning){.refs = 1,
	                        .keepidle_ms = (uint32_t)cfg->tcp_keepalive_idle_ms,
	                        .keepintvl_ms = (uint32_t)cfg->tcp_keepalive_interval_ms,
	                        .keepcnt = (uint32_t)cfg->tcp_keepalive_probes};
	return accecn_configure(tcp);
}

struct tcp *tcp_create(struct ctx *ctx, struct ip *ip, struct events *ev, uint32_t first_fd)
{
	const struct pc_stack_config *cfg = &ctx->cfg;
	struct tcp *tcp =
	    rte_zmalloc_socket("pc_tcp", sizeof(*tcp), RTE_CACHE_LINE_SIZE, cfg->socket_id);

	if (tcp == NULL)
		return NULL;
	tcp->ctx = ctx;
	tcp->ip = ip;
	tcp->ev = ev;
	tcp->first_fd = first_fd;
	tcp->isn_key = rng_key(&ctx->rng);
	fastopen_init(tcp);
	if (make_tcbs(tcp, cfg) != 0 || make_tables(tcp, cfg) != 0 || make_sources(tcp, cfg) != 0 ||
	    tcp_configure(tcp) != 0) {
		tcp_destroy(tcp);
		return NULL;
	}
	return tcp;
}

void tcp_free_mbufs(struct tcp *tcp)
{
	for (uint32_t i = 1; i <= tcp->free_tcbs.touched; i++) {
		struct tcp_queues *q = tcp_queues_if(tcp, &tcp->tcb[i]);
		struct pktq early;

		if (q == NULL)
			continue;
		early = (struct pktq){.head = q->ooo, .tail = q->ooo};
		pktq_free(&q->snd);
		pktq_free(&q->rcv);
		pktq_free(&early);
	}
}

void tcp_destroy(struct tcp *tcp)
{
	if (tcp == NULL)
		return;
	tcp_free_mbufs(tcp);
	sources_fini(&tcp->connections);
	sources_fini(&tcp->half_open);
	dests_fini(&tcp->dests);
	cc_slots_fini(&tcp->slots);
	accounts_fini(&tcp->accounts);
	bindings_fini(&tcp->bind);
	lports_fini(&tcp->lports);
	timewait_fini(&tcp->tw);
	syncache_fini(&tcp->syn);
	tcp_table_fini(&tcp->table);
	stash_fini(&tcp->stash);
	auth_fini(&tcp->auth);
	rte_free(tcp->queues);
	accecn_fini(tcp);
	rte_free(tcp->line);
	rte_free(tcp->tcb);
	rte_free(tcp);
}

static bool send_ack_if_due(struct tcp *tcp, struct tcb *t)
{
	if ((t->flags & TCB_WINDOW_UPDATE) && tcp_has_window_update(tcp, t))
		t->flags |= TCB_ACK_NOW;
	t->flags &= ~(uint32_t)TCB_WINDOW_UPDATE;
	if (!(t->flags & (TCB_ACK_NOW | TCB_ACK_LATER)))
		return true;
	if ((t->flags & (TCB_ACK_NOW | TCB_QUICKACK)) || tcp->ctx->cfg.tcp_delack_ms == 0)
		return tcp_send_ack(tcp, t);
	if (t->quick > 0) {
		t->quick = (t->quick - 1) & 0x7f;
		return tcp_send_ack(tcp, t);
	}
	if (!(t->timers & TCB_T_ACK))
		tcp_timer_set(tcp, t, TCB_T_ACK, ticks_from_us(tcp_delack_us(tcp, t)));
	return true;
}

/* one connection's part of the flush; returns whether nothing is left to do */
static bool flush_one(struct tcp *tcp, struct tcb *t)
{
	bool done;

	if (likely(tcp_plain_output(tcp, t)))
		return true;
	/* a refused send waits for the mbuf that opening the stash takes */
	if (unlikely(tcb_is_stashed(t)) && (t->flags & TCB_STARVED) && !stash_open_for_more(tcp, t))
		return false;
	done = tcp_output(tcp, t);
	/* A listener or a connection in SYN-SENT has no peer to advertise a window to. Even where
	 * data waits for mbufs there may be one for an acknowledgement, as some are reserved. */
	if ((done || !tcp_port_is_busy(tcp, t)) && t->state != TCP_S_CLOSED &&
	    (t->flags & TCB_CONNECTED || t->state == TCP_S_SYN_RECEIVED))
		done = send_ack_if_due(tcp, t) && done;
	/* with TCP_NOTSENT_LOWAT, sending makes room, too, not only acknowledgements */
	if (unlikely((t->flags & (TCB_NOSPACE | TCB_CONNECTED)) == (TCB_NOSPACE | TCB_CONNECTED)) &&
	    tcp_notsent_lowat(tcp, t) != 0 && tcp_tell_space(tcp, t))
		tcp->told = true;
	if (t->flags & TCB_STARVED) {
		if ((tcp->ctx->mbufs_low && !tcp_may_send_one(tcp, t)) ||
		    (tcp_snd_limit(tcp, t) == 0 && t->snd_max != 0))
			return false;
		t->flags &= ~(uint32_t)(TCB_STARVED | TCB_NOSPACE);
		tcb_notify(tcp, t, EPOLLOUT | EPOLLWRNORM);
		tcp->told = true;
	}
	tcb_detach_queues(tcp, t);
	return done;
}

/* Connections with a busy port that a turn visits at most: each costs cache misses for nothing. */
#define BUSY_MOST 8

/* puts the rest of the work list, from first to last, in front of what was added since */
static void put_back(struct tcp *tcp, uint32_t first, uint32_t last)
{
	if (first == 0)
		return;
	tcp_tcb(tcp, last)->link = tcp->work_head;
	if (tcp->work_head == 0)
		tcp->work_tail = last;
	tcp->work_head = first;
}

void tcp_flush(struct tcp *tcp)
{
	const uint32_t last = tcp->work_tail;
	uint32_t i = tcp->work_head;
	unsigned busy = 0;

	tcp->work_head = tcp->work_tail = 0;
	tcp->told = false;
	while (i != 0 && busy < BUSY_MOST) {
		struct tcb *t = tcp_tcb(tcp, i);

		i = t->link;
		t->flags &= ~(uint32_t)TCB_WORK;
		if (t->state == TCP_S_FREE) {
			t->link = freelist_give(&tcp->free_tcbs, tcp_index(tcp, t));
		} else if (unlikely(tcp_port_is_busy(tcp, t))) {
			busy++;
			tcp_work(tcp, t);
		} else if (!flush_one(tcp, t)) {
			tcp_work(tcp, t);
		}
	}
	put_back(tcp, i, last);
}

void tcp_poll(struct tcp *tcp)
{
	const uint32_t now = tcp->ctx->tick;
	uint32_t index;

	if (!wheel_is_still(&tcp->wheel, now))
		while ((index = wheel_pop(&tcp->wheel, now)) != WHEEL_NONE)
			tcp_timer_fire(tcp, index);
	if (!syncache_is_still(&tcp->syn, now))
		syncache_poll(tcp);
	if (tcp->tw.head != 0)
		timewait_poll(tcp);
	pressure_relieve(tcp);
	if (fw_wants_flush(&tcp->ip->fw))
		denied_begin_flush(tcp);
	if (unlikely(tcp->denied_left > 0))
		denied_sweep(tcp);
}

static void earliest(bool *any, uint32_t *tick, bool has, uint32_t at)
{
	if (has && (!*any || seq_lt(at, *tick))) {
		*tick = at;
		*any = true;
	}
}

bool tcp_next(const struct tcp *tcp, uint32_t *tick)
{
	uint32_t at = 0;
	bool any = tcp->work_head != 0 || tcp->told || tcp->denied_left > 0, has;

	*tick = tcp->ctx->tick;
	has = wheel_next(&tcp->wheel, &at);
	earliest(&any, tick, has, at);
	has = syncache_next(&tcp->syn, &at);
	earliest(&any, tick, has, at);
	has = timewait_next(&tcp->tw, &at);
	earliest(&any, tick, has, at);
	has = pressure_next(tcp, &at);
	earliest(&any, tick, has, at);
	earliest(&any, tick, tcp->room.left > 0, tcp->ctx->tick + 1);
	if (fw_wants_flush(&tcp->ip->fw))
		earliest(&any, tick, true, tcp->ctx->tick + denied_wait_ticks(tcp));
	return any;
}
