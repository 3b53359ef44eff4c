/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls: requests that need an answer from the stack. */
#include "serve/service.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <percore/control.h>
#include <percore/tcp_ao.h>
#include <string.h>

#include <netinet/tcp.h>

#define ACCEPT_MAX 1024 /* connections that wait in our queue instead of the stack's */

struct request {
	struct chan_call *call;
	struct chan_sock *shared; /* NULL for CHAN_OP_SOCKET */
	uint32_t proc;
	int fd;
	/* copies, each read once: the client may change the originals at any time */
	uint32_t op, sock;
	int32_t a, b, c;
	int32_t room; /* len as requested, */
	uint32_t len; /* and what fits */
	_Alignas(8) uint8_t data[CHAN_CALL_DATA];
};

static int64_t result(int64_t rc)
{
	return rc < 0 ? -errno : rc;
}

static const struct sockaddr *address(const struct request *r)
{
	return (const struct sockaddr *)(const void *)r->data;
}

static bool holds(const struct chan_sock *c, uint32_t proc)
{
	return (at_load(&c->holders[proc / 64]) & (UINT64_C(1) << (proc % 64))) != 0;
}

static int64_t do_socket(struct pc_service *s, const struct request *r)
{
	const int type = r->b & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct chan_sock *c;
	uint32_t sock;
	int fd;

	/* raw and packet sockets could see other processes' traffic, and forge it */
	if (r->a != AF_INET && r->a != AF_INET6)
		return -EAFNOSUPPORT;
	if (type == SOCK_RAW)
		return -ESOCKTNOSUPPORT;
	fd = pc_socket(s->st, r->a, type, r->c);
	if (fd < 0)
		return -errno;
	sock =
	    service_adopt(s, fd, type == SOCK_STREAM ? CHAN_STREAM : CHAN_DGRAM, r->a == AF_INET6);
	if (sock == CHAN_NONE) {
		(void)pc_close(s->st, fd);
		return -ENFILE;
	}
	c = chan_sock(s->chan, sock);
	c->protocol = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	c->flags = c->type == CHAN_STREAM ? CHAN_HUP : 0;
	if (r->sock < s->chan->nb_socks && holds(chan_sock(s->chan, r->sock), r->proc))
		service_sock(s, sock)->primary = r->sock;
	at_or(&c->holders[r->proc / 64], UINT64_C(1) << (r->proc % 64));
	return sock;
}

static int64_t do_addresses(struct pc_service *s, struct request *r)
{
	enum { ROOM = CHAN_CALL_DATA / sizeof(struct chan_local), MOST = 128 };
	struct pc_stack_addr list[MOST];
	unsigned n = pc_stack_get_addrs(s->st, list, MOST), skip = r->a < 0 ? 0 : (unsigned)r->a,
	         told = 0;

	n = n < MOST ? n : MOST;
	for (unsigned i = 0; i < n && told < ROOM; i++) {
		const struct pc_addr *a = &list[i].addr.addr;
		const bool ip6 = !pc_addr_is_ip4(a);
		struct chan_local l = {.ip6 = ip6, .port = (uint8_t)list[i].port};

		if (!list[i].ready || (skip > 0 && skip-- > 0))
			continue;
		l.prefix = ip6 ? list[i].addr.len : (uint8_t)(list[i].addr.len - 96);
		memcpy(l.addr, ip6 ? a->b : &a->b[12], ip6 ? 16 : 4);
		memcpy(&r->data[told++ * sizeof(l)], &l, sizeof(l));
	}
	r->len = told * (uint32_t)sizeof(struct chan_local);
	return told;
}

static int64_t do_bind(struct pc_service *s, const struct request *r)
{
	int rc = pc_bind(s->st, r->fd, address(r), r->len);

	if (rc != 0)
		return -errno;
	service_sock(s, r->sock)->bound = true;
	at_store(&r->shared->local.len, 0); /* of a connection that is over */
	at_or(&r->shared->flags, (uint32_t)CHAN_BOUND);
	return 0;
}

