/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of socket calls, frames and time on two whole stacks.
 *
 * The bytes of an input are operations: calls on either stack, the passing of time, and an attacker
 * on the wire who drops, repeats and changes frames and adds some of his own. After each operation
 * every structure is validated, and at the end no mbuf may be left.
 *
 * Two bits of an operation's byte, besides its number, choose IPv6, and the stack's own address,
 * reached by loopback.
 */
#include <errno.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <rte_mbuf.h>

#include <percore/percore.h>
#include <percore/tcp_ao.h>

#include "eal.h"
#include "fuzz.h"
#include "fw/fw.h"
#include "pipe.h"

#define NB_POOL 512
#define SLOTS   6
#define OPS_MAX 300

#define HOW_IP6  0x10
#define HOW_SELF 0x20

struct side {
	struct pc_stack *st;
	int fd[SLOTS]; /* -1: none */
	int ep;
};

struct world {
	struct bytes in;
	struct side side[2];
	struct pipe_end pipe[2];
	uint64_t now;
	uint8_t how; /* HOW_ bits of this operation */
	bool turned; /* a turn was made in this operation */
};

struct name {
	struct sockaddr_storage sa;
	socklen_t len;
};

static struct rte_mempool *pools[3]; /* for each stack, and the wire */

static void turn(struct world *w)
{
	w->turned = true;
	for (int i = 0; i < 2; i++) {
		pc_stack_poll(w->side[i].st, w->now);
		pc_stack_flush(w->side[i].st, w->now);
	}
}

/* An address of either stack, in the family of this operation; with HOW_SELF, it may be a loopback
 * address. */
static struct name address(struct world *w, int side, uint8_t port)
{
	static const char *const ip4[] = {"10.0.0.1", "10.0.0.2", "127.0.0.1"};
	static const char *const ip6[] = {"fd00::1", "fd00::2", "::1"};
	const int which = w->how & HOW_SELF && port & 0x80 ? 2 : side;
	struct name n = {0};
	struct sockaddr_in a = {.sin_family = AF_INET,
	                        .sin_port = htons((uint16_t)(80 + port % 4))};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = a.sin_port};

	a.sin_addr.s_addr = inet_addr(ip4[which]);
	inet_pton(AF_INET6, ip6[which], &a6.sin6_addr);
	n.len = w->how & HOW_IP6 ? sizeof(a6) : sizeof(a);
	memcpy(&n.sa, w->how & HOW_IP6 ? (const void *)&a6 : (const void *)&a, n.len);
	return n;
}

/* the peer that a socket of side talks to */
static struct name peer(struct world *w, int side)
{
	return address(w, w->how & HOW_SELF ? side : !side, take8(&w->in));
}

/* ---- operations; slot mostly selects the socket ---------------------------------------------- */

static void op_socket(struct world *w, int side, unsigned slot)
{
	struct side *s = &w->side[side];

	if (s->fd[slot] < 0)
		s->fd[slot] = pc_socket(s->st, w->how & HOW_IP6 ? AF_INET6 : AF_INET,
		                        take8(&w->in) % 4 == 0 ? SOCK_DGRAM : SOCK_STREAM, 0);
}

static void op_close(struct world *w, int side, unsigned slot)
{
	struct side *s = &w->side[side];

	if (s->fd[slot] < 0)
		return;
	fuzz_check(pc_close(s->st, s->fd[slot]) == 0);
	s->fd[slot] = -1;
}

static void op_bind(struct world *w, int side, unsigned slot)
{
	struct name a = address(w, side, take8(&w->in));

	pc_bind(w->side[side].st, w->side[side].fd[slot], (struct sockaddr *)&a.sa, a.len);
}

static void op_listen(struct world *w, int side, unsigned slot)
{
	pc_listen(w->side[side].st, w->side[side].fd[slot], take8(&w->in) % 4);
}

static void op_connect(struct world *w, int side, unsigned slot)
{
	const uint8_t whom = take8(&w->in);
	struct name a = address(w, w->how & HOW_SELF ? side : !side, whom);

	if ((whom & 0x70) == 0x70)
		((struct sockaddr *)&a.sa)->sa_family = AF_UNSPEC;
	pc_connect(w->side[side].st, w->side[side].fd[slot], (struct sockaddr *)&a.sa, a.len);
}

static void op_accept(struct world *w, int side, unsigned slot)
{
	struct side *s = &w->side[side];
	unsigned to = take8(&w->in) % SLOTS;

	if (s->fd[to] < 0)
		s->fd[to] = pc_accept(s->st, s->fd[slot], NULL, NULL);
}

