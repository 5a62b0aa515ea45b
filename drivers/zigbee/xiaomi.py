"""What Xiaomi and Aqara devices say in attributes of their own: many values in one (pure).

Source: zha-quirks 2.3.0 xiaomi/__init__.py. A value in it is addressed by a fourth number:
ENDPOINT/0000/ff01/TAG, ENDPOINT/fcc0/00f7/TAG, ENDPOINT/0000/ff02/PLACE.
"""

from __future__ import annotations

from collections.abc import Iterator

from drivers.zigbee.zcl import AttributeValue, Malformed, reports, value_of

BASIC, AQARA = 0x0000, 0xFCC0
CLUSTERS = frozenset({BASIC, AQARA})
TAGGED = frozenset({(BASIC, 0xFF01), (AQARA, 0x00F7)})
"""Strings of tag, type, value; tag 1 is the battery in mV, 100 and above depend on the model."""
LISTED = (BASIC, 0xFF02)
"""A structure; its second value is the battery in mV."""
_STRINGS = frozenset({0x41, 0x42})
_WRONG_BY = (0, -1, 1, -3)
"""The length of such a string is wrong on some firmware, by so much."""


def values(cluster: int, body: bytes) -> list[tuple[int, int | None, AttributeValue]]:
    """(attribute, tag or None, value) of what a report says. Raises Malformed."""
    found: list[tuple[int, int | None, AttributeValue]] = []
    for attribute, value in _reports(cluster, body):
        if (cluster, attribute) in TAGGED and isinstance(value, bytes):
            found += ((attribute, tag, one) for tag, one in _tagged(value))
        elif (cluster, attribute) == LISTED and isinstance(value, tuple):
            found += ((attribute, place, one) for place, one in enumerate(value))
        else:
            found.append((attribute, None, value))
    return found


def _reports(cluster: int, body: bytes) -> list[tuple[int, AttributeValue]]:
    try:
        found = reports(body)
    except Malformed:
        found = []
    if found and all(_sound(cluster, *one) for one in found):
        return found
    attribute = int.from_bytes(body[:2], "little")
    if (cluster, attribute) in TAGGED and len(body) > 4 and body[2] in _STRINGS:
        for wrong in _WRONG_BY:
            value, rest = body[4 : 4 + body[3] + wrong], body[4 + body[3] + wrong :]
            if value and len(value) == body[3] + wrong and _sound(cluster, attribute, value):
                return [(attribute, value), *(_reports(cluster, rest) if rest else ())]
    return reports(body)


def _sound(cluster: int, attribute: int, value: AttributeValue) -> bool:
    if (cluster, attribute) not in TAGGED or not isinstance(value, bytes):
        return True
    try:
        list(_tagged(value))
    except Malformed:
        return False
    return True


def _tagged(value: bytes) -> Iterator[tuple[int, AttributeValue]]:
    at = 0
    while value[at:].strip(b"\0"):  # some end with a null byte too many
        if at + 2 > len(value):
            raise Malformed("a tag without a value")
        one, end = value_of(value[at + 1], value, at + 2)
        yield value[at], one
        at = end