static int64_t do_listen(struct pc_service *s, const struct request *r)
{
	/* our accept queue is part of the backlog */
	const int backlog = r->a < 0 ? INT_MAX : r->a; /* as on Linux */
	const int ours = backlog / 2 < 1 ? 1 : backlog / 2 < ACCEPT_MAX ? backlog / 2 : ACCEPT_MAX;

	if (r->shared->state == CHAN_OVER &&
	    at_load(&r->shared->connecting)) /* a failure not yet reported */
		return -EINVAL;
	if (pc_listen(s->st, r->fd, backlog > ours ? backlog - ours : 0) != 0)
		return -errno;
	service_sock(s, r->sock)->accept_max = (uint32_t)ours;
	service_sock(s, r->sock)->backlog = (uint32_t)backlog;
	if (r->shared->state != CHAN_LISTEN) {
		memset(&r->shared->accepted, 0, sizeof(r->shared->accepted));
		at_store(&r->shared->flags, CHAN_BOUND);
		at_store(&r->shared->state, CHAN_LISTEN);
	}
	return 0;
}

static int64_t connected(struct request *r)
{
	const bool stream = r->shared->type == CHAN_STREAM;

	at_or(&r->shared->flags, stream ? CHAN_BOUND : (uint32_t)(CHAN_BOUND | CHAN_PEER));
	if (stream)
		at_store(&r->shared->state, CHAN_CONNECTED);
	return 0;
}

/* MSG_FASTOPEN: the SYN waits for the data that follows, if a cookie is known; otherwise it
 * requests one. The option stays set, which no longer matters once the socket has had its
 * connection. */
static bool allow_fast_open(struct pc_service *s, const struct request *r)
{
	const int one = 1;

	return pc_setsockopt(s->st, r->fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)) ==
	           0 ||
	       errno != EOPNOTSUPP;
}

/* For an attempt that is already over: returns its errno if that was not reported yet, else begins
 * another attempt and returns 0 or its errno. */
static int end_of_attempt(struct pc_service *s, struct request *r)
{
	/* the attempt's error was moved here from the stack */
	int left = at_swap(&r->shared->error, 0);
	bool told = !at_load(&r->shared->connecting);

	service_renew(s, r->sock);
	service_notify(s, r->sock, NEWS_STATE); /* as on Linux, an edge */
	if (left != 0)
		return left;
	if (!told)
		return ECONNABORTED;
	return pc_connect(s->st, r->fd, address(r), r->len) == 0 ? 0 : errno;
}

static void renew(struct pc_service *s, const struct request *r)
{
	service_renew(s, r->sock);
	service_look(s, r->sock); /* moves its error */
	service_notify(s, r->sock, NEWS_STATE);
}

static bool has_port(struct pc_service *s, const struct request *r)
{
	struct sockaddr_in6 name = {.sin6_port = 0}; /* at the same place in both families */
	socklen_t len = sizeof(name);

	(void)pc_getsockname(s->st, r->fd, (struct sockaddr *)&name, &len);
	return name.sin6_port != 0;
}

/* connect() with AF_UNSPEC. As on Linux, data written before is sent ahead of the reset, as far as
 * possible. */
static int64_t do_dissolve(struct pc_service *s, const struct request *r)
{
	if (r->shared->state == CHAN_CONNECTED)
		(void)stream_transmit(s, r->sock);
	if (pc_connect(s->st, r->fd, address(r), r->len) != 0)
		return -errno;
	if (r->shared->type == CHAN_DGRAM) {
		at_and(&r->shared->flags,
		       ~(uint32_t)(has_port(s, r) ? CHAN_PEER : CHAN_PEER | CHAN_BOUND));
		return 0;
	}
	at_add(&r->shared->dissolved, 1);
	renew(s, r);
	return 0;
}

