/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An lcore that sleeps on a futex, and the thread that watches its receive queues meanwhile: rx_wait_sleep and watch of
 * lib/run/rxwait.c, pc_service_sleep and pc_service_wake of lib/serve/service.c. All that is asked: the lcore
 * does not sleep while frames wait, whatever the time limit of a sleep is. A lost wake-up is an invalid end state.
 *
 * NO_MEMORY    wakes only who sleeps already: must be found
 * CLEAR_FIRST  forgets a wake-up before it sleeps, not after: must be found
 * LATE_TAKE    the watcher says that it has stopped after it has woken: must be found
 */
#define FRAMES 3

byte sent, taken; /* frames that have come, and that the lcore has had */
byte go;          /* how often the watcher may wait */
bit watching, woken, armed, asleep;
byte seq;

active proctype device() {
	do
	:: sent < FRAMES -> sent++
	:: else -> break
	od
}

inline wake() {
#ifndef NO_MEMORY
	woken = 1;
#endif
	if
	:: armed == 0 -> skip
	:: else ->
		atomic { old = armed; armed = 0 }
		if
		:: old -> seq++; asleep = 0 /* futex_wake */
		:: else -> skip
		fi
	fi
}

active proctype watcher() {
	bit old;

end:
	do
	:: go > 0 ->
		go--;
end_poll:
		taken < sent; /* a TAP is readable as long as frames wait */
#ifdef LATE_TAKE
		wake();
		watching = 0
#else
		watching = 0;
		wake()
#endif
	od
}

active proctype lcore() {
	byte seen;
	bit old;

	do
	:: taken == FRAMES -> break
	:: taken < sent -> taken = sent /* a poll; the queues are armed before the last one */
	:: taken == sent && taken < FRAMES ->
		atomic { old = watching; watching = 1 }
		if
		:: old -> skip
		:: else -> go++
		fi;
#ifdef CLEAR_FIRST
		woken = 0;
#endif
		seen = seq;
		armed = 1;
		atomic { old = woken; woken = 0 }
		if
		:: old -> skip
		:: else ->
			atomic { if :: seq == seen -> asleep = 1 :: else -> skip fi } /* futex_wait */
			asleep == 0
		fi;
		armed = 0;
#ifndef CLEAR_FIRST
		woken = 0
#endif
	od
}
