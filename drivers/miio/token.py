"""The token of a device: 16 bytes, as 32 hexadecimal digits alone in a file. It is shown nowhere."""

from __future__ import annotations

from pathlib import Path

from homenode.errors import SetupError


def read_token(file: Path) -> bytes:
    """The token in a file.

    Raises:
        SetupError: It isn't there, can't be read, or holds something else.
    """
    try:
        text = file.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        text = ""
    except OSError as error:
        raise SetupError(
            f"the token can't be read: {error.strerror}", where=str(file), do="put the token there"
        ) from error
    try:
        token = bytes.fromhex(text)
    except ValueError:
        token = b""
    if len(token) != 16 or len(text) != 32:
        raise SetupError(
            "holds no token", where=str(file), do="32 hexadecimal digits, as the vendor's account gives them"
        )
    return token
