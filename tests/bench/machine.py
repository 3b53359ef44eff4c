# SPDX-License-Identifier: BSD-2-Clause
"""What the machine is, and what else it is doing."""
import glob
import os
import platform
import subprocess

# how far two CPUs may be from each other: the round trip of a cache line in ns, and its description
PLACES = {"close": (80, "less than 80 ns"), "near": (150, "80 to 150 ns"), "far": (1 << 30, "more than 150 ns")}


def read(path, default=""):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read().strip()
    except OSError:
        return default


def cpus():
    """Returns the CPUs for the server and the load: the first two that we may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (allowed[0], allowed[0])


def free_hugepages():
    return int(read("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0"))


def cpu_model():
    for line in read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def memory_gib():
    for line in read("/proc/meminfo").splitlines():
        if line.startswith("MemTotal"):
            return int(line.split()[1]) / 1048576
    return 0


def version(command):
    try:
        r = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return "none"
    return (r.stdout + r.stderr).strip().split("\n")[0]


def facts(top):
    """Returns a list of (name, value) for the reader of a table."""
    governor = {read(p) for p in glob.glob("/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor")}
    flags = read("/proc/cpuinfo")
    return [
        ("CPU", f"{cpu_model()}, {os.cpu_count()} CPUs"
                f"{', virtual' if ' hypervisor' in flags else ''}"),
        ("memory", f"{memory_gib():.0f} GiB"),
        ("governor", ", ".join(sorted(governor)) or "not visible"),
        ("kernel", platform.release()),
        ("DPDK", version(["pkg-config", "--modversion", "libdpdk"])),
        ("compiler", version(["cc", "--version"])),
        ("percore", version(["git", "-C", top, "describe", "--always", "--dirty"])),
    ]


def distance(build):
    """Returns the round trip of a cache line between the two CPUs, in ns; 0 if there is only
    one."""
    a, b = cpus()
    if a == b:
        return 0
    r = subprocess.run([f"{build}/tests/bench/core_distance", str(a), str(b)], capture_output=True,
                       text=True, timeout=30, check=False)
    return int(r.stdout or 0)


def place(before, after):
    """Returns how far the two CPUs were from each other during a run."""
    at = [next((name for name, (most, _) in PLACES.items() if 0 < x < most), "far") for x in (before, after)]
    return at[0] if at[0] == at[1] else "moved"
