#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-httpd or percore-echo under the tools that attackers have: floods by hping3, scans by nmap, slow clients by
slowhttptest, peers that say nothing, what thc-ipv6 does to IPv6, packets by scapy's fuzz(), peers that lie, forged, random and mutated
frames and requests of our own. A good client keeps fetching
meanwhile, and at the end every frame received has ended in one counter and no mbuf is missing. scripts/attack runs it."""
import hashlib
import itertools
import json
import os
import random
import re
import socket
import struct
import subprocess
import threading
import time

import bed
import forge
import holders
import lies
import walk
from bed import CLIENT, SERVER, expect, sh, wait_for

FILE_BYTES = 1 << 20
SERVER6, CLIENT6, NET6 = "fd00::1", "fd00::fe", "fd00::"
ETH_ALL = 3
SMUGGLED = (b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")

# ---- the good client -----------------------------------------------------------------------------


class Good(threading.Thread):
    """Makes the same transfer over and over, and checks each answer."""

    def __init__(self, once):
        super().__init__()
        self.once, self.stop, self.n, self.wrong, self.failed, self.slowest = once, threading.Event(), 0, 0, 0, 0.0
        self.start()

    def run(self):
        while not self.stop.wait(0.01):
            begin = time.monotonic()
            try:
                self.wrong += not self.once()
                self.n += 1
            except (OSError, subprocess.SubprocessError, bed.Failure):
                self.failed += 1
            self.slowest = max(self.slowest, time.monotonic() - begin)

    def end(self):
        self.stop.set()
        self.join()


def fetch(digest, host):
    """Fetches a file by curl, which must be complete and correct."""
    r = subprocess.run(["curl", "-sS", "-g", "-m", "30", f"http://{host}/big.bin"], capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=40)
    if r.returncode != 0:
        raise OSError(r.stderr.decode(errors="replace"))
    return hashlib.sha256(r.stdout).digest() == digest


def echo(data, host):
    """Sends bytes to percore-echo, which must come back complete and correct."""
    with socket.create_connection((host.strip("[]"), 7), timeout=30) as s:
        sender = threading.Thread(target=s.sendall, args=(data,))
        sender.start()
        got = bytearray()
        while len(got) < len(data):
            part = s.recv(1 << 16)
            if not part:
                break
            got += part
        sender.join(30)
    return bytes(got) == data


# ---- tools ---------------------------------------------------------------------------------------


def run_for(seconds, *command, judge=False):
    """Runs a tool, again if it ends early, until the time is up. judge: it must not end with an
    error."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0.2:
        p = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        try:
            expect(p.wait(left) == 0 or not judge, f"{' '.join(map(str, command))}: status {p.returncode}")
        except subprocess.TimeoutExpired:
            p.terminate()
            p.wait(10)


def hping(*options):
    def attack(seconds, port):
        run_for(seconds, "hping3", "-q", "--flood", *[port if o == "PORT" else o for o in options], SERVER)
    return attack


def t50(*options):
    def attack(seconds, port):
        run_for(seconds, "t50", SERVER, "--flood", *[port if o == "PORT" else o for o in options], judge=True)
    return attack


def nping(*options):
    def attack(seconds, port):
        run_for(seconds, "nping", "-q", "--rate", 20000, "-c", 0, *[port if o == "PORT" else o for o in options], SERVER,
                judge=True)
    return attack


def nmap(*options):
    def attack(seconds, port):
        run_for(seconds, "nmap", "-n", "-Pn", "-T5", "--max-retries", "1", *options, SERVER)
    return attack


def thc(tool, *options):
    """Runs a tool of thc-ipv6 for as long as it takes; its verdict on tests without an answer is
    ignored."""
    def attack(seconds, port):
        names = {"DEV": "pctap0", "PORT": port, "SERVER": SERVER6, "CLIENT": CLIENT6, "NET": NET6}
        run_for(seconds, "atk6-" + tool, *[names.get(o, o) for o in options])
    return attack


