#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-switch between four kernels: pings of all pairs, a stream and its capture, VLANs, a station that moves."""
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import bed as b
from bed import expect, sh, wait_for

HOSTS = 4
TYPE = 0x88b5  # for experiments


class Switch:
    """Hosts, each a namespace with one end of a veth pair; percore-switch joins the other ends, in
    a namespace of its own."""

    def __init__(self, args):
        self.args, tag = args, f"pcw{os.getpid()}"
        self.ns = [f"{tag}{i}" for i in range(HOSTS)]
        self.middle = tag + "m"
        self.process = self.log = None
        self.tmp = tempfile.TemporaryDirectory(prefix="percore-switch-")

    def __enter__(self):
        try:
            return self.make()
        except BaseException:
            self.__exit__()
            raise

    def make(self):
        for ns in self.ns + [self.middle]:
            if sh("ip", "netns", "add", ns, check=False).returncode != 0:
                b.skip("network namespaces are not allowed here")
            self.within(ns, "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 || true")
        for i, ns in enumerate(self.ns):
            sh("ip", "-n", self.middle, "link", "add", f"s{i}", "type", "veth", "peer", "name", "eth", "netns", ns)
            sh("ip", "-n", self.middle, "link", "set", f"s{i}", "up")
            self.within(ns, "ethtool", "-K", "eth", "tx", "off", "tso", "off", "gso", "off", "gro", "off")
            sh("ip", "-n", ns, "addr", "add", f"192.0.2.{i + 1}/24", "dev", "eth")
            sh("ip", "-n", ns, "link", "set", "eth", "up")
        return self

    def sockets(self):
        """Returns a socket for raw frames on each host."""
        home, out = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC), []
        try:
            for ns in self.ns:
                b.enter("/run/netns/" + ns)
                f = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
                f.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the kernel strips tags
                f.bind(("eth", 3))
                out.append(f)
        finally:
            b.libc.setns(home, b.CLONE_NEWNET)
            os.close(home)
        return out

    def __exit__(self, *_):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for ns in self.ns + [self.middle]:
            sh("ip", "netns", "del", ns, check=False)
        self.tmp.cleanup()

    def within(self, where, *command, **kw):
        return sh("ip", "netns", "exec", where if isinstance(where, str) else self.ns[where], *command, **kw)

    def start(self, *options, devices=None):
        self.stop()
        self.log = tempfile.NamedTemporaryFile("w+", dir=self.tmp.name, delete=False)
        devices = devices or [f"--vdev=net_af_packet{i},iface=s{i}" for i in range(HOSTS)]
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.middle, os.path.join(self.args.build, "app/switch/percore-switch"),
             "--no-huge", "--no-shconf", "-m", "256", "--no-pci", "--no-telemetry", *devices, "--", *options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for(lambda: "ready" in self.text() or self.process.poll() is not None, 30 * self.args.slow,
                 "percore-switch to be ready")
        expect(self.process.poll() is None, "percore-switch did not start: " + self.text())

    def text(self):
        return open(self.log.name).read()

    def counts(self):
        """Returns the counters of each port in the last report: a dict for each."""
        lines = re.findall(r"^port \d+ \(.* link.*\):(.*)$", self.text(), re.M)[-HOSTS:]
        return [{name: int(n) for name, n in re.findall(r"([a-z_]+) (\d+)", line)} for line in lines]

    def stop(self):
        """Ends it properly. Returns its counters."""
        if self.process is None:
            return None
        self.process.terminate()
        status = self.process.wait(15 * self.args.slow)
        self.process = None
        expect(status == 0, f"percore-switch ended with status {status}: {self.text()}")
        return self.counts()

    def asked(self):
        """Asks it for a report, and returns that."""
        begin = len(self.text())
        self.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: re.search(r"^port 3 .*\n(station .*\n)+", self.text()[begin:], re.M), 10 * self.args.slow,
                 "a report")
        return self.text()[begin:]

    def ping(self, i, to, *options, count=1, check=True):
        """Pings from host i. Returns whether it was answered. Once one request was, ping waits for
        the last one for only two round trips, and a busy machine may stall for longer: if another
        answer arrives, those at the end may be missing."""
        r = self.within(i, "ping", "-n", "-c", count, "-i", "0.01", "-W", "5" if check else "0.3", *options, to, check=False)
        if check:
            got = [int(n) for n in re.findall(r"icmp_seq=(\d+) ttl", r.stdout)]
            expect(got and got == [*range(1, len(got) + 1)], f"host {i} to {to}: {r.stdout}{r.stderr}")
            if len(got) < count:
                self.ping(i, to, *options)
        return r.returncode == 0


