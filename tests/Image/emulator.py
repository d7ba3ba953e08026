"""A PC (or a Raspberry Pi) made of software, which starts from an image, and what is done to it from outside."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
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
        # The path of a socket has room for a hundred characters.
        self.sockets = tempfile.TemporaryDirectory(prefix="pipub-")
        self.connection = os.path.join(self.sockets.name, "ssh")
        self.ports = {}
        self.process = None

    def start(self):
        for path in (self.serial, self.monitor):
            if os.path.exists(path):
                os.remove(path)
        self.ports = {number: free_port() for number in (22, 80, 443, 8008)}
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{outside}-:{inside}" for inside, outside in self.ports.items())
        # EMULATOR_CPUS and EMULATOR_NICE: how much of a host with other things to do it takes. Its watchdog does nothing: a busy host may leave the emulator without a processor for as long as a real machine never is.
        command = ["qemu-system-x86_64", "-M", "q35,accel=tcg", "-cpu", "max", "-smp", os.environ.get("EMULATOR_CPUS", "2"), "-m", str(self.memory), "-action", "watchdog=none", "-display", "none", "-monitor", "none",
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

    def worked(self):
        """How many seconds of processor time it has taken so far: that of a busy host is the same, where the time that passes is not."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

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
        """Runs a shell command in it, by SSH."""
        # One connection for all: to make one takes the emulator longer than most of what is asked.
        done = self._connect(patience)
        if done.returncode:
            done = self._connect(patience)
        if not done.returncode:
            done = self._ssh(command=command, stdout=subprocess.PIPE, timeout=patience)
        if check and done.returncode:
            raise RuntimeError(f"{command} ended with {done.returncode}: {done.stdout}")
        return done.stdout.strip()

    def _connect(self, patience):
        if (there := self._ssh("-O", "check")).returncode == 0:
            return there
        with open(os.path.join(self.directory, "ssh.log"), "w+", encoding="utf-8") as log:
            made = self._ssh("-o", "ControlMaster=yes", "-fN", stdout=log, timeout=patience)
            log.seek(0)
            made.stdout = log.read()
            return made

    def _ssh(self, *options, command=None, stdout=subprocess.DEVNULL, timeout=300):
        return subprocess.run(["ssh", "-i", self.key, "-p", str(self.ports[22]), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                               "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=120", "-o", "ServerAliveInterval=60", "-o", "ServerAliveCountMax=30", "-o", f"ControlPath={self.connection}", *options,
                               "root@127.0.0.1", *([command] if command else [])],
                              stdout=stdout, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, timeout=timeout)

    def hang_up(self):
        """Ends the connection, which a machine that restarts need not."""
        self._ssh("-O", "exit")

    def answers(self):
        try:
            return self.run("true", check=True, patience=300) == ""
        except (RuntimeError, subprocess.TimeoutExpired):
            return False

    def wait_for_page(self, patience=3600):
        wait_for("the page", lambda: self._lives() and self.page(), patience, 3)
        return time.monotonic() - self.began

    def wait_until_kept(self, patience=3600):
        """Until the health gate has judged: what it said."""
        wait_for("SSH", lambda: self._lives() and self.answers(), patience, 2)
        wait_for("the health gate", lambda: self.run("systemctl show -P SubState pipub-health", check=False) in ("dead", "failed"), patience, 5)
        return self.run("journalctl -u pipub-health -o cat --no-pager | tail -n 3")

    def wait_for_start(self, number, patience=3600):
        """Until the boot loader has started a slot for the n-th time since this machine was switched on."""
        starts = wait_for(f"start {number}", lambda: self._lives() and len(self.starts()) >= number and self.starts(), patience, 1)
        self.hang_up()
        return starts

    def _lives(self):
        if self.process.poll() is not None:
            raise RuntimeError("the emulator ended: " + open(self.log.name, errors="replace").read()[-2000:])
        return True

    def stop(self):
        """Switches it off without a word, as by pulling the plug. (What it wrote is in the file all the same.)"""
        if self.process and self.process.poll() is None:
            self.hang_up()
            try:
                self.ask("quit")
            except (OSError, ValueError):
                self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
            self.log.close()

    def shut_down(self, patience=900):
        """Switches it off in order."""
        self.run("systemctl poweroff", check=False)
        self.hang_up()
        self.process.wait(patience)
        self.log.close()
