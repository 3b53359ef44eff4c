/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_PRR_H
#define TCP_PRR_H

/*
 * Proportional rate reduction (RFC 6937, with the SafeACK of its successor): during recovery,
 * sending is proportional to delivery, so that at its end ssthresh bytes are in flight.
 */

#include <stdbool.h>
#include <stdint.h>

struct prr {
	uint32_t delivered;  /* prr_delivered: bytes since recovery began */
	uint32_t out;        /* prr_out: bytes sent since */
	uint32_t recover_fs; /* RecoverFS: bytes in flight when it began */
};

/** prr_begin starts a recovery with flight bytes in flight. */
static inline void prr_begin(struct prr *p, uint32_t flight)
{
	*p = (struct prr){.recover_fs = flight > 0 ? flight : 1};
}

/** prr_cwnd returns cwnd after an acknowledgement of delivered bytes; safe: it advanced SND.UNA and
 * reported no further loss. */
uint32_t prr_cwnd(struct prr *p, uint32_t delivered, uint32_t pipe, uint32_t ssthresh, uint32_t mss,
                  bool safe);

#endif
