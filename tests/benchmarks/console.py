"""An alert is published, and seen in an open console: 1,000 homes that beat each minute, 100 open alerts.

``python -m tests.benchmarks.console [HOMES [ALERTS [PAGES]]]``; real mosquitto, real Chromium.
"""

from __future__ import annotations

import http.client
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from homenode.contract import topics
from homenode.gateway.clock import Clock
from tests.benchmarks.processes import cpu_s, memory_mb
from tests.system.brokers import Mosquitto
from tests.system.consoles import Client, Console, person
from tests.system.flats import CHROMIUM
from tests.system.receivers import AT, Homes

OPEN = 100
CLOCK = Clock()
EACH_S = 0.1
"""Between two alerts, on average: a hundred times as many as 1,000 homes have at their worst."""

WATCH = """() => {
  window.seen = {};
  const note = () => requestAnimationFrame(() => {
    const now = performance.timeOrigin + performance.now();
    for (const link of document.querySelectorAll("#rows .said a")) {
      const nth = link.textContent.match(/measured (\\d+)/)?.[1];
      if (nth && !(nth in window.seen)) window.seen[nth] = now;
    }
  });
  new MutationObserver(note).observe(document.getElementById("rows"), { childList: true, subtree: true });
}"""
SIFT = """(text) => {
  const field = document.querySelector("#filter [name=text]");
  const begun = performance.now();
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  document.body.offsetHeight;
  return performance.now() - begun;
}"""


def beat(homes: Homes, number: int, ended: threading.Event) -> None:
    """Each home once a minute, with its status."""
    while not ended.is_set():
        for nth in range(number):
            homes.link(f"h{nth:04d}", True)
            if ended.wait(60 / number):
                return


def reader(console: Console, eva: Client, ended: threading.Event, got: dict[int, float]) -> None:
    """A page without a browser: when each alert comes to it."""
    link = http.client.HTTPConnection(console.host, timeout=30)
    cookie = "; ".join(f"{name}={value}" for name, value in eva.cookies.items())
    link.request("GET", "/events?show=list", headers={"Cookie": cookie})
    stream = link.getresponse()
    while not ended.is_set():
        line = stream.readline()
        for nth in re.findall(rb"measured (\d+)", line):
            got.setdefault(int(nth), time.time_ns() / 1e6)


def shares(name: str, took: list[float]) -> None:
    """One line of the table."""
    cuts = statistics.quantiles(took, n=100)
    p50, p95, p99 = (cuts[at] for at in (49, 94, 98))
    print(f"published -> {name}: p50 {p50:.0f} ms, p95 {p95:.0f}, p99 {p99:.0f}, worst {max(took):.0f}")


def statuses(homes: Homes, number: int) -> None:
    """What is open in each home."""
    for nth in range(number):
        home = f"h{nth:04d}"
        body = {"home": home, "at": AT, "open": [], "mode": "home", "health": {"state": "good"}}
        homes.send(topics.status(home, "care"), body | {"versions": {"homenode": "1"}})


def main(homes_number: int, alerts: int, pages: int) -> None:
    """Print the table's rows."""
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as where, ExitStack() as stack:
        folder = Path(where)
        broker = stack.enter_context(Mosquitto(folder / "broker"))
        console = stack.enter_context(Console(folder, broker.port))
        homes = stack.enter_context(Homes(broker.port))
        statuses(homes, homes_number)
        for nth in range(OPEN):
            homes.alert(f"h{nth:04d}", name=f"open {nth}")
        ended = threading.Event()
        beating = threading.Thread(target=beat, args=(homes, homes_number, ended))
        beating.start()
        stack.callback(beating.join)
        stack.callback(ended.set)
        homes.until_acknowledged()
        eva = Client(console).sign_in("eva")
        console.until(lambda: len(eva.worklist()) == OPEN, "those that are open")
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        stack.callback(browser.close)
        open_pages: list[Any] = [stack.enter_context(person(browser, console, "eva")) for _ in range(pages)]
        for page in open_pages:
            page.evaluate(WATCH)
        got = dict[int, float]()
        reading = threading.Thread(target=reader, args=(console, eva, ended, got))
        reading.start()
        stack.callback(reading.join)
        stack.callback(ended.set)
        before_s, begun = cpu_s(console.pid), CLOCK.now()
        where_to, sent = dict[int, str](), dict[int, float]()
        for nth in range(alerts):
            time.sleep(chance.expovariate(1 / EACH_S))
            home = where_to[nth] = f"h{chance.randrange(homes_number):04d}"
            words = {"sv": f"measured {nth}", "en": f"measured {nth}"}
            sent[nth] = time.time_ns() / 1e6
            homes.alert(home, name=f"measured {nth}", text=words, severity="warning")
            if nth >= OPEN:  # so many of them are open at a time
                homes.alert(
                    where_to[nth - OPEN], "resolved", name=f"measured {nth - OPEN}", severity="warning"
                )
        time.sleep(2)
        used = 1000 * (cpu_s(console.pid) - before_s) / (CLOCK.now() - begun)
        took = []
        for page in open_pages:
            seen = page.evaluate("window.seen")
            missing = [nth for nth in sent if str(nth) not in seen]
            assert not missing, f"never seen: {missing[:10]} of {len(missing)}"
            took += [seen[str(nth)] - at for nth, at in sent.items()]
        page = open_pages[0]
        print(f"{homes_number} homes, {2 * OPEN} open, {pages} pages, {len(took)} times seen")
        shares("visible", took)
        shares("sent to a page", [got[nth] - at for nth, at in sent.items()])
        print(f"console: {100 * used:.1f} % of a core, {memory_mb(console.pid)[0]:.0f} MB")
        rows = page.locator("#rows tr").count()
        sifted = [page.evaluate(SIFT, text) for text in ("h00", "measured 1", "", "h0042", "")]
        print(f"filter of {rows} rows: {statistics.median(sifted):.0f} ms, worst {max(sifted):.0f}")
        begun = CLOCK.now()
        page.goto(f"{console.url}/homes")
        page.locator("#rows tr").nth(homes_number - 1).wait_for(state="attached")
        loaded = CLOCK.now() - begun
        sifted = [page.evaluate(SIFT, text) for text in ("h00", "h0042", "", "h09", "")]
        print(f"{homes_number} homes: page {loaded} ms, filter {max(sifted):.0f} ms at worst")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(*numbers, *(1000, 500, 3)[len(numbers) :])
