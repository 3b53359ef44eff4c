#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The Go packages of lib/go: their own tests, the ways to link them, and a Go program that serves the kernel's clients."""
import os
import signal
import shutil
import socket
import subprocess
import time

import bed
from bed import SERVER, expect, sh, wait_for
from echoes import outnumber

NETTEST = "/usr/share/gocode/src/golang.org/x/net/nettest"
GO = os.path.join(bed.TOP, "lib", "go")


def environment(b, **more):
    """Uses no modules and no network: percore is a folder in a GOPATH, like Debian's packages."""
    path = os.path.join(b.tmp, "gopath")
    if not os.path.exists(path):
        os.makedirs(path + "/src")
        os.symlink(GO, path + "/src/percore")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("CGO_", "GO"))}
    return {**env, "GOPATH": path + ":/usr/share/gocode", "GO111MODULE": "off", "GOFLAGS": "", "GOENV": "off", "CC": "gcc",
            "GOCACHE": os.path.join(b.build, "go-cache"),
            "PKG_CONFIG_PATH": os.path.join(b.build, "meson-uninstalled"),
            "LD_LIBRARY_PATH": os.path.join(b.build, "lib"), **more}


def go(b, *words, check=True, **more):
    return sh("go", *words, env=environment(b, **more), check=check, timeout=200 * b.slow, cwd=GO)


def format_and_vet(b, _):
    """gofmt changes nothing, go vet finds nothing"""
    out = sh("gofmt", "-l", GO).stdout if shutil.which("gofmt") else ""
    expect(out == "", f"gofmt would change {out}")
    go(b, "vet", "percore", "percore/net", "percore/internal/pcx")


def packages(b, _):
    """the packages' tests: nettest, Go's list of its API, net/http, forced collections"""
    # the same calls of Go's own package, which they are compared with, use the kernel's loopback over both families
    for which in ("all", "default", "lo"):
        path = f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6"
        if os.path.exists(path):
            open(path, "w").write("0")
    exe = os.path.join(b.tmp, "net.test")
    for name in ("percore", "percore/net"):
        go(b, "test", "-c", "-o", exe, name)
        # in the test's own namespace, where the only interface is a kernel loopback
        r = subprocess.run([exe, "-test.timeout", f"{int(150 * b.slow)}s", "-test.v"], env=environment(b), capture_output=True,
                           text=True, timeout=170 * b.slow, cwd=os.path.join(GO, *name.split("/")[1:]))
        expect(r.returncode == 0 and "\nPASS\n" in r.stdout, f"{name}: {r.returncode}\n{r.stdout[-6000:]}{r.stderr[-3000:]}")
        for line in r.stdout.splitlines():
            if " entries" in line or "collections" in line:
                print("   " + line)


def program(b):
    return os.path.join(b.tmp, "example")


def links(b, _):
    """three builds: pkg-config alone; all of DPDK in the program, which cgo refuses, and does with CGO_LDFLAGS_ALLOW"""
    go(b, "build", "-o", program(b), "percore/example")
    whole = sh("objdump", "-p", program(b)).stdout
    expect("libpercore.so" in whole, whole)
    if sh("pkg-config", "--exists", "libsystemd", check=False).returncode != 0:
        print("    libsystemd-dev is not installed: no program with DPDK in it")
        return
    static = program(b) + "-static"
    allowed = {"CGO_CFLAGS_ALLOW": "-mrtm"}  # in DPDK's flags since 23.11
    r = go(b, "build", "-tags", "percore_static", "-o", static, "percore/example", check=False, **allowed)
    expect(r.returncode != 0 and "invalid flag in pkg-config --libs: -Wl,--whole-archive" in r.stderr, r.stderr)
    own = os.path.join(b.tmp, "gopath/src/own")
    os.makedirs(own)
    open(own + "/main.go", "w").write("package main\n// #cgo LDFLAGS: -Wl,--whole-archive -lm -Wl,--no-whole-archive\n"
                                      "import \"C\"\nfunc main() {}\n")
    r = sh("go", "build", "-o", static, "own", env=environment(b), check=False, timeout=100 * b.slow)
    expect(r.returncode != 0 and "invalid flag in #cgo LDFLAGS: -Wl,--whole-archive" in r.stderr, r.stderr)
    go(b, "build", "-tags", "percore_static", "-o", static, "percore/example", CGO_LDFLAGS_ALLOW="-Wl,.*", **allowed)
    whole = sh("objdump", "-p", static).stdout
    expect("libpercore" not in whole and "librte" not in whole, whole)


