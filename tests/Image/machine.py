#!/usr/bin/env python3
"""machine.py <board's directory in out/image> - the image as a machine of its own, in an emulator: boot loader, partitions, updates
and the way back from them, factory reset. To be run by `run`. With FULL=1 also what needs more than one start each."""

import json
import os
import shutil
import sys

from checks import Checks, output
from emulator import Machine, REPOSITORY, tools
from updates import Updates, stick

CLAIM = "machine7code"
NETWORK_KEY = "cGlwdWItdGVzdC1uZXR3b3JrLW9mLXRoZS1pbWFnZSE="
HERE = os.path.dirname(os.path.abspath(__file__))
FULL = bool(os.environ.get("FULL"))


def card(image, target, size, files):
    """The image on a larger disk, with files on the partition that any computer can edit."""
    output("cp", "--sparse=always", image, target)
    output("truncate", "-s", size, target)
    tools("mcopy", "-o", "-i", f"{target}@@2M", *files, "::/")


def update(checks, machine, bundle):
    """Installs an update and starts anew."""
    said = machine.run(f"rauc install {bundle} 2>&1", check=False, patience=1800)
    if not checks.that(f"{os.path.basename(bundle)} is installed", "Installing" in said and "succeeded" in said, said):
        return False
    started = len(machine.starts())
    # The node asks by a file, as it does when its owner presses the button.
    machine.run("setpriv --reuid=pipub --regid=pipub --init-groups touch /run/pipub/requests/reboot")
    machine.wait_for_start(started + 1)
    return True


