/* SPDX-License-Identifier: BSD-2-Clause */

/* Rules of the firewall about tables, about what is not, about flags, and about how much one source may send. */

#include "fw.h"

/* Changes a table, which the stack takes. */
static void change(struct wt *w, const char *table, enum pc_firewall_verb verb, const char *text)
{
	const struct pc_firewall_change c = {
	    .table = table, .verb = verb, .text = text, .len = strlen(text), .name = "change"};
	unsigned changed;
	char why[256];

	if (pc_firewall_change_table(set, &c, &changed, why, sizeof(why)) != 0)
		wt_fail(w, WT_HERE, "%s", why);
	OK(pc_stack_set_firewall(w->st, set, 0));
	pc_firewall_forget(set);
}

/* A datagram from an address of the peer's network, for which nobody listens. */
static void inject_from(struct wt *w, const char *from, uint16_t dport)
{
	struct frame_ends e = wt_ends(w);
	struct frame f;

	e.src_be = inet_addr(from);
	frame_udp(&f, &e, 1000, dport, "hello", 5);
	wt_inject_frame(w, &f);
	wt_drop(w);
}

static void inject6_from(struct wt *w, const char *from, uint16_t dport)
{
	struct ends6 e = ends();
	struct frame f;

	e.src = addr6(from);
	frame6_udp(&f, &e, 1000, dport, "hello", 5);
	wt_inject_frame(w, &f);
	wt_drop(w);
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void tables(struct wt *w)
{
	const struct ends6 e = ends();

	w->cfg.ip6_accept_ra = 0;
	wt_start6(w, &e);
	load(w, "table bad { 192.0.2.2, 192.0.2.64/26\n fd00::2 }\n"
	        "table good { 192.0.2.65 }\n"
	        "pass in from <good>\n"
	        "drop in proto udp from <bad> to port 53\n"
	        "drop in from 192.0.2.3");
	inject_from(w, "192.0.2.2", 53);
	EQ(dropped(w), 1);
	inject_from(w, "192.0.2.2", 54);
	inject_from(w, "192.0.2.4", 53);
	EQ(dropped(w), 1);
	inject_from(w, "192.0.2.66", 53);
	inject_from(w, "192.0.2.127", 53);
	EQ(dropped(w), 3);
	inject_from(w, "192.0.2.65", 53); /* the first rule that fits decides */
	inject_from(w, "192.0.2.128", 53);
	EQ(dropped(w), 3);
	EQ(hits(0), 1);
	inject_from(w, "192.0.2.3", 53);
	EQ(dropped(w), 4);
	EQ(hits(1), 3);
	EQ(hits(2), 1);
	inject6_from(w, "fd00::2", 53);
	EQ(dropped(w), 5);
	inject6_from(w, "fd00::3", 53);
	EQ(dropped(w), 5);
	load(w, NULL);
}

/* other addresses, while the rules and what they have counted stay */
static void changes(struct wt *w)
{
	load(w, "table bad\ndrop in from <bad>");
	inject_from(w, "192.0.2.2", 53);
	EQ(dropped(w), 0);
	change(w, "bad", PC_FIREWALL_ADD, "192.0.2.0/30");
	inject_from(w, "192.0.2.2", 53);
	EQ(dropped(w), 1);
	change(w, "bad", PC_FIREWALL_REPLACE, "192.0.2.3 fd00::/64");
	inject_from(w, "192.0.2.2", 53);
	inject_from(w, "192.0.2.3", 53);
	EQ(dropped(w), 2);
	change(w, "bad", PC_FIREWALL_DELETE, "192.0.2.3");
	inject_from(w, "192.0.2.3", 53);
	EQ(dropped(w), 2);
	EQ(hits(0), 2);
	load(w, NULL);
}

/* a connection goes on when its peer comes into a table, and begins no more */
static void tables_and_connections(struct wt *w)
{
	wt_established(w);
	load(w, "table bad\ndrop in from <bad>\ndrop out to <bad>");
	change(w, "bad", PC_FIREWALL_ADD, WT_PEER);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	EXPECT_IN(0, 250, .flags = A, .seq = 1, .ack = 101);
	EQ(dropped(w), 0);
	wt_flow(w);
	INJECT(.flags = S);
	NOTHING(100);
	EQ(dropped(w), 1);
	load(w, NULL);
}

static void out(struct wt *w)
{
	const struct sockaddr_in a = wt_addr(WT_PEER, 25);
	int fd;

	load(w, "table mail { " WT_PEER " }\ndrop out proto tcp to !<mail>,192.0.2.77 port 25\n"
	        "drop out from !" WT_LOCAL);
	OK(fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0));
	ERR(pc_connect(w->st, fd, (const struct sockaddr *)&a, sizeof(a)), EINPROGRESS);
	OK(pc_close(w->st, fd));
	change(w, "mail", PC_FIREWALL_REPLACE, "");
	OK(fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0));
	ERR(pc_connect(w->st, fd, (const struct sockaddr *)&a, sizeof(a)), EPERM);
	OK(pc_close(w->st, fd));
	EQ(hits(0), 1);
	wt_settle(w);
	wt_drop(w);
	load(w, NULL);
}

