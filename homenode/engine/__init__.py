"""Rules over time: pure, incremental, given every instant."""

from homenode.engine.engine import Engine
from homenode.engine.outlook import OpenAlert, Verdict
from homenode.engine.transition import Happening, Transition
from homenode.engine.wall import WallClock

__all__ = ["Engine", "Happening", "OpenAlert", "Transition", "Verdict", "WallClock"]
