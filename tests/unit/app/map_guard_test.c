/* SPDX-License-Identifier: BSD-2-Clause */
#include "shared/map_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "suite.h"
#include "tree.h"

static size_t page;
static char *mapping;

static void map(void)
{
	char *bytes;
	FILE *f;

	page = (size_t)sysconf(_SC_PAGESIZE);
	bytes = malloc(3 * page);
	memset(bytes, 'x', 3 * page);
	tree_make();
	tree_write("file", bytes, 3 * page);
	free(bytes);
	f = fopen(tree_path("file"), "r");
	mapping = mmap(NULL, 3 * page, PROT_READ, MAP_SHARED, fileno(f), 0);
	CU_ASSERT_FATAL(mapping != MAP_FAILED);
	fclose(f);
}

static void unmap(void)
{
	munmap(mapping, 3 * page);
	tree_remove();
}

static void what_is_missing_reads_as_zeros(void)
{
	char *copy;

	CU_ASSERT(map_guard_install() == 0);
	map();
	copy = malloc(3 * page);
	map_guard_begin(mapping, 3 * page);
	memcpy(copy, mapping, 3 * page);
	CU_ASSERT(!map_guard_end());
	CU_ASSERT(copy[2 * page] == 'x');
	CU_ASSERT(truncate(tree_path("file"), (off_t)page) == 0);
	map_guard_begin(mapping, 3 * page);
	memcpy(copy, mapping, 3 * page);
	CU_ASSERT(map_guard_end());
	CU_ASSERT(copy[0] == 'x' && copy[page - 1] == 'x' && copy[page] == 0 &&
	          copy[3 * page - 1] == 0);
	free(copy);
	unmap();
}

/* Elsewhere, SIGBUS does what it always did. */
static void outside_the_guard(void)
{
	volatile char *p;
	int status;
	pid_t pid;

	map();
	CU_ASSERT(truncate(tree_path("file"), 0) == 0);
	p = mapping;
	pid = fork();
	if (pid == 0) {
		map_guard_begin(mapping + page, page);
		_exit(p[0]);
	}
	CU_ASSERT(waitpid(pid, &status, 0) == pid);
	CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	unmap();
}

static const struct unit_case cases[] = {
    {"what is missing reads as zeros", what_is_missing_reads_as_zeros},
    {"outside the guard", outside_the_guard},
};

UNIT_MAIN("app/map_guard", cases)
