"""A box from the office at the broker of deploy/: its certificate is all that either knows of the other."""

from __future__ import annotations

import shutil
from pathlib import Path

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
                before = log.read_text().count("certificate verify failed")
                ended = broker.client("mosquitto_sub", name, "-t", "#", "-W", "20").returncode
                assert ended not in (0, 27)
                assert log.read_text().count("certificate verify failed") > before
            assert broker.client("mosquitto_pub", "property@example", "-t", "x", "-m", "x").returncode == 0
