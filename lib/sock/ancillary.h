/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOCK_ANCILLARY_H
#define SOCK_ANCILLARY_H

/*
 * Ancillary data of datagrams (cmsg(3), RFC 3542 section 6): conversion between struct msghdr and
 * UDP's structs.
 */

#include "sock/sock.h"

/** A control buffer being written. */
struct ancillary {
	struct msghdr *msg;
	size_t left; /* free bytes in msg_control */
};

/** ancillary_begin starts writing a message's control buffer, which is emptied. */
struct ancillary ancillary_begin(struct msghdr *msg);

/** ancillary_put appends an item; as on Linux, one that does not fit is cut and sets MSG_CTRUNC. */
void ancillary_put(struct ancillary *a, int level, int type, const void *data, size_t len);

/** ancillary_put_arrival appends an arrival time and the count of drops, if the socket asked for
 * them. */
void ancillary_put_arrival(struct ancillary *a, const struct sockets *s, const struct sock_ref *ref,
                           uint64_t at_ns);

/** ancillary_put_info appends what a socket has asked to be told about a datagram. */
void ancillary_put_info(struct ancillary *a, const struct sockets *s, const struct sock_ref *ref,
                        const struct udp_info *info);

/** ancillary_put_copied appends a struct sock_extended_err that says that the data of the
 * MSG_ZEROCOPY calls first to last was copied. */
void ancillary_put_copied(struct ancillary *a, bool ip6, uint32_t first, uint32_t last);

/** ancillary_put_report appends an error as a struct sock_extended_err with its offender, and what
 * the socket has asked to be told about the ICMP message that reported it. */
void ancillary_put_report(struct ancillary *a, const struct sockets *s, const struct sock_ref *ref,
                          const struct udp_report *r);

/**
 * ancillary_read reads the ancillary data of a datagram to be sent to `to`. As on Linux, items of
 * the other family are ignored, so that a program can give those of both. Returns 0, -EINVAL (it is
 * malformed or unknown, or the address is not ours), or, for an interface or its address, -ENODEV,
 * -ENETUNREACH or -EADDRNOTAVAIL.
 */
int ancillary_read(const struct sockets *s, const struct sock_ref *ref, const struct msghdr *msg,
                   const struct pc_addr *to, struct udp_ctl *ctl);

#endif