static void op_send(struct world *w, int side, unsigned slot)
{
	static const int flags[] = {0, MSG_MORE, MSG_OOB, MSG_DONTWAIT | MSG_NOSIGNAL};
	static char buf[4096];
	struct name a = peer(w, side);
	uint8_t how = take8(&w->in);
	size_t len = take16(&w->in) % sizeof(buf);

	if (how & 4)
		pc_sendto(w->side[side].st, w->side[side].fd[slot], buf, len, flags[how % 4],
		          (struct sockaddr *)&a.sa, a.len);
	else
		pc_send(w->side[side].st, w->side[side].fd[slot], buf, len, flags[how % 4]);
}

static void op_recv(struct world *w, int side, unsigned slot)
{
	static const int flags[] = {0, MSG_PEEK, MSG_TRUNC, MSG_OOB, MSG_WAITALL};
	static char buf[4096];
	struct side *s = &w->side[side];
	uint8_t how = take8(&w->in);
	struct rte_mbuf *m = NULL;

	if (how & 0x80) {
		if (pc_recv_mbuf(s->st, s->fd[slot], &m, NULL) > 0)
			rte_pktmbuf_free(m);
		return;
	}
	pc_recv(s->st, s->fd[slot], buf, take16(&w->in) % sizeof(buf), flags[how % 5]);
}

static void op_shutdown(struct world *w, int side, unsigned slot)
{
	pc_shutdown(w->side[side].st, w->side[side].fd[slot], take8(&w->in) % 4);
}

/* a key for the peer of a socket of side, or for a network that may contain it; often the same at
 * both ends */
static void set_key(struct world *w, int side, unsigned slot, int name)
{
	const struct name a = peer(w, side);
	const uint8_t how = take8(&w->in);
	struct tcp_md5sig k = {
	    .tcpm_addr = a.sa, .tcpm_flags = how & 1, .tcpm_keylen = how & 2 ? how >> 2 & 3 : 8};
	struct tcp_md5sig got;

	k.tcpm_prefixlen = how & 1 ? take8(&w->in) % 132 : 0;
	pc_setsockopt(w->side[side].st, w->side[side].fd[slot], IPPROTO_TCP, name, &k,
	              how & 0x80 ? sizeof(k) - 1 : sizeof(k));
	pc_get_md5sig(w->side[side].st, w->side[side].fd[slot], how >> 4 & 3, &got);
}

/* the same for TCP-AO, with KeyIDs that often match the other end's */
static void set_ao(struct world *w, int side, unsigned slot, int name)
{
	static const char *const algorithm[] = {"hmac(sha1)", "cmac(aes128)", "hmac(sha256)",
	                                        "none"};
	struct pc_stack *st = w->side[side].st;
	const uint8_t how = take8(&w->in), id = take8(&w->in) & 3;
	const int fd = w->side[side].fd[slot];
	const struct name a = peer(w, side);
	struct tcp_ao_getsockopt got[2] = {{.nkeys = 2, .get_all = 1}};
	struct tcp_ao_info_opt info = {.set_current = (how & 1) != 0,
	                               .set_rnext = (how & 1 << 1) != 0,
	                               .ao_required = (how & 1 << 2) != 0,
	                               .accept_icmps = (how & 1 << 3) != 0,
	                               .current_key = id,
	                               .rnext = id};
	struct tcp_ao_del del = {.addr = a.sa,
	                         .set_current = (how & 1) != 0,
	                         .current_key = how >> 4 & 3,
	                         .sndid = id,
	                         .rcvid = id};
	struct tcp_ao_add add = {.addr = a.sa,
	                         .set_current = (how & 1) != 0,
	                         .set_rnext = (how & 1 << 1) != 0,
	                         .sndid = id,
	                         .rcvid = id,
	                         .maclen = how & 4 ? how >> 4 : 12,
	                         .keyflags = how & 8 ? TCP_AO_KEYF_EXCLUDE_OPT : 0,
	                         .keylen = how >> 4 & 1 ? 16 : 8};
	socklen_t len = sizeof(got[0]);

	/* a key's address has no port */
	((struct sockaddr_in *)(void *)&add.addr)->sin_port = 0;
	((struct sockaddr_in *)(void *)&del.addr)->sin_port = 0;
	add.prefix = del.prefix = how & 0x80 ? take8(&w->in) : w->how & HOW_IP6 ? 128 : 32;
	strcpy((char *)add.alg_name, algorithm[how >> 5 & 3]);
	if (name == TCP_AO_ADD_KEY)
		pc_setsockopt(st, fd, IPPROTO_TCP, name, &add, sizeof(add));
	else if (name == TCP_AO_DEL_KEY)
		pc_setsockopt(st, fd, IPPROTO_TCP, name, &del, sizeof(del));
	else if (name == TCP_AO_INFO)
		pc_setsockopt(st, fd, IPPROTO_TCP, name, &info, sizeof(info));
	pc_getsockopt(st, fd, IPPROTO_TCP, TCP_AO_GET_KEYS, got, &len);
}

