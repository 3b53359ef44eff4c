/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules for all stacks of a program, while a thread drives them; and one of them that does not answer for a while. */
#include "run/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_ring_elem.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "fw/fw.h"
#include "run/worker.h"
#include "stack/stack.h"

#define STACKS 2

static const struct pc_run_app app = {.name = "test", .summary = "is a test"};
static struct settings settings;
static struct worker workers[STACKS];
static struct run run = {.s = &settings, .app = &app, .nb_workers = STACKS};
static struct rte_mempool *pool;
static pthread_t driver;
static bool ends, still[STACKS]; /* atomic: no more turns; of this stack, none */
/* of who waits for stacks: until they have answered, or two seconds; not at all, as when the program ends */
static const bool never, at_once = true;
static char why[256];

static void *drive(void *arg)
{
	uint64_t now = 1000000000;

	(void)arg;
	while (!__atomic_load_n(&ends, __ATOMIC_ACQUIRE)) {
		now += 1000000;
		for (unsigned i = 0; i < STACKS; i++)
			if (!__atomic_load_n(&still[i], __ATOMIC_ACQUIRE))
				pc_stack_poll(workers[i].st, now);
		usleep(100);
	}
	return NULL;
}

static int begin(const char *rules)
{
	struct pc_stack_config c;
	int rc;

	settings_init(&settings, &app, NULL);
	strcpy(settings.control, "/nobody/asks");
	if (rules != NULL)
		strcpy(settings.firewall, rules);
	pc_stack_config_init(&c);
	c.stack_max_connections = 64;
	for (unsigned i = 0; i < STACKS; i++) {
		workers[i].st = pc_stack_create(&c, pool);
		workers[i].lcore = i;
		run.workers[i] = &workers[i];
		CU_ASSERT_PTR_NOT_NULL_FATAL(workers[i].st);
	}
	rc = firewall_start(&run);
	ends = false;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&driver, NULL, drive, NULL), 0);
	return rc;
}

static void finish(void)
{
	__atomic_store_n(&ends, true, __ATOMIC_RELEASE);
	pthread_join(driver, NULL);
	firewall_stop(&run);
	for (unsigned i = 0; i < STACKS; i++)
		pc_stack_destroy(workers[i].st);
	firewall_free(&run);
	CU_ASSERT_PTR_NULL(run.firewall);
}

static int load_until(const char *text, const bool *given_up)
{
	return firewall_load(&run, "rules", text, strlen(text), given_up, why, sizeof(why));
}

static int load(const char *text)
{
	return load_until(text, &never);
}

static bool is_json; /* what is shown */

/* what is shown */
static char *shown(void)
{
	static char text[2048];
	struct rows o = {.f = fmemopen(text, sizeof(text), "w"), .is_json = is_json};

	CU_ASSERT_PTR_NOT_NULL_FATAL(o.f);
	firewall_show(&run, &o);
	fclose(o.f);
	return text;
}

/** A stream of this process, and the descriptors of where it led and of the file that it leads to. */
struct output {
	FILE *stream;
	int before, fd;
};

/* What is written to a stream goes into a file from here on, until stop_output. */
static struct output keep_output(FILE *stream)
{
	const struct output o = {stream, dup(fileno(stream)), memfd_create("output", 0)};

	fflush(stream);
	CU_ASSERT_FATAL(o.before >= 0 && o.fd >= 0 && dup2(o.fd, fileno(stream)) >= 0);
	return o;
}

/* what was written */
static const char *stop_output(struct output o)
{
	static char text[1024];
	ssize_t n;

	fflush(o.stream);
	CU_ASSERT_FATAL(dup2(o.before, fileno(o.stream)) >= 0);
	n = pread(o.fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(o.before);
	close(o.fd);
	return text;
}

static void test_load(void)
{
	CU_ASSERT_EQUAL(begin(NULL), 0);
	CU_ASSERT_STRING_EQUAL(shown(), "ok\nno rules: everything passes\n");
	CU_ASSERT_EQUAL(load("pass in proto tcp to port 80 log\ndefault in drop"), 0);
	CU_ASSERT_STRING_EQUAL(shown(),
	                       "ok\n"
	                       "           0              0  pass in proto tcp to port 80 log\n"
	                       "           0              0  default in drop\n"
	                       "           0              0  default out pass\n");
	CU_ASSERT_EQUAL(load("pass in\npass up"), -1);
	CU_ASSERT_STRING_EQUAL(why, "rules:2: \"up\" is not \"in\" or \"out\"");
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "to port 80 log\n"));
	for (unsigned i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(load(i % 2 == 0 ? "drop in log" : "pass out state established"), 0);
	CU_ASSERT_EQUAL(firewall_flush(&run, &never, why, sizeof(why)), 0);
	CU_ASSERT_STRING_EQUAL(shown(), "ok\nno rules: everything passes\n");
	CU_ASSERT_EQUAL(load("drop in"), 0); /* and it ends with rules */
	finish();
}

