/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_NOTIFY_H
#define RUN_NOTIFY_H

/** notify_ready tells a service manager that started this program with NOTIFY_SOCKET (systemd with
 * Type=notify) that it serves now, as sd_notify(3) does. Without one it does nothing. */
void notify_ready(void);

#endif
