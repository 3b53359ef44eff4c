/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_PORT_INFO_H
#define BASE_PORT_INFO_H

/* What a layer around a port copies from the port's information. */

#include <percore/port.h>

/** port_info_follow copies what changes in the port below: its link, its counts, and which offloads
 * it has withdrawn because they do not work. Call it after each burst. */
static inline void port_info_follow(struct pc_port_info *info, const struct pc_port_info *below)
{
	info->link_up = below->link_up;
	info->link_moves = below->link_moves;
	info->offloads &= below->offloads;
	info->rx_lost = below->rx_lost;
	info->rx_untrue = below->rx_untrue;
	info->tx_refused = below->tx_refused;
}

#endif
