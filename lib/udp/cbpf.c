/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter of classic BPF.
 *
 * The filter was written by the program that owns the socket, and the data it runs on comes from
 * the network: cbpf_check validates the former when it is attached, and each load checks its bounds
 * in the latter.
 */

#include "udp/cbpf.h"

#include <stddef.h>

#include <rte_mbuf.h>

/* Linux's offsets of what is not in the packet, and of the packet's headers */
#define FACTS     ((uint32_t)SKF_AD_OFF)
#define AT_NET    ((uint32_t)SKF_NET_OFF)
#define AT_LINK   ((uint32_t)SKF_LL_OFF)
#define ETHERNET_ 1 /* ARPHRD_ETHER */

/* ---- checking -------------------------------------------------------------------------------- */

/* Says whether we know about a packet what is asked for; tags of a VLAN are in the frame, if
 * anywhere. */
static bool is_fact(uint32_t k)
{
	switch (k - FACTS) {
	case SKF_AD_PROTOCOL:
	case SKF_AD_PKTTYPE:
	case SKF_AD_IFINDEX:
	case SKF_AD_HATYPE:
	case SKF_AD_VLAN_TAG:
	case SKF_AD_VLAN_TAG_PRESENT:
		return true;
	default:
		return false;
	}
}

static bool load_is_good(const struct sock_filter *i)
{
	switch (BPF_MODE(i->code)) {
	case BPF_ABS:
		if (i->k >= FACTS && !is_fact(i->k))
			return false;
		__attribute__((fallthrough));
	case BPF_IND:
		return BPF_CLASS(i->code) == BPF_LD && BPF_SIZE(i->code) <= BPF_B;
	case BPF_IMM:
	case BPF_LEN:
		return BPF_SIZE(i->code) == BPF_W;
	case BPF_MEM:
		return BPF_SIZE(i->code) == BPF_W && i->k < BPF_MEMWORDS;
	case BPF_MSH:
		return i->code == (BPF_LDX | BPF_B | BPF_MSH);
	default:
		return false;
	}
}

static bool alu_is_good(const struct sock_filter *i)
{
	const uint16_t op = BPF_OP(i->code), src = BPF_SRC(i->code);

	if (op > BPF_XOR)
		return false;
	if ((op == BPF_DIV || op == BPF_MOD) && src == BPF_K)
		return i->k != 0;
	if ((op == BPF_LSH || op == BPF_RSH) && src == BPF_K)
		return i->k < 32;
	return true;
}

static bool jump_is_good(const struct sock_filter *i, uint32_t left)
{
	if (BPF_OP(i->code) == BPF_JA)
		return i->k < left;
	return BPF_OP(i->code) <= BPF_JSET && i->jt < left && i->jf < left;
}

/* left: how many instructions follow */
static bool is_good(const struct sock_filter *i, uint32_t left)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
	case BPF_LDX:
		return load_is_good(i);
	case BPF_ST:
	case BPF_STX:
		return i->k < BPF_MEMWORDS;
	case BPF_ALU:
		return alu_is_good(i);
	case BPF_JMP:
		return jump_is_good(i, left);
	case BPF_RET:
		return BPF_RVAL(i->code) == BPF_K || BPF_RVAL(i->code) == BPF_A;
	default:
		return i->code == (BPF_MISC | BPF_TAX) || i->code == (BPF_MISC | BPF_TXA);
	}
}

bool cbpf_check(const struct sock_filter *insn, uint32_t n)
{
	if (n == 0 || n > CBPF_MAX || BPF_CLASS(insn[n - 1].code) != BPF_RET)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!is_good(&insn[i], n - 1 - i))
			return false;
	return true;
}

/* ---- running --------------------------------------------------------------------------------- */

struct machine {
	uint32_t a, x, mem[BPF_MEMWORDS];
	const struct rte_mbuf *m;
	const struct cbpf_facts *facts;
	uint32_t off, len;
};

static bool fetch(const struct machine *s, uint32_t at, unsigned size, uint32_t *value)
{
	uint32_t off = s->off, len = s->len;
	uint8_t copy[4];
	const uint8_t *p;

	if (at >= AT_LINK) {
		off = at >= AT_NET ? s->facts->l3_off : 0u;
		len = s->m->pkt_len - off;
		at -= at >= AT_NET ? AT_NET : AT_LINK;
	}
	if (at > len || size > len - at)
		return false;
	p = rte_pktmbuf_read(s->m, off + at, size, copy);
	if (p == NULL)
		return false;
	*value = 0;
	for (unsigned i = 0; i < size; i++)
		*value = *value << 8 | p[i];
	return true;
}

