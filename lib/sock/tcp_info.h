/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOCK_TCP_INFO_H
#define SOCK_TCP_INFO_H

#include <sys/socket.h>

struct tcp;
struct tcb;

/** tcp_info_copy writes up to *len bytes of Linux's struct tcp_info (linux/tcp.h, with more members
 * than the C library's), and sets *len to how many; what percore does not keep is 0. */
void tcp_info_copy(const struct tcp *tcp, const struct tcb *t, void *to, socklen_t *len);

#endif
