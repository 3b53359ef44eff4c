# SPDX-License-Identifier: BSD-2-Clause
"""puppet.c on the kernel: the same ports and commands. step() serves all that is ready and returns, so
that the caller knows when the program is done."""
import select
import socket
import struct

ECHO, KEEP, ONCE, SHUT, READ = 3, 4, 5, 6, 7
EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET


def port(kind):
    return 4 + kind


class Puppet:
    def __init__(self):
        self.epoll, self.socks = select.epoll(), {}
        self.commands = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.commands.bind(("::", port(ECHO)))
        self.commands.setblocking(False)
        self._watch(self.commands, self._obey)
        for kind in (ECHO, KEEP, ONCE, SHUT):
            s = socket.create_server(("::", port(kind)), family=socket.AF_INET6, backlog=4096, dualstack_ipv6=True)
            self._watch(s, self._accept, kind)

    def _watch(self, s, serve, kind=None):
        s.setblocking(False)
        if s.type == socket.SOCK_STREAM:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)  # as percore's are
        self.socks[s.fileno()] = [s, serve, kind]
        self.epoll.register(s, EVENTS)

    def _hang_up(self, s):
        del self.socks[s.fileno()]
        s.close()

    def _obey(self, s, _):
        while True:
            try:
                data, where = s.recvfrom(1)
            except OSError:
                return
            c = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            self._watch(c, self._stream, data[0])
            try:
                c.connect(where)
            except BlockingIOError:
                pass
            except OSError:
                self._hang_up(c)

    def _accept(self, s, kind):
        while True:
            try:
                self._watch(s.accept()[0], self._stream, kind)
            except OSError:
                return

    def _stream(self, s, kind):
        while True:
            try:
                data = s.recv(4096)
            except BlockingIOError:
                return
            except OSError:
                return self._hang_up(s)
            if not data:
                if kind != KEEP:
                    self._hang_up(s)
                return None
            try:
                if kind != READ:
                    s.send(data)
                if kind == SHUT:
                    s.shutdown(socket.SHUT_WR)
                    self.socks[s.fileno()][2] = kind = READ
            except OSError:
                pass
            if kind == ONCE:
                return self._hang_up(s)

    def step(self):
        while events := self.epoll.poll(0):
            for fd, _ in events:
                if fd in self.socks:
                    s, serve, kind = self.socks[fd]
                    serve(s, kind)

    def close_all(self):
        """Resets all connections."""
        for s, serve, _ in list(self.socks.values()):
            if serve == self._stream:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._hang_up(s)
