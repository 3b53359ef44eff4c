/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main function of a fuzz target that is built without a fuzzer.
 *
 * usage: TARGET [-runs=N] [-seed=S] [-timeout=SECONDS] FILE|DIRECTORY...
 *
 * Runs every file, then N inputs derived from them by flipping, cutting, repeating and joining. The
 * same seed gives the same inputs; the one that is running when the process dies is saved as
 * ./crash-replay.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>

#include "fuzz.h"

#define INPUT_MAX  4096
#define INPUTS_MAX 4096

struct input {
	size_t len;
	uint8_t b[INPUT_MAX];
};

static struct input *inputs;
static unsigned nb_inputs;
static struct input now;
static uint64_t state = 1;

static uint64_t below(uint64_t n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % n;
}

/* saves the input that kills the process; only with calls that a signal handler may make */
static void on_death(int sig)
{
	int fd = open("crash-replay", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd >= 0) {
		if (write(fd, now.b, now.len) < 0)
			_exit(2);
		close(fd);
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

static void load(const char *path)
{
	struct stat st;
	FILE *f;
	DIR *dir;

	if (stat(path, &st) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	if (S_ISDIR(st.st_mode)) {
		dir = opendir(path);
		for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
			char name[4096];

			if (e->d_name[0] == '.')
				continue;
			snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
			load(name);
		}
		if (dir != NULL)
			closedir(dir);
		return;
	}
	if (nb_inputs == INPUTS_MAX || (f = fopen(path, "rb")) == NULL)
		return;
	inputs[nb_inputs].len = fread(inputs[nb_inputs].b, 1, INPUT_MAX, f);
	nb_inputs++;
	fclose(f);
}

static void change(struct input *in)
{
	static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, '\r', '\n', ' '};
	size_t at = in->len == 0 ? 0 : below(in->len), n;

	switch (below(6)) {
	case 0:
		if (in->len > 0)
			in->b[at] ^= (uint8_t)(1u << below(8));
		break;
	case 1:
		if (in->len > 0)
			in->b[at] = edges[below(sizeof(edges))];
		break;
	case 2:
		if (in->len > 0)
			in->b[at] = (uint8_t)below(256);
		break;
	case 3: /* cut out */
		n = below(in->len - at + 1);
		memmove(in->b + at, in->b + at + n, in->len - at - n);
		in->len -= n;
		break;
	case 4: /* repeat */
		n = below(in->len - at + 1);
		if (in->len + n <= INPUT_MAX) {
			memmove(in->b + at + n, in->b + at, in->len - at);
			in->len += n;
		}
		break;
	default: /* the tail of another one */
		if (nb_inputs > 0) {
			const struct input *other = &inputs[below(nb_inputs)];
			size_t from = below(other->len + 1);

			n = other->len - from;
			n = n < INPUT_MAX - at ? n : INPUT_MAX - at;
			memcpy(in->b + at, other->b + from, n);
			in->len = at + n;
		}
	}
}

/* runs an input in memory of exactly its size, so that a sanitizer detects reads past the end */
static void run(void)
{
	uint8_t *exact = malloc(now.len == 0 ? 1 : now.len);

	fuzz_check(exact != NULL);
	memcpy(exact, now.b, now.len);
	fuzz_check(LLVMFuzzerTestOneInput(exact, now.len) == 0);
	free(exact);
}

int main(int argc, char **argv)
{
	static const int deaths[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
	unsigned long runs = 0;
	unsigned timeout_s = 20; /* an input that takes longer loops */

	inputs = calloc(INPUTS_MAX, sizeof(*inputs));
	fuzz_check(inputs != NULL);
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "-runs=", 6) == 0)
			runs = strtoul(argv[i] + 6, NULL, 10);
		else if (strncmp(argv[i], "-seed=", 6) == 0)
			state = strtoul(argv[i] + 6, NULL, 10);
		else if (strncmp(argv[i], "-timeout=", 9) == 0)
			timeout_s = (unsigned)strtoul(argv[i] + 9, NULL, 10);
		else
			load(argv[i]);
	}
	for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++)
		signal(deaths[i], on_death);
	for (unsigned i = 0; i < nb_inputs; i++) {
		now = inputs[i];
		run();
	}
	for (unsigned long i = 0; i < runs; i++) {
		if (nb_inputs > 0)
			now = inputs[below(nb_inputs)];
		else
			now.len = 0;
		for (uint64_t n = 1 + below(8); n > 0; n--)
			change(&now);
		alarm(timeout_s);
		run();
	}
	alarm(0);
	printf("%u files and %lu inputs made of them\n", nb_inputs, runs);
	free(inputs);
	return 0;
}
