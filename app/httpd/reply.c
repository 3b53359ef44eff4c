/* SPDX-License-Identifier: BSD-2-Clause */
#include "reply.h"

#include <stdio.h>
#include <string.h>

#include "http_char.h"
#include "http_date.h"

#define STATUS_OK  "HTTP/1.1 200 OK\r\n"
#define LITERAL(s) (s), sizeof(s) - 1

static const struct {
	uint16_t status;
	const char *reason;
} reasons[] = {
    {200, "OK"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {431, "Request Header Fields Too Large"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

void reply_stamp_set(struct reply_stamp *s, int64_t now)
{
	static const char *const connection[REPLY_KEEP_MAX] = {
	    [REPLY_KEEP] = "",
	    [REPLY_KEEP_10] = "Connection: keep-alive\r\n",
	    [REPLY_CLOSE] = "Connection: close\r\n",
	};
	char date[HTTP_DATE_LEN + 1] = "";

	if (s->now == now && s->len[0] != 0)
		return;
	s->now = now;
	http_date_format(now, date);
	for (unsigned k = 0; k < REPLY_KEEP_MAX; k++)
		s->len[k] = (uint16_t)snprintf(s->text[k], sizeof(s->text[k]),
		                               STATUS_OK "Server: percore\r\nDate: %s\r\n%s", date,
		                               connection[k]);
}

static const char *find_reason(uint16_t status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

/* Where the next byte goes; reply_space() guarantees that there is room. */
struct text {
	char *p;
};

static void put(struct text *t, const char *s, size_t n)
{
	memcpy(t->p, s, n);
	t->p += n;
}

static void put_string(struct text *t, const char *s)
{
	put(t, s, strlen(s));
}

static void put_number(struct text *t, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	put(t, digits + i, sizeof(digits) - i);
}

static void put_length(struct text *t, uint64_t len)
{
	put(t, LITERAL("Content-Length: "));
	put_number(t, len);
	put(t, LITERAL("\r\n\r\n"));
}

/* RFC 9110 section 10.2.2: Location may be a relative reference; the query is carried over. */
static void put_location(struct text *t, const struct answer *a)
{
	static const char hex[] = "0123456789ABCDEF";

	put(t, LITERAL("Location: "));
	for (size_t i = 0; i < a->path_len; i++) {
		const uint8_t c = (uint8_t)a->path[i];
		const char escaped[3] = {'%', hex[c >> 4], hex[c & 15]};

		if (http_char_is((char)c, HTTP_CHAR_PATH))
			*t->p++ = (char)c;
		else
			put(t, escaped, 3);
	}
	*t->p++ = '/';
	if (a->query != NULL) {
		*t->p++ = '?';
		put(t, a->query, a->query_len);
	}
	put(t, LITERAL("\r\n"));
}

static void put_content_range(struct text *t, const struct answer *a)
{
	put(t, LITERAL("Content-Range: bytes "));
	if (a->status == 416) {
		*t->p++ = '*';
	} else {
		put_number(t, a->off);
		*t->p++ = '-';
		put_number(t, a->off + a->len - 1);
	}
	*t->p++ = '/';
	put_number(t, a->file->size);
	put(t, LITERAL("\r\n"));
}

/* Writes the body of a response without a file: one line. */
static size_t write_line(char line[64], const struct answer *a)
{
	struct text t = {line};

	if (a->text != NULL) {
		put_string(&t, a->text);
	} else {
		put_number(&t, a->status);
		*t.p++ = ' ';
		put_string(&t, find_reason(a->status));
		*t.p++ = '\n';
	}
	return (size_t)(t.p - line);
}

static void put_generated(struct text *t, const struct answer *a)
{
	char line[64];
	const size_t len = write_line(line, a);

	if (a->status == 301)
		put_location(t, a);
	if (a->status == 405)
		put(t, LITERAL("Allow: GET, HEAD\r\n"));
	if (a->status == 416)
		put_content_range(t, a);
	if (a->text != NULL)
		put(t, LITERAL("Cache-Control: no-store\r\n"));
	put(t, LITERAL("Content-Type: text/plain; charset=utf-8\r\n"));
	put_length(t, len);
	if (!a->no_body)
		put(t, line, len);
}

uint64_t reply_body_len(const struct answer *a)
{
	char line[64];

	if (a->no_body || a->status == 304)
		return 0;
	if (a->file != NULL && (a->status == 200 || a->status == 206))
		return a->len;
	return write_line(line, a);
}

/* Status line, Server, Date and Connection of anything but a 200. */
static void put_stamp(struct text *t, const struct reply_stamp *s, uint16_t status,
                      enum reply_keep keep)
{
	const size_t skip = sizeof(STATUS_OK) - 1;

	put(t, LITERAL("HTTP/1.1 "));
	put_number(t, status);
	*t->p++ = ' ';
	put_string(t, find_reason(status));
	put(t, LITERAL("\r\n"));
	put(t, s->text[keep] + skip, s->len[keep] - skip);
}

static struct iovec buffer(const char *p, size_t len)
{
	return (struct iovec){(void *)(uintptr_t)p, len};
}

/* The common case, a whole file: bytes are copied only into the packets. */
static unsigned build_whole(const struct reply_stamp *s, const struct answer *a,
                            enum reply_keep keep, struct iovec iov[REPLY_IOV_MAX])
{
	const struct file *f = a->file;

	iov[0] = buffer(s->text[keep], s->len[keep]);
	iov[1] = buffer(f->head, f->head_len);
	if (!reply_has_file(a))
		return 2;
	if (f->body == f->head + f->head_len) {
		iov[1].iov_len += f->size;
		return 2;
	}
	iov[2] = buffer(f->body, f->size);
	return 3;
}

unsigned reply_build(const struct reply_stamp *s, const struct answer *a, enum reply_keep keep,
                     char *space, size_t *used, struct iovec iov[REPLY_IOV_MAX])
{
	struct text t = {space};
	const struct file *f = a->file;
	unsigned n = 1;

	*used = 0;
	if (a->status == 200 && f != NULL)
		return build_whole(s, a, keep, iov);
	put_stamp(&t, s, a->status, keep);
	if (a->status == 206) {
		put(&t, f->head, f->common_len);
		put_content_range(&t, a);
		put_length(&t, a->len);
	} else if (a->status == 304) {
		put(&t, f->head + f->validators_off, (size_t)(f->common_len - f->validators_off));
		put(&t, LITERAL("\r\n"));
	} else {
		put_generated(&t, a);
	}
	*used = (size_t)(t.p - space);
	iov[0] = buffer(space, *used);
	if (reply_has_file(a))
		iov[n++] = buffer(f->body + a->off, a->len);
	return n;
}
