/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Access log
 *
 * Life-cycle: open (main, before EAL), attach (each lcore at its start), get and put (lcores),
 * close (main, when the lcores have ended).  The thread runs from open to close.
 *
 * Ownership: a record is in exactly one of a ring's two rte_rings, free and full, or belongs to the
 * side that dequeued it.  Rings are single-producer, single-consumer and live in plain memory, so
 * they do not need EAL.
 */

#include "access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <percore/run.h>

#include <rte_ring.h>

#define RINGS_MAX 256
#define OUT_BYTES 65536
#define BURST     64
#define ROUNDS    64 /* through all rings, before the thread checks anything else */
#define IDLE_NS   10000000
#define LOOK_MS   100 /* whether to end, while nobody reads */

#define OPEN_FLAGS (O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY)

struct access_ring {
	struct rte_ring *free, *full;
	struct access_record *records;
	atomic_uint_fast64_t lost;
};

struct access_log {
	pthread_t thread;
	pthread_mutex_t lock; /* of attaching */
	atomic_uint nb_rings;
	struct access_ring *rings[RINGS_MAX];
	atomic_bool stop;
	uint64_t lost; /* because a write failed */
	int fd;
	char *path;
	bool torn;       /* the file ends in the middle of a line: the disk was full */
	bool is_file;    /* no pipe or terminal, whose reader may stop reading */
	bool gave_up;    /* at the end: nobody reads */
	time_t looked_s; /* when the file's name was last checked */
	size_t out_len;
	char out[OUT_BYTES];
};

static size_t lines_of(const char *p, size_t len)
{
	size_t n = 0;

	for (const char *end = p + len; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL;
	     p++)
		n++;
	return n;
}

/* Waits until a write will not block. Returns false if the log ends, and nobody reads. */
static bool may_write(struct access_log *log)
{
	struct pollfd out = {.fd = log->fd, .events = POLLOUT};

	while (!log->is_file && !log->gave_up && poll(&out, 1, LOOK_MS) <= 0)
		log->gave_up = atomic_load_explicit(&log->stop, memory_order_acquire);
	return !log->gave_up;
}

/* Returns how many bytes were written. */
static size_t write_all(struct access_log *log, const char *p, size_t len)
{
	size_t done = 0;

	while (done < len && may_write(log)) {
		/* a pipe that takes anything takes this much */
		const size_t most = log->is_file ? len : PIPE_BUF;
		ssize_t n = write(log->fd, p + done, len - done < most ? len - done : most);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

/*
 * Writes the buffered lines and counts those that could not be written. Once the disk has room
 * again, a newline first ends a line of which only a part was written.
 */
static void flush(struct access_log *log)
{
	size_t done;

	if (log->out_len == 0)
		return;
	if (log->torn && write_all(log, "\n", 1) == 1)
		log->torn = false;
	done = log->torn ? 0 : write_all(log, log->out, log->out_len);
	if (done > 0)
		log->torn = log->out[done - 1] != '\n';
	log->lost += lines_of(log->out + done, log->out_len - done);
	log->out_len = 0;
}

static unsigned write_burst(struct access_log *log, struct access_ring *ring)
{
	void *records[BURST];
	unsigned n = rte_ring_sc_dequeue_burst(ring->full, records, BURST, NULL);

	for (unsigned i = 0; i < n; i++) {
		if (log->out_len + ACCESS_LINE_MAX > OUT_BYTES)
			flush(log);
		log->out_len += access_format(records[i], log->out + log->out_len);
	}
	if (n > 0)
		rte_ring_sp_enqueue_burst(ring->free, records, n, NULL);
	return n;
}

static unsigned write_round(struct access_log *log)
{
	const unsigned nb_rings = atomic_load_explicit(&log->nb_rings, memory_order_acquire);
	unsigned n = 0;

	for (unsigned i = 0; i < nb_rings; i++)
		n += write_burst(log, log->rings[i]);
	return n;
}

/* Returns whether there may be more: lcores may make records as fast as they are written. */
static bool write_some(struct access_log *log)
{
	unsigned n = 0;

	while (n < ROUNDS && write_round(log) > 0)
		n++;
	flush(log);
	return n == ROUNDS;
}

/* Opens the log without waiting: a FIFO that nobody reads is an error (ENXIO). */
static int open_log(const char *path)
{
	const int fd = open(path, OPEN_FLAGS | O_NONBLOCK, 0640);

	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, O_APPEND);
	return fd;
}

/* Opens the log at the start, where a FIFO has to wait for its reader. */
static int open_first(const char *path)
{
	const int fd = open_log(path);
	struct stat st;

	if (fd >= 0 || errno != ENXIO || stat(path, &st) != 0 || !S_ISFIFO(st.st_mode))
		return fd;
	fprintf(stderr, "percore-httpd: --access-log: waiting for a reader of the FIFO %s\n", path);
	return open(path, OPEN_FLAGS, 0640);
}

static void use_fd(struct access_log *log, int fd)
{
	struct stat st;

	log->fd = fd;
	log->is_file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Log rotation: reopens the log when path names another file now, or none. */
static void follow_name(struct access_log *log)
{
	struct stat ours, named;
	int fd;

	if (fstat(log->fd, &ours) != 0 || !S_ISREG(ours.st_mode))
		return;
	if (stat(log->path, &named) == 0 && named.st_dev == ours.st_dev &&
	    named.st_ino == ours.st_ino)
		return;
	fd = open_log(log->path);
	if (fd < 0)
		return;
	close(log->fd);
	use_fd(log, fd);
	log->torn = false;
}

/* Checks the file's name once a second. */
static void look_at_name(struct access_log *log)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec == log->looked_s)
		return;
	log->looked_s = now.tv_sec;
	follow_name(log);
}

