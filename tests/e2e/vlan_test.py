#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""VLANs between two percores on a veth pair: percore-httpd on one end, percore-ping on the other.

The client is percore, too: many kernels, those of small virtual machines for instance, know no VLANs.
"""
import os

import bed
from bed import PREFIX, SERVER, expect, sh

CLIENT = "192.0.2.9"


def start(b):
    b.start("percore-httpd", "--listen", "80", "--root", b.tmp, "--addr", "0.10=10.10.0.1/24", "--addr",
            "0.10=fd10::1/64", "--addr", "0.20=10.20.0.1/24", "--addr", "0.100.10=10.100.0.1/24")


def ping(b, place, to, size=56, patience_ms=5000):
    """Returns the output of percore-ping on the client's end, whose address is place. It ends with
    the last answer."""
    cpu = min(os.sched_getaffinity(0))
    return sh(b.path("percore-ping"), "--lcores", f"0@{cpu}", "--no-huge", "--no-shconf", "-m", 64, "--no-pci",
              "--no-telemetry", f"--vdev=net_af_packet0,iface={b.dev}", "--", "--addr", place, "--to", to,
              "--count", 5, "--interval", 50, "--timeout", patience_ms, "--size", size, check=False,
              timeout=40 * b.slow).stdout


def untagged(b, _):
    """the network without a tag is there as before"""
    expect(" 0% packet loss" in (out := ping(b, f"{CLIENT}/{PREFIX}", SERVER)), out)


def tagged(b, _):
    """one tag, both families, and datagrams in fragments"""
    expect(" 0% packet loss" in (out := ping(b, "0.10=10.10.0.2/24", "10.10.0.1")), out)
    expect(" 0% packet loss" in (out := ping(b, "0.10=fd10::2/64", "fd10::1", size=1400)), out)
    expect(" 0% packet loss" in (out := ping(b, "0.10=fd10::2/64", "fd10::1", size=4000)), out)


def twice(b, _):
    """two tags, 802.1ad in front of 802.1Q"""
    expect(" 0% packet loss" in (out := ping(b, "0.100.10=10.100.0.2/24", "10.100.0.1")), out)


def apart(b, _):
    """an address is reached by its own VLAN only (the strong host of RFC 1122)"""
    expect("100% packet loss" in (out := ping(b, "0.20=10.10.0.2/24", "10.10.0.1", patience_ms=500)), out)
    expect("100% packet loss" in (out := ping(b, "0.11=10.10.0.2/24", "10.10.0.1", patience_ms=500)), out)


STEPS = [untagged, tagged, twice, apart]

if __name__ == "__main__":
    args = bed.arguments(__doc__)
    bed.need("ethtool")
    bed.main(args, STEPS, start)
