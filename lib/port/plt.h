/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_PLT_H
#define PORT_PLT_H

/** A function of any type; the caller must make sure that the types match. */
typedef void (*plt_function)(void);

/**
 * plt_redirect redirects a shared library's calls of one function to another.
 *
 * library is a part of its file name, function the name of the symbol. Calls that the library makes
 * meanwhile may go to either function; calls from elsewhere are unaffected. Repeating it changes
 * nothing. Returns 0; -ENOENT if no library of that name is loaded, or it does not call the
 * function; a negative errno if its table cannot be written.
 */
int plt_redirect(const char *library, const char *function, plt_function to);

#endif
