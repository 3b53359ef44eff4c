/* SPDX-License-Identifier: BSD-2-Clause */
#include "files.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "path_hash.h"
#include "suite.h"
#include "tree.h"

static char why[256];

/* ---- a disk that fails: what the linker finds here goes before the C library ---- */

static const char *bad_bytes; /* of a file that begins so nothing can be read; NULL: all is well */
static int bad_entry; /* this entry of a directory cannot be read, and none after; 0: all is well */

ssize_t pread(int fd, void *buf, size_t n, off_t off)
{
	const ssize_t got = syscall(SYS_pread64, fd, buf, n, off);

	if (bad_bytes == NULL || got < (ssize_t)strlen(bad_bytes) ||
	    memcmp(buf, bad_bytes, strlen(bad_bytes)) != 0)
		return got;
	errno = EIO;
	return -1;
}

/* what it is called in programs compiled with _FORTIFY_SOURCE, as by default on Ubuntu */
ssize_t __pread64_chk(int fd, void *buf, size_t n, off_t off, size_t room);
ssize_t __pread64_chk(int fd, void *buf, size_t n, off_t off, size_t room)
{
	(void)room;
	return pread(fd, buf, n, off);
}

struct dirent *readdir(DIR *dir)
{
	static struct dirent *(*next)(DIR * dir);

	if (bad_entry > 0 && --bad_entry == 0) {
		bad_entry = 1;
		errno = EIO;
		return NULL;
	}
	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "readdir64");
	return next(dir);
}

static struct files *load(uint64_t max_files, uint64_t copy_bytes, const struct files *previous)
{
	char root[128];
	const struct files_config config = {root, max_files, copy_bytes, 1 << 20};

	snprintf(root, sizeof(root), "%s/root", tree_base);
	why[0] = '\0';
	return files_load(&config, previous, why, sizeof(why));
}

static void unload(struct files *f)
{
	struct file *retired = NULL, *next;

	files_unload(f, &retired);
	for (; retired != NULL; retired = next) {
		next = retired->next_retired;
		file_free(retired);
	}
}

static const struct file *find(const struct files *f, const char *path)
{
	return files_find(f, path, strlen(path));
}

static bool has_kind(const struct files *f, const char *path, enum file_kind kind)
{
	const struct file *file = find(f, path);

	return file != NULL && file->kind == kind;
}

static void fill_tree(void)
{
	tree_make();
	tree_text("root/index.html", "<p>root</p>\n");
	tree_text("root/a b.txt", "hello\n");
	tree_text("root/empty", "");
	tree_text("root/.hidden", "secret");
	tree_mkdir("root/.git");
	tree_text("root/.git/config", "secret");
	tree_mkdir("root/.well-known");
	tree_text("root/.well-known/security.txt", "x");
	tree_mkdir("root/dir");
	tree_text("root/dir/index.html", "dir");
	tree_mkdir("root/bare");
	tree_text("root/bare/x", "x");
	tree_text("outside", "secret");
	tree_mkdir("rootless");
	tree_text("rootless/x", "secret");
	tree_link("a b.txt", "root/link");
	tree_link("dir", "root/linked");
	tree_link("../outside", "root/leak");
	tree_link("../rootless", "root/leaks");
	tree_link("/etc", "root/etc");
	tree_link("/proc/self/root/etc/passwd", "root/passwd");
	tree_link("nothing", "root/dangling");
	tree_link("loop", "root/loop");
	tree_link("..", "root/dir/up");
	tree_link("../dir", "root/bare/d");
	tree_link("../bare", "root/dir/b");
	CU_ASSERT(mkfifo(tree_path("root/fifo"), 0644) == 0);
}

static void what_is_served(void)
{
	struct files *f;
	uint64_t bytes;

	fill_tree();
	f = load(100, 65536, NULL);
	CU_ASSERT_FATAL(f != NULL);
	CU_ASSERT(has_kind(f, "/", FILE_REGULAR) && find(f, "/") == find(f, "/index.html"));
	CU_ASSERT(has_kind(f, "/a b.txt", FILE_REGULAR));
	CU_ASSERT(has_kind(f, "/empty", FILE_REGULAR) && find(f, "/empty")->size == 0);
	CU_ASSERT(has_kind(f, "/dir", FILE_DIRECTORY));
	CU_ASSERT(find(f, "/dir/") == find(f, "/dir/index.html"));
	CU_ASSERT(has_kind(f, "/bare", FILE_DIRECTORY) && has_kind(f, "/bare/", FILE_FORBIDDEN));
	CU_ASSERT(has_kind(f, "/.well-known/security.txt", FILE_REGULAR));
	CU_ASSERT(has_kind(f, "/link", FILE_REGULAR) && has_kind(f, "/linked", FILE_DIRECTORY));
	CU_ASSERT(has_kind(f, "/linked/index.html", FILE_REGULAR));
	CU_ASSERT(files_count(f, &bytes) > 5 && bytes > 20);
	unload(f);
	tree_remove();
}

