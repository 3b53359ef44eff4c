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

struct mmsghdr; /* of sys/socket.h, for those who define _GNU_SOURCE */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pc_socket makes a socket: domain AF_INET or AF_INET6, type SOCK_STREAM or SOCK_DGRAM (SOCK_NONBLOCK and
 * SOCK_CLOEXEC are allowed and mean nothing), protocol 0 or the type's own. An AF_INET6 socket speaks
 * IPv4 too, in mapped addresses (RFC 3493 section 3.7), unless IPV6_V6ONLY is set. The scope of a
 * link-local address is the port's index plus 1.
 *
 * SOCK_RAW with a protocol gets copies of the IP packets that are for us (of IPv4 with their headers), as
 * raw(7) says: IP_HDRINCL, ICMP_FILTER, ICMP6_FILTER. Domain AF_PACKET (protocol in network byte order,
 * ETH_P_ALL for all) gets copies of the frames of all ports, both ways, SOCK_DGRAM without their Ethernet
 * headers; bind() and sendto() take struct sockaddr_ll. Both take SO_ATTACH_FILTER, of at most 256
 * instructions. They count as UDP sockets (stack.max_udp_sockets), and while there are none nothing is
 * spent on them.
 *
 * Returns a descriptor > 0, or -1 with errno EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, or
 * ENFILE when the stack's limit is reached.
 */
int pc_socket(struct pc_stack *st, int domain, int type, int protocol);

/**
 * pc_bind names a socket. Port 0 takes a free ephemeral port. errno: EADDRINUSE, EADDRNOTAVAIL,
 * EINVAL (bound already, or len too short, or a link-local address without a scope), EAFNOSUPPORT,
 * ENODEV (no such scope).
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
 * succeeds at once; AF_UNSPEC undoes that, and makes a TCP socket in any state as new: the peer is reset, what
 * waits is dropped, and SO_ERROR is ECONNRESET. With TCP_FASTOPEN_CONNECT, and a cookie of the
 * destination, a TCP socket succeeds at once, too, and the SYN waits for the first bytes (RFC 7413).
 * errno besides: EALREADY, EISCONN, ENETUNREACH, EADDRNOTAVAIL (no free port), ECONNREFUSED etc.
 * after a failed attempt, EACCES (broadcast), ENETUNREACH (multicast, for TCP), EPERM (percore/firewall.h).
 */
int pc_connect(struct pc_stack *st, int fd, const struct sockaddr *addr, socklen_t len);

/**
 * pc_recv copies received bytes into buf. Returns how many, 0 at the end of the stream (or for an
 * empty datagram), or -1 with errno EAGAIN, ECONNRESET, ETIMEDOUT, ENOTCONN. Flags: MSG_PEEK,
 * MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL (without effect: nothing blocks), MSG_OOB (the urgent byte of a socket
 * with SO_OOBINLINE 0; errno EINVAL: there is none, EAGAIN: it is announced). A read ends in front of an urgent
 * byte; out of band it passes over it, which pc_recv_mbuf does not.
 */
ssize_t pc_recv(struct pc_stack *st, int fd, void *buf, size_t len, int flags);

/**
 * pc_send queues bytes of a connected socket for transmission; it copies, so buf is free on return.
 *
 * len is in bytes. Returns how many were queued, in [1,len] (0 only when len is 0); or -1 with errno
 * EAGAIN when the send buffer is full (EPOLLOUT follows), EPIPE after shutdown or reset, ENOTCONN;
 * for UDP also EDESTADDRREQ, EMSGSIZE, ECONNREFUSED, ENETUNREACH, EPERM (percore/firewall.h). Flags: MSG_DONTWAIT, MSG_NOSIGNAL
 * (no signal is ever raised), MSG_MORE (UDP: what follows belongs to the same datagram), MSG_EOR (TCP: what follows does not share a
 * segment with it, if all bytes were taken), MSG_ZEROCOPY (copies, and says so), MSG_OOB (TCP: the last byte is urgent, RFC 9293 section 3.8.5). A
 * send to a socket whose connect() has waited for it (TCP_FASTOPEN_CONNECT) returns how many bytes the SYN
 * took. Call only on the lcore that owns the socket's stack.
 */
ssize_t pc_send(struct pc_stack *st, int fd, const void *buf, size_t len, int flags);

/** pc_recvfrom is pc_recv that also tells the sender's address (UDP; TCP: the peer's). */
ssize_t pc_recvfrom(struct pc_stack *st, int fd, void *buf, size_t len, int flags,
                    struct sockaddr *addr, socklen_t *addrlen);

