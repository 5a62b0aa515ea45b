"""A plain Debian, in which a stick can be plugged in.

What the node depends on lies in apt's cache, so that no network is asked; QEMU's monitor and a port of the
guest's are open to the guest and this machine alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deploy.image.tools import CACHE
from tests import guest

FETCHED = ("alsa-utils", "espeak-ng")
"""What apt will want for the package."""
STICK_PORT = 7600
"""Of the guest, where the flat's stick is."""
GUEST = guest.Guest(
    CACHE / "deb-test",
    "/usr/bin/python3 -m tests.deb.inside",
    ("dbus", "mosquitto-clients"),
    f"apt-get -q -y --no-install-recommends --download-only install {' '.join(FETCHED)}\n",
    options=("--skip=cleanup/apt",),
)


def boot(made: Path, out: Path, ports: Sequence[int], within_s: float) -> str:
    """As `guest.boot`; `ports`: two free ones of this machine, for the stick and for QEMU's monitor."""
    stick, monitor = ports
    (out / "monitor").write_text(str(monitor))
    return guest.boot(
        made, out, within_s,
        "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1536",
        "-nic", f"user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:{stick}-:{STICK_PORT}",
        "-device", "qemu-xhci,id=usb", "-audiodev", "none,id=nowhere",
        "-device", "intel-hda", "-device", "hda-output,audiodev=nowhere",
        "-chardev", f"socket,id=stick,host=127.0.0.1,port={stick},reconnect=1",
        "-chardev", f"socket,id=monitor,host=127.0.0.1,port={monitor},server=on,wait=off",
        "-mon", "chardev=monitor,mode=readline",
    )  # fmt: skip
