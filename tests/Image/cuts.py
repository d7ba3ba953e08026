#!/usr/bin/env python3
"""cuts.py <board's directory in out/image> [machine] - pulls the plug of a box that publishes, at random moments. CUTS of them, 40 where that is
not said; SEED makes the same ones again.

Every write to the box's data partition is logged, and every flush (writelog.py). Afterwards the partition is made anew as it would have
been found had the power gone at some moment: everything before the last flush is there, of what came later each page only by chance, as a
card's cache loses it. Then the file system is mended as the box does it, `pipub verify` looks at every message, and none may be missing
that the box had acknowledged before that moment. Controls, in which flushes count for nothing, have to fail: else this would show nothing.

The box is a container, its partition a disk that logs. With `machine` it is the whole image in an emulator, from its first start on: with its own
kernel, and with the encryption that lies below its file system."""

import json
import os
import random
import shutil
import subprocess
import sys
import time

from checks import Checks, output, wait_for
from emulator import IN_TOOLS, Machine, TOOLS, tools
from encryption import Cipher, TOLD
from logdisk import LoggedDisk
from native import Container, data_options, page
from workspace import NETWORK_KEY, Workspace
from writelog import DISCARD, FLUSH, MARK, WriteLog

CUTS = int(os.environ.get("CUTS") or 40)
CONTROLS = 5
PAGE = 4096
NODE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "out", "publish", "linux-x64", "pipub"))
PUBLISH = "setpriv --reuid=pipub --regid=pipub --init-groups env HOME=/data/pipub pipub publish --text \"message $i\" --json"

# Run in the machine. What it has acknowledged is noted on the disk as well, where nobody else writes: so it has its place among the writes.
PUBLISH_AND_MARK = """
mark() { printf '%%-512s' "$1" | dd of=/dev/disk/by-partlabel/bootB oflag=direct conv=notrunc bs=512 count=1 status=none; }
mark 0
for i in $(seq 1 %d); do
    %s || exit 1
    mark $i
done
"""


class Data:
    """The data partition without its encryption: a file, into which writes to the disk are put."""

    def __init__(self, path, log, start=0, length=0, header=0, cipher=None, sector=512):
        self.path, self.log, self.start, self.length, self.header, self.cipher, self.sector = path, log, start, length, header, cipher, sector
        self.applied = 0
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.truncate(length * 512 - header)

    def put(self, file, entry, chance=None):
        """Writes what was written. With `chance` each page of it, or not."""
        sector, sectors, flags, _ = entry
        offset = (sector - self.start) * 512 - self.header
        if flags & (DISCARD | MARK) or not sectors or offset < 0 or (self.length and sector >= self.start + self.length):
            return
        data = self.log.data(entry)
        if self.cipher:
            data = self.cipher.decrypt(data, offset, self.sector)
        for at in range(0, len(data), PAGE):
            if not chance or chance.random() < 0.5:
                file.seek(offset + at)
                file.write(data[at:at + PAGE])

    def advance(self, end):
        """All writes before this one are there."""
        with open(self.path, "r+b") as file:
            for entry in self.log.entries[self.applied:end]:
                self.put(file, entry)
        self.applied = max(self.applied, end)

    def torn(self, path, cut, chance):
        """A copy, in which of the writes from here on up to the cut each page is there only by chance."""
        output("cp", "--sparse=always", self.path, path)
        with open(path, "r+b") as file:
            for entry in self.log.entries[self.applied:cut]:
                self.put(file, entry, chance)


