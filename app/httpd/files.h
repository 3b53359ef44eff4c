/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_FILES_H
#define HTTPD_FILES_H

/*
 * The files below a document root, ready to be sent.
 *
 * Everything that takes system calls (walking, opening, mapping) happens when a table is made;
 * after that, a file is found by a hash of its normalised path.  A table never changes, so any
 * number of lcores may read it.  When the root changes, a new table is made, which shares the
 * unchanged files with the old one (see site.h).
 *
 * A table contains regular files, and directories by their index.html.  Names that begin with a dot
 * are omitted, except for /.well-known (RFC 8615).  A symbolic link is followed if its target is
 * below the root.  A file without read permission is listed as FILE_FORBIDDEN, one that the system
 * fails to read as FILE_UNREADABLE.  If the system fails to read a directory, no table is made,
 * because there is no telling what would be missing.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct stat;

enum file_kind {
	FILE_REGULAR,
	FILE_DIRECTORY,  /**< requested without the final '/': 301 */
	FILE_FORBIDDEN,  /**< 403: no permission to read it, or a directory without index.html */
	FILE_UNREADABLE, /**< 503: the system failed to read it; the next rescan tries again */
};

/** A file, or what stands for a path that has none (kind). */
struct file {
	enum file_kind kind;
	uint16_t head_len;       /**< bytes of head */
	uint16_t validators_off; /**< in head: the lines from Last-Modified on, for 304 */
	uint16_t common_len;     /**< in head: the lines before Content-Length, for 206 */
	uint16_t etag_off, etag_len;
	int64_t mtime; /**< of Last-Modified: seconds since 1970, not in the future */
	uint64_t size;
	const char *head; /**< the fields of a 200, from Content-Type to the empty line */
	const char *body; /**< size bytes; directly after head if the file was copied */
	/** Unfinished responses that use the file. */
	atomic_uint refs;
	/** The file was truncated while mapped: it is not sent any more. */
	atomic_bool broken;
	/** Tables that hold it; only the thread that makes tables uses this and what follows. */
	unsigned tables;
	/* to detect changes of the file, and to unmap it */
	dev_t dev;
	ino_t ino;
	struct timespec modified, changed;
	size_t mapped_bytes;
	struct file *next_retired;
};

/** Room for the fields of a file. */
#define FILE_HEAD_MAX 512

struct files;

struct files_config {
	const char *root;       /**< a directory; NULL: no files at all */
	uint64_t max_files;     /**< more files and directories are an error */
	uint64_t copy_bytes;    /**< files up to this size are copied, larger ones mapped */
	uint64_t preload_bytes; /**< mapped files are read in advance up to this total */
};

/**
 * files_load walks the root and makes a table. Files unchanged since previous (may be NULL) are
 * taken from there. Returns NULL with a one-line error message in why.
 */
struct files *files_load(const struct files_config *config, const struct files *previous, char *why,
                         size_t why_len);

/**
 * files_unload frees a table that has no readers any more. Files that are in no other table are put
 * on the list at *retired (linked by next_retired); each may be freed once its refs are 0.
 */
void files_unload(struct files *files, struct file **retired);

/** files_same says whether two tables hold the same paths and files. */
bool files_same(const struct files *a, const struct files *b);

/** files_count returns how many regular files there are, and the sum of their sizes in *bytes. */
size_t files_count(const struct files *files, uint64_t *bytes);

/** files_find looks up a normalised path. Returns NULL if there is nothing of that name. */
const struct file *files_find(const struct files *files, const char *path, size_t len);

/** file_hold takes, file_release drops a reference: for a response that outlasts the turn. */
static inline void file_hold(const struct file *f)
{
	atomic_fetch_add_explicit(&((struct file *)(uintptr_t)f)->refs, 1, memory_order_relaxed);
}

static inline void file_release(const struct file *f)
{
	atomic_fetch_sub_explicit(&((struct file *)(uintptr_t)f)->refs, 1, memory_order_release);
}

/** file_break marks a file as broken; file_is_broken says whether it is. */
static inline void file_break(const struct file *f)
{
	atomic_store_explicit(&((struct file *)(uintptr_t)f)->broken, true, memory_order_relaxed);
}

static inline bool file_is_broken(const struct file *f)
{
	return atomic_load_explicit(&f->broken, memory_order_relaxed);
}

/**
 * file_open makes a file from a descriptor of a regular file and its st; name determines the media
 * type. A file of up to copy_bytes is copied, a larger one mapped. If the size of a mapped file
 * fits into *preload, it is deducted and the file is read in advance. fd stays open. Returns NULL
 * with errno.
 */
struct file *file_open(int fd, const struct stat *st, const char *name, uint64_t copy_bytes,
                       uint64_t *preload);

/** file_unchanged says whether st still describes the file that f was made from. */
bool file_unchanged(const struct file *f, const struct stat *st);

/** file_free unmaps and frees a file that is not in use. */
void file_free(struct file *f);

#endif