def thc_denial(seconds, port):
    """Each kind of packet that is known to have stopped somebody."""
    for kind in range(1, 8):
        thc("denial6", "DEV", "SERVER", kind)(seconds / 7, port)


def slow(*options):
    def attack(seconds, port):
        run_for(seconds, "slowhttptest", "-c", "500", "-r", "200", "-l", int(seconds), "-i", "1", *options, "-u",
                f"http://{SERVER}:{port}/big.bin")
    return attack


# ---- frames --------------------------------------------------------------------------------------


def raw():
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
    s.bind(("pctap0", 0))
    return s


def link():
    return json.loads(sh("ip", "-j", "-s", "link", "show", "dev", "pctap0").stdout)[0]


def macs():
    """Returns the Ethernet header from us to the server."""
    mine = bytes.fromhex(link()["address"].replace(":", ""))

    def theirs():
        out = sh("ip", "neigh", "show", SERVER).stdout
        m = re.search(r"lladdr ([0-9a-f:]+)", out)
        return m and bytes.fromhex(m.group(1).replace(":", ""))
    return wait_for(theirs, 10, "the server's MAC address") + mine


def send_all(frames, seconds):
    """Sends frames from a generator."""
    end = time.monotonic() + seconds
    with raw() as s:
        for f in frames:
            try:
                s.send(f[:1514])
            except OSError:
                time.sleep(0.001)
            if time.monotonic() > end:
                return


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def ip4(proto, payload, rnd, odd):
    """Returns an IPv4 packet; odd is the probability that a field is wrong."""
    options = rnd.randbytes(4 * rnd.randrange(11)) if rnd.random() < odd else b""
    ihl = 5 + len(options) // 4 if rnd.random() >= odd / 4 else rnd.randrange(16)
    version = 4 if rnd.random() >= odd / 8 else rnd.randrange(16)
    length = 20 + len(options) + len(payload) if rnd.random() >= odd / 4 else rnd.randrange(65536)
    fragment = rnd.randrange(65536) if rnd.random() < odd else 0
    source = socket.inet_aton(CLIENT) if rnd.random() < 0.5 else rnd.randbytes(4)
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | ihl, rnd.randrange(256), length, rnd.randrange(65536), fragment,
                       rnd.choice((1, 64, 255)), proto, 0, source, socket.inet_aton(SERVER)) + options
    sum_ = checksum(head) if rnd.random() >= odd / 8 else rnd.randrange(65536)
    return head[:10] + struct.pack("!H", sum_) + head[12:] + payload


def summed(proto, segment, at):
    """Fills in the checksum of a TCP or UDP segment from the client."""
    pseudo = socket.inet_aton(CLIENT) + socket.inet_aton(SERVER) + struct.pack("!BBH", 0, proto, len(segment))
    segment = segment[:at] + b"\0\0" + segment[at + 2:]
    return segment[:at] + struct.pack("!H", checksum(pseudo + segment)) + segment[at + 2:]


def tcp_random(eth, rnd, port):
    options = rnd.randbytes(4 * rnd.randrange(11))
    offset = 5 + len(options) // 4 if rnd.random() < 0.8 else rnd.randrange(16)
    s = struct.pack("!HHIIBBHHH", rnd.randrange(65536), rnd.choice((port, port, 0, 65535, rnd.randrange(65536))),
                    rnd.getrandbits(32), rnd.getrandbits(32), offset << 4 | rnd.randrange(16), rnd.randrange(256),
                    rnd.randrange(65536), 0, rnd.randrange(65536)) + options + rnd.randbytes(rnd.randrange(200))
    return eth + b"\x08\0" + ip4(6, summed(6, s, 16), rnd, 0.1)


def udp_random(eth, rnd, port):
    data = rnd.randbytes(rnd.randrange(600))
    length = 8 + len(data) if rnd.random() < 0.7 else rnd.randrange(65536)
    s = struct.pack("!HHHH", rnd.randrange(65536), rnd.choice((port, 68, 53, rnd.randrange(65536))), length, 0) + data
    return eth + b"\x08\0" + ip4(17, summed(17, s, 6), rnd, 0.1)


