#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-echo gives back every byte: nc, large streams, 1,000 clients at once, loss, datagrams."""
import hashlib
import os
import selectors
import socket
import time

import bed
from bed import SERVER, expect, sh

ECHO, DISCARD, SOURCE = 7, 9, 19


def start(b):
    return b.start("percore-echo", "--listen", str(ECHO), "--discard", str(DISCARD),
                   "--source", str(SOURCE))


def nc(b, s):
    """nc gets 1 MiB back"""
    data = os.urandom(1 << 20)
    name = os.path.join(b.tmp, "data")
    open(name, "wb").write(data)
    out = sh("sh", "-c", f"nc -N {SERVER} {ECHO} <{name} | sha256sum", timeout=60).stdout.split()[0]
    expect(out == hashlib.sha256(data).hexdigest(), "the SHA-256 differs")


def stream(b, size, limit):
    """Sends size bytes while receiving them back; both directions are hashed."""
    block = os.urandom(1 << 18)
    sent = received = 0
    out, back = hashlib.sha256(), hashlib.sha256()
    end = time.monotonic() + limit
    with socket.create_connection((SERVER, ECHO), 10) as c, selectors.DefaultSelector() as sel:
        c.setblocking(False)
        sel.register(c, selectors.EVENT_READ | selectors.EVENT_WRITE)
        pending = memoryview(block)
        while received < size:
            expect(time.monotonic() < end, f"{received} of {size} bytes came back in {limit:.0f} s")
            for _, events in sel.select(5):
                if events & selectors.EVENT_WRITE:
                    try:
                        n = c.send(pending[:min(len(pending), size - sent)])
                    except BlockingIOError:
                        n = 0
                    out.update(pending[:n])
                    sent, pending = sent + n, pending[n:]
                    if len(pending) == 0:
                        pending = memoryview(sent.to_bytes(16, "big") + block[16:])
                    if sent == size:
                        c.shutdown(socket.SHUT_WR)
                        sel.modify(c, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    part = c.recv(1 << 18)
                    expect(part, f"the stream ended after {received} of {size} bytes")
                    back.update(part)
                    received += len(part)
        c.setblocking(True)
        c.settimeout(10 * b.slow)
        expect(c.recv(1) == b"", "more bytes than were sent")
    expect(out.digest() == back.digest(), "the SHA-256 differs")


def big(b, s):
    """a large echo has the right SHA-256, both directions busy at once"""
    begin = time.monotonic()
    stream(b, args.megabytes << 20, 170 * b.slow)
    seconds = time.monotonic() - begin
    print(f"       {args.megabytes} MiB there and back in {seconds:.1f} s, "
          f"{args.megabytes * 8.388608 / 1000 / seconds:.2f} Gbit/s each way")


def clients(b, n, echoes, limit, size=60):
    """Opens n connections at once; each sends a message and gets it back, echoes times."""
    sel = selectors.DefaultSelector()
    end = time.monotonic() + limit
    done = 0

    class Client:
        def __init__(self, number):
            self.socket = socket.socket()
            self.socket.setblocking(False)
            self.socket.connect_ex((SERVER, ECHO))
            self.number, self.left, self.got = number, echoes, b""
            self.message = b""
            sel.register(self.socket, selectors.EVENT_WRITE, self)

        def send(self):
            self.message = (f"{self.number}/{self.left} ".encode() * size)[:size]
            self.got = b""
            n = self.socket.send(self.message)
            expect(n == size, f"client {self.number}: only {n} bytes went out")

        def turn(self, events):
            nonlocal done
            if events & selectors.EVENT_WRITE:
                error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                expect(error == 0, f"client {self.number}: {os.strerror(error)}")
                self.send()
                sel.modify(self.socket, selectors.EVENT_READ, self)
                return
            part = self.socket.recv(65536)
            expect(part, f"client {self.number}: the end of the stream, {self.left} echoes early")
            self.got += part
            if len(self.got) < size:
                return
            expect(self.got == self.message, f"client {self.number}: other bytes came back")
            self.left -= 1
            if self.left:
                self.send()
            else:
                sel.unregister(self.socket)
                done += 1

    everybody = [Client(i) for i in range(n)]
    try:
        while done < n:
            expect(time.monotonic() < end, f"{done} of {n} clients were done in {limit:.0f} s")
            for key, events in sel.select(1):
                key.data.turn(events)
    finally:
        for c in everybody:
            c.socket.close()
        sel.close()


def thousand(b, s):
    """1,000 concurrent clients, 100 echoes each"""
    clients(b, 1000, 100, 120 * b.slow)


def thousand_again(b, s):
    """another 1,000 at once, right after: nothing of the first is in the way"""
    clients(b, 1000, 10, 60 * b.slow, size=1400)


def loss(b, s):
    """1,000 concurrent clients under 2 % random loss in both directions"""
    b.lose(2)
    try:
        clients(b, 1000, 20, 110 * b.slow)
        expect(min(b.lost()) > 0, f"nothing was lost: {b.lost()}")
    finally:
        b.heal()


def loss_stream(b, s):
    """16 MiB there and back under 2 % random loss in both directions"""
    b.lose(2)
    try:
        stream(b, 16 << 20, 150 * b.slow)
        expect(min(b.lost()) > 0, f"nothing was lost: {b.lost()}")
    finally:
        b.heal()


def half_close(b, s):
    """after the client's FIN everything still comes back, then the server's FIN"""
    for size in (0, 1, 1460, 100000):
        data = os.urandom(size)
        with socket.create_connection((SERVER, ECHO), 10) as c:
            c.settimeout(20 * b.slow)
            c.sendall(data)
            c.shutdown(socket.SHUT_WR)
            got = b""
            while part := c.recv(1 << 16):
                got += part
        expect(got == data, f"{len(got)} of {size} bytes came back")


def reset(b, s):
    """clients that reset their connections do no harm"""
    for _ in range(200):
        c = socket.create_connection((SERVER, ECHO), 10)
        c.send(b"x" * 1000)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        c.close()
    stream(b, 1 << 20, 30 * b.slow)


def udp(b, s):
    """datagrams of 0 to 65507 bytes come back whole, the larger ones in fragments"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.connect((SERVER, ECHO))
        c.settimeout(3 * b.slow)
        for size in [*range(1481), *range(1483, b.largest4, 1279), b.largest4 - 1, b.largest4]:
            data = os.urandom(size)
            c.send(data)
            got = c.recv(65536)
            expect(got == data, f"{size} bytes: {len(got)} other ones came back")


def udp_many(b, s):
    """10,000 datagrams in bursts of 20, none lost"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.connect((SERVER, ECHO))
        c.settimeout(3 * b.slow)
        for i in range(500):
            sent = {(i * 20 + k).to_bytes(60, "big") for k in range(20)}
            for data in sent:
                c.send(data)
            got = {c.recv(65536) for _ in sent}
            expect(got == sent, f"burst {i}: others came back")


def discard(b, s):
    """the discard service takes every byte and closes after the client"""
    with socket.create_connection((SERVER, DISCARD), 10) as c:
        c.settimeout(30 * b.slow)
        for _ in range(256):
            c.sendall(b"d" * 65536)
        c.shutdown(socket.SHUT_WR)
        expect(c.recv(1) == b"", "discard answered something")
        left = int.from_bytes(c.getsockopt(socket.IPPROTO_TCP, 11, 104)[24:28], "little")
        expect(left == 0, f"{left} segments are unacknowledged")


def source(b, s):
    """byte n of the source's stream is n mod 256, for 32 MiB"""
    pattern = bytes(range(256)) * 8192
    total = 0
    with socket.create_connection((SERVER, SOURCE), 10) as c:
        c.settimeout(20 * b.slow)
        while total < 32 << 20:
            part = c.recv(1 << 20)
            expect(part, f"the stream ended after {total} bytes")
            at = total % 256
            expect(part == pattern[at:at + len(part)], f"wrong bytes after {total}")
            total += len(part)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


STEPS = [nc, half_close, udp, udp_many, discard, source, reset, thousand, thousand_again, big, loss,
         loss_stream]

if __name__ == "__main__":
    args = bed.arguments(__doc__, megabytes=64)
    bed.need("nc", "nft", "ethtool")
    bed.main(args, STEPS, start)
