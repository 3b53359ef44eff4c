/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of functions in which the C library binds a socket, or replaces descriptors 0 to 2, by
 * internal calls that cannot be taken over.
 */
#include <errno.h>
#include <netinet/in.h>
#include <termios.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include "choose.h"
#include "names.h"
#include "real.h"

/* Forgets the sockets that were descriptors 0 to 2: the kernel has put something else there. */
static void forget_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		struct file *f = fd_remove(fd);

		if (f != NULL)
			file_put(f);
	}
	stdio_follow();
}

NAME(int, daemon, (int no_chdir, int no_close))
{
	static int (*next)(int, int);
	int rc;

	if (next == NULL)
		*(void **)&next = real_find("daemon");
	rc = next(no_chdir, no_close);
	if (rc == 0 && !no_close)
		forget_standard();
	return rc;
}

NAME(int, login_tty, (int fd))
{
	static int (*next)(int);
	int rc;

	if (next == NULL)
		*(void **)&next = real_find("login_tty");
	rc = next(fd);
	if (rc == 0)
		forget_standard();
	return rc;
}

NAME(pid_t, forkpty, (int *master, char *name, const struct termios *t, const struct winsize *w))
{
	static pid_t (*next)(int *, char *, const struct termios *, const struct winsize *);
	pid_t pid;

	if (next == NULL)
		*(void **)&next = real_find("forkpty");
	pid = next(master, name, t, w);
	if (pid == 0)
		forget_standard();
	return pid;
}

/* ---- bindresvport() ------------------------------------------------------------------------------ */

#define FIRST_RESERVED 512
#define NB_RESERVED    512

static sa_family_t family_of(int fd)
{
	int family = AF_INET;
	socklen_t len = sizeof(family);

	(void)pcx_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	return (sa_family_t)family;
}

/* Tries the ports for privileged programs, from one on that differs between processes. Sun's RPC
 * library has a function of the same name that also knows AF_INET6. */
NAME(int, bindresvport, (int fd, struct sockaddr_in *name))
{
	static int (*next)(int, struct sockaddr_in *);
	struct sockaddr_in6 any = {.sin6_family = family_of(fd)};
	struct sockaddr_in *in = name != NULL ? name : (struct sockaddr_in *)(void *)&any;
	const socklen_t len = in->sin_family == AF_INET6 ? sizeof(any) : sizeof(*in);
	int rc = -1;

	if (next == NULL)
		*(void **)&next = real_find("bindresvport");
	if (is_kernels(fd))
		return next(fd, name);
	errno = EAFNOSUPPORT;
	if (in->sin_family != AF_INET && in->sin_family != AF_INET6)
		return -1;
	for (int i = 0; i < NB_RESERVED; i++) {
		in->sin_port = htons((uint16_t)(FIRST_RESERVED + (getpid() + i) % NB_RESERVED));
		rc = bind(fd, (struct sockaddr *)in, len);
		if (rc == 0 || errno != EADDRINUSE)
			break;
	}
	return rc;
}
