/* SPDX-License-Identifier: BSD-2-Clause */
/* SYN cookies; see syncookie.h. Nothing here keeps state. */

#include "tcp/syncookie.h"

#include <rte_common.h>

#include "base/seq.h"

#define MSS_BITS  3
#define MSS_MASK  ((1u << MSS_BITS) - 1)
#define LOW_BITS  24
#define LOW_MASK  ((1u << LOW_BITS) - 1)
#define MAX_UNITS 1 /* a cookie is valid for this many units after its own */

#define OPT_BITS      6
#define OPT_MASK      ((1u << OPT_BITS) - 1)
#define OPT_NO_WSCALE 0xfu
#define OPT_SACK      0x10u
#define OPT_HAS_TS    0x80u /* in the MAC only */

/* What peers announce: the smallest we believe, the two defaults of RFC 9293 MUST-15 and MUST-16,
 * tunnels, PPPoE and Ethernet without and with jumbo frames.  Values in between are rounded
 * down. */
static const uint16_t mss_table[MSS_MASK + 1] = {64, 536, 1220, 1360, 1400, 1440, 1460, 8960};

static uint32_t mss_index(uint16_t mss)
{
	uint32_t i = MSS_MASK;

	while (i > 0 && mss_table[i] > mss)
		i--;
	return i;
}

static uint32_t option_bits(const struct syncookie *c)
{
	uint32_t bits = (c->opt & TCB_OPT_WSCALE) ? c->snd_wscale : OPT_NO_WSCALE;

	return bits | ((c->opt & TCB_OPT_SACK) ? OPT_SACK : 0);
}

static uint32_t mac(const struct pc_sip_key *key, const struct tcp_flow *flow, uint32_t irs,
                    uint32_t unit, uint32_t index, uint32_t options)
{
	const struct {
		struct tcp_flow flow;
		uint32_t irs, unit, index, options;
	} text = {*flow, irs, unit, index, options};

	static_assert(sizeof(text) == sizeof(struct tcp_flow) + 16, "no padding in what is hashed");
	return (uint32_t)pc_siphash24(key, &text, sizeof(text)) & (LOW_MASK >> MSS_BITS);
}

uint32_t syncookie_make(const struct pc_sip_key *key, uint64_t now_ns, const struct tcp_flow *flow,
                        uint32_t irs, uint32_t f, struct syncookie *c)
{
	uint32_t unit = syncookie_unit(now_ns), index = mss_index(c->peer_mss), options = 0;

	if (c->opt & TCB_OPT_TS)
		options = option_bits(c) | OPT_HAS_TS;
	else
		c->opt = 0;
	c->peer_mss = mss_table[index];
	if (!(c->opt & TCB_OPT_WSCALE))
		c->snd_wscale = 0;
	return f + (unit << LOW_BITS) +
	       (mac(key, flow, irs, unit, index, options) << MSS_BITS | index);
}

uint32_t syncookie_tsval(uint32_t tsval, const struct syncookie *c)
{
	uint32_t marked = (tsval & ~OPT_MASK) | option_bits(c);

	return seq_gt(marked, tsval) ? marked - OPT_MASK - 1 : marked;
}

static uint32_t age_of(uint64_t now_ns, uint32_t value)
{
	return (syncookie_unit(now_ns) - (value >> LOW_BITS)) & 0xff;
}

bool syncookie_is_in_time(uint64_t now_ns, uint32_t f, uint32_t iss)
{
	return age_of(now_ns, iss - f) <= MAX_UNITS;
}

bool syncookie_read(const struct pc_sip_key *key, uint64_t now_ns, const struct tcp_flow *flow,
                    uint32_t irs, uint32_t f, uint32_t iss, bool has_ts, uint32_t tsecr,
                    struct syncookie *c)
{
	uint32_t value = iss - f, now = syncookie_unit(now_ns);
	uint32_t age = age_of(now_ns, value);
	uint32_t index = value & MSS_MASK;
	uint32_t bits = has_ts ? tsecr & OPT_MASK : OPT_NO_WSCALE;
	uint32_t options = has_ts ? bits | OPT_HAS_TS : 0;
	uint32_t wscale = bits & OPT_NO_WSCALE;

	if (age > MAX_UNITS)
		return false;
	if (mac(key, flow, irs, now - age, index, options) != (value & LOW_MASK) >> MSS_BITS)
		return false;
	*c = (struct syncookie){.peer_mss = mss_table[index], .opt = has_ts ? TCB_OPT_TS : 0};
	if (bits & OPT_SACK)
		c->opt |= TCB_OPT_SACK;
	if (wscale != OPT_NO_WSCALE) {
		c->opt |= TCB_OPT_WSCALE;
		c->snd_wscale = (uint8_t)wscale;
	}
	return true;
}
