/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: when the peer of a memif disconnects, DPDK 22.11's driver clears the flag that its
 * burst functions check first, and then, in EAL's interrupt thread, closes the descriptors of the
 * queues, unmaps the peer's memory and frees the table of its regions.  It does not wait for bursts
 * in progress, so an lcore in the middle of one may access unmapped memory.  After it has cleared
 * the flag and before everything else, the driver makes one call that it makes nowhere else: it
 * unregisters its callback from the control channel.  That call is redirected here, and returns
 * when every burst that may have seen the flag set has ended.
 *
 * Without the peer's memory there is nothing to wait for: a burst that begins later returns at
 * once.
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
