/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exception path: which frames go to the kernel, what is not answered then, and what comes back.
 *
 * The kernel is a second probe, to which the stack gives what it does not want.
 */

#include <string.h>

#include <percore/firewall.h>
#include <rte_mbuf.h>

#include "../../support/frame6.h"
#include "fixture.h"
#include "stack/exception_cut.h"

static struct box b;
static struct probe *kernel;

static const struct frame_ends kernel_ends = {
    .src_mac = PROBE_MAC, .dst_mac = PEER_MAC, .src_be = US, .dst_be = PEER};

static void begin_on(const struct probe_config *device)
{
	const struct probe_config probe = {.pool = probe_pool};

	box_open_on(&b, device);
	probe_answer_arp(b.probe, false);
	kernel = probe_open(&probe);
	probe_answer_arp(kernel, false);
	CU_ASSERT_EQUAL(pc_stack_set_exception(b.st, 0, probe_port(kernel), true), 0);
	box_turn(&b, 1);
	box_turn(&b, 1);
	while (probe_sent(b.probe) != NULL) /* it announces its address */
		probe_take(b.probe);
}

static void begin(void)
{
	const struct probe_config device = {.pool = probe_pool};

	begin_on(&device);
}

static void start(void)
{
	box_init(&b);
	begin();
}

static void end(void)
{
	uint64_t taken = box_count(&b, PC_RX_TAKEN);

	CU_ASSERT_EQUAL(box_count(&b, PC_RX_FRAMES), taken + box_drops(&b));
	CU_ASSERT_PTR_NULL(probe_sent(b.probe));
	CU_ASSERT_PTR_NULL(probe_sent(kernel));
	CU_ASSERT_EQUAL(pc_stack_set_exception(b.st, 0, NULL, false), 0);
	pc_port_close(probe_port(kernel));
	box_close(&b);
}

/* Lets the stack receive a frame. */
static void receive(const struct frame *f)
{
	probe_inject(b.probe, f);
	box_turn(&b, 1);
}

/* The kernel has got this frame, byte for byte. */
static void expect_at_kernel(const struct frame *f)
{
	const struct frame *got = probe_sent(kernel);

	CU_ASSERT_PTR_NOT_NULL_FATAL(got);
	CU_ASSERT_EQUAL(got->len, f->len);
	CU_ASSERT_EQUAL(memcmp(got->b, f->b, f->len), 0);
	probe_take(kernel);
}

/* ---- frames ------------------------------------------------------------------------------------- */

static void make_tcp(struct frame *f, uint16_t dport, uint8_t flags)
{
	const struct frame_ends e = box_ends();
	const struct tcp_seg s = {
	    .sport = 4000, .dport = dport, .seq = 1, .ack = 1, .flags = flags, .wnd = 1000};

	frame_tcp(f, &e, &s, NULL, NULL, 0);
}

static void syn(struct frame *f)
{
	make_tcp(f, 22, TCP_SYN);
}

static void ack(struct frame *f)
{
	make_tcp(f, 22, TCP_ACK);
}

static void rst(struct frame *f)
{
	make_tcp(f, 22, TCP_RST);
}

static void text(struct frame *f)
{
	static const uint8_t data[1000] = "some text";
	const struct frame_ends e = box_ends();
	const struct tcp_seg s = {.sport = 4000,
	                          .dport = 22,
	                          .seq = 1,
	                          .ack = 1,
	                          .flags = TCP_ACK,
	                          .wnd = 1000,
	                          .len = sizeof(data)};

	frame_tcp(f, &e, &s, data, NULL, 0);
}

static void udp(struct frame *f)
{
	const struct frame_ends e = box_ends();

	frame_udp(f, &e, 4000, 123, "what time is it?", 16);
}

static void broadcast(struct frame *f)
{
	struct frame_ends e = box_ends();

	memset(e.dst_mac, 0xff, 6);
	e.dst_be = UINT32_MAX;
	frame_udp(f, &e, 67, 68, "an offer", 8);
}

static void group(struct frame *f)
{
	struct frame_ends e = box_ends();

	memcpy(e.dst_mac, "\x01\x00\x5e\x00\x00\x05", 6);
	e.dst_be = 0x050000e0u; /* 224.0.0.5 */
	frame_udp(f, &e, 89, 89, "hello", 5);
}

