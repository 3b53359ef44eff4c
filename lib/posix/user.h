/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_USER_H
#define POSIX_USER_H

/* What a caller points at, which the kernel would check: addresses, time-outs, vectors. */

#include "posix/client.h"

#define USER_LOWEST 4096 /* nothing is mapped below this (vm.mmap_min_addr) */

/** user_is_range says whether n bytes at p are outside the kernel's half; Linux checks that first
 * in every call. */
static inline bool user_is_range(const void *p, size_t n)
{
	const uintptr_t at = (uintptr_t)p;

	return (intptr_t)at >= 0 && n <= (size_t)INTPTR_MAX - at;
}

/** user_may_be says whether n bytes (at least one) at p may be the program's. */
static inline bool user_may_be(const void *p, size_t n)
{
	return (uintptr_t)p >= USER_LOWEST && user_is_range(p, n);
}

/** user_in and user_out check that n bytes can be read or written: 0 or -EFAULT. They may make
 * system calls. */
int user_in(const void *p, size_t n);
int user_out(void *p, size_t n);

/** user_name_in checks an address passed by a caller: 0, -EINVAL or -EFAULT. */
int user_name_in(const struct sockaddr *addr, socklen_t len);

/** user_name_out copies an address of n bytes to a caller, as far as it fits. 0, -EINVAL or
 * -EFAULT. */
int user_name_out(const void *name, uint32_t n, struct sockaddr *addr, socklen_t *len);

/** user_deadline converts a time-out that starts now to a deadline. 0 or -EINVAL. */
int user_deadline(const struct timespec *timeout, uint64_t *deadline_ns);

/** user_vector checks a vector as the kernel does before it checks anything else: 0, -EINVAL or
 * -EFAULT. */
int user_vector(const struct iovec *v, size_t n);

/** user_has_bytes says whether up to most bytes of a vector, after the first skip ones, may be the
 * program's. */
bool user_has_bytes(const struct iovec *v, size_t n, size_t skip, size_t most);

/** iov_total returns the number of bytes in a vector. */
static inline size_t iov_total(const struct iovec *v, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += v[i].iov_len;
	return total;
}

#endif
