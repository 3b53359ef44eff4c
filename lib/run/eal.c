/* SPDX-License-Identifier: BSD-2-Clause */
/* for the functions that create an event for EAL's interrupt thread */
#define ALLOW_EXPERIMENTAL_API
#include "eal.h"

#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include <percore/run.h>

#include "quiet.h"
#include "rejoin.h"
#include "taps.h"

static bool has_arg(int n, char **argv, const char *name)
{
	for (int i = 1; i <= n; i++)
		if (strncmp(argv[i], name, strlen(name)) == 0)
			return true;
	return false;
}

bool eal_wants_help(int nb_eal, char **argv)
{
	return has_arg(nb_eal, argv, "--help") || has_arg(nb_eal, argv, "-h");
}

/* Explains why rte_eal_init failed, as far as its message allows. */
static int fail_start(struct settings *s, const char *line, const struct eal *eal)
{
	if (strstr(line, "unrecognized option") != NULL || strstr(line, "invalid option") != NULL ||
	    strstr(line, "unknown argument") != NULL)
		return settings_fail(
		    s, "EAL rejected an option before \"--\": %s (options of %s come after \"--\")",
		    line, s->app->name);
	if (strstr(line, "core list") != NULL || strstr(line, "lcore") != NULL)
		return settings_fail(s, "EAL cannot run on these lcores: %s; see -l and lscpu",
		                     line);
	if (strstr(line, "hugepage") != NULL)
		return settings_fail(s, "no free hugepages: set some up with scripts/hugepages, or "
		                        "use the EAL option --no-huge");
	if (strstr(line, "memory") != NULL || strstr(line, "memseg") != NULL ||
	    strstr(line, "allocat") != NULL)
		return settings_fail(s, "EAL cannot allocate memory: %s; %s", line,
		                     eal->no_huge ? "lower -m"
		                                  : "set up hugepages with scripts/hugepages, or "
		                                    "lower -m or --socket-mem");
	if (rte_errno == EACCES || rte_errno == EPERM || strstr(line, "ermission") != NULL)
		return settings_fail(s, "EAL was denied permission: %s; run as root", line);
	if (strstr(line, "parse device") != NULL)
		return settings_fail(
		    s,
		    "EAL does not know a device: %s; --vdev takes a driver name and number "
		    "(example: net_tap0), -a a PCI address (example: 0000:03:00.0)",
		    line);
	return settings_fail(s, "EAL failed to start: %s",
	                     *line != '\0' ? line : strerror(rte_errno));
}

static int fail_device(struct settings *s, const char *name, const char *line)
{
	if (geteuid() != 0 &&
	    (strstr(line, "ermission") != NULL || strstr(line, "not permitted") != NULL ||
	     strstr(line, "ould not open") != NULL))
		return settings_fail(s, "cannot create device %s without root: %s; run as root",
		                     name, line);
	return settings_fail(s, "cannot use device %s: %s%s", name,
	                     *line != '\0' ? line : "its driver gave no reason",
	                     geteuid() != 0 ? "; some devices need root" : "");
}

/* Devices that fail do not stop EAL; they are simply missing afterwards. */
static int check_device(struct settings *s, const char *arg, const char *line)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	uint16_t id;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg, ","), arg);
	if (strncmp(name, "net_", 4) != 0 && strncmp(name, "eth_", 4) != 0)
		return 0;
	if (rte_eth_dev_get_port_by_name(name, &id) == 0)
		return 0;
	if (strncmp(name, "net_af_", 7) == 0 && strstr(arg, ",iface=") == NULL)
		line = "missing iface=NAME, the interface to use";
	return fail_device(s, name, line);
}

/* The value if the i-th argument is --vdev; otherwise NULL. */
static const char *vdev_of(int n, char **argv, int i)
{
	if (strncmp(argv[i], "--vdev=", 7) == 0)
		return argv[i] + 7;
	return strcmp(argv[i], "--vdev") == 0 && i < n ? argv[i + 1] : NULL;
}

static void clear_left_overs(int n, char **argv)
{
	for (int i = 1; i <= n; i++)
		if (vdev_of(n, argv, i) != NULL)
			rejoin_clear(vdev_of(n, argv, i));
}

static int check_taps(struct settings *s, int n, char **argv)
{
	struct taps taps = {.n = 0};

	for (int i = 1; i <= n; i++)
		if (vdev_of(n, argv, i) != NULL && taps_add(&taps, s, vdev_of(n, argv, i)) != 0)
			return -1;
	return 0;
}

static int check_devices(struct settings *s, int n, char **argv, const char *line)
{
	for (int i = 1; i <= n; i++) {
		const char *arg = vdev_of(n, argv, i);

		if (arg != NULL && check_device(s, arg, line) != 0)
			return -1;
	}
	if (rte_eth_dev_count_avail() > 0)
		return 0;
	if (has_arg(n, argv, "-a") || has_arg(n, argv, "--allow"))
		return settings_fail(s,
		                     "cannot use any of the devices given by -a: %s; bind them "
		                     "with scripts/devbind first",
		                     *line != '\0' ? line : "no DPDK driver claimed them");
	return settings_fail(s,
	                     "no port: give one before \"--\" (example: "
	                     "--vdev=net_tap0,iface=percore0), or bind a NIC with scripts/devbind");
}

