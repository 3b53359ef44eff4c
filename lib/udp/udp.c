/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP sockets.
 *
 * Overview: an array of sockets and three hash tables over it.  by_bind holds every socket with a
 * port, to find whether a name is taken; by_port and by_peer divide the bound sockets into those
 * without and those with a peer, so that a server with one connected socket per client finds each
 * at once.
 *
 * Life-cycle: open, bound (by bind, connect or the first send), connected and back, closed.
 * Ownership: queued datagrams are ours until udp_recv hands them out.
 * Invariants: bound == (local.port != 0); a bound socket is in by_bind and in exactly one of the
 * other two; rcv_bytes is the sum over rcv.
 */

#include "udp/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "base/toeplitz.h"
#include "udp/member.h"
#include "udp/table.h"

/* ---- the layer ------------------------------------------------------------------------------- */

static uint32_t nb_buckets(uint32_t nb_socks)
{
	return rte_align32pow2(nb_socks + 1);
}

uint64_t udp_footprint(const struct pc_stack_config *cfg)
{
	const uint32_t n = (uint32_t)cfg->stack_max_udp_sockets;

	return sizeof(struct udp) + n * sizeof(struct udp_sock) +
	       3 * nb_buckets(n) * sizeof(uint32_t) + udp_nb_members(n) * sizeof(struct udp_member);
}

static void *alloc(const struct ctx *ctx, uint32_t n, size_t size)
{
	return rte_zmalloc_socket("udp", n * size, RTE_CACHE_LINE_SIZE, ctx->cfg.socket_id);
}

struct udp *udp_create(struct ctx *ctx, struct ip *ip, struct events *ev, uint32_t first_fd)
{
	const struct pc_sip_key key = rng_key(&ctx->rng);
	const uint32_t n = (uint32_t)ctx->cfg.stack_max_udp_sockets;
	struct udp *udp = alloc(ctx, 1, sizeof(*udp));

	if (udp == NULL)
		return NULL;
	udp->ctx = ctx;
	udp->ip = ip;
	udp->ev = ev;
	udp->first_fd = first_fd;
	udp->nb_socks = n;
	udp->mask = nb_buckets(n) - 1;
	udp->key = (struct hash_key){.k = {key.k[0], key.k[1]}};
	udp->by_bind = alloc(ctx, 3 * (udp->mask + 1), sizeof(*udp->by_bind));
	udp->sock = alloc(ctx, RTE_MAX(n, 1u), sizeof(*udp->sock));
	udp->member = alloc(ctx, RTE_MAX(udp_nb_members(n), 1u), sizeof(*udp->member));
	if (udp->by_bind == NULL || udp->sock == NULL || udp->member == NULL) {
		udp_destroy(udp);
		return NULL;
	}
	udp->by_port = udp->by_bind + udp->mask + 1;
	udp->by_peer = udp->by_port + udp->mask + 1;
	for (uint32_t i = n; i > 0; i--) {
		udp->sock[i - 1].next = udp->free;
		udp->free = i;
	}
	for (uint32_t i = udp_nb_members(n); i > 0; i--) {
		udp->member[i - 1].next = udp->free_member;
		udp->free_member = i;
	}
	return udp;
}

void udp_destroy(struct udp *udp)
{
	for (uint32_t i = 0; udp->sock != NULL && i < udp->nb_socks; i++) {
		pktq_free(&udp->sock[i].rcv);
		pktq_free(&udp->sock[i].reports);
		rte_pktmbuf_free(udp->sock[i].held);
	}
	udp->packet = 0;
	udp_untap(udp);
	rte_free(udp->by_bind);
	rte_free(udp->sock);
	rte_free(udp->member);
	rte_free(udp);
}

uint32_t udp_count(const struct udp *udp)
{
	return udp->count;
}

uint32_t udp_sock_fd(const struct udp *udp, uint32_t index)
{
	return udp->first_fd + index;
}

/* ---- the tables ------------------------------------------------------------------------------ */

uint32_t *udp_peer_chain(const struct udp *udp, const struct pc_endpoint *remote, uint16_t port)
{
	const uint64_t v[3] = {remote->addr.q[0], remote->addr.q[1],
	                       (uint64_t)remote->port << 16 | port};

	return &udp->by_peer[hash24(&udp->key, v) & udp->mask];
}

/* The chain in which input looks for a socket. */
static uint32_t *chain_of(const struct udp *udp, const struct udp_sock *s)
{
	if (s->remote.port != 0)
		return udp_peer_chain(udp, &s->remote, s->local.port);
	return &udp->by_port[s->local.port & udp->mask];
}

