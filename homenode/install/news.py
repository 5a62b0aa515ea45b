"""What happens meanwhile, printed on the installer's terminal line by line."""

from __future__ import annotations

from homenode.install.known import kind_called, look, value_in_words
from homenode.install.session import Session
from homenode.install.steps import Arrival
from homenode.install.view import troubles, want_in_words
from homenode.install.words import say


class News:
    """Each thing that happens is told once, and again when it was over and comes back."""

    def __init__(self, session: Session, language: str) -> None:
        self._session, self._language = session, language
        self._told: set[str] = set()
        self._noticed = 0

    async def watch(self) -> None:
        """Print what happens, until cancelled."""
        news = self._session.listen()
        self._show_news()
        while True:
            await news.wait()
            news.clear()
            self._show_news()

    def _show_news(self) -> None:
        steps = self._session.steps
        for notice in self._session.notices[self._noticed :]:
            print(f"\n! {notice}", flush=True)
        self._noticed = len(self._session.notices)
        now = troubles(steps, self._language)
        here = tuple(f"new {address} " for address in steps.arrivals)
        self._told = {  # what is over, and comes again, is told again
            one
            for one in self._told
            if not one.startswith(("lost ", "new "))
            or one.removeprefix("lost ") in now
            or one.startswith(here)
        }
        for why in now:
            self._once(f"lost {why}", f"\n! {why}")
        for arrival in steps.arrivals.values():
            text = f"\n+ {in_words(arrival, self._language)}"
            self._once(f"new {arrival.address} {arrival.kinds} {arrival.note}", text)
            for kind, value, at in arrival.signs:
                sign = value_in_words(kind, value, self._language)
                self._once(f"new {arrival.address} {kind} {at}", f"  {arrival.address}: {sign}")
        if steps.walk is not None:
            for name, row in steps.walk.rows.items():
                for kind, check in row.checks.items():
                    for want, at in check.seen.items():
                        seen = want_in_words(kind, want, self._language)
                        text = f"  * {name}: {kind_called(kind, self._language)} {seen} {at[11:19]}"
                        self._once(f"tick {name} {kind} {want} {at}", text)
                if row.passed:
                    self._once(f"passed {name} {row.at}", f"  = {name}: {self._word('passed')}")
            for rule, line in steps.walk.lines.items():
                for party, told in line.parties.items():
                    who = self._word(f"party_{party}")
                    if told.sent:
                        mark = "TEST" if told.test else self._word("unmarked")
                        self._once(f"sent {rule} {party} {told.sent}", f"  > {rule} -> {who} {mark}")
                    if told.acknowledged:
                        text = f"  < {rule}: {self._word('acknowledged')} {who} {told.by}"
                        self._once(f"ack {rule} {party} {told.acknowledged}", text)

    def _once(self, key: str, text: str) -> None:
        if key not in self._told:
            self._told.add(key)
            print(text, flush=True)

    def _word(self, key: str) -> str:
        return say(key, self._language)


def in_words(arrival: Arrival, language: str) -> str:
    """A device that joined, in a line."""
    called = look(arrival.kinds).called[language]
    about = " ".join(part for part in (arrival.manufacturer, arrival.model) if part)
    link = f", {say('link', language)} {arrival.lqi:.0f}" if arrival.lqi is not None else ""
    told = arrival.note[language]
    note = f" ({told})" if told else ""
    return f"{called}: {about or '?'}, {arrival.address}{link}{note}"
