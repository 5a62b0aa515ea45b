"""The link to the broker: paho-mqtt driven by the node's own event loop (edge)."""

from homenode.link.link import Link, LinkState
from homenode.link.refusals import Told

__all__ = ["Link", "LinkState", "Told"]
