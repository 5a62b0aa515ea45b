"""A box from the office at the broker of deploy/: its certificate is all that either knows of the other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from homenode.cli import main
from tests.system.brokers import needs_mosquitto
from tests.system.nodes import NodeProcess
from tests.system.offices import HOME_YAML, Box, OfficeProcess
from tests.system.test_broker_acl import AsDeployed

HOME = "flat-1"


@needs_mosquitto
def test_a_box_enrols_its_home_runs_and_ends_with_its_certificate_and_the_proof_of_it(tmp_path: Path) -> None:
    keys = tmp_path / "broker"
    keys.mkdir()
    broker = AsDeployed(keys)
    with OfficeProcess(tmp_path / "office") as office:
        office.says("certify", "broker", "--host", "localhost", "--to", str(keys))
        for party in ("care@example", "property@example"):
            office.says("certify", party, "--to", str(keys))
        for name in ("ca.pem", "crl.pem"):
            shutil.copy(office.folder / name, keys)
        text = HOME_YAML.format(home=HOME).replace("broker.example:8883", f"localhost:{broker.port}")
        office.describe(HOME, text)
        box = Box(tmp_path / "box", "50000000eeee0001")
        box.provisioned(office, office.code("box", "add", box.serial, "--home", HOME))
        assert box.once().done
        with broker.mosquitto as mosquitto:
            env = {"GPIOZERO_PIN_FACTORY": "mock"}
            with NodeProcess(box.places.home, box.places.data, env=env, watched=False) as node:
                node.until("link up")
                shutil.copy(box.places.key, keys / "box.key")
                shutil.copy(box.places.certificate, keys / "box.pem")
                broker.publish("box", f"hn1/{HOME}/property/status")
                asked = ("-t", "hn1/+/property/#", "-t", "hn1/+/link", "-C", "1")  # the first that is kept
                seen = broker.client("mosquitto_sub", "care@example", *asked)
                assert b'"online": true' in seen.stdout or b'"online":true' in seen.stdout, seen
                office.says("leave", HOME)
                office.says("revoke", "care@example")
                shutil.copy(office.folder / "crl.pem", keys)
                mosquitto.kill()
                mosquitto.start()
                node.until("the office is called")
                assert "TLS" in (box.places.folder / "call").read_text()
                assert box.once().why.key == "not_erased"  # the gateway has the journal
                assert box.places.erase.exists()  # and is stopped by that
                node.stop()
                assert box.once().why.key == "left"
            assert office.box(box.serial)["state"] == "gone"
            assert not box.places.home.exists()
            assert len(list((office.folder / "proofs").iterdir())) == 1
            log = keys / "mosquitto.log"
            for name in ("box", "care@example"):
                before = _refusals(log)
                ended = broker.client("mosquitto_sub", name, "-t", "#", "-W", "20").returncode
                assert ended not in (0, 27)
                office.until(lambda before=before: _refusals(log) > before)  # it writes when it has said so
            assert broker.client("mosquitto_pub", "property@example", "-t", "x", "-m", "x").returncode == 0


def _refusals(log: Path) -> int:
    """How often the broker refused a certificate."""
    return log.read_text().count("certificate verify failed")


SHARES = """\
share: {property: [sink.water]}
export: {homeassistant: homeassistant}
"""
LEFT = {
    f"hn1/{HOME}/link",
    *(f"hn1/{HOME}/{party}/status" for party in ("care", "property", "resident", "operator")),
    f"hn1/{HOME}/property/readings/sink/water",
    f"homeassistant/property/binary_sensor/{HOME}/sink_water/config",
}


class Tenancy:
    """A node from the office that has shown at the broker of deploy/ all that it retains there."""

    def __init__(self, folder: Path, office: OfficeProcess) -> None:
        self.office, self.keys = office, folder / "broker"
        self.keys.mkdir()
        self.broker = AsDeployed(self.keys)
        with (self.keys / "acl").open("a") as acl:
            acl.write("user all@example\ntopic read #\n")
        office.says("certify", "broker", "--host", "localhost", "--to", str(self.keys))
        office.says("certify", "all@example", "--to", str(self.keys))
        self.revoked()
        text = HOME_YAML.format(home=HOME).replace("broker.example:8883", f"localhost:{self.broker.port}")
        office.describe(HOME, text + SHARES)
        self.box = Box(folder / "box", "50000000eeee0002")
        self.box.provisioned(office, office.code("box", "add", self.box.serial, "--home", HOME))
        assert self.box.once().done
        env = {"GPIOZERO_PIN_FACTORY": "mock"}
        self.node = NodeProcess(self.box.places.home, self.box.places.data, env=env, watched=False)

    def revoked(self) -> None:
        """The broker knows what the office knows, when it is started."""
        for name in ("ca.pem", "crl.pem"):
            shutil.copy(self.office.folder / name, self.keys)

    def kept(self) -> set[str]:
        """Topics under which the broker keeps something."""
        return self.broker.retained("all@example")

    def empty(self) -> tuple[int, list[str]]:
        """The command's exit status, and why not all is emptied."""
        status = main(["office", "empty", "--office", str(self.office.folder)])
        return status, [row["why"] for row in self.office.listed()["emptyings"]]


@pytest.fixture
def tenancy(tmp_path: Path) -> Iterator[Tenancy]:
    with OfficeProcess(tmp_path / "office") as office:
        made = Tenancy(tmp_path, office)
        with made.broker.mosquitto, made.node as node:
            node.until("link up")
            office.until(lambda: made.kept() == LEFT)
            yield made


@needs_mosquitto
def test_when_the_proof_is_here_the_office_empties_what_the_home_left_at_the_broker(tenancy: Tenancy) -> None:
    office, mosquitto = tenancy.office, tenancy.broker.mosquitto
    office.says("leave", HOME)
    tenancy.revoked()
    mosquitto.stop()
    mosquitto.start()
    tenancy.node.until("the office is called")
    assert tenancy.box.once().why.key == "not_erased"  # the gateway has the journal
    tenancy.node.stop()
    assert tenancy.kept() == LEFT  # nobody empties what a node may still write to
    (tenancy.office.folder / "homes" / HOME / "home.yaml").unlink()  # the proof says it all
    assert tenancy.box.once().why.key == "left"
    office.until(lambda: tenancy.kept() == set())
    office.until(lambda: office.reports()[0] == "emptied")
    assert office.listed()["emptyings"] == []


@needs_mosquitto
def test_what_the_home_of_a_lost_box_left_is_emptied_or_said_why_not(tenancy: Tenancy) -> None:
    office, mosquitto, acl = tenancy.office, tenancy.broker.mosquitto, tenancy.keys / "acl"
    office.says("leave", HOME, "--without-proof")
    status, (why,) = tenancy.empty()
    assert (status, tenancy.kept()) == (1, LEFT)
    assert "still at the broker" in why
    assert "still at the broker" in office.says("list")
    mosquitto.freeze()
    assert "does not answer" in tenancy.empty()[1][0]
    mosquitto.thaw()
    tenancy.node.kill()
    example = acl.read_text()
    acl.write_text(example.replace("emptying@office", "another@office"))
    mosquitto.reload()
    office.until(lambda: "does not let us empty" in tenancy.empty()[1][0])
    assert tenancy.kept() == LEFT
    acl.write_text(example)
    mosquitto.reload()
    office.until(lambda: tenancy.empty() == (0, []))
    assert tenancy.kept() == set()
