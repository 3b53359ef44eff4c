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

/** hold_socket makes process slot proc a holder of a socket and its parts; release_socket gives up
 * this process's hold on them. */
void hold_socket(uint32_t sock, uint32_t proc);
void release_socket(uint32_t sock);

/* ---- what a caller points at (user.c) --------------------------------------------------------- */

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

/* ---- sockets in messages (carry.c) ------------------------------------------------------------ */

/** carry_any says whether the descriptors in a message (SCM_RIGHTS) include sockets of ours;
 * carry_send sends such a message over a kernel socket, as sendmsg() does. */
bool carry_any(const struct msghdr *m);
ssize_t carry_send(int fd, const struct msghdr *m, int flags);

/** carry_any_of and carry_send_some do the same for sendmmsg(). */
bool carry_any_of(const struct mmsghdr *m, unsigned n);
int carry_send_some(int fd, struct mmsghdr *m, unsigned n, int flags);

/** carry_came says whether received descriptors may stand for sockets of ours; carry_take turns
 * those that do into these sockets, under the same numbers. */
bool carry_came(struct msghdr *m);
void carry_take(struct msghdr *m);

/* ---- calls (call.c) --------------------------------------------------------------------------- */

/** The arguments and results of a call. */
struct call {
	enum chan_op op;
	uint32_t sock;
	int32_t a, b, c;
	const void *in;
	uint32_t in_len;
	void *out;        /* receives at most out_len bytes */
	uint32_t out_len; /* on return: how many there were */
	bool secret;      /* erase the data from the shared memory afterwards */
};

/** option_is_key says whether an option's value contains a key. */
bool option_is_key(int level, int name);

/** call_lcore makes a call to an lcore and waits for the result. Returns it, or a negative
 * errno. */
int64_t call_lcore(uint32_t lcore, struct call *call);

/** call_sock makes a call about a socket to its lcore. */
int64_t call_sock(uint32_t sock, enum chan_op op, int32_t a, int32_t b, const void *in,
                  uint32_t in_len);

/* ---- waiting (ready.c, wait.c) ---------------------------------------------------------------- */

/** sock_ready returns what is ready on a socket as EPOLL* bits. With want_out it also asks for a
 * notification of room to write if there is none. */
uint32_t sock_ready(uint32_t sock, bool want_out);

/** part_bytes returns the bytes to read from a part (with headers, of datagrams), or a listener's
 * pending connections. */
uint64_t part_bytes(uint32_t part);

/* Notifications to a socket's reader (told.c): whether an option concerns them, setting and getting
 * it; the number of unread bytes (TCP_INQ); recording a call with MSG_ZEROCOPY, whether one has not
 * been reported yet, and MSG_ERRQUEUE. room: the size of m->msg_control. */
bool told_is_option(const struct chan_sock *s, int level, int name);
int told_set(struct chan_sock *s, int level, int name, const void *value, socklen_t len);
int told_get(const struct chan_sock *s, int level, int name);
void told_left(uint32_t sock, struct msghdr *m, size_t room);
void told_copied(uint32_t sock);
bool told_waits(const struct chan_sock *s);
ssize_t told_errors(uint32_t sock, struct msghdr *m, size_t room);

/** sock_parts returns the number of parts of a socket. */
static inline uint32_t sock_parts(const struct chan_sock *s)
{
	uint32_t n = at_load(&s->nb_parts);

	return n < CHAN_MAX_LCORES ? n : CHAN_MAX_LCORES;
}

/** peek_offset returns how many bytes a call with MSG_PEEK skips (SO_PEEK_OFF). peek_forward and
 * peek_back move that offset, if there is one, by what was peeked at, or read. */
static inline uint32_t peek_offset(const struct chan_sock *s, int flags)
{
	const uint32_t off = at_load(&s->peek_off) - 1;

	return (flags & MSG_PEEK) && off <= INT32_MAX ? off : 0;
}

static inline void peek_forward(struct chan_sock *s, size_t n)
{
	const uint32_t off = at_load(&s->peek_off) - 1;

	if (off <= INT32_MAX)
		at_store(&s->peek_off, off + (uint32_t)n + 1);
}

static inline void peek_back(struct chan_sock *s, size_t n)
{
	const uint32_t off = at_load(&s->peek_off) - 1;

	if (off <= INT32_MAX)
		at_store(&s->peek_off, off > n ? off - (uint32_t)n + 1 : 1);
}

