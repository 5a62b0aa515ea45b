"""The office's counter: a request comes in with what TLS knows of its sender, an answer goes out.

Only this file changes what the office knows while it serves; what is decided is decided in `decide`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from email.utils import formatdate
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from homenode.enrol.client import EST, OURS, TURN, WHY
from homenode.enrol.keys import fingerprint, issued_by
from homenode.enrol.proof import opened
from homenode.errors import Refused
from homenode.gateway.clock import Clock
from homenode.install.home_file import replace as write
from homenode.journal.segment import sync_folder
from homenode.office import est
from homenode.office.authority import Authority, moment
from homenode.office.backups import Backups, plain
from homenode.office.decide import (
    RETRY_S,
    SERIAL,
    Box,
    Code,
    How,
    Issue,
    Refuse,
    State,
    Verdict,
    Wait,
    enrolment,
    renewal,
    turn_fits,
)
from homenode.office.emptying import left_behind
from homenode.office.files import part_of
from homenode.office.homes import FOLDER, Homes
from homenode.office.settings import Settings
from homenode.office.store import Issued, Store
from homenode.tries import Tries
from homenode.web import Request, Response, as_json, network_of

log = logging.getLogger("homenode.office")

WRONG_CODES = 10
"""From one address in five minutes."""
MOST_STRANGERS = 1_000
"""Boxes that ask and nobody expects: whoever reaches the office can make some up."""
MOST_TOLD = 2_000
"""Characters of what a box tells that are kept in the list of reports."""
LEAVING = timedelta(hours=1)
"""Of a certificate by which a box brings its proof: a broker may not know yet that it is revoked."""
PROOFS = "proofs"
"""Folder of proofs of erasure, each a JWS."""
LIST_MS = 3_600_000
"""For so long a list of revoked certificates is given out again: whoever reaches the office may ask."""


class Desk:
    """Of one office; another one after its authority changed.

    Args:
        on_proof: Called as a tenancy has ended, with something to be emptied at its broker.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        authority: Authority,
        clock: Clock,
        on_proof: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_proof = on_proof
        self._settings, self._store, self._authority, self._clock = settings, store, authority, clock
        self._homes = Homes(settings.folder / FOLDER)
        self._backups = Backups(settings.folder)
        self._wrong = Tries(WRONG_CODES)
        self._lists: tuple[int, list[tuple[int, int]], list[x509.CertificateRevocationList]] | None = None
        factory = settings.factory.read_bytes() if settings.factory is not None else b""
        self._factory = x509.load_pem_x509_certificates(factory) if factory else []

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        response = self._answer(request)
        headers = {**response.headers, "Date": formatdate(self._clock.wall() / 1000, usegmt=True)}
        return replace(response, headers=headers)

    def _answer(self, request: Request) -> Response:
        path = request.path
        try:
            if path.startswith(f"{EST}/"):
                return self._est(request, path.removeprefix(f"{EST}/"))
            if path == f"{OURS}/crl" and request.method == "GET":
                newest = self.revocations()[0].public_bytes(serialization.Encoding.DER)
                return Response(200, newest, "application/pkix-crl")
            issued, box = self._known(request)
            if path.startswith("/bundles/") and request.method in ("GET", "HEAD"):
                return part_of(self._settings.bundles, path.removeprefix("/bundles/"), request)
            return self._ours(request, path.removeprefix(f"{OURS}/"), issued, box)
        except Refused as error:
            because = _because(getattr(error, "because", ""))
            return est.told(getattr(error, "status", 400), str(error), because)

    # EST

    def _est(self, request: Request, what: str) -> Response:
        match request.method, what:
            case "GET", "cacerts":
                return est.certificates(self._authority.roots())
            case "GET", "csrattrs":
                return est.attributes()
            case "POST", "simpleenroll" | "simplereenroll":
                asked = est.request_of(request.body, request.headers.get("content-type", ""))
                with self._store.changing():
                    return self._enrol(request, asked, again=what == "simplereenroll")
        known = ("cacerts", "csrattrs", "simpleenroll", "simplereenroll")
        return est.told(405 if what in known else 404, f"{request.method} {request.path} is not offered here")

    def _enrol(self, request: Request, asked: x509.CertificateSigningRequest, *, again: bool) -> Response:
        now, key = self._clock.wall(), fingerprint(asked.public_key())
        present = self._present(request)
        if again and present is None:
            return est.told(403, "renewing needs the present certificate in the TLS handshake")
        how, serial, given = self._says(request, asked, present)
        if not re.fullmatch(SERIAL, serial):
            return est.told(
                400, "the serial number of the box (serialNumber of the subject) is missing or odd"
            )
        box = self._store.box(serial) or Box(serial)
        if present is not None and how is How.NOTHING:
            issued, certificate = present
            same, old = est.same_names(asked, certificate), fingerprint(certificate.public_key())
            verdict = renewal(
                box, old, key, revoked=issued.why, same_subject=same or not again, home=issued.home
            )
        else:
            peer = network_of(request.peer)
            if how is How.CODE and self._wrong.blocked(peer, self._clock.now()):
                return est.told(429, "too many wrong codes from this address", {"Retry-After": "300"})
            code = self._store.code(given) if how is How.CODE else None
            verdict = enrolment(
                box,
                key,
                how,
                code,
                now,
                lives=self._lives(box, now),
                taken=self._taken(box, code),
                owner=self._store.owner(key, box.serial),
            )
            if isinstance(verdict, Refuse) and verdict.status == 401:
                self._wrong.failed(peer, self._clock.now())
            if code is not None and not isinstance(verdict, Refuse) and not box.has_to_erase:
                self._store.use(code, serial, key)
                if self._store.box(serial) is None:
                    self._store.put(box)  # whoever has a code is no stranger, and can be assigned to a home
                box = replace(box, home=box.home or code.home)
        return self._give(request, verdict, box, asked, key, now)

    def _lives(self, box: Box, now: int) -> bool:
        newest = self._store.newest(box.serial)
        return self._store.turns(box.serial)[0] != "" and newest is not None and now < newest[0]

    def _taken(self, box: Box, code: Code | None) -> str:
        home = box.home or (code.home if code is not None else "")
        other = self._store.box_of(home) if home else None
        return other.serial if other is not None and other.serial != box.serial else ""

    def _says(
        self, request: Request, asked: x509.CertificateSigningRequest, present: tuple[Issued, object] | None
    ) -> tuple[How, str, str]:
        """By what the sender says who it is, its serial number, and its code."""
        serial, code = est.basic(request.headers.get("authorization", ""))
        if code:
            return How.CODE, serial, code
        if present is not None:
            return How.NOTHING, present[0].serial, ""
        if request.certificate:
            certificate = x509.load_der_x509_certificate(request.certificate)
            if any(issued_by(certificate, one) for one in self._factory):
                return How.FACTORY, est.serial_of(certificate.subject), ""
        return How.NOTHING, est.serial_of(asked.subject), ""

    def _give(
        self,
        request: Request,
        verdict: Verdict,
        box: Box,
        asked: x509.CertificateSigningRequest,
        key: str,
        now: int,
    ) -> Response:
        public = asked.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey), "est.py takes no other"
        box = replace(box, asked=key, seen_ms=now)
        there = self._store.box(box.serial)
        match verdict:
            case Issue(home, leaving=True):
                self._store.forget_turns(box.serial)
                made = self._authority.issue(public, box.serial, home, moment(now), LEAVING)
                self._add(made, box)
                self._store.revoke(box.serial, now, "the tenancy ended")
                return est.certificates([made])
            case Issue(home, revoke):
                if revoke:
                    self._store.revoke(box.serial, now, "the box was enrolled anew")
                    self._store.forget_turns(box.serial)
                life = timedelta(milliseconds=self._settings.life_ms)
                made = self._authority.issue(public, box.serial, home, moment(now), life)
                since = box.enrolled_ms if box.key == key else now
                box = replace(
                    box, state=State.ENROLLED, home=home, key=key, asked="", approved="", enrolled_ms=since
                )
                self._store.put(box)
                self._add(made, box)
                log.info("certified", extra={"box": box.serial, "home": home})
                return est.certificates([made])
            case Wait(why, clash, because):
                if clash:
                    self._twins(request, box, why, now)
                if there is not None or self._settings.unknown:
                    state = State.ASKING if box.state in (State.EXPECTED, State.GONE) else box.state
                    self._store.put(replace(box, state=state, asked="" if because == "unassigned" else key))
                    self._store.forget_strangers(MOST_STRANGERS)
                log.info("waits", extra={"box": box.serial, "why": why})
                return est.told(202, why, {"Retry-After": str(RETRY_S), **_because(because)})
            case Refuse(why, status, clash, because):
                if clash:
                    self._twins(request, box, why, now)
                    if there is not None and there.key != key:
                        self._store.put(replace(there, asked=key))  # so that somebody can approve it
                else:  # all strangers are one, so that whoever makes up names pushes out no other report
                    known = there or Box("")
                    told = f"{why} (from {network_of(request.peer)})"
                    self._store.report(now, known.serial, known.home, "refused", told)
                log.warning("refused", extra={"box": box.serial, "why": why})
                asks = {"WWW-Authenticate": est.REALM} if status == 401 else {}
                return est.told(status, why, {**asks, **_because(because)})

    def _add(self, made: x509.Certificate, box: Box) -> None:
        end_ms = int(made.not_valid_after_utc.timestamp() * 1000)
        self._store.add_certificate(
            made.serial_number, box, end_ms, made.public_bytes(serialization.Encoding.DER)
        )

    def _twins(self, request: Request, box: Box, why: str, now: int) -> None:
        where = f" (from {request.peer})" if request.peer else ""
        self._store.report(now, box.serial, box.home, "two boxes, one identity", f"{why}{where}")

    # Boxes that have a certificate of ours

    def _present(self, request: Request) -> tuple[Issued, x509.Certificate] | None:
        """The certificate of ours that the sender showed, and what is known of it; None without one."""
        if not request.certificate:
            return None
        certificate = x509.load_der_x509_certificate(request.certificate)
        issued = self._store.issued(certificate.serial_number)
        return (issued, certificate) if issued is not None and issued.der == request.certificate else None

    def _known(self, request: Request) -> tuple[Issued, Box]:
        """Who asks. Raises Refused."""
        present = self._present(request)
        if present is None:
            raise _Forbidden("this needs a certificate of this office in the TLS handshake")
        issued = present[0]
        box = self._store.box(issued.serial)
        if box is None and not issued.why:
            raise _Forbidden("this is a party's certificate, and here boxes ask")
        if box is None or box.key != issued.key or (issued.why and not box.has_to_erase):
            why = f"a certificate that counts no more ({issued.why or 'another one was issued'})"
            self._store.report(self._clock.wall(), issued.serial, issued.home, "shut out", f"shows {why}")
            raise _Revoked(f"this is {why}")
        return issued, box

    def _ours(self, request: Request, what: str, issued: Issued, box: Box) -> Response:
        match request.method, what:
            case "GET", "assignment":
                return self._assignment(request, issued, box)
            case "POST", "told":
                return self._told(request, issued, box)
            case "PUT", "backup" if box.state is State.ENROLLED:
                coding = request.headers.get("content-encoding", "")
                self._backups.keep(issued.home, plain(request.body) if coding == "gzip" else request.body)
                return as_json({"kept": True})
            case "GET", "backup" if box.state is State.ENROLLED:
                kept = self._backups.latest(issued.home)
                if kept is None:
                    return est.told(404, f"no backup of a radio of {issued.home} is kept")
                return Response(200, kept, "application/json")
        return est.told(404, f"{request.method} {request.path} is not offered here")

    def _assignment(self, request: Request, issued: Issued, box: Box) -> Response:
        now, shown = self._clock.wall(), request.headers.get(TURN.lower(), "")
        with self._store.changing():
            last, before = self._store.turns(box.serial)
            if not turn_fits(shown, last, before):
                why = f"another box with the key and certificate of {box.serial} asked meanwhile"
                self._twins(request, box, why, now)
                return est.told(409, why)
            turn = self._store.next_turn(box.serial, shown)
            self._store.put(replace(box, seen_ms=now))
        trust = self._homes.trust(box.home)
        found = {"home": box.home, "time": now, "turn": turn, "trust": trust}
        if said := self._homes.successors(box.home):
            found["trust"] = {**trust, "successors": said}
        if box.has_to_erase:
            return as_json({**found, "erase": True, "configuration": None, "backup": False})
        signed = self._homes.signed(box.home) if trust else None
        found |= {"configuration": signed, "backup": self._backups.latest(box.home) is not None}
        if x509.load_der_x509_certificate(issued.der).issuer != self._authority.certificate.subject:
            found["renew"] = True  # by the former authority
        if signed is None and not trust and self._homes.has(box.home):
            found["files"] = self._homes.files(box.home)  # nobody signs here: the office's word is taken
        return as_json(found)

    def _told(self, request: Request, issued: Issued, box: Box) -> Response:
        try:
            said: Any = json.loads(request.body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or not isinstance(said.get("what"), str):
            raise Refused("no such report", do='send {"what": TEXT, "text": TEXT}')
        what, text = printable(said["what"][:80]), printable(str(said.get("text", ""))[:MOST_TOLD])
        now = self._clock.wall()
        with self._store.changing():
            if what == "erased":
                return self._erased(said, issued, box, now)
            self._store.report(now, box.serial, box.home, what, text)
        return as_json({"kept": True})

    def _erased(self, said: Mapping[str, Any], issued: Issued, box: Box, now: int) -> Response:
        if not box.has_to_erase:
            raise Refused(f"nobody ordered box {box.serial} to erase anything")
        proof = opened(str(said.get("proof", "")), self._store.newest_of_key(box.serial, box.key) or b"")
        if proof.get("home") != box.home or proof.get("serial") != box.serial:
            raise Refused("the proof is of another home or box")
        name = f"{box.home}-{now}.jws"
        self._keep_proof(name, str(said["proof"]))
        end = f"not all erased: homenode office revoke {box.serial} ends it"
        what = end if proof.get("left") else "erased"
        self._store.report(
            now, box.serial, box.home, what, f"homenode office proof {name} checks and shows it"
        )
        if box.state is State.LEAVING:  # else backup and topics are another box's by now
            self._backups.forget(box.home)
            for one in left_behind(self._settings.folder, box.home, proof, now):
                self._store.add_emptying(one)
            self._on_proof()
        if not proof.get("left"):
            self._store.gone(box)
        log.info("erased", extra={"box": box.serial, "home": box.home})
        return as_json({"kept": True})

    def _keep_proof(self, name: str, proof: str) -> None:
        """On the disk before the box is told so: then it has none any more. Raises OSError."""
        folder = self._settings.folder / PROOFS
        folder.mkdir(exist_ok=True)
        sync_folder(self._settings.folder)
        write(folder / name, proof.encode("ascii"), 0o640)

    def revocations(self) -> list[x509.CertificateRevocationList]:
        """The lists, of each authority one: anew if something was revoked since, or after an hour."""
        now = self._clock.wall()
        rows = self._store.revoked(now)
        if self._lists is None or self._lists[1] != rows or abs(now - self._lists[0]) > LIST_MS:
            dated = [(number, moment(at)) for number, at in rows]
            made = self._authority.revocations(dated, self._store.next_list(), moment(now))
            self._lists = now, rows, made
        return self._lists[2]


def _because(key: str) -> dict[str, str]:
    return {WHY: key} if key else {}


def printable(text: str) -> str:
    """What a box says is shown on terminals: nothing that steers one."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text)


class _Forbidden(Refused):
    """Not for this sender."""

    status = 403


class _Revoked(_Forbidden):
    because = "revoked"
