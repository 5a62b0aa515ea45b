"""The command line of `homenode import`."""

from __future__ import annotations

import argparse

_FORMATS = """\
formats, by their first line:
  {"at": "2026-01-05T06:12:03+01:00", "point": …   what replay takes
  entity_id,state,last_changed                     Home Assistant's history (CSV)
  local_time,…,sensor_id,…,state                   events of a home (CSV)
  Time,Aggregate,Kettle,…                          a column a channel, in W (CSV)
  17/12/2011 00:00:02;862;855                      a plug meter
  /KFM5KAIFA-METER                                 telegrams of a meter's P1 port
   mark | zone | number | state | …                MavHome's edge list
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What follows ``homenode import``."""
    parser.set_defaults(takes="files")
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, _FORMATS
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="recordings, in a format named below; .gz works"
    )
    parser.add_argument(
        "--home", metavar="HOME.yaml", help="whose devices with driver: recording say what a sensor feeds"
    )
    parser.add_argument(
        "--map", action="append", default=[], metavar="SOURCE=POINT", help="such as 12=front_door.contact"
    )
    parser.add_argument(
        "--timezone", metavar="ZONE", help="of stamps without an offset (default: the home's, or UTC)"
    )
    parser.add_argument(
        "--outage", metavar="DURATION", help="a longer silence of all sensors is told as a node that is down"
    )
    parser.add_argument(
        "--write-home", metavar="HOME.yaml", help="write a home.yaml to begin with (without --home, --map)"
    )
