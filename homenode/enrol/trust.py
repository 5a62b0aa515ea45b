"""Whom a box trusts, and what time it is by whom it trusts."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from homenode.enrol import keys
from homenode.enrol.client import Office, Unreachable, Untrusted, certificates_of
from homenode.enrol.places import Places
from homenode.enrol.provision_file import Provision
from homenode.gateway.clock import Clock
from homenode.install.home_file import replace
from homenode.journal.wall_time import text_of

log = logging.getLogger("homenode.enrol")

AGREE_MS = 60_000
"""Two clocks that are so near say the same."""


class Trust:
    """Of a box. One object for all tries of a run."""

    def __init__(self, places: Places, clock: Clock) -> None:
        self._places, self._clock = places, clock
        self._offset_ms: int | None = None
        """What to add to this clock to get the office's."""

    @property
    def dated(self) -> bool:
        """Whether it is known what time it is."""
        return self._clock.trusted() or self._offset_ms is not None

    def now_ms(self) -> int:
        """As well as it is known."""
        if self._clock.trusted() or self._offset_ms is None:
            return self._clock.wall()
        return self._clock.wall() + self._offset_ms

    @property
    def office_clock(self) -> list[int]:
        """What the office's clock said, how long after the boot (ms); nothing if the own one is right."""
        if self._clock.trusted() or not self._offset_ms:
            return []
        return [self.now_ms(), int(self._clock.up_s() * 1000)]

    def ca(self) -> str:
        """The authorities that are kept, PEM; "" if there are none."""
        try:
            return self._places.ca.read_text(encoding="ascii")
        except (OSError, ValueError):
            return ""

    def keep(self, authorities: Iterable[x509.Certificate]) -> None:
        """ca.pem says whom the node trusts: office and broker. Written only if it changes. Raises OSError."""
        unique = {one.public_bytes(Encoding.PEM): one for one in authorities}
        fresh = [
            pem for pem, one in unique.items() if one.not_valid_after_utc.timestamp() * 1000 > self.now_ms()
        ]
        text = b"".join(fresh)
        if text and text != self.ca().encode():
            replace(self._places.ca, text, keys.MODE)

    def authorities(self, url: str, provision: Provision) -> str:
        """Whom to trust (PEM): what is known, else what the card says, else the image. Raises Refused."""
        found = [self.ca(), provision.ca]
        if provision.ca_sha256 and not _has(found, provision.ca_sha256):  # ours may be of another office
            try:
                found.append(_by_print(url, provision.ca_sha256))
            except Untrusted:
                if not any(found):
                    raise
        if not any(found):
            for path in sorted(self._places.trust.glob("*.pem")):
                with contextlib.suppress(OSError, ValueError):
                    found.append(path.read_text(encoding="ascii"))
        return "\n".join(text for text in found if text)

    def office(self, url: str, ca: str, own: tuple[Path, Path] | None) -> Office:
        """To be asked as who `own` (certificate, key) says."""
        return Office(url, ca, own, check_time=self._clock.trusted())

    def learn(self, office: Office, ca: str, *, by_dns: bool) -> list[x509.Certificate]:
        """Who certifies there, and by its clock what time it is. Raises Refused and its kin."""
        answer = office.cacerts()
        if answer.status != 200:
            raise Unreachable(f"answers {answer.status}: {answer.text[:200]}")
        if by_dns and not keys.is_office(office.shown):
            raise Untrusted("the network named somebody who is certified, but not as an office")
        if answer.date_ms is not None and not self._clock.trusted():
            self._believe(office, answer.date_ms)
        return [*certificates_of(answer), *x509.load_pem_x509_certificates(ca.encode())]

    def _believe(self, office: Office, date_ms: int) -> None:
        """Take the office's time, if its certificate is in force then. Raises Untrusted."""
        shown = x509.load_der_x509_certificate(office.shown)
        start, end = (at.timestamp() * 1000 for at in (shown.not_valid_before_utc, shown.not_valid_after_utc))
        if not start <= date_ms < end:
            raise Untrusted("the office's certificate is not in force by its own clock", where=office.url)
        offset_ms = date_ms - self._clock.wall()
        if abs(offset_ms) < AGREE_MS:  # a Date has whole seconds, and was said a while ago
            offset_ms = 0
        if self._offset_ms is None and offset_ms:
            log.warning(
                "time of the office taken", extra={"at": text_of(date_ms), "off_s": offset_ms // 1000}
            )
        self._offset_ms = offset_ms


def _by_print(url: str, wanted: str) -> str:
    """The authority with this fingerprint, of an office that isn't trusted yet (RFC 7030, 4.1.1)."""
    for one in certificates_of(Office(url, None).cacerts()):
        if _print_of(one) == wanted:
            return one.public_bytes(Encoding.PEM).decode()
    raise Untrusted("no authority there has the fingerprint of the provisioning file", where=url)


def _has(pems: Iterable[str], wanted: str) -> bool:
    """Whether an authority with this fingerprint is among them."""
    try:
        found = [one for pem in pems if pem for one in x509.load_pem_x509_certificates(pem.encode())]
    except ValueError:  # damaged
        return False
    return any(_print_of(one) == wanted for one in found)


def _print_of(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
