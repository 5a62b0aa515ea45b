"""GPIO lines in software: `board` is the wiring, `daemon` speaks pigpiod's socket protocol to clients."""