def look(image, found):
    """What is found after the cut: whether the file system can be mended and the log is clean, how many messages there are, and the words."""
    first = tools("e2fsck", "-fy", image, check=False)
    mended = subprocess.run([IN_TOOLS, TOOLS, "e2fsck", "-fn", image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    shutil.rmtree(found, ignore_errors=True)
    os.makedirs(found)
    tools("debugfs", "-R", f"rdump /pipub {found}", image, check=False)
    verified = subprocess.run([NODE, "verify", "--json", "--data-directory", os.path.join(found, "pipub")], capture_output=True, text=True, env={**os.environ, "HOME": found})
    try:
        report = json.loads(verified.stdout.strip().splitlines()[-1])
        messages = report["messages"]
    except (ValueError, IndexError, KeyError):
        messages = -1
    return mended and verified.returncode == 0, messages, f"{first}\n{verified.stdout}{verified.stderr}"


def of_container(checks, work, messages):
    """Lets a box in a container publish. Answers with its data as it was before, and with the marks: what it had acknowledged when."""
    box = Container(os.path.join(work.board, "disk", "root.squashfs"), work.directory)
    box.insert("card")
    box.write({"pipub.conf": f"network-key = {NETWORK_KEY}\n"})
    disk = work.path("data.img")
    output("truncate", "-s", "600M", disk)
    # All its inodes are written now: else the kernel does so later, for many minutes.
    tools("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", disk)
    output("cp", "--sparse=always", disk, work.path("before.img"))
    logged = LoggedDisk(disk, work.path("write.log"))
    output("mount", "-o", data_options(), logged.device, box.data)
    try:
        box.start()
        wait_for("the page", page, 600)
        box.wait_until_started()
        logged.mark(0)
        said = []
        for number in range(1, messages + 1):
            said.append(box.run("sh", "-c", f"i={number}; {PUBLISH}", check=False))
            if '"key"' not in said[-1]:
                break
            logged.mark(number)
        checks.that(f"the box acknowledged {messages} messages", len(said) == messages and '"key"' in said[-1], said[-1])
    finally:
        box.stop()
        output("umount", box.data)
        logged.close()
    log = WriteLog(work.path("write.log"))
    return Data(work.path("before.img"), log), log.marks()


def of_machine(checks, work, messages):
    """The same with the whole image in an emulator, from its first start on."""
    disk, log = work.card("1300M", {"authorized_keys": work.authorized_keys, "pipub.conf": f"network-key = {NETWORK_KEY}\n"}), work.path("write.log")
    output("touch", log)
    machine = Machine(work.directory, disk, work.key, drive=[
        "-blockdev", f"driver=file,filename={disk},node-name=file", "-blockdev", "driver=raw,node-name=raw,file=file",
        "-blockdev", f"driver=file,filename={log},node-name=log", "-blockdev", "driver=blklogwrites,node-name=logged,file=raw,log=log,log-sector-size=512,log-super-update-interval=64",
        "-device", "virtio-blk-pci,drive=logged,write-cache=on,bootindex=1"])
    machine.start()
    try:
        machine.wait_for_page()
        machine.wait_until_kept()
        key, table = machine.run(TOLD).splitlines()[-2:]
        said = machine.run(PUBLISH_AND_MARK % (messages, PUBLISH), check=False, patience=3600)
        checks.that(f"the box acknowledged {messages} messages", said.count('"key"') == messages, said)
    finally:
        machine.stop()
    where = {one["name"]: (one["start"], one["size"]) for one in json.loads(tools("sfdisk", "--json", disk))["partitiontable"]["partitions"]}
    log = WriteLog(log)
    header = int(table.split()[7]) * 512
    sector = 4096 if "sector_size:4096" in table else 512
    return Data(work.path("data.img"), log, *where["data"], header, Cipher(bytes.fromhex(key)), sector), log.marks_at(where["bootB"][0])


def main():
    checks = Checks()
    work = Workspace(sys.argv[1], "cuts")
    if sys.argv[2:] != ["machine"] and not os.access("/dev/fuse", os.R_OK | os.W_OK):
        checks.skip("power cuts", "there is no /dev/fuse here, by which a disk could log what is written to it")
        checks.end()
    of, messages = (of_machine, 25) if sys.argv[2:] == ["machine"] else (of_container, 100)
    data, marks = of(checks, work, messages)
    log, first, last = data.log, marks[0][0], len(data.log.entries)
    load = log.entries[first:]
    checks.figure("writes and flushes while it published", f"{sum(1 for one in load if one[1] and not one[2] & MARK)}, {sum(1 for one in load if one[2] & FLUSH)}")
    tried, found = work.path("try.img"), work.path("found")

    data.advance(first)
    output("cp", "--sparse=always", data.path, tried)
    clean, before, said = look(tried, found)
    checks.that("before it published all is whole", clean, said) or checks.end()
    seed = int(os.environ.get("SEED") or time.time())
    checks.figure("SEED", seed)
    chance = random.Random(seed)

    # The controls: of what is written while it publishes all is there by chance, flushed or not.
    failed = 0
    for _ in range(CONTROLS):
        data.torn(tried, last, chance)
        clean, number, _ = look(tried, found)
        failed += not (clean and number - before >= messages)
    checks.equal("each control, in which flushes count for nothing, fails", CONTROLS, failed)

    good = 0
    cuts = sorted(chance.sample(range(first + 1, last), min(CUTS, last - first - 1)))
    for cut in cuts:
        data.advance(log.flush_before(cut) + 1)
        data.torn(tried, cut, chance)
        acknowledged = max(count for number, count in marks if number < cut)
        clean, number, said = look(tried, found)
        right = clean and number - before >= acknowledged
        good += right
        if not right:
            checks.that(f"cut at write {cut}: {acknowledged} acknowledged", False, f"clean {clean}, {number - before} found\n{said}")
    checks.equal(f"plug pulled at {len(cuts)} moments: file system mended, log clean, nothing acknowledged missing", len(cuts), good)

    data.advance(last)
    output("cp", "--sparse=always", data.path, tried)
    clean, number, said = look(tried, found)
    checks.that("with every write there all messages are there", clean and number - before >= messages, said)
    checks.end()


if __name__ == "__main__":
    # What is mounted for the container is mounted for this process alone.
    if not os.environ.get("OWN_MOUNTS"):
        os.execvpe("unshare", ["unshare", "--mount", "--propagation", "private", *sys.argv], {**os.environ, "OWN_MOUNTS": "1"})
    main()
