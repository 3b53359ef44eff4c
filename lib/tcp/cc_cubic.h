/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_CC_CUBIC_H
#define TCP_CC_CUBIC_H

/* The arithmetic of CUBIC (RFC 9438 section 4.2), separate so that it can be tested. */

#include <stdint.h>

/** cubic_root returns the largest integer whose cube is at most a. */
uint32_t cubic_root(uint64_t a);

/** cubic_k_ms returns K: the ms after which the window is back at w_max; windows are in bytes. */
uint32_t cubic_k_ms(uint32_t w_max, uint32_t cwnd, uint32_t mss);

/** cubic_window returns W_cubic(t) in bytes, 0 if it would be negative. */
uint32_t cubic_window(uint32_t w_max, uint32_t k_ms, uint64_t t_ms, uint32_t mss);

#endif
