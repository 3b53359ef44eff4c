/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching to a host, and taking over what the previous image of the process handed on.
 *
 * The client is a global variable, because descriptors belong to the process.
 */
#include "posix/async.h"
#include "posix/client.h"
#include "posix/queue.h"
#include "posix/sock.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "chan/control.h"

#define MAX_FDS  (1u << 20)
#define SPIN_NS  5000
#define HANDOVER "PERCORE_HANDOVER"

struct client client;

void client_init_locks(void)
{
	pthread_mutex_init(&client.files, NULL);
	pthread_mutex_init(&client.sets, NULL);
	pthread_mutex_init(&client.control_lock, NULL);
	pthread_mutex_init(&client.drive, NULL);
}

bool pcx_is_attached(void)
{
	return at_load(&client.chan) != NULL;
}

void pcx_set_driver(const struct pcx_driver *driver)
{
	client.driver = driver;
}

unsigned pcx_processes(void)
{
	struct chan *c = at_load(&client.chan);
	unsigned n = 0;

	if (c == NULL || client_is_down())
		return 0;
	for (uint32_t w = 0; w < CHAN_PROC_WORDS; w++)
		n += (unsigned)__builtin_popcountll(at_load(&c->head->live[w]));
	return n;
}

/* ---- attaching -------------------------------------------------------------------------------- */

static int map_segment(int fd)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) != 0)
		return -errno;
	/* inaccessible at first: after mlockall(MCL_FUTURE) the kernel would allocate all of it */
	p = mmap(NULL, (size_t)st.st_size, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	(void)munlock(p, (size_t)st.st_size);
	if (mprotect(p, (size_t)st.st_size, PROT_READ | PROT_WRITE) != 0) {
		const int error = errno;

		(void)munmap(p, (size_t)st.st_size);
		return -error;
	}
	if (!chan_open(&client.view, p, (uint64_t)st.st_size)) {
		(void)munmap(p, (size_t)st.st_size);
		return -EPROTO;
	}
	(void)madvise(p, (size_t)st.st_size, MADV_DONTDUMP);
	at_store(&client.chan, &client.view);
	return 0;
}

