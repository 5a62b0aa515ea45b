"""The Debian package: its version, its units, its wheels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.debian.build import MACHINES, OF_OTHERS, lock_of, node_units, version_of

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"


def test_its_version_is_one_for_debian_and_for_python_and_has_the_commit() -> None:
    version, epoch = version_of(REPOSITORY)
    assert re.fullmatch(r"\d+\.\d+\.\d+\+\d{8}\.\d{6}\.g[0-9a-f]{7,}(\.changed)?", version)
    assert epoch > 1_767_225_600


def test_every_unit_is_a_nodes_or_said_not_to_be() -> None:
    names = {unit.name for unit in node_units(DEPLOY)}
    assert {
        "homenode.service",
        "homenode-panel.service",
        "homenode-video@.service",
        "homenode-video.socket",
    } <= names
    for prefix in OF_OTHERS:
        assert not any(name.startswith(prefix) for name in names)


def test_a_node_starts_only_with_a_home() -> None:
    assert "\nConditionPathExists=/etc/homenode/home.yaml\n" in (DEPLOY / "homenode.service").read_text()


@pytest.mark.parametrize("unit", node_units(DEPLOY), ids=lambda unit: unit.name)
def test_a_unit_runs_what_the_package_or_the_system_brings(unit: Path) -> None:
    for program in re.findall(r"(?m)^Exec\w+=[-+@!:]*(\S+)", unit.read_text()):
        assert program.startswith(
            ("/usr/bin/", "/bin/", "/usr/lib/homenode/bin/", "/usr/lib/homenode-image/")
        ), program


@pytest.mark.parametrize("arch", MACHINES)
def test_each_wheel_is_pinned_by_version_and_hash(arch: str) -> None:
    lines = [line for line in lock_of(arch).read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 40
    for line in lines:
        assert re.fullmatch(r"[a-z0-9._-]+==\S+ --hash=sha256:[0-9a-f]{64}", line, re.IGNORECASE), line


def test_both_architectures_have_the_same_versions() -> None:
    def versions(arch: str) -> dict[str, str]:
        return dict(re.findall(r"(?m)^([^=#]+)==(\S+) --hash", lock_of(arch).read_text()))

    one, other = (versions(arch) for arch in MACHINES)
    assert {name for name in one.keys() & other.keys() if one[name] != other[name]} == set()