/* ports come into a table, and leave it, while the rules and what they have counted stay */
static void ports(struct wt *w)
{
	const struct ends6 e = ends();

	w->cfg.ip6_accept_ra = 0;
	wt_start6(w, &e);
	load(w, "table closed ports { 53, 100-200 }\ndrop in proto udp to port <closed>,60\n"
	        "drop in proto udp to port !<closed>,1000");
	inject_from(w, "192.0.2.2", 53);
	inject_from(w, "192.0.2.2", 60);
	inject6_from(w, PEER6, 200);
	EQ(hits(0), 3);
	inject_from(w, "192.0.2.2", 201);
	EQ(hits(1), 1);
	inject6_from(w, PEER6, 1000);
	EQ(dropped(w), 4);
	change(w, "closed", PC_FIREWALL_REPLACE, "201");
	inject_from(w, "192.0.2.2", 201);
	EQ(hits(0), 4);
	inject_from(w, "192.0.2.2", 53);
	EQ(hits(1), 2);
	load(w, NULL);
}

/* ---- "!" ------------------------------------------------------------------------------------- */

static void negated(struct wt *w)
{
	const struct ends6 e = ends();

	w->cfg.ip6_accept_ra = 0;
	wt_start6(w, &e);
	load(w, "drop in inet proto udp from !192.0.2.0/26,192.0.2.100 to port 53\n"
	        "drop in proto udp to port !53-60\n"
	        "drop in proto !udp,icmp6\n"
	        "drop in proto udp from !192.0.2.0/24 to port 60");
	inject_from(w, "192.0.2.63", 53);
	inject_from(w, "192.0.2.100", 53);
	EQ(dropped(w), 0);
	inject_from(w, "192.0.2.64", 53);
	inject_from(w, "192.0.2.101", 53);
	EQ(hits(0), 2);
	inject6_from(w, PEER6, 53); /* it is of the other family */
	EQ(dropped(w), 2);
	inject_from(w, "192.0.2.64", 52);
	inject_from(w, "192.0.2.64", 61);
	inject_from(w, "192.0.2.64", 60);
	EQ(hits(1), 2);
	INJECT(.flags = S);
	EQ(hits(2), 1);
	inject6_from(w, PEER6, 60); /* in no network of IPv4 */
	EQ(hits(3), 1);
	EQ(dropped(w), 6);
	load(w, NULL);
}

/* ---- flags ----------------------------------------------------------------------------------- */

/* segments that belong to no connection; RFC 9293 3.1 */
static void flags(struct wt *w)
{
	wt_listen(w, 8);
	load(w, "drop in proto tcp flags /FSRPAU\n"
	        "drop in proto tcp flags SF/SF\n"
	        "pass in proto tcp to port 80 flags S/SA\n"
	        "drop in");
	INJECT(.flags = 0);
	EQ(hits(0), 1);
	INJECT(.flags = S | TCP_FIN);
	INJECT(.flags = S | TCP_FIN | TCP_PSH);
	EQ(hits(1), 2);
	INJECT(.flags = SA, .ack = 1);
	INJECT(.flags = A, .ack = 1);
	INJECT(.flags = FA, .ack = 1);
	EQ(hits(3), 3);
	NOTHING(100);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	INJECT(.flags = FA, .seq = 1, .ack = 1); /* it belongs to a connection */
	EXPECT(.flags = A, .seq = 1, .ack = 2);
	EQ(hits(2), 1);
	EQ(dropped(w), 6);
	load(w, NULL);
}

/* ---- limits of each source ------------------------------------------------------------------- */

static void sources(struct wt *w)
{
	load(w, "pass in proto udp limit 10/s per source burst 2");
	for (int i = 0; i < 5; i++)
		inject_from(w, "192.0.2.2", 53);
	EQ(dropped(w), 3);
	EQ(wt_count(w, PC_FIREWALL_SOURCE_LIMITED), 3);
	inject_from(w, "192.0.2.3", 53);
	inject_from(w, "192.0.2.3", 53);
	EQ(dropped(w), 3);
	inject_from(w, "192.0.2.3", 53);
	EQ(dropped(w), 4);
	wt_pass(w, 100);
	inject_from(w, "192.0.2.2", 53);
	EQ(dropped(w), 4);
	inject_from(w, "192.0.2.2", 53);
	EQ(dropped(w), 5);
	load(w, NULL);
}

