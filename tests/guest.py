"""A Debian machine in software: its disk, made once, and its runs (tests/deb, tests/camera).

No loop device is needed: `mmdebstrap` fills a folder, `mke2fs -d` makes a disk of it, and QEMU lends the
guest two folders: /src, this repository (read only), and /out for what it gives back.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.image.tools import NO_RECOMMENDS, RELEASE, REPOSITORY, WITHOUT, sources

PLAIN = (
    "systemd-sysv", "udev", "kmod", "iproute2", "procps", "linux-image-amd64", "initramfs-tools", "zstd",
    "python3", "mosquitto",
)  # fmt: skip
FSTAB = """\
/dev/vda / ext4 defaults 0 1
repository /src 9p trans=virtio,version=9p2000.L,ro,msize=262144 0 0
out /out 9p trans=virtio,version=9p2000.L,rw,msize=262144 0 0
"""
UNIT = """\
[Unit]
RequiresMountsFor=/src /out
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=idle
WorkingDirectory=/src
Environment=PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ExecStart={show}
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=graphical.target
"""
SETUP = "mkdir -p /src /out\nsystemctl enable show.service\n"
NETWORK = (
    "for i in /sys/class/net/en*; do ip link set ${i##*/} up; "
    "ip address add 10.0.2.15/24 dev ${i##*/}; ip route add default via 10.0.2.2; done"
)
"""Shell within, for QEMU's network; no service of the guest looks after it."""
DISK_MB = 3000
KERNEL = (
    "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=false systemd.mask=serial-getty@ttyS0.service"
)


@dataclass(frozen=True, slots=True)
class Guest:
    """What it is made of.

    Attributes:
        folder: Where its disk is kept.
        show: Command that it runs when it has started; it is off when that ends.
        packages: Of Debian, beside `PLAIN`.
        setup: Shell commands in it, at the end.
        files: ``setup`` (before any package) or ``customize`` (after them all), path, text.
        more_sources: Of packages.
        options: Of mmdebstrap.
        brought: Fills a folder that is then in its root, by the same name.
    """

    folder: Path
    show: str
    packages: Sequence[str]
    setup: str
    files: Sequence[tuple[str, str, str]] = ()
    more_sources: Sequence[str] = ()
    options: Sequence[str] = ()
    brought: Callable[[Path], Path] | None = None

    def disk(self) -> Path:
        """The folder of disk, kernel and initrd; made anew when something of it changes."""
        text = [self.show, *self.packages, self.setup, *self.more_sources, *self.options]
        recipe = "\n".join(
            (*PLAIN, FSTAB, UNIT, SETUP, *text, *(word for file in self.files for word in file))
        )
        made = self.folder / hashlib.sha256(recipe.encode()).hexdigest()[:12]
        if not (made / "disk").exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            (made / "parts").mkdir(parents=True)
            self._fill(made)
            shutil.rmtree(made / "parts")
        return made

    def _fill(self, made: Path) -> None:
        parts = made / "parts"
        root = parts / "root"
        hooks = ['--setup-hook=mkdir -p "$1/etc/initramfs-tools/conf.d"']
        files = (
            ("setup", "/etc/initramfs-tools/conf.d/fast", "COMPRESSLEVEL=1\n"),
            ("customize", "/etc/fstab", FSTAB),
            ("customize", "/etc/systemd/system/show.service", UNIT.format(show=self.show)),
            *self.files,
        )
        for nth, (when, path, text) in enumerate(files):
            (parts / str(nth)).write_text(text)
            hooks.append(f"--{when}-hook=upload {parts / str(nth)} {path}")
        if self.brought:
            hooks.append(f"--customize-hook=copy-in {self.brought(parts)} /")
        hooks.append(f"--customize-hook=chroot \"$1\" sh -euc '{SETUP}{self.setup}'")
        subprocess.run(
            [
                "mmdebstrap", "--quiet", "--mode=root", "--variant=apt",
                f"--include={','.join((*PLAIN, *self.packages))}", *hooks, *self.options,
                NO_RECOMMENDS, *WITHOUT, RELEASE, str(root), *sources("main"), *self.more_sources,
            ],
            check=True,
        )  # fmt: skip
        for name in ("vmlinuz", "initrd.img"):
            shutil.copyfile(root / name, made / name)
        disk = ["mke2fs", "-q", "-t", "ext4", "-d", str(root), str(made / "disk.part"), f"{DISK_MB}M"]
        subprocess.run(disk, check=True)
        (made / "disk.part").rename(made / "disk")


def boot(made: Path, out: Path, within_s: float, *options: str) -> str:
    """Runs the guest until it powers itself off; what its serial port said. Nothing of its disk is kept.

    Args:
        made: What `Guest.disk` returned.
        out: The folder that is /out there.
        within_s: As long as it may take.
        options: Of QEMU: processors, memory, hardware.

    Raises:
        subprocess.TimeoutExpired: It took longer.
    """
    log = out / "serial.log"
    shares = [
        word
        for tag, path, readonly in (("repository", REPOSITORY, ",readonly=on"), ("out", out, ""))
        for word in ("-virtfs", f"local,path={path},mount_tag={tag},security_model=none{readonly}")
    ]
    with log.open("wb") as serial:
        subprocess.run(
            [
                "qemu-system-x86_64", "-machine", "q35", "-cpu", "max", "-display", "none",
                "-serial", "stdio", "-no-reboot", "-snapshot", "-kernel", str(made / "vmlinuz"),
                "-initrd", str(made / "initrd.img"), "-append", KERNEL,
                "-drive", f"file={made / 'disk'},format=raw,if=virtio,cache=unsafe", *shares, *options,
            ],
            stdin=subprocess.DEVNULL, stdout=serial, stderr=subprocess.STDOUT, timeout=within_s, check=True,
        )  # fmt: skip
    return log.read_text(errors="replace")
