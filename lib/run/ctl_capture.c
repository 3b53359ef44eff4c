/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures frames of a running program; see ctl_capture.h.
 *
 * Overview: a lane is one stack's part: its socket, and room for the frames that one call reads
 * from it, at most LANE_FRAMES, a few microseconds' work for an lcore.  A turn has every empty lane
 * filled, and sends the frames of all in order of time, up to the time until which each lane is known;
 * later ones wait for the next turn.  A slow client is not waited for: while the control socket is
 * full nothing is read, and the stacks' sockets overflow before they hold a quarter of a stack's
 * mbufs, so that a capture does not cost a server its clients.  An lcore that does not answer is not
 * waited for either: its frames come when it does.
 *
 * Ownership: lanes are written by lcores, see ctl_call.
 */
#include "ctl_capture.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <percore/socket.h>
#include <rte_common.h>

#include "serve/host.h"
#include "stack/stack.h"
#include "worker.h"

#define LANE_FRAMES  32
#define LANE_BYTES   (128 * 1024)
#define SOCKET_BYTES (8 << 20) /* receive buffer of a stack's socket */
#define SOCKET_SHARE 4         /* ... but at most this fraction of the stack's mbufs */
#define PACKET_MAX   (48 * 1024)
#define CONN_BYTES   (4 << 20)
#define FRAME_HEADER 16
#define ROUNDS       64                    /* per turn, so that other commands are served */
#define LAG_NS       UINT64_C(10000000000) /* a lane that is so far behind is not waited for */

#define PCAP_NANO_MAGIC 0xa1b23c4d

/** A frame as a lane keeps it. */
struct captured {
	uint64_t at_ns; /* since 1970 */
	uint32_t len, caplen;
	const uint8_t *bytes;
};

struct lane {
	struct ctl_capture *capture;
	const struct worker *worker;
	struct ctl_call call;
	int fd;            /* of the stack; -1: none yet */
	bool late;         /* its lcore has not answered yet, and may write to it */
	unsigned n, next;  /* frames, and the first of them that is not in sorted yet */
	uint64_t until_ns; /* frames that are not in the lane yet are not older */
	uint32_t used;
	uint32_t dropped; /* by the socket so far */
	struct captured frame[LANE_FRAMES];
	uint8_t bytes[LANE_BYTES];
};

struct ctl_capture {
	struct ctl_capture_args args;
	struct sock_fprog program; /* of args */
	const bool *ends;
	int conn;
	uint64_t frames;
	unsigned nb_lanes;
	unsigned nb_sorted, next; /* frames of all lanes in order of time; the next to send */
	const struct captured **sorted;
	uint32_t packed; /* bytes in packet, including the first, which gives the type */
	bool full;       /* packet could not be sent yet */
	uint8_t packet[PACKET_MAX];
	struct lane lane[];
};

/* ---- on the lcores --------------------------------------------------------------------------- */

static struct lane *lane_of(const void *data)
{
	struct lane *l;

	memcpy(&l, data, sizeof(l));
	return l;
}

/* The receive buffer of a stack's socket, which counts at least UDP_OVERHEAD bytes for each
 * mbuf. */
static int room_of(const struct pc_stack *st)
{
	const uint64_t share = (uint64_t)st->ctx.pool->size / SOCKET_SHARE * UDP_OVERHEAD;

	return (int)RTE_MIN(share, (uint64_t)SOCKET_BYTES);
}

