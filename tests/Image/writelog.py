"""What reached a disk, in order, in the format of dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst): a superblock
(magic, version, number of entries, sector size), then an entry each (sector, sectors, flags, bytes of a mark) with its data behind."""

import struct

FLUSH, DISCARD, MARK = 1, 4, 8
MAGIC, SECTOR = 0x6A736677736872, 512


class LogWriter:
    """Logs as it is told."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.count = 0
        self._superblock()

    def _superblock(self):
        self.file.seek(0)
        self.file.write(struct.pack("<QQQI", MAGIC, 1, self.count, SECTOR).ljust(SECTOR, b"\0"))

    def add(self, sector, data, flags=0):
        self.file.write(struct.pack("<QQQQ", sector, len(data) // SECTOR, flags, 0).ljust(SECTOR, b"\0") + data)
        self.count += 1

    def mark(self, number):
        """Something that is no write, at this place among the writes."""
        self.add(0, struct.pack("<Q", number).ljust(SECTOR, b"\0"), MARK)

    def close(self):
        self._superblock()
        self.file.close()


class WriteLog:
    """Its entries: (sector, sectors, flags, where its data is in the log)."""

    def __init__(self, path):
        self.file = open(path, "rb")
        magic, _, count, self.size = struct.unpack("<QQQI", self.file.read(28))
        assert magic == MAGIC, hex(magic)
        self.entries, offset = [], self.size
        for _ in range(count):
            self.file.seek(offset)
            sector, sectors, flags, _ = struct.unpack("<QQQQ", self.file.read(32))
            self.entries.append((sector, sectors, flags, offset + self.size))
            offset += self.size + (0 if flags & DISCARD else sectors * self.size)

    def data(self, entry):
        self.file.seek(entry[3])
        return self.file.read(entry[1] * self.size)

    def marks(self):
        """Entry and number."""
        return [(number, struct.unpack_from("<Q", self.data(one))[0]) for number, one in enumerate(self.entries) if one[2] & MARK]

    def marks_at(self, sector):
        """The same of a machine, which can make a mark only by writing a number in digits to a sector that nobody else writes."""
        return [(number, int(self.data(one)[:16].split()[0])) for number, one in enumerate(self.entries) if one[:2] == (sector, 1)]

    def flush_before(self, cut):
        """The last flush before this entry, -1 if there is none."""
        return next((number for number in range(cut - 1, -1, -1) if self.entries[number][2] & FLUSH), -1)
