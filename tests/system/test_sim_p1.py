"""A stove with no plug of its own: its phase's current at the meter, the driver, the rule, the alert."""

from __future__ import annotations

import json
from pathlib import Path

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_sim_run import apartment

FLAT = """
timezone: Europe/Stockholm
p1:
  meter: {port: p1, every: 1 s, room: hall, l1: [fridge], l2: [hob], energy: 60995.4}
"""
HOME = """
home: flat-1
timezone: Europe/Stockholm
clock: {{trust: always}}
broker: {{url: "mqtt://127.0.0.1:{port}"}}
radios:
  p1: {{driver: p1, port: p1}}
devices:
  meter: {{via: p1, room: hall, at_most_every: 0 s}}
rules:
  - {{use: cooker, bind: {{current: [meter.current, meter.current_2, meter.current_3]}}}}
share: {{care: ["meter.*"]}}
"""
COOKER = """
rule: cooker
version: 1
severity: alarm
to: [care]
roles:
  current: {kind: current, many: true}
when: any(current > 5 A) for 1 s
clear: not any(current > 5 A)
steps:
  - {after: 0 s, do: notify}
says: {sv: "Spisen är på", en: "The stove is on"}
"""


@needs_mosquitto
def test_a_stove_that_is_on_is_heard_in_the_current_of_its_phase(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/cooker.yaml").write_text(COOKER)
    with (
        Mosquitto(tmp_path / "broker") as broker,
        apartment(tmp_path, text=FLAT) as sim,
        Receiver(broker.port, "hn1/#") as receiver,
    ):
        home = HOME.format(port=broker.port).replace("port: p1}", f'port: "{tmp_path / "p1"}"}}')
        (tmp_path / "home.yaml").write_text(home)
        with NodeProcess(tmp_path / "home.yaml", tmp_path / "data") as node:
            receiver.until(lambda r: r.readings("meter.current_2"), "the current")
            assert not receiver.alerts("notified")
            sim.do("say hob on")
            alert = receiver.until(lambda r: r.alerts("notified"), "the alert")[0]
            assert "meter.current_2" in json.dumps(alert)
            assert 5.8 < receiver.readings("meter.current_2")[-1]["value"] < 6.4, "1,400 W"
            sim.do("say hob off")
            receiver.until(lambda r: r.alerts("resolved"), "its end")
            sim.do("measure meter power_4 2300")
            receiver.until(lambda r: r.readings("meter.current_3")[-1]["value"] == 10.0, "what else it takes")
            assert receiver.readings("meter.energy")[-1]["value"] >= 60995.4
            node.stop()
