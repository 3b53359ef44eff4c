/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_CLIENT_H
#define POSIX_CLIENT_H

/*
 * The client of a channel: what a process knows about its sockets.
 *
 * Overview: a descriptor number leads to a struct file (an open file description), and a file to a
 * socket of the channel or to an epoll set.  The number itself is a duplicate of one placeholder
 * socket, so the kernel gives it to nobody else, and close-on-exec is left to the kernel.  What
 * belongs to a description and must be visible in a forked process too (O_NONBLOCK, time-outs) is
 * in the channel.
 *
 * Ownership: files are never returned to the system, so a pointer to one may be read at any time;
 * file_get takes a reference.  A file lives while a descriptor or a call refers to it; with the
 * last reference the process releases the socket.
 *
 * Locks, in the order in which they may be taken: client.sets, a set's own, client.files;
 * client.control alone.
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
	int32_t owner;        /* 0: nobody */
	enum __pid_type type; /* F_OWNER_* */
	int end, other;       /* a pair of sockets of the kernel's; -1: there is none yet */
	struct file *next;    /* of those that have it */
	uint32_t seen_in, seen_out, seen_state;
};

#define ASYNC_OFF ((struct async){.on = false, .end = -1, .other = -1})

struct file {
	uint32_t refs; /* calls and descriptors; atomic */
	uint32_t fds;  /* descriptors; under client.files */
	uint32_t kind; /* enum pcx_kind */
	uint32_t sock; /* PCX_SOCKET: the primary */
	uint32_t kept; /* flags of F_SETFL that do nothing to a socket; atomic */
	struct epset *set;
	struct item *items; /* in which sets; under client.sets */
	struct file *next;  /* free list */
	struct async async;
};

/* Descriptors of our own stay out of the way of the program's: they get numbers from here on. */
#define FD_HIDDEN       512
#define FD_HIDDEN_WORDS 64

struct client {
	struct chan *chan; /* NULL: not attached; atomic */
	struct chan view;
	uint32_t proc;
	int control;         /* the connection */
	int placeholder;     /* what descriptors are duplicates of */
	bool dead;           /* the host has gone; atomic */
	bool watching;       /* the thread that sees it go is there; atomic */
	bool sandboxed;      /* threads can no longer be made; atomic */
	bool ended;          /* client_end has been here; under drive */
	uint32_t generation; /* counts attachments */
	uint32_t max_fds;
	uint32_t
	    end_fds; /* one more than the highest descriptor that was ours so far; under files */
	uint32_t next_lcore; /* of the next connection; atomic */
	uint64_t spin_ns;    /* how long a thread looks before it sleeps */
	struct file **fds;   /* atomic */
	struct file *free;   /* under files */
	pthread_mutex_t files, sets, control_lock, drive;
	const struct pcx_driver *driver;
	uint64_t hidden[FD_HIDDEN_WORDS]; /* descriptors of our own, from FD_HIDDEN on; atomic */
};

extern struct client client;

/* ---- sections (fork.c) ------------------------------------------------------------------------ */

enum section { SECTION_SETS = 1, SECTION_FILES = 2 };

/** section_begin and section_end take client.sets or client.files and give it back. A signal may come between the two, and
 * its handler may fork, as POSIX allows: such a fork finds its own thread in the section and does not wait for it. */
void section_begin(enum section s);
void section_end(enum section s);

/* ---- descriptors (fd.c) ----------------------------------------------------------------------- */

/** file_get returns the file of a descriptor with a reference, or NULL: it is the kernel's. */
struct file *file_get(int fd);

/** file_socket is file_get for sockets: NULL for a set, too. */
struct file *file_socket(int fd);

/** file_put gives the reference back. */
void file_put(struct file *f);

/** file_new makes a file without descriptors; the caller has a reference. NULL: no memory. */
struct file *file_new(enum pcx_kind kind);

