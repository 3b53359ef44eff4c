/* SPDX-License-Identifier: BSD-2-Clause */
#include "args.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include <rte_ether.h>

#include "base/number.h"

#define FRAMES_MBUFS 32767

/* clang-format off */
static const struct pc_config_key run_keys[] = {
#define RUN_KEY(section_, name_, def_, min_, max_, unit_, sentence_) \
	{.section = #section_, .name = #name_, .unit = unit_, .sentence = sentence_, .def = def_, \
	 .min = min_, .max = max_, .offset = offsetof(struct run_config, section_##_##name_)},
	RUN_KEYS(RUN_KEY)
#undef RUN_KEY
};
/* clang-format on */

static const struct text_key text_keys[] = {
    {"net", "addr",
     "addresses of the ports, [PORT[.VLAN[.VLAN]]=]ADDRESS/LENGTH, separated by commas; PORT "
     "counts from 0 (default 0); VLAN is a VLAN ID from 1 to 4094 (two: the 802.1ad tag, then the "
     "802.1Q tag); instead of an address, dhcp requests one by DHCP, and slaac configures "
     "addresses in the prefixes that routers advertise, and by DHCPv6 if a router says so "
     "(ip6.dhcp)",
     "10.0.0.1/24", settings_add_addrs, false},
    {"net", "mac",
     "MAC addresses of the ports, [PORT=]MAC, separated by commas; a port without one has the "
     "device's own",
     "02:00:00:00:00:01", settings_add_macs, false},
    {"net", "gateway", "addresses of the default gateways, at most one of each family",
     "10.0.0.254, fd00::fe", settings_set_gateway, false},
    {"net", "deny",
     "denied networks, separated by commas, on any number of lines; their packets are dropped",
     "192.0.2.0/24, 2001:db8:bad::/48", settings_add_denied, true},
    {"run", "eal", "EAL options, separated by blanks; those of the command line come after them",
     "--vdev=net_tap0,iface=percore0 --no-huge", settings_set_eal, false},
    {"run", "pcap", "write every frame to this file, in pcap format", "trace.pcap",
     settings_set_pcap, false},
    {"run", "sockets",
     "UNIX socket where other processes attach to use sockets by percore/posix.h; @NAME: in the "
     "abstract namespace",
     "/run/percore.sock", settings_set_sockets, true},
    {"run", "control",
     "UNIX socket for percore-ctl, which inspects and changes the running program; only its owner "
     "can open it",
     "/run/percore.ctl", settings_set_control, true},
    {"run", "leases",
     "file for DHCP leases, so that a restart requests the same address first (RFC 2131 section "
     "3.2); a stop does not release it",
     "/run/percore.leases", settings_set_leases, true},
    {"firewall", "rules",
     "file of firewall rules (docs/firewall.md); SIGHUP reads it again, and percore-ctl loads "
     "others",
     "/etc/percore.rules", settings_set_firewall, true},
    {"exception", "iface",
     "exception path: frames that percore does not handle go to the kernel through a TAP with "
     "this name and the port's number",
     "percore", settings_set_exception, true},
};

const struct text_key *settings_text_keys(size_t *n)
{
	*n = sizeof(text_keys) / sizeof(text_keys[0]);
	return text_keys;
}

bool settings_has_key(const struct settings *s, const struct text_key *key)
{
	return !key->of_stack || s->app->frames == NULL;
}

static uint64_t *key_value(const struct key_table *t, const struct pc_config_key *key)
{
	return (uint64_t *)((char *)t->base + key->offset);
}

/* Of the stack's keys, a program without a stack has only the number of mbufs. */
static void keep_no_stack(struct settings *s)
{
	size_t n;
	const struct pc_config_key *keys = pc_stack_config_keys(&n);

	for (size_t i = 0; i < n; i++)
		if (keys[i].offset == offsetof(struct pc_stack_config, stack_mbufs))
			s->tables[0].keys = &keys[i];
	s->tables[0].n = 1;
	s->stack.stack_max_connections = 1;
	s->stack.stack_mbufs = FRAMES_MBUFS;
}

void settings_defaults(const struct pc_run_app *app, struct pc_stack_config *config)
{
	pc_stack_config_init(config);
	if (app->defaults != NULL)
		app->defaults(config);
}

void settings_init(struct settings *s, const struct pc_run_app *app, void *app_arg)
{
	memset(s, 0, sizeof(*s));
	s->app = app;
	s->app_arg = app_arg;
	settings_defaults(app, &s->stack);
	s->tables[0].keys = pc_stack_config_keys(&s->tables[0].n);
	s->tables[0].base = &s->stack;
	s->tables[1] =
	    (struct key_table){run_keys, sizeof(run_keys) / sizeof(run_keys[0]), &s->run};
	s->tables[2] = (struct key_table){app->keys, app->nb_keys, app->config};
	if (app->frames != NULL)
		keep_no_stack(s);
	for (size_t i = 0; i < s->tables[1].n; i++)
		*key_value(&s->tables[1], &run_keys[i]) = run_keys[i].def;
}

static bool run_key_is_live(const struct pc_config_key *key)
{
	static const size_t live[] = {
#define RUN_KEY_OFFSET(section, name) offsetof(struct run_config, section##_##name),
	    RUN_LIVE_KEYS(RUN_KEY_OFFSET)
#undef RUN_KEY_OFFSET
	};

	for (size_t i = 0; i < sizeof(live) / sizeof(live[0]); i++)
		if (key->offset == live[i])
			return true;
	return false;
}

bool settings_is_live(const struct settings *s, unsigned table, const struct pc_config_key *key)
{
	const void *base = s->tables[table].base;

	if (base == &s->stack)
		return pc_stack_config_is_live(key);
	return base == &s->run && run_key_is_live(key);
}

int settings_fail(struct settings *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->why, sizeof(s->why), format, args);
	va_end(args);
	return -1;
}

/* ---- unknown keys: list the valid ones ------------------------------------------------------- */

/* The number of letters to change, insert or remove to turn a into b (Levenshtein), at most 64. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[65], diagonal, above, la = (unsigned)strlen(a), lb = (unsigned)strlen(b);

	if (la > 64 || lb > 64)
		return 64;
	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= lb; j++) {
			above = row[j];
			row[j] = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[lb];
}

static void add_section(char *list, size_t size, const char *section)
{
	size_t len = strlen(list);
	const char *at = strstr(list, section);
	size_t n = strlen(section);

	/* the keys of a section are adjacent, but two tables may share a section */
	if (at != NULL && (at[n] == '\0' || at[n] == ','))
		return;
	snprintf(list + len, size - len, "%s%s", len > 0 ? ", " : "", section);
}

