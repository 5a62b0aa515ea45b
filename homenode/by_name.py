"""Who asks, for `--by`."""

from __future__ import annotations

import getpass

from homenode.errors import SetupError


def by_name(given: str) -> str:
    """As given, else this user.

    Raises:
        SetupError: This user has no name, as in a container.
    """
    try:
        return given or getpass.getuser()
    except (KeyError, OSError) as error:
        raise SetupError("this user has no name on this machine", do="give one with --by NAME") from error
