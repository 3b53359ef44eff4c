#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs on a stack process that are stopped and killed at random moments, as is the stack now and then, beside a program
that must not notice: no call hangs, and of the dead nothing is left. scripts/soak --kills runs it."""
import os
import random
import re
import signal
import socket
import threading
import time

import bed
import unmodified as u
from bed import CLIENT, SERVER, expect, wait_for

WORKERS, STEADY, FIRST, KERNEL = 4, 8000, 8001, 8100
GROWTH_KB = 4096
SCRIPT = f"""
import os, socket, sys, threading
port = int(sys.argv[1])
def serve(c):
    with c:
        c.settimeout(20)
        try:
            while data := c.recv(65536):
                c.sendall(data)
        except OSError:
            pass
def call():
    while True:
        try:
            with socket.create_connection(("{CLIENT}", {KERNEL}), 5) as s:
                for _ in range(20):
                    s.sendall(os.urandom(3000))
                    s.recv(65536)
        except OSError:
            pass
l = socket.create_server(("", port), backlog=64)
if port != {STEADY}:
    threading.Thread(target=call, daemon=True).start()
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
"""


def start(b):
    rnd = random.Random(args.seed)
    stack = start_stack(b)
    return {"rnd": rnd, "stack": stack, "sockets": sockets(stack.pid), "rss": [], "good": 0, "wrong": None, "load": 0, "hung": 0,
            "killed": 0, "stopped": 0, "stacks": 0, "quiet": threading.Event(), "stop": threading.Event()}


def start_stack(b):
    return u.start_stack(b, "--set", "run.stats_s=86400", "--set", "tcp.msl_ms=1000")


def program(b, port):
    return u.Daemon(b, ["/usr/bin/python3", "-c", SCRIPT, port], ready=lambda d: "ready" in d.out())


def talk(port, size, seconds):
    """Sends bytes and reads them back; reaching the time limit is a hang."""
    data = os.urandom(size)
    with socket.create_connection((SERVER, port), seconds) as s:
        s.sendall(data)
        got = b""
        while len(got) < size:
            part = s.recv(65536)
            if not part:
                raise ConnectionResetError
            got += part
    return got == data


def good(s):
    """The client of the program that nobody touches; while the stack is stopped it waits, while it is dead it rests."""
    while not s["stop"].is_set():
        if s["quiet"].is_set():
            time.sleep(0.05)
            continue
        stacks = s["stacks"]
        try:
            if not talk(STEADY, 50000, 15 * args.slow):
                s["wrong"] = "other bytes"
            s["good"] += 1
        except OSError as e:
            # a client that waits for a stack that has died is not notified
            if not s["quiet"].is_set() and s["stacks"] == stacks:
                s["wrong"] = repr(e)


def load(s, seed):
    rnd = random.Random(seed)
    while not s["stop"].is_set():
        try:
            talk(FIRST + rnd.randrange(WORKERS), rnd.randrange(1, 30000), 15 * args.slow)
            s["load"] += 1
        except TimeoutError:
            s["hung"] += 1  # it, or its stack, was stopped: counted, but not a failure
        except OSError:
            time.sleep(0.01)


def serve_kernel(s):
    """What the programs call: an echo server of the kernel's."""
    def one(c):
        with c:
            c.settimeout(10)
            try:
                while data := c.recv(65536):
                    c.sendall(data)
            except OSError:
                pass
    listener = socket.create_server((CLIENT, KERNEL), backlog=64)
    listener.settimeout(0.2)
    with listener:
        while not s["stop"].is_set():
            try:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()
            except TimeoutError:
                pass


def sockets(pid):
    """Returns how many of the kernel's sockets a process has: one for each program on a stack, and
    some of its own. (It keeps event descriptors for later clients.)"""
    n = 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            n += os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
        except FileNotFoundError:
            pass
    return n


def memory_kb(pid):
    return int(re.search(r"VmRSS:\s*(\d+)", open(f"/proc/{pid}/status").read()).group(1))


def kill_worker(b, s, workers):
    i = s["rnd"].randrange(WORKERS)
    workers[i].__exit__()
    s["killed"] += 1
    workers[i] = program(b, FIRST + i).__enter__()


