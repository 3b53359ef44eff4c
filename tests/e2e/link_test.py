#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-link between two kernels: delay, losses, small MTUs."""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

import bed as b
from bed import expect, sh


class Wire:
    """Two namespaces, each with one end of a veth pair; percore-link joins the other ends."""

    def __init__(self, args):
        self.args, tag = args, f"pcl{os.getpid()}"
        self.ns = [tag + "a", tag + "b", tag + "m"]
        self.link = None
        self.log = tempfile.NamedTemporaryFile("w+", prefix="percore-link-")

    def __enter__(self):
        for ns in self.ns:
            if sh("ip", "netns", "add", ns, check=False).returncode != 0:
                self.__exit__()
                b.skip("network namespaces are not allowed here")
            sh("ip", "netns", "exec", ns, "sh", "-c",
               "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 || true")
        for i in (0, 1):
            sh("ip", "-n", self.ns[2], "link", "add", f"l{i}", "type", "veth", "peer", "name", "eth",
               "netns", self.ns[i])
            sh("ip", "-n", self.ns[2], "link", "set", f"l{i}", "up")
            sh("ip", "netns", "exec", self.ns[i], "ethtool", "-K", "eth", "tx", "off", "tso", "off",
               "gso", "off", "gro", "off")
            sh("ip", "-n", self.ns[i], "addr", "add", f"192.0.2.{i + 1}/24", "dev", "eth")
            sh("ip", "-n", self.ns[i], "link", "set", "eth", "up")
        for i in (0, 1):  # no ARP among the frames counted
            sh("ip", "-n", self.ns[i], "neigh", "replace", f"192.0.2.{2 - i}", "lladdr",
               mac(self, 1 - i), "dev", "eth", "nud", "permanent")
        return self

    def start(self, *options, out=None):
        self.stop()
        self.log = tempfile.NamedTemporaryFile("w+", prefix="percore-link-")
        self.link = subprocess.Popen(
            ["ip", "netns", "exec", self.ns[2], os.path.join(self.args.build, "app/link/percore-link"),
             "--no-huge", "--no-shconf", "-m", "256", "--no-pci", "--no-telemetry",
             "--vdev=net_af_packet0,iface=l0", "--vdev=net_af_packet1,iface=l1", "--", *options],
            stdin=subprocess.DEVNULL, stdout=self.log if out is None else out, stderr=self.log)
        if out is not None:
            return
        b.wait_for(lambda: "ready" in self.text() or self.link.poll() is not None,
                   30 * self.args.slow, "percore-link to be ready")
        expect(self.link.poll() is None, "percore-link did not start: " + self.text())

    def text(self):
        return open(self.log.name).read()

    def stop(self):
        """Ends the link properly; returns its report, a dict for each direction."""
        if self.link is None:
            return None
        self.link.terminate()
        status = self.link.wait(15 * self.args.slow)
        self.link = None
        text = self.text()
        expect(status == 0, f"percore-link ended with status {status}: {text}")
        return {d: {name.strip(): int(n) for n, name in re.findall(r"(\d+) ([a-z ]+)", line)}
                for d, line in re.findall(r"^link 0 (ab|ba): (.*)$", text, re.M)}

    def __exit__(self, *_):
        if self.link is not None:
            self.link.kill()
            self.link.wait()
        for ns in self.ns:
            sh("ip", "netns", "del", ns, check=False)

    def ping(self, *options, check=True):
        return sh("ip", "netns", "exec", self.ns[0], "ping", "-n", *options, "192.0.2.2",
                  check=check).stdout

    def datagrams(self, n):
        """Returns which of n datagrams arrive, sent one by one from the first kernel to the second,
        and how many more were sent and arrived. The latter are sent until the last of them arrives:
        then the earlier ones, which they do not overtake, have arrived, however busy the
        machine."""
        b.enter("/run/netns/" + self.ns[1])
        rx = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rx.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE
        rx.bind(("192.0.2.2", 4000))
        rx.settimeout(0.3)
        b.enter("/run/netns/" + self.ns[0])
        tx = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for i in range(n):
            tx.sendto(i.to_bytes(4, "big"), ("192.0.2.2", 4000))
            if i % 16 == 15:
                time.sleep(0.002)
        got, last = [], n
        tx.sendto(last.to_bytes(4, "big"), ("192.0.2.2", 4000))
        while not got or got[-1] != last:
            try:
                got.append(int.from_bytes(rx.recv(100), "big"))
            except TimeoutError:
                last += 1
                expect(last < n + 100, "none of 100 datagrams crosses")
                tx.sendto(last.to_bytes(4, "big"), ("192.0.2.2", 4000))
        rx.close()
        tx.close()
        return [i for i in got if i < n], last + 1 - n, sum(i >= n for i in got)


def delay(w):
    """a frame takes as long as it is told to, each way"""
    w.start("--ab", "--delay", "30ms", "--ba", "--delay", "15ms")
    w.ping("-c", "1")
    w.link.send_signal(signal.SIGUSR1)  # its report so far
    b.wait_for(lambda: re.search(r"^link 0 ba: [1-9]\d* frames", w.text(), re.M), 10 * w.args.slow, "a report")
    for _ in range(4):  # a busy machine adds to it
        out = w.ping("-c", "5", "-i", "0.2")
        times = sorted(float(t) for t in re.findall(r"time=([\d.]+)", out))
        expect(len(times) == 5 and times[0] >= 45, out)
        if times[0] < 60:
            break
    expect(times[0] < 60, f"round trips of {times} ms, not 45")
    expect(w.stop()["ab"]["frames"] >= 6, "the report counts too little")


