"""The office as strangers meet it: openssl makes the request, curl carries it, and nothing is ours."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.clocks import NodeClock
from tests.system.est_server import EstServer
from tests.system.offices import HOME_YAML, Box, OfficeProcess
from tests.system.openssl import EC, openssl, self_signed

pytestmark = [
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]
PKI = shutil.which("pki")
EST = "/.well-known/est"
BUNDLE = "homenode_1.2.0+20261128.211806.g9492419.raucb"
"""As `make image` calls them."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProcess]:
    folder = tmp_path_factory.mktemp("strangers")
    self_signed(folder, "factory")
    bundles = folder / "bundles"
    bundles.mkdir()
    (bundles / BUNDLE).write_bytes(bytes(range(256)) * 4096)
    lines = f"factory: {folder / 'factory.pem'}\nbundles: {bundles}\n"
    with OfficeProcess(folder / "office", lines) as running:
        running.describe("north-1")
        yield running


@dataclass(frozen=True)
class Said:
    """What curl got."""

    status: int
    headers: dict[str, str]
    body: bytes


def curl(office: OfficeProcess, path: str, *words: str, said: bytes | None = None) -> Said:
    more = ["--data-binary", "@-"] if said is not None else []
    command = ["curl", "-s", "-D", "/dev/stderr", "--cacert", str(office.folder / "ca.pem"), *words, *more]
    done = subprocess.run([*command, office.url + path], input=said, capture_output=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr)
    first, *lines = done.stderr.decode().replace("\r", "").strip().splitlines()
    pairs = [line.partition(": ") for line in lines if ": " in line]
    return Said(int(first.split()[1]), {name.lower(): text for name, _, text in pairs}, done.stdout)


def request(folder: Path, subject: str, *key: str) -> bytes:
    kind = key or ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    der = openssl(folder, "req", "-new", "-newkey", *kind, "-nodes", "-keyout", "own.key", "-subj", subject,
                  "-outform", "DER")  # fmt: skip
    return base64.b64encode(der)


def posted(office: OfficeProcess, what: str, body: bytes, *words: str) -> Said:
    return curl(office, f"{EST}/{what}", "-H", "Content-Type: application/pkcs10", *words, said=body)


def certificates(folder: Path, said: Said) -> str:
    der = base64.b64decode(said.body)
    return openssl(folder, "pkcs7", "-inform", "DER", "-print_certs", said=der).decode()


def test_a_stranger_enrols_renews_and_is_told_what_is_wrong(office: OfficeProcess, tmp_path: Path) -> None:
    serial = "20000000bbbb0001"
    known = curl(office, f"{EST}/cacerts")
    assert known.status == 200
    assert known.headers["content-type"].startswith("application/pkcs7-mime")
    assert known.headers["content-transfer-encoding"] == "base64"
    assert "subject=CN = homes" in certificates(tmp_path, known)

    wanted = curl(office, f"{EST}/csrattrs")
    assert wanted.headers["content-type"] == "application/csrattrs"
    parsed = openssl(tmp_path, "asn1parse", "-inform", "DER", said=base64.b64decode(wanted.body)).decode()
    assert "id-ecPublicKey" in parsed
    assert "prime256v1" in parsed

    body = request(tmp_path, f"/CN={serial}/serialNumber={serial}")
    wrong = posted(office, "simpleenroll", body, "-u", f"{serial}:AAAA-AAAA-AAAA-AAAA")
    assert wrong.status == 401
    assert wrong.headers["www-authenticate"].startswith("Basic realm=")
    assert b"not known" in wrong.body

    waits = posted(office, "simpleenroll", body)
    assert waits.status == 202
    assert 0 < int(waits.headers["retry-after"]) <= 3600
    assert serial.encode() in waits.body

    code = office.code("box", "add", serial, "--home", "north-1")
    given = posted(office, "simpleenroll", body, "-u", f"{serial}:{code}")
    assert given.status == 200, given.body
    assert given.headers["content-type"] == "application/pkcs7-mime; smime-type=certs-only"
    text = certificates(tmp_path, given)
    assert text.count("subject=") == 1  # 4.2.3: the certificate that was issued, and nothing else
    assert f"subject=CN = north-1, serialNumber = {serial}" in text
    (tmp_path / "own.pem").write_text(text)
    openssl(tmp_path, "verify", "-CAfile", str(office.folder / "ca.pem"), "-purpose", "sslclient", "own.pem")

    own = ("--cert", str(tmp_path / "own.pem"), "--key", str(tmp_path / "own.key"))
    again = openssl(
        tmp_path, "x509", "-x509toreq", "-in", "own.pem", "-signkey", "own.key", "-outform", "PEM"
    )
    der = openssl(tmp_path, "req", "-outform", "DER", said=again)
    renewed = posted(office, "simplereenroll", base64.b64encode(der), *own)
    assert renewed.status == 200, renewed.body
    assert certificates(tmp_path, renewed) != text


