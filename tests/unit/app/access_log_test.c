/* SPDX-License-Identifier: BSD-2-Clause */
#include "access_log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "suite.h"
#include "tree.h"

static void put(struct access_ring *ring, int n)
{
	struct access_record *r = access_ring_get(ring);
	int len;

	if (r == NULL)
		return;
	r->time = 0;
	r->bytes = 0;
	r->status = 200;
	len = snprintf(r->text, sizeof(r->text), "GET /%d HTTP/1.1", n);
	r->line_len = (uint16_t)len;
	r->referer_len = r->agent_len = 0;
	access_ring_put(ring, r);
}

static unsigned count_lines(const char *name)
{
	FILE *f = fopen(tree_path(name), "r");
	unsigned n = 0;
	int c;

	CU_ASSERT_FATAL(f != NULL);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static void everything_is_written(void)
{
	struct access_ring *rings[3];
	struct access_log *log;
	char why[128];

	tree_make();
	log = access_log_open(tree_path("log"), why, sizeof(why));
	CU_ASSERT_FATAL(log != NULL);
	for (int i = 0; i < 3; i++) {
		rings[i] = access_log_attach(log, 1000);
		CU_ASSERT_FATAL(rings[i] != NULL);
	}
	for (int i = 0; i < 3000; i++)
		put(rings[i % 3], i);
	CU_ASSERT(access_log_close(log) == 0);
	CU_ASSERT(count_lines("log") == 3000);
	tree_remove();
}

static void too_many_are_counted(void)
{
	struct access_ring *ring;
	struct access_log *log;
	char why[128];
	uint64_t lost;

	tree_make();
	log = access_log_open(tree_path("log"), why, sizeof(why));
	CU_ASSERT_FATAL(log != NULL);
	ring = access_log_attach(log, 16);
	CU_ASSERT_FATAL(ring != NULL);
	for (int i = 0; i < 100000; i++)
		put(ring, i);
	lost = access_log_close(log);
	CU_ASSERT(lost > 0 && lost <= 100000 - 16);
	CU_ASSERT(count_lines("log") + lost == 100000);
	tree_remove();
}

static void rotation(void)
{
	struct access_ring *ring;
	struct access_log *log;
	char why[128], old[128];

	tree_make();
	log = access_log_open(tree_path("log"), why, sizeof(why));
	CU_ASSERT_FATAL(log != NULL);
	ring = access_log_attach(log, 16);
	put(ring, 1);
	usleep(100000);
	strcpy(old, tree_path("log.1"));
	CU_ASSERT(rename(tree_path("log"), old) == 0);
	for (int i = 0; i < 50 && access(tree_path("log"), F_OK) != 0; i++)
		usleep(100000);
	put(ring, 2);
	CU_ASSERT(access_log_close(log) == 0);
	CU_ASSERT(count_lines("log.1") == 1 && count_lines("log") == 1);
	tree_remove();
}

/* An lcore that makes records as fast as it can, until it is told to stop, or has made too many. */
struct busy {
	struct access_ring *ring;
	atomic_bool stop, gave_up;
};

static void *make_records(void *arg)
{
	struct busy *b = arg;

	for (int i = 0; !atomic_load(&b->stop); i++) {
		put(b->ring, 1);
		if (i == 1000000000)
			break;
	}
	atomic_store(&b->gave_up, true);
	return NULL;
}

/* a log is rotated also while there is no end of what is to be written */
static void rotation_under_load(void)
{
	struct busy b = {0};
	struct access_log *log;
	char why[128], old[128];
	pthread_t thread;

	tree_make();
	log = access_log_open(tree_path("log"), why, sizeof(why));
	CU_ASSERT_FATAL(log != NULL);
	b.ring = access_log_attach(log, 65535);
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, make_records, &b) == 0);
	usleep(100000);
	strcpy(old, tree_path("log.1"));
	CU_ASSERT(rename(tree_path("log"), old) == 0);
	while (access(tree_path("log"), F_OK) != 0 && !atomic_load(&b.gave_up))
		usleep(1000);
	CU_ASSERT(!atomic_load(&b.gave_up));
	atomic_store(&b.stop, true);
	pthread_join(thread, NULL);
	(void)access_log_close(log);
	tree_remove();
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	CU_ASSERT(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	CU_ASSERT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

/* lines of the log that are whole; the others are counted in *torn */
static unsigned whole_lines(const char *name, unsigned *torn)
{
	FILE *f = fopen(tree_path(name), "r");
	unsigned n = 0;
	char line[1000];

	CU_ASSERT_FATAL(f != NULL);
	for (*torn = 0; fgets(line, sizeof(line), f) != NULL;) {
		const char *end = strstr(line, "\"-\" \"-\"\n");

		if (strncmp(line, ":: - ", 5) == 0 && end != NULL &&
		    strstr(line + 5, ":: - ") == NULL)
			n++;
		else
			++*torn;
	}
	fclose(f);
	return n;
}

/* a disk that is full in the middle of a line, and has room again: what is lost is counted, and no line goes on in another */
static void full_disk(void)
{
	struct access_ring *ring;
	struct access_log *log;
	unsigned whole, torn;
	char why[128];
	uint64_t lost;

	tree_make();
	signal(SIGXFSZ, SIG_IGN);
	log = access_log_open(tree_path("log"), why, sizeof(why));
	CU_ASSERT_FATAL(log != NULL);
	ring = access_log_attach(log, 1000);
	limit_files(1000);
	for (int i = 0; i < 100; i++)
		put(ring, i);
	usleep(50000);
	put(ring, 100); /* still full */
	usleep(50000);
	limit_files(RLIM_INFINITY);
	for (int i = 0; i < 100; i++)
		put(ring, i);
	lost = access_log_close(log);
	whole = whole_lines("log", &torn);
	CU_ASSERT(torn == 1);
	CU_ASSERT(whole >= 100 && whole < 150);
	CU_ASSERT(whole + lost == 201);
	tree_remove();
}

/* a pipe that nobody reads any more does not keep the program from its end */
static void unread_pipe(void)
{
	struct access_ring *ring;
	struct access_log *log;
	char why[128], *text = malloc(1 << 20);
	uint64_t lost, lines = 0;
	ssize_t n;
	int fd;

	tree_make();
	CU_ASSERT_FATAL(text != NULL && mkfifo(tree_path("log"), 0600) == 0);
	fd = open(tree_path("log"), O_RDONLY | O_NONBLOCK);
	log = access_log_open(tree_path("log"), why, sizeof(why));
	CU_ASSERT_FATAL(fd >= 0 && log != NULL);
	ring = access_log_attach(log, 10000);
	for (int i = 0; i < 10000; i++)
		put(ring, i);
	alarm(30); /* else it would never return */
	lost = access_log_close(log);
	alarm(0);
	while ((n = read(fd, text, 1 << 20)) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += text[i] == '\n';
	CU_ASSERT(lost > 0 && lost + lines == 10000);
	close(fd);
	free(text);
	tree_remove();
}

/** Who opens a FIFO for reading once its writer has said something. */
struct fifo_reader {
	char path[128];
	int said, fd;
};

static void *read_fifo(void *arg)
{
	struct fifo_reader *r = arg;
	struct stat st;

	for (unsigned i = 0; i < 3000 && fstat(r->said, &st) == 0 && st.st_size == 0; i++)
		usleep(10000);
	r->fd = open(r->path, O_RDONLY | O_NONBLOCK);
	return NULL;
}

/* a FIFO that nobody reads yet is waited for, and the program says so */
static void fifo_without_reader(void)
{
	const int before = dup(STDERR_FILENO);
	struct fifo_reader reader;
	struct access_ring *ring;
	struct access_log *log;
	char why[128], text[256];
	pthread_t thread;
	ssize_t n;

	tree_make();
	n = snprintf(reader.path, sizeof(reader.path), "%s", tree_path("log"));
	CU_ASSERT_FATAL(n < (ssize_t)sizeof(reader.path));
	reader.said = open(tree_path("said"), O_RDWR | O_CREAT, 0600);
	CU_ASSERT_FATAL(reader.said >= 0 && mkfifo(reader.path, 0600) == 0);
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, read_fifo, &reader) == 0);
	dup2(reader.said, STDERR_FILENO);
	log = access_log_open(reader.path, why, sizeof(why));
	dup2(before, STDERR_FILENO);
	close(before);
	pthread_join(thread, NULL);
	CU_ASSERT_FATAL(log != NULL && reader.fd >= 0);
	n = pread(reader.said, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	CU_ASSERT(strstr(text, "--access-log: waiting for a reader of the FIFO ") != NULL);
	ring = access_log_attach(log, 16);
	put(ring, 1);
	CU_ASSERT(access_log_close(log) == 0);
	n = read(reader.fd, text, sizeof(text) - 1);
	CU_ASSERT(n > 0 && text[n - 1] == '\n');
	close(reader.fd);
	close(reader.said);
	tree_remove();
}

/* A FIFO that has taken the name of the log is used once it has a reader, and not waited for. */
static void fifo_instead_of_the_file(void)
{
	struct access_ring *ring;
	struct access_log *log;
	char why[128], old[128];

	tree_make();
	log = access_log_open(tree_path("log"), why, sizeof(why));
	CU_ASSERT_FATAL(log != NULL);
	ring = access_log_attach(log, 16);
	strcpy(old, tree_path("log.1"));
	CU_ASSERT_FATAL(rename(tree_path("log"), old) == 0 && mkfifo(tree_path("log"), 0600) == 0);
	usleep(1500000); /* it looks once a second */
	put(ring, 1);
	alarm(30); /* else it would never return */
	CU_ASSERT(access_log_close(log) == 0);
	alarm(0);
	CU_ASSERT(count_lines("log.1") == 1);
	tree_remove();
}

static void mistakes(void)
{
	char why[128] = "";

	CU_ASSERT(access_log_open("/nonexistent/log", why, sizeof(why)) == NULL);
	CU_ASSERT_STRING_EQUAL(
	    why, "--access-log: cannot write /nonexistent/log: No such file or directory");
	CU_ASSERT(access_log_close(NULL) == 0);
}

static const struct unit_case cases[] = {
    {"everything is written", everything_is_written},
    {"too many are counted", too_many_are_counted},
    {"rotation", rotation},
    {"rotation under load", rotation_under_load},
    {"a full disk", full_disk},
    {"a pipe that nobody reads", unread_pipe},
    {"a FIFO that nobody reads yet", fifo_without_reader},
    {"a FIFO instead of the file", fifo_instead_of_the_file},
    {"mistakes", mistakes},
};

UNIT_MAIN("app/access_log", cases)