static int make_table(void)
{
	struct rlimit l = {.rlim_max = MAX_FDS};
	void *p;

	if (client.fds != NULL)
		return 0;
	(void)getrlimit(RLIMIT_NOFILE, &l);
	client.max_fds = l.rlim_max < MAX_FDS ? (uint32_t)l.rlim_max : MAX_FDS;
	p = mmap(NULL, client.max_fds * sizeof(struct file *), PROT_READ | PROT_WRITE,
	         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	client.fds = p;
	return 0;
}

/* A program that examines one of our descriptors with a system call sees this socket. */
static int make_placeholder(void)
{
	int fd = (int)sys(socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd_hide(fd);
}

static void set_spin(void)
{
	const char *us = getenv("PERCORE_SPIN_US");

	client.spin_ns = us != NULL ? strtoull(us, NULL, 10) * 1000 : SPIN_NS;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		client.spin_ns = 0;
}

static int hello(int control)
{
	int memfd = -1, rc;
	int64_t slot;

	at_store(&client.control, control);
	slot = control_ask(CONTROL_HELLO, 0, &memfd);
	if (slot < 0)
		return slot == -ECONNRESET ? -EPROTO : (int)slot;
	if (memfd < 0 || slot == 0 || slot >= CHAN_PROCS)
		return -EPROTO;
	client.proc = (uint32_t)slot;
	rc = map_segment(memfd);
	(void)sys_close(memfd);
	return rc;
}

static int attach(int control)
{
	int rc;

	client_init_locks();
	at_store(&client.generation, client.generation + 1);
	client.dead = client.watching = false;
	rc = make_table();
	if (rc == 0)
		rc = make_placeholder();
	if (rc < 0) {
		(void)sys_close(control);
		return rc;
	}
	client.placeholder = rc;
	set_spin();
	control = fd_hide(control);
	rc = hello(control);
	if (rc != 0) {
		fd_close_hidden(control);
		fd_close_hidden(client.placeholder);
		return rc;
	}
	client.spare = -1;
	fd_spare_keep();
	fork_install();
	return 0;
}

int pcx_attach_fd(int fd)
{
	if (fd < 0)
		return -1;
	if (pcx_is_attached()) {
		(void)sys_close(fd);
		return (int)fail(-EISCONN);
	}
	return (int)fail(attach(fd));
}

static int connect_path(const char *path)
{
	struct sockaddr_un a;
	const socklen_t len = control_address(path, &a);
	int fd;

	if (len == 0)
		return (int)fail(-EINVAL);
	fd = (int)sys(socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && sys(connect, fd, &a, len) != 0) {
		int error = errno;

		(void)sys_close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* ---- exec ------------------------------------------------------------------------------------- */

const char *attach_handover(void)
{
	const char *text = getenv(HANDOVER), *pid = text != NULL ? strchr(text, ':') : NULL;

	if (pid == NULL || strtol(pid + 1, NULL, 10) == getpid())
		return text;
	(void)unsetenv(HANDOVER);
	return NULL;
}

int pcx_exec_prepare(char *buf, size_t len)
{
	size_t at;

	if (!pcx_is_attached() || client_is_down() || client.driver != NULL)
		return 0;
	at = (size_t)snprintf(buf, len, HANDOVER "=%d:%d", client.control, (int)getpid());
	for (uint32_t fd = 0; fd < client.end_fds && at < len; fd++) {
		const struct file *f = at_load(&client.fds[fd]);
		int flags =
		    f != NULL && f->kind == PCX_SOCKET ? sys_fcntl((int)fd, F_GETFD, 0) : -1;

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			at += (size_t)snprintf(buf + at, len - at, ",%u:%u", fd, f->sock);
	}
	if (at >= len)
		return (int)fail(-ERANGE);
	(void)sys_fcntl(client.control, F_SETFD, 0);
	return (int)at;
}

void pcx_exec_failed(void)
{
	if (pcx_is_attached())
		(void)sys_fcntl(client.control, F_SETFD, FD_CLOEXEC);
}

/* Undoes what a thread was doing with a socket when exec ended it: holding its locks, or about to
 * post a kick. */
static void undo_threads(uint32_t sock)
{
	struct chan_sock *s = chan_sock(client.chan, sock);

	lock_break(&s->rx_lock, client.proc);
	lock_break(&s->tx_lock, client.proc);
	if (at_swap(&s->kicked, 0) != 0)
		chan_kick(client.chan, client.proc, sock);
}

/* Closes what the previous image held and did not hand on. */
static void close_others(const bool *kept)
{
	const uint64_t bit = UINT64_C(1) << (client.proc % 64);

	for (uint32_t i = 0; i < client.chan->nb_socks; i++) {
		if (!(at_load(&chan_sock(client.chan, i)->holders[client.proc / 64]) & bit))
			continue;
		undo_threads(i);
		if (!kept[i])
			release_socket(i);
	}
}

static void take_up(unsigned fd, uint32_t sock, struct file **of_sock)
{
	struct file *f = of_sock[sock]; /* several descriptors may share one */

	if (fd >= client.max_fds)
		return;
	if (f == NULL) {
		f = file_new(PCX_SOCKET);
		if (f == NULL)
			return;
		f->sock = sock;
		of_sock[sock] = f;
	}
	fd_install((int)fd, f);
}

static void take_up_list(const char *list)
{
	const uint32_t n = client.chan->nb_socks;
	struct file **of_sock = calloc(n, sizeof(struct file *));
	bool *kept = calloc(n, sizeof(bool));
	unsigned fd, sock;

	for (; of_sock != NULL && kept != NULL && list != NULL; list = strchr(list + 1, ',')) {
		if (sscanf(list, ",%u:%u", &fd, &sock) != 2 || sock >= n)
			continue;
		take_up(fd, sock, of_sock);
		kept[sock] = true;
		for (uint32_t i = 0; i < sock_parts(chan_sock(client.chan, sock)); i++)
			kept[chan_sock(client.chan, sock)->part[i] % n] = true;
	}
	if (kept != NULL)
		close_others(kept);
	for (uint32_t i = 0; of_sock != NULL && i < n; i++)
		if (of_sock[i] != NULL)
			file_put(of_sock[i]); /* its descriptors keep it */
	free(of_sock);
	free(kept);
}

/*
 * Cleans up posts and calls that threads of the previous image left unfinished at exec.  Posts are
 * served in order: once one more call has been answered, none of theirs is in progress, and their
 * blocks are free.
 */
static void end_calls(void)
{
	struct chan *c = client.chan;
	struct chan_proc *p = chan_proc(c, client.proc);
	uint32_t found;

	for (uint32_t l = 0; l < c->nb_lcores; l++)
		post_mend(chan_post(c, client.proc, l), c->post_cells, CHAN_POST_NOTHING);
	for (uint32_t i = 0; i < CHAN_CALLS; i++) {
		found = CHAN_CALL_DONE;
		(void)at_cas(&p->call[i].state, &found, CHAN_CALL_FREE);
	}
	/* in case all are in use: a call that is posted twice is answered once */
	at_store(&p->call[CHAN_CALLS - 1].state, CHAN_CALL_FREE);
	for (uint32_t l = 0; l < c->nb_lcores; l++)
		(void)call_lcore(l, &(struct call){.op = CHAN_OP_IOCTL, .sock = CHAN_NONE});
	for (uint32_t i = 0; i < CHAN_CALLS; i++)
		at_store(&p->call[i].state, CHAN_CALL_FREE);
}

/* Attaches as the previous image's handover text says. Returns 0 or a negative errno. */
static int attach_handed(const char *text)
{
	char *list;
	const long control = strtol(text, &list, 10);
	int rc;

	if (list == text || *list != ':' || control < 0 || control > INT_MAX)
		return -EINVAL;
	(void)strtol(list + 1, &list, 10); /* our process id */
	if (*list != '\0' && *list != ',')
		return -EINVAL;
	rc = attach((int)control);
	if (rc == 0) {
		end_calls();
		take_up_list(*list == ',' ? list : NULL);
	}
	return rc;
}

int pcx_attach(const char *path)
{
	const char *handed = path == NULL ? attach_handover() : NULL;
	int fd;

	if (pcx_is_attached())
		return (int)fail(-EISCONN);
	if (handed != NULL) {
		int rc = attach_handed(handed);

		(void)unsetenv(HANDOVER);
		return (int)fail(rc);
	}
	if (path == NULL)
		path = getenv("PERCORE_SOCKET");
	if (path == NULL)
		return (int)fail(-ENOENT);
	fd = connect_path(path);
	return pcx_attach_fd(fd);
}

void pcx_detach(void)
{
	if (!pcx_is_attached())
		return;
	for (uint32_t fd = 0; fd < client.end_fds; fd++)
		if (at_load(&client.fds[fd]) != NULL)
			(void)pcx_close((int)fd);
	poll_queues_forked();
	async_forked();
	/* the watcher sees this hang-up, but must not wake sleepers of a later attachment */
	at_store(&client.generation, client.generation + 1);
	(void)sys(shutdown, client.control, SHUT_RDWR);
	fd_spare_give();
	fd_close_hidden(client.control);
	fd_close_hidden(client.placeholder);
	client.end_fds = 0;
	if (!at_load(&client.watching)) /* else the watcher may still be using it */
		(void)munmap(client.view.head, client.view.bytes);
	at_store(&client.chan, NULL);
}
