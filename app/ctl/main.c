/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-ctl: shows and changes the state of a program that runs with run.control.
 *
 * It sends its arguments as one command and prints the answer. It does not use DPDK.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl.h"

#define COMMAND_MAX 8000
#define PROGRAM     "program "
#define JSON        "json " /* before a command whose answer is to be in JSON */
#define JSON_END    "\n]\n" /* the end of such an answer */

static const char usage[] =
    "percore-ctl: shows and changes the state of a running percore program\n\n"
    "Usage: percore-ctl [--json] PATH COMMAND\n\n"
    "It sends a command to the program that was started with --set run.control=PATH:\n\n"
    "  route add NETWORK via GATEWAY [metric N] [weight N] [mtu BYTES]\n"
    "                                 [port N]            of a gateway in fe80::/10\n"
    "  route add NETWORK port N [metric N] [mtu BYTES]    directly connected\n"
    "  route replace ...                                  instead of all routes to NETWORK\n"
    "  route del NETWORK [via GATEWAY [port N]]\n"
    "  route show\n"
    "  addr add ADDRESS/LENGTH [port N]\n"
    "  addr del ADDRESS/LENGTH [port N]\n"
    "  addr show\n"
    "  neigh set ADDRESS mac MAC [port N]\n"
    "  neigh del ADDRESS [port N]\n"
    "  neigh show\n"
    "  deny add NETWORK                                   drop packets from it\n"
    "  deny del NETWORK\n"
    "  deny show\n"
    "  firewall load FILE                                 replace the rules; \"-\": from stdin\n"
    "  firewall check FILE                                validate only\n"
    "  firewall show                                      rules with packets and bytes\n"
    "  firewall flush                                     remove all rules\n"
    "  firewall table show                                tables of the rules, and their sizes\n"
    "  firewall table NAME add|delete|replace NETWORK...  change addresses, or ports, of a table\n"
    "  firewall table NAME add|delete|replace file FILE   from a file; \"-\": from stdin\n"
    "  firewall table NAME add ... for TIME               addresses, for 30s, 10m, 2h or 1d\n"
    "  firewall table NAME test ADDRESS                   the entries it is in; none: status 1\n"
    "  firewall table NAME show                           its contents\n"
    "  mtu set BYTES [port N]                             for IPv4; 0: the port's\n"
    "  socket show [tcp|udp|raw|packet] [state NAME]... [port N] [peer NETWORK]\n"
    "  capture FILE [port N] [count N] [snaplen BYTES] [direction in|out] [filter EXPRESSION]\n"
    "                                                     to a pcap file, \"-\": to stdout\n"
    "  counters show [all]                                non-zero ones, or all\n"
    "  usage show                                         tables in use, and their limits\n"
    "  port show [all]                                    devices, and frames per queue; all: "
    "also\n"
    "                                                     what the driver counts, if not 0\n"
    "  lcore show                                         CPU, thread and totals of each lcore\n"
    "  metrics                                            all counters, for Prometheus\n"
    "  top [SECONDS [TIMES]]                              load of each lcore, cycles per frame\n\n"
    "-j, --json: what a \"show\" command lists, as a JSON array of objects (docs/machine.md).\n"
    "NETWORK is 192.0.2.0/24, 2001:db8::/32 or \"default\". Changes apply to every lcore, without\n"
    "interrupting traffic. Status 0: done; 1: refused, as a wrong command is; 2: not sent, or the\n"
    "answer was lost.\n";

int fail(const char *path, int status)
{
	fprintf(stderr, "percore-ctl: %s: %s\n", path, strerror(errno));
	return status;
}

/* Reports that there is no program at a control socket. */
static int nobody(const char *path)
{
	fprintf(stderr, "percore-ctl: %s: %s; give the path in run.control of a running program\n",
	        path, strerror(errno));
	return 2;
}

static int join(int argc, char **argv, char *text)
{
	size_t n = 0;

	for (int i = 0; i < argc; i++) {
		const size_t len = strlen(argv[i]);

		if (n + len + 2 > COMMAND_MAX)
			return -1;
		memcpy(text + n, argv[i], len);
		n += len;
		text[n++] = ' ';
	}
	text[n] = '\0';
	return 0;
}