static int fail_section(struct settings *s, const char *origin, const char *section)
{
	char list[256] = "";

	for (unsigned t = 0; t < SETTINGS_TABLES; t++)
		for (size_t i = 0; i < s->tables[t].n; i++)
			add_section(list, sizeof(list), s->tables[t].keys[i].section);
	add_section(list, sizeof(list), "net");
	return settings_fail(s, "%s: unknown section [%s] (known: %s)", origin, section, list);
}

/* The result of a search for the nearest key. */
struct nearest {
	const char *name;
	unsigned distance;
	bool section; /* the section exists */
};

static void consider(struct nearest *n, const char *section, const char *name,
                     const char *key_section, const char *key_name)
{
	unsigned d = distance(name, key_name);

	if (strcmp(section, key_section) != 0)
		return;
	n->section = true;
	if (d < n->distance) {
		n->distance = d;
		n->name = key_name;
	}
}

static int fail_key(struct settings *s, const char *origin, const char *section, const char *name)
{
	struct nearest n = {.distance = 4};

	for (unsigned t = 0; t < SETTINGS_TABLES; t++)
		for (size_t i = 0; i < s->tables[t].n; i++)
			consider(&n, section, name, s->tables[t].keys[i].section,
			         s->tables[t].keys[i].name);
	for (size_t i = 0; i < sizeof(text_keys) / sizeof(text_keys[0]); i++)
		consider(&n, section, name, text_keys[i].section, text_keys[i].name);
	if (!n.section)
		return fail_section(s, origin, section);
	if (n.name != NULL)
		return settings_fail(s, "%s: unknown key %s.%s; did you mean %s.%s?", origin,
		                     section, name, section, n.name);
	return settings_fail(s, "%s: unknown key %s.%s; --help lists all keys", origin, section,
	                     name);
}

