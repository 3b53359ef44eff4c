# SPDX-License-Identifier: BSD-2-Clause
"""What nearly every file includes, parsed once and not for each file: DPDK's headers and those of
vector instructions take most of the time of a build."""
import functools
import json
import os
import pathlib
import re
import shlex

# flags that only gcc knows
ONLY_GCC = ("-fno-semantic-interposition", "-Wno-stringop-overflow", "-Wno-stringop-overread")

# how a build with gcc includes the precompiled header
INCLUDED = "-includepercore_common.h"

# two files define this macro first; if others need it, the normal build fails
COMMON = "#define ALLOW_EXPERIMENTAL_API\n" + "".join(f"#include <{name}>\n" for name in (
    "netinet/in.h", "stdio.h", "stdlib.h", "string.h", "sys/socket.h", "rte_cycles.h", "rte_malloc.h", "rte_mbuf.h",
    "rte_vect.h"))


split = functools.cache(shlex.split)  # a millisecond each time


def words_of(entry):
    """Returns the command of an entry of compile_commands.json, without the ccache that meson puts
    before it if that is installed."""
    words = list(split(entry["command"]))
    return words[1:] if os.path.basename(words[0]) in ("ccache", "sccache") else words


def options_of(entry):
    """Returns the options of an entry, without those that name its own files or the precompiled
    header."""
    words, kept = words_of(entry)[1:], []
    while words:
        word = words.pop(0)
        if word in ("-o", "-MQ", "-MF"):
            words.pop(0)
        elif word not in ("-c", "-MD", *ONLY_GCC) and word != entry["file"] and word != INCLUDED:
            kept.append(word)
    return kept


def kind_of(entry):
    """Returns the options that must be equal for a precompiled header to be used: all but those
    that say where headers are."""
    return tuple(word for word in options_of(entry) if not word.startswith("-I"))


def members_of(entry):
    """Returns the entries of the files that an entry compiles as one (meson's unity builds), or the entry itself."""
    if not re.search(r"-unity\d+\.c$", entry["file"]):
        return [entry]
    text = pathlib.Path(entry["directory"], entry["file"]).read_text(encoding="utf-8")
    names = [os.path.relpath(name, entry["directory"]) for name in re.findall(r"#include\s*<(.*)>", text)]
    return [{**entry, "file": name, "command": entry["command"].replace(entry["file"], name)} for name in names]


def entries_of(build):
    """Returns the entries of the compile_commands.json of a build directory, one for each file."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        return [member for entry in json.load(f) for member in members_of(entry)]