static int open_control(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

/* Reads an entire answer before any of it is printed, so that the program does not wait for a
 * pager, and terminates it with a NUL. Returns it, to be freed by the caller; NULL with errno. */
static char *read_answer(int fd, size_t *len)
{
	static char packet[PACKET_MAX];
	char *text = NULL;
	FILE *all = open_memstream(&text, len);
	ssize_t n = 0;

	if (all == NULL)
		return NULL;
	while ((n = recv(fd, packet, sizeof(packet), 0)) > 0)
		fwrite(packet, 1, (size_t)n, all);
	if (fclose(all) == 0 && n == 0 && *len > 0)
		return text;
	errno = n == 0 ? ECONNRESET : errno;
	free(text);
	return NULL;
}

/* Removes the first line of an answer, which is the verdict. Returns the status. */
static int judge_answer(int fd, const char *path, char **text, size_t *len)
{
	*text = read_answer(fd, len);
	if (*text == NULL)
		return fail(path, 2);
	if (strncmp(*text, "ok\n", 3) == 0) {
		*len -= 3;
		memmove(*text, *text + 3, *len + 1);
		return 0;
	}
	fprintf(stderr, "percore-ctl: %s", strncmp(*text, "error ", 6) == 0 ? *text + 6 : *text);
	free(*text);
	return 1;
}

/* Cuts off what follows the array in an answer in JSON: a line that says why not all is in it. Returns
 * the status; 2: there is no whole array. */
static int check_json(const char *path, const char *text, size_t *len)
{
	const char *end = strstr(text, JSON_END);

	if (end == NULL) {
		fprintf(stderr, "percore-ctl: %s: the answer is cut off\n", path);
		return 2;
	}
	end += strlen(JSON_END);
	*len = (size_t)(end - text);
	if (*end == '\0')
		return 0;
	fprintf(stderr, "percore-ctl: incomplete: %s", end);
	return 1;
}

/* Prints the answer. Returns the status. */
static int print_answer(int fd, const char *path, bool is_json)
{
	size_t len;
	char *text;
	int status = judge_answer(fd, path, &text, &len);

	if (status != 0)
		return status;
	if (is_json)
		status = check_json(path, text, &len);
	if (status != 2 && (fwrite(text, 1, len, stdout) != len || fflush(stdout) != 0))
		status = fail("output", 2);
	free(text);
	return status;
}

/* Takes "direction WORD" out of the argc words, and returns WORD, "" if it is missing; NULL: there is
 * no such pair. */
static const char *take_direction(int *argc, char **argv)
{
	const char *direction = NULL;
	int n = 0;

	for (int i = 0; i < *argc; i++) {
		if (strcmp(argv[i], "direction") == 0)
			direction = i + 1 < *argc ? argv[++i] : "";
		else
			argv[n++] = argv[i];
	}
	*argc = n;
	return direction;
}

static int too_long(void)
{
	errno = E2BIG;
	return fail("command", 2);
}

/* Turns "capture FILE ... filter EXPRESSION" into the command that the program knows: without the
 * file, and with the compiled filter. Returns 0, or a status after printing what is wrong. */
static int make_capture(int argc, char **argv, char *command)
{
	char expression[COMMAND_MAX + 1] = "";
	const char *direction;
	size_t at;
	int words = 2;

	while (words < argc && strcmp(argv[words], "filter") != 0)
		words++;
	if (words < argc && join(argc - words - 1, argv + words + 1, expression) != 0)
		return too_long();
	argv[1] = argv[0];
	words--;
	direction = take_direction(&words, argv + 1);
	if (join(words, argv + 1, command) != 0)
		return too_long();
	if (direction == NULL && expression[0] == '\0')
		return 0;
	at = strlen(command);
	if (at + strlen(PROGRAM) >= COMMAND_MAX)
		return too_long();
	strcpy(command + at, PROGRAM);
	at += strlen(PROGRAM);
	return capture_filter(direction, expression, command + at, COMMAND_MAX - at);
}

static int make_command(int argc, char **argv, bool is_json, char *command)
{
	strcpy(command, is_json ? JSON : "");
	if (join(argc, argv, command + strlen(command)) == 0)
		return 0;
	errno = E2BIG;
	return fail("command", 2);
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words != NULL && strcmp(*words, word) != 0)
		words++;
	return *words != NULL;
}

/* Copies the contents of a pipe to an unnamed file, so that the program does not wait for it.
 * Returns the file, or -1 with errno. */
static int store(int from)
{
	static char some[65536];
	const int fd = memfd_create("file", MFD_CLOEXEC);
	ssize_t n = fd;

	while (n >= 0 && (n = read(from, some, sizeof(some))) > 0)
		n = write(fd, some, (size_t)n) == n ? n : -1;
	return n == 0 ? fd : -1;
}

/* Opens a file for the program to read, with the permissions of the user. Returns it, or -2 after
 * printing an error. */
static int open_file(const char *name)
{
	int fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		fd = store(fd);
	if (fd >= 0)
		return fd;
	(void)fail(name, 2);
	return -2;
}

/* Writes words to an unnamed file, one per line. Returns as open_file. */
static int write_words(int n, char **words)
{
	const int fd = memfd_create("words", MFD_CLOEXEC);
	FILE *f = fd >= 0 ? fdopen(dup(fd), "w") : NULL;
	bool ok = f != NULL;

	for (int i = 0; ok && i < n; i++)
		ok = fprintf(f, "%s\n", words[i]) > 0;
	if (f != NULL && fclose(f) != 0)
		ok = false;
	if (ok)
		return fd;
	(void)fail("memory", 2);
	return -2;
}

