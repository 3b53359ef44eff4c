/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * percore-httpd: static files over HTTP/1.1.
 *
 * The path of a request: pc_run() starts EAL and a stack on each lcore and calls start() there.
 * Each turn it calls turn(), that is server_turn(): epoll events go to conn.c, input to
 * conn_input.c, requests through http_parse.c and answer.c to reply.c, and responses out by
 * pc_writev() in conn_flush().
 */

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <percore/run.h>

#include "../shared/map_guard.h"
#include "server.h"

struct program {
	struct http_config http;
	const char *root, *log_path;
	struct site *site;
	struct access_log *log;
};

static int set_root(void *app, const char *text, char *why, size_t why_len)
{
	(void)why;
	(void)why_len;
	((struct program *)app)->root = text;
	return 0;
}

static int set_log(void *app, const char *text, char *why, size_t why_len)
{
	(void)why;
	(void)why_len;
	((struct program *)app)->log_path = text;
	return 0;
}

static const struct pc_run_option options[] = {
    {.name = "listen",
     .argument = "PORT",
     .key = "http.listen",
     .help = "listen on this TCP port of every address (default 80)"},
    {.name = "root",
     .argument = "DIR",
     .set = set_root,
     .help = "serve the files below DIR (default: none, only /healthz)"},
    {.name = "access-log",
     .argument = "FILE",
     .set = set_log,
     .help = "append a line per request to FILE, in the Combined Log Format"},
    {0},
};

static const struct pc_config_key keys[] = {
#define HTTP_KEY(name, def, min, max, unit, sentence) \
	{"http", #name, unit, sentence, def, min, max, offsetof(struct http_config, name)},
    HTTP_KEYS(HTTP_KEY)
#undef HTTP_KEY
};

static const struct http_config defaults = {
#define HTTP_KEY(name, def, min, max, unit, sentence) .name = def,
    HTTP_KEYS(HTTP_KEY)
#undef HTTP_KEY
};

static int check(void *app, char *why, size_t why_len)
{
	struct program *p = app;
	const int error = map_guard_install();
	const struct files_config files = {p->root, p->http.max_files, p->http.copy_bytes,
	                                   p->http.preload_bytes};
	uint64_t bytes;
	size_t n;

	if (error != 0) {
		snprintf(why, why_len, "cannot handle SIGBUS: %s", strerror(-error));
		return -1;
	}
	p->site = site_open(&files, p->http.rescan_ms, why, why_len);
	if (p->site == NULL)
		return -1;
	if (p->root != NULL) {
		n = files_count(site_files(p->site), &bytes);
		printf("root %s: %zu file%s, %llu bytes\n", p->root, n, n == 1 ? "" : "s",
		       (unsigned long long)bytes);
	} else {
		puts("root: none, only /healthz is served; see --root");
	}
	if (p->log_path == NULL)
		return 0;
	p->log = access_log_open(p->log_path, why, why_len);
	return p->log != NULL ? 0 : -1;
}

static int start(void *app, struct pc_stack *st, void **worker, char *why, size_t why_len)
{
	struct program *p = app;
	const struct server_config config = {&p->http, p->site, p->log};

	*worker = server_start(st, &config, why, why_len);
	return *worker != NULL ? 0 : -1;
}

static void turn(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	(void)st;
	server_turn(worker, now_ns);
}

static uint64_t next_deadline(void *worker, struct pc_stack *st)
{
	(void)st;
	return server_next_deadline(worker);
}

static void drain(void *worker, struct pc_stack *st, uint64_t now_ns)
{
	(void)st;
	server_drain(worker, now_ns);
}

/* Data of closed connections must have reached the client, too: it is lost when the stack ends. */
static bool drained(void *worker, struct pc_stack *st)
{
	struct pc_stack_usage usage;

	pc_stack_get_usage(st, &usage);
	return server_drained(worker) && usage.connections == 0;
}

static void finish(void *worker, struct pc_stack *st)
{
	(void)st;
	server_finish(worker);
}

/*
 * A server may close a connection that waits for a request whenever it likes (RFC 9112 section
 * 9.5).
 */
static void stack_defaults(struct pc_stack_config *config)
{
	config->tcp_give_way_ms = 1000;
}

int main(int argc, char **argv)
{
	struct program program = {.http = defaults};
	const struct pc_run_app app = {
	    .name = "percore-httpd",
	    .summary = "serves static files over HTTP/1.1",
	    .example = "--addr 10.0.0.1/24 --root .",
	    .options = options,
	    .keys = keys,
	    .nb_keys = sizeof(keys) / sizeof(keys[0]),
	    .config = &program.http,
	    .defaults = stack_defaults,
	    .check = check,
	    .start = start,
	    .turn = turn,
	    .next_deadline = next_deadline,
	    .drain = drain,
	    .drained = drained,
	    .finish = finish,
	};
	int status = pc_run(argc, argv, &app, &program);
	uint64_t lost = access_log_close(program.log);

	if (lost > 0)
		fprintf(stderr, "percore-httpd: %llu access log records were lost\n",
		        (unsigned long long)lost);
	site_close(program.site);
	return status;
}