/* as long as one lcore may use the old rules, they stay, and no others come */
static void test_late(void)
{
	int rc;

	CU_ASSERT_EQUAL(begin(NULL), 0);
	CU_ASSERT_EQUAL(load("drop in log"), 0);
	__atomic_store_n(&still[1], true, __ATOMIC_RELEASE);
	CU_ASSERT_EQUAL(load("pass in"), -1);
	CU_ASSERT_STRING_EQUAL(why, "the rules are not yet in effect on every lcore");
	CU_ASSERT_EQUAL(load_until("pass out", &at_once), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "nothing changed"));
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "pass in\n"));
	__atomic_store_n(&still[1], false, __ATOMIC_RELEASE);
	for (unsigned i = 0; (rc = load("pass out")) != 0 && i < 1000; i++)
		usleep(1000);
	CU_ASSERT_EQUAL(rc, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "pass out\n"));
	finish();
}

static int do_nothing(struct pc_stack *st, const void *data)
{
	(void)st;
	(void)data;
	return 0;
}

static void fill_mailbox(struct pc_stack *st)
{
	while (pc_stack_post(st, do_nothing, NULL, 0) != 0)
		continue;
}

static int find_set(struct pc_stack *st, const void *data)
{
	struct pc_firewall **found;

	memcpy(&found, data, sizeof(found));
	__atomic_store_n(found, st->ip.fw.set, __ATOMIC_RELEASE);
	return 0;
}

/* What a stack has, as it says itself. */
static struct pc_firewall *set_of(const struct worker *w)
{
	struct pc_firewall *set = NULL, **at = &set;
	uint64_t ticket;
	int rc;

	while ((ticket = pc_stack_post(w->st, find_set, &at, sizeof(at))) == 0)
		usleep(100);
	while (!pc_stack_posted(w->st, ticket, &rc))
		usleep(100);
	return __atomic_load_n(&set, __ATOMIC_ACQUIRE);
}

/* a stack that could not even be asked gets the rules as soon as it can, whether or not anybody tries again */
static void test_full(void)
{
	struct pc_firewall *set;

	CU_ASSERT_EQUAL(begin(NULL), 0);
	__atomic_store_n(&still[1], true, __ATOMIC_RELEASE);
	fill_mailbox(workers[1].st);
	CU_ASSERT_EQUAL(load("pass in"), -1);
	CU_ASSERT_STRING_EQUAL(why, "the rules are not yet in effect on every lcore");
	__atomic_store_n(&still[1], false, __ATOMIC_RELEASE);
	CU_ASSERT_EQUAL(load("pass out"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "pass out\n"));
	__atomic_store_n(&still[1], true, __ATOMIC_RELEASE);
	fill_mailbox(workers[1].st);
	CU_ASSERT_EQUAL(load_until("drop in", &at_once), -1);
	set = firewall_hold(&run);
	firewall_release(&run);
	__atomic_store_n(&still[1], false, __ATOMIC_RELEASE);
	while (set_of(&workers[1]) != set)
		usleep(1000);
	finish();
}

/* what was logged under rules in whose place others have come is printed all the same */
static void test_logs(void)
{
	const struct pc_firewall_log l = {.src.addr = pc_addr_ip4(htonl(0x0a000001)),
	                                  .dst.addr = pc_addr_ip4(htonl(0x0a000002)),
	                                  .line = 7,
	                                  .proto = IPPROTO_IGMP,
	                                  .action = FW_DROP,
	                                  .len = 8};
	struct pc_firewall *set;
	struct output output;

	CU_ASSERT_EQUAL(begin(NULL), 0);
	CU_ASSERT_EQUAL(load("drop in log"), 0);
	output = keep_output(stdout);
	set = firewall_hold(&run);
	for (unsigned i = 0; i < STACKS; i++)
		CU_ASSERT_EQUAL(
		    rte_ring_sp_enqueue_elem(set->slot[i].log, (void *)(uintptr_t)&l, sizeof(l)),
		    0);
	firewall_release(&run);
	CU_ASSERT_EQUAL(firewall_flush(&run, &never, why, sizeof(why)), 0);
	finish();
	CU_ASSERT_STRING_EQUAL(stop_output(output),
	                       "test: firewall: lcore 0: drop in by line 7, port 0: 2 10.0.0.1 > "
	                       "10.0.0.2, 8 bytes\n"
	                       "test: firewall: lcore 1: drop in by line 7, port 0: 2 10.0.0.1 > "
	                       "10.0.0.2, 8 bytes\n");
}

