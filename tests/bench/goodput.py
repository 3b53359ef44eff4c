#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Goodput of percore against Linux's own TCP, and of Linux against itself, over the same emulated links.

Overview: a bed in network namespaces of its own has several lanes. A lane is a sender, an emulated link
(percore-link joins two af_packet ports on veth pairs) and a receiver:

  linux     a Linux socket sends to a Linux socket
  sending   percore's source service sends to a Linux socket
  receiving a Linux socket sends to percore's discard service

All lanes of a cell (loss, RTT, rate) run at the same time and for the same time, so that a busy machine
is busy for all of them. The lanes of the same number, one of each kind, have the same chances: the n-th frame
of one is lost if that of the others is. What runs has priority over what else the machine does (SCHED_FIFO),
for a program that has to wait for its turn makes round trips longer, and of the stacks here only the kernel's
never waits. A lane may carry several transfers at
once (--flows), for where chance losses and not the rate are the limit; the rate is for all of them. What
counts is what arrived (or, towards percore, what was acknowledged) in the time after the handshake. The
table has the median of the transfers of each kind in Mbit/s, the quartiles, and what lanes brought in per
cent of Linux's lane with the same chances: the mean over the pairs, and twice its standard error.
"""
import argparse
import ctypes
import os
import selectors
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLONE_NEWNET = 0x40000000
DISCARD, SOURCE, PORT = 9, 19, 5001
TCP_CONGESTION = 13
ALGORITHMS = {"reno": 0, "cubic": 1, "bbr": 3}  # values of tcp.congestion
KINDS = ("linux", "sending", "receiving")
SYSCTL = {
    "net/ipv4/tcp_no_metrics_save": "1",
    "net/ipv4/tcp_rmem": "4096 131072 8388608",
    "net/ipv4/tcp_wmem": "4096 65536 8388608",
}
libc = ctypes.CDLL(None, use_errno=True)


def sh(*command):
    r = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                       stdin=subprocess.DEVNULL)
    if r.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {r.stderr.strip()}")
    return r.stdout


def enter(fd):
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def tcp_info(sock):
    """Returns the bytes that the peer has acknowledged, the retransmitted segments, and the round
    trip in ms."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return (struct.unpack_from("Q", info, 120)[0], struct.unpack_from("I", info, 100)[0],
            struct.unpack_from("I", info, 68)[0] / 1000)


class Flow:
    """One transfer; it opens itself on events of a selector."""

    def __init__(self, lane, number):
        self.lane, self.bed, self.number = lane, lane.bed, number
        self.begin, self.result, self.sender, self.got = None, None, None, 0
        self.retransmits, self.rtt = 0, 0.0

    def start(self, sel):
        lane = self.lane
        s = lane.socket("x" if lane.kind == "receiving" else "y")
        to = {"linux": (lane.net + ".1", PORT), "sending": (lane.net + ".1", SOURCE),
              "receiving": (lane.net + ".2", DISCARD)}[lane.kind]
        s.connect_ex(to)
        sel.register(s, selectors.EVENT_WRITE, (self, self.on_connect))

    def on_connect(self, sel, s):
        error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise RuntimeError(f"{self.lane.kind} {self.lane.number}: connect: {os.strerror(error)}")
        self.begin = time.monotonic()
        if self.lane.kind == "receiving":
            self.sender = s
            sel.modify(s, selectors.EVENT_WRITE, (self, self.on_write))
        else:
            sel.modify(s, selectors.EVENT_READ, (self, self.on_read))

    def on_write(self, sel, s):
        try:
            while s.send(self.bed.data) == len(self.bed.data):
                pass
        except BlockingIOError:
            pass

    def on_read(self, sel, s):
        try:
            n = s.recv_into(self.bed.sink)
        except BlockingIOError:
            return
        if n == 0:
            raise RuntimeError(f"{self.lane.kind} {self.lane.number}: the stream ended")
        self.got += n

    def finish(self, seconds):
        """Records Mbit/s when the time is up."""
        if self.begin is None or self.result is not None or time.monotonic() < self.begin + seconds:
            return
        got, taken = self.got, time.monotonic() - self.begin
        if self.sender is not None:
            acks, self.retransmits, self.rtt = tcp_info(self.sender)
            got = acks if self.lane.kind == "receiving" else self.got
        self.result = got * 8e-6 / taken