def stop_worker(b, s, workers):
    w = s["rnd"].choice(workers)
    os.killpg(w.pid, signal.SIGSTOP)
    time.sleep(s["rnd"].random())
    if s["rnd"].random() < 0.7:
        os.killpg(w.pid, signal.SIGCONT)
        s["stopped"] += 1
        return
    i = workers.index(w)  # killed while it is stopped
    w.__exit__()
    s["killed"] += 1
    workers[i] = program(b, FIRST + i).__enter__()


def stop_stack(b, s, workers):
    s["stack"].signal(signal.SIGSTOP)
    time.sleep(2 * s["rnd"].random())
    s["stack"].signal(signal.SIGCONT)
    s["stopped"] += 1


def kill_stack(b, s, workers):
    """The stack dies, and whoever is on it must be told, also who sleeps in accept(): the programs end by themselves."""
    s["quiet"].set()
    s["stack"].kill()
    for w in (*workers, s["steady"]):
        status = w.end(0, 5)
        expect(status == 1 and "Network is down" in w.out(), f"after the stack's end: {status} {w.out()[-2000:]}")
        w.__exit__()
    s["stacks"] += 1
    b.programs.remove(s["stack"])
    s["stack"] = start_stack(b)
    s["rss"], s["sockets"] = [], sockets(s["stack"].pid)
    s["steady"] = program(b, STEADY).__enter__()
    workers[:] = [program(b, FIRST + i).__enter__() for i in range(WORKERS)]
    s["quiet"].clear()


def kills(b, s):
    """programs and stacks stopped and killed at random"""
    wait_for(lambda: bed.sh("ip", "addr", "show", "dev", b.dev, check=False).returncode == 0, 5, "the device")
    threads = [threading.Thread(target=serve_kernel, args=(s,))]
    threads[0].start()
    s["steady"] = program(b, STEADY).__enter__()
    workers = [program(b, FIRST + i).__enter__() for i in range(WORKERS)]
    threads += [threading.Thread(target=good, args=(s,))]
    threads += [threading.Thread(target=load, args=(s, i)) for i in range(3)]
    for t in threads[1:]:
        t.start()
    end = time.monotonic() + args.seconds
    try:
        while time.monotonic() < end and s["wrong"] is None:
            act = s["rnd"].choices([kill_worker, stop_worker, stop_stack, kill_stack], [60, 25, 10, 5 * args.stacks])[0]
            act(b, s, workers)
            s["rss"].append(memory_kb(s["stack"].pid))
            expect(s["stack"].alive(), f"the stack is gone\n{s['stack'].tail()}")
    finally:
        s["stop"].set()
        for t in threads:
            t.join()
        for w in (*workers, s["steady"]):
            w.__exit__()
    print(f"       {s['killed']} programs killed, {s['stopped']} stopped, {s['stacks']} stacks killed; the good client: "
          f"{s['good']} exchanges; others: {s['load']}, {s['hung']} out of time; memory {s['rss'][0]} to {s['rss'][-1]} kB")
    expect(s["wrong"] is None, f"the good client: {s['wrong']}")
    expect(s["good"] > 0, "no exchange")


def nothing_left(b, s):
    """all that the dead had is back: sockets, mbufs, memory, ports"""
    one = program(b, FIRST)
    with one:
        wait_for(u.accepts(FIRST), 10, "a program on the port of a dead one")
    wait_for(lambda: sockets(s["stack"].pid) == s["sockets"], 10 * b.slow, "the sockets of the dead to be closed")
    s["stack"].stop(30)
    values = {n: int(v) for v, n in re.findall(r"^ *(\d+) (\w+) ", s["stack"].out(), re.M)}
    expect(values["mbufs_missing"] == 0, f"{values['mbufs_missing']} mbufs are missing")
    quarter = max(1, len(s["rss"]) // 4)
    if b.slow == 1 and len(s["rss"]) > 100:
        expect(max(s["rss"][-quarter:]) - max(s["rss"][quarter:2 * quarter]) < GROWTH_KB, f"memory grows: {s['rss'][::10]} kB")


args = bed.arguments(__doc__, seconds=10, seed=1, stacks=0)
bed.need("python3")
bed.main(args, [kills, nothing_left], start)
