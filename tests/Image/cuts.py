#!/usr/bin/env python3
"""cuts.py <board's directory in out/image> - pulls the plug of a box that publishes, at random moments. CUTS of them, 40 where that is not
said; SEED makes the same ones again.

The emulator logs every write to the box's disk, and every flush (QEMU's blklogwrites, the format of dm-log-writes). Afterwards the
disk is made anew as it would have been found had the power gone at some moment: everything before the last flush is there, of what
came later each write only by chance, as a card's cache loses it. Then the file system is mended as the box does it, `pipub verify` looks
at every message, and none may be missing that the box had acknowledged before that moment. A control, in which flushes count
for nothing, has to fail: else this would show nothing."""

import ctypes
import ctypes.util
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time

from checks import Checks, output
from emulator import IN_TOOLS, Machine, TOOLS, tools
from workspace import NETWORK_KEY, Workspace

CUTS = int(os.environ.get("CUTS", 40))
CONTROLS = 5
MESSAGES = 25
FLUSH, DISCARD = 1, 4
NODE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "out", "publish", "linux-x64", "pipub"))

# Run in the box. What it has acknowledged is noted on the disk as well, where nobody else writes: so it has its place among the writes.
PUBLISH = """
mark() { printf '%%-512s' "$1" | dd of=/dev/disk/by-partlabel/bootB oflag=direct conv=notrunc bs=512 count=1 status=none; }
mark 0
for i in $(seq 1 %d); do
    setpriv --reuid=pipub --regid=pipub --init-groups env HOME=/data/pipub pipub publish --text "message $i" --json || exit 1
    mark $i
done
"""
# The key of the disk's encryption, and how the kernel uses it.
ENCRYPTION = """
umask 077
dd if=/dev/disk/by-partlabel/identity bs=4096 skip=1 count=1 status=none | head -n 1 | cut -d' ' -f2 | tr -d '\\n' >/run/key
cryptsetup luksDump --batch-mode --dump-volume-key --key-file /run/key --volume-key-file /run/volume /dev/disk/by-partlabel/data >/dev/null || exit 1
od -An -v -tx1 /run/volume | tr -d ' \\n'
echo
dmsetup table data
"""


