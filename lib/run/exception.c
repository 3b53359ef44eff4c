/* SPDX-License-Identifier: BSD-2-Clause */
#include "exception.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "worker.h"

#define EXCEPTION_DESCRIPTORS 256
#define EXCEPTION_MTU         1500 /* the largest that the TAP driver accepts */

/* As in linux/ipv6.h, which conflicts with netinet/in.h. */
struct ifreq6 {
	struct in6_addr addr;
	uint32_t prefix_len;
	int index;
};

/* ---- the kernel's interface ------------------------------------------------------------------ */

/* Sets an address of the interface; further IPv4 addresses go to an alias, name:k. */
static int set_addr4(int fd, const char *name, unsigned k, const struct pc_prefix *p)
{
	struct ifreq req = {0};
	struct sockaddr_in sin = {.sin_family = AF_INET};
	const unsigned len = p->len - 96;

	snprintf(req.ifr_name, sizeof(req.ifr_name), k == 0 ? "%s" : "%s:%hhu", name, (uint8_t)k);
	sin.sin_addr.s_addr = pc_addr_get_ip4(&p->addr);
	memcpy(&req.ifr_addr, &sin, sizeof(sin));
	if (ioctl(fd, SIOCSIFADDR, &req) != 0)
		return -errno;
	sin.sin_addr.s_addr = htonl(len == 0 ? 0 : UINT32_MAX << (32 - len));
	memcpy(&req.ifr_netmask, &sin, sizeof(sin));
	return ioctl(fd, SIOCSIFNETMASK, &req) == 0 ? 0 : -errno;
}

static int set_addr6(int fd, const char *name, const struct pc_prefix *p)
{
	struct ifreq6 req = {.prefix_len = p->len, .index = (int)if_nametoindex(name)};

	memcpy(&req.addr, &p->addr, sizeof(req.addr));
	return ioctl(fd, SIOCSIFADDR, &req) == 0 ? 0 : -errno;
}

static int set_mtu(int fd, const char *name, int mtu)
{
	struct ifreq req = {.ifr_mtu = mtu};

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	return ioctl(fd, SIOCSIFMTU, &req) == 0 ? 0 : -errno;
}

static int set_addrs(struct run *r, unsigned p, int fd, int fd6, const char *name)
{
	char text[PC_PREFIX_STRLEN];
	unsigned k = 0;

	for (unsigned i = 0; i < r->s->nb_addrs && r->s->run.exception_addrs != 0; i++) {
		const struct run_addr *a = &r->s->addrs[i];
		int rc;

		if (a->prefix.len == 0 || setup_port_of(r, a) != p)
			continue;
		if (!pc_addr_is_ip4(&a->prefix.addr)) {
			r->taps.no_ip6 |= fd6 < 0 || set_addr6(fd6, name, &a->prefix) != 0;
			continue;
		}
		rc = set_addr4(fd, name, k++, &a->prefix);
		if (rc != 0)
			return settings_fail(
			    r->s, "exception.iface: cannot add %s to interface %s: %s",
			    pc_prefix_format(&a->prefix, text), name, strerror(-rc));
	}
	return 0;
}

static int set_interface(struct run *r, unsigned p, const char *name, int mtu)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	          fd6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return settings_fail(r->s, "exception.iface: cannot open a socket to set up %s: %s",
		                     name, strerror(errno));
	rc = set_mtu(fd, name, mtu);
	if (rc != 0)
		(void)settings_fail(r->s,
		                    "exception.iface: cannot set the MTU of interface %s to %d: %s",
		                    name, mtu, strerror(-rc));
	else
		rc = set_addrs(r, p, fd, fd6, name);
	close(fd);
	if (fd6 >= 0)
		close(fd6);
	return rc == 0 ? 0 : -1;
}

/* ---- the devices ----------------------------------------------------------------------------- */

static void name_of(const struct run *r, unsigned p, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, "%s%hhu", r->s->exception, (uint8_t)p);
}

