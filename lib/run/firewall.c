/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: the requesting thread creates a set of rules, and posts a request to each stack to use
 * its slot of the set.  When all have answered, the previous set is unused.  A thread of its own
 * checks for log entries a few times a second, as long as there are rules that log, frees the
 * previous set once its log entries are printed, and asks stacks again whose mailbox was full.
 *
 * A change of a table works the same way: each stack is asked to use the same set again, and then
 * gets the table's new members.
 *
 * Ownership: sets are protected by the lock, which no lcore takes.
 *
 * Invariant: until all stacks have answered, both sets stay, and no other is accepted.
 */
#include "firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <percore/firewall.h>

#include "ctl.h"
#include "ctrl_thread.h"
#include "reporter.h"
#include "worker.h"

#define FILE_MAX     (64 << 20)
#define LOOK_MS      200
#define SECOND_NS    UINT64_C(1000000000)
#define LOGS         64
#define POST_TRIES   2000
#define POST_WAIT_US 1000

struct firewall {
	struct run *run;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct pc_firewall *set; /* NULL: none */
	/* the previous set, which some stack may still use, or has logged under */
	struct pc_firewall *old;
	/* whether a stack has been asked to use the set; false if its mailbox was full */
	bool asked[RTE_MAX_LCORE];
	uint64_t ticket[RTE_MAX_LCORE]; /* of those that have not answered; 0: answered */
	bool late;                      /* some stack has not been asked, or has not answered */
	uint64_t next_ns;               /* when an address leaves a table */
	bool ends;                      /* atomic */
	bool has_thread;
	pthread_t thread;
};

/** The request to a stack. */
struct use {
	struct pc_firewall *set;
	unsigned slot;
};

static int use(struct pc_stack *st, const void *data)
{
	struct use u;

	memcpy(&u, data, sizeof(u));
	return pc_stack_set_firewall(st, u.set, u.slot) == 0 ? 0 : -errno;
}

/* ---- files ----------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static int refuse(char *why, size_t len, const char *format,
                                                        ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, len, format, args);
	va_end(args);
	return -1;
}

/* Reads a file. Returns its contents, which the caller frees, or NULL. */
static char *read_fd(const char *name, int fd, size_t *size, char *why, size_t len)
{
	struct stat st;
	ssize_t got = 0;
	char *text;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)refuse(why, len, "%s: not a regular file", name);
		return NULL;
	}
	if (st.st_size > FILE_MAX) {
		(void)refuse(why, len, "%s: file is larger than %d MiB", name, FILE_MAX >> 20);
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	for (*size = 0; text != NULL && *size < (size_t)st.st_size; *size += (size_t)got) {
		got = pread(fd, text + *size, (size_t)st.st_size - *size, (off_t)*size);
		if (got <= 0)
			break;
	}
	if (text == NULL || got < 0) {
		(void)refuse(why, len, "%s: %s", name, strerror(errno));
		free(text);
		return NULL;
	}
	return text;
}

/* Opens a file of rules or addresses. It must not be world-writable, as whoever can write to it
 * controls what the program does. */
static FILE *open_file(const char *what, const char *path, char *why, size_t len)
{
	/* do not wait for the writer of a pipe */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct stat st;

	if (f == NULL) {
		(void)refuse(why, len, "%s%s: %s", what, path, strerror(errno));
		return NULL;
	}
	if (fstat(fileno(f), &st) == 0 && (st.st_mode & S_IWOTH) == 0)
		return f;
	(void)refuse(why, len, "%s%s: file is writable by everyone; run: chmod o-w %s", what, path,
	             path);
	(void)fclose(f);
	return NULL;
}

/* Reads a file that rules need. */
static char *read_named(void *arg, const char *path, size_t *size, char *why, size_t len)
{
	FILE *f = open_file("", path, why, len);
	char *text;

	(void)arg;
	if (f == NULL)
		return NULL;
	text = read_fd(path, fileno(f), size, why, len);
	(void)fclose(f);
	return text;
}

/* ---- log entries ----------------------------------------------------------------------------- */

/** A packet that was logged, and where. */
struct logged {
	struct pc_firewall_log log;
	unsigned lcore;
};

/* Takes log entries of a set and adds them to the n in list. Returns how many there are then. */
static unsigned take_logs(const struct firewall *f, struct pc_firewall *set, struct logged *list,
                          unsigned n)
{
	const struct run *r = f->run;

	for (unsigned i = 0; set != NULL && i < r->nb_workers; i++)
		while (n < LOGS && pc_firewall_take_log(set, i, &list[n].log, 1) == 1)
			list[n++].lcore = r->workers[i]->lcore;
	return n;
}

