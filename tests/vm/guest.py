#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the guest does: the first NIC stays with the kernel, in a namespace of its own, with a VLAN, too; the second is
given to DPDK by scripts/devbind; percore-httpd serves on it, and the kernel fetches from it.

usage: guest.py BUILD DRIVER MEGABYTES PAGES LCORES"""
import glob
import hashlib
import http.client
import os
import signal
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KERNEL, OURS = "0000:00:08.0", "0000:00:09.0"
SERVER, PEER = "10.9.0.2", "10.9.0.1"
VLAN, VLAN_SERVER, VLAN_PEER = 7, "10.9.7.2", "10.9.7.1"


def sh(*command, check=True):
    r = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and r.returncode != 0:
        sys.exit(f"{' '.join(command)}: {r.stdout}{r.stderr}")
    return r.stdout + r.stderr


def interface_of(pci):
    for path in glob.glob("/sys/class/net/*"):
        if pci in os.path.realpath(path + "/device"):
            return os.path.basename(path)
    return None


def prepare(driver):
    """Loads modules, moves the kernel's NIC away, binds ours."""
    sh("modprobe", "-a", "virtio_net", "uio_pci_generic", "vfio-pci", "vfio_iommu_type1", check=False)
    for module in ("e1000", "e1000e", "igb", "vmxnet3", "8021q"):
        sh("modprobe", module, check=False)
    time.sleep(1)
    kernel = interface_of(KERNEL)
    if kernel is None:
        sys.exit("the kernel has no interface for its NIC")
    print(sh(os.path.join(TOP, "scripts/devbind"), "--bind", OURS, "--driver", driver).strip())
    sh("ip", "netns", "add", "peer")
    sh("ip", "link", "set", kernel, "netns", "peer")
    sh("ip", "-n", "peer", "addr", "add", PEER + "/24", "dev", kernel)
    sh("ip", "-n", "peer", "link", "set", "lo", "up")
    sh("ip", "-n", "peer", "link", "set", kernel, "up")
    sh("ip", "netns", "exec", "peer", "ethtool", "-K", kernel, "gro", "off", check=False)
    sh("ip", "-n", "peer", "link", "add", "link", kernel, "name", "tagged", "type", "vlan", "id", str(VLAN))
    sh("ip", "-n", "peer", "addr", "add", VLAN_PEER + "/24", "dev", "tagged")
    sh("ip", "-n", "peer", "link", "set", "tagged", "up")


def make_file(name, megabytes):
    """A file of the site; returns its sum."""
    block = hashlib.sha256(b"percore").digest() * 32768
    whole = hashlib.sha256()
    with open("/dev/shm/site/" + name, "wb") as f:
        for i in range(megabytes):
            piece = i.to_bytes(8, "big") + block[8:]
            f.write(piece)
            whole.update(piece)
    return whole.hexdigest()


def make_site(megabytes):
    """Two files, the second of a tenth, and a small page; returns the files' sums."""
    os.makedirs("/dev/shm/site", exist_ok=True)
    with open("/dev/shm/site/page", "wb") as f:
        f.write(b"a page\n" * 100)
    return make_file("large", megabytes), make_file("tenth", megabytes // 10)


def wait_for(log, process, text, seconds):
    for _ in range(seconds * 5):
        with open(log, encoding="utf-8", errors="replace") as f:
            seen = f.read()
        if text in seen or process.poll() is not None:
            return seen
        time.sleep(0.2)
    return seen


def enter_peer():
    """This process goes where the kernel's NIC is."""
    fd = os.open("/run/netns/peer", os.O_RDONLY)
    import ctypes
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000) != 0:
        sys.exit("setns failed")


def fetch_file(server, name, want):
    begin, sum_, size = time.time(), hashlib.sha256(), 0
    c = http.client.HTTPConnection(server, timeout=60)
    c.request("GET", "/" + name)
    r = c.getresponse()
    while True:
        piece = r.read(1 << 18)
        if not piece:
            break
        sum_.update(piece)
        size += len(piece)
    took = time.time() - begin
    if sum_.hexdigest() != want:
        sys.exit(f"the file has come damaged ({size} bytes)")
    print(f"fetched {size >> 20} MB from {server} in {took:.1f} s", flush=True)


def fetch_pages(pages):
    begin, c = time.time(), http.client.HTTPConnection(SERVER, timeout=30)
    for i in range(pages):
        if i % 50 == 0: # a new connection now and then
            c.close()
        c.request("GET", "/page")
        r = c.getresponse()
        if r.status != 200 or len(r.read()) != 700:
            sys.exit(f"page {i}: status {r.status}")
    print(f"fetched {pages} pages in {time.time() - begin:.1f} s", flush=True)


def main():
    build, driver, megabytes, pages, lcores = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    prepare(driver)
    large, tenth = make_site(megabytes)
    log = "/dev/shm/httpd.log"
    with open(log, "w", encoding="utf-8") as f:
        httpd = subprocess.Popen([os.path.join(build, "app/httpd/percore-httpd"),
                                  "-l", "1" if lcores == 1 else "0,1", "-a", OURS, "--",
                                  *(["--set", "run.idle=3"] if lcores > 1 else []),
                                  "--set", "run.stats_s=3600", "--addr", SERVER + "/24", "--addr",
                                  f"0.{VLAN}={VLAN_SERVER}/24", "--root", "/dev/shm/site"],
                                 stdout=f, stderr=subprocess.STDOUT)
    print(wait_for(log, httpd, "lcore", 60).strip(), flush=True)
    enter_peer()
    for _ in range(20):
        if subprocess.run(["ping", "-c", "1", "-W", "1", SERVER], capture_output=True,
                          check=False).returncode == 0:
            break
    else:
        httpd.kill()
        with open(log, encoding="utf-8", errors="replace") as f:
            sys.exit("no answer to ping; percore-httpd said: " + f.read())
    fetch_file(SERVER, "large", large)
    fetch_pages(pages)
    fetch_file(VLAN_SERVER, "tenth", tenth) # with tags that the device puts on and takes off, if it announces that
    httpd.send_signal(signal.SIGTERM)
    if httpd.wait(30) != 0:
        sys.exit(f"percore-httpd ended with status {httpd.returncode}")
    with open(log, encoding="utf-8", errors="replace") as f:
        print("".join(line for line in f if line.startswith("note:") or " rx_untrue " in line), end="")
    print("well")


main()
