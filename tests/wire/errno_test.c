/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The errnos: every call in every condition a socket can be in, on the kernel and on percore.
 *
 * Where percore means to differ (percore/socket.h says so) the call is left out of the table.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bed.h"

#define SIOCINQ_  0x541b
#define SIOCOUTQ_ 0x5411

/* Logs one result. The number of bytes or 0 is logged, a descriptor is not. */
static void result(struct bed *b, const char *call, long long r)
{
	int e = errno;

	bed_log(b, "  %s: %lld %s\n", call, r, r < 0 ? bed_errno(e) : "");
	errno = 0;
}

#define TRY(call, r) (errno = 0, result(b, call, r))

static void names(struct bed *b, int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	TRY("getsockname", b->call->getsockname(b, NEAR, fd, (struct sockaddr *)&a, &len));
	len = sizeof(a);
	TRY("getpeername", b->call->getpeername(b, NEAR, fd, (struct sockaddr *)&a, &len));
}

static void options(struct bed *b, int fd)
{
	int v = 0;
	socklen_t len = sizeof(v);

	TRY("get SO_ERROR", b->call->getsockopt(b, NEAR, fd, SOL_SOCKET, SO_ERROR, &v, &len));
	bed_log(b, "    %s\n", bed_errno(v));
	TRY("get SO_TYPE", b->call->getsockopt(b, NEAR, fd, SOL_SOCKET, SO_TYPE, &v, &len));
	bed_log(b, "    %d\n", v);
	v = 0;
	TRY("get SO_ACCEPTCONN",
	    b->call->getsockopt(b, NEAR, fd, SOL_SOCKET, SO_ACCEPTCONN, &v, &len));
	bed_log(b, "    %d\n", v);
	TRY("get unknown option", b->call->getsockopt(b, NEAR, fd, SOL_SOCKET, 9999, &v, &len));
	TRY("get unknown TCP option",
	    b->call->getsockopt(b, NEAR, fd, IPPROTO_TCP, 9999, &v, &len));
	TRY("set unknown option",
	    b->call->setsockopt(b, NEAR, fd, SOL_SOCKET, 9999, &v, sizeof(v)));
	TRY("set SO_KEEPALIVE, too short",
	    b->call->setsockopt(b, NEAR, fd, SOL_SOCKET, SO_KEEPALIVE, &v, 1));
	TRY("set SO_KEEPALIVE",
	    b->call->setsockopt(b, NEAR, fd, SOL_SOCKET, SO_KEEPALIVE, &v, sizeof(v)));
	TRY("set SO_LINGER, too short",
	    b->call->setsockopt(b, NEAR, fd, SOL_SOCKET, SO_LINGER, &v, 4));
	TRY("set SO_ERROR", b->call->setsockopt(b, NEAR, fd, SOL_SOCKET, SO_ERROR, &v, sizeof(v)));
	v = -1;
	TRY("set IP_TTL -1", b->call->setsockopt(b, NEAR, fd, IPPROTO_IP, IP_TTL, &v, sizeof(v)));
	v = 300;
	TRY("set IP_TTL 300", b->call->setsockopt(b, NEAR, fd, IPPROTO_IP, IP_TTL, &v, sizeof(v)));
	v = 7;
	TRY("set IP_TTL 7", b->call->setsockopt(b, NEAR, fd, IPPROTO_IP, IP_TTL, &v, sizeof(v)));
}

static void requests(struct bed *b, int fd)
{
	int v = 0;

	TRY("SIOCINQ", b->call->ioctl(b, NEAR, fd, SIOCINQ_, &v));
	bed_log(b, "    %d\n", v);
	v = 0;
	TRY("SIOCOUTQ", b->call->ioctl(b, NEAR, fd, SIOCOUTQ_, &v));
	bed_log(b, "    %d\n", v);
	v = 1;
	TRY("FIONBIO", b->call->ioctl(b, NEAR, fd, FIONBIO, &v));
}

