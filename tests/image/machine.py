"""The board in software: QEMU, which starts the unmodified image through U-Boot from a card."""

from __future__ import annotations

import re
import struct
import subprocess
import time
from pathlib import Path

from deploy.image.tools import Tools
from tests.image.card import Card
from tests.system.brokers import free_port

SERIAL = "10000000c0ffee01"
LINK, SIDE, SIDE_NET = "eth0", "eth1", "192.168.77"
"""Interfaces: the closed link; the apartment's own network, on which the panel is looked at."""

SHUT_DOWN_S = 120


def with_serial(tree: bytes, serial: str) -> bytes:
    """A flattened device tree (devicetree-specification, 5) with this serial number."""
    header = list(struct.unpack(">10I", tree[:40]))
    at, strings, strings_b, struct_b = header[2], header[3], header[8], header[9]
    value = serial.encode() + b"\0"
    more = struct.pack(">III", 3, len(value), strings_b) + value + bytes(-len(value) % 4)
    names = tree[strings : strings + strings_b] + b"serial-number\0"
    body = tree[at : at + 8] + more + tree[at + 8 : at + struct_b]  # 8: the root begins
    header[3], header[8], header[9] = at + len(body), len(names), len(body)
    header[1] = header[3] + len(names)
    return struct.pack(">10I", *header) + tree[40:at] + body + names


class Machine:
    """One board. What it prints is in `serial`; its port 22, and its panel's, are loopback ports here.

    Args:
        made: Where QEMU and U-Boot are.
        folder: For its log.
        stick: Port here on which a Zigbee stick answers, if there is one.
        serial: Its number, as a Pi's firmware says it.
    """

    def __init__(
        self,
        made: Tools,
        folder: Path,
        card: Card,
        *,
        stick: int = 0,
        serial: str = SERIAL,
    ) -> None:
        self._made, self.card = made, card
        self._stick = stick
        self._serial, self._tree = serial, folder / f"{serial}.dtb"
        self.ssh_port, self.panel_port = free_port(), free_port()
        folder.mkdir(exist_ok=True)
        self.log = folder / "serial.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.started = 0.0

    def start(self) -> None:
        """Power on."""
        root = self._made.root
        boot = root / "usr/lib/u-boot/qemu_arm64/u-boot.bin"
        command = [
            "qemu-system-aarch64", "-cpu", "cortex-a53", "-smp", "2", "-m", "512",
            "-display", "none", "-bios", str(boot),
            "-drive",
            f"driver=nbd,server.type=unix,server.path={self.card.socket},if=none,id=card,cache=writeback",
            "-device", "virtio-blk-pci,drive=card",
            "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.ssh_port}-:22",
            "-device", "virtio-net-pci,netdev=net,romfile=",
            "-device", "i6300esb", "-action", "watchdog=reset",
            "-device", "qemu-xhci", "-serial", f"file:{self.log}",
            "-netdev", f"user,id=home,restrict=on,net={SIDE_NET}.0/24,"
            f"hostfwd=tcp:127.0.0.1:{self.panel_port}-{SIDE_NET}.1:8650",
            "-device", "virtio-net-pci,netdev=home,romfile=",
        ]  # fmt: skip
        if self._stick:
            line = f"socket,id=stick,host=127.0.0.1,port={self._stick},reconnect=1"
            command += ["-chardev", line, "-device", "usb-serial,chardev=stick"]
        if not self._tree.exists():
            subprocess.run([*command, "-M", f"virt,dumpdtb={self._tree}"], check=True, capture_output=True)
            self._tree.write_bytes(with_serial(self._tree.read_bytes(), self._serial))
        self.log.write_bytes(b"")  # else what the start before said is read once more
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [*command, "-M", "virt", "-dtb", str(self._tree)], stdin=subprocess.DEVNULL
        )

    def cut(self) -> tuple[int, int]:
        """The plug is pulled; as `Card.cut`."""
        self.off()
        return self.card.cut()

    def off(self) -> None:
        """QEMU ends; the card keeps what it was given."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def until_off(self) -> None:
        """Waits for an orderly power off, as something there ordered it.

        Raises:
            subprocess.TimeoutExpired: It stays on.
        """
        assert self._process is not None
        self._process.wait(SHUT_DOWN_S)
        self._process = None

    def said(self) -> str:
        """What came over its serial port since it was switched on."""
        return re.sub(
            r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.log.read_text(errors="replace") if self.log.exists() else ""
        )

    def until_said(self, pattern: str, within_s: float) -> float:
        """Seconds from power on.

        Raises:
            TimeoutError: It didn't say so.
        """
        end = time.perf_counter() + within_s
        while time.perf_counter() < end:
            if re.search(pattern, self.said()):
                return time.perf_counter() - self.started
            time.sleep(0.2)
        raise TimeoutError(f"not said: {pattern}\n{self.said()[-2000:]}")

    def ask(self, key: Path, command: str, within_s: float = 240, *, given: str = "") -> str:
        """What a command prints in the machine, by a technician's key; `given` to it.

        Raises:
            subprocess.SubprocessError: It failed, or nobody answers.
        """
        ssh = ["ssh", "-q", "-i", str(key), "-p", str(self.ssh_port), "-o", "StrictHostKeyChecking=no"]
        ssh += ["-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10", "root@127.0.0.1", command]
        done = subprocess.run(ssh, input=given, capture_output=True, text=True, timeout=within_s, check=True)
        return done.stdout
