/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_POSIX_H
#define PERCORE_POSIX_H

/*
 * Sockets for threads: the calls of POSIX and Linux, blocking or not, on stacks that lcores drive.
 *
 *   pcx_attach("/run/percore.sock");                   run.sockets of the process with the stack
 *   fd = pcx_socket(AF_INET, SOCK_STREAM, 0);          then as with the kernel
 *
 * A function without a comment is named after a system call and behaves as its manual page says;
 * docs/not-implemented.md lists the differences.  A program attaches first (pcx_attach or
 * pcx_attach_fd); then any of its threads may make any call.
 *
 * Descriptors: the number of a percore descriptor is reserved in the kernel, so no file, pipe or
 * kernel socket has the same one.  A call with a kernel descriptor is passed to the kernel.  The
 * calls of epoll, poll and select take both kinds.
 *
 * Without a stack: in a process that is not attached, pcx_socket fails with ENETDOWN and everything
 * else goes to the kernel.  When the stack ends or is killed, calls on its sockets fail with
 * ENETDOWN, including those that sleep.
 *
 * Bad pointers fail with EFAULT, as on Linux.  Data buffers and the structs that describe them
 * (struct msghdr, pollfd, fd_set, epoll_event) are checked only for addresses that no program can
 * have.
 *
 * fork: the child is attached as a process of its own.  It inherits the parent's sockets, as with
 * the kernel, and gets its own copies of epoll sets; only the kernel's descriptors in them are
 * shared, as on Linux.  exec: see pcx_exec_prepare.  When a process ends, sockets that only it
 * holds are closed.
 */

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

struct mmsghdr; /* of sys/socket.h, for those who define _GNU_SOURCE */

#ifdef __cplusplus
extern "C" {
#endif

/* ---- attaching ------------------------------------------------------------------------------- */

/**
 * pcx_attach_fd attaches this process by a connection to a host's control thread, from
 * pc_host_connect or from connect() to the host's UNIX socket (SOCK_SEQPACKET). It takes ownership
 * of fd, also on failure, and follows fork() by pthread_atfork(). Returns 0, or -1 with errno
 * EISCONN (already attached), EPROTO (not a host of this version), ENOSPC (too many processes),
 * EACCES (pc_host_listen), or that of socket() or mmap(). If fd is -1, it fails and leaves errno
 * unchanged.
 */
int pcx_attach_fd(int fd);

/**
 * pcx_attach attaches by the name of a host's UNIX socket (with a leading '@': in the abstract
 * namespace). NULL: after exec it takes over the sockets of the previous image (PERCORE_HANDOVER in
 * the environment), otherwise it uses the name in PERCORE_SOCKET. Returns 0, or -1 with errno as
 * pcx_attach_fd, that of connect(), EINVAL (the name is empty or too long, or PERCORE_HANDOVER is
 * not from pcx_exec_prepare), or ENOENT (NULL, and neither is in the environment).
 */
int pcx_attach(const char *path);

/**
 * pcx_detach closes all sockets of this process and detaches it. No other thread may be in a call.
 */
void pcx_detach(void);

/** pcx_is_attached says whether the process is attached to a host, which may have gone down. */
bool pcx_is_attached(void);

/**
 * pcx_processes returns how many processes are attached to the host, including this one; 0 if the
 * host is down or there is none.
 */
unsigned pcx_processes(void);

/** An address of the stack. */
struct pcx_local {
	uint16_t family;      /**< AF_INET or AF_INET6 */
	uint8_t prefix, port; /**< length in bits, at most 32 or 128; index, counted from 0 */
	uint8_t addr[16];     /**< in network byte order; IPv4 uses the first 4 bytes */
};

/**
 * pcx_locals writes at most n usable addresses of the stack. Returns how many it wrote, or -1 with
 * errno ENETDOWN.
 */
int pcx_locals(struct pcx_local *list, unsigned n);

/** The kinds of descriptors. */
enum pcx_kind { PCX_KERNEL, PCX_SOCKET, PCX_EPOLL };

/**
 * pcx_kind returns what a descriptor is: a percore socket, a set made by pcx_epoll_create1, or the
 * kernel's (also if it is not open). It only reads memory.
 */
enum pcx_kind pcx_kind(int fd);

/**
 * A driver lets calling threads drive the stack, without a second core: a thread that would sleep
 * calls turn, which polls and flushes the stack and serves its clients (pc_service_turn); if turn
 * returns 0 and no event is pending, the thread calls sleep. Only one thread at a time is in
 * either.
 */
struct pcx_driver {
	void *arg;
	/** Returns the amount of work done; 0: none. */
	unsigned (*turn)(void *arg);
	/** Sleeps until something may have arrived, at most until deadline_ns of
	 * CLOCK_MONOTONIC. */
	void (*sleep)(void *arg, uint64_t deadline_ns);
	/** Called when a signal ends the process: sends pending data and frees the stack. No turn
	 * follows. May be NULL. */
	void (*end)(void *arg);
	/** Signals that the driver uses itself: they may arrive while it sleeps, and interrupt no
	 * call; others are handled between two turns. NULL: none. */
	const sigset_t *own_signals;
};

/**
 * pcx_set_driver sets the driver, before the first call; the struct must stay valid. NULL: lcores
 * drive the stack.
 */
void pcx_set_driver(const struct pcx_driver *driver);

/**
 * pcx_exec_prepare lets the sockets without FD_CLOEXEC survive an exec: it writes
 * "PERCORE_HANDOVER=..." into buf, NUL-terminated, for the environment of the new image, where
 * pcx_attach takes the sockets over. The connection to the host also stays open. Returns the length
 * of the string; 0 if not attached, if the stack is down, or with a driver; or -1 with errno ERANGE
 * (len is too small; 64 bytes and 24 per socket are enough).
 */
int pcx_exec_prepare(char *buf, size_t len);

/** pcx_exec_failed undoes pcx_exec_prepare after an exec that has failed. */
void pcx_exec_failed(void);

/* ---- sockets --------------------------------------------------------------------------------- */

int pcx_socket(int domain, int type, int protocol);
int pcx_bind(int fd, const struct sockaddr *addr, socklen_t len);
int pcx_listen(int fd, int backlog);
int pcx_accept(int fd, struct sockaddr *addr, socklen_t *len);
int pcx_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int pcx_connect(int fd, const struct sockaddr *addr, socklen_t len);
int pcx_shutdown(int fd, int how);
int pcx_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int pcx_getpeername(int fd, struct sockaddr *addr, socklen_t *len);

/**
 * pcx_getsockopt and pcx_setsockopt have the options of pc_getsockopt, and SO_RCVTIMEO,
 * SO_SNDTIMEO, SO_PEEK_OFF and SO_COOKIE. A size set by SO_SNDBUF or SO_RCVBUF is read back
 * doubled, as in socket(7).
 */
int pcx_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int pcx_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

/* ---- bytes ----------------------------------------------------------------------------------- */

ssize_t pcx_read(int fd, void *buf, size_t n);
ssize_t pcx_write(int fd, const void *buf, size_t n);
ssize_t pcx_readv(int fd, const struct iovec *iov, int n);
ssize_t pcx_writev(int fd, const struct iovec *iov, int n);
ssize_t pcx_recv(int fd, void *buf, size_t n, int flags);
ssize_t pcx_send(int fd, const void *buf, size_t n, int flags);
ssize_t pcx_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len);
ssize_t pcx_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
                   socklen_t len);
