"""`homenode wiring`: what a technician wires from, made from home.yaml and the data in hardware/."""
