/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Creating, destroying and inspecting a stack.
 *
 * Ownership: the stack owns its tables and every mbuf in them; the pool and the ports are the
 * caller's.  pc_stack_create allocates all memory, in the order of the receive path; it is freed in
 * the reverse order, also when creation fails half-way.
 */
#include "stack/stack.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <rte_malloc.h>
#include <rte_mempool.h>

#include "stack/end.h"
#include "tcp/denied.h"
#include "tcp/tcp_inspect.h"

#define AUTO_BYTES (256ull << 20) /* for settings that are still "auto" */

static struct pc_stack_config effective(const struct pc_stack_config *config)
{
	struct pc_stack_config cfg = *config;

	pc_stack_config_fit(&cfg, AUTO_BYTES);
	return cfg;
}

static uint32_t nb_sockets(const struct pc_stack_config *cfg)
{
	struct sockets s;

	sockets_layout(&s, cfg);
	return s.end;
}

void pc_stack_get_footprint(const struct pc_stack_config *config, struct pc_stack_footprint *fp)
{
	struct pc_stack_config cfg = effective(config);

	memset(fp, 0, sizeof(*fp));
	fp->other = sizeof(struct pc_stack) + mail_footprint() + tcp_footprint(&cfg, fp) +
	            udp_footprint(&cfg) + ip_footprint(&cfg);
	fp->events = events_footprint((uint32_t)cfg.stack_max_epolls, nb_sockets(&cfg));
	fp->total = fp->connections + fp->flow_table + fp->half_open + fp->time_wait + fp->events +
	            fp->other;
	/* an idle connection: its TCB, its share of the accounts and of the flow table, its place
	 * in each ring */
	fp->per_idle_connection =
	    (fp->connections + fp->flow_table + fp->events + cfg.stack_max_connections - 1) /
	    cfg.stack_max_connections;
}

static bool pool_is_fit(const struct rte_mempool *pool)
{
	return pool != NULL && rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool) >=
	                           RTE_PKTMBUF_HEADROOM + 1514;
}

/* Takes randomness from the kernel once, unless a seed is given; the stack never asks again. */
static bool make_rng(const struct pc_stack_config *cfg, struct rng *rng)
{
	struct pc_sip_key key;

	if (cfg->stack_seed != 0) {
		rng_seed(rng, cfg->stack_seed);
		return true;
	}
	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return false;
	rng_init(rng, &key);
	return true;
}

/* Frees everything but the large tables. */
static void free_small(struct pc_stack *st)
{
	if (st->udp != NULL)
		udp_destroy(st->udp);
	mail_free(st->mail);
	ip_fini(&st->ip);
}

static void free_layers(struct pc_stack *st)
{
	if (st->tcp != NULL)
		tcp_destroy(st->tcp);
	free_small(st);
	events_fini(&st->events);
}

static void mark_laddrs(void *arg, bool used[PC_MAX_ADDRS])
{
	const struct pc_stack *st = arg;

	udp_mark_laddrs(st->udp, used);
	tcp_mark_laddrs(st->tcp, used);
}

static int make_layers(struct pc_stack *st)
{
	const struct pc_stack_config *cfg = &st->ctx.cfg;
	struct sockets *s = &st->sockets;

	sockets_layout(s, cfg);
	st->mail = mail_create(cfg->socket_id);
	if (ip_init(&st->ip, &st->ctx) != 0 || st->mail == NULL)
		return -1;
	if (events_init(&st->events, (uint32_t)cfg->stack_max_epolls, s->end, cfg->socket_id) != 0)
		return -1;
	st->udp = udp_create(&st->ctx, &st->ip, &st->events, s->first_udp);
	if (st->udp == NULL)
		return -1;
	st->tcp = tcp_create(&st->ctx, &st->ip, &st->events, s->first_tcp);
	if (st->tcp == NULL)
		return -1;
	s->ctx = &st->ctx;
	s->ip = &st->ip;
	s->ev = &st->events;
	s->udp = st->udp;
	s->tcp = st->tcp;
	st->ip.mark = mark_laddrs;
	st->ip.mark_arg = st;
	return 0;
}

struct pc_stack *pc_stack_create(const struct pc_stack_config *config, struct rte_mempool *pool)
{
	struct pc_stack_config cfg = effective(config);
	struct pc_stack *st;
	struct rng rng;

