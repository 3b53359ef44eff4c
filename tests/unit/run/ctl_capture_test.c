/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures on stacks that a thread drives, one of which stands still for longer than anybody waits for it. */
#include "run/ctl.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <percore/port.h>
#include <percore/socket.h>
#include <rte_mbuf.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "run/ctl_capture.h"
#include "run/worker.h"

#define STACKS 2
#define FDS    64

static const struct pc_run_app app = {.name = "test", .summary = "is a test"};
static struct settings settings;
static struct worker workers[STACKS];
static struct run run = {.s = &settings, .app = &app, .nb_workers = STACKS};
static struct rte_mempool *pool;
static pthread_t driver;
static bool ends, still; /* atomic: no more turns; the second stack has none */
static const bool never;

static void *drive(void *arg)
{
	uint64_t now = 1000000000;

	(void)arg;
	while (!__atomic_load_n(&ends, __ATOMIC_ACQUIRE)) {
		now += 1000000;
		for (unsigned i = 0; i < STACKS; i++)
			if (i == 0 || !__atomic_load_n(&still, __ATOMIC_ACQUIRE))
				pc_stack_poll(workers[i].st, now);
		usleep(100);
	}
	return NULL;
}

static void stand_still(bool yes)
{
	__atomic_store_n(&still, yes, __ATOMIC_RELEASE);
}

static void begin(void)
{
	struct pc_stack_config c;

	settings_init(&settings, &app, NULL);
	snprintf(settings.control, sizeof(settings.control), "/tmp/percore-capture-%d",
	         (int)getpid());
	pc_stack_config_init(&c);
	c.stack_max_connections = 64;
	for (unsigned i = 0; i < STACKS; i++) {
		workers[i].st = pc_stack_create(&c, pool);
		workers[i].lcore = i;
		run.workers[i] = &workers[i];
		CU_ASSERT_PTR_NOT_NULL_FATAL(workers[i].st);
	}
	ends = still = false;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&driver, NULL, drive, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(ctl_start(&run), 0);
}

static void finish(void)
{
	ctl_stop(&run);
	__atomic_store_n(&ends, true, __ATOMIC_RELEASE);
	pthread_join(driver, NULL);
	for (unsigned i = 0; i < STACKS; i++)
		pc_stack_destroy(workers[i].st);
	ctl_free(&run);
}

/* Sends a command. Returns the connection, with the first of the answer in text. */
static int command(const char *words, char *text, size_t size)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ssize_t n;

	memcpy(a.sun_path, settings.control, strlen(settings.control));
	CU_ASSERT_FATAL(connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0);
	CU_ASSERT(send(fd, words, strlen(words), 0) == (ssize_t)strlen(words));
	n = recv(fd, text, size - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return fd;
}

static int count(struct pc_stack *st, const void *data)
{
	int type, n = 0;

	(void)data;
	for (int fd = 0; fd < FDS; fd++) {
		socklen_t len = sizeof(type);

		n += pc_getsockopt(st, fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
	}
	return n;
}

/* What both stacks have open. */
static int sockets(void)
{
	int n = 0;

	for (unsigned i = 0; i < STACKS; i++)
		n += ctl_wait(&never, &workers[i], pc_stack_post(workers[i].st, count, NULL, 0));
	return n;
}

/* Whether they have nothing open within two seconds. */
static bool all_closed(void)
{
	for (unsigned i = 0; i < 200 && sockets() > 0; i++)
		usleep(10000);
	return sockets() == 0;
}

static void test_whole(void)
{
	char text[64];
	int fd;

	begin();
	fd = command("capture", text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "ok\n");
	CU_ASSERT_EQUAL(sockets(), STACKS);
	close(command("capture", text, sizeof(text)));
	CU_ASSERT_STRING_EQUAL(text, "error another capture is running\n");
	close(fd);
	CU_ASSERT(all_closed());
	finish();
}

/* It is over while an lcore stands still: when that goes on its socket is closed, too, though nobody captures again. */
static void test_over(void)
{
	char text[64];
	int fd;

	begin();
	fd = command("capture", text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "ok\n");
	stand_still(true);
	usleep(50000);
	close(fd);
	usleep(2500000);
	stand_still(false);
	CU_ASSERT(all_closed());
	finish();
}

/* An lcore stands still at its begin: what it opens afterwards is closed. */
static void test_late(void)
{
	char text[64];

	begin();
	stand_still(true);
	close(command("capture", text, sizeof(text)));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "error lcore 1: "));
	stand_still(false);
	CU_ASSERT(all_closed());
	close(command("capture", text, sizeof(text)));
	CU_ASSERT_STRING_EQUAL(text, "ok\n");
	finish();
}

