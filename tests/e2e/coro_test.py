#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""app/examples/coro_echo: a coroutine for each client."""
import fcntl
import hashlib
import os
import signal
import socket
import struct
import termios

import bed
from bed import SERVER, expect, wait_for
from echoes import many_at_once, there_and_back

PORT = 7


def start(b):
    return b.spawn([os.path.join(b.build, "app", "examples", "coro_echo"), *b.eal(), "--",
                    "--addr", f"{SERVER}/24"], "coro_echo")


def stream(b, s):
    """4 MiB there and back, by SHA-256"""
    data = os.urandom(4 << 20)
    got = there_and_back(PORT, data, 20 * b.slow)
    expect(hashlib.sha256(got).digest() == hashlib.sha256(data).digest(), "the SHA-256 differs")


def many(b, s):
    """500 clients at once, in turn and out of turn"""
    many_at_once(PORT, 500, 10 * b.slow)


def half_close(b, s):
    """what was sent before the FIN comes back before the server's"""
    for size in (0, 1, 100000):
        data = os.urandom(size)
        expect(there_and_back(PORT, data, 10 * b.slow) == data, f"{size} bytes did not come back")


def end(b, s):
    """SIGTERM while clients wait: they see the end, and the program ends in order"""
    with socket.create_connection((SERVER, PORT), 10) as c:
        c.settimeout(10 * b.slow)
        c.sendall(b"x")
        expect(c.recv(1) == b"x", "no echo")
        s.stop()
        expect(c.recv(1) == b"", "no end of the stream")


def slow_reader(b, _):
    """SIGTERM while a client has yet to read what was sent: it gets all of it"""
    s = start(b)
    data = os.urandom(60000)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as c:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.settimeout(10 * b.slow)
        c.connect((SERVER, PORT))
        c.sendall(data)
        wait_for(lambda: struct.unpack("i", fcntl.ioctl(c, termios.TIOCOUTQ, bytes(4)))[0] == 0, 10 * b.slow,
                 "the server to take it")
        s.signal(signal.SIGTERM)
        got = b""
        while part := c.recv(65536):
            got += part
    expect(got == data, f"{len(got)} of {len(data)} bytes came back")
    s.stop()


STEPS = [stream, many, half_close, end, slow_reader]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool")
    bed.main(args, STEPS, start)
