"""Every dump of a real device: what it ought to be, and what it is here (`python -m tests.zigbee_dumps`)."""
