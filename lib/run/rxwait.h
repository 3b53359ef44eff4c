/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_RXWAIT_H
#define RUN_RXWAIT_H

/*
 * Waiting for frames: an lcore with nothing to do sleeps until one of its receive queues interrupts
 * it, instead of polling.
 *
 * To miss no frame: call rx_wait_arm, poll the ports once more, and call rx_wait_sleep only if that
 * poll has returned nothing; call rx_wait_disarm when frames arrive again.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <percore/host.h>
#include <percore/port.h>

#include <rte_interrupts.h>

struct rx_wait {
	bool is_open;
	unsigned n;                /* devices */
	uint16_t id[PC_MAX_PORTS]; /* of ethdev */
	uint16_t queue;
	bool armed;
	uint32_t asleep; /* whether the bell must be rung; atomic */
	int bell;        /* an eventfd, for frames that other lcores pass on */
	struct rte_epoll_event bell_event;
	uint32_t hollow; /* interrupts in a row that have brought no frame */
	int epfd;        /* of the queues and the bell */
	/* clients of a service wake the lcore by a futex; then a thread waits for the queues and
	 * does the same */
	struct pc_service *service;
	pthread_t watcher;
	int go;            /* an eventfd: the watcher may wait once more, or end */
	uint32_t watching; /* whether it has been told to wait; atomic */
	uint32_t ends;     /* atomic */
};

/**
 * rx_wait_open prepares to wait for a queue of n started devices. Returns false if one of them has
 * no interrupt for it, or there are no more descriptors: then frames must be polled for.
 * rx_wait_close undoes it.
 */
bool rx_wait_open(struct rx_wait *w, const uint16_t *ids, unsigned n, uint16_t queue);

/** rx_wait_serve also waits for the clients of a service, from now on. Returns 0 or an errno of
 * pthread_create or eventfd. */
int rx_wait_serve(struct rx_wait *w, struct pc_service *service);

/** rx_wait_arm enables the queues' interrupts. */
void rx_wait_arm(struct rx_wait *w);

/** rx_wait_disarm disables them, while frames are polled. */
void rx_wait_disarm(struct rx_wait *w);

/**
 * rx_wait_sleep sleeps until a queue interrupts, a client wants something, a signal arrives, or ns
 * nanoseconds have passed. If a device keeps interrupting without a frame, its interrupts are
 * ignored for a millisecond.
 */
void rx_wait_sleep(struct rx_wait *w, uint64_t ns);

/** rx_wait_ring wakes another lcore that has been given frames. For any thread; cheap if that lcore
 * is awake. */
void rx_wait_ring(struct rx_wait *w);

/** rx_wait_close accepts a zeroed struct, too. */
void rx_wait_close(struct rx_wait *w);

#endif
