"""How good the shipped rules are in homes that people really lived in: ``python -m tests.quality``."""
