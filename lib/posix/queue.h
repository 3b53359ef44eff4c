/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_QUEUE_H
#define POSIX_QUEUE_H

/* Event queues (queue.c, poll.c), and sets as others than epoll see them; epset.h has the rest. */

#include "posix/client.h"

/** An event queue of this process. */
struct queue {
	uint32_t index; /* CHAN_NONE: none was free; waiters have to poll */
	int fd;         /* its pipe, open for reading and writing; -1: none */
};

/** queue_open gets a queue from the host; queue_close returns it. */
void queue_open(struct queue *q);
void queue_close(struct queue *q);

/** queue_pop takes the next socket with an event. Returns false if there is none. */
bool queue_pop(const struct queue *q, uint32_t *sock);

/** queue_arm asks for a write to the pipe on the next event (CHAN_ARMED) or on every one
 * (CHAN_ALWAYS); queue_disarm undoes the former, queue_clear drains the pipe, queue_signal writes
 * to it. */
void queue_signal(const struct queue *q);
void queue_arm(const struct queue *q, uint32_t how);
void queue_disarm(const struct queue *q);
void queue_clear(const struct queue *q);

/** queue_watch and queue_unwatch subscribe a queue to a socket's events and undo that; alone: the
 * queue is skipped if another such queue was woken. */
void queue_watch(const struct queue *q, uint32_t sock, bool alone);
void queue_unwatch(const struct queue *q, uint32_t sock);

/** queues_wake wakes all threads of this process that sleep in epoll or poll: the host is gone. */
void queues_wake(void);

/** poll_queues_forked forgets the event queues of poll(), which belong to the parent;
 * poll_queues_wake wakes their sleepers; poll_queue_reserve obtains one for the next poll(). */
void poll_queues_forked(void);
void poll_queues_wake(void);
void poll_queue_reserve(void);

/** epoll_forget removes a file from all sets: its last descriptor has been closed. */
void epoll_forget(struct file *f);

/** epset_free frees a set that has no references left. */
void epset_free(struct epset *set);

/** epset_ready says whether a set has something to report; the set's kernel descriptor becomes
 * readable on later events. */
bool epset_ready(struct epset *set);

#endif
