"""openssl, by which tests make keys and certificates that nothing of ours has made."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
"""For ``req``: with a new key."""


def openssl(folder: Path, *words: object, said: bytes = b"") -> bytes:
    """Run it there; what it prints. Skips where it is missing."""
    command = ["openssl", *map(str, words)]
    try:
        done = subprocess.run(command, cwd=folder, input=said, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def self_signed(folder: Path, name: str, *more: str) -> None:
    """NAME.pem and NAME.key of that name."""
    files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
    openssl(folder, "req", "-x509", *EC, "-days", "30", "-subj", f"/CN={name}", *files, *more)


def issued(
    folder: Path, name: str, more: str = "subjectAltName=DNS:client", *, ca: str = "ca", subject: str = ""
) -> None:
    """NAME.pem and NAME.key by an authority there; `more`: extensions."""
    own = ("-subj", subject or f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl(folder, "req", *EC, *own)
    (folder / f"{name}.ext").write_text(f"{more}\n")
    by = ("-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", "30")
    files = ("-in", f"{name}.csr", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    openssl(folder, "x509", "-req", *by, *files)
