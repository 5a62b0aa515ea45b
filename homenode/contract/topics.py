"""Names of topics, ``hn1/<home>/<party>/…``."""

from __future__ import annotations

from homenode.config.model import PARTIES

VERSION = "hn1"


def root(home: str) -> str:
    """Everything of one home stands under it; also the ``source`` of its alerts."""
    return f"{VERSION}/{home}"


def alerts(home: str, party: str) -> str:
    """Each message of an alert for the party; QoS 1, not retained."""
    return f"{VERSION}/{home}/{party}/alerts"


def status(home: str, party: str) -> str:
    """What is open now for the party; QoS 1, retained."""
    return f"{VERSION}/{home}/{party}/status"


def reading(home: str, party: str, point: str) -> str:
    """A shared point's readings; QoS 1, retained unless historical."""
    device, _, kind = point.rpartition(".")
    return f"{VERSION}/{home}/{party}/readings/{device}/{kind}"


def command(home: str, party: str) -> str:
    """Requests from the party."""
    return f"{VERSION}/{home}/{party}/command"


def reply(home: str, party: str) -> str:
    """Answers to the party's requests."""
    return f"{VERSION}/{home}/{party}/reply"


def link(home: str) -> str:
    """Whether the node is online; the will and the heartbeat. Readable by every party."""
    return f"{VERSION}/{home}/link"


def party_of(home: str, topic: str) -> str:
    """On whose branch a topic is, "" if on nobody's."""
    own, _, rest = topic.partition(f"{root(home)}/")
    party = rest.partition("/")[0]
    return party if not own and party in PARTIES else ""


def party_and_point(home: str, topic: str) -> tuple[str, str]:
    """Whose topic of readings it is, and of which point; empty if it is none of this home."""
    party, readings, name = topic.removeprefix(f"{VERSION}/{home}/").partition("/readings/")
    return (party, name.replace("/", ".")) if readings and party in PARTIES else ("", "")


def commanding_party(home: str, topic: str) -> str:
    """The party whose command topic `topic` is; "" if it is none of this home."""
    for party in PARTIES:
        if topic == command(home, party):
            return party
    return ""
