/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rereading the config files.
 *
 * Overview: a thread of its own, on none of the lcores that carry data, waits for SIGHUP. It reads
 * the command line and the files once more into fresh settings, and prints a line for each change,
 * whether it takes effect or needs a restart. Changes that a stack can apply while running are
 * passed to each worker by a pointer, which the worker finds between two turns, applies to its own
 * stack, and clears.
 *
 * Ownership: the pointer's target belongs to the thread; it does not change until every worker has
 * cleared its pointer.
 *
 * Invariant: a file with a mistake changes nothing.  Whoever reads our output may stop reading: what
 * there is to say is written when all is done, and lost rather than waited for.
 */
#include "reload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "ctrl_thread.h"
#include "firewall.h"
#include "reporter.h"
#include "stop.h"

#define LOOK_AGAIN_US 1000

static uint64_t value_of(const struct key_table *t, const struct pc_config_key *key)
{
	uint64_t v;

	memcpy(&v, (const char *)t->base + key->offset, sizeof(v));
	return v;
}

/* ---- differences ----------------------------------------------------------------------------- */

static bool compare_key(struct settings *from, const struct settings *to, unsigned table,
                        const struct pc_config_key *key, FILE *f)
{
	const uint64_t old = value_of(&from->tables[table], key);
	const uint64_t new = value_of(&to->tables[table], key);

	if (old == new)
		return false;
	if (!settings_is_live(from, table, key)) {
		fprintf(f, "%s: %s.%s = %" PRIu64 " requires a restart; keeping %" PRIu64 "\n",
		        from->app->name, key->section, key->name, new, old);
		return false;
	}
	fprintf(f, "%s: %s.%s = %" PRIu64 " (was %" PRIu64 ")\n", from->app->name, key->section,
	        key->name, new, old);
	/* workers read run_config at any time */
	__atomic_store_n((uint64_t *)(void *)((char *)from->tables[table].base + key->offset), new,
	                 __ATOMIC_RELAXED);
	return from->tables[table].base == &from->stack;
}

static void compare_texts(const struct settings *from, const struct settings *to, FILE *f)
{
	static const char *const format = "%s: changing %s requires a restart\n";
	const char *own = args_changed(from, to);

	if (from->nb_addrs != to->nb_addrs ||
	    memcmp(from->addrs, to->addrs, from->nb_addrs * sizeof(from->addrs[0])) != 0)
		fprintf(f, format, from->app->name, "net.addr");
	if (from->macs_given != to->macs_given ||
	    memcmp(from->mac, to->mac, sizeof(from->mac)) != 0)
		fprintf(f, format, from->app->name, "net.mac");
	if (from->nb_gateways != to->nb_gateways ||
	    memcmp(from->gateway, to->gateway, sizeof(from->gateway)) != 0)
		fprintf(f, format, from->app->name, "net.gateway");
	if (strcmp(from->eal, to->eal) != 0)
		fprintf(f, format, from->app->name, "run.eal");
	if (strcmp(from->sockets, to->sockets) != 0)
		fprintf(f, format, from->app->name, "run.sockets");
	if (strcmp(from->control, to->control) != 0)
		fprintf(f, format, from->app->name, "run.control");
	if (strcmp(from->leases, to->leases) != 0)
		fprintf(f, format, from->app->name, "run.leases");
	if (strcmp(from->pcap, to->pcap) != 0)
		fprintf(f, format, from->app->name, "run.pcap");
	if (strcmp(from->exception, to->exception) != 0)
		fprintf(f, format, from->app->name, "exception.iface");
	if (own != NULL)
		fprintf(f, "%s: changing --%s in the file requires a restart\n", from->app->name,
		        own);
}

static bool is_denied_same(const struct settings *a, const struct settings *b)
{
	bool same = a->nb_denied == b->nb_denied;

	for (unsigned i = 0; same && i < a->nb_denied; i++)
		same = a->denied[i].len == b->denied[i].len &&
		       pc_addr_equal(&a->denied[i].addr, &b->denied[i].addr);
	return same;
}

