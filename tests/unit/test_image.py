"""What of the image can be told without making one."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from deploy.image import card, root, sbom
from deploy.image.tools import Tools

STATUS = """\
Package: libc6
Status: install ok installed
Architecture: arm64
Version: 2.41-12+deb13u5

Package: gone
Status: deinstall ok config-files
Architecture: arm64
Version: 1.0

Package: tzdata
Status: install ok installed
Architecture: all
Version: 2025b-4
"""


def test_fdisk_reads_the_partition_table(tmp_path: Path) -> None:
    path = tmp_path / "card"
    table = card._table([(8, 64), (72, 960), (1032, 960), (1992, 16)])
    with path.open("wb") as stream:
        stream.write(table)
        stream.truncate(2008 << 20)
    told = json.loads(subprocess.check_output(["sfdisk", "--json", path]))["partitiontable"]
    assert (told["label"], told["id"]) == ("dos", "0x686e6f64")
    mib = [(one["start"] // 2048, one["size"] // 2048, one["type"]) for one in told["partitions"]]
    assert mib == [(8, 64, "c"), (72, 960, "83"), (1032, 960, "83"), (1992, 16, "83")]
    assert told["partitions"][0]["bootable"]


def test_the_first_program_knows_where_the_size_of_the_last_partition_stands() -> None:
    table = card._table([(8, 64), (72, 960), (1032, 960), (1992, card.DATA_MIB)])
    assert struct.unpack_from("<I", table, 506)[0] == card.DATA_MIB * 2048
    assert f"SHIPPED={card.DATA_MIB * 2048} " in (root.HERE / "init").read_text()


def test_a_folder_that_a_repair_took_away_is_made_again(tmp_path: Path) -> None:
    """RAUC, chrony and SSH write there; all at each start would take their time."""
    script = (root.HERE / "files/usr/lib/homenode-image/data").read_text()
    function = script[script.index("folders() {") : script.index("make() {")]
    install = 'install() { echo; for word; do case $word in /*) mkdir -p "$word" ;; esac; done; }'
    call = ["sh", "-c", f"set -u\n{install}\n{function}\nfolders {tmp_path}"]
    subprocess.run(call, check=True)
    made = {path.name for path in tmp_path.iterdir()}
    assert len(made) == 7
    for name in made:
        (tmp_path / name).rmdir()
        subprocess.run(call, check=True)
        assert (tmp_path / name).is_dir()
        assert not subprocess.run(call, check=True, capture_output=True).stdout


def test_rights_and_times_are_the_same_however_the_repository_was_checked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy, made = tmp_path / "deploy", tmp_path / "root"
    shutil.copytree(root.HERE, deploy / "image", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root.HERE.parent / "homenode-trial", deploy)
    (made / "etc").mkdir(parents=True)
    (made / "etc/shadow").write_text("root:x:1:\n")
    for path in deploy.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (0, 0))
    (deploy / "image/files").chmod(0o770)
    monkeypatch.setattr(root, "HERE", deploy / "image")
    tools = cast(Tools, SimpleNamespace(run=lambda *words, **more: b""))
    root._configure(tools, made, 1000)
    for name in ("fstab", "rauc", "rauc/system.conf", "systemd/system.conf.d"):
        assert (made / "etc" / name).stat().st_mtime == 1000, name
    programs = made / "usr/lib/homenode-image"
    for path in (made, *made.rglob("*")):
        if not path.is_symlink():
            wanted = 0o755 if path.is_dir() or path.parent == programs else 0o644
            assert (path, path.stat().st_mode & 0o7777) == (path, wanted)


def test_slots_are_named_alike_everywhere() -> None:
    config = (root.HERE / "files/etc/rauc/system.conf").read_text()
    assert f"{card.SIGNATURE:08x}-02" in config
    assert f"{card.SIGNATURE:08x}-03" in config


def test_the_bill_lists_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS)
    metadata = tmp_path / "usr/lib/homenode/lib/python3.13/site-packages/paho_mqtt-2.1.0.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Name: paho_mqtt\nVersion: 2.1.0\nLicense-Expression: EPL-2.0\n\n# more\n")
    bill = json.loads(sbom.sbom(tmp_path, iter(()), "1.0", 0))
    assert [one["purl"] for one in bill["components"]] == [
        "pkg:deb/debian/libc6@2.41-12%2Bdeb13u5?arch=arm64",
        "pkg:deb/debian/tzdata@2025b-4?arch=all",
        "pkg:pypi/paho-mqtt@2.1.0",
    ]
    assert bill["components"][2]["licenses"] == [{"expression": "EPL-2.0"}]
    assert bill == json.loads(sbom.sbom(tmp_path, iter(()), "1.0", 0))


def test_comments_in_lists_are_no_words() -> None:
    assert "linux-image-arm64" in root.words("packages.txt")
    assert not any(word.startswith("#") for word in root.words("packages.txt"))


def test_time_servers_that_the_network_names_go_to_chrony_unless_the_installer_named_some(
    tmp_path: Path,
) -> None:
    links, sources = tmp_path / "systemd/netif/links", tmp_path / "chrony-dhcp/network.sources"
    for folder in (links, sources.parent, tmp_path / "homenode-machine/chrony", tmp_path / "bin"):
        folder.mkdir(parents=True)
    chronyc = tmp_path / "bin/chronyc"
    chronyc.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/told\n')
    chronyc.chmod(0o755)

    def look() -> tuple[str, int]:
        script = root.HERE / "files/usr/lib/homenode-image/network-time"
        path = f"{chronyc.parent}:/usr/bin:/bin"
        subprocess.run(["sh", script], env={"PATH": path, "RUN": str(tmp_path)}, check=True)
        told = tmp_path / "told"
        return sources.read_text() if sources.exists() else "", len(
            told.read_text().splitlines() if told.exists() else []
        )

    assert look() == ("", 0)
    (links / "2").write_text("# private\nNTP=10.0.0.2 fe80::1%3 10.0.0.1\nDNS=10.0.0.9\n")
    (links / "3").write_text("NTP=10.0.0.1 time.example;reboot\n")
    assert look() == ("server 10.0.0.1 iburst\nserver 10.0.0.2 iburst\n", 1)
    assert look()[1] == 1
    (tmp_path / "homenode-machine/chrony/homenode.sources").touch()
    assert look() == ("\n", 2)
