/* SPDX-License-Identifier: BSD-2-Clause */
/* Creates everything that run_loop needs, and destroys it in the opposite order. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mempool.h>

#include "stack/end.h"

#include "lease.h"
#include "memory.h"
#include "wall.h"
#include "worker.h"

/* The index of a VLAN in r->vlans; r->nb_vlans: not found. */
static unsigned find_vlan(const struct run *r, const struct run_addr *a)
{
	unsigned i = 0;

	while (i < r->nb_vlans &&
	       (r->vlans[i].port != a->port || r->vlans[i].tag[0] != a->vlan[0] ||
	        r->vlans[i].tag[1] != a->vlan[1]))
		i++;
	return i;
}

unsigned setup_port_of(const struct run *r, const struct run_addr *a)
{
	return a->vlan[0] == 0 ? a->port : r->nb_ports + find_vlan(r, a);
}

/* Lists each VLAN that has an address. */
static int find_vlans(struct run *r)
{
	for (unsigned i = 0; i < r->s->nb_addrs; i++) {
		const struct run_addr *a = &r->s->addrs[i];

		if (a->vlan[0] == 0 || find_vlan(r, a) < r->nb_vlans)
			continue;
		if (r->nb_ports + r->nb_vlans == PC_MAX_PORTS)
			return settings_fail(r->s, "too many ports and VLANs (at most %d)",
			                     PC_MAX_PORTS);
		r->vlans[r->nb_vlans++] =
		    (struct run_vlan){.port = a->port, .tag = {a->vlan[0], a->vlan[1]}};
	}
	return 0;
}

/* The next device from id on without an owner; RTE_MAX_ETHPORTS: none. */
static uint64_t next_device(uint64_t id)
{
	return id < RTE_MAX_ETHPORTS
	           ? rte_eth_find_next_owned_by((uint16_t)id, RTE_ETH_DEV_NO_OWNER)
	           : id;
}

static bool is_member(uint16_t id)
{
	for (uint64_t i = next_device(0); i < RTE_MAX_ETHPORTS; i = next_device(i + 1)) {
		struct bond b;

		bond_find(&b, (uint16_t)i);
		if (bond_has(&b, id))
			return true;
	}
	return false;
}

static int find_ports(struct run *r)
{
	for (uint64_t i = next_device(0); i < RTE_MAX_ETHPORTS; i = next_device(i + 1)) {
		if (is_member((uint16_t)i))
			continue;
		if (r->nb_ports == PC_MAX_PORTS)
			return settings_fail(
			    r->s, "too many ports (at most %d): select those to use with -a",
			    PC_MAX_PORTS);
		r->port_ids[r->nb_ports++] = (uint16_t)i;
	}
	for (unsigned i = 0; i < r->s->nb_addrs; i++)
		if (r->s->addrs[i].port >= r->nb_ports)
			return settings_fail(
			    r->s, "an address is assigned to port %u, but the last port is %u",
			    r->s->addrs[i].port, r->nb_ports - 1);
	if (r->s->macs_given >> r->nb_ports != 0)
		return settings_fail(
		    r->s, "net.mac names a port that does not exist; the last port is %u",
		    r->nb_ports - 1);
	return find_vlans(r);
}

static int check_queues(struct run *r, unsigned nb_lcores)
{
	struct rte_eth_dev_info dev;
	unsigned max;

	for (unsigned p = 0; p < r->nb_ports; p++) {
		if (rte_eth_dev_info_get(r->port_ids[p], &dev) != 0)
			continue; /* pc_ethdev_start reports why */
		max = dev.max_rx_queues < dev.max_tx_queues ? dev.max_rx_queues : dev.max_tx_queues;
		if (nb_lcores <= max)
			continue;
		return settings_fail(
		    r->s,
		    "%u lcores, but port %u (%s) has %u queue pair%s: use fewer lcores (EAL option "
		    "-l) or a device with more queues%s",
		    nb_lcores, p, dev.driver_name, max, max == 1 ? "" : "s",
		    strcmp(dev.driver_name, "net_af_packet") == 0 ? " (qpairs=N in --vdev)"
		    : strcmp(dev.driver_name, "net_af_xdp") == 0  ? " (queue_count=N in --vdev)"
		                                                  : "");
	}
	return 0;
}

static int make_worker(struct run *r, unsigned lcore)
{
	struct worker *w =
	    rte_zmalloc_socket("worker", sizeof(*w), RTE_CACHE_LINE_SIZE,
	                       r->eal.no_huge ? SOCKET_ID_ANY : (int)rte_lcore_to_socket_id(lcore));

	if (w == NULL)
		return settings_fail(r->s, "not enough memory for lcore %u", lcore);
	w->run = r;
	w->lcore = lcore;
	w->index = r->nb_workers;
	r->workers[r->nb_workers++] = w;
	return 0;
}