static void print_logs(const struct firewall *f, const struct logged *list, unsigned n)
{
	char line[256], *text = NULL;
	size_t len = 0;
	FILE *all = open_memstream(&text, &len);

	for (unsigned i = 0; all != NULL && i < n; i++)
		fprintf(all, "%s: firewall: lcore %u: %s\n", f->run->app->name, list[i].lcore,
		        pc_firewall_format_log(&list[i].log, line, sizeof(line)));
	if (all != NULL && fclose(all) == 0)
		reporter_write(&f->ends, text, len);
	free(text);
}

static void wait_ms(struct firewall *f, long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&f->changed, &f->lock, &t);
}

/* ---- giving a set to all stacks -------------------------------------------------------------- */

static struct pc_firewall *make(struct run *r, const char *name, const char *text, size_t text_len,
                                char *why, size_t len)
{
	const unsigned nb_ports = r->nb_ports + r->nb_vlans;
	const char *names[PC_MAX_PORTS];
	struct pc_firewall_args args = {.text = text,
	                                .len = text_len,
	                                .name = name,
	                                .max_rules = (unsigned)r->s->stack.firewall_max_rules,
	                                .slots = r->nb_workers,
	                                .states = (unsigned)r->s->stack.firewall_states,
	                                .socket_id = -1,
	                                .max_addrs = (unsigned)r->s->stack.firewall_max_addrs,
	                                .sources = (unsigned)r->s->stack.firewall_sources,
	                                .learnt = (unsigned)r->s->stack.firewall_learnt,
	                                .nb_ports = nb_ports,
	                                .port_names = names,
	                                .read_file = read_named};

	for (unsigned i = 0; i < nb_ports; i++)
		names[i] = r->workers[0]->ports[i]->info.name;

	if (getrandom(args.seed, sizeof(args.seed), 0) != (ssize_t)sizeof(args.seed)) {
		(void)refuse(why, len, "%s: cannot get random numbers: %s", name, strerror(errno));
		return NULL;
	}
	return pc_firewall_create(&args, why, len);
}

/* Asks the stacks that have not been asked yet. Returns whether all have been. */
static bool ask(struct firewall *f)
{
	bool all = true;

	for (unsigned i = 0; i < f->run->nb_workers; i++) {
		const struct use u = {f->set, i};

		if (f->asked[i])
			continue;
		f->ticket[i] = pc_stack_post(f->run->workers[i]->st, use, &u, sizeof(u));
		f->asked[i] = f->ticket[i] != 0;
		all &= f->asked[i];
	}
	return all;
}

/* Asks the stacks that have not been asked, and checks for answers. Returns whether all have
 * answered, so that none uses the previous set any more. */
static bool settle(struct firewall *f)
{
	int rc;

	if (!f->late)
		return true;
	if (!ask(f))
		return false;
	for (unsigned i = 0; i < f->run->nb_workers; i++) {
		if (f->ticket[i] == 0)
			continue;
		if (!pc_stack_posted(f->run->workers[i]->st, f->ticket[i], &rc))
			return false;
		f->ticket[i] = 0;
	}
	f->late = false;
	pc_firewall_forget(f->set);
	return true;
}

/* Waits until all stacks use the set, *ends becomes true, or the time is up; a mailbox may be full
 * for a moment. Returns whether they use it. */
static bool wait_for_all(struct firewall *f, const bool *ends)
{
	for (unsigned i = 0; f->late && !ask(f) && i < POST_TRIES; i++) {
		if (__atomic_load_n(ends, __ATOMIC_ACQUIRE))
			break;
		usleep(POST_WAIT_US);
	}
	for (unsigned i = 0; f->late && i < f->run->nb_workers; i++)
		if (f->asked[i] && f->ticket[i] != 0)
			(void)ctl_wait(ends, f->run->workers[i], f->ticket[i]);
	return settle(f);
}

static void forget_old(struct firewall *f)
{
	pc_firewall_free(f->old);
	f->old = NULL;
}

/* From here on the stacks are to be asked to use the set, also if it is the same one. */
static void ask_again(struct firewall *f)
{
	f->late = true;
	memset(f->asked, 0, sizeof(f->asked));
}