/* the list is replaced as a whole */
static bool compare_denied(struct settings *from, const struct settings *to, FILE *f)
{
	if (is_denied_same(from, to))
		return false;
	if (to->nb_denied > from->stack.ip_deny_entries) {
		fprintf(f, "%s: keeping the current net.deny: %u networks exceed ip.deny_entries\n",
		        from->app->name, to->nb_denied);
		return false;
	}
	fprintf(f, "%s: net.deny has %u networks (was %u)\n", from->app->name, to->nb_denied,
	        from->nb_denied);
	memcpy(from->denied, to->denied, to->nb_denied * sizeof(to->denied[0]));
	from->nb_denied = to->nb_denied;
	return true;
}

unsigned reload_compare(struct settings *from, const struct settings *to, FILE *f)
{
	unsigned changed = 0;

	for (unsigned t = 0; t < SETTINGS_TABLES; t++)
		for (size_t i = 0; i < from->tables[t].n; i++)
			changed += compare_key(from, to, t, &from->tables[t].keys[i], f);
	changed += compare_denied(from, to, f);
	compare_texts(from, to, f);
	return changed;
}

/* ---- reading again --------------------------------------------------------------------------- */

/* The program's keys must not be overwritten while it runs: they are read into a separate
 * struct. */
static void *make_shadow(const struct key_table *t)
{
	size_t size = sizeof(uint64_t);
	char *shadow;

	for (size_t i = 0; i < t->n; i++)
		if (t->keys[i].offset + sizeof(uint64_t) > size)
			size = t->keys[i].offset + sizeof(uint64_t);
	shadow = calloc(1, size);
	for (size_t i = 0; shadow != NULL && i < t->n; i++)
		memcpy(shadow + t->keys[i].offset, &t->keys[i].def, sizeof(uint64_t));
	return shadow;
}

static int read_again(const struct run *r, struct settings *s, void *shadow)
{
	char why[SETTINGS_WHY - 128];
	struct args args;

	settings_init(s, r->s->app, r->s->app_arg);
	s->tables[2].base = shadow;
	s->again = true;
	if (args_parse(s, r->argc, r->argv, &args) != 0)
		return -1;
	if (pc_stack_config_check(&s->stack, why, sizeof(why)) != 0)
		return settings_fail(s, "%s", why);
	return 0;
}

/* ---- applying changes ------------------------------------------------------------------------ */

/* Applies only what differs between the two readings, so that "auto" values and the program's own
 * changes are kept. */
static void merge(struct pc_stack_config *config, const struct reload_batch *b)
{
	size_t n;
	const struct pc_config_key *key = pc_stack_config_keys(&n);

	for (; n > 0; n--, key++) {
		const char *from = (const char *)&b->from + key->offset;
		const char *to = (const char *)&b->to + key->offset;

		if (memcmp(from, to, sizeof(uint64_t)) != 0)
			memcpy((char *)config + key->offset, to, sizeof(uint64_t));
	}
}

void reload_apply(struct worker *w)
{
	struct pc_stack_config config = *pc_stack_get_config(w->st);

	merge(&config, w->wanted);
	w->reload_rc = pc_stack_reconfigure(w->st, &config, w->why, sizeof(w->why));
	(void)pc_stack_deny_all(w->st, w->wanted->denied, w->wanted->nb_denied);
	__atomic_store_n(&w->wanted, NULL, __ATOMIC_RELEASE);
}

static bool is_ending(const struct run *r)
{
	return __atomic_load_n(&r->reload_ends, __ATOMIC_ACQUIRE) || stop_wanted() != STOP_NO;
}

static void wait_for(const struct run *r, const struct worker *w, FILE *err)
{
	while (__atomic_load_n(&w->wanted, __ATOMIC_ACQUIRE) != NULL) {
		if (is_ending(r))
			return;
		usleep(LOOK_AGAIN_US);
	}
	if (w->reload_rc != 0)
		fprintf(err, "%s: nothing changed on lcore %u: %s\n", r->app->name, w->lcore,
		        w->why);
}