static void receiving(struct bed *b, int fd)
{
	char buf[8];
	struct iovec v[2] = {{buf, 4}, {buf + 4, 4}};
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};

	TRY("recv 0", b->call->recvfrom(b, NEAR, fd, buf, 0, 0, NULL, NULL));
	TRY("recv peek", b->call->recvfrom(b, NEAR, fd, buf, 2, MSG_PEEK, NULL, NULL));
	TRY("recv", b->call->recvfrom(b, NEAR, fd, buf, 2, 0, NULL, NULL));
	TRY("recvfrom", b->call->recvfrom(b, NEAR, fd, buf, 2, 0, (struct sockaddr *)&a, &len));
	TRY("recvmsg", b->call->recvmsg(b, NEAR, fd, &m, 0));
	TRY("readv", b->call->readv(b, NEAR, fd, v, 2));
	TRY("readv -1", b->call->readv(b, NEAR, fd, v, -1));
	TRY("readv 2000", b->call->readv(b, NEAR, fd, v, 2000));
	TRY("recv", b->call->recvfrom(b, NEAR, fd, buf, 8, 0, NULL, NULL));
}

static void sending(struct bed *b, int fd)
{
	char buf[8] = "";
	struct iovec v[2] = {{buf, 4}, {buf + 4, 4}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};

	TRY("send 0", b->call->sendto(b, NEAR, fd, buf, 0, 0, NULL, 0));
	TRY("send", b->call->sendto(b, NEAR, fd, buf, 2, 0, NULL, 0));
	TRY("sendmsg", b->call->sendmsg(b, NEAR, fd, &m, 0));
	TRY("writev -1", b->call->writev(b, NEAR, fd, v, -1));
	TRY("writev 2000", b->call->writev(b, NEAR, fd, v, 2000));
	b->call->settle(b);
}

static void binding(struct bed *b, int fd)
{
	struct sockaddr_in a = bed_addr(b, NEAR, 0);

	TRY("bind, too short", b->call->bind(b, NEAR, fd, (struct sockaddr *)&a, 4));
	TRY("bind", b->call->bind(b, NEAR, fd, (struct sockaddr *)&a, sizeof(a)));
	TRY("bind again", b->call->bind(b, NEAR, fd, (struct sockaddr *)&a, sizeof(a)));
}

static void shutting(struct bed *b, int fd)
{
	TRY("shutdown 7", b->call->shutdown(b, NEAR, fd, 7));
	TRY("shutdown -1", b->call->shutdown(b, NEAR, fd, -1));
	TRY("shutdown RD", b->call->shutdown(b, NEAR, fd, SHUT_RD));
	b->call->settle(b);
	TRY("shutdown WR", b->call->shutdown(b, NEAR, fd, SHUT_WR));
	b->call->settle(b);
	TRY("shutdown RDWR", b->call->shutdown(b, NEAR, fd, SHUT_RDWR));
	b->call->settle(b);
}

static void polled(struct bed *b, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	bed_log(b, "  poll: %d", b->call->poll(b, NEAR, &p, 1));
	bed_log_events(b, (uint32_t)(uint16_t)p.revents);
	bed_log(b, "\n");
}

/* Everything that does not change the socket. */
static void all_calls(struct bed *b, int fd)
{
	polled(b, fd);
	names(b, fd);
	requests(b, fd);
	TRY("accept", b->call->accept(b, NEAR, fd, NULL, NULL));
	receiving(b, fd);
	sending(b, fd);
	options(b, fd);
	binding(b, fd);
	polled(b, fd);
}

/* The end of both directions, and what is possible after it. */
static void all_shut(struct bed *b, int fd)
{
	shutting(b, fd);
	polled(b, fd);
	sending(b, fd);
	receiving(b, fd);
}

static int stream(struct bed *b)
{
	return b->call->socket(b, NEAR, AF_INET, SOCK_STREAM, 0);
}

static void end(struct bed *b, int near, int far)
{
	bed_log(b, "  close: %d\n", b->call->close(b, NEAR, near));
	if (far > 0)
		b->call->close(b, FAR, far);
	b->call->settle(b);
}

static void making(struct bed *b)
{
	static const int args[][3] = {
	    {AF_INET, SOCK_STREAM, 0},
	    {AF_INET, SOCK_STREAM, IPPROTO_TCP},
	    {AF_INET, SOCK_DGRAM, IPPROTO_UDP},
	    {AF_INET, SOCK_STREAM, IPPROTO_UDP},
	    {AF_INET, SOCK_DGRAM, IPPROTO_TCP},
	    {AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0},
	    {AF_INET, SOCK_SEQPACKET, 0},
	    {AF_INET, 77, 0},
	    {250, SOCK_STREAM, 0},
	    {AF_INET, SOCK_STREAM, 200},
	};

	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
		int fd;

		errno = 0;
		fd = b->call->socket(b, NEAR, args[i][0], args[i][1], args[i][2]);
		bed_log(b, "%d %d %d: %s %s\n", args[i][0], args[i][1], args[i][2],
		        fd > 0 ? "fd" : "-1", fd > 0 ? "" : bed_errno(errno));
		if (fd > 0)
			b->call->close(b, NEAR, fd);
	}
}