/** fd_reserve takes a descriptor number from the kernel, min or more. Returns it or a negative errno. */
int fd_reserve(bool cloexec, int min);

/** fd_install makes a reserved number a descriptor of the file. */
void fd_install(int fd, struct file *f);

/** fd_remove takes a descriptor out of the table; the kernel's number stays reserved. Returns its file, whose
 * reference is the caller's, or NULL. */
struct file *fd_remove(int fd);

/** fd_hide moves a descriptor of our own to a high number, if there is one, and remembers it; fd_is_hidden says
 * whether a number is such a one, fd_close_hidden closes it. */
int fd_hide(int fd);
bool fd_is_hidden(int fd);
void fd_close_hidden(int fd);

/** hold_socket and release_socket set and clear this process's hold on a socket and its parts. */
void hold_socket(uint32_t sock, uint32_t proc);
void release_socket(uint32_t sock);

/* ---- what a caller points at (user.c) --------------------------------------------------------- */

#define USER_LOWEST 4096 /* nothing is mapped below (vm.mmap_min_addr) */

/** user_is_range says whether n bytes at p are not the kernel's: what it looks at first, in every call. */
static inline bool user_is_range(const void *p, size_t n)
{
	const uintptr_t at = (uintptr_t)p;

	return (intptr_t)at >= 0 && n <= (size_t)INTPTR_MAX - at;
}

/** user_may_be says whether n bytes at p, one at least, may be a program's. */
static inline bool user_may_be(const void *p, size_t n)
{
	return (uintptr_t)p >= USER_LOWEST && user_is_range(p, n);
}

/** user_in and user_out say whether n bytes can be read and written: 0 or -EFAULT. They may make system calls. */
int user_in(const void *p, size_t n);
int user_out(void *p, size_t n);

/** user_name_in judges an address that a caller hands over: 0, -EINVAL or -EFAULT. */
int user_name_in(const struct sockaddr *addr, socklen_t len);

/** user_name_out gives a caller an address of n bytes, as much as there is room for. 0, -EINVAL or -EFAULT. */
int user_name_out(const void *name, uint32_t n, struct sockaddr *addr, socklen_t *len);

/** user_deadline sets the time when a time-out is over that begins now. 0 or -EINVAL. */
int user_deadline(const struct timespec *timeout, uint64_t *deadline_ns);

/** user_vector judges a vector as the kernel does before it looks at anything else: 0, -EINVAL or -EFAULT. */
int user_vector(const struct iovec *v, size_t n);

/** user_has_bytes says whether the most bytes behind the skip'th of a vector, as far as there are any, may be a program's. */
bool user_has_bytes(const struct iovec *v, size_t n, size_t skip, size_t most);

/* ---- sockets in messages (carry.c) ------------------------------------------------------------ */

/** carry_any says whether a message has sockets of ours among its descriptors (SCM_RIGHTS); carry_send sends such a one
 * as sendmsg() does, on a socket of the kernel's. */
bool carry_any(const struct msghdr *m);
ssize_t carry_send(int fd, const struct msghdr *m, int flags);

/** carry_any_of and carry_send_some are these for sendmmsg(). */
bool carry_any_of(const struct mmsghdr *m, unsigned n);
int carry_send_some(int fd, struct mmsghdr *m, unsigned n, int flags);

/** carry_came says whether descriptors that were received may stand for sockets of ours; carry_take makes those that
 * do what they stand for, under their numbers. */
bool carry_came(struct msghdr *m);
void carry_take(struct msghdr *m);

/* ---- calls (call.c) --------------------------------------------------------------------------- */

/** What goes with a call, and comes back. */
struct call {
	enum chan_op op;
	uint32_t sock;
	int32_t a, b, c;
	const void *in;
	uint32_t in_len;
	void *out;        /* gets at most out_len bytes */
	uint32_t out_len; /* then how many there were */
	bool secret;      /* what goes and comes is erased from the shared memory at the end */
};