static int64_t do_connect(struct pc_service *s, struct request *r)
{
	int error;

	if (r->len >= sizeof(sa_family_t) && address(r)->sa_family == AF_UNSPEC)
		return do_dissolve(s, r);
	if (r->a != 0 && r->shared->type == CHAN_STREAM && !allow_fast_open(s, r))
		return -EOPNOTSUPP;
	if (pc_connect(s->st, r->fd, address(r), r->len) == 0)
		return connected(r);
	error = errno;
	if (error == ECONNABORTED && r->shared->state == CHAN_OVER)
		error = end_of_attempt(s, r);
	if (error == 0)
		return connected(r);
	if (error == EINPROGRESS) {
		at_store_sc(&r->shared->error, 0); /* of an earlier attempt */
		at_store(&r->shared->flags, CHAN_BOUND);
		at_store(&r->shared->state, CHAN_CONNECTING);
	}
	return -error;
}

/* Leaves the socket as a failed connect() does on Linux. */
static int64_t do_forget(struct pc_service *s, const struct request *r)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	if (r->shared->type != CHAN_STREAM || r->shared->state != CHAN_OVER)
		return 0;
	(void)pc_connect(s->st, r->fd, &none, sizeof(none));
	service_renew(s, r->sock);
	service_notify(s, r->sock, NEWS_STATE);
	return 0;
}

/* As on Linux, shutdown() takes effect even if it fails with ENOTCONN. */
static int64_t mark_shut(struct pc_service *s, const struct request *r, int how, int64_t rc)
{
	uint32_t flags = 0;

	if (rc != 0 && rc != -ENOTCONN)
		return rc;
	flags |= how != SHUT_WR ? CHAN_RX_SHUT : 0;
	flags |= how != SHUT_RD ? CHAN_TX_SHUT : 0;
	at_or(&r->shared->flags, flags);
	service_notify(s, r->sock, NEWS_IN | NEWS_STATE);
	return rc;
}

static int64_t do_shutdown(struct pc_service *s, const struct request *r)
{
	struct service_sock *own = service_sock(s, r->sock);
	struct fifo tx = chan_tx(s->chan, r->sock);
	const int how = r->a;
	int stack_how = how;
	int64_t rc = 0;

	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	if (r->shared->state == CHAN_CONNECTING)
		service_look(s, r->sock); /* the attempt may be over */
	if (r->shared->type == CHAN_STREAM && r->shared->state == CHAN_CONNECTED &&
	    how != SHUT_RD && fifo_used(&tx) > 0) {
		own->shutting = true;
		stack_how = how == SHUT_RDWR ? SHUT_RD : -1;
	}
	if (stack_how >= 0)
		rc = result(pc_shutdown(s->st, r->fd, stack_how));
	if (r->shared->state != CHAN_LISTEN && r->shared->state != CHAN_CONNECTING)
		return mark_shut(s, r, how, rc);
	if (rc == 0 && (r->shared->state == CHAN_CONNECTING || how != SHUT_WR))
		renew(s, r);
	return rc;
}

static int64_t do_setsockopt(struct pc_service *s, const struct request *r)
{
	/* its value is a pointer into the client's memory */
	if (r->a == SOL_SOCKET && r->b == SO_ATTACH_FILTER)
		return -ENOPROTOOPT;
	if (pc_setsockopt(s->st, r->fd, r->a, r->b, r->data, r->len) != 0)
		return -errno;
	if (r->a == SOL_SOCKET && (r->b == SO_RCVBUF || r->b == SO_RCVBUFFORCE) &&
	    r->shared->type == CHAN_DGRAM)
		dgram_note_rcvbuf(s, r->sock);
	return 0;
}

