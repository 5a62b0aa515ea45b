"""Devices that speak miIO: a UDP peer each, at an address of its own."""
