"""Carries out what was ordered, step by step; a power cut costs the step under way."""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from homenode.errors import HomenodeError, SetupError, StorageError
from homenode.gateway.local_socket import ask
from homenode.journal.codec import SCHEMA
from homenode.update import exception, machine, versions
from homenode.update.course import COMMITTED, OVER, Course, Stage, course_of, shown
from homenode.update.files import read_json, reserve, write_json
from homenode.update.host import Host
from homenode.update.load import Keys, Loader, Stopped
from homenode.update.machine import Boot, Do, Known, Step
from homenode.update.order import Order, order_of
from homenode.update.places import Places, arm, disarm, left_by, trial_of
from homenode.update.proof import BATTERY_MS, MINUTE_MS, RADIO_MS, Before, Seen, as_before, judge
from homenode.update.rauc import Rauc, RaucError
from homenode.update.reach import looked_at
from homenode.update.words import why

log = logging.getLogger("homenode.update")

FAST_DEADLINE_S = (RADIO_MS + 10 * MINUTE_MS) // 1000
FULL_DEADLINE_S = (BATTERY_MS + 30 * MINUTE_MS) // 1000
"""When the watch without Python falls back: later than the judge, who knows why."""
PROVE_MS, PROVEN_MS = 5_000, 60_000
"""Between two questions before and after the first stage of the proof."""
WORKS_MS = 30 * MINUTE_MS
"""Of a start of the machine, until which the gateway of a good slot must have answered."""
RESTARTS_MS = 10 * MINUTE_MS
"""The machine restarts within seconds; what hangs is ended after minutes."""
_ASK_S = 10.0
_FAILED_MS = 60_000
"""Between tries where RAUC or the disk didn't do what must be done."""
_SHOWN_EACH = 0.02


