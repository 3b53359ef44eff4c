/* SPDX-License-Identifier: BSD-2-Clause */
#include "threads.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <percore/posix.h>

#include "stop.h"

#define PATIENCE_S 2
#define LCORES_MAX 16 /* of a pc_host_config */

int threads_setup(struct run *r)
{
	const struct pc_host_config config = {.nb_lcores = r->nb_workers,
	                                      .max_sockets = (uint32_t)r->s->run.run_sockets_max};

	if (r->s->sockets[0] == '\0' && r->app->threads == NULL)
		return 0;
	if (r->nb_workers > LCORES_MAX)
		return settings_fail(r->s,
		                     "%u lcores, but threads and other processes can have sockets "
		                     "on at most %u: use fewer lcores (EAL option -l)",
		                     r->nb_workers, LCORES_MAX);
	r->host = pc_host_create(&config);
	if (r->host == NULL)
		return settings_fail(r->s, "cannot set up sockets for threads: %s",
		                     strerror(errno));
	if (r->s->sockets[0] != '\0' && pc_host_listen(r->host, r->s->sockets) != 0)
		return settings_fail(r->s, "run.sockets: %s: %s", r->s->sockets,
		                     errno == EADDRINUSE ? "another process is listening there"
		                                         : strerror(errno));
	return 0;
}

/* Makes a sleep end for clients and for frames alike. */
static int wait_for_both(struct worker *w)
{
	int rc;

	if (w->idle.mode != RUN_IDLE_INTERRUPT)
		return 0;
	rc = rx_wait_serve(&w->idle.rx, w->service);
	if (rc == 0)
		return 0;
	snprintf(w->why, sizeof(w->why), "lcore %u cannot wait for frames: %s", w->lcore,
	         strerror(rc));
	return -1;
}

int threads_add(struct worker *w)
{
	if (w->run->host == NULL)
		return 0;
	w->service = pc_host_add(w->run->host, w->index, w->st);
	w->idle.service = w->service;
	if (w->service != NULL)
		return wait_for_both(w);
	snprintf(w->why, sizeof(w->why), "lcore %u cannot serve threads: %s", w->lcore,
	         errno == EMFILE ? "raise stack.max_epolls by one" : strerror(errno));
	return -1;
}

static void *run_threads(void *arg)
{
	struct run *r = arg;

	r->threads_status = r->app->threads(r->s->app_arg);
	pcx_detach();
	stop_ask(STOP_DRAIN);
	return NULL;
}

int threads_begin(struct run *r)
{
	int rc;

	if (r->host == NULL || r->app->threads == NULL)
		return 0;
	if (pcx_attach_fd(pc_host_connect(r->host)) != 0)
		return settings_fail(r->s, "cannot attach the program's threads: %s",
		                     strerror(errno));
	rc = pthread_create(&r->threads, NULL, run_threads, r);
	if (rc != 0)
		return settings_fail(r->s, "cannot create a thread: %s", strerror(rc));
	r->threads_run = true;
	return 0;
}

void threads_end(struct run *r)
{
	struct timespec until;

	if (r->host == NULL)
		return;
	pc_host_stop(r->host);
	if (!r->threads_run)
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	/* its calls fail by now; if it ignores that, it ends with the process */
	if (pthread_timedjoin_np(r->threads, NULL, &until) == 0)
		r->threads_run = false;
}

void threads_teardown(struct run *r)
{
	if (!r->threads_run)
		pc_host_destroy(r->host);
}
