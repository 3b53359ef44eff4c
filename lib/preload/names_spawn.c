/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of posix_spawn() and system().
 *
 * The C library creates such a child without fork(), and without calling any function that is taken
 * over; the actions on its descriptors are in a struct that only the C library can read.  So the
 * functions that fill that struct are taken over, and record the actions.  A child that inherits
 * percore sockets is forked, carries out these actions through our own close() and dup2(), and is
 * executed by our own execve(), which hands the sockets on.  Every other child is left to the C
 * library.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inherit.h"
#include "names.h"
#include "real.h"

extern char **environ;

enum verb { CLOSE, DUP2, OPEN, CHDIR, FCHDIR, CLOSEFROM };

struct action {
	struct action *next;
	enum verb verb;
	int fd, other; /* DUP2: to; OPEN: flags */
	mode_t mode;
	char path[];
};

/** The actions recorded for a struct of the program. */
struct note {
	struct note *next;
	const posix_spawn_file_actions_t *of;
	struct action *first;
};

static struct {
	pthread_mutex_t lock;
	struct note *first;
} notes = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- notes --------------------------------------------------------------------------------------- */

/* Finds the link to a struct's note. The caller holds the lock. */
static struct note **find_note(const posix_spawn_file_actions_t *of)
{
	struct note **link = &notes.first;

	while (*link != NULL && (*link)->of != of)
		link = &(*link)->next;
	return link;
}

static void forget(const posix_spawn_file_actions_t *of)
{
	struct note **link, *n;

	pthread_mutex_lock(&notes.lock);
	link = find_note(of);
	n = *link;
	if (n != NULL)
		*link = n->next;
	pthread_mutex_unlock(&notes.lock);
	if (n == NULL)
		return;
	for (struct action *a = n->first, *next; a != NULL; a = next) {
		next = a->next;
		free(a);
	}
	free(n);
}

/* Records an action. Returns 0 or ENOMEM. */
static int note(const posix_spawn_file_actions_t *of, enum verb verb, int fd, int other,
                mode_t mode, const char *path)
{
	const size_t len = path != NULL ? strlen(path) + 1 : 0;
	struct action *a = malloc(sizeof(*a) + len), **end;
	struct note **link, *n;

	if (a == NULL)
		return ENOMEM;
	*a = (struct action){.verb = verb, .fd = fd, .other = other, .mode = mode};
	if (len > 0)
		memcpy(a->path, path, len);
	pthread_mutex_lock(&notes.lock);
	link = find_note(of);
	n = *link;
	if (n == NULL) {
		n = calloc(1, sizeof(*n));
		*link = n;
	}
	if (n != NULL) {
		n->of = of;
		for (end = &n->first; *end != NULL; end = &(*end)->next)
			continue;
		*end = a;
	}
	pthread_mutex_unlock(&notes.lock);
	if (n != NULL)
		return 0;
	free(a);
	return ENOMEM;
}

