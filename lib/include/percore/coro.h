/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_CORO_H
#define PERCORE_CORO_H

/*
 * Coroutines on the lcore: handlers that are written as if calls blocked.
 *
 * A coroutine has its own call stack and runs on the thread that drives the struct pc_stack.  When
 * it makes a call that has to wait, other coroutines run, and it continues after the event.
 * Coroutines are never preempted, so data that they share needs no lock as long as none of them
 * waits while it uses the data.  A set of coroutines belongs to one struct pc_stack and uses one of
 * its epoll sets.
 *
 *   cs = pc_coros_create(st, NULL);            at start: takes all memory
 *   pc_coro_spawn(cs, serve, arg, 0);
 *   pc_coros_turn(cs, now_ns);                 in each turn, between poll and flush
 *   pc_coros_destroy(cs);
 *
 * All calls are for the thread that drives the stack.  Those that take a struct pc_coro must be
 * made by that coroutine itself; those on sockets are the calls of percore/socket.h, with the
 * semantics of blocking sockets on Linux.  In addition, each call that has to wait fails with errno
 *   ECANCELED  if the coroutine has been cancelled,
 *   EAGAIN     after the time-out of pc_coro_set_timeout (connect: EINPROGRESS; join: ETIMEDOUT).
 *
 * A stack overflow hits a guard page, which ends the process; printing and name resolution need
 * tens of kilobytes of stack.  Sockets that a coroutine waits for must not be in another epoll set.
 * Close them with pc_coro_close if another coroutine may be waiting for them.
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
	/** coroutines at a time, in [1,1000000]; above about 32,000, raise vm.max_map_count */
	uint32_t max;
	uint32_t stack_bytes; /**< of each, at least 8192; rounded up to whole pages */
};

/** Flag of pc_coro_spawn: the coroutine will be joined. */
#define PC_CORO_JOINABLE 1
/** No time-out, for pc_coro_set_timeout. */
#define PC_CORO_FOREVER UINT64_MAX

/** pc_coro_config_init sets the defaults: 1024 coroutines with 64 KiB of stack. */
void pc_coro_config_init(struct pc_coro_config *config);

/**
 * pc_coros_create makes an empty set and takes all its memory from the system, including 4 bytes
 * for each descriptor of the stack; config NULL: the defaults. Returns NULL with errno EINVAL (a
 * limit), ENOMEM, or EMFILE (stack.max_epolls).
 */
struct pc_coros *pc_coros_create(struct pc_stack *st, const struct pc_coro_config *config);

/**
 * pc_coros_destroy cancels all coroutines, lets each run to its end, and frees everything. Sockets
 * stay open. It does not return while a coroutine ignores ECANCELED. A coroutine of the set must
 * not call it. NULL is allowed.
 */
void pc_coros_destroy(struct pc_coros *cs);

/**
 * pc_coros_turn runs every coroutine that can continue at now_ns, the time of the stack's turn: its
 * event has happened, its time-out has passed, or it is new. One that calls pc_coro_yield continues
 * in the next turn.
 */
void pc_coros_turn(struct pc_coros *cs, uint64_t now_ns);

/**
 * pc_coros_next_deadline returns the time, as now_ns, by which pc_coros_turn must be called even if
 * nothing arrives: 0 if a coroutine can continue, UINT64_MAX if none waits for a time. It may be up
 * to 65.536 us later than was asked for, never earlier.
 */
uint64_t pc_coros_next_deadline(const struct pc_coros *cs);

/** pc_coros_count returns how many coroutines have not ended. */
uint32_t pc_coros_count(const struct pc_coros *cs);

/** pc_coros_cancel cancels every coroutine that exists now, as pc_coro_cancel does. */
void pc_coros_cancel(struct pc_coros *cs);

/**
 * pc_coro_spawn makes a coroutine that runs fn(co, arg) in the current turn or, if called outside a
 * turn, in the next one. flags is 0 or PC_CORO_JOINABLE. It takes no memory from the system.
 * Returns the coroutine's number, which is not reused; or 0 with errno EAGAIN (there are max of
 * them, including those that wait to be joined) or ECANCELED (the set is being destroyed).
 */
uint64_t pc_coro_spawn(struct pc_coros *cs, pc_coro_fn fn, void *arg, int flags);

/**
 * pc_coro_cancel makes the call in which a coroutine waits, and each later one that would have to
 * wait, fail with ECANCELED. It does not wait for that. Returns 0, or -1 with errno ESRCH (the
 * coroutine has ended).
 */
int pc_coro_cancel(struct pc_coros *cs, uint64_t number);

/**
 * pc_coro_detach declares that nobody will join a coroutine. Returns 0, or -1 with errno ESRCH (no
 * such coroutine, or it has been joined) or EINVAL (it is not joinable, or is being joined).
 */
int pc_coro_detach(struct pc_coros *cs, uint64_t number);

/**
 * pc_coro_join waits until another coroutine, spawned with PC_CORO_JOINABLE, has ended; *result (if
 * not NULL) gets its return value. Returns 0, or -1 with errno ESRCH (no such coroutine, or it has
 * been joined), EINVAL (it is not joinable, or is being joined), EDEADLK (it is the caller),
 * ETIMEDOUT, ECANCELED.
 */