static void other_address(struct frame *f)
{
	struct frame_ends e = box_ends();

	e.dst_be = 0x090200c0u;
	frame_udp(f, &e, 4000, 7, "you", 3);
}

static void other_address6(struct frame *f)
{
	struct ends6 e = {.src_mac = PEER_MAC, .dst_mac = PROBE_MAC};

	e.src.b[0] = e.dst.b[0] = 0xfd;
	e.src.b[15] = 2;
	e.dst.b[15] = 9;
	frame6_udp(f, &e, 4000, 7, "you", 3);
}

static void ospf(struct frame *f)
{
	udp(f);
	f->b[14 + 9] = 89;
	frame_fix_ip4(f);
}

static void lldp(struct frame *f)
{
	udp(f);
	f->b[12] = 0x88, f->b[13] = 0xcc;
}

static void vlan(struct frame *f)
{
	udp(f);
	memmove(f->b + 16, f->b + 12, (size_t)f->len - 12);
	memcpy(f->b + 12, "\x81\x00\x00\x07", 4);
	f->len += 4;
}

static void echo_reply(struct frame *f)
{
	const struct frame_ends e = box_ends();

	frame_icmp(f, &e, 0, 0, (const uint8_t[]){1, 2, 3, 4}, "ping", 4);
}

/* of a router, about a packet of the kernel's: 192.0.2.1:5000 to 192.0.2.2:53 */
static void unreachable(struct frame *f)
{
	const struct frame_ends e = box_ends();
	struct frame quoted;

	frame_udp(&quoted, &kernel_ends, 5000, 53, "question", 8);
	frame_icmp(f, &e, 3, 3, (const uint8_t[4]){0}, quoted.b + 14, 28);
}

static void timestamp(struct frame *f)
{
	const struct frame_ends e = box_ends();

	frame_icmp(f, &e, 13, 0, (const uint8_t[4]){0}, "123456789012", 12);
}

static void arp_reply(struct frame *f)
{
	const struct frame_ends e = box_ends();

	frame_arp(f, &e, 2, (const uint8_t *)PROBE_MAC);
}

static void arp_for_kernel(struct frame *f)
{
	struct frame_ends e = box_ends();

	e.dst_be = 0x090200c0u;
	frame_arp(f, &e, 1, (const uint8_t[6]){0});
}

static const struct {
	const char *what;
	void (*make)(struct frame *f);
} theirs[] = {
    {"a SYN to a port where nobody listens", syn},
    {"an acknowledgement of no connection", ack},
    {"a RST of none", rst},
    {"text of none", text},
    {"a datagram to a port without a socket", udp},
    {"a broadcast", broadcast},
    {"a group that nobody has joined", group},
    {"an address that only the kernel has", other_address},
    {"an address of IPv6 that only the kernel has", other_address6},
    {"a protocol that nobody here speaks", ospf},
    {"an EtherType that nobody here speaks", lldp},
    {"a VLAN that is none of ours", vlan},
    {"an echo reply", echo_reply},
    {"an ICMP error about a packet of the kernel's", unreachable},
    {"an ICMP message of a type that is ignored", timestamp},
    {"an ARP reply that was not asked for here", arp_reply},
    {"an ARP request for an address that only the kernel has", arp_for_kernel},
};

/* ---- cases -------------------------------------------------------------------------------------- */

static void test_theirs(void)
{
	struct frame f;

	for (size_t i = 0; i < RTE_DIM(theirs); i++) {
		start();
		theirs[i].make(&f);
		receive(&f);
		if (probe_sent(kernel) == NULL || probe_sent(b.probe) != NULL)
			fprintf(stderr, "%s\n", theirs[i].what);
		expect_at_kernel(&f);
		CU_ASSERT_EQUAL(box_count(&b, PC_EXCEPTION_RX), 1);
		end();
	}
}

/* of who is denied (net.deny) the kernel gets no packet either, and nobody answers */
static void test_denied(void)
{
	struct pc_prefix denied[2];
	struct frame f;

	CU_ASSERT_EQUAL(pc_prefix_parse("192.0.2.2/32", &denied[0]), 0);
	CU_ASSERT_EQUAL(pc_prefix_parse("fd00::2/128", &denied[1]), 0);
	for (size_t i = 0; i < RTE_DIM(theirs); i++) {
		theirs[i].make(&f);
		if (memcmp(f.b + 12, "\x08\0", 2) != 0 && memcmp(f.b + 12, "\x86\xdd", 2) != 0)
			continue;
		start();
		CU_ASSERT_EQUAL(pc_stack_deny_all(b.st, denied, 2), 0);
		receive(&f);
		if (box_count(&b, PC_DROP_DENIED) != 1)
			fprintf(stderr, "%s\n", theirs[i].what);
		CU_ASSERT_EQUAL(box_count(&b, PC_DROP_DENIED), 1);
		end();
	}
}

