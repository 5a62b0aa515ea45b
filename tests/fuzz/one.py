"""One target in a process of its own: ``python -m tests.fuzz.one TARGET`` and libFuzzer's arguments."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["homenode"]):
    from tests.fuzz.targets import TARGETS, prepare

prepare()
atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
atheris.Fuzz()
