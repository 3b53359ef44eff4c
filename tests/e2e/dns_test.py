#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-dns answers dig as it should: types, names that are not there, EDNS, TCP after truncation, new zones."""
import os
import re
import signal
import socket
import struct
import subprocess
import time

import bed
from bed import SERVER, expect, sh

SERVER6 = "fd00:53::1"
CLIENT6 = "fd00:53::2"
RATE = 100
IDLE_S = 2  # idle time-out of a connection without a query; a busy machine stalls for less

ZONE = """$TTL 3600
@	SOA ns1 hostmaster 5 7200 3600 1209600 300
	NS ns1
	MX 10 mail
	TXT "v=spf1 -all"
	CAA 0 issue "ca.example.net"
	SRV 0 5 443 web
ns1	A 10.53.0.1
	AAAA fd00:53::1
mail	A 192.0.2.3
web	A 192.0.2.4
	AAAA 2001:db8::4
www	CNAME web
sub	NS ns.sub
ns.sub	A 192.0.2.10
*.wild	A 192.0.2.20
old	DNAME new
x.new	A 192.0.2.40
unk	TYPE65280 \\# 4 01020304
1	PTR web
flood	A 192.0.2.99
tls	TLSA 3 1 1 0102030405060708091011121314151617181920212223242526272829303132
""" + "".join(f"many	A 192.0.2.{i}\n" for i in range(1, 101))

# queries for dig, and its output: status, flags, and the lines of the answer (sorted), authority
# section
ASKED = [
    ("web.e.test A", "NOERROR", "qr aa rd", ["web.e.test. 3600 IN A 192.0.2.4"]),
    ("web.e.test AAAA", "NOERROR", "qr aa rd", ["web.e.test. 3600 IN AAAA 2001:db8::4"]),
    ("e.test MX", "NOERROR", "qr aa rd", ["e.test. 3600 IN MX 10 mail.e.test."]),
    ("e.test TXT", "NOERROR", "qr aa rd", ['e.test. 3600 IN TXT "v=spf1 -all"']),
    ("e.test NS", "NOERROR", "qr aa rd", ["e.test. 3600 IN NS ns1.e.test."]),
    ("e.test SOA", "NOERROR", "qr aa rd",
     ["e.test. 3600 IN SOA ns1.e.test. hostmaster.e.test. 5 7200 3600 1209600 300"]),
    ("e.test CAA", "NOERROR", "qr aa rd", ['e.test. 3600 IN CAA 0 issue "ca.example.net"']),
    ("e.test SRV", "NOERROR", "qr aa rd", ["e.test. 3600 IN SRV 0 5 443 web.e.test."]),
    ("1.e.test PTR", "NOERROR", "qr aa rd", ["1.e.test. 3600 IN PTR web.e.test."]),
    ("unk.e.test TYPE65280", "NOERROR", "qr aa rd", ["unk.e.test. 3600 IN TYPE65280 \\# 4 01020304"]),
    ("tls.e.test TLSA", "NOERROR", "qr aa rd", [
        "tls.e.test. 3600 IN TLSA 3 1 1 01020304050607080910111213141516171819202122232425262728 29303132"]),
    ("www.e.test CNAME", "NOERROR", "qr aa rd", ["www.e.test. 3600 IN CNAME web.e.test."]),
    ("www.e.test A", "NOERROR", "qr aa rd", ["web.e.test. 3600 IN A 192.0.2.4",
                                             "www.e.test. 3600 IN CNAME web.e.test."]),
    ("a.b.wild.e.test A", "NOERROR", "qr aa rd", ["a.b.wild.e.test. 3600 IN A 192.0.2.20"]),
    ("x.old.e.test A", "NOERROR", "qr aa rd", [
        "old.e.test. 3600 IN DNAME new.e.test.", "x.new.e.test. 3600 IN A 192.0.2.40",
        "x.old.e.test. 3600 IN CNAME x.new.e.test."]),
    ("no.e.test A", "NXDOMAIN", "qr aa rd",
     ["e.test. 300 IN SOA ns1.e.test. hostmaster.e.test. 5 7200 3600 1209600 300"]),
    ("web.e.test TXT", "NOERROR", "qr aa rd",
     ["e.test. 300 IN SOA ns1.e.test. hostmaster.e.test. 5 7200 3600 1209600 300"]),
    ("a.sub.e.test A", "NOERROR", "qr rd", [
        "ns.sub.e.test. 3600 IN A 192.0.2.10", "sub.e.test. 3600 IN NS ns.sub.e.test."]),
    ("other.test A", "REFUSED", "qr rd", []),
    ("+opcode=notify e.test SOA", "NOTIMP", "qr rd", []),
    ("e.test ANY", "NOERROR", "qr aa rd", ["e.test. 3600 IN NS ns1.e.test."]),
    ("id.server TXT CH", "NOERROR", "qr aa rd", ['id.server. 0 CH TXT "one"']),
    ("version.bind TXT CH", "REFUSED", "qr rd", []),
]


