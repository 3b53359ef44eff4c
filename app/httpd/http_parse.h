/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_HTTP_PARSE_H
#define HTTPD_HTTP_PARSE_H

/*
 * A parser for the header of an HTTP/1.x request (RFC 9112).
 *
 * The parser allocates nothing and refers to the caller's bytes by offsets, so that they may move
 * between two calls.  It works line by line and remembers how far it has searched, so a header that
 * arrives byte by byte costs no more than one that arrives at once, and the result is the same
 * however the bytes were split.  It examines at most limits->header_bytes bytes.
 *
 * It is strict where leniency would allow request smuggling: a line must end in CR LF, there is one
 * space where the grammar has one, folded lines are refused.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes in the caller's buffer; off is relative to the first byte of the request. */
struct http_span {
	uint16_t off, len;
};

enum http_method {
	HTTP_NO_METHOD, /**< not known yet */
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_CONNECT,
	HTTP_OPTIONS,
	HTTP_TRACE,
	HTTP_PATCH,
	HTTP_OTHER, /**< a token that is not a method of RFC 9110 or RFC 5789 */
};

/** The fields that are used, in order of the length of their names. */
#define HTTP_FIELDS(X)                            \
	X(HOST, "host")                           \
	X(RANGE, "range")                         \
	X(EXPECT, "expect")                       \
	X(REFERER, "referer")                     \
	X(IF_MATCH, "if-match")                   \
	X(IF_RANGE, "if-range")                   \
	X(CONNECTION, "connection")               \
	X(USER_AGENT, "user-agent")               \
	X(IF_NONE_MATCH, "if-none-match")         \
	X(CONTENT_LENGTH, "content-length")       \
	X(TRANSFER_ENCODING, "transfer-encoding") \
	X(IF_MODIFIED_SINCE, "if-modified-since") \
	X(IF_UNMODIFIED_SINCE, "if-unmodified-since")

enum http_field {
#define HTTP_FIELD_ID(id, name) HTTP_##id,
	HTTP_FIELDS(HTTP_FIELD_ID)
#undef HTTP_FIELD_ID
	    HTTP_FIELD_MAX
};

enum http_body {
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH,  /**< content_length bytes, more than 0 */
	HTTP_BODY_CHUNKED, /**< RFC 9112 section 7.1 */
};

/** Methods longer than this are refused with 501 (RFC 9112 section 3). */
#define HTTP_METHOD_LEN_MAX 32

struct http_limits {
	uint16_t
	    header_bytes; /**< request line, fields and the empty line together; at most 32768 */
	uint16_t target_bytes; /**< at most header_bytes - 64 */
	uint16_t fields;       /**< field lines */
};

/** A request header, while it is parsed and afterwards. */
struct http_request {
	/* progress */
	uint16_t line; /**< where the incomplete line begins */
	uint16_t scan; /**< where to resume the search for its end */
	uint16_t nb_fields;
	bool in_fields; /**< the request line is done */
	/* result */
	uint8_t method;                /**< enum http_method */
	uint8_t minor;                 /**< HTTP/1.<minor>; 1 stands for every later one too */
	uint8_t body;                  /**< enum http_body */
	bool want_close;               /**< Connection: close */
	bool want_keep;                /**< Connection: keep-alive */
	bool expect_100;               /**< Expect: 100-continue */
	bool expect_other;             /**< an expectation that cannot be met */
	uint16_t seen;                 /**< bit 1 << field: the field is present */
	uint16_t repeated;             /**< bit 1 << field: more than once; field[] has the first */
	struct http_span request_line; /**< without CR LF */
	struct http_span target;
	uint64_t content_length;                /**< UINT64_MAX for numbers that do not fit */
	struct http_span field[HTTP_FIELD_MAX]; /**< values, trimmed; valid if seen */
};

/** http_request_init prepares r for the first byte of a request. */
void http_request_init(struct http_request *r);

/**
 * http_parse continues to parse the request that begins at p, of which len bytes have arrived.
 *
 * r was prepared by http_request_init before the first call for this request. p may differ between
 * calls, but the bytes must be the same, and len must not decrease. Returns the length of the
 * header in bytes, in [1,header_bytes], if it is complete; 0 if more bytes are needed; or -status
 * if the request must be refused with that status and the connection closed: 400, 414, 431, 501 or
 * 505. After a refusal r->method is valid unless it is HTTP_NO_METHOD.
 */
int http_parse(struct http_request *r, const char *p, size_t len, const struct http_limits *limits);

/** http_has says whether the field is present. */
static inline bool http_has(const struct http_request *r, enum http_field f)
{
	return r->seen >> f & 1;
}

/**
 * http_next_field iterates over the values of all lines of one field in the complete header at p.
 * *at is 0 for the first call. Returns false if there are no more.
 */
bool http_next_field(const struct http_request *r, const char *p, enum http_field f, uint16_t *at,
                     struct http_span *value);

/**
 * http_keep_alive says whether the connection persists after this request (RFC 9112 section 9.3).
 */
static inline bool http_keep_alive(const struct http_request *r)
{
	return !r->want_close && (r->minor > 0 || r->want_keep);
}

#endif