static void hand_out(struct run *r, const struct reload_batch *b, FILE *err)
{
	for (unsigned i = 0; i < r->nb_workers; i++)
		if (r->workers[i]->st != NULL)
			__atomic_store_n(&r->workers[i]->wanted, b, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < r->nb_workers; i++)
		wait_for(r, r->workers[i], err);
}

/* The thread's data. */
struct reload {
	struct settings s;
	struct reload_batch batch;
	void *shadow;
};

static void adopt(struct run *r, struct reload *l, FILE *out, FILE *err)
{
	l->batch.from = r->s->stack;
	if (reload_compare(r->s, &l->s, out) > 0) {
		l->batch.to = r->s->stack;
		l->batch.denied = r->s->denied;
		l->batch.nb_denied = r->s->nb_denied;
		hand_out(r, &l->batch, err);
	}
	firewall_reload(r, l->s.firewall, &r->reload_ends, out, err);
	fprintf(out, "%s: settings reloaded\n", r->app->name);
}

static void reload(struct run *r, struct reload *l, FILE *out, FILE *err)
{
	if (read_again(r, &l->s, l->shadow) == 0)
		adopt(r, l, out, err);
	else
		fprintf(err, "%s: nothing changed: %s\n", r->app->name, l->s.why);
	args_forget(&l->s);
}

/* Lines for stdout or stderr, until they are written. */
struct lines {
	FILE *f;
	char *text;
	size_t n;
};

static bool begin_lines(struct lines *l)
{
	*l = (struct lines){0};
	l->f = open_memstream(&l->text, &l->n);
	return l->f != NULL;
}

static void write_lines(struct run *r, struct lines *l, int fd)
{
	if (l->f != NULL && fclose(l->f) == 0)
		reporter_try(fd, &r->reload_ends, l->text, l->n);
	free(l->text);
}

static void read_all_again(struct run *r)
{
	struct lines out, err = {0};

	if (begin_lines(&out) && begin_lines(&err)) {
		if (r->s->nb_files > 0)
			reload(r, r->reload, out.f, err.f);
		if (r->app->reload != NULL)
			r->app->reload(r->s->app_arg, out.f, err.f);
	} else {
		reporter_say(STDERR_FILENO, "%s: nothing changed: not enough memory\n",
		             r->app->name);
	}
	write_lines(r, &err, STDERR_FILENO);
	write_lines(r, &out, STDOUT_FILENO);
}

bool reload_is_wanted(const struct run *r)
{
	return r->s->nb_files > 0 || r->app->reload != NULL;
}

static void *wait_for_hangup(void *arg)
{
	struct run *r = arg;

	for (;;) {
		hangup_wait();
		if (__atomic_load_n(&r->reload_ends, __ATOMIC_ACQUIRE))
			return NULL;
		read_all_again(r);
	}
}

static void free_reload(struct run *r)
{
	free(r->reload->shadow);
	free(r->reload);
	r->reload = NULL;
}

int reload_start(struct run *r)
{
	if (!reload_is_wanted(r))
		return 0;
	r->reload = calloc(1, sizeof(*r->reload));
	if (r->reload == NULL)
		return settings_fail(r->s, "not enough memory for settings");
	r->reload->shadow = make_shadow(&r->s->tables[2]);
	if (r->reload->shadow != NULL &&
	    ctrl_thread_start(&r->reloader, "pc-reload", wait_for_hangup, r) == 0)
		return 0;
	free_reload(r);
	return settings_fail(r->s, "cannot create the reload thread");
}

void reload_stop(struct run *r)
{
	if (r->reload == NULL)
		return;
	__atomic_store_n(&r->reload_ends, true, __ATOMIC_RELEASE);
	hangup_wake();
	pthread_join(r->reloader, NULL);
	free_reload(r);
}