static void *write_records(void *arg)
{
	const struct timespec idle = {0, IDLE_NS};
	struct access_log *log = arg;
	bool last, more;

	do {
		last = atomic_load_explicit(&log->stop, memory_order_acquire);
		more = write_some(log);
		look_at_name(log);
		if (!last && !more)
			nanosleep(&idle, NULL);
	} while (!last || more);
	return NULL;
}

/* The thread blocks signals: those that end the program are for the main lcore. */
static int start_thread(struct access_log *log)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	sigdelset(&all, PC_RUN_SIGNAL); /* it makes the thread drop its privileges */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&log->thread, NULL, write_records, log);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct access_log *access_log_open(const char *path, char *why, size_t why_len)
{
	struct access_log *log = calloc(1, sizeof(*log));
	int error = ENOMEM;

	if (log == NULL)
		goto fail;
	pthread_mutex_init(&log->lock, NULL);
	log->path = strdup(path);
	use_fd(log, open_first(path));
	error = log->path == NULL ? ENOMEM : log->fd < 0 ? errno : start_thread(log);
	if (error == 0)
		return log;
	if (log->fd >= 0)
		close(log->fd);
	free(log->path);
	free(log);
fail:
	snprintf(why, why_len, "--access-log: cannot write %s: %s", path, strerror(error));
	return NULL;
}

static struct rte_ring *make_ring(uint32_t n)
{
	const unsigned size = rte_align32pow2(n + 1);
	struct rte_ring *r = aligned_alloc(RTE_CACHE_LINE_SIZE, (size_t)rte_ring_get_memsize(size));

	if (r != NULL && rte_ring_init(r, "access", size, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
		free(r);
		r = NULL;
	}
	return r;
}

static void free_ring(struct access_ring *ring)
{
	free(ring->free);
	free(ring->full);
	free(ring->records);
	free(ring);
}

static bool publish(struct access_log *log, struct access_ring *ring)
{
	unsigned n;

	pthread_mutex_lock(&log->lock);
	n = atomic_load_explicit(&log->nb_rings, memory_order_relaxed);
	if (n < RINGS_MAX) {
		log->rings[n] = ring;
		atomic_store_explicit(&log->nb_rings, n + 1, memory_order_release);
	}
	pthread_mutex_unlock(&log->lock);
	return n < RINGS_MAX;
}

struct access_ring *access_log_attach(struct access_log *log, uint32_t n)
{
	struct access_ring *ring = calloc(1, sizeof(*ring));

	if (ring == NULL)
		return NULL;
	ring->free = make_ring(n);
	ring->full = make_ring(n);
	ring->records = calloc(n, sizeof(*ring->records));
	if (ring->free == NULL || ring->full == NULL || ring->records == NULL)
		goto fail;
	for (uint32_t i = 0; i < n; i++)
		rte_ring_sp_enqueue(ring->free, &ring->records[i]);
	if (publish(log, ring))
		return ring;
fail:
	free_ring(ring);
	return NULL;
}

struct access_record *access_ring_get(struct access_ring *ring)
{
	void *record;

	if (rte_ring_sc_dequeue(ring->free, &record) == 0)
		return record;
	atomic_store_explicit(&ring->lost,
	                      atomic_load_explicit(&ring->lost, memory_order_relaxed) + 1,
	                      memory_order_relaxed);
	return NULL;
}

void access_ring_put(struct access_ring *ring, struct access_record *record)
{
	rte_ring_sp_enqueue(ring->full, record);
}

uint64_t access_log_close(struct access_log *log)
{
	uint64_t lost;

	if (log == NULL)
		return 0;
	atomic_store_explicit(&log->stop, true, memory_order_release);
	pthread_join(log->thread, NULL);
	lost = log->lost;
	for (unsigned i = 0; i < log->nb_rings; i++) {
		lost += log->rings[i]->lost;
		free_ring(log->rings[i]);
	}
	close(log->fd);
	pthread_mutex_destroy(&log->lock);
	free(log->path);
	free(log);
	return lost;
}
