/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct reader {
	const uint8_t *m;
	size_t len, at;
	char *text;
	size_t used;
	const char *wrong;
};

__attribute__((format(printf, 2, 3))) static void put(struct reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	r->used += (size_t)vsnprintf(r->text + r->used, TEXT_MAX - r->used, format, args);
	va_end(args);
	if (r->used >= TEXT_MAX)
		r->used = TEXT_MAX - 1;
}

static unsigned take(struct reader *r, size_t n)
{
	unsigned v = 0;

	if (r->len - r->at < n) {
		r->wrong = "cut off";
		r->at = r->len;
		return 0;
	}
	while (n-- > 0)
		v = v << 8 | r->m[r->at++];
	return v;
}

/* A name at *at, which goes on behind it. */
static void put_name(struct reader *r, size_t *at)
{
	size_t p = *at, limit = *at, bytes = 0;
	bool moved = false;

	for (;;) {
		if (p >= r->len || bytes > 255) {
			r->wrong = "a name that does not end";
			return;
		}
		if (r->m[p] >= 0xc0) {
			const size_t to =
			    p + 1 < r->len ? (r->m[p] & 0x3fu) << 8 | r->m[p + 1] : r->len;

			if (to >= limit || to < 12) {
				r->wrong = "a pointer that does not lead back";
				return;
			}
			*at = moved ? *at : p + 2;
			moved = true;
			p = limit = to;
			continue;
		}
		if (r->m[p] > 63) {
			r->wrong = "a label of no known kind";
			return;
		}
		bytes += 1u + r->m[p];
		if (r->m[p] == 0)
			break;
		for (size_t i = 1; i <= r->m[p] && p + i < r->len; i++)
			put(r, r->m[p + i] > ' ' && r->m[p + i] < 127 ? "%c" : "\\%03u",
			    r->m[p + i]);
		put(r, ".");
		p += 1u + r->m[p];
	}
	if (bytes == 1)
		put(r, ".");
	if (!moved)
		*at = p + 1;
}

static const struct {
	uint16_t type;
	const char *name;
} types[] = {{1, "A"},    {2, "NS"},    {5, "CNAME"}, {6, "SOA"},    {12, "PTR"}, {15, "MX"},
             {16, "TXT"}, {28, "AAAA"}, {33, "SRV"},  {39, "DNAME"}, {43, "DS"},  {255, "ANY"}};

static void put_type(struct reader *r, unsigned type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type) {
			put(r, "%s", types[i].name);
			return;
		}
	put(r, "TYPE%u", type);
}

static void put_data(struct reader *r, unsigned type, size_t end)
{
	char addr[INET6_ADDRSTRLEN];

	if ((type == 1 && end - r->at == 4) || (type == 28 && end - r->at == 16)) {
		inet_ntop(type == 1 ? AF_INET : AF_INET6, r->m + r->at, addr, sizeof(addr));
		put(r, " %s", addr);
		r->at = end;
		return;
	}
	if (type == 15)
		put(r, " %u", take(r, 2));
	if (type == 33) {
		put(r, " %u", take(r, 2));
		put(r, " %u", take(r, 2));
		put(r, " %u", take(r, 2));
	}
	if (type == 2 || type == 5 || type == 6 || type == 12 || type == 15 || type == 33 ||
	    type == 39) {
		put(r, " ");
		put_name(r, &r->at);
	}
	if (type == 6) {
		put(r, " ");
		put_name(r, &r->at);
		for (int i = 0; i < 5; i++)
			put(r, " %u", take(r, 4));
	}
	if (r->at < end)
		put(r, " ");
	while (r->at < end && r->wrong == NULL)
		put(r, "%02x", take(r, 1));
	if (r->at != end && r->wrong == NULL)
		r->wrong = "data longer than its length says";
}

static void put_opt(struct reader *r)
{
	const unsigned size = take(r, 2), high = take(r, 1), version = take(r, 1),
	               flags = take(r, 2);
	const size_t end = take(r, 2) + r->at;

	put(r, "opt %u", size);
	if (high != 0)
		put(r, " high=%u", high);
	if (version != 0)
		put(r, " version=%u", version);
	if (flags & 0x8000)
		put(r, " do");
	while (r->wrong == NULL && r->at < end) {
		const unsigned code = take(r, 2), n = take(r, 2);

		put(r, " %u=", code);
		for (unsigned i = 0; i < n && r->wrong == NULL; i++)
			put(r, code == 10 ? "%02x" : "%c", take(r, 1));
	}
	put(r, "\n");
}

