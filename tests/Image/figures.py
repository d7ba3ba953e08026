#!/usr/bin/env python3
"""figures.py <board's directory in out/image> [sizes] [idle] [starts] - the figures of image/README.md, of the image that `make image BOARD=pc`
made. Wants a machine with nothing else to do; `make image-figures` calls it. IDLE_MINUTES is how long the idle box is watched, 60 if that is not said."""

import glob
import os
import re
import shutil
import subprocess
import sys
import time

from checks import output, wait_for
from emulator import Machine, REPOSITORY, tools
from native import Container, data_options, memory_of, page
from workspace import Workspace

IDLE_MINUTES = float(os.environ.get("IDLE_MINUTES") or 60)
# What a box is more than the Debian that it is made of.
OF_PIPUB = ("pipub.service", "pipub-provision.service", "pipub-health.service", "pipub-screen.path", "pipub-network.path", "pipub-reboot.path", "pipub-factory-reset.path", "pipub-log-hourly.timer")


def tell(name, value):
    print(f"{name}: {value}", flush=True)


def sizes(board):
    kind = os.path.basename(board)
    tell("image, raw, bytes", os.path.getsize(os.path.join(board, "disk.img")))
    slot = os.path.getsize(os.path.join(board, "disk", "root.squashfs"))
    tell("root file system, bytes, of the slot's 268435456", f"{slot} ({slot * 100 // (256 << 20)} %)")
    for kept in ("img.xz", "raucb"):
        newest = max(glob.glob(os.path.join(REPOSITORY, "out", f"pipub-{kind}-*.{kept}")), key=os.path.getmtime, default=None)
        if newest:
            tell(f"{os.path.basename(newest)}, bytes", os.path.getsize(newest))


def idle(board):
    """A box as a container at native speed, its data on a disk of its own with the mount options of the image."""
    work = Workspace(board, "figures")
    box = Container(os.path.join(board, "disk", "root.squashfs"), work.directory)
    box.insert("card")
    disk = work.path("data.img")
    output("truncate", "-s", "4G", disk)
    tools("mkfs.ext4", "-q", disk)
    output("mount", "-o", f"loop,{data_options()}", disk, box.data)
    try:
        device = os.path.basename(output("findmnt", "-no", "SOURCE", box.data))
        box.start()
        try:
            wait_for("the page", page, 600, 0.05)
            tell("from the container's start to the page, seconds", f"{time.monotonic() - box.began:.1f}")
            box.wait_until_started()
            # What is done once after a start is no part of an idle hour.
            time.sleep(min(300, IDLE_MINUTES * 60 / 4))
            written = _written(device)
            memory = memory_of(box.init)
            time.sleep(IDLE_MINUTES * 60)
            written = _written(device) - written
            tell(f"written to the data partition by an idle box in {IDLE_MINUTES:g} minutes, bytes", f"{written} ({written * 60 / IDLE_MINUTES / 1e6:.2f} MB an hour)")
            tell("memory (PSS) of the whole userland at idle, MB", f"{sum(memory.values()):.0f}, of it " + ", ".join(f"{name} {size:.0f}" for name, size in sorted(memory.items(), key=lambda one: -one[1])[:5]))
        finally:
            box.stop()
    finally:
        output("umount", box.data)


def _written(device):
    with open(f"/sys/block/{device}/stat", encoding="ascii") as file:
        return int(file.read().split()[6]) * 512


def starts(board):
    """How long the second start takes in the emulator, with PiPub and without: the same disk, whose running slot has another root."""
    work = Workspace(board, "starts")
    machine = Machine(work.directory, work.card("1300M", {"authorized_keys": work.authorized_keys}), work.key)
    machine.start()
    machine.wait_for_page()
    machine.wait_until_kept()
    machine.shut_down()
    machine.start()
    to_page = machine.wait_for_page()
    page_work = machine.worked()
    tell("emulator: from switching on to the page, seconds", f"{to_page:.0f}, {page_work:.0f} of processor time")
    machine.wait_until_kept()
    tell("emulator: memory in use, MB", machine.run("free -m | awk '/Mem/ { print $3 \" of \" $2 }'"))
    machine.shut_down()

    bare = work.path("root")
    output("cp", "-al", os.path.join(board, "root"), bare)
    for link in glob.glob(os.path.join(bare, "etc/systemd/system/*.wants/*")):
        if os.path.basename(link) in OF_PIPUB:
            os.remove(link)
    with open(os.path.join(bare, "etc/systemd/system/bare.service"), "w", encoding="ascii") as unit:
        unit.write("[Unit]\nAfter=multi-user.target ssh.service\n[Service]\nType=oneshot\nExecStart=sh -c 'echo PiPub-bare: started >/dev/ttyS0'\n")
    os.symlink("../bare.service", os.path.join(bare, "etc/systemd/system/multi-user.target.wants/bare.service"))
    squashed = work.path("bare.squashfs")
    tools("mksquashfs", bare, squashed, "-noappend", "-quiet", "-no-progress", "-no-exports", "-comp", "zstd", "-Xcompression-level", "3", "-b", "256K", "-wildcards", "-e", "boot/*-*", "dev/*")
    shutil.rmtree(bare)
    root = int(re.search(r'start= *(\d+).*name="rootA"', tools("sfdisk", "--dump", machine.disk))[1])
    output("dd", f"if={squashed}", f"of={machine.disk}", "bs=512", f"seek={root}", "conv=notrunc", "status=none")
    machine.start()
    # It says so itself: asking it would take time of its own.
    wait_for("the end of the start", lambda: "PiPub-bare: started" in machine.said(), 3600, 0.5)
    bare_time, bare_work = time.monotonic() - machine.began, machine.worked()
    tell("emulator: the same without PiPub, to multi-user.target, seconds", f"{bare_time:.0f}, {bare_work:.0f} of processor time")
    tell("emulator: with PiPub to the page as a multiple of that", f"{to_page / bare_time:.2f}, of processor time {page_work / bare_work:.2f}")
    machine.stop()


def main():
    board = os.path.abspath(sys.argv[1])
    if "idle" in sys.argv[2:] and not os.environ.get("OWN_MOUNTS"):
        os.execvpe("unshare", ["unshare", "--mount", "--propagation", "private", *sys.argv], {**os.environ, "OWN_MOUNTS": "1"})
    for name, figure in {"sizes": sizes, "idle": idle, "starts": starts}.items():
        if name in sys.argv[2:] or len(sys.argv) == 2:
            figure(board)


if __name__ == "__main__":
    main()
