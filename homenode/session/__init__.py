"""A look through a camera: who may, how long, what ends it, and what is written down of it (pure)."""