static uint32_t fact(const struct cbpf_facts *facts, uint32_t k)
{
	switch (k - FACTS) {
	case SKF_AD_PROTOCOL:
		return facts->protocol;
	case SKF_AD_PKTTYPE:
		return facts->type;
	case SKF_AD_IFINDEX:
		return facts->netif + 1u;
	case SKF_AD_HATYPE:
		return ETHERNET_;
	default:
		return 0;
	}
}

/* Says whether an index may be added to an offset: the sum is in the same header. */
static bool may_add(const struct machine *s, uint32_t x, uint32_t k)
{
	return x <= s->m->pkt_len && (k >= AT_LINK ? x <= UINT32_MAX - k : k <= s->len);
}

static bool load(struct machine *s, const struct sock_filter *i)
{
	const unsigned size = BPF_SIZE(i->code) == BPF_W ? 4 : BPF_SIZE(i->code) == BPF_H ? 2 : 1;
	uint32_t value = i->k;

	switch (BPF_MODE(i->code)) {
	case BPF_ABS:
		if (i->k >= FACTS)
			value = fact(s->facts, i->k);
		else if (!fetch(s, i->k, size, &value))
			return false;
		break;
	case BPF_IND:
		if (!may_add(s, s->x, i->k) || !fetch(s, s->x + i->k, size, &value))
			return false;
		break;
	case BPF_LEN:
		value = s->len;
		break;
	case BPF_MEM:
		value = s->mem[i->k];
		break;
	case BPF_MSH:
		if (!fetch(s, i->k, 1, &value))
			return false;
		value = (value & 0xf) << 2;
		break;
	default: /* BPF_IMM */
		break;
	}
	*(BPF_CLASS(i->code) == BPF_LD ? &s->a : &s->x) = value;
	return true;
}

static bool compute(struct machine *s, const struct sock_filter *i)
{
	const uint32_t v = BPF_SRC(i->code) == BPF_X ? s->x : i->k;

	switch (BPF_OP(i->code)) {
	case BPF_ADD:
		s->a += v;
		return true;
	case BPF_SUB:
		s->a -= v;
		return true;
	case BPF_MUL:
		s->a *= v;
		return true;
	case BPF_DIV:
		s->a = v != 0 ? s->a / v : 0;
		return v != 0;
	case BPF_MOD:
		s->a = v != 0 ? s->a % v : 0;
		return v != 0;
	case BPF_AND:
		s->a &= v;
		return true;
	case BPF_OR:
		s->a |= v;
		return true;
	case BPF_XOR:
		s->a ^= v;
		return true;
	case BPF_LSH:
		s->a = v < 32 ? s->a << v : 0;
		return true;
	case BPF_RSH:
		s->a = v < 32 ? s->a >> v : 0;
		return true;
	default: /* BPF_NEG */
		s->a = 0 - s->a;
		return true;
	}
}

static uint32_t jump(const struct machine *s, const struct sock_filter *i)
{
	const uint32_t v = BPF_SRC(i->code) == BPF_X ? s->x : i->k;
	bool yes;

	switch (BPF_OP(i->code)) {
	case BPF_JA:
		return i->k;
	case BPF_JEQ:
		yes = s->a == v;
		break;
	case BPF_JGT:
		yes = s->a > v;
		break;
	case BPF_JGE:
		yes = s->a >= v;
		break;
	default: /* BPF_JSET */
		yes = (s->a & v) != 0;
		break;
	}
	return yes ? i->jt : i->jf;
}

uint32_t cbpf_run(const struct cbpf *f, const struct rte_mbuf *m, uint32_t off,
                  const struct cbpf_facts *facts)
{
	struct machine s = {.m = m, .facts = facts, .off = off, .len = m->pkt_len - off};

	if (f->n == 0)
		return UINT32_MAX;
	for (uint32_t pc = 0; pc < f->n; pc++) {
		const struct sock_filter *i = &f->insn[pc];

		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
		case BPF_LDX:
			if (!load(&s, i))
				return 0;
			break;
		case BPF_ST:
			s.mem[i->k] = s.a;
			break;
		case BPF_STX:
			s.mem[i->k] = s.x;
			break;
		case BPF_ALU:
			if (!compute(&s, i))
				return 0;
			break;
		case BPF_JMP:
			pc += jump(&s, i);
			break;
		case BPF_RET:
			return BPF_RVAL(i->code) == BPF_A ? s.a : i->k;
		default:
			*(i->code & BPF_TXA ? &s.a : &s.x) = i->code & BPF_TXA ? s.x : s.a;
			break;
		}
	}
	return 0;
}