def test_renewing_without_the_certificate_or_with_other_names_is_refused(
    office: OfficeProcess, tmp_path: Path
) -> None:
    serial = "20000000bbbb0002"
    office.describe("north-2")
    code = office.code("box", "add", serial, "--home", "north-2")
    body = request(tmp_path, f"/CN={serial}")
    assert posted(office, "simplereenroll", body, "-u", f"{serial}:{code}").status == 403
    given = posted(office, "simpleenroll", body, "-u", f"{serial}:{code}")
    (tmp_path / "own.pem").write_text(certificates(tmp_path, given))
    shutil.copy(tmp_path / "own.key", tmp_path / "first.key")
    own = ("--cert", str(tmp_path / "own.pem"), "--key", str(tmp_path / "first.key"))
    answer = posted(office, "simplereenroll", body, *own)
    assert (answer.status, b"4.2.2" in answer.body) == (400, True)


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (b"", "application/pkcs10", b"no PKCS #10"),
        (b"\xff\x00" * 100, "application/pkcs10", b"no PKCS #10"),
        (b"QUJD", "application/pkcs10", b"no PKCS #10"),
        (b"QUJD", "text/plain", b"text/plain"),
    ],
)
def test_trash_is_answered_in_plain_words(office: OfficeProcess, body: bytes, kind: str, why: bytes) -> None:
    answer = curl(office, f"{EST}/simpleenroll", "-H", f"Content-Type: {kind}", said=body)
    assert (answer.status, why in answer.body) == (400, True)


def test_a_key_that_is_not_wanted_is_refused(office: OfficeProcess, tmp_path: Path) -> None:
    answer = posted(office, "simpleenroll", request(tmp_path, "/CN=20000000bbbb0003", "rsa:2048"))
    assert (answer.status, b"P-256" in answer.body) == (400, True)


def test_what_is_not_offered_is_told(office: OfficeProcess) -> None:
    assert curl(office, f"{EST}/serverkeygen", said=b"x").status == 404
    assert curl(office, f"{EST}/simpleenroll").status == 405
    assert curl(office, "/").status == 403


def test_a_factory_certificate_is_enough_and_its_serial_number_is_the_boxs(
    office: OfficeProcess, tmp_path: Path
) -> None:
    serial, above = "20000000bbbb0004", office.folder.parent
    office.describe("north-4")
    office.says("assign", serial, "north-4")
    openssl(tmp_path, "req", "-new", *EC, "-keyout", "made.key", "-subj", f"/CN=box/serialNumber={serial}",
            "-out", "made.csr")  # fmt: skip
    openssl(tmp_path, "x509", "-req", "-in", "made.csr", "-CA", str(above / "factory.pem"), "-CAkey",
            str(above / "factory.key"), "-CAcreateserial", "-days", "30", "-out", "made.pem")  # fmt: skip
    made = ("--cert", str(tmp_path / "made.pem"), "--key", str(tmp_path / "made.key"))
    answer = posted(office, "simpleenroll", request(tmp_path, "/CN=20000000bbbb9999"), *made)
    assert answer.status == 200, answer.body
    assert f"serialNumber = {serial}" in certificates(tmp_path, answer)
    assert curl(office, "/homenode/v1/assignment", *made).status == 403  # of the factory, not of this office


