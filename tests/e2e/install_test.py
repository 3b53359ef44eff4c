#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ninja install into an empty place, and the README's program built there with pkg-config alone."""
import glob
import os
import re
import shlex
import shutil
import socket
import sys

import bed
from bed import SERVER, expect, sh

PORT = 7000


def install(b):
    """Installs, and compiles the README's program; returns its path and environment."""
    dest = os.path.join(b.tmp, "dest")
    sh("meson", "install", "-C", b.build, "--no-rebuild", "--destdir", dest, timeout=120)
    pc = glob.glob(dest + "/**/percore.pc", recursive=True)
    expect(len(pc) == 1, f"{len(pc)} pkg-config files are installed")
    text = open(pc[0]).read()
    prefix = re.search(r"(?m)^prefix=(.*)$", text).group(1)
    open(pc[0], "w").write(text.replace(f"prefix={prefix}", f"prefix={dest}{prefix}"))
    env = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(pc[0]),
               LD_LIBRARY_PATH=os.path.dirname(os.path.dirname(pc[0])))
    readme = open(os.path.join(bed.TOP, "README.md")).read()
    program = re.search(r"```c\n(.*?)^```", readme, re.M | re.S)
    expect(program, "README.md has no C program")
    source = os.path.join(b.tmp, "shout.c")
    open(source, "w").write(program.group(1))
    flags = shlex.split(sh("pkg-config", "--cflags", "--libs", "percore", env=env).stdout)
    more = ["-fsanitize=address,undefined"] if b.slow > 1 else []
    exe = os.path.join(b.tmp, "shout")
    sh("cc", "-Wall", "-Wextra", "-Werror", "-O2", *more, "-o", exe, source, *flags, env=env,
       timeout=120)
    for tool in ("percore-echo", "percore-httpd"):
        expect(glob.glob(f"{dest}{prefix}/bin/{tool}"), f"{tool} is not installed")
    printed = sh(f"{dest}{prefix}/bin/percore-run", "--one-core", "--print", "--", "true").stdout
    expect(printed.count(f"={dest}{prefix}/") == 2, f"percore-run does not find what is installed: {printed}")
    return exe, env, flags


def cplusplus(b, env, flags):
    """The public headers are good for C++ as well."""
    if shutil.which("c++"):
        source = os.path.join(b.tmp, "x.cc")
        open(source, "w").write("#include <percore/percore.h>\nint main() { return 0; }\n")
        sh("c++", "-fsyntax-only", "-Wall", source, *[f for f in flags if f[:2] == "-I"], "-include", "rte_config.h",
           "-march=corei7",
           env=env, timeout=60)


def start(b):
    exe, env, flags = install(b)
    cplusplus(b, env, flags)
    p = b.spawn(["env", "LD_LIBRARY_PATH=" + env["LD_LIBRARY_PATH"], exe, *b.eal(), "--",
                 "--addr", f"{SERVER}/24"], "shout")
    return p


def shout(b, p):
    """the README's program, built against what is installed, serves"""
    with socket.create_connection((SERVER, PORT), 10) as c:
        c.settimeout(10)
        c.sendall(b"hello, percore\n")
        got = c.recv(100)
    expect(got == b"HELLO, PERCORE\n", f"it answered {got!r}")


if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("meson", "cc", "pkg-config", "ethtool")
    try:
        bed.main(args, [shout], start)
    except bed.Failure as e:
        print(f"FAILED {e}")
        sys.exit(1)
