#!/usr/bin/env python3
"""rpi.py <a board's directory in out/image> [step,...] - the image of the Raspberry Pi on QEMU's raspi3b, from the firmware partition to
updates, lights and button. `make image BOARD=rpi` comes first. The steps: first (always), lights, button, fallback, update; all of them
where none is named. An image without the node (NODE=none) can only be watched while it starts."""

import json
import os
import re
import sys

from checks import Checks, output, wait_for
from emulator import REPOSITORY, tools
from raspberry import INPUT, OUTPUT, Raspberry
from simulated import Chip
from updates import Updates, stick
from workspace import NETWORK_KEY, Workspace

STEPS = ("lights", "button", "fallback", "update")
CLAIM = "raspberry7code"
STATUS, ACTIVITY, BUTTON, BOARD = 17, 27, 22, 29
WIRING = f"status-light = led ACT\nstatus-light = gpio {STATUS}\nactivity-light = gpio {ACTIVITY}\nbutton = gpio {BUTTON} low\ndisplay = ssd1306 /dev/i2c-1 0x3c\nscreen = none\n"


class Tour:
    """One Raspberry Pi, and what is done to it step by step."""

    def __init__(self, checks, work, steps, board):
        self.checks, self.work, self.steps = checks, work, steps
        bundles = self._bundles()
        sticks = [stick(work.path("stick.img"), 512, bundles)] if bundles else []
        files = {"authorized_keys": work.authorized_keys, "claim": CLAIM, "pipub.conf": f"network-key = {NETWORK_KEY}\nhops = 3\n", "hardware.conf": WIRING}
        # A power of two, as QEMU wants its cards.
        self.machine = Raspberry(work.directory, work.card("2G", files, firmware="1M"), work.key, sticks)
        self.chip = None
        self.has_node = os.path.exists(os.path.join(board, "root/usr/lib/pipub/pipub"))

    def _bundles(self):
        # The image under test is signed with these; it trusts their authority.
        keys = os.environ.get("KEYS") or os.path.join(REPOSITORY, "out", "development-keys")
        updates = Updates("rpi", self.work.path("updates"), keys)
        made = []
        if "update" in self.steps:
            made.append(updates.with_root("good", "90.0.0", "true"))
        if "fallback" in self.steps:
            # A kernel, and next to nothing where its root should be.
            made.append(updates.bundle("rootless", "91.0.0", boot=os.path.join(updates.disk, "boot.vfat")))
        return made

    def comes(self, name, pattern, patience=1800):
        """Waits for what the machine says on its serial line."""
        try:
            wait_for(name, lambda: self.machine._lives() and re.search(pattern, self.machine.said()), patience, 1)
        except TimeoutError:
            pass
        return self.checks.that(name, re.search(pattern, self.machine.said()), self.machine.said()[-2000:])

    def first(self):
        self.machine.start()
        self.comes("U-Boot chooses slot A", r"PiPub: starting slot A")
        self.comes("the kernel and the initramfs start the slot's root", r"systemd\[1\]|Welcome to")
        self.comes("the first start makes the data partition", r"Successfully formatted future partition")
        self.comes("data is mounted", r"Mounted data\.mount|pipub-data-tree\.service.*Finished|Finished pipub-data-tree")
        self.comes("the system has started", r"Reached target multi-user\.target|Startup finished", 3600)
        if self.has_node:
            self.looked_at_from_inside()

    def looked_at_from_inside(self):
        checks, machine = self.checks, self.machine
        said = machine.wait_until_kept(3600)
        checks.that("the key on the card opens SSH; the health gate keeps the first slot", "is kept" in said, said)
        checks.figure("machine", machine.run("tr -d '\\0' </proc/device-tree/model; uname -rm"))
        checks.equal("no unit failed", "", machine.run("systemctl --failed --no-legend --plain"))
        checks.equal("the root is the slot's squashfs, read-only", ["squashfs", "ro"], machine.run("findmnt -no FSTYPE,OPTIONS /").replace(",", " ").split()[:2])
        checks.equal("data is encrypted", "crypto_LUKS", machine.run("lsblk -dno FSTYPE /dev/disk/by-partlabel/data"))
        report = json.loads(machine.run("cat /data/provisioning.json"))
        checks.figure("what became of the files on the card", report)
        checks.that("the settings on the card are the box's", "hops = 3" in machine.run("cat /data/pipub.conf"))
        checks.equal("the secrets have left the card", "", machine.run("cd /boot/firmware && ls claim 2>/dev/null", check=False))
        checks.equal("the firmware partition is read-only again", "ro", machine.run("findmnt -no OPTIONS /boot/firmware").split(",")[0])
        checks.equal("the slot that is kept has its three tries again", "3", machine.run("fw_printenv -n BOOT_A_LEFT"))
        checks.figure("memory in use", machine.run("free -m | sed -n 2p"))

    def lights(self):
        checks, machine = self.checks, self.machine
        checks.equal("the light's line is an output, the button's an input, told by the chip's registers", [OUTPUT, OUTPUT, INPUT], [machine.function(line) for line in (STATUS, ACTIVITY, BUTTON)])
        held = machine.run("grep pipub /sys/kernel/debug/gpio", check=False)
        checks.equal("the node holds its three lines", 3, held.count("pipub")) or print(machine.run("journalctl -b -u pipub -o cat --no-pager | grep hardware", check=False))
        seen = machine.levels([STATUS, BOARD])
        checks.equal("its light blinks: the level of its line, read from outside", {0, 1}, seen[STATUS])
        checks.equal("so does the board's own, by the kernel's LED class", {0, 1}, seen[BOARD])
        files = machine.run("ls -l /proc/$(systemctl show -P MainPID pipub)/fd")
        checks.that("a display at the I2C bus answers it", "/dev/i2c-1" in files, machine.run("journalctl -b -u pipub -o cat --no-pager | grep hardware", check=False))
        machine.run("systemctl stop pipub")
        checks.equal("a node that is gone lights nothing", {STATUS: {0}}, machine.levels([STATUS], 5))
        machine.run("systemctl start pipub", patience=1800)

    def button(self):
        checks, machine = self.checks, self.machine
        # QEMU's chip tells nobody of an edge. The same kernel has one that does.
        self.chip = Chip(machine.run, BUTTON)
        self.chip.wire()
        checks.equal("the node holds the lines of a simulated chip", 3, wait_for("the lines", self.chip.held, 1800, 2))
        checks.that("a short press opens the new box without its code", self.chip.opens(machine.page), machine.run("journalctl -b -u pipub -o cat --no-pager | tail", check=False))
        checks.equal("and restarts nothing", 1, len(machine.starts()))

    def restart(self, starts):
        """By five seconds of the button where there is one, until the boot loader has started so many slots."""
        if self.chip:
            self.chip.press(5)
            self.chip = None
        else:
            self.machine.run("setpriv --reuid=pipub --regid=pipub --init-groups touch /run/pipub/requests/reboot")
        return self.machine.wait_for_start(starts, 3600)

    def install(self, name):
        said = self.machine.run(f"rauc install /run/usb/sda1/{name}.raucb 2>&1", check=False, patience=3600)
        return self.checks.that(f"the update \"{name}\" is installed from a USB stick", "Installing" in said and "succeeded" in said, said)

    def slot(self):
        return self.machine.run("cat /usr/lib/pipub/image-version; grep -o 'rauc.slot=.' /proc/cmdline | tail -c 2").split()

    def fallback(self):
        checks, machine = self.checks, self.machine
        before = self.slot()
        if not self.install("rootless"):
            return
        known = len(machine.starts())
        starts = self.restart(known + 4)[known:]
        checks.equal("a slot whose root is none has its three tries, then the one before starts", ["A" if before[1] == "B" else "B"] * 3 + [before[1]], starts)
        said = machine.wait_until_kept(3600)
        checks.that("the version before is well", "is kept" in said and self.slot() == before, said)
        status = machine.run("rauc status --detailed --output-format=json 2>&1", check=False)
        checks.that("RAUC tells that the other slot is bad, and this one good",
                    sorted(re.findall(r'"bootname":"([AB])".*?"boot_status":"(\w+)"', status)) == sorted([(before[1], "good"), ("A" if before[1] == "B" else "B", "bad")]), status)

    def update(self):
        checks, machine = self.checks, self.machine
        if not self.install("good"):
            return
        checks.equal("U-Boot's environment has the other slot first", "B A", machine.run("fw_printenv -n BOOT_ORDER"))
        self.restart(len(machine.starts()) + 1)
        said = machine.wait_until_kept(3600)
        checks.that("the health gate keeps the update", "is kept" in said, said)
        checks.equal("the update runs in the other slot", ["90.0.0", "B"], self.slot())


def main():
    checks = Checks()
    board = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "rpi")
    if not os.path.exists(os.path.join(board, "disk.img")):
        checks.that("there is an image for the Raspberry Pi: make image BOARD=rpi", False)
        checks.end()
    steps = sys.argv[2].split(",") if len(sys.argv) > 2 else STEPS
    if not os.path.exists(os.path.join(board, "root/usr/lib/pipub/pipub")):
        checks.skip("updates, lights and button", "the image has no node")
        steps = ()
    work = Workspace(board, "machine")
    tour = Tour(checks, work, steps, board)
    machine = tour.machine
    try:
        tour.first()
        for step in STEPS:
            if step in steps:
                getattr(tour, step)()
    except Exception:
        print(machine.said()[-3000:])
        raise
    finally:
        machine.stop()
    made = tools("sfdisk", "--dump", machine.disk)
    data = re.search(r'size= *(\d+).*name="data"', made)
    checks.that("the data partition took the room of the card", data and int(data[1]) * 512 > 1200 << 20, made)
    checks.that("the boot ROM finds the firmware in the master boot record", output("od", "-An", "-tx1", "-j", "450", "-N", "1", machine.disk).strip() in ("0c", "ee"))
    checks.end()


main()
