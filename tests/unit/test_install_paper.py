"""What stands on the paper that is handed over, in its words and its order."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest

pytest.importorskip("fpdf", reason="the extra install is not installed")

from homenode.install.paper import paper
from homenode.install.report import contents
from homenode.install.steps import Installation
from tests.unit.installing import AT, HOME, devices, do, installation, status

STREAM = re.compile(rb"stream\n(x.*?)\nendstream", re.DOTALL)
LATER = """\
  lamp2: {driver: gpio, pin: 23, kind: light, room: kitchen}
  door2: {driver: gpio, pin: 24, kind: contact, room: hall}
"""


def on_paper(steps: Installation) -> str:
    report = contents(steps, "Nisse") | {"key": "9647 0e05", "link_certificate": ""}
    streams = STREAM.findall(paper(report, "sv"))
    return b"\n".join(map(zlib.decompress, streams)).decode("cp1252")


@pytest.fixture
def steps(tmp_path: Path) -> Installation:
    found = installation(tmp_path, HOME.replace("radios:", LATER + "radios:"))
    do(found, "walk")
    found.saw(status(mode="service"), devices())
    return found


def test_who_has_not_acknowledged_is_called_as_everywhere_else(steps: Installation) -> None:
    text = on_paper(steps)
    assert "hyresvärden har inte kvitterat något provlarm" in text
    assert "property" not in text


def test_what_was_seen_and_what_lacks_are_told_apart(steps: Installation) -> None:
    steps.heard({"point": "door2.contact", "value": True, "at": AT})
    steps.heard({"point": "sink.water", "value": True, "at": AT})
    do(steps, "tried", point="lamp2.light", works=False)
    text = on_paper(steps)
    assert "öppen; saknas: stängd" in text
    assert "vatten: utlöst" in text
    assert "ljus; gjorde ingenting när den provades" in text


def test_devices_stand_room_by_room(steps: Installation) -> None:
    text = on_paper(steps)
    names = [name for name in re.findall(r"\((\w+)\) Tj", text) if name in steps.home.devices]
    once = ["door", "lamp", "door2", "sink", "lamp2", "help"]
    assert [name for name in names if name in once][: 2 * len(once)] == once + once
