/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes system calls directly: a preload library replaces the C library's functions. */
#include "chan/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

union control_space {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

socklen_t control_address(const char *path, struct sockaddr_un *address)
{
	const size_t n = strlen(path);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (n == 0 || n >= sizeof(address->sun_path))
		return 0;
	memcpy(address->sun_path, path, n);
	if (path[0] != '@')
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
	address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

int control_send(int socket, const void *message, uint32_t n, int fd)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)message, .iov_len = n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	union control_space space;
	ssize_t rc;

	if (fd >= 0) {
		struct cmsghdr *c;

		memset(&space, 0, sizeof(space));
		m.msg_control = space.bytes;
		m.msg_controllen = sizeof(space.bytes);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		rc = syscall(SYS_sendmsg, socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

/* Returns the descriptor received with a message, or -1. */
static int descriptor_in(struct msghdr *m)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int control_recv(int socket, void *message, uint32_t n, int *fd)
{
	struct iovec iov = {.iov_base = message, .iov_len = n};
	union control_space space;
	struct msghdr m = {.msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = space.bytes,
	                   .msg_controllen = CMSG_LEN(
	                       sizeof(int))}; /* no room for a second one, which would leak */
	int got, error = 0;
	ssize_t rc;

	do
		rc = syscall(SYS_recvmsg, socket, &m, MSG_CMSG_CLOEXEC);
	while (rc < 0 && errno == EINTR);
	if (rc <= 0)
		error = rc < 0 ? -errno : -ECONNRESET;
	else if ((uint32_t)rc != n || (m.msg_flags & MSG_TRUNC))
		error = -EBADMSG;
	got = rc < 0 ? -1 : descriptor_in(&m); /* even if the message has no bytes */
	if (got >= 0 && (fd == NULL || error != 0)) {
		(void)syscall(SYS_close, got);
		got = -1;
	}
	if (fd != NULL)
		*fd = got;
	return error;
}
