/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_EPSET_H
#define POSIX_EPSET_H

/*
 * An epoll set: a kernel instance for the kernel's descriptors, and a list of items for ours.
 *
 * Overview: the descriptor of a set is that of a kernel epoll instance, which holds the kernel's
 * descriptors with the caller's data, and the pipe of the set's event queue.  A waiting thread
 * first takes the events in the queue, checks what is ready on each socket, and sleeps in the
 * kernel's epoll_wait() if nothing is.
 *
 * As in the kernel, an item enters the ready list through an event that it is interested in, or
 * through epoll_ctl(), and is checked again before it is reported; a level-triggered one returns to
 * the end of the list.
 *
 * Several threads may wait for one set.  The queue stays armed while one of them sleeps.  A thread
 * that leaves with events wakes another if there are more, or if a level-triggered item stays
 * ready, as in the kernel.
 *
 * Locks: items and ready list are under lock; file->items is under client.sets, which is taken
 * first.
 */

#include "posix/queue.h"

#define EPSET_BUCKETS 256

/* data of the event queue's pipe and of the host connection in the kernel's instance */
#define EPSET_QUEUE   UINT64_C(0x7065726376657175)
#define EPSET_CONTROL UINT64_C(0x7065726376656374)

/* data of nested sets, each with a number of its own, since the caller's data need not tell them
 * apart */
#define EPSET_NESTED      UINT64_C(0x7065000000000000)
#define EPSET_NESTED_MASK UINT64_C(0xffff000000000000)

struct item {
	struct item *next_of_file, *next_in_bucket;
	struct item *ready_next, *ready_prev;
	struct epset *set;
	struct file *file;
	int fd;
	uint32_t sock;
	bool is_ready; /* in the ready list */
	bool is_set;   /* fd is another set; file is its file */
	uint64_t tag;  /* a set's data in the kernel's instance */
	struct epoll_event want;
	uint32_t seen_in, seen_out, seen_state;
};

struct epset {
	pthread_mutex_t lock;
	struct queue queue;
	uint32_t kernel_items; /* an upper bound; atomic */
	uint64_t next_look_ns; /* when to check the kernel's next while ours are busy */
	bool full;             /* ours left the kernel's no place the last time; atomic */
	struct item ready;     /* head of the ready list */
	uint32_t nb_ready;
	uint32_t sleepers;   /* threads in the kernel's epoll_wait(); atomic */
	uint32_t forked_for; /* the slot of the child that has copied it */
	int own_fd;          /* in a child: a descriptor of its own kernel instance; -1: none */
	bool told_down;      /* all items have reported that the host is gone */
	bool nested;         /* in another set, or polled: every event is signalled by the pipe */
	bool has_had_sets;   /* has contained sets: else no event's data is a tag */
	struct item *nested_items; /* sets in this one */
	struct item *bucket[EPSET_BUCKETS];
};

/** epset_new makes a set and adds its queue's pipe to the kernel instance fd. NULL: no memory. */
struct epset *epset_new(int fd);

/** epset_collect stores at most max events. Returns how many. */
int epset_collect(struct epset *set, struct epoll_event *events, int max);

/** epset_hand_over wakes another thread that sleeps on the set if there are events. */
void epset_hand_over(struct epset *set);

/** epset_ctl is epoll_ctl() for a socket. Returns 0 or a negative errno. */
int epset_ctl(struct epset *set, int op, int fd, struct file *f, const struct epoll_event *event);

/** epset_nest is epoll_ctl() for another set, which is also added to the kernel instance ep.
 * Returns 0 or a negative errno. */
int epset_nest(struct epset *outer, int ep, int op, int fd, struct file *inner,
               const struct epoll_event *event);

/** epset_filter removes the library's own events from n events of the kernel's, and puts the
 * caller's data into those of sets. Returns how many are left. */
int epset_filter(struct epset *set, struct epoll_event *events, int n);

/** epset_forked gives the set of a forked child, whose first descriptor is fd, an event queue of
 * its own.  Its items for our sockets are copies.  A kernel instance that contains kernel
 * descriptors stays shared with the parent, as is usual after a fork. */
void epset_forked(struct epset *set, int fd);

/** epset_forked_twin does the rest for each further descriptor of the set. */
void epset_forked_twin(const struct epset *set, int fd);

/** epset_forked_nest adds the child's copies of nested sets to its copy of the outer one. Call it
 * for each descriptor of a set, after the other two. */
void epset_forked_nest(struct epset *set, int fd);

#endif
