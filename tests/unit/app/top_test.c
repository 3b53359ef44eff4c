/* SPDX-License-Identifier: BSD-2-Clause */
/* percore-ctl top: what it makes of two answers of a program. */
#include "../unit.h"
#include "ctl.h"

#include <stdio.h>
#include <string.h>

static const char *answers[2]; /* in turn */
static unsigned asked, failed;

int fail(const char *path, int status)
{
	CU_ASSERT_STRING_EQUAL(path, "output");
	failed++;
	return status;
}

int ask(const char *path, const char *command, char **text)
{
	CU_ASSERT_STRING_EQUAL(path, "socket");
	CU_ASSERT_STRING_EQUAL(command, "lcore show ");
	*text = strdup(answers[asked++ % 2]);
	return *text != NULL ? 0 : 2;
}

/* The last line that it prints, a second after it has begun. */
static const char *last_line(char text[512])
{
	char *args[] = {(char[]){"1"}, (char[]){"1"}};
	FILE *screen = stdout;
	char *line;

	stdout = fmemopen(text, 512, "w");
	CU_ASSERT_FATAL(stdout != NULL);
	asked = 0;
	CU_ASSERT_EQUAL(top("socket", 2, args), 0);
	fclose(stdout);
	stdout = screen;
	CU_ASSERT_EQUAL(asked, 2);
	text[strlen(text) - 1] = '\0';
	line = strrchr(text, '\n');
	return line != NULL ? line + 1 : text;
}

static void rates_are_of_the_time_between(void)
{
	char text[512];

	answers[0] = "lcore 1 cpu 1 node 0 time-ns 5000000000 busy-ns 1000000000 rx-frames 700 "
	             "tx-frames 100\n";
	answers[1] = "lcore 1 cpu 1 node 0 time-ns 6000000000 busy-ns 1500000000 rx-frames 700 "
	             "tx-frames 300\n";
	CU_ASSERT_STRING_EQUAL(last_line(text), "    1     1    0   50.0          0        200     "
	                                        "     -         -         -          -");
}

/* Counts of a program that was started anew are smaller than those of the one before. */
static void a_new_program_has_counted_from_0(void)
{
	char text[512];

	answers[0] = "lcore 1 cpu 1 node 0 time-ns 5000000000 busy-ns 1000000000 rx-frames 700 "
	             "tx-frames 900\n";
	answers[1] =
	    "lcore 1 cpu 1 node 0 time-ns 7000000000 busy-ns 500000000 rx-frames 0 tx-frames 300\n";
	CU_ASSERT_STRING_EQUAL(last_line(text), "    1     1    0   25.0          0        150     "
	                                        "     -         -         -          -");
}

/* It ends where it prints to a disk that is full, although nobody has said how often it is to print. */
static void a_full_disk_ends_it(void)
{
	char *args[] = {(char[]){"1"}};
	FILE *screen = stdout, *full = fopen("/dev/full", "w");

	CU_ASSERT_FATAL(full != NULL);
	answers[0] = answers[1] = "lcore 1 cpu 1 node 0 time-ns 5000000000\n";
	stdout = full;
	CU_ASSERT_EQUAL(top("socket", 1, args), 2);
	stdout = screen;
	(void)fclose(full);
	CU_ASSERT_EQUAL(failed, 1);
}

/* The time of day may have been set back before that. */
static void a_new_program_may_be_of_another_time(void)
{
	char text[512];

	answers[0] = "lcore 1 cpu 1 node 0 time-ns 5000000000 busy-ns 1000000000 rx-frames 700 "
	             "tx-frames 900\n";
	answers[1] =
	    "lcore 1 cpu 1 node 0 time-ns 4000000000 busy-ns 500000000 rx-frames 0 tx-frames 300\n";
	CU_ASSERT_STRING_EQUAL(last_line(text), "    1     1    0    0.0          0          0     "
	                                        "     -         -         -          -");
}

static const struct unit_case cases[] = {
    {"rates are of the time between", rates_are_of_the_time_between},
    {"a new program has counted from 0", a_new_program_has_counted_from_0},
    {"a new program may be of another time", a_new_program_may_be_of_another_time},
    {"a full disk ends it", a_full_disk_ends_it},
};

UNIT_MAIN("ctl/top", cases)
