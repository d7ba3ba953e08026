#!/usr/bin/env python3
"""native.py <board's directory in out/image> - the whole userland of the image, started as a container at native speed: everything
that needs no boot loader and no disk. To be run by `run`, in a network namespace of its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from checks import Checks, first_page, output, wait_for
from gate import gate
from sandbox import in_sandbox
from workspace import NETWORK_KEY, Workspace

HERE = os.path.dirname(os.path.abspath(__file__))
BOX, NEIGHBOUR = "10.99.0.2", "10.99.0.1"
CLAIM = "native7code"
VISITOR = os.path.join(HERE, "bin", os.environ.get("CONFIGURATION", "Release"), "net10.0", "Image")


class Container:
    """The box, with a cable to this namespace. Its card is two directories, for its data and its firmware partition, which outlast it."""

    def __init__(self, image, directory):
        self.image, self.directory = image, directory
        self.process = None

    def insert(self, card):
        """A new card: nothing but the image is on it."""
        self.data, self.firmware = (os.path.join(self.directory, card, name) for name in ("data", "firmware"))
        os.makedirs(self.data)
        shutil.copytree(os.path.join(HERE, "..", "..", "provisioning", "firmware"), self.firmware)

    def write(self, files):
        """What the owner writes on the card."""
        for name, content in files.items():
            with open(os.path.join(self.firmware, name), "w", encoding="ascii", newline="") as file:
                file.write(content)

    def start(self, *to_init):
        network = os.path.join(self.directory, "10-host0.network")
        with open(network, "w", encoding="ascii") as file:
            file.write(f"[Match]\nName=host0\n[Network]\nAddress={BOX}/24\nGateway={NEIGHBOUR}\n")
        self.console = open(os.path.join(self.directory, "console"), "wb")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [os.path.join(HERE, "as-container"), self.image, "--machine=pipub", "--network-veth",
             f"--bind-ro={network}:/run/systemd/network/10-host0.network", f"--bind={self.data}:/data", f"--bind={self.firmware}:/boot/firmware", *to_init],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=subprocess.STDOUT)
        wait_for("the cable", lambda: subprocess.run(["ip", "link", "set", "ve-pipub", "up"], stderr=subprocess.DEVNULL).returncode == 0, 300, 0.02)
        output("ip", "addr", "add", f"{NEIGHBOUR}/24", "dev", "ve-pipub")
        self.init = int(wait_for("the container's init", self._init, 300, 0.02))

    def _init(self):
        if self.process.poll() is not None:
            raise RuntimeError("the container ended: " + open(self.console.name, errors="replace").read()[-2000:])
        # systemd-nspawn is what the shells became; the container's init is the child with a process namespace of its own.
        for child in output("ps", "-o", "pid=", "--ppid", str(self.process.pid), check=False).split():
            if os.readlink(f"/proc/{child}/ns/pid") != os.readlink("/proc/self/ns/pid"):
                return child
        return None

    def run(self, *command, check=True, user=None):
        """Runs a command in the box."""
        if user:
            command = ("setpriv", f"--reuid={user}", "--regid=" + {"nobody": "nogroup"}.get(user, user), "--init-groups", "env", "HOME=/data/pipub", *command)
        return output("nsenter", "--target", str(self.init), "--all", "--root", "--wd", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command, check=check)

    def wait_until_started(self):
        return wait_for("the end of the start", lambda: self.run("systemctl", "is-system-running", check=False) in ("running", "degraded"), 300)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(300)
        self.console.close()


def page():
    """The first page that a browser comes to at a new box, or None."""
    return first_page(f"http://{BOX}/")


def port(number):
    """open, closed (refused), or filtered (no answer)."""
    with socket.socket() as tried:
        tried.settimeout(3)
        try:
            tried.connect((BOX, number))
            return "open"
        except ConnectionRefusedError:
            return "closed"
        except (TimeoutError, OSError):
            return "filtered"


def ssh(key, *command):
    return subprocess.run(["ssh", "-i", key, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                           "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10", f"root@{BOX}", *command], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def data_options():
    """With what options the box mounts its data, for whoever does so in its place."""
    with open(os.path.join(HERE, "..", "..", "provisioning", "root", "etc", "fstab"), encoding="ascii") as file:
        options = re.search(r"^/dev/mapper/data\s+/data\s+ext4\s+(\S+)", file.read(), re.MULTILINE)[1]
    return ",".join(one for one in options.split(",") if not one.startswith("x-"))


def memory_of(init):
    """Proportional memory of every process in the container, in MB, by name."""
    namespace = os.readlink(f"/proc/{init}/ns/pid")
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/ns/pid") == namespace:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                    size = int(re.search(r"^Pss:\s+(\d+)", file.read(), re.MULTILINE)[1])
                with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                    name = file.read().strip()
                found[name] = found.get(name, 0) + size / 1024
        except (OSError, TypeError):
            continue
    return found


def visit(checks, what, directory):
    """A browser and a JavaScript peer at the box."""
    visited = subprocess.run([VISITOR, what, f"http://{BOX}", CLAIM, f"{BOX}:8008", NETWORK_KEY, directory], capture_output=True, text=True, env={**os.environ, "CABLE_TO_BOX": "ve-pipub"})
    for line in visited.stdout.splitlines():
        checks.that(line.removeprefix("ok "), line.startswith("ok "), line)
    checks.that(f"the visit to {what} came to its end", visited.returncode == 0, visited.stderr)


def main():
    checks = Checks()
    work = Workspace(sys.argv[1], "native")
    box = Container(os.path.join(work.board, "disk", "root.squashfs"), work.directory)
    box.insert("first")
    key = work.key

    # A card that nobody has written to: SSH is off.
    box.start()
    try:
        started = wait_for("the page", page, 300, 0.05)
        checks.figure("from the start of the container to the page, seconds", f"{time.monotonic() - box.began:.1f}")
        checks.that("the page of a new box answers", started)
        box.wait_until_started()
        checks.equal("no unit failed", "", box.run("systemctl", "--failed", "--no-legend", "--plain"))
        checks.equal("the root is read-only", "ro", box.run("findmnt", "-no", "OPTIONS", "/").split(",")[0])
        checks.that("the root cannot be written", "Read-only" in box.run("touch", "/usr/x", "/etc/x", check=False))
        node = box.run("systemctl", "show", "-P", "MainPID", "pipub")
        status = dict(line.split(":", 1) for line in box.run("cat", f"/proc/{node}/status").splitlines())
        checks.equal("the node is user pipub", "900", status["Uid"].split()[0])
        checks.equal("the node has no capabilities", {0}, {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")})
        checks.equal("the node cannot gain privileges", "1", status["NoNewPrivs"].strip())
        checks.equal("the node's system calls are filtered", "2", status["Seccomp"].strip())
        score = float(re.search(r"(\d+\.\d+)", box.run("systemd-analyze", "security", "--offline=yes", "--no-pager", "pipub.service").splitlines()[-1])[1])
        checks.that(f"systemd's exposure score of the node is {score}, at most 2.0", score <= 2.0)
        checks.that("the node says that it is ready, and is watched", box.run("systemctl", "show", "-P", "Type", "pipub") == "notify"
                    and box.run("systemctl", "show", "-P", "WatchdogUSec", "pipub") != "0")
        health = json.loads(box.run("pipub", "health", "--json", user="pipub", check=False))
        checks.that("the box finds itself well", health["healthy"], json.dumps(health, indent=1))
        checks.that("who is not the node cannot read its data", "Permission denied" in box.run("ls", "/data/pipub", user="nobody", check=False))
        checks.equal("ports 80, 443 and 8008 are open", ["open"] * 3, [port(number) for number in (80, 443, 8008)])
        listener = subprocess.Popen(["nsenter", "--target", str(box.init), "--net", "python3", "-m", "http.server", "9999"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the listener", lambda: ":9999" in box.run("ss", "-ltn"), 300)
        checks.equal("a port that is not served is shut, even if somebody listens", "filtered", port(9999))
        listener.terminate()
        listener.wait()
        checks.equal("without a key SSH is off and its port shut", ["filtered", "inactive"], [port(22), box.run("systemctl", "is-active", "ssh", check=False)])
        checks.equal("logs are in memory", "", box.run("find", "/var/log/journal", "-type", "f", check=False).replace("find: '/var/log/journal': No such file or directory", "").replace("find: ‘/var/log/journal’: No such file or directory", ""))
        checks.equal("the node can have the network configured anew", "done", box.run("sh", "-c", "PATH=/usr/lib/pipub/for-node:$PATH networkctl reload && echo done", user="pipub", check=False))
        memory = memory_of(box.init)
        checks.figure("memory (PSS) of the whole userland, MB", f"{sum(memory.values()):.0f}: " + ", ".join(f"{name} {size:.0f}" for name, size in sorted(memory.items(), key=lambda one: -one[1])[:6]))
        checks.that("the userland fits a board with 512 MB", sum(memory.values()) < 256)
        refused = box.run("busctl", "call", "de.pengutronix.rauc", "/", "de.pengutronix.rauc.Installer", "GetPrimary", user="nobody", check=False)
        checks.that("rauc's door is the node's and root's alone", "rejected" in refused or "denied" in refused, refused)
        # A container has no slots, which is what RAUC itself has to say.
        said = in_sandbox(lambda script: box.run("sh", "-c", script, check=False), "rauc status 2>&1")
        checks.that("to the node, in its sandbox, it is open", "rejected" not in said and "denied" not in said and "slot" in said, said)
        gate(checks, box)
    finally:
        box.stop()
    kept = [name for name in os.listdir(os.path.join(box.data, "log")) if name.startswith("start-")]
    checks.that("the end of the log was kept, in 512 KiB at most", kept and os.path.getsize(os.path.join(box.data, "log", kept[0])) in range(1, 524289), kept)

    # The same card, after its owner wrote on it.
    card = {"pipub.conf": f"# mine\r\nnetwork-key = {NETWORK_KEY}\r\nhops = 3\r\n", "authorized_keys": work.authorized_keys, "claim": CLAIM + "\r\n"}
    box.write(card)
    box.start()
    try:
        wait_for("the page", page, 300)
        box.wait_until_started()
        checks.equal("no unit failed after provisioning", "", box.run("systemctl", "--failed", "--no-legend", "--plain"))
        with open(os.path.join(box.data, "provisioning.json"), encoding="utf-8") as file:
            provisioned = file.read()
        checks.that("the claim code is off the card", not os.path.exists(os.path.join(box.firmware, "claim")), provisioned)
        checks.that("the claim code is the node's alone", os.stat(os.path.join(box.data, "pipub", "claim")).st_mode & 0o077 == 0)
        checks.that("the settings of the card are in force", "hops = 3" in open(os.path.join(box.data, "pipub.conf"), encoding="utf-8").read())
        answer = ssh(key, "whoami")
        checks.that("with a key SSH answers", answer.stdout.strip() == "root", answer.stderr)
        checks.that("another key is refused", "Permission denied" in ssh(work.new_key("stranger"), "true").stderr)
        visit(checks, "claim", work.path("visit"))
        identity = json.loads(box.run("pipub", "whoami", "--json", user="pipub"))["id"]
        box.run("touch", "/run/pipub/requests/reboot", user="pipub")
        wait_for("the end of this start", lambda: not os.path.exists(f"/proc/{box.init}"), 300)
        checks.that("the node's request restarts the machine", True)
    finally:
        box.stop()

    # What is wrong on the card does not keep the box from starting.
    box.write({"pipub.conf": "hops = many\n"})
    os.remove(os.path.join(box.firmware, "authorized_keys"))
    box.start()
    try:
        wait_for("the page", page, 300)
        with open(os.path.join(box.data, "provisioning.json"), encoding="utf-8") as file:
            provisioned = file.read()
        checks.that("a wrong setting on the card is reported with its file and line", "pipub.conf" in provisioned and "hops" in provisioned, provisioned)
        checks.that("the settings before stay in force", "hops = 3" in open(os.path.join(box.data, "pipub.conf"), encoding="utf-8").read())
    finally:
        box.stop()

    # What becomes of a box that cannot mount its files: systemd's emergency mode, in which nobody can sign in.
    box.start("--", "--unit=emergency.target")
    try:
        wait_for("the end of this start", lambda: not os.path.exists(f"/proc/{box.init}"), 300)
        checks.that("an emergency ends in another start", True)
    finally:
        box.stop()

    # That card is lost. What is left of the box is the backup on its owner's computer, and what peers hold.
    box.insert("second")
    box.write(card)
    box.start()
    try:
        wait_for("the page", page, 300)
        box.wait_until_started()
        checks.that("on a new card the box is another one", json.loads(box.run("pipub", "whoami", "--json", user="pipub"))["id"] != identity)
        visit(checks, "restore", work.path("visit"))
        checks.equal("with the backup put back the box is the one that it was", identity, json.loads(box.run("pipub", "whoami", "--json", user="pipub"))["id"])
        published = box.run("pipub", "publish", "--text", "Back again", "--json", user="pipub", check=False)
        feeds = json.loads(box.run("pipub", "feeds", "--json", user="pipub"))
        own = next((feed["sequence"] for feed in feeds if feed["id"] == identity), None)
        checks.equal("what it publishes next follows on what peers held, and forks nothing", 3, own) or print(published)
        checks.equal("no unit failed on the new card", "", box.run("systemctl", "--failed", "--no-legend", "--plain"))
    finally:
        box.stop()
    checks.end()


if __name__ == "__main__":
    main()
