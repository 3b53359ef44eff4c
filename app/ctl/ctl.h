/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CTL_H
#define CTL_H

#include <stddef.h>

#define PACKET_MAX 65536 /* bytes of an answer's packet at most */

/** fail says what errno says about something. Returns the status. */
int fail(const char *path, int status);

/** ask sends a command and gets what is answered, to be freed. Returns 0, or a status when it has said what is wrong. */
int ask(const char *path, const char *command, char **text);

/** top prints what each lcore does with its time, of argv's seconds and as often as argv says. Returns the status of percore-ctl. */
int top(const char *path, int argc, char **argv);

/** capture_filter writes the program of a filter in the language of pcap-filter(7), as the command has it. Returns 0, or a status
 * when it has said what is wrong. */
int capture_filter(const char *expression, char *program, size_t size);

/** capture_to writes what comes from the program to a file ("-": stdout) until that ends, or SIGINT or SIGTERM ends
 * it. Returns the status of percore-ctl. */
int capture_to(const char *file, int fd, const char *path);

#endif