class Updater:
    """One machine's.

    Args:
        places: Where what is kept.
        rauc: Which installs.
        host: The machine.
        rate_b_s: How fast a bundle may come.
    """

    def __init__(self, places: Places, rauc: Rauc, host: Host, rate_b_s: int) -> None:
        self._places, self._rauc, self._host = places, rauc, host
        slots = rauc.slots()
        booted = next((one for one in slots if one.booted), None)
        other = next((one for one in slots if not one.booted), None)
        if booted is None or other is None:
            raise SetupError("RAUC knows no two slots of which one runs", where="/etc/rauc/system.conf")
        self._booted, self._other = booted, other
        self.course = self._kept()
        self._owed = False  # what is kept is not what is, as the disk takes nothing
        keys = Keys(*(path if (path := places.etc / name).exists() else None for name in
                      ("ca.pem", "node.pem", "node.key")))  # fmt: skip
        self._loader = Loader(places.own, keys, rate_b_s, self._progressed)
        again_ms = host.up_ms() if _passed(self.course, host.boot) else 0
        self._seen = Seen(heard=frozenset(self.course.heard), again_ms=again_ms, reached_ms=again_ms)
        self._proof: Mapping[str, Any] | None = None
        self._answered_ms = self._linked_ms = host.up_ms()
        self._moment = host.up_ms() // machine.BUSY_MS
        self._progress: float | None = None
        self._counted = False

    def _kept(self) -> Course:
        path = self._places.course
        record, trial = read_json(path), trial_of(self._places)
        try:
            if record:
                return course_of(record)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            log.error("what was kept can't be read", extra={"why": str(error)})
        order = self._order() if path.exists() else None  # without the file it is the first one ever
        now_ms, boot = self._host.wall_ms() or 0, self._boot()
        found = machine.lost(order, running=self._host.version, boot=boot, trial=trial, now_ms=now_ms)
        with contextlib.suppress(ValueError, TypeError):
            highest = (record or {}).get("highest", "")
            versions.key(highest)
            return replace(found, highest=highest)
        return found

    def _boot(self) -> Boot:
        return Boot(self._host.boot, self._booted.bootname, *left_by(self._places), self._other.good)

    # -- what is known

    def _order(self) -> Order | None:
        record = read_json(self._places.order)
        try:
            return order_of(record) if record else None
        except (ValueError, TypeError) as error:
            log.error("the order can't be read", extra={"why": str(error)})
            return None

    def _ask(self) -> Mapping[str, Any] | None:
        """What the gateway says of itself; None if it doesn't answer."""
        try:
            answer = next(ask(self._places.data, {"do": "proof"}, _ASK_S), {})
        except (HomenodeError, ValueError) as error:
            log.debug("no proof", extra={"why": str(error)})
            return None
        proof = answer.get("result") if answer.get("ok") else None
        if proof is not None and proof["up_ms"] >= machine.SETTLED_MS:
            self._answered_ms = self._host.up_ms()
        self._proof = proof
        return proof

    def _known(self) -> Known:
        order = self._order() or self.course.order
        now_ms = self._host.wall_ms(anyway=order is not None and order.clock_trusted)
        subject = self.course.order if self.course.stage in COMMITTED else order
        asked = self.course.stage is not Stage.TRYING and order is not None
        proof, up_ms = self._ask() if asked else None, self._host.up_ms()
        if not asked or (proof is not None and (proof["broker"] is None or proof["link"] == "up")):
            self._linked_ms = up_ms
        return Known(
            now_ms=now_ms,
            minute=self._host.minute(now_ms, subject.timezone) if subject else None,
            order=order,
            running=self._host.version,
            slot=self._booted.bootname,
            loaded=order is not None and not order.cancel and self._loader.is_loaded(order),
            busy=_busy(proof) if proof is not None else None,
            up_ms=proof["up_ms"] if proof is not None else 0,
            deaf_ms=up_ms - self._answered_ms,
            cut_ms=up_ms - self._linked_ms,
            allows=self._why_not(order, now_ms) if asked and order else "",
        )

    def _why_not(self, order: Order, now_ms: int | None) -> str:
        """Why the order's exception doesn't hold."""
        from homenode.configure.place import signers

        return exception.why_not(order, signers(self._places.etc) / "operator.pem", now_ms)

    # -- what is kept and shown

    def _keep(self, course: Course) -> None:
        """Write it down before anything is done about it. Raises OSError; then it stays as it was.

        A trial goes on all the same, and a version that lets nothing be written falls back.
        """
        if course == self.course and not self._owed and self._places.state.exists():
            return
        try:
            self._write(course)
            self._owed = False
        except OSError as error:
            if course.stage not in (Stage.TRYING, Stage.FALLING):
                raise
            self._owed = True
            log.error("not kept", extra={"stage": course.stage.value, "why": str(error)})
        if course.stage is not self.course.stage or course.why != self.course.why:
            log.info(course.stage.value, extra={"why": course.why.get("en", "")})
        self.course = course
        self._show()

    def _write(self, course: Course) -> None:
        """On a full disk in the room that is kept for it, but not what is said on the way. Raises OSError."""
        try:
            write_json(self._places.course, course.record())
        except OSError as error:
            kept = self._places.reserve
            if error.errno != errno.ENOSPC or course.stage is Stage.TRYING or not kept.exists():
                raise
            kept.unlink()
            write_json(self._places.course, course.record())

    def _show(self) -> None:
        told = shown(self.course, self._host.version, self._booted.bootname, self._progress)
        try:
            write_json(self._places.state, {**told, "boot": self._host.boot}, 0o644)
        except FileNotFoundError:  # no gateway here
            pass
        except OSError as error:
            log.error("not shown", extra={"why": str(error)})

    def _progressed(self, part: float) -> None:
        order = self._order()
        if self.course.stage is Stage.LOADING and order is not None and order.id != _id(self.course):
            raise Stopped
        if self._progress is None or abs(part - self._progress) >= _SHOWN_EACH:
            self._progress = part
            self._show()

    # -- what is done

    def run(self) -> None:
        """Until nothing is ordered, it is over, or the machine restarts.

        Raises:
            SetupError: It doesn't restart.
            StorageError: Nothing can be kept.
        """
        try:
            self.begin()
        except OSError as error:
            raise StorageError(f"can't be written: {error}", where=str(self._places.own)) from error
        while self.once():
            pass
        if self.course.stage in (Stage.REBOOTING, Stage.FALLING):
            self._host.sleep(RESTARTS_MS)
            raise SetupError("the machine was asked to restart and doesn't", do="restart it by hand")

    def begin(self) -> None:
        """A start: where does it leave the update? Raises OSError."""
        course = machine.booted(self.course, self._boot(), self._host.wall_ms() or 0)
        if not course.highest and machine.winds_up(course, self._booted.bootname):
            course = replace(course, highest=self._host.version)
        self._keep(course)
        if course.stage is Stage.TRYING:  # perhaps only this process starts anew
            try:
                self._arm(FULL_DEADLINE_S if _passed(course, self._host.boot) else FAST_DEADLINE_S)
            except OSError as error:
                log.error("the watch has the time that it had", extra={"why": str(error)})
        elif course.stage in OVER:
            disarm(self._places)

    def once(self) -> bool:
        """One step; whether there is another.

        Raises:
            SetupError: RAUC's connection is gone; another process has another one.
        """
        do = Do.WAIT
        try:
            if not self._places.order.exists():
                self._keep(machine.forgotten(self.course))
            self._counted = self._counted or self._wind_up()
            known = self._known()
            step = machine.step(self.course, known)
            do = step.do
            self._keep(step.course)
            return self._done(step, known)
        except (RaucError, OSError) as error:
            if isinstance(error, RaucError) and error.is_gone:  # another connection: another process
                raise SetupError(str(error)) from error
            log.error("failed", extra={"do": do.name, "why": str(error)})
            self._host.sleep(_FAILED_MS)
        return True

    def _done(self, step: Step, known: Known) -> bool:
        match step.do:
            case Do.END:
                self._loader.forget()
                if not self._counted:
                    self._host.sleep(machine.LOOK_MS)
                return not self._counted
            case Do.WAIT:
                self._wait(step.wait_ms)
            case Do.LOAD:
                with self._unasked():
                    self._load()
            case Do.INSTALL:
                with self._unasked():
                    self._install(known)
            case Do.REBOOT:
                return self._reboot()
            case Do.TAKE_BACK:
                self._take_back()
            case Do.PROVE:
                self._prove()
            case Do.FALL_BACK:
                return self._fall_back()
        return True

    def _wind_up(self) -> bool:
        """A good slot runs: the boot loader, which counts each start, counts anew; whether that is settled.

        Not before the gateway has answered: where that no longer works the counter runs down, and the other
        slot is started. A box without a home has no gateway.
        """
        if not machine.winds_up(self.course, self._booted.bootname):
            return True
        if (self._places.etc / "home.yaml").exists() and self._ask() is None:
            if self._host.up_ms() < WORKS_MS:
                return False
            log.error("this start counts against the slot: the gateway doesn't answer")
            return True
        self._rauc.mark("good", "booted")
        return True

    @contextlib.contextmanager
    def _unasked(self) -> Iterator[None]:
        """Nobody asks the gateway meanwhile: that time is none in which it was silent, or its link down."""
        since_ms = self._host.up_ms()
        try:
            yield
        finally:
            passed_ms = self._host.up_ms() - since_ms
            self._answered_ms += passed_ms
            self._linked_ms += passed_ms

    def _load(self) -> None:
        assert self.course.order is not None
        try:
            found = self._loader.load(self.course.order)
        except Stopped:
            return
        finally:
            self._progress = None
        course, wait_ms = machine.loaded(self.course, found.code, self._host.wall_ms() or 0, found.more)
        self._keep(course)
        self._wait(wait_ms)

    def _wait(self, wait_ms: int) -> None:
        """So long, or until something else is ordered."""
        while wait_ms > 0:
            self._host.sleep(min(wait_ms, machine.LOOK_MS))
            wait_ms -= machine.LOOK_MS
            order = self._order()
            if order is not None and order.id != _id(self.course):
                return

    def _install(self, known: Known) -> None:
        order = self.course.order
        assert order is not None
        before = as_before(self._proof) if self._proof else Before(journal=SCHEMA)
        code, more = "", ""
        if highest := machine.older_than(
            self.course, order, known.running
        ):  # once more: it was put off since
            told = why("older", version=order.version, highest=highest)
            if order.exception and (over := self._why_not(order, known.now_ms)):
                told = why("exception", more=over)
            if not order.exception or over:
                self._keep(self.course.to(Stage.REFUSED, told, known.now_ms or 0))
                return
        self._rauc.idle()
        try:
            bundle = self._rauc.inspect(self._loader.path)
            if bundle.compatible != (own := self._rauc.compatible):
                code, more = "board", f"{bundle.compatible}, {own}"
            elif not _same(bundle.version, order.version):
                code, more = "version", bundle.version
        except RaucError as error:
            code, more = "signature" if error.is_signature else "rauc", str(error)
        if not code:
            self._keep(machine.installing(self.course, known, before, self._other.bootname))
            arm(self._places, self._other.bootname, known.slot, FAST_DEADLINE_S)
            reserve(self._places.reserve)
            try:
                self._rauc.install(self._loader.path, self._progressed)
            except RaucError as error:
                if error.is_gone:
                    raise
                code, more = "rauc", str(error)
        self._progress = None
        course = machine.installed(self.course, code, self._host.wall_ms() or 0, self._host.boot, more)
        self._keep(course)
        if course.stage is not Stage.REBOOTING:
            disarm(self._places)
        if course.stage is Stage.INSTALLING:
            self._host.sleep(_FAILED_MS)

    def _take_back(self) -> None:
        """What was installed is not started after all; a power cut in between leaves a trial, or none."""
        self._rauc.mark("active", "booted")
        self._rauc.mark("good", "booted")
        self._rauc.mark("bad", "other")
        self._keep(machine.taken_back(self.course, self._host.wall_ms() or 0))
        disarm(self._places)

    def _reboot(self) -> bool:
        """What the old version has now is asked of the new one; what it needs is kept beside by the gateway,
        which owns it; then restart."""
        if self._proof:
            self._keep(replace(self.course, before=as_before(self._proof)))
        self._show()
        try:
            for answer in ask(self._places.data, {"do": "keep"}, _ASK_S * 6):
                if not answer.get("ok"):
                    log.error("nothing is kept beside", extra={"why": answer.get("error")})
        except HomenodeError as error:
            log.error("nothing is kept beside", extra={"why": str(error)})
        self._loader.forget()
        self._host.restart()
        return False

    def _prove(self) -> None:
        proof = self._ask()
        self._seen = self._seen.add(proof and looked_at(proof), up_ms := self._host.up_ms())
        verdict = judge(self.course.before, self._seen, up_ms)
        moment, before = up_ms // machine.BUSY_MS, self._moment
        self._moment = moment
        if moment == before:  # the operator, who sees when it became good, is not to see when somebody moved
            verdict = replace(verdict, good=False)
        fast_before = self.course.fast == self.course.boots
        course = machine.judged(self.course, verdict, sorted(self._seen.heard), self._host.wall_ms() or 0)
        if course.stage is Stage.GOOD:  # first the boot loader: a cut in between is one more proof
            self._rauc.mark("good", "booted")
            self._keep(course)
            disarm(self._places)
            return
        if course.stage is Stage.TRYING and verdict.fast and not fast_before:
            self._rauc.mark("active", "booted")
            self._arm(FULL_DEADLINE_S)
        self._keep(course)
        if course.stage is Stage.TRYING:
            self._host.sleep(PROVEN_MS if verdict.fast else PROVE_MS)

    def _fall_back(self) -> bool:
        self._rauc.mark("bad", "booted")
        self._rauc.mark("active", "other")
        self._host.restart()
        return False

    def _arm(self, deadline_s: int) -> None:
        arm(self._places, self.course.slot, self.course.source_slot, deadline_s)


def _passed(course: Course, boot: str) -> bool:
    """Whether the first stage of the proof was passed in this start of the machine."""
    return course.stage is Stage.TRYING and course.boot == boot and course.fast == course.boots


def _id(course: Course) -> str:
    return course.order.id if course.order else ""


def _same(one: str, other: str) -> bool:
    with contextlib.suppress(ValueError):
        return versions.same(one, other)
    return False


def _busy(proof: Mapping[str, Any]) -> bool:
    """Whether something goes on in the home that a restart would cut."""
    return bool(proof["open_alerts"] or proof["sessions"] or proof["walk"])
