/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_MIME_H
#define HTTPD_MIME_H

/** mime_type returns the media type for a file name, by what follows its last dot; never NULL. */
const char *mime_type(const char *name);

#endif
