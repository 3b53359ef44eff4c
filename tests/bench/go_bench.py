#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whether Go's garbage collector and scheduler hold up the stack in a Go process: the kernel's ping, which the lcore answers by
itself, while nothing else happens, and while goroutines yield for ever and one collects garbage without a break."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import bed  # noqa: E402
import go_test  # noqa: E402


def times(b, n, storm):
    env = go_test.environment(b)
    p = b.spawn(["env", "LD_LIBRARY_PATH=" + env["LD_LIBRARY_PATH"], *(["STORM=1"] if storm else []), os.path.join(b.tmp, "storm"),
                 *b.eal(), "--", "--addr", f"{bed.SERVER}/24", "--set", "run.idle=1"], "storm")
    out = bed.sh("ping", "-n", "-c", n, "-i", "0.002", bed.SERVER, timeout=120).stdout
    p.stop()
    rtt = sorted(float(t) * 1000 for t in re.findall(r"time=([\d.]+) ms", out))
    what = [line for line in p.out().splitlines() if "collections" in line][-1]
    print(f"{'storm' if storm else 'quiet'}: {len(rtt)} of {n} answered, us: p50 {rtt[len(rtt) // 2]:.0f}, "
          f"p99 {rtt[len(rtt) * 99 // 100]:.0f}, most {rtt[-1]:.0f}; {what}", flush=True)


def measure(b, _):
    """ping, quiet and in a storm, three times in turn"""
    env = go_test.environment(b)
    os.symlink(os.path.join(os.path.dirname(os.path.abspath(__file__)), "storm"), os.path.join(b.tmp, "gopath/src/storm"))
    bed.sh("go", "build", "-o", os.path.join(b.tmp, "storm"), "storm", env=env, timeout=200)
    for _ in range(3):
        times(b, 3000, False)
        times(b, 3000, True)


if __name__ == "__main__":
    arguments = bed.arguments(__doc__)
    bed.need("go", "ping", "pkg-config")
    bed.main(arguments, [measure], lambda b: None)
