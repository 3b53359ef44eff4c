/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * percore-run: runs an unmodified program on percore.
 *
 * It starts a stack process (percore-stack), or uses one that is already running, waits until it
 * accepts clients, and becomes the program by exec, with libpercore-preload.so in front of the C
 * library.  So the program keeps the process ID, the terminal and the parent of percore-run, and
 * signals and the exit status need not be passed on.  The stack process is a daemon, no child of
 * the program; it ends when the program and all its descendants have ended.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plan.h"

#define PATIENCE_S    60
#define MAX_ARGUMENTS (2 * PLAN_WORDS + 16)
#define ONE_CORE_TEXT 32768
#define EAL_TLS_BYTES "16384"

static const char usage[] =
    "percore-run: runs an unmodified program on percore's TCP/IP stack\n"
    "\n"
    "Usage: percore-run [EAL options] [options] -- PROGRAM [ARGUMENTS]\n"
    "       percore-run [EAL options] -- [options] -- PROGRAM [ARGUMENTS]\n"
    "       percore-run --attach SOCKET [--rule RULE] -- PROGRAM [ARGUMENTS]\n"
    "       percore-run --one-core [EAL options] [options] -- PROGRAM [ARGUMENTS]\n"
    "\n"
    "For example, on a TAP interface named percore0 (as root):\n"
    "\n"
    "  percore-run --no-huge -m 512 --vdev=net_tap0,iface=percore0 \\\n"
    "      --addr 192.0.2.1/24 -- redis-server --protected-mode no --bind 192.0.2.1\n"
    "\n"
    "The program's TCP and UDP sockets are percore's, all others the kernel's. A stack process is\n"
    "started, which ends after the program, or a running one is used.\n"
    "\n"
    "  --addr, --gateway, --set, --config, --pcap, --stats\n"
    "            as in every percore program; see percore-stack --help\n"
    "  --attach SOCKET\n"
    "            use the stack process that listens at this UNIX socket\n"
    "  --one-core\n"
    "            no stack process: the program's own calls drive the stack, on its core. For\n"
    "            single-process programs: in forked children sockets fail with ENETDOWN\n"
    "  --socket SOCKET\n"
    "            let the stack process listen at this UNIX socket, for other programs\n"
    "  --proc-type primary|secondary|auto, --proc-id N, --conf FILE\n"
    "            as in other stacks' launchers: the primary starts the stack, secondaries use it\n"
    "            and ignore the stack's options; auto: the first one starts it. --conf is\n"
    "            --config. N is ignored: the stack spreads connections over its lcores itself\n"
    "  --rule RULE\n"
    "            which sockets are percore's; may be repeated, the first match decides:\n"
    "            kernel|percore [tcp|udp] [bind|connect] [ADDRESS[/LEN]|any] [port FIRST[-LAST]]\n"
    "            127.0.0.0/8 and ::1 are the kernel's unless a rule says otherwise\n"
    "  --rules FILE\n"
    "            a file of rules, one per line; # begins a comment\n"
    "  -v, --verbose\n"
    "            print the output of the stack process to stderr\n"
    "  --print   print what would be run, and its environment\n"
    "  -h, --help\n"
    "            print this\n"
    "  -V, --version\n"
    "            print the version\n"
    "\n"
    "The exit status is the program's, or 2 if it could not be started.\n";

_Noreturn static void fail(const char *what, const char *why)
{
	fprintf(stderr, "percore-run: %s%s%s\n", what, why[0] != '\0' ? ": " : "", why);
	exit(2);
}

/* ---- where things are ------------------------------------------------------------------------ */

/*
 * Finds one of our files relative to this program, in the build directory or where it is installed.
 */
static void find_file(char *path, size_t len, const char *const *places)
{
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		fail("/proc/self/exe", strerror(errno));
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	for (; *places != NULL; places++) {
		char real[4096];

		if ((size_t)snprintf(path, len, "%s/%s", exe, *places) < len &&
		    realpath(path, real) != NULL && access(real, R_OK) == 0) {
			snprintf(path, len, "%s", real);
			return;
		}
	}
	fail(path, "no such file; is percore completely installed?");
}

static void find_preload(char *path, size_t len)
{
	static const char *const places[] = {"../../lib/preload/libpercore-preload.so",
	                                     "../" PC_LIBDIR "/libpercore-preload.so", NULL};

	find_file(path, len, places);
}

static void find_library(char *path, size_t len)
{
	static const char *const places[] = {"../../lib/libpercore.so",
	                                     "../" PC_LIBDIR "/libpercore.so", NULL};

	find_file(path, len, places);
}

static void find_stack(char *path, size_t len)
{
	static const char *const places[] = {"percore-stack", "../stack/percore-stack", NULL};

	find_file(path, len, places);
}

