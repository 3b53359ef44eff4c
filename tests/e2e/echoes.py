# SPDX-License-Identifier: BSD-2-Clause
"""What clients of an echo service do, whichever program it is of."""
import socket
import threading

from bed import SERVER, expect


def there_and_back(port, data, seconds):
    """Sends data on a connection of its own while it reads; returns what comes back."""
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
    """Clients that are all connected; each says something else, and the last reads first."""
    many = [socket.create_connection((SERVER, port), 10) for _ in range(clients)]
    for i, c in enumerate(many):
        c.settimeout(seconds)
        c.sendall(b"%d" % i)
    for i, c in reversed(list(enumerate(many))):
        expect(c.recv(100) == b"%d" % i, f"client {i} got something else")
        c.close()
