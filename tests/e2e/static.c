/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * static: a statically linked program, which LD_PRELOAD does not reach.  It runs its command twice, the second half a
 * second after the first, and waits for both. It returns how many have failed.
 */
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int failed = 0, status;

	if (argc < 2)
		return 2;
	for (int i = 0; i < 2; i++) {
		if (fork() == 0) {
			execv(argv[1], argv + 1);
			_exit(127);
		}
		usleep(500000);
	}
	while (wait(&status) > 0)
		failed += status != 0;
	return failed;
}