class Lane:
    """A sender, a link, a receiver; its transfers are restarted for each cell."""

    def __init__(self, bed, kind, index, number):
        self.bed, self.kind, self.index, self.number = bed, kind, index, number
        self.net = f"10.77.{index}"
        self.socks, self.flows, self.accepted = [], [], 0

    def names(self):
        """Returns the names of the two devices that the link opens."""
        return f"a{self.index}", f"b{self.index}"

    def make(self):
        """Creates, for each end, a veth pair: one device for the link, the other in a host or for
        percore."""
        for side, dev in zip("xy", self.names()):
            ours = self.is_percore(side)
            peer = f"p{self.index}" if ours else f"{side}{self.index}"
            sh("ip", "-n", self.bed.ns["m"], "link", "add", dev, "type", "veth", "peer", "name", peer,
               "netns", self.bed.ns["p" if ours else side])
            sh("ip", "-n", self.bed.ns["m"], "link", "set", dev, "up")
            where = self.bed.ns["p" if ours else side]
            sh("ip", "netns", "exec", where, "ethtool", "-K", peer, "tx", "off", "tso", "off", "gso",
               "off", "gro", "off")
            if not ours:
                sh("ip", "-n", where, "addr", "add", f"{self.net}.{1 if side == 'x' else 2}/24", "dev",
                   peer)
            sh("ip", "-n", where, "link", "set", peer, "up")

    def is_percore(self, side):
        return (self.kind, side) in (("sending", "x"), ("receiving", "y"))

    def percore_addr(self):
        return f"{self.net}.{1 if self.kind == 'sending' else 2}/24"

    def socket(self, side):
        enter(self.bed.fd[side])
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        enter(self.bed.home)
        s.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, self.bed.algorithm.encode())
        s.setblocking(False)
        self.socks.append(s)
        return s

    def start(self, sel):
        """Connects; the rest is left to events of sel."""
        self.accepted = 0
        self.flows = [Flow(self, i) for i in range(self.bed.args.flows)]
        if self.kind == "linux":
            listener = self.socket("x")
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.net + ".1", PORT))
            listener.listen(len(self.flows))
            sel.register(listener, selectors.EVENT_READ, (self, self.on_accept))
        for flow in self.flows:
            flow.start(sel)

    def on_accept(self, sel, listener):
        s, _ = listener.accept()
        s.setblocking(False)
        self.socks.append(s)
        flow = self.flows[self.accepted]
        self.accepted += 1
        flow.sender = s
        sel.register(s, selectors.EVENT_WRITE, (flow, flow.on_write))

    def close(self):
        for s in self.socks:  # a reset: the remaining data need not be delivered
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        self.socks = []


