/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_SOCKET_H
#define PERCORE_SOCKET_H

/*
 * Sockets on the lcore: the BSD calls, with the stack as an additional first argument.
 *
 *   fd = pc_socket(st, AF_INET, SOCK_STREAM, 0);
 *   pc_bind(st, fd, (struct sockaddr *)&addr, sizeof(addr));
 *   pc_listen(st, fd, 1024);
 *   client = pc_accept(st, fd, NULL, NULL);           -1 and EAGAIN: none yet (percore/epoll.h)
 *
 * Constants, structs, semantics and errnos are those of Linux and of the system's headers
 * (sys/socket.h, netinet/in.h, netinet/tcp.h, sys/epoll.h, poll.h).  Every socket is non-blocking:
 * a call that would block fails with EAGAIN (connect: EINPROGRESS).  Descriptors are small integers
 * of the stack, not of the kernel.  Call only from the thread that drives the stack; other threads
 * use percore/posix.h.
 *
 * Unless stated otherwise, a call returns 0, or -1 with errno: EBADF for what is not a socket of
 * this stack, and ENOTCONN, EINVAL, EOPNOTSUPP as on Linux.  There is no EFAULT: pointers are
 * trusted.
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

/* options of IPPROTO_TCP of newer kernels, for machines whose headers are older */
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif
#ifndef TCP_RTO_MIN_US
#define TCP_RTO_MIN_US 45
#endif
#ifndef TCP_DELACK_MAX_US
#define TCP_DELACK_MAX_US 46
#endif

struct mmsghdr; /* of sys/socket.h, for those who define _GNU_SOURCE */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pc_socket makes a socket: domain AF_INET or AF_INET6, type SOCK_STREAM or SOCK_DGRAM
 * (SOCK_NONBLOCK and SOCK_CLOEXEC are accepted without effect), protocol 0 or the type's own. An
 * AF_INET6 socket also handles IPv4, with mapped addresses (RFC 3493 section 3.7), unless
 * IPV6_V6ONLY is set. The scope (sin6_scope_id) of a link-local address is the port's index plus 1.
 *
 * Raw sockets (SOCK_RAW with a protocol) receive copies of the IP packets to our addresses, IPv4
 * with headers, as in raw(7): IP_HDRINCL, ICMP_FILTER, ICMP6_FILTER. Packet sockets (domain
 * AF_PACKET, protocol in network byte order, ETH_P_ALL for all) receive copies of the frames of all
 * ports in both directions, with SOCK_DGRAM without Ethernet headers; bind and sendto take struct
 * sockaddr_ll; a socket does not receive what it has sent itself. Both accept SO_ATTACH_FILTER with at
 * most 256 instructions, count as UDP sockets (stack.max_udp_sockets), and cost nothing while there are
 * none.
 *
 * Returns a descriptor > 0, or -1 with errno EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EINVAL
 * (unknown type), or ENFILE (stack.max_connections or stack.max_udp_sockets).
 */
int pc_socket(struct pc_stack *st, int domain, int type, int protocol);

/**
 * pc_fd_limit returns one more than the largest descriptor that the stack can give to a socket or
 * an epoll set: the length of a table indexed by descriptor.
 */
uint32_t pc_fd_limit(const struct pc_stack *st);

/**
 * pc_bind assigns a local address to a socket. Port 0 means a free ephemeral port. errno:
 * EADDRINUSE, EADDRNOTAVAIL, EINVAL (already bound, len too short, or a link-local address without
 * a scope), EAFNOSUPPORT, ENODEV (no such scope), ENOBUFS (too many bound TCP sockets).
 */
int pc_bind(struct pc_stack *st, int fd, const struct sockaddr *addr, socklen_t len);

