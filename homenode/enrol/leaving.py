"""A tenancy ends by the office's order: what is of it is erased, and the proof goes to the office.

What is to be done stands in a file, so that a power cut at any moment is gone on from.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Sequence
from typing import Any

from homenode.config.load import read_home
from homenode.config.registry import driver_types
from homenode.configure.payload import LINK, TRUST
from homenode.configure.place import KEPT, remove
from homenode.enrol.client import Office
from homenode.enrol.places import Places
from homenode.enrol.proof import signed
from homenode.enrol.radios import SENT
from homenode.enrol.state import read
from homenode.enrol.steps import Outcome, State, Why
from homenode.errors import HomenodeError
from homenode.install.home_file import replace
from homenode.journal.erase import PLAN, erase, to_empty
from homenode.journal.segment import sync_folder
from homenode.journal.wall_time import text_of

STOPS_S = 15
"""Until the gateway has let go of its journal (homenode-leave.service)."""
_FOLDERS = ("former", "reports")
"""In the data folder: what the home was, and what was written of it."""
_UPDATE = ("update/order.json", "update/state.json")
"""There: whose home was to be updated, by whom; the updater forgets its own when the order is gone."""
_STAY = ("lock", "report.key")
"""Files there that are the box's own; all others are the tenancy's, such as who may use the panel."""
MOST_TOPICS = 24_000
"""Characters of them that a proof has room for: an office takes 64 KiB; of more it knows by home.yaml."""
_BESIDE = ("rules", TRUST, LINK, KEPT)
"""Of home.yaml."""


def order(places: Places, home: str, serial: str) -> None:
    """The office wants it; durable. Raises OSError."""
    if not places.erase.exists():
        said = {"home": home, "serial": serial}
        replace(places.erase, json.dumps(said).encode(), 0o640)


def carry_out(places: Places, now_ms: int) -> str:
    """Erase; the proof. Nothing is done twice.

    Raises:
        HomenodeError: It can't be done, such as while the node runs.
        OSError: The disk doesn't let go of it.
    """
    said = read(places.erase)
    if "proof" in said:
        return str(said["proof"])
    data = places.data
    if "lines" not in said:  # else the journal that is there by now tells of nothing but that
        home, _ = read_home(places.home, files=False)
        urls = home.broker.urls if home is not None and home.broker is not None else ()
        out, left, topics = io.StringIO(), 0, list[str]()
        if any((data / "journal").glob("*")) or (data / PLAN).exists():
            forgets = [kind.forget for kind in driver_types().values()]
            left = erase(data, forgets, now_ms, sure=True, out=out)
            topics = _some(to_empty(data))
        said |= {"lines": out.getvalue(), "left": left, "brokers": urls, "topics": topics}
        replace(places.erase, json.dumps(said).encode(), 0o640)
    places.home.unlink(missing_ok=True)
    files = (path for path in data.iterdir() if not path.is_dir() and path.name not in _STAY)
    of_data = (*files, *(data / name for name in (*_FOLDERS, *_UPDATE)), places.provision)
    half = [path for name in (*_BESIDE, places.home.name) for path in places.config.glob(f".{name}.*")]
    half += places.folder.glob(f".{places.provision.name}.*")  # written when the power went
    for path in (*(places.config / name for name in _BESIDE), *of_data, *half):
        remove(path)
    office = read(places.office)
    if office.pop("home", None) is not None:  # which office it is tells nothing of who lived there
        replace(places.office, json.dumps(office).encode(), 0o640)
    for folder in (places.config, data, places.folder):
        sync_folder(folder)
    proof: dict[str, Any] = {
        "home": said.get("home", ""), "serial": said.get("serial", ""), "at": text_of(now_ms),
        "left": said["left"], "journal": said["lines"].splitlines(),
        "brokers": said.get("brokers", []), "topics": said.get("topics", []),
    }  # fmt: skip
    text = signed(proof, places.key.read_bytes())
    replace(places.erase, json.dumps({**said, "proof": text}).encode(), 0o640)
    return text


def _some(topics: Sequence[str]) -> list[str]:
    """As many as a proof has room for."""
    ends = itertools.accumulate(len(json.dumps(topic)) + 2 for topic in topics)
    return [topic for topic, end in zip(topics, ends, strict=True) if end <= MOST_TOPICS]


def bring(places: Places, office: Office) -> Outcome:
    """The proof to the office; when it has it, the key goes, too. Raises Refused, OSError."""
    answer = office.told("erased", "the tenancy is erased", proof=read(places.erase)["proof"])
    # 403: it has the proof, as the answer was lost, or it waits for none any more
    if answer.status not in (200, 403):
        return Outcome(State.FAILED, Why("not_erased", {"text": answer.text}), again_s=answer.again_s or 3600)
    replace(places.erase, json.dumps({"delivered": True}).encode(), 0o640)
    forget(places)
    return Outcome(State.WAITING, Why("left"), again_s=3600)


def forget(places: Places) -> None:
    """When the proof was delivered, the box is nobody's: key and certificate go. Raises OSError."""
    if read(places.erase).get("delivered") is not True:
        return
    half = places.config.glob(f".{places.key.name}.*")
    for path in (places.certificate, places.key, places.turn, *half):
        path.unlink(missing_ok=True)
    sync_folder(places.config)
    end(places)


def end(places: Places) -> None:
    """All is erased, and nobody waits for a proof of it: the node may run again. Raises OSError."""
    if places.erase.exists():
        (places.folder / SENT).unlink(missing_ok=True)
        places.erase.unlink()
        sync_folder(places.folder)


def begun(places: Places, now_ms: int) -> Outcome | None:
    """Erase, for which it takes no office; None if nothing is left to erase."""
    try:
        carry_out(places, now_ms)
    except (HomenodeError, OSError) as error:
        text = f"{type(error).__name__}: {error}"[:300]
        return Outcome(State.FAILED, Why("not_erased", {"text": text}), again_s=STOPS_S)
    return None
