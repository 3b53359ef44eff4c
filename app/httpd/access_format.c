/* SPDX-License-Identifier: BSD-2-Clause */
#include "access_format.h"

#include <stdio.h>
#include <string.h>

#include "http_date.h"

/*
 * Escapes quotes, backslashes and unprintable bytes as \xHH, so that a record is always one line.
 */
static char *put_quoted(char *out, const char *p, size_t len)
{
	static const char hex[] = "0123456789abcdef";

	*out++ = '"';
	if (len == 0)
		*out++ = '-';
	for (size_t i = 0; i < len; i++) {
		const uint8_t c = (uint8_t)p[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			*out++ = (char)c;
			continue;
		}
		*out++ = '\\';
		*out++ = 'x';
		*out++ = hex[c >> 4];
		*out++ = hex[c & 15];
	}
	*out++ = '"';
	return out;
}

size_t access_format(const struct access_record *r, char line[ACCESS_LINE_MAX])
{
	char addr[PC_ADDR_STRLEN], *out = line;
	const char *text = r->text;
	struct http_tm tm;

	http_date_split(r->time, &tm);
	out += sprintf(out, "%s - - [%02d/%s/%04d:%02d:%02d:%02d +0000] ",
	               pc_addr_format(&r->addr, addr), tm.day, http_month_names[tm.month - 1],
	               tm.year, tm.hour, tm.minute, tm.second);
	out = put_quoted(out, text, r->line_len);
	out += sprintf(out, " %u %llu ", r->status, (unsigned long long)r->bytes);
	text += r->line_len;
	out = put_quoted(out, text, r->referer_len);
	*out++ = ' ';
	text += r->referer_len;
	out = put_quoted(out, text, r->agent_len);
	*out++ = '\n';
	return (size_t)(out - line);
}
