/* SPDX-License-Identifier: BSD-2-Clause */

/* What socket calls do with data and options; the same programs on the kernel and on percore. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <percore/socket.h>

#include "bed.h"

#define SIOCINQ_  0x541b
#define SIOCOUTQ_ 0x5411

static void send_text(struct bed *b, int side, int fd, const char *text)
{
	bed_log(b, "send %s: %zd\n", text,
	        b->call->sendto(b, side, fd, text, strlen(text), 0, NULL, 0));
	b->call->settle(b);
}

static void recv_text(struct bed *b, int side, int fd, size_t n, int flags)
{
	char buf[100] = "";
	ssize_t r;

	errno = 0;
	r = b->call->recvfrom(b, side, fd, buf, n, flags, NULL, NULL);
	bed_log(b, "recv %zu flags %x: %zd '%s' %s\n", n, (unsigned)flags, r, buf,
	        r < 0 ? bed_errno(errno) : "");
}

static void queued(struct bed *b, int side, int fd)
{
	int in = -1, out = -1;

	b->call->ioctl(b, side, fd, SIOCINQ_, &in);
	b->call->ioctl(b, side, fd, SIOCOUTQ_, &out);
	bed_log(b, "in %d out %d\n", in, out);
}

static void close_pair(struct bed *b, const int fd[2])
{
	b->call->close(b, FAR, fd[FAR]);
	b->call->close(b, NEAR, fd[NEAR]);
	b->call->settle(b);
}

static void peek(struct bed *b)
{
	int fd[2];

	bed_pair(b, fd);
	send_text(b, FAR, fd[FAR], "hello");
	send_text(b, FAR, fd[FAR], "world");
	recv_text(b, NEAR, fd[NEAR], 3, MSG_PEEK);
	recv_text(b, NEAR, fd[NEAR], 7, MSG_PEEK);
	recv_text(b, NEAR, fd[NEAR], 3, 0);
	recv_text(b, NEAR, fd[NEAR], 50, MSG_PEEK);
	queued(b, NEAR, fd[NEAR]);
	recv_text(b, NEAR, fd[NEAR], 50, 0);
	recv_text(b, NEAR, fd[NEAR], 50, MSG_PEEK);
	b->call->shutdown(b, FAR, fd[FAR], SHUT_WR);
	b->call->settle(b);
	recv_text(b, NEAR, fd[NEAR], 50, MSG_PEEK);
	recv_text(b, NEAR, fd[NEAR], 50, 0);
	close_pair(b, fd);
}

static void vectors(struct bed *b)
{
	char text[] = "one,two,three,four,five", x[4] = "", y[9] = "", z[30] = "";
	struct iovec out[] = {{text, 4}, {text + 4, 0}, {text + 4, 10}, {text + 14, 9}};
	struct iovec in[] = {{x, 3}, {y, 0}, {y, 8}, {z, 29}};
	struct msghdr m = {.msg_iov = in, .msg_iovlen = 4};
	int fd[2];

	bed_pair(b, fd);
	bed_log(b, "writev: %zd\n", b->call->writev(b, FAR, fd[FAR], out, 4));
	b->call->settle(b);
	bed_log(b, "readv: %zd", b->call->readv(b, NEAR, fd[NEAR], in, 4));
	bed_log(b, " %s|%s|%s\n", x, y, z);
	bed_log(b, "writev: %zd\n", b->call->writev(b, FAR, fd[FAR], out, 2));
	b->call->settle(b);
	memset(x, 0, sizeof(x));
	memset(y, 0, sizeof(y));
	bed_log(b, "recvmsg peek: %zd", b->call->recvmsg(b, NEAR, fd[NEAR], &m, MSG_PEEK));
	bed_log(b, " %s|%s|%s\n", x, y, z);
	bed_log(b, "recvmsg: %zd", b->call->recvmsg(b, NEAR, fd[NEAR], &m, 0));
	bed_log(b, " %s|%s|%s flags %x\n", x, y, z, (unsigned)m.msg_flags);
	bed_log(b, "writev of nothing: %zd\n", b->call->writev(b, FAR, fd[FAR], out, 0));
	bed_log(b, "readv of nothing: %zd\n", b->call->readv(b, NEAR, fd[NEAR], in, 0));
	close_pair(b, fd);
}

/* who tries again after EAGAIN need not say again what there is room for */
static void failed_message(struct bed *b)
{
	struct sockaddr_in6 from;
	char text[8], control[64];
	struct iovec v = {text, sizeof(text)};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_name = &from,
	                   .msg_namelen = sizeof(from),
	                   .msg_control = control,
	                   .msg_controllen = sizeof(control),
	                   .msg_flags = MSG_EOR};
	int fd[2];

	bed_pair(b, fd);
	for (int flags = 0; flags <= MSG_ERRQUEUE; flags += MSG_ERRQUEUE) {
		ssize_t rc = b->call->recvmsg(b, NEAR, fd[NEAR], &m, flags);

		bed_log(b, "%zd %s: name %u control %zu flags %x\n", rc, bed_errno(errno),
		        (unsigned)m.msg_namelen, (size_t)m.msg_controllen, (unsigned)m.msg_flags);
	}
	close_pair(b, fd);
}