/** option_is_key says whether an option's value has a key in it. */
bool option_is_key(int level, int name);

/** call_lcore makes a call to an lcore and waits for it. Returns the result, or a negative errno. */
int64_t call_lcore(uint32_t lcore, struct call *call);

/** call_sock makes a call about a socket, to its lcore. */
int64_t call_sock(uint32_t sock, enum chan_op op, int32_t a, int32_t b, const void *in,
                  uint32_t in_len);

/* ---- waiting (ready.c, wait.c) ---------------------------------------------------------------- */

/** sock_ready returns what is ready on a socket as EPOLL* bits. With want_out it also asks to be told
 * of room to write when there is none. */
uint32_t sock_ready(uint32_t sock, bool want_out);

/** sock_readable returns how many bytes (of a datagram socket: whether there is a datagram) a part has. */
uint64_t part_bytes(uint32_t part);

/* What a stream's reader is told beside its bytes (told.c): whether an option is about that, setting and getting
 * it; what is left to be read (TCP_INQ); that a call with MSG_ZEROCOPY has been made, whether one waits to be told,
 * and MSG_ERRQUEUE. room: of m->msg_control. */
bool told_is_option(const struct chan_sock *s, int level, int name);
int told_set(struct chan_sock *s, int level, int name, const void *value, socklen_t len);
int told_get(const struct chan_sock *s, int level, int name);
void told_left(uint32_t sock, struct msghdr *m, size_t room);
void told_copied(uint32_t sock);
bool told_waits(const struct chan_sock *s);
ssize_t told_errors(uint32_t sock, struct msghdr *m, size_t room);

/** sock_parts returns the parts of a socket: how many, and which. */
static inline uint32_t sock_parts(const struct chan_sock *s)
{
	uint32_t n = at_load(&s->nb_parts);

	return n < CHAN_MAX_LCORES ? n : CHAN_MAX_LCORES;
}

/** peek_offset returns how many bytes a call with MSG_PEEK leaves out (SO_PEEK_OFF). peek_forward and peek_back move that
 * by what was peeked at, or taken. */
static inline uint32_t peek_offset(const struct chan_sock *s, int flags)
{
	const uint32_t off = at_load(&s->peek_off);

	return (flags & MSG_PEEK) && off > 0 ? off - 1 : 0;
}

static inline void peek_forward(struct chan_sock *s, size_t n)
{
	const uint32_t off = at_load(&s->peek_off);

	if (off > 0)
		at_store(&s->peek_off, off + (uint32_t)n);
}

static inline void peek_back(struct chan_sock *s, size_t n)
{
	const uint32_t off = at_load(&s->peek_off);

	if (off > 0)
		at_store(&s->peek_off, off - 1 > n ? off - (uint32_t)n : 1);
}

/** What a reader has to know of an urgent byte (oob.c), skip bytes after what is read next. */
struct oob_view {
	bool at_mark; /* the urgent byte is next */
	uint32_t
	    hole; /* bytes that are passed over first, this one among them if it is out of band */
	size_t most; /* bytes that may be read before one has to look again */
};

struct oob_view oob_look(const struct chan_sock *s, uint32_t skip);

/** oob_bytes returns how many of so many bytes in the fifo stand before one that reads pass over. */
uint64_t oob_bytes(const struct chan_sock *s, uint64_t bytes);

/** oob_passed forgets the byte if the reader is past it. */
void oob_passed(struct chan_sock *s);

/** oob_is_told says whether EPOLLPRI is to tell of it. */
bool oob_is_told(const struct chan_sock *s);

/** oob_take is recv with MSG_OOB: 1, 0 at the end of the stream or without room, or -errno. */
ssize_t oob_take(struct chan_sock *s, const struct iovec *v, size_t n, int flags);

#define WAIT_READ  (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)
#define WAIT_WRITE (EPOLLOUT | EPOLLERR | EPOLLHUP)

