/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_CORO_H
#define PERCORE_CORO_H

/*
 * Coroutines on the lcore: handlers that are written as if calls blocked.
 *
 * A coroutine has a stack of its own and runs on the thread that drives the stack, until it calls
 * something that has to wait; then others run, and it goes on when what it waits for has come.  No
 * coroutine is ever interrupted, so what several share needs no lock as long as nobody waits in
 * between.  A set of coroutines belongs to one struct pc_stack; it has an epoll set there.
 *
 *   cs = pc_coros_create(st, NULL);            at start: all memory that will ever be needed
 *   pc_coro_spawn(cs, serve, arg, 0);
 *   pc_coros_turn(cs, now_ns);                 in each turn, between pc_stack_poll and pc_stack_flush
 *   pc_coros_destroy(cs);
 *
 * All calls are for the thread that drives the stack.  Those with a struct pc_coro are made by that
 * coroutine itself, which its function is given; they are the calls of percore/socket.h with Linux's
 * meaning for blocking sockets.  In addition each call that has to wait fails with errno
 *   ECANCELED  when the coroutine has been cancelled,
 *   EAGAIN     when it has waited for as long as pc_coro_set_timeout says (connect: EINPROGRESS).
 *
 * A coroutine must not use more stack than it has: behind it lies a page that ends the process.
 * Printing and name resolution take tens of kilobytes.  Sockets that a coroutine waits for must be in
 * no other epoll set, and are closed by pc_coro_close if another coroutine may be waiting for them.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pc_coros;
struct pc_coro;

/** A coroutine's function; what it returns is for pc_coro_join. */
typedef int (*pc_coro_fn)(struct pc_coro *co, void *arg);

/** Limits of a set of coroutines. */
struct pc_coro_config {
	uint32_t max; /**< coroutines at a time, in [1,1000000]; above some 32,000 the kernel has
	                       *   to allow more mappings (vm.max_map_count) */
	uint32_t stack_bytes; /**< of each, at least 8192; rounded up to whole pages */
};

/** Lets pc_coro_join find the coroutine after its end; for pc_coro_spawn. */
#define PC_CORO_JOINABLE 1
/** Waits for ever; for pc_coro_set_timeout. */
#define PC_CORO_FOREVER UINT64_MAX

/** pc_coro_config_init sets the defaults: 1024 coroutines with 64 KiB of stack. */
void pc_coro_config_init(struct pc_coro_config *config);

/**
 * pc_coros_create makes an empty set with all its memory; config NULL: the defaults. Each socket of the
 * stack costs 4 bytes besides. Returns NULL with errno EINVAL, ENOMEM, or EMFILE when the stack has no
 * epoll set left (stack.max_epolls).
 */
struct pc_coros *pc_coros_create(struct pc_stack *st, const struct pc_coro_config *config);

/**
 * pc_coros_destroy cancels all coroutines, lets each run to its end, and gives everything back. Sockets
 * stay open. A coroutine that ignores ECANCELED for ever keeps it from returning. Not to be called by a
 * coroutine of the set. NULL is allowed.
 */
void pc_coros_destroy(struct pc_coros *cs);

/**
 * pc_coros_turn runs every coroutine that can go on at now_ns: what it waits for has come, it has been
 * spawned, or its time is over. One that has called pc_coro_yield goes on in the next turn.
 */
void pc_coros_turn(struct pc_coros *cs, uint64_t now_ns);

/**
 * pc_coros_next_deadline returns the time by which pc_coros_turn wants to be called even if nothing
 * arrives: 0 when a coroutine can go on, UINT64_MAX when none waits for a time. It is up to 65.536 us
 * late with respect to what was asked for, never early.
 */
uint64_t pc_coros_next_deadline(const struct pc_coros *cs);

/** pc_coros_count returns how many coroutines have not ended. */
uint32_t pc_coros_count(const struct pc_coros *cs);

/** pc_coros_cancel cancels every coroutine that there is; more may be spawned. */
void pc_coros_cancel(struct pc_coros *cs);

/**
 * pc_coro_spawn makes a coroutine that will run fn(co, arg) in this turn, or in the next one when none is
 * under way. flags: 0 or PC_CORO_JOINABLE. Takes no memory from the system. Returns its number, which is
 * never used again; or 0 with errno EAGAIN (there are max of them, those that wait to be joined
 * included), or ECANCELED (the set is being destroyed).
 */
uint64_t pc_coro_spawn(struct pc_coros *cs, pc_coro_fn fn, void *arg, int flags);

/**
 * pc_coro_cancel lets the call that a coroutine waits in, and each later one that would have to wait, fail
 * with ECANCELED. It returns at once. Returns 0, or -1 with errno ESRCH when the coroutine has ended.
 */
int pc_coro_cancel(struct pc_coros *cs, uint64_t number);

/** pc_coro_detach makes a coroutine one that nobody will join. errno ESRCH, EINVAL (not joinable). */
int pc_coro_detach(struct pc_coros *cs, uint64_t number);