static int make_workers(struct run *r)
{
	for (unsigned lcore = 0; lcore < RTE_MAX_LCORE; lcore++)
		if (rte_lcore_is_enabled(lcore) && make_worker(r, lcore) != 0)
			return -1;
	if (r->app->one_lcore && r->nb_workers > 1)
		return settings_fail(r->s,
		                     "%s supports only one lcore: select it with the EAL option -l",
		                     r->app->name);
	return check_queues(r, r->nb_workers);
}

/* The shares of all lcores are computed before any pool is created. */
static int make_pools(struct run *r, struct pc_stack_config *configs)
{
	for (unsigned i = 0; i < r->nb_workers; i++)
		if (memory_fit(r->s, &r->eal, r->workers[i]->lcore, r->nb_ports, &configs[i]) != 0)
			return -1;
	for (unsigned i = 0; i < r->nb_workers; i++) {
		r->workers[i]->pool =
		    memory_make_pool(r->s, &r->eal, r->workers[i]->lcore, &configs[i]);
		if (r->workers[i]->pool == NULL)
			return -1;
	}
	return 0;
}

/* Says whether a device should strip and insert VLAN tags. Not while frames are captured: the file
 * shows only tags that are in the frames. */
static bool wants_vlans(const struct run *r, unsigned p)
{
	for (unsigned i = 0; i < r->nb_vlans; i++)
		if (r->vlans[i].port == p)
			return *r->s->pcap == '\0';
	return false;
}

static bool wants_interrupts(const struct run *r, uint16_t id)
{
	struct rte_eth_dev_info dev;

	return rte_eth_dev_info_get(id, &dev) == 0 &&
	       idle_wants_interrupts(r->s->run.run_idle, dev.driver_name);
}

/* Makes a device that filters VLAN tags accept those in use, and 0, which only carries a priority.
 * Most devices filter nothing and return an error. */
static void let_tags_through(const struct run *r, unsigned p)
{
	const uint16_t id = r->port_ids[p];

	for (unsigned i = 0; i < r->nb_vlans; i++) {
		if (r->vlans[i].port != p)
			continue;
		(void)rte_eth_dev_vlan_filter(id, r->vlans[i].tag[0], 1);
		(void)rte_eth_dev_vlan_filter(id, 0, 1);
	}
}

/* The MAC address that a port is to have; NULL: the device's. */
static const uint8_t *mac_of(const struct settings *s, unsigned p)
{
	return (s->macs_given >> p & 1) != 0 ? s->mac[p] : NULL;
}

static int start_devices(struct run *r)
{
	struct rte_mempool *pools[RTE_MAX_LCORE];
	char why[256] = "", name[RTE_ETH_NAME_MAX_LEN] = "";
	const bool bare = r->app->frames != NULL && r->app->frames->as_on_the_wire;
	struct pc_ethdev_config config = {
	    .nb_queues = (uint16_t)r->nb_workers,
	    .nb_rxd = (uint16_t)r->s->run.port_rxd,
	    .nb_txd = (uint16_t)r->s->run.port_txd,
	    .mtu = (uint16_t)r->s->run.port_mtu,
	    .no_offloads = bare || r->s->run.port_offloads == 0,
	    .chains = bare,
	    .promiscuous = bare || r->s->run.port_promiscuous != 0,
	    .pools = pools,
	};

	for (unsigned i = 0; i < r->nb_workers; i++)
		pools[i] = r->workers[i]->pool;
	for (; r->nb_started < r->nb_ports; r->nb_started++) {
		bond_prepare(r->port_ids[r->nb_started]);
		config.vlans = wants_vlans(r, r->nb_started);
		config.rx_interrupts = wants_interrupts(r, r->port_ids[r->nb_started]);
		config.mac = mac_of(r->s, r->nb_started);
		if (pc_ethdev_start(r->port_ids[r->nb_started], &config, why, sizeof(why)) == 0) {
			let_tags_through(r, r->nb_started);
			continue;
		}
		(void)rte_eth_dev_get_name_by_port(r->port_ids[r->nb_started], name);
		return settings_fail(r->s, "cannot use port %u (%s): %s%s", r->nb_started, name,
		                     why, geteuid() != 0 ? "; some devices need root" : "");
	}
	return 0;
}

