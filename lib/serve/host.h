/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVE_HOST_H
#define SERVE_HOST_H

/*
 * The host of a channel: the segment, the process slots, the event queues, and the control thread.
 *
 * Overview: all of this belongs to the control thread, which sleeps in poll() on one connection per
 * attached process.  It gives out slots and queues on request (chan/control.h), and reclaims a slot
 * when its connection hangs up.  No lcore ever waits for it.
 *
 * Life cycle of a slot: FREE, LIVE when a process attaches, DYING when it hangs up, and FREE again
 * when every lcore has released what it held for the process.
 *
 * An event queue has a pipe, which an lcore may write to at any time while the host exists: its
 * descriptor stays the same, and refers to a new pipe when the queue gets a new owner.  Each side
 * has an open file description of its own, so nothing that the owner does to its own, such as
 * making it blocking and filling the pipe, makes an lcore wait.
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
	int wake_fd;   /* eventfd: has the control thread check listen_fd and ends */
	int listen_fd; /* -1: none; atomic */
	int pair[2];   /* a socketpair that hands over this process's own connections */
	bool ends;     /* atomic */
	bool abstract; /* it listens at an abstract name; set before listen_fd */
	pthread_t thread;
	char path[108]; /* of the socket file; empty: none */
	/* what lcores must know of slots and queues is kept out of the segment, which clients can
	 * write to; atomic */
	uint32_t slot[CHAN_PROCS];         /* enum chan_proc_state */
	uint32_t buried[CHAN_PROCS];       /* how many lcores have buried a dying process */
	uint32_t deaths[CHAN_PROCS];       /* how many processes have died in this slot */
	uint64_t live[CHAN_PROC_WORDS];    /* slots that are not free */
	uint32_t queue_owner[CHAN_QUEUES]; /* slot; 0: free */
	int bell[CHAN_QUEUES];             /* the lcores' end of a queue's pipe; -1: none yet */
	/* the control thread's own */
	int conn[CHAN_PROCS]; /* of a LIVE slot; -1 */
	struct pc_service *service[CHAN_MAX_LCORES];
};

/** host_attach gives a new connection a slot. Returns its number, or -ENOSPC. */
int host_attach(struct pc_host *h, int conn);

/** host_leave closes a slot's connection and marks the slot as dying. */
void host_leave(struct pc_host *h, uint32_t proc);

/** host_reap frees the slots that every lcore has buried. Returns how many are still dying. */
unsigned host_reap(struct pc_host *h);

/** host_queue assigns an event queue to a slot and sets *fd to the client's end of its pipe.
 * Returns the queue's number, or a negative errno. */
int host_queue(struct pc_host *h, uint32_t proc, int *fd);

/** host_queue_free releases an event queue if the slot owns it. */
void host_queue_free(struct pc_host *h, uint32_t proc, uint32_t queue);

/** host_wake writes to a queue's pipe. Called by lcores; never blocks. */
void host_wake(struct pc_host *h, uint32_t queue);

/** control_bind binds a SOCK_SEQPACKET socket to a name, replacing a socket file left by a process
 * that is gone. Returns 0, -EADDRINUSE (a process is listening there), -EEXIST (the file is not a
 * socket, and is kept) or -errno. */
int control_bind(int fd, const struct sockaddr_un *a, socklen_t len);

/** control_start starts the control thread, control_stop ends it. Returns 0 or a negative errno. */
int control_start(struct pc_host *h);
void control_stop(struct pc_host *h);

#endif
