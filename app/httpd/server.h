/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_SERVER_H
#define HTTPD_SERVER_H

/* One HTTP server per lcore: its listener, its connections and what they share. */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#include "access_log.h"
#include "batch.h"
#include "buffers.h"
#include "conn.h"
#include "http_config.h"
#include "memo.h"
#include "site.h"
#include "timeouts.h"

struct server {
	struct pc_stack *st;
	uint64_t now_ns;
	void *memory;       /**< allocation that contains conns */
	struct conn *conns; /**< by descriptor; number 0 is unused */
	uint32_t nb_conns;  /**< in use */
	uint32_t max_conns; /**< elements of conns */
	uint32_t end_conns; /**< connections from here on have never been in use */
	int epfd, listener; /**< listener: -1 once closed */
	bool draining;
	/** Connections to be continued in the next turn, linked by again; 0: none. */
	uint32_t again_first, again_last;
	const struct files *files; /**< for this turn */
	struct http_limits limits;
	struct http_config config;
	struct site *site;
	struct published_reader *reader;
	struct access_ring *log; /**< NULL: no access log */
	struct buffers buffers;
	struct timeouts timeouts;
	struct reply_stamp stamp;
	struct http_request request; /**< state of the request being parsed, if it has no buffer */
	struct memo memo;            /**< of the last request parsed in input */
	char *input;                 /**< header_bytes: what was just received */
	char *path;                  /**< room for a target */
	struct batch batch;
};

/** What all servers of the program share. */
struct server_config {
	const struct http_config *http;
	struct site *site;
	struct access_log *log; /**< NULL: none */
};

/** server_start makes a server on a stack. Returns NULL with a one-line error message in why. */
struct server *server_start(struct pc_stack *st, const struct server_config *config, char *why,
                            size_t why_len);

/** server_turn handles all events that are ready. */
void server_turn(struct server *s, uint64_t now_ns);

/**
 * server_next_deadline returns when server_turn must run even if no frame arrives: at once, or at a
 * tick of its time-outs.
 */
uint64_t server_next_deadline(const struct server *server);

/**
 * server_drain stops listening and closes idle connections; the others end after their response.
 */
void server_drain(struct server *s, uint64_t now_ns);

/** server_drained says whether all connections have ended. */
bool server_drained(const struct server *s);

/** server_finish frees the server. */
void server_finish(struct server *s);

#endif