static int add_steer(struct run *r, struct worker *w, unsigned p)
{
	struct pc_port *port = w->ports[p];
	bool by_flow = steer_by_flow(r->s->run.port_steer, port->info.driver);

	if (r->nb_workers == 1)
		return 0;
	if (r->steers[p] == NULL)
		r->steers[p] = steer_create(r->port_ids[p], r->nb_workers, by_flow);
	if (r->steers[p] == NULL)
		return settings_fail(r->s, "not enough memory for the queues between lcores");
	port = steer_port(r->steers[p], w->index, port, w->pool);
	if (port == NULL)
		return settings_fail(r->s, "not enough memory for a port");
	w->ports[p] = port;
	return 0;
}

/* One file per queue: "trace.pcap", or "trace.l1p0.pcap" for lcore 1 and port 0. */
static int add_pcap(struct run *r, struct worker *w, unsigned p)
{
	const char *path = r->s->pcap, *base = strrchr(path, '/'), *dot;
	struct pc_port *port;
	char name[PATH_MAX];

	if (*path == '\0')
		return 0;
	base = base != NULL ? base + 1 : path;
	dot = strrchr(base, '.');
	if (dot == NULL || dot == base)
		dot = path + strlen(path);
	if (r->nb_workers == 1 && r->nb_ports == 1)
		snprintf(name, sizeof(name), "%s", path);
	else
		snprintf(name, sizeof(name), "%.*s.l%up%u%s", (int)(dot - path), path, w->lcore, p,
		         dot);
	port = pc_port_pcap(w->ports[p], name);
	if (port == NULL)
		return settings_fail(r->s, "cannot write %s: %s", name, strerror(errno));
	w->ports[p] = w->pcaps[p] = port;
	return 0;
}

/* Makes a port that has VLANs a trunk, and creates the VLANs' ports. */
static int add_vlans(struct run *r, struct worker *w, unsigned p)
{
	struct pc_trunk *trunk = NULL;

	for (unsigned i = 0; i < r->nb_vlans; i++) {
		const struct run_vlan *v = &r->vlans[i];
		struct pc_port *port = NULL;

		if (v->port != p)
			continue;
		if (trunk == NULL && (trunk = pc_trunk_create(w->ports[p])) != NULL)
			w->ports[p] = pc_trunk_port(trunk, 0, 0);
		if (trunk != NULL)
			port = pc_trunk_port(trunk, v->tag[0], v->tag[1]);
		if (port == NULL)
			return settings_fail(r->s, "cannot use VLAN %u of port %u: %s", v->tag[0],
			                     p, strerror(errno));
		w->ports[r->nb_ports + i] = port;
	}
	return 0;
}

static int make_port(struct run *r, struct worker *w, unsigned p)
{
	w->ports[p] = pc_port_ethdev(r->port_ids[p], (uint16_t)w->index, w->pool);
	if (w->ports[p] == NULL)
		return settings_fail(r->s, "cannot use port %u on lcore %u: %s", p, w->lcore,
		                     strerror(errno));
	/* some drivers do not store it (pc_ethdev_config) */
	if (r->s->run.port_mtu != 0)
		w->ports[p]->info.mtu = (uint16_t)r->s->run.port_mtu;
	w->devices[p] = w->ports[p];
	r->link_up[p] = w->ports[p]->info.link_up;
	if (w->index == 0) {
		bond_find(&r->bonds[p], r->port_ids[p]);
		rejoin_find(&r->rejoins[p], r->port_ids[p]);
	}
	if (add_steer(r, w, p) != 0 || add_pcap(r, w, p) != 0)
		return -1;
	return add_vlans(r, w, p);
}

static bool is_our_own(const struct settings *s, const struct pc_addr *addr)
{
	for (unsigned i = 0; i < s->nb_addrs; i++)
		if (pc_addr_equal(&s->addrs[i].prefix.addr, addr))
			return true;
	return false;
}

static int add_gateway(struct run *r, struct worker *w, const struct pc_addr *gateway)
{
	const struct pc_prefix all = {0}; /* becomes the gateway's family */
	char text[PC_ADDR_STRLEN];

	if (pc_stack_add_route(w->st, &all, gateway) == 0)
		return 0;
	return settings_fail(r->s, "cannot use gateway %s: %s", pc_addr_format(gateway, text),
	                     is_our_own(r->s, gateway) ? "it is our own address"
	                     : errno == ENETUNREACH    ? "not on the network of any address"
	                                               : strerror(errno));
}

