/* SPDX-License-Identifier: BSD-2-Clause */

/* Conversion of addresses to and from text and sockaddr; the types are in percore/addr.h. */

#include <percore/addr.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define MAPPED_BITS 96

bool pc_addr_is_loopback(const struct pc_addr *a)
{
	const struct pc_addr loopback = {.b = {[15] = 1}};

	return pc_addr_is_ip4(a) ? a->b[12] == 127 : pc_addr_equal(a, &loopback);
}

int pc_addr_parse(const char *text, struct pc_addr *a)
{
	struct pc_addr parsed;
	uint32_t ip4_be;

	if (inet_pton(AF_INET, text, &ip4_be) == 1)
		parsed = pc_addr_ip4(ip4_be);
	else if (inet_pton(AF_INET6, text, parsed.b) != 1)
		return -EINVAL;
	*a = parsed;
	return 0;
}

char *pc_addr_format(const struct pc_addr *a, char buf[PC_ADDR_STRLEN])
{
	if (pc_addr_is_ip4(a))
		inet_ntop(AF_INET, &a->b[12], buf, PC_ADDR_STRLEN);
	else
		inet_ntop(AF_INET6, a->b, buf, PC_ADDR_STRLEN);
	return buf;
}

/* Parses a decimal prefix length of one to three digits; -1 for anything else. */
static int parse_prefix_len(const char *text)
{
	int len = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 3; i++)
		len = len * 10 + (text[i] - '0');
	return i == 0 || text[i] != '\0' ? -1 : len;
}

int pc_prefix_parse(const char *text, struct pc_prefix *p)
{
	const char *slash = strchrnul(text, '/');
	const size_t addr_len = (size_t)(slash - text);
	char buf[PC_ADDR_STRLEN];
	struct pc_addr addr;
	int len = 128;

	if (addr_len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, addr_len);
	buf[addr_len] = '\0';
	if (pc_addr_parse(buf, &addr) != 0)
		return -EINVAL;
	if (*slash == '/') {
		/* "::ffff:192.0.2.1/120" is IPv6 notation, so its length counts as in IPv6 */
		const int offset = strchr(buf, ':') == NULL ? MAPPED_BITS : 0;

		len = parse_prefix_len(slash + 1);
		if (len < 0 || len + offset > 128)
			return -EINVAL;
		len += offset;
	}
	p->addr = addr;
	p->len = (uint8_t)len;
	return 0;
}

char *pc_prefix_format(const struct pc_prefix *p, char buf[PC_PREFIX_STRLEN])
{
	const bool ip4 = pc_addr_is_ip4(&p->addr) && p->len >= MAPPED_BITS;
	char text[PC_ADDR_STRLEN];

	if (ip4 || !pc_addr_is_ip4(&p->addr))
		pc_addr_format(&p->addr, text);
	else
		inet_ntop(AF_INET6, p->addr.b, text, sizeof(text));
	snprintf(buf, PC_PREFIX_STRLEN, "%s/%d", text, p->len - (ip4 ? MAPPED_BITS : 0));
	return buf;
}

bool pc_prefix_contains(const struct pc_prefix *p, const struct pc_addr *a)
{
	const unsigned bytes = p->len / 8, bits = p->len % 8;

	if (memcmp(p->addr.b, a->b, bytes) != 0)
		return false;
	return bits == 0 || ((p->addr.b[bytes] ^ a->b[bytes]) >> (8 - bits)) == 0;
}

char *pc_endpoint_format(const struct pc_endpoint *e, char buf[PC_ENDPOINT_STRLEN])
{
	const char *form = pc_addr_is_ip4(&e->addr) ? "%s:%u" : "[%s]:%u";
	char text[PC_ADDR_STRLEN];

	snprintf(buf, PC_ENDPOINT_STRLEN, form, pc_addr_format(&e->addr, text), (unsigned)e->port);
	return buf;
}

int pc_endpoint_from_sockaddr(struct pc_endpoint *e, const struct sockaddr *sa, socklen_t len)
{
	sa_family_t family;

	if (sa == NULL || len < sizeof(family))
		return -EINVAL;
	memcpy(&family, sa, sizeof(family));
	if (family == AF_INET) {
		struct sockaddr_in in;

		if (len < sizeof(in))
			return -EINVAL;
		memcpy(&in, sa, sizeof(in));
		e->addr = pc_addr_ip4(in.sin_addr.s_addr);
		e->port = ntohs(in.sin_port);
		return 0;
	}
	if (family == AF_INET6) {
		struct sockaddr_in6 in6;

		/* Linux accepts it without the scope ID, as in RFC 2133 */
		if (len < offsetof(struct sockaddr_in6, sin6_scope_id))
			return -EINVAL;
		memcpy(&in6, sa, offsetof(struct sockaddr_in6, sin6_scope_id));
		memcpy(e->addr.b, &in6.sin6_addr, sizeof(e->addr.b));
		e->port = ntohs(in6.sin6_port);
		return 0;
	}
	return -EAFNOSUPPORT;
}

void pc_endpoint_to_sockaddr(const struct pc_endpoint *e, int family, struct sockaddr *sa,
                             socklen_t *len)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u = {0};
	socklen_t full;

	if (pc_addr_is_ip4(&e->addr) && family != AF_INET6) {
		u.in.sin_family = AF_INET;
		u.in.sin_port = htons(e->port);
		u.in.sin_addr.s_addr = pc_addr_get_ip4(&e->addr);
		full = sizeof(u.in);
	} else {
		u.in6.sin6_family = AF_INET6;
		u.in6.sin6_port = htons(e->port);
		memcpy(&u.in6.sin6_addr, e->addr.b, sizeof(e->addr.b));
		full = sizeof(u.in6);
	}
	if (sa == NULL)
		return;
	memcpy(sa, &u, *len < full ? *len : full);
	*len = full;
}
