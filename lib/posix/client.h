/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_CLIENT_H
#define POSIX_CLIENT_H

/*
 * The client of a channel: what a process knows about its sockets.
 *
 * Overview: a descriptor leads to a struct file (an open file description), and a file to a socket
 * of the channel or to an epoll set.  To the kernel, the descriptor is a duplicate of one
 * placeholder socket, so the kernel hands its number to no one else and takes care of
 * close-on-exec.  State that belongs to a description and must be visible in a forked process too
 * (O_NONBLOCK, time-outs) is in the channel.
 *
 * Ownership: files are never freed, so a pointer to one may be read at any time; file_get takes a
 * reference.  A file lives while a descriptor or a call refers to it; with the last reference the
 * process releases the socket.
 *
 * Locks, in the order in which they are taken: client.sets, a set's own, client.files;
 * client.control_lock on its own.
 */

#include <errno.h>
#include <percore/posix.h>
#include <pthread.h>

#include "chan/chan.h"
#include "posix/sys.h"

struct epset;
struct item;

/** O_ASYNC of a file (async.c). */
struct async {
	bool on;              /* atomic */
	int32_t sig;          /* F_SETSIG; 0: SIGIO */
	int32_t owner;        /* 0: none */
	enum __pid_type type; /* F_OWNER_* */
	int end, other;       /* a pair of kernel sockets; -1: none yet */
	struct file *next;    /* list of files with O_ASYNC */
	uint32_t seen_in, seen_out, seen_state;
};

#define ASYNC_OFF ((struct async){.on = false, .end = -1, .other = -1})

struct file {
	uint32_t refs; /* by calls and descriptors; atomic */
	uint32_t fds;  /* number of descriptors; under client.files */
	uint32_t kind; /* enum pcx_kind */
	uint32_t sock; /* PCX_SOCKET: the primary */
	uint32_t kept; /* flags of F_SETFL without effect on a socket; atomic */
	struct epset *set;
	struct item *items; /* its memberships in sets; under client.sets */
	struct file *next;  /* free list */
	struct async async;
};

/* The library's own descriptors get numbers from FD_HIDDEN on, out of the program's way, or some of
 * the last if no more are allowed. Those below FD_HIDDEN_END are recorded. */
#define FD_HIDDEN     512
#define FD_HIDDEN_END 4608u

struct client {
	struct chan *chan; /* NULL: not attached; atomic */
	struct chan view;
	uint32_t proc;
	int control;         /* the connection to the host */
	int placeholder;     /* what descriptors are duplicates of */
	int spare;           /* given up where no descriptor is left; -1: it is; atomic */
	bool dead;           /* the host is gone; atomic */
	bool watching;       /* the thread that watches for that exists; atomic */
	bool sandboxed;      /* threads can no longer be created; atomic */
	int broken_pipe;     /* of a sandboxed process: a write raises SIGPIPE; 0: none */
	bool ended;          /* client_end has run; under drive */
	uint32_t generation; /* counts attachments */
	uint32_t max_fds;
	uint32_t end_fds; /* one more than the highest descriptor that was ever ours; under files */
	uint64_t spin_ns; /* how long a thread polls before it sleeps */
	struct file **fds; /* atomic */
	struct file *free; /* under files */
	pthread_mutex_t files, sets, control_lock, drive;
	const struct pcx_driver *driver;
	uint64_t hidden[FD_HIDDEN_END / 64]; /* the library's descriptors; atomic */
};

extern struct client client;

/** fail sets errno from a negative value and returns -1; other values it returns unchanged. */
static inline int64_t fail(int64_t rc)
{
	if (rc >= 0)
		return rc;
	errno = (int)-rc;
	return -1;
}

/* ---- sections (fork.c) ------------------------------------------------------------------------ */

enum section { SECTION_SETS = 1, SECTION_FILES = 2 };

/** section_begin and section_end lock and unlock client.sets or client.files. A signal may arrive
 * in between, and its handler may fork, as POSIX allows: such a fork finds that its own thread is
 * in the section and does not wait for it. */
void section_begin(enum section s);
void section_end(enum section s);

/* ---- descriptors (fd.c) ----------------------------------------------------------------------- */

/** file_get returns the file of a descriptor, with a reference, or NULL if the descriptor is the
 * kernel's. */
struct file *file_get(int fd);

/** file_socket is file_get for sockets; it also returns NULL for a set. */
struct file *file_socket(int fd);

/** file_put drops a reference. */
void file_put(struct file *f);

/** file_new makes a file without descriptors; the caller gets a reference. NULL: no memory. */
struct file *file_new(enum pcx_kind kind);

/** fd_reserve allocates the lowest free kernel descriptor. Returns it or a negative errno. */
int fd_reserve(bool cloexec);

/** fd_install makes a reserved descriptor one of the file. */
void fd_install(int fd, struct file *f);

/** fd_remove takes a descriptor out of the table; its number stays allocated in the kernel. Returns
 * its file, with the descriptor's reference, or NULL. */
struct file *fd_remove(int fd);

/** fd_hide moves a descriptor of the library to a high number, if one is free, and records it;
 * fd_is_hidden says whether a number is such a descriptor, and fd_close_hidden closes it. */
int fd_hide(int fd);
bool fd_is_hidden(int fd);
void fd_close_hidden(int fd);

/** fd_spare_keep reserves a descriptor, if none is reserved; fd_spare_give closes it for another. */
void fd_spare_keep(void);
void fd_spare_give(void);

/** hold_socket makes process slot proc a holder of a socket and its parts; release_socket gives up
 * this process's hold on them. */
void hold_socket(uint32_t sock, uint32_t proc);
void release_socket(uint32_t sock);

/* ---- the host ---------------------------------------------------------------------------------- */

/** client_is_down says whether the host is gone. */
static inline bool client_is_down(void)
{
	return at_load(&client.chan->head->down) != 0 || at_load(&client.dead);
}

/** control_ask sends the host a request (chan/control.h). Returns the value of the answer, with its
 * descriptor in *fd, or a negative errno; fd NULL: the request has no answer. */
int64_t control_ask(uint32_t op, uint32_t arg, int *fd);

/** control_fork asks the host for another slot and its connection, which may take the spare
 * descriptor. Returns the slot, or a negative errno with *fd -1. */
int64_t control_fork(int *fd);

/** attach_handover returns what the previous image of this process has handed on, or NULL. An image
 * that cannot use it, such as a statically linked program, passes it to its children, whose slot it
 * is not: it is removed. */
const char *attach_handover(void);

/** client_sandboxed is called before the process gives up the right to make system calls. From then
 * on the library creates no threads, and for the sockets and sets that exist it makes no system
 * calls but read, write, poll or epoll_wait, futex and close. A thread that sleeps without a
 * time-out is then woken by every signal (EINTR). */
void client_sandboxed(void);

/** client_sigpipe raises SIGPIPE, in a sandbox by a write(). */
void client_sigpipe(void);

/* ---- forks (fork.c) --------------------------------------------------------------------------- */

/** client_init_locks initialises the locks, in a new process or a forked one. */
void client_init_locks(void);

/** fork_install registers the handlers that forks run from now on. */
void fork_install(void);

/** The same handlers, for a fork that bypasses the C library: call fork_prepare before it, then one
 * of the other two. */
void fork_prepare(void);
void fork_in_parent(void);
void fork_in_child(void);

/** fork_done calls the right one for what fork returned. It preserves errno. */
static inline void fork_done(long rc)
{
	const int error = errno;

	if (rc == 0)
		fork_in_child();
	else
		fork_in_parent();
	errno = error;
}

#endif
