#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the network sees: ping, arping, nmap, neighbours, and a capture judged by tshark."""
import os
import re
import socket
import struct
import subprocess
import time

import bed
from bed import CLIENT, SERVER, expect, sh


def start(b):
    root = os.path.join(b.tmp, "root")
    os.mkdir(root)
    open(os.path.join(root, "index.html"), "w").write("hello\n")
    open(os.path.join(root, "1m.bin"), "wb").write(os.urandom(1 << 20))
    b.start("percore-httpd", "--listen", "80", "--root", root)


def arping(b, s):
    """arping is answered, for our address only"""
    out = sh("arping", "-c", 3, "-w", 5, "-I", b.dev, SERVER).stdout
    expect(len(re.findall(r"(?im)^Unicast reply|bytes from", out)) == 3, out)
    out = sh("arping", "-c", 2, "-w", 2, "-I", b.dev, "192.0.2.77", check=False)
    expect(out.returncode != 0, "an address that is nobody's was answered for")


def ping(b, s):
    """ping -f style: 200 echo requests, none lost"""
    bed.ping_all(200, SERVER)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def ping_sizes(b, s):
    """echo requests of 0 to 65507 bytes come back unchanged, the larger ones in fragments"""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as c:
        c.settimeout(2 * b.slow)
        c.connect((SERVER, 0))
        asker = bed.Asker(c)
        for size in [*range(1481), *range(1481, b.largest4, args.step), b.largest4 - 1, b.largest4]:
            body = struct.pack("!HH", 0x7063, size) + os.urandom(size)
            got = asker.ask(struct.pack("!BBH", 8, 0, checksum(b"\x08\0\0\0" + body)) + body,
                            lambda p: p[20] == 0 and p[24:28] == body[:4])
            expect(got[24:] == body, f"{size} bytes: others came back")


def dont_answer(b, s):
    """broadcast pings are not answered"""
    r = sh("ping", "-n", "-b", "-c", 2, "-W", 1, "192.0.2.255", check=False)
    expect("bytes from" not in r.stdout, r.stdout)


def nmap(b, s):
    """nmap sees the one port that listens and no other; odd scans do no harm"""
    out = sh("nmap", "-n", "-Pn", "-p", "1-1500", "-T4", "--max-retries", 3, *bed.NMAP_PATIENCE, SERVER,
             timeout=100).stdout
    ports = re.findall(r"(?m)^(\d+)/tcp\s+(\S+)", out)
    expect(ports == [("80", "open")], out)
    expect(re.search(r"Not shown: 1499 closed", out), out)
    for scan in ("-sN", "-sF", "-sX", "-sA", "-sM"):
        sh("nmap", "-n", "-Pn", scan, "-p", "79-81", "-T4", SERVER, timeout=100)
    out = sh("nmap", "-n", "-Pn", "-sU", "-p", "7-9", "-T4", *bed.NMAP_PATIENCE, SERVER, timeout=100).stdout
    expect(out.count("closed") == 3, f"UDP ports without a socket are not closed\n{out}")
    sh("nmap", "-n", "-Pn", "-O", "-p", "79-81", "--max-os-tries", 1, SERVER, timeout=100,
       check=False)
    sh("curl", "-sS", "--max-time", 10, f"http://{SERVER}/")


def neighbour_change(b, s):
    """a client whose MAC address changes is found again"""
    sh("curl", "-sS", "--max-time", 10, f"http://{SERVER}/")
    sh("ip", "link", "set", b.dev, "down")
    sh("ip", "link", "set", b.dev, "address", "02:00:00:00:77:77")
    b._setup_client()
    sh("arping", "-c", 1, "-U", "-I", b.dev, CLIENT, check=False)
    out = sh("curl", "-sS", "--max-time", 20, f"http://{SERVER}/").stdout
    expect(out == "hello\n", out)


@bed.twice_more
def capture(b, s):
    """tshark finds no malformed packet, bad checksum or needless retransmission in a session"""
    name = os.path.join(b.tmp, "session.pcap")
    dump = subprocess.Popen(["tcpdump", "-q", "-U", "-i", b.dev, "-w", name, "-s", "0", "-B", "16384"],
                            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        line = dump.stderr.readline()
        expect("listening" in line, line)
        time.sleep(0.3)
        for _ in range(5):
            sh("curl", "-sS", "--max-time", 10, f"http://{SERVER}/", f"http://{SERVER}/none")
        sh("curl", "-sS", "--max-time", 20, "-o", "/dev/null", f"http://{SERVER}/1m.bin")
        sh("ping", "-n", "-c", 3, "-i", "0.05", SERVER)
        sh("nmap", "-n", "-Pn", "-p", "79-81", SERVER)
        time.sleep(0.5)
    finally:
        dump.terminate()
        dump.wait(10)
    judge(name)


def judge(name):
    """Checks what percore has sent."""
    check = [x for p in ("ip", "tcp", "udp") for x in ("-o", f"{p}.check_checksum:TRUE")]
    count = sh("tshark", "-r", name, "-Y", f"ip.src=={SERVER}", "-T", "fields", "-e", "frame.number",
               timeout=100).stdout.count("\n")
    expect(count > 100, f"only {count} packets were captured")
    bad = sh("tshark", "-r", name, *check, "-Y",
             f"(ip.src=={SERVER}) && (_ws.malformed || ip.checksum.status==0 || "
             "tcp.checksum.status==0 || udp.checksum.status==0 || icmp.checksum.status==0)",
             timeout=100).stdout
    expect(not bad, f"malformed, or wrong checksum:\n{bad}")
    odd = sh("tshark", "-r", name, "-Y",
             f"(ip.src=={SERVER}) && (tcp.analysis.retransmission || tcp.analysis.out_of_order || "
             "tcp.analysis.ack_lost_segment || tcp.analysis.zero_window)", timeout=100).stdout
    expect(odd.count("\n") == 0, f"odd without any loss:\n{odd[:3000]}")


@bed.twice_more
def own_capture(b, s):
    """--pcap writes both directions as they go over the wire"""
    b.programs[-1].stop()
    name = os.path.join(b.tmp, "own.pcap")
    p = b.start("percore-httpd", "--listen", "80", "--root", os.path.join(b.tmp, "root"),
                "--pcap", name)
    sh("curl", "-sS", "--max-time", 20, "-o", "/dev/null", f"http://{SERVER}/1m.bin")
    sh("ping", "-n", "-c", 3, "-i", "0.05", SERVER)
    p.stop()
    names = [os.path.join(b.tmp, n) for n in os.listdir(b.tmp) if n.startswith("own")]
    expect(names, "no file was written")
    try:
        for n in names:
            judge(n)
    finally:
        for n in names:
            os.remove(n)


def own_mac(b, s):
    """net.mac is the port's MAC address"""
    if b.backend != "tap":
        return  # it would be the kernel's interface's, and remain so
    mac = "02:11:22:33:44:56"
    b.programs[-1].stop()
    b.start("percore-echo", "--set", "net.mac=" + mac)
    sh("ip", "neigh", "flush", "dev", b.dev)
    bed.ping_all(3, SERVER)
    out = sh("ip", "neigh", "show", "dev", b.dev).stdout
    expect(f"{SERVER} lladdr {mac} " in out, out)


STEPS = [arping, ping, ping_sizes, dont_answer, nmap, capture, neighbour_change, own_capture, own_mac]

if __name__ == "__main__":
    args = bed.arguments(__doc__, step=1279)
    bed.need("ping", "arping", "curl", "nmap", "tcpdump", "tshark", "ethtool")
    bed.main(args, STEPS, start)
