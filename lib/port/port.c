/* SPDX-License-Identifier: BSD-2-Clause */
#include <percore/port.h>

void pc_port_close(struct pc_port *port)
{
	if (port != NULL)
		port->ops->close(port);
}
