/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_FILES_H
#define UNIT_FILES_H

/* Descriptors that are sent beside a message, and how many a process has. */

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILES_SENT 2
#define FILES_SEEN 256

/** files_send sends a message of n bytes, which may be 0, with nb descriptors, one or FILES_SENT. Returns whether it could. */
static inline bool files_send(int socket, const void *text, size_t n, unsigned nb)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(FILES_SENT * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)text, .iov_len = n};
	struct msghdr msg = {.msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_control = &control,
	                     .msg_controllen = CMSG_SPACE(nb * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int file[FILES_SENT];
	ssize_t sent;

	for (unsigned i = 0; i < FILES_SENT; i++)
		file[i] = memfd_create("file", MFD_CLOEXEC);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(nb * sizeof(int));
	memcpy(CMSG_DATA(c), file, nb * sizeof(int));
	sent = sendmsg(socket, &msg, 0);
	for (unsigned i = 0; i < FILES_SENT; i++)
		(void)close(file[i]);
	return sent == (ssize_t)n;
}

/** files_count counts what is open below FILES_SEEN. */
static inline unsigned files_count(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < FILES_SEEN; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

#endif
