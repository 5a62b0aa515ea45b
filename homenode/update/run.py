"""`homenode update`: carries out what was ordered, step by step; a power cut costs the step under way."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from homenode.configure.signatures import read_key_file
from homenode.errors import HomenodeError, Refused, SetupError
from homenode.gateway.local_socket import ask
from homenode.gateway.logs import start_logging
from homenode.journal.lock import FolderLock
from homenode.update import exception, machine
from homenode.update.course import COMMITTED, OVER, Course, Stage, course_of, shown
from homenode.update.files import read_json, write_json
from homenode.update.host import Host
from homenode.update.load import Keys, Loader, Stopped
from homenode.update.machine import Boot, Do, Known
from homenode.update.order import Order, order_of
from homenode.update.places import Places, arm, disarm, left_by
from homenode.update.proof import BATTERY_MS, BROKER_MS, MINUTE_MS, Before, Seen, as_before, judge
from homenode.update.rauc import Rauc, RaucError
from homenode.update.versions import same

log = logging.getLogger("homenode.update")

FAST_DEADLINE_S = (BROKER_MS + 5 * MINUTE_MS) // 1000
FULL_DEADLINE_S = (BATTERY_MS + 30 * MINUTE_MS) // 1000
"""When the watch without Python falls back: later than the judge, who knows why."""
PROVE_MS, PROVEN_MS = 5_000, 60_000
"""Between two questions before and after the first stage of the proof."""
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
        self.course = self._kept()
        keys = Keys(*(path if (path := places.etc / name).exists() else None for name in
                      ("ca.pem", "node.pem", "node.key")))  # fmt: skip
        self._loader = Loader(places.own, keys, rate_b_s, self._progressed)
        self._seen, self._proof = Seen(heard=frozenset(self.course.heard)), None
        self._answered_ms = host.up_ms()
        self._progress: float | None = None
        slots = rauc.slots()
        self._booted = next((one for one in slots if one.booted), None)
        self._other = next((one for one in slots if not one.booted), None)
        if self._booted is None or self._other is None:
            raise SetupError("RAUC knows no two slots of which one runs", where="/etc/rauc/system.conf")

    def _kept(self) -> Course:
        record = read_json(self._places.course)
        try:
            return course_of(record) if record else Course()
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            log.error("what was kept can't be read", extra={"why": str(error)})
            return Course(highest=str((record or {}).get("highest", "")))

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
        if proof is not None:
            self._answered_ms = self._host.up_ms()
        self._proof = proof
        return proof

    def _known(self) -> Known:
        assert self._booted is not None
        order = self._order()
        now_ms = self._host.wall_ms(anyway=order is not None and order.clock_trusted)
        subject = self.course.order if self.course.stage in COMMITTED else order
        asked = self.course.stage is not Stage.TRYING and order is not None
        proof = self._ask() if asked else None
        return Known(
            now_ms=now_ms,
            minute=self._host.minute(now_ms, subject.timezone) if subject else None,
            order=order,
            running=self._host.version,
            slot=self._booted.bootname,
            loaded=order is not None and not order.cancel and self._loader.is_loaded(order),
            busy=_busy(proof) if proof is not None else None,
            deaf_ms=self._host.up_ms() - self._answered_ms,
            allows=self._why_not(order, now_ms) if order and order.id != _id(self.course) else "",
        )

    def _why_not(self, order: Order, now_ms: int | None) -> str:
        """Why the order's exception doesn't hold."""
        return exception.why_not(order, self._places.etc / "trust/operator.pem", now_ms)

    # -- what is kept and shown

    def _keep(self, course: Course) -> None:
        """Write it down before anything is done about it."""
        if course == self.course and self._places.state.exists():
            return
        if course.stage is not self.course.stage or course.why != self.course.why:
            log.info(course.stage.value, extra={"why": course.why.get("en", "")})
        self.course = course
        write_json(self._places.course, course.record())
        self._show()

    def _show(self) -> None:
        assert self._booted is not None
        told = shown(self.course, self._host.version, self._booted.bootname, self._progress)
        with contextlib.suppress(FileNotFoundError):  # no gateway here
            write_json(self._places.state, {**told, "boot": self._host.boot}, 0o644)

    def _progressed(self, part: float) -> None:
        order = self._order()
        if self.course.stage is Stage.LOADING and (order is None or order.id != _id(self.course)):
            raise Stopped
        if self._progress is None or abs(part - self._progress) >= _SHOWN_EACH:
            self._progress = part
            self._show()

    # -- what is done

    def run(self) -> None:
        """Until nothing is ordered, it is over, or the machine is to restart."""
        self.begin()
        while self.once():
            pass

    def begin(self) -> None:
        """A start: where does it leave the update?"""
        assert self._booted is not None
        starts, deadline_min = left_by(self._places)
        boot = Boot(self._host.boot, self._booted.bootname, starts, deadline_min)
        course = machine.booted(self.course, boot, self._host.wall_ms() or 0)
        if not course.highest:
            course = replace(course, highest=self._host.version)
        self._keep(course)
        if course.stage is Stage.TRYING:
            self._arm(FAST_DEADLINE_S)
        elif course.stage in OVER:
            disarm(self._places)
        if machine.winds_up(course):
            try:
                self._rauc.mark("good", "booted")
            except RaucError as error:
                log.error("the boot loader's counter is not wound up", extra={"why": str(error)})

    def once(self) -> bool:
        """One step; whether there is another."""
        known = self._known()
        step = machine.step(self.course, known)
        self._keep(step.course)
        try:
            match step.do:
                case Do.END:
                    self._loader.forget()
                    return False
                case Do.WAIT:
                    self._wait(step.wait_ms)
                case Do.LOAD:
                    self._load()
                case Do.INSTALL:
                    self._install(known)
                case Do.REBOOT:
                    return self._reboot()
                case Do.PROVE:
                    self._prove()
                case Do.FALL_BACK:
                    return self._fall_back()
        except (RaucError, OSError) as error:
            log.error("failed", extra={"do": step.do.name, "why": str(error)})
            self._host.sleep(_FAILED_MS)
        return True

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
        assert self._other is not None
        before = as_before(self._proof) if self._proof else Before()
        self._keep(machine.installing(self.course, known, before, self._other.bootname))
        code, more = "", ""
        try:
            bundle = self._rauc.inspect(self._loader.path)
            if bundle.compatible != (own := self._rauc.compatible):
                code, more = "board", f"{bundle.compatible}, {own}"
            elif not _same(bundle.version, order.version):
                code, more = "version", bundle.version
            else:
                arm(self._places, self._other.bootname, known.slot, FAST_DEADLINE_S)
                self._rauc.install(self._loader.path, self._progressed)
        except RaucError as error:
            code, more = "signature" if error.is_signature else "rauc", str(error)
        self._progress = None
        course = machine.installed(self.course, code, self._host.wall_ms() or 0, self._host.boot, more)
        self._keep(course)
        if course.stage is not Stage.REBOOTING:
            disarm(self._places)

    def _reboot(self) -> bool:
        """What the old version needs is kept beside by the gateway, which owns it; then restart."""
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
        self._seen = self._seen.add(self._ask(), up_ms := self._host.up_ms())
        verdict = judge(self.course.before, self._seen, up_ms)
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


def _id(course: Course) -> str:
    return course.order.id if course.order else ""


def _same(one: str, other: str) -> bool:
    with contextlib.suppress(ValueError):
        return same(one, other)
    return False


def _busy(proof: Mapping[str, Any]) -> bool:
    """Whether something goes on in the home that a restart would cut."""
    return bool(proof["open_alerts"] or proof["sessions"] or proof["walk"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of `homenode update`."""
    add = parser.add_argument
    add("--status", action="store_true", help="only show where the update is")
    add("--own", default="/var/lib/homenode-update", metavar="DIR", help="the updater's folder")
    add("--run", default="/run/homenode-update", metavar="DIR", help="for the wish to restart")
    add("--etc", default="/etc/homenode", metavar="DIR", help="keys and trust/operator.pem")
    add("--rate", type=int, default=512, metavar="KIB_S", help="of loading (default 512 KiB/s)")
    add("--bus", default="", metavar="ADDRESS", help="of D-Bus (default: the system's)")
    add("--log", choices=("text", "json"), default="text")
    add("--allow", default="", metavar="VERSION", help="sign leave to install this older version")
    add("--key", type=Path, metavar="FILE", help="with --allow: the operator's private key, in PEM")
    add("--until", metavar="TIME", help="with --allow: such as 2026-12-01T00:00:00+01:00")
    add("--for", dest="whom", default=exception.ANY, metavar="HOME", help="with --allow (default: all homes)")


def run(args: argparse.Namespace, data: Path) -> int:
    """Carry out what is ordered.

    Raises:
        SetupError: There is no RAUC, or another updater works here.
        Refused: Nothing was ordered that could be shown, or an exception can't be signed.
        StorageError: The updater's folder can't be written.
    """
    if args.allow:
        if args.key is None or args.until is None:
            raise Refused("--allow needs --key and --until")
        key = read_key_file(args.key, private=True)
        print(exception.sign(args.allow, args.whom, args.until, key))
        return 0
    places = Places(data, Path(args.own), Path(args.run), Path(args.etc))
    if args.status:
        record = read_json(places.state)
        if record is None:
            raise Refused("no update was ordered here", do="name the node's folder with --data")
        print(json.dumps(record, indent=2, ensure_ascii=False), file=sys.stdout)
        return 0
    start_logging(as_json=args.log == "json")
    with FolderLock.take(places.own), contextlib.closing(Rauc(args.bus)) as rauc:
        try:
            updater = Updater(places, rauc, Host(places.run / "restart"), max(1, args.rate) * 1024)
        except RaucError as error:
            raise SetupError(
                f"RAUC doesn't answer: {error}", do="is rauc installed and set up here?"
            ) from error
        updater.run()
    return 0
