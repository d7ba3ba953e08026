"""What an image has encrypted, read without the kernel's help: LUKS, as its data partition has it."""

import ctypes
import ctypes.util
import struct

# Run in the box: tells the key of the disk's encryption, and how the kernel uses it.
TOLD = """
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
