"""A box with its node, its broker and its operator, whose updates Debian's RAUC installs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from homenode.update.places import Places
from homenode.update.rauc import Rauc
from homenode.update.updater import Updater
from tests.system.brokers import Mosquitto
from tests.system.nodes import NodeProcess, Receiver
from tests.system.rauc_box import Box
from tests.system.shelves import Shelf, make_certificate, sha256

DRIVER = """\
import asyncio
from homenode.driver import DriverType
from homenode.config.fields import Field


class Air:
    def __init__(self, name, options, devices, host):
        self.mood, self.host, self.devices = options["mood"], host, devices

    async def run(self):
        if self.mood == "deaf":
            raise OSError("no stick")
        for device in self.devices:
            if device.options["mains"] or self.mood == "well":
                kind = "power" if device.options["mains"] else "contact"
                self.host.heard(device.name, kind, 5.0 if kind == "power" else False)
        await asyncio.Event().wait()

    async def switch(self, device, kind, to): ...
    async def pair(self, seconds, **code): ...


DRIVER = DriverType(
    name="air",
    blind_to="everything",
    radio_fields=(Field("mood", "word", "how it behaves", required=True),),
    device_fields=(Field("mains", "boolean", "whether it has mains power", default=False),),
    kinds=lambda options: ("power",) if options["mains"] else ("contact",),
    open=Air,
)
"""
RULE = """\
rule: door
version: 1
severity: alarm
to: [care]
roles:
  door: {kind: contact}
when: door == open
says: {sv: "Dörren är öppen", en: "The door is open"}
"""
HOME = """\
home: update-1
timezone: Europe/Stockholm
language: en
clock: {{trust: always}}
broker: {{url: "mqtt://127.0.0.1:{port}"}}
drivers: air
radios:
  air: {{driver: air, mood: {mood}}}
devices:
  plug: {{via: air, mains: true, room: hall}}
  front: {{via: air, room: hall}}
  back: {{via: air, room: hall}}
rules:
  - {{use: door, bind: {{door: front.contact}}}}
"""


NO_BROKER = -1
"""A port at which somebody answers that is none."""


class Flat:
    """A box with its node, its broker and its operator."""

    def __init__(self, folder: Path, box: Box, shelf: Shelf, broker: Mosquitto, operator: Receiver) -> None:
        self.folder, self.box, self.shelf, self.broker, self.operator = folder, box, shelf, broker, operator
        self.home, self.data = folder / "home.yaml", folder / "data"
        self.places = Places(self.data, folder / "own", folder / "run", folder / "etc")
        self.node: NodeProcess | None = None

    def start(self, *, mood: str = "well", port: int = 0) -> None:
        """The node of the slot that runs; `mood` of its radio, and of a version that knows another broker."""
        self.home.write_text(HOME.format(mood=mood, port=port or self.broker.port))
        self.node = NodeProcess(self.home, self.data, watched=not port)
        self.node.until("ready" if port else "link up")

    def stop(self) -> None:
        """As systemd does for a restart."""
        if self.node is not None:
            assert self.node.stop() == 0
            self.node = None

    def reboot(self, **how: Any) -> None:
        """All ends, the boot loader chooses, and all starts again."""
        self.stop()
        self.box.power_on()
        self.start(**how)

    def order(self, bundle: Path, version: str, **more: Any) -> None:
        """Over MQTT, until the node has answered."""
        about = {"version": version, "url": self.shelf.url(bundle), "sha256": sha256(bundle), **more}
        self.command(about)

    def command(self, args: dict[str, Any]) -> dict[str, Any]:
        """Of the operator; its reply."""
        found = self.operator.command("update-1/operator", "update", args)
        assert found["ok"], found
        return found

    @contextmanager
    def updater(self) -> Iterator[Updater]:
        """The updater of this start."""
        rauc = Rauc(self.box.bus)
        try:
            made = Updater(self.places, rauc, self.box, 64 << 20)
            made.begin()
            yield made
        finally:
            rauc.close()

    def update(self, until: Callable[[Updater], bool] = lambda updater: False) -> Updater:
        """Let the updater work to its end, or `until`."""
        with self.updater() as updater:
            for _ in range(5000):
                if not updater.once() or until(updater):
                    return updater
        raise AssertionError(f"never ended: {updater.course}")

    def shown(self, state: str, words: str = "") -> dict[str, Any]:
        """What the operator's status says of the update, when it says this."""

        def find(receiver: Receiver) -> Any:
            told = receiver.updates
            fits = told and told[-1].get("state") == state and words in told[-1].get("why", {}).get("en", "")
            return fits and told[-1]

        return dict(self.operator.until(find, f"update {state}"))

    def fault(self, words: str) -> None:
        """The operator was told of a failed update in these words."""

        def find(receiver: Receiver) -> Any:
            told = [alert["data"] for alert in receiver.alerts("fault")]
            return any("update" in one.get("source", "") and words in one["text"]["en"] for one in told)

        self.operator.until(find, f"a fault: {words}")


@contextmanager
def flat_in(folder: Path) -> Iterator[Flat]:
    """All of it, in that folder."""
    for name in ("own", "run", "etc", "data", "rules", "air"):
        (folder / name).mkdir()
    (folder / "data/update").mkdir()
    drivers = folder / "air"
    (folder / "rules/door.yaml").write_text(RULE)
    (drivers / "air.py").write_text(DRIVER)
    (drivers / "air.py").chmod(0o644)
    drivers.chmod(0o755)
    with Box(folder, "0.1.0") as box, Mosquitto(folder / "broker") as broker:
        make_certificate(folder / "keys", "node")
        for name, source in (("ca.pem", "ca.pem"), ("node.pem", "node.pem"), ("node.key", "node.key")):
            (folder / "etc" / name).write_bytes((folder / "keys" / source).read_bytes())
        topics = [f"hn1/update-1/operator/{name}" for name in ("status", "reply", "alerts")]
        with (
            Shelf(folder, folder / "keys") as shelf,
            Receiver(broker.port, *topics, name="operator") as operator,
        ):
            made = Flat(folder, box, shelf, broker, operator)
            try:
                made.start()
                yield made
            finally:
                if made.node is not None:
                    made.node.kill()
