/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_date.h"

#include <string.h>

#define DAY_SECONDS 86400

const char http_month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static const char weekdays[7][10] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                     "Thursday", "Friday", "Saturday"};

/* Days from 1970 to a date of the Gregorian calendar. Years begin in March here, so that a leap day
 * is the last day of its year; any 400 years have 146097 days. */
static int64_t days_from_date(int year, int month, int day)
{
	const int y = month <= 2 ? year - 1 : year;
	const int era = (y >= 0 ? y : y - 399) / 400, year_of_era = y - era * 400;
	const int day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
	const int day_of_era =
	    year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return (int64_t)era * 146097 + day_of_era - 719468;
}

void http_date_split(int64_t seconds, struct http_tm *tm)
{
	int64_t days = seconds / DAY_SECONDS, rest = seconds % DAY_SECONDS, shifted, era;
	int day_of_era, year_of_era, day_of_year, month;

	if (rest < 0) {
		rest += DAY_SECONDS;
		days--;
	}
	shifted = days + 719468;
	era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	day_of_era = (int)(shifted - era * 146097);
	year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	tm->day = day_of_year - (153 * month + 2) / 5 + 1;
	tm->month = month < 10 ? month + 3 : month - 9;
	tm->year = (int)(year_of_era + era * 400) + (tm->month <= 2);
	tm->weekday = (int)((days % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
	tm->hour = (int)(rest / 3600);
	tm->minute = (int)(rest / 60 % 60);
	tm->second = (int)(rest % 60);
}

static void put2(char *p, int n)
{
	p[0] = (char)('0' + n / 10 % 10);
	p[1] = (char)('0' + n % 10);
}

void http_date_format(int64_t seconds, char out[HTTP_DATE_LEN])
{
	struct http_tm tm;

	http_date_split(seconds, &tm);
	memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", HTTP_DATE_LEN);
	memcpy(out, weekdays[tm.weekday], 3);
	put2(out + 5, tm.day);
	memcpy(out + 8, http_month_names[tm.month - 1], 3);
	put2(out + 12, tm.year / 100);
	put2(out + 14, tm.year % 100);
	put2(out + 17, tm.hour);
	put2(out + 20, tm.minute);
	put2(out + 23, tm.second);
}

/* A position in the text; ok becomes false, and stays so, at the first mismatch. */
struct cursor {
	const char *p, *end;
	bool ok;
};

static void take(struct cursor *c, const char *text)
{
	const size_t n = strlen(text);

	if (!c->ok || (size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
		c->ok = false;
	else
		c->p += n;
}

static int take_number(struct cursor *c, int digits)
{
	int n = 0;

	if (!c->ok || c->end - c->p < digits)
		c->ok = false;
	for (int i = 0; c->ok && i < digits; i++, c->p++) {
		if (*c->p < '0' || *c->p > '9')
			c->ok = false;
		n = n * 10 + (*c->p - '0');
	}
	return n;
}

static int take_month(struct cursor *c)
{
	for (int i = 0; c->ok && c->end - c->p >= 3 && i < 12; i++) {
		if (memcmp(c->p, http_month_names[i], 3) == 0) {
			c->p += 3;
			return i + 1;
		}
	}
	c->ok = false;
	return 1;
}

static void take_time(struct cursor *c, struct http_tm *tm)
{
	tm->hour = take_number(c, 2);
	take(c, ":");
	tm->minute = take_number(c, 2);
	take(c, ":");
	tm->second = take_number(c, 2);
}

/* "06 Nov 1994 08:49:37 GMT" */
static void take_fixdate(struct cursor *c, struct http_tm *tm)
{
	tm->day = take_number(c, 2);
	take(c, " ");
	tm->month = take_month(c);
	take(c, " ");
	tm->year = take_number(c, 4);
	take(c, " ");
	take_time(c, tm);
	take(c, " GMT");
}

/* "06-Nov-94 08:49:37 GMT"; RFC 9110 section 5.6.7: more than 50 years ahead means the past. */
static void take_rfc850(struct cursor *c, struct http_tm *tm, int64_t now)
{
	struct http_tm today;

	http_date_split(now, &today);
	tm->day = take_number(c, 2);
	take(c, "-");
	tm->month = take_month(c);
	take(c, "-");
	tm->year = take_number(c, 2) + today.year / 100 * 100;
	if (tm->year > today.year + 50)
		tm->year -= 100;
	else if (tm->year <= today.year - 50)
		tm->year += 100;
	take(c, " ");
	take_time(c, tm);
	take(c, " GMT");
}

/* "Nov  6 08:49:37 1994" */
static void take_asctime(struct cursor *c, struct http_tm *tm)
{
	tm->month = take_month(c);
	take(c, " ");
	if (c->ok && c->p < c->end && *c->p == ' ') {
		c->p++;
		tm->day = take_number(c, 1);
	} else {
		tm->day = take_number(c, 2);
	}
	take(c, " ");
	take_time(c, tm);
	take(c, " ");
	tm->year = take_number(c, 4);
}

static bool is_date(const struct http_tm *tm)
{
	static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const bool leap = tm->year % 4 == 0 && (tm->year % 100 != 0 || tm->year % 400 == 0);

	return tm->day >= 1 && tm->day <= days[tm->month - 1] + (leap && tm->month == 2) &&
	       tm->hour < 24 && tm->minute < 60 && tm->second <= 60;
}

/* Returns how many letters of a weekday's name p begins with: 3, all of them, or 0. */
static size_t weekday_len(const char *p, size_t len)
{
	for (int i = 0; i < 7; i++) {
		size_t whole = strlen(weekdays[i]);

		if (len > whole && memcmp(p, weekdays[i], whole) == 0)
			return whole;
		if (len > 3 && memcmp(p, weekdays[i], 3) == 0)
			return 3;
	}
	return 0;
}

bool http_date_parse(const char *p, size_t len, int64_t now, int64_t *seconds)
{
	const size_t name = weekday_len(p, len);
	struct cursor c = {p + name, p + len, name != 0};
	struct http_tm tm = {.month = 1};

	if (name > 3) {
		take(&c, ", ");
		take_rfc850(&c, &tm, now);
	} else if (c.ok && *c.p == ',') {
		take(&c, ", ");
		take_fixdate(&c, &tm);
	} else {
		take(&c, " ");
		take_asctime(&c, &tm);
	}
	if (!c.ok || c.p != c.end || !is_date(&tm))
		return false;
	*seconds = days_from_date(tm.year, tm.month, tm.day) * DAY_SECONDS +
	           tm.hour * INT64_C(3600) + tm.minute * INT64_C(60) + tm.second;
	return true;
}
