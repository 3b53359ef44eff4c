/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame.h"

#include <arpa/inet.h>
#include <string.h>

#include "frame6.h"

/* Overview: the offsets are those of Ethernet without VLAN and IPv4 without options, 14 and 34. */

#define L3 14
#define L4 34

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

uint32_t frame_sum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += get16(p + i);
	if (len % 2 != 0)
		sum += (uint32_t)p[len - 1] << 8;
	return sum;
}

uint16_t frame_fold(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t frame_l4_sum(uint32_t src_be, uint32_t dst_be, uint8_t proto, uint16_t len)
{
	uint32_t sum = frame_sum(&src_be, 4, 0);

	return frame_sum(&dst_be, 4, sum) + proto + len;
}

void frame_fix_ip4(struct frame *f)
{
	size_t hdr = (size_t)(f->b[L3] & 15) * 4;

	put16(f->b + L3 + 10, 0);
	put16(f->b + L3 + 10, frame_fold(frame_sum(f->b + L3, hdr, 0)));
}

static void put_eth(struct frame *f, const struct frame_ends *e, uint16_t type)
{
	memcpy(f->b, e->dst_mac, 6);
	memcpy(f->b + 6, e->src_mac, 6);
	put16(f->b + 12, type);
}

/* Writes the headers before a transport packet of l4_len bytes, which is already in place. */
static void put_ip4(struct frame *f, const struct frame_ends *e, uint8_t proto, size_t l4_len)
{
	uint8_t *ip = f->b + L3;

	put_eth(f, e, 0x0800);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(20 + l4_len));
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = proto;
	memcpy(ip + 12, &e->src_be, 4);
	memcpy(ip + 16, &e->dst_be, 4);
	f->len = (uint16_t)(L4 + l4_len);
	frame_fix_ip4(f);
}

static void put_l4_cksum(struct frame *f, const struct frame_ends *e, uint8_t proto, size_t l4_len,
                         size_t off)
{
	uint32_t sum = frame_l4_sum(e->src_be, e->dst_be, proto, (uint16_t)l4_len);

	put16(f->b + L4 + off, frame_fold(frame_sum(f->b + L4, l4_len, sum)));
}

/* RFC 9768 table 5, with the padding before the option */
static unsigned put_accecn(uint8_t *p, const struct tcp_seg *s)
{
	static const uint8_t length[] = {0, 2, 5, 8, 11, 5, 8, 11};
	const bool order1 = s->accecn >= TCP_ACCECN_E1B;
	const unsigned len = length[s->accecn], pad = (4 - len % 4) % 4;

	memset(p, 1, pad);
	p += pad;
	p[0] = order1 ? 174 : 172;
	p[1] = (uint8_t)len;
	for (unsigned i = 0; 2 + 3 * i < len; i++) {
		const uint32_t v = s->counter[order1 ? 2 - i : i];

		p[2 + 3 * i] = (uint8_t)(v >> 16);
		put16(p + 3 + 3 * i, v & 0xffff);
	}
	return pad + len;
}