/**
 * pc_listen makes a TCP socket accept connections. backlog is the length of the accept queue, at
 * most tcp.backlog; a negative value means tcp.backlog, and the queue holds one more than backlog,
 * as on Linux. A second call changes the backlog. Each lcore has its own listener, as with
 * SO_REUSEPORT. errno: EADDRINUSE, EINVAL (connected or connecting), EOPNOTSUPP (not TCP), ENOBUFS
 * (stack.max_listeners).
 */
int pc_listen(struct pc_stack *st, int fd, int backlog);

/**
 * pc_accept takes the oldest connection from the accept queue of a listener. Returns a new
 * descriptor, which inherits options of the listener (TCP_NODELAY, buffers, keep-alive), or -1 with
 * errno EAGAIN (there is none), EINVAL (not listening) or EOPNOTSUPP (not TCP). addr and len may be
 * NULL.
 */
int pc_accept(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len);

/**
 * pc_connect starts a TCP connection and fails with EINPROGRESS. EPOLLOUT follows when the
 * connection is established or has failed; then SO_ERROR has the reason. On a UDP socket it sets
 * the peer and succeeds at once.
 *
 * AF_UNSPEC removes the peer of a UDP socket, and resets a TCP socket to its initial state: the
 * peer gets a RST, queued data is dropped, and SO_ERROR is ECONNRESET. With TCP_FASTOPEN_CONNECT
 * and a cookie for the destination, the call on a TCP socket succeeds at once, and the SYN waits
 * for the first bytes (RFC 7413).
 *
 * Other errnos: EALREADY; EISCONN; ENETUNREACH (no route; for TCP also multicast and broadcast);
 * EADDRNOTAVAIL (no free port, or the same connection exists); after a failed attempt, once,
 * ECONNREFUSED, ETIMEDOUT etc., or ECONNABORTED if SO_ERROR has been read; EACCES (UDP to a
 * broadcast address without SO_BROADCAST); EPERM (percore/firewall.h).
 */
int pc_connect(struct pc_stack *st, int fd, const struct sockaddr *addr, socklen_t len);

/**
 * pc_recv copies received bytes into buf. Returns how many, 0 at the end of the stream (or for an
 * empty datagram), or -1 with errno EAGAIN, ENOTCONN, or the socket's pending error (ECONNRESET,
 * ETIMEDOUT, ...).
 *
 * Flags:
 *   MSG_PEEK                    leaves the bytes in the queue
 *   MSG_TRUNC                   datagrams: returns the full length; TCP: discards, does not copy
 *   MSG_DONTWAIT, MSG_WAITALL   without effect: no call blocks
 *   MSG_OOB                     TCP: the urgent byte of a socket with SO_OOBINLINE 0; errno EINVAL:
 *                               there is none, EAGAIN: it was announced, but has not arrived
 * A read stops before an urgent byte; the next one skips it if urgent bytes are out of band, which
 * pc_recv_mbuf does not.
 */
ssize_t pc_recv(struct pc_stack *st, int fd, void *buf, size_t len, int flags);

/**
 * pc_send queues len bytes of a connected socket for transmission. It copies them, so buf may be
 * reused on return.
 *
 * Returns how many were queued, in [1,len] (0 only if len is 0); or -1 with errno EAGAIN (the send
 * buffer is full, mbufs are short, or the connection is not established yet; EPOLLOUT follows),
 * EPIPE (not connected, or after shutdown or reset), or the socket's pending error. UDP: also
 * EDESTADDRREQ, EMSGSIZE, ENETUNREACH, EACCES (broadcast), ENOBUFS (no mbufs), EPERM
 * (percore/firewall.h). The first send on a socket with TCP_FASTOPEN_CONNECT returns how many bytes
 * the SYN took.
 *
 * Flags:
 *   MSG_DONTWAIT, MSG_NOSIGNAL  without effect: no call blocks, no signal is raised
 *   MSG_MORE                    UDP: the datagram continues with the next call; TCP: more follows
 *   MSG_EOR                     TCP: if all bytes were taken, later ones share no segment with them
 *   MSG_ZEROCOPY                copies, and reports so in the error queue
 *   MSG_OOB                     TCP: the last byte is urgent (RFC 9293 section 3.8.5)
 */
