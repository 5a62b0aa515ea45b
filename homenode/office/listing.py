"""`homenode office list`: what an operator looks at."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Set
from typing import Any

from cryptography import x509

from homenode.enrol.steps import short
from homenode.errors import Refused
from homenode.gateway.clock import Clock
from homenode.journal.wall_time import text_of
from homenode.office.authority import Authority
from homenode.office.decide import Box, State
from homenode.office.emptying import why_not
from homenode.office.homes import FOLDER, Homes
from homenode.office.settings import Settings
from homenode.office.store import Store

_NEW = (State.EXPECTED.value, State.ASKING.value)
"""Boxes that have no home on them yet."""
CUT_OFF = "cut off"
"""In place of the state: the authority of its certificate counts no more."""
EXPIRED = "expired"
"""Likewise: the certificate, or the code, has ended."""
MOST_SHOWN = 50
"""Reports."""


def listed(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    """Boxes, unused codes, parties, homes without a box or to be emptied, reports; exit status."""
    ours = {one.subject for one in Authority(settings.folder).roots()}
    now = Clock().wall()
    boxes = [_row(box, store, ours, now) for box in store.boxes()]
    homes = Homes(settings.folder / FOLDER)
    without = [home for home in homes.names() if store.box_of(home) is None]
    waited = {row["home"] for row in boxes if row["home"] and row["state"] in _NEW}
    found = {
        "boxes": boxes,
        "codes": [
            {"serial": one.serial, "home": one.home, "until": text_of(one.until_ms),
             "state": EXPIRED if one.until_ms <= now else "unused"} for one in store.codes(0)
        ],
        "homes_without_box": without,
        "homes_lacking": {home: why for home in sorted({*without, *waited}) if (why := homes.lacks(home))},
        "emptyings": [
            {"home": one.home, "broker": one.url, "since": text_of(one.since_ms),
             "why": why_not(store, one) or one.why}
            for one in store.emptyings()
        ],
        "parties": [_party(name, store, ours, now) for name in store.parties(0)],
        "reports": [
            {"number": one.number, "at": text_of(one.at_ms), "serial": one.serial, "home": one.home,
             "what": one.what, "text": one.text} for one in store.reports()
        ],
    }  # fmt: skip
    print(json.dumps(found, ensure_ascii=False) if args.json else "\n".join(_lines(found)))
    return 0


def seen(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    """Reports that somebody has looked at are cleared; exit status. Raises Refused: there is none."""
    number = store.clear_reports(args.number)
    if not number:
        raise Refused(f"no report has the number {args.number} or a lower one", do="homenode office list")
    print(f"{number} report(s) cleared")
    return 0


def _row(box: Box, store: Store, ours: Set[x509.Name], now_ms: int) -> dict[str, Any]:
    ended, until = _certificate(box.serial, store, ours, now_ms)
    return {
        "serial": box.serial,
        "state": (ended if box.state is State.ENROLLED else "") or box.state.value,
        "home": box.home,
        "seen": text_of(box.seen_ms) if box.seen_ms else None,
        "not_after": until,
        "asks_with": short(box.to_approve) if box.to_approve else None,
        "waits_for_home": box.waits_for_home,
        "has_to_erase": box.has_to_erase,
    }


def _party(name: str, store: Store, ours: Set[x509.Name], now_ms: int) -> dict[str, Any]:
    ended, until = _certificate(name, store, ours, now_ms)
    return {"name": name, "state": ended or "certified", "not_after": until}


def _certificate(name: str, store: Store, ours: Set[x509.Name], now_ms: int) -> tuple[str, str | None]:
    """Why the newest one counts no more, "" if it does, and until when it does, or did."""
    newest = store.newest(name)
    if newest is None or x509.load_der_x509_certificate(newest[1]).issuer not in ours:
        return CUT_OFF, None
    return EXPIRED if newest[0] <= now_ms else "", text_of(newest[0])


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    for row in found["boxes"]:
        asks = f"  asks to be approved: {row['asks_with']}" if row["asks_with"] else ""
        asks += "  waits for a home" if row["waits_for_home"] else ""
        asks += "  has to erase it yet" if row["has_to_erase"] else ""
        yield (
            f"{row['serial']:<34} {row['state']:<9} {row['home'] or '-':<20} seen {row['seen'] or 'never'}  "
            f"certificate to {row['not_after'] or '-'}{asks}"
        )
    for row in found["codes"]:
        what = f"{row['state']}, to {row['until']}"
        yield f"{row['serial'] or '-':<34} {'code':<9} {row['home'] or '-':<20} {what}"
    for home in found["homes_without_box"]:
        yield f"{'-':<34} {'-':<9} {home:<20} has no box"
    yield from found["homes_lacking"].values()
    for row in found["emptyings"]:
        why = f"not yet, as {row['why']}" if row["why"] else "not yet"
        yield f"{row['broker'] or '-':<34} {'to empty':<9} {row['home']:<20} since {row['since']}, {why}"
    for row in found["parties"]:
        yield f"{row['name']:<34} {row['state']:<9} {'-':<20} certificate to {row['not_after'] or '-'}"
    reports = found["reports"]
    for one in reports[:MOST_SHOWN]:
        text = one["text"].replace("\n", "\n    ")
        yield f"{one['at']}  {one['serial'] or '-'}  {one['home'] or '-'}  {one['what']}: {text}"
    if more := len(reports[MOST_SHOWN:]):
        yield f"and {more} older report(s): homenode office list --json"
    if reports:
        last = max(one["number"] for one in reports)
        yield f"homenode office seen {last} clears them, older ones, too; none that comes later"
