/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The table of files
 *
 * Overview: walking the root appends a slot for each path that can be requested: a file under its
 * own path, a directory under "/dir" (which redirects to "/dir/") and "/dir/" (its index.html).  At
 * the end the slots are put into an open-addressing hash table of at least twice their number.
 *
 * Ownership: a table owns its slots' paths.  Files are shared between tables and counted.  Whether
 * something is inside the root is decided for its open descriptor, by the name that the kernel has
 * for it, so that no rename in between can lead outside.
 */

#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path_hash.h"

#define DEPTH_MAX 64
#define INDEX     "index.html"

struct slot {
	uint64_t hash;
	char *path;
	const struct file *file;
	uint32_t len;
};

struct files {
	struct slot *slots; /* an array while it grows, then a hash table of mask + 1 */
	size_t nb_slots, room, mask;
	size_t nb_files;
	uint64_t bytes;
	struct hash_mix_key key;
};

/* A directory on the path from the root, to detect links that lead back up. */
struct level {
	const struct level *up;
	dev_t dev;
	ino_t ino;
	unsigned depth;
};

struct walk {
	const struct files_config *config;
	const struct files *previous;
	struct files *out;
	uint64_t preload;
	uint64_t nb_entries; /* so far: files and directories */
	size_t root_len;
	char root[PATH_MAX]; /* as the kernel names it */
	char path[PATH_MAX]; /* of the current entry, from the root */
	size_t path_len;
	char *why;
	size_t why_len;
};

static const struct file directory = {.kind = FILE_DIRECTORY};
static const struct file forbidden = {.kind = FILE_FORBIDDEN};
static const struct file unreadable = {.kind = FILE_UNREADABLE};

__attribute__((format(printf, 2, 3))) static int fail(struct walk *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(w->why, w->why_len, format, ap);
	va_end(ap);
	return -1;
}

/*
 * An error that says nothing about the file: the disk failed, or this process is out of resources.
 */
static bool is_trouble(int error)
{
	return error == EIO || error == ESTALE || error == EMFILE || error == ENFILE ||
	       error == ENOMEM;
}

static int fail_to_read(struct walk *w)
{
	const int error = errno;

	return fail(w, "cannot read %s%s: %s", w->root, w->path, strerror(error));
}

static bool grow(struct files *f)
{
	const size_t room = f->room == 0 ? 256 : f->room * 2;
	struct slot *slots = realloc(f->slots, room * sizeof(*slots));

	if (slots == NULL)
		return false;
	f->slots = slots;
	f->room = room;
	return true;
}

/* Adds the current path with suffix. If it is a real file, the table takes a reference to it. */
static int add_slot(struct walk *w, const char *suffix, const struct file *file)
{
	struct files *f = w->out;
	const size_t len = w->path_len + strlen(suffix);
	char *path = malloc(len + 1);

	if (path == NULL || (f->nb_slots == f->room && !grow(f))) {
		free(path);
		return fail(w, "not enough memory for the files below %s", w->root);
	}
	memcpy(path, w->path, w->path_len);
	strcpy(path + w->path_len, suffix);
	f->slots[f->nb_slots++] =
	    (struct slot){path_hash(&f->key, path, len), path, file, (uint32_t)len};
	if (file->kind == FILE_REGULAR)
		((struct file *)(uintptr_t)file)->tables++;
	return 0;
}

/* Whether an open descriptor's name lies below the root (or is the root). */
static bool is_inside(const struct walk *w, int fd)
{
	char link[64], name[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	if (n < 0 || (size_t)n < w->root_len || memcmp(name, w->root, w->root_len) != 0)
		return false;
	return (size_t)n == w->root_len || name[w->root_len] == '/' || w->root_len == 1;
}

static int reopen(int fd, int flags)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return open(link, flags | O_CLOEXEC | O_NOCTTY);
}

