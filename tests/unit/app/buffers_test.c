/* SPDX-License-Identifier: BSD-2-Clause */
#include "buffers.h"

#include "suite.h"

static void taken_and_given(void)
{
	struct buffers p;
	uint32_t a, b, c;

	CU_ASSERT(buffers_init(&p, 3, 1000) == 0);
	a = buffers_take(&p, 7);
	b = buffers_take(&p, 8);
	c = buffers_take(&p, 9);
	CU_ASSERT(a != 0 && b != 0 && c != 0 && a != b && b != c && a != c);
	CU_ASSERT(buffers_take(&p, 1) == 0);
	memset(buffers_get(&p, a)->bytes, 0xff, 1000);
	memset(buffers_get(&p, c)->bytes, 0xff, 1000);
	CU_ASSERT(buffers_get(&p, b)->owner == 8 && buffers_get(&p, b)->len == 0);
	CU_ASSERT(p.oldest == a && buffers_get(&p, a)->next == b);
	buffers_give(&p, b);
	CU_ASSERT(p.oldest == a && p.newest == c && buffers_get(&p, a)->next == c);
	buffers_give(&p, a);
	CU_ASSERT(p.oldest == c && p.newest == c && p.used == 1);
	CU_ASSERT(buffers_take(&p, 1) != 0 && p.oldest == c);
	buffers_give(&p, c);
	CU_ASSERT(p.oldest == p.newest && p.used == 1);
	buffers_fini(&p);
}

static const struct unit_case cases[] = {{"taken and given", taken_and_given}};

UNIT_MAIN("app/buffers", cases)
