# SPDX-License-Identifier: BSD-2-Clause
"""The bed of an e2e test: network namespaces of its own, a program of ours on a port in one of
them, and the kernel of the machine as the client in the other.

Overview: a test makes a Bed for a backend, starts programs in it, runs steps, and everything is
taken away at the end, also after a failure or a signal. The test's own process enters the client's
namespace, so sockets that it opens and tools that it runs are the client's.

Backends:
  tap        net_tap: one namespace, the kernel's side of the TAP port is the client
  af_packet  net_af_packet on one end of a veth pair, the client has the other
  af_xdp     net_af_xdp likewise
The client turns its checksum offload off, for those two drivers hand on what the kernel has not
finished.
"""
import argparse
import ctypes
import functools
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

SKIP = 77
PATIENCE = 3  # time-outs are this many times the expected time, since other tests run in parallel
SERVER, CLIENT, PREFIX = "192.0.2.1", "192.0.2.254", 24
# starting with as many as fit into memory takes twice the time
FEW_MBUFS = ("--set", "stack.mbufs=8191")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLONE_NEWNET = 0x40000000

os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """An expectation of a step was not met."""


def expect(condition, text):
    if not condition:
        raise Failure(text)


def skip(why):
    print("skipped: " + why)
    sys.exit(SKIP)


def arguments(text, **more):
    """Parses the command line that every test has; more adds --name with a default each."""
    p = argparse.ArgumentParser(description=text)
    p.add_argument("--build", required=True, help="build directory with the programs")
    p.add_argument("--backend", default="tap", choices=["tap", "af_packet", "af_xdp"])
    p.add_argument("--lcores", type=int, default=1, help="how many lcores, and queues")
    p.add_argument("--slow", type=float, default=1, help="factor of all time limits")
    p.add_argument("--only", help="run only the steps whose name contains this")
    for name, default in more.items():
        p.add_argument("--" + name, type=type(default), default=default)
    args = p.parse_args()
    args.build = os.path.abspath(args.build)
    return args


def need(*tools):
    """Skips the test unless it runs as root and has these commands."""
    if os.geteuid() != 0:
        skip("needs root, to make network namespaces")
    for tool in ("ip", *tools):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")


def sh(*command, timeout=180, check=True, **kw):
    """Runs a command to its end; returns it with .stdout and .stderr as text. Commands that set up
    devices at the same time wait for one lock of the kernel."""
    kw.setdefault("stdin", subprocess.DEVNULL)
    r = subprocess.run([str(c) for c in command], capture_output=True, text=True, errors="replace",
                       timeout=timeout, **kw)
    if check and r.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: status {r.returncode}\n{r.stdout[-3000:]}"
                      f"{r.stderr[-3000:]}")
    return r


def wait_for(condition, seconds, what):
    """Waits until condition() is true, and returns its value. seconds is what an idle machine may
    need."""
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.02)


def ping_all(n, *options, run=sh):
    """Makes the kernel's ping send n echo requests, 10 ms apart; all must be answered. Returns its
    output. After the last request it waits for only two round trips, however long -W is, and a
    machine may stall for longer; so if only the last ones are missing, it is run again. A missing
    answer before one that arrived is a loss."""
    for _ in range(10):
        out = run("ping", "-n", "-c", n, "-i", "0.01", "-W", 5, *options).stdout
        got = {int(i) for i in re.findall(r"icmp_seq=(\d+) ttl=64", out)}
        expect(got == set(range(1, len(got) + 1)), out)
        if len(got) == n:
            return out
    raise Failure(f"the last are never answered\n{out}")


class Asker:
    """Sends packets and waits for their answers. The kernel of a busy machine may lose a few, which
    are sent again."""

    def __init__(self, c, may_lose=3):
        self.c, self.left = c, may_lose

    def ask(self, request, is_answer):
        while True:
            self.c.send(request)
            try:
                while not is_answer(got := self.c.recv(65536)):
                    pass
                return got
            except TimeoutError:
                expect(self.left > 0, f"no answer to {len(request)} bytes, as to others before")
                self.left -= 1


# For nmap, which waits 100 ms for an answer if others arrived soon, and tries three times: a
# machine that stalls for half a second would make a closed port look filtered.
NMAP_PATIENCE = ("--min-rtt-timeout", "2s", "--max-rtt-timeout", "5s")


def twice_more(what):
    """A step that looks at times: a peer that a busy machine holds up for more than two milliseconds draws a
    tail loss probe (RFC 8985 section 7.2), which a capture shows as needless. What is wrong always fails."""
    @functools.wraps(what)
    def step(b, s):
        for n in range(3):
            try:
                return what(b, s)
            except Failure as e:
                if n == 2:
                    raise
                print(f"    once more: {str(e).splitlines()[0]}")
    return step


def enter(namespace):
    """Moves this thread into a network namespace."""
    fd = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(fd)


def free_hugepages():
    names = glob.glob("/sys/kernel/mm/hugepages/*/free_hugepages")
    return {n: open(n).read().strip() for n in names}