def configure(b):
    name = os.path.join(b.tmp, "config.ini")
    with open(name, "w") as f:
        f.write(f"[run]\neal = {' '.join(b.eal())}\n[net]\naddr = {SERVER}/24\n")
    return name


def run(b, kind, port, exe=None):
    env = environment(b, PORT=str(port), XDG_RUNTIME_DIR=b.tmp)
    return b.spawn(["env", *(f"{k}={env[k]}" for k in ("PORT", "LD_LIBRARY_PATH")), exe or program(b), "--conf", configure(b),
                    "--proc-type=" + kind, "--proc-id=0", "--socket", os.path.join(b.tmp, "stack")], "example")


def netcat(port, text, *options):
    return sh("nc", "-N", "-w", "10", *options, SERVER, str(port), input=text, stdin=None, timeout=30).stdout


def serves(b, _):
    """./example --conf config.ini --proc-type=primary --proc-id=0: the kernel's nc, a stream, and a secondary beside it"""
    lonely = sh("ip", "netns", "exec", b.server_ns, "env", "LD_LIBRARY_PATH=" + b.build + "/lib", program(b),
                "--proc-type=secondary", "--socket", os.path.join(b.tmp, "nobody"), check=False)
    expect(lonely.returncode == 2 and "no primary process is listening at" in lonely.stderr, lonely.stderr)
    static = program(b) + "-static"
    first = run(b, "primary", 7, static if os.path.exists(static) else None)
    expect(netcat(7, "hello, percore\n") == "hello, percore\n", "nc heard something else")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.connect((SERVER, 7))
        c.settimeout(2)
        for tries in range(5):
            try:
                c.send(b"datagram")
                expect(c.recv(100) == b"datagram", "no datagram came back")
                break
            except TimeoutError:
                expect(tries < 4, "no datagram came back")
    second = run(b, "auto", 8)
    data = os.urandom(1 << 20).hex()
    expect(netcat(8, data) == data, "2 MiB did not come back from the secondary")
    expect(netcat(7, "again") == "again", "the primary has stopped")
    # sent data must arrive although the process ends
    with socket.create_connection((SERVER, 8), 10) as a, socket.create_connection((SERVER, 7), 10) as c:
        for s in (a, c):
            s.settimeout(20)
            s.sendall(b"x")
            expect(s.recv(1) == b"x", "no echo")
        second.stop()
        expect(a.recv(1) == b"", "the secondary's connection is open")
        c.sendall(b"y")
        expect(c.recv(1) == b"y", "the primary's connection has ended")
        first.stop()
        expect(c.recv(1) == b"", "the primary's connection is open")


def left_alone(b, _):
    """the primary is killed: the secondary's Wait returns, and it ends by itself"""
    first, second = run(b, "primary", 7), run(b, "secondary", 8)
    first.kill()
    expect(second.wait(20) == 1, second.tail())


def few_descriptors(b, _):
    """more clients than descriptors: those that wait are served when others have gone"""
    s = run(b, "primary", 7)
    outnumber(s.process.pid, 7, 20 * b.slow)
    s.stop()


STEPS = [format_and_vet, packages, links, serves, left_alone, few_descriptors]

if __name__ == "__main__":
    arguments = bed.arguments(__doc__)
    bed.need("go", "pkg-config", "nc", "objdump")
    if not os.path.exists(NETTEST):
        bed.skip("golang-golang-x-net-dev is not installed")
    bed.main(arguments, STEPS, lambda b: None)
