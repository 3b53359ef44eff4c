#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What protects sessions of BGP daemons, between unmodified programs on percore and the kernel's TCP: signed segments
(TCP_MD5SIG, RFC 2385) both ways, and peers that must be near (IP_MINTTL, RFC 5082)."""
import errno
import os
import socket
import struct
import time

import bed
from bed import CLIENT, SERVER, expect, sh
from one_core_test import Program
from unmodified import WHOLE, Daemon, has, run, start_stack

MD5SIG, MD5SIG_EXT, FLAG_PREFIX = 14, 32, 1
PORT, KEY, OTHER = 1790, b"correct horse", b"battery staple"

# Shared by both sides: a key for a peer (of no bytes: removes it), and an echo that follows
# commands.
COMMON = WHOLE + f"""
import socket, struct, sys
def key(s, peer, password, bits=None):
    v6 = s.family == socket.AF_INET6
    addr = (struct.pack('=HHI', 10, 0, 0) + socket.inet_pton(socket.AF_INET6, peer) if v6 else
            struct.pack('=HH', 2, 0) + socket.inet_aton(peer))
    s.setsockopt(socket.IPPROTO_TCP, {MD5SIG} if bits is None else {MD5SIG_EXT}, addr.ljust(128, b'\\0') +
                 struct.pack('=BBHi', {FLAG_PREFIX} if bits is not None else 0, bits or 0, len(password), 0) +
                 password.ljust(80, b'\\0'))
def ask(c, op, data=b''):
    c.sendall(struct.pack('!cI', op, len(data)) + data)
    op, n = struct.unpack('!cI', whole(c, 5))
    return whole(c, n)
"""

# An echo; K changes the connection's key after the answer has been sent, R resets, Q ends.
SERVE = COMMON + """
import threading
host, port, peer, password, bits = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4].encode(), sys.argv[5]
l = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
key(l, peer, password, int(bits) if bits else None)
l.bind((host, port))
l.listen()
print('ready', flush=True)
def serve(c):
    try:
        while True:
            op, n = struct.unpack('!cI', whole(c, 5))
            data = whole(c, n)
            if op == b'R':
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                break
            c.sendall(struct.pack('!cI', op, n) + data)
            if op == b'K':
                whole(c, 1)
                key(c, c.getpeername()[0], data)
    except (EOFError, OSError) as e:
        print(repr(e), flush=True)
    c.close()
while True:
    threading.Thread(target=serve, args=l.accept()[:1], daemon=True).start()
"""

# Connections, each with a MB there and back; prints what happened to them.
CALL = COMMON + """
host, port, password = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
data = bytes(range(251)) * 4178
for _ in range(int(sys.argv[5])):
    s = socket.socket()
    s.settimeout(float(sys.argv[4]))
    if password:
        key(s, host, password)
    try:
        s.connect((host, port))
        print('echo' if ask(s, b'E', data) == data else 'differs', flush=True)
    except TimeoutError:
        print('silence', flush=True)
    s.close()
"""

# An echo for peers that are as near as its listener requires (IP_MINTTL).
NEAR = """
import socket, sys
l = socket.socket()
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.setsockopt(socket.IPPROTO_IP, 21, 255)  # IP_MINTTL
l.bind((sys.argv[1], int(sys.argv[2])))
l.listen()
print('ready', flush=True)
while True:
    c = l.accept()[0]
    while data := c.recv(1000):
        c.sendall(data)
    c.close()
"""

exec(COMMON)  # pylint: disable=exec-used


def connect(password, seconds=5.0, port=PORT, host=SERVER):
    """Opens a connection of the kernel's that is signed with this password (None: unsigned)."""
    c = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    c.settimeout(seconds)
    if password:
        key(c, host, password)  # pylint: disable=undefined-variable
    c.connect((host, port))
    return c


def echoes(c, n=1 << 20):
    data = os.urandom(n)
    return ask(c, b"E", data) == data  # pylint: disable=undefined-variable


