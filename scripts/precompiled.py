# SPDX-License-Identifier: BSD-2-Clause
"""What nearly every file includes, read once and not for each: DPDK's headers and those of vector instructions take most of
the time of a build."""
import json
import os
import pathlib
import re
import shlex

# flags of one compiler that the other does not know
ONLY_GCC = ("-fno-semantic-interposition", "-Wno-stringop-overflow", "-Wno-stringop-overread")

# how a build by gcc includes what was read before
INCLUDED = "-includepercore_common.h"

# two files define the macro before; where others need it the usual build says so
COMMON = "#define ALLOW_EXPERIMENTAL_API\n" + "".join(f"#include <{name}>\n" for name in (
    "netinet/in.h", "stdio.h", "stdlib.h", "string.h", "sys/socket.h", "rte_cycles.h", "rte_malloc.h", "rte_mbuf.h",
    "rte_vect.h"))


def words_of(entry):
    """The command of an entry of compile_commands.json, without the ccache that meson puts before it
    where that is installed."""
    words = shlex.split(entry["command"])
    return words[1:] if os.path.basename(words[0]) in ("ccache", "sccache") else words


def options_of(entry):
    """The options of an entry, without those that name its own files, or what was read before."""
    words, kept = words_of(entry)[1:], []
    while words:
        word = words.pop(0)
        if word in ("-o", "-MQ", "-MF"):
            words.pop(0)
        elif word not in ("-c", "-MD", *ONLY_GCC) and word != entry["file"] and word != INCLUDED:
            kept.append(word)
    return kept


def kind_of(entry):
    """What must be the same where headers that were read before are used: all but where headers are found."""
    return tuple(word for word in options_of(entry) if not word.startswith("-I"))


def members_of(entry):
    """The entries of the files that an entry compiles as one (meson's unity builds), or the entry itself."""
    if not re.search(r"-unity\d+\.c$", entry["file"]):
        return [entry]
    text = pathlib.Path(entry["directory"], entry["file"]).read_text(encoding="utf-8")
    names = [os.path.relpath(name, entry["directory"]) for name in re.findall(r"#include\s*<(.*)>", text)]
    return [{**entry, "file": name, "command": entry["command"].replace(entry["file"], name)} for name in names]


def entries_of(build):
    """The entries of the compile_commands.json of a build directory, one for each file."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        return [member for entry in json.load(f) for member in members_of(entry)]