/* Calls the C library's function first: an action that it refuses is not recorded. */
#define NOTED(name, params, args, ...)                       \
	NAME(int, name, params)                              \
	{                                                    \
		static int(*next) params;                    \
		int rc;                                      \
                                                             \
		if (next == NULL)                            \
			*(void **)&next = real_find(#name);  \
		rc = next != NULL ? next args : ENOSYS;      \
		return rc != 0 ? rc : note(of, __VA_ARGS__); \
	}

NOTED(posix_spawn_file_actions_addclose, (posix_spawn_file_actions_t * of, int fd), (of, fd), CLOSE,
      fd, 0, 0, NULL)
NOTED(posix_spawn_file_actions_adddup2, (posix_spawn_file_actions_t * of, int fd, int to),
      (of, fd, to), DUP2, fd, to, 0, NULL)
NOTED(posix_spawn_file_actions_addopen,
      (posix_spawn_file_actions_t * of, int fd, const char *path, int flags, mode_t mode),
      (of, fd, path, flags, mode), OPEN, fd, flags, mode, path)
NOTED(posix_spawn_file_actions_addchdir_np, (posix_spawn_file_actions_t * of, const char *path),
      (of, path), CHDIR, 0, 0, 0, path)
NOTED(posix_spawn_file_actions_addfchdir_np, (posix_spawn_file_actions_t * of, int fd), (of, fd),
      FCHDIR, fd, 0, 0, NULL)
NOTED(posix_spawn_file_actions_addclosefrom_np, (posix_spawn_file_actions_t * of, int fd), (of, fd),
      CLOSEFROM, fd, 0, 0, NULL)

NAME(int, posix_spawn_file_actions_destroy, (posix_spawn_file_actions_t * of))
{
	static int (*next)(posix_spawn_file_actions_t *);

	if (next == NULL)
		*(void **)&next = real_find("posix_spawn_file_actions_destroy");
	forget(of);
	return next != NULL ? next(of) : ENOSYS;
}

NAME(int, posix_spawn_file_actions_init, (posix_spawn_file_actions_t * of))
{
	static int (*next)(posix_spawn_file_actions_t *);

	if (next == NULL)
		*(void **)&next = real_find("posix_spawn_file_actions_init");
	forget(of); /* one that was never destroyed */
	return next != NULL ? next(of) : ENOSYS;
}

static const struct action *actions_of(const posix_spawn_file_actions_t *of)
{
	const struct action *first = NULL;

	if (of == NULL)
		return NULL;
	pthread_mutex_lock(&notes.lock);
	if (*find_note(of) != NULL)
		first = (*find_note(of))->first;
	pthread_mutex_unlock(&notes.lock);
	return first;
}

/* ---- the child ----------------------------------------------------------------------------------- */

/* Whether a child would inherit percore sockets: any that is not close-on-exec, or is duplicated
 * for it. */
static bool inherits(const struct action *first)
{
	if (!pcx_is_attached() || client.driver != NULL)
		return false;
	for (const struct action *a = first; a != NULL; a = a->next)
		if (a->verb == DUP2 && !is_kernels(a->fd))
			return true;
	for (uint32_t fd = 0; fd < at_load(&client.end_fds); fd++)
		if (pcx_kind((int)fd) == PCX_SOCKET &&
		    !(pcx_fcntl((int)fd, F_GETFD, 0) & FD_CLOEXEC))
			return true;
	return false;
}

static int open_as(const struct action *a)
{
	const int fd = open(a->path, a->other, a->mode);

	if (fd < 0 || fd == a->fd)
		return fd;
	if (dup2(fd, a->fd) < 0)
		return -1;
	return close(fd);
}

static int act(const struct action *a)
{
	switch (a->verb) {
	case CLOSE:
		(void)close(a->fd); /* no error if it is not open */
		return 0;
	case DUP2: /* to itself: keep it open */
		return a->fd == a->other ? fcntl(a->fd, F_SETFD, 0) : dup2(a->fd, a->other);
	case OPEN:
		return open_as(a);
	case CHDIR:
		return chdir(a->path);
	case FCHDIR:
		return fchdir(a->fd);
	default:
		closefrom(a->fd);
		return 0;
	}
}

static int set_scheduling(const posix_spawnattr_t *attr, short flags)
{
	struct sched_param param;
	int policy;

	(void)posix_spawnattr_getschedparam(attr, &param);
	(void)posix_spawnattr_getschedpolicy(attr, &policy);
	if (flags & POSIX_SPAWN_SETSCHEDULER)
		return sched_setscheduler(0, policy, &param);
	return flags & POSIX_SPAWN_SETSCHEDPARAM ? sched_setparam(0, &param) : 0;
}

/* Applies the attributes. Returns 0, or -1 with errno. */
static int set_attributes(const posix_spawnattr_t *attr)
{
	sigset_t set;
	pid_t group;
	short flags;

	if (attr == NULL)
		return 0;
	(void)posix_spawnattr_getflags(attr, &flags);
	(void)posix_spawnattr_getsigdefault(attr, &set);
	for (int sig = 1; (flags & POSIX_SPAWN_SETSIGDEF) && sig < _NSIG; sig++)
		if (sigismember(&set, sig) == 1)
			(void)signal(sig, SIG_DFL);
	if (set_scheduling(attr, flags) != 0)
		return -1;
	if ((flags & POSIX_SPAWN_SETSID) && setsid() < 0)
		return -1;
	(void)posix_spawnattr_getpgroup(attr, &group);
	if ((flags & POSIX_SPAWN_SETPGROUP) && setpgid(0, group) != 0)
		return -1;
	if ((flags & POSIX_SPAWN_RESETIDS) && (setegid(getgid()) != 0 || seteuid(getuid()) != 0))
		return -1;
	(void)posix_spawnattr_getsigmask(attr, &set);
	return flags & POSIX_SPAWN_SETSIGMASK ? sigprocmask(SIG_SETMASK, &set, NULL) : 0;
}

typedef int execute(const char *path, char *const *argv, char *const *env);

/** What a child executes, and what it does first. */
struct spawn_child {
	execute *run;
	const char *path;
	char *const *argv, *const *env;
	const posix_spawnattr_t *attr; /* NULL: none */
	const struct action *first;    /* NULL: none */
};

/* Runs in the child until exec. An error is reported through a pipe, which the exec closes. */
static _Noreturn void live(int tell, const struct spawn_child *c)
{
	int error, rc = set_attributes(c->attr);

	for (const struct action *a = c->first; a != NULL && rc >= 0; a = a->next)
		rc = act(a);
	if (rc >= 0)
		(void)c->run(c->path, c->argv, c->env);
	error = errno;
	(void)!real_write(tell, &error, sizeof(error));
	_exit(127);
}

/* Makes the pipe, with the child's end where the actions do not reach it. */
static int make_pipe(int pipes[2])
{
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return errno;
	pipes[1] = fd_hide(pipes[1]);
	return 0;
}

static int spawn(pid_t *pid, const struct spawn_child *c)
{
	int pipes[2], error = make_pipe(pipes);
	ssize_t told = 0;
	pid_t id;

	if (error != 0)
		return error;
	id = real_fork();
	if (id == 0)
		live(pipes[1], c);
	if (id < 0)
		error = errno;
	fd_close_hidden(pipes[1]);
	while (id > 0 && (told = real_read(pipes[0], &error, sizeof(error))) < 0 && errno == EINTR)
		;
	while (told == (ssize_t)sizeof(error) && waitpid(id, NULL, 0) < 0 && errno == EINTR)
		;
	(void)real_close(pipes[0]);
	if (error == 0 && pid != NULL)
		*pid = id;
	return error;
}

typedef int spawn_function(pid_t *, const char *, const posix_spawn_file_actions_t *,
                           const posix_spawnattr_t *, char *const *, char *const *);

NAME(int, posix_spawn,
     (pid_t * pid, const char *path, const posix_spawn_file_actions_t *of,
      const posix_spawnattr_t *attr, char *const *argv, char *const *env))
{
	static spawn_function *next;
	const struct spawn_child c = {execve, path, argv, env, attr, actions_of(of)};

	if (next == NULL)
		*(void **)&next = real_find("posix_spawn");
	if (next != NULL && !inherits(c.first))
		return next(pid, path, of, attr, argv, env);
	return spawn(pid, &c);
}

NAME(int, posix_spawnp,
     (pid_t * pid, const char *file, const posix_spawn_file_actions_t *of,
      const posix_spawnattr_t *attr, char *const *argv, char *const *env))
{
	static spawn_function *next;
	const struct spawn_child c = {execvpe, file, argv, env, attr, actions_of(of)};

	if (next == NULL)
		*(void **)&next = real_find("posix_spawnp");
	if (next != NULL && !inherits(c.first))
		return next(pid, file, of, attr, argv, env);
	return spawn(pid, &c);
}

bool spawn_inherits(void)
{
	return inherits(NULL);
}

int spawn_shell(pid_t *pid, const char *command, int fd, int to)
{
	const struct action on_pipe = {.verb = DUP2, .fd = fd, .other = to};
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, strdup(command), NULL};
	const struct spawn_child c = {execve, "/bin/sh", argv, environ, NULL, &on_pipe};
	const int error = argv[2] == NULL ? ENOMEM : spawn(pid, &c);

	free(argv[2]);
	return error;
}

