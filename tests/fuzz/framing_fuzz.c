/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTTP parser compared with another one: Node's http_parser, from Debian.
 *
 * Requests are smuggled where two programs disagree about where one ends. So whatever percore-httpd
 * accepts, header and body, the other parser must accept too, ending at the same byte, with the
 * same target and Host, and with the same decision whether to keep the connection unless there is a
 * Connection field. What percore-httpd rejects, the other one may accept: ours is meant to be
 * stricter. How strict it is, is checked separately, as the other one accepts bare LFs and folded
 * lines.
 */
#include <string.h>

#include <http_parser.h>

/* both define names for methods and so on; ours are enumerators that clash with theirs */
#define http_method  own_method
#define HTTP_DELETE  OWN_DELETE
#define HTTP_GET     OWN_GET
#define HTTP_HEAD    OWN_HEAD
#define HTTP_POST    OWN_POST
#define HTTP_PUT     OWN_PUT
#define HTTP_CONNECT OWN_CONNECT
#define HTTP_OPTIONS OWN_OPTIONS
#define HTTP_TRACE   OWN_TRACE
#define HTTP_PATCH   OWN_PATCH
#include "http_chunked.h"
#include "http_parse.h"
#include "http_target.h"

#include "fuzz.h"

static const struct http_limits limits = {.header_bytes = 4096, .target_bytes = 2048, .fields = 64};

/* what the other parser has found in a request */
struct other {
	char target[2100], name[4100], host[4100];
	size_t target_len, name_len, host_len;
	bool in_value, is_host, in_body, complete, keep;
};

static struct other *of(http_parser *p)
{
	return p->data;
}

static int on_target(http_parser *p, const char *at, size_t len)
{
	struct other *o = of(p);

	fuzz_check(o->target_len + len < sizeof(o->target));
	memcpy(o->target + o->target_len, at, len);
	o->target_len += len;
	return 0;
}

static int on_field(http_parser *p, const char *at, size_t len)
{
	struct other *o = of(p);

	if (o->in_value)
		o->name_len = 0;
	o->in_value = false;
	fuzz_check(o->name_len + len < sizeof(o->name));
	memcpy(o->name + o->name_len, at, len);
	o->name_len += len;
	return 0;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
	struct other *o = of(p);

	if (!o->in_value)
		o->is_host =
		    !o->in_body && o->name_len == 4 && strncasecmp(o->name, "host", 4) == 0;
	o->in_value = true;
	if (!o->is_host)
		return 0;
	fuzz_check(o->host_len + len < sizeof(o->host));
	memcpy(o->host + o->host_len, at, len);
	o->host_len += len;
	return 0;
}

static int on_header(http_parser *p)
{
	of(p)->in_body = true;
	return 0;
}

static int on_complete(http_parser *p)
{
	struct other *o = of(p);

	o->complete = true;
	o->keep = http_should_keep_alive(p) != 0;
	http_parser_pause(p, 1); /* the other parser must not read the next request */
	return 0;
}

/* Returns the end of the request's body, which follows its header; 0 if the body is incomplete or
 * invalid. */
static size_t end_of_body(const struct http_request *r, const char *p, size_t head, size_t len)
{
	struct http_chunked c;
	size_t used = 0;

	if (r->body == HTTP_BODY_NONE)
		return head;
	if (r->body == HTTP_BODY_LENGTH)
		return r->content_length <= len - head ? head + (size_t)r->content_length : 0;
	http_chunked_init(&c);
	if (http_chunked_read(&c, p + head, len - head, 100000, &used) != 0 ||
	    !http_chunked_done(&c))
		return 0;
	return head + used;
}

static bool has_line(const char *p, size_t len, const char *name, char not_next)
{
	const size_t n = strlen(name);

	for (size_t i = 0; i + n < len; i++)
		if (p[i] == '\n' && strncasecmp(p + i + 1, name, n) == 0 &&
		    p[i + 1 + n] != not_next)
			return true;
	return false;
}

static bool has_tab_about(const struct http_request *r, const char *p, enum http_field f)
{
	const struct http_span v = r->field[f];
	size_t before = v.off, after = v.off + v.len;

	if (!http_has(r, f))
		return false;
	while (p[before - 1] == ' ')
		before--;
	while (p[after] == ' ')
		after++;
	return p[before - 1] == '\t' || p[after] == '\t';
}

