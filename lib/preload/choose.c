/* SPDX-License-Identifier: BSD-2-Clause */
#include "choose.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <percore/tcp_ao.h>

#include "env.h"
#include "one_core.h"
#include "posix/epset.h"
#include "posix/sock.h"
#include "posix/user.h"
#include "real.h"

static struct pc_rules rules;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool rules_are_wrong;

static void say(const char *what, const char *why)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "libpercore-preload: %s: %s\n", what, why);

	if (n > 0)
		(void)!real_write(STDERR_FILENO, line,
		                  (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static void attach(void)
{
	const char *text = env_get("PERCORE_RULES");
	/* sockets handed on by the previous image take precedence */
	const char *path = attach_handover() == NULL ? env_get("PERCORE_SOCKET") : NULL;
	char why[512];

	if (text != NULL && pc_rules_add(&rules, text, why, sizeof(why)) != 0) {
		say("PERCORE_RULES", why);
		rules_are_wrong = true;
	} else if (pcx_is_attached()) {
		return;
	} else if (one_core_is_wanted()) {
		if (one_core_start(why, sizeof(why)) != 0)
			say("cannot start a stack in this process", why);
	} else if (pcx_attach(path) != 0) {
		say("cannot attach to the stack", strerror(errno));
	}
}

bool choose_attach(void)
{
	int error = errno;

	pthread_once(&once, attach);
	errno = error;
	return pcx_is_attached() && !rules_are_wrong;
}

/* Sockets handed on by the previous image of this process must be usable from the start. */
__attribute__((constructor)) static void take_up(void)
{
	if (attach_handover() != NULL && choose_attach())
		stdio_follow();
}

static bool may_be_ours(int domain, int type, int protocol)
{
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (domain != AF_INET && domain != AF_INET6)
		return false;
	return (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP)) ||
	       (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP));
}

int choose_socket(int domain, int type, int protocol)
{
	if (!may_be_ours(domain, type, protocol) || one_core_is_stacks())
		return real_socket(domain, type, protocol);
	if (choose_attach())
		return pcx_socket(domain, type, protocol);
	errno = ENETDOWN;
	return -1;
}

/* ---- giving a socket to the kernel --------------------------------------------------------------- */

/* Options that the client handles itself, which are not in the list of options set. */
static const struct {
	int level, name;
} own_options[] = {
    {SOL_SOCKET, SO_RCVTIMEO},  {SOL_SOCKET, SO_SNDTIMEO}, {SOL_SOCKET, SO_RCVLOWAT},
    {SOL_SOCKET, SO_OOBINLINE}, {SOL_SOCKET, SO_ZEROCOPY}, {SOL_SOCKET, SO_PEEK_OFF},
    {IPPROTO_TCP, TCP_INQ},
};

