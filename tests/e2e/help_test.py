#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What every program says of itself: --help, whose example works, --version, and a word about what it does not know. Needs
no root."""
import os
import re
import subprocess
import sys
import tempfile
import time

import bed

RUN = ["echo", "httpd", "dns", "ping", "stack", "load", "switch"]
ZONE = "@ IN SOA ns1 admin 1 3600 600 86400 300\n@ IN NS ns1\nns1 IN A 10.0.0.1\n"


def run(args, name, *words):
    return subprocess.run([f"{args.build}/app/{name}/percore-{name}", *words], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)


def speaks(args, name):
    """Checks the options that all programs have."""
    for words in (["--help"], ["-h"]):
        r = run(args, name, *words)
        bed.expect(r.returncode == 0 and "sage: percore-" + name in r.stdout and not r.stderr, f"{name} {words[0]}: {r}")
    for words in (["--version"], ["-V"]):
        r = run(args, name, *words)
        bed.expect(r.returncode == 0 and re.fullmatch(rf"percore-{name} \(percore \d+\.\d+\.\d+(, DPDK .*)?\)\n", r.stdout),
                   f"{name} {words[0]}: {r}")
    r = run(args, name, "--bogus")
    bed.expect(r.returncode == 2 and r.stderr.startswith(f"percore-{name}: ") and r.stderr.count("\n") == 1 and not r.stdout,
               f"{name} --bogus: {r}")


def example_works(args, name, tmp):
    """Checks that the first example of --help, on a device that needs no root, becomes ready and
    uses the network that is set up there."""
    text = run(args, name, "--help").stdout
    found = re.search(r"^  percore-\w+ (.*?)( &)?$", text, re.M)
    bed.expect(found is not None, f"percore-{name} --help has no example: {text}")
    words = re.sub(r"net_(tap|af_packet)(\d),iface=\w+", r"net_null\2", found[1]).replace("/run/", f"{tmp}/").split()
    net = re.search(r"ip address add (\S+)\.\d+/24 dev", text)
    bed.expect(net is None or f"--addr {net[1]}." in found[1], f"percore-{name}: another network in the example: {text}")
    open(f"{tmp}/example.com.zone", "w").write(ZONE)
    with open(f"{tmp}/out", "w+") as out, subprocess.Popen(
            [f"{args.build}/app/{name}/percore-{name}", "--no-huge", "--no-shconf", "-m", "192", "--no-pci", *words], cwd=tmp,
            stdin=subprocess.DEVNULL, stdout=out, stderr=out) as p:
        try:
            end = time.monotonic() + 30 * args.slow
            while p.poll() is None and "ready" not in open(out.name).read() and time.monotonic() < end:
                time.sleep(0.05)
            said = open(out.name).read()
            bed.expect(f"percore-{name}: ready" in said, f"percore-{name} {' '.join(words)}: {said}")
        finally:
            p.terminate()


def main():
    args = bed.arguments(__doc__)
    failed = 0
    names = [n for n in [*RUN, "link", "ctl", "run"] if os.path.isdir(f"{args.build}/app/{n}")
             and os.path.exists(f"{args.build}/app/{n}/percore-{n}")]
    for name in names:
        try:
            speaks(args, name)
            if name in RUN:
                with tempfile.TemporaryDirectory(prefix="percore-e2e-") as tmp:
                    example_works(args, name, tmp)
            print(f"ok     percore-{name}", flush=True)
        except (bed.Failure, subprocess.SubprocessError) as e:
            failed += 1
            print(f"FAILED percore-{name}: {e}", flush=True)
    sys.exit(1 if failed else 0)


main()
