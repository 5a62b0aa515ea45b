"""A Debian machine with picamera2, libcamera and what a node with a camera needs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from deploy.image.tools import MIRROR, PYTHON, RELEASE, REPOSITORY
from tests.guest import Guest

DEBIAN = (
    "python3-venv", "python3-prctl", "python3-libcamera", "libcamera-ipa", "v4l-utils", "gcc", "libc6-dev",
    "libpython3-dev",
)  # fmt: skip
"""The last three for PiDNG, which picamera2 imports and which has no wheel."""
WHEELS = (
    "pillow", "simplejpeg", "videodev2", "libarchive-c", "tqdm", "jsonschema", "OpenEXR", "piexif",
    "setuptools",
)  # fmt: skip
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
HARDWARE = (
    "-accel", "tcg,thread=single", "-icount", "shift=0", "-rtc", "clock=vm", "-smp", "1", "-m", "2048",
    "-nic", "user,model=virtio-net-pci,restrict=on",
)  # fmt: skip
"""A nanosecond there is an instruction: however busy this machine is, no deadline there is missed for it."""
GLIBC = ("_2_28", "_2_27", "_2_17", "2014")
"""Names of platforms whose wheels Debian's libc can load."""
INSTALL = """\
python3 -m venv --system-site-packages /usr/lib/homenode
/usr/lib/homenode/bin/pip install --quiet --no-index --find-links /wheels -r /needed
echo /src >/usr/lib/homenode/lib/python3.13/site-packages/homenode.pth
rm -r /wheels /needed
"""


def _of_ours() -> list[str]:
    """What a node with a camera and pins needs of PyPI, and what plays its pins."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["video"], *extras["gpio"], *extras["sim"]]


def _wheels(parts: Path) -> Path:
    """For the guest's Python, as pip would there."""
    wheels = parts / "wheels"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(wheels)]
    there = [word for tag in GLIBC for word in ("--platform", f"manylinux{tag}_x86_64")]
    there += ["--python-version", PYTHON, "--implementation", "cp", "--only-binary", ":all:"]
    subprocess.run([*pip, *there, *_of_ours(), *WHEELS], check=True)
    subprocess.run([*pip, "--no-deps", "picamera2", "PiDNG"], check=True)
    return wheels


def machine() -> Guest:
    """It, as pyproject.toml is now."""
    return Guest(
        REPOSITORY / ".camera",
        "/usr/lib/homenode/bin/python -m tests.camera.inside",
        DEBIAN,
        INSTALL,
        (
            ("setup", "/etc/apt/preferences.d/libcamera", PREFERENCES),
            ("customize", "/needed", "\n".join((*_of_ours(), *WHEELS, "picamera2"))),
            ("customize", "/usr/lib/python3/dist-packages/pykms.py", PYKMS),
        ),
        (f"deb {MIRROR} {RELEASE}-backports main",),
        brought=_wheels,
    )
