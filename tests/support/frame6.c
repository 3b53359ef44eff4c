/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame6.h"

#include <stdlib.h>
#include <string.h>

/* Overview: the offsets are those of Ethernet without VLAN and IPv6 without extension headers, 14
 * and 54. */

#define L3 14
#define L4 54

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

struct pc_addr addr6(const char *text)
{
	struct pc_addr a;

	if (pc_addr_parse(text, &a) != 0)
		abort();
	return a;
}

uint32_t frame6_sum(const struct pc_addr *src, const struct pc_addr *dst, uint8_t proto,
                    uint32_t len)
{
	return frame_sum(dst->b, 16, frame_sum(src->b, 16, 0)) + proto + len;
}

void frame6_raw(struct frame *f, const struct ends6 *e, uint8_t next, uint8_t hops,
                const void *payload, uint16_t len)
{
	uint8_t *p = f->b;

	memcpy(p, e->dst_mac, 6);
	memcpy(p + 6, e->src_mac, 6);
	put16(p + 12, 0x86dd);
	p += L3;
	memset(p, 0, 40);
	p[0] = 0x60;
	put16(p + 4, len);
	p[6] = next;
	p[7] = hops;
	memcpy(p + 8, e->src.b, 16);
	memcpy(p + 24, e->dst.b, 16);
	if (len != 0)
		memmove(p + 40, payload, len);
	f->len = (uint16_t)(L4 + len);
}

void frame6_icmp(struct frame *f, const struct ends6 *e, uint8_t hops, uint8_t type, uint8_t code,
                 const void *body, uint16_t len)
{
	const uint16_t n = (uint16_t)(4 + len);
	uint8_t *p = f->b + L4;

	frame6_raw(f, e, 58, hops, NULL, 0);
	f->len = (uint16_t)(L4 + n);
	put16(f->b + L3 + 4, n);
	p[0] = type;
	p[1] = code;
	put16(p + 2, 0);
	if (len != 0)
		memmove(p + 4, body, len);
	put16(p + 2, frame_fold(frame_sum(p, n, frame6_sum(&e->src, &e->dst, 58, n))));
}

void frame6_solicit(struct frame *f, const struct ends6 *e)
{
	uint8_t body[28] = {[20] = 1, [21] = 1};

	memcpy(body + 4, e->dst.b, 16);
	memcpy(body + 22, e->src_mac, 6);
	frame6_icmp(f, e, 255, 135, 0, body, sizeof(body));
}

void frame6_udp(struct frame *f, const struct ends6 *e, uint16_t sport, uint16_t dport,
                const void *payload, uint16_t len)
{
	const uint16_t n = (uint16_t)(8 + len);
	uint8_t *p = f->b + L4;
	uint16_t sum;

	frame6_raw(f, e, 17, 64, NULL, 0);
	f->len = (uint16_t)(L4 + n);
	put16(f->b + L3 + 4, n);
	put16(p, sport);
	put16(p + 2, dport);
	put16(p + 4, n);
	put16(p + 6, 0);
	if (len != 0)
		memcpy(p + 8, payload, len);
	sum = frame_fold(frame_sum(p, n, frame6_sum(&e->src, &e->dst, 17, n)));
	put16(p + 6, sum != 0 ? sum : UINT16_MAX); /* RFC 8200 section 8.1 */
}

void frame6_insert(struct frame *f, uint8_t kind, const void *header, uint16_t n)
{
	uint8_t *p = f->b + L3;

	memmove(p + 40 + n, p + 40, f->len - (size_t)L4);
	memcpy(p + 40, header, n);
	p[40] = p[6];
	p[6] = kind;
	put16(p + 4, get16(p + 4) + (uint32_t)n);
	f->len = (uint16_t)(f->len + n);
}

const char *frame6_read(const struct frame *f, struct info6 *info)
{
	const uint8_t *p = f->b + L3;
	uint32_t len;

	memset(info, 0, sizeof(*info));
	if (f->len < L4 || p[0] >> 4 != 6)
		return "IPv6 header too short, or of another version";
	len = get16(p + 4);
	if (len + L4 != f->len)
		return "IPv6 payload length does not fit the frame";
	memcpy(info->ends.dst_mac, f->b, 6);
	memcpy(info->ends.src_mac, f->b + 6, 6);
	info->tclass = (uint8_t)(p[0] << 4 | p[1] >> 4);
	info->label = (uint32_t)(p[1] & 15) << 16 | get16(p + 2);
	info->hops = p[7];
	memcpy(info->ends.src.b, p + 8, 16);
	memcpy(info->ends.dst.b, p + 24, 16);
	info->proto = p[6];
	info->l4 = p + 40;
	if (info->proto == 0) { /* only MLD sends a hop-by-hop header */
		static const uint8_t alert[7] = {0, 5, 2, 0, 0, 1, 0};

		if (len < 8 || memcmp(info->l4 + 1, alert, 7) != 0)
			return "a hop-by-hop header that is no router alert";
		info->alert = true;
		info->proto = info->l4[0];
		info->l4 += 8;
		len -= 8;
	}
	info->l4_len = len;
	if (info->proto == 44) {
		if (len < 8 || info->l4[1] != 0 || (info->l4[3] & 6) != 0)
			return "a fragment header that is none";
		info->fragment = true;
		info->frag_off = (uint16_t)(get16(info->l4 + 2) & 0xfff8);
		info->more = (info->l4[3] & 1) != 0;
		memcpy(&info->id, info->l4 + 4, 4);
		info->proto = info->l4[0];
		info->l4 += 8;
		info->l4_len -= 8;
		return NULL;
	}
	if (info->proto != 6 && info->proto != 17 && info->proto != 58)
		return "a protocol that the stack does not speak";
	if (frame_fold(frame_sum(info->l4, len,
	                         frame6_sum(&info->ends.src, &info->ends.dst, info->proto, len))) !=
	    0)
		return "transport checksum over IPv6";
	return info->proto == 17 && get16(info->l4 + 6) == 0 ? "UDP checksum is absent" : NULL;
}