/** sock_wait sleeps until one of the events, or a deadline (ns of now_ns; UINT64_MAX: none). Returns 0, or
 * -EAGAIN (the deadline), -EINTR, -ENETDOWN. */
int sock_wait(uint32_t sock, uint32_t events, uint64_t deadline_ns);

/** sock_wait_connected sleeps until a connection attempt is over; like sock_wait. */
int sock_wait_connected(uint32_t sock, uint64_t deadline_ns);

/** sock_wait_change sleeps until a socket's seq is not seen any more; like sock_wait. */
int sock_wait_change(uint32_t sock, uint32_t seen, uint64_t deadline_ns);

uint64_t now_ns(void);

/** span_ns returns a time-out, which is not negative, in ns; UINT64_MAX: it is centuries, and as good as none. */
uint64_t span_ns(const struct timespec *ts);

/** deadline_in returns when so many ns are over; 0 ns: never, as with SO_RCVTIMEO. */
uint64_t deadline_in(uint64_t ns);

/** time_left returns how many ns there are until a deadline: 0 when it has passed, UINT64_MAX: there is none. */
uint64_t time_left(uint64_t deadline_ns);

/** client_is_down says whether the host is gone. */
static inline bool client_is_down(void)
{
	return at_load(&client.chan->head->down) != 0 || at_load(&client.dead);
}

#define NAP_NS \
	UINT64_C(200000000) /* between two looks at the connection, where nobody sleeps on it */

/** client_check asks the kernel whether the host is there, and wakes all who sleep if it is not. */
void client_check(void);

/** client_sleep sleeps on a word of the channel while it has the value seen; it may return 0 early. When the host
 * goes it returns within 200 ms. Returns 0, -EINTR or -ETIMEDOUT. A call on sock that sleeps here is a cancellation
 * point, if all that it holds is its file; CHAN_NONE: it is none. */
int client_sleep(uint32_t sock, uint32_t *word, uint32_t seen, uint64_t deadline_ns);

/** Between cancel_begin and cancel_end, which surround one system call that sleeps, the thread can be cancelled, as in one
 * of the C library; what it holds is given back by handlers (pthread_cleanup_push). */
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

/** client_sandboxed is told before the process gives up making system calls: from here on the library makes no
 * thread, and for the sockets and sets that are there no calls but read, write, poll or epoll_wait, futex and close. Whoever then sleeps in a call without a time-out
 * is woken by every signal (EINTR). */
void client_sandboxed(void);

/** client_drive does a turn of the stack, if the calling thread is to. Returns whether it is. */
bool client_drive(void);

/** client_drive_and_sleep does a turn, and sleeps when there was nothing to do. Returns false at once when another
 * thread is at it: that one wakes whoever sleeps as a client of lcores does. */
bool client_drive_and_sleep(uint64_t deadline_ns);

/** client_drive_or_sleep does so, or sleeps a moment while another thread is at it. */
void client_drive_or_sleep(uint64_t deadline_ns);

/** CLIENT_PATIENCE_NS is how long a thread sleeps that nobody may wake: without an event queue, or while another thread
 * drives. client_soon returns the end of such a sleep, the deadline at the latest. */
#define CLIENT_PATIENCE_NS UINT64_C(1000000)
uint64_t client_soon(uint64_t deadline_ns);

/* ---- signals of a thread that drives (held.c) -------------------------------------------------- */

struct held {
	bool on;
	sigset_t before; /* what the thread had blocked */
	sigset_t open;   /* what is blocked while signals are let through */
};

/** held_begin holds signals back, if that is not done yet; mask: those that stay blocked in this call, as of ppoll(), or
 * NULL: those that are. held_end undoes it. */
void held_begin(struct held *h, const sigset_t *mask);
void held_end(struct held *h);

/** held_look lets signals through that have come. Returns -EINTR when they end the wait: those without SA_RESTART, or
 * always all; else 0. No lock may be held. */
