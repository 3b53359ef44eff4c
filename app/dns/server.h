/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_SERVER_H
#define DNS_SERVER_H

/* One DNS server per lcore: its sockets, and what is remembered of a TCP connection. */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#include "answer.h"
#include "dns_config.h"
#include "rrl.h"
#include "store.h"

/** A TCP connection (RFC 7766). Received bytes that are not yet a complete query stay in the
 * stack. */
struct conn {
	uint32_t newer, older; /**< by the time of the last query; 0: none */
	uint64_t since_ns;     /**< that time, or when the connection was opened */
	uint32_t need;         /**< bytes of the next query, as far as is known */
	uint32_t sent;         /**< bytes of the response to the next query already sent */
	uint32_t zones;        /**< number of the zones that response is made from */
	uint32_t made_s;       /**< and its time */
	uint32_t
	    queued; /**< bytes not acknowledged when a response last found no room; 0: none waits */
	uint32_t again;  /**< the next in the list of connections with more queries; 0: none */
	bool waits_turn; /**< it is in that list, perhaps from before the descriptor was reused */
	bool used;
	bool ended; /**< the peer will send no more */
	bool over;  /**< no more is answered, and input is discarded */
};

/** What all servers of the program share. */
struct server_config {
	const struct dns_config *dns;
	struct answer_config answer;
	struct rrl_config rrl;
	struct store *store;
};

struct server {
	struct pc_stack *st;
	uint64_t now_ns;
	const struct server_config *config;
	const struct zones *zones; /**< in this turn */
	struct published_reader *reader;
	struct conn *conns; /**< by descriptor; number 0 is unused */
	uint32_t max_conns;
	uint32_t oldest, newest;          /**< 0: there is no connection */
	uint32_t again_first, again_last; /**< used up their share of a turn; 0: none */
	struct rrl *rrl;                  /**< NULL: no limit */
	int epfd, listener, udp;          /**< -1: closed */
	bool more;                        /**< there may be more to do in the next turn */
	struct counts *counts;            /**< ours; other threads read it */
	uint8_t in[2 + DNS_MESSAGE_MAX + 1];
	uint8_t out[2 + ANSWER_MAX];
};

/** server_start makes a server on a stack; config and counts must outlive it. Returns NULL with a
 * line for the user in why. */
struct server *server_start(struct pc_stack *st, const struct server_config *config,
                            struct counts *counts, char *why, size_t why_len);

/** server_turn answers what has been received. */
void server_turn(struct server *s, uint64_t now_ns);

/** server_next_deadline returns when server_turn has something to do even if no frame arrives. */
uint64_t server_next_deadline(const struct server *s);

/** server_drain answers what has been received, and closes everything; the stack still delivers
 * what is queued. */
void server_drain(struct server *s, uint64_t now_ns);

/** server_finish frees the server. */
void server_finish(struct server *s);

/** udp_serve answers datagrams, up to a limit. Returns whether that was reached. */
bool udp_serve(struct server *s);

/** conn_open begins to serve a connection, conn_event handles its events (those of pc_epoll_wait),
 * and conn_close closes it: what is queued is still delivered. */
void conn_open(struct server *s, int fd);
void conn_event(struct server *s, int fd, uint32_t events);
void conn_close(struct server *s, int fd);

/** conn_again serves connections that used up their share of an earlier turn. */
void conn_again(struct server *s);

/** server_now_s returns the time as cookies have it. */
uint32_t server_now_s(const struct server *s);

/** conn_expire closes connections that have been idle for too long. */
void conn_expire(struct server *s);

#endif
