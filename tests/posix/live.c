/* SPDX-License-Identifier: BSD-2-Clause */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <CUnit/Basic.h>
#include <percore/host.h>
#include <percore/percore.h>

#include "cases.h"
#include "eal.h"

/* ---- the two tables --------------------------------------------------------------------------- */

static int sys_fcntl_long(int fd, int command, long arg)
{
	return fcntl(fd, command, arg);
}

static int sys_ioctl_ptr(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

/* By number: what a sanitizer looks at before poll() does is no pollfd where the program means to be wrong. */
static int sys_poll(struct pollfd *p, nfds_t n, int ms)
{
	return (int)syscall(SYS_poll, p, n, ms);
}

static int sys_ppoll(struct pollfd *p, nfds_t n, const struct timespec *ts, const sigset_t *mask)
{
	struct timespec copy = {0}; /* the kernel tells what is left in it */

	if (ts != NULL)
		copy = *ts;
	return (int)syscall(SYS_ppoll, p, n, ts != NULL ? &copy : NULL, mask, _NSIG / 8);
}

static int sys_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	return sendmmsg(fd, m, n, flags);
}

#define TRIES      3
#define RESTS_NAPS 5000 /* half a second at least: then something goes on without end */

static const struct posix_calls kernel_calls = {
    "kernel",      socket,         bind,          listen,      accept4,      connect, shutdown,
    getsockname,   getpeername,    getsockopt,    setsockopt,  read,         write,   readv,
    writev,        recv,           send,          recvfrom,    sendto,       recvmsg, sendmsg,
    recvmmsg,      sys_sendmmsg,   sendfile,      splice,      close,        dup,     dup2,
    dup3,          sys_fcntl_long, sys_ioctl_ptr, sys_poll,    sys_ppoll,    select,  pselect,
    epoll_create1, epoll_ctl,      epoll_wait,    epoll_pwait, epoll_pwait2,
};

static const struct posix_calls percore_calls = {
    "percore",         pcx_socket,    pcx_bind,        pcx_listen,      pcx_accept4,
    pcx_connect,       pcx_shutdown,  pcx_getsockname, pcx_getpeername, pcx_getsockopt,
    pcx_setsockopt,    pcx_read,      pcx_write,       pcx_readv,       pcx_writev,
    pcx_recv,          pcx_send,      pcx_recvfrom,    pcx_sendto,      pcx_recvmsg,
    pcx_sendmsg,       pcx_recvmmsg,  pcx_sendmmsg,    pcx_sendfile,    pcx_splice,
    pcx_close,         pcx_dup,       pcx_dup2,        pcx_dup3,        pcx_fcntl,
    pcx_ioctl,         pcx_poll,      pcx_ppoll,       pcx_select,      pcx_pselect,
    pcx_epoll_create1, pcx_epoll_ctl, pcx_epoll_wait,  pcx_epoll_pwait, pcx_epoll_pwait2,
};

/* ---- percore: a thread that plays the lcore --------------------------------------------------- */

static struct {
	pthread_mutex_t lock; /* between its turns and the far side's calls */
	pthread_t thread;
	bool ends;
	pid_t pid;      /* of the process that has the thread; 0: there is none */
	unsigned rests; /* how often it had nothing to do */
	const struct bed_calls *far;
	bool drives; /* --drive: the threads of the near side drive its stack, */
	bool others; /* and just now: this one turns the far side's only */
	struct pcx_driver driver;
} lcore = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static unsigned turn_side(struct bed *b, int side)
{
	unsigned n = pc_stack_poll(b->st[side], b->now);

	if (side == NEAR)
		n += pc_service_turn(b->service, b->now);
	pc_stack_flush(b->st[side], b->now);
	return n;
}

static unsigned drive(void *bed)
{
	struct bed *b = bed;
	unsigned n;

	pthread_mutex_lock(&lcore.lock);
	b->now = clock_ns();
	n = turn_side(b, NEAR);
	pthread_mutex_unlock(&lcore.lock);
	return n;
}

static void drive_sleep(void *bed, uint64_t deadline_ns)
{
	const struct timespec nap = {.tv_nsec = 50000};

	(void)bed, (void)deadline_ns;
	(void)nanosleep(&nap, NULL);
}

static void *turn(void *arg)
{
	struct bed *b = arg;
	unsigned idle = 0;

	while (!__atomic_load_n(&lcore.ends, __ATOMIC_RELAXED)) {
		unsigned n = 0;

		pthread_mutex_lock(&lcore.lock);
		b->now = clock_ns();
		for (int side = 0; side < 2; side++)
			if (side == FAR || !__atomic_load_n(&lcore.others, __ATOMIC_RELAXED))
				n += turn_side(b, side);
		pthread_mutex_unlock(&lcore.lock);
		idle = n > 0 ? 0 : idle + 1;
		if (idle > 20)
			__atomic_add_fetch(&lcore.rests, 1, __ATOMIC_RELEASE);
		if (idle > 20)
			pc_service_sleep(b->service, b->now + 200000);
	}
	return NULL;
}

