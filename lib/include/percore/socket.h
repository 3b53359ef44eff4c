/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_SOCKET_H
#define PERCORE_SOCKET_H

/*
 * Sockets on the lcore: the BSD calls with a stack in front.
 *
 * Names, constants, struct layouts, meanings and errnos are Linux's, so the system's headers serve
 * (sys/socket.h, netinet/in.h, netinet/tcp.h, sys/epoll.h, poll.h).  Every socket is non-blocking:
 * what would block fails with EAGAIN (connect: EINPROGRESS).  Descriptors are small numbers of the
 * stack, not of the kernel.  Call only from the thread that drives the stack.
 *
 * Unless said otherwise a call returns 0, or -1 with errno; EBADF for what is not a socket of this
 * stack and ENOTCONN, EINVAL, EOPNOTSUPP, EFAULT-free as on Linux (pointers are trusted).
 */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pc_socket makes a socket: domain AF_INET, type SOCK_STREAM or SOCK_DGRAM (SOCK_NONBLOCK and
 * SOCK_CLOEXEC are allowed and mean nothing), protocol 0 or the type's own.
 *
 * Returns a descriptor > 0, or -1 with errno EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, or
 * ENFILE when the stack's limit is reached.
 */
int pc_socket(struct pc_stack *st, int domain, int type, int protocol);

/**
 * pc_bind names a socket. Port 0 takes a free ephemeral port. errno: EADDRINUSE, EADDRNOTAVAIL,
 * EINVAL (bound already, or len too short), EAFNOSUPPORT.
 */
int pc_bind(struct pc_stack *st, int fd, const struct sockaddr *addr, socklen_t len);

/**
 * pc_listen makes a TCP socket accept connections; backlog is the length of the accept queue,
 * limited by tcp.backlog; a negative one is taken as 0, and a queue always holds one more than
 * backlog, as on Linux. A second call changes the backlog. errno: EADDRINUSE, EINVAL, EOPNOTSUPP,
 * ENOBUFS (stack.max_listeners reached). Every lcore listens for itself, as with SO_REUSEPORT.
 */
int pc_listen(struct pc_stack *st, int fd, int backlog);

/**
 * pc_accept takes the oldest established connection of a listener. addr and len may be NULL.
 * Options of the listener (TCP_NODELAY, buffers, keep-alive) are inherited. errno: EAGAIN, EINVAL.
 */
int pc_accept(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len);

/**
 * pc_connect starts a TCP connection and fails with EINPROGRESS; EPOLLOUT tells when it is
 * established or has failed (then SO_ERROR says why). On a UDP socket it sets the peer and
 * succeeds at once; AF_UNSPEC undoes that. errno besides: EALREADY, EISCONN, ENETUNREACH,
 * EADDRNOTAVAIL (no free port), ECONNREFUSED etc. after a failed attempt, EACCES (broadcast),
 * ENETUNREACH (multicast, for TCP).
 */
int pc_connect(struct pc_stack *st, int fd, const struct sockaddr *addr, socklen_t len);

/**
 * pc_recv copies received bytes into buf. Returns how many, 0 at the end of the stream (or for an
 * empty datagram), or -1 with errno EAGAIN, ECONNRESET, ETIMEDOUT, ENOTCONN. Flags: MSG_PEEK,
 * MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL (without effect: nothing blocks).
 */
ssize_t pc_recv(struct pc_stack *st, int fd, void *buf, size_t len, int flags);

/**
 * pc_send queues bytes of a connected socket for transmission; it copies, so buf is free on return.
 *
 * len is in bytes. Returns how many were queued, in [1,len] (0 only when len is 0); or -1 with errno
 * EAGAIN when the send buffer is full (EPOLLOUT follows), EPIPE after shutdown or reset, ENOTCONN;
 * for UDP also EDESTADDRREQ, EMSGSIZE, ECONNREFUSED, ENETUNREACH. Flags: MSG_DONTWAIT, MSG_NOSIGNAL
 * (no signal is ever raised), MSG_MORE. Call only on the lcore that owns the socket's stack.
 */
ssize_t pc_send(struct pc_stack *st, int fd, const void *buf, size_t len, int flags);

/** pc_recvfrom is pc_recv that also tells the sender's address (UDP; TCP: the peer's). */
ssize_t pc_recvfrom(struct pc_stack *st, int fd, void *buf, size_t len, int flags,
                    struct sockaddr *addr, socklen_t *addrlen);

/** pc_sendto is pc_send to addr; TCP ignores addr when connected, as Linux does (EISCONN not raised). */
ssize_t pc_sendto(struct pc_stack *st, int fd, const void *buf, size_t len, int flags,
                  const struct sockaddr *addr, socklen_t addrlen);

