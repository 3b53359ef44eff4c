#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Signed segments (TCP-AO, RFC 5925) between unmodified programs that share a stack process."""
import os
import struct

import bed
from bed import SERVER, expect
from unmodified import WHOLE, Daemon, run, start_stack

ADD, DEL, INFO, GET = 38, 39, 40, 41
PORT, KEY, OTHER = 1791, "correct horse", "battery staple"

# Shared by both sides: Linux's structs, and an echo server that says with which key it signs.
COMMON = WHOLE + f"""
import ctypes, errno, socket, struct, sys
from array import array as numbers
TCP = socket.IPPROTO_TCP
def addr_of(peer):
    return (struct.pack('=HH', 2, 0) + socket.inet_aton(peer)).ljust(128, b'\\0')
def add(s, peer, password, sndid, rcvid, prefix=32):
    s.setsockopt(TCP, {ADD}, addr_of(peer) + b'hmac(sha1)'.ljust(64, b'\\0') + struct.pack('=iIH6B', 0, 0, 0, prefix, sndid,
                 rcvid, 12, 0, len(password)) + password.ljust(80, b'\\0'))
def remove(s, peer, sndid, rcvid):
    s.setsockopt(TCP, {DEL}, addr_of(peer) + struct.pack('=iIH6B', 0, 0, 0, 32, sndid, rcvid, 0, 0, 0))
def use(s, current, rnext):
    s.setsockopt(TCP, {INFO}, struct.pack('=IHBB5Q', 3, 0, current, rnext, 0, 0, 0, 0, 0))
def used(s):
    return tuple(s.getsockopt(TCP, {INFO}, 48)[6:8])
def keys(s):
    # what getsockopt() of Python cannot say: the question, and that the array is longer than its first element
    array = ctypes.create_string_buffer(4 * 304)
    struct.pack_into('=IH', array, 272, 4, 4)
    size = ctypes.c_uint32(304)
    if ctypes.CDLL(None, use_errno=True).getsockopt(s.fileno(), TCP, {GET}, array, ctypes.byref(size)) != 0:
        raise OSError(ctypes.get_errno(), 'getsockopt')
    n = struct.unpack_from('=I', array, 272)[0]
    return sorted((array.raw[304 * i + 278], array.raw[304 * i + 279],
                   array.raw[304 * i + 192:304 * i + 192 + array.raw[304 * i + 283]]) for i in range(n))
def is_shared(key):
    # Is it in memory that other processes have, too? What this one has touched of it is looked at.
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory, \
            open('/proc/self/pagemap', 'rb', 0) as pages:
        for line in maps:
            where, how = line.split()[:2]
            begin, end = (int(x, 16) // 4096 for x in where.split('-'))
            if not how.startswith('r') or not how.endswith('s') or '/dev' in line:
                continue
            pages.seek(8 * begin)
            for i, entry in enumerate(numbers('Q', pages.read(8 * (end - begin)))):
                if entry >> 63:
                    memory.seek(4096 * (begin + i))
                    if key in memory.read(4096):
                        return True
    return False
"""

SERVE = COMMON + """
host, port, first, second = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), sys.argv[4].encode()
l = socket.socket()
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
add(l, host, first, 100, 50)
add(l, host, second, 101, 51)
l.bind((host, port))
l.listen()
print('ready', keys(l) == [(100, 50, first), (101, 51, second)] and not is_shared(first), flush=True)
while True:
    c, _ = l.accept()
    if keys(c) != keys(l):
        continue
    try:
        while True:
            n = struct.unpack('!I', whole(c, 4))[0]
            data = whole(c, n)
            c.sendall(bytes(used(c)) + data)
            if used(c)[0] == 101:
                use(c, 101, 51)  # and the client shall do so, too
    except (EOFError, OSError):
        c.close()
"""

# echoes with the first key and then with the second; prints the results
CALL = COMMON + """
host, port, first, second, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), sys.argv[4].encode(), float(sys.argv[5])
data = bytes(range(251)) * 400
def echo(s):
    s.sendall(struct.pack('!I', len(data)) + data)
    got = whole(s, len(data) + 2)
    return tuple(got[:2]) if got[2:] == data else 'differs'
s = socket.socket()
s.settimeout(seconds)
if first:
    add(s, host, first, 50, 100)
try:
    s.connect((host, port))
    said = [echo(s)]
    if second:
        add(s, host, second, 51, 101)
        use(s, 51, 101)
        echo(s)
        said += [echo(s), used(s)]
        remove(s, host, 50, 100)
        said += [echo(s), keys(s) == [(51, 101, second)]]
        try:
            remove(s, host, 51, 101)
        except OSError as e:
            said.append(errno.errorcode[e.errno])
    print(said, flush=True)
except TimeoutError:
    print('silence', flush=True)
"""


def server(b):
    words = ["python3", "-u", "-c", SERVE, SERVER, PORT, KEY, OTHER]
    return Daemon(b, words, lambda d: "ready True" in d.out())


def call(b, first, second="", seconds=10.0):
    return run(b, "python3", "-u", "-c", CALL, SERVER, PORT, first, second, seconds).stdout.strip()


def start(b):
    if b"libnettle" not in open(os.path.join(b.build, "lib", "libpercore.so"), "rb").read():
        bed.skip("percore was built without nettle")
    return start_stack(b)


def echoed(b, s):
    """with the key there is an echo, with another or none silence"""
    with server(b):
        expect(call(b, KEY, seconds=10 * b.slow) == "[(100, 50)]", "no echo by the first key")
        expect(call(b, OTHER, seconds=1.5) == "silence", "a wrong key was answered")
        expect(call(b, "", seconds=1.5) == "silence", "a missing key was answered")


def rotated(b, s):
    """a client changes to another key while connected, and forgets the first; a listener of several lcores has both on each"""
    with server(b):
        for _ in range(4 if b.lcores > 1 else 1):
            said = call(b, KEY, OTHER, 10 * b.slow)
            expect(said == "[(100, 50), (101, 51), (51, 101), (101, 51), True, 'EBUSY']", said)


def structs(b, s):
    """the sizes are the kernel's"""
    for what, size in (("128s64siIH6B80s", 288), ("128siIH6B", 144), ("IHBB5Q", 48), ("128s64s80sIH6Bi2Q", 304)):
        expect((struct.calcsize("=" + what) + 7) // 8 * 8 == size, what)


if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("python3")
    bed.main(args, [structs, echoed, rotated], start)