int held_look(struct held *h, bool always);

/** client_end closes all sockets of a process that drives and is about to end, and has what was closed sent. */
void client_end(void);

/* ---- signals of O_ASYNC (async.c) -------------------------------------------------------------- */

/** async_set sets or clears O_ASYNC. Returns 0 or a negative errno. */
int async_set(struct file *f, int fd, bool on);

/** async_set_owner and async_owner are F_SETOWN and F_GETOWN; async_fcntl is these, F_SETSIG, F_GETSIG, F_SETOWN_EX and
 * F_GETOWN_EX. Return a value or a negative errno. */
int async_set_owner(struct file *f, long owner);
int async_owner(const struct file *f);
int async_fcntl(struct file *f, int command, long arg);

/** async_forget is told that the last descriptor of a file is closed, async_moved that its socket is another one. */
void async_forget(struct file *f);
void async_moved(struct file *f, uint32_t from, uint32_t to);

/** async_forked forgets the thread and its queue, which are the parent's, or those of an attachment that is over. */
void async_forked(void);

/* ---- bytes (stream.c, dgram.c) ---------------------------------------------------------------- */

ssize_t stream_recv(uint32_t sock, const struct iovec *v, size_t n, int flags);
ssize_t stream_send(uint32_t sock, const struct iovec *v, size_t n, int flags);
ssize_t dgram_recv(uint32_t sock, struct msghdr *m, size_t control_room, int flags);
ssize_t dgram_send(uint32_t sock, const struct msghdr *m, int flags);

/** dgram_bind gives a datagram socket a port, so that all lcores may receive for it. 0 or -errno. */
int dgram_autobind(uint32_t sock);

/** must_not_wait says whether a call with these flags is not to sleep. */
static inline bool must_not_wait(const struct chan_sock *s, int flags)
{
	return (flags & MSG_DONTWAIT) || at_peek(&s->nonblock);
}

/** sock_spread makes the parts of a bound socket on the other lcores. Returns 0 or a negative errno. */
int sock_spread(uint32_t sock, int backlog);

/** sock_option returns the n'th of the options that were set on a socket and are the stack's, or NULL: there are no more. */
const struct chan_option *sock_option(uint32_t sock, uint32_t n);

/** sock_is_used says whether a stream listens or has a peer, or whether a datagram has come or gone. */
bool sock_is_used(uint32_t sock);

/** sock_is_shared says whether another process has a socket, too: by a fork, or in a message. */
bool sock_is_shared(const struct chan_sock *s);

/** sock_gather closes the parts of what has been a listener. */
void sock_gather(uint32_t sock);

/** sock_choose_lcore gives an unbound stream that is going to connect the next lcore in turn. */
void sock_choose_lcore(struct file *f);

struct tcp_md5sig;

/** sock_key reads key n of a stream (TCP_MD5SIG). Returns 0, -ENOENT (it has no more), or another negative errno. */
int64_t sock_key(uint32_t sock, int32_t n, struct tcp_md5sig *key);

struct tcp_ao_add;
struct tcp_ao_getsockopt;
struct tcp_ao_info_opt;

/** sock_ao_key is pc_get_ao_key, with a negative errno instead of -1. */
int64_t sock_ao_key(uint32_t sock, const struct tcp_ao_getsockopt *question, int32_t n,
                    struct tcp_ao_getsockopt *key);

/** sock_nth_ao_key reads key n of a stream (TCP_AO_ADD_KEY) in a form that gives it to another socket. Returns whether it has so
 * many. sock_ao_info reads TCP_AO_INFO. Returns whether there is any. */
bool sock_nth_ao_key(uint32_t sock, int32_t n, struct tcp_ao_add *key);
bool sock_ao_info(uint32_t sock, struct tcp_ao_info_opt *info);