static int change_until(const char *table, enum pc_firewall_verb verb, const char *text,
                        const bool *given_up)
{
	const struct pc_firewall_change c = {
	    .table = table, .verb = verb, .text = text, .len = strlen(text), .name = "b"};
	unsigned changed = 0;

	return firewall_change_table(&run, &c, given_up, &changed, why, sizeof(why)) == 0
	           ? (int)changed
	           : -1;
}

static int change(const char *table, enum pc_firewall_verb verb, const char *text)
{
	return change_until(table, verb, text, &never);
}

/* what is shown of a table, or of all if it is NULL */
static char *shown_of(const char *name, const char *of)
{
	static char text[2048];
	struct rows o = {.f = fmemopen(text, sizeof(text), "w"), .is_json = is_json};

	CU_ASSERT_PTR_NOT_NULL_FATAL(o.f);
	if (name != NULL)
		firewall_show_table(&run, name, of, &o);
	else
		firewall_show_tables(&run, &o);
	fclose(o.f);
	return text;
}

static char *shown_table(const char *name)
{
	return shown_of(name, NULL);
}

static void test_tables(void)
{
	CU_ASSERT_EQUAL(begin(NULL), 0);
	CU_ASSERT_EQUAL(change("a", PC_FIREWALL_ADD, "10.0.0.1"), -1);
	CU_ASSERT_STRING_EQUAL(why, "no table \"a\": there are no rules");
	CU_ASSERT_STRING_EQUAL(shown_table(NULL), "ok\n");
	CU_ASSERT_EQUAL(load("table a\ntable b { 10.0.0.7 }\ndrop in from <a>,<b>"), 0);
	CU_ASSERT_EQUAL(change("a", PC_FIREWALL_ADD, "10.0.0.1 2001:db8::/32"), 2);
	CU_ASSERT_EQUAL(change("a", PC_FIREWALL_ADD, "10.0.0.1"), 0);
	CU_ASSERT_EQUAL(change("b", PC_FIREWALL_REPLACE, "10.0.0.8 10.0.0.9"), 2);
	CU_ASSERT_STRING_EQUAL(shown_table(NULL), "ok\na 2\nb 2\n");
	CU_ASSERT_STRING_EQUAL(shown_table("a"), "ok\n10.0.0.1/32\n2001:db8::/32\n");
	CU_ASSERT_STRING_EQUAL(shown_table("c"), "error no table \"c\" in the rules\n");
	CU_ASSERT_EQUAL(change("a", PC_FIREWALL_ADD, "ten"), -1);
	CU_ASSERT_STRING_EQUAL(why,
	                       "b:1: \"ten\" is not an address or network (example: 192.0.2.0/24)");
	/* of other rules, a table without addresses keeps those that it has */
	CU_ASSERT_EQUAL(load("table b { 10.0.0.7 }\ntable a\ndrop in from <a>"), 0);
	CU_ASSERT_STRING_EQUAL(shown_table("a"), "ok\n10.0.0.1/32\n2001:db8::/32\n");
	CU_ASSERT_STRING_EQUAL(shown_table("b"), "ok\n10.0.0.7/32\n");
	/* a stack that does not answer has the table as it was, and nothing else changes */
	__atomic_store_n(&still[1], true, __ATOMIC_RELEASE);
	CU_ASSERT_EQUAL(change_until("a", PC_FIREWALL_DELETE, "10.0.0.1", &at_once), -1);
	CU_ASSERT_STRING_EQUAL(why, "the rules are not yet in effect on every lcore");
	CU_ASSERT_EQUAL(change_until("a", PC_FIREWALL_DELETE, "2001:db8::/32", &at_once), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "nothing changed"));
	CU_ASSERT_STRING_EQUAL(shown_table("a"), "ok\n2001:db8::/32\n");
	__atomic_store_n(&still[1], false, __ATOMIC_RELEASE);
	for (unsigned i = 0; change("a", PC_FIREWALL_REPLACE, "") != 0 && i < 1000; i++)
		usleep(1000);
	CU_ASSERT_STRING_EQUAL(shown_table("a"), "ok\n");
	finish();
}