/* TCP_INFO of a listener: adds our accept queue to the stack's. */
static void add_ours(struct pc_service *s, struct request *r)
{
	const struct service_sock *own = service_sock(s, r->sock);
	const size_t size = offsetof(struct tcp_info, tcpi_lost);
	struct tcp_info info;

	if (r->len < size)
		return;
	memcpy(&info, r->data, size);
	info.tcpi_unacked += (uint32_t)word_count(&r->shared->accepted);
	info.tcpi_sacked += own->accept_max;
	if (info.tcpi_sacked > own->backlog)
		info.tcpi_sacked = own->backlog;
	memcpy(r->data, &info, size);
}

static int64_t do_getsockopt(struct pc_service *s, struct request *r)
{
	socklen_t len = r->len;

	if (r->room < 0)
		return -EINVAL;
	/* its value is an array that may be longer than a call's data: CHAN_OP_AO_KEY */
	if (r->a == IPPROTO_TCP && r->b == TCP_AO_GET_KEYS)
		return -ENOPROTOOPT;
	if (pc_getsockopt(s->st, r->fd, r->a, r->b, r->data, &len) != 0)
		return -errno;
	r->len = len;
	if (r->a == IPPROTO_TCP && r->b == TCP_INFO && r->shared->state == CHAN_LISTEN)
		add_ours(s, r);
	return 0;
}

static int64_t do_md5sig(struct pc_service *s, struct request *r)
{
	struct tcp_md5sig key;

	static_assert(sizeof(key) <= CHAN_CALL_DATA, "a key is the answer to one call");
	if (r->a < 0 || pc_get_md5sig(s->st, r->fd, (unsigned)r->a, &key) != 0)
		return r->a < 0 ? -EINVAL : -errno;
	r->len = sizeof(key);
	memcpy(r->data, &key, sizeof(key));
	return 0;
}

static int64_t do_ao_key(struct pc_service *s, struct request *r)
{
	struct tcp_ao_getsockopt question, key = {0};
	int found;

	static_assert(sizeof(key) <= CHAN_CALL_DATA, "a key is the answer to one call");
	if (r->a < 0 || r->len != sizeof(question))
		return -EINVAL;
	memcpy(&question, r->data, sizeof(question));
	found = pc_get_ao_key(s->st, r->fd, &question, (unsigned)r->a, &key);
	if (found < 0)
		return -errno;
	memcpy(r->data, &key, sizeof(key));
	explicit_bzero(&key, sizeof(key));
	return found;
}

static int64_t do_name(struct pc_service *s, struct request *r,
                       int (*get)(struct pc_stack *, int, struct sockaddr *, socklen_t *))
{
	socklen_t len = sizeof(struct sockaddr_storage);

	if (get(s->st, r->fd, (struct sockaddr *)(void *)r->data, &len) != 0)
		return -errno;
	r->len = len;
	return 0;
}

static int64_t do_ioctl(struct pc_service *s, const struct request *r)
{
	int value = 0;

	return pc_ioctl(s->st, r->fd, (unsigned long)(uint32_t)r->a, &value) == 0 ? value : -errno;
}

/* The last datagram is the caller's, even if it was sent by an earlier look at the socket. */
static int64_t do_flush(struct pc_service *s, const struct request *r)
{
	service_look(s, r->sock);
	return -service_sock(s, r->sock)->dgram_error;
}

static int64_t do_errqueue(struct pc_service *s, struct request *r)
{
	enum { CONTROL = 320, QUOTED = CHAN_CALL_DATA - sizeof(struct chan_error) - CONTROL - 8 };
	_Alignas(struct cmsghdr) uint8_t control[CONTROL];
	struct chan_error e = {.len = 0};
	struct iovec v = {.iov_base = &r->data[sizeof(e)],
	                  .iov_len = r->a < 0 || r->a > QUOTED ? QUOTED : (size_t)r->a};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_name = e.addr.sa,
	                   .msg_namelen = sizeof(e.addr.sa),
	                   .msg_control = control,
	                   .msg_controllen = sizeof(control)};
	const ssize_t n = pc_recvmsg(s->st, r->fd, &m, MSG_ERRQUEUE);

	if (n < 0)
		return -errno;
	e.len = (uint32_t)n;
	e.control_len = (uint32_t)m.msg_controllen;
	e.flags = (uint32_t)m.msg_flags;
	e.addr.len = m.msg_namelen;
	memcpy(r->data, &e, sizeof(e));
	memcpy(&r->data[sizeof(e) + chan_round(e.len)], control, e.control_len);
	r->len = (uint32_t)sizeof(e) + chan_round(e.len) + e.control_len;
	return 0;
}

