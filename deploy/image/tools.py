"""The tools that build the image: a Debian root of their own, so that the machine's don't show in the bytes.

Needs root, and neither mounts nor loop devices. Work happens in the folder `work` of that root.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".image"
RELEASE, PYTHON = "trixie", "3.13"
MIRROR = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
PACKAGES = (
    "python3", "debian-archive-keyring", "rauc", "u-boot-tools", "squashfs-tools",
    "mtools", "dosfstools", "e2fsprogs", "fdisk", "zstd", "bmap-tools", "qemu-user",
    "u-boot-qemu", "cpio", "kmod", "openssl", "openssh-client", "systemd", "cryptsetup-bin", "faketime",
    "debhelper", "python3-installer", "python3-setuptools", "lintian",  # these for deploy/debian
)  # fmt: skip
NO_RECOMMENDS = '--aptopt=APT::Install-Recommends "false"'
WITHOUT = tuple(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale", "info"))
BINFMT = Path("/proc/sys/fs/binfmt_misc")
AARCH64 = (
    rb":homenode-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    rb":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:%s:F"
)
"""An ELF program for 64-bit ARM, as binfmt-support writes it; F: opened now, so that every root has it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The root with the tools."""

    root: Path

    @property
    def work(self) -> Path:
        """Its folder for work, ``/work`` to the tools."""
        return self.root / "work"

    def run(self, *command: str, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> bytes:
        """What a tool prints; it sees ``/work`` as its folder, and nothing of this machine's environment.

        Raises:
            subprocess.CalledProcessError: It failed.
        """
        clean = {
            "PATH": "/usr/sbin:/usr/bin",
            "HOME": "/work",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            **(env or {}),
        }
        inside = ["chroot", str(self.root), "sh", "-c", 'cd /work && exec "$@"', "sh", *command]
        done = subprocess.run(inside, env=clean, capture_output=True, input=stdin)
        if done.returncode:  # else it is only told that /proc isn't there
            sys.stderr.write(done.stderr.decode(errors="replace"))
        done.check_returncode()
        return done.stdout


def tools() -> Tools:
    """The tools, made anew when their list changes (two minutes)."""
    recipe = hashlib.sha256("\n".join((RELEASE, *PACKAGES)).encode()).hexdigest()[:12]
    made = Tools(CACHE / "tools")
    stamp = made.root / "recipe"
    if not stamp.exists() or stamp.read_text() != recipe:
        shutil.rmtree(made.root, ignore_errors=True)
        CACHE.mkdir(exist_ok=True)
        debian(made.root, PACKAGES)
        (made.root / "work").mkdir()
        stamp.write_text(recipe)
    shutil.copyfile("/etc/resolv.conf", made.root / "etc/resolv.conf")
    return made


def debian(root: Path, packages: Sequence[str]) -> None:
    """Debian's packages of this machine's kind, in a new root."""
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", NO_RECOMMENDS, *WITHOUT]
    command += [f"--include={','.join(packages)}", RELEASE, str(root)]
    subprocess.run([*command, *sources("main")], check=True)


def sources(*components: str) -> list[str]:
    """Debian's sources, with what was mended since."""
    of = " ".join(components)
    return [
        f"deb {MIRROR} {RELEASE} {of}",
        f"deb {MIRROR} {RELEASE}-updates {of}",
        f"deb {SECURITY} {RELEASE}-security {of}",
    ]


def emulate(made: Tools) -> None:
    """Lets this machine's kernel run programs for 64-bit ARM, by the tools' QEMU."""
    if not (BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)], check=True)
    ours = BINFMT / "homenode-aarch64"
    if ours.exists():
        ours.write_bytes(b"-1")
    (BINFMT / "register").write_bytes(AARCH64 % str(made.root / "usr/bin/qemu-aarch64").encode())


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