/**
 * pc_sendto is pc_send to addr; TCP ignores addr when connected, as Linux does (EISCONN not raised).
 *
 * With MSG_FASTOPEN a TCP socket that is not connected connects to addr, and its SYN carries the bytes
 * (RFC 7413). Returns how many the SYN took; or -1 with errno EINPROGRESS when it had to ask for a cookie
 * first (none is queued: send again when EPOLLOUT comes), EOPNOTSUPP when tcp.fastopen does not allow it,
 * EISCONN, EALREADY, or as pc_connect.
 */
ssize_t pc_sendto(struct pc_stack *st, int fd, const void *buf, size_t len, int flags,
                  const struct sockaddr *addr, socklen_t addrlen);

/**
 * pc_recvmsg is pc_recvfrom into several buffers; msg_flags is set (MSG_TRUNC, MSG_CTRUNC). Of datagrams,
 * msg_control gets what the socket's options ask for, as on Linux: IP_PKTINFO, IP_RECVTTL, IP_RECVTOS,
 * IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, SO_TIMESTAMP(NS), SO_RXQ_OVFL, IP_RECVORIGDSTADDR; UDP_GRO, with
 * which datagrams of one flow and size that wait in the queue come in one call. Interfaces are numbered
 * from 1. Of TCP: TCP_INQ, and by MSG_ERRQUEUE which MSG_ZEROCOPY calls are over. With MSG_ERRQUEUE it takes an error off the queue that IP_RECVERR or
 * IPV6_RECVERR has opened: the quoted payload, the destination in msg_name, and struct sock_extended_err
 * with the offender's address in msg_control; EPOLLERR tells that there is one. errno EAGAIN: none.
 */
ssize_t pc_recvmsg(struct pc_stack *st, int fd, struct msghdr *msg, int flags);

/**
 * pc_sendmsg is pc_sendto from several buffers. msg_control of a datagram may have IP_PKTINFO, IP_TTL,
 * IP_TOS, IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS and UDP_SEGMENT, which counts for this call; errno
 * EINVAL for others and for what is no address of ours. With UDP_SEGMENT, by this or as an option, the
 * bytes go as datagrams of that size, the last may be smaller: at most 64, none larger than the path's
 * MTU (EINVAL). TCP ignores msg_control.
 */
ssize_t pc_sendmsg(struct pc_stack *st, int fd, const struct msghdr *msg, int flags);

/**
 * pc_recvmmsg is pc_recvmsg for up to n messages; msg_len of each tells its bytes. Returns how many were
 * received, or -1 with errno when the first of them failed. MSG_WAITFORONE means nothing: no call waits.
 */
int pc_recvmmsg(struct pc_stack *st, int fd, struct mmsghdr *msgs, unsigned n, int flags);

/** pc_sendmmsg is pc_sendmsg for n messages (at most 1024). Returns how many were sent, or -1 with
 * errno when the first of them failed. */
int pc_sendmmsg(struct pc_stack *st, int fd, struct mmsghdr *msgs, unsigned n, int flags);

/** pc_readv is pc_recvmsg with buffers only. errno EINVAL for a count outside [0,1024]. */
ssize_t pc_readv(struct pc_stack *st, int fd, const struct iovec *iov, int iovcnt);

/** pc_writev is pc_sendmsg with buffers only. errno EINVAL for a count outside [0,1024]. */
ssize_t pc_writev(struct pc_stack *st, int fd, const struct iovec *iov, int iovcnt);

/**
 * pc_recv_mbuf takes received data without copying: for TCP the bytes of one received segment (or of some that
 * came early, one after the other) that have not been read yet, for UDP one datagram. The mbuf (possibly a chain) holds payload only and
 * is the caller's to free or to send. from (may be NULL) gets the sender.
 * Returns 1 with *m set, 0 at the end of the stream (*m NULL), or -1 with errno as pc_recv.
 */
int pc_recv_mbuf(struct pc_stack *st, int fd, struct rte_mbuf **m, struct pc_endpoint *from);

/**
 * pc_recv_mbufs is pc_recv_mbuf for up to n mbufs at a time. Returns how many m[] has got, 0 at the end of the
 * stream, or -1 with errno as pc_recv. Fewer than n means that nothing more is queued: who is told of events by
 * edges (EPOLLET) need not ask again, unless the event has said EPOLLRDHUP, EPOLLHUP or EPOLLERR, too: the end, or
 * the error, is what the next call tells.
 */
