"""A node that starts on a half-edited home.yaml or rule file: nobody is left alone over it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from homenode.gateway import kept
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver, homenode
from tests.system.test_node import RULE, a_home

pytestmark = needs_mosquitto


def two_rules(folder: Path, port: int, tape: list[tuple[float, bool]]) -> Path:
    """A front door that two rules of the home's own watch."""
    home = a_home(folder, port, tape)
    use = "  - {use: door, bind: {door: front_door.contact}}\n"
    home.write_text(home.read_text().replace(use, use + use.replace("use: door", "use: ajar")))
    (folder / "rules" / "ajar.yaml").write_text(RULE.replace("rule: door", "rule: ajar"))
    return home


def open_alerts(status: dict[str, Any]) -> dict[str, str]:
    return {alert["rule"]: alert["alert"] for alert in status["alerts"]}


def test_a_broken_rule_file_at_a_start_stops_no_rule_and_mending_it_ends_the_fault(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home, data = two_rules(tmp_path, broker.port, [(0.0, True)]), tmp_path / "data"
    rule = tmp_path / "rules" / "ajar.yaml"
    good = rule.read_text()
    with Receiver(broker.port, "hn1/test-1/care/alerts", name="care") as care:
        with NodeProcess(home, data) as node:
            care.until(lambda seen: len(seen.alerts("notified")) == 2, "both alerts")
            before = open_alerts(node.status())
            assert before.keys() == {"door", "ajar"}
            assert node.stop() == 0
        rule.write_text(good.replace("open for $open_for", "opened for $open_for"))
        with (
            Receiver(broker.port, "hn1/test-1/operator/alerts", name="operator") as operator,
            NodeProcess(home, data) as node,
        ):
            assert f"{rule}:9:15: when" in node.until("ajar.yaml")
            told = operator.until(lambda seen: seen.alerts("fault"), "the fault")[0]
            assert "1 mistake in ajar.yaml" in told["data"]["text"]["en"]
            status = node.status()
            assert [fault["source"] for fault in status["faults"]] == ["home.yaml"]
            assert "1 fel i ajar.yaml" in status["faults"][0]["why"]
            assert open_alerts(status) == before
            refused = node.ask("reload")
            assert refused.returncode == 2
            assert f"{rule}:9:15: when" in refused.stderr
            assert node.status()["faults"] == status["faults"], "a refused reload ends no fault"
            rule.write_text(good)
            assert node.ask("reload").returncode == 0
            operator.until(lambda seen: seen.alerts("recovered"), "the end of the fault")
            status = node.status()
            assert status["faults"] == []
            assert open_alerts(status) == before
            node.kill()
        home.write_text(home.read_text()[:200])
        (tmp_path / "tape.jsonl").write_text(
            (tmp_path / "tape.jsonl").read_text().replace('"value": true', '"value": false')
        )
        with NodeProcess(home, data) as node:
            node.until("ready")
            ends = care.until(
                lambda seen: len(seen.alerts("resolved")) == 2 and seen.alerts("resolved"), "ends"
            )
            assert {end["data"]["alert"] for end in ends} == set(before.values())
            assert all("reason" not in end["data"] for end in ends), "no rule changed"
            assert node.stop() == 0


def test_a_fault_of_mistaken_files_ends_with_the_next_good_start(tmp_path: Path) -> None:
    home, data = two_rules(tmp_path, 1, [(0.0, False)]), tmp_path / "data"
    good = home.read_text()
    for text, faults in ((good, []), ("home: [", ["home.yaml"]), ("", ["home.yaml"]), (good, [])):
        home.write_text(text)
        with NodeProcess(home, data) as node:
            node.until("ready")
            assert [fault["source"] for fault in node.status()["faults"]] == faults
            assert node.stop() == 0


def test_a_reload_is_what_the_next_start_on_mistaken_files_runs_on(tmp_path: Path) -> None:
    home, data = two_rules(tmp_path, 1, [(0.0, False)]), tmp_path / "data"
    with NodeProcess(home, data) as node:
        node.until("ready")
        home.write_text(home.read_text().replace("share:", "modes: {party: {longest: 2 h}}\nshare:"))
        assert node.ask("reload").returncode == 0
        node.kill()
    home.unlink()
    with NodeProcess(home, data) as node:
        node.until("ready")
        assert node.ask("mode", "party").returncode == 0


def test_a_password_file_that_is_gone_costs_the_link_and_no_rule(tmp_path: Path) -> None:
    home, data = a_home(tmp_path, 1, [(0.0, True)]), tmp_path / "data"
    (tmp_path / "password").write_text("secret")
    login = ", username: anna, password_file: password}\nradios"
    home.write_text(home.read_text().replace("}\nradios", login))
    with NodeProcess(home, data) as node:
        node.until("ready")
        assert node.stop() == 0
    (tmp_path / "password").unlink()
    with NodeProcess(home, data) as node:
        assert "broker.password_file" in node.until("home.yaml:5:")
        assert str(tmp_path / "password") in node.until("password can't be read")
        assert node.status()["rules"][0]["rule"] == "door"


def test_a_first_start_on_mistaken_files_ends_and_keeps_nothing(tmp_path: Path) -> None:
    home, data = two_rules(tmp_path, 1, [(0.0, False)]), tmp_path / "data"
    home.write_text(home.read_text().replace("room: hall", "rom: hall"))
    for _ in range(2):
        ended = homenode("run", str(home), "--data", str(data))
        assert ended.returncode == 2
        assert f"{home}:10:" in ended.stderr
        assert "did you mean room?" in ended.stderr
        assert not (data / kept.NAME).exists()


def test_a_kept_configuration_that_is_damaged_is_told_and_not_run(tmp_path: Path) -> None:
    home, data = two_rules(tmp_path, 1, [(0.0, False)]), tmp_path / "data"
    with NodeProcess(home, data) as node:
        node.until("ready")
        assert node.stop() == 0
    file = data / kept.NAME
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(file.read_bytes()[:-40])
    home.write_text("home: [")
    ended = homenode("run", str(home), "--data", str(data))
    assert ended.returncode == 2
    assert f'file={file} why="it is damaged"' in ended.stderr
    assert f"{home}:1:" in ended.stderr


WRITER = """
import sys
from itertools import count
from pathlib import Path
from homenode.gateway.kept import Kept, keep
for nth in count():
    keep(Path(sys.argv[1]), Kept({Path("/etc/home.yaml"): f"{nth} " * 20_000}, nth))
    print(nth, flush=True)
"""


def test_kill_9_while_it_is_written_leaves_the_old_or_the_new_one(tmp_path: Path) -> None:
    dice = random.Random(20261126)
    for _ in range(10):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(dice.uniform(0.0, 0.02))  # any moment will do
        writer.send_signal(signal.SIGKILL)
        last = int([0, *writer.stdout.read().split()][-1])
        writer.wait()
        found = kept.read(tmp_path)
        assert found is not None
        assert found.at_ms in (last, last + 1)
        assert found.texts == {Path("/etc/home.yaml"): f"{found.at_ms} " * 20_000}
