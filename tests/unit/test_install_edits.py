"""Changes of home.yaml keep every byte that they are not about, or are refused."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.config.yaml12 import compose, plain
from homenode.errors import Refused
from homenode.install.edits import add_device, add_point, add_to_rule, set_fields, written

HOME = """\
# Flat 1203, second floor; the key hangs at the caretaker's.
home: flat-1203
timezone: Europe/Stockholm

devices:          # by room
  # hall
  front_door:  {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: hall}   # magnet on the left
  eye:
    via: zigbee
    ieee: "00:15:8d:00:02:aa:bb:02"   # replaced in March
    room: hall

# what they are for
rules:
  - use: water_leak
    bind:
      water: [sink.water]    # more to come
  - use: no_sign_of_life
    bind:
      life:
        - front_door.contact
        # the eye sees the cat
share: {}
"""
FIELDS = {"via": "zigbee", "ieee": "00:15:8d:00:02:aa:bb:09", "room": "kök"}


def changed_lines(old: str, new: str) -> list[str]:
    """Lines gone (-) and come (+)."""
    lines = difflib.ndiff(old.splitlines(keepends=True), new.splitlines(keepends=True))
    return [line for line in lines if line[0] in "+-"]


def test_a_new_device_is_one_line_more_behind_the_last_device() -> None:
    new = add_device(HOME, "water", FIELDS)
    line = '+   water: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:09", room: kök}\n'
    assert changed_lines(HOME, new) == [line]
    assert "    room: hall\n  water: " in new


def test_a_new_device_stands_in_the_column_of_the_one_before() -> None:
    home = "devices:\n    door:    {room: hall}\n"
    assert add_device(home, "eye", {"room": "hall"}).endswith("    eye:     {room: hall}\n")


@pytest.mark.parametrize(
    ("home", "new"),
    [
        ("home: a\n", "home: a\n\ndevices:\n  n: {room: hall}\n"),
        ("home: a", "home: a\n\ndevices:\n  n: {room: hall}\n"),
        ("devices:\nrules: []\n", "devices:\n  n: {room: hall}\nrules: []\n"),
        ("devices:   # none yet", "devices:   # none yet\n  n: {room: hall}\n"),
        ("devices: {}\n", "devices: {n: {room: hall}}\n"),
        ("devices: {a: {room: b,}, } # x\n", "devices: {a: {room: b,}, n: {room: hall}, } # x\n"),
        ("devices:\r\n  a: {room: b}\r\n", "devices:\r\n  a: {room: b}\r\n  n: {room: hall}\r\n"),
        ("devices:\n  a:\n    is: |\n      two\n      lines\n", None),
    ],
)
def test_a_new_device_fits_in_however_the_devices_are_written(home: str, new: str | None) -> None:
    found = add_device(home, "n", {"room": "hall"})
    assert found == (home + "  n: {room: hall}\n" if new is None else new)


def test_a_name_that_is_taken_is_refused_and_named() -> None:
    with pytest.raises(Refused, match="a device eye already"):
        add_device(HOME, "eye", FIELDS)


def test_new_hardware_changes_the_address_and_leaves_the_comment_behind_it() -> None:
    new = set_fields(HOME, "eye", {"ieee": "aa:bb"})
    assert changed_lines(HOME, new) == [
        '-     ieee: "00:15:8d:00:02:aa:bb:02"   # replaced in March\n',
        '+     ieee: "aa:bb"   # replaced in March\n',
    ]


def test_a_field_that_is_missing_is_added_in_the_way_of_its_device() -> None:
    new = set_fields(HOME, "eye", {"model": "IKEA of Sweden/X 1"})
    assert changed_lines(HOME, new) == ['+     model: "IKEA of Sweden/X 1"\n']
    new = set_fields(HOME, "front_door", {"model": "a/b"})
    assert '01", room: hall, model: "a/b"}   # magnet on the left\n' in new


def test_an_entry_that_two_devices_share_is_left_to_a_person() -> None:
    home = "devices:\n  a: &x {room: hall, ieee: aa}\n  b: *x\n"
    with pytest.raises(Refused, match="shared"):
        set_fields(home, "b", {"ieee": "bb"})
    with pytest.raises(Refused, match="can't be changed from here"):  # b would change with it
        set_fields(home, "a", {"ieee": "bb"})


def test_no_such_device_is_refused() -> None:
    with pytest.raises(Refused, match="no device bed"):
        set_fields(HOME, "bed", {"ieee": "bb"})


def test_a_point_is_added_to_a_list_in_brackets_or_of_lines() -> None:
    assert "water: [sink.water, bath.water]    # more to come\n" in add_point(HOME, 0, "water", "bath.water")
    new = add_point(HOME, 1, "life", "eye.motion")
    assert "        - front_door.contact\n        - eye.motion\n        # the eye sees the cat\n" in new


def test_a_role_that_is_bound_to_one_point_takes_no_second() -> None:
    home = "rules:\n  - {use: a, bind: {door: d.contact}}\n"
    with pytest.raises(Refused, match="not bound to a list"):
        add_point(home, 0, "door", "e.contact")
    with pytest.raises(Refused, match="no rule 2"):
        add_point(home, 1, "door", "e.contact")


def test_a_new_use_of_a_rule_stands_behind_the_others() -> None:
    new = add_to_rule(HOME, "smoke_alarm", {"smoke": ["hall.smoke"]})
    line = "+   - {use: smoke_alarm, bind: {smoke: [hall.smoke]}}\n"
    assert changed_lines(HOME, new) == [line]
    assert add_to_rule("home: a\n", "r", {"x": "d.water"}).endswith(
        "rules:\n  - {use: r, bind: {x: d.water}}\n"
    )


@given(st.text(max_size=40))
def test_whatever_text_is_written_is_read_as_that_text(text: str) -> None:
    line = f"a: {{b: {written(text)}, c: d}}\n"
    assert plain(compose(line, "x")) == {"a": {"b": text, "c": "d"}}


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
COMMENTS = st.sampled_from(["", "   # å", "  # {x: [", "\n  # between", "\n"])


@given(
    st.lists(st.tuples(NAMES, st.booleans(), COMMENTS), max_size=6, unique_by=lambda one: one[0]),
    NAMES,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "rules: []", "# the end", "\n\nshare: {}\n# bye"]),
)
def test_a_device_more_takes_no_byte_away(
    devices: list[tuple[str, bool, str]], name: str, newline: str, rest: str
) -> None:
    lines = ["home: a", "devices:"]
    for device, flow, comment in devices:
        body = f"{{room: hall, is: {device}}}" if flow else f"\n    room: hall\n    is: {device}"
        lines.append(f"  {device}: {body}{comment}")
    home = "\n".join([*lines, rest]).replace("\n", newline)
    if name in [device for device, _, _ in devices]:
        with pytest.raises(Refused):
            add_device(home, name, {"room": "hall"})
        return
    new = add_device(home, name, {"room": "hall"})
    gone = [line for line in changed_lines(home.rstrip("\r\n"), new.rstrip("\r\n")) if line[0] == "-"]
    assert all(line.rstrip("\r\n")[2:] in new.splitlines() for line in gone)  # but for its line end
    assert plain(compose(new, "x"))["devices"][name] == {"room": "hall"}  # type: ignore[index]  # a mapping
