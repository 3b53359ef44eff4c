/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOCK_ANCILLARY_H
#define SOCK_ANCILLARY_H

/*
 * Ancillary data of datagrams (cmsg(3), RFC 3542 section 6): between struct msghdr and the structs
 * of UDP.
 */

#include "sock/sock.h"

/** Where ancillary data is written to. */
struct ancillary {
	struct msghdr *msg;
	size_t left; /* bytes of msg_control that are free */
};

/** ancillary_begin takes the control buffer of a message, which holds nothing then. */
struct ancillary ancillary_begin(struct msghdr *msg);

/** ancillary_put appends an item; what does not fit is cut, and MSG_CTRUNC set, as on Linux. */
void ancillary_put(struct ancillary *a, int level, int type, const void *data, size_t len);

/** ancillary_put_arrival appends when something came, and how much found no room before, as far as a socket wants to be told. */
void ancillary_put_arrival(struct ancillary *a, const struct sockets *s, const struct sock_ref *ref,
                           uint64_t at_ns);

/** ancillary_put_info appends what a socket wants to be told of a datagram. */
void ancillary_put_info(struct ancillary *a, const struct sockets *s, const struct sock_ref *ref,
                        const struct udp_info *info);

/** ancillary_put_copied appends, in the same form, that what these calls with MSG_ZEROCOPY sent was copied. */
void ancillary_put_copied(struct ancillary *a, bool ip6, uint32_t first, uint32_t last);

/** ancillary_put_report appends an error as struct sock_extended_err with its offender. */
void ancillary_put_report(struct ancillary *a, bool ip6, const struct udp_report *r);

/**
 * ancillary_read reads what a message says of its datagram, which goes to `to`. Returns 0, or -EINVAL
 * for what is malformed, unknown, or no address or interface of ours.
 */
int ancillary_read(const struct sockets *s, const struct sock_ref *ref, const struct msghdr *msg,
                   const struct pc_addr *to, struct udp_ctl *ctl);

#endif
