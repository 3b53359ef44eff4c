/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Reloading
 *
 * Overview: the thread makes a new table from the old one and the root; unchanged files are shared.
 * If both are the same, the new one is thrown away.  Otherwise it is published in current, and the
 * thread waits for every reader to show it in seen before it unloads the old one.
 *
 * Invariants: a reader stores seen only between turns, when it holds no pointer into an older table.
 * A file on the retired list is in no table that a reader can find, so its refs only fall.
 */

#include "site.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <percore/run.h>
#include <time.h>

#define READERS_MAX 256
#define PAUSE_NS    5000000 /* steps of waiting, so that closing does not take long */
#define SCAN_SHARE  20      /* a scan may take one part in this of the thread's time */

struct site {
	_Atomic(const struct files *) current;
	struct site_reader readers[READERS_MAX];
	pthread_mutex_t lock; /* of attaching and publishing */
	struct files_config config;
	uint64_t rescan_ms;
	struct file *retired;
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

static bool all_have_seen(struct site *site, const struct files *files)
{
	bool all = true;

	pthread_mutex_lock(&site->lock);
	for (unsigned i = 0; i < READERS_MAX; i++) {
		const struct files *seen =
		    atomic_load_explicit(&site->readers[i].seen, memory_order_acquire);

		all = all && (seen == files || seen == NULL);
	}
	pthread_mutex_unlock(&site->lock);
	return all;
}

static void publish(struct site *site, struct files *new)
{
	struct files *old;

	pthread_mutex_lock(&site->lock);
	old = (struct files *)(uintptr_t)atomic_load(&site->current);
	atomic_store(&site->current, new);
	pthread_mutex_unlock(&site->lock);
	while (!all_have_seen(site, new))
		pause_until(site, now_ns() + PAUSE_NS);
	files_unload(old, &site->retired);
}

static void rescan(struct site *site)
{
	const struct files *old = atomic_load(&site->current);
	char why[256];
	struct files *new = files_load(&site->config, old, why, sizeof(why));

	if (new == NULL)
		return; /* the root is away or in motion: go on with what was there */
	if (files_same(old, new))
		files_unload(new, &site->retired);
	else
		publish(site, new);
	collect(site);
}

static void *watch(void *arg)
{
	struct site *site = arg;
	const uint64_t period = site->rescan_ms * 1000000u;
	uint64_t begin, took = 0;

	for (;;) {
		pause_until(site,
		            now_ns() + (took * SCAN_SHARE > period ? took * SCAN_SHARE : period));
		if (stopping(site))
			return NULL;
		begin = now_ns();
		rescan(site);
		took = now_ns() - begin;
	}
}

/* The thread takes no signals: those that end the program are the main lcore's business. */
static int start_thread(struct site *site)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	sigdelset(&all, PC_RUN_SIGNAL); /* by which it gives up privileges */
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
		snprintf(why, why_len, "no memory for the document root");
		return NULL;
	}
	memset(site, 0, sizeof(*site));
	pthread_mutex_init(&site->lock, NULL);
	site->config = *config;
	site->rescan_ms = config->root != NULL ? rescan_ms : 0;
	files = files_load(config, NULL, why, why_len);
	if (files == NULL) {
		free(site);
		return NULL;
	}
	atomic_init(&site->current, files);
	error = site->rescan_ms > 0 ? start_thread(site) : 0;
	if (error != 0) {
		snprintf(why, why_len, "cannot start a thread: %s", strerror(error));
		site->rescan_ms = 0;
		site_close(site);
		return NULL;
	}
	return site;
}

struct site_reader *site_attach(struct site *site)
{
	struct site_reader *reader = site->readers;

	pthread_mutex_lock(&site->lock);
	while (reader < site->readers + READERS_MAX && atomic_load(&reader->seen) != NULL)
		reader++;
	if (reader < site->readers + READERS_MAX)
		atomic_store(&reader->seen, atomic_load(&site->current));
	else
		reader = NULL;
	pthread_mutex_unlock(&site->lock);
	return reader;
}

const struct files *site_enter(struct site *site, struct site_reader *reader)
{
	const struct files *files = atomic_load_explicit(&site->current, memory_order_acquire);

	if (atomic_load_explicit(&reader->seen, memory_order_relaxed) != files)
		atomic_store_explicit(&reader->seen, files, memory_order_release);
	return files;
}

void site_leave(struct site_reader *reader)
{
	atomic_store_explicit(&reader->seen, NULL, memory_order_release);
}

const struct files *site_files(const struct site *site)
{
	return atomic_load(&((struct site *)(uintptr_t)site)->current);
}

void site_close(struct site *site)
{
	struct files *files;

	if (site == NULL)
		return;
	atomic_store_explicit(&site->stop, true, memory_order_release);
	if (site->rescan_ms > 0)
		pthread_join(site->thread, NULL);
	files = (struct files *)(uintptr_t)atomic_load(&site->current);
	files_unload(files, &site->retired);
	collect(site);
	pthread_mutex_destroy(&site->lock);
	free(site);
}
