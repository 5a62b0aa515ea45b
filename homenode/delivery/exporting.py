"""What other systems are told of the points that are shared, so that they show them (opt-in, ``export``)."""

from __future__ import annotations

from collections.abc import Iterator

from homenode import __version__
from homenode.config.model import NEVER, PARTIES, Home
from homenode.contract import discovery
from homenode.delivery.sharing import names
from homenode.home import HomeState
from homenode.kinds import kind_of


def discoveries(home: Home, state: HomeState) -> dict[str, bytes]:
    """Topic to message, for each point that a party gets readings of; none if home.yaml exports nothing.

    Of a party with a key neither: what it gets only it can read.

    Args:
        home: As configured.
        state: What was heard, and how long it may be silent: a radio's device has the points it has told.
    """
    prefix = home.exports.get(discovery.NAME)
    if prefix is None:
        return {}
    told: dict[str, bytes] = {}
    for party in PARTIES:
        for point in _points(home, state):
            if party not in home.keys and names(home.share, party, point):
                device = home.devices[point.partition(".")[0]]
                told[discovery.topic(prefix, party, home.home, point)] = discovery.payload(
                    home.home,
                    party,
                    point,
                    language=home.language,
                    room=device.room,
                    model=device.model,
                    stale_after_s=_stale_after_s(state, point),
                    version=__version__,
                )
    return told


def _points(home: Home, state: HomeState) -> Iterator[str]:
    for device in home.devices.values():
        known = [f"{device.name}.{kind}" for kind in device.kinds or ()]
        heard = state.devices[device.name].points if device.name in state.devices else ()
        for point in dict.fromkeys([*known, *(one.name for one in heard if one.read)]):
            if kind_of(point) is not None:
                yield point


def _stale_after_s(state: HomeState, point: str) -> int:
    """Whole seconds after which a silent point can't be believed; 0 for never."""
    known, device = state.points.get(point), state.devices.get(point.partition(".")[0])
    limit_ms = known.lane.limit_ms if known else device.stale_after_ms if device else NEVER
    return 0 if limit_ms == NEVER else -(-limit_ms // 1000)
