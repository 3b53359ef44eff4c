# SPDX-License-Identifier: BSD-2-Clause
"""The rows of the table: which load, on which servers, and which figure of the result counts."""
import dataclasses

ALL = ("null", "percore", "linux", "linux-run")
HTTP = ("null", "percore", "linux", "linux-run", "nginx", "nginx-run")
STREAM = ("percore", "linux", "linux-run")
FRAMES = ("null", "testpmd")


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    title: str
    load: tuple
    figure: str          # a path into percore-load's result
    unit: str
    scale: float = 1.0
    peers: tuple = ALL
    server: tuple = ()   # more options of percore-echo or percore-httpd
    memory: int = 1024   # of the server, in MB
    half_of: str = ""    # an open loop, at half the rate that percore reached in this case
    lower: bool = False  # lower is better
    ip6: bool = False

    @property
    def http(self):
        return "http" in self.name


def echo(name, title, conns, *more, **kw):
    return Case(name, title, ("--mode", "echo", "--conns", str(conns), *more), "answers_s", "M/s", 1e-6,
                **kw)


def http(name, title, *more):
    return Case(name, title, ("--mode", "http", "--path", "/512", *more), "answers_s", "M/s", 1e-6, HTTP)


def redis(name, title, *more):
    key = "percore:bench:0123456789:0123456789"  # makes a request of 64 bytes
    ask = f"*3\\r\\n$3\\r\\nSET\\r\\n${len(key)}\\r\\n{key}\\r\\n$3\\r\\nxxx\\r\\n"
    return Case(name, title, ("--mode", "ask", "--port", "6379", "--conns", "64", "--ask", ask, *more), "answers_s", "M/s", 1e-6,
                ("redis", "redis-run"))


def hold(name, title, conns, memory):
    return Case(name, title, ("--mode", "hold", "--conns", str(conns), "--set", "load.open_window=1024"),
                "open_s", "M/s", 1e-6, ("percore",), memory=memory,
                server=("--set", f"stack.max_connections={conns + 100}"))


CASES = [
    Case("rtt-1", "echo of 64 B, one connection: RTT p50", ("--mode", "echo", "--conns", "1"),
         "latency_us.p50", "us", lower=True),
    echo("echo-64", "echo of 64 B, 64 connections", 64),
    echo("echo-1k", "echo of 64 B, 1,024 connections", 1024),
    echo("echo-10k", "echo of 64 B, 10,000 connections", 10000, "--warm", "1"),
    echo("echo-100k", "echo of 64 B, 100,000 connections", 100000, "--warm", "2",
         peers=("null", "percore")),
    echo("echo-1m", "echo of 64 B, 1,000,000 connections", 1000000, "--warm", "3", peers=("null", "percore"),
         memory=2048, server=("--set", "stack.max_connections=1000100")),
    echo("echo-64-1kb", "echo of 1 KB, 64 connections", 64, "--size", "1024"),
    Case("half-64", "open loop at half of percore's rate with 64 connections: p99",
         ("--mode", "echo", "--conns", "64"), "latency_us.p99", "us", half_of="echo-64",
         peers=("null", "percore"), lower=True),
    http("http-64", "HTTP keep-alive, 512 B, 64 connections", "--conns", "64"),
    http("http-64-p16", "HTTP keep-alive, 512 B, 64 connections, 16 requests in flight on each", "--conns", "64", "--depth", "16",
         "--set", "load.coalesce=1"),
    Case("conn-64", "connect, echo, close; 64 at a time", ("--mode", "connrate", "--conns", "64"),
         "connections_s", "M/s", 1e-6),
    Case("conn-http-64", "connect, HTTP, close; 64 at a time",
         ("--mode", "connrate", "--conns", "64", "--http", "1", "--path", "/512", "--port", "80"),
         "connections_s", "M/s", 1e-6, HTTP),
    redis("redis-64", "redis-server, SET of 3 bytes, 64 connections"),
    redis("redis-64-p16", "redis-server, SET of 3 bytes, 64 connections, 16 requests in flight on each", "--depth", "16", "--set",
          "load.coalesce=1"),
    Case("bulk-in-1", "one stream in", ("--mode", "bulk-in", "--conns", "1"), "out_gbps", "Gb/s"),
    Case("bulk-out-1", "one stream out", ("--mode", "bulk-out", "--conns", "1"), "in_gbps", "Gb/s"),
    Case("udp-64", "datagrams of 64 B, 64 flows", ("--mode", "udp", "--conns", "64", "--depth", "4"),
         "answers_s", "M/s", 1e-6),
    Case("frames-64", "frames of 64 B there and back", ("--mode", "ping", "--size", "64"), "answers_s",
         "M/s", 1e-6, FRAMES),
    Case("frames-1518", "frames of 1,518 B there and back", ("--mode", "ping", "--size", "1518"),
         "answers_s", "M/s", 1e-6, FRAMES),
    Case("tx-64", "percore-load sends frames of 64 B into net_null", ("--mode", "tx", "--size", "64"),
         "tx_frames_s", "M/s", 1e-6, ("self",)),
    Case("start-1m", "start until ready for 1,000,000 connections",
         ("--mode", "echo", "--conns", "1"), "start_s", "s", 1.0, ("percore",), memory=640,
         server=("--set", "stack.max_connections=1000000"), lower=True),
    hold("hold-1m", "1,000,000 connections, opened; 10,000 requests a second", 1000000, 2048),
    hold("hold-10m", "10,000,000 connections, opened; 10,000 requests a second", 10000000, 6144),
]

