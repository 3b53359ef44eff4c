/* SPDX-License-Identifier: BSD-2-Clause */
#include "real.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

static __thread bool finding;

void *real_find(const char *name)
{
	int error = errno;
	void *found;

	if (finding)
		return NULL;
	finding = true;
	found = dlsym(RTLD_NEXT, name);
	finding = false;
	errno = error;
	return found;
}

#define REAL_DEFINE(type, name, params, args, call)                             \
	type real_##name params                                                 \
	{                                                                       \
		static type(*next) params;                                      \
		type(*found) params = __atomic_load_n(&next, __ATOMIC_RELAXED); \
                                                                                \
		if (__builtin_expect(found == NULL, 0)) {                       \
			*(void **)&found = real_find(#name);                    \
			if (found == NULL)                                      \
				return (type)(call);                            \
			__atomic_store_n(&next, found, __ATOMIC_RELAXED);       \
		}                                                               \
		return found args;                                              \
	}
REAL_LIST(REAL_DEFINE)

int real_fcntl(int fd, int command, long arg)
{
	static int (*next)(int, int, ...);
	int (*f)(int, int, ...) = __atomic_load_n(&next, __ATOMIC_RELAXED);

	if (__builtin_expect(f == NULL, 0)) {
		*(void **)&f = real_find("fcntl64");
		if (f == NULL)
			return (int)syscall(SYS_fcntl, fd, command, arg);
		__atomic_store_n(&next, f, __ATOMIC_RELAXED);
	}
	return f(fd, command, arg);
}

int real_ioctl(int fd, unsigned long request, void *arg)
{
	return (int)syscall(SYS_ioctl, fd, request, arg);
}