/** What a reader needs to know about an urgent byte (oob.c), skip bytes after the next one to
 * read. */
struct oob_view {
	bool at_mark; /* the urgent byte comes next */
	uint32_t
	    hole;    /* bytes to pass over first, including the urgent byte if it is out of band */
	size_t most; /* bytes that may be read before the next oob_look */
};

struct oob_view oob_look(const struct chan_sock *s, uint32_t skip);

/** oob_bytes returns how many of the given number of bytes in the fifo come before one that reads
 * pass over. */
uint64_t oob_bytes(const struct chan_sock *s, uint64_t bytes);

/** oob_passed forgets the urgent byte if the reader is past it. */
void oob_passed(struct chan_sock *s);

/** oob_is_told says whether the urgent byte makes EPOLLPRI ready. */
bool oob_is_told(const struct chan_sock *s);

/** oob_take is recv() with MSG_OOB. Returns 1, 0 at the end of the stream or if the buffer is
 * empty, or -errno. */
ssize_t oob_take(struct chan_sock *s, const struct iovec *v, size_t n, int flags);

#define WAIT_READ  (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)
#define WAIT_WRITE (EPOLLOUT | EPOLLERR | EPOLLHUP)

/** sock_wait sleeps until one of the events, or until a deadline (ns of now_ns; UINT64_MAX: none).
 * Returns 0, -EAGAIN (the deadline), -EINTR or -ENETDOWN. */
int sock_wait(uint32_t sock, uint32_t events, uint64_t deadline_ns);

/** sock_wait_connected sleeps until a connection attempt is over; like sock_wait. */
int sock_wait_connected(uint32_t sock, uint64_t deadline_ns);

/** sock_wait_change sleeps until a socket's seq differs from seen; like sock_wait. */
int sock_wait_change(uint32_t sock, uint32_t seen, uint64_t deadline_ns);

uint64_t now_ns(void);

/** span_ns converts a time-out, which must not be negative, to ns; UINT64_MAX: centuries, as good
 * as none. */
uint64_t span_ns(const struct timespec *ts);

/** deadline_in returns the deadline ns from now; 0 ns means none, as with SO_RCVTIMEO. */
uint64_t deadline_in(uint64_t ns);

/** time_left returns the ns until a deadline: 0 if it has passed, UINT64_MAX if there is none. */
uint64_t time_left(uint64_t deadline_ns);

/** client_is_down says whether the host is gone. */
static inline bool client_is_down(void)
{
	return at_load(&client.chan->head->down) != 0 || at_load(&client.dead);
}

#define NAP_NS \
	UINT64_C(200000000) /* between two checks of the connection while no thread watches it */

/** client_check asks the kernel whether the host is still there, and wakes all sleepers if not. */
void client_check(void);

/** client_sleep sleeps on a word of the channel while it equals seen; it may return 0 early, and
 * does so within 200 ms when the host goes. Returns 0, -EINTR or -ETIMEDOUT. For a call on sock
 * that holds nothing but its file, it is a cancellation point; with CHAN_NONE it is not. */
int client_sleep(uint32_t sock, uint32_t *word, uint32_t seen, uint64_t deadline_ns);

/** Between cancel_begin and cancel_end, which surround one system call that sleeps, the thread can
 * be cancelled, as in a blocking call of the C library; handlers (pthread_cleanup_push) release
 * what it holds. */
static inline int cancel_begin(void)
{
	int type;

	(void)pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	return type;
}

static inline void cancel_end(int type)
{
	(void)pthread_setcanceltype(type, &type);
}

/** client_sandboxed is called before the process gives up the right to make system calls. From then
 * on the library creates no threads, and for the sockets and sets that exist it makes no system
 * calls but read, write, poll or epoll_wait, futex and close. A thread that sleeps without a
 * time-out is then woken by every signal (EINTR). */
void client_sandboxed(void);

/** client_sigpipe raises SIGPIPE, in a sandbox by a write(). */
void client_sigpipe(void);

/** client_drive runs one turn of the stack if the threads of the process drive it. Returns whether
 * they do. */
bool client_drive(void);

/** client_drive_and_sleep runs a turn, and sleeps if there was nothing to do. Returns false at once
 * if another thread is driving: that one wakes sleepers as an lcore wakes its clients. */
bool client_drive_and_sleep(uint64_t deadline_ns);

/** client_drive_or_sleep does the same, but sleeps briefly while another thread is driving. */
void client_drive_or_sleep(uint64_t deadline_ns);

