/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_FW_H
#define WIRE_FW_H

/* What the suites about the firewall share: one set of rules, and what it has done. */

#include <arpa/inet.h>
#include <percore/control.h>
#include <percore/firewall.h>

#include "eal.h"
#include "frame6.h"
#include "wt.h"

#define LOCAL6 "fd00::1"
#define PEER6  "fd00::2"

static struct pc_firewall *set;

/* The stack has these rules from now on; NULL: none. */
static void load(struct wt *w, const char *text)
{
	const struct pc_firewall_args args = {.text = text,
	                                      .len = text != NULL ? strlen(text) : 0,
	                                      .name = "rules",
	                                      .max_rules = 100,
	                                      .slots = 1,
	                                      .states = 256,
	                                      .sources = 64,
	                                      .learnt = 64,
	                                      .max_addrs = 1000,
	                                      .seed = {1, 2},
	                                      .socket_id = -1};
	struct pc_firewall *next = NULL;
	char why[256];

	wt_start(w);
	wt_settle(w);
	wt_drop(w);
	if (text != NULL && (next = pc_firewall_create(&args, why, sizeof(why))) == NULL)
		wt_fail(w, WT_HERE, "%s", why);
	OK(pc_stack_set_firewall(w->st, next, 0));
	pc_firewall_free(set);
	set = next;
}

static inline struct ends6 ends(void)
{
	return (struct ends6){
	    .src_mac = PEER_MAC, .dst_mac = PROBE_MAC, .src = addr6(PEER6), .dst = addr6(LOCAL6)};
}

static uint64_t hits(unsigned rule)
{
	struct pc_firewall_rule r;

	return pc_firewall_get_rule(set, rule, &r) ? r.packets : UINT64_MAX;
}

static uint64_t dropped(const struct wt *w)
{
	return wt_count(w, PC_DROP_FIREWALL);
}

#endif