def write_zone(b, text, name="e.test"):
    path = os.path.join(b.tmp, "zones", name + ".zone")
    with open(path + ".new", "w") as f:
        f.write(text)
    os.rename(path + ".new", path)


def start(b):
    os.mkdir(os.path.join(b.tmp, "zones"))
    write_zone(b, ZONE)
    p = b.start("percore-dns", "--zones", os.path.join(b.tmp, "zones"), "--addr", f"{SERVER6}/64", "--identity",
                "one", "--set", f"dns.idle_ms={int(IDLE_S * b.slow * 1000)}", "--set", "ip6.dad=0", "--set", f"dns.rrl_rate={RATE}", "--stats", "3600",
                "--set", f"run.control={b.tmp}/control")
    for key in ("all", "default", b.dev):
        path = f"/proc/sys/net/ipv6/conf/{key}/disable_ipv6"
        if os.path.exists(path):
            open(path, "w").write("0")
    sh("ip", "addr", "add", f"{CLIENT6}/64", "dev", b.dev, "nodad")
    return p


def read_answer(out):
    """Returns status, flags, EDNS's line or None, and the records as sorted lines, from dig's
    output for one answer."""
    status = re.search(r"status: (\w+)", out)
    expect(status, out)
    flags = re.search(r"flags: ([a-z ]*);", out).group(1)
    edns = re.search(r"; EDNS: (.*)", out)
    lines = sorted(" ".join(line.split()) for line in out.splitlines() if line and line[0] != ";")
    return status.group(1), flags.strip(), edns and edns.group(1), lines


def dig(*words, server=SERVER):
    return read_answer(sh("dig", f"@{server}", "+tries=4", "+time=3", *words).stdout)


def answers(b, s):
    """every kind of answer, over UDP and TCP, IPv4 and IPv6"""
    path = os.path.join(b.tmp, "asked")
    for how, server in (("+notcp", SERVER), ("+tcp", SERVER6)):
        with open(path, "w") as f:
            for words, *_ in ASKED: # dig uses TCP for ANY by itself
                f.write(f"{words} {how} {'+ignore' if how != '+tcp' else ''}\n")
        got = re.split(r"^; <<>> DiG.*$", sh("dig", f"@{server}", "+tries=4", "+time=3", "-f", path).stdout,
                       flags=re.M)[1:]
        expect(len(got) == len(ASKED), f"{len(got)} answers to {len(ASKED)} questions")
        for text, (words, status, flags, lines) in zip(got, ASKED):
            status_got, flags_got, _, lines_got = read_answer(text)
            expect((status_got, flags_got) == (status, flags), f"{how} {words}: {text}")
            expect([x for x in lines_got if x in lines] == sorted(lines), f"{how} {words}: {text}")
    got = dig("wEb.e.TEST", "A", server=SERVER6)
    expect(got[3] == ["wEb.e.TEST. 3600 IN A 192.0.2.4"], got)


def edns(b, s):
    """OPT in answers, BADVERS, NSID, DO, and none where none was asked"""
    expect(dig("web.e.test", "+edns=0")[2] == "version: 0, flags:; udp: 1232", dig("web.e.test", "+edns=0"))
    expect(dig("web.e.test", "+dnssec")[2] == "version: 0, flags: do; udp: 1232", "DO")
    expect(dig("web.e.test", "+noedns")[2] is None, "an OPT that was not asked for")
    expect(dig("web.e.test", "+edns=1", "+noednsneg")[0] == "BADVERS", dig("web.e.test", "+edns=1", "+noednsneg"))
    expect('NSID: 6f 6e 65 ("one")' in sh("dig", f"@{SERVER}", "+nsid", "web.e.test").stdout, "no NSID")


def truncation(b, s):
    """what does not fit has TC, and dig gets it over TCP"""
    status, flags, _, lines = dig("many.e.test", "A", "+ignore", "+bufsize=1232")
    expect((status, flags, lines) == ("NOERROR", "qr aa tc rd", []), (status, flags, lines))
    _, flags, _, lines = dig("many.e.test", "A", "+bufsize=1232")
    expect(flags == "qr aa rd" and len(lines) == 100, (flags, lines))
    _, flags, _, lines = dig("many.e.test", "A", "+noedns")
    expect(flags == "qr aa rd" and len(lines) == 100, (flags, lines))


