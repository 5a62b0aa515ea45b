"""`homenode listen` on a real broker: nothing lost, nobody called in vain, nobody held up."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Self

import pytest

from homenode.config.model import Broker
from homenode.gateway.clock import Clock
from homenode.link.words import NoLink
from homenode.listen.line import Line
from tests.system.brokers import Mosquitto, free_port, needs_mosquitto
from tests.system.disks import fill, memory
from tests.system.nodes import PATIENCE_S, NodeProcess, Receiver, homenode
from tests.system.receivers import Homes, Listener
from tests.system.test_broker_acl import Example
from tests.system.test_node import a_home

CLOCK = Clock()
pytestmark = needs_mosquitto


def a_desk(folder: Path, port: int, text: str) -> str:
    """listen.yaml."""
    path = folder / "listen.yaml"
    path.write_text(f"party: care\nbroker: {{url: mqtt://127.0.0.1:{port}}}\nlanguage: en\n{text}")
    return str(path)


def test_the_plain_command_prints_each_alert_once_in_words(tmp_path: Path, broker: Mosquitto) -> None:
    words = ["--broker", broker.url, "--data", str(tmp_path / "d"), "--language", "en"]
    with Listener(tmp_path, *words) as desk, Homes(broker.port) as homes:
        homes.alert("a")
        homes.alert("a", "resolved")
        desk.until_printed("over")
        assert desk.lines == [
            "2026-01-05 06:12:03  ALARM  a  hall: The door is open",
            "2026-01-05 06:12:03  ALARM  a  hall: The door is open (over)",
        ]
        assert desk.stop() == 0


def test_who_takes_an_alert_of_a_real_home_is_known_there(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_home(tmp_path / "home", broker.port, [(0, False), (1, True)])
    take = "cat > got.json.n; mv got.json.n got.json; echo Eva"
    page = f"targets: {{pager: {{run: [sh, -c, '{take}'], acknowledges: true}}}}\nto: [pager]\n"
    got = tmp_path / "got.json"
    file = a_desk(tmp_path, broker.port, page.replace("got.json", str(got)))
    with (
        Receiver(broker.port, "hn1/+/care/#") as care,
        Listener(tmp_path, file),
        NodeProcess(home, tmp_path / "node"),
    ):
        care.until(lambda r: r.alerts("notified"), "the alert")
        [told] = care.until(lambda r: r.alerts("acknowledged"), "the acknowledgement")
        assert told["data"]["by"] == "Eva"
        assert json.loads(got.read_text())["data"]["alert"] == told["data"]["alert"]
        [asked] = [body for topic, body, _ in care.messages if topic.endswith("/command")]
        care.until(lambda r: [b for t, b, _ in r.messages if t.endswith("/reply")], "the reply")
        assert {b["id"] for t, b, _ in care.messages if t.endswith("/reply")} == {asked["id"]}


def test_kill_9_at_any_moment_loses_no_alert(tmp_path: Path, broker: Mosquitto) -> None:
    chance = random.Random(7)
    words = ["--broker", broker.url, "--data", str(tmp_path / "d"), "--json"]
    kills = 6
    with Listener(tmp_path, *words) as desk, Homes(broker.port) as homes:
        for _ in range(kills):
            for _ in range(60):
                homes.alert(f"h{chance.randrange(10)}")
                time.sleep(chance.random() / 200)
            desk.kill()
            for _ in range(20):
                homes.alert(f"h{chance.randrange(10)}")
            desk.start()
        homes.until_acknowledged()
        desk.until(lambda: set(desk.ids) >= set(homes.sent), "all of them")
        times = Counter(desk.ids)
        assert times.keys() == set(homes.sent)
        doubled = [key for key, count in times.items() if count > 1]
        assert len(doubled) <= 10 * kills, "at most one in each home was being handed over"
        for home in {key.partition(".")[0] for key in times}:
            mine = [
                int(key.partition(".")[2]) for key in dict.fromkeys(desk.ids) if key.startswith(f"{home}.")
            ]
            assert mine == sorted(mine)


def test_a_home_whose_hand_over_fails_holds_up_no_other(tmp_path: Path, broker: Mosquitto) -> None:
    script = tmp_path / "page.sh"
    script.write_text(
        f'cat > /dev/null\n[ "$HOMENODE_HOME" = bad ] && [ ! -e {tmp_path}/mended ] && exit 1\n'
        f'echo "$HOMENODE_HOME $HOMENODE_WHY $HOMENODE_ALERT" >> {tmp_path}/paged\n'
    )
    file = a_desk(tmp_path, broker.port, f"targets: {{pager: {{run: [sh, {script}]}}}}\nto: [pager, print]\n")
    paged = tmp_path / "paged"
    with Listener(tmp_path, file) as desk, Homes(broker.port) as homes:
        for name in ("1", "2"):
            homes.alert("bad", name=name)
            homes.alert("good", name=name)
        desk.until(lambda: paged.exists() and paged.read_text().count("good") == 2, "the good home's")
        assert "bad" not in paged.read_text()
        assert desk.log.count("not handed over") == 1
        desk.until(lambda: sum("bad" in line for line in desk.lines) == 2, "the other target")
        (tmp_path / "mended").touch()
        desk.until(lambda: paged.read_text().count("bad") == 2, "the bad home's")
        assert [line for line in paged.read_text().splitlines() if "bad" in line] == [
            "bad alert 1",
            "bad alert 2",
        ]


def test_a_command_has_taken_an_alert_when_it_ended_whatever_it_left_running(
    tmp_path: Path, broker: Mosquitto
) -> None:
    paged, script = tmp_path / "paged", tmp_path / "page.sh"
    script.write_text(f'echo "$HOMENODE_ALERT" >> {paged}\nsleep 40 &\necho Eva\nexit 0\n')
    pager = f"{{run: [sh, {script}], timeout: 5 s, acknowledges: true}}"
    file = a_desk(tmp_path, broker.port, f"targets: {{pager: {pager}}}\nto: [pager]\n")
    with (
        Receiver(broker.port, "hn1/+/care/command") as care,
        Listener(tmp_path, file) as desk,
        Homes(broker.port) as homes,
    ):
        for name in ("1", "2"):
            homes.alert("a", name=name)
        asked = care.until(lambda r: [body for _, body, _ in r.messages][1:], "both acknowledgements")
        assert {body["by"] for body in asked} == {"Eva"}
        assert paged.read_text() == "1\n2\n"
        assert desk.stop() == 0
        assert "not handed over" not in desk.log
        assert "Error" not in desk.log


def test_a_command_that_takes_too_long_is_run_again_whatever_it_left_running(
    tmp_path: Path, broker: Mosquitto
) -> None:
    paged, script = tmp_path / "paged", tmp_path / "page.sh"
    hang = f"if [ $(wc -l < {paged}) = 1 ]; then setsid sleep 40 & sleep 40; fi"
    script.write_text(f'echo "$HOMENODE_ALERT" >> {paged}\n{hang}\n')
    pager = f"{{run: [sh, {script}], timeout: 1 s}}"
    file = a_desk(tmp_path, broker.port, f"targets: {{pager: {pager}}}\nto: [pager]\n")
    with Listener(tmp_path, file) as desk, Homes(broker.port) as homes:
        homes.alert("a", name="1")
        homes.alert("a", name="2")
        desk.until(lambda: paged.exists() and paged.read_text() == "1\n1\n2\n", "all of them", 20)


def test_a_full_disk_holds_up_no_alert_and_the_broker_keeps_it(tmp_path: Path, broker: Mosquitto) -> None:
    with memory(tmp_path / "disk") as disk:
        words = ["--broker", broker.url, "--data", str(disk / "d"), "--json"]
        with Listener(tmp_path, *words) as desk, Homes(broker.port) as homes:
            homes.alert("a")
            desk.until(lambda: desk.ids, "the first")
            filling = fill(disk)
            for nth in range(45):  # some 33 fit in what was set aside; the broker has 20 more in flight
                homes.alert(f"h{nth}", rule="x" * 60_000)
            desk.until(lambda: set(desk.ids) == set(homes.sent), "all in spite of the disk")
            desk.until(lambda: "storage failing" in desk.log, "the disk's trouble")
            desk.kill()
            filling.unlink()
            desk.start()
            desk.until(lambda: len(desk.ids) > len(homes.sent), "what was never safe, again")
            homes.alert("a")
            desk.until(lambda: homes.sent[-1] in desk.ids, "the last")


def test_nobody_acknowledges_and_the_next_is_called(tmp_path: Path, broker: Mosquitto) -> None:
    stage = f"targets: {{duty: {{run: [sh, -c, 'cat > {tmp_path}/duty-$HOMENODE_STAGE']}}}}\n"
    file = a_desk(tmp_path, broker.port, f"{stage}escalate: [{{after: 2 s, to: [duty, print]}}]\n")
    with Listener(tmp_path, file) as desk, Homes(broker.port) as homes:
        homes.alert("taken", name="taken")
        homes.alert("taken", "acknowledged", name="taken", by="Eva")
        homes.alert("open")
        desk.until_printed("NOBODY HAS ACKNOWLEDGED  ALARM  open")
        desk.until((tmp_path / "duty-1").exists, "the stage")
        assert not any("NOBODY" in line and "taken" in line for line in desk.lines)


def test_a_silent_home_and_a_hole_are_told(tmp_path: Path, broker: Mosquitto) -> None:
    file = a_desk(tmp_path, broker.port, "silent_after: 10 s\n")
    with Listener(tmp_path, file) as desk, Homes(broker.port) as homes:
        homes.link("a", True)
        homes.link("b", True)
        desk.until(lambda: homes.link("b", True) or any("SILENT  a" in line for line in desk.lines), "silent")
        assert not any("SILENT  b" in line for line in desk.lines)
        desk.kill()
        desk.start()
        homes.link("a", True)
        desk.until_printed("Back  a")


def test_a_home_that_is_named_and_never_heard_is_told_and_one_no_longer_named_is_not(
    tmp_path: Path, broker: Mosquitto
) -> None:
    file = a_desk(tmp_path, broker.port, "silent_after: 10 s\n")
    with Listener(tmp_path, file) as desk, Homes(broker.port) as homes:
        homes.alert("a")
        desk.until_printed("a  hall")
        desk.kill()
        a_desk(tmp_path, broker.port, "silent_after: 10 s\nhomes: [misspelt]\n")
        desk.start()
        desk.until_printed("SILENT  misspelt")
        assert not any("SILENT  a" in line for line in desk.lines)


def test_a_receiver_that_was_frozen_holds_no_home_for_silent(tmp_path: Path, broker: Mosquitto) -> None:
    file = a_desk(tmp_path, broker.port, "silent_after: 10 s\n")
    with Listener(tmp_path, file) as desk, Homes(broker.port) as homes:
        homes.link("a", True)
        homes.alert("b")
        desk.until_printed("b  hall")
        desk.freeze()
        until = CLOCK.now() + 12_000
        while CLOCK.now() < until:
            homes.link("a", True)
            time.sleep(0.5)
        homes.alert("a")
        desk.thaw()
        desk.until_printed("a  hall")
        desk.until(lambda: homes.link("a", True) or any("SILENT  b" in line for line in desk.lines), "b")
        assert not any("SILENT  a" in line for line in desk.lines)


def test_a_receiver_without_a_broker_says_that_it_hears_nothing(tmp_path: Path, broker: Mosquitto) -> None:
    with Listener(tmp_path, a_desk(tmp_path, broker.port, "silent_after: 10 s\n")) as desk:
        broker.kill()
        desk.until_printed("the receiver has no connection")
        broker.start()
        desk.until_printed("the receiver hears again")
    assert len(desk.lines) == 2


def test_somebody_at_the_desk_takes_an_alert(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_home(tmp_path / "home", broker.port, [(0, False), (1, True)])
    with Receiver(broker.port, "hn1/+/care/#") as care, NodeProcess(home, tmp_path / "node"):
        [alert] = care.until(lambda r: r.alerts("notified"), "the alert")
        name = alert["data"]["alert"]
        words = ["--broker", broker.url, "--by", "Eva"]
        care.until(
            lambda r: [b for t, b, _ in r.messages if t.endswith("/status") and b["open"]], "the status"
        )
        taken = homenode("listen", "ack", name, *words)
        assert taken.stdout == f"test-1: {name} is taken by Eva\n", taken.stderr
        [told] = care.until(lambda r: r.alerts("acknowledged"), "the acknowledgement")
        assert told["data"]["by"] == "Eva"
    assert "no home has 'nothing' open for care" in homenode("listen", "ack", "nothing", *words).stderr
    assert "name the alert" in homenode("listen", "ack", *words).stderr


def test_where_the_first_broker_is_dead_one_is_taken_at_the_next(broker: Mosquitto) -> None:
    dead = f"mqtt://127.0.0.1:{free_port()}"
    with Line(Broker((dead, broker.url)), "ack", ("hn1/+/link",)) as line:
        line.ready(PATIENCE_S)
    with pytest.raises(NoLink, match=f"{dead}: nothing listens there"), Line(Broker((dead, dead)), "ack", ()):
        pass


class Posts:
    """A service that takes what is posted to it, but for the first few."""

    def __init__(self, *, refused: int) -> None:
        self.posts: list[dict[str, str]] = []
        ours = self

        class Post(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                ours.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200 if len(ours.posts) > refused else 500)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Post)
        self.url = f"json://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def words(self) -> list[str]:
        """The last one of all that was posted."""
        return [post["message"].rpartition(" ")[2] for post in self.posts]


def test_alerts_come_by_apprise(tmp_path: Path, broker: Mosquitto) -> None:
    with Posts(refused=1) as mail:
        file = a_desk(tmp_path, broker.port, f'targets: {{mail: {{apprise: ["{mail.url}"]}}}}\nto: [mail]\n')
        with Listener(tmp_path, file) as desk, Homes(broker.port) as homes:
            homes.alert("a")
            desk.until(lambda: len(mail.posts) == 2, "the second try")
    assert mail.posts[1]["title"] == "a"
    assert "The door is open" in mail.posts[1]["message"]


def test_an_apprise_url_that_is_dead_holds_up_no_other_and_sends_nothing_twice(
    tmp_path: Path, broker: Mosquitto
) -> None:
    with Posts(refused=3) as dead, Posts(refused=0) as good:
        urls = f'["{dead.url}", "{good.url}"]'
        file = a_desk(tmp_path, broker.port, f"targets: {{sms: {{apprise: {urls}}}}}\nto: [sms]\n")
        with Listener(tmp_path, file) as desk, Homes(broker.port) as homes:
            for text in ("first", "second"):
                homes.alert("a", name=text, text={"en": text})
            desk.until(lambda: len(good.posts) == 2, "both, at the one")
            assert set(dead.words) == {"first"}
            assert "target=sms.1" in desk.log
            desk.until(lambda: len(dead.posts) == 5, "both, at the other")
        assert dead.words == ["first", "first", "first", "first", "second"]
        assert good.words == ["first", "second"]


def test_an_odd_alert_is_handed_over_and_holds_up_no_other(tmp_path: Path, broker: Mosquitto) -> None:
    with Posts(refused=0) as mail:
        target = f'targets: {{mail: {{apprise: ["{mail.url}"]}}}}\nto: [print, mail]\n'
        with Listener(tmp_path, a_desk(tmp_path, broker.port, target)) as desk, Homes(broker.port) as homes:
            homes.alert("a", severity=[], event={}, text={"en": "odd"})
            homes.alert("a", text={"en": "usual"})
            desk.until(lambda: len(mail.posts) == len(desk.lines) == 2, "both, at both")
        assert mail.words == ["odd", "usual"]
        assert [post["type"] for post in mail.posts] == ["info", "failure"]


def test_garbage_on_the_topic_costs_nothing_but_a_line(tmp_path: Path, broker: Mosquitto) -> None:
    words = ["--broker", broker.url, "--data", str(tmp_path / "d"), "--json"]
    with Listener(tmp_path, *words) as desk, Homes(broker.port) as homes:
        for payload in (b"", b"\xff", b"[" * 50_000, b'{"id": "x"}', b"x" * 2_000_000):
            homes._client.publish("hn1/a/care/alerts", payload, 1)
            homes._client.publish("hn1/a/link", payload, 1)
        homes.alert("a")
        desk.until(lambda: desk.ids, "the alert")
        assert desk.ids == homes.sent
        assert desk.log.count("can't be read") == 1


def test_mistakes_in_listen_yaml_are_all_told(tmp_path: Path) -> None:
    file = tmp_path / "listen.yaml"
    file.write_text("""\
