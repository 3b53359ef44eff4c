#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures percore, the limit of the test bed and Linux, with percore-load, in one run.

The server has one CPU, the load another. Servers take turns within a repetition, so that ratios hold
when the machine's speed drifts; medians and ratios are taken over the repetitions. Before and after
each run it is measured how far the two CPUs are from each other, and runs at each distance are kept
apart; a run in which something else had one of the CPUs is left out, and so is one with a fault.
Results go to a file, a line of JSON for each run. The status is 1 if an answer was wrong or did not
come, 2 if nothing could be measured.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import cases
import machine
import peers
import tables

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
FAULTS = ("wrong", "checksum", "reset", "refused", "dead", "timed_out", "stuck", "lost", "closed", "beyond")
BUSY = 0.85  # of a CPU: a polling program that got less was kept from running


def arguments():
    p = argparse.ArgumentParser(prog="scripts/bench", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", default=str(TOP / "build"), help="build directory (default build)")
    p.add_argument("--programs", help="build directory of the percore that is measured, e.g. build-fast (default: the same)")
    p.add_argument("--quick", action="store_true", help="eight cases, once, in less than two minutes")
    p.add_argument("--tests", help="cases, separated by commas (default: all but the large ones)")
    p.add_argument("--peers", default=",".join(peers.ALL),
                   help="servers, separated by commas (default: all, which are %(default)s)")
    p.add_argument("--reps", type=int, help="repetitions (default 5; quick 1)")
    p.add_argument("--seconds", type=float, help="length of a run (default 2; quick 0.5)")
    p.add_argument("--out", help="file of results (default build/bench.jsonl)")
    p.add_argument("--from", dest="old", help="measure nothing, take the results of this file")
    p.add_argument("--write-docs", action="store_true", help="write the tables into docs/performance.md")
    p.add_argument("--no-micro", action="store_true", help="leave out the components (micro_bench)")
    p.add_argument("--no-install", action="store_true", help="do not install or reserve anything")
    p.add_argument("--list", action="store_true", help="print the cases")
    p.add_argument("--verbose", action="store_true", help="print the commands of the load")
    a = p.parse_args()
    a.reps = a.reps or (1 if a.quick else 5)
    a.seconds = a.seconds or (0.5 if a.quick else 2)
    a.out = a.out or str(pathlib.Path(a.build) / "bench.jsonl")
    names = a.tests.split(",") if a.tests else cases.QUICK if a.quick else cases.DEFAULT
    try:
        a.cases = [cases.find(n) for n in names]
    except KeyError as e:
        p.error(f"there is no case {e}; --list has them")
    for name in a.peers.split(","):
        if name not in (*peers.ALL, "tap"):
            p.error(f"there is no server '{name}'; there are {', '.join(peers.ALL)} and tap")
    return a


class Run:
    """All runs, and their results so far."""

    def __init__(self, args, bed, out):
        self.args, self.bed, self.out = args, bed, out
        self.rows, self.faults = [], []

    def half(self, case):
        """Returns the rate of an open loop: half of the last closed one."""
        if not case.half_of:
            return []
        for row in reversed(self.rows):
            if row["case"] == case.half_of and row["peer"] == "percore":
                return ["--rate", str(int(row["answers_s"] / 2))]
        raise peers.Failure(f"needs a run of {case.half_of} before")

    def one(self, rep, case, peer):
        try:
            more = self.half(case)
            self.bed.start(peer, case)
            before = machine.distance(self.args.build)
            row = json.loads(self.bed.drive(peer, case, self.args.seconds, more))
            after = machine.distance(self.args.build)
        except (peers.Failure, subprocess.SubprocessError, OSError, ValueError) as e:
            self.faults.append(f"{peer} {case.name}: {e}")
            print(f"{rep} {case.name:12} {peer:9} {e}", flush=True)
            return
        finally:
            self.bed.stop()
        polls = [row["own_run"]] + ([row["server_run"]] if peer in ("null", "percore", "testpmd") else [])
        bad = {k: row[k] for k in FAULTS if row[k]}
        row["start_s"] = self.bed.start_s
        row.update(case=case.name, peer=peer, rep=rep, value=cases.value(case, row),
                   place=machine.place(before, after), distance_ns=[before, after],
                   busy=min(polls) < BUSY)
        self.rows.append(row)
        self.out.write(json.dumps(row) + "\n")
        self.out.flush()
        if bad or row["error"]:
            self.faults.append(f"{peer} {case.name}: {row['error'] or bad}")
        print(f"{rep} {case.name:12} {peer:9} {tables.number(row['value']):>8} {case.unit:5} p99 "
              f"{row['latency_us']['p99']:8.1f} us  {row['place']} ({before}, {after} ns)"
              f"{' BUSY: left out' if row['busy'] else ''}{f' FAULTS: {bad}' if bad else ''}", flush=True)

    def all(self):
        skipped = set()
        for rep in range(self.args.reps):
            for case in self.args.cases:
                for peer in self.args.peers.split(","):
                    why = peers.available(peer)
                    if why and peer not in skipped:
                        print(f"{peer} is left out: {why}")
                        skipped.add(peer)
                    if not why and peer in case.peers:
                        self.one(rep, case, peer)


def micro(build):
    """Returns the output of micro_bench, a dict for each line."""
    r = subprocess.run([f"{build}/tests/bench/micro_bench", "--json"], capture_output=True, text=True,
                       timeout=300, check=False)
    return [json.loads(x) for x in r.stdout.splitlines() if x.startswith("{")]


def measure(args):
    work = tempfile.mkdtemp(prefix="percore-bench-")
    bed = peers.Bed(args.build, work, args.verbose, args.programs)
    if not bed.huge:
        print("note: there are too few free hugepages; everything runs in ordinary memory")
    a, b = machine.cpus()
    if a == b:
        print("note: there is but one CPU; server and load take turns on it")
    try:
        with open(args.out, "w", encoding="utf-8") as out:
            run = Run(args, bed, out)
            run.all()
    finally:
        bed.stop()
        shutil.rmtree(work, ignore_errors=True)
    return run.rows, run.faults


def main():
    args = arguments()
    if args.list:
        for case in cases.CASES:
            print(f"{case.name:13} {case.title} ({', '.join(case.peers)})")
        return 0
    facts = machine.facts(str(TOP))
    for name, what in facts:
        print(f"{name}: {what}")
    if args.old:
        with open(args.old, encoding="utf-8") as f:
            rows, faults = [json.loads(line) for line in f], []
    else:
        rows, faults = measure(args)
    inner = [] if args.no_micro else micro(args.build)
    print("\n" + "\n".join(tables.table(rows)))
    for m in inner:
        print(f"{m['name']:44} {m['median']:8.1f} {m['p99']:8.1f} cycles")
    if args.write_docs:
        options = " ".join(x for x in sys.argv[1:] if x not in ("--build", args.build))
        tables.write_docs(TOP / "docs" / "performance.md", facts, f"scripts/bench {options}".strip(), rows,
                          inner)
    for line in faults:
        print("FAULT", line)
    return 1 if faults else 0 if rows else 2


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up as for Ctrl-C
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    sys.exit(main())
