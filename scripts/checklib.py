# SPDX-License-Identifier: BSD-2-Clause
"""Shared by the check-* scripts: the tree's files, and how to exit.

A check prints one line per fault, "file:line: what is wrong", and exits with status 1 if there were
any; 77 means that it could not be done here (meson counts it as skipped).
"""
import argparse
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIP = 77


def arguments(text, *extra):
    """Parses the command line of a check; extra has (name, help) for each positional argument."""
    p = argparse.ArgumentParser(description=text,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, help_text in extra:
        p.add_argument(name, nargs="?", help=help_text)
    return p.parse_args()


def files(*suffixes, under=()):
    """Returns the project's files, relative to the top: those that git knows or would add, or else
    all outside build directories. suffixes: of the names; none: every file."""
    try:
        out = subprocess.run(["git", "-c", "safe.directory=*", "-C", TOP, "ls-files", "-z",
                              "--cached", "--others", "--exclude-standard"],
                             check=True, capture_output=True, text=True).stdout
        names = [n for n in out.split("\0") if n and os.path.isfile(os.path.join(TOP, n))]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, folders, entries in os.walk(TOP):
            folders[:] = [f for f in folders if not f.startswith((".git", "build", "__pycache__"))]
            names += [os.path.relpath(os.path.join(folder, e), TOP) for e in entries]
    return sorted(n for n in names
                  if (not suffixes or n.endswith(suffixes))
                  and (not under or n.startswith(tuple(u + "/" for u in under))))


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8", errors="replace", newline="") as f:
        return f.read()


def skip(why):
    print("skipped: " + why)
    sys.exit(SKIP)


def finish(faults, good):
    """Prints the faults, or the line that says that all is well, and exits."""
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} fault{'s' if len(faults) != 1 else ''}")
        sys.exit(1)
    print(good)
    sys.exit(0)
