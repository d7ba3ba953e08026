#!/usr/bin/env python3
"""gpio.py <a board's directory in out/image> - lights and button at GPIO lines: the node of the image drives a chip of the kernel's gpio-sim
through libgpiod, from its sandbox. Trixie's kernel has none, so the image is that of
`KERNEL=trixie-backports WORK=out/image/pc-gpio image/build pc`, in an emulator."""

import os
import sys

from checks import Checks, wait_for
from emulator import Machine
from simulated import Chip
from workspace import Workspace

LIGHT, ACTIVITY, BUTTON = 3, 4, 5
WIRING = f"status-light = gpio {LIGHT}\nactivity-light = gpio {ACTIVITY}\nbutton = gpio {BUTTON} low\nscreen = none\nchip = /dev/gpiochip9\n"


def main():
    checks = Checks()
    work = Workspace(os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "pc-gpio"), "gpio")
    machine = Machine(work.directory, work.card("1300M", {"authorized_keys": work.authorized_keys, "hardware.conf": WIRING}), work.key)

    def log(word):
        return [line for line in machine.run("journalctl -b -u pipub -o cat --no-pager").splitlines() if word in line]

    machine.start()
    try:
        machine.wait_for_page(3600)
        machine.wait_until_kept(3600)
        said = log("hardware.conf")
        checks.equal("of a chip that is not there the box says so once, and goes on", 1, len(said)) or print(said)
        chip = Chip(machine.run, BUTTON)
        checks.figure("kernel and chip", machine.run("uname -r") + ", " + chip.path)
        chip.wire()
        checks.equal("the node holds its lines", 3, wait_for("the lines", chip.held, 900, 2))
        checks.equal("its light blinks", {"0", "1"}, chip.levels(LIGHT))
        checks.that("a new box wants its code", "no code is needed" not in machine.page())
        checks.that("a short press opens it without", chip.opens(machine.page), log("held"))
        checks.equal("and restarts nothing", 1, len(machine.starts()))
        chip.press(5)
        machine.wait_for_start(2)
        checks.that("three seconds and more restart the machine", True)
    except Exception:
        print(machine.said()[-3000:])
        raise
    finally:
        machine.stop()
    checks.end()


if __name__ == "__main__":
    main()