/**
 * pc_coro_join waits until another coroutine, spawned with PC_CORO_JOINABLE, has ended; *result (if not
 * NULL) is what it has returned. errno ESRCH (there is none, or it has been joined), EINVAL (it is not
 * joinable, or is being joined), EDEADLK (it is the caller), ETIMEDOUT, ECANCELED.
 */
int pc_coro_join(struct pc_coro *co, uint64_t number, int *result);

/** pc_coro_yield lets all others run, and frames come in; goes on in the next turn. errno ECANCELED. */
int pc_coro_yield(struct pc_coro *co);

/** pc_coro_sleep waits for ns nanoseconds, and until the next turn after. errno ECANCELED. */
int pc_coro_sleep(struct pc_coro *co, uint64_t ns);

/** pc_coro_set_timeout limits each later wait of the coroutine but pc_coro_sleep to ns nanoseconds. */
void pc_coro_set_timeout(struct pc_coro *co, uint64_t ns);

/** pc_coro_is_cancelled says whether the coroutine has been cancelled. */
bool pc_coro_is_cancelled(const struct pc_coro *co);

/** pc_coro_number returns the coroutine's number, as pc_coro_spawn has. */
uint64_t pc_coro_number(const struct pc_coro *co);

/** pc_coro_set returns the set that the coroutine is in, to spawn more. */
struct pc_coros *pc_coro_set(const struct pc_coro *co);

/** pc_coro_stack returns the stack whose sockets it uses. */
struct pc_stack *pc_coro_stack(const struct pc_coro *co);

/** pc_coro_now_ns returns the time of this turn. */
uint64_t pc_coro_now_ns(const struct pc_coro *co);

/**
 * pc_coro_wait waits until a socket has some of events (EPOLL*; EPOLLERR and EPOLLHUP always count).
 * Returns the events it has, 0 when the time-out passed, or -1 with errno EBADF, EBUSY (in another epoll
 * set) or ECANCELED.
 */
int pc_coro_wait(struct pc_coro *co, int fd, uint32_t events);

/** pc_coro_accept is pc_accept that waits for a connection. */
int pc_coro_accept(struct pc_coro *co, int fd, struct sockaddr *addr, socklen_t *len);

/**
 * pc_coro_connect is pc_connect that waits until the connection is established or has failed. After a
 * time-out (EINPROGRESS) or ECANCELED the attempt goes on.
 */
int pc_coro_connect(struct pc_coro *co, int fd, const struct sockaddr *addr, socklen_t len);

/**
 * pc_coro_recv, pc_coro_recvfrom, pc_coro_recvmsg, pc_coro_readv are the calls of percore/socket.h that wait
 * for the first byte or datagram. MSG_DONTWAIT does not wait; with MSG_WAITALL pc_coro_recv and
 * pc_coro_recvfrom wait for all bytes of a stream: fewer come at its end, after an error, a time-out or
 * ECANCELED.
 */
ssize_t pc_coro_recv(struct pc_coro *co, int fd, void *buf, size_t len, int flags);
ssize_t pc_coro_recvfrom(struct pc_coro *co, int fd, void *buf, size_t len, int flags,
                         struct sockaddr *addr, socklen_t *addrlen);
ssize_t pc_coro_recvmsg(struct pc_coro *co, int fd, struct msghdr *msg, int flags);
ssize_t pc_coro_readv(struct pc_coro *co, int fd, const struct iovec *iov, int iovcnt);

/**
 * pc_coro_send, pc_coro_sendto, pc_coro_sendmsg, pc_coro_writev are the calls of percore/socket.h that wait until
 * all bytes are queued. They return fewer than asked for when an error, a time-out or ECANCELED came after
 * the first ones; the next call tells which. With MSG_DONTWAIT what finds room at once is queued.
 */
ssize_t pc_coro_send(struct pc_coro *co, int fd, const void *buf, size_t len, int flags);
ssize_t pc_coro_sendto(struct pc_coro *co, int fd, const void *buf, size_t len, int flags,
                       const struct sockaddr *addr, socklen_t addrlen);
ssize_t pc_coro_sendmsg(struct pc_coro *co, int fd, const struct msghdr *msg, int flags);
ssize_t pc_coro_writev(struct pc_coro *co, int fd, const struct iovec *iov, int iovcnt);

/** pc_coro_recv_mbuf is pc_recv_mbuf that waits. */
int pc_coro_recv_mbuf(struct pc_coro *co, int fd, struct rte_mbuf **m, struct pc_endpoint *from);

/** pc_coro_send_mbuf is pc_send_mbuf that waits; on failure the chain stays the caller's. */
int pc_coro_send_mbuf(struct pc_coro *co, int fd, struct rte_mbuf *m, const struct pc_endpoint *to);

/** pc_coro_close is pc_close; coroutines that wait for the socket fail with EBADF. */
int pc_coro_close(struct pc_coro *co, int fd);

#ifdef __cplusplus
}
#endif
#endif
