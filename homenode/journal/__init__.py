"""The append-only log that is the truth: format, files, writer, lock. README.md describes the layout."""

from homenode.journal.codec import Class, Damage
from homenode.journal.journal import Journal, Pace
from homenode.journal.lock import FolderLock
from homenode.journal.retention import Limits

__all__ = ["Class", "Damage", "FolderLock", "Journal", "Limits", "Pace"]
