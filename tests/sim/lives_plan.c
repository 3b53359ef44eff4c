/* SPDX-License-Identifier: BSD-2-Clause */
#include "lives.h"

#include <inttypes.h>
#include <stdio.h>

#include <sys/socket.h>

#include <rte_common.h>

#include "draw.h"

/* Overview: what a seed draws. */

uint64_t rnd(struct life *l, uint64_t low, uint64_t high)
{
	return draw_from(&l->random, low, high);
}

bool chance(struct life *l, unsigned percent)
{
	return rnd(l, 0, 99) < percent;
}

uint64_t some(struct life *l, uint64_t low, uint64_t high)
{
	uint64_t top = low;

	for (uint64_t n = rnd(l, 0, 64u - (unsigned)__builtin_clzll(high / low)); n > 0; n--)
		top *= 2;
	return rnd(l, low, RTE_MIN(top, high));
}

static void plan_path(struct life *l)
{
	l->rtt = some(l, 20 * US, 400 * MS);
	l->kbps = some(l, 1000, 1000000);
	l->queue = some(l, 16, 400);
	if (chance(l, 30))
		l->loss = some(l, 500, 40000);
	if (chance(l, 10))
		l->ack_loss = some(l, 1000, 100000);
	if (chance(l, 20))
		l->reorder = some(l, 500, 100000);
	if (chance(l, 20))
		l->duplicate = some(l, 500, 100000);
	if (chance(l, 15))
		l->corrupt = some(l, 500, 20000);
	if (chance(l, 20))
		l->jitter = some(l, 10 * US, 30 * MS);
	l->mark = chance(l, 30);
	l->tiny = chance(l, 10);
	l->md5 = chance(l, 6);
	l->ao = !l->md5 && chance(l, 6);
	if (chance(l, 40))
		l->offloads |= PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_UDP_CKSUM;
	if (chance(l, 40))
		l->offloads |= PC_PORT_TX_MULTI_SEGS;
	if (chance(l, 20))
		l->offloads |= PC_PORT_TX_TSO | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_MULTI_SEGS;
	if (chance(l, 25))
		l->datagrams =
		    RTE_MAX(some(l, MS, 300 * MS), 40 * SECOND / l->kbps); /* a third of the rate */
}

static void plan_recovery(struct life *l, struct pc_stack_config *c)
{
	c->tcp_congestion = rnd(l, 0, 3);
	c->tcp_sack = chance(l, 75);
	c->tcp_rack = chance(l, 85);
	c->tcp_tlp = chance(l, 85);
	c->tcp_dsack = chance(l, 85);
	c->tcp_frto = chance(l, 85);
	c->tcp_ecn = c->tcp_congestion == 2 ? 1 : rnd(l, 0, 5);
	c->tcp_ecn_plus = chance(l, 25);
	c->tcp_pacing = chance(l, 10);
	c->tcp_mtu_probing = rnd(l, 1, 2);
	c->tcp_base_mss = chance(l, 70) ? 1024 : rnd(l, 536, 1400);
	c->tcp_initial_window = chance(l, 80) ? 10 : rnd(l, 1, 30);
	if (chance(l, 15))
		c->tcp_retries = rnd(l, 3, 8);
	if (chance(l, 15))
		c->tcp_orphan_retries = rnd(l, 1, 6);
	if (chance(l, 15))
		c->tcp_rto_max_ms = some(l, 1000, 60000);
}