def is_silent(password, seconds, **kw):
    """Says whether there is no answer, not even a RST."""
    try:
        connect(password, seconds, **kw).close()
    except TimeoutError:
        return True
    return False


def server(b, *more):
    words = ["python3", "-u", "-c", SERVE, SERVER, PORT, *(more or (CLIENT, KEY.decode(), ""))]
    return Program(b, words, lambda d: "ready" in d.out())


def start(b):
    c = socket.socket()
    try:
        key(c, "127.0.0.1", KEY)  # pylint: disable=undefined-variable
    except OSError as e:
        if e.errno == errno.ENOPROTOOPT:
            bed.skip("the kernel has no TCP-MD5")
        raise
    c.close()
    if b"libnettle" not in open(os.path.join(b.build, "lib", "libpercore.so"), "rb").read():
        bed.skip("percore was built without nettle")
    if b.lcores > 1:
        return start_stack(b)
    return None


def served(b, s):
    """the kernel's clients: with the key a MB there and back, with another or none silence; resets and the end come through"""
    with server(b):
        with connect(KEY, 10 * b.slow) as c:
            expect(echoes(c), "what came back differs")
            expect(is_silent(OTHER, 1.5), "a wrong key was answered")
            expect(is_silent(b"", 1.5), "a missing key was answered")
            expect(echoes(c, 1000), "what came back differs")
            c.shutdown(socket.SHUT_WR)
            expect(c.recv(1) == b"", "no end")
        with connect(KEY, 10 * b.slow) as c:
            c.sendall(struct.pack("!cI", b"R", 0))
            try:
                expect(c.recv(1) is None, "no reset")
            except ConnectionResetError:
                pass


def changed(b, s):
    """a key is changed, taken away and given again while connected"""
    with server(b):
        with connect(KEY, 10 * b.slow) as c:
            for password in (OTHER, b"", KEY, b"x" * 80):
                ask(c, b"K", password)  # pylint: disable=undefined-variable
                c.sendall(b".")
                time.sleep(0.3 * b.slow)  # the byte is acknowledged, with the old key
                key(c, SERVER, password)  # pylint: disable=undefined-variable
                expect(echoes(c), f"what came back after {password} differs")
            # with a key other than the peer's nothing passes, and with the right one again
            # everything does
            key(c, SERVER, OTHER)  # pylint: disable=undefined-variable
            c.settimeout(1)
            try:
                echoes(c, 100)
                expect(False, "a wrong key was taken")
            except TimeoutError:
                pass
            key(c, SERVER, b"x" * 80)  # pylint: disable=undefined-variable
            c.settimeout(20 * b.slow)
            expect(whole(c, 105)[:1] == b"E", "no answer")  # pylint: disable=undefined-variable


def prefix(b, s):
    """a listener's key for a network (TCP_MD5SIG_EXT)"""
    with server(b, "192.0.2.0", KEY.decode(), "24"):
        with connect(KEY, 10 * b.slow) as c:
            expect(echoes(c), "what came back differs")
        expect(is_silent(b"", 1.5), "a missing key was answered")


def given(b, s):
    """a socket that goes to the kernel, as it is bound to 127.0.0.1, takes its key along"""
    with Program(b, ["python3", "-u", "-c", SERVE, "127.0.0.1", PORT, "127.0.0.1", KEY.decode(), ""],
                 lambda d: "ready" in d.out()):
        with connect(KEY, 10 * b.slow, host="127.0.0.1") as c:
            expect(echoes(c), "what came back differs")
        expect(is_silent(b"", 1.5, host="127.0.0.1"), "a missing key was answered")


def called(b, s):
    """clients on percore reach the kernel's server with its key, and with no other"""
    words = ["python3", "-u", "-c", SERVE, "0.0.0.0", PORT, SERVER, KEY.decode(), ""]
    with Daemon(b, words, lambda d: "ready" in d.out(), on_stack=False):
        for password, seconds, said in ((KEY, 10 * b.slow, "echo"), (OTHER, 1.5, "silence"), (b"", 1.5, "silence")):
            call = ["python3", "-u", "-c", CALL, CLIENT, PORT, password.decode(), seconds, 1]
            with Program(b, call, lambda d: True) as p:
                expect(p.end(0, 20) == 0 and p.out().strip().endswith(said), f"{password}: {p.out()}")


