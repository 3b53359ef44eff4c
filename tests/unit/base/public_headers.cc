/* SPDX-License-Identifier: BSD-2-Clause */

/* The public headers are to be understood by C++ too; this is only looked at, never run. */

#include <percore/percore.h>

bool same(const pc_endpoint &a, const pc_endpoint &b);

bool same(const pc_endpoint &a, const pc_endpoint &b)
{
	return pc_addr_equal(&a.addr, &b.addr) && a.port == b.port;
}