/* Makes all stacks use a set, none, or the same one again. Returns 0 or -1. */
static int hand_out(struct firewall *f, struct pc_firewall *set, const bool *ends, char *why,
                    size_t len)
{
	bool all;

	if (set != f->set) {
		forget_old(f);
		f->old = f->set;
		f->set = set;
	}
	ask_again(f);
	all = wait_for_all(f, ends);
	pthread_cond_signal(&f->changed);
	return all ? 0 : refuse(why, len, "the rules are not yet in effect on every lcore");
}

static const char not_yet[] =
    "nothing changed: the previous rules are not yet in effect on every lcore";

static int replace(struct run *r, struct pc_firewall *set, const bool *ends, char *why, size_t len)
{
	struct firewall *f = r->firewall;
	int rc;

	pthread_mutex_lock(&f->lock);
	if (!wait_for_all(f, ends))
		rc = refuse(why, len, not_yet);
	else if (set != NULL && pc_firewall_take_tables(set, f->set, why, len) != 0)
		rc = -1;
	else
		rc = hand_out(f, set, ends, why, len);
	if (rc != 0 && f->set != set)
		pc_firewall_free(set);
	pthread_mutex_unlock(&f->lock);
	return rc;
}

int firewall_load(struct run *r, const char *name, const char *text, size_t text_len,
                  const bool *ends, char *why, size_t len)
{
	struct pc_firewall *set = make(r, name, text, text_len, why, len);

	return set != NULL ? replace(r, set, ends, why, len) : -1;
}

int firewall_flush(struct run *r, const bool *ends, char *why, size_t len)
{
	return replace(r, NULL, ends, why, len);
}

int firewall_load_fd(struct run *r, const char *name, int fd, const bool *ends, char *why,
                     size_t len)
{
	size_t size;
	char *text = read_fd(name, fd, &size, why, len);
	int rc = -1;

	if (text != NULL)
		rc = firewall_load(r, name, text, size, ends, why, len);
	free(text);
	return rc;
}

int firewall_check_fd(struct run *r, const char *name, int fd, char *why, size_t len)
{
	size_t size;
	char *text = read_fd(name, fd, &size, why, len);
	struct pc_firewall *set = NULL;

	if (text != NULL)
		set = make(r, name, text, size, why, len);
	free(text);
	pc_firewall_free(set);
	return set != NULL ? 0 : -1;
}

static bool is_late(struct firewall *f)
{
	bool late;

	pthread_mutex_lock(&f->lock);
	late = f->late;
	pthread_mutex_unlock(&f->lock);
	return late;
}

void firewall_reload(struct run *r, const char *path, const bool *ends, FILE *out, FILE *err)
{
	char why[512];
	FILE *f;
	int rc = -1;

	if (path[0] == '\0' || r->firewall == NULL) {
		if (strcmp(path, r->s->firewall) != 0)
			fprintf(out, "%s: %s requires a restart or percore-ctl\n", r->app->name,
			        path[0] == '\0' ? "removing firewall.rules"
			                        : "adding firewall.rules");
		return;
	}
	f = open_file("firewall.rules: ", path, why, sizeof(why));
	if (f != NULL) {
		rc = firewall_load_fd(r, path, fileno(f), ends, why, sizeof(why));
		(void)fclose(f);
	}
	if (rc == 0) {
		snprintf(r->s->firewall, sizeof(r->s->firewall), "%s", path);
		fprintf(out, "%s: reloaded the rules in %s\n", r->app->name, path);
	}
	if (rc != 0)
		fprintf(err, "%s: %s%s\n", r->app->name,
		        is_late(r->firewall) ? "" : "keeping the current rules: ", why);
}

/* ---- tables ---------------------------------------------------------------------------------- */

int firewall_change_table(struct run *r, const struct pc_firewall_change *c, const bool *ends,
                          unsigned *changed, char *why, size_t len)
{
	struct firewall *f = r->firewall;
	int rc;

	pthread_mutex_lock(&f->lock);
	if (!wait_for_all(f, ends))
		rc = refuse(why, len, not_yet);
	else if (f->set == NULL)
		rc = refuse(why, len, "no table \"%s\": there are no rules", c->table);
	else
		rc = pc_firewall_change_table(f->set, c, changed, why, len);
	if (rc == 0)
		rc = hand_out(f, f->set, ends, why, len);
	pthread_mutex_unlock(&f->lock);
	return rc;
}

int firewall_change_table_fd(struct run *r, struct pc_firewall_change *c, uint32_t for_s, int fd,
                             const bool *ends, unsigned *changed, char *why, size_t len)
{
	char *text = read_fd(c->name, fd, &c->len, why, len);
	int rc = -1;

	c->now_ns = clock_now(&r->clock);
	c->end_ns = for_s != 0 ? c->now_ns + for_s * SECOND_NS : 0;
	c->text = text;
	if (text != NULL)
		rc = firewall_change_table(r, c, ends, changed, why, len);
	free(text);
	return rc;
}

