#!/usr/bin/env python3
"""machine.py <board's directory in out/image> [step,...] - the image as a machine of its own, in an emulator: boot loader, partitions,
updates and the way back from them, factory reset. To be run by `run`. The steps, each after the ones before: first, refusals, visit,
update, crash, reset, uefi; all of them where none is named. `first` always comes first."""

import json
import os
import shutil
import sys
import time

from checks import Checks, output
from emulator import Machine, REPOSITORY
from sandbox import in_sandbox
from updates import Updates, stick
from workspace import NETWORK_KEY, Workspace

CLAIM = "machine7code"
HERE = os.path.dirname(os.path.abspath(__file__))
# What the page says of updates on a stick. That one was changed shows only when it is read as a whole.
REFUSED = ("Somebody else has signed it", "It is for another kind of machine.", "A part of it is missing.", "It is not newer than what runs here.")
TAMPERED = "It is not what was signed: it was changed, or damaged on its way."
IN_PLACE = "Version {} is in place. The box restarts into it now"
AS_NODE = "setpriv --reuid=pipub --regid=pipub --init-groups"


class Tour:
    """One machine, and what is done to it step by step."""

    def __init__(self, checks, work, steps):
        self.checks, self.work, self.steps = checks, work, steps
        self.bundles = self._bundles()
        usb = stick(work.path("stick.img"), 700, list(self.bundles.values())) if self.bundles else None
        shutil.rmtree(work.path("updates"), ignore_errors=True)
        disk = work.card("2G", {"authorized_keys": work.authorized_keys, "claim": CLAIM, "pipub.conf": f"network-key = {NETWORK_KEY}\n"})
        self.machine = Machine(work.directory, disk, work.key, sticks=[usb] if usb else [])

    def _bundles(self):
        # The image under test is signed with these; it trusts their authority.
        keys = os.environ.get("KEYS") or os.path.join(REPOSITORY, "out", "development-keys")
        updates = Updates("pc", self.work.path("updates"), keys)
        found = {}
        if "refusals" in self.steps:
            strangers = self.work.path("strangers-keys")
            output(os.path.join(REPOSITORY, "image", "release-keys"), strangers, env={**os.environ, "QUIET": "1"})
            empty = updates.bundle("empty", "99.0.0")
            found |= {
                "of-another": updates.bundle("of-another", "99.0.0", keys=strangers),
                "for-another-board": updates.bundle("for-another-board", "99.0.0", board="rpi"),
                "truncated": updates.truncated(empty, "truncated"),
                "tampered": updates.tampered(empty, "tampered"),
                "older": updates.bundle("older", "0.0.1"),
            }
        if "update" in self.steps:
            found["good"] = updates.with_root("good", "90.0.0", "true")
        if "crash" in self.steps:
            found["crashing"] = updates.with_root("crashing", "91.0.0", "printf '#!/bin/sh\\nexit 7\\n' | replace usr/lib/pipub/pipub 755")
        return found

    def on_stick(self, name):
        return f"/run/usb/sda1/{name}.raucb"

    def visitor(self, what, *arguments):
        """Somebody at the box's pages with a browser; what has come about."""
        visitor = os.path.join(HERE, "bin", os.environ.get("CONFIGURATION", "Release"), "net10.0", "Image")
        return output(visitor, what, f"http://127.0.0.1:{self.machine.ports[80]}", *arguments, check=False)

    def press(self, name, version, outcome, *texts):
        """The owner has the page look for updates, sees the texts, and has it install one."""
        said = self.visitor("install", version, outcome, *texts)
        return self.checks.that(name, said.count("ok ") == 1 + len(texts), said)

    def install(self, name, version):
        """Installs an update and starts anew: from the page where the box has its owner."""
        started = len(self.machine.starts())
        if "visit" in self.steps:
            if not self.press(f"the update \"{name}\" is installed from the page", version, IN_PLACE.format(version)):
                return False
        else:
            said = self.machine.run(f"rauc install {self.on_stick(name)} 2>&1", check=False, patience=1800)
            if not self.checks.that(f"the update \"{name}\" is installed", "Installing" in said and "succeeded" in said, said):
                return False
            # The node asks by a file, as it does when its owner presses the button.
            self.machine.run(f"{AS_NODE} touch /run/pipub/requests/reboot")
        self.machine.wait_for_start(started + 1)
        return True

    def says(self, name, *texts):
        """The owner comes back to the page, where there is one."""
        if "visit" in self.steps:
            said = self.visitor("look", *texts)
            self.checks.that(name, said.count("ok ") == len(texts), said)

    def identity(self):
        return self.machine.run("head -c 32 /etc/machine-id"), self.machine.run("sha256sum /data/pipub/secret")

    def first(self):
        checks, machine = self.checks, self.machine
        machine.start()
        checks.figure("from the emulator's start to the first page, seconds, with the data partition made", f"{machine.wait_for_page():.0f}")
        checks.that("a new box answers with its page", True)
        said = machine.wait_until_kept()
        checks.that("the health gate keeps the first slot", "is kept" in said, said)
        checks.equal("no unit failed", "", machine.run("systemctl --failed --no-legend --plain"))
        size = int(machine.run("lsblk -bdno SIZE /dev/mapper/data"))
        checks.that(f"the data partition took the room of the disk ({size >> 20} MiB)", size > 1200 << 20)
        checks.equal("data is encrypted", "crypto_LUKS", machine.run("lsblk -dno FSTYPE /dev/disk/by-partlabel/data"))
        checks.that("data is mounted for a card", {"noatime", "commit=30", "nosuid", "nodev"} <= set(machine.run("findmnt -no OPTIONS /data").split(",")))
        checks.equal("the root is the slot's squashfs, read-only", ["squashfs", "ro"], machine.run("findmnt -no FSTYPE,OPTIONS /").replace(",", " ").split()[:2])
        checks.that("there is swap in compressed memory", "zram" in machine.run("cat /proc/swaps"))
        checks.equal("the firmware partition is read-only", "ro", machine.run("findmnt -no OPTIONS /boot/firmware").split(",")[0])
        checks.that("the hardware watchdog runs", "Watchdog running" in machine.run("journalctl -b -o cat --no-pager _PID=1"))
        checks.that("the machine's id is kept", len(machine.run("head -c 32 /dev/disk/by-partlabel/identity")) == 32
                    and machine.run("cat /etc/machine-id") == machine.run("head -c 32 /dev/disk/by-partlabel/identity"))
        checks.that("the node's memory has its limit", machine.run("systemctl show -P MemoryMax pipub") not in ("infinity", ""))
        checks.figure("memory in use", machine.run("free -m | sed -n 2p"))
        said = in_sandbox(lambda script: machine.run(script, check=False), "rauc status --detailed --output-format=json")
        checks.that("the node, in its sandbox, is told by RAUC which slot runs", "ended with 0" in said and '"booted":"A"' in said and '"compatible":"pipub-pc"' in said, said)
        self.same = self.identity()

    def refusals(self):
        checks, machine = self.checks, self.machine
        checks.that("a USB stick is mounted, for the node to read and to write", "older.raucb" in machine.run(f"{AS_NODE} sh -c 'cd /run/usb/sda1 && touch x && rm x && ls'", check=False))
        checks.that("the node's own view of the machine has the stick, writable", machine.run(
            "pid=$(systemctl show -P MainPID pipub); nsenter --target $pid --mount setpriv --reuid=pipub --regid=pipub --clear-groups sh -c 'echo x >/run/usb/sda1/y && cat /run/usb/sda1/y && rm /run/usb/sda1/y'", check=False) == "x")
        for name, reason in {"of-another": "signature", "for-another-board": "ompatible", "truncated": "", "tampered": "", "older": "ersion"}.items():
            said = in_sandbox(lambda script: machine.run(script, check=False), f"rauc install {self.on_stick(name)} 2>&1")
            checks.that(f"the update \"{name}\" is refused, with the reason", "ended with 0" not in said and "LastError" in said and reason in said, said)

    def visit(self):
        machine = self.machine
        visited = self.visitor("claim", CLAIM, f"127.0.0.1:{machine.ports[8008]}", NETWORK_KEY, self.work.path("visit"))
        self.checks.that("the box is claimed in a browser, a backup downloaded, and a JavaScript peer replicates", visited.count("ok ") == 5, visited)

    def update(self):
        checks, machine = self.checks, self.machine
        before = machine.run("cat /usr/lib/pipub/image-version")
        if {"visit", "refusals"} <= set(self.steps):
            self.press("the page says of each bad update on the stick what it is", "99.0.0", TAMPERED, *REFUSED)
        if not self.install("good", "90.0.0"):
            return
        machine.wait_for_page()
        said = machine.wait_until_kept()
        checks.equal("the update runs in the other slot", "90.0.0 B", machine.run("cat /usr/lib/pipub/image-version; grep -o 'rauc.slot=.' /proc/cmdline | tail -c 2").replace("\n", " "))
        checks.that("the health gate keeps the update", "is kept" in said, said)
        checks.equal("the box is still the same", self.same, self.identity())
        self.says("the page says that the box was updated", f"The box was updated from {before} to 90.0.0.")
        if "refusals" in self.steps:
            said = machine.run(f"rauc install {self.on_stick('older')} 2>&1", check=False)
            checks.that(f"now there is no way back to {before}", "ersion" in said and "LastError" in said, said)

    def crash(self):
        checks, machine = self.checks, self.machine
        version = machine.run("cat /usr/lib/pipub/image-version")
        slot = machine.starts()[-1]
        if not self.install("crashing", "91.0.0"):
            return
        started = len(machine.starts())
        starts = machine.wait_for_start(started + 1)
        checks.that(f"a version whose node crashes is left for the one before, within three starts ({''.join(starts)})", starts[-1] == slot and starts[started - 1] != slot, starts)
        machine.wait_for_page()
        checks.equal("the version before runs again", version, machine.run("cat /usr/lib/pipub/image-version"))
        report = machine.run("cat /data/health.json")
        checks.that("why it went back is kept for the page", json.loads(report)["version"] == "91.0.0" and not json.loads(report)["passed"], report)
        said = machine.wait_until_kept()
        checks.that("the version before is well", "is kept" in said, said)
        self.says("the page says that it went back, and why", f"Version 91.0.0 did not work here, so the box went back to {version} by itself.", "What was found: It ended")

    def reset(self):
        checks, machine = self.checks, self.machine
        version = machine.run("cat /usr/lib/pipub/image-version")
        started = len(machine.starts())
        # The reset is at once, and cuts SSH off.
        machine.run(f"echo mine >/data/mine; (sleep 2; {AS_NODE} touch /run/pipub/requests/factory-reset) >/dev/null 2>&1 &")
        machine.wait_for_start(started + 1)
        machine.wait_for_page()
        machine.wait_until_kept()
        now = self.identity()
        checks.that("after a factory reset the box is another one", now[0] != self.same[0] and now[1] != self.same[1], (self.same, now))
        checks.equal("nothing of the data is left", "", machine.run("ls /data/mine 2>/dev/null", check=False))
        checks.equal("the image is the same", version, machine.run("cat /usr/lib/pipub/image-version"))

    def uefi(self):
        checks, machine = self.checks, self.machine
        machine.shut_down()
        machine.firmware, machine.sticks = "uefi", []
        machine.start()
        checks.figure("from the emulator's start to the page by UEFI, seconds", f"{machine.wait_for_page():.0f}")
        checks.that("the same disk starts by UEFI", "on efi" in machine.said(), machine.said()[:500])
        checks.that("an orderly shutdown has kept the end of the log", machine.run("ls /data/log"))


STEPS = ("refusals", "visit", "update", "crash", "reset", "uefi")


def main():
    checks = Checks()
    steps = sys.argv[2].split(",") if len(sys.argv) > 2 else STEPS
    tour = Tour(checks, Workspace(sys.argv[1], "machine"), steps)
    try:
        tour.first()
        for step in STEPS:
            if step in steps and time.time() >= float(os.environ.get("BEGIN_BEFORE") or "inf"):
                checks.skip(step, "there is no time left for it")
            elif step in steps:
                getattr(tour, step)()
    except Exception:
        print(tour.machine.said()[-3000:])
        raise
    finally:
        tour.machine.stop()
    checks.end()


if __name__ == "__main__":
    main()
