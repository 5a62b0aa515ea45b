"""Which unit test reaches which line of the core, found by running them all once under coverage."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

IMPORTED = ""
"""Lines that run when their module is imported, in no test's own time."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What the tests reach.

    Attributes:
        tests: File to line to the tests (node ids) that run it.
        took_s: Test to how long it took.
    """

    tests: dict[str, dict[int, list[str]]]
    took_s: dict[str, float]

    def tests_for(self, module: str, path: Path, first: int, last: int) -> list[str]:
        """Tests that can notice a fault in these lines; those about this module first, the quickest first.

        A line that runs at import (a table, a default) is noticed by whatever uses its module, and by tests
        that only look at what it made.
        """
        lines = self.tests.get(str(path), {})
        reached = {test for line in range(first, last + 1) for test in lines.get(line, ())}
        about = {test for test in self.took_s if module in _imported(test.partition("::")[0])}
        if IMPORTED in reached:
            reached = about.union(*lines.values())
        rank = {test: (test not in about, took_s, test) for test, took_s in self.took_s.items()}
        return sorted(reached - {IMPORTED}, key=lambda test: rank.get(test, (True, 0.0, test)))


@cache
def _imported(file: str) -> frozenset[str]:
    """The modules that a test file names in its imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(Path(file).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return frozenset(names)


def _uses(file: Path) -> set[str]:
    """All modules that a file imports, and what these import."""
    found, left = set[str](), [str(file)]
    while left:
        new = _imported(left.pop()) - found
        found |= new
        paths = (Path(*name.split(".")) for name in new)
        left += [
            str(one)
            for path in paths
            for one in (path.with_suffix(".py"), path / "__init__.py")
            if one.is_file()
        ]
    return found


def find_reach(root: Path, modules: Collection[str], paths: list[Path], tests: str) -> Reach | None:
    """Runs once the tests in the folder `tests` that import one of the modules.

    None if they fail (then nothing can be said).
    """
    files = [path for path in sorted(Path(tests).rglob("test_*.py")) if not _uses(path).isdisjoint(modules)]
    workers = min(os.cpu_count() or 1, len(files)) or 1
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:

        def recorded(nth: int) -> Any:
            result = Path(folder) / f"{nth}.json"
            command = [
                sys.executable,
                "-m",
                "tests.mutation.reach",
                result,
                *files[nth::workers],
                "--",
                *paths,
            ]
            done = subprocess.run(command, cwd=root, capture_output=True, text=True)
            if done.returncode:
                print(done.stdout[-4000:], done.stderr[-4000:], file=sys.stderr)
                return None
            return json.loads(result.read_text("utf-8"))

        parts = list(pool.map(recorded, range(workers if files else 0)))
    if None in parts:
        return None
    reach = Reach({}, {})
    for part in parts:
        reach.took_s.update(part["took_s"])
        for path, lines in part["tests"].items():
            for line, names in lines.items():
                reach.tests.setdefault(path, {}).setdefault(int(line), []).extend(names)
    return reach


def _record(result: Path, files: list[str], paths: list[str]) -> int:
    import coverage
    import pytest

    from tests.mutation.running import fewer_examples, quick_hypothesis

    measured = coverage.Coverage(data_file=None, include=paths, branch=False)
    took_s: dict[str, float] = {}

    class Recorder:
        """Tells coverage which test is running."""

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
            measured.switch_context(item.nodeid)
            try:
                return (yield)
            finally:
                measured.switch_context(IMPORTED)

        def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
            fewer_examples(items)

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            took_s[report.nodeid] = took_s.get(report.nodeid, 0.0) + report.duration

    quick_hypothesis()
    measured.start()
    status = pytest.main(["-q", "-x", "-p", "no:cacheprovider", *files], plugins=[Recorder()])
    measured.stop()
    data = measured.get_data()
    tests = {path: data.contexts_by_lineno(path) for path in data.measured_files()}
    result.write_text(json.dumps({"tests": tests, "took_s": took_s}), "utf-8")
    return int(status)


if __name__ == "__main__":
    _, to, *named = sys.argv
    end = named.index("--")
    sys.exit(_record(Path(to), named[:end], named[end + 1 :]))
