/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_APP_TREE_H
#define TESTS_UNIT_APP_TREE_H

/* A document root in a temporary directory. */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char tree_base[64]; /* the temporary directory; the root is "root" in it */

static inline char *tree_path(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", tree_base, name);
	return path;
}

static inline void tree_write(const char *name, const void *p, size_t len)
{
	FILE *f = fopen(tree_path(name), "w");

	CU_ASSERT_FATAL(f != NULL);
	CU_ASSERT(fwrite(p, 1, len, f) == len);
	fclose(f);
}

static inline void tree_text(const char *name, const char *text)
{
	tree_write(name, text, strlen(text));
}

static inline void tree_mkdir(const char *name)
{
	CU_ASSERT_FATAL(mkdir(tree_path(name), 0755) == 0);
}

static inline void tree_link(const char *to, const char *name)
{
	CU_ASSERT_FATAL(symlink(to, tree_path(name)) == 0);
}

static inline void tree_make(void)
{
	strcpy(tree_base, "/tmp/percore-test-XXXXXX");
	CU_ASSERT_FATAL(mkdtemp(tree_base) != NULL);
	tree_mkdir("root");
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static inline void tree_remove(void)
{
	nftw(tree_base, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
