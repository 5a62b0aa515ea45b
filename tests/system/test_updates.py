"""Updates with Debian's RAUC, a real node and a real broker, ordered over MQTT: good and bad, lies and cuts.

`make updates` (root, mmdebstrap): the root that RAUC runs in takes a minute to make, once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from homenode.configure.signatures import make_pair, read_key
from homenode.errors import SetupError
from homenode.update import exception, machine
from homenode.update.order import order_of
from homenode.update.updater import WORKS_MS
from tests.system.nodes import Program, homenode
from tests.system.soak_home import until
from tests.system.test_update_watch import SCRIPT
from tests.system.update_flat import DRIVER, NO_BROKER, Flat, flat_in

pytestmark = pytest.mark.updates


@pytest.fixture
def flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flat]:
    monkeypatch.setattr(machine, "SETTLED_MS", 0)  # nodes here live for seconds
    with flat_in(tmp_path) as made:
        yield made


def test_a_good_update_is_loaded_installed_tried_and_proved(flat: Flat) -> None:
    bundle = flat.box.bundle("0.2.0")
    flat.order(bundle, "0.2.0")
    flat.update()
    assert flat.box.asked
    assert flat.box.holds("B", bundle)
    assert (flat.data / "before/journal").is_dir()
    flat.box.versions["B"] = "0.2.0"
    flat.reboot()
    assert flat.box.slot == "B"
    flat.update(lambda updater: updater.course.fast > 0)
    assert flat.box.read("left.B") == "3", "the counter was not wound up again"
    assert flat.places.trial.read_text().splitlines()[-1] == "deadline_s=27000"
    flat.shown("trying")
    flat.update()
    assert flat.box.read("state.B") == "good"
    assert flat.shown("good")["slot"] == "B"
    assert not flat.places.trial.exists()
    until(lambda: not (flat.data / "before").exists())


def test_a_wrong_signature_another_board_and_another_version_are_refused(flat: Flat) -> None:
    for bundle, words in (
        (flat.box.bundle("0.2.0", signer="stranger"), "signature"),
        (flat.box.bundle("0.2.0", compatible="homenode-other"), "another kind of node: homenode-other"),
        (flat.box.bundle("0.1.5"), "holds 0.1.5 and not 0.2.0"),
    ):
        flat.order(bundle, "0.2.0")
        updater = flat.update()
        assert updater.course.stage.value == "refused"
        assert words in updater.course.why["en"]
        assert words in flat.shown("refused", words)["why"]["en"]
        assert (flat.box.read("primary"), flat.box.read("state.A")) == ("A", "good")
        assert not flat.box.asked
    flat.fault("signature")


def test_a_cut_download_goes_on_where_it_was_also_after_a_restart(flat: Flat) -> None:
    bundle = flat.box.bundle("0.2.0")
    flat.shelf.cut_after = 400_000
    flat.order(bundle, "0.2.0")
    flat.update(lambda updater: updater.course.tries == 1)
    flat.reboot()
    flat.update()
    assert flat.box.asked
    assert flat.box.holds("B", bundle)
    assert flat.shelf.sent == bundle.stat().st_size
    assert [asked for asked in flat.shelf.asked if not asked] == [""]


def test_an_old_signed_bundle_is_refused_unless_the_operator_signs_the_exception(flat: Flat) -> None:
    flat.box.versions["A"] = "0.3.0"
    old = flat.box.bundle("0.2.0")
    flat.order(old, "0.2.0")
    assert "not later than 0.3.0" in flat.update().course.why["en"]
    private, public = make_pair()
    (flat.places.etc / "trust").mkdir()
    (flat.places.etc / "trust/operator.pem").write_text(public)
    key = read_key(private, "", private=True)
    flat.order(old, "0.2.0", exception=exception.sign("0.2.0", "other-1", "2126-01-01T00:00:00+01:00", key))
    assert "it is for other-1" in flat.update().course.why["en"]
    stranger = read_key(make_pair()[0], "", private=True)
    forged = exception.sign("0.2.0", "*", "2126-01-01T00:00:00+01:00", stranger)
    flat.order(old, "0.2.0", exception=forged)
    assert "the exception doesn't hold" in flat.update().course.why["en"]
    flat.order(old, "0.2.0", exception=exception.sign("0.2.0", "update-1", "2126-01-01T00:00:00+01:00", key))
    assert flat.update().course.stage.value == "rebooting"
    flat.box.versions["B"] = "0.2.0"
    flat.reboot()
    assert flat.update().course.stage.value == "good"
    newer = flat.box.bundle("0.2.5")
    flat.order(newer, "0.2.5")
    assert "not later than 0.3.0" in flat.update().course.why["en"], "the highest one was forgotten"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"mood": "deaf"}, "the radio is not up: air"),
        ({"port": 9}, "nobody answers where the broker should be"),
        ({"port": NO_BROKER}, "the broker has acknowledged nothing"),
        ({"mood": "mains"}, "too few battery devices are heard: 0/2"),
    ],
    ids=["no radio", "nobody there", "no broker", "no sensors"],
)
def test_what_is_not_proved_falls_back_and_says_why(flat: Flat, how: dict[str, Any], words: str) -> None:
    flat.order(flat.box.bundle("0.2.0"), "0.2.0")
    flat.update()
    flat.box.versions["B"] = "0.2.0"
    if how.get("port") == NO_BROKER:
        how = {"port": flat.shelf.server_address[1]}
    flat.reboot(**how)
    assert flat.box.slot == "B"
    assert flat.update().course.stage.value == "falling"
    assert flat.box.asked
    assert (flat.box.read("primary"), flat.box.read("state.B")) == ("A", "bad")
    flat.reboot()
    assert flat.box.slot == "A"
    assert flat.update().course.stage.value == "failed"
    assert words in flat.shown("failed")["why"]["en"]
    flat.fault(words)


def test_a_gateway_that_does_not_answer_falls_back(flat: Flat) -> None:
    flat.order(flat.box.bundle("0.2.0"), "0.2.0")
    flat.update()
    flat.stop()
    assert flat.box.power_on() == "B"
    assert flat.update().course.why["en"] == "0.2.0 failed its proof: the node does not answer"
    assert flat.box.up_ms() < 6 * 60_000
    assert flat.box.power_on() == "A"
    flat.start()
    flat.update()
    assert "the node does not answer" in flat.shown("failed")["why"]["en"]


def test_what_rauc_cannot_install_has_failed_and_the_old_version_goes_on(flat: Flat) -> None:
    (flat.folder / "b.img").unlink()
    (flat.folder / "b.img").symlink_to("/dev/full")
    flat.order(flat.box.bundle("0.2.0"), "0.2.0")
    updater = flat.update()
    assert updater.course.stage.value == "failed"
    assert "RAUC: " in flat.shown("failed")["why"]["en"]
    flat.fault("RAUC: ")
    assert not flat.box.asked
    assert not flat.places.trial.exists()
    flat.reboot()
    assert flat.box.slot == "A"


def test_rauc_that_dies_while_it_installs_is_asked_once_more(flat: Flat) -> None:
    """D-Bus starts another one, which knows of nothing and never says that it is done."""
    slot = flat.folder / "b.img"
    slot.unlink()
    os.mkfifo(slot)  # a card that takes nothing
    bundle = flat.box.bundle("0.2.0")
    flat.order(bundle, "0.2.0")
    pool = ThreadPoolExecutor(1)
    updating = pool.submit(flat.update)
    pool.shutdown(wait=False)  # without the box it ends, too
    until(flat.places.trial.exists)
    time.sleep(1.0)
    assert not updating.done()
    slot.unlink()
    slot.write_bytes(bytes(2 << 20))
    flat.box.restart_rauc()
    assert updating.result(60).course.stage.value == "rebooting"
    assert flat.box.holds("B", bundle)


def test_without_d_bus_the_updater_ends_and_is_started_anew(flat: Flat) -> None:
    """A connection that is gone stays gone, and a proved version could never be marked good."""
    flat.order(flat.box.bundle("0.2.0"), "0.2.0")
    with flat.updater() as updater:
        flat.box.lose_bus()
        with pytest.raises(SetupError, match="D-Bus"):
            updater.run()


def test_a_version_that_never_starts_falls_back_by_the_boot_loader_alone(flat: Flat) -> None:
    flat.order(flat.box.bundle("0.2.0"), "0.2.0")
    flat.update()
    flat.stop()
    slots = [flat.box.power_on() for _ in range(4)]
    assert slots == ["B", "B", "B", "A"]
    flat.start()
    assert flat.update().course.stage.value == "failed"
    assert "never started so far" in flat.shown("failed")["why"]["en"]


def test_a_start_counts_until_the_gateway_answers(flat: Flat) -> None:
    """A slot that is good starts nine times without doing its work, and then the other one is started."""
    (flat.places.etc / "home.yaml").write_text("")
    marks = flat.folder / "boot/state.A"
    flat.stop()
    marks.write_text("trial")
    flat.update()
    assert marks.read_text() == "trial"
    assert flat.box.up_ms() >= WORKS_MS
    flat.start()
    flat.update()
    assert marks.read_text().strip() == "good"


def test_what_was_installed_behind_the_updaters_back_does_not_stay(flat: Flat) -> None:
    """RAUC did its work after the updater had given up on it; later the plug is pulled."""
    bundle = flat.box.bundle("0.2.0")
    flat.order(bundle, "0.2.0")
    flat.update(lambda updater: updater.course.stage.value == "rebooting")
    course = json.loads(flat.places.course.read_text())
    flat.places.course.write_text(json.dumps({**course, "stage": "failed"}))
    flat.places.trial.unlink()
    flat.box.versions["B"] = "0.2.0"
    flat.reboot()
    assert flat.box.slot == "B"
    flat.update()
    assert flat.box.asked
    assert (flat.box.read("primary"), flat.box.read("state.B")) == ("A", "bad")
    flat.reboot()
    flat.update()
    assert "never proved good" in flat.shown("failed", "never proved good")["why"]["en"]
    assert flat.box.read("state.A") == "good"


def test_what_was_kept_is_gone_on_trial_and_the_old_version_comes_back(flat: Flat) -> None:
    flat.order(flat.box.bundle("0.2.0"), "0.2.0")
    flat.update()
    flat.box.versions["B"] = "0.2.0"
    flat.reboot()
    for path in (flat.places.course, flat.places.order, flat.places.state):
        path.unlink()
    flat.update()
    assert flat.box.asked
    assert (flat.box.read("primary"), flat.box.read("state.B")) == ("A", "bad")
    flat.reboot()
    assert (flat.box.slot, flat.update().course.stage.value) == ("A", "failed")
    assert "nobody remembers" in flat.shown("failed")["why"]["en"]


def test_what_the_new_version_wrote_and_this_one_cannot_read_is_not_begun_anew(flat: Flat) -> None:
    flat.order(flat.box.bundle("0.2.0"), "0.2.0")
    flat.update(lambda updater: updater.course.stage.value == "loading")
    flat.places.course.write_text(json.dumps({"stage": "a later one", "highest": "0.1.7"}))
    updater = flat.update()
    assert (updater.course.stage.value, updater.course.highest) == ("failed", "0.1.7")
    assert not flat.box.asked


def test_a_restart_that_waits_is_called_off(flat: Flat) -> None:
    now = time.localtime()
    closed = f"{(now.tm_hour + 12) % 24:02}:00-{(now.tm_hour + 13) % 24:02}:00"
    flat.order(flat.box.bundle("0.2.0"), "0.2.0")
    flat.update(lambda updater: updater.course.stage.value == "rebooting")
    course = json.loads(flat.places.course.read_text())
    course["order"]["window"] = [int(closed[:2]) * 60, int(closed[6:8]) * 60]
    flat.places.course.write_text(json.dumps(course))
    flat.box.asked = False
    flat.update(lambda updater: updater.course.put_off == "waiting")
    flat.shown("waiting", "waits for the hours")
    assert flat.box.read("primary") == "B"
    flat.command({"cancel": True})
    assert flat.update().course.stage.value == "cancelled"
    assert (flat.box.read("primary"), flat.box.read("state.A"), flat.box.read("state.B")) == (
        "A", "good", "bad",
    )  # fmt: skip
    assert not flat.places.trial.exists()
    assert not flat.box.asked


def test_a_proved_version_stays_though_that_could_not_be_written_down_at_once(flat: Flat) -> None:
    flat.order(flat.box.bundle("0.2.0"), "0.2.0")
    flat.update()
    flat.box.versions["B"] = "0.2.0"
    flat.reboot()
    flat.update(lambda updater: updater.course.fast > 0)
    with flat.updater() as updater:
        updater._counted = True
        blocked = flat.places.course.with_name("course.json.new")
        blocked.mkdir()
        while flat.box.read("state.B") != "good":
            assert updater.once()
        assert json.loads(flat.places.course.read_text())["stage"] == "trying"
        blocked.rmdir()
        while updater.once():
            pass
    assert json.loads(flat.places.course.read_text())["stage"] == "good"
    assert not flat.places.trial.exists()


def test_the_watch_without_python_falls_back_when_nobody_proves_anything(flat: Flat) -> None:
    flat.order(flat.box.bundle("0.2.0"), "0.2.0")
    flat.update()
    flat.stop()
    assert flat.box.power_on() == "B"
    watch(flat, "B", 30)
    assert flat.box.read("primary") == "B"
    watch(flat, "B", 1300)
    assert (flat.folder / "restarted").exists()
    assert flat.box.power_on() == "A"
    flat.start()
    flat.update()
    assert "no sign of life within 20 min" in flat.shown("failed")["why"]["en"]
    flat.fault("no sign of life within 20 min")


def watch(flat: Flat, slot: str, up_s: int) -> None:
    """deploy/homenode-trial, as its timer calls it, so long after a start of this slot."""
    proc = flat.folder / "proc"
    (proc / "sys/kernel/random").mkdir(parents=True, exist_ok=True)
    (proc / "cmdline").write_text(f"console=ttyS0 rauc.slot={slot} ro\n")
    (proc / "uptime").write_text(f"{up_s}.12 99.9\n")
    (proc / "sys/kernel/random/boot_id").write_text("1b7c\n")
    env = {"PATH": "/usr/bin:/bin", "PROC": str(proc), "BOOT_STATE": str(flat.folder / "boot-state")}
    restart = {"REBOOT": f"touch {flat.folder}/restarted"}
    subprocess.run(["sh", str(SCRIPT), str(flat.places.own)], check=True, env=env | restart)


def test_an_order_is_put_off_while_an_alert_is_open(flat: Flat) -> None:
    (flat.folder / "air/air.py").write_text(DRIVER.replace("else False)", "else True)"))
    flat.stop()
    flat.start()
    flat.order(flat.box.bundle("0.2.0"), "0.2.0")
    flat.update(lambda updater: updater.course.stage.value == "busy")
    assert "why" not in flat.shown("busy"), "with what is not the operator's"
    assert not flat.box.asked
    flat.command({"cancel": True})
    assert flat.update().course.stage.value == "cancelled"
    assert json.loads(flat.places.course.read_text())["highest"] == "0.1.0"


def test_the_power_may_go_after_each_step(flat: Flat) -> None:
    bundle = flat.box.bundle("0.2.0")
    flat.shelf.cut_after = 600_000
    flat.order(bundle, "0.2.0")
    flat.box.versions["B"] = "0.2.0"
    stages = []
    for _ in range(20):
        with flat.updater() as updater:
            if updater.course.stage.value == "trying":
                break
            updater.once()
            stages.append(updater.course.stage.value)
        flat.reboot()
    assert stages == ["loading", "loading", "rebooting"]
    assert flat.box.slot == "B"
    assert flat.box.holds("B", bundle)
    assert flat.update().course.stage.value == "good"


def test_the_command_itself_carries_an_order_out(flat: Flat) -> None:
    """As its unit starts it, in this machine's own time."""
    places = flat.places
    words = [
        "--data",
        str(flat.data),
        "--own",
        str(places.own),
        "--run",
        str(places.run),
        "--etc",
        str(places.etc),
    ]
    bundle = flat.box.bundle("0.2.0")
    flat.order(bundle, "0.2.0")
    (places.run / "restart").unlink(missing_ok=True)
    command = [sys.executable, "-m", "homenode.cli", "update", *words, "--bus", flat.box.bus]
    with Program(*command, "--rate", "65536") as updater:
        updater.until("installing", 300)  # not before the node has run for two minutes
        until((places.run / "restart").exists, 60)
        assert updater.process.poll() is None, "until the machine restarts there is something left to do"
        updater.stop()
    assert (places.run / "restart").exists()
    assert (flat.box.read("primary"), flat.box.holds("B", bundle)) == ("B", True)
    shown = json.loads(homenode("update", "--status", "--data", str(flat.data)).stdout)
    assert (shown["state"], shown["slot"], shown["journal"]) == ("installing", "A", 2)
    flat.reboot()
    assert flat.box.slot == "B"