static void plan_options(struct life *l, struct pc_stack_config *c)
{
	c->tcp_timestamps = chance(l, 70);
	c->tcp_window_scaling = chance(l, 80);
	c->tcp_nagle = chance(l, 80);
	c->tcp_minshall = chance(l, 70);
	c->tcp_gro = chance(l, 80);
	c->tcp_delack_ms = chance(l, 70) ? 40 : rnd(l, 0, 300);
	c->tcp_quick_acks = chance(l, 70) ? 16 : 0;
	c->tcp_stash_from = chance(l, 50) ? 0 : 1024;
	c->tcp_fastopen = chance(l, 50) ? 3 : chance(l, 50) ? 519 : 1;
	c->tcp_fastopen_key = chance(l, 50) ? 77 : 0;
	c->tcp_syn_cookies = chance(l, 80) ? 1 : rnd(l, 0, 2);
	c->tcp_abort_on_overflow = chance(l, 20);
	if (chance(l, 40)) {
		c->tcp_rcvbuf = some(l, 4096, 200000);
		c->tcp_rcvbuf_max = RTE_MAX(c->tcp_rcvbuf, some(l, 4096, 1000000));
	}
	if (chance(l, 40)) {
		c->tcp_sndbuf = some(l, 4096, 200000);
		c->tcp_sndbuf_max = RTE_MAX(c->tcp_sndbuf, some(l, 4096, 1000000));
	}
	if (chance(l, 30))
		c->tcp_msl_ms = some(l, 10, 30000);
	if (chance(l, 20))
		c->tcp_fin_wait2_ms = some(l, 1000, 60000);
}

static void plan_stack(struct life *l, struct host *h)
{
	struct pc_stack_config *c = &h->cfg;

	pc_stack_config_init(c);
	c->stack_seed = rnd(l, 1, 1u << 30);
	c->stack_max_connections = ENDS + 8;
	c->stack_max_listeners = c->stack_max_udp_sockets = 4;
	c->stack_rx_burst = chance(l, 70) ? 32 : rnd(l, 1, 64);
	c->arp_entries = c->tcp_destinations = 16;
	c->tcp_syn_cache = 16;
	c->tcp_time_wait = chance(l, 80) ? 128 : 16;
	c->ip6_dad = chance(l, 30);
	c->ip6_accept_ra = 0; /* routers are solicited for ever (RFC 7559) */
	if (chance(l, 50)) {
		c->arp_reachable_ms = some(l, 1000, 30000);
		c->arp_stale_ms = c->arp_reachable_ms + some(l, 1, 60000);
		c->arp_retry_ms = some(l, 100, 1000);
	}
	if (chance(l, 30)) {
		c->tcp_port_first = 40000;
		c->tcp_port_last = 40000 + rnd(l, 4, 40);
	}
	plan_recovery(l, c);
	plan_options(l, c);
	/* clocks begin anywhere, and so close to where some count of ticks wraps */
	h->ahead = chance(l, 50) ? rnd(l, 0, 1000) * SECOND
	                         : (UINT64_C(1) << rnd(l, 35, 52)) - rnd(l, 0, 20) * SECOND;
}

static void plan_buffers(struct life *l, struct end *e)
{
	e->write_max = (uint32_t)some(l, chance(l, 10) ? 1 : 100, 60000);
	e->read_max = (uint32_t)some(l, chance(l, 10) ? 50 : 500, 60000);
	if (chance(l, 30))
		e->write_pause = some(l, 10 * US, 2 * SECOND);
	if (chance(l, 30))
		e->read_pause = some(l, 10 * US, 2 * SECOND);
	if (e->write_max < 500)
		e->write_pause %= 20 * MS;
	if (e->read_max < 2000)
		e->read_pause %= 20 * MS;
}