/* ---- values ---------------------------------------------------------------------------------- */

static int set_number(struct settings *s, const char *origin, const struct key_table *t,
                      const struct pc_config_key *key, const char *value)
{
	char why[SETTINGS_WHY - 128];

	if (pc_config_key_parse(key, value, key_value(t, key), why, sizeof(why)) != 0)
		return settings_fail(s, "%s: %s", origin, why);
	return 0;
}

static int set_text(struct settings *s, const char *origin, const struct text_key *key,
                    const char *value)
{
	char at[PATH_MAX + 64];

	if (!settings_has_key(s, key))
		return settings_fail(s, "%s: %s.%s is for programs with a stack; %s has none",
		                     origin, key->section, key->name, s->app->name);
	snprintf(at, sizeof(at), "%s: %s.%s", origin, key->section, key->name);
	return key->set(s, at, value);
}

int settings_set(struct settings *s, const char *origin, const char *section, const char *name,
                 const char *value)
{
	const struct pc_run_option *o;

	for (unsigned t = 0; t < SETTINGS_TABLES; t++)
		for (size_t i = 0; i < s->tables[t].n; i++) {
			const struct pc_config_key *key = &s->tables[t].keys[i];

			if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0)
				return set_number(s, origin, &s->tables[t], key, value);
		}
	for (size_t i = 0; i < sizeof(text_keys) / sizeof(text_keys[0]); i++)
		if (strcmp(text_keys[i].section, section) == 0 &&
		    strcmp(text_keys[i].name, name) == 0)
			return set_text(s, origin, &text_keys[i], value);
	o = args_option_of_key(s->app, section, name);
	if (o != NULL)
		return args_set_own(s, origin, o, value);
	return fail_key(s, origin, section, name);
}

int settings_assign(struct settings *s, const char *text)
{
	char buf[1024], *dot, *equals;

	if (snprintf(buf, sizeof(buf), "%s", text) >= (int)sizeof(buf))
		return settings_fail(s, "--set: \"%.40s...\" is too long", text);
	equals = strchr(buf, '=');
	dot = strchr(buf, '.');
	if (equals == NULL || dot == NULL || dot > equals)
		return settings_fail(s, "--set: \"%s\" is not section.key=value", text);
	*dot = *equals = '\0';
	return settings_set(s, "--set", buf, dot + 1, equals + 1);
}

/* Reads "PORT[.VLAN[.VLAN]]", the part of an address before its equals sign. */
static bool parse_place(const char *text, size_t len, struct run_addr *a)
{
	uint64_t n[3] = {0};
	char buf[32], *next = buf, *part;
	unsigned i = 0;

	if (snprintf(buf, sizeof(buf), "%.*s", (int)len, text) >= (int)sizeof(buf))
		return false;
	for (; (part = strsep(&next, ".")) != NULL; i++)
		if (i == 3 || !number_read(part, &n[i]) || (i > 0 && (n[i] < 1 || n[i] > 4094)))
			return false;
	if (n[0] >= PC_MAX_PORTS)
		return false;
	a->port = (unsigned)n[0];
	a->vlan[0] = (uint16_t)n[1];
	a->vlan[1] = (uint16_t)n[2];
	return true;
}

