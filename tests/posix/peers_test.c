/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that come, are stopped and are killed at random moments, beside one that must not notice.
 *
 * Workers are forked from a process that is attached; each uses sockets, sets and descriptors as fast as it can.  One
 * after the other is stopped, continued or killed.  At the end nothing of them may be left: no socket of
 * the service, no slot, no event queue, no mbuf.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <percore/host.h>
#include <percore/percore.h>

#include "eal.h"
#include "live.h"
#include "serve/service.h"

#define WORKERS 4

static struct live peers;
static uint32_t seed = 1;

static uint32_t draw(uint32_t n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

/* ---- workers ---------------------------------------------------------------------------------- */

static void serve_one(int listener)
{
	struct timeval tv = {.tv_usec = 2000};
	int fd = pcx_accept4(listener, NULL, NULL, SOCK_CLOEXEC), ep = pcx_epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN};
	char buf[3000] = "";

	if (fd >= 0) {
		pcx_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		pcx_epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
		pcx_epoll_wait(ep, &e, 1, 1);
		pcx_send(fd, buf, draw(sizeof(buf)), MSG_NOSIGNAL | MSG_DONTWAIT);
		pcx_recv(fd, buf, sizeof(buf), 0);
		pcx_close(draw(2) ? fd : pcx_dup(fd));
	}
	pcx_close(ep);
	if (fd >= 0)
		pcx_close(fd);
}

static void use_others(const struct sockaddr_in *far)
{
	int fd = pcx_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int udp = pcx_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	pcx_connect(fd, (const struct sockaddr *)far, sizeof(*far));
	pcx_poll(&p, 1, 1);
	pcx_sendto(udp, "abc", 3, 0, (const struct sockaddr *)far, sizeof(*far));
	pcx_close(udp);
	pcx_close(fd);
}

static void work(uint32_t first, int listener, const struct sockaddr_in *far)
{
	seed = first;
	pcx_fcntl(listener, F_SETFL, O_NONBLOCK);
	for (;;) {
		if (draw(2))
			serve_one(listener);
		else
			use_others(far);
	}
}

static pid_t start_worker(int listener, const struct sockaddr_in *far)
{
	uint32_t first = draw(1u << 20);
	pid_t pid = fork();

	if (pid == 0)
		work(first, listener, far);
	return pid;
}

/* ---- the far side, and what is left ----------------------------------------------------------- */

static void connect_some(const struct sockaddr_in *a, int far[], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (far[i] >= 0)
			peers.bed.call->close(&peers.bed, FAR, far[i]);
		far[i] = live_far_connect(&peers, a);
	}
}

static unsigned slots_in_use(const struct pc_host *h)
{
	unsigned n = 0;

	for (uint32_t p = 1; p < CHAN_PROCS; p++)
		n += at_load(&h->slot[p]) != CHAN_PROC_FREE;
	return n;
}

static unsigned queues_in_use(const struct pc_host *h)
{
	unsigned n = 0;

	for (uint32_t q = 0; q < CHAN_QUEUES; q++)
		n += __atomic_load_n(&h->queue_owner[q], __ATOMIC_RELAXED) != 0;
	return n;
}

/* Waits until one process is left, with sockets sockets. */
static bool is_clean(unsigned sockets)
{
	const struct pc_service *s = peers.bed.service;
	const struct pc_host *h = peers.bed.host;

	for (int i = 0; i < 3000; i++, live_sleep(1))
		if (slots_in_use(h) == 1 && queues_in_use(h) == 0 &&
		    __atomic_load_n(&s->nb_used, __ATOMIC_RELAXED) == sockets)
			return true;
	fprintf(stderr, "left: %u slots, %u queues, %u sockets\n", slots_in_use(h),
	        queues_in_use(h), s->nb_used);
	return false;
}

/* What the surviving process does meanwhile: its own connection goes on. */
static bool exchange(int fd[2])
{
	char buf[100];

	live_far_send(&peers, fd[FAR], 10);
	return pcx_recv(fd[NEAR], buf, 10, MSG_WAITALL) == 10 &&
	       pcx_send(fd[NEAR], buf, 10, 0) == 10 && live_far_recv(&peers, fd[FAR], 10) == 10;
}

static void disturb(pid_t pid[], int listener, const struct sockaddr_in *far)
{
	unsigned i = draw(WORKERS);

	switch (draw(4)) {
	case 0:
		kill(pid[i], SIGSTOP);
		break;
	case 1:
		kill(pid[i], SIGCONT);
		break;
	default:
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
		pid[i] = start_worker(listener, far);
	}
}

static bool run(struct rte_mempool *pool, unsigned rounds)
{
	struct sockaddr_in a, far_addr;
	int pair[2], far[8] = {-1, -1, -1, -1, -1, -1, -1, -1}, listener;
	pid_t pid[WORKERS];
	bool good = true;

	live_percore(&peers, pool);
	live_pair(&peers, pair);
	listener = live_listener(&peers, 100, &a);
	far_addr = bed_addr(&peers.bed, FAR, 9);
	for (int i = 0; i < WORKERS; i++)
		pid[i] = start_worker(listener, &far_addr);
	for (unsigned r = 0; r < rounds && good; r++) {
		connect_some(&a, far, 8);
		live_sleep(draw(4));
		disturb(pid, listener, &far_addr);
		good = exchange(pair);
		if (!good)
			fprintf(stderr, "round %u: the survivor cannot go on\n", r);
	}
	for (int i = 0; i < WORKERS; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	pcx_close(listener);
	for (int i = 0; i < 8; i++)
		peers.bed.call->close(&peers.bed, FAR, far[i]);
	good = is_clean(1) && good;
	pcx_close(pair[NEAR]);
	peers.bed.call->close(&peers.bed, FAR, pair[FAR]);
	good = is_clean(0) && good;
	live_end(&peers);
	return good;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 60;
	struct rte_mempool *pool;
	uint32_t in_use;
	bool good;

	seed = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
	eal_start();
	pool = eal_pool("peers", 8191);
	in_use = eal_in_use(pool);
	good = run(pool, rounds);
	if (eal_in_use(pool) != in_use) {
		fprintf(stderr, "%u mbufs are missing\n", eal_in_use(pool) - in_use);
		good = false;
	}
	puts(good ? "ok" : "FAILED");
	return good ? 0 : 1;
}