static uint32_t id_of(const struct udp *udp, const struct udp_sock *s)
{
	return (uint32_t)(s - udp->sock) + 1;
}

/* The newest goes first: of several that match equally, it gets the datagram. */
static void link_input(struct udp *udp, struct udp_sock *s)
{
	uint32_t *chain = chain_of(udp, s);

	s->next = *chain;
	*chain = id_of(udp, s);
	udp->nb_connected += s->remote.port != 0;
}

static void unlink_input(struct udp *udp, struct udp_sock *s)
{
	uint32_t *link = chain_of(udp, s);

	while (*link != id_of(udp, s))
		link = &udp->sock[*link - 1].next;
	*link = s->next;
	udp->nb_connected -= s->remote.port != 0;
}

static void link_bind(struct udp *udp, struct udp_sock *s)
{
	uint32_t *chain = &udp->by_bind[s->local.port & udp->mask];

	s->bind_next = *chain;
	*chain = id_of(udp, s);
	s->bound = true;
}

static void unlink_bind(struct udp *udp, struct udp_sock *s)
{
	uint32_t *link = &udp->by_bind[s->local.port & udp->mask];

	while (*link != id_of(udp, s))
		link = &udp->sock[*link - 1].bind_next;
	*link = s->bind_next;
	s->bound = false;
}

/* ---- open and close -------------------------------------------------------------------------- */

int udp_open(struct udp *udp)
{
	const uint32_t id = udp->free;
	struct udp_sock *s;
	struct pollable poll;

	if (id == 0)
		return -ENFILE;
	s = &udp->sock[id - 1];
	udp->free = s->next;
	udp->count++;
	/* its descriptor may still be in an epoll set's ring, from its previous life */
	poll = pollable_renewed(&s->poll);
	memset(s, 0, sizeof(*s));
	s->poll = poll;
	s->open = true;
	s->laddr = LADDR_NONE;
	s->rcv_max = s->snd_max = (uint32_t)udp->ctx->cfg.udp_rcvbuf;
	s->group_ttl = s->group_hops = -1;
	s->discover = s->discover6 = IP_PMTUDISC_WANT;
	s->group_all = s->group_all6 = s->group_loop = s->group_loop6 = true;
	return (int)id - 1;
}

struct udp_sock *udp_sock(struct udp *udp, uint32_t index)
{
	return index < udp->nb_socks && udp->sock[index].open ? &udp->sock[index] : NULL;
}

struct udp_sock *udp_sock_slot(struct udp *udp, uint32_t index)
{
	return index < udp->nb_socks ? &udp->sock[index] : NULL;
}

void udp_close(struct udp *udp, uint32_t index)
{
	struct udp_sock *s = &udp->sock[index];

	assert(s->open);
	if (s->bound) {
		unlink_input(udp, s);
		unlink_bind(udp, s);
	}
	udp_leave_all(udp, s);
	if (s->kind != UDP_DATAGRAM)
		udp_close_raw(udp, s);
	pktq_free(&s->rcv);
	pktq_free(&s->reports);
	rte_pktmbuf_free(s->held);
	s->held = NULL;
	s->rcv_bytes = 0;
	s->open = false;
	s->next = udp->free;
	udp->free = index + 1;
	udp->count--;
}

/* ---- bind ------------------------------------------------------------------------------------ */

/* Says whether two names have an address in common; the any address stands for all of the families
 * the socket speaks. */
static bool overlap(const struct udp_sock *s, const struct pc_addr *name, const struct udp_sock *o)
{
	const bool s_any = pc_addr_is_any(name), o_any = pc_addr_is_any(&o->local.addr);

	if (s_any && o_any)
		return (!s->v6only && !o->v6only) || (s->ip6 && o->ip6);
	if (s_any)
		return udp_speaks(s, &o->local.addr);
	return o_any ? udp_speaks(o, name) : pc_addr_equal(name, &o->local.addr);
}

/*
 * Says whether another socket has this name, by the rules of Linux: names overlap when their ports
 * are the same and their addresses are, or one is the any address; overlapping is allowed if both
 * sockets have SO_REUSEADDR or both have SO_REUSEPORT. A port that we choose is never shared (share
 * false).
 */
static bool is_taken(const struct udp *udp, const struct udp_sock *s,
                     const struct pc_endpoint *name, bool share)
{
	const struct udp_sock *o;

	for (uint32_t id = udp->by_bind[name->port & udp->mask]; id != 0; id = o->bind_next) {
		o = &udp->sock[id - 1];
		if (o->local.port != name->port || o == s)
			continue;
		if (share && ((o->reuse && s->reuse) || (o->reuseport && s->reuseport)))
			continue;
		if (overlap(s, &name->addr, o))
			return true;
	}
	return false;
}