def none_lost(counts, but=()):
    """Checks that no frame was dropped, except under some names."""
    for i, c in enumerate(counts):
        bad = {n: v for n, v in c.items() if re.match(r"drop_|tx_(?!frames|bytes)", n) and n not in but}
        expect(not bad, f"port {i}: {bad}")


def pairs(s):
    """all pairs ping each other over ports of two drivers, and nothing is lost; the table shows who is where"""
    s.start(devices=[f"--vdev=net_af_packet{i},iface=s{i}" for i in (0, 1)] + [f"--vdev=net_af_xdp{i},iface=s{i}" for i in (2, 3)])
    for i in range(HOSTS):
        for to in range(HOSTS):
            if to != i:
                s.ping(i, f"192.0.2.{to + 1}", "-s", "1472", "-M", "do", count=10)
    shown = s.asked()
    for i in range(HOSTS):
        mac = sh("ip", "-n", s.ns[i], "link", "show", "eth").stdout
        mac = re.search(r"ether ([0-9a-f:]+)", mac).group(1)
        expect(f"station {mac} vlan 0 port {i} heard" in shown, f"{mac} is not behind port {i}: {shown}")
    counts = s.stop()
    none_lost(counts)
    for c in counts:
        expect(c["forwarded"] >= 10 * 2 * (HOSTS - 1) - 1 and c["learnt"] >= 1, f"{counts}")