struct pc_firewall *firewall_hold(struct run *r)
{
	pthread_mutex_lock(&r->firewall->lock);
	return r->firewall->set;
}

void firewall_release(struct run *r)
{
	pthread_mutex_unlock(&r->firewall->lock);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Deletes from tables what has been added for a time, and notes when there is more to do. */
static void expire(struct firewall *f)
{
	f->next_ns = UINT64_MAX;
	if (f->set == NULL || f->late ||
	    !pc_firewall_expire(f->set, clock_now(&f->run->clock), &f->next_ns))
		return;
	ask_again(f);
	(void)settle(f);
}

/* Takes log entries, those of the previous set first. Returns how many. */
static unsigned look(struct firewall *f, struct logged *list)
{
	const bool unused = settle(f);
	const unsigned n = take_logs(f, f->old, list, 0);

	if (unused && n < LOGS)
		forget_old(f);
	expire(f);
	return take_logs(f, f->set, list, n);
}

/* Waits for a change, or until there is something to look at. */
static void wait_for_more(struct firewall *f)
{
	const uint64_t now_ns = clock_now(&f->run->clock);
	uint64_t left_ms;

	if (f->late || (f->set != NULL && pc_firewall_logs(f->set))) {
		wait_ms(f, LOOK_MS);
	} else if (f->next_ns == UINT64_MAX) {
		pthread_cond_wait(&f->changed, &f->lock);
	} else {
		left_ms = f->next_ns > now_ns ? (f->next_ns - now_ns) / 1000000 + 1 : 0;
		wait_ms(f, RTE_MAX((long)RTE_MIN(left_ms, UINT64_C(3600000)), (long)LOOK_MS));
	}
}

/* Prints without holding the lock, since the reader of stdout may be slow. */
static void *serve(void *arg)
{
	struct logged list[LOGS];
	struct firewall *f = arg;
	bool ends = false;

	while (!ends) {
		unsigned n;

		pthread_mutex_lock(&f->lock);
		n = look(f, list);
		ends = f->ends && n == 0;
		if (n == 0 && !f->ends)
			wait_for_more(f);
		pthread_mutex_unlock(&f->lock);
		if (n > 0)
			print_logs(f, list, n);
	}
	return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Applies the rules of the file, before any lcore runs its stack. */
static int start_with_file(struct run *r)
{
	struct settings *s = r->s;
	FILE *f = open_file("firewall.rules: ", s->firewall, s->why, sizeof(s->why));
	size_t size;
	char *text;

	if (f == NULL)
		return -1;
	text = read_fd(s->firewall, fileno(f), &size, s->why, sizeof(s->why));
	(void)fclose(f);
	if (text != NULL)
		r->firewall->set = make(r, s->firewall, text, size, s->why, sizeof(s->why));
	free(text);
	if (r->firewall->set == NULL)
		return -1;
	for (unsigned i = 0; i < r->nb_workers; i++)
		(void)pc_stack_set_firewall(r->workers[i]->st, r->firewall->set, i);
	return 0;
}

int firewall_start(struct run *r)
{
	pthread_condattr_t attr;
	struct firewall *f;

	if (r->app->frames != NULL || (r->s->firewall[0] == '\0' && r->s->control[0] == '\0'))
		return 0;
	f = r->firewall = calloc(1, sizeof(*f));
	if (f == NULL)
		return settings_fail(r->s, "not enough memory for the firewall");
	f->run = r;
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->changed, &attr);
	if (r->s->firewall[0] != '\0' && start_with_file(r) != 0)
		return -1;
	f->has_thread = ctrl_thread_start(&f->thread, "pc-firewall", serve, f) == 0;
	return f->has_thread ? 0 : settings_fail(r->s, "cannot create the firewall thread");
}

void firewall_stop(struct run *r)
{
	struct firewall *f = r->firewall;

	if (f == NULL || !f->has_thread)
		return;
	pthread_mutex_lock(&f->lock);
	__atomic_store_n(&f->ends, true, __ATOMIC_RELEASE);
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	f->has_thread = false;
}

void firewall_free(struct run *r)
{
	struct firewall *f = r->firewall;

	if (f == NULL)
		return;
	pc_firewall_free(f->set);
	pc_firewall_free(f->old);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
	r->firewall = NULL;
}
