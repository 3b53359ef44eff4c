/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer.h"

#include <string.h>

#include "http_cond.h"
#include "http_range.h"
#include "http_target.h"

#define HEALTH_PATH "/healthz"

void answer_error(struct answer *a, const struct http_request *r, uint16_t status)
{
	*a = (struct answer){.status = status, .no_body = r->method == HTTP_HEAD};
}

/* RFC 9110 section 14.2: Range is for GET, and comes after the conditions. */
static void answer_range(struct answer *a, const struct http_request *r, const char *p,
                         const struct http_validators *v)
{
	const struct http_span s = r->field[HTTP_RANGE];

	if (r->method != HTTP_GET || r->repeated >> HTTP_RANGE & 1 ||
	    !http_cond_range_applies(r, p, v))
		return;
	switch (http_range_parse(p + s.off, s.len, a->file->size, &a->off, &a->len)) {
	case HTTP_RANGE_PART:
		a->status = 206;
		break;
	case HTTP_RANGE_UNSATISFIABLE:
		a->status = 416;
		break;
	case HTTP_RANGE_WHOLE:
		break;
	}
}

static void answer_regular(struct answer *a, const struct http_request *r, const char *p,
                           const struct file *f, int64_t now)
{
	const uint16_t conditions = 1 << HTTP_IF_MATCH | 1 << HTTP_IF_NONE_MATCH |
	                            1 << HTTP_IF_MODIFIED_SINCE | 1 << HTTP_IF_UNMODIFIED_SINCE;
	const struct http_validators v = {f->head + f->etag_off, f->etag_len, f->mtime, now};

	a->file = f;
	a->len = f->size;
	a->status = 200;
	if (r->seen & conditions)
		a->status = (uint16_t)http_cond_evaluate(r, p, &v);
	if (a->status == 200 && http_has(r, HTTP_RANGE))
		answer_range(a, r, p, &v);
	if (a->status == 412)
		a->file = NULL;
}

static void answer_path(struct answer *a, const struct http_request *r, const char *p,
                        const struct files *files, int64_t now)
{
	const struct file *f = files_find(files, a->path, a->path_len);

	if (f != NULL && (f->kind == FILE_UNREADABLE || file_is_broken(f)))
		a->status = 503;
	else if (f != NULL && f->kind == FILE_REGULAR)
		answer_regular(a, r, p, f, now);
	else if (f != NULL)
		a->status = f->kind == FILE_DIRECTORY ? 301 : 403;
	else
		a->status = 404;
}

/* CONNECT names a host and port, OPTIONS may ask about "*"; neither leads to a file. */
static bool has_path(const struct http_request *r, const char *p)
{
	if (r->method == HTTP_CONNECT)
		return false;
	return r->method != HTTP_OPTIONS || r->target.len != 1 || p[r->target.off] != '*';
}

void answer_request(struct answer *a, const struct http_request *r, const char *p,
                    const struct files *files, char *path_buf, int64_t now)
{
	struct http_target t;
	int status = 0;

	*a = (struct answer){.no_body = r->method == HTTP_HEAD};
	if (has_path(r, p)) {
		status = http_target_split(p + r->target.off, r->target.len, &t);
		if (status == 0)
			status = http_path_normalise(t.path, t.path_len, path_buf, &a->path,
			                             &a->path_len);
	}
	if (r->method == HTTP_OTHER)
		status = 501;
	else if (status == 0 && r->method != HTTP_GET && r->method != HTTP_HEAD)
		status = 405;
	else if (status == 0 && r->expect_other && r->minor > 0)
		status = 417;
	a->status = (uint16_t)status;
	if (status != 0)
		return;
	a->query = t.query;
	a->query_len = t.query_len;
	if (a->path_len == sizeof(HEALTH_PATH) - 1 &&
	    memcmp(a->path, HEALTH_PATH, a->path_len) == 0) {
		a->status = 200;
		a->text = "ok\n";
		return;
	}
	answer_path(a, r, p, files, now);
}
