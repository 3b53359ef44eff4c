/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sockets of a memif are left over, and when a client whose server is gone tries again. e2e/memif_gone has the whole. */
#include "run/rejoin.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <rte_alarm.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include "../../support/eal.h"
#include "common.h"
#include "port/ethdev.h"

#define SECOND UINT64_C(1000000000)

static char folder[] = "/tmp/percore-rejoin-XXXXXX";
static char path[64];

static bool is_there(void)
{
	return access(path, F_OK) == 0;
}

/* A socket that listens at path. */
static int serve(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	CU_ASSERT_EQUAL(listen(fd, 1), 0);
	return fd;
}

static void clear(const char *format)
{
	char device[200];

	snprintf(device, sizeof(device), format, path);
	rejoin_clear(device);
}

static void a_socket_of_the_dead_goes(void)
{
	int fd = serve();

	clear("net_memif0,role=server,socket=%s,socket-abstract=no");
	CU_ASSERT(is_there()); /* somebody listens */
	close(fd);
	clear("net_memif0,role=client,socket=%s,socket-abstract=no");
	clear("net_memif0,socket=%s,socket-abstract=no"); /* a client, if it does not say */
	clear("net_memif0,role=server,socket=%s");        /* another name altogether */
	clear("net_tap0,role=server,socket=%s,socket-abstract=no");
	CU_ASSERT(is_there());
	clear("net_memif0,role=server,socket=%s,socket-abstract=no");
	CU_ASSERT(!is_there());
	clear("net_memif0,role=server,socket=%s,socket-abstract=no"); /* which is not there */
	close(serve());
	clear("net_memif1,id=3,role=master,socket-abstract=no,socket=%s,rsize=8");
	CU_ASSERT(!is_there());
	rejoin_clear("net_memif0");
}

static void what_is_no_socket_stays(void)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	char other[80];

	CU_ASSERT(fd >= 0);
	close(fd);
	clear("net_memif0,role=server,socket=%s,socket-abstract=no");
	CU_ASSERT(is_there());
	unlink(path);
	/* nor is a link followed to one */
	snprintf(other, sizeof(other), "%s.other", path);
	close(serve());
	CU_ASSERT_EQUAL(rename(path, other), 0);
	CU_ASSERT_EQUAL(symlink(other, path), 0);
	clear("net_memif0,role=server,socket=%s,socket-abstract=no");
	CU_ASSERT(is_there());
	unlink(path);
	unlink(other);
}

/* Waits for EAL's thread. */
static void wait_for_try(struct rejoin *j)
{
	while (__atomic_load_n(&j->trying, __ATOMIC_ACQUIRE))
		usleep(100);
}

static void once_a_second_while_it_is_down(void)
{
	struct rejoin j = {.client = true, .id = RTE_MAX_ETHPORTS - 1}; /* which there is not */
	const uint64_t from = 5 * SECOND;

	rejoin_look(&j, false, from);
	CU_ASSERT_EQUAL(j.next_ns, from + SECOND);
	rejoin_look(&j, false, from + SECOND - 1);
	CU_ASSERT(!j.trying);
	rejoin_look(&j, false, from + SECOND);
	CU_ASSERT_EQUAL(j.next_ns, from + 2 * SECOND);
	wait_for_try(&j);
	rejoin_look(&j, true, from + 2 * SECOND); /* up: from here on again */
	CU_ASSERT_EQUAL(j.next_ns, from + 3 * SECOND);
	CU_ASSERT(!j.trying);
	/* not twice at once */
	j.trying = true;
	rejoin_look(&j, false, from + 4 * SECOND);
	CU_ASSERT_EQUAL(j.next_ns, from + 3 * SECOND);
	j.trying = false;
	rejoin_end(&j);
	rejoin_look(&j, false, from + 9 * SECOND);
	CU_ASSERT(!j.trying);
}

/* A client whose link came up after that had been looked at. */
struct late {
	struct rejoin j;
	bool up_before, up_after, done;
};

static bool is_up(uint16_t id)
{
	struct rte_eth_link link;

	return rte_eth_link_get_nowait(id, &link) == 0 && link.link_status != 0;
}

static void look_after(void *arg)
{
	struct late *l = arg;

	l->up_after = is_up(l->j.id);
	__atomic_store_n(&l->done, true, __ATOMIC_RELEASE);
}

/* In EAL's thread for interrupts, which makes connections: so none is made between what follows here. */
static void look_too_late(void *arg)
{
	struct late *l = arg;

	l->up_before = is_up(l->j.id);
	rejoin_look(&l->j, false, l->j.next_ns);
	if (rte_eal_alarm_set(1, look_after, l) != 0)
		look_after(l);
}

static uint16_t start_memif(const char *name, const char *role, struct rte_mempool *pool)
{
	struct rte_mempool *pools[] = {pool};
	const struct pc_ethdev_config config = {.nb_queues = 1, .pools = pools};
	char args[120], why[200] = "";
	uint16_t id = UINT16_MAX;

	snprintf(args, sizeof(args), "role=%s,socket=%s,socket-abstract=no", role, path);
	CU_ASSERT_EQUAL_FATAL(rte_eal_hotplug_add("vdev", name, args), 0);
	CU_ASSERT_EQUAL_FATAL(rte_eth_dev_get_port_by_name(name, &id), 0);
	if (pc_ethdev_start(id, &config, why, sizeof(why)) != 0)
		CU_FAIL_FATAL("a memif does not start");
	return id;
}

static void not_when_it_has_just_come_up(void)
{
	struct rte_mempool *pool = eal_pool("rejoin", 4095);
	const uint16_t server = start_memif("net_memif0", "server", pool);
	const uint16_t client = start_memif("net_memif1", "client", pool);
	struct late l = {0};

	rejoin_find(&l.j, client);
	CU_ASSERT_FATAL(l.j.client);
	while (!is_up(client))
		usleep(100);
	l.j.next_ns = SECOND; /* the look that is due then saw it down */
	CU_ASSERT_EQUAL_FATAL(rte_eal_alarm_set(1, look_too_late, &l), 0);
	while (!__atomic_load_n(&l.done, __ATOMIC_ACQUIRE))
		usleep(100);
	wait_for_try(&l.j);
	CU_ASSERT(l.up_before && l.up_after);
	rejoin_end(&l.j);
	pc_ethdev_stop(client);
	pc_ethdev_stop(server);
}

static void who_is_no_client_does_not(void)
{
	struct rejoin j;

	rejoin_find(&j, RTE_MAX_ETHPORTS - 1);
	CU_ASSERT(!j.client);
	rejoin_look(&j, false, SECOND);
	rejoin_look(&j, false, 9 * SECOND);
	CU_ASSERT(!j.trying && j.next_ns == 0);
	rejoin_end(&j);
}

static const struct unit_case cases[] = {
    {"a socket of the dead goes", a_socket_of_the_dead_goes},
    {"what is no socket stays", what_is_no_socket_stays},
    {"once a second while it is down", once_a_second_while_it_is_down},
    {"not when it has just come up", not_when_it_has_just_come_up},
    {"who is no client does not", who_is_no_client_does_not},
};

int main(void)
{
	int rc;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/m.sock", folder);
	eal_start_with_drivers();
	rc = unit_run("run/rejoin", cases, sizeof(cases) / sizeof(cases[0]));
	rmdir(folder);
	return rc;
}
