/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_chunked.h"

#include "http_char.h"

#define SIZE_DIGITS_MAX 15

enum state {
	SIZE,       /* hexadecimal digits */
	SIZE_SPACE, /* white space before ';' */
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER, /* at the beginning of a line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF,
	DONE,
};

void http_chunked_init(struct http_chunked *c)
{
	*c = (struct http_chunked){.state = SIZE};
}

bool http_chunked_done(const struct http_chunked *c)
{
	return c->state == DONE;
}

static bool is_control(char c)
{
	return ((uint8_t)c < 0x20 && c != '\t') || c == 0x7f;
}

/* At the LF of a size line. Size 0 is the last chunk; the trailer follows. */
static int begin_chunk(struct http_chunked *c, uint64_t max_data)
{
	if (c->left > max_data - c->data)
		return 413;
	c->data += c->left;
	c->digits = 0;
	c->state = c->left > 0 ? DATA : TRAILER;
	return 0;
}

static int size_byte(struct http_chunked *c, char b)
{
	int digit = http_hex_value(b);

	if (digit >= 0 && c->digits < SIZE_DIGITS_MAX) {
		c->left = c->digits++ == 0 ? (uint64_t)digit : c->left * 16 + (uint64_t)digit;
		return 0;
	}
	if (c->digits == 0 || digit >= 0)
		return 400;
	if (b == '\r')
		c->state = SIZE_LF;
	else if (b == ';')
		c->state = EXTENSION;
	else if (b == ' ' || b == '\t')
		c->state = SIZE_SPACE;
	else
		return 400;
	return 0;
}

/* After the size: "BWS ; anything" up to CR (RFC 9112 section 7.1.1). */
static int extension_byte(struct http_chunked *c, char b)
{
	if (c->state == SIZE_SPACE) {
		if (b == ';')
			c->state = EXTENSION;
		else if (b != ' ' && b != '\t')
			return 400;
	} else if (b == '\r') {
		c->state = SIZE_LF;
	} else if (is_control(b)) {
		return 400;
	}
	return 0;
}

static int trailer_byte(struct http_chunked *c, char b)
{
	switch (c->state) {
	case TRAILER:
		if (b == '\r')
			c->state = END_LF;
		else if (http_char_is(b, HTTP_CHAR_TOKEN))
			c->state = TRAILER_NAME;
		else
			return 400;
		return 0;
	case TRAILER_NAME:
		if (b == ':')
			c->state = TRAILER_VALUE;
		else if (!http_char_is(b, HTTP_CHAR_TOKEN))
			return 400;
		return 0;
	default:
		if (b == '\r')
			c->state = TRAILER_LF;
		else if (is_control(b))
			return 400;
		return 0;
	}
}

/* Where only one byte is allowed; next is the state after it. */
static int expect_byte(struct http_chunked *c, char b, char wanted, enum state next)
{
	c->state = (uint8_t)next;
	return b == wanted ? 0 : 400;
}

static int framing_byte(struct http_chunked *c, char b, uint64_t max_data)
{
	switch ((enum state)c->state) {
	case SIZE:
		return size_byte(c, b);
	case SIZE_LF:
		return b == '\n' ? begin_chunk(c, max_data) : 400;
	case DATA_CR:
		return expect_byte(c, b, '\r', DATA_LF);
	case DATA_LF:
		return expect_byte(c, b, '\n', SIZE);
	case TRAILER_LF:
		return expect_byte(c, b, '\n', TRAILER);
	case END_LF:
		return expect_byte(c, b, '\n', DONE);
	case SIZE_SPACE:
	case EXTENSION:
		return ++c->overhead > HTTP_CHUNKED_OVERHEAD_MAX ? 431 : extension_byte(c, b);
	default:
		return ++c->overhead > HTTP_CHUNKED_OVERHEAD_MAX ? 431 : trailer_byte(c, b);
	}
}

int http_chunked_read(struct http_chunked *c, const char *p, size_t len, uint64_t max_data,
                      size_t *used)
{
	size_t i = 0;
	int status = 0;

	while (i < len && c->state != DONE && status == 0) {
		if (c->state == DATA) {
			uint64_t n = len - i < c->left ? len - i : c->left;

			i += n;
			c->left -= n;
			if (c->left == 0)
				c->state = DATA_CR;
		} else {
			status = framing_byte(c, p[i++], max_data);
		}
	}
	*used = i;
	return status;
}