static int ask(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return pcx_getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

/* Copies the options that the program has set, in that order. If the kernel refuses a value that
 * the stack accepts, it keeps its own. */
static void copy_options(int from, int to)
{
	struct file *f = file_get(from);
	const struct chan_option *o;
	struct group_source_req room;
	socklen_t size;

	for (uint32_t i = 0; f != NULL && (o = sock_option(f->sock, i)) != NULL; i++) {
		const void *value = sock_option_value(o, &room, &size);

		(void)real_setsockopt(to, o->level, o->name, value, size);
	}
	for (size_t i = 0; i < sizeof(own_options) / sizeof(own_options[0]); i++) {
		const int level = own_options[i].level, name = own_options[i].name;
		char value[32];
		socklen_t len = sizeof(value);

		if (pcx_getsockopt(from, level, name, value, &len) == 0)
			(void)real_setsockopt(to, level, name, value, len);
	}
	if (f != NULL)
		file_put(f);
}

/* Copies the flags that socket() does not take, and whom the signals of O_ASYNC go to. */
static void copy_flags(int from, int to, int flags)
{
	const int sig = pcx_fcntl(from, F_GETSIG, 0);
	struct f_owner_ex owner;

	if (pcx_fcntl(from, F_GETOWN_EX, (long)&owner) == 0 && owner.pid != 0)
		(void)real_fcntl(to, F_SETOWN_EX, (long)&owner);
	if (sig > 0)
		(void)real_fcntl(to, F_SETSIG, sig);
	if ((flags & ~(O_ACCMODE | O_NONBLOCK)) != 0)
		(void)real_fcntl(to, F_SETFL, flags);
}

/* Copies the keys: a socket without them would accept unsigned segments. A kernel without TCP-AO
 * gets no socket with TCP-AO keys. Returns whether the kernel may have the socket. */
static bool copy_keys(int from, int to)
{
	struct file *f = file_get(from);
	struct tcp_ao_info_opt info;
	struct tcp_md5sig key;
	struct tcp_ao_add ao;
	bool good = true;

	for (int32_t n = 0; f != NULL && sock_key(f->sock, n, &key) == 0; n++)
		(void)real_setsockopt(to, IPPROTO_TCP, TCP_MD5SIG_EXT, &key, sizeof(key));
	for (int32_t n = 0; f != NULL && good && sock_nth_ao_key(f->sock, n, &ao); n++)
		good = real_setsockopt(to, IPPROTO_TCP, TCP_AO_ADD_KEY, &ao, sizeof(ao)) == 0;
	if (f != NULL && good && sock_ao_info(f->sock, &info))
		good = real_setsockopt(to, IPPROTO_TCP, TCP_AO_INFO, &info, sizeof(info)) == 0;
	explicit_bzero(&key, sizeof(key));
	explicit_bzero(&ao, sizeof(ao));
	if (f != NULL)
		file_put(f);
	return good;
}

/* Binds the kernel's socket to the name that the stack's was bound to before its destination was
 * known. */
static void copy_name(int from, int to)
{
	struct sockaddr_in6 name;
	socklen_t len = sizeof(name);

	if (pcx_getsockname(from, (struct sockaddr *)&name, &len) == 0 && name.sin6_port != 0)
		(void)real_bind(to, (struct sockaddr *)&name, len);
}

/* ---- the epoll sets that it is in */

#define MOST_SETS 16

struct membership {
	int ep;
	struct epoll_event event;
};

/* Returns a descriptor of the set, or -1. The caller holds client.sets. */
static int find_set(const struct epset *set)
{
	for (uint32_t fd = 0; fd < at_load(&client.end_fds); fd++) {
		const struct file *f = at_load(&client.fds[fd]);

		if (f != NULL && f->kind == PCX_EPOLL && f->set == set)
			return (int)fd;
	}
	return -1;
}

/* Finds the sets that a socket is in: some programs add it to one before they connect it. */
static unsigned find_memberships(int fd, struct membership *m)
{
	struct file *f = file_get(fd);
	unsigned n = 0;

	if (f == NULL)
		return 0;
	section_begin(SECTION_SETS);
	for (const struct item *i = f->items; i != NULL && n < MOST_SETS; i = i->next_of_file)
		if (i->fd == fd)
			m[n++] = (struct membership){find_set(i->set), i->want};
	section_end(SECTION_SETS);
	file_put(f);
	return n;
}

/* Makes one descriptor of a socket the kernel's. */
static bool give_descriptor(int fd, int to)
{
	const int flags = pcx_fcntl(fd, F_GETFD, 0);
	struct membership in[MOST_SETS];
	const unsigned n = find_memberships(fd, in);

	if (pcx_dup3(to, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0) < 0)
		return false;
	for (unsigned i = 0; i < n; i++)
		(void)pcx_epoll_ctl(in[i].ep, EPOLL_CTL_ADD, fd, &in[i].event);
	return true;
}

/* Makes the other descriptors of the same socket the kernel's, too. */
static void give_duplicates(const struct file *f, int to)
{
	for (uint32_t fd = 0; fd < at_load(&client.end_fds); fd++)
		if (at_load(&client.fds[fd]) == f)
			(void)give_descriptor((int)fd, to);
}

static enum pcx_kind give_to_kernel(int fd, int domain, int type)
{
	const int flags = pcx_fcntl(fd, F_GETFL, 0);
	const int to = real_socket(domain, type | (flags & O_NONBLOCK ? SOCK_NONBLOCK : 0), 0);
	struct file *f = file_get(fd);
	enum pcx_kind kind = PCX_SOCKET;

	if (to >= 0 && f != NULL) {
		copy_options(fd, to);
		copy_flags(fd, to, flags);
		if (copy_keys(fd, to)) {
			copy_name(fd, to);
			if (give_descriptor(fd, to))
				kind = PCX_KERNEL;
		}
		if (kind == PCX_KERNEL)
			give_duplicates(f, to);
	}
	if (to >= 0)
		(void)real_close(to);
	if (f != NULL)
		file_put(f);
	return kind;
}

static bool has_own_address(int fd)
{
	struct sockaddr_in6 name;
	socklen_t len = sizeof(name);
	struct pc_endpoint e;

	return pcx_getsockname(fd, (struct sockaddr *)&name, &len) == 0 &&
	       pc_endpoint_from_sockaddr(&e, (struct sockaddr *)&name, len) == 0 &&
	       !pc_addr_is_any(&e.addr);
}

/* Whether a socket must stay percore's. A stream in use would lose its connection. A server that
 * was made to send one answer to 127.0.0.1 would lose everything that arrives later. A datagram
 * socket may be connected again. */
static bool is_settled(int fd, enum choose_moment moment, int type)
{
	struct file *f = file_get(fd);
	const bool connects = type == SOCK_DGRAM && moment == CHOOSE_CONNECT;
	bool settled = f != NULL && !connects && sock_is_used(f->sock);

	if (f != NULL)
		file_put(f);
	return settled || (type == SOCK_DGRAM && moment == CHOOSE_SEND && has_own_address(fd));
}

enum pcx_kind choose_address(int fd, enum choose_moment moment, const struct sockaddr *addr,
                             socklen_t len)
{
	const enum pc_rule_moment rule = moment == CHOOSE_BIND ? PC_RULE_BIND : PC_RULE_CONNECT;
	struct pc_endpoint e;
	int error = errno, type;
	enum pcx_kind kind = PCX_SOCKET;

	if (user_name_in(addr, len) != 0 || pc_endpoint_from_sockaddr(&e, addr, len) != 0)
		return kind;
	type = ask(fd, SO_TYPE);
	if (pc_rules_decide(&rules, type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP, rule, &e) ==
	        PC_RULE_KERNEL &&
	    !is_settled(fd, moment, type))
		kind = give_to_kernel(fd, ask(fd, SO_DOMAIN), type);
	errno = error;
	return kind;
}
