/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An lcore that sleeps, and threads that kick it: chan_kick, chan_wake_lcore and post_push of lib/chan, the taking of
 * posts and pc_service_sleep of lib/serve/service.c. All that is asked: whatever was published before a kick is seen,
 * and the lcore does not sleep for ever on it. A lost wake-up is an invalid end state.
 *
 * EARLY_LOOK  looks for posts before it arms: must be found
 * LATE_CLEAR  takes a kick back after it has looked: must be found
 */
#define THREADS 2
#define ROUNDS  2

byte published, taken; /* what is in the fifo of the one socket */
byte posts;            /* in the ring */
bit kicked, armed, asleep;
byte seq;

inline kick() {
	atomic { old = kicked; kicked = 1 }
	if
	:: old -> skip
	:: else ->
		posts++;
		if
		:: armed == 0 -> skip
		:: else ->
			atomic { old = armed; armed = 0 }
			if
			:: old -> seq++; asleep = 0 /* futex_wake */
			:: else -> skip
			fi
		fi
	fi
}

active [THREADS] proctype thread() {
	byte i;
	bit old;

	do
	:: i < ROUNDS -> published++; kick(); i++
	:: else -> break
	od
}

inline look() {
#ifdef LATE_CLEAR
	taken = published;
	kicked = 0
#else
	kicked = 0;
	taken = published
#endif
}

active proctype lcore() {
	byte seen;
	bit any;

	do
	:: taken == THREADS * ROUNDS -> break
	:: else ->
		do
		:: posts > 0 -> posts--; look()
		:: else -> break
		od;
		if
		:: taken == THREADS * ROUNDS -> break
		:: else -> skip
		fi;
		seen = seq;
#ifdef EARLY_LOOK
		any = posts > 0;
		armed = 1;
#else
		armed = 1;
		any = posts > 0;
#endif
		if
		:: any -> skip
		:: else ->
			atomic { if :: seq == seen -> asleep = 1 :: else -> skip fi } /* futex_wait */
			asleep == 0
		fi;
		armed = 0
	od
}
