"""A plain Debian in software: its disk, made once, and its runs, in which a stick can be plugged in.

As tests/camera makes its own. What the node depends on lies in apt's cache, so that no network
is asked; QEMU's monitor and a port of the guest's are open to the guest and this machine alone.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.image.tools import CACHE, NO_RECOMMENDS, RELEASE, REPOSITORY, WITHOUT, sources

PLAIN = (
    "systemd-sysv", "udev", "kmod", "dbus", "iproute2", "procps", "linux-image-amd64", "initramfs-tools",
    "zstd", "python3", "mosquitto", "mosquitto-clients",
)  # fmt: skip
"""The last three for who tests."""
FETCHED = ("alsa-utils", "espeak-ng")
"""What apt will want for the package."""
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
ExecStart=/usr/bin/python3 -m tests.deb.inside
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=graphical.target
"""
SETUP = f"""\
mkdir -p /src /out
systemctl enable show.service
apt-get -q -y --no-install-recommends --download-only install {" ".join(FETCHED)}
"""
DISK_MB = 3000
KERNEL = (
    "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=false systemd.mask=serial-getty@ttyS0.service"
)
STICK_PORT = 7600
"""Of the guest, where the flat's stick is."""


def disk() -> Path:
    """The folder of disk, kernel and initrd; made anew when something of it changes."""
    recipe = "\n".join((*PLAIN, *FETCHED, FSTAB, UNIT, SETUP, *sources("main")))
    made = CACHE / "deb-test" / hashlib.sha256(recipe.encode()).hexdigest()[:12]
    if not (made / "disk").exists():
        shutil.rmtree(made.parent, ignore_errors=True)
        made.mkdir(parents=True)
        _debian(made)
    return made


def boot(made: Path, out: Path, ports: Sequence[int], within_s: float) -> str:
    """Runs the guest until it powers itself off; what its serial port said. Nothing of its disk is kept.

    Args:
        made: What `disk` returned.
        out: The folder that is /out there.
        ports: Two free ones of this machine: for the stick, for QEMU's monitor.
        within_s: As long as it may take.

    Raises:
        subprocess.TimeoutExpired: It took longer.
    """
    stick, monitor = ports
    log = out / "serial.log"
    shares = [
        word
        for tag, path, readonly in (("repository", REPOSITORY, ",readonly=on"), ("out", out, ""))
        for word in ("-virtfs", f"local,path={path},mount_tag={tag},security_model=none{readonly}")
    ]
    net = f"user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:{stick}-:{STICK_PORT}"
    (out / "monitor").write_text(str(monitor))
    with log.open("wb") as serial:
        subprocess.run(
            [
                "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max",
                "-smp", "2", "-m", "1536", "-display", "none", "-serial", "stdio", "-no-reboot", "-snapshot",
                "-kernel", str(made / "vmlinuz"), "-initrd", str(made / "initrd.img"), "-append", KERNEL,
                "-drive", f"file={made / 'disk'},format=raw,if=virtio,cache=unsafe", "-nic", net, *shares,
                "-device", "qemu-xhci,id=usb", "-audiodev", "none,id=nowhere",
                "-device", "intel-hda", "-device", "hda-output,audiodev=nowhere",
                "-chardev", f"socket,id=stick,host=127.0.0.1,port={stick},reconnect=1",
                "-chardev", f"socket,id=monitor,host=127.0.0.1,port={monitor},server=on,wait=off",
                "-mon", "chardev=monitor,mode=readline",
            ],
            stdin=subprocess.DEVNULL, stdout=serial, stderr=subprocess.STDOUT, timeout=within_s, check=True,
        )  # fmt: skip
    return log.read_text(errors="replace")


def _debian(made: Path) -> None:
    root = made / "root"
    files = (
        ("/etc/fstab", FSTAB),
        ("/etc/systemd/system/show.service", UNIT),
    )
    hooks = []
    for nth, (path, text) in enumerate(files):
        (made / str(nth)).write_text(text)
        hooks.append(f"--customize-hook=upload {made / str(nth)} {path}")
    hooks.append(f"--customize-hook=chroot \"$1\" sh -euc '{SETUP}'")
    subprocess.run(
        [
            "mmdebstrap", "--quiet", "--mode=root", "--variant=apt", f"--include={','.join(PLAIN)}", *hooks,
            "--skip=cleanup/apt", NO_RECOMMENDS, *WITHOUT, RELEASE, str(root), *sources("main"),
        ],
        check=True,
    )  # fmt: skip
    for name in ("vmlinuz", "initrd.img"):
        shutil.copyfile(root / name, made / name)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, made / "disk.part", f"{DISK_MB}M"], check=True)
    shutil.rmtree(root)
    (made / "disk.part").rename(made / "disk")
