"""The provisioning file that an office writes for a card."""

from __future__ import annotations

from pathlib import Path

from homenode.office.settings import Settings


def ca_print(folder: Path) -> str:
    """SHA-256 of the root's certificate (DER), in hexadecimal digits: what a label says of it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    root = x509.load_pem_x509_certificates((folder / "ca.pem").read_bytes())[-1]
    return root.fingerprint(hashes.SHA256()).hex()


def written(settings: Settings, code: str) -> str:
    """The file."""
    lines = (settings.folder / "ca.pem").read_text(encoding="ascii").splitlines()
    ca = "\n".join(f"  {line}" for line in lines)
    head = "# For the boot partition of a card; the box takes it at its first start, and wipes it."
    return f"{head}\noffice: {settings.url}\ncode: {code}\nca: |\n{ca}\n"
