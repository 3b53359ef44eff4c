# SPDX-License-Identifier: BSD-2-Clause
"""dnsmasq as router and DHCP server, at the kernel's end of a device."""
import os
import signal
import subprocess

from bed import sh

ROUTER6, DNS6 = "fd00::254", "fd00::53"


class Dnsmasq:
    """It runs from the start; its lease file and its log are in the bed's directory."""

    def __init__(self, b, dev, *options):
        self.leases, self.log = os.path.join(b.tmp, "leases"), os.path.join(b.tmp, "dnsmasq.log")
        with open(f"/proc/sys/net/ipv6/conf/{dev}/disable_ipv6", "w", encoding="ascii") as f:
            f.write("0")
        sh("ip", "-6", "addr", "replace", f"{ROUTER6}/64", "dev", dev, "nodad")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--port=0",
                 f"--interface={dev}", "--bind-interfaces", "--user=root", "--pid-file=", "--log-dhcp", "--enable-ra",
                 f"--dhcp-option=option6:dns-server,[{DNS6}]", f"--dhcp-leasefile={self.leases}", *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def has_leased(self, addr):
        """Says whether its file has a lease of this address."""
        if not os.path.exists(self.leases):
            return False
        with open(self.leases, encoding="utf-8") as f:
            return f" {addr} " in f.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