/* e->host, family and passive are known; for one that is passive, this is called when it begins */
void plan_end(struct life *l, struct end *e)
{
	const uint64_t begin = l->now;

	e->total = chance(l, 5) ? 0 : 4 + some(l, 1, chance(l, 20) ? 1000000 : 60000);
	e->credit = chance(l, 50) ? NEVER / 2 : some(l, 4, 20000);
	e->echo = chance(l, 20);
	plan_buffers(l, e);
	if (e->total > 100000 && e->write_max < 4000)
		e->write_max += 4000;
	e->ending = (enum ending)(chance(l, 60) ? POLITE : rnd(l, 0, ENDINGS - 1));
	e->reads_till = chance(l, 92) ? NEVER : some(l, 1, 60000);
	e->abort_at = chance(l, 95) ? NEVER : begin + some(l, MS, 60 * SECOND);
	e->quit_at = chance(l, 92) ? NEVER : begin + some(l, MS, 60 * SECOND);
	e->resize_at = chance(l, 80) ? NEVER : begin + some(l, MS, 30 * SECOND);
	e->patience = some(l, 20 * SECOND, 1800 * SECOND);
	if (chance(l, 20))
		e->user_timeout = some(l, 3 * SECOND, 120 * SECOND) / MS * MS;
	if (chance(l, 25))
		e->keepalive = rnd(l, 1, 20) * SECOND;
	e->fastopen = !e->passive && chance(l, 30);
}

static void plan_ends(struct life *l)
{
	const uint64_t span = some(l, MS, 60 * SECOND);

	l->nb_planned = (unsigned)some(l, 1, chance(l, 10) ? 40 : 6);
	for (unsigned i = 0; i < l->nb_planned; i++) {
		struct end *e = &l->end[i];

		e->id = i + 1;
		e->host = (int)rnd(l, 0, 1);
		e->family = chance(l, 50) ? AF_INET : AF_INET6;
		e->bound = chance(l, 30) ? (uint16_t)rnd(l, 5000, 5003) : 0;
		e->start_at = l->now + rnd(l, 0, span);
		e->cross = chance(l, 8) && i + 1 < l->nb_planned;
		if (e->cross) {
			struct end *other = &l->end[++i];

			e->bound = (uint16_t)(6000 + i);
			*other = *e;
			other->id = i + 1;
			other->host = !e->host;
			other->start_at += chance(l, 50) ? 0 : rnd(l, 0, l->rtt);
		}
	}
	l->nb_ends = l->nb_planned;
}

static void plan_troubles(struct life *l)
{
	const uint64_t span = some(l, SECOND, 60 * SECOND);

	l->nb_troubles = chance(l, 25) ? 0 : (unsigned)some(l, 1, TROUBLES);
	for (unsigned i = 0; i < l->nb_troubles; i++) {
		struct trouble *t = &l->trouble[i];

		t->kind = (enum trouble_kind)rnd(l, 0, TROUBLE_KINDS - 1);
		t->host = (int)rnd(l, 0, 1);
		t->way = (int)rnd(l, 0, 2);
		t->at = l->now + some(l, MS, span);
		t->lasts = some(l, 10 * MS, chance(l, 15) ? 300 * SECOND : 20 * SECOND);
		t->value = rnd(l, 0, 1u << 20);
	}
}

void plan_life(struct life *l)
{
	for (int i = 0; i < 4; i++)
		rnd(l, 0, 1);
	plan_path(l);
	for (int h = 0; h < HOSTS; h++)
		plan_stack(l, &l->host[h]);
	plan_ends(l);
	plan_troubles(l);
}

static void print_stack(const struct host *h)
{
	struct pc_stack_config usual;
	size_t n;
	const struct pc_config_key *keys = pc_stack_config_keys(&n);

	pc_stack_config_init(&usual);
	printf("  ahead %" PRIu64 " s, %u boots, %" PRIu64 " frames;", h->ahead / SECOND, h->boots,
	       h->frames);
	for (size_t i = 0; i < n; i++) {
		const uint64_t v = *(const uint64_t *)((const char *)&h->cfg + keys[i].offset);

		if (v != *(const uint64_t *)((const char *)&usual + keys[i].offset))
			printf(" %s.%s %" PRIu64, keys[i].section, keys[i].name, v);
	}
	for (unsigned i = 0; h->st != NULL && i < PC_COUNTER_MAX; i++)
		if (pc_stack_counters(h->st)->value[i] != 0)
			printf(" %s=%" PRIu64, pc_counter_name(i),
			       pc_stack_counters(h->st)->value[i]);
	printf("\n");
}