class Bed:
    def __init__(self, args):
        self.args, self.algorithm, self.ns, self.fd = args, "", {}, {}
        self.data, self.sink = bytes(65536), bytearray(1 << 20)
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.percore, self.logs = None, tempfile.mkdtemp(prefix="percore-goodput-")
        self.lanes = []
        for number in range(args.lanes):
            for kind in KINDS:
                self.lanes.append(Lane(self, kind, len(self.lanes), number))

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            for who in "xymp":  # two hosts, the links (m), percore: fanout groups are per namespace
                self.ns[who] = f"pcg{os.getpid()}{who}"
                sh("ip", "netns", "add", self.ns[who])
                self.fd[who] = os.open("/run/netns/" + self.ns[who], os.O_RDONLY | os.O_CLOEXEC)
                self.settle(who)
            for lane in self.lanes:
                lane.make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def settle(self, who):
        enter(self.fd[who])
        for which in ("all", "default"):
            path = f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6"
            if os.path.exists(path):
                open(path, "w").write("1")
        for key, value in SYSCTL.items() if who in "xy" else ():
            open("/proc/sys/" + key, "w").write(value)
        enter(self.home)

    def __exit__(self, *_):
        self.stop(self.percore)
        for fd in self.fd.values():
            os.close(fd)
        for ns in self.ns.values():
            subprocess.run(["ip", "netns", "del", ns], capture_output=True)
        subprocess.run(["rm", "-rf", self.logs])

    # ---- programs

    def eal(self, devices, memory):
        return ["--no-huge", "--no-shconf", "-m", memory, "--no-pci", "--no-telemetry",
                *(f"--vdev=net_af_packet{i},iface={dev}" for i, dev in enumerate(devices))]

    def spawn(self, name, where, *command):
        """Starts a program and waits for its line "ready"."""
        path = os.path.join(self.logs, name)
        with open(path, "w") as log:
            p = subprocess.Popen(["ip", "netns", "exec", self.ns[where], *map(str, command)],
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        p.log = path
        end = time.monotonic() + 60
        while not any(line.endswith("ready") for line in open(path).read().splitlines()):
            if p.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{name} did not start:\n{open(path).read()}")
            time.sleep(0.02)
        return p

    @staticmethod
    def stop(p):
        if p is not None and p.poll() is None:
            p.send_signal(signal.SIGTERM)
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()

    def start_percore(self, algorithm):
        self.stop(self.percore)
        self.algorithm = algorithm
        lanes = [lane for lane in self.lanes if lane.kind != "linux"]
        command = [os.path.join(self.args.build, "app/echo/percore-echo"),
                   *self.eal([f"p{lane.index}" for lane in lanes], 512), "--",
                   "--source", SOURCE, "--discard", DISCARD, "--set", "run.idle_turns=16",
                   "--set", "run.drain_ms=0", "--set", f"tcp.congestion={ALGORITHMS[algorithm]}"]
        for key in self.args.set:
            command += ["--set", key]
        for i, lane in enumerate(lanes):
            command += ["--addr", f"{i}={lane.percore_addr()}"]
        if self.args.pcap:
            command += ["--pcap", self.args.pcap]
        self.percore = self.spawn("percore", "p", *command)

    def start_link(self, cell, seed):
        devices = [name for lane in self.lanes for name in lane.names()]
        link = ["--delay", f"{cell.rtt / 2}ms", "--seed", seed, "--alike", len(KINDS), "--mbufs", 4095, "--rate", cell.rate,
                "--queue", f"{max(cell.rtt, 10)}ms"]
        if cell.reorder:
            link += ["--reorder", cell.reorder, "--reorder-delay", f"{max(cell.rtt / 10, 1)}ms"]
        if cell.mtu:
            link += ["--mtu-icmp", cell.mtu]
        if cell.loss:
            link += ["--ab", "--loss", cell.loss]
        return self.spawn("link", "m", os.path.join(self.args.build, "app/link/percore-link"),
                          *self.eal(devices, 16 * len(self.lanes) + 128), "--", *link)

    # ---- a cell

    def run(self, cell, seed):
        """Runs all lanes once; adds their results to the cell."""
        link = self.start_link(cell, seed)
        sel = selectors.DefaultSelector()
        try:
            for lane in self.lanes:
                lane.start(sel)
            flows = [flow for lane in self.lanes for flow in lane.flows]
            end = time.monotonic() + self.args.seconds + 20
            while any(flow.result is None for flow in flows):
                for key, _ in sel.select(0.05):
                    _, then = key.data
                    then(sel, key.fileobj)
                for flow in flows:
                    flow.finish(self.args.seconds)
                if time.monotonic() > end:
                    raise RuntimeError("a connection does not come up")
        finally:
            for lane in self.lanes:
                lane.close()
            sel.close()
            time.sleep(0.05 + cell.rtt / 1000)
            self.stop(link)
        if self.args.verbose:
            sys.stderr.write(open(link.log).read())
        cell.pair(self.lanes)
        for flow in flows:
            if self.args.verbose:
                sys.stderr.write(f"{flow.lane.kind} {flow.lane.number}.{flow.number}: "
                                 f"{flow.result:.2f} Mbit/s, {flow.retransmits} retransmits, "
                                 f"{flow.rtt:.1f} ms\n")


class Cell:
    """One row of the table."""

    def __init__(self, algorithm, rtt, loss, rate, reorder=0, mtu=0):
        self.algorithm, self.rtt, self.loss, self.rate = algorithm, rtt, loss, rate
        self.reorder, self.mtu = reorder, mtu
        self.results = {kind: [] for kind in KINDS}
        # of each lane to the Linux lane with the same number
        self.ratios = {kind: [] for kind in KINDS}

    def pair(self, lanes):
        """Adds the results of one run."""
        total = {(lane.kind, lane.number): sum(f.result for f in lane.flows) for lane in lanes}
        for lane in lanes:
            self.results[lane.kind] += [flow.result for flow in lane.flows]
            self.ratios[lane.kind].append(total[lane.kind, lane.number] /
                                          total["linux", lane.number])

    def more(self):
        return (f"reorder {self.reorder} %" if self.reorder else "") + \
            (f"mtu {self.mtu}" if self.mtu else "")

    def ratio(self, kind):
        """Returns the mean of the pairs' ratios and twice its standard error, in per cent."""
        r = self.ratios[kind]
        error = 2 * statistics.stdev(r) / len(r) ** 0.5 if len(r) > 1 else 0
        return f"{100 * statistics.mean(r):4.0f} ±{100 * error:2.0f}"

    def row(self):
        text = f"{self.algorithm:5} {self.rtt:5} {self.loss:5} {self.rate:>5} {self.more():12}"
        for kind in KINDS:
            r = sorted(self.results[kind])
            low, _, high = statistics.quantiles(r, n=4) if len(r) > 1 else (r[0], r[0], r[0])
            median = statistics.median(r)
            text += f" {median:7.2f} [{low:6.2f} {high:6.2f}]"
            if kind != "linux":
                text += f" {self.ratio(kind)}"
        return text


HEAD = ("algo    RTT  loss  rate               ------ linux ------- "
        "----------- sending ----------- ---------- receiving ----------\n"
        "         ms     %                       Mbit/s [quartiles]   "
        "Mbit/s [quartiles]  % of linux   Mbit/s [quartiles]  % of linux")


def numbers(text):
    return [float(x) if "." in x else int(x) for x in text.split(",") if x]


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", default=os.path.join(TOP, "build"))
    p.add_argument("--algorithms", default="cubic,reno")
    p.add_argument("--loss", type=numbers, default=[0, 0.1, 1, 2], help="loss in per cent (0,0.1,1,2)")
    p.add_argument("--rtt", type=numbers, default=[10, 50, 100], help="round-trip times in ms (10,50,100)")
    p.add_argument("--rate", default="20M", help="bit/s of each link, comma between several (20M)")
    p.add_argument("--seconds", type=float, default=10, help="length of each transfer (10)")
    p.add_argument("--lanes", type=int, default=4, help="links of each kind at once, at most 4 (4)")
    p.add_argument("--flows", type=int, default=1, help="transfers of a link at once (1)")
    p.add_argument("--rounds", type=int, default=3, help="rounds of each row (3)")
    p.add_argument("--no-extra", action="store_true", help="leave out reordering and the small MTU")
    p.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE",
                   help="a setting of percore; may be repeated")
    p.add_argument("--pcap", help="capture percore's frames to this file")
    p.add_argument("--verbose", action="store_true", help="print every link")
    args = p.parse_args()
    args.build = os.path.abspath(args.build)
    if not 1 <= args.lanes <= 4:
        p.error("--lanes: 1 to 4, for a stack has at most 8 ports")
    return args


