"""A disk that logs its writes and flushes, for a container: a file served by FUSE (include/uapi/linux/fuse.h), under a loop device. QEMU has
the same for its machines (blklogwrites)."""

import ctypes
import errno
import os
import struct
import threading

from checks import output
from writelog import FLUSH, LogWriter, SECTOR

FORGET, GETATTR, OPEN, READ, WRITE, RELEASE, FSYNC, FLUSHED, INIT, INTERRUPT, DESTROY, BATCH_FORGET = 2, 3, 14, 15, 16, 18, 20, 25, 26, 36, 38, 42
BIG_WRITES, MAX_PAGES, DIRECT_IO = 1 << 5, 1 << 22, 1
PAGES = 256
REGULAR_FILE = 0o100600


class LoggedDisk:
    """`device` is the loop device, while it is open. Needs a mount namespace of the caller's."""

    def __init__(self, path, log):
        self.data = os.open(path, os.O_RDWR)
        self.size = os.fstat(self.data).st_size
        self.log, self.lock = LogWriter(log), threading.Lock()
        self.point = path + ".logged"
        open(self.point, "wb").close()
        self.fuse = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.fuse},rootmode={REGULAR_FILE:o},user_id=0,group_id=0,allow_other"
        if ctypes.CDLL(None, use_errno=True).mount(b"logged", self.point.encode(), b"fuse", 0, options.encode()):
            raise OSError(ctypes.get_errno(), "FUSE cannot be mounted")
        self.server = threading.Thread(target=self._serve, daemon=True)
        self.server.start()
        self.device = output("losetup", "--find", "--show", self.point)

    def mark(self, number):
        with self.lock:
            self.log.mark(number)

    def close(self):
        output("losetup", "--detach", self.device)
        output("umount", self.point)
        self.server.join(60)
        with self.lock:
            self.log.close()
        os.close(self.data)
        os.close(self.fuse)

    def _serve(self):
        while True:
            try:
                request = os.read(self.fuse, PAGES * 4096 + 4096)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                return  # Unmounted.
            _, opcode, unique = struct.unpack_from("<IIQ", request)
            if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            answer = self._answer(opcode, memoryview(request)[40:])
            failed = -answer if isinstance(answer, int) else 0
            answer = b"" if failed else answer
            os.write(self.fuse, struct.pack("<IiQ", 16 + len(answer), failed, unique) + answer)
            if opcode == DESTROY:
                return

    def _answer(self, opcode, body):
        """What is answered, or an error's number."""
        if opcode == INIT:
            return struct.pack("<IIIIHHIIHHII24x", 7, 31, 1 << 20, BIG_WRITES | MAX_PAGES, 16, 12, PAGES * 4096, 1, PAGES, 0, 0, 0)
        if opcode == GETATTR:
            return struct.pack("<QII6Q10I", 3600, 0, 0, 1, self.size, self.size // 512, 0, 0, 0, 0, 0, 0, REGULAR_FILE, 1, 0, 0, 0, 4096, 0)
        if opcode == OPEN:
            return struct.pack("<QII", 1, DIRECT_IO, 0)
        if opcode == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return os.pread(self.data, size, offset)
        if opcode == WRITE:
            _, offset, size = struct.unpack_from("<QQI", body)
            data = bytes(body[40:40 + size])
            os.pwrite(self.data, data, offset)
            with self.lock:
                self.log.add(offset // SECTOR, data)
            return struct.pack("<II", size, 0)
        if opcode == FSYNC:
            with self.lock:
                self.log.add(0, b"", FLUSH)
            return b""
        return b"" if opcode in (FLUSHED, RELEASE, DESTROY) else errno.ENOSYS