/** pc_recvmsg is pc_recvfrom into several buffers; msg_flags is set, no ancillary data is made. */
ssize_t pc_recvmsg(struct pc_stack *st, int fd, struct msghdr *msg, int flags);

/** pc_sendmsg is pc_sendto from several buffers; ancillary data is ignored. */
ssize_t pc_sendmsg(struct pc_stack *st, int fd, const struct msghdr *msg, int flags);

/** pc_readv is pc_recvmsg with buffers only. errno EINVAL for a count outside [0,1024]. */
ssize_t pc_readv(struct pc_stack *st, int fd, const struct iovec *iov, int iovcnt);

/** pc_writev is pc_sendmsg with buffers only. errno EINVAL for a count outside [0,1024]. */
ssize_t pc_writev(struct pc_stack *st, int fd, const struct iovec *iov, int iovcnt);

/**
 * pc_recv_mbuf takes received data without copying: for TCP the bytes of one received segment that
 * have not been read yet, for UDP one datagram. The mbuf (possibly a chain) holds payload only and
 * is the caller's to free or to send. from (may be NULL) gets the sender.
 * Returns 1 with *m set, 0 at the end of the stream (*m NULL), or -1 with errno as pc_recv.
 */
int pc_recv_mbuf(struct pc_stack *st, int fd, struct rte_mbuf **m, struct pc_endpoint *from);

/**
 * pc_send_mbuf queues a whole mbuf chain of payload and owns it from then on; on failure it stays
 * the caller's. No byte is copied when the mbuf is a single unshared segment of at most one MSS with
 * 128 bytes of headroom, or when the port sends chains. It takes the whole chain or nothing.
 * to: UDP destination, or NULL when connected. Returns 0, or -1 with errno as pc_send; EAGAIN while
 * the send buffer has less free room than the chain is long, unless it is empty.
 */
int pc_send_mbuf(struct pc_stack *st, int fd, struct rte_mbuf *m, const struct pc_endpoint *to);

/** pc_shutdown ends one or both directions: SHUT_RD, SHUT_WR, SHUT_RDWR. errno ENOTCONN, EINVAL. */
int pc_shutdown(struct pc_stack *st, int fd, int how);

/**
 * pc_close gives the descriptor back. TCP goes on to deliver what is queued, then FIN; with unread
 * data or SO_LINGER of 0 it sends RST instead (RFC 2525 section 2.17). The number is not used again
 * while the connection lives on.
 */
int pc_close(struct pc_stack *st, int fd);

/**
 * pc_getsockopt and pc_setsockopt: SOL_SOCKET: SO_ERROR SO_TYPE SO_DOMAIN SO_PROTOCOL SO_ACCEPTCONN
 * SO_REUSEADDR SO_REUSEPORT SO_KEEPALIVE SO_LINGER SO_SNDBUF SO_RCVBUF SO_BROADCAST SO_MAX_PACING_RATE
 * (TCP only: bytes/s of payload, 32 or 64 bits, all ones: unlimited); IPPROTO_IP: IP_TTL IP_TOS;
 * IPPROTO_TCP: TCP_NODELAY TCP_CORK TCP_QUICKACK TCP_MAXSEG TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT
 * TCP_USER_TIMEOUT TCP_SYNCNT TCP_DEFER_ACCEPT TCP_WINDOW_CLAMP TCP_INFO (Linux's struct tcp_info)
 * TCP_CONGESTION ("reno", "cubic", "dctcp", "bbr"; errno ENOENT for others). SO_SNDBUF and SO_RCVBUF are
 * not doubled. errno ENOPROTOOPT for others, EINVAL for a bad value or length.
 */
int pc_getsockopt(struct pc_stack *st, int fd, int level, int name, void *value, socklen_t *len);
int pc_setsockopt(struct pc_stack *st, int fd, int level, int name, const void *value,
                  socklen_t len);

/** pc_getsockname tells a socket's own address. */
int pc_getsockname(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len);

/** pc_getpeername tells a connected socket's peer; errno ENOTCONN. */
int pc_getpeername(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len);

/** pc_ioctl: SIOCINQ (FIONREAD) and SIOCOUTQ (TIOCOUTQ) fill in an int; FIONBIO is accepted. */
int pc_ioctl(struct pc_stack *st, int fd, unsigned long request, void *arg);

/**
 * pc_poll fills in revents of n descriptors, as poll() with a time-out of 0: negative descriptors are
 * passed over, unknown ones get POLLNVAL. Returns how many have events.
 */
int pc_poll(struct pc_stack *st, struct pollfd *fds, nfds_t n);

#ifdef __cplusplus
}
#endif
#endif