static int64_t execute(struct pc_service *s, struct request *r)
{
	switch (r->op) {
	case CHAN_OP_BIND:
		return do_bind(s, r);
	case CHAN_OP_LISTEN:
		return do_listen(s, r);
	case CHAN_OP_CONNECT:
		return do_connect(s, r);
	case CHAN_OP_SHUTDOWN:
		return do_shutdown(s, r);
	case CHAN_OP_SETSOCKOPT:
		return do_setsockopt(s, r);
	case CHAN_OP_GETSOCKOPT:
		return do_getsockopt(s, r);
	case CHAN_OP_MD5SIG:
		return do_md5sig(s, r);
	case CHAN_OP_AO_KEY:
		return do_ao_key(s, r);
	case CHAN_OP_GETSOCKNAME:
		return do_name(s, r, pc_getsockname);
	case CHAN_OP_GETPEERNAME:
		return do_name(s, r, pc_getpeername);
	case CHAN_OP_IOCTL:
		return do_ioctl(s, r);
	case CHAN_OP_FLUSH:
		return do_flush(s, r);
	case CHAN_OP_FORGET:
		return do_forget(s, r);
	case CHAN_OP_ERRQUEUE:
		return do_errqueue(s, r);
	default:
		return -ENOSYS;
	}
}

static void finish(struct request *r, int64_t value)
{
	struct chan_call *call = r->call;

	call->result = value;
	if (value >= 0 && r->len > 0)
		memcpy(call->data, r->data, r->len < CHAN_CALL_DATA ? r->len : CHAN_CALL_DATA);
	call->len = r->len;
	at_store_sc(&call->state, CHAN_CALL_DONE);
	if (at_load_sc(&call->armed) != 0)
		futex_wake(&call->state, INT_MAX);
}

/* Copies the request; nothing that the client has written is read again. */
static void read_call(struct request *r)
{
	const struct chan_call *call = r->call;
	const uint32_t len = at_peek(&call->len);

	r->op = at_peek(&call->op);
	r->sock = at_peek(&call->sock);
	r->a = at_peek(&call->a);
	r->b = at_peek(&call->b);
	r->c = at_peek(&call->c);
	r->room = (int32_t)len;
	r->len = len < CHAN_CALL_DATA ? len : CHAN_CALL_DATA;
	memcpy(r->data, call->data, r->len);
}

void service_call(struct pc_service *s, uint32_t proc, uint32_t index)
{
	struct request r = {.call = &chan_proc(s->chan, proc)->call[index], .proc = proc};
	int64_t value;

	if (at_load(&r.call->state) != CHAN_CALL_POSTED)
		return;
	read_call(&r);
	if (r.op == CHAN_OP_SOCKET) {
		value = do_socket(s, &r);
		r.len = 0;
	} else if (r.op == CHAN_OP_ADDRESSES) {
		value = do_addresses(s, &r);
	} else if (!service_owns(s, r.sock) || !holds(chan_sock(s->chan, r.sock), proc)) {
		value = -EBADF;
	} else {
		r.shared = chan_sock(s->chan, r.sock);
		r.fd = service_sock(s, r.sock)->fd;
		/* data written before the call is handled before it */
		if (r.op != CHAN_OP_FLUSH)
			service_look(s, r.sock);
		value = service_owns(s, r.sock) ? execute(s, &r) : -EBADF;
		service_look(s, r.sock);
	}
	finish(&r, value);
}