static void test_json(void)
{
	CU_ASSERT_EQUAL(begin(NULL), 0);
	is_json = true;
	CU_ASSERT_STRING_EQUAL(shown(), "ok\n[\n]\n");
	CU_ASSERT_STRING_EQUAL(shown_table(NULL), "ok\n[\n]\n");
	CU_ASSERT_EQUAL(load("table web ports { 80 8000-8080 }\n"
	                     "pass in proto tcp to port <web>\ndefault in drop"),
	                0);
	CU_ASSERT_STRING_EQUAL(shown_table("web"),
	                       "ok\n[\n{\"entry\":\"80\",\"left_s\":null},\n"
	                       "{\"entry\":\"8000-8080\",\"left_s\":null}\n]\n");
	CU_ASSERT_STRING_EQUAL(
	    shown(), "ok\n[\n"
	             "{\"packets\":0,\"bytes\":0,\"rule\":\"pass in proto tcp to port <web>\"},\n"
	             "{\"packets\":0,\"bytes\":0,\"rule\":\"default in drop\"},\n"
	             "{\"packets\":0,\"bytes\":0,\"rule\":\"default out pass\"}\n]\n");
	is_json = false;
	finish();
}

static void test_port_tables(void)
{
	CU_ASSERT_EQUAL(begin(NULL), 0);
	CU_ASSERT_EQUAL(load("table a\ntable web ports { 8000-8080, 80 443 65535 0-1 }\n"
	                     "drop in proto tcp from <a> to port <web>"),
	                0);
	CU_ASSERT_STRING_EQUAL(shown_table(NULL), "ok\na 0\nweb 86\n");
	CU_ASSERT_STRING_EQUAL(shown_table("web"), "ok\n0-1\n80\n443\n8000-8080\n65535\n");
	CU_ASSERT_STRING_EQUAL(shown_of("web", "8080"), "ok\n8080\n");
	CU_ASSERT_STRING_EQUAL(shown_of("web", "0"), "ok\n0\n");
	CU_ASSERT_STRING_EQUAL(shown_of("web", "8081"), "error 8081 is not in table \"web\"\n");
	CU_ASSERT_STRING_EQUAL(shown_of("web", "65536"),
	                       "error \"65536\" is not a port from 0 to 65535\n");
	CU_ASSERT_STRING_EQUAL(shown_of("web", "-1"),
	                       "error \"-1\" is not a port from 0 to 65535\n");
	CU_ASSERT_STRING_EQUAL(shown_of("a", "80"),
	                       "error \"80\" is not an address or network (example: 192.0.2.1)\n");
	CU_ASSERT_EQUAL(change("web", PC_FIREWALL_DELETE, "8001-65534"), 80);
	CU_ASSERT_STRING_EQUAL(shown_table("web"), "ok\n0-1\n80\n443\n8000\n65535\n");
	CU_ASSERT_EQUAL(change("web", PC_FIREWALL_REPLACE, "0-65535"), 65536);
	CU_ASSERT_STRING_EQUAL(shown_table("web"), "ok\n0-65535\n");
	finish();
}