/* ---- a slow reader --------------------------------------------------------------------------- */

#define FRAME  1400 /* bytes, of which PUSHED at once are more than the connection has room for */
#define PUSHED 64

static struct pc_port *wires[STACKS][2]; /* of each stack: its end, and ours */

static int attach(struct pc_stack *st, const void *data)
{
	unsigned i;

	memcpy(&i, data, sizeof(i));
	return pc_stack_add_port(st, wires[i][0]) >= 0 ? 0 : -errno;
}

static int push(struct pc_stack *st, const void *data)
{
	static const uint8_t frame[FRAME] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
	                                     0,    0,    0,    0,    7,    0x88, 0xb5};

	unsigned to;

	(void)st;
	memcpy(&to, data, sizeof(to));
	for (unsigned i = 0; i < PUSHED; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		void *p = m != NULL ? rte_pktmbuf_append(m, FRAME) : NULL;

		if (p == NULL)
			return -ENOMEM;
		memcpy(p, frame, FRAME);
		(void)wires[to][1]->ops->tx_burst(wires[to][1], &m, 1, 0);
	}
	return 0;
}

/* Has a stack's thread make a call that gets the number of the stack. */
static int call(unsigned i, int (*made)(struct pc_stack *st, const void *data))
{
	return ctl_wait(&never, &workers[i], pc_stack_post(workers[i].st, made, &i, sizeof(i)));
}

/* What a reader gets who begins when the capture has ended: frames, and how many the last line says. */
struct reading {
	int fd;
	unsigned frames, said;
};

static void *read_late(void *arg)
{
	static char packet[65536];
	struct reading *r = arg;
	size_t bytes = 0;
	ssize_t n;

	usleep(100000);
	while ((n = recv(r->fd, packet, sizeof(packet) - 1, 0)) > 0) {
		packet[n] = '\0';
		if (packet[0] == 'd')
			bytes += (size_t)n - 1;
		else if (packet[0] == 's')
			(void)sscanf(packet + 1, "%u", &r->said);
	}
	r->frames = (unsigned)((bytes - 24) / (16 + FRAME));
	return NULL;
}

/* Each stack gets a wire, on which what it is told to push is captured: what is, comes by fd[1]. */
static struct ctl_capture *begin_on_wire(const struct ctl_capture_args *args, int fd[2])
{
	const struct pc_wire_config wire = {.pool = pool};
	struct ctl_capture *c;
	char why[64];

	begin();
	for (unsigned i = 0; i < STACKS; i++) {
		CU_ASSERT_EQUAL_FATAL(pc_port_wire(&wire, wires[i]), 0);
		CU_ASSERT_EQUAL(call(i, attach), 0);
	}
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	c = ctl_capture_create(&run, &never, args);
	CU_ASSERT_EQUAL_FATAL(ctl_capture_start(c, fd[0], why, sizeof(why)), 0);
	return c;
}

static void finish_on_wire(void)
{
	finish();
	for (unsigned i = 0; i < STACKS; i++)
		for (unsigned end = 0; end < 2; end++)
			pc_port_close(wires[i][end]);
}

/* What waits for room when who reads has enough is counted, and so it is sent. */
static void test_slow(void)
{
	const struct ctl_capture_args args = {.snaplen = CTL_SNAPLEN_MAX, .port = -1};
	const struct timeval patience = {.tv_sec = 5};
	const int bytes = 64 * 1024;
	struct reading r = {0};
	struct ctl_capture *c;
	pthread_t reader;
	int fd[2];

	c = begin_on_wire(&args, fd);
	(void)setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	for (unsigned i = 0; i < 6; i++) {
		(void)call(0, push);
		usleep(5000);
		CU_ASSERT(ctl_capture_turn(c));
	}
	CU_ASSERT_EQUAL(shutdown(fd[1], SHUT_WR), 0);
	CU_ASSERT_FALSE(ctl_capture_turn(c));
	r.fd = fd[1];
	CU_ASSERT_EQUAL_FATAL(pthread_create(&reader, NULL, read_late, &r), 0);
	CU_ASSERT(ctl_capture_end(c));
	pthread_join(reader, NULL);
	CU_ASSERT(r.said > 0 && r.said < 6 * PUSHED);
	CU_ASSERT_EQUAL(r.frames, r.said);
	ctl_capture_free(c);
	close(fd[1]);
	finish_on_wire();
}