static void fresh(struct bed *b)
{
	struct sockaddr_in to = bed_addr(b, FAR, 9), other = to;
	int fd = stream(b);

	other.sin_addr.s_addr = htonl(0xc6336401);
	TRY("bind, not ours", b->call->bind(b, NEAR, fd, (struct sockaddr *)&other, sizeof(other)));
	TRY("connect, too short", b->call->connect(b, NEAR, fd, (struct sockaddr *)&to, 4));
	all_calls(b, fd);
	shutting(b, fd);
	end(b, fd, 0);
}

static void fresh_listen(struct bed *b)
{
	int fd = stream(b);

	TRY("listen", b->call->listen(b, NEAR, fd, 1));
	TRY("listen", b->call->listen(b, NEAR, fd, 1));
	end(b, fd, 0);
}

static void listening(struct bed *b)
{
	struct sockaddr_in a;
	int fd = bed_listener(b, 5, &a);

	polled(b, fd);
	TRY("accept", b->call->accept(b, NEAR, fd, NULL, NULL));
	TRY("connect", b->call->connect(b, NEAR, fd, (struct sockaddr *)&a, sizeof(a)));
	receiving(b, fd);
	sending(b, fd);
	options(b, fd);
	binding(b, fd);
	TRY("shutdown WR", b->call->shutdown(b, NEAR, fd, SHUT_WR));
	polled(b, fd);
	TRY("shutdown RDWR", b->call->shutdown(b, NEAR, fd, SHUT_RDWR));
	polled(b, fd);
	TRY("accept", b->call->accept(b, NEAR, fd, NULL, NULL));
	end(b, fd, 0);
}

static void connected(struct bed *b)
{
	int fd[2];
	struct sockaddr_in to = bed_addr(b, FAR, 9);

	bed_pair(b, fd);
	TRY("connect", b->call->connect(b, NEAR, fd[NEAR], (struct sockaddr *)&to, sizeof(to)));
	TRY("listen", b->call->listen(b, NEAR, fd[NEAR], 5));
	all_calls(b, fd[NEAR]);
	all_shut(b, fd[NEAR]);
	end(b, fd[NEAR], fd[FAR]);
}

static void with_data(struct bed *b)
{
	int fd[2];

	bed_pair(b, fd);
	b->call->sendto(b, FAR, fd[FAR], "0123456789abcdefghijklmnopqrstuvwxyz", 36, 0, NULL, 0);
	b->call->settle(b);
	all_calls(b, fd[NEAR]);
	all_shut(b, fd[NEAR]);
	end(b, fd[NEAR], fd[FAR]);
}

static void peer_closed(struct bed *b)
{
	int fd[2];

	bed_pair(b, fd);
	b->call->sendto(b, FAR, fd[FAR], "0123456789", 10, 0, NULL, 0);
	b->call->shutdown(b, FAR, fd[FAR], SHUT_WR);
	b->call->settle(b);
	all_calls(b, fd[NEAR]);
	all_shut(b, fd[NEAR]);
	end(b, fd[NEAR], fd[FAR]);
}