class Cipher:
    """AES-XTS by sectors of 512 bytes, as dm-crypt does it for LUKS (aes-xts-plain64)."""

    def __init__(self, key):
        self.library = ctypes.CDLL(ctypes.util.find_library("crypto"))
        for name in ("EVP_CIPHER_CTX_new", "EVP_aes_256_xts", "EVP_aes_128_xts"):
            getattr(self.library, name).restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.EVP_CIPHER_CTX_new())
        self.algorithm = ctypes.c_void_p(self.library.EVP_aes_256_xts() if len(key) == 64 else self.library.EVP_aes_128_xts())
        self.key = key
        self.out = ctypes.create_string_buffer(8192)
        self.length = ctypes.c_int()
        assert self.library.EVP_DecryptInit_ex(self.context, self.algorithm, None, key, None) == 1

    def decrypt(self, data, offset, size):
        """Data whose first byte lies at this offset of the encrypted area, in sectors of this size."""
        plain = bytearray()
        for start in range(0, len(data), size):
            sector = bytes(data[start:start + size])
            tweak = struct.pack("<QQ", (offset + start) // 512, 0)
            assert self.library.EVP_DecryptInit_ex(self.context, None, None, None, tweak) == 1
            assert self.library.EVP_DecryptUpdate(self.context, self.out, ctypes.byref(self.length), sector, len(sector)) == 1
            plain += self.out.raw[:self.length.value]
        return bytes(plain)


class WriteLog:
    """What reached the disk, in order: (sector, sectors, flags, where its data is in the log). The format of dm-log-writes."""

    def __init__(self, path):
        self.file = open(path, "rb")
        magic, _, count, self.size = struct.unpack("<QQQI", self.file.read(28))
        assert magic == 0x6A736677736872, hex(magic)
        self.entries, offset = [], self.size
        for _ in range(count):
            self.file.seek(offset)
            sector, sectors, flags, _ = struct.unpack("<QQQQ", self.file.read(32))
            self.entries.append((sector, sectors, flags, offset + self.size))
            offset += self.size + (0 if flags & DISCARD else sectors * self.size)

    def data(self, entry):
        self.file.seek(entry[3])
        return self.file.read(entry[1] * self.size)

    def flush_before(self, cut):
        """The last flush before this write."""
        return next((number for number in range(cut - 1, -1, -1) if self.entries[number][2] & FLUSH), -1)


class Data:
    """The data partition without its encryption: a file, into which writes to the disk are put."""

    def __init__(self, path, log, start, length, encryption):
        self.path, self.log, self.start, self.length = path, log, start, length
        key, table = encryption.splitlines()[-2:]
        fields = table.split()
        self.header = int(fields[7]) * 512
        self.sector = 4096 if "sector_size:4096" in table else 512
        self.cipher = Cipher(bytes.fromhex(key))
        self.applied = 0
        with open(path, "wb") as file:
            file.truncate(length * 512 - self.header)

    def put(self, file, entry):
        sector, sectors, flags, _ = entry
        offset = (sector - self.start) * 512 - self.header
        if not flags & DISCARD and sectors and offset >= 0 and sector < self.start + self.length:
            file.seek(offset)
            file.write(self.cipher.decrypt(self.log.data(entry), offset, self.sector))

    def advance(self, end):
        """All writes before this one are there."""
        with open(self.path, "r+b") as file:
            for entry in self.log.entries[self.applied:end]:
                self.put(file, entry)
        self.applied = max(self.applied, end)

    def torn(self, path, cut, chance):
        """A copy, in which of the writes from here on up to the cut each is there only by chance."""
        output("cp", "--sparse=always", self.path, path)
        with open(path, "r+b") as file:
            for entry in self.log.entries[self.applied:cut]:
                if chance.random() < 0.5:
                    self.put(file, entry)


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


def record(checks, work, disk, log):
    """Lets a new box publish, and logs what it writes from its first start on. Answers with how its data is encrypted."""
    output("touch", log)
    machine = Machine(work.directory, disk, work.key, drive=[
        "-blockdev", f"driver=file,filename={disk},node-name=file", "-blockdev", "driver=raw,node-name=raw,file=file",
        "-blockdev", f"driver=file,filename={log},node-name=log", "-blockdev", "driver=blklogwrites,node-name=logged,file=raw,log=log,log-sector-size=512,log-super-update-interval=64",
        "-device", "virtio-blk-pci,drive=logged,write-cache=on,bootindex=1"])
    machine.start()
    try:
        machine.wait_for_page()
        machine.wait_until_kept()
        encryption = machine.run(ENCRYPTION)
        said = machine.run(PUBLISH % MESSAGES, patience=3600)
        checks.equal("the box acknowledged every message", MESSAGES, said.count('"key"'))
        return encryption
    finally:
        machine.stop()


def main():
    checks = Checks()
    work = Workspace(sys.argv[1], "cuts")
    disk = work.card("1300M", {"authorized_keys": work.authorized_keys, "pipub.conf": f"network-key = {NETWORK_KEY}\n"})
    encryption = record(checks, work, disk, work.path("write.log"))

    where = {one["name"]: (one["start"], one["size"]) for one in json.loads(tools("sfdisk", "--json", disk))["partitiontable"]["partitions"]}
    log = WriteLog(work.path("write.log"))
    mark = where["bootB"][0]
    marks = [(number, int(log.data(one)[:16].split()[0])) for number, one in enumerate(log.entries) if one[:2] == (mark, 1)]
    first, last = marks[0][0], len(log.entries)
    load = log.entries[first:]
    checks.figure("writes and flushes while it published", f"{sum(1 for one in load if one[1])}, {sum(1 for one in load if one[2] & FLUSH)}")
    data = Data(work.path("data.img"), log, *where["data"], encryption)
    tried, found = work.path("try.img"), work.path("found")

    data.advance(first)
    output("cp", "--sparse=always", data.path, tried)
    clean, before, said = look(tried, found)
    checks.that("before it published all is whole", clean, said) or checks.end()
    seed = int(os.environ.get("SEED", time.time()))
    checks.figure("SEED", seed)
    chance = random.Random(seed)

    # The control: of what is written while it publishes all is there by chance, flushed or not.
    failed = 0
    for _ in range(CONTROLS):
        data.torn(tried, last, chance)
        clean, messages, _ = look(tried, found)
        failed += not (clean and messages - before >= MESSAGES)
    checks.equal("each control, in which flushes count for nothing, fails", CONTROLS, failed)

    good = 0
    cuts = sorted(chance.sample(range(first + 1, last), min(CUTS, last - first - 1)))
    for cut in cuts:
        data.advance(log.flush_before(cut) + 1)
        data.torn(tried, cut, chance)
        acknowledged = max(count for number, count in marks if number < cut)
        clean, messages, said = look(tried, found)
        right = clean and messages - before >= acknowledged
        good += right
        if not right:
            checks.that(f"cut at write {cut}: {acknowledged} acknowledged", False, f"clean {clean}, {messages - before} found\n{said}")
    checks.equal(f"plug pulled at {len(cuts)} moments: file system mended, log clean, nothing acknowledged missing", len(cuts), good)

    data.advance(last)
    output("cp", "--sparse=always", data.path, tried)
    clean, messages, said = look(tried, found)
    checks.that("with every write there all messages are there", clean and messages - before >= MESSAGES, said)
    checks.end()


if __name__ == "__main__":
    main()