static void op_option(struct world *w, int side, unsigned slot)
{
	struct side *s = &w->side[side];
	uint8_t level = take8(&w->in), name = take8(&w->in);
	const int levels[] = {SOL_SOCKET, IPPROTO_TCP, w->how & HOW_IP6 ? IPPROTO_IPV6 : IPPROTO_IP,
	                      IPPROTO_UDP};
	uint32_t value[2] = {0, 0};
	socklen_t len = sizeof(value);
	char got[256];

	if (level % 4 == 1 && (name % 72 == TCP_MD5SIG || name % 72 == TCP_MD5SIG_EXT)) {
		set_key(w, side, slot, name % 72);
		return;
	}
	if (level % 4 == 1 && name % 72 >= TCP_AO_ADD_KEY && name % 72 <= TCP_AO_GET_KEYS) {
		set_ao(w, side, slot, name % 72);
		return;
	}
	value[0] = take8(&w->in);
	if (level & 0x10)
		value[0] = take32(&w->in);
	if (level & 0x20)
		value[1] = take8(&w->in);
	pc_setsockopt(s->st, s->fd[slot], levels[level % 4], name % 72, value,
	              level & 0x40   ? 1
	              : level & 0x20 ? 8
	                             : 4);
	len = level & 0x80 ? 1 : sizeof(got);
	pc_getsockopt(s->st, s->fd[slot], levels[level % 4], name % 72, got, &len);
	fuzz_check(len <= sizeof(got));
}

static void op_epoll(struct world *w, int side, unsigned slot)
{
	static const uint32_t extra[] = {0, EPOLLET, EPOLLONESHOT, EPOLLRDHUP};
	struct side *s = &w->side[side];
	struct epoll_event ev[4];
	uint8_t how = take8(&w->in);

	ev[0].events = EPOLLIN | (how & 8 ? EPOLLOUT : 0) | extra[how >> 4 & 3];
	ev[0].data.u32 = slot;
	if (how % 4 != 0)
		pc_epoll_ctl(s->st, s->ep, how % 4, s->fd[slot], &ev[0]);
	fuzz_check(pc_epoll_wait(s->st, s->ep, ev, 4) <= 4);
}

static void op_time(struct world *w, int side, unsigned slot)
{
	uint8_t how = take8(&w->in);
	uint64_t next;

	(void)side, (void)slot;
	if (how < 128) {
		w->now += 1000ull << how % 32;
	} else {
		next = pc_stack_next_deadline(w->side[how & 1].st);
		if (next != UINT64_MAX && next > w->now)
			w->now = next;
	}
	turn(w);
}

static void op_drop(struct world *w, int side, unsigned slot)
{
	w->pipe[side].drop = slot;
}

/* the latest frame again, with some of its bytes changed */
static void op_meddle(struct world *w, int side, unsigned slot)
{
	struct pipe_end *e = &w->pipe[side];
	uint8_t frame[PIPE_FRAME_MAX];
	uint16_t len = e->last_len;

	memcpy(frame, e->last, len);
	for (unsigned i = 0; i < slot && len > 0; i++) {
		uint16_t at = (uint16_t)(take16(&w->in) % (uint32_t)(len < 80 ? len : 80));
		uint8_t by = take8(&w->in);

		frame[at] = (uint8_t)(by & 1 ? frame[at] + by / 2 : by / 2);
	}
	if (take8(&w->in) % 16 != 0)
		pipe_fix(frame, len);
	if (len > 0)
		pipe_inject(e, frame, len);
	turn(w);
}

/* a frame made up by the attacker */
static void op_frame(struct world *w, int side, unsigned slot)
{
	struct pipe_end *e = &w->pipe[side];
	uint8_t frame[256];
	uint16_t len = take8(&w->in);

	if (len < 14)
		len = 14;
	for (uint16_t i = 0; i < len; i++)
		frame[i] = take8(&w->in);
	memcpy(frame, slot == 0 ? (const uint8_t *)"\xff\xff\xff\xff\xff\xff" : e->port.info.mac,
	       6);
	if (slot != 1)
		pipe_fix(frame, len);
	pipe_inject(e, frame, len);
	turn(w);
}