/* Where a socket's answers come from, and which of a port's queues they arrive at; remote NULL:
 * from any host. */
struct answers {
	const struct pc_port_info *info;
	const struct pc_addr *local;
	const struct pc_endpoint *remote;
};

/* Says whether answers to a port of ours arrive at our own queue. */
static bool come_here(const struct answers *a, uint16_t port)
{
	struct pc_endpoint here;

	if (a->remote == NULL || a->info->rss.nb_queues <= 1)
		return true;
	here = (struct pc_endpoint){.addr = *a->local, .port = port};
	return toeplitz_queue(&a->info->rss, a->remote, &here) == a->info->queue;
}

/* Looks for a free port, starting at a random one (RFC 6056 section 3.3.1), for which answers
 * arrive here. Returns 0 when there is none. */
static uint16_t choose_port(struct udp *udp, const struct udp_sock *s, const struct pc_addr *addr,
                            const struct answers *a)
{
	uint16_t first = (uint16_t)udp->ctx->cfg.tcp_port_first,
	         last = (uint16_t)udp->ctx->cfg.tcp_port_last;
	struct pc_endpoint name = {.addr = *addr};
	uint32_t n, start;

	kept_ports(&s->kept, &first, &last);
	n = (uint32_t)(last - first + 1);
	start = rng_below(&udp->ctx->rng, n);
	for (uint32_t i = 0; i < n; i++) {
		name.port = (uint16_t)(first + (start + i) % n);
		if (come_here(a, name.port) && !is_taken(udp, s, &name, false))
			return name.port;
	}
	return 0;
}

static void set_name(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *name)
{
	s->local = *name;
	link_bind(udp, s);
	link_input(udp, s);
}

int udp_bind_any(struct udp *udp, struct udp_sock *s, const struct pc_endpoint *remote,
                 const struct ip_path *path)
{
	const bool one =
	    remote->port != 0 && path->laddr != LADDR_NONE && !path->broadcast && !path->multicast;
	const struct answers some = {.info = &ip_port(udp->ip, path->netif)->info,
	                             .local = one ? ip_laddr(udp->ip, path->laddr) : NULL,
	                             .remote = one ? remote : NULL},
	                     any = {0};
	struct pc_endpoint name = {.addr = s->local.addr};

	name.port = choose_port(udp, s, &name.addr, &some);
	if (name.port == 0) /* better a port whose answers arrive at another lcore than none */
		name.port = choose_port(udp, s, &name.addr, &any);
	if (name.port == 0)
		return -EADDRNOTAVAIL;
	set_name(udp, s, &name);
	return 0;
}

/* Says whether an address can be bound to receive what is sent to a group or by broadcast. */
static bool is_group(const struct ip *ip, const struct pc_addr *addr)
{
	for (uint8_t i = 0; i < ip->ifs.n; i++)
		if (netifs_is_broadcast(&ip->ifs, i, addr))
			return true;
	return pc_addr_is_multicast(addr);
}

int udp_find_name(const struct udp *udp, const struct pc_addr *addr, uint16_t *laddr)
{
	*laddr = LADDR_NONE;
	if (pc_addr_is_any(addr))
		return 0;
	*laddr = netifs_find(&udp->ip->ifs, addr);
	if (*laddr == LADDR_NONE ? !is_group(udp->ip, addr)
	                         : !netifs_is_usable(&udp->ip->ifs, *laddr))
		return -EADDRNOTAVAIL;
	return 0;
}

int udp_bind(struct udp *udp, uint32_t index, const struct pc_endpoint *local)
{
	struct udp_sock *s = &udp->sock[index];
	struct pc_endpoint name = *local;
	uint16_t laddr;
	const int rc = udp_find_name(udp, &name.addr, &laddr);

	if (s->bound && (s->ip6 || rc == 0)) /* as on Linux, for IPv4 the address counts first */
		return -EINVAL;
	if (rc != 0)
		return rc;
	s->addr_fixed = laddr != LADDR_NONE || !pc_addr_is_any(&name.addr);
	if (name.port == 0)
		name.port = choose_port(udp, s, &name.addr, &(struct answers){0});
	else if (is_taken(udp, s, &name, true))
		name.port = 0;
	if (name.port == 0) {
		s->addr_fixed = false;
		return -EADDRINUSE;
	}
	/* as on Linux: a port that was chosen here is also given up with a connection */
	s->port_fixed = local->port != 0;
	s->laddr = laddr;
	udp_forget_path(s);
	set_name(udp, s, &name);
	return 0;
}