/** sock_copy_keys gives a stream the keys of another. Returns 0 or a negative errno. */
int64_t sock_copy_keys(uint32_t from, uint32_t to);

/** sock_get_ao_keys is getsockopt() with TCP_AO_GET_KEYS. Returns 0 or a negative errno. */
int64_t sock_get_ao_keys(uint32_t sock, void *value, socklen_t *len);

/** epoll_moved tells the sets of a file that its socket is another one now. */
void epoll_moved(struct file *f, uint32_t from, uint32_t to);

/** connect_stream is connect() of a stream with an address that can be read; fast: its SYN waits for bytes to carry
 * (RFC 7413), and it returns 0, where that is possible. Returns 0 or a negative errno. */
int64_t connect_stream(struct file *f, const struct sockaddr *addr, socklen_t len, bool fast);

/** take_error returns and clears SO_ERROR, as a negative errno or 0. */
static inline int take_error(uint32_t sock)
{
	struct chan_sock *s = chan_sock(client.chan, sock);

	return at_load_sc(&s->error) == 0 ? 0 : -at_swap(&s->error, 0);
}

/** iov_total returns the bytes of a vector. */
static inline size_t iov_total(const struct iovec *v, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += v[i].iov_len;
	return total;
}

/** fail sets errno from a negative errno and returns -1; other values pass. */
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
	uint32_t index; /* CHAN_NONE: none was left; whoever waits has to look now and then */
	int fd;         /* its pipe, an open file that reads and writes; -1 */
};

/** control_ask asks the host (chan/control.h). Returns the value of the answer, with its descriptor in *fd, or a
 * negative errno; fd NULL: there is no answer. */
int64_t control_ask(uint32_t op, uint32_t arg, int *fd);

/** queue_open gets one from the host; queue_close gives it back. */
void queue_open(struct queue *q);
void queue_close(struct queue *q);

/** queue_pop takes the next socket that something has happened to. Returns false when there is none. */
bool queue_pop(const struct queue *q, uint32_t *sock);

/** queue_arm asks for a write into the pipe by the next event (CHAN_ARMED) or by every one
 * (CHAN_ALWAYS); queue_disarm undoes the former, queue_clear empties the pipe, queue_signal writes into it. */
void queue_signal(const struct queue *q);
void queue_arm(const struct queue *q, uint32_t how);
void queue_disarm(const struct queue *q);
void queue_clear(const struct queue *q);

/** queue_watch and queue_unwatch say that a queue wants to hear of a socket; alone: unless another such one was woken. */
void queue_watch(const struct queue *q, uint32_t sock, bool alone);
void queue_unwatch(const struct queue *q, uint32_t sock);

/** queues_wake wakes all that sleep in an epoll set or a poll of this process: the host has gone. */
void queues_wake(void);

/** client_init makes the locks, of a new process or a forked one. */
void client_init_locks(void);

/** fork_install takes care of forks from now on. */
void fork_install(void);

/** What is done around a fork that does not come through the C library: fork_prepare before it, then one of the
 * two others. */
void fork_prepare(void);
void fork_in_parent(void);
void fork_in_child(void);

/** fork_done does so by what a fork has returned. errno stays. */
static inline void fork_done(long rc)
{
	const int error = errno;

	if (rc == 0)
		fork_in_child();
	else
		fork_in_parent();
	errno = error;
}

/** poll_queues_forked forgets the event queues of poll(), which are the parent's; poll_queues_wake wakes them;
 * poll_queue_reserve has one there for the next poll(). */
void poll_queues_forked(void);
void poll_queues_wake(void);
void poll_queue_reserve(void);

/** epoll_forget takes a file out of all sets: its last descriptor is closed. */
void epoll_forget(struct file *f);

/** epset_free frees a set whose last reference is gone. */
void epset_free(struct epset *set);

/** epset_ready says whether a set has something to report; it asks to be woken by its kernel descriptor. */
bool epset_ready(struct epset *set);

#endif
