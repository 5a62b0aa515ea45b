"""An unmodified Firefox, spoken to by WebDriver BiDi (W3C), which it brings along.

It listens on 127.0.0.1 of its own network, so whoever speaks to it runs in there: that is
`python -m tests.system.firefox FOLDER`, a line of JSON each way.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pytest

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox") or ""
needs_firefox = pytest.mark.skipif(not FIREFOX, reason="no Firefox")
_CALLED = """async (told) => {
  const it = (%s);
  return JSON.stringify(typeof it == 'function' ? await it(JSON.parse(told)) : it) ?? 'null';
}"""


class FirefoxPage:
    """Its one page, with what `filming.Viewer` asks of a page of Playwright's.

    Args:
        within: Command that runs another one in the network where the browser is to be.
    """

    def __init__(self, within: Sequence[str], folder: Path) -> None:
        self._speaks = subprocess.Popen(
            [*within, sys.executable, "-m", __name__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._speaks.communicate(timeout=30)

    def evaluate(self, code: str, told: Any = None) -> Any:
        """What an expression is, or a function gives for `told`."""
        assert self._speaks.stdin is not None
        assert self._speaks.stdout is not None
        self._speaks.stdin.write(json.dumps([code, told]) + "\n")
        self._speaks.stdin.flush()
        answer = json.loads(self._speaks.stdout.readline())
        assert "error" not in answer, answer
        return answer["value"]

    def set_content(self, html: str) -> None:
        """The whole page."""
        self.evaluate("html => { document.body.innerHTML = html; }", html)

    def wait_for_function(self, code: str, timeout: float, polling: float) -> None:
        """Until it is true; both in ms."""
        waiting = """async ([timeout, polling]) => {
          for (const until = performance.now() + timeout; !(%s); ) {
            if (performance.now() > until) throw new Error('not within ' + timeout + ' ms');
            await new Promise(done => setTimeout(done, polling));
          }
          return null;
        }"""
        self.evaluate(waiting % code, [timeout, polling])


def _speak(folder: str) -> None:
    from websockets.sync.client import connect

    command = [FIREFOX, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as firefox:
        assert firefox.stderr is not None
        lines = (re.search(r"BiDi listening on (ws://\S+)", line) for line in firefox.stderr)
        found = next(filter(None, lines))
        with connect(f"{found[1]}/session", max_size=None) as line:

            def ask(method: str, **params: Any) -> Any:
                line.send(json.dumps({"id": 1, "method": method, "params": params}))
                while (answer := json.loads(line.recv())).get("id") != 1:
                    pass
                return answer.get("result", {"type": "exception", "told": answer})

            ask("session.new", capabilities={})
            [page, *_] = ask("browsingContext.getTree")["contexts"]
            for asked in sys.stdin:
                code, told = json.loads(asked)
                done = ask(
                    "script.callFunction",
                    functionDeclaration=_CALLED % code,
                    arguments=[{"type": "string", "value": json.dumps(told)}],
                    target={"context": page["context"]},
                    awaitPromise=True,
                )
                good = done["type"] == "success"
                answer = {"value": json.loads(done["result"]["value"])} if good else {"error": done}
                print(json.dumps(answer), flush=True)
            ask("browser.close")


if __name__ == "__main__":
    _speak(sys.argv[1])