ssize_t pc_send(struct pc_stack *st, int fd, const void *buf, size_t len, int flags);

/**
 * pc_recvfrom is pc_recv, and returns the sender's address of a datagram; of TCP, *addrlen is 0.
 */
ssize_t pc_recvfrom(struct pc_stack *st, int fd, void *buf, size_t len, int flags,
                    struct sockaddr *addr, socklen_t *addrlen);

/**
 * pc_sendto is pc_send to addr; TCP ignores addr, as on Linux.
 *
 * With MSG_FASTOPEN, a TCP socket that is not connected connects to addr, and its SYN carries the
 * bytes (RFC 7413). Returns how many the SYN took; or -1 with errno EINPROGRESS (it has to request
 * a cookie first; no byte is queued: send again after EPOLLOUT), EOPNOTSUPP (tcp.fastopen does not
 * allow it), EISCONN, EALREADY, or as pc_connect.
 */
ssize_t pc_sendto(struct pc_stack *st, int fd, const void *buf, size_t len, int flags,
                  const struct sockaddr *addr, socklen_t addrlen);

/**
 * pc_recvmsg is pc_recvfrom into several buffers, at most 1024 (EMSGSIZE); msg_flags is set
 * (MSG_TRUNC, MSG_CTRUNC). If it fails, *msg is unchanged. Interface indexes are those of ports
 * plus 1. msg_control gets what the socket's options ask for, as on Linux:
 *   datagrams  IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT,
 *              IPV6_RECVTCLASS, SO_TIMESTAMP(NS), SO_RXQ_OVFL, IP_RECVORIGDSTADDR; UDP_GRO, with
 *              which queued datagrams of one flow and size are returned by one call
 *   TCP        TCP_INQ
 *
 * With MSG_ERRQUEUE it returns an entry of the error queue (EPOLLERR says that there is one; errno
 * EAGAIN: none). For datagram sockets with IP_RECVERR or IPV6_RECVERR these are the quoted payload,
 * the destination in msg_name, and in msg_control what the options ask for about the ICMP message,
 * then a struct sock_extended_err with the address of the host that sent it. For TCP it says which
 * MSG_ZEROCOPY calls have completed.
 */
ssize_t pc_recvmsg(struct pc_stack *st, int fd, struct msghdr *msg, int flags);

/**
 * pc_sendmsg is pc_sendto from several buffers, at most 1024 (EMSGSIZE). msg_control of a datagram
 * may have IP_PKTINFO, IP_TTL, IP_TOS, IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS and UDP_SEGMENT,
 * for this call only; those of the destination's other family are ignored; errno EINVAL for others
 * and for addresses that are not ours. With UDP_SEGMENT, here or as a socket option, the bytes are
 * sent as datagrams of that size, of which the last may be smaller: at most 128 (EINVAL), none
 * larger than the path's MTU (EMSGSIZE). TCP ignores msg_control.
 */
ssize_t pc_sendmsg(struct pc_stack *st, int fd, const struct msghdr *msg, int flags);

/**
 * pc_recvmmsg is pc_recvmsg for up to n messages; msg_len of each is set to its length in bytes.
 * Returns how many were received, or -1 with errno if the first failed. MSG_WAITFORONE has no
 * effect: no call waits.
 */
int pc_recvmmsg(struct pc_stack *st, int fd, struct mmsghdr *msgs, unsigned n, int flags);

/**
 * pc_sendmmsg is pc_sendmsg for n messages, of which it sends at most 1024; msg_len of each is set
 * to the bytes that were sent. Returns how many messages were sent, or -1 with errno if the first
 * failed.
 */
int pc_sendmmsg(struct pc_stack *st, int fd, struct mmsghdr *msgs, unsigned n, int flags);

