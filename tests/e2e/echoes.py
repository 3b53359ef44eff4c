# SPDX-License-Identifier: BSD-2-Clause
"""What clients of an echo service do, for any program that offers one."""
import os
import resource
import select
import socket
import threading

from bed import SERVER, expect


def there_and_back(port, data, seconds):
    """Sends data on a connection of its own while reading; returns what comes back."""
    with socket.create_connection((SERVER, port), 10) as c:
        c.settimeout(seconds)
        sender = threading.Thread(target=lambda: (c.sendall(data), c.shutdown(socket.SHUT_WR)))
        sender.start()
        got = b""
        while part := c.recv(1 << 20):
            got += part
        sender.join()
    return got


def many_at_once(port, clients, seconds):
    """Clients that are all connected; each sends different data, and the last one reads first."""
    many = [socket.create_connection((SERVER, port), 10) for _ in range(clients)]
    for i, c in enumerate(many):
        c.settimeout(seconds)
        c.sendall(b"%d" % i)
    for i, c in reversed(list(enumerate(many))):
        expect(c.recv(100) == b"%d" % i, f"client {i} got something else")
        c.close()


def leave_descriptors(pid, n):
    """Raises a process's limit of descriptors by so many."""
    used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    limit = 0
    while n > 0:
        n -= limit not in used
        limit += 1
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, limit))


def outnumber(pid, port, seconds):
    """More clients than the service has descriptors: each is served once earlier ones have gone."""
    leave_descriptors(pid, 4)
    clients = [socket.create_connection((SERVER, port), 10) for _ in range(10)]
    for c in clients:
        c.settimeout(seconds)
        c.sendall(b"x")
    while clients:
        ready, _, _ = select.select(clients, [], [], seconds)
        expect(ready, f"{len(clients)} of 10 clients are not served")
        for c in ready:
            try:
                expect(c.recv(1) == b"x", "a connection has ended")
            except ConnectionError as error:
                expect(False, f"a connection has ended: {error}")
            c.close()
            clients.remove(c)