/** CLIENT_PATIENCE_NS limits the sleep of a thread that might not be woken: without an event queue,
 * or while another thread drives. client_soon returns the end of such a sleep, the deadline at the
 * latest. */
#define CLIENT_PATIENCE_NS UINT64_C(1000000)
uint64_t client_soon(uint64_t deadline_ns);

/* ---- signals of a thread that drives (held.c) -------------------------------------------------- */

struct held {
	bool on;
	sigset_t before; /* what the thread had blocked */
	sigset_t open;   /* what is blocked while signals are let through */
};

/** held_begin holds signals back, unless it has done so already; mask: the signals that stay
 * blocked in this call, as in ppoll(), or NULL: those blocked now. held_end undoes it. */
void held_begin(struct held *h, const sigset_t *mask);
void held_end(struct held *h);

/** held_look lets pending signals through. Returns -EINTR if they end the wait, which only those
 * without SA_RESTART do unless always is set; else 0. No lock may be held. */
int held_look(struct held *h, bool always);

/** client_end closes all sockets of a process that drives and is about to exit, and has the stack
 * send what that takes. */
void client_end(void);

/* ---- signals of O_ASYNC (async.c) -------------------------------------------------------------- */

/** async_set sets or clears O_ASYNC. Returns 0 or a negative errno. */
int async_set(struct file *f, int fd, bool on);

/** async_set_owner and async_owner are F_SETOWN and F_GETOWN; async_fcntl is both of these,
 * F_SETSIG, F_GETSIG, F_SETOWN_EX and F_GETOWN_EX. They return a value or a negative errno. */
int async_set_owner(struct file *f, long owner);
int async_owner(const struct file *f);
int async_fcntl(struct file *f, int command, long arg);

/** async_forget is called when the last descriptor of a file is closed, async_moved when its socket
 * is replaced by another. */
void async_forget(struct file *f);
void async_moved(struct file *f, uint32_t from, uint32_t to);

/** async_forked forgets the thread and its queue, which belong to the parent, or to an attachment
 * that has ended. */
void async_forked(void);

/* ---- bytes (stream.c, dgram.c) ---------------------------------------------------------------- */

ssize_t stream_recv(uint32_t sock, const struct iovec *v, size_t n, int flags);
ssize_t stream_send(uint32_t sock, const struct iovec *v, size_t n, int flags);
ssize_t dgram_recv(uint32_t sock, struct msghdr *m, size_t control_room, int flags);
ssize_t dgram_send(uint32_t sock, const struct msghdr *m, int flags);

/** dgram_autobind gives a datagram socket a port, so that all lcores can receive for it. 0 or
 * -errno. */
int dgram_autobind(uint32_t sock);

/** must_not_wait says whether a call with these flags must not sleep. */
static inline bool must_not_wait(const struct chan_sock *s, int flags)
{
	return (flags & MSG_DONTWAIT) || at_peek(&s->nonblock);
}

/** sock_spread makes the parts of a bound socket on the other lcores. Returns 0 or -errno. */
int sock_spread(uint32_t sock, int backlog);

/** sock_option returns the n'th of the stack's options that were set on a socket, or NULL: there
 * are no more. */
const struct chan_option *sock_option(uint32_t sock, uint32_t n);

/** sock_option_value returns the value that such an option was set to, which may be in *room. */
const void *sock_option_value(const struct chan_option *o, struct group_source_req *room,
                              socklen_t *len);

/** sock_is_used says whether a stream listens or has a peer, or whether a datagram has been sent or
 * received. */
bool sock_is_used(uint32_t sock);

/** sock_is_shared says whether another process has the socket too, through a fork or a message. */
bool sock_is_shared(const struct chan_sock *s);

/** sock_gather closes the parts of a former listener. */
void sock_gather(uint32_t sock);

/** sock_choose_lcore moves an unbound stream that is about to connect to the next lcore in turn. */
void sock_choose_lcore(struct file *f);

struct tcp_md5sig;

/** sock_key reads key n of a stream (TCP_MD5SIG). Returns 0, -ENOENT (no such key), or another
 * negative errno. */
int64_t sock_key(uint32_t sock, int32_t n, struct tcp_md5sig *key);

struct tcp_ao_add;
struct tcp_ao_getsockopt;
struct tcp_ao_info_opt;

/** sock_ao_key is pc_get_ao_key, but returns a negative errno instead of -1. */
int64_t sock_ao_key(uint32_t sock, const struct tcp_ao_getsockopt *question, int32_t n,
                    struct tcp_ao_getsockopt *key);

