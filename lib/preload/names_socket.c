/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of socket calls, and of those that move bytes. Calls on other descriptors go to the C
 * library. */
#include "choose.h"
#include "names.h"
#include "posix/carry.h"
#include "posix/user.h"
#include "real.h"

NAME(int, socket, (int domain, int type, int protocol))
{
	return stdio_followed(choose_socket(domain, type, protocol));
}

NAME(int, bind, (int fd, const struct sockaddr *addr, socklen_t len))
{
	if (is_kernels(fd) || choose_address(fd, CHOOSE_BIND, addr, len) == PCX_KERNEL)
		return real_bind(fd, addr, len);
	return pcx_bind(fd, addr, len);
}

NAME(int, connect, (int fd, const struct sockaddr *addr, socklen_t len))
{
	if (is_kernels(fd) || choose_address(fd, CHOOSE_CONNECT, addr, len) == PCX_KERNEL)
		return real_connect(fd, addr, len);
	return pcx_connect(fd, addr, len);
}
ALIAS(int, __connect, connect, (int fd, const struct sockaddr *addr, socklen_t len),
      (fd, addr, len))

NAME(int, listen, (int fd, int backlog))
{
	return is_kernels(fd) ? real_listen(fd, backlog) : pcx_listen(fd, backlog);
}

NAME(int, accept, (int fd, struct sockaddr *addr, socklen_t *len))
{
	return is_kernels(fd) ? real_accept(fd, addr, len)
	                      : stdio_followed(pcx_accept(fd, addr, len));
}

NAME(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags))
{
	return is_kernels(fd) ? real_accept4(fd, addr, len, flags)
	                      : stdio_followed(pcx_accept4(fd, addr, len, flags));
}

NAME(int, shutdown, (int fd, int how))
{
	return is_kernels(fd) ? real_shutdown(fd, how) : pcx_shutdown(fd, how);
}

NAME(int, getsockname, (int fd, struct sockaddr *addr, socklen_t *len))
{
	return is_kernels(fd) ? real_getsockname(fd, addr, len) : pcx_getsockname(fd, addr, len);
}

NAME(int, getpeername, (int fd, struct sockaddr *addr, socklen_t *len))
{
	return is_kernels(fd) ? real_getpeername(fd, addr, len) : pcx_getpeername(fd, addr, len);
}

NAME(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len))
{
	return is_kernels(fd) ? real_getsockopt(fd, level, name, value, len)
	                      : pcx_getsockopt(fd, level, name, value, len);
}

NAME(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len))
{
	return is_kernels(fd) ? real_setsockopt(fd, level, name, value, len)
	                      : pcx_setsockopt(fd, level, name, value, len);
}

/* ---- receiving ----------------------------------------------------------------------------------- */

NAME(ssize_t, read, (int fd, void *buf, size_t n))
{
	return is_kernels(fd) ? real_read(fd, buf, n) : pcx_read(fd, buf, n);
}
ALIAS(ssize_t, __read, read, (int fd, void *buf, size_t n), (fd, buf, n))

NAME(ssize_t, readv, (int fd, const struct iovec *v, int n))
{
	return is_kernels(fd) ? real_readv(fd, v, n) : pcx_readv(fd, v, n);
}

NAME(ssize_t, recv, (int fd, void *buf, size_t n, int flags))
{
	return is_kernels(fd) ? real_recv(fd, buf, n, flags) : pcx_recv(fd, buf, n, flags);
}

NAME(ssize_t, recvfrom,
     (int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len))
{
	return is_kernels(fd) ? real_recvfrom(fd, buf, n, flags, addr, len)
	                      : pcx_recvfrom(fd, buf, n, flags, addr, len);
}

/* Takes over percore sockets received through a kernel socket. */
static void take_carried(struct msghdr *m)
{
	if (m->msg_controllen > 0 && carry_came(m) && choose_attach())
		carry_take(m);
}

NAME(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags))
{
	ssize_t rc;

	if (!is_kernels(fd))
		return pcx_recvmsg(fd, m, flags);
	rc = real_recvmsg(fd, m, flags);
	if (rc >= 0)
		take_carried(m);
	return rc;
}