/* nor what the rules of a firewall drop */
static void test_rules(void)
{
	static const char text[] = "drop in proto 89\ndrop in proto udp to port 123\n"
	                           "drop in proto tcp to port 22\n";
	const struct pc_firewall_args args = {.text = text,
	                                      .len = strlen(text),
	                                      .name = "rules",
	                                      .max_rules = 10,
	                                      .slots = 1,
	                                      .socket_id = -1};
	struct pc_firewall *set;
	struct frame f;
	char why[256];

	start();
	set = pc_firewall_create(&args, why, sizeof(why));
	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	CU_ASSERT_EQUAL(pc_stack_set_firewall(b.st, set, 0), 0);
	ospf(&f);
	receive(&f);
	udp(&f);
	receive(&f);
	syn(&f);
	receive(&f);
	ack(&f);
	receive(&f);
	rst(&f);
	receive(&f);
	CU_ASSERT_EQUAL(box_count(&b, PC_DROP_FIREWALL), 5);
	CU_ASSERT_PTR_NULL(probe_sent(kernel));
	make_tcp(&f, 23, TCP_RST);
	receive(&f);
	expect_at_kernel(&f);
	ospf(&f);
	f.b[14 + 9] = 90;
	frame_fix_ip4(&f);
	receive(&f);
	expect_at_kernel(&f);
	CU_ASSERT_EQUAL(pc_stack_set_firewall(b.st, NULL, 0), 0);
	pc_firewall_free(set);
	end();
}

/* what has a socket here is not told to the kernel; what is damaged is nobody's */
static void test_ours(void)
{
	struct frame f;
	int fd;

	start();
	fd = box_serve(&b, SOCK_DGRAM, 123);
	box_serve(&b, SOCK_STREAM, 22);
	udp(&f);
	receive(&f);
	CU_ASSERT_EQUAL(box_count(&b, PC_UDP_RX), 1);
	pc_close(b.st, fd);
	syn(&f);
	receive(&f); /* answered, to a neighbour that is asked for first */
	CU_ASSERT_EQUAL(box_count(&b, PC_DROP_TCP_SYN_HANDLED), 1);
	make_tcp(&f, 22, TCP_FIN);
	receive(&f);
	make_tcp(&f, 23, TCP_SYN);
	f.b[14 + 20 + 16] ^= 1;
	receive(&f);
	udp(&f);
	f.b[24] ^= 1;
	receive(&f);
	udp(&f);
	memcpy(f.b, "\x02\x00\x00\x00\x00\x09", 6);
	receive(&f);
	CU_ASSERT_EQUAL(box_count(&b, PC_EXCEPTION_RX), 0);
	CU_ASSERT_PTR_NULL(probe_sent(kernel));
	while (probe_sent(b.probe) != NULL)
		probe_take(b.probe);
	/* the datagram waited for no reader, and went with its socket */
	end();
}

/* who is asked for our own address is not the kernel */
static void test_questions(void)
{
	const struct frame_ends e = box_ends();
	struct frame f;

	start();
	frame_arp(&f, &e, 1, (const uint8_t[6]){0});
	receive(&f);
	CU_ASSERT_EQUAL(box_count(&b, PC_ARP_REPLIES_TX), 1);
	frame_icmp(&f, &e, 8, 0, (const uint8_t[]){1, 2, 3, 4}, "ping", 4);
	receive(&f);
	CU_ASSERT_EQUAL(box_count(&b, PC_ICMP_ECHO), 1);
	CU_ASSERT_PTR_NULL(probe_sent(kernel));
	probe_take(b.probe);
	probe_take(b.probe);
	end();
}