static const struct file *open_regular(struct walk *w, int fd, const struct stat *st)
{
	const struct file *f = w->previous ? files_find(w->previous, w->path, w->path_len) : NULL;
	int readable;

	if (f != NULL && f->kind == FILE_REGULAR && !file_is_broken(f) && file_unchanged(f, st))
		return f;
	readable = reopen(fd, O_RDONLY);
	if (readable < 0)
		return is_trouble(errno) ? &unreadable : &forbidden;
	f = file_open(readable, st, w->path, w->config->copy_bytes, &w->preload);
	close(readable);
	return f != NULL ? f : &unreadable;
}

/* Directories count, too: a few that link to each other are reachable by a great many paths. */
static int count_entry(struct walk *w)
{
	if (w->nb_entries++ < w->config->max_files)
		return 0;
	return fail(w, "more than %llu files and directories below %s: raise http.max_files",
	            (unsigned long long)w->config->max_files, w->root);
}

static int add_regular(struct walk *w, int fd, const struct stat *st, const struct file **file)
{
	w->out->nb_files++;
	*file = open_regular(w, fd, st);
	w->out->bytes += (*file)->size;
	return add_slot(w, "", *file);
}

static int walk_directory(struct walk *w, int fd, const struct stat *st, const struct level *up);

static bool leads_back(const struct level *l, const struct stat *st)
{
	for (; l != NULL; l = l->up)
		if (l->dev == st->st_dev && l->ino == st->st_ino)
			return true;
	return false;
}

/* fd is O_PATH. *index is set when this is the directory's index. */
static int add_entry(struct walk *w, int fd, const char *name, const struct level *l,
                     const struct file **index)
{
	const struct file *file = NULL;
	struct stat st;
	int result;

	if (fstat(fd, &st) != 0)
		return 0;
	if (S_ISREG(st.st_mode)) {
		if (count_entry(w) != 0)
			return -1;
		result = add_regular(w, fd, &st, &file);
		if (strcmp(name, INDEX) == 0)
			*index = file;
		return result;
	}
	if (!S_ISDIR(st.st_mode) || leads_back(l, &st) || l->depth >= DEPTH_MAX)
		return 0;
	if (count_entry(w) != 0 || add_slot(w, "", &directory) != 0)
		return -1;
	return walk_directory(w, fd, &st, l);
}

