/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * One file
 *
 * A copied file is one block of memory: struct file, the header fields, the contents, so that
 * header and body of a small response are adjacent.  The copy stays as it was read, whatever
 * happens to the file.  A larger file is mapped.  Writing to it in place changes what is sent under
 * the same ETag until the next scan of the root, and truncating it aborts the responses being sent
 * (map_guard.h); so replace files by renaming, as editors, rsync and package managers do.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "http_date.h"
#include "mime.h"

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool file_unchanged(const struct file *f, const struct stat *st)
{
	return f->dev == st->st_dev && f->ino == st->st_ino && f->size == (uint64_t)st->st_size &&
	       same_time(f->modified, st->st_mtim) && same_time(f->changed, st->st_ctim);
}

/* Writes the header fields of a 200 into head, which has room for FILE_HEAD_MAX bytes. */
static void write_head(struct file *f, char *head, const char *name)
{
	char date[HTTP_DATE_LEN + 1] = "", etag[64];
	int n;

	http_date_format(f->mtime, date);
	f->etag_len = (uint16_t)snprintf(etag, sizeof(etag), "\"%llx-%llx\"",
	                                 (unsigned long long)f->modified.tv_sec * 1000000000 +
	                                     (unsigned long long)f->modified.tv_nsec,
	                                 (unsigned long long)f->size);
	n = snprintf(head, FILE_HEAD_MAX, "Content-Type: %s\r\n", mime_type(name));
	f->validators_off = (uint16_t)n;
	f->etag_off = (uint16_t)(n + (int)strlen("Last-Modified: \r\nETag: ") + HTTP_DATE_LEN);
	n += snprintf(head + n, FILE_HEAD_MAX - (size_t)n,
	              "Last-Modified: %s\r\nETag: %s\r\nAccept-Ranges: bytes\r\n", date, etag);
	f->common_len = (uint16_t)n;
	n += snprintf(head + n, FILE_HEAD_MAX - (size_t)n, "Content-Length: %llu\r\n\r\n",
	              (unsigned long long)f->size);
	f->head_len = (uint16_t)n;
	f->head = head;
}

/* RFC 9110 section 8.8.2.1: Last-Modified must not lie in the future. */
static struct file *new_file(const struct stat *st, size_t body_bytes)
{
	struct file *f = calloc(1, sizeof(*f) + FILE_HEAD_MAX + body_bytes);
	const time_t now = time(NULL);

	if (f == NULL)
		return NULL;
	f->kind = FILE_REGULAR;
	f->mtime = st->st_mtim.tv_sec < now ? st->st_mtim.tv_sec : now;
	f->size = (uint64_t)st->st_size;
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	f->modified = st->st_mtim;
	f->changed = st->st_ctim;
	return f;
}

/* Reads up to len bytes. Returns how many it read, or -1 with errno. */
static ssize_t read_all(int fd, char *p, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, p + done, len - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static struct file *copy_file(int fd, const struct stat *st, const char *name)
{
	struct file *f = new_file(st, (size_t)st->st_size);
	char head[FILE_HEAD_MAX], *body;
	ssize_t n;

	if (f == NULL)
		return NULL;
	body = (char *)(f + 1) + FILE_HEAD_MAX;
	n = read_all(fd, body, f->size);
	if (n < 0) {
		free(f);
		return NULL;
	}
	f->size = (uint64_t)n;
	write_head(f, head, name);
	f->head = memcpy(body - f->head_len, head, f->head_len);
	f->body = body;
	return f;
}

static struct file *map_file(int fd, const struct stat *st, const char *name, uint64_t *preload)
{
	const bool populate = (uint64_t)st->st_size <= *preload;
	struct file *f = new_file(st, 0);
	void *p;

	if (f == NULL)
		return NULL;
	p = mmap(NULL, f->size, PROT_READ, MAP_SHARED | (populate ? MAP_POPULATE : 0), fd, 0);
	if (p == MAP_FAILED) {
		free(f);
		return NULL;
	}
	if (populate)
		*preload -= f->size;
	f->body = p;
	f->mapped_bytes = f->size;
	write_head(f, (char *)(f + 1), name);
	return f;
}

struct file *file_open(int fd, const struct stat *st, const char *name, uint64_t copy_bytes,
                       uint64_t *preload)
{
	if ((uint64_t)st->st_size <= copy_bytes)
		return copy_file(fd, st, name);
	return map_file(fd, st, name, preload);
}

void file_free(struct file *f)
{
	if (f->mapped_bytes > 0)
		munmap((void *)(uintptr_t)f->body, f->mapped_bytes);
	free(f);
}