/* Frames of the machine itself come over virtio without a checksum, which the kernel would call wrong. */
static void test_partial(void)
{
	static void (*const make[])(struct frame * f) = {text, udp, group, other_address6};
	const struct probe_config virtio = {
	    .pool = probe_pool, .offloads = PC_PORT_RX_L4_CKSUM, .partial = true};

	for (unsigned i = 0; i < RTE_DIM(make); i++) {
		struct frame f, whole;

		make[i](&whole);
		f = whole;
		memset(f.b + (i == 0 ? 14 + 20 + 16 : i < 3 ? 14 + 20 + 6 : 14 + 40 + 6), 7, 2);
		box_init(&b);
		begin_on(&virtio);
		receive(&f);
		expect_at_kernel(&whole);
		end();
	}
}

/* of lcores that share a device one tells the kernel of neighbours */
static void test_link(void)
{
	struct frame f;

	start();
	CU_ASSERT_EQUAL(pc_stack_set_exception(b.st, 0, probe_port(kernel), false), 0);
	arp_reply(&f);
	receive(&f);
	CU_ASSERT_PTR_NULL(probe_sent(kernel));
	udp(&f);
	receive(&f);
	expect_at_kernel(&f);
	end();
}

/* a neighbour that both know announces another MAC address (RFC 5227) */
static void test_announced(void)
{
	struct frame_ends e = box_ends();
	struct frame f;

	start();
	frame_arp(&f, &e, 1, (const uint8_t[6]){0}); /* who asks for us is known here */
	receive(&f);
	probe_take(b.probe);
	CU_ASSERT_PTR_NULL(probe_sent(kernel));
	e.dst_be = PEER;
	memset(e.dst_mac, 0xff, 6);
	frame_arp(&f, &e, 1, (const uint8_t[6]){0});
	receive(&f);
	expect_at_kernel(&f);
	CU_ASSERT_EQUAL(box_count(&b, PC_ARP_RX), 2);
	end();
}

/* and so does one of whom nobody here knows; the kernel gets it once, and other lcores do not pass theirs on */
static void test_announced_by_stranger(void)
{
	struct frame_ends e = box_ends();
	struct frame f;

	start();
	e.dst_be = PEER;
	memset(e.dst_mac, 0xff, 6);
	frame_arp(&f, &e, 1, (const uint8_t[6]){0});
	receive(&f);
	expect_at_kernel(&f);
	CU_ASSERT_PTR_NULL(probe_sent(kernel));
	CU_ASSERT_EQUAL(pc_stack_set_exception(b.st, 0, probe_port(kernel), false), 0);
	receive(&f);
	CU_ASSERT_PTR_NULL(probe_sent(kernel));
	CU_ASSERT_EQUAL(box_count(&b, PC_DROP_ARP_NOT_OURS), 2);
	end();
}

static void start6(struct ends6 *e)
{
	const struct pc_prefix p = {.addr = addr6("fd00::1"), .len = 64};

	*e = (struct ends6){
	    .src_mac = PEER_MAC, .dst_mac = PROBE_MAC, .src = addr6("fe80::2"), .dst = p.addr};
	box_init(&b);
	b.cfg.ip6_dad = 0;
	begin();
	CU_ASSERT_EQUAL(pc_stack_add_addr(b.st, 0, &p), 0);
	for (int i = 0; i < 10; i++)
		box_turn(&b, 500);
	while (probe_sent(b.probe) != NULL) /* it announces its address and its groups */
		probe_take(b.probe);
}

/* A probe for an address that only the kernel may have comes to all lcores: one of them passes it on. */
static void test_probed(void)
{
	struct frame_ends e4 = box_ends();
	uint8_t body[20] = {0};
	struct frame f[3];
	struct ends6 e;

	e4.src_be = 0;
	e4.dst_be = 0x090200c0u;
	frame_arp(&f[0], &e4, 1, (const uint8_t[6]){0});
	start6(&e);
	e.src = addr6("::");
	for (int i = 1; i < 3; i++) { /* to a group that is not ours, and to one that is */
		const struct pc_addr wanted = addr6(i == 1 ? "fd00::9:9" : "fd00::9:0:1");

		e.dst = addr6(i == 1 ? "ff02::1:ff09:9" : "ff02::1:ff00:1");
		memcpy(body + 4, &wanted, 16);
		memcpy(e.dst_mac, i == 1 ? "\x33\x33\xff\x09\x00\x09" : "\x33\x33\xff\x00\x00\x01",
		       6);
		frame6_icmp(&f[i], &e, 255, 135, 0, body, sizeof(body));
	}
	for (int i = 0; i < 6; i++) {
		const bool link = i % 2 != 0;

		CU_ASSERT_EQUAL(pc_stack_set_exception(b.st, 0, probe_port(kernel), link), 0);
		receive(&f[i / 2]);
		if (link)
			expect_at_kernel(&f[i / 2]);
		CU_ASSERT_PTR_NULL(probe_sent(kernel));
	}
	end();
}