int pc_recv_mbufs(struct pc_stack *st, int fd, struct rte_mbuf **m, unsigned n);

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
 * SO_REUSEADDR SO_REUSEPORT SO_KEEPALIVE SO_LINGER SO_OOBINLINE (TCP: 1 is the default, urgent bytes
 * stay in the stream, RFC 6093 section 5; 0: out of band as on Linux, for MSG_OOB) SO_SNDBUF SO_RCVBUF SO_BROADCAST SO_MAX_PACING_RATE (TCP only:
 * bytes/s of payload, 32 or 64 bits, all ones: unlimited) SO_RCVLOWAT SO_ZEROCOPY SO_PEERNAME SO_MEMINFO, SO_PRIORITY and others kept without effect; IPPROTO_IP: IP_TTL IP_TOS
 * IP_LOCAL_PORT_RANGE IP_BIND_ADDRESS_NO_PORT (TCP) IP_PKTOPTIONS (TCP); IPPROTO_IPV6 (AF_INET6
 * sockets): IPV6_V6ONLY IPV6_UNICAST_HOPS IPV6_TCLASS IPV6_MTU, of which the hops and the class of TCP are
 * the same values as IP_TTL and IP_TOS; of datagrams: SO_TIMESTAMP SO_TIMESTAMPNS SO_TIMESTAMPING (and the _NEW ones) SO_RXQ_OVFL SO_NO_CHECK
 * IP_MTU_DISCOVER (IP_PMTUDISC_WANT is the default) IP_MTU IP_PKTINFO IP_RECVTTL IP_RECVTOS IP_RECVERR
 * IP_MULTICAST_TTL IPV6_MTU_DISCOVER IPV6_RECVPKTINFO IPV6_RECVHOPLIMIT IPV6_RECVTCLASS IPV6_RECVERR
 * IPV6_MULTICAST_HOPS UDP_SEGMENT UDP_GRO SO_BINDTOIFINDEX; of groups: IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP
 * IP_ADD_SOURCE_MEMBERSHIP IP_DROP_SOURCE_MEMBERSHIP IP_BLOCK_SOURCE IP_UNBLOCK_SOURCE IP_MULTICAST_IF
 * IP_MULTICAST_ALL IPV6_JOIN_GROUP IPV6_LEAVE_GROUP IPV6_MULTICAST_IF IPV6_MULTICAST_ALL MCAST_JOIN_GROUP and
 * the like; IP_MULTICAST_LOOP; IPPROTO_TCP: TCP_NODELAY TCP_CORK TCP_QUICKACK TCP_MAXSEG TCP_KEEPIDLE
 * TCP_KEEPINTVL TCP_KEEPCNT TCP_USER_TIMEOUT TCP_SYNCNT TCP_DEFER_ACCEPT TCP_WINDOW_CLAMP TCP_NOTSENT_LOWAT
 * TCP_FASTOPEN (connections in SYN-RECEIVED that a listener allows) TCP_FASTOPEN_CONNECT TCP_FASTOPEN_KEY
 * (16 bytes, or 32 with the key that old cookies may have; of the whole stack) TCP_INQ TCP_INFO (Linux's struct
 * tcp_info) TCP_CONGESTION ("reno", "cubic", "dctcp", "bbr"; errno ENOENT for others). SO_SNDBUF and
 * SO_RCVBUF are not doubled; a buffer that was set does not tune itself any more (tcp.sndbuf_max,
 * tcp.rcvbuf_max), and what is read is what is in force. errno ENOPROTOOPT for others, EINVAL for a bad
 * value or length.
 */
int pc_getsockopt(struct pc_stack *st, int fd, int level, int name, void *value, socklen_t *len);
int pc_setsockopt(struct pc_stack *st, int fd, int level, int name, const void *value,
                  socklen_t len);

/** pc_getsockname tells a socket's own address. */
int pc_getsockname(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len);

/** pc_getpeername tells a connected socket's peer; errno ENOTCONN. */
int pc_getpeername(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len);

/** pc_ioctl: SIOCINQ (FIONREAD), SIOCOUTQ (TIOCOUTQ) and SIOCOUTQNSD (unsent) fill in an int;
 * SIOCATMARK says whether the urgent byte is the next to be read: a read ends in front of it, EPOLLPRI tells
 * that one is ahead (with SO_OOBINLINE 0: that MSG_OOB gives it, and SIOCINQ counts what is before it); FIONBIO is accepted. */
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
