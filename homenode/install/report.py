"""The acceptance report of a walk test: JSON, a PDF of it, and a signature, kept in the node's folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from homenode import __version__
from homenode.install import signing
from homenode.install.home_file import replace
from homenode.install.known import kind_called, link_verdict, look
from homenode.install.steps import Installation
from homenode.install.walk import Line, Row
from homenode.journal.segment import sync_folder

FOLDER = "reports"
JSON, PDF, SIGNATURE, KEY = "report.json", "report.pdf", "report.sig", "key.pem"
VERSION = 1


def write_report(data: Path, steps: Installation, by: str) -> Path:
    """Write it; the folder it is in.

    Raises:
        SetupError: What makes the PDF or the signature is not installed.
        OSError: The disk takes nothing.
    """
    from homenode.install.paper import paper

    key = signing.own_key(data)
    found = contents(steps, by) | {"key": signing.fingerprint(key.public_key()), "link_certificate": ""}
    if linked := signing.link_signed(steps.home.broker, b""):  # before anything is written
        found["link_certificate"] = signing.certificate_print(linked[0])
    pdf = paper(found, steps.home.language)
    found["pdf"] = {"file": PDF, "sha256": hashlib.sha256(pdf).hexdigest()}
    text = (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode()
    (data / FOLDER).mkdir(mode=0o700, exist_ok=True)
    name, nth = str(found["at"])[:19].replace(":", ""), 1
    while (folder := data / FOLDER / (f"{name}-{nth}" if nth > 1 else name)).exists():
        nth += 1
    folder.mkdir(mode=0o700)
    files = {PDF: pdf, JSON: text, SIGNATURE: key.sign(text), KEY: signing.public_pem(key.public_key())}
    if linked := signing.link_signed(steps.home.broker, text):
        files |= {signing.LINK_CERTIFICATE: linked[0], signing.LINK_SIGNATURE: linked[1]}
    try:
        for file, content in files.items():
            replace(folder / file, content, 0o600)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)  # half a report is none
        raise
    sync_folder(data / FOLDER)
    return folder


def contents(steps: Installation, by: str) -> dict[str, Any]:
    """What the report says, as JSON types."""
    walk, status = steps.walk, steps.status
    assert walk is not None
    lacks = walk.lacks()
    return {
        "what": "homenode acceptance report",
        "version": VERSION,
        "home": steps.home.home,
        "begun": walk.begun,
        "at": str(status.get("at", "")),
        "clock": status.get("clock", ""),
        "by": by,
        "homenode": __version__,
        "accepted": not lacks,
        "lacks": [{"sort": sort, "name": name} for sort, name in lacks],
        "devices": [_device(steps, row) for row in walk.rows.values()],
        "rules": [_rule(line) for line in walk.lines.values()],
    }


def _device(steps: Installation, row: Row) -> dict[str, Any]:
    device = steps.home.devices[row.device]
    joined = steps.joined.get(row.device, {})
    lqi, _ = steps.links.get(row.device, (None, ""))
    return {
        "device": row.device,
        "room": row.room,
        "called": dict(look(row.kinds).called),
        "is": device.thing,
        "model": device.model,
        "address": joined.get("address", "") or _where(device.options),
        "passed": row.passed,
        "at": row.at,
        "checks": [
            {
                "kind": kind,
                "called": {language: kind_called(kind, language) for language in ("sv", "en")},
                "wants": list(check.wants),
                "seen": dict(check.seen),
                "passed": check.passed,
                **({"failed": check.failed} if check.failed else {}),
            }
            for kind, check in row.checks.items()
        ],
        "rules": list(row.rules),
        "link_quality": lqi,
        "link": link_verdict(lqi)[0] if "ieee" in device.options else "wired",
        "battery": next(
            (p["value"] for p in steps.status.get("points", ()) if p["point"] == f"{row.device}.battery"),
            None,
        ),
        "trouble": row.trouble,
        "remark": row.remark,
        "note": joined.get("note", ""),
    }


def _where(options: Any) -> str:
    return ", ".join(f"{name} {options[name]}" for name in ("ieee", "pin") if options.get(name) is not None)


def _rule(line: Line) -> dict[str, Any]:
    return {
        "rule": line.rule,
        "severity": line.severity,
        "at_once": line.at_once,
        "raised": line.raised,
        "passed": line.passed,
        "parties": {
            party: {
                "sent": told.sent,
                "test": told.test,
                "with_broker": told.with_broker,
                "acknowledged": told.acknowledged,
                "by": told.by,
            }
            for party, told in line.parties.items()
        },
    }