static int add_addrs(struct run *r, struct worker *w)
{
	char text[PC_PREFIX_STRLEN];

	for (unsigned i = 0; i < r->s->nb_addrs; i++) {
		const struct run_addr *a = &r->s->addrs[i];
		const int port = (int)setup_port_of(r, a);

		if (a->dhcp)
			continue; /* done by lease.c */
		if (a->prefix.len == 0 ? pc_stack_add_slaac(w->st, port) == 0
		                       : pc_stack_add_addr(w->st, port, &a->prefix) == 0)
			continue;
		pc_prefix_format(&a->prefix, text);
		return errno == EEXIST
		           ? settings_fail(r->s, "duplicate address %s", text)
		           : settings_fail(r->s, "cannot use address %s: %s", text,
		                           errno == EINVAL ? "not a unicast host address"
		                                           : strerror(errno));
	}
	if (pc_stack_deny_all(w->st, r->s->denied, r->s->nb_denied) != 0)
		return settings_fail(r->s, "net.deny: %s", strerror(errno));
	for (unsigned i = 0; i < r->s->nb_gateways; i++)
		if (add_gateway(r, w, &r->s->gateway[i]) != 0)
			return -1;
	return 0;
}

static int make_ports(struct run *r, struct worker *w)
{
	for (unsigned p = 0; p < r->nb_ports; p++)
		if (make_port(r, w, p) != 0)
			return -1;
	for (unsigned p = 0; w->st != NULL && p < r->nb_ports + r->nb_vlans; p++)
		if (pc_stack_add_port(w->st, w->ports[p]) < 0)
			return settings_fail(r->s, "cannot add port %u: %s", p, strerror(errno));
	return 0;
}

static int make_stack(struct run *r, struct worker *w, const struct pc_stack_config *config)
{
	if (r->app->frames != NULL)
		return make_ports(r, w);
	w->st = pc_stack_create(config, w->pool);
	if (w->st == NULL)
		return settings_fail(r->s, "cannot create the stack of lcore %u: %s%s", w->lcore,
		                     strerror(errno),
		                     errno == ENOMEM ? "; lower stack.max_connections" : "");
	wall_start(w->st);
	if (make_ports(r, w) != 0 || (w->index == 0 && exception_make(r, w) != 0) ||
	    exception_attach(r, w) != 0)
		return -1;
	return add_addrs(r, w);
}

static int make_stacks(struct run *r, struct pc_stack_config *configs)
{
	for (unsigned i = 0; i < r->nb_workers; i++) {
		snprintf(configs[i].name, sizeof(configs[i].name), "lcore%u", r->workers[i]->lcore);
		/* the same seed on every lcore would give the same ISNs and ports */
		if (configs[i].stack_seed != 0)
			configs[i].stack_seed += i;
		if (make_stack(r, r->workers[i], &configs[i]) != 0)
			return -1;
	}
	return 0;
}

int run_setup(struct run *r)
{
	struct pc_stack_config *configs;
	int rc = -1;

	if (find_ports(r) != 0 || make_workers(r) != 0)
		return -1;
	if (lease_prepare(r) != 0)
		return settings_fail(r->s, "not enough memory for leases");
	configs = rte_calloc("configs", r->nb_workers, sizeof(*configs), 0);
	if (configs == NULL)
		return settings_fail(r->s, "not enough memory for settings");
	if (make_pools(r, configs) == 0 && start_devices(r) == 0)
		rc = make_stacks(r, configs);
	rte_free(configs);
	return rc;
}

/* EAL ends, too, so memory is freed only with hugepages, which may be files that persist. */
static void end_stack(struct pc_stack *st)
{
	if (rte_eal_has_hugepages())
		pc_stack_destroy(st);
	else
		stack_end(st);
}

void run_teardown(struct run *r)
{
	for (unsigned p = 0; p < r->nb_ports; p++)
		rejoin_end(&r->rejoins[p]);
	for (unsigned i = 0; i < r->nb_workers; i++)
		end_stack(r->workers[i]->st);
	for (unsigned i = 0; i < r->nb_workers; i++)
		for (unsigned p = 0; p < r->nb_ports + r->nb_vlans; p++)
			pc_port_close(r->workers[i]->ports[p]);
	for (unsigned i = 0; i < r->nb_workers; i++)
		exception_close(r->workers[i]);
	exception_stop(r);
	lease_free(r);
	for (unsigned p = 0; p < r->nb_ports; p++)
		steer_free(r->steers[p]);
	/* all, including those that were not started: closing a TAP removes it */
	for (unsigned p = 0; p < r->nb_ports; p++)
		pc_ethdev_stop(r->port_ids[p]);
	for (unsigned i = 0; i < r->nb_workers; i++) {
		if (r->workers[i]->pool != NULL)
			r->mbufs_missing += rte_mempool_in_use_count(r->workers[i]->pool);
		rte_mempool_free(r->workers[i]->pool);
		rte_free(r->workers[i]);
	}
}