def message(n, name="web.e.test", kind=1):
    m = struct.pack(">HHHHHH", n, 0, 1, 0, 0, 0)
    m += b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0" + struct.pack(">HH", kind, 1)
    return m


def framed(n, *what):
    m = message(n, *what)
    return struct.pack(">H", len(m)) + m


def read_all(c, n):
    """Returns the IDs of n answers on a connection."""
    data, ids = b"", []
    while len(ids) < n:
        part = c.recv(65536)
        expect(part, f"the connection ended after {len(ids)} of {n} answers")
        data += part
        while len(data) >= 2 and len(data) >= 2 + struct.unpack(">H", data[:2])[0]:
            size = struct.unpack(">H", data[:2])[0]
            ids.append(struct.unpack(">H", data[2:4])[0])
            data = data[2 + size:]
    return ids


def pipelining(b, s):
    """RFC 7766: many queries in a segment, one in many, an end while answers wait, and a peer that does not read"""
    with socket.create_connection((SERVER, 53), 10 * b.slow) as c:
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        c.sendall(b"".join(framed(i) for i in range(500)))
        expect(read_all(c, 500) == list(range(500)), "500 in a row")
        for byte in framed(7):
            c.sendall(bytes([byte]))
        expect(read_all(c, 1) == [7], "byte by byte")
        c.sendall(framed(8) + framed(9)[:5])
        expect(read_all(c, 1) == [8], "one and a half")
        c.sendall(framed(9)[5:] + framed(10))
        c.shutdown(socket.SHUT_WR)
        expect(read_all(c, 2) == [9, 10] and c.recv(1) == b"", "the end")
    with socket.create_connection((SERVER, 53), 10 * b.slow) as c:
        # more answers than fit into the buffers of both sides
        n = 2000
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        c.setblocking(False)
        data, got = b"".join(framed(i, "many.e.test") for i in range(n)), 0
        try:
            while data:
                data = data[c.send(data):]
        except BlockingIOError:
            pass
        c.setblocking(True)
        c.settimeout(10 * b.slow)
        sent = n - (len(data) + len(framed(0, "many.e.test")) - 1) // len(framed(0, "many.e.test"))
        expect(read_all(c, sent) == list(range(sent)), f"{sent} large ones")


def ends(c):
    """Waits for the end of the connection, which is a RST if the server has not read everything."""
    try:
        expect(c.recv(1) == b"", "something instead of the end")
    except ConnectionResetError:
        pass


def idle(b, s):
    """a connection without a query is closed, and one that sends nonsense"""
    with socket.create_connection((SERVER, 53), 10 * b.slow) as c:
        begin = time.monotonic()
        c.sendall(framed(1) + b"\0")
        expect(read_all(c, 1) == [1], "no answer")
        ends(c)
        expect(time.monotonic() - begin > 0.9 * IDLE_S * b.slow, "too early an end")
    with socket.create_connection((SERVER, 53), 10 * b.slow) as c:
        c.sendall(b"\0\x04nono")
        ends(c)


def malformed(b, s):
    """datagrams of nonsense, and the server goes on"""
    state = 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.connect((SERVER, 53))
        for i in range(5000):
            m = bytearray(message(i) + b"\0\0\x29\x10\0\0\0\0\0\0\0")
            m[11] = 1
            for _ in range(1 + i % 4):
                state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
                m[(state >> 33) % len(m)] = state >> 56
            c.send(m[:len(m) - i % 7] if i % 3 else m)
            if i % 50 == 49:
                time.sleep(0.001)
    expect(dig("web.e.test", "A")[3] == ["web.e.test. 3600 IN A 192.0.2.4"], "no answer any more")


def cookies(b, s):
    """RFC 7873: a cookie for who has none, the same for who has it, and one for who asks for nothing else"""
    text = sh("dig", f"@{SERVER}", "+cookie=0102030405060708", "web.e.test").stdout
    first = re.search(r"; COOKIE: (0102030405060708[0-9a-f]{32}) \(good\)", text)
    expect(first and first[1][16:24] == "01000000", text)
    expect(abs(int(first[1][24:32], 16) - time.time()) < 60, "another time than ours")
    again = sh("dig", f"@{SERVER}", "+tcp", f"+cookie={first[1]}", "web.e.test").stdout
    expect(f"; COOKIE: {first[1]} (good)" in again, again)
    text = sh("dig", f"@{SERVER}", "+header-only", "+cookie=0102030405060708").stdout
    expect(read_answer(text)[0] == "NOERROR" and "; COOKIE: 0102030405060708" in text, text)


