"""A PC (or a Raspberry Pi) made of software, which starts from an image, and what is done to it from outside."""

import json
import os
import re
import signal
import socket
import subprocess
import time

from checks import first_page, output, wait_for

REPOSITORY = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
TOOLS = os.path.join(REPOSITORY, "out", "image", "test-tools")
IN_TOOLS = os.path.join(REPOSITORY, "image", "steps", "in-tools")


def tools(*command, check=True, **options):
    """Runs a command among the tools."""
    return output(IN_TOOLS, TOOLS, *command, check=check, **options)


def free_port():
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


class Machine:
    """Its disk is a file, which it writes to."""

    def __init__(self, directory, disk, key, firmware="bios", memory=512, sticks=(), drive=None):
        self.directory, self.disk, self.key, self.firmware, self.memory, self.sticks = directory, disk, key, firmware, memory, list(sticks)
        self.drive = drive or ["-drive", f"if=none,id=disk,file={disk},format=raw,cache=writeback,discard=unmap", "-device", "virtio-blk-pci,drive=disk,bootindex=1"]
        self.serial = os.path.join(directory, "serial")
        self.monitor = os.path.join(directory, "monitor")
        self.ports = {}
        self.process = None

    def start(self):
        for path in (self.serial, self.monitor):
            if os.path.exists(path):
                os.remove(path)
        self.ports = {number: free_port() for number in (22, 80, 443, 8008)}
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{outside}-:{inside}" for inside, outside in self.ports.items())
        # Its watchdog does nothing: a busy host may leave the emulator without a processor for as long as a real machine never is.
        command = ["qemu-system-x86_64", "-M", "q35,accel=tcg", "-cpu", "max", "-smp", "2", "-m", str(self.memory), "-action", "watchdog=none", "-display", "none", "-monitor", "none",
                   "-qmp", f"unix:{self.monitor},server=on,wait=off", "-serial", f"file:{self.serial}", "-device", "virtio-rng-pci",
                   "-netdev", f"user,id=net{forwards}", "-device", "virtio-net-pci,netdev=net,romfile=", *self.drive]
        if self.firmware == "uefi":
            variables = os.path.join(self.directory, "variables.fd")
            if not os.path.exists(variables):
                output("cp", os.path.join(TOOLS, "usr/share/OVMF/OVMF_VARS_4M.fd"), variables)
            command += ["-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd", "-drive", f"if=pflash,format=raw,unit=1,file={variables}"]
        if self.sticks:
            command += ["-device", "qemu-xhci"]
        for number, stick in enumerate(self.sticks):
            command += ["-drive", f"if=none,id=stick{number},file={stick},format=raw", "-device", f"usb-storage,drive=stick{number}"]
        self.log = open(os.path.join(self.directory, "emulator.log"), "wb")
        self.began = time.monotonic()
        self.process = subprocess.Popen(["nice", "-n", os.environ.get("EMULATOR_NICE", "10"), IN_TOOLS, TOOLS, *command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def said(self):
        """What it wrote to its serial line."""
        try:
            with open(self.serial, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def starts(self):
        """The slots that the boot loader started, in order."""
        return re.findall(r"PiPub: starting slot ([AB])", self.said())

    def ask(self, command, **arguments):
        """Asks the emulator's monitor (QMP)."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.monitor)
            file = connection.makefile("rw")
            file.readline()
            for one in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                file.write(json.dumps(one) + "\n")
                file.flush()
                while "return" not in (answer := json.loads(file.readline())) and "error" not in answer:
                    pass
            return answer

    def page(self):
        """The body of the first page that a visitor comes to, or None."""
        return first_page(f"http://127.0.0.1:{self.ports[80]}/")

    def run(self, command, check=True, patience=900):
        """Runs a shell command in it, by SSH. Once more where SSH itself did not come about (255)."""
        done = self._run(command, patience)
        if done.returncode == 255 and "banner exchange" in done.stdout:
            done = self._run(command, patience)
        if check and done.returncode:
            raise RuntimeError(f"{command} ended with {done.returncode}: {done.stdout}")
        return done.stdout.strip()

    def _run(self, command, patience):
        return subprocess.run(["ssh", "-i", self.key, "-p", str(self.ports[22]), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                               "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=60", "-o", "ServerAliveInterval=30", "root@127.0.0.1", command],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, timeout=patience)

    def answers(self):
        try:
            return self.run("true", check=True, patience=90) == ""
        except (RuntimeError, subprocess.TimeoutExpired):
            return False

    def wait_for_page(self, patience=1800):
        wait_for("the page", lambda: self._lives() and self.page(), patience, 1)
        return time.monotonic() - self.began

    def wait_until_kept(self, patience=1800):
        """Until the health gate has judged: what it said."""
        wait_for("SSH", lambda: self._lives() and self.answers(), patience, 2)
        wait_for("the health gate", lambda: self.run("systemctl show -P SubState pipub-health", check=False) in ("dead", "failed"), patience, 3)
        return self.run("journalctl -u pipub-health -o cat --no-pager | tail -n 3")

    def wait_for_start(self, number, patience=1200):
        """Until the boot loader has started a slot for the n-th time since this machine was switched on."""
        return wait_for(f"start {number}", lambda: self._lives() and len(self.starts()) >= number and self.starts(), patience, 1)

    def _lives(self):
        if self.process.poll() is not None:
            raise RuntimeError("the emulator ended: " + open(self.log.name, errors="replace").read()[-2000:])
        return True

    def stop(self):
        """Switches it off without a word, as by pulling the plug. (What it wrote is in the file all the same.)"""
        if self.process and self.process.poll() is None:
            try:
                self.ask("quit")
            except (OSError, ValueError):
                self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
            self.log.close()

    def shut_down(self, patience=300):
        """Switches it off in order."""
        self.run("systemctl poweroff", check=False)
        self.process.wait(patience)
        self.log.close()