static void print_end(const struct end *e)
{
	static const char *const endings[] = {"polite", "last", "eager"};

	printf("  end %u: host %d IPv%d port %u%s%s%s at %" PRIu64 " ms: %s %s%" PRIu64
	       " of %" PRIu64 " sent, %" PRIu64 " read, of end %u;",
	       e->id, e->host, e->family == AF_INET ? 4 : 6, e->port, e->passive ? " accepted" : "",
	       e->cross ? " cross" : "", e->fastopen ? " fastopen" : "", e->started_at / MS,
	       endings[e->ending], e->echo ? "echo " : "", e->sent, e->total, e->rcvd,
	       e->peer ? e->peer->id : 0);
	printf(" credit %" PRIu64 " write %u/%" PRIu64 " us read %u/%" PRIu64 " us till %" PRId64
	       " abort %" PRId64 " quit %" PRId64 " resize %" PRId64 " patience %" PRIu64
	       " timeout %" PRIu64 " alive %" PRIu64 ";",
	       e->credit > NEVER / 4 ? 0 : e->credit, e->write_max, e->write_pause / US,
	       e->read_max, e->read_pause / US, (int64_t)e->reads_till,
	       e->abort_at == NEVER ? -1 : (int64_t)(e->abort_at / MS),
	       e->quit_at == NEVER ? -1 : (int64_t)(e->quit_at / MS),
	       e->resize_at == NEVER ? -1 : (int64_t)(e->resize_at / MS), e->patience / MS,
	       e->user_timeout / MS, e->keepalive / MS);
	printf("%s%s%s%s%s%s%s error %d moved at %" PRIu64 " ms\n",
	       e->started ? "" : " not started", e->shut ? " shut" : "", e->ended ? " ended" : "",
	       e->closed ? " closed" : "", e->dead ? " dead" : "", e->aborted ? " aborted" : "",
	       e->unread ? " unread" : "", e->error, e->moved_at / MS);
}

void plan_print(const struct life *l)
{
	static const char *const kinds[] = {"blackout",  "freeze",  "reboot", "jump",
	                                    "hunger",    "weather", "narrow", "address",
	                                    "neighbour", "link",    "limit",  "deaf"};

	printf("seed %" PRIu64 " at %" PRIu64 " ms: %s\n", l->seed, l->now / MS,
	       l->wrong[0] != '\0' ? l->wrong : "good");
	printf("  rtt %" PRIu64 " us, %" PRIu64 " kbit/s, queue %" PRIu64 ", jitter %" PRIu64
	       " us, ppm: loss %" PRIu64 " acks %" PRIu64 " reorder %" PRIu64 " dup %" PRIu64
	       " corrupt %" PRIu64 "%s%s%s%s offloads %x datagrams %" PRIu64 " us (%" PRIu64
	       " of %" PRIu64 "), bad %" PRIu64 " ms, %" PRIu64 " calls %" PRIu64 " bytes %" PRIu64
	       " frames\n",
	       l->rtt / US, l->kbps, l->queue, l->jitter / US, l->loss, l->ack_loss, l->reorder,
	       l->duplicate, l->corrupt, l->mark ? " marks" : "", l->tiny ? " tiny" : "",
	       l->md5 ? " md5" : "", l->ao ? " ao" : "", l->offloads, l->datagrams / US, l->heard,
	       l->told, l->bad_ns / MS, l->calls, l->bytes, net_frames(l));
	for (int h = 0; h < HOSTS; h++)
		print_stack(&l->host[h]);
	for (unsigned i = 0; i < l->nb_ends; i++)
		print_end(&l->end[i]);
	for (unsigned i = 0; i < l->nb_troubles; i++) {
		const struct trouble *t = &l->trouble[i];

		printf("  %s of host %d way %d at %" PRIu64 " ms for %" PRIu64 " ms value %" PRIu64
		       "\n",
		       kinds[t->kind], t->host, t->way, t->at / MS, t->lasts / MS, t->value);
	}
}
