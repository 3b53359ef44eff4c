# SPDX-License-Identifier: BSD-2-Clause
"""Shared by the tests of unmodified programs: a stack process, programs on it, and the kernel's on
the other side."""
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time

import bed
from bed import CLIENT, PREFIX, SERVER, expect, sh, wait_for

FILE_BYTES = 1 << 20


def start_stack(b, *options):
    """Starts a stack process that programs attach to."""
    b.socket = os.path.join(b.tmp, "stack")
    return b.spawn([os.path.join(b.build, "app", "stack", "percore-stack"), *b.eal(), "--",
                    "--addr", f"{SERVER}/{PREFIX}", "--gateway", CLIENT, "--socket", b.socket, *bed.FEW_MBUFS, *options],
                   "percore-stack")


def command(b, *words, rules=()):
    """Returns the words that run a program on that stack."""
    more = [w for r in rules for w in ("--rule", r)]
    return ["ip", "netns", "exec", b.server_ns, os.path.join(b.build, "app", "run", "percore-run"),
            "--attach", b.socket, *more, "--", *[str(w) for w in words]]


def run(b, *words, timeout=30, rules=(), **kw):
    """Runs a program on the stack to its end."""
    return sh(*command(b, *words, rules=rules), timeout=timeout * b.slow, **kw)


class Daemon:
    """A program in the background, on the stack or the kernel; stopped at the end of its "with"."""

    def __init__(self, b, words, ready=None, on_stack=True, stop=signal.SIGTERM, rules=(), within=10):
        self.b, self.words, self.ready, self.stop_signal, self.within = b, [str(w) for w in words], ready, stop, within
        self.log = os.path.join(b.tmp, f"daemon{time.monotonic_ns()}")
        full = command(b, *words, rules=rules) if on_stack else self.words
        with open(self.log, "w") as f:
            self.process = subprocess.Popen(full, stdin=subprocess.DEVNULL, stdout=f,
                                            stderr=subprocess.STDOUT, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def out(self):
        return open(self.log, errors="replace").read()

    def __enter__(self):
        try:
            wait_for(lambda: self.process.poll() is not None or self.ready is None or self.ready(self),
                     self.within * self.b.slow, f"{self.words[0]} to be ready")
            if self.process.poll() is not None:
                raise bed.Failure(f"{self.words[0]} ended at once: {self.process.returncode}\n{self.out()[-2000:]}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def end(self, number=None, seconds=10):
        """Stops it by a signal (0: it ends by itself); returns its status."""
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal if number is None else number)
        try:
            return self.process.wait(seconds * self.b.slow)
        except subprocess.TimeoutExpired:
            raise bed.Failure(f"{self.words[0]} did not end\n{self.out()[-2000:]}") from None

    def __exit__(self, kind=None, *_):
        if kind is not None and self.process.poll() is not None:
            print(f"    {self.words[0]} had ended before: {self.process.returncode}\n{self.out()[-2000:]}")
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        return False


def accepts(port, host=SERVER):
    """Returns a condition: some program accepts connections there."""
    def check(_=None):
        try:
            socket.create_connection((host, port), 0.5).close()
            return True
        except OSError:
            return False
    return check


def answers(port, host=SERVER):
    """A condition: somebody accepts connections there. Who did so before has gone when this returns."""
    check = accepts(port, host)
    wait_for(lambda: not check(), 10, f"port {port} of {host} to be free")
    return check


# For scripts: reads exactly n bytes.
WHOLE = """
def whole(c, n):
    got = b''
    while len(got) < n:
        part = c.recv(n - len(got))
        if not part:
            raise EOFError
        got += part
    return got
"""


def says(word):
    """A condition: the daemon has printed that."""
    return lambda d: word in d.out()


def make_files(b):
    """A folder with files of known content; returns the folder and the SHA-256 of the large one."""
    folder = os.path.join(b.tmp, "www")
    os.makedirs(folder, exist_ok=True)
    os.chmod(b.tmp, 0o755)
    data = os.urandom(FILE_BYTES)
    open(os.path.join(folder, "big"), "wb").write(data)
    open(os.path.join(folder, "small"), "w").write("hello, percore\n")
    return folder, hashlib.sha256(data).hexdigest()


def digest(url_or_command, **kw):
    """The SHA-256 of what a command prints."""
    out = subprocess.run(url_or_command, capture_output=True, timeout=60, stdin=subprocess.DEVNULL, **kw)
    expect(out.returncode == 0, f"{' '.join(url_or_command)}: {out.returncode} {out.stderr[-500:]}")
    return hashlib.sha256(out.stdout).hexdigest()


def fetch(b, sha, port, n=20, path="big", host=SERVER):
    """The kernel's curl fetches a file n times over n / 10 connections, each time with that SHA-256."""
    names = [os.path.join(b.tmp, f"got{i}") for i in range(10)]
    urls = [w for name in names for w in ("-o", name, f"http://{host}:{port}/{path}")]
    for _ in range((n + 9) // 10):
        sh("curl", "-sSf", *urls, timeout=30 * b.slow)
        for name in names:
            got = hashlib.sha256(open(name, "rb").read()).hexdigest()
            expect(got == sha, "the SHA-256 differs")


def has(*tools):
    return all(shutil.which(t) for t in tools)
