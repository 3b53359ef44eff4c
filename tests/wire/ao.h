/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_AO_H
#define WIRE_AO_H

/* What the suites about TCP-AO (RFC 5925) share. */

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <percore/tcp_ao.h>

#include "frame6.h"
#include "wt.h"

#define MSS 1460
#define KEY "correct horse"
#define NEW "battery staple"

/* The stack signs by KeyID 100 and asks for 50; the peer the other way round. */
static const struct wt_ao in __attribute__((unused)) = {KEY, .id = 50, .rnext = 100};
static const struct wt_ao out __attribute__((unused)) = {KEY, .id = 100, .rnext = 50};

/* the same KeyIDs with another password, or a shorter digest */
static const struct wt_ao in_new __attribute__((unused)) = {NEW, .id = 50, .rnext = 100};
static const struct wt_ao out_new __attribute__((unused)) = {NEW, .id = 100, .rnext = 50};
static const struct wt_ao in_short
    __attribute__((unused)) = {KEY, .mac_len = 8, .id = 50, .rnext = 100};

/* other KeyIDs: 101 and 51, and the other password */
static const struct wt_ao in2 __attribute__((unused)) = {NEW, .id = 51, .rnext = 101};
static const struct wt_ao out2 __attribute__((unused)) = {NEW, .id = 101, .rnext = 51};

static inline void put_peer(struct sockaddr_storage *to, const char *peer)
{
	const struct pc_addr peer6 = addr6_of4(inet_addr(peer));
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in4 = {.sin_family = AF_INET};

	in4.sin_addr.s_addr = inet_addr(peer);
	memcpy(&in6.sin6_addr, &peer6, 16);
	memset(to, 0, sizeof(*to));
	if (wt_ip6)
		memcpy(to, &in6, sizeof(in6));
	else
		memcpy(to, &in4, sizeof(in4));
}

static inline uint8_t bits_of(unsigned bits4)
{
	return (uint8_t)(wt_ip6 ? 96 + bits4 : bits4);
}

/* bits: of an IPv4 prefix */
static inline struct tcp_ao_add key_for(const char *peer, unsigned bits, const char *password,
                                        uint8_t sndid, uint8_t rcvid)
{
	struct tcp_ao_add k = {.alg_name = "hmac(sha1)",
	                       .prefix = bits_of(bits),
	                       .sndid = sndid,
	                       .rcvid = rcvid,
	                       .keylen = (uint8_t)strlen(password)};

	put_peer(&k.addr, peer);
	memcpy(k.key, password, strlen(password));
	return k;
}

static inline int set(struct wt *w, int fd, int name, const void *value, socklen_t len)
{
	return pc_setsockopt(w->st, fd, IPPROTO_TCP, name, value, len);
}

static inline int add_key(struct wt *w, int fd, const char *password, uint8_t sndid, uint8_t rcvid)
{
	const struct tcp_ao_add k = key_for(WT_PEER, 32, password, sndid, rcvid);

	return set(w, fd, TCP_AO_ADD_KEY, &k, sizeof(k));
}

static inline int del_key(struct wt *w, int fd, const char *peer, unsigned bits, uint8_t sndid,
                          uint8_t rcvid)
{
	struct tcp_ao_del d = {.prefix = bits_of(bits), .sndid = sndid, .rcvid = rcvid};

	put_peer(&d.addr, peer);
	return set(w, fd, TCP_AO_DEL_KEY, &d, sizeof(d));
}

static inline int set_info(struct wt *w, int fd, const struct tcp_ao_info_opt *info)
{
	return set(w, fd, TCP_AO_INFO, info, sizeof(*info));
}

static inline struct tcp_ao_info_opt get_info(struct wt *w, int fd)
{
	struct tcp_ao_info_opt info = {0};
	socklen_t len = sizeof(info);

	OK(pc_getsockopt(w->st, fd, IPPROTO_TCP, TCP_AO_INFO, &info, &len));
	EQ(len, sizeof(info));
	return info;
}

static inline void listen_keyed(struct wt *w)
{
	wt_listen(w, 8);
	OK(add_key(w, w->lfd, KEY, 100, 50));
}

/* from SYN to accept(); the peer offers nothing but its MSS */
static inline void open_with(struct wt *w, const struct wt_ao *from, const struct wt_ao *to)
{
	INJECT(.flags = S, .mss = MSS, .ao = from);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ao = to);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ao = from);
	wt_accept(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
}

static inline void established(struct wt *w)
{
	listen_keyed(w);
	open_with(w, &in, &out);
}

/* socket() with the key, and no connection yet */
static inline void socket_keyed(struct wt *w)
{
	w->cfg.tcp_window_scaling = 0;
	wt_start(w);
	w->flow.lport = 0;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(w->flow.fd);
	OK(add_key(w, w->flow.fd, KEY, 100, 50));
}

static inline void connect_keyed(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);

	socket_keyed(w);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
}

#endif
