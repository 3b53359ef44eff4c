/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_SOCK_H
#define POSIX_SOCK_H

/* What is done with a socket of the channel: calls to its lcore, its parts on several lcores, its
 * bytes, options and keys. */

#include "posix/client.h"

/* ---- calls (call.c) --------------------------------------------------------------------------- */

/** The arguments and results of a call. */
struct call {
	enum chan_op op;
	uint32_t sock;
	int32_t a, b, c;
	const void *in;
	uint32_t in_len;
	void *out;        /* receives at most out_len bytes */
	uint32_t out_len; /* on return: how many there were */
	bool secret;      /* erase the data from the shared memory afterwards */
};

/** option_is_key says whether an option's value contains a key. */
bool option_is_key(int level, int name);

/** call_lcore makes a call to an lcore and waits for the result. Returns it, or a negative
 * errno. */
int64_t call_lcore(uint32_t lcore, struct call *call);

/** call_sock makes a call about a socket to its lcore. */
int64_t call_sock(uint32_t sock, enum chan_op op, int32_t a, int32_t b, const void *in,
                  uint32_t in_len);

/* ---- parts ------------------------------------------------------------------------------------ */

/** sock_parts returns the number of parts of a socket. */
static inline uint32_t sock_parts(const struct chan_sock *s)
{
	uint32_t n = at_load(&s->nb_parts);

	return n < CHAN_MAX_LCORES ? n : CHAN_MAX_LCORES;
}

/** part_bytes returns the bytes to read from a part (with headers, of datagrams), or a listener's
 * pending connections. */
uint64_t part_bytes(uint32_t part);

/** sock_spread makes the parts of a bound socket on the other lcores. Returns 0 or -errno. */
int sock_spread(uint32_t sock, int backlog);

/** sock_gather closes the parts of a former listener. */
void sock_gather(uint32_t sock);

/** sock_choose_lcore moves an unbound stream that is about to connect to the next lcore in turn. */
void sock_choose_lcore(struct file *f);

/** file_move replaces a file's socket, unless another process has it. Returns whether it did. */
bool file_move(struct file *f, uint32_t to);

/* ---- bytes (stream.c, dgram.c) ---------------------------------------------------------------- */

/** These are recvmsg() and sendmsg() of a socket, after the caller's addresses have been checked: they sleep and raise SIGPIPE as
 * those do. room: the size of m->msg_control. They return how many bytes, or a negative errno. */
ssize_t stream_recv(uint32_t sock, const struct iovec *v, size_t n, int flags);
ssize_t stream_send(uint32_t sock, const struct iovec *v, size_t n, int flags);
ssize_t dgram_recv(uint32_t sock, struct msghdr *m, size_t room, int flags);
ssize_t dgram_send(uint32_t sock, const struct msghdr *m, int flags);

/** dgram_autobind gives a datagram socket a port, so that all lcores can receive for it. 0 or
 * -errno. */
int dgram_autobind(uint32_t sock);

/** must_not_wait says whether a call with these flags must not sleep. */
static inline bool must_not_wait(const struct chan_sock *s, int flags)
{
	return (flags & MSG_DONTWAIT) || at_peek(&s->nonblock);
}

/** connect_stream is connect() of a stream with a readable address; fast: where possible the SYN
 * waits for bytes to carry (RFC 7413), and the call returns 0. Returns 0 or a negative errno. */
int64_t connect_stream(struct file *f, const struct sockaddr *addr, socklen_t len, bool fast);

/** take_error returns and clears SO_ERROR, as a negative errno or 0. */
static inline int take_error(uint32_t sock)
{
	struct chan_sock *s = chan_sock(client.chan, sock);

	return at_load_sc(&s->error) == 0 ? 0 : -at_swap(&s->error, 0);
}

/* ---- options and state ------------------------------------------------------------------------ */

/** sock_option returns the n'th of the stack's options that were set on a socket, or NULL: there
 * are no more. */
const struct chan_option *sock_option(uint32_t sock, uint32_t n);

/** sock_option_value returns the value that such an option was set to, which may be in *room. */
const void *sock_option_value(const struct chan_option *o, struct group_source_req *room,
                              socklen_t *len);

/** sock_is_used says whether a stream listens or has a peer, or whether a datagram has been sent or
 * received. */
bool sock_is_used(uint32_t sock);

/** sock_is_shared says whether another process has the socket too, through a fork or a message. */
bool sock_is_shared(const struct chan_sock *s);

/* ---- keys (keys.c) ---------------------------------------------------------------------------- */

struct tcp_md5sig;

/** sock_key reads key n of a stream (TCP_MD5SIG). Returns 0, -ENOENT (no such key), or another
 * negative errno. */
int64_t sock_key(uint32_t sock, int32_t n, struct tcp_md5sig *key);

struct tcp_ao_add;
struct tcp_ao_getsockopt;
struct tcp_ao_info_opt;

/** sock_ao_key is pc_get_ao_key, but returns a negative errno instead of -1. */
int64_t sock_ao_key(uint32_t sock, const struct tcp_ao_getsockopt *question, int32_t n,
                    struct tcp_ao_getsockopt *key);

/** sock_nth_ao_key reads key n of a stream (TCP_AO_ADD_KEY) in the form that adds it to another
 * socket. Returns whether there is one. sock_ao_info reads TCP_AO_INFO. Returns whether there is
 * any. */
bool sock_nth_ao_key(uint32_t sock, int32_t n, struct tcp_ao_add *key);
bool sock_ao_info(uint32_t sock, struct tcp_ao_info_opt *info);

/** sock_copy_keys copies the keys of one stream to another. Returns 0 or a negative errno. */
int64_t sock_copy_keys(uint32_t from, uint32_t to);

/** sock_get_ao_keys is getsockopt() with TCP_AO_GET_KEYS. Returns 0 or a negative errno. */
int64_t sock_get_ao_keys(uint32_t sock, void *value, socklen_t *len);

#endif