party: cair
brocker: {url: mqtt://a}
silent_after: 5 minutes
targets:
  pager: {run: [page], apprise: [x]}
to: [pagr]
escalate:
  - {after: 5 min, to: [nobody], severity: [alarms]}
""")
    told = homenode("listen", str(file))
    assert told.returncode == 2
    for text in (
        "listen.yaml:1:8: party: found 'cair'; accepted: care, property, resident or operator",
        "did you mean care?",
        "found the unknown key 'brocker'",
        "did you mean broker?",
        "did you mean 5 min?",
        "targets.pager: found both",
        "to: found 'pagr'; accepted: print or pager; did you mean pager?",
        "escalate.1.to: found 'nobody'",
        "did you mean alarm?",
    ):
        assert text in told.stderr, told.stderr


@pytest.mark.parametrize(
    "words", [("--party", "property"), ("--broker", "mqtt://b"), ("--language", "en"), ("--group", "a")]
)
def test_what_listen_yaml_says_is_not_said_by_an_option_too(tmp_path: Path, words: tuple[str, str]) -> None:
    file = tmp_path / "listen.yaml"
    file.write_text("party: care\nbroker: {url: mqtt://127.0.0.1:1}\n")
    for before in (["listen"], ["listen", "ack", "x"]):
        told = homenode(*before, str(file), *words)
        assert told.returncode == 1
        assert f"{file}: {words[0]} doesn't count beside a file (write it there, or" in told.stderr


def test_a_group_is_of_nats() -> None:
    told = homenode("listen", "--broker", "mqtt://127.0.0.1:1", "--group", "desk")
    assert told.returncode == 1
    assert "on a broker each receiver hears all" in told.stderr


def test_two_receivers_on_one_folder_are_refused(tmp_path: Path, broker: Mosquitto) -> None:
    words = ["--broker", broker.url, "--data", str(tmp_path / "d")]
    with Listener(tmp_path, *words):
        again = homenode("listen", *words)
    assert again.returncode == 1
    assert "already running on this data" in again.stderr


def test_a_reader_that_goes_away_ends_it(tmp_path: Path, broker: Mosquitto) -> None:
    command = [sys.executable, "-m", "homenode.cli", "listen", "--broker", broker.url]
    with subprocess.Popen(
        [*command, "--data", str(tmp_path / "d")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        deadline = CLOCK.now() + PATIENCE_S * 1000
        with Homes(broker.port) as homes:
            while process.poll() is None:
                assert CLOCK.now() < deadline
                homes.alert("a")
                time.sleep(0.1)
        assert process.returncode == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_example_broker_lets_a_party_hear_and_answer_its_homes_and_nothing_else(tmp_path: Path) -> None:
    example = Example(tmp_path)
    event = {"id": "1", "type": "hn1.alert.notified", "data": {"alert": "x", "severity": "alarm"}}
    text = "targets: {pager: {run: [sh, -c, 'echo Eva'], acknowledges: true}}\nto: [print, pager]\n"
    keys = "ca: ca.pem, cert: care@example.pem, key: care@example.key"
    (tmp_path / "listen.yaml").write_text(
        f"party: care\nbroker: {{url: 'mqtts://127.0.0.1:{example.port}', {keys}}}\n{text}"
    )
    with example.mosquitto, Listener(tmp_path, str(tmp_path / "listen.yaml"), "--json") as desk:
        for party in ("care", "property"):
            topic, body = f"hn1/h1/{party}/alerts", json.dumps(event | {"id": party})
            example.client("mosquitto_pub", "h1", "-t", topic, "-m", body, "-q", "1")
        asked = example.client("mosquitto_sub", "h1", "-t", "hn1/h1/care/command", "-C", "1", "-W", "20")
        assert json.loads(asked.stdout)["by"] == "Eva"
        assert desk.ids == ["care"]
        assert "denies" not in desk.log


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_receiver_with_the_certificate_of_another_party_says_that_no_alert_may_come(tmp_path: Path) -> None:
    example = Example(tmp_path)
    desks = []
    for name in ("care", "property"):
        keys = f"ca: ca.pem, cert: {name}@example.pem, key: {name}@example.key"
        url = f"mqtts://127.0.0.1:{example.port}"
        file = tmp_path / f"{name}.yaml"
        file.write_text(f"party: care\nbroker: {{url: '{url}', {keys}}}\n")
        desks.append(Listener(tmp_path, str(file), "--data", str(tmp_path / f"{name}-data"), name=name))
    with example.mosquitto:
        for word in ("link", "care/status"):
            body = json.dumps({"online": True})
            example.client("mosquitto_pub", "h1", "-t", f"hn1/h1/{word}", "-m", body, "-r", "-q", "1")
        right, wrong = desks
        with right, wrong:
            wrong.until(lambda: "shows nothing of theirs for this party" in wrong.log, "the word")
            assert "check that broker.cert is one of care" in wrong.log
            assert "shows nothing" not in right.log


def test_a_receiver_does_not_write_into_the_folder_of_a_node(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_home(tmp_path / "home", broker.port, [(0, False), (1, True)])
    with Receiver(broker.port, "hn1/+/care/#") as care, NodeProcess(home, tmp_path / "node"):
        care.until(lambda r: r.alerts("notified"), "the alert")
    journal = {path: path.read_bytes() for path in (tmp_path / "node" / "journal").iterdir()}
    refused = homenode("listen", "--broker", broker.url, "--data", str(tmp_path / "node"))
    assert refused.returncode == 1
    assert f"{tmp_path / 'node'}: this is the folder of a node" in refused.stderr
    assert {path: path.read_bytes() for path in (tmp_path / "node" / "journal").iterdir()} == journal


def test_a_node_does_not_write_into_the_folder_of_a_receiver(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_home(tmp_path / "home", broker.port, [(0, False), (1, True)])
    words = ["--broker", broker.url, "--data", str(tmp_path / "d")]
    with Listener(tmp_path, *words) as desk, Homes(broker.port) as homes:
        homes.alert("a")
        desk.until_printed("a")
        assert desk.stop() == 0
    refused = homenode("run", str(home), "--data", str(tmp_path / "d"))
    assert refused.returncode == 1
    assert "this is the folder of a receiver" in refused.stderr
