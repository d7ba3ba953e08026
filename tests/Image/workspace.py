"""The directory of a test's own, with what it writes on the card of its box."""

import os
import shutil

from checks import output
from emulator import tools

NETWORK_KEY = "cGlwdWItdGVzdC1uZXR3b3JrLW9mLXRoZS1pbWFnZSE="


class Workspace:
    """An empty directory below that of a board's image, and an SSH key of the tester's."""

    def __init__(self, board, name):
        self.board = os.path.abspath(board)
        self.directory = os.path.join(self.board, name)
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.key = self.new_key("key")
        with open(self.key + ".pub", encoding="ascii") as file:
            self.authorized_keys = file.read()

    def path(self, name):
        return os.path.join(self.directory, name)

    def new_key(self, name):
        output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(name))
        return self.path(name)

    def card(self, size, files, firmware="2M"):
        """The image on a larger disk, with files (name, content) on the partition that any computer can edit, which begins there."""
        target = self.path("disk.img")
        output("cp", "--sparse=always", os.path.join(self.board, "disk.img"), target)
        output("truncate", "-s", size, target)
        for name, content in files.items():
            with open(self.path(name), "w", encoding="ascii") as file:
                file.write(content)
        tools("mcopy", "-o", "-i", f"{target}@@{firmware}", *map(self.path, files), "::/")
        return target
