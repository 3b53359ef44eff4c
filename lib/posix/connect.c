/* SPDX-License-Identifier: BSD-2-Clause */
#include "posix/client.h"
#include "posix/sock.h"
#include "posix/user.h"
#include "posix/wait.h"

/* Whether a non-blocking attempt has succeeded meanwhile, which is reported once, as on Linux. */
static bool is_late_success(struct chan_sock *s)
{
	return s->type == CHAN_STREAM && at_load(&s->state) == CHAN_CONNECTED &&
	       at_swap(&s->connecting, 0) != 0;
}

static void drop_received(uint32_t sock)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	const struct fifo rx = chan_rx(client.chan, sock);

	lock_take(&s->rx_lock, client.proc);
	fifo_consume(&rx, (uint32_t)fifo_used(&rx));
	lock_give(&s->rx_lock);
	at_store(&s->peek_off, 0);
}

/* connect() with AF_UNSPEC: returns a stream to its initial state. */
static int64_t dissolve_stream(uint32_t sock, const struct sockaddr *addr, socklen_t len)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	const bool listened = at_load(&s->state) == CHAN_LISTEN;
	const int64_t rc = call_sock(sock, CHAN_OP_CONNECT, 0, 0, addr, len);

	if (rc != 0)
		return rc;
	if (listened)
		sock_gather(sock);
	else
		drop_received(sock);
	return 0;
}

/* Waits for the attempt in progress. */
static int64_t wait_for_attempt(uint32_t sock)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	const uint32_t dissolved = at_load(&s->dissolved);
	int rc = sock_wait_connected(sock, deadline_in(at_load(&s->snd_timeout_ns)));

	if (rc == 0 && at_load(&s->dissolved) != dissolved) /* by another thread */
		return -EPIPE;
	if (rc == -EAGAIN || rc == -EINTR)
		at_store(&s->connecting, 1);
	if (rc == -EAGAIN)
		return -EINPROGRESS;
	if (rc != 0)
		return rc;
	at_store(&s->connecting, 0);
	rc = take_error(sock);
	if (rc == 0 && at_load(&s->state) == CHAN_OVER)
		rc = -ECONNABORTED;
	if (rc != 0)
		(void)call_sock(sock, CHAN_OP_FORGET, 0, 0, NULL, 0);
	return rc;
}

int64_t connect_stream(struct file *f, const struct sockaddr *addr, socklen_t len, bool fast)
{
	struct chan_sock *s;
	int64_t rc;

	if (len < sizeof(addr->sa_family))
		return -EINVAL;
	if (addr->sa_family == AF_UNSPEC)
		return dissolve_stream(f->sock, addr, len);
	sock_choose_lcore(f);
	s = chan_sock(client.chan, f->sock);
	if (is_late_success(s))
		return 0;
	rc = call_sock(f->sock, CHAN_OP_CONNECT, fast, 0, addr, len);
	if (rc == -EISCONN && at_swap(&s->connecting, 0) != 0) /* the answer came with this call */
		return 0;
	if (rc == -EALREADY && !at_peek(&s->nonblock))
		return wait_for_attempt(f->sock);
	if (rc != -EINPROGRESS)
		return rc;
	if (!at_peek(&s->nonblock))
		return wait_for_attempt(f->sock);
	at_store(&s->connecting, 1);
	return rc;
}

static int64_t connect_dgram(uint32_t sock, const struct sockaddr *addr, socklen_t len)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	int64_t rc = dgram_autobind(sock);

	if (rc == 0)
		rc = call_sock(sock, CHAN_OP_CONNECT, 0, 0, addr, len);
	for (uint32_t i = 1; i < sock_parts(s) && rc == 0; i++)
		(void)call_sock(s->part[i], CHAN_OP_CONNECT, 0, 0, addr, len);
	s->known_to.len = 0;
	/* AF_UNSPEC releases a port that the stack has chosen: the next one is another on all lcores */
	if (rc == 0 && !(at_load(&s->flags) & CHAN_BOUND))
		sock_gather(sock);
	return rc;
}

int pcx_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct file *f = file_socket(fd);
	int64_t rc;

	if (f == NULL)
		return (int)sys(connect, fd, addr, len);
	rc = user_name_in(addr, len);
	if (rc == 0)
		rc = chan_sock(client.chan, f->sock)->type == CHAN_STREAM
		         ? connect_stream(f, addr, len, false)
		         : connect_dgram(f->sock, addr, len);
	file_put(f);
	return (int)fail(rc);
}
