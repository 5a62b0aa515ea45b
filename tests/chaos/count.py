"""The count: what the world did, against what each party wrote down when it came (pure)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos.home import PARTIES, SENSORS
from tests.chaos.world import Occasion

Came = Sequence[tuple[str, Mapping[str, Any]]]
"""(topic, body) of alerts, in the order in which they came; repeats too."""


def once(came: Came) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Repeats removed, as a receiver does."""
    first: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for topic, body in came:
        first.setdefault(body["id"], (topic, body))
    return first


def missing(home: str, due: Sequence[Occasion], came: Mapping[str, Came]) -> Counter[tuple[str, str, str]]:
    """Messages that must be under way and have not yet come, by party, rule and event; `came`: by party."""
    wanted: Counter[tuple[str, str, str]] = Counter()
    for one in due:
        for party in one.sensor.to:
            wanted[party, one.sensor.rule, "notified"] += 1
            if one.resolved:
                wanted[party, one.sensor.rule, "resolved"] += 1
    for party, messages in came.items():
        for topic, body in once(messages).values():
            if topic.startswith(f"hn1/{home}/"):
                wanted[party, body["subject"], body["data"]["event"]] -= 1
    return +wanted


def wrong(
    home: str, occasions: Sequence[Occasion], came: Mapping[str, Came], asked: Sequence[tuple[str, bool]]
) -> Iterator[str]:
    """All that is lost, doubled, out of order, or somebody else's.

    Args:
        asked: Alerts that a party wanted to acknowledge, and whether the home said that it has done so.
    """
    to = {one.rule: one.to for one in SENSORS}
    taken = Counter(alert for alert, done in asked if done)
    # Refused may be the answer to a repeat: the clock was wrong by then, or the alert over.
    perhaps = Counter(alert for alert, done in asked if not done)
    happened = Counter(one.sensor.rule for one in occasions)
    for party in PARTIES:
        mine = [(topic, body) for topic, body in came[party] if topic.startswith(f"hn1/{home}/")]
        for topic, body in mine:
            if topic != f"hn1/{home}/{party}/alerts":
                yield f"{party} got {topic}"
            elif body["type"].rpartition(".")[2] in ("fault", "recovered"):
                if party != "operator":
                    yield f"{party} got a fault of the node: {body['data']['text']['en']}"
            elif party not in to.get(body["subject"], ()):
                yield f"{party} got an alert of {body['subject']}"
        yield from (f"{party}: {what}" for what in badly_told(mine))
        alerts: dict[str, list[str]] = defaultdict(list)
        rules: dict[str, str] = {}
        for _, body in once(mine).values():
            if body["subject"] in to:
                alerts[body["data"]["alert"]].append(body["data"]["event"])
                rules[body["data"]["alert"]] = body["subject"]
        for alert, story in alerts.items():
            first, *answers, last = [*story, ""] if len(story) < 2 else story
            least, most = taken[alert], taken[alert] + perhaps[alert]
            told_well = (first, last) == ("notified", "resolved") and set(answers) <= {"acknowledged"}
            if not (told_well and least <= len(answers) <= most):
                yield f"{party}: {rules[alert]} {alert} told as {', '.join(story)}"
        told = Counter(rules.values())
        for rule, parties in to.items():
            if party in parties and told[rule] != happened[rule]:
                yield f"{party}: {rule} happened {happened[rule]} times and was told {told[rule]} times"


def badly_told(came: Came) -> Iterator[str]:
    """What is wrong with messages of one home to one party, whatever they are about."""
    first = once(came)
    for topic, body in came:
        if first[body["id"]] != (topic, body):
            yield f"{body['id']} came again with other contents"
    numbers: dict[str, list[int]] = defaultdict(list)
    alerts: dict[tuple[str, str], list[int]] = defaultdict(list)
    for _, body in first.values():
        numbers[body["epoch"]].append(int(body["sequence"]))
        alerts[body["data"].get("alert", body["id"]), body["epoch"]].append(int(body["sequence"]))
    for epoch, given in numbers.items():
        if sorted(given) != list(range(1, len(given) + 1)):
            holes = sorted(set(range(1, max(given) + 1)) - set(given))
            twice = [number for number, times in Counter(given).items() if times > 1]
            yield f"epoch {epoch}: holes {holes[:9]}, given twice {twice[:9]}"
    for (alert, _), given in alerts.items():
        if given != sorted(given):
            yield f"{alert} came in the order {given}"