static bool can_connect(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	size_t n = strlen(path);
	socklen_t len = sizeof(un);
	bool ok;

	if (n >= sizeof(un.sun_path))
		fail(path, "path is too long for a UNIX socket");
	memcpy(un.sun_path, path, n);
	if (path[0] == '@') {
		un.sun_path[0] = '\0';
		len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	}
	ok = fd >= 0 && connect(fd, (struct sockaddr *)&un, len) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

/*
 * Removes the sockets of stack processes that were killed. A socket whose program has ended may
 * still be in use by processes that the program left running.
 */
static void remove_left_over(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	char path[300];
	int pid;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (sscanf(e->d_name, "run-%d", &pid) != 1 || pid <= 0 || kill(pid, 0) == 0 ||
		    errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "%s/run-%d", folder, pid);
		if (strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path) &&
		    !can_connect(path))
			(void)unlink(path);
	}
	if (d != NULL)
		closedir(d);
}

static void make_folder(const char *folder)
{
	struct stat st;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		fail(folder, strerror(errno));
	if (lstat(folder, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		fail(folder, "not a directory owned by this user");
	remove_left_over(folder);
}

/* A path that only this user can access: one for this process, or the well-known shared one. */
static void choose_socket(char *path, size_t len, const struct plan *p)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	char folder[256];

	if (geteuid() == 0)
		snprintf(folder, sizeof(folder), "/run/percore");
	else if (run != NULL &&
	         run[0] == '/') /* another one is not to be used, says its standard */
		snprintf(folder, sizeof(folder), "%.200s/percore", run);
	else
		snprintf(folder, sizeof(folder), "/tmp/percore-%u", (unsigned)geteuid());
	if (p->action == PLAN_RUN)
		make_folder(folder);
	if (p->type != PLAN_ANY)
		snprintf(path, len, "%s/primary", folder);
	else
		snprintf(path, len, "%s/run-%d", folder, (int)getpid());
}

/* ---- the stack process ----------------------------------------------------------------------- */

static void make_command(char **argv, char *stack, struct plan *p, char *socket_path, char *pid)
{
	static char dashes[] = "--", socket_option[] = "--socket", until[] = "--until";
	size_t n = 0;

	argv[n++] = stack;
	for (size_t i = 0; i < p->nb_eal; i++)
		argv[n++] = p->eal[i];
	argv[n++] = dashes;
	for (size_t i = 0; i < p->nb_stack; i++)
		argv[n++] = p->stack[i];
	argv[n++] = socket_option;
	argv[n++] = socket_path;
	argv[n++] = until;
	argv[n++] = pid;
	argv[n] = NULL;
}

/* Runs in the process that becomes the stack. */
_Noreturn static void become_stack(char **argv, bool verbose)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();                  /* signals from the terminal are for the program */
	(void)unsetenv("NOTIFY_SOCKET"); /* it is the program that a service manager waits for */
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(verbose ? STDERR_FILENO : null, STDOUT_FILENO);
	}
	execv(argv[0], argv);
	fprintf(stderr, "percore-run: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/*
 * Starts the stack process as a daemon. Returns a descriptor that reads as EOF once it has ended.
 */
static int start_stack(char **argv, bool verbose)
{
	int alive[2], status;
	pid_t middle;

	if (pipe2(alive, O_CLOEXEC) != 0)
		fail("pipe", strerror(errno));
	middle = fork();
	if (middle < 0)
		fail("fork", strerror(errno));
	if (middle == 0) {
		pid_t child = fork();

		if (child != 0)
			_exit(child < 0);
		(void)fcntl(alive[1], F_SETFD, 0);
		become_stack(argv, verbose);
	}
	close(alive[1]);
	/* ECHILD: SIGCHLD is ignored, inherited from our parent, so there is no status; if the fork
	 * failed, wait_for_stack finds out */
	if (waitpid(middle, &status, 0) != middle ? errno != ECHILD : status != 0)
		fail("fork", "cannot create a process");
	return alive[0];
}

/* Waits until the stack accepts clients. */
static void wait_for_stack(const char *path, int alive)
{
	const struct timespec nap = {.tv_nsec = 5000000};
	char c;

	(void)fcntl(alive, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < PATIENCE_S * 200; i++) {
		if (can_connect(path))
			return;
		if (read(alive, &c, 1) == 0) /* it has ended, with an error message on stderr */
			fail("the stack process failed to start", "");
		(void)nanosleep(&nap, NULL);
	}
	fail("the stack process was not ready after a minute", "");
}

/* ---- the program ----------------------------------------------------------------------------- */

static void set_environment(const char *name, const char *value)
{
	if (setenv(name, value, 1) != 0)
		fail(name, strerror(errno));
}

static void add_line(char *text, const char *word)
{
	size_t n = strlen(text);

	if (strchr(word, '\n') != NULL)
		fail(word, "an argument must not contain a newline");
	if ((size_t)snprintf(text + n, ONE_CORE_TEXT - n, "%s%s", n > 0 ? "\n" : "", word) >=
	    ONE_CORE_TEXT - n)
		fail("arguments are too long", "");
}

/*
 * EAL's thread-local variables use static TLS, for which space must be reserved at program start.
 */
static void make_room_for_eal(void)
{
	const char *others = getenv("GLIBC_TUNABLES");
	char text[4096];

	snprintf(text, sizeof(text), "%s%sglibc.rtld.optional_static_tls=" EAL_TLS_BYTES,
	         others != NULL ? others : "", others != NULL && *others != '\0' ? ":" : "");
	set_environment("GLIBC_TUNABLES", text);
}

/* Sets what the preload library passes to pc_drive_open. */
static void set_one_core(const struct plan *p)
{
	char text[ONE_CORE_TEXT] = "", library[4096];

	make_room_for_eal();
	find_library(library, sizeof(library));
	add_line(text, library);
	for (size_t i = 0; i < p->nb_eal; i++)
		add_line(text, p->eal[i]);
	add_line(text, "--");
	for (size_t i = 0; i < p->nb_stack; i++)
		add_line(text, p->stack[i]);
	set_environment("PERCORE_ONE_CORE", text);
}

static void prepare(const struct plan *p, const char *socket_path)
{
	const char *others = getenv("LD_PRELOAD");
	char preload[4096], both[8192];

	find_preload(preload, sizeof(preload));
	snprintf(both, sizeof(both), "%s%s%s", preload,
	         others != NULL && *others != '\0' ? ":" : "", others != NULL ? others : "");
	set_environment("LD_PRELOAD", both);
	unsetenv("PERCORE_ONE_CORE");
	unsetenv("PERCORE_SOCKET");
	if (p->one_core)
		set_one_core(p);
	else
		set_environment("PERCORE_SOCKET", socket_path);
	if (p->rules[0] != '\0')
		set_environment("PERCORE_RULES", p->rules);
	else
		unsetenv("PERCORE_RULES");
	unsetenv("PERCORE_HANDOVER");
}

static void print_words(char *const *words)
{
	for (; *words != NULL; words++)
		printf("%s%c", *words, words[1] != NULL ? ' ' : '\n');
}

static int print_plan(const struct plan *p, char *const *stack)
{
	static const char *const names[] = {"LD_PRELOAD", "PERCORE_SOCKET", "PERCORE_ONE_CORE",
	                                    "PERCORE_RULES"};

	if (stack != NULL)
		print_words(stack);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]) != NULL)
			printf("%s=%s\n", names[i], getenv(names[i]));
	print_words(p->program);
	return 0;
}

