/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sockets of a memif are left over, and when a client whose server is gone tries again. e2e/memif_gone has the whole. */
#include "run/rejoin.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <rte_ethdev.h>

#include "../../support/eal.h"
#include "common.h"

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

int main(void)
{
	CU_TestInfo tests[] = {
	    {"a socket of the dead goes", a_socket_of_the_dead_goes},
	    {"what is no socket stays", what_is_no_socket_stays},
	    {"once a second while it is down", once_a_second_while_it_is_down},
	    {"who is no client does not", who_is_no_client_does_not},
	    CU_TEST_INFO_NULL,
	};
	int rc;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/m.sock", folder);
	eal_start();
	rc = run_suite("run/rejoin", tests);
	rmdir(folder);
	return rc;
}
