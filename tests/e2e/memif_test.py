#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore to percore over shared memory: percore-echo on one end of a memif, and a client that embeds
percore and drives it by hand on the other. Needs no root."""
import os
import subprocess
import sys
import tempfile
import time

import bed

SERVER, OWN = "192.0.2.1", "192.0.2.2"
ROWS = [(1, 2000, 60), (100, 200, 1000), (1000, 50, 60), (64, 20, 16384)]


def eal(tmp, role, mac, lcore):
    return ["-l", str(lcore), "--no-huge", "--no-shconf", "-m", "512", "--no-pci", "--no-telemetry",
            "--log-level=4", f"--vdev=net_memif0,role={role},id=0,socket={tmp}/memif.sock,"
            f"socket-abstract=no,mac={mac}"]


def filtered(args):
    """Uses run.seccomp, if available; LeakSanitizer needs calls that it forbids."""
    there = b"libseccomp" in open(f"{args.build}/app/echo/percore-echo", "rb").read()
    return ["--set", "run.seccomp=1"] if there and args.slow == 1 else []


def attempt(args):
    """Runs all rows against one server. Returns how many failed."""
    cpus = sorted(os.sched_getaffinity(0))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="percore-e2e-") as tmp:
        with open(f"{tmp}/out", "w+") as out, open(f"{tmp}/err", "w+") as err:
            server = subprocess.Popen(
                [f"{args.build}/app/echo/percore-echo",
                 *eal(tmp, "server", "02:00:00:00:00:01", cpus[0]), "--", "--addr", SERVER + "/24",
                 "--listen", "7", *filtered(args)], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            try:
                bed.wait_for(lambda: server.poll() is not None or
                             "ready" in open(f"{tmp}/out").read(), 30 * args.slow, "percore-echo")
                for conns, echoes, size in ROWS:
                    begin = time.monotonic()
                    limit = int(40 * args.slow)
                    r = subprocess.run(
                        [f"{args.build}/tests/e2e/client",
                         *eal(tmp, "client", "02:00:00:00:00:02", cpus[-1]), "--", OWN + "/24",
                         SERVER, "7", str(conns), str(echoes), str(size), str(limit)],
                        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit + 30)
                    good = r.returncode == 0
                    failed += not good
                    print(f"{'ok' if good else 'FAILED':6} {conns} connections, {echoes} echoes of "
                          f"{size} bytes ({time.monotonic() - begin:.1f} s)", flush=True)
                    if not good:
                        print(f"    status {r.returncode}\n{r.stdout}{r.stderr}")
                server.terminate()
                status = server.wait(15 * args.slow)
                if status != 0:
                    failed += 1
                    print(f"FAILED: percore-echo ended with status {status}")
            except (bed.Failure, subprocess.SubprocessError) as e:
                failed += 1
                print(f"FAILED: {e}")
            finally:
                server.kill()
                server.wait()
            if failed:
                print(open(f"{tmp}/out").read()[-2000:], open(f"{tmp}/err").read()[-4000:])
    return failed


def main():
    args = bed.arguments(__doc__)
    failed = attempt(args)
    sys.exit(1 if failed else 0)


main()
