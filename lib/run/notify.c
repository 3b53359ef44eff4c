/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char word[] = "READY=1";

void notify_ready(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	const size_t n = path != NULL ? strlen(path) : 0;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	if (n < 2 || n > sizeof(a.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(a.sun_path, path, n);
	if (path[0] == '@') /* in the abstract namespace */
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, word, sizeof(word) - 1, MSG_NOSIGNAL, (const struct sockaddr *)&a,
	             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	(void)close(fd);
}
