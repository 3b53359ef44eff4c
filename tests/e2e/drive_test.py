#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program whose only thread drives its stack in its own calls (pc_drive_start)."""
import os
import subprocess
import time

import bed
from bed import SERVER, expect, sh, wait_for
from echoes import many_at_once, there_and_back

PORT = 7


def control(b):
    return os.path.join(b.tmp, "control")


class Server:
    def __init__(self, b):
        self.p = subprocess.Popen(["ip", "netns", "exec", b.server_ns,
                                   os.path.join(b.build, "tests", "e2e", "drive"), *b.eal(), "--",
                                   "--addr", f"{SERVER}/24", "--set", "run.control=" + control(b)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.p.stdout.readline()
        expect(line == b"ready\n", f"it says {line} {b'' if line else self.p.stderr.read()}")
        b._setup_client()

    def cpu_s(self):
        fields = open(f"/proc/{self.p.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(b):
    return Server(b)


def stream(b, s):
    """1 MiB there and back"""
    data = os.urandom(1 << 20)
    got = there_and_back(PORT, data, 20 * b.slow)
    expect(got == data, f"{len(got)} bytes came back")


def many(b, s):
    """50 clients at once"""
    many_at_once(PORT, 50, 10 * b.slow)


def idle(b, s):
    """it sleeps when nothing comes: under 10 % of a second"""
    before = s.cpu_s()
    time.sleep(1)
    used = s.cpu_s() - before
    expect(used < 0.1 * b.slow, f"{used} s of the CPU")


def commands(b, s):
    """percore-ctl reaches the stack, which turns in the program's calls"""
    ctl = [b.path("percore-ctl"), control(b)]
    expect(SERVER in sh(*ctl, "addr", "show").stdout, "the address is not shown")
    sh(*ctl, "addr", "add", "192.0.2.77/24", "port", 0)
    sh("ping", "-n", "-c", 2, "-i", "0.2", "-W", 2 * b.slow, "192.0.2.77")


def link(b, s):
    """a link that goes and comes again, while the program sleeps in a call: its address is announced"""
    ctl = [b.path("percore-ctl"), control(b)]

    def ups():
        return int(dict(line.split() for line in sh(*ctl, "counters", "show").stdout.splitlines()).get("links_up", 0))
    before = ups()
    sh("ip", "link", "set", b.dev, "down")
    wait_for(lambda: " link down " in sh(*ctl, "port", "show").stdout, 10 * b.slow, "the link to be seen down")
    sh("ip", "link", "set", b.dev, "up")
    wait_for(lambda: ups() > before, 10 * b.slow, "the link to be seen up")


def end(b, s):
    """the end of standard input, a descriptor of the kernel's in its set, ends it in order"""
    out, err = s.p.communicate(timeout=10 * b.slow)
    expect(s.p.returncode == 0 and out == b"stopped\n", f"status {s.p.returncode}, {out} {err}")


STEPS = [stream, many, idle, commands, link, end]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.main(args, STEPS, start)
