"""How node and machine are: figures too coarse to tell of a life, and what somebody must do."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC as UTC_
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from homenode.contract.command import Command, Refusal, parse_command
from homenode.contract.figures import FIGURES, MOST_PCT, taken
from homenode.contract.times import Zone
from homenode.delivery import Delivery
from homenode.health import verdicts
from homenode.health.certificate import Life, life_of
from homenode.health.coarse import DAY, SETTLED, Steady, Usual
from homenode.health.machine import Card, Seen, look
from homenode.health.prometheus import Sampled, text
from homenode.health.record import Record, Setting
from tests.unit.contract_examples import FIGURES as WELL

UTC = Zone("UTC")
MIN, HOUR, DAY_MS = 60_000, 3_600_000, 86_400_000
WALL = 1_790_000_000_000
SEEN = Seen(
    slot="A", model="Raspberry Pi 4", kernel="6.12", boot_id="one", up_s=100.0,
    card=Card("mmcblk0", None, None, 10**9, 0), temperature_c=52.0, undervolted=False,
    undervolted_before=False, synchronised=True, clock_by="chrony", clock_error_ms=7,
    certificate=None, memory_free=0.6, disk_free=0.8,
)  # fmt: skip

NOTHING_SAID = Setting()
ENDED = Life("20200101000000", "20210101000000")


def judged(
    record: Record, seen: Seen, now: int = 0, setting: Setting = NOTHING_SAID, wall: int | None = WALL
) -> Any:
    record.add(seen, now)
    return {one.source: one.text for one in record.verdicts(seen, setting, now, wall)}


def told(record: Record, seen: Seen, setting: Setting = NOTHING_SAID) -> dict[str, Any]:
    return record.figures(seen, setting, UTC, trusted=True)


# --- coarse


@given(st.lists(st.sampled_from((50.0, 51.0, 52.0)), min_size=DAY, max_size=DAY), st.integers(0, DAY - 24))
@settings(max_examples=60, deadline=None)
def test_looks_of_four_hours_a_day_move_no_usual_temperature(idle: list[float], at: int) -> None:
    """A look ends by itself after minutes; this is 24 of the 144 samples, 15 °C warmer."""
    quiet, looked = Usual(5), Usual(5)
    for nth, sample in enumerate(idle + idle):
        quiet.add(sample)
        looked.add(sample + (15 if at <= nth % DAY < at + 24 else 0))
        assert quiet.told() == looked.told() or nth < DAY


def test_nothing_is_usual_before_six_hours_and_none_is_no_sample() -> None:
    usual = Usual(5)
    for _ in range(SETTLED - 1):
        usual.add(52.0)
        usual.add(None)
    assert usual.told() is None
    usual.add(52.0)
    assert usual.told() == 50


def test_a_figure_at_the_edge_of_two_steps_stays_put() -> None:
    steady = Steady(5)
    assert [steady.of(value) for value in (52.4, 52.6, 52.4, 53.7, 53.8, 52.6, 51.3, 51.2)] == [
        50, 50, 50, 50, 55, 55, 55, 50]  # fmt: skip
    assert steady.of(None) is None


# --- record


def test_what_is_written_adds_up_over_restarts_of_node_and_machine() -> None:
    setting = Setting(endurance_tb=0.1)
    record = Record()
    record.add(SEEN, 0)
    record.add(replace(SEEN, card=replace(SEEN.card, written_b=3 * 10**9)), MIN)
    record = Record(json.loads(json.dumps(record.kept())))
    record.add(replace(SEEN, card=replace(SEEN.card, written_b=4 * 10**9)), HOUR)
    record = Record(json.loads(json.dumps(record.kept())))
    after = replace(SEEN, boot_id="two", card=replace(SEEN.card, written_b=6 * 10**9))
    record.add(after, DAY_MS)
    assert told(record, after, setting)["card_worn_pct"] == 10
    assert told(record, after, setting)["card_worn_by"] == "written"
    assert told(record, after)["card_worn_pct"] is None, "without a known endurance nobody knows"


def test_a_card_that_took_many_times_what_it_may_is_no_unknown_one() -> None:
    record = Record()
    record.add(replace(SEEN, card=replace(SEEN.card, written_b=5 * 10**12)), 0)
    figures = told(record, SEEN, Setting(endurance_tb=1))
    assert taken(figures)["card_worn_pct"] == MOST_PCT
    assert "500 %" in judged(record, SEEN, 0, Setting(endurance_tb=1))["card wear"]["en"]


def test_what_the_card_says_itself_counts_more_than_what_was_written() -> None:
    emmc = replace(SEEN, card=replace(SEEN.card, life_pct=30, spare=1))
    record = Record()
    record.add(emmc, 0)
    figures = told(record, emmc, Setting(endurance_tb=0.001))
    assert (figures["card_worn_pct"], figures["card_worn_by"], figures["card_spare"]) == (
        30,
        "device",
        "normal",
    )


def test_starts_are_counted_for_one_run_of_the_machine() -> None:
    record = Record()
    record.add(SEEN, 0)
    assert told(record, SEEN)["restarts"] == 0
    for nth in (1, 2):
        record = Record(record.kept())
        record.add(SEEN, nth)
        record.add(SEEN, nth)
        assert told(record, SEEN)["restarts"] == nth
    again = replace(SEEN, boot_id="two")
    record = Record(record.kept())
    record.add(again, 3)
    assert told(record, again)["restarts"] == 0


@pytest.mark.parametrize(
    ("now", "before", "word"), [(None, None, None), (False, False, "never"), (False, None, "never"),
                                (False, True, "lately"), (True, True, "lately"), (True, None, "lately")],
)  # fmt: skip
def test_undervoltage_is_unknown_where_nothing_tells_and_told_with_the_day(
    now: bool | None, before: bool | None, word: str | None
) -> None:
    seen = replace(SEEN, undervolted=now, undervolted_before=before)
    record = Record()
    record.add(seen, 9 * HOUR)
    record.add(seen, DAY_MS - 1)
    assert told(record, seen)["undervoltage"] == (None if now is None else "never"), "nothing of this day"
    record.add(replace(seen, undervolted=seen.undervolted and False), DAY_MS)
    assert told(record, seen)["undervoltage"] == word


def test_undervoltage_of_long_ago_is_told_as_that() -> None:
    record = Record()
    record.add(replace(SEEN, undervolted=True, undervolted_before=None), 0)
    well = replace(SEEN, undervolted_before=None)
    record = Record(json.loads(json.dumps(record.kept())))
    record.add(well, 2 * DAY_MS)
    assert told(record, well)["undervoltage"] == "before"


@pytest.mark.parametrize(
    ("synchronised", "trusted", "word"), [(True, True, "synchronised"), (False, True, "trusted"),
                                          (False, False, "unset"), (None, False, "unset")],
)  # fmt: skip
def test_the_clocks_worth(synchronised: bool | None, trusted: bool, word: str) -> None:
    figures = Record().figures(replace(SEEN, synchronised=synchronised), Setting(), UTC, trusted=trusted)
    assert figures["clock"] == word


@pytest.mark.parametrize(
    ("error_ms", "said"), [(0, 1), (7, 10), (10, 10), (900, 1000), (16_000, 60_000), (None, None)]
)
def test_an_error_that_grows_all_the_time_is_told_in_steps(error_ms: int | None, said: int | None) -> None:
    record, seen = Record(), replace(SEEN, clock_error_ms=error_ms)
    record.add(seen, 0)
    assert told(record, seen)["clock_error_ms"] == said


def test_an_error_that_falls_with_each_word_of_a_time_service_is_no_news() -> None:
    record, said = Record(), set()
    for nth in range(3 * DAY):
        seen = replace(SEEN, clock_error_ms=5 + nth % 2 * 500)
        record.add(seen, nth)
        said.add(told(record, seen)["clock_error_ms"])
    assert said == {10, 1000}
    for nth in range(DAY):
        record.add(replace(SEEN, clock_error_ms=5), nth)
    assert told(record, SEEN)["clock_error_ms"] == 10


def test_what_is_told_is_what_the_contract_lists_and_fits_it() -> None:
    life = Life("20260101000000", "20270101000000")
    seen = replace(SEEN, certificate=life, card=Card("mmcblk0", 20, 2, 5, 0))
    record = Record()
    for nth in range(SETTLED):
        record.add(seen, nth * 10 * MIN)
    figures = told(record, seen)
    of_gateway = {"booted", "started", "gaps", "radios", "devices", "silent", "blind", "configuration"}
    assert set(figures) == {figure.name for figure in FIGURES} - of_gateway
    assert taken(figures) == figures
    assert figures["certificate_until"] == "2027-01-01T00:00:00.000+00:00"


# --- verdicts


def test_a_machine_that_is_well_asks_for_nobody() -> None:
    record = Record()
    for nth in range(DAY):
        assert judged(record, SEEN, nth * 10 * MIN) == {}


@pytest.mark.parametrize(
    ("card", "source"),
    [(Card(life_pct=90), "card wear"), (Card(life_pct=80), ""), (Card(spare=2), "card wear"), (Card(spare=3),
     "card wear"), (Card(spare=1), ""), (Card(errors=1), "card errors"), (Card(errors=0), ""), (Card(), "")],
)  # fmt: skip
def test_a_card_that_ends_is_told_and_one_that_tells_nothing_is_not(card: Card, source: str) -> None:
    assert list(judged(Record(), replace(SEEN, card=card))) == [source] * bool(source)


def test_undervoltage_is_told_on_the_next_day_and_once_for_a_mark_that_stays() -> None:
    record = Record()
    bad, marked = (
        replace(SEEN, undervolted=True, undervolted_before=True),
        replace(SEEN, undervolted_before=True),
    )
    assert judged(record, bad, HOUR) == {}
    assert judged(record, marked, DAY_MS - 1) == {}
    assert list(judged(record, marked, DAY_MS)) == ["power supply"]
    assert list(judged(record, bad, DAY_MS + HOUR)) == ["power supply"]
    record = Record(record.kept())
    assert list(judged(record, marked, 2 * DAY_MS)) == ["power supply"]
    assert list(judged(record, marked, 3 * DAY_MS - 1)) == ["power supply"]
    assert judged(record, marked, 3 * DAY_MS) == {}
    again = replace(marked, boot_id="two")
    assert judged(record, again, 3 * DAY_MS) == {}
    assert list(judged(record, again, 4 * DAY_MS)) == ["power supply"]


def test_heat_is_told_after_hours_and_over_with_some_distance() -> None:
    record = Record()
    hot, warm, cool = (replace(SEEN, temperature_c=degrees) for degrees in (82.0, 77.0, 70.0))
    for nth in range(verdicts.HOT_SAMPLES - 1):
        assert judged(record, hot, nth) == {}
    assert list(judged(record, hot)) == ["too hot"]
    for _ in range(verdicts.HOT_SAMPLES):
        assert list(judged(record, warm)) == ["too hot"]
    for _ in range(verdicts.HOT_SAMPLES):
        last = judged(record, cool)
    assert last == {}
    for _ in range(verdicts.HOT_SAMPLES):
        last = judged(record, warm)
    assert last == {}


def test_a_look_of_an_hour_in_a_warm_place_is_no_heat() -> None:
    record = Record()
    for nth in range(DAY):
        degrees = 85.0 if nth % 24 < 6 else 68.0
        assert judged(record, replace(SEEN, temperature_c=degrees), nth) == {}


@pytest.mark.parametrize(("days", "is_told"), [(100, False), (61, False), (60, True), (1, True), (-1, True)])
def test_a_certificate_that_should_have_been_renewed_is_told(days: int, is_told: bool) -> None:
    """Of 360 days; renewal begins with the 240th."""
    ends = WALL + days * DAY_MS
    found = verdicts.certificate(ends - 360 * DAY_MS, ends, WALL)
    assert (found is not None) is is_told
    if found is not None:
        assert ("has ended" in found.text["en"]) is (days < 0)


def test_a_certificate_is_judged_by_a_clock_that_is_trusted_only() -> None:
    ended = replace(SEEN, certificate=ENDED)
    assert judged(Record(), ended, wall=None) == {}
    assert list(judged(Record(), ended)) == ["certificate ends"]


def test_a_time_service_that_is_away_is_told_after_two_days_through_restarts_and_not_where_none_is() -> None:
    record = Record()
    lost = replace(SEEN, synchronised=False)
    assert judged(record, lost) == {}
    record = Record(record.kept())
    assert judged(record, lost, 2 * DAY_MS - 1) == {}
    assert list(judged(record, lost, 2 * DAY_MS)) == ["time service"]
    assert judged(record, lost, 2 * DAY_MS, Setting(clock_trusted=True)) == {}
    assert judged(record, SEEN, 2 * DAY_MS) == {}
    assert judged(record, lost, 3 * DAY_MS) == {}
    assert judged(record, replace(SEEN, synchronised=None), 9 * DAY_MS) == {}


@pytest.mark.parametrize(("free", "is_told"), [(0.05, False), (0.049, True), (None, False)])
def test_a_full_disk_is_told(free: float | None, is_told: bool) -> None:
    assert ("disk room" in judged(Record(), replace(SEEN, disk_free=free))) is is_told


@pytest.mark.parametrize(
    ("partition", "size_mb", "said"),
    [("good", 5000, ""), ("repaired", 512, ""), ("", None, ""), ("new", 511, "too small (511 MB"),
     ("readonly", 5000, "data are damaged: the node goes on"), ("lost", 5000, "and can't be read")],
)  # fmt: skip
def test_an_images_data_partition_that_forgets_or_is_too_small_is_told(
    partition: str, size_mb: int | None, said: str
) -> None:
    found = judged(Record(), replace(SEEN, partition=partition, partition_mb=size_mb))
    assert bool(said) is ("card data" in found)
    assert said in found.get("card data", {"en": ""})["en"]


def test_every_verdict_has_a_source_of_its_own_that_no_device_can_have_and_says_what_to_do() -> None:
    worst = replace(SEEN, card=Card(life_pct=110, spare=3, errors=9), undervolted=True, temperature_c=99.0,
                    certificate=ENDED, synchronised=False, disk_free=0.0, partition="lost")  # fmt: skip
    record = Record({"unsynchronised": -3 * DAY_MS})
    judged(record, worst, -1)
    for _ in range(verdicts.HOT_SAMPLES):
        found = judged(record, worst)
    assert tuple(found) == verdicts.SOURCES
    for source, texts in found.items():
        assert " " in source
        assert set(texts) == {"sv", "en"}
        assert all(":" in said or ";" in said for said in texts.values())


# --- certificate


def certificate(begins: datetime, ends: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vaxjo-0412")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 5, begins, ends)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize("year", [2027, 2049, 2050, 2062, 9999])
def test_the_life_of_a_certificate_is_read_as_others_write_it(year: int) -> None:
    """UTCTime up to 2049, GeneralizedTime after it; the last means no end."""
    begins, ends = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC_), datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC_)
    pem = certificate(begins, ends)
    life = life_of(b"text before\n" + pem + pem)
    assert life == Life("20260102030405", f"{min(year, 9998)}1231235959")
    seen = replace(SEEN, certificate=life)
    assert Record().figures(seen, NOTHING_SAID, Zone("Asia/Tokyo"), trusted=True)["certificate_until"]
    assert life_of(pem[: len(pem) // 2]) is None


@given(st.binary(max_size=80))
def test_what_is_no_certificate_has_no_life(junk: bytes) -> None:
    assert life_of(junk) is None
    assert life_of(b"-----BEGIN CERTIFICATE-----" + junk + b"-----END CERTIFICATE-----") is None


# --- machine


def put(root: Path, path: str, content: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(content)


@pytest.fixture
def pi(tmp_path: Path) -> tuple[Path, Path]:
    """Root of a Pi with an eMMC, and the node's folder."""
    root, data = tmp_path / "root", tmp_path / "data"
    data.mkdir()
    put_a_pi(root, data)
    return root, data


