"""Why there is no link, in words for the person who has to act."""

from __future__ import annotations

import socket
import ssl

from homenode.errors import HomenodeError


class NoLink(HomenodeError):
    """There is no link to this broker; the link tries again by itself.

    Attributes:
        person: Waiting won't help: somebody has to change a file, a password or a certificate.
        elsewhere: Another of the brokers, if there is one, is the better bet.
        older: Perhaps the broker speaks an older MQTT only.
        away: Nobody answers there at all: the network is down, or the broker.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        do: str = "",
        person: bool = False,
        elsewhere: bool = False,
        older: bool = False,
        away: bool = False,
    ) -> None:
        super().__init__(what, where=where, do=do)
        self.person, self.elsewhere, self.older, self.away = person, elsewhere, older, away


_REFUSED = {
    1: ("the broker does not speak this version of MQTT", "use a broker with MQTT 3.1.1"),
    2: ("the broker does not accept this home's client id", "look for a second node with the same home id"),
    3: ("the broker is not available yet", ""),
    4: ("the broker refuses this user name and password", "check broker.username and password_file"),
    5: ("the broker refuses this node", "check username, password_file and certificate against its list"),
}
"""MQTT 3.1.1, table 3.1: CONNACK return codes."""
_REASONS = {0x84: 1, 0x85: 2, 0x88: 3, 0x86: 4, 0x87: 5}
"""MQTT 5 reasons by the 3.1.1 code of the same meaning (paho tells the former in both cases)."""

_TIME_CODES = (9, 10)
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


def refused(code: int, url: str) -> NoLink:
    """The broker answered CONNECT with this code of MQTT 3.1.1, or reason of MQTT 5."""
    code = _REASONS.get(code, code)
    what, do = _REFUSED.get(code, (f"the broker refuses the connection (code {code})", ""))
    return NoLink(what, where=url, do=do, person=code != 3, older=code == 1)


def hung_up(url: str, *, was_up: bool, named: str = "") -> NoLink:
    """The broker closed the connection, before or after it had accepted the node."""
    if was_up:
        # A node is told apart by its home's id, a receiver by its data; the broker lets the older one go.
        other = "another node of this home, or another receiver on a copy of this data"
        do = f"if this goes on, look for {other}, and in the broker's log"
    elif url.startswith("mqtts"):
        do = "check the port in broker.url; perhaps there is no TLS there"
    else:
        do = "check the port in broker.url; perhaps it wants mqtts://"
    return NoLink(f"the broker closed the connection{named}", where=url, do=do, older=not was_up)


def failed(error: Exception, url: str, *, was_up: bool = True) -> NoLink:
    """The connection could not be made or kept, or TLS failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"the broker's certificate is not accepted: {error.verify_message}"
        if error.verify_code in _TIME_CODES:  # a Pi boots in the past; the time service mends that
            return NoLink(what, where=url, do="check the node's clock, then the broker's certificate")
        return NoLink(what, where=url, do="check broker.ca and the name in broker.url", person=True)
    if isinstance(error, ssl.SSLError):
        if isinstance(error, ssl.SSLEOFError):  # so mosquitto says that it wants another certificate, or one
            what = "TLS failed: the broker closed the connection"
            do = "check broker.cert and key: its authority must be the broker's, and not have revoked it"
            return NoLink(what, where=url, do=do, person=True)
        reason = (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()
        return NoLink(f"TLS failed: {reason}", where=url, do="check broker.cert, key and ca", person=True)
    if isinstance(error, socket.gaierror):
        do = "check the name, or the network's DNS"
        return NoLink("the broker's name is not known", where=url, do=do, away=True)
    if isinstance(error, ConnectionRefusedError):
        do = "check the port in broker.url, and the broker"
        return NoLink("nothing listens there", where=url, do=do, away=True)
    if isinstance(error, ConnectionError):
        return hung_up(url, was_up=was_up)
    if isinstance(error, TimeoutError):
        do = "check host and port in broker.url"
        return NoLink("the broker does not answer", where=url, do=do, away=not was_up)
    if isinstance(error, OSError):
        what = (error.strerror or str(error) or type(error).__name__).lower()
        own = isinstance(error, PermissionError)  # what forbids it is this machine
        return NoLink(what, where=url, away=not was_up and not own)
    return NoLink(f"{type(error).__name__}: {error}", where=url)
