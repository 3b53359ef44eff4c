#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-httpd among clients that mean no good, and on a disk that changes under it, while a good client is
served."""
import os
import re
import resource
import selectors
import shutil
import socket
import struct
import threading
import time

import bed
from bed import SERVER, expect, wait_for

SLOW, SILENT, READERS, DRIPPING = 200, 100, 40, 20
HEADER_S, SEND_S, LINGER_S = 0.5, 1, 0.3
BIG = 6 << 20
IDLE, RUDE, HALF = 2000, 100, 50
ESTABLISHED = b"\x01"


def start(b):
    root = os.path.join(b.tmp, "root")
    os.makedirs(os.path.join(root, "dir"))
    for name in ("index.html", "dir/index.html", "other"):
        open(os.path.join(root, name), "w").write("good\n")
    with open(os.path.join(root, "big.bin"), "wb") as f:
        f.write(os.urandom(1 << 20) * (BIG >> 20))
    # whatever slows the clients delays good ones, too, and if a segment of theirs is lost, it takes
    # two of its time-outs
    ms = 1000 * b.slow
    keys = {"http.header_ms": HEADER_S * ms, "http.send_ms": SEND_S * ms, "http.linger_ms": LINGER_S * ms,
            "http.rescan_ms": 100, "http.buffers": 128, "http.send_rate": 4000}
    b.seccomp = b.slow == 1
    # a log that cannot be written must not stop the server
    # with bed.FEW_MBUFS, a good client's SYN is dropped twice in one of three runs among clients that read nothing
    p = b.start("percore-httpd", "--listen", "80", "--root", root, "--access-log", "/dev/full", "--set", "stack.mbufs=16383",
                *[w for k, v in keys.items() for w in ("--set", f"{k}={int(v)}")])
    return {"root": root, "program": p}


def connect(rcvbuf=None):
    s = socket.socket()
    if rcvbuf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    s.settimeout(5)
    s.connect((SERVER, 80))
    return s


def ask(path, seconds=5):
    """Makes one request on a connection of its own; returns status and body."""
    with connect() as s:
        s.settimeout(seconds)
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        got = b""
        while part := s.recv(65536):
            got += part
    head, _, body = got.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


class Good(threading.Thread):
    """Fetches a page over and over; says how long the slowest fetch took."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stop, self.n, self.slowest, self.wrong = threading.Event(), 0, 0, None
        self.start()

    def run(self):
        while not self.stop.wait(0.005):
            begin = time.monotonic()
            try:
                if ask("/") != (200, b"good\n"):
                    self.wrong = "another answer"
            except (OSError, IndexError) as e:
                self.wrong = repr(e)
            self.n += 1
            self.slowest = max(self.slowest, time.monotonic() - begin)

    def end(self, b, what):
        self.stop.set()
        self.join()
        expect(self.wrong is None, f"a good client among {what}: {self.wrong}")
        # if the TAP's queue has no room for a SYN, the kernel retransmits it after a second; not
        # twice, which takes three
        expect(self.n >= 20 and self.slowest < 2.9 * b.slow,
               f"a good client among {what}: {self.n} pages, the slowest took {self.slowest:.2f} s")


def send_or_gone(s, data):
    try:
        s.send(data)
        return True
    except OSError:
        return False


def established(s):
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == ESTABLISHED


def ended(socks):
    """Returns those that the server has closed; reads what it sends."""
    with selectors.DefaultSelector() as sel:
        for s in socks:
            sel.register(s, selectors.EVENT_READ)
        out = []
        for key, _ in sel.select(0):
            try:
                if not key.fileobj.recv(65536):
                    out.append(key.fileobj)
            except OSError:
                out.append(key.fileobj)
        return out


def filtered(b, s):
    """every thread is behind the filter of run.seccomp"""
    p = s["program"]
    modes = []
    for task in os.listdir(f"/proc/{p.pid}/task"):
        text = open(f"/proc/{p.pid}/task/{task}/status").read()
        modes.append(re.search(r"^Seccomp:\s*(\d)", text, re.M).group(1))
    if b"libseccomp" in open(b.path(p.name), "rb").read() and b.seccomp:
        expect(len(modes) >= 2 and set(modes) == {"2"}, f"the threads' modes are {modes}")


def slowloris(b, s):
    """headers that trickle in, connections that say nothing: all end after http.header_ms, as 408 or without a word"""
    good = Good()
    socks = [connect() for _ in range(SLOW + SILENT)]
    begin = time.monotonic()
    for x in socks[:SLOW]:
        x.send(b"GET / HTTP/1.1\r\nHost: x\r\n")
    left = set(socks)
    while left and time.monotonic() - begin < (HEADER_S + LINGER_S + 2) * b.slow:
        for x in list(left):
            if x in socks[:SLOW] and not send_or_gone(x, b"X-a: b\r\n"):
                left.discard(x)
        left -= set(ended(left))
        time.sleep(0.1)
    for x in socks:
        x.close()
    expect(not left, f"{len(left)} of {len(socks)} connections were kept")
    good.end(b, "slow headers")


