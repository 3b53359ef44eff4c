#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-httpd under mixed traffic, churn and faults for a while (--seconds): memory stays flat, every frame
received ends in one counter, no mbuf is lost, and a page takes as long at the end as at the beginning."""
import os
import random
import re
import socket
import struct
import subprocess
import threading
import time

import bed
from bed import SERVER, expect, sh

PAGE = b"soak\n" * 200
QUIET, ROUGH = 0.6, 0.4  # of each round: without faults, where latency is measured, and with them
GROWTH_KB = 4096


def start(b):
    root = os.path.join(b.tmp, "root")
    os.mkdir(root)
    open(os.path.join(root, "index.html"), "wb").write(PAGE)
    with open(os.path.join(root, "big.bin"), "wb") as f:
        f.write(os.urandom(8 << 20))
    p = b.start("percore-httpd", "--listen", "80", "--root", root, "--set", "run.stats_s=86400",
                "--set", "http.send_ms=3000", "--set", "http.header_ms=2000", "--set", "tcp.msl_ms=1000",
                "--set", "run.drain_ms=300")
    return {"program": p, "rss": [], "p99": [], "requests": 0, "wrong": 0}


def memory_kb(p):
    return int(re.search(r"VmRSS:\s*(\d+)", open(f"/proc/{p.pid}/status").read()).group(1))


def connect():
    s = socket.socket()
    s.settimeout(3)
    s.connect((SERVER, 80))
    return s


# ---- what the clients do repeatedly

def polite():
    with connect() as s:
        for _ in range(random.randrange(1, 10)):
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            got = b""
            while PAGE not in got:
                part = s.recv(65536)
                if not part:
                    return
                got += part


def churn():
    for _ in range(10):
        with connect() as s:
            if random.random() < 0.5:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.sendall(b"GET / HTTP/1.1\r\n" if random.random() < 0.3 else b"GET / HTTP/1.0\r\n\r\n")


def leave_early():
    with connect() as s:
        s.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(random.randrange(20)):
            s.recv(65536)


def rubbish():
    with connect() as s:
        s.sendall(os.urandom(random.randrange(1, 3000)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        for _ in range(20):
            u.sendto(os.urandom(random.randrange(0, 4000)), (SERVER, random.randrange(1, 65536)))


KINDS = [polite, polite, churn, leave_early, rubbish]


def client(stop, kind):
    while not stop.is_set():
        try:
            kind()
        except OSError:
            pass


def ask(s):
    """Fetches a page on a connection of its own; returns it, and how long it took."""
    begin = time.monotonic()
    with connect() as c:
        c.sendall(b"GET / HTTP/1.0\r\n\r\n")
        got = b""
        while part := c.recv(65536):
            got += part
    s["requests"] += 1
    s["wrong"] += not got.endswith(PAGE)
    return time.monotonic() - begin


def quiet_part(s, seconds):
    end, took = time.monotonic() + seconds, []
    while time.monotonic() < end:
        took.append(ask(s))
    s["p99"].append(sorted(took)[int(len(took) * 0.99)] * 1000)


def rough_part(b, seconds):
    b.lose(random.choice((1, 5, 20)))
    time.sleep(seconds / 2)
    b.heal()
    sh("ip", "link", "set", b.dev, "down")
    time.sleep(seconds / 6)
    sh("ip", "link", "set", b.dev, "up")
    time.sleep(seconds / 3)


def soak(b, s):
    """rounds of mixed traffic, without and with faults"""
    stop, begin = threading.Event(), time.monotonic()
    threads = [threading.Thread(target=client, args=(stop, k)) for k in KINDS]
    length = max(1.5, min(20, args.seconds / 8))
    for t in threads:
        t.start()
    try:
        while time.monotonic() - begin < args.seconds:
            quiet_part(s, QUIET * length)
            rough_part(b, ROUGH * length)
            s["rss"].append(memory_kb(s["program"]))
    finally:
        stop.set()
        for t in threads:
            t.join()
    expect(s["wrong"] == 0, f"{s['wrong']} of {s['requests']} pages were wrong")


def report(b, s):
    """memory is flat (from a minute on), every frame is in one counter, every mbuf is back"""
    p, rss, p99 = s["program"], s["rss"], s["p99"]
    p.stop(20)
    values = {n: int(v) for v, n in re.findall(r"^ *(\d+) (\w+) ", p.out(), re.M)}
    drops = sum(v for n, v in values.items() if n.startswith("drop_"))
    print(f"       {s['requests']} pages, {values['rx_frames']} frames received, {drops} of them dropped by name; "
          f"{values.get('tcp_opened_passive', 0)} connections; memory {rss[0]} to {rss[-1]} kB, 99 % of pages within "
          f"{p99[0]:.1f} ms at the beginning and {p99[-1]:.1f} ms at the end")
    expect(values["mbufs_missing"] == 0, f"{values['mbufs_missing']} mbufs are missing")
    # fragments of datagrams that lost some of theirs may still wait, at most ip.fragments
    waiting = values["rx_frames"] - values["rx_taken"] - drops
    expect(0 <= waiting <= (2048 if "ip_fragments_rx" in values else 0),
           f"{values['rx_frames']} frames, {values['rx_taken']} taken, {drops} dropped")
    # in the first minute pools are touched for the first time; AddressSanitizer keeps freed memory,
    # and finds leaks itself
    if b.slow == 1 and args.seconds >= 60:
        expect(max(rss[len(rss) // 2:]) - max(rss[:max(1, len(rss) // 4)]) < GROWTH_KB, f"memory grows: {rss} kB")


args = bed.arguments(__doc__, seconds=3)
bed.need("nft")
random.seed(1)
bed.main(args, [soak, report], start)