/* Says whether a port is to have its addresses in this way already. */
static bool is_again(const struct settings *s, const struct run_addr *a)
{
	for (unsigned i = 0; i < s->nb_addrs; i++) {
		const struct run_addr *b = &s->addrs[i];

		if (b->prefix.len == 0 && b->dhcp == a->dhcp && b->port == a->port &&
		    b->vlan[0] == a->vlan[0] && b->vlan[1] == a->vlan[1])
			return true;
	}
	return false;
}

static int add_addr(struct settings *s, const char *origin, const char *text)
{
	struct run_addr a = {0};
	const char *equals = strchr(text, '='), *item = text;
	bool is_learnt;

	if (s->nb_addrs == PC_MAX_ADDRS)
		return settings_fail(s, "%s: too many addresses (at most %d)", origin,
		                     PC_MAX_ADDRS);
	if (equals != NULL) {
		if (!parse_place(text, (size_t)(equals - text), &a))
			return settings_fail(
			    s,
			    "%s: \"%s\" is not PORT[.VLAN[.VLAN]]=ADDRESS/LENGTH (ports 0 to %d, "
			    "VLANs 1 to 4094; example: 0.10=10.0.0.1/24)",
			    origin, text, PC_MAX_PORTS - 1);
		text = equals + 1;
	}
	a.dhcp = strcmp(text, "dhcp") == 0;
	is_learnt = a.dhcp || strcmp(text, "slaac") == 0;
	if (s->app->frames != NULL && (is_learnt || a.vlan[0] != 0))
		return settings_fail(
		    s,
		    "%s: \"%s\" requires a stack, which %s does not have (example: "
		    "10.0.0.1/24)",
		    origin, item, s->app->name);
	if (is_learnt && is_again(s, &a))
		return settings_fail(s, "%s: duplicate \"%s\"", origin, item);
	if (is_learnt) {
		s->addrs[s->nb_addrs++] = a;
		return 0;
	}
	if (pc_prefix_parse(text, &a.prefix) != 0)
		return settings_fail(s,
		                     "%s: \"%s\" is not an IPv4 or IPv6 address with a prefix "
		                     "length (example: 10.0.0.1/24)",
		                     origin, text);
	if (strchr(text, '/') == NULL)
		return settings_fail(s, "%s: \"%s\" has no prefix length (example: %s/%d)", origin,
		                     text, text, pc_addr_is_ip4(&a.prefix.addr) ? 24 : 64);
	if (a.prefix.len == 0 || (pc_addr_is_ip4(&a.prefix.addr) && a.prefix.len == 96))
		return settings_fail(s,
		                     "%s: \"%s\": with a prefix length of 0 every address would be "
		                     "on the link (example: 10.0.0.1/24)",
		                     origin, text);
	s->addrs[s->nb_addrs++] = a;
	return 0;
}

int settings_add_addrs(struct settings *s, const char *origin, const char *list)
{
	char buf[1024], *next = buf, *item;
	unsigned n = 0;

	if (snprintf(buf, sizeof(buf), "%s", list) >= (int)sizeof(buf))
		return settings_fail(s, "%s: list of addresses is too long", origin);
	while ((item = strsep(&next, ", \t")) != NULL) {
		if (*item == '\0')
			continue;
		if (add_addr(s, origin, item) != 0)
			return -1;
		n++;
	}
	if (n == 0)
		return settings_fail(s, "%s: missing address (example: 10.0.0.1/24)", origin);
	return 0;
}

