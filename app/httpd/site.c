/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Reloading
 *
 * Overview: the thread makes a new table from the old one and the root; unchanged files are shared.
 * If both are the same, the new one is discarded.  Otherwise it is published, and the thread waits
 * until every reader has left the old one before it unloads that.
 *
 * Invariant: a file on the retired list is in no table that a reader can use, so its refs only
 * fall.
 */

#include "site.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <percore/run.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_NS   5000000 /* longest single wait, so that closing does not take long */
#define SCAN_SHARE 20      /* scans may take one part in this of the thread's time */
#define WHY        256

struct site {
	struct published files;
	struct files_config config;
	uint64_t rescan_ms;
	struct file *retired;
	char told[WHY]; /* why the last scan failed; empty: it did not */
	pthread_t thread;
	atomic_bool stop;
};

static bool stopping(struct site *site)
{
	return atomic_load_explicit(&site->stop, memory_order_acquire);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void pause_until(struct site *site, uint64_t then)
{
	const struct timespec step = {0, PAUSE_NS};

	while (!stopping(site) && now_ns() < then)
		nanosleep(&step, NULL);
}

static void collect(struct site *site)
{
	struct file **link = &site->retired, *f;

	while ((f = *link) != NULL) {
		if (atomic_load_explicit(&f->refs, memory_order_acquire) > 0) {
			link = &f->next_retired;
			continue;
		}
		*link = f->next_retired;
		file_free(f);
	}
}

static void publish(struct site *site, struct files *new)
{
	uint64_t generation;
	const void *old = published_replace(&site->files, new, &generation);

	while (!published_is_left(&site->files, generation))
		pause_until(site, now_ns() + PAUSE_NS);
	files_unload((struct files *)(uintptr_t)old, &site->retired);
}

/* Says once why changes are not seen, unless whoever reads our output has stopped reading. */
static void complain(struct site *site, const char *why)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (strcmp(site->told, why) == 0)
		return;
	snprintf(site->told, sizeof(site->told), "%s", why);
	if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0)
		dprintf(STDERR_FILENO, "percore-httpd: files stay as they were: %s\n", why);
}

/* Returns how long reading the root took, without the time for which readers were waited for. */
static uint64_t rescan(struct site *site)
{
	const uint64_t begin = now_ns();
	const struct files *old = site_files(site);
	char why[WHY];
	struct files *new = files_load(&site->config, old, why, sizeof(why));
	const uint64_t took = now_ns() - begin;

	if (new == NULL) { /* the root is missing or changing: go on with the old table */
		complain(site, why);
		return took;
	}
	site->told[0] = '\0';
	if (files_same(old, new))
		files_unload(new, &site->retired);
	else
		publish(site, new);
	collect(site);
	return took;
}

static void *watch(void *arg)
{
	struct site *site = arg;
	const uint64_t period = site->rescan_ms * 1000000u;
	uint64_t took = 0;

	for (;;) {
		pause_until(site,
		            now_ns() + (took * SCAN_SHARE > period ? took * SCAN_SHARE : period));
		if (stopping(site))
			return NULL;
		took = rescan(site);
	}
}

/* The thread blocks signals: those that end the program are for the main lcore. */
static int start_thread(struct site *site)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	sigdelset(&all, PC_RUN_SIGNAL); /* it makes the thread drop its privileges */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&site->thread, NULL, watch, site);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct site *site_open(const struct files_config *config, uint64_t rescan_ms, char *why,
                       size_t why_len)
{
	struct site *site = aligned_alloc(64, sizeof(*site));
	struct files *files;
	int error;

	if (site == NULL) {
		snprintf(why, why_len, "not enough memory for the document root");
		return NULL;
	}
	memset(site, 0, sizeof(*site));
	site->config = *config;
	site->rescan_ms = config->root != NULL ? rescan_ms : 0;
	files = files_load(config, NULL, why, why_len);
	if (files == NULL) {
		free(site);
		return NULL;
	}
	published_begin(&site->files, files);
	error = site->rescan_ms > 0 ? start_thread(site) : 0;
	if (error != 0) {
		snprintf(why, why_len, "cannot start a thread: %s", strerror(error));
		site->rescan_ms = 0;
		site_close(site);
		return NULL;
	}
	return site;
}

struct published_reader *site_attach(struct site *site)
{
	return published_attach(&site->files);
}

const struct files *site_enter(struct site *site, struct published_reader *reader)
{
	return published_enter(&site->files, reader);
}

void site_leave(struct published_reader *reader)
{
	published_leave(reader);
}

const struct files *site_files(const struct site *site)
{
	return published_get(&site->files);
}

void site_close(struct site *site)
{
	if (site == NULL)
		return;
	atomic_store_explicit(&site->stop, true, memory_order_release);
	if (site->rescan_ms > 0)
		pthread_join(site->thread, NULL);
	files_unload((struct files *)(uintptr_t)site_files(site), &site->retired);
	collect(site);
	published_end(&site->files);
	free(site);
}
