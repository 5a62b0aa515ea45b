"""Everything fails, again and again, while people live there; then it heals, and every alert is counted.

`make soak` takes SOAK_MINUTES (60) and SOAK_SEED; `make test` runs a short form of it.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import needs_mosquitto
from tests.system.nodes import homenode
from tests.system.soak_count import NEVER, Journal, Outage, Trip, judged, read_journal, told_wrong, unheard
from tests.system.soak_home import PATHS, ROOT, Household, until, wall
from tests.system.soak_plan import HOLD_MS, QUICK, TRIPPED, Deed, Fault, plan

pytest.importorskip("pigpio", reason="the extra gpio is not installed")
pytest.importorskip("bellows", reason="the extra zigbee is not installed")
pytestmark = needs_mosquitto

TICK_S = 0.1
SAMPLE_MS = 10_000
SETTLED_MS = 120_000
"""From then on a node's memory is compared."""
ACKNOWLEDGE_AGAIN_MS = 4000
POOL = (os.cpu_count() or 1) + 4
"""Threads that asyncio's executor starts one by one, as they are first needed at the same time."""
NEEDS_ANSWER = ("smoke", "hall_smoke", "help_button")
"""Rules that stay open until somebody acknowledges."""


@dataclass
class Run:
    """One soak: what was done, what was measured."""

    home: Household
    trips: list[Trip] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    late: list[Outage] = field(default_factory=list)
    survived: Counter[str] = field(default_factory=Counter)
    samples: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _starting: list[Outage] = field(default_factory=list)
    _blind: dict[str, list[Outage]] = field(default_factory=dict)
    _asked: dict[str, int] = field(default_factory=dict)
    _life_began: int = field(default_factory=wall)

    # --- doing

    def live(self, deeds: list[Deed]) -> None:
        """Do it all, each at its time."""
        began = wall()
        for deed in deeds:
            while (left_ms := began + deed.at_s * 1000 - wall()) > 0:
                threading.Event().wait(min(TICK_S, left_ms / 1000))
                self.tick()
            self._do(deed)

    def _do(self, deed: Deed) -> None:
        fault = deed.fault
        if fault is not None and not deed.over:
            self._begin(fault)
        device = deed.words.rpartition(" ")[2]
        if deed.words.startswith("sim clear") and device in TRIPPED:
            self._cleared(device)
        elif deed.words.startswith("sim trip") and device in TRIPPED:
            rule = TRIPPED[device]
            self.trips.append(Trip(device, rule, PATHS[device], HOLD_MS.get(rule, 0), wall()))
        self.home.do(deed.words)
        if "node start" in deed.words:
            self._life_began = wall()
        if fault is not None and deed.over:
            self._end(fault)

    def _cleared(self, device: str) -> None:
        for trip in reversed(self.trips):
            if trip.device == device:
                trip.off = wall()
                return

    def _begin(self, fault: Fault) -> None:
        found = self._blind[fault.name] = []
        if fault.blinds:
            found.append(Outage(fault.blinds, wall(), bridged=fault.bridged))
            self.outages += found
        if fault.late:
            found.append(Outage("zigbee", wall()))
            self.late.append(found[-1])

    def _end(self, fault: Fault) -> None:
        self.survived[fault.name] += 1
        for outage in self._blind.pop(fault.name, []):
            if fault.restarts:
                self._starting.append(outage)
            else:
                outage.end = wall() + fault.back_ms

    # --- meanwhile

    def tick(self) -> None:
        """See that the node is up again, acknowledge as care does, measure."""
        if self._starting and any('"ready"' in line for line in self.home.node.lines):
            for outage in self._starting:
                outage.end = wall()
            self._starting.clear()
        self._acknowledge()
        if not self.samples or wall() - self.samples[-1]["at"] >= SAMPLE_MS:
            self._sample()

    def _acknowledge(self) -> None:
        wanting: dict[str, str] = {}
        for topic, body, _ in list(self.home.receiver.messages)[-400:]:
            if topic == f"{ROOT}/care/alerts" and body["subject"] in NEEDS_ANSWER:
                wanting[body["data"]["alert"]] = body["data"]["event"]
        now = wall()
        for alert, event in wanting.items():
            if event == "notified" and now - self._asked.get(alert, 0) > ACKNOWLEDGE_AGAIN_MS:
                self._asked[alert] = now
                expires = datetime.now(UTC) + timedelta(days=1)  # noqa: TID251 - as the other party's clock says
                self.home.receiver.send(
                    f"{ROOT}/care/command",
                    {
                        "id": f"{alert} {now}", "do": "acknowledge", "by": "soak",
                        "expires": expires.isoformat(timespec="milliseconds"), "args": {"alert": alert},
                    },
                )  # fmt: skip

    def _sample(self) -> None:
        if self.home.node.process.poll() is None:
            try:
                costs = self.home.costs()
            except OSError:
                return  # it was ended just now
            life = len(self.home.lives)
            self.samples.append({"at": wall(), "life": life, "lived_ms": wall() - self._life_began, **costs})

    # --- the end

    def heal(self) -> None:
        """Everything works; every device is tripped and cleared once more, and nothing may be left over."""
        home = self.home
        until(lambda: '"ready"' in home.node.log, what="ready")
        healed = wall()
        until(lambda: self._well(), 45, "link and drivers run, no fault of theirs")
        print(f"all well {(wall() - healed) / 1000:.1f} s after the last fault")
        for device in TRIPPED:
            self._do(Deed(0, f"sim trip {device}"))
        self._until_open(set(TRIPPED.values()))
        for device in TRIPPED:
            self._do(Deed(0, f"sim clear {device}"))
        for words in ("trip eye", "clear eye", "measure warmth temperature 21", "measure stove power 0"):
            home.do(f"sim {words}")
        until(lambda: self._ticked() and not self._status()["alerts"], what="no open alert")
        until(lambda: not any(self._status()["outbox"].values()), what="an empty outbox")
        self._sample()

    def _ticked(self) -> bool:
        self.tick()
        return True

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.home.asked(do="status")
        assert status, self.home.node.log[-2000:]
        return status

    def _well(self) -> bool:
        self.tick()
        status = self.home.asked(do="status")
        faulty = {fault["source"] for fault in status.get("faults", [])} & {"zigbee", "gpio", "storage"}
        drivers = set(status.get("drivers", {"": ""}).values())
        if not status or faulty or drivers != {"running"} or '"network up"' not in self.home.node.log:
            return False
        return status["link"]["state"] == "up" and self.home.sim.do("status")["stick"]["network"] == "up"

    def _until_open(self, rules: set[str]) -> None:
        def so() -> bool:
            self.tick()
            return rules <= {alert["rule"] for alert in self._status()["alerts"]}

        until(so, 45, f"alerts of {', '.join(rules)}")

    def count(self) -> Iterator[str]:
        """Everything that is wrong."""
        home = self.home
        left = [fault for fault in self._status()["faults"] if fault["source"] != "downtime"]
        yield from (f"a fault that is not over: {fault}" for fault in left)
        home.do("node stop")
        yield from (f"SIGTERM: exit {code}, {took} s" for code, took in home.exits if code or took > 2)
        shown = homenode("journal", "show", "--data", str(home.data))
        assert shown.returncode == 0, shown.stderr
        journal = read_journal(shown.stdout)
        came = [(t, b) for t, b, _ in list(home.receiver.messages) if t.endswith("/alerts")]
        yield from told_wrong(journal, came)
        shared = [
            (t, b) for t, b, _ in list(home.receiver.messages) if t.startswith(f"{ROOT}/care/readings/")
        ]
        lost = unheard(journal, shared)
        yield from (f"reading lost: {reading}" for reading in lost[:20])
        print(f"{len(journal.readings)} readings in the journal, {len(lost)} of them not received")
        for outage in self.outages:
            assert outage.end != NEVER
        count, restarted, missed = judged(self.trips, self.outages, self.late, journal)
        yield from missed
        if not count:
            yield "no trip could be judged"
        yield from (
            f"SIGTERM: exit {code} after {took:.1f} s" for code, took in home.exits if code or took > 2
        )
        for number, life in enumerate(home.lives, 1):
            yield from (f"life {number}: {line}" for line in life.lines if _alarming(line))
        apartment = (home.folder / "apartment.log").read_text()
        if "Traceback" in apartment:
            yield f"the apartment: {apartment[-2000:]}"
        yield from self._grown()
        self._report(journal, came, count, restarted)

    def _grown(self) -> Iterator[str]:
        last = self.samples[-1]
        settled = [
            sample
            for sample in self.samples
            if sample["life"] == last["life"] and SETTLED_MS <= sample["lived_ms"] < 2 * SETTLED_MS
        ]
        if not settled or last["lived_ms"] < 2 * SETTLED_MS:
            return
        if last["pss_mb"] > 1.1 * settled[0]["pss_mb"]:
            yield f"PSS grew from {settled[0]['pss_mb']} to {last['pss_mb']} MB"
        for what, more in (("files", 1), ("threads", POOL)):  # 1: whoever asked for its status just now
            before = max(sample[what] for sample in settled)
            if last[what] > before + more:
                yield f"{what} grew from {before} to {last[what]}"

    def _report(
        self, journal: Journal, came: list[tuple[str, dict[str, Any]]], count: int, restarted: int
    ) -> None:
        print(f"\n{sum(self.survived.values())} faults survived, {len(self.home.lives)} lives of the node:")
        for name, times in sorted(self.survived.items(), key=lambda item: -item[1]):
            print(f"  {times:4} {name}")
        unique = {body["id"] for _, body in came}
        print(f"{len(self.trips)} trips, {count} judged, {restarted} of them over a restart")
        print(f"{len(journal.raised)} alerts raised, {len(journal.notified)} to be notified, ", end="")
        print(
            f"{len(journal.messages)} messages; {len(unique)} came, {len(came) - len(unique)} of them again"
        )
        print(f"{len(self.home.receiver.messages)} MQTT messages in all")
        for sample in self.samples[:: max(1, len(self.samples) // 60)]:
            print("  ", json.dumps({**sample, "at": sample["at"] // 1000}))


def _alarming(line: str) -> bool:
    return "Traceback" in line or "a mistake in homenode" in line or '"event": "failed"' in line


def _soak(folder: Path, seed: int, deeds: list[Deed]) -> None:
    print(f"soak: seed {seed}, {deeds[-1].at_s / 60:.1f} min, {folder}", flush=True)
    with Household(folder) as home:
        run = Run(home)
        try:
            run.live(deeds)
            run.heal()
            wrong = list(run.count())
        finally:
            with (folder / "node.log").open("w") as log:
                for number, life in enumerate(home.lives, 1):
                    log.write(f"--- life {number}\n{life.log}\n")
            with (folder / "received.jsonl").open("w") as received:
                received.writelines(json.dumps(message) + "\n" for message in home.receiver.messages)
            done = {name: list(map(asdict, getattr(run, name))) for name in ("trips", "outages", "late")}
            (folder / "done.json").write_text(json.dumps(done))
        assert not wrong, f"seed {seed}:\n" + "\n".join(wrong)


def test_half_a_minute_of_everything_failing_loses_no_alert(tmp_path: Path) -> None:
    _soak(tmp_path, 17, plan(17, 22, 22, (3, 5), QUICK))


@pytest.mark.soak
def test_an_hour_of_everything_failing_loses_no_alert(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    minutes = float(os.environ.get("SOAK_MINUTES", "60"))
    seed = int(os.environ.get("SOAK_SEED", wall() // 1000))
    with capsys.disabled():
        _soak(tmp_path, seed, plan(seed, minutes * 60, minutes * 60 * 0.4, (11, 24)))
