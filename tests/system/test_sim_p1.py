"""A stove with no plug of its own: its phase's current at the meter, the driver, the rule, the alert."""

from __future__ import annotations

import json
from pathlib import Path

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.cooker import cooker_home
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_sim_run import apartment

FLAT = """
timezone: Europe/Stockholm
p1:
  meter: {port: p1, every: 1 s, room: hall, l1: [fridge], l2: [hob], energy: 60995.4}
"""


@needs_mosquitto
def test_a_stove_that_is_on_is_heard_in_the_current_of_its_phase(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "broker") as broker,
        apartment(tmp_path, text=FLAT) as sim,
        Receiver(broker.port, "hn1/#") as receiver,
    ):
        radio = f'{{driver: p1, port: "{tmp_path / "p1"}"}}'
        home = cooker_home(tmp_path, broker.port, radio=radio, device="at_most_every: 0 s")
        with NodeProcess(home, tmp_path / "data") as node:
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
