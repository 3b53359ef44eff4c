/* SPDX-License-Identifier: BSD-2-Clause */
/* A library that calls loads with RTLD_DEEPBIND. */
#include <sys/socket.h>

ssize_t deep_send(int fd, const void *buf, size_t n);

ssize_t deep_send(int fd, const void *buf, size_t n)
{
	return send(fd, buf, n, 0);
}
