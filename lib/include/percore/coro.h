/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_CORO_H
#define PERCORE_CORO_H

/*
 * Coroutines on the lcore: handlers that are written as if calls blocked.
 *
 * A coroutine has its own call stack and runs on the thread that drives the struct pc_stack.  When it makes a call that
 * has to wait, others run, and it continues when the event has come.  Coroutines are never preempted, so data that they
 * share needs no lock as long as none waits while using it.  A set of coroutines belongs to one struct
 * pc_stack and uses one epoll set of it.
 *
 *   cs = pc_coros_create(st, NULL);            at start: all memory that will ever be needed
 *   pc_coro_spawn(cs, serve, arg, 0);
 *   pc_coros_turn(cs, now_ns);                 in each turn, between pc_stack_poll and pc_stack_flush
 *   pc_coros_destroy(cs);
 *
 * All calls are for the thread that drives the stack.  Those that take a struct pc_coro must be made by that
 * coroutine itself; they are the calls of percore/socket.h with the semantics of blocking sockets on Linux.  In addition
 * each call that has to wait fails with errno
 *   ECANCELED  when the coroutine has been cancelled,
 *   EAGAIN     after the time-out of pc_coro_set_timeout (connect: EINPROGRESS).
 *
 * A stack overflow hits a guard page, which ends the process; printing and name resolution take tens of kilobytes.
 * Sockets that a coroutine waits for must not be in another epoll set.  Close them with pc_coro_close if
 * another coroutine may be waiting for them.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pc_coros;
struct pc_coro;

/** A coroutine's function; pc_coro_join gets its return value. */
typedef int (*pc_coro_fn)(struct pc_coro *co, void *arg);

/** Limits of a set of coroutines. */
struct pc_coro_config {
	uint32_t max;         /**< coroutines at a time, in [1,1000000]; above some 32,000 raise
	                       *   vm.max_map_count */
	uint32_t stack_bytes; /**< of each, at least 8192; rounded up to whole pages */
};

/** Flag of pc_coro_spawn: the coroutine will be joined. */
#define PC_CORO_JOINABLE 1
/** No time-out, for pc_coro_set_timeout. */
#define PC_CORO_FOREVER UINT64_MAX

/** pc_coro_config_init sets the defaults: 1024 coroutines with 64 KiB of stack. */
void pc_coro_config_init(struct pc_coro_config *config);

/**
 * pc_coros_create makes an empty set and allocates all its memory, with 4 bytes for each socket of the stack;
 * config NULL: the defaults. Returns NULL with errno EINVAL, ENOMEM, or EMFILE when the stack has no
 * epoll set left (stack.max_epolls).
 */
struct pc_coros *pc_coros_create(struct pc_stack *st, const struct pc_coro_config *config);

/**
 * pc_coros_destroy cancels all coroutines, lets each run to its end, and frees everything. Sockets
 * stay open. It does not return while a coroutine ignores ECANCELED. Not to be called by a
 * coroutine of the set. NULL is allowed.
 */
void pc_coros_destroy(struct pc_coros *cs);

/**
 * pc_coros_turn runs every coroutine that can continue at now_ns: its event has come, its time-out has passed, or it is
 * new. One that calls pc_coro_yield continues in the next turn.
 */
void pc_coros_turn(struct pc_coros *cs, uint64_t now_ns);

/**
 * pc_coros_next_deadline returns the time by which pc_coros_turn must be called even if nothing
 * arrives: 0 when a coroutine can continue, UINT64_MAX when none waits for a time. It is up to 65.536 us
 * later than requested, never early.
 */
uint64_t pc_coros_next_deadline(const struct pc_coros *cs);

/** pc_coros_count returns how many coroutines have not ended. */
uint32_t pc_coros_count(const struct pc_coros *cs);

/** pc_coros_cancel cancels every existing coroutine; more may be spawned. */
void pc_coros_cancel(struct pc_coros *cs);

/**
 * pc_coro_spawn makes a coroutine that runs fn(co, arg) in the current turn, or in the next one if called outside
 * of a turn. flags: 0 or PC_CORO_JOINABLE. It takes no memory from the system. Returns its number, which is never
 * reused; or 0 with errno EAGAIN (there are max of them, including those that wait to be joined) or ECANCELED
 * (the set is being destroyed).
 */
uint64_t pc_coro_spawn(struct pc_coros *cs, pc_coro_fn fn, void *arg, int flags);

/**
 * pc_coro_cancel makes the call in which a coroutine waits, and each later one that would have to wait, fail
 * with ECANCELED. It returns at once. Returns 0, or -1 with errno ESRCH when the coroutine has ended.
 */
int pc_coro_cancel(struct pc_coros *cs, uint64_t number);

/** pc_coro_detach declares that nobody will join a coroutine. errno ESRCH, EINVAL (not joinable). */
int pc_coro_detach(struct pc_coros *cs, uint64_t number);

