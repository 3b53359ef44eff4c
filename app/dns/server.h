/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_SERVER_H
#define DNS_SERVER_H

/* One DNS server per lcore: its sockets, and what of a TCP connection is to be remembered. */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#include "answer.h"
#include "dns_config.h"
#include "rrl.h"
#include "store.h"

/** A TCP connection (RFC 7766). Bytes that have come and are no whole query yet stay in the stack. */
struct conn {
	uint32_t newer, older; /**< by the time of the last query; 0: none */
	uint64_t since_ns;     /**< that time, or that of the connection's begin */
	uint32_t need;         /**< bytes that make the next query whole, as far as is known */
	uint32_t sent;   /**< bytes of the answer to the next query that have been sent already */
	uint32_t zones;  /**< the number of the zones that that answer is made of */
	uint32_t made_s; /**< and its time */
	uint32_t
	    queued; /**< bytes that the peer had still to take when it last found no room; 0: it did */
	uint32_t again;  /**< who comes after it in the list of those with more queries; 0: none */
	bool waits_turn; /**< it is in that list, though perhaps as what had its number before */
	bool used;
	bool ended; /**< nothing more will come */
	bool over;  /**< nothing more is answered; what comes is thrown away */
};

/** What all servers of the program have in common. */
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
	const struct zones *zones; /**< for this turn */
	struct published_reader *reader;
	struct conn *conns; /**< by descriptor; number 0 is unused */
	uint32_t max_conns;
	uint32_t oldest, newest;          /**< 0: there is no connection */
	uint32_t again_first, again_last; /**< those that have had their share of a turn; 0: none */
	struct rrl *rrl;                  /**< NULL: there is no limit */
	int epfd, listener, udp;          /**< -1: closed */
	bool more;                        /**< datagrams wait for the next turn */
	struct counts *counts;            /**< ours; others read it */
	uint8_t in[2 + DNS_MESSAGE_MAX + 1];
	uint8_t out[2 + ANSWER_MAX];
};

/** server_start makes a server on a stack; config and counts must outlive it. Returns NULL with a line for a person in why. */
struct server *server_start(struct pc_stack *st, const struct server_config *config,
                            struct counts *counts, char *why, size_t why_len);

/** server_turn answers what has come. */
void server_turn(struct server *s, uint64_t now_ns);

/** server_next_deadline tells when server_turn has something to do without a frame. */
uint64_t server_next_deadline(const struct server *s);

/** server_drain answers what has come, and closes everything; the stack still delivers what is queued. */
void server_drain(struct server *s, uint64_t now_ns);

/** server_finish frees the server. */
void server_finish(struct server *s);

/** udp_serve answers datagrams, up to a limit. Returns whether it was reached. */
bool udp_serve(struct server *s);

/** conn_open begins with a connection, conn_event serves it (events are those of pc_epoll_wait), conn_close ends it: what is queued is
 * still delivered. */
void conn_open(struct server *s, int fd);
void conn_event(struct server *s, int fd, uint32_t events);
void conn_close(struct server *s, int fd);

/** conn_again serves connections that have had their share of an earlier turn. */
void conn_again(struct server *s);

/** server_now_s tells the time as cookies have it. */
uint32_t server_now_s(const struct server *s);

/** conn_expire closes connections that have been without a query for too long. */
void conn_expire(struct server *s);

#endif