/* rte_eal_init that is running. DPDK 25.11 calls exit() there for an option that it does not know. */
static struct {
	struct settings *s; /* NULL: none is running */
	struct quiet *quiet;
	const struct eal *eal;
} init;

static void explain_exit(int status, void *unused)
{
	char line[QUIET_LINE];

	(void)unused;
	if (init.s == NULL || status == 0) /* it has printed its help */
		return;
	quiet_end(init.quiet, line);
	(void)fail_start(init.s, line, init.eal);
	fprintf(stderr, "%s: %s\n", init.s->app->name, init.s->why);
	_exit(EXIT_SETUP);
}

static int call_init(struct settings *s, struct eal_args *args, struct quiet *quiet,
                     const struct eal *eal)
{
	static bool registered;
	int rc;

	if (!registered)
		registered = on_exit(explain_exit, NULL) == 0;
	init.s = s;
	init.quiet = quiet;
	init.eal = eal;
	rc = rte_eal_init(args->argc, args->argv);
	init.s = NULL;
	return rc;
}

int eal_begin(struct settings *s, int nb_given, char **given, struct eal *eal)
{
	char *argv[EAL_ARGS_MAX + 1];
	const int nb_eal = eal_join(s, nb_given, given, argv);
	/* users who set a log level or ask for help want to see the output */
	const bool loud =
	    nb_eal >= 0 && (eal_wants_help(nb_eal, argv) || has_arg(nb_eal, argv, "--log-level") ||
	                    has_arg(nb_eal, argv, "-v"));
	const struct clock_mark begun = clock_mark();
	struct quiet quiet = {-1, -1, -1};
	struct eal_machine machine;
	struct eal_args args;
	char line[QUIET_LINE];
	int rc;

	if (nb_eal < 0)
		return -1;
	eal_look(&machine);
	if (eal_make_args(s, nb_eal, argv, &machine, &args, eal) != 0)
		return -1;
	if (check_taps(s, nb_eal, argv) != 0)
		return -1;
	eal->begun = begun;
	clear_left_overs(nb_eal, argv);
	if (!loud)
		quiet_begin(&quiet);
	rc = call_init(s, &args, &quiet, eal);
	quiet_end(&quiet, line);
	if (rc < 0)
		return fail_start(s, line, eal);
	if (!loud) {
		rte_log_set_global_level(RTE_LOG_ERR);
		/* it reports an error whenever a client does not find its server; but a client of
		 * ours tries again */
		(void)rte_log_set_level_pattern("pmd.net.memif", RTE_LOG_CRIT);
	}
	if (check_devices(s, nb_eal, argv, line) != 0) {
		eal_end();
		return -1;
	}
	return 0;
}

static void park(void *arg)
{
	(void)sem_post(arg);
	for (;;)
		pause();
}

/* Creates an event for EAL's interrupt thread. */
static struct rte_intr_handle *make_event(int *fd)
{
	struct rte_intr_handle *h = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);

	*fd = eventfd(1, EFD_CLOEXEC);
	if (h != NULL && *fd >= 0 && rte_intr_fd_set(h, *fd) == 0 &&
	    rte_intr_type_set(h, RTE_INTR_HANDLE_EXT) == 0)
		return h;
	if (*fd >= 0)
		close(*fd);
	rte_intr_instance_free(h);
	return NULL;
}

/* rte_eal_cleanup unmaps memory that EAL's interrupt thread may be using: net_memif keeps there the
 * peers that have connected but not yet said for which device. So that thread is parked, in the
 * handler of an event of its own; an alarm would not do, as the cleanup waits for alarms. */
static void park_interrupts(void)
{
	struct rte_intr_handle *h;
	sem_t parked;
	int fd;

	h = make_event(&fd);
	if (h == NULL)
		return;
	(void)sem_init(&parked, 0, 0);
	if (rte_intr_callback_register(h, park, &parked) == 0)
		while (sem_wait(&parked) != 0)
			continue;
	(void)sem_destroy(&parked);
	rte_intr_instance_free(h);
}

void pc_run_get_places(struct pc_run_places *p)
{
	const unsigned main = rte_get_main_lcore();

	*p = (struct pc_run_places){.nb_lcores = rte_lcore_count(),
	                            .main_cpu = rte_lcore_to_cpu_id((int)main),
	                            .main_node = (int)rte_lcore_to_socket_id(main)};
	for (unsigned lcore = 0; lcore < RTE_MAX_LCORE; lcore++) {
		const rte_cpuset_t own = rte_lcore_cpuset(lcore);

		if (rte_lcore_is_enabled(lcore))
			CPU_OR(&p->cpus, &p->cpus, &own);
	}
}

void eal_end(void)
{
	char dir[PATH_MAX];
	char *slash;

	park_interrupts();
	snprintf(dir, sizeof(dir), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	/* EAL creates it even if it stays empty; rmdir fails if another process uses it */
	if (rmdir(dir) != 0)
		return;
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir) {
		*slash = '\0';
		(void)rmdir(dir);
	}
}
