"""What films, in a process of its own; the gateway imports nothing from here (see README.md)."""
