/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that wait in one epoll set, and an lcore that tells them of sockets: tell_queue of lib/serve/service.c,
 * queue_pop, queue_arm and queue_disarm of lib/posix/queue.c, sleep_once and wait_until of lib/posix/epoll.c, collect and
 * hand_over of lib/posix/epset.c. Sockets are edge-triggered, and a thread takes one at a time. When nobody can go on,
 * nothing may be left for a thread that sleeps.
 *
 * NO_HANDOVER  who has been woken goes without looking whether others sleep on: must be found
 * CLEAR_FIRST  the mark of a socket is taken back after its state was looked at: must be found
 */
#define THREADS 2
#define SOCKS   2
#ifndef EVENTS
#define EVENTS 2
#endif

chan ring = [SOCKS] of { byte };
bit queued[SOCKS], ready[SOCKS];
byte news[SOCKS], seen[SOCKS]; /* seen: under the lock of the set */
bit armed, fd, lock, told;
byte sleepers, busy;

active proctype lcore() {
	byte i, s;
	bit old;

	do
	:: i < EVENTS ->
		select(s : 0 .. SOCKS - 1);
		news[s]++;
		atomic { old = queued[s]; queued[s] = 1 }
		if
		:: old -> skip
		:: else -> ring ! s
		fi;
		if
		:: armed == 0 -> skip
		:: else ->
			atomic { old = armed; armed = 0 }
			if
			:: old -> fd = 1
			:: else -> skip
			fi
		fi;
		i++
	:: else -> break
	od;
	told = 1
}

/* queue_pop, and add_ready of what concerns the set */
inline take_events() {
	do
	:: atomic { nempty(ring) -> ring ? s }
#ifdef CLEAR_FIRST
		now = news[s];
		queued[s] = 0;
#else
		queued[s] = 0;
		now = news[s];
#endif
		if
		:: now != seen[s] -> seen[s] = now; ready[s] = 1
		:: else -> skip
		fi
	:: empty(ring) -> break
	od
}

inline collect() {
	atomic { lock == 0 -> lock = 1 }
	take_events();
	if
	:: ready[0] -> ready[0] = 0; n = 1
	:: !ready[0] && ready[1] -> ready[1] = 0; n = 1
	:: else -> n = 0
	fi;
	lock = 0
}

inline arm() {
	atomic { if :: armed == 0 -> armed = 1 :: else -> skip fi }
}

inline hand_over() {
	arm();
	atomic { lock == 0 -> lock = 1 }
	take_events();
	n = ready[0] || ready[1];
	lock = 0;
	if
	:: n -> fd = 1
	:: else -> skip
	fi
}

active [THREADS] proctype waiter() {
	byte s, now, before;
	bit n;

again:
	collect();
	if
	:: n -> goto out
	:: else -> skip
	fi;
	sleepers++;
	arm();
	collect();
	if
	:: n -> skip
	:: else ->
end:		fd == 1; /* epoll_wait of the kernel, level-triggered */
		fd = 0
	fi;
	atomic { before = sleepers; sleepers-- }
	if
	:: before == 1 -> armed = 0
	:: else -> skip
	fi;
	if
	:: n -> goto out
	:: else -> goto again
	fi;
out:
#ifndef NO_HANDOVER
	if
	:: sleepers > 0 -> hand_over()
	:: else -> skip
	fi;
#endif
	if
	:: goto again
	:: busy++ /* with what it has got, for ever */
	fi
}

active proctype judge() {
	timeout;
	assert(busy == THREADS || told && !ready[0] && !ready[1] && news[0] == seen[0] && news[1] == seen[1])
}
