/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CTL_H
#define CTL_H

#include <stddef.h>

#define PACKET_MAX 65536 /* maximum size of a packet of an answer */

/** fail prints what errno says about something. Returns the status. */
int fail(const char *path, int status);

/** ask sends a command and receives the answer, which the caller frees. Returns 0, or a status
 * after printing what is wrong. */
int ask(const char *path, const char *command, char **text);

/** top prints how each lcore spends its time, at the interval and as often as argv says. Returns
 * the status of percore-ctl. */
int top(const char *path, int argc, char **argv);

/** capture_filter compiles a filter in the language of pcap-filter(7), "": all frames, of a direction
 * ("in", "out", NULL: both), in the form used in the command. Returns 0, or a status after printing
 * what is wrong. */
int capture_filter(const char *direction, const char *expression, char *program, size_t size);

/** capture_to writes the capture to a file ("-": stdout) until the program ends it, or SIGINT or
 * SIGTERM is received. Returns the status of percore-ctl. */
int capture_to(const char *file, int fd, const char *path);

#endif