def icmp_random(eth, rnd, port):
    s = struct.pack("!BBHI", rnd.choice((0, 3, 4, 5, 8, 11, 12, 13, rnd.randrange(256))), rnd.randrange(20), 0,
                    rnd.getrandbits(32)) + ip4(6, rnd.randbytes(20), rnd, 0.2)[:rnd.randrange(60)]
    return eth + b"\x08\0" + ip4(1, s[:2] + struct.pack("!H", checksum(s)) + s[4:], rnd, 0.1)


def ip_random(eth, rnd, port):
    return eth + b"\x08\0" + ip4(rnd.randrange(256), rnd.randbytes(rnd.randrange(1400)), rnd, 0.4)


def ip6_random(eth, rnd, port):
    chain, kinds = b"", (0, 43, 44, 60, 6, 17, 58)
    first = kind = rnd.choice(kinds)
    while kind in (0, 43, 44, 60) and rnd.random() < 0.9:
        following = rnd.choice(kinds)
        chain += bytes((following, rnd.choice((0, 0, 1, 255)))) + rnd.randbytes(6)
        kind = following
    chain += rnd.randbytes(rnd.randrange(200))
    length = len(chain) if rnd.random() < 0.8 else rnd.randrange(65536)
    to = rnd.choice((bytes.fromhex("ff020000000000000000000000000001"), rnd.randbytes(16)))
    source = b"\xfe\x80" + bytes(6) + rnd.randbytes(8)
    return eth + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, length, first, rnd.choice((255, 64))) + source + to + chain


def ether_random(eth, rnd, port):
    to = eth[:6] if rnd.random() < 0.7 else rnd.choice((b"\xff" * 6, rnd.randbytes(6)))
    kind = rnd.choice((b"\x08\0", b"\x86\xdd", b"\x08\x06", b"\x81\0", b"\x88\xa8", rnd.randbytes(2)))
    return to + eth[6:] + kind + rnd.randbytes(rnd.randrange(1, 1500))


def random_frames(make):
    """Generates what the isic family of tools sends, for one protocol."""
    def attack(seconds, port):
        rnd, eth = random.Random(seed(make.__name__)), macs()
        send_all(iter(lambda: make(eth, rnd, port), None), seconds)
    return attack


def mutated(seconds, port):
    """Frames that the good client sends, each again with some bytes changed, cut short or lengthened."""
    rnd, eth, seen, end = random.Random(seed("mutated")), macs(), [], time.monotonic() + seconds
    with raw() as s:
        s.settimeout(0.2)
        while time.monotonic() < end:
            try:
                f = s.recv(2048)
                if f[:6] == eth[:6]:
                    seen.append(f)
                    seen = seen[-500:]
            except (socket.timeout, BlockingIOError):
                pass
            for _ in range(20 if seen else 0):
                f = bytearray(rnd.choice(seen))
                for _ in range(rnd.randrange(1, 8)):
                    f[rnd.randrange(14, min(len(f), 80))] = rnd.randrange(256)
                if rnd.random() < 0.3:
                    f = f[:rnd.randrange(15, len(f) + 1)]
                # correct checksums again, to reach the code behind them
                if rnd.random() < 0.7 and len(f) >= 54 and f[12:14] == b"\x08\0" and f[14] == 0x45 and f[23] == 6:
                    f[16:18] = struct.pack("!H", len(f) - 14)
                    f[24:26] = b"\0\0"
                    f[24:26] = struct.pack("!H", checksum(bytes(f[14:34])))
                    f[26:34] = socket.inet_aton(CLIENT) + socket.inet_aton(SERVER)
                    f[34:] = summed(6, bytes(f[34:]), 16)
                try:
                    s.send(bytes(f))
                except OSError:
                    pass