ssize_t pcx_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t pcx_sendmsg(int fd, const struct msghdr *m, int flags);
int pcx_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout);
int pcx_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags);

/** pcx_sendfile is sendfile(2): out may be a percore socket; in is a file of the kernel's. */
ssize_t pcx_sendfile(int out, int in, off_t *offset, size_t n);

/**
 * pcx_splice is splice(2) between a percore socket and a pipe of the kernel's; it copies the bytes.
 */
ssize_t pcx_splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t n, unsigned flags);

/* ---- descriptors ----------------------------------------------------------------------------- */

int pcx_close(int fd);
int pcx_dup(int fd);
int pcx_dup2(int fd, int to);
int pcx_dup3(int fd, int to, int flags);

/**
 * pcx_fcntl has F_GETFL, F_SETFL (O_NONBLOCK, O_ASYNC), F_GETFD, F_SETFD, F_DUPFD, F_DUPFD_CLOEXEC,
 * and for the signals of O_ASYNC F_SETOWN, F_SETOWN_EX, F_SETSIG and the corresponding F_GET
 * commands. arg is the third argument of fcntl(2), an int or a pointer.
 */
int pcx_fcntl(int fd, int command, long arg);

/**
 * pcx_ioctl has FIONBIO, FIONREAD, SIOCATMARK, SIOCOUTQ, SIOCOUTQNSD, FIOCLEX, FIONCLEX, FIOASYNC,
 * FIOSETOWN and FIOGETOWN.
 */
int pcx_ioctl(int fd, unsigned long request, void *arg);

/* ---- waiting --------------------------------------------------------------------------------- */

int pcx_poll(struct pollfd *p, nfds_t n, int timeout_ms);
int pcx_ppoll(struct pollfd *p, nfds_t n, const struct timespec *timeout, const sigset_t *mask);
int pcx_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout);
int pcx_pselect(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout,
                const sigset_t *mask);

/**
 * pcx_epoll_create1 makes a set for both kinds of descriptors. It is also a set of the kernel's,
 * and may be added to other sets.
 */
int pcx_epoll_create1(int flags);
int pcx_epoll_create(int size);
int pcx_epoll_ctl(int ep, int op, int fd, struct epoll_event *event);
int pcx_epoll_wait(int ep, struct epoll_event *events, int max, int timeout_ms);
int pcx_epoll_pwait(int ep, struct epoll_event *events, int max, int timeout_ms,
                    const sigset_t *mask);
int pcx_epoll_pwait2(int ep, struct epoll_event *events, int max, const struct timespec *timeout,
                     const sigset_t *mask);

#ifdef __cplusplus
}
#endif
#endif
