/* SPDX-License-Identifier: BSD-2-Clause */
#include "quiet.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define QUIET_MAX 65536

void quiet_begin(struct quiet *q)
{
	fflush(NULL);
	q->file = memfd_create("percore-log", MFD_CLOEXEC);
	if (q->file < 0)
		return;
	q->saved_out = dup(STDOUT_FILENO);
	q->saved_err = dup(STDERR_FILENO);
	dup2(q->file, STDOUT_FILENO);
	dup2(q->file, STDERR_FILENO);
}

static void restore(int saved, int fd)
{
	if (saved >= 0) {
		dup2(saved, fd);
		close(saved);
	} else {
		close(fd); /* it was closed before */
	}
}

static bool tells_failure(const char *line)
{
	static const char *const words[] = {"nable to",  "annot",          "ould not",
	                                    "ailed",     "nvalid",         "nknown",
	                                    "rror",      "unrecognized",   "unavailable",
	                                    "No such",   "not compatible", "requires an argument",
	                                    "Not enough"};
	/* printed without a failure, too */
	static const char *const harmless[] = {"Physical addresses", "TELEMETRY", "multiq",
	                                       "mp action callback"};

	if (line[0] == ' ' || line[0] == '\t') /* part of a usage text */
		return false;
	for (unsigned i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strstr(line, harmless[i]) != NULL)
			return false;
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(line, words[i]) != NULL)
			return true;
	return false;
}

/* Skips the names of modules and functions at the start ("EAL: ", "tun_alloc(): "). */
static const char *skip_prefix(const char *line)
{
	static const char *const prefixes[] = {"EAL: ", "FATAL: ", "ETHDEV: ", "ARGPARSE: "};
	const char *call = strstr(line, "(): ");

	if (call != NULL)
		line = call + 4;
	for (unsigned i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(line, prefixes[i], strlen(prefixes[i])) == 0)
			line += strlen(prefixes[i]);
	return line + strspn(line, " \t");
}

static void pick_line(char *text, char line[QUIET_LINE])
{
	char *next = text, *l;

	line[0] = '\0';
	while ((l = strsep(&next, "\n")) != NULL) {
		if (!tells_failure(l))
			continue;
		snprintf(line, QUIET_LINE, "%s", skip_prefix(l));
		line[strcspn(line, "\r")] = '\0';
		return;
	}
}

void quiet_end(struct quiet *q, char line[QUIET_LINE])
{
	char text[QUIET_MAX];
	ssize_t n;

	line[0] = '\0';
	if (q->file < 0)
		return;
	fflush(NULL);
	restore(q->saved_out, STDOUT_FILENO);
	restore(q->saved_err, STDERR_FILENO);
	n = pread(q->file, text, sizeof(text) - 1, 0);
	close(q->file);
	if (n <= 0)
		return;
	text[n] = '\0';
	pick_line(text, line);
}
