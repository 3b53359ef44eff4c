/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_CONFIG_H
#define LOAD_CONFIG_H

/* The settings of percore-load: one list, as percore/config.h explains. */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

/* clang-format off */
#define LOAD_KEYS(X) \
X(load, port, 0, 0, 65535, "port", "port of the server; 0: 7 for echoes, 80 for HTTP, 9 for bulk-in, 19 for bulk-out") \
X(load, conns, 64, 1, 40000000, "connections", "connections; in mode connrate, as many at a time") \
X(load, size, 64, 1, 1073741824, "bytes", "message size; of a bare frame its length with FCS, 64 to 1518") \
X(load, busy, 0, 0, 40000000, "connections", "modes echo, http and ask: number of connections that send requests; the others are open and idle; 0: all") \
X(load, skew, 0, 0, 300, "hundredths", "mode hold: the n-th most popular connection gets requests in proportion to 1/n^(skew/100) (Zipf); 0: uniform") \
X(load, slow, 0, 0, 1000000, "connections", "modes echo, http, ask and bulk-out: number of slow readers among the connections, which are not measured") \
X(load, slow_rate, 10000, 0, 1000000000, "bytes/s", "rate at which a slow reader reads; 0: never") \
X(load, slow_window, 4096, 1, 65535, "bytes", "receive buffer of a slow reader") \
X(load, slow_ask, 262144, 1, 67108864, "bytes", "bytes of outstanding requests of a slow reader, as far as the server's window allows") \
X(load, depth, 1, 1, 1024, "requests", "outstanding requests on a connection") \
X(load, run_ms, 3000, 1, 86400000, "ms", "length of the measured run") \
X(load, warm_ms, 500, 0, 86400000, "ms", "warm-up before the run, which is not measured") \
X(load, rate, 0, 0, 1000000000, "1/s", "open loop: requests, connections or frames per second in all, sent when they are due; 0: closed loop, in which each answer triggers the next request") \
X(load, burst, 1, 1, 1000000, "requests", "with a rate: number of requests that are due at the same time") \
X(load, open_rate, 0, 0, 100000000, "connections/s", "connections opened per second before the run, at most; 0: no limit") \
X(load, open_window, 256, 1, 65536, "connections", "handshakes in progress at a time, at most") \
X(load, sources, 0, 0, 65536, "addresses", "addresses that connections come from, counted up from --addr; 0: one for each 32768 connections") \
X(load, slots, 0, 0, 40000000, "connections", "pairs of address and port that mode connrate uses in turn; 0: 262144, or four times conns") \
X(load, first_port, 16384, 1, 65535, "port", "first port of each address; 32768 are used, or fewer") \
X(load, mss, 1460, 64, 9660, "bytes", "MSS that is announced, and the longest segment sent, as far as the port's MTU allows; 20 less over IPv6") \
X(load, scale, 15, 0, 15, "bits", "window scale that is announced; 15: 7 in the bulk modes, else none") \
X(load, receive_window, 65535, 1024, 65535, "bytes", "receive window, before scaling") \
X(load, timestamps, 0, 0, 1, "boolean", "offer timestamps (RFC 7323)") \
X(load, sack, 1, 0, 1, "boolean", "offer SACK (RFC 2018) where more than one segment may be in flight on a connection") \
X(load, ack_every, 2, 1, 1000, "segments", "full segments of a stream per acknowledgement") \
X(load, coalesce, 0, 0, 1, "boolean", "requests sent at the same time share segments") \
X(load, http, 0, 0, 1, "boolean", "modes connrate and hold: HTTP requests instead of echoes") \
X(load, close, 0, 0, 1, "boolean", "mode connrate: wait for the server to close first") \
X(load, sample, 10000, 0, 100000000, "requests/s", "mode hold: requests per second, on random connections") \
X(load, check_all, 0, 0, 1, "boolean", "send a request on every connection at the end of the run") \
X(load, end, 0, 0, 2, "mode", "connections at the end: 0: closed by FIN, 1: reset, 2: left open") \
X(load, window, 512, 1, 30000, "frames", "modes ping and udp: outstanding frames") \
X(load, verify_checksums, 1, 0, 1, "boolean", "verify the checksum of every frame received") \
X(load, speed, 100, 0, 1000000, "percent", "mode replay: speed relative to the capture; 0: as fast as the port takes them; load.rate overrides it") \
X(load, loops, 1, 1, 1000000000, "times", "mode replay: how often the file is sent") \
X(load, wait_ms, 20000, 1, 3600000, "ms", "how long to wait for the link and the neighbour") \
X(load, answer_ms, 5000, 0, 240000, "ms", "how long a connection waits without a byte from the server before it is reset and replaced; 0: without limit") \
X(load, loss_ppm, 0, 0, 1000000, "ppm", "frames dropped on purpose, in each direction") \
X(load, loss_in_ppm, 0, 0, 1000000, "ppm", "the same for received frames only") \
X(load, loss_out_ppm, 0, 0, 1000000, "ppm", "the same for sent frames only") \
X(load, flood_rate, 0, 0, 100000000, "frames/s", "rate of --flood; 0: as fast as the port takes them") \
X(load, overflow, 0, 0, 1, "boolean", "drop frames for which the port has no room, as the ring of a NIC does, instead of waiting") \
X(load, seed, 1, 1, UINT64_MAX, "number", "random seed: bytes sent, connections chosen, frames dropped") \
X(load, progress, 1, 0, 1, "boolean", "print a line each second") \
X(load, watch, 0, 0, 4194304, "process", "process whose CPU use is reported too; 0: none")
/* clang-format on */

struct ask;
struct mode;

/** Every setting. */
struct load_config {
#define LOAD_KEY_MEMBER(section, name, def, min, max, unit, sentence) uint64_t name;
	LOAD_KEYS(LOAD_KEY_MEMBER)
#undef LOAD_KEY_MEMBER
	const struct mode *mode;
	struct pc_addr server; /* any: not given */
	uint8_t mac[6];        /* where frames go; all 0: it is resolved */
	const char *path;      /* of HTTP */
	const char *file;      /* mode replay */
	const struct ask *ask; /* mode ask: the request */
	const char *label;
	const char *flood;         /* kind of the flood beside the load; NULL: none */
	const struct sizes *sizes; /* of messages; NULL: all have size */
};

#endif
