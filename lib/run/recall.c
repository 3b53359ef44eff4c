/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: "PORT MAC ADDRESS UNTIL" per line. The first lcore writes the file when a lease begins,
 * is renewed or ends: a few system calls that do not wait for the disk, so after a power failure
 * the file may be an old one or empty, and the client starts afresh. Writing needs no privilege and
 * no call that run.seccomp forbids.
 */
#include "recall.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_LEN 128

const struct recall_lease *recall_find(const struct recall *r, unsigned port, const uint8_t mac[6])
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->lease[i].port == port && memcmp(r->lease[i].mac, mac, 6) == 0)
			return &r->lease[i];
	return NULL;
}

void recall_set(struct recall *r, const struct recall_lease *lease)
{
	unsigned i = 0;

	while (i < r->n && r->lease[i].port != lease->port)
		i++;
	if (i == PC_MAX_PORTS)
		return;
	r->n = i < r->n ? r->n : i + 1;
	r->lease[i] = *lease;
}

static bool read_line(const char *line, struct recall_lease *l)
{
	char addr[PC_ADDR_STRLEN];
	int end = 0;

	return sscanf(line,
	              "%u %2" SCNx8 ":%2" SCNx8 ":%2" SCNx8 ":%2" SCNx8 ":%2" SCNx8 ":%2" SCNx8
	              " %15[0-9.] %" SCNd64 " %n",
	              &l->port, &l->mac[0], &l->mac[1], &l->mac[2], &l->mac[3], &l->mac[4],
	              &l->mac[5], addr, &l->until_s, &end) == 9 &&
	       line[end] == '\0' && l->port < PC_MAX_PORTS && pc_addr_parse(addr, &l->addr) == 0;
}

int recall_read(const char *path, struct recall *r)
{
	/* startup must not wait, whatever is at the path */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char line[LINE_MAX_LEN];
	struct recall_lease l;
	struct stat s;
	FILE *f;

	r->n = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	f = fstat(fd, &s) == 0 && S_ISREG(s.st_mode) ? fdopen(fd, "r") : NULL;
	if (f == NULL) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	while (fgets(line, sizeof(line), f) != NULL)
		if (read_line(line, &l))
			recall_set(r, &l);
	fclose(f);
	return 0;
}

static size_t format(const struct recall *r, char *text, size_t size)
{
	size_t n = 0;

	for (unsigned i = 0; i < r->n; i++) {
		const struct recall_lease *l = &r->lease[i];
		char addr[PC_ADDR_STRLEN];

		n += (size_t)snprintf(text + n, size - n,
		                      "%u %02x:%02x:%02x:%02x:%02x:%02x %s %" PRId64 "\n", l->port,
		                      l->mac[0], l->mac[1], l->mac[2], l->mac[3], l->mac[4],
		                      l->mac[5], pc_addr_format(&l->addr, addr), l->until_s);
	}
	return n;
}

int recall_write(const char *path, const struct recall *r)
{
	char text[PC_MAX_PORTS * LINE_MAX_LEN], next[PATH_MAX];
	const size_t n = format(r, text, sizeof(text));
	bool good;
	int fd;

	if (snprintf(next, sizeof(next), "%s.new", path) >= (int)sizeof(next)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	unlink(next); /* left by a program that ended while writing */
	fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return -1;
	good = write(fd, text, n) == (ssize_t)n;
	if (close(fd) == 0 && good && rename(next, path) == 0)
		return 0;
	unlink(next);
	return -1;
}