def main():
    checks = Checks()
    board = os.path.abspath(sys.argv[1])
    work = os.path.join(board, "machine")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    key = os.path.join(work, "key")
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    files = {"authorized_keys": open(key + ".pub", encoding="ascii").read(), "claim": CLAIM, "pipub.conf": f"network-key = {NETWORK_KEY}\n"}
    for name, content in files.items():
        with open(os.path.join(work, name), "w", encoding="ascii") as file:
            file.write(content)
    disk = os.path.join(work, "disk.img")
    card(os.path.join(board, "disk.img"), disk, "2G", [os.path.join(work, name) for name in files])

    # The image under test is signed with these; it trusts their authority.
    keys = os.environ.get("KEYS") or os.path.join(REPOSITORY, "out", "development-keys")
    updates = Updates("pc", os.path.join(work, "updates"), keys)
    strangers = os.path.join(work, "strangers-keys")
    output(os.path.join(REPOSITORY, "image", "release-keys"), strangers, env={**os.environ, "QUIET": "1"})
    empty = updates.bundle("empty", "99.0.0")
    bundles = {
        "good": updates.with_root("good", "90.0.0", "true"),
        "crashing": updates.with_root("crashing", "91.0.0", "printf '#!/bin/sh\\nexit 7\\n' | replace usr/lib/pipub/pipub 755"),
        "of-another": updates.bundle("of-another", "99.0.0", keys=strangers),
        "for-another-board": updates.bundle("for-another-board", "99.0.0", board="rpi"),
        "truncated": updates.truncated(empty, "truncated"),
        "tampered": updates.tampered(empty, "tampered"),
        "older": updates.bundle("older", "0.0.1"),
    }
    usb = stick(os.path.join(work, "stick.img"), 700, list(bundles.values()))
    shutil.rmtree(updates.directory)
    on_stick = {name: f"/run/usb/sda1/{name}.raucb" for name in bundles}

    machine = Machine(work, disk, key, sticks=[usb])
    machine.start()
    try:
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
        node = int(machine.run("systemctl show -P MainPID pipub"))
        checks.that("the node's memory has its limit", machine.run("systemctl show -P MemoryMax pipub") not in ("infinity", ""), node)
        checks.figure("memory in use", machine.run("free -m | sed -n 2p"))
        identity = machine.run("head -c 32 /etc/machine-id"), machine.run("sha256sum /data/pipub/secret")
        before = machine.run("cat /usr/lib/pipub/image-version")

        checks.that("a USB stick is mounted, for the node to read and to write", "good.raucb" in machine.run("setpriv --reuid=pipub --regid=pipub --init-groups sh -c 'cd /run/usb/sda1 && touch x && rm x && ls'", check=False))
        checks.that("the node's own view of the machine has the stick, writable", machine.run(
            "pid=$(systemctl show -P MainPID pipub); nsenter --target $pid --mount setpriv --reuid=pipub --regid=pipub --clear-groups sh -c 'echo x >/run/usb/sda1/y && cat /run/usb/sda1/y && rm /run/usb/sda1/y'", check=False) == "x")
        for name, reason in {"of-another": "signature", "for-another-board": "ompatible", "truncated": "", "tampered": "", "older": "ersion"}.items():
            said = machine.run(f"setpriv --reuid=pipub --regid=pipub --init-groups rauc install {on_stick[name]} 2>&1; echo ended with $?", check=False)
            checks.that(f"the update \"{name}\" is refused, with the reason", "ended with 0" not in said and "LastError" in said and reason in said, said)

        visitor = os.path.join(HERE, "bin", os.environ.get("CONFIGURATION", "Release"), "net10.0", "Image")
        if FULL:
            visited = output(visitor, f"http://127.0.0.1:{machine.ports[80]}", CLAIM, f"127.0.0.1:{machine.ports[8008]}", NETWORK_KEY, os.path.join(work, "peer"), check=False)
            checks.that("the box is claimed in a browser, and a JavaScript peer replicates", visited.count("ok ") == 4, visited)

        if update(checks, machine, on_stick["good"]):
            machine.wait_for_page()
            said = machine.wait_until_kept()
            checks.equal("the update runs in the other slot", "90.0.0 B", machine.run("cat /usr/lib/pipub/image-version; grep -o 'rauc.slot=.' /proc/cmdline | tail -c 2").replace("\n", " "))
            checks.that("the health gate keeps the update", "is kept" in said, said)
            checks.equal("the box is still the same", identity, (machine.run("head -c 32 /etc/machine-id"), machine.run("sha256sum /data/pipub/secret")))
            said = machine.run(f"rauc install {on_stick['older']} 2>&1", check=False)
            checks.that(f"now there is no way back to {before}", "ersion" in said and "LastError" in said, said)

        if update(checks, machine, on_stick["crashing"]):
            started = len(machine.starts())
            starts = machine.wait_for_start(started + 1, 1800)
            checks.that(f"a version whose node crashes is left for the one before, within three starts ({''.join(starts)})", starts[-1] == "B" and starts[started - 1] == "A", starts)
            machine.wait_for_page()
            checks.equal("the version before runs again", "90.0.0", machine.run("cat /usr/lib/pipub/image-version"))
            report = machine.run("cat /data/health.json")
            checks.that("why it went back is kept for the page", json.loads(report)["version"] == "91.0.0" and not json.loads(report)["passed"], report)
            said = machine.wait_until_kept()
            checks.that("the version before is well", "is kept" in said, said)

        started = len(machine.starts())
        machine.run("echo mine >/data/mine; setpriv --reuid=pipub --regid=pipub --init-groups touch /run/pipub/requests/factory-reset", check=False)
        machine.wait_for_start(started + 1)
        machine.wait_for_page()
        machine.wait_until_kept()
        now = machine.run("head -c 32 /etc/machine-id"), machine.run("sha256sum /data/pipub/secret")
        checks.that("after a factory reset the box is another one", now[0] != identity[0] and now[1] != identity[1], (identity, now))
        checks.equal("nothing of the data is left", "", machine.run("ls /data/mine 2>/dev/null", check=False))
        checks.equal("the image is the same", "90.0.0", machine.run("cat /usr/lib/pipub/image-version"))
        machine.shut_down()

        machine.firmware, machine.sticks = "uefi", []
        machine.start()
        checks.figure("from the emulator's start to the page by UEFI, seconds", f"{machine.wait_for_page():.0f}")
        checks.that("the same disk starts by UEFI", "on efi" in machine.said())
        checks.that("an orderly shutdown has kept the end of the log", machine.run("ls /data/log"))
    except Exception:
        print(machine.said()[-3000:])
        raise
    finally:
        machine.stop()
    checks.end()


if __name__ == "__main__":
    main()
