#!/usr/bin/env python3
"""gpio.py <a board's directory in out/image> - lights and button at GPIO lines: the node of the image drives a chip of the kernel's gpio-sim
(Documentation/admin-guide/gpio/gpio-sim.rst) through libgpiod, from its sandbox. Trixie's kernel has none, so the image is that of
`KERNEL=trixie-backports WORK=out/image/pc-gpio image/build pc`, in an emulator."""

import os
import sys
import time

from checks import Checks, wait_for
from emulator import Machine
from workspace import Workspace

LIGHT, ACTIVITY, BUTTON = 3, 4, 5
WIRING = f"status-light = gpio {LIGHT}\nactivity-light = gpio {ACTIVITY}\nbutton = gpio {BUTTON} low\nscreen = none\n"
MAKE_CHIP = f"""
modprobe gpio-sim
cd /sys/kernel/config/gpio-sim
mkdir -p box/bank0/line{BUTTON}
echo 8 >box/bank0/num_lines
echo 1 >box/live
chip=$(cat box/bank0/chip_name)
echo pull-up >/sys/devices/platform/$(cat box/dev_name)/$chip/sim_gpio{BUTTON}/pull
echo /sys/devices/platform/$(cat box/dev_name)/$chip /dev/$chip
"""


def main():
    checks = Checks()
    work = Workspace(os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "pc-gpio"), "gpio")
    machine = Machine(work.directory, work.card("1300M", {"authorized_keys": work.authorized_keys, "hardware.conf": WIRING}), work.key)
    machine.start()
    try:
        machine.wait_for_page()
        machine.wait_until_kept()
        said = machine.run("journalctl -b -u pipub -o cat --no-pager")
        checks.equal("of a chip that is not there the box says so once, and goes on", 1, sum("hardware.conf" in line for line in said.splitlines())) or print(said)
        lines, chip = machine.run(MAKE_CHIP).split()
        checks.figure("kernel and chip", machine.run("uname -r") + ", " + chip)
        machine.run(f"sed -i 's|^status-light|chip = {chip}\\n&|' /data/hardware.conf; systemctl restart pipub", patience=900)
        checks.that("the node holds its lines", wait_for("the lines", lambda: machine.run("cat /sys/kernel/debug/gpio 2>/dev/null").count("pipub") >= 3, 300, 2))
        said = machine.run(f"for i in $(seq 150); do cat {lines}/sim_gpio{LIGHT}/value; sleep 0.1; done")
        checks.equal("its light blinks", {"0", "1"}, set(said.split())) or print(said)
        machine.run(f"echo pull-down >{lines}/sim_gpio{BUTTON}/pull; sleep 0.5; echo pull-up >{lines}/sim_gpio{BUTTON}/pull")
        time.sleep(3)
        checks.equal("a short press restarts nothing", 1, len(machine.starts()))
        pressed = machine.run("journalctl -b -u pipub -o cat --no-pager | grep held", check=False)
        checks.that("the node has felt the short press", "The button was held for 0." in pressed or "The button was held for 1." in pressed, pressed)
        machine.run(f"(echo pull-down >{lines}/sim_gpio{BUTTON}/pull; sleep 5; echo pull-up >{lines}/sim_gpio{BUTTON}/pull) >/dev/null 2>&1 &")
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