MIXED = ("--sizes", "64:70,65-1400:25,16384:5")


def lossy(case, title, **kw):
    """Returns a case with one frame in a hundred lost in each direction."""
    old = find(case)
    return dataclasses.replace(old, name=f"{case}-loss", title=f"{title}, 1 % lost each way",
                               load=(*old.load, "--set", "load.loss_ppm=10000"), **kw)


def over_ip6(case, **kw):
    old = find(case)
    return dataclasses.replace(old, name=f"{case}-ip6", title=f"{old.title}, over IPv6", ip6=True, **kw)


def find(name):
    for case in CASES:
        if case.name == name:
            return case
    raise KeyError(name)


# loads that are not uniform
CASES += [
    echo("echo-sizes", "echo of 64 B (70 %), 65 to 1,400 B (25 %) and 16 KB (5 %), 1,024 connections", 1024, *MIXED),
    echo("busy-100", "echo of 64 B, 10,000 connections, 100 of them active", 10000, "--busy", "100"),
    echo("busy-1k", "echo of 64 B, 100,000 connections, 1,000 of them active", 100000, "--busy", "1000", "--warm", "1",
         peers=("null", "percore")),
    Case("hold-skew", "100,000 connections, 200,000 requests a second, Zipf-distributed: p99",
         ("--mode", "hold", "--conns", "100000", "--set", "load.sample=200000", "--set", "load.skew=100"),
         "latency_us.p99", "us", peers=("null", "percore"), lower=True),
    Case("burst-1k", "1,000 requests at once every 10 ms, 1,000 connections: p99",
         ("--mode", "echo", "--conns", "1000", "--rate", "100000", "--burst", "1000"), "latency_us.p99", "us",
         lower=True),
    # null stores nothing, so it cannot wait for slow readers
    echo("slow-1k", "echo of 64 B, 64 connections beside 1,000 slow readers", 1064, "--slow", "1000",
         peers=STREAM),
    lossy("echo-1k", "echo of 64 B, 1,024 connections"),
    lossy("conn-64", "connect, echo, close; 64 at a time"),
    lossy("bulk-in-1", "one stream in", peers=STREAM),
    lossy("bulk-out-1", "one stream out", peers=STREAM),
    over_ip6("echo-1k"),
    over_ip6("http-64", peers=ALL),
    over_ip6("conn-64"),
    over_ip6("bulk-in-1"),
    over_ip6("bulk-out-1"),
]

LARGE = ("echo-1m", "hold-1m", "hold-10m")

DEFAULT = [c.name for c in CASES if c.name not in LARGE]
QUICK = ["rtt-1", "echo-64", "echo-10k", "http-64", "conn-64", "bulk-in-1", "bulk-out-1", "frames-64"]


def value(case, row):
    """Returns the figure of a case from a result of percore-load."""
    for key in case.figure.split("."):
        row = row[key]
    return row * case.scale
