"""A receiver for each party, with its own certificate; it writes down what comes, then acknowledges."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.chaos.home import PARTIES
from tests.system.nodes import Receiver
from tests.system.openssl import issued, openssl, self_signed
from tests.system.soak_home import until
from tests.system.test_broker_acl import Example

WATCHER = "watcher@example"
ACL = """
user resident@{home}
topic read hn1/{home}/link
topic read hn1/{home}/resident/alerts
"""


class Brokerage(Example):
    """The example broker of deploy/, with keys for all, and those a gate shows when it is to be refused."""

    def __init__(self, folder: Path, homes: tuple[str, ...], hosts: tuple[str, ...]) -> None:
        super().__init__(folder)
        alt = ",".join(f"IP:{host}" for host in hosts)
        issued(folder, "gate", f"subjectAltName={alt}")
        self_signed(folder, "stranger_ca")
        issued(folder, "stranger_gate", f"subjectAltName={alt}", ca="stranger_ca")
        self._expired(alt)
        for home in homes:
            issued(folder, home)
            issued(folder, f"resident@{home}")
        issued(folder, WATCHER)
        acl = "".join(ACL.format(home=home) for home in homes) + f"\nuser {WATCHER}\ntopic read #\n"
        with (folder / "acl").open("a") as file:
            file.write(acl)

    def _expired(self, alt: str) -> None:
        """A certificate of ours whose time is over."""
        folder = self.folder
        issued(folder, "expired_gate", f"subjectAltName={alt}")
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("77\n")
        (folder / "old.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\n"
            f"policy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName={alt}\n"
        )
        openssl(
            folder, "ca", "-batch", "-config", "old.cnf", "-in", "expired_gate.csr",
            "-out", "expired_gate.pem", "-cert", "ca.pem", "-keyfile", "ca.key",
            "-startdate", "20200101000000Z",
            "-enddate", "20200201000000Z", "-notext",
        )  # fmt: skip

    def keys(self, name: str) -> dict[str, str]:
        """For `Receiver`."""
        at = self.folder
        files = {"ca_certs": "ca.pem", "certfile": f"{name}.pem", "keyfile": f"{name}.key"}
        return {word: str(at / file) for word, file in files.items()}


class Party(Receiver):
    """Writes a line for each message, and only then lets paho acknowledge it."""

    def __init__(self, port: int, log: Path, *topics: str, name: str, keys: Mapping[str, str]) -> None:
        self._log = log.open("a")
        super().__init__(port, *topics, name=name, keys=keys)

    def _came(self, client: Any, data: Any, message: Any) -> None:
        self._log.write(json.dumps([message.topic, message.payload.decode()]) + "\n")
        self._log.flush()
        super()._came(client, data, message)

    def close(self) -> None:
        super().close()
        self._log.close()

    def unsure(self) -> None:
        """The broker is about to forget it."""
        self._ready.clear()

    @property
    def subscribed(self) -> bool:
        """Whether it has subscribed since."""
        return self._ready.is_set()


class Everybody:
    """All receivers of these homes."""

    def __init__(self, broker: Brokerage, folder: Path, homes: tuple[str, ...]) -> None:
        self.folder, self._broker = folder, broker
        self.all: dict[str, Party] = {}
        for party in PARTIES:
            if party == "resident":
                for home in homes:
                    self._add(f"resident@{home}", f"hn1/{home}/resident/alerts")
            else:
                self._add(f"{party}@example", f"hn1/+/{party}/alerts")
        self._add(WATCHER, "#")

    def _add(self, name: str, topic: str) -> None:
        keys = self._broker.keys(name)
        self.all[name] = Party(self._broker.port, self.folder / f"{name}.log", topic, name=name, keys=keys)

    def came(self) -> dict[str, list[tuple[str, dict[str, Any]]]]:
        """By party: alerts as they came."""
        found: dict[str, list[tuple[str, dict[str, Any]]]] = {party: [] for party in PARTIES}
        for name, receiver in self.all.items():
            if name != WATCHER:
                found[name.partition("@")[0]] += [(t, b) for t, b, _ in list(receiver.messages)]
        return found

    def written(self) -> dict[str, list[tuple[str, dict[str, Any]]]]:
        """As `came`, from what each wrote down."""
        found: dict[str, list[tuple[str, dict[str, Any]]]] = {party: [] for party in PARTIES}
        for name in self.all.keys() - {WATCHER}:
            lines = map(json.loads, (self.folder / f"{name}.log").read_text().splitlines())
            found[name.partition("@")[0]] += [(topic, json.loads(payload)) for topic, payload in lines]
        return found

    def until_back(self) -> None:
        """All are connected, and have subscribed again if they were `unsure`."""
        all_of_them = self.all.values()
        until(lambda: all(one.connected and one.subscribed for one in all_of_them), what="every receiver")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for receiver in self.all.values():
            receiver.close()
