"""The example broker against who wants more than its own: wildcards, groups, wills, ids, old papers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from tests.system.brokers import MOSQUITTO, needs_mosquitto
from tests.system.test_broker_acl import DEPLOY, Example, authority

pytestmark = [
    needs_mosquitto,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]

PARTIES = ("care", "property", "operator")
WILDCARDS = ("#", "+/#", "hn1/#", "hn1/+/+/#", "hn1/+/care/#", "hn1/h1/care/alerts", "hn1/h1/+/readings/#")
GROUPS = ("$share/g/#", "$share/g/hn1/+/care/#", "$share/g/hn1/h1/care/alerts")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    made = Example(tmp_path_factory.mktemp("parties"))
    with made.mosquitto:
        for home in ("h1", "h2", "vaxjo-0412"):
            for party in (*PARTIES, "resident"):
                made.publish(home, f"hn1/{home}/{party}/status")
            made.publish(home, f"hn1/{home}/care/readings/eye/motion")
            made.publish(home, f"hn1/{home}/link")
        yield made


class Ear:
    """mosquitto_sub with somebody's certificate, from now on."""

    def __init__(self, example: Example, name: str, topics: Sequence[str], *more: str) -> None:
        keys = ["--cafile", "ca.pem", "--cert", f"{name}.pem", "--key", f"{name}.key"]
        wanted = [word for topic in topics for word in ("-t", topic)]
        words = [
            "stdbuf",
            "-oL",
            "mosquitto_sub",
            "-h",
            "127.0.0.1",
            "-p",
            str(example.port),
            *keys,
            *wanted,
            *more,
        ]
        self.process = subprocess.Popen(
            [*words, "-F", "%t %p", "-q", "1", "-d"], cwd=example.folder, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("Subscribed"):
                return
        raise AssertionError(f"{name} could not subscribe")

    def heard(self, example: Example, last: str) -> set[str]:
        """Topics of all that came until the message on `last`, which this certificate may read."""
        found = set()
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(("hn1/", "$SYS")):
                topic, _, payload = line.strip().partition(" ")
                found.add(topic)
                if (topic, payload) == (last, "last"):
                    break
        return found

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def say(example: Example, name: str, topic: str, text: str = "x") -> None:
    example.client("mosquitto_pub", name, "-t", topic, "-m", text, "-q", "1")


@pytest.mark.parametrize("party", PARTIES)
def test_no_wildcard_group_or_system_topic_gives_a_party_what_is_anothers(
    example: Example, party: str
) -> None:
    last = f"hn1/h1/{party}/reply"
    wanted = (*WILDCARDS, *GROUPS, "$SYS/#", f"hn1/+/{party}/reply")
    with Ear(example, f"{party}@example", wanted) as ear:
        for home in ("h1", "h2"):
            for branch in (*PARTIES, "resident"):
                say(example, home, f"hn1/{home}/{branch}/alerts")
                say(example, home, f"hn1/{home}/{branch}/readings/door/contact")
                say(example, f"{branch}@example", f"hn1/{home}/{branch}/command")
        say(example, "h1", last, "last")
        heard = ear.heard(example, last)
    assert f"hn1/h1/{party}/alerts" in heard
    own = {topic for topic in heard if topic.split("/")[2] in (party, "link")}
    assert heard - own == set()
    assert not {topic for topic in heard if topic.endswith("command")}
    if party == "operator":
        assert not {topic for topic in heard if "readings" in topic}


@pytest.mark.parametrize("thief", ["h2", "stranger"])
def test_a_nodes_certificate_reads_and_writes_nothing_of_another_home(example: Example, thief: str) -> None:
    own = f"hn1/{thief}/care/command"
    with Ear(example, thief, (*WILDCARDS, *GROUPS, "hn1/h1/link", "hn1/h1/care/command", own)) as ear:
        say(example, "h1", "hn1/h1/care/alerts")
        say(example, "care@example", "hn1/h1/care/command")
        for party in PARTIES:
            say(example, thief, f"hn1/h1/{party}/command")
        say(example, "care@example", own, "last")
        assert ear.heard(example, own) == {own}
    for topic in ("link", "care/alerts", "care/status", "care/readings/a/b", "care/reply"):
        with Ear(example, "care@example", ("hn1/h1/#", "hn1/+/care/reply")) as ear:
            say(example, thief, f"hn1/h1/{topic}", "forged")
            say(example, "h1", "hn1/h1/care/reply", "last")
            heard = ear.heard(example, "hn1/h1/care/reply")
        assert heard - {"hn1/h1/care/reply"} == {"hn1/h1/link", "hn1/h1/care/status"} | {
            "hn1/h1/care/readings/eye/motion"
        }, "what was retained before"


def test_a_party_of_one_home_gets_that_home_only(example: Example) -> None:
    assert example.retained("resident@vaxjo-0412") == {
        "hn1/vaxjo-0412/link",
        "hn1/vaxjo-0412/resident/status",
    }


def test_no_will_speaks_where_its_owner_may_not(example: Example) -> None:
    for name, topic in (
        ("property@example", "hn1/h1/care/command"),
        ("property@example", "hn1/h1/property/alerts"),
        ("h2", "hn1/h1/link"),
        ("h2", "hn1/h1/care/alerts"),
    ):
        listener = "h1" if topic.endswith("command") else topic.split("/")[2] + "@example"
        listener = "care@example" if topic.endswith("link") else listener
        last = "hn1/h1/care/command" if listener == "h1" else f"hn1/h1/{listener.split('@')[0]}/reply"
        with Ear(example, listener, (topic, last)) as ear:
            mine = "hn1/+/link" if "@" in name else f"hn1/{name}/care/command"
            with Ear(example, name, (mine,), "--will-topic", topic, "--will-payload", "will") as dying:
                os.kill(dying.process.pid, signal.SIGKILL)
            time.sleep(0.3)
            say(example, "care@example" if listener == "h1" else "h1", last, "last")
            heard = [line for line in _lines(ear, last) if "will" in line]
        assert heard == [], (name, topic)


def _lines(ear: Ear, last: str) -> list[str]:
    found = []
    assert ear.process.stdout is not None
    for line in ear.process.stdout:
        found.append(line.strip())
        if line.strip() == f"{last} last":
            return found
    raise AssertionError("the last message never came")


def test_who_takes_a_nodes_client_id_gets_none_of_what_waited_for_it(example: Example) -> None:
    command = "hn1/h1/care/command"
    session = ("-i", "homenode-h1", "-c")
    with Ear(example, "h1", (command,), *session):
        pass
    say(example, "care@example", command, "secret")
    last = "hn1/h1/property/reply"
    with Ear(example, "property@example", (command, last), *session) as thief:
        say(example, "h1", last, "last")
        assert [line for line in _lines(thief, last) if "secret" in line] == []


def test_an_anonymous_client_and_one_of_another_authority_get_nothing(example: Example) -> None:
    for words in (("-t", "#"), ("-t", "$SYS/#"), ("-t", "hn1/h1/link")):
        told = example.client("mosquitto_sub", "", *words, "-W", "1")
        assert told.returncode != 0
        assert told.stdout == b""


def outdated(example: Example, name: str) -> None:
    """A certificate of the right authority that is over."""
    folder = example.folder
    authority_of = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    key = load_pem_private_key((folder / "ca.key").read_bytes(), None)
    mine = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
    over = datetime.now(UTC) - timedelta(days=1)  # noqa: TID251 - as the broker's clock says
    made = (
        x509.CertificateBuilder()
        .subject_name(mine.subject)
        .issuer_name(authority_of.subject)
        .public_key(mine.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(over - timedelta(days=1))
        .not_valid_after(over)
        .sign(key, hashes.SHA256())  # type: ignore[arg-type]  # an EC key
    )
    (folder / "old.pem").write_bytes(made.public_bytes(Encoding.PEM))
    shutil.copy(folder / f"{name}.key", folder / "old.key")


def test_a_certificate_that_is_over_gets_nothing(example: Example) -> None:
    outdated(example, "care@example")
    told = example.client("mosquitto_sub", "old", "-t", "hn1/+/link", "-W", "1")
    assert told.returncode != 0
    assert told.stdout == b""
    assert example.retained("care@example")


def test_a_revoked_certificate_gets_nothing_from_the_restart_on(tmp_path: Path) -> None:
    example = Example(tmp_path)
    with example.mosquitto as broker:
        example.publish("h1", "hn1/h1/link")
        assert example.retained("care@example") == {"hn1/h1/link"}
        authority(tmp_path, "-revoke", "care@example.pem")
        authority(tmp_path, "-gencrl", "-out", "crl.pem")
        broker.stop()
        broker.start()
        assert example.retained("property@example") == {"hn1/h1/link"}
        told = example.client("mosquitto_sub", "care@example", "-t", "#", "-W", "1")
        assert told.returncode != 0
        assert told.stdout == b""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root")
def test_mosquitto_starts_with_the_files_as_they_stand_where_the_readme_puts_them(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    Example(tmp_path / "keys")
    etc = tmp_path / "etc"
    shutil.copytree(DEPLOY, etc / "homenode")
    shutil.copy(DEPLOY / "mosquitto.conf", etc / "mosquitto.conf")
    for name in ("ca.pem", "broker.pem", "broker.key", "crl.pem"):
        shutil.copy(tmp_path / "keys" / name, etc / "homenode")
    (tmp_path / "var").mkdir()
    for path in (tmp_path, *tmp_path.parents[:2], *tmp_path.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (tmp_path / "var").chmod(0o777)
    mounts = f"mount --bind {etc} /etc/mosquitto && mount --bind {tmp_path}/var /var/lib/mosquitto"
    alone = "unshare", "-m", "-n", "sh", "-c"  # a network of its own: 8883 may be taken
    done = subprocess.run(
        [*alone, f"{mounts} && exec timeout 2 {MOSQUITTO} -c /etc/mosquitto/mosquitto.conf"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert " running" in done.stderr, done.stderr
    assert "Error" not in done.stderr, done.stderr
