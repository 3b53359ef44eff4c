/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

/* Overview: the random choices. Most runs are small, so that there can be many; some are large,
 * some have an attacker, and in some things happen to machines. With these settings, connections
 * end only by agreement: nothing may give up because of the network. */

#define MS 1000000ull

static void plan_patience(struct sim *s, struct pc_stack_config *cfg)
{
	/* TIME-WAIT must outlast the retransmissions of a FIN whose acknowledgement is lost */
	cfg->tcp_msl_ms = sim_rnd(s, 60000, 240000);
	cfg->tcp_syn_retries = cfg->tcp_synack_retries = 20;
	cfg->tcp_retries = cfg->tcp_orphan_retries = 40;
	cfg->tcp_rto_max_ms = sim_rnd(s, 4000, 20000);
	/* they detect the other end of an aborted connection whose RST was lost */
	cfg->tcp_keepalive = 1;
	cfg->tcp_keepalive_idle_ms = 20000;
	cfg->tcp_keepalive_interval_ms = 2000;
	cfg->tcp_keepalive_probes = 100;
	cfg->tcp_fin_wait2_ms = 3600000;
}

static void plan_stack(struct sim *s, struct pc_stack_config *cfg)
{
	pc_stack_config_init(cfg);
	cfg->stack_seed = sim_rnd(s, 1, UINT32_MAX);
	cfg->stack_max_connections = 2 * SIM_CONNS + 8;
	cfg->stack_max_listeners = 2;
	cfg->stack_max_udp_sockets = 2;
	cfg->arp_entries = 16;
	cfg->tcp_syn_cache = 64;
	cfg->tcp_syn_cookies = sim_chance(s, 10) ? 2 : sim_rnd(s, 0, 1);
	cfg->tcp_time_wait = 64;
	cfg->tcp_timestamps = sim_chance(s, 70);
	cfg->tcp_window_scaling = sim_chance(s, 70);
	cfg->tcp_sack = sim_chance(s, 70);
	cfg->tcp_rack = sim_chance(s, 80);
	cfg->tcp_tlp = sim_chance(s, 80);
	cfg->tcp_nagle = sim_chance(s, 70);
	cfg->tcp_minshall = cfg->stack_seed % 2;
	cfg->tcp_stash_from = cfg->stack_seed / 2 % 2 ? 0 : UINT32_MAX;
	cfg->tcp_rcvbuf = sim_chance(s, 30) ? sim_rnd(s, 4096, 20000) : sim_rnd(s, 20000, 524288);
	cfg->tcp_sndbuf = sim_chance(s, 30) ? sim_rnd(s, 4096, 20000) : sim_rnd(s, 20000, 524288);
	cfg->tcp_delack_ms = s->clean || sim_chance(s, 70) ? 40 : sim_rnd(s, 0, 499);
	if (sim_chance(s, 20)) { /* ports are reused soon */
		cfg->tcp_port_first = 40000;
		cfg->tcp_port_last = 40000 + 4 * SIM_CONNS;
	}
	cfg->stack_rx_burst = sim_rnd(s, 1, 64);
	cfg->tcp_congestion = sim_rnd(s, 0, 3);
	cfg->tcp_pacing = sim_chance(s, 20);
	cfg->tcp_bbr_flows = sim_chance(s, 20) ? sim_rnd(s, 1, 3) : 0;
	cfg->tcp_hystart = sim_chance(s, 70);
	cfg->tcp_ecn = sim_rnd(s, 0, 5);
	cfg->tcp_ecn_plus = sim_chance(s, 50);
	/* if ports are reused, a SYN with data may be taken for the next connection's (RFC 7413
	 * section 6.1) */
	if (cfg->tcp_port_first != 40000 && sim_chance(s, 40))
		cfg->tcp_fastopen = 3;
	plan_patience(s, cfg);
}

static void plan_losses(struct sim *s, struct pc_fault_config *f)
{
	if (sim_chance(s, 60))
		f->rx_loss_ppm = (uint32_t)sim_rnd(s, 0, sim_chance(s, 30) ? 200000 : 30000);
	if (sim_chance(s, 10))
		f->tx_loss_ppm = (uint32_t)sim_rnd(s, 0, 30000);
	if (sim_chance(s, 30)) {
		f->burst_ppm = (uint32_t)sim_rnd(s, 1000, 30000);
		f->burst_end_ppm = (uint32_t)sim_rnd(s, 50000, 500000);
		f->burst_loss_ppm = (uint32_t)sim_rnd(s, 500000, 1000000);
	}
	if (sim_chance(s, 20))
		f->ack_loss_ppm = (uint32_t)sim_rnd(s, 0, 500000);
}

