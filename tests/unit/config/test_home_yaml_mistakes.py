"""Every mistake in home.yaml is told with its line, what is accepted and what was probably meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homenode.config.load import read_home
from homenode.errors import Mistake
from tests.unit.config.some_drivers import DRIVERS, HOME

Mistakes = Callable[[str], list[Mistake]]

# What is replaced in the example home, by what; the field that is told, the suggestion.
ONE_MISTAKE = [
    ("home: vaxjo-0412", "home: Växjö 0412", "home", ""),
    ("home: vaxjo-0412", "home: " + "x" * 41, "home", ""),
    ("home: vaxjo-0412\n", "# no id\n", "home", ""),
    ("timezone: Europe/Stockholm", "timezone: Europe/Stokholm", "timezone", "Europe/Stockholm"),
    ("timezone: Europe/Stockholm", "timezone: ../../etc/passwd", "timezone", ""),
    ("timezone: Europe/Stockholm", "timezone: GMT+1", "timezone", ""),
    ("language: sv", "language: [sv]", "language", ""),
    ("language: sv", "langauge: sv", "langauge", "language"),
    ("mqtts://broker.example:8883", "broker.example:8883", "broker.url", "mqtts://broker.example:8883"),
    ("mqtts://broker.example:8883", "https://broker.example", "broker.url", "mqtts://broker.example"),
    ('"mqtts://broker.example:8883"', "”mqtts://broker.example”", "broker.url", "mqtts://broker.example"),
    ("mqtts://broker.example:8883", "mqtts://broker.example:99999", "broker.url", ""),
    ("mqtts://broker.example:8883", "mqtts://u:hush@broker.example", "broker.url", ""),
    ("mqtts://broker.example:8883", "mqtts://broker.example/path", "broker.url", ""),
    ("ca: ca.pem", "ca: nowhere.pem", "broker.ca", ""),
    ("ca: ca.pem", "ca: rules", "broker.ca", ""),
    (", key: node.key", "", "broker.key", ""),
    ("key: node.key", "key: node.key, password_file: ca.pem", "broker.username", ""),
    ("url:", "urls:", "broker.urls", "url"),
    ("key: node.key", "key: node.key, interface: eth0", "broker.interface", "interfaces"),
    ("key: node.key", "key: node.key, pasword_file: ca.pem", "broker.pasword_file", "password_file"),
    ("driver: zigbee", "driver: zigbe", "radios.zigbee.driver", "zigbee"),
    ("driver: zigbee", "driver: gpio", "radios.zigbee.driver", ""),
    ("port: /dev/serial/by-id/usb-stick", "channel: 11", "radios.zigbee.port", ""),
    ("usb-stick}", "usb-stick, channel: 27}", "radios.zigbee.channel", ""),
    ("usb-stick}", "usb-stick, channel: eleven}", "radios.zigbee.channel", ""),
    ("stove:       {via: zigbee", "stove:       {via: zigbe", "devices.stove.via", "zigbee"),
    ("stove:       {via: zigbee", "stove:       {driver: zigbee", "devices.stove.driver", "via: zigbee"),
    ("stove:       {via: zigbee", "stove:       {via: gpio", "devices.stove.via", "driver: gpio"),
    ("stove:       {via: zigbee, ", "stove:       {", "devices.stove.via", ""),
    ("stove:       {via: zigbee", "stove:       {via: zigbee, driver: gpio", "devices.stove.driver", ""),
    ("aa:bb:01", "aa:bb:02", "devices.kitchen_eye.ieee", ""),
    ("aa:bb:01", "aa-bb-01", "devices.stove.ieee", ""),
    (", room: kitchen, is: stove}", ", is: stove}", "devices.stove.room", ""),
    ("room: kitchen, is: stove}", 'room: "kit\\nchen"}', "devices.stove.room", ""),
    ("room: kitchen, is: stove}", "room: {name: kitchen}}", "devices.stove.room", ""),
    ("is: stove}", "iz: stove}", "devices.stove.iz", "is"),
    ("is: stove}", "model: lumi}", "devices.stove.model", ""),
    ("stale_after: 1 h 30 min", "stale_after: 90", "devices.kitchen_eye.stale_after", "90 min"),
    ("stale_after: 1 h 30 min", "stale_after: 0 s", "devices.kitchen_eye.stale_after", ""),
    ("stale_after: 1 h 30 min", "stale_after: nevr", "devices.kitchen_eye.stale_after", ""),
    ("pin: 17", "pin: 28", "devices.front_door.pin", ""),
    ("pin: 17", "pin: 17.5", "devices.front_door.pin", ""),
    ("pin: 17", "pin: true", "devices.front_door.pin", ""),
    ("pin: 17", "pin: 27", "devices.sink.pin", ""),
    ("kind: water", "kind: watr", "devices.sink.kind", "water"),
    ("debounce: 0.05 s", "debounce: 0.0005 s", "devices.sink.debounce", ""),
    ("debounce: 0.05 s", "debounce: 5", "devices.sink.debounce", "5 s"),
    ("debounce: 0.05 s", "debounce: 50", "devices.sink.debounce", "0.05 s"),
    ("debounce: 0.05 s", "debounce: 50000", "devices.sink.debounce", ""),
    ("debounce: 0.05 s", "inverted: yes", "devices.sink.inverted", "true"),
    ("  front_door:", "  Front Door:", "devices.Front Door", "front_door"),
    ("  front_door:", "  sink:", "sink", ""),
    ("  bed_button:", "  sink:", "sink", ""),
    ("  - use: cooking", "  - use: coking", "rules.1.use", "cooking"),
    ("  - use: cooking", "  - use: ../cooking", "rules.1.use", "cooking"),
    ("  - use: cooking\n", "  - as: soup\n", "rules.1.use", ""),
    ("    bind: {", "    bnid: {", "rules.1.bnid", "bind"),
    ("stove: stove.power", "stove: stov.power", "rules.1.bind.stove", "stove.power"),
    ("stove: stove.power", "stove: stove.powr", "rules.1.bind.stove", "stove.power"),
    ("stove: stove.power", "stove: sink.power", "rules.1.bind.stove", "sink.water"),
    ("stove: stove.power", "stove: stove", "rules.1.bind.stove", ""),
    ("stove: stove.power", "stove: {point: stove.power}", "rules.1.bind.stove", ""),
    ("[kitchen_eye.motion]", "[]", "rules.1.bind.presence", ""),
    ("[kitchen_eye.motion]", "[kitchen_eye.motion, kitchen_eye.motion]", "rules.1.bind.presence", ""),
    ("alone: 15 min", "alone: [15 min]", "rules.1.set.alone", ""),
    ("rules:\n", "rules:\n  - cooking\n", "rules.1", "{use: cooking}"),
    ("rules:\n", "rules:\n  - {use: cooking}\n", "rules.2.as", ""),
    ("  property: [", "  operator: [", "share.operator", ""),
    ("  property: [", "  propety: [", "share.propety", "property"),
    ("sink.water, ", "snk.water, ", "share.property", "sink.water"),
    ("sink.water, ", "sink.contact, ", "share.property", "sink.water"),
    ("*.battery", "*.batery", "share.property", "*.battery"),
    ("*.battery", "*_eye.battery", "share.property", ""),
    ('[sink.water, "*.battery"]', "sink.water", "share.property", ""),
    ("longest: 3 d", "longest: 3", "modes.away.longest", "3 min"),
    ("longest: 3 d", "from: 22:00", "modes.away.from", ""),
    ("door: front_door.contact, ", "", "modes.away", ""),
    ("door: front_door.contact", "door: front_dor.contact", "modes.away.door", "front_door.contact"),
    ("door: front_door.contact", "door: kitchen_eye.motion", "modes.away.door", ""),
    ("quiet: [kitchen_eye.motion]", "quiet: [kitchen_eye.moton]", "modes.away.quiet", "kitchen_eye.motion"),
    ("quiet: [kitchen_eye.motion]", "quiet: [stove.power]", "modes.away.quiet", ""),
    ("quiet: [kitchen_eye.motion]", "quiet: [[]]", "modes.away.quiet", ""),
    ("quiet: [kitchen_eye.motion]", "quiet: []", "modes.away.quiet", ""),
    ("quiet: [kitchen_eye.motion]", "quiet: kitchen_eye.motion", "modes.away.quiet", ""),
    ("after: 30 min", "after: 5 min", "modes.away.after", ""),
    ("after: 30 min", "after: 30", "modes.away.after", "30 min"),
    ("  guests: {}", "  guests: {after: 1 h}", "modes.guests.after", ""),
    ("from: 22:00, ", "", "modes.night", ""),
    ("to: 06:30", "to: 6:30", "modes.night.to", "06:30"),
    ("to: 06:30", "to: 6.30", "modes.night.to", "06:30"),
    ("to: 06:30", "to: 24:00", "modes.night.to", ""),
    ("to: 06:30", "to: 22:00", "modes.night.to", ""),
    ("  guests: {}", "  home: {longest: 1 d}", "modes.home.longest", ""),
    ("trust: always", "trust: alway", "clock.trust", "always"),
    ("ok: bed_button.button", "ok: bed_buton.button", "resident.ok", "bed_button.button"),
    ("ok: bed_button.button", "ok: sink.water", "resident.ok", ""),
    ("ok: bed_button.button", "ok: bed_button", "resident.ok", ""),
    ('"plughw:CARD=Device,DEV=0"', '"-D hw"', "voice.device", ""),
    ('"plughw:CARD=Device,DEV=0"', '""', "voice.device", ""),
    ("volume: 80", "volume: 0", "voice.volume", ""),
    ("volume: 80", "volume: 101", "voice.volume", ""),
    ("volume: 80", "volum: 80", "voice.volum", "volume"),
    ("rate: 130", "rate: 79", "voice.rate", ""),
    ("rate: 130", "rate: 301", "voice.rate", ""),
    ("recordings: karin", "recordings: carin", "voice.recordings", ""),
    ("stop: no_button.button", "stop: bed_button.button", "resident.stop", ""),
    ("{sink.water: {name", "{snk.water: {name", "panel.snk.water", "sink.water"),
    ("{sink.water: {name", "{bed_button.button: {name", "panel.bed_button.button", ""),
    ("{name: Diskbänken}", "{nam: Diskbänken}", "panel.sink.water.nam", "name"),
    ("{name: Diskbänken}", "{symbol: stov}", "panel.sink.water.symbol", "stove"),
    ("{name: Diskbänken}", "{above: -1}", "panel.sink.water.above", ""),
    ("{name: Diskbänken}", "{hold: 8}", "panel.sink.water.hold", "8 min"),
    ("panel: {sink.water: {name: Diskbänken}, front_door.contact: }", "panel: [sink.water]", "panel", ""),
    ("source: csi, ", "", "cameras.hall.source", ""),
    ("source: csi, ", "source: cdi, ", "cameras.hall.source", ""),
    ("source: csi, ", "source: csi, mask: [], ", "cameras.hall.mask", "masks"),
    ("source: csi, ", "source: csi, password_file: gone, ", "cameras.hall.password_file", ""),
    ("source: csi, ", "source: csi, lamp: sgn.light, ", "cameras.hall.lamp", "sign.light"),
    ("source: csi, ", "source: csi, lamp: sink.water, ", "cameras.hall.lamp", ""),
    ("source: csi, ", "source: csi, lamp: stove.light, ", "cameras.hall.lamp", ""),
    ("indicator: sign.light", "indicator: sign", "cameras.hall.indicator", ""),
    (", indicator: sign.light", "", "video.night.cameras", ""),
    ("[[[0, 0], [1, 0], [0, 0.5]]]", "[[0, 0, 1, 1]]", "cameras.hall.masks", ""),
    ("[[[0, 0], [1, 0], [0, 0.5]]]", "[[[0, 0], [1, 0]]]", "cameras.hall.masks", ""),
    ("[[[0, 0], [1, 0], [0, 0.5]]]", "[[[0, 0], [1, 0], [0, 1.1]]]", "cameras.hall.masks", ""),
    ("[[[0, 0], [1, 0], [0, 0.5]]]", "[[[0, 0], [1, 0], [0, -0.1]]]", "cameras.hall.masks", ""),
    ("[[[0, 0], [1, 0], [0, 0.5]]]", "[[[0, 0], [1, 0], [0, yes]]]", "cameras.hall.masks", ""),
    ("[[[0, 0], [1, 0], [0, 0.5]]]", "[[[0, 0], [1, 0], [0, .nan]]]", "cameras.hall.masks", ""),
    ("[[[0, 0], [1, 0], [0, 0.5]]]", "[[[0, 0], [1, 0], [0, 0, 0.5]]]", "cameras.hall.masks", ""),
    ("[[[0, 0], [1, 0], [0, 0.5]]]", "[[[0, 0], [1, 0], [0, true]]]", "cameras.hall.masks", ""),
    ("[[[0, 0], [1, 0], [0, 0.5]]]", "all", "cameras.hall.masks", ""),
    ("cameras: [hall]", "cameras: [hal]", "video.night.cameras", "hall"),
    ("cameras: [hall]", "cameras: []", "video.night.cameras", ""),
    ("cameras: [hall]", "cameras: hall", "video.night.cameras", "[hall]"),
    ("cameras: [hall]", "cameras: [[hall]]", "video.night.cameras", ""),
    ("from: 2026-01-01", "from: 2026-13-01", "video.night.from", ""),
    ("from: 2026-01-01", "from: 2026-07-01", "video.night.to", ""),
    (", to: 2026-06-30", "", "video.night.to", ""),
    ("hours: 22:00-06:00", "hours: 22-06", "video.night.hours", ""),
    ("hours: 22:00-06:00", "hours: 22:00-22:00", "video.night.hours", ""),
    ("hours: 22:00-06:00", "hours: 22:00-24:00", "video.night.hours", ""),
    ("views: [blurred, clear]", "views: [clear, blurred]", "video.night.views", "[blurred, clear]"),
    ("views: [blurred, clear]", "views: [clear, clear]", "video.night.views", "[clear]"),
    ("views: [blurred, clear]", "views: [blurred, klar]", "video.night.views", "clear"),
    ("views: [blurred, clear]", "views: blurred", "video.night.views", "[blurred]"),
    ("views: [blurred, clear]", "views: suddig", "video.night.views", ""),
    ("views: [blurred, clear]", "views: [clean]", "video.night.views", "clear"),
    ("views: [blurred, clear]", "views: []", "video.night.views", ""),
    ("ask: yes", "ask: always", "video.night.ask", ""),
    ("ask: yes", "ask: no", "video.night.ask", ""),
    (", ask: yes", "", "video.night.ask", ""),
    ("ask: yes", "ask: yes, no_answer: grnt", "video.night.no_answer", "grant"),
    ("ask: yes", "ask: yes, party: property", "video.night.party", ""),
    ("ask: yes", "ask: yes, modes: [nigth]", "video.night.modes", "night"),
    ("ask: yes", "ask: yes, longest: 2 h", "video.night.longest", ""),
    ("ask: yes", "ask: yes, answer_within: 1 s", "video.night.answer_within", ""),
    ('urls: ["turn:turn.example:3478"]', "urls: [turn.example]", "ice.urls", ""),
    ('urls: ["turn:turn.example:3478"], ', "", "ice.urls", ""),
    ("username: home", "password_file: gone", "ice.password_file", ""),
    ("homeassistant: homeassistant", "homeassistant: hn1/other", "export.homeassistant", ""),
    ("homeassistant: homeassistant", "homeassistant: a/#", "export.homeassistant", ""),
    ("homeassistant: homeassistant", "homeasistant: a", "export.homeasistant", "homeassistant"),
]


@pytest.mark.parametrize(("before", "after", "field", "suggestion"), ONE_MISTAKE)
def test_a_mistake_is_told_with_its_field_and_a_suggestion(
    mistakes: Mistakes, before: str, after: str, field: str, suggestion: str
) -> None:
    assert before in HOME
    found = mistakes(HOME.replace(before, after, 1))
    (mistake,) = [mistake for mistake in found if mistake.field == field]
    assert mistake.suggestion == suggestion
    assert mistake.line >= 1
    assert mistake.accepted


@pytest.mark.parametrize(("before", "after", "field", "suggestion"), ONE_MISTAKE)
def test_a_mistake_is_told_in_its_own_line(
    mistakes: Mistakes, before: str, after: str, field: str, suggestion: str
) -> None:
    changed = HOME.replace(before, after, 1)
    first = next(
        number
        for number, (old, new) in enumerate(zip(HOME.splitlines(), changed.splitlines(), strict=False), 1)
        if old != new
    )
    found = [mistake.line for mistake in mistakes(changed) if mistake.field == field]
    # A missing key is told at its table, a second name where it stands again; never before what was changed.
    assert found
    assert all(line >= first or field == "home" for line in found)


def test_all_mistakes_are_told_in_one_go_in_the_order_of_the_file(mistakes: Mistakes) -> None:
    text = HOME
    for before, after, _, _ in ONE_MISTAKE[3:]:
        if text.count(before) and before != after and "\n" not in before + after:
            text = text.replace(before, after, 1)
    found = mistakes(text)
    assert len(found) > 20
    assert [mistake.line for mistake in found] == sorted(mistake.line for mistake in found)


def test_a_syntax_mistake_does_not_hide_a_key_that_stands_twice(mistakes: Mistakes) -> None:
    assert [mistake.line for mistake in mistakes("home: a\nhome: b\nx: [\n")] == [2, 3]


def test_a_password_never_gets_into_an_error(mistakes: Mistakes) -> None:
    text = HOME.replace("mqtts://broker", "mqtts://anna:hush@broker")
    assert "hush" not in "".join(str(mistake) for mistake in mistakes(text))


@pytest.mark.parametrize(
    "text", ["", "# nothing", "17", "[1, 2]", "home", "- home: x", "home: [", "\x00", "null"]
)
def test_what_is_no_home_at_all_is_told_at_its_first_line(mistakes: Mistakes, text: str) -> None:
    assert mistakes(text)[0].line == 1


def test_a_driver_that_fails_in_its_own_check_is_told_and_stops_nothing_else(folder: Path) -> None:
    from dataclasses import replace

    def fails(*_: object) -> tuple[str, ...]:
        raise RuntimeError("boom")

    (folder / "home.yaml").write_text(HOME)
    for broken in (
        replace(DRIVERS["gpio"], kinds=fails),
        replace(DRIVERS["gpio"], check=fails),  # type: ignore[arg-type]  # it never returns
    ):
        home, notes = read_home(folder / "home.yaml", drivers={**DRIVERS, "gpio": broken})
        assert home is not None
        assert all("boom" in mistake.found for mistake in notes.mistakes)
        assert notes.mistakes


KEYS = [
    "home",
    "devices",
    "via",
    "driver",
    "room",
    "use",
    "bind",
    "set",
    "url",
    "care",
    "longest",
    "from",
    "ok",
]
LEAVES = ["zigbee", "gpio", "stove", "stove.power", "*.*", "1 h", "22:00", "cooking", None, True, 17, 0.5]
VALUES = st.recursive(
    st.one_of(st.sampled_from(LEAVES), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)
SECTIONS = st.sampled_from(
    [
        "home",
        "timezone",
        "language",
        "broker",
        "radios",
        "devices",
        "rules",
        "share",
        "modes",
        "clock",
        "resident",
        "voice",
        "cameras",
        "machine",
        "export",
        "x",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(SECTIONS, VALUES, max_size=6))
def test_no_structure_makes_anything_but_told_mistakes(folder: Path, content: dict[str, object]) -> None:
    import yaml

    (folder / "home.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    _, notes = read_home(folder / "home.yaml", drivers=DRIVERS)
    assert all(note.line >= 1 and note.accepted and note.found for note in notes.mistakes + notes.warnings)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(HOME)), st.integers(0, 12), st.text(max_size=6))
def test_no_slip_of_the_hand_makes_anything_but_told_mistakes(
    folder: Path, at: int, cut: int, typed: str
) -> None:
    text = HOME[:at] + typed + HOME[at + cut :]
    (folder / "home.yaml").write_text(text.encode("utf-8", "replace").decode(), encoding="utf-8")
    home, notes = read_home(folder / "home.yaml", drivers=DRIVERS)
    assert home is not None or notes.mistakes
    assert all(mistake.line >= 1 for mistake in notes.mistakes)


def test_a_password_in_a_cameras_address_is_never_shown(mistakes: Mistakes) -> None:
    text = HOME.replace("source: csi", 'source: "rtsp://admin:s3cret@192.168.1.30/h264"')
    (mistake,) = mistakes(text)
    assert (mistake.field, "s3cret" in str(mistake)) == ("cameras.hall.source", False)
    assert "password_file" in mistake.accepted


def test_a_resident_who_is_asked_and_has_no_button_is_a_warning(folder: Path) -> None:
    mute = HOME.replace("resident: {ok: bed_button.button, stop: no_button.button}", "")
    (folder / "home.yaml").write_text(mute)
    _, notes = read_home(folder / "home.yaml", drivers=DRIVERS)
    assert "video.night.ask" in [warning.field for warning in notes.warnings]
    assert notes.mistakes == []
    (folder / "home.yaml").write_text(HOME)
    _, notes = read_home(folder / "home.yaml", drivers=DRIVERS)
    assert "video.night.ask" not in [warning.field for warning in notes.warnings]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("views: [blurred, clear]", "views: [blurred, klar]", "'klar'"),
        ("views: [blurred, clear]", "views: [clear, blurred]", "[clear, blurred]"),
        ("cameras: [hall]", "cameras: [hall, [bed]]", "a list of 1"),
        ("cameras: [hall]", "cameras: hall", "'hall'"),
    ],
)
def test_the_word_of_a_list_that_is_wrong_is_named_where_it_stands(
    mistakes: Mistakes, before: str, after: str, found: str
) -> None:
    text = HOME.replace(before, after, 1)
    (mistake,) = mistakes(text)
    assert mistake.found == found
    shown = text.splitlines()[mistake.line - 1][mistake.column - 1 :]
    assert shown.startswith((found.strip("'"), "[bed]"))


def test_each_wrong_word_of_a_list_is_told(mistakes: Mistakes) -> None:
    found = mistakes(HOME.replace("views: [blurred, clear]", "views: [siluett, blurred, klar]"))
    assert [one.suggestion for one in found] == ["silhouette", "clear"]


def test_what_never_to_ask_means_is_told_to_who_says_no(mistakes: Mistakes) -> None:
    (mistake,) = mistakes(HOME.replace("ask: yes", "ask: no"))
    assert "never (nobody is asked" in mistake.accepted


def test_a_question_that_nobody_can_hear_or_read_is_a_warning(folder: Path) -> None:
    panel = "panel: {sink.water: {name: Diskbänken}, front_door.contact: }"
    deaf = HOME.replace('device: "plughw:CARD=Device,DEV=0"', "device: none")
    told = {HOME: 0, deaf: 0, HOME.replace(panel, ""): 0, deaf.replace(panel, ""): 1}
    told[deaf.replace(panel, "").replace("ask: yes", "ask: never")] = 0
    for text, times in told.items():
        (folder / "home.yaml").write_text(text, encoding="utf-8")
        _, notes = read_home(folder / "home.yaml", drivers=DRIVERS)
        assert notes.mistakes == []
        assert ["voice: {device: none}" in one.found for one in notes.warnings].count(True) == times
