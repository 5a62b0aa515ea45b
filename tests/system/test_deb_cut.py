"""What `make deb` cuts off a library: it loads without the other one, and does what it does without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.debian.elf import Library, needs

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")

OTHER = "int far(void) { return 1; } int data = 2;"
ASKS = "int far(void); extern int data; int near(void) { return 7; } int calls(void) { return far() + data; }"


def compiled(folder: Path, name: str, source: str, *words: str) -> Path:
    (folder / f"{name}.c").write_text(source)
    out = folder / f"lib{name}.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", out, folder / f"{name}.c", f"-L{folder}", *words], check=True
    )
    return out


def loaded(library: Path, function: str) -> int:
    """The exit status of a process that calls it; 1: it can't be loaded."""
    asks = f"import ctypes, sys; sys.exit(ctypes.CDLL({os.fspath(library)!r}).{function}())"
    return subprocess.run([sys.executable, "-c", asks], stderr=subprocess.DEVNULL, check=False).returncode


@pytest.fixture(params=["-Wl,-z,lazy", "-Wl,-z,now"])
def libraries(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, Path]:
    script = tmp_path / "versions"
    script.write_text("OTHER_1 { global: far; data; };\n")
    other = compiled(tmp_path, "other", OTHER, f"-Wl,--version-script={script},-soname,libother.so")
    asks = compiled(
        tmp_path, "asks", ASKS, "-lother", "-lm", "-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed", request.param
    )
    return other, asks


def test_a_library_that_was_cut_off_is_not_missed(libraries: tuple[Path, Path]) -> None:
    other, asks = libraries
    assert needs(asks)[0] == "libother.so"
    assert loaded(asks, "calls") == 3
    symbols = Library(other.read_bytes()).defined()
    assert {"far", "data"} <= symbols
    other.unlink()
    assert loaded(asks, "near") == 1
    asks.write_bytes(Library(asks.read_bytes()).without({"libother.so"}, symbols))
    assert "libother.so" not in needs(asks)
    assert loaded(asks, "near") == 7


def test_a_call_into_it_ends_the_process(libraries: tuple[Path, Path]) -> None:
    other, asks = libraries
    asks.write_bytes(
        Library(asks.read_bytes()).without({"libother.so"}, Library(other.read_bytes()).defined())
    )
    assert loaded(asks, "calls") < 0
