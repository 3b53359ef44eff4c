/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_ACCESS_FORMAT_H
#define HTTPD_ACCESS_FORMAT_H

/* One line of an access log in the Combined Log Format. */

#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>

/** Text that a record keeps: request line, Referer and User-Agent, each cut at a third of it. */
#define ACCESS_TEXT_MAX 960

/** What is known about one request. */
struct access_record {
	int64_t time;   /**< seconds since 1970 */
	uint64_t bytes; /**< of the body */
	struct pc_addr addr;
	uint16_t status;
	uint16_t line_len, referer_len, agent_len;
	char text[ACCESS_TEXT_MAX]; /**< the three one after the other */
};

/** Room for any line: every byte of text may become four. */
#define ACCESS_LINE_MAX (ACCESS_TEXT_MAX * 4 + 256)

/** access_format writes a record as a line with its final newline. Returns its length. */
size_t access_format(const struct access_record *r, char line[ACCESS_LINE_MAX]);

#endif
