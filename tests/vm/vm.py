# SPDX-License-Identifier: BSD-2-Clause
"""A machine to try real drivers on: QEMU, Debian's own kernel, and this machine's root as its own.

Overview: image() makes a kernel and a small initramfs, once for a build directory; run() boots them with
some NICs on one hub, runs a command as root and returns its status and output.  The guest sees this
machine's files under the same paths, and what it writes there is in its memory and gone afterwards; only
the folder /out is shared.  Emulation alone is used, so no KVM is needed, and everything takes its time.
"""
import contextlib
import glob
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = ("virtio_pci virtio_net 9p 9pnet_virtio overlay vfio vfio_iommu_type1 vfio-pci uio "
           "uio_pci_generic e1000 e1000e igb vmxnet3 8021q").split()


class NoMachine(Exception):
    """There cannot be a machine here; says why."""


def sh(*command, **kw):
    return subprocess.run([str(c) for c in command], check=True, text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, **kw).stdout


def models():
    """The NICs that this QEMU has."""
    if not shutil.which("qemu-system-x86_64"):
        raise NoMachine("qemu-system-x86_64 is not installed (package qemu-system-x86)")
    if not shutil.which("dpdk-devbind.py"): # scripts/devbind uses it, in the guest too
        raise NoMachine("dpdk-devbind.py is not installed (package dpdk)")
    return sh("qemu-system-x86_64", "-device", "help")


def fetch_kernel(place):
    """Downloads the package of Debian's kernel; returns its path."""
    depends = sh("apt-cache", "depends", "linux-image-amd64")
    package = next(line.split()[1] for line in depends.splitlines() if "Depends:" in line)
    found = glob.glob(os.path.join(place, package + "_*.deb"))
    if not found:
        sh("apt-get", "-q", "download", package, cwd=place)
        found = glob.glob(os.path.join(place, package + "_*.deb"))
    return found[0]


def with_needed(base):
    """The modules that are wanted and those that they need, as paths below base."""
    needs = {}
    with open(os.path.join(base, "modules.dep"), encoding="ascii") as f:
        for line in f:
            name, _, rest = line.partition(":")
            needs[name.strip()] = rest.split()
    by_name = {os.path.basename(p).split(".ko")[0].replace("-", "_"): p for p in needs}
    todo = [by_name[m.replace("-", "_")] for m in MODULES if m.replace("-", "_") in by_name]
    for p in todo:
        todo += [n for n in needs[p] if n not in todo]
    return todo


def make_root(place, kernel):
    """Lays out what the initramfs holds; returns the kernel's version."""
    unpacked, root = os.path.join(place, "unpacked"), os.path.join(place, "root")
    for folder in (unpacked, root):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
    tar = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", kernel], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", unpacked, "./boot", "./lib/modules"], stdin=tar.stdout,
                   check=True)
    if tar.wait() != 0:
        raise NoMachine(f"{kernel} cannot be unpacked")
    version = os.listdir(os.path.join(unpacked, "lib/modules"))[0]
    base = os.path.join(unpacked, "lib/modules", version)
    sh("busybox", "depmod", "-b", unpacked, version)
    for p in with_needed(base):
        to = os.path.join(root, "lib/modules", version, p)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy(os.path.join(base, p), to)
    for p in ("modules.builtin", "modules.order"):
        shutil.copy(os.path.join(base, p), os.path.join(root, "lib/modules", version))
    sh("busybox", "depmod", "-b", root, version)
    for folder in ("bin", "proc", "sys", "dev", "host", "rw", "new"):
        os.makedirs(os.path.join(root, folder))
    shutil.copy(shutil.which("busybox"), os.path.join(root, "bin/busybox"))
    shutil.copy(os.path.join(HERE, "guest-init"), os.path.join(root, "init"))
    os.chmod(os.path.join(root, "init"), 0o755)
    shutil.copy(os.path.join(unpacked, "boot/vmlinuz-" + version), os.path.join(place, "vmlinuz"))
    shutil.rmtree(unpacked)
    return version