/** pc_readv is pc_recvmsg with buffers only. errno EINVAL for an iovcnt outside [0,1024]. */
ssize_t pc_readv(struct pc_stack *st, int fd, const struct iovec *iov, int iovcnt);

/** pc_writev is pc_sendmsg with buffers only. errno EINVAL for an iovcnt outside [0,1024]. */
ssize_t pc_writev(struct pc_stack *st, int fd, const struct iovec *iov, int iovcnt);

/**
 * pc_recv_mbuf receives without copying: for TCP the unread bytes of a received segment (or of
 * several, joined, that arrived out of order), otherwise one datagram. The mbuf, possibly a chain,
 * holds payload only and belongs to the caller, who frees or sends it. from (may be NULL) gets the
 * sender.
 *
 * Returns 1 with *m set, 0 at the end of the stream (*m is NULL), or -1 with errno as pc_recv.
 */
int pc_recv_mbuf(struct pc_stack *st, int fd, struct rte_mbuf **m, struct pc_endpoint *from);

/**
 * pc_recv_mbufs is pc_recv_mbuf for up to n mbufs. Returns how many were received, 0 at the end of
 * the stream, or -1 with errno as pc_recv. Fewer than n means that nothing more is queued, so an
 * edge-triggered caller (EPOLLET) need not call again, unless the event had EPOLLRDHUP, EPOLLHUP or
 * EPOLLERR: then the next call returns the end or the error.
 */
int pc_recv_mbufs(struct pc_stack *st, int fd, struct rte_mbuf **m, unsigned n);

/**
 * pc_send_mbuf queues an mbuf chain of payload, whole or not at all, and takes ownership of it; on
 * failure it stays the caller's. Nothing is copied if the mbuf is a single unshared segment of at
 * most one MSS with 128 bytes of headroom, or if the port sends chains. to is the destination of a
 * datagram, or NULL on a connected socket.
 *
 * Returns 0, or -1 with errno as pc_send, or EOPNOTSUPP (a raw or packet socket). EAGAIN: the send
 * buffer is not empty and has less room than the chain needs.
 */
int pc_send_mbuf(struct pc_stack *st, int fd, struct rte_mbuf *m, const struct pc_endpoint *to);

/**
 * pc_shutdown ends one or both directions: SHUT_RD, SHUT_WR, SHUT_RDWR. errno ENOTCONN (on a UDP
 * socket it takes effect all the same, as on Linux), EINVAL, EOPNOTSUPP (a packet socket).
 */
int pc_shutdown(struct pc_stack *st, int fd, int how);

/**
 * pc_close closes a socket or an epoll set. TCP still delivers what is queued, then a FIN; with
 * unread data, or SO_LINGER with a time of 0, it sends a RST (RFC 2525 section 2.17). The
 * descriptor is not reused while the connection still exists.
 */
int pc_close(struct pc_stack *st, int fd);

