/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/stop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "common.h"

static void signals_are_counted(void)
{
	stop_catch();
	CU_ASSERT_EQUAL(stop_wanted(), STOP_NO);
	raise(SIGTERM);
	CU_ASSERT_EQUAL(stop_wanted(), STOP_DRAIN);
	raise(SIGINT);
	CU_ASSERT_EQUAL(stop_wanted(), STOP_NOW);
	stop_catch();
	CU_ASSERT_EQUAL(stop_wanted(), STOP_NO);
	stop_ask(STOP_NOW);
	CU_ASSERT_EQUAL(stop_wanted(), STOP_NOW);
	stop_release();
}

static void what_nohup_ignores_stays_ignored(void)
{
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* as a shell does for a script's background programs */
	stop_catch();
	raise(SIGHUP);
	CU_ASSERT_EQUAL(stop_wanted(), STOP_NO);
	raise(SIGINT);
	CU_ASSERT_EQUAL(stop_wanted(), STOP_DRAIN);
	stop_release();
	signal(SIGHUP, SIG_DFL);
}

static void a_hang_up_can_mean_something_else(void)
{
	stop_catch();
	hangup_catch();
	raise(SIGHUP);
	CU_ASSERT_EQUAL(stop_wanted(), STOP_NO);
	hangup_wait(); /* returns, as it has come */
	hangup_wake();
	hangup_wait();
	stop_release();
}

/* One that comes while a program reads its files, before it has anything to stop. */
static void a_hang_up_before_the_start_is_heard(void)
{
	hangup_catch();
	raise(SIGHUP);
	stop_catch();
	raise(SIGHUP);
	CU_ASSERT_EQUAL(stop_wanted(), STOP_NO);
	hangup_wait(); /* returns, as it has come */
	stop_release();
}

static void *wait_again(void *done)
{
	hangup_wait();
	__atomic_store_n((bool *)done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Who sends ten signals, as a script for each of its files, wants to be heard once. */
static void hang_ups_at_once_are_one(void)
{
	bool done = false;
	pthread_t thread;

	stop_catch();
	hangup_catch();
	for (int i = 0; i < 10; i++)
		raise(SIGHUP);
	hangup_wait();
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, wait_again, &done) == 0);
	usleep(50000);
	CU_ASSERT(!__atomic_load_n(&done, __ATOMIC_ACQUIRE));
	hangup_wake();
	CU_ASSERT(pthread_join(thread, NULL) == 0 && done);
	stop_release();
}

/* SIGUSR1: who waits goes on, once for all that have come, and else when its time is over. */
static void reports_are_waited_for(void)
{
	stop_catch();
	report_catch();
	CU_ASSERT(!report_wait(1));
	raise(SIGUSR1);
	raise(SIGUSR1);
	CU_ASSERT(report_wait(100000));
	CU_ASSERT(!report_wait(1) && !report_wanted());
	report_wake();
	CU_ASSERT(report_wait(100000));
	raise(SIGUSR1);
	stop_forget();
	CU_ASSERT(!report_wanted());
	stop_release();
}

static int own_count;

static void own(int sig)
{
	(void)sig;
	own_count++;
}

/* Runtimes of other languages have small stacks, and each thread another one for signals. */
static void handlers_run_on_the_stack_for_signals(void)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
	struct sigaction sa;

	stop_catch();
	report_catch();
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		CU_ASSERT_EQUAL(sigaction(caught[i], NULL, &sa), 0);
		CU_ASSERT(sa.sa_handler != SIG_DFL && (sa.sa_flags & SA_ONSTACK));
	}
	hangup_catch();
	CU_ASSERT_EQUAL(sigaction(SIGHUP, NULL, &sa), 0);
	CU_ASSERT(sa.sa_flags & SA_ONSTACK);
	stop_release();
}

static void what_was_there_before_comes_back(void)
{
	struct sigaction sa = {.sa_handler = own, .sa_flags = SA_RESTART};

	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, own);
	stop_catch();
	stop_catch(); /* of what is ours already nothing is remembered */
	raise(SIGTERM);
	raise(SIGPIPE);
	CU_ASSERT_EQUAL(own_count, 0);
	stop_release();
	raise(SIGTERM);
	raise(SIGPIPE);
	CU_ASSERT_EQUAL(own_count, 2);
	CU_ASSERT_EQUAL(stop_wanted(), STOP_DRAIN);
	stop_forget();
	CU_ASSERT_EQUAL(stop_wanted(), STOP_NO);
	CU_ASSERT_EQUAL(sigaction(SIGTERM, NULL, &sa), 0);
	CU_ASSERT(sa.sa_handler == own && (sa.sa_flags & SA_RESTART));
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
}

/* a program whose SIGINT and SIGTERM are its own, with a config file */
static void hang_ups_and_reports_come_back(void)
{
	own_count = 0;
	signal(SIGHUP, own);
	signal(SIGUSR1, own);
	stop_forget();
	hangup_catch();
	report_catch();
	raise(SIGHUP);
	raise(SIGUSR1);
	CU_ASSERT_EQUAL(own_count, 0);
	CU_ASSERT(report_wanted());
	stop_release();
	raise(SIGHUP);
	raise(SIGUSR1);
	CU_ASSERT_EQUAL(own_count, 2);
	signal(SIGHUP, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
}

/* Runs a child that gets n SIGINTs, and returns its wait status. */
static int child(int n)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		stop_catch();
		for (int i = 0; i < n; i++)
			raise(SIGINT);
		_exit(0);
	}
	CU_ASSERT_FATAL(pid > 0);
	waitpid(pid, &status, 0);
	return status;
}

static void a_third_signal_ends_the_process(void)
{
	int status = child(2);

	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = child(3);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static const struct unit_case cases[] = {
    {"signals are counted", signals_are_counted},
    {"what nohup ignores stays ignored", what_nohup_ignores_stays_ignored},
    {"a hang-up can mean something else", a_hang_up_can_mean_something_else},
    {"a hang-up before the start is heard", a_hang_up_before_the_start_is_heard},
    {"hang-ups at once are one", hang_ups_at_once_are_one},
    {"handlers run on the stack for signals", handlers_run_on_the_stack_for_signals},
    {"reports are waited for", reports_are_waited_for},
    {"what was there before comes back", what_was_there_before_comes_back},
    {"hang-ups and reports come back", hang_ups_and_reports_come_back},
    {"a third signal ends the process", a_third_signal_ends_the_process},
};

UNIT_MAIN("run/stop", cases)