def stream(s):
    """a stream of iperf3 crosses, and tshark finds nothing malformed in a capture of its other end"""
    s.start()
    s.ping(0, "192.0.2.2")
    path = os.path.join(s.tmp.name, "capture.pcap")
    server = subprocess.Popen(["ip", "netns", "exec", s.ns[1], "iperf3", "-s", "-1"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    capture = subprocess.Popen(["ip", "netns", "exec", s.ns[1], "tcpdump", "-ni", "eth", "-w", path, "-c", "2000", "-U"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        expect(any("listening on" in line for line in iter(capture.stderr.readline, "")), "tcpdump does not listen")
        wait_for(lambda: ":5201 " in s.within(1, "ss", "-ltn").stdout, 10 * s.args.slow, "iperf3 to listen")
        # paced, so that no queue of the kernel overflows; a receiver counts what it has read when
        # the sender has written everything, some of which is still in the buffers of both ends (-w:
        # at most twice 256 KB). Newer versions end with the interval, so they send more
        out = s.within(0, "iperf3", "-c", "192.0.2.2", "-n", "10M", "-b", "100M", "-M", "1400", "-w", "128K").stdout
        expect(re.search(r"(9\.[4-9]\d?|1[0-2]\.\d) MBytes.*receiver", out), out)
        expect(server.wait(10 * s.args.slow) == 0, "iperf3's server failed")
        expect(capture.wait(10 * s.args.slow) == 0, "tcpdump failed")
    finally:
        for p in (server, capture):
            p.kill()
            p.wait()
        capture.stderr.close()
    # the kernel, which sends these segments, writes 0xffff instead of 0 (CSUM_MANGLED_0)
    bad = sh("tshark", "-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y",
             "_ws.malformed || (tcp.checksum.status == 0 && tcp.checksum != 0xffff) || ip.checksum.status == 0").stdout
    expect(bad == "", f"tshark does not like:\n{bad[:2000]}")
    none_lost(s.stop(), ("drop_queue", "tx_queue_full"))


def send(f, number, vlan=None):
    """Broadcasts a frame that contains a number from a host's socket."""
    tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
    f.send(b"\xff" * 6 + bytes((2, 0, 0, 0, 0, 1 + number)) + tag + struct.pack("!HI", TYPE, number) + bytes(50))


def receive(f, number, seconds):
    """Returns the VLAN of the frame with that number that a host receives; 0: no tag; None: it does
    not arrive."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        f.settimeout(left)
        try:
            data, more, _, source = f.recvmsg(2000, 100)
        except TimeoutError:
            return None
        if source[2] == 4 or data[12:18] != struct.pack("!HI", TYPE, number):  # PACKET_OUTGOING
            continue
        for level, kind, aux in more:
            if (level, kind) == (263, 8):
                status, vlan = struct.unpack("=I12xH", aux[:18])
                return vlan if status & 16 else 0  # TP_STATUS_VLAN_VALID
    return None


def vlans(s):
    """each port hears its VLANs, with the tags that it wants, and no others"""
    s.start("--access", "0=10", "--access", "1=20", "--trunk", "2=20", "--native", "2=10", "--trunk", "3=20,30",
            "--native", "3=11")
    s.ping(0, "192.0.2.3", count=3)
    hosts = s.sockets()
    for number, (of, vlan, heard) in enumerate((
            (0, None, {2: 0}), (1, None, {2: 20, 3: 20}), (2, 20, {1: 0, 3: 20}), (2, None, {0: 0}),
            (3, 20, {1: 0, 2: 20}), (0, 10, {2: 0}), (0, 20, {}), (3, 30, {}), (3, None, {}))):
        send(hosts[of], number, vlan)
        for i, tag in heard.items():
            got = receive(hosts[i], number, 5 * s.args.slow)
            expect(got == tag, f"from host {of} in VLAN {vlan}: host {i} gets {got}, not {tag}")
        for i in {0, 1, 2, 3} - {of} - heard.keys():
            expect(receive(hosts[i], number, 0.05) is None, f"from host {of} in VLAN {vlan}: host {i} gets it")
    for f in hosts:
        f.close()
    counts = s.stop()
    expect(counts[0]["drop_vlan"] == 1 and counts[3]["drop_nowhere"] >= 2, f"{counts}")
    none_lost(counts, ("drop_nowhere", "drop_vlan"))


def taps(s):
    """the same over TAPs, one of which moves: its station is found again"""
    devices = [f"--vdev=net_tap{i},iface=t{i}" for i in range(HOSTS)]
    s.start(devices=devices)
    for i in range(3):
        sh("ip", "-n", s.middle, "link", "set", f"t{i}", "netns", s.ns[i])
        sh("ip", "-n", s.ns[i], "addr", "add", f"203.0.113.{i + 1}/24", "dev", f"t{i}")
        sh("ip", "-n", s.ns[i], "link", "set", f"t{i}", "up")
    s.ping(0, "203.0.113.2", count=10)
    s.ping(2, "203.0.113.1", count=10)
    wait_for(lambda: s.asked().count("link up") == HOSTS, 10 * s.args.slow, "the links to be seen up")
    s.ping(1, "203.0.113.1", count=10)
    # host 2 moves to port 3, with its MAC address
    mac = re.search(r"ether ([0-9a-f:]+)", sh("ip", "-n", s.ns[2], "link", "show", "t2").stdout).group(1)
    sh("ip", "-n", s.ns[2], "link", "del", "t2")
    sh("ip", "-n", s.middle, "link", "set", "t3", "netns", s.ns[2])
    sh("ip", "-n", s.ns[2], "link", "set", "t3", "address", mac)
    sh("ip", "-n", s.ns[2], "addr", "add", "203.0.113.3/24", "dev", "t3")
    sh("ip", "-n", s.ns[2], "link", "set", "t3", "up")
    s.ping(2, "203.0.113.1", count=10)
    s.ping(0, "203.0.113.3", count=10)
    counts = s.stop()
    expect(counts[3]["moved"] + counts[3].get("learnt", 0) >= 1, f"{counts}")


def mistakes(s):
    """what is wrong is told in a line that names it, with status 2"""
    program = os.path.join(s.args.build, "app/switch/percore-switch")
    eal = ["--no-huge", "--no-shconf", "-m", "128", "--no-pci", "--no-telemetry", "--vdev=net_null0", "--vdev=net_null1"]
    for options, says in ((["--access", "0=5000"], "--access: "), (["--set", "switch.entries=1"], "switch.entries"),
                          (["--access", "5=1"], "refers to port 5"), (["--addr", "192.0.2.1/24"], "--addr"),
                          (["--native", "0=7"], "--native"), (["--nonsense"], "--nonsense")):
        r = sh(program, *eal, "--", *options, check=False)
        expect(r.returncode == 2 and says in r.stderr and r.stderr.count("\n") == 1, f"{options}: {r}")
    r = sh(program, *eal[:-1], "--", check=False)
    expect(r.returncode == 2 and "two ports" in r.stderr, f"{r}")
    expect("--trunk" in sh(program, "--", "--help").stdout, "no help")
    expect("#port_entries = 0" in sh(program, "--print-config").stdout, "no settings")


def main():
    args = b.arguments(__doc__)
    b.need("ethtool", "ping", "iperf3", "tcpdump", "tshark", "ss")
    failed = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Switch(args) as s:
        for step in (pairs, stream, vlans, taps, mistakes):
            if args.only and args.only not in step.__name__:
                continue
            try:
                step(s)
                verdict = "ok"
            except (b.Failure, OSError, subprocess.SubprocessError, KeyError, IndexError) as e:
                verdict, failed = "FAILED", failed + 1
                print(f"    {type(e).__name__} {e}")
            print(f"{verdict:6} {step.__name__}: {step.__doc__}", flush=True)
        s.stop()
    sys.exit(1 if failed else 0)


main()
