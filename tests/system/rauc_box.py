"""A box with two slots: Debian's own RAUC at work in a root of its own, and a boot loader as small as ours.

What is simulated is hardware: the machine's clock since its start, its restart, the boot loader's counter and
slots. Without device-mapper in this kernel bundles are of RAUC's format ``plain``; a node takes ``verity``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

from homenode.update.host import Host
from tests.system.shelves import make_certificate
from tests.system.soak_home import until

REPOSITORY = Path(__file__).resolve().parents[2]
ROOT = REPOSITORY / ".updates/root"
RELEASE, MIRROR = "trixie", "http://deb.debian.org/debian"
DEBIAN = "rauc,rauc-service,dbus,squashfs-tools"
COMPATIBLE = "homenode-test"
TRIES = 3
"""That the boot loader gives a slot which is not yet good."""

SYSTEM = """\
[system]
compatible={compatible}
bootloader=custom
data-directory={folder}/rauc
bundle-formats=plain verity
[keyring]
path={folder}/keys/ca.pem
[handlers]
bootloader-custom-backend={folder}/boot-state
[slot.rootfs.0]
device={folder}/a.img
type=raw
bootname=A
[slot.rootfs.1]
device={folder}/b.img
type=raw
bootname=B
"""
BOOT_STATE = """\
#!/bin/sh
set -eu
cd {folder}/boot
case $1 in
  get-primary) cat primary ;;
  set-primary) echo {tries} >left.$2; echo trial >state.$2; echo $2 >primary ;;
  get-state) if grep -q bad state.$2; then echo bad; else echo good; fi ;;
  set-state) echo $3 >state.$2 ;;
  get-current) cat current ;;
esac
"""
BUS = """\
<busconfig><listen>unix:path={folder}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/><allow user="*"/></policy></busconfig>
"""
INSIDE = """\
set -e
mount --make-rprivate /
mount --bind /dev {root}/dev
mount -t proc proc {root}/proc
mount -t tmpfs run {root}/run
mount -t tmpfs tmp {root}/tmp
mkdir -p {root}/run/rauc/mnt {root}{folder}
mount --bind {folder} {root}{folder}
exec chroot {root} "$@"
"""


def make_root() -> Path:
    """Debian's root with RAUC; made once."""
    if not (ROOT / "usr/bin/rauc").exists():
        shutil.rmtree(ROOT, ignore_errors=True)
        ROOT.parent.mkdir(exist_ok=True)
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=apt", f"--include={DEBIAN}", RELEASE, str(ROOT), MIRROR],
            check=True,
        )
    return ROOT