/* of IPv6 a source is a /64, as who has one address has all of them */
static void sources6(struct wt *w)
{
	const struct ends6 e = ends();

	w->cfg.ip6_accept_ra = 0;
	wt_start6(w, &e);
	load(w, "pass in proto udp limit 1/s per source burst 2");
	inject6_from(w, "fd00::2", 53);
	inject6_from(w, "fd00::3", 53);
	EQ(dropped(w), 0);
	inject6_from(w, "fd00::4", 53);
	EQ(dropped(w), 1);
	inject6_from(w, "fd00:0:0:1::4", 53);
	EQ(dropped(w), 1);
	load(w, NULL);
}

/* SYNs are limited, and nothing else of TCP */
static void sources_tcp(struct wt *w)
{
	wt_listen(w, 8);
	load(w, "pass in proto tcp to port 80 limit 1/s per source burst 2");
	for (int i = 0; i < 2; i++) {
		wt_flow(w);
		INJECT(.flags = S, .mss = 1460);
		EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	}
	wt_flow(w);
	INJECT(.flags = S, .mss = 1460);
	EQ(wt_drop(w), 0);
	EQ(wt_count(w, PC_FIREWALL_SOURCE_LIMITED), 1);
	wt_flow(w);
	w->flow.iss = 0;
	INJECT(.flags = A, .seq = 1, .ack = 7);
	EXPECT(.flags = R, .seq = 7, .any_wnd = true);
	EQ(wt_count(w, PC_FIREWALL_SOURCE_LIMITED), 1);
	load(w, NULL);
}

/* ---- tables that rules fill ------------------------------------------------------------------ */

/* who sends datagrams faster than he may is blocked for a while, whatever he sends, and nobody else is */
static void overload(struct wt *w)
{
	load(w, "table bad\ndrop in from <bad>\n"
	        "pass in proto udp limit 1/s per source burst 2 overload <bad> timeout 3s");
	for (int i = 0; i < 3; i++)
		inject_from(w, "192.0.2.3", 53);
	EQ(hits(1), 3);
	EQ(wt_count(w, PC_FIREWALL_LEARNT), 1);
	inject_from(w, "192.0.2.3", 54);
	EQ(hits(0), 1);
	inject_from(w, "192.0.2.4", 53);
	EQ(hits(1), 4);
	wt_pass(w, 2900);
	inject_from(w, "192.0.2.3", 53);
	EQ(hits(0), 2);
	wt_pass(w, 200);
	inject_from(w, "192.0.2.3", 53);
	EQ(hits(1), 5);
	EQ(dropped(w), 3);
	load(w, NULL);
}

/* SYNs beyond the limit, and then every SYN: connections that are there go on */
static void overload_tcp(struct wt *w)
{
	wt_listen(w, 8);
	load(w,
	     "table bad\ndrop in from <bad>\n"
	     "pass in proto tcp to port 80 limit 1/s per source burst 2 overload <bad> timeout 1m");
	wt_flow(w);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	wt_flow(w);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	for (int i = 0; i < 2; i++) {
		const struct flow kept = wt_flow(w);

		INJECT(.flags = S, .mss = 1460);
		EQ(wt_drop(w), 0);
		w->flow = kept;
	}
	EQ(wt_count(w, PC_FIREWALL_SOURCE_LIMITED), 1);
	EQ(hits(0), 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	EQ(dropped(w), 2);
	load(w, NULL);
}

/* who tries a port that nobody has a use for gets no answer from the others */
static void trap(struct wt *w)
{
	const struct ends6 e = ends();

	w->cfg.ip6_accept_ra = 0;
	wt_start6(w, &e);
	load(
	    w,
	    "table scan\ndrop in proto udp to port 23 add <scan> timeout 10s\ndrop in from <scan>");
	inject6_from(w, "fd00::7", 22);
	EQ(dropped(w), 0);
	inject6_from(w, "fd00::7", 23);
	EQ(hits(0), 1);
	inject6_from(w, "fd00::8", 22); /* the same source: a /64 */
	EQ(hits(1), 1);
	inject_from(w, "192.0.2.7", 22);
	EQ(dropped(w), 2);
	change(w, "scan", PC_FIREWALL_DELETE, "fd00::9");
	inject6_from(w, "fd00::7", 22);
	EQ(dropped(w), 2);
	load(w, NULL);
}

static const struct wt_case cases[] = {
    {"tables of both families", tables},
    {"other addresses in a table", changes},
    {"who comes into a table has a connection", tables_and_connections},
    {"tables of what goes out", out},
    {"tables of ports", ports},
    {"what is not", negated},
    {"flags", flags},
    {"limits of each source", sources},
    {"limits of each network of IPv6", sources6},
    {"limits of the SYNs of a source", sources_tcp},
    {"who is beyond his limit comes into a table", overload},
    {"who opens too many connections comes into a table", overload_tcp},
    {"who tries a port comes into a table", trap},
};

WT_MAIN("firewall_tables")
