"""Which version runs, as it says itself: that of the image, which is what updates go by, and homenode's."""

from __future__ import annotations

import re
from pathlib import Path

from homenode import __version__

RELEASE = Path("/etc/os-release")
"""os-release(5); IMAGE_VERSION is written by deploy/image/root.py."""


def image_version() -> str:
    """Empty where it is no image."""
    try:
        found = re.search(r"^IMAGE_VERSION=\"?([^\"\n]+)", RELEASE.read_text(), re.MULTILINE)
    except OSError:
        return ""
    return found[1] if found else ""


def versions() -> dict[str, str]:
    """For a status."""
    image = image_version()
    return {"homenode": __version__, **({"image": image} if image else {})}
