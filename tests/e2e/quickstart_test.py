#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/quickstart: shows a page, twice at once, and leaves nothing behind, Ctrl-C included."""
import glob
import os
import signal
import subprocess
import sys
import time

import bed
from bed import expect, sh

QUICKSTART = os.path.join(bed.TOP, "scripts", "quickstart")


def traces():
    return (sorted(n for n in os.listdir("/run/netns") if n.startswith("percore-"))
            if os.path.isdir("/run/netns") else [], bed.dpdk_files(),
            sorted(glob.glob("/tmp/tmp.*")))


def start(*options):
    return subprocess.Popen([QUICKSTART, *options], stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            start_new_session=True)


def once(limit):
    """--once twice at the same time"""
    both = [start("--once"), start("--once")]
    for p in both:
        out, _ = p.communicate(timeout=limit)
        expect(p.returncode == 0, f"status {p.returncode}\n{out}")
        expect("HTTP/1.1 200" in out and "It works" in out, f"no page was shown\n{out}")


def interrupted(limit):
    """serves until Ctrl-C, and another client gets pages meanwhile"""
    p = start()
    namespace = None
    try:
        for line in p.stdout:
            if "ip netns exec" in line and "curl -i" in line:
                namespace = line.split()[3]
            if line.startswith("Ctrl-C"):
                break
        expect(namespace, "it does not say how to try it")
        page = sh("ip", "netns", "exec", namespace, "curl", "-sS", "--max-time", 10,
                  "http://192.0.2.1/").stdout
        expect("It works" in page, page)
        os.killpg(p.pid, signal.SIGINT)
        out, _ = p.communicate(timeout=limit)
        expect(p.returncode in (0, 130), f"status {p.returncode}\n{out}")
    finally:
        if p.poll() is None:
            p.terminate()
            p.communicate(timeout=30)


def help_and_errors(limit):
    """--help explains, a wrong argument is status 2"""
    r = sh(QUICKSTART, "--help")
    expect("--once" in r.stdout, r.stdout)
    r = sh(QUICKSTART, "--bogus", check=False)
    expect(r.returncode == 2 and len(r.stderr.splitlines()) == 1, f"{r.returncode} {r.stderr}")


def main():
    args = bed.arguments(__doc__)
    bed.need("curl", "meson")
    if os.path.realpath(args.build) != os.path.join(bed.TOP, "build"):
        bed.skip("quickstart builds in build/, and this is another build directory")
    before, failed = traces(), 0
    for step in (help_and_errors, once, interrupted):
        begin = time.monotonic()
        try:
            step(120)
            verdict = "ok"
        except (bed.Failure, subprocess.SubprocessError) as e:
            verdict, failed = "FAILED", failed + 1
            print("    " + str(e).replace("\n", "\n    "))
        print(f"{verdict:6} {step.__name__}: {step.__doc__} ({time.monotonic() - begin:.1f} s)",
              flush=True)
    after = traces()
    if after != before:
        failed += 1
        print(f"FAILED: something is left behind: {before} became {after}")
    sys.exit(1 if failed else 0)


main()
