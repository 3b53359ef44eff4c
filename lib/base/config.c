/* SPDX-License-Identifier: BSD-2-Clause */

/* The table of PC_STACK_KEYS, and the constraints between values. */

#include <percore/config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"

/* Approximate size of an idle connection: its TCB, its share of the hash table and of the ready
 * rings.  pc_stack_get_footprint returns the exact size; a round figure is enough here. */
#define BYTES_PER_CONNECTION 300

/* Size of one mbuf in a pool. */
#define BYTES_PER_MBUF 2432

#define MIN_CONNECTIONS 64
#define MAX_CONNECTIONS 1048576

static const struct pc_config_key keys[] = {
#define PC_KEY_ENTRY(section_, name_, def_, min_, max_, unit_, sentence_) \
	{.section = #section_,                                            \
	 .name = #name_,                                                  \
	 .unit = unit_,                                                   \
	 .sentence = sentence_,                                           \
	 .def = def_,                                                     \
	 .min = min_,                                                     \
	 .max = max_,                                                     \
	 .offset = offsetof(struct pc_stack_config, section_##_##name_)},
    PC_STACK_KEYS(PC_KEY_ENTRY)
#undef PC_KEY_ENTRY
};

#define NB_KEYS (sizeof(keys) / sizeof(keys[0]))

static uint64_t key_get(const struct pc_stack_config *config, const struct pc_config_key *key)
{
	uint64_t value;

	memcpy(&value, (const char *)config + key->offset, sizeof(value));
	return value;
}

void pc_stack_config_init(struct pc_stack_config *config)
{
	memset(config, 0, sizeof(*config));
	for (size_t i = 0; i < NB_KEYS; i++)
		memcpy((char *)config + keys[i].offset, &keys[i].def, sizeof(keys[i].def));
	config->socket_id = -1;
}

const struct pc_config_key *pc_stack_config_keys(size_t *n)
{
	*n = NB_KEYS;
	return keys;
}

const struct pc_config_key *pc_stack_config_find(const char *name)
{
	const char *dot = strchr(name, '.');
	const size_t n = dot != NULL ? (size_t)(dot - name) : 0;

	for (const struct pc_config_key *key = keys; dot != NULL && key < keys + NB_KEYS; key++)
		if (strlen(key->section) == n && strncmp(key->section, name, n) == 0 &&
		    strcmp(key->name, dot + 1) == 0)
			return key;
	return NULL;
}

static const size_t fixed_keys[] = {
#define PC_KEY_OFFSET(section, name) offsetof(struct pc_stack_config, section##_##name),
    PC_STACK_FIXED_KEYS(PC_KEY_OFFSET)
#undef PC_KEY_OFFSET
};

bool pc_stack_config_is_live(const struct pc_config_key *key)
{
	for (size_t i = 0; i < sizeof(fixed_keys) / sizeof(fixed_keys[0]); i++)
		if (key->offset == fixed_keys[i])
			return false;
	return true;
}

__attribute__((format(printf, 3, 4))) static int refuse(char *why, size_t why_len,
                                                        const char *format, ...)
{
	if (why != NULL && why_len > 0) {
		va_list args;

		va_start(args, format);
		vsnprintf(why, why_len, format, args);
		va_end(args);
	}
	return -EINVAL;
}

static bool parse_boolean(const char *text, uint64_t *v)
{
	static const char *const words[][2] = {{"no", "yes"}, {"off", "on"}, {"false", "true"}};

	for (unsigned i = 0; i < 3; i++)
		for (unsigned w = 0; w < 2; w++)
			if (strcasecmp(text, words[i][w]) == 0) {
				*v = w;
				return true;
			}
	return false;
}

/* If a key's unit lists as many words as it has values ("one, two, three"), the key accepts these
 * words. */
static bool parse_word(const struct pc_config_key *key, const char *text, uint64_t *v)
{
	const size_t n = strlen(text);
	uint64_t at = 0, words = 0;
	bool found = false;

	for (const char *word = key->unit; *word != '\0'; words++) {
		const size_t len = strcspn(word, ",");

		if (len == n && strncasecmp(word, text, n) == 0) {
			found = true;
			at = words;
		}
		word += len;
		word += strspn(word, ", ");
	}
	*v = at;
	return found && words == key->max + 1;
}

int pc_config_key_parse(const struct pc_config_key *key, const char *text, uint64_t *value,
                        char *why, size_t why_len)
{
	uint64_t v;

	if (!(strcmp(key->unit, "boolean") == 0 && parse_boolean(text, &v)) &&
	    !parse_word(key, text, &v) && !number_read(text, &v))
		return refuse(why, why_len,
		              "%s.%s: \"%s\" is not a number from %" PRIu64 " to %" PRIu64 " (%s)",
		              key->section, key->name, text, key->min, key->max, key->unit);
	if (v < key->min || v > key->max)
		return refuse(why, why_len,
		              "%s.%s: %" PRIu64 " is out of range (%" PRIu64 " to %" PRIu64 " %s)",
		              key->section, key->name, v, key->min, key->max, key->unit);
	*value = v;
	return 0;
}

static int check_limits(const struct pc_stack_config *config, char *why, size_t why_len)
{
	for (const struct pc_config_key *key = keys; key < keys + NB_KEYS; key++) {
		const uint64_t value = key_get(config, key);

		if (value < key->min || value > key->max)
			return refuse(
			    why, why_len,
			    "%s.%s: %" PRIu64 " is out of range (%" PRIu64 " to %" PRIu64 " %s)",
			    key->section, key->name, value, key->min, key->max, key->unit);
	}
	return 0;
}

/* Pairs of keys whose first must not exceed the second, and why. */
struct order {
	size_t low, high; /* offsets */
	const char *why;
};

#define ORDER(low_, high_, why_)                                             \
	{                                                                    \
		.low = offsetof(struct pc_stack_config, low_),               \
		.high = offsetof(struct pc_stack_config, high_), .why = why_ \
	}

static const struct order orders[] = {
    ORDER(tcp_port_first, tcp_port_last, "this leaves no ephemeral ports"),
    ORDER(tcp_rto_min_ms, tcp_rto_max_ms, "the minimum must not exceed the maximum"),
    ORDER(tcp_rto_initial_ms, tcp_rto_max_ms, "the initial timeout must not exceed the maximum"),
    ORDER(tcp_rcvbuf_min, tcp_rcvbuf, "a buffer would keep more than it may hold"),
    ORDER(tcp_sndbuf_min, tcp_sndbuf, "a buffer would keep more than it may hold"),
    ORDER(arp_retry_ms, arp_stale_ms, "neighbours would be forgotten before they are probed again"),
    ORDER(arp_reachable_ms, arp_stale_ms, "neighbours would be forgotten while still reachable"),
    ORDER(arp_hold, stack_mbufs, "one neighbour could hold every mbuf"),
    ORDER(stack_rx_burst, stack_mbufs, "a burst must fit in the mbufs"),
};

static const struct pc_config_key *key_at(size_t offset)
{
	for (const struct pc_config_key *key = keys; key < keys + NB_KEYS; key++)
		if (key->offset == offset)
			return key;
	return NULL;
}

static int check_order(const struct pc_stack_config *config, const struct order *order, char *why,
                       size_t why_len)
{
	const struct pc_config_key *low = key_at(order->low), *high = key_at(order->high);
	const uint64_t low_value = key_get(config, low), high_value = key_get(config, high);

	if (low_value <= high_value || (high_value == 0 && high->def == 0))
		return 0; /* in order, or the upper one is still "auto" */
	return refuse(why, why_len, "%s.%s (%" PRIu64 ") is greater than %s.%s (%" PRIu64 "): %s",
	              low->section, low->name, low_value, high->section, high->name, high_value,
	              order->why);
}

int pc_stack_config_check(const struct pc_stack_config *config, char *why, size_t why_len)
{
	int ret = check_limits(config, why, why_len);

	for (size_t i = 0; ret == 0 && i < sizeof(orders) / sizeof(orders[0]); i++)
		ret = check_order(config, &orders[i], why, why_len);
	if (ret == 0 && memchr(config->name, '\0', sizeof(config->name)) == NULL)
		ret = refuse(why, why_len, "the stack name is not NUL-terminated within %zu bytes",
		             sizeof(config->name));
	if (ret == 0 && config->socket_id < -1)
		ret = refuse(why, why_len, "socket_id: %d is not a NUMA node (-1: any)",
		             config->socket_id);
	return ret;
}

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

void pc_stack_config_fit(struct pc_stack_config *config, uint64_t bytes)
{
	/* the others follow from max_connections */
	if (config->stack_max_connections == 0)
		config->stack_max_connections =
		    clamp(bytes / 3 / BYTES_PER_CONNECTION, MIN_CONNECTIONS, MAX_CONNECTIONS);
	if (config->stack_mbufs == 0) {
		uint64_t room = bytes / 10 * 6 / BYTES_PER_MBUF;

		/* one for each connection with unacknowledged data, and those to receive into */
		config->stack_mbufs = config->stack_max_connections + 8191;
		if (bytes != 0 && config->stack_mbufs > room)
			config->stack_mbufs = room;
		config->stack_mbufs = clamp(config->stack_mbufs, 8191, 65535);
	}
	if (config->tcp_time_wait == 0)
		config->tcp_time_wait = clamp(config->stack_max_connections, 4096, 262144);
}