def dpdk_files():
    """Returns what EAL leaves in its directories if its options are wrong. Other processes' files
    are there as well, so only names that our programs would use count: these run without
    hugepages."""
    return sorted(glob.glob("/var/run/dpdk/rte/*"))


class Program:
    """A running percore program."""

    def __init__(self, bed, name, process, out, err):
        self.bed, self.name, self.process = bed, name, process
        self.out_path, self.err_path = out, err

    @property
    def pid(self):
        return self.process.pid

    def out(self):
        return open(self.out_path, errors="replace").read()

    def err(self):
        return open(self.err_path, errors="replace").read()

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds):
        seconds *= self.bed.slow * PATIENCE
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} had not ended after {seconds:.0f} s") from None

    def stop(self, seconds=15):
        """Ends it properly, and insists on status 0."""
        if self.alive():
            self.signal(signal.SIGTERM)
        status = self.wait(seconds)
        expect(status == 0, f"{self.name} ended with status {status}\n{self.tail()}")

    def kill(self):
        if self.alive():
            self.process.kill()
        self.process.wait()

    def tail(self):
        return (f"--- stdout of {self.name}\n{self.out()[-2000:]}"
                f"--- stderr of {self.name}\n{self.err()[-6000:]}")


class Bed:
    """The namespaces, temporary files and programs of one test."""

    def __init__(self, args):
        self.backend, self.build, self.slow = args.backend, args.build, args.slow
        self.lcores = args.lcores
        self.tag = f"pce{os.getpid()}"
        self.server_ns = self.tag if self.backend == "tap" else self.tag + "s"
        self.client_ns = self.tag if self.backend == "tap" else self.tag + "c"
        self.dev = "pctap0" if self.backend == "tap" else "pcv0"
        # net_af_packet makes the kernel reassemble IPv4 (PACKET_FANOUT_FLAG_DEFRAG) and truncates
        # the result to its frame size
        self.largest4 = 1900 if self.backend == "af_packet" else 65507
        self.tmp, self.programs, self.home, self.count = None, [], None, 0
        self.namespaces = {self.server_ns, self.client_ns}
        self.shared = False  # one program serves all steps
        # LeakSanitizer needs system calls that the filter forbids
        self.seccomp = self.backend != "tap" and self.slow == 1

    # ---- life

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.tmp = tempfile.mkdtemp(prefix="percore-e2e-")
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._make()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _make(self):
        for ns in {self.server_ns, self.client_ns}:
            for command in (["ip", "netns", "add", ns], ["ip", "-n", ns, "link", "set", "lo", "up"]):
                r = sh(*command, check=False)
                if r.returncode != 0:
                    self.__exit__(None, None, None)
                    skip(f"network namespaces are not allowed here: {r.stderr.strip()}")
        if self.backend == "tap":
            if not os.path.exists("/dev/net/tun"):
                self.__exit__(None, None, None)
                skip("/dev/net/tun is missing")
        else:
            sh("ip", "-n", self.client_ns, "link", "add", self.dev, "type", "veth",
               "peer", "name", "pcv1", "netns", self.server_ns)
        for ns in {self.server_ns, self.client_ns}:
            enter("/run/netns/" + ns)
            for which in ("all", "default"):
                path = f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6"
                if os.path.exists(path):
                    open(path, "w").write("1")
        enter("/run/netns/" + self.client_ns)
        if self.backend != "tap":
            sh("ip", "-n", self.server_ns, "link", "set", "pcv1", "up")
            self._setup_client()
        # a client that opens many connections must not run out of ports
        open("/proc/sys/net/ipv4/ip_local_port_range", "w").write("1024 65000")
        # and none of them may take a port that a server of the test will need
        open("/proc/sys/net/ipv4/ip_local_reserved_ports", "w").write("8000-9999")

    def add_namespace(self, name):
        """Makes one more, which goes away with the others."""
        self.namespaces.add(name)
        sh("ip", "netns", "add", name)

    def _setup_client(self):
        sh("ethtool", "-K", self.dev, "tx", "off", "tso", "off", "gso", "off", "gro", "off",
           check=False)
        sh("ip", "addr", "replace", f"{CLIENT}/{PREFIX}", "dev", self.dev)
        sh("ip", "link", "set", self.dev, "up")

    def __exit__(self, *_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for p in self.programs:
            p.kill()
        fd, self.home = self.home, None
        if fd is not None:
            libc.setns(fd, CLONE_NEWNET)
            os.close(fd)
        for ns in self.namespaces:
            sh("ip", "netns", "del", ns, check=False)
        if self.tmp:
            shutil.rmtree(self.tmp, ignore_errors=True)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return False

    # ---- programs

    def eal(self, memory=192):
        """Returns EAL's arguments for this backend, without hugepages; tests that run in parallel
        start on different CPUs."""
        cpus = sorted(os.sched_getaffinity(0), reverse=True)
        first = os.getpid() if self.lcores == 1 else 0
        where = ",".join(f"{i}@{cpus[(first + i) % len(cpus)]}" for i in range(self.lcores))
        queues = {"tap": "", "af_packet": f",qpairs={self.lcores}",
                  "af_xdp": f",queue_count={self.lcores}"}[self.backend]
        device = {"tap": f"net_tap0,iface={self.dev}", "af_packet": "net_af_packet0,iface=pcv1",
                  "af_xdp": "net_af_xdp0,iface=pcv1"}[self.backend]
        return ["--lcores", where, "--no-huge", "--no-shconf", "-m", str(memory * self.lcores),
                "--no-pci", "--no-telemetry", "--vdev=" + device + queues]

    def path(self, name):
        if "/" in name:
            return os.path.join(self.build, name)
        return os.path.join(self.build, "app", name.split("-")[1], name)

    def spawn(self, command, name):
        """Starts a command in the server's namespace and waits for its line "ready"."""
        self.count += 1
        out = os.path.join(self.tmp, f"{self.count}.out")
        err = os.path.join(self.tmp, f"{self.count}.err")
        with open(out, "w") as o, open(err, "w") as e:
            process = subprocess.Popen(["ip", "netns", "exec", self.server_ns, *command],
                                       stdin=subprocess.DEVNULL, stdout=o, stderr=e)
        p = Program(self, name, process, out, err)
        self.programs.append(p)
        wait_for(lambda: not p.alive() or
                 any(line.endswith("ready") for line in p.out().splitlines()),
                 30 * self.slow, f"{name} to be ready")
        if not p.alive():
            if self.backend == "af_xdp" and "af_xdp" in p.err() and "start" not in p.out():
                print(p.err())
            raise Failure(f"{name} did not start: status {p.process.returncode}\n{p.tail()}")
        if self.backend == "tap":
            self._setup_client()
        return p

    def start(self, name, *options):
        """Starts percore-echo or percore-httpd, with our address."""
        path = self.path(name)
        if self.seccomp and b"libseccomp" in open(path, "rb").read():
            options = ("--set", "run.seccomp=1", *options)
        return self.spawn([path, *self.eal(), "--",
                           "--addr", f"{SERVER}/{PREFIX}", "--gateway", CLIENT, *FEW_MBUFS, *options], name)

    # ---- the network

    def lose(self, per_cent):
        """Drops that share of the frames in both directions on the client's device."""
        self.heal()
        if per_cent:
            sh("nft", f"""add table netdev pcloss
                add chain netdev pcloss in {{ type filter hook ingress device {self.dev} priority 0; }}
                add chain netdev pcloss out {{ type filter hook egress device {self.dev} priority 0; }}
                add rule netdev pcloss in meta protocol ip numgen random mod 1000 < {int(per_cent * 10)} counter drop
                add rule netdev pcloss out meta protocol ip numgen random mod 1000 < {int(per_cent * 10)} counter drop
                """)

    def lost(self):
        """Returns how many frames lose() has dropped: from and to the server."""
        out = sh("nft", "list", "table", "netdev", "pcloss").stdout
        words = out.split()
        return [int(words[i + 1]) for i, w in enumerate(words) if w == "packets"]

    def heal(self):
        sh("nft", "delete", "table", "netdev", "pcloss", check=False)


def main(args, steps, make):
    """Runs the steps of a test in one bed: make(bed) starts the programs and returns what is passed
    to each step. Prints a line for each; the status is 1 if one failed."""
    failed = 0
    before = dpdk_files()
    with Bed(args) as bed:
        state = make(bed)
        bed.shared = bool(bed.programs)
        for step in steps:
            had = len(bed.programs)
            title = (step.__doc__ or step.__name__).strip().split("\n")[0]
            if args.only and args.only not in step.__name__:
                continue
            begin = time.monotonic()
            try:
                step(bed, state)
                verdict = "ok"
            except (Failure, OSError, subprocess.SubprocessError, ValueError, AssertionError) as e:
                verdict = "FAILED"
                failed += 1
                text = isinstance(e, Failure) and str(e).strip() or traceback.format_exc()
                print("    " + text.replace("\n", "\n    "))
                for p in bed.programs[-1:]:
                    if not p.alive():
                        print(f"    {p.name} is gone: status {p.process.returncode}\n{p.tail()}")
                for p in bed.programs[had:]:  # programs left by the step would disturb the next one
                    p.kill()
            print(f"{verdict:6} {step.__name__}: {title} ({time.monotonic() - begin:.1f} s)",
                  flush=True)
            if failed and bed.shared and not bed.programs[-1].alive():
                print("the program is gone; the other steps are not tried")
                break
        for p in bed.programs:
            if p.alive():
                try:
                    p.stop()
                except Failure as e:
                    failed += 1
                    print(f"FAILED to end in order: {e}")
    left = sorted(set(dpdk_files()) - set(before))
    if left:
        failed += 1
        print(f"FAILED: something is left behind: {' '.join(left[:10])}")
    sys.exit(1 if failed else 0)