/* addresses that are added for a time, and which entries an address is in */
static void test_times(void)
{
	struct pc_firewall_change c = {.table = "a", .verb = PC_FIREWALL_ADD, .name = "b"};
	const char *const brief = "10.0.0.1 10.0.0.9 2001:db8::/32";
	const int fd = memfd_create("list", 0);
	unsigned changed;

	clock_init(&run.clock, rte_get_tsc_hz());
	CU_ASSERT_EQUAL(begin(NULL), 0);
	CU_ASSERT_EQUAL(load("table a { 10.0.0.0/24 }\ndrop in from <a>"), 0);
	CU_ASSERT_FATAL(write(fd, "10.0.0.1\n10.7.0.0/16", 20) == 20);
	CU_ASSERT_EQUAL(
	    firewall_change_table_fd(&run, &c, 3600, fd, &never, &changed, why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(changed, 2);
	CU_ASSERT_STRING_EQUAL(shown_table("a"),
	                       "ok\n10.0.0.0/24\n10.0.0.1/32 # 3600 s\n10.7.0.0/16 # 3600 s\n");
	CU_ASSERT_STRING_EQUAL(shown_of("a", "10.0.0.1"),
	                       "ok\n10.0.0.0/24\n10.0.0.1/32 # 3600 s\n");
	CU_ASSERT_STRING_EQUAL(shown_of("a", "10.7.9.0/24"), "ok\n10.7.0.0/16 # 3600 s\n");
	CU_ASSERT_STRING_EQUAL(shown_of("a", "10.0.0.0/16"),
	                       "error 10.0.0.0/16 is not in table \"a\"\n");
	/* without a command, and on every stack */
	c.text = brief;
	c.len = strlen(brief);
	c.end_ns = clock_now(&run.clock) + 1000000;
	CU_ASSERT_EQUAL(firewall_change_table(&run, &c, &never, &changed, why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(changed, 2);
	for (unsigned i = 0; strstr(shown_table("a"), "2001") != NULL && i < 1000; i++)
		usleep(10000);
	CU_ASSERT_STRING_EQUAL(shown_table("a"), "ok\n10.0.0.0/24\n10.7.0.0/16 # 3600 s\n");
	CU_ASSERT_EQUAL(change("a", PC_FIREWALL_ADD, "10.0.0.2"), 1);
	CU_ASSERT_PTR_NULL(firewall_hold(&run)->replaced);
	firewall_release(&run);
	close(fd);
	finish();
	run.clock = (struct clock){0};
}

/* what rules have put into a table is shown with its time, and deleted */
static void test_learnt(void)
{
	const struct pc_addr a = pc_addr_ip4(htonl(0x0a000001)), b = {.b = {0x20, 1}};
	struct pc_firewall *set;

	CU_ASSERT_EQUAL(begin(NULL), 0);
	CU_ASSERT_EQUAL(load("table bad { 10.0.0.7 }\ntable none\ndrop in from <bad>\n"
	                     "pass in limit 5/s per source overload <bad> timeout 1h"),
	                0);
	set = firewall_hold(&run);
	fw_learnt_put(&set->learnt, 0, 0, &a, UINT64_C(3600000000000), 0);
	fw_learnt_put(&set->learnt, 1, 0, &b, UINT64_C(10000000000), 0);
	firewall_release(&run);
	CU_ASSERT_STRING_EQUAL(shown_table(NULL), "ok\nbad 3\nnone 0\n");
	CU_ASSERT_STRING_EQUAL(shown_table("bad"),
	                       "ok\n10.0.0.7/32\n10.0.0.1/32 # 3600 s\n2001::/64 # 10 s\n");
	CU_ASSERT_STRING_EQUAL(shown_of("bad", "2001::7:7"), "ok\n2001::/64 # 10 s\n");
	CU_ASSERT_EQUAL(change("bad", PC_FIREWALL_DELETE, "2001::1"), 1);
	CU_ASSERT_STRING_EQUAL(shown_of("bad", "2001::7:7"),
	                       "error 2001::7:7 is not in table \"bad\"\n");
	CU_ASSERT_STRING_EQUAL(shown_table("bad"), "ok\n10.0.0.7/32\n10.0.0.1/32 # 3600 s\n");
	is_json = true;
	CU_ASSERT_STRING_EQUAL(shown_table("bad"),
	                       "ok\n[\n{\"entry\":\"10.0.0.7/32\",\"left_s\":null},\n"
	                       "{\"entry\":\"10.0.0.1/32\",\"left_s\":3600}\n]\n");
	CU_ASSERT_STRING_EQUAL(shown_table(NULL), "ok\n[\n{\"name\":\"bad\",\"entries\":2},\n"
	                                          "{\"name\":\"none\",\"entries\":0}\n]\n");
	CU_ASSERT_STRING_EQUAL(shown_table("no"), "error no table \"no\" in the rules\n");
	is_json = false;
	CU_ASSERT_EQUAL(change("bad", PC_FIREWALL_REPLACE, ""), 0);
	CU_ASSERT_STRING_EQUAL(shown_table("bad"), "ok\n");
	finish();
}

static void write_file(int fd, const char *text)
{
	CU_ASSERT_EQUAL(ftruncate(fd, 0), 0);
	CU_ASSERT_EQUAL(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

static void test_file(void)
{
	const int fd = memfd_create("rules", 0);
	struct output output;
	char path[64];

	CU_ASSERT_EQUAL(fchmod(fd, 0600), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	write_file(fd, "drop in\n");
	CU_ASSERT_EQUAL(begin(path), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "drop in\n"));
	write_file(fd, "reject in\n");
	firewall_reload(&run, path, &never, stdout, stderr);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "reject in\n"));
	write_file(fd, "eject in\n");
	firewall_reload(&run, path, &never, stdout, stderr);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "reject in\n"));
	firewall_reload(&run, "", &never, stdout,
	                stderr); /* it is not named any more: the rules stay */
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "reject in\n"));
	/* rules that some lcore does not take at once do not stay */
	__atomic_store_n(&still[0], true, __ATOMIC_RELEASE);
	write_file(fd, "pass in\n");
	output = keep_output(stderr);
	firewall_reload(&run, path, &at_once, stdout, stderr);
	CU_ASSERT_STRING_EQUAL(stop_output(output),
	                       "test: the rules are not yet in effect on every lcore\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "pass in\n"));
	__atomic_store_n(&still[0], false, __ATOMIC_RELEASE);
	write_file(fd, "reject in\n");
	firewall_reload(&run, path, &never, stdout, stderr);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "reject in\n"));
	write_file(fd, "eject in\n");
	CU_ASSERT_EQUAL(firewall_check_fd(&run, "a", fd, why, sizeof(why)), -1);
	CU_ASSERT_STRING_EQUAL(why, "a:1: \"eject\" is not \"pass\", \"drop\" or \"reject\"");
	write_file(fd, "pass out\n");
	CU_ASSERT_EQUAL(firewall_check_fd(&run, "a", fd, why, sizeof(why)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "reject in\n"));
	CU_ASSERT_EQUAL(firewall_load_fd(&run, "a", fd, &never, why, sizeof(why)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown(), "pass out\n"));
	finish();
	/* what everybody may write, what is wrong, what is not there */
	CU_ASSERT_EQUAL(fchmod(fd, 0602), 0);
	CU_ASSERT_EQUAL(begin(path), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(settings.why, "file is writable by everyone"));
	finish();
	CU_ASSERT_EQUAL(fchmod(fd, 0600), 0);
	write_file(fd, "\neject in\n");
	CU_ASSERT_EQUAL(begin(path), -1);
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(settings.why, ":2: \"eject\" is not \"pass\", \"drop\" or \"reject\""));
	finish();
	CU_ASSERT_EQUAL(begin("/nowhere/rules"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(settings.why, "/nowhere/rules: No such file or directory"));
	finish();
	close(fd);
}