NAME(int, recvmmsg, (int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout))
{
	int rc;

	if (!is_kernels(fd))
		return pcx_recvmmsg(fd, m, n, flags, timeout);
	rc = real_recvmmsg(fd, m, n, flags, timeout);
	for (int i = 0; i < rc; i++)
		take_carried(&m[i].msg_hdr);
	return rc;
}

/* Called by programs built with _FORTIFY_SOURCE: the last argument but flags is the size of the
 * buffer. */

_Noreturn void __chk_fail(void);

NAME(ssize_t, __read_chk, (int fd, void *buf, size_t n, size_t room))
{
	if (n > room)
		__chk_fail();
	return ours_read(fd, buf, n);
}

NAME(ssize_t, __recv_chk, (int fd, void *buf, size_t n, size_t room, int flags))
{
	if (n > room)
		__chk_fail();
	return ours_recv(fd, buf, n, flags);
}

NAME(ssize_t, __recvfrom_chk,
     (int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *addr, socklen_t *len))
{
	if (n > room)
		__chk_fail();
	return ours_recvfrom(fd, buf, n, flags, addr, len);
}

/* ---- sending ------------------------------------------------------------------------------------- */

NAME(ssize_t, write, (int fd, const void *buf, size_t n))
{
	return is_kernels(fd) ? real_write(fd, buf, n) : pcx_write(fd, buf, n);
}
ALIAS(ssize_t, __write, write, (int fd, const void *buf, size_t n), (fd, buf, n))

NAME(ssize_t, writev, (int fd, const struct iovec *v, int n))
{
	return is_kernels(fd) ? real_writev(fd, v, n) : pcx_writev(fd, v, n);
}

NAME(ssize_t, send, (int fd, const void *buf, size_t n, int flags))
{
	return is_kernels(fd) ? real_send(fd, buf, n, flags) : pcx_send(fd, buf, n, flags);
}
ALIAS(ssize_t, __send, send, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags))

NAME(ssize_t, sendto,
     (int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr, socklen_t len))
{
	if (is_kernels(fd) ||
	    (addr != NULL && choose_address(fd, CHOOSE_SEND, addr, len) == PCX_KERNEL))
		return real_sendto(fd, buf, n, flags, addr, len);
	return pcx_sendto(fd, buf, n, flags, addr, len);
}

/* Whether a message's destination makes its socket the kernel's. */
static bool goes_to_kernel(int fd, const struct msghdr *m)
{
	return user_may_be(m, sizeof(*m)) && m->msg_name != NULL &&
	       choose_address(fd, CHOOSE_SEND, m->msg_name, m->msg_namelen) == PCX_KERNEL;
}

NAME(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags))
{
	if (is_kernels(fd) && user_may_be(m, sizeof(*m)) && m->msg_controllen > 0 && carry_any(m))
		return carry_send(fd, m, flags);
	if (is_kernels(fd) || goes_to_kernel(fd, m))
		return real_sendmsg(fd, m, flags);
	return pcx_sendmsg(fd, m, flags);
}

NAME(int, sendmmsg, (int fd, struct mmsghdr *m, unsigned n, int flags))
{
	if (is_kernels(fd) && carry_any_of(m, n))
		return carry_send_some(fd, m, n, flags);
	if (is_kernels(fd) || (n > 0 && goes_to_kernel(fd, &m->msg_hdr)))
		return real_sendmmsg(fd, m, n, flags);
	return pcx_sendmmsg(fd, m, n, flags);
}

NAME(ssize_t, sendfile, (int out, int in, off_t *offset, size_t n))
{
	return is_kernels(out) ? real_sendfile(out, in, offset, n)
	                       : pcx_sendfile(out, in, offset, n);
}
ALIAS(ssize_t, sendfile64, sendfile, (int out, int in, off_t *offset, size_t n),
      (out, in, offset, n))

NAME(ssize_t, splice,
     (int in, off_t *in_offset, int out, off_t *out_offset, size_t n, unsigned flags))
{
	return is_kernels(in) && is_kernels(out)
	           ? real_splice(in, in_offset, out, out_offset, n, flags)
	           : pcx_splice(in, in_offset, out, out_offset, n, flags);
}