/* Inserts a fragment header (RFC 8200 section 4.5) after the fixed header of an IPv6 packet. */
static uint16_t insert_fragment6(uint8_t *frame, uint16_t len, unsigned slot, uint16_t field,
                                 uint16_t id)
{
	const uint8_t header[8] = {
	    frame[20], 0,          (uint8_t)(slot % 2 ? field >> 8 : 0), (uint8_t)field, 0, 0,
	    0,         (uint8_t)id};

	memmove(frame + 62, frame + 54, len - 54u);
	memcpy(frame + 54, header, sizeof(header));
	frame[20] = 44;
	frame[18] = (uint8_t)((len - 46) >> 8);
	frame[19] = (uint8_t)(len - 46);
	return (uint16_t)(len + 8);
}

static void make_fragment4(uint8_t *frame, uint16_t len, unsigned slot, uint16_t field, uint16_t id)
{
	frame[16] = (uint8_t)((len - 14) >> 8);
	frame[17] = (uint8_t)(len - 14);
	frame[18] = 0;
	frame[19] = (uint8_t)(slot == 0 ? id : frame[19]);
	frame[20] = (uint8_t)(field >> 8 & (slot % 2 ? 0x3f : 0x20));
	frame[21] = (uint8_t)field;
}

/* part of the latest packet, as if it were a fragment of a larger one */
static void op_fragment(struct world *w, int side, unsigned slot)
{
	struct pipe_end *e = &w->pipe[side];
	const uint16_t field = take16(&w->in), id = take8(&w->in) % 4, cut = take16(&w->in);
	uint8_t frame[PIPE_FRAME_MAX + 8];
	uint16_t len = e->last_len;
	const bool ip6 = len > 54 && e->last[12] == 0x86 && e->last[13] == 0xdd;
	const uint16_t head = ip6 ? 54 : 34;

	if (len <= head)
		return;
	memcpy(frame, e->last, len);
	len = (uint16_t)(head + cut % (uint32_t)(len - head + 1));
	if (ip6)
		len = insert_fragment6(frame, len, slot, field, id);
	else
		make_fragment4(frame, len, slot, field, id);
	pipe_fix(frame, len);
	if (len <= PIPE_FRAME_MAX)
		pipe_inject(e, frame, len);
	turn(w);
}

static void (*const ops[])(struct world *w, int side, unsigned slot) = {
    op_socket,   op_close,  op_bind,  op_listen, op_connect, op_accept, op_send,  op_recv,
    op_shutdown, op_option, op_epoll, op_time,   op_drop,    op_meddle, op_frame, op_fragment};

/* ---- the firewall ---------------------------------------------------------------------------- */

/* of the second stack, if it has one */
static struct pc_firewall *firewall;

static void make_firewall(void)
{
	static const char rules[] =
	    "table few { fd00::/64 10.0.0.0/25 }\n"
	    "table bad\n"
	    "table open ports { 1-2000 }\n"
	    "drop in proto tcp,udp from <bad> to port !<open>\n"
	    "drop in proto tcp flags SF/SF\n"
	    "drop in inet6 state invalid log\n"
	    "pass in proto udp from !<few> to port !7-1000 limit 10/s per source burst 2 "
	    "overload <bad> timeout 1s\n"
	    "reject in proto udp from fd00::/64,10.0.0.0/24 to port 1-7 limit 100/s\n"
	    "reject in proto tcp to port 1000-2000 add <bad> timeout 10s\n"
	    "pass in inet proto tcp limit 2/s per source handshakes burst 4 overload <bad> timeout "
	    "1s "
	    "flush\n"
	    "pass in state new,established,related log\n"
	    "drop out proto tcp to port 7\n"
	    "pass out state new,established\n"
	    "default in reject log\n";
	const struct pc_firewall_args args = {.text = rules,
	                                      .len = sizeof(rules) - 1,
	                                      .name = "rules",
	                                      .max_rules = 16,
	                                      .slots = 1,
	                                      .states = 16,
	                                      .max_addrs = 2,
	                                      .sources = 4,
	                                      .learnt = 4,
	                                      .socket_id = -1};
	char why[256];

	firewall = pc_firewall_create(&args, why, sizeof(why));
	fuzz_check(firewall != NULL);
}