	if (pc_stack_config_check(&cfg, NULL, 0) != 0 || !pool_is_fit(pool)) {
		errno = EINVAL;
		return NULL;
	}
	if (!make_rng(&cfg, &rng)) {
		errno = EIO;
		return NULL;
	}
	if (pkt_register() != 0) {
		errno = EEXIST;
		return NULL;
	}
	st = rte_zmalloc_socket("pc_stack", sizeof(*st), RTE_CACHE_LINE_SIZE, cfg.socket_id);
	if (st == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	st->ctx.cfg = cfg;
	st->ctx.pool = pool;
	st->ctx.mbufs_spare = pool->size;
	st->ctx.mbufs_small = 2 * mbufs_kept(pool->size);
	st->ctx.rng = rng;
	if (make_layers(st) != 0) {
		free_layers(st);
		rte_free(st);
		errno = ENOMEM;
		return NULL;
	}
	return st;
}

void stack_end(struct pc_stack *st)
{
	if (st == NULL)
		return;
	tcp_free_mbufs(st->tcp);
	free_small(st);
	ctx_free_done(&st->ctx);
}

void pc_stack_destroy(struct pc_stack *st)
{
	if (st == NULL)
		return;
	free_layers(st);
	ctx_free_done(&st->ctx);
	rte_free(st);
}

int pc_stack_add_port(struct pc_stack *st, struct pc_port *port)
{
	return stack_fail(ip_add_port(&st->ip, port));
}

int pc_stack_add_addr(struct pc_stack *st, int port, const struct pc_prefix *addr)
{
	return stack_fail(ip_add_addr(&st->ip, port, addr));
}

int pc_stack_del_addr(struct pc_stack *st, int port, const struct pc_prefix *addr)
{
	return stack_fail(ip_del_addr(&st->ip, port, addr));
}

int pc_stack_set_mtu(struct pc_stack *st, int port, uint16_t mtu)
{
	struct netif *nif;

	if (port < 0 || port >= st->ip.ifs.n || (mtu != 0 && mtu < 576))
		return stack_fail(-EINVAL);
	nif = &st->ip.ifs.netif[port];
	nif->port->info.mtu = mtu != 0 && mtu < nif->mtu_max ? mtu : nif->mtu_max;
	neigh_outdate(st->ip.neigh);
	return 0;
}

int pc_stack_set_exception(struct pc_stack *st, int port, struct pc_port *kernel, bool link)
{
	struct exception *e;

	if (port < 0 || port >= st->ip.ifs.n)
		return stack_fail(-EINVAL);
	e = &st->exceptions[port];
	st->nb_exceptions += kernel != NULL;
	st->nb_exceptions -= e->kernel != NULL;
	*e = (struct exception){
	    .kernel = kernel, .ifs = &st->ip.ifs, .netif = &st->ip.ifs.netif[port], .link = link};
	return 0;
}

int pc_stack_add_slaac(struct pc_stack *st, int port)
{
	return stack_fail(ip_add_slaac(&st->ip, port));
}

int pc_stack_add_route(struct pc_stack *st, const struct pc_prefix *dest,
                       const struct pc_addr *gateway)
{
	return stack_fail(ip_add_route(&st->ip, dest, gateway));
}

int pc_stack_deny(struct pc_stack *st, const struct pc_prefix *prefix)
{
	int rc = deny_add(&st->ip.deny, prefix);

	if (rc == 0)
		denied_begin(st->tcp);
	return stack_fail(rc);
}

int pc_stack_allow(struct pc_stack *st, const struct pc_prefix *prefix)
{
	return stack_fail(deny_del(&st->ip.deny, prefix));
}

int pc_stack_deny_all(struct pc_stack *st, const struct pc_prefix *prefixes, unsigned n)
{
	int rc = deny_set(&st->ip.deny, prefixes, n);

	if (rc == 0)
		denied_begin(st->tcp);
	return stack_fail(rc);
}

const struct pc_stack_config *pc_stack_get_config(const struct pc_stack *st)
{
	return &st->ctx.cfg;
}

const struct pc_counters *pc_stack_counters(const struct pc_stack *st)
{
	return &st->ctx.counters;
}

void pc_stack_get_usage(const struct pc_stack *st, struct pc_stack_usage *u)
{
	const struct pc_stack_config *cfg = &st->ctx.cfg;

	*u = (struct pc_stack_usage){
	    .connections = st->tcp->tcbs_used - st->tcp->bind.listeners,
	    .connections_max = (uint32_t)cfg->stack_max_connections,
	    .half_open = st->tcp->syn.used,
	    .half_open_max = st->tcp->syn.n,
	    .time_wait = st->tcp->tw.used,
	    .time_wait_max = st->tcp->tw.n,
	    .neighbours = neigh_count(st->ip.neigh),
	    .neighbours_max = (uint32_t)cfg->arp_entries,
	    .udp_sockets = udp_count(st->udp),
	    .udp_sockets_max = (uint32_t)cfg->stack_max_udp_sockets,
	    .listeners = st->tcp->bind.listeners,
	    .listeners_max = (uint32_t)cfg->stack_max_listeners,
	};
}

/* Says whether every received frame has been counted once, or still waits (rx.c). */
static bool is_accounted(const struct pc_stack *st)
{
	const uint64_t *c = st->ctx.counters.value;
	uint64_t ends = c[PC_RX_TAKEN] + ip_fragments_waiting(&st->ip);

	for (int i = PC_DROP_NONE + 1; i < PC_TX_NO_MBUF; i++)
		ends += c[i];
	return ends == c[PC_RX_FRAMES];
}

unsigned pc_stack_validate(const struct pc_stack *st, FILE *f)
{
	unsigned neigh = ip_validate(&st->ip), udp = udp_validate(st->udp);
	unsigned frames = !is_accounted(st);

	if (f != NULL && frames != 0)
		fprintf(f, "rx_frames is not the sum of what became of them\n");
	if (f != NULL && neigh != 0)
		fprintf(f, "neighbours: %u violations\n", neigh);
	if (f != NULL && udp != 0)
		fprintf(f, "udp: %u violations\n", udp);
	return frames + neigh + udp + tcp_validate(st->tcp, f);
}
