"""Boards, parts and circuits, as data (`boards.yaml`, `parts.yaml`)."""
