/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_HTTP_TARGET_H
#define HTTPD_HTTP_TARGET_H

/* Request targets (RFC 9112 section 3.2), hosts and paths (RFC 3986). */

#include <stdbool.h>
#include <stddef.h>

/** A target's parts; they point into the target. */
struct http_target {
	const char *path; /**< begins with '/' */
	size_t path_len;
	const char *query; /**< without '?'; NULL if there is none */
	size_t query_len;
};

/** http_host_valid says whether a value is uri-host [ ":" port ] with a non-empty host. */
bool http_host_valid(const char *p, size_t len);

/**
 * http_target_split finds the path and query of a target in origin-form or absolute-form (schemes
 * http and https). Returns 0, or 400 for anything else.
 */
int http_target_split(const char *p, size_t len, struct http_target *t);

/**
 * http_path_normalise decodes a path once and removes dot segments (RFC 3986 section 5.2.4) and
 * empty segments; the result begins with '/' and has no "." or ".." segment, so it never leads
 * above the root.
 *
 * A path that is already normal is not copied: *out is then path, else buf, which has room for len
 * bytes. Returns 0; 400 for a '%' without two hexadecimal digits or for an encoded control
 * character; or 404 for an encoded '/', which no file has in its name.
 */
int http_path_normalise(const char *path, size_t len, char *buf, const char **out, size_t *out_len);

#endif