/* a solicitation for our address is answered here alone, be it of a neighbour or of who wants the address */
static void test_solicited(void)
{
	uint8_t body[20] = {0};
	struct ends6 e;
	struct frame f;

	start6(&e);
	memcpy(body + 4, &e.dst, 16);
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			frame6_solicit(&f, &e);
		else
			frame6_icmp(&f, &e, 255, 135, 0, body, sizeof(body));
		receive(&f);
		CU_ASSERT_PTR_NULL(probe_sent(kernel));
		CU_ASSERT_PTR_NOT_NULL_FATAL(probe_sent(b.probe));
		probe_take(b.probe);
		e.src = addr6("::");
		e.dst = addr6("ff02::1:ff00:1");
		memcpy(e.dst_mac, "\x33\x33\xff\x00\x00\x01", 6);
	}
	CU_ASSERT_EQUAL(box_count(&b, PC_EXCEPTION_RX), 0);
	CU_ASSERT_EQUAL(box_count(&b, PC_DROP_ND_DONE), 2);
	end();
}

/* a frame of a VLAN within a VLAN is as long as it can be, and is not cut off nor in pieces */
static void test_two_tags(void)
{
	static const uint8_t text[1472] = "text";
	const struct frame_ends e = box_ends();
	struct frame f;

	start();
	frame_udp(&f, &e, 4000, 123, text, sizeof(text));
	memmove(f.b + 20, f.b + 12, (size_t)f.len - 12);
	memcpy(f.b + 12, "\x88\xa8\x00\x07\x81\x00\x00\x09", 8);
	f.len += 8;
	CU_ASSERT_EQUAL(f.len, 1522);
	receive(&f);
	expect_at_kernel(&f);
	CU_ASSERT_EQUAL(box_count(&b, PC_DROP_EXCEPTION_FULL), 0);
	end();
}

static void test_from_kernel(void)
{
	struct frame f;
	const struct frame *sent;

	start();
	frame_udp(&f, &kernel_ends, 123, 4000, "noon", 4);
	probe_inject(kernel, &f);
	box_turn(&b, 1);
	sent = probe_sent(b.probe);
	CU_ASSERT_PTR_NOT_NULL_FATAL(sent);
	CU_ASSERT_EQUAL(sent->len, f.len);
	CU_ASSERT_EQUAL(memcmp(sent->b, f.b, f.len), 0);
	probe_take(b.probe);
	CU_ASSERT_EQUAL(box_count(&b, PC_EXCEPTION_TX), 1);
	CU_ASSERT_EQUAL(box_count(&b, PC_RX_FRAMES), 0);
	end();
}

/* while the device takes nothing, the kernel's frames wait in the kernel */
static void test_device_full(void)
{
	struct frame f;

	start();
	probe_limit_tx(b.probe, 0);
	frame_udp(&f, &kernel_ends, 123, 4000, "noon", 4);
	for (int i = 0; i < 400; i++)
		probe_inject(kernel, &f);
	for (int i = 0; i < 30; i++)
		box_turn(&b, 1);
	CU_ASSERT(probe_pending(kernel) >= 400 - 256 - 32);
	CU_ASSERT_EQUAL(box_count(&b, PC_TX_RING_FULL), 0);
	probe_limit_tx(b.probe, 64);
	for (int i = 0; i < 30; i++)
		box_turn(&b, 1);
	CU_ASSERT_EQUAL(box_count(&b, PC_EXCEPTION_TX), 400);
	for (int i = 0; i < 400; i++) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(probe_sent(b.probe));
		probe_take(b.probe);
	}
	end();
}

static void test_kernel_full(void)
{
	struct frame f;

	start();
	probe_limit_tx(kernel, 3);
	udp(&f);
	for (int i = 0; i < 10; i++)
		probe_inject(b.probe, &f);
	box_turn(&b, 1);
	for (int i = 0; i < 3; i++)
		expect_at_kernel(&f);
	CU_ASSERT_EQUAL(box_count(&b, PC_DROP_EXCEPTION_FULL), 7);
	CU_ASSERT_EQUAL(box_count(&b, PC_EXCEPTION_RX), 3);
	end();
}

