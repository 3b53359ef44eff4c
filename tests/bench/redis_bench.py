#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""redis-server, unmodified: on the kernel's sockets, on a stack process of percore's (two cores), and with a stack of its
own (percore-run --one-core). Requests per second by redis-benchmark on the kernel's side of a veth pair or a TAP, and
what the server's side had of the CPUs for them: of all its processes, in ms per 1,000 requests.

The modes take turns, and medians are taken. The client has the first CPU. The server has the last, and its stack process
that one, with redis-server on the one before: with two CPUs that is the client's.
"""
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import bed
import one_core_test
import unmodified
from bed import CLIENT, PREFIX, SERVER, sh
from unmodified import Daemon, answers

PORT = 6379
SERVE = ["redis-server", "--port", str(PORT), "--protected-mode", "no", "--save", ""]
MODES = ("kernel", "two-core", "one-core")
LOADS = {"1": 30000, "16": 300000}


def pinned(cpu, words):
    return ["taskset", "-c", str(cpu), *words]


class Kernel:
    """The server in its own namespace, on the other end of a veth pair."""

    def __init__(self, b, cpus):
        self.server = SERVER if b.backend != "tap" else "198.51.100.1"
        self.b, self.cpu = b, cpus[-1]

    def __enter__(self):
        b = self.b
        ns, dev = b.server_ns, "pcv1"
        if b.backend == "tap":  # a separate pair, in addition to the TAP
            ns = b.tag + "k"
            sh("ip", "netns", "add", ns)
            sh("ip", "link", "add", "pck0", "type", "veth", "peer", "name", "pck1", "netns", ns)
            sh("ip", "addr", "add", "198.51.100.254/24", "dev", "pck0")
            sh("ip", "link", "set", "pck0", "up")
            dev = "pck1"
        sh("ip", "-n", ns, "addr", "add", f"{self.server}/24", "dev", dev)
        sh("ip", "-n", ns, "link", "set", dev, "up")
        self.ns, self.dev = ns, dev
        self.d = Daemon(b, ["ip", "netns", "exec", ns, *pinned(self.cpu, SERVE)], answers(PORT, self.server),
                        on_stack=False)
        self.d.__enter__()
        self.pids = [self.d.pid]
        return self

    def __exit__(self, *_):
        self.d.__exit__()
        sh("ip", "-n", self.ns, "addr", "flush", "dev", self.dev, check=False)
        if self.b.backend == "tap":
            sh("ip", "netns", "del", self.ns, check=False)


class TwoCore:
    """A stack process, and the server on it."""

    server = SERVER

    def __init__(self, b, cpus):
        self.b, self.cpu = b, cpus[-2 if len(cpus) > 1 else -1]

    def __enter__(self):
        self.stack = unmodified.start_stack(self.b)
        words = unmodified.command(self.b, *SERVE)
        self.d = Daemon(self.b, pinned(self.cpu, words), answers(PORT), on_stack=False)
        self.d.__enter__()
        self.pids = [self.d.pid, self.stack.pid]
        return self

    def __exit__(self, *_):
        self.d.__exit__()
        self.stack.stop()


class OneCore:
    """The server drives its own stack."""

    server = SERVER

    def __init__(self, b, cpus):
        self.b = b

    def __enter__(self):
        if self.b.backend == "tap":
            self.d = one_core_test.Program(self.b, SERVE, answers(PORT))
        else:
            self.d = Daemon(self.b, one_core_test.one_core(self.b, *SERVE), answers(PORT), on_stack=False)
        self.d.__enter__()
        self.pids = [self.d.pid]
        return self

    def __exit__(self, *_):
        self.d.__exit__()


def measure(b, server, depth, cpus):
    """Returns requests per second, and ms of CPU per 1,000 requests."""
    n = LOADS[depth]
    before = sum(one_core_test.cpu_s(p) for p in server.pids)
    out = sh(*pinned(cpus[0], ["redis-benchmark", "-h", server.server, "-p", str(PORT), "-t", "get", "-n", str(n), "-c", "50",
                               "-P", depth, "--csv"]), timeout=100).stdout
    used = sum(one_core_test.cpu_s(p) for p in server.pids) - before
    return float(out.splitlines()[-1].split(",")[1].strip('"')), used / n * 1e6


def main():
    args = bed.arguments(__doc__, reps=3)
    bed.need("ethtool", "redis-server", "redis-benchmark", "taskset")
    cpus = sorted(os.sched_getaffinity(0))
    found = {}
    with bed.Bed(args) as b:
        os.chdir(b.tmp)
        for rep in range(args.reps):
            for mode, kind in zip(MODES, (Kernel, TwoCore, OneCore)):
                with kind(b, cpus) as server:
                    for depth in LOADS:
                        rate, cost = measure(b, server, depth, cpus)
                        found.setdefault((mode, depth), []).append((rate, cost))
                        print(f"{rep} {mode:8} -P {depth:2} {rate:10,.0f} requests/s {cost:7.1f} ms of CPU per 1,000", flush=True)
    print(f"\n{args.backend}, {len(cpus)} CPUs, medians of {args.reps}\n")
    print("| redis-server on | " + " | ".join(f"requests/s, -P {d} | CPU ms per 1,000" for d in LOADS) + " |")
    print("|---|" + "---:|---:|" * len(LOADS))
    for mode in MODES:
        cells = [f"{statistics.median(x[0] for x in found[mode, d]):,.0f} | {statistics.median(x[1] for x in found[mode, d]):.1f}"
                 for d in LOADS]
        print(f"| {mode} | " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