static void put_record(struct reader *r, const char *section)
{
	const size_t begin = r->at, line = r->used;
	unsigned type, class, ttl;
	size_t end;

	put(r, "%s ", section);
	put_name(r, &r->at);
	if (r->wrong != NULL)
		return;
	type = take(r, 2);
	if (type == 41 && r->m[begin] == 0 && strcmp(section, "ar") == 0) {
		r->used = line;
		put_opt(r);
		return;
	}
	class = take(r, 2);
	ttl = take(r, 4);
	end = take(r, 2);
	end += r->at;
	put(r, class == 1 ? " %u " : " %u CH ", ttl);
	put_type(r, type);
	if (end > r->len)
		r->wrong = "data beyond the message";
	else if (r->wrong == NULL)
		put_data(r, type, end);
	put(r, "\n");
}

static void put_question(struct reader *r)
{
	put(r, "qd ");
	put_name(r, &r->at);
	put(r, " ");
	put_type(r, take(r, 2));
	put(r, take(r, 2) == 1 ? "\n" : " not IN\n");
}

static void put_flags(struct reader *r, unsigned flags)
{
	static const char *const codes[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
	                                    "NOTIMP",  "REFUSED", "YXDOMAIN"};

	put(r, "%s", (flags & 15) < 7 ? codes[flags & 15] : "?");
	if (!(flags & 0x8000))
		r->wrong = "no response";
	if ((flags & 0x7800) != 0)
		put(r, " opcode=%u", flags >> 11 & 15);
	put(r, "%s%s%s%s%s%s\n", flags & 0x400 ? " aa" : "", flags & 0x200 ? " tc" : "",
	    flags & 0x100 ? " rd" : "", flags & 0x80 ? " ra" : "", flags & 0x20 ? " ad" : "",
	    flags & 0x10 ? " cd" : "");
}

const char *text_of(const uint8_t *message, size_t len, char text[TEXT_MAX])
{
	static const char *const sections[] = {"an", "ns", "ar"};
	struct reader r = {.m = message, .len = len, .text = text};
	unsigned counts[4];

	text[0] = '\0';
	(void)take(&r, 2);
	put_flags(&r, take(&r, 2));
	for (int i = 0; i < 4; i++)
		counts[i] = take(&r, 2);
	for (unsigned i = 0; i < counts[0] && r.wrong == NULL; i++)
		put_question(&r);
	for (int s = 0; s < 3; s++)
		for (unsigned i = 0; i < counts[s + 1] && r.wrong == NULL; i++)
			put_record(&r, sections[s]);
	if (r.wrong == NULL && r.at != len)
		r.wrong = "something is left over";
	if (r.wrong != NULL)
		snprintf(text, TEXT_MAX, "! %s, at byte %zu of %zu\n", r.wrong, r.at, len);
	return text;
}

/* ---- questions ---------------------------------------------------------------------------------- */

static uint8_t *write16(uint8_t *p, unsigned v)
{
	*p++ = (uint8_t)(v >> 8);
	*p++ = (uint8_t)v;
	return p;
}

static uint8_t *write_question(uint8_t *p, const struct ask *a)
{
	const char *label = a->name;

	while (*label != '\0' && strcmp(label, ".") != 0) {
		const size_t n = strcspn(label, ".");

		*p++ = (uint8_t)n;
		memcpy(p, label, n);
		p += n;
		label += n + (label[n] == '.');
	}
	*p++ = 0;
	p = write16(p, a->type);
	return write16(p, a->class != 0 ? a->class : 1);
}

static uint8_t *write_head(uint8_t *p, const struct ask *a)
{
	p = write16(p, 0x1234);
	p = write16(p, a->flags);
	p = write16(p, !a->no_question);
	p = write16(p, 0);
	p = write16(p, 0);
	p = write16(p, a->udp_size != 0);
	return a->no_question ? p : write_question(p, a);
}

static uint8_t *write_options(uint8_t *p, const struct ask *a)
{
	if (a->nsid) {
		p = write16(p, 3);
		p = write16(p, 0);
	}
	if (a->cookie != NULL) {
		p = write16(p, 10);
		p = write16(p, (unsigned)strlen(a->cookie) / 2);
		for (const char *c = a->cookie; *c != '\0'; c += 2)
			(void)sscanf(c, "%2hhx", p++);
	}
	return p;
}

size_t ask_write(const struct ask *a, uint8_t message[512])
{
	uint8_t *p = write_head(message, a), *len;

	if (a->udp_size == 0)
		return (size_t)(p - message);
	*p++ = 0;
	p = write16(p, 41);
	p = write16(p, a->udp_size);
	*p++ = 0;
	*p++ = a->version;
	p = write16(p, a->dnssec_ok ? 0x8000 : 0);
	len = p;
	p = write_options(p + 2, a);
	(void)write16(len, (unsigned)(p - len) - 2);
	return (size_t)(p - message);
}