def slow_readers(b, s):
    """responses that nobody reads, or only by drops, end after http.send_ms; who reads steadily may be slow"""
    good = Good()
    bad = [connect(4096) for _ in range(READERS)]
    steady = connect(65536)
    for x in (*bad, steady):
        x.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
    end, got, left = time.monotonic() + 30 * SEND_S * b.slow, 0, bad
    while (left or got < 100000) and time.monotonic() < end:
        for x in bad[:DRIPPING]:
            try:
                x.recv(10)
            except OSError:
                pass
        got += len(steady.recv(4096))
        left = [x for x in left if established(x)]
        time.sleep(0.05)
    expect(got >= 100000, f"the steady reader got {got} bytes")
    expect(not left, f"{len(left)} of {READERS} were kept")
    for x in (*bad, steady):
        x.close()
    good.end(b, "slow readers")


def idle(b, s):
    """two thousand connections that have asked once and are kept open; each is answered again"""
    n = min(IDLE, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200) // int(b.slow)
    resource.setrlimit(resource.RLIMIT_NOFILE, (n + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    socks = []
    for _ in range(n):
        socks.append(connect())
        socks[-1].sendall(request)
    for again in (True, False):
        wrong = sum(not x.recv(4096).endswith(b"good\n") for x in socks)
        expect(wrong == 0, f"{wrong} of {n} idle connections got another answer")
        for x in socks if again else []:
            x.sendall(request)
    expect(ask("/") == (200, b"good\n"), "a new client gets another answer")
    for x in socks:
        x.close()


def rude(b, s):
    """clients that ask a thousand times and read nothing, that reset in the middle of a response, and that close their half"""
    good, big = Good(), b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n"
    deaf = [connect(4096) for _ in range(RUDE)]
    for x in deaf:
        x.setblocking(False)
        send_or_gone(x, big * 1000)
    for _ in range(RUDE):
        x = connect(65536)
        x.sendall(big)
        x.recv(1000)
        x.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        x.close()
    for _ in range(HALF):
        with connect() as x:
            x.sendall(big)
            x.shutdown(socket.SHUT_WR)
            got = 0
            while part := x.recv(1 << 20):
                got += len(part)
            expect(got > BIG, f"{got} bytes for a client that has closed its half")
    end = time.monotonic() + (SEND_S + LINGER_S + 2) * b.slow
    left = deaf
    while left and time.monotonic() < end:
        time.sleep(0.1)
        left = [x for x in left if established(x)]
    expect(not left, f"{len(left)} of {RUDE} clients that read nothing were kept")
    for x in deaf:
        x.close()
    good.end(b, "rude clients")


def shortened(b, s):
    """a file that is shortened while it is sent: its response is cut off, it is 503, and then what it is"""
    path = os.path.join(s["root"], "big.bin")
    with connect(65536) as x:
        x.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        got = len(x.recv(1000))
        os.truncate(path, 5)
        try:
            while part := x.recv(1 << 20):
                got += len(part)
        except ConnectionResetError:
            pass
        expect(got < BIG, "all of the file, after it was shortened")
    wait_for(lambda: ask("/big.bin")[0] in (200, 503), 2, "an answer")
    wait_for(lambda: ask("/big.bin") == (200, open(path, "rb").read()), 5 * b.slow, "the shorter file")


def changed(b, s):
    """files that are replaced, removed, made into something else, and a root that goes away and comes back"""
    root = s["root"]
    os.rename(os.path.join(root, "other"), os.path.join(root, "big.bin"))
    wait_for(lambda: ask("/big.bin") == (200, b"good\n") and ask("/other")[0] == 404, 5 * b.slow,
             "the file that was renamed")
    os.unlink(os.path.join(root, "big.bin"))
    os.mkdir(os.path.join(root, "big.bin"))
    os.mkfifo(os.path.join(root, "other"))
    wait_for(lambda: ask("/big.bin")[0] == 301 and ask("/big.bin/")[0] == 403, 5 * b.slow, "the directory")
    expect(ask("/other")[0] == 404, "a pipe is served")
    shutil.rmtree(os.path.join(root, "dir"))
    wait_for(lambda: ask("/dir/")[0] == 404, 5 * b.slow, "the directory to be gone")
    os.rename(root, root + ".away")
    time.sleep(0.3)
    expect(ask("/") == (200, b"good\n"), "what is known is not served while the root is away")
    os.mkdir(root)
    open(os.path.join(root, "index.html"), "w").write("new\n")
    wait_for(lambda: ask("/") == (200, b"new\n"), 5 * b.slow, "the new root")


args = bed.arguments(__doc__)
bed.need()
bed.main(args, [filtered, slowloris, slow_readers, idle, rude, shortened, changed], start)
