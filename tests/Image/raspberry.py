"""A Raspberry Pi 3 made of software (QEMU's raspi3b), which starts from a card as the real one does: U-Boot, the slot's kernel, its root."""

import os
import re
import socket
import subprocess
import time

from emulator import IN_TOOLS, Machine, REPOSITORY, TOOLS, free_port, tools

# BCM2835 ARM Peripherals, 6.1: function select (ten lines a register, three bits each), and the level of lines 0 to 31.
FUNCTION_SELECT, LEVELS = 0x3F200000, 0x3F200034
INPUT, OUTPUT = 0, 1

# The emulated network card may come up with another hardware address after a restart, and is then given the next address.
ADDRESSES = range(15, 21)


class Raspberry(Machine):
    """Its card is a file, which it writes to. What was put in has a power of two as its size."""

    # The 3B+: its own light is at a line of the BCM2835, that of the 3B at a chip of the firmware, which is not there. So is the power light
    # of both, and the kernel takes all of a board's lights or none: this one is taken out of the tree.
    TREE = "bcm2837-rpi-3-b-plus.dtb"
    WITHOUT_POWER_LIGHT = "fdt addr ${fdt_addr}; fdt rm /leds/led-pwr; "

    def __init__(self, directory, disk, key, sticks=()):
        super().__init__(directory, disk, key, sticks=sticks)
        self.doors = {}
        # Its watchdog resets at once when it is opened. And what the system says shall be seen from here.
        with open(os.path.join(directory, "env.txt"), "w", encoding="ascii") as file:
            with open(os.path.join(REPOSITORY, "image", "rpi", "uboot-env.txt"), encoding="ascii") as source:
                file.write(source.read().replace("bootcmd=", "bootcmd=" + self.WITHOUT_POWER_LIGHT))
            file.write("extra=systemd.watchdog_sec=off systemd.journald.forward_to_console=1 systemd.journald.max_level_console=info\n")
        tools("mkenvimage", "-s", "0x4000", "-o", self._path("uboot.env"), self._path("env.txt"))
        tools("mcopy", "-o", "-i", f"{disk}@@1M", self._path("uboot.env"), "::uboot.env")
        for name in ("u-boot.bin", self.TREE):
            tools("mcopy", "-o", "-i", f"{disk}@@1M", f"::{name}", self._path(name))

    def _path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        for path in (self.serial, self.monitor):
            if os.path.exists(path):
                os.remove(path)
        self.doors = {last: {number: free_port() for number in (22, 80)} for last in ADDRESSES}
        self.ports = self.doors[ADDRESSES[0]]
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{outside}-10.0.2.{last}:{inside}" for last, ports in self.doors.items() for inside, outside in ports.items())
        # Its time is counted in instructions (a processor of 500 MHz that does one a tick): however little of the host it is given, its
        # own patience lasts as long as that of a machine does which has all it needs.
        command = ["qemu-system-aarch64", "-M", "raspi3b", "-icount", "shift=1,sleep=on", "-display", "none", "-monitor", "none", "-qmp", f"unix:{self.monitor},server=on,wait=off",
                   "-kernel", self._path("u-boot.bin"), "-dtb", self._path(self.TREE), "-drive", f"if=sd,file={self.disk},format=raw,cache=writeback",
                   "-netdev", f"user,id=net{forwards}", "-device", "usb-net,netdev=net",
                   # A controller of the SSD1306's kin, which answers at its address and shows nothing of what it is told.
                   "-device", "ssd0303,address=0x3c,bus=i2c-bus.1", "-serial", "null", "-serial", f"file:{self.serial}"]
        for number, stick in enumerate(self.sticks):
            command += ["-drive", f"if=none,id=stick{number},file={stick},format=raw,readonly=off", "-device", f"usb-storage,drive=stick{number}"]
        self.log = open(self._path("emulator.log"), "wb")
        self.began = time.monotonic()
        self.process = subprocess.Popen(["nice", "-n", os.environ.get("EMULATOR_NICE", "10"), IN_TOOLS, TOOLS, *command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def answers(self):
        """Whether SSH does, at whichever address the machine was given; the one that does is kept."""
        for ports in self.doors.values():
            if self._greets(ports[22]):
                self.ports = ports
                return super().answers()
        return False

    @staticmethod
    def _greets(port):
        try:
            with socket.create_connection(("127.0.0.1", port), 30) as connection:
                return connection.recv(4).startswith(b"SSH")
        except OSError:
            return False

    def word(self, address):
        """A word of its memory or of a register, read from outside."""
        said = self.ask("human-monitor-command", **{"command-line": f"xp /1xw {address:#x}"})["return"]
        return int(re.search(r": (0x[0-9a-f]+)", said)[1], 16)

    def function(self, line):
        """What a GPIO line is switched to."""
        return self.word(FUNCTION_SELECT + 4 * (line // 10)) >> 3 * (line % 10) & 7

    def levels(self, lines, seconds=15):
        """How the lines stood, one set for each, while they were watched from outside."""
        seen, until = {line: set() for line in lines}, time.monotonic() + seconds
        while time.monotonic() < until:
            word = self.word(LEVELS)
            for line in lines:
                seen[line].add(word >> line & 1)
            time.sleep(0.02)
        return seen