static void what_is_not_served(void)
{
	static const char *const rows[] = {
	    "/.hidden",    "/.git",
	    "/.git/",      "/.git/config",
	    "/leak",       "/leaks",
	    "/leaks/",     "/leaks/x",
	    "/etc",        "/etc/",
	    "/etc/passwd", "/passwd",
	    "/dangling",   "/loop",
	    "/fifo",       "/dir/up",
	    "/dir/up/",    "/dir/up/index.html",
	    "/index",      "/index.html/",
	    "/INDEX.HTML", "",
	    "/dir/b/d",    "/bare/d/b/x",
	};
	struct files *f;

	fill_tree();
	f = load(100, 65536, NULL);
	CU_ASSERT_FATAL(f != NULL);
	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW(find(f, rows[i]) == NULL, rows[i]);
	unload(f);
	tree_remove();
}

static void fields_of_a_file(void)
{
	static const char wanted[] = "Content-Type: text/plain; charset=utf-8\r\n"
	                             "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	                             "ETag: \"ae1b981bc490a40-6\"\r\n"
	                             "Accept-Ranges: bytes\r\n"
	                             "Content-Length: 6\r\n\r\n";
	const struct timespec times[2] = {{784111777, 64}, {784111777, 64}};
	const struct file *file;
	struct files *f;

	fill_tree();
	utimensat(AT_FDCWD, tree_path("root/a b.txt"), times, 0);
	f = load(100, 65536, NULL);
	CU_ASSERT_FATAL(f != NULL);
	file = find(f, "/a b.txt");
	CU_ASSERT(file->head_len == sizeof(wanted) - 1);
	if (memcmp(file->head, wanted, file->head_len) != 0)
		fprintf(stderr, "%.*s\n", file->head_len, file->head);
	CU_ASSERT(memcmp(file->head, wanted, file->head_len) == 0);
	CU_ASSERT(memcmp(file->head + file->etag_off, "\"ae1b", 5) == 0);
	CU_ASSERT(file->head[file->etag_off + file->etag_len - 1] == '"');
	CU_ASSERT(memcmp(file->head + file->validators_off, "Last-Modified", 13) == 0);
	CU_ASSERT(memcmp(file->head + file->common_len, "Content-Length", 14) == 0);
	CU_ASSERT(file->body == file->head + file->head_len); /* copied */
	CU_ASSERT(memcmp(file->body, "hello\n", 6) == 0);
	unload(f);
	f = load(100, 5, NULL);
	file = find(f, "/a b.txt");
	CU_ASSERT(file->mapped_bytes == 6 && memcmp(file->body, "hello\n", 6) == 0);
	unload(f);
	tree_remove();
}

static void mistakes(void)
{
	const struct files_config missing = {"/nonexistent/x", 10, 0, 0};
	const struct files_config no_directory = {"/etc/passwd", 10, 0, 0};
	const struct files_config none = {NULL, 10, 0, 0};
	struct files *f;

	CU_ASSERT(files_load(&missing, NULL, why, sizeof(why)) == NULL);
	CU_ASSERT(strstr(why, "/nonexistent/x") != NULL);
	CU_ASSERT(files_load(&no_directory, NULL, why, sizeof(why)) == NULL);
	CU_ASSERT(strstr(why, "not a directory") != NULL);
	f = files_load(&none, NULL, why, sizeof(why));
	CU_ASSERT_FATAL(f != NULL);
	CU_ASSERT(find(f, "/") == NULL);
	unload(f);
	fill_tree();
	CU_ASSERT(load(3, 0, NULL) == NULL);
	CU_ASSERT(strstr(why, "http.max_files") != NULL);
	tree_remove();
}

/* Six directories with links to each other are nearly two thousand. */
static void links_of_links(void)
{
	char to[64], name[64];

	tree_make();
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "root/%d", i);
		tree_mkdir(name);
	}
	for (int i = 0; i < 36; i++) {
		snprintf(to, sizeof(to), "../%d", i % 6);
		snprintf(name, sizeof(name), "root/%d/%d", i / 6, i % 6);
		tree_link(to, name);
	}
	CU_ASSERT(load(1000, 65536, NULL) == NULL);
	CU_ASSERT(strstr(why, "http.max_files") != NULL);
	tree_remove();
}

/* RFC 9110 section 8.8.2.1 */
static void changed_in_the_future(void)
{
	const struct timespec times[2] = {{4102444800, 0}, {4102444800, 0}}; /* 2100 */
	const int64_t before = time(NULL);
	struct files *f;

	fill_tree();
	utimensat(AT_FDCWD, tree_path("root/a b.txt"), times, 0);
	f = load(100, 65536, NULL);
	CU_ASSERT_FATAL(f != NULL);
	CU_ASSERT(find(f, "/a b.txt")->mtime >= before && find(f, "/a b.txt")->mtime <= time(NULL));
	CU_ASSERT(memmem(find(f, "/a b.txt")->head, find(f, "/a b.txt")->head_len, " 2100 ", 6) ==
	          NULL);
	unload(f);
	tree_remove();
}

