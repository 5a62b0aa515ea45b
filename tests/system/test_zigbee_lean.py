"""What zigpy imports late is zigpy's own, in a process in which nobody has imported it before."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("zigpy", reason="the extra zigbee is not installed")

SCRIPT = """
import sys
from drivers.zigbee import lean
lean.keep_lean()
import zigpy.application, zigpy.zcl
lean.forget_stand_ins()
for heavy in ("aiohttp", "jsonschema", "cryptography", "zigpy.zcl.clusters.smartenergy"):
    assert heavy not in sys.modules, heavy
registry = zigpy.zcl.Cluster._registry
for cluster_id, module in lean._CLUSTERS.items():
    assert cluster_id in registry, hex(cluster_id)
    assert registry[cluster_id].__module__ == f"zigpy.zcl.clusters.{module}", hex(cluster_id)
late = {f"zigpy.zcl.clusters.{module}" for module in lean._CLUSTERS.values()}
assert {at for at, found in registry.items() if found.__module__ in late} == set(lean._CLUSTERS)
assert 0xFC00 not in registry
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
assert AESCCM(bytes(16)).decrypt(bytes(13), AESCCM(bytes(16)).encrypt(bytes(13), b"x", b""), b"") == b"x"
"""


def test_what_is_imported_late_is_all_there() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