/* a tab in a field that determines the length of the body */
static bool has_tab(const struct http_request *r, const char *p)
{
	return has_tab_about(r, p, HTTP_TRANSFER_ENCODING) ||
	       has_tab_about(r, p, HTTP_CONTENT_LENGTH);
}

/* What the other parser gets wrong, or interprets where it has no meaning: it takes
 * "Transfer-Encodings:" for "Transfer-Encoding:", interprets trailers that look like length fields
 * (RFC 9110 section 6.5.1), and takes "chunked" followed by a tab for another coding; and it
 * rejects a tab after a Content-Length, which RFC 9110 section 5.6.3 allows (OWS), and after a
 * chunk size, which RFC 9112 section 7.1.1 allows (BWS). */
static bool is_odd(const struct http_request *r, const char *p, size_t head, size_t end)
{
	return has_tab(r, p) ||
	       (r->body == HTTP_BODY_CHUNKED && memchr(p + head, '\t', end - head) != NULL) ||
	       has_line(p, head, "transfer-encoding", ':') ||
	       has_line(p + head, end - head, "transfer-encoding", '\0') ||
	       has_line(p + head, end - head, "content-length", '\0') ||
	       has_line(p + head, end - head, "connection", '\0');
}

/* not comparable: methods that only one parser knows, CONNECT, whose body is undefined, and targets
 * that get a 400, which closes the connection */
static bool is_comparable(const struct http_request *r, const char *p, size_t head, size_t end)
{
	struct http_target t;

	return r->method != HTTP_OTHER && r->method != OWN_CONNECT && !is_odd(r, p, head, end) &&
	       http_target_split(p + r->target.off, r->target.len, &t) == 0;
}

static void compare(const struct http_request *r, const char *p, size_t end)
{
	static const http_parser_settings settings = {.on_url = on_target,
	                                              .on_header_field = on_field,
	                                              .on_header_value = on_value,
	                                              .on_headers_complete = on_header,
	                                              .on_message_complete = on_complete};
	static struct other o;
	http_parser parser;

	o = (struct other){0};
	http_parser_init(&parser, HTTP_REQUEST);
	parser.data = &o;
	(void)http_parser_execute(&parser, &settings, p, end - 1);
	fuzz_check(!o.complete && HTTP_PARSER_ERRNO(&parser) == HPE_OK);
	(void)http_parser_execute(&parser, &settings, p + end - 1, 1);
	fuzz_check(o.complete);
	fuzz_check(o.target_len == r->target.len &&
	           memcmp(o.target, p + r->target.off, o.target_len) == 0);
	/* the other parser takes "closed" for "close", among others */
	fuzz_check(http_has(r, HTTP_CONNECTION) || o.keep == http_keep_alive(r));
	if (!http_has(r, HTTP_HOST))
		return;
	while (o.host_len > 0 && (o.host[o.host_len - 1] == ' ' || o.host[o.host_len - 1] == '\t'))
		o.host_len--;
	fuzz_check(o.host_len == r->field[HTTP_HOST].len &&
	           memcmp(o.host, p + r->field[HTTP_HOST].off, o.host_len) == 0);
}

/* ---- what all recipients read alike ---------------------------------------------------------- */

