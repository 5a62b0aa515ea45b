"""Which lines of the core changed, and since when."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
LAST_COMMITS = 10
"""On the main branch itself, what these changed of the core is what is judged."""

_HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")


def git(*args: str) -> str:
    """What git prints; "" if it fails."""
    return subprocess.run(["git", *args], capture_output=True, text=True, check=False).stdout.strip()


def base(paths: Iterable[Path]) -> str:
    """The commit that changes are counted from.

    On a branch it is where the branch left main. On main it is the commit before the last few that changed
    the files `paths`, so that main itself is judged too.
    """
    head = git("rev-parse", "HEAD")
    for branch in ("origin/main", "main"):
        fork = git("merge-base", "HEAD", branch)
        if fork and fork != head:
            return fork
    commits = git("log", f"--max-count={LAST_COMMITS}", "--format=%H", "--", *map(str, paths)).splitlines()
    before = git("rev-parse", "--verify", "--quiet", f"{commits[-1]}^") if commits else ""
    return before or EMPTY_TREE


def changed_lines(since: str, root: Path) -> dict[Path, set[int]]:
    """Python files of homenode to the lines that are new or changed, committed or not."""
    lines: dict[Path, set[int]] = {}
    file: Path | None = None
    for line in git("diff", "--unified=0", "--no-color", since, "--", "homenode").splitlines():
        if line.startswith("+++ "):
            file = root / line[6:] if line.startswith("+++ b/") else None
        elif (hunk := _HUNK.match(line)) and file is not None:
            first, count = int(hunk[1]), int(hunk[2] or 1)
            lines.setdefault(file, set()).update(range(first, first + count))
    for name in git("ls-files", "--others", "--exclude-standard", "--", "homenode").splitlines():
        path = root / name
        if path.suffix == ".py":
            lines[path] = set(range(1, path.read_text(encoding="utf-8").count("\n") + 2))
    return lines
