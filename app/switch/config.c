/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>

#define VLAN_MAX 4094

void switch_config_init(struct switch_config *c)
{
	memset(c, 0, sizeof(*c));
#define SWITCH_KEY_DEFAULT(section, name, def, min, max, unit, sentence) c->name = def;
	SWITCH_KEYS(SWITCH_KEY_DEFAULT)
#undef SWITCH_KEY_DEFAULT
	for (unsigned p = 0; p < SWITCH_PORTS; p++)
		c->port[p].mirror = NO_PORT;
}

__attribute__((format(printf, 3, 4))) static int fail(char *why, size_t len, const char *format,
                                                      ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, len, format, args);
	va_end(args);
	return -1;
}

/* Reads a number in [min,max] that is followed by one of the characters in ends or by the end of
 * text. Returns what follows, or NULL. */
static const char *read_number(const char *text, const char *ends, unsigned min, unsigned max,
                               unsigned *n)
{
	char *rest;
	unsigned long v;

	if (text[0] < '0' || text[0] > '9')
		return NULL;
	v = strtoul(text, &rest, 10);
	if (v < min || v > max || (*rest != '\0' && strchr(ends, *rest) == NULL))
		return NULL;
	*n = (unsigned)v;
	return rest;
}

/* Reads the "PORT=" that begins all of these. Returns what follows, or NULL with a line in why. */
static const char *read_port(struct switch_config *c, const char *text, unsigned *port, char *why,
                             size_t len)
{
	const char *rest = read_number(text, "=", 0, SWITCH_PORTS - 1, port);

	if (rest == NULL || *rest != '=' || rest[1] == '\0') {
		fail(why, len,
		     "\"%s\" does not begin with PORT=, a port from 0 to %u (example: 1=10)", text,
		     SWITCH_PORTS - 1);
		return NULL;
	}
	if (*port >= c->nb_named)
		c->nb_named = *port + 1;
	return rest + 1;
}

static int fail_vlan(const char *text, char *why, size_t len)
{
	return fail(why, len, "\"%s\" is not a VLAN ID from 1 to %d", text, VLAN_MAX);
}

/* Reads "PORT=VLAN". Returns 0, or -1 with a line in why. */
static int read_port_vlan(struct switch_config *c, const char *text, unsigned *port, unsigned *vlan,
                          char *why, size_t len)
{
	const char *rest = read_port(c, text, port, why, len);

	if (rest == NULL)
		return -1;
	return read_number(rest, "", 1, VLAN_MAX, vlan) == NULL ? fail_vlan(rest, why, len) : 0;
}

/* Sets the mode of a port, unless that conflicts with an earlier setting. */
static int set_mode(struct port_config *p, unsigned port, enum port_mode mode, char *why,
                    size_t len)
{
	if (p->mode != PORT_OPEN && (p->mode != mode || mode == PORT_ACCESS))
		return fail(why, len, "port %u already has VLANs from another --access or --trunk",
		            port);
	p->mode = mode;
	return 0;
}

int switch_config_access(struct switch_config *c, const char *text, char *why, size_t len)
{
	unsigned port, vlan = 0;

	if (read_port_vlan(c, text, &port, &vlan, why, len) != 0 ||
	    set_mode(&c->port[port], port, PORT_ACCESS, why, len) != 0)
		return -1;
	c->port[port].native = (uint16_t)vlan;
	return 0;
}

int switch_config_trunk(struct switch_config *c, const char *text, char *why, size_t len)
{
	unsigned port, first = 0, last;
	const char *rest = read_port(c, text, &port, why, len);

	if (rest == NULL || set_mode(&c->port[port], port, PORT_TRUNK, why, len) != 0)
		return -1;
	for (;;) {
		const char *item = rest;

		rest = read_number(item, ",-", 1, VLAN_MAX, &first);
		last = first;
		if (rest != NULL && *rest == '-')
			rest = read_number(rest + 1, ",", first, VLAN_MAX, &last);
		if (rest == NULL)
			return fail(
			    why, len,
			    "\"%s\" is not a list of VLAN IDs from 1 to %d (example: 10,20-29)",
			    item, VLAN_MAX);
		for (unsigned v = first; v <= last; v++)
			c->port[port].vlans[v / 64] |= UINT64_C(1) << v % 64;
		if (*rest == '\0')
			return 0;
		rest++;
	}
}

