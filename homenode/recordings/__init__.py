"""Reads recordings of homes, whoever made them, as one stream: (wall time, source, value).

Formats are recognised by their first line, not by their name; ``.gz`` works for each:

==============  =========================================================================  =================
format          a line                                                                     sources
==============  =========================================================================  =================
homenode        ``{"at": "2026-01-05T06:12:03.250+01:00", "point": "stove.power", …}``     the points
home events     ``local_time,epoch_local_as_utc,sensor_id,name,kind,state`` (CSV, an edge) sensor ids
plug meter      ``17/12/2011 00:00:02;0;0`` (W over 1 s; W over 8 s; tracebase)            power, power_8s
table           ``Time,Aggregate,Kettle,…`` (CSV, a column a channel)                      the columns
edge list       ``mark | zone | number | state | level | source | info`` (MavHome)         zone + number: V25
Home Assistant  ``entity_id,state,last_changed`` (CSV, its history export)                 the entities
P1 telegrams    ``/KFM5KAIFA-METER`` … ``!0D1B`` (DSMR; several lines each)                ``1-0:1.7.0`` …
==============  =========================================================================  =================

Lines come as they stand: repeats, edges out of order and all. A line that can't be read is counted and
told with its number; it never ends the reading.
"""

from homenode.recordings.formats import parse_homenode_line
from homenode.recordings.recording import LONGEST, SHOWN, Recorded, Recording
from homenode.recordings.sensors import Sensor

__all__ = ["LONGEST", "SHOWN", "Recorded", "Recording", "Sensor", "parse_homenode_line"]
