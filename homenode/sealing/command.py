"""`homenode open`: what a node sent to a party with a key, in plain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from homenode.contract import sealed
from homenode.errors import Refused
from homenode.sealing.keys import read_private_key
from homenode.sealing.seals import opened

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey


def command(key_file: Path, lines: TextIO, out: TextIO, err: TextIO) -> int:
    """Opens each line: a message, or ``TOPIC MESSAGE`` as of ``mosquitto_sub -v``. Plain ones pass.

    Returns 1 if any could not be opened.
    """
    _, key = read_private_key(key_file)
    status = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            print(_plain(line.strip(), key), file=out, flush=True)
        except Refused as why:
            print(f"line {number}: {why}", file=err, flush=True)
            status = 1
    return status


def _plain(line: str, key: ECKey | OKPKey) -> str:
    topic, message = "", line
    if line[0] not in '{"' and " " in line:
        topic, _, message = line.partition(" ")
    try:
        body = json.loads(message) if message[:1] in ("{", '"') else message
    except (ValueError, RecursionError) as error:
        raise Refused(f"no JSON: {error}") from error
    text = sealed.jwe_of(body)
    if not text:
        return line
    meant, payload = opened(text, key)
    if topic and topic != meant:
        raise Refused(f"it was sent under {meant} and came under {topic}")
    return f"{topic} {payload.decode()}".lstrip()