/**
 * pc_getsockopt and pc_setsockopt have the following options of Linux. Others of Linux are stored
 * and returned without effect (SO_PRIORITY, ...; docs/not-implemented.md), or fail with
 * ENOPROTOOPT. errno EINVAL for a bad value or length.
 *
 * SOL_SOCKET   SO_ERROR SO_TYPE SO_DOMAIN SO_PROTOCOL SO_ACCEPTCONN SO_REUSEADDR SO_REUSEPORT
 *              SO_KEEPALIVE SO_LINGER SO_OOBINLINE SO_SNDBUF SO_RCVBUF SO_BROADCAST
 *              SO_MAX_PACING_RATE SO_RCVLOWAT SO_ZEROCOPY SO_PEERNAME SO_MEMINFO; datagrams:
 *              SO_TIMESTAMP SO_TIMESTAMPNS SO_TIMESTAMPING (and the _NEW ones) SO_RXQ_OVFL
 *              SO_NO_CHECK SO_BINDTOIFINDEX
 * IPPROTO_TCP  TCP_NODELAY TCP_CORK TCP_QUICKACK TCP_MAXSEG TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT
 *              TCP_USER_TIMEOUT TCP_SYNCNT TCP_DEFER_ACCEPT TCP_WINDOW_CLAMP TCP_NOTSENT_LOWAT
 *              TCP_FASTOPEN TCP_FASTOPEN_CONNECT TCP_FASTOPEN_KEY TCP_INQ TCP_INFO TCP_CONGESTION
 *              TCP_MD5SIG TCP_MD5SIG_EXT TCP_RTO_MAX_MS TCP_RTO_MIN_US TCP_DELACK_MAX_US
 *              TCP_AO_ADD_KEY TCP_AO_DEL_KEY TCP_AO_INFO TCP_AO_GET_KEYS
 * IPPROTO_IP   IP_TTL IP_TOS IP_LOCAL_PORT_RANGE; TCP: IP_MINTTL IP_BIND_ADDRESS_NO_PORT
 *              IP_PKTOPTIONS; datagrams: IP_MTU_DISCOVER (default IP_PMTUDISC_WANT) IP_MTU
 *              IP_PKTINFO IP_RECVTTL IP_RECVTOS IP_RECVERR
 * IPPROTO_IPV6 (AF_INET6 sockets) IPV6_V6ONLY IPV6_UNICAST_HOPS IPV6_TCLASS IPV6_MTU
 *              IPV6_PATHMTU; TCP: IPV6_MINHOPCOUNT; datagrams: IPV6_MTU_DISCOVER
 *              IPV6_RECVPKTINFO IPV6_RECVHOPLIMIT IPV6_RECVTCLASS IPV6_RECVERR
 * SOL_UDP      UDP_SEGMENT UDP_GRO UDP_CORK
 * multicast    IP_MULTICAST_TTL IP_MULTICAST_IF IP_MULTICAST_ALL IP_MULTICAST_LOOP
 *              IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP IP_ADD_SOURCE_MEMBERSHIP
 *              IP_DROP_SOURCE_MEMBERSHIP IP_BLOCK_SOURCE IP_UNBLOCK_SOURCE IP_MSFILTER
 *              IPV6_MULTICAST_HOPS IPV6_MULTICAST_IF IPV6_MULTICAST_ALL IPV6_JOIN_GROUP
 *              IPV6_LEAVE_GROUP MCAST_JOIN_GROUP and the other MCAST_ options
 *
 * SO_SNDBUF, SO_RCVBUF  bytes, not doubled; reading returns the current size. Setting one turns
 *                       off its auto-tuning (tcp.sndbuf_max, tcp.rcvbuf_max)
 * SO_OOBINLINE          TCP: 1, the default, leaves urgent bytes in the stream (RFC 6093
 *                       section 5); 0: out of band, for MSG_OOB, as on Linux
 * SO_MAX_PACING_RATE    TCP only: bytes/s of payload, 32 or 64 bits; all ones: unlimited
 * IPV6_UNICAST_HOPS, IPV6_TCLASS  on TCP sockets the same values as IP_TTL and IP_TOS
 * IP_MINTTL, IPV6_MINHOPCOUNT  minimum TTL or hop limit of packets accepted from the peer, 0: any
 *                       (RFC 5082); accepted sockets have their listener's
 * TCP_FASTOPEN          of a listener: how many Fast Open connections may be in SYN-RECEIVED
 * TCP_FASTOPEN_KEY      16 bytes, or 32 with a previous key whose cookies are still accepted; of
 *                       the whole stack
 * TCP_RTO_MAX_MS        replaces tcp.rto_max_ms, 1000 to 120000; also for SYN-ACKs and probes of a
 *                       closed window
 * TCP_RTO_MIN_US        replaces tcp.rto_min_ms, 1 to 200000, from the next RTT sample on; a
 *                       time-out is never shorter than this and the clock's granularity, 66 us.
 *                       Timers fire up to 131 us late
 * TCP_DELACK_MAX_US     maximum delay of acknowledgements, 1 to 200000; at most tcp.delack_ms
 * TCP_INFO              Linux's struct tcp_info
 * TCP_MD5SIG            Linux's struct tcp_md5sig: a key for a peer (RFC 2385), with TCP_MD5SIG_EXT
 *                       for all peers of a prefix; one of no bytes removes it. In any state;
 *                       connections have their listener's key for their peer. Cannot be read.
 *                       errno ENOENT (nothing to remove), ENOMEM (all tcp.auth_keys are in use),
 *                       ENOPROTOOPT (percore was built without nettle)
 * TCP_AO_ADD_KEY        and the other three: Linux's keys of TCP-AO (RFC 5925), percore/tcp_ao.h.
 *                       For listeners and sockets that are not connected; a connection that has
 *                       such keys may get others. errno as on Linux, and ENOMEM and ENOPROTOOPT
 *                       as for TCP_MD5SIG
 * TCP_CONGESTION        "reno", "cubic", "dctcp", "bbr"; errno ENOENT for others
 */