/* ---- system() ------------------------------------------------------------------------------------ */

/* The terminal's signals, which are ignored while any thread waits for a command (POSIX). */
static struct {
	pthread_mutex_t lock;
	unsigned commands;
	struct sigaction old_int, old_quit;
} terminal = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Ignores them. Sets *reset to those that the program does not ignore. */
static void ignore_terminal(sigset_t *reset)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigemptyset(reset);
	pthread_mutex_lock(&terminal.lock);
	if (terminal.commands++ == 0) {
		sigaction(SIGINT, &ignore, &terminal.old_int);
		sigaction(SIGQUIT, &ignore, &terminal.old_quit);
	}
	if (terminal.old_int.sa_handler != SIG_IGN)
		sigaddset(reset, SIGINT);
	if (terminal.old_quit.sa_handler != SIG_IGN)
		sigaddset(reset, SIGQUIT);
	pthread_mutex_unlock(&terminal.lock);
}

static void heed_terminal(void)
{
	pthread_mutex_lock(&terminal.lock);
	if (--terminal.commands == 0) {
		sigaction(SIGINT, &terminal.old_int, NULL);
		sigaction(SIGQUIT, &terminal.old_quit, NULL);
	}
	pthread_mutex_unlock(&terminal.lock);
}

/* As POSIX requires, the caller gets no SIGCHLD for the child. */
static int run_command(const char *command)
{
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, strdup(command), NULL};
	posix_spawnattr_t attr;
	const struct spawn_child c = {execve, "/bin/sh", argv, environ, &attr, NULL};
	sigset_t block, old, reset;
	int status = -1, error;
	pid_t pid = -1;

	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	ignore_terminal(&reset);
	sigprocmask(SIG_BLOCK, &block, &old);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attr, &reset);
	posix_spawnattr_setsigmask(&attr, &old);
	error = spawn(&pid, &c);
	while (error == 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	posix_spawnattr_destroy(&attr);
	free(argv[2]);
	heed_terminal();
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (error != 0)
		status = 127 << 8; /* as if the shell could not be executed */
	return status;
}

NAME(int, system, (const char *command))
{
	static int (*next)(const char *);

	if (next == NULL)
		*(void **)&next = real_find("system");
	if (command == NULL || (next != NULL && !inherits(NULL)))
		return next != NULL ? next(command) : 0;
	return run_command(command);
}
