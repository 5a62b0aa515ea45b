"""A report is signed with the node's own key, and with that of its certificate where it has one."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography", reason="the extra install is not installed")
pytest.importorskip("fpdf", reason="the extra install is not installed")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from homenode.errors import Refused, SetupError
from homenode.install.report import write_report
from homenode.install.signing import verify, verify_link
from tests.unit.installing import HOME, do, installation

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
LINKED = HOME + "broker: {url: mqtts://broker.example, cert: node.pem, key: node.key}\n"
KEYS: dict[str, Callable[[], Any]] = {
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


def authority(name: str) -> tuple[x509.Name, ec.EllipticCurvePrivateKey]:
    return x509.Name.from_rfc4514_string(f"CN={name}"), ec.generate_private_key(ec.SECP256R1())


def certified(folder: Path, key: Any, issuer: tuple[x509.Name, Any]) -> None:
    """Key and certificate of a node, and those of who issued it."""
    began = datetime.datetime(2026, 1, 1)
    for subject, public, file in (
        ("CN=flat-1203", key.public_key(), "node"),
        ("", issuer[1].public_key(), "ca"),
    ):
        built = x509.CertificateBuilder(
            issuer_name=issuer[0],
            subject_name=x509.Name.from_rfc4514_string(subject) if subject else issuer[0],
            public_key=public,
            serial_number=x509.random_serial_number(),
            not_valid_before=began,
            not_valid_after=began + datetime.timedelta(days=3650),
        ).sign(issuer[1], hashes.SHA256())
        (folder / f"{file}.pem").write_bytes(built.public_bytes(PEM))
    pem, pkcs8, plain = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "node.key").write_bytes(key.private_bytes(pem, pkcs8, plain))


def report(folder: Path, text: str = LINKED) -> Path:
    steps = installation(folder, text)
    do(steps, "walk")
    return write_report(folder, steps, "Nisse")


@pytest.mark.parametrize("sort", KEYS)
def test_whoever_issued_the_certificate_vouches_for_the_report(tmp_path: Path, sort: str) -> None:
    certified(tmp_path, KEYS[sort](), authority("Example Housing"))
    folder = report(tmp_path)
    found = verify(folder)
    assert verify_link(folder, found, None).startswith("CN=flat-1203 (")
    assert verify_link(folder / "report.json", found, tmp_path / "ca.pem").startswith("CN=flat-1203 (")
    certified(tmp_path, KEYS[sort](), authority("Somebody Else"))
    with pytest.raises(Refused, match="did not issue CN=flat-1203"):
        verify_link(folder, found, tmp_path / "ca.pem")


def test_another_certificate_or_signature_beside_the_report_is_told(tmp_path: Path) -> None:
    certified(tmp_path, KEYS["ec"](), authority("Example Housing"))
    folder, other = report(tmp_path), report(tmp_path)
    found = verify(folder)
    (folder / "link.sig").write_bytes(b"\0" + (folder / "link.sig").read_bytes()[1:])
    with pytest.raises(Refused, match="is not of this report and certificate"):
        verify_link(folder, found, None)
    (folder / "link.sig").write_bytes((other / "link.sig").read_bytes())
    certified(tmp_path, KEYS["ec"](), authority("Somebody Else"))
    (folder / "link.pem").write_bytes((tmp_path / "node.pem").read_bytes())
    with pytest.raises(Refused, match="not the certificate that the report names"):
        verify_link(folder, found, None)
    for damage, why in ((b"no certificate", "is no certificate"), (None, "can't be read")):
        (folder / "link.pem").unlink()
        if damage:
            (folder / "link.pem").write_bytes(damage)
        with pytest.raises(Refused, match=why):
            verify_link(folder, found, None)


def test_a_node_without_a_certificate_signs_with_its_own_key_alone(tmp_path: Path) -> None:
    folder = report(tmp_path, HOME)
    found = verify(folder)
    assert found["link_certificate"] == ""
    assert not (folder / "link.sig").exists()
    assert verify_link(folder, found, None) == ""
    with pytest.raises(Refused, match="the node had none"):
        verify_link(folder, found, tmp_path / "ca.pem")


@pytest.mark.parametrize(("damage", "why"), [(None, "run this as the user"), (b"x", "can't be read")])
def test_a_key_that_can_not_be_used_is_told_before_anything_is_written(
    tmp_path: Path, damage: bytes | None, why: str
) -> None:
    certified(tmp_path, KEYS["ec"](), authority("Example Housing"))
    (tmp_path / "node.key").unlink()
    if damage:
        (tmp_path / "node.key").write_bytes(damage)
    with pytest.raises(SetupError, match=why):
        report(tmp_path)
    assert not (tmp_path / "reports").exists()


def test_a_key_that_signs_nothing_is_told(tmp_path: Path) -> None:
    certified(tmp_path, KEYS["ec"](), authority("Example Housing"))
    pem, pkcs8, plain = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "node.key").write_bytes(x25519.X25519PrivateKey.generate().private_bytes(pem, pkcs8, plain))
    with pytest.raises(SetupError, match="neither EC, RSA nor Ed25519"):
        report(tmp_path)


def test_the_certificate_is_named_in_what_the_nodes_own_key_signs(tmp_path: Path) -> None:
    certified(tmp_path, KEYS["ec"](), authority("Example Housing"))
    folder = report(tmp_path)
    text = json.loads((folder / "report.json").read_text())
    (folder / "report.json").write_text(json.dumps(text | {"link_certificate": ""}))
    with pytest.raises(Refused, match="changed after it was signed"):
        verify(folder)
