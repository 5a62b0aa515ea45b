"""What a model has to be told before it says anything: its maker's own attributes, as a row has them (pure).

``write TYPE VALUE [by MAKER]`` sets one, ``report TYPE [by MAKER]`` has it reported when it changes and each
hour. Clauses are those of ZCL revision 8.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.zigbee.zcl import MANUFACTURER_SPECIFIC, NO_DEFAULT_RESPONSE

_WRITE, _CONFIGURE = 0x02, 0x06
"""General commands (2.5.3, 2.5.7)."""
_TYPES = {"bool": (0x10, 1), "uint8": (0x20, 1), "uint16": (0x21, 2), "enum8": (0x30, 1)}
"""Identifier and bytes (2.6.2)."""
_ANALOG = frozenset({"uint8", "uint16"})
"""Only of these a least change is told (2.5.7.1.7)."""
_HOUR_S = 3600
_ASK = re.compile(
    rf"(?:write (?P<type>{'|'.join(_TYPES)}) (?P<value>\d+)|report (?P<told>{'|'.join(_TYPES)}))"
    r"(?: by (?P<maker>[0-9a-f]{4}))?"
)
ASKS_TOLD = f"write TYPE VALUE [by MAKER], or report TYPE [by MAKER]; TYPE is one of {', '.join(_TYPES)}"


class Ask(NamedTuple):
    """A frame to a device, but for its number.

    Attributes:
        maker: Manufacturer code of whose attribute it is; None for the standard's.
    """

    endpoint: int
    cluster: int
    maker: int | None
    command: int
    body: bytes

    def frame(self, sequence: int) -> bytes:
        """As it goes out."""
        if self.maker is None:
            return bytes((NO_DEFAULT_RESPONSE, sequence, self.command)) + self.body
        head = bytes((NO_DEFAULT_RESPONSE | MANUFACTURER_SPECIFIC, *self.maker.to_bytes(2, "little")))
        return head + bytes((sequence, self.command)) + self.body


def ask_of(endpoint: int, cluster: int, attribute: int, text: str) -> Ask | None:
    """What a row's words mean; None if they mean nothing."""
    words = _ASK.fullmatch(text)
    if words is None:
        return None
    name = words["type"] or words["told"]
    kind, size = _TYPES[name]
    maker = int(words["maker"], 16) if words["maker"] else None
    where = attribute.to_bytes(2, "little")
    if words["value"] is not None:
        if int(words["value"]) >> 8 * size:
            return None
        body = where + bytes((kind,)) + int(words["value"]).to_bytes(size, "little")
        return Ask(endpoint, cluster, maker, _WRITE, body)
    change = (1).to_bytes(size, "little") if name in _ANALOG else b""
    body = b"\0" + where + bytes((kind, 0, 0)) + _HOUR_S.to_bytes(2, "little") + change
    return Ask(endpoint, cluster, maker, _CONFIGURE, body)
