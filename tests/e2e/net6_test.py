#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""IPv6 as the kernel sees it: ping6, curl -6, wrk, both families at once, nmap -6, and a capture judged
by tshark."""
import os
import re
import socket
import struct
import subprocess
import time

import bed
from bed import SERVER, expect, sh

SERVER6, CLIENT6 = "fd00::1", "fd00::2"


def start(b):
    root = os.path.join(b.tmp, "root")
    os.mkdir(root)
    open(os.path.join(root, "index.html"), "w").write("hello\n")
    open(os.path.join(root, "1m.bin"), "wb").write(os.urandom(1 << 20))
    b.start("percore-httpd", "--listen", "80", "--root", root, "--addr", f"{SERVER6}/64",
            "--gateway", CLIENT6)
    with open(f"/proc/sys/net/ipv6/conf/{b.dev}/disable_ipv6", "w") as f:
        f.write("0")
    sh("ip", "-6", "addr", "replace", f"{CLIENT6}/64", "dev", b.dev, "nodad")
    bed.wait_for(lambda: sh("ping", "-6", "-n", "-c", 1, "-W", 1, SERVER6, check=False).returncode == 0,
                 20 * b.slow, "an answer from fd00::1")


def ping(b, s):
    """200 echo requests, none lost; all nodes of the link are answered, too"""
    bed.ping_all(200, "-6", SERVER6)
    out = sh("ping", "-6", "-n", "-c", 2, "-W", 2 * b.slow, f"ff02::1%{b.dev}").stdout
    expect("bytes from fe80::" in out or "bytes from fd00::1" in out, out)


def ping_sizes(b, s):
    """echo requests of 0 to 65507 bytes come back unchanged, the larger ones in fragments"""
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as c:
        c.settimeout(2 * b.slow)
        c.connect((SERVER6, 0))
        asker = bed.Asker(c)
        for size in [*range(1461), *range(1461, 65508, args.step), 65506, 65507]:
            body = struct.pack("!HH", 0x7063, size) + os.urandom(size)
            got = asker.ask(struct.pack("!BBH", 128, 0, 0) + body, lambda p: p[0] == 129 and p[4:8] == body[:4])
            expect(got[4:] == body, f"{size} bytes: others came back")


def neighbour(b, s):
    """the kernel's neighbour table has us as reachable"""
    sh("ip", "-6", "neigh", "flush", "dev", b.dev)
    sh("ping", "-6", "-n", "-c", 1, SERVER6)
    out = sh("ip", "-6", "neigh", "show", SERVER6, "dev", b.dev).stdout
    expect("REACHABLE" in out or "DELAY" in out, out)


def http(b, s):
    """curl over both families, the same file"""
    for url in (f"http://[{SERVER6}]", f"http://{SERVER}"):
        expect(sh("curl", "-sS", "--max-time", 10, url + "/").stdout == "hello\n", url)
        name = os.path.join(b.tmp, "got")
        sh("curl", "-sS", "--max-time", 60, "-o", name, url + "/1m.bin")
        expect(open(name, "rb").read() == open(os.path.join(b.tmp, "root", "1m.bin"), "rb").read(), url)


def link_local(b, s):
    """curl to the link-local address"""
    out = sh("ip", "-6", "neigh", "show", SERVER6, "dev", b.dev).stdout
    mac = [int(x, 16) for x in re.search(r"lladdr (\S+)", out).group(1).split(":")]
    mac[0] ^= 2
    low = mac[:3] + [0xff, 0xfe] + mac[3:]
    addr = "fe80::" + ":".join(f"{low[i] << 8 | low[i + 1]:x}" for i in range(0, 8, 2))
    out = sh("curl", "-sS", "--max-time", 10, f"http://[{addr}%25{b.dev}]/").stdout
    expect(out == "hello\n", out)


def load(b, s):
    """wrk with 50 connections for 3 s: no error"""
    out = sh("wrk", "-t1", "-c50", "-d3", f"http://[{SERVER6}]/", timeout=60).stdout
    expect("Requests/sec" in out and "Socket errors" not in out and "Non-2xx" not in out, out)


def ports(b, s):
    """nmap -6 sees the one port that listens; a UDP port without a socket is closed"""
    out = sh("nmap", "-6", "-n", "-Pn", "-p", "1-200", "-T4", "--max-retries", 3, *bed.NMAP_PATIENCE, SERVER6,
             timeout=100).stdout
    expect(re.findall(r"(?m)^(\d+)/tcp\s+(\S+)", out) == [("80", "open")], out)
    out = sh("nmap", "-6", "-n", "-Pn", "-sU", "-p", "7-9", "-T4", *bed.NMAP_PATIENCE, SERVER6, timeout=100).stdout
    expect(out.count("closed") == 3, out)


@bed.twice_more
def capture(b, s):
    """tshark finds no malformed packet, bad checksum or needless retransmission in a session"""
    name = os.path.join(b.tmp, "session.pcap")
    dump = subprocess.Popen(["tcpdump", "-q", "-U", "-i", b.dev, "-w", name, "-s", "0", "-B", "16384",
                             "ip6"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        line = dump.stderr.readline()
        expect("listening" in line, line)
        time.sleep(0.3)
        for _ in range(5):
            sh("curl", "-sS", "--max-time", 10, f"http://[{SERVER6}]/", f"http://[{SERVER6}]/none")
        sh("curl", "-sS", "--max-time", 60, "-o", "/dev/null", f"http://[{SERVER6}]/1m.bin")
        sh("ip", "-6", "neigh", "flush", "dev", b.dev)
        sh("ping", "-6", "-n", "-c", 3, "-i", "0.05", SERVER6)
        sh("nmap", "-6", "-n", "-Pn", "-p", "79-81", SERVER6)
        sh("nmap", "-6", "-n", "-Pn", "-sU", "-p", "9", SERVER6)
        time.sleep(0.5)
    finally:
        dump.terminate()
        dump.wait(10)
    ours = f"ipv6.src=={SERVER6}"
    check = [x for p in ("tcp", "udp") for x in ("-o", f"{p}.check_checksum:TRUE")]
    count = sh("tshark", "-r", name, "-Y", ours, "-T", "fields", "-e", "frame.number",
               timeout=100).stdout.count("\n")
    expect(count > 100, f"only {count} packets were captured")
    bad = sh("tshark", "-r", name, *check, "-Y",
             f"({ours}) && (_ws.malformed || tcp.checksum.status==0 || udp.checksum.status==0 || "
             "icmpv6.checksum.status==0 || tcp.analysis.retransmission || tcp.analysis.out_of_order || "
             "tcp.analysis.ack_lost_segment || tcp.analysis.zero_window)", timeout=100).stdout
    expect(not bad, f"malformed, wrong or odd:\n{bad[:3000]}")


STEPS = [ping, ping_sizes, neighbour, http, link_local, load, ports, capture]

if __name__ == "__main__":
    args = bed.arguments(__doc__, step=1279)
    bed.need("ping", "curl", "wrk", "nmap", "tcpdump", "tshark", "ethtool")
    bed.main(args, STEPS, start)