def test_a_bundle_comes_in_parts_to_those_who_have_a_certificate(
    office: OfficeProcess, tmp_path: Path
) -> None:
    serial = "20000000bbbb0005"
    office.describe("north-5")
    code = office.code("box", "add", serial, "--home", "north-5")
    given = posted(office, "simpleenroll", request(tmp_path, f"/CN={serial}"), "-u", f"{serial}:{code}")
    (tmp_path / "own.pem").write_text(certificates(tmp_path, given))
    own = ("--cert", str(tmp_path / "own.pem"), "--key", str(tmp_path / "own.key"))
    whole = bytes(range(256)) * 4096
    assert curl(office, f"/bundles/{BUNDLE}", *own).body == whole
    part = curl(office, f"/bundles/{BUNDLE}", *own, "-r", "1000-1999")
    assert (part.status, part.body) == (206, whole[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(whole)}"
    assert curl(office, f"/bundles/{BUNDLE}", *own, "-r", "-10").body == whole[-10:]
    rest = curl(office, f"/bundles/{BUNDLE}", *own, "-r", f"{len(whole) - 5}-")
    assert rest.body == whole[-5:]
    assert curl(office, f"/bundles/{BUNDLE}", *own, "-r", f"{len(whole)}-").status == 416
    assert curl(office, "/bundles/..%2foffice.db", *own).status == 404
    assert curl(office, f"/bundles/{BUNDLE}").status == 403
    head = curl(office, f"/bundles/{BUNDLE}", *own, "--head")
    assert (head.status, int(head.headers["content-length"])) == (200, len(whole))


def test_a_broker_fetches_the_list_of_those_revoked(office: OfficeProcess, tmp_path: Path) -> None:
    serial = "20000000bbbb0006"
    office.describe("north-6")
    code = office.code("box", "add", serial, "--home", "north-6")
    given = posted(office, "simpleenroll", request(tmp_path, f"/CN={serial}"), "-u", f"{serial}:{code}")
    (tmp_path / "own.pem").write_text(certificates(tmp_path, given))
    office.says("revoke", serial)
    answer = curl(office, "/homenode/v1/crl")
    text = openssl(tmp_path, "crl", "-inform", "DER", "-noout", "-text", said=answer.body).decode()
    number = (
        openssl(tmp_path, "x509", "-in", "own.pem", "-noout", "-serial").decode().strip().partition("=")[2]
    )
    assert number in text.replace(":", "")
    (tmp_path / "list.pem").write_bytes(openssl(tmp_path, "crl", "-inform", "DER", said=answer.body))
    refused = subprocess.run(
        ["openssl", "verify", "-crl_check", "-CAfile", str(office.folder / "ca.pem"), "-CRLfile", "list.pem",
         "own.pem"], cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "certificate revoked" in refused.stderr
    own = ("--cert", str(tmp_path / "own.pem"), "--key", str(tmp_path / "own.key"))
    said = curl(office, "/homenode/v1/told", *own, said=json.dumps({"what": "x"}).encode())
    assert (said.status, b"counts no more" in said.body) == (403, True)


@pytest.mark.skipif(PKI is None, reason="strongswan-pki is not installed")
def test_strongswan_enrols_and_renews(office: OfficeProcess, tmp_path: Path) -> None:
    def pki(*words: str) -> bytes:
        command = [str(PKI), *words, "--url", office.url, "--cacert", str(office.folder / "ca.pem")]
        done = subprocess.run([*command, "--outform", "pem"], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    serial = "20000000bbbb0007"
    office.describe("north-7")
    code = office.code("box", "add", serial, "--home", "north-7")
    pki("--estca", "--caout", "root")
    assert (tmp_path / "root.pem").read_bytes() == (office.folder / "ca.pem").read_bytes()
    (tmp_path / "own.csr").write_bytes(base64.b64decode(request(tmp_path, f"/CN={serial}")))
    own = tmp_path / "own.pem"
    own.write_bytes(pki("--est", "--in", "own.csr", "--userpass", f"{serial}:{code}"))
    subject = f"/CN=north-7/serialNumber={serial}"
    openssl(
        tmp_path, "req", "-new", "-key", "own.key", "-subj", subject, "-outform", "DER", "-out", "again.csr"
    )
    renewed = pki("--est", "--in", "again.csr", "--cert", "own.pem", "--key", "own.key")
    text = openssl(tmp_path, "x509", "-noout", "-subject", said=renewed).decode()
    assert text == f"subject=CN = north-7, serialNumber = {serial}\n"


def test_a_box_enrols_at_a_server_that_is_no_office_and_its_card_brings_the_home(tmp_path: Path) -> None:
    folder, serial = tmp_path / "server", "20000000bbbb0008"
    folder.mkdir()
    with EstServer(folder, {serial: "ABCD-EFGH-JKMN-PQRS"}, label="flats") as server:
        box = Box(tmp_path / "box", serial)
        said = {
            "office": f"{server.url}/flats", "ca": server.root, "code": "ABCD-EFGH-JKMN-PQRS",
            "home": {"files": {"home.yaml": HOME_YAML.format(home="south-1")}},
        }  # fmt: skip
        box.places.provision.write_text(json.dumps({**said, "code": "AAAA-AAAA-AAAA-AAAA"}))
        assert box.once().why.key == "code"
        box.places.provision.write_text(json.dumps(said))
        assert box.once().done
        assert "home: south-1" in box.places.home.read_text()
        assert "ABCD" not in str([path.read_text() for path in box.places.folder.iterdir() if path.is_file()])
        first = box.places.certificate.read_text()
        own = str(box.places.certificate)
        openssl(tmp_path, "verify", "-CAfile", str(folder / "root.pem"), "-untrusted", own, own)
        clock = NodeClock(tmp_path)
        clock.off_by(int(2.5 * 86_400))  # of three days
        assert box.run("once", env=clock.env).returncode == 0
        assert server.asked[-3] == "simplereenroll"
        assert box.places.certificate.read_text() != first