/* Whether to use a stack that is already running. */
static bool is_to_attach(const struct plan *p, const char *socket_path)
{
	return p->attach != NULL || p->type == PLAN_SECONDARY ||
	       (p->type == PLAN_AUTO && can_connect(socket_path));
}

_Noreturn static void become_program(const struct plan *p)
{
	execvp(p->program[0], p->program);
	fail(p->program[0], strerror(errno));
}

/* Runs the program with a stack process: a new one, or one that is already running. */
static int run(struct plan *p)
{
	char *argv[MAX_ARGUMENTS], stack[4096], socket_path[300], pid[16];
	bool attach;

	if (p->attach != NULL)
		snprintf(socket_path, sizeof(socket_path), "%s", p->attach);
	else if (p->socket != NULL)
		snprintf(socket_path, sizeof(socket_path), "%s", p->socket);
	else
		choose_socket(socket_path, sizeof(socket_path), p);
	attach = is_to_attach(p, socket_path);
	if (p->action == PLAN_RUN && !attach && p->type != PLAN_AUTO && can_connect(socket_path))
		fail("another stack process is already listening (use --attach)", socket_path);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (!attach) {
		find_stack(stack, sizeof(stack));
		make_command(argv, stack, p, socket_path, pid);
	}
	if (p->action == PLAN_RUN && !attach)
		wait_for_stack(socket_path, start_stack(argv, p->verbose));
	else if (p->action == PLAN_RUN && !can_connect(socket_path))
		fail("no stack process is listening", socket_path);
	prepare(p, socket_path); /* for the program only: the stack was started before */
	if (p->action == PLAN_PRINT)
		return print_plan(p, attach ? NULL : argv);
	become_program(p);
}

static int run_one_core(const struct plan *p)
{
	prepare(p, NULL);
	if (p->action == PLAN_PRINT)
		return print_plan(p, NULL);
	become_program(p);
}

int main(int argc __attribute__((unused)), char **argv)
{
	static struct plan plan;
	char why[512];

	if (plan_make(&plan, argv, why, sizeof(why)) != 0)
		fail(why, "");
	if (plan.action == PLAN_HELP)
		fputs(usage, stdout);
	else if (plan.action == PLAN_VERSION)
		puts("percore-run (percore " PC_VERSION ")");
	else
		return plan.one_core ? run_one_core(&plan) : run(&plan);
	return 0;
}