/* news of a neighbour that do not reach the kernel: it takes nothing, there is no mbuf, there are too many */
static void test_lost_news(void)
{
	static struct rte_mbuf *all[NB_POOL];
	struct frame f;
	unsigned n = 0;

	box_init(&b);
	b.cfg.exception_rate = 1;
	begin();
	arp_reply(&f);
	receive(&f);
	expect_at_kernel(&f);
	receive(&f); /* a second one within the second */
	CU_ASSERT_EQUAL(box_count(&b, PC_EXCEPTION_LOST), 1);
	box_turn(&b, 5000);
	while (n < NB_POOL && (all[n] = rte_pktmbuf_alloc(pool)) != NULL)
		n++;
	receive(&f);
	CU_ASSERT_EQUAL(box_count(&b, PC_EXCEPTION_LOST), 2);
	rte_pktmbuf_free_bulk(all, n);
	box_turn(&b, 5000);
	probe_limit_tx(kernel, 0);
	receive(&f);
	CU_ASSERT_EQUAL(box_count(&b, PC_EXCEPTION_LOST), 3);
	CU_ASSERT_EQUAL(box_count(&b, PC_EXCEPTION_RX), 1);
	end();
}

static void test_rate(void)
{
	struct frame f;
	unsigned n = 0;

	box_init(&b);
	b.cfg.exception_rate = 100;
	begin();
	udp(&f);
	for (int i = 0; i < 50; i++) {
		probe_inject(b.probe, &f);
		box_turn(&b, 1);
	}
	while (probe_sent(kernel) != NULL) {
		probe_take(kernel);
		n++;
	}
	/* what a tenth of a second may bring, and four in the 49 ms after that */
	CU_ASSERT_EQUAL(n, 11 + 4);
	CU_ASSERT_EQUAL(box_count(&b, PC_DROP_EXCEPTION_RATE), 50 - n);
	box_turn(&b, 10000);
	for (int i = 0; i < 20; i++)
		probe_inject(b.probe, &f);
	box_turn(&b, 1);
	for (int i = 0; i < 11; i++)
		expect_at_kernel(&f);
	end();
}

/* segments that would go on as one are the kernel's one by one */
static void test_unmerged(void)
{
	static const uint8_t data[1000] = "text";
	const struct frame_ends e = box_ends();
	struct tcp_seg s = {.sport = 4000,
	                    .dport = 22,
	                    .seq = 1,
	                    .ack = 1,
	                    .flags = TCP_ACK,
	                    .wnd = 1000,
	                    .len = sizeof(data)};
	struct frame f[5];

	start();
	for (int i = 0; i < 5; i++) {
		frame_tcp(&f[i], &e, &s, data, NULL, 0);
		probe_inject(b.probe, &f[i]);
		s.seq += s.len;
	}
	box_turn(&b, 1);
	for (int i = 0; i < 5; i++)
		expect_at_kernel(&f[i]);
	end();
}

/* Sends a datagram of n bytes in fragments of 1400. */
static void receive_fragments(uint8_t *data, uint32_t n)
{
	const struct frame_ends e = box_ends();
	struct frame f;

	for (uint32_t off = 0, len; off < n; off += len) {
		len = RTE_MIN(n - off, 1400u);
		frame_udp(&f, &e, 0, 0, data + off + 8, (uint16_t)(len - 8));
		memcpy(f.b + 34, data + off, 8);
		f.b[14 + 4] = 0x12, f.b[14 + 5] = 0x34;
		f.b[14 + 6] = (uint8_t)((off + len < n ? 0x20 : 0) | off / 8 >> 8);
		f.b[14 + 7] = (uint8_t)(off / 8);
		frame_fix_ip4(&f);
		probe_inject(b.probe, &f);
	}
	box_turn(&b, 1);
	box_turn(&b, 1);
}

