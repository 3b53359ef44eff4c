/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_EPSET_H
#define POSIX_EPSET_H

/*
 * An epoll set: one of the kernel's for the kernel's descriptors, and a list of items for ours.
 *
 * Overview: the descriptor of a set is that of a kernel epoll instance, which holds the kernel's
 * descriptors with the caller's data, and the pipe of the set's event queue.  A thread that waits
 * first takes what is in the queue, asks each socket what is ready, and sleeps in the kernel's
 * epoll_wait() if there is nothing.
 *
 * As in the kernel, an item enters the ready list by an event that it is interested in, or by
 * epoll_ctl(), and is checked again before it is reported; a level-triggered one returns to the end
 * of the list.
 *
 * Several threads may wait for one set.  The queue stays armed while one of them sleeps, and a
 * thread that leaves with events wakes another if there are more, or a level-triggered one that
 * stays, as in the kernel.
 *
 * Locks: items and ready list are under lock; file->items is under client.sets, which is taken
 * first.
 */

#include "posix/client.h"

#define EPSET_BUCKETS 256

/* data of the event queue's pipe in the kernel's set */
#define EPSET_QUEUE   UINT64_C(0x7065726376657175)
#define EPSET_CONTROL UINT64_C(0x7065726376656374)

/* and of sets in it, each with a number of its own: what the caller has given them need not tell one from the other */
#define EPSET_NESTED      UINT64_C(0x7065000000000000)
#define EPSET_NESTED_MASK UINT64_C(0xffff000000000000)

struct item {
	struct item *next_of_file, *next_in_bucket;
	struct item *ready_next, *ready_prev;
	struct epset *set;
	struct file *file;
	int fd;
	uint32_t sock;
	bool is_ready; /* in the list */
	bool is_set;   /* fd is another set: only to look at what it says */
	uint64_t tag;  /* a set's data in the kernel's instance */
	struct epoll_event want;
	uint32_t seen_in, seen_out, seen_state;
};

struct epset {
	pthread_mutex_t lock;
	struct queue queue;
	uint32_t kernel_items; /* at most; atomic */
	uint64_t next_look_ns; /* at the kernel's, while we are busy */
	bool full;             /* ours have left the kernel's no place the last time; atomic */
	struct item ready;     /* head of the ready list */
	uint32_t nb_ready;
	uint32_t sleepers;         /* threads in the kernel's epoll_wait(); atomic */
	uint32_t forked_for;       /* the slot of the child that has its own copy of it */
	int own_fd;                /* in a child: whose kernel's instance is its own; -1: none */
	bool told_down;            /* all items have told that the host is gone */
	bool nested;               /* in another set, or polled: the pipe tells of every event */
	bool has_had_sets;         /* sets were in this one: else no data of an event is a tag */
	struct item *nested_items; /* sets in this one */
	struct item *bucket[EPSET_BUCKETS];
};

/** epset_new makes a set and puts its queue's pipe into the kernel's instance fd. NULL: no memory. */
struct epset *epset_new(int fd);

/** epset_collect takes events into at most max places. Returns how many. */
int epset_collect(struct epset *set, struct epoll_event *events, int max);

/** epset_hand_over has another thread that sleeps on a set look, if there is something. */
void epset_hand_over(struct epset *set);

/** epset_ctl is epoll_ctl() for a socket. Returns 0 or a negative errno. */
int epset_ctl(struct epset *set, int op, int fd, struct file *f, const struct epoll_event *event);

/** epset_nest is epoll_ctl() for another set, which goes into the kernel's instance ep, too. Returns 0 or a negative errno. */
int epset_nest(struct epset *outer, int ep, int op, int fd, struct file *inner,
               const struct epoll_event *event);

/** epset_filter takes out of n events of the kernel's those that are ours, and gives those of sets the caller's data. Returns how
 * many are left. */
int epset_filter(struct epset *set, struct epoll_event *events, int n);

/**
 * epset_forked gives the set of a forked child, whose first descriptor is fd, an event queue of its own.  The items of ours are
 * a copy.  A kernel's instance with descriptors of the kernel's stays the parent's, too, as is usual after a fork.
 */
void epset_forked(struct epset *set, int fd);

/** epset_forked_twin is for each further descriptor of the set. */
void epset_forked_twin(const struct epset *set, int fd);

/** epset_forked_nest puts the child's copies of sets into its copy of the one that they are in. To be called for each descriptor
 * of a set, after the others. */
void epset_forked_nest(struct epset *set, int fd);

#endif
