"""Rows read from zha-quirks, at build time only: `python -m tests.quirks` (see `__main__`)."""