/** sock_nth_ao_key reads key n of a stream (TCP_AO_ADD_KEY) in the form that adds it to another
 * socket. Returns whether there is one. sock_ao_info reads TCP_AO_INFO. Returns whether there is
 * any. */
bool sock_nth_ao_key(uint32_t sock, int32_t n, struct tcp_ao_add *key);
bool sock_ao_info(uint32_t sock, struct tcp_ao_info_opt *info);

/** sock_copy_keys copies the keys of one stream to another. Returns 0 or a negative errno. */
int64_t sock_copy_keys(uint32_t from, uint32_t to);

/** sock_get_ao_keys is getsockopt() with TCP_AO_GET_KEYS. Returns 0 or a negative errno. */
int64_t sock_get_ao_keys(uint32_t sock, void *value, socklen_t *len);

/** file_move replaces a file's socket, unless another process has it. Returns whether it did. */
bool file_move(struct file *f, uint32_t to);

/** connect_stream is connect() of a stream with a readable address; fast: where possible the SYN
 * waits for bytes to carry (RFC 7413), and the call returns 0. Returns 0 or a negative errno. */
int64_t connect_stream(struct file *f, const struct sockaddr *addr, socklen_t len, bool fast);

/** take_error returns and clears SO_ERROR, as a negative errno or 0. */
static inline int take_error(uint32_t sock)
{
	struct chan_sock *s = chan_sock(client.chan, sock);

	return at_load_sc(&s->error) == 0 ? 0 : -at_swap(&s->error, 0);
}

/** iov_total returns the number of bytes in a vector. */
static inline size_t iov_total(const struct iovec *v, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += v[i].iov_len;
	return total;
}

/** fail sets errno from a negative value and returns -1; other values it returns unchanged. */
static inline int64_t fail(int64_t rc)
{
	if (rc >= 0)
		return rc;
	errno = (int)-rc;
	return -1;
}

/* ---- event queues (queue.c) and sets (epoll.c) ------------------------------------------------ */

/** An event queue of this process. */
struct queue {
	uint32_t index; /* CHAN_NONE: none was free; waiters have to poll */
	int fd;         /* its pipe, open for reading and writing; -1: none */
};

/** control_ask sends the host a request (chan/control.h). Returns the value of the answer, with its
 * descriptor in *fd, or a negative errno; fd NULL: the request has no answer. */
int64_t control_ask(uint32_t op, uint32_t arg, int *fd);

/** queue_open gets a queue from the host; queue_close returns it. */
void queue_open(struct queue *q);
void queue_close(struct queue *q);

/** queue_pop takes the next socket with an event. Returns false if there is none. */
bool queue_pop(const struct queue *q, uint32_t *sock);

/** queue_arm asks for a write to the pipe on the next event (CHAN_ARMED) or on every one
 * (CHAN_ALWAYS); queue_disarm undoes the former, queue_clear drains the pipe, queue_signal writes
 * to it. */
void queue_signal(const struct queue *q);
void queue_arm(const struct queue *q, uint32_t how);
void queue_disarm(const struct queue *q);
void queue_clear(const struct queue *q);

/** queue_watch and queue_unwatch subscribe a queue to a socket's events and undo that; alone: the
 * queue is skipped if another such queue was woken. */
void queue_watch(const struct queue *q, uint32_t sock, bool alone);
void queue_unwatch(const struct queue *q, uint32_t sock);

/** queues_wake wakes all threads of this process that sleep in epoll or poll: the host is gone. */
void queues_wake(void);

/** attach_handover returns what the previous image of this process has handed on, or NULL. An image
 * that cannot use it, such as a statically linked program, passes it to its children, whose slot it
 * is not: it is removed. */
const char *attach_handover(void);

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

/** poll_queues_forked forgets the event queues of poll(), which belong to the parent;
 * poll_queues_wake wakes their sleepers; poll_queue_reserve obtains one for the next poll(). */
void poll_queues_forked(void);
void poll_queues_wake(void);
void poll_queue_reserve(void);

/** epoll_forget removes a file from all sets: its last descriptor has been closed. */
void epoll_forget(struct file *f);

/** epset_free frees a set that has no references left. */
void epset_free(struct epset *set);

/** epset_ready says whether a set has something to report; the set's kernel descriptor becomes
 * readable on later events. */
bool epset_ready(struct epset *set);

#endif
