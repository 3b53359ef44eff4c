/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_HTTP_CONFIG_H
#define HTTPD_HTTP_CONFIG_H

/* The keys of section [http]: X(name, default, min, max, unit, sentence). */

#include <stdint.h>

/* clang-format off */
#define HTTP_KEYS(X) \
X(listen, 80, 1, 65535, "port", "TCP port, on every address") \
X(header_bytes, 8192, 1024, 32768, "bytes", \
  "longest request header, request line included; more is answered with 431") \
X(target_bytes, 4096, 64, 16384, "bytes", "longest request target; more is answered with 414") \
X(header_fields, 100, 8, 1000, "fields", "most header fields of a request; more is answered with 431") \
X(body_bytes, 1048576, 0, 1099511627776, "bytes", \
  "longest request body, which is read and discarded; more is answered with 413") \
X(requests, 0, 0, 1000000000, "requests", "requests per connection before it is closed; 0: no limit") \
X(header_ms, 10000, 100, 3600000, "ms", "time for a whole request header; for the first one from the start of the connection") \
X(body_ms, 60000, 100, 3600000, "ms", "time for a whole request body") \
X(idle_ms, 60000, 100, 86400000, "ms", "time that a connection may wait for its next request") \
X(send_ms, 30000, 100, 3600000, "ms", "period over which a client's progress is measured (http.send_rate)") \
X(send_rate, 64, 0, 1000000000, "bytes/s", \
  "rate at which a client must take its response, on average over http.send_ms; 0: one byte in that time") \
X(linger_ms, 2000, 100, 60000, "ms", "time for a client to read the last response before its connection is dropped") \
X(buffers, 0, 0, 1000000, "buffers", \
  "incomplete requests held per lcore, header_bytes each; a new one evicts the oldest; 0: max_connections / 8, within [64,16384]") \
X(backlog, 4096, 1, 1048576, "connections", "backlog of listen(): connections that wait to be accepted, per lcore") \
X(max_files, 100000, 1, 100000000, "files", "files and directories below the root, at most; a link counts as its target") \
X(copy_bytes, 65536, 0, 1073741824, "bytes", "files up to this size are copied at start, larger ones are mapped") \
X(preload_bytes, 268435456, 0, 1099511627776, "bytes", "mapped files are read in advance up to this total") \
X(rescan_ms, 1000, 0, 86400000, "ms", "time between two scans of the root for changes; 0: never") \
X(log_records, 16384, 16, 16777216, "records", "access log records per lcore that wait to be written; more are counted and lost")
/* clang-format on */

struct http_config {
#define HTTP_KEY_MEMBER(name, def, min, max, unit, sentence) uint64_t name;
	HTTP_KEYS(HTTP_KEY_MEMBER)
#undef HTTP_KEY_MEMBER
};

#endif
