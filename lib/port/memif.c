/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: when the peer of a memif goes away, DPDK 22.11's driver clears the flag that its burst functions look at
 * first, and then, in EAL's thread for interrupts, closes the descriptors of the queues, unmaps the peer's memory and
 * frees what says where it was. It does not wait for bursts that are under way, and an lcore in the middle of one reads
 * what is gone. Between the flag and all the rest the driver makes one call that it makes nowhere else: it takes its
 * callback away from the control channel. That call is led here, and comes back when every burst that may have seen the
 * flag has ended.
 *
 * Without the peer's memory there is nothing to wait for: a burst that begins later returns at once.
 */
#include "memif.h"

#include <string.h>

#include <rte_interrupts.h>

#include "plt.h"
#include "reader.h"

static int unregister_when_quiet(const struct rte_intr_handle *handle,
                                 rte_intr_callback_fn callback, void *arg)
{
	readers_wait();
	return rte_intr_callback_unregister(handle, callback, arg);
}

bool memif_is_driver(const char *driver)
{
	return strcmp(driver, "net_memif") == 0;
}

int memif_guard(void)
{
	return plt_redirect("librte_net_memif.so", "rte_intr_callback_unregister",
	                    (plt_function)unregister_when_quiet);
}
