"""Runs the tests that could notice a fault, in a forked process that has the faulty module."""

from __future__ import annotations

import importlib.util
import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

from tests.mutation.mutants import Mutant

CPU_S = 20
"""No test of the core takes a tenth of this; a fault that makes one run on is noticed."""
MEMORY_BYTES = 4 << 30


EXAMPLES = 30
"""Of a property, for each mutant: the properties of the engine ask for hundreds, and take seconds each."""


def fewer_examples(items: Sequence[pytest.Item]) -> None:
    """Properties that ask for many examples, stateful ones too, get by with `EXAMPLES`."""
    import hypothesis

    for item in items:
        test: Any = getattr(item, "obj", None)
        test = getattr(test, "__func__", test)
        own = (test, "_hypothesis_internal_use_settings")
        for holder, attribute in (own, (getattr(item, "cls", None), "settings")):
            asked = getattr(holder, attribute, None)
            if isinstance(asked, hypothesis.settings) and asked.max_examples > EXAMPLES:
                setattr(holder, attribute, hypothesis.settings(asked, max_examples=EXAMPLES))


def quick_hypothesis() -> None:
    """The same examples every time, without looking for the smallest one: it is enough that a test fails."""
    import hypothesis

    hypothesis.settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=EXAMPLES,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutants")


def survivors(
    mutants: Sequence[tuple[Mutant, list[str]]], processes: int, go_on: Callable[[], bool]
) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant with whether all its tests still pass, as they finish; `go_on` says no: begin no more."""
    import hypothesis.extra.pytestplugin  # noqa: F401 - imported once here, not in every fork

    waiting = list(reversed(mutants))
    running: dict[int, Mutant] = {}
    while waiting or running:
        if waiting and not go_on():
            waiting.clear()
        while waiting and len(running) < processes:
            mutant, tests = waiting.pop()
            pid = os.fork()
            if pid == 0:
                os._exit(_passes(mutant, tests))
            running[pid] = mutant
        if not running:
            break
        pid, status = os.wait()
        if pid in running:
            yield running.pop(pid), os.waitstatus_to_exitcode(status) == 0


def _passes(mutant: Mutant, tests: list[str]) -> int:
    """In the fork: 0 if all tests pass in spite of the fault."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.meta_path.insert(0, _Finder(mutant))
    quick_hypothesis()
    files = sorted({test.partition("::")[0] for test in tests})
    arguments = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=no", *files]
    try:
        return int(pytest.main(arguments, plugins=[_Only(tests)]))
    except BaseException:  # noqa: BLE001 - a fault may raise anything; that is being noticed
        return 1


class _Only:
    """Runs just these tests, in this order."""

    def __init__(self, tests: list[str]) -> None:
        self._rank = {test: rank for rank, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        fewer_examples(items)
        items[:] = sorted(
            (item for item in items if item.nodeid in self._rank), key=lambda item: self._rank[item.nodeid]
        )


class _Finder(MetaPathFinder):
    """Gives the faulty module in place of the one on disk."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        loader: Loader = _Faulty(fullname, str(self._mutant.path), self._mutant.source)
        return importlib.util.spec_from_file_location(fullname, self._mutant.path, loader=loader)


class _Faulty(SourceFileLoader):
    def __init__(self, fullname: str, path: str, source: str) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType | None:
        code: Any = compile(self._source, self.path, "exec", dont_inherit=True)
        return code  # type: ignore[no-any-return]  # compile returns code for "exec"


def core_paths(root: Path, modules: Sequence[str]) -> dict[str, Path]:
    """Dotted name to file of every module in these modules and packages."""
    paths: dict[str, Path] = {}
    for module in modules:
        folder = root / module.replace(".", "/")
        files = folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]
        for file in sorted(files):
            name = ".".join(file.relative_to(root).with_suffix("").parts)
            paths[name.removesuffix(".__init__")] = file
    return paths
