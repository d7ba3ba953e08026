#!/usr/bin/env python3
"""arm64.py <a board's directory in out/image> - the node of the Raspberry Pi's image in the root of that image, its instructions translated
by QEMU and its system calls answered by this machine's kernel: what the emulated Pi of rpi.py takes an hour for on a busy machine. Without
the Pi's kernel and init: the files on the card, the page, the health that an update is kept for. `make image BOARD=rpi` comes first."""

import json
import os
import signal
import subprocess
import sys

from checks import Checks, first_page, output, wait_for
from emulator import IN_TOOLS, REPOSITORY
from workspace import Workspace

ROOT = """
image/steps/foreign
root=$1 data=$2 firmware=$3
shift 3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmp "$root/tmp"
mount -t tmpfs run "$root/run"
mkdir -p "$root/run/pipub/requests"
mount --bind "$data" "$root/data"
mount --bind "$firmware" "$root/boot/firmware"
exec chroot "$root" env -i HOME=/data/pipub PATH=/usr/sbin:/usr/bin DOTNET_EnableDiagnostics=0 "$@"
"""


class Pi:
    """The image's root, with a data partition and a card that are directories."""

    def __init__(self, work, root):
        self.data, self.firmware = work.path("data"), work.path("firmware")
        for made in (self.data, self.firmware, *(os.path.join(self.data, name) for name in ("pipub", "ssh", "network", "system"))):
            os.mkdir(made)
        self.enter = ["nice", "-n", os.environ.get("EMULATOR_NICE", "10"), IN_TOOLS, os.path.join(REPOSITORY, "out", "image", "tools"), "bash", "-ec", ROOT, "pi", root, self.data, self.firmware]

    def run(self, *command):
        done = subprocess.run([*self.enter, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, timeout=3600)
        return done.returncode, done.stdout.strip()

    def write(self, **files):
        for name, content in files.items():
            with open(os.path.join(self.firmware, name.replace("_", ".")), "w", encoding="ascii") as file:
                file.write(content)

    def provision(self):
        code, said = self.run("pipub", "provision", "--firmware", "/boot/firmware", "--data", "/data")
        with open(os.path.join(self.data, "provisioning.json"), encoding="utf-8") as file:
            return code, said, {each["name"]: each["state"] for each in json.load(file)["files"]}

    def has(self, name):
        return os.path.exists(os.path.join(self.data, name))


def cards(checks, pi, work):
    with open(os.path.join(pi.firmware, "authorized_keys"), "w", encoding="ascii") as file:
        file.write(work.authorized_keys)
    pi.write(pipub_conf="hops = 3\n", claim="raspberry7code\n", wifi="Home\nnot so secret\nDE\n", hardware_conf="status-light = gpio 17\n")
    code, said, states = pi.provision()
    checks.equal("all files on the card are applied", (0, {"applied"}), (code, set(states.values()))) or print(said)
    checks.that("they are where the box looks for them", all(map(pi.has, ("pipub.conf", "ssh/authorized_keys", "pipub/claim", "hardware.conf", "wifi/wpa_supplicant.conf"))), os.listdir(pi.data))
    checks.equal("the secrets have left the card", {"authorized_keys", "hardware.conf", "pipub.conf"}, set(os.listdir(pi.firmware)))
    pi.write(pipub_conf="hops = many\n")
    code, said, states = pi.provision()
    checks.that("a setting that is none is told, and does not stop the start", code == 0 and states["pipub.conf"] != "applied", said)
    pi.write(pipub_conf="hops = 2\n")
    checks.equal("and when it is mended, it is applied", "applied", pi.provision()[2]["pipub.conf"])


def life(checks, pi):
    with open(os.path.join(pi.data, "said"), "wb") as said:
        node = subprocess.Popen([*pi.enter, "pipub", "run"], stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)

    def words():
        with open(os.path.join(pi.data, "said"), encoding="utf-8", errors="replace") as file:
            return file.read()

    try:
        page = wait_for("the page", lambda: node.poll() is not None or first_page("http://127.0.0.1/"), 1800, 1)
        checks.that("the node starts, and answers with its page", page is not True and "<html" in page, words())
        checks.equal("of a GPIO chip that is not there it says so once", 1, words().count("hardware.conf")) or print(words())
        code, said = pi.run("pipub", "health", "--json")
        checks.that("it is told well: page, door for peers, log", code == 0 and json.loads(said.splitlines()[-1])["healthy"], said)
    finally:
        node.send_signal(signal.SIGTERM)
        code = node.wait(600)
    checks.equal("it ends in order", 0, code) or print(words())


def main():
    checks = Checks()
    board = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "rpi")
    root = os.path.join(board, "root")
    node = os.path.join(root, "usr/lib/pipub/pipub")
    if not os.path.exists(node):
        checks.skip("the node of the Raspberry Pi", "there is no image with one: make image BOARD=rpi")
        checks.end()
    # ELF: e_machine 183 is AArch64.
    checks.equal("the node is for the Pi's processor", "183", output("od", "-An", "-tu2", "-j", "18", "-N", "2", node).strip())
    work = Workspace(board, "node")
    pi = Pi(work, root)
    checks.figure("its version", pi.run("pipub", "--version")[1])
    cards(checks, pi, work)
    life(checks, pi)
    checks.end()


main()
