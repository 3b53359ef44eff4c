/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "posix/client.h"
#include "posix/sock.h"

static void tell_local(struct pcx_local *to, const struct chan_local *from)
{
	memset(to, 0, sizeof(*to));
	to->family = from->ip6 ? AF_INET6 : AF_INET;
	to->prefix = from->prefix;
	to->port = from->port;
	memcpy(to->addr, from->addr, from->ip6 ? 16 : 4);
}

int pcx_locals(struct pcx_local *list, unsigned n)
{
	struct chan_local some[CHAN_CALL_DATA / sizeof(struct chan_local)];
	const unsigned room = sizeof(some) / sizeof(some[0]);
	unsigned found = 0;

	if (!pcx_is_attached())
		return (int)fail(-ENETDOWN);
	while (found < n) {
		struct call c = {
		    .op = CHAN_OP_ADDRESSES,
		    .sock = CHAN_NONE,
		    .a = (int32_t)found,
		    .out = some,
		    .out_len = (uint32_t)((n - found < room ? n - found : room) * sizeof(some[0]))};
		const int64_t got = call_lcore(0, &c);

		if (got < 0 && found == 0)
			return (int)fail(got);
		if (got <= 0)
			break;
		for (int64_t i = 0; i < got && i < room && found < n; i++)
			tell_local(&list[found++], &some[i]);
	}
	return (int)found;
}
