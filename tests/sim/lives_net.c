/* SPDX-License-Identifier: BSD-2-Clause */
#include "lives.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <percore/tcp_ao.h>

#include "device.h"
#include "eal.h"

/*
 * Overview: the machines, the path between them, what happens to both, and datagrams.
 *
 * Ownership: the ports outlive a machine's stack: frames in flight reach the machine after it has
 * rebooted.
 */

static const char *const prefixes[HOSTS][2] = {{"10.0.0.1/24", "2001:db8::1/64"},
                                               {"10.0.0.2/24", "2001:db8::2/64"}};

static void die(const char *what)
{
	fprintf(stderr, "lives: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct pc_prefix prefix_of(int h, int family)
{
	struct pc_prefix p;

	pc_prefix_parse(prefixes[h][family == AF_INET6], &p);
	return p;
}

struct sockaddr_storage net_address(int h, int family, uint16_t port)
{
	const struct pc_endpoint e = {.addr = prefix_of(h, family).addr, .port = port};
	struct sockaddr_storage a = {0};
	socklen_t len = sizeof(a);

	pc_endpoint_to_sockaddr(&e, family, (struct sockaddr *)&a, &len);
	return a;
}

socklen_t net_address_len(int family)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* ---- path ------------------------------------------------------------------------------------ */

static struct pc_fault_config faults(const struct life *l, int h)
{
	struct pc_fault_config f = {.seed = l->seed * 2 + (uint64_t)h + 1,
	                            .pool = l->pool,
	                            .queue = 8192,
	                            .delay_ns = l->rtt / 2,
	                            .jitter_ns = l->jitter,
	                            .rate_bps = l->kbps * 1000,
	                            .rx_loss_ppm = (uint32_t)l->loss,
	                            .ack_loss_ppm = (uint32_t)l->ack_loss,
	                            .reorder_ppm = (uint32_t)l->reorder,
	                            .reorder_delay_ns = 20 * US + l->rtt / 4,
	                            .duplicate_ppm = (uint32_t)l->duplicate,
	                            .corrupt_ppm = (uint32_t)l->corrupt};

	f.backlog_ns = l->queue * 1526 * 8 * MS / l->kbps;
	f.mark_ns = l->mark ? f.backlog_ns / 4 : 0;
	return f;
}

static void open_port(struct life *l, int h, struct pc_port *wire, const char *capture)
{
	struct host *o = &l->host[h];

	o->normal = faults(l, h);
	o->port = o->fault = pc_port_fault(wire, &o->normal);
	if (o->port != NULL && l->tiny)
		o->port = device_on(o->port, o->pool);
	if (o->port != NULL && capture != NULL && h == 0)
		o->port = pc_port_pcap(o->port, capture);
	if (o->port == NULL)
		die("port");
}

void net_open(struct life *l, const char *capture)
{
	struct pc_wire_config wc = {.pool = l->pool, .capacity = 16384, .offloads = l->offloads};
	struct pc_port *wire[2];

	if (pc_port_wire(&wc, wire) != 0)
		die("wire");
	for (int h = 0; h < HOSTS; h++) {
		l->host[h].pool = l->tiny ? l->small[h] : l->pool;
		open_port(l, h, wire[h], capture);
		net_boot(l, h);
	}
}

/* ---- machines -------------------------------------------------------------------------------- */

static void set_md5(struct life *l, int h, int family, int fd)
{
	const struct sockaddr_storage peer = net_address(!h, family, 0);
	struct tcp_md5sig k = {.tcpm_keylen = 3, .tcpm_key = "key"};

	memcpy(&k.tcpm_addr, &peer, sizeof(peer));
	if (pc_setsockopt(l->host[h].st, fd, IPPROTO_TCP, TCP_MD5SIG, &k, sizeof(k)) != 0)
		life_fail(l, "TCP_MD5SIG: %s", strerror(errno));
}

static void set_ao(struct life *l, int h, int family, int fd)
{
	struct tcp_ao_add k = {.addr = net_address(!h, family, 0),
	                       .alg_name = "hmac(sha1)",
	                       .prefix = family == AF_INET ? 32 : 128,
	                       .sndid = 5,
	                       .rcvid = 5,
	                       .keylen = 4,
	                       .key = "abcd"};

	if (pc_setsockopt(l->host[h].st, fd, IPPROTO_TCP, TCP_AO_ADD_KEY, &k, sizeof(k)) != 0)
		life_fail(l, "TCP_AO_ADD_KEY: %s", strerror(errno));
}

void net_set_keys(struct life *l, int h, int family, int fd)
{
	if (l->md5)
		set_md5(l, h, family, fd);
	if (l->ao)
		set_ao(l, h, family, fd);
}

static int open_bound(struct life *l, int h, int family, int type, uint16_t port)
{
	struct pc_stack *st = l->host[h].st;
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	const struct sockaddr *a =
	    family == AF_INET ? (struct sockaddr *)&any : (struct sockaddr *)&any6;
	int fd = pc_socket(st, family, type, 0);

	if (fd > 0 && family == AF_INET6)
		pc_setsockopt(st, fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
	if (fd > 0 && type == SOCK_STREAM)
		pc_setsockopt(st, fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (fd < 0 || pc_bind(st, fd, a, net_address_len(family)) != 0)
		life_fail(l, "host %d cannot bind: %s", h, strerror(errno));
	return fd;
}

static void listen_at(struct life *l, int h)
{
	struct host *o = &l->host[h];

	for (int i = 0; i < 2; i++) {
		const int family = i == 0 ? AF_INET : AF_INET6;

		o->lfd[i] = open_bound(l, h, family, SOCK_STREAM, 80);
		if ((o->cfg.tcp_fastopen & 2) != 0)
			pc_setsockopt(o->st, o->lfd[i], IPPROTO_TCP, TCP_FASTOPEN, &(int){8},
			              sizeof(int));
		net_set_keys(l, h, family, o->lfd[i]);
		if (pc_listen(o->st, o->lfd[i], (int)(1 + l->seed % 16)) != 0)
			life_fail(l, "host %d cannot listen: %s", h, strerror(errno));
	}
}

static void stop_listening(struct life *l, int h)
{
	for (int i = 0; i < 2; i++)
		pc_close(l->host[h].st, l->host[h].lfd[i]);
	l->host[h].lfd[0] = l->host[h].lfd[1] = 0;
}

void net_boot(struct life *l, int h)
{
	struct host *o = &l->host[h];
	const struct pc_prefix four = prefix_of(h, AF_INET), six = prefix_of(h, AF_INET6);
	char why[200];

	o->cfg.stack_mbufs = o->pool->size;
	o->cfg.stack_seed += 1000003 * o->boots++;
	if (pc_stack_config_check(&o->cfg, why, sizeof(why)) != 0)
		fprintf(stderr, "%s\n", why);
	o->st = pc_stack_create(&o->cfg, o->pool);
	if (o->st == NULL || pc_stack_add_port(o->st, o->port) != 0 ||
	    pc_stack_add_addr(o->st, 0, &four) != 0 || pc_stack_add_addr(o->st, 0, &six) != 0)
		die("stack");
	if (!l->closing)
		listen_at(l, h);
	for (int i = 0; i < 2 && l->datagrams != 0 && !l->closing; i++)
		o->ufd[i] = open_bound(l, h, i == 0 ? AF_INET : AF_INET6, SOCK_DGRAM, 7);
}

static void keep_counts(struct host *o)
{
	const uint64_t *c = pc_stack_counters(o->st)->value;

	o->frames += c[PC_TX_FRAMES];
	o->cookies += c[PC_TCP_COOKIES_SENT] + c[PC_TCP_FASTOPEN_PASSIVE];
}

static void shut_down(struct life *l, int h)
{
	struct host *o = &l->host[h];

	app_died(l, h);
	keep_counts(o);
	(void)pc_stack_set_mtu(o->st, 0, 0); /* what it has set in the port outlives it */
	pc_stack_destroy(o->st);
	o->st = NULL;
	memset(o->ufd, 0, sizeof(o->ufd));
	memset(o->lfd, 0, sizeof(o->lfd));
}

uint64_t net_frames(const struct life *l)
{
	uint64_t n = 0;

	for (int h = 0; h < HOSTS; h++) {
		const struct host *o = &l->host[h];

		n += o->frames;
		if (o->st != NULL)
			n += pc_stack_counters(o->st)->value[PC_TX_FRAMES];
	}
	return n;
}

/* ---- troubles -------------------------------------------------------------------------------- */

static void begin_hunger(struct life *l, const struct trouble *t)
{
	struct rte_mempool *pool = l->host[t->host].pool;
	const uint32_t rest = (uint32_t)t->value % 200;

	if (l->nb_eaten > 0)
		return;
	l->eaten_from = pool;
	while (rte_mempool_avail_count(pool) > rest &&
	       rte_mempool_get(pool, &l->eaten[l->nb_eaten]) == 0)
		l->nb_eaten++;
}

static void end_hunger(struct life *l)
{
	if (l->nb_eaten > 0)
		rte_mempool_put_bulk(l->eaten_from, l->eaten, l->nb_eaten);
	l->nb_eaten = 0;
}

static void add_fault(const struct trouble *t, struct pc_fault_config *f)
{
	switch (t->kind) {
	case BLACKOUT:
	case LINK:
		f->rx_loss_ppm = 1000000;
		break;
	case WEATHER:
		f->rx_loss_ppm += (uint32_t)(t->value % 8 * 20000);
		f->duplicate_ppm += (uint32_t)(t->value / 8 % 4 * 50000);
		f->corrupt_ppm += (uint32_t)(t->value / 32 % 4 * 10000);
		f->delay_ns += t->value / 128 % 4 * 100 * MS;
		f->burst_ppm = (uint32_t)(t->value / 512 % 4 * 2000);
		f->reorder_ppm += (uint32_t)(t->value / 2048 % 4 * 50000);
		break;
	case NARROW:
		f->mtu = (uint16_t)(1280 + t->value % 220);
		f->mtu_icmp = t->value % 3 != 0;
		break;
	default:
		break;
	}
}

/* the path as it is now */
static void set_path(struct life *l)
{
	for (int h = 0; h < HOSTS; h++) {
		struct pc_fault_config f = l->host[h].normal;

		for (unsigned i = 0; i < l->nb_troubles; i++) {
			const struct trouble *t = &l->trouble[i];
			const bool here = t->way == 2 || t->way == h || t->kind == LINK;

			if (t->begun && !t->over && here)
				add_fault(t, &f);
		}
		pc_port_fault_set(l->host[h].fault, &f);
	}
}

static void lose_address(struct life *l, const struct trouble *t, bool again)
{
	struct host *o = &l->host[t->host];
	const struct pc_prefix p = prefix_of(t->host, t->value % 2 == 0 ? AF_INET : AF_INET6);

	if (o->st == NULL)
		return;
	if (again)
		(void)pc_stack_add_addr(o->st, 0, &p);
	else
		(void)pc_stack_del_addr(o->st, 0, &p);
}

static void forget_neighbours(struct life *l, const struct trouble *t)
{
	struct pc_neigh_info list[16];
	struct pc_stack *st = l->host[t->host].st;
	unsigned n = st == NULL ? 0 : pc_stack_get_neighs(st, 0, list, 16);

	for (unsigned i = 0; i < RTE_MIN(n, 16u); i++)
		pc_stack_del_neigh(st, 0, &list[i].addr);
}

static void begin(struct life *l, struct trouble *t)
{
	struct host *o = &l->host[t->host];

	t->begun = true;
	switch (t->kind) {
	case FREEZE:
		o->still_till = RTE_MAX(o->still_till, l->now + t->lasts);
		break;
	case REBOOT:
		if (o->st != NULL)
			shut_down(l, t->host);
		o->still_till = RTE_MAX(o->still_till, l->now + t->lasts);
		break;
	case JUMP:
		o->ahead += t->lasts;
		break;
	case HUNGER:
		begin_hunger(l, t);
		break;
	case ADDRESS:
		lose_address(l, t, false);
		break;
	case NEIGHBOUR:
		forget_neighbours(l, t);
		break;
	case LINK:
		o->port->info.link_up = false;
		break;
	case LIMIT:
		if (o->st != NULL)
			pc_stack_set_mtu(o->st, 0, (uint16_t)(576 + t->value % 924));
		break;
	case DEAF:
		if (o->st != NULL && o->lfd[0] > 0)
			stop_listening(l, t->host);
		break;
	default:
		break;
	}
	set_path(l);
}

static void end(struct life *l, struct trouble *t)
{
	struct host *o = &l->host[t->host];

	t->over = true;
	switch (t->kind) {
	case HUNGER:
		end_hunger(l);
		break;
	case ADDRESS:
		lose_address(l, t, true);
		break;
	case LINK:
		o->port->info.link_up = true;
		break;
	case LIMIT:
		if (o->st != NULL)
			pc_stack_set_mtu(o->st, 0, 0);
		break;
	case DEAF:
		if (o->st != NULL && o->lfd[0] == 0 && !l->closing)
			listen_at(l, t->host);
		break;
	default:
		break;
	}
	set_path(l);
}

bool net_is_bad(const struct life *l)
{
	for (unsigned i = 0; i < l->nb_troubles; i++) {
		const struct trouble *t = &l->trouble[i];
		/* a smaller MTU has to be found; lost neighbours, too */
		const uint64_t lasts = t->kind == NARROW      ? 20 * SECOND
		                       : t->kind == NEIGHBOUR ? 3 * SECOND
		                                              : t->lasts + 3 * SECOND;

		if (t->begun && l->now < t->at + lasts && t->kind != LIMIT && t->kind != DEAF)
			return true;
	}
	return false;
}

/* Drops the frames to a machine without a stack. */
static void drop_frames(struct life *l, int h)
{
	struct rte_mbuf *m[32];
	struct host *o = &l->host[h];
	uint16_t got;

	while ((got = o->port->ops->rx_burst(o->port, m, 32, l->now + o->ahead)) > 0)
		rte_pktmbuf_free_bulk(m, got);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static uint8_t datagram_byte(uint32_t serial, uint32_t n)
{
	return (uint8_t)(serial * 31 + n * 2654435761u / 65536);
}

static void tell(struct life *l)
{
	static uint8_t buf[10000];
	const int h = (int)rnd(l, 0, 1), i = (int)rnd(l, 0, 1);
	const int family = i == 0 ? AF_INET : AF_INET6;
	const uint32_t serial = (uint32_t)++l->told, len = (uint32_t)some(l, 8, sizeof(buf));
	const struct sockaddr_storage to = net_address(!h, family, 7);

	if (!host_is_up(l, h))
		return;
	memcpy(buf, &serial, 4);
	memcpy(buf + 4, &len, 4);
	for (uint32_t n = 8; n < len; n++)
		buf[n] = datagram_byte(serial, n);
	(void)pc_sendto(l->host[h].st, l->host[h].ufd[i], buf, len, 0, (const void *)&to,
	                net_address_len(family));
}

static void hear(struct life *l, int h)
{
	static uint8_t buf[20000];
	uint32_t serial, len;

	for (int i = 0; i < 2; i++) {
		const int fd = l->host[h].ufd[i];
		ssize_t n;

		while (fd > 0 && (n = pc_recv(l->host[h].st, fd, buf, sizeof(buf), 0)) >= 0) {
			l->heard++;
			if (l->corrupt != 0) /* bits of two fragments may cancel in the sum */
				continue;
			memcpy(&serial, buf, 4);
			memcpy(&len, buf + 4, 4);
			if (n < 8 || (uint32_t)n != len || serial > l->told)
				life_fail(l, "a datagram of %zd bytes, not %u", n, len);
			for (uint32_t k = 8; k < len && l->wrong[0] == '\0'; k++)
				if (buf[k] != datagram_byte(serial, k))
					life_fail(l, "byte %u of a datagram of %u is wrong", k,
					          len);
		}
	}
}

/* ---- turns ----------------------------------------------------------------------------------- */

void net_turn(struct life *l)
{
	for (unsigned i = 0; i < l->nb_troubles; i++) {
		struct trouble *t = &l->trouble[i];

		if (!t->begun && l->now >= t->at)
			begin(l, t);
		else if (t->begun && !t->over && l->now >= t->at + t->lasts)
			end(l, t);
	}
	for (int h = 0; h < HOSTS; h++) {
		if (l->host[h].st == NULL && l->now >= l->host[h].still_till)
			net_boot(l, h);
		else if (l->host[h].st == NULL)
			drop_frames(l, h);
		if (host_is_up(l, h) && l->datagrams != 0)
			hear(l, h);
	}
	if (l->datagrams != 0 && !l->closing && l->now >= l->next_datagram) {
		tell(l);
		l->next_datagram = l->now + rnd(l, 1, 2 * l->datagrams);
	}
}

static uint64_t host_next(const struct life *l, const struct host *o, int h)
{
	uint64_t next;

	if (!host_is_up(l, h))
		return o->still_till;
	next = RTE_MIN(pc_stack_next_deadline(o->st), o->port->ops->next_deadline(o->port));
	return next == NEVER || next < o->ahead ? next : next - o->ahead;
}

uint64_t net_next(const struct life *l)
{
	uint64_t next = l->datagrams != 0 && !l->closing ? l->next_datagram : NEVER;

	for (unsigned i = 0; i < l->nb_troubles; i++) {
		const struct trouble *t = &l->trouble[i];

		if (!t->over)
			next = RTE_MIN(next, t->begun ? t->at + t->lasts : t->at);
	}
	for (int h = 0; h < HOSTS; h++)
		next = RTE_MIN(next, host_next(l, &l->host[h], h));
	return next;
}

void net_stop(struct life *l)
{
	l->closing = true;
	for (int h = 0; h < HOSTS; h++) {
		struct host *o = &l->host[h];

		if (o->st == NULL)
			continue;
		if (o->lfd[0] > 0)
			stop_listening(l, h);
		for (int i = 0; i < 2 && o->ufd[i] > 0; i++) {
			pc_close(o->st, o->ufd[i]);
			o->ufd[i] = 0;
		}
	}
}

void net_close(struct life *l)
{
	end_hunger(l);
	for (int h = 0; h < HOSTS; h++)
		pc_stack_destroy(l->host[h].st);
	for (int h = 0; h < HOSTS; h++)
		pc_port_close(l->host[h].port);
	if (eal_in_use(l->pool) != 0)
		life_fail(l, "%u mbufs are left", eal_in_use(l->pool));
	for (int h = 0; h < HOSTS; h++)
		if (eal_in_use(l->small[h]) != 0)
			life_fail(l, "%u mbufs of host %d are left", eal_in_use(l->small[h]), h);
}
