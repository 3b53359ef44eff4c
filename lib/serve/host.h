/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVE_HOST_H
#define SERVE_HOST_H

/*
 * The host of a channel: the segment, the process slots, the event queues, and the control thread.
 *
 * Overview: all of this belongs to the control thread, which sleeps in poll() on one connection per
 * attached process.  It gives out slots and queues on request (chan/control.h), and takes a slot
 * back when its connection hangs up.  No lcore ever waits for it.
 *
 * Life cycle of a slot: FREE, LIVE when a process attaches, DYING when it hangs up, and FREE again
 * when every lcore has released what it had of the process.
 *
 * An event queue has a pipe, to which an lcore may write at any time while the host lives: its
 * descriptor stays, and gets another pipe when the queue gets another owner.  Both sides have open
 * file descriptions of their own, so nothing that the owner does to its own, such as making it
 * blocking and filling it, makes an lcore wait.
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
	/* what lcores have to know of slots and queues is not in the segment, where clients can write; atomic */
	uint32_t slot[CHAN_PROCS];         /* enum chan_proc_state */
	uint32_t buried[CHAN_PROCS];       /* lcores that have forgotten a dying process */
	uint32_t deaths[CHAN_PROCS];       /* counts the ends of processes in this slot */
	uint64_t live[CHAN_PROC_WORDS];    /* slots that are not free */
	uint32_t queue_owner[CHAN_QUEUES]; /* slot; 0: free */
	int bell[CHAN_QUEUES];             /* the lcores' end of a queue's pipe; -1: not made yet */
	/* of the control thread */
	int conn[CHAN_PROCS]; /* of a LIVE slot; -1 */
	struct pc_service *service[CHAN_MAX_LCORES];
};

/** host_attach gives a new connection a slot. Returns its number, or -ENOSPC. */
int host_attach(struct pc_host *h, int conn);

/** host_leave begins the end of a slot; its connection is closed. */
void host_leave(struct pc_host *h, uint32_t proc);

/** host_reap frees the slots that every lcore has buried. Returns how many are still dying. */
unsigned host_reap(struct pc_host *h);

/** host_queue gives an event queue to a slot, and the caller the client's end of its pipe in *fd. Returns the queue's number, or a
 * negative errno. */
int host_queue(struct pc_host *h, uint32_t proc, int *fd);

/** host_queue_free takes one back, if it is the slot's. */
void host_queue_free(struct pc_host *h, uint32_t proc, uint32_t queue);

/** host_wake writes into the pipe of a queue. For lcores; it never waits. */
void host_wake(struct pc_host *h, uint32_t queue);

/** control_bind binds a socket of packets to a name, also where a process that has died has left its file.
 * Returns 0, -EADDRINUSE (somebody serves it), -EEXIST (it is no socket, and stays) or -errno. */
int control_bind(int fd, const struct sockaddr_un *a, socklen_t len);

/** control_start starts the control thread, control_stop ends it. Returns 0 or a negative errno. */
int control_start(struct pc_host *h);
void control_stop(struct pc_host *h);

#endif
