/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_ACCESS_FORMAT_H
#define HTTPD_ACCESS_FORMAT_H

/* One line of an access log in the Combined Log Format. */

#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>

/** Bytes of text in a record: request line, Referer, User-Agent, each truncated to a third. */
#define ACCESS_TEXT_MAX 960

/** One request, as it is logged. */
struct access_record {
	int64_t time;   /**< seconds since 1970 */
	uint64_t bytes; /**< of the body */
	struct pc_addr addr;
	uint16_t status;
	uint16_t line_len, referer_len, agent_len;
	char text[ACCESS_TEXT_MAX]; /**< request line, Referer, User-Agent, back to back */
};

/** Room for any line: escaping may turn every byte of text into four. */
#define ACCESS_LINE_MAX (ACCESS_TEXT_MAX * 4 + 256)

/** access_format formats a record as a line, newline included. Returns the line's length. */
size_t access_format(const struct access_record *r, char line[ACCESS_LINE_MAX]);

#endif