/* what was put together to see whose it is goes to the kernel in fragments */
static void test_fragments(void)
{
	static uint8_t data[5000], got[5000];
	struct frame_info info;
	const struct frame *f;
	uint32_t n = 0, pieces = 0;

	start();
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 >> 3);
	memcpy(
	    data,
	    (const uint8_t[]){0x0f, 0xa0, 0x00, 0x7b, sizeof(data) >> 8, sizeof(data) & 0xff, 0, 0},
	    8);
	receive_fragments(data, sizeof(data));
	while ((f = probe_sent(kernel)) != NULL) {
		CU_ASSERT_PTR_NULL(frame_read(f, &info));
		CU_ASSERT(info.fragment);
		CU_ASSERT_EQUAL(info.id, 0x1234);
		CU_ASSERT_EQUAL_FATAL(info.frag_off, n);
		CU_ASSERT_EQUAL(info.more, n + (uint32_t)f->len - 34 < sizeof(data));
		memcpy(got + n, f->b + 34, (size_t)f->len - 34);
		n += (uint32_t)f->len - 34;
		pieces++;
		probe_take(kernel);
	}
	CU_ASSERT_EQUAL(n, sizeof(data));
	CU_ASSERT_EQUAL(pieces, 4);
	CU_ASSERT_EQUAL(memcmp(got, data, sizeof(data)), 0);
	end();
}

/* what comes before a datagram in fragments, in the same burst too, is before it at the kernel */
static void test_fragments_order(void)
{
	static uint8_t data[3000] = {
	    0x0f, 0xa0, 0x00, 0x7b, sizeof(data) >> 8, sizeof(data) & 0xff};
	struct frame f;

	start();
	udp(&f);
	probe_inject(b.probe, &f);
	receive_fragments(data, sizeof(data));
	expect_at_kernel(&f);
	for (unsigned i = 0; i < 3; i++)
		probe_take(kernel);
	end();
}

#define MTU6     576u
#define TEXT6    1900u
#define IP6      14 /* where the header is, and what follows it */
#define UPPER6   54
#define FRAGMENT 44

/* An mbuf with an IPv6 packet of TEXT6 bytes behind headers with this first Next Header. */
static struct rte_mbuf *make_packet6(struct frame *f, uint8_t next)
{
	static uint8_t text[TEXT6];
	struct ends6 e = {.src_mac = PEER_MAC, .dst_mac = PROBE_MAC};
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 >> 3);
	e.src.b[0] = e.dst.b[0] = 0xfd;
	e.src.b[15] = 2;
	e.dst.b[15] = 1;
	frame6_raw(f, &e, next, 64, text, sizeof(text));
	CU_ASSERT_FATAL(m != NULL && rte_pktmbuf_append(m, f->len) != NULL);
	memcpy(rte_pktmbuf_mtod(m, void *), f->b, f->len);
	return m;
}

/* A piece is what RFC 8200 section 4.5 says of fragments: n bytes from off on of those of f. */
static void check_piece6(const struct rte_mbuf *piece, const struct frame *f, uint32_t off,
                         uint32_t id)
{
	const uint8_t *p = rte_pktmbuf_mtod(piece, const uint8_t *);
	const uint32_t n = piece->pkt_len - UPPER6 - 8;
	const bool more = off + n < TEXT6;
	uint32_t said;

	CU_ASSERT_FATAL(piece->pkt_len <= MTU6 + IP6 && off + n <= TEXT6);
	CU_ASSERT(memcmp(p, f->b, IP6 + 4) == 0 && memcmp(p + IP6 + 7, f->b + IP6 + 7, 33) == 0);
	CU_ASSERT_EQUAL((uint32_t)(p[IP6 + 4] << 8 | p[IP6 + 5]), n + 8);
	CU_ASSERT(p[IP6 + 6] == FRAGMENT && p[UPPER6] == f->b[IP6 + 6] && p[UPPER6 + 1] == 0);
	CU_ASSERT_EQUAL((uint32_t)(p[UPPER6 + 2] << 8 | p[UPPER6 + 3]), off | more);
	memcpy(&said, p + UPPER6 + 4, sizeof(said));
	CU_ASSERT_EQUAL(said, id);
	CU_ASSERT_EQUAL(memcmp(p + UPPER6 + 8, f->b + UPPER6 + off, n), 0);
}

