/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SWITCH_COUNTS_H
#define SWITCH_COUNTS_H

/* What percore-switch counts for each port, in one list: name and sentence. */

#include <stdint.h>

/* clang-format off */
/* what happens to a received frame: exactly one of these */
#define SWITCH_ENDS(X) \
X(forwarded, "handed to the port where its destination is") \
X(flooded, "handed to all other ports of its VLAN, as its destination is a group or not known") \
X(drop_runt, "too short for the headers that it has") \
X(drop_oversize, "larger than the MTU of the port that it came by") \
X(drop_source, "from a group, or from no address: no station has such a one") \
X(drop_reserved, "to a group that stays on its link, 01:80:c2:00:00:00 to 0f (IEEE 802.1Q 8.6.3)") \
X(drop_untagged, "without a tag, on a trunk without a native VLAN") \
X(drop_vlan, "with a VLAN that its port does not have") \
X(drop_hairpin, "to a station that is behind the port that it came by") \
X(drop_nowhere, "to be flooded, and no other port of its VLAN has a link") \
X(drop_storm, "to be flooded, beyond the rate that its port may flood") \
X(drop_link, "to a station behind a port without a link") \
X(drop_mtu, "larger than the MTU of the port that it is to leave by") \
X(drop_queue, "the queue of the port that it is to leave by is full") \
X(drop_no_mbuf, "no mbuf for a copy, without which a tag could not be changed") \
X(drop_headroom, "no room for a tag in front") \
X(drop_mirror, "came by a port that is there for what is mirrored")

/* what happens to frames on transmission */
#define SWITCH_OUTS(X) \
X(tx_frames, "frames sent") \
X(tx_bytes, "bytes sent, without FCS") \
X(tx_queue_full, "frames not sent: the device takes no more, and the queue before it is full") \
X(tx_stuck, "frames not sent: the device has taken none for 100 ms") \
X(tx_mtu, "flooded and mirrored frames not sent: larger than the port's MTU") \
X(tx_link, "mirrored frames not sent: the port has no link") \
X(tx_no_mbuf, "flooded frames not sent: no mbuf, or no room, for their tag")

/* the table */
#define SWITCH_LEARNS(X) \
X(learnt, "stations learnt") \
X(moved, "stations that have moved to this port") \
X(learn_limit, "frames of stations not learnt: the port has as many as it may") \
X(learn_full, "frames of stations not learnt: the table is full") \
X(learn_static, "frames of stations that a setting puts behind another port") \
X(flushed, "stations forgotten when the link went down")

#define SWITCH_COUNTS(X) \
X(rx_frames, "frames received") \
X(rx_bytes, "bytes received, without FCS") \
SWITCH_ENDS(X) SWITCH_LEARNS(X) SWITCH_OUTS(X)
/* clang-format on */

enum count {
#define SWITCH_COUNT_ID(name, sentence) COUNT_##name,
	SWITCH_COUNTS(SWITCH_COUNT_ID)
#undef SWITCH_COUNT_ID
	    COUNT_MAX
};

struct counts {
	uint64_t value[COUNT_MAX];
};

/** count_name and count_sentence return the name and the description of a counter. */
const char *count_name(enum count c);
const char *count_sentence(enum count c);

#endif
