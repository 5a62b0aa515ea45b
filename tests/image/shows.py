"""What is shown of the image, each from a card fresh from it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.request import Request, urlopen

from deploy.image import boot_state, root
from deploy.image.tools import REPOSITORY
from tests.image import boxes, cuts, damage, figures, same, updates
from tests.image.flat import Flat, flat
from tests.image.machine import SIDE_NET
from tests.image.show import Given, Result

WHEELS = "import importlib.metadata as m; [print(one.name, one.version) for one in m.distributions()]"


def first(given: Given) -> Iterator[Result]:
    """From the flash to the first alert, and a start anew."""
    with flat(given.made, given.image, given.folder) as home:
        yield Result("first start, enrolled, online", True, f"{home.start():.0f} s from power on")
        paired = home.pair()
        yield Result("sensors paired", paired == {"front_door", "lamp"}, ", ".join(sorted(paired)))
        yield Result("a door's alert at care", True, f"{home.trip():.2f} s, again {home.trip():.2f} s")
        gone = "homenode-provision.yaml" not in home.ask("ls /boot/firmware")
        yield Result("provisioning file taken and wiped", gone, "")
        failed = home.ask("systemctl --failed --no-legend --plain").strip()
        yield Result("no unit failed", not failed, failed)
        home.until(lambda: f"{SIDE_NET}.1:8650" in home.ask("ss -Hltn"), "the panel's page is there")
        listening = home.ask("ss -Hltun | awk '$5 !~ /127\\.|::1/ {print $1, $5}'").split("\n")
        only_ssh = all(one.endswith((":22", ":68", f"{SIDE_NET}.1:8650")) for one in listening if one)
        yield Result("what listens beyond the machine", only_ssh, "; ".join(filter(None, listening)))
        yield Result("the panel, from the apartment's side", *_panel(home))
        yield Result("time servers that the network names", True, _time(home))
        yield _materials(given, home)
        native = (REPOSITORY / "tests/deb/native.py").read_text()
        run = "cat >/tmp/native.py && /usr/lib/homenode/bin/python /tmp/native.py"
        said = home.machine.ask(home.world.key, run, 600, given=native).strip()
        yield Result("what wheels bring runs", said.endswith("on paper"), said)
        home.ask("systemctl reboot || true")
        home.until(lambda: not home.links()[-1], "offline")
        home.until(lambda: home.links()[-1], "online again")
        home.until(home.radio_up, "radio up")
        yield Result(
            "started anew, no pairing anew", True, f"alert {home.trip():.2f} s, again {home.trip():.2f} s"
        )

        def left() -> int:
            records = [home.machine.card.peek(at, boot_state.RECORD_B) for at in boot_state.AT_B]
            return boot_state.left(boot_state.newest(records)[0], "A")

        home.until(lambda: left() == boot_state.GOOD, "starts wound up", 300)
        yield Result("this slot is good", True, f"{left()} starts left")


def _panel(home: Flat) -> tuple[bool, str]:
    """Whether its page comes there."""
    page = Request(f"http://127.0.0.1:{home.machine.panel_port}/", headers={"Host": f"{SIDE_NET}.1:8650"})
    with urlopen(page, timeout=60) as answer:
        there = answer.status
    said = re.search(r"elements = \{([^}]*)\}", home.ask("nft list set inet homenode apartment"))
    side = " ".join(said[1].split()) if said else ""
    return there == 200 and bool(side), f"status {there}; that side: {side}"


def _time(home: Flat) -> str:
    """That chrony asks one that networkd heard of."""
    folder, server = "/run/systemd/network/10-homenode.network.d", "10.0.2.99"
    said = f"[Network]\\nNTP={server}\\n"
    home.ask(f"mkdir -p {folder} && printf '{said}' >{folder}/time.conf && networkctl reload")
    asked = home.until(
        lambda: [one for one in home.ask("chronyc -n sources").splitlines() if server in one], "asked"
    )
    return str(asked[0])


def _materials(given: Given, home: Flat) -> Result:
    """The bill of materials names what dpkg and Python find in the running system, and nothing else."""
    found = json.loads((given.made.work / "homenode.cdx.json").read_text())["components"]
    told = {(one["purl"].partition("/")[0], one["name"], one["version"]) for one in found}
    debs = home.ask("dpkg-query -W -f '${Package} ${Version}\\n'").splitlines()
    wheels = home.ask(f"/usr/lib/homenode/bin/python -c '{WHEELS}'").lower().replace("_", "-")
    there = {("pkg:deb", *line.split()) for line in debs}
    there |= {("pkg:pypi", *line.split()) for line in wheels.splitlines()}
    beside = {one for one in told - there if one[1] in root.BESIDE}
    wrong = (told ^ there) - beside
    saw = f"{len(debs)} packages, {len(wheels.splitlines())} wheels"
    return Result(
        "bill of materials", not wrong, f"{saw}; not in both: {sorted(wrong)[:3]}" if wrong else saw
    )


SHOWS: Mapping[str, Callable[[Given], Iterator[Result]]] = {
    "first": first,
    "boxes": boxes.boxes,
    "damage": damage.damage,
    "good-update": updates.good,
    "bad-updates": updates.bad,
    "cuts-first": cuts.first,
    "cuts-running": cuts.running,
    "cuts-configuring": cuts.configuring,
    "cuts-updating": cuts.updating,
    "figures": figures.figures,
    "same": same.same,
}
