/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_HTTP_DATE_H
#define HTTPD_HTTP_DATE_H

/* HTTP-date (RFC 9110 section 5.6.7), by arithmetic only: no locale, time zone or system call. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_DATE_LEN 29 /**< "Sun, 06 Nov 1994 08:49:37 GMT" */

/** The parts of a point in time, in UTC. */
struct http_tm {
	int year;
	int month;   /**< 1 to 12 */
	int day;     /**< 1 to 31 */
	int weekday; /**< 0 is Sunday */
	int hour, minute, second;
};

extern const char http_month_names[12][4];

/** http_date_split returns the parts of a time in seconds since 1970; years 0 to 9999. */
void http_date_split(int64_t seconds, struct http_tm *tm);

/** http_date_format writes IMF-fixdate, HTTP_DATE_LEN bytes without NUL. */
void http_date_format(int64_t seconds, char out[HTTP_DATE_LEN]);

/**
 * http_date_parse reads all three forms: IMF-fixdate, RFC 850, asctime. A two-digit year is the
 * latest that does not lie more than 50 years after now. The weekday must be the name of a weekday,
 * but is not checked against the date. Returns false for anything else.
 */
bool http_date_parse(const char *p, size_t len, int64_t now, int64_t *seconds);

#endif
