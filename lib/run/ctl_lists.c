/* SPDX-License-Identifier: BSD-2-Clause */
/* What the control socket shows, as rows. */
#include "ctl.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

const char *const ctl_states[CTL_STATES] = {"",           "established", "syn-sent",  "syn-recv",
                                            "fin-wait-1", "fin-wait-2",  "time-wait", "unconn",
                                            "close-wait", "last-ack",    "listen",    "closing"};

void ctl_print_routes(struct rows *o, const struct pc_route_info *list, unsigned n)
{
	char dest[PC_PREFIX_STRLEN], gateway[PC_ADDR_STRLEN];

	for (unsigned i = 0; i < n; i++) {
		const struct pc_route *r = &list[i].route;
		const bool is_direct = pc_addr_is_any(&r->gateway);

		row_begin(o);
		row_text(o, "network", "", pc_prefix_format(&r->dest, dest));
		row_text(o, "via", " via ",
		         is_direct ? NULL : pc_addr_format(&r->gateway, gateway));
		row_number(o, "port", " port ", (unsigned)r->port);
		row_number(o, "metric", r->metric != 0 ? " metric " : NULL, r->metric);
		row_optional(o, "mtu", " mtu ", r->mtu != 0, r->mtu);
		row_number(o, "weight", r->weight > 1 ? " weight " : NULL,
		           r->weight > 1 ? r->weight : 1);
		row_flag(o, "connected", " connected", list[i].connected);
		row_flag(o, "learnt", " learnt", list[i].learnt);
		row_flag(o, "down", " down", list[i].down);
		row_end(o);
	}
}

void ctl_print_addrs(struct rows *o, const struct pc_stack_addr *list, unsigned n)
{
	char addr[PC_PREFIX_STRLEN];

	for (unsigned i = 0; i < n; i++) {
		row_begin(o);
		row_text(o, "address", "", pc_prefix_format(&list[i].addr, addr));
		row_number(o, "port", " port ", (unsigned)list[i].port);
		row_flag(o, "autoconf", " autoconf", list[i].autoconf);
		row_flag(o, "deprecated", " deprecated", list[i].deprecated);
		row_flag(o, "tentative", " tentative", list[i].tentative);
		row_flag(o, "duplicate", " duplicate", list[i].duplicate);
		row_flag(o, "not_ready", " not-ready", !list[i].ready);
		row_end(o);
	}
}

void ctl_print_denied(struct rows *o, const struct pc_prefix *list, unsigned n)
{
	char prefix[PC_PREFIX_STRLEN];

	for (unsigned i = 0; i < n; i++) {
		row_begin(o);
		row_text(o, "network", "", pc_prefix_format(&list[i], prefix));
		row_end(o);
	}
}

void ctl_print_neighs(struct rows *o, const struct pc_neigh_info *list, unsigned n)
{
	static const char *const names[] = {"none",      "incomplete", "failed", "stale",
	                                    "reachable", "delay",      "probe"};
	static const uint8_t none[6]; /* it has not answered yet */
	char addr[PC_ADDR_STRLEN], mac[18];

	for (unsigned i = 0; i < n; i++) {
		const struct pc_neigh_info *e = &list[i];
		const bool known = memcmp(e->mac, none, sizeof(none)) != 0;

		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", e->mac[0], e->mac[1],
		         e->mac[2], e->mac[3], e->mac[4], e->mac[5]);
		row_begin(o);
		row_text(o, "address", "", pc_addr_format(&e->addr, addr));
		row_text(o, "mac", " mac ", known ? mac : NULL);
		row_number(o, "port", " port ", (unsigned)e->port);
		row_text(o, "state", " ", names[e->state]);
		row_flag(o, "fixed", " fixed", e->fixed);
		row_number(o, "held", e->held > 0 ? " held " : NULL, e->held);
		row_end(o);
	}
}

/* In JSON address and port are two fields, for scripts. Raw sockets have no ports, and packet sockets no
 * addresses either. */
static void print_endpoint(struct rows *o, const char *key, const char *port_key,
                           const struct pc_socket_info *s, const struct pc_endpoint *e)
{
	const bool has_port = s->kind == PC_SOCKET_TRANSPORT;
	const bool has_addr = s->kind != PC_SOCKET_PACKET;
	char both[PC_ENDPOINT_STRLEN], addr[PC_ADDR_STRLEN];

	(void)pc_addr_format(&e->addr, addr);
	row_text_wide(o, NULL, " ", 21,
	              has_port   ? pc_endpoint_format(e, both)
	              : has_addr ? addr
	                         : "*");
	row_text(o, key, NULL, has_addr ? addr : NULL);
	row_optional(o, port_key, NULL, has_port, e->port);
}

