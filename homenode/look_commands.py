"""`homenode video`: who looks through the cameras, who did, and no to it, at the node."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homenode.gateway.ask import answer, table
from homenode.journal.report import entries_of
from homenode.session.log import wrongs
from homenode.session.words import WHYS

WORDS = {
    "status": "who looks, or asks to (default)",
    "log": "who looked, who was refused, when and why",
    "yes": "let whoever asks look",
    "no": "don't",
    "stop": "end every look",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of `homenode video`."""
    told = "; ".join(f"{word}: {text}" for word, text in WORDS.items())
    parser.add_argument("what", nargs="?", default="status", choices=WORDS, help=told)
    parser.add_argument("--json", action="store_true", help="each entry of the log on a line, with its hash")


def run(args: argparse.Namespace, data: Path) -> int:
    """Returns the exit status: 1 if the log was tampered with."""
    match args.what:
        case "log":
            return _log(data, as_json=args.json)
        case "status":
            _status(answer(data, {"do": "looks"})["sessions"])
        case "stop":
            print(answer(data, {"do": "stop_looks"}))
        case word:
            print(answer(data, {"do": "answer_look", "to": word}))
    return 0


def _status(sessions: list[Mapping[str, Any]]) -> None:
    if not sessions:
        print("nobody looks")
    for one in sessions:
        says = f" ({one['warning']})" if one["warning"] else ""
        print(f"{one['state']}: {one['room']}, {one['view']}{says}, until {one['until']}")
        print(f"  {one['by']}: {one['reason']}")


def _log(data: Path, *, as_json: bool) -> int:
    entries, heads = entries_of(data)
    if as_json:
        for entry in entries:
            print(json.dumps(entry, ensure_ascii=False))
    else:
        rows = [
            _row(entry) for entry in entries if entry["event"] in ("refused", "asked", "granted", "ended")
        ]
        print(table(rows, ["WHEN", "WHAT", "CAMERA", "VIEW", "WHO", "WHY"]))
    found = wrongs(entries, heads)
    for wrong in found:
        print(f"the log can't be believed: {wrong}", file=sys.stderr)
    return 1 if found else 0


def _row(entry: Mapping[str, Any]) -> list[str]:
    what = str(entry["event"])
    if what == "refused":
        what = f"refused: {entry['text']}"
    elif what == "ended":
        seen = f"seen from {entry['from'][11:19]}" if entry["from"] else "nothing was seen"
        what = f"ended, {seen}: {WHYS.get(entry['why'], entry['why'])}"
    return [
        entry["at"][:19].replace("T", " "),
        what,
        entry["camera"],
        entry["view"],
        entry["by"],
        entry["reason"],
    ]
