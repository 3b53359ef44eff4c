/* SPDX-License-Identifier: BSD-2-Clause */
#include "reply.h"

#include "suite.h"

#define STAMP "Server: percore\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static struct reply_stamp stamp;
static char space[4096], text[8192];

static const char *build(const struct answer *a, enum reply_keep keep)
{
	struct iovec iov[REPLY_IOV_MAX];
	size_t used, len = 0;
	unsigned n;

	reply_stamp_set(&stamp, 784111777);
	n = reply_build(&stamp, a, keep, space, &used, iov);
	CU_ASSERT_FATAL(n >= 1 && n <= REPLY_IOV_MAX && used <= reply_space(a));
	for (unsigned i = 0; i < n; i++) {
		memcpy(text + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	text[len] = '\0';
	return text;
}

static void generated(void)
{
	static const uint16_t statuses[] = {400, 403, 404, 405, 408, 412, 413,
	                                    414, 417, 431, 501, 503, 505};
	struct answer a = {.status = 404};

	CHECK_ROW(strcmp(build(&a, REPLY_KEEP),
	                 "HTTP/1.1 404 Not Found\r\n" STAMP
	                 "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\n"
	                 "404 Not Found\n") == 0,
	          text);
	CU_ASSERT(reply_body_len(&a) == 14);
	a.no_body = true;
	CHECK_ROW(strcmp(build(&a, REPLY_CLOSE),
	                 "HTTP/1.1 404 Not Found\r\n" STAMP "Connection: close\r\n"
	                 "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\n") ==
	              0,
	          text);
	CU_ASSERT(reply_body_len(&a) == 0);
	for (size_t i = 0; i < ROWS(statuses); i++) {
		a = (struct answer){.status = statuses[i]};
		CHECK_ROW(strstr(build(&a, REPLY_KEEP_10), "Error") == NULL, text);
		CHECK_ROW(strstr(text, "\r\nConnection: keep-alive\r\n") != NULL, text);
		CHECK_ROW((strstr(text, "\r\nAllow: GET, HEAD\r\n") != NULL) == (a.status == 405),
		          text);
	}
}

static void location_is_encoded(void)
{
	static const char path[] = "/a b\"<>?#%\\\r\n\xc3\xa9/~;=@";
	struct answer a = {.status = 301,
	                   .path = path,
	                   .path_len = sizeof(path) - 1,
	                   .query = "x=%20",
	                   .query_len = 5};

	CHECK_ROW(strstr(build(&a, REPLY_KEEP),
	                 "\r\nLocation: /a%20b%22%3C%3E%3F%23%25%5C%0D%0A%C3%A9/~;=@/?x=%20\r\n") !=
	              NULL,
	          text);
}

static void parts_of_files(void)
{
	static const char head[] = "Content-Type: x\r\nETag: \"e\"\r\nContent-Length: 10\r\n\r\n";
	const struct file f = {.head = head,
	                       .head_len = sizeof(head) - 1,
	                       .validators_off = 17,
	                       .common_len = 28,
	                       .size = 10,
	                       .body = "0123456789"};
	struct answer a = {.status = 200, .file = &f, .len = 10};

	CHECK_ROW(strcmp(build(&a, REPLY_KEEP),
	                 "HTTP/1.1 200 OK\r\n" STAMP "Content-Type: x\r\nETag: \"e\"\r\n"
	                 "Content-Length: 10\r\n\r\n0123456789") == 0,
	          text);
	CU_ASSERT(reply_body_len(&a) == 10 && reply_has_file(&a));
	a.status = 304;
	CHECK_ROW(strcmp(build(&a, REPLY_KEEP),
	                 "HTTP/1.1 304 Not Modified\r\n" STAMP "ETag: \"e\"\r\n\r\n") == 0,
	          text);
	CU_ASSERT(reply_body_len(&a) == 0 && !reply_has_file(&a));
	a = (struct answer){.status = 206, .file = &f, .off = 9, .len = 1};
	CHECK_ROW(strcmp(build(&a, REPLY_KEEP), "HTTP/1.1 206 Partial Content\r\n" STAMP
	                                        "Content-Type: x\r\nETag: \"e\"\r\n"
	                                        "Content-Range: bytes 9-9/10\r\n"
	                                        "Content-Length: 1\r\n\r\n9") == 0,
	          text);
	a = (struct answer){.status = 416, .file = &f};
	CHECK_ROW(strstr(build(&a, REPLY_KEEP), "\r\nContent-Range: bytes */10\r\n") != NULL, text);
}

static const struct unit_case cases[] = {
    {"generated responses", generated},
    {"Location", location_is_encoded},
    {"parts of files", parts_of_files},
};

UNIT_MAIN("app/reply", cases)
