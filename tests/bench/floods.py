#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures what a good client of percore-echo or percore-httpd keeps under a flood.

Both come from one percore-load over one memif: the flood as fast as the ring takes it, and a good client with 64
connections, either at a given rate (steady: an open loop), with the next request after each answer (greedy:
it shares the core with the flood), or with a new connection for each request (connrate). Each row is the median of the
repetitions, with the lowest and the highest; a run in which something else used one of the CPUs is repeated. The status
is 1 if an answer was wrong or missing, 2 if nothing could be measured.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import cases
import machine
import peers

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
KINDS = ("none syn syn-closed syn-near syn-colliding ack ack-closed rst fin data data-closed flags blind-rst blind-syn "
         "blind-ack blind-data zero-window churn mangled udp udp-closed fragment ping icmp-error arp").split()
WAITED = 0.05  # of a CPU: a program that waited longer for one shares it with others
FAULTS = ("wrong", "checksum", "reset", "refused", "dead", "timed_out", "stuck", "lost", "closed")


def arguments():
    p = argparse.ArgumentParser(prog="scripts/floods", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", default=str(TOP / "build"), help="build directory (default build)")
    p.add_argument("--program", default="echo", choices=["echo", "httpd"])
    p.add_argument("--kinds", default=",".join(KINDS), help="floods, separated by commas (default: all)")
    p.add_argument("--clients", default="steady,greedy", help="one or more of steady, greedy, connrate")
    p.add_argument("--rate", type=int, default=100000, help="requests per second of the steady client")
    p.add_argument("--flood-rate", type=int, default=0, help="frames per second (default: as many as the ring takes)")
    p.add_argument("--overflow", action="store_true", help="drop frames, good ones too, for which the ring has no room")
    p.add_argument("--set", default="", help="more settings of the server, e.g. \"stack.busy_answers=64\"")
    p.add_argument("--reps", type=int, default=5)
    p.add_argument("--seconds", type=float, default=1)
    return p.parse_args()


def server_options(args, kind):
    # packets to unknown addresses go to the generator
    options = ["--gateway", peers.FIRST]
    if kind in ("zero-window", "churn", "mangled"):
        options += ["--set", "stack.max_connections=4096"]
    for word in args.set.split():
        options += ["--set", word]
    return tuple(options)


def load_options(args, kind, client):
    mode = {"echo": ["--mode", "echo"], "httpd": ["--mode", "http", "--path", f"/{peers.BODY}"]}[args.program]
    if client == "connrate":
        mode = ["--mode", "connrate"] + (["--http", "1", "--port", "80", "--path", f"/{peers.BODY}"]
                                         if args.program == "httpd" else [])
    options = mode + ["--conns", "64", "--warm", "0.3", "--set", f"load.flood_rate={args.flood_rate}"]
    if client == "steady":
        options += ["--rate", str(args.rate)]
    if args.overflow:
        options += ["--set", "load.overflow=1"]
    return tuple(options + ([] if kind == "none" else ["--flood", kind]))


def one(args, bed, kind, client):
    name = "http" if args.program == "httpd" else "echo"
    case = cases.Case(name, "", load_options(args, kind, client), "answers_s", "1/s", server=server_options(args, kind))
    try:
        bed.start("percore", case)
        return json.loads(bed.drive("percore", case, args.seconds))
    finally:
        bed.stop()


def spread(values, scale=1.0, digits=0):
    low, mid, high = (f"{f(values) * scale:,.{digits}f}" for f in (min, statistics.median, max))
    return f"{mid} ({low} to {high})"


def quiet_runs(args, bed, kind, client):
    """Makes as many runs as requested in which nothing else used the two CPUs; returns None if
    there are too few."""
    rows = []
    for _ in range(3 * args.reps):
        r = one(args, bed, kind, client)
        if max(r["own_wait"], r["server_wait"]) < WAITED:
            rows.append(r)
        if len(rows) == args.reps:
            return rows
    return None


def row(args, bed, kind, client):
    """Measures one flood with one client; returns whether everything was correct."""
    rows = quiet_runs(args, bed, kind, client)
    if rows is None:
        print(f"| {kind} | {client} | the machine was busy | | |", flush=True)
        return True
    bad = {k: sum(r[k] for r in rows) for k in FAULTS if any(r[k] for r in rows)}
    what = "connections_s" if client == "connrate" else "answers_s"
    print(f"| {kind} | {client} | {spread([r.get('flood_s', 0) for r in rows], 1e-6, 2)} | "
          f"{spread([r[what] for r in rows])} | {spread([r['latency_us']['p99'] for r in rows])} |"
          f"{f' FAULTS: {bad}' if bad else ''}", flush=True)
    return not bad


def main():
    args = arguments()
    for name, value in machine.facts(TOP):
        print(f"{name}: {value}")
    print(f"percore-{args.program}, {args.reps} times {args.seconds} s each; median (lowest to highest)\n")
    print("| flood | good client | flood, million frames/s | good client, per second | p99, us |\n|---|---|---|---|---|")
    good = True
    with tempfile.TemporaryDirectory(prefix="percore-floods-") as work:
        bed = peers.Bed(args.build, work)
        try:
            for kind in args.kinds.split(","):
                for client in args.clients.split(","):
                    good = row(args, bed, kind, client) and good
        except (peers.Failure, subprocess.SubprocessError, OSError, ValueError) as e:
            print(f"floods: {e}", file=sys.stderr)
            return 2
        finally:
            bed.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
