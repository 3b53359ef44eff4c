/* SPDX-License-Identifier: BSD-2-Clause */
#include "site.h"

#include <time.h>

#include "suite.h"
#include "tree.h"

static struct site *open_site(uint64_t rescan_ms)
{
	static char root[128];
	const struct files_config config = {root, 100, 65536, 0};
	char why[128];

	snprintf(root, sizeof(root), "%s/root", tree_base);
	return site_open(&config, rescan_ms, why, sizeof(why));
}

/* Whether path has this text within half a minute; the reader turns meanwhile. */
static bool shows(struct site *site, struct published_reader *reader, const char *path,
                  const char *text)
{
	for (int i = 0; i < 3000; i++) {
		const struct file *f = files_find(site_enter(site, reader), path, strlen(path));

		if (text == NULL ? f == NULL
		                 : f != NULL && f->size == strlen(text) &&
		                       memcmp(f->body, text, f->size) == 0)
			return true;
		usleep(10000);
	}
	return false;
}

static void changes_show(void)
{
	struct published_reader *reader;
	const struct file *held;
	struct site *site;

	tree_make();
	tree_text("root/a", "one");
	site = open_site(10);
	CU_ASSERT_FATAL(site != NULL);
	reader = site_attach(site);
	CU_ASSERT(shows(site, reader, "/a", "one"));
	held = files_find(site_enter(site, reader), "/a", 2);
	file_hold(held);
	tree_text("root/a", "second");
	tree_text("root/b", "b");
	CU_ASSERT(shows(site, reader, "/a", "second"));
	CU_ASSERT(shows(site, reader, "/b", "b"));
	unlink(tree_path("root/b"));
	CU_ASSERT(shows(site, reader, "/b", NULL));
	usleep(100000);
	CU_ASSERT(memcmp(held->body, "one", 3) == 0); /* still there for its response */
	file_release(held);
	site_leave(reader);
	site_close(site);
	tree_remove();
}

/* A reader that has not turned yet keeps the old table alive. */
static void a_slow_reader(void)
{
	struct published_reader *slow, *quick;
	const struct files *old;
	struct site *site;

	tree_make();
	tree_text("root/a", "one");
	site = open_site(10);
	slow = site_attach(site);
	quick = site_attach(site);
	old = site_enter(site, slow);
	tree_text("root/a", "second");
	CU_ASSERT(shows(site, quick, "/a", "second"));
	usleep(100000);
	CU_ASSERT(memcmp(files_find(old, "/a", 2)->body, "one", 3) == 0);
	CU_ASSERT(shows(site, slow, "/a", "second"));
	site_leave(slow);
	site_leave(quick);
	site_close(site);
	tree_remove();
}

/* The root is read as often as before although a reader has been waited for: that has cost no time of
 * the machine. */
static void a_slow_reader_delays_only_once(void)
{
	struct published_reader *slow, *quick;
	struct timespec begin, end;
	struct site *site;

	tree_make();
	tree_text("root/a", "one");
	site = open_site(10);
	slow = site_attach(site);
	quick = site_attach(site);
	tree_text("root/a", "second");
	CU_ASSERT(shows(site, quick, "/a", "second"));
	usleep(1000000);
	tree_text("root/a", "the third");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	(void)site_enter(site, slow);
	CU_ASSERT(shows(site, slow, "/a", "the third"));
	clock_gettime(CLOCK_MONOTONIC, &end);
	CU_ASSERT(end.tv_sec - begin.tv_sec < 10);
	site_leave(slow);
	site_leave(quick);
	site_close(site);
	tree_remove();
}

static void without_rescan(void)
{
	struct published_reader *reader;
	struct site *site;

	tree_make();
	tree_text("root/a", "one");
	site = open_site(0);
	CU_ASSERT_FATAL(site != NULL);
	reader = site_attach(site);
	tree_text("root/a", "second");
	usleep(100000);
	CU_ASSERT(shows(site, reader, "/a", "one"));
	site_leave(reader);
	site_close(site);
	site_close(NULL);
	tree_remove();
}

static void root_away(void)
{
	struct published_reader *reader;
	char away[128];
	struct site *site;

	tree_make();
	tree_text("root/a", "one");
	site = open_site(10);
	reader = site_attach(site);
	strcpy(away, tree_path("away"));
	CU_ASSERT(rename(tree_path("root"), away) == 0);
	usleep(100000);
	CU_ASSERT(shows(site, reader, "/a", "one"));
	site_leave(reader);
	site_close(site);
	tree_remove();
}

static unsigned count_text(const char *name, const char *text)
{
	static char all[4096];
	FILE *f = fopen(tree_path(name), "r");
	unsigned n = 0;

	CU_ASSERT_FATAL(f != NULL);
	all[fread(all, 1, sizeof(all) - 1, f)] = '\0';
	fclose(f);
	for (const char *p = all; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

/* What cannot be served is told once, and again when it has been right in between. */
static void too_many_files_are_told(void)
{
	const int err = dup(STDERR_FILENO);
	struct published_reader *reader;
	struct site *site;
	char name[32];

	tree_make();
	tree_text("root/a", "one");
	CU_ASSERT_PTR_NOT_NULL_FATAL(freopen(tree_path("err"), "w", stderr));
	site = open_site(10);
	CU_ASSERT_FATAL(site != NULL);
	reader = site_attach(site);
	for (int round = 1; round <= 2; round++) {
		for (int i = 0; i < 100; i++) {
			snprintf(name, sizeof(name), "root/f%d", i);
			tree_text(name, "x");
		}
		for (int i = 0;
		     i < 3000 && count_text("err", "raise http.max_files") < (unsigned)round; i++) {
			site_enter(site, reader); /* a table of some of the files waits for that */
			usleep(10000);
		}
		usleep(100000);
		CU_ASSERT_EQUAL(count_text("err", "raise http.max_files"), (unsigned)round);
		for (int i = 0; i < 100; i++) {
			snprintf(name, sizeof(name), "root/f%d", i);
			unlink(tree_path(name));
		}
		tree_text("root/a", round == 1 ? "second" : "third");
		CU_ASSERT(shows(site, reader, "/a", round == 1 ? "second" : "third"));
	}
	site_leave(reader);
	site_close(site);
	dup2(err, STDERR_FILENO);
	close(err);
	tree_remove();
}

static const struct unit_case cases[] = {
    {"changes show", changes_show},
    {"a slow reader", a_slow_reader},
    {"a slow reader delays only once", a_slow_reader_delays_only_once},
    {"without rescan", without_rescan},
    {"the root is away for a moment", root_away},
    {"too many files are told", too_many_files_are_told},
};

UNIT_MAIN("app/site", cases)