static const char *protocol_of(const struct pc_socket_info *s)
{
	switch ((enum pc_socket_kind)s->kind) {
	case PC_SOCKET_RAW:
		return "raw";
	case PC_SOCKET_PACKET:
		return "packet";
	default:
		return s->proto == IPPROTO_TCP ? "tcp" : "udp";
	}
}

/* What a raw or packet socket receives, and where any other one is bound to. */
static void print_scope(struct rows *o, const struct pc_socket_info *s)
{
	const bool is_raw = s->kind == PC_SOCKET_RAW;
	const bool is_some = s->kind == PC_SOCKET_PACKET && s->ethertype != ETH_P_ALL;
	char hex[8];

	snprintf(hex, sizeof(hex), "0x%04x", s->ethertype);
	row_optional(o, "ip_protocol", " ip-protocol ", is_raw, s->proto);
	row_optional(o, "ethertype", NULL, is_some, s->ethertype);
	row_text(o, NULL, " ethertype ", is_some ? hex : NULL);
	row_optional(o, "bound_port", " bound to port ", s->ifindex != 0, s->ifindex - 1u);
}

static void print_socket(struct rows *o, const struct pc_socket_info *s, unsigned lcore)
{
	static const char *const signatures[] = {
	    [PC_SIGNED_NOT] = NULL, [PC_SIGNED_MD5] = "md5", [PC_SIGNED_AO] = "ao"};
	const bool sends = s->cwnd != 0 && s->mss != 0;

	row_begin(o);
	row_text(o, "protocol", "", protocol_of(s));
	row_text_wide(o, "state", " ", -11, ctl_states[s->state < CTL_STATES ? s->state : 0]);
	row_number_wide(o, "rcv_queue", " ", 6, s->rcv_queue);
	row_number_wide(o, "snd_queue", " ", 6, s->snd_queue);
	print_endpoint(o, "local", "local_port", s, &s->local);
	print_endpoint(o, "remote", "remote_port", s, &s->remote);
	row_number(o, "lcore", " lcore ", lcore);
	row_optional(o, "fd", " fd ", s->fd >= 0, (uint32_t)s->fd);
	row_thousandths(o, "rtt_us", " rtt ", " ms", s->srtt_us != 0, s->srtt_us);
	row_optional(o, "cwnd", " cwnd ", sends, sends ? s->cwnd / s->mss : 0);
	row_optional(o, "mss", " mss ", sends, s->mss);
	row_thousandths(o, "idle_ms", " idle ", " s", sends, s->idle_ms);
	row_number(o, "retries", s->retries != 0 ? " retries " : NULL, s->retries);
	row_text(o, "signature", " ", signatures[s->signature]);
	print_scope(o, s);
	row_end(o);
}

void ctl_print_sockets(struct rows *o, const struct pc_socket_info *list, unsigned n,
                       unsigned lcore)
{
	for (unsigned i = 0; i < n; i++)
		print_socket(o, &list[i], lcore);
}

static void print_use(void *arg, const char *name, uint32_t used, uint32_t limit)
{
	struct rows *o = arg;

	row_begin(o);
	row_text(o, "name", "", name);
	row_number(o, "used", " ", used);
	row_number(o, "limit", " of ", limit);
	row_end(o);
}

void ctl_tell_usage(const struct pc_stack_usage *u, ctl_use *tell, void *arg)
{
	tell(arg, "connections", u->connections, u->connections_max);
	tell(arg, "half-open", u->half_open, u->half_open_max);
	tell(arg, "time-wait", u->time_wait, u->time_wait_max);
	tell(arg, "neighbours", u->neighbours, u->neighbours_max);
	tell(arg, "udp-sockets", u->udp_sockets, u->udp_sockets_max);
	tell(arg, "listeners", u->listeners, u->listeners_max);
}

void ctl_print_usage(struct rows *o, const struct pc_stack_usage *u)
{
	ctl_tell_usage(u, print_use, o);
}

void ctl_print_counter(struct rows *o, const char *name, uint64_t value)
{
	row_begin(o);
	row_text(o, "name", "", name);
	row_number(o, "value", " ", value);
	row_end(o);
}

void ctl_print_counters(struct rows *o, const struct pc_counters *c, bool all)
{
	for (int i = PC_DROP_NONE + 1; i < PC_COUNTER_MAX; i++)
		if (all || c->value[i] != 0)
			ctl_print_counter(o, pc_counter_name((enum pc_counter)i), c->value[i]);
}
