"""A Debian machine in software: its disk, made once, and its runs.

No loop device is needed: `mmdebstrap` fills a folder, `mke2fs -d` makes a disk of it, and QEMU lends the
guest two folders, this repository (read only) and one for what it has filmed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".camera"
RELEASE, PYTHON = "trixie", "3.13"
MIRROR = "http://deb.debian.org/debian"
DEBIAN = (
    "systemd-sysv", "udev", "kmod", "iproute2", "linux-image-amd64", "initramfs-tools", "zstd", "procps",
    "python3", "python3-venv", "python3-prctl", "python3-libcamera", "libcamera-ipa", "v4l-utils",
    "mosquitto", "gcc", "libc6-dev", "libpython3-dev",
)  # fmt: skip
"""The last three for PiDNG, which picamera2 imports and which has no wheel."""
WHEELS = (
    "pillow",
    "simplejpeg",
    "videodev2",
    "libarchive-c",
    "tqdm",
    "jsonschema",
    "OpenEXR",
    "piexif",
    "setuptools",
)
"""What picamera2 imports; it comes with Raspberry Pi OS, not with Debian."""
PREFERENCES = "Package: *libcamera*\nPin: release n=trixie-backports\nPin-Priority: 600\n"
"""The virtual camera is built from libcamera 0.7 on."""
PYKMS = """\
import libcamera
class Names:
    def __getattr__(self, name):
        return name
PixelFormat = Names()
asked = libcamera.Camera.generate_configuration
def answered(self, roles):
    return asked(self, roles) or asked(self, [libcamera.StreamRole.Viewfinder])
libcamera.Camera.generate_configuration = answered
"""
"""What stands in for others: README.md says for whom and why."""
FSTAB = """\
/dev/vda / ext4 defaults 0 1
repository /src 9p trans=virtio,version=9p2000.L,ro,msize=262144 0 0
out /out 9p trans=virtio,version=9p2000.L,rw,msize=262144 0 0
"""
UNIT = """\
[Unit]
RequiresMountsFor=/src /out
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
WorkingDirectory=/src
Environment=PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ExecStart=/usr/lib/homenode/bin/python -m tests.camera.inside
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=multi-user.target
"""
DISK_MB = 3000
KERNEL = (
    "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=false systemd.mask=serial-getty@ttyS0.service"
)
HASTE = ("-icount", "shift=0", "-rtc", "clock=vm")
"""A nanosecond there is an instruction: however busy this machine is, no deadline there is missed for it."""
GLIBC = ("_2_28", "_2_27", "_2_17", "2014")
"""Names of platforms whose wheels Debian's libc can load."""
INSTALL = """\
mkdir /src /out
python3 -m venv --system-site-packages /usr/lib/homenode
/usr/lib/homenode/bin/pip install --quiet --no-index --find-links /wheels -r /needed
echo /src >/usr/lib/homenode/lib/python3.13/site-packages/homenode.pth
rm -r /wheels /needed
systemctl enable show.service
"""


def disk() -> Path:
    """The folder of disk, kernel and initrd; made anew when something of it changes."""
    made = CACHE / hashlib.sha256(_recipe().encode()).hexdigest()[:12]
    if not (made / "disk").exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        parts = made / "parts"
        parts.mkdir(parents=True)
        _download(parts / "wheels")
        _debian(made, parts)
        shutil.rmtree(parts)
    return made


def boot(made: Path, out: Path, within_s: float) -> str:
    """Runs the guest until it powers itself off; what its serial port said. Nothing of its disk is kept.

    Raises:
        subprocess.TimeoutExpired: It did not.
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
                "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "max",
                *HASTE, "-smp", "1", "-m", "2048", "-nographic", "-no-reboot", "-snapshot",
                "-kernel", str(made / "vmlinuz"), "-initrd", str(made / "initrd.img"),
                "-append", KERNEL,
                "-drive", f"file={made / 'disk'},format=raw,if=virtio",
                "-nic", "user,model=virtio-net-pci,restrict=on", *shares,
            ],
            stdin=subprocess.DEVNULL, stdout=serial, stderr=subprocess.STDOUT, timeout=within_s, check=True,
        )  # fmt: skip
    return log.read_text(errors="replace")


def _recipe() -> str:
    return "\n".join((*DEBIAN, *WHEELS, PREFERENCES, PYKMS, FSTAB, UNIT, INSTALL, *_of_ours()))


def _of_ours() -> list[str]:
    """What a node with a camera and pins needs of PyPI, and what plays its pins."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["video"], *extras["gpio"], *extras["sim"]]


def _download(wheels: Path) -> None:
    """For the guest's Python, as pip would there."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(wheels)]
    there = [word for tag in GLIBC for word in ("--platform", f"manylinux{tag}_x86_64")]
    there += ["--python-version", PYTHON, "--implementation", "cp", "--only-binary", ":all:"]
    subprocess.run([*pip, *there, *_of_ours(), *WHEELS], check=True)
    subprocess.run([*pip, "--no-deps", "picamera2", "PiDNG"], check=True)


def _debian(made: Path, parts: Path) -> None:
    root = parts / "root"
    needed = "\n".join((*_of_ours(), "picamera2"))
    files = (
        ("setup", "/etc/apt/preferences.d/libcamera", PREFERENCES),
        ("setup", "/etc/initramfs-tools/conf.d/fast", "COMPRESSLEVEL=1\n"),
        ("customize", "/needed", needed),
        ("customize", "/usr/lib/python3/dist-packages/pykms.py", PYKMS),
        ("customize", "/etc/fstab", FSTAB),
        ("customize", "/etc/systemd/system/show.service", UNIT),
    )
    hooks = ['--setup-hook=mkdir -p "$1/etc/initramfs-tools/conf.d"']
    for nth, (when, path, text) in enumerate(files):
        (parts / str(nth)).write_text(text)
        hooks.append(f"--{when}-hook=upload {parts / str(nth)} {path}")
    hooks += [
        f"--customize-hook=copy-in {parts}/wheels /",
        f"--customize-hook=chroot \"$1\" sh -euc '{INSTALL}'",
    ]
    subprocess.run(
        [
            "mmdebstrap", "--quiet", "--mode=root", "--variant=apt", f"--include={','.join(DEBIAN)}", *hooks,
            "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
            "--aptopt=APT::Install-Recommends \"false\"",
            RELEASE, str(root), f"deb {MIRROR} {RELEASE} main", f"deb {MIRROR} {RELEASE}-backports main",
        ],
        check=True,
    )  # fmt: skip
    for name in ("vmlinuz", "initrd.img"):
        shutil.copyfile(root / name, made / name)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, made / "disk.part", f"{DISK_MB}M"], check=True)
    (made / "disk.part").rename(made / "disk")