/* ---- between the families -------------------------------------------------------------------- */

struct pc_addr addr6_of4(uint32_t ip4_be)
{
	struct pc_addr a = {.b = {0xfd}};

	a.w[3] = ip4_be;
	return a;
}

static void replace_sum(uint8_t *field, uint32_t from, uint32_t to)
{
	/* RFC 1624: a correct checksum stays correct, a wrong one wrong */
	const uint32_t sum =
	    (uint32_t)(uint16_t)~get16(field) + frame_fold(from) + (uint16_t)~frame_fold(to);

	put16(field, frame_fold(sum));
}

static size_t sum_offset(uint8_t proto)
{
	return proto == 6 ? 16 : 6;
}

/* Writes a bare IPv4 packet of len bytes as an IPv6 packet to to. Returns its length. */
static size_t packet_to6(const uint8_t *ip, size_t len, uint8_t *to)
{
	uint32_t src_be, dst_be;
	struct pc_addr src, dst;

	memcpy(&src_be, ip + 12, 4);
	memcpy(&dst_be, ip + 16, 4);
	src = addr6_of4(src_be);
	dst = addr6_of4(dst_be);
	memset(to, 0, 40);
	to[0] = (uint8_t)(0x60 | ip[1] >> 4);
	to[1] = (uint8_t)(ip[1] << 4);
	put16(to + 4, get16(ip + 2) - 20u);
	to[6] = ip[9];
	to[7] = ip[8];
	memcpy(to + 8, src.b, 16);
	memcpy(to + 24, dst.b, 16);
	memcpy(to + 40, ip + 20, len - 20);
	if (ip[9] == 6 || ip[9] == 17) {
		const size_t off = 40 + sum_offset(ip[9]);
		const uint16_t n = (uint16_t)(get16(ip + 2) - 20);

		if (off + 2 <= len + 20)
			replace_sum(to + off, frame_l4_sum(src_be, dst_be, ip[9], n),
			            frame6_sum(&src, &dst, ip[9], n));
	}
	return len + 20;
}

/* Translates a bare packet with an ICMP error in place (RFC 7915 section 4.2, in part). What it
 * quotes stays as it is if that is too short for a header. */
static size_t error_to6(uint8_t *ip, size_t len)
{
	uint8_t quote[FRAME_MAX], *p = ip + 40;
	const bool whole = len >= 48 + 20;
	const size_t n = whole ? packet_to6(p + 8, len - 48, quote) : len - 48;
	const uint16_t mtu = get16(p + 6);
	uint32_t sum;

	if (whole)
		memcpy(p + 8, quote, n);
	if (p[0] == 3 && p[1] == 4) {
		memcpy(p, (uint8_t[8]){2}, 8);
		put16(p + 6, mtu + 20u);
	} else {
		static const uint8_t code[16] = {
		    [1] = 3, [2] = 4, [3] = 4, [9] = 1, [10] = 1, [13] = 1};
		const uint8_t type = p[0] == 3 ? 1 : p[0] == 11 ? 3 : p[0] == 12 ? 4 : 127;

		memcpy(p, (uint8_t[8]){type, type == 1 ? code[p[1] & 15] : 0}, 8);
	}
	ip[6] = 58;
	put16(ip + 4, (uint32_t)(8 + n));
	sum = frame_sum(ip + 8, 32, 58 + 8 + (uint32_t)n);
	put16(p + 2, frame_fold(frame_sum(p, 8 + n, sum)));
	return 48 + n;
}

void frame_to6(struct frame *f)
{
	uint8_t out[FRAME_MAX + 64];
	const uint8_t *ip = f->b + L3;
	size_t n;

	if (get16(f->b + 12) != 0x0800 || f->len < 34 || ip[0] != 0x45)
		return;
	n = packet_to6(ip, f->len - (size_t)L3, out);
	if (ip[9] == 1 && (ip[20] == 3 || ip[20] == 4 || ip[20] == 11 || ip[20] == 12) && n >= 48)
		n = error_to6(out, n);
	put16(f->b + 12, 0x86dd);
	memcpy(f->b + L3, out, n);
	f->len = (uint16_t)(L3 + n);
}

const char *frame_to4(struct frame *f)
{
	uint8_t out[FRAME_MAX], *ip = out;
	struct info6 i;
	const char *wrong = frame6_read(f, &i);

	if (wrong != NULL || (i.proto != 6 && i.proto != 17))
		return wrong;
	if (i.label == 0)
		return "a flow without a label";
	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[1] = i.tclass;
	put16(ip + 2, i.l4_len + 20);
	put16(ip + 6, 0x4000);
	ip[8] = i.hops;
	ip[9] = i.proto;
	memcpy(ip + 12, &i.ends.src.w[3], 4);
	memcpy(ip + 16, &i.ends.dst.w[3], 4);
	memcpy(ip + 20, i.l4, i.l4_len);
	replace_sum(ip + 20 + sum_offset(i.proto),
	            frame6_sum(&i.ends.src, &i.ends.dst, i.proto, i.l4_len),
	            frame_l4_sum(i.ends.src.w[3], i.ends.dst.w[3], i.proto, (uint16_t)i.l4_len));
	put16(f->b + 12, 0x0800);
	memcpy(f->b + L3, out, i.l4_len + 20);
	f->len = (uint16_t)(L3 + 20 + i.l4_len);
	frame_fix_ip4(f);
	return NULL;
}
