"""A GPIO chip of the kernel's gpio-sim (Documentation/admin-guide/gpio/gpio-sim.rst) in the box: what is wired to it is seen and pressed
from beside the node, through files."""

import time

LINES = 32


class Chip:
    """A chip with a button, which is not pressed, at one of its lines."""

    def __init__(self, run, button):
        """`run` runs a shell command in the box as root."""
        self.run = run
        lines, self.path = run(f"""
            modprobe gpio-sim
            cd /sys/kernel/config/gpio-sim
            mkdir -p box/bank0/line{button}
            echo {LINES} >box/bank0/num_lines
            echo 1 >box/live
            chip=$(cat box/bank0/chip_name)
            lines=/sys/devices/platform/$(cat box/dev_name)/$chip
            echo pull-up >$lines/sim_gpio{button}/pull
            echo $lines /dev/$chip
            """).split()[-2:]
        self.lines = lines
        self._pull = f"{lines}/sim_gpio{button}/pull"

    def wire(self):
        """Has hardware.conf name this chip, and the node open its lines."""
        self.run(f"sed -i -e '/^chip/d' -e '1i chip = {self.path}' /data/hardware.conf; systemctl restart pipub")

    def held(self):
        """How many of its lines the node holds."""
        return self.run(f"sed -n '/^{self.path.removeprefix('/dev/')}:/,/^$/p' /sys/kernel/debug/gpio 2>/dev/null", check=False).count("pipub")

    def levels(self, line, seconds=15):
        """The levels that a line had while it was watched."""
        said = self.run(f"end=$(($(cut -d. -f1 /proc/uptime) + {seconds})); while [ $(cut -d. -f1 /proc/uptime) -lt $end ]; do cat {self.lines}/sim_gpio{line}/value; sleep 0.05; done")
        return set(said.split())

    def press(self, seconds):
        """Presses the button, a low level, and lets it go after so long by the box's clock. It may restart meanwhile."""
        self.run(f"(echo pull-down >{self._pull}; sleep {seconds}; echo pull-up >{self._pull}) >/dev/null 2>&1 &")

    def opens(self, page):
        """Whether a short press lets whoever opens the page claim the box without its code, which it does for two minutes. A box that is
        slower than that is asked again."""
        for _ in range(3):
            self.press(0.5)
            for _ in range(20):
                if "no code is needed" in (page() or ""):
                    return True
                time.sleep(2)
        return False