/* Resets the firewall, since a run must depend on its input alone. */
static void use_firewall(struct pc_stack *st)
{
	struct fw_slot *s = &firewall->slot[0];
	struct pc_firewall_log log;

	memset(s->states.place, 0, (s->states.mask + 1) * FW_WAYS * sizeof(*s->states.place));
	memset(s->rates.place, 0, (s->rates.mask + 1) * FW_RATE_WAYS * sizeof(*s->rates.place));
	memset(firewall->learnt.place, 0,
	       (firewall->learnt.mask + 1) * FW_LEARNT_WAYS * sizeof(*firewall->learnt.place));
	s->log_ns = 0;
	for (uint32_t i = 0; i < firewall->rules.n; i++)
		s->count[i].next_ns = 0;
	while (pc_firewall_take_log(firewall, 0, &log, 1) == 1)
		;
	fuzz_check(pc_stack_set_firewall(st, firewall, 0) == 0);
}

/* ---- the world ------------------------------------------------------------------------------- */

static void configure(struct world *w, struct pc_stack_config *c)
{
	uint8_t how = take8(&w->in);

	pc_stack_config_init(c);
	c->stack_seed = 1 + (uint64_t)(how & 1);
	c->stack_max_connections = 8;
	c->stack_max_listeners = 2;
	c->stack_max_udp_sockets = 2;
	c->ip6_dad = 0;
	c->arp_entries = 16;
	c->ip_fragments = how & 1 ? 256 : 16;
	c->ip_datagrams = 4;
	c->ip_routes = 16;
	c->ip_deny_entries = 0;
	c->tcp_destinations = 16;
	c->tcp_syn_cache = 16;
	c->tcp_time_wait = 4;
	c->tcp_auth_keys = 6;
	c->tcp_msl_ms = 100;
	c->tcp_timestamps = !(how & 2);
	c->tcp_sack = !(how & 4);
	c->tcp_window_scaling = !(how & 8);
	c->tcp_rack = !(how & 16);
	c->tcp_syn_cookies = how >> 5 & 1 ? 2 : 1;
	c->tcp_rcvbuf = how >> 6 & 1 ? 4096 : 65536;
	c->tcp_delack_ms = how >> 7 ? 0 : 40;
}

static void add_addr(struct pc_stack *st, const char *text)
{
	struct pc_prefix addr;

	fuzz_check(pc_prefix_parse(text, &addr) == 0);
	fuzz_check(pc_stack_add_addr(st, 0, &addr) == 0);
}

static void open_world(struct world *w)
{
	struct pc_stack_config c;

	pipe_open(w->pipe, pools[2]);
	for (int i = 0; i < 2; i++) {
		struct side *s = &w->side[i];

		configure(w, &c);
		s->st = pc_stack_create(&c, pools[i]);
		fuzz_check(s->st != NULL);
		fuzz_check(pc_stack_add_port(s->st, &w->pipe[i].port) == 0);
		add_addr(s->st, i == 0 ? "10.0.0.1/24" : "10.0.0.2/24");
		add_addr(s->st, i == 0 ? "fd00::1/64" : "fd00::2/64");
		memset(s->fd, -1, sizeof(s->fd));
		s->ep = pc_epoll_create(s->st);
		if (i == 1 && c.tcp_delack_ms == 0)
			use_firewall(s->st);
	}
	w->now = 1000000000;
	turn(w);
}

static void close_world(struct world *w)
{
	for (int i = 0; i < 2; i++)
		pc_stack_destroy(w->side[i].st);
	pipe_close(w->pipe);
	for (int i = 0; i < 3; i++)
		fuzz_check(eal_in_use(pools[i]) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	eal_start();
	pools[0] = eal_pool("first", NB_POOL);
	pools[1] = eal_pool("second", NB_POOL);
	pools[2] = eal_pool("wire", NB_POOL);
	make_firewall();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.in = {data, size}};

	open_world(&w);
	for (unsigned n = 0; n < OPS_MAX && w.in.left > 0; n++) {
		uint8_t op = take8(&w.in), where = take8(&w.in);

		w.how = op & (HOW_IP6 | HOW_SELF);
		w.turned = false;
		ops[op % (sizeof(ops) / sizeof(ops[0]))](&w, where & 1, (where >> 1) % SLOTS);
		/* a call without a turn changes only one stack */
		for (int i = 0; i < 2; i++)
			fuzz_check((!w.turned && i != (where & 1)) ||
			           pc_stack_validate(w.side[i].st, stderr) == 0);
	}
	close_world(&w);
	return 0;
}
