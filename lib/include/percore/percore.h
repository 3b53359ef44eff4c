/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_H
#define PERCORE_H

/* Everything that is public. */

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