/**
 * pc_coro_join waits until another coroutine, spawned with PC_CORO_JOINABLE, has ended; *result (if not
 * NULL) gets its return value. errno ESRCH (no such coroutine, or it has been joined), EINVAL (it is not
 * joinable, or is being joined), EDEADLK (it is the caller), ETIMEDOUT, ECANCELED.
 */
int pc_coro_join(struct pc_coro *co, uint64_t number, int *result);

/** pc_coro_yield waits for the next turn. errno ECANCELED. */
int pc_coro_yield(struct pc_coro *co);

/** pc_coro_sleep waits for ns nanoseconds, and then for the next turn. errno ECANCELED. */
int pc_coro_sleep(struct pc_coro *co, uint64_t ns);

/** pc_coro_set_timeout limits each later wait of the coroutine, except pc_coro_sleep, to ns nanoseconds. */
void pc_coro_set_timeout(struct pc_coro *co, uint64_t ns);

/** pc_coro_is_cancelled says whether the coroutine has been cancelled. */
bool pc_coro_is_cancelled(const struct pc_coro *co);

/** pc_coro_number returns the coroutine's number, as pc_coro_spawn did. */
uint64_t pc_coro_number(const struct pc_coro *co);

/** pc_coro_set returns the coroutine's set, to spawn more. */
struct pc_coros *pc_coro_set(const struct pc_coro *co);

/** pc_coro_stack returns the struct pc_stack of the set. */
struct pc_stack *pc_coro_stack(const struct pc_coro *co);

/** pc_coro_now_ns returns the time of this turn; when the clock is set back, it goes on from where it was. */
uint64_t pc_coro_now_ns(const struct pc_coro *co);

/**
 * pc_coro_wait waits until a socket has any of events (EPOLL*; EPOLLERR and EPOLLHUP always count).
 * Returns the events that it has, 0 after a time-out, or -1 with errno EBADF, EBUSY (in another epoll
 * set) or ECANCELED.
 */
int pc_coro_wait(struct pc_coro *co, int fd, uint32_t events);

/** pc_coro_accept is a blocking pc_accept. */
int pc_coro_accept(struct pc_coro *co, int fd, struct sockaddr *addr, socklen_t *len);

/**
 * pc_coro_connect is a blocking pc_connect: it waits until the connection is established or has failed. After a
 * time-out (EINPROGRESS) or ECANCELED the attempt continues, and another call waits for it. ECONNABORTED: it has ended, and
 * the reason was told to somebody else.
 */
int pc_coro_connect(struct pc_coro *co, int fd, const struct sockaddr *addr, socklen_t len);

/**
 * pc_coro_recv, pc_coro_recvfrom, pc_coro_recvmsg, pc_coro_readv are the calls of percore/socket.h, but wait
 * for the first byte or datagram. MSG_DONTWAIT does not wait, nor do MSG_OOB and MSG_ERRQUEUE. With MSG_WAITALL
 * pc_coro_recv and pc_coro_recvfrom wait for all bytes of a stream; they return fewer at its end, after an error, which the
 * next call returns, a time-out or ECANCELED.
 */
ssize_t pc_coro_recv(struct pc_coro *co, int fd, void *buf, size_t len, int flags);
ssize_t pc_coro_recvfrom(struct pc_coro *co, int fd, void *buf, size_t len, int flags,
                         struct sockaddr *addr, socklen_t *addrlen);
ssize_t pc_coro_recvmsg(struct pc_coro *co, int fd, struct msghdr *msg, int flags);
ssize_t pc_coro_readv(struct pc_coro *co, int fd, const struct iovec *iov, int iovcnt);

/**
 * pc_coro_send, pc_coro_sendto, pc_coro_sendmsg, pc_coro_writev are the calls of percore/socket.h, but wait until
 * all bytes are queued, with MSG_FASTOPEN also for the connection. They return fewer if an error, a time-out or ECANCELED
 * came after the first bytes; the next call returns that error. MSG_DONTWAIT queues only what fits at once.
 */
ssize_t pc_coro_send(struct pc_coro *co, int fd, const void *buf, size_t len, int flags);
ssize_t pc_coro_sendto(struct pc_coro *co, int fd, const void *buf, size_t len, int flags,
                       const struct sockaddr *addr, socklen_t addrlen);
ssize_t pc_coro_sendmsg(struct pc_coro *co, int fd, const struct msghdr *msg, int flags);
ssize_t pc_coro_writev(struct pc_coro *co, int fd, const struct iovec *iov, int iovcnt);

/** pc_coro_recv_mbuf is a blocking pc_recv_mbuf. */
int pc_coro_recv_mbuf(struct pc_coro *co, int fd, struct rte_mbuf **m, struct pc_endpoint *from);

/** pc_coro_send_mbuf is a blocking pc_send_mbuf; on failure the chain stays the caller's. */
int pc_coro_send_mbuf(struct pc_coro *co, int fd, struct rte_mbuf *m, const struct pc_endpoint *to);

/** pc_coro_close is pc_close; calls of other coroutines that wait for the socket fail with EBADF. */
int pc_coro_close(struct pc_coro *co, int fd);

#ifdef __cplusplus
}
#endif
#endif
