"""What is in the image, as CycloneDX 1.6: every Debian package, every wheel, and the firmware of the card."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5


def sbom(root: Path, beside: Iterator[Path], version: str, epoch: int) -> bytes:
    """The bill of materials of a root.

    Args:
        root: With dpkg's list and homenode's environment.
        beside: Unpacked packages of which files are on the boot partition, by their control file.
        version: Of the image.
        epoch: When it was made, s since 1970.
    """
    found = [*_debian(root / "var/lib/dpkg/status"), *_wheels(root / "usr/lib/homenode")]
    for control in beside:
        found += _debian(control)
    components = sorted(found, key=lambda one: one["purl"])
    name = "homenode-image"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, json.dumps(components))}",
        "version": 1,
        "metadata": {
            "timestamp": f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "component": {"type": "operating-system", "bom-ref": name, "name": name, "version": version},
        },
        "components": components,
    }
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def _component(kind: str, name: str, version: str, **more: Any) -> dict[str, Any]:
    purl = f"pkg:{kind}/{quote(name)}@{quote(version)}"
    if arch := more.pop("arch", ""):
        purl += f"?arch={arch}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, **more}


def _debian(status: Path) -> Iterator[dict[str, Any]]:
    """The packages of a file of dpkg's."""
    for paragraph in status.read_text().split("\n\n"):
        said = HeaderParser().parsestr(paragraph)
        if said["Package"] and (said["Status"] or "installed").split()[-1] == "installed":
            yield _component("deb/debian", said["Package"], said["Version"], arch=said["Architecture"])


def _wheels(environment: Path) -> Iterator[dict[str, Any]]:
    for metadata in environment.glob("lib/python3*/site-packages/*.dist-info/METADATA"):
        said = HeaderParser().parsestr(metadata.read_text(errors="replace"))
        name = said["Name"].lower().replace("_", "-").replace(".", "-")
        licence = said["License-Expression"]
        yield _component(
            "pypi", name, said["Version"], **({"licenses": [{"expression": licence}]} if licence else {})
        )
