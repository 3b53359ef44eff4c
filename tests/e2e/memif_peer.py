# SPDX-License-Identifier: BSD-2-Clause
"""The client's end of a memif without DPDK: it connects, puts frames into the ring that the server
reads, and disconnects, a thousand times a second. It speaks version 2.0 of the protocol, as
described in the documentation of DPDK's driver."""
import array
import functools
import mmap
import os
import socket
import struct

ACK, HELLO, INIT, ADD_REGION, ADD_RING, CONNECT, CONNECTED, DISCONNECT = range(1, 9)
MESSAGE, VERSION, COOKIE = 128, 0x0200, 0x3E31F20
TO_SERVER = 1
HEAD, TAIL, DESCRIPTORS, DESCRIPTOR = 6, 64, 128, 16


@functools.cache
def fresh_rings(n, buffer):
    """Returns both rings in their initial state, with a buffer for each descriptor: from client to
    server, and back."""
    behind = 2 * (DESCRIPTORS + n * DESCRIPTOR)  # where the buffers begin
    rings = bytearray()
    for first in (behind, behind + n * buffer):
        rings += struct.pack("<IHH", COOKIE, 1, 0).ljust(DESCRIPTORS, b"\0")
        rings += b"".join(struct.pack("<HHIII", 0, 0, buffer, first + i * buffer, 0) for i in range(n))
    return bytes(rings)


class Peer:
    """One connection. Rings of 2 ** log2 descriptors each way, with a buffer for each, are in one
    region, whose initial contents is image, the memory of an earlier one."""

    def __init__(self, path, log2=10, buffer=2048, image=None):
        self.n, self.buffer, self.got = 1 << log2, buffer, 0
        self.head = 0 if image is None else struct.unpack_from("<H", image, HEAD)[0]
        self.ring_bytes = DESCRIPTORS + self.n * DESCRIPTOR
        size = 2 * self.ring_bytes + 2 * self.n * buffer
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.fd = os.memfd_create("memif", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, size)
        self.memory = mmap.mmap(self.fd, size)
        self.doorbell = os.eventfd(0)
        try:
            self.shake_hands(path, log2, image)
        except OSError:
            self.close()
            raise

    def shake_hands(self, path, log2, image):
        self.control.settimeout(10)
        self.control.connect(path)
        begin = fresh_rings(self.n, self.buffer) if image is None else image
        self.memory[:len(begin)] = begin
        self.expect(HELLO)
        self.say(INIT, struct.pack("<HIB24s32s", VERSION, 0, 0, b"", b"peer"))
        self.expect(ACK)
        self.say(ADD_REGION, struct.pack("<HQ", 0, len(self.memory)), self.fd)
        self.expect(ACK)
        for ring, flags in ((0, TO_SERVER), (1, 0)):
            self.say(ADD_RING, struct.pack("<HHHIBH", flags, 0, 0, ring * self.ring_bytes, log2, 0), self.doorbell)
            self.expect(ACK)

    def connect(self):
        """From now on both sides may use the rings; the server has reset them to 0. What the image
        has to send, and all buffers to be filled, belong to the server at once."""
        self.say(CONNECT, struct.pack("<32s", b"peer0"))
        self.expect(CONNECTED)
        struct.pack_into("<H", self.memory, HEAD, self.head)
        struct.pack_into("<H", self.memory, self.ring_bytes + HEAD, self.n)

    def offset(self, ring, i):
        return 2 * self.ring_bytes + (ring * self.n + i % self.n) * self.buffer

    def set_descriptor(self, ring, i, length, flags=0, region=0, offset=None):
        struct.pack_into("<HHIII", self.memory, ring * self.ring_bytes + DESCRIPTORS + i % self.n * DESCRIPTOR, flags,
                         region, length, self.offset(ring, i) if offset is None else offset, 0)

    def say(self, kind, body=b"", fd=None):
        ancillary = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.control.sendmsg([struct.pack("<H", kind) + body.ljust(MESSAGE - 2, b"\0")], ancillary)

    def expect(self, kind):
        got = self.control.recv(MESSAGE)
        if len(got) != MESSAGE or struct.unpack_from("<H", got)[0] != kind:
            raise ConnectionError(f"message {got[:4].hex() or 'none'} instead of {kind}")
        return got

    def send(self, frames):
        """Lays frames in the ring, as many as there is room for. Returns how many."""
        tail = struct.unpack_from("<H", self.memory, TAIL)[0]
        room = self.n - (self.head - tail & 0xffff)
        for frame in frames[:room]:
            at = self.offset(0, self.head)
            self.memory[at:at + len(frame)] = frame
            self.set_descriptor(0, self.head, len(frame))
            self.head = self.head + 1 & 0xffff
        struct.pack_into("<H", self.memory, HEAD, self.head)
        return min(room, len(frames))

    def receive(self):
        """Returns the frames that the server has laid in the other ring, and gives their buffers back."""
        at, frames = self.ring_bytes, []
        head, tail = (struct.unpack_from("<H", self.memory, at + where)[0] for where in (HEAD, TAIL))
        while self.got != tail:
            length = struct.unpack_from("<HHI", self.memory, at + DESCRIPTORS + self.got % self.n * DESCRIPTOR)[2]
            frames.append(self.memory[self.offset(1, self.got):self.offset(1, self.got) + length])
            self.set_descriptor(1, self.got, self.buffer)
            self.got = self.got + 1 & 0xffff
        struct.pack_into("<H", self.memory, at + HEAD, head + len(frames) & 0xffff)
        return frames

    def close(self):
        """Disconnects without a message, like a killed process."""
        self.control.close()
        self.memory.close()
        os.close(self.fd)
        os.close(self.doorbell)
