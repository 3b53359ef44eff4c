/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_PLT_H
#define PORT_PLT_H

/** A function of whatever type; the caller sees to it that both ends agree. */
typedef void (*plt_function)(void);

/**
 * plt_redirect lets the calls of one function that a shared library makes go to another one.
 *
 * library is a part of the name of its file, function the name of the symbol. Calls that the library makes meanwhile
 * go to either; nobody else's calls change. Doing so again changes nothing. Returns 0; -ENOENT when no library of that
 * name is loaded, or it does not call the function; a negative errno when its table cannot be written.
 */
int plt_redirect(const char *library, const char *function, plt_function to);

#endif