/* The options of s->has, one by one, in the order in which Linux writes them. */
static uint8_t put_options(uint8_t *p, const struct tcp_seg *s)
{
	uint8_t n = 0;

	if ((s->has & TCP_HAS_AUTH) && s->auth.kind == TCP_AUTH_MD5) { /* digest: later */
		memcpy(p, (uint8_t[20]){1, 1, 19, 18}, 20);
		n = 20;
	} else if (s->has & TCP_HAS_AUTH) {
		n = (uint8_t)((4 + s->auth.len + 3) / 4 * 4);
		memset(p, 1, n);
		memcpy(p, (uint8_t[]){29, (uint8_t)(4 + s->auth.len), s->auth.keyid, s->auth.rnext},
		       4);
	}
	if (s->has & TCP_HAS_MSS) {
		memcpy(p + n, (uint8_t[]){2, 4, (uint8_t)(s->mss >> 8), (uint8_t)s->mss}, 4);
		n = (uint8_t)(n + 4);
	}
	if (s->has & TCP_HAS_SACKOK) {
		memcpy(p + n, (uint8_t[]){1, 1, 4, 2}, 4);
		n = (uint8_t)(n + 4);
	}
	if (s->has & TCP_HAS_TS) {
		memcpy(p + n, (uint8_t[]){1, 1, 8, 10}, 4);
		put32(p + n + 4, s->tsval);
		put32(p + n + 8, s->tsecr);
		n = (uint8_t)(n + 12);
	}
	if (s->has & TCP_HAS_WSCALE) {
		memcpy(p + n, (uint8_t[]){1, 3, 3, s->wscale}, 4);
		n = (uint8_t)(n + 4);
	}
	if (s->has & TCP_HAS_FASTOPEN) {
		memcpy(p + n, (uint8_t[]){1, 1, 34, (uint8_t)(2 + s->cookie_len)}, 4);
		memcpy(p + n + 4, s->cookie, s->cookie_len);
		n = (uint8_t)(n + 4 + s->cookie_len);
	}
	if (s->accecn != TCP_ACCECN_NONE)
		n = (uint8_t)(n + put_accecn(p + n, s));
	if (s->has & TCP_HAS_SACK) {
		memcpy(p + n, (uint8_t[]){1, 1, 5, (uint8_t)(2 + 8 * s->nb_sack)}, 4);
		n = (uint8_t)(n + 4);
		for (unsigned i = 0; i < s->nb_sack; i++, n = (uint8_t)(n + 8)) {
			put32(p + n, s->sack[i].start);
			put32(p + n + 4, s->sack[i].end);
		}
	}
	return n;
}

void frame_tcp(struct frame *f, const struct frame_ends *e, const struct tcp_seg *s,
               const uint8_t *payload, const uint8_t *raw, uint8_t raw_len)
{
	uint8_t *t = f->b + L4;
	size_t hdr = 20;

	memset(t, 0, 60);
	if (raw != NULL) {
		memcpy(t + 20, raw, raw_len);
		hdr += (size_t)(raw_len + 3) / 4 * 4;
	} else {
		hdr += put_options(t + 20, s);
	}
	put16(t, s->sport);
	put16(t + 2, s->dport);
	put32(t + 4, s->seq);
	put32(t + 8, s->ack);
	t[12] = (uint8_t)(hdr / 4 << 4 | (s->has & TCP_HAS_AE ? 1 : 0));
	t[13] = s->flags;
	put16(t + 14, s->wnd);
	put16(t + 18, s->urg);
	if (s->len != 0)
		memcpy(t + hdr, payload, s->len);
	put_ip4(f, e, 6, hdr + s->len);
	put_l4_cksum(f, e, 6, hdr + s->len, 16);
}

void frame_udp(struct frame *f, const struct frame_ends *e, uint16_t sport, uint16_t dport,
               const void *payload, uint16_t len)
{
	uint8_t *u = f->b + L4;

	put16(u, sport);
	put16(u + 2, dport);
	put16(u + 4, 8u + len);
	put16(u + 6, 0);
	if (len != 0)
		memcpy(u + 8, payload, len);
	put_ip4(f, e, 17, 8u + len);
	put_l4_cksum(f, e, 17, 8u + len, 6);
}

void frame_icmp(struct frame *f, const struct frame_ends *e, uint8_t type, uint8_t code,
                const uint8_t rest[4], const void *payload, uint16_t len)
{
	uint8_t *i = f->b + L4;

	i[0] = type;
	i[1] = code;
	put16(i + 2, 0);
	memcpy(i + 4, rest, 4);
	if (len != 0)
		memcpy(i + 8, payload, len);
	put16(i + 2, frame_fold(frame_sum(i, 8u + len, 0)));
	put_ip4(f, e, 1, 8u + len);
}

void frame_arp(struct frame *f, const struct frame_ends *e, uint16_t op, const uint8_t *target_mac)
{
	uint8_t *a = f->b + L3;

	memset(f->b, 0, 60);
	put_eth(f, e, 0x0806);
	memcpy(a, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, (uint8_t)op}, 8);
	memcpy(a + 8, e->src_mac, 6);
	memcpy(a + 14, &e->src_be, 4);
	if (target_mac != NULL)
		memcpy(a + 18, target_mac, 6);
	memcpy(a + 24, &e->dst_be, 4);
	f->len = 60;
}

