/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer.h"

#include "suite.h"
#include "tree.h"

#define HOST "Host: a\r\n"

static const struct http_limits limits = {2048, 512, 20};
static struct files *files;
static struct http_request request;
static char path[512];

static void make_files(void)
{
	char root[128], why[128];
	const struct files_config config = {root, 100, 65536, 0};

	tree_make();
	tree_text("root/a.txt", "0123456789");
	tree_mkdir("root/d");
	tree_text("root/healthz", "not this one");
	snprintf(root, sizeof(root), "%s/root", tree_base);
	files = files_load(&config, NULL, why, sizeof(why));
	CU_ASSERT_FATAL(files != NULL);
}

static void unmake_files(void)
{
	struct file *retired = NULL, *next;

	files_unload(files, &retired);
	for (; retired != NULL; retired = next) {
		next = retired->next_retired;
		file_free(retired);
	}
	tree_remove();
}

static struct answer answer(const char *text)
{
	struct answer a;

	http_request_init(&request);
	CU_ASSERT_FATAL(http_parse(&request, text, strlen(text), &limits) == (int)strlen(text));
	answer_request(&a, &request, text, files, path, 1700000000);
	return a;
}

static void files_and_parts(void)
{
	struct answer a = answer("GET /a.txt HTTP/1.1\r\n" HOST "\r\n");

	CU_ASSERT(a.status == 200 && a.off == 0 && a.len == 10 && !a.no_body);
	CU_ASSERT(a.file != NULL && a.file->size == 10);
	a = answer("HEAD /a.txt HTTP/1.1\r\n" HOST "\r\n");
	CU_ASSERT(a.status == 200 && a.len == 10 && a.no_body);
	a = answer("GET /a.txt HTTP/1.1\r\n" HOST "Range: bytes=4-\r\n\r\n");
	CU_ASSERT(a.status == 206 && a.off == 4 && a.len == 6);
	a = answer("GET /a.txt HTTP/1.1\r\n" HOST "Range: bytes=4-\r\nRange: bytes=5-\r\n\r\n");
	CU_ASSERT(a.status == 200 && a.len == 10);
	a = answer("GET /a.txt HTTP/1.1\r\n" HOST "Range: bytes=10-\r\n\r\n");
	CU_ASSERT(a.status == 416 && a.file != NULL);
	/* a condition goes before a range */
	a = answer("GET /a.txt HTTP/1.1\r\n" HOST "Range: bytes=10-\r\nIf-Match: \"\"\r\n\r\n");
	CU_ASSERT(a.status == 412 && a.file == NULL);
	a = answer("GET /a.txt HTTP/1.1\r\n" HOST
	           "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
	CU_ASSERT(a.status == 412 && a.file == NULL);
	a = answer("GET /a.txt HTTP/1.1\r\n" HOST "Range: bytes=1-\r\nIf-None-Match: *\r\n\r\n");
	CU_ASSERT(a.status == 304);
}

static void others(void)
{
	struct answer a = answer("GET /%64?q=1 HTTP/1.1\r\n" HOST "\r\n");

	CU_ASSERT(a.status == 301 && a.path_len == 2 && memcmp(a.path, "/d", 2) == 0);
	CU_ASSERT(a.query_len == 3 && memcmp(a.query, "q=1", 3) == 0);
	CU_ASSERT(answer("GET /d/ HTTP/1.1\r\n" HOST "\r\n").status == 403);
	CU_ASSERT(answer("GET /e HTTP/1.1\r\n" HOST "\r\n").status == 404);
	a = answer("GET /healthz HTTP/1.1\r\n" HOST "\r\n");
	CU_ASSERT(a.status == 200 && a.file == NULL && strcmp(a.text, "ok\n") == 0);
	/* the method is looked at before the path is, but not before its syntax */
	CU_ASSERT(answer("POST /e HTTP/1.1\r\n" HOST "\r\n").status == 405);
	CU_ASSERT(answer("POST /% HTTP/1.1\r\n" HOST "\r\n").status == 400);
	CU_ASSERT(answer("FOO /% HTTP/1.1\r\n" HOST "\r\n").status == 501);
	CU_ASSERT(answer("OPTIONS * HTTP/1.1\r\n" HOST "\r\n").status == 405);
	CU_ASSERT(answer("TRACE * HTTP/1.1\r\n" HOST "\r\n").status == 400);
	answer_error(&a, &request, 431);
	CU_ASSERT(a.status == 431 && a.file == NULL && a.text == NULL);
}

static const struct unit_case cases[] = {
    {"set-up", make_files},
    {"files and parts of them", files_and_parts},
    {"other answers", others},
    {"tear-down", unmake_files},
};

UNIT_MAIN("app/answer", cases)