/* However long nobody reads, what is captured does not take the mbufs of those who are served. */
static void test_share(void)
{
	const struct ctl_capture_args args = {.snaplen = 64, .port = -1};
	struct ctl_capture *c;
	unsigned least;
	int fd[2];

	c = begin_on_wire(&args, fd);
	least = rte_mempool_avail_count(pool);
	for (unsigned i = 0; i < 2 * pool->size / PUSHED; i++) {
		(void)call(0, push);
		(void)call(0, count);
		least = RTE_MIN(least, rte_mempool_avail_count(pool));
	}
	CU_ASSERT(least > pool->size / 2);
	CU_ASSERT(ctl_capture_end(c));
	ctl_capture_free(c);
	close(fd[1]);
	finish_on_wire();
}

/* ---- several lcores -------------------------------------------------------------------------- */

/* Reads what has been sent by a capture so far. Returns how many frames; *back: how many of them are
 * older than the one before. */
static unsigned read_frames(int fd, unsigned *back)
{
	static char packet[65536];
	static uint64_t last; /* of what was read before, too */
	unsigned frames = 0;
	ssize_t n;

	*back = 0;
	while ((n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
		const char *at = packet + 1;

		if (packet[0] == 'd' && memcmp(at, "\x4d\x3c\xb2\xa1", 4) == 0) {
			at += 24;
			last = 0;
		}
		while (packet[0] == 'd' && at < packet + n) {
			uint32_t h[4];
			uint64_t ns;

			memcpy(h, at, sizeof(h));
			ns = (uint64_t)h[0] * 1000000000 + h[1];
			*back += ns < last;
			last = ns;
			at += sizeof(h) + h[2];
			frames++;
		}
	}
	return frames;
}

/* The frames of all are in one order, however many each has. */
static void test_order(void)
{
	const struct ctl_capture_args args = {.snaplen = 64, .port = -1};
	struct ctl_capture *c;
	unsigned back, frames = 0;
	int fd[2];

	c = begin_on_wire(&args, fd);
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned k = 0; k < 2; k++) {
			CU_ASSERT_EQUAL(call((i + k) & 1, push), 0);
			usleep(5000);
		}
		CU_ASSERT(ctl_capture_turn(c));
		frames += read_frames(fd[1], &back);
		CU_ASSERT_EQUAL(back, 0);
	}
	for (unsigned i = 0; i < 100 && frames < 6 * 2 * PUSHED; i++) {
		usleep(1000);
		CU_ASSERT(ctl_capture_turn(c));
		frames += read_frames(fd[1], &back);
		CU_ASSERT_EQUAL(back, 0);
	}
	CU_ASSERT_EQUAL(frames, 6 * 2 * PUSHED);
	CU_ASSERT(ctl_capture_end(c));
	ctl_capture_free(c);
	close(fd[1]);
	finish_on_wire();
}

/* One that stands still holds up nobody, and what it reads too late is not lost. */
static void test_held(void)
{
	const struct ctl_capture_args args = {.snaplen = 64, .port = -1};
	struct ctl_capture *c;
	unsigned back, frames;
	int fd[2];

	c = begin_on_wire(&args, fd);
	CU_ASSERT_EQUAL(call(1, push), 0);
	usleep(5000);
	stand_still(true);
	usleep(5000);
	CU_ASSERT(ctl_capture_turn(c)); /* it waits for two seconds */
	CU_ASSERT_EQUAL(call(0, push), 0);
	usleep(5000);
	CU_ASSERT(ctl_capture_turn(c));
	frames = read_frames(fd[1], &back);
	CU_ASSERT_EQUAL(frames, PUSHED);
	stand_still(false);
	usleep(20000); /* it fills its lane */
	CU_ASSERT(ctl_capture_turn(c));
	usleep(5000);
	CU_ASSERT(ctl_capture_turn(c));
	frames += read_frames(fd[1], &back);
	CU_ASSERT_EQUAL(frames, 2 * PUSHED);
	CU_ASSERT(ctl_capture_end(c));
	ctl_capture_free(c);
	close(fd[1]);
	finish_on_wire();
}

static const struct unit_case cases[] = {
    {"from begin to end", test_whole},
    {"a stack that stands still at its end", test_over},
    {"a stack that stands still at its begin", test_late},
    {"who reads late", test_slow},
    {"who does not read", test_share},
    {"the order of several stacks' frames", test_order},
    {"a stack that stands still meanwhile", test_held},
};

int main(void)
{
	eal_start();
	pool = eal_pool("capture", 1023);
	return unit_run("run/ctl_capture", cases, sizeof(cases) / sizeof(cases[0]));
}