int pc_coro_join(struct pc_coro *co, uint64_t number, int *result);

/** pc_coro_yield waits for the next turn. Returns 0, or -1 with errno ECANCELED. */
int pc_coro_yield(struct pc_coro *co);

/**
 * pc_coro_sleep waits until the first turn after ns nanoseconds. Returns 0, or -1 with errno
 * ECANCELED.
 */
int pc_coro_sleep(struct pc_coro *co, uint64_t ns);

/**
 * pc_coro_set_timeout limits each later call of the coroutine that waits, except pc_coro_yield and
 * pc_coro_sleep, to ns nanoseconds; PC_CORO_FOREVER, the default, removes the limit.
 */
void pc_coro_set_timeout(struct pc_coro *co, uint64_t ns);

/** pc_coro_is_cancelled says whether the coroutine has been cancelled. */
bool pc_coro_is_cancelled(const struct pc_coro *co);

/** pc_coro_number returns the number that pc_coro_spawn gave the coroutine. */
uint64_t pc_coro_number(const struct pc_coro *co);

/** pc_coro_set returns the coroutine's set, to spawn more. */
struct pc_coros *pc_coro_set(const struct pc_coro *co);

/** pc_coro_stack returns the struct pc_stack of the set. */
struct pc_stack *pc_coro_stack(const struct pc_coro *co);

/**
 * pc_coro_now_ns returns the time of this turn, in nanoseconds. If the clock is set back, it
 * continues from where it was.
 */
uint64_t pc_coro_now_ns(const struct pc_coro *co);

/**
 * pc_coro_wait waits until a socket has any of events (EPOLLIN, ...; EPOLLERR and EPOLLHUP always
 * count). Returns those that it has, 0 after the time-out, or -1 with errno EBADF (also if it is
 * closed by pc_coro_close meanwhile), EBUSY (it is in another epoll set) or ECANCELED.
 */
int pc_coro_wait(struct pc_coro *co, int fd, uint32_t events);

/** pc_coro_accept is pc_accept, but waits for a connection. */
int pc_coro_accept(struct pc_coro *co, int fd, struct sockaddr *addr, socklen_t *len);

/**
 * pc_coro_connect is pc_connect, but waits until the connection is established or has failed. After
 * a time-out (EINPROGRESS) or ECANCELED the attempt continues, and another call waits for it. errno
 * ECONNABORTED: it has failed, and another call has already returned the reason.
 */
int pc_coro_connect(struct pc_coro *co, int fd, const struct sockaddr *addr, socklen_t len);

/**
 * pc_coro_recv, pc_coro_recvfrom, pc_coro_recvmsg and pc_coro_readv are the calls of
 * percore/socket.h, but wait for the first byte or datagram, except with MSG_DONTWAIT, MSG_OOB or
 * MSG_ERRQUEUE. With MSG_WAITALL, pc_coro_recv and pc_coro_recvfrom wait for all bytes of a stream;
 * they return fewer at its end, before an urgent byte, after an error, which the next call returns,
 * after the time-out, or when cancelled.
 */
ssize_t pc_coro_recv(struct pc_coro *co, int fd, void *buf, size_t len, int flags);
ssize_t pc_coro_recvfrom(struct pc_coro *co, int fd, void *buf, size_t len, int flags,
                         struct sockaddr *addr, socklen_t *addrlen);
ssize_t pc_coro_recvmsg(struct pc_coro *co, int fd, struct msghdr *msg, int flags);
ssize_t pc_coro_readv(struct pc_coro *co, int fd, const struct iovec *iov, int iovcnt);

/**
 * pc_coro_send, pc_coro_sendto, pc_coro_sendmsg and pc_coro_writev are the calls of
 * percore/socket.h, but wait until all bytes are queued, with MSG_FASTOPEN also for the connection.
 * They return fewer if an error, the time-out or a cancellation came after the first bytes; the
 * next call returns the error. With MSG_DONTWAIT they queue only what fits at once.
 */
ssize_t pc_coro_send(struct pc_coro *co, int fd, const void *buf, size_t len, int flags);
ssize_t pc_coro_sendto(struct pc_coro *co, int fd, const void *buf, size_t len, int flags,
                       const struct sockaddr *addr, socklen_t addrlen);
ssize_t pc_coro_sendmsg(struct pc_coro *co, int fd, const struct msghdr *msg, int flags);
ssize_t pc_coro_writev(struct pc_coro *co, int fd, const struct iovec *iov, int iovcnt);

/** pc_coro_recv_mbuf is pc_recv_mbuf, but waits for an mbuf. */
int pc_coro_recv_mbuf(struct pc_coro *co, int fd, struct rte_mbuf **m, struct pc_endpoint *from);

/**
 * pc_coro_send_mbuf is pc_send_mbuf, but waits for room. On failure the chain stays the caller's.
 */
int pc_coro_send_mbuf(struct pc_coro *co, int fd, struct rte_mbuf *m, const struct pc_endpoint *to);

/**
 * pc_coro_close is pc_close, and makes calls of other coroutines that wait for the socket fail with
 * EBADF.
 */
int pc_coro_close(struct pc_coro *co, int fd);

#ifdef __cplusplus
}
#endif
#endif
