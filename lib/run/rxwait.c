/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: DPDK gives each receive queue of a device with interrupts a descriptor, and rte_epoll
 * knows how to clear it. ppoll() on the epoll set sleeps exactly until a deadline, while
 * rte_epoll_wait() has a resolution of milliseconds.
 *
 * The clients of a service are other processes, which wake it by a futex in shared memory, and no
 * system call waits for both a futex and descriptors. So with a service the lcore sleeps on the
 * futex, and a thread of its own, the watcher, waits for the descriptors while the lcore sleeps,
 * and wakes the futex.
 *
 * Invariants: the watcher waits for the queues at most once each time it is told to; only the
 * lcore, when it is awake, reads their events (rte_epoll_wait).
 */
#include "rxwait.h"

#include <percore/run.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_interrupts.h>

#define SECOND_NS   UINT64_C(1000000000)
#define HOLLOW_MOST 64      /* interrupts without a frame in a row before a pause */
#define HOLLOW_NS   1000000 /* length of that pause */

/* The callback of rte_epoll for the bell's event. */
static void clear_bell(int fd, void *arg)
{
	uint64_t n;

	(void)arg;
	(void)!read(fd, &n, sizeof(n));
}

static bool add_bell(struct rx_wait *w)
{
	w->bell_event.epdata = (struct rte_epoll_data){.event = EPOLLIN, .cb_fun = clear_bell};
	w->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->bell >= 0 && rte_epoll_ctl(w->epfd, EPOLL_CTL_ADD, w->bell, &w->bell_event) == 0;
}

static bool add_queues(struct rx_wait *w, const uint16_t *ids, unsigned n)
{
	for (unsigned i = 0; i < n; i++) /* the call below would log an error */
		if (rte_eth_dev_rx_intr_ctl_q_get_fd(ids[i], w->queue) < 0)
			return false;
	for (unsigned i = 0; i < n; i++) {
		if (rte_eth_dev_rx_intr_ctl_q(ids[i], w->queue, w->epfd, RTE_INTR_EVENT_ADD,
		                              NULL) != 0)
			return false;
		w->id[w->n++] = ids[i];
	}
	return true;
}

bool rx_wait_open(struct rx_wait *w, const uint16_t *ids, unsigned n, uint16_t queue)
{
	*w = (struct rx_wait){.queue = queue, .bell = -1, .go = -1};
	w->epfd = epoll_create1(EPOLL_CLOEXEC);
	w->is_open = w->epfd >= 0;
	if (w->is_open && n <= PC_MAX_PORTS && add_queues(w, ids, n) && add_bell(w))
		return true;
	rx_wait_close(w);
	return false;
}

/* ---- sleeping -------------------------------------------------------------------------------- */

/* go: the watcher's, which ends its wait; -1 for the lcore's own sleep */
static void wait_for_queues(int epfd, int go, const struct timespec *ts)
{
	struct pollfd fds[] = {{.fd = epfd, .events = POLLIN}, {.fd = go, .events = POLLIN}};

	(void)ppoll(fds, 2, ts, NULL);
}

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

/* Clears the interrupts. Some devices then need to be armed again. */
static void clear(struct rx_wait *w)
{
	struct rte_epoll_event events[PC_MAX_PORTS + 1];
	const uint32_t before = w->hollow;

	if (rte_epoll_wait(w->epfd, events, PC_MAX_PORTS + 1, 0) <= 0)
		return;
	rx_wait_disarm(w);
	w->hollow = before + 1;
}

static void sleep_with_service(struct rx_wait *w, uint64_t ns)
{
	const uint64_t one = 1;

	if (__atomic_exchange_n(&w->watching, 1, __ATOMIC_SEQ_CST) == 0 &&
	    write(w->go, &one, sizeof(one)) < 0)
		return;
	pc_service_sleep(w->service, monotonic_ns() + ns);
}

void rx_wait_sleep(struct rx_wait *w, uint64_t ns)
{
	struct timespec ts;

	if (w->hollow > HOLLOW_MOST) {
		ts = (struct timespec){.tv_nsec = HOLLOW_NS};
		(void)nanosleep(&ts, NULL);
		w->hollow = 0;
		return;
	}
	if (w->service != NULL) {
		sleep_with_service(w, ns);
	} else {
		ts = (struct timespec){.tv_sec = (time_t)(ns / SECOND_NS),
		                       .tv_nsec = (long)(ns % SECOND_NS)};
		wait_for_queues(w->epfd, -1, &ts);
	}
	clear(w);
}

void rx_wait_arm(struct rx_wait *w)
{
	if (w->armed)
		return;
	/* drivers that need no arming, such as net_tap, report that they do not support it */
	for (unsigned i = 0; i < w->n; i++)
		(void)rte_eth_dev_rx_intr_enable(w->id[i], w->queue);
	w->armed = true;
	/* before the rings are checked once more */
	__atomic_store_n(&w->asleep, 1, __ATOMIC_SEQ_CST);
}

void rx_wait_disarm(struct rx_wait *w)
{
	w->hollow = 0;
	if (!w->armed)
		return;
	for (unsigned i = 0; i < w->n; i++)
		(void)rte_eth_dev_rx_intr_disable(w->id[i], w->queue);
	w->armed = false;
	__atomic_store_n(&w->asleep, 0, __ATOMIC_RELAXED);
}

void rx_wait_ring(struct rx_wait *w)
{
	const uint64_t one = 1;

	/* the frames must be in the ring before asleep is read */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&w->asleep, __ATOMIC_RELAXED) != 0 &&
	    __atomic_exchange_n(&w->asleep, 0, __ATOMIC_SEQ_CST) != 0)
		(void)!write(w->bell, &one, sizeof(one));
}

/* ---- the watcher ----------------------------------------------------------------------------- */

static void *watch(void *arg)
{
	struct rx_wait *w = arg;
	uint64_t n;

	while (read(w->go, &n, sizeof(n)) == sizeof(n) || errno == EINTR) {
		if (__atomic_load_n(&w->ends, __ATOMIC_SEQ_CST))
			return NULL;
		wait_for_queues(w->epfd, w->go, NULL);
		__atomic_store_n(&w->watching, 0, __ATOMIC_SEQ_CST);
		pc_service_wake(w->service);
	}
	return NULL;
}

int rx_wait_serve(struct rx_wait *w, struct pc_service *service)
{
	sigset_t all, before;
	int rc;

	w->go = eventfd(0, EFD_CLOEXEC);
	if (w->go < 0)
		return errno;
	w->service = service;
	sigfillset(&all);
	sigdelset(&all, PC_RUN_SIGNAL); /* the watcher needs it to give up privileges */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&w->watcher, NULL, watch, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		return 0;
	close(w->go);
	w->go = -1;
	w->service = NULL;
	return rc;
}

static void end_watcher(struct rx_wait *w)
{
	const uint64_t one = 1;

	__atomic_store_n(&w->ends, 1, __ATOMIC_SEQ_CST);
	while (write(w->go, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	(void)pthread_join(w->watcher, NULL);
	close(w->go);
}

void rx_wait_close(struct rx_wait *w)
{
	if (!w->is_open)
		return;
	if (w->service != NULL)
		end_watcher(w);
	rx_wait_disarm(w);
	for (unsigned i = 0; i < w->n; i++)
		(void)rte_eth_dev_rx_intr_ctl_q(w->id[i], w->queue, w->epfd, RTE_INTR_EVENT_DEL,
		                                NULL);
	if (w->bell >= 0)
		close(w->bell);
	close(w->epfd);
	*w = (struct rx_wait){0};
}