/* nobody waits for who may write to a pipe */
static void test_pipe(void)
{
	char path[] = "/tmp/percore-rules-XXXXXX", text[64];
	const int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	snprintf(text, sizeof(text), "table a file %s", path);
	CU_ASSERT_EQUAL(begin(NULL), 0);
	CU_ASSERT_EQUAL(load(text), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "not a regular file"));
	finish();
	CU_ASSERT_EQUAL(begin(path), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(settings.why, "not a regular file"));
	finish();
	CU_ASSERT_EQUAL(unlink(path), 0);
}

/* ports by their names, VLANs too, in the order of the stacks' interfaces */
static void test_ports(void)
{
	static struct pc_port device = {.info.name = "net_tap0"},
	                      vlan = {.info.name = "net_tap0.10"};
	struct fw_entry *entry;

	workers[0].ports[0] = &device;
	workers[0].ports[1] = &vlan;
	run.nb_ports = run.nb_vlans = 1;
	CU_ASSERT_EQUAL(begin(NULL), 0);
	CU_ASSERT_EQUAL_FATAL(load("drop in on net_tap0.10\ndrop in on net_tap0"), 0);
	entry = firewall_hold(&run)->rules.entry;
	CU_ASSERT(entry[0].netif.first == 1 && entry[0].netif.last == 1);
	CU_ASSERT(entry[1].netif.first == 0 && entry[1].netif.last == 0);
	firewall_release(&run);
	CU_ASSERT_EQUAL(load("drop in on net_tap0.20"), -1);
	finish();
	run.nb_ports = run.nb_vlans = 0;
}

static const struct unit_case cases[] = {
    {"rules for all stacks", test_load},
    {"a stack that does not answer for a while", test_late},
    {"a stack whose mailbox is full for a while", test_full},
    {"what was logged under the rules before", test_logs},
    {"ports by their names", test_ports},
    {"tables", test_tables},
    {"tables of ports", test_port_tables},
    {"rules and tables in JSON", test_json},
    {"sources that rules have put into tables", test_learnt},
    {"addresses that are added for a time", test_times},
    {"files", test_file},
    {"pipes", test_pipe},
};

int main(void)
{
	eal_start();
	pool = eal_pool("firewall", 1023);
	return unit_run("run/firewall", cases, sizeof(cases) / sizeof(cases[0]));
}