BIRD = """
router id {here};
protocol device {{}}
protocol static {{ ipv4; route {net} blackhole; }}
protocol bgp peer {{ local {here} as {own}; neighbor {there} as {other}; password "{password}"; multihop;
  connect delay time 1; connect retry time 2; error wait time 1, 2; ipv4 {{ import all; export where source = RTS_STATIC; }}; }}
"""


def bird(b, name, **how):
    """Returns the words that run a BGP daemon, and those that query its routes."""
    conf, control = (os.path.join(b.tmp, name + end) for end in (".conf", ".ctl"))
    open(conf, "w").write(BIRD.format(**how))
    return (["bird", "-f", "-c", conf, "-s", control, "-P", os.path.join(b.tmp, name + ".pid")],
            ["birdc", "-s", control, "show", "route"])


def bgp(b, s):
    """BGP between bird on percore and bird on the kernel, where it is installed: by one password they exchange routes"""
    if not has("bird", "birdc"):
        print("    bird is not installed")
        return
    one, ask_one = bird(b, "one", here=SERVER, there=CLIENT, net="198.51.100.0/24", own=64501, other=64502, password="a b")
    for password, wait in (("a b", 30 * b.slow), ("ab", 4)):
        two, ask_two = bird(b, "two", here=CLIENT, there=SERVER, net="203.0.113.0/24", own=64502, other=64501, password=password)
        with Program(b, one, lambda d: True), Daemon(b, two, on_stack=False):
            def both():
                return "203.0.113.0" in sh(*ask_one, check=False).stdout and "198.51.100.0" in sh(*ask_two, check=False).stdout
            end = time.monotonic() + wait
            while not both() and time.monotonic() < end:
                time.sleep(0.2)
            expect(both() == (password == "a b"), f"password {password}: {sh(*ask_one).stdout}{sh(*ask_two).stdout}")


def near(b, s):
    """a listener with IP_MINTTL hears whom it says, and nobody else; so do its connections"""
    words = ["python3", "-u", "-c", NEAR, SERVER, PORT]
    with (Daemon if b.lcores > 1 else Program)(b, words, lambda d: "ready" in d.out()):
        for _ in range(b.lcores * 3):
            with socket.socket() as c:
                c.settimeout(10 * b.slow)
                c.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
                c.connect((SERVER, PORT))
                c.sendall(b"near")
                expect(c.recv(10) == b"near", "what came back differs")
                c.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 254)
                c.settimeout(0.3)
                c.sendall(b"afar")
                try:
                    expect(c.recv(10) is None, "what came from afar was answered")
                except TimeoutError:
                    pass
                # now the retransmission arrives
                c.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
                c.settimeout(10 * b.slow)
                expect(c.recv(10) == b"afar", "what came back differs")
        expect(is_silent(b"", 1.5), "a SYN from afar was answered")


def spread(b, s):
    """with several lcores a listener has its keys on each, and a client takes them to its own"""
    with Daemon(b, ["python3", "-u", "-c", SERVE, SERVER, PORT, CLIENT, KEY.decode(), ""], lambda d: "ready" in d.out()):
        for _ in range(8):
            with connect(KEY, 10 * b.slow) as c:
                expect(echoes(c, 10000), "what came back differs")
            expect(is_silent(b"", 0.5), "a missing key was answered")
    words = ["python3", "-u", "-c", SERVE, CLIENT, PORT, SERVER, KEY.decode(), ""]
    with Daemon(b, words, lambda d: "ready" in d.out(), on_stack=False):
        out = run(b, "python3", "-u", "-c", CALL, CLIENT, PORT, KEY.decode(), 10 * b.slow, 4).stdout
        expect(out.split() == ["echo"] * 4, out)


if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("python3")
    bed.main(args, [spread, near] if args.lcores > 1 else [served, changed, prefix, given, called, near, bgp], start)