static void queues(struct bed *b)
{
	int fd[2];

	bed_pair(b, fd);
	queued(b, NEAR, fd[NEAR]);
	send_text(b, FAR, fd[FAR], "0123456789");
	queued(b, NEAR, fd[NEAR]);
	queued(b, FAR, fd[FAR]);
	recv_text(b, NEAR, fd[NEAR], 4, 0);
	queued(b, NEAR, fd[NEAR]);
	b->call->shutdown(b, FAR, fd[FAR], SHUT_WR);
	b->call->settle(b);
	queued(b, NEAR, fd[NEAR]); /* FIN is not counted */
	recv_text(b, NEAR, fd[NEAR], 10, 0);
	queued(b, NEAR, fd[NEAR]);
	close_pair(b, fd);
}

static void truncated(struct bed *b)
{
	int fd[2];

	bed_pair(b, fd);
	send_text(b, FAR, fd[FAR], "0123456789");
	bed_log(b, "MSG_TRUNC drops: %zd\n",
	        b->call->recvfrom(b, NEAR, fd[NEAR], NULL, 4, MSG_TRUNC, NULL, NULL));
	recv_text(b, NEAR, fd[NEAR], 20, 0);
	close_pair(b, fd);
}

static void half_closed(struct bed *b)
{
	int fd[2];

	bed_pair(b, fd);
	b->call->shutdown(b, NEAR, fd[NEAR], SHUT_WR);
	b->call->settle(b);
	recv_text(b, FAR, fd[FAR], 10, 0);
	for (int i = 0; i < 3; i++) {
		send_text(b, FAR, fd[FAR], "still here");
		recv_text(b, NEAR, fd[NEAR], 50, 0);
	}
	bed_log(b, "again: %d\n", b->call->shutdown(b, NEAR, fd[NEAR], SHUT_WR));
	b->call->shutdown(b, FAR, fd[FAR], SHUT_WR);
	b->call->settle(b);
	recv_text(b, NEAR, fd[NEAR], 50, 0);
	errno = 0;
	bed_log(b, "after both: %d", b->call->shutdown(b, NEAR, fd[NEAR], SHUT_WR));
	bed_log(b, " %s\n", bed_errno(errno));
	close_pair(b, fd);
}

static void read_shut(struct bed *b)
{
	int fd[2];

	bed_pair(b, fd);
	send_text(b, FAR, fd[FAR], "before");
	b->call->shutdown(b, NEAR, fd[NEAR], SHUT_RD);
	recv_text(b, NEAR, fd[NEAR], 50, 0);
	recv_text(b, NEAR, fd[NEAR], 50, 0);
	send_text(b, NEAR, fd[NEAR], "writing goes on");
	recv_text(b, FAR, fd[FAR], 50, 0);
	close_pair(b, fd);
}

static int get_int(struct bed *b, int fd, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	if (b->call->getsockopt(b, NEAR, fd, level, name, &v, &len) != 0)
		return -1000 - errno;
	return len == sizeof(v) ? v : -2000 - (int)len;
}

