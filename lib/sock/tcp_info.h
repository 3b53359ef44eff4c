/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOCK_TCP_INFO_H
#define SOCK_TCP_INFO_H

#include <netinet/tcp.h>

struct tcp;
struct tcb;

/** tcp_info_fill fills in Linux's struct tcp_info; what percore does not keep is 0. */
void tcp_info_fill(const struct tcp *tcp, const struct tcb *t, struct tcp_info *info);

#endif
