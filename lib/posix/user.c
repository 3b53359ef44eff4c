/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pointers passed by callers.
 *
 * Overview: for an invalid pointer the kernel returns EFAULT, where this library would crash.
 * Whether an address can be a program's at all can be told from its value, and every call checks
 * that.  Whether something is mapped there only the kernel knows: it is asked by system calls that
 * touch the bytes and then fail for another reason.  That is done only where a call goes to an
 * lcore anyway, not for data sent and received, and not for variables on the caller's stack, where
 * addresses and options nearly always are.
 */
#include "posix/user.h"
#include "posix/client.h"
#include "posix/wait.h"

#include <linux/futex.h>
#include <signal.h>
#include <string.h>

#define STACK_NEAR 4096

/* The frames of our callers are a little above our own. */
static bool is_near_stack(const void *p, size_t n)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0), at = (uintptr_t)p;

	return at > here && n < STACK_NEAR && at - here < STACK_NEAR - n;
}

/* EINVAL: not a valid way to change a mask, but the mask has been read. */
static bool can_read(const void *p)
{
	const int saved = errno;
	const bool ok = sys(rt_sigprocmask, -1, p, NULL, SYS_SIGSET_BYTES) == 0 || errno != EFAULT;

	errno = saved;
	return ok;
}

/* Adds 0 to the word, and wakes no thread. */
static bool can_write(void *p)
{
	const int add_nothing = (int)FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0);
	const int saved = errno;
	uint32_t own = 0, *word = (uint32_t *)((uintptr_t)p & ~(uintptr_t)3);
	const bool ok =
	    sys(futex, &own, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, word, add_nothing) >= 0 ||
	    errno != EFAULT;

	errno = saved;
	return ok;
}

int user_in(const void *p, size_t n)
{
	const uint8_t *last;

	if (n == 0)
		return 0;
	if (!user_may_be(p, n))
		return -EFAULT;
	if (is_near_stack(p, n) || at_load(&client.sandboxed))
		return 0;
	/* eight bytes are read, which are aligned and therefore within a page */
	last = (const uint8_t *)(((uintptr_t)p + n - 1) & ~(uintptr_t)7);
	p = (const void *)((uintptr_t)p & ~(uintptr_t)7);
	return can_read(p) && (p == last || can_read(last)) ? 0 : -EFAULT;
}

int user_out(void *p, size_t n)
{
	if (n == 0)
		return 0;
	if (!user_may_be(p, n))
		return -EFAULT;
	if (is_near_stack(p, n) || at_load(&client.sandboxed))
		return 0;
	return can_write(p) && can_write((uint8_t *)p + n - 1) ? 0 : -EFAULT;
}

int user_name_in(const struct sockaddr *addr, socklen_t len)
{
	return len > sizeof(struct sockaddr_storage) ? -EINVAL : user_in(addr, len);
}

int user_name_out(const void *name, uint32_t n, struct sockaddr *addr, socklen_t *len)
{
	socklen_t room;
	int rc = user_out(len, sizeof(*len));

	if (rc != 0)
		return rc;
	room = *len < n ? *len : n;
	if ((int)*len < 0)
		return -EINVAL;
	rc = user_out(addr, room);
	if (rc != 0)
		return rc;
	if (room > 0)
		memcpy(addr, name, room);
	*len = n;
	return 0;
}

int user_deadline(const struct timespec *timeout, uint64_t *deadline_ns)
{
	uint64_t ns;

	if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000)
		return -EINVAL;
	ns = span_ns(timeout);
	*deadline_ns = ns > 0 ? deadline_in(ns) : now_ns();
	return 0;
}

int user_vector(const struct iovec *v, size_t n)
{
	if (n > 0 && !user_may_be(v, n * sizeof(*v)))
		return -EFAULT;
	for (size_t i = 0; i < n; i++) {
		if ((ssize_t)v[i].iov_len < 0)
			return -EINVAL;
		if (!user_is_range(v[i].iov_base, v[i].iov_len))
			return -EFAULT;
	}
	return 0;
}

bool user_has_bytes(const struct iovec *v, size_t n, size_t skip, size_t most)
{
	for (size_t i = 0; i < n && most > 0; i++) {
		const size_t passed = skip < v[i].iov_len ? skip : v[i].iov_len,
		             here = v[i].iov_len - passed;

		skip -= passed;
		if (here > 0 && !user_may_be(v[i].iov_base, v[i].iov_len))
			return false;
		most -= here < most ? here : most;
	}
	return true;
}
