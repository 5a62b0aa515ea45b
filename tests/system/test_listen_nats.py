"""Several receivers that share the work over NATS: one of them, or a server, may go at any moment."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from homenode.config.model import Broker
from homenode.errors import Refused
from homenode.listen.line import Line
from tests.system.nodes import NodeProcess, Receiver, homenode
from tests.system.receivers import Homes, Listener, Nats, needs_nats
from tests.system.test_node import a_home

pytestmark = needs_nats


def a_desk(folder: Path, nats: Nats, text: str = "") -> str:
    """listen.yaml."""
    path = folder / "listen.yaml"
    path.write_text(f"party: care\nnats: {json.dumps(nats.url)}\nlanguage: en\n{text}")
    return str(path)


def counted(members: list[Listener]) -> Counter[str]:
    """How often each alert was handed over."""
    return Counter(key for member in members for key in member.ids)


def until_all(members: list[Listener], homes: Homes) -> Counter[str]:
    """Wait for all that was sent."""
    members[0].until(lambda: counted(members).keys() >= set(homes.sent), "all of them", 60)
    return counted(members)


def test_members_share_the_work_and_one_that_dies_loses_nothing(tmp_path: Path) -> None:
    chance = random.Random(3)
    with Nats(tmp_path / "nats", 1) as nats:
        file = a_desk(tmp_path, nats)
        names = ("one", "two")
        members = [Listener(tmp_path, file, "--json", name=name) for name in names]
        with members[0], members[1], Homes(nats.mqtt[0]) as homes:
            for nth in range(300):
                homes.alert(f"h{chance.randrange(20)}")
                time.sleep(chance.random() / 100)
                if nth == 150:
                    members[1].kill()
            homes.until_acknowledged()
            times = until_all(members, homes)
            assert times.keys() == set(homes.sent)
            assert sum(count > 1 for count in times.values()) <= 20, "one in each home"
            assert members[1].ids, "both had a share"
            members[1].start()
            for nth in range(100):
                homes.alert(f"g{nth}")
            homes.until_acknowledged()
            until_all(members, homes)
            assert any(key.startswith("g") for key in members[1].ids)


def test_a_member_that_freezes_and_thaws_hands_nothing_over_again(tmp_path: Path) -> None:
    with Nats(tmp_path / "nats", 1) as nats:
        file = a_desk(tmp_path, nats)
        members = [Listener(tmp_path, file, "--json", name=name) for name in ("one", "two")]
        with members[0], members[1], Homes(nats.mqtt[0]) as homes:
            for nth in range(200):
                homes.alert(f"h{nth % 20}")
                time.sleep(0.005)
                if nth == 100:
                    members[1].freeze()
            homes.until_acknowledged()
            until_all(members, homes)
            members[1].thaw()
            for nth in range(20):
                homes.alert(f"h{nth}")
            homes.until_acknowledged()
            assert sum(count > 1 for count in until_all(members, homes).values()) <= 20, "one in each home"
            assert not any("silent" in line for member in members for line in member.lines)


def test_a_real_home_is_heard_and_answered_over_nats(tmp_path: Path) -> None:
    with Nats(tmp_path / "nats", 1) as nats:
        page = "targets: {pager: {run: [sh, -c, 'echo Eva'], acknowledges: true}}\nto: [pager]\n"
        home = a_home(tmp_path / "home", nats.mqtt[0], [(0, False), (1, True)])
        with (
            Listener(tmp_path, a_desk(tmp_path, nats, page)),
            Receiver(nats.mqtt[0], "hn1/+/care/alerts") as care,
            NodeProcess(home, tmp_path / "node"),
        ):
            [told] = care.until(lambda r: r.alerts("acknowledged"), "the acknowledgement")
            assert told["data"]["by"] == "Eva"


def test_who_may_not_hear_the_answer_is_told_so_and_asks_nothing(tmp_path: Path) -> None:
    care = '{user: care, password: x, permissions: {publish: [">"], subscribe: ["hn1.*.care.reply"]}}'
    with Nats(tmp_path / "nats", 1, f"authorization {{ users: [{care}] }}\nno_auth_user: care") as nats:
        url = f"mqtt://127.0.0.1:{nats.mqtt[0]}"
        told = homenode("listen", "ack", "x", "--broker", url).stderr
        assert "the broker does not let us hear hn1/+/care/status (" in told
        topics, denied = ("hn1/h/care/reply", "hn1/h/care/status"), "hear hn1/h/care/status "
        with Line(Broker((url,)), "test", topics) as line, pytest.raises(Refused, match=denied):
            line.say("hn1/h/care/command", b"{}", 10.0)


def test_silence_is_told_by_one_and_taken_over_by_another(tmp_path: Path) -> None:
    with Nats(tmp_path / "nats", 1) as nats:
        file = a_desk(tmp_path, nats, "silent_after: 10 s\nescalate: [{after: 8 s, to: [print]}]\n")
        members = [Listener(tmp_path, file, name=name) for name in ("one", "two")]
        with members[0], members[1], Homes(nats.mqtt[0]) as homes:
            silent = [f"h{nth}" for nth in range(12)]
            for home in (*silent, "x"):
                homes.link(home, True)
            homes.alert("x")
            members[0].until(lambda: any(member.lines for member in members), "x")
            owner = members[0] if members[0].lines else members[1]
            [other] = [member for member in members if member is not owner]
            owner.kill()
            other.until_printed("NOBODY HAS ACKNOWLEDGED  ALARM  x")
            for home in (*silent, "x"):  # x was heard last, by its alert
                other.until_printed(f"SILENT  {home}  ")
            told = [line.split("  ")[2] for line in other.lines if "SILENT" in line]
            assert sorted(told) == sorted([*silent, "x"])
            homes.link("h3", True)
            other.until_printed("Back  h3")


@pytest.mark.soak
def test_a_server_and_a_member_killed_again_and_again_lose_nothing(tmp_path: Path) -> None:
    chance = random.Random(5)
    with Nats(tmp_path / "nats", 3) as nats:
        file = a_desk(tmp_path, nats)
        members = [Listener(tmp_path, file, "--json", name=name) for name in ("one", "two", "three")]
        with members[0], members[1], members[2], Homes(*nats.mqtt) as homes:
            for nth in range(6):
                server, member = nth % 3, members[1 + nth % 2]
                for _ in range(100):
                    homes.alert(f"h{chance.randrange(30)}")
                    time.sleep(chance.random() / 100)
                nats.kill(server)
                member.kill()
                for _ in range(100):
                    homes.alert(f"h{chance.randrange(30)}")
                    time.sleep(chance.random() / 100)
                homes.until_acknowledged()
                nats.start(server)
                member.start()
                until_all(members, homes)
            times = until_all(members, homes)
            assert times.keys() == set(homes.sent)
            doubled = sum(count > 1 for count in times.values())
            print(f"{len(times)} alerts, 6 servers and 6 members killed, 0 lost, {doubled} doubled")
            assert doubled <= 6 * 30