/* On several CPUs, the lcore and those who wait for it would spin at the same time. */
static void stay_on_one_cpu(void)
{
	cpu_set_t cpus, one;
	size_t cpu = 0;
	int skip;

	CPU_ZERO(&cpus);
	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0 || CPU_COUNT(&cpus) < 2)
		return;
	skip = getpid() % CPU_COUNT(&cpus); /* tests that run in parallel take different ones */
	while (!CPU_ISSET(cpu, &cpus) || skip-- > 0)
		cpu++;
	CPU_SET(cpu, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
}

static void start_lcore(struct live *l)
{
	sigset_t all, old;

	stay_on_one_cpu();
	__atomic_store_n(&lcore.ends, false, __ATOMIC_RELAXED);
	lcore.pid = getpid();
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old); /* signals are for the program's thread */
	if (pthread_create(&lcore.thread, NULL, turn, &l->bed) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* the far side's calls, between two turns */
#define LOCKED(type, call)                 \
	type rc;                           \
	pthread_mutex_lock(&lcore.lock);   \
	rc = lcore.far->call;              \
	pthread_mutex_unlock(&lcore.lock); \
	return rc

static int far_socket(struct bed *b, int side, int domain, int type, int protocol)
{
	LOCKED(int, socket(b, side, domain, type, protocol));
}

static int far_bind(struct bed *b, int side, int fd, const struct sockaddr *a, socklen_t len)
{
	LOCKED(int, bind(b, side, fd, a, len));
}

static int far_listen(struct bed *b, int side, int fd, int backlog)
{
	LOCKED(int, listen(b, side, fd, backlog));
}

static int far_accept(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len)
{
	LOCKED(int, accept(b, side, fd, a, len));
}

static int far_connect(struct bed *b, int side, int fd, const struct sockaddr *a, socklen_t len)
{
	LOCKED(int, connect(b, side, fd, a, len));
}

static ssize_t far_recvfrom(struct bed *b, int side, int fd, void *p, size_t n, int flags,
                            struct sockaddr *a, socklen_t *len)
{
	LOCKED(ssize_t, recvfrom(b, side, fd, p, n, flags, a, len));
}

static ssize_t far_sendto(struct bed *b, int side, int fd, const void *p, size_t n, int flags,
                          const struct sockaddr *a, socklen_t len)
{
	LOCKED(ssize_t, sendto(b, side, fd, p, n, flags, a, len));
}

static int far_shutdown(struct bed *b, int side, int fd, int how)
{
	LOCKED(int, shutdown(b, side, fd, how));
}

static int far_close(struct bed *b, int side, int fd)
{
	LOCKED(int, close(b, side, fd));
}

static int far_setsockopt(struct bed *b, int side, int fd, int level, int name, const void *v,
                          socklen_t len)
{
	LOCKED(int, setsockopt(b, side, fd, level, name, v, len));
}

static int far_getsockname(struct bed *b, int side, int fd, struct sockaddr *a, socklen_t *len)
{
	LOCKED(int, getsockname(b, side, fd, a, len));
}

static const struct bed_calls far_calls = {
    .socket = far_socket,
    .bind = far_bind,
    .listen = far_listen,
    .accept = far_accept,
    .connect = far_connect,
    .recvfrom = far_recvfrom,
    .sendto = far_sendto,
    .shutdown = far_shutdown,
    .close = far_close,
    .setsockopt = far_setsockopt,
    .getsockname = far_getsockname,
};

void live_kernel(struct live *l)
{
	bed_kernel(&l->bed);
	signal(SIGPIPE, SIG_DFL);
	l->c = &kernel_calls;
}

void live_percore(struct live *l, struct rte_mempool *pool)
{
	const struct pc_host_config hc = {.nb_lcores = 1, .max_sockets = 256};

	bed_percore(&l->bed, pool);
	lcore.far = l->bed.call;
	l->bed.call = &far_calls;
	l->bed.host = pc_host_create(&hc);
	l->bed.service = l->bed.host != NULL ? pc_host_add(l->bed.host, 0, l->bed.st[NEAR]) : NULL;
	if (l->bed.service == NULL)
		abort();
	__atomic_store_n(&lcore.others, lcore.drives, __ATOMIC_RELAXED);
	start_lcore(l);
	lcore.driver = (struct pcx_driver){.arg = &l->bed, .turn = drive, .sleep = drive_sleep};
	pcx_set_driver(lcore.drives ? &lcore.driver : NULL);
	if (pcx_attach_fd(pc_host_connect(l->bed.host)) != 0)
		abort();
	l->c = &percore_calls;
}

void live_ip6(struct live *l)
{
	/* fd00::2; of a link-local address comes another by itself */
	const struct pc_prefix p = {.addr.b = {0xfd, [15] = 2}, .len = 64};

	if (l->bed.st[NEAR] == NULL)
		return;
	pthread_mutex_lock(&lcore.lock);
	if (pc_stack_add_addr(l->bed.st[NEAR], 0, &p) != 0)
		abort();
	pthread_mutex_unlock(&lcore.lock);
}

void live_end(struct live *l)
{
	if (l->bed.host != NULL) {
		pcx_detach();
		pcx_set_driver(NULL);
		__atomic_store_n(&lcore.others, false, __ATOMIC_RELAXED);
		live_sleep(5); /* the service closes what is left */
		__atomic_store_n(&lcore.ends, true, __ATOMIC_RELAXED);
		pthread_join(lcore.thread, NULL);
		lcore.pid = 0;
	}
	bed_close(&l->bed);
}

/* ---- helpers ---------------------------------------------------------------------------------- */

/* On a busy machine the lcore may have been kept from running meanwhile. */
static void let_lcore_rest(void)
{
	const unsigned seen = __atomic_load_n(&lcore.rests, __ATOMIC_ACQUIRE);
	const struct timespec nap = {.tv_nsec = 100000};

	for (int i = 0; i < RESTS_NAPS; i++) {
		if (__atomic_load_n(&lcore.rests, __ATOMIC_ACQUIRE) - seen >= 2)
			return;
		(void)nanosleep(&nap, NULL);
	}
}

/* While nobody is in a call, nobody drives: here it is as if somebody were. The far side's thread may have been kept from
 * running meanwhile: it has nothing left to do when it rests twice without a frame for this side. */
static void sleep_driving(unsigned ms)
{
	const uint64_t end = clock_ns() + ms * UINT64_C(1000000);
	const struct timespec nap = {.tv_nsec = 50000};
	unsigned seen = __atomic_load_n(&lcore.rests, __ATOMIC_ACQUIRE);

	for (int late = 0; late < RESTS_NAPS;) {
		const bool is_late = clock_ns() >= end;
		const unsigned n = drive(lcore.driver.arg),
		               rests = __atomic_load_n(&lcore.rests, __ATOMIC_ACQUIRE);

		if (n > 0)
			seen = rests;
		else if (is_late && (rests - seen >= 2 || lcore.pid != getpid()))
			return;
		late += is_late;
		(void)nanosleep(&nap, NULL);
	}
}

void live_sleep(unsigned ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	if (__atomic_load_n(&lcore.others, __ATOMIC_RELAXED)) {
		sleep_driving(ms);
		return;
	}
	while (nanosleep(&ts, &ts) != 0)
		continue;
	if (lcore.pid == getpid())
		let_lcore_rest();
}

int live_listener(struct live *l, int backlog, struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int fd = l->c->socket(AF_INET, SOCK_STREAM, 0), one = 1;

	*a = bed_addr(&l->bed, NEAR, 0);
	if (fd < 0 || l->c->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    l->c->bind(fd, (struct sockaddr *)a, len) != 0 || l->c->listen(fd, backlog) != 0 ||
	    l->c->getsockname(fd, (struct sockaddr *)a, &len) != 0)
		abort();
	return fd;
}

int live_far_connect(struct live *l, const struct sockaddr_in *a)
{
	struct bed *b = &l->bed;
	int fd = b->call->socket(b, FAR, AF_INET, SOCK_STREAM, 0), one = 1;

	b->call->setsockopt(b, FAR, fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fd < 0 || (b->call->connect(b, FAR, fd, (const struct sockaddr *)a, sizeof(*a)) != 0 &&
	               errno != EINPROGRESS))
		abort();
	return fd;
}

void live_pair(struct live *l, int fd[2])
{
	struct sockaddr_in a;
	int listener = live_listener(l, 5, &a);

	fd[FAR] = live_far_connect(l, &a);
	fd[NEAR] = l->c->accept4(listener, NULL, NULL, 0);
	if (fd[NEAR] < 0)
		abort();
	l->c->close(listener);
}

void live_far_send(struct live *l, int fd, size_t n)
{
	char buf[26];

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)('a' + i);
	for (size_t done = 0; done < n;) {
		size_t at = done % sizeof(buf), want = sizeof(buf) - at;
		ssize_t rc = l->bed.call->sendto(&l->bed, FAR, fd, buf + at,
		                                 want < n - done ? want : n - done, 0, NULL, 0);

		if (rc > 0)
			done += (size_t)rc;
		else if (errno != EAGAIN)
			abort();
		else
			live_sleep(1);
	}
}

