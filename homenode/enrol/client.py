"""An EST client (RFC 7030), and our own requests to an office, over http.client and ssl."""

from __future__ import annotations

import base64
import binascii
import contextlib
import http.client
import json
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs7

from homenode.errors import Refused
from homenode.hang_up import hung_up_after

TIMEOUT_S, MOST_S = 20.0, 120.0
"""Of silence, and for a whole request."""
_NOT_ACCEPTED = r"ALERT_(\w*CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)"
"""Reasons of OpenSSL: the alert is about this box's certificate, and not about anything else."""
MOST_BYTES = 1_000_000
EST, OURS = "/.well-known/est", "/homenode/v1"
TURN, WHY = "Homenode-Turn", "Homenode-Why"
NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python's ssl passes on without a name for it."""


class Unreachable(Refused):
    """Nobody answered, or it broke off; later perhaps."""

    code = "unreachable"


class Untrusted(Refused):
    """Somebody answered who is not the office, as far as this box can tell."""

    code = "untrusted"


class Disowned(Refused):
    """The office's TLS takes this box's certificate no more: it ended, or its authority counts no more."""

    code = "disowned"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered; `date_ms` by the office's clock, None if it didn't say."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    date_ms: int | None

    @property
    def text(self) -> str:
        """For a person."""
        return self.body[:2000].decode("utf-8", "replace").strip()

    @property
    def again_s(self) -> int:
        """Retry-After; 0 without, or if it is a date that can't be read."""
        said = self.headers.get("retry-after", "")
        if said.isdecimal():
            return int(said[:9])
        with contextlib.suppress(ValueError, TypeError):
            at = parsedate_to_datetime(said).timestamp()
            return max(0, int(at - self.date_ms / 1000)) if self.date_ms is not None else 0
        return 0


class Office:
    """An office by its URL; a connection for each request, as they are few and far between.

    A path in the URL is the label of an EST server that has several authorities (RFC 7030, 3.2.2).

    Args:
        ca: Who must have certified it (PEM); None for nobody: only to fetch what is then compared by its
            fingerprint.
        own: This box's certificate and key.
        check_time: Whether the office's certificate must be in force by this machine's clock.
    """

    def __init__(
        self, url: str, ca: str | None, own: tuple[Path, Path] | None = None, *, check_time: bool = True
    ) -> None:
        self.url = url
        try:
            where = urlsplit(url)
            self._host, self._port = where.hostname or "", where.port or 443
            self._host.encode("idna")
        except ValueError as error:
            raise Refused(f"this is nobody's address: {error}", where=url) from error
        self._est = EST + where.path.rstrip("/")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            if ca is None:
                self._context.check_hostname = False
                self._context.verify_mode = ssl.CERT_NONE
            else:
                self._context.load_verify_locations(cadata=ca)
            if not check_time:
                self._context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
            if own is not None:
                self._context.load_cert_chain(*own)
        except (ssl.SSLError, OSError, ValueError, TypeError) as error:  # the last: not ASCII
            raise Refused(f"certificates can't be used: {error}", where=url) from error
        self.shown = b""
        """The certificate (DER) that the office showed last."""

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request.

        Raises:
            Unreachable, Untrusted, Disowned: As they say.
        """
        host, port = self._host, self._port
        link = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=self._context)
        try:
            link.sock = socket.create_connection((host, port), TIMEOUT_S)
            tls = self._context.wrap_socket(link.sock, server_hostname=host, do_handshake_on_connect=False)
            link.sock = tls
            with hung_up_after(MOST_S, tls):  # link.sock is None once the answer says that it closes
                tls.do_handshake()
                self.shown = tls.getpeercert(binary_form=True) or b""
                link.request(method, path, body, dict(headers or {}))
                answer = link.getresponse()
                found = answer.read(MOST_BYTES + 1)
        except ssl.SSLCertVerificationError as error:
            raise Untrusted(error.verify_message or str(error), where=self.url) from error
        except ssl.SSLError as error:
            if re.search(_NOT_ACCEPTED, str(error.reason)):
                raise Disowned(_plain(error), where=self.url) from error
            raise Unreachable(_plain(error), where=self.url) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(
                getattr(error, "strerror", None) or str(error) or repr(error), where=self.url
            ) from error
        finally:
            link.close()
        if len(found) > MOST_BYTES:
            raise Unreachable(f"answered more than {MOST_BYTES:,} bytes", where=self.url)
        if answer.length:
            raise Unreachable("the answer was cut off", where=self.url)
        named = {name.lower(): text for name, text in answer.getheaders()}
        return Answer(answer.status, named, found, _date_ms(named.get("date", "")))

    def cacerts(self) -> Answer:
        """Who certifies here."""
        return self.ask("GET", f"{self._est}/cacerts")

    def enrol(self, request: bytes, *, serial: str = "", code: str = "", again: bool = False) -> Answer:
        """A certificate for a request (DER); `again` with the names of the present one."""
        headers = {"Content-Type": "application/pkcs10", "Content-Transfer-Encoding": "base64"}
        if code:
            pair = base64.b64encode(f"{serial}:{code}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        what = "simplereenroll" if again else "simpleenroll"
        return self.ask("POST", f"{self._est}/{what}", base64.b64encode(request), headers)

    def told(self, what: str, text: str, **more: Any) -> Answer:
        """Report something."""
        body = json.dumps({"what": what, "text": text, **more}, ensure_ascii=False).encode()
        return self.ask("POST", f"{OURS}/told", body, {"Content-Type": "application/json"})


def certificates_of(answer: Answer) -> list[x509.Certificate]:
    """The certificates of an answer. Raises Refused: it has none that can be read."""
    try:
        made = pkcs7.load_der_pkcs7_certificates(der_of(answer))
        for one in made:
            one.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused(f"the office answered no certificates: {error}") from error
    return made


def der_of(answer: Answer) -> bytes:
    """The certs-only CMS of an answer: base64 as the RFC wants it, or bare as some servers send it.

    Raises:
        Refused: It is neither.
    """
    body = answer.body
    if body[:1] == b"\x30" and not body[:64].isascii():
        return body
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as error:
        raise Refused("the office answered no certificates") from error


def json_of(answer: Answer) -> dict[str, Any]:
    """An answer in JSON. Raises Refused."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise Refused("the office answered no JSON") from error
    if not isinstance(found, dict):
        raise Refused("the office answered something else than was asked for")
    return found


def _date_ms(said: str) -> int | None:
    try:
        return int(parsedate_to_datetime(said).timestamp() * 1000)
    except (ValueError, TypeError):
        return None


def _plain(error: ssl.SSLError) -> str:
    return str(error.reason or error).lower().replace("_", " ")
