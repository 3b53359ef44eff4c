#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""app/examples/coro_echo: a coroutine for each client."""
import hashlib
import os
import socket

import bed
from bed import SERVER, expect
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


STEPS = [stream, many, half_close, end]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool")
    bed.main(args, STEPS, start)
