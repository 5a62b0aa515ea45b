"""For who adds a sensor: a driver to begin with, and what it doesn't do yet (drivers/ADDING.md)."""
