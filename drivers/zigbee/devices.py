"""The devices of a network: who they are, what is known of them, and what is still to be asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import zigpy.types

from drivers.zigbee.asked import answer_to, guarded
from drivers.zigbee.asking import ask, ask_those_awake
from drivers.zigbee.ear import Ear, Known
from drivers.zigbee.interview import Asleep, Interview, identify, signature_of
from drivers.zigbee.later import Later
from drivers.zigbee.memory import Memory
from drivers.zigbee.notes import Note, told
from drivers.zigbee.outputs import do_pending
from drivers.zigbee.plan import Plan, make_plan
from drivers.zigbee.promises import Promises, may_be_silent_ms, supervised
from drivers.zigbee.rows import Row, row_for
from drivers.zigbee.short_path import Incoming
from drivers.zigbee.strangers import Strangers
from drivers.zigbee.supervision import Use
from homenode.driver import Host, Joined
from homenode.reading import Instant

log = logging.getLogger("homenode.zigbee")

TOUCH_MS = 60_000
"""So often a device's frame takes the general path too, so that zigpy knows that it is there."""
LEARN_TRIES = 6
"""Our part of an interview is begun so often; then the device is used as far as it is known."""
ENOUGH_TRIES = 3
"""Then it is used without what it still owes the meaning of: a zone's type, a scale."""
INTERVIEW_RETRY_S = (1.0, 3.0, 10.0, 30.0)
ABSENT_S = 300.0
"""What has power and answers nothing is asked again after so long; it announces itself when it is back."""
STATE_AGAIN_S = 1.0
COORDINATOR = 0x0000
"""Network address of the stick."""


