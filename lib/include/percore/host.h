/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_HOST_H
#define PERCORE_HOST_H

/*
 * Hosting sockets for threads and other processes: the side of the program that drives the stacks.
 * pc_run does all of this with run.sockets, or if the program has a threads callback.
 *
 *   host = pc_host_create(&config);                      once
 *   service = pc_host_add(host, index, st);              on each lcore
 *   pc_service_turn(service, now_ns);                    in each turn, between poll and flush
 *
 * A host is a segment of shared memory, and a thread that attaches processes, cleans up after them,
 * and sleeps otherwise.  Threads of the same process attach by pc_host_connect, other processes by
 * a UNIX socket (pc_host_listen); then both use percore/posix.h.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A host. */
struct pc_host;

/** The side of a host on one lcore. */
struct pc_service;

/** Limits of a host; 0: the default. */
struct pc_host_config {
	unsigned nb_lcores;   /**< stacks that will be added; default 1, at most 16 */
	uint32_t max_sockets; /**< of each lcore; default 4096, at most 1048576 */
	/** of each direction of a socket, a power of two, 128 KiB (the default) to 64 MiB */
	uint32_t fifo_bytes;
};

/**
 * pc_host_create makes the segment (its memory is taken as sockets are used) and starts the thread.
 * Returns NULL with errno EINVAL (limits), ENOMEM, or that of memfd_create(), mmap(), eventfd(),
 * socketpair() or pthread_create().
 */
struct pc_host *pc_host_create(const struct pc_host_config *config);

/**
 * pc_host_stop tells every attached process that the stack is down: their calls fail with ENETDOWN,
 * including those that sleep. It also removes the UNIX socket's file. From any thread; services may
 * still turn.
 */
void pc_host_stop(struct pc_host *host);

/**
 * pc_host_destroy stops the host and frees it and its services, but not the stacks. No service may
 * turn any more. NULL is allowed.
 */
void pc_host_destroy(struct pc_host *host);

/**
 * pc_host_add adds an lcore's stack to the host; call it once on each lcore, with an index counted
 * from 0. The service belongs to the host, and uses one epoll set of the stack, which stays the
 * caller's. Returns NULL with errno EINVAL (index), EEXIST, ENOMEM or EMFILE (stack.max_epolls).
 */
struct pc_service *pc_host_add(struct pc_host *host, unsigned index, struct pc_stack *st);

/**
 * pc_service_turn serves the clients for one turn, at now_ns, the time of the stack's turn; it
 * never blocks. Returns the amount of work done; 0: none.
 */
unsigned pc_service_turn(struct pc_service *service, uint64_t now_ns);

/**
 * pc_service_sleep sleeps until a client makes a request, deadline_ns of CLOCK_MONOTONIC, or a
 * signal; it returns at once if a request is pending. It is for an lcore that has nothing else to
 * poll for a while.
 */
void pc_service_sleep(struct pc_service *service, uint64_t deadline_ns);

/**
 * pc_service_wake ends the current, or else the next, pc_service_sleep. From any thread of this
 * process.
 */
void pc_service_wake(struct pc_service *service);

/** pc_service_is_used says whether any client has sockets of this lcore. */
bool pc_service_is_used(const struct pc_service *service);

/**
 * pc_host_listen lets other processes attach at a UNIX socket, whose file gets mode 0600. A name
 * that begins with '@' is in the abstract namespace, where only processes of root and of the same
 * user are accepted (others get EACCES). A socket file that nobody serves is replaced. Returns 0,
 * or -1 with errno EINVAL (the name is empty or too long), EISCONN (the host listens already),
 * EEXIST (there is a file that is not a socket), EADDRINUSE (another process serves it), or another
 * of socket(), bind() or listen().
 */
int pc_host_listen(struct pc_host *host, const char *path);

/**
 * pc_host_connect returns a kernel descriptor by which this process attaches (pcx_attach_fd), or -1
 * with errno of socketpair() or sendmsg(). It belongs to the caller.
 */
int pc_host_connect(struct pc_host *host);

#ifdef __cplusplus
}
#endif
#endif