def put_a_pi(root: Path, data: Path) -> None:
    """A Pi with an eMMC on which `data` lies, as its kernel shows itself."""
    number = data.stat().st_dev
    part = "sys/devices/mmc_host/mmc0/mmc0:0001/block/mmcblk0/mmcblk0p4"
    put(root, f"{part}/partition", "4\n")
    put(root, "sys/devices/mmc_host/mmc0/mmc0:0001/block/mmcblk0/device/life_time", "0x02 0x01\n")
    put(root, "sys/devices/mmc_host/mmc0/mmc0:0001/block/mmcblk0/device/pre_eol_info", "0x01\n")
    (root / "sys/dev/block").mkdir(parents=True)
    (root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}").symlink_to(root / part)
    put(root, "sys/fs/ext4/mmcblk0p4/errors_count", "2\n")
    put(root, "sys/devices/mmc_host/mmc0/mmc0:0001/block/mmcblk0/device/ioerr_cnt", "0x6\n")
    put(root, "proc/diskstats", " 179 0 mmcblk0 1 2 3 4 5 6 2000 8 9\n 179 4 mmcblk0p4 1 2 3 4 5 6 7 8 9\n")
    put(root, "proc/cmdline", "root=/dev/mmcblk0p2 rauc.slot=B ro\n")
    put(root, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.5\0")
    put(root, "proc/meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 600 kB\n")
    put(root, "proc/uptime", "3600.50 7000.0\n")
    put(root, "proc/sys/kernel/random/boot_id", "abc\n")
    put(root, "sys/class/thermal/thermal_zone0/temp", "52100\n")
    put(root, "sys/class/thermal/thermal_zone1/temp", "-274000\n")
    put(root, "sys/devices/platform/soc/soc:firmware/get_throttled", "50000\n")
    put(root, "run/homenode-data", "repaired 5000\n")
    (root / "run/chrony").mkdir(parents=True)


def test_a_pi_is_seen_as_its_kernel_shows_it(pi: tuple[Path, Path]) -> None:
    root, data = pi
    seen = look(data, None, root)
    assert (seen.slot, seen.model, seen.boot_id, seen.up_s) == (
        "B",
        "Raspberry Pi 4 Model B Rev 1.5",
        "abc",
        3600.5,
    )
    assert seen.card == Card("mmcblk0", life_pct=20, spare=1, written_b=2000 * 512, errors=2)
    assert (seen.temperature_c, seen.memory_free, seen.clock_by) == (52.1, 0.6, "chrony")
    assert (seen.undervolted, seen.undervolted_before) == (False, True)
    assert (seen.partition, seen.partition_mb) == ("repaired", 5000)
    assert seen.disk_free is not None
    assert 0 <= seen.disk_free <= 1


def test_debians_kernel_tells_of_undervoltage_by_hwmon(pi: tuple[Path, Path]) -> None:
    root, data = pi
    (root / "sys/devices/platform/soc/soc:firmware/get_throttled").unlink()
    put(root, "sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
    put(root, "sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    put(root, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    seen = look(data, None, root)
    assert (seen.undervolted, seen.undervolted_before) == (True, None)


def test_a_card_that_tells_nothing_and_a_machine_that_has_nothing_are_unknown(tmp_path: Path) -> None:
    seen = look(tmp_path, tmp_path / "none.pem", tmp_path / "root")
    assert seen.card == Card()
    unknown = (seen.slot, seen.model, seen.up_s, seen.temperature_c, seen.undervolted, seen.memory_free,
               seen.clock_by, seen.certificate)  # fmt: skip
    assert set(unknown) == {None}
    assert look(tmp_path / "gone", None, tmp_path).disk_free is None


@pytest.mark.parametrize("junk", ["", "\0", "x", "0x", "0xZZ 1", "9" * 400, "-1", "é\n"])
def test_files_that_say_nonsense_are_unknown_and_never_good(pi: tuple[Path, Path], junk: str) -> None:
    root, data = pi
    for path in [one for one in root.rglob("*") if one.is_file() and one.name != "partition"]:
        path.write_text(junk)
    seen = look(data, None, root)
    record = Record()
    record.add(seen, 0)
    figures = told(record, seen)
    assert figures["undervoltage"] is None or junk.strip("-0x ").isdigit()
    json.dumps(figures)


def test_this_machine_is_seen(tmp_path: Path) -> None:
    seen = look(tmp_path, None)
    assert seen.kernel == os.uname().release
    assert seen.up_s
    assert seen.memory_free
    assert seen.boot_id


# --- Prometheus


def test_prometheus_own_parser_reads_what_is_told_and_unknown_has_no_sample() -> None:
    homes = [
        Sampled("h1", "1.0", True, taken(WELL), "good", 2),
        Sampled('q"\\', "", None, {}, "", None),
        Sampled("h2", "1.1", False, {}, "", None),
    ]
    read = {family.name: family for family in text_string_to_metric_families(text(homes, True))}
    one = {
        name: {sample.labels["home"]: sample.value for sample in family.samples if "home" in sample.labels}
        for name, family in read.items()
    }
    assert one["homenode_up"] == {"h1": 1, "h2": 0}
    assert one["homenode_card_worn_percent"] == {"h1": 10}
    assert one["homenode_certificate_not_after_seconds"] == {"h1": 1_796_126_400}
    assert one["homenode_clock_state"] == {"h1": 3}
    assert "homenode_undervoltage" not in one
    assert one["homenode_faults"] == {"h1": 2}
    states = {s.labels["state"]: s.value for s in read["homenode_update_state"].samples}
    assert [state for state, value in states.items() if value] == ["good"]
    assert [(s.labels, s.value) for s in read["homenode_radio_up"].samples] == [
        ({"home": "h1", "name": "zigbee"}, 1)
    ]
    assert read["homenode_fleet_connected"].samples[0].value == 1
    assert all(family.documentation and family.type == "gauge" for family in read.values())


# --- exactly


def test_figures_of_a_day_to_the_letter() -> None:
    record = Record()
    seen = replace(SEEN, temperature_c=53.0, memory_free=0.64, disk_free=0.83, card=Card("sda", 40, 3, 1, 2))
    for nth in range(SETTLED):
        record.add(seen, nth)
    assert told(record, seen) == {
        "slot": "A",
        "model": "Raspberry Pi 4",
        "kernel": "6.12",
        "restarts": 0,
        "card_worn_pct": 40,
        "card_worn_by": "device",
        "card_spare": "urgent",
        "card_errors": 2,
        "temperature_c": 55,
        "undervoltage": "never",
        "clock": "synchronised",
        "clock_by": "chrony",
        "clock_error_ms": 10,
        "certificate_until": None,
        "memory_free_pct": 60,
        "disk_free_pct": 85,
    }
    assert told(record, replace(seen, memory_free=None, disk_free=None))["disk_free_pct"] is None


@pytest.mark.parametrize(("free", "said"), [(0.83, 85), (0.02, 0), (1.0, 100), (0.0, 0)])
def test_room_is_told_in_steps(free: float, said: int) -> None:
    assert told(Record(), replace(SEEN, disk_free=free))["disk_free_pct"] == said


@pytest.mark.parametrize(
    ("recent", "was_hot", "is_hot"),
    [(79.9, False, False), (80.0, False, True), (75.0, True, True), (74.9, True, False), (None, True, False)],
)
def test_the_edges_of_heat(recent: float | None, was_hot: bool, is_hot: bool) -> None:
    assert (verdicts.heat(recent, was_hot=was_hot) is not None) is is_hot
    assert verdicts.HOT_SAMPLES == 12, "two hours: longer than a look"


def test_verdicts_say_how_much() -> None:
    wear, spare = verdicts.card_wear(95, None), verdicts.card_wear(None, 3)
    assert wear is not None
    assert wear.text["en"].startswith("95 % of the card's life is used: change it")
    assert spare is not None
    assert spare.text["en"].startswith("the card's spare blocks run out: change it")
    assert wear.text["sv"].startswith("minneskortet är förbrukat till 95 %: byt det")
    assert spare.text["sv"].startswith("minneskortets reservblock tar slut: byt det")
    assert verdicts.card_wear(10, 2) == spare, "10 % used would be no reason"
    assert verdicts.card_wear(None, None) is verdicts.card_wear(89, 1) is verdicts.card_wear(0, 0) is None
    for days, left in ((30, "ends in 30 d"), (0, "has ended"), (-5, "has ended")):
        found = verdicts.certificate(WALL - 400 * DAY_MS, WALL + days * DAY_MS, WALL)
        assert found is not None
        assert left in found.text["en"]


def test_a_number_with_parts_keeps_them_for_prometheus() -> None:
    started = taken({"started": "2026-01-01T00:00:00.250+00:00"})
    assert 'homenode_start_time_seconds{home="h"} 1767225600.25\n' in text([Sampled("h", figures=started)])


def test_what_is_cut_or_of_another_kind_is_no_certificate() -> None:
    begins = datetime(2026, 1, 1, tzinfo=UTC_)
    whole = b64decode(certificate(begins, datetime(2027, 1, 1, tzinfo=UTC_)).split(b"-----")[2])
    at = whole.index(b"260101000000Z")
    for broken in (
        whole[:at] + b"261301000000Z" + whole[at + 13 :],  # the 13th month
        whole[:at] + b"26010100000+Z" + whole[at + 13 :],
        whole[: at - 2] + b"\x16" + whole[at - 1 :],  # no time, by its tag
        b"\x31" + whole[1:],
        whole[:40],
    ):
        pem = b"-----BEGIN CERTIFICATE-----" + b64encode(broken) + b"-----END CERTIFICATE-----"
        assert life_of(pem) is None


# --- who is told


def test_figures_are_the_operators_alone_and_stay_in_every_status_of_it() -> None:
    delivery = Delivery("h", UTC, {}, {}, {"homenode": "0"})
    message = delivery.figures({"silent": 3}, 5)
    assert (message.party, message.topic, message.retain) == ("operator", "hn1/h/operator/status", True)
    for one in (message, *delivery.statuses(6)):
        health = json.loads(one.payload)["health"]
        assert health == ({"state": "good", "silent": 3} if one.party == "operator" else {"state": "good"})


@pytest.mark.parametrize(
    ("do", "args", "is_taken"),
    [
        ("report", {}, True),
        ("report", {"diagnose": True}, True),
        ("report", {"heartbeat": "30 s"}, False),
        ("report", {"diagnose": True, "heartbeat": "30 s"}, False),
        ("report", [], False),
        ("update", {"cancel": True}, False),
    ],
)
def test_a_node_whose_clock_is_not_set_says_how_it_is_and_has_nothing_set(
    do: str, args: object, is_taken: bool
) -> None:
    body = {"id": "1", "do": do, "by": "me", "expires": "2020-01-01T00:00:00Z", "args": args}
    asked = parse_command(json.dumps(body).encode(), "operator", None)
    assert isinstance(asked, Command) is is_taken
    assert is_taken or (isinstance(asked, Refusal) and asked.code == "clock")