static int visit(struct walk *w, int dirfd, const char *name, const struct level *l,
                 const struct file **index)
{
	const size_t before = w->path_len, len = strlen(name);
	int fd, result = 0;

	if ((name[0] == '.' && strcmp(name, ".well-known") != 0) || before + len + 2 > PATH_MAX)
		return 0;
	fd = openat(dirfd, name, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return is_trouble(errno) ? fail_to_read(w) : 0;
	w->path[before] = '/';
	memcpy(w->path + before + 1, name, len + 1);
	w->path_len = before + 1 + len;
	if (is_inside(w, fd))
		result = add_entry(w, fd, name, l, index);
	w->path_len = before;
	w->path[before] = '\0';
	close(fd);
	return result;
}

/* Adds all entries of a directory. */
static int visit_all(struct walk *w, DIR *dir, const struct level *l, const struct file **index)
{
	struct dirent *entry;
	int result = 0;

	for (errno = 0; result == 0 && (entry = readdir(dir)) != NULL; errno = 0)
		result = visit(w, dirfd(dir), entry->d_name, l, index);
	return result == 0 && is_trouble(errno) ? fail_to_read(w) : result;
}

/* Walks the directory at w->path; fd is O_PATH. */
static int walk_directory(struct walk *w, int fd, const struct stat *st, const struct level *up)
{
	const struct level l = {up, st->st_dev, st->st_ino, up != NULL ? up->depth + 1 : 0};
	const struct file *index = &forbidden;
	int readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *dir = readable >= 0 ? fdopendir(readable) : NULL;

	if (dir == NULL) {
		if (up == NULL)
			result = fail(
			    w, "--root: cannot read %s: %s; let the user of this program read it",
			    w->root, strerror(errno));
		else
			result = is_trouble(errno) ? fail_to_read(w) : add_slot(w, "/", &forbidden);
		if (readable >= 0)
			close(readable);
		return result;
	}
	result = visit_all(w, dir, &l, &index);
	closedir(dir);
	return result == 0 ? add_slot(w, "/", index) : result;
}

static int walk_root(struct walk *w)
{
	const char *root = w->config->root;
	struct stat st;
	int fd, result;

	if (realpath(root, w->root) == NULL)
		return fail(w, "--root: cannot use %s: %s; give an existing directory", root,
		            strerror(errno));
	w->root_len = strlen(w->root);
	fd = open(w->root, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		result = fail(w, "--root: cannot open %s: %s; let the user of this program read it",
		              root, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		result = fail(w, "--root: %s is not a directory", root);
	else
		result = walk_directory(w, fd, &st, NULL);
	if (fd >= 0)
		close(fd);
	return result;
}

static int make_key(struct walk *w)
{
	uint64_t random[2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return fail(w, "cannot get random numbers: %s", strerror(errno));
	w->out->key = hash_mix_key_of(random);
	return 0;
}

static bool spread(struct files *f)
{
	size_t size = 16, at;
	struct slot *table;

	while (size < f->nb_slots * 2)
		size *= 2;
	table = calloc(size, sizeof(*table));
	if (table == NULL)
		return false;
	f->mask = size - 1;
	for (size_t i = 0; i < f->nb_slots; i++) {
		for (at = f->slots[i].hash & f->mask; table[at].path != NULL;
		     at = (at + 1) & f->mask)
			;
		table[at] = f->slots[i];
	}
	free(f->slots);
	f->slots = table;
	f->room = size;
	return true;
}

static void discard(struct files *f)
{
	struct file *retired = NULL, *next;

	f->room = f->mask != 0 ? f->room : f->nb_slots;
	files_unload(f, &retired);
	for (; retired != NULL; retired = next) {
		next = retired->next_retired;
		file_free(retired);
	}
}

struct files *files_load(const struct files_config *config, const struct files *previous, char *why,
                         size_t why_len)
{
	struct walk *w = calloc(1, sizeof(*w));
	struct files *f = calloc(1, sizeof(*f));
	int result = -1;

	if (w != NULL && f != NULL) {
		*w = (struct walk){.config = config,
		                   .previous = previous,
		                   .out = f,
		                   .preload = config->preload_bytes,
		                   .why = why,
		                   .why_len = why_len};
		result = make_key(w);
		if (result == 0 && config->root != NULL)
			result = walk_root(w);
		if (result == 0 && !spread(f))
			result = fail(w, "not enough memory for the files below %s", w->root);
	} else {
		snprintf(why, why_len, "not enough memory for the table of files");
	}
	if (result != 0 && f != NULL) {
		discard(f);
		f = NULL;
	}
	free(w);
	return f;
}

void files_unload(struct files *f, struct file **retired)
{
	for (size_t i = 0; i < f->room; i++) {
		struct file *file = (struct file *)(uintptr_t)f->slots[i].file;

		if (f->slots[i].path == NULL)
			continue;
		free(f->slots[i].path);
		if (file->kind != FILE_REGULAR || --file->tables > 0)
			continue;
		file->next_retired = *retired;
		*retired = file;
	}
	free(f->slots);
	free(f);
}

bool files_same(const struct files *a, const struct files *b)
{
	if (a->nb_slots != b->nb_slots)
		return false;
	for (size_t i = 0; i < a->room; i++) {
		const struct slot *s = &a->slots[i];

		if (s->path != NULL && files_find(b, s->path, s->len) != s->file)
			return false;
	}
	return true;
}

size_t files_count(const struct files *f, uint64_t *bytes)
{
	*bytes = f->bytes;
	return f->nb_files;
}

const struct file *files_find(const struct files *f, const char *path, size_t len)
{
	const uint64_t hash = path_hash(&f->key, path, len);
	const struct slot *s;

	for (size_t at = hash & f->mask;; at = (at + 1) & f->mask) {
		s = &f->slots[at];
		if (s->path == NULL)
			return NULL;
		if (s->hash == hash && s->len == len && memcmp(s->path, path, len) == 0)
			return s->file;
	}
}