size_t live_far_recv(struct live *l, int fd, size_t n)
{
	static char buf[65536];
	size_t done = 0;

	for (unsigned patience = 0; done < n && patience < 2000;) {
		ssize_t rc = l->bed.call->recvfrom(&l->bed, FAR, fd, buf,
		                                   n - done < sizeof(buf) ? n - done : sizeof(buf),
		                                   0, NULL, NULL);

		if (rc == 0)
			break;
		if (rc > 0)
			done += (size_t)rc;
		else if (patience++ < 2000)
			live_sleep(1);
	}
	return done;
}

void live_log(struct live *l, const char *what, long rc)
{
	int error = errno;

	bed_log(&l->bed, "%s: %ld", what, rc);
	if (rc == -1)
		bed_log(&l->bed, " %s", bed_errno(error));
	bed_log(&l->bed, "\n");
}

static struct {
	pthread_t thread;
	struct live *l;
	unsigned ms;
	void (*what)(struct live *l, int fd);
	int fd;
} later;

static void *run_later(void *arg)
{
	(void)arg;
	live_sleep(later.ms);
	later.what(later.l, later.fd);
	return NULL;
}

void live_later(struct live *l, unsigned ms, void (*what)(struct live *l, int fd), int fd)
{
	sigset_t all, old;

	later.l = l;
	later.ms = ms;
	later.what = what;
	later.fd = fd;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old); /* signals are for the program's thread */
	if (pthread_create(&later.thread, NULL, run_later, NULL) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void live_join(void)
{
	pthread_join(later.thread, NULL);
}

/* ---- comparing -------------------------------------------------------------------------------- */

static struct {
	struct cases cases;
	struct rte_mempool *pool;
} suite;

/* The lines that differ, as long as the logs have the same lines otherwise. */
static void print_difference(const struct bed *k, const struct bed *p)
{
	const char *a = k->log, *b = p->log;

	for (unsigned shown = 0; *a != '\0' && *b != '\0' && shown < 40;) {
		int la = (int)strcspn(a, "\n"), lb = (int)strcspn(b, "\n");

		if (la != lb || strncmp(a, b, (size_t)la) != 0) {
			fprintf(stderr, "  kernel:  %.*s\n  percore: %.*s\n", la, a, lb, b);
			shown++;
		}
		a += la + (a[la] == '\n');
		b += lb + (b[lb] == '\n');
	}
}

static bool compare(const struct live_case *c)
{
	struct live k, p;
	bool same;

	live_kernel(&k);
	c->program(&k);
	bed_log(&k.bed, ".\n");
	live_percore(&p, suite.pool);
	c->program(&p);
	bed_log(&p.bed, ".\n");
	same = k.bed.log_len == p.bed.log_len && memcmp(k.bed.log, p.bed.log, k.bed.log_len) == 0;
	if (!same) {
		fprintf(stderr, "\n%s: kernel and percore differ:\n", c->name);
		print_difference(&k.bed, &p.bed);
	}
	live_end(&k);
	live_end(&p);
	return same;
}

/* Times are real here, and a busy machine stretches them, for the kernel's side as well: what differs once is looked at
 * again. What is wrong always differs. */
static void run_case(void)
{
	uint32_t in_use = eal_in_use(suite.pool);
	bool same = false;

	for (int i = 0; i < TRIES && !same; i++)
		same = compare(cases_current(&suite.cases));
	CU_ASSERT(same);
	CU_ASSERT_EQUAL(eal_in_use(suite.pool), in_use);
}

int live_main(int argc, char **argv, const char *name, const struct live_case *cases, unsigned n)
{
	const char *only = "";

	if (argc > 1 && strcmp(argv[1], "--drive") == 0) {
		lcore.drives = true;
		argc--, argv++;
	}
	if (argc == 3 && strcmp(argv[1], "--case") == 0) {
		only = argv[2];
	} else if (argc != 1) {
		fprintf(stderr, "usage: %s [--drive] [--case TEXT]\n", argv[0]);
		return 2;
	}
	bed_own_network();
	eal_start();
	suite.cases = (struct cases){
	    .first = cases, .size = sizeof(*cases), .n = n, .only = only, .run = run_case};
	suite.pool = eal_pool("live", 8191);
	return cases_run(name, &suite.cases);
}
