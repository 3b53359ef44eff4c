# SPDX-License-Identifier: BSD-2-Clause
"""From results to what people read: tables, the part of docs/performance.md between its markers,
and plots."""
import collections
import pathlib
import shutil
import statistics
import subprocess

import cases
import machine

BEGIN, END = "<!-- bench begins -->", "<!-- bench ends -->"
ECHO = [("echo-64", 64), ("echo-1k", 1024), ("echo-10k", 10000), ("echo-100k", 100000),
        ("echo-1m", 1000000)]


def collect(rows):
    """Returns {(place, case, peer): [values]} of the valid runs; each also counts as "anywhere",
    unless nearly all were at one place."""
    found = collections.defaultdict(list)
    good = [row for row in rows if row["ok"] and not row["busy"]]
    places = collections.Counter(row["place"] for row in good)
    several = sum(places.values()) - max(places.values(), default=0) > len(good) / 20
    for row in good:
        for place in (row["place"], "anywhere") if several else (row["place"],):
            found[place, row["case"], row["peer"]].append(row["value"])
    return found


def spread(values):
    """Returns the distance of the quartiles, or of the extremes if there are few, relative to the
    median."""
    middle = statistics.median(values)
    if len(values) < 2 or middle == 0:
        return 0.0
    if len(values) < 4:
        return (max(values) - min(values)) / middle
    q = statistics.quantiles(values, n=4)
    return (q[2] - q[0]) / middle


def number(v):
    return f"{v:.3g}" if v < 100 else f"{v:,.0f}"


def table(rows):
    """Returns Markdown tables, one for each place."""
    found, lines = collect(rows), []
    heads = {place: f"CPUs {place} (round trip of a cache line: {distance}):"
             for place, (_, distance) in machine.PLACES.items()}
    heads["anywhere"] = "All runs, at any distance of the CPUs:"
    for place, head in heads.items():
        here = [k for k in found if k[0] == place]
        if not here:
            continue
        peers = [p for p in ("null", "percore", "testpmd", "linux", "nginx", "self") if any(k[2] == p for k in here)]
        lines += [head, "",
                  "| case | unit | " + " | ".join(peers) + " | percore to null | percore to Linux | n |",
                  "|---|---|" + "---|" * len(peers) + "---|---|---|"]
        for case in cases.CASES:
            got = {p: found.get((place, case.name, p), []) for p in peers}
            if not any(got.values()):
                continue
            cells = [cell(v) for v in got.values()]
            lines.append(f"| {case.title} | {case.unit} | " + " | ".join(cells) + " | " +
                         " | ".join([ratio(got, "null"), ratio(got, "linux"),
                                     str(len(got.get("percore") or max(got.values(), key=len)))]) + " |")
        lines += ["", *programs(found, place)]
    return lines


def programs(found, place):
    """Returns a table of programs on both stacks, with the same core for all of it."""
    lines = []
    for case in cases.CASES:
        for peer, name in (("linux", "epoll_server"), ("nginx", "nginx"), ("redis", "redis-server")):
            ours, theirs = found.get((place, case.name, peer + "-run"), []), found.get((place, case.name, peer), [])
            if not ours:
                continue
            times = f"{statistics.median(ours) / statistics.median(theirs):.2f}" if theirs else "-"
            lines.append(f"| {case.title} | {name} | {case.unit} | {cell(theirs)} | {cell(ours)} | {times} | "
                         f"{max(len(ours), len(theirs))} |")
    if not lines:
        return []
    return ["The same programs on the kernel, and unmodified under `percore-run --one-core`, each with one CPU for everything:", "",
            "| case | program | unit | kernel | percore-run | times | n |", "|---|---|---|---|---|---|---|", *lines, ""]


def cell(values):
    if not values:
        return "-"
    middle = number(statistics.median(values))
    return f"{middle} ±{spread(values) * 50:.0f} %" if len(values) > 1 else middle


def ratio(got, other):
    if not got.get("percore") or not got.get(other):
        return "-"
    return f"{statistics.median(got['percore']) / statistics.median(got[other]):.2f}"


def write_docs(path, facts, command, rows, micro):
    path = pathlib.Path(path)
    text = path.read_text(encoding="utf-8")
    lines = [BEGIN, "", f"Made by `{command}`.", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {what} |" for name, what in facts] + [""] + table(rows)
    if micro:
        lines += ["Components, in TSC cycles, as `tests/bench/micro_bench.c` measures them:", "",
                  "| | median | p99 |", "|---|---|---|"]
        lines += [f"| {m['name']} | {m['median']:.1f} | {m['p99']:.1f} |" for m in micro] + [""]
    for name in plots(path.parent / "performance", rows):
        lines += [f"![{name}](performance/{name}.svg)", ""]
    lines.append(END)
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    path.write_text(head + "\n".join(lines) + tail, encoding="utf-8")


def gnuplot(script):
    subprocess.run(["gnuplot"], input=script, text=True, check=True, timeout=60)


def plots(folder, rows):
    """Draws plots of the available figures; returns their names."""
    if not shutil.which("gnuplot"):
        return []
    found, names = collect(rows), []
    for place in (*machine.PLACES, "anywhere"):
        curves = {}
        for peer in ("null", "percore", "linux"):
            points = [(n, statistics.median(found[place, case, peer])) for case, n in ECHO
                      if found.get((place, case, peer))]
            if len(points) > 1:
                curves[peer] = points
        if "percore" not in curves:
            continue
        folder.mkdir(exist_ok=True)
        name = f"echo-{place}"
        data = "".join(f"${p} << EOD\n" + "".join(f"{x} {y}\n" for x, y in points) + "EOD\n"
                       for p, points in curves.items())
        draw = ", ".join(f"${p} with linespoints title '{p}'" for p in curves)
        gnuplot(f"{data}set terminal svg size 720,420 font 'sans,12'\nset output '{folder}/{name}.svg'\n"
                "set logscale x 10\nset format x '%.0f'\nset yrange [0:*]\nset grid\n"
                "set xlabel 'connections'\nset ylabel 'echoes of 64 B, M/s'\n"
                f"set key outside right\nplot {draw}\n")
        names.append(name)
    return names