/* Creates the TAP of a port. Returns 0, or -1 with a line in r->s->why. */
static int make_device(struct run *r, unsigned p, const char *name, const uint8_t mac[6])
{
	char vdev[RTE_ETH_NAME_MAX_LEN], args[96];
	int rc;

	snprintf(vdev, sizeof(vdev), "net_tap_exception%u", p);
	snprintf(args, sizeof(args), "iface=%s,mac=%02x:%02x:%02x:%02x:%02x:%02x", name, mac[0],
	         mac[1], mac[2], mac[3], mac[4], mac[5]);
	if (if_nametoindex(name) != 0)
		return settings_fail(r->s, "exception.iface: interface %s already exists", name);
	rc = rte_eal_hotplug_add("vdev", vdev, args);
	if (rc == 0)
		rc = rte_eth_dev_get_port_by_name(vdev, &r->taps.id[r->taps.n]);
	if (rc != 0)
		return settings_fail(r->s, "exception.iface: cannot create TAP %s: %s%s", name,
		                     strerror(-rc), geteuid() != 0 ? "; run as root" : "");
	r->taps.n++;
	return 0;
}

static int start_device(struct run *r, uint16_t id, const char *name)
{
	struct rte_mempool *pools[RTE_MAX_LCORE];
	const struct pc_ethdev_config config = {
	    .nb_queues = (uint16_t)r->nb_workers,
	    .nb_rxd = EXCEPTION_DESCRIPTORS,
	    .nb_txd = EXCEPTION_DESCRIPTORS,
	    .no_offloads = true,
	    .rx_interrupts = idle_wants_interrupts(r->s->run.run_idle, "net_tap"),
	    .pools = pools,
	};
	char why[256] = "";

	for (unsigned i = 0; i < r->nb_workers; i++)
		pools[i] = r->workers[i]->pool;
	if (pc_ethdev_start(id, &config, why, sizeof(why)) == 0)
		return 0;
	return settings_fail(r->s, "exception.iface: cannot use %s: %s", name, why);
}

int exception_make(struct run *r, const struct worker *w)
{
	char name[IFNAMSIZ];

	if (r->s->exception[0] == '\0')
		return 0;
	for (unsigned p = 0; p < r->nb_ports + r->nb_vlans; p++) {
		const struct pc_port_info *info = &w->ports[p]->info;

		name_of(r, p, name);
		if (make_device(r, p, name, info->mac) != 0 ||
		    start_device(r, r->taps.id[p], name) != 0 ||
		    set_interface(r, p, name, RTE_MIN((int)info->mtu, EXCEPTION_MTU)) != 0)
			return -1;
	}
	return 0;
}

int exception_attach(struct run *r, struct worker *w)
{
	for (unsigned p = 0; p < r->taps.n; p++) {
		w->taps[p] = pc_port_ethdev(r->taps.id[p], (uint16_t)w->index, w->pool);
		if (w->taps[p] == NULL ||
		    pc_stack_set_exception(w->st, (int)p, w->taps[p], w->index == 0) != 0)
			return settings_fail(
			    r->s,
			    "exception.iface: cannot set up the exception path of port %u: %s", p,
			    strerror(errno));
	}
	return 0;
}

void exception_report(const struct run *r)
{
	char name[IFNAMSIZ];

	for (unsigned p = 0; p < r->taps.n; p++) {
		name_of(r, p, name);
		printf("exception path: frames of port %u that percore does not handle go to the "
		       "kernel through %s\n",
		       p, name);
	}
	if (r->taps.no_ip6)
		printf("note: the kernel refuses IPv6 addresses there (sysctl net.ipv6)\n");
}

void exception_close(struct worker *w)
{
	for (unsigned p = 0; p < PC_MAX_PORTS; p++)
		pc_port_close(w->taps[p]);
}

void exception_stop(struct run *r)
{
	for (unsigned p = 0; p < r->taps.n; p++)
		pc_ethdev_stop(r->taps.id[p]);
}
