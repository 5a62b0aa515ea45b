"""The Debian package: its version, its units, its wheels."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
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


STICKS = {
    "ConBee II": ("1cf1", "0030", "dresden_elektronik_ingenieurtechnik_GmbH_ConBee_II_DE2412345"),
    "ConBee III": ("0403", "6015", "dresden_elektronik_ConBee_III_DE03188111"),
    "ZBDongle-P": ("10c4", "ea60", "Silicon_Labs_Sonoff_Zigbee_3.0_USB_Dongle_Plus_0001"),
    "ZBDongle-E": ("1a86", "55d4", "ITEAD_SONOFF_Zigbee_3.0_USB_Dongle_Plus_V2_20220812153849"),
    "SkyConnect": ("10c4", "ea60", "Nabu_Casa_SkyConnect_v1.0_0e6dcb6cbbd8ed11b7f6f9c1ad51a8b2"),
    "SLZB-07": ("10c4", "ea60", "SMLIGHT_SLZB-07_be9faa0786e1ea11bd68dc2d9a583111"),
}
OTHERS = {
    "a meter's cable": ("0403", "6001", "FTDI_FT232R_USB_UART_A10K6MIJ"),
    "RS-485": ("1a86", "7523", "1a86_USB_Serial"),
    "Z-Wave": ("0658", "0200", "0658_0200"),
    "a bare converter": ("10c4", "ea60", "Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001"),
}


def named(vendor: str, model: str, serial: str) -> bool:
    """Whether the udev rules call it /dev/homenode/zigbee."""
    told = {"ID_VENDOR_ID": vendor, "ID_MODEL_ID": model, "ID_SERIAL": serial, "ID_USB_INTERFACE_NUM": "00"}
    rules = (DEPLOY / "60-homenode-sticks.rules").read_text().splitlines()
    return any(
        all(
            any(fnmatchcase(told[key], pattern) for pattern in value.split("|"))
            for key, value in re.findall(r'ENV{(\w+)}=="([^"]*)"', rule)
        )
        for rule in rules
        if 'SYMLINK+="homenode/zigbee"' in rule
    )


@pytest.mark.parametrize("stick", STICKS)
def test_a_coordinator_has_one_name(stick: str) -> None:
    assert named(*STICKS[stick])


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_coordinator_has_it_not(other: str) -> None:
    assert not named(*OTHERS[other])
