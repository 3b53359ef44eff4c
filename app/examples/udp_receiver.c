/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_receiver: prints the sender and length of each datagram, and also its contents if the second
 * argument is "text", until a datagram says "end".
 *
 *   PERCORE_SOCKET=/tmp/stack udp_receiver 5000 text     (see thread_echo.c for the stack)
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <percore/posix.h>

#define BATCH 16

static char buf[BATCH][65536];
static struct sockaddr_in from[BATCH];
static bool shows_text;

static void prepare(struct mmsghdr *m, struct iovec *v)
{
	for (int i = 0; i < BATCH; i++) {
		v[i] = (struct iovec){buf[i], sizeof(buf[i])};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i],
		                               .msg_iovlen = 1,
		                               .msg_name = &from[i],
		                               .msg_namelen = sizeof(from[i])};
	}
}

/* Prints datagram i. Returns whether it is the last one. */
static bool show(int i, unsigned len)
{
	char addr[INET_ADDRSTRLEN] = "?";

	inet_ntop(AF_INET, &from[i].sin_addr, addr, sizeof(addr));
	printf("%s:%u %u bytes", addr, ntohs(from[i].sin_port), len);
	if (shows_text) {
		fputs(": ", stdout);
		fwrite(buf[i], 1, len, stdout);
	}
	putchar('\n');
	fflush(stdout);
	return len == 3 && memcmp(buf[i], "end", 3) == 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(5000)};
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	int fd, n;

	if (argc > 1)
		a.sin_port = htons((unsigned short)strtoul(argv[1], NULL, 10));
	shows_text = argc > 2 && strcmp(argv[2], "text") == 0;
	if (pcx_attach(NULL) != 0) {
		perror("cannot attach to the stack at PERCORE_SOCKET");
		return 2;
	}
	if ((fd = pcx_socket(AF_INET, SOCK_DGRAM, 0)) < 0 ||
	    pcx_bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		perror("udp_receiver");
		return 2;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		prepare(m, v);
		n = pcx_recvmmsg(fd, m, BATCH, MSG_WAITFORONE, NULL);
		if (n < 0) {
			perror("recvmmsg");
			return 1;
		}
		for (int i = 0; i < n; i++)
			if (show(i, m[i].msg_len))
				return 0;
	}
}