def test_the_command_signs_exceptions_and_says_what_is_wrong(flat: Flat) -> None:
    private, public = make_pair()
    (flat.folder / "op.key").write_text(private)
    (flat.folder / "op.pem").write_text(public)
    key, until = ("--key", str(flat.folder / "op.key")), ("--until", "2126-01-01T00:00:00.000+01:00")
    signed = homenode("update", "--allow", "0.2.0", *key, *until).stdout.strip()
    about = {"id": "1", "home": "h-1", "at_ms": 1, "url": "https://o/b", "sha256": "0" * 64}
    for version, words in (("0.2.0", ""), ("0.2.1", "it is for version 0.2.0")):
        order = order_of({**about, "version": version, "exception": signed})
        assert exception.why_not(order, flat.folder / "op.pem", 1_800_000_000_000) == words
        assert exception.why_not(order, flat.folder / "op.key", 1_800_000_000_000)
    assert "expired" in exception.why_not(
        order_of({**about, "version": "0.2.0", "exception": signed}), flat.folder / "op.pem", 1 << 43
    )
    assert "--key and --until" in homenode("update", "--allow", "0.2.0").stderr
    assert homenode("update", "--allow", "new", *key, *until).returncode == 1
    none = homenode("update", "--own", str(flat.places.own), "--bus", f"unix:path={flat.folder}/none")
    assert "no D-Bus to reach RAUC with" in none.stderr
