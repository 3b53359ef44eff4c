/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/memory.h"

#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "../../support/eal.h"
#include "common.h"

static const struct eal eal = {.no_huge = true};

static uint64_t heap_free(void)
{
	struct rte_malloc_socket_stats stats;

	rte_malloc_get_socket_stats(0, &stats);
	return stats.heap_freesz_bytes;
}

static void a_pool_takes_what_was_reckoned(void)
{
	struct settings *s = test_settings();
	struct pc_stack_config config = s->stack;
	uint64_t before = heap_free(), took;
	struct rte_mempool *pool;

	config.stack_mbufs = 16383;
	config.socket_id = -1;
	pool = memory_make_pool(s, &eal, 0, &config);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	took = before - heap_free();
	CU_ASSERT(took <= memory_pool_bytes(s, 16383) + (1 << 16));
	CU_ASSERT(took >= memory_pool_bytes(s, 16383) / 10 * 9);
	CU_ASSERT_EQUAL(rte_pktmbuf_data_room_size(pool), 2048 + RTE_PKTMBUF_HEADROOM);
	CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), 16383);
	CU_ASSERT_STRING_EQUAL(rte_mempool_get_ops(pool->ops_index)->name, "stack");
	rte_mempool_free(pool);
	free(s);
}

static void frames_fit_the_mtu(void)
{
	struct settings *s = test_settings();

	CU_ASSERT_EQUAL(memory_frame_room(s), 2048 + RTE_PKTMBUF_HEADROOM);
	s->run.port_mtu = 9000;
	CU_ASSERT(memory_frame_room(s) >= 9000 + 14 + RTE_PKTMBUF_HEADROOM);
	CU_ASSERT_EQUAL(memory_frame_room(s) % 64, 0);
	/* frames of net_af_packet's ring, with 84 bytes before the packet, multiples of 16 */
	for (uint32_t mtu = 1500; mtu <= 9702; mtu++) {
		const uint32_t frame = RTE_ALIGN_CEIL(mtu + 84, 16u);

		s->run.port_mtu = mtu;
		if (memory_frame_room(s) + 32u < frame + RTE_PKTMBUF_HEADROOM) {
			CU_FAIL("a frame does not fit");
			break;
		}
	}
	free(s);
}

static void auto_keys_are_settled(void)
{
	struct settings *s = test_settings();
	struct pc_stack_config config;

	CU_ASSERT_EQUAL(memory_fit(s, &eal, 0, 1, &config), 0);
	CU_ASSERT(config.stack_max_connections > 100000);
	CU_ASSERT(config.stack_mbufs >= 8191);
	CU_ASSERT(config.tcp_time_wait >= 4096);
	CU_ASSERT_EQUAL(s->stack.stack_max_connections, 0);
	free(s);
}

static void limits_that_do_not_fit_are_told(void)
{
	static const struct {
		const char *set, *why;
	} cases[] = {
	    {"stack.max_connections=50000000",
	     "lower stack.max_connections, or provide more memory"},
	    {"stack.mbufs=4000000", "lower stack.mbufs, or provide more memory (EAL option -m MB)"},
	    {"stack.mbufs=1000",
	     "stack.mbufs: 1000 is too small: 2 ports with 1024 and 1024 descriptors need at least "
	     "4608; raise it, or lower port.rxd and port.txd"},
	};
	struct pc_stack_config config;
	struct settings *s;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s = test_settings();
		CU_ASSERT_EQUAL(settings_assign(s, cases[i].set), 0);
		CU_ASSERT_EQUAL(memory_fit(s, &eal, 0, 2, &config), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(s->why, cases[i].why));
		free(s);
	}
}

static const struct unit_case cases[] = {
    {"a pool takes what was reckoned", a_pool_takes_what_was_reckoned},
    {"frames fit the MTU", frames_fit_the_mtu},
    {"auto keys are settled", auto_keys_are_settled},
    {"limits that do not fit are told", limits_that_do_not_fit_are_told},
};

int main(void)
{
	eal_start();
	return unit_run("run/memory", cases, sizeof(cases) / sizeof(cases[0]));
}
