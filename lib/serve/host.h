/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVE_HOST_H
#define SERVE_HOST_H

/*
 * The host of a channel: the segment, the process slots, the event queues, and the control thread.
 *
 * Overview: all of this belongs to the control thread, which sleeps in poll() on one connection per
 * attached process.  It gives out slots and queues as asked (chan/control.h), and takes a slot back when its
 * connection hangs up.  No lcore ever waits for it.
 *
 * Life-cycle of a slot: FREE, LIVE when a process attaches, DYING when it hangs up, and FREE again when every
 * lcore has buried it.
 *
 * An event queue has an eventfd for as long as the host lives, so that an lcore may write to it at any
 * time.
 */

#include <percore/host.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "chan/chan.h"

struct pc_host {
	struct chan view;
	struct chan *chan; /* = &view */
	int memfd;
	int wake_fd;   /* eventfd: the control thread is to look at what follows */
	int listen_fd; /* -1: none; atomic */
	int pair[2];   /* a socketpair by which connections of this process are handed over */
	bool ends;     /* atomic */
	bool abstract; /* it listens at a name in the abstract namespace; before listen_fd */
	pthread_t thread;
	char path[108]; /* of the socket file; empty: none */
	/* enum chan_proc_state; the segment has a copy for the lcores, where clients can write; atomic */
	uint32_t slot[CHAN_PROCS];
	int conn[CHAN_PROCS];              /* of a LIVE slot; -1 */
	int event_fd[CHAN_QUEUES];         /* -1: not made yet; atomic */
	uint32_t queue_owner[CHAN_QUEUES]; /* slot; 0: free */
	struct pc_service *service[CHAN_MAX_LCORES];
};

/** host_attach gives a new connection a slot. Returns its number, or -ENOSPC. */
int host_attach(struct pc_host *h, int conn);

/** host_leave begins the end of a slot; its connection is closed. */
void host_leave(struct pc_host *h, uint32_t proc);

/** host_reap frees the slots that every lcore has buried. Returns how many are still dying. */
unsigned host_reap(struct pc_host *h);

/** host_queue gives an event queue to a slot. Returns its number, or a negative errno. */
int host_queue(struct pc_host *h, uint32_t proc);

/** host_queue_free takes one back, if it is the slot's. */
void host_queue_free(struct pc_host *h, uint32_t proc, uint32_t queue);

/** host_wake writes to the eventfd of a queue. For lcores. */
void host_wake(struct pc_host *h, uint32_t queue);

/** control_bind binds a socket of packets to a name, also where a process that has died has left its file.
 * Returns 0, -EADDRINUSE (somebody serves it), -EEXIST (it is no socket, and stays) or -errno. */
int control_bind(int fd, const struct sockaddr_un *a, socklen_t len);

/** control_start starts the control thread, control_stop ends it. Returns 0 or a negative errno. */
int control_start(struct pc_host *h);
void control_stop(struct pc_host *h);

#endif
