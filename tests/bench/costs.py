#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What an echo costs besides time, on percore and on Linux's sockets, and what disturbs it.

  echo      CPU time of the server, context switches, migrations and system calls for each echo, and latencies
  tap       latencies of an echo over a TAP, which the kernel is at the other end of
  control   latencies of percore under half its load: without the thread that serves percore-ctl, with it, and while a hundred
            commands a second change routes and addresses and list sockets
  idle      memory of an idle connection

percore-load asks, on the second CPU; percore-echo is at the other end of a memif, Linux's epoll_server behind a veth pair and
net_af_xdp, as scripts/bench has them. Of Linux's CPU time only what its server has is counted, not what the kernel does
for it on the CPU of who sends. System calls are counted in runs of their own, under strace. The status is 1 when an answer was
wrong, 2 when nothing could be measured.
"""
import argparse
import dataclasses
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading

import cases
import machine
import peers

MEDDLE_S = 100
TOP = pathlib.Path(__file__).resolve().parent.parent.parent


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", default=str(TOP / "build"), help="build directory (default build)")
    p.add_argument("--seconds", type=float, default=2, help="length of a run (default 2)")
    p.add_argument("--reps", type=int, default=3, help="repetitions, of which the median counts (default 3)")
    p.add_argument("--conns", default="1,64", help="connections that ask, for echo (default 1,64)")
    p.add_argument("--idle", type=int, default=20000, help="connections, for idle (default 20000)")
    p.add_argument("what", nargs="*", help="echo, tap, control, idle (default: all)")
    a = p.parse_args()
    a.what = a.what or ["echo", "tap", "control", "idle"]
    if not set(a.what) <= {"echo", "tap", "control", "idle"}:
        p.error("what is measured is echo, tap, control or idle")
    return a


# ---- what the kernel reports about a process

def switches(pid):
    """Returns voluntary and involuntary context switches, and migrations, of all its threads."""
    sums = [0, 0, 0]
    for task in glob.glob(f"/proc/{pid}/task/*"):
        text = machine.read(f"{task}/status") + "\n" + machine.read(f"{task}/sched")
        for i, name in enumerate((r"^voluntary_ctxt_switches:", r"^nonvoluntary_ctxt_switches:", r"^se\.nr_migrations\s*:")):
            m = re.search(name + r"\s*(\d+)", text, re.M)
            sums[i] += int(m.group(1)) if m else 0
    return sums


def drive(bed, peer, case, seconds, more=()):
    """Makes a run; returns the load's result, with the kernel's counters for its duration."""
    before = switches(bed.server.pid)
    row = json.loads(bed.drive(peer, case, seconds, more))
    row["switches"] = [b - a for a, b in zip(before, switches(bed.server.pid))]
    bad = {k: row[k] for k in ("wrong", "checksum", "reset", "refused", "dead", "timed_out", "stuck", "lost", "closed") if row[k]}
    if bad or row["error"]:
        raise peers.Failure(f"{peer} {case.name}: {row['error'] or bad}")
    return row


def system_calls(bed, case, peer, seconds):
    """Returns the number of system calls for each echo; None without strace."""
    if not shutil.which("strace"):
        return None
    log = bed.work / "strace"
    with subprocess.Popen(["strace", "-f", "-c", "-o", str(log), "-p", str(bed.server.pid)], stderr=subprocess.PIPE,
                          text=True) as trace:
        if "attached" not in trace.stderr.readline():
            return None
        row = drive(bed, peer, case, seconds)
        trace.send_signal(signal.SIGINT)
        trace.wait(20)
    total = re.search(r"^100\.00\s+\S+\s+(?:\S+\s+)?(\d+)(?:\s+\d+)?\s+total", machine.read(log), re.M)
    return (int(total.group(1)) if total else 0) / max(1, row["answers_s"] * row["seconds"])


# ---- echo

def median(rows, f):
    return statistics.median(f(r) for r in rows)


def latencies(rows):
    return "".join(f"| {median(rows, lambda r, q=q: r['latency_us'][q]):.1f} " for q in ("p50", "p99", "p999", "max"))


def echo(bed, args):
    print("\nCosts of an echo of 60 bytes; medians\n")
    print("| server | connections | echoes/s | CPU ns | switches | preempted | migrations | system calls | p50 us | p99 us | p99.9 us "
          "| max us |\n|---|---|---|---|---|---|---|---|---|---|---|---|")
    for conns in args.conns.split(","):
        case = cases.echo(f"echo-{conns}", "", conns, "--size", "60")
        for peer in ("percore", "linux"):
            if peers.available(peer):
                continue
            rows = []
            for _ in range(args.reps):
                bed.start(peer, case)
                rows.append(drive(bed, peer, case, args.seconds))
                bed.stop()
            bed.start(peer, case)
            calls = system_calls(bed, case, peer, args.seconds)
            bed.stop()
            echoes = [r["answers_s"] * r["seconds"] for r in rows]
            per = [[s / n for s in r["switches"]] for r, n in zip(rows, echoes)]
            print(f"| {peer} | {conns} | {median(rows, lambda r: r['answers_s']):,.0f} "
                  f"| {median(rows, lambda r: 1e9 * r['server_run'] / r['answers_s']):,.0f} "
                  + "".join(f"| {statistics.median(p[i] for p in per):.5f} " for i in range(3))
                  + (f"| {calls:.5f} " if calls is not None else "| - ")
                  + latencies(rows) + "|", flush=True)


# ---- tap

def tap(bed, args):
    if peers.available("tap"):
        return
    print("\nEchoes of 60 bytes over a TAP, one connection, us; medians\n")
    print("| percore while nothing comes | echoes/s | p50 | p99 | p99.9 | max |\n|---|---|---|---|---|---|")
    for what, idle_mode in (("sleeps", "4"), ("polls", "1")):
        case = cases.echo("echo-tap", "", 1, "--size", "60", server=("--set", f"run.idle={idle_mode}"))
        rows = []
        for _ in range(args.reps):
            bed.start("tap", case)
            rows.append(drive(bed, "tap", case, args.seconds))
            bed.stop()
        print(f"| {what} | {median(rows, lambda r: r['answers_s']):,.0f} {latencies(rows)}|", flush=True)


# ---- control

def command(path, words):
    """Sends a command, like percore-ctl, but without a new process for each. Returns whether it
    succeeded."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(path)
        s.send(words.encode())
        answer = part = s.recv(1 << 16)
        while part:
            part = s.recv(1 << 16)
    return answer.startswith(b"ok")


