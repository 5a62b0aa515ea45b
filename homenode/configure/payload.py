"""What is signed: a configuration with its home and number, as JSON (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from homenode.config.model import HOME_ID
from homenode.contract.plain_json import read_json
from homenode.contract.times import wall_ms
from homenode.errors import Refused

TYPE = "hn1-configuration+jws"
"""`typ` of each signature: what is signed for anything else is no configuration, nor the other way round."""
HOME_YAML = "home.yaml"
LINK = "configured"
"""Link beside home.yaml to the signed configuration that counts (`homenode.configure.place`)."""
TRUST = "trust"
"""Folder beside home.yaml: who is trusted, PARTY.pem each."""
FILE = r"home\.yaml|rules/[a-z0-9_-]{1,64}\.yaml"
"""No path leaves the folder, and no key, certificate or program comes by a configuration."""
LONGEST = 60_000
"""Characters of the JWS; a command has at most 65,536 bytes. Some 44 kB of files."""
MOST_FILES = 200
HIGHEST = 2**53 - 1
"""Whole numbers up to here are the same in every reader of JSON (RFC 8259, 6)."""
_FIELDS = ("home", "number", "files", "at", "by")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Attributes:
    home: Id of the home it is for.
    number: Grows with each.
    files: ``home.yaml``, and ``rules/NAME.yaml`` for each rule of its own, to its text.
    at: When it was made, RFC 3339.
    by: The person who made it.
    """

    home: str
    number: int
    files: Mapping[str, str]
    at: str
    by: str

    def encode(self) -> bytes:
        """The payload; `decode` gives the same again."""
        body = {name: getattr(self, name) for name in _FIELDS}
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def decode(payload: bytes) -> Configuration:
    """What was signed.

    Raises:
        Refused: It is no configuration, or has files that none may bring.
    """
    try:
        body = read_json(payload)
    except (ValueError, RecursionError) as error:
        raise Refused(f"what was signed is no JSON: {error}") from error
    if not isinstance(body, dict) or sorted(body) != sorted(_FIELDS):
        raise Refused("what was signed is no configuration", do=f"an object with {', '.join(_FIELDS)}")
    home, number, files, at, by = (body[name] for name in _FIELDS)
    if not isinstance(home, str) or not re.fullmatch(HOME_ID, home):
        raise Refused("the configuration's home is no id of a home")
    if type(number) is not int or not 1 <= number <= HIGHEST:
        raise Refused("the configuration's number is no whole number from 1 on")
    if not isinstance(by, str) or not 1 <= len(by) <= 120 or not by.isprintable():
        raise Refused("the configuration's by must name who made it, in 1 to 120 characters")
    try:
        wall_ms(at)
    except (TypeError, ValueError, OverflowError) as error:
        raise Refused("the configuration's at is no time like 2026-01-05T06:12:03.250+01:00") from error
    _checked(files)
    return Configuration(home, number, dict(files), at, by)


def _checked(files: object) -> None:
    if not isinstance(files, dict) or HOME_YAML not in files:
        raise Refused(f"the configuration has no {HOME_YAML}")
    if len(files) > MOST_FILES:
        raise Refused(f"the configuration has {len(files)} files", do=f"at most {MOST_FILES}")
    for name, text in files.items():
        if not re.fullmatch(FILE, name):
            do = "home.yaml and rules/NAME.yaml; keys and certificates are the node's own"
            raise Refused(f"no configuration brings {name[:80]!r}", do=do)
        if not isinstance(text, str) or "\0" in text:
            raise Refused(f"{name} is no text")
