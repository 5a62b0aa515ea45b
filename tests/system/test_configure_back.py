"""A configuration that reads well and that the node can't live with is taken back."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from homenode.config.model import Home
from homenode.configure import place, trial
from homenode.configure.payload import Configuration
from homenode.configure.signatures import make_pair, read_key, sign
from homenode.configure.taking import Changed, Old
from homenode.contract.command import Command
from homenode.errors import Refused
from homenode.gateway.outcomes import CONFIGURATION
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.node_inside import HOME, Panel, node_inside, panel, quiet, until, written
from tests.system.nodes import NodeProcess

OPERATOR, AT = make_pair(), "2026-01-05T06:12:03.250+01:00"


def trusted(folder: Path) -> None:
    (folder / "trust").mkdir()
    (folder / "trust" / "operator.pem").write_text(OPERATOR[1])


def command(number: int, text: str, *, over: bool = False) -> Command:
    new = Configuration("inside-1", number, {"home.yaml": text}, AT, "Olle")
    jws = sign(new.encode(), read_key(OPERATOR[0], "key", private=True))
    args = {"jws": jws, **({"over": True} if over else {})}
    return Command(f"c{number}", "configure", "operator", 0, "Olle", args)


def test_a_node_that_can_not_go_over_to_it_goes_back_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted(tmp_path)
    new = HOME + "  eye: {driver: panel, kind: motion, room: hall}\n"

    async def scene() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet))) as node:
            apply = node.apply

            def fails(home: Home, *more: Any) -> None:
                if "eye" in home.devices:
                    raise OSError("out of memory")
                apply(home, *more)

            monkeypatch.setattr(node, "apply", fails)
            with pytest.raises(Refused, match=r"the node can't go over to it: out of memory"):
                await node.configured.take(command(7, new))
            assert (tmp_path / "home.yaml").read_text() == HOME
            assert sorted(node.home.devices) == ["door", "lamp"]
            assert sorted(node.crew.drivers) == ["panel"]
            assert not (tmp_path / "data" / trial.NAME).exists()

            monkeypatch.undo()  # what was missing is there: the same may come again
            assert (await node.configured.take(command(7, new)))["number"] == 7
            assert sorted(node.home.devices) == ["door", "eye", "lamp"]
            assert (tmp_path / "data" / trial.NAME).exists()
            told = node.judge.delivery.configuration
            assert told == {"number": 7, "at": AT}
            assert (await node.configured.take(command(7, new)))["told"] == "this node runs on it already"

            (tmp_path / "home.yaml").write_text(new + "  bell: {driver: panel, kind: button, room: hall}\n")
            await node.requests.reload()
            assert node.judge.delivery.configuration == {**told, "changed": True}
        assert not (tmp_path / "data" / trial.NAME).exists(), "a node that ends in order was up"

    asyncio.run(scene())


def test_where_a_key_that_is_missing_is_to_be_put_is_told_as_it_counts_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted(tmp_path)
    sealed = tmp_path / "root's own"
    (tmp_path / "trust").rename(sealed)
    monkeypatch.setattr(place, "HERE", tmp_path)
    monkeypatch.setattr(place, "SEALED", sealed)

    async def scene() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet))) as node:
            with pytest.raises(Refused) as refused:
                await node.configured.take(command(7, HOME + "share: {care: [door.contact]}\n"))
            assert f"or put care's key in {sealed}/care.pem" in str(refused.value)
            (sealed / "operator.pem").unlink()
            with pytest.raises(Refused) as refused:
                await node.configured.take(command(7, HOME))
            assert f"{sealed}/operator.pem and {sealed}/care.pem" in str(refused.value)

    asyncio.run(scene())


def test_the_last_one_may_come_again_and_no_other_of_its_number(tmp_path: Path) -> None:
    trusted(tmp_path)
    new = HOME + "  eye: {driver: panel, kind: motion, room: hall}\n"
    paired = new + "  bell: {driver: panel, kind: button, room: hall}\n"
    home, drivers = tmp_path / "home.yaml", panel(lambda host: Panel(host, quiet))

    async def scene() -> None:
        async with node_inside(tmp_path, drivers) as node:
            await node.configured.take(command(7, new))
            for _ in range(3):
                home.write_text(paired)
                await node.requests.reload()
                with pytest.raises(Changed):
                    await node.configured.take(command(7, new))
                assert home.read_text() == paired
                await node.configured.take(command(7, new, over=True))
                assert (home.read_text(), "bell" in node.home.devices) == (new, False)
                assert node.judge.delivery.configuration == {"number": 7, "at": AT}
            with pytest.raises(Old):
                await node.configured.take(command(7, paired, over=True))

            former = command(6, HOME).args["jws"]  # as if the node had gone back to it
            place.put(tmp_path, "6", {"home.yaml": HOME}, former)
            await node.requests.reload()
            assert "eye" not in node.home.devices
            with pytest.raises(Old):
                await node.configured.take(command(7, paired))
            await node.configured.take(command(7, new))
            assert "eye" in node.home.devices

    asyncio.run(scene())


def test_who_signed_is_in_the_journal_though_the_power_went_while_the_node_went_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, cut = tmp_path / "node", tmp_path / "cut"
    folder.mkdir()
    trusted(folder)
    new = HOME + "  eye: {driver: panel, kind: motion, room: hall}\n"
    drivers = panel(lambda host: Panel(host, quiet))

    async def scene() -> None:
        async with node_inside(folder, drivers) as node:
            read_again = node.requests.read_again

            async def cut_before() -> str:
                shutil.copytree(folder, cut, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
                return await read_again()

            monkeypatch.setattr(node.requests, "read_again", cut_before)
            await node.configured.take(command(7, new))
        for state in (cut, folder):
            for _ in range(2):
                async with node_inside(state, drivers, home=new) as node:
                    told = await node.configured.take(command(7, new))
                    assert told["told"] == "this node runs on it already"
                assert not (state / "data" / trial.NAME).exists()
            (record,) = written(state, "configured")
            assert (record["number"], record["signed"], record["made_by"]) == (7, ["operator"], "Olle")
            assert (record["by"], record["places"]) == ("operator: Olle", ["devices.eye"])

    asyncio.run(scene())


@pytest.mark.parametrize("for_good", [False, True])
def test_a_disk_that_fails_while_the_node_goes_over_is_told_as_it_then_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_good: bool
) -> None:
    """Once, or from then on, as one that the kernel lets nobody write to any more."""
    trusted(tmp_path)
    new = HOME + "  eye: {driver: panel, kind: motion, room: hall}\n"
    link, failed = place._link, False

    def fails(beside: Path, name: str, target: str) -> None:
        nonlocal failed
        if not failed:
            link(beside, name, target)
            failed = for_good and target.endswith("/7")
        if failed or target.endswith("/7"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    async def scene() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet))) as node:
            monkeypatch.setattr(place, "_link", fails)
            with pytest.raises(Refused, match="it can't be written: ") as refused:
                await node.configured.take(command(7, new))
            assert sorted(node.home.devices) == ["door", "lamp"]
            if not for_good:
                assert (tmp_path / "home.yaml").read_text() == HOME
                assert str(refused.value).endswith("error (the node runs on what it had)")
                return
            assert (tmp_path / "home.yaml").read_text() == new
            assert str(refused.value).endswith("(the node runs on what it had, until its next start)")
            assert trial.at_start(tmp_path / "data", tmp_path) is None
            assert (tmp_path / "data" / trial.NAME).exists(), "which counts from then"

    asyncio.run(scene())


SMALL = "home: inside-1\ntimezone: Europe/Stockholm\nclock: {trust: always}\ndevices: {}\n"


def on_trial(folder: Path) -> tuple[Path, Path, str]:
    """Configuration 7 there, which was just taken; its home.yaml, the data, and which was before."""
    home, data = folder / "home.yaml", folder / "data"
    home.write_text(SMALL)
    data.mkdir()
    before = place.adopt(folder)
    assert before is not None
    trial.write(data, trial.Trial(before, "7"))
    place.put(folder, "7", {"home.yaml": SMALL + "language: en\n"}, json.dumps({}))
    return home, data, before


def test_a_node_that_does_not_stay_up_with_it_starts_on_the_one_before(tmp_path: Path) -> None:
    trusted(tmp_path)
    home, data, _ = on_trial(tmp_path)
    for _ in range(trial.MOST_STARTS):
        assert trial.at_start(data, tmp_path) is None  # and it dies
    assert home.read_text() != SMALL
    with NodeProcess(home, data) as node:
        node.until("the new configuration was taken back")
        node.until("ready")
        assert home.read_text() == SMALL
        faults = [fault["why"] for fault in node.status()["faults"]]
        assert "konfiguration 7 togs tillbaka: noden startade om 3 gånger med den" in faults


def test_a_node_starts_though_what_it_should_go_back_to_was_removed(tmp_path: Path) -> None:
    home, data, before = on_trial(tmp_path)
    shutil.rmtree(tmp_path / place.KEPT / before)
    for _ in range(trial.MOST_STARTS):
        assert trial.at_start(data, tmp_path) is None
    with NodeProcess(home, data) as node:
        node.until("ready")
        assert "can't be told" in node.log


@pytest.mark.parametrize("text", ["", "{", "{}", '{"before": "6", "now": "8", "starts": 0}'])
def test_a_trial_of_something_else_takes_nothing_back(tmp_path: Path, text: str) -> None:
    (tmp_path / "home.yaml").write_text("home: a\n")
    place.adopt(tmp_path)
    (tmp_path / trial.NAME).write_text(text)
    assert trial.at_start(tmp_path, tmp_path) is None
    assert not (tmp_path / trial.NAME).exists()


def at(broker: Mosquitto) -> str:
    return HOME + f"broker: {{url: {broker.url}}}\n"


def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "PROVED_S", 0.2)
    monkeypatch.setattr(trial, "REACHED_S", 1.0)


@needs_mosquitto
def test_a_broker_that_is_not_reached_is_taken_back_and_the_operator_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted(tmp_path)
    quickly(monkeypatch)
    nobody = Mosquitto(tmp_path / "nobody")

    async def scene() -> None:
        drivers = panel(lambda host: Panel(host, quiet))
        with Mosquitto(tmp_path / "broker") as broker:
            async with node_inside(tmp_path, drivers, home=at(broker)) as node:
                await until(lambda: node.uplink.reached, "the broker")
                await node.configured.take(command(7, at(nobody)))
                await asyncio.sleep(2 * trial.PROVED_S)
                assert (tmp_path / "home.yaml").read_text() == at(nobody)
                await until(lambda: node.judge.says(CONFIGURATION), "that it is taken back")
                assert (tmp_path / "home.yaml").read_text() == at(broker)
                said = node.judge.says(CONFIGURATION) or {}
                assert said["sv"] == (
                    "konfiguration 7 togs tillbaka: dess meddelandekö nåddes inte på 10 minuter; "
                    "noden kör på den förra"
                )
                assert said["en"].startswith("configuration 7 was taken back: its broker was not reached")
                await until(lambda: node.uplink.reached, "the broker, again")
                await until(lambda: not (tmp_path / "data" / trial.NAME).exists(), "that this is kept")
        taken, back = written(tmp_path, "configured")
        assert back == {**taken, "at": back["at"], "taken_back": said["en"]}
        assert back["at"] > taken["at"]

    asyncio.run(scene())


def test_one_that_proved_itself_is_kept_once_a_slow_card_has_written_who_signed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted(tmp_path)
    quickly(monkeypatch)
    new = HOME + "  eye: {driver: panel, kind: motion, room: hall}\n"
    there, slow = tmp_path / "data" / trial.NAME, True

    async def scene() -> None:
        nonlocal slow
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet))) as node:
            on_disk = node.outcomes.written

            async def late() -> bool:
                return await on_disk() and not slow

            monkeypatch.setattr(node.outcomes, "written", late)
            await node.configured.take(command(7, new))
            await asyncio.sleep(trial.REACHED_S + 2 * trial.PROVED_S)
            assert there.exists(), "nobody knows yet that the journal has it"
            assert (tmp_path / "home.yaml").read_text() == new
            slow = False
            await until(lambda: not there.exists(), "that it is kept")
        assert [record["number"] for record in written(tmp_path, "configured")] == [7]

    asyncio.run(scene())


@needs_mosquitto
def test_a_full_disk_only_puts_off_that_one_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted(tmp_path)
    quickly(monkeypatch)
    nobody, go_back, full = Mosquitto(tmp_path / "nobody"), trial.go_back, 2

    def fails(*args: Any) -> trial.Trial:
        nonlocal full
        full -= 1
        if full >= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return go_back(*args)

    async def scene() -> None:
        drivers = panel(lambda host: Panel(host, quiet))
        with Mosquitto(tmp_path / "broker") as broker:
            async with node_inside(tmp_path, drivers, home=at(broker)) as node:
                await until(lambda: node.uplink.reached, "the broker")
                monkeypatch.setattr(trial, "go_back", fails)
                await node.configured.take(command(7, at(nobody)))
                await until(lambda: node.judge.says(CONFIGURATION), "that it is taken back")
                assert (tmp_path / "home.yaml").read_text() == at(broker)

    asyncio.run(scene())


@needs_mosquitto
def test_a_broker_that_answers_late_is_kept_and_one_that_is_not_reached_is_on_trial_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted(tmp_path)
    quickly(monkeypatch)
    data, late = tmp_path / "data", Mosquitto(tmp_path / "late")

    async def scene() -> None:
        drivers = panel(lambda host: Panel(host, quiet))
        with Mosquitto(tmp_path / "broker") as broker:
            async with node_inside(tmp_path, drivers, home=at(broker)) as node:
                await until(lambda: node.uplink.reached, "the broker")
                await node.configured.take(command(7, at(late)))
                await asyncio.sleep(2 * trial.PROVED_S)
            for _ in range(2):
                assert trial.at_start(data, tmp_path) is None
                assert (data / trial.NAME).exists(), "an end in order proves no broker"
                async with node_inside(tmp_path, drivers, home=at(late)):
                    await asyncio.sleep(2 * trial.PROVED_S)
            with late:
                async with node_inside(tmp_path, drivers, home=at(late)):
                    await until(lambda: not (data / trial.NAME).exists(), "that it is kept")
        assert (tmp_path / "home.yaml").read_text() == at(late)
        assert [record["number"] for record in written(tmp_path, "configured")] == [7]

    asyncio.run(scene())


@needs_mosquitto
@pytest.mark.parametrize("link_changed", [False, True])
def test_the_power_goes_while_a_broker_is_taken_back_and_the_operator_is_told_after_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link_changed: bool
) -> None:
    folder, cut, nobody = tmp_path / "node", tmp_path / "cut", Mosquitto(tmp_path / "nobody")
    folder.mkdir()
    trusted(folder)
    quickly(monkeypatch)
    go_to = place.go_to

    def cut_there(beside: Path, name: str) -> None:
        if link_changed:
            go_to(beside, name)
        shutil.copytree(folder, cut, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
        go_to(beside, name)

    async def scene() -> None:
        drivers = panel(lambda host: Panel(host, quiet))
        with Mosquitto(tmp_path / "broker") as broker:
            async with node_inside(folder, drivers, home=at(broker)) as node:
                await until(lambda: node.uplink.reached, "the broker")
                await node.configured.take(command(7, at(nobody)))
                monkeypatch.setattr(place, "go_to", cut_there)
                await until(lambda: node.judge.says(CONFIGURATION), "that it is taken back")
            monkeypatch.setattr(place, "go_to", go_to)
            assert trial.at_start(cut / "data", cut) is not None
            assert (cut / "home.yaml").read_text() == at(broker)
            async with node_inside(cut, drivers, home=at(broker)) as node:
                await until(lambda: node.judge.says(CONFIGURATION), "that it was taken back")
                said = node.judge.says(CONFIGURATION) or {}
                assert said["en"].startswith("configuration 7 was taken back: its broker was not reached")
                await until(lambda: not (cut / "data" / trial.NAME).exists(), "that this is kept")
        assert [one.get("taken_back") for one in written(cut, "configured")] == [None, said["en"]]

    asyncio.run(scene())
