/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-ctl capture: the answer is "ok", followed by packets whose first byte says what they
 * contain ('d': data of the file, 's': a line about it). On a signal we shut down sending; the
 * program then sends what it still has, and ends the capture.
 */
#include "ctl.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define FILTER_MAX 256 /* instructions that the program takes */

static volatile sig_atomic_t is_ended;

static void end(int sig)
{
	(void)sig;
	is_ended = 1;
}

static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = end}; /* no SA_RESTART: calls must be interrupted */
	struct sigaction before;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	/* the end of a terminal, unless nohup is for that */
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &sa, NULL);
}

/* receives the next packet, and terminates it with a NUL; 0: there are no more */
static ssize_t next(int fd, char *packet)
{
	static bool told;
	ssize_t n;

	do {
		if (is_ended && !told) {
			told = true;
			(void)shutdown(fd, SHUT_WR);
		}
		n = recv(fd, packet, PACKET_MAX - 1, 0);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n >= 0)
		packet[n] = '\0';
	return n;
}

static int write_packets(FILE *to, const char *file, int fd, char *packet)
{
	bool whole = false; /* a line about it is the end */
	ssize_t n;

	while ((n = next(fd, packet)) > 0) {
		whole = packet[0] == 's';
		if (whole)
			fprintf(stderr, "percore-ctl: %s", packet + 1);
		else if (fwrite(packet + 1, 1, (size_t)n - 1, to) != (size_t)n - 1 ||
		         fflush(to) != 0)
			return fail(file, 2);
	}
	if (n < 0)
		return fail("capture", 2);
	if (!whole)
		fputs("percore-ctl: capture: the end is missing: the program is gone, or has not "
		      "waited for a slow reader\n",
		      stderr);
	return whole ? 0 : 2;
}

/* "protochain" is a loop, which no program takes. */
static bool has_loop(const struct bpf_program *p)
{
	for (u_int i = 0; i < p->bf_len; i++)
		if (p->bf_insns[i].code == (BPF_JMP | BPF_JA) && p->bf_insns[i].k >= p->bf_len)
			return true;
	return false;
}

/* Instructions that let only frames of this direction on to those behind them. Returns how many:
 * 0 for a direction that is none. pcap-filter's "inbound" is the same, but libpcap compiles it since
 * 1.11 only for an interface of the kernel's. */
static unsigned check_direction(const char *direction, struct bpf_insn *to)
{
	const bool out = strcmp(direction, "out") == 0;
	const struct bpf_insn check[] = {
	    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, out, !out),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	};

	if (!out && strcmp(direction, "in") != 0)
		return 0;
	memcpy(to, check, sizeof(check));
	return sizeof(check) / sizeof(check[0]);
}

/* Appends the compiled expression to the n instructions; -1: not compiled, what is wrong is said. */
static int compile(const char *expression, struct bpf_insn *insn, unsigned n)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, UINT16_MAX);
	struct bpf_program p = {0};
	int rc = -1;

	if (pcap == NULL)
		return fail("filter", -1);
	if (pcap_compile(pcap, &p, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		fprintf(stderr, "percore-ctl: filter: %s\n", pcap_geterr(pcap));
	} else if (has_loop(&p)) {
		fputs("percore-ctl: filter: protochain is not supported\n", stderr);
	} else if (n + p.bf_len > FILTER_MAX) {
		fprintf(stderr, "percore-ctl: filter: too long: %u instructions, room for %u\n",
		        p.bf_len, FILTER_MAX - n);
	} else {
		memcpy(insn + n, p.bf_insns, p.bf_len * sizeof(insn[0]));
		rc = (int)(n + p.bf_len);
	}
	pcap_freecode(&p);
	pcap_close(pcap);
	return rc;
}

int capture_filter(const char *direction, const char *expression, char *program, size_t size)
{
	struct bpf_insn insn[FILTER_MAX] = {0};
	const unsigned char *at = (const unsigned char *)insn;
	unsigned n = 0;
	int rc;

	if (direction != NULL) {
		n = check_direction(direction, insn);
		if (n == 0) {
			fprintf(stderr, "percore-ctl: direction: in or out, not \"%s\"\n",
			        direction);
			return 1;
		}
	}
	rc = compile(expression, insn, n);
	if (rc < 0)
		return 1;
	if (2 * (size_t)rc * sizeof(insn[0]) >= size) {
		errno = E2BIG;
		return fail("filter", 2);
	}
	for (size_t i = 0; i < (size_t)rc * sizeof(insn[0]); i++)
		snprintf(program + 2 * i, 3, "%02x", at[i]);
	return 0;
}

int capture_to(const char *file, int fd, const char *path)
{
	static char packet[PACKET_MAX];
	const struct timeval patience = {.tv_usec = 200000};
	ssize_t n;
	FILE *to;
	int status;

	catch_signals();
	/* with a time-out, a signal just before the call is noticed even if no packet arrives */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	n = next(fd, packet);
	if (n <= 0) {
		errno = n == 0 ? ECONNRESET : errno;
		return fail(path, 2);
	}
	if (strcmp(packet, "ok\n") != 0) {
		fprintf(stderr, "percore-ctl: %s",
		        strncmp(packet, "error ", 6) == 0 ? packet + 6 : packet);
		return 1;
	}
	to = strcmp(file, "-") == 0 ? stdout : fopen(file, "w");
	if (to == NULL)
		return fail(file, 2);
	status = write_packets(to, file, fd, packet);
	if (to != stdout && fclose(to) != 0 && status == 0)
		status = fail(file, 2);
	return status;
}