/* Opens a file as open_file. Its name is sent for messages only, as a word of the command, and blanks
 * separate those. */
static int open_named(char *name)
{
	const int fd = open_file(name);

	while ((name = strpbrk(name, " \t\r\n")) != NULL)
		*name = '_';
	return fd;
}

/* Opens the file to be sent with a command; addresses at the end of the command are moved to one.
 * Returns -1 if there is nothing to send, otherwise as open_file. */
static int open_argument(int *argc, char **argv)
{
	static const char *const loads[] = {"load", "check", NULL};
	static const char *const changes[] = {"add", "delete", "replace", NULL};
	static char given[] = "command";
	int fd, tail;

	if (*argc < 4 || strcmp(argv[2], "firewall") != 0)
		return -1;
	if (*argc == 5 && is_one_of(argv[3], loads))
		return open_named(argv[4]);
	if (*argc < 6 || strcmp(argv[3], "table") != 0 || !is_one_of(argv[5], changes))
		return -1;
	/* "for TIME" stays in the command, behind the name of the file */
	tail = *argc > 8 && strcmp(argv[*argc - 2], "for") == 0 ? 2 : 0;
	if (*argc == 8 + tail && strcmp(argv[6], "file") == 0) {
		argv[6] = argv[7];
		fd = open_named(argv[6]);
	} else {
		/* the addresses, which may be too many for one command */
		fd = write_words(*argc - tail - 6, argv + 6);
		argv[6] = given;
	}
	memmove(argv + 7, argv + *argc - tail, (size_t)tail * sizeof(argv[0]));
	*argc = 7 + tail;
	return fd;
}

/* Sends a command, with a file unless that is -1. Returns what sendmsg() returns. */
static ssize_t send_command(int to, const char *command, int file)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)command, .iov_len = strlen(command)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (file >= 0) {
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(file)),
		                                  .cmsg_level = SOL_SOCKET,
		                                  .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &file, sizeof(file));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	return sendmsg(to, &msg, MSG_NOSIGNAL);
}

int ask(const char *path, const char *command, char **text)
{
	const int fd = open_control(path);
	size_t len;
	int status;

	if (fd < 0)
		return nobody(path);
	status =
	    send_command(fd, command, -1) < 0 ? fail(path, 2) : judge_answer(fd, path, text, &len);
	(void)close(fd);
	return status;
}

/* Handles an option, which must be the only argument. Returns the status. */
static int take_option(const char *option)
{
	if (strcmp(option, "--version") == 0 || strcmp(option, "-V") == 0) {
		printf("percore-ctl (percore %s)\n", PC_VERSION);
		return 0;
	}
	if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	fprintf(stderr, "percore-ctl: unknown option %s; see --help\n", option);
	return 2;
}

int main(int argc, char **argv)
{
	const bool is_json =
	    argc > 1 && (strcmp(argv[1], "--json") == 0 || strcmp(argv[1], "-j") == 0);
	char command[sizeof(JSON) + COMMAND_MAX];
	const char *file;
	int fd, sent, status;

	argc -= is_json;
	argv += is_json;
	if (argc > 1 && argv[1][0] == '-')
		return take_option(argv[1]);
	if (argc < 3 || (argc == 3 && strcmp(argv[2], "capture") == 0)) {
		fputs(usage, stderr);
		return 2;
	}
	if (argv[2][0] == '-') {
		fprintf(stderr, "percore-ctl: %s: options come before the path; see --help\n",
		        argv[2]);
		return 2;
	}
	if (is_json && (strcmp(argv[2], "top") == 0 || strcmp(argv[2], "capture") == 0)) {
		fprintf(stderr, "percore-ctl: %s: not with --json\n", argv[2]);
		return 2;
	}
	if (strcmp(argv[2], "top") == 0)
		return top(argv[1], argc - 3, argv + 3);
	file = strcmp(argv[2], "capture") == 0 && argc > 3 ? argv[3] : NULL;
	sent = open_argument(&argc, argv);
	if (sent == -2)
		return 2;
	status = file != NULL ? make_capture(argc - 2, argv + 2, command)
	                      : make_command(argc - 2, argv + 2, is_json, command);
	if (status != 0)
		return status;
	fd = open_control(argv[1]);
	if (fd < 0)
		return nobody(argv[1]);
	if (send_command(fd, command, sent) < 0)
		return fail(argv[1], 2);
	status = file != NULL ? capture_to(file, fd, argv[1]) : print_answer(fd, argv[1], is_json);
	(void)close(fd);
	return status;
}