def limits(b, s):
    """dns.rrl_rate: a flood of one question gets few answers, who comes with a cookie or over TCP gets his"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.connect((SERVER, 53))
        c.settimeout(1 * b.slow)
        whole = cut = 0
        for i in range(RATE * 5):
            c.send(message(i, "flood.e.test"))
        try:
            while True:
                flags = struct.unpack(">H", c.recv(2048)[2:4])[0]
                cut += flags & 0x200 != 0
                whole += flags & 0x200 == 0
        except TimeoutError:
            pass
        # one second's worth, and more for the time the queries take; half of the rest is truncated,
        # if nothing was lost
        expect(RATE <= whole < RATE * 3 and 0 < cut <= RATE * 5 // 2, (whole, cut))
    expect(dig("flood.e.test", "A", "+nocookie")[3] == ["flood.e.test. 3600 IN A 192.0.2.99"], "over TCP")
    expect(dig("flood.e.test", "A")[3] == ["flood.e.test. 3600 IN A 192.0.2.99"], "with a cookie")
    expect(dig("web.e.test", "A")[3] == ["web.e.test. 3600 IN A 192.0.2.4"], "another name")


def reload(b, s):
    """SIGHUP: a new serial, a new zone, a zone that is none, under queries that go on"""
    write_zone(b, ZONE.replace(" 5 7200", " 6 7200").replace("web	A 192.0.2.4", "web	A 192.0.2.44"))
    write_zone(b, ZONE, "f.test")
    s.signal(signal.SIGHUP)
    bed.wait_for(lambda: "percore-dns: serving 2 zones" in s.out(), 10 * b.slow, "the reload")
    expect(dig("web.e.test", "A")[3] == ["web.e.test. 3600 IN A 192.0.2.44"], "the old address")
    expect(dig("web.f.test", "A")[3] == ["web.f.test. 3600 IN A 192.0.2.4"], "no new zone")
    write_zone(b, ZONE + "web	A nothing\n")
    s.signal(signal.SIGHUP)
    bed.wait_for(lambda: len(re.findall(r"serving \d+ zones", s.out())) == 2, 10 * b.slow, "the second reload")
    expect(re.search(r"e\.test: keeping serial 6: .*e\.test\.zone:\d+: ", s.err()), s.err())
    expect(dig("web.e.test", "A")[3] == ["web.e.test. 3600 IN A 192.0.2.44"], "the zone is gone")


def early(b, _):
    """SIGHUP while zones are read at the start: they are read again, and served"""
    zone, out = os.path.join(b.tmp, "large"), os.path.join(b.tmp, "early.out")
    with open(zone, "w") as f:
        f.write("$TTL 60\n@ SOA ns h 1 1 1 1 1\n@ NS ns\n")
        f.writelines(f"h{i} A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n" for i in range(500_000))
    with open(out, "w") as o:
        p = subprocess.Popen([b.path("percore-dns"), "--no-huge", "--no-shconf", "-m", "192", "--no-pci", "--no-telemetry",
                              "--vdev=net_null0", "--", "--addr", "192.0.2.7/24", "--zone", f"large.test={zone}", *bed.FEW_MBUFS],
                             stdin=subprocess.DEVNULL, stdout=o, stderr=o)
    try:
        def said(text):
            with open(out) as o:
                return text in o.read()

        def reads():
            with open(f"/proc/{p.pid}/maps") as maps:
                return zone in maps.read()
        bed.wait_for(lambda: p.poll() is not None or reads(), 20 * b.slow, "the zone to be read")
        expect(not said("zones: "), "the zone is read too fast for this test")
        p.send_signal(signal.SIGHUP)
        bed.wait_for(lambda: p.poll() is not None or said("serving 1 zones"), 30 * b.slow, "the zone to be read again")
        expect(p.poll() is None, f"it has ended with status {p.returncode}")
        p.terminate()
        expect(p.wait(15 * b.slow) == 0, "it did not end in order")
    finally:
        p.kill()
        p.wait()


def counters(b, s):
    """its own counters are at the end of the others"""
    text = sh(b.path("percore-ctl"), f"{b.tmp}/control", "counters", "show").stdout
    expect(re.search(r"^dns_udp [1-9]\d*$", text, re.M) and re.search(r"^rx_frames [1-9]\d*$", text, re.M), text)
    s.stop()
    for name in ("dns_udp", "dns_tcp", "dns_nxdomain", "dns_formerr", "dns_refused", "dns_truncated", "dns_idle",
                 "dns_broken", "dns_cookies", "dns_cookies_good", "dns_rrl_dropped", "dns_rrl_slipped"):
        expect(re.search(rf"^ *[1-9]\d* {name} ", s.out(), re.M), f"{name}: {s.out()[-3000:]}")


args = bed.arguments(__doc__)
bed.need("dig")
bed.main(args, [answers, edns, truncation, pipelining, idle, cookies, limits, malformed, reload, early, counters], start)