/* ---- connect --------------------------------------------------------------------------------- */

/* Forgets the peer, and whatever connect chose for it. */
static void disconnect(struct udp *udp, struct udp_sock *s)
{
	if (!s->bound)
		return;
	unlink_input(udp, s);
	s->remote = (struct pc_endpoint){0};
	udp_forget_path(s);
	if (!s->addr_fixed) {
		s->local.addr = (struct pc_addr){0};
		s->laddr = LADDR_NONE;
	}
	if (s->port_fixed) {
		link_input(udp, s);
		return;
	}
	unlink_bind(udp, s);
	s->local.port = 0;
}

int udp_connect(struct udp *udp, uint32_t index, const struct pc_endpoint *remote, uint16_t laddr)
{
	struct udp_sock *s = &udp->sock[index];
	int rc;

	if (remote == NULL) {
		disconnect(udp, s);
		return 0;
	}
	if (!udp_speaks(s, &remote->addr))
		return -ENETUNREACH;
	laddr = s->addr_fixed ? s->laddr : laddr;
	rc = udp_search_path(udp, s, &remote->addr, remote->port,
	                     udp_group_laddr(udp, s, laddr, &remote->addr));
	if (rc != 0)
		return rc;
	if (s->path.laddr == LADDR_NONE) /* a local name needs an address */
		return -ENETUNREACH;
	if (s->path.broadcast && !s->broadcast)
		return -EACCES;
	if (!s->bound && (rc = udp_bind_any(udp, s, remote, &s->path)) != 0)
		return rc;
	unlink_input(udp, s);
	if (!s->addr_fixed) {
		s->local.addr = *ip_laddr(udp->ip, s->path.laddr);
		s->laddr = s->path.laddr;
	}
	s->remote = remote->port != 0 ? *remote : (struct pc_endpoint){0};
	if (s->path.shared) /* the flow is known only now */
		udp_forget_path(s);
	link_input(udp, s);
	return 0;
}

void udp_mark_laddrs(const struct udp *udp, bool used[PC_MAX_ADDRS])
{
	for (uint32_t i = 0; i < udp->nb_socks; i++) {
		const struct udp_sock *s = &udp->sock[i];

		if (s->open && s->laddr < PC_MAX_ADDRS)
			used[s->laddr] = true;
		if (s->open && s->out_laddr > 0 && s->out_laddr <= PC_MAX_ADDRS)
			used[s->out_laddr - 1] = true;
	}
}

/* ---- invariants ------------------------------------------------------------------------------ */

static bool is_linked(const struct udp *udp, const struct udp_sock *s)
{
	const uint32_t id = id_of(udp, s);
	uint32_t i, steps = 0;

	for (i = *chain_of(udp, s); i != 0 && i != id && steps < udp->nb_socks; steps++)
		i = udp->sock[i - 1].next;
	if (i != id)
		return false;
	steps = 0;
	for (i = udp->by_bind[s->local.port & udp->mask]; i != 0 && i != id; steps++) {
		if (steps == udp->nb_socks)
			return false;
		i = udp->sock[i - 1].bind_next;
	}
	return i == id;
}

static unsigned validate_sock(const struct udp *udp, const struct udp_sock *s)
{
	uint32_t bytes = 0, reports = 0;
	unsigned bad = 0;

	for (struct rte_mbuf *m = s->reports.head; m != NULL; m = pkt_of(m)->next)
		reports++;
	bad += reports != s->nb_reports;
	for (struct rte_mbuf *m = s->rcv.head; m != NULL; m = pkt_of(m)->next) {
		bad += m->pkt_len != pkt_of(m)->rx.len;
		bytes += pkt_of(m)->rx.len + UDP_OVERHEAD;
	}
	bad += bytes != s->rcv_bytes;
	bad += s->bound != (s->local.port != 0);
	bad += s->remote.port != 0 && !s->bound;
	bad += s->laddr != LADDR_NONE && netifs_is_usable(&udp->ip->ifs, s->laddr) &&
	       !pc_addr_equal(&s->local.addr, ip_laddr(udp->ip, s->laddr));
	if (s->bound)
		bad += !is_linked(udp, s);
	return bad;
}

unsigned udp_validate(const struct udp *udp)
{
	uint32_t open = 0, connected = 0;
	unsigned bad = 0;

	for (uint32_t i = 0; i < udp->nb_socks; i++) {
		const struct udp_sock *s = &udp->sock[i];

		if (!s->open)
			continue;
		open++;
		connected += s->remote.port != 0;
		bad += validate_sock(udp, s);
	}
	return bad + (open != udp->count) + (connected != udp->nb_connected);
}
