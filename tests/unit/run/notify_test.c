/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/notify.h"

#include "common.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket as a service manager has it; len 0: the whole address. */
static int manager(const char *path, size_t len)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(a.sun_path, path, len);
	CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&a,
	                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0);
	return fd;
}

static bool hears(int fd)
{
	char text[64] = "";
	const ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	return n == 7 && strcmp(text, "READY=1") == 0 && recv(fd, text, sizeof(text), 0) < 0;
}

static void the_manager_is_told(void)
{
	char path[64], name[64];
	int file, hidden;

	snprintf(path, sizeof(path), "/tmp/percore-notify-test-%d", (int)getpid());
	snprintf(name, sizeof(name), "@percore-notify-test-%d", (int)getpid());
	file = manager(path, strlen(path) + 1);
	setenv("NOTIFY_SOCKET", path, 1);
	notify_ready();
	CU_ASSERT(hears(file));
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = '\0';
	hidden = manager(name, strlen(name + 1) + 1);
	notify_ready();
	CU_ASSERT(hears(hidden) && !hears(file));
	close(file);
	close(hidden);
	unlink(path);
	notify_ready(); /* there is nobody any more */
}

static void other_values_do_no_harm(void)
{
	char far[300];

	memset(far, 'x', sizeof(far) - 1);
	far[0] = '/';
	far[sizeof(far) - 1] = '\0';
	for (unsigned i = 0; i < 5; i++) {
		setenv("NOTIFY_SOCKET",
		       ((const char *const[]){"", "@", "here", "vsock:2:1", far})[i], 1);
		notify_ready();
	}
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
}

static const struct unit_case cases[] = {
    {"the manager is told", the_manager_is_told},
    {"other values do no harm", other_values_do_no_harm},
};

UNIT_MAIN("run/notify", cases)
