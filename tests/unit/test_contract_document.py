"""The AsyncAPI document: the copy beside the contract is what the code says; its schemas stand alone."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import jsonschema
import pytest

from homenode.contract.document import EXAMPLES, document, print_contract, schemas
from tests.contract import CONTRACT, DOCUMENT
from tests.unit.contract_examples import examples, text

HOME = "HOME"
HOMES = r"(?<=^hn1/)[^/]+|(?<=/)[^/]+(?=/\+/config$)"
"""What stands in the ACL for the home of a topic."""
ACL = Path(__file__).parents[2] / "deploy/mosquitto/acl"


def test_the_copy_is_what_homenode_schema_asyncapi_prints() -> None:
    out = io.StringIO()
    assert print_contract("asyncapi", out) == 0
    assert DOCUMENT.read_text() == out.getvalue(), (
        "homenode schema asyncapi > homenode/contract/asyncapi.json"
    )


@pytest.mark.parametrize("name", list(schemas()))
def test_each_schema_stands_alone_under_a_name_of_its_own(name: str) -> None:
    schema = schemas()[name]
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:homenode:hn1:{name}"
    assert "$ref" not in json.dumps(schema)


def test_the_example_acl_gives_each_party_what_the_document_says_and_no_more() -> None:
    told: dict[str, set[tuple[str, str]]] = {"node": set()}
    who = ""
    for line in ACL.read_text().splitlines():
        match line.split():
            case ["user", name]:
                who = name.partition("@")[0]
            case [("topic" | "pattern") as kind, way, topic]:
                party = "node" if kind == "pattern" else who
                told.setdefault(party, set()).add((way, re.sub(HOMES, HOME, topic)))
    wanted: dict[str, set[tuple[str, str]]] = {"node": set()}
    for channel in document()["channels"].values():
        topic = channel["address"].replace("{device}/{kind}", "#").replace("{prefix}", "homeassistant")
        topic = re.sub(r"\{\w+\}", "+", topic.replace("{home}", HOME))
        for way, names in (("write", [channel["x-publishes"]]), ("read", channel["x-subscribes"])):
            for name in names:
                wanted.setdefault(name, set()).add((way, topic))
    home, *parties = "node", *(party for party in wanted if party != "node")
    for party in parties:
        assert told[party] == wanted[party]
    branch = re.compile(rf"/({'|'.join(parties)})/")
    assert told[home] == {(way, branch.sub("/+/", topic)) for way, topic in wanted[home]}


def test_the_examples_are_what_the_code_says_and_of_every_schema_there_is_one() -> None:
    assert EXAMPLES.read_text() == text(), "python -m tests.unit.contract_examples"
    assert [name for name, some in examples().items() if not some] == []


def test_every_example_fits_its_schema() -> None:
    messages = document()["components"]["messages"]
    for name, message in messages.items():
        for example in message.get("examples", []):
            jsonschema.validate(example["payload"], schemas()[name])


def test_a_topic_that_the_contract_does_not_have_is_refused() -> None:
    assert "no such topic" in CONTRACT.why_not("hn1/h1/care/reading/d/power", b"{}", retain=True)
    assert "no such topic" in CONTRACT.why_not("hn1/h1/operator/readings/d/power", b"{}", retain=True)