def cells(args):
    with open("/proc/sys/net/ipv4/tcp_available_congestion_control") as f:
        known = f.read().split()
    for algorithm in args.algorithms.split(","):
        if algorithm not in known or algorithm not in ALGORITHMS:
            print(f"# {'percore' if algorithm in known else 'this kernel'} has no {algorithm}")
            continue
        for rate in args.rate.split(","):
            for rtt in args.rtt:
                for loss in args.loss:
                    yield Cell(algorithm, rtt, loss, rate)
            if not args.no_extra:
                yield Cell(algorithm, 50, 0, rate, reorder=2)
                yield Cell(algorithm, 50, 0.1, rate, mtu=576)


def main():
    args = arguments()
    if os.geteuid() != 0:
        print("goodput: needs root, to make network namespaces", file=sys.stderr)
        return 2
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError as error:
        print(f"# without priority over other programs: {error.strerror}")
    print(HEAD, flush=True)
    with Bed(args) as bed:
        for cell in cells(args):
            if bed.algorithm != cell.algorithm:
                bed.start_percore(cell.algorithm)
            for r in range(args.rounds):
                bed.run(cell, r + 1)
            print(cell.row(), flush=True)
    return 0


try:
    sys.exit(main())
except (RuntimeError, OSError) as error:
    print(f"goodput: {error}", file=sys.stderr)
    sys.exit(1)