class Box(Host):
    """One box. `up_ms` goes on by what is slept; `versions` says what each slot holds.

    Attributes:
        asked: Whether it was asked to restart.
    """

    def __init__(self, folder: Path, version: str) -> None:
        super().__init__(folder / "restart")
        self.folder, self.versions = folder, {"A": version, "B": ""}
        self.asked, self._boots, self._up_ms = False, 0, 0
        self._rauc: subprocess.Popen[bytes] | None = None
        for name in ("boot", "rauc", "keys"):
            (folder / name).mkdir()
        for name, text in (("current", "A"), ("primary", "A"), ("state.A", "good"), ("state.B", "bad")):
            (folder / "boot" / name).write_text(text)
        for slot in "ab":
            with open(folder / f"{slot}.img", "wb") as image:
                image.truncate(2 << 20)
        make_certificate(folder / "keys", "ca")
        facts = {"folder": folder, "compatible": COMPATIBLE, "root": make_root(), "tries": TRIES}
        (folder / "boot-state").write_text(BOOT_STATE.format(**facts))
        (folder / "boot-state").chmod(0o755)
        (folder / "system.conf").write_text(SYSTEM.format(**facts))
        (folder / "bus.conf").write_text(BUS.format(**facts))
        self._inside = ["unshare", "--mount", "sh", "-c", INSIDE.format(**facts), "sh"]
        self.bus = f"unix:path={folder}/bus"
        self._daemon = subprocess.Popen(
            ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork"], stderr=subprocess.DEVNULL
        )
        try:
            until((folder / "bus").exists, what="D-Bus")
            self.power_on()
        except BaseException:
            self.close()
            raise

    # -- the machine

    @property
    def version(self) -> str:
        return self.versions[self.slot]

    @property
    def slot(self) -> str:
        """That which runs."""
        return self.read("current")

    @property
    def boot(self) -> str:
        return f"boot-{self._boots}"

    def up_ms(self) -> int:
        return self._up_ms

    def wall_ms(self, *, anyway: bool = False) -> int | None:
        return time.time_ns() // 1_000_000

    def sleep(self, wait_ms: int) -> None:
        self._up_ms += wait_ms
        time.sleep(min(wait_ms, 20) / 1000)

    def restart(self) -> None:
        self.asked = True

    def read(self, name: str) -> str:
        """What the boot loader's state says."""
        return (self.folder / "boot" / name).read_text().strip()

    def power_on(self) -> str:
        """The boot loader chooses, as U-Boot does by its counter; RAUC is started. Returns the slot."""
        if self._rauc is not None:
            _end(self._rauc)
        first = self.read("primary")
        other = "B" if first == "A" else "A"
        state, left = self.read(f"state.{first}"), self.folder / f"boot/left.{first}"
        if state == "trial" and int(left.read_text()) > 0:
            left.write_text(str(int(left.read_text()) - 1))
        elif state != "good":
            first = other
        (self.folder / "boot/current").write_text(first)
        self.asked, self._boots, self._up_ms = False, self._boots + 1, 20_000
        self._start_rauc()
        return first

    def restart_rauc(self) -> None:
        """It is killed, and D-Bus starts another one."""
        assert self._rauc is not None
        self._rauc.kill()
        self._rauc.wait(10)
        until(lambda: b"de.pengutronix.rauc" not in self._names(), what="RAUC is gone")
        self._start_rauc()

    def lose_bus(self) -> None:
        """The bus ends, and RAUC with it."""
        _end(self._daemon)

    def _start_rauc(self) -> None:
        self._rauc = subprocess.Popen(
            [*self._inside, "rauc", f"--conf={self.folder}/system.conf", "--mount=/run/rauc/mnt", "service"],
            env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.bus},
            stderr=(self.folder / "rauc.log").open("ab"), stdout=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: b"de.pengutronix.rauc" in self._names(), what="RAUC")

    def _names(self) -> bytes:
        return subprocess.run(
            ["dbus-send", f"--bus={self.bus}", "--dest=org.freedesktop.DBus", "--print-reply",
             "/", "org.freedesktop.DBus.ListNames"],
            capture_output=True, check=False,
        ).stdout  # fmt: skip

    # -- bundles

    def bundle(self, version: str, *, compatible: str = COMPATIBLE, signer: str = "ca") -> Path:
        """A signed bundle with a root file system of random bytes."""
        if not (self.folder / f"keys/{signer}.pem").exists():
            make_certificate(self.folder / "keys", signer)
        content = self.folder / f"content-{version}-{compatible}-{signer}"
        content.mkdir()
        (content / "root.img").write_bytes(os.urandom(1 << 20))
        (content / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion={version}\n[bundle]\nformat=plain\n"
            "[image.rootfs]\nfilename=root.img\n"
        )
        made = self.folder / f"{content.name}.raucb"
        keys = self.folder / "keys"
        subprocess.run(
            [*self._inside, "rauc", "bundle", f"--cert={keys / signer}.pem", f"--key={keys / signer}.key",
             str(content), str(made)],
            check=True, capture_output=True,
        )  # fmt: skip
        return made

    def holds(self, slot: str, bundle: Path) -> bool:
        """Whether a slot holds what the bundle brought."""
        image = (bundle.with_suffix("") / "root.img").read_bytes()
        with open(self.folder / f"{slot.lower()}.img", "rb") as stream:
            return stream.read(len(image)) == image

    def close(self) -> None:
        """Switch off."""
        for process in (self._rauc, self._daemon):
            if process is not None:
                process.kill()
                process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(10)