def walks(seconds, port):
    """Peers that know the sequence numbers of their connections; walk.py."""
    servers = socket.inet_aton(SERVER), socket.inet_pton(socket.AF_INET6, SERVER6)
    with raw() as s:
        walk.walk(walk.Walk(random.Random(seed("walk")), macs(), port, servers, checksum), s, seconds)


def lie(name):
    def attack(seconds, port):
        servers = socket.inet_aton(SERVER), socket.inet_pton(socket.AF_INET6, SERVER6)
        with raw() as s:
            lies.lie(name, seed(name), s, macs(), port, servers, checksum, seconds)
    return attack


def forged(name):
    def attack(seconds, port):
        program, client = ((socket.inet_aton(a), socket.inet_pton(socket.AF_INET6, b)) for a, b in ((SERVER, SERVER6), (CLIENT, CLIENT6)))
        forger = forge.Forger(random.Random(seed(name)), macs(), port, program, client, checksum)
        send_all(forge.frames(name, forger), seconds)
    return attack


def scapy_fuzz(seconds, port):
    """scapy's fuzz() of every protocol that the stack knows."""
    program = f"""
import random, sys, time
import logging; logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import *
random.seed({seed("scapy")!r})
e = lambda: Ether(dst=sys.argv[1], src=sys.argv[2])
ip = lambda: IP(src="{CLIENT}", dst="{SERVER}")
kinds = [lambda: e()/ip()/fuzz(TCP(dport={port})), lambda: e()/ip()/fuzz(UDP(dport={port})), lambda: e()/ip()/fuzz(ICMP()),
         lambda: e()/fuzz(IP(dst="{SERVER}"))/TCP(dport={port}), lambda: e()/fuzz(ARP(pdst="{SERVER}")), lambda: e()/fuzz(Dot1Q())/ip(),
         lambda: e()/IPv6(dst="ff02::1")/fuzz(ICMPv6ND_NS()), lambda: e()/IPv6(dst="ff02::1")/fuzz(ICMPv6ND_RA()),
         lambda: e()/IPv6(dst="ff02::1")/fuzz(ICMPv6ND_NA()), lambda: e()/IPv6(dst="ff02::1")/fuzz(ICMPv6MLReport2()),
         lambda: e()/IPv6(dst="ff02::1")/fuzz(IPv6ExtHdrFragment())/fuzz(UDP()), lambda: e()/ip()/UDP(dport=68, sport=67)/fuzz(BOOTP())]
s = conf.L2socket(iface="pctap0")
end = time.time() + {seconds}
while time.time() < end:
    try:
        s.send(random.choice(kinds)())
    except Exception:
        pass
"""
    mac = macs()
    names = [":".join(f"{b:02x}" for b in mac[i:i + 6]) for i in (0, 6)]
    r = subprocess.run(["/usr/bin/python3", "-c", program, *names], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    expect(r.returncode == 0, f"scapy: {r.stderr[-500:]}")


# ---- requests ------------------------------------------------------------------------------------


def shapes(rnd):
    """Generates requests that two servers in a row could read differently, and some that are too
    large or invalid."""
    body = SMUGGLED
    yield b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % len(body) + body
    for te in (b"chunked, identity", b"xchunked", b" chunked", b"chunked\r\nTransfer-Encoding: x", b"\tchunked", b"CHUNKED\x0b"):
        yield b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:" + te + b"\r\n\r\n0\r\n\r\n" + body
    for cl in (b"+5", b"-1", b"5, 6", b"0x10", b"5\r\nContent-Length: 6", b"99999999999999999999", b" 5 5", b""):
        yield b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + cl + b"\r\n\r\nhello" + body
    for size in (b"FFFFFFFFFFFFFFFF", b"-1", b"0x5", b"5;" + b"a" * 9000, b"5 ", b"", b"80000000", b"1\r\nab"):
        yield b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\nhello\r\n0\r\n\r\n" + body
    yield b"GET / HTTP/1.1\r\nHost : x\r\n\r\n" + body
    yield b"GET / HTTP/1.1\r\n Host: x\r\n\r\n" + body
    yield b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n" + body
    yield b"GET / HTTP/1.1\nHost: x\n\n" + body
    yield b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + body
    yield b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + b"c" * 100000 + b"\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n"
    yield b"GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=" + b"0-1," * 2000 + b"0-1\r\n\r\n"
    yield b"GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\nGET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"
    yield b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 500
    yield b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50 + rnd.randbytes(5000)
    yield rnd.randbytes(rnd.randrange(1, 20000))
    whole = bytearray(b"POST /big.bin?x=%41 HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nContent-Length: 3\r\n\r\nabc")
    for _ in range(rnd.randrange(1, 6)):
        whole[rnd.randrange(len(whole))] = rnd.randrange(256)
    yield bytes(whole) * 3


def requests(seconds, port):
    """Smuggling shapes, huge headers, pipelined garbage; nothing outside the root, and no smuggled request, is served."""
    rnd, end, bad = random.Random(seed("requests")), time.monotonic() + seconds, []
    while time.monotonic() < end:
        for data in shapes(rnd):
            try:
                with socket.create_connection((SERVER, port), timeout=2) as s:
                    if rnd.random() < 0.5:
                        s.sendall(data)
                    else:
                        for i in range(0, min(len(data), 4000), 97):
                            s.sendall(data[i:i + 97])
                    s.shutdown(socket.SHUT_WR)
                    got = b""
                    while len(got) < 1 << 20 and (part := s.recv(1 << 16)):
                        got += part
                    if b"root:" in got:
                        bad.append(data[:100])
            except OSError:
                pass
    expect(not bad, f"served: {bad[:2]}")


def connections(seconds, port):
    """Connections that are opened and left in every state."""
    rnd, end, held = random.Random(seed("connections")), time.monotonic() + seconds, []
    while time.monotonic() < end:
        try:
            s = socket.create_connection((SERVER, port), timeout=2)
            s.setblocking(False)
            s.send(rnd.randbytes(rnd.randrange(1, 3000)))
            if rnd.random() < 0.3:
                s.shutdown(socket.SHUT_WR)
            if rnd.random() < 0.3:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            held.append(s)
        except OSError:
            time.sleep(0.01)
        if len(held) > 400 or (held and rnd.random() < 0.3):
            held.pop(rnd.randrange(len(held))).close()
    for s in held:
        s.close()


# ---- the run -------------------------------------------------------------------------------------


def seed(name):
    return f"{args.seed} {name}"


ATTACKS = {
    "hping-syn": hping("-S", "-p", "PORT", "--rand-source"),
    "hping-syn-one-source": hping("-S", "-p", "PORT"),
    "hping-ack": hping("-A", "-p", "PORT", "--rand-source"),
    "hping-fin": hping("-F", "-p", "PORT", "--rand-source"),
    "hping-rst": hping("-R", "-p", "PORT", "--rand-source"),
    "hping-all-flags": hping("-S", "-F", "-R", "-P", "-A", "-U", "-X", "-Y", "-p", "PORT", "--rand-source"),
    "hping-data": hping("-A", "-P", "-d", "1400", "-p", "PORT", "--rand-source"),
    "hping-closed-ports": hping("-S", "-p", "++1", "--rand-source"),
    "hping-udp": hping("--udp", "-p", "PORT", "-d", "100", "--rand-source"),
    "hping-icmp": hping("--icmp", "-d", "1000", "--rand-source"),
    "hping-fragments": hping("--icmp", "-f", "-d", "1000", "--rand-source"),
    "hping-half-fragments": hping("--udp", "-x", "-d", "500", "-p", "PORT", "--rand-source"),
    "t50-all": t50("--protocol", "T50", "--dport", "PORT"),
    "t50-shuffled": t50("--protocol", "T50", "--shuffle", "--encapsulated"),
    "t50-bogus-checksums": t50("--protocol", "T50", "-B"),
    "nping-tcp": nping("--tcp", "-p", "PORT", "--flags", "cwr,ecn,urg,ack,psh,rst,syn,fin", "--data-length", 700, "--ip-options", "R"),
    "nping-bad-sums": nping("--tcp", "-p", "PORT", "--badsum", "--mtu", 24, "--data-length", 200),
    "nping-connect": nping("--tcp-connect", "-p", "PORT"),
    "nmap-syn": nmap("-sS", "-p-"),
    "nmap-udp": nmap("-sU", "--top-ports", "200"),
    "nmap-os": nmap("-O", "-sV", "-p", "1-200"),
    "nmap-all": nmap("-A", "-p", "7,80,443"),
    "nmap-xmas-fragments": nmap("-sX", "-f", "--data-length", "50", "-p", "1-1000"),
    "nmap-protocols": nmap("-sO"),
    "nmap-ip6": nmap("-6", "-A", "-p", "7,22,80,443,8080"),
    "thc-router-flood": thc("flood_router26", "DEV"),
    "thc-router-flood-headers": thc("flood_router26", "-HFD", "DEV"),
    "thc-advertise-flood": thc("flood_advertise6", "DEV", "SERVER"),
    "thc-solicit-flood": thc("flood_solicitate6", "DEV", "SERVER"),
    "thc-mld-flood": thc("flood_mld26", "DEV", "SERVER"),
    "thc-unreach-flood": thc("flood_unreach6", "DEV", "SERVER"),
    "thc-neighbours": thc("ndpexhaust26", "-r", "DEV", "NET"),
    "thc-syn": thc("thcsyn6", "DEV", "SERVER", "PORT"),
    "thc-fragmentation": thc("fragmentation6", "DEV", "SERVER"),
    "thc-fragmentation-flood": thc("fragmentation6", "-fp", "DEV", "SERVER"),
    "thc-exploit": thc("exploit6", "DEV", "SERVER"),
    "thc-denial": thc_denial,
    "thc-implementation": thc("implementation6", "DEV", "SERVER"),
    "thc-fuzz": thc("fuzz_ip6", "-IFSDHRJ", "DEV", "SERVER"),
    "thc-fuzz-syn": thc("fuzz_ip6", "-x", "-0", "PORT", "DEV", "SERVER"),
    "thc-redirect": thc("redir6", "DEV", "SERVER", "CLIENT", "fe80::1", "fe80::2"),
    "thc-too-big": thc("toobig6", "DEV", "SERVER", "CLIENT", 68),
    "thc-kill-router": thc("kill_router6", "DEV", "*"),
    "thc-own-address": thc("fake_advertise6", "DEV", "SERVER"),
    "thc-smurf": thc("smurf6", "DEV", "SERVER"),
    "thc-remote-smurf": thc("rsmurf6", "DEV", "SERVER"),
    "thc-send-keys": thc("sendpees6", "DEV", 2048, "NET", "SERVER"),
    "thc-icmp": thc("randicmp6", "DEV", "SERVER"),
    "slow-headers": slow("-H", "-x", "24"),
    "slow-body": slow("-B", "-s", "8192", "-x", "10"),
    "slow-ranges": slow("-R", "-a", "5", "-b", "3000"),
    "slow-reading": slow("-X", "-w", "10", "-y", "20", "-n", "1", "-z", "5"),
    "random-tcp": random_frames(tcp_random),
    "random-udp": random_frames(udp_random),
    "random-icmp": random_frames(icmp_random),
    "random-ip": random_frames(ip_random),
    "random-ip6": random_frames(ip6_random),
    "random-ether": random_frames(ether_random),
    "mutated": mutated,
    "walk": walks,
    "scapy-fuzz": scapy_fuzz,
    "nothing": lambda seconds, port: time.sleep(seconds),
    **{"forge-" + name: forged(name) for name in forge.FORGERIES},
    **{"idle-" + kind: lambda seconds, port, kind=kind: holders.hold(kind, SERVER, port, "pctap0", seconds) for kind in holders.KINDS},
    **{"lie-" + name: lie(name) for name in lies.LIES},
    "requests": requests,
    "connections": connections,
}


def frames_out():
    """Returns how many frames the kernel has passed to the program, and how many found its queue
    full."""
    tx = link()["stats64"]["tx"]
    return tx["packets"], tx["dropped"]


def setup_ip6(b):
    with open(f"/proc/sys/net/ipv6/conf/{b.dev}/disable_ipv6", "w") as f:
        f.write("0")
    sh("ip", "-6", "addr", "replace", f"{CLIENT6}/64", "dev", b.dev, "nodad")
    wait_for(lambda: sh("ping", "-6", "-n", "-c", 1, "-W", 1, SERVER6, check=False).returncode == 0, 10, "an IPv6 neighbour")


def start(b):
    """Returns what the good client does over and over: its transfer over one family, then over the
    other."""
    families = itertools.cycle((SERVER, f"[{SERVER6}]"))
    common = ("--addr", f"{SERVER6}/64", "--set", "run.stats_s=86400", *more())
    if args.program == "percore-httpd":
        root = os.path.join(b.tmp, "root")
        os.mkdir(root)
        data = os.urandom(FILE_BYTES)
        open(os.path.join(root, "big.bin"), "wb").write(data)
        open(os.path.join(root, "index.html"), "wb").write(b"good\n")
        digest = hashlib.sha256(data).digest()
        b.start(args.program, "--listen", "80", "--root", root, *common)
        setup_ip6(b)
        return lambda: fetch(digest, next(families))
    b.start(args.program, *common)
    setup_ip6(b)
    data = os.urandom(FILE_BYTES // 4)
    return lambda: echo(data, next(families))


def more():
    return [w for s in args.set.split() for w in ("--set", s)]


def step(name):
    def attack(b, once):
        port = 80 if args.program == "percore-httpd" else 7
        before, good = frames_out(), Good(once)
        try:
            ATTACKS[name](args.seconds, port)
        finally:
            good.end()
        p = b.programs[-1]
        frames, lost = (now - then for now, then in zip(frames_out(), before))
        print(f"       {frames} frames, {lost} more lost on the way; the good client: {good.n} right, {good.wrong} wrong, "
              f"{good.failed} not finished, the slowest took {good.slowest:.1f} s", flush=True)
        expect(p.alive(), "the program is gone")
        expect(good.wrong == 0, f"{good.wrong} wrong answers")
        expect(once(), "the good client gets a wrong answer afterwards")
    attack.__name__, attack.__doc__ = name, " "
    return attack


def settled(b, _):
    """every frame is in one counter, every mbuf is back"""
    p = b.programs[-1]
    p.stop(30)
    values = {n: int(v) for v, n in re.findall(r"^ *(\d+) (\w+) ", p.out(), re.M)}
    drops = sum(v for n, v in values.items() if n.startswith("drop_"))
    waiting = values["rx_frames"] - values["rx_taken"] - drops
    print(f"       {values['rx_frames']} frames received, {values['rx_taken']} taken, {drops} dropped by name, {waiting} wait "
          f"as fragments; {values['mbufs_missing']} mbufs missing")
    expect(values["mbufs_missing"] == 0, "mbufs are missing")
    expect(0 <= waiting <= 2048, "a frame is in no counter, or in two")


args = bed.arguments(__doc__, seconds=60, program="percore-httpd", set="", seed=1)
bed.need("hping3", "nmap", "nping", "t50", "slowhttptest", "curl", "atk6-exploit6")
args.only, only = None, args.only
chosen = [n for n in ATTACKS if (not only or re.search(only, n)) and (args.program == "percore-httpd" or "slow" not in n and n != "requests")]
bed.main(args, [*map(step, chosen), settled], start)