static void integer_options(struct bed *b)
{
	static const struct {
		const char *name;
		int level, option, values[5];
	} opts[] = {
	    {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, {0, 1, 5, 0}},
	    {"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, {0, 1, 5, 0}},
	    {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, {0, 1, 7, 0}},
	    {"SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, {0, 1, 7, 0}},
	    {"IP_TTL", IPPROTO_IP, IP_TTL, {1, 64, 255, 256, 0}},
	    {"IP_TOS", IPPROTO_IP, IP_TOS, {0, 0x10, 0xb8, 8}},
	    {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, {0, 1, 3, 0}},
	    {"TCP_CORK", IPPROTO_TCP, TCP_CORK, {0, 1, 3, 0}},
	    {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, {1, 100, 32767, 0, 40000}},
	    {"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, {1, 100, 32767, 0, 40000}},
	    {"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, {1, 100, 127, 0, 128}},
	    {"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, {1, 3000, 0, -1, 100000}},
	};

	for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
		int fd = b->call->socket(b, NEAR, AF_INET, SOCK_STREAM, 0);

		for (size_t k = 0; k < 5; k++) {
			int v = opts[i].values[k], r;

			errno = 0;
			r = b->call->setsockopt(b, NEAR, fd, opts[i].level, opts[i].option, &v,
			                        sizeof(v));
			bed_log(b, "%s %d: %d %s, is %d\n", opts[i].name, v, r,
			        r < 0 ? bed_errno(errno) : "",
			        get_int(b, fd, opts[i].level, opts[i].option));
		}
		b->call->close(b, NEAR, fd);
	}
}

/* Older kernels do not know them; values are whole jiffies, whatever it counts in. */
static void limit_options(struct bed *b)
{
	static const struct {
		int option, values[5];
	} opts[] = {{TCP_RTO_MAX_MS, {1000, 120000, 999, 120001, 5000}},
	            {TCP_RTO_MIN_US, {40000, 200000, 0, 200001, 120000}},
	            {TCP_DELACK_MAX_US, {40000, 200000, 0, 200001, 120000}}};
	const int kernels = socket(AF_INET, SOCK_STREAM, 0);

	for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
		int fd = b->call->socket(b, NEAR, AF_INET, SOCK_STREAM, 0), v;
		socklen_t len = sizeof(v);
		const bool known = getsockopt(kernels, IPPROTO_TCP, opts[i].option, &v, &len) == 0;

		for (size_t k = 0; known && k < 5; k++) {
			int r;

			errno = 0;
			v = opts[i].values[k];
			r = b->call->setsockopt(b, NEAR, fd, IPPROTO_TCP, opts[i].option, &v,
			                        sizeof(v));
			bed_log(b, "%d %d: %d %s, is %d\n", opts[i].option, v, r,
			        r < 0 ? bed_errno(errno) : "",
			        get_int(b, fd, IPPROTO_TCP, opts[i].option));
		}
		b->call->close(b, NEAR, fd);
	}
	close(kernels);
}

static void linger_option(struct bed *b)
{
	int fd = b->call->socket(b, NEAR, AF_INET, SOCK_STREAM, 0);
	struct linger l = {.l_onoff = 1, .l_linger = 5};
	socklen_t len = sizeof(l);

	b->call->setsockopt(b, NEAR, fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	l = (struct linger){0};
	b->call->getsockopt(b, NEAR, fd, SOL_SOCKET, SO_LINGER, &l, &len);
	bed_log(b, "linger on %d len %u\n", l.l_onoff, len);
	l = (struct linger){.l_onoff = 1, .l_linger = 0};
	b->call->setsockopt(b, NEAR, fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	l = (struct linger){9, 9};
	b->call->getsockopt(b, NEAR, fd, SOL_SOCKET, SO_LINGER, &l, &len);
	bed_log(b, "linger on %d %d\n", l.l_onoff, l.l_linger);
	b->call->close(b, NEAR, fd);
}

static void constant_options(struct bed *b)
{
	int fd = b->call->socket(b, NEAR, AF_INET, SOCK_STREAM, 0), v = 1;
	unsigned char c[2] = {77, 77};
	socklen_t len = 1;

	bed_log(b, "SO_TYPE %d\n", get_int(b, fd, SOL_SOCKET, SO_TYPE));
	bed_log(b, "SO_DOMAIN %d\n", get_int(b, fd, SOL_SOCKET, SO_DOMAIN));
	bed_log(b, "SO_PROTOCOL %d\n", get_int(b, fd, SOL_SOCKET, SO_PROTOCOL));
	b->call->setsockopt(b, NEAR, fd, IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v));
	bed_log(b, "a byte of an int: %d",
	        b->call->getsockopt(b, NEAR, fd, IPPROTO_TCP, TCP_NODELAY, c, &len));
	bed_log(b, " %u %u len %u\n", c[0], c[1], len);
	len = 0;
	bed_log(b, "no room: %d len %u\n",
	        b->call->getsockopt(b, NEAR, fd, SOL_SOCKET, SO_TYPE, c, &len), len);
	b->call->close(b, NEAR, fd);
	fd = b->call->socket(b, NEAR, AF_INET, SOCK_DGRAM, 0);
	bed_log(b, "SO_TYPE %d\n", get_int(b, fd, SOL_SOCKET, SO_TYPE));
	bed_log(b, "SO_PROTOCOL %d\n", get_int(b, fd, SOL_SOCKET, SO_PROTOCOL));
	b->call->close(b, NEAR, fd);
}

static void info(struct bed *b)
{
	struct tcp_info i;
	socklen_t len = sizeof(i);
	int fd[2];

	bed_pair(b, fd);
	memset(&i, 0, sizeof(i));
	bed_log(b, "TCP_INFO: %d\n",
	        b->call->getsockopt(b, NEAR, fd[NEAR], IPPROTO_TCP, TCP_INFO, &i, &len));
	bed_log(b, "state %u options %x unacked %u lost %u retrans %u backoff %u ca %u\n",
	        i.tcpi_state, i.tcpi_options & 7u, i.tcpi_unacked, i.tcpi_lost, i.tcpi_retrans,
	        i.tcpi_backoff, i.tcpi_ca_state);
	bed_log(b, "cwnd %u\n", i.tcpi_snd_cwnd);
	b->call->shutdown(b, FAR, fd[FAR], SHUT_WR);
	b->call->settle(b);
	len = sizeof(i);
	b->call->getsockopt(b, NEAR, fd[NEAR], IPPROTO_TCP, TCP_INFO, &i, &len);
	bed_log(b, "state %u\n", i.tcpi_state);
	len = sizeof(i);
	b->call->getsockopt(b, FAR, fd[FAR], IPPROTO_TCP, TCP_INFO, &i, &len);
	bed_log(b, "peer's state is FIN-WAIT: %d\n", i.tcpi_state == 4 || i.tcpi_state == 5);
	len = 8; /* as much as there is room for */
	memset(&i, 0xff, sizeof(i));
	bed_log(b, "short: %d",
	        b->call->getsockopt(b, NEAR, fd[NEAR], IPPROTO_TCP, TCP_INFO, &i, &len));
	bed_log(b, " len %u, behind it %u\n", len, i.tcpi_rto);
	close_pair(b, fd);
}

static void names(struct bed *b)
{
	struct sockaddr_in a, c;
	socklen_t len = sizeof(a), clen = sizeof(c), short_len = 4;
	int fd[2];

	bed_pair(b, fd);
	memset(&a, 0xff, sizeof(a));
	b->call->getsockname(b, NEAR, fd[NEAR], (struct sockaddr *)&a, &len);
	b->call->getpeername(b, FAR, fd[FAR], (struct sockaddr *)&c, &clen);
	bed_log(b, "len %u family %d same %d\n", len, a.sin_family, memcmp(&a, &c, 8) == 0);
	b->call->getpeername(b, NEAR, fd[NEAR], (struct sockaddr *)&a, &len);
	b->call->getsockname(b, FAR, fd[FAR], (struct sockaddr *)&c, &clen);
	bed_log(b, "len %u family %d same %d\n", len, a.sin_family, memcmp(&a, &c, 8) == 0);
	memset(&a, 0xff, sizeof(a));
	b->call->getpeername(b, NEAR, fd[NEAR], (struct sockaddr *)&a, &short_len);
	bed_log(b, "short: len %u, behind it %x\n", short_len, a.sin_addr.s_addr);
	close_pair(b, fd);
}

static void sendto_connected(struct bed *b)
{
	struct sockaddr_in a = bed_addr(b, FAR, 9);
	int fd[2];

	bed_pair(b, fd);
	bed_log(b, "sendto: %zd\n",
	        b->call->sendto(b, NEAR, fd[NEAR], "abc", 3, 0, (struct sockaddr *)&a, sizeof(a)));
	b->call->settle(b);
	recv_text(b, FAR, fd[FAR], 50, 0);
	close_pair(b, fd);
}

static void unread_at_close(struct bed *b)
{
	int fd[2];

	bed_pair(b, fd);
	send_text(b, FAR, fd[FAR], "never read");
	b->call->close(b, NEAR, fd[NEAR]);
	b->call->settle(b);
	recv_text(b, FAR, fd[FAR], 10, 0); /* RFC 2525: the peer shall know */
	b->call->close(b, FAR, fd[FAR]);
	b->call->settle(b);
}

static void data_before_reset(struct bed *b)
{
	struct linger l = {.l_onoff = 1, .l_linger = 0};
	int fd[2];

	bed_pair(b, fd);
	send_text(b, FAR, fd[FAR], "received before");
	b->call->setsockopt(b, FAR, fd[FAR], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	b->call->close(b, FAR, fd[FAR]);
	b->call->settle(b);
	recv_text(b, NEAR, fd[NEAR], 5, 0);
	recv_text(b, NEAR, fd[NEAR], 50, 0);
	recv_text(b, NEAR, fd[NEAR], 50, 0);
	b->call->close(b, NEAR, fd[NEAR]);
}

static void log_error(struct bed *b, int side, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
	int error = -1;
	socklen_t len = sizeof(error);

	bed_log(b, "poll %d", b->call->poll(b, side, &p, 1));
	bed_log_events(b, (uint16_t)p.revents);
	b->call->getsockopt(b, side, fd, SOL_SOCKET, SO_ERROR, &error, &len);
	bed_log(b, " error %s\n", bed_errno(error));
}

/* connect() with AF_UNSPEC; an error that was not asked for is forgotten by the next attempt */
static void dissolved(struct bed *b)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct sockaddr_in a;
	const int listener = bed_listener(b, 3, &a);
	int fd[2];

	bed_pair(b, fd);
	send_text(b, NEAR, fd[NEAR], "unread");
	bed_log(b, "%d\n", b->call->connect(b, FAR, fd[FAR], &none, sizeof(none)));
	b->call->settle(b);
	recv_text(b, NEAR, fd[NEAR], 10, 0);
	b->call->close(b, NEAR, fd[NEAR]);
	for (int i = 0; i < 2; i++) {
		errno = 0;
		(void)b->call->connect(b, FAR, fd[FAR], (struct sockaddr *)&a, sizeof(a));
		bed_log(b, "connect %s\n", bed_errno(errno));
		b->call->settle(b);
		fd[NEAR] = b->call->accept(b, NEAR, listener, NULL, NULL);
		log_error(b, FAR, fd[FAR]);
		send_text(b, FAR, fd[FAR], "anew");
		recv_text(b, NEAR, fd[NEAR], 10, 0);
		bed_log(b, "%d\n", b->call->connect(b, FAR, fd[FAR], &none, sizeof(none)));
		if (i == 0)
			b->call->close(b, NEAR, fd[NEAR]);
	}
	b->call->settle(b);
	log_error(b, FAR, fd[FAR]);
	log_error(b, NEAR, fd[NEAR]);
	close_pair(b, fd);
	bed_log(b, "%d\n", b->call->connect(b, NEAR, listener, &none, sizeof(none)));
	log_error(b, NEAR, listener);
	bed_log(b, "accept %d\n", b->call->accept(b, NEAR, listener, NULL, NULL));
	b->call->close(b, NEAR, listener);
}

static const struct bed_case cases[] = {
    {"AF_UNSPEC", dissolved},
    {"MSG_PEEK", peek},
    {"readv, writev, recvmsg", vectors},
    {"recvmsg that fails", failed_message},
    {"SIOCINQ and SIOCOUTQ", queues},
    {"MSG_TRUNC on a stream", truncated},
    {"shutdown(SHUT_WR)", half_closed},
    {"shutdown(SHUT_RD)", read_shut},
    {"options that are integers", integer_options},
    {"limits of time-outs, where the kernel knows them", limit_options},
    {"SO_LINGER", linger_option},
    {"options that tell", constant_options},
    {"TCP_INFO", info},
    {"getsockname and getpeername", names},
    {"sendto on a connected stream", sendto_connected},
    {"close() with unread data", unread_at_close},
    {"data that came before a reset", data_before_reset},
};

int main(int argc, char **argv)
{
	return bed_main(argc, argv, "socket", cases, sizeof(cases) / sizeof(cases[0]));
}
