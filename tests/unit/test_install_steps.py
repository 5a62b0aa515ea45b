"""What an installer wants becomes orders, or is refused in words he can act on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from homenode.errors import Refused
from homenode.install.report import contents
from homenode.install.steps import Installation, NotSure
from homenode.install.view import view
from homenode.install.wishes import orders
from tests.unit.installing import (
    AT,
    HOME,
    NEW,
    Ask,
    Report,
    Write,
    devices,
    do,
    installation,
    joined,
    status,
)


@pytest.fixture
def steps(tmp_path: Path) -> Installation:
    found = installation(tmp_path)
    found.saw(status(), devices(joined(NEW, "", "contact", "battery", "link_quality")))
    return found


def written(orders: Sequence[object], home: str = HOME) -> str:
    (order,) = orders
    assert isinstance(order, Write)
    return order.edit(home)


def test_a_new_device_is_shown_with_what_it_is_and_what_it_fits(steps: Installation) -> None:
    steps.rule_files = {name: rule for name, rule in steps.rule_files.items() if name != "tamper"}
    (seen,) = view(steps, "sv", 0)["arrivals"]
    assert (seen["picture"], seen["called"]) == ("contact", "dörr- eller fönsterkontakt")
    assert seen["names"]["hall"] == "hall_door"
    assert seen["ready"]
    assert seen["could"] == []  # door_left_open is used for another door, and takes only one


def test_until_it_was_asked_it_is_no_sensor_of_any_sort(steps: Installation) -> None:
    steps.saw(status(), devices(joined(NEW, note="being interviewed", model="")))
    (seen,) = view(steps, "en", 0)["arrivals"]
    assert (seen["picture"], seen["ready"], seen["could"]) == ("unknown", False, [])


def test_it_gets_its_name_and_room_and_says_its_model(steps: Installation) -> None:
    text = written(do(steps, "name", address=NEW, name="balcony_door", room="balcony"))
    line = f'  balcony_door: {{via: zigbee, ieee: "{NEW}", room: balcony, model: "IKEA/PARASOLL"}}\n'
    assert line in text


def test_without_a_name_it_gets_one_that_nobody_has(steps: Installation) -> None:
    assert "  hall_door: {via" in written(do(steps, "name", address=NEW, room="hall"))


def test_the_same_name_twice_is_refused_with_another_one_at_hand(steps: Installation) -> None:
    with pytest.raises(Refused, match=r"a door already, in hall.*such as hall_door"):
        do(steps, "name", address=NEW, name="door", room="hall")


def test_a_room_that_is_nearly_one_of_the_home_is_asked_about(steps: Installation) -> None:
    for room in ("Hall", "hal", "ktchen"):
        with pytest.raises(NotSure, match="another room"):
            do(steps, "name", address=NEW, room=room)
    assert "room: hal," in written(do(steps, "name", address=NEW, room="hal", sure=True))
    assert "room: bathroom" in written(do(steps, "name", address=NEW, room="bathroom"))


@pytest.mark.parametrize("fields", [{"room": ""}, {"room": 7}, {"room": "x" * 300}, {}])
def test_a_room_is_needed_and_a_text(steps: Installation, fields: dict[str, object]) -> None:
    with pytest.raises(Refused):
        do(steps, "name", address=NEW, **fields)


def test_a_device_that_has_gone_or_has_a_name_by_now_is_told(steps: Installation) -> None:
    steps.saw(status(), devices())
    with pytest.raises(Refused, match=f"address {NEW}"):
        do(steps, "name", address=NEW, room="hall")


@pytest.mark.parametrize("what", [None, 7, "", "erase", {}])
def test_a_wish_that_nobody_knows_is_refused(steps: Installation, what: object) -> None:
    with pytest.raises(Refused, match="known: open"):
        orders(steps, {"do": what}, 0, AT)


def test_the_installer_is_told_in_his_language(steps: Installation) -> None:
    with pytest.raises(Refused, match="finns redan, i hall"):
        orders(steps, {"do": "name", "address": NEW, "name": "door", "room": "hall"}, 0, AT, "sv")


def test_the_network_is_open_only_once_the_node_has_opened_it(steps: Installation) -> None:
    found = orders(steps, {"do": "open"}, 1000, AT)
    assert found[0] == Ask({"do": "pair", "for_s": 240.0})
    assert not view(steps, "en", 1000)["open"]  # the node may refuse
    do(steps, "open")
    assert view(steps, "en", 239_000)["open"]
    assert not view(steps, "en", 240_000)["open"]


def test_with_an_install_code_the_network_is_open_for_one_device(steps: Installation) -> None:
    only = {"install_code": "83FE D340", "ieee": NEW}
    (order,) = do(steps, "open", code=" 83FE  D340 ", ieee=NEW)
    assert isinstance(order, Ask)
    assert order.request == {"do": "pair", "for_s": 240.0, **only}
    assert "code" in order.unless
    assert view(steps, "en", 0)["open_code"]
    do(steps, "open")
    assert not view(steps, "en", 0)["open_code"]


def test_a_wrong_room_is_put_right_and_nothing_else_changes(steps: Installation) -> None:
    text = written(do(steps, "move", device="help", room="hall"))
    assert text == HOME.replace("room: bedroom", "room: hall")
    with pytest.raises(NotSure, match="Is Hal another room"):
        do(steps, "move", device="help", room="Hal")
    with pytest.raises(Refused, match="needs a room"):
        do(steps, "move", device="help", room=" ")


def test_a_usual_room_in_another_spelling_is_asked_about(steps: Installation) -> None:
    for room in ("kok", "Kök"):
        with pytest.raises(NotSure, match=f"{room} stavas oftast kök"):
            orders(steps, {"do": "name", "address": NEW, "room": room}, 0, AT, "sv")
    orders(steps, {"do": "name", "address": NEW, "room": "kök"}, 0, AT, "sv")


def test_a_room_stands_once_among_those_to_choose_from(tmp_path: Path) -> None:
    steps = installation(
        tmp_path, HOME.replace("room: hall", "room: Hall").replace("room: kitchen", "room: kok")
    )
    assert steps.rooms("sv") == [
        "Hall",
        "kok",
        "bedroom",
        "vardagsrum",
        "sovrum",
        "badrum",
        "toalett",
        "balkong",
    ]


def test_letters_that_a_name_does_not_take_are_told_with_one_that_it_takes(steps: Installation) -> None:
    with pytest.raises(Refused, match=r"utan å, ä, ö: ytterdorr_2 går bra"):
        orders(steps, {"do": "name", "address": NEW, "room": "hall", "name": "Ytterdörr 2"}, 0, AT, "sv")


def test_new_hardware_keeps_name_rules_and_room(steps: Installation) -> None:
    steps.saw(status(), devices(joined(NEW, "", "button", model="TRADFRI")))
    assert do(steps, "replace", device="help") == [Ask({"do": "pair", "for_s": 240.0})]
    assert view(steps, "en", 0)["replacing"] == "help"
    text = written(do(steps, "replace", device="help", address=NEW))
    assert f'  help:  {{via: zigbee, ieee: "{NEW}", room: bedroom, model: "IKEA/TRADFRI"}}\n' in text
    assert text.count("\n") == HOME.count("\n")


def test_which_rules_lose_what_they_read_is_told_before_anything_is_written(steps: Installation) -> None:
    with pytest.raises(NotSure, match=r"has contact.*lacks what rules read of help: button \(help_button\)"):
        do(steps, "replace", device="help", address=NEW)
    text = written(do(steps, "replace", device="help", address=NEW, sure=True))
    assert f'ieee: "{NEW}", room: bedroom, model: "IKEA/PARASOLL"' in text


def test_what_is_still_being_asked_replaces_nothing(steps: Installation) -> None:
    steps.saw(status(), devices(joined(NEW)))
    with pytest.raises(Refused, match="wait until it says what it is"):
        do(steps, "replace", device="help", address=NEW)


def test_another_model_is_told(tmp_path: Path) -> None:
    home = HOME.replace("room: bedroom}", 'room: bedroom, model: "IKEA/TRADFRI"}')
    steps = installation(tmp_path, home)
    steps.saw(status(), devices(joined(NEW, "", "button")))
    (order,) = do(steps, "replace", device="help", address=NEW)
    assert isinstance(order, Write)
    assert order.told == "help has new hardware of another model: IKEA/PARASOLL, formerly IKEA/TRADFRI"


TWO_RADIOS = HOME.replace("rules:\n", "  attic: {driver: zigbee, port: /dev/zero}\nrules:\n")


def test_of_several_radios_one_is_chosen_and_one_is_open_at_a_time(tmp_path: Path) -> None:
    steps = installation(tmp_path, TWO_RADIOS)
    assert do(steps, "close") == []
    for radio in ("", "cellar"):
        with pytest.raises(Refused, match="choose one of zigbee, attic"):
            do(steps, "open", radio=radio)
    attic = {"do": "pair", "for_s": 240.0, "radio": "attic"}
    assert do(steps, "open", radio="attic") == [Ask(attic)]
    assert do(steps, "open", radio="zigbee") == [
        Ask({**attic, "for_s": 0}),
        Ask({**attic, "radio": "zigbee"}),
    ]
    shown = view(steps, "en", 0)
    assert (shown["radios"], shown["open_radio"], shown["open"]) == (["zigbee", "attic"], "zigbee", True)
    assert do(steps, "close") == [Ask({**attic, "radio": "zigbee", "for_s": 0})]


def test_a_device_is_written_with_the_radio_that_heard_it(tmp_path: Path) -> None:
    steps = installation(tmp_path, TWO_RADIOS)
    steps.saw(status(), devices(joined(NEW, "", "button", radio="attic")))
    (order,) = do(steps, "name", address=NEW, room="hall")
    assert isinstance(order, Write)
    assert f'hall_button: {{via: attic, ieee: "{NEW}"' in order.edit(TWO_RADIOS)
    assert do(steps, "replace", device="help") == [Ask({"do": "pair", "for_s": 240.0, "radio": "zigbee"})]
    (order,) = do(steps, "replace", device="help", address=NEW)
    assert isinstance(order, Write)
    assert f'help:  {{via: attic, ieee: "{NEW}"' in order.edit(TWO_RADIOS)
    steps.saw(status(), devices(joined(NEW, "", "button", radio="hub")))
    with pytest.raises(Refused, match=f"write {NEW} into home.yaml by hand"):
        do(steps, "name", address=NEW, room="hall")


def test_a_note_of_a_driver_is_in_the_installers_language_where_it_has_it(steps: Installation) -> None:
    steps.saw(status(), devices(joined(NEW, note="asked", note_in={"sv": "tillfrågas"})))
    assert view(steps, "sv", 0)["arrivals"][0]["note"] == "tillfrågas"
    steps.saw(status(), devices(joined(NEW, note="asked")))
    assert view(steps, "sv", 0)["arrivals"][0]["note"] == "asked"


def test_a_remark_stays_with_its_device_and_is_taken_back_by_nothing(steps: Installation) -> None:
    do(steps, "walk")
    do(steps, "remark", device="help", text="hänger högt ")
    assert [row["remark"] for row in view(steps, "sv", 0)["walk"]["rows"]][-1] == "hänger högt"
    assert contents(steps, "Nisse")["devices"][-1]["remark"] == "hänger högt"
    do(steps, "remark", device="help", text="")
    assert contents(steps, "Nisse")["devices"][-1]["remark"] == ""


def test_a_wired_device_is_replaced_on_its_wires(steps: Installation) -> None:
    with pytest.raises(Refused, match=r"wired \(gpio\)"):
        do(steps, "replace", device="door")
    with pytest.raises(Refused, match="Did you mean door"):
        do(steps, "replace", device="dor")


def test_a_device_is_added_to_a_rule_that_takes_one_more(steps: Installation, tmp_path: Path) -> None:
    home = HOME.replace("  lamp:  {", "  bath:  {driver: gpio, pin: 4, kind: water, room: bath}\n  lamp:  {")
    steps = installation(tmp_path, home)
    assert [fit.rule for fit in steps.fits("bath")] == ["water_leak"]
    text = written(do(steps, "use", device="bath", rule="water_leak"), home)
    assert "water: [sink.water, bath.water], lamp" in text
    with pytest.raises(Refused, match="help_button has no place for bath"):
        do(steps, "use", device="bath", rule="help_button")


def test_a_rule_that_nobody_uses_yet_is_added(steps: Installation, tmp_path: Path) -> None:
    home = HOME.replace("  lamp:  {", "  fire:  {driver: gpio, pin: 4, kind: smoke, room: hall}\n  lamp:  {")
    steps = installation(tmp_path, home)
    text = written(do(steps, "use", device="fire", rule="smoke_alarm"), home)
    assert "  - {use: smoke_alarm, bind: {smoke: [fire.smoke]}}\nshare" in text


def test_where_a_device_is_held_only_what_is_heard_there_counts(steps: Installation) -> None:
    steps.heard({"point": "help.link_quality", "value": 30, "at": AT})
    do(steps, "place", device="help")
    for value in (210, 130):
        steps.heard({"point": "help.link_quality", "value": value, "at": AT})
    steps.heard({"point": "help.button", "value": True, "at": AT})
    held = steps.placing["help"]
    assert (held.last, held.weakest, held.frames) == (130, 130, 1)
    shown = next(one for one in view(steps, "en", 0)["devices"] if one["name"] == "help")
    assert shown["link"]["verdict"] == "fair"
    do(steps, "placed", device="help")
    assert not steps.placing


def test_what_a_device_without_a_name_says_is_shown_and_used_by_nothing(steps: Installation) -> None:
    do(steps, "walk")
    steps.heard({"noticed": NEW, "kind": "contact", "value": True, "at": AT})
    steps.heard({"noticed": NEW, "kind": "link_quality", "value": 90, "at": AT})
    (seen,) = view(steps, "en", 0)["arrivals"]
    assert seen["signs"] == ["open 10:00:00"]
    assert seen["lqi"] == 90
    assert steps.walk is not None
    assert not any(row.passed for row in steps.walk.rows.values())


def test_an_open_alert_keeps_the_test_from_ending_in_earnest(steps: Installation) -> None:
    do(steps, "walk")
    steps.saw(
        status(mode="service", alerts=[{"alert": "w:1", "rule": "water_leak", "acknowledged": False}]), []
    )
    for what in ("pause", "finish"):
        with pytest.raises(NotSure, match="water_leak is still open"):
            do(steps, what, by="Nisse")
    found = do(steps, "finish", by="Nisse", sure=True)
    assert found == [Report("Nisse"), Ask({"do": "mode", "mode": "home"})]
    assert steps.walk is not None
    assert not steps.walk.active


def test_a_report_needs_a_name_and_a_walk(steps: Installation) -> None:
    with pytest.raises(Refused, match="No walk test"):
        do(steps, "finish", by="Nisse")
    do(steps, "walk")
    with pytest.raises(Refused, match="your name"):
        do(steps, "finish", by="  ")


def test_a_node_that_is_gone_is_told_and_comes_back(steps: Installation) -> None:
    steps.lost("no node is running on this folder")
    (told,) = view(steps, "en", 0)["node"]["troubles"]
    assert "no node" in told
    steps.saw(status(drivers={"zigbee": "lost: the stick is gone"}), devices())
    shown = view(steps, "en", 0)["node"]
    assert shown["troubles"] == ["The radio is gone: zigbee: lost: the stick is gone"]


def test_a_file_with_mistakes_is_told_until_it_is_read_well(steps: Installation) -> None:
    steps.unread("home.yaml has mistakes now: devices.door.rom")
    steps.saw(status(), devices())
    (told,) = view(steps, "en", 0)["node"]["troubles"]
    assert "rom" in told
    steps.reread(steps.home, steps.rules)
    assert view(steps, "en", 0)["node"]["troubles"] == []


def test_a_device_that_has_just_got_its_name_is_no_longer_new(steps: Installation) -> None:
    steps.saw(status(), [joined("00:15:8d:00:02:aa:bb:01", "", "button")])  # its driver starts anew
    assert view(steps, "en", 0)["arrivals"] == []
    assert steps.joined["help"]["kinds"] == ["button"]


def test_nothing_new_is_no_new_revision(steps: Installation) -> None:
    before = steps.revision
    steps.saw(status(), devices(joined(NEW, "", "contact", "battery", "link_quality")))
    assert steps.revision == before
    steps.saw(status(), devices())
    assert steps.revision == before + 1


def test_a_clock_that_was_set_is_a_change_that_somebody_sees(steps: Installation) -> None:
    steps.saw(status(clock="not set"), steps.devices)
    before = steps.revision
    steps.saw(status(clock="not set"), steps.devices)
    assert steps.revision == before
    steps.saw(status(), steps.devices)
    assert steps.revision > before
