"""Where a broker is, and the back-off between tries (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple
from urllib.parse import urlsplit

from homenode.errors import SetupError

_PORTS = {"mqtt": 1883, "mqtts": 8883}

_FIRST_S, _QUICK_S, _SLOW_S = 1.0, 5.0, 30.0
_QUICK_TRIES = 20
"""About a minute of tries at 2.5 s on average; a broker that is away longer is tried every 15 s."""
_HELD_S = 10.0


class Address(NamedTuple):
    """A broker, as its url says. `interface`: the network interface it is reached over, "" for any."""

    url: str
    host: str
    port: int
    tls: bool
    interface: str = ""

    def __str__(self) -> str:
        return f"{self.url} over {self.interface}" if self.interface else self.url


def addresses(urls: Sequence[str], interfaces: Sequence[str]) -> list[Address]:
    """In the order they are tried: each broker over each interface, then the next broker."""
    return [address(url)._replace(interface=name) for url in urls for name in interfaces or ("",)]


def address(url: str) -> Address:
    """What a broker url of home.yaml means.

    Raises:
        SetupError: It is none.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in _PORTS or not host:
        raise SetupError(
            f"{url!r} is no broker", where="broker.url", do="write mqtts://HOST or mqtt://HOST:PORT"
        )
    return Address(url, host, port or _PORTS[parts.scheme], parts.scheme == "mqtts")


class Backoff:
    """Full jitter: uniformly between nothing and a bound that doubles, so that homes don't come all at once.

    Args:
        random: Source of chance.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._tries = 0

    def held(self, for_s: float) -> None:
        """The link held for so long; one that was good begins the tries anew."""
        if for_s >= _HELD_S:
            self._tries = 0

    def next_s(self) -> float:
        """How long to wait before the next try."""
        self._tries += 1
        cap_s = _QUICK_S if self._tries <= _QUICK_TRIES else _SLOW_S
        return self._random.uniform(0.0, min(cap_s, _FIRST_S * 2.0 ** min(self._tries - 1, 10)))
