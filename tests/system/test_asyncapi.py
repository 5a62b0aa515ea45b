"""The AsyncAPI document, read by the official parser (npm), which nobody here wrote."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homenode.contract.document import document
from tests.contract import DOCUMENT
from tests.system.npm import needs_npm, node

PARSER = Path(__file__).with_name("asyncapi_parser.cjs")

pytestmark = needs_npm


def parsed(path: Path) -> tuple[int, str]:
    process = node(PARSER, path)
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


def test_the_official_parser_takes_the_document_without_a_warning() -> None:
    status, said = parsed(DOCUMENT)
    assert status == 0, said
    told = json.loads(said)
    assert told["version"] == "3.0.0"
    assert len(told["channels"]) == len(document()["channels"])
    actions = [operation["action"] for operation in document()["operations"].values()]
    assert (told["sent"], told["received"]) == (actions.count("send"), actions.count("receive"))


def _no_channel(broken: dict[str, Any]) -> None:
    broken["operations"]["send_link"]["channel"]["$ref"] = "#/channels/lynk"


def _no_schema(broken: dict[str, Any]) -> None:
    del broken["components"]["schemas"]["reading"]


def _no_type(broken: dict[str, Any]) -> None:
    broken["components"]["schemas"]["link"]["type"] = "objekt"


def _no_action(broken: dict[str, Any]) -> None:
    broken["operations"]["send_link"]["action"] = "publish"


def _no_parameter(broken: dict[str, Any]) -> None:
    del broken["channels"]["care_readings"]["parameters"]["kind"]


@pytest.mark.parametrize("error", [_no_channel, _no_schema, _no_type, _no_action, _no_parameter])
def test_a_document_with_an_error_is_refused(error: Callable[[dict[str, Any]], None], tmp_path: Path) -> None:
    broken = copy.deepcopy(document())
    error(broken)
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(broken))
    status, said = parsed(path)
    assert status == 1, said
    assert ":" in said
