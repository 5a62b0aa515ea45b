"""A home, its rules and a recording, written out for both readers; what each says to them."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.oracle.life import Line, told
from tests.oracle.reader import read_home
from tests.oracle.trace import read_trace

PLAIN = re.compile(r"[\w$][\w .$°%³/-]*[\w%]|\w|\d\d:\d\d")
COMMAND = """
import contextlib, importlib.metadata, io, json, sys
[script] = importlib.metadata.entry_points(group="console_scripts", name="homenode")
main = script.load()
for line in sys.stdin:
    sys.argv, out, err = ["homenode", *json.loads(line)], io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main()
        except SystemExit as exit:
            status = exit.code
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""
"""The console script that pip installed, many times in one process: starting Python costs more."""


class Refused(Exception):
    """homenode takes the home or the recording for mistaken."""


@dataclass
class Case:
    home: dict[str, Any]
    rules: dict[str, dict[str, Any]]
    lines: list[str]

    def write(self, folder: Path) -> None:
        (folder / "rules").mkdir(exist_ok=True)
        (folder / "home.yaml").write_text(_yaml(self.home), encoding="utf-8")
        for name, rule in self.rules.items():
            (folder / "rules" / f"{name}.yaml").write_text(_yaml(rule), encoding="utf-8")
        (folder / "trace.jsonl").write_text("\n".join([*self.lines, ""]), encoding="utf-8")

    def __str__(self) -> str:
        used = {entry["use"] for entry in self.home["rules"]}
        rules = [f"# rules/{name}.yaml\n{_yaml(rule)}" for name, rule in self.rules.items() if name in used]
        return "\n".join(["# home.yaml", _yaml(self.home), *rules, "# trace.jsonl", *self.lines])

    def smaller(self) -> Iterator[Case]:
        """The same with something left out."""
        size = len(self.lines) // 2
        while size:
            for begin in range(0, len(self.lines), size):
                yield Case(self.home, self.rules, self.lines[:begin] + self.lines[begin + size :])
            size //= 2
        for number in range(len(self.home["rules"])):
            home = copy.deepcopy(self.home)
            del home["rules"][number]
            yield Case(home, self.rules, self.lines)
        for name, rule in self.rules.items():
            for key in rule.keys() & {"clear", "bridge", "grace", "again", "hold", "steps"}:
                rest = {other: value for other, value in rule.items() if other != key}
                yield Case(self.home, self.rules | {name: rest}, self.lines)
            for number in range(len(rule.get("steps", ()))):
                steps = rule["steps"][:number] + rule["steps"][number + 1 :]
                yield Case(self.home, self.rules | {name: rule | {"steps": steps}}, self.lines)


def _yaml(fields: dict[str, Any]) -> str:
    return "".join(f"{key}: {_flow(value)}\n" for key, value in fields.items())


def _flow(value: Any) -> str:
    """Words and numbers stand plain, so that what YAML makes of `off` and `22:00` is seen."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return value if PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


class Both:
    """The two readers, side by side in a folder of their own."""

    def __enter__(self) -> Self:
        self._stack = contextlib.ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="homenode-oracle-")))
        self._command = self._stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._command.stdin
        self._command.stdin.close()
        self._stack.close()

    def said(self) -> list[Line]:
        """What homenode says to the same."""
        assert self._command.stdin
        assert self._command.stdout
        argv = ["replay", str(self.folder / "home.yaml"), str(self.folder / "trace.jsonl"), "--json"]
        self._command.stdin.write(json.dumps(argv) + "\n")
        self._command.stdin.flush()
        status, out, err = json.loads(self._command.stdout.readline())
        if status:
            raise Refused(out + err)
        return same_ids([json.loads(line) for line in out.splitlines()])

    def meant(self, case: Case, seen: Counter[str]) -> list[Line]:
        """What the oracle says."""
        case.write(self.folder)
        home = read_home(self.folder / "home.yaml")
        lines = (self.folder / "trace.jsonl").read_text(encoding="utf-8").splitlines()
        return same_ids(told(home, read_trace(lines, home), seen))

    def compare(self, case: Case, seen: Counter[str]) -> tuple[list[Line], list[Line]]:
        return self.meant(case, seen), self.said()


def same_ids(lines: list[Line]) -> list[Line]:
    """Which ids they are is free, not which lines share one: the first that is told is 1."""
    ids: dict[str, int] = {}
    for line in lines:
        line["alert"] = ids.setdefault(line["alert"], len(ids) + 1)
    return lines
