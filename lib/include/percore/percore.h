/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_H
#define PERCORE_H

/*
 * The API for programs on lcores: stacks, sockets, epoll, coroutines, ports, control and
 * inspection.
 *
 * Start with percore/run.h (a program) or percore/stack.h (an embedded stack).  Not included are
 * percore/posix.h and percore/host.h (threads and other processes), percore/dhcp.h and
 * percore/dhcp6.h, percore/resolve.h, percore/firewall.h, percore/rules.h, percore/tcp_ao.h and
 * percore/siphash.h.
 */

#include <percore/addr.h>
#include <percore/config.h>
#include <percore/control.h>
#include <percore/coro.h>
#include <percore/epoll.h>
#include <percore/inspect.h>
#include <percore/port.h>
#include <percore/run.h>
#include <percore/socket.h>
#include <percore/stack.h>
#include <percore/stats.h>

#endif