class Devices:
    """Interviewed devices by network address and by IEEE address; listens to zigpy's application.

    Attributes:
        messages: Of devices, that went the general path.

    Args:
        app: The started application.
        names: IEEE address to name, from home.yaml.
        uses: What for, by name.
        file: Where facts are kept.
        group: Owns every task that is started here.
    """

    def __init__(
        self,
        app: Any,
        names: Mapping[str, str],
        uses: Mapping[str, Use],
        host: Host,
        file: Path,
        group: asyncio.TaskGroup,
    ) -> None:
        self._uses = uses
        self._app, self._names, self._host, self._group = app, names, host, group
        self._memory = Memory(file)
        self.by_address: dict[int, Known] = {}
        self._by_ieee: dict[str, Known] = {}
        self._tries: dict[str, int] = {}
        self._learning: set[str] = set()
        self._started = self._stopped = False
        self._strangers = Strangers()
        self._later = Later()
        self.ear = Ear(host, self._later, self._appeared)
        self.messages = 0
        self.heard_already: Callable[[], bool] = lambda: False

    def start(self) -> None:
        """Take over what zigpy knows, and ask for the state of all that can answer."""
        self._app.add_listener(self)
        self._app.announced = self._announced
        self._app.joined_anew = self._joined_anew
        self._app.unknown = self.unknown
        own = self._app.state.node_info.ieee
        for device in list(self._app.devices.values()):
            if device.ieee != own and device.is_initialized and hasattr(device, "endpoints"):
                self._adopt(device)
        self._started = True
        for ieee, address in list(self._memory.joining.items()):
            with contextlib.suppress(ValueError):  # an address that a person has edited
                self._app.handle_join(address, zigpy.types.EUI64.convert(ieee), 0, handle_rejoin=False)
        self._save()
        self._spawn(partial(ask_those_awake, self._by_ieee.values, self._host), "state at start")

    def stop(self) -> None:
        """Cancel what was to happen later, and begin nothing more."""
        self._stopped = True
        self._later.stop()

    def named(self, name: str) -> Known | None:
        """The interviewed device of this name."""
        return next((known for known in self._by_ieee.values() if known.name == name), None)

    def assign(self, names: Mapping[str, str], uses: Mapping[str, Use]) -> None:
        """home.yaml has other names, or wants something else of its devices."""
        before, self._names, self._uses = self._uses, names, uses
        for known in self._by_ieee.values():
            old, name = known.name, names.get(known.ieee, "")
            if name == old and uses.get(name) == before.get(name):
                continue
            if name != old:
                self._later.cancel(old)
                self.ear.named(known, name)
                if known.facts.left:
                    self._tell_left(known)
                elif known.facts.complete:
                    self.ask_later(known)
            self._replan(known)
        for ieee in self._memory.joining.keys() - self._by_ieee.keys():
            self._tell_unknown(ieee, "asked")

    def is_complete(self, ieee: str) -> bool:
        """Whether a device is interviewed and set up."""
        known = self._by_ieee.get(ieee)
        return known is not None and known.facts.complete and ieee not in self._learning

    # --- what zigpy tells --------------------------------------------------------------------------------

    def device_joined(self, device: Any) -> None:
        """A device joined or has another network address."""
        ieee = str(device.ieee)
        if ieee not in self._by_ieee:
            self._tell_unknown(ieee, "asked")
            self._memory.joining[ieee] = int(device.nwk)
            self._save()
        self._index()

    def device_initialized(self, device: Any) -> None:
        """zigpy's part of the interview is done, or was before."""
        self._tries.pop(str(device.ieee), None)
        self._memory.joining.pop(str(device.ieee), None)
        self._adopt(device)

    def device_init_failure(self, device: Any) -> None:
        """It didn't answer; try again, a few times."""
        ieee = str(device.ieee)
        tried = self._tries.get(ieee, 0)
        self._tries[ieee] = tried + 1
        if again := tried < len(INTERVIEW_RETRY_S):
            self._later((ieee, "interview"), INTERVIEW_RETRY_S[tried], device.schedule_initialize)
        else:
            self._memory.joining.pop(ieee, None)
            self._save()
        key = "asked_again" if again else "answers_nothing"
        note = Note("code_wrong" if ieee == self._app.by_code else key)
        if note.key != "asked_again":
            log.warning("not interviewed", extra={"device": self._names.get(ieee, ieee), "why": note.text()})
        self._tell_unknown(ieee, note.key)

    def _tell_unknown(self, ieee: str, key: str) -> None:
        text = told([Note(key)])
        self._host.joined(Joined(ieee, self._names.get(ieee, ""), "", "", (), None, text["en"], text))

    def expect(self, ieee: str, within_s: float) -> None:
        """It may join by its install code for so long; that nobody did is told then, as nobody else says."""
        self._later((ieee, "code"), within_s, lambda: self._missed(ieee))

    def _missed(self, ieee: str) -> None:
        if ieee in self._by_ieee or ieee != self._app.by_code:
            return
        asked = ieee in self._memory.joining or ieee in self._tries
        log.warning("nobody joined by the install code", extra={"ieee": ieee, "asked to": asked})
        self._tell_unknown(ieee, "code_wrong" if asked else "code_unheard")

    def device_left(self, device: Any) -> None:
        """It said that it leaves, or was told to."""
        known = self._by_ieee.get(str(device.ieee))
        if known is None:
            return
        known.facts.complete, known.facts.left = False, True
        self._save()
        self._tell_left(known)

    def forget(self, ieee: str) -> None:
        """It was sent away; what it still says until it hears of that is a stranger's."""
        self._by_ieee.pop(ieee, None)
        self._memory.forget(ieee)
        self._index()
        self._save()

    def _tell_left(self, known: Known) -> None:
        if known.name:
            self._host.lost(f"{known.name} left", f"{known.name} has left the network", (known.name,))

    def handle_message(
        self, sender: Any, profile: int, cluster: int, source: int, target: int, message: bytes
    ) -> None:
        """Any frame on the general path."""
        self.messages += 1
        if source == 0:
            return
        known = self._by_ieee.get(str(sender.ieee))
        if (
            answer := answer_to(sender, cluster, source, message, lambda: known is None or known.waits)
        ) is not None:
            self._spawn(answer, "answer")
        if known is None:
            return
        if not self.heard_already():
            self.ear.hear(known, source, cluster, message, -1, None)
        self._heard(known)

    def _announced(self, ieee: Any) -> None:
        known = self._by_ieee.get(str(ieee))
        if known is None:
            return
        known.asked = False
        self._index()
        for one in self._strangers.known_now(int(known.device.nwk), self._host.now()):
            self.ear.hear(known, one.source_endpoint, one.cluster, one.payload, one.sequence, one.lqi)
        self._heard(known)
        if not known.sleepy:
            self.ask_later(known)

    def _joined_anew(self, ieee: Any) -> None:
        """It joined as a new device: its bindings and enrolment are gone."""
        known = self._by_ieee.get(str(ieee))
        if known is not None:
            known.facts.complete = False
            known.tries = 0

    # --- what the short path tells -----------------------------------------------------------------------

    def found(self, message: Incoming) -> Known | None:
        """Whose network address this is: a device that came back with another one, or was forgotten."""
        for known in self._by_ieee.values():
            if known.number == message.ieee:
                self._app.handle_join(message.sender, known.device.ieee, 0, handle_rejoin=False)
                return known
        self._strangers.keep(message, self._host.now())
        self.unknown(message.sender, message.ieee)
        return None

    def unknown(self, address: int, number: int = 0) -> None:
        """Look into a network address that nobody knows, now and then."""
        if self._strangers.due(address, self._host.now()) and all(
            int(device.nwk) != address for device in self._app.devices.values()
        ):
            self._spawn(partial(identify, self._app, address, number), f"who is 0x{address:04x}")

    def touched(self, known: Known, message: Incoming) -> bool:
        """A frame took the short path. True if it is to take the general one too, for zigpy's bookkeeping."""
        known.device.lqi, known.device.rssi = message.lqi, message.rssi
        if not known.asked or not known.facts.complete:
            self._heard(known)
        now: Instant = self._host.now()
        if now - known.seen_at < TOUCH_MS:
            return False
        known.seen_at = now
        return True

    # --- knowing -----------------------------------------------------------------------------------------

    def _adopt(self, device: Any) -> None:
        ieee = str(device.ieee)
        if device.ieee == self._app.state.node_info.ieee or int(device.nwk) == COORDINATOR:
            return  # the stick, or one that was here before it
        known = self._by_ieee.get(ieee)
        if known is None or known.device is not device:
            signature = signature_of(device)
            known = Known(
                ieee=ieee,
                number=int.from_bytes(device.ieee.serialize(), "little"),
                name=self._names.get(ieee, ""),
                plan=Plan(),
                facts=self._memory.facts(ieee),
                device=device,
                sleepy=signature.sleepy,
            )
            self._by_ieee[ieee] = known
            if self._started and not known.sleepy:
                self.ask_later(known)
        self._replan(known)
        self._index()
        if not self._started:
            self.ear.clear_later(known)
        if known.facts.left and not self._started:
            self._tell_left(known)
        else:
            self._heard(known)

    def _row(self, known: Known) -> Row:
        return row_for(known.device.manufacturer or "", known.device.model or "")

    def _replan(self, known: Known, *, tell: bool = True) -> None:
        row = self._row(known)
        if known.facts.constant:
            known.plan = make_plan(signature_of(known.device), known.facts, row)
        if not tell or self._by_ieee.get(known.ieee) is not known:  # sent away, or joined anew, meanwhile
            return
        found = supervised(known, self._uses.get(known.name, Use()), row, self._host)
        notes = [*known.plan.notes(row), *known.facts.notes, *([found] if found else ())]
        if not known.facts.constant:
            notes.append(Note("asked" if known.tries < LEARN_TRIES else "says_nothing"))
        text = told(notes)
        self._host.joined(
            Joined(
                known.ieee,
                known.name,
                known.device.manufacturer or "",
                known.device.model or "",
                known.plan.kinds,
                may_be_silent_ms(known, row, asked=known.facts.complete or known.tries >= LEARN_TRIES),
                text["en"],
                text,
            )
        )

    def _index(self) -> None:
        self.by_address.clear()
        self.by_address.update((int(known.device.nwk), known) for known in self._by_ieee.values())

    def _appeared(self, known: Known, kind: str) -> None:
        known.facts.seen.add(kind)
        self._replan(known)
        self._save()

    def _save(self) -> None:
        try:
            self._memory.save()
        except OSError as fault:
            log.warning("facts of devices not kept", extra={"why": fault.strerror})

    # --- asking ------------------------------------------------------------------------------------------

    def _heard(self, known: Known) -> None:
        """It is there, and awake now: go on with its interview, or ask for its state once."""
        if known.facts.left:
            known.facts.left = False
            self._save()
            if known.name:
                self._host.back(f"{known.name} left")
        if not known.facts.complete:
            if known.ieee not in self._learning and known.tries < LEARN_TRIES:
                known.tries += 1
                self._learning.add(known.ieee)
                self._spawn(partial(self._learn, known), f"interview {known.ieee}")
        elif known.sleepy and not known.asked:
            known.asked = True
            self._spawn(partial(ask, known), f"state of {known.ieee}")
        elif known.pending:
            self._spawn(partial(do_pending, known), f"what waited for {known.ieee}")

    async def _learn(self, known: Known) -> None:
        signature, own, name = signature_of(known.device), self._app.state.node_info.ieee, known.name
        interview = Interview(known.device, own, signature, known.facts)
        again = True
        try:
            if await self._interviewed(known, interview):
                known.facts.complete, known.asked = True, known.name == name
        except Asleep:
            known.facts.constant |= known.tries >= ENOUGH_TRIES and interview.answered > 0
            log.info("fell asleep", extra={"device": known.name or known.ieee, "tries": known.tries})
            again = not known.sleepy  # a sleeper goes on when it is heard
        finally:
            self._learning.discard(known.ieee)
            self._save()
            self._replan(known)
        if not known.facts.complete:
            if again:
                self._learn_later(known, there=interview.answered > 0)
            return
        log.info(
            "interviewed", extra={"device": known.name or known.ieee, "kinds": ",".join(known.plan.kinds)}
        )
        if not known.asked:  # what it said meanwhile it said under another name
            self.ask_later(known)

    async def _interviewed(self, known: Known, interview: Interview) -> bool:
        row = self._row(known)
        await interview.begin(row)
        constant = await interview.constants()
        known.facts.constant = constant or known.facts.constant or known.tries >= ENOUGH_TRIES
        if not known.facts.constant:
            return False
        self._replan(known, tell=False)
        answered = await interview.states(row, enough=known.tries >= ENOUGH_TRIES)
        self._replan(known)
        await interview.reports(known.plan)
        signature, own = signature_of(known.device), self._app.state.node_info.ieee
        promises = Promises(known.device, own, signature, known.facts, interview.ask)
        await promises.settle(known.plan, interview.to_bind(known.plan))
        return answered

    def _learn_later(self, known: Known, *, there: bool) -> None:
        """What has power may have nothing to say until then."""
        if not there:
            known.tries -= 1
        wait_s = INTERVIEW_RETRY_S[min(known.tries, len(INTERVIEW_RETRY_S)) - 1] if there else ABSENT_S
        self._later((known.ieee, "interview"), wait_s, lambda: self._heard(known))

    def ask_later(self, known: Known) -> None:
        """Have a device say its state, after what it is doing now."""
        self._later((known.ieee, "state"), STATE_AGAIN_S, partial(self._spawn, partial(ask, known), "state"))

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        if not self._stopped:
            self._group.create_task(guarded(work, name), name=f"zigbee {name}")