static void test_fragments6(void)
{
	struct rte_mbuf *m, *pieces[EXCEPTION_PIECES];
	uint32_t off = 0, id = 0;
	struct frame f;
	unsigned n;

	start();
	m = make_packet6(&f, 17);
	n = exception_cut(&b.st->ctx, m, MTU6, pieces);
	CU_ASSERT_EQUAL_FATAL(
	    n, 4); /* of 528 bytes, the most that is a multiple of 8 beside the headers */
	memcpy(&id, rte_pktmbuf_mtod_offset(pieces[0], uint8_t *, UPPER6 + 4), sizeof(id));
	for (unsigned i = 0; i < n; i++) {
		check_piece6(pieces[i], &f, off, id);
		off += pieces[i]->pkt_len - UPPER6 - 8;
		rte_pktmbuf_free(pieces[i]);
	}
	CU_ASSERT_EQUAL(off, TEXT6);
	rte_pktmbuf_free(m);
	/* what each router has to see would have to stay in front; what is no packet of IP */
	for (unsigned i = 0; i < 3; i++) {
		m = make_packet6(&f, i == 0 ? 0 : i == 1 ? 43 : 17);
		if (i == 2)
			memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, 12), "\x88\xcc", 2);
		CU_ASSERT_EQUAL(exception_cut(&b.st->ctx, m, MTU6, pieces), 0);
		rte_pktmbuf_free(m);
	}
	end();
}

/* a datagram for which there is no room at the kernel's port is dropped whole, and nothing stays */
static void test_fragments_full(void)
{
	static uint8_t data[5000] = {
	    0x0f, 0xa0, 0x00, 0x7b, sizeof(data) >> 8, sizeof(data) & 0xff};

	start();
	probe_limit_tx(kernel, 2);
	receive_fragments(data, sizeof(data));
	CU_ASSERT_EQUAL(box_count(&b, PC_DROP_EXCEPTION_FULL), 1);
	probe_take(kernel);
	probe_take(kernel);
	end();
}

/* an address that the link is still asked for has no port that is closed, though the kernel has it already */
static void test_tentative(void)
{
	struct frame_ends e = box_ends();
	const struct pc_prefix later = {.addr = pc_addr_ip4(0x090200c0u), .len = 96 + 24};
	struct frame f;

	box_init(&b);
	b.cfg.arp_probes = 3;
	begin();
	CU_ASSERT_EQUAL(pc_stack_add_addr(b.st, 0, &later), 0);
	e.dst_be = 0x090200c0u;
	frame_udp(&f, &e, 4000, 7, "you", 3);
	receive(&f);
	CU_ASSERT_PTR_NULL(probe_sent(kernel));
	CU_ASSERT_EQUAL(box_count(&b, PC_DROP_IP4_NOT_OURS), 1);
	for (int i = 0; i < 20; i++)
		box_turn(&b, 500);
	receive(&f);
	CU_ASSERT_EQUAL(box_count(&b, PC_DROP_UDP_NO_SOCKET), 0);
	expect_at_kernel(&f);
	while (probe_sent(b.probe) != NULL)
		probe_take(b.probe);
	end();
}

static void test_wrong(void)
{
	start();
	FAILS(pc_stack_set_exception(b.st, 1, probe_port(kernel), true), EINVAL);
	FAILS(pc_stack_set_exception(b.st, -1, probe_port(kernel), true), EINVAL);
	end();
}

static const struct unit_case cases[] = {
    {"what nobody here wants goes to the kernel, and is not answered", test_theirs},
    {"what somebody here wants does not, nor what is damaged", test_ours},
    {"nor what a denied source sends", test_denied},
    {"nor what a firewall drops", test_rules},
    {"questions for our address are answered here", test_questions},
    {"what the device says has no checksum yet", test_partial},
    {"one lcore tells of neighbours", test_link},
    {"one lcore tells of probes", test_probed},
    {"an announcement of a neighbour", test_announced},
    {"an announcement of a stranger", test_announced_by_stranger},
    {"solicitations for our address", test_solicited},
    {"a full frame with two tags", test_two_tags},
    {"what the kernel sends is sent as it is", test_from_kernel},
    {"the kernel waits for a device that is full", test_device_full},
    {"a full interface of the kernel's", test_kernel_full},
    {"news that the kernel does not get", test_lost_news},
    {"exception.rate", test_rate},
    {"segments are not merged", test_unmerged},
    {"a datagram in fragments", test_fragments},
    {"a datagram in fragments behind another one", test_fragments_order},
    {"a packet of IPv6 in fragments", test_fragments6},
    {"a datagram in fragments, without room", test_fragments_full},
    {"an address that is not in use yet", test_tentative},
    {"no such port", test_wrong},
};

int main(void)
{
	return box_program("exception", cases, RTE_DIM(cases));
}
