/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings of a running stack.
 *
 * Every layer reads ctx.cfg when it needs a value, so a change is a store between two turns; a
 * layer updates values that it keeps elsewhere in its *_configure.  Keys that size tables cannot
 * change.
 */
#include "stack/stack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static uint64_t *value_of(struct pc_stack_config *cfg, const struct pc_config_key *key)
{
	return (uint64_t *)(void *)((char *)cfg + key->offset);
}

__attribute__((format(printf, 4, 5))) static int refuse(int error, char *why, size_t why_len,
                                                        const char *format, ...)
{
	if (why != NULL && why_len > 0) {
		va_list args;

		va_start(args, format);
		vsnprintf(why, why_len, format, args);
		va_end(args);
	}
	errno = error;
	return -1;
}

static int check_fixed(struct pc_stack_config *now, struct pc_stack_config *wanted, char *why,
                       size_t why_len)
{
	size_t n;
	const struct pc_config_key *key = pc_stack_config_keys(&n);

	for (; n > 0; n--, key++)
		if (!pc_stack_config_is_live(key) && *value_of(now, key) != *value_of(wanted, key))
			return refuse(EPERM, why, why_len, "%s.%s requires a restart to change",
			              key->section, key->name);
	return 0;
}

int pc_stack_reconfigure(struct pc_stack *st, const struct pc_stack_config *config, char *why,
                         size_t why_len)
{
	struct pc_stack_config *now = &st->ctx.cfg, wanted = *config, was;

	memcpy(wanted.name, now->name, sizeof(wanted.name));
	wanted.socket_id = now->socket_id;
	if (check_fixed(now, &wanted, why, why_len) != 0)
		return -1;
	if (pc_stack_config_check(&wanted, why, why_len) != 0) {
		errno = EINVAL;
		return -1;
	}
	was = *now;
	*now = wanted;
	if (tcp_configure(st->tcp) != 0) {
		*now = was;
		tcp_configure(st->tcp); /* the old settings need no new memory */
		return refuse(ENOMEM, why, why_len, "not enough memory for the new settings");
	}
	return 0;
}

int pc_stack_set(struct pc_stack *st, const char *name, const char *value, char *why,
                 size_t why_len)
{
	const struct pc_config_key *key = pc_stack_config_find(name);
	struct pc_stack_config wanted = st->ctx.cfg;

	if (key == NULL)
		return refuse(ENOENT, why, why_len, "unknown key %s", name);
	if (pc_config_key_parse(key, value, value_of(&wanted, key), why, why_len) != 0) {
		errno = EINVAL;
		return -1;
	}
	return pc_stack_reconfigure(st, &wanted, why, why_len);
}

int pc_stack_get(const struct pc_stack *st, const char *name, char *value, size_t len)
{
	const struct pc_config_key *key = pc_stack_config_find(name);
	uint64_t v;

	if (key == NULL)
		return refuse(ENOENT, NULL, 0, "%s", "");
	memcpy(&v, (const char *)&st->ctx.cfg + key->offset, sizeof(v));
	if ((size_t)snprintf(value, len, "%" PRIu64, v) >= len)
		return refuse(ENOSPC, NULL, 0, "%s", "");
	return 0;
}
