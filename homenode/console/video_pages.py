"""Looks through cameras."""

from __future__ import annotations

from collections.abc import Mapping

from homenode.console.visit import Page

ROUTES: Mapping[tuple[str, str], Page] = {}
