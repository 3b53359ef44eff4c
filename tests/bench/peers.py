# SPDX-License-Identifier: BSD-2-Clause
"""The servers that are measured: how each is started, and over what it is reached.

memif   percore-echo and percore-httpd, percore-load's null, and testpmd, over shared memory; also
        linux-run, nginx-run and redis-run: the programs of the next line, unmodified, by
        percore-run --one-core
veth    Linux's sockets (epoll_server), nginx and redis-server, behind a veth pair in a namespace of
        their own; the load is on the other end of the pair
tap     percore-echo on a TAP; the load's frames go through the kernel, by a packet socket on the
        TAP's interface
self    no server: percore-load sends into net_null
"""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import machine

SERVER, FIRST, PREFIX = "10.9.0.1", "10.9.16.0", 16
SERVER6, FIRST6 = "2001:db8:9::1", "2001:db8:9::1:0"
SERVER_MAC, CLIENT_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
BODY = 512
SOCKETS = 16384  # of a program on percore-run: more than any case opens
ALL = ("null", "percore", "testpmd", "linux", "linux-run", "nginx", "nginx-run", "redis", "redis-run", "self")
KERNEL = ("linux", "nginx", "redis")
SPACES = (*KERNEL, "tap")  # those in a network namespace of their own
RUN = ("linux-run", "nginx-run", "redis-run")
TOOLS = {"testpmd": "dpdk-testpmd", "nginx": "nginx", "redis": "redis-server", "linux": "ip"}
READY = {"testpmd": "Press enter", "nginx": "", "redis": "Ready to accept"}


class Failure(Exception):
    """A server or the load did not do what it should."""


def quiet(*command):
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   stdin=subprocess.DEVNULL)


