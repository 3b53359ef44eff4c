/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of the control socket that say nothing, or do not read. */
#include "run/ctl_conn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../files.h"
#include "../unit.h"

#define LINES 20000

static int pair[2], wakes[2];

static void begin(struct ctl_answer *a, int left_ms)
{
	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0 && pipe(wakes) == 0);
	*a = (struct ctl_answer){.conn = pair[0], .wake_fd = wakes[0], .left_ms = left_ms};
}

static void end(void)
{
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(wakes[i]);
	}
}

/* Returns the milliseconds that it takes. */
static uint64_t print(struct ctl_answer *a)
{
	const uint64_t from = ctl_now_ms();
	FILE *f = ctl_answer_open(a);

	CU_ASSERT_FATAL(f != NULL);
	for (int i = 0; i < LINES; i++)
		fprintf(f, "line %d of what is longer than a socket holds, %s\n", i,
		        "as lists are");
	CU_ASSERT((fclose(f) != 0) == (a->is_lost || a->conn < 0));
	return ctl_now_ms() - from;
}

static void nobody_reads(void)
{
	struct ctl_answer a;
	uint64_t ms;

	begin(&a, 100);
	ms = print(&a);
	CU_ASSERT(a.is_lost && ms >= 99 && ms < 5000); /* and not 100 for each line */
	end();
	begin(&a, 60000);
	CU_ASSERT(write(wakes[1], "", 1) == 1);
	CU_ASSERT(print(&a) < 5000 && a.is_lost);
	end();
	begin(&a, 60000);
	close(pair[1]);
	CU_ASSERT(print(&a) < 5000 && a.is_lost);
	pair[1] = dup(pair[0]);
	end();
}

/* Reads everything, slowly, and returns how many lines there were. */
static void *read_all(void *arg)
{
	static unsigned lines;
	char packet[2048];
	ssize_t n;

	(void)arg;
	usleep(20000);
	while ((n = recv(pair[1], packet, sizeof(packet), 0)) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += packet[i] == '\n';
	return &lines;
}

static void somebody_reads(void)
{
	struct ctl_answer a;
	pthread_t thread;
	void *lines = NULL;

	begin(&a, 60000);
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, read_all, NULL) == 0);
	(void)print(&a);
	CU_ASSERT(!a.is_lost);
	CU_ASSERT(shutdown(pair[0], SHUT_WR) == 0 && pthread_join(thread, &lines) == 0);
	CU_ASSERT_EQUAL(*(unsigned *)lines, LINES);
	end();
}

static void a_connection_that_is_given_away(void)
{
	struct ctl_answer a;
	char byte;

	begin(&a, 60000);
	a.conn = -1;
	(void)print(&a);
	CU_ASSERT(recv(pair[1], &byte, 1, MSG_DONTWAIT) < 0);
	end();
}

/* ---- who has come ---------------------------------------------------------------------------- */

static bool is_open(int other)
{
	char byte;

	return recv(other, &byte, 1, MSG_DONTWAIT) < 0;
}

static void guests(void)
{
	struct ctl_guests g = {0};
	struct pollfd fds[CTL_GUESTS];
	int ends[CTL_GUESTS + 1][2], file;
	char text[16];

	CU_ASSERT(ctl_guests_expire(&g, 0) == -1);
	for (int i = 0; i <= CTL_GUESTS; i++) {
		CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends[i]) == 0);
		ctl_guests_add(&g, ends[i][0], (uint64_t)i * 10);
	}
	CU_ASSERT(g.n == CTL_GUESTS && !is_open(ends[0][1]) && is_open(ends[1][1]));
	CU_ASSERT(ctl_guests_expire(&g, 1000) == 10 + CTL_PATIENCE_MS - 1000);
	/* of many who are silent those who speak are heard */
	CU_ASSERT(send(ends[9][1], "nine", 4, 0) == 4 && send(ends[3][1], "three", 5, 0) == 5);
	CU_ASSERT(ctl_guests_watch(&g, fds) == CTL_GUESTS && poll(fds, CTL_GUESTS, 0) == 2);
	CU_ASSERT(ctl_guests_take(&g, fds, CTL_GUESTS) == ends[3][0]);
	CU_ASSERT(ctl_receive(ends[3][0], text, sizeof(text), &file) == 5 && file == -1);
	CU_ASSERT(ctl_guests_take(&g, fds, CTL_GUESTS) == ends[9][0]);
	CU_ASSERT(ctl_guests_take(&g, fds, CTL_GUESTS) == -1 && g.n == CTL_GUESTS - 2);
	CU_ASSERT(ctl_receive(ends[4][0], text, sizeof(text), &file) == -1); /* it does not wait */
	/* and those who stay silent have to go */
	CU_ASSERT(ctl_guests_expire(&g, 20 + CTL_PATIENCE_MS) == 20); /* 3 has spoken: 4 is next */
	CU_ASSERT(!is_open(ends[1][1]) && !is_open(ends[2][1]) && is_open(ends[4][1]));
	ctl_guests_close(&g);
	CU_ASSERT(g.n == 0 && !is_open(ends[4][1]));
	close(ends[3][0]);
	close(ends[9][0]);
	for (int i = 0; i <= CTL_GUESTS; i++)
		close(ends[i][1]);
}

/* no file is left open that nobody knows of: not a second one, nor one beside no command at all */
static void files(void)
{
	struct ctl_answer a;
	unsigned before;
	char text[16];
	int file;

	begin(&a, 100);
	before = files_count();
	for (unsigned nb = 1; nb <= 2; nb++) {
		for (size_t n = 0; n <= 4; n += 4) {
			CU_ASSERT(files_send(pair[1], "text", n, nb));
			CU_ASSERT(ctl_receive(pair[0], text, sizeof(text), &file) == (ssize_t)n);
			CU_ASSERT(file >= 0 && close(file) == 0);
			CU_ASSERT_EQUAL(files_count(), before);
		}
	}
	end();
}

static const struct unit_case cases[] = {
    {"nobody reads", nobody_reads},
    {"files beside commands", files},
    {"somebody reads", somebody_reads},
    {"a connection that is given away", a_connection_that_is_given_away},
    {"guests", guests},
};

UNIT_MAIN("run/ctl_conn", cases)