static void what_has_not_changed_is_shared(void)
{
	struct files *f, *g;
	const struct file *old;

	fill_tree();
	f = load(100, 65536, NULL);
	g = load(100, 65536, f);
	CU_ASSERT_FATAL(f != NULL && g != NULL);
	CU_ASSERT(files_same(f, g) && files_same(g, f));
	unload(g);
	old = find(f, "/dir/");
	tree_text("root/a b.txt", "changed\n");
	tree_text("root/new", "new");
	unlink(tree_path("root/empty"));
	g = load(100, 65536, f);
	CU_ASSERT_FATAL(g != NULL);
	CU_ASSERT(!files_same(f, g));
	CU_ASSERT(find(g, "/dir/") == old);
	CU_ASSERT(find(g, "/a b.txt") != find(f, "/a b.txt"));
	CU_ASSERT(find(g, "/new") != NULL && find(g, "/empty") == NULL);
	unload(f);
	CU_ASSERT(memcmp(find(g, "/a b.txt")->body, "changed\n", 8) == 0);
	CU_ASSERT(memcmp(find(g, "/dir/")->body, "dir", 3) == 0);
	unload(g);
	tree_remove();
}

static void many_files(void)
{
	struct files *f;
	char name[64];

	tree_make();
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "root/%d.txt", i);
		tree_text(name, name);
	}
	f = load(3000, 65536, NULL);
	CU_ASSERT_FATAL(f != NULL);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "/%d.txt", i);
		CU_ASSERT_FATAL(has_kind(f, name, FILE_REGULAR));
	}
	CU_ASSERT(find(f, "/3000.txt") == NULL);
	unload(f);
	tree_remove();
}

/* what cannot be read is there and has no answer now; what is not known is not taken for gone */
static void disk_errors(void)
{
	struct files *f, *g;

	fill_tree();
	f = load(100, 65536, NULL);
	CU_ASSERT_FATAL(f != NULL);
	tree_text("root/a b.txt", "good no more");
	bad_bytes = "good no";
	g = load(100, 65536, f);
	CU_ASSERT_FATAL(g != NULL);
	CU_ASSERT(has_kind(g, "/a b.txt", FILE_UNREADABLE));
	CU_ASSERT(find(g, "/empty") == find(f, "/empty"));
	CU_ASSERT(!files_same(f, g));
	bad_bytes = NULL;
	unload(f);
	f = load(100, 65536, g);
	CU_ASSERT_FATAL(f != NULL && has_kind(f, "/a b.txt", FILE_REGULAR));
	unload(g);
	for (int at = 1; at < 20; at++) {
		bad_entry = at;
		CU_ASSERT(load(100, 65536, f) == NULL);
		CU_ASSERT(strstr(why, "cannot read ") != NULL &&
		          strstr(why, strerror(EIO)) != NULL);
	}
	bad_entry = 0;
	/* a file that broke under its mapping is opened anew, even if it looks the same */
	file_break(find(f, "/empty"));
	g = load(100, 65536, f);
	CU_ASSERT_FATAL(g != NULL);
	CU_ASSERT(find(g, "/empty") != find(f, "/empty") && !file_is_broken(find(g, "/empty")));
	unload(f);
	unload(g);
	tree_remove();
}

/* Names that had one hash when each word of eight bytes was multiplied by a known number and its upper half added to the lower: a
 * word's top bit went through as it was, and the next word could take it away again. Also with the key that was built in. */
static void names_of_one_hash(void)
{
	const struct hash_mix_key keys[] = {{{0, UINT64_C(0x9e3779b97f4a7c15)}},
	                                    {{UINT64_C(0x123456789abcdef0), 0x1234567}}};
	uint64_t h[2][8];

	for (unsigned i = 0; i < 8; i++) {
		char name[] = "/0123456789abcdefghijklmnopqrstuvwxyz0123";

		for (unsigned w = 0; w < 3; w++)
			if (i >> w & 1) {
				name[8 * w + 7] ^= (char)0x80;
				name[8 * w + 8 + 3] ^= (char)0x80;
				name[8 * w + 8 + 7] ^= (char)0x80;
			}
		for (unsigned k = 0; k < 2; k++)
			h[k][i] = path_hash(&keys[k], name, strlen(name));
		for (unsigned k = 0; k < i; k++)
			CU_ASSERT(h[0][i] != h[0][k] && h[1][i] != h[1][k]);
		CU_ASSERT(h[0][i] != h[1][i]);
	}
}

static const struct unit_case cases[] = {
    {"what is served", what_is_served},
    {"what is not served", what_is_not_served},
    {"the fields of a file", fields_of_a_file},
    {"mistakes", mistakes},
    {"what has not changed is shared", what_has_not_changed_is_shared},
    {"many files", many_files},
    {"links of links", links_of_links},
    {"changed in the future", changed_in_the_future},
    {"disk errors", disk_errors},
    {"names of one hash", names_of_one_hash},
};

UNIT_MAIN("app/files", cases)
