"""The page of an installation, for a phone at the flat's table, served while an installer asks for it."""

from __future__ import annotations

from pathlib import Path

from homenode.errors import Refused


async def serve_page(data: Path, listen: str, idle: str, language: str) -> int:
    """Until nobody has looked for `idle`."""
    raise Refused("there is no page yet")
