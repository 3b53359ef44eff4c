/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select, implemented by poll: the sets are converted to an array, and the results back to sets.
 *
 * As in the kernel, a set may have more than FD_SETSIZE bits if the caller has made room for them,
 * though with _FORTIFY_SOURCE FD_ISSET() aborts a program that tests such a bit.
 */
#include "posix/client.h"
#include "posix/user.h"
#include "posix/wait.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

#define FEW_SETS 64

#define SELECT_READ_BITS  (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define SELECT_WRITE_BITS (POLLWRNORM | POLLWRBAND | POLLOUT | POLLERR)

/** The caller's sets: for reading, for writing, for urgent bytes; NULL: none. */
struct sets {
	int n; /* bits */
	fd_set *set[3];
};

static const struct {
	short asked, told;
} kinds[3] = {
    {POLLIN | POLLRDNORM | POLLRDBAND, SELECT_READ_BITS},
    {POLLOUT | POLLWRNORM | POLLWRBAND, SELECT_WRITE_BITS},
    {POLLPRI, POLLPRI},
};

static fd_mask *word_of(fd_set *set, int fd)
{
	return (fd_mask *)set + fd / NFDBITS;
}

static bool has(fd_set *set, int fd)
{
	return set != NULL && ((unsigned long)*word_of(set, fd) >> (fd % NFDBITS) & 1);
}

static void clear(fd_set *set, int fd)
{
	*word_of(set, fd) &= ~(fd_mask)(1ul << (fd % NFDBITS));
}

/* The size of the process's table of descriptors in the kernel, which reads no more bits: a caller
 * that passes getdtablesize() has a set of FD_SETSIZE. Returns 0 if it is not known. */
static int table_size(void)
{
	static const char name[] = "FDSize:";
	char text[1024];
	const int fd = (int)sys(openat, AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : sys(read, fd, text, sizeof(text) - 1);
	const char *found;

	if (fd >= 0)
		(void)sys_close(fd);
	text[n > 0 ? n : 0] = '\0';
	found = strstr(text, name);
	return found != NULL ? atoi(found + strlen(name)) : 0;
}

/* How many of n bits count. */
static int bits_of(int n)
{
	const int most = client.max_fds > 0 ? (int)client.max_fds : FD_SETSIZE;
	const int size = n > FD_SETSIZE && !at_load(&client.sandboxed) ? table_size() : 0;

	n = n < most ? n : most;
	return size > 0 && size < n ? size : n;
}

static int are_there(const struct sets *s)
{
	const size_t words = ((size_t)s->n + NFDBITS - 1) / NFDBITS;

	for (int k = 0; k < 3; k++)
		if (words > 0 && s->set[k] != NULL &&
		    !user_may_be(s->set[k], words * sizeof(fd_mask)))
			return -EFAULT;
	return 0;
}

/* Fills in p, unless it is NULL. Returns the number of descriptors in the sets. */
static nfds_t collect_sets(const struct sets *s, struct pollfd *p)
{
	nfds_t count = 0;

	for (int fd = 0; fd < s->n; fd++) {
		short events = 0;

		for (int k = 0; k < 3; k++)
			if (has(s->set[k], fd))
				events |= kinds[k].asked;
		if (events == 0)
			continue;
		if (p != NULL)
			p[count] = (struct pollfd){.fd = fd, .events = events};
		count++;
	}
	return count;
}

/* Returns the number of bits that stay set. */
static int write_back(const struct sets *s, const struct pollfd *p, nfds_t count)
{
	int bits = 0;

	for (nfds_t i = 0; i < count; i++)
		for (int k = 0; k < 3; k++) {
			if (!has(s->set[k], p[i].fd))
				continue;
			if (p[i].revents & kinds[k].told)
				bits++;
			else
				clear(s->set[k], p[i].fd);
		}
	return bits;
}

static bool any_invalid(const struct pollfd *p, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++)
		if (p[i].revents & POLLNVAL)
			return true;
	return false;
}

/* Returns as select() does, or a negative errno. */
static int ask_sets(const struct sets *s, struct pollfd *p, nfds_t count,
                    const struct timespec *timeout, const sigset_t *mask)
{
	int rc;

	(void)collect_sets(s, p);
	rc = pcx_ppoll(p, count, timeout, mask);
	if (rc < 0)
		return -errno;
	return any_invalid(p, count) ? -EBADF : write_back(s, p, count);
}

int pcx_pselect(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout,
                const sigset_t *mask)
{
	const struct sets s = {.n = bits_of(n), .set = {r, w, e}};
	struct pollfd few[FEW_SETS], *p = few;
	nfds_t count;
	int rc;

	if (n < 0)
		return (int)fail(-EINVAL);
	rc = are_there(&s);
	if (rc != 0)
		return (int)fail(rc);
	count = collect_sets(&s, NULL);
	if (count > FEW_SETS)
		p = malloc(count * sizeof(*p));
	rc = p != NULL ? ask_sets(&s, p, count, timeout, mask) : -ENOMEM;
	if (p != few)
		free(p);
	return (int)fail(rc);
}

/* Stores the time left, as Linux does; a time-out of centuries is left as it is. */
static void put_left(struct timeval *timeout, uint64_t all_ns, uint64_t passed_ns)
{
	const uint64_t left = passed_ns < all_ns ? all_ns - passed_ns : 0;

	if (all_ns == UINT64_MAX)
		return;
	timeout->tv_sec = (time_t)(left / 1000000000);
	timeout->tv_usec = (suseconds_t)(left % 1000000000 / 1000);
}

int pcx_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
	struct timespec ts;
	uint64_t begin;
	int rc;

	if (timeout == NULL)
		return pcx_pselect(n, r, w, e, NULL, NULL);
	if (!user_may_be(timeout, sizeof(*timeout)))
		return (int)fail(-EFAULT);
	if (timeout->tv_sec < 0 || timeout->tv_usec < 0)
		return (int)fail(-EINVAL);
	ts.tv_nsec = timeout->tv_usec % 1000000 * 1000;
	if (__builtin_add_overflow(timeout->tv_sec, timeout->tv_usec / 1000000, &ts.tv_sec))
		ts.tv_sec = INT64_MAX;
	begin = now_ns();
	rc = pcx_pselect(n, r, w, e, &ts, NULL);
	put_left(timeout, span_ns(&ts), now_ns() - begin);
	return rc;
}