/* Adds "[PORT=]MAC"; the last one of a port counts. */
static int add_mac(struct settings *s, const char *origin, const char *text)
{
	const char *equals = strchr(text, '=');
	struct run_addr place = {0};
	struct rte_ether_addr mac;

	if (equals != NULL &&
	    (!parse_place(text, (size_t)(equals - text), &place) || place.vlan[0] != 0))
		return settings_fail(s,
		                     "%s: \"%s\" is not PORT=MAC (ports 0 to %d; example: "
		                     "1=02:00:00:00:00:01)",
		                     origin, text, PC_MAX_PORTS - 1);
	if (rte_ether_unformat_addr(equals != NULL ? equals + 1 : text, &mac) != 0 ||
	    !rte_is_valid_assigned_ether_addr(&mac))
		return settings_fail(
		    s, "%s: \"%s\" is not a unicast MAC address (example: 02:00:00:00:00:01)",
		    origin, text);
	memcpy(s->mac[place.port], mac.addr_bytes, sizeof(s->mac[0]));
	s->macs_given |= UINT32_C(1) << place.port;
	return 0;
}

int settings_add_macs(struct settings *s, const char *origin, const char *list)
{
	char buf[1024], *next = buf, *item;
	unsigned n = 0;

	if (snprintf(buf, sizeof(buf), "%s", list) >= (int)sizeof(buf))
		return settings_fail(s, "%s: list of MAC addresses is too long", origin);
	while ((item = strsep(&next, ", \t")) != NULL) {
		if (*item == '\0')
			continue;
		if (add_mac(s, origin, item) != 0)
			return -1;
		n++;
	}
	if (n == 0)
		return settings_fail(s, "%s: missing MAC address (example: 02:00:00:00:00:01)",
		                     origin);
	return 0;
}

/* A gateway replaces an earlier one of the same family, unless that is in the same list: has says of
 * which families the list has one. */
static int set_gateway(struct settings *s, const char *origin, const char *text, bool has[2])
{
	struct pc_addr a;
	unsigned i = 0;

	if (pc_addr_parse(text, &a) != 0)
		return settings_fail(
		    s, "%s: \"%s\" is not an IPv4 or IPv6 address (example: 10.0.0.254)", origin,
		    text);
	if (has[pc_addr_is_ip4(&a)])
		return settings_fail(
		    s, "%s: \"%s\" is a second gateway of its family; percore-ctl adds more routes",
		    origin, text);
	has[pc_addr_is_ip4(&a)] = true;
	while (i < s->nb_gateways && pc_addr_is_ip4(&s->gateway[i]) != pc_addr_is_ip4(&a))
		i++;
	s->gateway[i] = a;
	if (i == s->nb_gateways)
		s->nb_gateways++;
	return 0;
}

int settings_set_gateway(struct settings *s, const char *origin, const char *value)
{
	char buf[256], *next = buf, *item;
	bool has[2] = {false, false};

	if (snprintf(buf, sizeof(buf), "%s", value) >= (int)sizeof(buf))
		return settings_fail(s, "%s: list of gateways is too long", origin);
	while ((item = strsep(&next, ", \t")) != NULL)
		if (*item != '\0' && set_gateway(s, origin, item, has) != 0)
			return -1;
	if (s->nb_gateways == 0)
		return settings_fail(s, "%s: missing gateway (example: 10.0.0.254)", origin);
	return 0;
}

int settings_add_denied(struct settings *s, const char *origin, const char *list)
{
	char buf[1024], *next = buf, *item;

	if (snprintf(buf, sizeof(buf), "%s", list) >= (int)sizeof(buf))
		return settings_fail(s, "%s: list of networks is too long for one line", origin);
	while ((item = strsep(&next, ", \t")) != NULL) {
		if (*item == '\0')
			continue;
		if (s->nb_denied == SETTINGS_DENIED)
			return settings_fail(s, "%s: too many networks (at most %d)", origin,
			                     SETTINGS_DENIED);
		if (pc_prefix_parse(item, &s->denied[s->nb_denied]) != 0)
			return settings_fail(
			    s, "%s: \"%s\" is not a network (example: 192.0.2.0/24)", origin, item);
		s->nb_denied++;
	}
	return 0;
}

