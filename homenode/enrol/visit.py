"""One try: from what is on the disk to what comes next, as `steps` decides; all files and requests of it."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import re
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from homenode.enrol import assignment, keys, leaving, radios
from homenode.enrol.client import (
    OURS,
    TURN,
    WHY,
    Answer,
    Disowned,
    Office,
    Unreachable,
    Untrusted,
    certificates_of,
    json_of,
)
from homenode.enrol.finding import offices
from homenode.enrol.places import Places
from homenode.enrol.provision_file import Provision, read_provision
from homenode.enrol.state import read
from homenode.enrol.steps import HOUR_S, Do, Held, Known, Outcome, State, Why, next_step, of_answer, short
from homenode.enrol.trust import Trust
from homenode.enrol.words import said
from homenode.errors import FileMistakes, Refused
from homenode.gateway.clock import Clock
from homenode.install.home_file import replace
from homenode.journal.wall_time import text_of

log = logging.getLogger("homenode.enrol")

A_TURN = r"[A-Za-z0-9_-]{8,64}"
OTHER_KEY = "this box trusts another key, or none, and goes on so; a person at it may change that"


class Visit:
    """Of a box. One object for all tries of a run."""

    def __init__(self, places: Places, serial: str, clock: Clock) -> None:
        self._places, self._clock, self.serial = places, clock, serial
        self.trust = Trust(places, clock)
        self._refused = False
        self._url = ""
        self._by_dns = False
        self.key: ec.EllipticCurvePrivateKey | None = None

    @property
    def print(self) -> str:
        """Fingerprint of the key; "" before there is one."""
        return keys.fingerprint(self.key.public_key()) if self.key is not None else ""

    def held(self) -> Held | None:
        """The certificate that is here."""
        found = keys.held(self._places.certificate, self.key.public_key()) if self.key is not None else None
        return found[0] if found else None

    def once(self) -> Outcome:
        """As far as it goes in one go. Raises OSError: the card doesn't take it; SetupError: a wrong key."""
        places = self._places
        leaving.forget(places)
        by_hand = places.home.exists() and not places.office.exists()  # its key is its owner's
        self.key = keys.present_key(places.key) if by_hand else keys.own_key(places.key)
        dated = self.trust.dated  # as the proof has to be
        if places.erase.exists() and dated and (stuck := leaving.begun(places, self.trust.now_ms())):
            return stuck
        provision = Provision()
        with contextlib.suppress(FileNotFoundError):
            if places.provision.exists():
                try:
                    provision = read_provision(places.provision, places.provision.name)
                except FileMistakes as error:
                    return Outcome(State.FAILED, Why("file_wrong", {"text": str(error.mistakes[0])[:300]}))
        known_office = provision.office or read(places.office).get("url", "")
        self._by_dns = not known_office
        alone = bool(provision.files) and not known_office
        if alone:
            return self._alone(provision)
        outcome = Outcome(State.WAITING, Why("no_office"))
        for url in [known_office] if known_office else offices():
            outcome = self._at(url, provision)
            if outcome.why.key not in ("network", "not_trusted", "odd"):
                return outcome
        if outcome.why.key == "no_office" and places.home.exists():
            return Outcome(
                State.ENROLLED, Why("alone"), done=True
            )  # by a card, or by hand: it waits for none
        return outcome

    def _alone(self, provision: Provision) -> Outcome:
        """The card brought the home, and no office."""
        places, why = self._places, Why("alone")
        if not places.home.exists():
            try:
                assignment.take(places, provision.files, "")
            except assignment.NotTaken as wrong:
                return Outcome(State.FAILED, _on_card(wrong.why))
        elif self._passed_over(provision):
            why = Why("has_home", {"home": assignment.of_home(places) or "?"})
        places.provision.unlink(missing_ok=True)
        return Outcome(State.ENROLLED, why, done=True)

    def _at(self, url: str, provision: Provision) -> Outcome:
        """At one office."""
        places, self._url = self._places, url
        try:
            ca = self.trust.authorities(url, provision)
            if not ca:
                return Outcome(State.FAILED, Why("no_trust"))
            step = self._step(provision)
            if step is Do.AWAIT_CLOCK:
                return Outcome(State.WAITING, Why("clock"), again_s=10)
            if (
                step is not Do.ENROL and places.home.exists() and places.forgets
            ):  # the office would take the next start's for a copy
                return Outcome(
                    State.ENROLLED, Why("forgets", {"home": assignment.of_home(places)}), done=True
                )
            own = None if step is Do.ENROL else (places.certificate, places.key)
            if step is Do.ENROL and not provision.code and all(path.is_file() for path in places.factory):
                own = places.factory
            office, known = self._met(url, ca, own)
            if self.key is None:
                self.key = keys.own_key(places.key)
                return self._at(url, provision)
            step = self._step(provision)  # the time may be known by now
            if places.erase.exists():
                if stuck := leaving.begun(places, self.trust.now_ms()):
                    return stuck
                if step is not Do.ENROL:  # else it gets a certificate first, for the proof
                    own = (places.certificate, places.key)
                    return leaving.bring(places, self.trust.office(url, ca, own))
            if step in (Do.ENROL, Do.RENEW):
                outcome = self._certify(office, known, provision, step)
                if outcome is not None:
                    return outcome
                office = self.trust.office(url, self.trust.ca(), (places.certificate, places.key))
            return self._visit(office, provision)
        except Unreachable as error:
            return Outcome(State.WAITING, Why("network", {"text": str(error)}))
        except Untrusted as error:
            return Outcome(State.FAILED, Why("not_trusted", {"text": str(error)}))
        except Disowned as error:
            self._refused = True
            return Outcome(State.ASKING, Why("refused", {"text": str(error)}), again_s=10)
        except Refused as error:
            return Outcome(State.FAILED, Why("odd", {"text": str(error), "status": "-"}))

    def _met(self, url: str, ca: str, own: tuple[Path, Path] | None) -> tuple[Office, list[x509.Certificate]]:
        """The office that answers, and who certifies there. Raises Refused and its kin."""
        try:
            office = self.trust.office(url, ca, own)
            return office, self.trust.learn(office, ca, by_dns=self._by_dns)
        except Refused as error:
            if own != self._places.factory:
                raise
            met = self._met(url, ca, None)  # an approval does as well
            log.warning("the factory's certificate is not taken", extra={"why": str(error)})
            return met

    def _step(self, provision: Provision) -> Do:
        clock = self._clock
        known = Known(
            self.trust.now_ms(), clock.trusted(), clock.up_s(), self.serial, self.held(), self._refused
        )
        step = next_step(known)
        return Do.ENROL if provision.code and step in (Do.RENEW, Do.VISIT) else step

    # Certificates

    def _certify(
        self, office: Office, authorities: list[x509.Certificate], provision: Provision, step: Do
    ) -> Outcome | None:
        """A certificate, the first or a new one; None if it is here. Raises Refused, OSError."""
        assert self.key is not None
        places, facts = self._places, keys.held(self._places.certificate, self.key.public_key())
        if step is Do.RENEW and facts is not None:
            answer = office.enrol(keys.renewing_request(self.key, facts[1]), again=True)
        else:
            request = keys.first_request(self.key, self.serial)
            answer = office.enrol(request, serial=self.serial, code=provision.code)
        if answer.status == 401 and provision.code and self._counts():
            log.warning(
                "the card's code is not accepted; the certificate goes on", extra={"why": answer.text}
            )
            self._wipe_code(provision)
            return None
        if answer.status != 200:
            if step is Do.RENEW and answer.status in (401, 403):
                asked = self._assigned(office)  # a certificate that is renewed no more may be for leaving
                if asked.status == 200 and json_of(asked).get("erase") is True:
                    return self._leave(office)
                self._refused = True
            log.warning("no certificate", extra={"status": answer.status, "why": answer.text[:300]})
            return self._no(answer)
        made = certificates_of(answer)
        certificate = keys.accepted(made, self.key.public_key(), authorities, self.trust.now_ms())
        places.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        replace(places.office, json.dumps({"url": self._url}).encode(), 0o640)
        between = [
            one
            for one in authorities
            if one.subject != one.issuer and one.public_key() != self.key.public_key()
        ]
        self.trust.keep(authorities)
        if step is Do.ENROL:
            places.turn.unlink(
                missing_ok=True
            )  # before it counts: with another's the office takes it for a copy
        own = [certificate, *(one for one in between if one.subject == certificate.issuer)]
        replace(places.certificate, b"".join(one.public_bytes(Encoding.PEM) for one in own), keys.MODE)
        self._refused = False
        self._wipe_code(provision)
        log.info(
            "certified", extra={"until": text_of(int(certificate.not_valid_after_utc.timestamp() * 1000))}
        )
        return None

    def _no(self, answer: Answer) -> Outcome:
        because = answer.headers.get(WHY.lower(), "")
        return of_answer(
            answer.status, answer.text, answer.again_s, self.serial, short(self.print), because=because
        )

    def _counts(self) -> bool:
        held = self.held()
        return (
            held is not None and held.fits and held.serial == self.serial and not self._refused
            and self.trust.now_ms() < held.until_ms
        )  # fmt: skip

    def _wipe_code(self, provision: Provision) -> None:
        """A code that was used is on no disk any more; the home that came with it stays until it is taken."""
        if provision.code:
            kept = {"home": {"files": dict(provision.files)}} if provision.files else {}
            body = {"office": self._url, "ca": self.trust.ca(), **kept}  # JSON is YAML 1.2
            replace(self._places.provision, json.dumps(body, ensure_ascii=False).encode(), 0o600)

    # The daily visit

    def _visit(self, office: Office, provision: Provision) -> Outcome:
        held = self.held()
        assert held is not None
        made: list[x509.Certificate] = []
        with contextlib.suppress(Refused):
            made = certificates_of(office.cacerts())
            self.trust.keep(made)
        answer = self._assigned(office)
        if answer.status in (404, 405):
            return self._stranger(held, provision)
        if answer.status != 200:
            self._refused |= answer.status in (403, 409)
            return self._no(answer)
        found = json_of(answer)
        if found.get("erase") is True:
            return self._leave(office)
        leaving.end(self._places)
        if found.get("renew") is True and made:  # another authority issues by now
            outcome = self._certify(office, made, provision, Do.RENEW)
            if outcome is not None and (self._refused or self.held() is None or self._places.erase.exists()):
                return outcome
        return self._home(office, held, found, provision)

    def _assigned(self, office: Office) -> Answer:
        """What the office assigns, with its turn kept. Raises Refused, OSError."""
        turn = self._turn()
        answer = office.ask("GET", f"{OURS}/assignment", headers={TURN: turn} if turn else None)
        if answer.status == 200 and re.fullmatch(A_TURN, str(json_of(answer).get("turn"))):
            replace(self._places.turn, json_of(answer)["turn"].encode(), 0o600)
        return answer

    def _leave(self, office: Office) -> Outcome:
        """The office ends the tenancy."""
        held = self.held()
        assert held is not None
        leaving.order(self._places, held.home, self.serial)
        return leaving.begun(self._places, self.trust.now_ms()) or leaving.bring(self._places, office)

    def _turn(self) -> str:
        with contextlib.suppress(OSError):
            text = self._places.turn.read_text(encoding="ascii", errors="replace")
            return text if re.fullmatch(A_TURN, text) else ""
        return ""

    def _stranger(self, held: Held, provision: Provision) -> Outcome:
        """An EST server that is no office of ours: the card has to bring the home."""
        if not self._places.home.exists() and provision.files:
            try:
                assignment.take(self._places, provision.files, "")
            except assignment.NotTaken as wrong:
                return Outcome(State.FAILED, _on_card(wrong.why))
        if not self._places.home.exists():
            return Outcome(State.APPROVAL, Why("no_home", {"home": held.home}), again_s=300)
        self._places.provision.unlink(missing_ok=True)
        return Outcome(State.ENROLLED, Why("enrolled", {"home": held.home}), done=True)

    def _home(self, office: Office, held: Held, found: dict[str, Any], provision: Provision) -> Outcome:
        places = self._places
        office_of = {"url": self._url, "home": held.home}
        if read(places.office) != office_of:  # the gateway runs no other one
            replace(places.office, json.dumps(office_of).encode(), 0o640)
        for party in assignment.trust(places, found.get("trust")):
            office.told("trust", f"{party}: {OTHER_KEY}")
        if not places.home.exists():
            jws, files = (
                found.get("configuration"),
                assignment.files_of(places, found) or provision.files or None,
            )
            if not isinstance(jws, str) and files is None:
                return Outcome(State.APPROVAL, Why("no_home", {"home": held.home}), again_s=300)
            if found.get("backup") is True:
                self._take_backup(office)
            try:
                if isinstance(jws, str):
                    assignment.take_signed(places, jws, held.home)
                elif files is not None:
                    assignment.take(places, files, held.home)
            except assignment.NotTaken as wrong:
                office.told("home refused", wrong.text)
                return Outcome(State.FAILED, _on_card(wrong.why) if files is provision.files else wrong.why)
        elif not (here := assignment.of_home(places)):  # the gateway goes on with what it read last
            why = Why("home_wrong", {"text": "home.yaml names no home"})
            office.told(
                "home can't be read", f"{said(why)['why']['en']} (homenode check on the box tells more)"
            )
            return Outcome(State.FAILED, why, again_s=HOUR_S)
        elif here != held.home:
            why = Why("other_home", {"found": here, "home": held.home})
            do = f"it isn't run; homenode office leave {held.home} has the box erase it"
            office.told("another home on the box", f"{said(why)['why']['en']} {do}")
            return Outcome(State.FAILED, why, again_s=HOUR_S)
        elif (body := radios.to_send(places)) is not None:
            kind = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            answer = office.ask("PUT", f"{OURS}/backup", gzip.compress(body), kind)
            if answer.status == 200:
                radios.was_sent(places, body)
            else:  # tried again at the next visit
                log.warning("backup not kept", extra={"status": answer.status, "why": answer.text[:300]})
        key = "office_home" if self._passed_over(provision) else "enrolled"
        places.provision.unlink(missing_ok=True)
        return Outcome(State.ENROLLED, Why(key, {"home": held.home}), done=True)

    def _passed_over(self, provision: Provision) -> bool:
        """Whether the card brought another home than the one that is here."""
        brought = provision.files.get("home.yaml")
        return brought is not None and self._places.home.read_bytes() != brought.encode()

    def _take_backup(self, office: Office) -> None:
        """Before there is a home: without it the radio would form another network. Raises Unreachable."""
        answer: Answer = office.ask("GET", f"{OURS}/backup")
        if answer.status != 200:
            raise Unreachable(f"gives no backup of the radio: {answer.status}: {answer.text[:200]}")
        found = json_of(answer).get("radios")
        names = radios.put(self._places, found if isinstance(found, dict) else {}, self.trust.now_ms())
        log.info("backup of radios taken", extra={"radios": ", ".join(names)})


def _on_card(why: Why) -> Why:
    """The same of a file that an installer put on the card: no office can correct that."""
    return Why("card_home_wrong", why.facts) if why.key == "home_wrong" else why
