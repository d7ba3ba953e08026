"""Updates for the tests: good ones and all kinds of bad ones, signed with the key that the image under test trusts, or not."""

import os
import shutil
import subprocess

from emulator import REPOSITORY, tools
from checks import output


class Updates:
    def __init__(self, board, directory, keys):
        self.board, self.directory, self.keys = board, directory, keys
        self.disk = os.path.join(REPOSITORY, "out", "image", board, "disk")
        os.makedirs(directory, exist_ok=True)

    def bundle(self, name, version, root=None, boot=None, board=None, keys=None):
        """Signs an update. Without a root it has next to nothing in it, for what is refused before it is looked at."""
        content = os.path.join(self.directory, name + ".content")
        shutil.rmtree(content, ignore_errors=True)
        os.makedirs(content)
        for file, source in (("root.img", root), ("boot.img", boot)):
            if source:
                output("cp", "--sparse=always", source, os.path.join(content, file))
            else:
                with open(os.path.join(content, file), "wb") as image:
                    image.write(os.urandom(1 << 20))
        with open(os.path.join(content, "manifest.raucm"), "w", encoding="ascii") as manifest:
            manifest.write(f"[update]\ncompatible=pipub-{board or self.board}\nversion={version}\n\n[bundle]\nformat=verity\n\n"
                           "[image.rootfs]\nfilename=root.img\n\n[image.boot]\nfilename=boot.img\n")
        target = os.path.join(self.directory, name + ".raucb")
        if os.path.exists(target):
            os.remove(target)
        keys = keys or self.keys
        tools("rauc", "bundle", f"--cert={keys}/signing.pem", f"--key={keys}/signing.key", f"--signing-keyring={keys}/authority.pem", content, target)
        shutil.rmtree(content)
        return target

    def with_root(self, name, version, change):
        """An update with the image's own root, in which the shell commands `change` were run."""
        root = os.path.join(REPOSITORY, "out", "image", self.board, "root")
        changed = os.path.join(self.directory, name + ".root")
        shutil.rmtree(changed, ignore_errors=True)
        # Linked, not copied: only what is changed is made anew.
        output("cp", "-al", root, changed)
        script = f"set -e; cd {changed}; replace() {{ cat >new; rm -f $1; install -m $2 new $1; rm new; }}; echo {version} | replace usr/lib/pipub/image-version 644; " + \
                 f"sed 's/^min-bundle-version=.*/min-bundle-version={version}/' etc/rauc/system.conf | replace etc/rauc/system.conf 644; {change}"
        subprocess.run(["bash", "-c", script], check=True)
        squashed = os.path.join(self.directory, name + ".squashfs")
        tools("nice", "mksquashfs", changed, squashed, "-noappend", "-quiet", "-no-progress", "-no-exports", "-comp", "zstd", "-Xcompression-level", "1", "-b", "256K", "-wildcards", "-e", "boot/*-*", "dev/*")
        shutil.rmtree(changed)
        made = self.bundle(name, version, root=squashed, boot=os.path.join(self.disk, "boot.vfat"))
        os.remove(squashed)
        return made

    def truncated(self, source, name):
        target = os.path.join(self.directory, name + ".raucb")
        with open(source, "rb") as whole, open(target, "wb") as part:
            part.write(whole.read(os.path.getsize(source) // 2))
        return target

    def tampered(self, source, name):
        """A byte in the middle is another one."""
        target = os.path.join(self.directory, name + ".raucb")
        with open(source, "rb") as whole:
            content = bytearray(whole.read())
        content[len(content) // 2] ^= 1
        with open(target, "wb") as file:
            file.write(content)
        return target


def stick(path, size, files):
    """A USB stick as shops sell them: one FAT partition, with these files in it. Size in MiB."""
    part = path + ".part"
    for file in (path, part):
        if os.path.exists(file):
            os.remove(file)
    output("truncate", "-s", f"{size - 1}M", part)
    tools("mkfs.vfat", "-F", "32", "-n", "STICK", part)
    if files:
        tools("mcopy", "-i", part, "-sQ", *files, "::/")
    output("truncate", "-s", f"{size}M", path)
    subprocess.run([*_sfdisk(), path], input="label: dos\nstart=2048, type=c\n", text=True, check=True, stdout=subprocess.DEVNULL)
    output("dd", f"if={part}", f"of={path}", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none")
    os.remove(part)
    return path


def _sfdisk():
    from emulator import IN_TOOLS, TOOLS
    return [IN_TOOLS, TOOLS, "sfdisk", "--quiet"]
