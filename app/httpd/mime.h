/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_MIME_H
#define HTTPD_MIME_H

/** mime_type returns the media type for a file name, by its extension; never NULL. */
const char *mime_type(const char *name);

#endif
