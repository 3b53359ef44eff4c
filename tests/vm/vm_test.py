#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""percore-httpd on the real driver of an emulated NIC, in a guest: a large file and many pages."""
import argparse
import os
import sys

import vm

SKIP = 77
HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", required=True, help="build directory with the programs")
    p.add_argument("--nic", default="virtio-net-pci", help="QEMU's name of the NIC, with properties")
    p.add_argument("--driver", default="uio_pci_generic", help="uio_pci_generic or vfio-pci")
    p.add_argument("--megabytes", default="100", help="size of the large file")
    p.add_argument("--pages", default="1000", help="how many pages are fetched")
    p.add_argument("--lcores", type=int, default=1, help="1 or 2, and as many queues")
    p.add_argument("--limit", type=int, default=400, help="seconds that a guest may take")
    args = p.parse_args()
    build = os.path.abspath(args.build)
    place = os.path.join(build, "vm-image")
    model = args.nic.split(",")[0]
    try:
        if f'"{model}"' not in vm.models():
            raise vm.NoMachine(f"this QEMU has no {model}")
        vm.image(place)
    except vm.NoMachine as e:
        print(f"skipped: {e}")
        return SKIP
    nic = args.nic
    iommu = args.driver == "vfio-pci"
    if iommu and model == "virtio-net-pci":
        nic += ",iommu_platform=on,disable-legacy=on"
    command = f"python3 -u {HERE}/guest.py {build} {args.driver} {args.megabytes} {args.pages} {args.lcores}"
    for attempt in range(2): # on a busy machine a guest may fail to come up in time
        status, text = vm.run(place, ["virtio-net-pci", nic], command, iommu=iommu, limit=args.limit)
        print(text)
        if status is not None:
            return 0 if status == 0 and text.strip().endswith("well") else 1
        print(f"attempt {attempt + 1}: the guest gave no status")
    return 1


sys.exit(main())