static void plan_faults(struct sim *s, struct pc_fault_config *f)
{
	plan_losses(s, f);
	if (sim_chance(s, 40))
		f->duplicate_ppm = (uint32_t)sim_rnd(s, 0, 100000);
	if (sim_chance(s, 40))
		f->reorder_ppm = (uint32_t)sim_rnd(s, 0, 200000);
	if (sim_chance(s, 30))
		f->corrupt_ppm = (uint32_t)sim_rnd(s, 0, 50000);
	if (sim_chance(s, 20)) {
		f->mtu = (uint16_t)sim_rnd(s, 576, 1499);
		f->mtu_icmp = sim_chance(s, 60); /* otherwise a black hole (RFC 4821) */
	}
	f->reorder_delay_ns = sim_rnd(s, 100000, 20 * MS);
	f->queue = (uint32_t)sim_rnd(s, 64, 1024);
}

static void plan_net(struct sim *s, struct pc_fault_config *f)
{
	*f = (struct pc_fault_config){
	    .seed = sim_rnd(s, 1, UINT32_MAX), .pool = s->pool, .queue = 16384};
	if (!s->clean)
		plan_faults(s, f);
	if (sim_chance(s, 80))
		f->delay_ns = sim_rnd(s, 1000, sim_chance(s, 20) ? 150 * MS : 10 * MS);
	if (sim_chance(s, 30))
		f->jitter_ns = sim_rnd(s, 0, 5 * MS);
	if (sim_chance(s, 40)) {
		f->rate_bps = sim_rnd(s, 500000, 100000000);
		if (!s->clean && sim_chance(s, 50))
			f->backlog_ns = sim_rnd(s, MS, 200 * MS);
	}
	if (sim_chance(s, 30))
		f->mark_ppm = (uint32_t)sim_rnd(s, 0, 100000);
	if (sim_chance(s, 20))
		f->mark_ns = sim_rnd(s, 100000, 20 * MS);
}

void plan_run(struct sim *s)
{
	s->clean = sim_chance(s, 5);
	s->attacked = !s->clean && sim_chance(s, 25);
	s->validate_every = sim_chance(s, 3) ? 1 : 512;
	s->backlog = (int)sim_rnd(s, 0, 30);
	s->node[CLIENT].exists = s->node[SERVER].exists = true;
	s->node[SECOND].exists = sim_chance(s, 20);
	for (int n = 0; n < SIM_NODES; n++) {
		plan_stack(s, &s->node[n].cfg);
		s->node[n].pool = !s->clean && sim_chance(s, 8) ? s->tiny[n] : s->pool;
	}
	for (int i = 0; i < SIM_LINKS; i++)
		for (int e = 0; e < 2; e++) {
			plan_net(s, &s->net[i].fault[e]);
			plan_net(s, &s->net[i].later[e]);
			s->net[i].later[e].seed = s->net[i].fault[e].seed;
		}
}

static uint64_t some_duration(struct sim *s, enum trouble_kind kind)
{
	const uint64_t most[] = {
	    [STOP] = 60000 * MS,  [REBOOT] = 60000 * MS,  [JUMP] = 1000000 * MS,
	    [HUNGER] = 2000 * MS, [WEATHER] = 60000 * MS, [BLACKOUT] = 20000 * MS};

	return sim_chance(s, 50) ? sim_rnd(s, MS, most[kind]) : sim_rnd(s, MS, most[kind] / 100);
}

void plan_troubles(struct sim *s)
{
	if (s->clean || !sim_chance(s, 30))
		return;
	s->nb_troubles = (unsigned)sim_rnd(s, 1, sim_chance(s, 20) ? SIM_TROUBLES : 2);
	for (unsigned i = 0; i < s->nb_troubles; i++) {
		struct trouble *t = &s->trouble[i];

		t->kind = (enum trouble_kind)sim_rnd(s, 0, TROUBLE_KINDS - 1);
		t->node = (int)sim_rnd(s, 0, s->node[SECOND].exists ? SECOND : SERVER);
		t->net = t->node == SECOND;
		t->at = s->now + sim_rnd(s, 0, sim_chance(s, 70) ? 3000 : 30000) * MS;
		t->lasts = some_duration(s, t->kind);
	}
}