static int prepare(struct pc_stack *st, const struct lane *l, int fd)
{
	const struct ctl_capture *c = l->capture;
	const int on = 1, bytes = room_of(st);
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
	                         .sll_protocol = htons(ETH_P_ALL),
	                         .sll_ifindex = c->args.port + 1};

	(void)pc_setsockopt(st, fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (pc_setsockopt(st, fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0 ||
	    pc_setsockopt(st, fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) != 0 ||
	    (c->program.len != 0 && pc_setsockopt(st, fd, SOL_SOCKET, SO_ATTACH_FILTER, &c->program,
	                                          sizeof(c->program)) != 0) ||
	    (c->args.port >= 0 && pc_bind(st, fd, (struct sockaddr *)&ll, sizeof(ll)) != 0))
		return -errno;
	return 0;
}

static int open_lane(struct pc_stack *st, const void *data)
{
	struct lane *l = lane_of(data);
	const int fd = pc_socket(st, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	int rc;

	if (fd < 0)
		return -errno;
	rc = prepare(st, l, fd);
	if (rc != 0)
		(void)pc_close(st, fd);
	else
		l->fd = fd;
	return rc;
}

static int close_lane(struct pc_stack *st, const void *data)
{
	struct lane *l = lane_of(data);

	(void)pc_close(st, l->fd);
	l->fd = -1;
	return 0;
}

/* the control data of a frame */
static void read_control(struct lane *l, struct msghdr *msg, struct captured *f)
{
	struct timespec at = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SO_TIMESTAMPNS)
			memcpy(&at, CMSG_DATA(c), sizeof(at));
		else if (c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&l->dropped, CMSG_DATA(c), sizeof(l->dropped));
	}
	f->at_ns = (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static int fill_lane(struct pc_stack *st, const void *data)
{
	struct lane *l = lane_of(data);
	const uint32_t snaplen = l->capture->args.snaplen;
	union {
		struct cmsghdr align;
		char bytes[256];
	} control;

	l->n = l->next = l->used = 0;
	l->until_ns = 0;
	while (l->n < LANE_FRAMES && l->used + snaplen <= LANE_BYTES) {
		struct iovec iov = {.iov_base = l->bytes + l->used, .iov_len = snaplen};
		struct msghdr msg = {.msg_iov = &iov,
		                     .msg_iovlen = 1,
		                     .msg_control = &control,
		                     .msg_controllen = sizeof(control)};
		struct captured *f = &l->frame[l->n];
		const ssize_t len = pc_recvmsg(st, l->fd, &msg, MSG_TRUNC);

		if (len < 0) {
			l->until_ns = RTE_MAX(l->until_ns, ctx_time_of_day(&st->ctx));
			break;
		}
		f->bytes = l->bytes + l->used;
		f->len = (uint32_t)len;
		f->caplen = RTE_MIN(f->len, snaplen);
		read_control(l, &msg, f);
		l->until_ns = RTE_MAX(l->until_ns, f->at_ns); /* even if the clock was set back */
		l->used += f->caplen;
		l->n++;
	}
	return 0;
}

/* ---- to the client --------------------------------------------------------------------------- */

/* Sends the packed frames; flags: MSG_DONTWAIT, or 0 to wait for the client until the connection's
 * time-out. Returns false if the client is gone. */
static bool send_packed(struct ctl_capture *c, int flags)
{
	ssize_t sent;

	if (c->packed <= 1)
		return true;
	sent = send(c->conn, c->packet, c->packed, MSG_NOSIGNAL | flags);
	c->full = sent < 0 && (errno == EAGAIN || errno == ENOBUFS);
	if (sent >= 0)
		c->packed = 1;
	return sent >= 0 || c->full;
}

static void pack(struct ctl_capture *c, const void *bytes, uint32_t n)
{
	memcpy(c->packet + c->packed, bytes, n);
	c->packed += n;
}

static void pack_header(struct ctl_capture *c)
{
	const struct pcap_file_header h = {.magic = PCAP_NANO_MAGIC,
	                                   .version_major = 2,
	                                   .version_minor = 4,
	                                   .snaplen = c->args.snaplen,
	                                   .linktype = DLT_EN10MB};

	c->packet[0] = 'd';
	c->packed = 1;
	pack(c, &h, sizeof(h));
}

static void pack_frame(struct ctl_capture *c, const struct captured *f)
{
	/* the format of the file, whatever the size of time_t */
	const uint32_t h[FRAME_HEADER / 4] = {(uint32_t)(f->at_ns / 1000000000),
	                                      (uint32_t)(f->at_ns % 1000000000), f->caplen, f->len};

	pack(c, h, sizeof(h));
	pack(c, f->bytes, f->caplen);
	c->frames++;
}

static bool is_enough(const struct ctl_capture *c)
{
	return c->args.count != 0 && c->frames >= c->args.count;
}

/* by time, and by order of arrival for equal times */
static int by_time(const void *a, const void *b)
{
	const struct captured *const *x = a, *const *y = b;

	if ((*x)->at_ns != (*y)->at_ns)
		return (*x)->at_ns < (*y)->at_ns ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

/* Sends the sorted frames. Returns false if the client is gone. */
static bool send_sorted(struct ctl_capture *c)
{
	for (; c->next < c->nb_sorted && !is_enough(c); c->next++) {
		const struct captured *f = c->sorted[c->next];

		if (c->packed + FRAME_HEADER + f->caplen > PACKET_MAX &&
		    !send_packed(c, MSG_DONTWAIT))
			return false;
		if (c->full)
			return true;
		pack_frame(c, f);
	}
	return send_packed(c, MSG_DONTWAIT);
}

/* ---- turns ----------------------------------------------------------------------------------- */

/* Fills a lane if it is empty. Returns 0 or a negative errno. */
static int fill_empty(const struct ctl_capture *c, struct lane *l)
{
	int rc = -EBUSY;

	if (ctl_call_is_made(&l->call))
		rc = l->next < l->n ? 0 : ctl_call(&l->call, c->ends, l->worker, fill_lane, l);
	/* an lcore that is slow now may answer later */
	l->late = rc == -ETIMEDOUT || rc == -EBUSY;
	return l->late ? 0 : rc;
}

/* Says whether a frame is not to wait for others. If the clock is set back it would wait too long. */
static bool is_due(const struct captured *f, uint64_t until_ns)
{
	return f->at_ns <= until_ns || f->at_ns - until_ns > LAG_NS;
}

/* Fills the lanes, and sorts the frames that no lane can get older ones than: at least all of one lane.
 * Returns 0 or a negative errno. */
static int fill(struct ctl_capture *c)
{
	uint64_t until_ns = UINT64_MAX;

	c->nb_sorted = c->next = 0;
	for (unsigned i = 0; i < c->nb_lanes; i++) {
		const int rc = fill_empty(c, &c->lane[i]);

		if (rc != 0)
			return rc;
		if (!c->lane[i].late)
			until_ns = RTE_MIN(until_ns, c->lane[i].until_ns);
	}
	for (unsigned i = 0; i < c->nb_lanes; i++) {
		struct lane *l = &c->lane[i];

		while (!l->late && l->next < l->n && is_due(&l->frame[l->next], until_ns))
			c->sorted[c->nb_sorted++] = &l->frame[l->next++];
	}
	qsort(c->sorted, c->nb_sorted, sizeof(c->sorted[0]), by_time);
	return 0;
}

/* the client has shut down its side, or is gone */
static bool is_told_to_end(const struct ctl_capture *c)
{
	char byte;

	return recv(c->conn, &byte, 1, MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EINTR);
}

bool ctl_capture_turn(struct ctl_capture *c)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		int rc = 0;

		if (is_told_to_end(c) || is_enough(c))
			return false;
		if (c->next == c->nb_sorted && !c->full)
			rc = fill(c);
		if (rc != 0 || !send_sorted(c))
			return false;
		if (c->full || c->nb_sorted == 0)
			break;
	}
	return true;
}

/* ---- life ------------------------------------------------------------------------------------ */

struct ctl_capture *ctl_capture_create(struct run *r, const bool *ends,
                                       const struct ctl_capture_args *args)
{
	struct ctl_capture *c = calloc(1, sizeof(*c) + r->nb_workers * sizeof(c->lane[0]));

	if (c == NULL)
		return NULL;
	c->sorted = calloc((size_t)r->nb_workers * LANE_FRAMES, sizeof(c->sorted[0]));
	if (c->sorted == NULL) {
		free(c);
		return NULL;
	}
	c->args = *args;
	c->program = (struct sock_fprog){.len = args->nb_insn, .filter = c->args.insn};
	c->ends = ends;
	c->conn = -1;
	c->nb_lanes = r->nb_workers;
	for (unsigned i = 0; i < c->nb_lanes; i++) {
		c->lane[i].capture = c;
		c->lane[i].worker = r->workers[i];
		c->lane[i].fd = -1;
	}
	return c;
}

/* Returns 0, or -1 with a line in why. */
static int open_lanes(struct ctl_capture *c, char *why, size_t len)
{
	for (unsigned i = 0; i < c->nb_lanes; i++) {
		struct lane *l = &c->lane[i];
		const int rc = ctl_call(&l->call, c->ends, l->worker, open_lane, l);

		if (rc != 0) {
			snprintf(why, len, "lcore %u: %s", l->worker->lcore, strerror(-rc));
			return -1;
		}
	}
	return 0;
}

int ctl_capture_start(struct ctl_capture *c, int conn, char *why, size_t len)
{
	const int bytes = CONN_BYTES;

	if (open_lanes(c, why, len) != 0)
		return -1;
	c->conn = conn;
	(void)setsockopt(conn, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	(void)send(conn, "ok\n", 3, MSG_NOSIGNAL);
	pack_header(c);
	return 0;
}

static void send_report(const struct ctl_capture *c)
{
	char text[128];
	uint64_t dropped = 0;
	int n;

	for (unsigned i = 0; i < c->nb_lanes; i++)
		dropped += c->lane[i].dropped;
	n = snprintf(text, sizeof(text), "s%" PRIu64 " frames captured, %" PRIu64 " dropped\n",
	             c->frames, dropped);
	(void)send(c->conn, text, (size_t)n, MSG_NOSIGNAL);
}

/* Closes a lane's socket. Returns whether that is done, and no lcore writes to the lane any
 * more. */
static bool end_lane(struct lane *l)
{
	const bool *ends = l->capture->ends;

	if (!ctl_call_is_made(&l->call))
		return false;
	if (l->fd >= 0 && !__atomic_load_n(ends, __ATOMIC_ACQUIRE))
		(void)ctl_call(&l->call, ends, l->worker, close_lane, l);
	return ctl_call_is_made(&l->call) && (l->fd < 0 || __atomic_load_n(ends, __ATOMIC_ACQUIRE));
}

bool ctl_capture_end(struct ctl_capture *c)
{
	bool all = true;

	for (unsigned i = 0; i < c->nb_lanes; i++)
		all &= end_lane(&c->lane[i]);
	if (c->conn >= 0) {
		/* packed frames count as captured, but may have had to wait for room */
		if (send_packed(c, 0) && !c->full)
			send_report(c);
		(void)close(c->conn);
	}
	c->conn = -1;
	return all;
}

void ctl_capture_free(struct ctl_capture *c)
{
	if (c != NULL)
		free(c->sorted);
	free(c);
}
