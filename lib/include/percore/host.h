/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_HOST_H
#define PERCORE_HOST_H

/*
 * Hosting sockets for threads and other processes: the side of the program that drives the stacks.  pc_run does all
 * this with run.sockets, or with a program's threads callback.
 *
 *   host = pc_host_create(&config);                      once
 *   service = pc_host_add(host, index, st);              on each lcore
 *   pc_service_turn(service, now_ns);                    in each turn, between pc_stack_poll and pc_stack_flush
 *
 * A host is a segment of shared memory and a thread that attaches processes and cleans up after them; it sleeps
 * otherwise.  Threads of the same process attach by pc_host_connect, other processes by a UNIX socket
 * (pc_host_listen); from then on both use percore/posix.h.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pc_host;
struct pc_service;

/** Limits of a host; 0: the default. */
struct pc_host_config {
	unsigned nb_lcores;   /**< stacks that will be added; default 1, at most 16 */
	uint32_t max_sockets; /**< of each lcore; default 4096 */
	uint32_t fifo_bytes;  /**< of each direction of a socket, a power of two; default 128 KiB */
};

/**
 * pc_host_create makes the segment (memory is taken as sockets are used) and starts the thread. Returns NULL with
 * errno EINVAL (limits), ENOMEM, or another of memfd_create, mmap and pthread_create.
 */
struct pc_host *pc_host_create(const struct pc_host_config *config);

/**
 * pc_host_stop tells every attached process that the stack is down: their calls fail with ENETDOWN, also those that
 * sleep. May be called by any thread; services may still turn.
 */
void pc_host_stop(struct pc_host *host);

/** pc_host_destroy stops the host and frees everything but the stacks. No service may turn any more. NULL is
 * allowed. */
void pc_host_destroy(struct pc_host *host);

/**
 * pc_host_add gives an lcore's stack to the host; call it on each lcore once, index counted from 0. The service
 * uses one epoll set of the stack. Returns NULL with errno EINVAL (index), EEXIST, ENOMEM or EMFILE
 * (stack.max_epolls).
 */
struct pc_service *pc_host_add(struct pc_host *host, unsigned index, struct pc_stack *st);

/**
 * pc_service_turn serves the clients for one turn; it never blocks. Returns the amount of work, 0 for none.
 */
unsigned pc_service_turn(struct pc_service *service, uint64_t now_ns);

/**
 * pc_service_sleep sleeps until a client makes a request, deadline_ns of CLOCK_MONOTONIC, or a signal; it returns at
 * once if a request is pending. For an lcore that has nothing else to poll for a while.
 */
void pc_service_sleep(struct pc_service *service, uint64_t deadline_ns);

/** pc_service_wake ends the current or the next sleep of the service's lcore. From any thread of this process. */
void pc_service_wake(struct pc_service *service);

/** pc_service_is_used says whether a client has sockets of this lcore. */
bool pc_service_is_used(const struct pc_service *service);

/**
 * pc_host_listen lets other processes attach at a UNIX socket, which is created with mode 0600. A name that begins
 * with '@' is in the abstract namespace, where only processes of root and of the same user are accepted (EACCES).
 * A stale socket file is replaced. Returns 0, or -1 with errno of socket, bind or listen.
 */
int pc_host_listen(struct pc_host *host, const char *path);

/**
 * pc_host_connect returns a descriptor by which threads of this process attach (pcx_attach_fd), or -1
 * with errno. The caller owns it.
 */
int pc_host_connect(struct pc_host *host);

#ifdef __cplusplus
}
#endif
#endif