class Bed:
    """One server under one load at a time; work is a directory that the caller removes, programs
    the build that percore's servers are from, if not the same as for the rest."""

    def __init__(self, build, work, verbose=False, programs=None):
        self.build, self.work, self.verbose = build, pathlib.Path(work), verbose
        self.programs = programs or build
        self.ns = f"pcb{os.getpid()}"
        self.server, self.start_s = None, 0.0
        self.huge = machine.free_hugepages() >= 700
        root = self.work / "root"
        root.mkdir(exist_ok=True)
        (root / str(BODY)).write_bytes(b"x" * BODY)

    # ---- arguments

    def eal(self, cpu, memory):
        args = ["-l", str(cpu), "--no-pci", "--no-telemetry", "--log-level=4"]
        if self.huge:
            return args + ["--in-memory", f"--socket-mem={memory}"]
        return args + ["--no-huge", "--no-shconf", "-m", str(memory)]

    def memif(self, role, mac):
        return [f"--vdev=net_memif0,role={role},id=0,socket={self.work}/memif.sock,socket-abstract=no,"
                f"rsize=11,mac={mac}"]

    def command(self, peer, case):
        cpu = machine.cpus()[0]
        eal = self.eal(cpu, case.memory) + self.memif("server", SERVER_MAC)
        addr = f"{SERVER6}/64" if case.ip6 else f"{SERVER}/{PREFIX}"
        if peer == "tap":
            return ["ip", "netns", "exec", self.ns, f"{self.programs}/app/echo/percore-echo", *self.eal(cpu, case.memory),
                    "--vdev=net_tap0,iface=bench1", "--", "--listen", "7", "--addr", addr, *case.server]
        if peer == "percore":
            if case.http:
                return [f"{self.programs}/app/httpd/percore-httpd", *eal, "--", "--root",
                        f"{self.work}/root", "--listen", "80", "--addr", addr, *case.server]
            return [f"{self.programs}/app/echo/percore-echo", *eal, "--", "--listen", "7", "--discard",
                    "9", "--source", "19", "--addr", addr, *case.server]
        if peer == "null":
            return [f"{self.build}/app/load/percore-load", *self.eal(cpu, 256),
                    *self.memif("server", SERVER_MAC), "--", "--mode", "null", "--set",
                    "load.progress=0"]
        if peer == "testpmd":
            # otherwise its output would wait in a buffer
            return ["stdbuf", "-oL", "dpdk-testpmd", "--lcores", f"0@{cpu},1@{cpu}", *self.eal(cpu, 256)[2:],
                    *self.memif("server", SERVER_MAC), "--", "--forward-mode=macswap",
                    "--auto-start", "--nb-cores=1", "--total-num-mbufs=16384", "--no-mlockall"]
        if peer.startswith("linux"):
            program = [f"{self.build}/tests/bench/epoll_server", "6" if case.ip6 else "4"]
        elif peer.startswith("redis"):
            program = ["redis-server", "--port", "6379", "--protected-mode", "no", "--save", "", "--dir", str(self.work)]
        else:
            program = ["nginx", "-c", str(self.nginx_config())]
        if peer in RUN:
            return [f"{self.programs}/app/run/percore-run", "--one-core", *eal, "--addr", addr, "--set", f"run.sockets_max={SOCKETS}", "--",
                    *program]
        return ["ip", "netns", "exec", self.ns, "taskset", "-c", str(cpu), *program]

    def nginx_config(self):
        path = self.work / "nginx.conf"
        path.write_text(
            f"daemon off; master_process off; pid {self.work}/nginx.pid; error_log stderr crit;\n"
            "worker_rlimit_nofile 65536; events { worker_connections 32768; }\n"
            "http { access_log off; keepalive_requests 1000000000; sendfile on;\n"
            f"server {{ listen 80 backlog=65535; root {self.work}/root; }} }}\n")
        return path

    # ---- life

    def make_namespace(self, ip6):
        quiet("ip", "netns", "add", self.ns)
        inside = ["ip", "netns", "exec", self.ns]
        for line in ("ip link set lo up", "ip link add bench0 type veth peer name bench1",
                     f"ip addr add {SERVER}/{PREFIX} dev bench0", "ip link set bench0 up",
                     "ip link set bench1 arp off", "ip link set bench1 up",
                     "sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
                     f"sysctl -qw net.ipv6.conf.bench0.disable_ipv6={int(not ip6)}",
                     *([f"ip addr add {SERVER6}/64 dev bench0 nodad"] if ip6 else []),
                     "sysctl -qw net.core.somaxconn=65535 "
                     "net.ipv4.tcp_max_syn_backlog=262144",
                     "ethtool -K bench0 tso off gso off gro off tx off",
                     "ethtool -K bench1 tso off gso off gro off"):
            quiet(*inside, *line.split())

    def start(self, peer, case):
        if peer == "self":
            return
        (self.work / "memif.sock").unlink(missing_ok=True)
        if peer in KERNEL:
            self.make_namespace(case.ip6)
        elif peer == "tap":
            quiet("ip", "netns", "add", self.ns)
        log = self.work / f"{peer}.log"
        # testpmd, which waits for a key, would end at the end of its input
        with open(log, "w", encoding="utf-8") as out:
            self.server = subprocess.Popen(self.command(peer, case), stdin=subprocess.PIPE, stdout=out,
                                           stderr=out)
        begin = time.monotonic()
        end = begin + 30
        says = READY.get(peer.removesuffix("-run"), "ready")
        while says not in machine.read(log):
            if self.server.poll() is not None or time.monotonic() > end:
                raise Failure(f"{peer} does not start: {machine.read(log)[-300:]}")
            time.sleep(0.01)
        self.start_s = time.monotonic() - begin
        if not says:
            time.sleep(0.7 if peer == "nginx" else 2)
        if self.server.poll() is not None:
            raise Failure(f"{peer} ended: {machine.read(log)[-300:]}")

    def stop(self):
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.communicate(timeout=8)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.communicate()
            self.server = None
        if os.path.exists(f"/run/netns/{self.ns}"):
            quiet("ip", "netns", "del", self.ns)

    # ---- load

    def load_command(self, peer, case, seconds, more):
        cpu, pre = machine.cpus()[1], []
        eal = self.eal(cpu, 256)
        if peer in SPACES:
            pre = ["ip", "netns", "exec", self.ns]
            eal += [f"--vdev=net_{'af_packet' if peer == 'tap' else 'af_xdp'}0,iface=bench1"]
        elif peer == "self":
            eal += ["--vdev=net_null0"]
        else:
            eal += self.memif("client", CLIENT_MAC)
        first, server = (f"{FIRST6}/64", SERVER6) if case.ip6 else (f"{FIRST}/{PREFIX}", SERVER)
        return [*pre, f"{self.build}/app/load/percore-load", *eal, "--", "--addr", first,
                "--server", server, "--seconds", str(seconds), "--set", "load.progress=0", "--set",
                f"load.watch={self.server.pid if self.server else 0}", "--set", "load.end=1", *case.load, *more]

    def drive(self, peer, case, seconds, more=()):
        """Runs the load; returns its last line."""
        command = self.load_command(peer, case, seconds, more)
        if self.verbose:
            print(" ".join(command), flush=True)
        r = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                           stdin=subprocess.DEVNULL)
        lines = [x for x in r.stdout.splitlines() if x.startswith("{")]
        if not lines:
            raise Failure((r.stderr or r.stdout).strip()[-300:])
        return lines[-1]


def available(peer):
    """Returns why a peer cannot be measured here; None: it can."""
    if peer in SPACES and os.geteuid() != 0:
        return "needs root, for a network namespace"
    tool = TOOLS.get(peer) or TOOLS.get(peer.removesuffix("-run"))
    if tool and not shutil.which(tool):
        return f"{tool} is not installed"
    return None