int switch_config_native(struct switch_config *c, const char *text, char *why, size_t len)
{
	unsigned port, vlan = 0;

	if (read_port_vlan(c, text, &port, &vlan, why, len) != 0)
		return -1;
	if (c->port[port].native_given)
		return fail(why, len, "port %u already has a native VLAN", port);
	c->port[port].native_given = true;
	if (c->port[port].mode != PORT_ACCESS)
		c->port[port].native = (uint16_t)vlan;
	return 0;
}

int switch_config_static(struct switch_config *c, const char *text, char *why, size_t len)
{
	unsigned port, vlan = 0;
	const char *rest = read_port(c, text, &port, why, len), *dot;
	struct rte_ether_addr mac;
	char copy[RTE_ETHER_ADDR_FMT_SIZE];
	size_t n;

	if (rest == NULL)
		return -1;
	dot = strchr(rest, '.');
	n = dot != NULL ? (size_t)(dot - rest) : strlen(rest);
	snprintf(copy, sizeof(copy), "%.*s", (int)n, rest);
	if (n >= sizeof(copy) || rte_ether_unformat_addr(copy, &mac) != 0 ||
	    rte_is_multicast_ether_addr(&mac) || rte_is_zero_ether_addr(&mac))
		return fail(why, len,
		            "\"%s\" is not a station, MAC[.VLAN] (example: 02:00:00:00:00:01.10)",
		            rest);
	if (dot != NULL && read_number(dot + 1, "", 1, VLAN_MAX, &vlan) == NULL)
		return fail_vlan(dot + 1, why, len);
	if (c->nb_static == SWITCH_STATIC)
		return fail(why, len, "too many stations (at most %d)", SWITCH_STATIC);
	c->station[c->nb_static] =
	    (struct static_config){.vlan = (uint16_t)vlan, .port = (uint8_t)port};
	memcpy(c->station[c->nb_static++].mac, &mac, sizeof(mac));
	return 0;
}

int switch_config_mirror(struct switch_config *c, const char *text, char *why, size_t len)
{
	unsigned port, to;
	const char *rest = read_port(c, text, &port, why, len);

	if (rest == NULL)
		return -1;
	if (read_number(rest, "", 0, SWITCH_PORTS - 1, &to) == NULL || to == port)
		return fail(why, len, "\"%s\" is not another port", rest);
	if (c->port[port].mirror != NO_PORT)
		return fail(why, len, "port %u already has a mirror", port);
	c->port[port].mirror = (uint8_t)to;
	if (to >= c->nb_named)
		c->nb_named = to + 1;
	return 0;
}

static bool is_mirror(const struct switch_config *c, unsigned port)
{
	for (unsigned p = 0; p < SWITCH_PORTS; p++)
		if (c->port[p].mirror == port)
			return true;
	return false;
}

static int check_port(const struct switch_config *c, unsigned port, char *why, size_t len)
{
	const struct port_config *p = &c->port[port];

	if (p->native_given && p->mode != PORT_TRUNK)
		return fail(why, len, "--native %u=%u: port %u is not a --trunk", port, p->native,
		            port);
	if (p->mirror != NO_PORT && c->port[p->mirror].mirror != NO_PORT)
		return fail(why, len, "--mirror %u=%u: port %u is itself mirrored", port, p->mirror,
		            p->mirror);
	return 0;
}

int switch_config_check(const struct switch_config *c, char *why, size_t len)
{
	for (unsigned p = 0; p < SWITCH_PORTS; p++)
		if (check_port(c, p, why, len) != 0)
			return -1;
	for (unsigned i = 0; i < c->nb_static; i++) {
		const struct static_config *s = &c->station[i];

		if (is_mirror(c, s->port))
			return fail(why, len, "--static: port %u is a mirror", s->port);
		if (!port_config_has(&c->port[s->port], s->vlan))
			return fail(why, len, "--static: port %u does not have VLAN %u%s", s->port,
			            s->vlan, s->vlan == 0 ? " (no VLAN given)" : "");
	}
	if (c->nb_static > c->entries)
		return fail(why, len, "switch.entries is too small for %u --static stations",
		            c->nb_static);
	if (c->port_entries > c->entries)
		return fail(why, len, "switch.port_entries is greater than switch.entries");
	return 0;
}

bool port_config_has(const struct port_config *p, unsigned vlan)
{
	switch (p->mode) {
	case PORT_ACCESS:
		return vlan == p->native;
	case PORT_TRUNK:
		return (p->native != 0 && vlan == p->native) ||
		       (p->vlans[vlan / 64] >> vlan % 64 & 1) != 0;
	default:
		return vlan <= VLAN_MAX;
	}
}

bool port_config_sends_bare(const struct port_config *p, unsigned vlan)
{
	return vlan == p->native; /* 0 on open ports */
}