static bool is_name_byte(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Checks a field line: a name of token bytes directly followed by a colon, and no control
 * characters (RFC 9112 section 5.1, 5.2). Counts fields that determine the length of the body. */
static void check_line(const char *p, size_t len, unsigned *lengths, unsigned *codings)
{
	size_t name = 0;

	while (name < len && is_name_byte(p[name]))
		name++;
	fuzz_check(name > 0 && name < len && p[name] == ':');
	for (size_t i = name; i < len; i++)
		fuzz_check(p[i] == '\t' || ((uint8_t)p[i] >= 0x20 && p[i] != 0x7f));
	*lengths += name == 14 && strncasecmp(p, "content-length", 14) == 0;
	*codings += name == 17 && strncasecmp(p, "transfer-encoding", 17) == 0;
}

/* Every line of an accepted header must end in CR LF and not begin with white space, and at most
 * one field may determine the length of the body. */
static void check_strict(const struct http_request *r, const char *p, size_t head)
{
	const char *line = p + r->request_line.off + r->request_line.len, *end = p + head - 2,
	           *next;
	unsigned lengths = 0, codings = 0;

	fuzz_check(line[0] == '\r' && line[1] == '\n' && end[0] == '\r' && end[1] == '\n');
	for (line += 2; line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		fuzz_check(next != NULL && next > line && next[-1] == '\r');
		check_line(line, (size_t)(next - line) - 1, &lengths, &codings);
	}
	fuzz_check(lengths + codings <= 1);
	fuzz_check((r->body == HTTP_BODY_CHUNKED) == (codings == 1));
	fuzz_check(r->body != HTTP_BODY_LENGTH || lengths == 1);
}

/* ---- requests made of pieces ----------------------------------------------------------------- */

/* An input that begins with this byte is a list of pieces: ambiguous requests are found sooner by
 * combining these than from random bytes. */
#define PIECES '\1'

static const struct {
	const char *text;
	uint8_t len;
} piece[] = {
#define PIECE(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
    PIECE("GET / HTTP/1.1\r\nHost: a\r\n"),
    PIECE("POST /x HTTP/1.1\r\nHost: a\r\n"),
    PIECE("POST /x HTTP/1.0\r\n"),
    PIECE("Content-Length: "),
    PIECE("Content-Length"),
    PIECE("Content_Length: "),
    PIECE("Transfer-Encoding: "),
    PIECE("Transfer-Encoding"),
    PIECE("chunked"),
    PIECE("Chunked"),
    PIECE("identity"),
    PIECE("gzip"),
    PIECE("\r\n"),
    PIECE("\r\n\r\n"),
    PIECE("\n"),
    PIECE("\n\n"),
    PIECE("\r"),
    PIECE("\r\r\n"),
    PIECE("\r\n "),
    PIECE("\r\n\t"),
    PIECE(" "),
    PIECE("\t"),
    PIECE("\v"),
    PIECE("\f"),
    PIECE("\0"),
    PIECE("\x7f"),
    PIECE("\x80"),
    PIECE("\xa0"),
    PIECE("\xef\xbb\xbf"),
    PIECE(":"),
    PIECE(" :"),
    PIECE(": "),
    PIECE(","),
    PIECE(", "),
    PIECE(";"),
    PIECE(";a=b"),
    PIECE(";a=\"b\r\nc\""),
    PIECE("="),
    PIECE("\""),
    PIECE("0"),
    PIECE("1"),
    PIECE("5"),
    PIECE("05"),
    PIECE("+5"),
    PIECE("-5"),
    PIECE("0x5"),
    PIECE("5.0"),
    PIECE("A"),
    PIECE("f"),
    PIECE("_"),
    PIECE("18446744073709551615"),
    PIECE("18446744073709551621"),
    PIECE("4294967301"),
    PIECE("ffffffffffffffff"),
    PIECE("10000000000000005"),
    PIECE("000000000000005"),
    PIECE("0\r\n\r\n"),
    PIECE("0\r\n"),
    PIECE("5\r\nhello\r\n"),
    PIECE("5 \r\nhello\r\n"),
    PIECE("5\nhello\n"),
    PIECE("hello"),
    PIECE("Host: b"),
    PIECE("Host: a"),
    PIECE("Connection: close"),
    PIECE("Connection: Transfer-Encoding"),
    PIECE("Expect: 100-continue"),
    PIECE("Upgrade: h2c"),
    PIECE("X: y"),
    PIECE("http://a/"),
    PIECE("*"),
    PIECE("HTTP/1.1"),
    PIECE("HTTP/2.0"),
#undef PIECE
};

static size_t expand(const uint8_t *data, size_t size, char *to, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		const unsigned k = data[i] % (sizeof(piece) / sizeof(piece[0]));

		if (n + piece[k].len > room)
			break;
		memcpy(to + n, piece[k].text, piece[k].len);
		n += piece[k].len;
	}
	return n;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void read_requests(const char *p, size_t size)
{
	struct http_request r;
	size_t end = 0;
	int head;

	for (unsigned n = 0; n < 20 && size > 0; n++, p += end, size -= end) {
		http_request_init(&r);
		head = http_parse(&r, p, size, &limits);
		if (head <= 0)
			break;
		check_strict(&r, p, (size_t)head);
		end = end_of_body(&r, p, (size_t)head, size);
		if (end == 0)
			break;
		if (is_comparable(&r, p, (size_t)head, end))
			compare(&r, p, end);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[16384];

	if (size > 0 && data[0] == PIECES)
		read_requests(text, expand(data + 1, size - 1, text, sizeof(text)));
	else
		read_requests((const char *)data, size);
	return 0;
}
