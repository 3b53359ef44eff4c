/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_RXWAIT_H
#define RUN_RXWAIT_H

/*
 * Waiting for frames: an lcore with nothing to do sleeps until one of its receive queues interrupts
 * it, instead of polling.
 *
 * The order in which no frame is missed: rx_wait_arm, one more poll of the ports, and rx_wait_sleep
 * only if that has returned nothing; rx_wait_disarm when frames arrive again.
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
	uint32_t asleep; /* whether the bell is to be rung; atomic */
	int bell;        /* an eventfd, for frames that other lcores pass on */
	struct rte_epoll_event bell_event;
	uint32_t hollow; /* interrupts in turn that have brought no frame */
	int epfd;        /* of the queues and the bell */
	/* with a service, whose clients wake the lcore by a futex, a thread waits for the queues and does the same */
	struct pc_service *service;
	pthread_t watcher;
	int go;            /* an eventfd: the watcher may wait once more, or end */
	uint32_t watching; /* whether it has been told to; atomic */
	uint32_t ends;     /* atomic */
};

/**
 * rx_wait_open takes a queue of n started devices. Returns false when one of them has no interrupt for it, or
 * descriptors are lacking: then only polling tells of frames. rx_wait_close undoes it.
 */
bool rx_wait_open(struct rx_wait *w, const uint16_t *ids, unsigned n, uint16_t queue);

/** rx_wait_serve also waits for the clients of a service, from now on. Returns 0 or an errno of pthread_create or eventfd. */
int rx_wait_serve(struct rx_wait *w, struct pc_service *service);

/** rx_wait_arm has the queues interrupt. */
void rx_wait_arm(struct rx_wait *w);

/** rx_wait_disarm has them do without, while frames are polled. */
void rx_wait_disarm(struct rx_wait *w);

/**
 * rx_wait_sleep sleeps until a queue interrupts, a client wants something, a signal, or for ns nanoseconds. A device that
 * interrupts time after time without a frame is not believed for a millisecond.
 */
void rx_wait_sleep(struct rx_wait *w, uint64_t ns);

/** rx_wait_ring ends the sleep of another lcore, which has been given frames. For any thread; cheap when nobody sleeps. */
void rx_wait_ring(struct rx_wait *w);

/** rx_wait_close is for a zeroed struct, too. */
void rx_wait_close(struct rx_wait *w);

#endif