def is_of_these(place):
    """Says whether an image that is there has these modules."""
    with contextlib.suppress(OSError):
        with open(os.path.join(place, "modules"), encoding="ascii") as f:
            return f.read().split() == MODULES
    return False


def image(place):
    """Makes kernel and initramfs in a folder unless they are there."""
    for tool in ("busybox", "cpio", "dpkg-deb", "apt-get"):
        if not shutil.which(tool):
            raise NoMachine(f"{tool} is not installed")
    if os.path.exists(os.path.join(place, "initrd.gz")) and is_of_these(place):
        return
    os.makedirs(place, exist_ok=True)
    try:
        make_root(place, fetch_kernel(place))
    except subprocess.CalledProcessError as e:
        raise NoMachine(f"{e.cmd[0]}: {(e.stderr or '').strip().splitlines()[-1:]}") from e
    with open(os.path.join(place, "initrd.new"), "wb") as out:
        subprocess.run("find . | cpio -o -H newc --quiet | gzip -6", shell=True, check=True,
                       cwd=os.path.join(place, "root"), stdout=out)
    os.rename(os.path.join(place, "initrd.new"), os.path.join(place, "initrd.gz"))
    with open(os.path.join(place, "modules"), "w", encoding="ascii") as f:
        f.write(" ".join(MODULES))
    shutil.rmtree(os.path.join(place, "root"))


def arguments(place, out, nics, iommu, hugepages):
    """QEMU's command line. The kernel's look whether timer interrupts come (no_timer_check) ends in a panic when the
    machine below is busy for a few milliseconds."""
    a = ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi",
         "-cpu", "max,la57=off,svm=off", "-smp", "2", "-m", "2048", "-nodefaults", "-no-user-config",
         "-display", "none", "-no-reboot", "-monitor", "none", "-serial", f"file:{out}/console",
         "-serial", f"file:{out}/output", "-kernel", f"{place}/vmlinuz",
         "-initrd", f"{place}/initrd.gz",
         "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
         "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
         "-fsdev", f"local,id=out,path={out},security_model=none",
         "-device", "virtio-9p-pci,fsdev=out,mount_tag=out"]
    if iommu:
        a += ["-device", "intel-iommu,intremap=on,aw-bits=48,caching-mode=off"]
    for i, nic in enumerate(nics):
        model, _, more = nic.partition(",")
        a += ["-netdev", f"hubport,id=h{i},hubid=0", "-device",
              f"{model},netdev=h{i},mac=52:54:00:00:00:0{i + 1},addr=0x{8 + i:x}" +
              (f",{more}" if more else "")]
    return a + ["-append", "console=ttyS0 quiet panic=-1 no_timer_check mitigations=off nokaslr audit=0 "
                f"hugepages={hugepages}" + (" intel_iommu=on" if iommu else "")]


def run(place, nics, command, *, iommu=False, hugepages=256, limit=400):
    """Boots a machine, runs a command in it. Returns its status, None for none, and its output."""
    with tempfile.TemporaryDirectory(prefix="percore-vm-") as out:
        os.chmod(out, 0o755)
        with open(os.path.join(out, "cmd.sh"), "w", encoding="utf-8") as f:
            f.write(command + "\n")
        try:
            subprocess.run(arguments(place, out, nics, iommu, hugepages), timeout=limit, check=False,
                           stdin=subprocess.DEVNULL, capture_output=True)
        except subprocess.TimeoutExpired:
            pass
        def read(name):
            path = os.path.join(out, name)
            if not os.path.exists(path):
                return ""
            with open(path, encoding="utf-8", errors="replace") as f:
                return f.read()
        status = read("rc").strip()
        text = read("output").replace("\r", "")
        return (int(status), text) if status else (None, text + read("console")[-2000:])