int pc_getsockopt(struct pc_stack *st, int fd, int level, int name, void *value, socklen_t *len);
int pc_setsockopt(struct pc_stack *st, int fd, int level, int name, const void *value,
                  socklen_t len);

struct tcp_md5sig;

/**
 * pc_get_md5sig reads key n of a TCP socket, counted from 0 in no particular order, in a form that
 * gives it to another socket by TCP_MD5SIG_EXT. errno ENOENT (it has no more than n keys),
 * ENOPROTOOPT (not a TCP socket).
 */
int pc_get_md5sig(struct pc_stack *st, int fd, unsigned n, struct tcp_md5sig *key);

struct tcp_ao_getsockopt;

/**
 * pc_get_ao_key reads key n, counted from 0 in no particular order, of those keys of a TCP socket
 * that match a query for TCP_AO_GET_KEYS. Returns how many match, or -1 with errno as
 * getsockopt(TCP_AO_GET_KEYS); if no more than n match, *key is unchanged.
 */
int pc_get_ao_key(struct pc_stack *st, int fd, const struct tcp_ao_getsockopt *question, unsigned n,
                  struct tcp_ao_getsockopt *key);

/**
 * pc_getsockname writes a socket's local address: at most *len bytes; *len becomes its full size.
 */
int pc_getsockname(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len);

/** pc_getpeername writes the address of a socket's peer likewise. errno ENOTCONN. */
int pc_getpeername(struct pc_stack *st, int fd, struct sockaddr *addr, socklen_t *len);

/**
 * pc_ioctl supports, with arg pointing to an int:
 *   SIOCINQ (FIONREAD)   bytes to read, with SO_OOBINLINE 0 those before an urgent byte; of
 *                        datagram sockets the length of the next datagram
 *   SIOCOUTQ (TIOCOUTQ)  bytes queued for sending, unacknowledged ones included, and a FIN; UDP: 0
 *   SIOCOUTQNSD          bytes not sent yet, and a FIN (TCP)
 *   SIOCATMARK           whether the urgent byte is the next to be read: a read stops before it.
 *                        EPOLLPRI says that one is ahead (with SO_OOBINLINE 0: that MSG_OOB
 *                        returns it) (TCP)
 *   FIONBIO              accepted without effect
 * errno ENOTTY (another request, or one of TCP on another socket), EINVAL (a listener).
 */
int pc_ioctl(struct pc_stack *st, int fd, unsigned long request, void *arg);

/**
 * pc_poll is poll(2) with a time-out of 0: it fills in revents of n descriptors. Negative
 * descriptors are skipped; what is not a socket of the stack gets POLLNVAL. Returns how many have
 * events.
 */
int pc_poll(struct pc_stack *st, struct pollfd *fds, nfds_t n);

#ifdef __cplusplus
}
#endif
#endif
