/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: net_memif connects a client only when the device is started.  So a client without a
 * server is restarted once a second.  An alarm does that in EAL's interrupt thread, where the
 * driver handles its connections, since the driver may sleep in connect().  Lcores are kept off the
 * device meanwhile (ethdev_restart).
 *
 * Ownership: a struct rejoin belongs to the first worker, except trying, which the alarm clears.
 */
#include "rejoin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#include "port/ethdev.h"
#include "port/memif.h"

#define TRY_NS       UINT64_C(1000000000)
#define DEFAULT_PATH "/run/memif.sock"

/* The arguments of the driver that matter here. */
struct memif_args {
	bool server, in_file_system;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

static void read_arg(struct memif_args *a, const char *item)
{
	if (strcmp(item, "role=server") == 0 || strcmp(item, "role=master") == 0)
		a->server = true;
	else if (strcmp(item, "socket-abstract=no") == 0)
		a->in_file_system = true;
	else if (strncmp(item, "socket=", 7) == 0)
		snprintf(a->path, sizeof(a->path), "%s", item + 7);
}

static struct memif_args read_args(const char *args)
{
	struct memif_args a = {.path = DEFAULT_PATH};
	char *text = strdup(args), *rest = text, *item;

	while (rest != NULL && (item = strsep(&rest, ",")) != NULL)
		read_arg(&a, item);
	free(text);
	return a;
}

void rejoin_find(struct rejoin *j, uint16_t id)
{
	const struct rte_devargs *args;
	struct rte_eth_dev_info dev;

	*j = (struct rejoin){.id = id};
	if (rte_eth_dev_info_get(id, &dev) != 0 || !memif_is_driver(dev.driver_name))
		return;
	args = rte_dev_devargs(dev.device);
	j->client = !read_args(args != NULL && args->args != NULL ? args->args : "").server &&
	            memif_guard() == 0; /* else lcores cannot be kept away */
}

static void try_again(void *arg)
{
	struct rejoin *j = arg;
	struct rte_eth_link link;

	/* the link may have come up since, by an earlier event in this thread */
	if (rte_eth_link_get_nowait(j->id, &link) != 0 || link.link_status == 0)
		(void)ethdev_restart(j->id);
	__atomic_store_n(&j->trying, false, __ATOMIC_RELEASE);
}

void rejoin_look(struct rejoin *j, bool up, uint64_t now_ns)
{
	if (!j->client)
		return;
	if (up || j->next_ns == 0)
		j->next_ns = now_ns + TRY_NS;
	if (up || now_ns < j->next_ns || __atomic_load_n(&j->trying, __ATOMIC_ACQUIRE))
		return;
	j->next_ns = now_ns + TRY_NS;
	j->trying = true;
	if (rte_eal_alarm_set(1, try_again, j) != 0)
		j->trying = false;
}

void rejoin_end(struct rejoin *j)
{
	if (j->client)
		(void)rte_eal_alarm_cancel(try_again, j);
	j->client = false;
}

/* Says whether a socket exists that refuses connections: its creator is gone. */
static bool is_left_over(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;
	bool left;
	int fd;

	if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	left = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 && errno == ECONNREFUSED;
	close(fd);
	return left;
}

void rejoin_clear(const char *device)
{
	const char *args = strchr(device, ',');
	struct memif_args a;

	if (strncmp(device, "net_memif", 9) != 0 || args == NULL)
		return;
	a = read_args(args + 1);
	if (a.server && a.in_file_system && is_left_over(a.path))
		(void)unlink(a.path);
}