/* a stream that the far end has reset */
static int reset_stream(struct bed *b)
{
	const struct linger l = {.l_onoff = 1, .l_linger = 0};
	int fd[2];

	bed_pair(b, fd);
	b->call->setsockopt(b, FAR, fd[FAR], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	b->call->close(b, FAR, fd[FAR]);
	b->call->settle(b);
	return fd[NEAR];
}

static void peer_reset(struct bed *b)
{
	const int fd = reset_stream(b);

	polled(b, fd);
	names(b, fd);
	receiving(b, fd);
	sending(b, fd);
	requests(b, fd);
	shutting(b, fd);
	end(b, fd, 0);
}

static void peer_reset_sender(struct bed *b)
{
	const int fd = reset_stream(b);

	sending(b, fd);
	receiving(b, fd);
	options(b, fd);
	end(b, fd, 0);
}

static void refused(struct bed *b)
{
	struct sockaddr_in to = bed_addr(b, FAR, 9);
	int fd = stream(b);

	b->call->connect(b, NEAR, fd, (struct sockaddr *)&to, sizeof(to));
	b->call->settle(b);
	polled(b, fd);
	names(b, fd);
	receiving(b, fd);
	sending(b, fd);
	end(b, fd, 0);
}

static void connecting_calls(struct bed *b)
{
	struct sockaddr_in to = bed_addr(b, FAR, 9), bad = to;
	int fd = stream(b);

	bad.sin_family = AF_UNIX;
	TRY("connect AF_UNIX", b->call->connect(b, NEAR, fd, (struct sockaddr *)&bad, sizeof(bad)));
	end(b, fd, 0);
	fd = stream(b);
	bad = to;
	bad.sin_family = AF_UNIX;
	TRY("bind AF_UNIX", b->call->bind(b, NEAR, fd, (struct sockaddr *)&bad, sizeof(bad)));
	end(b, fd, 0);
}

static void not_sockets(struct bed *b)
{
	static const int fds[] = {-1, 60000, 1 << 30};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		names(b, fds[i]);
		receiving(b, fds[i]);
		sending(b, fds[i]);
		options(b, fds[i]);
		binding(b, fds[i]);
		shutting(b, fds[i]);
		requests(b, fds[i]);
		TRY("listen", b->call->listen(b, NEAR, fds[i], 1));
		TRY("accept", b->call->accept(b, NEAR, fds[i], NULL, NULL));
		TRY("close", b->call->close(b, NEAR, fds[i]));
	}
}

static void datagram(struct bed *b, bool connect)
{
	int fd = b->call->socket(b, NEAR, AF_INET, SOCK_DGRAM, 0);
	int far = b->call->socket(b, FAR, AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in to = bed_addr(b, FAR, 0);
	socklen_t len = sizeof(to);

	b->call->bind(b, FAR, far, (struct sockaddr *)&to, len);
	b->call->getsockname(b, FAR, far, (struct sockaddr *)&to, &len);
	if (connect)
		TRY("connect", b->call->connect(b, NEAR, fd, (struct sockaddr *)&to, sizeof(to)));
	polled(b, fd);
	names(b, fd);
	TRY("listen", b->call->listen(b, NEAR, fd, 1));
	TRY("accept", b->call->accept(b, NEAR, fd, NULL, NULL));
	sending(b, fd);
	to.sin_port = 0;
	TRY("sendto port 0",
	    b->call->sendto(b, NEAR, fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
	TRY("sendto, too short",
	    b->call->sendto(b, NEAR, fd, "x", 1, 0, (struct sockaddr *)&to, 4));
	receiving(b, fd);
	options(b, fd);
	shutting(b, fd);
	polled(b, fd);
	end(b, fd, far);
}

static void udp(struct bed *b)
{
	datagram(b, false);
}

static void udp_connected(struct bed *b)
{
	datagram(b, true);
}

static void udp_refused(struct bed *b)
{
	struct sockaddr_in to = bed_addr(b, FAR, 9);
	int fd = b->call->socket(b, NEAR, AF_INET, SOCK_DGRAM, 0);

	b->call->connect(b, NEAR, fd, (struct sockaddr *)&to, sizeof(to));
	TRY("send", b->call->sendto(b, NEAR, fd, "x", 1, 0, NULL, 0));
	b->call->settle(b);
	polled(b, fd);
	TRY("send", b->call->sendto(b, NEAR, fd, "x", 1, 0, NULL, 0));
	b->call->settle(b);
	options(b, fd);
	TRY("recv", b->call->recvfrom(b, NEAR, fd, &to, 1, 0, NULL, NULL));
	end(b, fd, 0);
}

static const struct bed_case cases[] = {
    {"socket()", making},
    {"a fresh socket", fresh},
    {"listen() on a fresh socket", fresh_listen},
    {"a listening socket", listening},
    {"a connected socket", connected},
    {"a connected socket with data", with_data},
    {"a socket whose peer has closed", peer_closed},
    {"a socket whose peer has reset, reading first", peer_reset},
    {"a socket whose peer has reset, writing first", peer_reset_sender},
    {"a socket whose connection was refused", refused},
    {"addresses of another family", connecting_calls},
    {"what is no socket", not_sockets},
    {"a UDP socket", udp},
    {"a connected UDP socket", udp_connected},
    {"a UDP socket whose peer refuses", udp_refused},
};

int main(int argc, char **argv)
{
	return bed_main(argc, argv, "errno", cases, sizeof(cases) / sizeof(cases[0]));
}
