/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_SIGN_H
#define SUPPORT_SIGN_H

/* Signatures of RFC 2385, made and looked at by hand: of frames of IPv4, which are those of IPv6 while wt_ip6. */

#include "frame.h"

/** wt_sign fills in the option that frame_tcp has left room for, and the checksum. */
void wt_sign(struct frame *f, const char *password);

/** wt_is_signed says whether a sent frame has that option, its first, with the right signature. */
bool wt_is_signed(const struct frame *f, const char *password);

#endif
