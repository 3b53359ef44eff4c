/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_SIGN_H
#define SUPPORT_SIGN_H

/*
 * Signatures of RFC 2385 and RFC 5925, made and checked by hand, for IPv4 frames; with wt_ip6 these
 * stand for IPv6 ones.
 */

#include "frame.h"

enum wt_ao_alg { WT_AO_SHA1, WT_AO_CMAC, WT_AO_SHA256 };

/** A TCP-AO key, and how a segment uses it. */
struct wt_ao {
	const char *key;
	uint8_t len; /* of key; 0: it is a string */
	enum wt_ao_alg alg;
	uint8_t mac_len; /* 0: 12 */
	bool omit;       /* options other than TCP-AO are not signed */
	uint8_t id, rnext;
};

/** wt_sign fills in the option that frame_tcp has left room for, and the checksum. */
void wt_sign(struct frame *f, const char *password);

/** wt_is_signed says whether a sent frame has that option, its first, with the right signature. */
bool wt_is_signed(const struct frame *f, const char *password);

/** wt_ao_option returns the option without its digest. */
struct tcp_auth wt_ao_option(const struct wt_ao *ao);

/**
 * wt_sign_ao and wt_is_signed_ao do the same for TCP-AO, given the ISNs of the segment's sender and
 * receiver, and its sequence number extension.
 */
void wt_sign_ao(struct frame *f, const struct wt_ao *ao, uint32_t isn, uint32_t peer_isn,
                uint32_t sne);
bool wt_is_signed_ao(const struct frame *f, const struct wt_ao *ao, uint32_t isn, uint32_t peer_isn,
                     uint32_t sne);

/** wt_sum recomputes the checksum. */
void wt_sum(struct frame *f);

#endif