int settings_set_pcap(struct settings *s, const char *origin, const char *value)
{
	if (*value == '\0' || strlen(value) >= sizeof(s->pcap) - 32)
		return settings_fail(
		    s, "%s: \"%.60s\" is not a path of 1 to %zu bytes (example: trace.pcap)",
		    origin, value, sizeof(s->pcap) - 33);
	snprintf(s->pcap, sizeof(s->pcap), "%s", value);
	return 0;
}

int settings_set_eal(struct settings *s, const char *origin, const char *value)
{
	if (strlen(value) >= sizeof(s->eal))
		return settings_fail(s, "%s: value is longer than %zu bytes", origin,
		                     sizeof(s->eal) - 1);
	strcpy(s->eal, value);
	return 0;
}

int settings_set_sockets(struct settings *s, const char *origin, const char *value)
{
	if (strlen(value) == 0 || strlen(value) >= sizeof(s->sockets))
		return settings_fail(s, "%s: \"%.60s\" is not a UNIX socket name of 1 to %zu bytes",
		                     origin, value, sizeof(s->sockets) - 1);
	strcpy(s->sockets, value);
	return 0;
}

int settings_set_control(struct settings *s, const char *origin, const char *value)
{
	if (value[0] != '/' || strlen(value) >= sizeof(s->control))
		return settings_fail(s,
		                     "%s: \"%.60s\" is not an absolute path of at most %zu bytes "
		                     "(example: /run/percore.ctl)",
		                     origin, value, sizeof(s->control) - 1);
	strcpy(s->control, value);
	return 0;
}

int settings_set_exception(struct settings *s, const char *origin, const char *value)
{
	const size_t n = strlen(value);

	if (n == 0 || n >= sizeof(s->exception) || strpbrk(value, "/:,= ") != NULL)
		return settings_fail(s,
		                     "%s: \"%.60s\" is not an interface name of 1 to %zu "
		                     "characters (example: percore)",
		                     origin, value, sizeof(s->exception) - 1);
	strcpy(s->exception, value);
	return 0;
}

int settings_set_leases(struct settings *s, const char *origin, const char *value)
{
	if (value[0] != '/' || strlen(value) >= sizeof(s->leases) - sizeof(".new"))
		return settings_fail(s,
		                     "%s: \"%.60s\" is not an absolute path of at most %zu bytes "
		                     "(example: /run/percore.leases)",
		                     origin, value, sizeof(s->leases) - sizeof(".new") - 1);
	strcpy(s->leases, value);
	return 0;
}

int settings_set_firewall(struct settings *s, const char *origin, const char *value)
{
	if (*value == '\0' || strlen(value) >= sizeof(s->firewall))
		return settings_fail(
		    s,
		    "%s: \"%.60s\" is not a path of 1 to %zu bytes (example: /etc/percore.rules)",
		    origin, value, sizeof(s->firewall) - 1);
	strcpy(s->firewall, value);
	return 0;
}

int settings_check(struct settings *s)
{
	char why[256] = "";

	if (s->app->frames != NULL && s->stack.stack_mbufs < s->stack.stack_rx_burst)
		return settings_fail(s, "stack.mbufs: too few for a burst of %" PRIu64 " frames",
		                     s->stack.stack_rx_burst);
	if (pc_stack_config_check(&s->stack, why, sizeof(why)) != 0)
		return settings_fail(s, "%s", why);
	if (s->nb_denied > s->stack.ip_deny_entries)
		return settings_fail(s, "net.deny has %u networks, but ip.deny_entries is %" PRIu64,
		                     s->nb_denied, s->stack.ip_deny_entries);
	if (s->nb_addrs == 0 && s->app->frames == NULL)
		return settings_fail(s, "missing address (example: --addr 10.0.0.1/24)");
	if (s->nb_addrs == 0 && s->nb_gateways != 0)
		return settings_fail(s, "a gateway requires an address (--addr)");
	if (s->app->check != NULL && s->app->check(s->app_arg, why, sizeof(why)) != 0)
		return settings_fail(s, "%s", why);
	return 0;
}
