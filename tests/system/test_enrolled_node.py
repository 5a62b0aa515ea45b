"""A box from the office at the broker of deploy/: its certificate is all that either knows of the other."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.system.brokers import Mosquitto, free_port, needs_mosquitto
from tests.system.nodes import NodeProcess
from tests.system.offices import HOME_YAML, Box, OfficeProcess

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
HOME = "flat-1"


def client(folder: Path, port: int, tool: str, name: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    keys = ["--cafile", "ca.pem", "--cert", f"{name}.pem", "--key", f"{name}.key"]
    command = [tool, "-h", "localhost", "-p", str(port), *keys, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=30, check=False)


@needs_mosquitto
def test_a_box_enrols_its_home_runs_and_ends_with_its_certificate_and_the_proof_of_it(tmp_path: Path) -> None:
    broker, port = tmp_path / "broker", free_port()
    broker.mkdir()
    with OfficeProcess(tmp_path / "office") as office:
        office.says("certify", "broker", "--host", "localhost", "--to", str(broker))
        for party in ("care@example", "property@example"):
            office.says("certify", party, "--to", str(broker))
        for name in ("ca.pem", "crl.pem"):
            shutil.copy(office.folder / name, broker)
        shutil.copy(DEPLOY / "acl", broker)
        text = (DEPLOY / "mosquitto.conf").read_text().replace("/etc/mosquitto/homenode", str(broker))
        text = text.replace("/var/lib/mosquitto", str(broker)).replace("8883", f"{port} 127.0.0.1")
        office.describe(HOME, HOME_YAML.format(home=HOME).replace("broker.example:8883", f"localhost:{port}"))
        box = Box(tmp_path / "box", "50000000eeee0001")
        box.provisioned(office, office.code("box", "add", box.serial, "--home", HOME))
        assert box.once().done
        with Mosquitto.as_configured(broker, text, port) as mosquitto:
            env = {"GPIOZERO_PIN_FACTORY": "mock"}
            with NodeProcess(box.places.home, box.places.data, env=env, watched=False) as node:
                node.until("link up")
                shutil.copy(box.places.key, broker / "box.key")
                shutil.copy(box.places.certificate, broker / "box.pem")
                other = f"hn1/{HOME}/property/status"
                client(broker, port, "mosquitto_pub", "box", "-t", other, "-m", "x", "-r", "-q", "1")
                asked = ("-t", "hn1/+/property/#", "-t", "hn1/+/link", "-C", "1")  # the first that is kept
                seen = client(broker, port, "mosquitto_sub", "care@example", *asked)
                assert b'"online": true' in seen.stdout or b'"online":true' in seen.stdout, seen
                office.says("leave", HOME)
                office.says("revoke", "care@example")
                shutil.copy(office.folder / "crl.pem", broker)
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
            log = broker / "mosquitto.log"
            for name in ("box", "care@example"):
                before = log.read_text().count("certificate verify failed")
                ended = client(broker, port, "mosquitto_sub", name, "-t", "#", "-W", "20").returncode
                assert ended not in (0, 27)
                assert log.read_text().count("certificate verify failed") > before
            words = ("-t", "x", "-m", "x")
            assert client(broker, port, "mosquitto_pub", "property@example", *words).returncode == 0
