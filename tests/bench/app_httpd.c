/* SPDX-License-Identifier: BSD-2-Clause */
/* percore-httpd without its main(), serving one file. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps.h"
#include "server.h"

#define FILE_BYTES 512

static const struct http_config defaults = {
#define HTTP_KEY(name, def, min, max, unit, sentence) .name = def,
    HTTP_KEYS(HTTP_KEY)
#undef HTTP_KEY
};

/* the root is read at the start, so it can be removed at once */
static struct site *make_site(char *why, size_t why_len)
{
	const struct http_config *h = &defaults;
	char dir[] = "/tmp/percore-bench-XXXXXX", path[64], body[FILE_BYTES];
	struct files_config files = {NULL, h->max_files, h->copy_bytes, h->preload_bytes};
	struct site *site = NULL;
	int fd;

	if (mkdtemp(dir) == NULL)
		return NULL;
	snprintf(path, sizeof(path), "%s/512", dir);
	memset(body, 'x', sizeof(body));
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (fd >= 0 && write(fd, body, sizeof(body)) == (ssize_t)sizeof(body)) {
		files.root = dir;
		site = site_open(&files, 0, why, why_len);
	}
	if (fd >= 0)
		close(fd);
	unlink(path);
	rmdir(dir);
	return site;
}

static void *start(struct pc_stack *st, uint32_t connections)
{
	char why[256] = "no place for a temporary file";
	const struct server_config config = {&defaults, make_site(why, sizeof(why)), NULL};
	struct server *s = NULL;

	(void)connections;
	if (config.site != NULL)
		s = server_start(st, &config, why, sizeof(why));
	if (s == NULL) {
		fprintf(stderr, "%s\n", why);
		exit(2);
	}
	return s;
}

static uint64_t turn(void *self, struct pc_stack *st, uint64_t now_ns)
{
	(void)st;
	server_turn(self, now_ns);
	return 0;
}

static void finish(void *self)
{
	struct site *site = ((struct server *)self)->site;

	server_finish(self);
	site_close(site);
}

const struct app app_httpd = {.port = 80, .start = start, .turn = turn, .finish = finish};
