#!/usr/bin/env python3
"""rpi.py <a board's directory in out/image> - the image of the Raspberry Pi on QEMU's raspi3b: firmware partition, U-Boot, kernel, root,
and the data partition that the first start makes. `make image BOARD=rpi`, with or without a node, comes first."""

import os
import re
import subprocess
import sys

from checks import Checks, output, wait_for
from emulator import IN_TOOLS, TOOLS, tools
from workspace import Workspace


def main():
    checks = Checks()
    board = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "rpi")
    image = os.path.join(board, "disk.img")
    if not os.path.exists(image):
        checks.that("there is an image for the Raspberry Pi: make image BOARD=rpi NODE=none", False)
        checks.end()
    work = Workspace(board, "machine")
    # A power of two, as QEMU wants its cards.
    disk, serial = work.card("2G", {"pipub.conf": "hops = 3\n"}, firmware="1M"), work.path("serial")
    # This machine's watchdog resets at once when it is opened. And what the system says shall be seen from here.
    with open(work.path("env.txt"), "w", encoding="ascii") as file:
        with open(os.path.join(os.path.dirname(__file__), "..", "..", "image", "rpi", "uboot-env.txt"), encoding="ascii") as source:
            file.write(source.read())
        file.write("extra=systemd.watchdog_sec=off systemd.journald.forward_to_console=1 systemd.journald.max_level_console=info\n")
    tools("mkenvimage", "-s", "0x4000", "-o", work.path("uboot.env"), work.path("env.txt"))
    tools("mcopy", "-o", "-i", f"{disk}@@1M", work.path("uboot.env"), "::uboot.env")
    for name in ("u-boot.bin", "bcm2837-rpi-3-b.dtb"):
        tools("mcopy", "-o", "-i", f"{disk}@@1M", f"::{name}", work.path(name))

    command = ["qemu-system-aarch64", "-M", "raspi3b", "-display", "none", "-monitor", "none", "-kernel", work.path("u-boot.bin"), "-dtb", work.path("bcm2837-rpi-3-b.dtb"),
               "-drive", f"if=sd,file={disk},format=raw,cache=writeback", "-netdev", "user,id=net", "-device", "usb-net,netdev=net", "-serial", "null", "-serial", f"file:{serial}"]
    emulator = subprocess.Popen(["nice", "-n", os.environ.get("EMULATOR_NICE", "10"), IN_TOOLS, TOOLS, *command], stdin=subprocess.DEVNULL)

    def said():
        try:
            with open(serial, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def comes(name, pattern, patience=1800):
        try:
            wait_for(name, lambda: re.search(pattern, said()) or emulator.poll() is not None, patience, 1)
        except TimeoutError:
            pass
        checks.that(name, re.search(pattern, said()), said()[-2000:])

    try:
        comes("U-Boot chooses slot A", r"PiPub: starting slot A")
        comes("the kernel and the initramfs start the slot's root", r"systemd\[1\]|Welcome to")
        comes("the first start makes the data partition", r"Successfully formatted future partition")
        comes("data is mounted", r"Mounted data\.mount|pipub-data-tree\.service.*Finished|Finished pipub-data-tree")
        comes("the system has started", r"Reached target multi-user\.target|Startup finished")
    finally:
        emulator.terminate()
        emulator.wait()
    made = tools("sfdisk", "--dump", disk)
    data = re.search(r'size= *(\d+).*name="data"', made)
    checks.that("the data partition took the room of the card", data and int(data[1]) * 512 > 1200 << 20, made)
    checks.that("the boot ROM finds the firmware in the master boot record", output("od", "-An", "-tx1", "-j", "450", "-N", "1", disk).strip() in ("0c", "ee"))
    checks.end()


main()