def losses(w):
    """the same seed loses the same frames; the report counts them"""
    got = []
    for seed in ("3", "3", "4"):
        w.start("--ab", "--loss", "10", "--seed", seed)
        arrived, more, of_more = w.datagrams(500)
        got.append(arrived)
        report = w.stop()
        expect(report["ab"]["frames"] == 500 + more, f"{report}, {more} more")
        expect(len(arrived) + of_more + report["ab"]["lost"] == 500 + more, f"{report}, {len(arrived)} and {of_more} of {more} arrived")
        expect(20 < report["ab"]["lost"] < 90, f"{report} is not about 10 % of 500")
    expect(got[0] == got[1] and got[0] != got[2], "losses do not follow from the seed")


def mac(w, i):
    return re.search(r"ether ([0-9a-f:]+)",
                     sh("ip", "-n", w.ns[i], "link", "show", "eth").stdout).group(1)


def mtu(w):
    """a large packet vanishes, or its sender is told of the MTU"""
    w.start("--ab", "--mtu", "1000")
    w.ping("-c", "1")
    out = w.ping("-c", "1", "-W", "1", "-M", "do", "-s", "1200", check=False)
    expect("100% packet loss" in out and "Frag needed" not in out, out)
    w.start("--ab", "--mtu-icmp", "1000")
    w.ping("-c", "1")
    out = w.ping("-c", "2", "-W", "10", "-i", "0.2", "-M", "do", "-s", "1200", check=False)
    expect(re.search(r"Frag needed|message too long", out), out)
    route = sh("ip", "-n", w.ns[0], "route", "get", "192.0.2.2").stdout
    expect("mtu 1000" in route, f"the kernel has not learnt the MTU: {route}")
    expect(w.stop()["ab"]["too big"] >= 1, "the report counts none")


def unread(w):
    """a report that nobody reads holds up no frame, nor an end that is asked for twice"""
    for patient in (True, False):
        end, out = os.pipe()
        os.set_blocking(end, False)
        got = b""

        def said():
            nonlocal got
            try:
                got += os.read(end, 65536)
            except BlockingIOError:
                pass
            return got
        full = os.open(f"/proc/self/fd/{out}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            w.start(out=out)
            b.wait_for(lambda: b"ready" in said() or w.link.poll() is not None, 30 * w.args.slow, "percore-link to be ready")
            try:
                while True:
                    os.write(full, b"x" * 4096)
            except BlockingIOError:
                pass
            w.link.send_signal(signal.SIGUSR1)
            w.ping("-c", "3", "-i", "0.3", "-W", "5")
            w.link.terminate()
            time.sleep(0.5)
            expect(w.link.poll() is None, "its report is lost")
            if patient:
                b.wait_for(lambda: said().count(b"link 0 ba: ") == 2, 10 * w.args.slow, "two reports")
            else:
                w.link.terminate()
            expect(w.link.wait(15 * w.args.slow) == 0, "it did not end in order")
        finally:
            for fd in (end, out, full):
                os.close(fd)
        w.link = None


def hang_up(w):
    """the end of its terminal is its end, in order; not with nohup"""
    w.start()
    w.ping("-c", "1")
    w.link.send_signal(signal.SIGHUP)
    b.wait_for(lambda: w.link.poll() is not None, 15 * w.args.slow, "its end")
    expect(w.link.returncode == 0 and "link 0 ba: " in w.text(), f"status {w.link.returncode}: {w.text()}")
    w.link = None
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        w.start()
    finally:
        signal.signal(signal.SIGHUP, before)
    w.link.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    w.ping("-c", "1")
    w.stop()


def mistakes(w):
    """what is wrong on the command line is told in a line, with status 2"""
    program = os.path.join(w.args.build, "app/link/percore-link")
    for options in (["--", "--delay", "5"], ["--", "--nonsense"],
                    ["--no-huge", "--no-shconf", "-m", "64", "--no-pci", "--no-telemetry", "--"]):
        r = sh(program, *options, check=False)
        expect(r.returncode == 2 and "percore-link: " in r.stderr, f"{options}: {r}")
    expect("--jitter" in sh(program, "--", "--help").stdout, "no help")


def main():
    args = b.arguments(__doc__)
    b.need("ethtool", "ping")
    failed = 0
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    with Wire(args) as w:
        for step in (delay, losses, mtu, unread, hang_up, mistakes):
            if args.only and args.only not in step.__name__:
                continue
            try:
                step(w)
                verdict = "ok"
            except (b.Failure, OSError, subprocess.SubprocessError, KeyError) as e:
                verdict, failed = "FAILED", failed + 1
                print(f"    {type(e).__name__} {e}")
            finally:
                b.libc.setns(home, b.CLONE_NEWNET)
            print(f"{verdict:6} {step.__name__}: {step.__doc__}", flush=True)
        w.stop()
    sys.exit(1 if failed else 0)


main()