static void read_timestamp_sack(const uint8_t *o, struct tcp_seg *s)
{
	if (o[0] == 8) {
		s->has |= TCP_HAS_TS;
		s->tsval = get32(o + 2);
		s->tsecr = get32(o + 6);
		return;
	}
	s->has |= TCP_HAS_SACK;
	s->nb_sack = (uint8_t)((o[1] - 2) / 8);
	for (unsigned i = 0; i < s->nb_sack; i++) {
		s->sack[i].start = get32(o + 2 + 8 * i);
		s->sack[i].end = get32(o + 6 + 8 * i);
	}
}

/* RFC 7413 section 2 */
static const char *read_fastopen(const uint8_t *o, struct tcp_seg *s)
{
	if (o[1] != 2 && (o[1] < 6 || o[1] > 18 || o[1] % 2 != 0))
		return "Fast Open option of a wrong length";
	s->has |= TCP_HAS_FASTOPEN;
	s->cookie_len = (o[1] - 2) & 31u;
	memcpy(s->cookie, o + 2, s->cookie_len);
	return NULL;
}

static const char *read_auth(const uint8_t *o, struct tcp_seg *s)
{
	if ((o[0] == 19 ? o[1] != 18 : o[1] < 4) || (s->has & TCP_HAS_AUTH))
		return "option of a signature twice, or of a wrong length";
	s->has |= TCP_HAS_AUTH;
	s->auth = (struct tcp_auth){.kind = TCP_AUTH_MD5};
	if (o[0] == 29)
		s->auth = (struct tcp_auth){TCP_AUTH_AO, (uint8_t)(o[1] - 4), o[2], o[3]};
	return NULL;
}

/* RFC 9768 section 3.2.3, with a length from table 5 */
static const char *read_accecn(const uint8_t *o, struct tcp_seg *s)
{
	const bool order1 = o[0] == 174;

	if (o[1] > 11 || o[1] % 3 != 2 || s->accecn != TCP_ACCECN_NONE)
		return "AccECN option twice, or of a wrong length";
	if (s->flags == TCP_SYN)
		return "AccECN option on a SYN";
	s->accecn = TCP_ACCECN_EMPTY;
	if (o[1] > 2)
		s->accecn = ((order1 ? TCP_ACCECN_E1B : TCP_ACCECN_E0B) + o[1] / 3u - 1u) & 7u;
	for (unsigned i = 0; 2 + 3 * i < o[1]; i++)
		s->counter[order1 ? 2 - i : i] =
		    (uint32_t)o[2 + 3 * i] << 16 | get16(o + 3 + 3 * i);
	return NULL;
}

/* Reads one option of a known length; the stack must not send any other. */
static const char *read_option(const uint8_t *o, struct tcp_seg *s)
{
	static const uint8_t length[9] = {[2] = 4, [3] = 3, [4] = 2, [8] = 10};

	if (o[0] == 34)
		return read_fastopen(o, s);
	if (o[0] == 19 || o[0] == 29)
		return read_auth(o, s);
	if (o[0] == 172 || o[0] == 174)
		return read_accecn(o, s);
	if (o[0] == 5 ? (o[1] < 10 || o[1] > 34 || o[1] % 8 != 2)
	              : (o[0] > 8 || length[o[0]] == 0 || o[1] != length[o[0]]))
		return "TCP option of unknown kind or wrong length";
	switch (o[0]) {
	case 2:
		s->has |= TCP_HAS_MSS;
		s->mss = get16(o + 2);
		break;
	case 3:
		s->has |= TCP_HAS_WSCALE;
		s->wscale = o[2];
		break;
	case 4:
		s->has |= TCP_HAS_SACKOK;
		break;
	default:
		read_timestamp_sack(o, s);
	}
	return NULL;
}

