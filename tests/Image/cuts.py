#!/usr/bin/env python3
"""cuts.py <board's directory in out/image> - pulls the plug of a box that publishes, at random moments.

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
from emulator import Machine, tools
from machine import card

CUTS = 40
MESSAGES = 25
FLUSH, DISCARD = 1, 4
NODE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "out", "publish", "linux-x64", "pipub"))


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
    """What reached the disk, in order: (sector, sectors, flags, where its data is in the log)."""

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


def partitions(image):
    return {one["name"]: (one["start"], one["size"]) for one in json.loads(tools("sfdisk", "--json", image))["partitiontable"]["partitions"]}


def look(work):
    """What is found on a disk after the cut: whether it can be mended, whether `pipub verify` is content, and how many messages there are."""
    image, found = os.path.join(work, "try.img"), os.path.join(work, "found")
    tools("e2fsck", "-fy", image, check=False)
    mended = subprocess.run([*tools_command(), "e2fsck", "-fn", image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    shutil.rmtree(found, ignore_errors=True)
    os.makedirs(found)
    tools("debugfs", "-R", f"rdump /pipub {found}", image, check=False)
    verified = subprocess.run([NODE, "verify", "--json", "--data-directory", os.path.join(found, "pipub")], capture_output=True, text=True)
    try:
        messages = json.loads(verified.stdout.strip().splitlines()[-1]).get("messages", -1)
    except (ValueError, IndexError):
        messages = -1
    return mended, verified.returncode == 0, messages, verified.stdout + verified.stderr


def tools_command():
    from emulator import IN_TOOLS, TOOLS
    return [IN_TOOLS, TOOLS]


def main():
    checks = Checks()
    board = os.path.abspath(sys.argv[1])
    work = os.path.join(board, "cuts")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    key = os.path.join(work, "key")
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    shutil.copy(key + ".pub", os.path.join(work, "authorized_keys"))
    disk, base, log = (os.path.join(work, name) for name in ("disk.img", "base.img", "write.log"))
    card(os.path.join(board, "disk.img"), disk, "1300M", [os.path.join(work, "authorized_keys")])

    machine = Machine(work, disk, key)
    machine.start()
    try:
        machine.wait_for_page()
        machine.wait_until_kept()
        dump = machine.run("dd if=/dev/disk/by-partlabel/identity bs=4096 skip=1 count=1 status=none | cut -d' ' -f2 | tr -d '\\n' >/run/key; "
                           "cryptsetup luksDump --batch-mode --dump-volume-key --key-file /run/key --volume-key-file /run/volume /dev/disk/by-partlabel/data >/dev/null; "
                           "od -An -v -tx1 /run/volume | tr -d ' \\n'; echo; dmsetup table data; cryptsetup luksDump /dev/disk/by-partlabel/data")
        lines = dump.splitlines()
        cipher = Cipher(bytes.fromhex(lines[0]))
        sector_size = 4096 if "sector_size:4096" in dump else 512
        machine.shut_down()
        output("cp", "--sparse=always", disk, base)

        output("touch", log)
        machine.drive = ["-blockdev", f"driver=file,filename={disk},node-name=file", "-blockdev", "driver=raw,node-name=raw,file=file",
                         "-blockdev", f"driver=file,filename={log},node-name=log", "-blockdev", "driver=blklogwrites,node-name=logged,file=raw,log=log,log-sector-size=512,log-super-update-interval=1",
                         "-device", "virtio-blk-pci,drive=logged,write-cache=on,bootindex=1"]
        machine.start()
        machine.wait_for_page()
        machine.wait_until_kept()
        # What the box has acknowledged is noted on the disk as well, where nobody else writes: so it has its place in the log.
        said = machine.run("mark=/dev/disk/by-partlabel/bootB; for i in $(seq 1 %d); do setpriv --reuid=pipub --regid=pipub --init-groups env HOME=/data/pipub pipub publish --text \"message $i\" --json || exit 1; "
                           "printf '%%-512s' $i | dd of=$mark oflag=direct conv=notrunc bs=512 count=1 status=none; done" % MESSAGES, patience=3600)
        checks.equal("the box acknowledged every message", MESSAGES, said.count('"key"'))
    finally:
        machine.stop()

    where = partitions(base)
    (start, length), (mark, _) = where["data"], where["bootB"]
    header = int(next(line.split()[7] for line in lines if " crypt " in line)) * 512
    writes = WriteLog(log)
    checks.figure("writes and flushes logged", f"{len(writes.entries)}, {sum(1 for one in writes.entries if one[2] & FLUSH)}")
    marks = [(number, int(writes.data(one)[:16].split()[0])) for number, one in enumerate(writes.entries) if one[0] == mark and one[1] == 1]

    def put(file, entry):
        sector, sectors, flags, _ = entry
        offset = (sector - start) * 512 - header
        if flags & DISCARD or not sectors or offset < 0 or sector >= start + length:
            return
        file.seek(offset)
        file.write(cipher.decrypt(writes.data(entry), offset, sector_size))

    plain = os.path.join(work, "plain.img")
    with open(base, "rb") as source, open(plain, "wb") as target:
        target.truncate(length * 512 - header)
        source.seek(start * 512 + header)
        for offset in range(0, length * 512 - header, 65536):
            block = source.read(min(65536, length * 512 - header - offset))
            if block.count(0) != len(block):
                target.seek(offset)
                target.write(cipher.decrypt(block, offset, sector_size))
    output("cp", "--sparse=always", plain, os.path.join(work, "try.img"))
    mended, verified, before, said = look(work)
    checks.that("before the load all is whole", mended and verified, said)
    chance = random.Random(int(os.environ.get("SEED", time.time())))
    first = marks[0][0]
    good = 0
    applied = 0
    with open(plain, "r+b") as whole:
        for cut in sorted(chance.sample(range(first, len(writes.entries)), min(CUTS, len(writes.entries) - first))):
            flushed = max(number for number in range(cut) if writes.entries[number][2] & FLUSH)
            for entry in writes.entries[applied:flushed + 1]:
                put(whole, entry)
            applied = max(applied, flushed + 1)
            whole.flush()
            tried = os.path.join(work, "try.img")
            output("cp", "--sparse=always", plain, tried)
            with open(tried, "r+b") as torn:
                for entry in writes.entries[flushed + 1:cut]:
                    if chance.random() < 0.5:
                        put(torn, entry)
            acknowledged = max((count for number, count in marks if number < cut), default=0)
            mended, verified, messages, said = look(work)
            right = mended and verified and messages - before >= acknowledged
            good += right
            if not right:
                checks.that(f"cut at write {cut}: {acknowledged} acknowledged", False, f"mended {mended}, verified {verified}, {messages - before} found\n{said}")
        checks.equal(f"plug pulled at {CUTS} moments: mended, verified, nothing acknowledged missing", CUTS, good)

    # The control: what comes after the first mark is lost by chance, flushed or not.
    output("cp", "--sparse=always", plain, os.path.join(work, "try.img"))
    tail = writes.entries[first:]
    with open(os.path.join(work, "try.img"), "r+b") as torn:
        zero = bytes(512)
        for entry in tail:
            if chance.random() < 0.5 and not entry[2] & DISCARD and 0 <= (entry[0] - start) * 512 - header and entry[0] < start + length:
                torn.seek((entry[0] - start) * 512 - header)
                torn.write(zero * entry[1])
    mended, verified, messages, _ = look(work)
    checks.that("the control, in which flushes count for nothing, fails", not (mended and verified and messages - before >= MESSAGES))
    checks.end()


if __name__ == "__main__":
    main()