def meddle(path, ends, count):
    """Changes routes and shows lists, MEDDLE_S commands a second, until it ends."""
    words = ["route add 198.51.100.0/24 via 10.9.0.9", "route del 198.51.100.0/24", "addr add 10.9.0.77/16", "addr del 10.9.0.77/16",
             "socket show tcp", "deny add 203.0.113.0/24", "deny del 203.0.113.0/24"]
    while not ends.wait(1 / MEDDLE_S):
        count[0] += command(path, words[count[0] % len(words)])


def control(bed, args):
    path = str(bed.work / "control")
    bare = cases.find("echo-1k")
    served = dataclasses.replace(bare, server=("--set", f"run.control={path}"))
    print("\nLatency of 1,024 connections under half of the load that they can bear, us; medians\n")
    print("| thread of percore-ctl | commands/s | p50 | p99 | p99.9 | max | load stood still | resets |\n|---|---|---|---|---|---|---|---|")
    bed.start("percore", bare)
    rate = int(json.loads(bed.drive("percore", bare, 1))["answers_s"] / 2)
    bed.stop()
    for what, case, busy in (("none", bare, False), ("idle", served, False), ("busy", served, True)):
        rows, done = [], 0
        for _ in range(args.reps):
            ends, count = threading.Event(), [0]
            bed.start("percore", case)
            thread = threading.Thread(target=meddle, args=(path, ends, count))
            if busy:
                thread.start()
            try:
                rows.append(drive(bed, "percore", case, args.seconds, ["--rate", str(rate)]))
            finally:
                ends.set()
                if busy:
                    thread.join()
                bed.stop()
            done += count[0]
        print(f"| {what} | {done / (args.reps * args.seconds):.0f} {latencies(rows)}"
              + f"| {100 * median(rows, lambda r: r['stalled']):.1f} % | {sum(r['reset'] for r in rows)} |", flush=True)


# ---- idle

def kernel_bytes():
    """Returns the memory that the kernel uses for its own tables."""
    return int(re.search(r"^Slab:\s*(\d+)", machine.read("/proc/meminfo"), re.M).group(1)) * 1024


def idle(bed, args):
    n = args.idle
    hold = ("--mode", "hold", "--conns", str(n), "--set", "load.open_window=256", "--set", "load.sample=1000")
    case = dataclasses.replace(cases.find("hold-1m"), load=hold, server=("--set", f"stack.max_connections={n + 100}"))
    print(f"\nMemory of an idle connection, of {n:,}\n\n| server | bytes |\n|---|---|")
    bed.start("percore", case)
    drive(bed, "percore", case, args.seconds)
    m = re.search(r"connections of (\d+) bytes \(idle\)", machine.read(bed.work / "percore.log"))
    bed.stop()
    print(f"| percore, all that is set aside for one | {m.group(1) if m else '?'} |")
    if peers.available("linux"):
        return
    bed.start("linux", case)
    before, most, ends = kernel_bytes(), [0], threading.Event()

    def watch():
        while not ends.wait(0.05):
            most[0] = max(most[0], kernel_bytes())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        drive(bed, "linux", case, args.seconds)
    finally:
        ends.set()
        thread.join()
        bed.stop()
    print(f"| Linux, what its tables (Slab) have grown by, the descriptor's among them | {(most[0] - before) / n:,.0f} |", flush=True)


def main():
    args = arguments()
    for name, what in machine.facts(str(TOP)):
        print(f"{name}: {what}")
    a, b = machine.cpus()
    print(f"CPUs of server and load: {a}, {b}" + (" (but one: they take turns)" if a == b else ""))
    work = tempfile.mkdtemp(prefix="percore-costs-")
    bed = peers.Bed(args.build, work)
    try:
        for what in args.what:
            {"echo": echo, "tap": tap, "control": control, "idle": idle}[what](bed, args)
    except peers.Failure as e:
        print(f"FAULT {e}")
        return 1
    finally:
        bed.stop()
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up as for Ctrl-C
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    sys.exit(main())