static const char *read_options(const uint8_t *o, size_t len, struct tcp_seg *s)
{
	const char *wrong;

	for (size_t i = 0; i < len;) {
		if (o[i] == 0) { /* RFC 9293 MUST-69: only zeros follow */
			for (; i < len; i++)
				if (o[i] != 0)
					return "TCP padding is not zero";
			break;
		}
		if (o[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= len || i + o[i + 1] > len)
			return "TCP option runs past the header";
		wrong = read_option(o + i, s);
		if (wrong != NULL)
			return wrong;
		i += o[i + 1];
	}
	return NULL;
}

static const char *read_tcp(const uint8_t *t, size_t len, struct frame_info *info)
{
	struct tcp_seg *s = &info->seg;
	size_t hdr;

	if (len < 20)
		return "TCP segment too short";
	hdr = (size_t)(t[12] >> 4) * 4;
	if (hdr < 20 || hdr > len)
		return "TCP data offset";
	if ((t[12] & 14) != 0)
		return "TCP reserved bits are not zero";
	s->sport = get16(t);
	s->dport = get16(t + 2);
	s->seq = get32(t + 4);
	s->ack = get32(t + 8);
	s->flags = t[13];
	s->wnd = get16(t + 14);
	s->urg = get16(t + 18);
	s->hdr_len = (uint8_t)hdr;
	s->len = (uint32_t)(len - hdr);
	info->payload = t + hdr;
	info->payload_len = s->len;
	if ((s->flags & TCP_ACK) == 0 && s->ack != 0)
		return "acknowledgement field without the ACK bit";
	s->has = t[12] & 1 ? TCP_HAS_AE : 0;
	return read_options(t + 20, hdr - 20, s);
}

static const char *read_udp_icmp(const uint8_t *p, size_t len, struct frame_info *info)
{
	if (len < 8)
		return "UDP or ICMP header cut short";
	if (info->proto == 17) {
		info->sport = get16(p);
		info->dport = get16(p + 2);
		if (get16(p + 4) != len)
			return "UDP length";
		if (get16(p + 6) == 0)
			return "UDP checksum is absent";
	} else {
		info->icmp_type = p[0];
		info->icmp_code = p[1];
	}
	info->payload = p + 8;
	info->payload_len = (uint32_t)(len - 8);
	return NULL;
}

/* Checks what follows the header, except in a fragment, which cannot be checked on its own. */
static const char *read_ip4_payload(const uint8_t *p, size_t len, struct frame_info *info)
{
	uint32_t sum = 0;

	if (info->fragment) {
		info->payload = p;
		info->payload_len = (uint32_t)len;
		return info->df ? "fragment with DF" : NULL;
	}
	if (info->proto != 1 && info->proto != 2)
		sum =
		    frame_l4_sum(info->ends.src_be, info->ends.dst_be, info->proto, (uint16_t)len);
	if (frame_fold(frame_sum(p, len, sum)) != 0)
		return "transport checksum";
	return info->proto == 6 ? read_tcp(p, len, info) : read_udp_icmp(p, len, info);
}

static const char *read_ip4(const struct frame *f, struct frame_info *info)
{
	const uint8_t *ip = f->b + L3;
	size_t len, hdr_len = ip[9] == 2 ? 24 : 20; /* IGMP has a router alert */

	if (f->len < L3 + hdr_len || ip[0] != (0x40 | hdr_len / 4))
		return "IPv4 header too short, or with options";
	len = get16(ip + 2);
	if (len < hdr_len || len + L3 != f->len)
		return "IPv4 total length does not fit the frame";
	if (frame_fold(frame_sum(ip, hdr_len, 0)) != 0)
		return "IPv4 header checksum";
	info->df = (ip[6] & 0x40) != 0;
	info->more = (ip[6] & 0x20) != 0;
	info->frag_off = (uint16_t)((get16(ip + 6) & 0x1fff) * 8);
	info->fragment = info->more || info->frag_off != 0;
	info->id = get16(ip + 4);
	if ((ip[6] & 0x80) != 0)
		return "IPv4 reserved flag";
	info->tos = ip[1];
	info->ttl = ip[8];
	info->proto = ip[9];
	memcpy(&info->ends.src_be, ip + 12, 4);
	memcpy(&info->ends.dst_be, ip + 16, 4);
	return read_ip4_payload(ip + hdr_len, len - hdr_len, info);
}

const char *frame_read(const struct frame *f, struct frame_info *info)
{
	memset(info, 0, sizeof(*info));
	if (f->len < L3)
		return "frame too short";
	memcpy(info->ends.dst_mac, f->b, 6);
	memcpy(info->ends.src_mac, f->b + 6, 6);
	info->type = get16(f->b + 12);
	if (info->type == 0x0806)
		return f->len < L3 + 28 ? "ARP packet too short" : NULL;
	if (info->type == 0x86dd) {
		struct info6 six;

		return frame6_read(f, &six);
	}
	return info->type == 0x0800 ? read_ip4(f, info) : "unknown EtherType";
}
